"""What limits a run: margins and their order, from criteria whose numbers are made up here."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nanowarm.results.convergence import numbers
from nanowarm.results.limits import limited_by, limits
from nanowarm.results.sentences import asked_limit, margin, room_text, verdict_sentence


def row(kind: str, value: float | None, limit: float, outcome: str, region: str = "organ", **more: Any) -> dict[str, Any]:
    return {"kind": kind, "region": region, "value": value, "limit": limit, "unit": "", "outcome": outcome} | more


RATE = row("warming rate", 66.0, 60.0, "met")  # 10 % to spare
COOLING = row("cooling rate", 3.0, 2.5, "met")  # 20 %
ICE = row("ice", 0.001, 0.002, "met", sense="at_most")  # 50 %
STRESS = row("stress", 3.584, 3.2, "missed", sense="at_most")  # 12 % beyond
DIFFERENCE = row("temperature difference", 19.0, 38.0, "met")  # 50 %
HOT = row("temperature", 12.0, 10.0, "missed", sense="at_most", unit="degC")  # 20 % of 10 K beyond
EXPOSURE = row("exposure", 4.0, 10.0, "met", sense="at_most")  # 60 %
WINDOW = row("temperature window", 0.8, 1.0, "missed", sense="at_least", between_degC=[41, 45])
UNSEEN = row("stress", None, 3.2, "unseen", region="tissue", sense="at_most", reason="nothing of tissue became glass")


@pytest.mark.parametrize(
    ("criterion", "what"),
    [
        (RATE, "rate"),
        (COOLING, "rate"),
        (ICE, "ice"),
        (STRESS, "cracks"),
        (DIFFERENCE, "cracks"),
        (HOT, "overheating"),
        (EXPOSURE, "overheating"),
        (row("temperature", 12.0, 10.0, "met", sense="at_least"), "too little heat"),
        (row("dose", 12.0, 10.0, "missed", sense="at_most"), "overheating"),
        (row("dose", 12.0, 10.0, "met", sense="at_least"), "too little heat"),
        (row("damage", 12.0, 10.0, "missed", sense="at_most"), "overheating"),
        (row("field limit", 12.0, 10.0, "missed"), "field"),
        (row("temperature window", 0.8, 1.0, "missed", between_degC=[41, 45], coldest_degC=40.5, hottest_degC=48), "overheating"),
        (
            row("temperature window", 0.8, 1.0, "missed", between_degC=[41, 45], coldest_degC=38, hottest_degC=46),
            "too little heat",
        ),
    ],
)
def test_every_kind_of_criterion_guards_against_something(criterion: dict[str, Any], what: str) -> None:
    assert [found["what"] for found in limits([criterion])] == [what]


def test_the_worst_comes_first_and_what_was_not_judged_last() -> None:
    found = limits([RATE, UNSEEN, ICE, STRESS, HOT, COOLING])
    assert [one["criterion"] for one in found] == [4, 3, 0, 5, 2, 1]
    assert [one["margin"] for one in found] == [pytest.approx(m) for m in (-0.2, -0.12, 0.1, 0.2, 0.5)] + [None]


def test_a_lowest_limit_kept_twice_over_is_tighter_than_a_highest_one_kept_three_times_over() -> None:
    twice = row("warming rate", 120.0, 60.0, "met")  # margin 1
    thrice = row("stress", 1.0, 3.0, "met", sense="at_most")  # margin 2/3
    found = limits([thrice, twice])
    assert [(one["kind"], one["factor"]) for one in found] == [("warming rate", 2.0), ("stress", pytest.approx(3.0))]
    rows = {"criteria": [thrice | {"at_s": 1.0, "crack_risk_mL": 0.0, "fraction": 1.0}, twice], "verdict": "met"}
    assert verdict_sentence(rows, {}).startswith("Met (all 2 criteria; the tightest): all of organ warms at 120")


def test_a_value_of_nothing_has_no_factor_and_comes_last_of_what_is_met() -> None:
    nothing = row("ice", 0.0, 0.002, "met", sense="at_most")
    found = limits([nothing, UNSEEN, RATE])
    assert [(one["kind"], one["factor"]) for one in found] == [
        ("warming rate", pytest.approx(1.1)),
        ("ice", None),
        ("stress", None),
    ]
    assert found[1]["margin"] == 1.0


def test_a_temperature_has_a_margin_but_no_factor() -> None:
    assert [(one["margin"], one["factor"]) for one in limits([HOT])] == [(pytest.approx(-0.2), None)]


def test_equal_margins_stay_in_the_order_of_the_case() -> None:
    assert [one["criterion"] for one in limits([ICE, DIFFERENCE, ICE])] == [0, 1, 2]


def test_the_sentence_names_the_first_limit_and_what_was_not_judged() -> None:
    assert limited_by(limits([RATE, STRESS])) == "limited by cracks: stress of organ, 12 % beyond its limit"
    assert limited_by(limits([ICE])) == "limited by ice: ice of organ, 50 % to spare"
    told = limited_by(limits([UNSEEN, RATE]))
    assert told == "limited by rate: warming rate of organ, 10 % to spare; not judged: stress of tissue"


def test_a_run_of_which_nothing_was_judged_is_not_said_to_be_limited() -> None:
    assert limited_by(limits([UNSEEN])) == "nothing is known to limit it; not judged: stress of tissue"
    assert limited_by(limits([])) == "nothing was asked that could limit it"


def test_a_bound_of_what_was_not_seen_is_no_margin() -> None:
    half_seen = RATE | {"outcome": "unseen", "value": 30.0}
    assert limits([half_seen])[0]["margin"] is None


def test_a_temperature_near_freezing_has_a_margin_like_any_other() -> None:
    # 2 K beyond a limit of 0 degC, on the scale of 10 K
    assert margin(row("temperature", 2.0, 0.0, "missed", sense="at_most")) == pytest.approx(-0.2)


@pytest.mark.parametrize(
    ("criterion", "told"),
    [
        (row("dose", 45.0, 60.0, "missed", sense="at_least"), "25 % short of it"),
        (row("field limit", 15.0, 10.0, "missed"), "50 % beyond it"),
        (row("field limit", 5.0, 10.0, "met"), "50 % to spare"),
        (row("warming rate", 68.0, 0.4, "met"), "170 times it"),
        (row("ice", 0.01, 0.002, "missed", sense="at_most"), "5 times it"),
        (row("temperature", 15.5, 10.0, "missed", sense="at_most", unit="degC"), "5.5 °C beyond it"),
        (row("temperature", 5.0, 10.0, "missed", sense="at_least", unit="degC"), "5 °C short of it"),
        (UNSEEN, "not seen"),
    ],
)
def test_room_is_told_in_the_direction_of_the_limit(criterion: dict[str, Any], told: str) -> None:
    assert room_text(criterion) == told


@given(st.lists(st.tuples(st.floats(0.01, 100.0), st.floats(0.01, 100.0)), max_size=6))
def test_margins_never_fall_down_the_list_and_missed_ones_lead(pairs: list[tuple[float, float]]) -> None:
    found = limits([row("stress", v, m, "met" if v <= m else "missed", sense="at_most") for v, m in pairs])
    margins = [one["margin"] for one in found]
    assert margins == sorted(margins)
    assert all((one["margin"] < 0.0) == (one["outcome"] == "missed") for one in found)


@pytest.mark.parametrize(
    ("asked", "called"),
    [
        ({"kind": "stress"}, "strength"),
        ({"kind": "stress", "at_most": "3 MPa"}, "asked"),
        ({"kind": "cooling rate"}, "critical"),
        ({"kind": "warming rate", "at_least": "55 degC/min"}, "asked"),
        ({"kind": "temperature difference", "at_most": "critical"}, "critical"),
        ({"kind": "ice"}, "asked"),
    ],
)
def test_a_limit_is_called_by_what_it_is_of_the_material_even_where_the_case_leaves_it_out(asked: Any, called: str) -> None:
    assert asked_limit(0, {"criteria": [asked]}) == called


def test_the_rows_can_be_written_to_the_summary() -> None:
    rows = limits([RATE, STRESS, UNSEEN])
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows


def test_a_comparison_of_meshes_takes_the_numbers_of_ice_and_stress_and_leaves_the_rest() -> None:
    region = {
        "volume_mL": 1.0,
        "ice_fraction": {"min": 0.0, "mean": 0.1, "max": 0.2},
        "ice_note": "an estimate",
        "largest_tensile_stress_MPa": None,
        "stress": {"peak_at_s": 3.0, "peak_where_mm": [1.0, 2.0, 3.0]},
        "crossings": [{"what": "melting", "last_s": None}],
    }
    found = numbers({"criteria": [ICE, UNSEEN], "regions": {"organ": region}})
    assert found == {
        "criteria.0.value": 0.001,
        "regions.organ.volume_mL": 1.0,
        "regions.organ.ice_fraction.min": 0.0,
        "regions.organ.ice_fraction.mean": 0.1,
        "regions.organ.ice_fraction.max": 0.2,
        "regions.organ.stress.peak_at_s": 3.0,
    }
