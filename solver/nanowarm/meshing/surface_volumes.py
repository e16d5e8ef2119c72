"""Surfaces moved a little along their normals, so that the regions between them have the volumes they should."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nanowarm.meshing.surface_patches import Patches, Points

_ROUNDS = 4
_CLOSE = 1e-5  # relative error of the volumes that is left
_SINGULAR = 1e-3  # over the largest singular value: directions in which a node is not moved


def with_volumes(patches: Patches, volumes: Points, farthest: float) -> Patches:
    """The same triangles with nodes moved so that the regions get these volumes, as far as that is possible.

    Each patch is shifted as a whole. Of all shifts that give the volumes, the one with the least sum of squares over
    the area is taken.

    Args:
        patches: closed around every region.
        volumes: wanted volume of each region, shape (regions,).
        farthest: distance that a patch may be shifted.
    """
    for _ in range(_ROUNDS):
        missing = volumes - patches.volumes()
        if np.abs(missing / volumes).max() < _CLOSE:
            break
        shift = np.clip(_shifts(patches, missing), -farthest, farthest)
        patches = replace(patches, points=patches.points + _moves(patches, shift))
    return patches


def _shifts(patches: Patches, missing: Points) -> Points:
    """Shift of each patch along its normals that adds the missing volume to each region, shape (patches,)."""
    normal = _normals(patches)
    area = np.bincount(patches.patch, np.linalg.norm(normal, axis=1), len(patches.sides)) / 2.0
    gain = np.zeros((len(missing), len(patches.sides)))
    for i, (behind, before) in enumerate(patches.sides):
        for region, sign in ((behind, 1.0), (before, -1.0)):
            if region >= 0:
                gain[region, i] += sign * area[i]
    scale = 1.0 / np.sqrt(np.maximum(area, 1e-300))
    scale[list(patches.fixed)] = 0.0
    found: Points = scale * np.linalg.lstsq(gain * scale, missing, rcond=None)[0]
    return found


def _normals(patches: Patches) -> Points:
    """Normal of each triangle, twice its area long, shape (triangles, 3)."""
    a, b, c = (patches.points[patches.triangles[:, i]] for i in range(3))
    return np.cross(b - a, c - a)


def _moves(patches: Patches, shift: Points) -> Points:
    """Movement of each point, shape (points, 3): that which shifts the planes around it by the shift of their patch.

    A point on a smooth part of one patch moves along its normal, one on an edge or at a corner so that all faces there
    are shifted alike: least squares over its triangles, weighted by area.
    """
    normal = _normals(patches)
    area = np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-300)
    unit = normal / area
    square = (area[:, :, None] * unit[:, :, None] * unit[:, None, :]).repeat(3, axis=0)
    right = (normal * shift[patches.patch][:, None]).repeat(3, axis=0)
    corner = patches.triangles.ravel()
    systems, sides = np.zeros((len(patches.points), 3, 3)), np.zeros((len(patches.points), 3))
    np.add.at(systems, corner, square)
    np.add.at(sides, corner, right)
    inverse = np.linalg.pinv(systems, rcond=_SINGULAR, hermitian=True)
    moves: Points = np.einsum("nij,nj->ni", inverse, sides)
    for patch in patches.fixed:  # each is a plane, at right angles to the others
        held = np.unique(patches.triangles[patches.patch == patch])
        flat = normal[patches.patch == patch].sum(axis=0)
        flat /= max(float(np.linalg.norm(flat)), 1e-300)
        moves[held] -= (moves[held] @ flat)[:, None] * flat
    return moves
