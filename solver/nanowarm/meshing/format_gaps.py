"""What meshio leaves out of single formats: names of SU2 and FLAC3D, boundary triangles of TetGen."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

_GROUP = re.compile(r"(?:zone|face):(.*):[^:]*")
_MARKER = re.compile(r"(?m)^\s*MARKER_TAG\s*=\s*(\S+)")


def completed(mesh: Any, file: Path) -> Any:
    """A mesh of meshio with what its reader left out of this format."""
    completion = {".su2": _su2, ".f3grid": _flac3d, ".ele": _tetgen, ".node": _tetgen}.get(file.suffix.lower())
    return mesh if completion is None else completion(mesh, file)


def _su2(mesh: Any, file: Path) -> Any:
    """Names of markers; meshio counts them, from 1 on."""
    tags = _MARKER.findall(file.read_text(errors="replace"))
    words = [tag for tag in tags if not tag.isdigit()]
    mesh.field_data |= {name: np.array([number, 2]) for number, name in enumerate(words, 1)}
    return mesh


def _flac3d(mesh: Any, file: Path) -> Any:
    """Groups by their bare names, with cells counted in each block instead of through all."""
    import meshio

    starts = np.cumsum([0, *(len(block.data) for block in mesh.cells)])[:-1]
    sets: dict[str, list[Any]] = {}
    for name, members in mesh.cell_sets.items():
        found = _GROUP.fullmatch(name)
        blocks = [np.asarray(part, np.int64) - start for part, start in zip(members, starts, strict=True)]
        sets[found[1].strip('"') if found else name] = blocks
    return meshio.Mesh(mesh.points, mesh.cells, cell_data=mesh.cell_data, cell_sets=sets)


def _tetgen(mesh: Any, file: Path) -> Any:
    """The marked triangles of the .face file beside it."""
    import meshio

    faces = file.with_suffix(".face")
    if not faces.is_file():
        return mesh
    header, *rows = _table(faces)
    if header[1:2] != ["1"]:  # no marks
        return mesh
    table = np.array([row[:5] for row in rows[: int(header[0])]], np.int64)
    first = int(_table(file.with_suffix(".node"))[1][0])  # number of the first node, 0 or 1
    regions = mesh.cell_data.get("tetgen:ref", [np.zeros(len(mesh.cells[0].data), np.int64)])[0]
    cells = [*mesh.cells, ("triangle", table[:, 1:4] - first)]
    return meshio.Mesh(mesh.points, cells, cell_data={"tetgen:ref": [regions, table[:, 4]]})


def _table(file: Path) -> list[list[str]]:
    """Words of each line that is no comment."""
    lines = (line.partition("#")[0].split() for line in file.read_text(errors="replace").splitlines())
    return [words for words in lines if words]
