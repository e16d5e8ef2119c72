"""Stabilised explicit integration in time: second-order Runge-Kutta-Chebyshev with an error estimate.

Source: Sommeijer, Shampine & Verwer (1998), J. Comput. Appl. Math. 88:315; damping 2/13, embedded
estimate and step controller as there. It knows a right-hand side, nothing of heat.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nanowarm.errors import SolveError

Array = NDArray[np.float64]

DAMPING = 2.0 / 13.0
STABILITY = 0.653  # h * radius <= STABILITY (s^2 - 1)
SAFETY = 0.8
MOST_STAGES = 2000
SMALLEST_STEP = 1e-9  # [s]


class Equation(Protocol):
    """What is integrated: dy/dt = rate(t, y), on this rank's part of the state."""

    size: int

    def rate(self, time: float, state: Array, out: Array) -> None:
        """Write dy/dt into `out`."""

    def spectral_radius(self, time: float) -> float:
        """Bound on the eigenvalues of the Jacobian [1/s] at the state of the last `rate`; collective."""

    def error(self, estimate: Array) -> float:
        """Size of an error estimate relative to the tolerance, around the state of the last `rate`; collective."""

    def error_and_radius(self, estimate: Array, time: float) -> tuple[float, float]:
        """Both at once; the only collective call of a step."""

    def settle(self, time: float, state: Array) -> None:
        """Set what is prescribed exactly, at the end of an accepted step."""


@dataclass(frozen=True, eq=False)
class Step:
    """An accepted step and its dense output (cubic Hermite).

    Args:
        start, end: times [s]; `end` may lie before `start + size` where a stage ended inside the step.
        size: the step the derivatives belong to [s].
        values: state and derivative at both ends, rows (y0, y1, f0, f1).
    """

    start: float
    end: float
    size: float
    values: Array

    def state(self, time: float, out: Array | None = None) -> Array:
        """State at a time inside the step."""
        x = (time - self.start) / self.size
        up = x * x * (3.0 - 2.0 * x)
        weights = np.array([1.0 - up, up, self.size * x * (1.0 - x) ** 2, -self.size * x * x * (1.0 - x)])
        return np.dot(weights, self.values, out=out)

    def slope(self, time: float) -> Array:
        """Time derivative of the state at a time inside the step."""
        x = (time - self.start) / self.size
        up = 6.0 * x * (1.0 - x) / self.size
        weights = np.array([-up, up, (1.0 - x) * (1.0 - 3.0 * x), x * (3.0 * x - 2.0)])
        return np.dot(weights, self.values)


@dataclass
class Counts:
    """Work done so far."""

    accepted: int = 0
    rejected: int = 0
    stages: int = 0
    largest_stages: int = 0
    largest_error: float = 0.0  # of an accepted step, in tolerances


