"""The protocol of a run as one picture: its stages, what surrounds the body, the field, and what happened when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from nanowarm.physics.boundaries import AnyBoundary, Boundary
from nanowarm.physics.schedules import Schedule, since_stage
from nanowarm.quantity import ZERO_CELSIUS
from nanowarm.results.picture import BLACK, BLUE, GREEN, MINUTES_FROM, ORANGE, PINK, figure_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Row = Mapping[str, Any]
Array = NDArray[np.float64]
History = Mapping[str, NDArray[Any]]

POINTS = 240  # of a curve, in a stage
MOST_EVENTS = 12
_APART = 0.025  # of the whole time; numbers nearer than that overlap
_LETTER = 0.0085  # width of a letter, of the axes
_LOOKS = ((BLUE, "-"), (ORANGE, "--"), (GREEN, ":"), (PINK, "-."), (BLACK, (0, (1, 1))))
_SHADES = ("#dbe7f3", "#f0f0f0")
_BOUNDARY: TypeAdapter[Boundary] = TypeAdapter(AnyBoundary)


def surroundings(case: Row, stages: Sequence[Row]) -> dict[str, tuple[Array, Array]]:
    """Temperature [degC] around or on the surfaces over time [s], by the surfaces that share it.

    Args:
        case: content of `case.toml`.
        stages: of `record.json`, with their times.
    """
    asked = {stage["name"]: stage.get("boundaries") or {} for stage in case.get("stages", [])}
    found: dict[str, tuple[Array, Array]] = {}
    surfaces = {**case.get("boundaries", {}), **{name: {} for changes in asked.values() for name in changes}}
    for name in surfaces:
        base = case.get("boundaries", {}).get(name, {})
        times: list[Array] = []
        values: list[Array] = []
        for stage in stages:
            schedule = _temperature(base, asked.get(stage["name"], {}).get(name, {}))
            at = np.linspace(stage["start_s"], stage["end_s"], POINTS)
            told = [np.nan if schedule is None else schedule.value(float(t), stage["start_s"]) - ZERO_CELSIUS for t in at]
            times.append(at)
            values.append(np.array(told))
        if values and np.isfinite(np.concatenate(values)).any():
            found[name] = np.concatenate(times), np.concatenate(values)
    return _shared(found)


def _temperature(base: Row, change: Row) -> Schedule | None:
    """The temperature that a surface sees or is held at, as a stage changes it; None where it has none."""
    change = {key: since_stage(value) for key, value in change.items()}
    content = change if change.get("kind", base.get("kind")) != base.get("kind") else {**base, **change}
    try:
        boundary = _BOUNDARY.validate_python(_frozen(content))
    except ValidationError:
        return None
    return None if content["kind"] == "heat flux" or not boundary.schedules() else boundary.schedules()[-1]


def _frozen(content: Any) -> Any:
    """TOML data with tuples for lists, as records take them."""
    if isinstance(content, Mapping):
        return {key: _frozen(value) for key, value in content.items()}
    return tuple(_frozen(value) for value in content) if isinstance(content, list) else content


def _shared(curves: Mapping[str, tuple[Array, Array]]) -> dict[str, tuple[Array, Array]]:
    """Equal curves once, under the names of all their surfaces."""
    names: dict[bytes, list[str]] = {}
    for name, (_, values) in curves.items():
        names.setdefault(np.round(values, 6).tobytes(), []).append(name)
    return {", ".join(alike): curves[alike[0]] for alike in names.values()}


def events(case: Row, summary: Row, stages: Sequence[Row]) -> list[tuple[float, str]]:
    """What happened when [s]: transitions that a region's last place passed, and stages that ended by their condition."""
    found = [
        (float(row["last_s"]), f"{name} passed its {row['what']}" + ("" if row.get("fraction") in (None, 1.0) else " in part"))
        for name, region in summary["regions"].items()
        for row in region.get("crossings") or ()
        if row.get("last_s") is not None
    ]
    asked = {stage["name"]: stage.get("until") for stage in case.get("stages", [])}
    ends = ((stage["end_s"], asked.get(stage["name"])) for stage in stages)
    found += [(float(end), f"{until} reached") for end, until in ends if until]
    return sorted(found)


