"""Thermal damage: rates of Arrhenius, their integral over time, and the sets of the library."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field

from nanowarm.model import Model
from nanowarm.physics.curves import Array
from nanowarm.physics.doses import mean_rates
from nanowarm.physics.library import load_record, record_file, record_files
from nanowarm.physics.sourced import Sourced
from nanowarm.quantity import ZERO_CELSIUS, Dimension, Temperature

GAS_CONSTANT = 8.31446261815324  # [J/mol/K], CODATA 2022 (exact)
BODY = ZERO_CELSIUS + 37.0  # [K]
DAY = 86400.0  # [s]
ADVISED_CUT_OFF = ZERO_CELSIUS + 42.0  # [K]; at least this where a set kills at body temperature

_SILENT = math.log(1e-16)  # of a rate [1/s] that a year does not bring to 1e-8
_LARGEST = math.log(1e20)  # of a rate [1/s]; anything is dead at once, and files of single precision hold it
_NEGLIGIBLE = 40.0  # e-folds below the largest rate of a segment
_POINTS = ((0.1, 3), (2.0, 6), (10.0, 12), (math.inf, 24))  # Gauss-Legendre points up to so many e-folds: 1e-10 or better

_FREQUENCY_FACTOR = Dimension("1/s", "3.1e98 1/s", 0.0, positive=True, most=1e300)
_ACTIVATION_ENERGY = Dimension("J/mol", "6.28e5 J/mol", 0.0, positive=True, most=1e8)
FrequencyFactor = Annotated[float, *_FREQUENCY_FACTOR.annotation()]
ActivationEnergy = Annotated[float, *_ACTIVATION_ENERGY.annotation()]


@cache
def _quadrature_rule(points: int) -> tuple[tuple[float, float], ...]:
    """Places and weights of Gauss and Legendre for the mean over 0 to 1."""
    places, weights = np.polynomial.legendre.leggauss(points)
    return tuple(zip((0.5 + 0.5 * places).tolist(), (0.5 * weights).tolist(), strict=True))


@dataclass(frozen=True)
class RateRange:
    """A rate A exp(-E / R T) in a range of temperature, and none outside.

    Args:
        frequency_factor: A [1/s].
        activation_energy: E [J/mol].
        above: [K]; the range is what is hotter than this,
        up_to: [K]; and not hotter than this.
    """

    frequency_factor: float
    activation_energy: float
    above: float = 0.0
    up_to: float = math.inf

    @cached_property
    def _steepness(self) -> float:
        """E / R [K]."""
        return self.activation_energy / GAS_CONSTANT

    @cached_property
    def _coldest(self) -> float:
        """Temperature [K] below which the rate is no rate."""
        silent = math.log(self.frequency_factor) - _SILENT
        return max(self.above, self._steepness / silent) if silent > 0.0 else math.inf

    def rate(self, temperature: ArrayLike) -> Array:
        """Damage per time [1/s] at temperatures [K], same shape."""
        at = np.asarray(temperature, dtype=float)
        inside = (at > self.above) & (at <= self.up_to)
        exponent = math.log(self.frequency_factor) - self._steepness / np.where(inside, at, 1.0)
        return np.where(inside, np.exp(np.minimum(exponent, _LARGEST)), 0.0)

    def mean_rate(self, start: Array, end: Array) -> Array:
        """Mean rate [1/s] over segments in which temperature [K] runs linearly from start to end, shape (nodes,)."""
        low, high = np.minimum(start, end), np.maximum(start, end)
        spread = high - low
        top, bottom = np.clip(high, self.above, self.up_to), np.clip(low, self.above, self.up_to)
        bottom = np.maximum(bottom, 1.0 / (1.0 / top + _NEGLIGIBLE / self._steepness))
        inside = (low > self.above) & (low <= self.up_to)
        part = np.divide(top - bottom, spread, out=inside.astype(float), where=spread > 0.0)
        folds = self._steepness * (1.0 / bottom - 1.0 / top)
        mean, fewer = np.full(low.shape, np.nan), -math.inf  # a temperature that is not a number stays visible
        for most, points in _POINTS:
            some = (folds > fewer) & (folds <= most)
            if some.any():
                mean[some] = self._quadrature(bottom[some], top[some], points)
            fewer = most
        return part * mean

    def _quadrature(self, low: Array, high: Array, points: int) -> Array:
        """Mean rate [1/s] between temperatures of this range."""
        total = np.zeros(low.shape)
        for place, weight in _quadrature_rule(points):
            exponent = math.log(self.frequency_factor) - self._steepness / (low + place * (high - low))
            total += weight * np.exp(np.minimum(exponent, _LARGEST))
        return total

    def damage(self, start: Array, end: Array, duration: float) -> Array:
        """Damage of segments within the range; see `Arrhenius.damage`."""
        live = ~((start < self._coldest) & (end < self._coldest)) & ~((start > self.up_to) & (end > self.up_to))
        return duration * mean_rates(self.mean_rate, start, end, live)


@dataclass(frozen=True)
class Arrhenius:
    """Damage that grows by rates of Arrhenius: Omega = integral of A exp(-E / R T) over time.

    Args:
        ranges: from cold to hot, without overlap.

    Source: Henriques (1947), Arch. Pathol. 43:489.
    """

    ranges: tuple[RateRange, ...]

    def rate(self, temperature: ArrayLike) -> Array:
        """Damage per time [1/s] at temperatures [K], same shape."""
        return np.asarray(sum((part.rate(temperature) for part in self.ranges), np.zeros(np.shape(temperature))))

    def damage(self, start: ArrayLike, end: ArrayLike, duration: float) -> Array:
        """Damage Omega [-] of nodes whose temperature runs linearly from start to end, to 1e-9 of its value.

        Args:
            start, end: temperatures [K], shape (nodes,).
            duration: [s].
        """
        here, there = np.broadcast_arrays(np.asarray(start, dtype=float), np.asarray(end, dtype=float))
        return np.asarray(sum((part.damage(here, there, duration) for part in self.ranges), np.zeros(here.shape)))

    def temperature_for(self, duration: float, omega: float = 1.0) -> float:
        """Lowest constant temperature [K] that brings the damage to `omega` within a duration [s]; infinite if none does."""
        for part in self.ranges:
            folds = math.log(part.frequency_factor) + math.log(duration / omega)
            at = part.activation_energy / (GAS_CONSTANT * folds) if folds > 0.0 else math.inf
            if at <= part.up_to:
                return max(at, part.above)
        return math.inf


def fraction(omega: ArrayLike) -> Array:
    """Damaged fraction of the tissue, 1 - exp(-Omega): 63 % at 1."""
    return np.asarray(-np.expm1(-np.asarray(omega, dtype=float)))


class Rates(Model):
    """Parameters of one rate.

    Args:
        frequency_factor: A [1/s].
        activation_energy: E [J/mol].
    """

    frequency_factor: FrequencyFactor
    activation_energy: ActivationEnergy


class HotterRates(Rates):
    """Parameters that hold above a temperature.

    Args:
        above: [K].
    """

    above: Temperature


class SourcedRates(Rates, Sourced):
    """Parameters of the library, with a second rate where one does not do.

    Args:
        hotter: replaces the first rate above its temperature.
    """

    hotter: HotterRates | None = None


class DamageSet(Model):
    """A published set of parameters.

    Args:
        name: of its file.
        group: `damage`.
        note: what it was found on.
        warning: what a user must be told who takes it without a cut-off; see `caution`.
        process: its rates.
    """

    name: str
    group: Literal["damage"] = Field(alias="class")
    note: str | None = None
    warning: str | None = None
    process: SourcedRates

    def arrhenius(self, cut_off: float = 0.0) -> Arrhenius:
        """The process, with nothing counted below a cut-off temperature [K]."""
        given, hotter = self.process, self.process.hotter
        least = math.nextafter(cut_off, 0.0)  # the cut-off itself counts
        first = RateRange(given.frequency_factor, given.activation_energy, least, hotter.above if hotter else math.inf)
        if hotter is None:
            return Arrhenius((first,))
        second = RateRange(hotter.frequency_factor, hotter.activation_energy, max(hotter.above, least))
        return Arrhenius((first, second) if least < hotter.above else (second,))

    def caution(self, cut_off: float = 0.0) -> str | None:
        """What to tell of a set that kills tissue at body temperature within a day, if the cut-off is below 42 degC."""
        hours = DAY / 3600.0 / max(float(self.arrhenius().rate(BODY)) * DAY, 1e-300)
        if cut_off >= ADVISED_CUT_OFF or hours > 24.0:
            return None
        return self.warning or f"this set kills tissue at 37 degC within {hours:.2g} h: give a cut-off of 42 to 43 degC"


def damage_files() -> dict[str, Path]:
    """Files of the library's damage sets by name."""
    return record_files("damage")


def damage_file(name: str, folder: Path) -> Path:
    """File of a damage set, by library name or by a path that counts from a folder.

    Raises:
        ValueError: there is none.
    """
    return record_file("damage set", damage_files(), name, folder)


def load_damage(file: Path) -> DamageSet:
    """The damage set that a file describes.

    Raises:
        ValueError: with every fault of the file.
    """
    return load_record(file, DamageSet, "damage", "damage set")


def damage_set(name: str, folder: Path | None = None) -> DamageSet:
    """A damage set of the library, or of a user's file whose path counts from a folder.

    Raises:
        ValueError: there is none, or its file has faults.
    """
    return load_damage(damage_file(name, folder or Path()))


def damage_sets() -> Mapping[str, DamageSet]:
    """All damage sets of the library by name."""
    return {name: load_damage(file) for name, file in damage_files().items()}
