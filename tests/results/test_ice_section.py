"""What the report says of limits, ice and stress, with the new numbers of a summary and without them."""

from __future__ import annotations

import csv
import html
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w

from nanowarm.results.ice_section import ice_and_stress, ice_and_stress_charts
from nanowarm.results.report import write_report

HOSTILE = "<script src='https://evil.example/x.js'>alert(1)</script> & $\\frac{kidney"

FROZEN = {
    "ice_fraction": {"min": 0.0, "mean": 0.0012, "max": 0.034},
    "ice_g": 0.0056,
    "largest_tensile_stress_MPa": {"min": 0.4, "mean": 1.7, "max": 3.9},
    "stress": {
        "tensile_strength_MPa": 3.2, "peak_at_s": 812.0, "peak_where_mm": [0.0, 1.5, 6.25], "crack_risk_mL": 0.123,
        "solid_fraction": 0.987,
    },
    "glass_difference_degC": {"largest": 21.5, "limit": 38.0, "at_s": 640.0},
    "crossings": [
        {
            "what": "glass transition", "temperature_degC": -123.0, "direction": "cooling", "first_s": 411.0, "last_s": None,
            "fraction": 0.62,
        },
        {
            "what": "melting", "temperature_degC": -38.0, "direction": "warming", "first_s": 1501.0, "last_s": 1602.0,
            "fraction": 1.0,
        },
    ],
}  # fmt: skip
ICE = {
    "kind": "ice", "region": "kidney", "value": 0.034, "limit": 0.002, "unit": "of what can freeze", "fraction": 0.5,
    "outcome": "missed", "where_mm": [0.0, 0.0, 6.5], "sense": "at_most", "fraction_asked": 1.0, "worst": 0.034,
}  # fmt: skip
STRESS = {
    "kind": "stress", "region": "kidney", "value": None, "limit": 3.2, "unit": "MPa", "fraction": None, "outcome": "unseen",
    "where_mm": None, "sense": "at_most", "fraction_asked": 1.0, "reason": "nothing of kidney became glass",
}  # fmt: skip
ASKED = [{"kind": "ice", "region": "kidney", "at_most": 0.002}, {"kind": "stress", "region": "kidney", "at_most": "strength"}]


def summary(more: dict[str, Any], region: str = "kidney", criteria: tuple[dict[str, Any], ...] = (ICE, STRESS)) -> dict[str, Any]:
    numbers = {
        "volume_mL": 1.3, "iron_mg": 13.0, "warming_rate_degC_per_min": None,
        "temperature_degC": {"min": 1.0, "mean": 4.2, "max": 9.9},
    }  # fmt: skip
    rows = [row | {"region": region} for row in criteria]
    return {"schema": 1, "title": "t", "verdict": "missed", "criteria": rows, "regions": {region: numbers | more}, "energy_J": {}}


