"""Ice of one medium at the nodes that it fills: Schneider's integrals, from tables of the rates."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanowarm.numerics.operators import Integrals
from nanowarm.physics.ice import IceKinetics, fraction, grow

Array = NDArray[np.float64]

CHANGE = 2.5  # [K] by which the temperature may change in one part of a step of the kinetics
GROWTH = 0.02  # by which the ice fraction may grow in one
NO_NUCLEI = 6.0  # widths from the nucleation temperature, beyond which no nuclei form
SPACING = 0.01  # [K] of the tables of the rates

# Scale and offset [K] of the temperature at which ice is looked up, and the scale of its rates, at a node at full strength.
FULL_STRENGTH = (1.0, 0.0, 1.0)


def ice_conditions(members: Mapping[Any, list[str]], operators: Integrals, diluted: Mapping[str, Array]) -> Array:
    """What the ice of every medium depends on at all nodes of this rank: scale, offset and pace, shape (3, media, nodes).

    Args:
        members: regions of each medium.
        operators: of the mesh.
        diluted: the same at own nodes of the regions that are not at full strength, shape (3, owned).
    """
    layout = operators.layout
    found = np.empty((3, len(members), layout.total))
    found[:] = np.array(FULL_STRENGTH)[:, None, None]
    for number, names in enumerate(members.values()):
        if not any(name in diluted for name in names):
            continue
        mass = np.array([operators.mass[name][: layout.owned] for name in names])
        share = mass / np.maximum(mass.sum(axis=0), 1e-300)
        for row in range(3):
            values = [diluted[n][row] if n in diluted else np.full(layout.owned, FULL_STRENGTH[row]) for n in names]
            mean = (share * np.array(values)).sum(axis=0)
            found[row, number] = layout.filled(np.where(mass.sum(axis=0) > 0.0, mean, FULL_STRENGTH[row]))
    return found


class MediumIce:
    """Ice of one medium: Schneider's integrals at its own nodes, from tables of the rates.

    Args:
        number: of the medium.
        kinetics: its rate equations.
        nodes: own nodes that it fills, at least in part.
        conditions: scale, offset and pace there, shape (3, nodes).
    """

    def __init__(self, number: int, kinetics: IceKinetics, nodes: NDArray[np.intp] | slice, conditions: Array) -> None:
        self.number, self.kinetics, self.nodes = number, kinetics, nodes
        self._scale, self._offset, self._pace = conditions
        self._plain = bool((self._scale == 1.0).all() and (self._offset == 0.0).all() and (self._pace == 1.0).all())
        self.phi, self._none = np.zeros((4, conditions.shape[1])), np.zeros(conditions.shape[1])
        self._low = kinetics.glass_transition
        grid = np.arange(self._low, kinetics.melting + SPACING, SPACING) + 0.5 * SPACING
        self._nucleation = np.concatenate(([0.0], kinetics.nucleation(grid), [0.0]))
        self._growth = np.concatenate(([0.0], kinetics.growth(grid), [0.0]))

    def begin(self, temperature: Array) -> None:
        """Begin a step at the temperature [K] of own nodes."""
        place = self._place(temperature)
        self._before = self._nucleation[place], self._growth[place]

    def pass_over(self, middle: Array, end: Array, duration: float) -> None:
        """Nucleation and growth over a part of a step, from the temperatures [K] of own nodes at its middle and end.

        Simpson's rule: a sixth of the nuclei is born at the start, two thirds in the middle and a sixth at the end.
        """
        between, after = self._place(middle), self._place(end)
        (born0, speed0), born1, speed1 = self._before, self._nucleation[between], self._growth[between]
        self._before = born2, speed2 = self._nucleation[after], self._growth[after]
        pace = duration if self._plain else duration * self._pace
        radius = (speed0 + 4.0 * speed1 + speed2) * (pace / 6.0)
        later = np.maximum(8.0 * speed1 + 5.0 * speed2 - speed0, 0.0) * (pace / 24.0)  # growth from the middle to the end
        born1 *= pace / 1.5
        self.phi[0] += born0 * (pace / 6.0)
        grow(self.phi, self._none, radius, 1.0)
        self.phi[0] += born2 * (pace / 6.0)
        self.phi[0] += born1
        for order in (1, 2, 3):
            born1 *= later
            born1 *= 1.0 / order
            self.phi[order] += born1

    def _place(self, temperature: Array) -> NDArray[np.intp]:
        """Where its nodes are in the tables, from the temperature [K] of own nodes."""
        place = self.reduced(temperature) - (self._low - SPACING)
        place *= 1.0 / SPACING
        np.clip(place, 0.0, self._growth.size - 1.0, out=place)
        return place.astype(np.intp)

    def needed(self, start: Array, end: Array, duration: float) -> float:
        """Number of parts of a step that resolve the kinetics; 0 where no ice can form.

        Args:
            start, end: temperatures [K] of own nodes.
            duration: of the step [s].
        """
        kinetics, t0, t1 = self.kinetics, self.reduced(start), self.reduced(end)
        reach = NO_NUCLEI * kinetics.nucleation_width if not self.phi[0].any() else math.inf
        coldest = max(kinetics.glass_transition, kinetics.nucleation_temperature - reach)
        warmest = min(kinetics.melting, kinetics.nucleation_temperature + reach)
        near = (np.maximum(t0, t1) > coldest) & (np.minimum(t0, t1) < warmest)
        if not near.any():
            return 0.0
        growing = float((self._growth[self._place(end)] * self.phi[2])[near].max()) * duration
        change = float(np.abs(t1 - t0)[near].max())
        return max(1e-9, change / CHANGE, min(growing, 1.0) / GROWTH)

    def reduced(self, temperature: Array) -> Array:
        """Temperature [K] at its nodes at which a solution at full strength would be alike."""
        here = temperature[self.nodes]
        return here if self._plain else self._scale * here + self._offset

    def fraction(self) -> Array:
        """Ice fraction at its nodes."""
        return fraction(self.phi[3])

    def melt(self, temperature: Array, most: Array) -> None:
        """Forget ice that can't be at the temperature of own nodes [K], and all nuclei above the melting temperature."""
        kept = -np.log1p(-np.minimum(most, 1.0 - 1e-12))
        np.minimum(self.phi[3], kept, out=self.phi[3])
        self.forget(temperature)

    def forget(self, temperature: Array) -> None:
        """Forget all nuclei where own nodes are above the melting temperature [K]."""
        melted = self.reduced(temperature) >= self.kinetics.melting
        if melted.any():
            self.phi[:, melted] = 0.0
