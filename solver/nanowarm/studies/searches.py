"""The searches of a study: one for each combination of its other values, run after run, and what they have found."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from nanowarm.studies.bracketing import Bracket, Probe
from nanowarm.studies.plan import Plan, PlannedRun, combinations
from nanowarm.studies.search_section import SearchInput
from nanowarm.studies.table import Row

Known = Callable[[PlannedRun], Row | None]


class Search:
    """The search for one value while all others stay.

    Args:
        number: from 1 on.
        inputs: the others that change from search to search, by key.
        asked: what is looked for.
    """

    def __init__(self, number: int, inputs: Mapping[str, Any], asked: SearchInput) -> None:
        self.number = number
        self.inputs = inputs
        self.asked = asked
        self.bracket = Bracket(asked.good, asked.width)
        self.runs: list[tuple[PlannedRun, Row]] = []

    def hear(self, run: PlannedRun, row: Row) -> None:
        """Take in how the run has ended that the bracket asks for."""
        place = self.bracket.next_place()
        if place is None:
            raise ValueError("the search has ended")
        self.runs.append((run, row))
        self.bracket.tell(Probe(place, row.verdict == "met", _guide(row), _limit(row)))

    def at(self, probe: Probe) -> tuple[PlannedRun, Row]:
        """The run that told something."""
        return self.runs[self.bracket.probes.index(probe)]


class Searches:
    """All searches of a study; each asks for a run only once its last one has ended.

    Args:
        plan: the study.
        known: how a run ended that was finished before; None where it has to be computed.
    """

    def __init__(self, plan: Plan, known: Known) -> None:
        asked = plan.input.search
        rows = [] if asked is None else list(combinations(plan.input))
        different = {repr(sorted(row.items(), key=lambda item: item[0])): row for row in rows}
        self.all = [Search(number, row, asked) for number, row in enumerate(different.values(), 1) if asked is not None]
        self._plan = plan
        self._known = known

    def begin(self) -> list[PlannedRun]:
        """What each search needs first, after all that is known already."""
        return [run for search in self.all if (run := self._next(search)) is not None]

    def heard(self, run: PlannedRun, row: Row) -> list[PlannedRun]:
        """What is needed because of how a run has ended: nothing where no search asked for it, or its search has ended."""
        if not run.search:
            return []
        search = self.all[run.search - 1]
        search.hear(run, row)
        following = self._next(search)
        return [] if following is None else [following]

    def _next(self, search: Search) -> PlannedRun | None:
        """The next run that has to be computed for a search."""
        while (place := search.bracket.next_place()) is not None:
            inputs = {**search.inputs, **search.asked.inputs(place)}
            run = self._plan.searched(search.number, len(search.runs) + 1, inputs)
            row = self._known(run)
            if row is None:
                return run
            search.hear(run, row)
        return None


def _guide(row: Row) -> float | None:
    """How far all criteria are kept, zero at the limit: the logarithm of the factor, or the margin where there is no factor."""
    first = tightest(row)
    if first is None or first["outcome"] == "unseen":
        return None
    factor, margin = first["factor"], first["margin"]
    if factor is None:
        return None if margin is None else float(margin)
    return math.log(factor) if factor > 0.0 else None


def _limit(row: Row) -> int | None:
    """The criterion that is missed most; None where none was seen to be missed."""
    first = tightest(row)
    return None if first is None or first["outcome"] != "missed" else int(first["criterion"])


def tightest(row: Row) -> Mapping[str, Any] | None:
    """The criterion that limits a run, as `limits` of its summary has it; None where there is none."""
    ranked = row.summary["limits"] if row.summary is not None else []
    return ranked[0] if ranked else None


def kept(row: Row) -> float | None:
    """How many times over the tightest limit is kept; 1 and the margin where that is of a temperature."""
    limit = tightest(row)
    if limit is None or limit["margin"] is None:
        return None
    return float(1.0 + limit["margin"] if limit["factor"] is None else limit["factor"])
