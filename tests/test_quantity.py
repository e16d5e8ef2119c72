"""Texts with units, and back: every trap that users of the field fall into."""

from __future__ import annotations

import contextlib
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nanowarm import quantity
from nanowarm.quantity import Dimension, convert

DIMENSIONS = {name: value for name, value in vars(quantity).items() if isinstance(value, Dimension)}


@pytest.mark.parametrize(
    ("dimension", "text", "value"),
    [
        ("TEMPERATURE", "-150 degC", 123.15),
        ("TEMPERATURE", "−150 °C", 123.15),
        ("TEMPERATURE", "77 K", 77.0),
        ("TEMPERATURE_DIFFERENCE", "38 degC", 38.0),
        ("TEMPERATURE_DIFFERENCE", "38 K", 38.0),
        ("TEMPERATURE_RATE", "130 degC/min", 130 / 60),  # the offset of degC must not enter a rate
        ("TEMPERATURE_RATE", "130 °C/min", 130 / 60),
        ("TEMPERATURE_RATE", "1 K/s", 1.0),
        ("TEMPERATURE_RATE", "9 degF/min", 5 / 60),
        ("FREQUENCY", "180 kHz", 180e3),
        ("FREQUENCY", "5 1/s", 5.0),
        ("FIELD_AMPLITUDE", "20 kA/m", 20e3),
        ("FIELD_AMPLITUDE", "20 kA·m⁻¹", 20e3),
        ("FIELD_AMPLITUDE", "25.13274 mT", 20e3),  # mu0 H = 4 pi 1e-7 * 20000 T
        ("FIELD_AMPLITUDE", "251.3274 Oe", 20e3),  # 1 Oe = 1000 / (4 pi) A/m
        ("FIELD_AMPLITUDE", "251.3274 G", 20e3),
        ("IRON_CONCENTRATION", "10 mgFe/mL", 10.0),
        ("IRON_CONCENTRATION", "10 gFe/L", 10.0),
        ("IRON_CONCENTRATION", "10 kgFe/m³", 10.0),
        ("SPECIFIC_POWER", "220 W/gFe", 220e3),
        ("SPECIFIC_POWER", "0.22 W/mgFe", 220e3),
        ("HEAT_TRANSFER_COEFFICIENT", "15 W/m^2/K", 15.0),
        ("HEAT_TRANSFER_COEFFICIENT", "15 W/(m²·K)", 15.0),
        ("HEAT_TRANSFER_COEFFICIENT", "15 W·m⁻²·K⁻¹", 15.0),
        ("HEAT_TRANSFER_COEFFICIENT", "15 W/m^2/degC", 15.0),
        ("SPECIFIC_HEAT", "1 cal/g/degC", 4184.0),
        ("CONDUCTIVITY", "3 mW/cm/K", 0.3),
        ("LENGTH", "1e3 um", 1e-3),
        ("LENGTH", "1000µm", 1e-3),
        ("LENGTH", " .5 mm ", 5e-4),
        ("COORDINATE", "-1 inch", -0.0254),
        ("DURATION", "2 min", 120.0),
        ("DURATION", "1 h", 3600.0),
        ("TIME", "0 s", 0.0),
    ],
)
def test_a_text_with_a_unit_is_read_as_the_quantity_it_states(dimension: str, text: str, value: float) -> None:
    assert DIMENSIONS[dimension].parse(text) == pytest.approx(value, rel=2e-6, abs=1e-15)


