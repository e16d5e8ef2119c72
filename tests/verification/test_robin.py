"""Bodies that are put into a bath: the exact series of Heisler's problem, and the convective control of the field.

Series: reference/physics.md, section 7.1; any textbook on conduction, e.g. Carslaw & Jaeger.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

Array = NDArray[np.float64]

RADIUS = 10e-3  # [m], or half the slab's thickness
CAPACITY, CONDUCTIVITY = 2e6, 0.5  # [J/m3/K], [W/m/K]
INITIAL, BATH = -150.0, 20.0  # [degC]
FOURIER = 0.2
DURATION = FOURIER * RADIUS**2 * CAPACITY / CONDUCTIVITY  # [s]
BODIES = ("slab", "cylinder", "sphere")
CONVERGED = "0.0005 K"  # a tolerance of steps at which the error in time is far below that in space


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
        recipe, parameters, region = "vial", disc(RADIUS, 2 * size), "cpa"
        boundaries = {"side": bath, "top": shut, "bottom": shut}
    else:
        recipe, parameters, boundaries, region = "sphere", {"radius": f"{RADIUS!r} m"}, {"surface": bath}, "body"
    return bench.case(recipe, parameters, f"{size!r} m", regions={region: medium}, boundaries=boundaries, **sections)


def place_in(body: str, position: Array) -> Array:
    """From 0 at the centre to 1 at the surface, shape (nodes,)."""
    coordinates = {"slab": position[:, :1], "cylinder": position[:, :2], "sphere": position}[body]
    return np.asarray(np.linalg.norm(coordinates, axis=1) / RADIUS)


def error_of(trial: Any, theta: Any, body: str, biot: float) -> Array:
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
def test_the_series_gives_the_tabulated_values(theta: Any, biot: float, fourier: float) -> None:
    summed = np.concatenate([theta(body, biot, fourier, [0.0, 1.0]) for body in BODIES])
    assert summed == pytest.approx(TABLE[biot, fourier], abs=1e-8)


@pytest.mark.parametrize("biot", [1.0, 10.0])
@pytest.mark.parametrize("body", BODIES)
def test_a_body_in_a_bath_follows_the_series_and_converges_with_the_square_of_the_cells(
    bench: Any, order: Any, theta: Any, body: str, biot: float
) -> None:
    errors = []
    for cells in (10, 20):
        trial = bench.solved(bath_case(bench, body, biot, cells))
        error = error_of(trial, theta, body, biot)
        errors.append(trial.norm(error))
    assert np.abs(error).max() < 0.3
    assert order(errors) >= 1.9


@pytest.mark.parametrize("body", BODIES)
def test_the_error_of_a_fixed_step_falls_with_its_square(bench: Any, order: Any, body: str) -> None:
    finest = bench.solved(bath_case(bench, body, 10.0, 5, step=f"{DURATION / 4096!r} s"))
    # steps of 5 and 2.5 over the spectral radius both take 3 stages, on whose number the error's factor depends
    count = int(np.ceil(DURATION * finest.heat.spectral_radius(DURATION) / 5.0))
    errors = []
    for steps in (count, 2 * count):
        coarse = bench.solved(bath_case(bench, body, 10.0, 5, step=f"{DURATION / steps!r} s"))
        errors.append(finest.norm(coarse.temperature - finest.temperature))
    assert order(errors) >= 1.9


def test_a_tighter_tolerance_gives_a_smaller_error(bench: Any) -> None:
    finest = bench.solved(bath_case(bench, "cylinder", 10.0, 10, tolerance="1e-6 K"))
    errors = []
    for tolerance in ("0.1 K", "0.01 K", "0.001 K"):
        coarse = bench.solved(bath_case(bench, "cylinder", 10.0, 10, tolerance=tolerance))
        errors.append(np.abs(coarse.temperature - finest.temperature).max())
    assert errors[0] > errors[1] > errors[2]
    assert errors[1] < 10 * 0.01


# reference/physics.md, section 3: centre rates [degC/min] over [-100, -40] / [-120, -20] degC, rounded to whole ones
CONTROL = {(5e-3, 150.0): (92, 86), (5e-3, 1000.0): (158, 149), (14.5e-3, 150.0): (16, 15), (14.5e-3, 1000.0): (20, 19)}
WINDOWS = ((-100.0, -40.0), (-120.0, -20.0))
CONTROL_K, CONTROL_C, WARM = 0.30, 2.33e6, 37.0  # [W/m/K], [J/m3/K], [degC]


def rates_between(time: Array, centre: Array) -> list[float]:
    """Mean rates [degC/min] of a rising temperature [degC] over WINDOWS."""
    crossed = {limit: float(np.interp(limit, centre, time)) for window in WINDOWS for limit in window}
    return [60.0 * (high - low) / (crossed[high] - crossed[low]) for low, high in WINDOWS]


@pytest.mark.parametrize(("radius", "coefficient"), CONTROL)
def test_a_long_cylinder_in_a_warm_bath_warms_at_the_published_rate(
    bench: Any, theta: Any, radius: float, coefficient: float
) -> None:
    biot, diffusivity = coefficient * radius / CONTROL_K, CONTROL_K / CONTROL_C
    duration = 1.2 * radius**2 / diffusivity
    bath = {"kind": "convection", "coefficient": f"{coefficient} W/m^2/K", "ambient": f"{WARM} degC"}
    path = bench.case(
        "vial",
        disc(radius, radius / 10),
        f"{radius / 10!r} m",
        initial={"temperature": "-150 degC"},
        regions={"cpa": {"material": bench.material("jelly", CONTROL_C, CONTROL_K)}},
        boundaries={"side": bath, "top": {"kind": "insulated"}, "bottom": {"kind": "insulated"}},
        stages=[{"name": "bath", "duration": f"{duration!r} s"}],
        output={"every": f"{duration / 400!r} s", "probes": {"centre": ["0 m", "0 m", "0 m"]}},
    )
    trial = bench.solved(path)
    found = rates_between(trial.column("time_s"), trial.column("probe_centre_degC"))
    time = np.linspace(1e-3, 1.2, 2000)
    series = [WARM + (-150.0 - WARM) * float(theta("cylinder", biot, fourier, 0.0)[0]) for fourier in time]
    exact = rates_between(time * radius**2 / diffusivity, np.array(series))
    assert exact == pytest.approx(CONTROL[radius, coefficient], abs=0.5)
    assert found == pytest.approx(exact, rel=0.02)
