"""Memory that the C library keeps after it was freed, given back to the machine."""

from __future__ import annotations

import contextlib
import ctypes


def give_back() -> None:
    """Give back what is free; for the end of a phase that took much more than the next one needs.

    Small blocks that are still in use keep large free ones from the machine: a third of a rank's memory after assembly.
    The GNU C library does this by `malloc_trim(3)`; elsewhere nothing happens.
    """
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
