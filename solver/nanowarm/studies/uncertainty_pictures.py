"""Pictures of an uncertainty study: what shares in the variance, and how the values lie to their limits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nanowarm.results.picture import BLUE, ORANGE
from nanowarm.studies.findings import Findings, Judged
from nanowarm.studies.pictures import save_picture
from nanowarm.studies.uncertainty import Variable

MOST_BARS = 12  # inputs that are drawn
LIGHT = "#56B4E9"  # Okabe and Ito (2008)


def draw_shares(found: Findings, folder: Path) -> str | None:
    """Bars of first and total indices with their intervals, a frame for each criterion; the name of the file, if any."""
    judged = [one for one in found.criteria if one.shares is not None]
    if not judged:
        return None
    count = min(len(found.design.variables), MOST_BARS)
    figure, frames = _figure(found, len(judged), 1.2 + 0.34 * count)
    for one, frame in zip(judged, frames, strict=True):
        _draw_bars(one, found.design.variables, frame)
    frames[0].legend(frameon=False, loc="lower right")
    save_picture(figure, folder / "sobol.png")
    return "sobol.png"


def _figure(found: Findings, count: int, height: float) -> tuple[Any, list[Any]]:
    """A figure with frames below each other."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.8, 0.5 + height * count), layout="constrained")
    figure.suptitle(found.title, fontsize=10.0, parse_math=False)
    return figure, list(figure.subplots(count, 1, squeeze=False)[:, 0])


def _draw_bars(judged: Judged, variables: tuple[Variable, ...], frame: Any) -> None:
    """Two bars for each of the largest inputs, the largest on top."""
    pairs = sorted(zip(variables, judged.shares or (), strict=True), key=lambda pair: -pair[1].total)[:MOST_BARS]
    places = np.arange(len(pairs))[::-1]
    error = {"ecolor": "0.2", "capsize": 2.0, "error_kw": {"linewidth": 0.8}}
    totals, firsts = ([share.total for _, share in pairs], [share.first for _, share in pairs])
    frame.barh(places + 0.2, totals, 0.4, xerr=[s.total_width for _, s in pairs], color=BLUE, label="total", **error)
    frame.barh(places - 0.2, firsts, 0.4, xerr=[s.first_width for _, s in pairs], color=LIGHT, label="first order", **error)
    frame.set_yticks(places, [variable.name for variable, _ in pairs], parse_math=False)
    frame.set_xlim(left=min(0.0, *firsts) - 0.02)
    frame.set_title(judged.label, fontsize=9.0, parse_math=False)
    frame.set_xlabel("share in the variance (Sobol index)")


def draw_values(found: Findings, folder: Path) -> str | None:
    """A histogram of the values of each criterion with its limit; the name of the file, if there are any."""
    judged = [one for one in found.criteria if one.sample.size]
    if not judged:
        return None
    figure, frames = _figure(found, len(judged), 2.4)
    for one, frame in zip(judged, frames, strict=True):
        frame.hist(one.sample, bins="auto" if np.ptp(one.sample) > 0.0 else 1, color=LIGHT, edgecolor="white")
        frame.axvline(one.limit, color=ORANGE, linewidth=1.5, label="limit")
        for value in one.quantiles().values():
            frame.axvline(value, color="0.3", linewidth=0.8, linestyle=(0, (4, 2)))
        met = "" if one.met is None else f"met with probability {one.met.value:.2f}"
        frame.set_title(met, fontsize=9.0)
        frame.set_xlabel(one.label, parse_math=False)
        frame.set_ylabel("runs")
    frames[0].plot([], [], color="0.3", linewidth=0.8, linestyle=(0, (4, 2)), label="2.5, 50 and 97.5 %")
    frames[0].legend(frameon=False)
    save_picture(figure, folder / "margin.png")
    return "margin.png"
