"""Materials, and mixtures of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from nanowarm.physics.materials import Material, mixture
from nanowarm.physics.sourced import Property, Window
from nanowarm.quantity import Conductivity

SOURCED = {"source": "invented for a test", "quality": "estimate"}


def material(
    name: str = "jelly", group: str = "cryoprotectant", heat: Any = None, conductivity: str = "0.5 W/m/K", **more: Any
) -> Material:
    return Material.model_validate(
        {
            "name": name,
            "class": group,
            "density": SOURCED | {"value": "1100 kg/m^3"},
            "specific_heat": SOURCED | (heat or {"value": "2000 J/kg/K"}),
            "conductivity": SOURCED | {"value": conductivity},
        }
        | more
    )


def rate(value: str) -> dict[str, str]:
    return SOURCED | {"value": value}


def test_the_capacity_is_density_times_specific_heat() -> None:
    assert material().medium().capacity(250.0) == pytest.approx(2.2e6)


def test_a_specific_heat_over_temperature_is_linear_between_its_points() -> None:
    heat = {"at": ("-100 degC", "-50 degC"), "values": ("1 kJ/kg/K", "2 kJ/kg/K")}
    capacity = material(heat=heat).medium().capacity
    assert capacity([100.0, 173.15, 198.15, 223.15, 300.0]) == pytest.approx(np.array([1.0, 1.0, 1.5, 2.0, 2.0]) * 1.1e6)


def test_temperature_undoes_enthalpy() -> None:
    heat = {"at": ("-100 degC", "-99 degC", "-98 degC"), "values": ("2 kJ/kg/K", "400 kJ/kg/K", "2 kJ/kg/K")}
    medium, temperature = material(heat=heat).medium(), np.linspace(100.0, 400.0, 301)
    assert medium.temperature(medium.enthalpy(temperature)) == pytest.approx(temperature, abs=1e-9)


def test_the_window_of_a_medium_begins_with_the_colder_end() -> None:
    window = SOURCED | {"values": ("-20 degC", "-120 degC")}
    assert material(warming_window=window).medium().window == pytest.approx((153.15, 253.15))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "give either `value`, or `at` and `values`"),
        ({"value": "1 W/m/K", "at": ("0 degC",), "values": ("1 W/m/K",)}, "give either"),
        ({"at": ("0 degC", "1 degC"), "values": ("1 W/m/K",)}, "2 temperatures and `values` 1 values"),
        ({"at": ("1 degC", "0 degC"), "values": ("1 W/m/K", "2 W/m/K")}, "must increase strictly"),
        ({"at": ("1 degC", "1 degC"), "values": ("1 W/m/K", "2 W/m/K")}, "must increase strictly"),
    ],
)
def test_a_property_that_says_too_little_or_too_much_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Property[Conductivity].model_validate(SOURCED | given)


@pytest.mark.parametrize("value", ["0 W/m/K", "-1 W/m/K"])
def test_a_conductivity_that_is_not_positive_is_refused(value: str) -> None:
    with pytest.raises(ValidationError, match="out of range"):
        material(conductivity=value)


def test_a_value_without_a_source_is_refused() -> None:
    with pytest.raises(ValidationError, match="source"):
        material(melting={"value": "0 degC", "quality": "measured"})


def test_a_window_without_width_is_refused() -> None:
    with pytest.raises(ValidationError, match="must differ"):
        Window.model_validate(SOURCED | {"values": ("-20 degC", "-20 degC")})


def test_a_mixture_adds_capacities_and_conductivities_by_volume() -> None:
    parts = {
        "a": material("a", heat={"value": "1 kJ/kg/K"}, conductivity="0.2 W/m/K"),
        "b": material("b", "tissue", {"value": "3 kJ/kg/K"}, "0.6 W/m/K"),
    }
    mixed = mixture({"a": 0.25, "b": 0.75}, parts)
    assert float(mixed.capacity(200.0)) == pytest.approx(1100.0 * (0.25 * 1000 + 0.75 * 3000))
    assert float(mixed.conductivity(200.0)) == pytest.approx(0.25 * 0.2 + 0.75 * 0.6)


def test_a_mixture_has_the_critical_rates_of_its_one_cryoprotectant() -> None:
    parts = {"organ": material("organ", "tissue"), "cpa": material("cpa", critical_warming_rate=rate("60 degC/min"))}
    assert mixture({"organ": 0.4, "cpa": 0.6}, parts).critical_rate(1) == pytest.approx(1.0)
    assert mixture({"organ": 0.4, "cpa": 0.6}, parts).critical_rate(-1) is None


def test_a_mixture_of_two_cryoprotectants_has_no_critical_rate() -> None:
    parts = {name: material(name, critical_warming_rate=rate("60 degC/min")) for name in ("a", "b")}
    assert mixture({"a": 0.4, "b": 0.6}, parts).critical_rate(1) is None


def test_fractions_belong_to_their_names_in_any_order() -> None:
    parts = {"a": material("a", heat={"value": "1 kJ/kg/K"}), "b": material("b", heat={"value": "3 kJ/kg/K"})}
    mixed = mixture({"b": 0.75, "a": 0.25}, parts)
    assert float(mixed.capacity(200.0)) == pytest.approx(1100.0 * (0.25 * 1000 + 0.75 * 3000))
