"""What is asked of dose, damage and the temperature of a treatment, by volume."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, field_validator, model_validator

from nanowarm.physics.doses import ABLATION, MINUTE, tissue_limit
from nanowarm.quantity import ZERO_CELSIUS, Duration, Length, Temperature
from nanowarm.results.criterion import Criterion, VolumeFraction
from nanowarm.results.evidence import Outcome, Quantity, Seen, Spread, millimetres

Sense = Literal["at_least", "at_most"]
PublishedLimit = Literal[
    "ISO 14708-3 muscle",
    "ISO 14708-3 fat",
    "ISO 14708-3 peripheral nerve",
    "ISO 14708-3 skin",
    "ISO 14708-3 bone",
    "ISO 14708-3 blood-brain barrier",
    "ISO 14708-3 brain",
]
Omega = Annotated[float, Field(gt=0.0, le=1e6)]

ROUNDING = 1e-12  # of a volume fraction added up node by node
SAME_DOSE = 1e-9  # relative difference of doses that is rounding
SAME = 1e-7  # [K] below which two temperatures are one


class DoseLimit(VolumeFraction):
    """A part of a region gets at least a dose that treats it, or at most one that spares it.

    Args:
        at_least: equivalent minutes at 43 degC [s], or `ablation`: 240 min.
        at_most: equivalent minutes at 43 degC [s], or a published limit of a tissue by name.
        fraction: of the volume of the region and of its margin together.
        margin: distance [m]; what is within this outside the region must get the dose as well.
    """

    kind: Literal["dose"]
    at_least: Literal["ablation"] | Duration | None = None
    at_most: PublishedLimit | Duration | None = None
    margin: Length | None = None

    @model_validator(mode="after")
    def _asks_one(self) -> DoseLimit:
        if (self.at_most is None) == (self.at_least is None):
            raise ValueError("give either `at_most` or `at_least`")
        if self.at_most is not None and self.margin is not None:
            raise ValueError("a margin goes with `at_least`: it is tissue that must be treated as well")
        return self

    def followed(self) -> frozenset[Quantity]:
        """The dose."""
        return frozenset({"CEM43"})

    def _limit(self) -> tuple[Sense, float, str]:
        """Which way, how much [min], and whence."""
        sense: Sense = "at_most" if self.at_least is None else "at_least"
        given = self.at_least or self.at_most or 0.0
        if given == "ablation":
            return sense, ABLATION.minutes, ABLATION.source
        if isinstance(given, str):
            level = tissue_limit(given.removeprefix("ISO 14708-3 "))
            return sense, level.minutes, level.source
        return sense, given / MINUTE, "given in the case"

    def judge(self, seen: Seen) -> Outcome:
        """Outcome for the dose [min] that the fraction asked for gets, or does not exceed."""
        sense, limit, source = self._limit()
        spread = seen.spread("CEM43", self.region, self.margin or 0.0)
        margin = {} if self.margin is None else {"margin_mm": 1e3 * self.margin}
        asked = Asked(sense, limit, self.fraction, "min", SAME_DOSE * limit)
        return by_volume(self, spread, asked, source=source, **margin)


class DamageLimit(VolumeFraction):
    """A part of a region is damaged at least, or at most, so much.

    Args:
        at_least, at_most: the damage integral Omega of the case's damage set; 1 is 63 % of the tissue.
    """

    kind: Literal["damage"]
    at_least: Omega | None = None
    at_most: Omega | None = None

    @model_validator(mode="after")
    def _asks_one(self) -> DamageLimit:
        if (self.at_most is None) == (self.at_least is None):
            raise ValueError("give either `at_most` or `at_least`")
        return self

    def followed(self) -> frozenset[Quantity]:
        """The damage."""
        return frozenset({"damage"})

    def judge(self, seen: Seen) -> Outcome:
        """Outcome for the damage that the fraction asked for reaches, or does not exceed."""
        sense: Sense = "at_most" if self.at_least is None else "at_least"
        limit = float(self.at_least or self.at_most or 0.0)
        asked = Asked(sense, limit, self.fraction, "Omega", SAME_DOSE * limit)
        return by_volume(self, seen.spread("damage", self.region), asked)


class TemperatureWindow(VolumeFraction):
    """A part of a region is between two temperatures.

    Args:
        between: the two temperatures [K].
        when: `hold`, the time of T90: the end of heating; or the end of the run.
    """

    kind: Literal["temperature window"]
    between: tuple[Temperature, Temperature]
    when: Literal["hold", "end"] = "hold"

    @field_validator("between")
    @classmethod
    def _has_width(cls, between: tuple[float, float]) -> tuple[float, float]:
        if between[0] == between[1]:
            raise ValueError("its two temperatures must differ")
        return between

    def followed(self) -> frozenset[Quantity]:
        """The temperature at that time."""
        return frozenset({"hold" if self.when == "hold" else "last"})

    def judge(self, seen: Seen) -> Outcome:
        """Outcome for the fraction of the volume that is inside; worst is what is farthest from the middle."""
        low, high = min(self.between), max(self.between)
        (quantity,) = self.followed()
        spread = seen.spread(quantity, self.region)
        inside = spread.part((spread.values >= low - SAME) & (spread.values <= high + SAME))
        off = Spread(np.abs(spread.values - 0.5 * (low + high)), spread.volume, spread.position, spread.add, spread.gather)
        return Outcome(
            kind=self.kind,
            region=self.region,
            outcome="met" if inside >= self.fraction - ROUNDING else "missed",
            value=inside,
            limit=self.fraction,
            unit="of the volume",
            fraction=inside,
            where_mm=millimetres(off.extreme(1)[1]),
            details={
                "sense": "at_least",
                "fraction_asked": self.fraction,
                "between_degC": [round(low - ZERO_CELSIUS, 9), round(high - ZERO_CELSIUS, 9)],
                "when": self.when,
                "coldest_degC": spread.extreme(-1)[0] - ZERO_CELSIUS,
                "hottest_degC": spread.extreme(1)[0] - ZERO_CELSIUS,
            },
        )


@dataclass(frozen=True)
class Asked:
    """A limit that a part of a volume must keep.

    Args:
        sense: which way.
        limit: in `unit`.
        fraction: of the volume.
        unit: of values and limit.
        tolerance: by how much a value may miss the limit, because of rounding.
    """

    sense: Sense
    limit: float
    fraction: float
    unit: str
    tolerance: float


def by_volume(criterion: Criterion, spread: Spread, asked: Asked, **details: Any) -> Outcome:
    """Outcome of a limit that is judged at every node; `worst` is the value at the worst place."""
    lower = asked.sense == "at_least"
    told = {"sense": asked.sense, "fraction_asked": asked.fraction} | details
    if spread.size() == 0.0:
        told |= {"reason": f"nothing of {criterion.region} was seen"}
        return Outcome(criterion.kind, criterion.region, "unseen", None, asked.limit, asked.unit, details=told)
    if lower:
        part = spread.part(spread.values >= asked.limit - asked.tolerance)
    else:
        part = spread.part(spread.values <= asked.limit + asked.tolerance)
    worst, place = spread.extreme(-1 if lower else 1)
    return Outcome(
        kind=criterion.kind,
        region=criterion.region,
        outcome="met" if part >= asked.fraction - ROUNDING else "missed",
        value=spread.reached(asked.fraction) if lower else spread.kept(asked.fraction),
        limit=asked.limit,
        unit=asked.unit,
        fraction=part,
        where_mm=millimetres(place),
        details=told | {"worst": worst},
    )
