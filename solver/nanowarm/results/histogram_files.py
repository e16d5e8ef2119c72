"""Files of histograms: one table of comma-separated values with a fixed header."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path


def write_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a header and the rows below it."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def read_rows(path: Path, header: Sequence[str]) -> list[list[str]]:
    """The rows that `write_rows` wrote; none where there is no such file.

    Raises:
        ValueError: its columns are others.
    """
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        found, *rows = list(csv.reader(file)) or [[]]
    if found != list(header):
        raise ValueError(f"{path.name} has other columns than {', '.join(header)}")
    return rows
