"""When each region passes the temperatures of its glass transition and of its melting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanowarm.numerics.heat import HeatEquation
from nanowarm.numerics.rkc import Step
from nanowarm.numerics.sampling import Nodes
from nanowarm.numerics.saved import Saved
from nanowarm.numerics.stack import MPI
from nanowarm.quantity import ZERO_CELSIUS

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Index = NDArray[np.intp]

NOTICED = 1e-4  # [K] by which a node must be above a temperature: tables give its own to half of that
CLOSE = 5e-3  # of a step: the last correction of a passage; what is left is several times smaller
ITERATIONS = 20
DIRECTIONS = {"cooling": False, "warming": True}  # whether nodes are above the temperature afterwards


@dataclass(frozen=True, eq=False)
class Threshold:
    """A temperature at which something happens to what fills a region.

    Args:
        region: its name.
        what: "glass transition" or "melting".
        nodes: of the region.
        temperature: [K], a number or that of each node of the region, shape (nodes,).
    """

    region: str
    what: str
    nodes: Nodes
    temperature: float | Array


class Crossings:
    """When every region crosses its thresholds, on cooling and on warming.

    A node has crossed where it is on another side at the end of a step than when it was last looked at; an excursion
    that ends within one step is not seen. Temperatures, not enthalpies, are compared, since ice changes the enthalpy
    that belongs to a temperature. Only `rows` is collective.

    Args:
        heat: the equation.
        thresholds: of the regions.
    """

    def __init__(self, heat: HeatEquation, thresholds: Sequence[Threshold]) -> None:
        self.heat = heat
        self.regions = tuple(dict.fromkeys(threshold.region for threshold in thresholds))
        self._levels: dict[float | int, _Level] = {}  # regions with one temperature share a level
        for number, threshold in enumerate(thresholds):
            key = float(threshold.temperature) if np.ndim(threshold.temperature) == 0 else -1 - number
            if key not in self._levels:
                self._levels[key] = _Level(_everywhere(threshold, heat.owned), heat.owned)
            passages = [_Passage(threshold, direction, heat.owned) for direction in DIRECTIONS]
            self._levels[key].passages += passages
        self._last = np.full(heat.owned, np.nan)
        self._state = np.empty(heat.size)

    def look(self, time: float, temperature: Array) -> None:
        """Look at own nodes' temperatures [K] at a time; what has jumped since the last look crosses at this time."""
        for level, nodes in self._changed(temperature):
            for passage, here in level.passing(nodes):
                passage.keep(time, time)
                passage.count(here)
        np.copyto(self._last, temperature)

    def jumped(self, time: float, before: Array, after: Array) -> None:
        """Look at what held surfaces, or a steady stage, did to the state."""
        for state in (before, after):
            self.look(time, self.heat.temperature(state))

    def observe(self, step: Step, temperature: Array) -> None:
        """Look for crossings in an accepted step, with own nodes' temperatures [K] at its end."""
        changed = self._changed(temperature)
        before = self._last if not changed else self._last.copy()
        np.copyto(self._last, temperature)  # before the search, which may overwrite the array given
        for level, nodes in changed:
            for passage, here in level.passing(nodes):
                if passage.count(here):
                    times = self._times(step, here, before[here], level.at(here))
                    passage.keep(float(times.min()), float(times.max()))

    def _changed(self, temperature: Array) -> list[tuple[_Level, Index]]:
        """Levels that nodes have crossed since the last look, with those nodes; none at the very first look."""
        found = [(level, level.changed(temperature)) for level in self._levels.values()]
        return [(level, nodes) for level, nodes in found if nodes.size and not np.isnan(self._last[nodes[0]])]

    def _times(self, step: Step, nodes: Index, before: Array, level: Array) -> Array:
        """Times [s] at which nodes pass their level inside a step: false position on the dense output.

        Source: Anderson & Bjorck (1973), BIT Numer. Math. 13:253.
        """
        other, far = np.zeros(nodes.size), before - level
        part, near = np.ones(nodes.size), self._last[nodes] - level
        left = np.arange(nodes.size)  # each node stops by itself, so that times don't depend on the ranks
        for _ in range(ITERATIONS):
            run = near[left] - far[left]
            change = near[left] * (other[left] - part[left]) / np.where(run != 0.0, run, 1.0)
            open_ = (np.abs(change) >= CLOSE) & (np.abs(part[left] - other[left]) >= CLOSE)
            trial = part[left] + change
            part[left[~open_]] = trial[~open_]
            left, trial = left[open_], trial[open_]
            if not left.size:
                break
            new, last = self._temperature(step, nodes[left], trial) - level[left], near[left]
            between = (new > 0.0) != (last > 0.0)
            smaller = 1.0 - new / np.where(last != 0.0, last, 1.0)
            other[left] = np.where(between, part[left], other[left])
            far[left] = np.where(between, last, far[left] * np.where(smaller > 0.0, smaller, 0.5))
            part[left], near[left] = trial, new
        return step.start + part * (step.end - step.start)

    def _temperature(self, step: Step, nodes: Index, parts: Array) -> Array:
        """Temperature [K] of some nodes, each at its own part of a step."""
        y0, y1, f0, f1 = step.values[:, nodes]
        x = parts * (step.end - step.start) / step.size
        up = x * x * (3.0 - 2.0 * x)
        np.copyto(self._state, step.values[1])
        self._state[nodes] = y0 + up * (y1 - y0) + step.size * x * (1.0 - x) * ((1.0 - x) * f0 - x * f1)
        return self.heat.temperature(self._state)[nodes]

    def saved(self) -> Saved:
        """Where own nodes were last, and which of them have crossed what; collective."""
        levels, passages = self._levels.values(), self._passages()
        nodes = {"last": self._last}
        if levels:
            nodes["above"] = np.stack([level.above for level in levels], axis=1)
            nodes["remain"] = np.stack([passage.remain for passage in passages], axis=1)
        comm = self.heat.layout.comm
        first = [comm.allreduce(passage.first, op=MPI.MIN) for passage in passages]
        last = [comm.allreduce(passage.last, op=MPI.MAX) for passage in passages]
        return Saved({"first": first, "last": last}, nodes)

    def restore(self, saved: Saved) -> None:
        """Go on from what was saved."""
        self._last = saved.nodes["last"].copy()
        for number, level in enumerate(self._levels.values()):
            level.above = saved.nodes["above"][:, number].copy()
        for number, passage in enumerate(self._passages()):
            passage.remain = saved.nodes["remain"][:, number].copy()
            passage.missing = int(np.count_nonzero(passage.remain))
            passage.first, passage.last = saved.plain["first"][number], saved.plain["last"][number]

    def _passages(self) -> list[_Passage]:
        """Those of all levels."""
        return [passage for level in self._levels.values() for passage in level.passages]

    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """Crossings of each region in the order in which they began, as `summary.json` has them; collective.

        `first_s` is when the first node crossed, `last_s` when the last one did (None while some have not), `fraction`
        the part of the volume that has crossed. What was never crossed has no row.
        """
        found: dict[str, list[dict[str, Any]]] = {region: [] for region in self.regions}
        for passage in self._passages():
            row = passage.row(self.heat)
            if row["fraction"] > 0.0:
                found[passage.threshold.region].append(row)
        return {region: sorted(rows, key=lambda row: float(row["first_s"])) for region, rows in found.items()}


