"""One, two and three ranks give the same numbers, and what one rank finds wrong all ranks raise."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

MPIEXEC = Path(sys.executable).parent / "mpiexec"
RUN = "import sys, nanowarm; nanowarm.run(sys.argv[1], folder=sys.argv[2])"
ALONE = os.environ | {"OMP_NUM_THREADS": "1"}


def convection(ambient: Any) -> dict[str, Any]:
    return {"kind": "convection", "coefficient": "200 W/m^2/K", "ambient": ambient}


def vial_case(bench: Any, refine: int) -> Path:
    """A vial with a wall that is cooled until it is cold and warmed until it is warm, with everything that is reduced."""
    particles = {"name": bench.particle("warmer", {150.0: 300e3, 300.0: 500e3}), "iron": "10 mgFe/mL"}
    rate = {"region": "cpa", "at_least": "5 degC/min"}
    path: Path = bench.case(
        "vial",
        {"volume": "0.2 mL" if refine else "0.3 mL", "wall": "1 mm"},
        "3 mm" if refine else "2 mm",
        mesh={"refine": refine},
        initial={"temperature": "0 degC"},
        regions={
            "cpa": {
                "material": bench.material("jelly", {150.0: 1e6, 200.0: 2e6, 201.0: 3e6}, {150.0: 0.2, 300.0: 0.5}),
                "particles": particles,
            },
            "container": {"material": bench.material("wall", 2e6, 0.2)},
        },
        boundaries={
            "side": convection("-150 degC"),
            "top": convection("-150 degC"),
            "bottom": {"kind": "fixed temperature", "value": "-10 degC"},
        },
        field={"kind": "uniform", "amplitude": "0 kA/m", "frequency": "200 kHz"},
        stages=[
            {"name": "cool", "until": "cpa.mean < -60 degC", "duration": "300 s"},
            {
                "name": "rewarm",
                "until": "coldest > -15 degC",
                "duration": "300 s",
                "field": {"amplitude": "20 kA/m"},
                "boundaries": {
                    "side": convection("20 degC"),
                    "top": {"kind": "radiation", "emissivity": 0.9, "ambient": "20 degC"},
                },
            },
        ],
        criteria=[
            {"kind": "cooling rate", "window": ["-10 degC", "-40 degC"], "fraction": 0.9} | rate,
            {"kind": "warming rate", "window": ["-40 degC", "-20 degC"], "measure": "slowest"} | rate,
            {"kind": "temperature difference", "region": "cpa", "at_most": "30 K", "below": "-30 degC"},
            {"kind": "temperature", "region": "container", "at_least": "-160 degC"},
        ],
        output={"every": "5 s", "probes": {"centre": ["0 mm", "0 mm", "0 mm"], "wall": ["3.5 mm", "0 mm", "1 mm"]}, "fields": []},
    )
    return path


def freezing_case(bench: Any) -> Path:
    """A vial, not quite at full strength, that freezes in part on the way down and more on the way up, until it melts."""
    particles = {"name": bench.particle("warmer", 200e3), "iron": "3 mgFe/mL"}
    path: Path = bench.case(
        "vial",
        {"volume": "0.3 mL", "wall": "1 mm"},
        "2 mm",
        initial={"temperature": "-30 degC"},
        regions={
            "cpa": {"material": "VS55", "particles": particles, "concentration": "95 %"},
            "container": {"material": bench.material("wall", 2e6, 0.2)},
        },
        boundaries={"side": convection("-150 degC"), "top": convection("-150 degC"), "bottom": {"kind": "insulated"}},
        field={"kind": "uniform", "amplitude": "0 kA/m", "frequency": "200 kHz"},
        stages=[
            {"name": "cool", "until": "cpa.hottest < -100 degC", "duration": "600 s"},
            {
                "name": "rewarm",
                "duration": "100 s",
                "field": {"amplitude": "20 kA/m"},
                "boundaries": {"side": convection("-20 degC"), "top": convection("20 degC")},
            },
        ],
        criteria=[
            {"kind": "ice", "region": "cpa"},
            {"kind": "warming rate", "region": "cpa", "at_least": "critical", "window": ["-90 degC", "-60 degC"]},
        ],
        solver={"tolerance": "0.2 K"},
        output={"every": "5 s", "fields": []},
    )
    return path


def run_on(ranks: int, path: Path, numbers: Any) -> dict[str, Any]:
    """Leaves of `summary.json` and of the last row of `history.csv` of a run on some ranks."""
    folder = path.parent / f"run{ranks}"
    command = [str(MPIEXEC), "-n", str(ranks), sys.executable, "-c", RUN, str(path), str(folder)]
    done = subprocess.run(command, env=ALONE, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = (folder / "history.csv").read_text().splitlines()
    last = dict(zip(rows[0].split(","), rows[-1].split(","), strict=True))
    history = {f"history.{key}": value if key == "stage" else float(value) for key, value in last.items()}
    return numbers(json.loads((folder / "summary.json").read_text())) | {"history.rows": len(rows)} | history


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """What differs by more than 1e-7 of itself."""
    found = [f"{key}: only once" for key in set(one) ^ set(other)]
    for key in set(one) & set(other):
        if isinstance(one[key], float):
            around = abs(one[key]) if "imbalance" not in key else 1.0
            close = abs(one[key] - other[key]) <= 1e-7 * max(around, 1e-6)
        else:
            close = one[key] == other[key]
        found += [] if close else [f"{key}: {one[key]} and {other[key]}"]
    return sorted(found)


@pytest.mark.parametrize(("refine", "others"), [(0, (2, 3)), pytest.param(1, (3,), marks=pytest.mark.slow)])
def test_one_two_and_three_ranks_give_the_same_numbers(bench: Any, numbers: Any, refine: int, others: tuple[int, ...]) -> None:
    path = vial_case(bench, refine)
    alone = run_on(1, path, numbers)
    assert alone[".steps.accepted"] > 20
    assert "unseen" not in [alone[f".criteria.{n}.outcome"] for n in range(4)]
    assert {ranks: differences(alone, run_on(ranks, path, numbers)) for ranks in others} == {ranks: [] for ranks in others}


@pytest.mark.slow
def test_ice_is_the_same_on_one_two_and_three_ranks(bench: Any, numbers: Any) -> None:
    path = freezing_case(bench)
    alone = run_on(1, path, numbers)
    assert alone[".regions.cpa.ice_fraction.max"] > 0.05
    assert alone[".regions.cpa.ice_fraction.max"] > 1.5 * alone[".regions.cpa.ice_fraction.min"]
    assert {ranks: differences(alone, run_on(ranks, path, numbers)) for ranks in (2, 3)} == {2: [], 3: []}


def test_a_probe_outside_the_mesh_is_told_by_every_rank_at_once(bench: Any) -> None:
    path = vial_case(bench, 0)
    script = (
        "import sys, nanowarm\nfrom mpi4py import MPI\n"
        'try:\n    nanowarm.run(sys.argv[1], folder=sys.argv[2], overrides=[\'output.probes.far=["1 m", "0 m", "0 m"]\'])\n'
        "except nanowarm.errors.CaseError as error:\n    print('told:', error, flush=True)\n"
    )
    command = [str(MPIEXEC), "-n", "2", sys.executable, "-c", script, str(path), str(path.parent / "never")]
    done = subprocess.run(command, env=ALONE, capture_output=True, text=True, timeout=100, check=False)
    assert done.stdout.count("told:") == 2, done.stdout + done.stderr
    assert "probes.far" in done.stdout
    assert not (path.parent / "never").exists()
