"""Magnetic nanoparticles: power per mass of iron in an alternating field."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from nanowarm.model import Model
from nanowarm.physics.curves import Curve, constant
from nanowarm.physics.materials import Sourced
from nanowarm.quantity import Frequency, ReferenceField, SpecificPower, Temperature


class Measured(Sourced):
    """Specific power known at one field and frequency, carried to others by power laws.

    The exponents 2 and 1 are those of linear response far from its resonance.

    Args:
        at_field: peak amplitude [A/m] of the measurement.
        at_frequency: frequency [Hz] of the measurement.
        field_exponent: of amplitude / at_field.
        frequency_exponent: of frequency / at_frequency.
    """

    at_field: ReferenceField
    at_frequency: Frequency
    field_exponent: Annotated[float, Field(ge=0.0)] = 2.0
    frequency_exponent: Annotated[float, Field(ge=0.0)] = 1.0

    def field_factor(self, amplitude: float, frequency: float) -> float:
        """Power at a field [A/m] and frequency [Hz] over that of the measurement; 0 without a field."""
        if amplitude <= 0.0:
            return 0.0
        field = (amplitude / self.at_field) ** self.field_exponent
        return float(field * (frequency / self.at_frequency) ** self.frequency_exponent)


class PowerLaw(Measured):
    """One measured value, the same at every temperature.

    Args:
        value: specific power [W per kg iron] of the measurement.
    """

    kind: Literal["power law"]
    value: SpecificPower

    def reference_power(self) -> Curve:
        """Specific power [W per kg iron] over temperature [K] in the field of the measurement."""
        return constant(self.value)


class Table(Measured):
    """Values measured over temperature: linear between them, constant outside.

    Args:
        at: temperatures [K], increasing.
        values: specific power [W per kg iron] at these temperatures.
    """

    kind: Literal["table"]
    at: Annotated[tuple[Temperature, ...], Field(min_length=1)]
    values: tuple[SpecificPower, ...]

    @model_validator(mode="after")
    def _matches(self) -> Table:
        if len(self.at) != len(self.values):
            raise ValueError(f"`at` has {len(self.at)} temperatures and `values` {len(self.values)} values: give as many")
        if any(high <= low for low, high in zip(self.at, self.at[1:], strict=False)):
            raise ValueError("the temperatures of `at` must increase strictly")
        return self

    def reference_power(self) -> Curve:
        """Specific power [W per kg iron] over temperature [K] in the field of the measurement."""
        return Curve(np.array(self.at), np.array(self.values))


AnySpecificPower = Annotated[PowerLaw | Table, Field(discriminator="kind")]


class Particle(Model):
    """A kind of nanoparticle and how it heats."""

    name: str
    group: Literal["particle"] = Field(alias="class")
    note: str | None = None
    specific_power: AnySpecificPower
