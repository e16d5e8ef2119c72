"""A serial mesh distributed over the ranks, with named regions and outer surfaces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanowarm.numerics.mesh_checks import RawMesh
from nanowarm.numerics.refinement import TETRAHEDRON, Indices, refined
from nanowarm.numerics.stack import MPI, dolfinx_io, dolfinx_mesh

_NODES, _LABELS = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int32)
_NOTHING = RawMesh(np.empty((0, 3)), _NODES.reshape(0, 4), _LABELS, _NODES.reshape(0, 3), _LABELS, (), ())


@dataclass(frozen=True, eq=False)
class Mesh:
    """Linear tetrahedra on all ranks of a communicator.

    Args:
        domain: the DOLFINx mesh; coordinates in metres.
        cell_region: index into `region_names` of every local cell, ghosts included.
        facets: local exterior facets of each named outer surface.
        region_names: the volumes.
    """

    domain: dolfinx_mesh.Mesh
    cell_region: Indices
    facets: dict[str, Indices]
    region_names: tuple[str, ...]

    @property
    def comm(self) -> MPI.Intracomm:
        """The communicator."""
        return self.domain.comm

    def cell_count(self) -> int:
        """Tetrahedra on all ranks."""
        return int(self.domain.topology.index_map(3).size_global)

    def cells(self, region: str) -> Indices:
        """Owned cells of a region."""
        owned = self.domain.topology.index_map(3).size_local
        return np.flatnonzero(self.cell_region[:owned] == self.region_names.index(region)).astype(np.int32)


def distribute(raw: RawMesh | None, comm: MPI.Intracomm, refine: int = 0) -> Mesh:
    """A mesh spread over the ranks, then refined uniformly.

    Args:
        raw: the serial mesh on rank 0; not looked at on other ranks.
        comm: communicator.
        refine: how often each tetrahedron is divided into eight.
    """
    mine = raw if raw is not None and comm.rank == 0 else _NOTHING
    domain = dolfinx_mesh.create_mesh(comm, mine.cells, TETRAHEDRON, mine.points)
    names = comm.bcast((mine.region_names, mine.surface_names))
    region = comm.bcast(mine.cell_region)[domain.topology.original_cell_index]
    tags = _facet_surfaces(domain, mine.facets, mine.facet_surface)
    for _ in range(refine):
        domain, region, tags = refined(domain, region, tags)
    return Mesh(domain, region, _outer(domain, tags, names[1]), names[0])


def _facet_surfaces(domain: dolfinx_mesh.Mesh, triangles: NDArray[np.int64], surface: Indices) -> Indices:
    """Index of the surface of every local facet, -1 where none, from triangles in the numbering of the file."""
    topology = domain.topology
    topology.create_entities(2)
    topology.create_connectivity(2, 3)
    vertices, values = dolfinx_io.distribute_entity_data(domain, 2, triangles, surface)
    topology.create_connectivity(0, 2)
    facet_map = topology.index_map(2)
    tags = np.full(facet_map.size_local + facet_map.num_ghosts, -1, dtype=np.int32)
    if vertices.shape[0]:
        facets_of = topology.connectivity(2, 0).array.reshape(-1, 3)
        tags[_rows(np.sort(facets_of, axis=1), np.sort(vertices, axis=1))] = values
    return tags


def _rows(table: NDArray[np.int32], wanted: NDArray[np.int32]) -> NDArray[np.int64]:
    """Row of `table` that equals each row of `wanted`; all are there."""
    order = np.lexsort(table.T[::-1])
    as_key = np.dtype([("a", np.int32), ("b", np.int32), ("c", np.int32)])
    keys = np.ascontiguousarray(table[order], dtype=np.int32).view(as_key).ravel()
    return order[np.searchsorted(keys, np.ascontiguousarray(wanted, dtype=np.int32).view(as_key).ravel())]


def _outer(domain: dolfinx_mesh.Mesh, tags: Indices, names: tuple[str, ...]) -> dict[str, Indices]:
    """Local exterior facets of each named surface that has any on some rank."""
    exterior = dolfinx_mesh.exterior_facet_indices(domain.topology)
    found = {name: exterior[tags[exterior] == number] for number, name in enumerate(names)}
    counts = domain.comm.allreduce(np.array([facets.size for facets in found.values()]))
    return {name: facets for (name, facets), count in zip(found.items(), counts, strict=True) if count}
