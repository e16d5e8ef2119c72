"""A run that is broken off and goes on ends as one that was not, on the same ranks and on others."""

from __future__ import annotations

import errno
import os
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


def convection(ambient: Any) -> dict[str, Any]:
    return {"kind": "convection", "coefficient": "200 W/m^2/K", "ambient": ambient}


def plain_vial(bench: Any) -> Path:
    """A vial with a probe, rates and a difference to judge, and frames of temperature."""
    path: Path = bench.case(
        "vial",
        {"volume": "0.3 mL", "wall": "1 mm"},
        "2 mm",
        initial={"temperature": "-150 degC"},
        regions={
            "cpa": {
                "material": bench.material("jelly", {150.0: 1e6, 200.0: 2e6, 201.0: 3e6}, {150.0: 0.2, 300.0: 0.5}),
                "particles": {"name": bench.particle("warmer", {150.0: 300e3, 300.0: 500e3}), "iron": "10 mgFe/mL"},
            },
            "container": {"material": bench.material("wall", 2e6, 0.2)},
        },
        boundaries={"side": convection("20 degC"), "top": convection("20 degC"), "bottom": convection("20 degC")},
        field={"kind": "uniform", "amplitude": "20 kA/m", "frequency": "200 kHz"},
        stages=[{"name": "rewarm", "duration": "40 s"}],
        criteria=[
            {"kind": "warming rate", "region": "cpa", "window": ["-120 degC", "-80 degC"], "at_least": "5 degC/min"},
            {"kind": "temperature difference", "region": "cpa", "at_most": "30 K", "below": "-30 degC"},
            {"kind": "temperature", "region": "cpa", "at_most": "40 degC"},
            {"kind": "exposure", "region": "cpa", "above": "-90 degC", "at_most": "20 s"},
        ],
        output={"every": "1 s", "fields_every": "4 s", "probes": {"centre": ["0 mm", "0 mm", "0 mm"]}},
    )
    return path


def treated_vial(bench: Any) -> Path:
    """Living tissue in three stages: cooled until it is cold, held by a controller, then let alone; with damage."""
    living = {"material": bench.material("tissue", 3.5e6, 0.5), "metabolism": "500 W/m^3"}
    living["perfusion"] = {"rate": "20 mL/100mL/min", "arterial": "37 degC"}
    path: Path = bench.case(
        "vial",
        {"volume": "0.3 mL", "wall": "1 mm"},
        "2 mm",
        initial={"temperature": "37 degC"},
        regions={
            "cpa": living | {"particles": {"name": bench.particle("warmer", 500e3), "iron": "10 mgFe/mL"}},
            "container": {"material": bench.material("wall", 2e6, 0.2)},
        },
        boundaries={"side": convection("37 degC"), "top": convection("37 degC"), "bottom": convection("37 degC")},
        field={"kind": "uniform", "amplitude": "0 kA/m", "frequency": "200 kHz"},
        doses={"damage": "skin-Henriques"},
        stages=[
            {"name": "cool", "until": "cpa.mean < 36 degC", "duration": "300 s", "boundaries": {"side": convection("10 degC")}},
            {
                "name": "treat",
                "duration": "60 s",
                "field": {"amplitude": "20 kA/m"},
                "control": {"kind": "pid", "sensor": "cpa.mean", "set_point": "46 degC", "every": "1 s", "most": "20 kA/m"},
            },
            {"name": "rest", "duration": "10 s"},
        ],
        criteria=[
            {"kind": "dose", "region": "cpa", "at_least": "1 min"},
            {"kind": "damage", "region": "cpa", "at_least": 0.001},
            {"kind": "temperature", "region": "cpa", "at_most": "50 degC", "fraction": 0.9},
        ],
        output={"every": "5 s", "fields": ["temperature", "CEM43"]},
    )
    return path


def frozen_vial(bench: Any) -> Path:
    """A vial that cools too slowly, freezes in part, and is warmed again, with the stress in its glass."""
    path: Path = bench.case(
        "vial",
        {"volume": "0.3 mL", "wall": "1 mm"},
        "3 mm",
        initial={"temperature": "-20 degC"},
        regions={"cpa": {"material": "VS55"}, "container": {"material": "polypropylene"}},
        boundaries={name: convection("-150 degC") for name in ("side", "top", "bottom")},
        stages=[
            {"name": "cool", "duration": "150 s"},
            {"name": "warm", "duration": "60 s", "boundaries": {"side": convection("20 degC")}},
        ],
        criteria=[{"kind": "ice", "region": "cpa"}],
        solver={"ice": True},
        output={"every": "5 s", "fields": ["temperature", "ice fraction"]},
    )
    return path


CASES = {"plain": plain_vial, "treated": treated_vial, "frozen": frozen_vial}


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


def numbers(content: Any, where: str = "") -> dict[str, Any]:
    """Every leaf of JSON data by its path, but those of time spent."""
    if isinstance(content, dict):
        return {k: v for key, part in content.items() if key != "seconds" for k, v in numbers(part, f"{where}.{key}").items()}
    if isinstance(content, list):
        return {k: v for number, part in enumerate(content) for k, v in numbers(part, f"{where}.{number}").items()}
    return {where: content}


