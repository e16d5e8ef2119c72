"""Linear response of single-domain particles: Néel and Brown relaxation, and the power that they absorb."""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from pydantic import BeforeValidator, Field, model_validator

from nanowarm.model import Model
from nanowarm.physics.curves import Array
from nanowarm.physics.single_particle import BOLTZMANN, Heating, RelaxationTimes, langevin, sphere_volume, square_loop_power
from nanowarm.quantity import (
    VACUUM_PERMEABILITY,
    Anisotropy,
    AttemptTime,
    BlochCoefficient,
    CoatingThickness,
    Magnetization,
    ParticleDiameter,
    Temperature,
    TemperatureDifference,
    Viscosity,
)

HIGH_BARRIER = 2.0  # K V / kB T above which Brown's formula for a high barrier holds


class Carrier(Model):
    """Viscosity of the carrier: constant, a table over temperature, or Vogel-Fulcher-Tammann; infinite in the glass.

    A table is linear in the logarithm and constant outside. The law is `prefactor` exp(strength / (T - divergence)).

    Args:
        value: the constant [Pa s].
        at: temperatures [K], increasing.
        values: [Pa s] at these temperatures.
        prefactor: [Pa s].
        strength: [K].
        divergence: [K], the temperature below which nothing flows.
        glass_transition: [K], below which nothing turns whatever the viscosity would be.
    """

    value: Viscosity | None = None
    at: tuple[Temperature, ...] = ()
    values: tuple[Viscosity, ...] = ()
    prefactor: Viscosity | None = None
    strength: TemperatureDifference | None = None
    divergence: Temperature | None = None
    glass_transition: Temperature = 0.0

    @model_validator(mode="after")
    def _is_complete(self) -> Carrier:
        law = (self.prefactor, self.strength, self.divergence)
        if (self.value is not None) + bool(self.at) + any(part is not None for part in law) != 1:
            raise ValueError("give one of `value`, `at` with `values`, or `prefactor` with `strength` and `divergence`")
        if None in law and law != (None, None, None):
            raise ValueError("a Vogel-Fulcher-Tammann law needs `prefactor`, `strength` and `divergence`")
        if len(self.at) != len(self.values):
            raise ValueError(f"`at` has {len(self.at)} temperatures and `values` {len(self.values)} values: give as many")
        if any(high <= low for low, high in zip(self.at, self.at[1:], strict=False)):
            raise ValueError("the temperatures of `at` must increase strictly")
        return self

    def fluidity(self, temperature: ArrayLike) -> Array:
        """One over the viscosity [1/(Pa s)] at temperatures [K], same shape; zero in the glass."""
        temperature = np.asarray(temperature, dtype=float)
        if self.value is not None:
            found = np.full(temperature.shape, 1.0 / self.value)
        elif self.at:
            found = np.exp(-np.interp(temperature, self.at, np.log(self.values)))
        else:
            found = self._by_law(temperature)
        return np.where(temperature < self.glass_transition, 0.0, found)

    def _by_law(self, temperature: Array) -> Array:
        prefactor, strength, divergence = self.prefactor or 1.0, self.strength or 0.0, self.divergence or 0.0
        above = np.maximum(temperature - divergence, 1e-9)
        return np.where(temperature > divergence, np.exp(-np.minimum(strength / above, 700.0)), 0.0) / prefactor


def _as_section(raw: Any) -> Any:
    """A viscosity written as one text, as the section with that value."""
    return raw if isinstance(raw, dict | Carrier) else {"value": raw}


