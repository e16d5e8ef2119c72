"""What all criteria have in common."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from nanowarm.model import Model
from nanowarm.results.evidence import Quantity

Fraction = Annotated[float, Field(gt=0.0, le=1.0)]


class Criterion(Model):
    """Something that is asked of a region.

    Args:
        region: of the mesh, that is looked at.
    """

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

    def asked_above(self) -> float | None:
        """The temperature [K] above which time is counted, if it is."""
        return None

    def asks_strength(self) -> bool:
        """Whether the limit is the tensile strength of the material."""
        return False

    def asks_critical_difference(self) -> bool:
        """Whether the limit is the largest difference of temperature that the material's glass bears."""
        return False

    def followed(self) -> frozenset[Quantity]:
        """What must be followed at every node."""
        return frozenset()


class VolumeFraction(Criterion):
    """Something that is asked of a part of a region's volume.

    Args:
        fraction: of the volume that must have it.
    """

    fraction: Fraction = 1.0
