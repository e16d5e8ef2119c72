"""How fast every node goes through a window of temperature: crossing times from dense output."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nanowarm.numerics.heat import HeatEquation
from nanowarm.numerics.rkc import Step
from nanowarm.numerics.sampling import Nodes
from nanowarm.numerics.saved import Saved
from nanowarm.results.evidence import RateEvidence

Array = NDArray[np.float64]

ITERATIONS = 60  # bisection alone reaches round-off in 53; Newton's method in about 5
CONVERGED = 1e-13  # of a step
SAMPLES = (0.5, 1.0)  # parts of a step at which the instantaneous rate is looked at


class WindowRates:
    """Entry and exit of every node of this rank, and its slowest rate in between.

    A node enters when it last crosses the first temperature before it first crosses the second; crossings
    are looked for in the enthalpy, where thresholds are exact.

    Args:
        heat: the equation.
        window: coldest and warmest temperature [K].
        direction: 1 for warming, -1 for cooling.
    """

    def __init__(self, heat: HeatEquation, window: tuple[float, float], direction: int) -> None:
        first, last = window if direction > 0 else window[::-1]
        self.heat, self.direction, self.span = heat, direction, window[1] - window[0]
        self._ends = first, last
        owned = heat.owned
        self._look_up()
        self._outside = np.ones((2, owned), dtype=bool)  # whether each node was last seen before each of the two ends
        self._begun = False
        self.entered = np.full(owned, np.nan)
        self.left = np.full(owned, np.nan)
        self.slowest = np.full(owned, np.inf)
        self.now = 0.0

    def _look_up(self) -> None:
        """Enthalpies and capacities of all nodes at the two ends of the window; ice changes them."""
        thermo, owned = self.heat.thermo, self.heat.owned
        self._icy = thermo.icy
        self._first, self._last = (self.direction * thermo.enthalpy(t)[:owned] for t in self._ends)
        self._first_capacity, self._last_capacity = (thermo.capacity(t)[:owned] for t in self._ends)

    def observe(self, step: Step) -> None:
        """Look for crossings inside a step, and at the rates of those inside the window.

        What a node was before counts from where it was last seen: latent heat moves it between two steps.
        """
        owned = self.heat.owned
        if not self._begun:
            self._see(step.values[0])
        if self.heat.thermo.icy or self._icy:
            self._look_up()
        end = self.direction * step.state(step.end)[:owned]
        open_ = np.isnan(self.left)
        enters = np.flatnonzero(open_ & self._outside[0] & (end > self._first))
        self.entered[enters], self.slowest[enters] = self._crossing(step, enters, self._first, self._first_capacity)
        inside = open_ & ~np.isnan(self.entered)
        if inside.any():
            for part in SAMPLES:
                self._look(step, step.start + part * (step.end - step.start), inside)
        leaves = np.flatnonzero(inside & self._outside[1] & (end >= self._last))
        self.left[leaves], rate = self._crossing(step, leaves, self._last, self._last_capacity)
        self.slowest[leaves] = np.minimum(self.slowest[leaves], rate)
        self.now = step.end
        self._see(step.state(step.end))

    def _see(self, state: Array) -> None:
        """Keep on which side of the two ends every node is."""
        here = self.direction * state[: self.heat.owned]
        np.less_equal(here, self._first, out=self._outside[0])
        np.less(here, self._last, out=self._outside[1])
        self._begun = True

    def jumped(self, time: float, before: Array, after: Array) -> None:
        """Nodes that are set to another temperature at once pass the thresholds in no time, infinitely fast."""
        owned = self.heat.owned
        here, there, open_ = self.direction * before[:owned], self.direction * after[:owned], np.isnan(self.left)
        self.entered[open_ & (here <= self._first) & (there > self._first)] = time
        self.left[open_ & ~np.isnan(self.entered) & (here < self._last) & (there >= self._last)] = time
        self._see(after)

    def _crossing(self, step: Step, nodes: NDArray[np.int64], threshold: Array, capacity: Array) -> tuple[Array, Array]:
        """Times [s] at which nodes reach their threshold inside a step, and their rates [K/s] then.

        Newton's method on the cubic of the dense output, kept inside a bracket that halves where it would leave.
        """
        y0, y1, f0, f1 = self.direction * step.values[:, nodes]
        f0, f1, target = step.size * f0, step.size * f1, threshold[nodes]
        low, high = np.zeros(nodes.size), np.full(nodes.size, (step.end - step.start) / step.size)
        x = np.clip((target - y0) / np.where(y1 != y0, y1 - y0, 1.0), low, high)
        slope = y1 - y0
        for _ in range(ITERATIONS if nodes.size else 0):
            value = y0 + x * (f0 + x * (3.0 * (y1 - y0) - 2.0 * f0 - f1 + x * (f0 + f1 - 2.0 * (y1 - y0))))
            slope = f0 + x * (2.0 * (3.0 * (y1 - y0) - 2.0 * f0 - f1) + 3.0 * x * (f0 + f1 - 2.0 * (y1 - y0)))
            low, high = np.where(value < target, x, low), np.where(value < target, high, x)
            better = x - (value - target) / np.where(slope != 0.0, slope, 1.0)
            better = np.where((better < low) | (better > high), 0.5 * (low + high), better)
            change, x = float(np.abs(better - x).max()), better
            if change < CONVERGED:
                break
        return step.start + x * step.size, slope / step.size / capacity[nodes]

    def _look(self, step: Step, time: float, inside: NDArray[np.bool_]) -> None:
        """Compare the instantaneous rate [K/s] at a time for the nodes that are in the window then."""
        owned = self.heat.owned
        state = step.state(time)
        self.heat.temperature(state)  # locates the state
        rate = self.direction * step.slope(time)[:owned] * self.heat.thermo.per_capacity()[:owned]
        here = self.direction * state[:owned]
        within = inside & (here >= self._first) & (here <= self._last)
        np.copyto(self.slowest, np.minimum(self.slowest, rate), where=within)

    def saved(self) -> Saved:
        """What was seen of own nodes, and where the ends of the window are for them."""
        ends = np.stack((self._first, self._last, self._first_capacity, self._last_capacity), axis=1)
        seen = np.stack((self.entered, self.left, self.slowest), axis=1)
        return Saved({"now": self.now, "begun": self._begun}, {"ends": ends, "seen": seen, "outside": self._outside.T})

    def restore(self, saved: Saved) -> None:
        """Go on from what was saved."""
        self.now, self._begun = saved.plain["now"], saved.plain["begun"]
        self._first, self._last, self._first_capacity, self._last_capacity = saved.nodes["ends"].T.copy()
        self.entered, self.left, self.slowest = saved.nodes["seen"].T.copy()
        self._outside = saved.nodes["outside"].T.copy()

    def rates(self) -> tuple[Array, NDArray[np.bool_]]:
        """Mean rate [K/s] of every own node and whether it is final; else a bound, infinite where it never entered."""
        finished = ~np.isnan(self.left)
        until = np.where(finished, self.left, self.now)
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = self.span / (until - self.entered)
        return np.where(np.isnan(rate), np.inf, rate), finished

    def evidence(self, nodes: Nodes) -> RateEvidence:
        """What all ranks saw of a region, on every rank."""
        rate, finished = self.rates()
        comm = self.heat.layout.comm
        parts = (nodes.volume, self.heat.operators.position[nodes.index], rate[nodes.index])
        parts += (self.slowest[nodes.index], finished[nodes.index])  # type: ignore[assignment]
        together = [np.concatenate(comm.allgather(part)) for part in parts]
        return RateEvidence(*together)
