"""Heat of eddy currents in bodies for which it is known exactly.

In a uniform alternating field H along the axis of a body of revolution, and where the field of the eddy
currents themselves is negligible (radius far below the skin depth), the electric field runs around the
axis: E = mu0 omega H r / 2 at the distance r from it. H and E are peak, so heat is sigma E^2 / 2 on average.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from nanowarm.physics.curves import Array
from nanowarm.quantity import VACUUM_PERMEABILITY


def skin_depth(conductivity: float, frequency: float) -> float:
    """Depth [m] at which a field at a frequency [Hz] has fallen to 1/e in a conductor [S/m]."""
    return 1.0 / math.sqrt(math.pi * frequency * VACUUM_PERMEABILITY * conductivity)


def induced_field(amplitude: float, frequency: float, radius: ArrayLike) -> Array:
    """Peak electric field [V/m] at distances from the axis [m]: pi mu0 f H r.

    Args:
        amplitude: peak H [A/m].
        frequency: [Hz].
        radius: distances from the axis [m], any shape.
    """
    return np.asarray(math.pi * VACUUM_PERMEABILITY * frequency * amplitude * np.asarray(radius, dtype=float))


def eddy_heat(conductivity: float, amplitude: float, frequency: float, radius: ArrayLike) -> Array:
    """Mean heat [W/m3] of a cylinder along the field or of a sphere: sigma (pi mu0 f H r)^2 / 2.

    Args:
        conductivity: [S/m].
        amplitude: peak H [A/m].
        frequency: [Hz].
        radius: distances from the axis through the centre along the field [m], any shape.

    Source: reference/physics.md 5.4; for the sphere E = mu0 omega H r sin(theta) / 2 with r from its centre.

    >>> round(float(eddy_heat(0.4, 4.85e8 / 100e3, 100e3, 0.15)))  # at the Atkinson-Brezovich limit
    16497
    """
    return np.asarray(0.5 * conductivity * induced_field(amplitude, frequency, radius) ** 2)


def mean_eddy_heat_of_cylinder(conductivity: float, amplitude: float, frequency: float, radius: float) -> float:
    """Heat [W/m3] averaged over a cylinder along the field: half of that at its surface."""
    return 0.5 * float(eddy_heat(conductivity, amplitude, frequency, radius))


def mean_eddy_heat_of_sphere(conductivity: float, amplitude: float, frequency: float, radius: float) -> float:
    """Heat [W/m3] averaged over a sphere: two fifths of that at its equator."""
    return 0.4 * float(eddy_heat(conductivity, amplitude, frequency, radius))


def eddy_heat_with_skin(conductivity: float, amplitude: float, frequency: float, radius: ArrayLike, surface: float) -> Array:
    """Mean heat [W/m3] of a long cylinder along the field at any skin depth: the field of its own currents included.

    E = (k H / sigma) J1(k r) / J0(k R) with k = (1 - i) / skin depth.

    Args:
        conductivity: [S/m].
        amplitude: peak H [A/m] at the surface.
        frequency: [Hz].
        radius: distances from the axis [m], any shape.
        surface: radius of the cylinder R [m].

    Source: Landau & Lifshitz, Electrodynamics of Continuous Media (1984), section 59, problem 2.
    """
    from scipy.special import jve

    k = (1.0 - 1.0j) / skin_depth(conductivity, frequency)
    inner = k * np.asarray(radius, dtype=float)
    decay = np.exp(np.abs(inner.imag) - abs((k * surface).imag))  # what the scaled Bessel functions leave out
    electric = k * amplitude / conductivity * jve(1, inner) / jve(0, k * surface) * decay
    return np.asarray(0.5 * conductivity * np.abs(electric) ** 2)
