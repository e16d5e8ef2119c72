"""When regions cross a temperature: closed forms on made-up steps and in small runs; the same on any number of ranks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from nanowarm import load_case
from nanowarm.numerics.crossings import Crossings, Threshold
from nanowarm.numerics.exposure import TimeAbove
from nanowarm.numerics.heat import HeatEquation
from nanowarm.numerics.observers import Observers
from nanowarm.numerics.operators import assemble
from nanowarm.numerics.rkc import Step
from nanowarm.numerics.sampling import Nodes, nodes_of
from nanowarm.numerics.setup import equip
from nanowarm.numerics.solve import solve
from nanowarm.numerics.stack import MPI
from nanowarm.numerics.thermodynamics import Thermodynamics
from nanowarm.physics.curves import constant
from nanowarm.physics.materials import Medium
from nanowarm.pipeline import build_mesh

MPIEXEC = Path(sys.executable).parent / "mpiexec"
CAPACITY = 2e6  # [J/m3/K]
GLASS = 150.0  # [K]
MELTING = 235.0  # [K]
ZERO = 273.15  # [K]


class Body:
    """Nodes of one medium, of a volume of 1 m3 each."""

    def __init__(self, nodes: int) -> None:
        self.owned = self.size = nodes
        self.thermo = Thermodynamics([Medium("jelly", constant(CAPACITY), constant(0.5))], np.ones((1, nodes)))
        self.layout = SimpleNamespace(comm=MPI.COMM_SELF)

    def temperature(self, state: Any) -> Any:
        self.thermo.locate(state)
        return self.thermo.temperature()


def region(nodes: Any, temperature: Any = GLASS, name: str = "organ", what: str = "glass transition") -> Threshold:
    index = np.array(nodes)
    return Threshold(name, what, Nodes(index, np.ones(index.size)), temperature)


def followed(curves: Any, *thresholds: Threshold, times: Any = None, slopes: Any = None) -> Crossings:
    """Crossings of nodes with temperatures [K] of shape (times, nodes), straight from time to time unless with slopes [K/s]."""
    curves = np.array(curves, dtype=float)
    times = np.arange(len(curves), dtype=float) if times is None else times
    body: Any = Body(curves.shape[1])
    crossings = Crossings(body, thresholds or [region(range(curves.shape[1]))])
    enthalpy = np.array([body.thermo.enthalpy(row) for row in curves])
    crossings.look(times[0], curves[0])
    for n in range(len(times) - 1):
        size = times[n + 1] - times[n]
        chord = (enthalpy[n + 1] - enthalpy[n]) / size
        ends = (chord, chord) if slopes is None else (CAPACITY * slopes[n], CAPACITY * slopes[n + 1])
        step = Step(times[n], times[n + 1], size, np.stack((enthalpy[n], enthalpy[n + 1], *ends)))
        crossings.observe(step, body.temperature(step.state(step.end)))
    return crossings


def only(crossings: Crossings, direction: str, name: str = "organ") -> dict[str, Any]:
    """The one row of a region in a direction."""
    (row,) = [row for row in crossings.rows()[name] if row["direction"] == direction]
    return row


def test_the_first_and_the_last_node_on_a_ramp_cross_at_the_times_of_the_straight_line() -> None:
    row = only(followed([[155.0, 160.0], [145.0, 140.0]], times=np.array([10.0, 20.0])), "cooling")
    assert row["first_s"] == pytest.approx(15.0, abs=1e-3)
    assert row["last_s"] == pytest.approx(15.0, abs=1e-3)
    row = only(followed([[152.0, 158.0], [142.0, 148.0]], times=np.array([10.0, 20.0])), "cooling")
    assert (row["first_s"], row["last_s"]) == (pytest.approx(12.0, abs=1e-3), pytest.approx(18.0, abs=1e-3))
    assert (row["what"], row["fraction"]) == ("glass transition", 1.0)
    assert row["temperature_degC"] == GLASS - ZERO


def test_the_crossing_of_an_exponential_is_found_to_a_thousandth_of_a_step() -> None:
    # T = 300 - 200 exp(-t / 20 s) passes T* at t = 20 s ln(200 / (300 - T*)); steps of 5 s
    times = np.arange(0.0, 61.0, 5.0)
    decay = 200.0 * np.exp(-times / 20.0)[:, None]
    row = only(followed(300.0 - decay, region([0], 200.0), times=times, slopes=decay / 20.0), "warming")
    assert row["first_s"] == pytest.approx(20.0 * np.log(2.0), abs=5e-3)


def test_a_body_that_never_reaches_the_temperature_has_no_row() -> None:
    assert followed([[200.0], [151.0], [200.0]]).rows() == {"organ": []}


def test_a_part_that_has_not_crossed_leaves_the_last_time_open() -> None:
    row = only(followed([[160.0, 160.0, 160.0], [140.0, 155.0, 140.0]]), "cooling")
    assert row["first_s"] == pytest.approx(0.5, abs=1e-3)
    assert row["last_s"] is None
    assert row["fraction"] == pytest.approx(2.0 / 3.0, rel=1e-12)


def test_each_direction_has_its_own_times_in_the_order_of_their_beginning() -> None:
    rows = followed([[160.0], [140.0], [140.0], [160.0]]).rows()["organ"]
    assert [row["direction"] for row in rows] == ["cooling", "warming"]
    assert [row["first_s"] for row in rows] == pytest.approx([0.5, 2.5], abs=1e-3)


def test_of_several_crossings_the_first_and_the_last_count() -> None:
    crossings = followed([[160.0], [140.0], [160.0], [140.0], [160.0]])
    down, up = only(crossings, "cooling"), only(crossings, "warming")
    assert (down["first_s"], down["last_s"]) == (pytest.approx(0.5, abs=1e-3), pytest.approx(2.5, abs=1e-3))
    assert (up["first_s"], up["last_s"]) == (pytest.approx(1.5, abs=1e-3), pytest.approx(3.5, abs=1e-3))


def test_a_node_that_crosses_again_is_counted_once() -> None:
    row = only(followed([[160.0, 160.0], [140.0, 155.0], [160.0, 155.0], [140.0, 155.0]]), "cooling")
    assert (row["fraction"], row["last_s"]) == (0.5, None)


def test_a_node_that_begins_at_the_temperature_crosses_it_when_it_warms() -> None:
    rows = followed([[GLASS], [160.0]]).rows()["organ"]
    assert [(row["direction"], row["first_s"]) for row in rows] == [("warming", pytest.approx(0.0, abs=1e-3))]


def test_every_node_of_a_partly_equilibrated_organ_has_its_own_temperature() -> None:
    curves = [[160.0, 160.0], [140.0, 140.0]]
    row = only(followed(curves, region([0, 1], np.array([145.0, 155.0]))), "cooling")
    assert (row["first_s"], row["last_s"]) == (pytest.approx(0.25, abs=1e-3), pytest.approx(0.75, abs=1e-3))
    assert row["temperature_degC"] == 145.0 - ZERO


def test_regions_that_share_a_node_both_see_it_cross() -> None:
    thresholds = [region([0, 1]), region([1, 2], 145.0, "bath"), region([1], GLASS, "film")]
    crossings = followed([[170.0, 160.0, 160.0], [150.5, 140.0, 140.0]], *thresholds)
    assert only(crossings, "cooling")["fraction"] == 0.5
    assert only(crossings, "cooling", "bath")["first_s"] == pytest.approx(0.75, abs=1e-3)
    assert only(crossings, "cooling", "film")["last_s"] == pytest.approx(0.5, abs=1e-3)


def test_glass_transition_and_melting_of_one_region_are_told_apart() -> None:
    thresholds = [region([0]), region([0], MELTING, what="melting")]
    rows = followed([[140.0], [240.0]], *thresholds).rows()["organ"]
    assert [row["what"] for row in rows] == ["glass transition", "melting"]
    assert [row["first_s"] for row in rows] == pytest.approx([0.1, 0.95], abs=1e-3)


def test_a_step_that_ended_earlier_counts_only_so_far() -> None:
    body: Any = Body(1)
    crossings = Crossings(body, [region([0])])
    ends = [float(body.thermo.enthalpy(t)[0]) for t in (160.0, 140.0)]
    slope = (ends[1] - ends[0]) / 10.0
    step = Step(0.0, 4.0, 10.0, np.array([[ends[0]], [ends[1]], [slope], [slope]]))
    crossings.look(0.0, np.array([160.0]))
    crossings.observe(step, body.temperature(step.state(step.end)))
    assert crossings.rows() == {"organ": []}
    step = Step(0.0, 8.0, 10.0, step.values)
    crossings.observe(step, body.temperature(step.state(step.end)))
    assert only(crossings, "cooling")["first_s"] == pytest.approx(5.0, abs=1e-2)


def test_a_jump_crosses_at_its_time() -> None:
    body: Any = Body(2)
    crossings = Crossings(body, [region([0, 1])])
    before, after = body.thermo.enthalpy(np.array([160.0, 160.0])), body.thermo.enthalpy(np.array([140.0, 160.0]))
    crossings.jumped(30.0, before, after)
    row = only(crossings, "cooling")
    assert (row["first_s"], row["last_s"], row["fraction"]) == (30.0, None, 0.5)


def test_what_latent_heat_moves_across_between_two_steps_crosses_where_the_next_one_begins() -> None:
    body: Any = Body(1)
    crossings = Crossings(body, [region([0])])
    crossings.look(0.0, np.array([149.9]))
    ends = body.thermo.enthalpy(np.array([150.3]))[0], body.thermo.enthalpy(np.array([151.3]))[0]
    slope = ends[1] - ends[0]
    step = Step(7.0, 8.0, 1.0, np.array([[ends[0]], [ends[1]], [slope], [slope]]))
    crossings.observe(step, body.temperature(step.values[1]))
    assert only(crossings, "warming")["first_s"] == pytest.approx(7.0, abs=1e-2)


def ramped(bench: Any) -> Path:
    """An insulated core in a body whose surface is cooled and warmed: glass below -50 degC, melting at -20 degC."""
    fixed = {"kind": "fixed temperature", "value": {"at": ["0 s", "60 s"], "values": ["-10 degC", "-100 degC"]}}
    path: Path = bench.case(
        "sphere",
        {"radius": "10 mm", "core": "5 mm"},
        "4 mm",
        initial={"temperature": "-10 degC"},
        regions={
            "core": {"material": bench.material("jelly", {150.0: 1e6, 200.0: 2e6, 201.0: 3e6})},
            "body": {"material": bench.material("gel")},
        },
        boundaries={"surface": fixed},
        field={"kind": "none"},
        stages=[
            {"name": "cool", "duration": "60 s"},
            {"name": "store", "until": "mean < -90 degC"},
            {"name": "rewarm", "duration": "90 s", "boundaries": {"surface": {"kind": "fixed temperature", "value": "0 degC"}}},
        ],
        output={"every": "10 s", "fields": []},
    )
    return path


def follow(path: Path, comm: Any) -> tuple[HeatEquation, Crossings, TimeAbove]:
    """A case carried through with crossings of -50 and -20 degC and the time above -45 degC followed."""
    case = load_case(path, [])
    mesh, _ = build_mesh(case, comm)
    equipped = equip(case, assemble(mesh))
    heat = equipped.heat
    pairs = [(name, "glass transition", 223.15) for name in case.regions] + [("core", "melting", 253.15)]
    crossings = Crossings(heat, [Threshold(name, what, nodes_of(heat, name), t) for name, what, t in pairs])
    above = TimeAbove(heat, 228.15)

    class Following(Observers):
        def jumped(self, time: float, before: Any, after: Any) -> None:
            super().jumped(time, before, after)
            crossings.jumped(time, before, after)
            above.look(heat.temperature(after))

        def observe(self, step: Step, stage: str, last: bool) -> None:
            super().observe(step, stage, last)
            temperature = heat.temperature(step.state(step.end)).copy()
            for follower in (crossings, above):
                follower.observe(step, temperature)

    solve(case, heat, Following(case, equipped), lambda progress: None)
    return heat, crossings, above


def told(path: Path, comm: Any) -> dict[str, Any]:
    """Every row, and how long the core and the body were above -45 degC [s]."""
    heat, crossings, above = follow(path, comm)
    times = {name: above.spread(nodes_of(heat, name)).statistics() for name in ("core", "body")}
    return {"rows": crossings.rows(), "times": times}


def test_a_surface_on_a_ramp_crosses_first_and_warms_at_once_where_it_is_set_to_another_temperature(bench: Any) -> None:
    _, crossings, _ = follow(ramped(bench), MPI.COMM_SELF)
    rows = crossings.rows()
    cooling, warming = rows["body"]
    # from -10 to -100 degC in 60 s the surface is at -50 degC after 60 * 40 / 90 s
    assert cooling["first_s"] == pytest.approx(60.0 * 40.0 / 90.0, abs=1e-3)
    assert cooling["last_s"] > 60.0
    assert warming["first_s"] > cooling["last_s"]
    core = {(row["what"], row["direction"]): row for row in rows["core"]}
    assert cooling["first_s"] < core["glass transition", "cooling"]["first_s"]
    assert core["glass transition", "cooling"]["last_s"] == pytest.approx(cooling["last_s"], abs=30.0)
    assert warming["first_s"] < core["glass transition", "warming"]["first_s"] < core["melting", "warming"]["first_s"]


@pytest.mark.parametrize("ranks", [2, 3])
def test_more_ranks_give_the_same_crossings_and_times_above(bench: Any, ranks: int) -> None:
    path = ramped(bench)
    alone = told(path, MPI.COMM_SELF)
    assert len(alone["rows"]["core"]) >= 3
    command = [str(MPIEXEC), "-n", str(ranks), sys.executable, __file__, str(path)]
    alone_cores = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=alone_cores, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    many = json.loads(done.stdout.splitlines()[-1])
    for name, rows in alone["rows"].items():
        assert [row | {"fraction": pytest.approx(row["fraction"], rel=1e-9)} for row in rows] == [
            row | {key: pytest.approx(row[key], rel=1e-7) for key in ("first_s", "last_s") if row[key] is not None}
            for row in many["rows"][name]
        ]
        assert many["times"][name] == pytest.approx(alone["times"][name], rel=1e-7, abs=1e-7)


if __name__ == "__main__":  # on each of several ranks
    FOUND = told(Path(sys.argv[1]), MPI.COMM_WORLD)
    if MPI.COMM_WORLD.rank == 0:
        print(json.dumps(FOUND))
