"""A case as a radial or a lumped model: what a coarse mesh says of its body."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nanowarm.case import Case, check_names
from nanowarm.errors import CaseError, MeshError
from nanowarm.mesh_section import MeshInput
from nanowarm.meshing.mesh_request import kind_of
from nanowarm.meshing.raw_mesh import MadeMesh, make_mesh
from nanowarm.numerics.inner_spheres import largest_inner_sphere
from nanowarm.numerics.lines import LineOperators, Represented, Sector, Shape, line_of, point_of
from nanowarm.numerics.mesh import distribute
from nanowarm.numerics.operators import Operators, assemble
from nanowarm.numerics.stack import MPI
from nanowarm.numerics.surface_distance import SurfaceDistance

Array = NDArray[np.float64]
ModelName = Literal["lumped", "radial"]

COARSENING = 2.0  # times the edges of the case's own mesh: an eighth of its cells
MOST_COARSENING = 10.0  # of the key in the case file
TOUCHING = 1e-2  # of a region's volume to the power 2/3: contact with a surface that is more than a rim
MOST_EXPONENT = 2.0  # of a convex body, see `lines`


@dataclass(frozen=True, eq=False)
class Body:
    """The body of a case, as a mesh shows it that is coarser than that of a run where one can be made.

    Args:
        operators: the integrals over that mesh.
        made: where it came from.
        coarser: whether it is coarser than the case's own.
    """

    operators: Operators
    made: MadeMesh
    coarser: bool

    @cached_property
    def volumes(self) -> dict[str, float]:
        """Volume [m3] of each region."""
        return {name: float(mass.sum()) for name, mass in self.operators.mass.items()}

    @cached_property
    def areas(self) -> dict[str, float]:
        """Area [m2] of each outer surface."""
        return {name: float(area.sum()) for name, area in self.operators.surface_area.items()}

    def mean(self, nodal: Array, region: str) -> float:
        """Mean over the volume of a region of values at the nodes of the mesh."""
        return float(nodal @ self.operators.mass[region]) / self.volumes[region]

    def strengths(self, pattern: Callable[[Array], Array]) -> dict[str, float]:
        """Root of the mean square of a field's pattern over each region."""
        squares = pattern(self.operators.position) ** 2
        return {name: float(np.sqrt(self.mean(squares, name))) for name in self.volumes}

    def distance(self, surfaces: Iterable[str]) -> SurfaceDistance:
        """Distance [m] of points from the nearest of some outer surfaces."""
        return SurfaceDistance(np.concatenate([self._triangles(name) for name in surfaces]))

    def from_outside(self, surfaces: Iterable[str]) -> list[str]:
        """The regions from the outermost inwards: by how many others lie between them and some surfaces, then by contact."""
        mass, exposed = self.operators.mass, dict.fromkeys(self.volumes, 0.0)
        for name in surfaces:
            nodes, area = self.operators.surface_nodes[name], self.operators.surface_area[name]
            whole = sum(part[nodes] for part in mass.values())
            for region in exposed:
                exposed[region] += float(area @ (mass[region][nodes] / whole)) / self.volumes[region] ** (2.0 / 3.0)
        layers = [{region for region, share in exposed.items() if share > TOUCHING}]
        while layers[-1] and set().union(*layers) != set(exposed):
            left = set(exposed) - set().union(*layers)
            layers.append({n for n in left if any(((mass[n] > 0) & (mass[o] > 0)).sum() >= 3 for o in layers[-1])})
        layers.append(set(exposed) - set().union(*layers))  # parts that nothing joins to the rest
        return [name for layer in layers for name in sorted(layer, key=lambda name: (-exposed[name], name))]

    def _triangles(self, surface: str) -> Array:
        """Corners [m] of an outer surface's facets, shape (facets, 3, 3)."""
        cells, corners = self.operators.mesh.facets(surface)
        return np.asarray(self.operators.position[self.operators.space.dofmap.list[cells[:, None], corners]])

    @cached_property
    def cells(self) -> NDArray[np.int32]:
        """Nodes of the cells, shape (cells, 4)."""
        return np.asarray(self.operators.space.dofmap.list)


def body_of(case: Case) -> Body:
    """The body of a case, meshed on this process alone.

    Raises:
        CaseError, MeshError: the geometry can't be used, or its names are others.
    """
    made, coarser = _mesh(case)
    operators = assemble(distribute(made.mesh, MPI.COMM_SELF))
    check_names(case, operators.mesh.region_names, operators.mesh.surface_names)
    return Body(operators, made, coarser)


def _mesh(case: Case) -> tuple[MadeMesh, bool]:
    """A mesh of the case's geometry that is coarser than its own, where that can be made with all regions; whether it is."""
    own: MeshInput = case.input.mesh.model_copy(update={"refine": 0})
    wider = min(COARSENING * own.coarsening, MOST_COARSENING)
    if kind_of(case.mesh_files[0]) != "mesh":
        try:
            made = make_mesh(own.model_copy(update={"coarsening": wider}), case.folder)
        except MeshError:
            return make_mesh(own, case.folder), False  # which tells what is wrong, or is fine enough
        if set(made.mesh.region_names) >= set(case.regions):
            return made, True
    return make_mesh(own, case.folder), False


@dataclass(frozen=True, eq=False)
class ModelledBody:
    """The body of a case as a model sees it.

    Args:
        body: of the case.
        line: the integrals of the model.
        about: what is simplified about the body, in sentences.
    """

    body: Body
    line: LineOperators
    about: tuple[str, ...]


