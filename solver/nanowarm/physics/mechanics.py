"""How a material deforms: elasticity, thermal expansion, and the viscosity of a glass former."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from nanowarm.physics.curves import Array, Curve
from nanowarm.physics.sourced import Sourced
from nanowarm.quantity import Temperature, TemperatureDifference, Viscosity

MOST_EXPONENT = 300.0  # of ten, so that nothing overflows


class GlassViscosity(Sourced):
    """Vogel-Fulcher-Tammann viscosity: log10(eta / Pa s) = log10_at_infinity + scale / (T - vanishing), capped.

    Args:
        log10_at_infinity: of the viscosity [Pa s] at infinite temperature.
        scale: [K].
        vanishing: temperature [K] at which the formula diverges.
        highest: cap [Pa s].
    """

    kind: Literal["VFT"]
    log10_at_infinity: float
    scale: TemperatureDifference
    vanishing: Temperature
    highest: Viscosity

    def value(self, temperature: Array) -> Array:
        """Shear viscosity [Pa s] at a temperature [K], same shape."""
        above = np.maximum(np.asarray(temperature, dtype=float) - self.vanishing, 1e-6)
        exponent = np.minimum(self.log10_at_infinity + self.scale / above, MOST_EXPONENT)
        return np.asarray(np.minimum(10.0**exponent, self.highest))


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
