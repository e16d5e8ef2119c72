"""Work that one rank does for all, and faults that all ranks must hear of."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from nanowarm.numerics.stack import MPI

Result = TypeVar("Result")


def on_first(comm: MPI.Intracomm, work: Callable[[], Result]) -> Result:
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
    return result  # type: ignore[return-value]


def rows_on_first(rows: NDArray[np.generic], comm: MPI.Intracomm) -> NDArray[np.generic] | None:
    """Rows of all ranks one after the other on rank 0, None elsewhere."""
    rows = np.ascontiguousarray(rows)
    if comm.size == 1:
        return rows
    sizes = comm.gather(rows.size)
    if comm.rank != 0:
        comm.Gatherv(rows, None)
        return None
    together = np.empty((sum(sizes) // max(1, int(np.prod(rows.shape[1:]))), *rows.shape[1:]), dtype=rows.dtype)
    comm.Gatherv(rows, [together, sizes])
    return together
