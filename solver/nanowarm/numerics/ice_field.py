"""Ice at the nodes: nucleation and growth over every accepted step, with the latent heat that they release."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nanowarm.numerics.frozen import LEAST
from nanowarm.numerics.medium_ice import GROWTH, MediumIce
from nanowarm.numerics.rkc import Step
from nanowarm.numerics.saved import Saved, spread_out

if TYPE_CHECKING:
    from nanowarm.numerics.heat import HeatEquation

Array = NDArray[np.float64]

MOST_SUBSTEPS = 200
PARABOLA = 10  # parts of a step up to which its temperature is taken as a parabola
FINER = 8  # times as many parts of a longer one, in which much ice may form
LATENT_STEP = 0.3  # [K] by which latent heat may change the temperature in one step
FELT = 1e-3  # [K] of latent heat after which the right-hand side is evaluated again


class IceField:
    """The ice of all media over time, and its largest fraction at every own node.

    Args:
        heat: the equation, which feels its latent heat.
        conditions: as of `ice_conditions`.
    """

    def __init__(self, heat: HeatEquation, conditions: Array) -> None:
        self.heat, self.frozen, owned = heat, heat.thermo.frozen, heat.owned
        self.media: list[MediumIce] = []
        for number, (medium, names) in enumerate(heat.members):
            filled = np.flatnonzero(np.sum([heat.operators.mass[name][:owned] for name in names], axis=0))
            nodes = slice(0, owned) if filled.size == owned else filled
            if medium.kinetics is not None and medium.freezing is not None:
                self.media.append(MediumIce(number, medium.kinetics, nodes, conditions[:, number, nodes]))
        self.peak = np.zeros((len(heat.members), owned))
        self.now = np.zeros((len(heat.members), owned))
        self._last: tuple[float, Array] | None = None  # time [s] and temperature [K] where the last step ended
        self._conducts = np.zeros(owned)  # temperature [K] for which the conduction of the ice was made

    def look(self, temperature: float) -> None:
        """Look at the ice that there is at a temperature [K] of the whole body."""
        everywhere = np.full(self.heat.layout.total, temperature)
        present = self.frozen.present(everywhere)
        self._conduct(everywhere)
        self._keep(present[:, : self.heat.owned])

    def jumped(self) -> None:
        """Forget the last temperature: surfaces were set to another one."""
        self._last = None

    def advance(self, step: Step) -> tuple[bool, float]:
        """Let ice form over an accepted step. Collective.

        Returns:
            whether the temperature has changed by its latent heat, and the largest step [s] that follows this closely.
        """
        heat = self.heat
        end = heat.temperature(step.state(step.end)).copy()
        fresh = self._last is not None and self._last[0] == step.start
        start = self._last[1] if fresh and self._last else heat.temperature(step.state(step.start)).copy()
        self._last = step.end, end
        size = step.end - step.start
        mine = max((ice.needed(start, end, size) for ice in self.media), default=0.0)
        needed, active = heat.largest(mine, float(self.frozen.active))
        count = min(math.ceil(needed), MOST_SUBSTEPS)
        if not count and not active:
            return False, math.inf
        if active or count > PARABOLA:
            start = self._grow_and_warm(step, count if active else min(FINER * count, MOST_SUBSTEPS), start)
        else:
            self._grow(step, count, (start, end))
        fraction = self._formed()
        (most,) = heat.largest(float(fraction.max(initial=0.0)))
        if not active and most <= LEAST:
            self._keep(fraction[:, : heat.owned])
            for ice in self.media:
                ice.forget(end)
            return False, math.inf
        return self._feel(step, fraction, (start, end))

    def _formed(self) -> Array:
        """Ice fraction of every medium at all nodes, as formed at own nodes, shape (media, nodes)."""
        fraction = self.frozen.fraction.copy()
        for ice in self.media:
            fraction[ice.number, ice.nodes] = ice.fraction()
        return fraction

    def _grow(self, step: Step, count: int, ends: tuple[Array, Array]) -> None:
        """Nucleation and growth over a step, in a few equal parts, with temperatures on the parabola through ends and middle.

        Args:
            step: of which `ends` are the temperatures of own nodes [K] at start and end.
            count: of the parts.
        """
        start, end = ends
        middle = self.heat.temperature(step.state(0.5 * (step.start + step.end)))
        bend = 2.0 * (start + end - 2.0 * middle)
        slope = end - start - bend
        kept = [ice.phi.copy() for ice in self.media]
        for ice in self.media:
            ice.begin(start)
        for number in range(count):
            half, whole = (number + 0.5) / count, (number + 1.0) / count
            at_half = start + half * (slope + half * bend)
            at_end = start + whole * (slope + whole * bend)
            for ice in self.media:
                ice.pass_over(at_half, at_end, (step.end - step.start) / count)
        (most,) = self.heat.largest(float(self._formed().max(initial=0.0)))
        if most > GROWTH:  # so much at once that it must feel its heat while it forms
            for ice, phi in zip(self.media, kept, strict=True):
                ice.phi[:] = phi
            self._grow_and_warm(step, MOST_SUBSTEPS, start)

    def _grow_and_warm(self, step: Step, count: int, start: Array) -> Array:
        """The same where there is much ice, or many parts: each feels the heat that those before it have released.

        Returns:
            the temperature of own nodes [K] where the last part begins.
        """
        fraction, duration = self.frozen.fraction.copy(), (step.end - step.start) / max(count, 1)
        here = np.full(self.heat.layout.total, self.heat.thermo.range[1])  # nothing is kept of the nodes of other ranks
        end = start
        for ice in self.media:
            ice.begin(start)
        for number in range(count):
            start = end
            middle = self.heat.temperature(step.state(step.start + (number + 0.5) * duration)).copy()
            end = self.heat.temperature(step.state(step.start + (number + 1.0) * duration)).copy()
            for ice in self.media:
                ice.pass_over(middle, end, duration)
                fraction[ice.number, ice.nodes] = ice.fraction()
            self.frozen.take(fraction)
            if number < count - 1:
                here[: end.size] = end
                self._keep(self.frozen.present(here)[:, : end.size])
        return start

    def _feel(self, step: Step, fraction: Array, ends: tuple[Array, Array]) -> tuple[bool, float]:
        """Let the temperature follow the ice of own nodes, and melt what can't be. Collective.

        Ice that grows and melts within the step counts as it was at the colder of its two `ends` [K].
        """
        heat, layout, (start, before) = self.heat, self.heat.layout, ends
        if layout.comm.size > 1:
            for number, own in enumerate(fraction[:, : layout.owned].copy()):
                fraction[number] = layout.filled(own)
        self.frozen.take(fraction)
        after = heat.temperature(step.state(step.end)).copy()
        everywhere = layout.filled(after) if layout.comm.size > 1 else after
        present = self.frozen.present(everywhere)
        colder = np.minimum(start, after)
        self._keep(self.frozen.present(layout.filled(colder) if layout.comm.size > 1 else colder)[:, : heat.owned])
        self._keep(present[:, : heat.owned])
        for ice in self.media:
            ice.melt(after, present[ice.number, ice.nodes])
            fraction[ice.number] = present[ice.number]
        self.frozen.take(fraction)
        self._conduct(everywhere)
        self._last = step.end, after
        (most,) = heat.largest(float(np.abs(after - before).max(initial=0.0)))
        size = step.end - step.start
        return most > FELT, size * LATENT_STEP / most if most > 0.0 else math.inf

    def _conduct(self, everywhere: Array) -> None:
        """Let the conduction feel the ice at the temperature of all nodes [K]; collective."""
        self._conducts = everywhere[: self.heat.owned].copy()
        self.heat.conduction.take_ice(self.frozen, everywhere)

    def saved(self) -> Saved:
        """The ice and its history at own nodes."""
        owned, frozen = self.heat.owned, self.frozen
        nodes = {"fraction": frozen.fraction[:, :owned].T, "guess": frozen.guess[:owned], "conducts": self._conducts}
        nodes |= {"peak": self.peak.T, "now": self.now.T} | ({} if self._last is None else {"last": self._last[1]})
        nodes |= {f"phi {ice.number}": spread_out(ice.phi.T, ice.nodes, owned) for ice in self.media}
        return Saved({"last": None if self._last is None else self._last[0]}, nodes)

    def restore(self, saved: Saved) -> None:
        """Go on from what was saved; collective."""
        layout, nodes = self.heat.layout, saved.nodes
        self.frozen.take(np.array([layout.filled(row) for row in nodes["fraction"].T]))
        self.frozen.guess[:] = layout.filled(nodes["guess"])
        self._conduct(layout.filled(nodes["conducts"]))
        self.peak[:], self.now[:] = nodes["peak"].T, nodes["now"].T
        time = saved.plain["last"]
        self._last = None if time is None else (time, nodes["last"])
        for ice in self.media:
            ice.phi[:] = nodes[f"phi {ice.number}"][ice.nodes].T

    def _keep(self, present: Array) -> None:
        """Take note of the ice fraction of own nodes."""
        self.now[:] = present
        np.maximum(self.peak, self.now, out=self.peak)
