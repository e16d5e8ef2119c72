"""The command `nanowarm study`."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nanowarm.completion import case_files
from nanowarm.errors import CaseError, SolveError
from nanowarm.events import Machine, Speaker

if TYPE_CHECKING:
    from nanowarm.studies.study_live import LiveStudy
    from nanowarm.studies.table import Row

ONLY = "compute these runs only, beside other pieces: numbers, 1-12, digests, or 2/8 for the second of eight parts"


def study(
    file: Annotated[Path, typer.Argument(metavar="STUDY", help="study file (TOML)", autocompletion=case_files)],
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="DIR", help="folder of the study")] = None,
    listing: Annotated[bool, typer.Option("--list", help="list the runs and compute nothing")] = False,
    only: Annotated[str | None, typer.Option("--only", metavar="RUNS", help=ONLY)] = None,
    collect: Annotated[bool, typer.Option("--collect", help="make the table of the runs that there are")] = False,
    machine: Machine = False,
) -> None:
    """Run a case over a grid, list or sample of its values, or search for one, into a table; started again, it goes on."""
    if collect and (listing or only is not None):
        raise CaseError("study: --collect is for all runs; give it without --list and --only")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    speaker = Speaker("study", file, machine)
    try:
        if listing:
            _list(file, output, only, speaker)
        elif only is not None:
            _compute_piece(file, only, output, speaker)
        elif collect:
            _collect(file, output, speaker)
        else:
            _compute(file, output, speaker)
    except KeyboardInterrupt:
        raise SolveError("stopped by a signal; start the study again to go on") from None


def _compute(file: Path, output: Path | None, speaker: Speaker) -> None:
    """Compute all runs."""
    from nanowarm.studies.driver import run_study
    from nanowarm.studies.watching import NOBODY

    with _drawn(speaker) as live:
        table = run_study(file, output, live.say if live else speaker.say, live or NOBODY)
        _conclude(speaker, table.rows.values(), table.path, live=live)


@contextlib.contextmanager
def _drawn(speaker: Speaker) -> Iterator[LiveStudy | None]:
    """What draws a study on a terminal, wiped off at the end; None where lines or events are told."""
    from nanowarm.terminal import is_live

    if speaker.machine or not is_live():
        yield None
        return
    from nanowarm.studies.study_live import LiveStudy

    with contextlib.closing(LiveStudy()) as live:
        yield live


def _list(file: Path, output: Path | None, only: str | None, speaker: Speaker) -> None:
    """Print the runs, or those that are asked for."""
    from nanowarm.studies.pieces import listed

    for line in listed(file, output, only):
        speaker.say(line)


def _compute_piece(file: Path, only: str, output: Path | None, speaker: Speaker) -> None:
    """Compute some of the runs."""
    from nanowarm.studies.pieces import run_piece
    from nanowarm.studies.watching import NOBODY

    with _drawn(speaker) as live:
        rows = run_piece(file, only, output, live.say if live else speaker.say, live or NOBODY)
    _conclude(speaker, rows.values(), None)


def _collect(file: Path, output: Path | None, speaker: Speaker) -> None:
    """Make the table, and say what is missing in it."""
    from nanowarm.studies.pieces import collected
    from nanowarm.studies.selection import ranges

    table, missing = collected(file, output, speaker.say)
    if missing:
        speaker.say(f"missing: {len(missing)} of {len(table.plan.runs)} runs: {ranges([run.number for run in missing])}")
    with _drawn(speaker) as live:
        _conclude(speaker, table.rows.values(), table.path, complete=not missing, live=live)


def _conclude(
    speaker: Speaker, rows: Iterable[Row], path: Path | None, complete: bool = True, live: LiveStudy | None = None
) -> None:
    """Say how many runs ended how, and end with the exit code that says whether all are solved.

    Args:
        speaker: says it.
        rows: how the runs ended.
        path: of the table; None where these are a piece of the runs.
        complete: whether no run is missing.
        live: shows the answer in a panel instead.
    """
    from nanowarm.studies.study_results import open_study
    from nanowarm.studies.table import FAILED, tally

    counts = tally(rows)
    if live is not None and path is not None:
        live.conclude(open_study(path.parent))
    else:
        speaker.say(_counted(counts, path))
    code = SolveError.exit_code if FAILED in counts or not complete else 0
    speaker.result({"runs": dict(counts), "table": None if path is None else str(path), "exit_code": code})
    raise typer.Exit(code)


def _counted(counts: Mapping[str, int], path: Path | None) -> str:
    """How many runs ended how, and where the table is."""
    where = "the table of all runs: nanowarm study --collect" if path is None else f"table: {path}"
    return f"{', '.join(f'{number} {verdict}' for verdict, number in counts.items()) or 'no run'}; {where}"
