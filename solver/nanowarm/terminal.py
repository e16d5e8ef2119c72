"""What is heard of a run while it goes on: a live picture on a terminal, plain lines in a log, JSON for programs."""

from __future__ import annotations

import math
import os
import sys
import time as clock
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from nanowarm import events
from nanowarm.errors import SolveError
from nanowarm.plain_text import visible
from nanowarm.progress import Progress, as_event
from nanowarm.run_lines import progress_line, verdict_lines

if TYPE_CHECKING:
    from nanowarm.results.run_folder import Run

LINES_EVERY = 5.0  # [s] of wall time between progress lines in a log
EVENTS_EVERY = 1.0  # [s] between events of progress
RARER = 100.0  # progress is shown no more often than takes one part in so many of the time

_RANK_VARIABLES = ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK")  # of MPICH and Slurm, PMIx, Open MPI


def is_first_rank() -> bool:
    """Whether this process is the one that prints; known without MPI."""
    return all(os.environ.get(name, "0") == "0" for name in _RANK_VARIABLES)


def is_live() -> bool:
    """Whether standard output is a terminal on which lines may be drawn over, in colours and in Unicode."""
    able = sys.stdout.isatty() and (sys.stdout.encoding or "").lower().startswith("utf")
    return able and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") not in ("dumb", "unknown")


class Face(Protocol):
    """One way to show a run.

    Attributes:
        every: wall time [s] between two calls of `progress`.
    """

    every: float

    def line(self, line: str) -> None:
        """A line of text."""

    def folder(self, folder: Path) -> None:
        """The run folder, once it is there."""

    def sample(self, progress: Progress) -> None:
        """Every step, to be kept."""

    def progress(self, progress: Progress, left: float) -> None:
        """Where the run stands, and the wall time [s] that is left, infinite where unknown."""

    def verdict(self, run: Run) -> None:
        """How it ended."""

    def close(self) -> None:
        """The end of all progress."""


class Silent:
    """Shows nothing."""

    every = LINES_EVERY

    def line(self, line: str) -> None:
        """A line of text."""

    def folder(self, folder: Path) -> None:
        """The run folder, once it is there."""

    def sample(self, progress: Progress) -> None:
        """Every step, to be kept."""

    def progress(self, progress: Progress, left: float) -> None:
        """Where the run stands."""

    def verdict(self, run: Run) -> None:
        """How it ended."""

    def close(self) -> None:
        """The end of all progress."""


class Plain(Silent):
    """Plain lines."""

    def line(self, line: str) -> None:
        """A line of text."""
        print(line, flush=True)

    def progress(self, progress: Progress, left: float) -> None:
        """Where the run stands."""
        self.line(visible(progress_line(progress, left)))

    def verdict(self, run: Run) -> None:
        """How it ended."""
        for line in verdict_lines(run):
            self.line(visible(line))


class Machine(Silent):
    """Events as JSON."""

    every = EVENTS_EVERY

    def line(self, line: str) -> None:
        """A line of text."""
        events.say_line(line)

    def folder(self, folder: Path) -> None:
        """The run folder, once it is there."""
        events.emit("folder", {"path": str(folder)})

    def progress(self, progress: Progress, left: float) -> None:
        """Where the run stands."""
        events.emit("progress", as_event(progress, left))

    def verdict(self, run: Run) -> None:
        """How it ended."""
        summary = run.summary
        told = {key: summary.get(key) for key in ("verdict", "criteria", "limits", "seconds")}
        files = {"summary": str(run.folder / "summary.json"), "report": str(run.folder / "report.html")}
        events.emit("verdict", told | files | {"exit_code": 0 if run.verdict == "met" else 1})


class Display:
    """Shows what is said of a run, and keeps it in the run's log; a context that ends the progress.

    Args:
        quiet: show only the verdict.
        machine: show events as JSON.
        face: shows it otherwise.
    """

    def __init__(self, quiet: bool = False, machine: bool = False, face: Face | None = None) -> None:
        self._lines: list[str] = []
        self._log: Path | None = None
        self._last = self._logged = clock.monotonic()
        self._cost = 0.0  # wall time [s] of showing it last
        self._begin: tuple[float, float] | None = None  # wall time and simulated time [s] of the first progress
        self._latest = 0.0  # simulated time [s] of the last progress
        self._last_face = face or _face(machine)
        self._face: Face = Silent() if quiet else self._last_face

    def __enter__(self) -> Display:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._face.close()

    def say(self, line: str) -> None:
        """One line of text."""
        line = visible(line)
        self._keep(line)
        self._face.line(line)

    def attach(self, folder: Path) -> None:
        """Keep everything that is said in the run folder's `log.txt`, from the first line on."""
        self._log = folder / "log.txt"
        self._write(self._lines)
        self._face.folder(folder)

    def _write(self, lines: list[str]) -> None:
        """Add lines to the log; a run that goes on has one already.

        Raises:
            SolveError: the disk is full.
        """
        if self._log is None:
            return
        try:
            with self._log.open("a", encoding="utf-8", errors="backslashreplace") as log:
                log.writelines(f"{line}\n" for line in lines)
        except OSError as error:
            again = f"make room and go on with: nanowarm resume {self._log.parent}"
            raise SolveError(f"{self._log}: can't be written: {error.strerror or error}; {again}") from None

    def conclude(self, run: Run) -> None:
        """The verdict, shown in any case."""
        for line in verdict_lines(run):
            self._keep(visible(line))
        self._last_face.verdict(run)

    def progress(self, progress: Progress) -> None:
        """Where the run stands; shown as often as an eye can follow."""
        now = clock.monotonic()
        if self._begin is None or progress.time < self._latest:  # the first run, or one on another mesh
            self._begin = now, progress.time
        self._latest = progress.time
        self._face.sample(progress)
        if now - self._logged >= LINES_EVERY:
            self._logged = now
            self._keep(visible(progress_line(progress, self._left(progress, now))))
        if now - self._last >= max(self._face.every, RARER * self._cost):
            self._face.progress(progress, self._left(progress, now))
            self._last = clock.monotonic()
            self._cost = self._last - now

    def _left(self, progress: Progress, now: float) -> float:
        """Wall time [s] that the rest will take if it goes on like this; infinite where that can't be known."""
        began, first = self._begin or (now, progress.time)
        if progress.time <= first:
            return math.inf
        return (now - began) * max(progress.end - progress.time, 0.0) / (progress.time - first)

    def _keep(self, line: str) -> None:
        """A line into the log, or for it."""
        self._lines.append(line)
        self._write([line])


def _face(machine: bool) -> Face:
    """How this process shows a run."""
    if machine:
        return Machine()
    if is_live():
        from nanowarm.terminal_live import Live

        return Live()
    return Plain()


def print_faults(faults: tuple[str, ...], code: int, everywhere: bool = False) -> None:
    """One line per fault on standard error, or one event on standard output where JSON is asked for.

    Args:
        faults: what to print; line breaks in a fault, such as those of HDF5's reasons, become blanks.
        code: exit code of the program.
        everywhere: on every rank, for what the others have not heard of; else on the first one only.
    """
    if not (is_first_rank() or everywhere):
        return
    lines = [visible(" ".join(fault.split())) for fault in faults]
    if events.is_asked() and lines:
        events.emit("error", {"faults": lines, "exit_code": code})
        return
    for line in lines:
        print(line, file=sys.stderr)
    sys.stderr.flush()
