"""Where the rows of arrays belong in space, by which other ranks find theirs."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nanowarm.numerics.operators import Operators

Array = NDArray[np.float64]
Index = NDArray[np.intp]

SAME = 1e-10  # of the largest coordinate: two places nearer to each other are one


class Places:
    """Where the rows of this rank belong: shape (rows, 3) each [m].

    Args:
        operators: of the mesh.
    """

    def __init__(self, operators: Operators) -> None:
        self.comm, self._domain = operators.layout.comm, operators.mesh.domain
        self.nodes: Array = operators.position

    @cached_property
    def cells(self) -> Array:
        """Centres of own cells."""
        own = self._domain.topology.index_map(3).size_local
        return np.asarray(self._domain.geometry.x[self._domain.geometry.dofmaps[0][:own]].mean(axis=1))

    def of(self, kind: str) -> Array:
        """Those of "nodes" or "cells"."""
        return self.nodes if kind == "nodes" else self.cells


def matched(theirs: Array, ours: Array) -> tuple[Index, Index]:
    """Which rows of theirs lie where which rows of ours do."""
    from scipy.spatial import cKDTree

    if not len(theirs) or not len(ours):
        return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)
    distance, row = cKDTree(ours).query(theirs)
    there = np.flatnonzero(distance <= SAME * np.abs(ours).max())
    return there, row[there]
