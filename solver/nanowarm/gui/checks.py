"""What is wrong with a text that is being written, and in which line of it."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nanowarm.case import case_of
from nanowarm.errors import CaseError
from nanowarm.gui.cases import kind_and_title
from nanowarm.model import Location
from nanowarm.overrides import key_parts
from nanowarm.shelf import toml_of
from nanowarm.studies.study_file import study_of

_KEY = re.compile(r'((?:"[^"]*"|[\w-]+)(?:\.(?:"[^"]*"|[\w-]+))*): (.*)', re.DOTALL)
_LINE = re.compile(r"\(at line (\d+), column \d+\)")
_CLOSES = frozenset("]}\"'")  # a value of several lines ends with one of these


def findings(file: Path, text: str) -> dict[str, Any]:
    """What the page shows of a text: its values, and its faults with key and line.

    Args:
        file: where it will be saved; its relative paths count from there.
        text: TOML.
    """
    kind, title = kind_and_title(text)
    found: dict[str, Any] = {"kind": kind, "title": title, "values": None, "faults": []}
    try:
        values = toml_of(file, text.encode())
    except CaseError as error:
        found["faults"] = [_broken(line.removeprefix(f"{file}: "), text) for line in error.faults]
        return found
    found["values"] = sendable(values)
    try:
        study_of(file, values) if kind == "study" else case_of(file, tomllib.loads(text))
    except CaseError as error:
        lines = dict(key_lines(text))
        found["faults"] = [_placed(line.removeprefix(f"{file}: "), values, lines) for line in error.faults]
    return found


def sendable(value: Any) -> Any:
    """TOML data as JSON can hold them: dates and numbers that are not finite as text."""
    if isinstance(value, dict):
        return {key: sendable(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [sendable(inner) for inner in value]
    if isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return str(value)


def _broken(message: str, text: str) -> dict[str, Any]:
    """A fault of what is no TOML."""
    place = _LINE.search(message)
    line = int(place[1]) if place else text.count("\n") + 1
    return {"message": _LINE.sub("", message).strip(), "key": "", "path": [], "line": line}


def _placed(message: str, values: Any, lines: dict[Location, int]) -> dict[str, Any]:
    """A fault with its key, the path of that in the data, and the line of what is nearest to it."""
    match = _KEY.fullmatch(message)
    if match is None:
        return {"message": message, "key": "", "path": [], "line": None}
    path = _numbered(key_parts(match[1]), values)
    near = next((path[:depth] for depth in range(len(path), 0, -1) if path[:depth] in lines), None)
    if near is None:  # a section that is missing as a whole, or the fault of another file
        return {"message": match[2], "key": match[1], "path": list(path), "line": None}
    return {"message": match[2], "key": match[1], "path": list(path), "line": lines[near]}


def _numbered(parts: list[str], values: Any) -> Location:
    """The path of a key with the items of lists by number, as faults call them by name."""
    path: list[int | str] = []
    node = values
    for part in parts:
        if isinstance(node, list):
            names = [item.get("name") if isinstance(item, dict) else None for item in node]
            number = names.index(part) if part in names else int(part) if part.isdecimal() else len(node)
            path.append(number)
            node = node[number] if number < len(node) else None
        else:
            path.append(part)
            node = node.get(part) if isinstance(node, dict) else None
    return tuple(path)


def key_lines(text: str) -> Iterator[tuple[Location, int]]:
    """The line, counted from 1, in which each key and section of a TOML text begins; the first of each comes last."""
    found: list[tuple[Location, int]] = []
    header: Location = ()
    counts: dict[Location, int] = {}
    for line, statement in _statements(text):
        read = tomllib.loads(statement)
        if not statement.lstrip().startswith("["):
            found += [(header + path, line) for path in _paths(read)]
            continue
        parts = next(path for path in reversed(_paths(read)) if not isinstance(path[-1], int))
        header = _absolute(parts[:-1], counts) + parts[-1:]
        if statement.lstrip().startswith("[["):
            counts[header] = counts.get(header, 0) + 1
        header = _absolute(parts, counts)
        found += [(header[:depth], line) for depth in range(1, len(header) + 1)]
    return reversed(found)


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Each header and each key with its value, and the line it begins in; TOML says where it ends."""
    pending: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        pending.append(line)
        if len(pending) > 1 and _CLOSES.isdisjoint(line):
            continue
        try:
            read = tomllib.loads("\n".join(pending))
        except tomllib.TOMLDecodeError:
            continue
        if read:
            yield number - len(pending) + 1, "\n".join(pending)
        pending.clear()


def _paths(node: Any, before: Location = ()) -> list[Location]:
    """Paths of all keys and items below a node, outer ones first."""
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path for key, value in inner for path in ((*before, key), *_paths(value, (*before, key)))]


def _absolute(parts: Location, counts: dict[Location, int]) -> Location:
    """The path of a header, in the last item so far of each list of sections."""
    path: Location = ()
    for part in parts:
        path = (*path, part)
        if path in counts:
            path = (*path, counts[path] - 1)
    return path
