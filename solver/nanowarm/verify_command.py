"""The command `verify`: problems with exact solutions, computed on this machine."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nanowarm.errors import NanowarmError, SolveError
from nanowarm.events import Machine, Speaker
from nanowarm.interruption import Interruption

if TYPE_CHECKING:
    from nanowarm.verification.checking import Outcome
    from nanowarm.verification.problem import Problem

PROTOCOL = "verification.json"
FEWEST, MOST = 2, 80  # cells along the length of a body


def verify(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="problems; all where left out")] = None,
    listed: Annotated[bool, typer.Option("--list", help="say which problems there are, and compute nothing")] = False,
    cells: Annotated[
        list[int] | None,
        typer.Option("--cells", min=FEWEST, max=MOST, metavar="N", help="cells along a body; once for each mesh"),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help=f"folder to make: {PROTOCOL} and all runs")
    ] = None,
    machine: Machine = False,
) -> None:
    """Compute problems with exact solutions on this machine; print error and observed order of each."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ["PETSC_OPTIONS"] = f"{os.environ.get('PETSC_OPTIONS', '')} -no_signal_handler".strip()
    from nanowarm.launching import check_alone
    from nanowarm.verification.checking import chosen

    check_alone("verify")
    problems = chosen(names or ())
    speaker = Speaker("verify", " ".join(problem.name for problem in problems), machine)
    if listed:
        _list(problems, speaker)
        return
    Interruption().hear()  # either signal ends it at once: nothing is to be gone on with
    found: list[Outcome] = []
    try:
        with _folder(output) as folder:
            _compute(problems, (folder, cells or ()), (speaker, machine), found)
            passed = _conclude(found, output, speaker)
    except KeyboardInterrupt:
        raise SolveError(f"stopped by a signal after {len(found)} of {len(problems)} problems") from None
    raise typer.Exit(0 if passed else 1)


def _list(problems: Sequence[Problem], speaker: Speaker) -> None:
    """Say which problems there are."""
    from nanowarm.verification.telling import described

    for problem in problems:
        speaker.say(described(problem))
    speaker.result({"problems": [{"name": p.name, "title": p.title, "cells": p.cells} for p in problems], "exit_code": 0})


@contextlib.contextmanager
def _folder(output: Path | None) -> Iterator[Path]:
    """The folder for all files, and meshes that are made anew: the program that makes them is to be verified too.

    Raises:
        CaseError: the folder is there already, or can't be made.
    """
    from nanowarm.results.run_folder import make_folder, planned_folder

    with tempfile.TemporaryDirectory(prefix="nanowarm-", ignore_cleanup_errors=True) as scratch:
        os.environ["NANOWARM_CACHE"] = str(Path(scratch, "meshes"))
        if output is None:
            yield Path(scratch)
        else:
            make_folder(planned_folder(output, output))
            yield output


def _compute(
    problems: Sequence[Problem],
    how: tuple[Path, Sequence[int]],
    told: tuple[Speaker, bool],
    found: list[Outcome],
) -> None:
    """Compute problems one after the other: a line to each, or on a terminal a table of all at the end.

    Args:
        problems: to be computed.
        how: folder for their files, and cells along each body.
        told: who prints, and whether as JSON.
        found: gets the outcomes.
    """
    from nanowarm.terminal import is_live
    from nanowarm.verification.checking import outcome
    from nanowarm.verification.telling import line, print_table

    speaker, machine = told
    drawn = not machine and is_live()
    with _status(drawn) as now:
        for number, problem in enumerate(problems):
            now(f"{problem.name}, {number + 1} of {len(problems)}")
            try:
                found.append(outcome(problem, *how))
            except NanowarmError as error:
                raise type(error)(*(f"{problem.name}: {fault}" for fault in error.faults)) from None
            if not drawn:
                speaker.say(line(found[-1]))
    if drawn:
        print_table(found)


@contextlib.contextmanager
def _status(drawn: bool) -> Iterator[Callable[[str], None]]:
    """Shows on a terminal what is being computed; elsewhere nothing."""
    if not drawn:
        yield lambda text: None
        return
    from rich.console import Console

    with Console().status("") as status:
        yield lambda text: status.update(text)


def _conclude(found: Sequence[Outcome], output: Path | None, speaker: Speaker) -> bool:
    """Say how it ended and keep it where asked; whether all passed."""
    from nanowarm.results.run_folder import write_json
    from nanowarm.verification.checking import protocol
    from nanowarm.verification.telling import last_line

    content = protocol(found)
    if output is not None:
        write_json(output / PROTOCOL, content)
        speaker.say(f"wrote {output / PROTOCOL}")
    speaker.say(last_line(found))
    speaker.result(content | {"exit_code": 0 if content["passed"] else 1})
    return bool(content["passed"])
