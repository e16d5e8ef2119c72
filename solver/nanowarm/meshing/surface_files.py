"""Files of triangulated surfaces to triangles in NumPy arrays."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanowarm.meshing.journal import UnusableError
from nanowarm.meshing.surface_shells import connected

Points = NDArray[np.float64]
Indices = NDArray[np.int64]

_HEADER, _FACET = 80, 50  # bytes of a binary STL before the number of triangles, and for each of them
_LEAST_WELD = 1e-7  # distance over the diagonal below which two points are one
_FLOAT32 = 2.0**-23  # spacing of single-precision coordinates, relative


@dataclass(frozen=True, eq=False)
class Triangles:
    """The triangles of one file.

    Args:
        points: in the file's unit, shape (points, 3).
        corners: of each triangle, shape (triangles, 3).
        part: index into `part_names` of each triangle, shape (triangles,).
        part_names: of the solids of a text STL file or of the objects and groups of an OBJ file; "" for none.
    """

    points: Points
    corners: Indices
    part: Indices
    part_names: tuple[str, ...]


def read(path: Path) -> Triangles:
    """The triangles of a file.

    Raises:
        UnusableError: the file is damaged or holds no triangles.
    """
    import pyvista

    start = path.read_bytes()[:4096]
    if re.match(rb"\s*<(!doctype\s+html|html)", start, re.IGNORECASE):
        raise UnusableError(f"{path.name} is a web page; download the surface itself")
    suffix = path.suffix.lower()
    _check_length(path, suffix)
    output = _vtk_output(path, _reader(suffix))
    mesh = pyvista.wrap(output)
    if mesh.n_points == 0 or mesh.n_cells == mesh.n_lines + mesh.n_verts:
        found = "holds points or lines but no triangles" if mesh.n_points else "holds nothing"
        raise UnusableError(f"{path.name} {found}; export it as a surface of triangles")
    if not np.isfinite(mesh.points).all():
        lost = int((~np.isfinite(mesh.points).all(axis=1)).sum())
        raise UnusableError(f"{path.name}: {lost} points have no finite coordinates; export it again")
    part, names = _parts(path, suffix, mesh)
    mesh.clear_data()
    if len(part) == mesh.n_cells:
        mesh.cell_data["part"] = part
    mesh = mesh.triangulate(inplace=False)
    corners = mesh.regular_faces.astype(np.int64)
    if corners.min() < 0 or corners.max() >= mesh.n_points:
        raise UnusableError(f"{path.name}: triangles name points that the file does not hold; export it again")
    labels = np.asarray(mesh.cell_data["part"], np.int64) if "part" in mesh.cell_data else np.zeros(len(corners), np.int64)
    return Triangles(np.asarray(mesh.points, np.float64), corners, labels, names)


def welded(points: Points, corners: Indices) -> tuple[Points, Indices]:
    """Points that lie on each other as one, and the triangles between them, in the same order."""
    from scipy.spatial import cKDTree

    diagonal = float(np.linalg.norm(np.ptp(points, axis=0)))
    distance = max(_LEAST_WELD * diagonal, 2 * _FLOAT32 * float(np.abs(points).max()))
    distinct, number = np.unique(points, axis=0, return_inverse=True)
    pairs = cKDTree(distinct).query_pairs(distance, output_type="ndarray")
    group = connected(pairs[:, 0], pairs[:, 1], len(distinct))
    _, first, group = np.unique(group, return_index=True, return_inverse=True)
    return distinct[first], group[number.ravel()][corners].astype(np.int64)


def _reader(suffix: str) -> Any:
    from vtkmodules.vtkIOGeometry import vtkOBJReader, vtkSTLReader
    from vtkmodules.vtkIOPLY import vtkPLYReader
    from vtkmodules.vtkIOXML import vtkXMLPolyDataReader

    makers: dict[str, Callable[[], Any]] = {
        ".stl": vtkSTLReader,
        ".obj": vtkOBJReader,
        ".ply": vtkPLYReader,
        ".vtp": vtkXMLPolyDataReader,
    }
    reader = makers[suffix]()
    if suffix == ".stl":
        reader.ScalarTagsOn()
    return reader


def _vtk_output(path: Path, reader: Any) -> Any:
    """What a reader of VTK makes of a file.

    Raises:
        UnusableError: it complained.
    """
    complaints: list[str] = []
    for source in (reader, reader.GetExecutive()):
        source.AddObserver("ErrorEvent", lambda *_: complaints.append("error"))
    reader.SetFileName(str(path))
    reader.Update()
    if complaints or reader.GetErrorCode():
        raise UnusableError(f"{path.name} is no intact {path.suffix[1:].upper()} file; export it again")
    return reader.GetOutput()


def _check_length(path: Path, suffix: str) -> None:
    """Refuse STL and PLY files that end too early; VTK takes what is there."""
    content = path.read_bytes()
    if suffix == ".stl":
        count = int.from_bytes(content[_HEADER : _HEADER + 4], "little")
        if len(content) == _HEADER + 4 + _FACET * count:
            return
        if content.lstrip()[:5].lower() == b"solid" and b"facet" in content[:4096]:
            if b"endsolid" not in content[-1024:].lower():
                raise UnusableError(f'{path.name} ends in the middle: "endsolid" is missing; copy or export it again')
        elif len(content) < _HEADER + 4 + _FACET * count:
            held = max(len(content) - _HEADER - 4, 0) // _FACET
            raise UnusableError(f"{path.name} is cut off: it holds {held} of {count} triangles; copy or export it again")
    if suffix == ".ply":
        header, _, body = content.partition(b"end_header")
        counts = {kind: int(count) for kind, count in re.findall(rb"element\s+(vertex|face)\s+(\d+)", header)}
        ascii_lines = b"format ascii" in header
        least = len(body.split(b"\n")) - 1 if ascii_lines else len(body) / 12
        if not body or sum(counts.values()) > least:
            raise UnusableError(f"{path.name} is cut off; copy or export it again")


def _parts(path: Path, suffix: str, mesh: Any) -> tuple[Indices, tuple[str, ...]]:
    """Index and names of the named part of each face; nothing where the file names none."""
    if suffix == ".stl" and "STLSolidLabeling" in mesh.cell_data:
        names = re.findall(r"^\s*solid\b[ \t]*(.*?)\s*$", path.read_text(errors="replace"), re.MULTILINE | re.IGNORECASE)
        label = np.asarray(mesh.cell_data["STLSolidLabeling"], np.int64)
        if label.max(initial=0) < len(names):
            return label, tuple(names)
    if suffix == ".obj":
        of_face, parts = _obj_parts(path)
        if len(of_face) == mesh.n_cells:
            return of_face, parts
    return np.zeros(mesh.n_cells, np.int64), ("",)


def _obj_parts(path: Path) -> tuple[Indices, tuple[str, ...]]:
    """Index and names of the object or group of each face."""
    names, labels, current = {"": 0}, [], 0
    for line in path.read_text(errors="replace").splitlines():
        word, _, rest = line.strip().partition(" ")
        if word in ("o", "g"):
            current = names.setdefault(rest.strip(), len(names))
        elif word == "f":
            labels.append(current)
    return np.array(labels, np.int64), tuple(names)
