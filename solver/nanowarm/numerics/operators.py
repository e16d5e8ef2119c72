"""Integrals over regions and surfaces, assembled once: everything the heat equation needs of the mesh."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanowarm.numerics.mesh import Mesh
from nanowarm.numerics.refinement import Indices
from nanowarm.numerics.stack import MPI, PETSc, dolfinx, fem, la, ufl

Array = NDArray[np.float64]


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


@dataclass(frozen=True, eq=False)
class Operators:
    """The assembled integrals, by region and by surface.

    Args:
        layout: nodes of this rank.
        position: coordinates [m], shape (owned, 3).
        stiffness: K_r of each region.
        mass: m_ir [m3] of each region, shape (total,).
        surface_nodes: own nodes of each outer surface.
        surface_area: a_is [m2] at these nodes.
        space: the DOLFINx space of the nodes.
    """

    mesh: Mesh
    layout: Layout
    position: Array
    stiffness: dict[str, Stiffness]
    mass: dict[str, Array]
    surface_nodes: dict[str, NDArray[np.int64]]
    surface_area: dict[str, Array]
    space: fem.FunctionSpace

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
    return Operators(mesh, layout, position, stiffness, mass, nodes, areas, space)


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
