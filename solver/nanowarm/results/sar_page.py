"""Picture and table of specific power over size, field, frequency and temperature."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nanowarm.results.picture import BLACK, BLUE, GREEN, ORANGE, PINK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
COLOURS = (BLUE, ORANGE, GREEN, PINK, "#56B4E9", "#E69F00", BLACK)  # Okabe and Ito (2008)
STYLES = ("-", "--", ":")
ROWS = 10  # of a printed table, at most


@dataclass(frozen=True, eq=False)
class PowerCurve:
    """Specific power of one particle.

    Args:
        label: name of the particle.
        number: of the particle, which decides its colour.
        values: [W/gFe], shape (points,); NaN where it is not known.
    """

    label: str
    number: int
    values: Array


@dataclass(frozen=True, eq=False)
class Panel:
    """Specific power over one quantity.

    Args:
        axis: the quantity with its unit.
        at: its values, shape (points,).
        curves: of each particle that the quantity applies to.
        points: measured pairs of quantity and power [W/gFe], shape (measured, 2).
        now: value of the quantity in the other panels.
        rows: which values the printed table shows.
    """

    axis: str
    at: Array
    curves: tuple[PowerCurve, ...]
    points: Array
    now: float | None
    rows: tuple[int, ...]


def table_lines(panel: Panel) -> list[str]:
    """The panel as text: one row per value, one column per particle."""
    heads = [panel.axis, *(curve.label for curve in panel.curves)]
    cells = [[f"{panel.at[row]:.4g}", *(_number(curve.values[row]) for curve in panel.curves)] for row in panel.rows]
    widths = [max(len(line[column]) for line in [heads, *cells]) for column in range(len(heads))]
    return ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in [heads, *cells]]


def _number(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.4g}"


def draw(panels: Sequence[Panel], title: str, file: Path) -> None:
    """Write the picture, as what the ending of the file says: .png, .svg or .pdf.

    Raises:
        ValueError: an ending that can't be drawn.
        OSError: the file can't be written.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    columns = min(len(panels), 2)
    lines = -(-len(panels) // columns)
    with rc_context({"svg.hashsalt": "nanowarm", "font.size": 9.0}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # names may hold letters that the font lacks
        figure = Figure(figsize=(5.0 * columns, 3.4 * lines), layout="constrained")
        for number, panel in enumerate(panels):
            axes = figure.add_subplot(lines, columns, number + 1, xlabel=panel.axis, ylabel="specific power [W/gFe]")
            _draw_panel(axes, panel)
        figure.suptitle(title, fontsize=9.0, parse_math=False)
        handles = {text: line for axes in figure.axes for line, text in zip(*axes.get_legend_handles_labels(), strict=True)}
        legend = figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=4, frameon=False, fontsize=8.0)
        for text in legend.get_texts():
            text.set_parse_math(False)
        figure.savefig(file, dpi=150)


def _draw_panel(axes: Axes, panel: Panel) -> None:
    for curve in panel.curves:
        colour, style = COLOURS[curve.number % len(COLOURS)], STYLES[curve.number // len(COLOURS) % len(STYLES)]
        axes.plot(panel.at, curve.values, color=colour, linestyle=style, linewidth=1.5, label=f"\u200b{curve.label}")
    if panel.points.size:
        axes.plot(*panel.points.T, "o", color=BLACK, markersize=4.0, label="measured")
    if panel.now is not None:
        axes.axvline(panel.now, color="0.6", linewidth=0.8, linestyle=":")
    axes.set_ylim(bottom=0.0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
