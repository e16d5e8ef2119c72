"""The gallery: what each shipped case asks, a picture of its end, and what it ended with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pages.book import VERDICTS, entries, number
from pages.citations import DOCS
from pages.markup import code, plain, table


def page() -> str:
    """Every case that the book has carried through."""
    return "\n".join(_case(case) for case in entries("cases"))


def _case(case: Mapping[str, Any]) -> str:
    """A case with its picture and its criteria."""
    name = case["name"]
    picture = f"![{plain(case['title'])}: temperature at the end, cut open](/gallery/{name}.png)\n\n" if _drawn(name) else ""
    rows = [
        [
            plain(c["kind"]),
            code(c["region"]),
            number(c["limit"], c["unit"]),
            number(c["value"], c["unit"]),
            VERDICTS[c["outcome"]],
        ]
        for c in case["criteria"]
    ]
    run = f"```console\n$ nanowarm run cases/{name}.toml\n```\n\n"
    criteria = table(("criterion", "region", "asked", "found", "outcome"), rows)
    return f"## {plain(name)}\n\n{plain(case['title'])}: **{case['verdict']}**.\n\n{picture}{run}{criteria}"


def _drawn(name: str) -> bool:
    """Whether there is a picture of a case."""
    return (DOCS / "gallery" / f"{name}.png").is_file()
