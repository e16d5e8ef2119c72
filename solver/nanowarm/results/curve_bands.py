"""What a weaker or stronger heating makes of the curves of a run: estimates of their bands, to first order.

Where particles heat and little is conducted, a place has the temperature T(W) once heat W was supplied, whatever its heat
capacity does on the way. Particles that heat f times as fast move it by T(f W) - T(W). Each temperature is passed f times
as fast, and what ice forms on the way is a fourfold integral over time: its extended volume goes with f^-4, if no nuclei
were there before. Exact without conduction and with a field that was on all the time.

Source: Schneider, Koeppl & Berger (1988), Int. Polym. Process. 2:151, for the extended volume.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanowarm.physics.doses import MINUTE, cem43
from nanowarm.quantity import ZERO_CELSIUS

Array = NDArray[np.float64]
Band = tuple[Array, Array]

BETWEEN = 9  # rates that are looked at: ice is most at a time for neither the slowest nor the fastest
WEAKEST = 0.1  # of the rate of heating: wider bands are cut off there
_LAST = 0.05  # part of the heat over which a curve is continued beyond its end
_ORDER = 4  # times that the extended volume of ice is integrated over time


@dataclass(frozen=True, eq=False)
class Heating:
    """How a body was heated by its particles, and how uncertain that is.

    Args:
        start: first row of heating.
        heat: supplied up to each row [J], shape (rows,).
        band: relative half-width of the rate of heating.
    """

    start: int
    heat: Array
    band: float

    def temperature(self, values: Array) -> Band:
        """Band of temperatures [degC], shape (rows,); not a number before heating begins."""
        own = self._moved(values, 1.0)
        return self._around(values + self._moved(values, factor) - own for factor in self._factors)

    def ice(self, values: Array) -> Band:
        """Band of ice fractions from 0 to 1, shape (rows,)."""
        volume = -np.log1p(-np.clip(values, 0.0, 1.0 - 1e-12))
        before, own = volume[self.start], -np.expm1(-self._moved(volume, 1.0))
        ends = []
        for factor in self._factors:
            grown = np.maximum(self._moved(volume, factor) - before, 0.0) / factor**_ORDER
            ends.append(np.clip(values - np.expm1(-before - grown) - own, 0.0, 1.0))
        return self._around(ends)

    def dose(self, values: Array, temperature: Array, time: Array) -> Band:
        """Band of a dose that follows from a curve of temperatures.

        Args:
            values: CEM43 [min], shape (rows,).
            temperature: [degC], shape (rows,).
            time: [s], shape (rows,).
        """
        own = _minutes(temperature, time)
        known = np.divide(values, own, out=np.ones_like(own), where=own > 0.0)
        ends = self.temperature(temperature)
        return self._around(_minutes(np.where(np.isfinite(end), end, temperature), time) * known for end in ends)

    def amount(self, values: Array) -> Band:
        """Band of what goes with the rate of heating itself, such as the heat, shape (rows,)."""
        rise = values - values[self.start]
        return self._around(values[self.start] + factor * rise for factor in self._factors)

    @property
    def _factors(self) -> list[float]:
        """Rates of heating relative to that of the run, from the slowest to the fastest."""
        ends = max(1.0 - self.band, WEAKEST), 1.0 + self.band
        return [1.0, *np.linspace(*ends, BETWEEN)]

    def _moved(self, values: Array, factor: float) -> Array:
        """A curve once another multiple of its heat was supplied, continued straight on beyond its end."""
        heat = np.maximum.accumulate(self.heat - self.heat[self.start])
        rows = np.flatnonzero(np.diff(heat, prepend=-1.0) > 0.0)
        rows = np.concatenate([[self.start], rows[rows > self.start]])
        known, wanted = heat[rows], factor * heat
        near = (1.0 - _LAST) * known[-1]
        slope = (values[rows[-1]] - np.interp(near, known, values[rows])) / max(known[-1] - near, 1e-300)
        found = np.interp(wanted, known, values[rows]) + slope * np.maximum(wanted - known[-1], 0.0)
        return np.asarray(found)

    def _around(self, curves: Iterable[Array]) -> Band:
        """The lowest and the highest of some curves at each time, from where heating begins."""
        every = np.stack(list(curves))
        before = np.arange(every.shape[1]) < self.start
        return np.where(before, np.nan, every.min(axis=0)), np.where(before, np.nan, every.max(axis=0))


def heating_of(field: Array | None, heat: Array | None, band: float) -> Heating | None:
    """How a run was heated; None where it was not, or that was not recorded.

    Args:
        field: amplitude in each row, shape (rows,).
        heat: supplied up to each row [J], shape (rows,).
        band: relative half-width of the rate of heating.
    """
    if field is None or heat is None or not (field > 0.0).any() or heat[-1] <= heat[0]:
        return None
    first = int(np.flatnonzero(field > 0.0)[0])
    return Heating(max(first - 1, 0), heat, band)


def _minutes(temperature: Array, time: Array) -> Array:
    """CEM43 [min] up to each row, of temperatures [degC] that run straight from row to row at times [s]."""
    kelvin = temperature + ZERO_CELSIUS
    per_minute = cem43(kelvin[:-1], kelvin[1:], MINUTE)
    return np.concatenate([[0.0], np.cumsum(per_minute * np.diff(time) / MINUTE)])
