"""Ice in whole runs: what the rate equations and the enthalpy say, against what the solver finds."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from nanowarm.numerics import ice_field
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
    fastest = max(abs((t1 - t0) / (s1 - s0)) for (s0, t0), (s1, t1) in zip(path, path[1:], strict=False))
    edge = f"{2.0 / math.sqrt(60.0 * fastest)!r} mm"  # so that it lags by 0.5 K, whatever the rate
    value = {"at": [f"{time!r} s" for time, _ in path], "values": [f"{temperature!r} K" for _, temperature in path]}
    case = bench.case(
        "slab",
        {"thickness": edge, "width": edge},
        edge,
        initial={"temperature": f"{path[0][1]!r} K"},
        regions={"body": {"material": material} | region},
        boundaries=dict.fromkeys(SURFACES, {"kind": "fixed temperature", "value": value}),
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
    for start, end in zip(times[:-1], times[1:], strict=True):
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
@pytest.mark.parametrize("factor", [0.6, 2.0, 4.0])
def test_the_ice_of_a_passage_is_that_of_its_rate(bench: Any, factor: float, direction: int) -> None:
    medium = _medium("VS55")
    kinetics, rate = _kinetics(medium), factor * _critical(medium, direction)
    trial = _held(bench, "VS55", _passage(kinetics, rate))
    expected = kinetics.at_constant_rate(rate)
    assert expected == pytest.approx(1.0 - math.exp(math.log1p(-0.002) / factor**4), rel=1e-6)  # phi falls with rate^-4
    assert trial.heat.ice.peak == pytest.approx(expected, rel=0.02)


def test_nuclei_of_a_slow_cooling_make_more_ice_in_the_warming() -> None:
    medium = _medium("VS55")
    kinetics = _kinetics(medium)
    warming = _critical(medium, 1)
    low, high = kinetics.glass_transition - MARGIN, kinetics.melting - 1.0
    both = _along(kinetics, _path(kinetics.melting + MARGIN, (low, -0.05), (high, warming)))
    alone = _along(kinetics, _path(low, (high, warming)))
    assert both > 1.2 * alone


def test_the_ice_of_cooling_and_warming_is_that_of_the_rate_equations_along_both(bench: Any) -> None:
    medium = _medium("VS55")
    kinetics, warming = _kinetics(medium), 2.0 * _critical(medium, 1)
    low, high = kinetics.glass_transition - MARGIN, kinetics.melting - 1.0
    path = _path(kinetics.melting + MARGIN, (low, 1.5 * _critical(medium, -1)), (high, warming))
    expected = _along(kinetics, path)
    assert expected > 2.0 * _along(kinetics, _path(low, (high, warming)))  # the nuclei of the cooling matter
    assert _held(bench, "VS55", path).heat.ice.now == pytest.approx(expected, rel=0.03)


def test_what_has_melted_leaves_no_nuclei(bench: Any) -> None:
    medium = _medium("VS55")
    kinetics, warming = _kinetics(medium), _critical(medium, 1)
    low, high = kinetics.glass_transition - MARGIN, kinetics.melting + MARGIN
    # fast again, so that the second way down makes a thousandth of the nuclei of the first
    path = _path(high, (low, 2.0 * _critical(medium, -1)), (high, 20.0 * warming), (low, -20.0 * warming), (high - 5.0, warming))
    expected = _along(kinetics, _path(low, (high - 5.0, warming)))
    found = _held(bench, "VS55", path)
    assert found.heat.ice.now == pytest.approx(expected, rel=0.03)


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
        "boundaries": dict.fromkeys(SURFACES, INSULATED),
        "field": FIELD,
        "stages": [{"name": "rewarm", "duration": "1 h", "until": "coldest > -10 degC"}],
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


SLOW = 1.0  # [kg/m3] of iron: some 5 K/min, a tenth of the critical rate of VS55


@pytest.mark.parametrize("celsius", [-80.0, -70.0, -60.0, -50.0, -42.0, -30.0])
def test_the_enthalpy_of_what_has_formed_is_what_was_supplied(bench: Any, celsius: float) -> None:
    medium = _medium("VS55")
    freezing, seconds = _freezing(medium), _time_to(medium, SLOW, celsius)
    trial = bench.solved(_heated(bench, SLOW, **_stopped(seconds)))
    temperature, ice = trial.temperature, trial.heat.ice.now[0]
    h = medium.enthalpy(temperature)
    supplied = SLOW * POWER * seconds
    found = h - ice * freezing.latent(h) - medium.enthalpy(COLDEST + ZERO)
    assert found == pytest.approx(supplied, rel=2e-5)  # by what the tables of VS55 allow
    assert trial.solution.energy["imbalance_relative"] < 1e-9
    assert (ice <= freezing.equilibrium(temperature) + 1e-9).all()


def test_a_slowly_warmed_body_runs_ahead_while_it_freezes_lags_while_it_melts_and_ends_alike(bench: Any) -> None:
    medium, shift, ice = _medium("VS55"), [], []
    for celsius in (-90.0, -62.0, -50.0, -36.0):
        seconds = _time_to(medium, SLOW, celsius)
        trial = bench.solved(_heated(bench, SLOW, **_stopped(seconds)))
        shift.append(float(trial.mean(trial.temperature)) - ZERO - celsius)
        ice.append(float(trial.mean(trial.heat.ice.now[0])))
    assert shift[0] == pytest.approx(0.0, abs=0.05)
    assert shift[1] > 5.0
    assert shift[2] < shift[1]
    assert ice[0] < 0.01
    assert ice[1] > 0.3
    late = bench.solved(_heated(bench, SLOW, **_stopped(_time_to(medium, SLOW, -20.0))))
    assert late.heat.ice.now.max() == 0.0
    assert late.temperature - ZERO == pytest.approx(-20.0, abs=1e-3)  # what it released it has taken again


def test_without_ice_the_same_body_follows_its_capacity(bench: Any) -> None:
    medium = _medium("VS55")
    trial = bench.solved(_heated(bench, SLOW, ice=False, **_stopped(_time_to(medium, SLOW, -62.0))))
    assert trial.temperature - ZERO == pytest.approx(-62.0, abs=1e-3)


def test_more_iron_never_makes_more_ice(bench: Any) -> None:
    peaks = [bench.solved(_heated(bench, iron)).heat.ice.peak.max() for iron in (2.0, 4.0, 7.0, 10.0, 13.0, 17.0, 25.0)]
    assert peaks[0] > 0.5
    assert peaks[-1] < 0.002
    assert (np.diff(peaks) < 0.0).all()


def test_the_rate_through_a_window_around_all_ice_is_that_without_ice(bench: Any) -> None:
    # at both ends there is no ice, so that the times follow from what was supplied
    window = [-122.0, -20.0]
    asked = {"kind": "warming rate", "region": "body", "at_least": "1 degC/min", "window": [f"{t} degC" for t in window]}
    trial = bench.solved(_heated(bench, SLOW, criteria=[asked, asked | {"window": ["-100 degC", "-60 degC"]}]))
    whole, cold = trial.observers.judge()
    medium = _medium("VS55")
    times = [_time_to(medium, SLOW, celsius) for celsius in (*window, -100.0, -60.0)]
    assert whole.value == pytest.approx(60.0 * (window[1] - window[0]) / (times[1] - times[0]), rel=1e-4)
    assert (whole.outcome, cold.outcome) == ("met", "met")
    assert cold.value > 1.05 * 60.0 * 40.0 / (times[3] - times[2])  # latent heat of freezing lets it through faster


def test_a_body_of_water_and_wall_keeps_its_energy_while_it_freezes_and_melts(bench: Any) -> None:
    particles = {"name": bench.particle("warmer", POWER), "iron": "2 mgFe/mL"}
    convection = {"kind": "convection", "coefficient": "200 W/m^2/K"}
    case = bench.case(
        "slab",
        {"thickness": "6 mm", "width": "2 mm", "interface": "4 mm"},
        "1 mm",
        initial={"temperature": "-30 degC"},
        regions={
            "body": {"material": "VS55", "particles": particles},
            "layer": {"material": bench.material("wall", 1.5e6, 1.0)},
        },
        boundaries={
            "left": INSULATED,
            "sides": INSULATED,
            "right": convection | {"ambient": {"at": ["0 s", "1200 s"], "values": ["-40 degC", "-150 degC"]}},
        },
        field={**FIELD, "amplitude": "0 kA/m"},
        stages=[
            {"name": "cool", "duration": "1200 s"},
            {
                "name": "rewarm",
                "duration": "400 s",
                "field": {"amplitude": "20 kA/m"},
                "boundaries": {"right": convection | {"ambient": "20 degC"}},
            },
        ],
        solver={"ice": True},
    )
    trial = bench.solved(case)
    assert trial.heat.ice.peak.max() > 0.3
    assert trial.solution.energy["imbalance_relative"] < 1e-9
    most = _freezing(_medium("VS55")).equilibrium(trial.temperature)
    assert (trial.heat.ice.now[0] <= most + 1e-9).all()


def test_ice_of_a_material_that_is_not_calibrated_is_unseen_and_never_a_number(bench: Any) -> None:
    case = _heated(bench, 10.0, material=bench.material("jelly", 2e6), criteria=[{"kind": "ice", "region": "body"}])
    trial = bench.solved(case)
    (outcome,) = trial.observers.judge()
    assert (outcome.outcome, outcome.value) == ("unseen", None)
    assert "not calibrated" in outcome.details["reason"]


@pytest.mark.parametrize("iron", [SLOW, 8.0], ids=["much ice", "little ice"])
def test_the_results_converge_as_all_limits_of_the_coupling_are_halved(
    bench: Any, iron: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    medium = _medium("VS55")
    found = []
    for part in (1.0, 0.5, 0.25):
        for name, value in (("LATENT_STEP", 0.3), ("CHANGE", 2.5), ("GROWTH", 0.02)):
            monkeypatch.setattr(ice_field, name, part * value)
        case = _heated(bench, iron, **_stopped(_time_to(medium, iron, -65.0)))
        trial = bench.solved(case, f"solver.tolerance={0.01 * part} K")
        found.append((float(trial.mean(trial.heat.ice.now[0])), trial.mean(trial.temperature)))
    ice, temperature = np.array(found).T
    assert ice[0] == pytest.approx(ice[2], rel=0.03)
    assert abs(ice[1] - ice[2]) < abs(ice[0] - ice[2])
    assert temperature[0] == pytest.approx(temperature[2], abs=0.3)
