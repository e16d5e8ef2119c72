"""The largest tensile stress of every cell, followed through a run."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from nanowarm.numerics.heat import HeatEquation
from nanowarm.numerics.refinement import Indices
from nanowarm.numerics.rkc import Step
from nanowarm.numerics.saved import Saved
from nanowarm.numerics.stack import MPI, la
from nanowarm.numerics.stress import StressState
from nanowarm.physics.mechanics import Mechanics, StressInput
from nanowarm.results.evidence import TIE, PeakEvidence, Spread

Array = NDArray[np.float64]

ABOVE = 20.0  # [K] above the temperature at which it sets, from which on a glass former is followed
BELOW = 15.0  # [K] below that temperature, from which on it only deforms elastically
IN_GLASS = 3.0  # times as much may a temperature change there: any increment is exact, only the peak is to be caught
_MEGAPASCAL = 1e6  # [Pa]
_SAME_TIME = 1e-9  # of a step
_SAME_CHANGE = 1e-6  # of the resolution


class StressFields:
    """Stress after accepted steps: solved again whenever a temperature that matters has changed enough.

    A temperature matters where something is solid or nearly so. The stress of a row is that of the last solve.

    Args:
        heat: the equation.
        mechanics: of every region.
        given: section `[stress]`.
        times: [s] at which to solve, instead.
    """

    def __init__(
        self, heat: HeatEquation, mechanics: Mapping[str, Mechanics], given: StressInput, times: tuple[float, ...] | None = None
    ) -> None:
        self.heat, self.resolution = heat, given.resolution
        operators = heat.operators.on_mesh()
        self.state = StressState(operators, mechanics, given)
        self._times = None if times is None else np.sort(np.array(times, dtype=float))
        mesh = operators.mesh
        self._cells = {name: mesh.cells(name) for name in mesh.region_names}
        self._nodes = operators.space.dofmap.list
        corner = mesh.domain.geometry.x[mesh.domain.geometry.dofmaps[0]]
        self.volume: Array = np.abs(np.linalg.det(corner[:, 1:] - corner[:, :1])) / 6.0
        self.centre: Array = corner.mean(axis=1)
        count = len(self.volume)
        self.largest, self.when = np.zeros(count), np.zeros(count)
        self.ever_solid = np.zeros(count, dtype=bool)
        self._last = np.zeros(heat.owned)  # temperature [K] of own nodes at the last solve
        self._limit = np.full(heat.owned, -np.inf)  # [K] below which it matters
        for name, medium in mechanics.items():
            touched = heat.operators.mass[name][: heat.owned] > 0.0
            self._limit[touched] = np.maximum(self._limit[touched], medium.solid_below + ABOVE)
        self.columns: dict[str, list[float]] = {f"{name}_stress_MPa": [] for name in self._cells}

    @property
    def seconds(self) -> float:
        """Time spent on stress [s]."""
        return self.state.seconds

    @property
    def solves(self) -> int:
        """How often the stress was solved."""
        return self.state.solves

    @property
    def iterations(self) -> int:
        """Of all solves together."""
        return self.state.iterations

    def begin(self, time: float, state: Array) -> None:
        """Take over the first state of the run, which is without stress; collective."""
        self._last = self.heat.temperature(state).copy()
        self.state.begin(time, self._last)
        self._look()

    def observe(self, step: Step) -> None:
        """Look at an accepted step, and solve at those times in it that are due; collective."""
        if self._times is not None:
            inside = (self._times > self.state.time) & (self._times <= step.end + _SAME_TIME * step.size)
            for time in self._times[inside]:
                self._advance(float(time), self.heat.temperature(step.state(time)))
            return
        change = self._change(self.heat.temperature(step.state(step.end)))
        parts = max(1, math.ceil(change / self.resolution - _SAME_CHANGE))
        for part in range(1, parts + 1):
            time = step.end if part == parts else step.start + part / parts * (step.end - step.start)
            temperature = self.heat.temperature(step.state(time))
            if self._change(temperature) >= (1.0 - _SAME_CHANGE) * self.resolution:
                self._advance(time, temperature)

    def finish(self, time: float, state: Array) -> None:
        """Solve for the last state of the run, which a steady stage reaches without a step; collective."""
        temperature = self.heat.temperature(state)
        if self._change(temperature) > _SAME_CHANGE * self.resolution or time > self.state.time:
            self._advance(time, temperature)

    def saved(self) -> Saved:
        """The stress, what was largest of it, and the rows so far."""
        cells = {"largest": self.largest, "when": self.when, "ever solid": self.ever_solid}
        return Saved({"columns": self.columns}, {"last": self._last}, cells, {"state": self.state.saved()})

    def restore(self, saved: Saved) -> None:
        """Go on from what was saved; collective."""
        self.columns, self._last = saved.plain["columns"], saved.nodes["last"]
        self.largest, self.when, self.ever_solid = (saved.cells[name] for name in ("largest", "when", "ever solid"))
        self.state.restore(saved.parts["state"], self._last)

    def row(self, time: float) -> None:
        """Keep the largest tensile stress of each region, as it was found last; collective."""
        principal = np.maximum(self.state.principal, 0.0)
        now = self.heat.largest(*(float(principal[cells].max(initial=0.0)) for cells in self._cells.values()))
        for column, value in zip(self.columns.values(), now, strict=True):
            column.append(value / _MEGAPASCAL)

    def spread(self, region: str) -> Spread | None:
        """How the largest tensile stress [Pa] lies over what was ever solid of a region; None where nothing was; collective."""
        cells, comm = self._once_solid(region), self.heat.layout.comm
        if not comm.allreduce(cells.size):
            return None

        def add(mine: Array) -> Array:
            """The sum of an array over all ranks."""
            out = np.empty_like(mine)
            comm.Allreduce(np.ascontiguousarray(mine), out)
            return out

        return Spread(self.largest[cells], self.volume[cells], self.centre[cells], add, comm.allgather)

    def peak(self, region: str) -> PeakEvidence:
        """The largest tensile stress [Pa] of a region; of equal ones that with the smallest coordinates; collective."""
        cells, comm = self._once_solid(region), self.heat.layout.comm
        best = comm.allreduce(float(self.largest[cells].max(initial=-np.inf)), MPI.MAX)
        equal = cells[self.largest[cells] >= best - TIE * abs(best)] if math.isfinite(best) else cells[:0]
        places = [(tuple(np.round(self.centre[cell], 9) + 0.0), float(self.when[cell])) for cell in equal]
        found = [place for place in comm.allgather(min(places, default=None)) if place is not None]
        if not found:
            return PeakEvidence(None)
        position, time = min(found)
        return PeakEvidence(best, time, tuple(float(x) for x in position))

    def crack_volume(self, region: str, strength: float) -> float:
        """Volume [m3] of a region where the tensile stress has reached a strength [Pa]; collective."""
        cells = self._once_solid(region)
        return float(self.heat.layout.comm.allreduce(float(self.volume[cells[self.largest[cells] >= strength]].sum())))

    def nodal(self) -> Array:
        """Largest tensile stress [Pa] at own nodes, shape (owned,): the mean by volume of their cells; collective."""
        sums = []
        for values in (self.volume * self.largest, self.volume):
            vector = la.vector(self.heat.operators.on_mesh().space.dofmap.index_map)
            np.add.at(vector.array, self._nodes, values[:, None])
            vector.scatter_reverse(la.InsertMode.add)
            sums.append(vector.array[: self.heat.owned].copy())
        return np.asarray(sums[0] / sums[1])

    def _once_solid(self, region: str) -> Indices:
        """Own cells of a region that were ever solid."""
        cells = self._cells[region]
        return cells[self.ever_solid[cells]]

    def _change(self, temperature: Array) -> float:
        """Largest change [K] since the last solve of a temperature that matters; collective."""
        matters = np.minimum(temperature, self._last) < self._limit
        change = np.abs(temperature - self._last)
        change[np.maximum(temperature, self._last) < self._limit - ABOVE - BELOW] /= IN_GLASS
        return self.heat.largest(float(change[matters].max(initial=0.0)))[0]

    def _advance(self, time: float, temperature: Array) -> None:
        self._last = temperature.copy()
        self.state.advance(time, self._last)
        self._look()

    def _look(self) -> None:
        """Take note of what is solid now, and of how large its stress is."""
        principal, solid = self.state.principal, self.state.solid
        self.ever_solid |= solid
        more = solid & (principal > self.largest)
        self.largest[more], self.when[more] = principal[more], self.state.time
