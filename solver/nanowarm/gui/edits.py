"""One value of a text changed, with every comment and the order of the rest kept."""

from __future__ import annotations

import copy
import tomllib
from typing import Any, Literal

import tomlkit
from tomlkit.exceptions import TOMLKitError

from nanowarm.gui.security import RefusedError
from nanowarm.model import Location

Action = Literal["set", "expression", "remove"]
_DEEPEST_HEADER = 2  # parts of [regions.NAME]; what is deeper stands in one line, { ... }
_BY_HAND = "this can't be changed in the form; change it in the text"


def edited(text: str, path: Location, action: Action, value: Any) -> str:
    """The text with one value set, given as TOML, or removed.

    Args:
        text: TOML.
        path: of the value; a number chooses the item of a list, and one more than there are adds one.
        action: "expression" reads the value as TOML, as for lists.
        value: what to set; sections that are missing on the way are made.

    Raises:
        RefusedError: the text or the value is no TOML, or the rest would not stay as it is.
    """
    if not path:
        raise RefusedError(422, _BY_HAND)
    try:
        wanted = tomllib.loads(text)
        plain, given = _read(str(value)) if action == "expression" else (value, value)
        document = tomlkit.parse(text)
    except (ValueError, RecursionError, TOMLKitError) as error:
        raise RefusedError(422, f"no TOML: {error}") from None
    try:
        _change(wanted, path, action, copy.deepcopy(plain))
        _change(document, path, action, _laid_out(given) if len(path) <= _DEEPEST_HEADER else given)
        changed = tomlkit.dumps(document)
        kept = tomllib.loads(changed) in (wanted, _without_empty(wanted, path[:-1]))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, TOMLKitError):
        raise RefusedError(422, _BY_HAND) from None
    if not kept:  # whatever the reason, a form must not change anything else
        raise RefusedError(422, _BY_HAND)
    return changed


def _read(expression: str) -> tuple[Any, Any]:
    """A value written as TOML: as data, and with the blanks and quotes it was written with."""
    content = tomllib.loads(f"value = {expression}")
    if len(content) != 1:
        raise ValueError("write one value")
    return content["value"], tomlkit.parse(f"value = {expression}")["value"]


def _change(node: Any, path: Location, action: Action, value: Any) -> None:
    """Change one value of plain data, or of a document, in place."""
    *outer, last = path
    for depth, part in enumerate(outer):
        if isinstance(node, dict) and part not in node:
            node[part] = _empty(path, depth)
        node = node[part]
    if action == "remove":
        del node[last]
    elif isinstance(last, int) and last == len(node):
        node.append(value)
    else:
        node[last] = value


def _empty(path: Location, depth: int) -> Any:
    """What a path needs behind one of its parts: a list before a number, a section else."""
    return [] if isinstance(path[depth + 1], int) else tomlkit.table() if depth == 0 else tomlkit.inline_table()


def _laid_out(value: Any) -> Any:
    """A section with an empty line behind it, as a person would write it; any other value as it is."""
    if type(value) is not dict:
        return value
    section = tomlkit.table()
    for key, inner in value.items():
        section.add(key, inner)
    section.add(tomlkit.nl())
    return section


def _without_empty(content: dict[str, Any], path: Location) -> dict[str, Any]:
    """The same data without a section, if it is empty: [regions.NAME] writes no header for `regions`."""
    if len(path) == 1 and content.get(str(path[0])) in ({}, []):
        return {key: value for key, value in content.items() if key != path[0]}
    return content
