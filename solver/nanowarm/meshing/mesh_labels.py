"""Names of regions and surfaces in a mesh that meshio read: sets, families, or whole numbers on the cells."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nanowarm.meshing.journal import Journal
from nanowarm.meshing.mesh_cells import Simplices
from nanowarm.meshing.mesh_checks import Indices, Labels, facet_keys

_WHAT = {3: "region", 2: "surface"}
# Arrays in which programs and formats keep what a cell belongs to, the surest first.
_TAGS = (
    "gmsh:physical",
    "cell_tags",
    "medit:ref",
    "nastran:ref",
    "su2:tag",
    "tetgen:ref",
    "ugrid:ref",
    "netgen:index",
    "avsucd:material",
    "CellEntityIds",
)
_WORDS = re.compile(
    r"region|physical|material|\bmat|mat_?id|tag|label|domain|zone|entit|ref\b|group|part_?id|part$|block|segment|tissue|"
    r"marker|bound|surface|facet|face|patch|attribute|property|pid|name_to_read",
    re.IGNORECASE,
)
_NUMBERING = re.compile(
    r"gmsh:geometrical|partition|process|rank|owner|ghost|original|global|pedigree|(cell|element|elem|face|object)_?ids?$|"
    r"index|type|quality|level|colou?r",
    re.IGNORECASE,
)
_MOST_NAMES = 256  # more distinct numbers than that number the cells


@dataclass(frozen=True)
class Named:
    """What each element of one dimension belongs to.

    Args:
        index: into `names`, -1 for none, shape (elements,).
        names: of the regions or surfaces.
    """

    index: Labels
    names: list[str]


def names_of_elements(mesh: Any, dimension: int, journal: Journal) -> Named:
    """Regions (dimension 3) or surfaces (2) of all elements, by sets where there are any, else by numbers."""
    total = sum(len(block.data) for block in mesh.cells if block.dim == dimension)
    by_number = _by_number(mesh, dimension, total, journal)
    return _with_sets(by_number, _sets(mesh, dimension), _WHAT[dimension], journal)


def _with_sets(named: Named, sets: Mapping[str, Indices], what: str, journal: Journal) -> Named:
    """Elements with the names of the sets that hold them; the smallest of several counts, of equal ones the last."""
    filled = {name: members for name, members in sets.items() if len(members)}
    if not filled:
        return named
    order = sorted(filled, key=lambda name: -len(filled[name]))
    index = np.full(len(named.index), -1, np.int32)
    shared = 0
    for number, name in enumerate(order):
        shared += int(np.sum(index[filled[name]] >= 0))
        index[filled[name]] = number
    if shared:
        listing = ", ".join(map(repr, order))
        journal.note(f"{shared} elements are in several sets ({listing}); each belongs to the smallest {what} that holds it")
    rest = index < 0
    index[rest] = np.where(named.index[rest] < 0, -1, named.index[rest] + len(order))
    return _compact(index, [*order, *named.names])


def _compact(index: Labels, names: list[str]) -> Named:
    """The same with names in alphabetical order, without those of no element."""
    used = sorted({names[number] for number in np.unique(index) if number >= 0})
    place = np.array([*(used.index(name) if name in used else -1 for name in names), -1], np.int32)
    return Named(place[index], used)


def _sets(mesh: Any, dimension: int) -> dict[str, Indices]:
    """Elements of each named set, counted over all elements of the dimension."""
    sets: dict[str, list[Indices]] = {}
    before = 0
    families = getattr(mesh, "cell_tags", {})  # MED only
    for number, block in enumerate(mesh.cells):
        if block.dim != dimension:
            continue
        for name, members in mesh.cell_sets.items():
            known = number < len(members) and members[number] is not None and not name.startswith("gmsh:")
            if known:
                sets.setdefault(str(name), []).append(np.asarray(members[number], np.int64) + before)
        for family, groups in families.items():
            members = np.flatnonzero(mesh.cell_data["cell_tags"][number] == family) + before
            for name in groups:
                sets.setdefault(str(name).strip(), []).append(members)
        before += len(block.data)
    return {name: _each_once(np.concatenate(parts), before) for name, parts in sets.items()}


def _each_once(members: Indices, total: int) -> Indices:
    """Members in ascending order without repeats; np.unique takes seconds for a million."""
    held = np.zeros(total, bool)
    held[members] = True
    return np.flatnonzero(held)


def _by_number(mesh: Any, dimension: int, total: int, journal: Journal) -> Named:
    """Elements by the whole numbers of one array of the file; 0 alone, or on a surface, means none."""
    nothing = Named(np.full(total, -1, np.int32), [])
    found = _arrays_of_numbers(mesh, dimension)
    if total == 0 or not found:
        return nothing
    name, values = next(iter(found.items()))
    if name not in _TAGS or len(found) > 1:
        others = f"; not used: {', '.join(list(found)[1:])}" if len(found) > 1 else ""
        journal.note(f"{_WHAT[dimension]}s are numbered by the cell array {name!r}{others}")
    tags, index = np.unique(values, return_inverse=True)
    table = _tag_names(mesh, dimension)
    names = [table.get(int(tag), str(int(tag))) for tag in tags]
    number = np.asarray(index, np.int32).ravel()
    if dimension == 2:
        number[values == 0] = -1
    return _compact(number, names)


def _arrays_of_numbers(mesh: Any, dimension: int) -> dict[str, Indices]:
    """Arrays that may say what the elements of a dimension belong to, the surest first."""
    found = {}
    for name, blocks in mesh.cell_data.items():
        parts = [np.asarray(part) for part, block in zip(blocks, mesh.cells, strict=True) if block.dim == dimension]
        values = _whole_numbers(parts, name in _TAGS or bool(_WORDS.search(name)))
        if values is not None and values.any() and (name in _TAGS or not _NUMBERING.search(name)):
            found[name] = values
    return {name: found[name] for name in sorted(found, key=_rank)}


def _rank(name: str) -> tuple[int, str]:
    if name in _TAGS:
        return _TAGS.index(name), name
    return len(_TAGS) + (0 if _WORDS.search(name) else 1), name


def _whole_numbers(parts: list[Any], sure: bool) -> Indices | None:
    """Parts as one array of a few different whole numbers; None where they are not.

    Args:
        parts: of one array of the file.
        sure: whether the array's name says what it is, so that it may hold them as floating-point numbers.
    """
    flat = [np.squeeze(part, axis=1) if part.ndim == 2 and part.shape[1] == 1 else part for part in parts]
    if not flat or any(part.ndim != 1 or part.dtype.kind not in ("iuf" if sure else "iu") for part in flat):
        return None
    values = np.concatenate(flat)
    if not np.isfinite(values).all() or (values != np.rint(values)).any() or (np.abs(values) >= 2**53).any():
        return None
    whole = values.astype(np.int64)
    return whole if len(np.unique(whole)) <= _MOST_NAMES else None


def _tag_names(mesh: Any, dimension: int) -> dict[int, str]:
    """Names of numbers in the file's own table."""
    named = {}
    for name, entry in mesh.field_data.items():
        pair = np.ravel(np.asarray(entry, object))
        if len(pair) == 2 and all(str(part).isdigit() for part in pair) and int(pair[1]) == dimension:
            named[int(pair[0])] = str(name)
    return named


