"""Doses and damage that runs report, against closed forms of their histories: reference/physics.md, section 5.3."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp
from scipy.special import exp1

ZERO = 273.15  # [K]
GAS = 8.31446261815324  # [J/mol/K]
FACTOR, ENERGY = 3.1e98, 6.28e5  # [1/s], [J/mol] of skin, Henriques
SURFACES = ("left", "right", "sides")
INSULATED = {name: {"kind": "insulated"} for name in SURFACES}
CAPACITY, IRON = 4e6, 10.0  # [J/m3/K], [kg/m3]
SKIN = {"damage": "skin-Henriques"}


def held(value: Any) -> dict[str, Any]:
    """All surfaces at a temperature."""
    return {name: {"kind": "fixed temperature", "value": value} for name in SURFACES}


def cube(bench: Any, stages: list[dict[str, Any]], doses: dict[str, Any], **sections: Any) -> Any:
    """A run of a small cube."""
    everything: dict[str, Any] = {
        "initial": {"temperature": "37 degC"},
        "regions": {"body": {"material": bench.material("tissue", CAPACITY)}},
        "boundaries": INSULATED,
        "stages": stages,
        "doses": doses,
        "output": {"every": "60 s"},
    }
    path = bench.case("slab", {"thickness": "1 mm", "width": "1 mm"}, "1 mm", **everything | sections)
    return bench.solved(path)


def at_surface(trial: Any) -> tuple[Any, Any]:
    """CEM43 [min] and damage of the nodes whose temperature is held, and so known exactly."""
    nodes, doses = trial.heat.held, trial.observers.doses
    assert nodes.size > 20
    return doses.cem43[nodes], doses.omega[nodes]


def minutes(celsius: float) -> float:
    """Equivalent minutes at 43 degC per minute."""
    return 0.0 if celsius < 39 else float((0.5 if celsius >= 43 else 0.25) ** (43 - celsius))


def ramp_minutes(low: float, high: float, rate: float) -> float:
    """CEM43 [min] of a ramp at a rate [K/min], by the integral of exp(c T) on both sides of 43 degC."""
    found = 0.0
    for bottom, top, base in ((39.0, 43.0, 4.0), (43.0, 57.0, 2.0)):
        a, b = np.clip([low, high], bottom, top)
        found += (base ** (b - 43.0) - base ** (a - 43.0)) / np.log(base) / rate
    return float(found)


def damage_rate(celsius: float) -> float:
    return float(FACTOR * np.exp(-ENERGY / GAS / (celsius + ZERO)))


def ramp_damage(low: float, high: float, rate: float) -> float:
    """Damage of a ramp at a rate [K/s]: the integral of exp(-e/T) is T exp(-e/T) - e E1(e/T)."""
    e = ENERGY / GAS
    whole = [T * np.exp(-e / T) - e * exp1(e / T) for T in (low + ZERO, high + ZERO)]
    return float(FACTOR * (whole[1] - whole[0]) / rate)


@pytest.mark.parametrize(
    ("celsius", "duration", "dose"),
    [(42, 60, 15.0), (41, 60, 3.75), (45, 10, 40.0), (50, 1, 128.0), (50, 2, 256.0), (54.5, 1, 2.0**11.5), (38.9, 60, 0.0)],
)
def test_a_constant_temperature_gives_the_tabulated_dose(bench: Any, celsius: float, duration: float, dose: float) -> None:
    stages = [{"name": "hold", "duration": f"{duration} min"}]
    trial = cube(bench, stages, SKIN, initial={"temperature": f"{celsius} degC"}, boundaries=held(f"{celsius} degC"))
    found = trial.observers.doses.summary("body")
    assert [found["cem43_min"][what] for what in ("min", "mean", "max", "d90")] == pytest.approx([dose] * 4, rel=1e-6, abs=1e-9)
    assert found["cem43_t90_min"] == pytest.approx(dose, rel=1e-6, abs=1e-9)
    omega = damage_rate(celsius) * 60 * duration
    assert [found["damage"][what] for what in ("min", "mean", "max")] == pytest.approx([omega] * 3, rel=1e-6)
    volume = 1e6 * float(trial.volume.sum())  # [mL], all of it or nothing
    assert found["damaged_mL"] == pytest.approx(volume if omega >= 1.0 else 0.0)
    assert found["ablated_mL"] == pytest.approx(volume if dose >= 240.0 else 0.0)


def test_a_history_of_steps_adds_up_the_doses_of_its_stages(bench: Any) -> None:
    history = ((38.0, 5), (44.0, 10), (42.0, 20), (47.5, 2), (37.0, 30))  # degC, min
    stages = [
        {"name": f"stage {number}", "duration": f"{duration} min", "boundaries": held(f"{celsius} degC")}
        for number, (celsius, duration) in enumerate(history)
    ]
    found = at_surface(cube(bench, stages, SKIN))
    dose = sum(duration * minutes(celsius) for celsius, duration in history)
    omega = sum(60 * duration * damage_rate(celsius) for celsius, duration in history)
    assert found[0] == pytest.approx(dose, rel=1e-6)
    assert found[1] == pytest.approx(omega, rel=1e-6)


def test_damage_below_the_cut_off_is_not_counted(bench: Any) -> None:
    stages = [
        {"name": "warm", "duration": "10 min", "boundaries": held("44.9 degC")},
        {"name": "hot", "duration": "1 min", "boundaries": held("46 degC")},
    ]
    found = cube(bench, stages, SKIN | {"cut_off": "45 degC"}).observers.doses.summary("body")
    assert found["damage"]["max"] == pytest.approx(60 * damage_rate(46.0), rel=1e-6)


def test_a_surface_that_warms_and_cools_evenly_gives_the_closed_forms_of_a_ramp(bench: Any) -> None:
    schedule = {"at": ["0 s", "600 s", "1800 s"], "values": ["37 degC", "49 degC", "37 degC"]}
    found = at_surface(cube(bench, [{"name": "there and back", "duration": "1800 s"}], SKIN, boundaries=held(schedule)))
    dose = ramp_minutes(37, 49, 1.2) + ramp_minutes(37, 49, 0.6)
    omega = ramp_damage(37, 49, 0.02) + ramp_damage(37, 49, 0.01)
    assert found[0] == pytest.approx(dose, rel=1e-6)
    assert found[1] == pytest.approx(omega, rel=1e-6)


def test_an_insulated_body_that_heats_evenly_gives_the_closed_forms_of_a_ramp(bench: Any) -> None:
    rate, duration = 0.02, 600.0  # [K/s], [s]: from 37 to 49 degC
    particles = {"name": bench.particle("warmer", rate * CAPACITY / IRON), "iron": f"{IRON} mgFe/mL"}
    trial = cube(
        bench,
        [{"name": "warm", "duration": f"{duration} s"}],
        SKIN,
        regions={"body": {"material": bench.material("tissue", CAPACITY), "particles": particles}},
        field={"kind": "uniform", "amplitude": "20 kA/m", "frequency": "200 kHz"},
    )
    found = trial.observers.doses.summary("body")
    assert found["cem43_min"]["mean"] == pytest.approx(ramp_minutes(37, 49, 60 * rate), rel=1e-6)
    assert found["damage"]["mean"] == pytest.approx(ramp_damage(37, 49, rate), rel=1e-6)
    assert [found[level] for level in ("t90_degC", "t50_degC", "t10_degC")] == pytest.approx([49.0] * 3, abs=1e-6)
    assert (found["v43_fraction"], found["t90_at_s"]) == pytest.approx((1.0, duration))
    assert trial.solution.energy["imbalance_relative"] < 1e-9


def test_a_temperature_that_bends_gives_the_integral_of_its_history_at_small_steps(bench: Any) -> None:
    exchange, end, duration = 2e4, 46.0, 600.0  # [W/m3/K], [degC], [s]
    bench.material("fluid", CAPACITY)
    particles = {"name": bench.particle("warmer", exchange * (end - 37.0) / IRON), "iron": f"{IRON} mgFe/mL"}
    perfusion = {"rate": f"{exchange / CAPACITY!r} 1/s", "blood": "./fluid.toml"}
    step = 2.0
    trial = cube(
        bench,
        [{"name": "warm", "duration": f"{duration} s"}],
        SKIN,
        regions={"body": {"material": bench.material("tissue", CAPACITY), "particles": particles, "perfusion": perfusion}},
        field={"kind": "uniform", "amplitude": "20 kA/m", "frequency": "200 kHz"},
        solver={"tolerance": "1e-6 K", "largest_step": f"{step} s"},
    )
    celsius = lambda t: end - (end - 37.0) * np.exp(-exchange * t / CAPACITY)  # noqa: E731
    knots = [-np.log((end - at) / (end - 37.0)) * CAPACITY / exchange for at in (39.0, 43.0)]
    dose = quad(lambda t: minutes(celsius(t)) / 60, 0.0, duration, points=knots, epsrel=1e-10)[0]
    omega = quad(lambda t: damage_rate(celsius(t)), 0.0, duration, points=knots, epsrel=1e-10)[0]
    # a chord over half a step lies at most T'' h^2 / 8 below the history, and a kelvin is worth a factor of 4 or less
    chord = 9.0 * (exchange / CAPACITY) ** 2 * (step / 2) ** 2 / 8
    found = trial.observers.doses.summary("body")
    assert found["cem43_min"]["mean"] == pytest.approx(dose, rel=chord * np.log(4) + 1e-6)
    assert found["damage"]["mean"] == pytest.approx(omega, rel=chord * ENERGY / GAS / (37.0 + ZERO) ** 2 + 1e-6)


def test_blood_that_stops_with_damage_lets_the_tissue_heat_up_as_its_two_equations_say(bench: Any, order: Any) -> None:
    exchange, power, duration = 4e4, 8e5, 300.0  # [W/m3/K], [W/m3], [s]

    def change(time: float, state: Any) -> list[float]:
        celsius, omega = state
        return [(power - exchange * np.exp(-omega) * (celsius - 37.0)) / CAPACITY, damage_rate(celsius)]

    exact = solve_ivp(change, (0.0, duration), [37.0, 0.0], rtol=1e-10, atol=1e-12).y[:, -1]
    open_all_the_time = 37.0 + power / exchange * (1.0 - np.exp(-exchange * duration / CAPACITY))
    assert exact[0] > open_all_the_time + 5.0
    bench.material("fluid", CAPACITY)
    particles = {"name": bench.particle("warmer", power / IRON), "iron": f"{IRON} mgFe/mL"}
    perfusion = {"rate": f"{exchange / CAPACITY!r} 1/s", "blood": "./fluid.toml", "shutdown": "damage"}
    errors = []
    for solver in ({}, {"largest_step": "0.5 s"}, {"largest_step": "0.25 s"}):
        trial = cube(
            bench,
            [{"name": "ablate", "duration": f"{duration} s"}],
            SKIN,
            regions={"body": {"material": bench.material("tissue", CAPACITY), "particles": particles, "perfusion": perfusion}},
            field={"kind": "uniform", "amplitude": "20 kA/m", "frequency": "200 kHz"},
            solver=solver,
        )
        errors.append(abs(float(trial.temperature.mean()) - ZERO - exact[0]))
        assert trial.solution.energy["imbalance_relative"] < 1e-9
    assert errors[0] < 0.02 * (exact[0] - 37.0)  # by itself, the solver lets damage grow by 0.05 in a step
    assert errors[-1] < 0.005 * (exact[0] - 37.0)
    assert order(errors[1:]) > 0.9  # damage is taken over after accepted steps: first order


def test_a_body_between_two_temperatures_has_the_percentiles_and_doses_of_a_straight_profile(bench: Any) -> None:
    low, high, cells = 41.0, 45.0, 40
    boundaries = INSULATED | held(f"{low} degC") | {"sides": {"kind": "insulated"}}
    boundaries["right"] = {"kind": "fixed temperature", "value": f"{high} degC"}
    path = bench.case(
        "slab",
        {"thickness": "8 mm", "width": "0.8 mm"},
        f"{8 / cells} mm",
        initial={"temperature": f"{low} degC"},
        regions={"body": {"material": bench.material("tissue", CAPACITY)}},
        boundaries=boundaries,
        doses={},
        stages=[{"name": "settle", "steady": True}, {"name": "hold", "duration": "3600 s"}],
        output={"every": "600 s"},
    )
    trial = bench.solved(path)
    found = trial.observers.doses.summary("body")
    part = 1.0 / cells  # of the thickness in a layer of cells: nothing is told finer
    levels = {"t90_degC": 0.1, "t50_degC": 0.5, "t10_degC": 0.9}
    for level, place in levels.items():
        assert found[level] == pytest.approx(low + place * (high - low), abs=part * (high - low))
    assert found["v43_fraction"] == pytest.approx(0.5, abs=part)
    dose = np.array([60 * minutes(celsius) for celsius in trial.temperature - ZERO])
    assert trial.observers.doses.cem43 == pytest.approx(dose, rel=1e-4)
    assert found["cem43_min"]["min"] == pytest.approx(60 * minutes(low), rel=1e-6)
    assert found["cem43_min"]["max"] == pytest.approx(60 * minutes(high), rel=1e-6)
    assert found["cem43_t90_min"] == pytest.approx(60 * minutes(found["t90_degC"]), rel=1e-6)
    assert found["cem43_min"]["d90"] == pytest.approx(60 * minutes(found["t90_degC"]), rel=1e-6)
    mean = 60 * ramp_minutes(low, high, high - low)  # over the thickness
    assert found["cem43_min"]["mean"] == pytest.approx(mean, rel=0.01)
    assert found["damage"] is None
