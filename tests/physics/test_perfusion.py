"""Blood: its rate over temperature, the heat it carries, and how a case asks for it."""

from __future__ import annotations

import math
import re
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from nanowarm.model import Model, faults, frozen_copy
from nanowarm.physics import materials
from nanowarm.physics.curves import constant
from nanowarm.physics.materials import Material, Medium
from nanowarm.physics.perfusion import PENNES, SHUTDOWN, LangRate, Perfusion, PerfusionInput, PerfusionUse
from nanowarm.quantity import VolumetricPower

TISSUES = Path(materials.__file__).parents[1] / "library" / "tissues"
BODY = 310.15  # [K]
TISSUE_DENSITY, BLOOD_DENSITY, BLOOD_HEAT = 1045.5, 1049.75, 3617.0  # brain and blood of IT'IS


class RegionSection(Model):
    """Stands in for the section of a region."""

    perfusion: PerfusionUse = None
    metabolism: bool | VolumetricPower = False


def library(name: str) -> Material:
    return Material.model_validate(frozen_copy(tomllib.loads((TISSUES / f"{name}.toml").read_text(encoding="utf-8"))))


BLOOD = library("blood")


def acting(perfusion: Any, tissue: Medium | None = None) -> Perfusion:
    section = RegionSection.model_validate({"perfusion": frozen_copy(perfusion)}).perfusion
    assert section is not None
    return section.acting(tissue or library("brain").medium(), BLOOD)


def refusal(perfusion: Any) -> str:
    raw = {"perfusion": frozen_copy(perfusion)}
    with pytest.raises(ValidationError) as caught:
        RegionSection.model_validate(raw)
    lines = faults(caught.value, RegionSection, "case.toml", raw)
    assert len(lines) == 1
    return lines[0]


def lang(of: str) -> LangRate:
    return LangRate.model_validate({"kind": "Lang", "of": of})


# -------------------------------------------------------------------------------------------- Lang's curves


@pytest.mark.parametrize(
    ("of", "celsius", "expected"),
    [  # by hand, [kg/m3/s]: exp(-64/12) = 0.0048279, exp(-25/12) = 0.1245145, exp(-9/12) = 0.4723666
        ("muscle", 37.0, 0.45 + 3.55 * 0.0048279),
        ("muscle", 40.0, 0.45 + 3.55 * 0.1245145),
        ("muscle", 42.0, 0.45 + 3.55 * 0.4723666),
        ("muscle", 45.0, 4.00),
        ("muscle", 50.0, 4.00),
        ("fat", 37.0, 0.36 + 0.36 * 0.0048279),
        ("fat", 40.0, 0.36 + 0.36 * 0.1245145),
        ("fat", 42.0, 0.36 + 0.36 * 0.4723666),
        ("fat", 45.0, 0.72),
        ("fat", 50.0, 0.72),
        ("tumour", 30.0, 0.833),
        ("tumour", 37.0, 0.833),
        ("tumour", 40.0, 0.833 - 195.0671 / 5438.0),  # 3^4.8 = exp(4.8 x 1.0986123) = 195.07
        ("tumour", 41.999999, 0.833 - 2264.9365 / 5438.0),  # 5^4.8 = exp(4.8 x 1.6094379) = 2264.9
        ("tumour", 45.0, 0.416),
        ("tumour", 50.0, 0.416),
    ],
)
def test_the_published_blood_flow_over_temperature_is_reproduced(of: str, celsius: float, expected: float) -> None:
    assert float(lang(of).blood_mass_rate(celsius + 273.15)) == pytest.approx(expected, rel=2e-6)


@pytest.mark.parametrize("of", ["muscle", "fat", "tumour"])
def test_the_published_curves_are_continuous_but_for_the_jump_of_tumours_at_42_degrees(of: str) -> None:
    celsius = np.linspace(20.0, 60.0, 400001)
    steps = np.abs(np.diff(lang(of).blood_mass_rate(celsius + 273.15)))
    jumps = celsius[1:][steps > 2e-4]
    assert (jumps.size == 1) == (of == "tumour")
    np.testing.assert_allclose(jumps, 42.0, atol=2e-4)
    jump = 0.833 - 2264.9365 / 5438.0 - 0.416 if of == "tumour" else 0.0
    assert steps.max() == pytest.approx(jump, abs=1.1e-4)


