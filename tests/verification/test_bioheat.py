"""Heated spheres in living tissue, with Pennes' term: reference/physics.md, sections 7.3, 7.4 and 7.5.

The mesh ends at OUTER, where the temperature is held at the exact solution of the endless medium: one number on a
concentric sphere, so nothing is lost by cutting the medium off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import quad
from scipy.special import erf

Array = NDArray[np.float64]
Profile = Callable[[ArrayLike], Array]

ZERO = 273.15  # [K]
BODY = 37.0  # [degC], of the blood and at the start
INNER, CORE, OUTER = 3e-3, 5e-3, 15e-3  # [m], radii of `inner`, `shell` and `outer`
AROUND = (40, 80)  # elements around a great circle of every sphere
POWER, CONDUCTIVITY, EXCHANGE = 1e6, 0.5, 33800.865  # [W/m3], [W/m/K], [W/m3/K] of section 7.4
HEAVY = 3.885e6  # [J/m3/K], of tissue and blood alike
IRON = 10.0  # [kg/m3]
FIELD = {"kind": "uniform", "amplitude": "20 kA/m", "frequency": "200 kHz"}
STEADY = [{"name": "settle", "steady": True}]
SPHERES = """// unit: mm
SetFactory("OpenCASCADE");
Sphere(1) = {0, 0, 0, 3};
Sphere(2) = {0, 0, 0, 5};
Sphere(3) = {0, 0, 0, 15};
BooleanFragments{ Volume{1, 2, 3}; Delete; }{}
Physical Volume("inner") = Volume In BoundingBox{-3.1, -3.1, -3.1, 3.1, 3.1, 3.1};
shell() = Volume In BoundingBox{-5.1, -5.1, -5.1, 5.1, 5.1, 5.1};
shell() -= {1};
Physical Volume("shell") = shell();
outer() = Volume{:};
outer() -= {1, shell()};
Physical Volume("outer") = outer();
Physical Surface("surface") = Abs(CombinedBoundary{ Volume{:}; });
"""


def tissue(bench: Any, conductivity: float = CONDUCTIVITY, exchange: float = 0.0, power: float = 0.0) -> dict[str, Any]:
    """A region with blood that exchanges heat [W/m3/K] and particles that heat [W/m3]."""
    bench.material("fluid", HEAVY)
    found: dict[str, Any] = {"material": bench.material(f"tissue{conductivity:g}", HEAVY, conductivity)}
    if exchange:
        found["perfusion"] = {"rate": f"{exchange / HEAVY!r} 1/s", "blood": "./fluid.toml"}
    if power:
        found["particles"] = {"name": bench.particle("warmer", power / IRON), "iron": f"{IRON} mgFe/mL"}
    return found


def held(rise: Any) -> dict[str, Any]:
    """The outer surface, held at a rise [K] over the body's temperature."""
    return {"surface": {"kind": "fixed temperature", "value": rise if isinstance(rise, dict) else f"{BODY + float(rise)!r} degC"}}


def spheres(bench: Any, around: int, regions: Mapping[str, Any], rise: Any, **sections: Any) -> Path:
    """File of a case of three concentric spheres."""
    recipe = bench.folder / f"spheres{around}.geo"
    recipe.write_text(f"{SPHERES}Mesh.MeshSizeFromCurvature = {around};\n", encoding="utf-8")
    everything = {"initial": {"temperature": f"{BODY} degC"}, "field": FIELD, "stages": STEADY} | sections
    path: Path = bench.case(
        "sphere", {}, "3 mm", mesh={"file": str(recipe)}, regions=regions, boundaries=held(rise), **everything
    )
    return path


def radii(trial: Any) -> Array:
    return np.asarray(np.linalg.norm(trial.position, axis=1))


def assert_converges(order: Any, trials: list[Any], exact: Profile) -> None:
    """Within 0.5 % of the rise at the centre, in the mean square and at the centre, with the square of the cells."""
    errors = []
    for trial in trials:
        difference = trial.temperature - ZERO - BODY - exact(radii(trial))
        errors.append(trial.norm(difference))
        assert trial.solution.energy["imbalance_relative"] < 1e-9
    centre = abs(difference[radii(trials[-1]).argmin()])
    assert max(errors[-1], centre) < 0.005 * float(exact(0.0))
    assert order(errors) >= 1.9


