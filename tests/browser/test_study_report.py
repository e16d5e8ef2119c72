"""The report of a study, used as a reader would.

Twelve runs: run n has a = 13 - n, a factor of n / 6 and the amount of iron n mg; runs 1, 6 and 12 have reports.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from nanowarm.studies.study_report import write_study_report

pytestmark = pytest.mark.slow  # many pages in a real browser

Open = Callable[..., Any]

HOSTILE = '</script><img src=https://evil.example/x.png onerror=alert(1)> "quoted" & 🔥 \u202bעברית $x_1$'
RUNS = 12
WITH_REPORT = (1, 6, 12)


def summary(number: int) -> dict[str, Any]:
    outcome = "met" if number >= 6 else "missed"
    criterion = {"kind": "warming rate", "region": HOSTILE, "value": 10.0 * number, "limit": 60.0, "unit": "degC/min"}
    limit = {"what": "rate", "criterion": 0, "kind": "warming rate", "region": HOSTILE, "outcome": outcome}
    limit |= {"margin": number / 6 - 1, "factor": number / 6, "room": ""}
    stress = {"kind": "stress", "region": HOSTILE, "value": (RUNS - number) % 5 + 1.0, "limit": 9.0, "unit": "MPa"}
    other = {**limit, "what": "cracks", "criterion": 1, "kind": "stress", "factor": 9.0, "margin": 0.5, "outcome": "met"}
    body = {"volume_mL": 1.0, "iron_mg": float(number)}
    return {
        "verdict": outcome,
        "criteria": [criterion | {"outcome": outcome}, stress | {"outcome": "met", "sense": "at_most"}],
        "limits": [limit, other],
        "regions": {HOSTILE: body},
    }


def line(number: int) -> dict[str, Any]:
    found = summary(number)
    cells = {"run": number, "a": 13 - number, "name": HOSTILE if number == 3 else f"n{number}", "verdict": found["verdict"]}
    for place, entry in enumerate(found["criteria"], 1):
        cells |= {f"criterion {place} {part}": entry[part] for part in ("value", "limit", "unit", "outcome")}
    return cells | {"limited by": "rate", "folder": f"runs/{number}", "error": ""}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, study_folder: Any) -> Path:
    """The report of twelve runs, and of one that failed."""
    failed = dict.fromkeys(line(1), "") | {"run": 13, "a": 0, "name": "n13", "verdict": "failed", "error": HOSTILE}
    lines = [*map(line, range(1, RUNS + 1)), failed]
    rows = [{"a": entry["a"], "name": entry["name"]} for entry in lines]
    folder: Path = study_folder(tmp_path_factory.mktemp("studies") / "s", lines, title=HOSTILE, list=rows)
    for number in range(1, RUNS + 1):
        run = folder / "runs" / str(number)
        run.mkdir(parents=True)
        (run / "summary.json").write_text(json.dumps(summary(number)), encoding="utf-8")
        if number in WITH_REPORT:
            (run / "report.html").write_text("<!DOCTYPE html><title>run</title>", encoding="utf-8")
    return write_study_report(folder)


@pytest.fixture
def page(report: Path, open_page: Open) -> Any:
    opened = open_page(report)
    yield opened
    opened.context.close()


def runs(page: Any) -> list[int]:
    """Numbers of the runs that are shown, from top to bottom."""
    return [int(text) for text in page.locator("#table tbody tr td:first-child").all_inner_texts()]


def head(page: Any, label: str) -> Any:
    return page.locator("#table thead th", has=page.get_by_role("button", name=label, exact=True))


def test_a_click_on_a_heading_sorts_by_numbers_and_another_one_the_other_way_round(page: Any) -> None:
    head(page, "a").get_by_role("button").click()
    assert runs(page) == [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]
    assert head(page, "a").get_attribute("aria-sort") == "ascending"
    head(page, "a").get_by_role("button").click()
    assert runs(page) == list(range(1, 14))
    assert head(page, "a").get_attribute("aria-sort") == "descending"
    head(page, "Run").get_by_role("button").click()
    assert head(page, "a").get_attribute("aria-sort") is None


def test_the_keyboard_sorts_and_what_has_no_number_stays_last(page: Any) -> None:
    name = "Times that limit is kept"
    button = head(page, name).get_by_role("button")
    button.focus()
    page.keyboard.press("Enter")
    assert runs(page)[-1] == 13
    page.keyboard.press("Space")
    assert head(page, name).get_attribute("aria-sort") == "descending"
    assert runs(page) == [*range(12, 0, -1), 13]


def test_the_filters_leave_the_rows_that_hold_a_word_and_ended_so(page: Any) -> None:
    page.get_by_label("Show rows with").fill("N1")
    assert runs(page) == [1, 10, 11, 12, 13]
    page.get_by_label("Outcome").select_option("met")
    assert runs(page) == [10, 11, 12]
    assert page.locator("#shown").inner_text() == "3 of 13 runs"
    page.get_by_label("Show rows with").fill("")
    page.get_by_label("Outcome").select_option("failed")
    assert runs(page) == [13]


def test_links_lead_to_the_reports_that_there_are_and_to_no_others(page: Any, report: Path) -> None:
    links = page.locator("#table a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert links == [f"runs/{number}/report.html" for number in WITH_REPORT]
    assert all((report.parent / link).is_file() for link in links)
    page.locator("#table a").first.click()
    assert page.title() == "run"


def test_hostile_names_are_text(page: Any) -> None:
    assert page.locator("h1").inner_text() == " ".join(HOSTILE.split())
    assert HOSTILE in page.title()
    assert page.locator("img[onerror]").count() == 0
    assert page.locator("li", has_text="evil.example").count() == 1
    assert page.locator("#table td", has_text="evil.example").count() == 1


def test_two_goals_can_be_chosen_and_the_same_one_never_stands_on_both_axes(page: Any) -> None:
    shown = page.locator("#weighed figure:visible")
    assert shown.count() == 1
    up, across = page.locator("#goal-up"), page.locator("#goal-across")
    labels = page.locator("#goal-up option").all_inner_texts()
    up.select_option(label=labels[-1])
    across.select_option(label=labels[-2])
    assert shown.locator("figcaption").inner_text() in {" against ".join(pair) for pair in permutations(labels[-2:])}
    up.select_option(across.input_value())
    assert up.input_value() != across.input_value()
    assert shown.count() == 1


def test_every_picture_is_drawn_and_described(page: Any) -> None:
    pictures = page.locator("img").evaluate_all("all => all.map(one => [one.complete && one.naturalWidth > 0, one.alt.length])")
    assert pictures
    assert all(drawn and letters > 20 for drawn, letters in pictures)


def test_nothing_sticks_out_of_a_narrow_screen(report: Path, open_page: Open) -> None:
    page = open_page(report, viewport={"width": 375, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    page.context.close()


def test_without_a_program_the_whole_table_and_one_comparison_are_there(report: Path, open_page: Open) -> None:
    page = open_page(report, java_script_enabled=False)
    assert len(runs(page)) == 13
    assert page.locator("#filters").is_hidden()
    assert page.locator("#weighed figure:visible").count() == 1
    page.context.close()


def test_of_thousands_of_runs_the_first_are_shown_more_on_demand_and_all_are_sorted(
    tmp_path: Path, study_folder: Any, open_page: Open
) -> None:
    lines = [{"run": n, "a": (7 * n) % 5000, "verdict": "met", "folder": "", "error": ""} for n in range(1, 5001)]
    page = open_page(write_study_report(study_folder(tmp_path / "s", lines, list=[{"a": entry["a"]} for entry in lines])))
    assert len(runs(page)) == 100
    assert page.locator("#shown").inner_text() == "5000 runs, the first 100 of them shown"
    head(page, "a").get_by_role("button").click()
    assert runs(page)[:2] == [5000, 2143]  # 7 * 5000 = 0 and 7 * 2143 = 1, modulo 5000
    page.get_by_role("button", name="Show more rows").click()
    assert len(runs(page)) == 600
    page.context.close()
