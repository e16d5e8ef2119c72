"""The report of a run: one page for people, made from the run folder's own files."""

from __future__ import annotations

import base64
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanowarm.errors import CaseError
from nanowarm.quantity import ZERO_CELSIUS, temperature
from nanowarm.results.dose_histograms import Histogram, read_histograms
from nanowarm.results.dose_section import dosed_regions, histogram_pictures, tissue_rows
from nanowarm.results.ice_section import ice_and_stress, ice_and_stress_charts
from nanowarm.results.limits import limited_by, limits
from nanowarm.results.picture import BLACK, BLUE, GREEN, ORANGE, PINK, Chart, Line, chart_svg
from nanowarm.results.run_folder import Run, open_run, write_whole
from nanowarm.results.sentences import asked_limit, is_upper, number_text, percent_text, readable, verdict_sentence
from nanowarm.results.view import script_policy, view_html

Row = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class RunFiles:
    """What a run folder holds, read.

    Args:
        summary: content of `summary.json`.
        record: content of `record.json`.
        case: content of `case.toml`.
        history: columns of `history.csv`.
        picture: content of `picture.png`; None where there is none.
        histograms: content of `histograms.csv`; none where doses were not followed.
    """

    summary: Row
    record: Row
    case: Row
    history: Mapping[str, NDArray[Any]]
    picture: bytes | None
    histograms: tuple[Histogram, ...] = ()


def write_report(folder: Path, summary: Mapping[str, Any] | None = None) -> Path:
    """Make `report.html` of a finished run from the other files in its folder, and return its path.

    Args:
        folder: of the run.
        summary: content of `summary.json` where that is not written yet.

    Raises:
        CaseError: a file of the folder is missing or can't be read.
    """
    files = _read(folder, open_run(folder).summary if summary is None else summary)
    path = folder / "report.html"
    write_whole(path, _page(files, view_html(folder, files.summary)))
    return path


def _read(folder: Path, summary: Mapping[str, Any]) -> RunFiles:
    run, picture = Run(folder), folder / "picture.png"
    try:
        record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
        case = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))
        image = picture.read_bytes() if picture.is_file() else None
        return RunFiles(summary, record, case, run.history, image, read_histograms(folder / "histograms.csv"))
    except FileNotFoundError as error:
        raise CaseError(f"{folder}: no complete run: there is no {Path(error.filename).name} in it") from None
    except ValueError as error:
        raise CaseError(f"{folder}: a file of the run can't be read: {error}") from None


def _page(files: RunFiles, view: str | None) -> str:
    import jinja2

    page = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    page.filters |= {"number": number_text, "percent": percent_text, "readable": readable, "flat": flat}
    template = page.from_string(resources.files("nanowarm.results").joinpath("report.html.j2").read_text(encoding="utf-8"))
    record = {"versions": {}, "files": {}, "mesh": {}, "steps": {}, "stages": [], "inputs": [], "notes": [], **files.record}
    ended = {stage["name"]: stage for stage in record["stages"]}
    limiting = limits(files.summary["criteria"])
    return template.render(
        summary=files.summary,
        record=record,
        case=files.case,
        sentence=verdict_sentence(files.summary, files.case),
        criteria=[_criterion(files, number) for number in range(len(files.summary["criteria"]))],
        stages=[(stage, ended.get(stage["name"])) for stage in files.case.get("stages", [])],
        charts=_charts(files),
        doses=_doses(files),
        limits=limiting,
        limited_by=limited_by(limiting),
        ice=ice_and_stress(files.summary),
        picture=None if files.picture is None else _inline(files.picture, "image/png"),
        view=view,
        script_policy=script_policy(),
    )


def flat(tree: Row, digits: int = 6, above: str = "") -> list[tuple[str, str]]:
    """Every value of a tree of tables with its dotted key; numbers to some significant digits."""
    rows: list[tuple[str, str]] = []
    for key, value in tree.items():
        named = f"{above}{key}"
        if isinstance(value, Mapping):
            rows += flat(value, digits, f"{named}.")
        elif isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
            for number, item in enumerate(value, 1):
                rows += flat(item, digits, f"{named}[{number}].")
        else:
            items = value if isinstance(value, list) else [value]
            texts = [number_text(item, digits) if isinstance(item, float) else readable(item) for item in items]
            rows.append((named, ", ".join(texts)))
    return rows


def _criterion(files: RunFiles, number: int) -> Row:
    """A criterion's entry as shown, with what its limit is called and, for a rate, its window [degC]."""
    row = _in_percent(files.summary["criteria"][number])
    asked = files.case.get("criteria", [])
    window = _window(files, asked[number]) if number < len(asked) and "rate" in row["kind"] else None
    return {**row, "asked": asked_limit(number, files.case), "window": window, "upper": is_upper(row)}


def _in_percent(row: Row) -> Row:
    """A criterion's entry; one about ice with its numbers in percent, as people give so small parts."""
    if row["kind"] != "ice":
        return row
    parts = {key: 100.0 * row[key] for key in ("value", "limit", "worst") if row.get(key) is not None}
    return {**row, **parts, "unit": f"% {row['unit']}"}


