"""Control of the field during a stage: what is measured, what is aimed at, and what the coil may do."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from nanowarm.model import Model, shown
from nanowarm.physics.controllers import (
    Coil,
    Controller,
    CycleController,
    Gains,
    Limits,
    PidController,
    ThermostatController,
)
from nanowarm.physics.fields import BREZOVICH_LIMIT, HERGT_LIMIT
from nanowarm.quantity import Dimension, Duration, FieldAmplitude, FieldProduct, ReferenceField, Temperature, Time, Tolerance

_FIELD_LIMITS: dict[str, float] = {"Atkinson-Brezovich": BREZOVICH_LIMIT, "Hergt-Dutz": HERGT_LIMIT}  # [A/m/s]

AmplitudeRate = Annotated[float, *Dimension("A/m/s", "500 A/m/s", 0.0, positive=True, most=1e12).annotation()]
Gain = Annotated[float, *Dimension("1/K", "0.5 1/K", 0.0, positive=True, most=1e9).annotation()]


@dataclass(frozen=True)
class Sensor:
    """A temperature that is followed.

    Args:
        text: as written.
        what: `coldest`, `hottest` or `mean` of a region (or of everything), or a probe.
        name: region or probe; empty for everything.
    """

    text: str
    what: Literal["coldest", "hottest", "mean", "probe"]
    name: str


def sensor(text: Any) -> Sensor:
    """The temperature that a text such as "tumour.hottest" or "probe.centre" names.

    Raises:
        ValueError: it names none.
    """
    if not isinstance(text, str):
        raise ValueError(f'must be text such as "tumour.hottest"; found {shown(text)}')
    name, _, what = (part.strip() for part in text.rpartition("."))
    if name == "probe" and what:
        return Sensor(text, "probe", what)
    if what not in ("coldest", "hottest", "mean") or ("." in text and not name):
        raise ValueError(f"{shown(text)} is nothing to measure; allowed are coldest, hottest, mean (of a region), probe.<name>")
    return Sensor(text, what, name)  # type: ignore[arg-type]


SensorText = Annotated[
    Sensor,
    BeforeValidator(sensor),
    PlainSerializer(lambda found: found.text, when_used="json"),
    WithJsonSchema({"type": "string", "examples": ["tumour.hottest", "hottest", "probe.centre"]}),
]


class Control(Model):
    """A rule for the amplitude of a stage's field, in place of the amplitude that the field has.

    Amplitudes are peak |H| where the field quotes its own (`AlternatingField.per_drive`).

    Args:
        every: time between samples [s]; the amplitude is held between them.
        most: largest amplitude [A/m], and that of "on"; the stage's own where left out.
        least: smallest amplitude [A/m], and that of "off".
        rate: largest change of the amplitude [A/m per s], from the field that is off when the stage starts.
        field_limit: largest amplitude times frequency [A/m/s], or a published one by name.
    """

    every: Duration = Field(default="2 s", validate_default=True)
    most: ReferenceField | None = None
    least: FieldAmplitude = Field(default="0 A/m", validate_default=True)
    rate: AmplitudeRate | None = None
    field_limit: Literal["Atkinson-Brezovich", "Hergt-Dutz"] | FieldProduct | None = None

    def watched(self) -> Sensor | None:
        """The temperature it needs to see, if any."""
        return None

    def after(self, time: float, start: float) -> float:
        """The first time of the run [s] after `time` at which the controller of a stage from `start` on is to be asked."""
        return start + self.every * (math.floor((time - start) / self.every + 1e-9) + 1)

    def knots(self, start: float, end: float) -> tuple[float, ...]:
        """Times of the run [s] between the start and the end of a stage at which the amplitude may jump."""
        found: list[float] = []
        time = self.after(start, start)
        while time < end:
            found.append(time)
            time = self.after(time, start)
        return tuple(found)

    def controller(self, start: float, amplitude: float, frequency: float) -> Controller:
        """Its state machine, to be asked at the start of the stage and then at every knot.

        Args:
            start: of the stage, in time of the run [s].
            amplitude: largest of the stage's field [A/m].
            frequency: of the stage's field [Hz].

        Raises:
            ValueError: no amplitude is left between the least and the largest.
        """
        asked = self.most or amplitude
        limit = _FIELD_LIMITS.get(str(self.field_limit), self.field_limit)
        most = min(asked, float(limit) / frequency) if limit is not None else asked
        if not 0.0 < most >= self.least:
            raise ValueError(
                f"the stage's field, `most` and `field_limit` allow {most:.6g} A/m, and `least` is {self.least:.6g} A/m: "
                "nothing is left to control with"
            )
        limits = Limits(self.least, most, self.rate or math.inf, self.every)
        controller = self._on(Coil(limits, start), start)
        if most < asked:
            controller.notes.append(
                f"the field limit of {limit:g} A/m/s allows {most:.6g} A/m at {frequency:g} Hz; {asked:g} A/m was asked for"
            )
        return controller

    @abstractmethod
    def _on(self, coil: Coil, start: float) -> Controller:
        """The state machine of this kind on a coil."""

    @model_validator(mode="after")
    def _in_order(self) -> Control:
        if self.most is not None and self.most < self.least:
            raise ValueError(f"`most` is {self.most:g} A/m, below `least`, {self.least:g} A/m")
        return self


class Thermostat(Control):
    """On below a band around the set point, off above it, as it was inside.

    It holds the band only where the temperature moves little in a sample: else a shorter `every`, or a pid.

    Args:
        sensor: what is measured, such as `tumour.hottest` or `probe.centre`.
        set_point: temperature to be held [K].
        band: between on and off [K].
        shortest_on, shortest_off: times [s] that it stays on and off at least.
    """

    kind: Literal["thermostat"]
    sensor: SensorText
    set_point: Temperature
    band: Tolerance = Field(default="0.2 K", validate_default=True)
    shortest_on: Time = Field(default="0 s", validate_default=True)
    shortest_off: Time = Field(default="0 s", validate_default=True)

    def watched(self) -> Sensor:
        """What is kept at the set point."""
        return self.sensor

    def _on(self, coil: Coil, start: float) -> Controller:
        band = self.set_point - 0.5 * self.band, self.set_point + 0.5 * self.band
        return ThermostatController(coil, band, (self.shortest_off, self.shortest_on))


class Pid(Control):
    """A PID of the power, which goes with the square of the amplitude; it tunes itself at the start unless given gains.

    Args:
        sensor: what is measured, such as `tumour.hottest` or `probe.centre`.
        set_point: temperature to be held [K].
        gain: share of the power at `most` per kelvin [1/K].
        integral_time: in which a steady error gains as much power as it has at once [s].
        derivative_time: by which a steady rise is anticipated [s], on the measured temperature.
    """

    kind: Literal["pid"]
    sensor: SensorText
    set_point: Temperature
    gain: Gain | None = None
    integral_time: Duration | None = None
    derivative_time: Time = Field(default="0 s", validate_default=True)

    def watched(self) -> Sensor:
        """What is kept at the set point."""
        return self.sensor

    def _on(self, coil: Coil, start: float) -> Controller:
        if self.gain is None or self.integral_time is None:
            return PidController(coil, self.set_point, None)
        return PidController(coil, self.set_point, Gains(self.gain, self.integral_time, self.derivative_time))

    @model_validator(mode="after")
    def _all_or_none(self) -> Pid:
        if (self.gain is None) != (self.integral_time is None) or (self.gain is None and self.derivative_time):
            raise ValueError("give `gain` and `integral_time` (and perhaps `derivative_time`), or none: it then tunes itself")
        return self


class Cycle(Control):
    """Power on and off by the clock, on at the start of the stage.

    Args:
        on, off: how long it is on and off [s].
    """

    kind: Literal["cycle"]
    on: Duration
    off: Duration

    def after(self, time: float, start: float) -> float:
        """The first time of the run [s] after `time` at which it switches, or takes a step of a limited rate."""
        period = self.on + self.off
        tie = 1e-9 * max(1.0, time - start)
        began = period * math.floor((time - start + tie) / period)
        switch = start + next(at for at in (began + self.on, began + period) if at > time - start + tie)
        return switch if self.rate is None else min(switch, super().after(time, start))

    def _on(self, coil: Coil, start: float) -> Controller:
        return CycleController(coil, start, self.on, self.off)


AnyControl = Annotated[Thermostat | Pid | Cycle, Field(discriminator="kind")]
