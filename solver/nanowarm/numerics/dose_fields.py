"""Thermal dose and damage of every node, and how temperature and dose lie over each region, followed through a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanowarm.case import Case
from nanowarm.numerics.heat import HeatEquation
from nanowarm.numerics.rkc import Step
from nanowarm.numerics.sampling import Nodes
from nanowarm.numerics.saved import Saved, spread_out
from nanowarm.physics.damage import damage_set
from nanowarm.physics.doses import ABLATION, REFERENCE, VALID, cem43, exceeded, over_step
from nanowarm.quantity import ZERO_CELSIUS
from nanowarm.results.dose_criteria import SAME, SAME_DOSE
from nanowarm.results.dose_histograms import Histogram, dose_histogram, temperature_histogram
from nanowarm.results.evidence import Quantity, Spread
from nanowarm.sections import DosesInput

Array = NDArray[np.float64]

LEVELS = {"t90": 0.9, "t50": 0.5, "t10": 0.1}  # part of the volume that is at least so hot
_BINS = 1024  # into which temperatures are sorted first
_ROUNDING = 1e-12  # of a volume added up node by node
_MILLILITRES = 1e6  # in a cubic metre


def doses_matter(case: Case) -> bool:
    """Whether doses are followed: the case asks for them, or has living tissue."""
    asked = {quantity for criterion in case.input.criteria for quantity in criterion.followed()}
    living = any(region.perfusion or region.metabolism for region in case.regions.values())
    fields = {"CEM43", "damage"} & set(case.input.output.fields)
    return living or case.input.doses is not None or bool(fields) or bool(asked & {"CEM43", "damage", "hold"})


@dataclass(frozen=True, eq=False)
class Hold:
    """The temperatures [K] of a region's own nodes at the end of heating, and that time [s]."""

    time: float
    temperature: Array
    median: float


