"""Functions of temperature that are linear between given points and constant outside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Curve:
    """A piecewise linear function, its exact integral, and the exact inverse of that integral.

    Args:
        at: abscissae [K], strictly increasing, shape (knots,).
        values: ordinates, shape (knots,).
    """

    at: Array
    values: Array

    def __call__(self, x: ArrayLike) -> Array:
        """Value at `x`, same shape."""
        if self.at.size == 1:
            return np.full(np.shape(x), self.values[0])
        return np.asarray(np.interp(np.asarray(x, dtype=float), self.at, self.values))

    def integral(self, x: ArrayLike) -> Array:
        """Integral from the first knot to `x` (negative below it), same shape."""
        x = np.asarray(x, dtype=float)
        if self.at.size == 1:
            return np.asarray(self.values[0] * (x - self.at[0]))
        piece = self._piece(np.searchsorted(self.at, x, side="right"))
        distance = x - self._start[piece]
        return self._areas[piece] + distance * (self._values[piece] + 0.5 * self._slopes[piece] * distance)

    def inverse_integral(self, area: ArrayLike) -> Array:
        """Where the integral reaches `area`; the values of the curve must be positive."""
        area = np.asarray(area, dtype=float)
        piece = self._piece(np.searchsorted(self._areas[1:], area, side="right"))
        rest, value = area - self._areas[piece], self._values[piece]
        root = np.sqrt(np.maximum(value * value + 2.0 * self._slopes[piece] * rest, 0.0))
        return self._start[piece] + 2.0 * rest / (value + root)  # the form without cancellation

    def extreme_within(self, x: ArrayLike, reach: float, sign: int) -> Array:
        """Largest (`sign` 1) or smallest (-1) value within `reach` of each `x`, same shape as `x`."""
        x = np.asarray(x, dtype=float)
        if self.at.size == 1:
            return self(x)
        found = sign * np.maximum(sign * self(x - reach), sign * self(x + reach))
        for at, value in zip(self.at, self.values, strict=True):
            near = np.abs(x - at) <= reach
            found = np.where(near, sign * np.maximum(sign * found, sign * value), found)
        return np.asarray(found)

    def _piece(self, index: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.minimum(index, self.at.size)

    # piece 0 lies below the first knot, piece n above the last
    @cached_property
    def _start(self) -> Array:
        return np.concatenate((self.at[:1], self.at))

    @cached_property
    def _values(self) -> Array:
        return np.concatenate((self.values[:1], self.values))

    @cached_property
    def _slopes(self) -> Array:
        return np.concatenate(([0.0], np.diff(self.values) / np.diff(self.at), [0.0]))

    @cached_property
    def _areas(self) -> Array:
        steps = 0.5 * np.diff(self.at) * (self.values[1:] + self.values[:-1])
        return np.concatenate(([0.0, 0.0], np.cumsum(steps)))


def constant(value: float, at: float = 273.15) -> Curve:
    """The curve that has one value everywhere."""
    return Curve(np.array([at]), np.array([value]))


def weighted_sum(weights: Sequence[float], curves: Sequence[Curve]) -> Curve:
    """Sum of curves, each times its weight: exact, on the union of their knots."""
    at = np.unique(np.concatenate([curve.at for curve in curves]))
    return Curve(at, sum((w * curve(at) for w, curve in zip(weights, curves, strict=True)), np.zeros_like(at)))
