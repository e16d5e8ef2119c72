"""Programs that read mesh files: meshio, Gmsh and VTK, each for the formats that it reads best."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import numpy as np

from nanowarm.meshing.gmsh_session import current_mesh, session
from nanowarm.meshing.journal import Arrays, Journal, Request, UnusableError
from nanowarm.meshing.mesh_cells import simplices

_GMSH_SHAPES = {
    "Tetrahedron": "tetra",
    "Hexahedron": "hexahedron",
    "Prism": "wedge",
    "Pyramid": "pyramid",
    "Triangle": "triangle",
    "Quadrilateral": "quad",
}
_GMSH_SIMPLEX = {2: 2, 3: 4}  # Gmsh's number of the linear triangle and of the linear tetrahedron


class UnreadableError(UnusableError):
    """A program can't read the file; another one may."""


def read_by_meshio(file: Path, formats: tuple[str, ...] = ()) -> Any:
    """Mesh of meshio.

    Args:
        file: to read.
        formats: names in meshio to try one after the other; by the file's suffix where none is given.

    Raises:
        UnreadableError: meshio fails with all of them.
    """
    reason = ""
    for name in formats or (None,):
        try:
            return _attempt(file, name)
        except UnreadableError as error:
            reason = reason or str(error)
    raise UnreadableError(reason)


def _attempt(file: Path, name: str | None) -> Any:
    import meshio

    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), np.errstate(all="ignore"):
            mesh = meshio.read(file, file_format=name)
    except (Exception, SystemExit) as error:  # meshio's readers raise anything, and exit
        lines = [line for line in said.getvalue().splitlines() if line.strip()]
        reason = str(error).strip()
        if isinstance(error, SystemExit) or not reason:
            reason = lines[-1].strip() if lines else "it is damaged or of another format"
        raise UnreadableError(f"meshio can't read it ({reason[:200]}); export it as .msh") from None
    if len(mesh.points) == 0 or not mesh.cells:
        raise UnreadableError("meshio can't read it (it found no cells); export it as .msh")
    return mesh


def read_by_gmsh(request: Request, journal: Journal) -> Arrays:
    """Arrays of a mesh that Gmsh reads; its physical names, else the numbers of its parts."""
    file = Path(request["file"])
    with session(request) as gmsh:
        try:
            gmsh.open(str(file))
        except Exception as error:  # Gmsh raises no other class
            raise UnreadableError(
                f"Gmsh can't read it ({str(error).strip()[:200] or 'no reason given'}); export it again"
            ) from None
        if not gmsh.model.mesh.getNodes()[0].size:
            raise UnreadableError("Gmsh can't read it (it found no nodes); export it again")
        journal.lap("read")
        for dimension in (3, 2):
            _only_simplices(gmsh, dimension, journal)
            if file.suffix.lower() != ".msh":
                _name_by_number(gmsh, dimension)
        arrays = current_mesh(gmsh)
        journal.lap("names")
    for names in ("region_names", "surface_names"):
        arrays[names] = np.array([str(name).strip() for name in arrays[names]], str)  # MED pads them
    return arrays


def _only_simplices(gmsh: Any, dimension: int, journal: Journal) -> None:
    """Replace the elements of Gmsh's mesh that are no linear simplices."""
    blocks, owners = [], []
    for _, entity in gmsh.model.getEntities(dimension):
        kinds, _, nodes = gmsh.model.mesh.getElements(dimension, entity)
        for kind, flat in zip(kinds, nodes, strict=True):
            name, _, _, count, *_ = gmsh.model.mesh.getElementProperties(kind)
            shape = _GMSH_SHAPES.get(name.split()[0], name)
            blocks.append((shape, flat.reshape(-1, count).astype(np.int64)))
            owners.append(np.full(len(blocks[-1][1]), entity))
    made = simplices(blocks, dimension, journal)
    if all(shape in ("tetra", "triangle") for shape, _ in blocks):
        return
    owner = np.concatenate(owners)[made.parent]
    for entity in np.unique(owner):
        gmsh.model.mesh.removeElements(dimension, int(entity))
        gmsh.model.mesh.addElementsByType(int(entity), _GMSH_SIMPLEX[dimension], [], made.nodes[owner == entity].ravel())


def _name_by_number(gmsh: Any, dimension: int) -> None:
    """Make a physical group of each part, where the format has numbers only."""
    if not gmsh.model.getPhysicalGroups(dimension):
        for _, entity in gmsh.model.getEntities(dimension):
            if gmsh.model.mesh.getElements(dimension, entity)[0].size:
                gmsh.model.addPhysicalGroup(dimension, [entity], entity)