class SingleDomain(Heating):
    """Cores of one magnetic domain with one easy axis each.

    Args:
        diameter: of the core [m]; the median by number where sizes are spread.
        diameter_spread: standard deviation of the logarithm of the diameter; 0 for one size.
        coating: thickness [m] of what turns with the core.
        anisotropy: energy density [J/m3] between the easy axis and the plane across it.
        attempt_time: [s], tau0 of the Néel time.
        viscosity: of the carrier.
        saturation_at: temperature [K] at which the saturation magnetisation is given.
        bloch_coefficient: B [1/K^1.5] of Ms(T) = Ms(0) (1 - B T^1.5); 0 for no dependence on temperature.
        power_factor: times the power that the model gives, e.g. to agree with a measurement; a square loop stays the most.
    """

    size_step: ClassVar[float] = 0.01  # largest, of the logarithm of the diameter: resonances are a few times as wide
    size_reach: ClassVar[float] = 7.0  # standard deviations on each side
    diameter: ParticleDiameter
    diameter_spread: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    coating: CoatingThickness = 0.0
    saturation_magnetization: Magnetization
    anisotropy: Anisotropy
    attempt_time: AttemptTime
    viscosity: Annotated[Carrier, BeforeValidator(_as_section)] | None = None
    saturation_at: Temperature = 298.15
    bloch_coefficient: BlochCoefficient = 0.0
    power_factor: Annotated[float, Field(gt=0.0)] = 1.0

    @model_validator(mode="after")
    def _is_magnetic(self) -> Self:
        if self.bloch_coefficient * self.saturation_at**1.5 >= 1.0:
            raise ValueError("`bloch_coefficient` leaves no magnetisation at `saturation_at`")
        return self

    @property
    def median_diameter(self) -> float | None:
        """Diameter [m] of the core."""
        return self.diameter

    def resized(self, diameter: float) -> Self:
        """The same with another median diameter [m] of the core."""
        return self.model_copy(update={"diameter": diameter})

    def scaled(self, factor: float) -> Self:
        """The same with `factor` times the power, under the same ceiling."""
        return self.model_copy(update={"power_factor": self.power_factor * factor})

    def saturation(self, temperature: ArrayLike) -> Array:
        """Saturation magnetisation [A/m] at temperatures [K], same shape."""
        left = np.maximum(1.0 - self.bloch_coefficient * np.asarray(temperature, dtype=float) ** 1.5, 1e-6)
        return self.saturation_magnetization * left / (1.0 - self.bloch_coefficient * self.saturation_at**1.5)

    def largest_power(self, amplitude: ArrayLike, frequency: float, temperature: ArrayLike) -> Array:
        """Power [W per kg iron] of a square loop at each temperature [K]."""
        return square_loop_power(self.saturation(temperature), amplitude, frequency) / self.iron_density

    def relaxation_times(self, temperature: float) -> RelaxationTimes:
        """Relaxation times [s] of the median size at a temperature [K]; infinite where frozen."""
        with np.errstate(over="ignore", divide="ignore"):
            neel = 1.0 / neel_rate(self.barrier(self.diameter, temperature), self.attempt_time)
            brown = None if self.viscosity is None else float(1.0 / self.brown_rate(self.diameter, temperature))
        return RelaxationTimes(float(neel), brown)

    def barrier(self, diameter: ArrayLike, temperature: ArrayLike) -> Array:
        """Anisotropy energy over the thermal one, K V / kB T."""
        return self.anisotropy * sphere_volume(diameter) / (BOLTZMANN * np.asarray(temperature, dtype=float))

    def field_energy(self, amplitude: ArrayLike, temperature: ArrayLike) -> Array:
        """Energy of the median size in the field over the thermal one, xi = mu0 Ms V H / kB T."""
        energy = (
            VACUUM_PERMEABILITY * self.saturation(temperature) * sphere_volume(self.diameter) * np.asarray(amplitude, dtype=float)
        )
        return energy / (BOLTZMANN * np.asarray(temperature, dtype=float))

    def brown_rate(self, diameter: float, temperature: ArrayLike) -> Array:
        """Rate [1/s] at which particles turn in the carrier, kB T / (3 eta V_H); zero without one."""
        temperature = np.asarray(temperature, dtype=float)
        if self.viscosity is None:
            return np.zeros(temperature.shape)
        volume = sphere_volume(diameter + 2.0 * self.coating)
        return BOLTZMANN * temperature * self.viscosity.fluidity(temperature) / (3.0 * volume)

    def sizes(self) -> tuple[Array, Array]:
        """Diameters [m] and their shares of the mass, shape (sizes,).

        With the logarithm of the diameter normal by number, it is normal by volume too, 3 sigma^2 further up, so that
        their sum is int P(D) D^3 g(D) dD / int D^3 g(D) dD. The trapezoidal rule converges exponentially here.
        """
        if self.diameter_spread == 0.0:
            return np.array([self.diameter]), np.ones(1)
        width = 2.0 * self.size_reach * self.diameter_spread
        steps = math.ceil(width / min(self.size_step, self.diameter_spread / 8.0))
        deviations = np.linspace(-self.size_reach, self.size_reach, steps + 1)
        weights = np.exp(-0.5 * deviations**2)
        middle = math.log(self.diameter) + 3.0 * self.diameter_spread**2
        return np.exp(middle + self.diameter_spread * deviations), weights / weights.sum()

    def low_barrier(self, temperature: ArrayLike) -> str | None:
        """A warning where Brown's formula for a high barrier does not hold."""
        lowest = float(np.min(self.barrier(self.diameter, temperature)))
        if lowest >= HIGH_BARRIER:
            return None
        return f"the barrier K V is only {lowest:.2g} kB T: the Néel time holds from {HIGH_BARRIER:g}"

    def outside_carrier(self, temperature: ArrayLike) -> str | None:
        """A warning where the table of the viscosity does not reach."""
        if self.viscosity is None or not self.viscosity.at:
            return None
        coldest, hottest = self.viscosity.at[0], self.viscosity.at[-1]
        asked = np.asarray(temperature, dtype=float)
        asked = asked[asked >= self.viscosity.glass_transition]
        if not asked.size or (coldest <= asked.min() and asked.max() <= hottest):
            return None
        return f"the viscosity is known from {coldest - 273.15:g} to {hottest - 273.15:g} degC only, and held outside"


