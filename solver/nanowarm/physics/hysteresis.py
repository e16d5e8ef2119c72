"""Hysteresis of single-domain particles that can't turn, by the two-level model of Carrey et al. (2011)."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nanowarm.physics.curves import Array
from nanowarm.physics.relaxation import SingleDomain
from nanowarm.physics.single_particle import RelaxationTimes
from nanowarm.physics.two_level import Axes, loop_area, wells
from nanowarm.quantity import VACUUM_PERMEABILITY, Frequency

PHASES = {"random": 128, "aligned": 512}  # steps of half a period
_FIELDS = np.exp(np.arange(-12.0, 6.0, 0.04))  # of the table of areas
_BARRIERS = np.exp(np.arange(-5.0, 12.0, 0.04))
SMALLEST_AREA = 1e-300  # so that its logarithm exists
AT_ONCE = 512  # entries of the table that are computed together
SUPERPARAMAGNETIC = 0.7  # kappa from which the two wells are no longer told apart during a loop


class Areas:
    """Table of loop areas over field and barrier for one attempt frequency, filled where it is asked for.

    Its steps are those of the logarithms of both: between its entries the area is a power of each.

    Args:
        axes: directions of the easy axes.
        attempts: attempts per period of the field; where negative, minus the attempt time over the period, from
            which the attempts follow such that both wells relax in the Néel time without a field.
    """

    def __init__(self, axes: Axes, attempts: float) -> None:
        self.wells = wells(axes)
        self.phases = PHASES[axes]
        self.attempts = attempts
        self.logarithms = np.full((len(_FIELDS), len(_BARRIERS)), np.nan)

    def __call__(self, field: Array, barrier: Array) -> Array:
        """Areas in mu0 Ms HK at fields and barriers whose neighbours were `prepared`, same shape; zero without a field."""
        inside = np.clip(field, _FIELDS[0], _FIELDS[-1])
        row, along = _places(inside, _FIELDS)
        column, across = _places(barrier, _BARRIERS)
        known = self.logarithms
        low = known[row, column] * (1.0 - across) + known[row, column + 1] * across
        high = known[row + 1, column] * (1.0 - across) + known[row + 1, column + 1] * across
        return np.exp(low * (1.0 - along) + high * along) * np.minimum(field / inside, 1.0) ** 2

    def prepare(self, fields: Array, barriers: Array) -> None:
        """Compute what is not known yet around pairs of fields and barriers that broadcast."""
        row, _ = _places(fields, _FIELDS)
        column, _ = _places(barriers, _BARRIERS)
        wanted = np.zeros(self.logarithms.shape, dtype=bool)
        for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
            wanted[row + i, column + j] = True
        rows, columns = np.nonzero(wanted & np.isnan(self.logarithms))
        for first in range(0, rows.size, AT_ONCE):
            some = rows[first : first + AT_ONCE], columns[first : first + AT_ONCE]
            barrier = _BARRIERS[some[1]]
            area = loop_area(self.wells, _FIELDS[some[0]], barrier, self._attempts(barrier), self.phases)
            self.logarithms[some] = np.log(np.maximum(area, SMALLEST_AREA))

    def _attempts(self, barrier: Array) -> Array:
        """Attempts per period at barriers K V / kB T."""
        if self.attempts > 0.0:
            return np.full(barrier.shape, self.attempts)
        return np.sqrt(barrier / math.pi) / -self.attempts  # half of `neel_rate`, without exp(-barrier)


def _places(values: Array, table: Array) -> tuple[NDArray[np.int64], Array]:
    """Entries of a logarithmic table below values, which are held at its ends, and the share of the way to the next."""
    step = math.log(table[1] / table[0])
    place = np.log(np.clip(values, table[0], table[-1]) / table[0]) / step
    index = np.minimum(place.astype(np.int64), table.size - 2)
    return index, place - index


@lru_cache(maxsize=32)
def areas(axes: Axes, attempts: float) -> Areas:
    """The one table for these easy axes and attempts; see `Areas`."""
    return Areas(axes, attempts)


class Hysteresis(SingleDomain):
    """Power of loops that are run through by moments which jump over the barrier of anisotropy, at any amplitude.

    Particles don't turn: coating and viscosity give the Brown time only, and a warning where it is short.

    Args:
        axes: whether the easy axes are random or aligned with the field.
        attempt_frequency: nu0 [Hz] of each well, constant; where not given, such that without a field both wells
            relax in the Néel time of `attempt_time`, 1 / (2 nu0 exp(-Gamma)).
    """

    separable: ClassVar[bool] = False
    size_step: ClassVar[float] = 0.03
    size_reach: ClassVar[float] = 5.0
    kind: Literal["hysteresis"]
    axes: Axes = "random"
    attempt_frequency: Frequency | None = None

    def power(self, amplitude: ArrayLike, frequency: float, temperature: ArrayLike) -> Array:
        """Specific power [W per kg iron] at peak amplitudes [A/m], a frequency [Hz] and temperatures [K]."""
        amplitude, temperature = np.broadcast_arrays(np.asarray(amplitude, dtype=float), np.asarray(temperature, dtype=float))
        field = amplitude * VACUUM_PERMEABILITY * self.saturation(temperature) / (2.0 * self.anisotropy)
        attempts = -self.attempt_time * frequency if self.attempt_frequency is None else self.attempt_frequency / frequency
        table = areas(self.axes, attempts)
        sizes, weights = self.sizes()
        table.prepare(field, self.barrier(sizes.reshape(-1, *(1,) * field.ndim), temperature))
        mean = sum(weight * table(field, self.barrier(size, temperature)) for size, weight in zip(sizes, weights, strict=True))
        absorbed = 2.0 * self.anisotropy * frequency * np.asarray(mean)  # [W/m3 of core]
        return np.minimum(self.power_factor * absorbed / self.iron_density, self.largest_power(amplitude, frequency, temperature))

    def relaxation_times(self, temperature: float) -> RelaxationTimes:
        """Relaxation times [s] of the median size at a temperature [K]; infinite where frozen."""
        times = super().relaxation_times(temperature)
        if self.attempt_frequency is None:
            return times
        exponent = float(self.barrier(self.diameter, temperature))
        neel = math.exp(exponent) / (2.0 * self.attempt_frequency) if exponent < 700.0 else math.inf
        return RelaxationTimes(neel, times.brown)

    def notes(self, amplitude: ArrayLike, frequency: float, temperature: ArrayLike) -> tuple[str, ...]:
        """Where the model is outside its validity, a line each."""
        notes = [self.low_barrier(temperature), self._out_of_kappa(amplitude, frequency, temperature)]
        hottest = float(np.asarray(temperature, dtype=float).max())
        times = self.relaxation_times(hottest)
        if (
            times.brown is not None
            and times.neel is not None
            and times.brown * 2.0 * math.pi * frequency < 1.0 < times.neel / times.brown
        ):
            notes.append(
                f"the carrier lets particles turn in {times.brown:.2g} s, faster than the field: this model holds them fast"
            )
        return tuple(note for note in notes if note)

    def kappa(self, amplitude: ArrayLike, frequency: float, temperature: ArrayLike) -> Array:
        """Temperature and sweep of the field in one number: 0 for Stoner and Wohlfarth, near 1 for no hysteresis.

        kappa = (kB T / K V) ln[kB T / (4 mu0 H Ms V f tau0)]. Source: Carrey et al. (2011), equation 23.
        """
        temperature = np.asarray(temperature, dtype=float)
        barrier = self.barrier(self.diameter, temperature)
        tau = self.attempt_time if self.attempt_frequency is None else 0.5 / self.attempt_frequency
        xi = self.field_energy(amplitude, temperature)
        return -np.log(4.0 * np.maximum(xi, 1e-300) * frequency * tau) / barrier

    def _out_of_kappa(self, amplitude: ArrayLike, frequency: float, temperature: ArrayLike) -> str | None:
        largest = float(np.asarray(amplitude, dtype=float).max())
        if largest <= 0.0:
            return None
        kappa = self.kappa(largest, frequency, temperature)
        if float(kappa.min()) < 0.0:
            return f"kappa is {float(kappa.min()):.2g}: the field sweeps faster than moments attempt to jump"
        if float(kappa.max()) <= SUPERPARAMAGNETIC:
            return None
        return f"kappa is {float(kappa.max()):.2g}: two-level hysteresis is meant for below {SUPERPARAMAGNETIC:g}"
