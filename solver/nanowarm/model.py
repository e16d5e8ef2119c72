"""The frozen, strict base of every record, and how its faults are told."""

from __future__ import annotations

import difflib
import inspect
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, ValidationError
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

_ARGUMENT = re.compile(r"^ {4}(\w[\w, ]*): (.*(?:\n {8}.*)*)", re.MULTILINE)


class Model(BaseModel):
    """A record that cannot be changed, knows all its keys and refuses NaN."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The JSON Schema of the record, in which every key says what it is: what editors show beside it."""
        schema = handler(core)
        own = handler.resolve_ref_schema(schema)
        own["description"] = inspect.cleandoc(cls.__doc__ or "").split("\n\nArgs:")[0]
        meanings = cls._meanings()
        for key, part in own.get("properties", {}).items():
            if key in meanings:
                part["description"] = meanings[key]
        return schema

    @classmethod
    def _meanings(cls) -> dict[str, str]:
        """What each key is, as the record's docstring says, or that of the record which it has the key from."""
        found: dict[str, str] = {}
        for record in cls.__mro__:
            for names, told in _ARGUMENT.findall(inspect.cleandoc(record.__doc__ or "").partition("Args:")[2]):
                for name in names.split(","):
                    found.setdefault(name.strip(), " ".join(told.split()))
        return found


Location = tuple[int | str, ...]

_BARE_KEY = re.compile(r"[\w-]+")
_LONGEST = 200  # characters of a wrong value that are repeated to its writer

# What pydantic calls a fault of type, and what a writer of TOML calls what should be there.
_WANTED = {
    "string_type": 'text in quotes, "..."',
    "int_type": "a whole number without quotes",
    "int_parsing": "a whole number without quotes",
    "int_from_float": "a whole number without quotes",
    "float_type": "a number without quotes",
    "float_parsing": "a number without quotes",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "tuple_type": "a list, [ ... ]",
    "model_type": "a section of keys, [...] or { ... }",
    "model_attributes_type": "a section of keys, [...] or { ... }",
    "mapping_type": "a section of keys, [...] or { ... }",
    "dict_type": "a section of keys, [...] or { ... }",
}
_BOUNDS = {
    "greater_than": ("above", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("below", "lt"),
    "less_than_equal": ("at most", "le"),
}


def check_table(at: Sequence[float], values: Sequence[Any], places: str, entries: str = "values") -> None:
    """Refuse a table whose rows don't match or are not in order.

    Args:
        at: abscissae.
        values: ordinates.
        places, entries: what the two hold, for the message.

    Raises:
        ValueError: saying which.
    """
    if len(at) != len(values):
        raise ValueError(f"`at` has {len(at)} {places} and `values` {len(values)} {entries}: give as many")
    if any(late <= early for early, late in itertools.pairwise(at)):
        raise ValueError(f"the {places} of `at` must increase strictly")


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


def shown(value: Any) -> str:
    """A user's value in a message: as in TOML, and not too long."""
    if isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, Mapping):
        text = "a section of keys"
    elif isinstance(value, tuple | list):
        text = "a list"
    else:
        text = f'"{value}"' if isinstance(value, str) else str(value)
    return shortened(text)


def shortened(text: str) -> str:
    """A text of which a message repeats no more than a line."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def joined_key(*parts: int | str) -> str:
    """The path of a key as TOML writes it: parts with dots between, in quotes where they aren't bare."""
    return ".".join(str(part) if _BARE_KEY.fullmatch(str(part)) else f'"{part}"' for part in parts)


def faults(error: ValidationError, record: type[BaseModel], where: str, raw: Any, at: Location = ()) -> list[str]:
    """One line per fault of a failed validation, each with its key and what is allowed.

    Args:
        record: what was validated.
        where: the file.
        raw: the data that failed.
        at: path of that data in the file.
    """
    told: dict[Location, list[dict[str, Any]]] = {}
    for item in error.errors(include_url=False):
        told.setdefault(_user_path(item["type"], item["loc"], raw), []).append(dict(item))
    inner = [path for path in told if path]
    lines = []
    for path, items in told.items():
        # a list that is empty because its items failed, or text where a section failed inside: the inner fault says it
        whole = any(other != path and other[: len(path)] == path for other in inner)
        kept = [item for item in items if not (whole and (item["type"] in _WANTED or item["type"] == "too_short"))]
        if kept:
            lines.append(": ".join(filter(None, (where, joined_key(*at, *path), _told(kept, record)))))
    return lines


def _user_path(kind: str, location: Location, raw: Any) -> Location:
    """The parts of a location that a user wrote or left out, without pydantic's names of a union's branches."""
    path: list[int | str] = []
    node = raw
    for depth, part in enumerate(location):
        last = depth == len(location) - 1
        if isinstance(node, Mapping) and part in node:
            path.append(part)
            node = node[part]
        elif isinstance(node, tuple) and isinstance(part, int) and part < len(node):
            node = node[part]
            name = node.get("name") if isinstance(node, Mapping) else None
            path.append(name if name and isinstance(name, str) else part)
        elif last and kind == "missing" and isinstance(part, str):
            path.append(part)
    return (*path, "kind") if kind.startswith("union_tag") else tuple(path)


def _told(items: list[dict[str, Any]], record: type[BaseModel]) -> str:
    """The faults of one value in a sentence; several branches of a union say what each of them wants."""
    wanted = list(dict.fromkeys(text for item in items if (text := _wanted(item))))
    others = list(dict.fromkeys(_message(item, record) for item in items if not _wanted(item)))
    if others and wanted:
        return f"{others[0]}; also allowed: {' or '.join(wanted)}"
    return "; ".join(others) or f"must be {' or '.join(wanted)}; found {shown(items[0]['input'])}"


def _wanted(item: dict[str, Any]) -> str | None:
    if item["type"] == "literal_error":
        return str(item["ctx"]["expected"]).replace("'", '"')
    return _WANTED.get(item["type"])


def _message(item: dict[str, Any], record: type[BaseModel]) -> str:
    kind, context = item["type"], item.get("ctx", {})
    if kind == "extra_forbidden":
        return f"unknown key; {nearest(str(item['loc'][-1]), _keys(record, item['loc'][:-1]))}"
    if kind == "missing":
        length = len(item["input"]) if isinstance(item["input"], tuple) else None
        return "missing: this key is required" if length is None else f"too short: found a list of {length}"
    if kind == "union_tag_invalid":
        allowed = [tag.strip().strip("'") for tag in str(context["expected_tags"]).split(",")]
        return f'no kind "{context["tag"]}"; {nearest(str(context["tag"]), allowed)}'
    if kind == "union_tag_not_found":
        return "missing: this key is required"
    if kind == "value_error":
        return str(context["error"])
    if kind in _BOUNDS:
        word, key = _BOUNDS[kind]
        return f"must be {word} {context[key]:g}; found {shown(item['input'])}"
    if kind == "too_long":
        return f"must be a list of {context['max_length']}; found one of {len(item['input'])}"
    if kind == "string_too_short":
        return "must not be empty"
    return f"{item['msg'][0].lower()}{item['msg'][1:]}; found {shown(item['input'])}"


def _keys(record: type[BaseModel], location: Location) -> list[str]:
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
