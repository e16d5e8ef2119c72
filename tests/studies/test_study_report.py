"""What the report of a study says, from the files in its folder."""

from __future__ import annotations

import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nanowarm
from nanowarm.errors import CaseError
from nanowarm.studies.pareto import goals, non_dominated
from nanowarm.studies.pieces import collected, run_piece
from nanowarm.studies.study_report import failures, study_page, write_study_report
from nanowarm.studies.study_sentence import answer_sentence
from nanowarm.studies.study_table import columns

IRON, VOLUME = "regions.cpa.particles.iron", "mesh.parameters.volume"
QUICK = {"model": "radial", "parallel": 1}
few = st.integers(min_value=0, max_value=4)


def column(study: nanowarm.Study, label: str) -> list[str]:
    (found,) = [one for one in columns(study) if one.label.startswith(label)]
    return [cell.text for cell in found.cells]


@given(st.lists(st.tuples(few, few), max_size=12))
def test_a_run_is_on_the_front_unless_another_one_is_as_good_in_both_goals_and_better_in_one(points: list[Any]) -> None:
    beaten = [any(a <= x and b <= y and (a, b) != (x, y) for a, b in points) for x, y in points]
    first, second = np.array(points, dtype=float).reshape(-1, 2).T
    assert non_dominated(first, second).tolist() == [not one for one in beaten]


def test_a_run_without_a_number_is_not_on_the_front() -> None:
    assert non_dominated(np.array([np.nan, 1.0]), np.array([0.0, 1.0])).tolist() == [False, True]


@pytest.fixture(scope="module")
def grid(module_studies: Any) -> nanowarm.Study:
    """Iron in two volumes: 15 degC is reached from 15 mgFe/mL on, as nothing flows away."""
    given = {VOLUME: ["1 mL", "2 mL"], IRON: ["5 mgFe/mL", "10 mgFe/mL", "20 mgFe/mL"]}
    path = module_studies.study("grid", title="How much iron?", grid=given, run=QUICK, base={"output.report": False})
    return nanowarm.study(path, module_studies.folder / "grid")


def test_the_table_read_back_holds_numbers_and_what_was_asked(grid: nanowarm.Study, end_temperature: Any) -> None:
    assert grid.inputs == [VOLUME, IRON]
    irons = [float(line[IRON].split()[0]) for line in grid.table]
    assert [line["cpa temperature_degC mean"] for line in grid.table] == pytest.approx(
        list(map(end_temperature, irons)), rel=1e-6
    )
    assert [line["run"] for line in grid.table] == [1, 2, 3, 4, 5, 6]


def test_the_table_becomes_a_data_frame(grid: nanowarm.Study) -> None:
    pytest.importorskip("pandas", reason="pandas is not installed")
    frame = grid.dataframe()
    assert list(frame[IRON]) == [line[IRON] for line in grid.table]


def test_the_answer_of_a_grid_over_volumes_is_the_largest_that_passes_for_each_value(grid: nanowarm.Study) -> None:
    told = f"The largest volume that meets all criteria, by {IRON}: none with 5 to 10 mgFe/mL; 2 mL with 20 mgFe/mL."
    assert answer_sentence(grid) == f"By estimates of a radial model: {told[0].lower()}{told[1:]}"


def test_the_columns_have_numbers_with_their_unit_in_the_heading_and_a_limit_that_stays(grid: nanowarm.Study) -> None:
    assert column(grid, f"{IRON} [mgFe/mL]") == ["5", "10", "20"] * 2
    assert column(grid, "temperature of cpa [°C] (≥ 15)") == ["5", "10", "20"] * 2
    assert column(grid, "Outcome") == ["missed", "missed", "met"] * 2


def test_goals_are_what_runs_differ_in_and_each_says_which_way_is_better(grid: nanowarm.Study) -> None:
    found = {goal.kind: goal for goal in goals(grid)}
    assert set(found) == {"iron", "kept", "volume", "too little heat"}
    assert (found["iron"].more, found["kept"].more, found["volume"].more) == (False, True, True)
    front = non_dominated(found["iron"].costs, found["volume"].costs)  # least iron in the largest volume
    assert front.tolist() == [False, False, False, True, False, False]


def test_the_report_is_written_at_the_end_of_a_study_and_again_by_the_command_report(grid: nanowarm.Study) -> None:
    page = grid.folder / "study.html"
    before = page.read_text(encoding="utf-8")
    page.unlink()
    line = [sys.executable, "-m", "nanowarm.cli", "report", str(grid.folder)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"wrote {page}\n", "")
    assert page.read_text(encoding="utf-8") == before
    assert f"<pre>nanowarm study {grid.about['study']}</pre>" in before
    assert "<figcaption>The largest volume that meets all criteria</figcaption><img" in before


