"""The alternating magnetic field: peak amplitude and frequency."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from nanowarm import quantity
from nanowarm.model import Model
from nanowarm.physics.schedules import Schedule, schedule_of
from nanowarm.quantity import Frequency

AmplitudeSchedule = Annotated[Schedule, *schedule_of(quantity.FIELD_AMPLITUDE)]

# Two published bounds on amplitude times frequency in patients [A/m/s].
BREZOVICH_LIMIT = 4.85e8  # Atkinson, Brezovich & Chakraborty (1984), IEEE Trans. Biomed. Eng. 31:70
HERGT_LIMIT = 5.0e9  # Hergt & Dutz (2007), J. Magn. Magn. Mater. 311:187


class UniformField(Model):
    """The same amplitude at every point, as in the middle of a long coil.

    Args:
        amplitude: peak (never RMS) magnetic field H [A/m], may change in time.
        frequency: [Hz].
    """

    kind: Literal["uniform"]
    amplitude: AmplitudeSchedule
    frequency: Frequency

    def schedules(self) -> tuple[Schedule, ...]:
        """The values that may change in time."""
        return (self.amplitude,)


class NoField(Model):
    """No coil, or a coil that is off."""

    kind: Literal["none"] = "none"
    amplitude: ClassVar[Schedule] = Schedule(at=("0 s",), values=(0.0,))  # type: ignore[arg-type]
    frequency: ClassVar[float] = 1.0  # [Hz], of nothing

    def schedules(self) -> tuple[Schedule, ...]:
        """Nothing changes in time."""
        return ()


AnyField = Annotated[UniformField | NoField, Field(discriminator="kind")]
