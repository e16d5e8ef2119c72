"""A study carried through: its runs on parallel workers, its table kept up to date, its pictures at the end."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nanowarm.errors import CaseError
from nanowarm.model import shortened
from nanowarm.studies.crew import Crew
from nanowarm.studies.pictures import draw
from nanowarm.studies.plan import Plan, PlannedRun, load_plan, toml_text
from nanowarm.studies.schedule import Schedule
from nanowarm.studies.study_folder import StudyFolder
from nanowarm.studies.table import Row, Table
from nanowarm.studies.workers import cores

Say = Callable[[str], None]
RANK_COUNTS = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE")


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
    refuse_ranks()
    plan = load_plan(path)
    place = StudyFolder(folder or default_folder(path), plan)
    with place.opened() as lock:
        known = {run.digest: summary for run in plan.runs if (summary := place.summary(run)) is not None}
        table = Table(place.path, plan, {digest: Row(summary) for digest, summary in known.items()})
        left = [run for run in plan.runs if run.digest not in known]
        parallel = parallel_runs(plan, left)
        done = f" ({len(known)} finished before)" if known else ""
        say(f"runs: {len(plan.runs)}{done}; meshes: {len({run.mesh for run in plan.runs})}; {parallel} at a time")
        try:
            Crew(place, lock, _Notes(table, say).heard).carry(Schedule(left), parallel)
        finally:
            table.write()
        for name in draw(table):
            say(f"wrote {place.path / name}")
    return table


def refuse_ranks() -> None:
    """Refuse to be started on several ranks, each of which would carry the study through.

    Raises:
        CaseError: it was.
    """
    already = next((size for name in RANK_COUNTS if (size := os.environ.get(name, "1")) != "1"), None)
    if already:
        raise CaseError(f"study: mpiexec has started {already} ranks; start it without, and give ranks in [run] of the study")


def default_folder(path: str | Path) -> Path:
    """The folder of a study where none is asked for."""
    return Path("runs") / Path(path).stem


def parallel_runs(plan: Plan, left: Sequence[PlannedRun]) -> int:
    """How many of the runs that are left to compute at a time."""
    return max(1, min(plan.input.run.parallel or cores(), cores() // plan.input.run.ranks, len(left)))


def ending(run: PlannedRun, row: Row, count: int) -> str:
    """A line that says how a run of a study of `count` runs ended."""
    chosen = ", ".join(f"{key} = {shortened(toml_text(value))}" for key, value in run.inputs.items())
    return f"run {run.number} of {count}: {chosen}: {row.verdict}{f': {row.error}' if row.error else ''}"


@dataclass(frozen=True)
class _Notes:
    """Takes in how runs end.

    Args:
        table: what has been found.
        say: hears a line for each run.
    """

    table: Table
    say: Say

    def heard(self, run: PlannedRun, row: Row) -> tuple[PlannedRun, ...]:
        """A run into the table, and how it ended told; no run follows from it."""
        self.table.add(run, row)
        self.say(ending(run, row, len(self.table.plan.runs)))
        return ()
