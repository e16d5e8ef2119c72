"""Coils: windings that a case or a file describes, and the coils of the library."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, Field, WithJsonSchema

from nanowarm.model import Model
from nanowarm.physics.conductors import ORIGIN, X_AXIS, Y_AXIS, Z_AXIS, Conductor, Ring, Tube, Vector, placed
from nanowarm.physics.library import load_record, record_file, record_files
from nanowarm.physics.sourced import Sourced, Value
from nanowarm.quantity import Coordinate, FieldAmplitude, Frequency, Length

Point = tuple[Coordinate, Coordinate, Coordinate]

_LETTERS: Mapping[str, Vector] = {"x": X_AXIS, "y": Y_AXIS, "z": Z_AXIS}


def _unit_vector(given: Any) -> Vector:
    if isinstance(given, str) and given in _LETTERS:
        return _LETTERS[given]
    numbers = given if isinstance(given, tuple | list) else ()
    if len(numbers) != 3 or not all(type(number) in (int, float) and math.isfinite(number) for number in numbers):
        raise ValueError('must be "x", "y", "z" or a direction of three numbers such as [0, 0, 1]')
    longest = max(abs(number) for number in numbers)
    if longest == 0.0:
        raise ValueError("[0, 0, 0] is no direction: give one such as [0, 0, 1]")
    scaled = [number / longest for number in numbers]
    x, y, z = (number / math.hypot(*scaled) for number in scaled)
    return x, y, z


def _turns(given: Any) -> float:
    if type(given) not in (int, float) or not math.isfinite(given) or given == 0.0 or abs(given) > 1e6:
        raise ValueError("must be a number of turns other than 0, without quotes")
    return float(given)


_AXIS_SCHEMA = {
    "anyOf": [{"enum": ["x", "y", "z"]}, {"type": "array", "items": {"type": "number"}, "minItems": 3, "maxItems": 3}]
}
Axis = Annotated[Vector, BeforeValidator(_unit_vector), WithJsonSchema(_AXIS_SCHEMA)]
Turns = Annotated[float, BeforeValidator(_turns), WithJsonSchema({"type": "number", "description": "other than 0"})]


class Winding(Model):
    """Where the current of a coil runs."""

    @abstractmethod
    def currents(self) -> tuple[Conductor, ...]:
        """The currents, each per ampere of the coil."""

    @abstractmethod
    def middle(self) -> Vector:
        """Where an amplitude counts if no point is given [m]."""


class CoaxialWinding(Winding):
    """A winding around one axis.

    Args:
        radius: from the axis [m], to the middle of the conductor.
        centre: its middle [m].
        axis: direction of the field inside; its length does not matter.
        turns: number of turns.
    """

    radius: Length
    centre: Point = ORIGIN
    axis: Axis = Z_AXIS
    turns: Turns = 1.0

    def currents(self) -> tuple[Conductor, ...]:
        """The currents, each per ampere of the coil."""
        return placed(self.around_origin(), self.centre, self.axis)

    def middle(self) -> Vector:
        """The centre [m]."""
        return self.centre

    @abstractmethod
    def around_origin(self) -> tuple[Conductor, ...]:
        """The currents, around the origin and the z axis."""

    def ring(self, radius: float, height: float, turns: float) -> Ring:
        """A current around the z axis, dimensions in radii and turns in turns of the winding."""
        return Ring(radius * self.radius, (0.0, 0.0, height * self.radius), Z_AXIS, turns * self.turns)


class SolenoidWinding(CoaxialWinding):
    """A closely wound cylindrical coil: a current sheet. Few turns far apart are better given as loops.

    Args:
        length: of the winding, along the axis [m].
    """

    kind: Literal["solenoid"]
    length: Length

    def around_origin(self) -> tuple[Conductor, ...]:
        """One sheet."""
        return (Tube(self.radius, self.length, ORIGIN, Z_AXIS, self.turns),)


class HelmholtzWinding(CoaxialWinding):
    """Two rings, one radius apart: the field is uniform to the fourth order in distance / radius.

    Args:
        turns: of each ring.
    """

    kind: Literal["helmholtz"]

    def around_origin(self) -> tuple[Conductor, ...]:
        """Two rings."""
        return self.ring(1.0, -0.5, 1.0), self.ring(1.0, 0.5, 1.0)


class MaxwellWinding(CoaxialWinding):
    """Three rings on a sphere: uniform to the sixth order. Opposed rings for a gradient are given as loops.

    The outer rings have radius (4/7)^(1/2) at heights +-(3/7)^(1/2) and 49/64 of the turns.

    Args:
        radius: of the central ring [m].
        turns: of the central ring.

    Source: Maxwell, A Treatise on Electricity and Magnetism (1873), vol. 2, art. 715.
    """

    kind: Literal["maxwell"]

    def around_origin(self) -> tuple[Conductor, ...]:
        """Three rings."""
        radius, height, turns = math.sqrt(4.0 / 7.0), math.sqrt(3.0 / 7.0), 49.0 / 64.0
        return self.ring(radius, -height, turns), self.ring(1.0, 0.0, 1.0), self.ring(radius, height, turns)


class Loop(CoaxialWinding):
    """One ring.

    Args:
        turns: may be negative, for a current that runs the other way.
    """

    def around_origin(self) -> tuple[Conductor, ...]:
        """One ring."""
        return (self.ring(1.0, 0.0, 1.0),)


class LoopsWinding(Winding):
    """Rings of any size anywhere, all in series.

    Args:
        loops: the rings.
    """

    kind: Literal["loops"]
    loops: Annotated[tuple[Loop, ...], Field(min_length=1)]

    def currents(self) -> tuple[Conductor, ...]:
        """The rings."""
        return tuple(current for loop in self.loops for current in loop.currents())

    def middle(self) -> Vector:
        """Mean of the centres [m]."""
        x, y, z = np.mean([loop.centre for loop in self.loops], axis=0).tolist()
        return x, y, z


class SourcedSolenoid(SolenoidWinding, Sourced):
    """A solenoid of the library."""


class SourcedHelmholtz(HelmholtzWinding, Sourced):
    """A Helmholtz pair of the library."""


class SourcedMaxwell(MaxwellWinding, Sourced):
    """A Maxwell coil of the library."""


class SourcedLoops(LoopsWinding, Sourced):
    """Rings of the library."""


AnySourcedWinding = Annotated[SourcedSolenoid | SourcedHelmholtz | SourcedMaxwell | SourcedLoops, Field(discriminator="kind")]


class Coil(Model):
    """A coil that exists, with what drives it.

    Args:
        winding: where its current runs, around the origin and the z axis.
        bore: diameter [m] of what fits in.
        amplitude: peak H [A/m] in the middle, that it is usually run at.
        frequency: [Hz].
    """

    name: str
    group: Literal["coil"] = Field(alias="class")
    note: str | None = None
    winding: AnySourcedWinding
    bore: Value[Length]
    amplitude: Value[FieldAmplitude]
    frequency: Value[Frequency]


def coil_files() -> dict[str, Path]:
    """Coil files of the library by name."""
    return record_files("coils")


def coil_file(name: str, folder: Path) -> Path:
    """File of a coil, by library name or by a path that counts from a folder.

    Raises:
        ValueError: there is none.
    """
    return record_file("coil", coil_files(), name, folder)


def load_coil(file: Path) -> Coil:
    """The coil that a file describes.

    Raises:
        ValueError: with every fault of the file.
    """
    return load_record(file, Coil, "coil", "coil")
