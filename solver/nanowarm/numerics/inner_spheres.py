"""The largest sphere inside a body: how deep its deepest place lies below its surface."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

DIVISIONS = 3  # of the edges of cells that are looked into
ROUNDS = 6  # each of which halves what is looked at
MOST = 16  # cells that are looked into
KEPT = 4  # of them after each round


def largest_inner_sphere(cells: NDArray[np.int32], position: Array, depth: Array, deep: Callable[[Array], Array]) -> float:
    """Largest distance [m] of any place of a mesh from some surfaces.

    A distance changes by no more than the way gone, so that a cell may hold the deepest place if its corners are nearly as deep
    as the deepest node. The likeliest cells are looked into on a lattice, which then shrinks around their deepest points.

    Args:
        cells: nodes of each tetrahedron, shape (cells, 4).
        position: of the nodes [m], shape (nodes, 3).
        depth: of the nodes [m], shape (nodes,).
        deep: the same of points [m], shape (n, 3).
    """
    corners = position[cells]
    longest = np.linalg.norm(corners[:, 1:] - corners[:, :1], axis=2).max(axis=1)
    found = float(depth.max())
    likeliest = np.argsort(-(depth[cells].mean(axis=1) + longest))[:MOST]
    near, weights = corners[likeliest], _lattice()
    for _ in range(ROUNDS):
        points = weights @ near  # (cells, points, 3)
        depths = deep(points.reshape(-1, 3)).reshape(points.shape[:2])
        found = max(found, float(depths.max()))
        middle = points[np.arange(len(near)), np.argmax(depths, axis=1)][:, None]
        kept = np.argsort(-depths.max(axis=1))[:KEPT]
        near = (middle + 0.5 * (near - middle))[kept]  # a smaller cell around it, inside the one before
    return found


def _lattice() -> Array:
    """Barycentric coordinates of evenly spread points of a tetrahedron, shape (points, 4)."""
    parts = range(DIVISIONS + 1)
    rows = [(i, j, k, DIVISIONS - i - j - k) for i in parts for j in parts for k in parts if i + j + k <= DIVISIONS]
    return np.array(rows) / DIVISIONS
