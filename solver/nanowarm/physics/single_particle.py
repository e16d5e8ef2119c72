"""One particle: its composition, its moment, the force on it, and how much hotter than its surroundings it is."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field, model_validator

from nanowarm.errors import CaseError
from nanowarm.physics.curves import Array, Curve
from nanowarm.physics.sourced import ChangedBy, Sourced
from nanowarm.quantity import DENSITY, VACUUM_PERMEABILITY, Density, Magnetization, convert

BOLTZMANN = 1.380649e-23  # [J/K], by definition
MAGNETITE_DENSITY = 5180.0  # [kg/m3]
MAGNETITE_IRON = 0.7236  # mass of iron per mass of Fe3O4: 3 x 55.845 / 231.533
MAGNETITE_PARTICLE_SATURATION = 446e3  # [A/m], of Rosensweig (2002); assumed where a file gives none
MAGNETITE_SATURATION = 480e3  # [A/m], bulk, 92 emu/g (physics.md, 4.4)
_PER_MASS = re.compile(r"(.*?)\s*(emu/g|A\s*[*·⋅ ]?\s*m(?:\^2|²)/kg)\s*")

Share = Annotated[float, Field(gt=0.0, le=1.0)]


@dataclass(frozen=True)
class Domain:
    """Where a specific power is known: lowest and highest field [A/m] and temperature [K]; no field at all is always inside."""

    fields: tuple[float, float] = (0.0, math.inf)
    temperatures: tuple[float, float] = (0.0, math.inf)


@dataclass(frozen=True)
class RelaxationTimes:
    """Times [s] in which a moment turns inside its particle (Néel) and with it (Brown); None where not known."""

    neel: float | None = None
    brown: float | None = None


class Heating(Sourced):
    """What every kind of specific power has: the composition, from which the largest possible power follows.

    Args:
        saturation_magnetization: [A/m]; in a file also per mass, "80 emu/g", where the density is given.
        density: [kg/m3] of the magnetic core; magnetite's where not given.
        iron_fraction: mass of iron per mass of core; magnetite's where not given.
    """

    changed_by: ClassVar[ChangedBy] = "factor"
    saturation_magnetization: Magnetization | None = None
    density: Density = MAGNETITE_DENSITY
    iron_fraction: Share = MAGNETITE_IRON

    @model_validator(mode="before")
    @classmethod
    def _saturation_per_volume(cls, raw: Any) -> Any:
        """The same keys with a magnetisation per mass times the density."""
        text = raw.get("saturation_magnetization") if isinstance(raw, Mapping) else None
        found = _PER_MASS.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            return raw
        if "density" not in raw:
            raise ValueError(
                f'saturation_magnetization: {text!r} is per mass: give the density too, e.g. density = "5180 kg/m^3"'
            )
        per_mass = convert(f"{found[1]} A*m^2/kg", "A*m^2/kg")
        return dict(raw) | {"saturation_magnetization": f"{per_mass * DENSITY.parse(raw['density'])!r} A/m"}

    @property
    def iron_density(self) -> float:
        """Mass of iron per volume of core [kg/m3]."""
        return self.density * self.iron_fraction

    @property
    def median_diameter(self) -> float | None:
        """Diameter [m] of the core, None where not known."""
        return None

    def ceiling(self, amplitude: ArrayLike, frequency: float) -> Array:
        """Power [W per kg iron] of a square loop, 4 mu0 Ms H f / rho, that nothing exceeds; infinite where Ms is not known."""
        if self.saturation_magnetization is None:
            return np.full(np.shape(amplitude), np.inf)
        return square_loop_power(self.saturation_magnetization, amplitude, frequency) / self.iron_density

    def domain(self) -> Domain:
        """Fields and temperatures at which the power may be asked for."""
        return Domain()

    def field_factor(self, amplitude: ArrayLike, frequency: float) -> Any:
        """Power at fields [A/m] and a frequency [Hz] over that of `reference_power`, where the kind is separable."""
        raise TypeError("this kind of specific power is not separable: ask for its power")

    def reference_power(self) -> Curve:
        """Specific power [W per kg iron] over temperature [K] where `field_factor` is 1, where the kind is separable."""
        raise TypeError("this kind of specific power is not separable: ask for its power")

    def relaxation_times(self, temperature: float) -> RelaxationTimes:
        """Relaxation times [s] at a temperature [K]."""
        return RelaxationTimes()

    def measurements(self) -> list[dict[str, float]]:
        """Measured points: field [A/m], frequency [Hz], temperature [K] where known, and power [W per kg iron]."""
        return []

    def resized(self, diameter: float) -> Self:
        """The same with another diameter [m] of the core.

        Raises:
            CaseError: a measured power does not say how it changes with size.
        """
        raise CaseError("a measured specific power is that of its own size: no other diameter can be asked for")


def square_loop_power(saturation: ArrayLike, amplitude: ArrayLike, frequency: float) -> Array:
    """Power [W/m3] of a square loop between plus and minus saturation [A/m] in a field [A/m] at a frequency [Hz]."""
    return 4.0 * VACUUM_PERMEABILITY * np.asarray(saturation, dtype=float) * np.asarray(amplitude, dtype=float) * frequency


def langevin(x: ArrayLike) -> Array:
    """Langevin's function, coth x - 1 / x for x >= 0, same shape; by its series near zero."""
    x = np.asarray(x, dtype=float)
    large = np.maximum(x, 0.05)
    series = x / 3.0 - x**3 / 45.0 + 2.0 * x**5 / 945.0
    return np.where(x < 0.05, series, 1.0 / np.tanh(large) - 1.0 / large)


