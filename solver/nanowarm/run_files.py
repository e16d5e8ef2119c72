"""The files of a run, made by its first rank: whole or not at all, each fault told in one line."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanowarm.case import Case
from nanowarm.errors import SolveError
from nanowarm.results.dose_histograms import write_histograms
from nanowarm.results.picture import make_picture
from nanowarm.results.rate_histograms import RateHistogram, write_rates
from nanowarm.results.report import write_report
from nanowarm.results.run_folder import hold, make_folder, write_citations, write_history, write_json, write_whole

if TYPE_CHECKING:
    from nanowarm.numerics.observers import Observers


@contextlib.contextmanager
def held(folder: Path, comm: Any) -> Iterator[None]:
    """While this run works in its folder, no other does.

    Raises:
        CaseError: another one does.
    """
    from nanowarm.numerics.ranks import on_first

    number = on_first(comm, lambda: hold(folder))
    try:
        yield
    finally:
        if comm.rank == 0:
            os.close(number)


def begin_folder(folder: Path, case: Case) -> None:
    """Make the run folder with the case in it, on rank 0.

    Raises:
        SolveError: the disk is full.
    """
    import tomli_w

    make_folder(folder)
    try:
        write_whole(folder / "case.toml", tomli_w.dumps(dict(case.filled)))
    except OSError as error:
        folder.rmdir()
        raise SolveError(f"{folder}: can't be written: {error.strerror or error}") from None


def write_files(folder: Path, observers: Observers, about: dict[str, Any], rates: Sequence[RateHistogram] = ()) -> None:
    """The files of the run folder that hold history and sources, on rank 0; a missing picture is noted.

    Raises:
        SolveError: the disk is full.
    """
    texts = [f"{row['source']} {row['note']}" for row in about["inputs"]] + about["notes"]
    with _disk(folder):
        write_history(folder / "history.csv", observers.columns(), observers.recorder.stages)
        if observers.histograms:
            write_histograms(folder / "histograms.csv", observers.histograms)
        if rates:
            write_rates(folder / "rates.csv", rates)
        write_citations(folder / "citations.bib", texts)
        reason = make_picture(folder)
        about["notes"] += [reason] if reason else []


def conclude(
    folder: Path, summary: dict[str, Any], about: dict[str, Any], seconds: dict[str, float], report: bool = True
) -> None:
    """The record, the report where one is wanted, and the verdict, on rank 0; the summary, the sign of a finished run, last.

    Raises:
        SolveError: the disk is full.
    """
    found = summary | {"seconds": seconds}
    with _disk(folder):
        write_json(folder / "record.json", about | {"seconds": seconds})
        if report:
            write_report(folder, found)
        write_json(folder / "summary.json", found)


@contextlib.contextmanager
def _disk(folder: Path) -> Iterator[None]:
    """What can't be written fails the run in one line."""
    try:
        yield
    except OSError as error:
        again = f"make room and go on with: nanowarm resume {folder}"
        raise SolveError(f"{error.filename or folder}: can't be written: {error.strerror or error}; {again}") from None
