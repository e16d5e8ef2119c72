"""Sources: a page of all that are cited, and the role `cite` that links to them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx import addnodes
from sphinx.util.docutils import SphinxRole

from pages.markup import plain

if TYPE_CHECKING:
    from sphinx.application import Sphinx

DOCS = Path(__file__).parents[1]
FILES = (DOCS.parent / "nanowarm" / "library" / "citations.bib", DOCS / "theory" / "sources.bib")
_ENTRY = re.compile(r"@\w+\{\s*([^,\s]+)\s*,(.*?)\n\}", re.DOTALL)
_FIELD = re.compile(r"(\w+)\s*=\s*\{((?:[^{}]|\{[^{}]*\})*)\}")


@dataclass(frozen=True)
class Source:
    """An entry of a BibTeX file.

    Args:
        key: that it is cited by.
        fields: text by name, without braces.
    """

    key: str
    fields: dict[str, str]

    def short(self) -> str:
        """First author and year, as a text cites it."""
        authors = self.fields.get("author", self.key).split(" and ")
        names = [name.split(",")[0].strip() for name in authors if name != "others"]
        who = (
            names[0]
            if len(authors) == 1
            else " & ".join(names[:2])
            if len(authors) == 2 and len(names) == 2
            else f"{names[0]} et al."
        )
        return f"{who} {self.fields.get('year', '')}".strip()

    def long(self) -> str:
        """The whole entry in a line of Markdown."""
        said = [
            plain(self.fields.get(name, ""))
            for name in ("author", "title", "journal", "booktitle", "publisher", "volume", "pages")
        ]
        words = ". ".join(part.removesuffix(".") for part in said if part)
        link = f" [doi:{plain(self.fields['doi'])}](https://doi.org/{self.fields['doi']})" if "doi" in self.fields else ""
        note = f" *{plain(self.fields['note'])}.*" if "note" in self.fields else ""
        return f"{words}. {self.fields.get('year', '')}.{link}{note}"


def sources() -> dict[str, Source]:
    """All entries of the library and of the theory by key, the library's first."""
    found: dict[str, Source] = {}
    for file in FILES:
        for key, body in _ENTRY.findall(file.read_text(encoding="utf-8")):
            fields = {name.lower(): text.replace("{", "").replace("}", "") for name, text in _FIELD.findall(body)}
            found.setdefault(key, Source(key, fields))
    return found


def page() -> str:
    """The list of all sources, each with the anchor that citations lead to."""
    ordered = sorted(sources().values(), key=lambda source: source.short().lower())
    return "\n".join(
        f"(cite-{source.key.lower()})=\n**{plain(source.short())}** ({source.key}). {source.long()}\n" for source in ordered
    )


class Cite(SphinxRole):
    """The links of one or several keys; an unknown key is an error of the build."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """What stands in the text, and what is wrong."""
        known = sources()
        found: list[nodes.Node] = []
        told: list[nodes.system_message] = []
        for key in (part.strip() for part in self.text.split(",")):
            if key not in known:
                files = " or ".join(file.name for file in FILES)
                told.append(self.inliner.reporter.error(f"no source {key!r} in {files}", line=self.lineno))
                continue
            found += [nodes.Text("; ")] if found else []
            link = addnodes.pending_xref(
                "", refdomain="std", reftype="ref", reftarget=f"cite-{key.lower()}", refexplicit=True, refwarn=True
            )
            link += nodes.inline("", known[key].short(), classes=["std", "std-ref"])
            found.append(link)
        return found, told


def linked(text: str) -> str:
    """A text of the library as Markdown, with its citation keys as links."""
    keys = "|".join(sorted(sources(), key=len, reverse=True))
    return re.sub(rf"(?<![\w-])({keys})(?![\w-])", r"{cite}`\1`", plain(text))


def setup(application: Sphinx) -> dict[str, bool]:
    """What Sphinx calls to take up the role."""
    application.add_role("cite", Cite())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
