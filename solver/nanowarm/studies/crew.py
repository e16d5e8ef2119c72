"""The crew of a study: workers that compute runs side by side, as many as the memory bears."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from nanowarm.progress import from_event
from nanowarm.studies.plan import PlannedRun
from nanowarm.studies.schedule import Schedule
from nanowarm.studies.study_folder import StudyFolder
from nanowarm.studies.table import Row
from nanowarm.studies.watching import NOBODY, Watch
from nanowarm.studies.workers import FIRST_GUESS, Worker, free_memory

LOOK_AGAIN = 1.0  # [s] until memory is looked at again
Heard = Callable[[PlannedRun, Row], Sequence[PlannedRun]]


class Crew:
    """Threads, each with a worker process that computes one run after the other.

    Args:
        folder: of the study.
        lock: file that says that the study is going on.
        heard: takes in how a run has ended, one call at a time; the runs that are to be computed because of it.
        watch: hears where runs stand.
    """

    def __init__(self, folder: StudyFolder, lock: IO[bytes], heard: Heard, watch: Watch = NOBODY) -> None:
        self._folder = folder
        self._lock = lock
        self._heard = heard
        self._watch = watch
        self._workers: list[Worker] = []
        self._largest = 0.0  # [MB] that any worker has needed
        self._unmeasured = 0  # workers whose need is not known yet
        self._guard = threading.Lock()
        self._stopped = threading.Event()
        self._faults: list[Exception] = []

    def carry(self, schedule: Schedule, parallel: int) -> None:
        """Compute until nothing is left, or something goes wrong in a thread.

        Args:
            schedule: what there is to do.
            parallel: runs at a time.

        Raises:
            SolveError: the disk is full.
        """
        threads = [threading.Thread(target=self._work, args=(schedule,), daemon=True) for _ in range(parallel)]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            self._stopped.set()
            schedule.stop()
            with self._guard:
                for worker in self._workers:
                    worker.kill()
        if self._faults:
            raise self._faults[0]

    def _work(self, schedule: Schedule) -> None:
        """One thread: a worker and the runs that it takes."""
        try:
            self._work_through(schedule)
        except Exception as error:
            self._faults.append(error)
            schedule.stop()

    def _work_through(self, schedule: Schedule) -> None:
        """Take run after run, with a new worker where the last one could not go on."""
        worker: Worker | None = None
        mesh = ""
        while (run := schedule.take(mesh)) is not None:
            place = self._folder.begun(run)
            if place is None:
                schedule.finished(run)
                continue
            mesh = run.mesh
            fresh = worker is None
            worker = worker or self._hired()
            if worker is None:
                return
            answer = self._computed(worker, run, place)
            if self._stopped.is_set():
                return
            with self._guard:
                self._largest = max(self._largest, answer["peak_MB"])
                self._unmeasured -= fresh
                followers = self._heard(run, self._folder.ended(run, place, answer["error"]))
            schedule.finished(run, followers)
            if not answer["goes_on"]:
                worker.dismiss()
                worker = None
        if worker is not None:
            worker.end()

    def _computed(self, worker: Worker, run: PlannedRun, place: Path) -> dict[str, Any]:
        """What a worker answers after a run."""

        def tell(event: Mapping[str, Any]) -> None:
            """Where the run stands."""
            with self._guard:
                self._watch.stands(run, from_event(event)[0])

        with self._guard:
            self._watch.began(run)
        return worker.compute(self._job(run, place), tell)

    def _job(self, run: PlannedRun, place: Path) -> dict[str, object]:
        """A run as a worker is asked for it."""
        plan = self._folder.plan
        where = {"case": str(plan.case), "folder": str(place), "model": plan.input.run.model}
        return where | {"overrides": run.overrides, "digest": run.digest, "mesh": run.mesh}

    def _hired(self) -> Worker | None:
        """A new worker, once there is memory for it; None where the study is stopped before."""
        ranks = self._folder.plan.input.run.ranks
        while not self._stopped.is_set():
            with self._guard:
                self._workers = [worker for worker in self._workers if worker.alive()]
                need = self._largest or FIRST_GUESS * ranks
                if not self._workers or free_memory() >= need * (self._unmeasured + 1):
                    worker = Worker(ranks, self._folder.path / "workers.log", self._lock)
                    self._workers.append(worker)
                    self._unmeasured += 1
                    return worker
            self._stopped.wait(LOOK_AGAIN)
        return None
