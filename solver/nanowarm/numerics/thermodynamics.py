"""From nodal enthalpy to temperature, conductivity potential and power, by tables on uniform grids."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nanowarm.numerics.frozen import LEAST, Frozen
from nanowarm.numerics.tables import ENTRIES, Table, pieces
from nanowarm.physics.curves import Curve
from nanowarm.physics.materials import Medium

Array = NDArray[np.float64]

MARGIN = 5.0  # [K] beyond the outermost knots, where every curve is constant and extrapolation exact
WITHIN = 2.0  # [K] around a temperature, over which the bound on the diffusivity holds
_NONE = np.empty(0, dtype=np.int64)

NEWTON_TOLERANCE = 1e-9  # [K] of the temperature at nodes that media share
NEWTON_ITERATIONS = 150  # of which 50 halve the bracket
WIDEST = 1e6  # [K] half the first bracket


class Thermodynamics:
    """Everything that follows from the enthalpy density u_i = sum_m f_im h_m(T_i) of every node.

    Nodes inside one medium are looked up in its table over enthalpy; nodes that several media share
    are solved for their common temperature. After `locate(u)` the other methods answer for that u,
    in arrays that the next call overwrites.

    Args:
        media: the media.
        fractions: f_im, volume fraction of each medium at each node, shape (media, nodes).
        knots: temperatures [K] that tables must reach besides the media's own.
        reduced: what the ice of every node depends on, as of `Frozen`; None where no ice is followed.
    """

    def __init__(
        self, media: Sequence[Medium], fractions: Array, knots: Sequence[float] = (), reduced: Array | None = None
    ) -> None:
        self.media = tuple(media)
        self.size = fractions.shape[1]
        shared = (fractions > 0).sum(axis=0) > 1
        self.shared = np.flatnonzero(shared)
        self._shared_fractions = fractions[:, self.shared]
        self._medium = np.argmax(fractions, axis=0)  # of the shared nodes too, though they never use it
        self._fractions = fractions
        self.shared_temperature = np.full(self.shared.size, 273.15)
        self.frozen = Frozen(media, self._medium, self.shared, reduced)
        self._even = reduced is None and all(medium.capacity.at.size == 1 for medium in self.media)  # enthalpy linear in T
        zero = np.zeros(self.shared.size)
        self._at_zero, self._even_capacity = self._shared_enthalpy(zero), self._shared_capacity(zero)
        self._make_tables(knots)
        self._temperature, self._work, self._per_capacity = (np.empty(self.size) for _ in range(3))
        self._index, self._place = np.empty(self.size, dtype=np.intp), np.empty(self.size)

    def _make_tables(self, more: Sequence[float]) -> None:
        """Tables of all media one after the other; a node adds the offset of its own."""
        knots = np.concatenate([c.at for m in self.media for c in (m.capacity, m.conductivity)] + [np.array(more)])
        self.range = float(knots.min() - MARGIN), float(knots.max() + MARGIN)
        ends = np.array([medium.enthalpy(np.array(self.range)) for medium in self.media])
        grid = [np.linspace(low, high, ENTRIES) for low, high in ends]
        temperature = [medium.temperature(h) for medium, h in zip(self.media, grid, strict=True)]
        pairs = list(zip(self.media, temperature, strict=True))
        if self.frozen.followed:
            self._extra = [self.frozen.difference(number) for number in range(len(self.media))]
            self._frozen_potential = pieces([e.integral(t) for e, t in zip(self._extra, temperature, strict=True)])
            both = zip(self._extra, pairs, strict=True)
            worst = [e.extreme_within(t, WITHIN, 1) / m.capacity_at_least(t, WITHIN) for e, (m, t) in both]
            self._frozen_diffusivity = np.maximum(np.concatenate(worst), 0.0)
        self._tables = {
            "temperature": pieces(temperature),
            "potential": pieces([medium.conductivity_potential(t) for medium, t in pairs]),
            "per capacity": pieces([1.0 / medium.capacity(t) for medium, t in pairs]),
        }
        self._grid_temperature = temperature
        worst = [m.conductivity_at_most(t, WITHIN) / m.capacity_at_least(t, WITHIN) for m, t in pairs]
        self._diffusivity = np.concatenate(worst)
        self.largest_per_capacity = 1.0 / min(float(medium.capacity.values.min()) for medium in self.media)
        scale = (ENTRIES - 1) / (ends[:, 1] - ends[:, 0])
        many = len(self.media) > 1
        self._base = ends[self._medium, 0] if many else ends[0, 0]
        self._scale = scale[self._medium] if many else scale[0]
        self._offset = self._medium * ENTRIES if many else None

    @property
    def icy(self) -> bool:
        """Whether ice acts on the enthalpy of some node."""
        return self.frozen.active

    def enthalpy(self, temperature: float | Array) -> Array:
        """Enthalpy density [J/m3] of every node at a temperature [K], a number or shape (nodes,)."""
        return self._mean([medium.enthalpy(temperature) for medium in self.media]) - self._latent(temperature)[0]

    def _latent(self, temperature: float | Array) -> tuple[Array | float, Array | float]:
        """What ice takes from the enthalpy density of every node [J/m3], and from its capacity [J/m3/K]."""
        if not self.icy:
            return 0.0, 0.0
        parts = [self.frozen.released(number, temperature, slice(None)) for number in range(len(self.media))]
        return self._mean([part[0] for part in parts]), self._mean([part[1] for part in parts])

    def capacity(self, temperature: float | Array) -> Array:
        """Volumetric heat capacity [J/m3/K] of every node at a temperature [K], a number or shape (nodes,)."""
        return self._mean([medium.capacity(temperature) for medium in self.media]) - self._latent(temperature)[1]

    def _mean(self, by_medium: Sequence[Array]) -> Array:
        """Mean over the media of every node, by volume."""
        return sum((f * value for f, value in zip(self._fractions, by_medium, strict=True)), np.zeros(self.size))

    def locate(self, enthalpy: Array) -> None:
        """Find the state of every node; shape (nodes,) [J/m3]."""
        shared = enthalpy[self.shared]
        if self.icy:
            enthalpy = self.frozen.warmed(enthalpy)
        np.subtract(enthalpy, self._base, out=self._place)
        np.multiply(self._place, self._scale, out=self._place)
        np.copyto(self._index, self._place, casting="unsafe")
        if self._offset is not None:
            np.clip(self._index, 0, ENTRIES - 1, out=self._index)
            np.add(self._index, self._offset, out=self._index)
        if self.shared.size:
            self._solve_shared(shared)

    def _read(self, table: str, out: Array) -> Array:
        return self._interpolate(*self._tables[table], out)

    def _interpolate(self, starts: Array, slopes: Array, out: Array) -> Array:
        np.take(slopes, self._index, out=self._work, mode="clip")
        np.multiply(self._work, self._place, out=self._work)
        np.take(starts, self._index, out=out, mode="clip")
        return np.add(out, self._work, out=out)

    def temperature(self) -> Array:
        """Temperature [K] of every node."""
        self._read("temperature", self._temperature)
        self._temperature[self.shared] = self.shared_temperature
        return self._temperature

    def temperature_at(self, nodes: NDArray[np.int64]) -> Array:
        """Temperature [K] of a few nodes."""
        found, here, place = self._few("temperature", nodes)
        found[here] = self.shared_temperature[place]
        return found

    def per_capacity_at(self, nodes: NDArray[np.int64]) -> Array:
        """dT/du [K m3/J] of a few nodes."""
        found, here, place = self._few("per capacity", nodes)
        if self.icy:
            found *= self.frozen.slope()[nodes]
        found[here] = 1.0 / self._shared_capacity(self.shared_temperature)[place]
        return found

    def _few(self, table: str, nodes: NDArray[np.int64]) -> tuple[Array, NDArray[np.int64], NDArray[np.int64]]:
        """Table values of a few nodes; which of them are shared, and where among the shared ones."""
        starts, slopes = self._tables[table]
        index = np.take(self._index, nodes)
        found = np.take(slopes, index, mode="clip")
        found *= np.take(self._place, nodes)
        found += np.take(starts, index, mode="clip")
        if not self.shared.size:
            return found, _NONE, _NONE
        place = np.searchsorted(self.shared, nodes)
        here = np.flatnonzero(np.take(self.shared, place, mode="clip") == nodes)
        return found, here, place[here]

    def potential(self, out: Array) -> Array:
        """Conductivity potential [W/m] of every node's own medium; see `shared_potential` for the rest."""
        return self._read("potential", out)

    def shared_potential(self, medium: int) -> Array:
        """Conductivity potential [W/m] of one medium at the shared nodes."""
        return self.media[medium].conductivity_potential(self.shared_temperature)

    def frozen_potential(self, medium: int, out: Array) -> Array:
        """Potential [W/m] of the conductivity that ice adds to a medium, at every node of it."""
        self._interpolate(*self._frozen_potential, out)
        out[self.shared] = self._extra[medium].integral(self.shared_temperature)
        return out

    def per_capacity(self) -> Array:
        """dT/du [K m3/J] of every node."""
        out = self._read("per capacity", self._per_capacity)
        if self.icy:
            out *= self.frozen.slope()
        if self.shared.size:
            out[self.shared] = 1.0 / self._shared_capacity(self.shared_temperature)
        return out

    def tabulated(self, curve: Curve) -> Table:
        """A function of temperature, ready to be looked up at every node; constant outside its knots."""
        starts, slopes = pieces([curve(temperature) for temperature in self._grid_temperature])
        return Table(starts, slopes, curve)

    def look_up(self, table: Table, out: Array) -> Array:
        """Value of a function at every node's temperature."""
        self._interpolate(table.starts, table.slopes, out)
        out[self.shared] = table.curve(self.shared_temperature)
        return out

    def interpolate_levels(self, starts: Array, slopes: Array, offset: NDArray[np.intp], out: Array) -> None:
        """Values from tables that lie one after the other, each node from that at its own offset."""
        index = np.clip(self._index, 0, ENTRIES * len(self.media) - 1)
        index += offset
        np.take(slopes, index, out=out, mode="clip")
        out *= self._place
        np.take(starts, index, out=self._work, mode="clip")
        out += self._work

    def stiffest(self, sums: Array, frozen_sums: Array | None = None) -> float:
        """Largest of sum_m k_m dT/du S_m over the nodes, with k_m and dT/du at their worst within `WITHIN`.

        Args:
            sums: S_m of every medium at the first nodes, shape (media, owned).
            frozen_sums: the same of the conduction that ice adds, where it does.
        """
        owned = np.arange(sums.shape[1])
        index, medium = self._index[owned], self._medium[owned]
        own = np.take(self._diffusivity, index, mode="clip") * sums[medium, owned]
        if frozen_sums is not None:
            own += np.take(self._frozen_diffusivity, index, mode="clip") * frozen_sums[medium, owned]
        here = np.flatnonzero(self.shared < owned.size)
        if here.size:
            own[self.shared[here]] = self._stiffness_of_shared(here, sums, frozen_sums)
        if self.icy:
            own *= self.frozen.slope()[owned]
        return float(own.max(initial=0.0))

    def _stiffness_of_shared(self, here: NDArray[np.int64], sums: Array, frozen_sums: Array | None) -> Array:
        """Sum of k_m dT/du S_m over the media at some shared nodes [1/s]."""
        temperature, fractions, nodes = self.shared_temperature[here], self._shared_fractions[:, here], self.shared[here]
        capacity = sum(f * m.capacity_at_least(temperature, WITHIN) for f, m in zip(fractions, self.media, strict=True))
        if self.icy:
            lost = np.array([[0.0 if m.freezing is None else m.freezing.capacity_loss] for m in self.media])
            capacity = capacity * (1.0 - (lost * (self.frozen.fraction[:, nodes] > LEAST)).max(axis=0))
        conductivity = [m.conductivity_at_most(temperature, WITHIN) for m in self.media]
        found = sum(k * s for k, s in zip(conductivity, sums[:, nodes], strict=True))
        if frozen_sums is not None:
            extra = [np.maximum(curve.extreme_within(temperature, WITHIN, 1), 0.0) for curve in self._extra]
            found = found + sum(k * s for k, s in zip(extra, frozen_sums[:, nodes], strict=True))
        return np.asarray(found / capacity)

    def _shared_capacity(self, temperature: Array) -> Array:
        found = sum(f * m.capacity(temperature) for f, m in zip(self._shared_fractions, self.media, strict=True))
        return np.asarray(found - self._shared_latent(temperature)[1])

    def _shared_enthalpy(self, temperature: Array) -> Array:
        found = sum(f * m.enthalpy(temperature) for f, m in zip(self._shared_fractions, self.media, strict=True))
        return np.asarray(found - self._shared_latent(temperature)[0])

    def _shared_latent(self, temperature: Array) -> tuple[Array, Array]:
        """What ice takes from the enthalpy [J/m3] and the capacity [J/m3/K] of the shared nodes."""
        shares = enumerate(self._shared_fractions if self.icy else ())
        parts = [f * np.array(self.frozen.released(number, temperature, self.shared)) for number, f in shares]
        taken = sum(parts, np.zeros((2, temperature.size)))
        return taken[0], taken[1]

    def _solve_shared(self, enthalpy: Array) -> None:
        """Newton's method from the last temperature, inside a bracket that is halved where it would leave or now and then.

        Halving every third time ends the cycles that Newton's method runs into around a peak of the capacity.
        """
        if self._even:
            self.shared_temperature = (enthalpy - self._at_zero) / self._even_capacity
            return
        temperature = self.shared_temperature
        low, high = np.full_like(temperature, -WIDEST), np.full_like(temperature, WIDEST)
        for iteration in range(NEWTON_ITERATIONS):
            excess = self._shared_enthalpy(temperature) - enthalpy
            step = excess / self._shared_capacity(temperature)
            found = np.abs(step) < NEWTON_TOLERANCE
            low, high = np.where(excess < 0, temperature, low), np.where(excess > 0, temperature, high)
            better = temperature - step
            halved = ~found & ((better <= low) | (better >= high) | (iteration % 3 == 2))
            temperature = np.where(halved, 0.5 * (low + high), better)
            if found.all():
                break
        self.shared_temperature = temperature
