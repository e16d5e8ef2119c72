"""Gmsh and meshio in a process of their own: `python -m nanowarm.numerics.gmsh_process REQUEST.json OUT.npz`.

A crash, an exit or an endless loop of theirs ends this process only. The result is plain arrays in the
file's length unit; what was wrong goes to stderr as one line.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

_HXT = 10  # about 5 times faster than Delaunay and better shaped at its worst; repeatable on one thread
_OPENCASCADE_UNITS = {"m": "M", "cm": "CM", "mm": "MM", "um": "UM", "inch": "INCH"}
_GEOMETRIES = frozenset((".geo", ".geo_unrolled", ".step", ".stp", ".iges", ".igs", ".brep", ".brp", ".xao"))
_SURFACES = frozenset((".stl", ".obj"))
_REGION_DATA = (
    "gmsh:physical",
    "region",
    "medit:ref",
    "cell_tags",
    "physical",
    "CellEntityIds",
    "name_to_read",
)


class UnusableError(Exception):
    """What is wrong with the file and what to do."""


def main() -> int:
    """Exit status: 0 when the arrays were written, 2 when the file can't be used."""
    request = json.loads(Path(sys.argv[1]).read_text())
    try:
        arrays = _reader(Path(request["file"]).suffix.lower())(request)
    except UnusableError as error:
        print(error, file=sys.stderr)
        return 2
    np.savez(sys.argv[2], **arrays)
    return 0


