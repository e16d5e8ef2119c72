"""Goals that runs are measured by, and the runs that no other one beats in two of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanowarm.quantity import number_and_unit
from nanowarm.results.sentences import is_upper, readable
from nanowarm.studies.searches import kept
from nanowarm.studies.sensitivity import is_constant
from nanowarm.studies.study_results import Study, amount
from nanowarm.studies.table import Row

Array = NDArray[np.float64]

MOST_GOALS = 4  # more are more pairs than anybody looks at
LEAST_RUNS = 3  # of which a front says something
SAME = 1e-5  # of the range of a goal
PREFERRED = (("iron", "kept"), ("rate", "cracks"), ("field", "kept"), ("volume", "kept"))  # pairs, the first that there is


@dataclass(frozen=True, eq=False)
class Goal:
    """What a run should have little or much of.

    Args:
        kind: what it is about, in a word.
        label: with its unit.
        values: of the runs, shape (runs,); not a number where a run has none.
        more: whether more is better.
    """

    kind: str
    label: str
    values: Array
    more: bool

    @property
    def costs(self) -> Array:
        """The values, or their opposites, so that less is better: without differences that are rounding."""
        known = self.values[np.isfinite(self.values)]
        step = SAME * float(np.ptp(known)) if known.size else 0.0
        rounded = np.round(self.values / step) if step > 0.0 else self.values
        return -rounded if self.more else rounded


def goals(study: Study) -> list[Goal]:
    """What the runs of a study differ in that one may want more or less of."""
    found = [goal for goal in _candidates(study) if _differs(goal.values)]
    first = default_pair(found)
    return sorted(found, key=lambda goal: goal not in first)[:MOST_GOALS]


def default_pair(found: list[Goal]) -> list[Goal]:
    """The two goals that most often pull against each other; fewer where there are fewer."""
    by_kind = {goal.kind: goal for goal in reversed(found)}
    pair = next((pair for pair in PREFERRED if set(pair) <= set(by_kind)), None)
    return found[:2] if pair is None else [by_kind[kind] for kind in pair]


def non_dominated(first: Array, second: Array) -> NDArray[np.bool_]:
    """Which points no other one beats: none is at least as low in both and lower in one.

    Args:
        first, second: costs, shape (points,); points with what is not a number are none.
    """
    front = np.zeros(first.size, dtype=bool)
    known = np.flatnonzero(np.isfinite(first) & np.isfinite(second))
    order = known[np.lexsort((second[known], first[known]))]
    lowest, beside = np.inf, -np.inf  # second cost of the front so far, and the first cost of its last point
    for place in order:
        if second[place] < lowest:
            lowest, beside = float(second[place]), float(first[place])
            front[place] = True
        elif second[place] == lowest and first[place] == beside:
            front[place] = True  # the same point again
    return front


def _differs(values: Array) -> bool:
    """Whether enough runs have a value, and not all the same."""
    known = values[np.isfinite(values)]
    return known.size >= LEAST_RUNS and not is_constant(known)


def _candidates(study: Study) -> Iterator[Goal]:
    """All goals that a table may hold, whether they vary or not."""
    rows = study.rows
    yield from _criteria(rows)
    factors = _array(None if row.summary is None else kept(row) for row in rows)
    yield Goal("kept", "times that the tightest limit is kept", factors, True)
    yield Goal("iron", "iron in what holds any [mg/mL]", _array(_concentration(row) for row in rows), False)
    yield Goal("volume", "volume [mL]", _array(_volume(row) for row in rows), True)
    yield Goal("duration", "duration [s]", _array(line.get("duration_s") for line in study.table), False)
    for key in study.inputs:
        if key.rsplit(".", 1)[-1] == "amplitude":
            unit = next((number_and_unit(text)[1] for line in study.table if isinstance(text := line[key], str)), "")
            label = f"{key} [{readable(unit)}]" if unit else key
            yield Goal("field", label, _array(amount(line[key]) for line in study.table), False)


def _criteria(rows: list[Row]) -> Iterator[Goal]:
    """What each criterion of the case judges, in the direction in which it asks for it."""
    first = next((row.summary for row in rows if row.summary and row.summary.get("limits")), None)
    for entry in sorted(first["limits"], key=lambda entry: int(entry["criterion"])) if first is not None else ():
        place = int(entry["criterion"])
        asked = first["criteria"][place] if first is not None else {}
        label = f"{asked['kind']} of {asked['region']} [{readable(asked['unit'])}]"
        yield Goal(entry["what"], label, _array(_reached(row, place) for row in rows), not is_upper(asked))


def _reached(row: Row, place: int) -> float | None:
    """The value of a criterion of a run."""
    criteria = row.summary["criteria"] if row.summary is not None else []
    return amount(criteria[place]["value"]) if place < len(criteria) else None


def _bodies(row: Row) -> list[tuple[float, float]]:
    """Volume [mL] and iron [mg] of each region."""
    regions = row.summary.get("regions", {}) if row.summary is not None else {}
    return [(amount(one.get("volume_mL")) or 0.0, amount(one.get("iron_mg")) or 0.0) for one in regions.values()]


def _concentration(row: Row) -> float | None:
    """Mean iron [mg/mL] of the regions that hold any; None where none does."""
    bodies = [(volume, iron) for volume, iron in _bodies(row) if volume > 0.0 and iron > 0.0]
    return sum(iron for _, iron in bodies) / sum(volume for volume, _ in bodies) if bodies else None


def _volume(row: Row) -> float | None:
    """Volume [mL] of all regions."""
    return sum(volume for volume, _ in _bodies(row)) or None


def _array(values: Iterator[float | None]) -> Array:
    """Numbers with gaps."""
    return np.array([np.nan if value is None else value for value in values], dtype=float)
