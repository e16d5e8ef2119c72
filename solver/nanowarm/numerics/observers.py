"""Everything that is followed step by step, put together for one case."""

from __future__ import annotations

import time as clock
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nanowarm.case import Case
from nanowarm.errors import CaseError, SolveError
from nanowarm.numerics.cell_fields import cell_fields
from nanowarm.numerics.dose_fields import DoseFields, NodeTemperatures, doses_matter
from nanowarm.numerics.measuring import measured
from nanowarm.numerics.probes import Probe, locate
from nanowarm.numerics.rkc import Step
from nanowarm.numerics.sampling import GlassDifference, Nodes, Recorder, nodes_of
from nanowarm.numerics.saved import Follower, Saved, all_saved, restore_all
from nanowarm.numerics.setup import Equipped
from nanowarm.numerics.vitrification import Vitrification
from nanowarm.numerics.windows import WindowRates
from nanowarm.numerics.writers import FieldFile
from nanowarm.physics.protocol import EndCondition
from nanowarm.quantity import ZERO_CELSIUS
from nanowarm.results.dose_histograms import Histogram
from nanowarm.results.evidence import Outcome, PeakEvidence, Quantity, RateEvidence, Spread, Window

Array = NDArray[np.float64]


class Observers:
    """What a case asks to be followed, on all ranks.

    Args:
        case: the case.
        equipped: its equation, and the iron and the strength of its regions.
    """

    def __init__(self, case: Case, equipped: Equipped) -> None:
        heat = equipped.heat
        self.case, self.heat, self._iron = case, heat, equipped.iron
        self.nodes: dict[str, Nodes] = {name: nodes_of(heat, name) for name in case.regions}
        pairs = {(c.region, below) for c in case.input.criteria if (below := c.asked_below()) is not None}
        self._differences = {(name, below): GlassDifference(self.nodes[name], below) for name, below in sorted(pairs)}
        output = case.input.output
        probes = {name: self._probe(name, point) for name, point in output.probes.items()}
        self.cold = Vitrification(case, heat, self.nodes, equipped.strength)
        differences = [*self._differences.values(), *self.cold.differences.values()]
        self.recorder = Recorder(heat, self.nodes, differences, probes)
        self._evidence: dict[tuple[str, Window], RateEvidence] = {}
        self.windows: dict[Window, WindowRates] = {window: WindowRates(heat, *window) for window in self._windows()}
        self.doses = DoseFields(case, heat, self.nodes) if doses_matter(case) else None
        followed = {quantity for criterion in case.input.criteria for quantity in criterion.followed()}
        self.histograms: list[Histogram] = []
        self.notes: list[str] = []  # on doses, ice and stress, known at the end
        self._temperatures = NodeTemperatures(heat) if followed & {"hottest", "coldest", "last"} else None
        self.seconds = 0.0  # spent on files
        self._every = output.every
        self._frames_every = output.fields_every or output.every
        self._file: FieldFile | None = None
        self._path = Path()

    def _probe(self, name: str, point: tuple[float, float, float]) -> Probe:
        probe = locate(self.heat, point)
        if probe is None:
            where = ", ".join(f"{1e3 * x:g} mm" for x in point)
            raise CaseError(f"{self.case.path}: output.probes.{name}: ({where}) lies outside the mesh")
        return probe

    def _windows(self) -> list[Window]:
        """Every window that a criterion looks at, and that of each region's material."""
        criteria = self.case.input.criteria
        asked = [(self.window(c.region, c.asked_window(), c.needs_window), c.needs_window) for c in criteria]
        own = [(self.window(name), 1) for name in self.case.regions]
        return list(dict.fromkeys((window, direction) for window, direction in asked + own if window and direction))

    def open(self, folder: Path) -> None:
        """Make the field file in a run folder, or go on in the one that is there."""
        self._path = folder / "fields.vtkhdf"
        if self.case.input.output.fields:
            self._guarded(self._open)

    def _open(self) -> None:
        operators = self.heat.operators.on_mesh()
        self._file = FieldFile(self._path, operators, cell_fields(self.case, operators, self._iron))

    def saved(self) -> Saved:
        """All that is followed; collective."""
        return all_saved(self._followers())

    def restore(self, saved: Saved) -> None:
        """Go on from what was saved; collective."""
        self._guarded(lambda: restore_all(self._followers(), saved))

    def _followers(self) -> dict[str, Follower]:
        """What keeps something from step to step, by name."""
        windows = {f"window {number}": window for number, window in enumerate(self.windows.values())}
        some = {"doses": self.doses, "temperatures": self._temperatures, "fields": self._file}
        every: dict[str, Follower | None] = {"recorder": self.recorder, "cold": self.cold, **windows, **some}
        return {name: follower for name, follower in every.items() if follower is not None}

    def iron_total(self, region: str) -> float:
        """Iron [kg] in a region, over all ranks."""
        return self._iron[region].totals.mesh if region in self._iron else 0.0

    def begin(self, stage: str, state: Array, initial: float) -> None:
        """Look at the first state; `initial` is this rank's enthalpy [J] before any surface was held."""
        self.recorder.initial = initial
        if self._temperatures:
            self._temperatures.look(state)
        self.cold.begin(state)
        self._keep(0.0, stage, state, row=True)
        self.recorder.reduce()

    def jumped(self, time: float, before: Array, after: Array) -> None:
        """Look at what held surfaces did to the state where a stage begins."""
        for window in self.windows.values():
            window.jumped(time, before, after)
        self.cold.jumped(time, before, after)
        if self._temperatures:
            self._temperatures.look(after)

    def settled(self, time: float, stage: str, before: Array, after: Array) -> None:
        """Look at a steady state that a stage has jumped to: its heat came from nowhere, so the ledger begins anew."""
        self.jumped(time, before, after)
        self.recorder.initial += self.heat.stored(after) - self.heat.stored(before)
        self._keep(time, stage, after, row=True, last=True)
        self.recorder.reduce()

    def observe(self, step: Step, stage: str, last: bool) -> None:
        """Look at an accepted step; `last` of a stage gets a row of its own."""
        for window in self.windows.values():
            window.observe(step)
        self.cold.observe(step)
        for follower in (self.doses, self._temperatures):
            if follower:
                follower.observe(step)
        first = int(np.floor(step.start / self._every + 1e-9)) + 1
        number = first
        while number * self._every < step.end - 1e-9 * self._every:
            self._keep(number * self._every, stage, step.state(number * self._every), row=True)
            number += 1
        on_grid = abs(number * self._every - step.end) <= 1e-9 * self._every
        if last or on_grid or number == first:
            self._keep(step.end, stage, step.state(step.end), row=last or on_grid, last=last)
        self.recorder.reduce()

    def end(self, time: float, state: Array) -> None:
        """Look at the last state of a run; collective."""
        self.cold.finish(time, state)

    def _keep(self, time: float, stage: str, state: Array, row: bool, last: bool = False) -> None:
        temperature = self.recorder.observe(time, stage, state, row)
        if self.doses and row:
            self.doses.row(time, temperature)
        if row:
            self.cold.row(time)
        frames = time / self._frames_every
        if self._file is None or not row or not (last or abs(frames - round(frames)) < 1e-6):
            return
        start, file = clock.perf_counter(), self._file
        wanted = "temperature" in self.case.input.output.fields
        fields = {"temperature": temperature - ZERO_CELSIUS} if wanted else {}
        self._guarded(lambda: file.append(time, fields))
        self.seconds += clock.perf_counter() - start

    def _guarded(self, write: Callable[[], None]) -> None:
        try:
            write()
        except (OSError, RuntimeError) as error:  # HDF5 raises either where the disk is full
            reason = getattr(error, "strerror", None) or error
            again = f"make room and go on with: nanowarm resume {self._path.parent}"
            raise SolveError(f"{self._path}: can't be written: {reason}; {again}") from None

    def finish(self) -> None:
        """Write the fields that are known at the end, and put together how doses lie over the regions."""
        if self.doses:
            self.histograms, self.notes = self.doses.histograms(), self.doses.notes()
        self.notes += self.cold.notes()
        if self._file is None:
            return
        start, file = clock.perf_counter(), self._file
        self.notes += file.notes
        self._guarded(lambda: file.finish(self.final_fields()))
        self.seconds += clock.perf_counter() - start

    def final_fields(self) -> dict[str, Array]:
        """Warming rates [K/min] through each node's window, over the critical rate (NaN where not seen), and doses [min]."""
        owned = self.heat.owned
        fields = {name: np.full(owned, np.nan) for name in ("warming rate", "slowest warming rate", "warming rate margin")}
        if self.doses:
            fields |= {"CEM43": self.doses.cem43, "damage": self.doses.omega}
        fields |= self.cold.fields()
        for name, region in self.case.regions.items():
            window = self.case.window(name)
            if window is None:
                continue
            rates, nodes = self.windows[window, 1], self.nodes[name].index
            rate, finished = rates.rates()
            mean = np.where(finished, rate, np.nan)[nodes] * 60.0
            fields["warming rate"][nodes] = mean
            slowest = np.where(finished, rates.slowest, np.nan)[nodes] * 60.0
            fields["slowest warming rate"][nodes] = slowest
            if region.medium.critical_warming_rate:
                needed = 60.0 * region.medium.critical_warming_rate * self.cold.faster(name, 1)
                fields["warming rate margin"][nodes] = mean / needed
        return {name: values for name, values in fields.items() if name in self.case.input.output.fields}

    def window(self, region: str, asked: tuple[float, float] | None = None, direction: int = 1) -> tuple[float, float] | None:
        """Coldest and warmest temperature [K] of the window asked for, or of the region's material for a direction."""
        return self.case.window(region, asked, direction)

    def critical_rate(self, region: str, direction: int) -> float:
        """Critical warming (1) or cooling (-1) rate [K/s] of a region's material."""
        return self.case.critical_rate(region, direction)

    def rates(self, region: str, window: Window) -> RateEvidence:
        """How fast a region went through a window; collective."""
        key = region, window
        if key not in self._evidence:
            seen = self.windows[window].evidence(self.nodes[region])
            self._evidence[key] = replace(seen, faster=self.cold.faster_on_all_ranks(region, window[1]))
        return self._evidence[key]

    def difference(self, region: str, below: float) -> PeakEvidence:
        """Largest difference within the part of a region colder than a temperature [K]."""
        return self._differences[region, below].seen

    def field_product(self, region: str) -> float:
        """Largest amplitude times frequency [A/m/s] of the field in a region, over all stages; collective."""
        strongest = [
            self.heat.driven.get(stage.name, stage.field.largest())
            * stage.field.frequency
            * float(self.heat.operators.sampled(stage.field.shape)[self.nodes[region].index].max(initial=0.0))
            for stage in self.case.stages
        ]
        return max(self.heat.largest(*strongest))

    def extreme(self, region: str, sign: int, when: str) -> PeakEvidence:
        """The hottest (1) or coldest (-1) temperature [K] of a region, always or at the end; collective."""
        extremes = self.recorder.extremes[region]
        return extremes.peak(sign) if when == "always" else extremes.last(sign)

    def spread(self, quantity: Quantity, region: str, margin: float = 0.0) -> Spread:
        """How something that is followed at every node lies over a region and a margin [m] around it."""
        if self._temperatures and quantity in self._temperatures.seen:
            return self._temperatures.spread(quantity, self.nodes[region])
        if self.doses is None:
            raise ValueError(f"{quantity} is not followed")
        return self.doses.spread(quantity, region, margin)

    def ice(self, region: str) -> Spread | None:
        """Largest ice fraction of each node; None where it is not known how ice forms."""
        return self.cold.ice(region)

    def stress(self, region: str) -> Spread | None:
        """Largest tensile principal stress [Pa] of each cell that was ever solid; None where none was."""
        return None if self.cold.stress is None else self.cold.stress.spread(region)

    def stress_peak(self, region: str) -> PeakEvidence:
        """The largest tensile stress [Pa] of a region, when and where."""
        return PeakEvidence(None) if self.cold.stress is None else self.cold.stress.peak(region)

    def strength(self, region: str) -> float | None:
        """Tensile strength [Pa] of a region's material, None where not known."""
        return self.cold.strength(region)

    def glass_difference_limit(self, region: str) -> float | None:
        """Largest difference of temperature [K] that the glass of a region's material bears, None where not known."""
        return self.case.regions[region].medium.glass_difference

    def time_above(self, region: str, temperature: float) -> Spread:
        """Time [s] that each node of a region has spent above a temperature [K]."""
        return self.cold.time_above(region, temperature)

    def damage_by_region(self) -> dict[str, Array]:
        """Damage Omega of own nodes, shape (owned,), by region; empty where none is followed."""
        return self.doses.damage_by_region() if self.doses else {}

    def columns(self) -> dict[str, list[float]]:
        """Columns of `history.csv`."""
        return self.recorder.columns | (self.doses.columns if self.doses else {}) | self.cold.columns()

    def judge(self) -> tuple[Outcome, ...]:
        """Outcome of every criterion, on every rank."""
        return tuple(criterion.judge(self) for criterion in self.case.input.criteria)

    def sensor(self, condition: EndCondition, state: Array) -> float:
        """Excess [K] of what an end condition watches over its threshold; collective."""
        return condition.excess(self.measured((condition.sensor, condition.name), state))

    def measured(self, sensor: tuple[str, str], state: Array) -> float:
        """Temperature [K] that a sensor (see `measured`) shows; collective."""
        return measured(self.heat, self.nodes, self.recorder.probes, sensor, state)
