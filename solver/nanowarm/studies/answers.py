"""What the searches of a study have found: in words, as a table and for machines."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from nanowarm.errors import SolveError
from nanowarm.quantity import number_and_unit
from nanowarm.results.limits import limited_by
from nanowarm.results.run_folder import write_json
from nanowarm.studies.bracketing import Probe
from nanowarm.studies.search_section import number_of
from nanowarm.studies.searches import Search
from nanowarm.studies.table import FAILED, columns_of, input_cells, write_lines

SCHEMA = 1  # of answers.json
Value = str | int | float
Outcome = Literal["found", "all met", "none met", "unclear"]


@dataclass(frozen=True)
class Answer:
    """What one search has found.

    Args:
        search: its number.
        inputs: the values that other searches have otherwise, by key.
        key: what was looked for.
        find: "least" or "largest".
        outcome: whether there is an answer.
        value: that met all criteria, next to one that does not; None where no run met, or it is not known which would do.
        missed: the value next to it that does not meet them, or where it is unclear was not judged.
        limited: what limits the run at the value, or the most hopeful run where there is none.
        reason: why there is no answer, or what has to be known of it.
        runs: that it took.
    """

    search: int
    inputs: Mapping[str, Any]
    key: tuple[str, ...]
    find: Literal["least", "largest"]
    outcome: Outcome
    value: Value | None = None
    missed: Value | None = None
    limited: str = ""
    reason: str = ""
    runs: int = 0

    def sentence(self) -> str:
        """The answer in a line."""
        chosen = ", ".join(f"{key} = {value}" for key, value in input_cells(self.inputs).items())
        told = "none" if self.value is None else str(self.value)
        beside = f"; {self.missed} misses" if self.outcome == "found" else ""
        why = "; ".join(filter(None, (self.reason, self.limited)))
        outcome = "" if self.outcome == "found" else f" ({self.outcome})"
        head = f"{self.find} {', '.join(self.key)}{f' ({chosen})' if chosen else ''}"
        return f"{head}: {told}{outcome}{beside}; {self.runs} runs{f'; {why}' if why else ''}"

    def cells(self) -> dict[str, Any]:
        """A line of `answers.csv` by column."""
        unit = next((number_and_unit(value)[1] for value in (self.value, self.missed) if isinstance(value, str)), "")
        numbers = ["" if value is None else number_of(value) for value in (self.value, self.missed)]
        head = {"search": self.search, **input_cells(self.inputs), "key": ", ".join(self.key), "find": self.find}
        found = {"outcome": self.outcome, "value": numbers[0], "value that missed": numbers[1], "unit": unit}
        return head | found | {"runs": self.runs, "limited": self.limited, "reason": self.reason}

    def content(self) -> dict[str, Any]:
        """The answer as `answers.json` has it."""
        return asdict(self) | {"inputs": input_cells(self.inputs)}


def answer_of(search: Search) -> Answer:
    """What a search that has ended has found."""
    blank = Answer(search.number, search.inputs, search.asked.key, search.asked.find, "unclear", runs=len(search.runs))
    good, bad = search.bracket.probes[:2]
    ends = search.bracket.ends()
    if ends is not None:
        return _bracketed(blank, search, *ends)
    if good.met:
        reason = f"even the {'least' if blank.find == 'least' else 'largest'} value meets all criteria"
        return replace(blank, outcome="all met", value=_value(search, bad), limited=_limited(search, bad), reason=reason)
    told = _told(search, good)
    if bad.met:
        other = "largest" if blank.find == "least" else "least"
        reason = f"{_value(search, bad)} meets all criteria and {told}: it is the other way round; ask for the {other}"
        return replace(blank, reason=reason)
    if search.at(good)[1].verdict != "missed":
        return replace(blank, reason=f"no run met all criteria, and {told}")
    between = " nor any value tried between" if len(search.runs) > 2 else ""
    reason = f"even {_value(search, good)} does not meet all criteria{between}"
    return replace(blank, outcome="none met", limited=_limited(search, good), reason=reason)


def _bracketed(blank: Answer, search: Search, missed: Probe, met: Probe) -> Answer:
    """The answer between a missed and a met value: unclear where the first was not judged."""
    reasons = []
    outcome: Outcome = "found"
    if search.at(missed)[1].verdict != "missed":
        outcome = "unclear"
        reasons.append(f"{_told(search, missed)}, so it is not known whether it would do")
    reasons += [f"not monotone: {_told(search, probe)}" for probe in search.bracket.beyond()]
    known = replace(blank, value=_value(search, met), missed=_value(search, missed), limited=_limited(search, met))
    return replace(known, outcome=outcome, reason="; ".join(reasons))


def _value(search: Search, probe: Probe) -> Value:
    """The value that a run had."""
    return search.asked.value(probe.place)


def _told(search: Search, probe: Probe) -> str:
    """How the run with a value ended."""
    row = search.at(probe)[1]
    why = row.error if row.verdict == FAILED else _limited(search, probe)
    return f"{_value(search, probe)} is {row.verdict}{f' ({why})' if why else ''}"


def _limited(search: Search, probe: Probe) -> str:
    """What limits a run, in words."""
    row = search.at(probe)[1]
    return limited_by(row.summary["limits"]) if row.summary is not None else ""


def write_answers(folder: Path, answers: Sequence[Answer]) -> list[str]:
    """Make `answers.csv` and `answers.json`; their names.

    Raises:
        SolveError: the disk is full.
    """
    lines = [answer.cells() for answer in answers]
    write_lines(folder / "answers.csv", lines, columns_of(lines))
    file = folder / "answers.json"
    temporary = file.with_suffix(".part")
    try:
        write_json(temporary, {"schema": SCHEMA, "answers": [answer.content() for answer in answers]})
        os.replace(temporary, file)
    except OSError as error:
        raise SolveError(f"{file}: can't be written: {error.strerror or error}") from None
    return ["answers.csv", "answers.json"]
