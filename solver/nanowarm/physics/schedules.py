"""Values that are given once, as a table over time, or as the ramps and holds of a controlled-rate freezer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, Discriminator, Field, PlainSerializer, Tag, WithJsonSchema, model_validator

from nanowarm import quantity
from nanowarm.model import Model
from nanowarm.quantity import ZERO_CELSIUS, Dimension, Duration, Temperature, Time

RAMP_RATE = Dimension("K/s", "-1 degC/min", most=1e9)
RampRate = Annotated[float, *RAMP_RATE.annotation()]
Since = Literal["run", "stage"]

EXAMPLES = 'a ramp is { rate = "-1 degC/min", to = "-40 degC" }, a hold { hold = "10 min" }'
_RAMP, _HOLD = "one ramp", "one hold"  # tags that are no keys, so that the path of a fault leaves them out
SAME_TEMPERATURE = 1e-6  # [K], more than two spellings of one temperature differ by


class Ramp(Model):
    """A temperature that changes at a constant rate.

    Args:
        rate: [K/s], negative where it cools.
        to: where it ends [K].
    """

    rate: RampRate
    to: Temperature

    def leg(self, start: float) -> tuple[float, float]:
        """How long it takes [s] from a temperature [K], and the temperature [K] that it ends at.

        Raises:
            ValueError: it never gets there, or is there already.
        """
        rise, rate = self.to - start, f"{60.0 * self.rate:g} degC/min"
        from_to = f"from {start - ZERO_CELSIUS:g} to {self.to - ZERO_CELSIUS:g} degC"
        if abs(rise) < SAME_TEMPERATURE:
            raise ValueError(f"a ramp {from_to} leads nowhere: leave it out, or give a hold")
        if self.rate == 0.0:
            raise ValueError(f"a rate of {rate} never leads {from_to}: give another rate, or a hold")
        if rise * self.rate < 0.0:
            raise ValueError(f"{rate} does not lead {from_to}: give the rate the other sign, or another `to`")
        return rise / self.rate, self.to


class Hold(Model):
    """A temperature that stays for a time [s]."""

    hold: Duration

    def leg(self, start: float) -> tuple[float, float]:
        """How long it takes [s], and the temperature [K] that it ends at."""
        return self.hold, start


def _segment_kind(raw: Any) -> str:
    """The tag of a segment: a record, or the TOML data of one."""
    return _HOLD if "hold" in dict(raw) else _RAMP


def _one_kind(raw: Any) -> Any:
    """TOML data of a segment, unless it has keys of both kinds or of none."""
    keys = set(raw) if isinstance(raw, Mapping) else set()
    if not keys or ("hold" in keys and keys & {"rate", "to"}):
        raise ValueError(f"must be either a ramp or a hold: {EXAMPLES}")
    return raw


Segment = Annotated[
    Annotated[Ramp, Tag(_RAMP)] | Annotated[Hold, Tag(_HOLD)], Discriminator(_segment_kind), BeforeValidator(_one_kind)
]


class Program(Model):
    """A temperature over time, as a controlled-rate freezer is programmed; it stays at its last one.

    Args:
        start: the temperature that it begins at [K].
        program: ramps and holds, one after the other.
        since: what its time counts from, the start of the run or of the current stage.
    """

    start: Temperature = Field(alias="from")
    program: tuple[Segment, ...]
    since: Since = "run"

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Program:
        if not self.program:
            raise ValueError(f"its program is empty; {EXAMPLES}")
        self.knots()
        return self

    def knots(self) -> tuple[tuple[float, float], ...]:
        """Time [s] and temperature [K] where it begins and where each ramp or hold ends.

        Raises:
            ValueError: a ramp that does not get to its end, or not in any time that a run can last.
        """
        knots = [(0.0, self.start)]
        for number, segment in enumerate(self.program, 1):
            time, start = knots[-1]
            try:
                duration, end = segment.leg(start)
                quantity.TIME.parse(quantity.TIME.text(time + duration))
            except ValueError as error:
                raise ValueError(f"segment {number} of the program: {error}") from None
            knots.append((time + duration, end))
        return tuple(knots)


class Schedule(Model):
    """A value over time: constant, or linear between the times of a table and constant outside them.

    Args:
        at: times [s], increasing.
        values: values [SI] at these times.
        since: what the times count from, the start of the run or of the current stage.
        program: the ramps and holds that the table was made from, if it was.
    """

    at: tuple[Time, ...]
    values: tuple[float, ...]
    since: Since = "run"
    program: Program | None = None

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
    """What annotates a schedule of one kind of quantity: a text, or `{ at = [...], values = [...] }`.

    A temperature may also be `{ from = ..., program = [ramps and holds] }`.
    """
    programmed = dimension is quantity.TEMPERATURE

    def parse(raw: Any) -> Schedule:
        """The schedule that a constant, a table over time or a program states."""
        if not isinstance(raw, Mapping):
            return Schedule(at=("0 s",), values=(dimension.parse(raw),))  # type: ignore[arg-type]
        if programmed and "program" in raw and ("at" in raw or "values" in raw):
            raise ValueError("give either a table, with at and values, or a program, with from and program; found both")
        if programmed and ("program" in raw or ("from" in raw and "at" not in raw)):
            return _programmed(Program.model_validate(raw))
        return _table(dimension, raw)

    def text(schedule: Schedule) -> Any:
        """What `parse` reads back to a schedule."""
        if schedule.program is not None:
            return schedule.program.model_dump(mode="json", by_alias=True)
        if len(schedule.at) == 1:
            return dimension.text(schedule.values[0])
        times = [quantity.TIME.text(at) for at in schedule.at]
        return {"at": times, "values": [dimension.text(value) for value in schedule.values], "since": schedule.since}

    plain = dimension.annotation()[2].json_schema
    schema = WithJsonSchema({"anyOf": [plain, _TABLE_SCHEMA] + ([_PROGRAM_SCHEMA] if programmed else [])})
    return BeforeValidator(parse), PlainSerializer(text, when_used="json"), schema


def since_stage(value: Any) -> Any:
    """A table or a program over time that a stage gives counts from the stage's start."""
    timed = isinstance(value, Mapping) and ("at" in value or "program" in value)
    return {"since": "stage", **value} if timed else value


