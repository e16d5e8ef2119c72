"""The section `[search]`: what it refuses, what it answers, and that it finds what theory says."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from nanowarm.errors import CaseError
from nanowarm.results.limits import limits
from nanowarm.studies.answers import Answer, answer_of
from nanowarm.studies.driver import run_study
from nanowarm.studies.pictures import numeric_axes
from nanowarm.studies.plan import load_plan
from nanowarm.studies.search_pictures import curves_over
from nanowarm.studies.search_section import number_of
from nanowarm.studies.searches import Searches
from nanowarm.studies.study_folder import StudyFolder
from nanowarm.studies.table import Row

IRON, AMPLITUDE, VOLUME = "regions.cpa.particles.iron", "field.amplitude", "mesh.parameters.volume"
SEARCH = {"key": IRON, "find": "least", "between": ["0.5 mgFe/mL", "20 mgFe/mL"]}


FAULTS = {
    "unknown key": ({"key": "field.amplitud"}, r"search\.key: field\.amplitud = .*: unknown key; did you mean amplitude"),
    "unknown region": (
        {"key": "regions.cpx.particles.iron"},
        r'search\.key: regions\.cpx\.particles\.iron: the case has no region "cpx"',
    ),
    "unit of something else": ({"between": ["1 kg", "2 kg"]}, r'search\.key: regions\.cpa\.particles\.iron = "1 kg": .*iron'),
    "whole numbers only": (
        {"key": "mesh.refine", "between": [1, 6]},
        r"search\.key: mesh\.refine = 2\.4.*: must be a whole number",
    ),
    "ends with two units": ({"between": ["0.5 mgFe/mL", "20 kgFe/m^3"]}, r"search\.between: write both ends in the same unit"),
    "low above high": ({"between": ["20 mgFe/mL", "0.5 mgFe/mL"]}, r"search\.between: the first end must be below the second"),
    "low is zero": ({"between": ["0 mgFe/mL", "20 mgFe/mL"]}, r"search\.between: .*above zero; found \"0 mgFe/mL\""),
    "one end": ({"between": ["20 mgFe/mL"]}, r"search\.between"),
    "no number": ({"between": ["some", "more"]}, r"search\.between: 'some' is not a number"),
    "width without per cent": ({"within": "1 mm"}, r'search\.within: must be a percentage from 0\.1 % to 50 %.*found "1 mm"'),
    "width too small": ({"within": "0.01 %"}, r"search\.within: must be a percentage from 0\.1 % to 50 %"),
    "width as a number": ({"within": 0.01}, r"search\.within: must be a percentage .*found 0\.01"),
    "neither least nor largest": ({"find": "best"}, r'search\.find: .*"least" or "largest"; found "best"'),
    "unknown word": ({"finds": "least"}, r"search\.finds: unknown key; did you mean find"),
    "key twice": ({"key": [IRON, IRON.replace("cpa", '"cpa"')]}, r"search: key: .* is there twice"),
    "no key": ({"key": []}, r"search\.key"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_a_search_is_told_in_one_line_by_study_file_and_key(studies: Any, fault: str) -> None:
    wrong, told = FAULTS[fault]
    with pytest.raises(CaseError, match=told) as caught:
        load_plan(studies.study(search=SEARCH | wrong))
    (line,) = caught.value.faults
    assert line.startswith(str(studies.folder / "study.toml"))


PARTNERS = {
    "sample": (
        {"sample": {"count": 4, "ranges": {AMPLITUDE: ["1 kA/m", "2 kA/m"]}}},
        r"\[search\] stands alone, or with \[grid\]",
    ),
    "grid": ({"grid": {IRON: ["1 mgFe/mL"]}}, r"search\.key: regions\.cpa\.particles\.iron is in \[grid\] too"),
    "list": ({"list": [{AMPLITUDE: "1 kA/m"}, {IRON: "1 mgFe/mL"}]}, r"is in \[list\] too"),
    "base": ({"base": {'regions."cpa".particles.iron': "1 mgFe/mL"}}, r"is in \[base\] too"),
    "no criteria": ({"base": {"criteria": []}}, r"search: .*case\.toml asks for nothing that could be met"),
}


@pytest.mark.parametrize("partner", PARTNERS)
def test_what_does_not_go_with_a_search_is_told_in_one_line(studies: Any, partner: str) -> None:
    sections, told = PARTNERS[partner]
    with pytest.raises(CaseError, match=told) as caught:
        load_plan(studies.study(search=SEARCH, **sections))
    assert len(caught.value.faults) == 1


def rated(rate: float, asked: float) -> dict[str, Any]:
    """A criterion of a rate, as a run judges it."""
    outcome = "met" if rate >= asked else "missed"
    return {"kind": "warming rate", "region": "cpa", "value": rate, "limit": asked, "unit": "degC/min", "outcome": outcome}


def cracked(difference: float, allowed: float) -> dict[str, Any]:
    """A criterion of a temperature difference, as a run judges it."""
    about = {"kind": "temperature difference", "region": "cpa", "unit": "degC"}
    return about | {"value": difference, "limit": allowed, "outcome": "met" if difference <= allowed else "missed"}


def ended(*criteria: dict[str, Any]) -> Row:
    outcomes = [row["outcome"] for row in criteria]
    verdict = next((outcome for outcome in ("missed", "unseen") if outcome in outcomes), "met")
    return Row({"verdict": verdict, "limits": limits(criteria)})


def answers(path: Path, judged: Callable[[float, dict[str, Any]], Row]) -> list[Answer]:
    """The answers where every run ends as a function of its iron says."""
    searches = Searches(load_plan(path), lambda run: judged(number_of(run.inputs[IRON]), dict(run.inputs)))
    assert searches.begin() == []
    return [answer_of(search) for search in searches.all]


def test_an_answer_is_the_value_that_met_beside_one_that_missed(studies: Any) -> None:
    (answer,) = answers(studies.study(search=SEARCH), lambda iron, _: ended(rated(14.0 * iron, 55.0), cracked(iron, 38.0)))
    exact = 55.0 / 14.0
    assert (answer.outcome, answer.reason) == ("found", "")
    assert answer.value is not None
    assert answer.missed is not None
    assert exact / 1.01 < number_of(answer.missed) < exact <= number_of(answer.value) < exact * 1.01
    assert number_of(answer.value) - number_of(answer.missed) <= 0.01 * number_of(answer.value)
    assert str(answer.value).endswith(" mgFe/mL")
    assert answer.limited.startswith("limited by rate: warming rate of cpa")


def test_the_largest_value_is_looked_for_from_below(studies: Any) -> None:
    (answer,) = answers(studies.study(search=SEARCH | {"find": "largest"}), lambda iron, _: ended(cracked(iron * 4.0, 38.0)))
    assert answer.value is not None
    assert answer.missed is not None
    assert number_of(answer.value) <= 38.0 / 4.0 < number_of(answer.missed) <= 1.01 * number_of(answer.value)


def test_forty_fold_to_one_per_cent_takes_at_most_twelve_runs_however_little_runs_tell(studies: Any) -> None:
    unseen = rated(1.0, 2.0) | {"outcome": "unseen", "value": None}
    for least in (0.51, 7.3):
        for fails in (ended(rated(1.0, 1e9)), ended(unseen)):
            judged = partial(steps_at, least, fails)
            (answer,) = answers(studies.study(search=SEARCH), judged)
            assert answer.runs <= 12
            assert number_of(answer.value or 0.0) == pytest.approx(least, rel=0.01)


def steps_at(least: float, below: Row, iron: float, inputs: dict[str, Any]) -> Row:
    """A run that is met with any room from some iron on, and ends otherwise below."""
    return ended(rated(9.0, 1.0)) if iron >= least else below


ENDS: dict[str, tuple[Callable[[float], Row], str, Any, str]] = {
    "all met": (lambda iron: ended(rated(60.0, 55.0)), "all met", "0.5 mgFe/mL", "even the least value meets all criteria"),
    "none met": (lambda iron: ended(rated(iron, 55.0)), "none met", None, "even 20 mgFe/mL does not meet all criteria"),
    "other way round": (
        lambda iron: ended(cracked(iron, 10.0)),
        "unclear",
        None,
        "it is the other way round; ask for the largest",
    ),
    "none of two": (
        lambda iron: ended(rated(iron, 10.0), cracked(iron, 5.0)),
        "none met",
        None,
        "even 20 mgFe/mL does not meet all criteria nor any value tried between",
    ),
    "failed": (lambda iron: Row(None, "out of memory"), "unclear", None, "20 mgFe/mL is failed (out of memory)"),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_search_without_a_bracket_says_why(studies: Any, end: str) -> None:
    judged, outcome, value, reason = ENDS[end]
    (answer,) = answers(studies.study(search=SEARCH), lambda iron, _: judged(iron))
    assert (answer.outcome, answer.value) == (outcome, value)
    assert reason in answer.reason
    assert reason in answer.sentence()


def test_an_answer_beside_a_run_that_failed_is_unclear(studies: Any) -> None:
    path = studies.study(search=SEARCH)
    (answer,) = answers(path, lambda iron, _: ended(rated(60.0, 55.0)) if iron > 4.0 else Row(None, "no disk"))
    assert answer.outcome == "unclear"
    assert number_of(answer.value or 0.0) == pytest.approx(4.0, rel=0.01)
    assert "is failed (no disk), so it is not known whether it would do" in answer.reason
    assert "misses" not in answer.sentence()


def test_a_met_value_below_a_missed_end_is_found_and_told_as_not_monotone(studies: Any) -> None:
    path = studies.study(search=SEARCH)
    (answer,) = answers(path, lambda iron, _: ended(rated(iron, 4.0), cracked(iron, 12.0)))
    assert answer.outcome == "found"
    assert 4.0 <= number_of(answer.value or 0.0) <= 4.04
    assert "not monotone: 20 mgFe/mL is missed (limited by cracks" in answer.reason


def test_each_combination_of_a_grid_has_a_search_and_they_make_curves(studies: Any) -> None:
    grid = {VOLUME: ["2 mL", "1 mL"], AMPLITUDE: ["10 kA/m", "20 kA/m"]}
    found = answers(
        studies.study(search=SEARCH, grid=grid),
        lambda iron, inputs: ended(rated(iron * number_of(inputs[AMPLITUDE]), 55.0 + number_of(inputs[VOLUME]))),
    )
    across = numeric_axes(grid)[0]
    curves = curves_over(across, found)
    assert list(curves) == ["amplitude = 10 kA/m", "amplitude = 20 kA/m"]
    for amplitude, points in zip((10.0, 20.0), curves.values(), strict=True):
        assert [at for at, _ in points] == [1.0, 2.0]
        for at, answer in points:
            assert number_of(answer.value or 0.0) == pytest.approx((55.0 + at) / amplitude, rel=0.01)


def test_several_keys_get_the_same_value(studies: Any) -> None:
    keys = ["boundaries.top.coefficient", "boundaries.side.coefficient"]
    shut = {"kind": "convection", "ambient": "20 degC", "coefficient": "1 W/m^2/K"}
    base = {"boundaries.top": shut, "boundaries.side": shut}
    search = {"key": keys, "find": "least", "between": ["1 W/m^2/K", "9 W/m^2/K"]}
    low, high = load_plan(studies.study(base=base, search=search)).runs
    assert dict(low.inputs) == dict.fromkeys(keys, "1 W/m^2/K")
    assert dict(high.inputs) == dict.fromkeys(keys, "9 W/m^2/K")


def test_a_folder_goes_on_with_a_search_that_looks_closer_but_not_with_one_for_something_else(studies: Any) -> None:
    def claim(**changes: Any) -> None:
        with StudyFolder(studies.folder / "claimed", load_plan(studies.study(search=SEARCH | changes))).opened():
            pass

    claim()
    claim(within="0.5 %")
    for other in ({"find": "largest"}, {"between": ["0.5 mgFe/mL", "30 mgFe/mL"]}):
        with pytest.raises(CaseError, match="claimed: holds another study"):
            claim(**other)


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def test_the_least_iron_of_an_insulated_vial_of_80_millilitres_is_that_of_the_heat_it_takes(studies: Any) -> None:
    # all of it warms at iron * specific power / capacity, so that 54 degC/min = 0.9 K/s take
    power, capacity = 2e5, 2e6  # [W/kgFe] and [J/m3/K] of the case
    exact = 0.9 * capacity / power  # [kgFe/m3] = [mgFe/mL]
    rate = {"kind": "warming rate", "region": "cpa", "at_least": "54 degC/min", "window": ["2 degC", "12 degC"], "fraction": 1.0}
    base = {"mesh.parameters.volume": "80 mL", "mesh.size": "12 mm", "stages.warm.duration": "60 s", "criteria": [rate]}
    path = studies.study(base=base, search=SEARCH, title="as theory has it")
    told: list[str] = []
    table = run_study(path, studies.folder / "done", told.append)
    (answer,) = json.loads((table.folder / "answers.json").read_text(encoding="utf-8"))["answers"]
    assert answer["outcome"] == "found"
    assert exact / 1.01 < number_of(answer["missed"]) < exact * (1.0 + 1e-6)
    assert exact * (1.0 - 1e-6) < number_of(answer["value"]) < exact * 1.01
    rows = rows_of(table.path)
    assert len(rows) == answer["runs"] <= 12
    assert [row["run"] for row in rows] == [str(number + 1) for number in range(len(rows))]
    assert {row[IRON] for row in rows} >= {"0.5 mgFe/mL", "20 mgFe/mL", answer["value"], answer["missed"]}
    (line,) = rows_of(table.folder / "answers.csv")
    assert (line["value"], line["unit"], line["outcome"]) == (answer["value"].split()[0], "mgFe/mL", "found")
    assert any(line.startswith(f"least {IRON}: {answer['value']}") for line in told)
    assert (table.folder / "search.png").is_file()
    assert not (table.folder / "answers.png").exists()


@pytest.mark.slow
def test_searches_whose_driver_was_killed_go_on_without_repeating_runs_and_find_the_same(studies: Any) -> None:
    # 15 degC after 10 s take 15 mgFe/mL at 20 kA/m and, as heating goes with the square of the field, 6.67 at 30 kA/m
    path = studies.study(search=SEARCH, grid={AMPLITUDE: ["20 kA/m", "30 kA/m"]}, run={"parallel": 2})
    line = [sys.executable, "-m", "nanowarm.cli", "study", path.name, "-o", "killed"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    driver = subprocess.Popen(line, cwd=studies.folder, stdout=subprocess.PIPE, text=True, env=environment)
    assert driver.stdout is not None
    assert any(told.startswith("search") and ", run 3:" in told for told in driver.stdout)
    driver.send_signal(signal.SIGKILL)
    driver.communicate(timeout=60)
    before = {file: file.stat().st_mtime_ns for file in studies.folder.glob("killed/runs/*/summary.json")}
    assert len(before) >= 3
    again = subprocess.run(line, cwd=studies.folder, capture_output=True, text=True, env=environment, timeout=300, check=False)
    assert (again.returncode, again.stderr) == (0, "")
    assert {file: file.stat().st_mtime_ns for file in before} == before
    rows = rows_of(studies.folder / "killed" / "table.csv")
    repeated = sum(told.startswith("search ") and ", run " in told for told in again.stdout.splitlines())
    assert repeated == len(rows) - len(before)
    found = rows_of(studies.folder / "killed" / "answers.csv")
    assert [float(row["value"]) for row in found] == [pytest.approx(15.0 * (20.0 / h) ** 2, rel=0.01) for h in (20.0, 30.0)]
    assert all(float(row["value that missed"]) < 15.0 * (20.0 / h) ** 2 for row, h in zip(found, (20.0, 30.0), strict=True))
    assert (studies.folder / "killed" / "answers.png").is_file()
