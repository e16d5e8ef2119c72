"""Heating of particles: exponents, temperature, and a missing field."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from nanowarm.physics.particles import Particle

MEASURED = {
    "source": "invented for a test",
    "quality": "estimate",
    "kind": "power law",
    "value": "220 W/gFe",
    "at_field": "20 kA/m",
    "at_frequency": "360 kHz",
}
TABLE = {k: v for k, v in MEASURED.items() if k != "value"} | {
    "kind": "table",
    "at": ("-150 degC", "0 degC"),
    "values": ("100 W/gFe", "400 W/gFe"),
}


def power(**more: Any) -> Any:
    given = (MEASURED if more.get("kind") != "table" else TABLE) | more
    return Particle.model_validate({"name": "lot 7", "class": "particle", "specific_power": given}).specific_power


def test_the_measurement_itself_is_met() -> None:
    found = power()
    assert found.field_factor(20e3, 360e3) == pytest.approx(1.0)
    assert float(found.reference_power()(250.0)) == pytest.approx(220e3)  # W per kg iron


@given(times=st.floats(0.01, 100.0), exponent=st.floats(0.0, 4.0))
def test_power_goes_with_the_field_to_its_exponent(times: float, exponent: float) -> None:
    assert power(field_exponent=exponent).field_factor(times * 20e3, 360e3) == pytest.approx(times**exponent)


@given(times=st.floats(0.01, 100.0), exponent=st.floats(0.0, 4.0))
def test_power_goes_with_the_frequency_to_its_exponent(times: float, exponent: float) -> None:
    assert power(frequency_exponent=exponent).field_factor(20e3, times * 360e3) == pytest.approx(times**exponent)


def test_the_exponents_are_those_of_linear_response_where_left_out() -> None:
    assert power().field_factor(40e3, 180e3) == pytest.approx(4.0 / 2.0)


@pytest.mark.parametrize("exponent", [0.0, 2.0])
def test_nothing_heats_without_a_field(exponent: float) -> None:
    assert power(field_exponent=exponent).field_factor(0.0, 360e3) == 0.0


def test_a_table_is_linear_over_temperature_and_constant_outside() -> None:
    curve = power(kind="table").reference_power()
    assert curve([100.0, 123.15, 198.15, 273.15, 350.0]) == pytest.approx([100e3, 100e3, 250e3, 400e3, 400e3])


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"value": "220 W/g"}, "per mass of iron"),
        ({"value": "220"}, "write the unit"),
        ({"at_field": "0 kA/m"}, "out of range"),
        ({"field_exponent": -1.0}, "greater than or equal to 0"),
        ({"kind": "table", "values": ("1 W/gFe",)}, "2 temperatures and `values` 1 values"),
        ({"kind": "table", "at": ("0 degC", "0 degC")}, "must increase strictly"),
    ],
)
def test_a_power_that_cannot_be_is_refused(more: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        power(**more)


def test_a_field_in_tesla_is_that_in_vacuum() -> None:
    # B = mu0 H; mu0 = 4 pi 1e-7 N/A2 to 1e-9
    assert power(at_field="25 mT").at_field == pytest.approx(25e-3 / (4e-7 * 3.141592653589793), rel=1e-8)
