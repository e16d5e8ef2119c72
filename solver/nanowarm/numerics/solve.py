"""The protocol, stage by stage: the only loop over time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanowarm.case import Case
from nanowarm.errors import SolveError
from nanowarm.numerics.heat import HeatEquation
from nanowarm.numerics.ledger import LEDGER
from nanowarm.numerics.observers import Observers
from nanowarm.numerics.rkc import Counts, Integrator, Step
from nanowarm.numerics.steady import Steadiness, settle_down
from nanowarm.physics.amplitude_search import largest_amplitude
from nanowarm.physics.controllers import Controller
from nanowarm.physics.protocol import Stage

Array = NDArray[np.float64]

HORIZON = 1e6  # [s] after which a stage without duration is given up
MOST_DAMAGE = 0.05  # by which damage that stops the blood flow may grow in one step
DEAD = 5.0  # damage from which less than a hundredth of the blood flow is left
EVENT_TOLERANCE = 1e-10  # [s] to which an end condition is located


@dataclass(frozen=True)
class Progress:
    """Where a run stands, after an accepted step.

    Args:
        time, size: simulated time and step [s].
        end: expected end of the protocol [s], infinite where not known.
        coldest, hottest: [K].
    """

    stage: str
    time: float
    size: float
    end: float
    coldest: float
    hottest: float


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


def solve(case: Case, heat: HeatEquation, observers: Observers, report: Callable[[Progress], None]) -> Solution:
    """Carry the state of a case through all stages.

    Raises:
        SolveError: a condition is never met, or the steps vanish.
    """
    settings = case.input.solver
    state = heat.initial_state(case.input.initial.temperature)
    initial = heat.stored(state)
    integrator = Integrator(heat, state, settings.step, settings.largest_step or HORIZON)
    end = sum(stage.duration for stage in case.stages)
    time = 0.0
    stage_ends: dict[str, float] = {}
    notes: list[str] = []
    for stage in case.stages:
        before = state.copy()
        heat.begin(stage, time, state)
        observers.jumped(time, before, state)
        run = None if stage.steady else _StageRun(stage, time, integrator, observers)
        if not stage_ends:
            observers.begin(stage.name, state, initial)
        if run is None:
            before = state.copy()
            notes += settled(stage, time, state, observers)
            initial += heat.stored(state) - heat.stored(before)
            observers.settled(time, stage.name, before, state)
        else:
            time = run.carry(lambda where: report(Progress(end=end, **where)))
            notes += run.notes()
        stage_ends[stage.name] = time
    observers.end(time, state)
    energy = _energy(heat, state, initial)
    return Solution(time, stage_ends, energy, integrator.counts, integrator.radius, tuple(notes))


class _StageRun:
    """One stage that takes time.

    Args:
        stage: of the protocol.
        begin: time [s] at which it begins.
        integrator: with the state.
        observers: what is followed.
    """

    def __init__(self, stage: Stage, begin: float, integrator: Integrator, observers: Observers) -> None:
        self.stage, self.begin, self.end = stage, begin, begin + min(stage.duration, HORIZON)
        self.integrator, self.observers = integrator, observers
        self.controller: Controller | None = None
        self._damage = {name: omega.copy() for name, omega in observers.damage_by_region().items()}
        if stage.control is not None:
            field = stage.field
            self.controller = stage.control.controller(begin, field.largest() * field.per_drive(), field.frequency)
        self._steer(begin)

    def notes(self) -> list[str]:
        """What the controller has to say."""
        return [] if self.controller is None else [f"stages.{self.stage.name}.control: {note}" for note in self.controller.notes]

    def carry(self, report: Callable[[dict[str, Any]], None]) -> float:
        """Carry the state through the stage; its end [s].

        Raises:
            SolveError: its condition is never met.
        """
        stage, integrator, observers = self.stage, self.integrator, self.observers
        if stage.until and observers.sensor(stage.until, integrator.state) > 0:
            return self.begin
        integrator.start(self.begin, self.end)
        time = self.begin
        while time < self.end:
            knot = self._next(time)
            step = integrator.step(knot)
            met = stage.until is not None and observers.sensor(stage.until, step.state(step.end)) > 0
            if met:
                step = integrator.cut(step, _first_time(step, stage, observers))
            time = step.end
            observers.observe(step, stage.name, last=met or time >= self.end)
            _, coldest, hottest = observers.recorder.latest
            report({"stage": stage.name, "time": time, "size": step.size, "coldest": coldest, "hottest": hottest})
            changed = self._freeze(step) | self._weaken(step.size)
            if met:
                return time
            if time < self.end and time == knot:
                observers.heat.pass_knot(time)
                self._steer(time)
                changed = True
            if changed:
                integrator.refresh()
        if math.isinf(stage.duration):
            text = stage.until.text if stage.until else ""
            raise SolveError(f'stage {stage.name}: "{text}" is not met within {HORIZON:g} s')
        return time

    def _freeze(self, step: Step) -> bool:
        """Let ice form, and keep the next step so short that its latent heat is followed; whether the temperature changed."""
        heat = self.observers.heat
        if heat.ice is None:
            return False
        changed, longest = heat.ice.advance(step)
        self.integrator.size = min(self.integrator.size, longest)
        if changed:
            heat.settle(step.end, self.integrator.state)
        return changed

    def _weaken(self, size: float) -> bool:
        """Let damage act on the blood flow, and keep the next step so short that it can't grow much unseen; whether it acts."""
        damage = self.observers.damage_by_region()
        if not self.observers.heat.weaken(damage):
            return False
        grown = [np.where(omega < DEAD, omega - self._damage[name], 0.0).max(initial=0.0) for name, omega in damage.items()]
        (most,) = self.observers.heat.largest(float(max(grown)))
        self._damage = {name: omega.copy() for name, omega in damage.items()}
        if most > 0.0:
            self.integrator.size = min(self.integrator.size, size * MOST_DAMAGE / most)
        return True

    def _next(self, time: float) -> float:
        """The next time at which a schedule bends, the controller looks, or the stage ends [s]."""
        later = time + 1e-9 * max(1.0, time)
        knot = next((knot for knot in self.stage.knots(self.begin) if later < knot < self.end), self.end)
        if self.stage.control is not None:
            knot = min(knot, self.stage.control.after(time, self.begin))
        return knot

    def _steer(self, time: float) -> None:
        """Let the controller set the field."""
        if self.controller is None or self.stage.control is None:
            return
        watched = self.stage.control.watched()
        seen = math.nan if watched is None else self.observers.measured((watched.what, watched.name), self.integrator.state)
        self.observers.heat.steer(self.controller.answer(time, seen))


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


def _first_time(step: Step, stage: Stage, observers: Observers) -> float:
    """Time [s] inside a step from which the end condition of its stage is met."""
    low, high = step.start, step.end
    while high - low > EVENT_TOLERANCE and stage.until:
        middle = 0.5 * (low + high)
        if not low < middle < high:  # neighbouring numbers
            break
        low, high = (low, middle) if observers.sensor(stage.until, step.state(middle)) > 0 else (middle, high)
    return high


def _energy(heat: HeatEquation, state: Array, initial: float) -> dict[str, float]:
    """The ledger [J] of all ranks, closed."""
    mine = np.array([heat.stored(state) - initial, float(heat.volume.sum()), *state[heat.owned :]])
    stored, volume, *came = heat.layout.comm.allreduce(mine)
    exchanged = max(abs(stored), *map(abs, came), 1e-3 * volume / heat.thermo.largest_per_capacity)
    entries = dict(zip(LEDGER, came, strict=True))
    living = {name: value for name, value in entries.items() if name in heat.ledger_names()}
    return {"stored": stored, **living, "imbalance_relative": abs(stored - sum(came)) / exchanged}
