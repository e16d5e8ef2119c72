"""Two wells of a magnetic moment, and the loop that jumps over the barriers between them make it run through.

Source: Carrey, Mehdaoui and Respaud (2011), J. Appl. Phys. 109:083921, after Stoner and Wohlfarth (1948).

All fields are in units of the anisotropy field HK = 2 K / (mu0 Ms), energies in K V, magnetisations in Ms,
areas of loops in mu0 Ms HK = 2 K.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nanowarm.physics.curves import Array

ANGLES = 24  # of the easy axes to the field, where these are random
WELL_POINTS = 1001  # of the table of the wells over the field
Axes = Literal["random", "aligned"]


@dataclass(frozen=True, eq=False)
class Wells:
    """The wells on both sides of the barrier, over the field, for several angles of the easy axis to it.

    Args:
        weights: of the angles, sum 1, shape (angles,).
        switching: field at which the upper well vanishes, shape (angles,).
        depth: lower barrier seen from the well along the field, shape (angles, points): from minus to plus the
            switching field.
        gap: how much higher the way over the other side is, same shape.
        magnetisation: of that well along the field, same shape.
    """

    weights: Array
    switching: Array
    depth: Array
    gap: Array
    magnetisation: Array


@lru_cache(maxsize=4)
def wells(axes: Axes) -> Wells:
    """The wells of random easy axes, or of those along the field."""
    cosines, weights = np.polynomial.legendre.leggauss(ANGLES)
    random = axes == "random"
    angle = np.arccos(0.5 * (cosines + 1.0)) if random else np.array([1e-9])  # the exact axis has no sideways way
    weights = 0.5 * weights if random else np.ones(1)
    switching = (np.cos(angle) ** (2.0 / 3.0) + np.sin(angle) ** (2.0 / 3.0)) ** -1.5
    field = switching[:, None] * np.linspace(-1.0, 1.0, WELL_POINTS)
    turned = (angle + np.arctan(np.tan(angle) ** (1.0 / 3.0)))[:, None]  # where the well vanishes
    well = _stationary(angle[:, None], field, np.zeros_like(turned), turned)
    top = _stationary(angle[:, None], field, np.full_like(turned, np.pi), turned)
    bottom = _energy(angle[:, None], field, well)
    over = _energy(angle[:, None], field, top)
    mirrored = over[:, ::-1]  # the way over the other side is this one in the field reversed
    depth = np.maximum(np.minimum(over, mirrored) - bottom, 0.0)
    return Wells(weights, switching, depth, np.abs(over - mirrored), np.cos(well))


def _energy(angle: Array, field: Array, direction: Array) -> Array:
    """Energy of a moment in a direction: sin^2 of its angle to the easy axis, minus 2 h times its cosine to the field."""
    return np.sin(direction - angle) ** 2 - 2.0 * field * np.cos(direction)


def _stationary(angle: Array, field: Array, outer: Array, inner: Array) -> Array:
    """Direction between `outer` (0 or pi) and `inner` (where the well vanishes) in which the energy is stationary."""
    low, high = np.broadcast_to(outer, field.shape).copy(), np.broadcast_to(inner, field.shape).copy()
    for _ in range(60):
        middle = 0.5 * (low + high)
        # the field at which `middle` is stationary falls from outer to inner
        beyond = -np.sin(2.0 * (middle - angle)) < 2.0 * field * np.sin(middle)
        low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
    return 0.5 * (low + high)


def loop_area(wells_: Wells, field: Array, barrier: Array, attempts: Array, phases: int) -> Array:
    """Area of the loop in a periodic state, in mu0 Ms HK, shape (points,).

    dp/dt = (1 - p) nu_in - p nu_out for the share p of the well along the field, over half a period from +H to -H; after
    it the wells have changed roles, so that p(T/2) = 1 - p(0) closes the loop. The rates are exponential between phases,
    and p is exact for them.

    Args:
        wells_: of the easy axes.
        field: peak amplitude, shape (points,).
        barrier: K V / kB T, shape (points,).
        attempts: attempt frequency over that of the field, shape (points,).
        phases: steps of half a period.
    """
    phase = _phases(field, phases)
    h = field * np.cos(phase)
    widths = -0.5 * np.diff(np.concatenate((h[:1], h, h[-1:])), axis=0)
    widths = (widths[:-1] + widths[1:])[:, :, None]  # of the trapezoidal rule over the field
    waits = (np.diff(phase, axis=0) * attempts / (2.0 * np.pi))[:, :, None]  # attempts in each step
    # p = kept p(0) + gained; `fixed` and `free` are the integrals of the magnetisation that go with each
    kept, gained = np.ones((field.size, wells_.weights.size)), np.zeros((field.size, wells_.weights.size))
    fixed, free = np.zeros_like(kept), np.zeros_like(kept)
    last: State | None = None
    for number in range(phases + 1):
        now = _state(wells_, h[number], barrier)
        if last is not None:
            rates = waits[number - 1] * (_mean_exponential(last.out, now.out) + _mean_exponential(last.back, now.back))
            decay, share = np.exp(-rates), _mean_decay(rates)
            gained = now.balance + (gained - last.balance) * decay - (now.balance - last.balance) * share
            kept *= decay
        last = now
        fixed += widths[number] * (gained * (now.along - now.against) + now.against)
        free += widths[number] * kept * (now.along - now.against)
    start = (1.0 - gained) / (1.0 + kept)
    return np.maximum(2.0 * (fixed + start * free) @ wells_.weights, 0.0)


@dataclass(frozen=True, eq=False)
class State:
    """Both wells at one field, each array of shape (points, angles).

    Args:
        out: logarithm of the rate out of the well along the field, in attempts.
        back: of the rate into it.
        along: magnetisation of the well along the field.
        against: magnetisation of the other.
    """

    out: Array
    back: Array
    along: Array
    against: Array

    @property
    def balance(self) -> Array:
        """Share of the well along the field in equilibrium."""
        return 1.0 / (1.0 + np.exp(np.clip(self.out - self.back, -700.0, 700.0)))


def _phases(field: Array, steps: int) -> Array:
    """Phases of half a period, shape (steps + 1, points): dense where the field is below that of anisotropy."""
    place = np.linspace(-1.0, 1.0, steps + 1)[:, None]
    inside = 1.0 / np.maximum(field, 1.0)
    return 0.5 * np.pi * (1.0 + inside * place + (1.0 - inside) * place**3)


def _state(wells_: Wells, field: Array, barrier: Array) -> State:
    """The wells at fields, shape (points,), with barriers K V / kB T, same shape."""
    place = np.clip(field[:, None] / wells_.switching, -1.0, 1.0)
    place = 0.5 * (place + 1.0) * (WELL_POINTS - 1)
    index = np.minimum(place.astype(np.int64), WELL_POINTS - 2)
    part = place - index
    row = np.arange(wells_.weights.size) * WELL_POINTS
    here, there = row + index, row + (WELL_POINTS - 1) - index  # the other well is this one in the field reversed

    def between(values: Array, at: NDArray[np.int64], step: int) -> Array:
        """Values linear between two entries of a flat table."""
        flat = values.ravel()
        return flat[at] * (1.0 - part) + flat[at + step] * part

    scale = -barrier[:, None]
    ways = np.log1p(np.exp(scale * between(wells_.gap, here, 1))) - math.log(2.0)  # half of the attempts for each way
    out = scale * between(wells_.depth, here, 1) + ways
    back = scale * between(wells_.depth, there, -1) + ways
    return State(out, back, between(wells_.magnetisation, here, 1), -between(wells_.magnetisation, there, -1))


def _mean_exponential(before: Array, after: Array) -> Array:
    """Mean of an exponential between two values, from their logarithms, none of which is positive."""
    return np.exp(np.maximum(before, after)) * _mean_decay(np.abs(after - before))


def _mean_decay(x: Array) -> Array:
    """Mean of exp(-x t) for t from 0 to 1."""
    safe = np.maximum(x, 1e-9)
    return -np.expm1(-safe) / safe
