"""What making a mesh took, and what was changed on the way."""

from __future__ import annotations

import json
import resource
import time
from typing import Any


class UnusableError(Exception):
    """What is wrong with the file and what to do."""


class Journal:
    """Notes for the user, and the seconds and memory of each step, of one making of a mesh."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.steps: list[tuple[str, float, float]] = []
        self._since = time.perf_counter()

    def note(self, line: str) -> None:
        """Tell the user something: what was repaired, assumed or named."""
        self.notes.append(line)

    def lap(self, step: str) -> None:
        """The time since the last call belongs to a step."""
        now = time.perf_counter()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0  # [MB]
        self.steps.append((step, now - self._since, peak))
        self._since = now

    def text(self) -> str:
        """All of it as JSON."""
        return json.dumps({"notes": self.notes, "steps": self.steps})


Request = dict[str, Any]
Arrays = dict[str, Any]
