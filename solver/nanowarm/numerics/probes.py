"""Temperatures at points: which nodes they follow from, on which rank."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nanowarm.numerics.heat import HeatEquation
from nanowarm.numerics.operators import Operators

Array = NDArray[np.float64]

CHUNK = 20_000  # cells looked at together; a tree over all cells would take more memory than the solver
INSIDE = 1e-9  # relative to a cell, by which a point on the surface may miss it


class Probe:
    """Temperature at a point: the nodes around it with their weights, each on the rank that owns it.

    Args:
        nodes: this rank's.
        weights: of the linear interpolation.
    """

    def __init__(self, nodes: NDArray[np.int64], weights: Array) -> None:
        self.nodes, self.weights = nodes, weights

    def part(self, temperature: Array) -> float:
        """This rank's contribution [K]."""
        return float(self.weights @ temperature[self.nodes])


def locate(heat: HeatEquation, point: tuple[float, float, float]) -> Probe | None:
    """The nodes around a point [m] with their weights; None where it lies outside the mesh. Collective."""
    comm = heat.layout.comm
    found = comm.allgather(_cell_around(heat.operators, np.array(point)))
    holder = next((part for part in found if part is not None), None)
    if holder is None:
        return None
    local = heat.layout.index_map.global_to_local(holder[0])
    mine = (local >= 0) & (local < heat.owned)
    return Probe(local[mine].astype(np.int64), holder[1][mine])


def _cell_around(operators: Operators, point: Array) -> tuple[NDArray[np.int64], Array] | None:
    """Global nodes of an own cell that holds a point, and the point's barycentric coordinates in it."""
    space = operators.space
    cells = space.dofmap.list[: operators.mesh.domain.topology.index_map(3).size_local]
    coordinates = space.tabulate_dof_coordinates()
    for start in range(0, len(cells), CHUNK):
        # by one coordinate first, which leaves few cells to look at
        along = coordinates[cells[start : start + CHUNK], 0]
        slack = INSIDE * np.ptp(along, axis=1)
        row = np.flatnonzero((along.min(axis=1) - slack <= point[0]) & (point[0] <= along.max(axis=1) + slack))
        corners = coordinates[cells[start + row]]
        slack = INSIDE * np.ptp(corners, axis=1)
        near = ((corners.min(axis=1) - slack <= point) & (point <= corners.max(axis=1) + slack)).all(axis=1)
        for cell in row[near]:
            weights = np.linalg.solve(np.vstack((coordinates[cells[start + cell]].T, np.ones(4))), np.append(point, 1.0))
            if weights.min() >= -INSIDE:
                return space.dofmap.index_map.local_to_global(cells[start + cell]), weights
    return None
