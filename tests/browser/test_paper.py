"""Reports on paper: what is read out of the PDF that a browser prints."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nanowarm.results.markup import LONGEST_TITLE, css_string
from nanowarm.results.report import write_report
from nanowarm.studies.study_report import write_study_report

Open = Callable[..., Any]

TITLE = 'Two cubes, "quoted" \\ </style><b>bold</b> & warmed'


def sheets(page: Any) -> list[str]:
    """Text of every page of the PDF, blanks as single ones."""
    pypdf = pytest.importorskip("pypdf", reason="pypdf is not installed")
    printed = page.pdf(format="A4", prefer_css_page_size=True)
    return [" ".join(sheet.extract_text().split()) for sheet in pypdf.PdfReader(io.BytesIO(printed)).pages]


@pytest.fixture(scope="module")
def printed(field_run: Callable[..., Path], open_page: Open) -> list[str]:
    """The pages of a report whose table of inputs is longer than one."""
    folder = field_run(title=TITLE)
    record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    row = {
        "of": "VS55",
        "what": "density",
        "value": "1058 kg/m^3",
        "source": "a book",
        "quality": "estimate",
        "spread": "3 %",
        "note": "",
    }
    record["inputs"] = [row | {"of": f"material {number}"} for number in range(90)]
    (folder / "record.json").write_text(json.dumps(record), encoding="utf-8")
    return sheets(open_page(write_report(folder)))


def test_the_first_sheet_has_the_verdict_and_every_sheet_its_number(printed: list[str]) -> None:
    assert "Missed: " in printed[0]
    assert [f"{number} / {len(printed)}" in text for number, text in enumerate(printed, 1)] == [True] * len(printed)


def test_the_title_is_in_the_margin_of_all_sheets_but_the_first_as_it_was_written(printed: list[str]) -> None:
    assert printed[0].count(TITLE) == 1  # the heading of the page
    assert all(text.startswith(TITLE) for text in printed[1:])


def test_a_table_that_goes_on_has_its_heads_again(printed: list[str]) -> None:
    long = [text for text in printed if text.count("a book") > 20]
    assert len(long) > 1
    assert all("Of What Value Quality Spread Source" in text for text in long)


def test_no_sheet_is_empty(printed: list[str]) -> None:
    assert min(len(text) for text in printed) > 150  # title, number and remark in the margins are shorter


@pytest.mark.slow
def test_a_study_prints_its_answer_all_its_runs_and_its_file(tmp_path: Path, study_folder: Any, open_page: Open) -> None:
    lines = [{"run": n, "a": n, "verdict": "met", "folder": "", "error": ""} for n in range(1, 81)]
    folder = study_folder(tmp_path / "s", lines, title=TITLE, list=[{"a": line["a"]} for line in lines])
    texts = sheets(open_page(write_study_report(folder)))
    assert all(text.startswith(TITLE) for text in texts[1:])
    assert f"{len(texts)} / {len(texts)}" in texts[-1]
    assert any("schema = 1" in text for text in texts)
    assert sum(text.count("! failed") for text in texts) == len(lines)  # their folders hold no summary


def test_a_long_title_is_cut_to_one_line_of_the_margin() -> None:
    assert css_string("a" * LONGEST_TITLE) == f'"{"a" * LONGEST_TITLE}"'
    assert css_string("a\n" * LONGEST_TITLE) == '"' + "a " * (LONGEST_TITLE // 2 - 1) + 'a\\2026 "'


@pytest.mark.parametrize("text", ['"', "\\", "</style>", "\n}", "\u2028"])
def test_no_text_ends_the_string_of_the_style_sheet(text: str) -> None:
    inside = str(css_string(f"a{text}b"))[1:-1]
    assert not set(inside) & set('"<>\n}\u2028')
    assert inside.replace("\\", "").isascii()
