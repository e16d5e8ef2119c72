"""A run that is broken off and goes on ends as one that was not, on the same ranks and on others."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import nanowarm
from nanowarm.errors import CaseError, SolveError
from nanowarm.numerics.stage_run import StageRun

MPIEXEC = Path(sys.executable).parent / "mpiexec"
ALONE = os.environ | {"OMP_NUM_THREADS": "1"}
HALTED = "halted by a test"


def halted(path: Path, folder: Path, after: int, monkeypatch: pytest.MonkeyPatch, *overrides: str) -> None:
    """Run a case with a checkpoint after every step, and break it off after some of them."""
    carry, steps = StageRun.carry, []

    def impatient(self: StageRun, report: Callable[..., None], look: Callable[[float], None]) -> float:
        def count(where: dict[str, Any]) -> None:
            steps.append(where)
            if len(steps) > after:
                raise SolveError(HALTED)
            report(where)

        return carry(self, count, look)

    with monkeypatch.context() as patch:
        patch.setattr(StageRun, "carry", impatient)
        with pytest.raises(SolveError, match=HALTED):
            nanowarm.run(path, folder=folder, overrides=('checkpoint.every="1 ns"', *overrides))


@pytest.mark.parametrize("part", [pytest.param(0.03, marks=pytest.mark.slow), 0.5, pytest.param(0.97, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "name", ["frozen", *(pytest.param(name, marks=pytest.mark.slow) for name in ("plain", "treated", "steered"))]
)
def test_a_run_that_goes_on_ends_as_one_that_was_not_broken_off(
    unbroken: Any, name: str, part: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, differences: Any
) -> None:
    path, whole = unbroken(name)
    after = max(1, int(part * whole.summary["steps"]["accepted"]))
    halted(path, tmp_path / "run", after, monkeypatch)
    assert not (tmp_path / "run" / "summary.json").exists()
    assert len(list((tmp_path / "run" / "checkpoint").glob("0*"))) == min(after, 2)
    assert differences(whole, nanowarm.resume(tmp_path / "run"), 1e-9) == []
    assert not (tmp_path / "run" / "checkpoint").exists()


HALT = """
import sys, nanowarm
from nanowarm.errors import CaseError, SolveError
from nanowarm.numerics.stage_run import StageRun
path, folder, after = sys.argv[1], sys.argv[2], int(sys.argv[3])
carry, steps = StageRun.carry, []

def count(report):
    def counted(where):
        steps.append(where)
        if len(steps) > after:
            raise SolveError("halted")
        report(where)
    return counted

StageRun.carry = lambda self, report, look: carry(self, count(report), look)
try:
    nanowarm.run(path, folder=folder, overrides=['checkpoint.every="1 ns"'])
except SolveError as error:
    assert str(error) == "halted", error
else:
    raise AssertionError("the run came to its end")
