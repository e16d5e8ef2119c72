"""Judging: met, missed and unseen, from evidence that is made up here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from nanowarm.results.criteria import AnyCriterion, verdict
from nanowarm.results.evidence import Outcome, PeakEvidence, RateEvidence

WARMING = {"kind": "warming rate", "region": "organ", "at_least": "60 degC/min", "window": ("-120 degC", "-20 degC")}
NEVER = np.inf


def criterion(**given: Any) -> Any:
    return TypeAdapter(AnyCriterion).validate_python(given)


def evidence(rates: Any, finished: Any = True, volume: Any = None, slowest: Any = None, position: Any = None) -> RateEvidence:
    """Rates in K/s; the limit of WARMING is 1 K/s."""
    rates = np.array(rates, dtype=float)
    return RateEvidence(
        volume=np.ones_like(rates) if volume is None else np.array(volume, dtype=float),
        position=np.array([[n, 0, 0] for n in range(rates.size)], dtype=float) if position is None else np.array(position),
        rate=rates,
        slowest=rates.copy() if slowest is None else np.array(slowest, dtype=float),
        finished=np.broadcast_to(np.array(finished, dtype=bool), rates.shape).copy(),
    )


class Told:
    """Answers what the tests tell it."""

    def __init__(self, rates: RateEvidence | None = None, peak: PeakEvidence | None = None, critical: float = 0.5) -> None:
        self.told, self.peak, self.critical = rates, peak, critical
        self.asked: list[Any] = []

    def window(self, region: str, asked: Any, direction: int = 1) -> Any:
        return asked or (150.0, 260.0)

    def critical_rate(self, region: str, direction: int) -> float:
        return self.critical

    def rates(self, region: str, window: Any) -> Any:
        self.asked.append((region, window))
        return self.told

    def difference(self, region: str, below: float) -> Any:
        self.asked.append((region, below))
        return self.peak

    def extreme(self, region: str, sign: int, when: str) -> Any:
        self.asked.append((region, sign, when))
        return self.peak


def judged(rates: RateEvidence, **more: Any) -> Outcome:
    outcome: Outcome = criterion(**WARMING | more).judge(Told(rates))
    return outcome


@pytest.mark.parametrize(
    ("rates", "finished", "expected"),
    [
        ([1.0, 2.0], True, "met"),
        ([1.0 - 1e-9, 2.0], True, "missed"),
        ([0.5, 0.5], True, "missed"),
        ([NEVER, NEVER], False, "unseen"),
        ([2.0, NEVER], [True, False], "unseen"),
        ([2.0, 1.5], [True, False], "unseen"),  # a bound of 1.5 may still become 1 or less
        ([2.0, 0.9], [True, False], "missed"),  # a bound below the limit can't recover
        ([0.9, NEVER], [True, False], "missed"),  # one part has failed already
    ],
)
def test_a_rate_is_met_where_all_reached_it_and_missed_where_some_cannot(rates: Any, finished: Any, expected: str) -> None:
    assert judged(evidence(rates, finished)).outcome == expected


@pytest.mark.parametrize(("fraction", "expected"), [(0.7, "met"), (0.75, "met"), (0.76, "missed"), (1.0, "missed")])
def test_a_fraction_counts_by_volume(fraction: float, expected: str) -> None:
    assert judged(evidence([2.0, 0.5], volume=[3.0, 1.0]), fraction=fraction).outcome == expected


def test_a_fraction_that_was_seen_to_pass_is_met_whatever_the_rest_does() -> None:
    assert judged(evidence([2.0, NEVER], [True, False], [9.0, 1.0]), fraction=0.9).outcome == "met"


def test_a_fraction_of_many_small_volumes_is_not_lost_to_rounding() -> None:
    assert judged(evidence(np.full(100_000, 2.0), volume=np.full(100_000, 0.1)), fraction=1.0).outcome == "met"


def test_the_value_is_the_rate_that_the_fraction_reaches() -> None:
    # 4 of 10 parts reach 4 K/s, 7 of 10 reach 3, all reach 1
    found = evidence([1.0, 3.0, 4.0], volume=[3.0, 3.0, 4.0])
    values = [judged(found, fraction=fraction).value for fraction in (0.4, 0.41, 0.7, 0.71, 1.0)]
    assert values == pytest.approx([240.0, 180.0, 180.0, 60.0, 60.0])


def test_an_unseen_criterion_has_no_value() -> None:
    assert judged(evidence([NEVER], False)).value is None


def test_the_value_of_a_met_fraction_comes_from_what_was_seen() -> None:
    assert judged(evidence([2.0, NEVER], [True, False]), fraction=0.5).value == pytest.approx(120.0)


def test_a_missed_bound_is_marked_as_one() -> None:
    assert judged(evidence([0.5, 2.0], [False, True])).details["upper_bound"] is True
    assert judged(evidence([0.5, 2.0])).details["upper_bound"] is False


def test_the_seen_fraction_counts_by_volume() -> None:
    assert judged(evidence([2.0, NEVER], [True, False], [1.0, 3.0])).details["seen_fraction"] == pytest.approx(0.25)


def test_the_slowest_instantaneous_rate_is_judged_where_asked() -> None:
    paused = evidence([2.0, 2.0], slowest=[0.5, 2.0])
    assert judged(paused).outcome == "met"
    assert judged(paused, measure="slowest").outcome == "missed"


def test_a_part_that_no_instant_was_seen_of_is_judged_by_its_mean_rate() -> None:
    assert judged(evidence([0.5], slowest=[np.inf]), measure="slowest").outcome == "missed"


def test_the_place_is_that_of_the_lowest_rate() -> None:
    assert judged(evidence([3.0, 1.5, 2.0])).where_mm == (1000.0, 0.0, 0.0)


def test_equal_lowest_rates_give_the_place_of_the_smallest_coordinates() -> None:
    places = [[2.0, 0.0, 1.0], [1.0, 5.0, 0.0], [1.0, 4.0, 9.0]]
    assert judged(evidence([1.5, 1.5, 1.5 + 1e-10], position=places)).where_mm == (1000.0, 4000.0, 9000.0)


def test_no_place_is_told_where_nothing_entered() -> None:
    assert judged(evidence([NEVER, NEVER], False)).where_mm is None


def test_the_critical_rate_is_that_of_the_material() -> None:
    asked = criterion(**WARMING | {"at_least": "critical"})
    assert asked.judge(Told(evidence([0.7]), critical=0.6)).outcome == "met"
    assert asked.judge(Told(evidence([0.7]), critical=0.8)).outcome == "missed"
    assert asked.judge(Told(evidence([0.7]), critical=0.8)).limit == pytest.approx(48.0)


@pytest.mark.parametrize(("kind", "direction"), [("warming rate", 1), ("cooling rate", -1)])
def test_a_rate_asks_for_its_own_direction(kind: str, direction: int) -> None:
    told = Told(evidence([2.0]))
    criterion(**WARMING | {"kind": kind}).judge(told)
    assert told.asked == [("organ", (pytest.approx((153.15, 253.15)), direction))]


@given(
    rates=st.lists(st.floats(0.1, 10.0), min_size=1, max_size=8),
    fraction=st.floats(0.01, 1.0),
    data=st.data(),
)
def test_more_is_reached_of_a_smaller_fraction(rates: list[float], fraction: float, data: st.DataObject) -> None:
    smaller = data.draw(st.floats(0.005, fraction))
    assert judged(evidence(rates), fraction=smaller).value >= judged(evidence(rates), fraction=fraction).value  # type: ignore[operator]


@given(rates=st.lists(st.floats(0.1, 10.0), min_size=1, max_size=8), fraction=st.floats(0.01, 1.0))
def test_a_criterion_is_met_exactly_where_its_value_is_at_least_its_limit(rates: list[float], fraction: float) -> None:
    found = judged(evidence(rates), fraction=fraction)
    assert (found.outcome == "met") == (found.value >= found.limit)  # type: ignore[operator]


DIFFERENCE = {"kind": "temperature difference", "region": "organ", "at_most": "38 K", "below": "-120 degC"}


@pytest.mark.parametrize(("value", "expected"), [(None, "unseen"), (37.0, "met"), (38.0, "met"), (38.001, "missed")])
def test_a_difference_is_met_up_to_its_limit_and_unseen_where_nothing_was_cold(value: float | None, expected: str) -> None:
    found = criterion(**DIFFERENCE).judge(Told(peak=PeakEvidence(value, 5.0)))
    assert (found.outcome, found.value) == (expected, value)


def test_a_difference_looks_below_its_temperature() -> None:
    told = Told(peak=PeakEvidence(1.0))
    criterion(**DIFFERENCE).judge(told)
    assert told.asked == [("organ", pytest.approx(153.15))]


@pytest.mark.parametrize(
    ("limit", "value", "expected", "sign"),
    [
        ({"at_most": "42 degC"}, 315.15, "met", 1),
        ({"at_most": "42 degC"}, 315.2, "missed", 1),
        ({"at_least": "-10 degC"}, 263.15, "met", -1),
        ({"at_least": "-10 degC"}, 263.1, "missed", -1),
    ],
)
def test_a_temperature_is_met_up_to_its_limit(limit: dict[str, str], value: float, expected: str, sign: int) -> None:
    told = Told(peak=PeakEvidence(value, 3.0, (0.001, 0.0, 0.0)))
    found = criterion(kind="temperature", region="organ", **limit).judge(told)
    assert found.outcome == expected
    assert found.value == pytest.approx(value - 273.15)
    assert told.asked == [("organ", sign, "always")]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (WARMING | {"fraction": 0.0}, "greater than 0"),
        (WARMING | {"fraction": 1.01}, "less than or equal to 1"),
        (WARMING | {"window": ("-20 degC", "-20 degC")}, "must differ"),
        (WARMING | {"at_least": "55"}, "write the unit"),
        ({"kind": "temperature", "region": "organ"}, "either `at_most` or `at_least`"),
        ({"kind": "temperature", "region": "organ", "at_most": "1 degC", "at_least": "0 degC"}, "either"),
        ({"kind": "speed", "region": "organ"}, "kind"),
    ],
)
def test_a_criterion_that_asks_for_nothing_possible_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        criterion(**given)


def outcome(reached: Any) -> Outcome:
    return Outcome("temperature", "organ", reached, None, 0.0, "degC")


@pytest.mark.parametrize(
    ("reached", "expected"),
    [((), "met"), (("met", "met"), "met"), (("met", "unseen"), "unseen"), (("unseen", "missed", "met"), "missed")],
)
def test_one_missed_criterion_decides_and_then_one_unseen(reached: tuple[str, ...], expected: str) -> None:
    assert verdict(tuple(outcome(r) for r in reached)) == expected


def test_statistics_are_those_of_what_went_all_the_way() -> None:
    found = evidence([1.0, 2.0, 0.1], [True, True, False], [1.0, 3.0, 4.0]).statistics()
    assert found["min"] == pytest.approx(60.0)
    assert found["mean"] == pytest.approx((1.0 + 3 * 2.0) / 4 * 60.0)
    assert found["max"] == pytest.approx(120.0)
    assert found["seen_fraction"] == pytest.approx(0.5)


def test_statistics_of_nothing_are_empty() -> None:
    found = evidence([NEVER], False).statistics()
    assert (found["min"], found["mean"], found["max"], found["seen_fraction"]) == (None, None, None, 0.0)
