"""Closed surfaces to arrays: the spaces between them filled with tetrahedra."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nanowarm.meshing.journal import Arrays, Journal, Request, UnusableError
from nanowarm.meshing.mesh_request import METRES
from nanowarm.meshing.surface_fill import Patches, filled
from nanowarm.meshing.surface_repair import areas, crossings, sound
from nanowarm.meshing.surface_sheets import Indices, Points, Sheet, sheets
from nanowarm.meshing.surface_shells import facing_out, pieces, shell_volume, spaces, windings

_NOTED = 12  # bodies that are listed
_INWARDS = 1e-7  # distance over the diagonal from a triangle to a place beside it


def arrays(request: Request, journal: Journal) -> Arrays:
    """Arrays of the spaces that closed surfaces bound: each inside the surface of its region."""
    files = {name: Path(file) for name, file in request["files"].items()} or {"": Path(request["file"])}
    points, found = sheets(files, journal)
    journal.lap("read")
    for i, sheet in enumerate(found):
        points, found[i] = sound(points, sheet, journal)
    journal.lap("repair")
    patches = _patches(points, found, request["unit"], journal)
    journal.lap("regions")
    return filled(patches, request, journal)


def _patches(points: Points, found: list[Sheet], unit: str, journal: Journal) -> Patches:
    """The triangles of all sheets, each once, with the regions on their sides."""
    joint = np.concatenate([sheet.triangles for sheet in found])
    _, first = np.unique(np.sort(joint, axis=1), axis=0, return_index=True)
    triangles = joint[np.sort(first)]
    if len(found) > 1:
        owner = np.repeat(np.arange(len(found)), [len(sheet.triangles) for sheet in found])[np.sort(first)]
        _refuse_crossings(points, triangles, owner, found)
    _, space = spaces(points, triangles)
    if found[0].name:
        names, region = _of_sheets(points, triangles, space, found, journal)
    else:
        volume = [1e6 * METRES[unit] ** 3 * own for own in _volumes(points, triangles, space)]
        names, region = _in_order(triangles, space, volume, found[0].label, journal)
    before, behind = region[space].reshape(-1, 2).T
    turned = before > behind
    triangles[turned] = triangles[turned][:, ::-1]
    before, behind = np.minimum(before, behind), np.maximum(before, behind)
    between = before != behind
    sides, patch = np.unique(np.column_stack([behind, before])[between], axis=0, return_inverse=True)
    pairs = tuple((int(one), int(other)) for one, other in sides)
    return Patches(points, triangles[between], patch.ravel(), pairs, names, ("",) * len(pairs))


def _refuse_crossings(points: Points, triangles: Indices, owner: Indices, found: list[Sheet]) -> None:
    pairs = crossings(points, triangles)
    pairs = owner[pairs]
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    if len(pairs):
        one, other = (found[i].label for i in pairs[0])
        raise UnusableError(f"{one} and {other} cross or touch each other; cut them apart, or give them the same triangles there")


def _of_sheets(
    points: Points, triangles: Indices, space: Indices, found: list[Sheet], journal: Journal
) -> tuple[tuple[str, ...], Indices]:
    """Names of the regions, and the region of each space: that of the smallest surface around it."""
    around = []
    for sheet in found:
        _, own = spaces(points, sheet.triangles)
        shells = [np.flatnonzero(own == i) for i in range(1, own.max(initial=0) + 1)]
        outward = [facing_out(sheet.triangles, sides) for sides in shells]
        around.append((sum(_volumes(points, sheet.triangles, own)), outward))
        if len(np.unique(pieces(sheet.triangles))) > 1 and _nested(points, sheet):
            journal.note(
                f'{sheet.label} has surfaces inside each other: all within is "{sheet.name}" unless another file bounds it'
            )
    region = np.full(space.max() + 1, -1)
    for i in range(1, len(region)):
        place = _place_in(points, triangles, np.flatnonzero(space == i))
        inside = [j for j, (_, shells) in enumerate(around) if any(windings(place, points, s)[0] > 0.5 for s in shells)]
        region[i] = min(inside, key=lambda j: around[j][0], default=-1)
    for i, sheet in enumerate(found):
        if i not in region:
            raise UnusableError(f"{sheet.label} leaves no space of its own: other surfaces fill it; remove one of them")
    return tuple(sheet.name for sheet in found), region


def _nested(points: Points, sheet: Sheet) -> bool:
    shell, space = spaces(points, sheet.triangles)
    bounds = {(int(s), int(h)) for s, h in zip(space, shell, strict=True) if s > 0}
    return len(bounds) > len({s for s, _ in bounds})


def _place_in(points: Points, triangles: Indices, sides: Indices) -> Points:
    """A place beside the largest triangle of a space, inside the space, shape (1, 3)."""
    own = facing_out(triangles, sides)
    largest = own[areas(points, own).argmax()]
    a, b, c = points[largest]
    normal = np.cross(b - a, c - a)
    inwards: Points = points[largest].mean(axis=0) - _INWARDS * np.ptp(points, axis=0).max() * normal / np.linalg.norm(normal)
    return inwards[None]


def _volumes(points: Points, triangles: Indices, space: Indices) -> list[float]:
    """Volume of each space but the outside."""
    return [shell_volume(points, triangles, np.flatnonzero(space == i + 1)) for i in range(int(space.max(initial=0)))]


def _in_order(
    triangles: Indices, space: Indices, volume: list[float], label: str, journal: Journal
) -> tuple[tuple[str, ...], Indices]:
    """Names of the regions, and the region of each space: one each, numbered from the outside in, then by volume.

    Raises:
        UnusableError: there is no space but the outside.
    """
    count = len(volume)
    if count == 0:
        raise UnusableError(f"{label} encloses no volume; it must be a closed surface")
    depth = _depths(triangles, space)
    order = sorted(range(count), key=lambda i: (depth[i + 1], -volume[i]))
    names = ("body",) if count == 1 else tuple(f"body{i + 1}" for i in range(count))
    region = np.full(count + 1, -1)
    region[np.array(order) + 1] = np.arange(count)
    if count > 1:
        listed = [f"{name} {volume[own]:.3g} mL within {depth[own + 1]}" for name, own in zip(names, order, strict=True)]
        more = "; ..." if count > _NOTED else ""
        journal.note(f"{label} bounds {count} spaces, by volume and surfaces around: {'; '.join(listed[:_NOTED])}{more}")
    return names, region


def _depths(triangles: Indices, space: Indices) -> list[int]:
    """How many surfaces are around each space; 0 for the outside."""
    links: dict[int, set[int]] = {}
    piece = np.repeat(pieces(triangles), 2)
    for i in np.unique(piece):
        touched = np.unique(space[piece == i])
        for one in touched:
            links.setdefault(int(one), set()).update(map(int, touched))
    depth = {0: 0}
    front = [0]
    while front:
        reached = sorted({other for one in front for other in links[one]} - set(depth))
        depth |= dict.fromkeys(reached, depth[front[0]] + 1)
        front = reached
    return [depth.get(i, 0) for i in range(int(space.max()) + 1)]
