"""A heated ball within a shell, both given by their closed surfaces: the exact steady solution."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvista
from numpy.typing import NDArray

from nanowarm.verification.sources import CORE, SHELL_CONDUCTIVITY, layered_rise
from nanowarm.verification.writing import CONDUCTIVITY, RADIUS

Array = NDArray[np.float64]

POWER, SURFACE = 1e6, 20.0  # [W/m3] in the core only, [degC]
IRON = 10.0  # [kg/m3]


def steady(r: Array) -> Array:
    """Steady temperature [degC]."""
    return SURFACE + layered_rise(r, POWER)


def write_sphere(path: Path, radius: float) -> None:
    """Binary STL file of a sphere [mm] of 20480 triangles, whose volume is 0.04 % below the sphere's."""
    pyvista.Icosphere(radius=1e3 * radius, nsub=5).save(path)


@pytest.fixture(scope="module")
def trial(module_bench: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    bench = module_bench
    for name, radius in (("core", CORE), ("shell", RADIUS)):
        write_sphere(bench.folder / f"{name}.stl", radius)
    particles = {"name": bench.particle("warmer", POWER / IRON), "iron": f"{IRON} mgFe/mL"}
    capacity = 1e5  # of no importance in the end
    mesh = {"file": "", "files": {"core": "core.stl", "shell": "shell.stl"}, "unit": "mm"}
    path = bench.case(
        "sphere",
        {},
        "0.5 mm",
        mesh=mesh,
        initial={"temperature": f"{SURFACE} degC"},
        regions={
            "core": {"material": bench.material("gel", capacity, CONDUCTIVITY), "particles": particles},
            "shell": {"material": bench.material("fat", capacity, SHELL_CONDUCTIVITY)},
        },
        boundaries={"outer": {"kind": "fixed temperature", "value": f"{SURFACE} degC"}},
        field={"kind": "uniform", "amplitude": "20 kA/m", "frequency": "200 kHz"},
        # The slowest mode decays at least as exp(-pi^2 k t / rho c b^2), here to 5e-7.
        stages=[{"name": "warm", "duration": f"{14.5 / np.pi**2 * RADIUS**2 * capacity / SHELL_CONDUCTIVITY!r} s"}],
        solver={"tolerance": "0.01 K"},
    )
    return bench.solved(path)


def test_the_exact_solution_balances_the_heat_of_the_core() -> None:
    r = np.array([0.7, 0.700001]) * RADIUS
    flow = -4 * np.pi * r[0] ** 2 * SHELL_CONDUCTIVITY * np.diff(steady(r))[0] / np.diff(r)[0]
    assert flow == pytest.approx(POWER * 4 / 3 * np.pi * CORE**3, rel=1e-4)


def test_temperatures_are_within_half_a_per_cent_of_the_exact_rise(trial: Any) -> None:
    r = np.linalg.norm(trial.position, axis=1)
    error = trial.temperature - 273.15 - steady(r)
    rise = float(steady(np.array(0.0))) - SURFACE
    centre = r < 1e-3
    interface = np.abs(r - CORE) < 1e-5
    assert centre.any()
    assert interface.sum() > 100
    assert np.abs(error[centre]).max() < 0.005 * rise
    assert np.abs(error[interface]).max() < 0.005 * rise
    assert trial.norm(error) < 0.005 * rise
    assert abs(trial.mean(error)) < 0.005 * trial.mean(steady(r) - SURFACE)