def with_point_sets(
    mesh: Any, cells: Simplices, triangles: Simplices, named: Named, cell_region: Labels
) -> tuple[Indices, Named]:
    """Triangles of surfaces, with those on the boundaries of regions whose nodes are all in a set of nodes.

    A set with nodes inside a region names no surface; of several sets with all nodes of a triangle, the smallest counts.

    Args:
        mesh: of meshio.
        cells: its tetrahedra.
        triangles: its triangles.
        named: surfaces of the triangles.
        cell_region: region of each tetrahedron.
    """
    sets = {name: np.asarray(nodes, np.int64) for name, nodes in mesh.point_sets.items() if len(nodes) > 2}
    if not sets:
        return triangles.nodes, named
    boundary = _boundaries(cells.nodes, cell_region, len(mesh.points))
    on_boundary = np.zeros(len(mesh.points), bool)
    on_boundary[boundary] = True
    index = np.full(len(boundary), -1, np.int32)
    order = sorted((name for name in sets if on_boundary[sets[name]].all()), key=lambda name: (-len(sets[name]), name))
    names = list(dict.fromkeys([*named.names, *order]))
    for name in order:
        inside = np.zeros(len(mesh.points), bool)
        inside[sets[name]] = True
        index[inside[boundary].all(axis=1)] = names.index(name)
    already = facet_keys(triangles.nodes[named.index >= 0], len(mesh.points))
    index[np.isin(facet_keys(boundary, len(mesh.points)), already)] = -1
    kept = index >= 0
    facets = np.concatenate([triangles.nodes, boundary[kept]])
    return facets, _compact(np.concatenate([named.index, index[kept]]), names)


def _boundaries(cells: Indices, cell_region: Labels, nodes: int) -> Indices:
    """Triangles outside and between regions, each once, shape (triangles, 3)."""
    facets = cells[:, [[1, 2, 3], [0, 3, 2], [0, 1, 3], [0, 2, 1]]].reshape(-1, 3)
    keys = facet_keys(facets, nodes)
    order = np.argsort(keys, kind="stable")
    keys, region = keys[order], np.repeat(cell_region, 4)[order]
    first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    last = np.append(first[1:], len(keys)) - 1
    return facets[order[first[(first == last) | (region[first] != region[last])]]]
