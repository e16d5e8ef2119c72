"""What a command says as JSON, one object per line on standard output, for programs: the option `--json`.

Every object has `event`:

| event | other keys |
|---|---|
| `start` | `schema` (1), `nanowarm` (version), `command`, `target` (path of the case, study or run), `ranks` |
| `note` | `text`: what is done; `line`: the same as people read it |
| `warning` | `text`: something that a user should look at; `line`: the same as people read it |
| `folder` | `path`: the run folder, as soon as it is there |
| `progress` | `stage`, `time_s`, `step_s`, `coldest_degC`, `mean_degC`, `hottest_degC`, `end_s`, `left_s` (null where unknown) |
| `result` | what `check`, `mesh`, `study` and `verify` found, with keys of their own; the last line of these commands |
| `verdict` | `verdict`, `criteria`, `limits`, `seconds` of `summary.json`; `summary`, `report` (paths), `exit_code`; last line |
| `error` | `faults` (one line each), `exit_code`; the last line of a command that failed |

Numbers that are not finite are null. Keys are only ever added. Exit codes are the same as without `--json`.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from nanowarm.plain_text import visible

SCHEMA = 1
OPTION = "--json"
Machine = Annotated[bool, typer.Option(OPTION, help="one JSON object per line, for programs")]


def is_asked() -> bool:
    """Whether the command line of this process asks for JSON; known before it is read, so that its faults are JSON too."""
    words = sys.argv[1:]
    return OPTION in (words[: words.index("--")] if "--" in words else words)


def emit(event: str, content: Mapping[str, Any]) -> None:
    """Print an event at once."""
    print(json.dumps({"event": event} | _finite(dict(content)), allow_nan=False), flush=True)


def _finite(value: Any) -> Any:
    """A value for JSON, null for numbers that are not finite."""
    if isinstance(value, Mapping):
        return {str(key): _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def start(command: str, target: object, ranks: int = 1) -> None:
    """Say which command begins."""
    from importlib.metadata import version

    about = {"schema": SCHEMA, "nanowarm": version("nanowarm"), "command": command, "target": str(target), "ranks": ranks}
    emit("start", about)


def say_line(line: str) -> None:
    """A line as an event: a warning where it begins with that word."""
    kind, colon, rest = line.partition(": ")
    if colon and kind in ("note", "warning"):
        emit(kind, {"text": rest, "line": line})
    else:
        emit("note", {"text": line, "line": line})


class Speaker:
    """Prints what a command says, as lines or as events.

    Args:
        command: its name.
        target: path of what it works on.
        machine: whether as events.
    """

    def __init__(self, command: str, target: object, machine: bool) -> None:
        self.machine = machine
        if machine:
            start(command, target)

    def say(self, line: str) -> None:
        """A line of text."""
        if self.machine:
            say_line(line)
        else:
            print(visible(line), flush=True)

    def result(self, content: Mapping[str, Any]) -> None:
        """What was found, for programs; people have read it in the lines."""
        if self.machine:
            emit("result", content)
