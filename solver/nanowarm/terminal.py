"""What a person sees while a run goes on: a bar on a terminal, plain lines in a log."""

from __future__ import annotations

import math
import os
import sys
import time as clock
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from nanowarm.errors import SolveError
from nanowarm.results.convergence import convergence_lines

if TYPE_CHECKING:
    from nanowarm.numerics.solve import Progress
    from nanowarm.results.run_folder import Run

ZERO_CELSIUS = 273.15
LINES_EVERY = 5.0  # [s] of wall time between progress lines in a log
REFRESH = 0.1  # [s] between changes of the bar

_RANK_VARIABLES = ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK")  # of MPICH and Slurm, PMIx, Open MPI


def is_first_rank() -> bool:
    """Whether this process is the one that prints; known without MPI."""
    return all(os.environ.get(name, "0") == "0" for name in _RANK_VARIABLES)


class Display:
    """Prints lines, and the progress of a run in between; a context that ends the bar.

    Args:
        quiet: print nothing.
    """

    def __init__(self, quiet: bool = False) -> None:
        self._lines: list[str] = []
        self._log: Path | None = None
        self._quiet = quiet
        self._bar: Any = None
        self._task: Any = None
        self._last = self._started = clock.monotonic()

    def __enter__(self) -> Display:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()

    def say(self, line: str) -> None:
        """One line of text."""
        self._lines.append(line)
        self._write([line])
        if self._quiet:
            return
        if self._bar is None:
            print(line, flush=True)
        else:
            self._bar.console.print(line, markup=False, highlight=False)

    def attach(self, folder: Path) -> None:
        """Keep everything that is said in the run folder's `log.txt`, from the first line on."""
        self._log = folder / "log.txt"
        self._write(self._lines)

    def _write(self, lines: list[str]) -> None:
        """Add lines to the log; a run that goes on has one already.

        Raises:
            SolveError: the disk is full.
        """
        if self._log is None:
            return
        try:
            with self._log.open("a", encoding="utf-8") as log:
                log.writelines(f"{line}\n" for line in lines)
        except OSError as error:
            again = f"make room and go on with: nanowarm resume {self._log.parent}"
            raise SolveError(f"{self._log}: can't be written: {error.strerror or error}; {again}") from None

    def conclude(self, lines: list[str]) -> None:
        """The last lines, printed in any case."""
        self._quiet = False
        for line in lines:
            self.say(line)

    def progress(self, progress: Progress) -> None:
        """Where the run stands; shown as often as an eye can follow."""
        now = clock.monotonic()
        terminal = sys.stdout.isatty() and not self._quiet
        if now - self._last < (REFRESH if terminal else LINES_EVERY):
            return
        self._last = now
        if terminal:
            self._show(progress)
        else:
            self.say(self._text(progress, now))

    def _text(self, progress: Progress, now: float) -> str:
        coldest, hottest = progress.coldest - ZERO_CELSIUS, progress.hottest - ZERO_CELSIUS
        left = "" if math.isinf(progress.end) else f", {self._left(progress, now):.0f} s left"
        return (
            f"{progress.stage}: {progress.time:.4g} s, step {progress.size:.3g} s, "
            f"coldest {coldest:.1f} degC, hottest {hottest:.1f} degC{left}"
        )

    def _left(self, progress: Progress, now: float) -> float:
        """Wall time [s] that the rest will take if it goes on like this."""
        return (now - self._started) * (progress.end - progress.time) / max(progress.time, 1e-9)

    def _show(self, progress: Progress) -> None:
        if self._bar is None:
            from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            self._bar = Bar(TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn(), transient=True)
            self._task = self._bar.add_task("", total=None if math.isinf(progress.end) else progress.end)
            self._bar.start()
        text = self._text(progress, clock.monotonic()).split(", ")
        self._bar.update(self._task, completed=progress.time, description=", ".join(text[:4]))


def verdict_lines(run: Run) -> list[str]:
    """The outcome of a run in words: one line per criterion, then the verdict."""
    lines = []
    for entry in run.summary["criteria"]:
        missing = entry.get("reason", "nothing seen")
        value = missing if entry["value"] is None else f"{entry['value']:.4g} {entry['unit']}"
        share = "" if entry["fraction"] is None else f", {100 * entry['fraction']:.4g} % of the volume"
        lines.append(f"{entry['kind']} of {entry['region']}: {entry['outcome']}: {value} (limit {entry['limit']:.4g}{share})")
    return [*lines, *convergence_lines(run.summary), f"verdict: {run.verdict}"]


def print_faults(faults: tuple[str, ...], everywhere: bool = False) -> None:
    """One line per fault on standard error.

    Args:
        faults: what to print; line breaks in a fault, such as those of HDF5's reasons, become blanks.
        everywhere: on every rank, for what the others have not heard of; else on the first one only.
    """
    if is_first_rank() or everywhere:
        for line in faults:
            print(" ".join(line.split()), file=sys.stderr)
        sys.stderr.flush()
