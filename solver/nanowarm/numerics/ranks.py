"""Work that one rank does for all, and faults that all ranks must hear of."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from nanowarm.numerics.stack import MPI

Result = TypeVar("Result")
Array = NDArray[np.float64]


def on_first[Result](comm: MPI.Intracomm, work: Callable[[], Result]) -> Result:
    """Result of some work that rank 0 does, on every rank; what it raises is raised on every rank."""
    result: Result | None = None
    fault: BaseException | None = None
    if comm.rank == 0:
        try:
            result = work()
        except Exception as error:
            fault = error
    result, fault = comm.bcast((result, fault))
    if fault is not None:
        raise fault
    return result


def send_array(array: NDArray[Any], comm: MPI.Intracomm, to: int) -> None:
    """Send an array to another rank, which takes it by `received_array`."""
    comm.send((array.shape, array.dtype), to)
    comm.Send(np.ascontiguousarray(array), to)


def received_array(comm: MPI.Intracomm, source: int) -> NDArray[Any]:
    """The array that another rank sends by `send_array`."""
    shape, kind = comm.recv(source=source)
    array = np.empty(shape, kind)
    comm.Recv(array, source)
    return array


def _sum_and_maximise(ours: Any, both: Any, kind: Any) -> None:
    """The reduction of `sums_and_largest`: how many values are summed comes first, the rest is maximised."""
    mine, result = np.frombuffer(ours), np.frombuffer(both)
    last = 1 + int(mine[0])
    result[1:last] += mine[1:last]
    np.maximum(result[last:], mine[last:], out=result[last:])


@cache
def _reduction(size: int) -> tuple[MPI.Datatype, MPI.Op]:
    """Type of a message that is never divided, and the operation on it."""
    return MPI.DOUBLE.Create_contiguous(size).Commit(), _mixed()


@cache
def _mixed() -> MPI.Op:
    """The operation, made once: MPI allows only a few."""
    return MPI.Op.Create(_sum_and_maximise, commute=True)


def sums_and_largest(comm: MPI.Intracomm, sums: Array, largest: Array) -> tuple[Array, Array]:
    """Sums and maxima over all ranks in one reduction; each waits for the slowest rank, so one is cheaper than two."""
    if comm.size == 1:
        return sums, largest
    message = np.concatenate(([float(sums.size)], sums, largest))
    kind, operation = _reduction(message.size)
    comm.Allreduce(MPI.IN_PLACE, [message, 1, kind], op=operation)
    return message[1 : 1 + sums.size], message[1 + sums.size :]
