"""CAD files in Gmsh: whether they are whole, their solids joined where they touch, and named."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanowarm.meshing.journal import Journal, UnusableError
from nanowarm.meshing.mesh_request import METRES

# How a whole file begins and ends; OpenCASCADE never returns from some that are cut short.
_WHOLE = {
    ("step", "stp"): (rb"ISO-10303-21\s*;", rb"END-ISO-10303-21\s*;\s*$"),
    ("brep", "brp"): (rb"CASCADE Topology V", rb"[+-]\d+\s+\d+\s*$"),
    ("iges", "igs"): (rb"^.{72}[SBC]\s*\d+", rb"T\s*\d+\s*$"),
    ("xao",): (rb"<XAO", rb"</XAO>\s*$"),
}
_GENERIC = re.compile(  # what programs write where the user gave no name
    r"|.*open ?cascade.*|shapes?|solid\d*|compound|compsolid|assembly|face\d*|shell\d*|none|unnamed|=?>?\[?[\d:]+\]?|nauo\d+",
    re.I,
)
_TOUCHING = 1e-5  # over the size of the body: distance below which faces are taken for one
_FLAT = 1e-9  # volume over the cube of the size of its box below which a solid has none

_Shape = NDArray[np.float64]


def check_whole(file: Path) -> None:
    """Refuse a CAD file that is cut short or something else.

    Raises:
        UnusableError: its first or last characters are not those of its format.
    """
    content = file.read_bytes()
    suffix = file.suffix.lower().lstrip(".")
    form, start, end = next((suffixes[0].upper(), *marks) for suffixes, marks in _WHOLE.items() if suffix in suffixes)
    if not re.search(start, content[:1000], re.MULTILINE):
        raise UnusableError(f"this is no {form} file (it begins with {_beginning(content)}); export it again")
    if not re.search(end, content[-1000:].rstrip(b"\0")):
        raise UnusableError(f"the {form} file is cut short; copy or export it again")


def _beginning(content: bytes) -> str:
    first = "".join(c if c.isprintable() else " " for c in content[:30].decode("latin-1")).split()
    return f'"{" ".join(first)}"'


def open_cad(gmsh: Any, file: Path, unit: str) -> None:
    """Open a CAD file with its lengths in a unit."""
    if file.suffix.lower() in (".iges", ".igs"):
        # Gmsh can't set the unit before its first STEP file; OpenCASCADE then reads IGES in mm.
        gmsh.option.setString("Geometry.OCCTargetUnit", "")
        gmsh.option.setNumber("Geometry.OCCScaling", 1e-3 / METRES[unit])
    gmsh.open(str(file))


def name_solids(gmsh: Any, unit: str, journal: Journal) -> None:
    """Make every solid of the open CAD file part of a named region, and its named faces surfaces.

    Args:
        gmsh: the module, with the file open.
        unit: of its lengths.
        journal: is told what was joined and which names were made up.

    Raises:
        UnusableError: there is no body, or two are the same.
    """
    _tolerate(gmsh)
    if not gmsh.model.getEntities(3):
        _enclose(gmsh, journal)
    _refuse_flat(gmsh)
    if gmsh.model.getPhysicalGroups():
        return  # Gmsh or SALOME wrote it, and the user chose the groups there
    tags = [tag for _, tag in gmsh.model.getEntities(3)]
    names = _names(gmsh, tags)
    faces = _named_faces(gmsh, {gmsh.model.getEntityName(3, tag).split("/")[-1] for tag in tags})
    nameless = [tag for tag in tags if names[tag] == ""]
    made_up = ["body"] if len(tags) == 1 else [f"volume{i + 1}" for i in range(len(nameless))]
    names |= dict(zip(nameless, made_up, strict=False))
    if len(tags) > 1:
        names = _divided(gmsh, names, unit, journal)
    for name in dict.fromkeys(names.values()):
        gmsh.model.addPhysicalGroup(3, [tag for tag in names if names[tag] == name], name=name)
    _name_faces(gmsh, faces, journal)
    if len(tags) > 1 and nameless:
        listing = "; ".join(_described(gmsh, name, names, unit) for name in made_up if name in names.values())
        journal.note(f"solids without a name: {listing}; other names: mesh.names")


def _tolerate(gmsh: Any) -> None:
    """Let faces count as one that differ by less than CAD programs mean."""
    if gmsh.model.getEntities():
        low, high = np.array(gmsh.model.getBoundingBox(-1, -1)).reshape(2, 3)
        gmsh.option.setNumber("Geometry.ToleranceBoolean", _TOUCHING * float(np.linalg.norm(high - low)))


def _names(gmsh: Any, tags: Sequence[int]) -> dict[int, str]:
    """The name of each solid in the file, or "" where a person gave none.

    Gmsh has them as paths: assembly, instance, part. What all solids are part of distinguishes none of them.
    """
    paths = {tag: [part.strip() for part in gmsh.model.getEntityName(3, tag).split("/")] for tag in tags}
    levels = list(zip(*(path[:-1] for path in paths.values()), strict=False)) if len(tags) > 1 else []
    common = next((i for i, level in enumerate(levels) if len(set(level)) > 1), len(levels))
    return {tag: next((p for p in reversed(path[common:]) if not _GENERIC.fullmatch(p)), "") for tag, path in paths.items()}


def _named_faces(gmsh: Any, of_solids: Collection[str]) -> list[tuple[str, _Shape]]:
    """Name and shape of each face with a name of its own; OpenCASCADE gives faces those of their solids too."""
    found = []
    for _, tag in gmsh.model.getEntities(2):
        name = gmsh.model.getEntityName(2, tag).split("/")[-1].strip()
        if not _GENERIC.fullmatch(name) and name not in of_solids:
            found.append((name, _shape(gmsh, tag)))
    return found


def _shape(gmsh: Any, face: int) -> _Shape:
    """Area and centre of a face, by which it is known again after Gmsh has numbered all anew."""
    return np.array([gmsh.model.occ.getMass(2, face) ** 0.5, *gmsh.model.occ.getCenterOfMass(2, face)])


def _name_faces(gmsh: Any, named: Sequence[tuple[str, _Shape]], journal: Journal) -> None:
    """Make surfaces of the faces that had names."""
    if not named:
        return
    tags = [tag for _, tag in gmsh.model.getEntities(2)]
    shapes = np.array([_shape(gmsh, tag) for tag in tags])
    found: dict[str, set[int]] = {name: set() for name, _ in named}
    for name, shape in named:
        away = np.abs(shapes - shape).max(axis=1)
        found[name] |= {tags[i] for i in np.flatnonzero(away <= 1e-4 * shape[0])[:1]}
        if away.min() > 1e-4 * shape[0]:
            journal.note(f"a face of the surface {name} was divided where solids touch; it is no longer part of it")
    for name, faces in found.items():
        if faces:
            gmsh.model.addPhysicalGroup(2, sorted(faces), name=name)


def _described(gmsh: Any, name: str, names: Mapping[int, str], unit: str) -> str:
    """Name, volume and centre of a region."""
    tags = [tag for tag in names if names[tag] == name]
    volumes = np.array([gmsh.model.occ.getMass(3, tag) for tag in tags])
    centre = volumes @ np.array([gmsh.model.occ.getCenterOfMass(3, tag) for tag in tags]) / volumes.sum()
    place = ", ".join(f"{round(1e3 * METRES[unit] * x, 3) + 0.0:g}" for x in centre)
    return f"{name} is {_millilitres(volumes.sum(), unit)} around ({place}) mm"


def _millilitres(volume: float, unit: str) -> str:
    return f"{1e6 * METRES[unit] ** 3 * volume:.3g} mL"


def _refuse_flat(gmsh: Any) -> None:
    for _, tag in gmsh.model.getEntities(3):
        box = np.array(gmsh.model.getBoundingBox(3, tag)).reshape(2, 3)
        if abs(gmsh.model.occ.getMass(3, tag)) <= _FLAT * float(np.linalg.norm(box[1] - box[0])) ** 3:
            raise UnusableError(f"solid {tag} of the file has no volume; remove or repair it in the CAD program")


def _enclose(gmsh: Any, journal: Journal) -> None:
    """Make a solid of each set of faces that closes.

    Raises:
        UnusableError: there are no faces, or they leave a gap.
    """
    if not gmsh.model.getEntities(2):
        raise UnusableError("the file holds no solid and no faces; export the solids of the part")
    groups = _glued(gmsh)
    if any(_open_edges(gmsh, group) for group in groups):
        gmsh.model.occ.healShapes([], gmsh.option.getNumber("Geometry.ToleranceBoolean"), True, True, True, True, False)
        groups = _glued(gmsh)
    for group in groups:
        _refuse_open(gmsh, group)
        gmsh.model.occ.addVolume([gmsh.model.occ.addSurfaceLoop(group)])
    gmsh.model.occ.synchronize()
    bodies = "a solid" if len(groups) == 1 else f"{len(groups)} solids"
    journal.note(f"the file holds no solid, only faces ({sum(map(len, groups))}); they close, and were made {bodies}")


def _refuse_open(gmsh: Any, faces: Sequence[int]) -> None:
    """Refuse faces that are not the whole boundary of one body.

    Raises:
        UnusableError: an edge is in one face only, or in more than two.
    """
    edges = _open_edges(gmsh, faces)
    if not edges:
        return
    crowded = max(len(gmsh.model.getAdjacencies(*edge)[0]) for edge in edges) > 2
    x, y, z = gmsh.model.occ.getCenterOfMass(*edges[0])
    raise UnusableError(
        f"the file holds no solid, only faces, and they {'bound more than one body' if crowded else 'leave gaps'}, "
        f"e.g. at the edge around ({x:.4g}, {y:.4g}, {z:.4g}); make solids of them in the CAD program"
    )


def _open_edges(gmsh: Any, faces: Sequence[int]) -> list[tuple[int, int]]:
    edges: list[tuple[int, int]] = gmsh.model.getBoundary([(2, tag) for tag in faces], combined=True, oriented=False)
    return edges


def _glued(gmsh: Any) -> list[list[int]]:
    """The faces, each there once, in groups that share edges."""
    gmsh.model.occ.removeAllDuplicates()
    gmsh.model.occ.synchronize()
    faces = [tag for _, tag in gmsh.model.getEntities(2)]
    groups: list[tuple[set[int], list[int]]] = []
    for face in faces:
        edges = {tag for _, tag in gmsh.model.getBoundary([(2, face)], combined=False, oriented=False)}
        touched = [group for group in groups if group[0] & edges]
        groups = [group for group in groups if not group[0] & edges]
        groups.append((edges.union(*(group[0] for group in touched)), [face, *(tag for group in touched for tag in group[1])]))
    return [sorted(group[1]) for group in groups]


def _divided(gmsh: Any, names: dict[int, str], unit: str, journal: Journal) -> dict[int, str]:
    """Names of the solids after those that touch were made to share faces, and those that overlap were cut.

    Args:
        names: of the solids, by tag. Where several overlap, the smallest keeps the place: a container that was
            drawn as a full cylinder does not fill its contents.
    """
    tags = list(names)
    volume = {tag: gmsh.model.occ.getMass(3, tag) for tag in tags}
    before = _shared_faces(gmsh)
    _, pieces = gmsh.model.occ.fragment([(3, tag) for tag in tags], [])
    gmsh.model.occ.synchronize()
    owners: dict[int, list[int]] = {}
    for tag, parts in zip(tags, pieces, strict=True):
        for _, part in parts:
            owners.setdefault(part, []).append(tag)
    _note_overlaps(gmsh, names, owners, volume, unit, journal)
    if _shared_faces(gmsh) > before:
        journal.note("solids that touch now share their faces, so that heat flows between them")
    after = {part: names[min(own, key=lambda tag: volume[tag])] for part, own in owners.items()}
    for name in names.values():
        if name not in after.values():
            raise UnusableError(f'the solid "{name}" lies where others are, and nothing of it is left; remove one of them')
    return after


def _shared_faces(gmsh: Any) -> int:
    """Number of faces with a solid on both sides."""
    return sum(len(gmsh.model.getAdjacencies(2, tag)[0]) > 1 for _, tag in gmsh.model.getEntities(2))


def _note_overlaps(
    gmsh: Any,
    names: Mapping[int, str],
    owners: Mapping[int, Sequence[int]],
    volume: Mapping[int, float],
    unit: str,
    journal: Journal,
) -> None:
    """Tell which solids overlap, in how much, and which of them keeps the place."""
    shared: dict[tuple[str, ...], float] = {}
    for part, own in owners.items():
        ordered = tuple(dict.fromkeys(names[tag] for tag in sorted(own, key=lambda tag: volume[tag])))
        if len(ordered) > 1:
            shared[ordered] = shared.get(ordered, 0.0) + gmsh.model.occ.getMass(3, part)
    for (first, *others), common in shared.items():
        journal.note(f"{first} lies in {' and '.join(others)} with {_millilitres(common, unit)}: that is {first} only")
