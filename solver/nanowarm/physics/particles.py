"""Magnetic nanoparticles: power per mass of iron in an alternating field."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from nanowarm.model import Model
from nanowarm.physics.hysteresis import Hysteresis
from nanowarm.physics.measured_power import PowerLaw
from nanowarm.physics.power_tables import Table
from nanowarm.physics.relaxation import LinearResponse

AnySpecificPower = Annotated[PowerLaw | Table | LinearResponse | Hysteresis, Field(discriminator="kind")]


class Particle(Model):
    """A kind of nanoparticle and how it heats."""

    name: str
    group: Literal["particle"] = Field(alias="class")
    note: str | None = None
    specific_power: AnySpecificPower

    def recalibrated(self) -> Particle:
        """Itself: nothing of it follows from its other values."""
        return self
