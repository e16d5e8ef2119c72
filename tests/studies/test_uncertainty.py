"""Studies of uncertainty: what is drawn, what is refused, and what is found."""

from __future__ import annotations

import csv
import json
import math
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w
from scipy.stats import binomtest, norm

from nanowarm.case import load_case
from nanowarm.errors import CaseError
from nanowarm.studies.driver import run_study
from nanowarm.studies.plan import Plan, load_plan
from nanowarm.studies.table import Row, Table
from nanowarm.studies.uncertainty_files import conclude
from nanowarm.studies.used_values import used_values

IRON, AMPLITUDE, CAPACITY, POWER = (
    "regions.cpa.particles.iron",
    "field.amplitude",
    'factors."jelly.toml".specific_heat',
    'factors."warmer.toml".specific_power',
)
CASES = Path(__file__).parents[2] / "cases"
LIMIT = 15.0  # [degC] of the bench's case, that 15 mgFe/mL reach
INPUTS = {IRON: {"lognormal": "30 %"}, POWER: {"lognormal": "20 %"}}


def expected(inputs: dict[str, Any]) -> float:
    """Temperature [degC] at the end: 10 s of 200 kW/kg on the iron, over 2 MJ/m3/K."""
    iron = float(str(inputs.get(IRON, "10 mgFe/mL")).split()[0])
    amplitude = float(str(inputs.get(AMPLITUDE, "20 kA/m")).split()[0])
    return iron * (amplitude / 20.0) ** 2 * inputs.get(POWER, 1.0) / inputs.get(CAPACITY, 1.0)


def computed(plan: Plan, folder: Path, change: Any = lambda number, summary: summary) -> Table:
    """The table of a study whose runs have found what is expected of them; `change` gives what a run finds otherwise."""
    rows = {}
    for run in plan.runs:
        value = expected(dict(run.inputs))
        outcome = "met" if value >= LIMIT else "missed"
        entry = {"kind": "temperature", "region": "cpa", "value": value, "limit": LIMIT, "unit": "degC", "outcome": outcome}
        summary = change(run.number, {"verdict": outcome, "criteria": [entry], "regions": {}, "limits": []})
        rows[run.digest] = Row(summary, "" if summary else "lost")
    return Table(folder, plan, rows)


