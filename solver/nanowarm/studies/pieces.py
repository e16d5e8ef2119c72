"""A study in pieces: its runs listed, some of them computed here and others elsewhere, and all of them gathered."""

from __future__ import annotations

import fcntl
import time as clock
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from nanowarm.errors import CaseError
from nanowarm.studies.crew import Crew
from nanowarm.studies.driver import Say, default_folder, ending, finish, parallel_runs, refuse_ranks
from nanowarm.studies.piece_folder import PieceFolder
from nanowarm.studies.plan import Plan, PlannedRun, load_plan, toml_text
from nanowarm.studies.schedule import Schedule
from nanowarm.studies.selection import chosen
from nanowarm.studies.study_folder import locked
from nanowarm.studies.table import Row, Table
from nanowarm.studies.watching import NOBODY, Watch

COLUMNS = "run", "digest", "mesh", "state", "inputs"
PAUSE = 1.0  # [s] between two looks at what others compute
ADAPTIVE = ("search",)  # sections of a study file that let one run depend on others


def listed(path: str | Path, folder: Path | None = None, only: str | None = None) -> Iterator[str]:
    """A heading and a line for each run: number, digest, digest of its mesh, state and inputs, with tabs between.

    Args:
        path: the study file.
        folder: of the study; `runs/<study>` where left out.
        only: the runs, as `--only` has them; all where left out.

    Raises:
        CaseError: the study can't be used, or the folder holds another.
    """
    place = PieceFolder(folder or default_folder(path), _splittable(path))
    if (place.path / "study.json").is_file():
        place.compare()
    runs = place.plan.runs if only is None else chosen(place.plan.runs, only)
    yield "\t".join(COLUMNS)
    for run in runs:
        state = "finished" if place.summary(run) is not None else "failed" if place.failure(run) else "open"
        inputs = ", ".join(f"{key} = {toml_text(value)}" for key, value in run.inputs.items())
        yield "\t".join((str(run.number), run.digest, run.mesh, state, inputs))


def run_piece(
    path: str | Path, only: str, folder: Path | None = None, say: Say = lambda line: None, watch: Watch = NOBODY
) -> dict[str, Row]:
    """Compute some runs of a study beside other processes that compute others; how they ended, by digest.

    A run that another process computes is waited for, and computed here should that process die.

    Args:
        path: the study file.
        only: the runs, as `--only` has them.
        folder: of the study; `runs/<study>` where left out.
        say: hears of the progress in lines.
        watch: hears where each run stands.

    Raises:
        CaseError: the study or the runs can't be used; nothing was computed.
        SolveError: the disk is full.
    """
    refuse_ranks()
    plan = _splittable(path)
    asked = chosen(plan.runs, only)
    place = PieceFolder(folder or default_folder(path), plan)
    with place.opened() as lock:
        rows = {digest: row for digest, row in _ended(place, asked).items() if row.summary is not None}
        left = [run for run in asked if run.digest not in rows]
        place.forget_failures(left)
        done = f" ({len(rows)} finished before)" if rows else ""
        parallel = parallel_runs(plan, left)
        say(f"runs: {len(asked)} of {len(plan.runs)}{done}; meshes: {len({run.mesh for run in asked})}; {parallel} at a time")
        watch.expect(len(asked), len(rows))

        def heard(run: PlannedRun, row: Row) -> tuple[PlannedRun, ...]:
            """A run kept and told; no run follows from it."""
            rows[run.digest] = row
            say(ending(f"run {run.number} of {len(plan.runs)}", run, row))
            watch.ended(run, row)
            return ()

        _compute_all(place, left, lambda: Crew(place, lock, heard, watch), parallel, rows)
    return rows


def _compute_all(
    place: PieceFolder, runs: Sequence[PlannedRun], crew: Callable[[], Crew], parallel: int, rows: dict[str, Row]
) -> None:
    """Compute runs until all have ended, here or elsewhere, each time with a fresh crew.

    Args:
        place: folder of the study.
        runs: to compute.
        crew: makes one.
        parallel: runs at a time.
        rows: how runs ended, by digest; those of others are added.
    """
    left = list(runs)
    while left:
        _compute_free(place, left, crew(), parallel)
        rows |= _ended(place, [run for run in left if run.digest not in rows])
        left = [run for run in left if run.digest not in rows]


def _compute_free(place: PieceFolder, left: Sequence[PlannedRun], crew: Crew, parallel: int) -> None:
    """Compute those of some runs that no other process has; wait a little where there are none."""
    free = [run for run in left if place.is_free(run)]
    if free:
        crew.carry(Schedule(free), parallel)
    else:
        clock.sleep(PAUSE)


def collected(path: str | Path, folder: Path | None = None, say: Say = lambda line: None) -> tuple[Table, list[PlannedRun]]:
    """The table of what there is of a study, with its pictures and report; the runs that are missing.

    Args:
        path: the study file.
        folder: of the study; `runs/<study>` where left out.
        say: hears of the pictures.

    Raises:
        CaseError: there is nothing of this study in the folder.
        SolveError: the disk is full.
    """
    plan = _splittable(path)
    place = PieceFolder(folder or default_folder(path), plan)
    if not (place.path / "study.json").is_file():
        raise CaseError(f"{place.path}: no study to collect: nothing has been computed there; say where it is with -o")
    with place.opened(), (place.path / "table.lock").open("a+b") as alone:
        while not locked(alone, fcntl.LOCK_EX):
            clock.sleep(PAUSE)
        table = Table(place.path, plan, _ended(place, plan.runs))
        table.write()
        finish(table, tuple, say)
    return table, [run for run in plan.runs if run.digest not in table.rows]


def _ended(place: PieceFolder, runs: Sequence[PlannedRun]) -> dict[str, Row]:
    """How those of some runs ended that have, by digest."""
    rows = {}
    for run in runs:
        summary = place.summary(run)
        error = "" if summary is not None else place.failure(run)
        if summary is not None or error:
            rows[run.digest] = Row(summary, error)
    return rows


def _splittable(path: str | Path) -> Plan:
    """A study whose runs are all known beforehand.

    Raises:
        CaseError: they are not, or the study can't be used.
    """
    plan = load_plan(path)
    for section in sorted(plan.input.model_fields_set.intersection(ADAPTIVE)):
        raise CaseError(f"{path}: {section}: its runs follow from each other and can't be split in pieces; start it as a whole")
    return plan
