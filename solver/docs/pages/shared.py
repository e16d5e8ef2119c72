"""Files of the project that the documentation shows as they are."""

from __future__ import annotations

import re

from pages.citations import DOCS

ROOT = DOCS.parents[1]
_PICTURE = re.compile(r"!\[([^\]]*)\]\((pictures/[^)]+)\)")
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:|#)[^)]*\)")


def _body(path: str) -> str:
    """A Markdown file without its title, its links to files as plain words."""
    text = (ROOT / path).read_text(encoding="utf-8")
    return _LINK.sub(r"\1", text.partition("\n")[2])


def cluster() -> str:
    """The cluster kit's own page, without its title."""
    return _body("hpc/README.md")


def recipes() -> str:
    """The recipes with their pictures and parameters."""
    return _PICTURE.sub(r"![\1](/../../meshes/\2)", _body("meshes/README.md"))


def changes() -> str:
    """What has changed, version by version."""
    return _body("CHANGELOG.md")
