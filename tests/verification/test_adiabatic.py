"""A body that loses no heat: its rate is q / C, and the verdict turns exactly where theory says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nanowarm.results.criteria import verdict

IRON, SPECIFIC_POWER = 10.0, 2e5  # [kg/m3], [W per kg iron] at 20 kA/m and 200 kHz
CAPACITY = 2.2e6  # [J/m3/K]
FREQUENCY = 300.0  # [kHz]
LIMIT = 60.0  # [degC/min]
WINDOW = (-120.0, -20.0)  # [degC]
# q = iron power (H / 20 kA/m)^2 (f / 200 kHz) = C limit
CRITICAL = 20.0 * (CAPACITY * LIMIT / 60.0 / (IRON * SPECIFIC_POWER * FREQUENCY / 200.0)) ** 0.5  # [kA/m]


def adiabatic_case(bench: Any, amplitude: float, capacity: Any = CAPACITY, **criterion: Any) -> Path:
    shut = {"kind": "insulated"}
    asked = {"kind": "warming rate", "region": "body", "at_least": f"{LIMIT} degC/min"}
    asked |= {"window": [f"{limit} degC" for limit in WINDOW]} | criterion
    particles = {"name": bench.particle("warmer", SPECIFIC_POWER), "iron": f"{IRON} mgFe/mL"}
    path: Path = bench.case(
        "slab",
        {"thickness": "10 mm", "width": "2 mm"},
        "2 mm",
        initial={"temperature": "-150 degC"},
        regions={"body": {"material": bench.material("jelly", capacity), "particles": particles}},
        boundaries={"left": shut, "right": shut, "sides": shut},
        field={"kind": "uniform", "amplitude": f"{amplitude!r} kA/m", "frequency": f"{FREQUENCY} kHz"},
        stages=[{"name": "rewarm", "duration": "10 min", "until": "coldest > 0 degC"}],
        criteria=[asked],
    )
    return path


@pytest.mark.parametrize(("factor", "expected"), [(1 + 1e-6, "met"), (1 - 1e-6, "missed")])
@pytest.mark.parametrize("measure", ["mean", "slowest"])
def test_the_verdict_turns_at_the_critical_field(bench: Any, factor: float, expected: str, measure: str) -> None:
    trial = bench.solved(adiabatic_case(bench, factor * CRITICAL, measure=measure))
    assert verdict(trial.observers.judge()) == expected


def test_the_rate_is_power_over_capacity(bench: Any) -> None:
    trial = bench.solved(adiabatic_case(bench, 20.0))
    power = IRON * SPECIFIC_POWER * FREQUENCY / 200.0
    (outcome,) = trial.observers.judge()
    assert outcome.value == pytest.approx(60.0 * power / CAPACITY, rel=1e-6)


def test_the_rate_through_a_capacity_step_is_power_times_width_over_enthalpy(bench: Any) -> None:
    celsius = {-80.0: 1e6, -70.0: 2e6}
    trial = bench.solved(adiabatic_case(bench, 20.0, {at + 273.15: value for at, value in celsius.items()}))
    power = IRON * SPECIFIC_POWER * FREQUENCY / 200.0
    enthalpy = 40.0 * 1e6 + 10.0 * 1.5e6 + 50.0 * 2e6  # of -120 to -80, to -70, to -20 degC
    (outcome,) = trial.observers.judge()
    assert outcome.value == pytest.approx(60.0 * power * 100.0 / enthalpy, rel=1e-6)


def test_the_slowest_rate_is_that_of_the_largest_capacity(bench: Any) -> None:
    celsius = {-80.0: 1e6, -70.0: 2e6}
    path = adiabatic_case(bench, 20.0, {at + 273.15: value for at, value in celsius.items()}, measure="slowest")
    power = IRON * SPECIFIC_POWER * FREQUENCY / 200.0
    (outcome,) = bench.solved(path).observers.judge()
    assert outcome.value == pytest.approx(60.0 * power / 2e6, rel=1e-6)


def test_the_end_condition_stops_the_run_when_it_is_met(bench: Any) -> None:
    trial = bench.solved(adiabatic_case(bench, 20.0))
    power = IRON * SPECIFIC_POWER * FREQUENCY / 200.0
    assert trial.solution.end == pytest.approx(150.0 * CAPACITY / power, rel=1e-9)


def test_the_heat_supplied_is_power_times_volume_times_time(bench: Any) -> None:
    trial = bench.solved(adiabatic_case(bench, 20.0))
    power = IRON * SPECIFIC_POWER * FREQUENCY / 200.0
    energy = trial.solution.energy
    assert energy["supplied"] == pytest.approx(power * 40e-9 * trial.solution.end, rel=1e-9)  # 10 x 2 x 2 mm
    assert energy["stored"] == pytest.approx(150.0 * CAPACITY * 40e-9, rel=1e-9)
    assert energy["inflow"] == 0.0
