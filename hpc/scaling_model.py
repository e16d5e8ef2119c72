"""How long a step takes on many ranks: a model whose numbers are measured, but for those of the network.

    step  = step calls + stages * stage + reduction
    stage = calls + imbalance * cells / ranks * cell + neighbours * latency + 8 B * halo / (bandwidth / ranks per node)
    halo  = factor * (nodes / ranks)^(2/3)
    stages grow as the square root of the stiffness, which is as the cube root of the cells

Every message costs a latency and a time per byte (Hockney 1994, Parallel Comput. 20:389); a reduction takes one latency for
each doubling of the ranks (Thakur, Rabenseifner & Gropp 2005, Int. J. High Perform. Comput. Appl. 19:49).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

VALUE = 8  # bytes of one number
HALF = 0.5  # efficiency at which a run has stopped scaling
MOST_RANKS = 10**9

Owners = NDArray[np.integer]


@dataclass(frozen=True)
class Network:
    """What is assumed of a cluster.

    Args:
        latency: of one message [s].
        bandwidth: of one machine into the network [B/s], shared by its ranks.
        ranks_per_node: ranks on each machine.
        crowding: how many times slower a rank computes where all cores of its machine do.
    """

    latency: float = 2e-6
    bandwidth: float = 12.5e9
    ranks_per_node: int = 64
    crowding: float = 1.0


@dataclass(frozen=True)
class Halo:
    """What a rank exchanges with its neighbours in each stage, of one division of a mesh.

    Args:
        ranks: parts of the division.
        nodes: of the mesh.
        ghosts: most nodes that a rank needs of others.
        neighbours: most ranks that it needs them of.
        imbalance: work of the busiest rank over the mean: entries of the matrix in its rows.
        cell_imbalance: most cells of a rank over the mean.
    """

    ranks: int
    nodes: int
    ghosts: int
    neighbours: int
    imbalance: float
    cell_imbalance: float


@dataclass(frozen=True)
class Machine:
    """What is measured of the program.

    Args:
        calls: time of a stage that does not depend on the mesh [s].
        step_calls: likewise of a step, besides its stages [s].
        cell: time of a stage for each cell [s].
        cells_per_node: cells over nodes of a mesh.
        stages: of a step, on a mesh of `at_cells`.
        at_cells: cells.
        factor: nodes in the halo over the nodes of a rank to the power 2/3.
        neighbours: of a rank among many.
        imbalance: work of the busiest of many ranks over the mean on a mesh of `at_cells`. It comes from the nodes on the
            outside, which have fewer neighbours; on finer meshes they are a smaller part.
    """

    calls: float
    step_calls: float
    cell: float
    cells_per_node: float
    stages: float
    at_cells: int
    factor: float
    neighbours: float
    imbalance: float

    def imbalance_of(self, cells: float) -> float:
        """Work of the busiest of many ranks over the mean."""
        return 1.0 + (self.imbalance - 1.0) * (self.at_cells / cells) ** (1.0 / 3.0)

    def stages_of(self, cells: float) -> float:
        """Stages of a step of the same length on a mesh of so many cells of the same body."""
        return self.stages * (cells / self.at_cells) ** (1.0 / 3.0)


def parts_of_step(machine: Machine, network: Network, cells: float, ranks: int) -> dict[str, float]:
    """Where the time of a step goes [s]: calls, computing, waiting for the busiest, latency, bandwidth, reduction."""
    stages = machine.stages_of(cells)
    crowded = network.crowding if ranks > 1 else 1.0
    compute = stages * machine.cell * crowded * cells / ranks
    parts = {"calls": machine.step_calls + stages * machine.calls, "computing": compute, "imbalance": 0.0}
    parts |= dict.fromkeys(("latency", "bandwidth", "reduction"), 0.0)
    if ranks > 1:
        share = network.bandwidth / min(ranks, network.ranks_per_node)
        halo = machine.factor * (cells / machine.cells_per_node / ranks) ** (2.0 / 3.0)
        parts["imbalance"] = (machine.imbalance_of(cells) - 1.0) * compute
        parts["latency"] = stages * min(machine.neighbours, ranks - 1) * network.latency
        parts["bandwidth"] = stages * VALUE * halo / share
        parts["reduction"] = math.ceil(math.log2(ranks)) * network.latency
    return parts


def step(machine: Machine, network: Network, cells: float, ranks: int) -> float:
    """Time of a step [s]."""
    return sum(parts_of_step(machine, network, cells, ranks).values())


def efficiency(machine: Machine, network: Network, cells: float, ranks: int, full: int) -> float:
    """Speed per rank of one problem, over that on `full` ranks."""
    return full * step(machine, network, cells, full) / (ranks * step(machine, network, cells, ranks))


def stops_at(machine: Machine, network: Network, cells: float, full: int) -> int:
    """The most ranks on which one problem still runs with half the speed per rank that it has on `full` of them."""
    low, high = full, MOST_RANKS
    while high - low > max(1, low // 1000):
        middle = (low + high) // 2
        low, high = (middle, high) if efficiency(machine, network, cells, middle, full) >= HALF else (low, middle)
    return low


def fitted_factor(halos: Sequence[Halo]) -> tuple[float, float]:
    """Factor of the halo over the nodes of a rank to the power 2/3, and the power that fits best instead."""
    share = np.log([halo.nodes / halo.ranks for halo in halos])
    ghosts = np.log([halo.ghosts for halo in halos])
    factor = float(np.exp(np.mean(ghosts - 2.0 / 3.0 * share)))
    power = float(np.polyfit(share, ghosts, 1)[0]) if len(halos) > 1 else math.nan
    return factor, power


def fitted_times(sizes: Sequence[float], times: Sequence[float]) -> tuple[float, float]:
    """Constant part, not negative, and part per cell of the time of a stage [s]: what one rank needs for meshes of some sizes."""
    weights = 1.0 / np.asarray(times)  # relative differences count
    design = np.column_stack((np.ones(len(sizes)), sizes)) * weights[:, None]
    constant, per_cell = np.linalg.lstsq(design, np.ones(len(sizes)), rcond=None)[0]
    if constant < 0.0 or len(sizes) < 2:
        ratio = np.asarray(sizes) * weights
        return 0.0, float(ratio.sum() / (ratio @ ratio))
    return float(constant), float(per_cell)


def halo_of(cells: NDArray[np.integer], node: Owners, cell: Owners, ranks: int) -> Halo:
    """The halo of a division of a mesh.

    Args:
        cells: nodes of each tetrahedron, shape (cells, 4).
        node: rank of each node, shape (nodes,).
        cell: rank of each cell, shape (cells,).
        ranks: parts.
    """
    owners = node[cells]
    border = np.flatnonzero((owners != owners[:, :1]).any(axis=1))
    theirs, corners = owners[border].astype(np.int64), cells[border].astype(np.int64)
    pairs = []
    for i in range(4):
        for j in range(4):
            apart = theirs[:, i] != theirs[:, j]
            pairs.append(np.unique(theirs[apart, i] * node.size + corners[apart, j]))
    needed = np.unique(np.concatenate(pairs))
    rank, ghost = needed // node.size, needed % node.size
    links = np.unique(rank * ranks + node[ghost])
    work = np.bincount(owners.ravel(), minlength=ranks)
    held = np.bincount(cell, minlength=ranks)
    return Halo(
        ranks=ranks,
        nodes=int(node.size),
        ghosts=int(np.bincount(rank, minlength=ranks).max()),
        neighbours=int(np.bincount(links // ranks, minlength=ranks).max()),
        imbalance=float(work.max() / work.mean()),
        cell_imbalance=float(held.max() / held.mean()),
    )
