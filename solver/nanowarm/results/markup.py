"""Texts as markup of a page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markupsafe import Markup

LONGEST_TITLE = 90  # letters that fit into one line of the margin of a printed page


def css_string(text: str) -> Markup:
    """A text as a string of a style sheet, shortened to one line; whatever it holds, it ends neither string nor sheet.

    Args:
        text: any.
    """
    from markupsafe import Markup

    line = " ".join(text.split())
    short = line if len(line) <= LONGEST_TITLE else f"{line[: LONGEST_TITLE - 1]}…"
    safe = "".join(letter if letter.isalnum() or letter == " " else f"\\{ord(letter):x} " for letter in short)
    return Markup(f'"{safe}"')


def coded(text: str) -> Markup:
    """A text as markup, what stands between backticks set as code."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"`([^`]*)`", r"<code>\1</code>", str(escape(text))))


def breakable(label: str) -> Markup:
    """A text whose long keys may be divided behind their dots."""
    from markupsafe import Markup, escape

    return Markup("<wbr>").join(escape(part) for part in re.split(r"(?<=\.)(?=[^\d\s])", label))
