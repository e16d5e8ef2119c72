"""What is followed at points of time: rows over the regions, extremes, differences, probes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanowarm.numerics.heat import HeatEquation
from nanowarm.numerics.probes import Probe
from nanowarm.numerics.saved import Saved, as_list, as_peak, share, total
from nanowarm.numerics.stack import MPI
from nanowarm.quantity import ZERO_CELSIUS
from nanowarm.results.evidence import PeakEvidence

Array = NDArray[np.float64]

SIGNS = -1, 1  # of the coldest and the hottest
SAME = 1e-7  # [K] below which two temperatures are one


@dataclass(frozen=True, eq=False)
class Nodes:
    """This rank's nodes of a region and their share of its volume [m3]; every node where `index` is a full slice."""

    index: NDArray[np.int64] | slice
    volume: Array


def nodes_of(heat: HeatEquation, region: str) -> Nodes:
    """The nodes that any cell of a region touches."""
    mass = heat.operators.mass[region][: heat.owned]
    index = np.flatnonzero(mass)
    return Nodes(slice(None) if index.size == heat.owned else index, mass[index])


class Extremes:
    """Coldest and hottest temperature that a region ever had, and has now.

    Args:
        heat: the equation.
        nodes: of the region.
    """

    def __init__(self, heat: HeatEquation, nodes: Nodes) -> None:
        self.heat, self.nodes = heat, nodes
        self._ever: dict[int, PeakEvidence] = {}
        self._now: dict[int, PeakEvidence] = {}

    def observe(self, time: float, values: Array) -> None:
        """Look at one state of the region's nodes [K]."""
        for sign, node in ((-1, values.argmin()), (1, values.argmax())) if values.size else ():
            position = self.heat.operators.position[self.nodes.index][node]
            self._now[sign] = PeakEvidence(float(values[node]), time, tuple(position.tolist()))
            ever = self._ever.get(sign, PeakEvidence(-sign * np.inf))
            if sign * self._now[sign].value > sign * ever.value + SAME:  # type: ignore[operator]
                self._ever[sign] = self._now[sign]

    def now(self) -> list[float]:
        """Negated coldest, and hottest, temperature [K] of this rank's nodes; minus infinity where it has none."""
        return [sign * (self._now[sign].value or 0.0) if sign in self._now else -np.inf for sign in (-1, 1)]

    def peak(self, sign: int) -> PeakEvidence:
        """The hottest (1) or coldest (-1) of all ranks at any time; collective."""
        return self._of_all(sign, self._ever.get(sign))

    def last(self, sign: int) -> PeakEvidence:
        """The same at the end."""
        return self._of_all(sign, self._now.get(sign))

    def saved(self) -> dict[str, Any]:
        """The extremes of all ranks; collective."""
        return {
            "ever": [as_list(self.peak(sign)) for sign in SIGNS],
            "now": [as_list(self.last(sign)) for sign in SIGNS],
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Go on from what was saved; every rank has seen what any has."""
        if self.nodes.volume.size:
            self._ever = {sign: as_peak(given) for sign, given in zip(SIGNS, saved["ever"], strict=True)}
            self._now = {sign: as_peak(given) for sign, given in zip(SIGNS, saved["now"], strict=True)}

    def _of_all(self, sign: int, mine: PeakEvidence | None) -> PeakEvidence:
        """The most extreme of all ranks; of equal ones that with the smallest coordinates."""
        found: list[PeakEvidence] = [peak for peak in self.heat.layout.comm.allgather(mine) if peak is not None]
        best = max(sign * (peak.value or 0.0) for peak in found)
        equal = [peak for peak in found if sign * (peak.value or 0.0) >= best - SAME]
        return min(equal, key=lambda peak: tuple(round(x, 9) for x in peak.position))


class GlassDifference:
    """Largest difference of temperature at one time within the cold part of a region.

    Args:
        nodes: of the region.
        below: temperature [K] that the cold part is colder than.
    """

    def __init__(self, nodes: Nodes, below: float) -> None:
        self.nodes, self.below = nodes, below
        self.seen = PeakEvidence(None)

    def observe(self, time: float, temperature: Array) -> tuple[float, float]:
        """Negated coldest, and hottest, of this rank's part that is cold enough; minus infinity where none is."""
        values = temperature[self.nodes.index]
        cold = values[values < self.below]
        return (-float(cold.min()), float(cold.max())) if cold.size else (-np.inf, -np.inf)

    def reduced(self, time: float, minus_coldest: float, hottest: float) -> None:
        """Take in the same of all ranks."""
        if np.isfinite(hottest) and (self.seen.value is None or hottest + minus_coldest > self.seen.value):
            self.seen = PeakEvidence(hottest + minus_coldest, time)


class Recorder:
    """Rows of `history.csv`, reduced over the ranks in one go per step.

    Args:
        heat: the equation.
        regions: nodes by region.
        differences: what the criteria on temperature differences look at.
        probes: by name.
    """

    def __init__(
        self,
        heat: HeatEquation,
        regions: Mapping[str, Nodes],
        differences: list[GlassDifference],
        probes: Mapping[str, Probe],
    ) -> None:
        self.heat, self.regions, self.differences, self.probes = heat, regions, differences, probes
        self.extremes = {name: Extremes(heat, nodes) for name, nodes in regions.items()}
        comm = heat.layout.comm
        self.region_volume = {name: comm.allreduce(float(nodes.volume.sum())) for name, nodes in regions.items()}
        volume = np.array(list(self.region_volume.values()))
        self._shares = volume / volume.sum()
        self.columns: dict[str, list[float]] = {name: [] for name in self._names()}
        self.stages: list[str] = []
        self._pending: list[tuple[float, str, bool, list[float], list[float]]] = []
        self.initial = 0.0  # enthalpy [J] that `stored_J` counts from
        self.latest: tuple[float, float, float] = (0.0, 0.0, 0.0)  # time [s], coldest and hottest [K]
        self.mean = 0.0  # temperature [K] at that time, of all regions by their volumes

    def _names(self) -> list[str]:
        regions = [f"{name}_{what}_degC" for name in self.regions for what in ("min", "mean", "max")]
        probes = [f"probe_{name}_degC" for name in self.probes]
        return ["time_s", *regions, *probes, "field_kA_per_m", "stored_J", *(f"{entry}_J" for entry in self.heat.ledger_names())]

    def observe(self, time: float, stage: str, state: Array, row: bool) -> Array:
        """Look at one state; keep it as a row where asked. Returns the nodes' temperatures [K]."""
        temperature = self.heat.temperature(state)
        stored = self.heat.stored(state)
        highs, sums = [], []
        for name, nodes in self.regions.items():
            values = temperature[nodes.index]
            self.extremes[name].observe(time, values)
            highs += self.extremes[name].now()
            sums.append(float(nodes.volume @ values) / self.region_volume[name])
        for difference in self.differences:
            highs += difference.observe(time, temperature)
        sums += [probe.part(temperature) for probe in self.probes.values()]
        sums += [stored - self.initial, *state[self.heat.owned :][: len(self.heat.ledger_names())].tolist()]
        self._pending.append((time, stage, row, highs, sums))
        return temperature

    def saved(self) -> Saved:
        """Rows, extremes and differences so far; collective."""
        (initial,) = total(self.heat.layout.comm, np.array([self.initial]))
        return Saved(
            {
                "columns": self.columns,
                "stages": self.stages,
                "initial": initial,
                "latest": self.latest,
                "extremes": {name: extremes.saved() for name, extremes in self.extremes.items()},
                "differences": [as_list(difference.seen) for difference in self.differences],
            }
        )

    def restore(self, saved: Saved) -> None:
        """Go on from what was saved."""
        plain = saved.plain
        self.columns, self.stages = plain["columns"], plain["stages"]
        self.initial = float(share(self.heat.layout.comm, [plain["initial"]])[0])
        self.latest = tuple(plain["latest"])
        for name, extremes in self.extremes.items():
            extremes.restore(plain["extremes"][name])
        for difference, given in zip(self.differences, plain["differences"], strict=True):
            difference.seen = as_peak(given)

    def reduce(self) -> None:
        """Put together what the ranks have seen since the last call."""
        if not self._pending:
            return
        highs = np.array([entry[3] for entry in self._pending])
        sums = np.array([entry[4] for entry in self._pending])
        comm = self.heat.layout.comm
        if comm.size > 1:
            comm.Allreduce(MPI.IN_PLACE, highs, op=MPI.MAX)
            comm.Allreduce(MPI.IN_PLACE, sums, op=MPI.SUM)
        for (time, stage, row, _, _), high, together in zip(self._pending, highs, sums, strict=True):
            count = 2 * len(self.regions)
            for number, difference in enumerate(self.differences):
                difference.reduced(time, *high[count + 2 * number : count + 2 * number + 2].tolist())
            self.latest = time, -float(high[0:count:2].min()), float(high[1:count:2].max())
            self.mean = float(self._shares @ together[: len(self.regions)])
            if row:
                self._keep(time, stage, high[:count], together)
        self._pending.clear()

    def _keep(self, time: float, stage: str, highs: Array, sums: Array) -> None:
        zero = ZERO_CELSIUS
        values = [time]
        for number in range(len(self.regions)):
            values += [-highs[2 * number] - zero, sums[number] - zero, highs[2 * number + 1] - zero]
        first = len(self.regions)
        values += [value - zero for value in sums[first : first + len(self.probes)]]
        values += [self.heat.amplitude(time) / 1000.0, *sums[first + len(self.probes) :]]
        for column, value in zip(self.columns.values(), values, strict=True):
            column.append(float(value))
        self.stages.append(stage)
