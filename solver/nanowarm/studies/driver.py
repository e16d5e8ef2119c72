"""A study carried through: its runs on parallel workers, its table kept up to date, its pictures at the end."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nanowarm.errors import CaseError
from nanowarm.model import shortened
from nanowarm.studies.answers import answer_of, write_answers
from nanowarm.studies.crew import Crew
from nanowarm.studies.parquet import write_parquet
from nanowarm.studies.pictures import draw
from nanowarm.studies.plan import Plan, PlannedRun, load_plan, toml_text
from nanowarm.studies.schedule import Schedule
from nanowarm.studies.search_pictures import draw_searches
from nanowarm.studies.searches import Searches
from nanowarm.studies.study_folder import StudyFolder
from nanowarm.studies.study_report import write_study_report
from nanowarm.studies.table import Row, Table
from nanowarm.studies.uncertainty_files import conclude
from nanowarm.studies.watching import NOBODY, Watch
from nanowarm.studies.workers import cores

Say = Callable[[str], None]
RANK_COUNTS = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE")


def run_study(path: str | Path, folder: Path | None = None, say: Say = lambda line: None, watch: Watch = NOBODY) -> Table:
    """Compute every run of a study that is not finished yet; its table.

    Args:
        path: the study file.
        folder: of the study; `runs/<study>` where left out. One that was begun before is gone on with.
        say: hears of the progress in lines.
        watch: hears where each run stands.

    Raises:
        CaseError: the study can't be used; nothing was computed.
        SolveError: the disk is full.
    """
    refuse_ranks()
    plan = load_plan(path)
    place = StudyFolder(folder or default_folder(path), plan)
    with place.opened() as lock:
        table = Table(place.path, plan, {})
        searches = Searches(plan, lambda run: _recalled(place, table, run))
        runs = plan.runs if plan.input.search is None else ()
        left = [run for run in runs if _recalled(place, table, run) is None] + searches.begin()
        parallel = parallel_runs(plan, left)
        say(f"{_extent(plan, searches, len(table.rows))}; {parallel} at a time")
        watch.expect(*_expected(plan, searches, len(table.rows)))
        crew = Crew(place, lock, _Notes(table, searches, say, watch).heard, watch)
        try:
            crew.carry(Schedule(left, grows=plan.input.search is not None), parallel)
        finally:
            table.write()
        finish(table, lambda: _answered(place.path, plan.title, searches, say), say)
    return table


def finish(table: Table, answer: Callable[[], Sequence[str]], say: Say) -> None:
    """Write what a study ends with: its table for other programs, pictures, what it has found, and its report.

    Args:
        table: of the runs that there are.
        answer: writes what searches have found, and returns the names of the files.
        say: hears of each file, and of what was found.

    Raises:
        SolveError: the disk is full.
    """
    write_parquet(*table.content(), table.folder / "table.parquet")
    for name in [*draw(table), *answer()]:
        say(f"wrote {table.folder / name}")
    found = list(conclude(table))
    say(f"wrote {write_study_report(table.folder)}")
    for line in found:
        say(line)


def _recalled(folder: StudyFolder, table: Table, run: PlannedRun) -> Row | None:
    """How a run ended that was finished before, then in the table as well; None where it is not finished."""
    summary = folder.summary(run)
    if summary is None:
        return None
    row = Row(summary)
    table.recall(run, row)
    return row


def _extent(plan: Plan, searches: Searches, finished: int) -> str:
    """How much there is to do."""
    done = f" ({finished} finished before)" if finished else ""
    if plan.input.search is None:
        return f"runs: {len(plan.runs)}{done}; meshes: {len({run.mesh for run in plan.runs})}"
    most = max(search.bracket.most_looks() for search in searches.all)
    return f"searches: {len(searches.all)}, each of at most {most} runs{done}"


def _expected(plan: Plan, searches: Searches, finished: int) -> tuple[int, int, bool]:
    """Runs of a study, those finished before, and whether there are no fewer than that."""
    if plan.input.search is None:
        return len(plan.runs), finished, True
    return sum(search.bracket.most_looks() for search in searches.all), finished, False


def _answered(folder: Path, title: str, searches: Searches, say: Say) -> list[str]:
    """The names of the files that hold what the searches have found, which is told as well."""
    if not searches.all:
        return []
    answers = [answer_of(search) for search in searches.all]
    names = [*write_answers(folder, answers), *draw_searches(folder, title, searches.all, answers)]
    for answer in answers:
        say(answer.sentence())
    return names


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


def ending(name: str, run: PlannedRun, row: Row) -> str:
    """A line that says how a run ended."""
    chosen = ", ".join(f"{key} = {shortened(toml_text(value))}" for key, value in run.inputs.items())
    return f"{name}: {chosen}: {row.verdict}{f': {row.error}' if row.error else ''}"


@dataclass(frozen=True)
class _Notes:
    """Takes in how runs end.

    Args:
        table: what has been found.
        searches: what asks for more.
        say: hears a line for each run.
        watch: hears of the run itself.
    """

    table: Table
    searches: Searches
    say: Say
    watch: Watch

    def heard(self, run: PlannedRun, row: Row) -> list[PlannedRun]:
        """A run into the table, and how it ended told; what a search needs because of it."""
        self.table.add(run, row)
        name = f"search {run.search}, run {run.number}" if run.search else f"run {run.number} of {len(self.table.plan.runs)}"
        self.say(ending(name, run, row))
        self.watch.ended(run, row)
        return self.searches.heard(run, row)
