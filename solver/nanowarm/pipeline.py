"""From a case file to a run folder: the program in one function."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanowarm.case import Case, check_names, load_case
from nanowarm.interruption import Interruption
from nanowarm.mesh_needs import check_ranks, volume_notes
from nanowarm.progress import Progress
from nanowarm.provenance import Made, record
from nanowarm.results.rate_histograms import rate_histograms
from nanowarm.results.run_folder import Run, planned_folder, unfinished
from nanowarm.resuming import beginning
from nanowarm.run_files import begin_folder, conclude, held, write_files
from nanowarm.stopwatch import Stopwatch
from nanowarm.summary import summary_of

if TYPE_CHECKING:
    from nanowarm.meshing.raw_mesh import RawMesh
    from nanowarm.numerics.checkpoint_files import Choice
    from nanowarm.numerics.mesh import Mesh
    from nanowarm.numerics.observers import Observers
    from nanowarm.numerics.operators import Operators
    from nanowarm.numerics.setup import Equipped


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
        self.tell(f"note: {note}" for note in notes)

    def tell(self, lines: Iterable[str]) -> None:
        """Say some lines, one after the other."""
        for line in lines:
            self.say(line)


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
    from nanowarm.numerics.checkpoint_files import choice
    from nanowarm.numerics.ranks import on_first
    from nanowarm.numerics.stack import MPI

    comm, folder = comm or MPI.COMM_WORLD, Path(folder)
    watch.lap("import")
    case = load_case(on_first(comm, lambda: unfinished(folder)))
    with held(folder, comm):
        return _computed(case, folder, comm, (listener, watch), choice=on_first(comm, lambda: choice(folder)))


def _computed(
    case: Case,
    target: Path,
    comm: Any,
    told: tuple[Listener, Stopwatch],
    choice: Choice | None = None,
    prepared: Prepared | None = None,
) -> Run:
    """A run from its start, or from one of the checkpoints in its folder."""
    from nanowarm.numerics.observers import Observers
    from nanowarm.numerics.ranks import on_first
    from nanowarm.numerics.setup import equip

    listener, watch = told[0] if comm.rank == 0 else replace(Listener(), interruption=told[0].interruption), told[1]
    ready = prepared or prepare(case, comm, listener.say)
    check_names(case, ready.operators.mesh.region_names, ready.operators.mesh.surface_names)
    watch.lap("mesh")
    equipped = equip(case, ready.operators)
    observers = Observers(case, equipped)
    with contextlib.ExitStack() as stack:
        if choice is None:
            on_first(comm, lambda: begin_folder(target, case))
            stack.enter_context(held(target, comm))
        listener.opened(target)
        return _carried_through(case, target, (ready, equipped, observers), (listener, watch), choice)


def _carried_through(
    case: Case,
    target: Path,
    parts: tuple[Prepared, Equipped, Observers],
    told: tuple[Listener, Stopwatch],
    choice: Choice | None,
) -> Run:
    """A run that is ready to begin or to go on, solved, judged and written."""
    from nanowarm.numerics.ranks import on_first
    from nanowarm.numerics.solve import solve

    (ready, equipped, observers), (listener, watch) = parts, told
    comm = ready.operators.layout.comm

    def spent() -> dict[str, float]:
        """Seconds of each phase while the run is solved."""
        return watch.so_far("solve", observers.seconds + begins.resumption.checkpoints.seconds)

    begins = beginning((target, case, ready.made), choice, ready.operators, listener.interruption, spent)
    watch.add(begins.seconds)
    off = volume_notes(case, observers.recorder.region_volume)
    listener.note(off)
    with listener.interruption.awaited():
        listener.tell((*equipped.lines(), *begins.lines, f"run folder {target}"))
        observers.open(target)
        watch.lap("setup")
        solution = solve(case, equipped.heat, observers, listener.progress, begins.resumption)
    listener.note(solution.notes)
    watch.seconds = spent()
    watch.restart()
    outcomes = observers.judge()
    observers.finish()
    summary = summary_of(case, observers, solution, outcomes)
    about = record(case, observers, solution, ready.made, (*off, *equipped.notes), begins.origin)
    rates = rate_histograms(case.input.criteria, case.regions, observers)
    on_first(comm, lambda: write_files(target, observers, about, rates))
    watch.lap("output")
    on_first(comm, lambda: conclude(target, summary, about, watch.seconds, case.input.output.report))
    on_first(comm, begins.resumption.checkpoints.remove)
    return Run(target)


def prepare(case: Case, comm: Any, say: Callable[[str], None] = lambda line: None) -> Prepared:
    """The mesh of a case and its operators, to be handed to `run`. Collective.

    Raises:
        CaseError, MeshError: the geometry can't be used, or its names are others.
    """
    from nanowarm.numerics.operators import assemble

    mesh, made = build_mesh(case, comm, say)
    return Prepared(assemble(mesh), made)


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


__all__ = ["Listener", "Prepared", "Run", "Stopwatch", "build_mesh", "prepare", "resume", "run"]
