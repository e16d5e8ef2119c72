"""The surface around each region, with its triangles welded to those of all others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nanowarm.meshing.journal import Journal, UnusableError
from nanowarm.meshing.surface_files import Triangles, read, welded
from nanowarm.meshing.surface_shells import edge_groups, half_edges

Points = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Sheet:
    """A surface around a region.

    Args:
        name: of the region; "" for that of a file whose bodies are numbered.
        label: for notes and faults.
        triangles: shape (triangles, 3).
    """

    name: str
    label: str
    triangles: Indices


def sheets(files: Mapping[str, Path], journal: Journal) -> tuple[Points, list[Sheet]]:
    """The welded points of all files, and their surfaces.

    Args:
        files: by the name of the region; one file with the name "" is divided by itself.
        journal: is told what was dropped.

    Raises:
        UnusableError: a file is damaged.
    """
    contents = {name: read(file) for name, file in files.items()}
    starts = np.cumsum([0] + [len(content.points) for content in contents.values()])
    joint = [content.corners + start for content, start in zip(contents.values(), starts[:-1], strict=True)]
    points, corners = welded(np.concatenate([content.points for content in contents.values()]), np.concatenate(joint))
    found: list[Sheet] = []
    for (name, content), own in zip(contents.items(), np.split(corners, np.cumsum([len(c) for c in joint])[:-1]), strict=True):
        label = files[name].name
        parts = {} if name else _closed_parts(content, own)
        for part, triangles in parts.items():
            found.append(Sheet(part, f'"{part}" of {label}', _distinct(triangles, f'"{part}" of {label}', journal)))
        if not parts:
            found.append(Sheet(name, label, _distinct(own, label, journal)))
    return points, found


def _closed_parts(content: Triangles, corners: Indices) -> dict[str, Indices]:
    """The named parts of a file, if there are several and each is closed."""
    names = [name for name in dict.fromkeys(content.part_names) if name]
    label = np.array(content.part_names)[content.part]
    parts = {name: corners[label == name] for name in names if (label == name).any()}
    if len(parts) < 2 or sum(map(len, parts.values())) < len(corners):
        return {}
    closed = [edge_groups(half_edges(_without_flat(part)))[1].min(initial=2) > 1 for part in parts.values()]
    return parts if all(closed) else {}


def _without_flat(triangles: Indices) -> Indices:
    return triangles[(triangles != np.roll(triangles, 1, axis=1)).all(axis=1)]


def _distinct(triangles: Indices, label: str, journal: Journal) -> Indices:
    """The triangles of three corners, each once."""
    whole = _without_flat(triangles)
    _, first = np.unique(np.sort(whole, axis=1), axis=0, return_index=True)
    if len(whole) < len(triangles):
        journal.note(f"{label}: {len(triangles) - len(whole)} triangles with two equal corners were left out")
    if len(first) < len(whole):
        journal.note(f"{label}: {len(whole) - len(first)} triangles that were there twice were left out")
    if len(first) < 4:
        raise UnusableError(f"{label} holds {len(first)} triangles; a closed surface has at least 4")
    return whole[np.sort(first)]
