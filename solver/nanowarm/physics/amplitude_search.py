"""The largest steady amplitude that the healthy tissue bears."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from nanowarm.errors import CaseError
from nanowarm.quantity import ZERO_CELSIUS

FIRST = 1.0 / 16.0  # of the way to the largest squared amplitude: far enough to see a rise, too weak to cook


@dataclass(frozen=True)
class LargestAmplitude:
    """The end of a search.

    Args:
        amplitude: peak [A/m].
        temperature: hottest healthy one there [K].
        bound: what stops it: the limit of temperature, or the largest amplitude of the bracket.
        evaluations: how many amplitudes were tried.
    """

    amplitude: float
    temperature: float
    bound: Literal["limit", "most"]
    evaluations: int

    def sentence(self) -> str:
        """What was found, in a line for the user."""
        reached = f"healthy tissue reaches {self.temperature - ZERO_CELSIUS:.2f} degC at {self.amplitude / 1000.0:.4g} kA/m"
        return reached if self.bound == "limit" else f"{reached}, the largest amplitude tried: the limit lies beyond"


class _Trials:
    """The amplitudes that were tried: squared amplitude [A2/m2] to the excess [K] over the limit."""

    def __init__(self, respond: Callable[[float], float], limit: float, tolerance: float) -> None:
        self._respond, self._limit, self._tolerance = respond, limit, tolerance
        self.excess: dict[float, float] = {}

    def __call__(self, square: float) -> float:
        """Excess [K] over the middle of what is good enough, exactly 0 inside."""
        if square not in self.excess:
            amplitude = math.sqrt(square)
            temperature = float(self._respond(amplitude))
            if not math.isfinite(temperature):
                raise CaseError(
                    f"the hottest healthy temperature at {amplitude:g} A/m is {temperature:g}: no number to search with"
                )
            self.excess[square] = temperature - self._limit
        excess = self.excess[square]
        return 0.0 if -self._tolerance <= excess <= 0.0 else excess + 0.5 * self._tolerance

    def best(self, most: float) -> LargestAmplitude:
        """The largest one that was tried and is not beyond the limit."""
        square = max(square for square, excess in self.excess.items() if excess <= 0.0)
        temperature = self._limit + self.excess[square]
        reached: Literal["limit", "most"] = "most" if square == most else "limit"
        return LargestAmplitude(math.sqrt(square), temperature, reached, len(self.excess))


def largest_amplitude(
    respond: Callable[[float], float], limit: float, bracket: tuple[float, float], tolerance: float = 0.05
) -> LargestAmplitude:
    """The largest amplitude for which no healthy point exceeds a temperature.

    The rise goes nearly with the square of the amplitude, so that is what is searched in: a secant finds a linear
    response at the third trial, Brent's method any other between a trial below the limit and one above. Where the
    temperature jumps past the limit, it ends with the amplitude known to about 0.1 %.

    Args:
        respond: hottest healthy temperature [K] at a steady peak amplitude [A/m]; must not fall with the amplitude.
        limit: temperature [K].
        bracket: least and largest amplitude [A/m].
        tolerance: how far [K] below the limit is good enough.

    Raises:
        CaseError: even the least amplitude exceeds the limit, or the bracket holds nothing.

    Source: Brent (1973), Algorithms for Minimization without Derivatives, chapter 4.
    """
    from scipy.optimize import brentq

    least, most = bracket
    if not 0.0 <= least < most:
        raise CaseError(
            f"amplitudes from {least:g} to {most:g} A/m: give a least one of 0 or more and a larger one to search up to"
        )
    trials = _Trials(respond, limit, tolerance)
    low, end = least**2, most**2
    if trials(low) > 0.0:
        found = limit + trials.excess[low] - ZERO_CELSIUS
        raise CaseError(
            f"healthy tissue reaches {found:.2f} degC at the least amplitude, {least:g} A/m, above "
            f"{limit - ZERO_CELSIUS:.2f} degC: allow more, or a smaller amplitude"
        )
    low, high = _last_secant(trials, low, end)
    if trials(high) > 0.0:
        brentq(trials, low, high, xtol=1e-6 * end, rtol=1e-3)
    return trials.best(end)


def _last_secant(trials: _Trials, low: float, end: float) -> tuple[float, float]:
    """Two squared amplitudes [A2/m2], the first below the limit, the second good enough, above it or the end.

    Args:
        trials: of squared amplitudes.
        low: the least one, below the limit.
        end: the largest one.
    """
    high = low + FIRST * (end - low)
    while trials(high) < 0.0 and high < end:
        rise = trials(high) - trials(low)
        step = -trials(high) * (high - low) / rise if rise > 0.0 else math.inf
        low, high = high, min(end, high + step)
    return low, high
