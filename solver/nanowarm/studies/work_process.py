"""A process that computes the runs of a study one after the other: `python -m nanowarm.studies.work_process`.

It reads one run per line (JSON) and answers each with a line, after others that say where the run stands. It ends when
nothing more can come, even while it computes: then whoever started it is gone.
"""

from __future__ import annotations

import json
import math
import os
import queue
import resource
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from nanowarm.case import Case, load_case
from nanowarm.errors import CaseError, MeshError, NanowarmError
from nanowarm.pipeline import Listener, Prepared, prepare, run
from nanowarm.progress import Progress, as_event
from nanowarm.studies.plan import digests
from nanowarm.terminal import EVENTS_EVERY, Display, Silent

if TYPE_CHECKING:
    from nanowarm.numerics.model_bodies import Body

Job = Mapping[str, Any]
LEFT = 3  # exit code of a process whose study is gone


class Telling(Silent):
    """Tells where a run stands, and nothing else.

    Args:
        tell: takes it in.
    """

    every = EVENTS_EVERY

    def __init__(self, tell: Callable[[dict[str, Any]], None]) -> None:
        self._tell = tell

    def progress(self, progress: Progress, left: float) -> None:
        """Where the run stands; times that are not known are null."""
        where = as_event(progress, left)
        self._tell({key: None if value == math.inf else value for key, value in where.items()})


class Bench:
    """Computes runs, and keeps the mesh and the operators of the last one for those that share them.

    Args:
        tell: hears where the run stands, as an event.
    """

    def __init__(self, tell: Callable[[dict[str, Any]], None] = lambda event: None) -> None:
        self._tell = tell
        self._mesh = ""
        self._prepared: Prepared | None = None
        self._body: Body | None = None

    def compute(self, job: Job) -> None:
        """Carry a run through. Collective.

        Args:
            job: `case` (path), `overrides`, `digest`, `mesh` (digest), `folder` and `model`.

        Raises:
            CaseError, MeshError, SolveError: as of `run`.
        """
        from nanowarm.numerics.ranks import on_first
        from nanowarm.numerics.stack import MPI

        with Display(face=Telling(self._tell)) as display:
            listener = Listener(display.say, display.progress, display.attach)
            case = load_case(job["case"], job["overrides"])
            on_first(MPI.COMM_WORLD, lambda: _check_unchanged(case, job))
            if job["model"] != "mesh":
                self._screen(case, job, listener)
                return
            if self._prepared is None or self._mesh != job["mesh"]:
                self._prepared = None  # two meshes at a time are not needed
                self._prepared = prepare(case, MPI.COMM_WORLD, display.say)
                self._mesh = job["mesh"]
            run(case, job["folder"], listener=listener, prepared=self._prepared)

    def _screen(self, case: Case, job: Job, listener: Listener) -> None:
        """Carry a model through."""
        from nanowarm.numerics.model_bodies import body_of
        from nanowarm.screening import run_model

        if self._body is None or self._mesh != job["mesh"]:
            self._body, self._mesh = body_of(case), job["mesh"]
        run_model(case, Path(job["folder"]), job["model"], listener, self._body)


def _check_unchanged(case: Case, job: Job) -> None:
    """Refuse files that are no longer those that the study was checked with.

    Raises:
        CaseError: naming the case.
    """
    if digests(case, job["overrides"], model=job["model"])[0] != job["digest"]:
        raise CaseError(f"{case.path}: it, or a file that it names, has changed since the study began; start the study again")


def answered(bench: Bench, job: Job, ranks: int) -> dict[str, Any]:
    """What to answer after a run: the fault if there was one, peak memory [MB], and whether this process can go on."""
    fault, good = "", True
    try:
        bench.compute(job)
    except NanowarmError as error:
        fault = "; ".join(error.faults)
        good = ranks == 1 or isinstance(error, CaseError | MeshError)  # ranks may have parted
    except MemoryError:
        fault, good = "out of memory: use a coarser mesh, or fewer runs at a time", False
    except Exception as error:
        fault, good = f"internal error: {type(error).__name__}: {error}; please report it", False
    peak = ranks * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    return {"error": " ".join(fault.split()), "peak_MB": peak, "goes_on": good}


def _read(lines: IO[str], jobs: queue.SimpleQueue[Job | None]) -> None:
    """Take in runs until the end is announced; end the process where it was not."""
    for line in lines:
        job = json.loads(line)
        jobs.put(job or None)
        if not job:
            return
    os._exit(LEFT)


def main() -> None:
    """Answer until there is nothing more to do."""
    from nanowarm.numerics.stack import MPI

    comm = MPI.COMM_WORLD
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no answer
    jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
    if comm.rank == 0:
        threading.Thread(target=_read, args=(sys.stdin, jobs), daemon=True).start()

    def write(answer: Mapping[str, Any]) -> None:
        """A line for who has asked, once for all ranks."""
        if comm.rank == 0:
            answers.write(json.dumps(answer) + "\n")
            answers.flush()

    bench = Bench(lambda event: write({"progress": event}))
    while True:
        job = comm.bcast(jobs.get() if comm.rank == 0 else None)
        if job is None:
            return
        answer = answered(bench, job, comm.size)
        write(answer)
        if not answer["goes_on"]:
            comm.Abort(LEFT) if comm.size > 1 else os._exit(LEFT)


if __name__ == "__main__":
    main()
