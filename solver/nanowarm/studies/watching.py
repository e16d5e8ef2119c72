"""Who hears of a study while it goes on: how many runs there are, where each stands, how it ended."""

from __future__ import annotations

import time as clock
from dataclasses import dataclass, field

from nanowarm.progress import Progress
from nanowarm.studies.plan import PlannedRun
from nanowarm.studies.table import Row, tally

LEAST_DONE = 0.02  # of a run, before which the rest can't be told from it


class Watch:
    """Hears nothing but what it is asked to show; methods that say more are called one at a time."""

    def expect(self, runs: int, before: int, certain: bool = True) -> None:
        """How much there is to do.

        Args:
            runs: of the study or piece.
            before: of these that were finished before.
            certain: whether that many runs will be computed; else at most so many.
        """

    def began(self, run: PlannedRun) -> None:
        """A worker has taken a run."""

    def stands(self, run: PlannedRun, progress: Progress) -> None:
        """Where a run stands."""

    def ended(self, run: PlannedRun, row: Row) -> None:
        """How a run ended."""


NOBODY = Watch()


@dataclass
class Standing(Watch):
    """Where a study stands.

    Attributes:
        runs, before, certain: as of `expect`.
        rows: how runs ended since it began.
        going: runs that go on, and where they stand where that is known, by digest.
        start: time [s] of the clock at which it began.
    """

    runs: int = 0
    before: int = 0
    certain: bool = True
    rows: list[Row] = field(default_factory=list)
    going: dict[str, tuple[PlannedRun, Progress | None]] = field(default_factory=dict)
    start: float = field(default_factory=clock.monotonic)

    def expect(self, runs: int, before: int, certain: bool = True) -> None:
        """How much there is to do."""
        self.runs, self.before, self.certain = runs, before, certain

    def began(self, run: PlannedRun) -> None:
        """A worker has taken a run."""
        self.going[run.digest] = run, None

    def stands(self, run: PlannedRun, progress: Progress) -> None:
        """Where a run stands."""
        self.going[run.digest] = run, progress

    def ended(self, run: PlannedRun, row: Row) -> None:
        """How a run ended."""
        self.going.pop(run.digest, None)
        self.rows.append(row)

    @property
    def finished(self) -> int:
        """Runs that have ended, before or now."""
        return self.before + len(self.rows)

    def counts(self) -> dict[str, int]:
        """How many runs ended how since it began."""
        return tally(self.rows)

    def left(self, now: float) -> float | None:
        """Wall time [s] that the rest will take if it goes on like this; None where that can't be known.

        Args:
            now: time [s] of the clock.
        """
        parts = [progress.part or 0.0 for _, progress in self.going.values() if progress is not None]
        done = len(self.rows) + sum(parts)
        if not self.certain or done < LEAST_DONE:
            return None
        return (now - self.start) * max(self.runs - self.before - done, 0.0) / done
