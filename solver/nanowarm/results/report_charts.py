"""The charts of a report: curves over time with their windows and bands, and the one that decides."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanowarm.quantity import ZERO_CELSIUS, temperature
from nanowarm.results.chart_bands import (
    STRESS_REMARK,
    with_dose,
    with_field,
    with_heat,
    with_ice,
    with_mesh_error,
    with_probes,
    with_temperatures,
)
from nanowarm.results.dose_histograms import DOSE
from nanowarm.results.dose_section import dosed_regions, histogram_pictures
from nanowarm.results.ice_section import ice_and_stress_charts
from nanowarm.results.picture import BLACK, BLUE, GREEN, ORANGE, PINK, Chart, Line, chart_svg
from nanowarm.results.rate_histograms import RateHistogram, rates_svg, told
from nanowarm.results.report_files import RunFiles
from nanowarm.results.sentences import is_upper, number_text, percent_text, readable

Row = Mapping[str, Any]
History = Mapping[str, NDArray[Any]]


def charts(files: RunFiles) -> list[Row]:
    """Title, description, image and remark of every chart that the history has something for."""
    return [drawn(chart, files) for chart in contents(files) if _says(chart)]


def _says(chart: Chart) -> bool:
    return any(np.isfinite(line.values).any() and line.values.any() for line in chart.lines)


def drawn(chart: Chart, files: RunFiles) -> Row:
    """A chart as the page shows it."""
    image = inline(chart_svg(chart, files.history["time_s"], files.stages), "image/svg+xml")
    return {"title": chart.title, "alt": description(chart), "image": image, "remark": chart.remark}


def contents(files: RunFiles) -> list[Chart]:
    """Every chart over time."""
    history = files.history
    parts = (("hottest", "max", ORANGE, "-"), ("mean", "mean", BLACK, "--"), ("coldest", "min", BLUE, "-"))
    charts, own = [], set()
    for region in files.summary["regions"]:
        columns = [(label, f"{region}_{part}_degC", colour, style) for label, part, colour, style in parts]
        own |= {name for _, name, _, _ in columns}
        charts.append(_region_charts(files, region, _lines(history, columns)))
    for region in dosed_regions(files.summary):
        styles = (("T10", "t10", ORANGE, "-"), ("T50", "t50", BLACK, "--"), ("T90", "t90", BLUE, "-"))
        columns = [(label, f"{region}_{level}_degC", colour, style) for label, level, colour, style in styles]
        own |= {name for _, name, _, _ in columns}
        charts += _dose_charts(files, region, _lines(history, columns))
    return [*charts, *_ice_and_stress_charts(files), *_of_the_whole(files, own)]


def _of_the_whole(files: RunFiles, own: set[str]) -> list[Chart]:
    """Probes, field and energy; `own` are the columns that regions have."""
    history = files.history
    probes = [name for name in history if name.startswith("probe_") and name.endswith("_degC") and name not in own]
    looks = [(colour, style) for style in ("-", "--", ":") for colour in (BLUE, ORANGE, GREEN, PINK, BLACK)]
    columns = [(name[6:-5], name, *looks[number % len(looks)]) for number, name in enumerate(probes)]
    title = f"Temperature of the probe {columns[0][0]}" if len(columns) == 1 else "Temperature of the probes"
    field = [("amplitude", "field_kA_per_m", BLUE, "-")]
    energy = [("stored", "stored_J", BLACK, "-"), ("supplied by the field", "supplied_J", ORANGE, "--")]
    energy.append(("flowed in through surfaces", "inflow_J", BLUE, ":"))
    return [
        with_probes(Chart(title, "temperature [°C]", _lines(history, columns)), files),
        with_field(Chart("Magnetic field", "peak amplitude [kA/m]", _lines(history, field), jumps=True), files),
        with_heat(Chart("Energy since the start", "energy [J]", _lines(history, energy)), files),
    ]


def _region_charts(files: RunFiles, region: str, lines: tuple[Line, ...]) -> Chart:
    """Temperatures of a region with the window of its rate, their bands and their mesh error."""
    chart = Chart(f"Temperature of {region}", "temperature [°C]", lines, windows(files, region))
    parts = {"coldest": "min", "mean": "mean", "hottest": "max"}
    ends = {f"{label} at the end": f"regions.{region}.temperature_degC.{part}" for label, part in parts.items()}
    return with_mesh_error(with_temperatures(chart, files, region), files, ends, 1.0, "°C")


def _dose_charts(files: RunFiles, region: str, lines: tuple[Line, ...]) -> list[Chart]:
    """Percentiles of the temperature of a region, and the dose of T90."""
    percentiles = Chart(f"T90, T50 and T10 of {region}", "temperature [°C]", lines)
    dose = _lines(files.history, [("CEM43 of T90", f"{region}_cem43_t90_min", BLUE, "-")])
    chart = with_dose(Chart(f"Dose of {region}", "CEM43 of T90 [min]", dose), files, region) if dose else None
    end = {"at the end": f"regions.{region}.cem43_t90_min"}
    told = [] if chart is None else [with_mesh_error(chart, files, end, 1.0, "min")]
    return [with_temperatures(percentiles, files, region), *told]


def _ice_and_stress_charts(files: RunFiles) -> list[Chart]:
    """Ice and stress of the regions, with bands of the ice."""
    found = []
    for chart in ice_and_stress_charts(files.history, files.summary):
        kind, _, region = chart.title.partition(" in ")
        if kind == "Ice":
            most = {"most": f"regions.{region}.ice_fraction.max"}
            found.append(with_mesh_error(with_ice(chart, files, region), files, most, 100.0, "%"))
        else:
            found.append(replace(chart, remark=STRESS_REMARK))
    return found


def _lines(history: History, columns: Sequence[tuple[str, str, str, str]]) -> tuple[Line, ...]:
    return tuple(Line(label, history[name], colour, style) for label, name, colour, style in columns if name in history)


def windows(files: RunFiles, region: str) -> tuple[tuple[float, float], ...]:
    """Temperatures [degC] between which rates of a region were judged; its material's own where none were asked."""
    asked = [row for row in files.case.get("criteria", []) if row["region"] == region and "rate" in row["kind"]]
    found = [window(files, row) for row in asked or [{"region": region}]]
    return tuple(dict.fromkeys(one for one in found if one is not None))


