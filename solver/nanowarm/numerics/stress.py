"""Thermo-mechanical stress of a body whose temperature changes, from one chosen time to the next."""

from __future__ import annotations

import time as clock
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from nanowarm.numerics.elasticity import Elasticity
from nanowarm.numerics.operators import Operators
from nanowarm.numerics.saved import Saved
from nanowarm.numerics.stack import MPI
from nanowarm.physics.curves import constant
from nanowarm.physics.mechanics import Mechanics, StressInput, largest_principal

Array = NDArray[np.float64]

MOST_CELLS = 15_000  # for which a solve of order 2 takes a second or two


class StressState:
    """The stress at the points of own cells, and what it took to find it.

    Args:
        operators: the integrals of the mesh.
        mechanics: of every region.
        given: section `[stress]`.
        held: directions (0, 1, 2) in which outer surfaces are held; left out, all three on those that are bonded.
    """

    def __init__(
        self,
        operators: Operators,
        mechanics: Mapping[str, Mechanics],
        given: StressInput,
        held: Mapping[str, tuple[int, ...]] | None = None,
    ) -> None:
        self.operators, self.given = operators, given
        mesh = operators.mesh
        self._held = dict.fromkeys(given.bonded, (0, 1, 2)) if held is None else held
        self.order = given.order or (2 if mesh.cell_count() <= MOST_CELLS else 1)
        self.elasticity = Elasticity(mesh, self.order, self._held)
        self._regions = [(mesh.cells(name), mechanics[name]) for name in mesh.region_names]
        self._nodes = operators.space.dofmap.list
        shape = len(self._nodes), len(self.elasticity.corners)
        self.stress = np.zeros((*shape, 6))
        self.time = 0.0
        self._temperature, self._wall = np.empty(shape), 0.0
        self._solid = np.zeros(shape, dtype=bool)
        self._bulk, self._shear = np.empty((len(self._nodes), 1)), np.empty((len(self._nodes), 1))
        for cells, medium in self._regions:
            self._bulk[cells], self._shear[cells] = medium.bulk_modulus, medium.shear_modulus
        self._contraction = constant(given.container_expansion)
        self._middle = self._surface_mean(operators.position)
        self.solves, self.iterations, self.seconds = 0, 0, 0.0

    def begin(self, time: float, temperature: Array) -> None:
        """Take over a state without stress: its time [s], and temperature [K] of own nodes, shape (owned,); collective."""
        self.time = time
        self._temperature = self._at_points(temperature)
        self._wall = float(self._surface_mean(temperature[:, None])[0])
        self._solid = self._is_solid()
        self.stress[:] = 0.0
        shear = np.broadcast_to(self._shear, self._temperature.shape)
        self.elasticity.fill(self._bulk - shear * (2.0 / 3.0), shear)
        self.elasticity.prepare()  # for glass, so that it does not depend on where a run begins

    def advance(self, time: float, temperature: Array) -> None:
        """Find the stress at a later time [s] from the temperature [K] of own nodes, shape (owned,); collective.

        Raises:
            SolveError: no equilibrium was found.
        """
        start = clock.perf_counter()
        before, after = self._temperature, self._at_points(temperature)
        wall = float(self._surface_mean(temperature[:, None])[0])
        duration = time - self.time
        strain, left, stiff = (np.empty_like(before) for _ in range(3))
        for cells, medium in self._regions:
            strain[cells] = medium.expanded(before[cells], after[cells])
            left[cells], stiff[cells] = medium.relaxed(self.given.rheology, before[cells], after[cells], duration)
        shear = self._shear * stiff
        self.elasticity.fill(self._bulk - shear * (2.0 / 3.0), shear)
        mean = self.stress[..., :3].mean(axis=-1)
        old = self.stress * left[..., None]
        old[..., :3] += ((1.0 - left) * mean - 3.0 * self._bulk * strain)[..., None]
        contracted = float(self._contraction.integral(wall) - self._contraction.integral(self._wall))
        self.stress = self.elasticity.balanced(old, contracted * (self.elasticity.position - self._middle))
        self.time, self._temperature, self._wall = time, after, wall
        self._solid = self._is_solid()
        self.solves += 1
        self.iterations += self.elasticity.iterations
        self.seconds += clock.perf_counter() - start

    def saved(self) -> Saved:
        """The stress of own cells, with their points in an order that does not depend on the ranks."""
        plain = {"time": self.time, "load": self.elasticity.load, "solves": self.solves, "iterations": self.iterations}
        stress = np.take_along_axis(self.stress, self._order()[..., None], axis=1)
        return Saved(plain | {"seconds": self.seconds}, cells={"stress": stress, "guess": self.elasticity.guess})

    def restore(self, saved: Saved, temperature: Array) -> None:
        """Go on from what was saved, at the temperature [K] of own nodes at the last solve; collective."""
        plain = saved.plain
        self.begin(plain["time"], temperature)
        np.put_along_axis(self.stress, self._order()[..., None], saved.cells["stress"], axis=1)
        self.elasticity.load, self.elasticity.guess = plain["load"], saved.cells["guess"]
        self.solves, self.iterations, self.seconds = plain["solves"], plain["iterations"], plain["seconds"]

    def _order(self) -> NDArray[np.intp]:
        """The points of own cells in the order of the places of the corners that they are next to, shape (cells, points)."""
        if self.order == 1:
            return np.zeros((len(self._nodes), 1), dtype=np.intp)
        geometry = self.operators.mesh.domain.geometry
        near = geometry.dofmaps[0][:, np.argmax(self.elasticity.corners, axis=1)]
        return np.lexsort(np.moveaxis(geometry.x[near], 2, 0)[::-1], axis=1)

    @property
    def solid(self) -> NDArray[np.bool_]:
        """Whether each own cell is solid now, at one of its points at least, shape (cells,)."""
        return self._solid.any(axis=1)

    @property
    def principal(self) -> Array:
        """Largest principal stress [Pa] at the solid points of each own cell, shape (cells,); 0 where none is."""
        largest = np.where(self._solid, largest_principal(self.stress), -np.inf).max(axis=1)
        return np.where(self.solid, largest, 0.0)

    def _is_solid(self) -> NDArray[np.bool_]:
        solid = np.empty(self._temperature.shape, dtype=bool)
        for cells, medium in self._regions:
            solid[cells] = self._temperature[cells] < medium.solid_below
        return solid

    def _at_points(self, temperature: Array) -> Array:
        """Temperature [K] at the points of own cells, from that of own nodes."""
        return self.operators.on_space(temperature)[self._nodes] @ self.elasticity.corners.T

    def _surface_mean(self, nodal: Array) -> Array:
        """Means over all held surfaces of columns at own nodes; zero where none is held; collective."""
        weight = np.zeros(self.operators.layout.owned)
        for name in self._held:
            weight[self.operators.surface_nodes[name]] += self.operators.surface_area[name]
        sums = np.array([*weight @ nodal, weight.sum()])
        self.operators.mesh.comm.Allreduce(MPI.IN_PLACE, sums)
        return sums[:-1] / (sums[-1] or 1.0)
