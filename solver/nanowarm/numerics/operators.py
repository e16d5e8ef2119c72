"""Integrals over regions and surfaces, assembled once: everything the heat equation needs of the mesh."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from nanowarm.numerics.mesh import Mesh
from nanowarm.numerics.refinement import Indices
from nanowarm.numerics.stack import MPI, PETSc, dolfinx, fem, la, ufl
from nanowarm.numerics.weighted_stiffness import WeightedStiffness

Array = NDArray[np.float64]
Around = tuple[NDArray[np.int64], Array]  # global nodes around a point, and their weights

CHUNK = 100_000  # cells looked at together; a tree over all cells would take more memory than the solver
INSIDE = 1e-9  # relative to a cell, by which a point on the surface may miss it


class Layout:
    """Which nodes a rank holds: its own first, then copies of those of its neighbours.

    Args:
        index_map: nodes in the columns of all operators.
    """

    def __init__(self, index_map: dolfinx.common.IndexMap, comm: MPI.Intracomm) -> None:
        self.index_map = index_map
        self.comm = comm
        self.owned: int = index_map.size_local
        self.total: int = index_map.size_local + index_map.num_ghosts
        self._vector = la.vector(index_map)
        self.values: Array = self._vector.array

    def filled(self, owned: Array) -> Array:
        """Values at own nodes, completed by those of the neighbours, shape (total,)."""
        self.values[: self.owned] = owned
        self.exchange()
        return self.values.copy()

    def exchange(self) -> None:
        """Complete `values` by those of the neighbours."""
        self._vector.scatter_forward()


@dataclass(frozen=True, eq=False)
class Stiffness:
    """K_r of one region in rows of compressed columns.

    Args:
        starts: first entry of each own node's row, shape (owned + 1,).
        columns: local node of each entry.
        entries: integral of grad phi_i . grad phi_j over the region [m].
    """

    starts: Indices
    columns: Indices
    entries: Array


class Weighted(Protocol):
    """Stiffness of a region with a weight on every cell.

    Args:
        corners: nodes of this rank of each own cell of the region, shape (cells, corners of a cell).
    """

    corners: NDArray[np.int32]

    def times(self, weight: Array) -> Stiffness:
        """The matrix with a weight on every own cell, shape (cells,). Collective."""


@dataclass(frozen=True, eq=False)
class Integrals(ABC):
    """The integrals over a body, by region and by surface: all that the heat equation knows of it.

    Args:
        layout: nodes of this rank.
        position: coordinates [m], shape (owned, 3).
        stiffness: K_r of each region.
        mass: m_ir [m3] of each region, shape (total,).
        surface_nodes: own nodes of each outer surface.
        surface_area: a_is [m2] at these nodes.
    """

    layout: Layout
    position: Array
    stiffness: dict[str, Stiffness]
    mass: dict[str, Array]
    surface_nodes: dict[str, NDArray[np.int64]]
    surface_area: dict[str, Array]

    @abstractmethod
    def cell_count(self) -> int:
        """Cells on all ranks."""

    @abstractmethod
    def weighted(self, region: str) -> Weighted:
        """K_r of one region, to be weighted by cells."""

    @abstractmethod
    def around(self, point: Array) -> Around | None:
        """Global nodes that the temperature at a point [m] follows from; None where this rank does not hold it."""

    @abstractmethod
    def sampled(self, pattern: Callable[[Array], Array]) -> Array:
        """A field's pattern over points [m], as own nodes feel it, shape (owned,)."""

    def on_mesh(self) -> Operators:
        """The same with its mesh, for what needs cells.

        Raises:
            ValueError: there is none; what needs it is never asked of a model.
        """
        raise ValueError("a model has no cells")


@dataclass(frozen=True, eq=False)
class Operators(Integrals):
    """The assembled integrals over a mesh.

    Args:
        mesh: that they are over.
        space: the DOLFINx space of the nodes.
    """

    mesh: Mesh
    space: fem.FunctionSpace

    def cell_count(self) -> int:
        """Tetrahedra on all ranks."""
        return self.mesh.cell_count()

    def weighted(self, region: str) -> Weighted:
        """K_r of one region, to be weighted by tetrahedra."""
        return WeightedStiffness(self, region)

    def sampled(self, pattern: Callable[[Array], Array]) -> Array:
        """A field's pattern at own nodes, shape (owned,)."""
        return pattern(self.position)

    def on_mesh(self) -> Operators:
        """Itself."""
        return self

    def around(self, point: Array) -> Around | None:
        """Global nodes of an own cell that holds a point [m], and the point's barycentric coordinates in it."""
        cells = self.space.dofmap.list[: self.mesh.domain.topology.index_map(3).size_local]
        coordinates = self.space.tabulate_dof_coordinates()
        for start in range(0, len(cells), CHUNK):
            # by one coordinate first, which leaves few cells to look at
            along = coordinates[cells[start : start + CHUNK], 0]
            slack = INSIDE * np.ptp(along, axis=1)
            row = np.flatnonzero((along.min(axis=1) - slack <= point[0]) & (point[0] <= along.max(axis=1) + slack))
            corners = coordinates[cells[start + row]]
            slack = INSIDE * np.ptp(corners, axis=1)
            near = ((corners.min(axis=1) - slack <= point) & (point <= corners.max(axis=1) + slack)).all(axis=1)
            for cell in row[near]:
                weights = np.linalg.solve(np.vstack((coordinates[cells[start + cell]].T, np.ones(4))), np.append(point, 1.0))
                if weights.min() >= -INSIDE:
                    return self.space.dofmap.index_map.local_to_global(cells[start + cell]), weights
        return None

    def on_space(self, owned: Array) -> Array:
        """Values at own nodes completed by those at copies, in the numbering of `space`."""
        vector = la.vector(self.space.dofmap.index_map)
        vector.array[: self.layout.owned] = owned
        vector.scatter_forward()
        return vector.array


