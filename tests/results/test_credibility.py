"""What is said of a run's credibility: only what the tables and the test suite hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nanowarm.results.credibility import applicability, experiments, model_limits, table, verification
from nanowarm.results.energy_section import energy_sentence
from nanowarm.results.mesh_evidence import mesh_judgement
from nanowarm.results.run_facts import WORDS, run_facts
from nanowarm.results.timeline import events, surroundings

ROOT = Path(__file__).parents[2]
RATE = {"kind": "warming rate", "region": "cpa", "outcome": "met"}


def summary(volume: float = 1.0, **more: Any) -> dict[str, Any]:
    return {"criteria": [RATE], "regions": {"cpa": {"volume_mL": volume}}} | more


def case(material: Any = "VS55", particle: str | None = "sIONP") -> dict[str, Any]:
    return {"regions": {"cpa": {"material": material, "particles": {"name": particle} if particle else None}}}


@pytest.mark.parametrize("name", ["verification", "validation"])
def test_every_row_names_a_test_that_is_there(name: str) -> None:
    assert [row["test"] for row in table(name) if not (ROOT / row["test"]).is_file()] == []


def test_every_experiment_names_a_source_of_the_library() -> None:
    known = (ROOT / "solver/nanowarm/library/citations.bib").read_text(encoding="utf-8")
    assert [row["source"] for row in table("validation") if f"{{{row['source']}," not in known] == []


def test_tables_use_words_that_a_run_can_have() -> None:
    assert {row["covers"] for row in table("verification")} | {row["when"] for row in table("model_limits")} <= WORDS


def test_no_text_claims_that_anything_is_validated() -> None:
    pages = [*(ROOT / "solver/nanowarm/results/templates").glob("*.j2"), *(ROOT / "solver/nanowarm/library").glob("*.toml")]
    assert len(pages) > 10
    assert [page.name for page in pages if "validated" in page.read_text(encoding="utf-8")] == []


def test_a_run_outside_all_ranges_is_said_to_extrapolate() -> None:
    found = experiments(case(), summary(volume=200.0), (-150.0, 0.0))
    assert "it extrapolates" in applicability(found)
    assert any("1 to 80 mL there, 200 mL here" in text for one in found for text in one.outside)


def test_a_run_that_is_covered_only_by_what_its_values_were_inferred_from_is_not_called_tested() -> None:
    found = experiments(case(), summary(volume=1.0), (-150.0, 0.0))
    assert found[0].covers
    assert "no independent test" in applicability(found)


def test_a_bath_within_the_range_of_an_independent_experiment_says_so() -> None:
    assert "none of the values was taken from it" in applicability(experiments(case(particle=None), summary(), (-150.0, 20.0)))


def test_a_run_within_the_ranges_is_told_what_was_not_compared() -> None:
    told = applicability(experiments(case(particle=None), summary(), (-150.0, 20.0)))
    assert "ranges of material, particle and volume" in told
    assert "Field, frequency, iron and protocol may differ" in told


@pytest.mark.parametrize(("kind", "told"), [("none", False), ("uniform", False), ("map", False), ("solenoid", True)])
def test_the_exact_fields_of_coils_speak_for_runs_with_a_coil_only(kind: str, told: bool) -> None:
    facts = run_facts(case() | {"field": {"kind": kind}}, summary(), {}, -150.0)
    assert ("tests/physics/test_coils.py" in {row["test"] for row in verification(facts)}) is told


def test_a_kind_that_was_never_compared_says_so() -> None:
    assert "No published experiment" in applicability(experiments(case(), summary(), (-10.0, 20.0)))


def test_facts_choose_the_limits_of_the_models_that_are_used() -> None:
    bare = run_facts(case(particle=None), summary(), {}, 37.0)
    frozen = run_facts(case({"mix": {"kidney": 0.4, "VS55": 0.6}}), summary(), {}, -150.0)
    assert {"particles", "mixture", "no ice"} <= frozen
    assert not bare & {"particles", "mixture", "no ice", "field"}
    assert {row["title"] for row in model_limits(frozen)} > {row["title"] for row in model_limits(bare)}
    assert len(verification(frozen)) > len(verification(bare)) > 0


def test_a_mesh_that_was_not_compared_is_not_praised() -> None:
    assert mesh_judgement({}, {}).startswith("Nothing is known of the discretisation error")


@pytest.mark.parametrize(("holds", "word"), [(True, "fine enough"), (False, "Take a finer mesh")])
def test_a_mesh_is_judged_by_whether_its_outcomes_hold(holds: bool, word: str) -> None:
    compared = {"meshes": [{"verdict": "met"}] * 3, "criteria": [RATE | {"holds": holds}]}
    assert word in mesh_judgement({"convergence": compared}, {})


@pytest.mark.parametrize(("gap", "word"), [(1e-12, "the balance closes"), (0.1, "not closed"), (None, "could not be compared")])
def test_a_balance_is_called_closed_only_where_it_is(gap: float | None, word: str) -> None:
    assert word in energy_sentence({"stored": 100.0, "supplied": 90.0, "inflow": 10.0, "imbalance_relative": gap})


def test_the_surroundings_follow_the_program_of_their_stage() -> None:
    program = {"from": "20 degC", "program": [{"rate": "-60 degC/min", "to": "-40 degC"}]}
    wall = {"kind": "convection", "coefficient": "10 W/m^2/K", "ambient": "20 degC"}
    content = {
        "boundaries": {"wall": wall, "lid": wall, "base": {"kind": "insulated"}},
        "stages": [{"name": "wait"}, {"name": "cool", "boundaries": {"wall": {"ambient": program}}}],
    }
    stages = [{"name": "wait", "start_s": 0.0, "end_s": 10.0}, {"name": "cool", "start_s": 10.0, "end_s": 110.0}]
    curves = surroundings(content, stages)
    assert set(curves) == {"wall", "lid"}  # nothing surrounds what is insulated
    time, values = curves["wall"]
    assert values[time < 10.0] == pytest.approx(20.0)
    assert values[-1] == pytest.approx(-40.0)  # 60 K at 1 K/s, then held
    assert values[time == time[time > 40.0][0]] == pytest.approx(20.0 - (time[time > 40.0][0] - 10.0))


def test_events_are_what_the_last_place_passed_and_conditions_that_were_reached_in_order() -> None:
    crossing = {"what": "melting", "last_s": 90.0, "fraction": 1.0}
    stages = [{"name": "rewarm", "start_s": 0.0, "end_s": 60.0}]
    found = events(
        {"stages": [{"name": "rewarm", "until": "coldest > 0 degC"}]},
        {"regions": {"cpa": {"crossings": [crossing]}}},
        stages,
    )
    assert found == [(60.0, "coldest > 0 degC reached"), (90.0, "cpa passed its melting")]
