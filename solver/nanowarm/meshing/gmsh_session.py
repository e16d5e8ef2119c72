"""Gmsh opened and closed, and its current mesh as arrays."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from nanowarm.meshing.journal import Arrays, Request, UnusableError

_HXT = 10  # about 5 times faster than Delaunay and better shaped at its worst; repeatable on one thread
_OPENCASCADE_UNITS = {"m": "M", "cm": "CM", "mm": "MM", "um": "UM", "inch": "INCH"}


@contextlib.contextmanager
def session(request: Request) -> Iterator[Any]:
    """Gmsh with an empty model, as the module `gmsh`; what it fails with is one line.

    Raises:
        UnusableError: Gmsh can't start, or failed.
    """
    try:
        import gmsh
    except OSError as error:
        raise UnusableError(
            f"Gmsh can't start: {error}; on Debian or Ubuntu: apt-get install libgl1 libglu1-mesa "
            "libxcursor1 libxft2 libxinerama1 libxext6 libgomp1"
        ) from None
    numbers = [text for name, value in request["parameters"].items() for text in ("-setnumber", name, repr(value))]
    gmsh.initialize(["gmsh", *numbers], readConfigFiles=False, interruptible=False)
    gmsh.option.setNumber("General.Terminal", 0)
    for name in ("General.NumThreads", "Mesh.MaxNumThreads1D", "Mesh.MaxNumThreads2D", "Mesh.MaxNumThreads3D"):
        gmsh.option.setNumber(name, request["threads"])
    gmsh.option.setString("Geometry.OCCTargetUnit", _OPENCASCADE_UNITS[request["unit"]])
    gmsh.option.setNumber("Mesh.Algorithm3D", _HXT)
    gmsh.option.setNumber("Mesh.OptimizeThreshold", 0.4)  # Gmsh's 0.3 leaves slivers in some meshes of thin layers
    gmsh.option.setNumber("Mesh.ElementOrder", 1)
    try:
        yield gmsh
    except UnusableError:
        raise
    except Exception as error:  # Gmsh raises no other class
        raise UnusableError(f"Gmsh: {str(error).strip() or 'it failed without a message'}") from None
    finally:
        gmsh.finalize()


def current_mesh(gmsh: Any) -> Arrays:
    """Arrays of Gmsh's current mesh."""
    tags, coordinates, _ = gmsh.model.mesh.getNodes()
    number = np.zeros(int(tags.max(initial=0)) + 1, np.int64)
    number[tags.astype(np.int64)] = np.arange(len(tags))
    arrays: Arrays = {"points": coordinates.reshape(-1, 3)}
    for dimension, corners, elements, labels in (
        (3, 4, "cells", "cell_region"),
        (2, 3, "facets", "facet_surface"),
    ):
        names, groups = _groups(gmsh, dimension)
        blocks = [np.empty((0, corners), np.int64)]
        indices = [np.empty(0, np.int32)]
        for _, entity in gmsh.model.getEntities(dimension):
            label = groups.get(entity, [-1])
            for block in _simplices(gmsh, dimension, entity):
                for index in label:
                    blocks.append(number[block])
                    indices.append(np.full(len(block), index, np.int32))
        arrays[elements], arrays[labels] = np.concatenate(blocks), np.concatenate(indices)
        arrays["region_names" if dimension == 3 else "surface_names"] = np.array(names, str)
    return with_named_facets(arrays)


def _groups(gmsh: Any, dimension: int) -> tuple[list[str], dict[int, list[int]]]:
    """Names of the physical groups of a dimension, and the indices of the groups of each entity."""
    names: list[str] = []
    of_entity: dict[int, list[int]] = {}
    for _, tag in gmsh.model.getPhysicalGroups(dimension):
        for entity in gmsh.model.getEntitiesForPhysicalGroup(dimension, tag):
            of_entity.setdefault(int(entity), []).append(len(names))
        names.append(gmsh.model.getPhysicalName(dimension, tag) or str(tag))
    if dimension == 3:
        for entity, groups in of_entity.items():
            if len(groups) > 1:
                both = " and ".join(repr(names[group]) for group in groups)
                raise UnusableError(f"volume {entity} is in the regions {both}; give each volume one physical name")
        volumes = [entity for _, entity in gmsh.model.getEntities(3)]
        nameless = [entity for entity in volumes if entity not in of_entity]
        if names and nameless:
            listing = ", ".join(map(str, nameless))
            raise UnusableError(
                f"{len(nameless)} of {len(volumes)} volumes have no physical name (volume {listing}); name every volume"
            )
    return names, of_entity


def _simplices(gmsh: Any, dimension: int, entity: int) -> Iterator[Any]:
    """Corner nodes of the tetrahedra or triangles of an entity, of any order."""
    kinds, _, nodes = gmsh.model.mesh.getElements(dimension, entity)
    for kind, flat in zip(kinds, nodes, strict=True):
        name, _, _, count, _, corners = gmsh.model.mesh.getElementProperties(kind)
        if corners != dimension + 1:
            if dimension == 3:
                raise UnusableError(f"the mesh has cells of type {name}; mesh it with tetrahedra only")
            continue
        yield flat.reshape(-1, count)[:, :corners].astype(np.int64)


def with_named_facets(arrays: Arrays) -> Arrays:
    """The arrays without triangles of no surface, unless triangles are all there is."""
    if len(arrays["cells"]):
        named = arrays["facet_surface"] >= 0
        arrays["facets"], arrays["facet_surface"] = arrays["facets"][named], arrays["facet_surface"][named]
    if len(arrays["region_names"]) == 0:
        arrays["region_names"] = np.array(["body"])
        arrays["cell_region"] = np.zeros(len(arrays["cells"]), np.int32)
    return arrays
