"""Where a run stands: told by the process that computes it, and read by one that shows it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ZERO_CELSIUS = 273.15  # [K], by definition


@dataclass(frozen=True)
class Progress:
    """Where a run stands, after an accepted step.

    Args:
        time, size: simulated time and step [s].
        end: expected end of the protocol [s], infinite where not known.
        coldest, mean, hottest: [K].
    """

    stage: str
    time: float
    size: float
    end: float
    coldest: float
    mean: float
    hottest: float

    @property
    def part(self) -> float | None:
        """How much of the protocol is done, from 0 to 1; None where its end is not known."""
        known = math.isfinite(self.end) and self.end > 0.0
        return min(self.time / self.end, 1.0) if known else None


def temperatures(progress: Progress) -> dict[str, float]:
    """Coldest, mean and hottest temperature [degC]."""
    found = {"coldest": progress.coldest, "mean": progress.mean, "hottest": progress.hottest}
    return {what: value - ZERO_CELSIUS for what, value in found.items()}


def as_event(progress: Progress, left: float) -> dict[str, Any]:
    """Where a run stands, as programs are told.

    Args:
        progress: of the run.
        left: wall time [s] that is left, infinite where unknown.
    """
    where = {"stage": progress.stage, "time_s": progress.time, "step_s": progress.size}
    where |= {f"{what}_degC": value for what, value in temperatures(progress).items()}
    return where | {"end_s": progress.end, "left_s": left}


def from_event(event: Mapping[str, Any]) -> tuple[Progress, float]:
    """Where a run stands, and the wall time [s] that is left, by what programs are told."""
    end, left = (math.inf if event[key] is None else event[key] for key in ("end_s", "left_s"))
    kelvin = (event[f"{what}_degC"] + ZERO_CELSIUS for what in ("coldest", "mean", "hottest"))
    return Progress(event["stage"], event["time_s"], event["step_s"], end, *kelvin), left
