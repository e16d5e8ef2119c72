"""Surfaces with holes or crossings made into closed ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanowarm.meshing.journal import Journal, UnusableError
from nanowarm.meshing.surface_sheets import Sheet
from nanowarm.meshing.surface_shells import (
    connected,
    edge_groups,
    folds,
    half_edges,
    pieces,
    shell_volume,
    shells,
    signed_volume,
)

Points = NDArray[np.float64]
Indices = NDArray[np.int64]

_MOST_OPEN = 0.1  # area of the holes over that of the surface that is closed; half a sphere has 0.5
_STRAY = 0.01  # area of a loose open piece over that of the surface below which it is left out
_ENVELOPE = 1e-3  # distance over the diagonal that repair may move a surface
_ENERGY = 1000.0  # only the boundary of fTetWild's tetrahedra is kept, so their shape may be poor
_NO_VOLUME = 1e-6  # over the cube of the diagonal
_CELL_FACETS = [[1, 2, 3], [0, 3, 2], [0, 1, 3], [0, 2, 1]]  # counter-clockwise from outside


@dataclass(frozen=True)
class Damage:
    """What is wrong with a connected surface.

    Args:
        holes: closed lines of edges with only one triangle.
        missing: their area over that of the surface.
        crossings: triangles that cross another one of the surface.
    """

    holes: int
    missing: float
    crossings: int


def open_edges(triangles: Indices) -> Indices:
    """Edges with only one triangle, from start to end, shape (edges, 2)."""
    edges = half_edges(triangles)
    number, count = edge_groups(edges)
    found: Indices = edges[count[number] == 1]
    return found


def holes(points: Points, triangles: Indices) -> tuple[int, float]:
    """Number of holes, and the area that would close them over that of the triangles."""
    edges = open_edges(triangles)
    if len(edges) == 0:
        return 0, 0.0
    nodes, local = np.unique(edges, return_inverse=True)
    local = local.reshape(-1, 2)
    loop = connected(local[:, 0], local[:, 1], len(nodes))
    times = np.bincount(loop).astype(float)
    middle = np.column_stack([np.bincount(loop, points[nodes, axis]) for axis in range(3)]) / times[:, None]
    first, second = (points[edges[:, end]] - middle[loop[local[:, 0]]] for end in (0, 1))
    closing = 0.5 * np.linalg.norm(np.cross(first, second), axis=1).sum()
    return len(times), float(closing / areas(points, triangles).sum())


def areas(points: Points, triangles: Indices) -> Points:
    """Area of each triangle, shape (triangles,)."""
    a, b, c = (points[triangles[:, i]] for i in range(3))
    found: Points = 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1)
    return found


def crossings(points: Points, triangles: Indices) -> Indices:
    """Pairs of triangles that cross, touch without a common corner, or lie over each other, shape (pairs, 2)."""
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkCommonTransforms import vtkTransform
    from vtkmodules.vtkFiltersModeling import vtkCollisionDetectionFilter

    surface = _surface(points, triangles)
    search = vtkCollisionDetectionFilter()
    for i in (0, 1):
        search.SetInputData(i, surface)
        search.SetTransform(i, vtkTransform())
    search.SetCollisionModeToAllContacts()
    search.SetNumberOfCellsPerNode(4)
    search.Update()
    over = folds(points, triangles)
    if search.GetNumberOfContacts() == 0:
        return over
    pairs = np.column_stack([vtk_to_numpy(search.GetContactCells(i)) for i in (0, 1)]).astype(np.int64)
    pairs = pairs[pairs[:, 0] < pairs[:, 1]]
    first, second = triangles[pairs[:, 0]], triangles[pairs[:, 1]]
    apart = ~(first[:, :, None] == second[:, None, :]).any(axis=(1, 2))
    return np.concatenate([pairs[apart], over])


def sound(points: Points, sheet: Sheet, journal: Journal) -> tuple[Points, Sheet]:
    """All points, with new ones at the end, and the surface closed, without crossings, its normals outwards.

    Args:
        points: of all surfaces, shape (points, 3).
        sheet: the surface.
        journal: is told what was changed.

    Raises:
        UnusableError: too much of it is missing, or it encloses nothing.
    """
    triangles = _without_strays(points, sheet, journal)
    pairs = crossings(points, triangles)
    group = _damaged_groups(points, triangles, pairs)
    whole = [triangles[group < 0]]
    for i in range(group.max(initial=-1) + 1):
        own = triangles[group == i]
        count, missing = holes(points, own)
        crossing = len(np.unique(pairs[group[pairs[:, 0]] == i]))
        new, closed = _repaired(points, own, sheet.label, Damage(count, missing, crossing), journal)
        whole.append(closed + len(points))
        points = np.concatenate([points, new])
    return points, replace(sheet, triangles=_outwards(points, np.concatenate(whole), sheet.label, journal))


def _without_strays(points: Points, sheet: Sheet, journal: Journal) -> Indices:
    """The triangles without loose open pieces that are small beside the whole surface."""
    piece = pieces(sheet.triangles)
    area = np.bincount(piece, areas(points, sheet.triangles))
    number, count = edge_groups(half_edges(sheet.triangles))
    opened = np.bincount(piece, (count[number] == 1).reshape(-1, 3).any(axis=1)) > 0
    stray = opened & (area < _STRAY * area.sum())
    kept = ~stray[piece]
    if stray.any():
        journal.note(f"{sheet.label}: {(~kept).sum()} triangles in {stray.sum()} loose open pieces were left out")
    return sheet.triangles[kept]


def _damaged_groups(points: Points, triangles: Indices, pairs: Indices) -> Indices:
    """A number for the damaged pieces that must be repaired together, -1 for sound ones, shape (triangles,)."""
    piece = pieces(triangles)
    count = int(piece.max()) + 1
    gaps = [holes(points, triangles[piece == i]) for i in range(count)]
    scraps = [i for i, (_, missing) in enumerate(gaps) if missing > _MOST_OPEN]
    links = np.concatenate([piece[pairs], np.column_stack([scraps[:-1], scraps[1:]]).astype(np.int64).reshape(-1, 2)])
    joined = connected(links[:, 0], links[:, 1], count)
    damaged = np.array([number > 0 for number, _ in gaps])
    damaged[np.unique(piece[pairs])] = True
    together = np.unique(joined[damaged])
    number = np.full(count, -1)
    number[together] = np.arange(len(together))
    found: Indices = number[joined[piece]]
    return found


def _outwards(points: Points, triangles: Indices, label: str, journal: Journal) -> Indices:
    """The triangles with their normals towards the outside of their own piece."""
    shell = shells(points, triangles)
    order = np.argsort(shell, kind="stable")
    sides = np.split(order, np.flatnonzero(np.diff(shell[order])) + 1)
    outer = np.array([shell_volume(points, triangles, own) <= 0 for own in sides])[shell].reshape(-1, 2)
    inwards = outer[:, 1] & ~outer[:, 0]
    if inwards.any():
        journal.note(f"{label}: {inwards.sum()} of {len(triangles)} triangles had their normals inwards and were turned")
    triangles = triangles.copy()
    triangles[inwards] = triangles[inwards][:, ::-1]
    return triangles


def _refuse_sheet(name: str, damage: Damage) -> None:
    """Refuse a surface of which too much is missing.

    Raises:
        UnusableError: it is no body.
    """
    if damage.missing > _MOST_OPEN:
        raise UnusableError(
            f"{name} is not closed: {damage.holes} hole(s) of {100 * damage.missing:.3g} % of its area; up to "
            f"{100 * _MOST_OPEN:g} % are closed on their own: close it before export"
        )


def _repaired(points: Points, triangles: Indices, label: str, damage: Damage, journal: Journal) -> tuple[Points, Indices]:
    """Points and triangles of the closed surface nearest to a damaged one.

    Raises:
        UnusableError: too much of it is missing, or it encloses nothing.
    """
    import pytetwild
    import pyvista

    _refuse_sheet(label, damage)
    used, local = np.unique(triangles, return_inverse=True)
    old, (old_triangles, turned) = points[used], _consistent(points[used], local.reshape(-1, 3))
    vertices, cells = pytetwild.tetrahedralize(
        old, old_triangles.astype(np.int32), epsilon=_ENVELOPE, stop_energy=_ENERGY, simplify=False, num_threads=1, quiet=True
    )
    new, boundary = _boundary(np.asarray(vertices, np.float64), np.asarray(cells, np.int64))
    volume = signed_volume(new, boundary) if len(boundary) else 0.0
    if volume <= _NO_VOLUME * float(np.linalg.norm(np.ptp(old, axis=0))) ** 3:
        raise UnusableError(f"{label} encloses no volume; close it before export")
    before = float(_surface(old, old_triangles).volume)
    moved = np.abs(pyvista.PolyData(old).compute_implicit_distance(_surface(new, boundary))["implicit_distance"])
    found = [f"{damage.holes} holes closed"] if damage.holes else []
    found += [f"{damage.crossings} crossing triangles taken apart"] if damage.crossings else []
    found += [f"{turned} triangles turned"] if turned else []
    bodies = int(pieces(triangles).max()) + 1
    found += [f"{bodies} surfaces joined to one body"] if bodies > 1 else []
    journal.note(
        f"{label} was repaired by fTetWild: {', '.join(found)}; {len(triangles)} triangles became {len(boundary)}, its points "
        f"moved by {np.median(moved):.2g} (median) to {moved.max():.2g}, its volume changed from {before:.6g} to "
        f"{volume:.6g} (in the unit of the file)"
    )
    return new, boundary


def _consistent(points: Points, triangles: Indices) -> tuple[Indices, int]:
    """The triangles all turned the way of most, and how many had to be turned."""
    oriented = _surface(points, triangles).compute_normals(
        cell_normals=False, point_normals=True, split_vertices=False, consistent_normals=True, auto_orient_normals=False
    )
    found = oriented.regular_faces.astype(np.int64)
    if signed_volume(points, found) < 0:
        found = found[:, ::-1]
    turned = int((_first_low(found) != _first_low(triangles)).any(axis=1).sum())
    return found, min(turned, len(triangles) - turned)


def _first_low(triangles: Indices) -> Indices:
    """The same triangles, each from its lowest corner on."""
    start = triangles.argmin(axis=1)[:, None]
    return np.take_along_axis(triangles, (start + np.arange(3)) % 3, axis=1)


def _surface(points: Points, triangles: Indices) -> Any:
    import pyvista

    return pyvista.PolyData.from_regular_faces(points, triangles)


def _boundary(points: Points, cells: Indices) -> tuple[Points, Indices]:
    """Outer facets of tetrahedra, with normals outwards, and their points."""
    corners = points[cells]
    negative = np.linalg.det(corners[:, 1:] - corners[:, :1]) < 0
    cells = cells.copy()
    cells[negative, 2], cells[negative, 3] = cells[negative, 3].copy(), cells[negative, 2].copy()
    facets = cells[:, _CELL_FACETS].reshape(-1, 3)
    _, first, count = np.unique(np.sort(facets, axis=1), axis=0, return_index=True, return_counts=True)
    outer = np.unique(_first_low(facets[first[count == 1]]), axis=0)  # fTetWild's order of cells differs from run to run
    used, local = np.unique(outer, return_inverse=True)
    return points[used], local.reshape(-1, 3).astype(np.int64)