"""
GO_ON = "import sys, nanowarm; nanowarm.resume(sys.argv[1])"


def on_ranks(ranks: int, program: str, *arguments: object) -> None:
    command = [str(MPIEXEC), "-n", str(ranks), sys.executable, "-c", program, *map(str, arguments)]
    done = subprocess.run(command, env=ALONE, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


RANKS = (
    pytest.param("frozen", 1, 2, marks=pytest.mark.slow),
    ("plain", 2, 3),
    pytest.param("steered", 3, 1, marks=pytest.mark.slow),
    pytest.param("treated", 2, 1, marks=pytest.mark.slow),
)


@pytest.mark.parametrize(("name", "before", "behind"), RANKS)
def test_a_run_goes_on_on_another_number_of_ranks(
    unbroken: Any, name: str, before: int, behind: int, tmp_path: Path, differences: Any
) -> None:
    path, whole = unbroken(name)
    after = int(0.6 * whole.summary["steps"]["accepted"])
    on_ranks(before, HALT, path, tmp_path / "run", after)
    on_ranks(behind, GO_ON, tmp_path / "run")
    accuracy = 1e-6 if name == "frozen" else 1e-7  # stress is as good as its iterative solver
    assert differences(whole, nanowarm.open_run(tmp_path / "run"), accuracy) == []


@pytest.fixture
def broken(unbroken: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, nanowarm.Run]:
    """The folder of a run that was broken off, and the whole run."""
    path, whole = unbroken("plain")
    halted(path, tmp_path / "run", 20, monkeypatch)
    return tmp_path / "run", whole


def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(broken: Any, differences: Any) -> None:
    folder, whole = broken
    part = folder / "checkpoint" / "000020" / "part-0.npz"
    part.write_bytes(part.read_bytes()[:-100])
    told: list[str] = []
    again = nanowarm.resume(folder, listener=nanowarm.Listener(say=told.append))
    assert "note: checkpoint 000020 is passed over: it is damaged" in told
    assert any(line.startswith("going on from checkpoint 000019 at ") for line in told)
    assert differences(whole, again, 1e-9) == []


def test_a_field_file_that_was_cut_off_is_set_aside_and_the_record_says_what_is_missing(broken: Any) -> None:
    folder, whole = broken
    fields = folder / "fields.vtkhdf"
    damaged = fields.read_bytes()[:1000]
    fields.write_bytes(damaged)
    again = nanowarm.resume(folder)
    assert (folder / "fields-damaged.vtkhdf").read_bytes() == damaged
    notes = json.loads((folder / "record.json").read_text(encoding="utf-8"))["notes"]
    assert [note for note in notes if re.search(r"fields\.vtkhdf had been damaged: of its first \d+ frames it holds 0\.", note)]
    assert again.summary["verdict"] == whole.summary["verdict"]
    with h5py.File(fields) as file, h5py.File(whole.folder / "fields.vtkhdf") as other:
        left, right = file["VTKHDF/Steps/Values"][:], other["VTKHDF/Steps/Values"][:]
        assert 0 < left.size < right.size
        assert left == pytest.approx(right[-left.size :])


def test_nothing_to_go_on_from_is_told_in_a_line(broken: Any, tmp_path: Path) -> None:
    folder, whole = broken
    with pytest.raises(CaseError, match=r"no run to go on with: there is no case\.toml in it"):
        nanowarm.resume(tmp_path)
    with pytest.raises(CaseError, match="this run is finished; its report"):
        nanowarm.resume(whole.folder)
    for number in (19, 20):
        (folder / "checkpoint" / f"0000{number}" / "state.json").write_text("{}")
    with pytest.raises(CaseError, match="checkpoint 000020 and 000019 damaged: nothing to go on from"):
        nanowarm.resume(folder)
    assert len(list((folder / "checkpoint").iterdir())) == 2


def test_another_case_or_version_is_refused(broken: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, _ = broken
    case = folder / "case.toml"
    given = case.read_text(encoding="utf-8")
    case.write_text(given.replace("20 kA/m", "21 kA/m"), encoding="utf-8")
    with pytest.raises(CaseError, match=r"can't go on: case\.toml is another one than when the run began"):
        nanowarm.resume(folder)
    case.write_text(given, encoding="utf-8")
    jelly = Path(given.split('material = "', 1)[1].split('"', 1)[0])
    before = jelly.read_text(encoding="utf-8")
    jelly.write_text(before + "\n", encoding="utf-8")
    with pytest.raises(CaseError, match="a file that the case names is another one"):
        nanowarm.resume(folder)
    jelly.write_text(before, encoding="utf-8")
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0.0.1")
    with pytest.raises(CaseError, match=r"version was .*, is 0\.0\.1"):
        nanowarm.resume(folder)


def test_a_full_disk_leaves_the_checkpoint_before(
    unbroken: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, differences: Any
) -> None:
    path, whole = unbroken("plain")
    save, times = np.savez, []

    def full(*arguments: Any, **arrays: Any) -> None:
        times.append(1)
        if len(times) > 10:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        save(*arguments, **arrays)

    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", full)
        with pytest.raises(SolveError, match="checkpoint: can't be written: No space left on device; make room and go on"):
            nanowarm.run(path, folder=tmp_path / "run", overrides=('checkpoint.every="1 ns"',))
    assert differences(whole, nanowarm.resume(tmp_path / "run"), 1e-9) == []


def test_the_record_counts_the_parts_of_a_run_and_sums_their_seconds(broken: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, _ = broken
    state = json.loads((folder / "checkpoint" / "000020" / "state.json").read_text(encoding="utf-8"))
    first = state["seconds"]
    assert all(first[phase] > 0.0 for phase in ("import", "mesh", "setup", "solve", "output"))
    again = nanowarm.resume(folder)
    record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    assert {name: record[name] for name in ("command", "started")} == {
        name: state["origin"][name] for name in ("command", "started")
    }
    assert (state["origin"]["resumed"], record["resumed"]) == (0, 1)
    assert all(again.summary["seconds"][phase] >= spent for phase, spent in first.items())


def test_a_run_without_any_checkpoint_begins_anew_in_its_folder(
    unbroken: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, differences: Any
) -> None:
    path, whole = unbroken("steered")
    folder = tmp_path / "run"
    halted(path, folder, 150, monkeypatch)
    for left in (folder / "checkpoint").iterdir():
        left.rename(left.with_name(f"unfinished-{left.name}"))
    told: list[str] = []
    again = nanowarm.resume(folder, listener=nanowarm.Listener(say=told.append))
    assert "no checkpoint was written yet: the run begins at its start" in told
    assert differences(whole, again, 1e-9) == []


def test_a_run_that_goes_on_is_not_gone_on_with_by_another_process(broken: Any, differences: Any) -> None:
    folder, whole = broken
    refused: list[str] = []

    def meanwhile(progress: Any) -> None:
        """Go on with the run a second time."""
        if not refused:
            with pytest.raises(CaseError, match="this run is going on; wait for its end") as error:
                nanowarm.resume(folder)
            refused.append(str(error.value))

    again = nanowarm.resume(folder, listener=nanowarm.Listener(progress=meanwhile))
    assert refused
    assert differences(whole, again, 1e-9) == []
