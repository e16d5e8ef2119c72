"""The table of a study: a row for each run that has ended."""

from __future__ import annotations

import csv
import os
import time as clock
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nanowarm.errors import SolveError
from nanowarm.studies.plan import Plan, PlannedRun, toml_text

FAILED = "failed"
PAUSE = 1.0  # [s] between two writings while runs end quickly


@dataclass(frozen=True)
class Row:
    """How a run ended.

    Args:
        summary: of a finished run.
        error: why there is none.
    """

    summary: Mapping[str, Any] | None
    error: str = ""

    @property
    def verdict(self) -> str:
        """`met`, `missed`, `unseen` or `failed`."""
        return FAILED if self.summary is None else str(self.summary["verdict"])

    def cells(self) -> Iterator[tuple[str, Any]]:
        """Columns and values: verdict, criteria, numbers of the regions, cost."""
        yield "verdict", self.verdict
        if self.summary is not None:
            yield "model", self.summary["model"]
            yield from _criteria(self.summary)
            for region, numbers in self.summary["regions"].items():
                yield from _numbers(region, numbers)
            yield "duration_s", self.summary["duration_s"]
            yield "cells", self.summary["mesh"]["cells"]
            yield "seconds", sum(self.summary["seconds"].values())


class Table:
    """What the runs of a study have found so far.

    Args:
        folder: of the study.
        plan: the study.
        rows: by digest of the run.
    """

    def __init__(self, folder: Path, plan: Plan, rows: dict[str, Row]) -> None:
        self.folder = folder
        self.plan = plan
        self.rows = rows
        self._searched: dict[str, PlannedRun] = {}
        self._written = 0.0

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / "table.csv"

    def add(self, run: PlannedRun, row: Row) -> None:
        """A run has ended."""
        self.recall(run, row)
        if clock.monotonic() - self._written > PAUSE:
            self.write()

    def recall(self, run: PlannedRun, row: Row) -> None:
        """A run had ended before."""
        self.rows[run.digest] = row
        if run.search:
            self._searched[run.digest] = run

    def ended(self) -> list[tuple[PlannedRun, Row]]:
        """Runs that have ended, in the order of the study; those of searches one search after the other."""
        runs = self.plan.runs if self.plan.input.search is None else self._searched.values()
        ended = [(run, self.rows[run.digest]) for run in runs if run.digest in self.rows]
        return sorted(ended, key=lambda pair: (pair[0].search, pair[0].number))

    def counts(self) -> dict[str, int]:
        """How many runs ended how."""
        return tally(self.rows.values())

    def content(self) -> tuple[list[dict[str, Any]], list[str]]:
        """Lines by column, and the columns in their order."""
        lines = [_line(run, row) for run, row in self.ended()]
        return lines, columns_of(lines, ("folder", "error"))

    def write(self) -> None:
        """Replace the file at once, so that a reader never sees half of it.

        Raises:
            SolveError: the disk is full.
        """
        write_lines(self.path, *self.content())
        self._written = clock.monotonic()


def columns_of(lines: Iterable[Mapping[str, Any]], last: Sequence[str] = ()) -> list[str]:
    """All columns that lines have, in the order in which they appear; some of them at the end."""
    columns = dict.fromkeys(name for line in lines for name in line)
    return [name for name in columns if name not in last] + list(last)


def write_lines(path: Path, lines: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Make or replace a CSV file at once.

    Args:
        path: of the file.
        lines: values by column; what a line lacks stays empty.
        columns: in their order.

    Raises:
        SolveError: the disk is full.
    """
    temporary = path.with_suffix(".part")
    try:
        with temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, restval="")
            writer.writeheader()
            writer.writerows(lines)
        os.replace(temporary, path)
    except OSError as error:
        raise SolveError(f"{path}: can't be written: {error.strerror or error}") from None


def tally(rows: Iterable[Row]) -> dict[str, int]:
    """How many runs ended how."""
    verdicts = [row.verdict for row in rows]
    return {verdict: verdicts.count(verdict) for verdict in ("met", "missed", "unseen", FAILED) if verdict in verdicts}


def _line(run: PlannedRun, row: Row) -> dict[str, Any]:
    """A line of the file by column."""
    numbers = {"search": run.search, "run": run.number} if run.search else {"run": run.number}
    line = {**numbers, **input_cells(run.inputs), **dict(row.cells())}
    return line | {"folder": f"runs/{run.digest}" if row.summary is not None else "", "error": row.error}


def input_cells(inputs: Mapping[str, Any]) -> dict[str, str | int | float]:
    """Values of a case as a table has them: sections and lists as TOML."""
    return {key: value if isinstance(value, str | int | float) else toml_text(value) for key, value in inputs.items()}


def _criteria(summary: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What each criterion asked, and how it ended; what limits the run first."""
    ranked = summary["limits"]
    if ranked:
        yield "limited by", ranked[0]["what"]
        yield "factor", _plain(ranked[0]["factor"])
    for number, entry in enumerate(summary["criteria"], 1):
        yield f"criterion {number}", f"{entry['kind']} of {entry['region']}"
        for part in ("value", "limit", "unit", "outcome"):
            yield f"criterion {number} {part}", _plain(entry[part])


def _numbers(name: str, content: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every number of a section, by the path of its key."""
    for key, value in content.items():
        if isinstance(value, Mapping):
            yield from _numbers(f"{name} {key}", value)
        elif isinstance(value, int | float) or value is None:
            yield f"{name} {key}", _plain(value)


def _plain(value: Any) -> Any:
    """A number without digits that only the machine's rounding decides."""
    if value is None:
        return ""
    return float(f"{value:.9g}") if isinstance(value, float) else value
