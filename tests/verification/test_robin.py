"""Bodies that are put into a bath: the exact series of Heisler's problem, and the convective control of the field.

Series: reference/physics.md, section 7.1; any textbook on conduction, e.g. Carslaw & Jaeger.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import j0, j1, jn_zeros

Array = NDArray[np.float64]

RADIUS = 10e-3  # [m], or half the slab's thickness
CAPACITY, CONDUCTIVITY = 2e6, 0.5  # [J/m3/K], [W/m/K]
INITIAL, BATH = -150.0, 20.0  # [degC]
FOURIER = 0.2
DURATION = FOURIER * RADIUS**2 * CAPACITY / CONDUCTIVITY  # [s]
TERMS = 60
BODIES = ("slab", "cylinder", "sphere")
CONVERGED = "0.0005 K"  # a tolerance of steps at which the error in time is far below that in space


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


def theta(body: str, biot: float, fourier: float, place: Any) -> Array:
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


def disc(radius: float, height: float) -> dict[str, str]:
    """Parameters of vial.geo for a cylinder [m]; with insulated ends any height stands for an endless one."""
    return {"volume": f"{np.pi * radius**2 * height!r} m^3", "aspect": f"{height / (2 * radius)!r}"}


def bath_case(bench: Any, body: str, biot: float, cells: int, **solver: str) -> Any:
    """A body of RADIUS in a bath, with cells of RADIUS / cells."""
    size = RADIUS / cells
    sections: dict[str, Any] = {
        "initial": {"temperature": f"{INITIAL} degC"},
        "stages": [{"name": "bath", "duration": f"{DURATION!r} s"}],
        "solver": {"tolerance": CONVERGED} | solver,
        "mesh": {},
    }
    bath = {"kind": "convection", "coefficient": f"{biot * CONDUCTIVITY / RADIUS!r} W/m^2/K", "ambient": f"{BATH} degC"}
    shut = {"kind": "insulated"}
    medium = {"material": bench.material("jelly", CAPACITY, CONDUCTIVITY)}
    if body == "slab":
        halvings = int(np.log2(cells / 5))
        sections["mesh"] = {"refine": halvings}
        recipe, parameters, size = "slab", {"thickness": f"{RADIUS!r} m", "width": f"{RADIUS / 5!r} m"}, RADIUS / 5
        boundaries, region = {"left": shut, "sides": shut, "right": bath}, "body"
    elif body == "cylinder":
        recipe, parameters, boundaries, region = "vial", disc(RADIUS, 2 * size), {"side": bath, "top": shut, "bottom": shut}, "cpa"
    else:
        recipe, parameters, boundaries, region = "sphere", {"radius": f"{RADIUS!r} m"}, {"surface": bath}, "body"
    return bench.case(recipe, parameters, f"{size!r} m", regions={region: medium}, boundaries=boundaries, **sections)


def place_in(body: str, position: Array) -> Array:
    """From 0 at the centre to 1 at the surface, shape (nodes,)."""
    coordinates = {"slab": position[:, :1], "cylinder": position[:, :2], "sphere": position}[body]
    return np.asarray(np.linalg.norm(coordinates, axis=1) / RADIUS)


def error_of(trial: Any, body: str, biot: float) -> Array:
    """Error of the final temperature [K] at every node."""
    exact = BATH + (INITIAL - BATH) * theta(body, biot, FOURIER, place_in(body, trial.position))
    return np.asarray(trial.temperature - 273.15 - exact)


# reference/physics.md, section 7.1: centre and surface of slab, cylinder and sphere
TABLE = {
    (0.1, 0.2): (0.99399850, 0.95141985, 0.98367389, 0.93858386, 0.97020999, 0.92425083),
    (1.0, 0.2): (0.95064178, 0.64339078, 0.87017424, 0.57022774, 0.77231161, 0.49591218),
    (1.0, 1.0): (0.53385940, 0.34817685, 0.24937971, 0.16033841, 0.10797704, 0.06874032),
    (10.0, 0.2): (0.82925473, 0.12248224, 0.60023234, 0.07484386, 0.38266433, 0.04105502),
    (10.0, 1.0): (0.16381764, 0.02317206, 0.01356041, 0.00165153, 0.00061757, 0.00006545),
}


@pytest.mark.parametrize(("biot", "fourier"), TABLE)
def test_the_series_of_this_file_gives_the_tabulated_values(biot: float, fourier: float) -> None:
    summed = np.concatenate([theta(body, biot, fourier, [0.0, 1.0]) for body in BODIES])
    assert summed == pytest.approx(TABLE[biot, fourier], abs=1e-8)


@pytest.mark.parametrize("biot", [1.0, 10.0])
@pytest.mark.parametrize("body", BODIES)
def test_a_body_in_a_bath_follows_the_series_and_converges_with_the_square_of_the_cells(
    bench: Any, order: Any, body: str, biot: float
) -> None:
    errors = []
    for cells in (10, 20):
        trial = bench.solved(bath_case(bench, body, biot, cells))
        error = error_of(trial, body, biot)
        errors.append(trial.norm(error))
    print(body, biot, "rms", errors, "max", np.abs(error).max(), "order", order(errors), len(error))
    assert np.abs(error).max() < 0.3
    assert order(errors) >= 1.9


@pytest.mark.parametrize("body", BODIES)
def test_the_error_of_a_fixed_step_falls_with_its_square(bench: Any, order: Any, body: str) -> None:
    steps = [DURATION / n for n in (8, 16, 32)]
    finest = bench.solved(bath_case(bench, body, 10.0, 5, step=f"{DURATION / 512!r} s"))
    errors = []
    for step in steps:
        coarse = bench.solved(bath_case(bench, body, 10.0, 5, step=f"{step!r} s"))
        errors.append(finest.norm(coarse.temperature - finest.temperature))
    print(body, errors, order(errors))
    assert order(errors) >= 1.9
