"""Eddy heat in closed form: the numbers of the literature, the limits, and the field equations."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nanowarm.physics.eddy_formulas import (
    eddy_heat,
    eddy_heat_with_skin,
    induced_field,
    mean_eddy_heat_of_cylinder,
    mean_eddy_heat_of_sphere,
    skin_depth,
)
from nanowarm.physics.fields import BREZOVICH_LIMIT, HERGT_LIMIT, UniformField
from nanowarm.quantity import VACUUM_PERMEABILITY

FREQUENCY = 360e3


@pytest.mark.parametrize(
    ("conductivity", "product", "radius", "expected"),
    [  # reference/physics.md, section 5.4 (three digits are given there)
        (0.4, BREZOVICH_LIMIT, 0.15, 16.5e3),
        (0.4, HERGT_LIMIT, 0.015, 17.5e3),
        (0.1, 35e3 * 360e3, 0.05, 309e3),
    ],
)
def test_heat_is_that_of_the_literature(conductivity: float, product: float, radius: float, expected: float) -> None:
    assert float(eddy_heat(conductivity, product / FREQUENCY, FREQUENCY, radius)) == pytest.approx(expected, rel=3e-3)


def test_the_skin_depth_is_that_of_the_literature() -> None:
    assert skin_depth(0.5, FREQUENCY) == pytest.approx(1.2, rel=0.02)


def test_the_induced_field_is_the_rate_of_the_vector_potential() -> None:
    field = UniformField.model_validate({"kind": "uniform", "amplitude": "20 kA/m", "frequency": "360 kHz"})
    points = np.array([[0.03, 0.0, 0.2], [0.0, -0.01, 0.0], [0.03, 0.04, 0.1]])
    rate = 2.0 * math.pi * FREQUENCY * field.largest() * np.linalg.norm(field.vector_potential(points), axis=1)
    assert induced_field(20e3, FREQUENCY, [0.03, 0.01, 0.05]) == pytest.approx(rate, rel=1e-12)


def test_the_induction_law_holds_around_a_circle() -> None:
    flux_density = VACUUM_PERMEABILITY * 20e3
    around = 2.0 * math.pi * 0.02 * float(induced_field(20e3, FREQUENCY, 0.02))
    assert around == pytest.approx(2.0 * math.pi * FREQUENCY * flux_density * math.pi * 0.02**2, rel=1e-12)


def test_the_means_are_those_of_the_profile() -> None:
    radius = 0.05
    r, weights = np.polynomial.legendre.leggauss(20)
    r, weights = radius * (1.0 + r) / 2.0, weights * radius / 2.0
    heat = eddy_heat(0.1, 35e3, FREQUENCY, r)
    cylinder = float(np.sum(weights * heat * 2.0 * r)) / radius**2
    sphere = float(np.sum(weights * heat * 4.0 * math.pi * r * np.sqrt(radius**2 - r**2))) / (4.0 / 3.0 * math.pi * radius**3)
    assert mean_eddy_heat_of_cylinder(0.1, 35e3, FREQUENCY, radius) == pytest.approx(cylinder, rel=1e-12)
    assert mean_eddy_heat_of_sphere(0.1, 35e3, FREQUENCY, radius) == pytest.approx(sphere, rel=1e-3)  # a root in the integrand


def test_the_low_frequency_profile_is_the_limit_of_the_exact_one() -> None:
    radii = np.linspace(0.0, 0.05, 6)
    low, exact = eddy_heat(0.5, 20e3, FREQUENCY, radii), eddy_heat_with_skin(0.5, 20e3, FREQUENCY, radii, 0.05)
    assert exact == pytest.approx(low, rel=1e-4, abs=1e-12)
    error = [
        float(eddy_heat_with_skin(s, 20e3, FREQUENCY, 0.05, 0.05) / eddy_heat(s, 20e3, FREQUENCY, 0.05)) - 1.0 for s in (5, 10)
    ]
    assert math.log2(error[1] / error[0]) == pytest.approx(2.0, abs=0.05)  # it goes with (radius / skin depth)^4


def test_at_high_frequency_heat_sits_within_the_skin() -> None:
    """Surface heat of a half space: sigma E^2 / 2 with E = H |1 + i| / (sigma delta)."""
    copper, radius = 5.8e7, 0.05
    depth = skin_depth(copper, FREQUENCY)
    surface, inside = eddy_heat_with_skin(copper, 1.0, FREQUENCY, [radius, radius - depth], radius)
    assert surface == pytest.approx(1.0 / (copper * depth**2), rel=1e-2)
    assert inside / surface == pytest.approx(math.exp(-2.0), rel=1e-2)
