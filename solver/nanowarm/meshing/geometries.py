"""Recipes and CAD files to arrays: opened, given their sizes, and meshed by Gmsh."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nanowarm.meshing.cad_names import check_whole, name_solids, open_cad
from nanowarm.meshing.gmsh_session import current_mesh, session
from nanowarm.meshing.journal import Arrays, Journal, Request, UnusableError
from nanowarm.meshing.mesh_request import RECIPES
from nanowarm.meshing.sizes import GROWTH, boundary, place_faces, set_background, usual_size, volume_sizes

_MOST_CELLS = 11e6  # of the two million nodes that mesh_checks.py allows
_SLACK = 2.0  # by which the number of cells may be estimated wrongly
_CELLS = 6.0 * math.sqrt(2.0)  # regular tetrahedra of edge 1 that fill a volume of 1
_TRIED = 20_000  # cells that are looked at for others in the same place
_NEAR = 20  # of which these many neighbours
_FLAT = 1e-6  # over the cube of its edge: volume below which a cell contains nothing
_GAP = 0.01  # over the mean edge: distance of nodes of two volumes below which they were meant to touch


def arrays(request: Request, journal: Journal) -> Arrays:
    """Arrays of a geometry that Gmsh meshes.

    Raises:
        UnusableError: the file is damaged or holds no body, its sizes can't be met, or it can't be meshed.
    """
    file = Path(request["file"])
    recipe = file.suffix.lower() in RECIPES
    if recipe:
        _check_end(file)
    else:
        check_whole(file)
    with session(request) as gmsh:
        if recipe:
            gmsh.open(str(file))
        else:
            open_cad(gmsh, file, request["unit"])
            name_solids(gmsh, request["unit"], journal)
        if not gmsh.model.getEntities(3):
            raise UnusableError("the geometry has no volume; add one")
        journal.lap("read")
        regions, surfaces = _regions(gmsh), _surfaces(gmsh)
        set_background(gmsh, request, regions, surfaces)
        gmsh.option.setNumber("Mesh.MeshSizeFactor", request["coarsening"])
        _refuse_too_many(gmsh, request, regions, surfaces)
        for dimension, step in ((1, "curve mesh"), (2, "surface mesh"), (3, "volume mesh")):
            _generate(gmsh, dimension)
            journal.lap(step)
        mesh = current_mesh(gmsh)
        if len(gmsh.model.getEntities(3)) > 1:
            _refuse_overlap(mesh)
            _note_gaps(gmsh, request["unit"], journal)
        return mesh


def _check_end(recipe: Path) -> None:
    """Refuse a recipe whose last line Gmsh would not read to its end.

    Raises:
        UnusableError: several statements are on it, and no line break after them.
    """
    last = recipe.read_bytes().rsplit(b"\n", 1)[-1]
    if last.split(b"//")[0].count(b";") > 1:
        raise UnusableError(
            "the last line has several statements and no line break, and Gmsh reads only the first; end it with one"
        )


def _generate(gmsh: Any, dimension: int) -> None:
    """Mesh the entities of a dimension.

    Raises:
        UnusableError: Gmsh can't.
    """
    try:
        gmsh.model.mesh.generate(dimension)
    except Exception as error:  # Gmsh raises no other class
        what = "the inside of the faces" if dimension == 3 else "a face or curve"
        raise UnusableError(
            f"{what} can't be meshed: most often faces cross or nearly touch; repair them in the CAD program or recipe, "
            f"or try a smaller size (Gmsh: {str(error).strip() or 'no reason given'})"
        ) from None


def _refuse_overlap(mesh: Arrays) -> None:
    """Refuse volumes that lie in each other without having been divided: their cells would be there twice.

    Raises:
        UnusableError: a cell has its centre in another cell.
    """
    from scipy.spatial import cKDTree

    corners = mesh["points"][mesh["cells"]]
    centres = corners.mean(axis=1)
    tried = np.arange(0, len(centres), 1 + len(centres) // _TRIED)
    near = cKDTree(centres).query(centres[tried], k=min(_NEAR, len(centres)))[1][:, 1:]
    tried, other = np.repeat(tried, near.shape[1]), near.ravel()
    sides = corners[other, 1:] - corners[other, :1]
    full = np.abs(np.linalg.det(sides)) > _FLAT * np.abs(sides).max(axis=(1, 2)) ** 3
    tried, other, sides = tried[full], other[full], sides[full]
    from_corner = centres[tried] - corners[other, 0]
    shares = np.linalg.solve(np.swapaxes(sides, 1, 2), from_corner[..., None])[..., 0]
    inside = np.flatnonzero((shares.min(axis=1) > _FLAT) & (shares.sum(axis=1) < 1.0 - _FLAT))
    if len(inside):
        place = ", ".join(f"{x:.4g}" for x in centres[tried[inside[0]]])
        raise UnusableError(
            f"volumes overlap around ({place}): cells are there twice; divide them (Gmsh: BooleanFragments or Coherence)"
        )


def _note_gaps(gmsh: Any, unit: str, journal: Journal) -> None:
    """Tell of volumes that nearly touch, and between which no heat flows."""
    from scipy.spatial import cKDTree

    nodes, coordinates, _ = gmsh.model.mesh.getNodes(2, -1, True)
    nodes, first = np.unique(nodes, return_index=True)
    points = coordinates.reshape(-1, 3)[first]
    tree = cKDTree(points)
    edge = float(np.median(tree.query(points, k=5)[0][:, 4]))  # of the nearest four, most are a cell away
    pairs = tree.query_pairs(_GAP * edge, output_type="ndarray")
    together = np.zeros(len(pairs), bool)
    for _, volume in gmsh.model.getEntities(3):
        own = np.concatenate([gmsh.model.mesh.getNodes(2, face, True)[0] for face in boundary(gmsh, 3, [volume])])
        together |= np.isin(nodes[pairs], own).all(axis=1)
    apart = pairs[~together]
    if len(apart):
        a, b = points[apart[0]]
        place = ", ".join(f"{x:.4g}" for x in a)
        distance = float(np.linalg.norm(a - b))
        journal.note(
            f"volumes are only {distance:.2g} {unit} apart at ({place}): no heat flows there; close the gap if it should"
        )


def _groups(gmsh: Any, dimension: int) -> dict[str, list[int]]:
    """Tags of the entities of each physical group of a dimension, by its name."""
    found: dict[str, list[int]] = {}
    for _, group in gmsh.model.getPhysicalGroups(dimension):
        name = gmsh.model.getPhysicalName(dimension, group) or str(group)
        found[name] = [int(tag) for tag in gmsh.model.getEntitiesForPhysicalGroup(dimension, group)]
    return found


def _regions(gmsh: Any) -> dict[str, list[int]]:
    """Tags of the volumes of each region; without names, all are the region `body`."""
    return _groups(gmsh, 3) or {"body": [tag for _, tag in gmsh.model.getEntities(3)]}


def _surfaces(gmsh: Any) -> dict[str, list[int]]:
    """Tags of the faces of each surface; outer faces of none are the surface `outer`."""
    found = _groups(gmsh, 2)
    named = {tag for tags in found.values() for tag in tags}
    outer = gmsh.model.getBoundary(gmsh.model.getEntities(3), oriented=False)
    nameless = [int(tag) for _, tag in outer if tag not in named]
    return found | ({"outer": nameless} if nameless and "outer" not in found else {})


@dataclass(frozen=True)
class _Wish:
    """A key of the section, the edge length it asks for, and about how many cells that makes.

    Args:
        key: of the section.
        size: edge length, in the file's unit.
        cells: their number.
        order: it falls with this power of the size.
    """

    key: str
    size: float
    cells: float
    order: int


def _refuse_too_many(gmsh: Any, request: Request, regions: dict[str, list[int]], surfaces: dict[str, list[int]]) -> None:
    """Refuse sizes that lead to more cells than can be used, before any are made.

    Raises:
        UnusableError: with the size that would do.
    """
    wishes = _wishes(gmsh, request, regions, surfaces)
    total = sum(wish.cells for wish in wishes)
    if total <= _SLACK * _MOST_CELLS:
        return
    worst = max(wishes, key=lambda wish: wish.cells)
    unit, enough = request["unit"], worst.size * (total / _MOST_CELLS) ** (1.0 / worst.order)
    raise UnusableError(
        f"mesh.{worst.key} = {worst.size:.3g} {unit} would make about {total / 1e6:,.0f} million cells, more than "
        f"{_MOST_CELLS / 1e6:g} million; give {enough:.2g} {unit} or more, and use refine"
    )


def _wishes(gmsh: Any, request: Request, regions: dict[str, list[int]], surfaces: dict[str, list[int]]) -> list[_Wish]:
    """What each key of the section asks for."""
    inside: dict[tuple[str, float], float] = defaultdict(float)
    for tag, (size, key) in volume_sizes(gmsh, request, regions).items():
        inside[key, size] += _CELLS * _extent(gmsh, 3, [tag]) / size**3
    found = [_Wish(key, size, cells, 3) for (key, size), cells in inside.items()]
    for name in request["sizes"].keys() & surfaces.keys():
        size = request["sizes"][name]
        found.append(_Wish(f"sizes.{name}", size, _layer(_extent(gmsh, 2, surfaces[name]), size, GROWTH), 2))
    usual = usual_size(gmsh, request)
    for i, place in enumerate(request["graded"]):
        if place["near"] is not None and place["size"] < usual:
            area = _extent(gmsh, 2, place_faces(gmsh, place["near"], regions, surfaces))
            growth = (usual - place["size"]) / place["over"]
            found.append(_Wish(f"graded.{i}.size", place["size"], _layer(area, place["size"], growth), 2))
    return found


def _layer(area: float, size: float, growth: float) -> float:
    """Cells between a surface and infinity: the integral of area / (size + growth distance)^3, times `_CELLS`."""
    return _CELLS * area / (2.0 * growth * size**2)


def _extent(gmsh: Any, dimension: int, tags: Sequence[int]) -> float:
    """Volume or area of entities; of those not drawn with OpenCASCADE, a tenth of what their boxes would allow."""
    drawn = set(gmsh.model.occ.getEntities(dimension))
    total = 0.0
    for tag in tags:
        if (dimension, tag) in drawn:
            total += gmsh.model.occ.getMass(dimension, tag)
        else:
            low, high = np.array(gmsh.model.getBoundingBox(dimension, tag)).reshape(2, 3)
            total += float(np.sort(high - low)[3 - dimension :].prod()) / 10.0
    return total
