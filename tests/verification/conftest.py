"""Exact solutions that several verifications compare with."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import j0, j1, jn_zeros

Array = NDArray[np.float64]

TERMS = 60


@cache
def roots(body: str, biot: float) -> Array:
    """The first eigenvalues; each lies alone between two neighbouring ends."""
    n = np.arange(TERMS)
    if body == "slab":
        residual: Callable[[float], float] = lambda z: z * np.sin(z) - biot * np.cos(z)  # noqa: E731
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


def _theta(body: str, biot: float, fourier: float, place: Any) -> Array:
    """(T - T_bath) / (T_initial - T_bath) at places from 0 (centre) to 1 (surface)."""
    z = roots(body, biot)
    x = np.outer(np.atleast_1d(np.asarray(place, dtype=float)), z)
    if body == "slab":
        weight, shape = 4 * np.sin(z) / (2 * z + np.sin(2 * z)), np.cos(x)
    elif body == "cylinder":
        weight, shape = 2 / z * j1(z) / (j0(z) ** 2 + j1(z) ** 2), j0(x)
    else:
        weight, shape = 4 * (np.sin(z) - z * np.cos(z)) / (2 * z - np.sin(2 * z)), np.sinc(x / np.pi)
    return np.asarray(shape @ (weight * np.exp(-(z**2) * fourier)))


@pytest.fixture(scope="session")
def theta() -> Callable[..., Array]:
    return _theta
