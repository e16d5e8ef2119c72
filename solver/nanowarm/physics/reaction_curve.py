"""What a plant's answer to a trial says of it: slope and delay, from which a PID is tuned."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

ROUNDING = 6  # decimals of a kelvin: a temperature that starts at a limit is at it, whatever its last digits are
TRIAL = 1.0 / 16.0  # share of the full power at which a response is first looked for: a quarter of the amplitude
VISIBLE = 0.01  # [K] of rise that says something about the response
STRAIGHT = 1.5  # later half of a rise over its earlier half, below which the delay is over
STRAIGHT_SAMPLES = 4  # that tell so


class ReactionCurve:
    """How the temperature answers to power, seen while a plant is tried: first off, then a trial, then full power.

    The power of a sample is counted by the time it would last at full power: a rise over this *full-power time* is a line
    with the heating rate as slope, from the delay on. A drift that is there without power is taken off.

    Args:
        set_point: [K].
        every: time between samples [s].

    Source: Ziegler & Nichols (1942), Trans. ASME 64:759 (tangent and delay of the reaction curve).
    """

    def __init__(self, set_point: float, every: float) -> None:
        self._set_point, self._every = set_point, every
        self._drift = self._idle = 0.0  # slope [K/s] and share of power before the trial
        self._time = self._temperature = self._first = math.nan
        self._times, self._rises = [0.0], [0.0]
        self._tried = False

    def saved(self) -> dict[str, Any]:
        """What was seen."""
        seen = [self._drift, self._idle, self._time, self._temperature, self._first]
        return {"seen": seen, "times": self._times, "rises": self._rises, "tried": self._tried}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Go on from what was saved."""
        self._drift, self._idle, self._time, self._temperature, self._first = saved["seen"]
        self._times, self._rises, self._tried = list(saved["times"]), list(saved["rises"]), saved["tried"]

    def see(self, time: float, temperature: float, share: float) -> None:
        """Take in a sample at a time [s] and the share of power before it."""
        elapsed, change = time - self._time, temperature - self._temperature
        self._time, self._temperature = time, temperature
        if self._tried:
            self._times.append(self._times[-1] + max(share - self._idle, 0.0) * elapsed)
            self._rises.append(self._rises[-1] + change - self._drift * elapsed)
        elif not math.isnan(elapsed):
            self._drift, self._idle, self._first = change / elapsed, share, temperature
            self._tried = self._gap() > 0.0

    def share(self) -> float:
        """Share of the full power to try next."""
        return 0.0 if not self._tried else TRIAL if len(self._times) == 1 else 1.0

    def tangent(self) -> tuple[float, float]:
        """Heating rate at full power [K/s] and delay [s]; a rate of 0 as long as they can't be told."""
        time, rise = self._times[-1], self._rises[-1]
        if time > 0.0 and self._gap() <= 0.0:  # there without a clear response: a wrong drift may have hidden it
            return max(self._temperature - self._first, VISIBLE) / time, 0.0
        if time <= 0.0 or rise < VISIBLE:
            return 0.0, 0.0
        half = float(np.interp(0.5 * time, self._times, self._rises))
        rate = max((rise - half) / (0.5 * time), 0.5 * rise / time)
        delay = max(0.0, time - rise / rate)
        straight = len(self._times) > STRAIGHT_SAMPLES and rise - half < STRAIGHT * half
        near = self._gap() < 2.0 * rate * (self._every + delay)
        return (rate, delay) if straight or near else (0.0, 0.0)

    def _gap(self) -> float:
        """How far [K] the last temperature is below the set point."""
        return round(self._set_point - self._temperature, ROUNDING)
