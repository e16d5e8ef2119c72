"""Pictures of searches: how each closed in on its answer, and the answers over what changes from search to search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nanowarm.quantity import number_and_unit
from nanowarm.results.picture import BLACK, BLUE, GREEN, ORANGE, PINK
from nanowarm.studies.answers import Answer
from nanowarm.studies.pictures import COLOURS, VOLUME, Axis, numeric_axes, save_picture, titled_figure
from nanowarm.studies.search_section import SearchInput, number_of
from nanowarm.studies.searches import Search, kept
from nanowarm.studies.table import FAILED, input_cells

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKS = {"met": "o", "missed": "X", "unseen": "^", FAILED: "s"}  # told apart without their colours too
CURVES = (BLUE, ORANGE, GREEN, PINK, BLACK)
STYLES = ("-", (0, (5, 2)), (0, (1, 1)), (0, (5, 1, 1, 1)))  # with the colours 20 curves that differ
MOST_NAMED = 8  # curves in a legend
AT_BOTTOM = 0.03  # of the height of the frame
DECADE = 10.0


def draw_searches(folder: Path, title: str, searches: Sequence[Search], answers: Sequence[Answer]) -> list[str]:
    """Make the pictures that the searches allow; their names."""
    _draw_runs(folder / "search.png", title, searches)
    axes = numeric_axes({key: _different(answers, key) for key in answers[0].inputs if _in_all(answers, key)})
    if not axes:
        return ["search.png"]
    across = next((axis for axis in axes if axis.key == VOLUME), axes[0])
    _draw_answers(folder / "answers.png", title, across, searches[0].asked, answers)
    return ["search.png", "answers.png"]


def curves_over(across: Axis, answers: Sequence[Answer]) -> dict[str, list[tuple[float, Answer]]]:
    """Answers in the order of a number that changes, by what else they have in common."""
    numbers = dict(zip(across.given, across.numbers, strict=True))
    curves: dict[str, list[tuple[float, Answer]]] = {}
    for answer in sorted(answers, key=lambda answer: numbers[answer.inputs[across.key]]):
        name = _name({key: value for key, value in answer.inputs.items() if key != across.key})
        curves.setdefault(name, []).append((numbers[answer.inputs[across.key]], answer))
    return curves


def _in_all(answers: Sequence[Answer], key: str) -> bool:
    """Whether every search has a value of a key that a table can hold."""
    return all(isinstance(answer.inputs.get(key), str | int | float) for answer in answers)


def _different(answers: Sequence[Answer], key: str) -> list[str | int | float]:
    """The values that a key has."""
    return list(dict.fromkeys(answer.inputs[key] for answer in answers))


def _name(inputs: Mapping[str, object]) -> str:
    """Values in a legend; of a long key its last part says enough."""
    return ", ".join(f"{key.rsplit('.', 1)[-1]} = {value}" for key, value in input_cells(inputs).items())


def _label(asked: SearchInput) -> str:
    """What is looked for, and its unit."""
    end = asked.between.between[0]
    unit = number_and_unit(end)[1] if isinstance(end, str) else ""
    return f"{', '.join(asked.key)}{f' [{unit}]' if unit else ''}"


def _draw_runs(file: Path, title: str, searches: Sequence[Search]) -> None:
    """The runs of each search: how many times the tightest limit is kept over the value; those without that at the bottom."""
    figure, frame = titled_figure(title)
    points: dict[tuple[str, bool], list[tuple[float, float]]] = {}
    for number, search in enumerate(searches):
        ended = zip(search.bracket.probes, search.runs, strict=True)
        told = sorted((number_of(search.asked.value(probe.place)), kept(row), row.verdict) for probe, (_, row) in ended)
        for value, factor, verdict in told:
            points.setdefault((verdict, factor is None), []).append((value, AT_BOTTOM if factor is None else factor))
        line = sorted((value, factor) for value, factor, _ in told if factor is not None)
        style: dict[str, Any] = {"color": CURVES[number % len(CURVES)], "linestyle": STYLES[number // len(CURVES) % len(STYLES)]}
        name = _name(search.inputs) if len(searches) <= MOST_NAMED else ""
        frame.plot(*zip(*line, strict=True) if line else ((), ()), linewidth=1.0, zorder=1, label=name or None, **style)
    for (verdict, low), places in points.items():
        look: dict[str, Any] = {"marker": MARKS[verdict], "color": COLOURS[verdict], "edgecolor": "white", "s": 50.0, "zorder": 2}
        where = frame.get_xaxis_transform() if low else frame.transData
        frame.scatter(
            *zip(*places, strict=True), transform=where, label=f"{verdict}, by how much unknown" if low else verdict, **look
        )
    frame.axhline(1.0, color="black", linewidth=0.8, linestyle=(0, (4, 2)))
    known = [height for (_, low), places in points.items() if not low for _, height in places]
    if known and min(known) > 0.0:
        _logarithmic(frame, "y")
    _logarithmic(frame, "x")
    frame.set_xlabel(_label(searches[0].asked), parse_math=False)
    frame.set_ylabel("times that the tightest limit is kept\n(for a temperature 1 + its margin)")
    _legend(frame)
    save_picture(figure, file)


def _draw_answers(file: Path, title: str, across: Axis, asked: SearchInput, answers: Sequence[Answer]) -> None:
    """The answers over a number; where there is none, a mark at the end of what was looked at."""
    figure, frame = titled_figure(title)
    least = asked.find == "least"
    most_hopeful = number_of(asked.value(asked.good))
    marks = {"found": "o", "unclear": "D", "all met": "v" if least else "^", "none met": "x"}
    labels = {
        "all met": f"even {'less' if least else 'more'} may do",
        "none met": "none meets all criteria",
        "unclear": "unclear",
    }
    curves = curves_over(across, answers)
    heights = []
    for number, (name, points) in enumerate(curves.items()):
        style: dict[str, Any] = {"color": CURVES[number % len(CURVES)], "linestyle": STYLES[number // len(CURVES) % len(STYLES)]}
        known = [(at, number_of(answer.value)) for at, answer in points if answer.value is not None]
        label = name if name and len(curves) <= MOST_NAMED else None
        frame.plot(*zip(*known, strict=True) if known else ((), ()), linewidth=1.0, label=label, **style)
        for at, answer in points:
            heights.append(most_hopeful if answer.value is None else number_of(answer.value))
            label = labels.pop(answer.outcome, None)
            frame.scatter([at], heights[-1:], marker=marks[answer.outcome], color=style["color"], label=label, zorder=2)
    if max(heights) >= DECADE * min(heights):
        _logarithmic(frame, "y")
    else:
        frame.set_ylim(0.0, 1.1 * max(heights))
    if min(across.numbers) > 0.0 and max(across.numbers) >= DECADE * min(across.numbers):
        _logarithmic(frame, "x")
    frame.set_xlabel(across.label, parse_math=False)
    frame.set_ylabel(f"{asked.find} value that meets all criteria\n{_label(asked)}", parse_math=False)
    _legend(frame)
    save_picture(figure, file)


def _logarithmic(frame: Axes, which: Literal["x", "y"]) -> None:
    """Equal steps for equal ratios, with numbers as one writes them."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    frame.set(**{f"{which}scale": "log"})
    axis = frame.xaxis if which == "x" else frame.yaxis
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def _legend(frame: Axes) -> None:
    """A legend where there is something to tell; names are no formulas."""
    if frame.get_legend_handles_labels()[1]:
        for text in frame.legend(frameon=False, fontsize=8.0).get_texts():
            text.set_parse_math(False)
