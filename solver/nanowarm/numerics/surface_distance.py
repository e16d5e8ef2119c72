"""Distances of points from a surface of triangles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_DIVISIONS = 6  # of the edges of triangles


class SurfaceDistance:
    """Distance of points from the nearest of some triangles.

    Taken to evenly spread points of the triangles, so that it is exact at their corners, and from an edge's length above
    them too large by less than a hundredth of that edge.

    Args:
        triangles: corners [m], shape (triangles, 3, 3).
    """

    def __init__(self, triangles: Array) -> None:
        from scipy.spatial import cKDTree

        parts = np.arange(_DIVISIONS + 1)
        weights = np.array([(i, j, _DIVISIONS - i - j) for i in parts for j in parts[: _DIVISIONS + 1 - i]]) / _DIVISIONS
        self._tree = cKDTree((weights @ triangles).reshape(-1, 3))

    def __call__(self, points: Array) -> Array:
        """Distance [m] of points [m], shape (n,)."""
        distance, _ = self._tree.query(points)
        return np.asarray(distance)