def differences(one: nanowarm.Run, other: nanowarm.Run, relative: float) -> list[str]:
    """What differs in summary, history and frames by more than a part of itself (of the largest of a column)."""
    a, b = numbers(one.summary), numbers(other.summary)
    found = [f"{key}: only once" for key in set(a) ^ set(b)]
    for key in set(a) & set(b):
        close = a[key] == b[key]
        if isinstance(a[key], float) and isinstance(b[key], float):
            around = 1.0 if "imbalance" in key else max(abs(a[key]), 1e-6)
            close = abs(a[key] - b[key]) <= relative * around
        found += [] if close else [f"{key}: {a[key]} and {b[key]}"]
    if list(one.history) != list(other.history) or one.history["time_s"].size != other.history["time_s"].size:
        return [*found, f"history: {one.history['time_s'].size} and {other.history['time_s'].size} rows"]
    for name, column in one.history.items():
        if name == "stage":
            found += [] if (column == other.history[name]).all() else [name]
            continue
        most = np.abs(column - other.history[name]).max() / max(np.abs(column).max(), 1e-6)
        found += [] if most <= relative else [f"history {name}: {most}"]
    return sorted(found) + frame_differences(one.folder, other.folder)


def frame_differences(one: Path, other: Path) -> list[str]:
    """What differs between two field files, compared place by place."""
    with h5py.File(one / "fields.vtkhdf") as a, h5py.File(other / "fields.vtkhdf") as b:
        a, b = a["VTKHDF"], b["VTKHDF"]
        if a["Steps/Values"].shape != b["Steps/Values"].shape or set(a["PointData"]) != set(b["PointData"]):
            return [f"frames: {a['Steps/Values'].shape} and {b['Steps/Values'].shape}"]
        points = [group["Points"][:].round(9) for group in (a, b)]  # in nanometres: ranks may round otherwise
        orders = [np.lexsort(each.T) for each in points]
        found = [] if np.allclose(points[0][orders[0]], points[1][orders[1]], atol=2e-9, rtol=0.0) else ["Points"]
        for name in a["PointData"]:
            left, right = (g["PointData"][name][:].reshape(-1, len(o))[:, o] for g, o in zip((a, b), orders, strict=True))
            if left.shape != right.shape or not np.allclose(left, right, rtol=1e-6, atol=1e-5, equal_nan=True):
                found.append(f"frames of {name}")
            offsets = [group[f"Steps/PointDataOffsets/{name}"][:] for group in (a, b)]
            found += [] if np.array_equal(*offsets) else [f"offsets of {name}"]
    return found


@pytest.fixture(scope="module")
def unbroken(module_bench: Any) -> Callable[[str], tuple[Path, nanowarm.Run]]:
    """Path and run of each of the cases, run once."""
    known: dict[str, tuple[Path, nanowarm.Run]] = {}

    def of(name: str) -> tuple[Path, nanowarm.Run]:
        if name not in known:
            module_bench.folder = module_bench.folder / name
            module_bench.folder.mkdir()
            path = CASES[name](module_bench)
            module_bench.folder = module_bench.folder.parent
            known[name] = path, nanowarm.run(path, folder=path.parent / "unbroken", overrides=('checkpoint.every="1 ns"',))
        return known[name]

    return of


@pytest.mark.parametrize("part", [0.03, 0.5, 0.97])
@pytest.mark.parametrize("name", list(CASES))
def test_a_run_that_goes_on_ends_as_one_that_was_not_broken_off(
    unbroken: Any, name: str, part: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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


@pytest.mark.parametrize(("name", "before", "behind"), [("frozen", 1, 2), ("treated", 2, 1), ("plain", 2, 3)])
def test_a_run_goes_on_on_another_number_of_ranks(unbroken: Any, name: str, before: int, behind: int, tmp_path: Path) -> None:
    path, whole = unbroken(name)
    after = int(0.6 * whole.summary["steps"]["accepted"])
    on_ranks(before, HALT, path, tmp_path / "run", after)
    on_ranks(behind, GO_ON, tmp_path / "run")
    assert differences(whole, nanowarm.open_run(tmp_path / "run"), 1e-7) == []


@pytest.fixture
def broken(unbroken: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, nanowarm.Run]:
    """The folder of a run that was broken off, and the whole run."""
    path, whole = unbroken("plain")
    halted(path, tmp_path / "run", 20, monkeypatch)
    return tmp_path / "run", whole


def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(broken: Any) -> None:
    folder, whole = broken
    part = folder / "checkpoint" / "000020" / "part-0.npz"
    part.write_bytes(part.read_bytes()[:-100])
    told: list[str] = []
    again = nanowarm.resume(folder, listener=nanowarm.Listener(say=told.append))
    assert "note: checkpoint 000020 is passed over: it is damaged" in told
    assert any(line.startswith("going on from checkpoint 000019 at ") for line in told)
    assert differences(whole, again, 1e-9) == []


def test_a_field_file_that_was_cut_off_begins_anew(broken: Any) -> None:
    folder, whole = broken
    fields = folder / "fields.vtkhdf"
    fields.write_bytes(fields.read_bytes()[:1000])
    again = nanowarm.resume(folder)
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


def test_a_full_disk_leaves_the_checkpoint_before(unbroken: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
