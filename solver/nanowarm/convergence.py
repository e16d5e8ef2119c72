"""The same case on two or three meshes, and what they say about the discretisation error."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from nanowarm.case import Case, with_mesh
from nanowarm.mesh_section import MeshInput
from nanowarm.pipeline import Listener, run
from nanowarm.results.convergence import compared
from nanowarm.results.report import write_report
from nanowarm.results.run_folder import Run, write_json

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
    from nanowarm.numerics.ranks import on_first
    from nanowarm.numerics.stack import MPI

    comm = MPI.COMM_WORLD
    meshes, own = on_first(comm, lambda: series(case))
    first = run(case, folder, listener=listener)
    runs: list[Run] = []
    for number, mesh in enumerate(meshes):
        if number == own:
            runs.append(first)
            continue
        listener.say(f"mesh {number + 1} of {len(meshes)}: coarsening {mesh.coarsening:.3g}, refined {mesh.refine} times")
        other = with_mesh(case, mesh)
        runs.append(run(other, first.folder / "convergence" / f"mesh-{number + 1}", listener=listener))
    on_first(comm, lambda: _write(first, runs, own))
    return Run(first.folder)


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
    write_json(first.folder / "summary.json", first.summary | {"convergence": comparison})
    write_report(first.folder)


__all__ = ["converged_run", "series"]