def report(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "uncertainty.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)


def faults_of(path: Path) -> str:
    with pytest.raises(CaseError) as error:
        load_plan(path)
    return "\n".join(error.value.faults)


def test_with_indices_a_run_is_drawn_for_every_input_between_two_and_without_only_one(studies: Any) -> None:
    asked = {"count": 8, "library": [], "inputs": INPUTS}
    rows = [dict(run.inputs) for run in load_plan(studies.study(uncertainty=asked)).runs]
    assert len(rows) == 8 * (2 + 2)
    for first in range(0, 32, 4):
        a, with_iron, with_power, b = rows[first : first + 4]
        assert with_iron == a | {IRON: b[IRON]}
        assert with_power == a | {POWER: b[POWER]}
    assert len(load_plan(studies.study(uncertainty=asked | {"indices": False})).runs) == 8


def test_values_of_the_case_are_drawn_around_what_the_case_and_the_base_say(studies: Any) -> None:
    inputs = {AMPLITUDE: "10 %", IRON: {"between": ["1 mgFe/mL", "3 mgFe/mL"]}, "initial.temperature": {"normal": "2 K"}}
    asked = {"count": 64, "indices": False, "library": [], "inputs": inputs}
    rows = [run.inputs for run in load_plan(studies.study(base={AMPLITUDE: "40 kA/m"}, uncertainty=asked)).runs]
    amplitude, iron, start = (np.array([float(row[key].split()[0]) for row in rows]) for key in inputs)
    for drawn, low, high in ((amplitude, 36.0, 44.0), (iron, 1.0, 3.0)):
        assert sorted(np.floor((drawn - low) / (high - low) * 64)) == list(range(64))  # one in each 64th
    assert start.mean() == pytest.approx(0.0, abs=0.1)
    assert start.std() == pytest.approx(2.0, rel=0.1)
    assert {row["initial.temperature"].split()[1] for row in rows} == {"degC"}


def test_the_same_seed_draws_the_same_and_another_one_other_values(studies: Any) -> None:
    asked = {"count": 4, "library": [], "inputs": INPUTS}
    one, again, other = (
        [run.inputs for run in load_plan(studies.study(uncertainty=asked | s)).runs] for s in ({}, {}, {"seed": 1})
    )
    assert one == again
    assert one != other


def library_study(tmp_path: Path, case: str, **asked: Any) -> Path:
    path = tmp_path / "study.toml"
    content = {"schema": 1, "case": str(CASES / f"{case}.toml"), "uncertainty": {"count": 2, "indices": False} | asked}
    path.write_text(tomli_w.dumps(content), encoding="utf-8")
    return path


def test_all_means_the_values_that_the_case_rests_on_and_what_can_not_be_drawn_is_listed(tmp_path: Path) -> None:
    design = load_plan(library_study(tmp_path, "bag-1L-VS55")).design
    assert design is not None
    used = {f"{name}.{key}" for name, key in used_values(load_case(CASES / "bag-1L-VS55.toml"))}
    assert {v.name for v in design.variables} | {name for name, _ in design.not_varied} == used
    assert {"VS55.specific_heat", "VS55.density", "VS55.conductivity", "sIONP.specific_power"} <= {
        v.name for v in design.variables
    }
    assert not {name for name in used if name.endswith(("perfusion", "electrical_conductivity"))}
    assert dict(design.not_varied)["VS55.ice"].startswith('the spread "nucleation temperature -95 degC')


def test_a_value_that_two_regions_share_is_one_variable(tmp_path: Path) -> None:
    design = load_plan(library_study(tmp_path, "rat-kidney")).design
    assert design is not None
    names = [v.name for v in design.variables]
    assert len(names) == len(set(names))
    assert "VS55.specific_heat" in names


def test_the_strength_is_drawn_in_proportion_to_the_modulus(tmp_path: Path) -> None:
    asked = {"library": ["VS55.youngs_modulus", "VS55.tensile_strength"], "count": 32}
    for run in load_plan(library_study(tmp_path, "vial-1mL", **asked)).runs:
        modulus, strength = run.inputs["factors.VS55.youngs_modulus"], run.inputs["factors.VS55.tensile_strength"]
        assert 1.0 <= modulus <= 8.0
        assert 0.7 <= strength / modulus <= 1.3


def test_an_input_of_the_study_goes_before_the_spread_of_the_library(tmp_path: Path) -> None:
    asked = {"library": ["VS55.density"], "inputs": {"factors.VS55.density": {"between": [2.0, 3.0]}}, "count": 8}
    plan = load_plan(library_study(tmp_path, "vial-1mL", **asked))
    assert all(2.0 <= run.inputs["factors.VS55.density"] <= 3.0 for run in plan.runs)
    assert plan.design is not None
    assert len(plan.design.variables) == 1


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"count": 12}, "uncertainty: count of a sobol sample must be a power of two; found 12: take 8 or 16"),
        ({"library": ["VS56.density"]}, 'uncertainty.library: the case uses no material or particle "VS56"; did you mean VS55?'),
        ({"library": ["VS55.densty"]}, 'uncertainty.library: VS55 has no value "densty"; did you mean density?'),
        (
            {"library": ["VS55.expansion"]},
            'uncertainty.library: VS55.expansion: the spread "20 % of the glass, 30 % of the liquid"',
        ),
        ({"library": []}, "uncertainty: nothing varies"),
        ({"library": "some"}, 'uncertainty.library: must be "all"'),
        (
            {"inputs": {"field.amplitud": "5 %"}},
            'uncertainty.inputs."field.amplitud": the case has no value there: no "amplitud"',
        ),
        ({"inputs": {"field.kind": "5 %"}}, "uncertainty.inputs.\"field.kind\": 'uniform' is not a number with a unit"),
        ({"inputs": {"field": "5 %"}}, "uncertainty.inputs.field: only a number, or text with a unit, is varied"),
        ({"inputs": {"field.amplitude": "wide"}}, "uncertainty.inputs.\"field.amplitude\": 'wide' is not a number with a unit"),
        ({"inputs": {"initial.temperature": "5 %"}}, '"5 %" of a temperature says nothing: give a shift'),
        ({"inputs": {"initial.temperature": {"lognormal": "5 %"}}}, "a temperature is not lognormal"),
        ({"inputs": {"field.amplitude": {"normal": "50 %"}}}, "a normal distribution so wide reaches below zero"),
        ({"inputs": {"field.amplitude": {"normal": "5 %", "lognormal": "5 %"}}}, "one of `normal`, `lognormal` and `between`"),
        ({"inputs": {"field.amplitude": {"between": ["1 kA/m", "2 A/m"]}}}, "write both ends in the same unit"),
        ({"inputs": {"factors.VS55.densty": "5 %"}}, 'VS55 has no value "densty"'),
    ],
)
def test_what_can_not_be_drawn_is_one_line(tmp_path: Path, asked: dict[str, Any], told: str) -> None:
    path = library_study(tmp_path, "vial-1mL", **asked)
    found = faults_of(path)
    assert found.startswith(f"{path}: ")
    assert told in found
    assert "\n" not in found


