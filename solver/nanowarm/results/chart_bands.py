"""Bands and remarks of the charts of a report: how far the spreads of the inputs move each curve, or why that is not told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from nanowarm.quantity import number_and_unit
from nanowarm.results.bands import COVERAGE, Uncertainty, held_back, region_uncertainty, relative_spread
from nanowarm.results.curve_bands import Array, Band, Heating, heating_of
from nanowarm.results.picture import Chart, Line
from nanowarm.results.report_files import RunFiles
from nanowarm.results.sentences import number_text

Row = Mapping[str, Any]

_POWER = "specific power"
_SPREAD = "(95 %, first order)"
_FIXED = "No band: the case gives the amplitude, and no spread of it."
STRESS_REMARK = "No band: stress follows from differences over the whole body, which one curve does not tell."


def uncertainty(files: RunFiles, region: str) -> Uncertainty:
    """Of the rate at which particles heat a region, or why none can be told."""
    reason = held_back(files.case, files.summary)
    if reason is not None:
        return Uncertainty(reason=reason)
    return region_uncertainty(region, files.case, list(files.record["inputs"]))


def with_temperatures(chart: Chart, files: RunFiles, region: str) -> Chart:
    """A chart of temperatures of a region with the bands of its curves."""
    heating = _heating(files, uncertainty(files, region))
    if heating is None:
        return chart
    remark = f"Shaded (estimate): each curve if it were heated {_percent(heating)} slower or faster {_SPREAD}."
    return _shaded(chart, heating.temperature, remark)


def with_ice(chart: Chart, files: RunFiles, region: str) -> Chart:
    """A chart of ice in percent with the bands of its curves; nuclei of the cooling before make them narrower than drawn."""
    heating = _heating(files, uncertainty(files, region))
    if heating is None:
        return chart
    own = [f"{region}_ice_{part}" for part in ("max", "mean")]
    drawn = tuple(line for line, name in zip(chart.lines, own, strict=False) if name in files.history)
    remark = f"Shaded (estimate, at most): ice if it were heated {_percent(heating)} slower or faster {_SPREAD}."

    def band(values: Array) -> Band:
        """Of ice in percent."""
        low, high = heating.ice(values / 100.0)
        return 100.0 * low, 100.0 * high

    return _shaded(chart, band, remark, drawn)


def with_dose(chart: Chart, files: RunFiles, region: str) -> Chart:
    """A chart of the dose of a region's T90 with its band: that of the temperature, put through the dose."""
    heating, history = _heating(files, uncertainty(files, region)), files.history
    if heating is None:
        return chart
    remark = f"Shaded (estimate): the dose of T90 if it were heated {_percent(heating)} slower or faster {_SPREAD}."
    return _shaded(chart, lambda values: heating.dose(values, history[f"{region}_t90_degC"], history["time_s"]), remark)


def with_probes(chart: Chart, files: RunFiles) -> Chart:
    """The chart of the probes with bands, where every region has one: it is not known in which region a probe lies."""
    found = _of_all(files)
    heating = None if found is None else _heating(files, found)
    if heating is None:
        reason = "No band: a probe may lie where no particles heat, or where nothing can be told of them."
        return replace(chart, remark="" if held_back(files.case, files.summary) else reason)
    remark = f"Shaded (estimate): each probe if it were heated {_percent(heating)} slower or faster {_SPREAD}."
    return _shaded(chart, heating.temperature, remark)


def with_field(chart: Chart, files: RunFiles) -> Chart:
    """The chart of the field with the band of its coil's amplitude, where that comes from the library."""
    field = files.case.get("field", {})
    asked = [field, *((stage.get("field") or {}) for stage in files.case.get("stages", []))]
    own = any("amplitude" in one and number_and_unit(str(one["amplitude"]))[0] > 0.0 for one in asked)
    steered = any(stage.get("control") or stage.get("search") for stage in files.case.get("stages", []))
    name = None if own or steered else field.get("name")
    spread = None if name is None else relative_spread(list(files.record["inputs"]), str(name), "amplitude")
    if spread is None:
        return replace(chart, remark="No band: the amplitude was steered." if steered else _FIXED)
    part = COVERAGE * spread
    told = f"Shaded: the amplitude, if that of {name} is {number_text(100.0 * part, 2)} % smaller or larger (95 %)."
    return _shaded(chart, lambda values: (values * (1.0 - part), values * (1.0 + part)), told)


def with_heat(chart: Chart, files: RunFiles) -> Chart:
    """The chart of the energy with the band of what the field supplies: that of the specific power alone."""
    found = _of_all(files)
    parts = {} if found is None else {name: part for name, part in found.parts.items() if name.startswith(_POWER)}
    heating = _heating(files, Uncertainty(parts))
    lines = [line for line in chart.lines if line.label.startswith("supplied")]
    if not parts or heating is None or not lines:
        return chart
    remark = f"Shaded (estimate): what the field supplies, if the specific power is {_percent(heating)} smaller or larger (95 %)."
    return _shaded(chart, heating.amount, remark, lines)


def with_mesh_error(chart: Chart, files: RunFiles, numbers: Mapping[str, str], per_unit: float, unit: str) -> Chart:
    """A chart that says what other meshes say of its curves, where the run was compared with them.

    Args:
        chart: the chart.
        files: of the run.
        numbers: key of a number in `convergence` of the summary, by what it is of.
        per_unit: of the chart's unit in that of the numbers.
        unit: of the chart.
    """
    known = (files.summary.get("convergence") or {}).get("numbers", {})
    found = {label: per_unit * known[key]["uncertainty"] for label, key in numbers.items() if key in known}
    if not found:
        return chart
    told = ", ".join(f"{label} ± {number_text(value, 2)}" for label, value in found.items())
    return replace(chart, remark=f"{chart.remark} Mesh error (GCI): {told} {unit}.".strip())


def _heating(files: RunFiles, found: Uncertainty) -> Heating | None:
    """How a run was heated and how uncertain that is; None where nothing can be told."""
    if found.reason or not found.parts:
        return None
    return heating_of(files.history.get("field_kA_per_m"), files.history.get("supplied_J"), COVERAGE * found.relative)


def _of_all(files: RunFiles) -> Uncertainty | None:
    """The largest uncertainty of any region; None where there is one of which none can be told."""
    every = [uncertainty(files, region) for region in files.summary["regions"]]
    return None if any(one.reason for one in every) else max(every, key=lambda one: one.relative, default=None)


def _shaded(chart: Chart, band: Callable[[Array], Band], remark: str, lines: Sequence[Line] | None = None) -> Chart:
    """A chart with a band around each of its curves, or around some of them."""
    drawn = chart.lines if lines is None else lines
    return replace(chart, bands=tuple((*band(line.values), line.colour) for line in drawn), remark=remark)


def _percent(heating: Heating) -> str:
    """Half-width of the rate of heating."""
    return f"{number_text(100.0 * heating.band, 2)} %"
