"""Fields of coils: a winding, driven by its current or by the amplitude that it makes at a point."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import ConfigDict, ValidationInfo, field_validator, model_validator

from nanowarm import quantity
from nanowarm.physics.alternating import AlternatingField, AmplitudeSchedule, DriveName, folder_of
from nanowarm.physics.coils import (
    Axis,
    Coil,
    HelmholtzWinding,
    LoopsWinding,
    MaxwellWinding,
    Point,
    SolenoidWinding,
    coil_file,
    load_coil,
)
from nanowarm.physics.conductors import ORIGIN, Z_AXIS, Conductor, Vector, placed
from nanowarm.physics.curves import Array
from nanowarm.physics.schedules import Schedule, schedule_of
from nanowarm.quantity import Frequency, Length

CurrentSchedule = Annotated[Schedule, *schedule_of(quantity.CURRENT)]

_CANCELLED = 1e-9  # of the fields of single conductors: a sum below it is rounding
_ABOVE_RATED = 1.0 + 1e-6  # times a coil's usual amplitude, above which a case is warned
_DETUNED = 0.2  # relative change of a coil's frequency, likewise


class CoilField(AlternatingField):
    """The field of a winding, driven by its current, or by the amplitude that it makes at a point.

    Args:
        frequency: of the field [Hz].
        amplitude: peak H [A/m] at the point `at`, may change in time.
        current: peak current [A] in each turn, may change in time.
        at: where the amplitude counts [m]; the middle of the coil where left out.
        wire_radius: of the conductor [m], whose inside the organ must keep out of.
    """

    frequency: Frequency
    amplitude: AmplitudeSchedule | None = None
    current: CurrentSchedule | None = None
    at: Point | None = None
    wire_radius: Length | None = None

    @abstractmethod
    def currents(self) -> tuple[Conductor, ...]:
        """Where the current runs, per ampere of the coil."""

    @abstractmethod
    def middle(self) -> Vector:
        """Where the amplitude counts if no point is given [m]."""

    @model_validator(mode="after")
    def _is_driven_once(self) -> CoilField:
        if (self.amplitude is None) == (self.current is None):
            found = "neither" if self.amplitude is None else "both"
            raise ValueError(f'give either `amplitude` (e.g. "20 kA/m") or `current` (e.g. "300 A"); found {found}')
        _ = self._scale  # tells a point without field now
        return self

    @cached_property
    def _scale(self) -> float:
        """What the field per ampere is multiplied by to be that per unit drive."""
        return 1.0 if self.amplitude is None else 1.0 / self._amplitude_per_ampere

    @cached_property
    def _amplitude_per_ampere(self) -> float:
        """|H| [A/m per A] where the amplitude counts."""
        at = np.array([self.middle() if self.at is None else self.at])
        parts = [conductor.field(at)[0] for conductor in self.currents()]
        amplitude, sum_of_parts = float(np.linalg.norm(sum(parts))), sum(float(np.linalg.norm(part)) for part in parts)
        if self.amplitude is not None and not amplitude > _CANCELLED * sum_of_parts:
            where = ", ".join(f"{1e3 * value:g} mm" for value in at[0])
            raise ValueError(f"the coil makes no field at [{where}], where the amplitude counts: give another point `at`")
        return amplitude

    def per_drive(self) -> float:
        """1 where driven by the amplitude, else |H| in the middle or `at` [A/m per A]."""
        return 1.0 if self.current is None else self._amplitude_per_ampere

    def driven_by(self) -> DriveName:
        """Amplitude or current, as given."""
        return "amplitude" if self.current is None else "current"

    def drive(self) -> Schedule:
        """The amplitude or the current."""
        return self.amplitude or self.current  # type: ignore[return-value]  # one is there: see the validator

    def vector(self, points: Array) -> Array:
        """Sum over all conductors."""
        return np.asarray(self._scale * sum(conductor.field(points) for conductor in self.currents()))

    def vector_potential(self, points: Array) -> Array:
        """Sum over all conductors."""
        return np.asarray(self._scale * sum(conductor.vector_potential(points) for conductor in self.currents()))

    def conductors(self) -> Array:
        """Points on the middle of the conductors."""
        return np.concatenate([conductor.outline() for conductor in self.currents()])

    def distance(self, points: Array) -> Array:
        """Distance to the middle of the nearest conductor."""
        return np.asarray(np.min([conductor.distance(points) for conductor in self.currents()], axis=0))

    def wire(self) -> float:
        """Radius of the conductor."""
        return self.wire_radius or 0.0


class SolenoidField(SolenoidWinding, CoilField):
    """The field of a solenoid."""

    @model_validator(mode="after")
    def _says_turns(self) -> SolenoidField:
        if self.current is not None and "turns" not in self.model_fields_set:
            raise ValueError("a current needs the number of `turns` too")
        return self


class HelmholtzField(HelmholtzWinding, CoilField):
    """The field of a Helmholtz pair."""


class MaxwellField(MaxwellWinding, CoilField):
    """The field of a Maxwell coil."""


class LoopsField(LoopsWinding, CoilField):
    """The field of rings."""


def _without_default_of_coil(schema: dict[str, Any]) -> None:
    schema["required"].remove("frequency")


class LibraryCoilField(CoilField):
    """The field of a coil of the library, at its usual amplitude and frequency where nothing else is given.

    Args:
        name: of the library, or path of a TOML file.
        centre: where the coil's middle is [m].
        axis: where the coil's axis points.
    """

    model_config = ConfigDict(json_schema_extra=_without_default_of_coil)

    kind: Literal["coil"]
    name: str
    centre: Point = ORIGIN
    axis: Axis = Z_AXIS

    @model_validator(mode="before")
    @classmethod
    def _with_defaults(cls, given: Any, info: ValidationInfo) -> Any:
        if not isinstance(given, Mapping) or not isinstance(given.get("name"), str):
            return given
        try:
            coil = load_coil(coil_file(given["name"], folder_of(info)))
            frequency, amplitude = coil.frequency.value, coil.amplitude.value
        except ValueError:  # told as a fault of `name`
            frequency, amplitude = 1.0, 1.0
        filled = {"frequency": quantity.FREQUENCY.text(frequency), **given}
        if not {"amplitude", "current"} & set(given):
            filled["amplitude"] = quantity.FIELD_AMPLITUDE.text(amplitude)
        return filled

    @field_validator("name")
    @classmethod
    def _is_found(cls, name: str, info: ValidationInfo) -> str:
        file = coil_file(name, folder_of(info))
        load_coil(file)
        return str(file) if "/" in name or name.endswith(".toml") else name

    @cached_property
    def coil(self) -> Coil:
        """The coil of the file."""
        return load_coil(self.files()[0])

    def files(self) -> tuple[Path, ...]:
        """The coil's file."""
        return (coil_file(self.name, Path()),)

    def currents(self) -> tuple[Conductor, ...]:
        """The coil's currents, placed."""
        return placed(self.coil.winding.currents(), self.centre, self.axis)

    def middle(self) -> Vector:
        """Where the coil's own middle is placed."""
        return self.centre

    def warnings(self) -> tuple[str, ...]:
        """Whether it is run beyond what the coil usually is."""
        found = []
        middle = self.largest() * float(self.shape(np.array([self.middle()]))[0])
        usual, frequency = self.coil.amplitude.value, self.coil.frequency.value
        if middle > _ABOVE_RATED * usual:
            found.append(f"{self.name} is usually run at {1e-3 * usual:g} kA/m in its middle; here at {1e-3 * middle:.3g} kA/m")
        if abs(self.frequency / frequency - 1.0) > _DETUNED:
            found.append(f"{self.name} is usually run at {1e-3 * frequency:g} kHz; here at {1e-3 * self.frequency:g} kHz")
        if self.coil.winding.quality == "estimate":
            found.append(
                f"the winding of {self.name} is an estimate: give your own coil's radius, length and turns if you know them"
            )
        return tuple(found)
