"""Any geometry or mesh file to a checked serial mesh, made once and kept in a cache."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import os
import signal
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from nanowarm.errors import MeshError
from nanowarm.numerics.mesh_checks import RawMesh, check_mesh, checked
from nanowarm.numerics.recipe_text import read_recipe
from nanowarm.numerics.recipes import LENGTH_UNITS, length_unit, parameter_values, refuse_commands

__all__ = ["MadeMesh", "RawMesh", "check_mesh", "make_mesh"]

_FORMAT = 1  # of the cached arrays and of how they are made; another number makes every mesh anew
_METRES = {"m": 1.0, "cm": 1e-2, "mm": 1e-3, "um": 1e-6, "inch": 0.0254}  # inch: exact by definition
_RECIPES = frozenset((".geo", ".geo_unrolled"))
_OWN_UNIT = frozenset((".step", ".stp", ".iges", ".igs"))  # the file says it, and Gmsh converts
_MESHES = frozenset((".msh", ".vtu", ".vtk", ".xdmf", ".inp", ".med", ".mesh", ".bdf", ".nas", ".unv", ".cgns", ".e"))
_GMSH_READS = _RECIPES | _OWN_UNIT | {".brep", ".brp", ".xao", ".stl", ".obj", ".msh"}


@dataclass(frozen=True)
class MadeMesh:
    """A mesh and where it came from.

    Args:
        mesh: the checked mesh.
        cached: whether it was taken from the cache.
        digest: SHA-256 of everything it was made from.
    """

    mesh: RawMesh
    cached: bool
    digest: str


def make_mesh(
    file: Path,
    unit: str | None,
    parameters: Mapping[str, str | float],
    size: float | None,
    time_limit: float = 1800.0,
) -> MadeMesh:
    """The checked mesh of a geometry or mesh file.

    Args:
        file: Gmsh recipe, CAD file, surface, .msh, or any format meshio reads.
        unit: length unit of the file; None for one that says its own.
        parameters: values of a recipe's parameters, by name.
        size: longest edge length wanted [m]; None leaves it to the recipe or Gmsh. Ignored for a mesh.
        time_limit: seconds after which Gmsh is ended.

    Raises:
        MeshError: the file can't be used, or Gmsh failed.
    """
    request = _request(file, unit, parameters, size)
    digest = _digest(request)
    kept = _cache_folder() / f"{digest}.npz"
    mesh = _load(kept)
    if mesh is not None:
        return MadeMesh(mesh, True, digest)
    arrays = _run_process(request, file, time_limit)
    mesh = checked(_raw_mesh(arrays, _METRES[request["unit"]]), file)
    _keep(mesh, kept)
    return MadeMesh(mesh, False, digest)


def _request(file: Path, unit: str | None, parameters: Mapping[str, str | float], size: float | None) -> dict[str, Any]:
    """Everything the mesh depends on, with lengths in the file's unit."""
    if not file.is_file():
        raise MeshError(f"{file}: there is no such file; correct mesh.file")
    if file.stat().st_size == 0:
        raise MeshError(f"{file}: the file is empty; export it again")
    suffix = file.suffix.lower()
    recipe = suffix in _RECIPES
    if suffix in _GMSH_READS:
        refuse_commands(file)
    if parameters and not recipe:
        raise MeshError(f"{file}: only a Gmsh recipe (.geo) has parameters; remove mesh.parameters")
    if size is not None and not 0 < size < float("inf"):
        raise MeshError(f"{file}: the size {size!r} m must be above 0")
    own_unit = _unit(file, unit)
    return {
        "file": str(file.resolve()),
        "unit": own_unit,
        "parameters": dict(sorted(parameter_values(file, parameters).items())) if recipe else {},
        "size": None if size is None or suffix in _MESHES else size / _METRES[own_unit],
    }


