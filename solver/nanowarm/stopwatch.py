"""Where the time of a run goes."""

from __future__ import annotations

import time as clock
from collections.abc import Mapping

from nanowarm.memory import give_back


class Stopwatch:
    """Seconds spent in each phase of a run."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._since = clock.perf_counter()

    def lap(self, phase: str) -> None:
        """The time since the last call belongs to a phase; what memory it has left free goes back to the machine."""
        give_back()
        now = clock.perf_counter()
        self.seconds[phase] = self.seconds.get(phase, 0.0) + now - self._since
        self._since = now

    def restart(self) -> None:
        """The time since the last call belongs to no phase."""
        self._since = clock.perf_counter()

    def add(self, before: Mapping[str, float]) -> None:
        """Seconds that were spent before the run was broken off."""
        for phase, seconds in before.items():
            self.seconds[phase] = self.seconds.get(phase, 0.0) + seconds

    def so_far(self, phase: str, files: float) -> dict[str, float]:
        """Seconds of each phase if the last one ended now, those that it spent on files under `output`."""
        running = {phase: clock.perf_counter() - self._since - files, "output": files}
        return self.seconds | {name: self.seconds.get(name, 0.0) + seconds for name, seconds in running.items()}
