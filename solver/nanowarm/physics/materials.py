"""Materials of the library or of a user's file, and the media that the heat equation sees."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal, TypeVar

import numpy as np
from pydantic import Field, model_validator

from nanowarm.model import Model, check_table
from nanowarm.physics.blood_flow import PerfusionRate, Supply
from nanowarm.physics.curves import Array, Curve, constant, weighted_sum
from nanowarm.quantity import (
    Conductivity,
    Density,
    ElectricalConductivity,
    SpecificHeat,
    Temperature,
    TemperatureDifference,
    TemperatureRate,
    VolumetricPower,
)

Quality = Literal["measured", "derived", "estimate"]
Quantity = TypeVar("Quantity")


class Sourced(Model):
    """A value that says where it comes from and how far it can be trusted.

    Args:
        source: citation key of `citations.bib`, or text.
        quality: measured, derived from measured values, or an estimate.
        spread: scatter of the value, as text ("5 %", "50 to 55 degC/min").
        note: what a user should know before trusting it.
    """

    source: str
    quality: Quality
    spread: str | None = None
    note: str | None = None


class Value[Quantity](Sourced):
    """One number."""

    value: Quantity


class Property[Quantity](Sourced):
    """A constant, or a table over temperature: linear between its points, constant outside.

    Args:
        value: the constant.
        at: temperatures [K], increasing.
        values: values [SI] at these temperatures.
    """

    value: Quantity | None = None
    at: tuple[Temperature, ...] = ()
    values: tuple[Quantity, ...] = ()

    @model_validator(mode="after")
    def _is_complete(self) -> Property[Quantity]:
        if (self.value is None) == (not self.at):
            raise ValueError("give either `value`, or `at` and `values`")
        check_table(self.at, self.values, "temperatures")
        return self

    def curve(self) -> Curve:
        """The property as a function of temperature [K]."""
        if self.value is not None:
            return constant(float(self.value))  # type: ignore[arg-type]
        return Curve(np.array(self.at), np.array(self.values, dtype=float))


class Window(Sourced):
    """The range of temperature in which a rate is judged.

    Args:
        values: its two ends [K].
    """

    values: tuple[Temperature, Temperature]

    @model_validator(mode="after")
    def _has_width(self) -> Window:
        if self.values[0] == self.values[1]:
            raise ValueError("the two temperatures of the window must differ")
        return self


class Material(Model):
    """Everything known of a cryoprotectant, tissue or container.

    Density is that of the reference state: mass does not move, so the volumetric heat capacity is
    density times specific heat at every temperature.
    """

    name: str
    group: Literal["cryoprotectant", "tissue", "container", "solution", "other"] = Field(alias="class")
    note: str | None = None
    density: Value[Density]
    specific_heat: Property[SpecificHeat]
    conductivity: Property[Conductivity]
    glass_transition: Value[Temperature] | None = None
    melting: Value[Temperature] | None = None
    critical_cooling_rate: Value[TemperatureRate] | None = None
    critical_warming_rate: Value[TemperatureRate] | None = None
    warming_window: Window | None = None
    glass_temperature_difference: Value[TemperatureDifference] | None = None
    electrical_conductivity: Value[ElectricalConductivity] | None = None
    perfusion: Value[PerfusionRate] | None = None
    metabolism: Value[VolumetricPower] | None = None
    water_fraction: Value[Annotated[float, Field(ge=0.0, le=1.0)]] | None = None

    def medium(self) -> Medium:
        """The material as the heat equation sees it."""
        density, heat = self.density.value, self.specific_heat.curve()
        window = self.warming_window
        return Medium(
            name=self.name,
            capacity=Curve(heat.at, density * heat.values),
            conductivity=self.conductivity.curve(),
            constituents={self.name: 1.0},
            critical_warming_rate=self.critical_warming_rate.value if self.critical_warming_rate else None,
            critical_cooling_rate=self.critical_cooling_rate.value if self.critical_cooling_rate else None,
            window=(min(window.values), max(window.values)) if window else None,
            electrical_conductivity=self.electrical_conductivity.value if self.electrical_conductivity else None,
            density=density,
            supplies=(Supply(1.0, density, self.perfusion.value),) if self.perfusion else (),
            metabolism=self.metabolism.value if self.metabolism else None,
        )


@dataclass(frozen=True, eq=False)
class Medium:
    """A material or a mixture, as pointwise functions of temperature [K].

    Args:
        name: what it is called in messages.
        capacity: volumetric heat capacity [J/m3/K].
        conductivity: [W/m/K].
        constituents: volume fraction of each material.
        critical_warming_rate: [K/s], None where not known.
        critical_cooling_rate: [K/s], None where not known.
        window: coldest and warmest temperature [K] between which rates are judged.
        electrical_conductivity: [S/m], None where not known.
        density: of the reference state [kg/m3], not a number where not known.
        supplies: blood flow of the constituents in a living body, none where not known.
        metabolism: heat of a living body's metabolism [W/m3], None where not known.
    """

    name: str
    capacity: Curve
    conductivity: Curve
    constituents: Mapping[str, float] = field(default_factory=dict)
    critical_warming_rate: float | None = None
    critical_cooling_rate: float | None = None
    window: tuple[float, float] | None = None
    electrical_conductivity: float | None = None
    density: float = math.nan
    supplies: tuple[Supply, ...] = ()
    metabolism: float | None = None

    def blood_volume_rate(self, blood_density: float) -> float | None:
        """Volume of blood per volume and time [1/s] in a living body, for blood of a density [kg/m3]; None where not known."""
        flows = [supply.share * supply.flow.blood_volume_rate(supply.density, blood_density) for supply in self.supplies]
        return sum(flows) if flows else None

    def critical_rate(self, direction: int) -> float | None:
        """Critical warming (1) or cooling (-1) rate [K/s]."""
        return self.critical_warming_rate if direction > 0 else self.critical_cooling_rate

    def enthalpy(self, temperature: Array | float) -> Array:
        """Enthalpy density [J/m3], zero at the first knot of the capacity."""
        return self.capacity.integral(temperature)

    def temperature(self, enthalpy: Array | float) -> Array:
        """Temperature [K] at an enthalpy density [J/m3]."""
        return self.capacity.inverse_integral(enthalpy)

    def conductivity_potential(self, temperature: Array | float) -> Array:
        """Integral of the conductivity over temperature [W/m]."""
        return self.conductivity.integral(temperature)

    def conductivity_at_most(self, temperature: Array, reach: float) -> Array:
        """Largest conductivity [W/m/K] within `reach` [K] of a temperature."""
        return self.conductivity.extreme_within(temperature, reach, 1)

    def capacity_at_least(self, temperature: Array, reach: float) -> Array:
        """Smallest volumetric heat capacity [J/m3/K] within `reach` [K] of a temperature."""
        return self.capacity.extreme_within(temperature, reach, -1)


def mixture(fractions: Mapping[str, float], materials: Mapping[str, Material]) -> Medium:
    """Medium of several materials by volume fraction.

    Heat capacities add by volume; so do conductivities (the parallel model of Choi & Okos 1986, an upper bound).
    Critical rates, transitions and window are those of its one cryoprotectant at full strength, an estimate
    for a fully equilibrated organ. Electrical conductivity, perfusion and metabolism add by volume where all
    materials have them.
    """
    media = {name: material.medium() for name, material in materials.items()}
    weights = [fractions[name] for name in media]
    supplies = [
        replace(supply, share=weight * supply.share)
        for weight, medium in zip(weights, media.values(), strict=True)
        for supply in medium.supplies
    ]
    protectants = [media[name] for name, material in materials.items() if material.group == "cryoprotectant"]
    critical = protectants[0] if len(protectants) == 1 else Medium("none", constant(1.0), constant(1.0))
    return Medium(
        name=" + ".join(f"{weight:g} {name}" for name, weight in zip(media, weights, strict=True)),
        capacity=weighted_sum(weights, [medium.capacity for medium in media.values()]),
        conductivity=weighted_sum(weights, [medium.conductivity for medium in media.values()]),
        constituents=dict(fractions),
        critical_warming_rate=critical.critical_warming_rate,
        critical_cooling_rate=critical.critical_cooling_rate,
        window=critical.window,
        electrical_conductivity=_sum_of_known(weights, [medium.electrical_conductivity for medium in media.values()]),
        density=sum(weight * medium.density for weight, medium in zip(weights, media.values(), strict=True)),
        supplies=tuple(supplies) if all(medium.supplies for medium in media.values()) else (),
        metabolism=_sum_of_known(weights, [medium.metabolism for medium in media.values()]),
    )


def _sum_of_known(weights: Sequence[float], values: Sequence[float | None]) -> float | None:
    """Sum of values, each times its weight; None where one of them is not known."""
    known = [value for value in values if value is not None]
    return sum(w * value for w, value in zip(weights, known, strict=True)) if len(known) == len(values) else None
