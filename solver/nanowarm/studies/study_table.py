"""The table of a study as its report shows it: columns that a reader compares, each with what it is sorted by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from nanowarm.quantity import number_and_unit
from nanowarm.results.sentences import is_upper, number_text, readable
from nanowarm.studies.searches import kept
from nanowarm.studies.study_results import Study, amount

DIGITS = 4
MOST_LETTERS = 80  # of a value that is a section of the case


@dataclass(frozen=True)
class Cell:
    """What stands in one place of the table.

    Args:
        text: as shown.
        number: that it is sorted by; None where it is sorted by its text.
        link: to the report of the run, relative to the folder; empty without one.
    """

    text: str
    number: float | None = None
    link: str = ""


@dataclass(frozen=True, eq=False)
class Column:
    """A column of the table.

    Args:
        label: its heading.
        cells: from the first run to the last.
        numeric: whether it holds numbers.
    """

    label: str
    cells: tuple[Cell, ...]
    numeric: bool = True


def columns(study: Study) -> list[Column]:
    """The columns that runs are compared by; none that stay the same but the first ones."""
    if not study.table:
        return []
    varying = [column for column in _numbers(study) if len({cell.text for cell in column.cells}) > 1]
    verdicts = Column("Outcome", tuple(Cell(row.verdict) for row in study.rows), numeric=False)
    inputs = [_input(key, [line[key] for line in study.table]) for key in study.inputs]
    return [_runs(study), verdicts, *inputs, *_limits(study), *_criteria(study), *varying]


def _runs(study: Study) -> Column:
    """Numbers of the runs, with the way to the report where there is one."""
    cells = []
    for place, line in enumerate(study.table):
        search = line.get("search")
        link = f"{line['folder']}/report.html" if line["folder"] else ""
        there = bool(link) and (study.folder / link).is_file()
        text = f"{search}.{line['run']}" if search else str(line["run"])
        cells.append(Cell(text, float(place), link if there else ""))
    return Column("Run", tuple(cells))


def _input(key: str, values: Sequence[Any]) -> Column:
    """Values that change from run to run, with their unit in the heading where all have the same."""
    pairs = [_split(value) for value in values if value is not None]
    units = {unit for _, unit in pairs}
    if pairs and len(units) == 1 and all(number is not None for number, _ in pairs):
        (unit,) = units
        label = f"{key} [{readable(unit)}]" if unit else key
        return Column(label, tuple(_number(amount(value), 6) for value in values))
    texts = ["–" if value is None else readable(value) for value in values]
    short = [text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}…" for text in texts]
    return Column(key, tuple(Cell(text, amount(value)) for text, value in zip(short, values, strict=True)), numeric=False)


def _split(value: Any) -> tuple[float | None, str]:
    """Number and unit of a value; None where it has no number."""
    number = amount(value)
    return number, number_and_unit(value)[1] if isinstance(value, str) and number is not None else ""


def _limits(study: Study) -> Iterator[Column]:
    """What limits each run, and how many times over that is kept."""
    told = tuple(Cell(str(line.get("limited by") or "–")) for line in study.table)
    if any(cell.text != "–" for cell in told):
        yield Column("Limited by", told, numeric=False)
        factors = (None if row.summary is None else kept(row) for row in study.rows)
        yield Column("Times that limit is kept", tuple(_number(factor, 3) for factor in factors))


def _criteria(study: Study) -> Iterator[Column]:
    """What each criterion found, with its limit in the heading or, where that changes, beside it."""
    asked: Sequence[Any] = next((row.summary["criteria"] for row in study.rows if row.summary and row.summary["criteria"]), [])
    for number, entry in enumerate(asked, 1):
        lines = [{part: line.get(f"criterion {number} {part}") for part in ("value", "limit")} for line in study.table]
        unit, sign = readable(entry["unit"]), "≤" if is_upper(entry) else "≥"
        limits = {line["limit"] for line in lines if line["limit"] is not None}
        bound = f" ({sign} {number_text(limits.pop(), DIGITS)})" if len(limits) == 1 else ""
        label = f"{entry['kind']} of {entry['region']} [{unit}]"
        yield Column(f"{label}{bound}", tuple(_number(amount(line["value"])) for line in lines))
        if limits:
            yield Column(f"its limit {sign} [{unit}]", tuple(_number(amount(line["limit"])) for line in lines))


def _numbers(study: Study) -> Iterator[Column]:
    """Main numbers of the bodies and of the work."""
    for ending, label in ((" volume_mL", "Volume [mL]"), (" iron_mg", "Iron [mg]")):
        own = [[amount(value) for name, value in line.items() if name.endswith(ending)] for line in study.table]
        sums = [sum(known) if (known := [number for number in line if number is not None]) else None for line in own]
        yield Column(label, tuple(_number(total) for total in sums))
    yield Column("Duration [s]", tuple(_number(amount(line.get("duration_s"))) for line in study.table))
    yield Column("Computing [s]", tuple(_number(amount(line.get("seconds")), 2) for line in study.table))


def _number(value: float | None, digits: int = DIGITS) -> Cell:
    """A number as a cell."""
    return Cell(number_text(value, digits), None if value is None else float(f"{value:.9g}"))
