"""Specific power measured at one field and frequency."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field

from nanowarm.physics.curves import Array, Curve, constant
from nanowarm.physics.single_particle import (
    MAGNETITE_DENSITY,
    MAGNETITE_IRON,
    MAGNETITE_SATURATION,
    Heating,
    square_loop_power,
)
from nanowarm.quantity import Frequency, ReferenceField, SpecificPower

FARTHEST = 3.0  # times the field or frequency of a measurement to which its power laws are carried without a warning
ROUNDING = 1e-9  # relative

Exponent = Annotated[float, Field(ge=0.0)]


class Measured(Heating):
    """Specific power known at some fields and frequencies, and carried to others by power laws.

    The exponents 2 and 1 are those of linear response far from its resonance.

    Args:
        field_exponent: of amplitude over that of the measurement.
        frequency_exponent: of frequency over that of the measurement.
    """

    field_exponent: Exponent = 2.0
    frequency_exponent: Exponent = 1.0

    def above_ceiling(self, power: Array, amplitude: ArrayLike, frequency: float) -> str | None:
        """A warning where a power [W per kg iron] is cut at its ceiling, or above that of magnetite where it has none."""
        if self.saturation_magnetization is not None:
            cut = bool(np.any(power > self.ceiling(amplitude, frequency) * (1.0 + ROUNDING)))
            return "cut to that of a square loop, 4 mu0 Ms H f / rho" if cut else None
        magnetite = square_loop_power(MAGNETITE_SATURATION, amplitude, frequency) / (MAGNETITE_DENSITY * MAGNETITE_IRON)
        above = bool(np.any(power > magnetite))
        return "more than a square loop of bulk magnetite, 4 mu0 Ms H f / rho, can give" if above else None


class PowerLaw(Measured):
    """One measured value, the same at every temperature.

    Args:
        value: specific power [W per kg iron] of the measurement.
        at_field: peak amplitude [A/m] of the measurement.
        at_frequency: frequency [Hz] of the measurement.
    """

    separable: ClassVar[bool] = True
    kind: Literal["power law"]
    value: SpecificPower
    at_field: ReferenceField
    at_frequency: Frequency

    def scaled(self, factor: float) -> Self:
        """The same with `factor` times the power, under the same ceiling."""
        return self.model_copy(update={"value": self.value * factor})

    def field_factor(self, amplitude: ArrayLike, frequency: float) -> Any:
        """Power at fields [A/m], same shape, and a frequency [Hz] over that of the measurement; 0 without a field."""
        factor = self._uncut(amplitude, frequency)
        most = self.ceiling(amplitude, frequency) / self.value if self.value > 0.0 else np.inf
        return plain(np.minimum(factor, most))

    def _uncut(self, amplitude: ArrayLike, frequency: float) -> Array:
        law = PowerLawFactor(self.at_field, self.at_frequency, self.field_exponent, self.frequency_exponent)
        return law(amplitude, frequency)

    def reference_power(self) -> Curve:
        """Specific power [W per kg iron] over temperature [K] in the field of the measurement."""
        return constant(self.value)

    def power(self, amplitude: ArrayLike, frequency: float, temperature: ArrayLike) -> Array:
        """Specific power [W per kg iron] at peak amplitudes [A/m], a frequency [Hz] and temperatures [K]."""
        return np.asarray(self.value * self.field_factor(amplitude, frequency) + np.zeros(np.shape(temperature)))

    def measurements(self) -> list[dict[str, float]]:
        """The measured point, if it is one."""
        point = {"field": self.at_field, "frequency": self.at_frequency, "power": self.value}
        return [] if self.quality == "estimate" else [point]

    def notes(self, amplitude: ArrayLike, frequency: float, temperature: ArrayLike) -> tuple[str, ...]:
        """Where the value is carried far from its measurement, a line each."""
        measured = (self.at_field, self.at_frequency)
        notes = [carried_far(amplitude, frequency, measured)]
        notes.append(self.above_ceiling(self.value * self._uncut(amplitude, frequency), amplitude, frequency))
        return tuple(note for note in notes if note)


class PowerLawFactor:
    """Power at a field and frequency over that of a measurement.

    Args:
        field: [A/m] of the measurement.
        frequency: [Hz] of the measurement.
        field_exponent: of amplitude / field.
        frequency_exponent: of frequency / frequency of the measurement.
    """

    def __init__(self, field: ArrayLike, frequency: float, field_exponent: float, frequency_exponent: float) -> None:
        self.field, self.frequency = np.asarray(field, dtype=float), frequency
        self.exponents = field_exponent, frequency_exponent

    def __call__(self, amplitude: ArrayLike, frequency: float) -> Array:
        """The factor at fields [A/m], same shape, and a frequency [Hz]; 0 without a field."""
        amplitude = np.asarray(amplitude, dtype=float)
        ratio = np.divide(amplitude, self.field, out=np.ones(np.broadcast(amplitude, self.field).shape), where=self.field > 0.0)
        factor = np.maximum(ratio, 0.0) ** self.exponents[0] * (frequency / self.frequency) ** self.exponents[1]
        return np.where(amplitude <= 0.0, 0.0, factor)


def plain(value: Array) -> Any:
    """A number for an array of no dimension."""
    return float(value) if value.ndim == 0 else value


def carried_far(amplitude: ArrayLike, frequency: float, measured: tuple[float, float]) -> str | None:
    """A warning where a single measurement is carried far."""
    fields = np.asarray(amplitude, dtype=float)
    ratios = np.append(fields[fields > 0.0] / measured[0], frequency / measured[1])
    if max(float(ratios.max()), 1.0 / float(ratios.min())) <= FARTHEST:
        return None
    return f"measured at {measured[0] / 1e3:g} kA/m and {measured[1] / 1e3:g} kHz: carried far from there by its exponents"
