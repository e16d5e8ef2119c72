"""Materials of the library or of a user's file, and the media that the heat equation sees."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from pydantic import Field, model_validator

from nanowarm.model import Model
from nanowarm.physics.blood_flow import PerfusionRate, Supply
from nanowarm.physics.curves import Array, Curve, weighted_sum
from nanowarm.physics.freezing import Freezing, Solution, freezing_of
from nanowarm.physics.ice import AnyIce, IceKinetics
from nanowarm.physics.mechanics import GlassViscosity, Mechanics
from nanowarm.physics.sourced import Point, Property, Value, Window
from nanowarm.quantity import (
    Conductivity,
    Density,
    ElectricalConductivity,
    Expansion,
    Pressure,
    SpecificHeat,
    TemperatureDifference,
    TemperatureRate,
    VolumetricPower,
)

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]


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
    glass_transition: Point | None = None
    melting: Point | None = None
    critical_cooling_rate: Value[TemperatureRate] | None = None
    critical_warming_rate: Value[TemperatureRate] | None = None
    warming_window: Window | None = None
    glass_temperature_difference: Value[TemperatureDifference] | None = None
    electrical_conductivity: Value[ElectricalConductivity] | None = None
    perfusion: Value[PerfusionRate] | None = None
    metabolism: Value[VolumetricPower] | None = None
    water_fraction: Value[Fraction] | None = None
    concentrated_fraction: Value[Fraction] | None = None
    cooling_window: Window | None = None
    ice: AnyIce | None = None
    expansion: Property[Expansion] | None = None
    youngs_modulus: Value[Pressure] | None = None
    poissons_ratio: Value[Annotated[float, Field(ge=0.0, lt=0.5)]] | None = None
    tensile_strength: Value[Pressure] | None = None
    viscosity: GlassViscosity | None = None
    set_temperature: Point | None = None

    @model_validator(mode="after")
    def _can_freeze(self) -> Material:
        if self.glass_transition and self.melting and self.glass_transition.value >= self.melting.value:
            raise ValueError("`glass_transition` must lie below `melting`")
        if self.ice is not None:
            needed = ("glass_transition", "melting", "water_fraction", "concentrated_fraction")
            missing = [name for name in needed if name not in self.model_fields_set]
            if missing:
                raise ValueError(f"`ice` needs {', '.join(missing)}: add it")
            self.ice.check(self.melting.value, self.glass_transition.value)  # type: ignore[union-attr]
        if self.water_fraction and self.concentrated_fraction:
            solute = 1.0 - self.water_fraction.value
            if not 0.0 < solute < self.concentrated_fraction.value:
                raise ValueError(
                    f"its solute, 1 - water_fraction = {solute:g}, must be above 0 and below `concentrated_fraction`: "
                    "freezing concentrates it"
                )
        return self

    def recalibrated(self) -> Material:
        """The same with ice kinetics that give its two critical rates; itself where it has no ice, or not both rates.

        Raises:
            ValueError: no kinetics fit.
        """
        if not (self.ice and self.melting and self.glass_transition):
            return self
        if not (self.critical_cooling_rate and self.critical_warming_rate):
            return self
        rates = self.critical_cooling_rate.value, self.critical_warming_rate.value
        ice = self.ice.recalibrated(rates, self.melting.value, self.glass_transition.value)
        return self.model_copy(update={"ice": ice})

    def medium(self) -> Medium:
        """The material as the heat equation sees it."""
        density, heat = self.density.value, self.specific_heat.curve()
        capacity, conductivity = Curve(heat.at, density * heat.values), self.conductivity.curve()
        return Medium(
            name=self.name,
            capacity=capacity,
            conductivity=conductivity,
            constituents={self.name: 1.0},
            critical_warming_rate=_number(self.critical_warming_rate),
            critical_cooling_rate=_number(self.critical_cooling_rate),
            window=_ends(self.warming_window),
            electrical_conductivity=_number(self.electrical_conductivity),
            density=density,
            supplies=(Supply(1.0, density, self.perfusion.value),) if self.perfusion else (),
            metabolism=_number(self.metabolism),
            cooling_window=_ends(self.cooling_window),
            glass_transition=_number(self.glass_transition),
            melting=_number(self.melting),
            glass_difference=_number(self.glass_temperature_difference),
            freezing=self.freezing(1.0, capacity, conductivity),
            kinetics=self.kinetics(),
            mechanics=self.mechanics(),
        )

    def freezing(self, share: float, capacity: Curve, conductivity: Curve) -> Freezing | None:
        """What ice does to a medium that is this solution to some share of its volume; None where not known.

        Args:
            share: by volume.
            capacity: of the medium without ice [J/m3/K].
            conductivity: of the medium without ice [W/m/K].
        """
        if not (self.ice and self.melting and self.glass_transition and self.water_fraction and self.concentrated_fraction):
            return None
        solute = 1.0 - self.water_fraction.value
        ends = self.melting.value, self.glass_transition.value
        solution = Solution(*ends, solute, self.concentrated_fraction.value, share * self.density.value)
        return freezing_of(solution, capacity, conductivity)

    def kinetics(self) -> IceKinetics | None:
        """How fast ice forms; None where it is not calibrated, or as fast as the liquidus allows."""
        if not (self.ice and self.melting and self.glass_transition):
            return None
        return self.ice.kinetics(self.melting.value, self.glass_transition.value)

    def mechanics(self) -> Mechanics | None:
        """What its stress follows from; None where something of it is not known."""
        if not (self.youngs_modulus and self.poissons_ratio and self.expansion):
            return None
        return Mechanics(
            self.youngs_modulus.value,
            self.poissons_ratio.value,
            self.expansion.curve(),
            _number(self.tensile_strength),
            self.viscosity,
            _number(self.set_temperature),
        )


def _number(value: Value[float] | None) -> float | None:
    """What a sourced value says, if there is one."""
    return None if value is None else value.value


def _ends(window: Window | None) -> tuple[float, float] | None:
    """Coldest and warmest temperature [K] of a window, if there is one."""
    return (min(window.values), max(window.values)) if window else None


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
        cooling_window: as `window`, for cooling; that of warming where there is none.
        glass_transition, melting: [K], None where not known.
        glass_difference: largest difference of temperature [K] that the glass bears, None where not known.
        freezing: what ice does to it, None where not known.
        kinetics: how fast ice forms, None where not calibrated or in equilibrium.
        mechanics: what its stress follows from, None where not known.
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
    cooling_window: tuple[float, float] | None = None
    glass_transition: float | None = None
    melting: float | None = None
    glass_difference: float | None = None
    freezing: Freezing | None = None
    kinetics: IceKinetics | None = None
    mechanics: Mechanics | None = None

    def blood_volume_rate(self, blood_density: float) -> float | None:
        """Volume of blood per volume and time [1/s] in a living body, for blood of a density [kg/m3]; None where not known."""
        flows = [supply.share * supply.flow.blood_volume_rate(supply.density, blood_density) for supply in self.supplies]
        return sum(flows) if flows else None

    def own_window(self, direction: int) -> tuple[float, float] | None:
        """Coldest and warmest temperature [K] between which warming (1) or cooling (-1) rates are judged, if known."""
        return (self.cooling_window if direction < 0 else None) or self.window

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
    Critical rates, transitions, window, ice kinetics and mechanics are those of its one cryoprotectant at full
    strength, an estimate for a fully equilibrated organ; only that share of its volume freezes.
    Electrical conductivity, perfusion and metabolism add by volume where all materials have them.
    """
    media = {name: material.medium() for name, material in materials.items()}
    weights = [fractions[name] for name in media]
    mixed = Medium(
        name=" + ".join(f"{weight:g} {name}" for name, weight in zip(media, weights, strict=True)),
        capacity=weighted_sum(weights, [medium.capacity for medium in media.values()]),
        conductivity=weighted_sum(weights, [medium.conductivity for medium in media.values()]),
        constituents=dict(fractions),
        electrical_conductivity=_sum_of_known(weights, [medium.electrical_conductivity for medium in media.values()]),
        density=sum(weight * medium.density for weight, medium in zip(weights, media.values(), strict=True)),
        supplies=_supplies(weights, list(media.values())),
        metabolism=_sum_of_known(weights, [medium.metabolism for medium in media.values()]),
    )
    protectants = [name for name, material in materials.items() if material.group == "cryoprotectant"]
    if len(protectants) != 1:
        return mixed
    (name,) = protectants
    whole, solution = media[name], materials[name]
    return replace(
        mixed,
        critical_warming_rate=whole.critical_warming_rate,
        critical_cooling_rate=whole.critical_cooling_rate,
        window=whole.window,
        cooling_window=whole.cooling_window,
        glass_transition=whole.glass_transition,
        melting=whole.melting,
        glass_difference=whole.glass_difference,
        kinetics=whole.kinetics,
        mechanics=whole.mechanics,
        freezing=solution.freezing(fractions[name], mixed.capacity, mixed.conductivity),
    )


def _supplies(weights: Sequence[float], media: Sequence[Medium]) -> tuple[Supply, ...]:
    """Blood supplies of media by volume fraction; none where one of them has none."""
    if not all(medium.supplies for medium in media):
        return ()
    pairs = zip(weights, media, strict=True)
    return tuple(replace(supply, share=weight * supply.share) for weight, medium in pairs for supply in medium.supplies)


def _sum_of_known(weights: Sequence[float], values: Sequence[float | None]) -> float | None:
    """Sum of values, each times its weight; None where one of them is not known."""
    known = [value for value in values if value is not None]
    return sum(w * value for w, value in zip(weights, known, strict=True)) if len(known) == len(values) else None
