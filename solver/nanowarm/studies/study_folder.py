"""The folder of a study: whose it is, and which of its runs are finished."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import socket
import time as clock
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from nanowarm.errors import CaseError, SolveError
from nanowarm.provenance import versions
from nanowarm.results.run_folder import write_json
from nanowarm.studies.plan import Plan, PlannedRun
from nanowarm.studies.table import Row

SCHEMA = 1  # of study.json
PATIENCE = 10.0  # [s] for the workers of a killed study to end


class StudyFolder:
    """The folder of a study, held by this process alone while it is open, or together with other pieces of the study.

    Args:
        path: of the folder.
        plan: the study.
    """

    def __init__(self, path: Path, plan: Plan) -> None:
        self.path = path
        self.plan = plan

    @contextlib.contextmanager
    def opened(self, shared: bool = False) -> Iterator[IO[bytes]]:
        """The folder made or taken up again; the file whose lock says that a study is going on.

        Args:
            shared: whether others may be at work in it that say so too.

        Raises:
            CaseError: it is another study's, is in use, or can't be made.
        """
        try:
            (self.path / "runs").mkdir(parents=True, exist_ok=True)
            lock = (self.path / "lock").open("a+b")  # NFS wants files readable that are locked together
        except OSError as error:
            raise CaseError(f"{self.path}: can't be made: {error.strerror}; choose another folder with -o") from None
        with lock:
            _hold(lock, self.path, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
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

    def begun(self, run: PlannedRun) -> Path | None:
        """Where to compute a run, without what an unfinished one has left; None where it is not for this process."""
        for left in (self.folder(run), *self.folder(run).parent.glob(f"{run.digest}.*")):
            shutil.rmtree(left, ignore_errors=True)
        return self.folder(run)

    def ended(self, run: PlannedRun, place: Path, error: str) -> Row:
        """How a run ended that has been computed in a place.

        Args:
            run: the run.
            place: where `begun` had it computed.
            error: why it failed; empty where it did not.
        """
        summary = self.summary(run) if not error else None
        return Row(summary, error if summary is None else "")

    def _claim(self) -> None:
        """Write down whose folder it is, or compare.

        Raises:
            CaseError: another study's, or of another version.
            SolveError: the disk is full.
        """
        file = self.path / "study.json"
        strange = any((self.path / "runs").iterdir())  # looked at first: another piece may begin just now
        if file.is_file():
            self.compare()
            return
        if strange:
            raise CaseError(f"{self.path}: holds runs of something else; choose another folder with -o")
        text = self.plan.path.read_text(encoding="utf-8-sig")
        temporary = file.with_suffix(f".{process_name()}")
        try:
            (self.path / "study.toml").write_text(text, encoding="utf-8")
            about = {"schema": SCHEMA, "title": self.plan.input.title, "study": str(self.plan.path.resolve())}
            write_json(temporary, about | {"case": str(self.plan.case.resolve())} | self._identity())
            os.replace(temporary, file)
        except OSError as error:
            raise SolveError(f"{file}: can't be written: {error.strerror}") from None

    def compare(self) -> None:
        """Refuse the folder of what can't be mixed with this study.

        Raises:
            CaseError: in one line.
        """
        _compare(self.path, json.loads((self.path / "study.json").read_text(encoding="utf-8")), self._identity())

    def _identity(self) -> dict[str, Any]:
        """What the runs of a folder have in common: the study, and what computes it."""
        search = self.plan.input.search
        asked = {} if search is None else {"find": search.find}  # how near is left open: a search may be gone on with
        return {"versions": versions(), "runs": [run.digest for run in self.plan.runs]} | asked


def process_name() -> str:
    """What tells this process from those on the same machine and on others."""
    return f"{socket.gethostname()}-{os.getpid()}"


def locked(file: IO[bytes], kind: int) -> bool:
    """Whether a file could be locked at once; the lock ends with the process, however that ends.

    Args:
        file: open to read and to write.
        kind: `fcntl.LOCK_EX` or `fcntl.LOCK_SH`.

    Raises:
        CaseError: the file system knows no locks.
    """
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise CaseError(
            f"{file.name}: can't be locked: {error.strerror}; choose a folder on another file system with -o"
        ) from None
    return True


def _hold(lock: IO[bytes], folder: Path, kind: int) -> None:
    """Wait until no other study, nor a worker that one has left behind, is at work in the folder.

    Raises:
        CaseError: one still is.
    """
    end = clock.monotonic() + PATIENCE
    while not locked(lock, kind):
        if clock.monotonic() > end:
            raise CaseError(f"{folder}: a study is going on there; wait for it, or choose another folder with -o")
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
