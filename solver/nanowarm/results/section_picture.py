"""A flat section of the body through the place where the criterion that decides is worst."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanowarm.results.field_series import FieldSeries, read_series
from nanowarm.results.sentences import number_text
from nanowarm.results.view_fields import look, title, worst_points

Array = NDArray[np.float64]
Row = Mapping[str, Any]

MOST_FRAMES = 24
MILLIMETRES = 1e3
DOTS_PER_INCH = 170
RIM, ASIDE = 1e-3, 1.7e-4  # of the extent of the body, what a cut is moved by; a face of cells has no inside to show
COLOURS = "cividis"  # even to the eye, and told apart by the colour-blind
_ACROSS = {0: (1, 2), 1: (0, 2), 2: (0, 1)}  # axes of the picture by the axis it is cut across


@dataclass(frozen=True, eq=False)
class Section:
    """A picture of a cut.

    Args:
        image: PNG.
        alt: what it shows, with numbers.
        caption: the same for those who see it.
    """

    image: bytes
    alt: str
    caption: str


@dataclass(frozen=True, eq=False)
class _Plan:
    """What is cut and shown: the field's name and values at the nodes, when, where [m], and across which axis."""

    name: str
    values: Array
    when: str
    place: Array
    axis: int
    label: str | None


def section_picture(folder: Path, summary: Row, record: Row) -> Section | None:
    """The section of a run; None where its fields are missing or can't be read, or hold nothing to show.

    Args:
        folder: of the run.
        summary: content of `summary.json`.
        record: content of `record.json`.
    """
    path = folder / "fields.vtkhdf"
    if not path.is_file():
        return None
    try:
        series = read_series(path, MOST_FRAMES)
    except (OSError, KeyError, ValueError):
        return None
    plan = _plan(series, summary) if len(series.cells) else None
    return None if plan is None else _drawn(series, plan, record)


def _plan(series: FieldSeries, summary: Row) -> _Plan | None:
    """The field that the deciding criterion is about, at its time, through its worst place; else the temperature, mid-way."""
    known = {**series.moving, **{name: (values,) for name, values in series.nodal.items()}}
    points = worst_points(summary, known)
    first: dict[str, Any] = points[0] if points else {"field": "temperature", "where": None, "time": None, "label": None}
    name = first["field"] if first["field"] in known else "temperature"
    if name not in known:
        return None
    middle = (series.points.min(axis=0) + series.points.max(axis=0)) / 2.0
    place = middle if first["where"] is None else np.array(first["where"]) / MILLIMETRES
    frame, when = -1, "of the whole run" if name not in series.moving else f"at {series.times[-1]:.4g} s"
    if name in series.moving and first["time"] is not None:
        frame = int(np.abs(series.times - first["time"]).argmin())
        when = f"at {series.times[frame]:.4g} s"
    extent = np.ptp(series.points, axis=0)
    axis = _best_axis(extent)
    return _Plan(name, look(name).shown(known[name][frame]), when, place, axis, first["label"])


def _best_axis(extent: Array) -> int:
    """The axis to cut across: the shortest, of equal ones y before x before z, so that upright bodies stay upright."""
    return min((1, 0, 2), key=lambda axis: round(float(extent[axis] / extent.max()), 2))


def _drawn(series: FieldSeries, plan: _Plan, record: Row) -> Section | None:
    import pyvista

    cells = np.insert(series.cells, 0, 4, axis=1).ravel()
    body: Any = pyvista.UnstructuredGrid(cells, np.full(len(series.cells), 10, dtype=np.uint8), series.points)
    body.point_data["shown"], body.cell_data["region"] = plan.values, series.region
    normal = np.eye(3)[plan.axis]
    cut = body.slice(normal, origin=_inside(series.points, plan)).triangulate()
    if not cut.n_cells:
        return None
    points, triangles = np.asarray(cut.points)[:, _ACROSS[plan.axis]] * MILLIMETRES, cut.faces.reshape(-1, 4)[:, 1:]
    values = np.asarray(cut.point_data["shown"], dtype=float)
    if not np.isfinite(values[triangles]).all(axis=1).any():
        return None
    regions = np.asarray(cut.cell_data["region"])
    place = plan.place[list(_ACROSS[plan.axis])] * MILLIMETRES if plan.label else None
    image = _image(points, triangles, (values, regions), (plan, place))
    return Section(image, *_words(plan, values, regions, record))


