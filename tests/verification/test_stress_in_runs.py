"""Thermal stress followed through whole runs: the signs that are published, closed forms, and the same on any ranks.

Sources: Eisenberg, Taylor, Rabin (2014), PMC4360916; Steif, Palastro, Rabin (2007), PMC2180391; physics.md, 2 and 7.7.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

MPIEXEC = Path(sys.executable).parent / "mpiexec"
RUN = "import sys, nanowarm; nanowarm.run(sys.argv[1], folder=sys.argv[2])"
ALONE = os.environ | {"OMP_NUM_THREADS": "1"}
SOURCED = {"source": "invented for a test", "quality": "estimate"}
YOUNG, POISSON, EXPANSION = 1e9, 0.2, 6e-5  # [Pa], -, [1/K]
RADIUS = 5e-3  # [m]
CAPACITY = 1.5e6  # [J/m3/K]
GLASS_TRANSITION = 150.0  # [K], where the viscosity below is 1e12 Pa s
SETTING = 152.0  # [K]
SOLID: dict[str, Any] = {
    "youngs_modulus": SOURCED | {"value": f"{YOUNG!r} Pa"},
    "poissons_ratio": SOURCED | {"value": POISSON},
    "expansion": SOURCED | {"value": f"{EXPANSION!r} 1/K"},
    "tensile_strength": SOURCED | {"value": "3 MPa"},
}
# 17 decades from 1e-5 to 1e12 Pa s: 454 / (150 - 123.3) = 17.0
FLOWS = {
    "viscosity": SOURCED
    | {"kind": "VFT", "log10_at_infinity": -5.0, "scale": "454 K", "vanishing": "123.3 K", "highest": "1e15 Pa*s"}
}
SETS = {"set_temperature": SOURCED | {"value": f"{SETTING!r} K"}}
# the liquid contracts twice as much as the glass, as cryoprotectants do
SHRINKS = {"expansion": SOURCED | {"at": ["145 K", "155 K"], "values": ["6.7e-5 1/K", "1.3e-4 1/K"]}}


def convection(ambient: Any, coefficient: float = 200.0) -> dict[str, Any]:
    return {"kind": "convection", "coefficient": f"{coefficient!r} W/m^2/K", "ambient": ambient}


def program(start: str, *legs: dict[str, str]) -> dict[str, Any]:
    return {"from": start, "program": list(legs)}


SPHERE = "sphere", {"radius": f"{RADIUS!r} m"}, "1.3 mm"
SLAB = "slab", {"thickness": "8 mm", "width": "8 mm"}, "2 mm"
SURFACES = {SPHERE[0]: ["surface"], SLAB[0]: ["left", "right", "sides"]}


def glass(bench: Any, name: str, surface: dict[str, Any], duration: str, shape: Any = SPHERE, **more: Any) -> Path:
    """Case of a small body with one kind of surface; `material` and `region` are of its filling, the rest are sections."""
    material = bench.material("glass", CAPACITY, more.pop("conductivity", 0.24), **SOLID | more.pop("material", FLOWS))
    sections: dict[str, Any] = {
        "initial": {"temperature": more.pop("start", "175 K")},
        "regions": {"body": {"material": material} | more.pop("region", {})},
        "boundaries": dict.fromkeys(SURFACES[shape[0]], surface),
        "stages": [{"name": "all", "duration": duration}],
        "solver": {"stress": True},
        "stress": {"order": 1, "resolution": "2 K"},
    }
    path: Path = bench.case(*shape, name=name, **sections | more)
    return path


def peak(bench: Any, path: Path) -> float:
    """Largest tensile stress [MPa] of a whole run."""
    value = bench.solved(path).observers.cold.stress.peak("body").value
    return float(value) * 1e-6


SLOWLY, QUICKLY = {"rate": "-2 K/min", "to": "120 K"}, {"rate": "-40 K/min", "to": "120 K"}
TO_THE_TRANSITION = {"rate": "-40 K/min", "to": "152 K"}


def test_a_hold_just_above_the_glass_transition_lowers_the_largest_tensile_stress(bench: Any) -> None:
    straight = peak(bench, glass(bench, "straight", convection(program("175 K", QUICKLY)), "10 min", material=FLOWS | SHRINKS))
    found = []
    for name, after in (("held", QUICKLY), ("slow", SLOWLY)):
        gas = program("175 K", TO_THE_TRANSITION, {"hold": "20 min"}, after)
        found.append(peak(bench, glass(bench, name, convection(gas), "45 min", material=FLOWS | SHRINKS)))
    assert 0.0 < found[1] < 0.5 * found[0]
    assert found[0] < 0.5 * straight


def test_slower_initial_rewarming_lowers_the_largest_tensile_stress(bench: Any) -> None:
    found = []
    for rate in (5, 20, 60):
        gas = program("120 K", {"rate": f"{rate} K/min", "to": "175 K"})
        path = glass(bench, f"at{rate}", convection(gas), f"{60 * 55 / rate} s", start="120 K")
        found.append(peak(bench, path))
    assert 0.0 < found[0] < found[1] < found[2]
    # as long as both are slower than the 16 s in which temperature evens out, stress is proportional to the rate
    assert found[1] / found[0] == pytest.approx(4.0, rel=0.1)


MOST_IRON = 12.0  # [kg/m3]
RISING = {"kind": "radial", "centre": ["0 mm"] * 3, "at": ["0 mm", "5 mm"], "values": ["0 mgFe/mL", f"{MOST_IRON} mgFe/mL"]}
FALLING = RISING | {"values": [f"{MOST_IRON} mgFe/mL", "0 mgFe/mL"]}
POWER = 100e3  # [W/kgFe]


def heated(bench: Any, name: str, iron: Any, surface: dict[str, Any], conductivity: float) -> float:
    """Largest tensile stress [MPa] of a glass that its iron has warmed from 100 K for 25 s."""
    path = glass(
        bench, name, surface, "25 s", start="100 K", conductivity=conductivity,
        region={"particles": {"name": bench.particle("lot", POWER), "iron": iron}},
        field={"kind": "uniform", "amplitude": "20 kA/m", "frequency": "200 kHz"},
    )  # fmt: skip
    return peak(bench, path)


def test_iron_that_rises_with_the_radius_leaves_the_middle_in_the_tension_of_its_temperature(bench: Any) -> None:
    """Nothing conducts, so T = T0 + rise r/R; a sphere's radial stress is then E alpha rise / 2 (1 - nu) (1 - r/R)."""
    rise = POWER * MOST_IRON * 25.0 / CAPACITY
    exact = 1e-6 * YOUNG * EXPANSION * rise / (2.0 * (1.0 - POISSON))
    found = heated(bench, "rising", RISING, {"kind": "insulated"}, 1e-3)
    assert 0.85 * exact < found < 1.02 * exact  # the innermost cells reach to r/R = 0.1
    # three quarters of it everywhere is the same mass
    even = heated(bench, "even", f"{0.75 * MOST_IRON} mgFe/mL", {"kind": "insulated"}, 1e-3)
    assert even < 1e-3 * exact