def _reader(suffix: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return _through_gmsh if suffix in (_GEOMETRIES | _SURFACES | {".msh"}) else _through_meshio


def _through_gmsh(request: dict[str, Any]) -> dict[str, Any]:
    """Arrays of a geometry that Gmsh meshes, or of a mesh that it reads."""
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
    # More threads make another mesh each time.
    for name in (
        "General.NumThreads",
        "Mesh.MaxNumThreads1D",
        "Mesh.MaxNumThreads2D",
        "Mesh.MaxNumThreads3D",
    ):
        gmsh.option.setNumber(name, 1)
    gmsh.option.setString("Geometry.OCCTargetUnit", _OPENCASCADE_UNITS[request["unit"]])
    suffix = Path(request["file"]).suffix.lower()
    try:
        gmsh.open(request["file"])
        if suffix in _SURFACES:
            _enclose(gmsh)
        if suffix != ".msh":
            _generate(gmsh, request["size"])
    except Exception as error:  # Gmsh raises no other class
        raise UnusableError(f"Gmsh: {str(error).strip() or 'it failed without a message'}") from None
    return _gmsh_arrays(gmsh)


def _enclose(gmsh: Any) -> None:
    """Make a volume of the closed surface that was read."""
    gmsh.model.mesh.removeDuplicateNodes()
    gmsh.model.mesh.classifySurfaces(np.radians(40), True, True, np.pi)
    gmsh.model.mesh.createGeometry()
    loop = gmsh.model.geo.addSurfaceLoop([tag for _, tag in gmsh.model.getEntities(2)])
    gmsh.model.geo.addVolume([loop])
    gmsh.model.geo.synchronize()


def _generate(gmsh: Any, size: float | None) -> None:
    """Mesh the geometry with linear tetrahedra of at most `size`, in the file's unit."""
    if not gmsh.model.getEntities(3):
        raise UnusableError("the geometry has no volume; add one")
    if size is not None:
        gmsh.option.setNumber("Mesh.MeshSizeMax", size)
        if gmsh.option.getNumber("Mesh.MeshSizeMin") > size:
            gmsh.option.setNumber("Mesh.MeshSizeMin", 0)
    gmsh.option.setNumber("Mesh.Algorithm3D", _HXT)
    gmsh.option.setNumber("Mesh.ElementOrder", 1)
    gmsh.model.mesh.generate(3)


def _gmsh_arrays(gmsh: Any) -> dict[str, Any]:
    """Arrays of Gmsh's current mesh."""
    tags, coordinates, _ = gmsh.model.mesh.getNodes()
    number = np.zeros(int(tags.max(initial=0)) + 1, np.int64)
    number[tags.astype(np.int64)] = np.arange(len(tags))
    arrays: dict[str, Any] = {"points": coordinates.reshape(-1, 3)}
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
    return _only_named_facets(arrays)


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


def _through_meshio(request: dict[str, Any]) -> dict[str, Any]:
    """Arrays of a mesh in any format that meshio reads."""
    import meshio

    try:
        mesh = meshio.read(request["file"])
    except (Exception, SystemExit) as error:  # meshio's readers raise anything, and exit
        raise UnusableError(f"meshio can't read it ({str(error).strip() or 'no reason given'}); export it as .msh") from None
    solids = {block.type for block in mesh.cells if block.dim == 3 and not block.type.startswith("tetra")}
    if solids:
        raise UnusableError(f"the mesh has cells of type {', '.join(sorted(solids))}; mesh it with tetrahedra only")
    points = np.zeros((len(mesh.points), 3))
    points[:, : mesh.points.shape[1]] = mesh.points
    cells, cell_region, regions = _meshio_elements(mesh, "tetra", 3)
    facets, facet_surface, surfaces = _meshio_elements(mesh, "triangle", 2)
    return _only_named_facets(
        {
            "points": points,
            "cells": cells,
            "cell_region": cell_region,
            "facets": facets,
            "facet_surface": facet_surface,
            "region_names": np.array(regions, str),
            "surface_names": np.array(surfaces, str),
        }
    )


def _meshio_elements(mesh: Any, kind: str, dimension: int) -> tuple[Any, Any, list[str]]:
    """Corner nodes, labels and names of all elements of a kind, such as "tetra" and "tetra10"."""
    corners = dimension + 1
    blocks = [np.empty((0, corners), np.int64)]
    labels: list[Any] = [np.empty(0, object)]
    data = next((mesh.cell_data[name] for name in _REGION_DATA if name in mesh.cell_data), None)
    for i, block in enumerate(mesh.cells):
        if not (block.type.startswith(kind) and block.dim == dimension):
            continue
        named = np.full(len(block.data), "", object)
        if data is not None:
            named[:] = [_tag_name(mesh, dimension, int(tag)) for tag in np.ravel(data[i])]
        for name, members in mesh.cell_sets.items():
            if members[i] is not None and not name.startswith("gmsh:"):
                named[np.asarray(members[i], np.int64)] = name
        blocks.append(np.asarray(block.data, np.int64)[:, :corners])
        labels.append(named)
    flat = np.concatenate(labels)
    names = sorted(set(flat) - {""})
    index = {"": -1} | {name: i for i, name in enumerate(names)}
    return np.concatenate(blocks), np.array([index[name] for name in flat], np.int32), names


def _tag_name(mesh: Any, dimension: int, tag: int) -> str:
    """Name of a tag in the file's tables, else the tag itself; 0 means none."""
    for name, (number, of_dimension) in mesh.field_data.items():
        if (number, of_dimension) == (tag, dimension):
            return str(name)
    families = getattr(mesh, "cell_tags", {})  # MED only
    return str(families[tag][0]) if tag in families else (str(tag) if tag else "")


def _only_named_facets(arrays: dict[str, Any]) -> dict[str, Any]:
    """The arrays without triangles of no surface, unless triangles are all there is."""
    if len(arrays["cells"]):
        named = arrays["facet_surface"] >= 0
        arrays["facets"], arrays["facet_surface"] = arrays["facets"][named], arrays["facet_surface"][named]
    if len(arrays["region_names"]) == 0:
        arrays["region_names"] = np.array(["body"])
        arrays["cell_region"] = np.zeros(len(arrays["cells"]), np.int32)
    return arrays


if __name__ == "__main__":
    sys.exit(main())
