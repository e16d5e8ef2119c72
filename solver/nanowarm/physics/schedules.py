"""Values that are given once, or as a table over time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema, model_validator

from nanowarm import quantity
from nanowarm.model import Model
from nanowarm.quantity import Dimension, Time


class Schedule(Model):
    """A value over time: constant, or linear between the times of a table and constant outside them.

    Args:
        at: times [s], increasing.
        values: values [SI] at these times.
        since: what the times count from, the start of the run or of the current stage.
    """

    at: tuple[Time, ...]
    values: tuple[float, ...]
    since: Literal["run", "stage"] = "run"

    @model_validator(mode="after")
    def _matches(self) -> Schedule:
        if not self.at or len(self.at) != len(self.values):
            raise ValueError(f"`at` has {len(self.at)} times and `values` {len(self.values)} values: give as many, at least one")
        if any(late <= early for early, late in zip(self.at, self.at[1:], strict=False)):
            raise ValueError("the times of `at` must increase strictly")
        return self

    def value(self, time: float, stage_start: float) -> float:
        """Value [SI] at a time of the run [s]."""
        if len(self.values) == 1:
            return self.values[0]
        return float(np.interp(time - self._origin(stage_start), self.at, self.values))

    def slope(self, time: float, stage_start: float) -> float:
        """Rate of change [SI per s] just after a time of the run [s]."""
        piece = int(np.searchsorted(self.at, time - self._origin(stage_start), side="right"))
        if piece == 0 or piece == len(self.at):
            return 0.0
        return (self.values[piece] - self.values[piece - 1]) / (self.at[piece] - self.at[piece - 1])

    def knots(self, stage_start: float) -> tuple[float, ...]:
        """Times of the run [s] at which the slope changes."""
        return tuple(self._origin(stage_start) + at for at in self.at) if len(self.at) > 1 else ()

    def largest(self) -> float:
        """Largest value [SI] it ever takes."""
        return max(self.values)

    def _origin(self, stage_start: float) -> float:
        return stage_start if self.since == "stage" else 0.0


def schedule_of(dimension: Dimension) -> tuple[Any, ...]:
    """What annotates a schedule of one kind of quantity: a text, or `{ at = [...], values = [...] }`."""

    def parse(raw: Any) -> Schedule:
        """The schedule that a constant or a table over time states."""
        if not isinstance(raw, Mapping):
            return Schedule(at=("0 s",), values=(dimension.parse(raw),))  # type: ignore[arg-type]
        unknown = sorted(set(raw) - {"at", "values", "since"})
        if unknown or "at" not in raw or "values" not in raw:
            raise ValueError(f"a table over time has the keys at, values and perhaps since; found {', '.join(map(str, raw))}")
        values = raw["values"]
        if not isinstance(values, tuple):
            raise ValueError('`values` must be a list of texts such as ["' + dimension.example + '"]')
        return Schedule.model_validate(dict(raw) | {"values": tuple(dimension.parse(value) for value in values)})

    def text(schedule: Schedule) -> Any:
        """What `parse` reads back to a schedule."""
        if len(schedule.at) == 1:
            return dimension.text(schedule.values[0])
        times = [quantity.TIME.text(at) for at in schedule.at]
        return {"at": times, "values": [dimension.text(value) for value in schedule.values], "since": schedule.since}

    plain = dimension.annotation()[2].json_schema
    texts = {"type": "array", "items": {"type": "string"}}
    table = {
        "type": "object",
        "properties": {"at": texts, "values": texts, "since": {"enum": ["run", "stage"]}},
        "required": ["at", "values"],
        "additionalProperties": False,
    }
    schema = WithJsonSchema({"anyOf": [plain, table]})
    return BeforeValidator(parse), PlainSerializer(text, when_used="json"), schema
