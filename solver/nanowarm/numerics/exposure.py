"""How long every node has been above a temperature."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nanowarm.numerics.crossings import NOTICED
from nanowarm.numerics.dose_fields import spread_of
from nanowarm.numerics.heat import HeatEquation
from nanowarm.numerics.rkc import Step
from nanowarm.numerics.sampling import Nodes
from nanowarm.numerics.saved import Saved
from nanowarm.results.evidence import Spread

Array = NDArray[np.float64]

REACH = 1.0  # of a step at its fastest rate: dense output strays by a third at most, ice may double the rate


class TimeAbove:
    """Time that every own node has spent above a temperature, over accepted steps; steady stages take none.

    In a step in which nodes come near it, temperature is the parabola through start, middle and end.

    Args:
        heat: the equation.
        temperature: [K].
    """

    def __init__(self, heat: HeatEquation, temperature: float) -> None:
        self.heat, self.temperature = heat, temperature + NOTICED
        self.seconds = np.zeros(heat.owned)
        self._last = np.full(heat.owned, np.nan)
        self._work = np.empty(heat.owned)
        self._range = np.nan, np.nan

    def look(self, temperature: Array) -> None:
        """Take over own nodes' temperatures [K] where a run begins, or where they have jumped."""
        np.copyto(self._last, temperature)
        self._range = _range(temperature)

    def observe(self, step: Step, temperature: Array) -> None:
        """Add the time of an accepted step, with own nodes' temperatures [K] at its end."""
        (coldest, hottest), (cold, hot), reach = self._range, _range(temperature), self._reach(step)
        if min(coldest, cold) - reach > self.temperature:
            self.seconds += step.end - step.start
        elif max(hottest, hot) + reach > self.temperature:
            end = temperature.copy()  # the next line may overwrite the array given
            middle = self.heat.temperature(step.state(0.5 * (step.start + step.end)))
            self._add(step.end - step.start, (self._last, middle, end))
            temperature = end
        np.copyto(self._last, temperature)
        self._range = cold, hot

    def _reach(self, step: Step) -> float:
        """How far a temperature may go beyond both its ends inside a step [K]."""
        slopes = [row[: self.heat.owned] for row in step.values[2:]]
        fastest = max(max(float(row.max(initial=0.0)), -float(row.min(initial=0.0))) for row in slopes)
        return REACH * step.size * fastest * self.heat.thermo.largest_per_capacity

    def _add(self, duration: float, temperatures: tuple[Array, Array, Array]) -> None:
        """Add the time [s] of a step: all of it, none, or that on the warm sides of where nodes pass the temperature.

        Args:
            duration: of the step [s].
            temperatures: at start, middle and end [K], shape (owned,) each.
        """
        before, middle, after = (temperature > self.temperature for temperature in temperatures)
        np.multiply(middle, duration, out=self._work)
        nodes = np.flatnonzero((before != middle) | (middle != after))
        self._work[nodes] = duration * _part_above(np.stack([t[nodes] for t in temperatures]) - self.temperature)
        self.seconds += self._work

    def saved(self) -> Saved:
        """The time of own nodes, and where they were last."""
        return Saved(nodes={"seconds": self.seconds, "last": self._last})

    def restore(self, saved: Saved) -> None:
        """Go on from what was saved."""
        self.seconds = saved.nodes["seconds"]
        self.look(saved.nodes["last"])

    def spread(self, nodes: Nodes) -> Spread:
        """How the time [s] lies over a region; its methods are collective."""
        return spread_of(self.heat, nodes, self.seconds[nodes.index])


def _range(temperature: Array) -> tuple[float, float]:
    """Coldest and hottest, infinitely hot and cold where there is none."""
    return float(temperature.min(initial=np.inf)), float(temperature.max(initial=-np.inf))


def _part_above(excess: Array) -> Array:
    """Part of a step in which the parabola through three values is above 0.

    Args:
        excess: at start, middle and end, shape (3, nodes).
    """
    part = np.zeros(excess.shape[1])
    for half in (0, 1):
        first, last = excess[half] > 0.0, excess[half + 1] > 0.0
        until = np.where(first != last, 2.0 * _root(excess, half) - half, 1.0)  # of this half
        part += 0.5 * np.where(first, until, np.where(last, 1.0 - until, 0.0))
    return part


def _root(values: Array, half: int) -> Array:
    """Where in one half of the step from 0 to 1 a parabola is 0; meaningless without a change of sign there.

    Args:
        values: at 0, 0.5 and 1, shape (3, nodes).
        half: 0 or 1.
    """
    start, middle, end = values
    bend, slope = 2.0 * (start - 2.0 * middle + end), 4.0 * middle - 3.0 * start - end
    root = np.sqrt(np.maximum(slope * slope - 4.0 * bend * start, 0.0))
    q = -0.5 * (slope + np.where(slope < 0.0, -root, root))
    with np.errstate(all="ignore"):  # a straight line has one root only
        roots = np.stack((start / q, q / bend))  # of start + slope x + bend x^2, without cancellation
    roots = np.where(np.isfinite(roots), roots, np.inf)
    first, second = np.abs(roots - 0.25 - 0.5 * half)  # from the middle of this half
    return np.clip(np.where(first <= second, *roots), 0.5 * half, 0.5 * half + 0.5)
