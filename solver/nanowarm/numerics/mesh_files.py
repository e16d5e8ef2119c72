"""Meshes in the formats that meshio reads, to arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from nanowarm.numerics.gmsh_session import with_named_facets
from nanowarm.numerics.journal import Arrays, Journal, Request, UnusableError

_REGION_DATA = (
    "gmsh:physical",
    "region",
    "medit:ref",
    "cell_tags",
    "physical",
    "CellEntityIds",
    "name_to_read",
)


def arrays(request: Request, journal: Journal) -> Arrays:
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
    journal.lap("read")
    return with_named_facets(
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