def _unit(file: Path, given: str | None) -> str:
    """Length unit of the coordinates that Gmsh or meshio will return."""
    if given is not None and given not in LENGTH_UNITS:
        raise MeshError(f"{file}: unit {given!r} is not known; allowed are {', '.join(LENGTH_UNITS)}")
    own = length_unit(file) if file.suffix.lower() in _RECIPES else None
    if own is not None and given not in (None, own):
        raise MeshError(f"{file}: the case says {given} but the recipe says {own}; remove unit from the case")
    if file.suffix.lower() in _OWN_UNIT:
        return given or "mm"
    unit = own or given
    if unit is None:
        raise MeshError(f'{file}: the file does not say its length unit; write the length unit: unit = "mm"')
    return unit


def _digest(request: Mapping[str, Any]) -> str:
    """SHA-256 of the contents of all files, of the request, and of the versions that make the mesh."""
    file = Path(request["file"])
    files = read_recipe(file).files if file.suffix.lower() in _GMSH_READS else (file,)
    versions = [importlib.metadata.version(name) for name in ("gmsh", "meshio")]
    about = {name: value for name, value in request.items() if name != "file"}
    total = hashlib.sha256(json.dumps([_FORMAT, versions, file.suffix, about]).encode())
    for part in files:
        with part.open("rb") as stream:
            total.update(hashlib.file_digest(stream, "sha256").digest())
    return total.hexdigest()


def _run_process(request: Mapping[str, Any], file: Path, time_limit: float) -> dict[str, Any]:
    """Arrays that the process of `gmsh_process` leaves."""
    with tempfile.TemporaryDirectory(prefix="nanowarm-") as folder:
        asked, made = Path(folder, "request.json"), Path(folder, "mesh.npz")
        asked.write_text(json.dumps(request))
        command = [sys.executable, "-m", "nanowarm.numerics.gmsh_process", str(asked), str(made)]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=time_limit,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise MeshError(f"{file}: no mesh after {time_limit:g} s; give a larger size or a simpler geometry") from None
        if done.returncode == 0 and made.exists():
            return _arrays(made)
        raise MeshError(f"{file}: {_reason(done)}")


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    """Why the process left no mesh, in one line."""
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    if done.returncode == 2 and lines:
        return lines[-1]
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        return f"the mesh program crashed ({name}); open the file in Gmsh, or try another size"
    last = f" ({lines[-1]})" if lines else ""
    return f"the mesh program ended early{last}; remove Exit from a recipe, or export the file again as .msh"


def _raw_mesh(arrays: Mapping[str, Any], scale: float) -> RawMesh:
    """The arrays of a file as a mesh with coordinates in metres."""
    return RawMesh(
        points=np.ascontiguousarray(arrays["points"], np.float64) * scale,
        cells=arrays["cells"].astype(np.int64),
        cell_region=arrays["cell_region"].astype(np.int32),
        facets=arrays["facets"].astype(np.int64),
        facet_surface=arrays["facet_surface"].astype(np.int32),
        region_names=tuple(map(str, arrays["region_names"])),
        surface_names=tuple(map(str, arrays["surface_names"])),
    )


def _arrays(path: Path) -> dict[str, Any]:
    # Opened here because NumPy leaves a damaged file open.
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def _cache_folder() -> Path:
    own = os.environ.get("NANOWARM_CACHE")
    if own:
        return Path(own)
    general = os.environ.get("XDG_CACHE_HOME")
    return (Path(general) if general else Path.home() / ".cache") / "nanowarm" / "meshes"


def _load(kept: Path) -> RawMesh | None:
    """The mesh in the cache; None where there is none or it is damaged."""
    try:
        return _raw_mesh(_arrays(kept), 1.0)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _keep(mesh: RawMesh, kept: Path) -> None:
    """Put a mesh into the cache; a folder that can't be written to only costs time."""
    arrays: dict[str, Any] = {field.name: np.asarray(getattr(mesh, field.name)) for field in fields(mesh)}
    arrays["cells"], arrays["facets"] = mesh.cells.astype(np.int32), mesh.facets.astype(np.int32)
    temporary = kept.with_name(f"{kept.stem}.{os.getpid()}.part.npz")
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(temporary, **arrays)
        os.replace(temporary, kept)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
