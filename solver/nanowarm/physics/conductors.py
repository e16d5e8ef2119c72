"""Currents: magnetic field and vector potential per ampere in closed form, at any place and in any orientation."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from nanowarm.physics.curves import Array
from nanowarm.quantity import VACUUM_PERMEABILITY

Vector = tuple[float, float, float]

ORIGIN: Vector = (0.0, 0.0, 0.0)
X_AXIS: Vector = (1.0, 0.0, 0.0)
Y_AXIS: Vector = (0.0, 1.0, 0.0)
Z_AXIS: Vector = (0.0, 0.0, 1.0)

_NEAREST = 1e-6  # radii: closer to a line current its field is that at this distance, and magpylib's would not end
_THIN = 1e-4  # of the squared modulus: below it a series is more exact than the difference of elliptic integrals
_LEAST = 1e-30  # keeps the complementary moduli of elliptic integrals off their pole


@dataclass(frozen=True)
class Ring:
    """A circular line current.

    Args:
        radius: [m].
        centre: [m].
        axis: unit vector; seen against it the current runs anticlockwise.
        turns: current per ampere of the coil; negative runs the other way.
    """

    radius: float
    centre: Vector
    axis: Vector
    turns: float

    def field(self, points: Array) -> Array:
        """Magnetic field H [A/m per A] at points [m]; both of shape (n, 3)."""
        from magpylib.core import current_circle_Hfield  # 1 s

        rho, z, radial = _cylindrical(points, self.centre, self.axis)
        z = np.where(np.hypot(rho - self.radius, z) < _NEAREST * self.radius, _NEAREST * self.radius, z)
        along_radius, _, along_axis = current_circle_Hfield(
            r0=np.full_like(rho, self.radius), r=rho, z=z, i0=np.full_like(rho, self.turns)
        )
        return along_radius[:, None] * radial + along_axis[:, None] * np.array(self.axis)

    def vector_potential(self, points: Array) -> Array:
        """Vector potential A [T m per A] at points [m]; both of shape (n, 3).

        A_phi = mu0 I a D [(2 - m) K(m) - 2 E(m)] / (4 pi a rho), brought by Landen's transformation to a form
        without cancellation: 8 mu0 I a^2 rho / (3 pi s^3) R_D(0, 1 - q^2, 1), s the sum of the largest and the
        smallest distance to the ring, q = 4 a rho / s^2.

        Source: Jackson, Classical Electrodynamics (1999), eq. 5.37; Carlson (1995), Numer. Algorithms 10:13 (R_D).
        """
        from scipy.special import elliprd

        rho, z, _ = _cylindrical(points, self.centre, self.axis)
        total = np.hypot(rho + self.radius, z) + np.hypot(rho - self.radius, z)
        modulus = 4.0 * self.radius * rho / total**2
        integral = elliprd(0.0, np.maximum((1.0 - modulus) * (1.0 + modulus), _LEAST), 1.0)
        factor = 8.0 * VACUUM_PERMEABILITY * self.turns * self.radius**2 / (3.0 * math.pi) * integral / total**3
        return factor[:, None] * np.cross(self.axis, points - np.array(self.centre))

    def distance(self, points: Array) -> Array:
        """Distance [m] of points to the current, shape (n,)."""
        rho, z, _ = _cylindrical(points, self.centre, self.axis)
        return np.asarray(np.hypot(rho - self.radius, z))

    def outline(self, number: int = 64) -> Array:
        """Points [m] on the current, shape (number, 3)."""
        angles = 2.0 * math.pi * np.arange(number)[:, None] / number
        across, other = _perpendicular(self.axis)
        return np.array(self.centre) + self.radius * (np.cos(angles) * across + np.sin(angles) * other)


@dataclass(frozen=True)
class Tube:
    """Current around a cylinder, spread evenly over its length: a closely wound solenoid.

    Args:
        radius: [m].
        length: [m].
        centre: [m].
        axis: unit vector.
        turns: current per ampere of the coil.
    """

    radius: float
    length: float
    centre: Vector
    axis: Vector
    turns: float

    def field(self, points: Array) -> Array:
        """Magnetic field H [A/m per A] at points [m]; both of shape (n, 3).

        That of a magnet of the same shape with the magnetisation turns / length.
        """
        from magpylib.core import magnet_cylinder_axial_Bfield

        rho, z, radial = _cylindrical(points, self.centre, self.axis)
        half = 0.5 * self.length
        at_edge = np.hypot(rho - self.radius, np.abs(z) - half) < _NEAREST * self.radius
        z = np.where(at_edge, np.copysign(half + _NEAREST * self.radius, z), z) / self.radius
        along_radius, _, along_axis = magnet_cylinder_axial_Bfield(np.full_like(rho, half / self.radius), rho / self.radius, z)
        both = along_radius[:, None] * radial + along_axis[:, None] * np.array(self.axis)
        return self.turns / self.length * both

    def vector_potential(self, points: Array) -> Array:
        """Vector potential A [T m per A] at points [m]; both of shape (n, 3).

        A_phi = mu0 n I a^2 rho / (2 pi) [zeta G(zeta)] between the distances zeta to both ends, with
        G = integral of sin^2(phi) / (d^2 (d^2 + zeta^2)^(1/2)) over half a turn and d^2 = a^2 + rho^2 - 2 a rho
        cos(phi): the rings of `Ring`, integrated over the length by parts.
        """
        rho, z, _ = _cylindrical(points, self.centre, self.axis)
        upper, lower = z + 0.5 * self.length, z - 0.5 * self.length
        difference = upper * _end_integral(self.radius, rho, upper) - lower * _end_integral(self.radius, rho, lower)
        factor = VACUUM_PERMEABILITY * self.turns / self.length * self.radius**2 / (2.0 * math.pi) * difference
        return factor[:, None] * np.cross(self.axis, points - np.array(self.centre))

    def distance(self, points: Array) -> Array:
        """Distance [m] of points to the current, shape (n,)."""
        rho, z, _ = _cylindrical(points, self.centre, self.axis)
        return np.asarray(np.hypot(rho - self.radius, np.maximum(np.abs(z) - 0.5 * self.length, 0.0)))

    def outline(self, number: int = 64) -> Array:
        """Points [m] on the current, shape (17 number, 3)."""
        ring = Ring(self.radius, self.centre, self.axis, self.turns).outline(number)
        shifts = np.linspace(-0.5, 0.5, 17)[:, None] * self.length * np.array(self.axis)
        return np.concatenate([ring + shift for shift in shifts])


Conductor = Ring | Tube


def _cylindrical(points: Array, centre: Vector, axis: Vector) -> tuple[Array, Array, Array]:
    """Distance from an axis [m], position along it [m], and the unit vector away from it, shape (n, 3)."""
    offset = points - np.array(centre)
    along = offset @ np.array(axis)
    across = offset - along[:, None] * np.array(axis)
    rho = np.linalg.norm(across, axis=1)
    return rho, along, across / np.where(rho > 0.0, rho, 1.0)[:, None]


def _perpendicular(axis: Vector) -> tuple[Array, Array]:
    """Two unit vectors that make a right-handed frame with an axis."""
    smallest = np.eye(3)[int(np.argmin(np.abs(axis)))]
    across = np.cross(smallest, axis)
    across /= np.linalg.norm(across)
    return across, np.cross(axis, across)


def _end_integral(radius: float, rho: Array, height: Array) -> Array:
    """G of `Tube.vector_potential` [1/m3], by Carlson's integrals or, near the axis, by a series in n and m."""
    from scipy.special import elliprd, elliprj

    far = np.hypot(radius + rho, height)
    n, m = 4.0 * radius * rho / (radius + rho) ** 2, 4.0 * radius * rho / far**2
    rest_n = np.maximum(((radius - rho) / (radius + rho)) ** 2, _LEAST)
    rest_m = np.maximum((np.hypot(radius - rho, height) / far) ** 2, _LEAST)
    thin = n < _THIN
    exact = (elliprd(0.0, rest_m, 1.0) - rest_n * elliprj(0.0, rest_m, 1.0, rest_n)) / (3.0 * np.where(thin, 1.0, n))
    series = math.pi / 16.0 * (1.0 + (n + m / 2.0) / 2.0 + (n**2 + n * m / 2.0 + 0.375 * m**2) * 5.0 / 16.0)
    return np.asarray(8.0 * np.where(thin, series, exact) / ((radius + rho) ** 2 * far))


def placed(conductors: tuple[Conductor, ...], centre: Vector, axis: Vector) -> tuple[Conductor, ...]:
    """Conductors given around the origin and the z axis, brought to a centre [m] and an axis."""
    across, other = (np.array(X_AXIS), np.array(Y_AXIS)) if axis == Z_AXIS else _perpendicular(axis)
    turn = np.column_stack((across, other, axis))
    moved = []
    for conductor in conductors:
        where, along = turn @ np.array(conductor.centre) + np.array(centre), turn @ np.array(conductor.axis)
        moved.append(replace(conductor, centre=tuple(where.tolist()), axis=tuple(along.tolist())))
    return tuple(moved)
