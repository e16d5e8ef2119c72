"""What the report says of doses: each region against the limits of tissues, and histograms over its volume."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nanowarm.physics.doses import TISSUE_LIMITS
from nanowarm.results.dose_histograms import DOSE, Histogram, histogram_svg

Row = Mapping[str, Any]

_TITLES = {DOSE: "Dose over the volume of", "temperature": "Temperature over the volume of"}


@dataclass(frozen=True)
class TissueRow:
    """A tissue's limit, and the part of each region's volume that has got so much or more.

    Args:
        tissue: its name.
        limit: CEM43 [min].
        parts: in the order of the regions; None where there is no histogram.
    """

    tissue: str
    limit: float
    parts: tuple[float | None, ...]


def dosed_regions(summary: Row) -> dict[str, Row]:
    """The regions of a summary whose doses were followed."""
    return {name: region for name, region in summary["regions"].items() if region.get("cem43_min")}


def tissue_rows(regions: Sequence[str], histograms: Sequence[Histogram]) -> list[TissueRow]:
    """Every published limit, the lowest first."""
    doses = {one.region: one for one in histograms if one.quantity == DOSE}
    limits = sorted((level.minutes, tissue) for tissue, level in TISSUE_LIMITS.items())
    return [TissueRow(tissue, limit, tuple(_part(doses.get(name), limit) for name in regions)) for limit, tissue in limits]


def _part(histogram: Histogram | None, limit: float) -> float | None:
    if histogram is None:
        return None
    found = np.flatnonzero(np.isclose(histogram.at_least, limit, rtol=1e-6))
    return float(histogram.fraction[found[0]]) if found.size else None


def histogram_pictures(histograms: Sequence[Histogram]) -> list[tuple[str, str, bytes]]:
    """Title, description and SVG of every histogram that is not empty."""
    return [(f"{_TITLES[one.quantity]} {one.region}", _described(one), histogram_svg(one)) for one in histograms if _says(one)]


def _says(histogram: Histogram) -> bool:
    return bool((histogram.fraction > 0.0).any()) and histogram.at_least.size > 1


def _described(histogram: Histogram) -> str:
    """What a histogram shows, for those who can't see it."""
    unit = "minutes of CEM43" if histogram.quantity == DOSE else "°C"
    reached = [(part, histogram.at_least[histogram.fraction >= part]) for part in (0.9, 0.5, 0.1)]
    told = [f"{100 * part:g} % has at least {edges[-1]:.3g} {unit}" for part, edges in reached if edges.size]
    return f"Part of the volume of {histogram.region} by {histogram.quantity}: {'; '.join(told) or 'less than 10 % has any'}"
