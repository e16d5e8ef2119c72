"""Partly equilibrated organs: what a case may say, and what a concentration does to glass and ice."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from nanowarm.model import Model, faults, frozen_copy
from nanowarm.physics.curves import constant
from nanowarm.physics.equilibration import AnyConcentration, Equilibration, equilibration_of
from nanowarm.physics.ice import IceKinetics
from nanowarm.physics.materials import Medium

GLASS, MELTING = 150.15, 235.15  # [K] of VS55
COOLING, WARMING = 2.5 / 60, 50 / 60  # [K/s] of VS55
PROFILE = {"at": ["0 mm", "2 mm", "5 mm"], "values": [1.0, "70 %", 0.4]}
RADIAL = {"kind": "radial", "centre": ["1 mm", "0 mm", "0 mm"]} | PROFILE
AXIAL = {"kind": "axial", "axis": [0, 3, 4]} | PROFILE
DEPTH = {"kind": "depth"} | PROFILE
IMAGE = {"kind": "image", "file": "ct.nii.gz", "coordinates": "LPS"}


class Use(Model):
    concentration: AnyConcentration


def read(raw: Any) -> Any:
    return Use.model_validate(frozen_copy({"concentration": raw})).concentration


def told(raw: Any) -> str:
    content = frozen_copy({"concentration": raw})
    with pytest.raises(ValidationError) as caught:
        Use.model_validate(content)
    (line,) = faults(caught.value, Use, "case.toml", content)
    return line


def medium(**values: Any) -> Medium:
    known = {"glass_transition": GLASS, "melting": MELTING, "critical_cooling_rate": COOLING, "critical_warming_rate": WARMING}
    return Medium("jelly", constant(1.0), constant(1.0), **(known | values))


@pytest.fixture
def full() -> Equilibration:
    return equilibration_of(medium())


@pytest.mark.parametrize("raw", [0.9, "90 %", "90%", {"kind": "uniform", "value": 0.9}, {"kind": "uniform", "value": "90 %"}])
def test_a_number_or_per_cent_is_the_same_everywhere(raw: Any) -> None:
    assert read(raw).concentration(np.zeros((4, 3))) == pytest.approx(np.full(4, 0.9))


def test_a_whole_number_is_a_number() -> None:
    assert read(1).value == 1.0


@pytest.mark.parametrize(("distance", "value"), [(0.0, 1.0), (1.0, 0.85), (2.0, 0.7), (3.5, 0.55), (9.0, 0.4)])
def test_profiles_are_linear_between_their_places_and_constant_beyond(distance: float, value: float) -> None:
    along = 1e-3 * distance * np.array([[0.0, 0.6, 0.8]])
    assert read(RADIAL).concentration(along + np.array([1e-3, 0.0, 0.0])) == pytest.approx([value])
    assert read(AXIAL).concentration(along) == pytest.approx([value])
    assert read(DEPTH).concentration(np.array([1e-3 * distance])) == pytest.approx([value])


def test_an_image_holds_the_concentration_itself_unless_calibrated() -> None:
    values = np.array([0.25, 0.5, 1.0])
    assert read(IMAGE).calibration.concentration(values) == pytest.approx(values)
    linear = read(IMAGE | {"calibration": {"of": "HU", "slope": 0.002, "offset": 0.1}}).calibration
    assert linear.concentration(np.array([100.0, 400.0])) == pytest.approx([0.3, 0.9])
    table = read(IMAGE | {"calibration": {"at": [0, 100, 300], "values": [0.0, 0.5, 1.0]}}).calibration
    assert table.concentration(np.array([50.0, 200.0])) == pytest.approx([0.25, 0.75])
    assert table.range() == (0.0, 300.0)


def test_an_image_is_placed_like_one_of_iron() -> None:
    place = {"rotate": {"axis": [0, 0, 2], "angle": "90 deg", "about": ["10 mm", "0 mm", "0 mm"]}, "coordinates": "RAS"}
    matrix, shift = read(IMAGE | place | {"translate": ["0 mm", "0 mm", "5 mm"]}).placement()
    # (-12, 0, 1) in LPS is (12, 0, 1) in RAS, 2 beyond the axis along x, which the turn takes to y
    assert matrix @ [-12.0, 0.0, 1.0] + shift == pytest.approx([10e-3, 2e-3, 6e-3])


@pytest.mark.parametrize("raw", [0.9, "90 %", RADIAL, AXIAL, DEPTH, DEPTH | {"through": ["cpa", "side"]}, IMAGE])
def test_what_is_written_into_a_run_folder_reads_back(raw: Any) -> None:
    written = Use.model_validate(frozen_copy({"concentration": raw})).model_dump(mode="json", by_alias=True, exclude_none=True)
    assert read(written["concentration"]) == read(raw)


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (0, "concentration: .*must be above 0 and at most 1.2, where 1 is full strength; found 0$"),
        (-0.5, "must be above 0"),
        (90, 'at most 1.2, where 1 is full strength; found 90; for per cent write "90 %"'),
        ("121 %", 'at most 1.2, where 1 is full strength; found "121 %"'),
        (float("nan"), "must be above 0"),
        ("0.9", "write the unit"),
        ("0.9 mol/L", "'mol/L' is not a unit of this quantity"),
        ("full", "not a number"),
        (True, 'must be a number such as 0.9, or text such as "90 %"; found true'),
        ([0.9, 1.0], "must be a number such as 0.9, or text .*found a list"),
        ({"kind": "cube"}, "a table whose `kind` is axial, depth, image, radial or uniform"),
        ({"value": 0.9}, "a table whose `kind` is"),
        ({"kind": "uniform", "value": 2.0}, "concentration.value: must be above 0"),
        ({"kind": "gaussian", "dose": "5 mgFe"}, "a table whose `kind` is"),
        (RADIAL | {"at": ["-1 mm", "2 mm", "5 mm"]}, "radii, which are not negative"),
        (RADIAL | {"values": [1.0, 0.7, 1.3]}, r"concentration.values.2: must be above 0"),
        (AXIAL | {"axis": [0, 0, 0]}, "no direction"),
        (DEPTH | {"at": ["-1 mm", "2 mm", "5 mm"]}, "depths, which are not negative; found -1 mm"),
        (DEPTH | {"at": ["0 mm", "2 mm", "2 mm"]}, "depths of `at` must increase strictly"),
        (DEPTH | {"at": ["0 mm"]}, "give as many"),
        (DEPTH | {"at": [0, "2 mm", "5 mm"]}, "write the unit"),
        (DEPTH | {"axis": [0, 0, 1]}, "concentration.axis: unknown key"),
        ({"kind": "image", "file": "ct.nii"}, "concentration.coordinates: missing"),
        (IMAGE | {"coordinates": "RPI"}, 'concentration.coordinates: must be "LPS" or "RAS"'),
        (IMAGE | {"calibration": {"slope": 0.0}}, "a slope of 0"),
        (IMAGE | {"calibration": {"slope": 1.0, "unit": "mgFe/mL"}}, "calibration.unit: unknown key"),
        (IMAGE | {"calibration": {"at": [0, 100], "values": [0.0, 1.5]}}, "calibration.values.1: must be at most 1.2"),
    ],
)
def test_what_can_not_be_is_told_in_one_line(raw: Any, line: str) -> None:
    found = told(raw)
    assert re.search(line, found), found
    assert "\n" not in found


def test_the_schema_knows_numbers_texts_and_tables() -> None:
    definitions = Use.model_json_schema()["$defs"]
    assert [branch.get("type") for branch in definitions["UniformConcentration"]["anyOf"]] == ["number", "string", "object"]
    for name in ("RadialConcentration", "AxialConcentration", "DepthConcentration"):
        (number, text) = definitions[name]["properties"]["values"]["items"]["anyOf"]
        assert (number["type"], number["maximum"], text["type"]) == ("number", 1.2, "string")
    assert "file" in definitions["ConcentrationImage"]["required"]


def test_full_strength_changes_nothing(full: Equilibration) -> None:
    one = np.ones(2)
    assert full.glass_transition(one) == pytest.approx([GLASS] * 2)
    assert full.melting(one) == pytest.approx([MELTING] * 2)
    assert full.critical_rate(one, -1) == pytest.approx([COOLING] * 2)
    assert full.critical_rate(one, 1) == pytest.approx([WARMING] * 2)
    scale, offset = full.reduced_temperature(one)
    assert (scale, offset) == (pytest.approx(one), pytest.approx([0.0, 0.0], abs=1e-10))
    assert full.time_scale(one) == pytest.approx(one)


def test_nothing_but_water_is_water(full: Equilibration) -> None:
    none = np.array(0.0)
    assert full.glass_transition(none) == pytest.approx(135.0)  # Inaba & Andersson 2007
    assert full.melting(none) == pytest.approx(273.15)
    assert full.critical_rate(none, -1) == pytest.approx(math.sqrt(1e6 * 6.4e6), rel=0.02)  # middle of what is reported


def test_critical_rates_are_geometric_means_and_keep_their_ratio(full: Equilibration) -> None:
    ends = full.critical_rate(np.array([0.4, 0.6, 0.8, 1.0, 1.2]), -1)
    assert ends[1:] / ends[:-1] == pytest.approx(np.full(4, (COOLING / 2.5e6) ** 0.2))
    assert full.critical_rate(np.array([0.3, 1.1]), 1) / full.critical_rate(np.array([0.3, 1.1]), -1) == pytest.approx([20, 20])


def test_transitions_are_linear_and_go_on_beyond_full_strength(full: Equilibration) -> None:
    found = np.array([[full.glass_transition(c), full.melting(c)] for c in np.array([0.8, 1.0, 1.2])])
    assert found[2] - found[1] == pytest.approx(found[1] - found[0])
    assert found[0] == pytest.approx([135.0 + 0.8 * 15.15, 273.15 - 0.8 * 38.0])


@given(st.floats(0.01, 1.2))
def test_the_reduced_temperature_takes_transitions_to_those_of_full_strength(concentration: float) -> None:
    full, c = equilibration_of(medium()), np.array([concentration])
    scale, offset = full.reduced_temperature(c)
    assert scale * full.glass_transition(c) + offset == pytest.approx([GLASS], abs=1e-9)
    assert scale * full.melting(c) + offset == pytest.approx([MELTING], abs=1e-9)


def crystallised(kinetics: IceKinetics, transitions: tuple[float, float], rate: float, mapped: Any) -> float:
    """Ice at a constant rate [K/s, negative from melting to glass] by Schneider's equations, T' and the factor s by `mapped`."""
    glass, melting = transitions
    ends = (glass, melting) if rate > 0.0 else (melting, glass)
    steps = 20_000
    temperature = ends[0] + (ends[1] - ends[0]) * (np.arange(steps) + 0.5) / steps
    scale, offset, faster = mapped
    reduced = scale * temperature + offset
    duration = (melting - glass) / abs(rate) / steps
    growth = faster * kinetics.growth(reduced)
    gained = faster * kinetics.nucleation(reduced) * duration  # of phi3 in each step
    for _ in range(3):  # phi2, phi1, phi0: each grows by what the one before has become in the middle of the step
        gained = growth * duration * (np.cumsum(gained) - 0.5 * gained)
    return float(-np.expm1(-gained.sum()))


KINETICS = IceKinetics(MELTING, GLASS, 273.15 - 79.40, 5.0, 60e3, 2.4175e-19)  # physics notes 6.2, of VS55 at 2.5 and 50 degC/min


@pytest.mark.parametrize(("direction", "rate"), [(-1, COOLING), (1, WARMING)])
def test_the_reference_has_its_threshold_of_ice_at_both_critical_rates(direction: int, rate: float) -> None:
    assert crystallised(KINETICS, (GLASS, MELTING), direction * rate, (1.0, 0.0, 1.0)) == pytest.approx(0.002, rel=1e-3)


@pytest.mark.parametrize("concentration", [0.5, 0.8, 0.95, 1.1])
@pytest.mark.parametrize("direction", [-1, 1])
@pytest.mark.parametrize("times", [0.3, 1.0, 3.0])
def test_ice_at_a_multiple_of_the_critical_rate_is_that_of_full_strength(
    full: Equilibration, concentration: float, direction: int, times: float
) -> None:
    c = np.array(concentration)
    transitions = float(full.glass_transition(c)), float(full.melting(c))
    mapped = (*full.reduced_temperature(c), full.time_scale(c))
    here = crystallised(KINETICS, transitions, direction * times * float(full.critical_rate(c, direction)), mapped)
    one = np.array(1.0)
    there = crystallised(
        KINETICS, (GLASS, MELTING), direction * times * float(full.critical_rate(one, direction)), (1.0, 0.0, 1.0)
    )
    assert here == pytest.approx(there, rel=1e-9)
    assert 1e-5 < there < 0.5


def test_the_same_protocol_leaves_more_ice_in_a_weaker_solution(full: Equilibration) -> None:
    found = []
    for concentration in (1.0, 0.97, 0.94, 0.9):
        c = np.array(concentration)
        mapped = (*full.reduced_temperature(c), full.time_scale(c))
        found.append(crystallised(KINETICS, (float(full.glass_transition(c)), float(full.melting(c))), WARMING, mapped))
    assert found == sorted(found)
    assert found[-1] > 100 * found[0]


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"melting": None}, "jelly has no melting; a `concentration` needs it"),
        ({"critical_cooling_rate": None, "glass_transition": None}, "has no glass_transition, critical_cooling_rate;"),
        ({"critical_warming_rate": 0.0}, "has a critical rate of 0"),
        ({"melting": GLASS}, "melting at 150.15 K is too close to its glass_transition at 150.15 K"),
        ({"melting": GLASS + 20.0}, "too close"),
        ({"critical_cooling_rate": 3e6}, "not below that of water"),
    ],
)
def test_a_medium_that_says_too_little_is_refused(values: dict[str, Any], line: str) -> None:
    with pytest.raises(ValueError, match=re.escape(line)):
        equilibration_of(medium(**values))
