"""Controllers of the field: each sees a temperature at its samples and answers the amplitude until the next one.

They are plain Python that every MPI rank carries along. What they see may differ in the last digits between ranks and
between numbers of ranks, so nothing here compares two numbers that are equal by design.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from nanowarm.physics.reaction_curve import ROUNDING, ReactionCurve

SHORTEST_LAG = 3.0  # samples: a heating rate six times too small would still be stable
RAMP_DELAY = 0.1  # of a ramp to the largest amplitude counts as delay: no overshoot of a sphere for ramps of 20 to 400 s
SET_POINT_WEIGHT = 0.5  # with SIMC's times its zero then cancels one of two equal poles: no overshoot


@dataclass(frozen=True)
class Limits:
    """What a coil can do.

    Args:
        least, most: peak amplitude [A/m].
        rate: largest change of the amplitude [A/m per s], may be infinite.
        every: time between samples [s].
    """

    least: float
    most: float
    rate: float
    every: float


class Coil:
    """The amplitude that a coil gives: off before the start, then within its limits.

    Args:
        limits: of the amplitude.
        start: first sample [s].
    """

    def __init__(self, limits: Limits, start: float) -> None:
        self.limits = limits
        self._amplitude = 0.0
        self._time = start - limits.every

    def give(self, time: float, amplitude: float) -> float:
        """The amplitude [A/m] from a time [s] on where `amplitude` is wanted."""
        wanted = min(max(amplitude, self.limits.least), self.limits.most)
        if math.isfinite(self.limits.rate):
            change = self.limits.rate * (time - self._time)
            wanted = min(max(wanted, self._amplitude - change), self._amplitude + change)
        self._amplitude, self._time = wanted, time
        return wanted

    def saved(self) -> list[float]:
        """What it gives [A/m], and since when [s]."""
        return [self._amplitude, self._time]

    def restore(self, saved: Sequence[float]) -> None:
        """Go on from what was saved."""
        self._amplitude, self._time = saved

    def share(self) -> float:
        """The power that it gives now, relative to that at the largest amplitude: heat goes with the square."""
        return (self._amplitude / self.limits.most) ** 2

    def give_share(self, time: float, share: float) -> float:
        """The amplitude [A/m] from a time [s] on where a share of the full power is wanted."""
        return self.give(time, self.limits.most * math.sqrt(max(share, 0.0)))


class Controller(ABC):
    """A state machine that is asked once per sample, in order of time.

    Args:
        coil: what it controls.
    """

    def __init__(self, coil: Coil) -> None:
        self.coil = coil
        self.notes: list[str] = []  # lines for the user

    def saved(self) -> dict[str, Any]:
        """What it remembers, as JSON can hold it."""
        return {"coil": self.coil.saved(), "notes": self.notes, "own": self._memory()}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Go on from what was saved."""
        self.coil.restore(saved["coil"])
        self.notes = list(saved["notes"])
        self._remember(saved["own"])

    @abstractmethod
    def _memory(self) -> dict[str, Any]:
        """What this kind of controller remembers."""

    @abstractmethod
    def _remember(self, saved: Mapping[str, Any]) -> None:
        """Take it over."""

    @abstractmethod
    def answer(self, time: float, temperature: float) -> float:
        """Peak amplitude [A/m] from a sample at a time of the run [s] on, where the sensor shows a temperature [K]."""


class CycleController(Controller):
    """On and off by the clock; it needs no temperature.

    Args:
        start: time of the run [s] at which it goes on.
        on, off: how long it is on and off [s].
    """

    def __init__(self, coil: Coil, start: float, on: float, off: float) -> None:
        super().__init__(coil)
        self._start, self._on, self._period = start, on, on + off

    def _memory(self) -> dict[str, Any]:
        return {}

    def _remember(self, saved: Mapping[str, Any]) -> None:
        """The clock is all it needs."""

    def answer(self, time: float, temperature: float) -> float:
        """Peak amplitude [A/m] from a time of the run [s] on."""
        since = time - self._start
        tie = 1e-9 * max(1.0, since)
        phase = since - self._period * math.floor((since + tie) / self._period)
        return self.coil.give(time, self.coil.limits.most if phase < self._on - tie else 0.0)


