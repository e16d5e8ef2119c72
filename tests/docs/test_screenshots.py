"""The screenshots of the documentation are there, small, shown and described."""

from __future__ import annotations

import re
from pathlib import Path

SCREENSHOTS = Path(__file__).parents[2] / "solver" / "docs" / "screenshots"
MOST_BYTES, MOST_IN_ALL = 150_000, 1_500_000
FIGURE = re.compile(r"```\{figure\} \.\./screenshots/(\S+)\.png\n:alt: (.*)\n")


def test_every_screenshot_is_shown_once_and_described(texts: dict[str, str]) -> None:
    shown = [found for text in texts.values() for found in FIGURE.findall(text)]
    assert sorted(name for name, _ in shown) == sorted(file.stem for file in SCREENSHOTS.glob("*.png"))
    assert len(shown) >= 10
    assert all(len(described) > 40 for _, described in shown)


def test_screenshots_are_small_enough_for_a_repository() -> None:
    sizes = [file.stat().st_size for file in SCREENSHOTS.glob("*.png")]
    assert max(sizes) < MOST_BYTES
    assert sum(sizes) < MOST_IN_ALL
