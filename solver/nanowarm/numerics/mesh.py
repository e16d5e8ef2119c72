"""A serial mesh distributed over the ranks, with named regions and outer surfaces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanowarm.meshing.mesh_checks import FACETS, RawMesh, facet_keys
from nanowarm.meshing.ordering import node_order
from nanowarm.numerics.refinement import TETRAHEDRON, Indices, domain_of, in_new_order, refined
from nanowarm.numerics.stack import MPI, dolfinx, dolfinx_mesh

_NODES, _LABELS = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int32)
_NOTHING = RawMesh(np.empty((0, 3)), _NODES.reshape(0, 4), _LABELS, _NODES.reshape(0, 3), _LABELS, (), ())


@dataclass(frozen=True, eq=False)
class Mesh:
    """Linear tetrahedra on all ranks of a communicator.

    Args:
        domain: the DOLFINx mesh; coordinates in metres.
        cell_region: index into `region_names` of every own cell.
        cell_surface: index into `surface_names` of the facet opposite to each corner of every own cell, -1 where it
            lies inside, shape (cells, 4).
        region_names: the volumes.
        surface_names: the outer surfaces.
    """

    domain: dolfinx_mesh.Mesh
    cell_region: Indices
    cell_surface: Indices
    region_names: tuple[str, ...]
    surface_names: tuple[str, ...]

    @property
    def comm(self) -> MPI.Intracomm:
        """The communicator."""
        return self.domain.comm

    def cell_count(self) -> int:
        """Tetrahedra on all ranks."""
        return int(self.domain.topology.index_map(3).size_global)

    def cells(self, region: str) -> Indices:
        """Own cells of a region."""
        return np.flatnonzero(self.cell_region == self.region_names.index(region)).astype(np.int32)

    def facets(self, surface: str) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
        """Own cell of each facet of a surface, and the three corners of that cell on it, shapes (facets,) and (facets, 3)."""
        cells, opposite = np.nonzero(self.cell_surface == self.surface_names.index(surface))
        return cells, FACETS[opposite]


def distribute(raw: RawMesh | None, comm: MPI.Intracomm, refine: int = 0) -> Mesh:
    """A mesh spread over the ranks, then refined uniformly.

    Args:
        raw: the serial mesh on rank 0; not looked at on other ranks.
        comm: communicator.
        refine: how often each tetrahedron is divided into eight.
    """
    mine = raw if raw is not None and comm.rank == 0 else _NOTHING
    regions, surfaces = comm.bcast((mine.region_names, mine.surface_names))
    if comm.size == 1:
        nodes = dolfinx.common.IndexMap(comm, len(mine.points))
        domain, region, surface = domain_of(nodes, mine.cells.astype(np.int32), mine.points), mine.cell_region, _outer(mine)
    else:
        domain, here = _shared(mine, comm)
        region, surface = _sent(mine.cell_region, comm)[here], _sent(_outer(mine), comm)[here]
    for _ in range(refine):
        domain, region, surface = refined(domain, region, surface)
    return _with_outer_names(domain, region, surface, (regions, surfaces))


def _shared(raw: RawMesh, comm: MPI.Intracomm) -> tuple[dolfinx_mesh.Mesh, NDArray[np.int64]]:
    """The mesh divided between the ranks, and which of its cells each own cell is."""
    domain = dolfinx_mesh.create_mesh(comm, raw.cells, TETRAHEDRON, raw.points)
    topology, geometry = domain.topology, domain.geometry
    vertices = topology.connectivity(3, 0).array.reshape(-1, 4)
    held = topology.index_map(0)
    inside = vertices[(vertices < held.size_local).all(axis=1)]
    order = node_order(inside, held.size_local) if held.size_local else np.empty(0, np.int32)  # a rank may have no node
    nodes, (number,) = in_new_order(comm, [held], order)
    points = np.empty((len(number), 3))
    points[number[vertices]] = geometry.x[geometry.dofmaps[0]]
    cells = number[vertices]
    rows = np.argsort(cells.min(axis=1), kind="stable")
    return domain_of(nodes, cells[rows], points), topology.original_cell_index[rows]


def _sent(array: Indices, comm: MPI.Intracomm) -> Indices:
    """The first rank's array, on all."""
    shape, kind = comm.bcast((array.shape, array.dtype))
    received = array if comm.rank == 0 else np.empty(shape, kind)
    comm.Bcast(np.ascontiguousarray(received) if comm.rank == 0 else received)
    return received


def _outer(raw: RawMesh) -> Indices:
    """Surface of the facet opposite to each corner of every cell, -1 where it has none or lies inside, shape (cells, 4)."""
    surface = np.full(raw.cells.shape, -1, np.int32)
    named = np.zeros(len(raw.points), bool)
    named[raw.facets] = True
    near = named[raw.cells]
    # A facet can be in a surface only where its three corners are on one.
    cells, opposite = np.nonzero((near.sum(axis=1)[:, None] - near) == 3)
    keys = facet_keys(raw.cells[cells[:, None], FACETS[opposite]], len(raw.points))
    _, run, times = np.unique(keys, return_inverse=True, return_counts=True)
    outside = times[run.ravel()] == 1
    known = facet_keys(raw.facets, len(raw.points))
    order = np.argsort(known)
    place = order[np.minimum(np.searchsorted(known, keys, sorter=order), max(len(known) - 1, 0))] if len(known) else order
    found = outside & (known[place] == keys) if len(known) else outside[:0]
    surface[cells[found], opposite[found]] = raw.facet_surface[place[found]]
    return surface


def _with_outer_names(
    domain: dolfinx_mesh.Mesh, region: Indices, surface: Indices, names: tuple[tuple[str, ...], tuple[str, ...]]
) -> Mesh:
    """The mesh with only those surfaces that lie outside somewhere, on any rank."""
    used = domain.comm.allreduce(np.bincount(surface[surface >= 0], minlength=len(names[1]))) > 0
    number = np.append(np.where(used, np.cumsum(used) - 1, -1), -1).astype(np.int32)  # the last entry is that of -1
    outer = tuple(name for name, some in zip(names[1], used, strict=True) if some)
    return Mesh(domain, np.ascontiguousarray(region), number[surface], names[0], outer)
