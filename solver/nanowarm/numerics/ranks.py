"""Work that one rank does for all, and faults that all ranks must hear of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from nanowarm.numerics.stack import MPI

Result = TypeVar("Result")


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


def rows_on_first(rows: NDArray[Any], comm: MPI.Intracomm) -> NDArray[Any]:
    """Rows of all ranks one after the other on rank 0, none elsewhere."""
    rows = np.ascontiguousarray(rows)
    if comm.size == 1:
        return rows
    sizes = comm.gather(rows.size)
    if comm.rank != 0:
        comm.Gatherv(rows, None)
        return rows[:0]
    together = np.empty((sum(sizes) // max(1, int(np.prod(rows.shape[1:]))), *rows.shape[1:]), dtype=rows.dtype)
    comm.Gatherv(rows, [together, sizes])
    return together
