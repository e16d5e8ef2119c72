"""The integrator alone, on equations whose solution is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from nanowarm.errors import SolveError
from nanowarm.numerics.rkc import STABILITY, Integrator, coefficients

Array = NDArray[np.float64]


class Ordinary:
    """dy/dt = f(t, y), with a tolerance and a bound on the eigenvalues.

    Args:
        function: f.
        radius: bound on the eigenvalues, a number or a function of time.
    """

    size = 1

    def __init__(self, function: Callable[[float, Array], Any], radius: Any, tolerance: float = 1e-3) -> None:
        self.function, self.tolerance = function, tolerance
        self.radius = radius if callable(radius) else lambda time: radius
        self.calls = 0

    def rate(self, time: float, state: Array, out: Array) -> None:
        self.calls += 1
        out[:] = self.function(time, state)

    def spectral_radius(self, time: float) -> float:
        return float(self.radius(time))

    def error(self, estimate: Array) -> float:
        largest = float(np.abs(estimate).max())
        return largest / self.tolerance if math.isfinite(largest) else math.inf

    def error_and_radius(self, estimate: Array, time: float) -> tuple[float, float]:
        return self.error(estimate), self.spectral_radius(time)

    def settle(self, time: float, state: Array) -> None:
        pass


def march(equation: Ordinary, initial: Any, end: float, fixed: float | None = None, largest: float = 1e6) -> Integrator:
    """Carry an equation to a time."""
    integrator = Integrator(equation, np.atleast_1d(np.array(initial, dtype=float)), fixed, largest)
    integrator.start(0.0, end)
    while integrator.time < end:
        integrator.step(end)
    return integrator


def polynomial(stages: int, z: Array) -> Array:
    """Stability polynomial: one step of size 1 for y' = z y from y = 1, by the integrator itself."""
    at = np.asarray(z, dtype=float)
    equation = Ordinary(lambda time, y: at * y, STABILITY * (stages**2 - 1) * (1 - 1e-12))
    integrator = Integrator(equation, np.ones_like(at), 1.0, 1e6)
    integrator.start(0.0, 1.0)
    integrator.step(1.0)
    assert integrator.counts.largest_stages == stages
    return integrator.state


@pytest.mark.parametrize("stages", [2, 3, 4, 7, 15, 40, 120])
def test_the_stability_polynomial_agrees_with_the_exponential_to_second_order(stages: int) -> None:
    z = np.array([1e-3, -1e-3])
    plus, minus = polynomial(stages, z)
    # P(z) = 1 + z + z^2/2 + O(z^3) with a factor below 1/6
    assert plus - minus == pytest.approx(2e-3, abs=2e-9 / 6)
    assert plus + minus - 2 == pytest.approx(1e-6, abs=1e-11)


@pytest.mark.parametrize("stages", [2, 3, 4, 7, 15, 40, 120])
def test_every_mode_up_to_the_bound_is_damped(stages: int) -> None:
    bound = STABILITY * (stages**2 - 1)
    z = -np.linspace(1e-3 * bound, bound, 20001)
    assert np.abs(polynomial(stages, z)).max() < 1.0
    assert np.abs(polynomial(stages, z[2000:])).max() < 0.98


@pytest.mark.parametrize("stages", [2, 5, 20])
def test_a_mode_beyond_the_bound_would_grow(stages: int) -> None:
    bound = STABILITY * (stages**2 - 1)
    assert np.abs(polynomial(stages, np.array([-1.2 * bound]))).max() > 1.0


def test_each_stage_lies_later_than_the_one_before() -> None:
    times = [row[4] for row in coefficients(12)[1]]
    assert times == sorted(times)
    assert times[0] > 0.0
    assert times[-1] < 1.0


@pytest.mark.parametrize("stages", [2, 4, 9])
def test_a_rate_that_changes_in_time_is_integrated_with_order_two(stages: int, order: Any) -> None:
    # y' = -y + cos t + sin t with y(0) = 1: y = sin t + exp(-t)
    errors = []
    for steps in (10, 20, 40, 80):
        size = 2.0 / steps
        radius = STABILITY * (stages**2 - 1) / size * 0.999
        done = march(Ordinary(lambda t, y: -y + math.cos(t) + math.sin(t), radius), 1.0, 2.0, size)
        assert done.counts.largest_stages == stages
        errors.append(abs(done.state[0] - math.sin(2.0) - math.exp(-2.0)))
    assert order(errors) >= 1.9


def test_a_linear_rate_is_integrated_exactly() -> None:
    assert march(Ordinary(lambda t, y: 3.0 + 2.0 * t, 1.0), 1.0, 2.0).state[0] == pytest.approx(1 + 3 * 2 + 2**2, rel=1e-13)


def test_the_dense_output_has_order_three(order: Any) -> None:
    errors = []
    for size in (0.2, 0.1, 0.05):
        integrator = Integrator(Ordinary(lambda t, y: -y, 1.0), np.ones(1), size, 1e6)
        integrator.start(0.0, 1.0)
        step = integrator.step(1.0)
        # against the exact solution through the step's own ends, so that only the interpolation is seen
        inner = np.linspace(0, size, 21)
        errors.append(max(abs(step.state(t)[0] - math.exp(-t)) for t in inner))
    assert order(errors) >= 2.9


def test_the_dense_output_meets_states_and_slopes_at_both_ends() -> None:
    integrator = Integrator(Ordinary(lambda t, y: -y + t, 1.0), np.ones(1), 0.3, 1e6)
    integrator.start(0.0, 1.0)
    step = integrator.step(1.0)
    y1 = integrator.state[0]
    assert step.state(0.0)[0] == pytest.approx(1.0, abs=1e-15)
    assert step.state(0.3)[0] == pytest.approx(y1, abs=1e-15)
    assert step.slope(0.0)[0] == pytest.approx(-1.0, abs=1e-14)
    assert step.slope(0.3)[0] == pytest.approx(-y1 + 0.3, abs=1e-14)


