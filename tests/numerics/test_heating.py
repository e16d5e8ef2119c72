"""Heat from particles and eddy currents in any field, against the models themselves at every node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w

from nanowarm.errors import CaseError
from nanowarm.quantity import VACUUM_PERMEABILITY

SOURCED = {"source": "invented for a test", "quality": "estimate"}
UNIFORM = {"kind": "uniform", "amplitude": "20 kA/m", "frequency": "300 kHz"}
COIL = {
    "kind": "solenoid", "radius": "20 mm", "length": "30 mm", "turns": 5, "amplitude": "20 kA/m", "frequency": "300 kHz",
}  # fmt: skip
MODEL = {
    "kind": "linear response", "diameter": "12 nm", "diameter_spread": 0.1, "coating": "2 nm",
    "saturation_magnetization": "446 kA/m", "anisotropy": "23 kJ/m^3", "attempt_time": "1e-9 s", "viscosity": "0.89 mPa s",
}  # fmt: skip


def particle(folder: Path, power: dict[str, Any]) -> str:
    content = {"name": "p", "class": "particle", "specific_power": SOURCED | power}
    (folder / "p.toml").write_text(tomli_w.dumps(content), encoding="utf-8")
    return "./p.toml"


def case(bench: Any, field: dict[str, Any], power: dict[str, Any] | None, **more: Any) -> Path:
    """A vial of 1 mL in a field, insulated, with 5 mgFe/mL of a particle."""
    fill: dict[str, Any] = {"material": f"./{bench.material('gel', **more.pop('material', {}))}"} | more.pop("region", {})
    if power is not None:
        fill["particles"] = {"name": particle(bench.folder, power), "iron": more.pop("iron", "5 mgFe/mL")}
    walls = {name: {"kind": "insulated"} for name in ("side", "top", "bottom")}
    stages = more.pop("stages", [{"name": "on", "duration": "1 s"}])
    return bench.case(
        "vial", {"volume": "1 mL"}, "3 mm",
        initial={"temperature": "250 K"}, regions={"cpa": fill}, boundaries=walls, field=field, stages=stages, **more,
    )  # fmt: skip


def heating(trial: Any, time: float, temperature: np.ndarray) -> np.ndarray:
    """Heating [W/m3] of every node at given temperatures, with conduction taken off."""
    heat = trial.heat
    state = np.zeros(heat.size)
    state[: heat.owned] = heat.thermo.enthalpy(np.append(temperature, np.zeros(heat.thermo.size - heat.owned)))[: heat.owned]
    heat.begin(trial.case.stages[0], 0.0, state)
    rates = [np.empty_like(state) for _ in range(2)]
    heat.rate(time, state, rates[0])
    sources, heat.sources = heat.sources, []
    heat.rate(time, state, rates[1])
    heat.sources = sources
    return (rates[0] - rates[1])[: heat.owned]


@pytest.mark.parametrize("power", [MODEL, MODEL | {"kind": "hysteresis"}], ids=["linear response", "hysteresis"])
@pytest.mark.parametrize("field", [UNIFORM, COIL], ids=["uniform", "coil"])
def test_a_model_heats_every_node_as_it_says_for_its_field_and_temperature(
    bench: Any, power: dict[str, Any], field: dict[str, Any]
) -> None:
    if power["kind"] == "hysteresis":
        power = {name: value for name, value in power.items() if name not in ("viscosity", "coating")} | {"diameter": "20 nm"}
    trial = bench.trial(case(bench, field, power))
    temperature = np.linspace(130.0, 310.0, trial.heat.owned)
    amplitude = trial.case.stages[0].field.largest() * trial.case.stages[0].field.shape(trial.position)
    model = next(iter(trial.case.particles.values())).specific_power
    exact = 5.0 * np.array([float(model.power(h, 300e3, t)) for h, t in zip(amplitude, temperature, strict=True)])
    assert heating(trial, 0.5, temperature) == pytest.approx(exact, rel=5e-3, abs=5e-3 * exact.max())


def test_a_ramp_of_the_field_heats_a_model_as_its_amplitude_at_each_time(bench: Any) -> None:
    ramp = UNIFORM | {"amplitude": {"at": ["0 s", "1 s"], "values": ["0 kA/m", "20 kA/m"]}}
    trial = bench.trial(case(bench, ramp, MODEL))
    model = next(iter(trial.case.particles.values())).specific_power
    exact = 5.0 * float(model.power(7.3e3, 300e3, 250.0))
    assert heating(trial, 0.365, np.full(trial.heat.owned, 250.0)) == pytest.approx(exact, rel=2e-3)


def test_a_power_law_follows_the_pattern_of_a_coil_exactly(bench: Any) -> None:
    law = {"kind": "power law", "value": "200 W/gFe", "at_field": "20 kA/m", "at_frequency": "300 kHz", "field_exponent": 1.7}
    trial = bench.trial(case(bench, COIL, law))
    shape = trial.case.stages[0].field.shape(trial.position) * trial.case.stages[0].field.largest()
    exact = 5.0 * 200e3 * (shape / 20e3) ** 1.7
    assert heating(trial, 0.0, np.full(trial.heat.owned, 250.0)) == pytest.approx(exact, rel=1e-9)


def test_the_ledger_takes_in_what_models_and_eddy_currents_supply(bench: Any) -> None:
    sigma = {"material": {"electrical_conductivity": SOURCED | {"value": "2 S/m"}}, "region": {"eddy": True}}
    steps = [
        {"name": "ramp", "duration": "5 s", "field": {"amplitude": {"at": ["0 s", "5 s"], "values": ["0 A/m", "20 kA/m"]}}},
        {"name": "on", "duration": "5 s"},
        {"name": "off", "duration": "1 s", "field": {"amplitude": "0 A/m"}},
    ]
    trial = bench.solved(case(bench, COIL, MODEL, stages=steps, **sigma))
    assert trial.solution.energy["imbalance_relative"] < 1e-9
    assert trial.solution.energy["supplied"] > 0.0


def test_eddy_currents_heat_a_cylinder_as_the_closed_form_says(bench: Any) -> None:
    sigma = 2.0
    conducting = {"electrical_conductivity": SOURCED | {"value": f"{sigma} S/m"}}
    trial = bench.solved(case(bench, UNIFORM, None, material=conducting, region={"eddy": True}))
    radius = (1e-6 / (1.6 * 2.0 * np.pi)) ** (1.0 / 3.0)  # pi R^2 (1.6 x 2 R) = 1 mL
    mean = sigma * (np.pi * VACUUM_PERMEABILITY * 300e3 * 20e3 * radius) ** 2 / 4.0  # half the value at the rim
    assert trial.solution.energy["supplied"] == pytest.approx(mean * 1e-6 * 1.0, rel=0.03)  # of a 30-gon, 1.4 % smaller


def test_iron_in_depots_is_the_dose_and_heats_as_such(bench: Any) -> None:
    law = {"kind": "power law", "value": "200 W/gFe", "at_field": "20 kA/m", "at_frequency": "300 kHz"}
    depot = {"kind": "gaussian", "centre": ["0 mm", "0 mm", "0 mm"], "radius": "1.5 mm", "dose": "3 mgFe"}
    trial = bench.solved(case(bench, UNIFORM, law, iron=depot))
    assert trial.equipped.iron["cpa"].totals.mesh == pytest.approx(3e-6, rel=1e-9)
    assert trial.solution.energy["supplied"] == pytest.approx(3e-6 * 200e3 * 1.0, rel=1e-9)


def test_a_coil_that_runs_through_the_body_is_refused(bench: Any) -> None:
    path = case(bench, COIL | {"radius": "3 mm"}, MODEL)
    with pytest.raises(CaseError, match="the coil runs through the body"):
        bench.trial(path)


def test_a_current_of_zero_is_refused(bench: Any) -> None:
    coil = {name: value for name, value in COIL.items() if name != "amplitude"} | {"current": "0 A"}
    with pytest.raises(CaseError, match="current"):
        bench.trial(case(bench, coil, MODEL))


def test_an_amplitude_beyond_a_table_is_refused_before_anything_is_computed(bench: Any) -> None:
    table = {
        "kind": "table", "fields": ["5 kA/m", "10 kA/m"], "at_frequency": "300 kHz", "values": ["50 W/gFe", "200 W/gFe"],
    }  # fmt: skip
    with pytest.raises(CaseError, match=r"regions\.cpa\.particles.*field"):
        bench.trial(case(bench, UNIFORM, table))
