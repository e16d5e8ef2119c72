"""Values of a case file replaced from the command line: `--set key=value`."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from typing import Any

from nanowarm.errors import CaseError

_EXAMPLE = 'write key=value, e.g. "field.amplitude=20 kA/m"'


def apply_overrides(raw: dict[str, Any], overrides: Sequence[str]) -> None:
    """Replace values of TOML data in place.

    Args:
        raw: content of a case file.
        overrides: texts "key=value"; a number or a name in the key chooses an item of a list.

    Raises:
        CaseError: one line per text that can't be used.
    """
    faults: list[str] = []
    for override in overrides:
        try:
            _apply(raw, override)
        except ValueError as error:
            faults.append(f"--set {override}: {error}")
    if faults:
        raise CaseError(*faults)


def _apply(raw: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    parts = key_parts(key)
    if not equals or not all(parts):
        raise ValueError(_EXAMPLE)
    node: Any = raw
    for part in parts[:-1]:
        node = _child(node, part)
    if isinstance(node, list):
        node[_index(node, parts[-1])] = _value(text)
    else:
        node[parts[-1]] = _value(text)


def value_at(raw: dict[str, Any], key: str) -> Any:
    """The value that a dotted key names in TOML data.

    Raises:
        ValueError: there is none.
    """
    node: Any = raw
    for part in key_parts(key):
        if isinstance(node, list):
            node = node[_index(node, part)]
        elif isinstance(node, dict) and part in node:
            node = node[part]
        else:
            raise ValueError(f'the case has no value there: no "{part}"')
    return node


def key_parts(key: str) -> list[str]:
    """Parts of a dotted key; names with dots in quotes, names with spaces with or without."""
    try:
        node: Any = tomllib.loads(f"{key} = 0")
    except tomllib.TOMLDecodeError:
        return [part.strip() for part in key.split(".")]
    parts: list[str] = []
    while isinstance(node, dict) and len(node) == 1:
        part, node = next(iter(node.items()))
        parts.append(part)
    return parts


def _value(text: str) -> Any:
    """A TOML value, or else the text itself."""
    try:
        read = tomllib.loads(f"value = {text}")
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        return text.strip()
    return read["value"] if len(read) == 1 else text.strip()


def _child(node: Any, part: str) -> Any:
    child = node[_index(node, part)] if isinstance(node, list) else node.setdefault(part, {})
    if not isinstance(child, dict | list):
        raise ValueError(f'"{part}" is a value, not a section')
    return child


def _index(items: list[Any], part: str) -> int:
    """Position of an item by number from 0, or by its name."""
    names = [item.get("name", "") if isinstance(item, dict) else "" for item in items]
    if part in names:
        return names.index(part)
    if part.isdecimal() and int(part) < len(items):
        return int(part)
    called = f" or called by name: {', '.join(map(str, filter(None, names)))}" if any(names) else ""
    raise ValueError(f'no item "{part}"; there are {len(items)}, counted from 0{called}')
