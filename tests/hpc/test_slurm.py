"""The job scripts on a Slurm of one node."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow


def numbers_of(content: Any, key: str = "") -> Iterator[tuple[str, float]]:
    """Every number of a summary but for the seconds that it took, by the path of its key."""
    if isinstance(content, Mapping):
        for name, value in content.items():
            if name != "seconds":
                yield from numbers_of(value, f"{key}.{name}")
    elif isinstance(content, list):
        for index, value in enumerate(content):
            yield from numbers_of(value, f"{key}.{index}")
    elif isinstance(content, int | float):
        yield key, float(content)


def summary(folder: Path) -> dict[str, float]:
    return dict(numbers_of(json.loads((folder / "summary.json").read_text(encoding="utf-8"))))


@pytest.fixture(scope="module")
def slow_case(module_bench: Any) -> Path:
    """A vial in a bath, with a step so short that a run can be interrupted."""
    convection = {"kind": "convection", "coefficient": "500 W/m^2/K", "ambient": "40 degC"}
    path: Path = module_bench.case(
        "vial",
        {"volume": "1 mL"},
        "3 mm",
        initial={"temperature": "0 degC"},
        regions={"cpa": {"material": module_bench.material("jelly")}},
        boundaries={"side": convection, "top": convection, "bottom": convection},
        field={"kind": "none"},
        stages=[{"name": "warm", "duration": "20 s"}],
        solver={"largest_step": "8 ms"},
        output={"every": "1 s", "fields": []},
    )
    return path


@pytest.fixture(scope="module")
def unbroken(slow_case: Path) -> dict[str, float]:
    """What a run on two ranks finds that nobody interrupts."""
    folder = slow_case.parent / "unbroken"
    line = [sys.executable, "-m", "nanowarm.cli", "run", slow_case, "-n", "2", "-o", folder]
    subprocess.run(line, check=True, capture_output=True, timeout=300)
    return summary(folder)


@pytest.mark.parametrize("launcher", [None, "srun --mpi=pmi2"], ids=["mpiexec", "srun"])
def test_a_run_whose_time_is_up_requeues_itself_and_ends_with_the_numbers_of_an_unbroken_one(
    cluster: Any, kit: Path, slow_case: Path, unbroken: dict[str, float], launcher: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if launcher:
        monkeypatch.setenv("NANOWARM_LAUNCHER", launcher)
    folder = cluster.folder / "run"
    order = ("sbatch", "--parsable", "--ntasks=2", "--mem-per-cpu=500", "--output=log.txt")
    job = cluster.call(*order, kit / "slurm" / "run.sbatch", slow_case, "run").strip()
    while not (folder / "log.txt").is_file():  # it has begun to solve
        assert cluster.facts(job)["JobState"] in ("PENDING", "CONFIGURING", "RUNNING")
        time.sleep(0.2)
    time.sleep(1.0)
    cluster.call("scancel", "--batch", "--signal=USR1", job)
    facts = cluster.ended(job)
    log = (cluster.folder / "log.txt").read_text(encoding="utf-8")
    assert (facts["JobState"], facts["Restarts"]) == ("COMPLETED", "1"), log
    assert "going on from checkpoint" in log
    assert summary(folder) == pytest.approx(unbroken, rel=1e-9, abs=1e-9)


def test_a_job_that_gets_nowhere_says_so_and_does_not_requeue_itself(cluster: Any, kit: Path, slow_case: Path) -> None:
    wait = "sleep 60 #"  # in place of nanowarm: saves nothing
    script = cluster.folder / "stuck.sh"
    script.write_text(f"#!/bin/bash\n{wait}\n", encoding="utf-8")
    script.chmod(0o755)
    order = ("sbatch", "--parsable", "--ntasks=1", "--mem-per-cpu=500", "--output=log.txt")
    variables = f"--export=ALL,NANOWARM={script},NANOWARM_LAUNCHER=env"
    job = cluster.call(*order, variables, kit / "slurm" / "run.sbatch", slow_case, "run").strip()
    log = cluster.folder / "log.txt"
    while not log.is_file() or "nanowarm run" not in log.read_text(encoding="utf-8"):
        time.sleep(0.2)
    time.sleep(1.0)
    cluster.call("scancel", "--batch", "--signal=USR1", job)
    facts = cluster.ended(job)
    assert (facts["JobState"], facts["Restarts"], facts["ExitCode"]) == ("FAILED", "0", "3:0")
    assert "nothing was saved within one time limit" in log.read_text(encoding="utf-8")


def test_the_array_of_a_study_gives_the_table_of_the_study(cluster: Any, kit: Path, whole: Any, table: Any) -> None:
    path, expected = whole
    script = kit / "slurm" / "study.sh"
    told = cluster.call("bash", script, path, "array", "4", "--cpus-per-task=1", "--mem-per-cpu=500")
    parts, collect = (word.strip(" ;\n") for word in (told.split("job ")[1].split()[0], told.split("job ")[2]))
    log = cluster.folder / f"nanowarm-study-{parts}-1.log"
    while not log.is_file() or "run 3 of 48" not in log.read_text(encoding="utf-8"):
        time.sleep(0.2)
    # Slurm 22.05 tells scancel that it has not told the task, so that it would tell it time and again.
    subprocess.run(["timeout", "0.5", "scancel", "--batch", "--signal=USR1", f"{parts}_1"], check=False)
    facts = cluster.ended(collect)
    text = log.read_text(encoding="utf-8")
    assert facts["JobState"] == "COMPLETED", text
    assert "going on in the next turn" in text
    assert re.search(r"runs: 12 of 48 \([3-9] finished before\)", text)
    assert [text.count(f"run {number} of 48") for number in range(1, 13)] == [1] * 12
    assert table(cluster.folder / "array") == expected


def test_a_bad_study_is_refused_before_anything_is_submitted(cluster: Any, kit: Path) -> None:
    (cluster.folder / "bad.toml").write_text("schema = 1\n", encoding="utf-8")
    line = ["bash", kit / "slurm" / "study.sh", "bad.toml", "array", "4"]
    done = subprocess.run(line, cwd=cluster.folder, capture_output=True, text=True, env=os.environ, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("bad.toml: ")
    assert cluster.call("squeue", "-h") == ""