def window(files: RunFiles, criterion: Row) -> tuple[float, float] | None:
    """Temperatures [degC] of a criterion's window: its own, or that of the region's material if known."""
    texts = criterion.get("window")
    if texts is None:
        material = files.case["regions"][criterion["region"]]["material"]
        parts = {Path(name).name for name in ([material] if isinstance(material, str) else material["mix"])}
        inputs = [row for row in files.record["inputs"] if Path(row["of"]).name in parts]
        known = {row["what"]: row["value"].split(" to ") for row in reversed(inputs) if row["what"].endswith("ing window")}
        cooling = known.get("cooling window") if criterion.get("kind") == "cooling rate" else None
        texts = cooling or known.get("warming window")
    low, high = sorted(temperature(text) - ZERO_CELSIUS for text in texts) if texts else (None, None)
    return None if low is None or high is None else (round(low, 6), round(high, 6))


def description(chart: Chart) -> str:
    """What a chart shows, for those who can't see it."""
    parts = [
        f"{line.label} from {number_text(line.values[0])} to {number_text(line.values[-1])}, "
        f"lowest {number_text(np.nanmin(line.values))}, highest {number_text(np.nanmax(line.values))}"
        for line in chart.lines
        if np.isfinite(line.values).any()
    ]
    return f"{chart.title} over time, {chart.unit}: {'; '.join(parts)}"


def deciding_chart(files: RunFiles, row: Row | None) -> Row | None:
    """The chart that shows why the deciding criterion ended as it did; None where there is none.

    Args:
        files: of the run.
        row: of the criteria in `summary.json`; None where nothing was asked.
    """
    if row is None:
        return None
    kind, region = row["kind"], row["region"]
    sign = {"warming rate": 1, "cooling rate": -1}.get(kind)
    for one in files.rates:
        if (one.region, one.direction) == (region, sign) and _same_limit(one, row):
            return rate_chart(one)
    wanted = {"dose": DOSE, "temperature window": "temperature"}.get(kind)
    for histogram in files.histograms:
        if (histogram.region, histogram.quantity) == (region, wanted):
            for name, alt, svg in histogram_pictures([histogram]):
                return {"title": name, "alt": alt, "image": inline(svg, "image/svg+xml"), "remark": _asked(row)}
    start = {"ice": "Ice in", "stress": "Tensile stress in", "field limit": "Magnetic field"}.get(kind, "Temperature of")
    known = [chart for chart in contents(files) if chart.title in (f"{start} {region}", start) and _says(chart)]
    return drawn(known[0], files) if known else None


def _asked(row: Row) -> str:
    """What a criterion asks, below its chart."""
    part = f" in {percent_text(row['fraction_asked'])} of it" if row.get("fraction_asked") else ""
    sense = "at most" if is_upper(row) else "at least"
    if row.get("between_degC"):
        low, high = (number_text(end, 4) for end in row["between_degC"])
        return f"Asked: {low} to {high} °C{part}."
    return f"Asked: {sense} {number_text(row['limit'])} {readable(row['unit'])}{part}."


def _same_limit(one: RateHistogram, row: Row) -> bool:
    return bool(np.isclose(one.limit, row["limit"], rtol=1e-6))


def rate_chart(one: RateHistogram) -> Row:
    """A histogram of rates as the page shows it."""
    verb = "Warming" if one.direction > 0 else "Cooling"
    low, high = (number_text(end) for end in one.window)
    rest = "" if one.seen > 1.0 - 1e-9 else f" {number_text(100 * (1 - one.seen))} % of the volume did not pass it."
    part = f"{number_text(100 * one.too_slow)} % of the volume is slower than asked (hatched)"
    slow = "" if np.isnan(one.limit) else f"{part if one.too_slow else 'No part of the volume is slower than asked'}. "
    remark = f"{slow}Mean rates from {low} to {high} °C.{rest}"
    image = inline(rates_svg(one), "image/svg+xml")
    return {"title": f"{verb} rate over the volume of {one.region}", "alt": told(one), "image": image, "remark": remark}


def inline(image: bytes, kind: str) -> str:
    """An image as text that a page can hold."""
    return f"data:{kind};base64,{base64.b64encode(image).decode('ascii')}"
