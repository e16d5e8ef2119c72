"""From the section `[mesh]` of a case to what the mesh process is asked, checked as far as possible without it."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nanowarm.errors import MeshError
from nanowarm.mesh_section import LABEL_IMAGES, MeshInput
from nanowarm.meshing.journal import Request
from nanowarm.meshing.mesh_companions import companions
from nanowarm.meshing.recipe_text import read_recipe
from nanowarm.meshing.recipes import length_unit, parameter_values, refuse_commands

METRES = {"m": 1.0, "cm": 1e-2, "mm": 1e-3, "um": 1e-6, "inch": 0.0254}  # inch: exact by definition
RECIPES = (".geo", ".geo_unrolled")
_STATES_UNIT = (".step", ".stp", ".iges", ".igs")  # the file says it, and Gmsh converts
KINDS = {
    "geometry": (*RECIPES, *_STATES_UNIT, ".brep", ".brp", ".xao"),
    "surfaces": (".stl", ".obj", ".ply", ".vtp"),
    "labels": LABEL_IMAGES,
}  # any other file is a mesh
_FORMAT = 7  # of the cached arrays and of how they are made; another number makes every mesh anew
_PROGRAMS = ("gmsh", "meshio", "mmgpy", "pytetwild", "vtk", "simpleitk")


@dataclass(frozen=True)
class Asked:
    """What a mesh is made from.

    Args:
        request: for the process; lengths in its `unit`.
        files: everything that is read.
        about: the file that faults are told of.
    """

    request: Request
    files: tuple[Path, ...]
    about: Path

    def digest(self) -> str:
        """SHA-256 of the contents of all files, of the request, and of the versions that make the mesh."""
        versions = [importlib.metadata.version(name) for name in _PROGRAMS]
        request = self.request | {"file": Path(self.request["file"]).suffix, "files": list(self.request["files"])}
        total = hashlib.sha256(json.dumps([_FORMAT, versions, request]).encode())
        for part in self.files:
            with part.open("rb") as stream:
                total.update(hashlib.file_digest(stream, "sha256").digest())
        return total.hexdigest()


def kind_of(file: Path) -> str:
    """What a file is, by its suffix: "geometry", "surfaces", "labels" or "mesh"."""
    return next((kind for kind, suffixes in KINDS.items() if file.name.lower().endswith(suffixes)), "mesh")


def ask(mesh: MeshInput, folder: Path) -> Asked:
    """What the process is asked for a mesh.

    Args:
        mesh: the section.
        folder: from which its relative paths count.

    Raises:
        MeshError: a file can't be used as it is given, or a key does not go with it.
    """
    paths = mesh.paths(folder)
    first = next(iter(paths.values()))
    kind = kind_of(first)
    for key, path in paths.items():
        _check_file(key, path, kind if mesh.file else "surfaces")
    if _gmsh_opens(first, kind):
        refuse_commands(first)
    _check_keys(mesh, first, kind)
    unit = _unit(first, kind, mesh.unit)
    # Gmsh has a factor of its own, which acts on the lengths that a recipe sets too.
    length = METRES[unit] if kind == "geometry" else METRES[unit] / mesh.coarsening
    recipe = first.suffix.lower() in RECIPES
    request: Request = {
        "kind": kind,
        "file": str(first.resolve()) if mesh.file else "",
        "files": {name: str(paths[f"files.{name}"].resolve()) for name in mesh.files},
        "unit": unit,
        "parameters": dict(sorted(parameter_values(first, mesh.parameters).items())) if recipe else {},
        "labels": dict(mesh.labels),
        "coordinates": mesh.coordinates,
        "size": None if mesh.size is None or kind == "mesh" else mesh.size / length,
        "sizes": {old: size / length for name, size in mesh.sizes.items() for old in _old_names(mesh, name)},
        "graded": _graded(mesh, METRES[unit], length),
        "coarsening": mesh.coarsening,
        "threads": mesh.threads,
    }
    return Asked(request, _read_files(first, kind) or tuple(paths.values()), first)


def _gmsh_opens(file: Path, kind: str) -> bool:
    """Whether Gmsh reads the file by its own means, and with it others that it names."""
    if kind == "geometry":
        return True
    with file.open("rb") as stream:
        return file.suffix.lower() == ".msh" and stream.read(1) == b"$"


def _read_files(first: Path, kind: str) -> tuple[Path, ...]:
    """The file and those that are read along with it."""
    if _gmsh_opens(first, kind):
        return read_recipe(first).files
    return (first, *(other for other in companions(first) if other.is_file())) if kind == "mesh" else ()


def _check_file(key: str, path: Path, kind: str) -> None:
    if not path.is_file():
        raise MeshError(f"{path}: there is no such file; correct mesh.{key}")
    if path.stat().st_size == 0:
        raise MeshError(f"{path}: the file is empty; export it again")
    if kind == "surfaces" and kind_of(path) != "surfaces":
        raise MeshError(f"{path}: mesh.{key} must be a closed surface ({', '.join(KINDS['surfaces'])})")


def _check_keys(mesh: MeshInput, file: Path, kind: str) -> None:
    """Refuse keys that say nothing of this kind of file."""
    faults = []
    if mesh.parameters and file.suffix.lower() not in RECIPES:
        faults.append("only a Gmsh recipe (.geo) has parameters; remove mesh.parameters")
    if mesh.labels and kind != "labels":
        faults.append("only an image has labels; remove mesh.labels")
    if kind == "mesh" and (mesh.sizes or mesh.graded):
        faults.append("a mesh is used as it is; remove mesh.sizes and mesh.graded, or use refine")
    if faults:
        raise MeshError(*(f"{file}: {fault}" for fault in faults))


def _old_names(mesh: MeshInput, name: str) -> list[str]:
    """What the file calls what the case calls by a name."""
    old = [old.removeprefix("region ").removeprefix("surface ") for old, new in mesh.names.items() if new == name]
    return old or [name]


def _graded(mesh: MeshInput, unit: float, length: float) -> list[dict[str, Any]]:
    places: list[dict[str, Any]] = []
    for place in mesh.graded:
        point = None if place.point is None else [x / unit for x in place.point]
        for near in (None,) if place.near is None else _old_names(mesh, place.near):
            places.append({"near": near, "point": point, "size": place.size / length, "over": place.over / unit})
    return places


def _unit(file: Path, kind: str, given: str | None) -> str:
    """Length unit of the coordinates that the process returns."""
    if kind == "labels":
        if given not in (None, "mm"):
            raise MeshError(f"{file}: images are in mm; remove mesh.unit")
        return "mm"
    own = length_unit(file) if file.suffix.lower() in RECIPES else None
    if own is not None and given not in (None, own):
        raise MeshError(f"{file}: the case says {given} but the recipe says {own}; remove unit from the case")
    if file.suffix.lower() in _STATES_UNIT:
        return given or "mm"
    unit = own or given
    if unit is None:
        raise MeshError(f'{file}: the file does not say its length unit; write the length unit: unit = "mm"')
    return unit


def renamed(kind: str, names: tuple[str, ...], new: Mapping[str, str]) -> tuple[tuple[str, ...], list[int]]:
    """Names after renaming, each once, and the place of each old one among them.

    Args:
        kind: "region" or "surface"; "region 1" renames the region "1" only, "1" both.
        names: old names.
        new: new names by old ones.
    """
    after = [new.get(f"{kind} {name}", new.get(name, name)) for name in names]
    distinct = tuple(dict.fromkeys(after))
    return distinct, [distinct.index(name) for name in after]