def sphere_volume(diameter: ArrayLike) -> Array:
    """Volume [m3] of a sphere."""
    return np.pi * np.asarray(diameter, dtype=float) ** 3 / 6.0


def moment(saturation: float, diameter: float) -> float:
    """Magnetic moment [A m2] of a saturated core."""
    return saturation * float(sphere_volume(diameter))


def force(saturation: float, diameter: float, gradient: float) -> float:
    """Force [N] on a saturated core in a gradient [T/m] of the flux density along its moment: the largest there can be."""
    return moment(saturation, diameter) * gradient


def power_of_one(specific_power: float, diameter: float, iron_density: float) -> float:
    """Power [W] of one core of a specific power [W per kg iron]; iron_density [kg iron per m3 of core]."""
    return specific_power * iron_density * float(sphere_volume(diameter))


def surface_rise(power: float, diameter: float, conductivity: float) -> float:
    """How much hotter [K] than far away the medium at the surface of a sphere is: P / (4 pi k R), steady Fourier conduction.

    Source: Rabin (2002), Int. J. Hyperthermia 18:194; Keblinski et al. (2006), J. Appl. Phys. 100:054305.
    """
    return power / (2.0 * math.pi * conductivity * diameter)


def interface_rise(power: float, diameter: float, conductance: float) -> float:
    """How much hotter [K] than the medium at it a sphere is: P / (4 pi R2 G), G the interface conductance [W/m2/K]."""
    return power / (math.pi * diameter**2 * conductance)


def cluster_rise(power_density: float, radius: float, conductivity: float) -> float:
    """How much hotter [K] than far away the centre of a heated ball is: q R2 / (2 k).

    One third of it lies inside the ball (q R2 / 6 k), two thirds outside (q R2 / 3 k).
    """
    return power_density * radius**2 / (2.0 * conductivity)


@dataclass(frozen=True)
class Surroundings:
    """What is around a particle.

    Args:
        conductivity: of the medium [W/m/K].
        conductance: of the interface [W/m2/K].
        cluster_radius: radius [m] of a ball of many particles.
        packing: volume of cores in that ball over its volume.
        gradient: of the flux density [T/m].
    """

    conductivity: float
    conductance: float
    cluster_radius: float
    packing: float
    gradient: float

    def numbers(self, heating: Heating, diameter: float, specific_power: float, temperature: float) -> dict[str, float]:
        """Moment, force and temperature rises in SI, by name and unit.

        Args:
            heating: composition of the core.
            diameter: of the core [m].
            specific_power: [W per kg iron].
            temperature: [K].
        """
        saturation = heating.saturation_magnetization or MAGNETITE_PARTICLE_SATURATION
        power = power_of_one(specific_power, diameter, heating.iron_density)
        pull = force(saturation, diameter, self.gradient)
        density = specific_power * heating.iron_density * self.packing
        return {
            "moment_A_m2": moment(saturation, diameter),
            "force_N": pull,
            "force_times_diameter_over_kT": pull * diameter / (BOLTZMANN * temperature),
            "power_W": power,
            "surface_rise_K": surface_rise(power, diameter, self.conductivity),
            "interface_rise_K": interface_rise(power, diameter, self.conductance),
            "cluster_rise_K": cluster_rise(density, self.cluster_radius, self.conductivity),
        }

    def lines(self, numbers: Mapping[str, float]) -> list[str]:
        """The numbers for a reader."""
        cluster = f"cluster of {self.cluster_radius * 1e9:g} nm radius"
        said = {
            "moment_A_m2": ("moment (saturated)", "A m^2"),
            "force_N": (f"force at {self.gradient:g} T/m", "N"),
            "force_times_diameter_over_kT": ("force x diameter / kB T", ""),
            "power_W": ("power", "W"),
            "surface_rise_K": ("surface rise", "K"),
            "interface_rise_K": ("rise over its interface", "K"),
            "cluster_rise_K": (cluster, "K at its centre"),
        }
        return [f"{what:<28} {numbers[key]:.3g} {unit}".rstrip() for key, (what, unit) in said.items()]
