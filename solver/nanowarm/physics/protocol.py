"""Stages of a protocol: how long each lasts, what it changes, and when it ends."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from nanowarm import quantity
from nanowarm.model import Model
from nanowarm.physics.boundaries import AnyBoundary
from nanowarm.physics.control import AnyControl, Sensor, SensorText
from nanowarm.physics.fields import AnyField
from nanowarm.quantity import Duration, FieldAmplitude, Temperature

_CONDITION = re.compile(r"^\s*(?:(?P<of>[^<>]+?)\.)?(?P<what>[^<>.]+?)\s*(?P<sense>[<>])=?\s*(?P<threshold>.+?)\s*$")


@dataclass(frozen=True)
class EndCondition:
    """A stage ends when a temperature passes a threshold.

    Args:
        text: as written.
        sensor: `coldest`, `hottest` or `mean` of a region (or of everything), or a probe.
        name: region or probe; empty for everything.
        rising: whether it must exceed the threshold (else fall below it).
        threshold: [K].
    """

    text: str
    sensor: Literal["coldest", "hottest", "mean", "probe"]
    name: str
    rising: bool
    threshold: float

    def excess(self, temperature: float) -> float:
        """How far [K] a temperature [K] is beyond the threshold; the stage ends where it becomes positive."""
        return (temperature - self.threshold) * (1.0 if self.rising else -1.0)


def end_condition(text: Any) -> EndCondition:
    """The condition that a text such as "kidney.coldest > -20 degC" states.

    Raises:
        ValueError: it can't be read.
    """
    match = _CONDITION.match(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f'{text!r} is not a condition; write e.g. "coldest > -20 degC", "kidney.mean < -100 degC"')
    name, what = (match["of"] or "").strip(), match["what"].strip()
    threshold = quantity.TEMPERATURE.parse(match["threshold"])
    if name == "probe":
        return EndCondition(text, "probe", what, match["sense"] == ">", threshold)
    if what not in ("coldest", "hottest", "mean"):
        raise ValueError(f"{what!r} is nothing to wait for; allowed are coldest, hottest, mean (of a region), probe.<name>")
    return EndCondition(text, what, name, match["sense"] == ">", threshold)  # type: ignore[arg-type]


Until = Annotated[
    EndCondition,
    BeforeValidator(end_condition),
    PlainSerializer(lambda condition: condition.text, when_used="json"),
    WithJsonSchema({"type": "string", "examples": ["coldest > -20 degC", "kidney.mean > 0 degC", "probe.centre < -100 degC"]}),
]


class AmplitudeSearch(Model):
    """The largest amplitude at which a temperature keeps its limit in the steady state.

    Args:
        sensor: what must keep it, such as "brain.hottest".
        at_most: the limit [K].
        between: least and largest amplitude [A/m] to be tried.
    """

    sensor: SensorText
    at_most: Temperature
    between: tuple[FieldAmplitude, FieldAmplitude]

    def watched(self) -> Sensor:
        """What it looks at."""
        return self.sensor


class StageInput(Model):
    """A stage as a case file gives it: overrides of the case's field and boundaries for its time.

    Args:
        name: by which outputs call it.
        duration: the longest it lasts [s].
        until: condition that ends it earlier.
        steady: whether it is the steady state instead, which takes no time.
        control: rule for the amplitude of the field.
        search: looks for the largest amplitude at which the steady state keeps a limit.
        field: keys of the case's field that are otherwise for its time.
        boundaries: keys of the case's boundaries that are otherwise for its time, by surface.
    """

    name: Annotated[str, Field(min_length=1)]
    duration: Duration | None = None
    until: Until | None = None
    steady: bool = False
    control: AnyControl | None = None
    search: AmplitudeSearch | None = None
    field: Mapping[str, Any] | None = None
    boundaries: Mapping[str, Mapping[str, Any]] | None = None


@dataclass(frozen=True)
class Stage:
    """A stage with everything that holds during it.

    Args:
        duration: [s], the longest it lasts; infinite where only a condition ends it.
        until: condition that ends it earlier.
        steady: whether it is the steady state instead.
        control: rule for the amplitude of the field.
        search: looks for the largest amplitude at which the steady state keeps a limit.
    """

    name: str
    duration: float
    until: EndCondition | None
    field: AnyField
    boundaries: Mapping[str, AnyBoundary]
    steady: bool = False
    control: AnyControl | None = None
    search: AmplitudeSearch | None = None

    def steered_to(self) -> float:
        """Largest amplitude [A/m] that a controller or a search may set; 0 where none does."""
        if self.search is not None:
            return max(self.search.between)
        return 0.0 if self.control is None else self.control.most or self.field.largest() * self.field.per_drive()

    def knots(self, start: float) -> tuple[float, ...]:
        """Times of the run [s] at which some value changes its slope, when the stage starts at `start`."""
        schedules = [s for boundary in self.boundaries.values() for s in boundary.schedules()]
        schedules += self.field.schedules()
        return tuple(sorted({knot for schedule in schedules for knot in schedule.knots(start) if knot > start}))
