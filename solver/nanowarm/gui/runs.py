"""Programs that the page has started, and what their lines say."""

from __future__ import annotations

import itertools
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from nanowarm.gui.security import RefusedError

MOST_AT_A_TIME = 4
MOST_LINES = 5000  # that are kept of one program
LONGEST_LINE = 2000  # characters
_NUMBER = r"([-+.\deinf]+)"
_PROGRESS = re.compile(
    rf"(?P<stage>.*): (?P<time>{_NUMBER}) s, step (?P<step>{_NUMBER}) s, coldest (?P<coldest>{_NUMBER}) degC, "
    rf"(?:mean (?P<mean>{_NUMBER}) degC, )?hottest (?P<hottest>{_NUMBER}) degC(?:, (?P<left>{_NUMBER}) s left)?"
)
_FOLDER = "run folder "

Kind = Literal["run", "resume", "check"]


def progress_of(line: str) -> dict[str, Any] | None:
    """Where a run stands, as one of its lines says it: times [s] and temperatures [degC]; None for other lines."""
    match = _PROGRESS.fullmatch(line)
    if match is None:
        return None
    numbers = {key: float(match[key]) for key in ("time", "step", "coldest", "mean", "hottest", "left") if match[key]}
    return {"stage": match["stage"], **numbers}


class Job:
    """A program that the page has started, with all it has said.

    Args:
        number: of the job.
        kind: of the command.
        target: case file or run folder, from the folder.
        root: the folder, in which it works.
        ranks: MPI ranks.
    """

    def __init__(self, number: int, kind: Kind, target: str, root: Path, ranks: int) -> None:
        self.number, self.kind, self.target = number, kind, target
        self.folder = target if kind == "resume" else ""
        self.lines: list[dict[str, Any]] = []
        self.code: int | None = None
        self.asked_to_stop = False
        more = ["-n", str(ranks)] if kind != "check" and ranks > 1 else []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "nanowarm.cli", kind, *more, "--", target],
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
            env=_environment(),
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        """Keep what the program says, until it ends."""
        for line in self._process.stdout or ():
            text = line.rstrip("\n")[:LONGEST_LINE]
            if text.startswith(_FOLDER):
                self.folder = text.removeprefix(_FOLDER)
            if len(self.lines) < MOST_LINES:
                self.lines.append({"text": text, "progress": progress_of(text)})
        self.code = self._process.wait()

    @property
    def goes_on(self) -> bool:
        """Whether the program has not ended."""
        return self.code is None

    def stop(self) -> None:
        """Ask for a checkpoint and the end; asked again, end at once."""
        if not self.goes_on:
            return
        if self.asked_to_stop:
            os.killpg(self._process.pid, signal.SIGKILL)
        else:
            self.asked_to_stop = True
            self._process.terminate()  # the program tells its ranks itself; told twice, they would not save

    def wait(self, seconds: float) -> None:
        """Wait for the end, but not longer than that."""
        self._reader.join(seconds)

    def shown(self) -> dict[str, Any]:
        """The job without its lines."""
        state = {"goes_on": self.goes_on, "code": self.code, "stopping": self.asked_to_stop}
        return {"number": self.number, "kind": self.kind, "target": self.target, "folder": self.folder, **state}


class Jobs:
    """All programs that the page has started.

    Args:
        root: the folder, in which they work.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._jobs: dict[int, Job] = {}
        self._numbers = itertools.count(1)
        self._starting = threading.Lock()

    def start(self, kind: Kind, target: str, ranks: int) -> Job:
        """Start `nanowarm run`, `resume` or `check`.

        Raises:
            RefusedError: too many go on, or this run does already.
        """
        with self._starting:
            alive = [job for job in self._jobs.values() if job.goes_on]
            if len(alive) >= MOST_AT_A_TIME:
                raise RefusedError(409, f"{MOST_AT_A_TIME} programs are going on; stop one, or wait")
            if kind == "resume" and any(job.folder == target for job in alive):
                raise RefusedError(409, "this run goes on already")
            job = Job(next(self._numbers), kind, target, self._root, ranks)
            self._jobs[job.number] = job
            return job

    def job(self, number: int) -> Job:
        """A job by its number.

        Raises:
            RefusedError: there is none.
        """
        if number not in self._jobs:
            raise RefusedError(404, "there is no such job")
        return self._jobs[number]

    def shown(self) -> list[dict[str, Any]]:
        """All jobs, newest first."""
        return [job.shown() for job in sorted(self._jobs.values(), key=lambda job: -job.number)]

    def stop(self, seconds: float) -> Sequence[str]:
        """End all programs, each with a checkpoint where it has got so far; the folders of runs that can go on.

        Args:
            seconds: that they have for it.
        """
        alive = [job for job in self._jobs.values() if job.goes_on]
        for job in alive:
            if not job.asked_to_stop:
                job.stop()
        for job in alive:
            job.wait(seconds)
        return [job.folder for job in alive if job.folder and job.code not in (0, 1)]


def _environment() -> dict[str, str]:
    """That of a program whose lines are read at once."""
    return {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", "COLUMNS": "200"}
