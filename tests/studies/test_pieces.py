"""Pieces of a study: listed, computed side by side in one folder, collected."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from nanowarm.errors import CaseError
from nanowarm.studies import study_folder
from nanowarm.studies.driver import run_study
from nanowarm.studies.piece_folder import PieceFolder
from nanowarm.studies.pieces import collected, listed, run_piece
from nanowarm.studies.plan import PlannedRun, load_plan
from nanowarm.studies.selection import chosen, part, ranges
from nanowarm.studies.study_folder import StudyFolder
from nanowarm.studies.table import FAILED
from nanowarm.studies.workers import cores

IRON = "regions.cpa.particles.iron"
GRID = {"mesh.coarsening": [2, 3], IRON: ["5 mgFe/mL", "20 mgFe/mL"]}  # 5 degC and 20 degC at the end; 15 degC are asked


def runs_on(meshes: str) -> list[PlannedRun]:
    """Runs 1, 2, ... on the meshes of the given letters."""
    return [PlannedRun(number, {}, (), f"{number:016x}", mesh) for number, mesh in enumerate(meshes, 1)]


def numbers(runs: Sequence[PlannedRun]) -> list[int]:
    return [run.number for run in runs]


def finish(folder: StudyFolder, run: PlannedRun, verdict: str = "met") -> None:
    """A run folder as a run without regions leaves it."""
    folder.folder(run).mkdir(parents=True)
    summary = {"verdict": verdict, "model": "mesh", "limits": [], "criteria": [], "regions": {}, "duration_s": 1.0}
    text = json.dumps(summary | {"mesh": {"cells": 1}, "seconds": {}})
    (folder.folder(run) / "summary.json").write_text(text, encoding="utf-8")


def fail(folder: StudyFolder, run: PlannedRun) -> None:
    """A run that has begun and then melted."""
    begun = folder.begun(run)
    assert begun is not None
    folder.ended(run, begun, "it melted")


def test_runs_are_chosen_by_number_range_digest_and_part_each_once_in_the_order_of_the_study() -> None:
    runs = runs_on("aaaaaaaa")
    assert numbers(chosen(runs, "7,2-3, 3")) == [2, 3, 7]
    assert numbers(chosen(runs, f"{runs[4].digest},1")) == [1, 5]
    assert numbers(chosen(runs, "2/4")) == [3, 4]


def test_a_digest_of_figures_only_is_not_taken_for_a_number() -> None:
    runs = runs_on("aa")
    assert runs[1].digest == "0000000000000002"
    assert numbers(chosen(runs, runs[1].digest)) == [2]


@pytest.mark.parametrize(
    ("only", "fault"),
    [
        ("9", "--only 9: the study has the runs 1 to 8"),
        ("0", "--only 0: the study has the runs 1 to 8"),
        ("3-2", "--only 3-2: the study has the runs 1 to 8"),
        ("3/2", "--only 3/2: no such part; parts are numbered from 1 to 2"),
        ("all", '--only: "all" is no run; allowed: numbers, ranges such as 1-12'),
        ("1,,2", '--only: "" is no run'),
    ],
)
def test_runs_that_are_not_there_are_refused_in_one_line(only: str, fault: str) -> None:
    with pytest.raises(CaseError) as caught:
        chosen(runs_on("aaaaaaaa"), only)
    (line,) = caught.value.faults
    assert line.startswith(fault)


@pytest.mark.parametrize("parts", [1, 2, 3, 5, 9])
def test_parts_are_the_whole_study_of_nearly_equal_size_and_hardly_divide_a_mesh(parts: int) -> None:
    runs = runs_on("abcabcab")
    pieces = [part(runs, number, parts) for number in range(1, parts + 1)]
    assert sorted(number for piece in pieces for number in numbers(piece)) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert max(map(len, pieces)) - min(map(len, pieces)) <= 1
    pairs = {(run.mesh, index) for index, piece in enumerate(pieces) for run in piece}
    assert len(pairs) <= 3 + parts - 1  # each cut divides one mesh at most


def test_ranges_say_the_same_as_their_numbers() -> None:
    assert ranges([1, 2, 3, 7, 9, 10]) == "1-3, 7, 9-10"
    assert numbers(chosen(runs_on("a" * 10), ranges([1, 2, 3, 7, 9, 10]))) == [1, 2, 3, 7, 9, 10]


def test_the_list_has_a_line_for_each_run_with_its_state(studies: Any) -> None:
    path = studies.study(grid=GRID)
    plan, folder = load_plan(path), studies.folder / "listed"
    place = PieceFolder(folder, plan)
    with place.opened():
        finish(place, plan.runs[1])
        fail(place, plan.runs[2])
    lines = list(csv.DictReader(listed(path, folder), delimiter="\t", quoting=csv.QUOTE_NONE))
    assert [line["run"] for line in lines] == ["1", "2", "3", "4"]
    assert [line["digest"] for line in lines] == [run.digest for run in plan.runs]
    assert [line["state"] for line in lines] == ["open", "finished", "failed", "open"]
    assert lines[1]["inputs"] == f'mesh.coarsening = 2, {IRON} = "20 mgFe/mL"'
    assert len({line["mesh"] for line in lines}) == 2
    assert [line.split("\t")[0] for line in listed(path, folder, "2/2")] == ["run", "3", "4"]


def test_listing_makes_no_folder(studies: Any) -> None:
    assert len(list(listed(studies.study(grid=GRID), studies.folder / "nothing"))) == 5
    assert not (studies.folder / "nothing").exists()


def test_a_run_is_begun_by_one_piece_and_by_another_only_once_the_first_is_gone(studies: Any) -> None:
    plan = load_plan(studies.study(list=[{"mesh.coarsening": 2}]))
    (run,) = plan.runs
    first, second = (PieceFolder(studies.folder / "shared", plan) for _ in range(2))
    with second.opened():
        with first.opened():
            assert first.begun(run) is not None
            assert not second.is_free(run)
            assert second.begun(run) is None
        assert second.is_free(run)
        assert second.begun(run) is not None


def test_a_run_that_two_have_computed_all_the_same_keeps_the_first_result(studies: Any) -> None:
    plan = load_plan(studies.study(list=[{"mesh.coarsening": 2}]))
    (run,) = plan.runs
    place = PieceFolder(studies.folder / "shared", plan)
    with place.opened():
        begun = place.begun(run)
        assert begun is not None
        assert begun != place.folder(run)
        begun.mkdir()
        (begun / "summary.json").write_text('{"verdict": "missed"}', encoding="utf-8")
        finish(place, run)  # by a machine that does not see our locks
        assert place.ended(run, begun, "").verdict == "met"
        assert not begun.exists()
        assert place.begun(run) is None


def test_pieces_work_beside_each_other_but_not_beside_the_whole_study(studies: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study_folder, "PATIENCE", 0.0)
    plan = load_plan(studies.study(list=[{"mesh.coarsening": 2}]))
    folder = studies.folder / "busy"
    busy = pytest.raises(CaseError, match="busy: a study is going on there")
    with PieceFolder(folder, plan).opened(), PieceFolder(folder, plan).opened(), busy:
        run_study(plan.path, folder)
    with StudyFolder(folder, plan).opened(), busy:
        run_piece(plan.path, "1", folder)


def test_what_a_dead_piece_has_left_goes_when_the_whole_study_computes_the_run(studies: Any) -> None:
    plan = load_plan(studies.study(list=[{"mesh.coarsening": 2}]))
    (run,) = plan.runs
    left = studies.folder / "left" / "runs" / f"{run.digest}.other-host-7"
    place = StudyFolder(studies.folder / "left", plan)
    with place.opened():
        left.mkdir()
        assert place.begun(run) == place.folder(run)
    assert not left.exists()


def test_a_failure_is_kept_for_the_table_and_what_is_missing_is_told(studies: Any) -> None:
    path = studies.study(grid=GRID)
    plan, folder = load_plan(path), studies.folder / "partly"
    with pytest.raises(CaseError, match="partly: no study to collect"):
        collected(path, folder)
    place = PieceFolder(folder, plan)
    with place.opened():
        finish(place, plan.runs[0])
        fail(place, plan.runs[3])
    table, missing = collected(path, folder)
    assert numbers(missing) == [2, 3]
    assert table.counts() == {"met": 1, FAILED: 1}
    with table.path.open(newline="", encoding="utf-8") as file:
        assert [(row["run"], row["error"]) for row in csv.DictReader(file)] == [("1", ""), ("4", "it melted")]


@pytest.mark.parametrize("name", ["NANOWARM_CORES", "SLURM_CPUS_ON_NODE"])
def test_a_study_takes_no_more_cores_than_it_is_given(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "1")
    assert cores() == 1
    monkeypatch.setenv(name, "many")
    with pytest.raises(CaseError, match=f'{name}="many": must be a number of cores'):
        cores()


def piece(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    line = [sys.executable, "-m", "nanowarm.cli", "study", "study.toml", "-o", "pieces", *arguments]
    return subprocess.Popen(line, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_two_pieces_at_once_compute_each_run_once_and_the_table_holds_all(studies: Any, end_temperature: Any) -> None:
    studies.study(grid=GRID, run={"parallel": 1})
    both = [piece(studies.folder, "--only", only) for only in ("1-4", "1/1")]
    ended = [process.communicate(timeout=300) for process in both]
    assert [(process.returncode, faults) for process, (_, faults) in zip(both, ended, strict=True)] == [(0, ""), (0, "")]
    told = [line.split(" of ")[0] for out, _ in ended for line in out.splitlines() if line.startswith("run ")]
    assert sorted(told) == ["run 1", "run 2", "run 3", "run 4"]
    collect = piece(studies.folder, "--collect")
    out, faults = collect.communicate(timeout=300)
    assert (collect.returncode, faults) == (0, "")
    assert out.splitlines()[-1] == "2 met, 2 missed; table: pieces/table.csv"
    with (studies.folder / "pieces" / "table.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        assert float(row["criterion 1 value"]) == pytest.approx(end_temperature(float(row[IRON].split()[0])), rel=1e-6)
    assert sorted(path.name for path in (studies.folder / "pieces" / "runs").iterdir()) == sorted(
        row["folder"].removeprefix("runs/") for row in rows
    )


def test_collect_goes_with_no_choice_of_runs(studies: Any) -> None:
    process = piece(studies.folder, "--collect", "--only", "1")
    _, faults = process.communicate(timeout=60)
    assert (process.returncode, faults) == (2, "study: --collect is for all runs; give it without --list and --only\n")
