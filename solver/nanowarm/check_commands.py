"""The commands `check` and `mesh`: what is known of a case before it is solved."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nanowarm.completion import case_files
from nanowarm.errors import NanowarmError
from nanowarm.events import Machine, Speaker

CaseFile = Annotated[Path, typer.Argument(metavar="CASE", help="case file (TOML)", autocompletion=case_files)]
Overrides = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="replace a value of the case file")]


def check(case: CaseFile, overrides: Overrides = None, machine: Machine = False) -> None:
    """Find everything that can be found without solving."""
    from nanowarm.case import load_case
    from nanowarm.inspection import forecast, serial_mesh
    from nanowarm.mesh_report import mesh_report, mesh_warnings

    speaker = Speaker("check", case, machine)
    loaded = load_case(case, overrides or ())
    made = serial_mesh(loaded)
    for note in made.notes:
        speaker.say(f"note: {note}")
    found = forecast(loaded, made)
    for warning in (*found.warnings, *mesh_warnings(mesh_report(loaded, made))):
        speaker.say(f"warning: {warning}")
    speaker.say(f"mesh: {found.cells} tetrahedra, {found.nodes} nodes")
    speaker.say(f"stiffness: {found.stiffness_line()}")
    speaker.say(f"estimate: {found.steps} steps, {max(found.seconds, 0.1):.1f} s on one core, {found.memory_mb:.0f} MB")
    speaker.say(f"{case}: can be run")
    mesh = {"cells": found.cells, "nodes": found.nodes}
    speaker.result(mesh | {"steps": found.steps, "seconds": found.seconds, "memory_MB": found.memory_mb, "exit_code": 0})


def mesh(
    case: CaseFile,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="DIR", help="folder to make")] = None,
    overrides: Overrides = None,
    machine: Machine = False,
) -> None:
    """Make the mesh, say how good it is, save it with pictures; tell names that the case and the mesh don't share."""
    from nanowarm.case import load_case
    from nanowarm.inspection import forecast, save_mesh, serial_mesh
    from nanowarm.mesh_report import mesh_report
    from nanowarm.results.run_folder import make_folder, planned_folder

    speaker = Speaker("mesh", case, machine)
    loaded = load_case(case, overrides or ())
    folder = planned_folder(Path(f"{case.stem}-mesh"), output)
    made = serial_mesh(loaded)
    cost, fault = None, None
    try:
        cost = forecast(loaded, made)
    except NanowarmError as error:  # a mesh whose names aren't known yet is worth looking at
        fault = error
    report = mesh_report(loaded, made)
    make_folder(folder)
    for line in (*_mesh_lines(report, cost), *save_mesh(report, folder, cost)):
        speaker.say(line)
    if fault is not None:
        raise fault
    speaker.result({"folder": str(folder), "mesh": str(folder / "mesh.json"), "exit_code": 0})


def _mesh_lines(report: Any, cost: Any) -> list[str]:
    """What `mesh` prints of a mesh and of the cost of a run on it, where that is known."""
    from nanowarm.mesh_report import mesh_warnings, report_lines

    stiffness = [] if cost is None else [f"stiffness: {cost.stiffness_line()}"]
    return [*report_lines(report), *stiffness, *(f"warning: {warning}" for warning in mesh_warnings(report))]
