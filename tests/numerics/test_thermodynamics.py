"""From enthalpy to temperature and back, inside a medium and where media meet."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nanowarm.numerics.thermodynamics import WITHIN, Thermodynamics
from nanowarm.physics.curves import Curve, constant
from nanowarm.physics.materials import Medium

Array = NDArray[np.float64]


def curve(table: dict[float, float]) -> Curve:
    return Curve(np.array(list(table)), np.array(list(table.values())))


STEP = Medium("step", curve({150.0: 1e6, 200.0: 1.2e6, 200.1: 2.6e6, 300.0: 3e6}), curve({150.0: 0.2, 300.0: 0.5}))
PEAK = Medium("peak", curve({150.0: 1.9e6, 235.0: 2e6, 235.5: 4.02e8, 236.0: 2e6, 300.0: 2.1e6}), constant(2.0))
PLAIN = Medium("plain", constant(2e6), constant(0.5))
POWER = curve({150.0: 1e5, 250.0: 3e5})


def at_nodes(media: list[Medium], fractions: list[list[float]]) -> Thermodynamics:
    return Thermodynamics(media, np.array(fractions))


@pytest.mark.parametrize(
    ("medium", "tolerance"),
    # the table is linear between 8192 entries: dT = du^2/8 d2T/du2, with du = 5 MJ/m3 / 8192 in the step
    [(PLAIN, 1e-9), (STEP, 2e-2), (PEAK, 2e-2)],
    ids=["plain", "step", "peak"],
)
def test_the_temperature_of_an_enthalpy_is_that_which_has_it(medium: Medium, tolerance: float) -> None:
    temperature = np.linspace(120.0, 350.0, 4001)
    thermo = at_nodes([medium], [[1.0] * temperature.size])
    thermo.locate(thermo.enthalpy(temperature))
    assert np.abs(thermo.temperature() - temperature).max() < tolerance


@settings(max_examples=60, deadline=None)
@example(temperature=[100.0, 100.0, 231.0], fraction=0.125, before=100.0)  # Newton's method alone runs in a cycle here
@given(
    temperature=st.lists(st.floats(100.0, 500.0), min_size=3, max_size=3),
    fraction=st.floats(0.01, 0.99),
    before=st.floats(100.0, 500.0),
)
def test_nodes_of_several_media_have_their_common_temperature(temperature: list[float], fraction: float, before: float) -> None:
    wanted = np.array(temperature)
    thermo = at_nodes([STEP, PEAK], [[fraction] * 3, [1 - fraction] * 3])
    thermo.locate(thermo.enthalpy(before))
    thermo.locate(thermo.enthalpy(wanted))
    assert np.abs(thermo.temperature() - wanted).max() < 1e-6


def test_an_enthalpy_beyond_all_tables_is_carried_on_linearly() -> None:
    thermo = at_nodes([STEP, PLAIN], [[1.0, 0.0, 0.5], [0.0, 1.0, 0.5]])
    for temperature in (20.0, 900.0):
        thermo.locate(thermo.enthalpy(temperature))
        assert thermo.temperature() == pytest.approx([temperature] * 3, abs=1e-6)
        assert 1.0 / thermo.per_capacity() == pytest.approx(thermo.capacity(temperature), rel=1e-9)


def test_a_few_nodes_have_the_temperature_that_they_have_among_all() -> None:
    thermo = at_nodes([STEP, PEAK], [[1.0, 0.3, 0.0, 0.6], [0.0, 0.7, 1.0, 0.4]])
    thermo.locate(thermo.enthalpy(np.array([180.0, 210.0, 235.7, 250.0])))
    few = np.array([3, 0, 1], dtype=np.int32)
    assert thermo.temperature_at(few) == pytest.approx(thermo.temperature()[few], abs=0.0)
    assert thermo.per_capacity_at(few) == pytest.approx(thermo.per_capacity()[few], abs=0.0)


def test_each_node_has_the_power_of_its_temperature() -> None:
    thermo = at_nodes([STEP, PLAIN], [[1.0, 0.0, 0.5], [0.0, 1.0, 0.5]])
    thermo.locate(thermo.enthalpy(np.array([175.0, 200.0, 225.0])))
    assert thermo.look_up(thermo.tabulated(POWER), np.empty(3)) == pytest.approx([1.5e5, 2e5, 2.5e5], rel=1e-4)


def test_the_potential_is_the_integral_of_the_conductivity() -> None:
    thermo = at_nodes([STEP], [[1.0, 1.0]])
    thermo.locate(thermo.enthalpy(np.array([160.0, 290.0])))
    cold, warm = thermo.potential(np.empty(2))
    # k rises by 0.002 W/m/K per kelvin from 0.2 at 150 K: its mean between is that at 225 K
    assert warm - cold == pytest.approx(0.35 * 130.0, rel=1e-4)


def test_the_enthalpy_of_a_shared_node_is_the_sum_by_volume() -> None:
    thermo = at_nodes([PLAIN, STEP], [[0.25], [0.75]])
    assert thermo.enthalpy(280.0)[0] == pytest.approx(0.25 * PLAIN.enthalpy(280.0) + 0.75 * STEP.enthalpy(280.0))


@pytest.mark.parametrize("temperature", [160.0, 198.5, 200.05, 201.5, 235.5, 290.0])
@pytest.mark.parametrize("fractions", [[1.0, 0.0], [0.0, 1.0], [0.4, 0.6]], ids=["step", "peak", "shared"])
def test_the_stiffness_bound_holds_anywhere_near_a_temperature(temperature: float, fractions: list[float]) -> None:
    thermo = at_nodes([STEP, PEAK], [[f] for f in fractions])
    thermo.locate(thermo.enthalpy(temperature))
    sums = np.array([[3.0 * (fractions[0] > 0)], [5.0 * (fractions[1] > 0)]])
    near = temperature + np.linspace(-WITHIN, WITHIN, 401) * 0.98  # the table of the bound has a finite grid
    capacity = sum(f * medium.capacity(near) for f, medium in zip(fractions, (STEP, PEAK), strict=True))
    true = (sums[0] * STEP.conductivity(near) + sums[1] * PEAK.conductivity(near)) / capacity
    assert thermo.stiffest(sums) >= true.max() * (1 - 1e-9)


def test_a_node_of_a_sharp_peak_is_found_from_any_start() -> None:
    thermo = at_nodes([STEP, PEAK], [[0.5], [0.5]])
    for before in (100.0, 235.4, 235.6, 400.0):
        for wanted in (199.99, 200.05, 235.01, 235.5, 235.99, 236.01):
            thermo.locate(thermo.enthalpy(before))
            thermo.locate(thermo.enthalpy(wanted))
            assert thermo.temperature()[0] == pytest.approx(wanted, abs=1e-8)