def test_a_case_that_asks_nothing_is_refused(studies: Any) -> None:
    content = tomllib.loads(studies.case.read_text(encoding="utf-8"))
    studies.case.write_text(tomli_w.dumps({key: value for key, value in content.items() if key != "criteria"}), encoding="utf-8")
    path = studies.study(uncertainty={"count": 2, "inputs": INPUTS})
    assert "uncertainty: the case has no criteria" in faults_of(path)


def test_another_section_beside_it_is_refused(studies: Any) -> None:
    path = studies.study(uncertainty={"count": 2, "inputs": INPUTS}, grid={IRON: ["1 mgFe/mL"]})
    assert "give one of [grid], [[list]], [sample] and [uncertainty]" in faults_of(path)


def test_the_files_hold_the_closed_form_within_their_intervals(studies: Any) -> None:
    # T = 15 degC times two lognormal factors of median 1; their logarithms have the variances ln(1 + 0.3^2) and ln(1 + 0.2^2)
    asked = {"count": 32, "confidence": 0.99, "library": [], "inputs": INPUTS}
    plan = load_plan(studies.study(base={IRON: "12 mgFe/mL"}, uncertainty=asked))
    told = list(conclude(computed(plan, studies.folder)))
    content = report(studies.folder)
    exact = norm.cdf(math.log(12.0 / LIMIT) / math.sqrt(math.log(1.09) + math.log(1.04)))
    met = content["probability_met"]
    assert met["low"] < exact < met["high"]
    assert met["runs"] == 64
    assert f"probability that all criteria are met: {met['value']:.2f} (99 %: " in told[-1]
    assert told[-1].endswith(", 64 runs")
    (criterion,) = content["criteria"]
    whole = 1.09 * 1.04 - 1.0
    for share, (name, v) in zip(criterion["shares"], ((IRON, 0.09), ("warmer", 0.04)), strict=True):
        assert name in share["name"]
        assert share["first"] == pytest.approx(v / whole, abs=share["first_half_interval"])
        assert share["total"] == pytest.approx(v * 1.09 * 1.04 / (1.0 + v) / whole, abs=share["total_half_interval"])
    assert criterion["quantiles"]["50 %"] == pytest.approx(12.0, rel=0.05)
    with (studies.folder / "uncertainty.csv").open(newline="", encoding="utf-8") as file:
        assert [row["input"] for row in csv.DictReader(file)] == [share["name"] for share in criterion["shares"]]
    assert {"sobol.png", "margin.png"} <= {file.name for file in studies.folder.iterdir()}


def test_unseen_counts_as_not_met_and_failed_runs_are_left_out_with_their_draws(studies: Any) -> None:
    plan = load_plan(
        studies.study(base={IRON: "30 mgFe/mL"}, uncertainty={"count": 8, "library": [], "inputs": {IRON: "5 %", POWER: "5 %"}})
    )

    def spoilt(number: int, summary: dict[str, Any]) -> dict[str, Any] | None:
        """Run 1 (the first A) failed, run 6 (between A and B) as well, run 8 (the second B) saw nothing."""
        if number in (1, 6):
            return None
        (entry,) = summary["criteria"]
        blind = entry | {"outcome": "unseen", "value": None}
        return summary | {"verdict": "unseen", "criteria": [blind]} if number == 8 else summary

    told = list(conclude(computed(plan, studies.folder, spoilt)))
    content = report(studies.folder)
    interval = binomtest(14, 15).proportion_ci(0.95, method="exact")  # 16 drawn by themselves, less the failed one
    assert content["probability_met"] == pytest.approx({"value": 14 / 15, "low": interval.low, "high": interval.high, "runs": 15})
    assert (content["failed"], content["criteria"][0]["blocks"]) == (2, 6)
    assert any(line.startswith("2 of 32 runs failed: 1 are left out of the probability") for line in told)
    assert "1 runs left a criterion unseen: they count as not met" in told


