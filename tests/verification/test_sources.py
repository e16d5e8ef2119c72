"""Heat sources with exact solutions: reference/physics.md, sections 7.2 and 7.3."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.special import erf, erfc

Array = NDArray[np.float64]

SPHERE = Path(__file__).parents[2] / "meshes" / "sphere.geo"
FIELD = {"kind": "uniform", "amplitude": "20 kA/m", "frequency": "200 kHz"}
SHUT = {"kind": "insulated"}
IRON = 10.0  # [kg/m3]

# section 7.2: q 1e6 W/m3, R = L = 10 mm, k 0.5 W/m/K, h 100 W/m2/K, bath 20 degC
POWER, RADIUS, CONDUCTIVITY, COEFFICIENT, BATH = 1e6, 10e-3, 0.5, 100.0, 20.0
DIMENSION = {"slab": 1, "cylinder": 2, "sphere": 3}
SLOWEST = {"slab": 1.0769, "cylinder": 1.5994, "sphere": 2.0288}  # first roots for Bi = h R / k = 2
CENTRE = {"slab": 220.0, "cylinder": 120.0, "sphere": 86.667}  # [degC]


def filling(bench: Any, power: float, capacity: float) -> dict[str, Any]:
    """A region that heats with a power density [W/m3]."""
    particles = {"name": bench.particle("warmer", power / IRON), "iron": f"{IRON} mgFe/mL"}
    return {"material": bench.material("jelly", capacity, CONDUCTIVITY), "particles": particles}


def steady(body: str, r: Array) -> Array:
    """Steady temperature [degC] with a uniform source: balance, then q r^2 / 2 d k below the centre's."""
    d = DIMENSION[body]
    return BATH + POWER * RADIUS / (d * COEFFICIENT) + POWER * (RADIUS**2 - r**2) / (2 * d * CONDUCTIVITY)


def steady_case(bench: Any, body: str, cells: int) -> Any:
    capacity = 1e6  # of no importance in the end
    duration = 15 / SLOWEST[body] ** 2 * RADIUS**2 * capacity / CONDUCTIVITY  # the slowest mode falls to 3e-7
    bath = {"kind": "convection", "coefficient": f"{COEFFICIENT} W/m^2/K", "ambient": f"{BATH} degC"}
    size, mesh = RADIUS / cells, {}
    if body == "slab":
        mesh = {"refine": int(np.log2(cells / 5))}
        size, recipe = RADIUS / 5, "slab"
        parameters = {"thickness": f"{RADIUS!r} m", "width": f"{RADIUS / 5!r} m"}
        boundaries, region = {"left": SHUT, "sides": SHUT, "right": bath}, "body"
    elif body == "cylinder":
        recipe, region = "vial", "cpa"
        parameters = {"volume": f"{2 * np.pi * RADIUS**2 * size!r} m^3", "aspect": f"{size / RADIUS!r}"}
        boundaries = {"side": bath, "top": SHUT, "bottom": SHUT}
    else:
        recipe, parameters, boundaries, region = "sphere", {"radius": f"{RADIUS!r} m"}, {"surface": bath}, "body"
    return bench.case(
        recipe,
        parameters,
        f"{size!r} m",
        mesh=mesh,
        initial={"temperature": f"{BATH} degC"},
        regions={region: filling(bench, POWER, capacity)},
        boundaries=boundaries,
        field=FIELD,
        stages=[{"name": "warm", "duration": f"{duration!r} s"}],
        solver={"tolerance": "0.002 K"},
    )


@pytest.mark.parametrize("body", DIMENSION)
def test_the_parabola_of_this_file_has_the_tabulated_centre(body: str) -> None:
    assert float(steady(body, np.array(0.0))) == pytest.approx(CENTRE[body], abs=1e-3)


