"""Outer surfaces: signs, limits and slopes of what flows in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from nanowarm.physics.boundaries import STEFAN_BOLTZMANN, AnyBoundary

CONVECTION = {"kind": "convection", "coefficient": "15 W/m^2/K", "ambient": "20 degC"}
RADIATION = {"kind": "radiation", "emissivity": 0.9, "ambient": "300 K"}
FLUX = {"kind": "heat flux", "value": "2 kW/m^2"}
INSULATED = {"kind": "insulated"}
AT = np.array([150.0, 293.15, 350.0])


def boundary(given: dict[str, Any]) -> Any:
    return TypeAdapter(AnyBoundary).validate_python(given)


def test_convection_is_proportional_to_the_difference() -> None:
    assert boundary(CONVECTION).inflow(AT, 0.0, 0.0) == pytest.approx(15.0 * (293.15 - AT))


def test_radiation_is_the_difference_of_fourth_powers() -> None:
    assert boundary(RADIATION).inflow(AT, 0.0, 0.0) == pytest.approx(0.9 * 5.670374419e-8 * (300.0**4 - AT**4))


def test_the_constant_of_radiation_is_that_of_codata() -> None:
    planck, light, boltzmann = 6.62607015e-34, 299792458.0, 1.380649e-23  # exact by definition of the SI
    assert pytest.approx(2 * np.pi**5 * boltzmann**4 / (15 * planck**3 * light**2), rel=1e-9) == STEFAN_BOLTZMANN


def test_a_heat_flux_is_positive_inward_and_the_same_everywhere() -> None:
    assert boundary(FLUX).inflow(AT, 0.0, 0.0).tolist() == [2000.0] * 3


def test_nothing_crosses_an_insulated_surface() -> None:
    assert boundary(INSULATED).inflow(AT, 0.0, 0.0).tolist() == [0.0] * 3


@pytest.mark.parametrize("given", [CONVECTION, RADIATION])
def test_heat_flows_from_warm_to_cold(given: dict[str, Any]) -> None:
    cold, same, warm = (
        float(boundary(given).inflow(np.array([t]), 0.0, 0.0)[0]) for t in (100.0, boundary(given).ambient.value(0, 0), 400.0)
    )
    assert (cold > 0, warm < 0) == (True, True)
    assert same == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("given", [CONVECTION, RADIATION, FLUX, INSULATED])
def test_the_stiffness_is_the_slope_of_the_inflow(given: dict[str, Any]) -> None:
    found, reach = boundary(given), 1e-3
    slope = (found.inflow(AT - reach, 0.0, 0.0) - found.inflow(AT + reach, 0.0, 0.0)) / (2 * reach)
    assert found.stiffness(AT, 0.0, 0.0) == pytest.approx(slope, rel=1e-6, abs=1e-9)


def test_an_ambient_over_time_is_followed() -> None:
    table = {"at": ("0 s", "60 s"), "values": ("-150 degC", "20 degC")}
    found = boundary(CONVECTION | {"ambient": table})
    assert found.inflow(np.array([273.15]), 30.0, 0.0) == pytest.approx([15.0 * -65.0])


@pytest.mark.parametrize("given", [CONVECTION, RADIATION, FLUX, INSULATED])
def test_a_surface_that_lets_heat_through_holds_no_temperature(given: dict[str, Any]) -> None:
    assert boundary(given).held() is None


def test_a_fixed_temperature_is_held() -> None:
    assert boundary({"kind": "fixed temperature", "value": "-40 degC"}).held().value(3.0, 0.0) == pytest.approx(233.15)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (RADIATION | {"emissivity": 1.1}, "less than or equal to 1"),
        (CONVECTION | {"coefficient": "-1 W/m^2/K"}, "out of range"),
        (CONVECTION | {"coefficient": "15"}, "write the unit"),
        (CONVECTION | {"ambient": "-300 degC"}, "below absolute zero"),
        ({"kind": "wind"}, "kind"),
        (INSULATED | {"ambient": "20 degC"}, "Extra inputs"),
    ],
)
def test_values_outside_the_physical_range_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        boundary(given)
