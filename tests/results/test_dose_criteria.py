"""Judging dose, damage and temperature by volume, from nodes that are made up here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from nanowarm import load_case
from nanowarm.errors import CaseError
from nanowarm.physics.doses import TISSUE_LIMITS
from nanowarm.results.criteria import AnyCriterion
from nanowarm.results.dose_criteria import DoseLimit
from nanowarm.results.dose_histograms import dose_histogram, read_histograms, temperature_histogram, write_histograms
from nanowarm.results.dose_section import tissue_rows
from nanowarm.results.evidence import Outcome, Spread
from nanowarm.results.sentences import verdict_sentence

CELSIUS = 273.15


def spread(values: Any, volume: Any = None) -> Spread:
    """Nodes in a row, 1 mm apart."""
    values = np.array(values, dtype=float)
    share = np.ones(values.size) if volume is None else np.array(volume, dtype=float)
    return Spread(values, share, np.array([[1e-3 * n, 0.0, 0.0] for n in range(values.size)]))


class Told:
    """Answers what a test tells it, and remembers what was asked."""

    def __init__(self, told: Spread) -> None:
        self.told = told
        self.asked: list[Any] = []

    def spread(self, quantity: str, region: str, margin: float = 0.0) -> Spread:
        self.asked.append((quantity, region, margin))
        return self.told


def judged(told: Any, volume: Any = None, **given: Any) -> Outcome:
    criterion: Any = TypeAdapter(AnyCriterion).validate_python({"region": "tumour"} | given)
    outcome: Outcome = criterion.judge(Told(spread(told, volume)))
    return outcome


@pytest.mark.parametrize(
    ("given", "expected", "value"),
    [
        ({"at_least": "60 min", "fraction": 0.75}, "met", 60.0),
        ({"at_least": "60 min"}, "missed", 5.0),
        ({"at_least": "61 min", "fraction": 0.75}, "missed", 60.0),
        ({"at_least": "3600 s", "fraction": 0.75}, "met", 60.0),
        ({"at_least": "ablation", "fraction": 0.5}, "met", 240.0),
        ({"at_most": "240 min", "fraction": 0.75}, "met", 240.0),
        ({"at_most": "240 min"}, "missed", 300.0),
        ({"at_most": "ISO 14708-3 muscle", "fraction": 0.25}, "met", 5.0),
        ({"at_most": "ISO 14708-3 brain", "fraction": 0.25}, "missed", 5.0),
    ],
)
def test_a_dose_is_judged_by_what_the_fraction_asked_for_gets(given: dict[str, Any], expected: str, value: float) -> None:
    outcome = judged([5.0, 60.0, 240.0, 300.0], kind="dose", **given)
    assert (outcome.outcome, outcome.value, outcome.unit) == (expected, value, "min")


def test_the_volume_of_a_node_counts_and_the_worst_place_is_told() -> None:
    outcome = judged([5.0, 100.0], [1.0, 3.0], kind="dose", at_least="60 min", fraction=0.75)
    assert (outcome.outcome, outcome.fraction, outcome.where_mm) == ("met", 0.75, (0.0, 0.0, 0.0))
    assert outcome.details["worst"] == 5.0
    assert judged([5.0, 100.0], [1.0, 3.0], kind="dose", at_most="60 min").where_mm == (1.0, 0.0, 0.0)


def test_a_dose_that_misses_its_limit_by_rounding_meets_it() -> None:
    assert judged([60.0 * (1.0 - 1e-14)], kind="dose", at_least="60 min").outcome == "met"
    assert judged([60.0 * (1.0 - 1e-6)], kind="dose", at_least="60 min").outcome == "missed"


def test_every_limit_of_a_tissue_has_a_name_in_the_case_file() -> None:
    for tissue, level in TISSUE_LIMITS.items():
        assert judged([1.0], kind="dose", at_most=f"ISO 14708-3 {tissue}").limit == level.minutes


def test_a_margin_is_asked_for_around_the_region_and_goes_with_at_least_only() -> None:
    seen = Told(spread([100.0]))
    DoseLimit.model_validate({"kind": "dose", "region": "tumour", "at_least": "60 min", "margin": "5 mm"}).judge(seen)  # type: ignore[arg-type]
    assert seen.asked == [("CEM43", "tumour", 0.005)]
    with pytest.raises(ValidationError, match="a margin goes with `at_least`"):
        judged([1.0], kind="dose", at_most="2 min", margin="5 mm")


@pytest.mark.parametrize(
    ("kind", "limits"),
    [
        ("dose", {}),
        ("dose", {"at_least": "1 min", "at_most": "2 min"}),
        ("damage", {}),
        ("damage", {"at_least": 1.0, "at_most": 2.0}),
    ],
)
def test_a_criterion_with_no_limit_or_two_is_refused(kind: str, limits: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="give either `at_most` or `at_least`"):
        judged([1.0], kind=kind, **limits)


def test_damage_is_judged_by_omega() -> None:
    assert judged([0.5, 1.0, 2.0, 3.0], kind="damage", at_least=1.0, fraction=0.75).outcome == "met"
    outcome = judged([0.5, 1.0, 2.0, 3.0], kind="damage", at_most=1.0, fraction=0.75)
    assert (outcome.outcome, outcome.value, outcome.fraction) == ("missed", 2.0, 0.5)


def test_a_window_of_temperature_counts_what_is_inside_with_its_ends() -> None:
    nodes = [CELSIUS + t for t in (40.0, 41.0, 43.0, 45.0, 50.0)]
    given = {"kind": "temperature window", "between": ("45 degC", "41 degC")}
    outcome = judged(nodes, fraction=0.6, **given)
    assert (outcome.outcome, outcome.value, outcome.where_mm) == ("met", pytest.approx(0.6), (4.0, 0.0, 0.0))
    assert judged(nodes, fraction=0.61, **given).outcome == "missed"
    assert (outcome.details["coldest_degC"], outcome.details["hottest_degC"]) == pytest.approx((40.0, 50.0))


@pytest.mark.parametrize(
    ("limit", "when", "quantity"),
    [
        ({"at_most": "50 degC"}, "always", "hottest"),
        ({"at_least": "50 degC"}, "always", "coldest"),
        ({"at_most": "50 degC"}, "ever", "coldest"),
        ({"at_least": "50 degC"}, "ever", "hottest"),
        ({"at_least": "50 degC"}, "end", "last"),
    ],
)
def test_a_temperature_of_a_fraction_looks_at_the_extreme_that_decides(limit: Any, when: str, quantity: str) -> None:
    given = {"kind": "temperature", "region": "tumour", "when": when, "fraction": 0.5} | limit
    criterion: Any = TypeAdapter(AnyCriterion).validate_python(given)
    seen = Told(spread([CELSIUS + 50.0]))
    assert criterion.judge(seen).outcome == "met"
    assert seen.asked == [(quantity, "tumour", 0.0)]
    assert criterion.followed() == {quantity}


def test_ablation_is_a_temperature_that_a_part_of_the_volume_ever_reached() -> None:
    nodes = [CELSIUS + t for t in (45.0, 50.0, 60.0, 70.0)]
    outcome = judged(nodes, kind="temperature", at_least="50 degC", when="ever", fraction=0.75)
    assert (outcome.outcome, outcome.value, outcome.fraction, outcome.unit) == ("met", pytest.approx(50.0), 0.75, "degC")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            {"kind": "dose", "at_least": "60 min", "fraction": 0.9},
            "90 % of tumour gets at least a CEM43 of 5 min; asked is at least 60 min",
        ),
        ({"kind": "dose", "at_most": "4 min"}, "all of tumour gets at most a CEM43 of 300 min; asked is at most 4 min"),
        ({"kind": "damage", "at_least": 400.0}, "all of tumour gets at least Omega = 5; asked is at least 400"),
        ({"kind": "temperature window", "between": ("41 degC", "45 degC")}, "0 % of tumour is between 41 and 45 °C"),
        (
            {"kind": "temperature", "at_least": "50 degC", "when": "ever"},
            "all of tumour is at −268 °C or more at some time; asked is 50 °C",
        ),
    ],
)
def test_the_report_says_what_was_missed_in_a_sentence(given: dict[str, Any], told: str) -> None:
    row = judged([5.0, 60.0, 240.0, 300.0], **given).summary()
    sentence = verdict_sentence({"criteria": [row], "verdict": "missed"}, {"criteria": [given]})
    assert sentence.startswith(f"Missed: {told}"), sentence


@pytest.mark.parametrize(
    ("sections", "line"),
    [
        ({"criteria": [{"kind": "damage", "region": "body", "at_least": 1.0}]}, "criteria: damage is not followed"),
        ({"output": {"fields": ["damage"]}}, "output: damage is not followed"),
        ({"doses": {"cut_off": "43 degC"}}, "doses: cut_off belongs to a damage set"),
        ({"doses": {"damage": "skin-Henrique"}}, 'doses.damage: no damage set "skin-Henrique"; did you mean skin-Henriques?'),
        (
            {"criteria": [{"kind": "dose", "region": "body", "at_most": "ISO 14708-3 hair"}]},
            '"ISO 14708-3 blood-brain barrier" or "ISO 14708-3 brain"',
        ),
    ],
)
def test_a_case_that_asks_for_doses_it_cannot_get_is_refused_in_a_line(bench: Any, sections: Any, line: str) -> None:
    path = bench.case(
        "sphere",
        {},
        "5 mm",
        initial={"temperature": "37 degC"},
        regions={"body": {"material": bench.material("gel")}},
        boundaries={"surface": {"kind": "insulated"}},
        stages=[{"name": "wait", "duration": "1 s"}],
        **sections,
    )
    with pytest.raises(CaseError, match=re.escape(line)):
        load_case(path)


def test_a_histogram_comes_back_from_its_file_and_steps_down_at_its_nodes(tmp_path: Path) -> None:
    made = [
        dose_histogram("tumour", spread([1.0, 100.0], [3.0, 1.0])),
        temperature_histogram("tumour", spread([CELSIUS + 41.2, CELSIUS + 43.0], [3.0, 1.0])),
    ]
    write_histograms(tmp_path / "histograms.csv", made)
    dose, temperature = read_histograms(tmp_path / "histograms.csv")
    part = dict(zip(dose.at_least.tolist(), dose.fraction.tolist(), strict=True))
    assert [part[edge] for edge in (1.0, 2.0, 100.0, 240.0)] == [1.0, 0.25, 0.25, 0.0]
    assert temperature.at_least.tolist() == [41.0, 41.5, 42.0, 42.5, 43.0]
    assert temperature.fraction.tolist() == [1.0, 0.25, 0.25, 0.25, 0.25]


def test_the_report_tells_each_tissue_what_part_of_a_region_is_beyond_its_limit() -> None:
    rows = tissue_rows(["tumour", "unknown"], [dose_histogram("tumour", spread([1.0, 16.0], [3.0, 1.0]))])
    assert [row.limit for row in rows] == sorted(level.minutes for level in TISSUE_LIMITS.values())
    parts = {row.tissue: row.parts for row in rows}
    assert (parts["brain"], parts["bone"], parts["skin"]) == ((0.25, None), (0.25, None), (0.0, None))
