"""Studies carried through: shared meshes, failures, and going on after the driver was killed."""

from __future__ import annotations

import csv
import fcntl
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from nanowarm import pipeline
from nanowarm.errors import CaseError
from nanowarm.numerics import operators
from nanowarm.studies import study_folder
from nanowarm.studies.driver import run_study
from nanowarm.studies.plan import load_plan
from nanowarm.studies.study_folder import StudyFolder
from nanowarm.studies.work_process import Bench
from nanowarm.studies.workers import Worker

IRON = "regions.cpa.particles.iron"
GRID = {"mesh.parameters.volume": ["1 mL", "2 mL"], IRON: ["5 mgFe/mL", "20 mgFe/mL"]}  # 5 degC and 20 degC at the end


def command(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    line = [sys.executable, "-m", "nanowarm.cli", "study", *arguments]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    pipe = subprocess.PIPE
    return subprocess.Popen(line, cwd=folder, stdout=pipe, stderr=pipe, text=True, env=environment)


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    told, faults = process.communicate(timeout=300)
    return process.returncode, told, faults


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "table.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def jobs_of(path: Path, folder: Path) -> list[dict[str, Any]]:
    plan = load_plan(path)
    same = {"case": str(plan.case)}
    return [
        same | {"overrides": r.overrides, "digest": r.digest, "mesh": r.mesh, "model": "mesh", "folder": folder / r.digest}
        for r in plan.runs
    ]


def test_runs_on_one_mesh_share_it_and_its_operators_and_find_what_each_finds_alone(
    studies: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = jobs_of(studies.study(grid=GRID), studies.folder / "shared")
    calls: list[str] = []
    for module, name in ((pipeline, "build_mesh"), (operators, "assemble")):
        original = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *given, name=name, original=original: calls.append(name) or original(*given))
    bench = Bench()
    for job in jobs:
        bench.compute(job)
    assert sorted(calls) == ["assemble", "assemble", "build_mesh", "build_mesh"]
    for number, job in enumerate(jobs):
        alone = pipeline.run(job["case"], studies.folder / f"alone-{number}", job["overrides"]).summary
        shared = json.loads((job["folder"] / "summary.json").read_text(encoding="utf-8"))
        assert {**shared, "seconds": 0} == {**alone, "seconds": 0}
        record = json.loads((job["folder"] / "record.json").read_text(encoding="utf-8"))
        chosen = [part for override in job["overrides"] for part in ("--set", override)]
        assert chosen
        assert shlex.split(record["command"]) == ["nanowarm", "run", job["case"], *chosen]


def test_a_case_that_changes_while_the_study_goes_on_is_noticed(studies: Any) -> None:
    (job,) = jobs_of(studies.study(list=[{"mesh.coarsening": 2}]), studies.folder / "runs")
    studies.case.write_text(studies.case.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
    with pytest.raises(CaseError, match=r"case\.toml: it, or a file that it names, has changed since the study began"):
        Bench().compute(job)


def test_the_table_holds_what_theory_says_and_missed_limits_are_no_failure(studies: Any, end_temperature: Any) -> None:
    path = studies.study(grid=GRID, run={"parallel": 2})
    code, told, faults = ended(command(studies.folder, path.name, "-o", "done"))
    assert (code, faults) == (0, "")
    assert told.splitlines()[-1] == "2 met, 2 missed; table: done/table.csv"
    rows = rows_of(studies.folder / "done")
    assert [(row["mesh.parameters.volume"], row[IRON]) for row in rows] == [
        (v, i) for v in GRID["mesh.parameters.volume"] for i in GRID[IRON]
    ]
    for row in rows:
        iron = float(row[IRON].split()[0])
        assert float(row["cpa temperature_degC mean"]) == pytest.approx(end_temperature(iron), rel=1e-6)
        assert float(row["criterion 1 value"]) == pytest.approx(end_temperature(iron), rel=1e-6)
        assert (row["criterion 1"], float(row["criterion 1 limit"])) == ("temperature of cpa", 15.0)
        assert row["verdict"] == row["criterion 1 outcome"] == ("met" if iron == 20.0 else "missed")
        assert (studies.folder / "done" / row["folder"] / "report.html").is_file()
    table = parquet.read_table(studies.folder / "done" / "table.parquet").to_pylist()
    assert [line["cpa temperature_degC mean"] for line in table] == [float(row["cpa temperature_degC mean"]) for row in rows]
    assert {"table.png", "scale-up.png"} <= {file.name for file in (studies.folder / "done").iterdir()}


def test_a_study_whose_driver_was_killed_goes_on_where_it_was(studies: Any) -> None:
    path = studies.study(grid=GRID, run={"parallel": 1})
    folder = studies.folder / "killed"
    driver = command(studies.folder, path.name, "-o", "killed")
    assert driver.stdout is not None
    assert any(line.startswith("run 2 of 4") for line in driver.stdout)
    driver.send_signal(signal.SIGKILL)
    driver.communicate(timeout=60)
    plan = load_plan(path)
    half = folder / "runs" / plan.runs[3].digest  # as a run leaves it that was cut short
    half.mkdir(exist_ok=True)
    (half / "summary.json").unlink(missing_ok=True)
    (half / "left over").touch()
    before = {file: file.stat().st_mtime_ns for file in folder.glob("runs/*/summary.json")}
    assert len(before) >= 2
    code, told, _ = ended(command(studies.folder, path.name, "-o", "killed"))
    assert code == 0
    assert sum(line.startswith("run ") for line in told.splitlines()) == 4 - len(before)
    assert {file: file.stat().st_mtime_ns for file in before} == before
    assert not (half / "left over").exists()
    assert [row["verdict"] for row in rows_of(folder)] == ["missed", "met", "missed", "met"]


def test_a_signal_stops_a_study_with_one_line_and_exit_code_3_and_its_workers_too(studies: Any) -> None:
    slow = {"solver.tolerance": "1e-10 K", "solver.largest_step": "0.1 ms"}
    path = studies.study(base=slow, list=[{"mesh.coarsening": 2}])
    driver = command(studies.folder, path.name, "-o", "stopped")
    log = studies.folder / "stopped" / "runs" / load_plan(path).runs[0].digest / "log.txt"
    while not log.is_file():
        assert driver.poll() is None
        time.sleep(0.05)
    driver.send_signal(signal.SIGTERM)
    code, _, faults = ended(driver)
    assert (code, faults) == (3, "stopped by a signal; start the study again to go on\n")
    with (log.parents[2] / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises while a worker lives


def test_a_run_that_fails_is_recorded_with_its_reason_and_the_others_go_on(studies: Any) -> None:
    far = {"output.probes.far": ["1 m", "0 m", "0 m"]}  # seen only once the mesh is there
    path = studies.study(list=[far, {"field.amplitude": "30 kA/m"}], run={"ranks": 2})
    code, told, faults = ended(command(studies.folder, path.name, "-o", "failed"))
    assert (code, faults) == (3, "")
    assert told.splitlines()[-1] == "1 met, 1 failed; table: failed/table.csv"
    first, second = rows_of(studies.folder / "failed")
    assert (first["verdict"], first["folder"], second["verdict"], second["error"]) == ("failed", "", "met", "")
    assert "output.probes.far" in first["error"]
    assert "lies outside the mesh" in first["error"]
    record = json.loads((studies.folder / "failed" / second["folder"] / "record.json").read_text(encoding="utf-8"))
    assert record["ranks"] == 2


def test_a_bad_study_ends_with_exit_code_2_before_anything_is_made(studies: Any) -> None:
    path = studies.study(grid={"field.amplitud": ["1 kA/m"]})
    code, _, faults = ended(command(studies.folder, path.name))
    assert code == 2
    assert faults.startswith('study.toml: grid.field.amplitud = "1 kA/m": unknown key')
    assert not (studies.folder / "runs").exists()


def test_a_worker_that_is_killed_says_so(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("ab") as lock:
        worker = Worker(1, tmp_path / "log", lock)
        worker.kill()
        assert not worker.alive()
        assert worker.compute({})["error"] == "the process ended (SIGKILL), perhaps for want of memory"
        worker.dismiss()


def test_a_worker_whose_study_is_gone_ends(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as log:
        line = [sys.executable, "-m", "nanowarm.studies.work_process"]
        assert subprocess.run(line, stdin=subprocess.DEVNULL, stderr=log, timeout=60, check=False).returncode == 3


def claimed(studies: Any, **sections: Any) -> None:
    with StudyFolder(studies.folder / "claimed", load_plan(studies.study(**sections))).opened():
        pass


def test_a_folder_belongs_to_one_study_and_version(studies: Any) -> None:
    claimed(studies, list=[{"mesh.coarsening": 2}], run={"parallel": 1})
    claimed(studies, list=[{"mesh.coarsening": 2}], title="the same runs", run={"parallel": 2})
    with pytest.raises(CaseError, match="claimed: holds another study"):
        claimed(studies, list=[{"mesh.coarsening": 3}])
    about = studies.folder / "claimed" / "study.json"
    content = json.loads(about.read_text(encoding="utf-8"))
    about.write_text(json.dumps(content | {"versions": content["versions"] | {"nanowarm": "0.0.1"}}), encoding="utf-8")
    with pytest.raises(CaseError, match=r"claimed: its runs were made with nanowarm 0\.0\.1, not"):
        claimed(studies, list=[{"mesh.coarsening": 2}])


def test_two_studies_at_a_time_in_one_folder_are_refused(studies: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study_folder, "PATIENCE", 0.0)
    plan = load_plan(studies.study(list=[{"mesh.coarsening": 2}]))
    with StudyFolder(studies.folder / "busy", plan).opened(), pytest.raises(CaseError, match="busy: a study is going on there"):
        run_study(plan.path, studies.folder / "busy")
