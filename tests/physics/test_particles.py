"""Heating of particles: exponents, temperature, and a missing field."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from nanowarm.errors import CaseError
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


# ---------------------------------------------------------------------------------------- what every kind answers


def test_the_power_of_a_power_law_and_of_a_table_is_its_two_factors() -> None:
    for found in (power(), power(kind="table")):
        assert found.separable
        grid = found.power(np.array([[10e3], [30e3]]), 200e3, np.array([100.0, 200.0, 300.0]))
        factors = found.field_factor(np.array([10e3, 30e3]), 200e3)
        np.testing.assert_allclose(grid, factors[:, None] * found.reference_power()([100.0, 200.0, 300.0]))


def test_a_power_law_warns_far_from_its_measurement_only() -> None:
    assert power().notes(50e3, 180e3, 250.0) == ()
    assert "carried far from there" in power().notes(80e3, 360e3, 250.0)[0]
    assert "carried far from there" in power().notes(20e3, 50e3, 250.0)[0]
    assert power().notes(0.0, 360e3, 250.0) == ()


def test_a_power_law_is_cut_at_the_square_loop_where_its_magnetisation_is_known() -> None:
    known = power(value="3 kW/gFe", saturation_magnetization="446 kA/m")
    ceiling = 4.0 * 4e-7 * 3.141592653589793 * 446e3 * 40e3 * 360e3 / (5180.0 * 0.7236)
    assert float(known.power(40e3, 360e3, 250.0)) == pytest.approx(ceiling)
    assert known.field_factor(40e3, 360e3) * 3e6 == pytest.approx(ceiling)
    assert "cut to that of a square loop" in known.notes(40e3, 360e3, 250.0)[0]
    assert known.notes(20e3, 360e3, 250.0) == ()


def test_a_power_above_the_square_loop_of_magnetite_is_told() -> None:
    assert "bulk magnetite" in power(value="9 kW/gFe").notes(20e3, 360e3, 250.0)[0]


def test_a_measured_power_knows_neither_relaxation_nor_another_size() -> None:
    assert power().relaxation_times(300.0).neel is None
    assert power().relaxation_times(300.0).brown is None
    with pytest.raises(CaseError, match="no other diameter"):
        power().resized(10e-9)


def test_measured_points_are_those_of_the_file_unless_they_are_estimates() -> None:
    assert power().measurements() == []
    assert power(quality="measured").measurements() == [{"field": 20e3, "frequency": 360e3, "power": 220e3}]
    two = power(kind="table", quality="measured").measurements()
    assert [(round(point["temperature"], 2), point["power"]) for point in two] == [(123.15, 100e3), (273.15, 400e3)]
