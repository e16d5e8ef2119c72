"""The studies that come with the program."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanowarm.studies.driver import run_study
from nanowarm.studies.pictures import VOLUME
from nanowarm.studies.plan import load_plan

STUDIES = sorted((Path(__file__).parents[2] / "cases" / "studies").glob("*.toml"))
IRON = "regions.cpa.particles.iron"


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_a_shipped_study_can_be_run_and_has_a_title(path: Path) -> None:
    plan = load_plan(path)
    assert plan.runs
    assert plan.input.title


@pytest.mark.slow
def test_ten_milligrams_of_iron_warm_every_volume_and_two_none(tmp_path: Path) -> None:
    # Manuchehrabadi et al. 2017: more than 130 degC/min from 1 to 80 mL at 10 mgFe/mL; heating goes with the iron, and a
    # fifth of that is less than the 55 degC/min that VS55 needs.
    (path,) = (path for path in STUDIES if path.stem == "vial-scale-up")
    ended = run_study(path, tmp_path / "study").ended()
    verdicts = {(run.inputs[VOLUME], run.inputs[IRON]): row.verdict for run, row in ended}
    volumes = {volume for volume, _ in verdicts}
    assert {"1 mL", "80 mL"} <= volumes
    assert {verdicts[volume, "10 mgFe/mL"] for volume in volumes} == {"met"}
    assert {verdicts[volume, "2 mgFe/mL"] for volume in volumes} == {"missed"}
