"""Problems computed on several meshes, and whether the program passes them."""

from __future__ import annotations

import datetime
import math
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from nanowarm.errors import CaseError, SolveError
from nanowarm.model import nearest
from nanowarm.verification.collection import BY_NAME, PROBLEMS
from nanowarm.verification.problem import Problem

PACKAGES = ("nanowarm", "dolfinx-solver-real", "gmsh", "numpy", "scipy")


@dataclass(frozen=True)
class Row:
    """A problem on one mesh.

    Args:
        cells: along the length of the body.
        tetrahedra: in all.
        computed: number.
        seconds: of wall time.
    """

    cells: int
    tetrahedra: int
    computed: float
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """A problem on all its meshes, coarse to fine."""

    problem: Problem
    rows: tuple[Row, ...]

    @property
    def error(self) -> float:
        """Computed less exact number on the finest mesh."""
        return self.rows[-1].computed - self.problem.exact

    @property
    def share(self) -> float:
        """Size of that error over the scale of the problem."""
        return abs(self.error) / self.problem.scale

    @property
    def allowed(self) -> float:
        """What that may be."""
        return self.problem.accuracy.allowed(self.rows[-1].cells)

    @property
    def order(self) -> float | None:
        """Order of convergence from the coarsest to the finest mesh; None from one mesh, or without an error to speak of.

        Edges shrink with a root of the number of tetrahedra, which says more than the size that was asked for.
        """
        first, last = self.rows[0], self.rows[-1]
        errors = [abs(row.computed - self.problem.exact) for row in (first, last)]
        if last.tetrahedra <= first.tetrahedra or not all(errors):
            return None
        finer = math.log(last.tetrahedra / first.tetrahedra) / self.problem.body.dimension
        return math.log(errors[0] / errors[1]) / finer

    @property
    def passed(self) -> bool:
        """Whether the error is within what is allowed and falls at least as fast as asked."""
        falls = self.order is None or not self.problem.accuracy.least or self.order >= self.problem.accuracy.least
        return self.share <= self.allowed and falls

    @property
    def seconds(self) -> float:
        """Wall time of all meshes."""
        return sum(row.seconds for row in self.rows)

    def record(self) -> dict[str, Any]:
        """Everything that is known of it, for JSON."""
        problem = self.problem
        told = {key: getattr(problem, key) for key in ("name", "title", "formula", "source", "unit", "exact", "scale")}
        accuracy = problem.accuracy
        told |= {"across": problem.body.across, "dimension": problem.body.dimension}
        told |= {"expected_order": accuracy.order, "least_order": accuracy.least}
        told |= {"reason": accuracy.reason, "order": self.order, "error": self.error, "relative_error": self.share}
        told |= {"allowed": self.allowed, "passed": self.passed}
        return told | {"rows": [asdict(row) for row in self.rows]}


def chosen(names: Sequence[str]) -> tuple[Problem, ...]:
    """The problems of these names, in their usual order; all where none is named.

    Raises:
        CaseError: there is none of a name.
    """
    unknown = [name for name in names if name not in BY_NAME]
    if unknown:
        raise CaseError(*(f'verify: no problem "{name}"; {nearest(name, BY_NAME)}' for name in unknown))
    return tuple(problem for problem in PROBLEMS if problem.name in names) if names else PROBLEMS


def outcome(problem: Problem, folder: Path, cells: Sequence[int] = ()) -> Outcome:
    """A problem, computed on all its meshes.

    Args:
        problem: to be computed.
        folder: that gets a folder for each mesh.
        cells: along the length of the body, in place of the problem's own.

    Raises:
        SolveError: a run failed, or its files can't be written.
    """
    rows = []
    for number in sorted(set(cells)) or problem.cells:
        begin = time.perf_counter()
        own = folder / f"{problem.name}-{number}"
        try:
            own.mkdir(parents=True)
        except OSError as error:
            raise SolveError(f"{own}: can't be made: {error.strerror or error}") from None
        computed, tetrahedra = problem.computed(own, number)
        rows.append(Row(number, tetrahedra, computed, time.perf_counter() - begin))
    return Outcome(problem, tuple(rows))


def versions() -> dict[str, str]:
    """What computed it."""
    return {"python": sys.version.split()[0]} | {name: version(name) for name in PACKAGES}


def protocol(found: Sequence[Outcome]) -> dict[str, Any]:
    """A whole verification, for JSON: date, machine, versions, problems, and whether all passed."""
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": platform.platform(),
        "versions": versions(),
        "passed": all(each.passed for each in found),
        "seconds": sum(each.seconds for each in found),
        "problems": [each.record() for each in found],
    }
