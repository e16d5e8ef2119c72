"""A study carried through: its runs on parallel workers, its table kept up to date, its pictures at the end."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from nanowarm.errors import CaseError
from nanowarm.model import shortened
from nanowarm.studies.parquet import write_parquet
from nanowarm.studies.pictures import draw
from nanowarm.studies.plan import PlannedRun, load_plan, toml_text
from nanowarm.studies.schedule import Schedule
from nanowarm.studies.study_folder import StudyFolder
from nanowarm.studies.table import Row, Table
from nanowarm.studies.workers import FIRST_GUESS, Worker, cores, free_memory

Say = Callable[[str], None]
LOOK_AGAIN = 1.0  # [s] until memory is looked at again
RANK_COUNTS = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE")


@dataclass
class _Crew:
    """What the threads of a study share.

    Args:
        folder: of the study.
        schedule: what is left to do.
        table: what has been found.
        lock: file that says that the study is going on.
        say: hears a line for each run.
    """

    folder: StudyFolder
    schedule: Schedule
    table: Table
    lock: IO[bytes]
    say: Say
    workers: list[Worker] = field(default_factory=list)
    largest: float = 0.0  # [MB] that any worker has needed
    unmeasured: int = 0  # workers whose need is not known yet
    guard: threading.Lock = field(default_factory=threading.Lock)
    stopped: threading.Event = field(default_factory=threading.Event)
    faults: list[Exception] = field(default_factory=list)


def run_study(path: str | Path, folder: Path | None = None, say: Say = lambda line: None) -> Table:
    """Compute every run of a study that is not finished yet; its table.

    Args:
        path: the study file.
        folder: of the study; `runs/<study>` where left out. One that was begun before is gone on with.
        say: hears of the progress.

    Raises:
        CaseError: the study can't be used; nothing was computed.
        SolveError: the disk is full.
    """
    already = next((size for name in RANK_COUNTS if (size := os.environ.get(name, "1")) != "1"), None)
    if already:
        raise CaseError(f"study: mpiexec has started {already} ranks; start it without, and give ranks in [run] of the study")
    plan = load_plan(path)
    place = StudyFolder(folder or Path("runs") / Path(path).stem, plan)
    with place.opened() as lock:
        known = {run.digest: summary for run in plan.runs if (summary := place.summary(run)) is not None}
        table = Table(place.path, plan, {digest: Row(summary) for digest, summary in known.items()})
        left = [run for run in plan.runs if run.digest not in known]
        parallel = max(1, min(plan.input.run.parallel or cores(), cores() // plan.input.run.ranks, len(left)))
        done = f" ({len(known)} finished before)" if known else ""
        say(f"runs: {len(plan.runs)}{done}; meshes: {len({run.mesh for run in plan.runs})}; {parallel} at a time")
        try:
            _carry(_Crew(place, Schedule(left), table, lock, say), parallel)
        finally:
            table.write()
        write_parquet(*table.content(), place.path / "table.parquet")
        for name in draw(table):
            say(f"wrote {place.path / name}")
    return table


def _carry(crew: _Crew, parallel: int) -> None:
    """Let threads work until nothing is left, or something goes wrong in one of them."""
    threads = [threading.Thread(target=_work, args=(crew,), daemon=True) for _ in range(parallel)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        crew.stopped.set()
        crew.schedule.stop()
        with crew.guard:
            for worker in crew.workers:
                worker.kill()
    if crew.faults:
        raise crew.faults[0]


def _work(crew: _Crew) -> None:
    """One thread: a worker and the runs that it takes."""
    try:
        _work_through(crew)
    except Exception as error:
        crew.faults.append(error)
        crew.schedule.stop()


def _work_through(crew: _Crew) -> None:
    worker: Worker | None = None
    mesh = ""
    while (run := crew.schedule.take(mesh)) is not None:
        mesh = run.mesh
        fresh = worker is None
        worker = worker or _hired(crew)
        if worker is None:
            return
        crew.folder.clear(run)
        answer = worker.compute(_job(crew, run))
        if crew.stopped.is_set():
            return
        with crew.guard:
            crew.largest = max(crew.largest, answer["peak_MB"])
            crew.unmeasured -= fresh
        _note(crew, run, answer["error"])
        crew.schedule.finished(run)
        if not answer["goes_on"]:
            worker.dismiss()
            worker = None
    if worker is not None:
        worker.end()


def _job(crew: _Crew, run: PlannedRun) -> dict[str, object]:
    """A run as a worker is asked for it."""
    plan = crew.folder.plan
    place = {"case": str(plan.case), "folder": str(crew.folder.folder(run))}
    return place | {"overrides": run.overrides, "digest": run.digest, "mesh": run.mesh}


def _note(crew: _Crew, run: PlannedRun, error: str) -> None:
    """Put a run into the table, and say how it ended."""
    summary = crew.folder.summary(run) if not error else None
    row = Row(summary, error if summary is None else "")
    with crew.guard:
        crew.table.add(run, row)
        chosen = ", ".join(f"{key} = {shortened(toml_text(value))}" for key, value in run.inputs.items())
        crew.say(f"run {run.number} of {len(crew.folder.plan.runs)}: {chosen}: {row.verdict}{f': {error}' if error else ''}")


def _hired(crew: _Crew) -> Worker | None:
    """A new worker, once there is memory for it; None where the study is stopped before."""
    ranks = crew.folder.plan.input.run.ranks
    while not crew.stopped.is_set():
        with crew.guard:
            crew.workers = [worker for worker in crew.workers if worker.alive()]
            need = crew.largest or FIRST_GUESS * ranks
            if not crew.workers or free_memory() >= need * (crew.unmeasured + 1):
                worker = Worker(ranks, crew.folder.path / "workers.log", crew.lock)
                crew.workers.append(worker)
                crew.unmeasured += 1
                return worker
        crew.stopped.wait(LOOK_AGAIN)
    return None