def pennes(inside: tuple[float, float], outside: tuple[float, float]) -> Profile:
    """Steady rise [K] over distance [m] of a heated sphere; conductivity and exchange of the core and of the rest."""
    (k1, w1), (k2, w2) = inside, outside
    m1, m2, a = np.sqrt(w1 / k1), np.sqrt(w2 / k2), CORE
    # q/W + C sinh(mr)/r inside, D exp(-mr)/r outside: value and flux match at the core's surface
    swell, decay = np.sinh(m1 * a) / a, np.exp(-m2 * a) / a
    rows = [[swell, -decay], [k1 * (m1 * np.cosh(m1 * a) / a - swell / a), k2 * decay * (m2 + 1 / a)]]
    c, d = np.linalg.solve(rows, [-POWER / w1, 0.0])

    def rise(r: ArrayLike) -> Array:
        r = np.maximum(np.asarray(r, dtype=float), 1e-9)
        core = POWER / w1 + c * np.sinh(m1 * np.minimum(r, a)) / np.minimum(r, a)
        return np.where(r < a, core, d * np.exp(-m2 * r) / r)

    return rise


def test_the_sphere_of_pennes_in_this_file_has_the_tabulated_values() -> None:
    same = pennes((CONDUCTIVITY, EXCHANGE), (CONDUCTIVITY, EXCHANGE))
    assert same([0.0, CORE, 2 * CORE]) == pytest.approx([11.04062779, 5.35757104, 0.73004208], abs=1e-7)


@pytest.mark.parametrize(
    ("inside", "outside", "meshes"),
    [((0.5, EXCHANGE), (0.5, EXCHANGE), AROUND), ((0.55, 8000.0), (0.4, 50000.0), (50, 100))],
    ids=["one tissue", "a tumour in another tissue"],
)
def test_a_heated_sphere_in_perfused_tissue_converges_to_the_exact_steady_state(
    bench: Any, order: Any, inside: tuple[float, float], outside: tuple[float, float], meshes: tuple[int, int]
) -> None:
    exact, trials = pennes(inside, outside), []
    for around in meshes:
        heated = tissue(bench, *inside, POWER)
        regions = {"inner": heated, "shell": heated, "outer": tissue(bench, *outside)}
        trials.append(bench.solved(spheres(bench, around, regions, exact(OUTER))))
    assert_converges(order, trials, exact)


def andra(inside: float, outside: float, radius: float = CORE) -> Profile:
    """Steady rise [K] over distance [m] of a heated sphere without blood, for two conductivities."""

    def rise(r: ArrayLike) -> Array:
        r = np.asarray(r, dtype=float)
        core = POWER * (radius**2 - r**2) / (6 * inside) + POWER * radius**2 / (3 * outside)
        return np.where(r < radius, core, POWER * radius**3 / (3 * outside * np.maximum(r, radius)))

    return rise


def test_a_heated_sphere_without_blood_converges_to_the_exact_steady_state_of_two_conductivities(bench: Any, order: Any) -> None:
    exact, trials = andra(0.8, 0.4), []
    for around in AROUND:
        heated = tissue(bench, 0.8, power=POWER)
        regions = {"inner": heated, "shell": heated, "outer": tissue(bench, 0.4)}
        trials.append(bench.solved(spheres(bench, around, regions, exact(OUTER))))
    assert_converges(order, trials, exact)


def shell(r: ArrayLike) -> Array:
    """Steady rise [K] over distance [m] of a shell that heats between INNER and CORE."""
    r, b, a = np.asarray(r, dtype=float), INNER, CORE
    mid, far = np.clip(r, b, a), np.maximum(r, a)
    within = POWER / (6 * CONDUCTIVITY) * (3 * a**2 - mid**2 - 2 * b**3 / mid)
    return np.where(r < a, within, POWER * (a**3 - b**3) / (3 * CONDUCTIVITY * far))


def test_the_shell_of_this_file_has_the_tabulated_values() -> None:
    assert shell([0.0, INNER, CORE]) == pytest.approx([16.0, 16.0, 13.0667], abs=1e-4)


def test_a_shell_that_heats_converges_to_the_exact_steady_state(bench: Any, order: Any) -> None:
    trials = []
    for around in AROUND:
        regions = {"inner": tissue(bench), "shell": tissue(bench, power=POWER), "outer": tissue(bench)}
        trials.append(bench.solved(spheres(bench, around, regions, shell(OUTER))))
    assert_converges(order, trials, shell)