def assemble(mesh: Mesh) -> Operators:
    """The integrals of a mesh: stiffness and lumped volume of each region, lumped area of each surface."""
    space = fem.functionspace(mesh.domain, ("Lagrange", 1))
    u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
    diffusion = ufl.inner(ufl.grad(u), ufl.grad(v))
    matrices = {}
    for region in mesh.region_names:
        matrices[region] = fem.assemble_matrix(_over_cells(diffusion, mesh, mesh.cells(region)))
        matrices[region].scatter_reverse()
    layout = Layout(_union_of_columns(space, matrices), mesh.comm)
    stiffness = {region: _own_rows(matrices.pop(region), layout) for region in mesh.region_names}
    mass = {}
    for region in mesh.region_names:
        mass[region] = layout.filled(_lumped(_over_cells(v, mesh, mesh.cells(region)))[: layout.owned])
    nodes, areas = {}, {}
    for name in mesh.surface_names:
        area = _lumped_area(space, mesh, name)[: layout.owned]
        nodes[name] = np.flatnonzero(area)
        areas[name] = area[nodes[name]]
    position = space.tabulate_dof_coordinates()[: layout.owned].copy()
    return Operators(layout, position, stiffness, mass, nodes, areas, mesh, space)


def _over_cells(integrand: ufl.core.expr.Expr, mesh: Mesh, cells: Indices) -> fem.Form:
    """The form of an integral over some cells; every region uses the same compiled code."""
    return fem.form(integrand * ufl.Measure("dx", domain=mesh.domain, subdomain_data=[(0, cells)])(0))


def _lumped(form: fem.Form) -> Array:
    """Row sums of a mass matrix: the integral of every node's shape function."""
    vector = fem.assemble_vector(form)
    vector.scatter_reverse(la.InsertMode.add)
    return vector.array


def _lumped_area(space: fem.FunctionSpace, mesh: Mesh, surface: str) -> Array:
    """A third of the area of each facet of a surface at each of its three corners, summed."""
    cells, opposite = mesh.facets(surface)
    corner = mesh.domain.geometry.x[mesh.domain.geometry.dofmaps[0][cells[:, None], opposite]]
    normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    vector = la.vector(space.dofmap.index_map)
    np.add.at(vector.array, space.dofmap.list[cells[:, None], opposite], np.linalg.norm(normal, axis=1)[:, None] / 6.0)
    vector.scatter_reverse(la.InsertMode.add)
    return vector.array


def _union_of_columns(space: fem.FunctionSpace, matrices: dict[str, la.MatrixCSR]) -> dolfinx.common.IndexMap:
    """The nodes that any matrix of this rank reaches, own ones first."""
    rows = space.dofmap.index_map
    maps = [rows] + [matrix.index_map(1) for matrix in matrices.values()]
    ghosts, first = np.unique(np.concatenate([m.ghosts for m in maps]), return_index=True)
    owners = np.concatenate([m.owners for m in maps])[first]
    return dolfinx.common.IndexMap(space.mesh.comm, rows.size_local, ghosts, owners, 1202)


def _own_rows(matrix: la.MatrixCSR, layout: Layout) -> Stiffness:
    """The rows of a rank's own nodes, with columns in the numbering of the layout."""
    starts = matrix.indptr[: layout.owned + 1].astype(np.int32)
    columns = matrix.indices[: starts[-1]]
    if layout.comm.size > 1:
        column_map = matrix.index_map(1)
        here = column_map.local_to_global(np.arange(column_map.size_local + column_map.num_ghosts, dtype=np.int32))
        columns = layout.index_map.global_to_local(here)[columns]
    return Stiffness(starts, columns.astype(np.int32), matrix.data[: starts[-1]].copy())


def row_product(stiffness: list[Stiffness], row_weight: Array, total: int) -> PETSc.Mat:
    """Sum of stiffness matrices, each row times a weight, ready for products on one rank.

    Args:
        stiffness: of regions that share a medium.
        row_weight: shape (owned,).
        total: number of columns.
    """
    size = row_weight.size, total
    parts = [(part.starts, part.columns, part.entries) for part in stiffness]
    summed, *others = (PETSc.Mat().createAIJ(size=size, csr=csr, comm=MPI.COMM_SELF) for csr in parts)
    for other in others:
        summed.axpy(1.0, other)
        other.destroy()
    weight = PETSc.Vec().createWithArray(row_weight, comm=MPI.COMM_SELF)
    summed.diagonalScale(L=weight)
    weight.destroy()
    return summed
