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
from pages.schema_records import Record, Schema, allowed, records, reference

_HEADS = ("key", "takes", "if left out", "is")
# What keys are that say nothing by themselves, as the name of their record says it.
_PLAIN_KEYS = {
    "ambient": "temperature of the surroundings",
    "at_least": "least that is allowed",
    "at_most": "most that is allowed",
    "boundaries": "surfaces that are otherwise for the time of the stage",
    "coefficient": "heat transfer coefficient",
    "emissivity": "of the surface, from 0 to 1",
    "every": "wall time between two checkpoints",
    "field": "what is otherwise for the time of the stage",
    "image": "file of the image; relative to the case file",
    "iron": "how it is distributed",
    "list": "one run for each table of values",
    "loops": "the turns",
    "material": "library name, path of a TOML file, or a mixture",
    "mix": "share of the volume by material; the shares add up to 1",
    "name": "by which it is called",
    "of": "tissue whose blood flow it is, or quantity that voxels hold",
    "offset": "added to slope times the value of the voxel",
    "particles": "particles in it",
    "region": "region of the mesh that is looked at",
    "schema": "version of the format",
    "sensor": "what is measured, such as tumour.hottest",
    "slope": "per unit of the value of the voxel",
    "temperature": "everywhere, at the start",
    "title": "what it is about, for its readers",
    "value": "what is given, constant or over time",
}


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
    abouts = {found.name: found.about() for found in known}
    parts = [_keys(top, names, abouts)]
    for section, group in itertools.groupby(known, lambda found: found.path.split(".")[0]):
        members = list(group)
        alone = members[0].path == section and not members[0].kind
        parts.append(f"({members[0].anchor})=\n## {code(section)}\n" if alone else f"## {code(section)}\n")
        parts += [_content(members[0], names, abouts)] if alone else []
        parts += [_written(found, names, abouts) for found in members[alone:]]
    return "\n".join(parts)


def _title(record: Record) -> str:
    """What other keys call a record."""
    return code(record.kind) if record.kind else f"section {code(record.path)}"


def _written(record: Record, names: Mapping[str, str], abouts: Mapping[str, str]) -> str:
    """A record with its keys, under a heading of its own."""
    return f"({record.anchor})=\n### {record.heading}\n\n{_content(record, names, abouts)}"


def _content(record: Record, names: Mapping[str, str], abouts: Mapping[str, str]) -> str:
    """What a record is, and its keys."""
    return f"{plain(record.about())}\n\n{_keys(record, names, abouts)}"


def _keys(record: Record, names: Mapping[str, str], abouts: Mapping[str, str]) -> str:
    """The table of the keys of a record."""
    meanings, needed = record.meanings(), record.schema.get("required", ())
    rows = []
    for key, part in record.schema.get("properties", {}).items():
        if key == "kind":
            continue
        left_out = "**required**" if key in needed else _default(part.get("default"))
        rows.append([code(key), _linked(allowed(part), names), left_out, plain(_meaning(key, part, meanings, abouts))])
    return table(_HEADS, rows) if rows else ""


def _linked(takes: str, names: Mapping[str, str]) -> str:
    """What a key takes, with records called by their kind or path."""
    for name, title in names.items():
        takes = takes.replace(f"[{plain(name)}](", f"[{title}](")
    return takes


def _meaning(key: str, part: Schema, meanings: Mapping[str, str], abouts: Mapping[str, str]) -> str:
    """What a key is: as its record says, as the record that it leads to says, or as its name says."""
    own = abouts.get(reference(part) or "", str(part.get("description", "")))
    return meanings.get(key) or ("" if own.startswith("a number with a unit") else own) or _PLAIN_KEYS.get(key, "")


def _default(value: Any) -> str:
    """What stands for a key that is left out."""
    if isinstance(value, Mapping):
        return code(f'kind = "{value["kind"]}"') if "kind" in value else ""
    return "" if value in (None, "", []) else code(json.dumps(value))
