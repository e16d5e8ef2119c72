"""What is asked of ice, of stress in the glass, and of the time spent in the warmth, by volume."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from nanowarm.physics.doses import MINUTE
from nanowarm.physics.ice import CRITICAL_FRACTION
from nanowarm.quantity import ZERO_CELSIUS, Dimension, Duration, Pressure, Temperature
from nanowarm.results.criterion import VolumeFraction
from nanowarm.results.dose_criteria import Asked, by_volume
from nanowarm.results.evidence import Outcome, Quantity, Seen

OF_WHAT_FREEZES = "of what can freeze"
PASCALS = 1e6  # in a MPa
MILLILITRES = 1e6  # in a m3
SAME = 1e-9  # relative difference that is rounding

_PART = Dimension("dimensionless", "0.2 %")


def _number(given: Any) -> Any:
    """The number of a text such as "0.2 %"; anything else as it is."""
    return _PART.parse(given) if isinstance(given, str) else given


IceFraction = Annotated[
    float,
    Field(gt=0.0, le=1.0),
    BeforeValidator(_number),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0.0, "maximum": 1.0},
                {"type": "string", "description": "a part of a whole, e.g. 0.2 %", "examples": ["0.2 %"]},
            ]
        }
    ),
]


class IceLimit(VolumeFraction):
    """A part of a region never crystallises by more than some part of what can freeze in it.

    Args:
        at_most: crystallised part of what can freeze; the detection limit of critical rates where left out.
    """

    kind: Literal["ice"]
    at_most: IceFraction = CRITICAL_FRACTION

    def followed(self) -> frozenset[Quantity]:
        """The ice."""
        return frozenset({"ice"})

    def judge(self, seen: Seen) -> Outcome:
        """Outcome for the ice that the fraction asked for does not exceed."""
        spread = seen.ice(self.region)
        if spread is None:
            reason = f"ice is not calibrated for what fills {self.region}"
            return unseen(self, self.at_most, OF_WHAT_FREEZES, reason)
        return by_volume(self, spread, Asked("at_most", self.at_most, self.fraction, OF_WHAT_FREEZES, SAME * self.at_most))


class StressLimit(VolumeFraction):
    """The largest tensile stress of a part of what was glass stays below what it bears.

    Args:
        at_most: largest tensile stress [Pa], or `strength`: that of the region's material.
    """

    kind: Literal["stress"]
    at_most: Literal["strength"] | Pressure = "strength"

    def asks_strength(self) -> bool:
        """Whether the limit is the material's."""
        return self.at_most == "strength"

    def followed(self) -> frozenset[Quantity]:
        """The stress."""
        return frozenset({"stress"})

    def judge(self, seen: Seen) -> Outcome:
        """Outcome for the stress [MPa] that the fraction asked for does not exceed."""
        bearable = seen.strength(self.region) if self.at_most == "strength" else self.at_most
        if bearable is None:
            raise ValueError(f"{self.region} has no tensile strength; load_case has refused that")
        limit, spread = bearable / PASCALS, seen.stress(self.region)
        if spread is None:
            return unseen(self, limit, "MPa", f"nothing of {self.region} became glass")
        asked = Asked("at_most", limit, self.fraction, "MPa", SAME * limit)
        megapascals = replace(spread, values=spread.values / PASCALS)
        risk = MILLILITRES * spread.size(megapascals.values > limit + asked.tolerance)
        return by_volume(self, megapascals, asked, at_s=seen.stress_peak(self.region).time, crack_risk_mL=risk)


class ExposureLimit(VolumeFraction):
    """A part of a region is warmer than a temperature for no longer than some time: toxicity, or limits of storage.

    Args:
        above: temperature [K] from which time counts.
        at_most: longest time [s], all times together.
    """

    kind: Literal["exposure"]
    above: Temperature
    at_most: Duration

    def asked_above(self) -> float | None:
        """The temperature [K] above which time is counted."""
        return self.above

    def judge(self, seen: Seen) -> Outcome:
        """Outcome for the time [min] that the fraction asked for does not exceed."""
        spread, limit = seen.time_above(self.region, self.above), self.at_most / MINUTE
        minutes = replace(spread, values=spread.values / MINUTE)
        asked = Asked("at_most", limit, self.fraction, "min", SAME * limit)
        return by_volume(self, minutes, asked, above_degC=round(self.above - ZERO_CELSIUS, 9))


def unseen(criterion: VolumeFraction, limit: float, unit: str, reason: str) -> Outcome:
    """Outcome of a limit of which nothing can be said, and why."""
    details = {"sense": "at_most", "fraction_asked": criterion.fraction, "reason": reason}
    return Outcome(criterion.kind, criterion.region, "unseen", None, limit, unit, details=details)