def test_the_rise_of_small_spheres_without_blood_goes_with_the_square_of_their_radius(bench: Any) -> None:
    rises = []
    for radius in (INNER, CORE):
        heated, plain = tissue(bench, power=POWER), tissue(bench)
        regions = {"inner": heated, "shell": heated if radius == CORE else plain, "outer": plain}
        exact = andra(CONDUCTIVITY, CONDUCTIVITY, radius)
        trial = bench.solved(spheres(bench, AROUND[-1], regions, exact(OUTER)))
        rises.append(float(trial.temperature[radii(trial).argmin()]) - ZERO - BODY)
    assert rises[1] / rises[0] == pytest.approx((CORE / INNER) ** 2, rel=0.005)


def test_a_tiny_depot_heats_its_surroundings_like_a_point(bench: Any) -> None:
    power, exchange, spread = 0.05, 2535.0, 0.3e-3  # [W], [W/m3/K] of muscle, [m]
    decay = np.sqrt(exchange / CONDUCTIVITY)  # (decay spread)^2 / 2, what a point neglects, is 0.02 %
    point = lambda r: power * np.exp(-decay * r) / (4 * np.pi * CONDUCTIVITY * r)  # noqa: E731
    inner = tissue(bench, exchange=exchange)
    depot = {"kind": "gaussian", "centre": ["0 mm"] * 3, "radius": f"{spread!r} m", "dose": "1 mgFe"}
    inner["particles"] = {"name": bench.particle("hot", power / 1e-6), "iron": depot}
    regions = {"inner": inner, "shell": tissue(bench, exchange=exchange), "outer": tissue(bench, exchange=exchange)}
    trial = bench.solved(spheres(bench, AROUND[-1], regions, point(OUTER)))
    r = radii(trial)
    far = (r > 2 * INNER) & (r < 0.99 * OUTER)
    relative = (trial.temperature - ZERO - BODY)[far] / point(r[far]) - 1.0
    assert far.sum() > 100
    assert np.sqrt(np.mean(relative**2)) < 0.005


def transient(r: float, time: float) -> float:
    """Rise [K] of a heated sphere in perfused tissue: that of section 7.3, each moment's heat decaying with the blood."""
    diffusivity = CONDUCTIVITY / HEAVY
    r = max(r, 1e-7)

    def change(tau: float) -> float:
        s = 2 * np.sqrt(diffusivity * tau)
        near, far = (CORE - r) / s, (CORE + r) / s
        waves = np.sqrt(diffusivity * tau / np.pi) / r * (np.exp(-(near**2)) - np.exp(-(far**2)))
        return float((0.5 * (erf(far) + erf(near)) - waves) * np.exp(-EXCHANGE * tau / HEAVY))

    return float(POWER / HEAVY * quad(change, 0.0, time, epsabs=1e-9, limit=200)[0])


def test_the_transient_of_this_file_ends_in_the_sphere_of_pennes() -> None:
    exact = pennes((CONDUCTIVITY, EXCHANGE), (CONDUCTIVITY, EXCHANGE))
    assert [transient(r, 3000.0) for r in (0.0, 2 * CORE)] == pytest.approx(exact([0.0, 2 * CORE]), abs=1e-6)


def test_a_heated_sphere_in_perfused_tissue_follows_the_exact_transient(bench: Any, order: Any) -> None:
    times = np.linspace(0.0, 60.0, 13)
    rim = [f"{BODY + (transient(OUTER, time) if time else 0.0)!r} degC" for time in times]
    grid = np.linspace(0.0, OUTER, 301)
    profile = np.array([transient(r, 60.0) for r in grid])
    trials = []
    for around in AROUND:
        heated = tissue(bench, exchange=EXCHANGE, power=POWER)
        regions = {"inner": heated, "shell": heated, "outer": tissue(bench, exchange=EXCHANGE)}
        schedule = {"at": [f"{time} s" for time in times], "values": rim}
        stages = [{"name": "warm", "duration": "60 s"}]
        path = spheres(bench, around, regions, schedule, stages=stages, solver={"tolerance": "0.001 K"})
        trials.append(bench.solved(path))
    assert_converges(order, trials, lambda r: np.interp(r, grid, profile))


