"""The report in a real browser: on a screen, on a phone, on paper; its colours, its order, its tables."""

from __future__ import annotations

import csv
import itertools
import json
import re
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from nanowarm.results.report import write_report

Open = Callable[..., Any]

HOSTILE = "<img src=x onerror=alert(1)> & </script><b>$\\frac{kidney"
CSS = resources.files("nanowarm.results").joinpath("templates", "page.css").read_text(encoding="utf-8")
LEAST_CONTRAST = 4.5  # WCAG 2.2, 1.4.3, for text of normal size
TEXT = ("ink", "quiet", "link", "met", "missed", "unseen")
WASHES = ("wash", "met-wash", "missed-wash", "unseen-wash")


def run_folder(folder: Path, region: str = "kidney", title: str = "A kidney", stage: str = "rewarm") -> Path:
    rate = {"kind": "warming rate", "region": region, "value": 71.2, "limit": 55.0, "unit": "degC/min", "fraction": 0.995}
    rate |= {"outcome": "met", "where_mm": [0.0, 0.0, 6.5], "fraction_asked": 0.99, "measure": "mean"}
    seen = {"min": 52.0, "mean": 74.0, "max": 80.3, "slowest_instantaneous": 40.0, "seen_fraction": 1.0}
    crossing = {
        "what": "melting",
        "temperature_degC": -38.0,
        "direction": "warming",
        "first_s": 2.0,
        "last_s": 2.5,
        "fraction": 1.0,
    }
    numbers = {"volume_mL": 1.3, "iron_mg": 13.0, "warming_rate_degC_per_min": seen, "crossings": [crossing]}
    numbers |= {"temperature_degC": {"min": 1.0, "mean": 4.2, "max": 9.9}}
    summary = {"schema": 1, "title": title, "verdict": "met", "criteria": [rate], "regions": {region: numbers}}
    summary |= {"energy_J": {"stored": 100.0, "supplied": 90.0, "inflow": 10.0, "imbalance_relative": 2e-16}}
    inputs = [
        {"of": of, "what": what, "value": value, "source": region, "quality": "estimate", "spread": spread, "note": title}
        for of, what, value, spread in (
            ("sIONP", "specific power", "600 W/gFe", "35 %"),
            ("VS55", "density", "1058 kg/m^3", "3 %"),
            ("VS55", "specific heat", "2000 J/kg/K", "20 %"),
            (title, "conductivity", "0.3 W/m/K", "25 %"),
        )
    ]
    record = {"nanowarm": "0.1.0", "command": f"nanowarm run {title}", "inputs": inputs, "notes": [title]}
    record |= {"stages": [{"name": stage, "start_s": 0.0, "end_s": 3.0}]}
    surface = {"kind": "convection", "coefficient": "10 W/m^2/K", "ambient": "20 degC"}
    case = {"schema": 1, "title": title, "regions": {region: {"material": "VS55", "particles": {"name": "sIONP"}}}}
    case |= {"boundaries": {region: surface}, "stages": [{"name": stage, "duration": "3 s", "until": "coldest > 0 degC"}]}
    case |= {"criteria": [{"kind": "warming rate", "region": region}]}
    (folder / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    (folder / "record.json").write_text(json.dumps(record), encoding="utf-8")
    (folder / "case.toml").write_text(tomli_w.dumps(case), encoding="utf-8")
    header = ["time_s", "stage", *(f"{region}_{part}_degC" for part in ("min", "mean", "max")), "field_kA_per_m", "stored_J"]
    with (folder / "history.csv").open("w", newline="", encoding="utf-8") as file:
        rows = ([time, stage, -150 + 50 * time, -145 + 50 * time, -140 + 50 * time, 20, time] for time in range(4))
        csv.writer(file).writerows([header, *rows])
    with (folder / "rates.csv").open("w", newline="", encoding="utf-8") as file:
        names = ["region", "direction", "coldest_degC", "warmest_degC", "limit", "from", "to", "fraction_of_volume"]
        bins = [[region, "warming", -120, -20, 55, low, low + 5, 0.1] for low in range(50, 100, 5)]
        csv.writer(file).writerows([names, *bins])
    return folder


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(run_folder(tmp_path_factory.mktemp("report")))


def test_a_page_with_hostile_names_runs_nothing_and_shows_them_as_text(tmp_path: Path, open_page: Open) -> None:
    page = open_page(write_report(run_folder(tmp_path, HOSTILE, HOSTILE, HOSTILE)))
    assert page.locator("h1").text_content() == HOSTILE
    assert page.locator("img:not([src^='data:']), b").count() == 0


def test_a_title_of_ten_thousand_letters_leaves_the_verdict_in_sight(tmp_path: Path, open_page: Open) -> None:
    title = "Why " + "x" * 10_000
    page = open_page(write_report(run_folder(tmp_path, title=title)))
    assert page.locator(".verdict").bounding_box()["y"] < 400
    page.get_by_text("The whole title").click()
    assert page.locator("#answer details p").inner_text() == title


def test_a_narrow_screen_never_scrolls_sideways(tmp_path: Path, open_page: Open) -> None:
    page = open_page(write_report(run_folder(tmp_path, "a_very_long_name_of_a_region_that_goes_on" * 3, HOSTILE)))
    page.evaluate("for (const folded of document.querySelectorAll('details')) folded.open = true")
    for width in (320, 390, 768):
        page.set_viewport_size({"width": width, "height": 700})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_heading_that_is_clicked_sorts_its_column_as_numbers_up_and_then_down(report: Path, open_page: Open) -> None:
    page = open_page(report)
    heading = page.locator("#inputs th", has_text="Spread")
    spreads = page.locator("#inputs table.sortable tbody td:nth-child(5)")
    heading.locator("button").press("Enter")
    assert heading.get_attribute("aria-sort") == "ascending"
    assert spreads.all_text_contents() == ["3 %", "20 %", "25 %", "35 %"]
    heading.locator("button").click()
    assert heading.get_attribute("aria-sort") == "descending"
    assert spreads.all_text_contents() == ["35 %", "25 %", "20 %", "3 %"]
    page.locator("#inputs th button").first.click()
    assert heading.get_attribute("aria-sort") is None


def test_no_heading_skips_a_level_and_every_link_of_the_contents_leads_somewhere(report: Path, open_page: Open) -> None:
    page = open_page(report)
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below - above <= 1 for above, below in itertools.pairwise(levels))
    targets = page.evaluate("[...document.querySelectorAll('nav a, .skip')].map(a => !!document.querySelector(a.hash))")
    assert len(targets) > 10
    assert all(targets)


