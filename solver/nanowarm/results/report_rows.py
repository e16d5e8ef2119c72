"""The rows of a report's tables."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from nanowarm.results.mesh_evidence import discretisation
from nanowarm.results.report_charts import window
from nanowarm.results.report_files import RunFiles
from nanowarm.results.sentences import asked_limit, is_upper, number_text, readable

Row = Mapping[str, Any]

_ENTRY = re.compile(r"@\w+\{([^,]+),(.*?)\n\}", re.DOTALL)
_ACCENTS = {'"': "\u0308", "'": "\u0301", "`": "\u0300", "^": "\u0302", "~": "\u0303"}  # combining signs
_ACCENT = re.compile(r"""\\(["'`^~])\{?([A-Za-z])\}?""")
_FIELD = re.compile(r"(\w+) = \{((?:[^{}]|\{[^{}]*\})*)\}")


def flat(tree: Row, digits: int = 6, above: str = "") -> list[tuple[str, str]]:
    """Every value of a tree of tables with its dotted key; numbers to some significant digits."""
    rows: list[tuple[str, str]] = []
    for key, value in tree.items():
        named = f"{above}{key}"
        if isinstance(value, Mapping):
            rows += flat(value, digits, f"{named}.")
        elif isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
            for number, item in enumerate(value, 1):
                rows += flat(item, digits, f"{named}[{number}].")
        else:
            items = value if isinstance(value, list) else [value]
            texts = [number_text(item, digits) if isinstance(item, float) else readable(item) for item in items]
            rows.append((named, ", ".join(texts)))
    return rows


def criteria_rows(files: RunFiles, limits: list[dict[str, Any]]) -> list[Row]:
    """Every criterion as shown, that which limits the run first."""
    rooms = {row["criterion"]: row for row in limits}
    order = list(rooms) or range(len(files.summary["criteria"]))
    return [_criterion(files, number, rooms.get(number, {})) for number in order]


def _criterion(files: RunFiles, number: int, room: Row) -> Row:
    """A criterion's entry with what its limit is called, its room and, for a rate, its window [degC]."""
    row = _in_percent(files.summary["criteria"][number])
    asked = files.case.get("criteria", [])
    own = window(files, asked[number]) if number < len(asked) and "rate" in row["kind"] else None
    more = {"what": room.get("what"), "room": room.get("room"), "by_mesh": discretisation(files.summary, number)}
    return {**row, **more, "asked": asked_limit(number, files.case), "window": own, "upper": is_upper(row)}


def _in_percent(row: Row) -> Row:
    """A criterion's entry; one about a part of a whole with its numbers in percent, as people give parts."""
    if row["kind"] != "ice" and row["unit"] != "of the volume":
        return row
    told = ("value", "limit", "worst") if row["kind"] == "ice" else ("value", "limit")
    parts = {key: 100.0 * row[key] for key in told if row.get(key) is not None}
    return {**row, **parts, "unit": f"% {row['unit']}"}


def citation_rows(text: str) -> list[Row]:
    """Key, authors, title, where and DOI of every BibTeX entry of a run's `citations.bib`."""
    found: list[Row] = []
    for match in _ENTRY.finditer(text):
        fields = {name: _plain(value) for name, value in _FIELD.findall(match[2])}
        fields["author"] = fields.get("author", "").replace(" and others", " et al.").replace(" and ", "; ")
        place = fields.get("journal") or fields.get("howpublished") or fields.get("publisher") or ""
        where = " ".join(
            part for part in (place, fields.get("volume", ""), f"({fields['year']})" if "year" in fields else "") if part
        )
        pages = f": {fields['pages']}" if fields.get("pages") else ""
        found.append(
            {
                "key": match[1],
                **{name: fields.get(name, "") for name in ("author", "title", "doi", "note")},
                "where": where + pages,
            }
        )
    return found


def _plain(text: str) -> str:
    """BibTeX text as people read it: accents on their letters, dashes as dashes, no braces."""
    spelled = _ACCENT.sub(lambda found: unicodedata.normalize("NFC", found[2] + _ACCENTS[found[1]]), text)
    return " ".join(spelled.replace("{", "").replace("}", "").replace("\\&", "&").replace("--", "–").split())


def declared(case: Row) -> list[tuple[str, str]]:
    """What the case file says, without what it leaves empty."""
    return [(key, text) for key, text in flat(case) if text != ""]
