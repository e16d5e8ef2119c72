"""Recipes, CAD files and Gmsh's own meshes to arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nanowarm.numerics.gmsh_session import current_mesh, session
from nanowarm.numerics.journal import Arrays, Journal, Request, UnusableError


def arrays(request: Request, journal: Journal) -> Arrays:
    """Arrays of a geometry that Gmsh meshes, or of a mesh in its own format."""
    with session(request) as gmsh:
        gmsh.open(request["file"])
        journal.lap("read")
        if Path(request["file"]).suffix.lower() != ".msh":
            _generate(gmsh, request["size"])
            journal.lap("mesh")
        return current_mesh(gmsh)


def _generate(gmsh: Any, size: float | None) -> None:
    """Mesh the geometry with linear tetrahedra of at most `size`, in the file's unit."""
    if not gmsh.model.getEntities(3):
        raise UnusableError("the geometry has no volume; add one")
    if size is not None:
        gmsh.option.setNumber("Mesh.MeshSizeMax", size)
        if gmsh.option.getNumber("Mesh.MeshSizeMin") > size:
            gmsh.option.setNumber("Mesh.MeshSizeMin", 0)
    gmsh.model.mesh.generate(3)
