"""What an uncertainty study has found: probability, quantiles of every criterion, and what they are due to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nanowarm.studies.sensitivity import Array, Probability, Share, probability, shares
from nanowarm.studies.table import Row, Table
from nanowarm.studies.uncertainty import Design

QUANTILES = (0.025, 0.5, 0.975)


@dataclass(frozen=True, eq=False)
class Judged:
    """What became of one criterion.

    Args:
        number: of the criterion, from 1 on.
        name: kind and region.
        unit: of the values.
        relative: whether they count from the limit, which then is 0; so it is where limits vary themselves.
        limit: in the unit.
        sample: values of the runs that were drawn by themselves (A and B).
        shares: of each variable in the variance; None where they were not asked for or can't be told.
        blocks: that the shares rest on.
        met: probability of this criterion alone.
    """

    number: int
    name: str
    unit: str
    relative: bool
    limit: float
    sample: Array
    shares: Sequence[Share] | None
    blocks: int
    met: Probability | None

    @property
    def label(self) -> str:
        """What its values are, with their unit."""
        what = f"{self.name} minus its limit" if self.relative else self.name
        return f"{what} [{self.unit}]"

    def quantiles(self) -> dict[float, float]:
        """Values below which parts of the sample lie; none without a sample."""
        return {part: float(np.quantile(self.sample, part)) for part in QUANTILES} if self.sample.size else {}


@dataclass(frozen=True, eq=False)
class Findings:
    """What an uncertainty study has found.

    Args:
        title: of the study.
        design: what was drawn.
        met: probability that all criteria are met; None where every run failed.
        failed, unseen: runs that were drawn by themselves and failed, or left something unseen.
        runs: of the whole study.
        lost: runs of the whole study that failed.
        criteria: one by one.
    """

    title: str
    design: Design
    met: Probability | None
    failed: int
    unseen: int
    runs: int
    lost: int
    criteria: tuple[Judged, ...]


def findings(table: Table, design: Design) -> Findings:
    """What the runs of an uncertainty study have found."""
    known = {tuple(run.inputs.items()): row for run, row in table.ended()}
    rows = [known.get(tuple(inputs.items())) for inputs in design.rows()]
    base = [row for place, row in enumerate(rows) if place % design.block in (0, design.block - 1)]
    ended = [row for row in base if row is not None and row.summary is not None]
    verdicts = [row.verdict for row in ended]
    kinds: Sequence[Mapping[str, Any]] = next((row.summary["criteria"] for row in ended if row.summary is not None), [])
    return Findings(
        table.plan.title,
        design,
        probability(verdicts.count("met"), len(verdicts), design.asked.confidence),
        len(base) - len(ended),
        verdicts.count("unseen"),
        len(rows),
        sum(row is None or row.summary is None for row in rows),
        tuple(_judged(place, kind, rows, design) for place, kind in enumerate(kinds)),
    )


def _judged(place: int, kind: Mapping[str, Any], rows: Sequence[Row | None], design: Design) -> Judged:
    """One criterion over all runs.

    Args:
        place: of the criterion in the summaries.
        kind: its entry in one of them.
        rows: of all runs, block after block.
        design: what was drawn.
    """
    entries = [None if row is None or row.summary is None else row.summary["criteria"][place] for row in rows]
    limits = np.array([np.nan if entry is None else _number(entry["limit"]) for entry in entries])
    values = np.array([np.nan if entry is None else _number(entry["value"]) for entry in entries])
    relative = bool(np.unique(limits[np.isfinite(limits)]).size > 1)
    values = values - limits if relative else values
    is_base = np.isin(np.arange(len(rows)) % design.block, (0, design.block - 1))
    outcomes = [entry["outcome"] for entry, own in zip(entries, is_base, strict=True) if own and entry is not None]
    asked, found, blocks = design.asked, None, 0
    if asked.indices:
        found, blocks = shares(list(values), len(design.variables), asked.confidence, asked.seed)
    return Judged(
        place + 1,
        f"{kind['kind']} of {kind['region']}",
        kind["unit"],
        relative,
        0.0 if relative else float(limits[np.isfinite(limits)][0]) if np.isfinite(limits).any() else 0.0,
        values[is_base & np.isfinite(values)],
        found,
        blocks,
        probability(outcomes.count("met"), len(outcomes), asked.confidence),
    )


def _number(given: Any) -> float:
    """A number of a summary; not a number where there is none."""
    return float(given) if isinstance(given, int | float) else float("nan")
