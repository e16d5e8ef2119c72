"""Studies that are carried through by a model of the body instead of its mesh."""

from __future__ import annotations

import csv
import json
from typing import Any

import pytest

from nanowarm.errors import CaseError
from nanowarm.studies.driver import run_study
from nanowarm.studies.plan import load_plan

KEY = "regions.cpa.particles.iron"


def test_a_study_with_a_model_warms_as_the_closed_form_and_says_which_model_in_table_folder_and_title(
    studies: Any, end_temperature: Any
) -> None:
    path = studies.study(title="how much iron", grid={KEY: ["5 mgFe/mL", "20 mgFe/mL"]}, run={"model": "radial", "parallel": 1})
    table = run_study(path, studies.folder / "out")
    with table.path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["model"] for row in rows] == ["radial", "radial"]
    reached = [float(row["cpa temperature_degC min"]) for row in rows]
    assert reached == pytest.approx([end_temperature(5.0), end_temperature(20.0)], rel=1e-6)
    assert [row["verdict"] for row in rows] == ["missed" if warm < 15.0 else "met" for warm in reached]
    assert table.plan.title == "how much iron (estimates of a radial model)"
    folder = studies.folder / "out" / rows[0]["folder"]
    assert json.loads((folder / "record.json").read_text(encoding="utf-8"))["model"] == "radial"
    assert "An estimate of a radial model" in (folder / "report.html").read_text(encoding="utf-8")


def test_runs_of_each_model_have_digests_of_their_own(studies: Any) -> None:
    models = ("mesh", "lumped", "radial")
    plans = [load_plan(studies.study(model, grid={KEY: ["5 mgFe/mL"]}, run={"model": model})) for model in models]
    assert len({plan.runs[0].digest for plan in plans}) == 3
    assert len({plan.runs[0].mesh for plan in plans}) == 1


@pytest.mark.parametrize(
    ("run", "line"),
    [
        ({"model": "cubic"}, r"study.toml: run.model: must be \"mesh\", \"lumped\" or \"radial\"; found \"cubic\""),
        ({"model": "radial", "ranks": 2}, "study.toml: run: a radial model runs on one rank; leave ranks out"),
    ],
    ids=["unknown model", "ranks"],
)
def test_what_a_model_can_not_do_is_one_line(studies: Any, run: dict[str, Any], line: str) -> None:
    with pytest.raises(CaseError, match=line) as found:
        load_plan(studies.study(grid={KEY: ["5 mgFe/mL"]}, run=run))
    assert len(found.value.faults) == 1
