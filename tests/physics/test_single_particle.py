"""The numbers of one particle: moment, force, and how little hotter it is than its surroundings."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad

from nanowarm.physics.single_particle import (
    cluster_rise,
    force,
    interface_rise,
    langevin,
    moment,
    power_of_one,
    square_loop_power,
    surface_rise,
)

IRON = 5180.0 * 0.7236  # kg iron per m3 of magnetite
WATER = 0.6  # W/m/K


# physics.md, 4.6
@pytest.mark.parametrize(("power", "size", "rise"), [(100e3, 10e-9, 5.2e-9), (1000e3, 20e-9, 2.1e-7), (2500e3, 40e-9, 2.1e-6)])
def test_the_surface_is_hotter_by_the_tabulated_nothing(power: float, size: float, rise: float) -> None:
    assert surface_rise(power_of_one(power, size, IRON), size, WATER) == pytest.approx(rise, rel=0.01)


def test_the_surface_rise_is_the_integral_of_fouriers_gradient() -> None:
    # int dr / r^2 from the surface to infinity, with u = 5 nm / r
    rise = quad(lambda u: 1e-12 / (4.0 * math.pi * WATER * 5e-9), 0.0, 1.0)[0]
    assert surface_rise(1e-12, 10e-9, WATER) == pytest.approx(rise)


def test_an_interface_adds_the_flux_over_its_conductance() -> None:
    assert interface_rise(1e-12, 10e-9, 1e8) == pytest.approx(1e-12 / (4.0 * math.pi * (5e-9) ** 2) / 1e8)


def test_a_cluster_is_hottest_in_the_middle_by_what_falls_inside_and_outside() -> None:
    q, radius = 1e9, 1e-6
    inside = quad(lambda r: q * r / (3.0 * WATER), 0.0, radius)[0]
    outside = surface_rise(q * 4.0 / 3.0 * math.pi * radius**3, 2.0 * radius, WATER)
    assert cluster_rise(q, radius, WATER) == pytest.approx(inside + outside)


# issue 3: 2.3 aN on 10 nm and 2.3 fN on 100 nm of magnetite at 10 T/m
@pytest.mark.parametrize(("size", "newton"), [(10e-9, 2.3e-18), (100e-9, 2.3e-15)])
def test_the_force_in_a_strong_gradient_is_atto_to_femtonewtons(size: float, newton: float) -> None:
    assert force(446e3, size, 10.0) == pytest.approx(newton, rel=0.02)


def test_the_moment_is_the_magnetisation_times_the_volume() -> None:
    assert moment(446e3, 10e-9) == pytest.approx(446e3 * 4.0 / 3.0 * math.pi * (5e-9) ** 3)


def test_langevins_function_is_smooth_over_its_series() -> None:
    x = np.array([0.0, 1e-6, 0.02, 0.0499, 0.0501, 0.3, 2.0, 50.0, 1e6])
    expected = [0.0, *(float(1.0 / np.tanh(value) - 1.0 / value) if value > 0.01 else value / 3.0 for value in x[1:])]
    np.testing.assert_allclose(langevin(x), expected, rtol=1e-8)
    assert np.all(np.diff(langevin(np.linspace(0.0, 10.0, 2001))) > 0.0)


def test_the_square_loop_of_magnetite_is_the_tabulated_one() -> None:
    per_oxide = float(square_loop_power(446e3, 20.7e3, 325e3)) / 5180.0
    assert per_oxide / 1e3 == pytest.approx(2912.0, rel=1e-3)  # physics.md, 4.3
    assert per_oxide / 0.7236 / 1e3 == pytest.approx(4024.0, rel=1e-3)
