"""How a material deforms: elasticity, thermal expansion, and the viscosity of a glass former.

Small strain. The deviator s of the stress follows Maxwell, its mean is elastic:

    e' = s' / 2G + s / 2 eta(T),    p' = K (tr eps' - 3 alpha(T) T')

so that a bar under a stress sigma lengthens by eps' = sigma' / E + sigma / 3 eta + alpha T'.

Source: Steif, Palastro, Rabin (2007), PMC2180391.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from nanowarm.model import Model
from nanowarm.physics.curves import Array, Curve
from nanowarm.physics.sourced import ChangedBy, Sourced
from nanowarm.quantity import Expansion, Temperature, TemperatureDifference, Viscosity

MOST_EXPONENT = 300.0  # of ten, so that nothing overflows
GLASS = 12.0  # log10 of the viscosity [Pa s] at the glass transition, Wowk (2010), Cryobiology 60:11
LIQUID = 0.49  # Poisson's ratio of what flows: nearly incompressible, and still solvable
_PIECES = 12  # of an increment; in each the logarithm of the relaxation rate is taken as linear
_NEARLY_ONE = 1e-3  # difference of logarithms below which a logarithmic mean is the arithmetic one to 1e-7
_NO_STRESS = 1e-90  # [Pa] whose cube is not yet 0

Rheology = Literal["Maxwell", "elastic"]


class GlassViscosity(Sourced):
    """Vogel-Fulcher-Tammann viscosity: log10(eta / Pa s) = log10_at_infinity + scale / (T - vanishing), capped.

    Args:
        log10_at_infinity: of the viscosity [Pa s] at infinite temperature.
        scale: [K].
        vanishing: temperature [K] at which the formula diverges.
        highest: cap [Pa s].
    """

    changed_by: ClassVar[ChangedBy] = "factor"
    kind: Literal["VFT"]
    log10_at_infinity: float
    scale: TemperatureDifference
    vanishing: Temperature
    highest: Viscosity

    def scaled(self, factor: float) -> Self:
        """The same with `factor` times the viscosity up to the same cap."""
        return self.model_copy(update={"log10_at_infinity": self.log10_at_infinity + math.log10(factor)})

    def value(self, temperature: Array) -> Array:
        """Shear viscosity [Pa s] at a temperature [K], same shape."""
        above = np.maximum(np.asarray(temperature, dtype=float) - self.vanishing, 1e-6)
        exponent = np.minimum(self.log10_at_infinity + self.scale / above, MOST_EXPONENT)
        return np.asarray(np.minimum(10.0**exponent, self.highest))

    @property
    def glass_transition(self) -> float:
        """Temperature [K] at which the formula gives the viscosity of the glass transition; infinite where it always does."""
        decades = GLASS - self.log10_at_infinity
        return self.vanishing + self.scale / decades if decades > 0.0 else math.inf


@dataclass(frozen=True, eq=False)
class Mechanics:
    """What the stress in a medium follows from.

    Args:
        youngs_modulus: [Pa].
        poissons_ratio: below 0.5.
        expansion: linear thermal expansion [1/K] over temperature [K].
        strength: largest tensile stress [Pa] that it bears, None where not known.
        viscosity: of a glass former, None for a body that does not flow.
        set_temperature: [K] below which it counts as solid where its viscosity is not used, None for a solid.
    """

    youngs_modulus: float
    poissons_ratio: float
    expansion: Curve
    strength: float | None = None
    viscosity: GlassViscosity | None = None
    set_temperature: float | None = None

    @property
    def shear_modulus(self) -> float:
        """G [Pa]."""
        return self.youngs_modulus / (2.0 * (1.0 + self.poissons_ratio))

    @property
    def bulk_modulus(self) -> float:
        """K [Pa]."""
        return self.youngs_modulus / (3.0 * (1.0 - 2.0 * self.poissons_ratio))

    @property
    def solid_below(self) -> float:
        """Temperature [K] below which it counts as solid: as set, or its glass transition; infinite for a solid."""
        if self.set_temperature is not None:
            return self.set_temperature
        return math.inf if self.viscosity is None else self.viscosity.glass_transition

    @property
    def least_shear(self) -> float:
        """Part of G that a liquid keeps in one increment, so that its Poisson's ratio is 0.49 at most."""
        least = 1.5 * self.bulk_modulus * (1.0 - 2.0 * LIQUID) / (1.0 + LIQUID)
        return min(1.0, least / self.shear_modulus)

    def expanded(self, before: Array, after: Array) -> Array:
        """Free linear strain from one temperature [K] to another, same shape."""
        return self.expansion.integral(after) - self.expansion.integral(before)

    def relaxed(self, rheology: Rheology, before: Array, after: Array, duration: float) -> tuple[Array, Array]:
        """Part of the deviator that is left after an increment, and part of G that its strain finds; see `maxwell`, `elastic`.

        Args:
            rheology: Maxwell relaxes by the viscosity; elastic sets at a temperature.
            before: temperature [K] where the increment begins, any shape.
            after: where it ends, same shape; linear in time between.
            duration: [s].
        """
        if self.viscosity is None and self.set_temperature is None:
            return np.ones_like(before), np.ones_like(before)
        if rheology == "Maxwell" and self.viscosity is not None:
            left, stiff = maxwell(self.viscosity, self.shear_modulus, before, after, duration)
        else:
            left, stiff = elastic(self.solid_below, before, after)
        return left, np.maximum(stiff, self.least_shear)


