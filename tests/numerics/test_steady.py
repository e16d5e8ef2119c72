"""The steady state: where integration ends, whatever carries the heat, on any number of ranks; and searches in it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq

from nanowarm.errors import CaseError, SolveError

ZERO = 273.15  # [K]
SHUT = {"kind": "insulated"}
CLOSED = {"left": SHUT, "right": SHUT, "sides": SHUT}
FIELD = {"kind": "uniform", "amplitude": "20 kA/m", "frequency": "200 kHz"}
STEADY = [{"name": "settle", "steady": True}]
CAPACITY = 2e6  # [J/m3/K]
MPIEXEC = Path(sys.executable).parent / "mpiexec"
ALONE = os.environ | {"OMP_NUM_THREADS": "1"}
SCRIPT = """
import sys
import numpy as np
from nanowarm import load_case
from nanowarm.numerics.observers import Observers
from nanowarm.numerics.operators import assemble
from nanowarm.numerics.setup import equip
from nanowarm.numerics.solve import solve
from nanowarm.numerics.stack import MPI
from nanowarm.pipeline import build_mesh

comm = MPI.COMM_WORLD
case = load_case(sys.argv[1])
operators = assemble(build_mesh(case, comm)[0])
equipped = equip(case, operators)
observers = Observers(case, equipped)
states = []
first = equipped.heat.initial_state
equipped.heat.initial_state = lambda temperature: states.append(first(temperature)) or states[0]
solution = solve(case, equipped.heat, observers, lambda progress: None)
temperature = equipped.heat.temperature(states[0])
rows = comm.gather(np.column_stack([operators.position, temperature]))
if comm.rank == 0:
    np.savez(sys.argv[2], rows=np.concatenate(rows), imbalance=solution.energy["imbalance_relative"])