def test_the_slope_is_the_derivative_of_the_dense_output() -> None:
    integrator = Integrator(Ordinary(lambda t, y: -(y**2), 1.0), np.ones(1), 0.5, 1e6)
    integrator.start(0.0, 1.0)
    step = integrator.step(1.0)
    for t in (0.1, 0.25, 0.4):
        difference = (step.state(t + 1e-6)[0] - step.state(t - 1e-6)[0]) / 2e-6
        assert step.slope(t)[0] == pytest.approx(difference, rel=1e-6)


def test_steps_end_exactly_on_the_end() -> None:
    assert march(Ordinary(lambda t, y: -y, 1.0), 1.0, 0.7).time == 0.7


def test_no_sliver_of_a_step_is_left_before_the_end() -> None:
    integrator = Integrator(Ordinary(lambda t, y: np.zeros(1), 1.0), np.ones(1), None, 1.0)
    integrator.start(0.0, 1.5)
    sizes = []
    while integrator.time < 1.5:
        sizes.append(integrator.step(1.5).size)
    assert sizes == [0.75, 0.75]


def test_the_largest_step_is_never_passed() -> None:
    equation = Ordinary(lambda t, y: np.zeros(1), 1.0)
    integrator = Integrator(equation, np.ones(1), None, 0.25)
    integrator.start(0.0, 10.0)
    sizes = []
    while integrator.time < 10.0:
        sizes.append(integrator.step(10.0).size)
    assert max(sizes) <= 0.25 * (1 + 1e-12)


@pytest.mark.parametrize("tolerance", [1e-2, 1e-4, 1e-6])
def test_the_error_stays_near_the_tolerance(tolerance: float) -> None:
    done = march(Ordinary(lambda t, y: -y + 10 * math.cos(3 * t), 1.0, tolerance), 0.0, 5.0)
    exact = (math.cos(15.0) + 3 * math.sin(15.0) - math.exp(-5.0)) * 10 / 10
    assert abs(done.state[0] - exact) < 10 * tolerance


def test_a_tolerance_a_thousand_times_tighter_takes_about_ten_times_the_steps() -> None:
    counts = [
        march(Ordinary(lambda t, y: -y + 10 * math.cos(3 * t), 1.0, tolerance), 0.0, 20.0).counts.accepted
        for tolerance in (1e-3, 1e-6)
    ]
    assert 7.0 < counts[1] / counts[0] < 14.0  # the estimate is of third order


def test_a_step_that_meets_a_sudden_change_is_rejected_and_made_smaller() -> None:
    # a pulse after a long calm
    equation = Ordinary(lambda t, y: np.array([math.exp(-(((t - 5.0) / 0.3) ** 2)) * 100.0]), 1.0, 1e-3)
    done = march(equation, 0.0, 10.0, largest=0.5)
    assert done.counts.rejected > 0
    assert done.state[0] == pytest.approx(100 * 0.3 * math.sqrt(math.pi), abs=1e-3 * done.counts.accepted)


def test_a_radius_that_grows_within_a_step_rejects_it() -> None:
    equation = Ordinary(lambda t, y: -(1.0 + 1e3 * t) * y, lambda t: 1.0 + 1e3 * t)
    done = march(equation, 1.0, 1.0, fixed=0.25)
    assert done.counts.rejected > 0
    assert abs(done.state[0]) < 1.0


def test_more_stages_are_taken_where_the_equation_is_stiffer() -> None:
    soft, stiff = (march(Ordinary(lambda t, y, r=r: -r * (y - 1.0), r), 1.0, 1.0, fixed=0.5).counts for r in (10.0, 1e4))
    # s^2 - 1 = h radius / 0.653
    assert soft.largest_stages == math.ceil(math.sqrt(1 + 5.0 / STABILITY))
    assert stiff.largest_stages == math.ceil(math.sqrt(1 + 5e3 / STABILITY))


def test_a_rate_that_is_not_finite_ends_the_run() -> None:
    with np.errstate(all="ignore"), pytest.raises(SolveError, match="shrunk to nothing"):
        march(Ordinary(lambda t, y: y * np.inf if t > 0.5 else -y, 1.0), 1.0, 1.0)


def test_a_step_that_is_cut_ends_on_its_dense_output() -> None:
    integrator = Integrator(Ordinary(lambda t, y: -y, 1.0), np.ones(1), 0.5, 1e6)
    integrator.start(0.0, 1.0)
    step = integrator.step(1.0)
    expected = step.state(0.2).copy()
    shorter = integrator.cut(step, 0.2)
    assert (shorter.end, integrator.time) == (0.2, 0.2)
    assert integrator.state == pytest.approx(expected, abs=0.0)


def test_after_a_cut_the_integration_goes_on_from_there() -> None:
    integrator = Integrator(Ordinary(lambda t, y: -y, 1.0, 1e-8), np.ones(1), None, 1e6)
    integrator.start(0.0, 1.0)
    step = integrator.step(1.0)
    integrator.cut(step, 0.5 * step.end)
    integrator.start(integrator.time, 1.0)
    while integrator.time < 1.0:
        integrator.step(1.0)
    assert integrator.state[0] == pytest.approx(math.exp(-1.0), abs=1e-6)


def test_stages_reused_from_the_end_of_the_last_step_are_not_computed_again() -> None:
    equation = Ordinary(lambda t, y: np.zeros(1), 1.0)
    done = march(equation, 1.0, 1.0, fixed=0.1)
    # one rate at the start; per step one for every stage but the first, and one at its end
    assert equation.calls == 1 + done.counts.stages
