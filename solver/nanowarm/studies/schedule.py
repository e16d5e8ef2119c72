"""Which run a worker takes next: those on its own mesh first."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from nanowarm.studies.plan import PlannedRun


class Schedule:
    """Hands out the runs of a study to threads; each run once.

    A mesh belongs to one worker. Only when no other mesh is left do idle workers help with runs on a mesh that has been
    made already: they read it from the cache instead of meshing it again.

    Args:
        runs: what is to be computed.
        grows: whether the end of a run may bring more of them, so that threads with nothing to do wait for it.
    """

    def __init__(self, runs: Sequence[PlannedRun], grows: bool = False) -> None:
        self._waiting: dict[str, deque[PlannedRun]] = {}
        self._add(runs)
        self._grows = grows
        self._going = 0  # runs handed out that have not ended
        self._started: set[str] = set()
        self._made: set[str] = set()
        self._stopped = False
        self._changed = threading.Condition()

    def take(self, mesh: str) -> PlannedRun | None:
        """The next run for a worker that holds a mesh; None when there are no more. Waits while a mesh is being made."""
        with self._changed:
            while not self._stopped and (any(self._waiting.values()) or (self._grows and self._going)):
                chosen = self._choose(mesh)
                if chosen is not None:
                    self._started.add(chosen)
                    self._going += 1
                    return self._waiting[chosen].popleft()
                self._changed.wait()
            return None

    def finished(self, run: PlannedRun, followers: Sequence[PlannedRun] = ()) -> None:
        """A run has ended, and so its mesh is made, or can't be; `followers` are to be computed because of it."""
        with self._changed:
            self._going -= 1
            self._made.add(run.mesh)
            self._add(followers)
            self._changed.notify_all()

    def stop(self) -> None:
        """Hand out nothing more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _add(self, runs: Sequence[PlannedRun]) -> None:
        """Put runs behind those that wait for the same mesh."""
        for run in runs:
            self._waiting.setdefault(run.mesh, deque()).append(run)

    def _choose(self, mesh: str) -> str | None:
        """The worker's own mesh, a new one, or one that is made; None where one has to be waited for."""
        left = [name for name, runs in self._waiting.items() if runs]
        if mesh in left:
            return mesh
        new = [name for name in left if name not in self._started]
        made = [name for name in left if name in self._made]
        return next(iter(new or made), None)