def test_iron_that_is_denser_inside_raises_the_largest_tensile_stress_over_even_iron_of_the_same_mass(bench: Any) -> None:
    cold = convection("100 K", 20.0)
    inside = heated(bench, "inside", FALLING, cold, 0.24)
    even = heated(bench, "even", f"{0.25 * MOST_IRON} mgFe/mL", cold, 0.24)
    assert inside > 2.0 * even > 0.0


def test_a_steady_state_has_the_stress_of_its_temperature(bench: Any) -> None:
    """Even heat makes T = T0 + rise (1 - (r/R)^2); the surface is then under E alpha rise 0.4 / (1 - nu) along itself."""
    rise, conductivity = 20.0, 0.24
    iron = 6.0 * conductivity * rise / RADIUS**2 / POWER
    path = glass(
        bench,
        "steady",
        {"kind": "fixed temperature", "value": "100 K"},
        "1 s",
        start="100 K",
        material={},
        region={"particles": {"name": bench.particle("lot", POWER), "iron": f"{iron!r} mgFe/mL"}},
        field={"kind": "uniform", "amplitude": "20 kA/m", "frequency": "200 kHz"},
        stages=[{"name": "rest", "steady": True}],
        stress={"order": 2},
    )
    exact = 1e-6 * YOUNG * EXPANSION * rise * 0.4 / (1.0 - POISSON)
    assert peak(bench, path) == pytest.approx(exact, rel=0.05)


def test_what_stays_above_its_set_temperature_has_no_stress_to_judge(bench: Any) -> None:
    path = glass(
        bench, "warm", convection(f"{SETTING + 5.0} K"), "10 min", material=SETS,
        stress={"rheology": "elastic", "order": 1}, criteria=[{"kind": "stress", "region": "body"}],
    )  # fmt: skip
    (outcome,) = bench.solved(path).observers.judge()
    assert (outcome.outcome, outcome.value) == ("unseen", None)
    assert outcome.details["reason"] == "nothing of body became glass"


def test_what_sticks_to_a_rigid_container_is_pulled_from_all_sides(bench: Any) -> None:
    gas = program("140 K", {"rate": "-0.5 K/min", "to": "130 K"})
    found = []
    for name, bonded in (("free", []), ("bonded", ["surface"])):
        stress = {"order": 1, "resolution": "5 K", "bonded": bonded}
        path = glass(bench, name, convection(gas), "30 min", start="140 K", material={}, stress=stress)
        found.append(peak(bench, path))
    # nothing moves: -3 K alpha dT in every direction
    exact = 1e-6 * YOUNG * EXPANSION * 10.0 / (1.0 - 2.0 * POISSON)
    assert found[1] == pytest.approx(exact, rel=1e-3)
    assert found[0] < 0.1 * exact


