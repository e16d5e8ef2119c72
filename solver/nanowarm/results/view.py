"""The interactive view of a run's fields in its report: the body to turn, to cut, and to follow over time.

Everything is in the page: surfaces and fields as bytes, and a program that draws them with the browser's own
WebGL 2. Nothing is loaded, so it works from a file and without a network.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanowarm.results.field_series import FieldSeries, read_series
from nanowarm.results.run_folder import open_run
from nanowarm.results.view_fields import levels, look, title, worst_points
from nanowarm.results.view_grid import MOST_PLACES, Grid, coded, differences, grid_around
from nanowarm.results.view_surface import Surfaces, simplified, surfaces

Array = NDArray[np.float64]

MOST_FRAMES = 24
MOST_TRIANGLES = 20_000
MOST_BYTES = 6_000_000  # of all fields at all moments, before they are compressed
COLOURS = "viridis"  # even to the eye, and told apart by the colour-blind
MILLIMETRES = 1e3
_SAME = 1e-7  # of all values of a field: differences below it are those of rounding
_PLACES = 65535  # of a coordinate, in two bytes
_ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}  # so that no text can end the element that holds it


def view_html(folder: Path, summary: Mapping[str, Any] | None = None) -> str | None:
    """Markup of the view of a run's fields; None where the run wrote none.

    Where the browser can't show it, or the file can't be read, the picture of the body stands there instead.

    Args:
        folder: of a run.
        summary: as of `view_content`.
    """
    import jinja2

    path, picture = folder / "fields.vtkhdf", folder / "picture.png"
    if not path.is_file():
        return None
    fault, text = None, ""
    try:
        content = view_content(folder, summary)
        if content is None:
            return None
        text = _json(content)
    except (OSError, KeyError, ValueError) as error:
        fault = f"{path.name} can't be read: {error}"
    page = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(_file("view.html.j2"))
    image = base64.b64encode(picture.read_bytes()).decode("ascii") if picture.is_file() else None
    return page.render(content=text, fault=fault, picture=image, style=_file("view.css"), script=_script())


def _json(content: Mapping[str, Any]) -> str:
    """JSON that may stand inside an HTML element."""
    text = json.dumps(content, allow_nan=False, separators=(",", ":"))
    for sign, escaped in _ESCAPED.items():
        text = text.replace(sign, escaped)
    return text


def script_policy() -> str:
    """What a page's content security policy must allow as `script-src`: the view's own program and nothing else."""
    return policy_of(_script())


def policy_of(script: str) -> str:
    """What a content security policy must allow for one program, as it stands between the tags."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


@cache
def _script() -> str:
    """The view's program, as it stands between the tags."""
    parts = "\n".join(_file(name) for name in ("view_body.js", "view_scene.js", "view_camera.js", "view.js", "view_controls.js"))
    return f'\n"use strict";\n(() => {{\n{parts}}})();\n'


@cache
def _file(name: str) -> str:
    """Text of a file of this package."""
    return resources.files("nanowarm.results").joinpath(name).read_text(encoding="utf-8")


