"""Bands around the curves of a run, against bodies without conduction whose curves are known for every rate of heating."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from nanowarm.physics.ice import IceKinetics, fraction
from nanowarm.results.bands import COVERAGE
from nanowarm.results.chart_bands import with_field, with_heat, with_mesh_error, with_probes, with_temperatures
from nanowarm.results.curve_bands import Array, Heating, heating_of
from nanowarm.results.picture import BLUE, Chart, Line

TIME = np.linspace(0.0, 100.0, 401)  # [s]
WAIT = 20.0  # [s] before the field is switched on
BAND = 0.2
FACTORS = (1.0 - BAND, 1.0 + BAND)


def heated(power: float) -> Array:
    """Heat supplied up to each time [J]."""
    return np.maximum(TIME - WAIT, 0.0) * power


def heating(power: float = 1.0) -> Heating:
    made = heating_of((TIME > WAIT).astype(float), heated(power), BAND)
    assert made is not None
    return made


def test_the_band_of_an_adiabatic_body_is_that_of_its_rate_of_heating() -> None:
    curve = -150.0 + 2.0 * heated(1.0)  # 2 K/J
    low, high = heating().temperature(curve)
    after = TIME >= WAIT
    assert low[after] == pytest.approx((-150.0 + 2.0 * heated(FACTORS[0]))[after])
    assert high[after] == pytest.approx((-150.0 + 2.0 * heated(FACTORS[1]))[after])
    assert np.isnan(low[~after]).all()
    assert np.isnan(high[~after]).all()


def test_a_heat_capacity_that_changes_with_temperature_bends_the_band_as_it_bends_the_curve() -> None:
    def reached(heat: Array) -> Array:
        """Temperature [degC] after some heat [J], of a capacity 1 + 0.01 (T + 150) [J/K]: W = x + 0.005 x^2."""
        return -150.0 + (np.sqrt(1.0 + 0.02 * heat) - 1.0) / 0.01

    low, high = heating().temperature(reached(heated(1.0)))
    inside = (TIME >= WAIT) & (heated(FACTORS[1]) <= heated(1.0)[-1])  # beyond its end the curve is not known
    assert low[TIME >= WAIT] == pytest.approx(reached(heated(FACTORS[0]))[TIME >= WAIT], abs=1e-3)
    assert high[inside] == pytest.approx(reached(heated(FACTORS[1]))[inside], abs=1e-3)


def test_a_pause_of_the_field_keeps_the_band_as_wide_as_it_was() -> None:
    heat = np.minimum(heated(1.0), 40.0)  # [J]; off from 60 s on
    curve = 10.0 + 2.0 * heat - 0.1 * np.maximum(TIME - 60.0, 0.0)  # it cools by 0.1 K/s then
    made = Heating(80, heat, BAND)
    low, high = made.temperature(curve)
    off = TIME >= 60.0
    assert (curve - low)[off] == pytest.approx(np.full(off.sum(), 2.0 * 40.0 * BAND))
    assert (high - curve)[off] == pytest.approx(np.full(off.sum(), 2.0 * 40.0 * BAND), rel=1e-6)


def test_ice_that_forms_on_warming_is_banded_by_the_fourth_power_of_the_rate() -> None:
    kinetics = IceKinetics(235.15, 150.15, 193.0, 5.0, 6e4, 3.5e-19)
    rate = 2.0 * 60.0  # of the run; a whole passage at 2 K/s
    after = fraction(np.array(kinetics.extended_volume(rate / 60.0)))
    ice = np.where(heated(1.0) > 20.0, after, 0.0)  # all of it forms at one temperature, after 20 J
    low, high = heating().ice(ice)
    slow, fast = (kinetics.at_constant_rate(factor * rate / 60.0) for factor in FACTORS)
    assert high[-1] == pytest.approx(slow)
    assert low[-1] == pytest.approx(fast)
    assert slow > 2.0 * after  # 0.8^-4 = 2.44


def test_a_band_of_ice_holds_its_curve_where_both_ends_have_less_at_a_time() -> None:
    ice = np.where(heated(1.0) > 79.0, 0.001, 0.0)  # the slowest is not there yet, the fastest has 1.2^-4 of it
    low, high = heating().ice(ice)
    assert low[-1] == 0.0
    assert high[-1] >= ice[-1]


def test_ice_that_was_there_before_the_field_stays_as_it_was() -> None:
    low, high = heating().ice(np.full(TIME.size, 0.01))
    assert low[-1] == pytest.approx(0.01)
    assert high[-1] == pytest.approx(0.01)


def test_the_band_of_a_dose_is_the_dose_of_the_band() -> None:
    curve = 43.0 + 0.02 * heated(1.0)  # above 43 degC CEM43 is the integral of 2^(T - 43)
    rates = [0.02 * factor for factor in (*FACTORS, 1.0)]
    ends = [(2.0 ** (rate * 80.0) - 1.0) / (rate * math.log(2.0)) / 60.0 for rate in rates]  # 80 s of heating [min]
    dose = (2.0 ** (0.02 * heated(1.0)) - 1.0) / (0.02 * math.log(2.0)) / 60.0 + np.minimum(TIME, WAIT) / 60.0
    low, high = heating().dose(dose, curve, TIME)
    assert low[-1] == pytest.approx(ends[0] + WAIT / 60.0, rel=1e-6)
    assert high[-1] == pytest.approx(ends[1] + WAIT / 60.0, rel=1e-6)
    assert dose[-1] == pytest.approx(ends[2] + WAIT / 60.0)


def test_a_band_wider_than_the_curve_itself_does_not_turn_around() -> None:
    made = Heating(0, TIME, 3.0)
    low, high = made.temperature(10.0 + TIME)
    assert (low >= 10.0).all()
    assert (low <= 10.0 + TIME).all()
    assert high[-1] == pytest.approx(10.0 + 4.0 * TIME[-1])


@pytest.mark.parametrize(("field", "heat"), [(None, TIME), (TIME, None), (0.0 * TIME, TIME), (TIME, 0.0 * TIME)])
def test_without_a_field_or_its_heat_nothing_is_told(field: Any, heat: Any) -> None:
    assert heating_of(field, heat, BAND) is None


POWER = {"of": "warm", "what": "specific power", "value": "600 W/gFe", "spread": "10 %"}
CAPACITY = [
    {"of": "jelly", "what": "density", "value": "1000 kg/m^3", "spread": "1 %"},
    {"of": "jelly", "what": "specific heat", "value": "2000 J/kg/K", "spread": "5 %"},
]
COIL = {"of": "wound", "what": "amplitude", "value": "20 kA/m", "spread": "10 %"}
WIDTH = COVERAGE / math.sqrt(3.0)  # of a uniform distribution of half-width 1


def files(**case: Any) -> Any:
    """A run whose region is heated by particles that alone do so."""
    from types import SimpleNamespace

    history = {"time_s": TIME, "field_kA_per_m": 20.0 * (TIME > WAIT), "supplied_J": heated(1.0)}
    numbers = {"regions.cpa.temperature_degC.min": {"uncertainty": 0.25}}
    summary = {"regions": {"cpa": {}}, "energy_J": {"supplied": 80.0}, "convergence": {"numbers": numbers}}
    region = {"material": "jelly", "particles": {"name": "warm"}}
    content = {"regions": {"cpa": region}, "stages": [{"name": "a"}]} | case
    return SimpleNamespace(case=content, summary=summary, record={"inputs": [POWER, *CAPACITY, COIL]}, history=history)


def chart(label: str = "coldest", values: Array | None = None) -> Chart:
    return Chart("title", "unit", (Line(label, -150.0 + heated(1.0) if values is None else values, BLUE),))


def test_the_chart_of_a_region_has_a_band_for_each_curve_and_says_that_it_is_an_estimate() -> None:
    relative = WIDTH * math.sqrt(0.10**2 + 0.01**2 + 0.05**2)
    told = with_temperatures(chart(), files(), "cpa")
    ((low, high, colour),) = told.bands
    assert colour == BLUE
    assert (low[-1], high[-1]) == pytest.approx((-150.0 + 80.0 * (1.0 - relative), -150.0 + 80.0 * (1.0 + relative)), rel=1e-3)
    assert told.remark.startswith(f"Shaded (estimate): each curve if it were heated {100 * relative:.2g} % slower or faster")


def test_the_heat_of_the_field_moves_with_the_specific_power_alone() -> None:
    ((low, high, _),) = with_heat(chart("supplied by the field", heated(1.0)), files()).bands
    assert (low[-1], high[-1]) == pytest.approx((80.0 * (1.0 - 0.1 * WIDTH), 80.0 * (1.0 + 0.1 * WIDTH)), rel=1e-3)


def test_probes_have_no_band_where_a_region_holds_no_particles() -> None:
    run = files()
    assert len(with_probes(chart(), run).bands) == 1
    run.summary["regions"]["oil"] = {}
    run.case["regions"]["oil"] = {"material": "jelly"}
    told = with_probes(chart(), run)
    assert not told.bands
    assert told.remark.startswith("No band: a probe may lie where no particles heat")


@pytest.mark.parametrize(
    ("case", "remark"),
    [
        ({"field": {"kind": "coil", "name": "wound"}}, None),
        ({"field": {"kind": "coil", "name": "wound", "amplitude": "15 kA/m"}}, "No band: the case gives the amplitude"),
        ({"field": {"kind": "uniform", "amplitude": "15 kA/m"}}, "No band: the case gives the amplitude"),
        ({"field": {"name": "wound"}, "stages": [{"control": {"kind": "pid"}}]}, "No band: the amplitude was steered."),
    ],
    ids=["the coil's own", "given with a coil", "given", "steered"],
)
def test_the_field_has_the_band_of_its_coil_or_a_reason_why_not(case: Any, remark: str | None) -> None:
    told = with_field(chart("amplitude", np.full(TIME.size, 20.0)), files(**case))
    if remark is not None:
        assert not told.bands
        assert told.remark.startswith(remark)
        return
    ((low, high, _),) = told.bands
    assert (low[0], high[0]) == pytest.approx((20.0 * (1.0 - 0.1 * WIDTH), 20.0 * (1.0 + 0.1 * WIDTH)), rel=1e-3)


def test_a_run_on_several_meshes_tells_the_error_of_its_curves() -> None:
    key = {"coldest at the end": "regions.cpa.temperature_degC.min", "unknown": "regions.cpa.other"}
    assert with_mesh_error(chart(), files(), key, 1.0, "°C").remark == "Mesh error (GCI): coldest at the end ± 0.25 °C."
    alone = files()
    del alone.summary["convergence"]
    assert with_mesh_error(chart(), alone, key, 1.0, "°C").remark == ""


def test_a_region_of_which_nothing_is_told_has_no_band() -> None:
    steered = files(stages=[{"control": {"kind": "pid"}}])
    assert not with_temperatures(chart(), steered, "cpa").bands
    assert not with_heat(chart("supplied by the field"), steered).bands
