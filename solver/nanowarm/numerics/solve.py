"""The protocol, stage by stage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanowarm.case import Case
from nanowarm.numerics.checkpoint import Checkpoints
from nanowarm.numerics.heat import HeatEquation
from nanowarm.numerics.ledger import LEDGER
from nanowarm.numerics.observers import Observers
from nanowarm.numerics.rkc import Counts, Integrator
from nanowarm.numerics.saved import Saved, share, total
from nanowarm.numerics.stage_run import HORIZON, StageRun
from nanowarm.numerics.steady import Steadiness, settle_down
from nanowarm.physics.amplitude_search import largest_amplitude
from nanowarm.physics.protocol import Stage
from nanowarm.progress import Progress

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Solution:
    """What the integration leaves besides what the observers saw.

    Args:
        end: time [s].
        stage_ends: time [s] at which each stage ended.
        energy: stored and what came in [J], by the names of the ledger, and the imbalance relative to the heat exchanged.
        counts: steps and stages.
        stiffness: bound on the eigenvalues at the end [1/s].
        notes: what controllers and searches have to say.
    """

    end: float
    stage_ends: dict[str, float]
    energy: dict[str, float]
    counts: Counts
    stiffness: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Resumption:
    """Where a run keeps what it needs to go on, and what it goes on from.

    Args:
        checkpoints: of the run.
        saved: content of the last one, None for a run from the start.
    """

    checkpoints: Checkpoints
    saved: Saved | None = None


def solve(
    case: Case,
    heat: HeatEquation,
    observers: Observers,
    report: Callable[[Progress], None],
    resumption: Resumption | None = None,
) -> Solution:
    """Carry the state of a case through all stages.

    Raises:
        SolveError: a condition is never met, the steps vanish, or a signal asked to stop.
    """
    course = _Course(case, heat, observers, resumption)
    end = sum(stage.duration for stage in case.stages)
    course.carry(lambda where: report(Progress(end=end, **where)))
    observers.end(course.time, course.state)
    energy = _energy(heat, course.state, course.initial)
    integrator = course.integrator
    return Solution(course.time, course.stage_ends, energy, integrator.counts, integrator.radius, tuple(course.notes))


class _Course:
    """A run on its way through the stages.

    Args:
        case: the case.
        heat: its equation.
        observers: what is followed.
        resumption: as of `solve`.
    """

    def __init__(self, case: Case, heat: HeatEquation, observers: Observers, resumption: Resumption | None) -> None:
        settings = case.input.solver
        self.stages, self.heat, self.observers = case.stages, heat, observers
        self.state = heat.initial_state(case.input.initial.temperature)
        self.initial = heat.stored(self.state)
        self.integrator = Integrator(heat, self.state, settings.step, settings.largest_step or HORIZON)
        self.time = 0.0
        self.stage_ends: dict[str, float] = {}
        self.notes: list[str] = []
        self._run: StageRun | None = None  # the stage that is under way
        self._checkpoints = None if resumption is None else resumption.checkpoints
        if resumption is not None and resumption.saved is not None:
            self._restore(resumption.saved)

    def carry(self, report: Callable[[dict[str, Any]], None]) -> None:
        """Carry the state through all stages that are left."""
        for stage in self.stages[len(self.stage_ends) :]:
            run = self._run
            if run is None:
                run = self._begun(stage)
            if run is None:
                self._settle(stage)
            else:
                self._run = run
                self.time = run.carry(report, self._look)
                self.notes += run.notes()
            self._run = None
            self.stage_ends[stage.name] = self.time
            self._look(self.time, due=True)

    def _begun(self, stage: Stage) -> StageRun | None:
        """Begin a stage; None if it is steady."""
        before = self.state.copy()
        self.heat.begin(stage, self.time, self.state)
        self.observers.jumped(self.time, before, self.state)
        run = None if stage.steady else StageRun(stage, self.time, self.integrator, self.observers)
        if run is not None:
            run.steer(self.time)
        if not self.stage_ends:
            self.observers.begin(stage.name, self.state, self.initial)
        return run

    def _settle(self, stage: Stage) -> None:
        """Carry out a steady stage."""
        before = self.state.copy()
        self.notes += settled(stage, self.time, self.state, self.observers)
        self.initial += self.heat.stored(self.state) - self.heat.stored(before)
        self.observers.settled(self.time, stage.name, before, self.state)

    def _look(self, time: float, due: bool = False) -> None:
        """Write a checkpoint if it is time; collective."""
        if self._checkpoints is not None:
            self._checkpoints.look(self._saved, (time, self.heat.stage.name), due)

    def _saved(self) -> Saved:
        """Everything that the rest of the run depends on; collective."""
        owned, comm, slope = self.heat.owned, self.heat.layout.comm, self.integrator.slope
        ledger = [total(comm, values[owned:]) for values in (self.state, slope)]
        plain = {
            "time": self.time,
            "stage_ends": self.stage_ends,
            "notes": self.notes,
            "initial": total(comm, np.array([self.initial])),
            "ledger": ledger,
            "integrator": self.integrator.saved(),
            "run": None if self._run is None else self._run.saved(),
        }
        parts = {"heat": self.heat.saved(), "observers": self.observers.saved()}
        return Saved(plain, {"state": self.state[:owned], "slope": slope[:owned]}, parts=parts)

    def _restore(self, saved: Saved) -> None:
        """Go on from what was saved; collective."""
        plain, owned, comm = saved.plain, self.heat.owned, self.heat.layout.comm
        self.time, self.stage_ends, self.notes = plain["time"], plain["stage_ends"], plain["notes"]
        self.initial = float(share(comm, plain["initial"])[0])
        self.integrator.restore(plain["integrator"])
        done = len(self.stage_ends)
        begins = [0.0, *self.stage_ends.values()]
        number = done if plain["run"] is not None else done - 1
        stage = self.stages[number]
        self.heat.begin(stage, begins[number], self.state)
        both = zip((self.state, self.integrator.slope), ("state", "slope"), plain["ledger"], strict=True)
        for values, name, ledger in both:
            values[:owned], values[owned:] = saved.nodes[name], share(comm, ledger)
        self.heat.restore(saved.parts["heat"])
        self.observers.restore(saved.parts["observers"])
        self.heat.weaken(self.observers.damage_by_region())
        if plain["run"] is not None:
            self._run = StageRun(stage, self.time, self.integrator, self.observers)
            self._run.restore(plain["run"])


def settled(stage: Stage, time: float, state: Array, observers: Observers) -> list[str]:
    """Change the state into the steady one of a stage, at the largest amplitude that keeps its limit if it searches; notes.

    Raises:
        SolveError: there is no steady state, or it was not found.
        CaseError: no amplitude keeps the limit.
    """
    heat, search = observers.heat, stage.search
    if search is None:
        return [_told(stage, settle_down(heat, time, state, stage.name))]
    sensor = (search.sensor.what, search.sensor.name)

    def respond(amplitude: float) -> float:
        """The watched temperature [K] in the steady state of an amplitude [A/m]."""
        heat.steer(amplitude)
        settle_down(heat, time, state, stage.name)
        return observers.measured(sensor, state)

    best = largest_amplitude(respond, search.at_most, search.between)
    heat.driven.pop(stage.name, None)  # stronger trials were never applied
    heat.steer(best.amplitude)
    found = settle_down(heat, time, state, stage.name)
    return [f"stage {stage.name}: {best.amplitude / 1e3:.5g} kA/m: {best.sentence()}", _told(stage, found)]


def _told(stage: Stage, found: Steadiness) -> str:
    balance = f"{found.residual:.1g} of the heat does not balance"
    return f"stage {stage.name}: steady after {found.iterations} iterations of Newton's method, {balance}"


def _energy(heat: HeatEquation, state: Array, initial: float) -> dict[str, float]:
    """The ledger [J] of all ranks, closed."""
    mine = np.array([heat.stored(state) - initial, float(heat.volume.sum()), *state[heat.owned :]])
    stored, volume, *came = heat.layout.comm.allreduce(mine)
    exchanged = max(abs(stored), *map(abs, came), 1e-3 * volume / heat.thermo.largest_per_capacity)
    entries = dict(zip(LEDGER, came, strict=True))
    living = {name: value for name, value in entries.items() if name in heat.ledger_names()}
    return {"stored": stored, **living, "imbalance_relative": abs(stored - sum(came)) / exchanged}