def _table(dimension: Dimension, raw: Mapping[str, Any]) -> Schedule:
    """The schedule that a table over time states."""
    unknown = sorted(set(raw) - {"at", "values", "since"})
    if unknown or "at" not in raw or "values" not in raw:
        only = "; ramps and holds are for temperatures" if "program" in raw else ""
        raise ValueError(f"a table over time has the keys at, values and perhaps since; found {', '.join(map(str, raw))}{only}")
    values = raw["values"]
    if not isinstance(values, tuple):
        raise ValueError('`values` must be a list of texts such as ["' + dimension.example + '"]')
    return Schedule.model_validate(dict(raw) | {"values": tuple(dimension.parse(value) for value in values)})


def _programmed(program: Program) -> Schedule:
    """The schedule that a freezer's program makes."""
    at, values = zip(*program.knots(), strict=True)
    texts = tuple(quantity.TIME.text(time) for time in at)
    return Schedule(at=texts, values=values, since=program.since, program=program)  # type: ignore[arg-type]


def _object_schema(required: Mapping[str, Any], **optional: Any) -> dict[str, Any]:
    """JSON Schema of a section of keys."""
    properties = {**required, **optional}
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def _text_schema(dimension: Dimension) -> dict[str, Any]:
    """JSON Schema of a text with a unit."""
    return dict(dimension.annotation()[2].json_schema)


_TEXTS = {"type": "array", "items": {"type": "string"}}
_SINCE = {"enum": ["run", "stage"]}
_SEGMENTS = [
    _object_schema({"rate": _text_schema(RAMP_RATE), "to": _text_schema(quantity.TEMPERATURE)}),
    _object_schema({"hold": _text_schema(quantity.DURATION)}),
]
_TABLE_SCHEMA = _object_schema({"at": _TEXTS, "values": _TEXTS}, since=_SINCE)
_PROGRAM_SCHEMA = _object_schema(
    {"from": _text_schema(quantity.TEMPERATURE), "program": {"type": "array", "items": {"anyOf": _SEGMENTS}}}, since=_SINCE
)
