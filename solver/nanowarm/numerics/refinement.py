"""Uniform refinement of distributed tetrahedra that gives the same cells on any number of ranks.

DOLFINx's own refinement picks the inner diagonal by local numbering, so that results would differ between
rank counts; here the shortest diagonal is taken (Bey 1995, Computing 55:355, discusses the choice).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nanowarm.numerics.stack import basix, dolfinx_mesh

Indices = NDArray[np.int32]
Array = NDArray[np.float64]

TETRAHEDRON = basix.ufl.element("Lagrange", "tetrahedron", 1, shape=(3,))

# Nodes of a refined cell: its vertices 0..3, then the midpoints 4..9 of its edges in DOLFINx's order.
_EDGES = ((2, 3), (1, 3), (1, 2), (0, 3), (0, 2), (0, 1))
_CORNERS = ((0, 9, 8, 7), (1, 9, 6, 5), (2, 8, 6, 4), (3, 7, 5, 4))
_DIAGONALS = (((4, 9), (5, 6, 8, 7)), ((5, 8), (4, 6, 9, 7)), ((6, 7), (4, 5, 9, 8)))  # ends, and the ring around them
_CHILDREN = np.array(
    [_CORNERS + tuple((*ends, ring[i], ring[(i + 1) % 4]) for i in range(4)) for ends, ring in _DIAGONALS]
)  # (diagonal, child, node)
# A metric just off the Euclidean one, so that equal diagonals are told apart by direction.
_METRIC = np.eye(3) + 1e-6 * np.array([[0.0, 1.7, 2.9], [1.7, 3.1, 4.3], [2.9, 4.3, 7.9]])


def _parent_facets() -> NDArray[np.int64]:
    """Facet of the parent that holds each facet of each child, -1 where inside; shape (3, 8, 4)."""
    touched = [1 << vertex for vertex in range(4)] + [(1 << a) | (1 << b) for a, b in _EDGES]
    found = np.full((3, 8, 4), -1)
    for diagonal, child, opposite in np.ndindex(3, 8, 4):
        nodes = np.delete(_CHILDREN[diagonal, child], opposite)
        union = touched[nodes[0]] | touched[nodes[1]] | touched[nodes[2]]
        missing = [vertex for vertex in range(4) if not union & (1 << vertex)]
        found[diagonal, child, opposite] = missing[0] if missing else -1
    return found


_FACETS = _parent_facets()


def refined(domain: dolfinx_mesh.Mesh, region: Indices, tags: Indices) -> tuple[dolfinx_mesh.Mesh, Indices, Indices]:
    """The mesh with every cell divided into eight.

    Args:
        domain: linear tetrahedra.
        region: a number of every local cell, passed on to its children.
        tags: a number of every local facet, -1 for none, passed on to the facets it is divided into.

    Returns:
        The fine mesh and its cells' and facets' numbers.
    """
    topology = domain.topology
    for pair in ((1, 0), (3, 1), (3, 2)):
        topology.create_connectivity(*pair)
    count = topology.index_map(3).size_local
    corner = domain.geometry.x[domain.geometry.dofmaps[0][:count]]
    midpoint = np.stack([0.5 * (corner[:, a] + corner[:, b]) for a, b in _EDGES], axis=1)
    lengths = [_squared_length(midpoint[:, a - 4] - midpoint[:, b - 4]) for (a, b), _ in _DIAGONALS]
    diagonal = np.argmin(lengths, axis=0)
    nodes, points = _nodes(domain, corner, midpoint)
    cells = np.take_along_axis(nodes[:, None, :], _CHILDREN[diagonal], axis=2).reshape(-1, 4)
    facets = topology.connectivity(3, 2).array.reshape(-1, 4)[:count]
    which = _FACETS[diagonal].reshape(count, -1)
    inherited = np.where(which >= 0, np.take_along_axis(tags[facets], np.maximum(which, 0), axis=1), -1).reshape(-1, 4)
    fine = dolfinx_mesh.create_mesh(domain.comm, cells, TETRAHEDRON, points)
    return fine, *_passed_on(fine, np.repeat(region[:count], 8), inherited.astype(np.int32))


def _squared_length(vector: Array) -> Array:
    return np.asarray(np.einsum("ni,ij,nj->n", vector, _METRIC, vector))


def _nodes(domain: dolfinx_mesh.Mesh, corner: Array, midpoint: Array) -> tuple[NDArray[np.int64], Array]:
    """Global numbers (cells, 10) of the nodes of the refined cells, and the coordinates of this rank's own nodes.

    Each rank owns its vertices and the midpoints of its edges, numbered in this order, rank after rank.
    """
    topology, comm = domain.topology, domain.comm
    vertex_map, edge_map = topology.index_map(0), topology.index_map(1)
    counts = np.array(comm.allgather((vertex_map.size_local, edge_map.size_local)))
    ends = np.cumsum(counts, axis=0)
    count = corner.shape[0]
    vertices = topology.connectivity(3, 0).array.reshape(-1, 4)[:count]
    edges = topology.connectivity(3, 1).array.reshape(-1, 6)[:count]
    vertex, edge = (m.local_to_global(np.arange(m.size_local + m.num_ghosts, dtype=np.int32)) for m in (vertex_map, edge_map))
    vertex = vertex + (ends[:, 1] - counts[:, 1])[np.searchsorted(ends[:, 0], vertex, side="right")]
    edge = edge + ends[np.searchsorted(ends[:, 1], edge, side="right"), 0]
    points = np.empty((vertex_map.size_local + edge_map.size_local, 3))
    _own(points[: vertex_map.size_local], vertices, corner)
    _own(points[vertex_map.size_local :], edges, midpoint)
    return np.concatenate((vertex[vertices], edge[edges]), axis=1), points


def _own(points: Array, numbers: Indices, coordinates: Array) -> None:
    """Fill in the coordinates of a rank's own entities from those of the cells around them."""
    mine = numbers < points.shape[0]
    points[numbers[mine]] = coordinates[mine]


def _passed_on(fine: dolfinx_mesh.Mesh, region: Indices, inherited: Indices) -> tuple[Indices, Indices]:
    """Numbers of the fine mesh's cells and facets, from those of the children in the order they were made."""
    topology = fine.topology
    topology.create_entities(2)
    topology.create_connectivity(3, 2)
    topology.create_connectivity(2, 3)
    rows = topology.original_cell_index  # among the children of all ranks, in rank order
    fine_region = np.concatenate(fine.comm.allgather(region))[rows]
    fine_facets = np.concatenate(fine.comm.allgather(inherited))[rows]
    facet_map = topology.index_map(2)
    fine_tags = np.full(facet_map.size_local + facet_map.num_ghosts, -1, dtype=np.int32)
    np.maximum.at(fine_tags, topology.connectivity(3, 2).array, fine_facets.ravel())
    return fine_region, fine_tags
