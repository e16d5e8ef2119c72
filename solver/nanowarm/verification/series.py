"""The series of eigenfunctions of slab, cylinder and sphere in a bath: Heisler's problem.

Source: Carslaw & Jaeger (1959), Conduction of Heat in Solids, 3.11, 7.7 and 9.4.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import j0, j1, jn_zeros

Array = NDArray[np.float64]
Shape = Literal["slab", "cylinder", "sphere"]
TERMS = 60


@cache
def roots(body: Shape, biot: float) -> Array:
    """The first eigenvalues; each lies alone between two neighbouring ends.

    Args:
        body: its shape.
        biot: coefficient times half thickness or radius over conductivity.
    """
    n = np.arange(TERMS)
    residual: Callable[[float], float]
    if body == "slab":
        residual = lambda z: z * np.sin(z) - biot * np.cos(z)  # noqa: E731
        low, high = n * np.pi, n * np.pi + np.pi / 2
    elif body == "cylinder":
        residual = lambda z: z * j1(z) - biot * j0(z)  # noqa: E731
        ends = np.concatenate(([0.0], jn_zeros(1, TERMS)))
        low, high = ends[:-1], ends[1:]
    else:
        residual = lambda z: z * np.cos(z) - (1.0 - biot) * np.sin(z)  # noqa: E731
        low, high = n * np.pi, (n + 1) * np.pi
        low[0] = 1e-9
    return np.array([brentq(residual, a, b, xtol=1e-14) for a, b in zip(low, high, strict=True)])


def theta(body: Shape, biot: float, fourier: float, place: ArrayLike) -> Array:
    """(T - T_bath) / (T_initial - T_bath), shape (places,).

    Args:
        body: its shape.
        biot: coefficient times half thickness or radius over conductivity.
        fourier: diffusivity times time over the square of half thickness or radius.
        place: from 0 (centre) to 1 (surface).
    """
    z = roots(body, biot)
    x = np.outer(np.atleast_1d(np.asarray(place, dtype=float)), z)
    shape = {"slab": np.cos, "cylinder": j0, "sphere": lambda x: np.sinc(x / np.pi)}[body](x)
    return np.asarray(shape @ _amplitudes(body, biot, fourier))


def mean_theta(body: Shape, biot: float, fourier: float) -> float:
    """Mean of (T - T_bath) / (T_initial - T_bath) over the volume; arguments as of `theta`."""
    z = roots(body, biot)
    if body == "slab":
        mean = np.sin(z) / z
    elif body == "cylinder":
        mean = 2 * j1(z) / z
    else:
        mean = 3 * (np.sin(z) - z * np.cos(z)) / z**3
    return float(mean @ _amplitudes(body, biot, fourier))


def _amplitudes(body: Shape, biot: float, fourier: float) -> Array:
    """How large each eigenfunction still is, shape (terms,)."""
    z = roots(body, biot)
    if body == "slab":
        weight = 4 * np.sin(z) / (2 * z + np.sin(2 * z))
    elif body == "cylinder":
        weight = 2 / z * j1(z) / (j0(z) ** 2 + j1(z) ** 2)
    else:
        weight = 4 * (np.sin(z) - z * np.cos(z)) / (2 * z - np.sin(2 * z))
    return np.asarray(weight * np.exp(-(z**2) * fourier))