class _Passage:
    """How the nodes of a threshold have crossed it in one direction.

    Args:
        threshold: what they cross.
        direction: "cooling" or "warming".
        owned: number of own nodes.
    """

    def __init__(self, threshold: Threshold, direction: str, owned: int) -> None:
        self.threshold, self.direction = threshold, direction
        self.remain = np.zeros(owned, dtype=bool)
        self.remain[threshold.nodes.index] = True
        self.member = self.remain.copy()
        self.missing = int(np.count_nonzero(self.remain))
        self.first, self.last = np.inf, -np.inf

    def count(self, nodes: Index) -> bool:
        """Note that nodes have crossed; whether it matters when: they are the first ones, or none is left."""
        self.missing -= int(np.count_nonzero(self.remain[nodes]))
        self.remain[nodes] = False
        return self.first == np.inf or self.missing == 0

    def keep(self, first: float, last: float) -> None:
        """Take down the times [s] of the first and the last crossing of several, none before those known."""
        self.first, self.last = min(self.first, first), last

    def row(self, heat: HeatEquation) -> dict[str, Any]:
        """What is told of it; collective."""
        comm, nodes = heat.layout.comm, self.threshold.nodes
        crossed = ~self.remain[nodes.index]
        temperature = np.broadcast_to(self.threshold.temperature, crossed.shape)
        least = np.array([temperature.min(initial=np.inf), self.first, -self.last])
        total = np.array([nodes.volume[crossed].sum(), nodes.volume.sum(), self.missing])
        if comm.size > 1:
            comm.Allreduce(MPI.IN_PLACE, least, op=MPI.MIN)
            comm.Allreduce(MPI.IN_PLACE, total, op=MPI.SUM)
        everything = total[2] == 0.0
        return {
            "what": self.threshold.what,
            "temperature_degC": float(least[0]) - ZERO_CELSIUS,
            "direction": self.direction,
            "first_s": float(least[1]),
            "last_s": float(-least[2]) if everything else None,
            "fraction": 1.0 if everything else float(total[0] / total[1]),
        }


class _Level:
    """One temperature [K], a number or shape (owned,), the side on which own nodes are, and what it matters for."""

    def __init__(self, temperature: float | Array, owned: int) -> None:
        self.temperature = temperature + NOTICED
        self.above: Mask = np.zeros(owned, dtype=bool)
        self.passages: list[_Passage] = []

    def changed(self, temperature: Array) -> Index:
        """Nodes that are on another side than before; from now on that is theirs."""
        above = temperature > self.temperature
        nodes = np.flatnonzero(above != self.above)
        self.above = above
        return nodes

    def at(self, nodes: Index) -> Array:
        """The temperature [K] at some nodes."""
        return np.broadcast_to(self.temperature, self.above.shape)[nodes]

    def passing(self, nodes: Index) -> list[tuple[_Passage, Index]]:
        """Passages in which some of the nodes that have changed sides take part, with those nodes."""
        up = self.above[nodes]
        found = [(one, nodes[one.member[nodes] & (up == DIRECTIONS[one.direction])]) for one in self.passages]
        return [(one, here) for one, here in found if here.size]


def _everywhere(threshold: Threshold, owned: int) -> float | Array:
    """The temperature [K] of a threshold at all own nodes, out of reach where it has none."""
    if np.ndim(threshold.temperature) == 0:
        return float(threshold.temperature)
    found = np.full(owned, np.inf)
    found[threshold.nodes.index] = threshold.temperature
    return found
