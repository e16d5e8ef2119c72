"""What every alternating field is: a pattern in space times a drive that changes in time; always peak, never RMS."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationInfo

from nanowarm import quantity
from nanowarm.model import Model
from nanowarm.physics.curves import Array
from nanowarm.physics.schedules import Schedule, schedule_of

DriveName = Literal["amplitude", "current", "level"]
AmplitudeSchedule = Annotated[Schedule, *schedule_of(quantity.FIELD_AMPLITUDE)]


def folder_of(info: ValidationInfo) -> Path:
    """Folder from which relative paths count: that of the case file, if the caller gives it as context."""
    return Path((info.context or {}).get("folder", "."))


class AlternatingField(Model):
    """A field H(x) d(t) sin(2 pi f t): its pattern H(x) per unit of the drive d(t).

    The drive is an amplitude [A/m], a current [A], or a level of a map as it is [1]; all points are in phase.
    """

    uniform: ClassVar[bool] = False

    @abstractmethod
    def drive(self) -> Schedule:
        """What multiplies the pattern."""

    def driven_by(self) -> DriveName:
        """The key of the case file that gives the drive, and with it the drive's unit."""
        return "amplitude"

    @abstractmethod
    def vector(self, points: Array) -> Array:
        """Peak H [A/m per unit drive] at points [m]; both of shape (n, 3)."""

    def shape(self, points: Array) -> Array:
        """Peak |H| [A/m per unit drive] at points [m] of shape (n, 3); shape (n,)."""
        return np.asarray(np.linalg.norm(self.vector(points), axis=1))

    @abstractmethod
    def vector_potential(self, points: Array) -> Array:
        """Vector potential A [T m per unit drive] with curl A = mu0 H at points [m]; both of shape (n, 3)."""

    def per_drive(self) -> float:
        """Peak |H| [A/m per unit drive] where the amplitude of this field is quoted; 1 where that is the drive."""
        return 1.0

    def schedules(self) -> tuple[Schedule, ...]:
        """The values that may change in time."""
        return (self.drive(),)

    def largest(self) -> float:
        """Largest drive it ever has."""
        return self.drive().largest()

    def covers(self, points: Array) -> NDArray[np.bool_]:
        """Whether the field is known at points [m] of shape (n, 3); shape (n,)."""
        return np.ones(len(points), dtype=bool)

    def conductors(self) -> Array:
        """Points [m] on the currents, shape (m, 3); none where they are not known."""
        return np.empty((0, 3))

    def distance(self, points: Array) -> Array:
        """Distance [m] of points [m] to the middle of the nearest conductor, shape (n,); infinite without one."""
        return np.full(len(points), np.inf)

    def wire(self) -> float:
        """Radius of the conductor [m]; 0 where it is not known."""
        return 0.0

    def pattern(self) -> str:
        """Text that two fields share if, and only if, their patterns are described alike."""
        return f"{self.driven_by()} {self.model_dump_json(exclude={'amplitude', 'current', 'level', 'frequency'})}"

    def files(self) -> tuple[Path, ...]:
        """Files, by absolute path, that it was read from."""
        return ()

    def warnings(self) -> tuple[str, ...]:
        """What a user should know before trusting it, one line each."""
        return ()
