"""How the volume of a region lies over the rates at which it passed a window: made, written, read and drawn."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nanowarm.quantity import ZERO_CELSIUS
from nanowarm.results.criteria import RateCriterion
from nanowarm.results.evidence import PER_MINUTE, RateEvidence, Seen
from nanowarm.results.histogram_files import read_rows, write_rows
from nanowarm.results.picture import BLUE, ORANGE, figure_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]

MOST_BINS = 48
_FAST = 0.995  # share of the volume up to which bins are narrow; what is faster is in the last one
_FAR = 10.0  # times the width of the bars: a limit beyond that is told in words, or the bars would be a stroke
_HEADER = ("region", "direction", "coldest_degC", "warmest_degC", "limit", "from", "to", "fraction_of_volume")
_WORDS = {1: "warming", -1: "cooling"}


@dataclass(frozen=True, eq=False)
class RateHistogram:
    """The part of a region's volume in each bin of its mean rate through a window.

    Args:
        region: its name.
        direction: 1 for warming, -1 for cooling.
        window: coldest and warmest temperature [degC].
        limit: rate [K/min] asked for, an edge of the bins; not a number where none is asked.
        edges: of the bins [K/min], rising, the last may be infinite, shape (bins + 1,).
        fraction: of the volume of the region, shape (bins,); what did not pass the whole window is in none.
    """

    region: str
    direction: int
    window: tuple[float, float]
    limit: float
    edges: Array
    fraction: Array

    @property
    def seen(self) -> float:
        """Part of the volume that passed the whole window."""
        return float(self.fraction.sum())

    @property
    def too_slow(self) -> float:
        """Part of the volume that passed it, and slower than the limit."""
        return float(self.fraction[self.edges[1:] <= self.limit].sum())


def rate_histograms(criteria: Iterable[Any], regions: Iterable[str], seen: Seen) -> list[RateHistogram]:
    """Of every criterion about rates, then of the regions that none asks of, through the window of their material; collective."""
    found: list[RateHistogram | None] = []
    left = dict.fromkeys(regions)
    for criterion in criteria:
        if criterion.needs_window and (window := seen.window(criterion.region, criterion.asked_window(), criterion.needs_window)):
            found.append(_judged(criterion, window, seen))
            left.pop(criterion.region, None)
    for region in left:
        if window := seen.window(region, None):
            found.append(rate_histogram(region, 1, _celsius(window), None, seen.rates(region, (window, 1))))
    return [one for one in found if one is not None]


def _judged(criterion: RateCriterion, window: tuple[float, float], seen: Seen) -> RateHistogram | None:
    """The rates as a criterion judges them."""
    direction = criterion.needs_window
    evidence, limit = seen.rates(criterion.region, (window, direction)), criterion.at_least
    if limit == "critical":
        evidence, limit = evidence.at_full_strength(), seen.critical_rate(criterion.region, direction)
    if criterion.measure == "slowest":
        evidence = replace(evidence, rate=evidence.slowest)
    return rate_histogram(criterion.region, direction, _celsius(window), limit, evidence)


def _celsius(window: tuple[float, float]) -> tuple[float, float]:
    """A window [degC] of one [K]."""
    return round(window[0] - ZERO_CELSIUS, 6), round(window[1] - ZERO_CELSIUS, 6)


def rate_histogram(
    region: str, direction: int, window: tuple[float, float], limit: float | None, evidence: RateEvidence
) -> RateHistogram | None:
    """Histogram of what was seen of a region; None where nothing went through the window.

    Args:
        region: its name.
        direction: 1 for warming, -1 for cooling.
        window: coldest and warmest temperature [degC].
        limit: rate [K/s] that is asked for.
        evidence: of all ranks.
    """
    rate, volume = evidence.rate[evidence.finished] * PER_MINUTE, evidence.volume[evidence.finished]
    if not np.isfinite(rate).any():
        return None
    asked = math.nan if limit is None else limit * PER_MINUTE
    edges = _edges(rate[np.isfinite(rate)], volume[np.isfinite(rate)], asked)
    inside, _ = np.histogram(np.minimum(rate, np.finfo(float).max), [*edges[:-1], np.inf], weights=volume)
    fast = bool(rate.max() >= edges[-1])
    if not fast:
        return RateHistogram(region, direction, window, asked, edges, inside / evidence.volume.sum())
    narrow, _ = np.histogram(rate, edges, weights=volume * (rate < edges[-1]))
    part = np.append(narrow, volume[rate >= edges[-1]].sum()) / evidence.volume.sum()
    return RateHistogram(region, direction, window, asked, np.append(edges, np.inf), part)


def _edges(rate: Array, volume: Array, limit: float) -> Array:
    """Bins of equal width, the limit among their edges where it is near."""
    order = np.argsort(rate)
    share = np.cumsum(volume[order]) / volume.sum()
    low, high = float(rate.min()), float(rate[order][min(int(np.searchsorted(share, _FAST)), rate.size - 1)])
    near = math.isfinite(limit) and max(high, limit) - min(low, limit) <= 20.0 * max(high - low, 0.02 * limit)
    if near:
        low, high = min(low, limit), max(high, limit)
    step = _round_step(max(high - low, 1e-3 * max(abs(high), 1e-12)) / (0.6 * MOST_BINS))
    origin = limit if near else 0.0
    first, last = math.floor((low - origin) / step), math.floor((high - origin) / step) + 1
    edges: Array = origin + step * np.arange(first, last + 1, dtype=float)
    return edges


def _round_step(least: float) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that is not below `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= least * (1.0 - 1e-9))


def write_rates(path: Path, histograms: Sequence[RateHistogram]) -> None:
    """One row per bin; rates in K/min, temperatures in degC."""
    rows = []
    for one in histograms:
        limit = "" if math.isnan(one.limit) else f"{one.limit:.9g}"
        of = [one.region, _WORDS[one.direction], *(f"{end:.9g}" for end in one.window), limit]
        for low, high, part in zip(one.edges[:-1], one.edges[1:], one.fraction, strict=True):
            rows.append([*of, f"{low:.9g}", f"{high:.9g}", f"{part:.12g}"])
    write_rows(path, _HEADER, rows)


def read_rates(path: Path) -> tuple[RateHistogram, ...]:
    """What `write_rates` wrote; nothing where there is no such file.

    Raises:
        ValueError: it is no file of rates.
    """
    signs = {word: sign for sign, word in _WORDS.items()}
    found = []
    for (region, direction, cold, warm, limit), group in groupby(read_rows(path, _HEADER), key=lambda row: tuple(row[:5])):
        numbers: Array = np.array([row[5:] for row in group], dtype=float)
        edges = np.append(numbers[:, 0], numbers[-1, 1])
        asked = float(limit) if limit else math.nan
        found.append(RateHistogram(region, signs[direction], (float(cold), float(warm)), asked, edges, numbers[:, 2]))
    return tuple(found)


def rates_svg(histogram: RateHistogram) -> bytes:
    """A histogram as SVG with its limit as a line, the same bytes for the same numbers."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    edges = histogram.edges.copy()
    over = np.isinf(edges[-1])
    if over:
        edges[-1] = 2.0 * edges[-2] - edges[-3]
    with rc_context({"font.size": 10.0}):
        figure = Figure(figsize=(5.4, 4.0), layout="constrained")
        name = _WORDS[histogram.direction]
        axes = figure.add_subplot(xlabel=f"{name} rate [°C/min]", ylabel="part of the volume [%]")
        slow = edges[1:] <= histogram.limit * (1.0 + 1e-9)
        for chosen, colour, hatch in ((slow, ORANGE, "///"), (~slow, BLUE, None)):
            look: dict[str, Any] = {"color": colour, "edgecolor": "white", "linewidth": 0.6, "hatch": hatch}
            axes.bar(edges[:-1][chosen], 100.0 * histogram.fraction[chosen], np.diff(edges)[chosen], align="edge", **look)
        _draw_limit(axes, histogram.limit, edges)
        if over:
            axes.annotate("and\nfaster", (edges[-2], 100.0 * histogram.fraction[-1]), ha="left", va="bottom", fontsize=8.0)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25, axis="y")
        axes.set_axisbelow(True)
        return figure_svg(figure)


