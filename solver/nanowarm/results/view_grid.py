"""Fields of a mesh of tetrahedra on a regular grid around it, in one byte a place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import scipy.sparse as sp

Array = NDArray[np.float64]
Whole = NDArray[np.int64]
Bytes = NDArray[np.uint8]

LONGEST = 96  # places along the longest side
MOST_PLACES = 400_000
STEPS = 255  # of a byte


@dataclass(frozen=True, eq=False)
class Grid:
    """Places around a body and how their values follow from those of its nodes and cells.

    Args:
        origin: [m] of the first place, shape (3,).
        spacing: [m].
        shape: places along x, y and z.
        weights: from the values of nodes to those of places, x changing fastest, shape (places, nodes).
        cell: the cell that each place takes its value from, shape (places,).
    """

    origin: Array
    spacing: float
    shape: tuple[int, int, int]
    weights: sp.csr_array
    cell: Whole


@dataclass(frozen=True, eq=False)
class Codes:
    """A field on the grid: `low + byte / 255 (high - low)`.

    Args:
        low: least value, that of the bytes 0.
        high: largest value, that of the bytes 255.
        values: bytes, x changing fastest.
        known: 255 where there is a value, 0 elsewhere; None where there is one everywhere.
    """

    low: float
    high: float
    values: Bytes
    known: Bytes | None


def grid_around(points: Array, cells: Whole, most: int = MOST_PLACES) -> Grid:
    """The grid around a mesh; a place outside the body has a value of the cell that the nearest place inside lies in.

    Args:
        points: [m], shape (nodes, 3).
        cells: shape (cells, 4).
        most: places to aim at.
    """
    import scipy.sparse as sp

    used = np.unique(cells)
    low, extent = points[used].min(axis=0), np.ptp(points[used], axis=0)
    spacing = max(extent.max() / (LONGEST - 1), float(np.cbrt(extent.prod() / most)))
    nx, ny, nz = (max(2, int(np.ceil(length / spacing - 1e-9)) + 1) for length in extent)
    z, y, x = np.meshgrid(np.arange(nz), np.arange(ny), np.arange(nx), indexing="ij")
    places = low + spacing * np.column_stack([x.ravel(), y.ravel(), z.ravel()])
    cell = _filled(_containing(points, cells, low, spacing, (nx, ny, nz)), (nz, ny, nx))
    corners = cells[cell]
    shares = _barycentric(points[corners], places)
    rows = np.arange(0, 4 * len(places) + 1, 4)
    weights = sp.csr_array((shares.ravel(), corners.ravel(), rows), shape=(len(places), len(points)))
    return Grid(low, spacing, (nx, ny, nz), weights, cell)


def _filled(cell: Whole, shape: tuple[int, int, int]) -> Whole:
    """Cells of places; where there is none, that of the nearest place that has one."""
    from scipy.ndimage import distance_transform_edt

    outside = (cell < 0).reshape(shape)
    if outside.all():  # a body thinner than the grid
        return np.zeros_like(cell)
    nearest = distance_transform_edt(outside, return_distances=False, return_indices=True)
    filled: Whole = cell.reshape(shape)[tuple(nearest)].ravel()
    return filled


def _containing(points: Array, cells: Whole, origin: Array, spacing: float, shape: tuple[int, int, int]) -> Whole:
    """The cell that each place lies in, -1 outside, shape (places,)."""
    from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import VTK_TETRA, vtkCellArray, vtkImageData, vtkUnstructuredGrid
    from vtkmodules.vtkFiltersCore import vtkProbeFilter

    body, nodes, tetrahedra, image = vtkUnstructuredGrid(), vtkPoints(), vtkCellArray(), vtkImageData()
    nodes.SetData(numpy_to_vtk(np.ascontiguousarray(points), deep=True))
    tetrahedra.SetData(4, numpy_to_vtkIdTypeArray(np.ascontiguousarray(cells.ravel().astype(np.int64)), deep=True))
    body.SetPoints(nodes)
    body.SetCells(VTK_TETRA, tetrahedra)
    number = numpy_to_vtkIdTypeArray(np.arange(len(cells), dtype=np.int64), deep=True)
    number.SetName("cell")
    body.GetCellData().AddArray(number)
    image.SetDimensions(*shape)
    image.SetOrigin(*origin)
    image.SetSpacing(spacing, spacing, spacing)
    probe: Any = vtkProbeFilter()
    probe.SetInputData(image)
    probe.SetSourceData(body)
    probe.Update()
    found = probe.GetOutput().GetPointData()
    inside = vtk_to_numpy(found.GetArray(probe.GetValidPointMaskArrayName())).astype(bool)
    return np.where(inside, vtk_to_numpy(found.GetArray("cell")).astype(np.int64), -1)


def _barycentric(corners: Array, places: Array) -> Array:
    """Shares of the corners of tetrahedra at places in or near them, none negative, shape (places, 4).

    Args:
        corners: shape (places, 4, 3).
        places: shape (places, 3).
    """
    a, b, c = (corners[:, number] - corners[:, 0] for number in (1, 2, 3))
    p = places - corners[:, 0]
    volume = np.einsum("ij,ij->i", a, np.cross(b, c))
    shares = np.column_stack([np.einsum("ij,ij->i", p, np.cross(u, v)) for u, v in ((b, c), (c, a), (a, b))])
    shares /= np.where(volume == 0.0, 1.0, volume)[:, None]
    shares = np.clip(np.column_stack([1.0 - shares.sum(axis=1), shares]), 0.0, 1.0)
    total: Array = shares / shares.sum(axis=1, keepdims=True)
    return total


def coded(values: Array, low: float, high: float, shape: tuple[int, int, int]) -> Codes:
    """Values on the grid in bytes; one that is none gets the nearest that is one, and is told to be none.

    Args:
        values: shape (places,).
        low: least value that is told apart.
        high: largest.
        shape: places along x, y and z.
    """
    from scipy.ndimage import distance_transform_edt

    known = np.isfinite(values)
    mask = None
    if not known.all():
        nearest = distance_transform_edt(~known.reshape(shape[::-1]), return_distances=False, return_indices=True)
        values = values.reshape(shape[::-1])[tuple(nearest)].ravel()
        mask = np.where(known, STEPS, 0).astype(np.uint8)
    part = (values - low) / (high - low) if high > low else np.zeros_like(values)
    return Codes(low, high, np.clip(np.rint(STEPS * part), 0, STEPS).astype(np.uint8), mask)


def differences(codes: Bytes, shape: tuple[int, int, int]) -> bytes:
    """Bytes from which sums along z, y and x, modulo 256, give the codes again: of smooth fields most are near zero."""
    left = codes.reshape(shape[::-1])
    for axis in range(3):
        left = np.diff(left, axis=axis, prepend=np.uint8(0))
    return left.tobytes()