def timeline_svg(case: Row, history: History, stages: Sequence[Row], happened: Sequence[tuple[float, str]]) -> bytes:
    """The picture as SVG, the same bytes for the same numbers."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    time = history["time_s"]
    unit, scale = ("min", 60.0) if time[-1] >= MINUTES_FROM else ("s", 1.0)
    outside = surroundings(case, stages)
    rows = [0.55, *([1.0] if outside else []), *([0.9] if "field_kA_per_m" in history else [])]
    with rc_context({"font.size": 9.5}):
        figure = Figure(figsize=(11.0, 0.5 + 1.2 * sum(rows)), layout="constrained")
        grid = figure.subplots(len(rows), 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": rows})[:, 0]
        _bars(grid[0], stages, scale, time[-1])
        if outside:
            _outside(grid[1], outside, scale)
        if "field_kA_per_m" in history:
            grid[-1].fill_between(time / scale, history["field_kA_per_m"], step="pre", color=BLUE, alpha=0.3, linewidth=0)
            grid[-1].plot(time / scale, history["field_kA_per_m"], color=BLUE, drawstyle="steps-pre", linewidth=1.4)
            grid[-1].set_ylim(bottom=0.0)
            grid[-1].set_ylabel("field\n[kA/m]")
        for axes in grid:
            axes.spines[["top", "right"]].set_visible(False)
            for at, _ in happened[:MOST_EVENTS]:
                axes.axvline(at / scale, color="0.35", linewidth=0.8, linestyle=(0, (3, 2)))
        for at, label in _numbered([at for at, _ in happened[:MOST_EVENTS]], float(time[-1])):
            grid[0].annotate(label, (at / scale, 1.0), xycoords=("data", "axes fraction"), ha="center", va="bottom")
        grid[-1].set_xlabel(f"time [{unit}]")
        grid[-1].set_xlim(0.0, max(time[-1], 1e-9) / scale)
        return figure_svg(figure)


def _numbered(times: Sequence[float], end: float) -> list[tuple[float, str]]:
    """Where [s] the numbers of events stand, and the numbers; those that would overlap stand together."""
    groups: list[list[int]] = []
    for number, at in enumerate(times):
        near = bool(groups) and at - times[groups[-1][-1]] < _APART * end
        groups = [*groups[:-1], [*groups[-1], number]] if near else [*groups, [number]]
    ends = [(group[0] + 1, group[-1] + 1) for group in groups]
    labels = [str(first) if first == last else f"{first}\u2013{last}" for first, last in ends]
    return [(sum(times[n] for n in group) / len(group), label) for group, label in zip(groups, labels, strict=True)]


def _bars(axes: Axes, stages: Sequence[Row], scale: float, end: float) -> None:
    """Stages as bars with their names, or their numbers where those don't fit."""
    for number, stage in enumerate(stages):
        begin, width = stage["start_s"] / scale, (stage["end_s"] - stage["start_s"]) / scale
        axes.barh(0.0, width, 0.8, left=begin, color=_SHADES[number % 2], edgecolor="0.4", linewidth=0.8)
        room = (stage["end_s"] - stage["start_s"]) / max(end, 1e-9)
        label = next((text for text in (stage["name"], str(number + 1)) if len(text) * _LETTER < room), "")
        axes.text(begin + width / 2.0, 0.0, label, ha="center", va="center", parse_math=False)
    axes.set_yticks([])
    axes.set_ylabel("stages", rotation=0, ha="right", va="center")
    axes.spines["left"].set_visible(False)


def _outside(axes: Axes, curves: Mapping[str, tuple[Array, Array]], scale: float) -> None:
    """Temperatures of the surroundings."""
    for (name, (time, values)), (colour, style) in zip(curves.items(), _LOOKS, strict=False):
        axes.plot(time / scale, values, color=colour, linestyle=style, linewidth=1.5, label=f"\u200b{name}")
    axes.set_ylabel("around\n[°C]")
    axes.margins(y=0.15)
    for text in axes.legend(frameon=False, fontsize=8.5, loc="best").get_texts():
        text.set_parse_math(False)
