"""The surfaces of a body of tetrahedra: outside and between its regions, with few triangles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Whole = NDArray[np.int64]

OUTSIDE = -1
_FACES = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]])  # outward where the volume is positive


@dataclass(frozen=True, eq=False)
class Surfaces:
    """Triangles between regions, seen from the first of the two counterclockwise.

    Args:
        points: shape (points, 3).
        triangles: shape (triangles, 3), those of one patch after those of another.
        patches: of each patch the two regions (the second may be `OUTSIDE`) and how many triangles it has, shape (patches, 3).
    """

    points: Array
    triangles: Whole
    patches: Whole


def surfaces(points: Array, cells: Whole, region: Whole) -> Surfaces:
    """Every face that has another region, or none, on its other side.

    Args:
        points: shape (nodes, 3).
        cells: shape (cells, 4).
        region: of each cell, shape (cells,).
    """
    corners = points[cells]
    edges = corners[:, 1:] - corners[:, :1]
    turned = np.einsum("ij,ij->i", edges[:, 0], np.cross(edges[:, 1], edges[:, 2])) < 0.0
    faces = cells[:, _FACES]
    faces[turned] = faces[turned][:, :, ::-1]
    faces, owner = faces.reshape(-1, 3), np.repeat(region, 4)
    ordered = np.sort(faces, axis=1)
    key = (ordered[:, 0] * len(points) + ordered[:, 1]) * len(points) + ordered[:, 2]
    order = np.argsort(key, kind="stable")
    shared = np.flatnonzero(key[order][1:] == key[order][:-1])
    other = np.full(len(faces), OUTSIDE)
    other[order[shared]], other[order[shared + 1]] = owner[order[shared + 1]], owner[order[shared]]
    between = np.flatnonzero((other == OUTSIDE) | (owner < other))
    between = between[np.lexsort((other[between], owner[between]))]
    pairs, counts = np.unique(np.column_stack([owner[between], other[between]]), axis=0, return_counts=True)
    used, triangles = np.unique(faces[between], return_inverse=True)
    return Surfaces(points[used], triangles.reshape(-1, 3), np.column_stack([pairs, counts]))


def simplified(body: Surfaces, most: int) -> Surfaces:
    """The surfaces with about as many triangles as asked at most; where patches meet they stay as they are.

    Args:
        body: the surfaces.
        most: triangles to aim at.
    """
    if len(body.triangles) <= most:
        return body
    parts, first = [], 0
    reduction = 1.0 - most / len(body.triangles)
    for count in body.patches[:, 2]:
        parts.append(_decimated(body.points, body.triangles[first : first + count], reduction))
        first += count
    starts = np.cumsum([0] + [len(points) for points, _ in parts])
    points, same = np.unique(np.concatenate([points for points, _ in parts]), axis=0, return_inverse=True)
    triangles = np.concatenate([triangles + start for (_, triangles), start in zip(parts, starts, strict=False)])
    patches = body.patches.copy()
    patches[:, 2] = [len(triangles) for _, triangles in parts]
    return Surfaces(points, same.ravel()[triangles], patches)


def _decimated(points: Array, triangles: Whole, reduction: float) -> tuple[Array, Whole]:
    """A patch with fewer triangles, its rim as it was."""
    from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
    from vtkmodules.vtkFiltersCore import vtkDecimatePro

    used, corners = np.unique(triangles, return_inverse=True)
    patch, places, faces = vtkPolyData(), vtkPoints(), vtkCellArray()
    places.SetData(numpy_to_vtk(np.ascontiguousarray(points[used]), deep=True))
    faces.SetData(3, numpy_to_vtkIdTypeArray(np.ascontiguousarray(corners.ravel().astype(np.int64)), deep=True))
    patch.SetPoints(places)
    patch.SetPolys(faces)
    decimate: Any = vtkDecimatePro()
    decimate.SetInputData(patch)
    decimate.SetTargetReduction(reduction)
    decimate.PreserveTopologyOn()
    decimate.BoundaryVertexDeletionOff()
    decimate.SplittingOff()
    decimate.Update()
    left = decimate.GetOutput()
    if not left.GetNumberOfCells():
        return points[used], corners.reshape(-1, 3)
    found = vtk_to_numpy(left.GetPoints().GetData()).astype(float)
    return found, vtk_to_numpy(left.GetPolys().GetConnectivityArray()).reshape(-1, 3).astype(np.int64)