def test_the_jump_of_the_tumour_curve_is_told() -> None:
    told = " ".join(acting({"rate": {"kind": "Lang", "of": "tumour"}}).notes())
    assert "jumps by 0.0005 kg/m3/s at 42 degC" in told
    assert "jumps" not in " ".join(acting({"rate": {"kind": "Lang", "of": "muscle"}}).notes())


# -------------------------------------------------------------------------------------------- heat of blood


def test_blood_exchanges_what_the_tissue_table_says() -> None:
    assert float(acting("558.6 mL/min/kg").coefficient(BODY)) == pytest.approx(36958, abs=1.0)  # W/m3/K, IT'IS brain


@pytest.mark.parametrize("perfusion", [True, {}, "558.6 mL/min/kg", {"rate": "558.6 mL/min/kg"}, {"blood": "blood"}])
def test_every_way_of_asking_for_the_blood_flow_of_the_brain_gives_the_same(perfusion: Any) -> None:
    assert float(acting(perfusion).coefficient(BODY)) == pytest.approx(36958, abs=1.0)


def test_a_rate_of_the_region_overrides_that_of_its_material() -> None:
    assert float(acting("0.01 1/s").coefficient(BODY)) == pytest.approx(0.01 * BLOOD_DENSITY * BLOOD_HEAT)


def test_blood_counted_by_mass_carries_its_specific_heat_times_its_rate() -> None:
    tumour = acting({"rate": {"kind": "Lang", "of": "tumour"}})
    assert float(tumour.coefficient(BODY)) == pytest.approx(BLOOD_HEAT * 0.833)  # Lang: c_b w(T)
    assert float(acting("0.833 kg/m^3/s").coefficient(BODY)) == pytest.approx(BLOOD_HEAT * 0.833)


def test_tissue_hotter_than_the_blood_is_cooled_and_colder_tissue_is_warmed() -> None:
    perfusion = acting({"rate": "0.01 1/s", "arterial": "36 degC"})
    heat = 0.01 * BLOOD_DENSITY * BLOOD_HEAT
    power = perfusion.power(np.array([20.0, 36.0, 43.0]) + 273.15)
    np.testing.assert_allclose(power, heat * np.array([16.0, 0.0, -7.0]), atol=1e-6 * heat)


def test_a_table_over_temperature_is_linear_between_its_points_and_takes_any_unit() -> None:
    table = {"at": ["37 degC", "43 degC"], "values": ["600 mL/min/kg", "0.02 1/s"]}
    first = 600e-6 / 60.0 * TISSUE_DENSITY
    rates = acting({"rate": table}).coefficient(np.array([20.0, 37.0, 40.0, 43.0, 60.0]) + 273.15)
    expected = np.array([first, first, 0.5 * (first + 0.02), 0.02, 0.02]) * BLOOD_DENSITY * BLOOD_HEAT
    np.testing.assert_allclose(rates, expected, rtol=1e-12)


def test_damage_closes_vessels_only_where_that_is_asked_for() -> None:
    damage = np.array([0.0, 1.0, 5.0])
    np.testing.assert_allclose(acting({"shutdown": "damage"}).open_share(damage), [1.0, math.exp(-1.0), math.exp(-5.0)])
    np.testing.assert_array_equal(acting({"shutdown": "none"}).open_share(damage), 1.0)


def test_what_pennes_term_leaves_out_is_told() -> None:
    assert acting(True).notes() == (PENNES,)
    assert acting({"shutdown": "damage"}).notes() == (PENNES, SHUTDOWN)
    assert "overstates the cooling by capillaries" in PENNES


# ------------------------------------------------------------------------- heat over temperature, for the solver

