"""What a spread in words says of a value: the distribution of a factor on it, or of a shift of a temperature.

Bounds of which nothing else is known make a uniform distribution. Source: JCGM 100:2008 (GUM), 4.3.7.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from nanowarm.model import shown
from nanowarm.physics.curves import Array
from nanowarm.quantity import convert, number_and_unit, temperature

Shape = Literal["uniform", "log-uniform", "normal", "lognormal"]

NUMBER = r"[-+]?[0-9]+\.?[0-9]*(?:[eE][-+]?[0-9]+)?"
_PER_CENT = re.compile(rf"({NUMBER})\s*%")
_ALONG = re.compile(r"(.*), and as the modulus", re.DOTALL)
_FACTOR = re.compile(rf"a factor of ({NUMBER}|two|three)(?::.*)?", re.DOTALL)
_RANGE = re.compile(rf"({NUMBER}) to ({NUMBER})\s*([^()]*?)(?:\s*\(.*\))?", re.DOTALL)
_WORDS = {"two": 2.0, "three": 3.0}
_EDGE = 1e-12  # share of a distribution beyond which nothing is drawn, so that no draw is infinite
_ROUNDED = 1e-3  # relative, by which the ends of a range may be rounded
_WIDEST = 0.2  # relative, of a normal distribution: zero is then five standard deviations away


@dataclass(frozen=True)
class Distribution:
    """What is drawn from.

    Args:
        shape: of the distribution.
        first: low end; mean of a normal, median of a lognormal distribution.
        second: high end; standard deviation, for a lognormal distribution that of the logarithm.
    """

    shape: Shape
    first: float
    second: float

    def quantile(self, share: ArrayLike) -> Array:
        """Value below which a share (0 to 1) of all draws lies, same shape."""
        from scipy import stats

        made = {
            "uniform": lambda: stats.uniform(self.first, self.second - self.first),
            "log-uniform": lambda: stats.loguniform(self.first, self.second),
            "normal": lambda: stats.norm(self.first, self.second),
            "lognormal": lambda: stats.lognorm(self.second, scale=self.first),
        }
        return np.asarray(made[self.shape]().ppf(np.clip(share, _EDGE, 1.0 - _EDGE)))

    @property
    def told(self) -> str:
        """The distribution in a few words."""
        if self.shape in ("uniform", "log-uniform"):
            return f"{self.shape}, {self.first:g} to {self.second:g}"
        middle, width = ("mean", "standard deviation") if self.shape == "normal" else ("median", "of the logarithm")
        return f"{self.shape}, {middle} {self.first:g}, {width} {self.second:g}"


@dataclass(frozen=True)
class Spread:
    """How a value scatters around what it is given as.

    Args:
        by: "factor" on it, "shift" [K] of a temperature, or "value" for itself.
        distribution: of that factor, shift or value.
        along: key of another value of the same file; this one is proportional to it.
    """

    by: Literal["factor", "shift", "value"]
    distribution: Distribution
    along: str = ""

    def told(self, unit: str) -> str:
        """The spread in a few words, for a value in a unit."""
        along = f", times that of {self.along}" if self.along else ""
        unit = {"factor": "", "shift": "K", "value": unit}[self.by]
        return f"{self.by} {self.distribution.told} {unit}".rstrip() + along


def spread_of(text: str, value: Any, by_shift: bool) -> Spread:
    """The spread that a text means: "5 %", "a factor of 2", "0.5 to 0.57 W/m/K", "5 K".

    Args:
        text: of the spread.
        value: as its file gives it, text with a unit or a plain number; None for a table.
        by_shift: whether the value is a temperature.

    Raises:
        ValueError: it can't be read with certainty.
    """
    plain = text.strip()
    if by_shift:
        return Spread("shift", _shifts(plain, value))
    if found := _ALONG.fullmatch(plain):
        return replace(spread_of(found[1], value, by_shift), along="youngs_modulus")
    if found := _PER_CENT.fullmatch(plain):
        return Spread("factor", _around(float(found[1]) / 100.0, plain))
    if found := _FACTOR.fullmatch(plain):
        factor = _WORDS.get(found[1]) or float(found[1])
        if factor <= 1.0:
            raise ValueError(f"{shown(text)}: such a factor is above 1")
        return Spread("factor", Distribution("log-uniform", 1.0 / factor, factor))
    if value is None:
        raise ValueError(f"{shown(text)} does not say what it means for every value of a table")
    return Spread("factor", _ratios(plain, value))


def _around(part: float, text: str) -> Distribution:
    """All factors within a part of 1."""
    if not 0.0 < part < 1.0:
        raise ValueError(f"{shown(text)}: such a part is above 0 and below 100 %")
    return Distribution("uniform", 1.0 - part, 1.0 + part)


def _ratios(text: str, value: Any) -> Distribution:
    """A range, or a half-width, in the unit of the value and divided by it."""
    number, unit = _number(value)
    if number <= 0.0:
        raise ValueError(f"{shown(text)} can't be a factor on {shown(value)}")
    found = _RANGE.fullmatch(text)
    if found:
        low, high = (_in(float(end), found[3], unit) / number for end in found.groups()[:2])
    else:
        half = _in(*number_and_unit(text), unit) / number
        low, high = 1.0 - half, 1.0 + half
    if not 0.0 <= low <= 1.0 + _ROUNDED or high < 1.0 - _ROUNDED or low == high:
        raise ValueError(f"{shown(text)} does not lie around {shown(value)}, or reaches below zero")
    return Distribution("uniform", low, high)


def _number(value: Any) -> tuple[float, str]:
    """Number and unit of a value; a plain number has no unit."""
    return number_and_unit(value) if isinstance(value, str) else (float(value), "")


def _in(number: float, given: str, unit: str) -> float:
    """A number in another unit."""
    return number if given == unit else convert(f"{number!r} {given}", unit or "dimensionless")


def _shifts(text: str, value: Any) -> Distribution:
    """The shifts [K] of a temperature."""
    if _PER_CENT.fullmatch(text):
        raise ValueError(f'{shown(text)} of a temperature says nothing: give a shift, such as "5 K"')
    found = _RANGE.fullmatch(text)
    if found:
        middle = temperature(value)
        low, high = (temperature(f"{end} {found[3]}") - middle for end in found.groups()[:2])
    else:
        high = convert(text, "K")
        low = -high
    if not low < high or not low <= 0.0 <= high:
        raise ValueError(f"{shown(text)} does not lie around {shown(value)}")
    return Distribution("uniform", low, high)


def normal(text: str, by_shift: bool) -> Spread:
    """A normal distribution by its standard deviation: relative, "10 %", or "2 K" of a temperature.

    Raises:
        ValueError: it is neither, or so wide that values below zero would be drawn.
    """
    if by_shift:
        if _PER_CENT.fullmatch(text.strip()):
            raise ValueError(f'{shown(text)} of a temperature says nothing: give a standard deviation, such as "2 K"')
        return Spread("shift", Distribution("normal", 0.0, _positive(convert(text, "K"), text)))
    width = _relative(text)
    if width > _WIDEST:
        raise ValueError(f"{shown(text)}: a normal distribution so wide reaches below zero; at most {_WIDEST:.0%}, or lognormal")
    return Spread("factor", Distribution("normal", 1.0, width))


def lognormal(text: str) -> Spread:
    """A lognormal distribution of factors with median 1, by its relative standard deviation, "10 %".

    Raises:
        ValueError: no part.
    """
    return Spread("factor", Distribution("lognormal", 1.0, math.sqrt(math.log1p(_relative(text) ** 2))))


def _relative(text: str) -> float:
    """A part of the value, above zero."""
    found = _PER_CENT.fullmatch(text.strip())
    if not found:
        raise ValueError(f'must be a part of the value, such as "10 %"; found {shown(text)}')
    return _positive(float(found[1]) / 100.0, text)


def _positive(number: float, text: str) -> float:
    """The number of a text, refused where it is not above zero."""
    if not 0.0 < number < math.inf:
        raise ValueError(f"must be above zero; found {shown(text)}")
    return number
