"""What ice does to a solution: how much there can be, its heat and its conduction."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nanowarm.physics.curves import Curve, constant
from nanowarm.physics.freezing import Freezing, Solution, conductivity_of_ice, freezing_of, latent_heat_of_ice
from nanowarm.physics.materials import Material, mixture
from nanowarm.shelf import library_files, load_record

ZERO = 273.15
FREEZING = ("CryoStor-CS10", "DP6", "M22", "VMP", "VS55", "saline")
CAPACITY, CONDUCTIVITY = 3e6, 0.3
MELTING, SOLID = 235.0, 150.0


def made(solute: float = 0.5, concentrated: float = 0.7) -> Freezing:
    solution = Solution(MELTING, SOLID, solute, concentrated, 1000.0)
    return freezing_of(solution, constant(CAPACITY), constant(CONDUCTIVITY))


def material(name: str) -> Material:
    return load_record(library_files("material")[name], Material)


def freezing(name: str) -> Freezing:
    found = material(name).medium().freezing
    assert found is not None
    return found


def enthalpy(found: Freezing, h: float, fraction: float) -> float:
    """Enthalpy density [J/m3] of the partly frozen medium."""
    return h - fraction * float(found.latent(np.array(h)))


# -------------------------------------------------------------------------------------- how much, and its heat


def test_vs55_freezes_to_26_percent_of_its_mass_and_gives_63_joule_per_gram_at_minus_40_degrees() -> None:
    solution = Solution(-38.0 + ZERO, -123.0 + ZERO, 0.52, 0.70, 1058.0)
    share = solution.most_ice / solution.density
    assert share == pytest.approx(1.0 - 0.52 / 0.70)
    assert share == pytest.approx(0.26, abs=0.005)  # reference/physics.md, section 6.3
    assert share * latent_heat_of_ice(-40.0 + ZERO) == pytest.approx(63e3, rel=0.01)


def test_the_library_gives_vs55_these_fractions() -> None:
    found = freezing("VS55")
    assert (found.solute, found.concentrated) == pytest.approx((0.52, 0.70))
    assert (found.melting, found.solid) == pytest.approx((-38.0 + ZERO, -123.0 + ZERO))


def test_no_library_material_freezes_more_than_its_water() -> None:
    for name in FREEZING:
        water = material(name).water_fraction
        found = freezing(name)
        assert water is not None
        assert 0.0 < 1.0 - found.solute / found.concentrated < water.value, name


def test_ice_melts_with_334_kilojoule_per_kilogram_at_0_degrees_and_a_quarter_less_at_minus_40() -> None:
    assert latent_heat_of_ice(ZERO) == pytest.approx(334e3)
    assert latent_heat_of_ice(ZERO - 40.0) == pytest.approx(245e3, rel=0.005)  # reference/physics.md, section 2.2


def test_the_latent_heat_falls_as_the_capacities_of_supercooled_water_and_ice_differ() -> None:
    slope = (latent_heat_of_ice(ZERO) - latent_heat_of_ice(ZERO - 10.0)) / 10.0
    water, ice = 4220.0, 7.49 * (ZERO - 5.0) + 90.0  # J/kg/K; ice by reference/physics.md, section 2.2
    assert slope == pytest.approx(water - ice, rel=0.05)


def test_freezing_at_melting_takes_the_latent_heat_of_its_ice() -> None:
    found = made()
    expected = 1000.0 * (1.0 - 0.5 / 0.7) * latent_heat_of_ice(MELTING)
    h = float(constant(CAPACITY).integral(MELTING))
    assert h - enthalpy(found, h, 1.0) == pytest.approx(expected)


def test_freezing_half_way_down_the_liquidus_takes_the_latent_heat_there() -> None:
    found, middle = made(), 0.5 * (MELTING + SOLID)
    h = float(constant(CAPACITY).integral(middle))
    assert h - enthalpy(found, h, 1.0) == pytest.approx(1000.0 * (1.0 - 0.5 / 0.7) * latent_heat_of_ice(middle))


def test_half_of_the_ice_takes_half_of_the_heat() -> None:
    found = made()
    h = float(constant(CAPACITY).integral(200.0))
    assert h - enthalpy(found, h, 0.5) == pytest.approx(0.5 * (h - enthalpy(found, h, 1.0)))


@pytest.mark.parametrize("name", FREEZING)
def test_frozen_library_materials_keep_a_positive_capacity(name: str) -> None:
    assert 0.0 < freezing(name).capacity_loss < 0.6


@pytest.mark.parametrize("name", ["saline", "CryoStor-CS10"])
def test_what_always_freezes_has_the_capacity_of_its_ice_and_of_the_rest_when_frozen(name: str) -> None:
    record, found = material(name), freezing(name)
    share = 1.0 - found.solute / found.concentrated
    for celsius, rest in ((-196.0, 760.0), (-120.0, 1700.0), (-60.0, 2500.0)):  # J/kg/K, as the file says
        frozen = float(record.medium().capacity(celsius + ZERO)) * (1.0 - found.capacity_loss) / record.density.value
        ice = 7.49 * (celsius + ZERO) + 90.0  # J/kg/K; reference/physics.md, section 2.2
        assert frozen == pytest.approx(share * ice + (1.0 - share) * rest, rel=0.06)


# ----------------------------------------------------------------------------------------------- equilibrium


def test_there_is_no_ice_at_melting_and_all_of_it_where_the_rest_is_solid() -> None:
    found = made()
    assert found.equilibrium(np.array([300.0, MELTING])) == pytest.approx(np.array([0.0, 0.0]), abs=1e-15)
    assert found.equilibrium(np.array([SOLID, 77.0])) == pytest.approx(np.array([1.0, 1.0]))


def test_half_way_down_a_straight_liquidus_the_lever_rule_holds() -> None:
    found = made(0.5, 0.7)
    rest = 0.6  # of solute between the crystals, half-way from 0.5 to 0.7
    expected = (1.0 - 0.5 / rest) / (1.0 - 0.5 / 0.7)
    assert float(found.equilibrium(np.array(0.5 * (MELTING + SOLID)))) == pytest.approx(expected)


@pytest.mark.parametrize("name", FREEZING)
def test_colder_never_means_less_ice_in_equilibrium(name: str) -> None:
    found = freezing(name)
    ice = found.equilibrium(np.linspace(100.0, 290.0, 1901))
    assert (np.diff(ice) <= 0.0).all()
    assert (ice[0], ice[-1]) == pytest.approx((1.0, 0.0), abs=1e-15)


@given(st.floats(0.05, 0.6), st.floats(0.05, 0.3), st.floats(0.0, 1.0))
def test_the_warmest_temperature_for_some_ice_is_where_equilibrium_has_just_that(solute: float, more: float, ice: float) -> None:
    found = made(solute, solute + more)
    warmest = found.warmest(np.array(ice))
    assert SOLID - 1e-9 <= float(warmest) <= MELTING + 1e-9
    assert float(found.equilibrium(warmest)) == pytest.approx(ice, abs=1e-9)


def test_the_slope_of_the_equilibrium_is_its_derivative_and_0_outside() -> None:
    found, at, small = made(), np.linspace(SOLID + 1.0, MELTING - 1.0, 50), 1e-4
    slope = (found.equilibrium(at + small) - found.equilibrium(at - small)) / (2.0 * small)
    np.testing.assert_allclose(found.equilibrium_slope(at), slope, rtol=1e-6)
    np.testing.assert_array_equal(found.equilibrium_slope(np.array([SOLID - 1.0, MELTING + 1.0])), 0.0)


# ----------------------------------------------------------------------------------------------- conduction


def test_ice_conducts_2_4_watt_at_0_and_4_2_at_minus_118_degrees() -> None:
    found = conductivity_of_ice(np.array([0.0, -118.0]) + ZERO)
    assert found == pytest.approx(np.array([2.4, 4.2]), rel=0.01)  # Slack 1980; reference/physics.md, section 2.2


def test_the_frozen_medium_conducts_as_ice_by_its_volume() -> None:
    found = made(0.5, 0.7)
    volume = 1000.0 * (1.0 - 0.5 / 0.7) / 917.0
    for kelvin in (123.15, 198.15):  # knots of its table
        expected = (1.0 - volume) * CONDUCTIVITY + volume * 651.0 / kelvin
        assert float(found.frozen_conductivity(kelvin)) == pytest.approx(expected)


def test_crystals_make_vs55_conduct_better_the_colder_it_is_and_its_glass_the_worse() -> None:
    medium, found = material("VS55").medium(), freezing("VS55")
    cold, warm = np.array([-180.0, -60.0]) + ZERO
    assert float(found.frozen_conductivity(cold)) > float(found.frozen_conductivity(warm))
    assert float(medium.conductivity(cold)) < float(medium.conductivity(warm))
    gain = float(found.frozen_conductivity(cold)) / float(medium.conductivity(cold))
    assert 5.0 < gain < 20.0  # Ehrlich 2015: up to tenfold at -180 degC


def test_only_the_solutions_share_of_an_organ_freezes() -> None:
    kidney, vs55 = material("kidney"), material("VS55")
    mixed = mixture({"kidney": 0.4, "VS55": 0.6}, {"kidney": kidney, "VS55": vs55}).freezing
    assert mixed is not None
    assert mixed.latent_at_melting == pytest.approx(0.6 * freezing("VS55").latent_at_melting)


def test_a_material_without_an_ice_section_does_not_freeze() -> None:
    assert material("EG40-sucrose").medium().freezing is None
    assert material("EG40-sucrose").kinetics() is None


def test_ice_in_equilibrium_has_no_kinetics() -> None:
    assert material("saline").kinetics() is None
    assert material("saline").medium().freezing is not None


def test_the_conductivity_table_keeps_the_bends_of_that_without_ice() -> None:
    solution = Solution(MELTING, SOLID, 0.5, 0.7, 1000.0)
    bent = Curve(np.array([150.0, 201.0, 300.0]), np.array([0.2, 0.9, 0.3]))
    found = freezing_of(solution, constant(CAPACITY), bent)
    volume = 1000.0 * (1.0 - 0.5 / 0.7) / 917.0
    assert float(found.frozen_conductivity(201.0)) == pytest.approx((1.0 - volume) * 0.9 + volume * 651.0 / 201.0)
