"""Ranks that a command has started, shown on the terminal that it sits on: they tell events, this process draws."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nanowarm.launching import start_ranks
from nanowarm.plain_text import visible
from nanowarm.progress import from_event
from nanowarm.results.run_folder import Run
from nanowarm.terminal import Face, print_faults
from nanowarm.terminal_live import Live


def show_ranks(ranks: int) -> int:
    """Run the same command on MPI ranks and draw what they tell; its exit code.

    Raises:
        CaseError, SolveError: as of `start_ranks`.
    """
    heard = Heard(Live())
    try:
        return start_ranks(ranks, heard.hear)
    finally:
        heard.close()


class Heard:
    """Shows lines of ranks, events and others.

    Args:
        face: shows them.
    """

    def __init__(self, face: Face) -> None:
        self._face = face
        self._faults: list[str] = []

    def hear(self, line: str) -> None:
        """A line of any rank; what is no event is shown as it is."""
        event = _event(line)
        match event.get("event"):
            case "note" | "warning":
                self._face.line(event["line"])
            case "progress":
                where, left = from_event(event)
                self._face.sample(where)
                self._face.progress(where, left)
            case "verdict":
                self._face.verdict(Run(Path(event["summary"]).parent))
            case "error":
                self._faults += event["faults"]
            case None if line.strip():
                self._face.line(visible(line.rstrip("\n")))

    def close(self) -> None:
        """The end: what was drawn is wiped off, and faults are told below it."""
        self._face.close()
        print_faults(tuple(self._faults), 0, everywhere=True)


def _event(line: str) -> Mapping[str, Any]:
    """An event, empty where a line is none, such as those of libraries."""
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    return event if type(event) is dict else {}