def modelled(case: Case, body: Body, model: ModelName) -> ModelledBody:
    """The body of a case as a model sees it.

    Raises:
        CaseError: the model can't have a surface that the case asks for.
    """
    sectors = sectors_of(case, body)
    if model == "lumped":
        _refuse_held(case)
        one = Represented(body.strengths, lambda point: None if body.operators.around(point) is None else (0, 0.0))
        return ModelledBody(body, _completed(point_of(body.volumes, sectors, one), case), ())
    return _radial(case, body, sectors)


def sectors_of(case: Case, body: Body) -> list[Sector]:
    """The outer surfaces that ever exchange heat, those together that are always under the same conditions."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for name in body.areas:
        conditions = [stage.boundaries[name] for stage in case.stages]
        if any(condition.kind != "insulated" for condition in conditions):
            groups.setdefault(tuple(condition.model_dump_json() for condition in conditions), []).append(name)
    total = sum(body.areas[name] for names in groups.values() for name in names)
    found = [{name: body.areas[name] for name in names} for names in groups.values()]
    return [Sector(areas, sum(areas.values()) / total) for areas in found] or [Sector({}, 1.0)]


def _refuse_held(case: Case) -> None:
    """Refuse surfaces of fixed temperature: a body that is as warm everywhere would take it at once.

    Raises:
        CaseError: naming stage and surface.
    """
    for stage in case.stages:
        for name, condition in stage.boundaries.items():
            if condition.held() is not None:
                where = f"{case.path}: boundaries.{name} (stage {stage.name})"
                raise CaseError(f'{where}: a lumped model can\'t have a fixed temperature; use convection, or model = "radial"')


def _radial(case: Case, body: Body, sectors: list[Sector]) -> ModelledBody:
    """The body by depth below the surfaces that exchange heat."""
    exchanging = {name: area for sector in sectors for name, area in sector.areas.items()} or body.areas
    position, distance = body.operators.position, body.distance(exchanging)
    depth = distance(position)
    volume, area = sum(body.volumes.values()), sum(exchanging.values())
    deepest = largest_inner_sphere(body.cells, position, depth, distance)
    shape = Shape(volume, area, float(np.clip(area * deepest / volume - 1.0, 0.0, MOST_EXPONENT)))
    order = body.from_outside(exchanging)[::-1]
    regions = {name: body.volumes[name] for name in order}
    seen = _Depths(body, shape, regions, [sector.areas or exchanging for sector in sectors], depth)
    line = line_of(shape, regions, sectors, Represented(body.strengths, seen))
    return ModelledBody(body, _completed(line, case), (*_about(shape, deepest), *_about_regions(order, sectors)))


def _about(shape: Shape, deepest: float) -> list[str]:
    """What the shape of a radial model is."""
    length, n = 1e3 * shape.half_thickness, shape.exponent
    alike = "slab" if n < 0.5 else "long cylinder" if n < 1.5 else "sphere"
    found = [
        f"the body is taken as round, most like a {alike}: {1e6 * shape.volume:.4g} mL with {1e4 * shape.area:.4g} cm2 of "
        f"surface that exchanges heat, {length:.3g} mm from middle to surface, cross-section going as its power {n:.2f}"
    ]
    if abs(deepest / shape.half_thickness - 1.0) > 0.1:
        found.append(f"its deepest place is {1e3 * deepest:.3g} mm below the surface: it is far from round, trust the model less")
    return found


def _about_regions(order: list[str], sectors: list[Sector]) -> list[str]:
    """How regions and surfaces lie in a radial model."""
    found = []
    if len(order) > 1:
        found.append(f"regions are shells around each other, from the middle outwards: {', '.join(order)}")
    if len(sectors) > 1:
        names = "; ".join(f"{', '.join(sector.areas)} ({100 * sector.share:.2g} %)" for sector in sectors)
        found.append(f"surfaces under different conditions have a part of the body each, joined in the middle only: {names}")
    return found


class _Depths:
    """Where points of a body lie in its radial model: at the same share of their region's volume from the surface.

    Args:
        body: of the case.
        shape: of the model.
        regions: volumes [m3], from the innermost outwards.
        surfaces: outer surfaces of each sector.
        depth: of the nodes of the body [m].
    """

    def __init__(
        self, body: Body, shape: Shape, regions: Mapping[str, float], surfaces: list[Mapping[str, float]], depth: Array
    ) -> None:
        self._body, self._shape, self._regions, self._surfaces, self._depth = body, shape, regions, surfaces, depth

    def __call__(self, point: Array) -> tuple[int, float] | None:
        """The sector and the distance [m] from the middle of a point [m]; None for one outside the body."""
        found = self._body.operators.around(point)
        if found is None:
            return None
        nodes, mass = found[0], self._body.operators.mass
        region = max(self._regions, key=lambda name: float((mass[name][nodes] > 0.0) @ found[1]))
        depths = [float(self._body.distance(names)(point[None])[0]) for names in self._surfaces]
        outside = float(mass[region] @ (self._depth < min(depths)))
        order = list(self._regions)
        inner = sum(self._regions[name] for name in order[: order.index(region)])
        place = self._shape.place_of(np.array(inner + self._regions[region] - outside))
        return int(np.argmin(depths)), float(place)


def _completed(line: LineOperators, case: Case) -> LineOperators:
    """The line with its surfaces that never exchange heat: no node lies on them."""
    for name in {name for stage in case.stages for name in stage.boundaries} - set(line.surface_nodes):
        line.surface_nodes[name], line.surface_area[name] = np.empty(0, dtype=np.int64), np.empty(0)
    return line


__all__ = ["Body", "ModelName", "ModelledBody", "body_of", "modelled", "sectors_of"]
