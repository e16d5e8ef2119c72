"""What axe-core finds in the pages: https://github.com/dequelabs/axe-core, rules of WCAG 2.2 and good practice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nanowarm.results.report import write_report
from nanowarm.studies.study_report import write_study_report

pytestmark = pytest.mark.slow  # all rules on whole pages

Open = Callable[..., Any]

LOOKS = [{}, {"color_scheme": "dark"}, {"viewport": {"width": 320, "height": 700}, "has_touch": True}]
OPTIONS = {"resultTypes": ["violations"], "preload": False}  # it would fetch style sheets, which a page on a disk may not
NAMES = ["light", "dark", "phone"]


def violations(page: Any) -> list[str]:
    """Rules that a page breaks, each with the first place."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed").Axe()
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in axe.run(page, options=OPTIONS).response["violations"]]


@pytest.mark.parametrize("look", LOOKS, ids=NAMES)
def test_a_report_breaks_no_rule(field_run: Callable[..., Path], open_page: Open, look: dict[str, Any]) -> None:
    page = open_page(write_report(field_run()), **look)
    page.locator("#view-root").scroll_into_view_if_needed()
    page.wait_for_selector("#view-root[data-ready=yes]")
    page.evaluate("for (const folded of document.querySelectorAll('details')) folded.open = true")
    assert violations(page) == []


@pytest.mark.parametrize("look", LOOKS, ids=NAMES)
def test_the_report_of_a_study_breaks_no_rule(tmp_path: Path, study_folder: Any, open_page: Open, look: dict[str, Any]) -> None:
    lines = [{"run": n, "a": n, "verdict": ("met", "missed")[n % 2], "folder": "", "error": ""} for n in range(1, 21)]
    folder = study_folder(tmp_path / "s", lines, title="Twenty runs", list=[{"a": line["a"]} for line in lines])
    assert violations(open_page(write_study_report(folder), **look)) == []


@pytest.mark.parametrize("look", LOOKS, ids=NAMES)
@pytest.mark.parametrize("name", ["index", "guide/results", "gallery", "reference/case-file"])
def test_the_documentation_breaks_no_rule(site: Path, open_page: Open, name: str, look: dict[str, Any]) -> None:
    assert violations(open_page(site / f"{name}.html", **look)) == []
