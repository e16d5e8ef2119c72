"""The files and the lines that an uncertainty study ends with."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nanowarm.errors import SolveError
from nanowarm.results.run_folder import write_json
from nanowarm.studies.findings import Findings, Judged, findings
from nanowarm.studies.sensitivity import Probability, Share
from nanowarm.studies.table import Table
from nanowarm.studies.uncertainty import Variable
from nanowarm.studies.uncertainty_pictures import draw_shares, draw_values

SCHEMA = 1  # of uncertainty.json
LARGEST = 3  # contributors that are told
METHOD = "Clopper-Pearson, over the runs that were drawn by themselves; those fill the ranges evenly, so it is rather too wide"


def conclude(table: Table) -> Iterator[str]:
    """Write what an uncertainty study has found, and tell it; nothing of another study.

    Raises:
        SolveError: the disk is full.
    """
    if table.plan.design is None:
        return
    left = len(table.plan.runs) - len(table.ended())
    if left:
        yield f"uncertainty: {left} of {len(table.plan.runs)} runs are left; start the study again to go on"
        return
    found = findings(table, table.plan.design)
    try:
        _write(table.folder, found)
    except OSError as error:
        raise SolveError(f"{table.folder}: can't be written to: {error.strerror or error}") from None
    yield f"wrote {table.folder / 'uncertainty.json'}"
    names = (draw_shares(found, table.folder), draw_values(found, table.folder))
    yield from (f"wrote {table.folder / name}" for name in names if name)
    yield from lines(found)


def lines(found: Findings) -> Iterator[str]:
    """What a user is told at the end."""
    for name, reason in found.design.not_varied:
        yield f"not varied: {name}: {reason}"
    if found.lost:
        told = f"{found.failed} are left out of the probability, and the draws of all of them of the shares in the variance"
        yield f"{found.lost} of {found.runs} runs failed: {told}"
    if found.unseen:
        yield f"{found.unseen} runs left a criterion unseen: they count as not met"
    for judged in found.criteria:
        yield from _contributors(judged, found.design.variables)
    if found.met is None:
        yield "probability that all criteria are met: not known, every run failed"
    else:
        told = _in_words(found.met, found.design.asked.confidence)
        yield f"probability that all criteria are met: {told}, {found.met.runs} runs"


def _contributors(judged: Judged, variables: tuple[Variable, ...]) -> Iterator[str]:
    """The inputs that share most in the variance of a criterion's value."""
    if judged.shares is None:
        return
    ranked = ranking(judged, variables)[:LARGEST]
    told = ", ".join(f"{variable.name} {share.total:.2f}" for variable, share in ranked)
    yield f"{judged.name}: shares in the variance (total indices): {told}"


def ranking(judged: Judged, variables: tuple[Variable, ...]) -> list[tuple[Variable, Share]]:
    """Inputs with their shares, the largest total first."""
    pairs = zip(variables, judged.shares or (), strict=judged.shares is not None)
    return sorted(pairs, key=lambda pair: -pair[1].total)


def _in_words(met: Probability, confidence: float) -> str:
    """A probability with its interval."""
    return f"{met.value:.2f} ({100.0 * confidence:g} %: {met.low:.2f} to {met.high:.2f})"


def _write(folder: Path, found: Findings) -> None:
    """Replace the files at once, so that a reader never sees half of one."""
    temporary = folder / "uncertainty.part"
    write_json(temporary, _content(found))
    os.replace(temporary, folder / "uncertainty.json")
    with temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["criterion", "of", "input", "first", "first_half_interval", "total", "total_half_interval"])
        for judged in found.criteria:
            for variable, share in ranking(judged, found.design.variables):
                numbers = (share.first, share.first_width, share.total, share.total_width)
                writer.writerow([judged.number, judged.label, variable.name, *(f"{number:.6g}" for number in numbers)])
    os.replace(temporary, folder / "uncertainty.csv")


def _content(found: Findings) -> dict[str, Any]:
    """What `uncertainty.json` says."""
    design = found.design
    inputs = [
        {"key": v.key, "name": v.name, "value": v.value[0], "unit": v.value[1], "spread": v.spread.told(v.value[1])}
        for v in design.variables
    ]
    return {
        "schema": SCHEMA,
        "title": found.title,
        "confidence": design.asked.confidence,
        "runs": found.runs,
        "failed": found.lost,
        "drawn_by_themselves": {"failed": found.failed, "unseen_counted_as_not_met": found.unseen},
        "probability_met": _probability(found.met),
        "interval": METHOD,
        "inputs": inputs,
        "not_varied": [{"name": name, "reason": reason} for name, reason in design.not_varied],
        "criteria": [_criterion(judged, design.variables) for judged in found.criteria],
    }


def _probability(met: Probability | None) -> dict[str, float] | None:
    """A probability of `uncertainty.json`."""
    return None if met is None else {"value": met.value, "low": met.low, "high": met.high, "runs": met.runs}


def _criterion(judged: Judged, variables: tuple[Variable, ...]) -> dict[str, Any]:
    """A criterion of `uncertainty.json`."""
    shares = [
        {
            "name": variable.name,
            "first": share.first,
            "first_half_interval": share.first_width,
            "total": share.total,
            "total_half_interval": share.total_width,
        }
        for variable, share in ranking(judged, variables)
    ]
    return {
        "criterion": judged.number,
        "of": judged.label,
        "unit": judged.unit,
        "limit": judged.limit,
        "counted_from_limit": judged.relative,
        "probability_met": _probability(judged.met),
        "quantiles": {f"{100.0 * part:g} %": value for part, value in judged.quantiles().items()},
        "blocks": judged.blocks,
        "shares": shares,
    }
