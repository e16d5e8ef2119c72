"""The same case on two or three meshes, and what they say about the discretisation error."""

from __future__ import annotations

import itertools
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from nanowarm.case import Case, load_case, with_mesh
from nanowarm.mesh_section import MeshInput
from nanowarm.pipeline import Listener, resume, run
from nanowarm.results.convergence import compared
from nanowarm.results.report import write_report
from nanowarm.results.run_folder import Run, unfinished, write_json

OTHERS = "convergence"  # folder of the runs on other meshes, in the run folder
RATIO = 1.5  # of edge lengths from one mesh to the next; Roache asks for at least 1.3
MOST_COARSENING = 10.0  # of the key in the case file
SILENT = Listener()
LEAST_RATIO = 1.2  # below which other meshes are taken


def converged_run(case: Case, folder: Path | None = None, listener: Listener = SILENT) -> Run:
    """Compute a case on its own mesh and on others; the run on its own mesh, which holds the comparison.

    Args:
        case: what to compute.
        folder: run folder to make; the other runs lie in its folder `convergence`.
        listener: hears of the progress.

    Raises:
        CaseError, MeshError, SolveError: as of `run`.
    """
    first = run(case, folder, listener=replace(listener, opened=partial(_asked_for, listener)))
    return _on_other_meshes(case, first, listener)


def resumed_run(folder: Path, listener: Listener = SILENT) -> Run:
    """Go on with a run that was broken off, and with those on other meshes where it has any.

    Args:
        folder: run folder, or that of one on another mesh.
        listener: hears of the progress.

    Raises:
        CaseError, SolveError: as of `resume`.
    """
    from nanowarm.numerics.ranks import on_first
    from nanowarm.numerics.stack import MPI

    main, finished, several = on_first(MPI.COMM_WORLD, lambda: _left_to_do(folder))
    first = Run(main) if finished else resume(main, listener=listener)
    return _on_other_meshes(load_case(main / "case.toml"), first, listener) if several else first


def check_unfinished(folder: Path) -> None:
    """Refuse a folder in which nothing is left to do.

    Raises:
        CaseError: it is no run folder, or the run is finished, on other meshes too where it has any.
    """
    _left_to_do(folder)


def _asked_for(listener: Listener, folder: Path) -> None:
    """Mark a run folder as one of a run on several meshes."""
    (folder / OTHERS).mkdir()
    listener.opened(folder)


def _left_to_do(folder: Path) -> tuple[Path, bool, bool]:
    """The main run folder, whether that run is finished, and whether others are to come.

    Raises:
        CaseError: nothing is left to do.
    """
    above = folder.absolute().parent
    main = above.parent if above.name == OTHERS and (above.parent / "case.toml").is_file() else folder
    several, finished = (main / OTHERS).is_dir(), (main / "summary.json").is_file()
    if not (finished and several and "convergence" not in Run(main).summary):
        unfinished(main)
    return main, finished, several


def _on_other_meshes(case: Case, first: Run, listener: Listener) -> Run:
    """The run on its own mesh with the comparison, once those on the others are finished."""
    from nanowarm.numerics.ranks import on_first
    from nanowarm.numerics.stack import MPI

    comm = MPI.COMM_WORLD
    meshes, own = on_first(comm, lambda: series(case))
    runs: list[Run] = []
    for number, mesh in enumerate(meshes):
        if number == own:
            runs.append(first)
            continue
        listener.say(f"mesh {number + 1} of {len(meshes)}: coarsening {mesh.coarsening:.3g}, refined {mesh.refine} times")
        runs.append(_gone_on(with_mesh(case, mesh), first.folder / OTHERS / f"mesh-{number + 1}", listener))
    on_first(comm, lambda: _write(first, runs, own))
    return Run(first.folder)


def _gone_on(case: Case, folder: Path, listener: Listener) -> Run:
    """A run in a folder where it may be finished, or broken off; collective."""
    from nanowarm.numerics.ranks import on_first
    from nanowarm.numerics.stack import MPI

    stands = on_first(MPI.COMM_WORLD, lambda: [(folder / name).is_file() for name in ("summary.json", "case.toml")])
    if stands[0]:
        return Run(folder)
    if stands[1]:
        return resume(folder, listener=listener)
    on_first(MPI.COMM_WORLD, lambda: shutil.rmtree(folder, ignore_errors=True))  # made, and killed before it held anything
    return run(case, folder, listener=listener)


def series(case: Case) -> tuple[list[MeshInput], int]:
    """Meshes for a case, the finest first, and which of them is its own.

    Coarser ones where a geometry can be meshed anew: they cost a fraction of the run itself. A mesh that can't is
    refined instead, unless it was already.
    """
    mesh = case.input.mesh
    others = _coarser(case)
    if others:
        return [mesh, *others], 0
    own = int(mesh.refine < 2)  # a mesh that is not fine enough to have coarser ones is refined itself
    steps = range(mesh.refine + own, max(mesh.refine + own - 3, -1), -1)
    return [mesh.model_copy(update={"refine": step}) for step in steps], own


def _coarser(case: Case) -> list[MeshInput]:
    """Coarser meshes of the same geometry; none where it can't be meshed anew, or is as coarse as it gets."""
    from nanowarm.meshing.mesh_request import kind_of
    from nanowarm.meshing.raw_mesh import make_mesh

    mesh = case.input.mesh
    if kind_of(case.mesh_files[0]) == "mesh":
        return []
    factors = [RATIO**step * mesh.coarsening for step in range(3)]
    meshes = [mesh.model_copy(update={"coarsening": factor}) for factor in factors if factor <= MOST_COARSENING]
    cells = [len(make_mesh(each, case.folder).mesh.cells) for each in meshes]
    steps = [(fine / coarse) ** (1.0 / 3.0) for fine, coarse in itertools.pairwise(cells)]
    return meshes[1:] if len(steps) == 2 and min(steps) >= LEAST_RATIO else []


def _write(first: Run, runs: list[Run], own: int) -> None:
    """Put the comparison into the summary of the first run, and make its report anew."""
    comparison: dict[str, Any] = compared([each.summary for each in runs], own)
    for entry, each in zip(comparison["meshes"], runs, strict=True):
        entry["folder"] = str(each.folder.relative_to(first.folder))
    summary = first.summary | {"convergence": comparison}
    write_report(first.folder, summary)
    write_json(first.folder / "summary.json", summary)


__all__ = ["check_unfinished", "converged_run", "resumed_run", "series"]
