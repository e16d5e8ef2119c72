"""Stiffness of a region of a mesh with a weight on every cell, as the conduction of its ice needs it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nanowarm.numerics.stack import fem, ufl

if TYPE_CHECKING:
    from nanowarm.numerics.operators import Operators, Stiffness

Array = NDArray[np.float64]


class WeightedStiffness:
    """K_r of one region with a weight on every cell: its entries are a sparse matrix times the weights.

    Args:
        operators: the integrals of the mesh.
        region: of the mesh.

    Attributes:
        corners: nodes of this rank of each own cell of the region, shape (cells, 4).
    """

    def __init__(self, operators: Operators, region: str) -> None:
        import scipy.sparse

        mesh, space, layout = operators.mesh, operators.space, operators.layout
        cells, held = mesh.cells(region), space.dofmap.index_map
        here = held.local_to_global(np.arange(held.size_local + held.num_ghosts, dtype=np.int32))
        degrees = space.dofmap.list[cells]
        self.corners = layout.index_map.global_to_local(here)[degrees]
        self._part = operators.stiffness[region]
        u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
        over = ufl.Measure("dx", domain=mesh.domain, subdomain_data=[(0, cells)])(0)
        self._matrix = fem.create_matrix(fem.form(ufl.inner(ufl.grad(u), ufl.grad(v)) * over))
        points = mesh.domain.geometry.x[mesh.domain.geometry.dofmaps[0][cells]]
        columns = np.repeat(np.arange(cells.size), 16)
        shape = self._matrix.data.size, cells.size
        self._entries = scipy.sparse.csr_array((_of_cells(points).ravel(), (self._places(degrees), columns)), shape=shape)

    def _places(self, degrees: NDArray[np.int32]) -> NDArray[np.intp]:
        """Entry of the matrix of every pair of corners of every cell, shape (16 cells,)."""
        starts, columns = self._matrix.indptr, self._matrix.indices.astype(np.int64)
        width = int(columns.max(initial=0)) + 1
        keys = np.repeat(np.arange(starts.size - 1), np.diff(starts)) * width + columns
        order = np.argsort(keys)
        pairs = degrees[:, :, None].astype(np.int64) * width + degrees[:, None, :]
        return order[np.searchsorted(keys, pairs.ravel(), sorter=order)]

    def times(self, weight: Array) -> Stiffness:
        """The matrix with a weight on every own cell, shape (cells,). Collective."""
        self._matrix.data[:] = self._entries @ weight
        self._matrix.scatter_reverse()
        return replace(self._part, entries=self._matrix.data[: self._part.entries.size].copy())


def _of_cells(points: Array) -> Array:
    """Integral of grad phi_i . grad phi_j over every tetrahedron [m], shape (cells, 4, 4), from corners (cells, 4, 3)."""
    edges = points[:, 1:] - points[:, :1]
    gradient = np.empty(points.shape)
    gradient[:, 1:] = np.swapaxes(np.linalg.inv(edges), 1, 2)
    gradient[:, 0] = -gradient[:, 1:].sum(axis=1)
    volume = np.abs(np.linalg.det(edges)) / 6.0
    return np.asarray(gradient @ np.swapaxes(gradient, 1, 2) * volume[:, None, None])