def test_the_first_key_leads_to_the_answer(report: Path, open_page: Open) -> None:
    page = open_page(report)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the answer"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "answer"


def test_every_image_has_an_alternative_with_numbers_and_what_scrolls_can_be_reached_by_key(
    report: Path, open_page: Open
) -> None:
    page = open_page(report, viewport={"width": 390, "height": 700})
    assert all(re.search(r"\d", text) for text in page.evaluate("[...document.images].map(image => image.alt)"))
    boxes = page.evaluate("[...document.querySelectorAll('.wide')].map(box => [box.tabIndex, box.getAttribute('aria-label')])")
    assert all(index == 0 and label for index, label in boxes)


def test_no_two_landmarks_have_the_same_name(tmp_path: Path, open_page: Open) -> None:
    page = open_page(write_report(run_folder(tmp_path)))
    named = "one => one.getAttribute('aria-label') || document.getElementById(one.getAttribute('aria-labelledby'))?.textContent"
    names = page.evaluate(f"[...document.querySelectorAll('section, nav, [role=region]')].map({named})")
    assert len(names) > 15
    assert sorted(names) == sorted(set(names))


def test_a_finger_can_hit_every_control_of_a_phone(report: Path, open_page: Open) -> None:
    page = open_page(report, viewport={"width": 320, "height": 700}, has_touch=True)
    page.evaluate("contents.open = true")
    visible = "[...document.querySelectorAll('button, summary, nav a, select, input')].filter(e => e.checkVisibility())"
    found = page.evaluate(f"{visible}.map(e => e.offsetHeight)")
    assert len(found) > 20
    assert min(found) >= 24  # [px], WCAG 2.2, 2.5.8


def test_the_contents_are_folded_on_a_phone_and_open_beside_a_wide_page(report: Path, open_page: Open) -> None:
    assert not open_page(report, viewport={"width": 390, "height": 700}).evaluate("contents.open")
    assert open_page(report, viewport={"width": 1400, "height": 700}).evaluate("contents.open")


def test_paper_has_the_verdict_and_what_is_folded_on_the_screen(report: Path, open_page: Open) -> None:
    page = open_page(report)
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("nav").is_hidden()
    assert page.get_by_text("regions.kidney.material").is_visible()
    assert page.pdf().startswith(b"%PDF")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("main details[open]").count() == 0


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2.2."""
    parts = (int(colour[at : at + 2], 16) / 255.0 for at in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)  # the largest there is
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)  # a published near miss


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_every_text_colour_stands_out_from_every_ground_it_lies_on(scheme: int) -> None:
    colours = dict(
        re.findall(r"--([\w-]+): (#[0-9a-f]{6})", CSS.split("prefers-color-scheme: dark")[scheme].partition("html")[0])
    )
    pairs = [(text, "paper") for text in TEXT] + [("ink", wash) for wash in WASHES]
    assert {
        pair: contrast(colours[pair[0]], colours[pair[1]])
        for pair in pairs
        if contrast(colours[pair[0]], colours[pair[1]]) < LEAST_CONTRAST
    } == {}
