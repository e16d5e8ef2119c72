"""The command `nanowarm study`."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated

import typer

from nanowarm.errors import SolveError


def study(
    file: Annotated[Path, typer.Argument(metavar="STUDY", help="study file (TOML)")],
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="DIR", help="folder of the study")] = None,
) -> None:
    """Run a case over a grid, list or sample of its values, or search for one, into a table; started again, it goes on."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    from nanowarm.studies.driver import run_study
    from nanowarm.studies.table import FAILED

    try:
        table = run_study(file, output, lambda line: print(line, flush=True))
    except KeyboardInterrupt:
        raise SolveError("stopped by a signal; start the study again to go on") from None
    counts = table.counts()
    print(f"{', '.join(f'{number} {verdict}' for verdict, number in counts.items())}; table: {table.path}")
    raise typer.Exit(SolveError.exit_code if FAILED in counts else 0)
