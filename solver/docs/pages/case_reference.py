"""The keys of case files and study files, from the schema that the program checks them by."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from nanowarm.sections import CaseInput
from nanowarm.studies.study_file import StudyInput
from pages.markup import code, plain, table
from pages.schema_records import Record, Schema, allowed, records

_HEADS = ("key", "takes", "if left out", "is")


def page() -> str:
    """Every section of a case file."""
    return _sections(CaseInput)


def study_page() -> str:
    """Every section of a study file."""
    return _sections(StudyInput)


def _sections(record: type[BaseModel]) -> str:
    """A table of the sections, then every record under its path."""
    schema: Schema = record.model_json_schema()
    top = Record(record.__name__, "", schema)
    known = list(records(schema))
    names = {found.name: _title(found) for found in known}
    parts = [_keys(top, names)]
    for section, group in itertools.groupby(known, lambda found: found.path.split(".")[0]):
        members = list(group)
        alone = members[0].path == section and not members[0].kind
        parts.append(f"({members[0].anchor})=\n## {code(section)}\n" if alone else f"## {code(section)}\n")
        parts += [_content(members[0], names)] if alone else []
        parts += [_written(found, names) for found in members[alone:]]
    return "\n".join(parts)


def _title(record: Record) -> str:
    """What other keys call a record."""
    return code(record.kind) if record.kind else f"section {code(record.path)}"


def _written(record: Record, names: Mapping[str, str]) -> str:
    """A record with its keys, under a heading of its own."""
    return f"({record.anchor})=\n### {record.heading}\n\n{_content(record, names)}"


def _content(record: Record, names: Mapping[str, str]) -> str:
    """What a record is, and its keys."""
    return f"{plain(record.about)}\n\n{_keys(record, names)}"


def _keys(record: Record, names: Mapping[str, str]) -> str:
    """The table of the keys of a record."""
    needed = record.schema.get("required", ())
    rows = []
    for key, part in record.schema.get("properties", {}).items():
        if key == "kind":
            continue
        left_out = "**required**" if key in needed else _default(part.get("default"))
        rows.append([code(key), _linked(allowed(part), names), left_out, plain(part["description"])])
    return table(_HEADS, rows) if rows else ""


def _linked(takes: str, names: Mapping[str, str]) -> str:
    """What a key takes, with records called by their kind or path."""
    for name, title in names.items():
        takes = takes.replace(f"[{plain(name)}](", f"[{title}](")
    return takes


def _default(value: Any) -> str:
    """What stands for a key that is left out."""
    if isinstance(value, Mapping):
        return code(f'kind = "{value["kind"]}"') if "kind" in value else ""
    return "" if value in (None, "", []) else code(json.dumps(value))
