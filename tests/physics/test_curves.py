"""Piecewise linear functions: their integral, its inverse, and their extremes nearby."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nanowarm.physics.curves import Curve, constant, weighted_sum

TRIANGLE = Curve(np.array([0.0, 1.0, 3.0]), np.array([1.0, 5.0, 3.0]))


@st.composite
def curves(draw: st.DrawFn) -> Curve:
    """Curves of positive values over temperature."""
    steps = draw(st.lists(st.floats(0.1, 80.0), min_size=1, max_size=8))
    values = draw(st.lists(st.floats(1e5, 1e9), min_size=len(steps), max_size=len(steps)))
    return Curve(100.0 + np.cumsum(steps), np.array(values))


def test_a_curve_is_linear_between_its_points_and_constant_outside() -> None:
    assert TRIANGLE([-5.0, 0.0, 0.5, 1.0, 2.0, 3.0, 9.0]).tolist() == [1.0, 1.0, 3.0, 5.0, 4.0, 3.0, 3.0]


def test_the_integral_is_the_area_from_the_first_point() -> None:
    # 1 to the left; (1 + 5) / 2; + (5 + 3) / 2 * 2; + 3 to the right
    assert TRIANGLE.integral([-2.0, 0.0, 1.0, 3.0, 4.0]).tolist() == pytest.approx([-2.0, 0.0, 3.0, 11.0, 14.0])
    assert float(TRIANGLE.integral(0.5)) == pytest.approx(0.5 * (1.0 + 3.0) / 2)


@given(curve=curves(), at=st.floats(0.0, 1000.0))
def test_the_inverse_undoes_the_integral(curve: Curve, at: float) -> None:
    assert float(curve.inverse_integral(curve.integral(at))) == pytest.approx(at, abs=1e-6)


@given(curve=curves(), area=st.floats(-1e10, 1e11))
def test_the_integral_undoes_the_inverse(curve: Curve, area: float) -> None:
    assert float(curve.integral(curve.inverse_integral(area))) == pytest.approx(area, rel=1e-9, abs=1.0)


@given(curve=curves(), at=st.floats(50.0, 900.0), further=st.floats(1e-3, 100.0))
def test_the_integral_of_a_positive_curve_rises(curve: Curve, at: float, further: float) -> None:
    assert curve.integral(at + further) > curve.integral(at)


@given(curve=curves(), at=st.floats(50.0, 900.0))
def test_the_slope_of_the_integral_is_the_curve(curve: Curve, at: float) -> None:
    reach = 1e-4
    slope = (curve.integral(at + reach) - curve.integral(at - reach)) / (2 * reach)
    lowest, highest = (curve.extreme_within(at, reach, sign) for sign in (-1, 1))
    assert lowest * (1 - 1e-3) - 1e3 <= slope <= highest * (1 + 1e-3) + 1e3


@pytest.mark.parametrize("sign", [1, -1])
@given(curve=curves(), at=st.floats(50.0, 900.0), reach=st.floats(0.01, 50.0))
def test_no_value_nearby_passes_the_extreme(sign: int, curve: Curve, at: float, reach: float) -> None:
    near = curve(np.linspace(at - reach, at + reach, 101))
    extreme = float(curve.extreme_within(np.array([at]), reach, sign)[0])
    assert (sign * near <= sign * extreme * (1 + sign * 1e-12)).all()


def test_a_constant_has_one_value_everywhere() -> None:
    assert constant(7.0)([0.0, 300.0, 1e4]).tolist() == [7.0, 7.0, 7.0]
    assert float(constant(7.0).integral(283.15)) == pytest.approx(70.0)


@given(one=curves(), other=curves(), at=st.floats(50.0, 900.0))
def test_a_weighted_sum_has_the_weighted_sum_of_values(one: Curve, other: Curve, at: float) -> None:
    summed = weighted_sum([0.3, 0.7], [one, other])
    assert float(summed(at)) == pytest.approx(0.3 * float(one(at)) + 0.7 * float(other(at)), rel=1e-9)
