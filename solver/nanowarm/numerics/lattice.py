"""Iron on a lattice of samples, given to the corners of the tetrahedra that hold them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

_BATCH = 500_000  # columns of samples, or samples, that are worked on together
# Samples are moved by a ten-millionth of their distance, so that none lies on the face between two cells.
_ASIDE = 1e-7 * np.array([0.6180339887, 0.7548776662, 0.5698402910])
_SLACK = 1e-6  # distances of samples by which a cell may stick out of a lattice and still be covered


@dataclass(frozen=True, eq=False)
class Lattice:
    """Samples in space, at whole numbers of their own coordinates.

    Args:
        first: the sample (0, 0, 0) [m], shape (3,).
        steps: from a sample to the next along each axis [m], as columns, shape (3, 3).
        shape: number of samples along each axis.
        density: iron [kg/m3] of samples, given by their three coordinates.
    """

    first: Array
    steps: Array
    shape: Indices
    density: Callable[[Indices, Indices, Indices], Array]

    @property
    def volume(self) -> float:
        """Volume that a sample stands for [m3]."""
        return float(abs(np.linalg.det(self.steps)))

    def coordinates(self, points: Array) -> Array:
        """Points [m] in the coordinates of the lattice, shape (..., 3)."""
        return (points - self.first) @ np.linalg.inv(self.steps).T - _ASIDE

    def at(self, points: Array) -> Array:
        """Iron [kg/m3] of the samples nearest to points [m], none beside the lattice, shape (n,)."""
        nearest = np.rint(self.coordinates(points)).astype(np.int64)
        inside = ((nearest >= 0) & (nearest < self.shape)).all(axis=1)
        found = np.zeros(len(points))
        found[inside] = self.density(*nearest[inside].T)
        return found


@dataclass(frozen=True, eq=False)
class _Columns:
    """Rows of samples along the first axis that lie in a cell.

    Args:
        cell: that holds each row.
        start: first sample of the row, three coordinates, shape (3, n).
        count: number of its samples.
        weight: barycentric coordinates of the first sample, shape (4, n).
        slope: their change from a sample to the next, shape (4, n).
    """

    cell: Indices
    start: Indices
    count: Indices
    weight: Array
    slope: Array


def deposit(lattice: Lattice, corners: Array) -> tuple[Array, Array]:
    """Iron [kg] and volume [m3] that samples give to the corners of the cells that hold them.

    A cell that the lattice does not cover gets all its volume, a quarter at each corner.

    Args:
        corners: of the cells [m], shape (cells, 4, 3).

    Returns:
        Iron and volume, both of shape (cells, 4).
    """
    iron, volume = np.zeros((len(corners), 4)), np.zeros((len(corners), 4))
    for part in _batches(np.ones(len(corners), np.int64)):
        places = lattice.coordinates(corners[part])
        low = np.maximum(np.ceil(places.min(axis=1)), 0).astype(np.int64)
        high = np.minimum(np.floor(places.max(axis=1)), lattice.shape - 1).astype(np.int64)
        sides = np.maximum(high - low + 1, 0)
        sides[(sides == 0).any(axis=1)] = 0
        for cells in _batches(sides[:, 1] * sides[:, 2]):
            columns = _columns(places[cells], low[cells], sides[cells], lattice.shape[0])
            iron[part][cells], volume[part][cells] = _given(lattice, columns, len(places[cells]))
        bare = ~_covered(lattice, places)
        volume[part][bare] = _volumes(corners[part][bare])[:, None] / (4.0 * lattice.volume)
    return iron * lattice.volume, volume * lattice.volume


def _covered(lattice: Lattice, places: Array) -> NDArray[np.bool_]:
    """Whether all corners of each cell lie within the boxes of the samples."""
    covered: NDArray[np.bool_] = ((places > -0.5 - _SLACK) & (places < lattice.shape - 0.5 + _SLACK)).all(axis=(1, 2))
    return covered


def _columns(places: Array, low: Indices, sides: Indices, length: int) -> _Columns:
    """All rows of samples in some cells, from the half-lines on which each barycentric coordinate is positive."""
    slopes, constants = _barycentric(places)
    sizes = sides[:, 1] * sides[:, 2]
    cell = np.repeat(np.arange(len(places)), sizes)
    number = np.arange(cell.size) - (np.cumsum(sizes) - sizes)[cell]
    further, across = np.divmod(number, sides[cell, 1])
    j, k = low[cell, 1] + across, low[cell, 2] + further
    weight, slope = np.empty((4, cell.size)), np.empty((4, cell.size))
    first, last = np.zeros(cell.size), np.full(cell.size, length - 1.0)
    for corner in range(4):
        along, b, c, d = (values[cell] for values in (*slopes[:, corner].T, constants[:, corner]))
        value = b * j + c * k + d
        with np.errstate(divide="ignore", invalid="ignore"):
            zero = -value / along
        np.maximum(first, zero, out=first, where=along > 0.0)
        np.minimum(last, zero, out=last, where=along < 0.0)
        last[(along == 0.0) & (value < 0.0)] = -1.0
        weight[corner], slope[corner] = value, along
    start = np.ceil(first)
    count = np.floor(last) - start + 1.0
    kept = np.flatnonzero(count > 0.0)
    start = start[kept]
    weight = weight[:, kept] + slope[:, kept] * start
    where = np.stack((start.astype(np.int64), j[kept], k[kept]))
    return _Columns(cell[kept], where, count[kept].astype(np.int64), weight, slope[:, kept])


def _given(lattice: Lattice, columns: _Columns, cells: int) -> tuple[Array, Array]:
    """Iron and volume that rows of samples give to the corners of their cells, over the volume of a sample."""
    count = columns.count
    zeroth, first = np.zeros(count.size), np.zeros(count.size)  # sums of the iron, and of it times the place in the row
    for rows in _batches(count):
        sizes = count[rows]
        starts = np.cumsum(sizes) - sizes
        place = np.arange(sizes.sum()) - np.repeat(starts, sizes)
        i, j, k = (np.repeat(along, sizes) for along in columns.start[:, rows])
        density = lattice.density(i + place, j, k)
        if sizes.size:
            zeroth[rows] = np.add.reduceat(density, starts)
            first[rows] = np.add.reduceat(density * place, starts)
    number, pairs = count.astype(float), 0.5 * count * (count - 1.0)
    iron, volume = np.empty((cells, 4)), np.empty((cells, 4))
    for corner, (weight, slope) in enumerate(zip(columns.weight, columns.slope, strict=True)):
        iron[:, corner] = np.bincount(columns.cell, weight * zeroth + slope * first, minlength=cells)
        volume[:, corner] = np.bincount(columns.cell, weight * number + slope * pairs, minlength=cells)
    return np.maximum(iron, 0.0), np.maximum(volume, 0.0)  # round-off


def _barycentric(places: Array) -> tuple[Array, Array]:
    """Slopes (cells, 4, 3) and constants (cells, 4) of the barycentric coordinates of cells."""
    edges = places[:, 1:] - places[:, :1]
    others = np.linalg.inv(edges).transpose(0, 2, 1)
    slopes = np.concatenate((-others.sum(axis=1, keepdims=True), others), axis=1)
    constants = -np.einsum("cij,cj->ci", slopes, places[:, 0])
    constants[:, 0] += 1.0
    return slopes, constants


def _volumes(corners: Array) -> Array:
    """Volume of each cell [m3]."""
    return np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])) / 6.0


def _batches(sizes: Indices) -> Iterator[slice]:
    """Slices of neighbours whose sizes add up to a batch at most, or hold one alone."""
    ends, start = np.cumsum(sizes), 0
    while start < len(sizes):
        done = ends[start - 1] if start else 0
        stop = max(int(np.searchsorted(ends, done + _BATCH, side="right")), start + 1)
        yield slice(start, stop)
        start = stop
