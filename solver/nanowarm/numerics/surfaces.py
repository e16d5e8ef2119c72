"""Closed surfaces to arrays: filled with tetrahedra."""

from __future__ import annotations

from typing import Any

import numpy as np

from nanowarm.numerics.gmsh_session import current_mesh, session
from nanowarm.numerics.journal import Arrays, Journal, Request


def arrays(request: Request, journal: Journal) -> Arrays:
    """Arrays of the space inside a closed surface."""
    with session(request) as gmsh:
        gmsh.open(request["file"] or next(iter(request["files"].values())))
        journal.lap("read")
        _enclose(gmsh)
        if request["size"] is not None:
            gmsh.option.setNumber("Mesh.MeshSizeMax", request["size"])
        gmsh.model.mesh.generate(3)
        journal.lap("mesh")
        return current_mesh(gmsh)


def _enclose(gmsh: Any) -> None:
    """Make a volume of the closed surface that was read."""
    gmsh.model.mesh.removeDuplicateNodes()
    gmsh.model.mesh.classifySurfaces(np.radians(40), True, True, np.pi)
    gmsh.model.mesh.createGeometry()
    loop = gmsh.model.geo.addSurfaceLoop([tag for _, tag in gmsh.model.getEntities(2)])
    gmsh.model.geo.addVolume([loop])
    gmsh.model.geo.synchronize()
