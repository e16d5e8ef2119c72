"""The frozen, strict base of every record, and how its faults are told."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError


class Model(BaseModel):
    """A record that cannot be changed, knows all its keys and refuses NaN."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False, populate_by_name=True)


Record = TypeVar("Record", bound=Model)


def frozen_copy(raw: Any) -> Any:
    """The same TOML data with lists as tuples, as strict records want them."""
    if isinstance(raw, Mapping):
        return {key: frozen_copy(value) for key, value in raw.items()}
    if isinstance(raw, list | tuple):
        return tuple(frozen_copy(value) for value in raw)
    return raw


def nearest(name: str, known: Iterable[str]) -> str:
    """Sentence that names what is allowed and the nearest of it: "did you mean X? known: ..."."""
    known = sorted(known)
    close = difflib.get_close_matches(name.lower(), [k.lower() for k in known], n=1)
    guess = next((k for k in known if close and k.lower() == close[0]), None)
    listed = ", ".join(known[:20]) + (", ..." if len(known) > 20 else "")
    return (f"did you mean {guess}? " if guess else "") + f"known: {listed or 'none'}"


def faults(error: ValidationError, record: type[BaseModel], where: str, raw: Any) -> tuple[str, ...]:
    """One line per fault of a failed validation, each with its key and what is allowed.

    Args:
        record: what was validated.
        where: file, or file and key, that the lines start with.
        raw: the data that failed.
    """
    lines = []
    for item in error.errors(include_url=False):
        key = ".".join(_user_path(item["loc"], raw))
        lines.append(": ".join(filter(None, (where, key, _message(dict(item), record)))))
    return tuple(dict.fromkeys(lines))


def _user_path(location: tuple[int | str, ...], raw: Any) -> list[str]:
    """The parts of a location that a user wrote or left out, without pydantic's names of a union's branches."""
    path, node = [], raw
    for depth, part in enumerate(location):
        inside = part in node if isinstance(node, Mapping) else isinstance(node, tuple) and isinstance(part, int)
        if inside:
            node = node[part]
        if inside or (depth == len(location) - 1 and isinstance(node, Mapping)):
            path.append(str(part))
    return path


def _message(item: dict[str, Any], record: type[BaseModel]) -> str:
    kind, context = item["type"], item.get("ctx", {})
    if kind == "extra_forbidden":
        return f"unknown key; {nearest(str(item['loc'][-1]), _keys(record, item['loc'][:-1]))}"
    if kind == "missing":
        return "missing: this key is required"
    if kind == "union_tag_invalid":
        allowed = [tag.strip().strip("'") for tag in str(context["expected_tags"]).split(",")]
        return f"unknown {context['discriminator']} {context['tag']!r}; {nearest(str(context['tag']), allowed)}"
    if kind == "union_tag_not_found":
        return f"missing: say the {context['discriminator']}"
    if kind == "value_error":
        return str(context["error"])
    found = item["input"]
    return f"{item['msg'][0].lower()}{item['msg'][1:]}" + ("" if isinstance(found, Mapping | tuple) else f"; found {found!r}")


def _keys(record: type[BaseModel], location: tuple[Any, ...]) -> list[str]:
    """Keys allowed at a location, followed through the JSON Schema (references, unions, maps, lists)."""
    schema = record.model_json_schema()
    nodes: list[dict[str, Any]] = [schema]
    for part in location:
        nodes = [child for node in nodes for child in _children(node, part, schema)]
    return sorted({key for node in nodes for full in _expanded(node, schema) for key in full.get("properties", {})})


def _expanded(node: dict[str, Any], schema: dict[str, Any]) -> list[dict[str, Any]]:
    if "$ref" in node:
        return _expanded(schema["$defs"][node["$ref"].rsplit("/", 1)[1]], schema)
    branches = node.get("anyOf", []) + node.get("oneOf", [])
    return [node] + [full for branch in branches for full in _expanded(branch, schema)]


def _children(node: dict[str, Any], part: Any, schema: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    for full in _expanded(node, schema):
        if isinstance(part, int):
            found += [full["items"]] if "items" in full else []
        elif part in full.get("properties", {}):
            found.append(full["properties"][part])
        elif isinstance(full.get("additionalProperties"), dict):
            found.append(full["additionalProperties"])
        elif full.get("properties", {}).get("kind", {}).get("const") == part:
            found.append(full)  # the branch of a union chosen by its tag
    return found or [node]  # a branch of a union that has no tag
