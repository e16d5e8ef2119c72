"""What all criteria have in common."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from nanowarm.model import Model
from nanowarm.results.evidence import Quantity

Fraction = Annotated[float, Field(gt=0.0, le=1.0)]


class Criterion(Model):
    """Something that is asked of a region."""

    kind: str
    region: str

    needs_window: ClassVar[int] = 0  # 1 for rates of warming, -1 for rates of cooling

    def asked_window(self) -> tuple[float, float] | None:
        """The window [K] that the criterion gives itself."""
        return None

    def asks_critical(self) -> bool:
        """Whether the limit is a critical rate of the material."""
        return False

    def asked_below(self) -> float | None:
        """The temperature [K] below which differences are followed, if they are."""
        return None

    def followed(self) -> frozenset[Quantity]:
        """What must be followed at every node."""
        return frozenset()


class VolumeFraction(Criterion):
    """Something that is asked of a part of a region's volume.

    Args:
        fraction: of the volume that must have it.
    """

    fraction: Fraction = 1.0
