"""Files of measured or simulated fields: CSV with units in its header, or VTK."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from nanowarm import quantity
from nanowarm.physics.curves import Array

LengthUnit = Literal["m", "cm", "mm", "um", "inch"]

_COLUMN = re.compile(r"\s*[%#]?\s*(?P<name>.+?)\s*(?:\[(?P<square>[^\]]*)\]|\((?P<round>[^)]*)\))?\s*")
_COMPONENTS = ("x", "y", "z")


@dataclass(frozen=True, eq=False)
class MapTable:
    """A field at points, as a file holds it.

    Args:
        points: [m], shape (n, 3).
        columns: H or its amplitude [A/m], and perhaps the vector potential [T m], shape (n, 1 to 6).
        vector: whether the first three columns are the components of H; else the first is |H|.
        potential: whether the last three columns are the vector potential.
    """

    points: Array
    columns: Array
    vector: bool
    potential: bool


@dataclass(frozen=True)
class MapFormat:
    """What a VTK file does not say itself.

    Args:
        unit: of its coordinates.
        array: name of its array.
        array_unit: of that array.
    """

    unit: LengthUnit | None = None
    array: str | None = None
    array_unit: str | None = None


def read_map_file(file: Path, form: MapFormat) -> MapTable:
    """The field that a file holds, not yet looked at as a whole.

    Raises:
        ValueError: it can't be read, lacks a unit, or holds no or other than finite numbers.
    """
    if not file.is_file():
        raise ValueError(f"there is no such file: {file}")
    readers = {".csv": _from_csv, ".txt": _from_csv, ".tsv": _from_csv}
    readers |= dict.fromkeys((".vti", ".vtr", ".vts", ".vtu", ".vtk", ".vtp"), _from_vtk)
    if file.suffix.lower() not in readers:
        raise ValueError(f"{file.name}: unknown kind of file; known: {', '.join(readers)}")
    table = readers[file.suffix.lower()](file, form)
    faulty = ~np.isfinite(np.column_stack((table.points, table.columns))).all(axis=1)
    if faulty.any():
        first = int(np.argmax(faulty)) + 1
        raise ValueError(f"{file.name}: {faulty.sum()} of {len(faulty)} points hold NaN or infinity, the first in row {first}")
    return table


def _from_csv(file: Path, form: MapFormat) -> MapTable:
    header, skipped = _header(file)
    delimiter = next((mark for mark in (";", "\t", ",") if mark in header), ",")
    given: dict[str, tuple[int, float]] = {}
    for place, text in enumerate(header.split(delimiter)):
        match = _COLUMN.fullmatch(text)
        name = match["name"].strip().lower() if match else ""
        if match is None or not re.fullmatch(r"[xyz]|[hb]|[hba][xyz]", name):
            continue
        if name in given:
            raise ValueError(f'{file.name}: the column "{text.strip()}" is there twice')
        given[name] = place, _factor(file, text.strip(), name, match["square"] or match["round"])
    chosen, vector, potential = _chosen(file, given)
    used = [*_COMPONENTS, *chosen]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a file without rows, told below
            numbers = np.loadtxt(file, delimiter=delimiter, skiprows=skipped, comments=("#", "%"), ndmin=2, encoding="utf-8-sig")
    except (ValueError, OSError) as error:
        raise ValueError(f"{file.name}: {' '.join(str(error).split())} (below the header): damaged or cut off?") from None
    if not len(numbers):
        raise ValueError(f"{file.name}: no rows below the header")
    if numbers.shape[1] != len(header.split(delimiter)):
        raise ValueError(f"{file.name}: {len(header.split(delimiter))} columns in the header, {numbers.shape[1]} in the rows")
    scaled = np.column_stack([numbers[:, given[name][0]] * given[name][1] for name in used])
    return MapTable(scaled[:, :3], scaled[:, 3:], vector, potential)


def _header(file: Path) -> tuple[str, int]:
    """The line that names the columns, and how many lines end with it: the first that is no comment, or the last comment."""
    comment, number = "", 0
    try:
        with file.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines):
                if line.lstrip().startswith(("#", "%")):
                    comment = line
                elif line.strip():
                    is_row = bool(re.match(r"\s*[-+.\d]", line))
                    return (comment.strip(), number) if is_row else (line.strip(), number + 1)
    except UnicodeDecodeError:
        raise ValueError(f"{file.name}: not text in UTF-8") from None
    raise ValueError(f"{file.name}: no rows: empty or cut off")


def _chosen(file: Path, given: Mapping[str, object]) -> tuple[list[str], bool, bool]:
    """The columns of field and vector potential, whether the field is a vector, and whether there is a potential."""
    missing = [name for name in _COMPONENTS if name not in given]
    if missing:
        example = "x [mm], y [mm], z [mm], H [kA/m]"
        raise ValueError(f'{file.name}: no column {", ".join(missing)}; the header should read e.g. "{example}"')
    triples = {letter: [letter + component for component in _COMPONENTS] for letter in "hba"}
    full = {letter: all(name in given for name in names) for letter, names in triples.items()}
    for letter, names in triples.items():
        if not full[letter] and any(name in given for name in names):
            lacking = next(name for name in names if name not in given)
            raise ValueError(f"{file.name}: no column {lacking[0].upper()}{lacking[1]}: give all three components")
    fields = [triples[letter] for letter in "hb" if full[letter]] + [[name] for name in "hb" if name in given]
    if not fields:
        raise ValueError(f"{file.name}: no field: give the columns Hx, Hy, Hz, or H alone for an amplitude, or B likewise")
    field = fields[0]
    return field + (triples["a"] if full["a"] else []), len(field) == 3, full["a"]


def _factor(file: Path, column: str, name: str, unit: str | None) -> float:
    """What a number of a column is multiplied by to be in SI; flux density becomes H = B / mu0."""
    example = {"h": "kA/m", "b": "mT", "a": "T*m"}.get(name[0], "mm")
    if not unit:
        raise ValueError(f'{file.name}: write the unit of the column "{column}", e.g. "{column} [{example}]"')
    try:
        if name in _COMPONENTS:
            return quantity.convert(f"1 {unit}", "m")
        return quantity.convert(f"1 {unit}", "T*m") if name[0] == "a" else quantity.field_amplitude(f"1 {unit}")
    except ValueError as error:
        raise ValueError(f'{file.name}: column "{column}": {error}') from None


def _from_vtk(file: Path, form: MapFormat) -> MapTable:
    import pyvista

    if form.unit is None:
        raise ValueError(f'{file.name}: a VTK file has no unit of length: give `unit`, e.g. "mm"')
    try:
        with pyvista.vtk_verbosity("off"):
            grid = pyvista.read(file)
    except Exception as error:  # readers raise many kinds for one cause: a file they can't read
        raise ValueError(f"{file.name}: can't be read: {' '.join(str(error).split())}") from None
    arrays = {str(name): np.asarray(grid.point_data[name], dtype=float) for name in getattr(grid, "point_data", {})}
    if not getattr(grid, "n_points", 0) or not arrays:
        raise ValueError(f"{file.name}: no values at points: damaged, cut off, or values of cells only")
    named = {name: match for name in arrays if (match := _COLUMN.fullmatch(name)) and match["name"].upper() in ("H", "B")}
    name = form.array or next(iter(named), None)
    if name is None or name not in arrays or (form.array is None and len(named) > 1):
        raise ValueError(f"{file.name}: which array is the field? give `array`: {', '.join(arrays)}")
    match = _COLUMN.fullmatch(name)
    unit = form.array_unit or (match and (match["square"] or match["round"]))
    if not unit:
        raise ValueError(f'{file.name}: give the unit of the array "{name}" as `array_unit`, e.g. "kA/m"')
    values = arrays[name].reshape(grid.n_points, -1)
    if values.shape[1] not in (1, 3):
        raise ValueError(f'{file.name}: the array "{name}" has {values.shape[1]} components; 1 (amplitude) or 3 are needed')
    columns = values * _factor(file, name, "h", unit)
    points = np.asarray(grid.points, dtype=float) * quantity.convert(f"1 {form.unit}", "m")
    return MapTable(points, columns, values.shape[1] == 3, False)
