"""Bodies that are known by depth only: their integrals over one line from the middle to each kind of surface.

A generalised slab, cylinder or sphere: its cross-section at the distance x from the middle is A(x) = A (x / L)^n, with the
area A of its surface at x = L. Its volume is V = A L / (n + 1), so that n = A L / V - 1: 0 for a slab, 1 for a long cylinder,
2 for a sphere, in between for others. For a convex body whose largest inner sphere has the radius L, cones from its centre
to the surface show that A L / V is at most 3, and what is nearer than L to the surface is all of it, so that A L / V is at
least 1.

Surfaces under different conditions each have a sector of their own, with their share of the area and hence of the volume.
Sectors meet in the middle, and exchange no heat elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nanowarm.numerics.operators import Around, Integrals, Layout, Stiffness, Weighted
from nanowarm.numerics.stack import MPI, dolfinx

Array = NDArray[np.float64]
Pattern = Callable[[Array], Array]

INTERVALS = 32  # between middle and surface, and more where regions are thin
FEWEST = 3  # in a region


@dataclass(frozen=True)
class Shape:
    """A body whose cross-section goes as a power of the distance from its middle.

    Args:
        volume: [m3].
        area: of its surface [m2].
        exponent: n, 0 for a slab to 2 for a sphere.
    """

    volume: float
    area: float
    exponent: float

    @property
    def half_thickness(self) -> float:
        """Distance L [m] from the middle to the surface."""
        return self.volume * (self.exponent + 1.0) / self.area

    def within(self, place: Array) -> Array:
        """Volume [m3] nearer to the middle than some places [m]."""
        return np.asarray(self.volume * (place / self.half_thickness) ** (self.exponent + 1.0))

    def moment(self, place: Array) -> Array:
        """Integral [m4] of x A(x) from the middle to some places [m]."""
        n, length = self.exponent, self.half_thickness
        return np.asarray(self.area * length**2 / (n + 2.0) * (place / length) ** (n + 2.0))

    def place_of(self, volume: Array) -> Array:
        """Distance [m] from the middle within which some volumes [m3] lie."""
        return np.asarray(self.half_thickness * np.maximum(volume / self.volume, 0.0) ** (1.0 / (self.exponent + 1.0)))


@dataclass(frozen=True)
class Sector:
    """Surfaces under the same conditions.

    Args:
        areas: [m2] by name of the outer surface.
        share: of the body's area.
    """

    areas: Mapping[str, float]
    share: float


@dataclass(frozen=True, eq=False)
class Elements:
    """The pieces of a line that lie in one region.

    Args:
        nodes: inner and outer end of each, shape (pieces, 2).
        conductance: integral of the cross-section over the square of the length [m], shape (pieces,).
        volume: share of inner and outer end in the volume [m3], shape (pieces, 2).
    """

    nodes: NDArray[np.int32]
    conductance: Array
    volume: Array


class WeightedLine:
    """K_r of one region of a line, with a weight on every piece.

    Args:
        elements: of the region.
        total: nodes of the line.
    """

    def __init__(self, elements: Elements, total: int) -> None:
        self.corners, self._elements, self._total = elements.nodes, elements, total

    def times(self, weight: Array) -> Stiffness:
        """The matrix with a weight on every piece, shape (pieces,)."""
        import scipy.sparse

        inner, outer = self._elements.nodes.T
        k = self._elements.conductance * weight
        rows = np.concatenate((inner, outer, inner, outer))
        columns = np.concatenate((inner, outer, outer, inner))
        matrix = scipy.sparse.coo_array((np.concatenate((k, k, -k, -k)), (rows, columns)), shape=(self._total,) * 2).tocsr()
        return Stiffness(matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32), matrix.data)


@dataclass(frozen=True, eq=False)
class Represented:
    """The body that a line stands for.

    Args:
        strengths: root of the mean square of a pattern over points [m], by region.
        depths: sector and distance [m] from the middle of the line of a point [m] of the body; None for one outside it.
    """

    strengths: Callable[[Pattern], Mapping[str, float]]
    depths: Callable[[Array], tuple[int, float] | None]


@dataclass(frozen=True, eq=False)
class LineOperators(Integrals):
    """The integrals over a line.

    Args:
        elements: of each region.
        body: that it stands for.
        sectors: node numbers of each sector, from the middle outwards.
    """

    elements: Mapping[str, Elements]
    body: Represented
    sectors: Sequence[NDArray[np.int64]]

    def cell_count(self) -> int:
        """Pieces of the line."""
        return sum(len(part.nodes) for part in self.elements.values())

    def weighted(self, region: str) -> Weighted:
        """K_r of one region, to be weighted by pieces."""
        return WeightedLine(self.elements[region], self.layout.total)

    def sampled(self, pattern: Pattern) -> Array:
        """The root of the mean square of a pattern over the regions, weighted at nodes that they share."""
        strengths = self.body.strengths(pattern)
        squares = sum(self.mass[name] * strengths[name] ** 2 for name in self.mass)
        return np.asarray(np.sqrt(squares / sum(self.mass.values())))

    def around(self, point: Array) -> Around | None:
        """The two nodes beside the depth of a point [m], with their weights."""
        found = self.body.depths(point)
        if found is None:
            return None
        nodes = self.sectors[found[0]]
        if nodes.size == 1:
            return nodes, np.ones(1)
        place = np.clip(found[1], 0.0, self.position[nodes[-1], 0])
        outer = int(np.clip(np.searchsorted(self.position[nodes, 0], place), 1, nodes.size - 1))
        low, high = self.position[nodes[outer - 1 : outer + 1], 0]
        part = float((place - low) / (high - low))
        return nodes[outer - 1 : outer + 1], np.array([1.0 - part, part])


def line_of(shape: Shape, regions: Mapping[str, float], sectors: Sequence[Sector], body: Represented) -> LineOperators:
    """The integrals over a body by depth.

    Args:
        shape: of the body.
        regions: volume [m3] of each, from the innermost to the outermost; their sum is that of the shape.
        sectors: its surfaces by conditions.
        body: that it stands for.
    """
    places, owner = _places(shape, regions)
    count = len(places) - 1
    numbers = [np.concatenate(([0], 1 + number * count + np.arange(count))) for number in range(len(sectors))]
    total = 1 + count * len(sectors)
    pieces = _pieces(shape, places)
    elements = {}
    for region, name in enumerate(regions):
        own = np.flatnonzero(owner == region)
        parts = [_scaled(pieces, own, nodes, sector.share) for nodes, sector in zip(numbers, sectors, strict=True)]
        elements[name] = Elements(
            np.concatenate([part.nodes for part in parts]),
            np.concatenate([part.conductance for part in parts]),
            np.concatenate([part.volume for part in parts]),
        )
    position = np.zeros((total, 3))
    for nodes in numbers:
        position[nodes, 0] = places
    return _assembled(position, elements, (numbers, sectors), body)


def point_of(regions: Mapping[str, float], sectors: Sequence[Sector], body: Represented) -> LineOperators:
    """The integrals over a body that is as warm everywhere: one node.

    Args:
        regions: volume [m3] of each.
        sectors: its surfaces by conditions.
        body: that it stands for.
    """
    none = np.empty((0, 2))
    elements = {name: Elements(none.astype(np.int32), none[:, 0], none) for name in regions}
    found = _assembled(np.zeros((1, 3)), elements, ([np.zeros(1, dtype=np.int64)] * len(sectors), sectors), body)
    return replace(found, mass={name: np.array([volume]) for name, volume in regions.items()})


def _places(shape: Shape, regions: Mapping[str, float]) -> tuple[Array, NDArray[np.intp]]:
    """Distances [m] of the nodes from the middle, and the number of the region of each piece between them."""
    ends = np.concatenate(([0.0], shape.place_of(np.cumsum(list(regions.values())))))
    ends[-1] = shape.half_thickness
    counts = np.maximum(FEWEST, np.ceil(INTERVALS * np.diff(ends) / ends[-1])).astype(int)
    parts = [np.linspace(low, high, count + 1)[1:] for low, high, count in zip(ends[:-1], ends[1:], counts, strict=True)]
    return np.concatenate(([0.0], *parts)), np.repeat(np.arange(len(counts)), counts)


def _pieces(shape: Shape, places: Array) -> Elements:
    """The pieces between places of a whole body: linear functions with the cross-section as a weight, masses lumped."""
    inner, length = places[:-1], np.diff(places)
    volume, moment = np.diff(shape.within(places)), np.diff(shape.moment(places))
    outer = (moment - inner * volume) / length
    nodes = np.stack((np.arange(length.size), np.arange(1, length.size + 1)), axis=1).astype(np.int32)
    return Elements(nodes, volume / length**2, np.stack((volume - outer, outer), axis=1))


def _scaled(whole: Elements, own: NDArray[np.intp], numbers: NDArray[np.int64], share: float) -> Elements:
    """Some pieces of a body in a sector that has a share of it."""
    return Elements(numbers[whole.nodes[own]].astype(np.int32), share * whole.conductance[own], share * whole.volume[own])


def _assembled(
    position: Array,
    elements: Mapping[str, Elements],
    ends: tuple[Sequence[NDArray[np.int64]], Sequence[Sector]],
    body: Represented,
) -> LineOperators:
    """The integrals over pieces, and at the outer ends of the sectors."""
    numbers, sectors = ends
    total = len(position)
    mass = {n: np.bincount(e.nodes.ravel(), e.volume.ravel(), minlength=total).astype(float) for n, e in elements.items()}
    stiffness = {name: WeightedLine(part, total).times(np.ones(len(part.nodes))) for name, part in elements.items()}
    nodes, areas = {}, {}
    for along, sector in zip(numbers, sectors, strict=True):
        for name, area in sector.areas.items():
            nodes[name], areas[name] = along[-1:].astype(np.int64), np.array([area])
    layout = Layout(dolfinx.common.IndexMap(MPI.COMM_SELF, total), MPI.COMM_SELF)
    return LineOperators(layout, position, stiffness, mass, nodes, areas, elements, body, numbers)


__all__ = ["LineOperators", "Represented", "Sector", "Shape", "line_of", "point_of"]
