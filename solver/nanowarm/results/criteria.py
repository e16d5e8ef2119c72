"""What is asked of a run, and how it is judged from what was seen."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from nanowarm import quantity
from nanowarm.quantity import ZERO_CELSIUS, FieldProduct, Temperature, TemperatureRate
from nanowarm.results.criterion import Criterion, Fraction
from nanowarm.results.dose_criteria import SAME, Asked, DamageLimit, DoseLimit, TemperatureWindow, by_volume
from nanowarm.results.evidence import PER_MINUTE, TIE, Outcome, Quantity, RateEvidence, Seen, Verdict, finite, millimetres
from nanowarm.results.vitrification_criteria import ExposureLimit, IceLimit, StressLimit

Array = NDArray[np.float64]

ROUNDING = 1e-12  # of a volume fraction added up node by node


class RateCriterion(Criterion):
    """A region passes a window of temperature fast enough.

    Args:
        at_least: slowest rate that is allowed [K/s], or `critical`: the critical rate of the region's material.
        window: the two temperatures [K]; the material's own where left out.
        fraction: of the region's volume that must reach the rate.
        measure: the mean rate between the window's crossings, or the slowest instantaneous one inside it.
    """

    at_least: Literal["critical"] | TemperatureRate = "critical"
    window: tuple[Temperature, Temperature] | None = None
    fraction: Fraction = 1.0
    measure: Literal["mean", "slowest"] = "mean"

    @field_validator("window")
    @classmethod
    def _has_width(cls, window: tuple[float, float] | None) -> tuple[float, float] | None:
        if window is not None and window[0] == window[1]:
            raise ValueError("its two temperatures must differ")
        return window

    def asked_window(self) -> tuple[float, float] | None:
        """The window [K] as given."""
        return self.window

    def asks_critical(self) -> bool:
        """Whether the limit is the material's."""
        return self.at_least == "critical"

    def judge(self, seen: Seen) -> Outcome:
        """Outcome for the rates that were seen."""
        window = seen.window(self.region, self.window, self.needs_window)
        if window is None:
            raise ValueError(f"{self.region} has no window; load_case has refused that")
        evidence = seen.rates(self.region, (window, self.needs_window))
        if self.at_least == "critical":
            return self._outcome(evidence.at_full_strength(), seen.critical_rate(self.region, self.needs_window))
        return self._outcome(evidence, self.at_least)

    def _outcome(self, evidence: RateEvidence, limit: float) -> Outcome:
        rate = evidence.rate if self.measure == "mean" else np.minimum(evidence.rate, evidence.slowest)
        share = evidence.volume / evidence.volume.sum()
        passed, possible = _part(share, evidence.finished & (rate >= limit)), _part(share, rate >= limit)
        reached: Verdict = "missed" if possible < self.fraction - ROUNDING else "unseen"
        if passed >= self.fraction - ROUNDING:
            reached = "met"
        seen = np.where(evidence.finished, rate, 0.0) if reached == "met" else rate
        value = _reached_by(seen, share, self.fraction)
        lowest = _first_lowest(rate, evidence.position)
        return Outcome(
            kind=self.kind,
            region=self.region,
            outcome=reached,
            value=None if reached == "unseen" else finite(value * PER_MINUTE),
            limit=limit * PER_MINUTE,
            unit="degC/min",
            fraction=passed,
            where_mm=None if not np.isfinite(rate[lowest]) else millimetres(evidence.position[lowest]),
            details={
                "fraction_asked": self.fraction,
                "measure": self.measure,
                "lowest": finite(rate[lowest] * PER_MINUTE),
                "slowest_instantaneous": finite(evidence.slowest[evidence.finished].min(initial=np.inf) * PER_MINUTE),
                "upper_bound": bool(reached == "missed" and not evidence.finished[rate <= value].all()),
                "seen_fraction": _part(share, evidence.finished),
            },
        )


class WarmingRate(RateCriterion):
    """Every part of a region warms at least at a rate while ice could grow."""

    kind: Literal["warming rate"]
    needs_window: ClassVar[int] = 1


class CoolingRate(RateCriterion):
    """Every part of a region cools at least at a rate while ice could form."""

    kind: Literal["cooling rate"]
    needs_window: ClassVar[int] = -1


class TemperatureDifference(Criterion):
    """The part of a region that is colder than `below` stays even in temperature, so that glass does not crack.

    Args:
        at_most: largest difference [K], or `critical`: the largest that the glass of the region's material bears.
        below: temperature [K]; what is warmer does not count.
    """

    kind: Literal["temperature difference"]
    at_most: Literal["critical"] | quantity.TemperatureDifference
    below: Temperature

    def asked_below(self) -> float | None:
        """The temperature [K] below which differences count."""
        return self.below

    def asks_critical_difference(self) -> bool:
        """Whether the limit is the material's."""
        return self.at_most == "critical"

    def judge(self, seen: Seen) -> Outcome:
        """Outcome for the largest difference [K] that was seen."""
        limit = seen.glass_difference_limit(self.region) if self.at_most == "critical" else self.at_most
        if limit is None:
            raise ValueError(f"{self.region} has no critical difference; load_case has refused that")
        peak = seen.difference(self.region, self.below)
        reached: Verdict = "unseen" if peak.value is None else "met" if peak.value <= limit else "missed"
        details = {"below_degC": self.below - ZERO_CELSIUS, "at_s": None if peak.value is None else peak.time}
        return Outcome(self.kind, self.region, reached, peak.value, limit, "degC", details=details)


