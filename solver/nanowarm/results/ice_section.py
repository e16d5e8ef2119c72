"""What the report says of ice and stress: each region's ice, its stress in the glass, and when it passed its transitions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanowarm.results.picture import BLACK, BLUE, ORANGE, Chart, Line

Row = Mapping[str, Any]
History = Mapping[str, NDArray[Any]]

PERCENT = 100.0
FLAT = 0.01  # of the limit: curves that never reach that look like a line at 0


def ice_and_stress(summary: Row) -> Row | None:
    """What the section shows: rows of `ice`, `stress` and `crossings`, each with its region; None where there are none."""
    regions: Mapping[str, Row] = summary["regions"]
    told = {
        "ice": [_ice(name, region) for name, region in regions.items() if region.get("ice_fraction") or region.get("ice_note")],
        "stress": [_stress(name, region) for name, region in regions.items() if _has_stress(region)],
        "crossings": [{"region": name, **row} for name, region in regions.items() for row in region.get("crossings") or ()],
    }
    return told if any(told.values()) else None


def _ice(name: str, region: Row) -> Row:
    """Ice of a region, in percent of what can freeze, and its mass [g]."""
    seen = region.get("ice_fraction") or {}
    parts = {part: None if seen.get(part) is None else PERCENT * seen[part] for part in ("min", "mean", "max")}
    return {"region": name, "note": region.get("ice_note"), "mass": region.get("ice_g"), **parts}


def _has_stress(region: Row) -> bool:
    return any(region.get(key) for key in ("largest_tensile_stress_MPa", "stress", "glass_difference_degC"))


def _stress(name: str, region: Row) -> Row:
    """Largest tensile stress of a region's places [MPa], what is known of the largest of all, and the difference in the glass."""
    spread = region.get("largest_tensile_stress_MPa") or {}
    difference = region.get("glass_difference_degC") or {}
    return {"region": name, "spread": spread, "peak": region.get("stress") or {}, "difference": difference}


def ice_and_stress_charts(history: History, summary: Row) -> list[Chart]:
    """Ice of every region over time, then its stress, with their limits; where there is something to see."""
    charts = [
        *(_ice_chart(history, summary, region) for region in summary["regions"]),
        *(_stress_chart(history, summary, region) for region in summary["regions"]),
    ]
    return [chart for chart in charts if chart.lines]


def _ice_chart(history: History, summary: Row, region: str) -> Chart:
    asked = [PERCENT * row["limit"] for row in summary["criteria"] if (row["kind"], row["region"]) == ("ice", region)]
    columns = (("most", f"{region}_ice_max", ORANGE, "-"), ("mean", f"{region}_ice_mean", BLACK, "--"))
    lines = [Line(label, PERCENT * history[name], colour, style) for label, name, colour, style in columns if name in history]
    return Chart(f"Ice in {region}", "part of what can freeze [%]", _with_limit(lines, "limit", asked))


def _stress_chart(history: History, summary: Row, region: str) -> Chart:
    column = f"{region}_stress_MPa"
    lines = [Line("largest", history[column], ORANGE)] if column in history else []
    strength = (summary["regions"][region].get("stress") or {}).get("tensile_strength_MPa")
    known = [] if strength is None else [strength]
    return Chart(f"Tensile stress in {region}", "stress [MPa]", _with_limit(lines, "strength", known))


def _with_limit(lines: list[Line], label: str, limits: list[float]) -> tuple[Line, ...]:
    """Curves and the lowest of their limits as a level line; none where the curves show nothing."""
    seen = [line for line in lines if np.isfinite(line.values).any() and np.nan_to_num(line.values).any()]
    if not seen or not limits:
        return tuple(seen)
    if max(float(np.nanmax(line.values)) for line in seen) < FLAT * min(limits):
        return ()
    return (*seen, Line(label, np.full(seen[0].values.size, min(limits)), BLUE, ":"))