class Integrator:
    """Steps an equation through time.

    Args:
        equation: the right-hand side.
        state: initial state, changed in place from step to step.
        fixed_step: [s], or None to choose steps by the error estimate.
        largest_step: [s].
    """

    def __init__(self, equation: Equation, state: Array, fixed_step: float | None, largest_step: float) -> None:
        self.equation = equation
        self.state = state
        self.fixed_step = fixed_step
        self.largest_step = largest_step
        self.counts = Counts()
        self.radius = 0.0
        self.time, self.size = 0.0, 0.0
        self._last: tuple[float, float] | None = None  # size and error of the last accepted step
        self._values = np.zeros((4, state.size))  # y0, y1, f0, f1
        self._stage = np.zeros((4, state.size))  # two differences to y0, f of the last stage, f0
        self._work, self._argument = np.zeros(state.size), np.zeros(state.size)

    def start(self, time: float, end: float) -> None:
        """Begin anew where the right-hand side has jumped; `end` bounds the first step."""
        self.time = time
        self.equation.rate(time, self.state, self._values[2])
        self.radius = self.equation.spectral_radius(time)
        self._last = None
        self.size = self.fixed_step or self._first_size(min(end - time, self.largest_step))

    def step(self, end: float) -> Step:
        """One accepted step that does not pass `end`.

        Raises:
            SolveError: the step size has vanished, or the state is not finite.
        """
        self._values[0] = self.state
        if self._last is not None:
            self._values[2] = self._values[3]
        retry = False
        while True:
            size = self._fitted(end - self.time)
            finish = end if size >= end - self.time else self.time + size
            self._advance(size)
            self.equation.rate(finish, self._values[1], self._values[3])
            error, radius = self._assess(finish, size)
            stable = size * radius <= STABILITY * (self._stages(size) ** 2 - 1)
            if (error <= 1.0 or self.fixed_step) and stable:
                break
            self._reject(size, error, radius, stable)
            retry = True
        self.radius = radius
        return self._accept(size, finish, error, retry)

    def _fitted(self, left: float) -> float:
        """The step size, adjusted so that no sliver of a step is left before the end."""
        size = min(self.size, self.largest_step)
        if self.radius > 0:
            size = min(size, STABILITY * (MOST_STAGES**2 - 1) / self.radius)
        if size >= left * (1.0 - 1e-9):
            return left
        return 0.5 * left if size > 0.6 * left and not self.fixed_step else size

    def _assess(self, finish: float, size: float) -> tuple[float, float]:
        """Error relative to the tolerance and spectral radius at the end of a trial step, over all ranks."""
        y0, y1, f0, f1 = self._values
        np.subtract(y0, y1, out=self._work)
        self._work *= 0.8
        np.add(f0, f1, out=self._argument)
        self._argument *= 0.4 * size
        self._work += self._argument
        return self.equation.error_and_radius(self._work, finish)

    def _reject(self, size: float, error: float, radius: float, stable: bool) -> None:
        self.counts.rejected += 1
        if not math.isfinite(error):
            self.size = 0.1 * size
        elif error > 1.0 and not self.fixed_step:
            self.size = size * max(0.1, SAFETY / error ** (1.0 / 3.0))
        if not stable and math.isfinite(radius):
            self.radius = max(self.radius, radius)
        if self.size < SMALLEST_STEP or (self.fixed_step and not math.isfinite(error)):
            raise SolveError(
                f"at {self.time:g} s the time step has shrunk to nothing (error {error:g} times the tolerance): "
                "loosen solver.tolerance, or look for values that no temperature fits"
            )

    def _accept(self, size: float, finish: float, error: float, retry: bool) -> Step:
        self.counts.accepted += 1
        self.counts.stages += self._stages(size)
        self.counts.largest_error = max(self.counts.largest_error, error)
        self.counts.largest_stages = max(self.counts.largest_stages, self._stages(size))
        if not self.fixed_step:
            self.size = size * min(self._growth(size, error), 1.0 if retry else math.inf)
        self._last = size, error
        self.equation.settle(finish, self._values[1])
        step = Step(self.time, finish, finish - self.time, self._values)
        self.time = finish
        self.state[:] = self._values[1]
        return step

    @property
    def slope(self) -> Array:
        """Time derivative of the state where the last step ended."""
        return self._values[3]

    def saved(self) -> dict[str, Any]:
        """What it needs to go on besides state and slope."""
        return {
            "time": self.time,
            "size": self.size,
            "last": self._last,
            "radius": self.radius,
            "counts": asdict(self.counts),
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Go on from what was saved; state and slope are set in place."""
        self.time, self.size, self.radius = saved["time"], saved["size"], saved["radius"]
        self._last = None if saved["last"] is None else (saved["last"][0], saved["last"][1])
        self.counts = Counts(**saved["counts"])

    def refresh(self) -> None:
        """Evaluate the right-hand side again where its slopes in time have changed."""
        self.equation.rate(self.time, self.state, self._values[3])

    def cut(self, step: Step, time: float) -> Step:
        """End the last step earlier, on its dense output, as if it had been no longer."""
        step.state(time, out=self.state)
        self.time = time
        return replace(step, end=time)

    def _growth(self, size: float, error: float) -> float:
        """Factor by which the controller changes the step."""
        error = max(error, 1e-12)
        if self._last is None:
            factor = SAFETY / error ** (1.0 / 3.0)
        else:
            last_size, last_error = self._last
            factor = SAFETY * size / last_size * max(last_error, 1e-12) ** (1.0 / 3.0) / error ** (2.0 / 3.0)
        return min(10.0, max(0.1, factor))

    def _first_size(self, longest: float) -> float:
        """Step whose error is likely a tenth of the tolerance, from one explicit Euler step."""
        size = min(longest, 1.0 / self.radius) if self.radius > 0 else longest
        np.multiply(self._values[2], size, out=self._argument)
        self._argument += self.state
        self.equation.rate(self.time + size, self._argument, self._work)
        self._work -= self._values[2]
        self._work *= size
        error: float = self.equation.error(self._work)
        if 0.1 * size >= longest * math.sqrt(error):
            return longest
        return max(0.1 * size / math.sqrt(error), SMALLEST_STEP)

    def _stages(self, size: float) -> int:
        return max(2, math.ceil(math.sqrt(1.0 + size * self.radius / STABILITY)))

    def _advance(self, size: float) -> None:
        """One Runge-Kutta-Chebyshev step of a size from y0 and f0 to y1."""
        y0, y1, f0, _ = self._values
        start, (first, rows) = self.time, coefficients(self._stages(size))
        new, old = 0, 1
        self._stage[3] = f0
        np.multiply(f0, first * size, out=self._stage[new])
        self._stage[old] = 0.0
        weights = np.empty(4)
        for mu, nu, mu_tilde, gamma_tilde, at in rows:
            np.add(y0, self._stage[new], out=self._argument)
            self.equation.rate(start + at * size, self._argument, self._stage[2])
            weights[new], weights[old], weights[2], weights[3] = mu, nu, mu_tilde * size, gamma_tilde * size
            np.dot(weights, self._stage, out=self._work)
            new, old = old, new
            self._stage[new] = self._work
        np.add(y0, self._stage[new], out=y1)


@cache
def coefficients(stages: int) -> tuple[float, tuple[tuple[float, float, float, float, float], ...]]:
    """First weight, and for every later stage mu, nu, mu~, gamma~ and the time c of the rate it uses."""
    w0 = 1.0 + DAMPING / stages**2
    t, dt, d2t = _chebyshev(stages, w0)
    w1 = dt[stages] / d2t[stages]
    b = [0.0, 0.0] + [d2t[j] / dt[j] ** 2 for j in range(2, stages + 1)]
    b[0] = b[1] = b[2]
    c = [0.0, 0.0] + [w1 * d2t[j] / dt[j] for j in range(2, stages + 1)]
    c[1] = c[2] / (4.0 * w0)  # T_2'(w0) = 4 w0
    rows = []
    for j in range(2, stages + 1):
        mu, nu, mu_tilde = 2.0 * w0 * b[j] / b[j - 1], -b[j] / b[j - 2], 2.0 * w1 * b[j] / b[j - 1]
        rows.append((mu, nu, mu_tilde, -(1.0 - b[j - 1] * t[j - 1]) * mu_tilde, c[j - 1]))
    return w1 * b[1], tuple(rows)


def _chebyshev(order: int, x: float) -> tuple[list[float], list[float], list[float]]:
    """Chebyshev polynomials T_0..T_order at x, with first and second derivatives."""
    t, dt, d2t = [1.0, x], [0.0, 1.0], [0.0, 0.0]
    for j in range(2, order + 1):
        t.append(2.0 * x * t[j - 1] - t[j - 2])
        dt.append(2.0 * t[j - 1] + 2.0 * x * dt[j - 1] - dt[j - 2])
        d2t.append(4.0 * dt[j - 1] + 2.0 * x * d2t[j - 1] - d2t[j - 2])
    return t, dt, d2t