def test_nothing_is_concluded_while_runs_are_left(studies: Any) -> None:
    plan = load_plan(studies.study(uncertainty={"count": 4, "library": [], "inputs": INPUTS}))
    table = computed(plan, studies.folder)
    del table.rows[plan.runs[5].digest]
    assert list(conclude(table)) == ["uncertainty: 1 of 16 runs are left; start the study again to go on"]
    assert not (studies.folder / "uncertainty.json").exists()


def test_draws_that_no_case_can_have_are_told_in_some_lines_only(tmp_path: Path) -> None:
    asked = {"count": 128, "inputs": {"factors.VS55.poissons_ratio": {"between": [3.0, 4.0]}}, "library": []}
    found = faults_of(library_study(tmp_path, "vial-1mL", **asked)).splitlines()
    assert len(found) == 51
    assert "poissons_ratio.value: must be below 0.5" in found[0]
    assert found[-1].endswith(": 78 more of the kind")


def test_a_limit_that_varies_is_taken_off_the_values(studies: Any) -> None:
    plan = load_plan(studies.study(uncertainty={"count": 4, "indices": False, "library": [], "inputs": INPUTS}))

    def judged(number: int, summary: dict[str, Any]) -> dict[str, Any]:
        """Run n has the limit n and is n / 2 above it."""
        (entry,) = summary["criteria"]
        return summary | {"verdict": "met", "criteria": [entry | {"limit": float(number), "value": 1.5 * number}]}

    list(conclude(computed(plan, studies.folder, judged)))
    (criterion,) = report(studies.folder)["criteria"]
    assert (criterion["limit"], criterion["counted_from_limit"]) == (0.0, True)
    assert criterion["quantiles"]["50 %"] == pytest.approx((0.5 + 1.0 + 1.5 + 2.0) / 4.0)


def test_what_does_not_vary_leaves_no_share_and_no_number_that_is_none(studies: Any) -> None:
    plan = load_plan(studies.study(uncertainty={"count": 8, "library": [], "inputs": INPUTS}))

    def same(number: int, summary: dict[str, Any]) -> dict[str, Any]:
        """Every run finds 20 degC."""
        (entry,) = summary["criteria"]
        return summary | {"verdict": "met", "criteria": [entry | {"value": 20.0, "outcome": "met"}]}

    list(conclude(computed(plan, studies.folder, same)))
    (criterion,) = report(studies.folder)["criteria"]
    assert criterion["shares"] == []
    assert criterion["quantiles"] == {"2.5 %": 20.0, "50 %": 20.0, "97.5 %": 20.0}
    assert not (studies.folder / "sobol.png").exists()


def test_runs_find_what_theory_says_of_their_draws(studies: Any) -> None:
    asked = {"count": 8, "indices": False, "library": [], "inputs": {IRON: "40 %", CAPACITY: "10 %"}}
    path = studies.study(base={IRON: "15 mgFe/mL"}, uncertainty=asked)
    table = run_study(path, studies.folder / "done")
    wanted = [expected(dict(run.inputs)) for run, _ in table.ended()]
    found = [row.summary["criteria"][0]["value"] for _, row in table.ended() if row.summary is not None]
    assert len(found) == 8
    assert found == pytest.approx(wanted, rel=1e-6)
    content = report(studies.folder / "done")
    assert content["probability_met"]["value"] == sum(value >= LIMIT for value in wanted) / 8.0
    assert content["criteria"][0]["shares"] == []


@pytest.mark.slow
def test_an_adiabatic_study_finds_the_closed_form_within_its_intervals(studies: Any) -> None:
    asked = {"count": 32, "confidence": 0.99, "library": [], "inputs": INPUTS}
    run_study(studies.study(base={IRON: "15 mgFe/mL"}, uncertainty=asked), studies.folder / "done")
    content = report(studies.folder / "done")
    assert content["probability_met"]["low"] < 0.5 < content["probability_met"]["high"]  # the medians just reach the limit
    whole = 1.09 * 1.04 - 1.0
    for share, v in zip(content["criteria"][0]["shares"], (0.09, 0.04), strict=True):
        assert share["first"] == pytest.approx(v / whole, abs=share["first_half_interval"])
        assert share["total"] == pytest.approx(v * 1.09 * 1.04 / (1.0 + v) / whole, abs=share["total_half_interval"])
