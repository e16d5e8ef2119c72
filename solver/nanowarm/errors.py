"""The three ways a run can fail, each with what its user can change."""

from __future__ import annotations


class NanowarmError(Exception):
    """One or several faults found together, one line each.

    Args:
        faults: lines that say where, what was found and what is allowed.
    """

    exit_code = 3

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults

    def __reduce__(self) -> tuple[type[NanowarmError], tuple[str, ...]]:
        return type(self), self.faults


class CaseError(NanowarmError):
    """The case file, a material or particle file, or the command line can't be used: change it."""

    exit_code = 2


class MeshError(NanowarmError):
    """The geometry can't be used: change it."""

    exit_code = 2


class SolveError(NanowarmError):
    """The computation failed: change tolerances, expectations or the machine."""

    exit_code = 3