def test_a_notebook_shows_the_answer_and_the_first_lines_of_a_study(grid: nanowarm.Study) -> None:
    shown = grid._repr_html_()
    assert "2 mL with 20 mgFe/mL" in shown
    assert shown.count("<tr>") == 1 + 6
    assert "<script" not in shown


def test_collecting_writes_a_report_that_says_how_much_is_missing(studies: Any) -> None:
    path = studies.study(grid={IRON: ["5 mgFe/mL", "20 mgFe/mL", "30 mgFe/mL"]}, run=QUICK, base={"output.report": False})
    run_piece(path, "1-2", studies.folder / "part")
    collected(path, studies.folder / "part")
    study = nanowarm.open_study(studies.folder / "part")
    assert study.left == 1
    assert "so far (2 of 3 runs): 1 of 2 runs met all criteria" in answer_sentence(study).lower()
    assert "1 not yet run" in (study.folder / "study.html").read_text(encoding="utf-8")


def test_a_search_is_told_with_its_value_and_the_one_that_misses(studies: Any) -> None:
    asked = {"key": IRON, "find": "least", "between": ["5 mgFe/mL", "40 mgFe/mL"], "within": "5 %"}
    study = nanowarm.study(studies.study(search=asked, run=QUICK, base={"output.report": False}), studies.folder / "search")
    (answer,) = study.answers
    value, missed = (float(answer[name].split()[0]) for name in ("value", "missed"))
    assert missed < 15.0 <= value  # 15 degC at 15 mgFe/mL
    assert f"that meets all criteria is {answer['value']} ({answer['missed']} misses)." in answer_sentence(study)
    assert column(study, "Run")[0] == "1.1"
    assert "Two goals weighed" not in study_page(study)


def test_an_uncertainty_study_is_told_with_its_probability_and_what_it_is_due_to(studies: Any) -> None:
    asked = {"count": 8, "library": [], "inputs": {IRON: {"between": ["10 mgFe/mL", "30 mgFe/mL"]}}}
    study = nanowarm.study(studies.study(uncertainty=asked, run=QUICK, base={"output.report": False}), studies.folder / "unc")
    met = sum(line["verdict"] == "met" for line in study.table)
    assert study.uncertainty is not None
    told = answer_sentence(study)
    assert f"a probability of {study.uncertainty['probability_met']['value']:.2f} (95 %:" in told
    assert f"varies most by {IRON} (" in told
    assert 0 < met < len(study.table)
    assert "What the variance of each criterion is due to" in study_page(study)


def test_failures_are_gathered_by_reason_the_most_frequent_first(tmp_path: Path, study_folder: Any) -> None:
    reasons = ["the disk is full", "out of memory", "out of memory"]
    lines = [{"run": n, "a": n, "verdict": "failed", "folder": "", "error": reason} for n, reason in enumerate(reasons, 1)]
    study = nanowarm.open_study(study_folder(tmp_path / "s", lines, grid={"a": [1, 2, 3]}))
    assert failures(study) == [("out of memory", ["2", "3"]), ("the disk is full", ["1"])]
    assert answer_sentence(study) == "0 of 3 runs met all criteria."


def test_a_report_of_thousands_of_runs_holds_each_once(tmp_path: Path, study_folder: Any) -> None:
    lines = [
        {"run": n, "a": a, "b": b, "verdict": "met", "folder": f"runs/{n}", "error": ""}
        for n, (a, b) in enumerate(product(range(50), range(100)), 1)
    ]
    folder = study_folder(tmp_path / "s", lines, grid={"a": list(range(50)), "b": list(range(100))})
    page = write_study_report(folder).read_text(encoding="utf-8")
    assert page.split("<tbody>")[-1].split("</tbody>")[0].count("<tr>") == 5000
    assert len(page) < 4_000_000


@pytest.mark.parametrize(
    ("broken", "line"),
    [
        ("study.json", "no study: there is no study.json"),
        ("table.csv", "no table.csv in it: start the study again"),
        ("study.toml", "study.toml"),
    ],
)
def test_a_folder_that_lacks_a_file_is_refused_in_one_line(tmp_path: Path, study_folder: Any, broken: str, line: str) -> None:
    folder = study_folder(tmp_path / "s", [{"run": 1, "a": 1, "verdict": "met", "folder": "", "error": ""}], grid={"a": [1]})
    (folder / broken).unlink()
    with pytest.raises(CaseError, match=line) as found:
        write_study_report(folder)
    assert len(found.value.faults) == 1


def test_a_study_says_so_where_its_summary_can_not_be_read(tmp_path: Path, study_folder: Any) -> None:
    line = {"run": 1, "a": 1, "verdict": "met", "folder": "runs/x", "error": ""}
    folder = study_folder(tmp_path / "s", [line], grid={"a": [1]})
    (folder / "runs" / "x").mkdir(parents=True)
    (folder / "runs" / "x" / "summary.json").write_text("{", encoding="utf-8")
    with pytest.raises(CaseError, match=r"summary\.json: can't be read"):
        write_study_report(folder)