def page(folder: Path, content: dict[str, Any], **columns: list[float]) -> str:
    """The report of a run folder with a history of the given columns."""
    (region,) = content["regions"]
    (folder / "summary.json").write_text(json.dumps(content), encoding="utf-8")
    (folder / "record.json").write_text("{}", encoding="utf-8")
    case = {"regions": {region: {"material": "VS55"}}, "stages": [], "criteria": [row | {"region": region} for row in ASKED]}
    (folder / "case.toml").write_text(tomli_w.dumps(case), encoding="utf-8")
    named = {"time_s": [0.0, 1.0, 2.0]} | {f"{region}_{name}": values for name, values in columns.items()}
    with (folder / "history.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([list(named), *zip(*named.values(), strict=True)])
    return write_report(folder).read_text(encoding="utf-8")


def visible(text: str) -> str:
    return " ".join(
        html.unescape(re.sub(r"<script>.*?</script>|<[^>]+>", " ", text.partition("<main>")[2], flags=re.DOTALL)).split()
    )


def test_what_limits_the_run_stands_right_below_the_verdict(tmp_path: Path) -> None:
    text = visible(page(tmp_path, summary(FROZEN)))
    told = "Limited by ice: ice of kidney, 17 times its limit; not judged: stress of kidney."
    assert text.index("Missed") < text.index(told) < text.index("Criteria")
    assert text.index("17 times its limit", text.index("Criteria")) < text.index("(strength) not judged")


def test_a_case_that_asks_nothing_has_no_limits(tmp_path: Path) -> None:
    assert "Limited by" not in page(tmp_path, summary({}, criteria=()))


def test_ice_stress_and_transitions_are_told_of_each_region(tmp_path: Path) -> None:
    text = visible(page(tmp_path, summary(FROZEN)))
    assert "kidney 0 0.12 3.4 0.0056" in text  # percent of what can freeze, and grams
    assert "kidney 0.4 1.7 3.9 3.2 812 s, (0, 1.5, 6.25) mm 0.123 98.7 % 21.5 38 640" in text
    assert "kidney glass transition −123 cooling 411 – 62 %" in text
    assert "kidney melting −38 warming 1501 1602 100 %" in text


def test_criteria_on_ice_are_shown_in_percent_and_unseen_ones_with_their_reason(tmp_path: Path) -> None:
    text = visible(page(tmp_path, summary(FROZEN)))
    assert "3.4 % of what can freeze ≤ 0.2 % of what can freeze" in text
    assert "≤ 3.2 MPa (strength) not judged – nothing of kidney became glass" in text


def test_a_run_from_before_ice_has_no_section_on_it(tmp_path: Path) -> None:
    text = visible(page(tmp_path, summary({}, criteria=())))
    assert "Ice and stress" not in text
    assert "None" not in text


def test_a_region_that_is_not_calibrated_says_so_instead_of_numbers(tmp_path: Path) -> None:
    more = {"ice_fraction": None, "ice_note": "ice is not calibrated for kidney", "largest_tensile_stress_MPa": None}
    text = visible(page(tmp_path, summary(more | {"stress": None, "glass_difference_degC": None, "crossings": []})))
    assert "kidney – – – – ice is not calibrated for kidney" in text
    assert "Stress in what is solid" not in text
    assert "Transitions" not in text


def test_a_summary_with_only_a_part_of_the_new_numbers_is_shown_with_dashes(tmp_path: Path) -> None:
    more = {"stress": {"tensile_strength_MPa": 3.2}, "crossings": [{"what": "melting"}]}
    text = visible(page(tmp_path, summary(more)))
    assert "kidney – – – 3.2 – – – – – –" in text
    assert "None" not in text


def test_hostile_names_of_regions_are_shown_as_text_everywhere(tmp_path: Path) -> None:
    more = FROZEN | {"ice_note": HOSTILE}
    row = STRESS | {"reason": f"nothing of {HOSTILE} became glass"}
    content = summary(more, HOSTILE, (ICE, row))
    text = page(tmp_path, content, ice_max=[0.0, 0.01, 0.02], ice_mean=[0.0, 0.0, 0.01], stress_MPa=[0.0, 1.0, 2.0])
    assert HOSTILE not in text
    assert text.count("<script") == 1
    # limits: sentence 2, table 2; ice: name and note; stress 1; transitions 2; reason 1; charts 2
    assert visible(text).count(HOSTILE) >= 12


def charts_of(content: dict[str, Any], **columns: Any) -> dict[str, dict[str, list[float]]]:
    history = {name: np.array(values) for name, values in columns.items()}
    charts = ice_and_stress_charts(history, content)
    return {chart.title: {line.label: line.values.tolist() for line in chart.lines} for chart in charts}


def test_the_charts_show_ice_in_percent_and_stress_with_their_limits() -> None:
    columns = {"kidney_ice_max": [0.0, 0.5], "kidney_ice_mean": [0.0, 0.25], "kidney_stress_MPa": [0.5, 4.0]}
    assert charts_of(summary(FROZEN), **columns) == {
        "Ice in kidney": {"most": [0.0, 50.0], "mean": [0.0, 25.0], "limit": [0.2, 0.2]},
        "Tensile stress in kidney": {"largest": [0.5, 4.0], "strength": [3.2, 3.2]},
    }


def test_columns_that_show_nothing_give_no_charts() -> None:
    nan = float("nan")
    assert charts_of(summary(FROZEN), kidney_ice_max=[0.0, 0.0], kidney_stress_MPa=[nan, nan]) == {}
    assert charts_of(summary(FROZEN)) == {}


def test_curves_far_below_their_limit_give_no_chart() -> None:
    assert charts_of(summary(FROZEN), kidney_ice_max=[0.0, 1e-5], kidney_stress_MPa=[0.0, 0.03]) == {}  # of 0.002 and 3.2


def test_the_charts_stand_in_the_report_and_say_what_they_show(tmp_path: Path) -> None:
    text = page(tmp_path, summary(FROZEN), ice_max=[0.0, 0.01, 0.034], stress_MPa=[0.0, 1.0, 3.9])
    assert re.findall(r"<figcaption>([^<]*)</figcaption>", text)[:2] == ["Ice in kidney", "Tensile stress in kidney"]
    assert "most from 0 to 3.4, lowest 0, highest 3.4" in html.unescape(text)


def test_nothing_to_tell_is_no_section() -> None:
    assert ice_and_stress({"regions": {"a": {}, "b": {"stress": None, "crossings": []}}}) is None
