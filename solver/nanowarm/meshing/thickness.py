"""How thick the regions of a mesh are where they are thin, and how many cells lie across."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanowarm.meshing.mesh_checks import FACETS, Indices, RawMesh, facet_keys

Array = NDArray[np.float64]

_RAYS = 2000  # through each region
_START = np.array([0.40, 0.35, 0.25])  # weights of a facet's corners; off its centre, lest rays run along edges
_MOST_CELLS = 5000  # that a ray may pass
_THIN = 5.0  # per cent of a region's boundary that counts as its thin parts
_ALONG = 1e-12  # of a facet's area, below which a ray runs along it


@dataclass(frozen=True)
class Thickness:
    """How thick a region is where it is thin.

    From places spread evenly over the region's boundary, a ray runs inward at a right angle until it leaves the
    region. Its length is the thickness there; the cells across are the sum, over the cells that it passes, of the
    length inside each over the cell's mean edge. Both are given at the thin end: 5 per cent of the boundary has less.
    A plate has its thickness, a shell its wall, a ball its diameter.

    Args:
        length: [m]; NaN where no ray came out again.
        across: cells; likewise.
    """

    length: float
    across: float


def thicknesses(mesh: RawMesh, edge: Array, parts: NDArray[np.int64] | None = None) -> tuple[Thickness, ...]:
    """Thickness of each region of a checked mesh, or of each part of it.

    Args:
        mesh: the mesh.
        edge: mean edge length of each cell [m], shape (cells,).
        parts: number of the part that each region belongs to, from 0 on, -1 for none; each region is one if left out.
    """
    beside = _neighbours(mesh)
    part = np.arange(len(mesh.region_names)) if parts is None else parts
    label = part[mesh.cell_region]
    found = []
    for number in range(int(part.max()) + 1):
        cell, side = _evenly(mesh, *_boundary(label, beside, number))
        length, across = _passed(mesh, edge, (label, beside), (cell, side))
        done = np.isfinite(length)
        thin = [float(np.percentile(values[done], _THIN)) if done.any() else np.nan for values in (length, across)]
        found.append(Thickness(*thin))
    return tuple(found)


def _neighbours(mesh: RawMesh) -> Indices:
    """The cell beyond the facet opposite each corner, -1 on the outside, shape (cells, 4)."""
    keys = facet_keys(mesh.cells[:, FACETS].reshape(-1, 3), len(mesh.points))
    order = np.argsort(keys, kind="stable")
    first = np.flatnonzero(keys[order][1:] == keys[order][:-1])
    one, other = order[first], order[first + 1]
    beside = np.full(len(keys), -1, np.int64)
    beside[one], beside[other] = other // 4, one // 4
    return beside.reshape(-1, 4)


def _boundary(label: Indices, beside: Indices, number: int) -> tuple[Indices, Indices]:
    """Cells of a part, and their sides, that have none of the part beyond."""
    cells = np.flatnonzero(label == number)
    there = beside[cells]
    inside = (there >= 0) & (label[there] == number)
    row, side = np.nonzero(~inside)
    return cells[row], side


def _evenly(mesh: RawMesh, cell: Indices, side: Indices) -> tuple[Indices, Indices]:
    """Some of the facets, each by as much chance as it has area, always the same ones."""
    corner = mesh.points[mesh.cells[cell[:, None], FACETS[side]]]
    area = np.linalg.norm(np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1)
    total = np.cumsum(area)
    chosen = np.searchsorted(total, (np.arange(_RAYS) + 0.5) / _RAYS * total[-1])
    return cell[chosen], side[chosen]


def _passed(mesh: RawMesh, edge: Array, parts: tuple[Indices, Indices], start: tuple[Indices, Indices]) -> tuple[Array, Array]:
    """Length [m] of the ray from each facet to where it leaves the part, and the cells across; NaN where lost."""
    (label, beside), (cell, side) = parts, start
    corner = mesh.points[mesh.cells[cell[:, None], FACETS[side]]]
    origin = np.einsum("ijk,j->ik", corner, _START)
    inward = np.cross(corner[:, 2] - corner[:, 0], corner[:, 1] - corner[:, 0])
    inward /= np.linalg.norm(inward, axis=1)[:, None]
    length, across, at = np.full(len(cell), np.nan), np.zeros(len(cell)), np.zeros(len(cell))
    ray = np.arange(len(cell))
    for _ in range(_MOST_CELLS):
        leave, side = _exit(mesh.points[mesh.cells[cell]], origin[ray], inward[ray])
        leave = np.maximum(leave, at[ray])
        across[ray] += (leave - at[ray]) / edge[cell]
        at[ray] = leave
        beyond = beside[cell, side]
        out = (beyond < 0) | (label[beyond] != label[cell])
        length[ray[out]] = leave[out]
        ray, cell = ray[~out], beyond[~out]
        if not len(ray):
            break
    return length, np.where(np.isfinite(length), across, np.nan)


def _exit(corner: Array, origin: Array, direction: Array) -> tuple[Array, Indices]:
    """Distance [m] from each ray's origin to where it leaves a cell, and the side by which it does."""
    facet = corner[:, FACETS]
    normal = np.cross(facet[:, :, 1] - facet[:, :, 0], facet[:, :, 2] - facet[:, :, 0])
    towards = np.einsum("ijk,ik->ij", normal, direction)
    gap = np.einsum("ijk,ijk->ij", normal, facet[:, :, 0] - origin[:, None])
    leaves = towards > _ALONG * np.linalg.norm(normal, axis=2)
    distance = np.where(leaves, gap / np.where(leaves, towards, 1.0), np.inf)
    side = distance.argmin(axis=1)
    return distance[np.arange(len(side)), side], side
