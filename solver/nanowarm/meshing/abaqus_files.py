"""Abaqus input files as meshes of meshio, whose own reader gives sets to the wrong elements.

Source: Abaqus Keywords Guide, *NODE, *ELEMENT, *NSET, *ELSET, *SURFACE; faces of solids in the Analysis User's
    Guide, section 28.1.4.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nanowarm.meshing.journal import UnusableError
from nanowarm.meshing.mesh_checks import Indices
from nanowarm.meshing.mesh_readers import UnreadableError

_SOLID = re.compile(r"(?:D|AC|DC|DCC|Q)?C?3D(\d+)[A-Z]*")
_SHELL = re.compile(r"(?:D?S|STRI|S?FM3D|M3D|R3D|CPS|CPE)(65|3|4|6|8)[A-Z0-9]*")
_OF_GMSH = re.compile(r"(?:Volume|Surface|Line)\d+")
_SOLIDS = {4: "tetra", 10: "tetra10", 5: "pyramid", 6: "wedge", 15: "wedge15", 8: "hexahedron", 20: "hexahedron20"}
_SHELLS = {"3": ("triangle", 3), "65": ("triangle6", 6), "6": ("triangle6", 6), "4": ("quad", 4), "8": ("quad8", 8)}
# Corners of the faces S1, S2, ... of each solid.
_FACES = {
    "tetra": ([0, 1, 2], [0, 3, 1], [1, 3, 2], [2, 3, 0]),
    "wedge": ([0, 1, 2], [3, 5, 4], [0, 3, 4, 1], [1, 4, 5, 2], [2, 5, 3, 0]),
    "hexahedron": ([0, 1, 2, 3], [4, 7, 6, 5], [0, 4, 5, 1], [1, 5, 6, 2], [2, 6, 7, 3], [3, 7, 4, 0]),
    "pyramid": ([0, 1, 2, 3], [0, 4, 1], [1, 4, 2], [2, 4, 3], [3, 4, 0]),
}


@dataclass
class _Content:
    """What a file says, by the file's own numbers of nodes and elements."""

    nodes: list[Any] = field(default_factory=list)
    elements: list[tuple[str, Any]] = field(default_factory=list)
    element_sets: dict[str, list[Any]] = field(default_factory=dict)
    node_sets: dict[str, list[Any]] = field(default_factory=dict)
    faces: list[tuple[str, str, str]] = field(default_factory=list)
    parts: int = 0


def read_abaqus(file: Path) -> Any:
    """Mesh of meshio with the sets of elements and of nodes, and with the faces of surfaces as cells of their own.

    Raises:
        UnreadableError: it is no Abaqus input file, or is damaged.
        UnusableError: it holds several parts, or includes other files.
    """
    text = re.sub(r"(?m)^\*\*.*\n?", "", file.read_text(errors="replace"))
    sections = re.split(r"(?m)^\*", text)[1:]
    content = _Content()
    try:
        for section in sections:
            _take(section, content)
        return _mesh(content)
    except (ValueError, IndexError, KeyError) as error:
        raise UnreadableError(f"it is no usable Abaqus input file ({str(error)[:100]}); export it again") from None


def _take(section: str, content: _Content) -> None:
    """Add a keyword with its lines to the content."""
    header, _, body = section.partition("\n")
    while header.rstrip().endswith(","):
        more, _, body = body.partition("\n")
        header = header.rstrip() + more
    keyword, *rest = (part.strip() for part in header.split(","))
    options = {name.strip().upper(): value.strip().strip('"') for name, _, value in (part.partition("=") for part in rest)}
    taking = _TAKING.get(" ".join(keyword.upper().split()))
    if taking:
        taking(options, body, content)


def _take_nodes(options: dict[str, str], body: str, content: _Content) -> None:
    rows = _numbers(body, float).reshape(-1, 1 + _columns(body))
    content.nodes.append(rows)
    if "NSET" in options:
        _set(content.node_sets, options["NSET"]).append(rows[:, 0].astype(np.int64))


def _columns(body: str) -> int:
    """Coordinates of each node; a line may leave out what is zero, but then all must."""
    return len([part for part in body.lstrip().partition("\n")[0].split(",") if part.strip()]) - 1


def _take_elements(options: dict[str, str], body: str, content: _Content) -> None:
    kind = options["TYPE"].upper()
    solid, shell = _SOLID.fullmatch(kind), _SHELL.fullmatch(kind)
    if solid and int(solid[1]) in _SOLIDS:
        shape, count = _SOLIDS[int(solid[1])], int(solid[1])
    elif shell:
        shape, count = _SHELLS[shell[1]]
    elif solid:
        raise UnusableError(f"elements of type {kind} can't be used; mesh with C3D4, C3D10, C3D6 or C3D8")
    else:
        return  # trusses, springs, masses and the like
    rows = _numbers(body, np.int64).reshape(-1, 1 + count)
    content.elements.append((shape, rows))
    if "ELSET" in options:
        _set(content.element_sets, options["ELSET"]).append(rows[:, 0])


def _take_element_set(options: dict[str, str], body: str, content: _Content) -> None:
    _take_set(content.element_sets, options["ELSET"], "GENERATE" in options, body)


def _take_node_set(options: dict[str, str], body: str, content: _Content) -> None:
    _take_set(content.node_sets, options["NSET"], "GENERATE" in options, body)


