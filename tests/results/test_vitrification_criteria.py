"""Judging ice, stress and time in the warmth, from nodes and cells that are made up here."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from nanowarm.results.criteria import AnyCriterion
from nanowarm.results.evidence import Outcome, PeakEvidence, Spread
from nanowarm.results.sentences import verdict_sentence

CELSIUS = 273.15
ADAPTER: TypeAdapter[Any] = TypeAdapter(AnyCriterion)


def spread(values: Any, volume: Any = None) -> Spread:
    """Nodes in a row, 1 mm apart; 1 mL each unless told."""
    values = np.array(values, dtype=float)
    share = np.full(values.size, 1e-6) if volume is None else np.array(volume, dtype=float)
    return Spread(values, share, np.array([[1e-3 * n, 0.0, 0.0] for n in range(values.size)]).reshape(-1, 3))


class Told:
    """Answers what a test tells it, and remembers what was asked."""

    def __init__(self, seen: Spread | None, **more: Any) -> None:
        self.seen, self.more = seen, more
        self.asked: list[Any] = []

    def ice(self, region: str) -> Spread | None:
        return self.seen

    def stress(self, region: str) -> Spread | None:
        return self.seen

    def stress_peak(self, region: str) -> PeakEvidence:
        return PeakEvidence(9e9, 34.0)

    def strength(self, region: str) -> float | None:
        return self.more.get("strength")

    def glass_difference_limit(self, region: str) -> float | None:
        return self.more.get("difference_limit")

    def difference(self, region: str, below: float) -> PeakEvidence:
        return PeakEvidence(self.more["difference"], 5.0)

    def time_above(self, region: str, temperature: float) -> Spread | None:
        self.asked.append((region, temperature))
        return self.seen


def criterion(**given: Any) -> Any:
    return ADAPTER.validate_python({"region": "organ"} | given)


def judged(values: Any, volume: Any = None, strength: float | None = None, **given: Any) -> Outcome:
    seen = None if values is None else spread(values, volume)
    outcome: Outcome = criterion(**given).judge(Told(seen, strength=strength))
    return outcome


@pytest.mark.parametrize(
    ("values", "asked", "expected"),
    [
        ([0.0, 0.001], {}, "met"),
        ([0.0, 0.002], {}, "met"),
        ([0.0, 0.0021], {}, "missed"),
        ([0.0, 0.0021], {"at_most": 0.003}, "met"),
        ([0.0, 0.0021], {"at_most": "0.3 %"}, "met"),
        ([0.0, 0.0031], {"at_most": "0.3 %"}, "missed"),
    ],
)
def test_ice_is_met_up_to_its_limit_which_is_a_fifth_of_a_percent_unless_given(values: Any, asked: Any, expected: str) -> None:
    outcome = judged(values, kind="ice", **asked)
    assert (outcome.outcome, outcome.value) == (expected, values[1])


def test_the_limit_of_ice_in_percent_is_the_same_number() -> None:
    assert judged([0.0], kind="ice", at_most="0.2 %").limit == pytest.approx(0.002, rel=1e-12)


def test_ice_that_is_not_calibrated_is_unseen_and_says_why() -> None:
    outcome = judged(None, kind="ice")
    assert (outcome.outcome, outcome.value, outcome.limit, outcome.where_mm) == ("unseen", None, 0.002, None)
    assert outcome.details["reason"] == "ice is not calibrated for what fills organ"


def test_ice_of_a_part_of_the_volume_counts_by_volume_and_tells_the_worst_place() -> None:
    outcome = judged([0.5, 0.001, 0.0], [1.0, 2.0, 7.0], kind="ice", fraction=0.9)
    assert (outcome.outcome, outcome.value, outcome.fraction) == ("met", 0.001, pytest.approx(0.9))
    assert (outcome.where_mm, outcome.details["worst"]) == ((0.0, 0.0, 0.0), 0.5)
    assert judged([0.5, 0.001, 0.0], [1.0, 2.0, 7.0], kind="ice", fraction=0.91).outcome == "missed"


@pytest.mark.parametrize(
    ("largest", "asked", "expected"),
    [
        (3.1e6, {}, "met"),
        (3.2e6, {}, "met"),
        (3.3e6, {}, "missed"),
        (3.3e6, {"at_most": "3.4 MPa"}, "met"),
        (3.3e6, {"at_most": "strength", "fraction": 0.5}, "met"),
    ],
)
def test_a_stress_is_met_up_to_the_strength_of_the_material_unless_given(largest: float, asked: Any, expected: str) -> None:
    outcome = judged([1e6, largest], strength=3.2e6, kind="stress", **asked)
    assert (outcome.outcome, outcome.unit) == (expected, "MPa")


def test_a_stress_tells_in_megapascals_when_and_where_and_the_volume_at_risk() -> None:
    outcome = judged([1e6, 4e6, 5e6], [3e-6, 2e-6, 0.5e-6], strength=3.2e6, kind="stress")
    assert (outcome.value, outcome.limit, outcome.where_mm) == (5.0, 3.2, (2.0, 0.0, 0.0))
    assert outcome.details["at_s"] == 34.0
    assert outcome.details["crack_risk_mL"] == pytest.approx(2.5)
    assert outcome.fraction == pytest.approx(3.0 / 5.5)


def test_a_stress_at_the_limit_puts_nothing_at_risk() -> None:
    assert judged([3.2e6 * (1.0 + 1e-12)], strength=3.2e6, kind="stress").details["crack_risk_mL"] == 0.0


def test_a_stress_where_nothing_became_glass_is_unseen_and_says_why() -> None:
    outcome = judged(None, strength=3.2e6, kind="stress")
    assert (outcome.outcome, outcome.value, outcome.limit) == ("unseen", None, 3.2)
    assert outcome.details["reason"] == "nothing of organ became glass"


def test_a_strength_that_is_not_known_is_not_guessed() -> None:
    with pytest.raises(ValueError, match="organ has no tensile strength"):
        judged([1e6], kind="stress")


def test_an_exposure_is_judged_in_minutes_above_its_temperature() -> None:
    told = Told(spread([60.0, 900.0, 30.0]))
    asked = criterion(kind="exposure", above="-40 degC", at_most="10 min")
    outcome = asked.judge(told)
    assert (outcome.outcome, outcome.value, outcome.limit, outcome.unit) == ("missed", 15.0, 10.0, "min")
    assert (outcome.where_mm, outcome.details["above_degC"]) == ((1.0, 0.0, 0.0), -40.0)
    assert told.asked == [("organ", pytest.approx(233.15))]
    assert asked.asked_above() == pytest.approx(233.15)


@pytest.mark.parametrize(("seconds", "fraction", "expected"), [(600.0, 1.0, "met"), (601.0, 1.0, "missed"), (601.0, 0.5, "met")])
def test_an_exposure_is_met_up_to_its_time(seconds: float, fraction: float, expected: str) -> None:
    asked = {"kind": "exposure", "above": "0 degC", "at_most": "600 s", "fraction": fraction}
    assert judged([0.0, seconds], **asked).outcome == expected


@pytest.mark.parametrize(("difference", "expected"), [(None, "unseen"), (38.0, "met"), (38.1, "missed")])
def test_the_critical_difference_is_that_of_the_material(difference: float | None, expected: str) -> None:
    asked = criterion(kind="temperature difference", at_most="critical", below="-123 degC")
    outcome = asked.judge(Told(None, difference_limit=38.0, difference=difference))
    assert (outcome.outcome, outcome.limit) == (expected, 38.0)


def test_a_critical_difference_that_is_not_known_is_not_guessed() -> None:
    asked = criterion(kind="temperature difference", at_most="critical", below="-123 degC")
    with pytest.raises(ValueError, match="organ has no critical difference"):
        asked.judge(Told(None, difference=1.0))


@pytest.mark.parametrize(
    ("given", "followed", "strength", "difference", "rate"),
    [
        ({"kind": "ice"}, {"ice"}, False, False, False),
        ({"kind": "stress"}, {"stress"}, True, False, False),
        ({"kind": "stress", "at_most": "3 MPa"}, {"stress"}, False, False, False),
        ({"kind": "temperature difference", "at_most": "critical", "below": "150 K"}, set(), False, True, False),
        ({"kind": "temperature difference", "at_most": "5 K", "below": "150 K"}, set(), False, False, False),
        ({"kind": "exposure", "above": "250 K", "at_most": "1 s"}, set(), False, False, False),
        ({"kind": "cooling rate"}, set(), False, False, True),
    ],
)
def test_a_criterion_says_what_must_be_followed_and_known(
    given: Any, followed: set[str], strength: bool, difference: bool, rate: bool
) -> None:
    asked = criterion(**given)
    assert asked.followed() == followed
    assert (asked.asks_strength(), asked.asks_critical_difference(), asked.asks_critical()) == (strength, difference, rate)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kind": "ice", "at_most": "0.002"}, "write the unit"),
        ({"kind": "ice", "at_most": 0.0}, "greater than 0"),
        ({"kind": "ice", "at_most": "120 %"}, "less than or equal to 1"),
        ({"kind": "ice", "at_most": "2 mm"}, "not a unit of this quantity"),
        ({"kind": "ice", "at_most": True}, "valid number"),
        ({"kind": "stress", "at_most": 3.2}, "write the unit"),
        ({"kind": "stress", "at_most": "0 MPa"}, "must be above 0"),
        ({"kind": "exposure", "at_most": "1 min"}, "Field required"),
        ({"kind": "exposure", "above": "-40 degC", "at_most": "0 s"}, "must be above 0"),
        ({"kind": "temperature difference", "at_most": "strength", "below": "-120 degC"}, "'critical'"),
    ],
)
def test_a_limit_that_means_nothing_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        criterion(**given)


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "ice", "at_most": "0.3 %"},
        {"kind": "ice"},
        {"kind": "stress"},
        {"kind": "stress", "at_most": "3 MPa"},
        {"kind": "exposure", "above": "-40 degC", "at_most": "10 min", "fraction": 0.9},
        {"kind": "temperature difference", "at_most": "critical", "below": "-120 degC"},
    ],
)
def test_a_criterion_written_to_the_run_folder_reads_the_same(given: dict[str, Any]) -> None:
    asked = criterion(**given)
    assert ADAPTER.validate_python(json.loads(ADAPTER.dump_json(asked))) == asked


def test_the_schema_for_editors_knows_the_new_kinds_and_their_texts() -> None:
    schema = json.dumps(ADAPTER.json_schema())
    for text in ('"const": "ice"', '"const": "stress"', '"const": "exposure"', '"0.2 %"', '"const": "strength"'):
        assert text in schema


@given(
    values=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8),
    fraction=st.floats(0.01, 1.0),
    limit=st.floats(0.001, 1.0),
)
def test_ice_is_met_exactly_where_its_value_is_at_most_its_limit(values: list[float], fraction: float, limit: float) -> None:
    outcome = judged(values, kind="ice", fraction=fraction, at_most=limit)
    assert outcome.value is not None
    assert (outcome.outcome == "met") == (outcome.value <= limit * (1.0 + 1e-9))


@pytest.mark.parametrize(
    ("values", "asked", "told"),
    [
        (
            [0.001],
            {"kind": "ice"},
            "Met: in all of organ at most 0.1 % of what can freeze crystallises; allowed are 0.2 % (50 % to spare).",
        ),
        (
            [0.5, 0.0],
            {"kind": "ice", "fraction": 0.75},
            "Missed: in 75 % of organ at most 50 % of what can freeze crystallises; allowed are 0.2 % (250 times it), "
            "and 50 % of the volume keeps that.",
        ),
        (None, {"kind": "ice"}, "Unseen: ice is not calibrated for what fills organ, so its ice can't be judged."),
        (
            [2.4e6],
            {"kind": "stress"},
            "Met: the tensile stress in organ reaches 2.4 MPa; its strength is 3.2 MPa (25 % to spare); it is largest at 34 s.",
        ),
        (
            [4e6, 1e6],
            {"kind": "stress", "at_most": "2 MPa"},
            "Missed: the tensile stress in organ reaches 4 MPa; allowed are 2 MPa (100 % beyond it); "
            "it is largest at 34 s, and 1 mL may crack.",
        ),
        (None, {"kind": "stress"}, "Unseen: nothing of organ became glass, so its stress can't be judged."),
        (
            [720.0, 60.0],
            {"kind": "exposure", "above": "-40 degC", "at_most": "10 min"},
            "Missed: all of organ is above −40 °C for 12 min or less; allowed are 10 min (20 % beyond it), "
            "and 50 % of the volume keeps that.",
        ),
    ],
)
def test_the_verdict_says_in_a_sentence_what_was_seen(values: Any, asked: dict[str, Any], told: str) -> None:
    outcome = judged(values, strength=3.2e6, **asked)
    assert verdict_sentence({"criteria": [outcome.summary()], "verdict": outcome.outcome}, {"criteria": [asked]}) == told


def test_a_critical_difference_is_told_as_what_the_glass_bears() -> None:
    given = {"kind": "temperature difference", "at_most": "critical", "below": "-123 degC"}
    row = criterion(**given).judge(Told(None, difference_limit=40.0, difference=50.0)).summary()
    sentence = verdict_sentence({"criteria": [row], "verdict": "missed"}, {"criteria": [given]})
    assert sentence == "Missed: organ differs by up to 50 °C while colder than −123 °C; its glass bears 40 °C (25 % beyond it)."


@pytest.mark.parametrize(
    "asked",
    [{"kind": "ice"}, {"kind": "stress"}, {"kind": "exposure", "above": "0 degC", "at_most": "1 s"}],
    ids=lambda a: a["kind"],
)
def test_a_region_with_nothing_in_it_is_unseen_and_can_be_written(asked: dict[str, Any]) -> None:
    outcome = judged([], strength=3.2e6, **asked)
    assert (outcome.outcome, outcome.value, outcome.details["reason"]) == ("unseen", None, "nothing of organ was seen")
    assert "organ" in json.dumps(outcome.summary(), allow_nan=False)
