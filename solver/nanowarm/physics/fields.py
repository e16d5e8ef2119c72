"""The alternating magnetic field of a case: uniform, of a coil, or a map; always peak, never RMS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from nanowarm.physics.alternating import AlternatingField, AmplitudeSchedule
from nanowarm.physics.coil_fields import HelmholtzField, LibraryCoilField, LoopsField, MaxwellField, SolenoidField
from nanowarm.physics.coils import Axis, Point
from nanowarm.physics.conductors import ORIGIN, Z_AXIS
from nanowarm.physics.curves import Array
from nanowarm.physics.field_maps import MapField
from nanowarm.physics.schedules import Schedule
from nanowarm.quantity import VACUUM_PERMEABILITY, Frequency

# Two published bounds on amplitude times frequency in patients [A/m/s].
BREZOVICH_LIMIT = 4.85e8  # Atkinson, Brezovich & Chakraborty (1984), IEEE Trans. Biomed. Eng. 31:70
HERGT_LIMIT = 5.0e9  # Hergt & Dutz (2007), J. Magn. Magn. Mater. 311:187


class UniformField(AlternatingField):
    """The same amplitude at every point, as in the middle of a long coil.

    Args:
        amplitude: peak (never RMS) magnetic field H [A/m], may change in time.
        frequency: of the field [Hz].
        axis: direction of the field; its length does not matter.
        centre: point [m] on the axis around which the induced electric field runs.
    """

    uniform: ClassVar[bool] = True

    kind: Literal["uniform"]
    amplitude: AmplitudeSchedule
    frequency: Frequency
    axis: Axis = Z_AXIS
    centre: Point = ORIGIN

    def drive(self) -> Schedule:
        """The amplitude."""
        return self.amplitude

    def vector(self, points: Array) -> Array:
        """The axis, everywhere."""
        return np.tile(np.array(self.axis), (len(points), 1))

    def vector_potential(self, points: Array) -> Array:
        """mu0 axis x (r - centre) / 2 [T m per A/m]."""
        return np.asarray(0.5 * VACUUM_PERMEABILITY * np.cross(self.axis, points - np.array(self.centre)))


class NoField(AlternatingField):
    """No coil, or a coil that is off."""

    uniform: ClassVar[bool] = True

    kind: Literal["none"] = "none"
    amplitude: ClassVar[Schedule] = Schedule(at=("0 s",), values=(0.0,))  # type: ignore[arg-type]
    frequency: ClassVar[float] = 1.0  # [Hz], of nothing

    def drive(self) -> Schedule:
        """Zero."""
        return self.amplitude

    def schedules(self) -> tuple[Schedule, ...]:
        """Nothing changes in time."""
        return ()

    def vector(self, points: Array) -> Array:
        """Zeros."""
        return np.zeros((len(points), 3))

    def vector_potential(self, points: Array) -> Array:
        """Zeros."""
        return np.zeros((len(points), 3))


AnyField = Annotated[
    UniformField | NoField | SolenoidField | LoopsField | HelmholtzField | MaxwellField | LibraryCoilField | MapField,
    Field(discriminator="kind"),
]


def never_on(fields: Sequence[AnyField]) -> str | None:
    """What is wrong if a coil is given a current that is zero in every stage; a stage alone may be without."""
    if any(field.largest() > 0.0 for field in fields) or all(field.driven_by() != "current" for field in fields):
        return None
    return 'the current is 0 A in every stage: give one above zero, or kind = "none" for no field'
