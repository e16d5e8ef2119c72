"""What a run has seen of the things that criteria ask for, and how a criterion ended."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from nanowarm.physics.doses import Sum, exceeded

Array = NDArray[np.float64]
Verdict = Literal["met", "missed", "unseen"]
PER_MINUTE = 60.0  # [s/min]
TIE = 1e-7  # values that differ relatively by less are the same place's

# What can be followed at every node: dose [min] and damage [-] at the end; temperature [K] at the time of T90 (hold), at the
# end (last), and the highest and lowest that there ever was; the largest crystallised part of what can freeze [-] that there
# ever was; and in every cell the largest tensile principal stress [Pa] while it was solid.
Quantity = Literal["CEM43", "damage", "hold", "last", "hottest", "coldest", "ice", "stress"]

Window = tuple[tuple[float, float], int]  # coldest and warmest temperature [K]; 1 for warming, -1 for cooling


@dataclass(frozen=True, eq=False)
class RateEvidence:
    """How fast each node of a region went through a window of temperature, shape (nodes,) each.

    Args:
        volume: share of the region's volume [m3].
        position: (nodes, 3) [m].
        rate: mean rate between the two crossings [K/s]; an upper bound where only the first was seen,
            infinite where not even that.
        slowest: slowest instantaneous rate seen inside the window [K/s], infinite where none was.
        finished: whether both crossings were seen.
        faster: critical rate of each node over that at full strength; 1 but in partly equilibrated organs.
    """

    volume: Array
    position: Array
    rate: Array
    slowest: Array
    finished: NDArray[np.bool_]
    faster: Array | float = 1.0

    def at_full_strength(self) -> RateEvidence:
        """The same with rates relative to what a solution needs that is weaker or stronger than at full strength."""
        return replace(self, rate=self.rate / self.faster, slowest=self.slowest / self.faster, faster=1.0)

    def statistics(self) -> dict[str, float | None]:
        """Smallest, mean (by volume) and largest rate [K/min] of what went all the way, and its volume fraction."""
        seen = float(self.volume[self.finished].sum() / self.volume.sum())
        if not self.finished.any():
            return {"min": None, "mean": None, "max": None, "slowest_instantaneous": None, "seen_fraction": 0.0}
        rate, volume = self.rate[self.finished] * PER_MINUTE, self.volume[self.finished]
        return {
            "min": finite(rate.min()),
            "mean": finite(np.average(rate, weights=volume)),
            "max": finite(rate.max()),
            "slowest_instantaneous": finite(self.slowest[self.finished].min() * PER_MINUTE),
            "seen_fraction": seen,
        }


@dataclass(frozen=True)
class PeakEvidence:
    """The largest (or smallest) value that a quantity took, when and where.

    Args:
        value: [SI], None where nothing was seen.
        time: [s].
        position: (3,) [m].
    """

    value: float | None
    time: float = 0.0
    position: tuple[float, ...] = (0.0, 0.0, 0.0)


_ALL = slice(None)


def _one(mine: Any) -> list[Any]:
    """What all ranks say where there is one."""
    return [mine]


@dataclass(frozen=True, eq=False)
class Spread:
    """How a quantity lies over a region: its value at each node (or cell) of this rank. The methods are collective.

    Args:
        values: shape (nodes,), finite; none at all where nothing was seen.
        volume: of the nodes [m3], same shape.
        position: (nodes, 3) [m].
        add: sum over ranks of an array.
        gather: something of every rank, as a list.
    """

    values: Array
    volume: Array
    position: Array
    add: Sum = np.asarray
    gather: Callable[[Any], list[Any]] = _one

    def reached(self, fraction: float) -> float:
        """The largest value that at least a fraction of the volume reaches."""
        return exceeded(self.values, self.volume, fraction, self.add)

    def kept(self, fraction: float) -> float:
        """The smallest value that at least a fraction of the volume does not exceed."""
        return -exceeded(-self.values, self.volume, fraction, self.add)

    def size(self, chosen: NDArray[np.bool_] | slice = _ALL) -> float:
        """Volume [m3] of the nodes chosen; of all where left out."""
        (inside,) = self.add(np.array([self.volume[chosen].sum()]))
        return float(inside)

    def part(self, chosen: NDArray[np.bool_]) -> float:
        """Fraction of the volume of the nodes chosen; 0 where there is nothing."""
        inside, all_of_it = self.add(np.array([self.volume[chosen].sum(), self.volume.sum()]))
        return min(1.0, float(inside / all_of_it)) if all_of_it > 0.0 else 0.0

    def mean(self) -> float:
        """Mean over the volume; not a number where there is nothing."""
        total, volume = self.add(np.array([self.values @ self.volume, self.volume.sum()]))
        return float(total / volume) if volume > 0.0 else math.nan

    def extreme(self, sign: int) -> tuple[float, tuple[float, ...]]:
        """The largest (1) or smallest (-1) value and where it is [m]; of equal ones that with the smallest coordinates.

        Not a number, at the origin, where there is nothing.
        """
        signed = sign * self.values
        best = max(self.gather(float(signed.max(initial=-np.inf))))
        if best == -np.inf:
            return math.nan, (0.0, 0.0, 0.0)
        equal = np.round(self.position[signed >= best - TIE * abs(best)], 9) + 0.0
        return sign * best, min(min(places) for places in self.gather([tuple(x) for x in equal.tolist()]) if places)

    def statistics(self) -> dict[str, float | None]:
        """Smallest value, mean over the volume, and largest value; None where there is nothing."""
        return {"min": finite(self.extreme(-1)[0]), "mean": finite(self.mean()), "max": finite(self.extreme(1)[0])}


@dataclass(frozen=True)
class Outcome:
    """How one criterion ended.

    Args:
        value: what was reached, in `unit`; None where unseen. With `bound`, reality is at most that.
        limit: what was asked.
        fraction: part of the region's volume that meets the limit, None where not by volume.
    """

    kind: str
    region: str
    outcome: Verdict
    value: float | None
    limit: float
    unit: str
    fraction: float | None = None
    where_mm: tuple[float, ...] | None = None
    details: dict[str, Any] = field(default_factory=dict)

    def summary(self) -> dict[str, Any]:
        """The entry of `summary.json`."""
        where = None if self.where_mm is None else list(self.where_mm)
        names = {"kind": self.kind, "region": self.region, "value": self.value, "limit": self.limit, "unit": self.unit}
        return names | {"fraction": self.fraction, "outcome": self.outcome, "where_mm": where} | self.details


class Seen(Protocol):
    """What a run can be asked about when it is judged."""

    def window(self, region: str, asked: tuple[float, float] | None, direction: int = 1) -> tuple[float, float] | None:
        """Coldest and warmest temperature [K] of the window asked for, or of the region's material for a direction."""

    def critical_rate(self, region: str, direction: int) -> float:
        """Critical warming (1) or cooling (-1) rate [K/s] of a region's material."""

    def rates(self, region: str, window: Window) -> RateEvidence:
        """How fast a region went through a window."""

    def difference(self, region: str, below: float) -> PeakEvidence:
        """Largest difference within the part of a region colder than a temperature [K]."""

    def field_product(self, region: str) -> float:
        """Largest amplitude times frequency [A/m/s] of the field in a region, over all stages."""

    def extreme(self, region: str, sign: int, when: str) -> PeakEvidence:
        """The hottest (1) or coldest (-1) temperature [K] of a region, always or at the end."""

    def spread(self, quantity: Quantity, region: str, margin: float = 0.0) -> Spread:
        """How a quantity lies over a region, and over what is within a margin [m] outside it."""

    def ice(self, region: str) -> Spread | None:
        """Largest crystallised part (0 to 1) of what can freeze at each node; None where ice is not calibrated."""

    def stress(self, region: str) -> Spread | None:
        """Largest tensile principal stress [Pa] of each cell that was ever solid; None where none was."""

    def stress_peak(self, region: str) -> PeakEvidence:
        """The largest tensile stress [Pa] of a region, when and where."""

    def strength(self, region: str) -> float | None:
        """Tensile strength [Pa] of a region's material, None where not known."""

    def glass_difference_limit(self, region: str) -> float | None:
        """Largest difference of temperature [K] that the glass of a region's material bears, None where not known."""

    def time_above(self, region: str, temperature: float) -> Spread:
        """Time [s] that each node of a region has spent above a temperature [K]."""


def finite(value: float) -> float | None:
    """The value, or None where JSON could not hold it."""
    return float(value) if np.isfinite(value) else None


def millimetres(position: Array | tuple[float, ...]) -> tuple[float, ...]:
    """A position [m] as files have it [mm]."""
    return tuple(round(1e3 * float(x), 6) + 0.0 for x in position)
