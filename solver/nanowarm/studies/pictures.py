"""Pictures of a grid of one or two numbers: where it ends well, and how large a volume does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanowarm.quantity import number_and_unit
from nanowarm.results.picture import BLUE, GREEN, ORANGE, PINK
from nanowarm.studies.table import FAILED, Row, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

VOLUME = "mesh.parameters.volume"
COLOURS = {"met": GREEN, "missed": ORANGE, "unseen": PINK, FAILED: "0.6"}


@dataclass(frozen=True)
class Axis:
    """A key of a grid whose values are numbers in one unit.

    Args:
        key: of the case.
        given: the values as the study file has them, from the smallest number to the largest.
        numbers: the same as numbers.
        unit: of the numbers, empty for plain ones.
    """

    key: str
    given: tuple[Any, ...]
    numbers: tuple[float, ...]
    unit: str

    @property
    def label(self) -> str:
        """Key and unit."""
        return f"{self.key} [{self.unit}]" if self.unit else self.key


def draw(table: Table) -> list[str]:
    """Make the pictures that the study allows, in its folder; their names."""
    if table.plan.input.search is not None:
        return []  # the runs of a grid are not one for each combination
    axes = numeric_axes(table.plan.input.grid or {})
    if not 1 <= len(axes) <= 2:
        return []
    rows = {tuple(run.inputs[axis.key] for axis in axes): row for run, row in table.ended()}
    names = ["table.png"]
    if len(axes) == 1:
        _draw_line(table, axes[0], [rows.get((value,)) for value in axes[0].given])
        return names
    _draw_map(table, axes, rows)
    volume = next((axis for axis in axes if axis.key == VOLUME), None)
    if volume is not None:
        (other,) = (axis for axis in axes if axis is not volume)
        _draw_scale_up(table, volume, other, largest_volumes(axes, volume, other, rows))
        names.append("scale-up.png")
    return names


def numeric_axes(grid: Mapping[str, Sequence[Any]]) -> list[Axis]:
    """The keys of a grid with several values; none if any of them has values that are not numbers in one unit."""
    axes = []
    for key, given in grid.items():
        if len(given) < 2:
            continue
        try:
            pairs = [_number(value) for value in given]
        except ValueError:
            return []
        if len({unit for _, unit in pairs}) > 1:
            return []
        ranked = sorted(dict(zip(given, (number for number, _ in pairs), strict=True)).items(), key=lambda item: item[1])
        axes.append(Axis(key, tuple(value for value, _ in ranked), tuple(number for _, number in ranked), pairs[0][1]))
    return axes


def _number(value: Any) -> tuple[float, str]:
    if isinstance(value, str):
        return number_and_unit(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("no number")
    return float(value), ""


def largest_volumes(
    axes: Sequence[Axis], volume: Axis, other: Axis, rows: Mapping[tuple[Any, ...], Row]
) -> list[tuple[float, float | None, bool]]:
    """For each value of the other key: its number, the largest volume that meets all criteria, and whether all smaller do."""
    found: list[tuple[float, float | None, bool]] = []
    for value, number in zip(other.given, other.numbers, strict=True):
        keys = [tuple(size if axis is volume else value for axis in axes) for size in volume.given]
        met = [key in rows and rows[key].verdict == "met" for key in keys]
        passing = [place for place, good in enumerate(met) if good]
        largest = volume.numbers[passing[-1]] if passing else None
        found.append((number, largest, len(passing) == (passing[-1] + 1 if passing else 0)))
    return found


def _factor(row: Row | None) -> float | None:
    """How many times over the criterion is kept that limits a run."""
    ranked = row.summary["limits"] if row is not None and row.summary is not None else []
    return ranked[0]["factor"] if ranked else None


def titled_figure(title: str) -> tuple[Any, Axes]:
    """An empty figure and its frame."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, fontsize=10.0, parse_math=False)
    return figure, axes