@pytest.mark.parametrize("body", DIMENSION)
def test_a_uniform_source_leads_to_the_steady_parabola_at_second_order(bench: Any, order: Any, body: str) -> None:
    errors = []
    for cells in (10, 20) if body == "slab" else (8, 16):
        trial = bench.solved(steady_case(bench, body, cells))
        along = {"slab": [0], "cylinder": [0, 1], "sphere": [0, 1, 2]}[body]
        r = np.linalg.norm(trial.position[:, along], axis=1)
        errors.append(trial.norm(trial.temperature - 273.15 - steady(body, r)))
    assert errors[-1] < 0.005 * (CENTRE[body] - BATH)
    assert order(errors) >= 1.9


# section 7.3: a 5 mm, k 0.5 W/m/K, rho c 3.885e6 J/m3/K, q 1e6 W/m3
CORE, HEAVY = 5e-3, 3.885e6
DIFFUSIVITY = CONDUCTIVITY / HEAVY


def rise(r: float, time: float) -> float:
    """T - T0 [K] at a distance from the centre of a heated sphere in an endless medium."""
    if r == 0.0:
        at = DIFFUSIVITY * time
        u = CORE / (2 * np.sqrt(at))
        inside = at * erf(u) - CORE * np.sqrt(at / np.pi) * np.exp(-(u**2)) + CORE**2 / 2 * erfc(u)
        return float(POWER / CONDUCTIVITY * inside)

    def change(tau: float) -> float:
        s = 2 * np.sqrt(DIFFUSIVITY * tau)
        near, far = (CORE - r) / s, (CORE + r) / s
        waves = np.exp(-(near**2)) - np.exp(-(far**2))
        return float(0.5 * (erf(far) + erf(near)) - np.sqrt(DIFFUSIVITY * tau / np.pi) / r * waves)

    return float(POWER / HEAVY * quad(change, 0.0, time, epsabs=1e-9)[0])


def test_the_rise_of_this_file_has_the_tabulated_values() -> None:
    found = [rise(0.0, 10.0), rise(0.0, 60.0), rise(0.0, 300.0), rise(CORE, 10.0), rise(CORE, 60.0), rise(2 * CORE, 60.0)]
    assert found == pytest.approx([2.56525296, 10.40758637, 17.67023906, 1.06733558, 4.51302207, 0.21875082], abs=1e-7)


def test_a_sphere_that_heats_in_a_large_medium_follows_the_exact_transient(bench: Any, order: Any) -> None:
    duration, errors = 60.0, []
    for around in (50, 100):  # elements around a great circle of the core and of the outer sphere
        recipe = bench.folder / f"sphere{around}.geo"
        recipe.write_text(f'// unit: mm\nInclude "{SPHERE}";\nMesh.MeshSizeFromCurvature = {around};\n')
        path = bench.case(
            "sphere",
            {"radius": "25 mm", "core": f"{CORE!r} m"},
            "10 mm",
            mesh={"file": str(recipe)},
            initial={"temperature": "37 degC"},
            regions={"core": filling(bench, POWER, HEAVY), "body": {"material": "jelly.toml"}},
            boundaries={"surface": SHUT},
            field=FIELD,
            stages=[{"name": "warm", "duration": f"{duration} s"}],
            solver={"tolerance": "0.001 K"},
            output={
                "every": "10 s",
                "probes": {"centre": ["0 mm"] * 3, "rim": ["5 mm", "0 mm", "0 mm"], "far": ["0 mm", "0 mm", "10 mm"]},
            },
        )
        trial = bench.solved(path)
        found = [trial.column(f"probe_{name}_degC")[-1] - 37.0 for name in ("centre", "rim", "far")]
        exact = [rise(r, duration) for r in (0.0, CORE, 2 * CORE)]
        grid = np.linspace(0.0, 25e-3, 501)
        profile = np.interp(np.linalg.norm(trial.position, axis=1), grid, [rise(r, duration) for r in grid])
        errors.append(trial.norm(trial.temperature - 310.15 - profile))
    assert np.abs(np.subtract(found, exact)).max() < 4e-3 * exact[0]
    assert order(errors) >= 1.9
