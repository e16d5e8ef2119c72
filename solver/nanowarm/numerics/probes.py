"""Temperatures at points: which nodes they follow from, on which rank."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nanowarm.numerics.heat import HeatEquation

Array = NDArray[np.float64]


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
    found = comm.allgather(heat.operators.around(np.array(point)))
    holder = next((part for part in found if part is not None), None)
    if holder is None:
        return None
    local = heat.layout.index_map.global_to_local(holder[0])
    mine = (local >= 0) & (local < heat.owned)
    return Probe(local[mine].astype(np.int64), holder[1][mine])
