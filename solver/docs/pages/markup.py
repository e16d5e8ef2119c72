"""Pieces of Markdown that the made pages share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|$~^@])")
_KEY_TEXT = re.compile(r"\s+")


def plain(text: str) -> str:
    """A text that Markdown shows as it is, in one line."""
    return _SPECIAL.sub(r"\\\1", _KEY_TEXT.sub(" ", text).strip())


def code(text: str) -> str:
    """A text in the type of code, also within a table."""
    return f"`{text}`".replace("|", "\\|")


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table that a reader can sort; cells are Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "{.sortable}\n" + "\n".join(f"| {' | '.join(cell.replace(chr(10), ' ') for cell in line)} |" for line in lines) + "\n"
