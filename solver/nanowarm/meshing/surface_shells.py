"""The closed shells that triangles form around every piece of space, found from how they meet at their edges.

A triangle has two sides: side 2 t is that of triangle t's normal, side 2 t + 1 the one behind. Two sides belong to
one shell where nothing is between them around a common edge.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Indices = NDArray[np.int64]

_FOLDED = 1e-5  # angle [rad] below which two triangles at an edge lie over each other


def half_edges(triangles: Indices) -> Indices:
    """Start and end of the three edges of each triangle, in the order of its corners, shape (3 triangles, 2)."""
    return np.stack([triangles, np.roll(triangles, -1, axis=1)], axis=2).reshape(-1, 2)


def edge_groups(edges: Indices) -> tuple[Indices, Indices]:
    """A number for each edge, equal for equal edges of either direction, and how often each number occurs."""
    low, high = edges.min(axis=1), edges.max(axis=1)
    _, number, count = np.unique(low * (edges.max(initial=0) + 1) + high, return_inverse=True, return_counts=True)
    return number.ravel(), count


def pieces(triangles: Indices) -> Indices:
    """The connected piece of each triangle, through common edges, numbered from 0, shape (triangles,)."""
    number, _ = edge_groups(half_edges(triangles))
    order = np.argsort(number, kind="stable")
    owner = order // 3
    same = number[order][1:] == number[order][:-1]
    return connected(owner[:-1][same], owner[1:][same], len(triangles))


def shells(points: Points, triangles: Indices) -> Indices:
    """The shell of each side of each triangle, numbered from 0, shape (2 triangles,).

    Args:
        points: shape (points, 3).
        triangles: each once, shape (triangles, 3).
    """
    edges = half_edges(triangles)
    number, _ = edge_groups(edges)
    angle = _angles(points, triangles, edges)
    order = np.lexsort((angle, number))
    number = number[order]
    first = np.concatenate([[True], number[1:] != number[:-1]])
    start = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
    last = np.append(first[1:], True)
    following = np.where(last, start, np.arange(len(order)) + 1)
    # Seen along an edge from its lower node, the normal of a triangle that runs along with it points to larger angles.
    along = (edges[:, 0] < edges[:, 1])[order]
    above = 2 * (order // 3) + ~along
    below = 2 * (order // 3) + along
    return connected(above, below[following], 2 * len(triangles))


def folds(points: Points, triangles: Indices) -> Indices:
    """Pairs of triangles that lie over each other at a common edge, shape (pairs, 2)."""
    edges = half_edges(triangles)
    number, _ = edge_groups(edges)
    angle = _angles(points, triangles, edges)
    order = np.lexsort((angle, number))
    number, angle = number[order], angle[order]
    over = (number[1:] == number[:-1]) & (np.diff(angle) < _FOLDED)
    return np.column_stack([order[:-1][over], order[1:][over]]) // 3


def signed_volume(points: Points, triangles: Indices) -> float:
    """Volume inside closed triangles, negative where their normals point inwards."""
    a, b, c = (points[triangles[:, i]] - points[triangles[0, 0]] for i in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c))) / 6.0


def shell_volume(points: Points, triangles: Indices, sides: Indices) -> float:
    """Volume around which a shell goes, negative where it is a hole in the space it bounds.

    Args:
        points: shape (points, 3).
        triangles: of all shells, shape (triangles, 3).
        sides: the sides of triangles that form the shell.
    """
    return signed_volume(points, facing_out(triangles, sides))


def windings(places: Points, points: Points, triangles: Indices) -> Points:
    """How often closed triangles go around places: 1 inside outward ones, 0 outside, shape (places,).

    Source: Van Oosterom and Strackee (1983), IEEE Trans. Biomed. Eng. 30:125, eq. 8.
    """
    turns = np.empty(len(places))
    for i, place in enumerate(places):
        a, b, c = (points[triangles[:, corner]] - place for corner in range(3))
        x, y, z = (np.linalg.norm(side, axis=1) for side in (a, b, c))
        above = np.einsum("ij,ij->i", a, np.cross(b, c))
        dots = (np.einsum("ij,ij->i", p, q) for p, q in ((a, b), (a, c), (b, c)))
        ab, ac, bc = dots
        turns[i] = np.arctan2(above, x * y * z + ab * z + ac * y + bc * x).sum() / (2 * np.pi)
    return turns


def spaces(points: Points, triangles: Indices) -> tuple[Indices, Indices]:
    """The shell and the connected space of each side of each triangle, shape (2 triangles,) each.

    A space is bounded by the shell around it and by one for each hole in it. Space 0 is the outside.

    Args:
        points: shape (points, 3).
        triangles: closed, without crossings, each once, shape (triangles, 3).
    """
    shell = shells(points, triangles)
    order = np.argsort(shell, kind="stable")
    sides = np.split(order, np.flatnonzero(np.diff(shell[order])) + 1)
    volume = np.array([shell_volume(points, triangles, own) for own in sides])
    piece = pieces(triangles)[np.array([own[0] for own in sides]) // 2]
    around = sorted(np.flatnonzero(volume > 0).tolist(), key=lambda i: volume[i])
    space = np.zeros(len(sides), np.int64)
    space[sorted(around)] = np.arange(1, len(around) + 1)
    corners = [points[triangles[own // 2]].reshape(-1, 3) for own in sides]
    low, high = np.array([own.min(axis=0) for own in corners]), np.array([own.max(axis=0) for own in corners])
    for hole in np.flatnonzero(volume <= 0):
        place = corners[hole][:3].mean(axis=0)  # on a triangle of the hole
        for i in around:
            boxed = piece[i] != piece[hole] and (low[i] <= low[hole]).all() and (high[i] >= high[hole]).all()
            if boxed and windings(place[None], points, facing_out(triangles, sides[i]))[0] > 0.5:
                space[hole] = space[i]
                break
    return shell, space[shell]


def facing_out(triangles: Indices, sides: Indices) -> Indices:
    """Triangles whose normals point out of the space that their given sides face."""
    turned = triangles[sides // 2]
    front = sides % 2 == 0
    turned[front] = turned[front][:, ::-1]
    return turned


def _angles(points: Points, triangles: Indices, edges: Indices) -> Points:
    """Angle of each half-edge's triangle about the edge, the same zero for all triangles of an edge."""
    low, high = points[edges.min(axis=1)], points[edges.max(axis=1)]
    axis = high - low
    axis /= np.maximum(np.linalg.norm(axis, axis=1, keepdims=True), 1e-300)
    apex = points[np.roll(triangles, -2, axis=1).ravel()] - low
    least = np.abs(axis).argmin(axis=1)
    across = np.cross(axis, np.eye(3)[least])
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    angle: Points = np.arctan2(np.einsum("ij,ij->i", apex, np.cross(axis, across)), np.einsum("ij,ij->i", apex, across))
    return angle


def connected(first: Indices, second: Indices, count: int) -> Indices:
    """The group of each of `count` things, numbered from 0, where pairs of them are linked."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = coo_array((np.ones(len(first), np.int8), (first, second)), shape=(count, count))
    return connected_components(links, directed=False)[1].astype(np.int64)
