"""The charts of a study report: pictures that the study has left in its folder, and those that its table allows."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from nanowarm.results.picture import figure_svg
from nanowarm.results.sentences import number_text, readable
from nanowarm.studies.pareto import Array, Goal, default_pair, goals, non_dominated
from nanowarm.studies.pictures import COLOURS
from nanowarm.studies.search_pictures import MARKS
from nanowarm.studies.searches import kept
from nanowarm.studies.study_results import Study
from nanowarm.studies.study_sentence import answer_sentence

MOST_BYTES = 400_000  # of an SVG; where it is larger the PNG stands for it
MOST_SIGNS = 400  # points that are drawn one by one
LEAST_MARGINS = 8  # of which a histogram says something
LEAST_BARS, MOST_BARS = 8, 40
PERCENT = 100.0


@dataclass(frozen=True, eq=False)
class Picture:
    """A chart of the report.

    Args:
        title: of the chart.
        alt: what it shows, for those who can't see it.
        image: its content.
        kind: media type.
        goals: numbers of the two goals that it compares; none for other charts.
    """

    title: str
    alt: str
    image: bytes
    kind: str = "image/svg+xml"
    goals: tuple[int, int] | None = None


_KEPT = (
    ("scale-up", "The largest volume that meets all criteria"),
    ("answers", "What the searches have found"),
    ("search", "How the searches closed in: times that the tightest limit is kept"),
    ("table", "How each combination ended"),
    ("sobol", "What the variance of each criterion is due to"),
    ("margin", "What each criterion reaches, and its limit"),
)


def charts(study: Study) -> list[Picture]:
    """The charts of a study but those that compare goals."""
    found = [picture for name, title in _KEPT if (picture := _from_folder(study, name, title)) is not None]
    if study.asked.search is None and study.asked.uncertainty is None:
        found += [picture for picture in (_margins(study),) if picture is not None]
    return found


def _from_folder(study: Study, name: str, title: str) -> Picture | None:
    """A picture that the study has left; as a drawing where that is not too large."""
    drawing, image = study.folder / f"{name}.svg", study.folder / f"{name}.png"
    if drawing.is_file() and (drawing.stat().st_size <= MOST_BYTES or not image.is_file()):
        return Picture(title, _described(study, name, title), drawing.read_bytes())
    return Picture(title, _described(study, name, title), image.read_bytes(), "image/png") if image.is_file() else None


def _described(study: Study, name: str, title: str) -> str:
    """What a picture of the folder shows."""
    if name in ("answers", "search"):
        told = [f"{readable(answer['value'])} ({answer['outcome']})" for answer in study.answers]
        return f"{title}: {', '.join(told)}"
    judged = study.uncertainty["criteria"] if study.uncertainty is not None else []
    if name == "sobol":
        told = [f"{one['of']}: " + ", ".join(f"{s['name']} {s['total']:.2f}" for s in one["shares"]) for one in judged]
        return f"{title}; total Sobol indices: {readable('; '.join(told))}"
    if name == "margin":
        parts = [", ".join(f"{at} {number_text(value)}" for at, value in one["quantiles"].items()) for one in judged]
        told = [f"{one['of']}: limit {number_text(one['limit'])}; {part}" for one, part in zip(judged, parts, strict=True)]
        return f"{title}: {readable('; '.join(told))}"
    return f"{title}. {answer_sentence(study)}"


def pareto(study: Study, most: int | None = None) -> tuple[list[str], list[Picture]]:
    """Labels of the goals that runs differ in, and a chart for each two of them, the default one first.

    Values that scatter are no choices, and a search looks along one line: there is nothing to weigh in these.

    Args:
        study: with its table.
        most: charts that are wanted; all where left out.
    """
    if study.asked.uncertainty is not None or study.asked.search is not None:
        return [], []
    found = goals(study)
    first = default_pair(found)
    pairs = sorted(combinations(range(len(found)), 2), key=lambda pair: {found[place] for place in pair} != set(first))
    return [goal.label for goal in found], [_weighed(study, found, pair) for pair in pairs[:most]]


def _weighed(study: Study, found: list[Goal], pair: tuple[int, int]) -> Picture:
    """All runs over two goals, those marked that no other one beats."""
    across, up = (found[place] for place in pair)
    front = non_dominated(across.costs, up.costs)
    figure = _figure(4.4)
    frame = figure.add_subplot()
    ranked = np.flatnonzero(front)[np.argsort(across.values[front])]
    label = "no other run is better in both"
    frame.plot(across.values[ranked], up.values[ranked], color="0.25", linewidth=1.0, zorder=1, label=label)
    verdicts = np.array([row.verdict for row in study.rows])
    for verdict, colour in COLOURS.items():
        for chosen, look in (((verdicts == verdict) & ~front, 18.0), ((verdicts == verdict) & front, 46.0)):
            _scatter(frame, (across.values[chosen], up.values[chosen]), look, colour, verdict)
    for goal, name in ((across, "x"), (up, "y")):
        frame.set(**{f"{name}label": f"{goal.label}, {'more' if goal.more else 'less'} is better"})
    _finish(frame)
    told = ", ".join(str(study.table[place].get("run")) for place in ranked[:12])
    title = f"{up.label} against {across.label}"
    alt = f"{title}: {ranked.size} of {len(study.rows)} runs are beaten by no other one in both: run {told}"
    return Picture(title, alt, figure_svg(figure), goals=pair)


def _scatter(frame: Any, points: tuple[Array, Array], size: float, colour: str, verdict: str) -> None:
    """Points of runs with one verdict; pale ones are small, as some other run beats them."""
    small = size < 30.0  # [points^2]
    style = {"s": size, "color": colour, "marker": MARKS[verdict], "rasterized": points[0].size > MOST_SIGNS}
    edge = {"edgecolor": "none", "alpha": 0.55} if small else {"edgecolor": "black", "linewidth": 0.7}
    named = frame.get_legend_handles_labels()[1]
    if points[0].size:
        frame.scatter(*points, **style, **edge, zorder=2 if small else 3, label=None if verdict in named else verdict)


def _margins(study: Study) -> Picture | None:
    """Histograms of the margins of each criterion; None where too few runs have any."""
    found: dict[str, list[float]] = {}
    for row in study.rows:
        for entry in row.summary["limits"] if row.summary is not None else ():
            if entry["margin"] is not None:
                found.setdefault(f"{entry['criterion'] + 1}. {entry['kind']} of {entry['region']}", []).append(entry["margin"])
    found = {name: margins for name, margins in sorted(found.items()) if len(margins) >= LEAST_MARGINS}
    if not found:
        return None
    figure = _figure(0.5 + 2.0 * len(found))
    for (name, margins), frame in zip(found.items(), figure.subplots(len(found), 1, squeeze=False)[:, 0], strict=True):
        _bars(frame, PERCENT * np.array(margins))
        frame.set_title(name, fontsize=9.0, parse_math=False)
        frame.set_ylabel("runs")
    frame.set_xlabel("margin to the limit [%]; missed to the left of the line")
    parts = [f"{name}: {np.mean(np.array(margins) >= 0.0):.0%} of {len(margins)} runs meet it" for name, margins in found.items()]
    return Picture("Margins of the criteria", f"Margins of the criteria. {'; '.join(parts)}", figure_svg(figure))


def _bars(frame: Any, values: Array) -> None:
    """A histogram of margins [%] with an edge at zero."""
    count = min(MOST_BARS, max(LEAST_BARS, round(values.size**0.5)))
    width = (max(0.0, values.max()) - min(0.0, values.min())) / count or 1.0
    edges = width * np.arange(np.floor(values.min() / width), np.floor(values.max() / width) + 2)
    for verdict, chosen in (("missed", values < 0.0), ("met", values >= 0.0)):
        frame.hist(values[chosen], bins=edges, color=COLOURS[verdict], edgecolor="white", label=verdict)
    frame.axvline(0.0, color="black", linewidth=1.0)
    frame.legend(frameon=False, fontsize=8.0)


def draw_runs(figure: Any, study: Study) -> None:
    """How many times the tightest limit is kept in each run, and how the run ended, into an empty figure."""
    frame = figure.add_subplot(xlabel="line of the table", ylabel="times that the tightest limit is kept")
    factors = np.array([np.nan if (factor := kept(row)) is None else factor for row in study.rows], dtype=float)
    verdicts, places = np.array([row.verdict for row in study.rows]), np.arange(1, len(study.rows) + 1)
    for verdict, colour in COLOURS.items():
        chosen = (verdicts == verdict) & np.isfinite(factors)
        _scatter(frame, (places[chosen], factors[chosen]), 46.0, colour, verdict)
    frame.axhline(1.0, color="black", linewidth=0.8, linestyle=(0, (4, 2)))
    frame.set_title(study.title, fontsize=10.0, parse_math=False)
    _finish(frame)


def _figure(height: float) -> Any:
    """An empty figure as wide as those that a study leaves."""
    from matplotlib.figure import Figure

    return Figure(figsize=(6.4, height), layout="constrained")


def _finish(frame: Any) -> None:
    """Grid and legend; names are no formulas."""
    frame.spines[["top", "right"]].set_visible(False)
    frame.grid(alpha=0.25)
    frame.xaxis.label.set_parse_math(False)
    frame.yaxis.label.set_parse_math(False)
    if frame.get_legend_handles_labels()[1]:
        for text in frame.legend(frameon=False, fontsize=8.0).get_texts():
            text.set_parse_math(False)
