"""Which runs of a study are asked for: `--only 3,7-12`, digests, or one of so many parts."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nanowarm.errors import CaseError
from nanowarm.studies.plan import PlannedRun

_RANGE = re.compile(r"(\d+)(?:-(\d+))?")
_PART = re.compile(r"(\d+)/(\d+)")
ALLOWED = "allowed: numbers, ranges such as 1-12, parts such as 2/8, and digests, with commas between"


def chosen(runs: Sequence[PlannedRun], only: str) -> list[PlannedRun]:
    """The runs that a text asks for, in the order of the study, each once.

    Args:
        runs: of the study.
        only: numbers, ranges of numbers, parts "2/8" (the second of eight) and digests, with commas between.

    Raises:
        CaseError: with every fault.
    """
    found: list[str] = []
    numbers: set[int] = set()
    by_digest = {run.digest: run for run in runs}
    for item in (item.strip() for item in only.split(",")):
        try:
            asked = [by_digest[item]] if item in by_digest else _asked(runs, item)
            numbers |= {run.number for run in asked}
        except CaseError as error:
            found += error.faults
    if found:
        raise CaseError(*dict.fromkeys(found))
    return [run for run in runs if run.number in numbers]


def _asked(runs: Sequence[PlannedRun], item: str) -> Sequence[PlannedRun]:
    """The runs of a number, a range or a part.

    Raises:
        CaseError: there are no such runs.
    """
    if match := _PART.fullmatch(item):
        number, parts = int(match[1]), int(match[2])
        if not 1 <= number <= parts:
            raise CaseError(f"--only {item}: no such part; parts are numbered from 1 to {parts}")
        return part(runs, number, parts)
    match = _RANGE.fullmatch(item)
    if match is None:
        raise CaseError(f'--only: "{item}" is no run; {ALLOWED}')
    first, last = int(match[1]), int(match[2] or match[1])
    if not 1 <= first <= last <= len(runs):
        raise CaseError(f"--only {item}: the study has the runs 1 to {len(runs)}")
    return runs[first - 1 : last]


def part(runs: Sequence[PlannedRun], number: int, parts: int) -> list[PlannedRun]:
    """One of so many parts of nearly equal size; runs on the same mesh stay together as far as that allows.

    Args:
        runs: of the study.
        number: of the part, from 1 on.
        parts: how many there are; all of them together are the study.
    """
    place = {mesh: rank for rank, mesh in enumerate(dict.fromkeys(run.mesh for run in runs))}
    ordered = sorted(runs, key=lambda run: place[run.mesh])
    return ordered[len(runs) * (number - 1) // parts : len(runs) * number // parts]


def ranges(numbers: Sequence[int]) -> str:
    """Increasing numbers as `--only` takes them, such as "1-3, 7"."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(f"{first}-{last}" if last > first else str(first) for first, last in spans)