def test_a_hot_spot_spreads_and_decays_like_the_exact_kernel(bench: Any, order: Any) -> None:
    start, exchange, duration = 2e-3, 1e5, 16.0  # [m], [W/m3/K], [s]

    def spot(r: ArrayLike, time: float) -> Array:
        wide = start**2 + 2 * CONDUCTIVITY / HEAVY * time
        height = 10.0 * (start**2 / wide) ** 1.5 * np.exp(-exchange * time / HEAVY)
        return np.asarray(height * np.exp(-(np.asarray(r) ** 2) / (2 * wide)))

    assert spot(OUTER, duration) < 1e-5  # [K]: the surface may be held at the body's temperature
    trials = []
    for around in AROUND:
        regions = {name: tissue(bench, exchange=exchange) for name in ("inner", "shell", "outer")}
        stages = [{"name": "spread", "duration": f"{duration} s"}]
        trial = bench.trial(spheres(bench, around, regions, 0.0, stages=stages, solver={"tolerance": "0.0005 K"}))
        state = trial.heat.initial_state(ZERO + BODY)
        state[: trial.heat.owned] += HEAVY * spot(radii(trial), 0.0)
        trial.heat.initial_state = lambda temperature, state=state: state
        trials.append(trial.run())
    assert_converges(order, trials, lambda r: spot(r, duration))


def test_a_perfused_body_without_conduction_rises_as_the_blood_allows(bench: Any) -> None:
    exchange, power, duration = 4e4, 2e5, 150.0
    regions = {"body": tissue(bench, exchange=exchange, power=power) | {"metabolism": "20 kW/m^3"}}
    trial = bench.solved(
        bench.case(
            "slab",
            {"thickness": "4 mm", "width": "2 mm"},
            "2 mm",
            initial={"temperature": "33 degC"},
            regions=regions,
            boundaries={name: {"kind": "insulated"} for name in ("left", "right", "sides")},
            field=FIELD,
            stages=[{"name": "warm", "duration": f"{duration} s"}],
            solver={"tolerance": "1e-6 K"},
        )
    )
    end, left = BODY + (power + 20e3) / exchange, np.exp(-exchange * duration / HEAVY)
    assert trial.temperature - ZERO == pytest.approx(end + (33.0 - end) * left, abs=1e-4)
    volume, energy = float(trial.volume.sum()), trial.solution.energy
    assert energy["metabolism"] == pytest.approx(20e3 * volume * duration, rel=1e-9)
    assert energy["supplied"] == pytest.approx(power * volume * duration, rel=1e-9)
    brought = exchange * ((BODY - end) * duration - (33.0 - end) * (1.0 - left) * HEAVY / exchange) * volume
    assert energy["blood"] == pytest.approx(brought, rel=1e-4)
    assert energy["imbalance_relative"] < 1e-9


def test_brain_a_centimetre_outside_a_depot_at_50_degrees_stays_below_42(bench: Any) -> None:
    depot, far = 10e-3, 45e-3  # 50 degC at the rim of the depot
    brain = {"material": "brain", "perfusion": True, "metabolism": True}
    particles = {"name": bench.particle("warmer", 1e5), "iron": "10 mgFe/mL"}
    search = {"sensor": "core.coldest", "at_most": "50 degC", "between": ["0 kA/m", "40 kA/m"]}
    path = bench.case(
        "sphere",
        {"radius": f"{far!r} m", "core": f"{depot!r} m"},
        "4 mm",
        initial={"temperature": f"{BODY} degC"},
        regions={"core": brain | {"particles": particles}, "body": brain},
        boundaries={"surface": {"kind": "insulated"}},
        field=FIELD,
        stages=[{"name": "heat", "steady": True, "search": search}],
    )
    trial = bench.solved(path)
    r, celsius = radii(trial), trial.temperature - ZERO
    exchange = 558.6e-6 / 60 * 1045.5 * 1049.75 * 3617.0  # [W/m3/K], section 5.1
    assert celsius[r < depot * (1 + 1e-9)].min() == pytest.approx(50.0, abs=0.1)
    rest, outside = BODY + 11884.0 / exchange, r >= depot + 0.01
    exact = rest + (50.0 - rest) * depot / r[outside] * np.exp(-np.sqrt(exchange / 0.513) * (r[outside] - depot))
    assert celsius[outside].max() < 42.0
    assert celsius[outside] == pytest.approx(exact, abs=0.1)
