"""Records of a JSON Schema, in the order and by the paths in which a file has them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pages.markup import code, plain

Schema = Mapping[str, Any]
_NUMBER = re.compile(r"[+-]?\d")
_REFERENCE = "#/$defs/"


@dataclass(frozen=True)
class Record:
    """A section of a file, or one of its kinds.

    Args:
        name: of the record in the schema.
        path: of the section in the file, such as regions.NAME.
        schema: its own part of the schema.
    """

    name: str
    path: str
    schema: Schema

    @property
    def kind(self) -> str | None:
        """What its key `kind` says, where it is one of several."""
        found = self.schema.get("properties", {}).get("kind", {}).get("const")
        return None if found is None else str(found)

    @property
    def anchor(self) -> str:
        """Name by which other pages link to it."""
        return f"record-{self.name.lower()}"

    @property
    def heading(self) -> str:
        """Its path, and its kind where it is one of several."""
        return code(self.path) + (f", kind {code(self.kind)}" if self.kind else "")

    @property
    def about(self) -> str:
        """What it is."""
        return str(self.schema.get("description", ""))


def records(schema: Schema) -> Iterator[Record]:
    """Every record below the top, each once, section by section."""
    seen: set[str] = set()
    for key, part in schema["properties"].items():
        yield from _below(schema, part, key, seen)


def _below(schema: Schema, part: Schema, path: str, seen: set[str]) -> Iterator[Record]:
    """The records that a part of a schema leads to, depth first."""
    if "$ref" in part:
        name = part["$ref"].removeprefix(_REFERENCE)
        if name not in seen:
            seen.add(name)
            record = Record(name, path, schema["$defs"][name])
            yield record
            for key, inner in record.schema.get("properties", {}).items():
                yield from _below(schema, inner, f"{path}.{key}", seen)
    for branch in (*part.get("anyOf", ()), *part.get("oneOf", ())):
        yield from _below(schema, branch, path, seen)
    if isinstance(part.get("additionalProperties"), Mapping):
        yield from _below(schema, part["additionalProperties"], f"{path}.NAME", seen)
    if isinstance(part.get("items"), Mapping):
        yield from _below(schema, part["items"], path, seen)


def allowed(part: Schema) -> str:
    """What a key takes, in Markdown."""
    if "$ref" in part:
        name = part["$ref"].removeprefix(_REFERENCE)
        return f"[{plain(name)}](#record-{name.lower()})"
    branches = [branch for branch in (*part.get("anyOf", ()), *part.get("oneOf", ())) if branch.get("type") != "null"]
    if branches:
        return " or ".join(dict.fromkeys(map(allowed, branches)))
    if "enum" in part or "const" in part:
        return ", ".join(
            code(f'"{choice}"' if isinstance(choice, str) else str(choice)) for choice in part.get("enum", [part.get("const")])
        )
    if "program" in part.get("properties", {}):
        return "program `{ from, program }`"
    if part.get("properties"):
        return f"table over time {code('{ ' + ', '.join(part['properties']) + ' }')}"
    return _simple(part)


def _simple(part: Schema) -> str:
    """What a key takes that has one type."""
    if part.get("type") == "array":
        if "prefixItems" in part:
            return f"list of {len(part['prefixItems'])}: {allowed(part['prefixItems'][0])}"
        return f"list of {allowed(part['items'])}" if isinstance(part.get("items"), Mapping) else "list"
    if part.get("type") == "object":
        inner = part.get("additionalProperties")
        return f"`{{ NAME = … }}` of {allowed(inner)}" if isinstance(inner, Mapping) else "section of keys"
    if "examples" in part:
        return f"{'value with unit' if _NUMBER.match(part['examples'][0]) else 'text'}, e.g. {code(part['examples'][0])}"
    words = {"string": "text", "integer": "whole number", "number": "number", "boolean": "`true` or `false`"}
    return words.get(part.get("type", ""), plain(part.get("description", "any value"))) + _bounds(part)


def _bounds(part: Schema) -> str:
    """Where a number may lie."""
    said = {"exclusiveMinimum": "above", "minimum": "at least", "exclusiveMaximum": "below", "maximum": "at most"}
    words = [f"{word} {part[key]:g}" for key, word in said.items() if key in part]
    return f" {', '.join(words)}" if words else ""
