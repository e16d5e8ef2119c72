"""Ice in the nodes: from the enthalpy of a partly frozen medium to that which it would have without ice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nanowarm.physics.curves import Curve, constant, weighted_sum
from nanowarm.physics.freezing import Freezing
from nanowarm.physics.materials import Medium

Array = NDArray[np.float64]
Nodes = NDArray[np.intp]

LEAST = 1e-4  # ice fraction whose latent heat, a few thousandths of a kelvin, is looked at
CONDUCTS = 0.01  # ice fraction from which it is looked at in the conduction
ITERATIONS = 100
NEWTON = 20  # iterations of Newton's method alone; halving now and then ends its cycles around a peak of the capacity
TOLERANCE = 1e-8  # [K]


class Frozen:
    """The ice of all nodes, and what it does to their enthalpy.

    A node with the enthalpy density u and the ice fraction X, of a medium with u = h(T) - X c(h), has as much h as
    if it had no ice and were h = gain u + shift, or u + X c below the glass transition. Where there can't be so much
    ice at its temperature, it lies on the liquidus instead, and h is solved for.

    Args:
        media: of the thermodynamics.
        medium: index of each node's own medium, shape (nodes,).
        shared: nodes that several media share.
        reduced: scale and offset [K] that turn the temperature of a node into that at which a solution at full strength
            is as far from its melting and glass transition, shape (2, media, nodes); None where no ice is followed.
    """

    def __init__(self, media: Sequence[Medium], medium: Nodes, shared: Nodes, reduced: Array | None) -> None:
        self.media, self._medium = media, medium
        self.followed, size = reduced is not None, medium.size
        self._scale, self._offset = np.empty((2, 0, 0)) if reduced is None else reduced
        self.fraction = np.zeros((len(media), size))
        self._freezing = [(n, m, m.freezing) for n, m in enumerate(media) if self.followed and m.freezing is not None]
        alone = np.ones(size, dtype=bool)
        alone[shared] = False
        self._own = {number: np.flatnonzero((medium == number) & alone) for number, _, _ in self._freezing}
        self._gain, self._shift, self._ceiling = np.ones(size), np.zeros(size), np.full(size, np.inf)
        self._glassy = np.zeros(size)  # X c below the glass transition
        self._melted, self._slope = np.full(size, np.inf), np.ones(size)
        self._h, self._glass_h, self.guess = np.empty(size), np.empty(size), np.zeros(size)
        for number, own, freezing in self._freezing:
            nodes = self._own[number]
            self._melted[nodes] = own.enthalpy(self._actual(number, nodes, np.array(freezing.melting)))
            if own.kinetics is None:
                self.fraction[number] = 1.0  # as much as the liquidus allows
        self.take(self.fraction)

    def take(self, fraction: Array) -> None:
        """Take over the ice fraction of every medium at all nodes, shape (media, nodes)."""
        self.fraction[:] = fraction
        self.active = bool((self.fraction > LEAST).any())
        self._on_liquidus: Nodes = np.empty(0, dtype=np.intp)
        if not self.active:
            return
        for number, medium, freezing in self._freezing:
            nodes = self._own[number]
            x = np.where(self.fraction[number, nodes] > LEAST, self.fraction[number, nodes], 0.0)
            self._gain[nodes] = 1.0 / (1.0 - x * freezing.capacity_loss)
            at_melting = freezing.latent_at_melting - freezing.capacity_loss * freezing.enthalpy_at_melting
            self._shift[nodes] = x * at_melting * self._gain[nodes]
            self._glassy[nodes] = x * float(freezing.latent(np.array(freezing.enthalpy_at_solid)))
            warmest = self._actual(number, nodes, freezing.warmest(x))
            self._ceiling[nodes] = np.where(x > 0.0, medium.enthalpy(warmest), np.inf)

    def _actual(self, number: int, nodes: Nodes, reduced: Array) -> Array:
        """Temperature [K] of some nodes of a medium that have a reduced one."""
        return (reduced - self._offset[number, nodes]) / self._scale[number, nodes]

    def warmed(self, enthalpy: Array) -> Array:
        """Enthalpy density without ice h of every node [J/m3]; overwritten by the next call. Shared nodes are left alone."""
        h = np.multiply(self._gain, enthalpy, out=self._h)
        h += self._shift
        np.add(enthalpy, self._glassy, out=self._glass_h)
        np.maximum(h, self._glass_h, out=h)
        self._on_liquidus = np.flatnonzero(h > self._ceiling)
        if self._on_liquidus.size:
            liquid = enthalpy[self._on_liquidus] >= self._melted[self._on_liquidus]
            above, melting = self._on_liquidus[liquid], self._on_liquidus[~liquid]
            h[above], self._slope[above] = enthalpy[above], 1.0
            for number, medium, freezing in self._freezing:
                nodes = melting[self._medium[melting] == number]
                if nodes.size:
                    h[nodes], self._slope[nodes] = self._melting(number, medium, freezing, (nodes, enthalpy[nodes]))
        return h

    def _melting(self, number: int, medium: Medium, freezing: Freezing, at: tuple[Nodes, Array]) -> tuple[Array, Array]:
        """Enthalpy without ice [J/m3] of some nodes on the liquidus at an enthalpy density u, and dh/du."""
        nodes, u = at
        scale, offset = self._scale[number, nodes], self._offset[number, nodes]
        low, high = self._ceiling[nodes], self._melted[nodes]
        h = np.clip(self.guess[nodes], low, high)
        for iteration in range(ITERATIONS):
            temperature = medium.temperature(h)
            capacity = medium.capacity(temperature)
            most, steep = _lever(freezing, scale * temperature + offset)
            excess = h - most * freezing.latent(h) - u
            slope = 1.0 - most * freezing.capacity_loss - steep * scale * freezing.latent(h) / capacity
            change = excess / slope
            if np.all(np.abs(change) < TOLERANCE * capacity):
                break
            low, high = np.where(excess < 0, h, low), np.where(excess > 0, h, high)
            better = h - change
            halved = (better < low) | (better > high) | (iteration > NEWTON and iteration % 3 == 0)
            h = np.where(halved, 0.5 * (low + high), better)
        self.guess[nodes] = h
        return h, 1.0 / slope

    def slope(self) -> Array:
        """dh/du of every node, at the state of the last `warmed`."""
        now = np.where(self._h > self._glass_h, self._gain, 1.0)
        now[self._on_liquidus] = self._slope[self._on_liquidus]
        return now

    def present(self, temperature: Array) -> Array:
        """Ice fraction of every medium at all nodes at a temperature [K], shape (media, nodes): no more than can be."""
        found = np.zeros_like(self.fraction)
        for number, _, freezing in self._freezing:
            most = freezing.equilibrium(self._scale[number] * temperature + self._offset[number])
            found[number] = np.minimum(self.fraction[number], most)
        return found

    def in_cells(self, number: int, corners: NDArray[np.int32], temperature: Array) -> Array:
        """Ice fraction of a medium in the middle of cells, shape (cells,), at the temperature of all nodes [K].

        No more than can be there: so a cell that a front passes is all frozen on the one side and all liquid on the other.

        Args:
            number: of the medium.
            corners: nodes of the cells, shape (cells, 4).
            temperature: shape (nodes,).
        """
        freezing = self.media[number].freezing
        if freezing is None:
            return np.zeros(len(corners))
        reduced = self._scale[number] * temperature + self._offset[number]
        most = freezing.equilibrium(reduced[corners].mean(axis=1))
        return np.minimum(self.fraction[number][corners].mean(axis=1), most)

    def released(self, number: int, temperature: Array | float, nodes: Nodes | slice) -> tuple[Array, Array]:
        """Enthalpy that ice takes from a medium at some nodes [J/m3], and its change with temperature [J/m3/K]."""
        medium = self.media[number]
        freezing, x = medium.freezing, self.fraction[number, nodes]
        if freezing is None:
            return np.zeros(x.shape), np.zeros(x.shape)
        scale = self._scale[number, nodes]
        most, steep = _lever(freezing, scale * temperature + self._offset[number, nodes])
        x = np.where(x > LEAST, x, 0.0)
        h = medium.enthalpy(temperature)
        latent, here = freezing.latent(h), np.minimum(x, most)
        change = here * np.where(h > freezing.enthalpy_at_solid, freezing.capacity_loss, 0.0) * medium.capacity(temperature)
        return here * latent, change + np.where(x > most, steep * scale * latent, 0.0)

    def difference(self, number: int) -> Curve:
        """Conductivity of a medium that is all frozen less that without ice [W/m/K]; none where it does not freeze."""
        medium = self.media[number]
        if medium.freezing is None:
            return constant(0.0)
        return weighted_sum([1.0, -1.0], [medium.freezing.frozen_conductivity, medium.conductivity])


def _lever(freezing: Freezing, reduced: Array) -> tuple[Array, Array]:
    """Largest ice fraction at a reduced temperature [K], and its slope [1/K]."""
    return freezing.equilibrium(reduced), freezing.equilibrium_slope(reduced)
