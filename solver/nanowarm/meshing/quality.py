"""How good a mesh is: sizes and shapes of its cells, and how many times badly shaped ones multiply the cost of a step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanowarm.meshing.mesh_checks import Indices, RawMesh
from nanowarm.meshing.thickness import Thickness, thicknesses

Array = NDArray[np.float64]
Place = tuple[float, float, float]

_PAIRS = np.array([[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]])  # the ends of each edge
_OPPOSITE = ((0, 5), (1, 4), (2, 3))  # edges that share no corner
_BLOCK = 100_000  # cells at a time, so that memory stays small
REGULAR = 12.0  # eigenvalue bound times the square of the edge, see `eigenvalue_bounds`
WORST_QUALITY = 0.1  # below which a cell is worth a warning
DEAREST_STEP = 3.0  # likewise, of `MeshQuality.step_cost`


@dataclass(frozen=True, eq=False)
class Shapes:
    """Size and shape of every cell.

    Args:
        volume: [m3], shape (cells,).
        edge: mean edge length [m], shape (cells,).
        shortest: edge of the whole mesh [m].
        longest: edge of the whole mesh [m].
        quality: three times the inscribed over the circumscribed radius, 1 for a regular tetrahedron, shape (cells,).
        coupling: integrals of the gradients' products over each cell and edge [m], shape (cells, 6).
    """

    volume: Array
    edge: Array
    shortest: float
    longest: float
    quality: Array
    coupling: Array


@dataclass(frozen=True)
class RegionQuality:
    """The cells of a region.

    Args:
        name: of the region.
        cells: how many.
        volume: [m3].
        edge: mean edge length [m].
        worst: lowest quality.
        worst_at: middle of that cell [m].
        step_cost: see `MeshQuality`, for the nodes of this region.
        step_cost_at: the node where it is largest [m].
        thin: thickness of its thin parts and cells across them.
    """

    name: str
    cells: int
    volume: float
    edge: float
    worst: float
    worst_at: Place
    step_cost: float
    step_cost_at: Place
    thin: Thickness


@dataclass(frozen=True)
class MeshQuality:
    """Sizes and shapes of the cells of a mesh.

    Args:
        cells: how many.
        nodes: how many.
        edges: shortest, mean and longest edge [m].
        percentiles: quality below which 1 and 5 per cent of the cells are.
        step_cost: how many times badly shaped cells multiply the cost of a time step:
            sqrt(max_i lambda_i / max_i 12/h_i^2) with the bound lambda_i of `eigenvalue_bounds` at node i and the mean
            edge length h_i of the cells there. 1 if all were regular; a step needs stages like the root of lambda.
        regions: each of them.
    """

    cells: int
    nodes: int
    edges: tuple[float, float, float]
    percentiles: tuple[float, float]
    step_cost: float
    regions: tuple[RegionQuality, ...]

    @property
    def worst(self) -> float:
        """Lowest quality of all cells."""
        return min(region.worst for region in self.regions)

    @property
    def volumes(self) -> dict[str, float]:
        """Volume of each region [m3]."""
        return {region.name: region.volume for region in self.regions}


def mesh_quality(mesh: RawMesh, shapes: Shapes | None = None) -> MeshQuality:
    """Sizes and shapes of a checked mesh.

    Args:
        mesh: the mesh.
        shapes: of its cells, where they are known already.
    """
    shapes = shapes or cell_shapes(mesh)
    costs = _node_costs(mesh, shapes)
    thin = thicknesses(mesh, shapes.edge)
    return MeshQuality(
        cells=len(mesh.cells),
        nodes=len(mesh.points),
        edges=(shapes.shortest, float(shapes.edge.mean()), shapes.longest),
        percentiles=(float(np.percentile(shapes.quality, 1)), float(np.percentile(shapes.quality, 5))),
        step_cost=float(costs.max()),
        regions=tuple(_region(mesh, shapes, costs, number, thin[number]) for number in range(len(mesh.region_names))),
    )


def worst_shapes(mesh: RawMesh) -> tuple[float, float]:
    """Lowest quality of all cells, and `MeshQuality.step_cost`."""
    shapes = cell_shapes(mesh)
    return float(shapes.quality.min()), float(_node_costs(mesh, shapes).max())


def _region(mesh: RawMesh, shapes: Shapes, costs: Array, number: int, thin: Thickness) -> RegionQuality:
    cells = np.flatnonzero(mesh.cell_region == number)
    worst = cells[np.argmin(shapes.quality[cells])]
    used = np.zeros(len(mesh.points), bool)
    used[mesh.cells[cells]] = True
    nodes = np.flatnonzero(used)
    dearest = nodes[np.argmax(costs[nodes])]
    return RegionQuality(
        name=mesh.region_names[number],
        cells=len(cells),
        volume=float(shapes.volume[cells].sum()),
        edge=float(shapes.edge[cells].mean()),
        worst=float(shapes.quality[worst]),
        worst_at=_place(mesh.points[mesh.cells[worst]].mean(axis=0)),
        step_cost=float(costs[dearest]),
        step_cost_at=_place(mesh.points[dearest]),
        thin=thin,
    )


def _place(point: Array) -> Place:
    return float(point[0]), float(point[1]), float(point[2])


def cell_shapes(mesh: RawMesh) -> Shapes:
    """Size and shape of every cell of a mesh."""
    blocks = [_shapes(mesh.points[mesh.cells[i : i + _BLOCK]]) for i in range(0, len(mesh.cells), _BLOCK)]
    return Shapes(
        volume=np.concatenate([block.volume for block in blocks]),
        edge=np.concatenate([block.edge for block in blocks]),
        shortest=min(block.shortest for block in blocks),
        longest=max(block.longest for block in blocks),
        quality=np.concatenate([block.quality for block in blocks]),
        coupling=np.concatenate([block.coupling for block in blocks]),
    )


def _shapes(corner: Array) -> Shapes:
    """Of cells with these corners [m], shape (cells, 4, 3)."""
    edge = np.linalg.norm(corner[:, _PAIRS[:, 0]] - corner[:, _PAIRS[:, 1]], axis=2)
    u, v, w = (corner[:, i] - corner[:, 0] for i in (1, 2, 3))
    normal = np.empty_like(corner)  # of the facet opposite each corner, twice its area, inward
    normal[:, 1], normal[:, 2], normal[:, 3] = np.cross(v, w), np.cross(w, u), np.cross(u, v)
    normal[:, 0] = -normal[:, 1:].sum(axis=1)
    volume = np.einsum("ij,ij->i", normal[:, 3], w) / 6.0
    area = 0.5 * np.linalg.norm(normal, axis=2).sum(axis=1)
    a, b, c = (edge[:, i] * edge[:, j] for i, j in _OPPOSITE)
    product = (a + b + c) * (a + b - c) * (a - b + c) * (-a + b + c)
    circumscribed = np.sqrt(np.maximum(product, 0.0)) / (24.0 * volume)  # Crelle's formula
    # the gradient of a corner's shape function is its normal over six volumes
    dots = np.einsum("ikj,ikj->ik", normal[:, _PAIRS[:, 0]], normal[:, _PAIRS[:, 1]])
    return Shapes(
        volume=volume,
        edge=edge.mean(axis=1),
        shortest=float(edge.min()),
        longest=float(edge.max()),
        quality=3.0 * (3.0 * volume / area) / circumscribed,
        coupling=dots / (36.0 * volume[:, None]),
    )


def eigenvalue_bounds(mesh: RawMesh, shapes: Shapes) -> Array:
    """Gershgorin's bound lambda_i = sum_j |K_ij| / m_i [1/m2] for unit diffusivity at each node, shape (nodes,).

    K holds the integrals of the gradients' products, m the lumped volumes. In a regular tetrahedron of edge h and height
    sqrt(2/3) h the gradient is 1/height and a quarter of the volume belongs to each node, so K_ii/m_i = 4/height^2
    = 6/h^2; the other entries of the row are negative and add up to the same, so lambda_i = 12/h^2.
    """
    from scipy.sparse import coo_array

    nodes = len(mesh.points)
    ends = np.sort(mesh.cells[:, _PAIRS].reshape(-1, 2), axis=1).astype(np.int32)
    upper = coo_array((shapes.coupling.ravel(), (ends[:, 0], ends[:, 1])), shape=(nodes, nodes)).tocsr()
    inner = -(upper.sum(axis=1) + upper.sum(axis=0))  # K_ii: rows add up to zero
    outer = abs(upper).sum(axis=1) + abs(upper).sum(axis=0)
    bound: Array = (np.abs(inner) + outer) / (_at_nodes(mesh.cells, shapes.volume, nodes) / 4.0)
    return bound


def _node_costs(mesh: RawMesh, shapes: Shapes) -> Array:
    """What each node would make of `MeshQuality.step_cost`, shape (nodes,)."""
    nodes = len(mesh.points)
    edge = _at_nodes(mesh.cells, shapes.edge, nodes) / np.bincount(mesh.cells.ravel(), minlength=nodes)
    costs: Array = np.sqrt(eigenvalue_bounds(mesh, shapes) / REGULAR) * edge.min()
    return costs


def _at_nodes(cells: Indices, values: Array, nodes: int) -> Array:
    """Sum of the cells' values at each node."""
    return np.bincount(cells.ravel(), weights=np.repeat(values, 4), minlength=nodes)
