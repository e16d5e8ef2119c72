"""Controllers of the field in whole runs: what they hold, what they cost, and the same history on any number of ranks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

Array = NDArray[np.float64]

BODY, SET = 37.0, 43.0  # [degC]
CAPACITY, BLOOD, IRON = 4e6, 4e4, 10.0  # [J/m3/K], [W/m3/K], [kg/m3]
POWER = 1e6  # [W/m3] at the largest amplitude
MOST = 20.0  # [kA/m]
MPIEXEC = Path(sys.executable).parent / "mpiexec"
ALONE = os.environ | {"OMP_NUM_THREADS": "1"}
SCRIPT = """
import json, sys
from nanowarm import load_case
from nanowarm.numerics.observers import Observers
from nanowarm.numerics.operators import assemble
from nanowarm.numerics.setup import equip
from nanowarm.numerics.solve import solve
from nanowarm.numerics.stack import MPI
from nanowarm.pipeline import build_mesh

case = load_case(sys.argv[1])
equipped = equip(case, assemble(build_mesh(case, MPI.COMM_WORLD)[0]))
observers = Observers(case, equipped)
solution = solve(case, equipped.heat, observers, lambda progress: None)
found = {name: [float(value) for value in values] for name, values in observers.columns().items()}
doses = observers.doses.summary("core")
found["dose"] = [*doses["cem43_min"].values(), doses["cem43_t90_min"], doses["t90_degC"], doses["t10_degC"]]
assert solution.energy["imbalance_relative"] < 1e-9
if MPI.COMM_WORLD.rank == 0:
    with open(sys.argv[2], "w") as file:
        json.dump(found, file)
