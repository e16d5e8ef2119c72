"""Any geometry or mesh file to a checked serial mesh, made once and kept in a cache."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from nanowarm.errors import MeshError
from nanowarm.mesh_section import MeshInput
from nanowarm.meshing.mesh_checks import RawMesh, check_mesh, checked
from nanowarm.meshing.mesh_request import METRES, Asked, ask, renamed
from nanowarm.meshing.ordering import in_order
from nanowarm.meshing.quality import DEAREST_STEP, WORST_QUALITY, worst_shapes
from nanowarm.model import nearest

__all__ = ["MadeMesh", "RawMesh", "check_mesh", "make_mesh"]


@dataclass(frozen=True)
class MadeMesh:
    """A mesh and where it came from.

    Args:
        mesh: the checked mesh.
        cached: whether it was taken from the cache.
        digest: SHA-256 of everything it was made from.
        worst_quality: of its cells, see `quality.Shapes`.
        step_cost: how many times badly shaped cells multiply the cost of a step.
        notes: what was repaired, assumed or named on the way.
        steps: name, seconds and peak memory [MB] of each step of making it.
    """

    mesh: RawMesh
    cached: bool
    digest: str
    worst_quality: float
    step_cost: float
    notes: tuple[str, ...]
    steps: tuple[tuple[str, float, float], ...]

    def shape_notes(self) -> list[str]:
        """Lines on badly shaped cells, if there are any."""
        bad = []
        if self.worst_quality < WORST_QUALITY:
            bad.append(f"the worst cell has a quality of {self.worst_quality:.2g} (regular: 1)")
        if self.step_cost > DEAREST_STEP:
            bad.append(f"flat cells make each step {self.step_cost:.1f} times as dear")
        return [f"mesh: {line}; `nanowarm mesh` shows where" for line in bad]


def make_mesh(mesh: MeshInput, folder: Path, time_limit: float = 1800.0) -> MadeMesh:
    """The checked mesh of the geometry or mesh file that a case names.

    Args:
        mesh: the section of the case.
        folder: from which its relative paths count.
        time_limit: seconds after which the mesh program is ended.

    Raises:
        MeshError: the file can't be used, or the mesh program failed.
    """
    asked = ask(mesh, folder)
    digest = asked.digest()
    kept = _cache_folder() / f"{digest}.npz"
    stored = _load(kept)
    if stored is not None:
        return _made(mesh, asked, digest, *stored, cached=True)
    arrays = _run_process(asked, time_limit)
    raw = in_order(checked(_raw_mesh(arrays, METRES[asked.request["unit"]]), asked.about))
    quality, step_cost = worst_shapes(raw)
    journal = json.dumps(json.loads(str(arrays["journal"])) | {"worst_quality": quality, "step_cost": step_cost})
    _keep(raw, journal, kept)
    return _made(mesh, asked, digest, raw, journal, cached=False)


def _made(mesh: MeshInput, asked: Asked, digest: str, raw: RawMesh, journal: str, *, cached: bool) -> MadeMesh:
    told = json.loads(journal)
    notes = list(told["notes"])
    if asked.request["kind"] == "mesh" and mesh.size is not None:
        notes.append(f"{asked.about.name} is a mesh and used as it is: size is ignored; refine = 1 halves its edges")
    return MadeMesh(
        mesh=_renamed(raw, mesh.names, asked.about),
        cached=cached,
        digest=digest,
        worst_quality=told["worst_quality"],
        step_cost=told["step_cost"],
        notes=tuple(notes),
        steps=tuple(map(tuple, told["steps"])),
    )


def _renamed(mesh: RawMesh, names: Mapping[str, str], file: Path) -> RawMesh:
    """The mesh with the names that the case gives to its regions and surfaces.

    Raises:
        MeshError: an old name is not there.
    """
    known = (*mesh.region_names, *mesh.surface_names)
    exact = (*(f"region {name}" for name in mesh.region_names), *(f"surface {name}" for name in mesh.surface_names))
    unknown = [name for name in names if name not in (*known, *exact)]
    if unknown:
        raise MeshError(*(f"{file}: mesh.names.{name}: {nearest(name, known)}" for name in unknown))
    regions, region = renamed("region", mesh.region_names, names)
    surfaces, surface = renamed("surface", mesh.surface_names, names)
    return replace(
        mesh,
        region_names=regions,
        surface_names=surfaces,
        cell_region=np.array(region, np.int32)[mesh.cell_region],
        facet_surface=np.array(surface, np.int32)[mesh.facet_surface] if surfaces else mesh.facet_surface,
    )


def _run_process(question: Asked, time_limit: float) -> dict[str, Any]:
    """Arrays that the process of `gmsh_process` leaves."""
    file = question.about
    with tempfile.TemporaryDirectory(prefix="nanowarm-") as folder:
        asked, made = Path(folder, "request.json"), Path(folder, "mesh.npz")
        asked.write_text(json.dumps(question.request))
        command = [sys.executable, "-m", "nanowarm.meshing.gmsh_process", str(asked), str(made)]
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
        raise MeshError(f"{file}: {_reason(done, question.request['kind'])}")


def _reason(done: subprocess.CompletedProcess[str], kind: str) -> str:
    """Why the process left no mesh, in one line."""
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    if done.returncode == 2 and lines:
        return lines[-1]
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        what = "the file is damaged: export it again" if kind == "mesh" else "open the file in Gmsh, or try another size"
        return f"the mesh program crashed ({name}); {what}"
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


def _load(kept: Path) -> tuple[RawMesh, str] | None:
    """The mesh in the cache and its journal; None where there is none or it is damaged."""
    try:
        arrays = _arrays(kept)
        return _raw_mesh(arrays, 1.0), str(arrays["journal"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _keep(mesh: RawMesh, journal: str, kept: Path) -> None:
    """Put a mesh into the cache; a folder that can't be written to only costs time."""
    arrays: dict[str, Any] = {field.name: np.asarray(getattr(mesh, field.name)) for field in fields(mesh)}
    arrays["cells"], arrays["facets"] = mesh.cells.astype(np.int32), mesh.facets.astype(np.int32)
    arrays["journal"] = np.array(journal)
    temporary = kept.with_name(f"{kept.stem}.{os.getpid()}.part.npz")
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(temporary, **arrays)
        os.replace(temporary, kept)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
