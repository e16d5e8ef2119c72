"""Ice that nucleates and grows in a supercooled solution: pointwise rate equations, calibrated to the two critical rates."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from nanowarm.physics.curves import Array
from nanowarm.physics.damage import GAS_CONSTANT
from nanowarm.physics.sourced import Sourced
from nanowarm.quantity import Dimension, Temperature

CRITICAL_FRACTION = 0.002  # of what can freeze, at a critical rate: ours, after 0.2 % of the mass used by Fahy & Wowk
POINTS = 64  # of a Gauss rule over the growth rate: exact to rounding at all energies allowed
PRECISION = 1e-11  # relative, of the integrals over a constant rate
_ENERGY = Dimension("J/mol", "60 kJ/mol", 0.0, positive=True, most=5e5)  # so that no rate overflows
_WIDTH = Dimension("K", "5 K", 0.0, positive=True, most=1e3)
REACH = 6.0  # standard deviations of the nucleation rate that an integral looks at closely


class NucleationAndGrowth(Sourced):
    """Nucleation around a temperature and thermally activated growth.

    Args:
        nucleation_temperature: at which nuclei form fastest [K].
        nucleation_width: standard deviation of the nucleation rate over temperature [K].
        activation_energy: of growth [J/mol].
        rate_product: nucleation rate times the cube of the growth rate, I0 U0^3 [1/s (K s)^-3].
        threshold: crystallised fraction at the critical rates.
    """

    kind: Literal["nucleation and growth"]
    nucleation_temperature: Temperature
    nucleation_width: Annotated[float, *_WIDTH.annotation()]
    activation_energy: Annotated[float, *_ENERGY.annotation()]
    rate_product: Annotated[float, Field(gt=0.0)]
    threshold: Annotated[float, Field(gt=0.0, lt=0.1)] = CRITICAL_FRACTION

    def check(self, melting: float, glass_transition: float) -> None:
        """Refuse nuclei that would never form between the glass transition and the melting temperature [K].

        Raises:
            ValueError: they would not.
        """
        if not glass_transition < self.nucleation_temperature < melting:
            raise ValueError("`ice.nucleation_temperature` must lie between `glass_transition` and `melting`")

    def recalibrated(self, rates: tuple[float, float], melting: float, glass_transition: float) -> NucleationAndGrowth:
        """The same fitted to critical rates [K/s] on cooling and on warming; width and activation energy stay.

        Raises:
            ValueError: nothing fits.
        """
        wanted = CriticalRates(*rates, self.threshold)
        found = calibrated(wanted, melting, glass_transition, self.activation_energy, self.nucleation_width)
        fitted = {"nucleation_temperature": found.nucleation_temperature, "rate_product": found.rate_product}
        return self.model_copy(update=fitted)

    def kinetics(self, melting: float, glass_transition: float) -> IceKinetics:
        """The rate equations between a glass transition and a melting temperature [K]."""
        return IceKinetics(
            melting, glass_transition, self.nucleation_temperature, self.nucleation_width, self.activation_energy,
            self.rate_product, self.threshold,
        )  # fmt: skip


class Equilibrium(Sourced):
    """Ice that is always as much as the liquidus allows: slow freezing, without supercooling."""

    kind: Literal["equilibrium"]

    def check(self, melting: float, glass_transition: float) -> None:
        """Nothing of it can be wrong."""

    def recalibrated(self, rates: tuple[float, float], melting: float, glass_transition: float) -> Equilibrium:
        """Itself: it does not follow from critical rates."""
        return self

    def kinetics(self, melting: float, glass_transition: float) -> None:
        """It has none."""


AnyIce = Annotated[NucleationAndGrowth | Equilibrium, Field(discriminator="kind")]


@dataclass(frozen=True)
class IceKinetics:
    """Schneider's rate equations of one solution.

    Args:
        melting, glass_transition: [K]; ice neither nucleates nor grows outside them.
        nucleation_temperature, nucleation_width: [K].
        activation_energy: of growth [J/mol].
        rate_product: I0 U0^3 [1/s (K s)^-3].
        threshold: crystallised fraction at the critical rates.
    """

    melting: float
    glass_transition: float
    nucleation_temperature: float
    nucleation_width: float
    activation_energy: float
    rate_product: float
    threshold: float = CRITICAL_FRACTION

    def nucleation(self, temperature: Array) -> Array:
        """8 pi I [1/s (K s)^-3] at a temperature [K], same shape; 0 in the glass and above melting.

        The growth rate is scaled to U0 = 1, so that the rate product stands here.
        """
        temperature = np.asarray(temperature, dtype=float)
        inside = (temperature > self.glass_transition) & (temperature < self.melting)
        deviations = (temperature - self.nucleation_temperature) / self.nucleation_width
        return np.asarray(8.0 * math.pi * self.rate_product * np.exp(-0.5 * deviations**2) * inside)

    def growth(self, temperature: Array) -> Array:
        """U / U0 [K] at a temperature [K], same shape; 0 in the glass and above melting.

        U = U0 (Tm - T) exp(-Q/R (1/T - 1/Tref)), Tref half-way between the glass transition and melting.
        """
        temperature = np.asarray(temperature, dtype=float)
        inside = np.clip(temperature, self.glass_transition, self.melting)
        reference = 0.5 * (self.melting + self.glass_transition)
        folds = self.activation_energy / GAS_CONSTANT * (1.0 / inside - 1.0 / reference)
        return np.asarray((self.melting - inside) * np.exp(-folds) * (temperature > self.glass_transition))

    def at_constant_rate(self, rate: float) -> float:
        """Ice fraction after a whole passage at a constant rate, from a start without nuclei.

        Args:
            rate: [K/s], not 0: negative cools from melting to the glass transition, positive warms back.
        """
        return float(fraction(np.array(self.extended_volume(rate))))

    def extended_volume(self, rate: float) -> float:
        """Phi0 after a passage: the integral of 8 pi I over time, times the cube of what a nucleus grows from then on, / 6."""
        from scipy.integrate import fixed_quad, quad

        end = self.melting if rate > 0.0 else self.glass_transition

        def grown(temperature: float) -> float:
            """What the nuclei born at a temperature become, at 1 K/s."""
            radius, _ = fixed_quad(self.growth, min(temperature, end), max(temperature, end), n=POINTS)
            return float(self.nucleation(np.array(temperature))) / self.rate_product * float(radius) ** 3 / 6.0

        near = self.nucleation_temperature + REACH * self.nucleation_width * np.linspace(-1.0, 1.0, 5)
        breaks = near[(near > self.glass_transition) & (near < self.melting)]
        ends = self.glass_transition, self.melting
        total, _ = quad(grown, *ends, points=breaks if breaks.size else None, epsabs=0.0, epsrel=PRECISION, limit=200)
        return self.rate_product * float(total) / rate**4


def fraction(extended_volume: Array) -> Array:
    """Ice fraction that follows from phi0, as crystals cannot grow through each other."""
    return np.asarray(-np.expm1(-extended_volume))


def grow(phi: Array, nucleation: Array, growth: Array, duration: float) -> None:
    """Change phi over a time in which the rates are constant: the exact solution, a polynomial.

    phi3' = 8 pi I, phi2' = U phi3, phi1' = U phi2, phi0' = U phi1.

    Args:
        phi: (phi3, phi2, phi1, phi0), shape (4, points); changed in place.
        nucleation: 8 pi I, shape (points,).
        growth: U, shape (points,).
        duration: [s].

    Source: Schneider, Koeppl & Berger (1988), Int. Polym. Process. 2:151.
    """
    number, radius, added = np.empty((3, growth.size))
    np.multiply(nucleation, duration, out=number)
    np.multiply(growth, duration, out=radius)
    for order in (3, 2, 1, 0):  # phi0 first: each needs those before it as they were
        np.multiply(number, 1.0 / (order + 1), out=added)
        for before in range(order):
            added += phi[before]
            added *= radius
            if order - before > 1:
                added *= 1.0 / (order - before)
        phi[order] += added


@dataclass(frozen=True)
class CriticalRates:
    """The two rates at which just so much ice forms that it is seen.

    Args:
        cooling, warming: [K/s], both positive.
        threshold: ice fraction after either.
    """

    cooling: float
    warming: float
    threshold: float = CRITICAL_FRACTION

    def unfitted(self) -> str:
        """The beginning of a sentence that no kinetics give them."""
        cooling, warming = 60.0 * self.cooling, 60.0 * self.warming
        return f"critical rates of {cooling:g} degC/min on cooling and {warming:g} degC/min on warming can't be fitted"


def calibrated(
    rates: CriticalRates, melting: float, glass_transition: float, activation_energy: float, width: float
) -> IceKinetics:
    """The kinetics that give both critical rates.

    The ratio of the rates gives the nucleation temperature, then the cooling rate the rate product; two rates cannot
    tell activation energy and width.

    Args:
        rates: of the solution.
        melting, glass_transition: [K].
        activation_energy: of growth [J/mol].
        width: standard deviation of the nucleation rate over temperature [K].

    Raises:
        ValueError: no nucleation temperature between glass transition and melting fits.
    """
    from scipy.optimize import brentq

    if not 0.0 < rates.cooling < rates.warming:
        raise ValueError(f"{rates.unfitted()}: the one on warming must be the larger")
    if not glass_transition < melting:
        raise ValueError("the glass transition must be below melting")

    def nucleating(temperature: float) -> IceKinetics:
        """Kinetics of the right shape that nucleate at a temperature [K]."""
        return IceKinetics(melting, glass_transition, temperature, width, activation_energy, 1.0, rates.threshold)

    def excess(temperature: float) -> float:
        """Logarithm of the ice on warming over that on cooling."""
        kinetics = nucleating(temperature)
        return math.log(kinetics.extended_volume(rates.warming) / kinetics.extended_volume(-rates.cooling))

    low, high = excess(glass_transition), excess(melting)
    if low * high > 0.0:
        shape = f"a nucleation width of {width:g} K and {1e-3 * activation_energy:g} kJ/mol"
        raise ValueError(f"{rates.unfitted()} with {shape}: try others")
    shaped = nucleating(float(brentq(excess, glass_transition, melting, xtol=1e-10)))
    wanted = -math.log1p(-rates.threshold)
    return replace(shaped, rate_product=wanted / shaped.extended_volume(-rates.cooling))
