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
