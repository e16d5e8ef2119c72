"""Triangles between regions made anew with edges of the wanted lengths, the regions' volumes kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nanowarm.meshing.journal import Journal, Request, UnusableError
from nanowarm.meshing.sizes import edge_length
from nanowarm.meshing.surface_patches import Indices, Patches, Points
from nanowarm.meshing.surface_shells import edge_groups, half_edges, pieces
from nanowarm.meshing.surface_volumes import with_volumes

_DEVIATION = 0.1  # distance allowed between old and new triangles, over the edge length
_LEAST_DEVIATION = 1e-3  # the same, where surfaces are very close
_VOLUME = 0.01  # relative change of a region's volume that remeshing may leave to shifting the surfaces
_LEFT = 0.003  # the same, that the user is not told of
_SHIFT = 0.1  # over the edge length: distance that a surface may be shifted to restore volumes
_ROUNDS = 5  # of remeshing until volumes are kept
_SHARP = 0.05  # angle [rad] from which an edge of a sharp patch is kept
_GAIN = 0.7  # part of a change of volume that a finer remeshing must leave at most, lest edges be kept sharp
_GAP = 3.0  # edge length over the distance to another surface
_NARROWEST = 1 / 10  # of the edge length, below which gaps no longer make edges shorter
_MOST_TRIANGLES = 1_000_000


@dataclass(frozen=True)
class Limit:
    """How far remeshing may change a patch.

    Args:
        distance: that it may move, in the file's unit.
        sharp: whether edges that are not flat stay where they are.
    """

    distance: float
    sharp: bool


def remeshed(patches: Patches, request: Request, deviation: float, journal: Journal) -> Patches:
    """The same surfaces of triangles with edges of the wanted lengths.

    Args:
        patches: closed, without crossings.
        request: with a `size`.
        deviation: factor on the distance that surfaces may move.
        journal: is told where volumes could not be kept.

    Raises:
        UnusableError: Mmg failed, or names in the request are not there.
    """
    fine, length, gap = _divided(patches, request)
    least = deviation * _LEAST_DEVIATION * request["size"]
    allowed = max(deviation * min(_DEVIATION * request["size"], 0.25 * gap), least)
    limits = [Limit(allowed, sharp=False) for _ in patches.sides]
    target, before = patches.wanted_volumes(), np.full(len(patches.region_names), np.inf)
    for _ in range(_ROUNDS):
        found = _mmg(fine, length, limits)
        change = np.abs(found.volumes() / target - 1.0)
        if change.max() <= _VOLUME:
            break
        gained = (change <= _VOLUME) | (change < _GAIN * before)
        limits = [
            _tighter(limit, [i for i in pair if i >= 0], change, gained, least)
            for limit, pair in zip(limits, patches.sides, strict=True)
        ]
        before = change
    found = with_volumes(found, target, _SHIFT * float(request["size"]))
    change = np.abs(found.volumes() / target - 1.0)
    for region in np.flatnonzero(change > _LEFT):
        part = f"{100 * change[region]:.2g} %"
        journal.note(f'the volume of "{patches.region_names[region]}" is {part} off that in the file; give a smaller size')
    return found


def _tighter(limit: Limit, regions: list[int], change: Points, gained: NDArray[np.bool_], least: float) -> Limit:
    """The limit of a patch for the next round.

    Args:
        limit: of the last round.
        regions: on the sides of the patch.
        change: relative change of volume of each region.
        gained: whether the last round brought the volume nearer.
        least: distance below which no patch is held.
    """
    share = 0.6 * _VOLUME / max(change[regions].max(), 1e-12)
    # Mmg rounds the edges of coarse surfaces, which no smaller distance prevents.
    return Limit(max(limit.distance * float(np.clip(share, 0.2, 1.0)), least), limit.sharp or not gained[regions].all())


def _divided(patches: Patches, request: Request) -> tuple[Patches, Points, float]:
    """The same surfaces with edges halved until none is much longer than wanted.

    Returns:
        The surfaces, the wanted lengths at their points, and the least distance between separate surfaces.
    """
    while True:
        gaps = _gaps(patches, float(request["size"]))
        length = edge_length(patches.points, request, *_places(patches))
        length = np.minimum(length, np.maximum(_GAP * gaps, _NARROWEST * length))
        edges = half_edges(patches.triangles)
        longest = 2.0 * length[edges].min(axis=1)
        long = np.linalg.norm(patches.points[edges[:, 0]] - patches.points[edges[:, 1]], axis=1) > longest
        if not long.any():
            return patches, length, float(gaps.min())
        if len(patches.triangles) > _MOST_TRIANGLES:
            raise UnusableError(f"the sizes ask for more than {_MOST_TRIANGLES} triangles; give larger ones")
        patches = _halved(patches, long)


def _places(patches: Patches) -> tuple[Mapping[str, Points], Mapping[str, Points]]:
    """Points on the boundary of each region, and on each outer surface, by name."""
    behind, before = np.array(patches.sides)[patches.patch].T
    regions = {
        name: patches.points[np.unique(patches.triangles[(behind == i) | (before == i)])]
        for i, name in enumerate(patches.region_names)
    }
    surface = np.array(patches.named_surfaces())[patches.patch]
    surfaces = {str(name): patches.points[np.unique(patches.triangles[surface == name])] for name in np.unique(surface) if name}
    return regions, surfaces


def _gaps(patches: Patches, size: float) -> Points:
    """Distance of each point to the nearest separate surface, at most `size`, shape (points,)."""
    import pyvista

    found = np.full(len(patches.points), size)
    piece = pieces(patches.triangles)
    boxes = {i: patches.points[patches.triangles[piece == i]].reshape(-1, 3) for i in np.unique(piece)}
    if len(boxes) == 1:
        return found
    low, high = patches.points[patches.triangles].min(axis=1), patches.points[patches.triangles].max(axis=1)
    for i, corners in boxes.items():
        near = (low <= corners.max(axis=0) + size).all(axis=1) & (high >= corners.min(axis=0) - size).all(axis=1)
        others = patches.triangles[near & (piece != i)]
        if len(others):
            own = np.unique(patches.triangles[piece == i])
            cloud = pyvista.PolyData(patches.points[own])
            surface = pyvista.PolyData.from_regular_faces(patches.points, others)
            distance = np.abs(cloud.compute_implicit_distance(surface)["implicit_distance"])
            found[own] = np.minimum(found[own], distance)
    return found


def _halved(patches: Patches, long: NDArray[np.bool_]) -> Patches:
    """The same surfaces with new points in the middle of long edges.

    Args:
        patches: to be divided.
        long: whether each of the half-edges (see `half_edges`) is to be halved, shape (3 triangles,).
    """
    edges = half_edges(patches.triangles)
    number, count = edge_groups(edges)
    cut = np.zeros(len(count), bool)
    cut[number[long]] = True
    first = np.zeros(len(count), np.int64)
    first[number] = np.arange(len(number))
    middle = np.full(len(count), -1, np.int64)
    middle[cut] = len(patches.points) + np.arange(cut.sum())
    points = np.concatenate([patches.points, patches.points[edges[first[cut]]].mean(axis=1)])
    between = middle[number].reshape(-1, 3)
    halved = (between >= 0).sum(axis=1)
    shapes = [(halved == 0, tuple(patches.triangles.T)), (halved == 3, tuple(between.T))]
    for turn in range(3):
        a, b, c = np.roll(patches.triangles, -turn, axis=1).T
        ab, bc, ca = np.roll(between, -turn, axis=1).T
        one, two = (halved == 1) & (ab >= 0), (halved == 2) & (ca < 0)
        shapes += [(one, (a, ab, c)), (one, (ab, b, c))]
        shapes += [(two, (ab, b, bc)), (two, (a, ab, bc)), (two, (a, bc, c))]
        shapes += [(halved == 3, (a, ab, ca))]
    triangles = np.concatenate([np.stack(corners, axis=1)[chosen] for chosen, corners in shapes])
    owner = np.concatenate([np.flatnonzero(chosen) for chosen, _ in shapes])
    return replace(patches, points=points, triangles=triangles, patch=patches.patch[owner])


def _sharp_edges(patches: Patches, limits: list[Limit]) -> Indices:
    """Edges within sharp patches at which the surface turns, shape (edges, 2)."""
    sharp = np.array([limit.sharp for limit in limits])[patches.patch]
    triangles = patches.triangles[sharp]
    a, b, c = (patches.points[triangles[:, i]] for i in range(3))
    normal = np.cross(b - a, c - a)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-300)
    edges = half_edges(triangles)
    number, _ = edge_groups(edges)
    order = np.argsort(number, kind="stable")
    pair = np.flatnonzero(number[order][1:] == number[order][:-1])
    one, other = order[pair], order[pair + 1]
    turn = np.einsum("ij,ij->i", normal[one // 3], normal[other // 3]) < np.cos(_SHARP)
    return edges[one[turn]]


def _mmg(patches: Patches, length: Points, limits: list[Limit]) -> Patches:
    """The surfaces made anew by Mmg.

    Args:
        patches: with edges no longer than about twice the wanted ones.
        length: wanted edge length at each point, shape (points,).
        limits: of each patch.

    Raises:
        UnusableError: Mmg failed.
    """
    import mmgpy

    sharp = _sharp_edges(patches, limits)
    mesh = mmgpy.MmgMeshS()
    mesh.set_mesh_size(vertices=len(patches.points), triangles=len(patches.triangles), edges=len(sharp))
    mesh.set_vertices(patches.points)
    mesh.set_triangles(patches.triangles.astype(np.int32), patches.patch.astype(np.int32) + 1)
    if len(sharp):
        mesh.set_edges(sharp.astype(np.int32))
        mesh.set_ridge_edges(np.arange(len(sharp), dtype=np.int32))
    mesh["metric"] = length[:, None]
    sizes = {"hmin": 0.1 * float(length.min()), "hmax": 2.0 * float(length.max())}
    mesh.set_local_parameters(
        [{"type": "triangle", "ref": i + 1, "hausd": limit.distance} | sizes for i, limit in enumerate(limits)]
    )
    try:
        mesh.remesh(verbose=-1, hausd=max(limit.distance for limit in limits), **sizes)
    except RuntimeError as error:
        raise UnusableError(f"Mmg can't remesh the surface ({error}); give another size") from None
    triangles, reference = mesh.get_triangles_with_refs()
    points = np.ascontiguousarray(mesh.get_vertices(), np.float64)
    return replace(patches, points=points, triangles=triangles.astype(np.int64), patch=reference.astype(np.int64) - 1)
