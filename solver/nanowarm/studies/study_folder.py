"""The folder of a study: whose it is, and which of its runs are finished."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import time as clock
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from nanowarm.errors import CaseError, SolveError
from nanowarm.provenance import versions
from nanowarm.results.run_folder import write_json
from nanowarm.studies.plan import Plan, PlannedRun

SCHEMA = 1  # of study.json
PATIENCE = 10.0  # [s] for the workers of a killed study to end


class StudyFolder:
    """The folder of a study, held by this process alone while it is open.

    Args:
        path: of the folder.
        plan: the study.
    """

    def __init__(self, path: Path, plan: Plan) -> None:
        self.path = path
        self.plan = plan

    @contextlib.contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """The folder made or taken up again; the file whose lock says that a study is going on.

        Raises:
            CaseError: it is another study's, is in use, or can't be made.
        """
        try:
            (self.path / "runs").mkdir(parents=True, exist_ok=True)
            lock = (self.path / "lock").open("ab")
        except OSError as error:
            raise CaseError(f"{self.path}: can't be made: {error.strerror}; choose another folder with -o") from None
        with lock:
            _hold(lock, self.path)
            self._claim()
            yield lock

    def folder(self, run: PlannedRun) -> Path:
        """Where a run lies."""
        return self.path / "runs" / run.digest

    def summary(self, run: PlannedRun) -> dict[str, Any] | None:
        """What a finished run found; None where it is not finished."""
        try:
            content: dict[str, Any] = json.loads((self.folder(run) / "summary.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return content

    def clear(self, run: PlannedRun) -> None:
        """Remove what an unfinished run has left."""
        shutil.rmtree(self.folder(run), ignore_errors=True)

    def _claim(self) -> None:
        """Write down whose folder it is, or compare.

        Raises:
            CaseError: another study's, or of another version.
            SolveError: the disk is full.
        """
        file = self.path / "study.json"
        search = self.plan.input.search
        asked = {} if search is None else {"find": search.find}  # how near is left open: a search may be gone on with
        mine = {"versions": versions(), "runs": [run.digest for run in self.plan.runs]} | asked
        if file.is_file():
            _compare(self.path, json.loads(file.read_text(encoding="utf-8")), mine)
            return
        if any((self.path / "runs").iterdir()):
            raise CaseError(f"{self.path}: holds runs of something else; choose another folder with -o")
        text = self.plan.path.read_text(encoding="utf-8-sig")
        temporary = file.with_suffix(".part")
        try:
            (self.path / "study.toml").write_text(text, encoding="utf-8")
            about = {"schema": SCHEMA, "title": self.plan.input.title, "study": str(self.plan.path.resolve())}
            write_json(temporary, about | {"case": str(self.plan.case.resolve())} | mine)
            os.replace(temporary, file)
        except OSError as error:
            raise SolveError(f"{file}: can't be written: {error.strerror}") from None


def _hold(lock: IO[bytes], folder: Path) -> None:
    """Wait until no other study, nor a worker that one has left behind, is at work in the folder.

    Raises:
        CaseError: one still is.
    """
    end = clock.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if clock.monotonic() > end:
                raise CaseError(f"{folder}: a study is going on there; wait for it, or choose another folder with -o") from None
            clock.sleep(0.1)


def _compare(folder: Path, theirs: dict[str, Any], mine: dict[str, Any]) -> None:
    """Refuse to mix what can't be compared.

    Raises:
        CaseError: in one line.
    """
    before, now = theirs.get("versions", {}), mine["versions"]
    for name in sorted({*before, *now}):
        if before.get(name) != now.get(name):
            what = f"{name} {before.get(name, 'missing')}, not {now.get(name, 'missing')}"
            raise CaseError(f"{folder}: its runs were made with {what}; choose another folder with -o")
    if any(theirs.get(name) != mine.get(name) for name in ("runs", "find")):
        raise CaseError(
            f"{folder}: holds another study (study file, case or a file of it differs); choose another folder with -o"
        )
