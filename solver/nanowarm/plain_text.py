"""Text of users, shown as text: what would steer a terminal or turn the line around is written out."""

from __future__ import annotations

import unicodedata

_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")  # Unicode's categories: control, format, surrogate, private, separators
_KEPT = "\n\t\u200c\u200d"  # the last two join letters, and parts of emoji


def visible(text: str) -> str:
    r"""A text in which control characters, escapes and turns of direction stand as `\x1b`, `\u202e`, ...

    >>> visible("red\x1b[31m")
    'red\\x1b[31m'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(letter) for letter in text)


def one_line(text: str, longest: int) -> str:
    """A text on one line, cut off where it is longer than some characters."""
    line = " ".join(visible(text).split())
    return line if len(line) <= longest else f"{line[: longest - 1]}\u2026"


def _shown(letter: str) -> str:
    """A letter, or how it is written where it can't be seen."""
    if letter in _KEPT or unicodedata.category(letter) not in _HIDDEN:
        return letter
    return letter.encode("unicode_escape").decode("ascii")