def save_picture(figure: Any, file: Path) -> None:
    """Write a figure as PNG, and beside it as SVG, the same bytes for the same numbers.

    Args:
        figure: of matplotlib.
        file: name of the PNG.
    """
    import warnings

    from matplotlib import rc_context

    with rc_context({"svg.hashsalt": "nanowarm"}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # names may hold letters that the font lacks
        figure.savefig(file, dpi=150)
        figure.savefig(file.with_suffix(".svg"), metadata={"Date": None})


def _draw_map(table: Table, axes: Sequence[Axis], rows: Mapping[tuple[Any, ...], Row]) -> None:
    """A field for each combination, coloured by its verdict, with the factor by which the tightest limit is kept."""
    from matplotlib.patches import Patch, Rectangle

    figure, frame = titled_figure(table.plan.title)
    across, up = axes
    for column, first in enumerate(across.given):
        for line, second in enumerate(up.given):
            row = rows.get((first, second))
            if row is None:
                continue
            frame.add_patch(Rectangle((column - 0.5, line - 0.5), 1.0, 1.0, facecolor=COLOURS[row.verdict], edgecolor="white"))
            factor = _factor(row)
            frame.text(column, line, "" if factor is None else f"{factor:.3g}", ha="center", va="center", fontsize=8.0)
    frame.set(xlim=(-0.5, len(across.given) - 0.5), ylim=(-0.5, len(up.given) - 0.5))
    frame.set_xticks(range(len(across.given)), [f"{number:g}" for number in across.numbers])
    frame.set_yticks(range(len(up.given)), [f"{number:g}" for number in up.numbers])
    frame.set_xlabel(across.label, parse_math=False)
    frame.set_ylabel(up.label, parse_math=False)
    told = [Patch(color=colour, label=verdict) for verdict, colour in COLOURS.items() if verdict in table.counts()]
    figure.legend(
        handles=told, loc="outside lower center", ncols=4, frameon=False, title="numbers: times that the tightest limit is kept"
    )
    save_picture(figure, table.folder / "table.png")


def _draw_line(table: Table, axis: Axis, rows: Sequence[Row | None]) -> None:
    """How many times the tightest limit is kept, over the one key that changes."""
    figure, frame = titled_figure(table.plan.title)
    points = [(number, _factor(row), row) for number, row in zip(axis.numbers, rows, strict=True)]
    known = [(number, factor) for number, factor, _ in points if factor is not None]
    if known:
        frame.plot(*zip(*known, strict=True), color="0.4", linewidth=1.0, zorder=1)
    for verdict, colour in COLOURS.items():
        own = [(number, factor or 0.0) for number, factor, row in points if row is not None and row.verdict == verdict]
        if own:
            frame.scatter(*zip(*own, strict=True), color=colour, label=verdict, zorder=2)
    frame.axhline(1.0, color="black", linewidth=0.8, linestyle=(0, (4, 2)))
    frame.set_xlabel(axis.label, parse_math=False)
    frame.set_ylabel("times that the tightest limit is kept")
    frame.set_ylim(bottom=0.0)
    if any(row is not None for row in rows):
        frame.legend(frameon=False)
    save_picture(figure, table.folder / "table.png")


def _draw_scale_up(table: Table, volume: Axis, other: Axis, found: Sequence[tuple[float, float | None, bool]]) -> None:
    """The largest volume that meets all criteria, over the other key."""
    figure, frame = titled_figure(table.plan.title)
    known = [(number, size, whole) for number, size, whole in found if size is not None]
    frame.plot([number for number, *_ in known], [size for _, size, _ in known], color=BLUE, linewidth=1.0, zorder=1)
    for whole, face, label in ((True, BLUE, "all smaller ones pass too"), (False, "white", "some smaller ones fail")):
        own = [(number, size) for number, size, all_pass in known if all_pass == whole]
        if own:
            frame.scatter(*zip(*own, strict=True), facecolor=face, edgecolor=BLUE, label=label, zorder=2)
    none = [number for number, size, _ in found if size is None]
    frame.scatter(none, [volume.numbers[0]] * len(none), marker="x", color=ORANGE, label="none passes" if none else None)
    for bound in (volume.numbers[0], volume.numbers[-1]):
        frame.axhline(bound, color="0.6", linewidth=0.8, linestyle=(0, (4, 2)))
    if volume.numbers[0] > 0.0:
        frame.set_yscale("log")
        frame.set_yticks(volume.numbers, [f"{number:g}" for number in volume.numbers], minor=False)
        frame.minorticks_off()
    frame.set_xlabel(other.label, parse_math=False)
    frame.set_ylabel(f"largest volume that passes [{volume.unit}]", parse_math=False)
    frame.legend(frameon=False)
    save_picture(figure, table.folder / "scale-up.png")
