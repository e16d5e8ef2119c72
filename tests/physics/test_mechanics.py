"""Relaxation of a glass former over one increment, its limits, and principal stresses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import ValidationError
from scipy.integrate import quad

from nanowarm.model import frozen_copy
from nanowarm.physics.curves import Curve, constant
from nanowarm.physics.mechanics import GlassViscosity, Mechanics, StressInput, elastic, largest_principal, maxwell

Array = NDArray[np.float64]
SOURCED: dict[str, Any] = {"source": "invented for a test", "quality": "estimate", "kind": "VFT", "highest": "1e16 Pa*s"}
VFT = GlassViscosity(log10_at_infinity=-5.0, scale="454 K", vanishing="123.3 K", **SOURCED)  # physics.md, section 2.2
MODULUS = 0.4e9  # [Pa]


def steady(viscosity: float) -> GlassViscosity:
    """A viscosity [Pa s] that is the same at all temperatures."""
    return GlassViscosity(log10_at_infinity=math.log10(viscosity), scale="0 K", vanishing="0 K", **SOURCED)


def medium(**more: Any) -> Mechanics:
    return Mechanics(1e9, 0.2, constant(6.7e-5), **more)


def at(*temperature: float) -> Array:
    return np.array(temperature)


def test_at_its_glass_transition_a_viscosity_is_a_million_million() -> None:
    assert VFT.value(at(VFT.glass_transition)) == pytest.approx(1e12, rel=1e-9)


def test_a_steady_viscosity_relaxes_exponentially() -> None:
    left, stiff = maxwell(steady(2e10), MODULUS, at(150.0), at(140.0), 100.0)
    passed = MODULUS / 2e10 * 100.0
    assert left == pytest.approx(math.exp(-passed), rel=1e-12)
    assert stiff == pytest.approx((1.0 - math.exp(-passed)) / passed, rel=1e-12)


@pytest.mark.parametrize(("before", "after"), [(155.0, 151.0), (151.0, 155.0)])
def test_relaxation_is_nearly_that_of_an_integral_over_the_increment(before: float, after: float) -> None:
    def passed(part: float) -> float:
        """Reduced time from a part of the increment to its end."""
        rate = quad(lambda s: MODULUS / VFT.value(at(before + s * (after - before)))[0], part, 1.0, epsabs=0, epsrel=1e-10)
        return float(60.0 * rate[0])

    left, stiff = maxwell(VFT, MODULUS, at(before), at(after), 60.0)
    assert left == pytest.approx(math.exp(-passed(0.0)), rel=3e-3)
    mean, _ = quad(lambda part: math.exp(-passed(part)), 0.0, 1.0, limit=200, epsrel=1e-6)
    assert stiff == pytest.approx(mean, rel=2e-2)


def test_two_halves_of_an_increment_relax_as_much_as_the_whole() -> None:
    whole, _ = maxwell(VFT, MODULUS, at(152.0), at(148.0), 10.0)
    first, _ = maxwell(VFT, MODULUS, at(152.0), at(150.0), 5.0)
    second, _ = maxwell(VFT, MODULUS, at(150.0), at(148.0), 5.0)
    assert 0.01 < whole[0] < 0.99
    assert first * second == pytest.approx(whole, rel=1e-3)


def test_a_liquid_forgets_and_a_glass_remembers() -> None:
    left, stiff = maxwell(VFT, MODULUS, at(250.0, 100.0), at(240.0, 90.0), 10.0)
    assert left[0] == 0.0
    assert stiff[0] < 1e-8
    assert (left[1], stiff[1]) == pytest.approx((1.0, 1.0), rel=1e-6)  # G times 10 s over 1e16 Pa s is 4e-7


def test_no_time_relaxes_nothing() -> None:
    left, stiff = maxwell(VFT, MODULUS, at(250.0), at(100.0), 0.0)
    assert (left[0], stiff[0]) == (1.0, 1.0)


def test_what_sets_at_a_temperature_strains_elastically_only_after_it_was_last_above() -> None:
    before, after = at(160.0, 150.0, 140.0, 140.0, 160.0), at(155.0, 130.0, 130.0, 160.0, 144.0)
    left, stiff = elastic(148.0, before, after)
    assert left.tolist() == [0.0, 0.0, 1.0, 0.0, 0.0]
    assert stiff == pytest.approx([0.0, 18.0 / 20.0, 1.0, 0.0, 4.0 / 16.0])


def test_a_container_never_relaxes() -> None:
    left, stiff = medium().relaxed("Maxwell", at(300.0), at(77.0), 1e9)
    assert (left[0], stiff[0]) == (1.0, 1.0)


def test_a_liquid_keeps_the_shear_of_a_nearly_incompressible_body() -> None:
    body = medium(viscosity=VFT)
    _, stiff = body.relaxed("Maxwell", at(290.0), at(280.0), 10.0)
    shear, bulk = body.shear_modulus * stiff[0], body.bulk_modulus
    assert (3.0 * bulk - 2.0 * shear) / (6.0 * bulk + 2.0 * shear) == pytest.approx(0.49, rel=1e-12)


def test_a_body_counts_as_solid_where_it_is_set_or_by_its_viscosity_or_always() -> None:
    assert medium(viscosity=VFT, set_temperature=140.0).solid_below == 140.0
    assert medium(viscosity=VFT).solid_below == VFT.glass_transition
    assert medium().solid_below == math.inf


def test_free_strain_is_the_integral_of_the_expansion() -> None:
    body = Mechanics(1e9, 0.2, Curve(at(100.0, 200.0), at(4e-5, 8e-5)))
    assert body.expanded(at(100.0), at(200.0)) == pytest.approx(6e-3, rel=1e-12)


@given(st.lists(st.floats(-1e7, 1e7), min_size=6, max_size=6))
def test_the_largest_principal_stress_is_the_largest_eigenvalue(values: list[float]) -> None:
    xx, yy, zz, xy, xz, yz = values
    tensor = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
    exact = np.linalg.eigvalsh(tensor)[-1]
    assert abs(largest_principal(np.array(values)) - exact) <= max(1e-7 * np.abs(tensor).max(), 1e-30)  # [Pa]


@pytest.mark.parametrize("values", [(5, 5, 5, 0, 0, 0), (0, 0, 0, 0, 0, 0), (2, 2, -1, 0, 0, 0), (0, 0, 0, 3, 0, 0)])
def test_equal_principal_stresses_are_found_too(values: tuple[float, ...]) -> None:
    assert largest_principal(np.array(values, dtype=float)) == pytest.approx(max(values), abs=1e-7)


def test_the_section_has_its_units_and_refuses_what_cannot_be() -> None:
    read = StressInput.model_validate(frozen_copy({"bonded": ["wall"], "container_expansion": "1e-5 1/K", "resolution": "2 K"}))
    assert (read.bonded, read.container_expansion, read.resolution) == (("wall",), 1e-5, 2.0)
    with pytest.raises(ValidationError, match="resolution"):
        StressInput.model_validate({"resolution": "0 K"})
    with pytest.raises(ValidationError, match="order"):
        StressInput.model_validate({"order": 3})


def test_every_region_with_too_little_known_is_told() -> None:
    known = {"cpa": medium(set_temperature=140.0), "bag": None, "glass": medium(viscosity=VFT), "wall": medium()}
    told = StressInput().faults(known)
    assert len(told) == 2
    assert "cpa" in told[0]
    assert "youngs_modulus" in told[1]
    assert StressInput(rheology="elastic").faults(known) == told[1:]
