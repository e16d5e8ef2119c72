"""The vial of the benchmark: a cylinder of frozen gel warmed by nanoparticles and by the air around it.

Every program of `make bench` computes this problem on the same mesh arrays. Temperatures are in degC,
everything else in SI. Variant A has constant properties, variant B temperature-dependent ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Property = Callable[[Array], Array]

RADIUS = 0.020  # m
HEIGHT = 0.064  # m; with RADIUS, 80 mL
VOLUME = np.pi * RADIUS**2 * HEIGHT  # m3
DENSITY = 1100.0  # kg/m3
INITIAL = -150.0  # degC
AMBIENT = 20.0  # degC
HEAT_TRANSFER_COEFFICIENT = 20.0  # W/m2K, on the whole surface
DURATION = 120  # s
TIME_STEP = 1.0  # s, of the implicit peers
RELATIVE_TOLERANCE = 1e-6  # of their linear solves, to the right-hand side: 0.004 K at most against 1e-10
SAMPLE_STEP = 1.0  # s between the samples every program reports
WINDOW = (-100.0, -20.0)  # degC, where the slowest warming rate is sought
VARIANTS = ("A", "B")
TARGETS = {"50k": 50_000, "400k": 400_000, "2M": 2_000_000}  # tetrahedra
HXT_FROM = 1_000_000  # tetrahedra; above it Gmsh's parallel algorithm, below it Delaunay


@dataclass(frozen=True)
class Properties:
    """What a variant is made of, each a function of temperature [degC].

    Attributes:
        heat_capacity: cp [J/kgK].
        conductivity: k [W/mK].
        heating: q [W/m3].
    """

    heat_capacity: Property
    conductivity: Property
    heating: Property


@dataclass(frozen=True)
class VialMesh:
    """The arrays every program starts from.

    Attributes:
        points: coordinates [m], shape (nodes, 3).
        cells: node numbers of the tetrahedra, shape (cells, 4).
        triangles: node numbers of the surface triangles, shape (triangles, 3).
    """

    points: Array
    cells: NDArray[np.int64]
    triangles: NDArray[np.int64]


def smooth_step(x: Array) -> Array:
    """S(x) = (1 + tanh x)/2, rising from 0 to 1."""
    return 0.5 * (1.0 + np.tanh(x))


def heat_capacity(temperature: Array) -> Array:
    """Heat capacity cp of variant B [J/kgK]: a step at the glass transition."""
    return 1000.0 + 1500.0 * smooth_step((temperature + 123.0) / 4.0)


def conductivity(temperature: Array) -> Array:
    """Conductivity k of variant B [W/mK]."""
    return 0.25 + 0.10 * smooth_step((temperature + 123.0) / 8.0)


def heating(temperature: Array) -> Array:
    """Power density q of variant B [W/m3]."""
    return 5e6 * (0.7 + 0.3 * np.exp(-(((temperature + 60.0) / 60.0) ** 2)))


def constant(value: float) -> Property:
    """A property that does not depend on temperature."""
    return lambda temperature: np.full_like(temperature, value, dtype=np.float64)


PROPERTIES = {
    "A": Properties(constant(2000.0), constant(0.3), constant(5e6)),
    "B": Properties(heat_capacity, conductivity, heating),
}


def vial_mesh(name: str, folder: Path) -> VialMesh:
    """The mesh `name` of TARGETS; made by Gmsh and kept in `folder` when it is not there yet.

    Beside the `.npz` of arrays lies a `.msh` of the same nodes with the groups "gel" and "surface".
    """
    path = folder / f"vial-{name}.npz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _generate(TARGETS[name], path)
    with np.load(path) as arrays:
        return VialMesh(arrays["points"], arrays["cells"], arrays["triangles"])


def _generate(target: int, path: Path) -> None:
    """Mesh the cylinder with about `target` tetrahedra (within 5 %) and write `.npz` and `.msh`."""
    import gmsh

    size = (VOLUME / (0.11 * target)) ** (1 / 3)  # a regular tetrahedron fills 0.118 size^3
    gmsh.initialize()
    try:
        gmsh.option.setNumber("General.Verbosity", 2)
        for _ in range(3):
            mesh = _gmsh_cylinder(size, hxt=target >= HXT_FROM)
            ratio = len(mesh.cells) / target
            if abs(ratio - 1.0) < 0.05:
                break
            size *= ratio ** (1 / 3)
        gmsh.option.setNumber("Mesh.Binary", 1)
        gmsh.write(str(path.with_suffix(".msh")))
    finally:
        gmsh.finalize()
    np.savez(path, points=mesh.points, cells=mesh.cells, triangles=mesh.triangles)


def _gmsh_cylinder(size: float, hxt: bool) -> VialMesh:
    """The cylinder meshed with edges of about `size` [m]; left as Gmsh's current model."""
    import gmsh

    gmsh.clear()
    solid = gmsh.model.occ.addCylinder(0, 0, 0, 0, 0, HEIGHT, RADIUS)
    gmsh.model.occ.synchronize()
    surfaces = [tag for _, tag in gmsh.model.getEntities(2)]
    gmsh.model.addPhysicalGroup(3, [solid], name="gel")
    gmsh.model.addPhysicalGroup(2, surfaces, name="surface")
    gmsh.option.setNumber("Mesh.MeshSizeMin", size)
    gmsh.option.setNumber("Mesh.MeshSizeMax", size)
    gmsh.option.setNumber("Mesh.Algorithm3D", 10 if hxt else 1)
    gmsh.option.setNumber("General.NumThreads", 2 if hxt else 1)
    gmsh.model.mesh.generate(3)
    tags, coordinates, _ = gmsh.model.mesh.getNodes()
    position = np.zeros(int(tags.max()) + 1, dtype=np.int64)
    position[tags] = np.arange(len(tags))
    _, tetrahedra = gmsh.model.mesh.getElementsByType(4)
    _, triangles = gmsh.model.mesh.getElementsByType(2)
    return VialMesh(
        np.ascontiguousarray(coordinates.reshape(-1, 3)),
        position[tetrahedra].reshape(-1, 4),
        position[triangles].reshape(-1, 3),
    )
