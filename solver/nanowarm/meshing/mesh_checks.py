"""A plain mesh in NumPy arrays, tidied and checked before anything is computed on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nanowarm.errors import MeshError

Points = NDArray[np.float64]
Indices = NDArray[np.int64]
Labels = NDArray[np.int32]

UNNAMED_SURFACE = "outer"
_FLAT = 1e-9  # volume over cube of the longest edge; 0.118 for a regular tetrahedron
_MOST_NODES = 2_000_000  # its cube fits into 64 bits, see facet_keys
_TOUCHING = 1e-6  # distance over the mean edge below which two nodes are one point
# Corners of each facet, counter-clockwise seen from outside a cell of positive volume.
EDGES = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
FACETS = np.array([[1, 2, 3], [0, 3, 2], [0, 1, 3], [0, 2, 1]])


@dataclass(frozen=True)
class RawMesh:
    """A serial mesh of linear tetrahedra with named regions and surfaces.

    Args:
        points: coordinates [m], shape (nodes, 3).
        cells: nodes of each tetrahedron, positively oriented, shape (cells, 4).
        cell_region: index into `region_names`, shape (cells,).
        facets: nodes of each named triangle, shape (facets, 3).
        facet_surface: index into `surface_names`, shape (facets,).
        region_names: names of the regions.
        surface_names: names of the surfaces; `outer` holds the outer facets that the file names nowhere.
    """

    points: Points
    cells: Indices
    cell_region: Labels
    facets: Indices
    facet_surface: Labels
    region_names: tuple[str, ...]
    surface_names: tuple[str, ...]


@dataclass(frozen=True)
class FacetTable:
    """The facets of all cells, sorted so that equal ones are neighbours.

    Args:
        keys: one number per facet, equal for equal facets, ascending, shape (4 cells,).
        first: index in `keys` of the first of each run of equal ones, shape (distinct facets,).
        count: length of each run: 1 on the outside, 2 inside, shape (distinct facets,).
        nodes: nodes of each facet, counter-clockwise seen from outside its cell, shape (4 cells, 3).
    """

    keys: Indices
    first: NDArray[np.intp]
    count: NDArray[np.intp]
    nodes: Indices


def checked(mesh: RawMesh, file: Path) -> RawMesh:
    """The mesh, tidied.

    Raises:
        MeshError: see `check_mesh`.
    """
    _refuse(_array_faults(mesh), file)
    mesh = tidy(mesh)
    check_mesh(mesh, file)
    return mesh


def check_mesh(mesh: RawMesh, file: Path) -> None:
    """Refuse a mesh on which heat would flow wrongly or not at all.

    Raises:
        MeshError: one line per kind of fault, with what to do about it.
    """
    _refuse(_array_faults(mesh), file)
    _refuse([*_name_faults(mesh), *_cell_faults(mesh)], file)
    table = facet_table(mesh)
    _refuse([*_facet_faults(table), *_surface_faults(mesh, table), *_contact_faults(mesh, table)], file)


def tidy(mesh: RawMesh) -> RawMesh:
    """The same mesh without unused nodes, all cells of positive volume, every outer facet in a surface."""
    mesh = _without_repeats(_positive(_without_unused(mesh)))
    table = facet_table(mesh)
    outer = table.first[table.count == 1]
    unnamed = outer[~np.isin(table.keys[outer], facet_keys(mesh.facets, len(mesh.points)))]
    if len(unnamed) == 0:
        return mesh
    names = mesh.surface_names
    if UNNAMED_SURFACE not in names:
        names = (*names, UNNAMED_SURFACE)
    label = np.full(len(unnamed), names.index(UNNAMED_SURFACE), np.int32)
    return replace(
        mesh,
        facets=np.concatenate([mesh.facets, table.nodes[unnamed]]),
        facet_surface=np.concatenate([mesh.facet_surface, label]),
        surface_names=names,
    )


def signed_volumes(mesh: RawMesh) -> Points:
    """Volume of each cell [m3], negative where its corners are numbered the other way round."""
    corners = mesh.points[mesh.cells]
    a, b, c = (corners[:, i] - corners[:, 0] for i in (1, 2, 3))
    volumes: Points = np.einsum("ij,ij->i", a, np.cross(b, c)) / 6.0
    return volumes


def facet_keys(facets: Indices, nodes: int) -> Indices:
    """One number per facet, the same for every order of its three nodes, shape (facets,)."""
    low, middle, high = np.sort(facets, axis=1).astype(np.int64).T
    keys: Indices = (low * nodes + middle) * nodes + high
    return keys


def facet_table(mesh: RawMesh) -> FacetTable:
    """The facets of all cells of a mesh."""
    nodes = mesh.cells[:, FACETS].reshape(-1, 3)
    keys = facet_keys(nodes, len(mesh.points))
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    return FacetTable(keys, first, np.diff(first, append=len(keys)), nodes[order])


def _refuse(faults: Sequence[str], file: Path) -> None:
    if faults:
        raise MeshError(*(f"{file}: {fault}" for fault in faults))


def _array_faults(mesh: RawMesh) -> list[str]:
    """What keeps the arrays from being a mesh at all."""
    if len(mesh.cells) == 0:
        found = "has only triangles" if len(mesh.facets) else "has no cells"
        return [f"the mesh {found}; a mesh of volumes, made of tetrahedra, is needed"]
    if len(mesh.points) > _MOST_NODES:
        return [f"{len(mesh.points)} nodes are more than {_MOST_NODES}; give a larger size and use refine"]
    lost = ~np.isfinite(mesh.points).all(axis=1)
    if lost.any():
        return [f"{lost.sum()} nodes have no finite coordinates; export the mesh again"]
    used = np.concatenate([mesh.cells.ravel(), mesh.facets.ravel()])
    if used.min() < 0 or used.max() >= len(mesh.points):
        return ["cells name nodes that the file does not hold; export the mesh again"]
    return []


def _name_faults(mesh: RawMesh) -> list[str]:
    """Names that are given twice, to nothing, or not at all."""
    faults = []
    kinds = (
        ("region", mesh.region_names, mesh.cell_region),
        ("surface", mesh.surface_names, mesh.facet_surface),
    )
    for kind, names, labels in kinds:
        twice = [name for name, times in Counter(names).items() if times > 1]
        faults += [f"the {kind} name {name!r} is given twice; rename one" for name in twice]
        sizes = np.bincount(labels[labels >= 0], minlength=len(names))
        for name, size in zip(names, sizes, strict=True):
            if size == 0:
                faults.append(f"the {kind} {name!r} has no elements; correct or remove its physical group")
    nameless = int(np.sum(mesh.cell_region < 0))
    if nameless:
        faults.append(f"{nameless} cells are in no region; give every volume a physical name")
    return faults


def _cell_faults(mesh: RawMesh) -> list[str]:
    """Cells without volume."""
    corners = mesh.points[mesh.cells]
    longest = np.max([np.linalg.norm(corners[:, i] - corners[:, j], axis=1) for i, j in EDGES], axis=0)
    flat = np.abs(signed_volumes(mesh)) <= _FLAT * longest**3
    if not flat.any():
        return []
    place = _place(corners[flat][0].mean(axis=0))
    return [f"{flat.sum()} cells have no volume, the first at {place}; mesh with another size"]


def _facet_faults(table: FacetTable) -> list[str]:
    """Facets of more than two cells, and cells that lie over each other."""
    crowded = int(np.sum(table.count > 2))
    if crowded:
        return [f"{crowded} facets belong to more than two cells; remove the cells that are there twice"]
    inside = table.first[table.count == 2]
    same_side = int(np.sum(_turn(table.nodes[inside]) == _turn(table.nodes[inside + 1])))
    if same_side:
        return [f"{same_side} pairs of cells overlap; the mesh is folded over or holds cells twice: mesh again"]
    return []


def _surface_faults(mesh: RawMesh, table: FacetTable) -> list[str]:
    """Named triangles that are on no cell or in two surfaces."""
    faults = []
    keys = facet_keys(mesh.facets, len(mesh.points))
    stray = ~np.isin(keys, table.keys[table.first])
    if stray.any():
        name = mesh.surface_names[mesh.facet_surface[stray][0]]
        faults.append(f"{stray.sum()} triangles of surface {name!r} are on no cell; mesh all together")
    order = np.argsort(keys, kind="stable")
    twice = np.flatnonzero(keys[order][1:] == keys[order][:-1])
    if len(twice):
        pair = mesh.facet_surface[order[[twice[0], twice[0] + 1]]]
        both = " and ".join(repr(mesh.surface_names[label]) for label in pair)
        faults.append(f"{len(twice)} facets are in two surfaces, e.g. {both}; give each facet one physical name")
    return faults


def _contact_faults(mesh: RawMesh, table: FacetTable) -> list[str]:
    """Outer nodes that lie on each other: bodies that touch without sharing nodes exchange no heat."""
    from scipy.spatial import cKDTree

    outer = table.nodes[table.first[table.count == 1]]
    edge = float(np.mean(np.linalg.norm(mesh.points[outer[:, 0]] - mesh.points[outer[:, 1]], axis=1)))
    points = mesh.points[np.unique(outer)]
    pairs = cKDTree(points).query_pairs(_TOUCHING * edge, output_type="ndarray")
    if len(pairs) == 0:
        return []
    place = _place(points[pairs[0, 0]])
    fault = (
        f"{len(pairs)} pairs of nodes lie on each other, the first at {place}: bodies that touch there share "
        "no nodes and would exchange no heat; merge them (Gmsh: BooleanFragments or Coherence)"
    )
    return [fault]


def _without_unused(mesh: RawMesh) -> RawMesh:
    used = np.unique(np.concatenate([mesh.cells.ravel(), mesh.facets.ravel()]))
    number = np.full(len(mesh.points), -1, np.int64)
    number[used] = np.arange(len(used))
    return replace(mesh, points=mesh.points[used], cells=number[mesh.cells], facets=number[mesh.facets])


def _positive(mesh: RawMesh) -> RawMesh:
    """Cells numbered so that all volumes are positive; a file's numbering is a convention."""
    negative = signed_volumes(mesh) < 0
    cells = mesh.cells.copy()
    cells[negative, 2], cells[negative, 3] = mesh.cells[negative, 3], mesh.cells[negative, 2]
    return replace(mesh, cells=cells)


def _without_repeats(mesh: RawMesh) -> RawMesh:
    """Triangles that a surface holds twice, once."""
    if len(mesh.facets) == 0:
        return mesh
    named = np.stack([facet_keys(mesh.facets, len(mesh.points)), mesh.facet_surface], axis=1)
    kept = np.sort(np.unique(named, axis=0, return_index=True)[1])
    return replace(mesh, facets=mesh.facets[kept], facet_surface=mesh.facet_surface[kept])


def _turn(facets: Indices) -> NDArray[np.bool_]:
    """Whether the nodes of each facet ascend, up to a rotation."""
    a, b, c = facets.T
    turn: NDArray[np.bool_] = ((b > a) ^ (c > b)) ^ (c > a)
    return turn


def _place(point: Points) -> str:
    return f"({', '.join(f'{1e3 * x:.4g}' for x in point)}) mm"