RATES = {
    "constant": {"rate": "558.6 mL/min/kg"},
    "table": {"rate": {"at": ["37 degC", "40.005 degC", "43 degC"], "values": ["0.01 1/s", "0.03 1/s", "0 1/s"]}},
    "one row": {"rate": {"at": ["37 degC"], "values": ["0.01 1/s"]}},
    "muscle": {"rate": {"kind": "Lang", "of": "muscle"}},
    "fat": {"rate": {"kind": "Lang", "of": "fat"}},
    "tumour": {"rate": {"kind": "Lang", "of": "tumour"}},
}


@pytest.mark.parametrize("name", RATES)
def test_the_curve_is_the_heat_of_blood_within_a_hundredth_of_a_percent_of_the_exchange_at_ten_kelvin(name: str) -> None:
    perfusion = acting(RATES[name])
    temperature = np.linspace(273.15, 373.15, 100001)
    curve = perfusion.curve(73.15, 473.15)
    off_jump = np.abs(temperature - 315.16) > 0.02 if name == "tumour" else np.full(temperature.size, True)
    error = np.abs(curve(temperature) - perfusion.power(temperature))[off_jump]
    assert error.max() < 1e-4 * perfusion.coefficient(temperature).max() * 10.0


@pytest.mark.parametrize("name", RATES)
def test_the_curve_bends_at_every_point_of_its_rate_and_reaches_the_ends_asked_for(name: str) -> None:
    perfusion = acting(RATES[name])
    curve = perfusion.curve(73.15, 473.15)
    assert (curve.at[0], curve.at[-1]) == (73.15, 473.15)
    assert np.all(np.diff(curve.at) > 1e-6)
    if len(perfusion.flow.bends) > 1:
        assert set(perfusion.flow.bends) <= set(curve.at)


def test_a_range_that_cuts_the_rate_keeps_its_ends() -> None:
    curve = acting(RATES["muscle"]).curve(300.0, 315.0)
    assert (curve.at[0], curve.at[-1]) == (300.0, 315.0)
    assert acting(RATES["muscle"]).curve(73.15, 200.0).at.tolist() == [73.15, 200.0]


def test_the_slope_of_a_constant_rate_is_its_coefficient() -> None:
    assert acting("0.01 1/s").slope_bound(73.15, 473.15) == pytest.approx(0.01 * BLOOD_DENSITY * BLOOD_HEAT, rel=1e-9)


@pytest.mark.parametrize("name", RATES)
def test_the_slope_bound_is_not_exceeded(name: str) -> None:
    perfusion = acting(RATES[name])
    temperature = np.linspace(300.0, 330.0, 3001)
    slopes = np.diff(perfusion.curve(73.15, 473.15)(temperature)) / np.diff(temperature)
    bound = perfusion.slope_bound(73.15, 473.15)
    assert np.abs(slopes).max() <= bound * (1.0 + 1e-9)
    assert bound < 20.0 * perfusion.coefficient(temperature).max()  # and it is no wild guess


# ------------------------------------------------------------------------------------------ case file


def test_false_and_nothing_ask_for_no_perfusion() -> None:
    assert RegionSection.model_validate({"perfusion": False}).perfusion is None
    assert RegionSection.model_validate({}).perfusion is None


@pytest.mark.parametrize(
    "perfusion", [True, *RATES.values(), {"rate": "5 mL/min/100g", "arterial": "4 degC", "shutdown": "damage"}]
)
def test_a_section_written_to_a_file_is_read_back_to_the_same(perfusion: Any) -> None:
    section = RegionSection.model_validate({"perfusion": frozen_copy(perfusion), "metabolism": "11 kW/m^3"})
    assert RegionSection.model_validate(frozen_copy(section.model_dump(mode="json"))) == section


@pytest.mark.parametrize("metabolism", [True, False])
def test_a_metabolism_may_be_left_to_the_material(metabolism: bool) -> None:
    section = RegionSection.model_validate({"metabolism": metabolism})
    assert section.metabolism is metabolism
    assert section.model_dump(mode="json")["metabolism"] is metabolism