def _take_set(sets: dict[str, list[Any]], name: str, generate: bool, body: str) -> None:
    entries = [part.strip().strip('"') for part in re.split(r"[,\n]", body) if part.strip()]
    if generate:
        rows = [[int(part) for part in line.split(",") if part.strip()] for line in body.splitlines() if line.strip()]
        members = [np.arange(first, last + 1, *step) for first, last, *step in rows]
    else:
        other = [entry for entry in entries if not entry.isdigit()]
        members = [np.array([entry for entry in entries if entry.isdigit()], np.int64)]
        members += [part for entry in other for part in _set(sets, entry)]
    _set(sets, name).extend(members)


def _take_surface(options: dict[str, str], body: str, content: _Content) -> None:
    for line in body.splitlines():
        of, _, side = (part.strip().strip('"') for part in line.partition(","))
        if options.get("TYPE", "ELEMENT").upper() == "NODE":
            _set(content.node_sets, options["NAME"]).extend(_set(content.node_sets, of))
        elif re.fullmatch(r"[Ss]\d", side):
            content.faces.append((options["NAME"], of, side))


def _take_part(options: dict[str, str], body: str, content: _Content) -> None:
    content.parts += 1
    if content.parts > 1:
        raise UnusableError("it holds several parts, each with numbers of its own; mesh and export the assembly as one part")


def _take_include(options: dict[str, str], body: str, content: _Content) -> None:
    raise UnusableError(f"it includes the file {options.get('INPUT', '')!r}; export everything in one file")


_TAKING: dict[str, Callable[[dict[str, str], str, _Content], None]] = {
    "NODE": _take_nodes,
    "ELEMENT": _take_elements,
    "ELSET": _take_element_set,
    "NSET": _take_node_set,
    "SURFACE": _take_surface,
    "PART": _take_part,
    "INCLUDE": _take_include,
}


def _numbers(body: str, kind: Any) -> Any:
    return np.array(body.replace(",", " ").split(), kind)


def _set(sets: dict[str, list[Any]], name: str) -> list[Any]:
    """Members of a set; capital letters make no difference, the first spelling is kept."""
    known = next((other for other in sets if other.upper() == name.upper()), name)
    return sets.setdefault(known, [])


def _mesh(content: _Content) -> Any:
    """The content with positions in place of the file's numbers."""
    import meshio

    if not content.nodes or not content.elements:
        raise UnreadableError("it is no usable Abaqus input file (no *NODE or no *ELEMENT); export it again")
    rows = np.concatenate(content.nodes)
    number, points = rows[:, 0].astype(np.int64), rows[:, 1:]
    cells = [(shape, _positions(number, table[:, 1:])) for shape, table in content.elements]
    sets = _sets_of_elements(content)
    for name, of, side in content.faces:
        for shape, nodes in _faces(content, cells, of, int(side[1])):
            none = np.empty(0, np.int64)
            cells.append((shape, nodes))
            own = sets.setdefault(name, [])
            own.extend([none] * (len(cells) - 1 - len(own)))
            own.append(np.arange(len(nodes)))
    node_sets = {name: np.concatenate(parts) for name, parts in content.node_sets.items() if parts}
    known = {name: np.unique(_positions(number, members)) for name, members in node_sets.items()}
    return meshio.Mesh(points, cells, cell_sets=sets, point_sets=known)


def _sets_of_elements(content: _Content) -> dict[str, list[Indices]]:
    """Places in each block of the elements of each set, without the sets that only serve the sides of surfaces.

    Gmsh writes a set Volume1, Volume2, ... of each of its volumes beside the named ones, which may hold several.
    """
    of_faces = {of.upper() for _, of, _ in content.faces}
    numbers = {name: np.concatenate([np.empty(0, np.int64), *parts]) for name, parts in content.element_sets.items()}
    given = [members for name, members in numbers.items() if not _OF_GMSH.fullmatch(name)]
    named = np.concatenate([np.empty(0, np.int64), *given])
    sets = {}
    for name, members in numbers.items():
        if name.upper() not in of_faces:
            own = np.setdiff1d(members, named) if _OF_GMSH.fullmatch(name) else members
            sets[name] = [np.flatnonzero(np.isin(table[:, 0], own)) for _, table in content.elements]
    return sets


def _faces(content: _Content, cells: list[tuple[str, Any]], of: str, side: int) -> list[tuple[str, Any]]:
    """Triangles and quadrilaterals that are a side of the elements of a set, or of one element."""
    members = np.array([int(of)]) if of.isdigit() else np.concatenate([np.empty(0, np.int64), *_set(content.element_sets, of)])
    found = []
    for (shape, table), (_, nodes) in zip(content.elements, cells, strict=False):
        faces = _FACES.get(re.sub(r"\d+$", "", shape), ())
        mine = np.isin(table[:, 0], members)
        if side <= len(faces) and mine.any():
            face = faces[side - 1]
            found.append(("triangle" if len(face) == 3 else "quad", nodes[mine][:, face]))
    return found


def _positions(number: Indices, wanted: Indices) -> Indices:
    """Places of nodes by their numbers in the file."""
    order = np.argsort(number, kind="stable")
    places = np.clip(np.searchsorted(number, wanted, sorter=order), 0, len(number) - 1)
    found: Indices = order[places]
    if (number[found] != wanted).any():
        raise ValueError(f"node {wanted[number[found] != wanted].ravel()[0]} is not there")
    return found
