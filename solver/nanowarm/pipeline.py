"""From a case file to a run folder: the program in one function."""

from __future__ import annotations

import contextlib
import time as clock
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanowarm.case import Case, check_names, load_case
from nanowarm.errors import SolveError
from nanowarm.interruption import Interruption
from nanowarm.mesh_needs import check_ranks, volume_notes
from nanowarm.provenance import Made, record
from nanowarm.results.dose_histograms import write_histograms
from nanowarm.results.picture import make_picture
from nanowarm.results.report import write_report
from nanowarm.results.run_folder import (
    Run,
    make_folder,
    planned_folder,
    unfinished,
    write_citations,
    write_history,
    write_json,
)
from nanowarm.resuming import going_on, resumption_of
from nanowarm.summary import summary_of

if TYPE_CHECKING:
    from nanowarm.meshing.raw_mesh import RawMesh
    from nanowarm.numerics.checkpoint_files import Found
    from nanowarm.numerics.mesh import Mesh
    from nanowarm.numerics.observers import Observers
    from nanowarm.numerics.operators import Operators
    from nanowarm.numerics.solve import Progress


class Stopwatch:
    """Seconds spent in each phase of a run."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._since = clock.perf_counter()

    def lap(self, phase: str) -> None:
        """The time since the last call belongs to a phase; what memory it has left free goes back to the machine."""
        from nanowarm.numerics.memory import give_back

        give_back()
        now = clock.perf_counter()
        self.seconds[phase] = self.seconds.get(phase, 0.0) + now - self._since
        self._since = now


@dataclass(frozen=True)
class Listener:
    """Who hears of a run while it goes on; by default nobody.

    Args:
        say: a line of text, on rank 0 only.
        progress: where the run stands, on rank 0 only.
        opened: the run folder, once it is made, on rank 0 only.
        interruption: what signals ask of it.
    """

    say: Callable[[str], None] = lambda line: None
    progress: Callable[[Progress], None] = lambda progress: None
    opened: Callable[[Path], None] = lambda folder: None
    interruption: Interruption = field(default_factory=Interruption)

    def note(self, notes: Iterable[str]) -> None:
        """Say what a user should know."""
        for note in notes:
            self.say(f"note: {note}")


@dataclass(frozen=True, eq=False)
class Prepared:
    """A mesh with its operators, for any number of runs one after the other: no run changes them.

    Args:
        operators: the integrals over the distributed mesh.
        made: where the mesh came from.
    """

    operators: Operators
    made: Made


def run(
    case: Case | str | Path,
    folder: str | Path | None = None,
    overrides: Sequence[str] = (),
    comm: Any = None,
    listener: Listener = Listener(),
    prepared: Prepared | None = None,
) -> Run:
    """Compute a case and leave its run folder.

    Args:
        case: a loaded case, or the path of a case file.
        folder: run folder to make; the first free `runs/<case>-<n>` where left out.
        overrides: texts "key=value" that replace values of the file.
        comm: MPI communicator; all processes where left out.
        listener: hears of the progress.
        prepared: what `prepare` made of a case with the same mesh; made anew where left out.

    Raises:
        CaseError, MeshError: the input can't be used; nothing was computed and no folder made.
        SolveError: the computation failed; the folder keeps what there is.
    """
    watch = Stopwatch()
    from nanowarm.numerics.ranks import on_first
    from nanowarm.numerics.stack import MPI

    comm = comm or MPI.COMM_WORLD
    watch.lap("import")
    loaded = case if isinstance(case, Case) else load_case(case, overrides)
    asked = Path(folder) if folder else None
    target = on_first(comm, lambda: planned_folder(loaded.path, asked))
    return _computed(loaded, target, comm, (listener, watch), prepared=prepared)


def resume(folder: str | Path, comm: Any = None, listener: Listener = Listener()) -> Run:
    """Go on with a run that was broken off, on any number of ranks, in its folder.

    Args:
        folder: the run folder.
        comm: MPI communicator; all processes where left out.
        listener: hears of the progress.

    Raises:
        CaseError: there is nothing to go on from, or it belongs to other input.
        SolveError: the computation failed.
    """
    watch = Stopwatch()
    from nanowarm.numerics.checkpoint_files import newest
    from nanowarm.numerics.ranks import on_first
    from nanowarm.numerics.stack import MPI

    comm, folder = comm or MPI.COMM_WORLD, Path(folder)
    watch.lap("import")
    case = load_case(on_first(comm, lambda: unfinished(folder)))
    found = on_first(comm, lambda: newest(folder))
    return _computed(case, folder, comm, (listener, watch), found=found)


def _computed(
    case: Case,
    target: Path,
    comm: Any,
    told: tuple[Listener, Stopwatch],
    found: Found | None = None,
    prepared: Prepared | None = None,
) -> Run:
    """A run from its start, or from a checkpoint that was found in its folder."""
    from nanowarm.numerics.observers import Observers
    from nanowarm.numerics.ranks import on_first
    from nanowarm.numerics.setup import equip
    from nanowarm.numerics.solve import solve

    (listener, watch), interruption = told, told[0].interruption
    listener = listener if comm.rank == 0 else Listener()
    ready = prepared or prepare(case, comm, listener.say)
    check_names(case, ready.operators.mesh.region_names, ready.operators.mesh.surface_names)
    watch.lap("mesh")
    equipped = equip(case, ready.operators)
    observers = Observers(case, equipped)
    if found is None:
        on_first(comm, lambda: _begin_folder(target, case))
    listener.opened(target)
    resumption = resumption_of((target, case, ready.made), found, ready.operators, interruption)
    off = volume_notes(case, observers.recorder.region_volume)
    listener.note(off)
    with interruption.awaited():
        for line in (*equipped.lines(), *going_on(found), f"run folder {target}"):
            listener.say(line)
        observers.open(target)
        watch.lap("setup")
        solution = solve(case, equipped.heat, observers, listener.progress, resumption)
    listener.note(solution.notes)
    watch.lap("solve")
    watch.seconds["solve"] -= observers.seconds + resumption.checkpoints.seconds
    outcomes = observers.judge()
    observers.finish()
    summary = summary_of(case, observers, solution, outcomes)
    about = record(case, observers, solution, ready.made, (*off, *equipped.notes))
    on_first(comm, lambda: _write(target, observers, about))
    watch.lap("output")
    watch.seconds["output"] += observers.seconds + resumption.checkpoints.seconds
    on_first(comm, lambda: _conclude(target, summary, about, watch.seconds))
    on_first(comm, resumption.checkpoints.remove)
    return Run(target)


def prepare(case: Case, comm: Any, say: Callable[[str], None] = lambda line: None) -> Prepared:
    """The mesh of a case and its operators, to be handed to `run`. Collective.

    Raises:
        CaseError, MeshError: the geometry can't be used, or its names are others.
    """
    from nanowarm.numerics.operators import assemble

    mesh, made = build_mesh(case, comm, say)
    return Prepared(assemble(mesh), made)


def _begin_folder(folder: Path, case: Case) -> None:
    """Make the run folder with the case in it, on rank 0.

    Raises:
        SolveError: the disk is full.
    """
    import tomli_w

    make_folder(folder)
    with _disk(folder):
        (folder / "case.toml").write_text(tomli_w.dumps(dict(case.filled)), encoding="utf-8")


def build_mesh(case: Case, comm: Any, say: Callable[[str], None] = lambda line: None) -> tuple[Mesh, Made]:
    """The distributed mesh of a case, its names compared with the case's; the serial one on rank 0 is forgotten.

    Raises:
        CaseError, MeshError: the geometry can't be used, or its names are others.
    """
    from nanowarm.meshing.raw_mesh import make_mesh
    from nanowarm.numerics.mesh import distribute
    from nanowarm.numerics.ranks import on_first

    given = case.input.mesh
    serial: list[RawMesh] = []

    def make() -> Made:
        """The serial mesh into `serial`, and where it came from."""
        made = make_mesh(given, case.folder)
        check_ranks(case, comm.size, len(made.mesh.cells))
        serial.append(made.mesh)
        notes = (*made.notes, *made.shape_notes())
        return Made(made.cached, made.digest, made.worst_quality, made.step_cost, notes, made.steps)

    made = on_first(comm, make)
    mesh = distribute(serial.pop() if serial else None, comm, given.refine)
    check_names(case, mesh.region_names, mesh.surface_names)
    say(f"mesh {'from the cache' if made.cached else 'made now'}: {mesh.cell_count()} tetrahedra")
    for note in made.notes:
        say(f"note: {note}")
    return mesh, made


def _write(folder: Path, observers: Observers, about: dict[str, Any]) -> None:
    """The files of the run folder that hold history and sources, on rank 0; a missing picture is noted.

    Raises:
        SolveError: the disk is full.
    """
    texts = [f"{row['source']} {row['note']}" for row in about["inputs"]] + about["notes"]
    with _disk(folder):
        write_history(folder / "history.csv", observers.columns(), observers.recorder.stages)
        if observers.histograms:
            write_histograms(folder / "histograms.csv", observers.histograms)
        write_citations(folder / "citations.bib", texts)
        reason = make_picture(folder)
        about["notes"] += [reason] if reason else []


def _conclude(folder: Path, summary: dict[str, Any], about: dict[str, Any], seconds: dict[str, float]) -> None:
    """The record, the verdict and the report, on rank 0; the summary comes last but for the report made from it.

    Raises:
        SolveError: the disk is full.
    """
    with _disk(folder):
        write_json(folder / "record.json", about | {"seconds": seconds})
        write_json(folder / "summary.json", summary | {"seconds": seconds})
        try:
            write_report(folder)
        except OSError:
            (folder / "summary.json").unlink()  # it is the sign of a finished run
            raise


@contextlib.contextmanager
def _disk(folder: Path) -> Iterator[None]:
    """What can't be written fails the run in one line."""
    try:
        yield
    except OSError as error:
        raise SolveError(f"{folder}: can't be written: {error.strerror or error}") from None


__all__ = ["Listener", "Prepared", "Run", "build_mesh", "prepare", "resume", "run"]
