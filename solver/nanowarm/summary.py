"""What `summary.json` says of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nanowarm.case import Case
from nanowarm.results.criteria import verdict
from nanowarm.results.evidence import Outcome
from nanowarm.results.limits import limits
from nanowarm.results.run_folder import SCHEMA

if TYPE_CHECKING:
    from nanowarm.numerics.observers import Observers
    from nanowarm.numerics.solve import Solution

TO_MILLILITRES = 1e6
TO_MILLIGRAMS = 1e6


def summary_of(case: Case, observers: Observers, solution: Solution, outcomes: tuple[Outcome, ...]) -> dict[str, Any]:
    """Content of `summary.json`, without the seconds; collective."""
    columns = observers.columns()
    regions, crossings = {}, observers.cold.crossings.rows()
    for name in case.regions:
        window = case.window(name)
        rates = observers.rates(name, (window, 1)).statistics() if window else None
        volume = observers.recorder.region_volume[name]
        regions[name] = {
            "volume_mL": volume * TO_MILLILITRES,
            "iron_mg": observers.iron_total(name) * TO_MILLIGRAMS,
            "warming_rate_degC_per_min": rates,
            "temperature_degC": {what: columns[f"{name}_{what}_degC"][-1] for what in ("min", "mean", "max")},
            **(observers.doses.summary(name) if observers.doses else {}),
            **observers.cold.summary(name),
            "crossings": crossings.get(name, []),
        }
    criteria = [outcome.summary() for outcome in outcomes]
    return {
        "schema": SCHEMA,
        "title": case.input.title,
        "model": "mesh",
        "verdict": verdict(outcomes),
        "criteria": criteria,
        "limits": limits(criteria),
        "regions": regions,
        "energy_J": solution.energy,
        "mesh": {"cells": observers.heat.operators.cell_count(), "nodes": observers.heat.layout.index_map.size_global},
        "steps": {"accepted": solution.counts.accepted, "rejected": solution.counts.rejected},
        "duration_s": solution.end,
    }