def _doses(files: RunFiles) -> Row | None:
    """What the section on doses shows; None where none were followed."""
    regions = dosed_regions(files.summary)
    if not regions:
        return None
    pictures = histogram_pictures(files.histograms)
    charts = [{"title": title, "alt": alt, "image": _inline(svg, "image/svg+xml")} for title, alt, svg in pictures]
    return {"regions": regions, "limits": tissue_rows(list(regions), files.histograms), "charts": charts}


def _charts(files: RunFiles) -> list[dict[str, str]]:
    """Title, description and image of every chart that the history has something for."""
    stages = tuple((stage["name"], stage["start_s"], stage["end_s"]) for stage in files.record.get("stages", []))
    charts = []
    for chart in _contents(files):
        if any(np.isfinite(line.values).any() and line.values.any() for line in chart.lines):
            image = _inline(chart_svg(chart, files.history["time_s"], stages), "image/svg+xml")
            charts.append({"title": chart.title, "alt": _description(chart), "image": image})
    return charts


def _contents(files: RunFiles) -> list[Chart]:
    history = files.history
    parts = (("hottest", "max", ORANGE, "-"), ("mean", "mean", BLACK, "--"), ("coldest", "min", BLUE, "-"))
    charts, own = [], set()
    for region in files.summary["regions"]:
        columns = [(label, f"{region}_{part}_degC", colour, style) for label, part, colour, style in parts]
        own |= {name for _, name, _, _ in columns}
        charts.append(Chart(f"Temperature of {region}", "temperature [°C]", _lines(history, columns), _windows(files, region)))
    for region in dosed_regions(files.summary):
        styles = (("T10", "t10", ORANGE, "-"), ("T50", "t50", BLACK, "--"), ("T90", "t90", BLUE, "-"))
        columns = [(label, f"{region}_{level}_degC", colour, style) for label, level, colour, style in styles]
        own |= {name for _, name, _, _ in columns}
        charts.append(Chart(f"T90, T50 and T10 of {region}", "temperature [°C]", _lines(history, columns)))
    probes = [name for name in history if name.startswith("probe_") and name.endswith("_degC") and name not in own]
    looks = [(colour, style) for style in ("-", "--", ":") for colour in (BLUE, ORANGE, GREEN, PINK, BLACK)]
    columns = [(name[6:-5], name, *looks[number % len(looks)]) for number, name in enumerate(probes)]
    field = [("amplitude", "field_kA_per_m", BLUE, "-")]
    energy = [("stored", "stored_J", BLACK, "-"), ("supplied by the field", "supplied_J", ORANGE, "--")]
    energy.append(("flowed in through surfaces", "inflow_J", BLUE, ":"))
    return [
        *charts,
        *ice_and_stress_charts(history, files.summary),
        Chart("Temperature of the probes", "temperature [°C]", _lines(history, columns)),
        Chart("Magnetic field", "peak amplitude [kA/m]", _lines(history, field), jumps=True),
        Chart("Energy since the start", "energy [J]", _lines(history, energy)),
    ]


def _lines(history: Mapping[str, NDArray[Any]], columns: Sequence[tuple[str, str, str, str]]) -> tuple[Line, ...]:
    return tuple(Line(label, history[name], colour, style) for label, name, colour, style in columns if name in history)


def _windows(files: RunFiles, region: str) -> tuple[tuple[float, float], ...]:
    """Temperatures [degC] between which rates of a region were judged; its material's own where none were asked."""
    asked = [row for row in files.case.get("criteria", []) if row["region"] == region and "rate" in row["kind"]]
    windows = [_window(files, row) for row in asked or [{"region": region}]]
    return tuple(dict.fromkeys(window for window in windows if window is not None))


def _window(files: RunFiles, criterion: Row) -> tuple[float, float] | None:
    """Temperatures [degC] of a criterion's window: its own, or that of the region's material if known."""
    texts = criterion.get("window")
    if texts is None:
        material = files.case["regions"][criterion["region"]]["material"]
        parts = {Path(name).name for name in ([material] if isinstance(material, str) else material["mix"])}
        inputs = [row for row in files.record.get("inputs", []) if Path(row["of"]).name in parts]
        known = {row["what"]: row["value"].split(" to ") for row in reversed(inputs) if row["what"].endswith("ing window")}
        cooling = known.get("cooling window") if criterion.get("kind") == "cooling rate" else None
        texts = cooling or known.get("warming window")
    low, high = sorted(temperature(text) - ZERO_CELSIUS for text in texts) if texts else (None, None)
    return None if low is None or high is None else (round(low, 6), round(high, 6))


def _description(chart: Chart) -> str:
    """What a chart shows, for those who can't see it."""
    parts = [
        f"{line.label} from {number_text(line.values[0])} to {number_text(line.values[-1])}, "
        f"lowest {number_text(np.nanmin(line.values))}, highest {number_text(np.nanmax(line.values))}"
        for line in chart.lines
        if np.isfinite(line.values).any()
    ]
    return f"{chart.title} over time, {chart.unit}: {'; '.join(parts)}"


def _inline(image: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(image).decode('ascii')}"