class DoseFields:
    """CEM43 and damage of own nodes after accepted steps, and T90, T50 and T10 of each region at the rows.

    T90 of a run is that at the end of heating: at the last row at which the field is on, when the temperatures of a
    treatment have become steady. Where there never is a field, it is that of the row at which the region's T50 is highest.

    Args:
        case: the case.
        heat: the equation.
        regions: nodes by region.
    """

    def __init__(self, case: Case, heat: HeatEquation, regions: Mapping[str, Nodes]) -> None:
        given = case.input.doses or DosesInput()
        self.heat, self.regions = heat, regions
        self.set = damage_set(given.damage, case.folder) if given.damage else None
        self.cut_off = given.cut_off or 0.0
        self._process = self.set.arrhenius(self.cut_off) if self.set else None
        owned = heat.owned
        self.cem43, self.omega = np.zeros(owned), np.zeros(owned)
        self.too_hot = np.zeros(owned, dtype=bool)
        lowest = min(VALID[0], self.cut_off) if self._process else VALID[0]
        self._lowest = heat.thermo.enthalpy(lowest)[:owned] if lowest else np.full(owned, -np.inf)
        names = [*(f"{level}_degC" for level in LEVELS), "cem43_t90_min"]
        self.columns: dict[str, list[float]] = {f"{region}_{name}": [] for region in regions for name in names}
        self._hold: dict[str, Hold] = {}
        self._heated = False
        self._time = 0.0  # of the last row

    def observe(self, step: Step) -> None:
        """Add the dose of an accepted step, at the nodes that are warm in it."""
        times = step.start, 0.5 * (step.start + step.end), step.end
        states = [step.state(time) for time in times]
        nodes = np.flatnonzero(np.maximum.reduce([state[: self.heat.owned] for state in states]) >= self._lowest)
        if nodes.size == 0:
            return
        temperatures = np.array([self.heat.temperature(state)[nodes] for state in states])
        self.cem43[nodes] += over_step(cem43, temperatures, times)
        self.too_hot[nodes] |= temperatures.max(axis=0) > VALID[1]
        if self._process is not None:
            self.omega[nodes] += over_step(self._process.damage, temperatures, times)

    def row(self, time: float, temperature: Array) -> None:
        """Keep how the temperatures [K] of a row lie over each region; collective."""
        on = self.heat.amplitude(time) > 0.0
        for name, nodes in self.regions.items():
            values = temperature[nodes.index]
            levels = self._levels(values, nodes.volume)
            for level, value in zip(LEVELS, levels, strict=True):
                self.columns[f"{name}_{level}_degC"].append(value - ZERO_CELSIUS)
            self._add_dose(name, time - self._time)
            better = name not in self._hold or (not self._heated and levels[1] > self._hold[name].median)
            if on or better:
                self._hold[name] = Hold(time, values.copy(), levels[1])
        self._heated, self._time = self._heated or on, time

    def _levels(self, values: Array, volume: Array) -> list[float]:
        """T90, T50 and T10 [K]; sorting what is near is faster than `exceeded`, but needs all nodes on one rank."""
        if self.heat.layout.comm.size > 1:
            return [exceeded(values, volume, part, self._add) for part in LEVELS.values()]
        coldest, hottest = float(values.min()), float(values.max())
        bins = ((hottest - values) * ((_BINS - 1) / max(hottest - coldest, 1e-300))).astype(np.intp)
        reached = np.cumsum(np.bincount(bins, volume, _BINS))
        found = []
        for part in LEVELS.values():
            target = part * reached[-1] * (1.0 - _ROUNDING)
            number = int(np.searchsorted(reached, target))
            near = np.flatnonzero(bins == number)
            order = near[np.argsort(-values[near])]
            place = np.searchsorted(np.cumsum(volume[order]), target - (reached[number - 1] if number else 0.0))
            found.append(float(values[order[min(int(place), order.size - 1)]]))
        return found

    def _add_dose(self, region: str, duration: float) -> None:
        """Continue the dose [min] of the history of T90."""
        t90, dose = self.columns[f"{region}_t90_degC"], self.columns[f"{region}_cem43_t90_min"]
        more = float(cem43(t90[-2] + ZERO_CELSIUS, t90[-1] + ZERO_CELSIUS, duration)) if dose else 0.0
        dose.append(more + (dose[-1] if dose else 0.0))

    def _add(self, values: Array) -> Array:
        out = np.empty_like(values)
        self.heat.layout.comm.Allreduce(np.ascontiguousarray(values), out)
        return out

    def damage_by_region(self) -> dict[str, Array]:
        """Damage Omega of own nodes, shape (owned,), by region; empty where no damage set was chosen."""
        return {} if self._process is None else dict.fromkeys(self.regions, self.omega)

    def spread(self, quantity: Quantity, region: str, margin: float = 0.0) -> Spread:
        """How dose [min], damage or the temperature [K] at the end of heating lie over a region and a margin [m] around."""
        if quantity == "hold":
            return spread_of(self.heat, self.regions[region], self._hold[region].temperature)
        nodes = with_margin(self.heat, self.regions[region], margin) if margin else self.regions[region]
        return spread_of(self.heat, nodes, (self.cem43 if quantity == "CEM43" else self.omega)[nodes.index])

    def summary(self, region: str) -> dict[str, Any]:
        """What `summary.json` says of the doses of a region; collective."""
        dose, hold = self.spread("CEM43", region), self.spread("hold", region)
        omega = self.spread("damage", region) if self._process else None
        (volume,) = self._add(np.array([self.regions[region].volume.sum()])) * _MILLILITRES
        return {
            "cem43_min": dose.statistics() | {"d90": dose.reached(0.9)},
            "cem43_t90_min": self.columns[f"{region}_cem43_t90_min"][-1],
            "ablated_mL": dose.part(dose.values >= ABLATION.minutes * (1.0 - SAME_DOSE)) * volume,
            "damage": omega.statistics() if omega else None,
            "damaged_mL": omega.part(omega.values >= 1.0 - SAME_DOSE) * volume if omega else None,
            **{f"{level}_degC": hold.reached(part) - ZERO_CELSIUS for level, part in LEVELS.items()},
            "v43_fraction": hold.part(hold.values >= REFERENCE - SAME),
            "t90_at_s": self._hold[region].time,
        }

    def saved(self) -> Saved:
        """Doses of own nodes, and the rows so far."""
        owned = self.heat.owned
        nodes = {"cem43": self.cem43, "omega": self.omega, "too hot": self.too_hot}
        for name, hold in self._hold.items():
            nodes[f"hold {name}"] = spread_out(hold.temperature, self.regions[name].index, owned)
        holds = {name: [hold.time, hold.median] for name, hold in self._hold.items()}
        return Saved({"columns": self.columns, "holds": holds, "heated": self._heated, "time": self._time}, nodes)

    def restore(self, saved: Saved) -> None:
        """Go on from what was saved."""
        plain, nodes = saved.plain, saved.nodes
        self.cem43, self.omega, self.too_hot = nodes["cem43"], nodes["omega"], nodes["too hot"]
        self.columns, self._heated, self._time = plain["columns"], plain["heated"], plain["time"]
        for name, (time, median) in plain["holds"].items():
            self._hold[name] = Hold(time, nodes[f"hold {name}"][self.regions[name].index].copy(), median)

    def histograms(self) -> list[Histogram]:
        """Dose-volume and temperature-volume histogram of every region; collective."""
        found = []
        for region in self.regions:
            found.append(dose_histogram(region, self.spread("CEM43", region)))
            found.append(temperature_histogram(region, self.spread("hold", region)))
        return found

    def notes(self) -> list[str]:
        """What a reader should know before believing the doses; collective."""
        found = []
        for name, nodes in self.regions.items():
            part = self.spread("CEM43", name).part(self.too_hot[nodes.index])
            if part > 0.0:
                found.append(f"{name}: {100 * part:.3g} % of it was hotter than 57 degC, where CEM43 is not known to hold")
        if self.set is not None:
            cut = f"with a cut-off of {self.cut_off - ZERO_CELSIUS:.4g} degC" if self.cut_off else "without a cut-off"
            caution = self.set.caution(self.cut_off)
            found.append(f"thermal damage by {self.set.name} ({self.set.process.source}), {cut}")
            found += [f"damage set {self.set.name}: {caution}"] if caution else []
        return found