def _inside(points: Array, plan: _Plan) -> Array:
    """Where to cut [m]: at the place, a little inside where that lies on the rim, and off planes in which cells may meet."""
    low, high = points.min(axis=0), points.max(axis=0)
    rim, aside = RIM * (high - low), ASIDE * (high - low)
    return np.asarray(np.clip(plan.place + aside, low + rim, high - rim))


def _words(plan: _Plan, values: Array, regions: NDArray[Any], record: Row) -> tuple[str, str]:
    """Description and caption."""
    low, high = (number_text(float(extreme), 4) for extreme in (np.nanmin(values), np.nanmax(values)))
    unit = f" {look(plan.name).unit}".rstrip()
    axis, at = "xyz"[plan.axis], _millimetres(plan.place[plan.axis])
    many = len(np.unique(regions)) > 1
    caption = f"{plan.name[0].upper()}{plan.name[1:]} {plan.when}, cut at {axis} = {at} mm"
    place = ", ".join(_millimetres(x) for x in plan.place)
    worst = f"; the ring marks the worst place of {plan.label}, ({place}) mm" if plan.label else ""
    log = "powers of ten of " if look(plan.name).least is not None else ""
    alt = f"Section of the body: {caption}, {log}{low} to {high}{unit}{worst}"
    return alt, f"{caption}{worst}{'; lines are edges of regions' if many else ''}."


def _millimetres(metres: float) -> str:
    """A coordinate [mm] to a hundredth."""
    return number_text(round(MILLIMETRES * float(metres), 2) + 0.0, 6)


def _image(points: Array, triangles: NDArray[Any], shown: tuple[Array, NDArray[Any]], marked: tuple[_Plan, Any]) -> bytes:
    """The section as PNG."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.tri import Triangulation

    (values, regions), (plan, place), image = shown, marked, io.BytesIO()
    wide, tall = np.ptp(points, axis=0)
    with rc_context({"font.size": 10.0}):
        figure = Figure(figsize=(5.4, float(np.clip(4.3 * tall / max(wide, 1e-9) + 0.5, 2.2, 5.6))), layout="constrained")
        across = _ACROSS[plan.axis]
        axes: Any = figure.add_subplot(xlabel=f"{'xyz'[across[0]]} [mm]", ylabel=f"{'xyz'[across[1]]} [mm]", aspect="equal")
        mask = ~np.isfinite(values[triangles]).all(axis=1)
        grid = Triangulation(points[:, 0], points[:, 1], triangles, mask)
        if mask.any():
            rest = Triangulation(points[:, 0], points[:, 1], triangles[mask])
            axes.tripcolor(rest, facecolors=np.zeros(mask.sum()), cmap="Greys", vmin=-1.0, vmax=3.0)
        drawn = axes.tripcolor(grid, np.nan_to_num(values), shading="gouraud", cmap=COLOURS, **_span(values))
        for segment in _edges(triangles, regions):
            axes.plot(*points[segment].T, color="black", linewidth=0.8, solid_capstyle="round")
        log = "log10 of " if look(plan.name).least is not None else ""
        figure.colorbar(drawn, ax=axes, label=f"{log}{title(plan.name)}", shrink=0.9)
        if place is not None:
            axes.plot(*place, "o", markersize=13, markerfacecolor="none", markeredgecolor="white", markeredgewidth=4.5)
            axes.plot(*place, "o", markersize=13, markerfacecolor="none", markeredgecolor="#B00020", markeredgewidth=2.2)
        axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(image, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    return image.getvalue()


def _span(values: Array) -> dict[str, float]:
    """The ends of the colours: all values but the outermost thousandths, so that one odd node does not hide the rest."""
    low, high = np.nanpercentile(values, [0.1, 99.9])
    return {"vmin": float(low), "vmax": float(high)} if high > low else {}


def _edges(triangles: NDArray[Any], regions: NDArray[Any]) -> NDArray[Any]:
    """Pairs of points between which one region ends, shape (edges, 2)."""
    pairs = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    owner = np.tile(regions, 3)
    order = np.lexsort(pairs.T)
    pairs, owner = pairs[order], owner[order]
    same = np.append((pairs[1:] == pairs[:-1]).all(axis=1), False)
    before = np.insert(same[:-1], 0, False)
    differs = same & (owner != np.append(owner[1:], 0))
    return np.asarray(pairs[differs | ~(same | before)])
