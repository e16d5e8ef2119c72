"""Thermal dose: how long tissue was how hot, as equivalent minutes at 43 degC, and how dose lies over a volume.

Doses are added up over pieces of history in which temperature is linear in time, after accepted steps only.
"CEM43 T90" has two meanings: the dose that 90 % of the volume exceeds, `exceeded(cem43, volumes, 0.9)`, and the
dose of the history of T90, `over_step(cem43, t90, times)`. They agree where hotter nodes stay the hotter ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nanowarm.model import nearest
from nanowarm.physics.curves import Array
from nanowarm.physics.sourced import Quality
from nanowarm.quantity import ZERO_CELSIUS

MINUTE = 60.0  # [s]
REFERENCE = ZERO_CELSIUS + 43.0  # [K], of the dose
VALID = (ZERO_CELSIUS + 39.0, ZERO_CELSIUS + 57.0)  # [K], ISO 14708-3:2017 clause 17.1
HOTTEST = ZERO_CELSIUS + 143.0  # [K]; 2^100 minutes per minute there still fit a file of single precision
_PIECES = ((VALID[0], REFERENCE, math.log(4.0)), (REFERENCE, HOTTEST, math.log(2.0)))  # from, to [K], ln(1/R) [1/K]

_BLOCK = 8192  # nodes; their arrays stay in the cache of a processor, which is several times faster
_DIGITS = 16  # bits that one round of the search for a quantile settles
_ROUNDING = 1e-12  # of a volume added up node by node

Dose = Callable[[Array, Array, float], Array]
Sum = Callable[[Array], Array]


def cem43(start: ArrayLike, end: ArrayLike, duration: float) -> Array:
    """Cumulative equivalent minutes at 43 degC of nodes whose temperature runs linearly from start to end [min].

    The integral of R^(43 - T) over time, R = 0.5 from 43 degC, 0.25 from 39 to 43 degC, 0 below: exact. Above 57 degC
    the rule is not known to hold (see `outside_validity`) but counted on; above 143 degC counts as 143 degC.

    Args:
        start, end: temperatures [K], shape (nodes,).
        duration: [s].

    Source: Sapareto and Dewey (1984), Int. J. Radiat. Oncol. Biol. Phys. 10:787; range of ISO 14708-3:2017, clause 17.1.
    """
    start, end = np.broadcast_arrays(np.asarray(start, dtype=float), np.asarray(end, dtype=float))
    warm = ~((start < VALID[0]) & (end < VALID[0]))  # a temperature that is not a number stays visible
    return mean_rates(_minutes_per_minute, start, end, warm) * (duration / MINUTE)


def _minutes_per_minute(start: Array, end: Array) -> Array:
    """Mean of R^(43 - T) over segments in which temperature [K] runs linearly from start to end."""
    start, end = np.minimum(start, HOTTEST), np.minimum(end, HOTTEST)
    low, high = np.minimum(start, end), np.maximum(start, end)
    spread, rate = high - low, np.zeros(low.shape)
    for bottom, top, steepness in _PIECES:
        a, b = np.clip(low, bottom, top), np.clip(high, bottom, top)
        inside = (low >= bottom) & ((low < top) | (top == HOTTEST))
        part = np.divide(b - a, spread, out=inside.astype(float), where=spread > 0.0)
        rate += part * np.exp(steepness * (b - REFERENCE)) * mean_decay(steepness * (b - a))
    return rate


def mean_rates(rate: Callable[[Array, Array], Array], start: Array, end: Array, some: NDArray[np.bool_]) -> Array:
    """Mean rate over segments of history, for some nodes; 0 for the others.

    Args:
        rate: the mean rate between two temperatures [K] for a number of nodes.
        start, end: temperatures [K] of all nodes.
        some: which of them are looked at, same shape.
    """
    found, nodes = np.zeros(start.size), np.flatnonzero(some)
    before, after = start.ravel(), end.ravel()
    for first in range(0, nodes.size, _BLOCK):
        block = nodes[first : first + _BLOCK]
        found[block] = rate(before[block], after[block])
    return found.reshape(start.shape)


def mean_decay(x: Array) -> Array:
    """Mean of exp(-x t) for t from 0 to 1; `x` is not negative."""
    safe = np.maximum(x, 1e-300)
    return np.where(x > 0.0, -np.expm1(-safe) / safe, 1.0)


def outside_validity(start: ArrayLike, end: ArrayLike) -> NDArray[np.bool_]:
    """Which nodes were hotter than 57 degC [K], up to where equivalent minutes are known to mean something."""
    return np.maximum(np.asarray(start, dtype=float), np.asarray(end, dtype=float)) > VALID[1]


def over_step(dose: Dose, states: ArrayLike, times: ArrayLike) -> Array:
    """Dose of a history that is known at some times and taken as linear between them, shape (nodes,).

    A history of curvature T'' [K/s2] that is sampled every h seconds is off by at most T'' h^2 / 8; 0.01 K of that are
    0.7 % of CEM43 above 43 degC and 1.4 % below.

    Args:
        dose: `cem43`, or `damage` of an Arrhenius process.
        states: temperatures [K], shape (samples, nodes).
        times: [s], increasing, shape (samples,).
    """
    temperatures, moments = np.asarray(states, dtype=float), np.asarray(times, dtype=float)
    total = np.zeros(temperatures.shape[1:])
    for number, duration in enumerate(np.diff(moments)):
        total += dose(temperatures[number], temperatures[number + 1], float(duration))
    return total


def _alone(values: Array) -> Array:
    """The sum over ranks where there is one."""
    return values


def exceeded(values: ArrayLike, volumes: ArrayLike, fraction: float, add: Sum = _alone) -> float:
    """The largest of the values that is reached or passed in at least a fraction of the volume.

    T90 is `exceeded(temperature, volumes, 0.9)`, T10 the same with 0.1; 1 gives the least value of all. Nothing is
    interpolated between nodes. Values spread over ranks are not gathered: their bits are settled sixteen at a time from
    sums of volume, so that the answer is one of the values, exactly, and the same on all ranks.

    Args:
        values: shape (nodes,), finite; own nodes of this rank, none of another.
        volumes: of the nodes, same shape.
        fraction: above 0, at most 1.
        add: sum over ranks of an array of at most 65536 numbers, called five times on every rank; left out, there is
            one rank.

    Returns:
        The value; NaN where there is no volume.
    """
    keys, weights = _ordered(np.asarray(values, dtype=float)), np.asarray(volumes, dtype=float)
    wanted = fraction * float(add(np.array([weights.sum()]))[0]) * (1.0 - _ROUNDING)
    above, found, size = 0.0, 0, 1 << _DIGITS
    for shift in range(64 - _DIGITS, -1, -_DIGITS):
        digit = ((keys >> np.uint64(shift)) & np.uint64(size - 1)).astype(np.int64)
        held = add(_sums(digit, weights, size))
        occupied = np.flatnonzero(held > 0.0)[::-1]  # from the largest down
        if wanted <= 0.0 or occupied.size == 0:
            return math.nan
        reached = above + np.cumsum(held[occupied])
        place = min(int(np.searchsorted(reached, wanted)), occupied.size - 1)
        above, choice = float(reached[place] - held[occupied[place]]), int(occupied[place])
        found = (found << _DIGITS) | choice
        keys, weights = keys[digit == choice], weights[digit == choice]
    return _from_ordered(found)


def _sums(bins: NDArray[np.int64], volumes: Array, size: int) -> Array:
    """Volume in each bin; floats also on a rank that has nothing, where NumPy counts in whole numbers."""
    return np.bincount(bins, volumes, minlength=size).astype(float)


_SIGN = np.uint64(1 << 63)


def _ordered(values: Array) -> NDArray[np.uint64]:
    """Whole numbers in the order of the values, from their bits."""
    bits = values.view(np.uint64)
    return np.where(bits & _SIGN, ~bits, bits | _SIGN)


def _from_ordered(key: int) -> float:
    """The value of such a whole number."""
    bits = np.array([key], dtype=np.uint64)
    return float(np.where(bits & _SIGN, bits ^ _SIGN, ~bits).view(np.float64)[0])


def volume_histogram(values: ArrayLike, volumes: ArrayLike, edges: ArrayLike, add: Sum = _alone) -> Array:
    """Fraction of the volume in which values are at or above each edge: the cumulative dose-volume histogram.

    Exact at its edges. V43 is `volume_histogram(temperature, volumes, [316.15])`.

    Args:
        values: shape (nodes,); own nodes of this rank.
        volumes: of the nodes, same shape.
        edges: increasing, shape (edges,).
        add: sum over ranks, called once on every rank; left out, there is one rank.

    Returns:
        Shape (edges,), not rising; NaN where there is no volume.
    """
    limits = np.asarray(edges, dtype=float)
    passed = np.searchsorted(limits, np.asarray(values, dtype=float), side="right")  # so many edges lie at or below
    held = add(_sums(passed, np.asarray(volumes, dtype=float), limits.size + 1))
    from_above = np.cumsum(held[::-1])[::-1]
    return from_above[1:] / from_above[0] if from_above[0] > 0.0 else np.full(limits.size, np.nan)


@dataclass(frozen=True)
class DoseLevel:
    """A dose that means something for a tissue.

    Args:
        minutes: CEM43 [min].
        source: where it is from.
        quality: measured, derived or an estimate.
        note: what a user should know before trusting it.
    """

    minutes: float
    source: str
    quality: Quality
    note: str


_ISO = "ISO 14708-3:2017, table 101, read second-hand"
_ISO_NOTE = "An implant must not heat this tissue by more; a rule of safety, not the dose that destroys it."

TISSUE_LIMITS: Mapping[str, DoseLevel] = {
    tissue: DoseLevel(minutes, _ISO, "derived", _ISO_NOTE)
    for tissue, minutes in {
        "muscle": 40.0,
        "fat": 40.0,
        "peripheral nerve": 40.0,
        "skin": 21.0,
        "bone": 16.0,
        "blood-brain barrier": 15.0,
        "brain": 2.0,
    }.items()
}
ABLATION = DoseLevel(
    240.0,
    "convention of thermal ablation, from general knowledge of the literature",
    "estimate",
    "Most soft tissue is dead at this dose; it is a convention, and tissues differ.",
)


def tissue_limit(name: str) -> DoseLevel:
    """The dose that a tissue must not exceed.

    Raises:
        ValueError: none is known of that name.
    """
    if name not in TISSUE_LIMITS:
        raise ValueError(f'no dose limit of "{name}"; {nearest(name, TISSUE_LIMITS)}')
    return TISSUE_LIMITS[name]
