"""Values of a case drawn from ranges, so that a few runs fill them evenly."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from nanowarm.model import Model, shown
from nanowarm.quantity import number_and_unit

Method = Literal["latin hypercube", "sobol"]


class Range(Model):
    """What a value is drawn from.

    Args:
        between: the lowest and the highest, texts with the same unit or plain numbers.
        scale: "linear", or "log" where each decade is drawn as often.
    """

    between: tuple[str | int | float, str | int | float]
    scale: Literal["linear", "log"] = "linear"

    @model_validator(mode="after")
    def _can_be_drawn_from(self) -> Range:
        (low, unit), (high, other) = map(_end, self.between)
        if unit != other:
            raise ValueError(f"write both ends in the same unit; found {shown(self.between[0])} and {shown(self.between[1])}")
        if not low < high:
            raise ValueError(
                f"the first end must be below the second; found {shown(self.between[0])} and {shown(self.between[1])}"
            )
        if self.scale == "log" and low <= 0.0:
            raise ValueError(f"a logarithmic range is above zero; found {shown(self.between[0])}")
        return self

    def value(self, share: float) -> str | float:
        """The value at a share (0 to 1) of the way, written like the ends."""
        (low, unit), (high, _) = map(_end, self.between)
        if self.scale == "log":
            number = math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
        else:
            number = low + share * (high - low)
        rounded = min(max(float(f"{number:.6g}"), low), high)
        return f"{rounded:g} {unit}" if unit else rounded


def _end(given: str | int | float) -> tuple[float, str]:
    """Number and unit of an end of a range; a plain number has no unit."""
    return number_and_unit(given) if isinstance(given, str) else (float(given), "")


def check_count(method: Method, count: int) -> None:
    """Refuse a number of draws that a method can't spread evenly.

    Raises:
        ValueError: with the counts that suit.
    """
    if method == "sobol" and count & (count - 1):
        below = 1 << (count.bit_length() - 1)
        raise ValueError(f"count of a sobol sample must be a power of two; found {count}: take {below} or {2 * below}")


def drawn(method: Method, count: int, seed: int, ranges: Mapping[str, Range]) -> list[dict[str, Any]]:
    """One value of every range for each run.

    Source: McKay, Beckman, Conover (1979), Technometrics 21:239; Sobol (1967), scrambled by Owen (1998).
    """
    shares = unit_points(method, count, seed, len(ranges))
    return [{key: each.value(float(share)) for (key, each), share in zip(ranges.items(), row, strict=True)} for row in shares]


def unit_points(method: Method, count: int, seed: int, dimensions: int) -> NDArray[np.float64]:
    """Points of the unit cube, shape (count, dimensions)."""
    from scipy.stats import qmc

    if method == "sobol":
        return np.asarray(qmc.Sobol(dimensions, rng=seed).random(count))
    return np.asarray(qmc.LatinHypercube(dimensions, rng=seed).random(count))
