"""What happens at the outer surfaces: heat that flows in, or a temperature that is held."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from nanowarm import quantity
from nanowarm.model import Model
from nanowarm.physics.curves import Array
from nanowarm.physics.schedules import Schedule, schedule_of

STEFAN_BOLTZMANN = 5.670374419e-8  # [W/m2/K4], CODATA 2022

TemperatureSchedule = Annotated[Schedule, *schedule_of(quantity.TEMPERATURE)]
CoefficientSchedule = Annotated[Schedule, *schedule_of(quantity.HEAT_TRANSFER_COEFFICIENT)]
FluxSchedule = Annotated[Schedule, *schedule_of(quantity.HEAT_FLUX)]
Emissivity = Annotated[float, Field(ge=0.0, le=1.0)]


class Boundary(Model):
    """A condition on one outer surface. By itself it lets nothing through."""

    def held(self) -> Schedule | None:
        """The temperature [K] that the surface is held at, if it is."""
        return None

    def inflow(self, temperature: Array, time: float, stage_start: float) -> Array:
        """Heat flowing in [W/m2] at nodes of a temperature [K], shape (nodes,)."""
        return np.zeros_like(temperature)

    def stiffness(self, temperature: Array, time: float, stage_start: float) -> Array:
        """How fast the inflow falls with the temperature [W/m2/K], shape (nodes,)."""
        return np.zeros_like(temperature)

    def schedules(self) -> tuple[Schedule, ...]:
        """The values that may change in time."""
        return ()


class Insulated(Boundary):
    """A surface that no heat crosses."""

    kind: Literal["insulated"]


class Convection(Boundary):
    """Newton's law of cooling: inflow = coefficient (ambient - T).

    Args:
        coefficient: heat transfer coefficient [W/m2/K].
        ambient: temperature of the surroundings [K].
    """

    kind: Literal["convection"]
    coefficient: CoefficientSchedule
    ambient: TemperatureSchedule

    def inflow(self, temperature: Array, time: float, stage_start: float) -> Array:
        """Heat flowing in [W/m2]."""
        ambient = self.ambient.value(time, stage_start)
        return np.asarray(self.coefficient.value(time, stage_start) * (ambient - temperature))

    def stiffness(self, temperature: Array, time: float, stage_start: float) -> Array:
        """The coefficient [W/m2/K], the same at every node."""
        return np.full_like(temperature, self.coefficient.value(time, stage_start))

    def schedules(self) -> tuple[Schedule, ...]:
        """Coefficient and ambient temperature."""
        return self.coefficient, self.ambient


class HeatFlux(Boundary):
    """A given heat flux.

    Args:
        value: the flux [W/m2], positive inward.
    """

    kind: Literal["heat flux"]
    value: FluxSchedule

    def inflow(self, temperature: Array, time: float, stage_start: float) -> Array:
        """Heat flowing in [W/m2]."""
        return np.full_like(temperature, self.value.value(time, stage_start))

    def schedules(self) -> tuple[Schedule, ...]:
        """The flux."""
        return (self.value,)


class Radiation(Boundary):
    """Exchange of a grey surface with large surroundings: emissivity sigma (ambient^4 - T^4).

    Args:
        emissivity: of the surface, from 0 to 1.
        ambient: temperature of the surroundings [K].
    """

    kind: Literal["radiation"]
    emissivity: Emissivity
    ambient: TemperatureSchedule

    def inflow(self, temperature: Array, time: float, stage_start: float) -> Array:
        """Heat flowing in [W/m2]."""
        ambient = self.ambient.value(time, stage_start)
        return np.asarray(self.emissivity * STEFAN_BOLTZMANN * (ambient**4 - temperature**4))

    def stiffness(self, temperature: Array, time: float, stage_start: float) -> Array:
        """4 emissivity sigma T^3 [W/m2/K]."""
        return np.asarray(4.0 * self.emissivity * STEFAN_BOLTZMANN * np.abs(temperature) ** 3)

    def schedules(self) -> tuple[Schedule, ...]:
        """The ambient temperature."""
        return (self.ambient,)


class FixedTemperature(Boundary):
    """A surface held at a given temperature.

    Args:
        value: the temperature [K].
    """

    kind: Literal["fixed temperature"]
    value: TemperatureSchedule

    def held(self) -> Schedule | None:
        """The held temperature [K]."""
        return self.value

    def schedules(self) -> tuple[Schedule, ...]:
        """The held temperature."""
        return (self.value,)


AnyBoundary = Annotated[Convection | FixedTemperature | HeatFlux | Insulated | Radiation, Field(discriminator="kind")]
