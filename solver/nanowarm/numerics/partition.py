"""A serial mesh divided between ranks: boxes that hold equal numbers of nodes, and what each rank gets of it.

Boxes need neither the graph of the cells nor a copy of the mesh on every rank. Nodes are counted, not cells, because nearly
all the work of a step is done by node.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanowarm.meshing.mesh_checks import RawMesh

Array = NDArray[np.float64]
Numbers = NDArray[np.int32]

# Cuts are a little oblique, so that the nodes of a lattice, of which many lie in one plane, are divided in order.
_OBLIQUE = np.array([1.0, 1.1e-3, 2.3e-5])
_AT_ONCE = 1 << 18  # cells looked at together, to bound the memory


@dataclass(frozen=True, eq=False)
class Piece:
    """What one rank gets of a mesh.

    Args:
        cells: local nodes of its cells, shape (cells, 4).
        region: of each of its cells.
        surface: of the facet opposite to each of their corners, shape (cells, 4).
        points: coordinates of its nodes, own ones first [m], shape (nodes, 3).
        ghosts: numbers, counted through the own nodes of all ranks, of the nodes that others own.
        owners: their ranks.
    """

    cells: Numbers
    region: Numbers
    surface: Numbers
    points: Array
    ghosts: NDArray[np.int64]
    owners: Numbers

    def owned(self) -> int:
        """How many nodes are its own."""
        return len(self.points) - len(self.ghosts)


@dataclass(frozen=True, eq=False)
class Division:
    """Who owns what.

    Args:
        node: rank of each node, shape (nodes,).
        cell: rank of each cell, shape (cells,).
    """

    node: Numbers
    cell: Numbers


def divided(points: Array, cells: NDArray[np.integer], count: int) -> Division:
    """The division of a mesh; every node belongs to a rank with a cell around it.

    Args:
        points: coordinates [m], shape (nodes, 3).
        cells: nodes of each tetrahedron, shape (cells, 4).
        count: number of ranks.
    """
    node = boxes(points, count)
    cell = np.empty(len(cells), np.int32)
    touched = np.zeros(len(points), bool)
    for start in range(0, len(cells), _AT_ONCE):
        some = cells[start : start + _AT_ONCE]
        ranks = node[some]
        # the rank of most corners; of two and two the lower and the higher in turn, so that neither gets all
        which = 1 + some.min(axis=1) % 2
        mine = np.take_along_axis(np.sort(ranks, axis=1), which[:, None], axis=1)
        cell[start : start + _AT_ONCE] = mine[:, 0]
        touched[some[ranks == mine]] = True
    for start in range(0, len(cells), _AT_ONCE):
        some, ranks = cells[start : start + _AT_ONCE], cell[start : start + _AT_ONCE]
        row, corner = np.nonzero(~touched[some])
        node[some[row, corner]] = ranks[row]
    return Division(node, cell)


def divided_by_cells(points: Array, cells: NDArray[np.integer], count: int) -> Division:
    """The division of a mesh that will be refined: every cell gets the same number of children, so cells are counted here.

    Args:
        points, cells, count: as of `divided`.
    """
    cell = boxes(sum(points[cells[:, corner]] for corner in range(4)) * 0.25, count)
    node = np.empty(len(points), np.int32)
    for corner in range(4):
        node[cells[:, corner]] = cell
    return Division(node, cell)


def boxes(points: Array, count: int) -> Numbers:
    """The box of each point: space is cut in two across its longest side again and again, shape (points,).

    Source: Berger & Bokhari (1987), IEEE Trans. Comput. C-36:570 (recursive coordinate bisection).

    Args:
        points: coordinates [m], shape (points, 3).
        count: number of boxes; their numbers of points differ by two at most.
    """
    box = np.zeros(len(points), np.int32)
    left_over = [(np.arange(len(points), dtype=np.int32), 0, count)]
    while left_over:
        rows, first, parts = left_over.pop()
        if parts == 1 or not len(rows):
            box[rows] = first
            continue
        inside = points[rows]
        axis = int(np.argmax(np.ptp(inside, axis=0)))
        half = parts // 2
        middle = len(rows) * half // parts
        order = np.argpartition(inside @ np.roll(_OBLIQUE, axis), middle)
        left_over += [(rows[order[:middle]], first, half), (rows[order[middle:]], first + half, parts - half)]
    return box


def whole(mesh: RawMesh, surface: Numbers) -> Piece:
    """All of a mesh as the piece of one rank; `surface` as of `Piece`."""
    cells, nobody = mesh.cells.astype(np.int32), np.empty(0, np.int32)
    return Piece(cells, mesh.cell_region, surface, mesh.points, nobody.astype(np.int64), nobody)


def pieces(mesh: RawMesh, surface: Numbers, division: Division, count: int) -> Iterator[Piece]:
    """What each rank gets, the last rank first.

    Args:
        mesh: the serial mesh.
        surface: of the facet opposite to each corner of every cell, shape (cells, 4).
        division: who owns what of it.
        count: number of ranks.
    """
    nodes, starts = _by_rank(division.node, count)
    number = np.empty(len(nodes), np.int32)
    number[nodes] = np.arange(len(nodes), dtype=np.int32)
    rows, ends = _by_rank(division.cell, count)
    for rank in range(count - 1, -1, -1):
        mine, begin, end = rows[ends[rank] : ends[rank + 1]], starts[rank], starts[rank + 1]
        cells = np.empty((len(mine), 4), np.int32)
        for start in range(0, len(mine), _AT_ONCE):
            cells[start : start + _AT_ONCE] = number[mesh.cells[mine[start : start + _AT_ONCE]]]
        foreign = (cells < begin) | (cells >= end)
        ghosts, place = np.unique(cells[foreign], return_inverse=True)
        cells -= begin
        cells[foreign] = end - begin + place
        points = mesh.points[nodes[np.concatenate((np.arange(begin, end), ghosts))]]
        owners = np.searchsorted(starts, ghosts, side="right").astype(np.int32) - 1
        yield Piece(cells, mesh.cell_region[mine], surface[mine], points, ghosts.astype(np.int64), owners)


def _by_rank(rank: Numbers, count: int) -> tuple[Numbers, Numbers]:
    """Rows in the order of their ranks, and where those of each begin, shape (count + 1,)."""
    starts = np.concatenate(([0], np.cumsum(np.bincount(rank, minlength=count))))
    return np.argsort(rank, kind="stable").astype(np.int32), starts.astype(np.int32)
