"""The command `nanowarm study`."""

from __future__ import annotations

import signal
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nanowarm.errors import CaseError, SolveError

if TYPE_CHECKING:
    from nanowarm.studies.table import Row

ONLY = "compute these runs only, beside other pieces: numbers, 1-12, digests, or 2/8 for the second of eight parts"


def study(
    file: Annotated[Path, typer.Argument(metavar="STUDY", help="study file (TOML)")],
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="DIR", help="folder of the study")] = None,
    listing: Annotated[bool, typer.Option("--list", help="list the runs and compute nothing")] = False,
    only: Annotated[str | None, typer.Option("--only", metavar="RUNS", help=ONLY)] = None,
    collect: Annotated[bool, typer.Option("--collect", help="make the table of the runs that there are")] = False,
) -> None:
    """Run a case over a grid, list or sample of its values, or search for one, into a table; started again, it goes on."""
    if collect and (listing or only is not None):
        raise CaseError("study: --collect is for all runs; give it without --list and --only")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if listing:
            _list(file, output, only)
        elif only is not None:
            _compute_piece(file, only, output)
        elif collect:
            _collect(file, output)
        else:
            _compute(file, output)
    except KeyboardInterrupt:
        raise SolveError("stopped by a signal; start the study again to go on") from None


def _compute(file: Path, output: Path | None) -> None:
    """Compute all runs."""
    from nanowarm.studies.driver import run_study

    table = run_study(file, output, _say)
    _conclude(table.rows.values(), f"; table: {table.path}")


def _list(file: Path, output: Path | None, only: str | None) -> None:
    """Print the runs, or those that are asked for."""
    from nanowarm.studies.pieces import listed

    for line in listed(file, output, only):
        _say(line)


def _compute_piece(file: Path, only: str, output: Path | None) -> None:
    """Compute some of the runs."""
    from nanowarm.studies.pieces import run_piece

    _conclude(run_piece(file, only, output, _say).values(), "; the table of all runs: nanowarm study --collect")


def _collect(file: Path, output: Path | None) -> None:
    """Make the table, and say what is missing in it."""
    from nanowarm.studies.pieces import collected
    from nanowarm.studies.selection import ranges

    table, missing = collected(file, output, _say)
    if missing:
        _say(f"missing: {len(missing)} of {len(table.plan.runs)} runs: {ranges([run.number for run in missing])}")
    _conclude(table.rows.values(), f"; table: {table.path}", complete=not missing)


def _say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


def _conclude(rows: Iterable[Row], rest: str, complete: bool = True) -> None:
    """Print how many runs ended how, and end with the exit code that says whether all are solved."""
    from nanowarm.studies.table import FAILED, tally

    counts = tally(rows)
    print(f"{', '.join(f'{number} {verdict}' for verdict, number in counts.items()) or 'no run'}{rest}")
    raise typer.Exit(SolveError.exit_code if FAILED in counts or not complete else 0)
