"""Uniform refinement of distributed tetrahedra that gives the same cells on any number of ranks.

DOLFINx's own refinement picks the inner diagonal by local numbering, so that results would differ between
rank counts; here the shortest diagonal is taken (Bey 1995, Computing 55:355, discusses the choice).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nanowarm.numerics.stack import MPI, basix, dolfinx, dolfinx_mesh, fem, la, ufl

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
_TAG = 1203  # of the messages between ranks that share nodes
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


def domain_of(nodes: dolfinx.common.IndexMap, cells: Indices, points: Array) -> dolfinx_mesh.Mesh:
    """The DOLFINx mesh of cells that stay on their rank, nothing reordered.

    Args:
        nodes: own nodes of this rank, then those of its cells that others own.
        cells: local nodes of each own cell, shape (cells, 4).
        points: coordinates of all local nodes [m], shape (nodes, 3).
    """
    kind = dolfinx_mesh.CellType.tetrahedron
    cells = np.ascontiguousarray(cells, np.int32)
    owned = dolfinx.common.IndexMap(nodes.comm, len(cells))
    number = np.arange(*owned.local_range, dtype=np.int64)
    rows = dolfinx.graph.adjacencylist(cells)._cpp_object
    topology = dolfinx.cpp.mesh.Topology(kind, nodes, owned, rows, number)
    every = nodes.local_to_global(np.arange(len(points), dtype=np.int32))
    element = fem.coordinate_element(kind, 1)._cpp_object
    geometry = dolfinx.cpp.mesh.Geometry_float64(nodes, cells, element, np.ascontiguousarray(points), every)
    return dolfinx_mesh.Mesh(dolfinx.cpp.mesh.Mesh_float64(nodes.comm, topology, geometry), ufl.Mesh(TETRAHEDRON))


def refined(domain: dolfinx_mesh.Mesh, region: Indices, surface: Indices) -> tuple[dolfinx_mesh.Mesh, Indices, Indices]:
    """The mesh with every cell divided into eight, each on the rank of its parent.

    Args:
        domain: linear tetrahedra.
        region: a number of every own cell, passed on to its children.
        surface: a number of the facet opposite to each corner of every own cell, -1 for none, passed on to the
            facets it is divided into, shape (cells, 4).

    Returns:
        The fine mesh, and its cells' and facets' numbers.
    """
    corner = domain.geometry.x[domain.geometry.dofmaps[0]]
    midpoint = np.stack([0.5 * (corner[:, a] + corner[:, b]) for a, b in _EDGES], axis=1)
    lengths = [_squared_length(midpoint[:, a - 4] - midpoint[:, b - 4]) for (a, b), _ in _DIAGONALS]
    diagonal = np.argmin(lengths, axis=0).astype(np.int8)
    nodes, number = _nodes(domain)
    points = np.empty((nodes.size_local + nodes.num_ghosts, 3))
    points[number[:, :4]], points[number[:, 4:]] = corner, midpoint
    cells = np.take_along_axis(number[:, None, :], _CHILDREN[diagonal], axis=2).reshape(-1, 4)
    which = _FACETS[diagonal].reshape(len(number), 8 * 4)
    inherited = np.where(which >= 0, np.take_along_axis(surface, np.maximum(which, 0), axis=1), -1)
    return domain_of(nodes, cells, points), np.repeat(region, 8), inherited.reshape(-1, 4).astype(np.int32)


def _squared_length(vector: Array) -> Array:
    return np.asarray(np.einsum("ni,ij,nj->n", vector, _METRIC, vector))


def _nodes(domain: dolfinx_mesh.Mesh) -> tuple[dolfinx.common.IndexMap, Indices]:
    """Nodes of the refined mesh, and local numbers of those of each own cell: its vertices, then the midpoints of its edges.

    Each rank owns the midpoints of its edges. A midpoint is numbered between the ends of its edge, so that nodes that
    are near each other stay so in memory.
    """
    topology = domain.topology
    for pair in ((1, 0), (3, 1)):
        topology.create_connectivity(*pair)
    maps = (topology.index_map(0), topology.index_map(1))
    ends = topology.connectivity(1, 0).array.reshape(-1, 2)
    count = [entities.size_local for entities in maps]
    place = np.concatenate((np.arange(count[0], dtype=float), ends[: count[1]].mean(axis=1)))
    nodes, numbers = in_new_order(domain.comm, maps, np.argsort(place, kind="stable"))
    vertices = numbers[0][topology.connectivity(3, 0).array.reshape(-1, 4)]
    edges = numbers[1][topology.connectivity(3, 1).array.reshape(-1, 6)]
    return nodes, np.concatenate((vertices, edges), axis=1)


def in_new_order(
    comm: MPI.Intracomm, maps: Sequence[dolfinx.common.IndexMap], order: NDArray[np.integer]
) -> tuple[dolfinx.common.IndexMap, list[Indices]]:
    """One numbering for several kinds of entities, each of which stays with its owner.

    Args:
        comm: communicator.
        maps: of each kind.
        order: this rank's own entities, counted through all kinds, in the new order.

    Returns:
        Its map, and the new local number of each local entity of each kind.
    """
    counts = [entities.size_local for entities in maps]
    local = np.empty(sum(counts), np.int32)
    local[order] = np.arange(sum(counts), dtype=np.int32)
    own = np.split(local, np.cumsum(counts)[:-1])
    first = comm.exscan(sum(counts)) or 0
    ghosts = [_of_ghosts(entities, first + numbers) for entities, numbers in zip(maps, own, strict=True)]
    owners = np.concatenate([entities.owners for entities in maps]).astype(np.int32)
    nodes = dolfinx.common.IndexMap(comm, sum(counts), np.concatenate(ghosts), owners, _TAG)
    beyond = np.split(sum(counts) + np.arange(len(owners), dtype=np.int32), np.cumsum([g.size for g in ghosts])[:-1])
    return nodes, [np.concatenate(parts) for parts in zip(own, beyond, strict=True)]


def _of_ghosts(entities: dolfinx.common.IndexMap, own: NDArray[np.integer]) -> NDArray[np.int64]:
    """Values of the entities that other ranks own, from the values of each rank's own."""
    values = la.vector(entities, dtype=np.int64)
    values.array[: entities.size_local] = own
    values.scatter_forward()
    return values.array[entities.size_local :].copy()