def maxwell(viscosity: GlassViscosity, modulus: float, before: Array, after: Array, duration: float) -> tuple[Array, Array]:
    """What is left of a deviator after an increment, exp(-xi), and the mean g of exp(-(xi - xi(t))) over it.

    xi is time over relaxation time, dxi = G / eta dt. The new deviator is exp(-xi) s + 2 G g de, for a strain that grows
    evenly. Exact for a constant viscosity.

    Args:
        viscosity: eta over temperature.
        modulus: G [Pa].
        before: temperature [K] where the increment begins.
        after: where it ends, same shape; linear in time between.
        duration: [s].
    """
    xi, stiff = np.zeros(np.shape(before)), np.zeros(np.shape(before))
    later = modulus / viscosity.value(after)
    for piece in range(_PIECES - 1, -1, -1):
        earlier = modulus / viscosity.value(before + piece / _PIECES * (after - before))
        passed = _logarithmic_mean(earlier, later) * duration / _PIECES
        stiff += np.exp(-xi) * _mean_decay(passed) / _PIECES
        xi += passed
        later = earlier
    return np.exp(-xi), stiff


def elastic(set_temperature: float, before: Array, after: Array) -> tuple[Array, Array]:
    """The same for a body without stress above a temperature [K] and elastic below.

    What warmed through it forgets its stress; what cools through it strains elastically only after it was last above.
    """
    stays = (before <= set_temperature) & (after <= set_temperature)
    fall = np.where(before > after, before - after, 1.0)
    part = np.clip((set_temperature - after) / fall, 0.0, 1.0)
    return stays.astype(float), np.where(stays, 1.0, np.where(before > after, part, 0.0))


def _logarithmic_mean(one: Array, other: Array) -> Array:
    """Mean of a function that is exponential between two positive values."""
    distance = np.log(one / other)
    near = np.abs(distance) < _NEARLY_ONE
    return np.where(near, 0.5 * (one + other), (one - other) / np.where(near, 1.0, distance))


def _mean_decay(passed: Array) -> Array:
    """Mean of exp(-x) from 0 to `passed`."""
    some = passed > 1e-12
    return np.where(some, -np.expm1(-passed) / np.where(some, passed, 1.0), 1.0)


def largest_principal(stress: Array) -> Array:
    """Largest eigenvalue of symmetric tensors (xx, yy, zz, xy, xz, yz in the last place), by the trigonometric formula.

    Source: Smith (1961), Commun. ACM 4:168.
    """
    mean = stress[..., :3].mean(axis=-1)
    x, y, z = (stress[..., i] - mean for i in range(3))
    xy, xz, yz = (stress[..., i] for i in range(3, 6))
    second = (x * x + y * y + z * z) / 6.0 + (xy * xy + xz * xz + yz * yz) / 3.0
    radius = np.sqrt(second)
    third = 0.5 * (x * (y * z - yz * yz) - xy * (xy * z - yz * xz) + xz * (xy * yz - y * xz))
    cosine = np.clip(third / np.where(radius > _NO_STRESS, radius, 1.0) ** 3, -1.0, 1.0)
    return np.asarray(mean + 2.0 * radius * np.cos(np.arccos(cosine) / 3.0))


class StressInput(Model):
    """What follows from temperature for the stress: section `[stress]` of a case.

    Args:
        rheology: Maxwell relaxes by the viscosity of each glass former; elastic sets at a temperature.
        order: of the displacement; left out, 2 on meshes for which that takes seconds, else 1.
        bonded: outer surfaces that stick to a rigid container; all others are free.
        container_expansion: linear expansion [1/K] of that container.
        resolution: change of temperature [K] after which the stress is solved again.
    """

    rheology: Rheology = "Maxwell"
    order: Annotated[int, Field(ge=1, le=2)] | None = None  # Literal[1, 2] would take true for 1
    bonded: tuple[str, ...] = ()
    container_expansion: Expansion = 0.0
    resolution: Annotated[TemperatureDifference, Field(gt=0.0)] = 6.0

    def faults(self, mechanics: Mapping[str, Mechanics | None]) -> list[str]:
        """One line for every region whose material says too little.

        Args:
            mechanics: of every region; None where something of it is not known.
        """
        found = []
        for region, medium in mechanics.items():
            if medium is None:
                found.append(f"stress: the material of {region} needs youngs_modulus, poissons_ratio and expansion")
            elif self.rheology == "Maxwell" and medium.viscosity is None and medium.set_temperature is not None:
                found.append(
                    f'stress.rheology: the material of {region} sets at a temperature and has no viscosity: write "elastic"'
                )
        return found