def _draw_limit(axes: Axes, limit: float, edges: Array) -> None:
    """A line at the limit; where it is so far away that the bars would vanish, its number and the way to it."""
    low, high = float(edges[0]), float(edges[-1])
    if not math.isfinite(limit):
        return
    if max(high, limit) - min(low, limit) > _FAR * (high - low):
        words = f"← asked: {limit:.4g}" if limit < low else f"asked: {limit:.4g} →"
        side = "right" if limit > high else "left"
        axes.annotate(words, (float(limit > high), 1.0), xycoords="axes fraction", ha=side, va="bottom")
        return
    axes.axvline(limit, color="black", linewidth=1.6)
    axes.annotate(f" asked: {limit:.4g} ", (limit, 1.0), xycoords=("data", "axes fraction"), ha="left", va="bottom")
    low, high = axes.get_xlim()
    axes.set_xlim(min(low, limit - 0.03 * (high - low)), max(high, limit + 0.03 * (high - low)))


def told(histogram: RateHistogram) -> str:
    """What a histogram shows, for those who can't see it."""
    mode = int(histogram.fraction.argmax())
    low, high = histogram.edges[mode], histogram.edges[mode + 1]
    verb = _WORDS[histogram.direction]
    span = f"{histogram.edges[0]:.4g} °C/min upwards"
    most = (
        f"most of it, {100.0 * histogram.fraction[mode]:.3g} % of the volume, {'at' if np.isfinite(high) else 'above'} {low:.4g}"
    )
    most += f" to {high:.4g} °C/min" if np.isfinite(high) else " °C/min"
    slow = (
        "" if math.isnan(histogram.limit) else f"; {100.0 * histogram.too_slow:.3g} % slower than the {histogram.limit:.4g} asked"
    )
    return f"Volume of {histogram.region} by its {verb} rate: from {span}, {most}{slow}"
