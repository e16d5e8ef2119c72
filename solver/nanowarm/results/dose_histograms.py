"""Cumulative histograms of dose and temperature over the volume of each region: made, written, read and drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nanowarm.physics.doses import ABLATION, TISSUE_LIMITS, volume_histogram
from nanowarm.quantity import ZERO_CELSIUS
from nanowarm.results.dose_criteria import SAME, SAME_DOSE
from nanowarm.results.evidence import Spread
from nanowarm.results.histogram_files import read_rows, write_rows
from nanowarm.results.picture import BLUE, WINDOW_COLOUR, figure_svg

Array = NDArray[np.float64]

DOSE, TEMPERATURE = "CEM43", "temperature"
UNITS = {DOSE: "min", TEMPERATURE: "degC"}
_PER_DECADE = 10
_TEMPERATURE_STEP = 0.5  # [K]
_HEADER = ("region", "quantity", "unit", "at_least", "fraction_of_volume")


@dataclass(frozen=True, eq=False)
class Histogram:
    """The part of a region's volume that has at least so much of a quantity.

    Args:
        region: its name.
        quantity: `CEM43` [min] or `temperature` [degC].
        at_least: rising, shape (edges,).
        fraction: of the volume, same shape.
    """

    region: str
    quantity: str
    at_least: Array
    fraction: Array


def dose_edges() -> Array:
    """Doses [min] from 0.01 to 1000, ten a decade, the limits of tissues and the dose of ablation among them."""
    decades: Array = np.logspace(-2.0, 3.0, 5 * _PER_DECADE + 1)
    return np.unique(np.concatenate([decades, [level.minutes for level in TISSUE_LIMITS.values()], [ABLATION.minutes]]))


def dose_histogram(region: str, dose: Spread) -> Histogram:
    """Dose-volume histogram of a dose [min]; collective."""
    edges = dose_edges()
    part = volume_histogram(dose.values, dose.volume, edges * (1.0 - SAME_DOSE), dose.add)
    return Histogram(region, DOSE, edges, part)


def temperature_histogram(region: str, temperature: Spread) -> Histogram:
    """Temperature-volume histogram of temperatures [K] at whole and half degrees Celsius; collective."""
    low, high = (temperature.extreme(sign)[0] - ZERO_CELSIUS for sign in (-1, 1))
    first, last = math.floor((low + SAME) / _TEMPERATURE_STEP), math.ceil((high - SAME) / _TEMPERATURE_STEP)
    edges = np.asarray(np.arange(first, last + 1) * _TEMPERATURE_STEP, dtype=float)
    part = volume_histogram(temperature.values, temperature.volume, edges + ZERO_CELSIUS - SAME, temperature.add)
    return Histogram(region, TEMPERATURE, edges, part)


def write_histograms(path: Path, histograms: Sequence[Histogram]) -> None:
    """One row per edge."""
    rows = [
        [one.region, one.quantity, UNITS[one.quantity], f"{edge:.9g}", f"{part:.12g}"]
        for one in histograms
        for edge, part in zip(one.at_least, one.fraction, strict=True)
    ]
    write_rows(path, _HEADER, rows)


def read_histograms(path: Path) -> tuple[Histogram, ...]:
    """What `write_histograms` wrote; nothing where there is no such file.

    Raises:
        ValueError: it is no file of histograms.
    """
    found: list[Histogram] = []
    for (region, quantity), group in groupby(read_rows(path, _HEADER), key=lambda row: (row[0], row[1])):
        numbers: Array = np.array([row[3:] for row in group], dtype=float)
        found.append(Histogram(region, quantity, numbers[:, 0], numbers[:, 1]))
    return tuple(found)


def histogram_svg(histogram: Histogram) -> bytes:
    """A histogram as SVG, the same bytes for the same numbers."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    doses = histogram.quantity == DOSE
    with rc_context({"font.size": 9.0}):
        figure = Figure(figsize=(5.4, 3.2), layout="constrained")
        label = "at least this CEM43 [min]" if doses else "at least this temperature [°C]"
        axes = figure.add_subplot(xlabel=label, ylabel="part of the volume [%]")
        if doses:
            axes.set_xscale("log")
            axes.axvline(ABLATION.minutes, color="0.4", linewidth=0.8, linestyle=(0, (4, 2)))
            axes.text(ABLATION.minutes, 101.0, "ablation", ha="center", va="bottom")
        elif histogram.at_least[-1] > 41.0 and histogram.at_least[0] < 45.0:
            axes.axvspan(41.0, 45.0, color=WINDOW_COLOUR, alpha=0.35, linewidth=0)
        axes.plot(histogram.at_least, 100.0 * histogram.fraction, color=BLUE, linewidth=1.5)
        axes.set_ylim(0.0, 100.0)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
        return figure_svg(figure)
