"""Volume meshes in the formats of Gmsh, meshio and VTK, to arrays."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from nanowarm.meshing.abaqus_files import read_abaqus
from nanowarm.meshing.format_gaps import completed
from nanowarm.meshing.gmsh_session import with_named_facets
from nanowarm.meshing.journal import Arrays, Journal, Request, UnusableError
from nanowarm.meshing.mesh_cells import simplices
from nanowarm.meshing.mesh_companions import companions
from nanowarm.meshing.mesh_labels import Named, names_of_elements, with_point_sets
from nanowarm.meshing.mesh_readers import UnreadableError, read_by_gmsh, read_by_meshio
from nanowarm.meshing.vtk_meshes import EXODUS_FILES, read_by_vtk
from nanowarm.meshing.xdmf_grids import read_grids

_Reading = Callable[[Request, Journal], Arrays]
_OF_GMSH = (b"$MeshFormat", b"$Comments", b"$NOD")  # first words of .msh; Gmsh runs any other text as a recipe
_NASTRAN = (".bdf", ".nas", ".fem")
_GMSH_ONLY = (".unv",)
_GMSH_TOO = (".cgns", ".med", ".bdf", ".nas", ".mesh", ".meshb")  # of these, Gmsh reads some that meshio refuses
_GMSH_FIRST = (".cgns",)
# Formats of meshio by the first bytes of a file, whatever it is called.
_BY_CONTENT = {b'"PUnstructuredGrid"': ("pvtu",), b"<VTKFile": ("vtu",), b"# vtk DataFile": ("vtk",)}


def arrays(request: Request, journal: Journal) -> Arrays:
    """Arrays of a mesh of volumes with the names or numbers of its regions and surfaces.

    Raises:
        UnusableError: no program can read it, or it is no mesh of volumes.
    """
    file = Path(request["file"])
    absent = [other.name for other in companions(file) if not other.is_file()]
    if absent:
        raise UnusableError(f"it needs {', '.join(absent)} beside it; put them into the same folder")
    reasons = []
    for reading in _readings(file):
        try:
            return reading(request, journal)
        except UnreadableError as error:
            reasons.append(str(error))
    raise UnusableError(reasons[0])


def _readings(file: Path) -> list[_Reading]:
    """Ways to read a file, the one that keeps most of it first."""
    suffix = file.suffix.lower()
    with file.open("rb") as stream:
        head = stream.read(2000)
    formats = next((names for mark, names in _BY_CONTENT.items() if mark in head), ())
    if formats:
        return [partial(_by_meshio, formats), _by_vtk]
    if suffix == ".msh":
        if head.startswith(_OF_GMSH):
            return [read_by_gmsh]
        raise UnusableError(_no_mesh_of_gmsh(head))
    if suffix == ".inp":
        return [_by_abaqus] if b"*" in head else [partial(_by_meshio, ("avsucd",))]
    if suffix in EXODUS_FILES or suffix == ".vtkhdf":
        return [_by_vtk]
    if suffix in _NASTRAN and b"ENDDATA" not in file.read_bytes()[-2000:].upper():
        raise UnusableError("it is cut short (it does not end with ENDDATA); export it again")
    ways: list[_Reading] = [] if suffix in _GMSH_ONLY else [partial(_by_meshio, ())]
    if suffix in (".xdmf", ".xmf"):
        ways.append(_by_grids)
    # Gmsh goes by suffixes in small or in capital letters and runs any other file as a recipe.
    if suffix in (*_GMSH_ONLY, *_GMSH_TOO) and file.suffix in (suffix, suffix.upper()):
        ways.append(read_by_gmsh)
    return ways[::-1] if suffix in _GMSH_FIRST else ways


def _no_mesh_of_gmsh(head: bytes) -> str:
    if head.lstrip().startswith(b"("):
        return "it is a mesh of Ansys Fluent, which nanowarm can't read; export it as CGNS, Nastran (.bdf) or Gmsh .msh"
    return "it is no mesh of Gmsh (it does not begin with $MeshFormat); export it as .msh 4.1"


def _by_meshio(formats: tuple[str, ...], request: Request, journal: Journal) -> Arrays:
    file = Path(request["file"])
    try:
        mesh = completed(read_by_meshio(file, formats), file)
    except (OSError, ValueError, IndexError) as error:
        raise UnreadableError(f"it can't be read ({str(error)[:100]}); export it again") from None
    return _arrays_of(mesh, journal)


def _by_abaqus(request: Request, journal: Journal) -> Arrays:
    return _arrays_of(read_abaqus(Path(request["file"])), journal)


def _by_grids(request: Request, journal: Journal) -> Arrays:
    return _arrays_of(read_grids(Path(request["file"])), journal)


def _by_vtk(request: Request, journal: Journal) -> Arrays:
    return _arrays_of(read_by_vtk(Path(request["file"])), journal)


def _arrays_of(mesh: Any, journal: Journal) -> Arrays:
    """Arrays of a mesh of meshio."""
    journal.lap("read")
    solids = _blocks(mesh, 3)
    if not solids:
        raise UnusableError(_without_volumes(mesh))
    points = np.zeros((len(mesh.points), 3))
    points[:, : mesh.points.shape[1]] = mesh.points
    cells, triangles = simplices(solids, 3, journal), simplices(_blocks(mesh, 2), 2, journal)
    regions, surfaces = names_of_elements(mesh, 3, journal), names_of_elements(mesh, 2, journal)
    if not regions.names:
        journal.note("the file names no regions: all cells are the region 'body'")
    cell_region = regions.index[cells.parent]
    facets, named = with_point_sets(mesh, cells, triangles, Named(surfaces.index[triangles.parent], surfaces.names), cell_region)
    journal.lap("names")
    return with_named_facets(
        {
            "points": points,
            "cells": cells.nodes,
            "cell_region": cell_region,
            "facets": facets,
            "facet_surface": named.index,
            "region_names": np.array(regions.names, str),
            "surface_names": np.array(named.names, str),
        }
    )


def _blocks(mesh: Any, dimension: int) -> list[tuple[str, Any]]:
    return [(block.type, block.data) for block in mesh.cells if block.dim == dimension]


def _without_volumes(mesh: Any) -> str:
    """What a mesh without volumes is, and what to do."""
    flat = mesh.points.shape[1] == 2 or np.ptp(mesh.points[:, 2]) == 0
    if not _blocks(mesh, 2):
        return "the mesh has neither volumes nor surfaces; export a mesh of tetrahedra"
    if flat:
        return "the mesh is two-dimensional; a mesh of volumes is needed: extrude or revolve it first"
    return "the mesh is a surface without volumes; export it as .stl, .obj, .ply or .vtp to have it filled, or mesh its volume"
