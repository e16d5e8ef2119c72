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
from nanowarm.physics.protocol import Stage

Array = NDArray[np.float64]

HORIZON = 1e6  # [s] after which a stage without duration is given up
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
    """

    end: float
    stage_ends: dict[str, float]
    energy: dict[str, float]
    counts: Counts
    stiffness: float


def solve(case: Case, heat: HeatEquation, observers: Observers, report: Callable[[Progress], None]) -> Solution:
    """Carry the state of a case through all stages.

    Raises:
        SolveError: a condition is never met, or the steps vanish.
    """
    settings = case.input.solver
    state = heat.initial_state(case.input.initial.temperature)
    initial = heat.stored(state)
    largest = settings.largest_step or HORIZON
    integrator = Integrator(heat, state, settings.step, largest)
    end = sum(stage.duration for stage in case.stages)
    time = 0.0
    stage_ends: dict[str, float] = {}
    for stage in case.stages:
        before = state.copy()
        heat.begin(stage, time, state)
        observers.jumped(time, before, state)
        if not stage_ends:
            observers.begin(stage.name, state, initial)
        time = _run_stage(stage, time, integrator, observers, lambda where: report(Progress(end=end, **where)))
        stage_ends[stage.name] = time
    energy = _energy(heat, state, initial)
    return Solution(time, stage_ends, energy, integrator.counts, integrator.radius)


def _run_stage(
    stage: Stage,
    time: float,
    integrator: Integrator,
    observers: Observers,
    report: Callable[[dict[str, Any]], None],
) -> float:
    """Carry the state through one stage; its end [s]."""
    if stage.until and observers.sensor(stage.until, integrator.state) > 0:
        return time
    begin, end = time, time + min(stage.duration, HORIZON)
    integrator.start(time, end)
    while time < end:
        knot = next((knot for knot in stage.knots(begin) if time + 1e-9 * max(1.0, time) < knot < end), end)
        step = integrator.step(knot)
        met = stage.until is not None and observers.sensor(stage.until, step.state(step.end)) > 0
        if met:
            step = integrator.cut(step, _first_time(step, stage, observers))
        time = step.end
        observers.observe(step, stage.name, last=met or time >= end)
        _, coldest, hottest = observers.recorder.latest
        report({"stage": stage.name, "time": time, "size": step.size, "coldest": coldest, "hottest": hottest})
        if met:
            return time
        if time < end and time == knot:
            observers.heat.pass_knot(time)
            integrator.refresh()
    if math.isinf(stage.duration):
        raise SolveError(f'stage {stage.name}: "{stage.until.text if stage.until else ""}" is not met within {HORIZON:g} s')
    return time


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