def view_content(folder: Path, summary: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
    """What the view shows, for JSON; None where there is no field.

    Args:
        folder: of a run.
        summary: what its `summary.json` holds, or will hold; read where left out.

    Raises:
        OSError: the field file can't be read.
        KeyError: something is missing in it.
        ValueError: its parts don't fit together.
    """
    summary = open_run(folder).summary if summary is None else summary
    record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    series = read_series(folder / "fields.vtkhdf", MOST_FRAMES)
    if not len(series.cells) or not (series.moving or series.nodal or series.cellwise):
        return None
    shown = sum(len(frames) for frames in series.moving.values()) + len(series.nodal) + len(series.cellwise)
    grid = grid_around(series.points, series.cells, min(MOST_PLACES, MOST_BYTES // shown))
    fields = [field for name, frames in _frames(series, grid) if (field := _field(name, frames, grid, series.times))]
    for field in fields:
        field["levels"] = levels(field["name"], summary, record)
    body = simplified(surfaces(series.points, series.cells, series.region), MOST_TRIANGLES)
    return {
        "regions": _regions(series, record),
        "surface": _surface(body),
        "grid": {"origin": _millimetres(grid.origin), "spacing": MILLIMETRES * grid.spacing, "shape": list(grid.shape)},
        "fields": fields,
        "points": worst_points(summary, [field["name"] for field in fields]),
        "stages": [{key: row[key] for key in ("name", "start_s", "end_s")} for row in record.get("stages", [])],
        "colours": _colours(),
    }


def _regions(series: FieldSeries, record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Number and name of each region of the mesh."""
    names = {number: name for name, number in record.get("mesh", {}).get("region_numbers", {}).items()}
    numbers = [int(number) for number in np.unique(series.region)]
    alone = "body" if len(numbers) == 1 else None
    return [{"number": number, "name": names.get(number, alone or f"region {number + 1}")} for number in numbers]


def _frames(series: FieldSeries, grid: Grid) -> list[tuple[str, list[Array]]]:
    """Every field by name, temperature first: its values as shown at each of its moments, on the grid, shape (places,)."""
    moving = {name: [grid.weights @ look(name).shown(frame) for frame in frames] for name, frames in series.moving.items()}
    nodal = {name: [grid.weights @ look(name).shown(values)] for name, values in series.nodal.items()}
    cellwise = {name: [look(name).shown(values)[grid.cell]] for name, values in series.cellwise.items()}
    return sorted((moving | nodal | cellwise).items(), key=lambda field: (field[0] != "temperature", field[0]))


def _field(name: str, frames: list[Array], grid: Grid, times: Array) -> dict[str, Any] | None:
    """A field for JSON; None where it has no value anywhere."""
    every = np.concatenate(frames)
    if not np.isfinite(every).any():
        return None
    whole, shown = np.ptp(every[np.isfinite(every)]), []
    for number, values in enumerate(frames):
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        codes = coded(values, low, high if high - low > _SAME * max(whole, abs(high)) else low, grid.shape)
        frame = {"low": codes.low, "high": codes.high, "codes": _packed(differences(codes.values, grid.shape))}
        frame |= {"known": _packed(differences(codes.known, grid.shape))} if codes.known is not None else {}
        shown.append(frame | ({"time": float(times[number])} if len(frames) > 1 else {}))
    scale = "linear" if look(name).least is None else "logarithm"
    return {"name": name, "title": title(name), "unit": look(name).unit, "scale": scale, "frames": shown}


def _surface(body: Surfaces) -> dict[str, Any]:
    """The surfaces for JSON: coordinates in two bytes each, corners in four."""
    low, extent = body.points.min(axis=0), np.ptp(body.points, axis=0)
    step = np.where(extent > 0.0, extent, 1.0) / _PLACES
    places = np.rint((body.points - low) / step).astype("<u2")
    return {
        "low": _millimetres(low),
        "high": _millimetres(low + extent),
        "points": _packed(places.T.tobytes()),
        "triangles": _packed(np.diff(body.triangles.ravel(), prepend=0).astype("<i4").tobytes()),
        "patches": body.patches.tolist(),
    }


def _millimetres(place: Array) -> list[float]:
    """A place [m] in mm, to a nanometre."""
    return [round(MILLIMETRES * float(x), 6) for x in place]


def _colours() -> str:
    """The colour map: 256 colours of three bytes."""
    from matplotlib import colormaps

    return base64.b64encode((colormaps[COLOURS](np.arange(256), bytes=True)[:, :3]).tobytes()).decode("ascii")


def _packed(content: bytes) -> str:
    """Bytes as compressed text, the same for the same bytes."""
    return base64.b64encode(gzip.compress(content, 6, mtime=0)).decode("ascii")
