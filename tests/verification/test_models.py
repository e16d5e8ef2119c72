"""Lumped and radial models against closed forms and the exact series of bodies in a bath."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nanowarm
from nanowarm.errors import CaseError
from nanowarm.numerics.lines import LineOperators, Represented, Sector, Shape, line_of
from nanowarm.numerics.model_bodies import body_of, modelled
from nanowarm.numerics.observers import Observers
from nanowarm.numerics.setup import Contents, put_together
from nanowarm.numerics.solve import solve

CAPACITY, CONDUCTIVITY = 2e6, 0.5  # [J/m3/K], [W/m/K]
RADIUS = 10e-3  # [m], or half the slab's thickness
IRON, SPECIFIC_POWER = 10.0, 2e5  # [kg/m3], [W per kg iron] at 20 kA/m and 200 kHz
EXPONENTS = {"slab": 0, "cylinder": 1, "sphere": 2}
BATH, INITIAL = 20.0, -150.0  # [degC]
FOURIER = 0.2
SHUT = {"kind": "insulated"}
NOWHERE = Represented(lambda pattern: {}, lambda point: None)


def vial(bench: Any, wall: dict[str, str], duration: float, **sections: Any) -> Path:
    """A case of 1 mL with particles, its wall under one condition."""
    particles = {"name": bench.particle("warmer", SPECIFIC_POWER), "iron": f"{IRON} mgFe/mL"}
    common: dict[str, Any] = {
        "initial": {"temperature": "0 degC"},
        "regions": {"cpa": {"material": bench.material("jelly", CAPACITY, CONDUCTIVITY), "particles": particles}},
        "boundaries": dict.fromkeys(("side", "top", "bottom"), wall),
        "field": {"kind": "uniform", "amplitude": "20 kA/m", "frequency": "200 kHz"},
        "stages": [{"name": "warm", "duration": f"{duration!r} s"}],
        "solver": {"tolerance": "1e-5 K"},
    }
    return bench.case("vial", {"volume": "1 mL"}, "2 mm", **(common | sections))


def bath(coefficient: float) -> dict[str, str]:
    """Convection to a bath."""
    return {"kind": "convection", "coefficient": f"{coefficient!r} W/m^2/K", "ambient": f"{BATH} degC"}


def ends(screening: Any, region: str = "cpa") -> tuple[float, float, float]:
    """Coldest, mean and hottest temperature [degC] at the end."""
    found = screening.summary["regions"][region]["temperature_degC"]
    return found["min"], found["mean"], found["max"]


@pytest.mark.parametrize("model", ["lumped", "radial"])
def test_a_body_that_loses_no_heat_warms_by_its_specific_power_everywhere(bench: Any, model: str) -> None:
    screening = nanowarm.screen(vial(bench, SHUT, 10.0), model)
    assert ends(screening) == pytest.approx((10.0 * IRON * SPECIFIC_POWER / CAPACITY,) * 3, rel=1e-6)
    assert screening.summary["energy_J"]["imbalance_relative"] < 1e-9


def test_a_lumped_body_in_a_bath_follows_the_exponential_of_its_own_volume_and_area(bench: Any) -> None:
    case = nanowarm.load_case(vial(bench, bath(50.0), 100.0), ["field.amplitude=0 kA/m"])
    body = body_of(case)
    constant = CAPACITY * body.volumes["cpa"] / (50.0 * sum(body.areas.values()))  # [s]
    _, mean, _ = ends(nanowarm.screen(case, "lumped", body))
    assert mean == pytest.approx(BATH * (1.0 - np.exp(-100.0 / constant)), abs=1e-3)


@pytest.mark.parametrize("model", ["lumped", "radial"])
def test_the_energy_of_a_model_with_walls_and_particles_closes(bench: Any, model: str) -> None:
    screening = nanowarm.screen(vial(bench, bath(50.0), 30.0), model)
    assert screening.summary["energy_J"]["supplied"] > 0.0 != screening.summary["energy_J"]["inflow"]
    assert screening.summary["energy_J"]["imbalance_relative"] < 1e-9


def line_trial(bench: Any, body: str, biot: float) -> Any:
    """Places from 0 to 1 and final temperatures [degC] of a body of RADIUS in a bath, over a line of a case with its wall."""
    duration = FOURIER * RADIUS**2 * CAPACITY / CONDUCTIVITY
    path = vial(
        bench,
        bath(biot * CONDUCTIVITY / RADIUS),
        duration,
        initial={"temperature": f"{INITIAL} degC"},
        regions={"cpa": {"material": bench.material("jelly", CAPACITY, CONDUCTIVITY)}},
        field={"kind": "none"},
        solver={"tolerance": "0.0005 K"},
        output={"every": "1 h", "fields": []},
    )
    case, exponent = nanowarm.load_case(path), EXPONENTS[body]
    shape = Shape(RADIUS / (exponent + 1.0), 1.0, exponent)  # a square metre of surface
    sector = Sector({"side": 0.5, "top": 0.25, "bottom": 0.25}, 1.0)
    line: LineOperators = line_of(
        shape, {"cpa": shape.volume}, [sector], Represented(lambda pattern: {"cpa": 0.0}, lambda p: None)
    )
    equipped = put_together(case, line, Contents({}, {}, None))
    states = []
    first = equipped.heat.initial_state
    equipped.heat.initial_state = lambda temperature: states.append(first(temperature)) or states[0]  # type: ignore
    solve(case, equipped.heat, Observers(case, equipped), lambda progress: None)
    return line.position[:, 0] / RADIUS, equipped.heat.temperature(states[0]) - 273.15


@pytest.mark.parametrize("biot", [1.0, 10.0])
@pytest.mark.parametrize("body", EXPONENTS)
def test_a_line_follows_the_series_of_slab_cylinder_and_sphere_within_two_tenths_of_a_percent(
    bench: Any, theta: Any, body: str, biot: float
) -> None:
    place, found = line_trial(bench, body, biot)
    exact = BATH + (INITIAL - BATH) * theta(body, biot, FOURIER, place)
    assert np.abs(found - exact).max() < 2e-3 * (BATH - INITIAL)


SHAPES = {  # recipe, parameters, conditions that make it a slab, a long cylinder and a sphere of RADIUS
    "slab": (
        "slab",
        {"thickness": f"{RADIUS!r} m", "width": f"{RADIUS!r} m"},
        {"left": SHUT, "sides": SHUT, "right": bath(50.0)},
    ),
    "cylinder": (
        "vial",
        {"volume": f"{2 * np.pi * RADIUS**3!r} m^3", "aspect": "1.0"},
        {"side": bath(50.0), "top": SHUT, "bottom": SHUT},
    ),
    "sphere": ("sphere", {"radius": f"{RADIUS!r} m"}, {"surface": bath(50.0)}),
}


@pytest.mark.parametrize("body", EXPONENTS)
def test_a_mesh_of_a_slab_a_cylinder_and_a_sphere_is_taken_as_such(bench: Any, body: str) -> None:
    recipe, parameters, boundaries = SHAPES[body]
    path = bench.case(
        recipe,
        parameters,
        f"{RADIUS / 10!r} m",
        initial={"temperature": "0 degC"},
        regions={"cpa" if recipe == "vial" else "body": {"material": bench.material("jelly")}},
        boundaries=boundaries,
        stages=[{"name": "bath", "duration": "1 s"}],
    )
    case = nanowarm.load_case(path)
    line = modelled(case, body_of(case), "radial").line
    volume, area = sum(float(m.sum()) for m in line.mass.values()), sum(float(a.sum()) for a in line.surface_area.values())
    length = line.position[:, 0].max()
    assert length == pytest.approx(RADIUS, rel=0.02)
    assert area * length / volume - 1.0 == pytest.approx(EXPONENTS[body], abs=0.05)


def test_a_line_has_the_volumes_of_its_regions_and_the_areas_of_its_surfaces() -> None:
    shape = Shape(3e-6, 8e-4, 1.4)
    regions = {"inner": 1e-6, "outer": 2e-6}
    line = line_of(shape, regions, [Sector({"side": 6e-4}, 0.75), Sector({"end": 2e-4}, 0.25)], NOWHERE)
    assert {name: mass.sum() for name, mass in line.mass.items()} == pytest.approx(regions, rel=1e-12)
    assert {name: float(area.sum()) for name, area in line.surface_area.items()} == {"side": 6e-4, "end": 2e-4}
    assert line.surface_nodes["side"] != line.surface_nodes["end"]


def test_a_steady_flow_through_a_line_is_that_of_concentric_spheres() -> None:
    radius, within = 0.02, 0.01
    shape = Shape(4.0 / 3.0 * np.pi * radius**3, 4.0 * np.pi * radius**2, 2.0)
    core = 4.0 / 3.0 * np.pi * within**3
    line = line_of(shape, {"core": core, "shell": shape.volume - core}, [Sector({"s": shape.area}, 1.0)], NOWHERE)
    k = line.stiffness["shell"]
    place = line.position[:, 0]
    temperature = np.where(place >= within * (1 - 1e-9), 1.0 / np.maximum(place, within), 1.0 / within)
    rows = np.repeat(np.arange(len(place)), np.diff(k.starts))
    flow = np.bincount(rows, k.entries * temperature[k.columns], minlength=len(place))
    assert -flow[-1] == pytest.approx(4.0 * np.pi, rel=1e-3)  # of T = 1 / r


def test_a_model_of_a_case_that_asks_for_stress_leaves_it_unseen_and_says_why() -> None:
    shipped = nanowarm.load_case(Path(__file__).parents[2] / "cases" / "vial-crack.toml")
    found = nanowarm.screen(shipped, "lumped").summary["criteria"]
    unseen = {row["kind"]: row["reason"] for row in found if row["outcome"] == "unseen"}
    assert set(unseen) == {"stress", "temperature difference"}
    assert "takes a run on the mesh" in unseen["stress"]


def test_a_surface_of_fixed_temperature_is_refused_by_a_lumped_model_and_taken_by_a_radial_one(bench: Any) -> None:
    path = vial(bench, {"kind": "fixed temperature", "value": "5 degC"}, 1.0)
    with pytest.raises(CaseError, match=r"boundaries.side \(stage warm\): a lumped model can't have a fixed temperature"):
        nanowarm.screen(path, "lumped")
    assert ends(nanowarm.screen(path, "radial"))[0] < 5.0


def test_a_model_that_there_is_not_is_refused_with_those_that_there_are(bench: Any) -> None:
    with pytest.raises(CaseError, match='no model "cubic"; known: lumped, radial'):
        nanowarm.screen(vial(bench, SHUT, 1.0), "cubic")  # type: ignore[arg-type]


def test_a_probe_near_the_wall_of_a_radial_model_warms_before_one_in_the_middle(bench: Any) -> None:
    probes = {"middle": ["0 mm", "0 mm", "0 mm"], "wall": ["0 mm", "4 mm", "0 mm"]}  # of a radius of 4.6 mm
    path = vial(bench, bath(200.0), 20.0, output={"every": "20 s", "probes": probes})
    times = []
    for probe in probes:
        case = nanowarm.load_case(path, ["field.amplitude=0 kA/m", f'stages.warm.until="probe.{probe} > 2 degC"'])
        times.append(nanowarm.screen(case, "radial").summary["duration_s"])
    assert times[0] > times[1]


def test_a_probe_outside_the_body_is_refused_by_a_model_too(bench: Any) -> None:
    path = vial(bench, SHUT, 1.0, output={"probes": {"beside": ["1 m", "0 m", "0 m"]}})
    with pytest.raises(CaseError, match=r"output\.probes\.beside: .* lies outside the mesh"):
        nanowarm.screen(path, "radial")
