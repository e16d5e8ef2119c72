"""The files of a run folder for people and machines, and the folder read back."""

from __future__ import annotations

import csv
import fcntl
import itertools
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanowarm.errors import CaseError

SCHEMA = 1  # of summary.json
_ENTRY = re.compile(r"@\w+\{\s*([^,\s]+)\s*,.*?\n\}", re.DOTALL)


def planned_folder(case: Path, folder: Path | None) -> Path:
    """The run folder that a run will make: the one asked for, or the first free `runs/<case>-<n>`.

    Raises:
        CaseError: it exists already, or can't be made there.
    """
    if folder is None:
        numbered = (Path("runs") / f"{case.stem}-{number}" for number in itertools.count(1))
        folder = next(path for path in numbered if not os.path.lexists(path))
    if os.path.lexists(folder):
        raise CaseError(f"{folder}: exists already and is never overwritten; choose another folder with -o")
    parent = next((parent for parent in folder.absolute().parents if os.path.lexists(parent)), Path("/"))
    if not parent.is_dir():
        raise CaseError(f"{folder}: can't be made: {parent} is not a folder; choose another folder with -o")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise CaseError(f"{folder}: can't be made: no permission to write in {parent}; choose another folder with -o")
    return folder


def unfinished(folder: Path) -> Path:
    """The case file of a run that was broken off.

    Raises:
        CaseError: it is no run folder, or the run is finished.
    """
    if (folder / "summary.json").is_file():
        raise CaseError(f"{folder}: this run is finished; its report: {folder / 'report.html'}")
    if not (folder / "case.toml").is_file():
        raise CaseError(f"{folder}: no run to go on with: there is no case.toml in it")
    return folder / "case.toml"


def hold(folder: Path) -> int:
    """Hold a run folder for this process alone; the open file that does, which ends with the process.

    Raises:
        CaseError: another process works in it.
    """
    number = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(number)
        raise CaseError(f"{folder}: this run is going on; wait for its end") from None
    except OSError:  # a file system without locks
        pass
    return number


def make_folder(folder: Path) -> None:
    """Make a run folder that does not exist yet.

    Raises:
        CaseError: somebody else has made it, or it can't be made.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir()
    except FileExistsError:
        raise CaseError(f"{folder}: exists already and is never overwritten; choose another folder with -o") from None
    except OSError as error:
        raise CaseError(f"{folder}: can't be made: {error.strerror}") from None


def write_whole(path: Path, text: str) -> None:
    """A text file that is there whole, or as it was before, on the disk."""
    unfinished = path.with_name(f"{path.name}.part")
    try:
        with unfinished.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        error.filename = error.filename or str(path)
        raise


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """A JSON file that never holds NaN, whole or not at all."""
    write_whole(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_history(path: Path, columns: Mapping[str, Sequence[float]], stages: Sequence[str]) -> None:
    """Rows over time, the stage behind the time."""
    names = list(columns)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([names[0], "stage", *names[1:]])
        for stage, row in zip(stages, zip(*columns.values(), strict=True), strict=True):
            writer.writerow([f"{row[0]:.9g}", stage, *(f"{value:.12g}" for value in row[1:])])


def write_citations(path: Path, texts: Sequence[str]) -> None:
    """The library's BibTeX entries whose keys the given sources and notes name."""
    library = Path(str(resources.files("nanowarm"))) / "library" / "citations.bib"
    words = set(re.findall(r"[A-Za-z][\w-]*", " ".join(texts)))
    entries = [match for match in _ENTRY.finditer(library.read_text(encoding="utf-8")) if match[1] in words]
    path.write_text("\n\n".join(match[0] for match in entries) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class Run:
    """A finished run: its folder, read when asked.

    Args:
        folder: the run folder.
    """

    folder: Path

    @cached_property
    def summary(self) -> dict[str, Any]:
        """Content of `summary.json`."""
        content: dict[str, Any] = json.loads((self.folder / "summary.json").read_text(encoding="utf-8"))
        return content

    @property
    def verdict(self) -> str:
        """`met`, `missed` or `unseen`."""
        return str(self.summary["verdict"])

    @cached_property
    def history(self) -> dict[str, NDArray[Any]]:
        """Columns of `history.csv`, shape (rows,) each; `pandas.DataFrame(run.history)` works."""
        with (self.folder / "history.csv").open(newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file)
        columns = dict(zip(header, zip(*rows, strict=True), strict=True))
        return {name: np.array(column, dtype=str if name == "stage" else float) for name, column in columns.items()}

    def plot(self) -> Any:
        """Coldest, mean and hottest temperature of every region over time, as a matplotlib figure."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(7, 4), layout="constrained")
        axes = figure.add_subplot(xlabel="time [s]", ylabel="temperature [°C]")
        axes.set_title(self.summary["title"], fontsize=10.0, parse_math=False, wrap=True)
        time = self.history["time_s"]
        for region in self.summary["regions"]:
            low, mean, high = (self.history[f"{region}_{what}_degC"] for what in ("min", "mean", "max"))
            (line,) = axes.plot(time, mean, label=f"\u200b{region}")  # a name may begin with an underline
            axes.fill_between(time, low, high, color=line.get_color(), alpha=0.25, linewidth=0)
        for text in axes.legend().get_texts():
            text.set_parse_math(False)
        return figure

    def _repr_html_(self) -> str:
        """The run as a notebook shows it."""
        from nanowarm.results.notebook import run_html

        return run_html(self)


def open_run(folder: str | Path) -> Run:
    """The run in a folder.

    Raises:
        CaseError: it is no finished run.
    """
    folder = Path(folder)
    if not (folder / "summary.json").is_file():
        raise CaseError(f"{folder}: no finished run: there is no summary.json in it")
    return Run(folder)