class ThermostatController(Controller):
    """On below a band, off above it, and as it was inside; off at the start.

    Args:
        lower, upper: ends of the band [K].
        shortest: times [s] that it stays off and on at least.
    """

    def __init__(self, coil: Coil, band: tuple[float, float], shortest: tuple[float, float]) -> None:
        super().__init__(coil)
        self._band, self._shortest = band, shortest
        self._on = False
        self._until = -math.inf
        self._seen = math.nan

    def _memory(self) -> dict[str, Any]:
        return {"on": self._on, "until": self._until, "seen": self._seen}

    def _remember(self, saved: Mapping[str, Any]) -> None:
        self._on, self._until, self._seen = saved["on"], saved["until"], saved["seen"]

    def answer(self, time: float, temperature: float) -> float:
        """Peak amplitude [A/m] from a sample at a time of the run [s] on."""
        lower, upper = self._band
        below, above = round(lower - temperature, ROUNDING) > 0.0, round(temperature - upper, ROUNDING) > 0.0
        if (above if self._on else below) and time >= self._until:
            self._on = not self._on
            self._until = time + self._shortest[self._on] * (1.0 - 1e-9)
        self._look_at_samples(temperature)
        return self.coil.give(time, self.coil.limits.most if self._on else 0.0)

    def _look_at_samples(self, temperature: float) -> None:
        lower, upper = self._band
        step, self._seen = abs(temperature - self._seen), temperature
        if step > upper - lower and not self.notes:
            self.notes.append(
                f"the thermostat's temperature moved {step:.2g} K in one sample of {self.coil.limits.every:g} s, more than its "
                f"band of {upper - lower:.2g} K: give a shorter `every`, a smaller `most`, or a pid"
            )


@dataclass(frozen=True)
class Gains:
    """Constants of a PID that answers a share of the full power.

    Args:
        gain: [1/K].
        integral: integral time [s].
        derivative: derivative time [s].
    """

    gain: float
    integral: float
    derivative: float = 0.0


class PidController(Controller):
    """A PID of the share of the full power, tuned by the reaction curve where no gains are given.

    share = gain (b (set point - T) - (1 - b) (T - first T) - derivative time dT/dt) + integral, with b = 0.5. The
    integral follows what the coil really gives (back calculation), so it never winds up; it starts at zero, so the first
    share is no more than the error asks for.

    Args:
        gains: its constants; none to find them at the start.
        set_point: [K].

    Source: Skogestad (2003), J. Process Control 13:291, table 1 (tuning of an integrating process, "SIMC"); Astrom &
        Hagglund (2006), Advanced PID Control, chapter 3 (set point weight, back calculation).
    """

    def __init__(self, coil: Coil, set_point: float, gains: Gains | None) -> None:
        super().__init__(coil)
        self._set_point, self._gains = set_point, gains
        self._curve = ReactionCurve(set_point, coil.limits.every)
        self._integral = self._growth = 0.0  # share of power, and how fast it grows [1/s]
        self._first = self._temperature = self._time = math.nan

    def _memory(self) -> dict[str, Any]:
        seen = [self._integral, self._growth, self._first, self._temperature, self._time]
        gains = None if self._gains is None else asdict(self._gains)
        return {"seen": seen, "gains": gains, "curve": self._curve.saved()}

    def _remember(self, saved: Mapping[str, Any]) -> None:
        self._integral, self._growth, self._first, self._temperature, self._time = saved["seen"]
        self._gains = None if saved["gains"] is None else Gains(**saved["gains"])
        self._curve.restore(saved["curve"])

    def answer(self, time: float, temperature: float) -> float:
        """Peak amplitude [A/m] from a sample at a time of the run [s] on."""
        if self._gains is None:
            self._curve.see(time, temperature, self.coil.share())
            self._gains = self._tuned()
        if self._gains is None:
            return self.coil.give_share(time, self._curve.share())
        return self._control(time, temperature, self._gains)

    def _tuned(self) -> Gains | None:
        rate, late = self._curve.tangent()
        if rate <= 0.0:
            return None
        limits = self.coil.limits
        delay = late + 0.5 * limits.every + RAMP_DELAY * limits.most / limits.rate
        lag = delay + max(delay, SHORTEST_LAG * limits.every)
        gains = Gains(1.0 / (rate * lag), 4.0 * lag)
        self.notes.append(
            f"the pid found {rate:.3g} K/s at {limits.most / 1000.0:.4g} kA/m, {late:.1f} s late: "
            f"gain {gains.gain:.3g} 1/K, integral time {gains.integral:.3g} s"
        )
        if late > 2.0 * SHORTEST_LAG * limits.every:
            self.notes.append("the pid's sensor is far from the heat: what lies nearer to it is hotter and may overshoot")
        return gains

    def _control(self, time: float, temperature: float, gains: Gains) -> float:
        if math.isnan(self._first):
            self._first = self._temperature = temperature
            self._time = time
        elapsed = time - self._time
        self._integral += elapsed * self._growth
        error, climb = self._set_point - temperature, temperature - self._first
        share = gains.gain * (SET_POINT_WEIGHT * error - (1.0 - SET_POINT_WEIGHT) * climb) + self._integral
        if elapsed > 0.0:
            share -= gains.gain * gains.derivative * (temperature - self._temperature) / elapsed
        amplitude = self.coil.give_share(time, share)
        follow = max(0.5 * gains.integral, 2.0 * self.coil.limits.every)
        self._growth = gains.gain * error / gains.integral + (self.coil.share() - share) / follow
        self._time, self._temperature = time, temperature
        return amplitude