"""


def convection(ambient: str) -> dict[str, Any]:
    return {"kind": "convection", "coefficient": "150 W/m^2/K", "ambient": ambient}


def layers(bench: Any, **sections: Any) -> Path:
    """Two layers with conductivities and blood flow that follow the temperature, between three kinds of surface."""
    bench.material("fluid", 4e6)
    perfusion = {"at": ["30 degC", "40 degC", "50 degC"], "values": ["0.002 1/s", "0.01 1/s", "0.004 1/s"]}
    particles = {"name": bench.particle("warmer", {300.0: 40e3, 330.0: 20e3}), "iron": "10 mgFe/mL"}
    everything: dict[str, Any] = {
        "initial": {"temperature": "37 degC"},
        "regions": {
            "body": {
                "material": bench.material("jelly", CAPACITY, {290.0: 0.3, 320.0: 0.6}),
                "particles": particles,
                "perfusion": {"rate": perfusion, "blood": "./fluid.toml"},
                "metabolism": "15 kW/m^3",
            },
            "layer": {
                "material": bench.material("wall", CAPACITY, {290.0: 0.7, 340.0: 0.4}),
                "perfusion": {"rate": {"kind": "Lang", "of": "muscle"}},
            },
        },
        "boundaries": {
            "left": {"kind": "fixed temperature", "value": "30 degC"},
            "right": convection("20 degC"),
            "sides": {"kind": "radiation", "emissivity": 0.9, "ambient": "45 degC"},
        },
        "field": FIELD,
        "stages": STEADY,
    }
    path: Path = bench.case("slab", {"thickness": "5 mm", "width": "3 mm", "interface": "3 mm"}, "1 mm", **everything | sections)
    return path


def block(bench: Any, power: float = 0.0, blood: float = 0.0, perfusion: Any = None, **sections: Any) -> Path:
    """A body of one material with particles [W/m3], and blood [W/m3/K] or a perfusion as a case has it."""
    bench.material("fluid", CAPACITY)
    body: dict[str, Any] = {"material": bench.material("jelly", CAPACITY)}
    if power:
        body["particles"] = {"name": bench.particle("warmer", power / 10.0), "iron": "10 mgFe/mL"}
    if blood:
        perfusion = {"rate": f"{blood / CAPACITY!r} 1/s", "blood": "./fluid.toml"}
    if perfusion:
        body["perfusion"] = perfusion
    everything: dict[str, Any] = {
        "initial": {"temperature": "33 degC"},
        "regions": {"body": body},
        "boundaries": CLOSED,
        "field": FIELD,
        "stages": STEADY,
    }
    path: Path = bench.case("slab", {"thickness": "4 mm", "width": "2 mm"}, "1 mm", **everything | sections)
    return path


def test_the_steady_state_is_where_integration_ends(bench: Any) -> None:
    steady = bench.solved(layers(bench))
    long = [{"name": "wait", "duration": "600 s"}]  # slower than 2 s by any mode: 25 mm2 / (pi^2 0.25 mm2/s)
    waited = bench.solved(layers(bench, stages=long, solver={"tolerance": "1e-5 K"}))
    assert np.ptp(steady.temperature) > 3.0
    assert np.abs(steady.temperature - waited.temperature).max() < 1e-6
    for trial in (steady, waited):
        assert trial.solution.energy["imbalance_relative"] < 1e-9


def test_nothing_changes_in_the_steady_state(bench: Any) -> None:
    stages = [*STEADY, {"name": "go on", "duration": "60 s"}]
    trial = bench.solved(layers(bench, stages=stages))
    rates = np.zeros(trial.heat.size)
    trial.heat.rate(0.0, trial.state, rates)
    heat = np.abs(rates[: trial.heat.owned] * trial.volume).max()
    turned = 40e3 * 10.0 * trial.volume.max()  # what particles bring at most to one node
    assert heat < 1e-7 * turned
    hottest = trial.column("layer_max_degC")
    assert np.ptp(hottest[trial.column("time_s") > 0.0]) < 1e-6
    assert trial.solution.energy["imbalance_relative"] < 1e-9


def test_the_heat_of_a_jump_to_the_steady_state_is_not_in_the_ledger(bench: Any) -> None:
    stages = [{"name": "warm", "duration": "5 s"}, *STEADY, {"name": "go on", "duration": "20 s"}]
    trial = bench.solved(layers(bench, stages=stages))
    entries = [trial.column(f"{name}_J") for name in ("supplied", "inflow", "blood", "metabolism")]
    stored = trial.column("stored_J")
    assert np.abs(stored - sum(entries)).max() < 1e-9 * max(np.abs(entry).max() for entry in entries)


@pytest.mark.slow
def test_one_two_and_three_ranks_find_the_same_steady_state(bench: Any) -> None:
    path, found = layers(bench), {}
    for ranks in (1, 2, 3):
        file = path.parent / f"state{ranks}.npz"
        command = [str(MPIEXEC), "-n", str(ranks), sys.executable, "-c", SCRIPT, str(path), str(file)]
        done = subprocess.run(command, env=ALONE, capture_output=True, text=True, timeout=200, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        with np.load(file) as content:
            rows, imbalance = content["rows"], float(content["imbalance"])
        found[ranks] = rows[np.lexsort(np.round(rows[:, :3], 9).T)]
        assert imbalance < 1e-9
    for ranks in (2, 3):
        assert found[ranks][:, :3] == pytest.approx(found[1][:, :3], abs=1e-12)
        assert np.abs(found[ranks][:, 3] - found[1][:, 3]).max() < 1e-7


@pytest.mark.parametrize(
    ("heat", "boundaries", "celsius"),
    [
        ({"blood": 2e4}, {}, 37.0),
        ({"blood": 2e4, "power": 1e5}, {}, 42.0),
        ({}, {"left": convection("20 degC")}, 20.0),
        ({}, {"left": {"kind": "fixed temperature", "value": "20 degC"}}, 20.0),
        ({}, {"left": {"kind": "radiation", "emissivity": 0.9, "ambient": "20 degC"}}, 20.0),
        ({}, {}, 33.0),
    ],
    ids=["blood", "blood and particles", "convection", "held", "radiation", "nothing"],
)
def test_a_body_whose_steady_temperature_is_uniform_finds_it(
    bench: Any, heat: dict[str, float], boundaries: dict[str, Any], celsius: float
) -> None:
    trial = bench.solved(block(bench, **heat, boundaries=CLOSED | boundaries))
    assert trial.temperature - ZERO == pytest.approx(celsius, abs=1e-6)


def lang(of: str, celsius: float) -> float:
    """Blood flow [kg/m3/s] as published (Lang, Erdmann & Seebass 1999; section 5.2)."""
    if of == "tumour":
        return 0.833 if celsius < 37 else 0.416 if celsius > 42 else 0.833 - (celsius - 37) ** 4.8 / 5.438e3
    base, rise = {"muscle": (0.45, 3.55), "fat": (0.36, 0.36)}[of]
    return base + rise * (1.0 if celsius > 45 else float(np.exp(-((celsius - 45) ** 2) / 12)))


@pytest.mark.parametrize(
    ("of", "celsius"),
    [("muscle", 39.0), ("muscle", 43.5), ("muscle", 47.0), ("fat", 41.0), ("fat", 46.0), ("tumour", 39.0), ("tumour", 46.0)],
)
def test_tissue_with_the_published_blood_flow_settles_where_it_carries_the_heat_away(bench: Any, of: str, celsius: float) -> None:
    blood_heat = 3617.0  # [J/kg/K], section 5.1, as the library has it
    balance = lambda at: blood_heat * lang(of, at) * (at - 37.0)  # noqa: E731
    power = balance(celsius)
    assert brentq(lambda at: balance(at) - power, 37.0 + 0.1, 60.0) == pytest.approx(celsius, abs=1e-6)
    perfusion = {"rate": {"kind": "Lang", "of": of}}
    trial = bench.solved(block(bench, power=power, perfusion=perfusion))
    assert trial.temperature - ZERO == pytest.approx(celsius, abs=1e-3)


@pytest.mark.parametrize("boundaries", [{}, {"right": {"kind": "heat flux", "value": "100 W/m^2"}}], ids=["closed", "flux"])
def test_a_heated_body_that_nothing_cools_is_told_to_have_no_steady_state(bench: Any, boundaries: dict[str, Any]) -> None:
    with pytest.raises(SolveError, match="stage settle: there is no steady state: what takes the heat away does not keep up"):
        bench.solved(block(bench, power=1e5, boundaries=CLOSED | boundaries))


def search(at_most: float, most: float, least: float = 0.0) -> list[dict[str, Any]]:
    """A stage that looks for the amplitude [kA/m] that keeps a limit [degC]."""
    between = [f"{least} kA/m", f"{most} kA/m"]
    return [{"name": "settle", "steady": True, "search": {"sensor": "hottest", "at_most": f"{at_most} degC", "between": between}}]


def test_a_search_finds_the_amplitude_that_the_balance_asks_for(bench: Any) -> None:
    blood, power, rise = 2e4, 1e5, 8.0  # at 20 kA/m the rise is power / blood, and it goes with the square
    trial = bench.solved(block(bench, power=power, blood=blood, stages=search(37.0 + rise, 60.0)))
    hottest = trial.temperature.max() - ZERO - 37.0
    assert rise - 0.05 <= hottest <= rise  # good enough is up to 0.05 K below the limit
    exact = 20.0 * np.sqrt(hottest * blood / power)
    assert trial.column("field_kA_per_m")[-1] == pytest.approx(exact, rel=1e-6)


def test_a_search_in_a_sphere_of_perfused_tissue_finds_the_amplitude_of_the_exact_solution(bench: Any) -> None:
    """reference/physics.md, section 7.4: q 1e6 W/m3 in 5 mm gives a rise of 11.04062779 K at the centre."""
    exchange, outer, limit = 33800.865, 25e-3, 44.0
    bench.material("fluid", CAPACITY)
    tissue = {"material": bench.material("jelly", CAPACITY)}
    tissue["perfusion"] = {"rate": f"{exchange / CAPACITY!r} 1/s", "blood": "./fluid.toml"}
    particles = {"name": bench.particle("warmer", 1e5), "iron": "10 mgFe/mL"}
    path = bench.case(
        "sphere",
        {"radius": f"{outer!r} m", "core": "5 mm"},
        "4 mm",
        mesh={"coarsening": 0.7},
        initial={"temperature": "37 degC"},
        regions={"core": tissue | {"particles": particles}, "body": tissue},
        boundaries={"surface": {"kind": "fixed temperature", "value": "37 degC"}},  # the rise there is below 0.01 K
        field=FIELD,
        stages=search(limit, 60.0),
    )
    trial = bench.solved(path)
    exact = 20.0 * np.sqrt((limit - 37.0) / 11.04062779)
    assert trial.column("field_kA_per_m")[-1] == pytest.approx(exact, rel=0.01)
    assert 0.0 <= limit + ZERO - trial.temperature.max() <= 0.05
    assert trial.solution.energy["imbalance_relative"] < 1e-9


def test_a_search_ends_at_the_largest_amplitude_where_the_limit_lies_beyond(bench: Any) -> None:
    trial = bench.solved(block(bench, power=1e5, blood=2e4, stages=search(60.0, 30.0)))
    assert trial.column("field_kA_per_m")[-1] == pytest.approx(30.0)
    assert trial.temperature - ZERO == pytest.approx(37.0 + 5.0 * (30.0 / 20.0) ** 2, abs=1e-6)
    assert any("the largest amplitude tried: the limit lies beyond" in note for note in trial.solution.notes)


def test_a_search_whose_least_amplitude_is_too_much_is_refused(bench: Any) -> None:
    with pytest.raises(CaseError, match=r"reaches 42\.00 degC at the least amplitude, 20000 A/m"):
        bench.solved(block(bench, power=1e5, blood=2e4, stages=search(41.0, 60.0, 20.0)))
