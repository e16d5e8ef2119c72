"""Elements of any shape and order as linear tetrahedra and triangles."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from nanowarm.meshing.journal import Journal, UnusableError
from nanowarm.meshing.mesh_checks import Indices, facet_keys

_CORNERS = {"tetra": 4, "hexahedron": 8, "wedge": 6, "pyramid": 5, "triangle": 3, "quad": 4}
_FAMILY = re.compile(r"(?:vtk_lagrange_)?(tetra|hexahedron|wedge|pyramid|triangle|quad)(?:hedron|rilateral)?\d*", re.IGNORECASE)
_CHUNK = 100_000  # cells split at a time, so that the faces of all of them need not be held
# Faces of each solid by the numbers of its corners; a triangle repeats its last corner.
_FACES = {
    "hexahedron": np.array([[0, 3, 2, 1], [4, 5, 6, 7], [0, 1, 5, 4], [1, 2, 6, 5], [2, 3, 7, 6], [3, 0, 4, 7]]),
    "wedge": np.array([[0, 1, 2, 2], [3, 4, 5, 5], [0, 1, 4, 3], [1, 2, 5, 4], [2, 0, 3, 5]]),
    "pyramid": np.array([[0, 1, 2, 3], [0, 1, 4, 4], [1, 2, 4, 4], [2, 3, 4, 4], [3, 0, 4, 4]]),
}


@dataclass(frozen=True)
class Simplices:
    """Tetrahedra or triangles that elements of any shape were made into.

    Args:
        nodes: corners, shape (simplices, 4 or 3).
        parent: number of the element that each is a part of, shape (simplices,).
    """

    nodes: Indices
    parent: Indices


def family(kind: str) -> str:
    """Shape of an element by its name in meshio: "tetra" of "tetra10"; the name itself for any other shape."""
    found = _FAMILY.fullmatch(kind)
    return found[1].lower() if found else kind


def simplices(blocks: list[tuple[str, Any]], dimension: int, journal: Journal) -> Simplices:
    """Tetrahedra (dimension 3) or triangles (2) of blocks of elements.

    Args:
        blocks: name in meshio and nodes of each block; elements count on from block to block.
        dimension: 3 or 2.
        journal: is told what was changed.

    Raises:
        UnusableError: there are elements of another shape.
    """
    nodes: list[Indices] = [np.empty((0, dimension + 1), np.int64)]
    parents: list[Indices] = [np.empty(0, np.int64)]
    changed: dict[str, int] = {}
    curved = before = 0
    for kind, given in blocks:
        shape = family(kind)
        if shape not in _CORNERS:
            raise UnusableError(f"cells of type {kind} can't be used; mesh with tetrahedra, hexahedra, prisms or pyramids")
        corners = np.asarray(given, np.int64)[:, : _CORNERS[shape]]
        curved += len(corners) * (np.shape(given)[1] > corners.shape[1])
        part = _split(shape, corners)
        if shape not in ("tetra", "triangle"):
            changed[shape] = changed.get(shape, 0) + len(corners)
        nodes.append(part.nodes)
        parents.append(part.parent + before)
        before += len(corners)
    made = Simplices(np.concatenate(nodes), np.concatenate(parents))
    if dimension == 3:
        _refuse_crossed(blocks)
        _tell(journal, changed, curved, len(made.nodes))
    return made


def _refuse_crossed(blocks: list[tuple[str, Any]]) -> None:
    """Refuse quadrilaterals on which tetrahedra stand with the other diagonal: no heat would pass there.

    Raises:
        UnusableError: there are some.
    """
    shaped = [(family(kind), np.asarray(nodes, np.int64)) for kind, nodes in blocks]
    solids = [nodes[:, _FACES[shape]].reshape(-1, 4) for shape, nodes in shaped if shape in _FACES]
    if not solids or all(shape != "tetra" for shape, _ in shaped):
        return
    tetrahedra = [nodes[:, corners] for shape, nodes in shaped if shape == "tetra" for corners in combinations(range(4), 3)]
    quads = _turned(np.concatenate(solids))
    quads = quads[_distinct(quads[:, :3]) & _distinct(quads[:, 1:])]
    count = max(int(quads.max(initial=0)), *(int(nodes.max(initial=0)) for nodes in tetrahedra)) + 1
    standing = np.concatenate([facet_keys(nodes, count) for nodes in tetrahedra])
    crossed = int(np.isin(facet_keys(quads[:, 1:], count), standing).sum())
    if crossed:
        raise UnusableError(
            f"tetrahedra stand on {crossed} quadrilateral faces that they cut along the other diagonal; "
            "mesh with pyramids between hexahedra and tetrahedra, or with tetrahedra only"
        )


def _tell(journal: Journal, changed: dict[str, int], curved: int, total: int) -> None:
    if curved:
        journal.note(f"{curved} cells of higher order are used as straight ones between their corners")
    if changed:
        listing = ", ".join(f"{count} of shape {shape}" for shape, count in sorted(changed.items()))
        journal.note(f"cells are divided into tetrahedra ({listing}): {total} tetrahedra in all")


def _split(shape: str, corners: Indices) -> Simplices:
    """Simplices of elements of one shape."""
    if shape in ("tetra", "triangle"):
        return Simplices(corners, np.arange(len(corners)))
    if shape == "quad":
        triangles = _triangles(corners).reshape(-1, 3)
        solid = _distinct(triangles)
        return Simplices(triangles[solid], np.repeat(np.arange(len(corners)), 2)[solid])
    starts = range(0, len(corners), _CHUNK)
    parts = [_tetrahedra(shape, corners[start : start + _CHUNK]) for start in starts]
    parents = [part.parent + start for part, start in zip(parts, starts, strict=True)]
    return Simplices(np.concatenate([part.nodes for part in parts]), np.concatenate(parents))


def _tetrahedra(shape: str, corners: Indices) -> Simplices:
    """Each solid as the tetrahedra from its lowest node to the triangles of the faces that don't have it.

    A face is cut from its own lowest node, so that the two solids on it cut it alike, and so that the faces
    at the lowest node of a solid are cut from there. Collapsed corners make fewer tetrahedra.

    Source: Dompierre, Labbe, Vallet and Camarero (1999), How to subdivide pyramids, prisms and hexahedra into
        tetrahedra, 8th International Meshing Roundtable, for the rule of the lowest node.
    """
    faces = corners[:, _FACES[shape]]
    triangles = _triangles(faces.reshape(-1, 4)).reshape(len(corners), -1, 3)
    lowest = corners.min(axis=1)
    kept = ~(triangles == lowest[:, None, None]).any(axis=2) & _distinct(triangles)
    parent, _ = np.nonzero(kept)
    return Simplices(np.column_stack([lowest[parent], triangles[kept]]), parent)


def _triangles(quads: Indices) -> Indices:
    """The two triangles of each quadrilateral, cut from its lowest node, shape (quads, 2, 3)."""
    triangles: Indices = _turned(quads)[:, [[0, 1, 2], [0, 2, 3]]]
    return triangles


def _turned(quads: Indices) -> Indices:
    """Quadrilaterals that begin with their lowest node."""
    turn = (quads.argmin(axis=1)[:, None] + np.arange(4)) % 4
    turned: Indices = np.take_along_axis(quads, turn, axis=1)
    return turned


def _distinct(triangles: Indices) -> Any:
    """Whether the three nodes of each triangle differ."""
    a, b, c = np.moveaxis(triangles, -1, 0)
    return (a != b) & (b != c) & (a != c)
