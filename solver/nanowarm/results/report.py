"""The report of a run: one page for people, made from the run folder's own files."""

from __future__ import annotations

import base64
import json
import math
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanowarm.errors import CaseError
from nanowarm.quantity import ZERO_CELSIUS, temperature
from nanowarm.results.picture import BLACK, BLUE, GREEN, ORANGE, PINK, Chart, Line, chart_svg
from nanowarm.results.run_folder import open_run

Row = Mapping[str, Any]

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LONG_NUMBER = re.compile(r"(?<![\w.])\d+\.\d{6,}(?![\w.])")  # more digits than anybody measured


@dataclass(frozen=True, eq=False)
class RunFiles:
    """What a run folder holds, read.

    Args:
        summary: content of `summary.json`.
        record: content of `record.json`.
        case: content of `case.toml`.
        history: columns of `history.csv`.
        picture: content of `picture.png`; None where there is none.
    """

    summary: Row
    record: Row
    case: Row
    history: Mapping[str, NDArray[Any]]
    picture: bytes | None


def write_report(folder: Path) -> Path:
    """Make `report.html` of a finished run from the other files in its folder, and return its path.

    Raises:
        CaseError: a file of the folder is missing or can't be read.
    """
    files = _read(folder)
    path = folder / "report.html"
    path.write_text(_page(files), encoding="utf-8")
    return path


def _read(folder: Path) -> RunFiles:
    run, picture = open_run(folder), folder / "picture.png"
    try:
        record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
        case = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))
        return RunFiles(run.summary, record, case, run.history, picture.read_bytes() if picture.is_file() else None)
    except FileNotFoundError as error:
        raise CaseError(f"{folder}: no complete run: there is no {Path(error.filename).name} in it") from None
    except ValueError as error:
        raise CaseError(f"{folder}: a file of the run can't be read: {error}") from None


def _page(files: RunFiles) -> str:
    import jinja2

    page = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    page.filters |= {"number": number_text, "percent": percent_text, "readable": readable, "flat": flat}
    template = page.from_string(resources.files("nanowarm.results").joinpath("report.html.j2").read_text(encoding="utf-8"))
    record = {"versions": {}, "files": {}, "mesh": {}, "steps": {}, "stages": [], "inputs": [], "notes": [], **files.record}
    ended = {stage["name"]: stage for stage in record["stages"]}
    return template.render(
        summary=files.summary,
        record=record,
        case=files.case,
        sentence=verdict_sentence(files.summary, files.case),
        criteria=[_criterion(files, number) for number in range(len(files.summary["criteria"]))],
        stages=[(stage, ended.get(stage["name"])) for stage in files.case.get("stages", [])],
        charts=_charts(files),
        picture=None if files.picture is None else _inline(files.picture, "image/png"),
    )


def number_text(value: float | None, digits: int = 3) -> str:
    """A number to some significant digits, all digits before the point kept; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    text = f"{value:.{digits}g}" if abs(value) < 10**digits else f"{value:.0f}"
    text = "0" if text == "-0" else text
    mantissa, e, power = text.partition("e")
    return mantissa.replace("-", "−") + (f" × 10{str(int(power)).translate(_RAISED)}" if e else "")


def percent_text(part: float | None) -> str:
    """A part of a whole, never rounded up to all of it."""
    if part is None:
        return "–"
    return "less than 0.1 %" if 0.0 < part < 1e-3 else f"{math.floor(1e3 * part + 1e-9) / 10:g} %"


def readable(text: Any) -> str:
    """Any value as a reader expects it: signs and units as printed."""
    short: str = _LONG_NUMBER.sub(lambda found: f"{float(found[0]):.6g}", str("–" if text is None else text))
    return short.replace("degC", "°C").replace("^2", "²").replace("^3", "³")


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


def verdict_sentence(summary: Row, case: Row) -> str:
    """The verdict in one sentence, with the margin of the criterion that decides it."""
    criteria, verdict = summary["criteria"], summary["verdict"]
    if not criteria:
        return "Solved: the case asks for nothing, so there is nothing to judge."
    deciding = [number for number, row in enumerate(criteria) if row["outcome"] == verdict] or [0]
    number = min(deciding, key=lambda number: _margin(criteria[number]))
    row = criteria[number]
    count = f"all {len(criteria)} criteria; the tightest" if verdict == "met" else f"{len(deciding)} of {len(criteria)} criteria"
    head = verdict.capitalize() + (f" ({count})" if len(criteria) > 1 else "")
    return f"{head}: {_SENTENCES.get(row['kind'], _other_sentence)(row, _asked(number, case))}."


def _criterion(files: RunFiles, number: int) -> Row:
    """A criterion's entry with what its limit is called and, for a rate, its window [degC]."""
    row = files.summary["criteria"][number]
    asked = files.case.get("criteria", [])
    window = _window(files, asked[number]) if number < len(asked) and "rate" in row["kind"] else None
    return {**row, "asked": _asked(number, files.case), "window": window}


