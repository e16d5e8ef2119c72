"""Factors and shifts by which a case changes values of its materials and particles: section `[factors]`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, ValidationError, WithJsonSchema

from nanowarm.errors import CaseError
from nanowarm.model import faults, frozen_copy, joined_key, nearest, shown
from nanowarm.physics.materials import Material
from nanowarm.physics.particles import Particle
from nanowarm.physics.sourced import ChangedBy, Sourced
from nanowarm.quantity import Dimension

WANTED = 'a factor above 0, such as 1.05, or for a temperature a shift, such as "5 K"'
_SHIFT = Dimension("K", "5 K", most=1e3)
CALIBRATED = {"critical_cooling_rate", "critical_warming_rate", "melting", "glass_transition"}  # what ice kinetics follow from
_MOST = 1e6  # as a factor; more is a slip


@dataclass(frozen=True)
class Change:
    """How a case changes a value of a file.

    Args:
        by: "factor" for a multiple of it, "shift" for a temperature.
        number: that factor, or the shift [K].
    """

    by: ChangedBy
    number: float

    def of(self, value: Sourced) -> Sourced:
        """The changed value.

        Raises:
            ValueError: such a value is not changed like that.
        """
        if value.changed_by == "nothing":
            raise ValueError("can't be changed by a factor: copy the file, and change it there")
        if value.changed_by != self.by:
            asked = 'a shift, such as "5 K"' if value.changed_by == "shift" else "a factor above 0, such as 1.05"
            raise ValueError(f"must be {asked}; found {shown(self.written)}")
        return value.scaled(self.number) if self.by == "factor" else value.shifted(self.number)

    @property
    def written(self) -> float | str:
        """As in a case file."""
        return self.number if self.by == "factor" else f"{self.number!r} K"

    @property
    def told(self) -> str:
        """What a reader of the value is told."""
        what = f"times {self.number:g}" if self.by == "factor" else f"{self.number:+g} K"
        return f"{what} by the case"


def change(given: Any) -> Change:
    """The change that a case file gives as a number or as text.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(given, str):
        return Change("shift", _SHIFT.parse(given))
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise ValueError(f"must be {WANTED}; found {shown(given)}")
    if not 0.0 < given <= _MOST:
        raise ValueError(f"must be {WANTED}; found {shown(given)}")
    return Change("factor", float(given))


AnyChange = Annotated[
    Change,
    BeforeValidator(change),
    PlainSerializer(lambda found: found.written, when_used="json"),
    WithJsonSchema({"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string"}], "description": WANTED}),
]


def sourced_keys(raw: Mapping[str, Any]) -> list[str]:
    """Keys of a material's or particle's file that hold a value with its source."""
    return [key for key, value in raw.items() if isinstance(value, Mapping) and "source" in value]


def changed[Record: (Material, Particle)](
    record: Record, known: Sequence[str], changes: Mapping[str, Change], where: tuple[str, str], recalibrate: bool
) -> Record:
    """A material or particle with the values that a case asks for, each checked as if its file said so.

    Args:
        record: as its file says.
        known: keys of its values.
        changes: by key.
        where: the case file, and the name by which it calls the record.
        recalibrate: whether ice kinetics are to give the changed critical rates, melting and glass transition.

    Raises:
        CaseError: with every change that can't be made.
    """
    file, name = where
    update: dict[str, Sourced] = {}
    wrong: list[str] = []
    for key, asked in changes.items():
        try:
            if key not in known:
                raise ValueError(f"it has no such value; {nearest(key, known)}")
            update[key] = asked.of(getattr(record, key))
        except ValueError as error:
            wrong.append(f"{file}: {joined_key('factors', name, key)}: {error}")
    if wrong:
        raise CaseError(*wrong)
    found: Record = record.model_copy(update=update)
    if recalibrate and not CALIBRATED.isdisjoint(update):
        try:
            found = found.recalibrated()
        except ValueError as error:
            raise CaseError(f"{file}: {joined_key('factors', name)}: {error}") from None
    return _checked(found, file, name)


def _checked[Record: (Material, Particle)](record: Record, file: str, name: str) -> Record:
    """The same record, read again from the text that would say it.

    Raises:
        CaseError: a value is beyond its range, or does not go with the others.
    """
    raw = frozen_copy(record.model_dump(mode="json", by_alias=True, exclude_none=True))
    try:
        return type(record).model_validate(raw)
    except ValidationError as error:
        raise CaseError(*faults(error, type(record), file, raw, ("factors", name))) from None
