"""The regions between triangles filled with tetrahedra."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanowarm.meshing.gmsh_session import current_mesh, session
from nanowarm.meshing.journal import Arrays, Journal, Request, UnusableError
from nanowarm.meshing.sizes import check_names, set_background
from nanowarm.meshing.surface_patches import Patches
from nanowarm.meshing.surface_remesh import remeshed
from nanowarm.meshing.surface_shells import spaces

__all__ = ["CrossingError", "Patches", "filled"]

Indices = NDArray[np.int64]

_DEVIATIONS = (1.0, 0.1)  # factors on the distance that surfaces may move, tried one after the other
_SAME_VOLUME = 1e-6  # relative; the triangles stay as they are


class CrossingError(UnusableError):
    """Triangles cross each other, so that nothing can be filled in between."""


def filled(patches: Patches, request: Request, journal: Journal) -> Arrays:
    """Arrays of the regions that the triangles enclose, in the file's unit.

    Args:
        patches: closed around every region, without crossings.
        request: of which the keys of sizes are read.
        journal: is told the size that is taken where none is given, and what could not be kept.

    Raises:
        CrossingError: triangles cross.
        UnusableError: there is no mesh between these triangles for another reason.
    """
    names = [name for name in patches.named_surfaces() if name]
    check_names(request, dict.fromkeys(patches.region_names), dict.fromkeys(names))
    if request["size"] is None:
        size = _default_size(patches, request["unit"], journal)
        request = request | {"size": size * request["coarsening"]}
    for deviation in _DEVIATIONS:
        made = remeshed(patches, request, deviation, journal)
        journal.lap("surface mesh")
        try:
            arrays = _tetrahedra(made, request)
        except CrossingError:
            continue
        finally:
            journal.lap("volume mesh")
        return arrays
    arrays = _tetrahedra(patches, request)
    journal.lap("volume mesh")
    journal.note("the triangles are those of the file: remeshed to the wanted size they cross each other")
    return arrays


def _default_size(patches: Patches, unit: str, journal: Journal) -> float:
    """The mean edge of the triangles, kept between a hundredth and a twentieth of the diagonal."""
    corners = patches.points[patches.triangles]
    edge = float(np.mean(np.linalg.norm(corners[:, 1] - corners[:, 0], axis=1)))
    diagonal = float(np.linalg.norm(np.ptp(corners.reshape(-1, 3), axis=0)))
    size = float(f"{min(max(edge, diagonal / 100), diagonal / 20):.2g}")
    journal.note(f'no size is given: edges of {size:g} {unit} are taken; write size = "{size:g} {unit}" or another')
    return size


def _tetrahedra(patches: Patches, request: Request) -> Arrays:
    """Tetrahedra between the triangles, which stay as they are.

    Raises:
        CrossingError: Gmsh finds no mesh.
    """
    with session(request) as gmsh:
        gmsh.model.add("filled")
        regions, surfaces = _model(gmsh, patches)
        # Sizes by region let edges grow away from finer ones; `size` alone carries those of the surface inside.
        sizes = dict.fromkeys(patches.region_names, request["size"]) | request["sizes"]
        set_background(gmsh, request | {"sizes": sizes}, regions, surfaces)
        try:
            gmsh.model.mesh.generate(3)
        except Exception as error:  # Gmsh raises no other class
            raise CrossingError(
                f"the surfaces cross or nearly touch (Gmsh: {error}); mend them, or give a smaller size"
            ) from None
        arrays = current_mesh(gmsh)
    _check_volumes(arrays, patches)
    return arrays


def _model(gmsh: Any, patches: Patches) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    """Give Gmsh the triangles and the volumes between them; tags of each region and outer surface by name."""
    shell, space = spaces(patches.points, patches.triangles)
    groups = np.column_stack([patches.patch, shell.reshape(-1, 2)])
    _, first, face = np.unique(groups, axis=0, return_index=True, return_inverse=True)
    face = face.ravel()
    tags = np.array([gmsh.model.addDiscreteEntity(2) for _ in first])
    gmsh.model.mesh.addNodes(2, tags[0], np.arange(1, len(patches.points) + 1), patches.points.ravel())
    for i, tag in enumerate(tags):
        gmsh.model.mesh.addElementsByType(tag, 2, [], (patches.triangles[face == i] + 1).ravel())
    regions: dict[str, list[int]] = {name: [] for name in patches.region_names}
    region = np.array(patches.sides)[patches.patch][:, ::-1].ravel()  # side 2 t is before triangle t
    for i in range(1, space.max() + 1):
        own = np.flatnonzero(space == i)
        inside = np.unique(region[own])
        if len(inside) > 1:
            raise CrossingError("the surfaces cross each other: a space between them is in two regions")
        if inside[0] >= 0:
            loops = [np.unique(tags[face[own[shell[own] == j] // 2]]) for j in np.unique(shell[own])]
            regions[patches.region_names[inside[0]]].append(_volume(gmsh, loops))
    gmsh.model.geo.synchronize()
    surfaces: dict[str, list[int]] = {}
    for tag, patch in zip(tags, patches.patch[first], strict=True):
        if patches.named_surfaces()[patch]:
            surfaces.setdefault(patches.named_surfaces()[patch], []).append(int(tag))
    for dimension, named in ((3, regions), (2, surfaces)):
        for name, found in named.items():
            gmsh.model.addPhysicalGroup(dimension, found, name=name)
    return regions, surfaces


def _volume(gmsh: Any, loops: Iterable[Indices]) -> int:
    """Tag of the volume between an outer loop of faces and those of its holes."""
    tag: int = gmsh.model.geo.addVolume([gmsh.model.geo.addSurfaceLoop(loop.tolist()) for loop in loops])
    return tag


def _check_volumes(arrays: Arrays, patches: Patches) -> None:
    """Refuse a mesh that does not fill what the triangles enclose."""
    corners = arrays["points"][arrays["cells"]]
    volume = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])) / 6.0
    for i, (name, wanted) in enumerate(zip(patches.region_names, patches.volumes(), strict=True)):
        index = list(arrays["region_names"]).index(name)
        found = float(volume[arrays["cell_region"] == index].sum())
        if abs(found - wanted) > _SAME_VOLUME * abs(wanted):
            raise CrossingError(f'region "{patches.region_names[i]}" can\'t be filled; its surface crosses itself or another')
