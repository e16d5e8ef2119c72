"""Smooth surfaces between the regions of a lattice."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanowarm.meshing.label_lattice import Box, Labelled, Resampling
from nanowarm.meshing.surface_patches import Patches

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

OUTER, CUT = "outer", "cut"  # surfaces: where the body ends, and where the image ends
_ITERATIONS, _PASS_BAND = 40, 0.05  # of a low pass; lets through what is longer than some 20 cells
_PASSES = 2  # of the low pass; after the second, volumes are those of the lattice
_SHORTEST = 0.1  # share of an edge of the lattice that a crossing keeps from its ends
_INSIDE = 0.49  # of a cell: how far a corner may move from the middle of its cell, so that surfaces never cross


class Crossings:
    """The edges of a lattice between points of different regions; each is crossed by a quadrilateral.

    Args:
        lattice: the regions; it ends in the outside.

    Attributes:
        start: lower point of each edge, in the lattice with one more point on every side, shape (edges, 3).
        axis: of each edge, 0 for z of the array, shape (edges,).
        sides: region at its lower and at its upper point, shape (edges, 2).
    """

    def __init__(self, lattice: Labelled) -> None:
        region = np.pad(lattice.region, 1)
        starts, axes, sides = [], [], []
        for axis in range(3):
            lower = np.moveaxis(region, axis, 0)[:-1]
            upper = np.moveaxis(region, axis, 0)[1:]
            at = np.nonzero(lower != upper)
            start = np.stack(at, axis=1)
            starts.append(np.insert(start[:, 1:], axis, start[:, 0], axis=1))
            axes.append(np.full(len(start), axis))
            sides.append(np.stack([lower[at], upper[at]], axis=1).astype(np.int64))
        self.start: Indices = np.concatenate(starts)
        self.axis: Indices = np.concatenate(axes)
        self.sides: Indices = np.concatenate(sides)
        last = np.array(region.shape)[self.axis] - 2
        along = self.start[np.arange(len(self.axis)), self.axis]
        self.at_border: NDArray[np.bool_] = (along == 0) | (along == last)

    def places(self, resampling: Resampling) -> Array:
        """Where the shares of the two regions are equal, from 0 at the lower point to 1 at the upper, shape (edges,)."""
        lead = np.zeros((len(self.axis), 2))  # of the region of the lower point, at both points
        points = self.start - 1, self.start - 1 + np.eye(3, dtype=np.int64)[self.axis]
        for region in range(resampling.regions):
            box, share = resampling.share(region)
            for side, sign in ((0, 1.0), (1, -1.0)):
                mine = np.flatnonzero((self.sides[:, side] == region) & ~self.at_border)
                for end in (0, 1):
                    lead[mine, end] += sign * _looked_up(box, share, points[end][mine])
        difference = lead[:, 0] - lead[:, 1]
        clear = (lead[:, 0] >= 0.0) & (lead[:, 1] <= 0.0) & (difference > 0.0)
        place = np.where(clear, lead[:, 0] / np.where(clear, difference, 1.0), 0.5)
        return np.clip(place, _SHORTEST, 1.0 - _SHORTEST)

    def quadrilaterals(self) -> Indices:
        """The four cells of the lattice around each edge, counter-clockwise seen from its upper end, shape (edges, 4, 3)."""
        # Around z, which is axis 0 of the array, one turns from x, axis 2, to y, axis 1; and so on.
        first, second = np.eye(3, dtype=np.int64)[[2, 0, 1]][self.axis], np.eye(3, dtype=np.int64)[[1, 2, 0]][self.axis]
        corners = [self.start - first - second, self.start - second, self.start, self.start - first]
        return np.stack(corners, axis=1)


def _looked_up(box: Box, share: Any, points: Indices) -> Array:
    """A share at points of the lattice; zero outside its box."""
    low = np.array([side.start for side in box])
    local = points - low
    inside = ((local >= 0) & (local < share.shape)).all(axis=1)
    found = np.zeros(len(points))
    found[inside] = share[tuple(local[inside].T)]
    return found


def smooth_surfaces(lattice: Labelled, resampling: Resampling, names: tuple[str, ...]) -> Patches:
    """The surfaces between regions, and around them, with a corner in each cell of the lattice that they cross.

    Args:
        lattice: regions.
        resampling: shares of the regions between its points.
        names: of the regions.

    Source: Gibson (1998), MICCAI, LNCS 1496:888 (surface nets); Taubin, Zhang & Golub (1996), ECCV, LNCS 1064:283 (low pass).
    """
    crossings = Crossings(lattice)
    corners = crossings.quadrilaterals()
    shape = np.array(lattice.region.shape) + 1
    used, number = np.unique(np.ravel_multi_index(tuple(np.moveaxis(corners, 2, 0)), tuple(shape)), return_inverse=True)
    quads = number.reshape(-1, 4)
    middles = np.stack(np.unravel_index(used, tuple(shape)), axis=1).astype(np.float64) - 0.5
    points = _smooth_corners(crossings, crossings.places(resampling), quads, middles)
    limits = np.array(lattice.region.shape) - 0.5
    border = (middles < 0.0) | (middles > limits - 0.25)
    points = np.where(border, middles, np.clip(points, middles - _INSIDE, middles + _INSIDE))
    placed = lattice.first + points[:, ::-1] @ lattice.steps.T
    triangles, patch, pairs = _patches(crossings, quads, placed)
    if np.linalg.det(lattice.steps) < 0.0:
        triangles = triangles[:, ::-1]
    return Patches(
        placed,
        np.ascontiguousarray(triangles),
        patch,
        tuple((int(inner) - 1, int(other) - 1) for inner, other, _ in pairs),
        names,
        tuple("" if other else (CUT if cut else OUTER) for _, other, cut in pairs),
    )


def _smooth_corners(crossings: Crossings, places: Array, quads: Indices, middles: Array) -> Array:
    """Corners of smooth surfaces, in the coordinates of the lattice, shape (cells, 3).

    The low pass shrinks what is round, so that what it took is given back, smoothed as well.
    """
    axes = np.eye(3)[crossings.axis]
    at = crossings.start - 1 + axes * places[:, None]
    inside = quads[~crossings.at_border]  # what is cut is flat, and must not round the edges of the cut
    number = np.bincount(quads.ravel(), minlength=len(middles))[:, None]
    points = middles
    for _ in range(_PASSES):
        missing = axes * (at - points[quads].mean(axis=1))
        at_corners = [np.bincount(quads.ravel(), np.repeat(missing[:, i], 4), len(middles)) for i in range(3)]
        moved = points + np.stack(at_corners, axis=1) / number
        points = _low_pass(moved, inside) if points is middles else points + _low_pass(moved - points, inside)
    return points


def _low_pass(points: Array, quads: Indices) -> Array:
    """Corners without the steps of the lattice; volumes stay as they are."""
    from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
    from vtkmodules.vtkFiltersCore import vtkWindowedSincPolyDataFilter

    if len(quads) == 0:  # the body fills the image
        return points
    place, faces, surface = vtkPoints(), vtkCellArray(), vtkPolyData()
    place.SetData(numpy_to_vtk(points, deep=True))
    faces.SetData(4, numpy_to_vtkIdTypeArray(quads.ravel(), deep=True))
    surface.SetPoints(place)
    surface.SetPolys(faces)
    smooth = vtkWindowedSincPolyDataFilter()
    smooth.SetInputData(surface)
    smooth.SetNumberOfIterations(_ITERATIONS)
    smooth.SetPassBand(_PASS_BAND)
    smooth.NonManifoldSmoothingOn()
    smooth.NormalizeCoordinatesOn()
    smooth.FeatureEdgeSmoothingOff()
    smooth.BoundarySmoothingOn()
    smooth.Update()
    return vtk_to_numpy(smooth.GetOutput().GetPoints().GetData()).astype(np.float64)


def _patches(crossings: Crossings, quads: Indices, placed: Array) -> tuple[Indices, Indices, Indices]:
    """Triangles, the patch of each, and the (inner region, other region, whether it is a cut) of each patch.

    The higher number is the inner one, so that the outside, 0, is never.
    """
    lower, upper = crossings.sides.T
    turned = np.where((lower < upper)[:, None], quads[:, ::-1], quads)
    kinds = np.stack([np.maximum(lower, upper), np.minimum(lower, upper), crossings.at_border], axis=1)
    pairs, patch = np.unique(kinds, axis=0, return_inverse=True)
    a, b, c, d = (placed[turned[:, i]] for i in range(4))
    shorter = np.linalg.norm(a - c, axis=1) <= np.linalg.norm(b - d, axis=1)
    one = np.where(shorter[:, None], turned[:, [0, 1, 2]], turned[:, [1, 2, 3]])
    two = np.where(shorter[:, None], turned[:, [0, 2, 3]], turned[:, [1, 3, 0]])
    return np.concatenate([one, two]), np.concatenate([patch.ravel(), patch.ravel()]), pairs
