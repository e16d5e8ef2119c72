"""The documentation as a reader sees it, from the disk; the fixture fails on console errors and on requests to elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow  # many pages in a real browser

Open = Callable[..., Any]


def test_every_page_opens_without_a_complaint_and_a_phone_scrolls_it_downwards_only(site: Path, open_page: Open) -> None:
    page = open_page(site / "index.html", viewport={"width": 375, "height": 700})
    files = sorted(site.rglob("*.html"))
    assert len(files) > 30
    wide = []
    for file in files:
        page.goto(file.absolute().as_uri())
        if page.evaluate("document.documentElement.scrollWidth") > 375:
            wide.append(file.name)
    assert not wide


def test_search_finds_a_page_without_a_network(site: Path, open_page: Open) -> None:
    page = open_page(site / "search.html")
    page.goto(f"{(site / 'search.html').absolute().as_uri()}?q=magnetite")
    page.locator("#search-results li a").first.wait_for()
    found = page.locator("#search-results li a").all_text_contents()
    assert "Wrong results: what to look at first" in found


def test_a_click_on_a_head_sorts_a_table_by_numbers_and_another_turns_it_round(site: Path, open_page: Open) -> None:
    page = open_page(site / "book" / "verification.html")
    table = page.locator("table.sortable").first
    head = table.locator("th button", has_text="tetrahedra")

    def column() -> list[int]:
        return [int(text) for text in table.locator("tbody td:nth-child(2)").all_text_contents()]

    head.click()
    assert column() == sorted(column())
    assert table.locator("th[aria-sort=ascending]").text_content() == "tetrahedra"
    head.click()
    assert column() == sorted(column(), reverse=True)
    assert len(set(column())) == 3


def test_a_fraction_is_drawn_as_a_fraction(site: Path, open_page: Open) -> None:
    page = open_page(site / "theory" / "particles.html")
    over, under = page.locator("mfrac").first.locator(":scope > *").all()
    assert over.bounding_box()["y"] + over.bounding_box()["height"] <= under.bounding_box()["y"] + 2.0  # [px]
    assert page.locator("text=/\\\\frac|\\\\mathrm/").count() == 0


def test_every_picture_is_there(site: Path, open_page: Open) -> None:
    page = open_page(site / "gallery.html")
    assert page.locator("article img").count() > 15
    for image in page.locator("article img").all():
        image.scroll_into_view_if_needed()
        assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") > 300


def test_what_scrolls_sideways_can_be_reached_by_key_and_every_heading_has_a_level(site: Path, open_page: Open) -> None:
    page = open_page(site / "guide" / "results.html", viewport={"width": 390, "height": 700})
    scrolled = "[...document.querySelectorAll('.highlight pre, .table-wrapper')].filter(e => e.scrollWidth > e.clientWidth)"
    assert page.evaluate(f"{scrolled}.length") > 0
    assert page.evaluate(f"{scrolled}.every(e => e.tabIndex === 0)")
    assert page.evaluate("[...document.querySelectorAll('[role=heading]')].every(e => Number(e.ariaLevel) === 2)")


def test_no_button_is_without_a_name(site: Path, open_page: Open) -> None:
    page = open_page(site / "gallery.html")
    names = page.locator("article button").all_text_contents()
    assert len(names) > 50
    assert all(name.strip() for name in names)
