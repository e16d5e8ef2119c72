"""Energy is kept: what is stored is what was supplied and what flowed in, whatever happens on the way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

STEP = {150.0: 1.0e6, 200.0: 1.2e6, 200.1: 2.6e6, 300.0: 3.0e6}  # [J/m3/K]: a glass transition 0.1 K wide
PEAK = {150.0: 1.9e6, 235.0: 2.0e6, 235.5: 4.02e8, 236.0: 2.0e6, 300.0: 2.1e6}  # 200 kJ/kg as a triangle 1 K wide
METAL = 1e5  # [J/m3/K], far less than the rest


def ramp(*points: tuple[float, float], unit: str = "K") -> dict[str, Any]:
    """A table over time [s]."""
    return {"at": [f"{at} s" for at, _ in points], "values": [f"{value} {unit}" for _, value in points]}


def convection(ambient: Any) -> dict[str, Any]:
    return {"kind": "convection", "coefficient": "300 W/m^2/K", "ambient": ambient}


HELD = {"kind": "fixed temperature", "value": ramp((0, 170), (5, 260), (12, 220))}
RADIATES = {"kind": "radiation", "emissivity": 0.9, "ambient": "400 K"}
FLUX = {"kind": "heat flux", "value": ramp((0, 5e3), (4, -2e3), (8, 5e4), unit="W/m^2")}
STAGES = [
    {"name": "first", "duration": "6 s"},
    {
        "name": "second",
        "duration": "20 s",
        "until": "layer.mean > 265 K",
        "boundaries": {"left": RADIATES, "right": convection(ramp((0, 150), (3, 330))), "sides": FLUX},
        "field": {"amplitude": {"at": ["0 s", "2 s"], "values": ["30 kA/m", "10 kA/m"]}},
    },
    {"name": "third", "duration": "5 s", "boundaries": {"left": HELD, "right": HELD, "sides": RADIATES}},
    {"name": "fourth", "duration": "5 s", "field": {"amplitude": "0 kA/m"}, "boundaries": {"right": convection("180 K")}},
]


LONG = {"name": "only", "until": "coldest > 245 K", "boundaries": {"right": RADIATES}}


def crowded_case(bench: Any, body: Any, layer: Any, conductivity: float = 0.5, **sections: Any) -> Path:
    """Two layers with particles that heat by temperature; every kind of boundary in some stage."""
    particles = {"name": bench.particle("warmer", {150.0: 300e3, 200.0: 100e3, 280.0: 500e3}), "iron": "10 mgFe/mL"}
    everything: dict[str, Any] = {
        "initial": {"temperature": "160 K"},
        "regions": {
            "body": {"material": bench.material("jelly", body, 0.4), "particles": particles},
            "layer": {"material": bench.material("wall", layer, conductivity)},
        },
        "boundaries": {"left": convection("320 K"), "right": HELD, "sides": FLUX},
        "field": {"kind": "uniform", "amplitude": "20 kA/m", "frequency": "200 kHz"},
        "stages": STAGES,
    }
    path: Path = bench.case("slab", {"thickness": "5 mm", "width": "3 mm", "interface": "3 mm"}, "1 mm", **everything | sections)
    return path


@pytest.mark.parametrize(
    ("body", "layer", "conductivity"),
    [(STEP, 2e6, 0.5), (PEAK, 2e6, 0.5), (STEP, PEAK, 0.3), (STEP, METAL, 5.0), (PEAK, METAL, 5.0)],
    ids=["step", "peak", "step and peak", "step and metal", "peak and metal"],
)
def test_the_ledger_is_closed_through_every_boundary_and_stage(bench: Any, body: Any, layer: Any, conductivity: float) -> None:
    trial = bench.solved(crowded_case(bench, body, layer, conductivity))
    energy = trial.solution.energy
    assert abs(energy["supplied"]) > 0.01 * abs(energy["stored"])
    assert abs(energy["inflow"]) > 0.01 * abs(energy["stored"])
    assert energy["imbalance_relative"] < 1e-9


def test_every_row_of_the_history_is_balanced(bench: Any) -> None:
    trial = bench.solved(crowded_case(bench, STEP, PEAK, output={"every": "0.1 s"}))
    stored, supplied, inflow = (trial.column(f"{name}_J") for name in ("stored", "supplied", "inflow"))
    assert np.abs(stored - supplied - inflow).max() < 1e-9 * np.abs(stored).max()


def test_a_latent_peak_is_not_stepped_over(bench: Any) -> None:
    trial = bench.solved(crowded_case(bench, PEAK, PEAK, stages=[LONG]))
    assert trial.temperature.min() == pytest.approx(245.0, abs=1e-6)
    whole = 45e-9 * (1.9e6 * 75.0 + 0.5 * (2.0e6 + 4.02e8) * 1.0)  # [J] for 160 to 236 K, on the low side
    assert trial.solution.energy["stored"] > whole


def test_what_is_stored_is_the_sum_of_the_capacities_of_the_final_temperatures(bench: Any) -> None:
    trial = bench.solved(crowded_case(bench, STEP, PEAK))
    total = 0.0
    for region, table in (("body", STEP), ("layer", PEAK)):
        fine = np.unique(np.concatenate((np.linspace(140, 600, 46001), list(table))))
        values = np.interp(fine, list(table), list(table.values()))
        enthalpy = np.concatenate(([0.0], np.cumsum(0.5 * np.diff(fine) * (values[1:] + values[:-1]))))
        rise = np.interp(trial.temperature, fine, enthalpy) - np.interp(160.0, fine, enthalpy)
        total += float(trial.operators.mass[region][: trial.heat.owned] @ rise)
    assert trial.solution.energy["stored"] == pytest.approx(total, rel=1e-9)