def test_viscosity_and_a_set_temperature_agree_deep_in_the_glass(bench: Any) -> None:
    gas = convection(program("175 K", QUICKLY))
    flows = peak(bench, glass(bench, "flows", gas, "10 min", material=FLOWS | SHRINKS))
    elastic = {"rheology": "elastic", "order": 1, "resolution": "2 K"}
    sets = peak(bench, glass(bench, "sets", gas, "10 min", material=SETS | SHRINKS, stress=elastic))
    assert flows == pytest.approx(sets, rel=0.2)


def test_stress_is_solved_at_exactly_the_times_asked_for(bench: Any) -> None:
    """The surface is heated for 10 s: until then stress rises, and then it falls."""
    heating = {"at": ["0 s", "10 s", "10.01 s"], "values": ["2 kW/m^2", "2 kW/m^2", "0 kW/m^2"]}
    surface = {"kind": "heat flux", "value": heating}
    found = []
    for name, times in (("thrice", ["4 s", "10 s", "20 s"]), ("once", ["10 s"])):
        path = glass(bench, name, surface, "30 s", start="100 K", material={}, solver={"stress": times})
        stress = bench.solved(path).observers.cold.stress
        assert stress.solves == len(times) + 1  # and at the end
        found.append(stress.peak("body"))
    assert [seen.time for seen in found] == [10.0, 10.0]
    # an elastic body does not care how it got there
    assert found[0].value == pytest.approx(found[1].value, rel=1e-6)


def on_ranks(path: Path, ranks: int) -> tuple[dict[str, Any], list[list[str]]]:
    """What `summary.json` says of the region, and the rows of `history.csv`."""
    folder = path.parent / f"{path.stem}-{ranks}"
    command = [str(MPIEXEC), "-n", str(ranks), sys.executable, "-c", RUN, str(path), str(folder)]
    done = subprocess.run(command, env=ALONE, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split(",") for line in (folder / "history.csv").read_text(encoding="utf-8").splitlines()]
    return json.loads((folder / "summary.json").read_text(encoding="utf-8")), rows


def assert_same_stress(path: Path, ranks: int) -> None:
    """One rank and several find the same: of the largest stress how much, when and where, and every row."""
    (alone, rows), (together, other_rows) = on_ranks(path, 1), on_ranks(path, ranks)
    expected, found = (summary["regions"]["body"] for summary in (alone, together))
    assert found["largest_tensile_stress_MPa"] == pytest.approx(expected["largest_tensile_stress_MPa"], rel=1e-5)
    for key, value in expected["stress"].items():
        assert found["stress"][key] == pytest.approx(value, rel=1e-5, abs=1e-9)
    column = rows[0].index("body_stress_MPa")
    history = [np.array([float(row[column]) for row in table[1:]]) for table in (rows, other_rows)]
    assert history[0].max() > 0.0
    assert history[1] == pytest.approx(history[0], rel=1e-5, abs=1e-6)


def test_two_ranks_find_the_same_stress(bench: Any) -> None:
    gas = program("175 K", QUICKLY)
    path = glass(
        bench, "slab", convection(gas), "100 s", SLAB, material=FLOWS | SHRINKS, stress={"order": 2, "resolution": "6 K"},
        output={"every": "20 s", "fields": ["tensile stress"]}, criteria=[{"kind": "stress", "region": "body"}],
    )  # fmt: skip
    assert_same_stress(path, 2)


THREE_CELLS = """$MeshFormat
2.2 0 8
$EndMeshFormat
$PhysicalNames
2
2 1 "surface"
3 2 "body"
$EndPhysicalNames
$Nodes
6
1 0 0 0
2 8 0 0
3 0 8 0
4 0 0 8
5 8 8 8
6 16 0 8
$EndNodes
$Elements
11
1 4 2 2 1 1 2 3 4
2 4 2 2 1 2 3 4 5
3 4 2 2 1 2 4 5 6
4 2 2 1 1 1 2 3
5 2 2 1 1 1 2 4
6 2 2 1 1 1 3 4
7 2 2 1 1 2 3 5
8 2 2 1 1 3 4 5
9 2 2 1 1 2 4 6
10 2 2 1 1 2 5 6
11 2 2 1 1 4 5 6
$EndElements
"""


@pytest.mark.slow
def test_as_many_ranks_as_cells_find_the_same_stress(bench: Any) -> None:
    (bench.folder / "three.msh").write_text(THREE_CELLS, encoding="utf-8")
    path = glass(
        bench, "three", convection("100 K"), "20 s", start="130 K", stress={"order": 2, "resolution": "4 K"},
        output={"every": "2 s"},
    )  # fmt: skip
    text = path.read_text(encoding="utf-8")
    start, end = text.index("[mesh]"), text.index("[initial]")
    path.write_text(f'{text[:start]}[mesh]\nfile = "three.msh"\nunit = "mm"\n\n{text[end:]}', encoding="utf-8")
    assert_same_stress(path, 3)
