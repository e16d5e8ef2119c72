"""One stage of the protocol that takes time: the only loop over time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nanowarm.errors import SolveError
from nanowarm.numerics.observers import Observers
from nanowarm.numerics.rkc import Integrator, Step
from nanowarm.physics.controllers import Controller
from nanowarm.physics.protocol import Stage

HORIZON = 1e6  # [s] after which a stage without duration is given up
MOST_DAMAGE = 0.05  # by which damage that stops the blood flow may grow in one step
DEAD = 5.0  # damage from which less than a hundredth of the blood flow is left
EVENT_TOLERANCE = 1e-10  # [s] to which an end condition is located


class StageRun:
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
        self._resumed = False

    def saved(self) -> dict[str, Any]:
        """What it needs to go on."""
        return {"controller": None if self.controller is None else self.controller.saved()}

    def restore(self, saved: dict[str, Any]) -> None:
        """Go on from what was saved."""
        self._resumed = True
        if self.controller is not None:
            self.controller.restore(saved["controller"])

    def notes(self) -> list[str]:
        """What the controller has to say."""
        return [] if self.controller is None else [f"stages.{self.stage.name}.control: {note}" for note in self.controller.notes]

    def carry(self, report: Callable[[dict[str, Any]], None], look: Callable[[float], None]) -> float:
        """Carry the state through the stage; its end [s].

        Args:
            report: hears of every step.
            look: is called after every step but the last, with the time [s].

        Raises:
            SolveError: its condition is never met.
        """
        stage, integrator, observers = self.stage, self.integrator, self.observers
        if not self._resumed:
            if stage.until and observers.sensor(stage.until, integrator.state) > 0:
                return self.begin
            integrator.start(self.begin, self.end)
        time = integrator.time
        while time < self.end:
            knot = self._next(time)
            step = integrator.step(knot)
            met = stage.until is not None and observers.sensor(stage.until, step.state(step.end)) > 0
            if met:
                step = integrator.cut(step, _first_time(step, stage, observers))
            time = step.end
            observers.observe(step, stage.name, last=met or time >= self.end)
            report(self._standing(step))
            changed = self._freeze(step) | self._weaken(step.size)
            if met:
                return time
            if time < self.end and time == knot:
                observers.heat.pass_knot(time)
                self.steer(time)
                changed = True
            if changed:
                integrator.refresh()
            if time < self.end:
                look(time)
        if math.isinf(stage.duration):
            text = stage.until.text if stage.until else ""
            raise SolveError(f'stage {stage.name}: "{text}" is not met within {HORIZON:g} s')
        return time

    def _standing(self, step: Step) -> dict[str, Any]:
        """Where the stage stands after a step, with temperatures [K], as `report` hears it."""
        recorder = self.observers.recorder
        _, coldest, hottest = recorder.latest
        where = {"stage": self.stage.name, "time": step.end, "size": step.size}
        return where | {"coldest": coldest, "mean": recorder.mean, "hottest": hottest}

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

    def steer(self, time: float) -> None:
        """Let the controller set the field."""
        if self.controller is None or self.stage.control is None:
            return
        watched = self.stage.control.watched()
        seen = math.nan if watched is None else self.observers.measured((watched.what, watched.name), self.integrator.state)
        self.observers.heat.steer(self.controller.answer(time, seen))


def _first_time(step: Step, stage: Stage, observers: Observers) -> float:
    """Time [s] inside a step from which the end condition of its stage is met."""
    low, high = step.start, step.end
    while high - low > EVENT_TOLERANCE and stage.until:
        middle = 0.5 * (low + high)
        if not low < middle < high:  # neighbouring numbers
            break
        low, high = (low, middle) if observers.sensor(stage.until, step.state(middle)) > 0 else (middle, high)
    return high
