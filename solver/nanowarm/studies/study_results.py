"""A study read back from its folder: its table, its answers, and how it shows itself."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from nanowarm.errors import CaseError
from nanowarm.quantity import number_and_unit
from nanowarm.studies.study_file import StudyInput, read_study
from nanowarm.studies.table import Row

TEXTS = ("folder", "error", "verdict", "limited by")  # columns that hold no numbers, whatever stands there


@dataclass(frozen=True)
class Study:
    """A study that was carried through, or the part of it that there is: its folder, read when asked.

    Args:
        folder: of the study.
    """

    folder: Path

    @cached_property
    def about(self) -> Mapping[str, Any]:
        """Content of `study.json`: study file, case, versions, digests of the runs."""
        return _json_file(self.folder / "study.json")

    @cached_property
    def asked(self) -> StudyInput:
        """Content of the study file, as it was when the study began."""
        return read_study(self.folder / "study.toml")

    @property
    def title(self) -> str:
        """As the study file has it."""
        return self.asked.title or self.folder.absolute().name

    @cached_property
    def table(self) -> list[dict[str, Any]]:
        """A mapping by column for each run that has ended: numbers as numbers, None where there is nothing."""
        try:
            with (self.folder / "table.csv").open(newline="", encoding="utf-8") as file:
                return [{name: _value(name, text) for name, text in line.items()} for line in csv.DictReader(file)]
        except (OSError, csv.Error, UnicodeDecodeError) as error:
            raise CaseError(f"{self.folder / 'table.csv'}: can't be read: {error}") from None

    @cached_property
    def rows(self) -> list[Row]:
        """How each run of the table ended."""
        return [self._row(line) for line in self.table]

    @cached_property
    def inputs(self) -> list[str]:
        """Columns of the values that change from run to run."""
        columns = list(self.table[0]) if self.table else []
        first = columns[: columns.index("verdict")] if "verdict" in columns else []
        listed = [key for row in self.asked.rows or () for key in row if key in columns]
        return list(dict.fromkeys(name for name in [*first, *listed] if name not in ("search", "run")))

    @cached_property
    def answers(self) -> list[dict[str, Any]]:
        """What its searches have found; nothing of another study."""
        file = self.folder / "answers.json"
        return list(_json_file(file)["answers"]) if self.asked.search is not None and file.is_file() else []

    @cached_property
    def uncertainty(self) -> Mapping[str, Any] | None:
        """Content of `uncertainty.json`; None of another study, or where that has not ended."""
        file = self.folder / "uncertainty.json"
        return _json_file(file) if self.asked.uncertainty is not None and file.is_file() else None

    @property
    def left(self) -> int:
        """Runs that have not ended; of searches, which ask for one after the other, none."""
        return 0 if self.asked.search is not None else max(0, len(self.about["runs"]) - len(self.table))

    def dataframe(self) -> Any:
        """The table as a pandas DataFrame.

        Raises:
            CaseError: pandas is not installed.
        """
        try:
            import pandas
        except ImportError:
            raise CaseError("dataframe: pandas is not installed: pip install pandas; `table` does without") from None
        return pandas.DataFrame(self.table)

    def plot(self) -> Any:
        """How many times the tightest limit is kept in each run, and how the run ended, as a matplotlib figure."""
        from matplotlib.figure import Figure

        from nanowarm.studies.study_charts import draw_runs

        figure = Figure(figsize=(7.0, 4.0), layout="constrained")
        draw_runs(figure, self)
        return figure

    def _repr_html_(self) -> str:
        """The study as a notebook shows it."""
        from nanowarm.studies.study_notebook import study_html

        return study_html(self)

    def _row(self, line: Mapping[str, Any]) -> Row:
        """How the run of a line ended, with its summary where that is still there."""
        if not line["folder"]:
            return Row(None, line["error"] or "")
        file = self.folder / line["folder"] / "summary.json"
        return Row(_json_file(file)) if file.is_file() else Row({"verdict": line["verdict"], "limits": [], "criteria": []})


def open_study(folder: str | Path) -> Study:
    """The study in a folder.

    Raises:
        CaseError: there is none, or nothing of it has ended.
    """
    folder = Path(folder)
    if not (folder / "study.json").is_file():
        raise CaseError(f"{folder}: no study: there is no study.json in it")
    if not (folder / "table.csv").is_file():
        raise CaseError(f"{folder}: no table.csv in it: start the study again, or make the table with nanowarm study --collect")
    return Study(folder)


def study(path: str | Path, folder: str | Path | None = None, say: Callable[[str], None] = lambda line: None) -> Study:
    """Carry a study through; the same study goes on where it was.

    Args:
        path: the study file.
        folder: of the study; `runs/<study>` where left out.
        say: hears of the progress.

    Raises:
        CaseError: the study can't be used; nothing was computed.
        SolveError: the disk is full.
    """
    from nanowarm.studies.driver import run_study

    return Study(run_study(path, None if folder is None else Path(folder), say).folder)


def amount(value: Any) -> float | None:
    """The number of a value with or without a unit; None where it is none."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = number_and_unit(value)[0] if isinstance(value, str) else float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _value(name: str | None, text: str | None) -> Any:
    """What a cell of the table holds."""
    if not text:
        return None
    if name in TEXTS or "_" in text:
        return text
    try:
        return int(text) if text.removeprefix("-").isdecimal() else float(text)
    except ValueError:
        return text


def _json_file(file: Path) -> dict[str, Any]:
    """Content of a JSON file.

    Raises:
        CaseError: it can't be read.
    """
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CaseError(f"{file}: can't be read: {error}") from None
    return content
