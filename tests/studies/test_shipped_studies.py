"""The studies that come with the program."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

import nanowarm
from nanowarm.studies.driver import run_study
from nanowarm.studies.pictures import VOLUME
from nanowarm.studies.plan import load_plan
from nanowarm.studies.search_section import number_of

STUDIES = sorted((Path(__file__).parents[2] / "cases" / "studies").glob("*.toml"))
LIBRARY = Path(nanowarm.__file__).parent / "library"
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


@pytest.mark.slow
def test_the_least_iron_falls_as_the_specific_power_of_the_particle_rises(tmp_path: Path) -> None:
    # The same heat takes iron in inverse proportion to the power per iron, which goes with a power of the field that the
    # particle's file has; each answer is up to 1 % above the exact one.
    (path,) = (path for path in STUDIES if path.stem == "least-iron")
    particle = tomllib.loads((LIBRARY / "particles" / "sIONP.toml").read_text(encoding="utf-8"))
    exponent = particle["specific_power"]["field_exponent"]
    folder = run_study(path, tmp_path / "study").folder
    answers = json.loads((folder / "answers.json").read_text(encoding="utf-8"))["answers"]
    assert {answer["outcome"] for answer in answers} == {"found"}
    assert max(answer["runs"] for answer in answers) <= 12
    scaled = [number_of(answer["value"]) * number_of(answer["inputs"]["field.amplitude"]) ** exponent for answer in answers]
    assert scaled == pytest.approx([scaled[0]] * len(scaled), rel=0.01)
