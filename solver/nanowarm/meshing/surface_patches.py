"""Triangles that bound and divide regions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanowarm.meshing.mesh_checks import UNNAMED_SURFACE

Points = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Patches:
    """Triangles that bound and divide regions.

    Args:
        points: coordinates in the file's unit, shape (points, 3).
        triangles: corners, shape (triangles, 3).
        patch: index into `sides` of each triangle, shape (triangles,).
        sides: of each patch, the regions on its two sides as indices into `region_names`, -1 for outside:
            first the one that the normals point away from, then the one they point into.
        region_names: names of the regions.
        surface_names: of each patch, the outer surface it belongs to; "" where it has no name.
        wanted: volume that each region should have; empty where it is what the triangles enclose.
        fixed: indices of patches whose planes must stay where they are.
    """

    points: Points
    triangles: Indices
    patch: Indices
    sides: tuple[tuple[int, int], ...]
    region_names: tuple[str, ...]
    surface_names: tuple[str, ...]
    wanted: tuple[float, ...] = ()
    fixed: tuple[int, ...] = ()

    def wanted_volumes(self) -> Points:
        """Volume that each region should have, shape (regions,)."""
        return np.array(self.wanted) if self.wanted else self.volumes()

    def volumes(self) -> Points:
        """Volume of each region, shape (regions,)."""
        total = np.zeros(len(self.region_names))
        middle = self.points.mean(axis=0)
        for i, (behind, before) in enumerate(self.sides):
            own = self.triangles[self.patch == i]
            corners = self.points[own] - middle
            part = float(np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2]))) / 6.0
            for region, share in ((behind, part), (before, -part)):
                if region >= 0:
                    total[region] += share
        return total

    def named_surfaces(self) -> tuple[str, ...]:
        """Name of the outer surface of each patch, the general one for those without; "" between regions."""
        return tuple(
            name or (UNNAMED_SURFACE if -1 in pair else "") for name, pair in zip(self.surface_names, self.sides, strict=True)
        )