@pytest.mark.parametrize(
    ("dimension", "text", "reason"),
    [
        ("TEMPERATURE", "20", "write the unit: 20 could be anything"),
        ("TEMPERATURE", 20, 'write the unit: 20 could be anything, e.g. "20 degC"'),
        ("TEMPERATURE", "68 degF", "allowed are degC and K"),
        ("TEMPERATURE", "20 C", "allowed are degC and K"),
        ("TEMPERATURE", "-274 degC", "-274 degC is below absolute zero"),
        ("TEMPERATURE", "-1 K", "-1 K is below absolute zero"),
        ("TEMPERATURE", "1e308 degC", "at most 100000 K"),
        ("TEMPERATURE_DIFFERENCE", "-1 K", "must be at least 0 K"),
        ("TEMPERATURE_RATE", "130 degC", "'degC' is not a unit of this quantity"),
        ("FREQUENCY", "1e6 rad/s", "off by 2 pi: write it in Hz"),
        ("FREQUENCY", "6000 rpm", "off by 2 pi: write it in Hz"),
        ("FREQUENCY", "0 Hz", "must be above 0 Hz"),
        ("FREQUENCY", "180 khz", "unknown unit 'khz'"),
        ("FIELD_AMPLITUDE", "20 kA/m RMS", "amplitudes are always peak"),
        ("FIELD_AMPLITUDE", "20 kA_rms/m", "amplitudes are always peak"),
        ("FIELD_AMPLITUDE", "40 kA/m peak", "amplitudes are always peak"),
        ("FIELD_AMPLITUDE", "20 kA", "allowed is what converts to A/m"),
        ("FIELD_AMPLITUDE", "-20 kA/m", "must be at least 0 A/m"),
        ("IRON_CONCENTRATION", "10 mg/mL", "does not say per mass of what"),
        ("IRON_CONCENTRATION", "10 mgFe", "allowed is what converts to mgFe/mL"),
        ("IRON_CONCENTRATION", "8000 kgFe/m^3", "at most 7874 kgFe/m"),
        ("SPECIFIC_POWER", "220 W/g", "magnetite is 72.36 % iron"),
        ("HEAT_TRANSFER_COEFFICIENT", "15 W/m^2 K", "is not a unit of this quantity"),
        ("HEAT_TRANSFER_COEFFICIENT", "15 W/m^2", "is not a unit of this quantity"),
        ("DENSITY", "0 kg/m^3", "must be above 0"),
        ("LENGTH", "1,5 mm", "decimals have a point"),
        ("LENGTH", "1 000 mm", "not one number with a unit"),
        ("LENGTH", "1 1 mm", "not one number with a unit"),
        ("LENGTH", "1 mm mm", "is not a unit of this quantity"),
        ("LENGTH", "1 __import__('os')", "unknown unit"),
        ("LENGTH", "5 mm**9**9**9**9", "unknown unit"),
        ("LENGTH", "mm", "is not a number with a unit"),
        ("LENGTH", "", "is not a number with a unit"),
        ("LENGTH", "nan mm", "is not a number with a unit"),
        ("LENGTH", "inf mm", "is not a number with a unit"),
        ("LENGTH", "١ mm", "is not a number with a unit"),
        ("LENGTH", "1e400 mm", "is not finite"),
        ("LENGTH", "1e300 mm", "at most 1000 m"),
        ("LENGTH", "0 mm", "must be above 0 m"),
        ("LENGTH", math.nan, 'e.g. "1 mm"'),
        ("LENGTH", True, 'must be text with a unit, e.g. "1 mm"; found True'),
        ("LENGTH", None, "must be text with a unit"),
        ("LENGTH", ("1 mm",), "found a list"),
        ("LENGTH", {"value": "1 mm"}, "found a section of keys"),
        ("DURATION", "5 m", "allowed is what converts to s"),
    ],
)
def test_a_text_that_could_be_misread_is_refused_with_its_reason(dimension: str, text: object, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        DIMENSIONS[dimension].parse(text)


@pytest.mark.parametrize("name", DIMENSIONS)
def test_the_example_of_every_quantity_can_be_read(name: str) -> None:
    assert math.isfinite(DIMENSIONS[name].parse(DIMENSIONS[name].example))


@pytest.mark.parametrize("name", DIMENSIONS)
def test_a_value_written_as_text_is_read_back_to_the_same_value(name: str) -> None:
    dimension = DIMENSIONS[name]

    @given(st.floats(min_value=1e-6, max_value=min(dimension.most, 1e6)))
    def round_trip(value: float) -> None:
        assert dimension.parse(dimension.text(value)) == pytest.approx(value, rel=1e-14)

    round_trip()


@given(st.floats(min_value=-273.0, max_value=9e4))
def test_a_temperature_in_celsius_differs_from_kelvin_by_the_offset_alone(celsius: float) -> None:
    assert quantity.temperature(f"{celsius!r} degC") == celsius + 273.15


@given(st.floats(min_value=0.0, max_value=1e5))
def test_a_rate_is_the_same_in_celsius_and_in_kelvin(rate: float) -> None:
    assert convert(f"{rate!r} degC/min", "K/s") == convert(f"{rate!r} K/min", "K/s")


@given(st.text(max_size=20))
def test_any_text_is_either_a_finite_length_or_refused(text: str) -> None:
    with contextlib.suppress(ValueError):  # and nothing else is raised
        assert 0 < quantity.LENGTH.parse(text) <= quantity.LENGTH.most