def test_the_schema_offers_every_way_of_asking() -> None:
    ways = RegionSection.model_json_schema()["properties"]["perfusion"]["anyOf"]
    assert {way.get("type") for way in ways} == {"boolean", "string", "null", None}
    assert {"$ref": "#/$defs/PerfusionInput"} in ways


@pytest.mark.parametrize(
    ("perfusion", "told"),
    [
        (1, 'perfusion: must be true (the material\'s own), a rate such as "558 mL/min/kg", or a section; found 1'),
        (["558 mL/min/kg"], "perfusion: must be true (the material's own)"),
        ("558 mL/min", "perfusion: '558 mL/min' does not say through how much tissue"),
        ({"rat": "558 mL/min/kg"}, "perfusion.rat: unknown key; did you mean rate? known: arterial, blood, rate, shutdown"),
        ({"rate": 558}, "perfusion.rate: must be text with a unit"),
        ({"rate": "558 mL/min"}, "perfusion.rate: '558 mL/min' does not say through how much tissue"),
        ({"rate": {"kind": "Leng", "of": "fat"}}, 'perfusion.rate.kind: no kind "Leng"; did you mean Lang?'),
        ({"rate": {"kind": "Lang", "of": "liver"}}, 'perfusion.rate.of: must be "muscle", "fat" or "tumour"; found "liver"'),
        ({"rate": {"kind": "Lang"}}, "perfusion.rate.of: missing: this key is required"),
        ({"rate": {"at": ["37 degC"]}}, "perfusion.rate.values: missing: this key is required"),
        (
            {"rate": {"at": ["37 degC", "43 degC"], "values": ["1 1/min"]}},
            "perfusion.rate: `at` has 2 temperatures and `values` 1 rates: give as many",
        ),
        (
            {"rate": {"at": ["43 degC", "37 degC"], "values": ["1 1/min", "2 1/min"]}},
            "perfusion.rate: the temperatures of `at` must increase strictly",
        ),
        ({"rate": {"at": ["37 degC"], "values": ["1 mL/s"]}}, "perfusion.rate.values.0: '1 mL/s' does not say through how much"),
        ({"rate": {"at": [], "values": []}}, "perfusion.rate: `at` and `values` are empty: give at least one temperature"),
        ({"arterial": "37 K"}, 'perfusion.arterial: nothing flows at 37 K: give the temperature of the blood, e.g. "37 degC"'),
        ({"arterial": 37}, "perfusion.arterial: write the unit: 37 could be anything"),
        ({"shutdown": "Damage"}, 'perfusion.shutdown: must be "none" or "damage"; found "Damage"'),
        ({"blood": ""}, "perfusion.blood: must not be empty"),
    ],
)
def test_a_mistake_in_the_section_is_told_in_one_line(perfusion: Any, told: str) -> None:
    assert refusal(perfusion).startswith(f"case.toml: {told}")


def test_a_material_without_blood_flow_needs_a_rate() -> None:
    gel = Medium("gel", constant(4e6), constant(0.5), density=1000.0)
    with pytest.raises(ValueError, match=re.escape('gel has no perfusion of its own: give a rate, e.g. "558 mL/min/kg"')):
        PerfusionInput().acting(gel, BLOOD)
    given_rate = acting("600 mL/min/kg", gel)
    assert float(given_rate.coefficient(BODY)) == pytest.approx(600e-6 / 60.0 * 1000.0 * BLOOD_DENSITY * BLOOD_HEAT)


def test_another_perfusate_carries_its_own_heat() -> None:
    path = TISSUES.parent / "materials" / "saline.toml"
    saline = Material.model_validate(frozen_copy(tomllib.loads(path.read_text(encoding="utf-8"))))
    section = PerfusionInput.model_validate({"rate": "10 kg/m^3/s", "arterial": "4 degC", "blood": "saline"})
    perfusion = section.acting(library("liver").medium(), saline)
    assert float(perfusion.coefficient(300.0)) == pytest.approx(10.0 * float(saline.specific_heat.curve()(277.15)))
    assert float(perfusion.power(277.15)) == 0.0