"""


def tissue(bench: Any, power: float, blood: float) -> dict[str, Any]:
    """A region with particles that heat [W/m3] at the largest amplitude, and blood that exchanges heat [W/m3/K]."""
    bench.material("fluid", CAPACITY)
    found: dict[str, Any] = {"material": bench.material("jelly", CAPACITY)}
    if power:
        found["particles"] = {"name": bench.particle("warmer", power / IRON), "iron": f"{IRON} mgFe/mL"}
    if blood:
        found["perfusion"] = {"rate": f"{blood / CAPACITY!r} 1/s", "blood": "./fluid.toml"}
    return found


def stage(duration: float, kind: str, **control: Any) -> list[dict[str, Any]]:
    return [{"name": "treat", "duration": f"{duration} s", "control": {"kind": kind} | control}]


def sections(regions: dict[str, Any], surfaces: tuple[str, ...], stages: list[dict[str, Any]]) -> dict[str, Any]:
    """What all cases of this file share."""
    return {
        "initial": {"temperature": f"{BODY} degC"},
        "regions": regions,
        "boundaries": {name: {"kind": "insulated"} for name in surfaces},
        "field": {"kind": "uniform", "amplitude": f"{MOST} kA/m", "frequency": "200 kHz"},
        "stages": stages,
    }


def uniform(bench: Any, stages: list[dict[str, Any]], blood: float = BLOOD, **more: Any) -> Path:
    """A body that stays uniform: its temperature is that of one equation."""
    everything = sections({"body": tissue(bench, POWER, blood)}, ("left", "right", "sides"), stages)
    path: Path = bench.case("slab", {"thickness": "4 mm", "width": "2 mm"}, "2 mm", **everything | more)
    return path


def tumour(bench: Any, stages: list[dict[str, Any]]) -> Path:
    """A heated core in perfused tissue."""
    regions = {"core": tissue(bench, POWER, BLOOD), "body": tissue(bench, 0.0, BLOOD)}
    everything = sections(regions, ("surface",), stages)
    every = {"output": {"every": "1 s", "fields": []}}
    path: Path = bench.case("sphere", {"radius": "20 mm", "core": "6 mm"}, "4 mm", mesh={"coarsening": 1.8}, **everything | every)
    return path


def expected(duration: float, every: float, on: Any) -> tuple[Array, Array]:
    """Temperatures [degC] and amplitudes [kA/m] at the samples of a uniform body, each held for a sample by closed form.

    Args:
        duration, every: [s].
        on: whether the field is on from a sample on, given its number, temperature and whether it was on.
    """
    left = np.exp(-BLOOD / CAPACITY * every)
    temperatures, amplitudes, running = [BODY], [], False
    for number in range(round(duration / every)):
        running = on(number, temperatures[-1], running)
        end = BODY + running * POWER / BLOOD
        temperatures.append(end + (temperatures[-1] - end) * left)
        amplitudes.append(MOST * running)
    return np.array(temperatures), np.array(amplitudes)


def test_a_thermostat_switches_a_uniform_body_as_the_closed_form_does(bench: Any) -> None:
    def on(number: int, temperature: float, running: bool) -> bool:
        return temperature <= SET + 0.25 if running else temperature < SET - 0.25

    duration, every = 200.0, 1.0
    stages = stage(duration, "thermostat", sensor="mean", set_point=f"{SET} degC", band="0.5 K", every=f"{every} s")
    path = uniform(bench, stages, solver={"tolerance": "1e-5 K"}, output={"every": f"{every} s"})
    trial = bench.solved(path)
    temperatures, amplitudes = expected(duration, every, on)
    switched = np.count_nonzero(np.diff(amplitudes))
    margin = min(abs(t - limit) for t in temperatures for limit in (SET - 0.25, SET + 0.25))
    assert switched > 10
    assert margin > 5e-4  # no sample is so near a limit that an error of the run may decide
    found = trial.column("body_mean_degC")
    assert np.abs(found - temperatures).max() < 2e-4
    # a row at a sample may hold the amplitude before it or after it
    field = trial.column("field_kA_per_m")[1:-1]
    assert np.all((field == amplitudes[:-1]) | (field == amplitudes[1:]))
    volume = float(trial.volume.sum())
    supplied = POWER * volume * every * np.count_nonzero(amplitudes)
    assert trial.solution.energy["supplied"] == pytest.approx(supplied, rel=1e-9)
    assert trial.solution.energy["imbalance_relative"] < 1e-9


@pytest.mark.parametrize("kind", ["thermostat", "pid"])
def test_a_controller_holds_the_hottest_point_of_a_tumour_within_a_fifth_of_a_kelvin(bench: Any, kind: str) -> None:
    control = {"band": "0.1 K", "every": "0.2 s"} if kind == "thermostat" else {"every": "1 s"}
    stages = stage(400.0, kind, sensor="core.hottest", set_point=f"{SET} degC", **control)
    trial = bench.solved(tumour(bench, stages))
    time, hottest = trial.column("time_s"), trial.column("core_max_degC")
    first = time[np.abs(hottest - SET) < 0.2][0]
    settled = hottest[time > (first + 1.0 if kind == "thermostat" else 200.0)]
    assert first < 100.0
    assert settled.size > 150
    assert np.abs(settled - SET).max() < 0.2
    assert hottest.max() < SET + 0.5
    assert trial.column("field_kA_per_m").max() <= MOST * (1 + 1e-9)
    assert trial.solution.energy["imbalance_relative"] < 1e-9


def test_a_thermostat_at_its_default_settings_holds_a_tumour_within_a_fifth_of_a_kelvin(bench: Any) -> None:
    # 4 kA/m heat by 40 kW/m3 per 4 MJ/m3/K: no more than 0.02 K in a sample of 2 s, but enough for half the rise
    stages = stage(600.0, "thermostat", sensor="core.mean", set_point="38 degC", most="8 kA/m")
    trial = bench.solved(tumour(bench, stages))
    time, mean = trial.column("time_s"), trial.column("core_mean_degC")
    settled = mean[time > time[mean > 37.9][0]]
    assert np.count_nonzero(np.diff(trial.column("field_kA_per_m"))) > 5
    assert np.abs(settled - 38.0).max() < 0.2


def test_a_cycle_heats_for_its_share_of_the_time(bench: Any) -> None:
    duration, on, off = 100.0, 7.0, 13.0
    trial = bench.solved(uniform(bench, stage(duration, "cycle", on=f"{on} s", off=f"{off} s"), blood=0.0))
    heated = duration * on / (on + off)
    volume = float(trial.volume.sum())
    assert trial.solution.energy["supplied"] == pytest.approx(POWER * volume * heated, rel=1e-9)
    assert trial.temperature - 273.15 == pytest.approx(BODY + POWER * heated / CAPACITY, abs=1e-6)
    assert trial.solution.energy["imbalance_relative"] < 1e-9


def test_a_cycle_follows_the_closed_form_of_a_perfused_body(bench: Any) -> None:
    duration, every = 120.0, 2.0
    stages = stage(duration, "cycle", on="6 s", off="10 s")
    path = uniform(bench, stages, solver={"tolerance": "1e-5 K"}, output={"every": f"{every} s"})
    trial = bench.solved(path)
    temperatures, _ = expected(duration, every, lambda number, temperature, running: number % 8 < 3)
    assert np.abs(trial.column("body_mean_degC") - temperatures).max() < 2e-4


def test_the_next_stage_has_its_own_field_again(bench: Any) -> None:
    stages = [*stage(20.0, "cycle", on="5 s", off="50 s"), {"name": "own", "duration": "10 s", "field": {"amplitude": "10 kA/m"}}]
    trial = bench.solved(uniform(bench, stages, blood=0.0))
    supplied = POWER * float(trial.volume.sum()) * (5.0 + 10.0 * (10.0 / MOST) ** 2)
    assert trial.solution.energy["supplied"] == pytest.approx(supplied, rel=1e-9)


def history(path: Path, ranks: int) -> dict[str, Any]:
    """Columns of `history.csv`, and doses of the core, of a run on some ranks."""
    file = path.parent / f"history{ranks}.json"
    command = [str(MPIEXEC), "-n", str(ranks), sys.executable, "-c", SCRIPT, str(path), str(file)]
    done = subprocess.run(command, env=ALONE, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def test_one_and_three_ranks_steer_alike(bench: Any) -> None:
    seen: dict[str, Any] = {"sensor": "core.hottest", "every": "1 s"}
    stages = stage(40.0, "pid", set_point="41 degC", **seen) + stage(
        20.0, "thermostat", set_point="42 degC", band="0.2 K", **seen
    )
    stages[1]["name"] = "hotter"
    path = tumour(bench, stages)
    alone, shared = history(path, 1), history(path, 3)
    assert alone.keys() == shared.keys()
    for name, values in alone.items():
        assert shared[name] == pytest.approx(values, rel=1e-7, abs=1e-9), name
    field = alone["field_kA_per_m"]
    assert len({round(value, 3) for value in field[:40]}) > 10  # the pid steers
    assert np.count_nonzero(np.diff(field[42:])) > 1  # and the thermostat switches
    assert max(alone["dose"][:3]) > 0.0
