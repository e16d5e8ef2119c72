"""Blood flow through tissue in the units people write it in, and metabolism."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from nanowarm.physics.blood_flow import BloodFlow, PerfusionRate, blood_flow
from nanowarm.quantity import VOLUMETRIC_POWER

TISSUE_DENSITY, BLOOD_DENSITY = 1045.5, 1049.75  # [kg/m3], brain and blood of IT'IS


@pytest.mark.parametrize(
    "text",
    [
        "558.6 mL/min/kg",
        "558.6 ml/min/kg",
        "558.6 mL/kg/min",
        "558.6 mL/(min kg)",
        "558.6 mL/(kg*min)",
        "558.6 mL·min⁻¹·kg⁻¹",
        "0.5586 L/min/kg",
        "0.5586 mL/min/g",
        "55.86 mL/min/100g",
        "55.86 mL/min/100 g",
        "55.86 mL/min/(100 g)",
        "55.86 mL/min/(100g)",
        "55.86 mL/100g/min",
        "55.86 mL/100 g/min",
        "55.86 mL/(100 g min)",
        "55.86 cm^3/min/100g",
    ],
)
def test_a_blood_flow_per_mass_is_read_however_it_is_written(text: str) -> None:
    flow = blood_flow(text)
    assert flow.unit == "m^3/kg/s"
    assert flow.value == pytest.approx(558.6e-6 / 60.0, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("0.0097 1/s", "1/s", 0.0097),
        ("0.6 1/min", "1/s", 0.01),
        ("0.6 mL/min/mL", "1/s", 0.01),
        ("60 mL/min/100mL", "1/s", 0.01),
        ("60 mL/100mL/min", "1/s", 0.01),
        ("1 %/s", "1/s", 0.01),
        ("10 kg/m^3/s", "kg/m^3/s", 10.0),
        ("10 kg/s/m³", "kg/m^3/s", 10.0),
        ("0.6 g/mL/min", "kg/m^3/s", 10.0),
        ("0 1/s", "1/s", 0.0),
    ],
)
def test_a_blood_flow_per_volume_keeps_what_it_is_counted_in(text: str, unit: str, value: float) -> None:
    flow = blood_flow(text)
    assert flow.unit == unit
    assert flow.value == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("558.6 mL/min/kg", 558.6e-6 / 60.0 * TISSUE_DENSITY),
        ("0.01 1/s", 0.01),
        ("10 kg/m^3/s", 10.0 / BLOOD_DENSITY),
    ],
)
def test_a_blood_flow_per_volume_of_tissue_takes_the_density_it_needs(text: str, expected: float) -> None:
    assert blood_flow(text).blood_volume_rate(TISSUE_DENSITY, BLOOD_DENSITY) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("558 mL/min", "'558 mL/min' does not say through how much tissue: write e.g. \"558 mL/min/kg\""),
        ("0.5 kg/s", "'0.5 kg/s' does not say through how much tissue"),
        ("5 mL/min/100", "unknown unit 'mL/min/100'"),
        ("558", "write the unit: 558 could be anything"),
        ("558 mL/min/lb/s", "'mL/min/lb/s' is not a unit of this quantity, e.g."),
        ("558 mL/mni/kg", "unknown unit 'mL/mni/kg'"),
        ("5 g/min/g", "is mass of blood per mass of tissue: give the volume of the blood"),
        ("500 g/min/kg", "is mass of blood per mass of tissue"),
        ("5 gram/min/100 grams", "is mass of blood per mass of tissue"),
        ("-1 mL/min/kg", "must be at least 0 m^3/kg/s"),
        ("558 mL/min/mg", "must be at most 0.001 m^3/kg/s"),
        ("2 1/s", "must be at most 1 1/s"),
        ("1e400 1/s", "is not finite"),
        ("1 rad/s", "is an angle per time"),
        ("much", "is not a number with a unit"),
        (558, 'must be text with a unit, e.g. "558 mL/min/kg"'),
        (("1 1/s",), "found a list"),
    ],
)
def test_a_blood_flow_that_could_be_misread_is_refused_with_its_reason(text: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        blood_flow(text)


@given(st.text(max_size=20))
def test_any_text_is_either_a_blood_flow_or_refused(text: str) -> None:
    try:
        flow = blood_flow(f"5 {text}")
    except ValueError:
        return
    assert 0.0 <= flow.value <= 1e3 * (1.0 + 1e-12)


@pytest.mark.parametrize("flow", [BloodFlow(9.31e-6, "m^3/kg/s"), BloodFlow(0.01, "1/s"), BloodFlow(10.0, "kg/m^3/s")])
def test_a_blood_flow_written_as_text_is_read_back_to_the_same(flow: BloodFlow) -> None:
    adapter: TypeAdapter[BloodFlow] = TypeAdapter(PerfusionRate)
    assert adapter.validate_json(adapter.dump_json(flow)) == flow


def test_a_metabolism_is_heat_per_volume() -> None:
    assert VOLUMETRIC_POWER.parse("11 kW/m^3") == pytest.approx(11e3)
    assert VOLUMETRIC_POWER.parse("1 mW/mL") == pytest.approx(1e3)
    with pytest.raises(ValueError, match=re.escape("'W/kg' is not a unit of this quantity: allowed is what converts to W/m^3")):
        VOLUMETRIC_POWER.parse("11 W/kg")