class TemperatureLimit(Criterion):
    """A region stays (or ends) below a highest or above a lowest temperature, or reaches one.

    Args:
        at_most: highest temperature that is allowed [K].
        at_least: lowest temperature that is allowed [K].
        when: at every time of the run, at its end, or ever: each place at a time of its own.
        fraction: of the region's volume that must do so; all of it where left out.
    """

    kind: Literal["temperature"]
    at_most: Temperature | None = None
    at_least: Temperature | None = None
    when: Literal["always", "end", "ever"] = "always"
    fraction: Fraction | None = None

    @model_validator(mode="after")
    def _asks_one(self) -> TemperatureLimit:
        if (self.at_most is None) == (self.at_least is None):
            raise ValueError("give either `at_most` or `at_least`")
        return self

    def _limit(self) -> tuple[int, float]:
        """1 for a highest and -1 for a lowest temperature, and that temperature [K]."""
        return (1, self.at_most) if self.at_most is not None else (-1, self.at_least or 0.0)

    def followed(self) -> frozenset[Quantity]:
        """Temperatures of every node, where extremes of the region do not do."""
        return frozenset() if self.fraction is None and self.when != "ever" else frozenset({self._quantity()})

    def _quantity(self) -> Quantity:
        """Each node's temperature that counts; `always at most` and `ever at least` are about its highest."""
        if self.when == "end":
            return "last"
        return "hottest" if (self.at_most is not None) == (self.when == "always") else "coldest"

    def judge(self, seen: Seen) -> Outcome:
        """Outcome for the coldest or the hottest temperature [K] that was seen."""
        if self.followed():
            return self._by_volume(seen)
        sign, limit = self._limit()
        peak = seen.extreme(self.region, sign, self.when)
        if peak.value is None:
            raise ValueError("a run always sees a temperature")
        return Outcome(
            kind=self.kind,
            region=self.region,
            outcome="met" if sign * peak.value <= sign * limit else "missed",
            value=peak.value - ZERO_CELSIUS,
            limit=limit - ZERO_CELSIUS,
            unit="degC",
            where_mm=millimetres(peak.position),
            details={"sense": "at_most" if sign > 0 else "at_least", "when": self.when, "at_s": peak.time},
        )

    def _by_volume(self, seen: Seen) -> Outcome:
        """Outcome for the temperature that the fraction asked for reaches, or does not exceed."""
        (sign, limit), asked = self._limit(), 1.0 if self.fraction is None else self.fraction
        spread = seen.spread(self._quantity(), self.region)
        celsius = replace(spread, values=spread.values - ZERO_CELSIUS)
        limits = Asked("at_most" if sign > 0 else "at_least", limit - ZERO_CELSIUS, asked, "degC", SAME)
        return by_volume(self, celsius, limits, when=self.when)


class FieldLimit(Criterion):
    """Amplitude times frequency stays below what patients bear: eddy currents heat in proportion to its square.

    Args:
        at_most: amplitude times frequency [A/m/s], or a published limit by name.
    """

    kind: Literal["field limit"]
    at_most: Literal["Atkinson-Brezovich", "Hergt-Dutz"] | FieldProduct

    def judge(self, seen: Seen) -> Outcome:
        """Outcome for the strongest field in the region."""
        source, limit = _FIELD_LIMITS.get(str(self.at_most), ("given in the case", self.at_most))
        value = seen.field_product(self.region)
        reached: Verdict = "met" if value <= float(limit) else "missed"
        return Outcome(self.kind, self.region, reached, value, float(limit), "A/m/s", details={"source": source})


_FIELD_LIMITS: dict[str, tuple[str, float]] = {
    "Atkinson-Brezovich": ("Atkinson, Brezovich & Chakraborty (1984), IEEE Trans. Biomed. Eng. 31:70", 4.85e8),
    "Hergt-Dutz": ("Hergt & Dutz (2007), J. Magn. Magn. Mater. 311:187", 5.0e9),
}

AnyCriterion = Annotated[
    WarmingRate
    | CoolingRate
    | TemperatureDifference
    | TemperatureLimit
    | FieldLimit
    | DoseLimit
    | DamageLimit
    | TemperatureWindow
    | IceLimit
    | StressLimit
    | ExposureLimit,
    Field(discriminator="kind"),
]


def verdict(outcomes: tuple[Outcome, ...]) -> Verdict:
    """`missed` if any criterion was missed, else `unseen` if any was, else `met`."""
    found = {outcome.outcome for outcome in outcomes}
    return "missed" if "missed" in found else "unseen" if "unseen" in found else "met"


def _part(share: Array, chosen: NDArray[np.bool_]) -> float:
    return min(1.0, float(share[chosen].sum()))


def _reached_by(rate: Array, share: Array, fraction: float) -> float:
    """Largest rate that at least a fraction of the volume reaches [K/s]."""
    order = np.argsort(-rate, kind="stable")
    reached = int(np.searchsorted(np.cumsum(share[order]), fraction - ROUNDING))
    return float(rate[order[min(reached, rate.size - 1)]])


def _first_lowest(values: Array, position: Array) -> int:
    """Index of the lowest value; of equal ones that with the smallest coordinates, on any number of ranks."""
    lowest = values.min()
    equal = np.flatnonzero(values <= lowest + TIE * abs(lowest)) if np.isfinite(lowest) else np.arange(1)
    near = np.round(position[equal], 9)
    return int(equal[np.lexsort((near[:, 2], near[:, 1], near[:, 0]))[0]])
