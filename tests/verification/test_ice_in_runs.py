"""Ice in whole runs: what the rate equations and the enthalpy say, against what the solver finds."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from nanowarm.numerics import ice_field, medium_ice
from nanowarm.numerics.frozen import LEAST
from nanowarm.physics.equilibration import equilibration_of
from nanowarm.physics.freezing import Freezing
from nanowarm.physics.ice import IceKinetics
from nanowarm.physics.materials import Material, Medium
from nanowarm.shelf import library_files, load_record

ZERO = 273.15
MARGIN = 2.0  # [K] beyond glass transition and melting at which a passage begins and ends
INSULATED = {"kind": "insulated"}
SURFACES = ("left", "right", "sides")
POWER = 2e5  # [W per kg iron] of the particles here, at the field of all cases
FIELD = {"kind": "uniform", "amplitude": "20 kA/m", "frequency": "200 kHz"}
COLDEST = -150.0  # [degC] where warming begins


def _medium(name: str) -> Medium:
    return load_record(library_files("material")[name], Material).medium()


def _kinetics(medium: Medium) -> IceKinetics:
    assert medium.kinetics is not None
    return medium.kinetics


def _freezing(medium: Medium) -> Freezing:
    assert medium.freezing is not None
    return medium.freezing


def _critical(medium: Medium, direction: int) -> float:
    """Critical rate [K/s], negative on cooling."""
    rate = medium.critical_rate(direction)
    assert rate is not None
    return direction * rate


# --------------------------------------------------------------------------- bodies whose temperature is prescribed


def _path(start: float, *legs: tuple[float, float]) -> list[tuple[float, float]]:
    """Corners (time [s], temperature [K]) of a path of legs, each to a temperature [K] at a rate [K/s]."""
    found = [(0.0, start)]
    for target, rate in legs:
        time, here = found[-1]
        found.append((time + abs((target - here) / rate), target))
    return found


def _held(bench: Any, material: str, path: list[tuple[float, float]], **region: Any) -> Any:
    """A body so small that all of it follows the temperature of its surfaces, which is prescribed."""
    fastest = max(abs((t1 - t0) / (s1 - s0)) for (s0, t0), (s1, t1) in pairwise(path))
    edge = f"{4.0 / math.sqrt(60.0 * fastest)!r} mm"  # so that it lags by some 0.3 K, whatever the rate
    value = {"at": [f"{time!r} s" for time, _ in path], "values": [f"{temperature!r} K" for _, temperature in path]}
    case = bench.case(
        "slab",
        {"thickness": edge, "width": edge},
        edge,
        initial={"temperature": f"{path[0][1]!r} K"},
        regions={"body": {"material": material} | region},
        boundaries={name: {"kind": "fixed temperature", "value": value} for name in SURFACES},
        stages=[{"name": "ramp", "duration": f"{path[-1][0]!r} s"}],
        solver={"ice": True},
    )
    return bench.solved(case)


def _passage(kinetics: IceKinetics, rate: float) -> list[tuple[float, float]]:
    """Path from outside to outside of where ice forms, at a rate [K/s]."""
    low, high = kinetics.glass_transition - MARGIN, kinetics.melting + MARGIN
    return _path(low, (high, rate)) if rate > 0.0 else _path(high, (low, rate))


def _along(kinetics: IceKinetics, path: list[tuple[float, float]]) -> float:
    """Ice fraction at the end of a path, by integrating the four rate equations."""
    times, temperatures = np.array(path).T

    def change(time: float, phi: np.ndarray[Any, Any]) -> list[float]:
        temperature = np.interp(time, times, temperatures)
        speed = float(kinetics.growth(temperature))
        nuclei = float(kinetics.nucleation(temperature)) / kinetics.rate_product  # so that no phi is tiny
        return [nuclei, speed * phi[0], speed * phi[1], speed * phi[2]]

    phi = np.zeros(4)
    for start, end in pairwise(times):
        done = solve_ivp(change, (start, end), phi, "DOP853", rtol=1e-8, atol=1e-4, max_step=(end - start) / 100.0)
        phi = done.y[:, -1]
    return -math.expm1(-kinetics.rate_product * float(phi[3]))


@pytest.mark.parametrize("direction", [-1, 1], ids=["cooling", "warming"])
@pytest.mark.parametrize("name", ["VS55", "DP6", "M22", "VMP"])
def test_a_critical_rate_makes_a_fifth_of_a_percent_of_ice(bench: Any, name: str, direction: int) -> None:
    medium = _medium(name)
    trial = _held(bench, name, _passage(_kinetics(medium), _critical(medium, direction)))
    assert trial.heat.ice.peak == pytest.approx(0.002, rel=0.02)


@pytest.mark.parametrize("direction", [-1, 1], ids=["cooling", "warming"])
@pytest.mark.parametrize("factor", [0.8, 2.0, 4.0])
def test_the_ice_of_a_passage_is_that_of_its_rate(bench: Any, factor: float, direction: int) -> None:
    medium = _medium("VS55")
    kinetics, rate = _kinetics(medium), factor * _critical(medium, direction)
    trial = _held(bench, "VS55", _passage(kinetics, rate))
    expected = kinetics.at_constant_rate(rate)
    assert expected == pytest.approx(1.0 - math.exp(math.log1p(-0.002) / factor**4), rel=1e-6)  # phi falls with rate^-4
    assert trial.heat.ice.peak == pytest.approx(expected, rel=0.02)


def test_the_ice_of_cooling_and_warming_is_that_of_the_rate_equations_along_both(bench: Any) -> None:
    medium = _medium("VS55")
    kinetics, warming = _kinetics(medium), 2.0 * _critical(medium, 1)
    low, high = kinetics.glass_transition - MARGIN, kinetics.melting - 1.0
    path = _path(kinetics.melting + MARGIN, (low, 2.0 * _critical(medium, -1)), (high, warming))
    expected = _along(kinetics, path)
    assert expected > 2.0 * _along(kinetics, _path(low, (high, warming)))  # the nuclei of the cooling matter
    assert _held(bench, "VS55", path).heat.ice.now == pytest.approx(expected, rel=0.03)


def test_what_has_melted_leaves_no_nuclei(bench: Any) -> None:
    medium = _medium("VS55")
    kinetics, warming = _kinetics(medium), _critical(medium, 1)
    low, high, end = kinetics.glass_transition - MARGIN, kinetics.melting + MARGIN, kinetics.melting - 3.0
    again = [(low, -5.0 * warming), (end, warming)]
    expected = _along(kinetics, _path(high, *again))
    path = _path(high, (low, -0.5 * warming), (high, 5.0 * warming), *again)
    assert _along(kinetics, path) > 2.0 * expected  # where nothing melts
    assert _held(bench, "VS55", path).heat.ice.now == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("direction", [-1, 1], ids=["cooling", "warming"])
def test_a_partly_equilibrated_body_makes_a_fifth_of_a_percent_at_its_own_faster_critical_rate(
    bench: Any, direction: int
) -> None:
    medium, part = _medium("VS55"), np.array(0.9)
    shift = equilibration_of(medium)
    rate = direction * float(shift.critical_rate(part, direction))
    assert abs(rate) > 1.5 * abs(_critical(medium, direction))
    ends = float(shift.glass_transition(part)) - MARGIN, float(shift.melting(part)) + MARGIN
    path = _path(ends[0], (ends[1], rate)) if direction > 0 else _path(ends[1], (ends[0], rate))
    trial = _held(bench, "VS55", path, concentration=float(part))
    assert trial.heat.ice.peak == pytest.approx(0.002, rel=0.03)


# ------------------------------------------------------------------------------- insulated bodies, heated evenly


def _heated(bench: Any, iron: float, *, ice: bool = True, material: str = "VS55", **sections: Any) -> Path:
    """An insulated slab that particles heat by a constant power: everywhere the same, but for rounding."""
    particles = {"name": bench.particle("warmer", POWER), "iron": f"{iron!r} mgFe/mL"}
    everything: dict[str, Any] = {
        "initial": {"temperature": f"{COLDEST} degC"},
        "regions": {"body": {"material": material, "particles": particles}},
        "boundaries": {name: INSULATED for name in SURFACES},
        "field": FIELD,
        "stages": [{"name": "rewarm", "duration": "3 h", "until": "coldest > -10 degC"}],
        "solver": {"ice": ice},
    }
    path: Path = bench.case("slab", {"thickness": "4 mm", "width": "2 mm"}, "2 mm", **everything | sections)
    return path


def _stopped(seconds: float) -> dict[str, Any]:
    return {"stages": [{"name": "rewarm", "duration": f"{seconds!r} s"}]}


def _without_ice(medium: Medium, iron: float, seconds: float) -> float:
    """Temperature [K] after a time of heating, if no ice formed."""
    return float(medium.temperature(medium.enthalpy(COLDEST + ZERO) + iron * POWER * seconds))


def _time_to(medium: Medium, iron: float, celsius: float) -> float:
    """Time [s] in which it gets to a temperature [degC] without ice."""
    return float(medium.enthalpy(celsius + ZERO) - medium.enthalpy(COLDEST + ZERO)) / (iron * POWER)


SLOW = 0.3  # [kg/m3] of iron: some 1.5 K/min, a fortieth of the critical rate of VS55


def _exact(medium: Medium, iron: float, seconds: float) -> tuple[float, float]:
    """Ice fraction and temperature [K] of an insulated body after a time of heating in which nothing melts.

    The four rate equations, at the temperature that has h(T) - X c(h) as supplied.
    """
    kinetics, freezing, start = _kinetics(medium), _freezing(medium), float(medium.enthalpy(COLDEST + ZERO))

    def temperature(time: float, ice: float) -> float:
        def excess(kelvin: float) -> float:
            h = medium.enthalpy(kelvin)
            return float(h - ice * freezing.latent(h)) - start - iron * POWER * time

        return float(brentq(excess, 100.0, 300.0, xtol=1e-9))

    def change(time: float, phi: np.ndarray[Any, Any]) -> list[float]:
        here = np.array(temperature(time, -math.expm1(-kinetics.rate_product * phi[3])))
        speed = float(kinetics.growth(here))
        return [float(kinetics.nucleation(here)) / kinetics.rate_product, speed * phi[0], speed * phi[1], speed * phi[2]]

    begin = _time_to(medium, iron, kinetics.glass_transition - ZERO - 1.0)
    done = solve_ivp(change, (begin, seconds), np.zeros(4), "LSODA", rtol=1e-7, atol=1e-3, max_step=(seconds - begin) / 300.0)
    ice = -math.expm1(-kinetics.rate_product * float(done.y[3, -1]))
    return ice, temperature(seconds, ice)


@pytest.mark.parametrize(("iron", "celsius"), [(8.0, -60.0), (1.0, -70.0), (1.0, -65.0), (SLOW, -75.0)])
@pytest.mark.parametrize("largest", [1e3, 10.0, 1.0], ids=["one step", "steps of 10 K", "steps of 1 K"])
def test_ice_and_temperature_of_a_heated_body_are_those_of_the_rate_equations_however_long_the_steps(
    bench: Any, iron: float, celsius: float, largest: float
) -> None:
    medium = _medium("VS55")
    seconds = _time_to(medium, iron, celsius)
    ice, temperature = _exact(medium, iron, seconds)
    trial = bench.solved(_heated(bench, iron, **_stopped(seconds)), f"solver.largest_step={largest * seconds / 80.0} s")
    assert trial.heat.ice.now == pytest.approx(ice, rel=0.03)
    assert trial.temperature == pytest.approx(temperature, abs=0.02)


@pytest.mark.parametrize("celsius", [-80.0, -70.0, -60.0, -50.0, -42.0, -30.0])
def test_the_enthalpy_of_what_has_formed_is_what_was_supplied(bench: Any, celsius: float) -> None:
    medium = _medium("VS55")
    freezing, seconds = _freezing(medium), _time_to(medium, SLOW, celsius)
    trial = bench.solved(_heated(bench, SLOW, **_stopped(seconds)))
    temperature, ice = trial.temperature, trial.heat.ice.now[0]
    h = medium.enthalpy(temperature)
    supplied = SLOW * POWER * seconds
    found = h - ice * freezing.latent(h) - medium.enthalpy(COLDEST + ZERO)
    unfelt = LEAST * freezing.latent_at_melting
    assert found == pytest.approx(supplied, rel=2e-5, abs=unfelt)  # by what the tables of VS55 allow
    assert trial.solution.energy["imbalance_relative"] < 1e-9
    assert (ice <= freezing.equilibrium(temperature) + 1e-9).all()


def test_a_slowly_warmed_body_runs_ahead_while_it_freezes_less_so_while_it_melts_and_ends_alike(bench: Any) -> None:
    medium, ahead, ice = _medium("VS55"), [], []
    for celsius in (-90.0, -65.0, -50.0, -37.0, -20.0):
        trial = bench.solved(_heated(bench, SLOW, **_stopped(_time_to(medium, SLOW, celsius))))
        ahead.append(float(trial.mean(trial.temperature)) - ZERO - celsius)
        ice.append(float(trial.mean(trial.heat.ice.now[0])))
    assert ice[0] < 1e-4 < 0.1 < ice[2] < ice[1]
    assert ice[3:] == [0.0, 0.0]
    assert ahead[1] > 5.0 > 4.0 > ahead[2] > 1.0
    assert [ahead[0], *ahead[3:]] == pytest.approx([0.0] * 3, abs=1e-3)  # what it released it has taken again


def test_without_ice_the_same_body_follows_its_capacity(bench: Any) -> None:
    medium = _medium("VS55")
    trial = bench.solved(_heated(bench, SLOW, ice=False, **_stopped(_time_to(medium, SLOW, -62.0))))
    assert trial.temperature - ZERO == pytest.approx(-62.0, abs=1e-3)


def test_more_iron_never_makes_more_ice(bench: Any) -> None:
    peaks = [bench.solved(_heated(bench, iron)).heat.ice.peak.max() for iron in (0.3, 1.0, 3.0, 7.0, 10.0, 13.0, 17.0, 25.0)]
    assert peaks[0] > 0.25
    assert peaks[-1] < 0.002
    assert (np.diff(peaks) < 0.0).all()


def test_the_rate_through_a_window_around_all_ice_is_that_without_ice(bench: Any) -> None:
    # at both ends there is no ice, so that the times follow from what was supplied
    window = [-122.0, -20.0]
    asked = {"kind": "warming rate", "region": "body", "at_least": "1 degC/min", "window": [f"{t} degC" for t in window]}
    case = _heated(bench, SLOW, criteria=[asked, asked | {"window": ["-100 degC", "-60 degC"]}])
    trial = bench.solved(case, "solver.largest_step=100 s")  # 2 K: in one step to the end, the second end would have no ice
    whole, cold = trial.observers.judge()
    medium = _medium("VS55")
    times = [_time_to(medium, SLOW, celsius) for celsius in (*window, -100.0, -60.0)]
    assert whole.value == pytest.approx(60.0 * (window[1] - window[0]) / (times[1] - times[0]), rel=1e-4)
    assert (whole.outcome, cold.outcome) == ("met", "met")
    assert cold.value > 1.05 * 60.0 * 40.0 / (times[3] - times[2])  # latent heat of freezing lets it through faster


def test_a_body_with_a_wall_keeps_its_energy_while_it_freezes_and_melts(bench: Any) -> None:
    particles = {"name": bench.particle("warmer", POWER), "iron": "0.4 mgFe/mL"}
    ambient = {"at": ["0 s", "2500 s"], "values": ["-140 degC", "20 degC"]}
    case = bench.case(
        "slab",
        {"thickness": "6 mm", "width": "2 mm", "interface": "4 mm"},
        "2 mm",
        initial={"temperature": "-140 degC"},
        regions={
            "body": {"material": "VS55", "particles": particles},
            "layer": {"material": bench.material("wall", 1.5e6, 1.0)},
        },
        boundaries={
            "left": INSULATED,
            "sides": INSULATED,
            "right": {"kind": "convection", "coefficient": "50 W/m^2/K", "ambient": ambient},
        },
        field=FIELD,
        stages=[{"name": "rewarm", "duration": "1500 s"}],
        solver={"ice": True, "tolerance": "0.05 K"},
    )
    trial = bench.solved(case)
    assert trial.heat.ice.peak.max() > 0.1
    assert trial.heat.ice.now.max() < trial.heat.ice.peak.max() - 0.02  # some has melted again
    assert trial.solution.energy["imbalance_relative"] < 1e-9
    most = _freezing(_medium("VS55")).equilibrium(trial.temperature)
    assert (trial.heat.ice.now[0] <= most + 1e-9).all()


def test_ice_of_a_material_that_is_not_calibrated_is_unseen_and_never_a_number(bench: Any) -> None:
    case = _heated(bench, 10.0, material=bench.material("jelly", 2e6), criteria=[{"kind": "ice", "region": "body"}])
    trial = bench.solved(case)
    (outcome,) = trial.observers.judge()
    assert (outcome.outcome, outcome.value) == ("unseen", None)
    assert "not calibrated" in outcome.details["reason"]


def test_the_error_of_the_coupling_falls_as_all_its_limits_are_halved(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    medium, iron = _medium("VS55"), 1.0
    seconds, errors = _time_to(medium, iron, -61.0), []
    exact, _ = _exact(medium, iron, seconds)
    places = ((ice_field, "LATENT_STEP"), (ice_field, "GROWTH"), (medium_ice, "GROWTH"), (medium_ice, "CHANGE"))
    limits = [(module, name, getattr(module, name)) for module, name in places]
    for part in (1.0, 0.5, 0.25):
        for module, name, value in limits:
            monkeypatch.setattr(module, name, part * value)
        steps = f"solver.largest_step={2.0 * part * seconds / 80.0} s"  # of 2 K at first
        trial = bench.solved(_heated(bench, iron, **_stopped(seconds)), steps)
        errors.append(abs(trial.mean(trial.heat.ice.now[0]) / exact - 1.0))
    assert errors[0] < 0.05
    assert errors[2] < 0.6 * errors[1] < 0.5 * errors[0]