def neel_rate(barrier: ArrayLike, attempt_time: float) -> Array:
    """Rate [1/s] at which moments cross a barrier K V / kB T inside their particles, one over the Néel time.

    tau_N = sqrt(pi) / 2 tau0 exp(Gamma) / sqrt(Gamma). Source: Rosensweig (2002), J. Magn. Magn. Mater. 252:370.
    """
    barrier = np.asarray(barrier, dtype=float)
    return 2.0 / math.sqrt(math.pi) * np.sqrt(barrier) * np.exp(-barrier) / attempt_time


class LinearResponse(SingleDomain):
    """Power of moments that lag behind a weak field, by Néel and Brown relaxation side by side.

    P = pi mu0 chi'' f H^2 with chi'' = chi0 omega tau / (1 + (omega tau)^2), 1 / tau = 1 / tau_N + 1 / tau_B and the
    chord susceptibility chi0 = Ms L(xi) / H. Source: Rosensweig (2002), J. Magn. Magn. Mater. 252:370.

    Args:
        brown: whether the particles can turn in the carrier; the default.
    """

    separable: ClassVar[bool] = False
    kind: Literal["linear response"]
    brown: bool = True

    @model_validator(mode="after")
    def _has_a_carrier(self) -> LinearResponse:
        if self.brown and self.viscosity is None:
            raise ValueError("give the `viscosity` of the carrier, or `brown = false` where particles can't turn")
        return self

    def power(self, amplitude: ArrayLike, frequency: float, temperature: ArrayLike) -> Array:
        """Specific power [W per kg iron] at peak amplitudes [A/m], a frequency [Hz] and temperatures [K]."""
        amplitude, temperature = np.broadcast_arrays(np.asarray(amplitude, dtype=float), np.asarray(temperature, dtype=float))
        mean = np.zeros(amplitude.shape)
        for diameter, share in zip(*self.sizes(), strict=True):
            mean += share * self._power_of_size(diameter, amplitude, frequency, temperature)
        return np.minimum(self.power_factor * mean, self.largest_power(amplitude, frequency, temperature))

    def _power_of_size(self, diameter: float, amplitude: Array, frequency: float, temperature: Array) -> Array:
        rate = neel_rate(self.barrier(diameter, temperature), self.attempt_time)
        if self.brown:
            rate = rate + self.brown_rate(diameter, temperature)
        omega = 2.0 * math.pi * frequency
        saturation = self.saturation(temperature)
        xi = VACUUM_PERMEABILITY * saturation * sphere_volume(diameter) * amplitude / (BOLTZMANN * temperature)
        lag = omega * rate / (rate**2 + omega**2)  # omega tau / (1 + (omega tau)^2), finite for frozen moments
        absorbed = math.pi * VACUUM_PERMEABILITY * saturation * langevin(xi) * lag * frequency * amplitude  # [W/m3 of core]
        return absorbed / self.iron_density

    def notes(self, amplitude: ArrayLike, frequency: float, temperature: ArrayLike) -> tuple[str, ...]:
        """Where the model is outside its validity, a line each."""
        xi = float(np.max(self.field_energy(amplitude, temperature)))
        strong = (
            f"xi = mu0 Ms V H / kB T is {xi:.3g}: linear response holds below 1; expect errors of a factor" if xi > 1.0 else None
        )
        outside = self.outside_carrier(temperature) if self.brown else None
        return tuple(note for note in (strong, self.low_barrier(temperature), outside) if note)
