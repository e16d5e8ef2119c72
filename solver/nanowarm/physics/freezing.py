"""What ice does to a solution that partly freezes: how much there can be, its latent heat, and how it conducts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nanowarm.physics.curves import Array, Curve
from nanowarm.quantity import ZERO_CELSIUS

ICE_DENSITY = 917.0  # [kg/m3] at 0 degC
COLDEST = 73.15  # [K] from which the conductivity of ice is tabulated
GRID = 5.0  # [K]


def latent_heat_of_ice(temperature: float) -> float:
    """Latent heat [J/kg] of ice at a temperature [K] of supercooled water: that at 0 degC less what the capacities differ by.

    An estimate from general knowledge, 334 + 2.05 T - 0.0042 T^2 kJ/kg with T in degC.
    """
    celsius = temperature - ZERO_CELSIUS
    return 1e3 * (334.0 + 2.05 * celsius - 0.0042 * celsius**2)


def conductivity_of_ice(temperature: Array) -> Array:
    """Conductivity [W/m/K] of hexagonal ice at a temperature [K].

    Source: Slack (1980), Phys. Rev. B 22:3065.
    """
    return np.asarray(651.0 / temperature)


@dataclass(frozen=True)
class Solution:
    """What freezes in a material.

    Args:
        melting: temperature [K] below which ice can exist in the solution as it was mixed.
        solid: temperature [K] at which what is left between the crystals turns to glass.
        solute: its mass fraction in the solution.
        concentrated: its mass fraction in what is left at `solid`.
        density: mass of solution per volume of the medium [kg/m3].
    """

    melting: float
    solid: float
    solute: float
    concentrated: float
    density: float

    @property
    def most_ice(self) -> float:
        """Mass of ice per volume of the medium when as much as can be has frozen [kg/m3]: the lever rule."""
        return self.density * (1.0 - self.solute / self.concentrated)


@dataclass(frozen=True, eq=False)
class Freezing:
    """Enthalpy, conductivity and largest ice content of a medium that freezes.

    X is the frozen part of what can freeze. The enthalpy density of the medium is h(T) - X c, h that without ice, and
    c = latent_at_melting + capacity_loss (h - h(melting)): so the capacity of the frozen medium is lower by a constant
    factor, and the latent heat falls with the temperature as the capacities of water and ice differ. Below `solid`, where
    water is a glass that has about the capacity of ice, c stays as it is there.

    Args:
        melting, solid: [K], of the solution.
        solute, concentrated: mass fractions, of the solution.
        latent_at_melting: [J/m3] per X.
        enthalpy_at_melting, enthalpy_at_solid: h at the two temperatures [J/m3].
        capacity_loss: part of the capacity that is lost at X = 1.
        frozen_conductivity: [W/m/K] at X = 1.
        most_ice: mass of ice per volume at X = 1 [kg/m3], not a number where not known.
    """

    melting: float
    solid: float
    solute: float
    concentrated: float
    latent_at_melting: float
    enthalpy_at_melting: float
    enthalpy_at_solid: float
    capacity_loss: float
    frozen_conductivity: Curve
    most_ice: float = math.nan

    def equilibrium(self, temperature: Array) -> Array:
        """Largest X at a temperature [K], by the lever rule along a straight liquidus; 0 above melting, 1 below `solid`."""
        return np.asarray((1.0 - self.solute / self._liquidus(temperature)) / self._span)

    def equilibrium_slope(self, temperature: Array) -> Array:
        """Change of the largest X with temperature [1/K], from above where it bends."""
        inside = (temperature > self.solid) & (temperature < self.melting)
        steep = (self.solute - self.concentrated) / (self.melting - self.solid)
        return np.where(inside, self.solute * steep / self._liquidus(temperature) ** 2 / self._span, 0.0)

    def warmest(self, fraction: Array) -> Array:
        """Temperature [K] up to which there can be so much ice."""
        liquidus = self.solute / (1.0 - np.asarray(fraction) * self._span)
        part = (liquidus - self.solute) / (self.concentrated - self.solute)
        return np.asarray(self.melting - np.clip(part, 0.0, 1.0) * (self.melting - self.solid))

    def latent(self, enthalpy: Array) -> Array:
        """C [J/m3] at an enthalpy density without ice [J/m3]."""
        above = np.maximum(enthalpy, self.enthalpy_at_solid) - self.enthalpy_at_melting
        return np.asarray(self.latent_at_melting + self.capacity_loss * above)

    @property
    def _span(self) -> float:
        return 1.0 - self.solute / self.concentrated

    def _liquidus(self, temperature: Array) -> Array:
        """Mass fraction of solute between the crystals in equilibrium."""
        part = np.clip((self.melting - temperature) / (self.melting - self.solid), 0.0, 1.0)
        return self.solute + (self.concentrated - self.solute) * part


def freezing_of(solution: Solution, enthalpy: Curve, conductivity: Curve) -> Freezing:
    """The freezing of a medium.

    Args:
        solution: what freezes in it.
        enthalpy: its volumetric heat capacity without ice [J/m3/K], whose integral is h.
        conductivity: without ice [W/m/K].
    """
    middle = 0.5 * (solution.melting + solution.solid)
    at_melting, at_middle = enthalpy.integral(solution.melting), enthalpy.integral(middle)
    latent = [solution.most_ice * latent_heat_of_ice(t) for t in (solution.melting, middle)]
    volume = min(solution.most_ice / ICE_DENSITY, 1.0)
    knots = np.unique(np.concatenate((conductivity.at, np.arange(COLDEST, max(solution.melting, COLDEST) + GRID, GRID))))
    frozen = Curve(knots, (1.0 - volume) * conductivity(knots) + volume * conductivity_of_ice(knots))
    return Freezing(
        solution.melting,
        solution.solid,
        solution.solute,
        solution.concentrated,
        latent[0],
        float(at_melting),
        float(enthalpy.integral(solution.solid)),
        float((latent[0] - latent[1]) / (at_melting - at_middle)),
        frozen,
        solution.most_ice,
    )
