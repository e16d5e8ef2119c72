"""Tables of specific power in CSV files."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nanowarm.quantity import FIELD_AMPLITUDE, FREQUENCY, PARTICLE_DIAMETER, SPECIFIC_POWER, TEMPERATURE, Dimension

_HEADER = re.compile(r"\s*(\w+)\s*\[\s*([^\]]+?)\s*\]\s*")
_COLUMNS = {"field": FIELD_AMPLITUDE, "frequency": FREQUENCY, "temperature": TEMPERATURE, "power": SPECIFIC_POWER}
_ALL = _COLUMNS | {"diameter": PARTICLE_DIAMETER}
KEYS = {"field": "fields", "frequency": "frequencies", "temperature": "at"}  # of a column, in a table


def read_table(path: Path) -> dict[str, Any]:
    """The keys of a table from a CSV file whose rows are sorted and complete.

    Raises:
        ValueError: with the line at fault.
    """
    rows: dict[tuple[float, ...], float] = {}
    names: tuple[str, ...] = ()
    for where, values in _rows(path, _COLUMNS):
        power = values.pop("power")
        names, place = tuple(values), tuple(values.values())
        if place in rows:
            raise ValueError(f"{where}: the same {' and '.join(values)} as in a line before")
        rows[place] = power
    return _grid_of_rows(path, names, rows)


def read_points(path: Path) -> list[dict[str, float]]:
    """Measured points of a CSV file in SI, each with the columns of the file: also `diameter`.

    Raises:
        ValueError: with the line at fault.
    """
    return [values for _, values in _rows(path, _ALL)]


def _rows(path: Path, known: Mapping[str, Dimension]) -> list[tuple[str, dict[str, float]]]:
    """Where each row stands, and its values in SI by column."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = [
                (number, row) for number, row in enumerate(csv.reader(file), 1) if row and not row[0].lstrip().startswith("#")
            ]
    except (OSError, ValueError, csv.Error) as error:
        raise ValueError(f"file: {path}: can't be read: {getattr(error, 'strerror', None) or error}") from None
    if len(lines) < 2:
        raise ValueError(f"file: {path}: it has no rows")
    names, units = _columns(path, lines[0][1], known)
    return [(f"file: {path}: line {n}", _values(f"file: {path}: line {n}", cells, names, units)) for n, cells in lines[1:]]


def _columns(path: Path, header: Sequence[str], known: Mapping[str, Dimension]) -> tuple[list[str], list[str]]:
    """Names and units of the columns."""
    found = [_HEADER.fullmatch(cell) for cell in header]
    names = [match[1] if match else "" for match in found]
    wrong = [cell for cell, name in zip(header, names, strict=True) if name not in known or names.count(name) > 1]
    if wrong:
        wanted = ", ".join(f"{name} [{dimension.example.split(' ', 1)[1]}]" for name, dimension in known.items())
        raise ValueError(
            f"file: {path}: no column {wrong[0].strip()!r}; columns are any of {wanted}, once each and with their unit"
        )
    if "power" not in names or len(names) < 2:
        raise ValueError(f"file: {path}: a column `power [W/gFe]` is needed, and one of the others")
    return names, [match[2] for match in found if match]


def _values(where: str, cells: Sequence[str], names: Sequence[str], units: Sequence[str]) -> dict[str, float]:
    if len(cells) != len(names):
        raise ValueError(f"{where}: {len(cells)} cells under a header of {len(names)}")
    values = {}
    for name, unit, cell in zip(names, units, cells, strict=True):
        try:
            values[name] = _ALL[name].parse(f"{cell.strip()} {unit}")
        except ValueError as error:
            raise ValueError(f"{where}: {name}: {error}") from None
    return values


def _grid_of_rows(path: Path, names: Sequence[str], rows: Mapping[tuple[float, ...], float]) -> dict[str, Any]:
    """The keys of a table whose rows are sorted by its columns in some order, the first the slowest, and fill a grid."""
    places = list(rows)
    orders = list(itertools.permutations(range(len(names))))
    if not any(all(_lower(a, b, order) for a, b in itertools.pairwise(places)) for order in orders):
        raise ValueError(f"file: {path}: the rows are not sorted: {', '.join(names)} must increase")
    axes = {name: sorted({place[column] for place in places}) for column, name in enumerate(names)}
    wanted = [name for name in KEYS if name in names]
    nested = np.empty([len(axes[name]) for name in wanted], dtype=object)
    for index in np.ndindex(nested.shape):
        chosen = {name: axes[name][i] for name, i in zip(wanted, index, strict=True)}
        place = tuple(chosen[name] for name in names)
        if place not in rows:
            missing = ", ".join(f"{name} {value:g} {_COLUMNS[name].unit}" for name, value in chosen.items())
            raise ValueError(f"file: {path}: incomplete: no row for {missing}; every combination is needed")
        nested[index] = SPECIFIC_POWER.text(rows[place])
    texts = {KEYS[name]: tuple(_COLUMNS[name].text(value) for value in axes[name]) for name in wanted}
    return texts | {"values": _tuples(nested.tolist())}


def _lower(before: tuple[float, ...], after: tuple[float, ...], order: Sequence[int]) -> bool:
    return [before[column] for column in order] < [after[column] for column in order]


def _tuples(nested: Any) -> Any:
    return tuple(_tuples(part) for part in nested) if isinstance(nested, list) else nested
