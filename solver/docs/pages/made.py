"""Marks in the texts, `<!-- made: NAME -->`, that a build replaces by what is made from the program itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from pages import book, case_reference, citations, command_reference, gallery, library_reference, shared

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

MADE: dict[str, Callable[[], str]] = {
    "case reference": case_reference.page,
    "study reference": case_reference.study_page,
    "command reference": command_reference.page,
    "materials": library_reference.materials,
    "particles": library_reference.particles,
    "coils": library_reference.coils,
    "damage sets": library_reference.damage_sets,
    "sources": citations.page,
    "verification": book.verification,
    "validation": book.validation,
    "made with": book.made_with,
    "gallery": gallery.page,
    "cluster": shared.cluster,
    "recipes": shared.recipes,
    "changes": shared.changes,
}
_MARK = re.compile(r"<!-- made: ([a-z ]+) -->")


def fill(application: Sphinx, document: str, content: list[str]) -> None:
    """Replace the marks of a text.

    Raises:
        KeyError: there is nothing of that name.
    """
    content[0] = _MARK.sub(lambda mark: MADE[mark[1]](), content[0])


def made_anew(application: Sphinx, environment: BuildEnvironment, *documents: set[str]) -> list[str]:
    """The documents with marks: what they are made of may have changed, even where their texts have not."""
    return [name for name in environment.found_docs if _MARK.search(environment.doc2path(name).read_text(encoding="utf-8"))]


def setup(application: Sphinx) -> dict[str, bool]:
    """What Sphinx calls to take up the marks."""
    application.connect("source-read", fill)
    application.connect("env-get-outdated", made_anew)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
