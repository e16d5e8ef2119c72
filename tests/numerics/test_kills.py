"""Runs that are killed, or for which the disk has no room, at any time, and go on: nothing is lost."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nanowarm
from nanowarm.errors import CaseError, SolveError

ALONE = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
NANOWARM = sys.executable, "-m", "nanowarm.cli"
OFTEN = "--set", 'checkpoint.every="1 ns"', "--quiet"  # after every step
SEED = 20261


def started(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """A run in a process of its own, as soon as its folder holds a new line of the log: then it is solved."""
    log = folder / "log.txt"
    before = log.stat().st_size if log.is_file() else 0
    pipe = subprocess.PIPE
    process = subprocess.Popen([*NANOWARM, *arguments], env=ALONE, stdout=pipe, stderr=pipe, text=True)
    while process.poll() is None and (not log.is_file() or log.stat().st_size <= before):
        time.sleep(0.005)
    return process


def killed(process: subprocess.Popen[str], folder: Path, checkpoint: float, after: float) -> None:
    """End a process at once, some time [s] after it has written a checkpoint, or while it writes its results."""
    while process.poll() is None and not (folder / "history.csv").exists():
        if any(int(path.name) >= checkpoint for path in folder.glob("checkpoint/0*")):
            break
        time.sleep(0.001)
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)


def wait_for(folder: Path, checkpoint: str, process: subprocess.Popen[str]) -> None:
    """Wait until a run that goes on has written a checkpoint."""
    until = time.monotonic() + 60.0
    while not (folder / "checkpoint" / checkpoint).exists():
        if time.monotonic() > until or process.poll() is not None:
            process.terminate()
            raise AssertionError(f"checkpoint {checkpoint} was not written")
        time.sleep(0.05)


def ended(folder: Path) -> nanowarm.Run:
    """A run, gone on with in this process where it is not finished."""
    return nanowarm.open_run(folder) if (folder / "summary.json").is_file() else nanowarm.resume(folder)


@pytest.mark.parametrize("kills", [2, pytest.param(10, marks=pytest.mark.slow)])
def test_runs_that_are_killed_at_random_times_end_as_one_that_was_not(
    unbroken: Any, differences: Any, tmp_path: Path, kills: int
) -> None:
    path, whole = unbroken("steered")
    all_of_them = whole.summary["steps"]["accepted"] + 1  # and that of the steady stage
    random = np.random.default_rng(SEED)
    broken_off = 0
    for number in range(kills):
        folder, part = tmp_path / f"killed-{number}", (number + random.random()) / kills
        process = started(folder, "run", str(path), "-o", str(folder), *OFTEN)
        killed(process, folder, 1.2 * part * all_of_them, 0.02 * random.random())  # the last ones while results are written
        broken_off += not (folder / "summary.json").is_file()
        if number % 3 == 1:
            process = started(folder, "resume", str(folder), "--quiet")
            killed(process, folder, (part + random.random() * (1.0 - part)) * all_of_them, 0.02 * random.random())
        assert (number, differences(whole, ended(folder), 1e-9)) == (number, [])
    assert broken_off >= kills - 1


def filled(disk: Path) -> Path:
    """A file that takes all the room that is left."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                pass
    return ballast


@pytest.mark.parametrize(("every", "fault"), [("1 ns", "checkpoint"), ("1 h", r"fields\.vtkhdf")], ids=["checkpoint", "fields"])
def test_a_disk_that_fills_up_leaves_the_last_checkpoint_and_the_run_goes_on_when_there_is_room(
    unbroken: Any, differences: Any, tmp_path: Path, small_disk: Any, every: str, fault: str
) -> None:
    path, whole = unbroken("steered")
    folder, ballast = small_disk(20_000) / "run", []

    def fill(progress: Any) -> None:
        """Take the room away while the second stage goes on."""
        if progress.stage == "hold" and progress.time > 10.0 and not ballast:
            ballast.append(filled(folder.parent))

    told = (
        rf"^{folder}/{fault}: can't be written: .*No space left on device.*; make room and go on with: nanowarm resume {folder}$"
    )
    with pytest.raises(SolveError, match=told) as error:
        nanowarm.run(path, folder, [f'checkpoint.every="{every}"'], listener=nanowarm.Listener(progress=fill))
    assert (error.value.exit_code, len(error.value.faults)) == (3, 1)
    with pytest.raises(SolveError, match="can't be written"):  # still no room
        nanowarm.resume(folder)
    assert sorted(file.name for file in folder.glob("checkpoint/*"))[-1].isdigit()
    ballast[0].unlink()
    assert differences(whole, nanowarm.resume(folder), 1e-9) == []


@pytest.mark.slow
def test_a_run_on_several_meshes_that_was_killed_goes_on_with_all_of_them(unbroken: Any, tmp_path: Path) -> None:
    path, _ = unbroken("steered")
    folder = tmp_path / "run"
    sizes = "--set", 'mesh.size="1.5 mm"', "--convergence", "--quiet"
    process = started(folder / "convergence" / "mesh-2", "run", str(path), "-o", str(folder), *sizes)
    killed(process, folder, 0, 0.1)
    before = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert "convergence" not in before
    done = subprocess.run([*NANOWARM, "resume", str(folder)], env=ALONE, capture_output=True, text=True, timeout=200, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    summary = nanowarm.open_run(folder).summary
    assert {key: value for key, value in summary.items() if key != "convergence"} == before
    assert [entry["folder"] for entry in summary["convergence"]["meshes"]] == [".", "convergence/mesh-2", "convergence/mesh-3"]
    again = subprocess.run([*NANOWARM, "resume", str(folder)], env=ALONE, capture_output=True, text=True, timeout=60, check=False)
    assert (again.returncode, again.stderr) == (2, f"{folder}: this run is finished; its report: {folder}/report.html\n")
    with pytest.raises(CaseError, match="this run is finished"):
        nanowarm.resume(folder)


def test_ranks_hear_a_wish_for_a_checkpoint_and_one_to_stop_and_say_so_in_a_line(unbroken: Any, tmp_path: Path) -> None:
    path, _ = unbroken("steered")
    folder = tmp_path / "run"
    process = started(folder, "run", str(path), "-n", "2", "-o", str(folder), "--set", 'solver.tolerance="1e-7 K"')
    with process:
        wait_for(folder, "000001", process)  # of the steady stage
        process.send_signal(signal.SIGUSR1)
        wait_for(folder, "000002", process)
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 3
    assert re.fullmatch(rf"stopped by a signal at \S+ s of stage hold; go on with: nanowarm resume {folder}\n", told)
