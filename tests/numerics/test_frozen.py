"""From the enthalpy of a partly frozen medium to its temperature and back, at nodes of one medium and of several."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nanowarm.numerics.frozen import LEAST
from nanowarm.numerics.rkc import Step
from nanowarm.numerics.thermodynamics import Thermodynamics
from nanowarm.numerics.windows import WindowRates
from nanowarm.physics.curves import Curve, constant
from nanowarm.physics.freezing import Freezing, Solution, freezing_of
from nanowarm.physics.materials import Material, Medium
from nanowarm.shelf import library_files, load_record

Array = NDArray[np.float64]

ZERO = 273.15
MELTING, SOLID = 235.0, 150.0  # [K]
KNOTS = (70.0, 320.0)
RANGE = np.linspace(-190.0 + ZERO, 20.0 + ZERO, 421)  # [K]
WALL = Medium("wall", constant(1.5e6), constant(1.0))
# scale and offset of a solution that melts at 245 K and whose glass is one at 147 K: T' = 150 + 85 (T - 147) / 98
WEAKER = 85.0 / 98.0, 150.0 - 85.0 / 98.0 * 147.0
NO_TABLE = 1e-6  # [K]: the capacity is constant, so that the tables are exact
LIBRARY = 1e-4  # [K]: between two of 8192 entries, 0.03 K apart, temperature is straight over enthalpy


def _solution(name: str = "solution") -> Medium:
    """A solution of one capacity without ice, whose ice releases latent heat that falls with the temperature."""
    capacity, conductivity = constant(3e6), constant(0.3)
    freezing = freezing_of(Solution(MELTING, SOLID, 0.5, 0.7, 1000.0), capacity, conductivity)
    return Medium(name, capacity, conductivity, freezing=freezing)


def _library(name: str) -> Medium:
    return load_record(library_files("material")[name], Material).medium()


def _freezing(medium: Medium) -> Freezing:
    assert medium.freezing is not None
    return medium.freezing


def _state(media: list[Medium], fractions: list[float], ice: Array, reduced: tuple[float, float] = (1.0, 0.0)) -> Thermodynamics:
    """Nodes that all hold the same media by volume, with ice of some fraction in each."""
    conditions = np.empty((2, len(media), ice.size))
    conditions[0], conditions[1] = reduced
    thermo = Thermodynamics(media, np.tile(np.array(fractions)[:, None], ice.size), KNOTS, conditions)
    thermo.frozen.take(np.tile(ice, (len(media), 1)))
    return thermo


def _enthalpy(medium: Medium, temperature: Array, ice: Array, reduced: tuple[float, float] = (1.0, 0.0)) -> Array:
    """h(T) - min(X, X_eq(T')) c(h), straight from the formula [J/m3]."""
    freezing, h = _freezing(medium), medium.enthalpy(temperature)
    most = freezing.equilibrium(reduced[0] * temperature + reduced[1])
    return np.asarray(h - np.minimum(np.where(ice > LEAST, ice, 0.0), most) * freezing.latent(h))


CASES = [
    pytest.param([_solution()], [1.0], (1.0, 0.0), NO_TABLE, id="alone"),
    pytest.param([_solution()], [1.0], WEAKER, NO_TABLE, id="alone, not at full strength"),
    pytest.param([_solution(), WALL], [0.3, 0.7], (1.0, 0.0), NO_TABLE, id="shared"),
    pytest.param([_solution(), WALL], [0.3, 0.7], WEAKER, NO_TABLE, id="shared, not at full strength"),
    pytest.param([_library("VS55")], [1.0], (1.0, 0.0), LIBRARY, id="VS55"),
    pytest.param([_library("saline")], [1.0], (1.0, 0.0), LIBRARY, id="saline"),
    pytest.param([_library("VS55"), WALL], [0.6, 0.4], (1.0, 0.0), LIBRARY, id="VS55, shared"),
]


@pytest.mark.parametrize(("media", "fractions", "reduced", "within"), CASES)
@pytest.mark.parametrize("ice", [0.0, 0.002, 0.3, 0.9, 1.0])
def test_the_temperature_of_an_enthalpy_with_ice_is_that_which_has_it(
    media: list[Medium], fractions: list[float], reduced: tuple[float, float], within: float, ice: float
) -> None:
    thermo = _state(media, fractions, np.full(RANGE.size, ice), reduced)
    thermo.locate(thermo.enthalpy(RANGE))
    assert np.abs(thermo.temperature() - RANGE).max() < within


@settings(max_examples=60, deadline=None)
@example(wanted=[234.99, 235.0, 235.01], ice=[1.0, 0.5, 0.2], before=100.0, share=1.0)
@given(
    wanted=st.lists(st.floats(RANGE[0], RANGE[-1]), min_size=3, max_size=3),
    ice=st.lists(st.floats(0.0, 1.0), min_size=3, max_size=3),
    before=st.floats(RANGE[0], RANGE[-1]),
    share=st.sampled_from([1.0, 0.5, 0.02]),
)
def test_any_ice_at_any_temperature_is_found_from_any_other(
    wanted: list[float], ice: list[float], before: float, share: float
) -> None:
    media, fractions = ([_solution()], [1.0]) if share == 1.0 else ([_solution(), WALL], [share, 1.0 - share])
    thermo = _state(media, fractions, np.array(ice))
    thermo.locate(thermo.enthalpy(before))
    thermo.temperature()
    thermo.locate(thermo.enthalpy(np.array(wanted)))
    assert np.abs(thermo.temperature() - np.array(wanted)).max() < NO_TABLE


@pytest.mark.parametrize("reduced", [(1.0, 0.0), WEAKER], ids=["full strength", "weaker"])
@pytest.mark.parametrize("ice", [0.01, 0.5, 1.0])
def test_the_enthalpy_is_that_of_the_formula(ice: float, reduced: tuple[float, float]) -> None:
    medium, fraction = _solution(), np.full(RANGE.size, ice)
    thermo = _state([medium, WALL], [0.3, 0.7], fraction, reduced)
    expected = 0.3 * _enthalpy(medium, RANGE, fraction, reduced) + 0.7 * WALL.enthalpy(RANGE)
    assert thermo.enthalpy(RANGE) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("fractions", [[1.0], [0.3, 0.7]], ids=["alone", "shared"])
@pytest.mark.parametrize("ice", [0.05, 0.5, 1.0])
def test_the_temperature_per_enthalpy_is_its_derivative(ice: float, fractions: list[float]) -> None:
    media = [_solution(), WALL][: len(fractions)]
    warmest = float(_freezing(media[0]).warmest(np.array(ice)))
    # away from the three bends: glass transition, where the liquidus is met, melting
    smooth = RANGE[np.min(np.abs(RANGE - np.array([[SOLID], [warmest], [MELTING]])), axis=0) > 0.2]
    thermo = _state(media, fractions, np.full(smooth.size, ice))
    step = 1e-3
    rise = thermo.enthalpy(smooth + step) - thermo.enthalpy(smooth - step)
    thermo.locate(thermo.enthalpy(smooth))
    assert thermo.per_capacity() == pytest.approx(2.0 * step / rise, rel=1e-5)
    few = np.arange(0, smooth.size, 7)
    assert thermo.per_capacity_at(few) == pytest.approx(thermo.per_capacity()[few], rel=1e-12)
    assert thermo.capacity(smooth) == pytest.approx(rise / (2.0 * step), rel=1e-5)


@pytest.mark.parametrize("name", ["CryoStor-CS10", "DP6", "M22", "VMP", "VS55", "saline"])
@pytest.mark.parametrize("ice", [0.002, 0.2, 1.0])
def test_more_enthalpy_is_never_colder_and_never_needs_a_negative_capacity(name: str, ice: float) -> None:
    fine = np.linspace(RANGE[0], RANGE[-1], 4001)
    thermo = _state([_library(name)], [1.0], np.full(fine.size, ice))
    enthalpy = thermo.enthalpy(fine)
    assert (np.diff(enthalpy) > 0.0).all()
    thermo.locate(enthalpy)
    assert (np.diff(thermo.temperature()) > 0.0).all()
    assert (thermo.per_capacity() > 0.0).all()


def test_ice_takes_a_part_of_the_capacity_above_the_glass_transition_and_none_below() -> None:
    medium = _solution()
    loss = _freezing(medium).capacity_loss
    assert 0.05 < loss < 0.5
    for temperature, expected in ((SOLID - 10.0, 3e6), (SOLID + 10.0, 3e6 * (1.0 - 0.4 * loss))):
        thermo = _state([medium], [1.0], np.array([0.4]))
        assert thermo.capacity(temperature)[0] == pytest.approx(expected)
        thermo.locate(thermo.enthalpy(temperature))
        assert 1.0 / thermo.per_capacity()[0] == pytest.approx(expected)


def test_little_ice_is_not_felt() -> None:
    thermo = _state([_solution()], [1.0], np.array([0.0, LEAST]))
    assert not thermo.icy
    assert thermo.enthalpy(200.0)[1] == _solution().enthalpy(200.0)


def test_the_ice_present_is_what_has_formed_or_what_the_liquidus_allows() -> None:
    # lever rule: at 200 K the liquidus is at 0.5 + 0.2 (235 - 200) / 85, and X = (1 - 0.5 / liquidus) / (1 - 0.5 / 0.7)
    most = (1.0 - 0.5 / (0.5 + 0.2 * 35.0 / 85.0)) / (1.0 - 0.5 / 0.7)
    thermo = _state([_solution()], [1.0], np.array([0.2, 0.9, 0.9, 0.9]))
    found = thermo.frozen.present(np.array([200.0, 200.0, 149.0, 236.0]))
    assert found[0] == pytest.approx([0.2, most, 0.9, 0.0])
    assert 0.2 < most < 0.9


def test_freezing_at_constant_enthalpy_warms_by_the_latent_heat_over_the_capacity() -> None:
    medium = _solution()
    freezing = _freezing(medium)
    thermo = _state([medium], [1.0], np.array([0.0]))
    before = thermo.enthalpy(190.0)
    thermo.frozen.take(np.array([[0.1]]))
    thermo.locate(before)
    # u = h - X c(h), c = L + loss (h - h_m): h = (u + X (L - loss h_m)) / (1 - X loss)
    at_melting = freezing.latent_at_melting - freezing.capacity_loss * medium.enthalpy(MELTING)
    h = (before[0] + 0.1 * at_melting) / (1.0 - 0.1 * freezing.capacity_loss)
    assert thermo.temperature()[0] == pytest.approx(float(medium.temperature(h)), abs=NO_TABLE)
    assert 1.0 < thermo.temperature()[0] - 190.0 < 10.0


def test_no_release_of_ice_warms_a_node_above_its_liquidus() -> None:
    thermo = _state([_solution()], [1.0], np.array([0.0]))
    before = thermo.enthalpy(230.0)
    thermo.frozen.take(np.array([[1.0]]))
    thermo.locate(before)
    found = thermo.temperature().copy()
    assert 230.0 < found[0] < MELTING
    present = thermo.frozen.present(found)[0]
    assert present == pytest.approx(_freezing(_solution()).equilibrium(found))
    assert _enthalpy(_solution(), found, present) == pytest.approx(before, rel=1e-9)


def test_a_medium_that_does_not_freeze_is_left_alone_beside_one_that_does() -> None:
    media, ice = [_solution(), WALL], np.array([0.5, 0.5])
    conditions = np.zeros((2, 2, 2))
    conditions[0] = 1.0
    thermo = Thermodynamics(media, np.eye(2), KNOTS, conditions)
    thermo.frozen.take(np.tile(ice, (2, 1)))
    thermo.locate(thermo.enthalpy(200.0))
    assert thermo.temperature() == pytest.approx([200.0, 200.0], abs=NO_TABLE)
    assert thermo.enthalpy(200.0)[1] == WALL.enthalpy(200.0)
    assert float(thermo.frozen.difference(1)(200.0)) == 0.0


def test_ice_in_equilibrium_is_there_from_the_start_and_follows_the_liquidus() -> None:
    saline = _library("saline")
    conditions = np.stack((np.ones((1, 1)), np.zeros((1, 1))))
    thermo = Thermodynamics([saline], np.ones((1, 1)), KNOTS, conditions)
    assert thermo.frozen.present(np.array([300.0])) == 0.0
    assert thermo.frozen.present(np.array([100.0])) == 1.0


def test_a_cell_that_a_front_passes_is_frozen_on_its_cold_side_and_liquid_on_its_warm_side() -> None:
    sharp = replace(_freezing(_solution()), solid=MELTING - 0.05)
    thermo = _state([replace(_solution(), freezing=sharp)], [1.0], np.ones(4))
    corners = np.array([[0, 1, 2, 3]], dtype=np.int32)
    front = MELTING - 0.025
    assert thermo.frozen.in_cells(0, corners, np.array([front, front, front, front - 5.0]))[0] == 1.0
    assert thermo.frozen.in_cells(0, corners, np.array([front, front, front, front + 5.0]))[0] == 0.0


def test_a_cell_has_the_mean_of_what_has_formed_where_the_liquidus_allows_it() -> None:
    thermo = _state([_solution(), WALL], [0.5, 0.5], np.array([0.0, 0.1, 0.2, 0.3]))
    corners = np.array([[3, 1, 0, 2]], dtype=np.int32)
    assert thermo.frozen.in_cells(0, corners, np.full(4, 160.0)) == pytest.approx(0.15)
    assert thermo.frozen.in_cells(1, corners, np.full(4, 160.0)) == 0.0


def test_the_potential_of_what_ice_adds_is_the_integral_of_the_difference_of_the_conductivities() -> None:
    medium = replace(_solution(), conductivity=Curve(np.array([100.0, 300.0]), np.array([0.2, 0.4])))
    medium = replace(medium, freezing=replace(_freezing(medium), frozen_conductivity=constant(1.3)))
    thermo = _state([medium], [1.0], np.array([0.5, 0.5]))
    thermo.locate(thermo.enthalpy(np.array([160.0, 220.0])))
    cold, warm = thermo.frozen_potential(0, np.empty(2))
    assert warm - cold == pytest.approx((1.3 - 0.29) * 60.0, rel=1e-5)  # k = 0.29 W/m/K at 190 K, in the middle


class _Body:
    """One node of a solution, whose temperature is told."""

    def __init__(self) -> None:
        self.owned, self.thermo = 1, _state([_solution()], [1.0], np.zeros(1))

    def temperature(self, state: Array) -> Array:
        self.thermo.locate(state)
        return self.thermo.temperature()

    def carry(self, rates: WindowRates, time: float, start: float, end: float) -> None:
        """Show a window a second in which the temperature [K] changes evenly."""
        values = [self.thermo.enthalpy(t) for t in (start, end)]
        rates.observe(Step(time, time + 1.0, 1.0, np.array([*values, *[values[1] - values[0]] * 2])))


@pytest.mark.parametrize("ice", [0.0, 0.4], ids=["no ice before", "ice before"])
def test_the_rate_through_a_window_after_all_ice_has_melted_is_that_of_no_ice(ice: float) -> None:
    body = _Body()
    rates = WindowRates(body, (170.0, 200.0), -1)  # type: ignore[arg-type]
    body.thermo.frozen.take(np.full((1, 1), ice))
    body.carry(rates, 0.0, 205.0, 240.0)
    body.thermo.frozen.take(np.zeros((1, 1)))
    body.carry(rates, 1.0, 240.0, 160.0)  # in a second, at one capacity
    (rate,), (finished,) = rates.rates()
    assert finished
    assert rate == pytest.approx(80.0)
