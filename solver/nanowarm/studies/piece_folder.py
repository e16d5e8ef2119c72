"""The folder of a study in which several processes compute, on one machine or many, each run in one of them.

What a process has claimed it computes in a folder of its own name, which becomes the run's only once the run is finished.
Claims are locks of files. Should a file system not keep them across machines, a run may be computed twice, but never
by two processes in one folder, and the first to finish it counts.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from nanowarm.errors import CaseError
from nanowarm.studies.plan import Plan, PlannedRun
from nanowarm.studies.study_folder import StudyFolder, locked, process_name
from nanowarm.studies.table import Row


class PieceFolder(StudyFolder):
    """The folder of a study as one of several pieces sees it.

    Args:
        path: of the folder.
        plan: the study.
    """

    def __init__(self, path: Path, plan: Plan) -> None:
        super().__init__(path, plan)
        self._claims: dict[str, IO[bytes]] = {}

    @contextlib.contextmanager
    def opened(self, shared: bool = True) -> Iterator[IO[bytes]]:
        """The folder made or taken up again, together with other pieces.

        Raises:
            CaseError: it is another study's, a whole study is at work in it, or it can't be made.
        """
        with super().opened(shared) as lock:
            try:
                yield lock
            finally:
                for claim in self._claims.values():
                    claim.close()

    def is_free(self, run: PlannedRun) -> bool:
        """Whether nobody is at work on a run."""
        with self._opened_claim(run) as claim:
            return locked(claim, fcntl.LOCK_EX)

    def begun(self, run: PlannedRun) -> Path | None:
        """Where to compute a run; None where another piece does, or has finished it."""
        claim = self._opened_claim(run)
        if not locked(claim, fcntl.LOCK_EX) or self.summary(run) is not None:
            claim.close()
            return None
        self._claims[run.digest] = claim
        left = [self.folder(run)] if self.folder(run).exists() and self.summary(run) is None else []
        for path in (*left, *self.folder(run).parent.glob(f"{run.digest}.{socket.gethostname()}-*")):
            shutil.rmtree(path, ignore_errors=True)
        return self.folder(run).with_name(f"{run.digest}.{process_name()}")

    def ended(self, run: PlannedRun, place: Path, error: str) -> Row:
        """How a run ended, which is finished for all, or failed and noted."""
        if not error:
            self._publish(run, place)
        row = super().ended(run, place, error)
        if row.summary is None:
            self._write_failure(run, row.error)
        claim = self._claims.pop(run.digest)
        if row.summary is not None:
            Path(claim.name).unlink(missing_ok=True)  # whoever has it open sees that the run is finished
        claim.close()
        return row

    def failure(self, run: PlannedRun) -> str:
        """Why a run failed; empty where it has not."""
        try:
            return self._failure_file(run).read_text(encoding="utf-8").strip()
        except OSError:
            return ""

    def forget_failures(self, runs: Iterable[PlannedRun]) -> None:
        """Have runs tried again."""
        for run in runs:
            self._failure_file(run).unlink(missing_ok=True)

    @property
    def _notes(self) -> Path:
        """Folder of claims and failures."""
        return self.path / "pieces"

    def _opened_claim(self, run: PlannedRun) -> IO[bytes]:
        """The file whose lock says that somebody computes a run.

        Raises:
            CaseError: it can't be made.
        """
        file = self._notes / f"{run.digest}.claim"
        try:
            self._notes.mkdir(exist_ok=True)
            return file.open("a+b")
        except OSError as error:
            raise CaseError(f"{file}: can't be made: {error.strerror}") from None

    def _failure_file(self, run: PlannedRun) -> Path:
        """Where it stands why a run failed."""
        return self._notes / f"{run.digest}.failed"

    def _write_failure(self, run: PlannedRun, error: str) -> None:
        """Note why a run failed, all at once."""
        temporary = self._notes / f"{run.digest}.{process_name()}"
        temporary.write_text(error + "\n", encoding="utf-8")
        os.replace(temporary, self._failure_file(run))

    def _publish(self, run: PlannedRun, place: Path) -> None:
        """Give a finished run its name, unless somebody was first."""
        try:
            place.rename(self.folder(run))
        except OSError:
            if self.summary(run) is None:
                raise
            shutil.rmtree(place, ignore_errors=True)