class NodeTemperatures:
    """The highest, lowest and last temperature [K] of own nodes, at the ends and middles of steps.

    Args:
        heat: the equation.
    """

    def __init__(self, heat: HeatEquation) -> None:
        self.heat = heat
        self.seen: dict[Quantity, Array] = {
            "hottest": np.full(heat.owned, -np.inf),
            "coldest": np.full(heat.owned, np.inf),
            "last": np.empty(heat.owned),
        }

    def look(self, state: Array) -> None:
        """Look at one state."""
        temperature = self.heat.temperature(state)
        np.maximum(self.seen["hottest"], temperature, out=self.seen["hottest"])
        np.minimum(self.seen["coldest"], temperature, out=self.seen["coldest"])
        self.seen["last"][:] = temperature

    def observe(self, step: Step) -> None:
        """Look at the middle and the end of an accepted step."""
        for time in (0.5 * (step.start + step.end), step.end):
            self.look(step.state(time))

    def saved(self) -> Saved:
        """All of them."""
        return Saved(nodes={str(quantity): values for quantity, values in self.seen.items()})

    def restore(self, saved: Saved) -> None:
        """Go on from what was saved."""
        for quantity in self.seen:
            self.seen[quantity] = saved.nodes[quantity]

    def spread(self, quantity: Quantity, nodes: Nodes) -> Spread:
        """How one of them lies over a region."""
        return spread_of(self.heat, nodes, self.seen[quantity][nodes.index])


def spread_of(heat: HeatEquation, nodes: Nodes, values: Array) -> Spread:
    """Values at some nodes of this rank, to be reduced over all ranks."""
    comm = heat.layout.comm

    def add(mine: Array) -> Array:
        """The sum of an array over all ranks."""
        out = np.empty_like(mine)
        comm.Allreduce(np.ascontiguousarray(mine), out)
        return out

    return Spread(values, nodes.volume, heat.operators.position[nodes.index], add, comm.allgather)


def with_margin(heat: HeatEquation, nodes: Nodes, margin: float) -> Nodes:
    """A region's nodes and those of others within a distance [m] of the nodes that it shares with them. Collective.

    What lies across a gap of the mesh is not within the margin.
    """
    from scipy.spatial import cKDTree

    volume = np.zeros(heat.owned)
    volume[nodes.index] = nodes.volume
    other = heat.volume - volume
    other[other < 1e-9 * heat.volume] = 0.0  # rounding
    position = heat.operators.position
    edge = np.concatenate(heat.layout.comm.allgather(position[(volume > 0.0) & (other > 0.0)]))
    near = np.flatnonzero(other)
    if edge.size and near.size:
        distance, _ = cKDTree(edge).query(position[near], distance_upper_bound=margin * (1.0 + 1e-9))
        near = near[np.isfinite(distance)]
        volume[near] += other[near]
    index = np.flatnonzero(volume)
    return Nodes(index, volume[index])
