"""Ice kinetics: the exact step, the passage at a constant rate, and the calibration to two critical rates."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from scipy.integrate import solve_ivp

from nanowarm.physics.ice import AnyIce, CriticalRates, IceKinetics, calibrated, fraction, grow
from nanowarm.physics.materials import Material
from nanowarm.shelf import library_files, load_record

ZERO = 273.15
MINUTE = 60.0
ADAPTER: TypeAdapter[Any] = TypeAdapter(AnyIce)

# reference/physics.md, section 6.2: melting, glass transition [degC], critical cooling and warming rate [degC/min], then
# nucleation temperature [degC] and rate product for Q = 60 kJ/mol, w = 5 K; 60, 10; 80, 5
TABLE = {
    "VS55": (-38.0, -123.0, 2.5, 50.0, (-79.40, 2.4175e-19), (-94.29, 1.1846e-19), (-73.21, 1.3641e-21)),
    "DP6": (-34.0, -119.0, 40.0, 185.0, (-62.44, 9.7001e-17), (-72.77, 4.2141e-17), (-58.14, 6.7456e-19)),
    "M22": (-55.0, -123.0, 0.1, 0.4, (-79.00, 2.1470e-26), (-89.37, 9.1899e-27), (-75.74, 2.2533e-28)),
    "VMP": (-38.0, -123.0, 5.4, 62.0, (-74.49, 5.9203e-19), (-88.04, 2.8261e-19), (-69.06, 3.3143e-21)),
}
SHAPES = ((60e3, 5.0), (60e3, 10.0), (80e3, 5.0))
ROWS = [(name, *shape, *TABLE[name][4 + number]) for name in TABLE for number, shape in enumerate(SHAPES)]


@cache
def of_table(name: str, energy: float = 60e3, width: float = 5.0) -> tuple[IceKinetics, float, float]:
    """Kinetics of a row of the table, and its critical rates [K/s] on cooling and warming."""
    melting, glass, cooling, warming = TABLE[name][:4]
    rates = CriticalRates(cooling / MINUTE, warming / MINUTE)
    return calibrated(rates, melting + ZERO, glass + ZERO, energy, width), rates.cooling, rates.warming


def ice_after(kinetics: IceKinetics, rate: float) -> float:
    """Ice fraction after a passage at a constant rate [K/s], by integrating the four rate equations."""
    low, high = kinetics.glass_transition, kinetics.melting
    start, duration = (low if rate > 0.0 else high), (high - low) / abs(rate)

    def change(time: float, phi: np.ndarray[Any, Any]) -> list[float]:
        temperature = np.array(start + rate * time)
        speed = float(kinetics.growth(temperature))
        nuclei = float(kinetics.nucleation(temperature)) / kinetics.rate_product  # so that no phi is tiny
        return [nuclei, speed * phi[0], speed * phi[1], speed * phi[2]]

    done = solve_ivp(change, (0.0, duration), np.zeros(4), "DOP853", rtol=1e-9, atol=1e-6, max_step=duration / 100.0)
    return -math.expm1(-kinetics.rate_product * float(done.y[3, -1]))


def passages(kinetics: IceKinetics, rates: np.ndarray[Any, Any], substeps: int) -> np.ndarray[Any, Any]:
    """Ice fractions after coolings through the whole range at several rates [K/s], by `grow` at midpoints."""
    span = kinetics.melting - kinetics.glass_transition
    phi = np.zeros((4, rates.size))
    for number in range(substeps):
        temperature = np.array([kinetics.melting - span * (number + 0.5) / substeps])
        nucleation, growth = kinetics.nucleation(temperature), kinetics.growth(temperature)
        # all points share the step, so the time of one goes into the rates of the others
        pace = rates[0] / rates
        grow(phi, nucleation * pace, growth * pace, span / substeps / rates[0])
    return fraction(phi[3])


# ------------------------------------------------------------------------------------------- calibration


@pytest.mark.parametrize(("name", "energy", "width", "nucleation", "product"), ROWS)
def test_two_critical_rates_give_the_published_table_of_parameters(
    name: str, energy: float, width: float, nucleation: float, product: float
) -> None:
    kinetics, _, _ = of_table(name, energy, width)
    assert kinetics.nucleation_temperature - ZERO == pytest.approx(nucleation, abs=0.0051)  # two decimals are given
    assert kinetics.rate_product == pytest.approx(product, rel=6e-5)  # and five digits


@pytest.mark.parametrize("name", TABLE)
def test_the_rate_equations_give_the_threshold_at_both_critical_rates(name: str) -> None:
    kinetics, cooling, warming = of_table(name)
    assert ice_after(kinetics, -cooling) == pytest.approx(0.002, rel=1e-6)
    assert ice_after(kinetics, warming) == pytest.approx(0.002, rel=1e-6)


@pytest.mark.parametrize("name", ["VS55", "DP6", "M22", "VMP"])
def test_the_rate_equations_with_what_the_library_files_give_the_threshold_at_both_rates_of_the_file(name: str) -> None:
    material = load_record(library_files("material")[name], Material)
    kinetics = material.kinetics()
    assert kinetics is not None
    assert material.critical_cooling_rate is not None
    assert material.critical_warming_rate is not None
    assert ice_after(kinetics, -material.critical_cooling_rate.value) == pytest.approx(0.002, rel=1e-5)
    assert ice_after(kinetics, material.critical_warming_rate.value) == pytest.approx(0.002, rel=1e-5)


def test_another_threshold_is_met_as_well() -> None:
    kinetics = calibrated(CriticalRates(0.04, 0.8, 0.01), 235.0, 150.0, 60e3, 5.0)
    assert kinetics.threshold == 0.01
    assert ice_after(kinetics, -0.04) == pytest.approx(0.01, rel=1e-6)
    assert ice_after(kinetics, 0.8) == pytest.approx(0.01, rel=1e-6)


def test_rates_that_lie_further_apart_mean_nuclei_in_the_colder() -> None:
    colder, warmer = (calibrated(CriticalRates(0.04, warming), 235.0, 150.0, 60e3, 5.0) for warming in (4.0, 0.4))
    assert colder.nucleation_temperature < warmer.nucleation_temperature - 5.0


@pytest.mark.parametrize(
    ("cooling", "warming", "message"),
    [
        (1.0, 0.5, "60 degC/min on cooling and 30 degC/min on warming can't be fitted: the one on warming must be the larger"),
        (1.0, 1.0, "the one on warming must be the larger"),
        (0.0, 1.0, "0 degC/min on cooling"),
        (1e-6, 1e3, "can't be fitted with a nucleation width of 5 K and 60 kJ/mol: try others"),
    ],
)
def test_rates_that_cannot_be_fitted_are_refused_in_one_line(cooling: float, warming: float, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        calibrated(CriticalRates(cooling, warming), 235.0, 150.0, 60e3, 5.0)
    assert "\n" not in str(caught.value)


def test_a_glass_transition_above_melting_is_refused() -> None:
    with pytest.raises(ValueError, match="the glass transition must be below melting"):
        calibrated(CriticalRates(0.04, 0.8), 150.0, 235.0, 60e3, 5.0)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("nucleation_width", "0 K", "must be above 0 K"),
        ("activation_energy", "600 kJ/mol", "at most 500000 J/mol"),
        ("rate_product", -1e-19, "greater than 0"),
        ("threshold", 0.2, "less than 0.1"),
        ("kind", "magic", "does not match any of the expected tags"),
    ],
)
def test_an_ice_section_that_no_rates_follow_from_is_refused(key: str, value: Any, message: str) -> None:
    given = {
        "kind": "nucleation and growth",
        "nucleation_temperature": "-80 degC",
        "nucleation_width": "5 K",
        "activation_energy": "60 kJ/mol",
        "rate_product": 1e-19,
        "source": "invented for a test",
        "quality": "estimate",
    }
    with pytest.raises(ValidationError, match=message):
        ADAPTER.validate_python(given | {key: value})


# ------------------------------------------------------------------------------------------------- rates


def test_ice_neither_nucleates_nor_grows_in_the_glass_or_above_melting() -> None:
    kinetics, _, _ = of_table("VS55")
    outside = np.array([20.0, 77.0, kinetics.glass_transition, kinetics.melting, 300.0])
    inside = np.array([np.nextafter(kinetics.glass_transition, 300.0), 200.0, np.nextafter(kinetics.melting, 0.0)])
    np.testing.assert_array_equal(kinetics.nucleation(outside), 0.0)
    np.testing.assert_array_equal(kinetics.growth(outside), 0.0)
    assert (kinetics.nucleation(inside) > 0.0).all()
    assert (kinetics.growth(inside) > 0.0).all()


def test_nuclei_form_fastest_at_the_nucleation_temperature_at_8_pi_times_the_product() -> None:
    kinetics, _, _ = of_table("VS55")
    peak = kinetics.nucleation_temperature
    top, beside = kinetics.nucleation(np.array([peak, peak + 5.0]))
    assert top == pytest.approx(8.0 * math.pi * kinetics.rate_product)
    assert beside / top == pytest.approx(math.exp(-0.5))  # a width away


def test_growth_at_the_middle_of_the_range_is_half_the_range_whatever_the_activation_energy() -> None:
    for energy in (60e3, 80e3):
        kinetics, _, _ = of_table("VS55", energy)
        middle = 0.5 * (kinetics.melting + kinetics.glass_transition)
        assert float(kinetics.growth(np.array(middle))) == pytest.approx(42.5)  # (-38 + 123) / 2 kelvin, times exp(0)


def test_growth_slows_down_in_the_cold_by_the_activation_energy() -> None:
    kinetics, _, _ = of_table("VS55")
    cold, warm = kinetics.growth(np.array([160.0, 180.0]))
    driving = (kinetics.melting - 160.0) / (kinetics.melting - 180.0)
    expected = driving * math.exp(-60e3 / 8.31446261815324 * (1 / 160.0 - 1 / 180.0))
    assert cold / warm == pytest.approx(expected)


# -------------------------------------------------------------------------------------- at a constant rate


@pytest.mark.parametrize("sign", [-1.0, 1.0], ids=["cooling", "warming"])
def test_a_passage_by_quadrature_is_that_by_the_rate_equations(sign: float) -> None:
    kinetics, _, _ = of_table("VS55")
    for rate in (0.02, 0.3):
        assert kinetics.at_constant_rate(sign * rate) == pytest.approx(ice_after(kinetics, sign * rate), rel=1e-7)


def test_little_ice_falls_with_the_fourth_power_of_the_rate() -> None:
    kinetics, cooling, _ = of_table("VS55")
    slow, fast = kinetics.at_constant_rate(-2.0 * cooling), kinetics.at_constant_rate(-20.0 * cooling)
    assert slow / fast == pytest.approx(1e4, rel=1e-4)  # 0.00013 of ice at the slower: exp is linear to half of it


def test_a_passage_much_slower_than_critical_freezes_all_that_can() -> None:
    kinetics, cooling, warming = of_table("VS55")
    assert kinetics.at_constant_rate(-cooling / 20.0) == pytest.approx(1.0, abs=1e-6)
    assert kinetics.at_constant_rate(warming / 20.0) == pytest.approx(1.0, abs=1e-6)


def test_warming_at_the_critical_cooling_rate_freezes_far_more_than_cooling_at_it() -> None:
    kinetics, cooling, _ = of_table("VS55")
    assert kinetics.at_constant_rate(cooling) > 0.9
    # 20 times slower than the critical warming rate: phi is 0.002 x 20^4 = 320


@settings(max_examples=25)
@given(st.lists(st.floats(1e-4, 1e2), min_size=2, max_size=12), st.sampled_from(sorted(TABLE)))
def test_no_faster_cooling_leaves_more_ice(rates: list[float], name: str) -> None:
    ice = passages(of_table(name)[0], np.sort(rates), 60)
    assert (np.diff(ice) <= 1e-12).all()
    assert ((ice >= 0.0) & (ice <= 1.0)).all()


# ------------------------------------------------------------------------------------------------- a step

PHI = st.lists(st.floats(0.0, 1e3), min_size=4, max_size=4)


@settings(max_examples=50)
@given(PHI, st.floats(0.0, 10.0), st.floats(0.0, 10.0), st.floats(0.0, 1.0))
def test_two_halves_of_a_step_are_the_whole_where_the_rates_are_constant(
    start: list[float], nucleation: float, growth: float, part: float
) -> None:
    whole, halves = np.array(start)[:, None], np.array(start)[:, None]
    rates = np.array([nucleation]), np.array([growth])
    grow(whole, *rates, 2.0)
    grow(halves, *rates, 2.0 * part)
    grow(halves, *rates, 2.0 * (1.0 - part))
    np.testing.assert_allclose(halves, whole, rtol=1e-12)


def test_a_step_at_constant_rates_is_the_solution_of_the_rate_equations() -> None:
    start, nuclei, speed = np.array([0.3, 0.2, 0.7, 0.1]), 2.5, 1.7
    done = solve_ivp(
        lambda time, phi: [nuclei, speed * phi[0], speed * phi[1], speed * phi[2]],
        (0.0, 3.0), start, "DOP853", rtol=1e-12, atol=1e-14,
    )  # fmt: skip
    phi = start[:, None].copy()
    grow(phi, np.array([nuclei]), np.array([speed]), 3.0)
    np.testing.assert_allclose(phi[:, 0], done.y[:, -1], rtol=1e-10)


def test_a_step_from_nothing_grows_the_fourth_power_of_time() -> None:
    phi = np.zeros((4, 1))
    grow(phi, np.array([2.0]), np.array([3.0]), 5.0)
    np.testing.assert_allclose(phi[:, 0], [2.0 * 5.0, 2.0 * 3.0 * 25.0 / 2.0, 2.0 * 9.0 * 125.0 / 6.0, 2.0 * 27.0 * 625.0 / 24.0])


def test_steps_along_a_ramp_converge_with_the_second_order() -> None:
    kinetics, cooling, _ = of_table("VS55")
    exact = ice_after(kinetics, -cooling)
    errors = [abs(float(passages(kinetics, np.array([cooling]), steps)[0]) - exact) for steps in (40, 80, 160)]
    assert errors[2] < 5e-3 * exact
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert orders == pytest.approx([2.0, 2.0], abs=0.15)


def test_the_ice_fraction_never_passes_one_and_is_phi_where_small() -> None:
    assert fraction(np.array([0.0, 1e-12, math.log(2.0), 1e9])) == pytest.approx(np.array([0.0, 1e-12, 0.5, 1.0]))
