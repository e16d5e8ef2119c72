"""Rows of all ranks in the order of a file, without any rank holding them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanowarm.numerics.places import matched
from nanowarm.numerics.ranks import on_first, received_array, send_array
from nanowarm.numerics.stack import MPI

Array = NDArray[np.float64]
Rows = NDArray[np.int64]

AT_ONCE = 1 << 18  # rows of a file read together

_END = np.empty(0)  # is sent after the last part

Slabs = Iterator[NDArray[Any]]


class FileOrder:
    """The order of a file: each rank gives its rows, and gets the slab of the file that it has to hand in.

    Args:
        comm: communicator.
        place: row in the file of each row of this rank; every row of the file is given once.
    """

    def __init__(self, comm: MPI.Intracomm, place: Rows) -> None:
        self._comm = comm
        edges = np.linspace(0, comm.allreduce(place.size), comm.size + 1).astype(np.int64)
        to = np.searchsorted(edges, place, side="right") - 1
        self._order = np.argsort(to, kind="stable")
        self._sent = np.bincount(to, minlength=comm.size)
        self._got = np.array(comm.alltoall(self._sent.tolist()), dtype=np.int64)
        self._sorted = np.argsort(self._exchanged(place), kind="stable")

    def slab(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Rows of this rank's slab of the file, in its order; collective."""
        return self._exchanged(rows)[self._sorted]

    def _exchanged(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Rows that all ranks have for the slab of this one."""
        got = np.empty(int(self._got.sum()), rows.dtype)
        self._comm.Alltoallv([np.ascontiguousarray(rows[self._order]), self._sent], [got, self._got])
        return got


class AsGiven:
    """The order of a file in which the ranks' rows follow each other."""

    def slab(self, rows: NDArray[Any]) -> NDArray[Any]:
        """The rows themselves."""
        return rows


def order_in_file(comm: MPI.Intracomm, known: Callable[[slice], Array], ours: Array) -> FileOrder | AsGiven | None:
    """In which order the points of all ranks stand in a file; None if it holds others. Collective.

    Args:
        comm: communicator.
        known: reads points of the file, on the first rank; there are as many as on all ranks.
        ours: points of this rank, shape (rows, 3).
    """
    first = comm.exscan(len(ours)) or 0
    total = comm.allreduce(len(ours))
    same, place = True, np.full(len(ours), -1, np.int64)
    for start, block in _blocks(comm, known, total):
        low, high = max(start, first), min(start + len(block), first + len(ours))
        same = same and (low >= high or np.array_equal(block[low - start : high - start], ours[low - first : high - first]))
    if comm.allreduce(same, op=MPI.LAND):
        return AsGiven()
    for start, block in _blocks(comm, known, total):
        there, here = matched(block, ours)
        place[here] = start + there
    found = comm.allreduce(bool((place >= 0).all()), op=MPI.LAND)
    return FileOrder(comm, place) if found else None


def _blocks(comm: MPI.Intracomm, known: Callable[[slice], Array], total: int) -> Iterator[tuple[int, Array]]:
    """Points of a file on every rank, part by part, and where each part begins."""
    for start in range(0, total, AT_ONCE):
        yield start, on_first(comm, lambda start=start: known(slice(start, start + AT_ONCE)))  # type: ignore[misc]


def blocks(rows: NDArray[Any]) -> Slabs:
    """Rows, some at a time; none for no rows."""
    for start in range(0, len(rows), AT_ONCE):
        yield rows[start : start + AT_ONCE]


def write_on_first(comm: MPI.Intracomm, arrays: Sequence[Slabs], work: Callable[[list[Slabs]], None]) -> None:
    """Let the first rank write arrays, of which it gets some rows at a time. Collective.

    Args:
        comm: communicator.
        arrays: this rank's rows of each, in parts that are not empty; the same number of arrays on every rank.
        work: is given the parts of each array, rank by rank, and takes the arrays in order.

    Raises:
        Exception: what `work` raises, on every rank.
    """
    every = [_parts(array, comm) for array in arrays]

    def carry_out() -> None:
        """The work; the other ranks wait until what they have sent is taken, even if it fails."""
        try:
            work(every)
        finally:
            for rest in every:
                for _ in rest:
                    pass

    if comm.rank != 0:
        for array in arrays:
            for part in array:
                send_array(part, comm, 0)
            send_array(_END, comm, 0)
    on_first(comm, carry_out)


def _parts(own: Slabs, comm: MPI.Intracomm) -> Slabs:
    """Parts of one rank after the other, on the first one."""
    yield from own
    for rank in range(1, comm.size):
        while len(part := received_array(comm, rank)):
            yield part