def _asked(number: int, case: Row) -> str:
    """What the limit of a criterion is called."""
    criteria = case.get("criteria", [])
    at_least = criteria[number].get("at_least", "") if number < len(criteria) else ""
    return "critical" if at_least == "critical" else "asked"


def _margin(row: Row) -> float:
    """How far a value is on the good side of its limit, relative to it; negative beyond it."""
    if row["value"] is None or row["limit"] is None:
        return 0.0
    upper = row["kind"] == "temperature difference" or row.get("sense") == "at_most"
    room = row["limit"] - row["value"] if upper else row["value"] - row["limit"]
    return float(room / max(abs(row["limit"]), 1e-9))


def _room(row: Row) -> str:
    size = f"{number_text(100 * abs(_margin(row)), 2)} %"
    if row["kind"] == "temperature":
        size = f"{number_text(abs(row['value'] - row['limit']), 2)} {readable(row['unit'])}"
    return f"{size} to spare" if row["outcome"] == "met" else f"{size} beyond it"


def _rate_sentence(row: Row, asked: str) -> str:
    verb, region, unit = row["kind"].split()[0], row["region"], readable(row["unit"])
    verbs = {"warming": "warms", "cooling": "cools"}[verb]
    share = row.get("fraction_asked") or 1.0
    part = f"all of {region}" if share == 1.0 else f"{100 * share:g} % of {region}"
    value, limit = _told_apart(row["value"], row["limit"])
    if row["outcome"] == "unseen" or row["value"] is None:
        seen = f"{percent_text(row['seen_fraction'])} of it" if row.get("seen_fraction") else "nothing of it"
        why = f"{region} was not followed far enough, {seen} passed the whole window"
        return f"{why}, so its {verb} rate ({asked}: {limit} {unit}) can't be judged; let the run last longer"
    if row["outcome"] == "met":
        always = " at every moment" if row.get("measure") == "slowest" else ""
        return f"{part} {verbs} at {value} {unit} or faster{always}; {asked} is {limit} {unit} ({_room(row)})"
    most = "at most" if row.get("upper_bound") else "only"
    short = f"{number_text(-100 * _margin(row), 2)} % short"
    fast_enough = f"{percent_text(row.get('fraction'))} of {region} was seen to be fast enough"
    return f"the {verb} rate that {part} reaches is {most} {value} {unit}; {asked} is {limit} {unit} ({short}); {fast_enough}"


def _difference_sentence(row: Row, asked: str) -> str:
    region, unit = row["region"], readable(row["unit"])
    below = f"while colder than {number_text(row.get('below_degC'))} °C"
    value, limit = _told_apart(row["value"], row["limit"])
    if row["value"] is None:
        return f"{region} was not seen {below}, so the differences in it can't be judged"
    return f"{region} differs by up to {value} {unit} {below}; allowed are {limit} {unit} ({_room(row)})"


def _temperature_sentence(row: Row, asked: str) -> str:
    upper, unit = row.get("sense") == "at_most", readable(row["unit"])
    value, limit = _told_apart(row["value"], row["limit"])
    when = "at the end" if row.get("when") == "end" else f"at {number_text(row.get('at_s'))} s"
    extreme, sense = ("hottest", "at most") if upper else ("coldest", "at least")
    return f"the {extreme} point of {row['region']} is at {value} {unit} {when}; asked is {sense} {limit} {unit} ({_room(row)})"


def _other_sentence(row: Row, asked: str) -> str:
    value, limit = _told_apart(row["value"], row["limit"])
    return f"{row['kind']} of {row['region']} is {value} {readable(row['unit'])}; {asked} is {limit}"


_SENTENCES: Mapping[str, Callable[[Row, str], str]] = {
    "warming rate": _rate_sentence,
    "cooling rate": _rate_sentence,
    "temperature difference": _difference_sentence,
    "temperature": _temperature_sentence,
}


def _told_apart(value: float | None, limit: float | None) -> tuple[str, str]:
    """Value and limit with as many digits as it takes to see which is larger."""
    pairs = [(number_text(value, digits), number_text(limit, digits)) for digits in (3, 4, 5, 6)]
    return pairs[0] if value == limit else next((pair for pair in pairs if pair[0] != pair[1]), pairs[-1])


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
    probes = [name for name in history if name.startswith("probe_") and name.endswith("_degC") and name not in own]
    styles = [(colour, style) for style in ("-", "--", ":") for colour in (BLUE, ORANGE, GREEN, PINK, BLACK)]
    columns = [(name[6:-5], name, *styles[number % len(styles)]) for number, name in enumerate(probes)]
    field = [("amplitude", "field_kA_per_m", BLUE, "-")]
    energy = [("stored", "stored_J", BLACK, "-"), ("supplied by the field", "supplied_J", ORANGE, "--")]
    energy.append(("flowed in through surfaces", "inflow_J", BLUE, ":"))
    return [
        *charts,
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
        windows = [row for row in files.record.get("inputs", []) if row["what"] == "warming window"]
        texts = next((row["value"].split(" to ") for row in windows if Path(row["of"]).name in parts), None)
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
