"""How long edges shall be at each place: in a region, on a surface, and growing with the distance from either.

Where nothing else is asked, edges grow away from finer ones by 0.3 of the distance, so that neighbours differ by
about 1.3 times, as in Mmg. At any place the smallest of all wishes holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanowarm.meshing.journal import Request, UnusableError
from nanowarm.model import nearest

GROWTH = 0.3  # of the edge length per distance; hgrad = 1.3 is the default of Mmg
INTERIOR = 0.75  # HXT leaves edges inside a volume 1.4 times as long as its field says, measured in a cube
_SAMPLES = 100  # points per direction by which Gmsh knows a curved face when it computes distances
_NONE = 1e22  # Gmsh's edge length where nothing is asked

Points = NDArray[np.float64]


def check_names(request: Request, regions: Mapping[str, Any], surfaces: Mapping[str, Any]) -> None:
    """Refuse sizes in or near what is not there.

    Raises:
        UnusableError: a name is neither a region nor a surface.
    """
    known = (*regions, *surfaces)
    asked = [(f"sizes.{name}", name) for name in request["sizes"]]
    asked += [(f"graded.{i}.near", place["near"]) for i, place in enumerate(request["graded"]) if place["near"] is not None]
    for key, name in asked:
        if name not in known:
            raise UnusableError(f'mesh.{key}: no region or surface "{name}"; {nearest(name, known)}')


def edge_length(
    points: Points, request: Request, regions: Mapping[str, Points], surfaces: Mapping[str, Points] | None = None
) -> Points:
    """Wanted edge length at points, in the file's unit, shape (points,).

    Args:
        points: shape (points, 3), in the file's unit.
        request: its `size` must be given.
        regions: points in and on each region, shape (any, 3); a point of `points` that is among them is in the region.
        surfaces: points on each surface, the same way.

    Raises:
        UnusableError: see `check_names`.
    """
    from scipy.spatial import cKDTree

    surfaces = surfaces or {}
    check_names(request, regions, surfaces)
    places = {**surfaces, **regions}
    distance = {name: cKDTree(places[name]).query(points)[0] for name in places}
    near = 1e-9 * float(np.ptp(points, axis=0).max())
    own = np.full(len(points), np.inf)
    for name in regions:
        inside = distance[name] <= near
        own[inside] = np.minimum(own[inside], request["sizes"].get(name, request["size"]))
    own[np.isinf(own)] = request["size"]
    wanted = own.copy()
    for name, size in request["sizes"].items():
        wanted = np.minimum(wanted, size + GROWTH * distance[name])
    for place in request["graded"]:
        away = distance[place["near"]] if place["point"] is None else np.linalg.norm(points - place["point"], axis=1)
        share = np.minimum(away / place["over"], 1.0)
        wanted = np.minimum(wanted, (1.0 - share) * place["size"] + share * np.maximum(own, place["size"]))
    return wanted


@dataclass(frozen=True)
class _Part:
    """Volumes in which the same edge length is wanted, and their boundary.

    Args:
        size: that length, away from finer places.
        volumes: tags.
        faces: tags of their surfaces.
        edges: tags of the curves of these.
    """

    size: float
    volumes: list[int]
    faces: list[int]
    edges: list[int]


def set_background(
    gmsh: Any, request: Request, regions: Mapping[str, Sequence[int]], surfaces: Mapping[str, Sequence[int]]
) -> None:
    """Tell Gmsh the wanted edge lengths, beside those that the geometry has of its own.

    Args:
        gmsh: the module, with the geometry, before any of it is meshed.
        request: with `size`, `sizes` and `graded`, in the unit of the geometry.
        regions: tags of the volumes of each region.
        surfaces: tags of the faces of each surface.

    Raises:
        UnusableError: see `check_names`.
    """
    check_names(request, regions, surfaces)
    if not (request["sizes"] or request["graded"]):
        if request["size"] is not None:
            _allow(gmsh, request["size"], request["size"])
        return
    wishes = volume_sizes(gmsh, request, regions)
    parts = _parts(gmsh, {tag: size for tag, (size, _) in wishes.items()})
    fields = [field for part in parts for field in _own_fields(gmsh, part)]
    for name, size in request["sizes"].items():
        fields += [_constant(gmsh, "SurfacesList", surfaces[name], size)] if name in surfaces else []
    for place in request["graded"]:
        fields += _graded_fields(gmsh, place, parts, regions, surfaces)
    least = _field(gmsh, "Min", FieldsList=fields)
    gmsh.model.mesh.field.setAsBackgroundMesh(least)
    # Sizes carried in from the boundary would make a coarse region within a fine one fine all through.
    gmsh.option.setNumber("Mesh.MeshSizeExtendFromBoundary", 0)
    wanted = [part.size for part in parts]
    _allow(gmsh, min([*wanted, *request["sizes"].values(), *(place["size"] for place in request["graded"])]), max(wanted))


def usual_size(gmsh: Any, request: Request) -> float:
    """Edge length where the case asks for nothing in particular: `size`, or what Gmsh would take."""
    if request["size"] is not None:
        return float(request["size"])
    box = np.array(gmsh.model.getBoundingBox(-1, -1)).reshape(2, 3)
    return min(float(np.linalg.norm(box[1] - box[0])) / 10.0, gmsh.option.getNumber("Mesh.MeshSizeMax"))


def volume_sizes(gmsh: Any, request: Request, regions: Mapping[str, Sequence[int]]) -> dict[int, tuple[float, str]]:
    """Edge length wanted in each volume away from finer places, and the key of the section that asks for it."""
    wanted = {tag: (usual_size(gmsh, request), "size") for _, tag in gmsh.model.getEntities(3)}
    for name, size in request["sizes"].items():
        wanted |= dict.fromkeys(regions.get(name, ()), (size, f"sizes.{name}"))
    for i, place in enumerate(request["graded"]):
        own = (place["size"], f"graded.{i}.size")
        wanted |= {tag: min(wanted[tag], own) for tag in regions.get(place["near"], ())}
    return wanted


def _allow(gmsh: Any, least: float, most: float) -> None:
    """Edges up to `most`, and as short as `least`."""
    gmsh.option.setNumber("Mesh.MeshSizeMax", most)
    if gmsh.option.getNumber("Mesh.MeshSizeMin") > INTERIOR * least:
        gmsh.option.setNumber("Mesh.MeshSizeMin", 0)


def _parts(gmsh: Any, wanted: Mapping[int, float]) -> list[_Part]:
    parts = []
    for size in sorted(set(wanted.values())):
        volumes = [tag for tag, own in wanted.items() if own == size]
        faces = boundary(gmsh, 3, volumes)
        parts.append(_Part(size, volumes, faces, boundary(gmsh, 2, faces)))
    return parts


def boundary(gmsh: Any, dimension: int, tags: Sequence[int]) -> list[int]:
    """Tags of everything that bounds entities, each once."""
    found = gmsh.model.getBoundary([(dimension, tag) for tag in tags], combined=False, oriented=False)
    return sorted({int(tag) for _, tag in found})


def _field(gmsh: Any, kind: str, **options: Any) -> int:
    """Tag of a new size field."""
    tag: int = gmsh.model.mesh.field.add(kind)
    for name, value in options.items():
        listed = isinstance(value, list)
        (gmsh.model.mesh.field.setNumbers if listed else gmsh.model.mesh.field.setNumber)(tag, name, value)
    return tag


def _constant(gmsh: Any, entities: str, tags: Sequence[int], size: float) -> int:
    options = {entities: list(tags), "IncludeBoundary": float(entities == "SurfacesList")}
    return _field(gmsh, "Constant", VIn=size, VOut=_NONE, **options)


def _restricted(gmsh: Any, entities: str, tags: Sequence[int], field: int) -> int:
    options = {entities: list(tags), "IncludeBoundary": float(entities == "SurfacesList")}
    return _field(gmsh, "Restrict", InField=field, **options)


def _own_fields(gmsh: Any, part: _Part) -> list[int]:
    """The size of a part, inside and on its boundary, and growth towards it from whatever is finer."""
    fields = []
    for entities, tags, bounds, size in (
        ("VolumesList", part.volumes, {"SurfacesList": part.faces}, INTERIOR * part.size),
        ("SurfacesList", part.faces, {"CurvesList": part.edges}, part.size),
    ):
        grown = _field(gmsh, "Extend", SizeMax=size, DistMax=size / GROWTH, Power=1.0, **bounds)
        fields += [_constant(gmsh, entities, tags, size), _restricted(gmsh, entities, tags, grown)]
    return fields


def _graded_fields(
    gmsh: Any,
    place: Mapping[str, Any],
    parts: Sequence[_Part],
    regions: Mapping[str, Sequence[int]],
    surfaces: Mapping[str, Sequence[int]],
) -> list[int]:
    """Growth from a place to the size of each part."""
    from_surfaces = [] if place["near"] is None else place_faces(gmsh, place["near"], regions, surfaces)
    away = _field(gmsh, "Distance", SurfacesList=from_surfaces, Sampling=_SAMPLES) if from_surfaces else None
    fields = [_constant(gmsh, "SurfacesList", from_surfaces, place["size"])] if from_surfaces else []
    for part in parts:
        if part.size <= place["size"]:
            continue
        for entities, tags, scale in (("VolumesList", part.volumes, INTERIOR), ("SurfacesList", part.faces, 1.0)):
            grown = _growth(gmsh, place, away, scale, scale * part.size)
            fields.append(_restricted(gmsh, entities, tags, grown))
    return fields


def place_faces(gmsh: Any, name: str, regions: Mapping[str, Sequence[int]], surfaces: Mapping[str, Sequence[int]]) -> list[int]:
    """Tags of the faces from which the distance to a region or surface counts."""
    return boundary(gmsh, 3, regions[name]) if name in regions else list(surfaces[name])


def _growth(gmsh: Any, place: Mapping[str, Any], away: int | None, scale: float, most: float) -> int:
    """Field that grows from the size of a place, times a scale, to `most`."""
    least = scale * place["size"]
    if away is None:
        x, y, z = place["point"]
        sizes = {"VIn": least, "VOut": most, "Thickness": place["over"]}
        return _field(gmsh, "Ball", XCenter=x, YCenter=y, ZCenter=z, Radius=0.0, **sizes)
    return _field(gmsh, "Threshold", InField=away, SizeMin=least, SizeMax=most, DistMin=0.0, DistMax=place["over"])
