"""The fields of a run as its field file holds them, and the moments that tell how they changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Whole = NDArray[np.int64]

MOST_LOOKED_AT = 120  # frames among which moments are chosen
LOOKED_AT_NODES = 400
CLOSE_ENOUGH = 2e-3  # of the range of all values: closer than the eye tells colours apart


@dataclass(frozen=True, eq=False)
class FieldSeries:
    """Fields of one run on its mesh.

    Args:
        points: [m], shape (nodes, 3).
        cells: nodes of each tetrahedron, shape (cells, 4).
        region: number of each cell's region, shape (cells,).
        times: [s] of the frames, none twice, shape (frames,).
        moving: field that changes, by name: its values at those frames, shape (nodes,) each.
        nodal: field that is known at the end, by name, shape (nodes,).
        cellwise: field that never changes, by name, shape (cells,).
    """

    points: Array
    cells: Whole
    region: Whole
    times: Array
    moving: Mapping[str, tuple[Array, ...]]
    nodal: Mapping[str, Array]
    cellwise: Mapping[str, Array]


def read_series(path: Path, most: int) -> FieldSeries:
    """The fields of a file, with the frames that tell most of how they changed.

    Args:
        path: of `fields.vtkhdf`.
        most: frames to keep.

    Raises:
        OSError: it can't be read.
        KeyError: something is missing in it.
        ValueError: its parts don't fit together.
    """
    import h5py

    with h5py.File(path, "r") as file:
        group = file["VTKHDF"]
        points, cells = _mesh(group)
        kept = _distinct(group["Steps/Values"][:])
        fixed = {name: values[:].astype(float) for name, values in group["CellData"].items()}
        region = fixed.pop("region", np.zeros(len(cells))).astype(np.int64)
        moving, nodal = {}, {}
        for name, values in group["PointData"].items():
            offsets = group["Steps/PointDataOffsets"][name][:]
            if values.size > len(points):
                moving[name] = (values, offsets)
            else:
                nodal[name] = _checked(values[:].astype(float), len(points), name)
        if moving:
            kept = kept[_telling(list(moving.values()), kept, len(points), most)]
        frames = {name: tuple(_frame(*of, number, len(points)) for number in kept) for name, of in moving.items()}
        return FieldSeries(points, cells, region, group["Steps/Values"][:][kept], frames, nodal, fixed)


def _mesh(group: Any) -> tuple[Array, Whole]:
    """Points [m], shape (nodes, 3), and nodes of each tetrahedron, shape (cells, 4).

    Raises:
        ValueError: they don't fit together.
    """
    points, cells = group["Points"][:], group["Connectivity"][:].reshape(-1, 4)
    if cells.size and cells.max() >= len(points):
        raise ValueError("cells of nodes that are not there")
    return points, cells


class FrameFile:
    """A field file, read frame by frame; a context that closes it.

    Args:
        path: of `fields.vtkhdf`.

    Attributes:
        points: [m], shape (nodes, 3).
        cells: nodes of each tetrahedron, shape (cells, 4).
        region: number of each cell's region, shape (cells,).
        times: [s] of the frames, none twice, shape (frames,).
        moving: names of fields that change.
        nodal: names of fields that are known at the end.
        cellwise: names of fields that never change.

    Raises:
        OSError: it can't be read.
        KeyError: something is missing in it.
        ValueError: its parts don't fit together.
    """

    def __init__(self, path: Path) -> None:
        import h5py

        self._file = h5py.File(path, "r")
        group = self._group = self._file["VTKHDF"]
        self.points, self.cells = _mesh(group)
        self._kept = _distinct(group["Steps/Values"][:])
        self.times: Array = group["Steps/Values"][:][self._kept]
        values = group["PointData"]
        self.moving = tuple(name for name in values if values[name].size > len(self.points))
        self.nodal = tuple(name for name in values if name not in self.moving)
        self.cellwise = tuple(name for name in group["CellData"] if name != "region")
        region = group["CellData/region"][:] if "region" in group["CellData"] else np.zeros(len(self.cells))
        self.region: Whole = region.astype(np.int64)

    def __enter__(self) -> FrameFile:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    @property
    def names(self) -> tuple[str, ...]:
        """All fields, the temperature first."""
        return tuple(sorted((*self.moving, *self.nodal, *self.cellwise), key=lambda name: (name != "temperature", name)))

    def values(self, name: str, number: int) -> Array:
        """A field at a frame, shape (nodes,), or (cells,) where it is one of cells."""
        if name in self.cellwise:
            return _checked(self._group["CellData"][name][:].astype(float), len(self.cells), name)
        if name in self.nodal:
            return _checked(self._group["PointData"][name][:].astype(float), len(self.points), name)
        offsets = self._group["Steps/PointDataOffsets"][name][:]
        return _frame(self._group["PointData"][name], offsets, int(self._kept[number]), len(self.points))

    def nearest(self, time: float) -> int:
        """The number of the frame whose time [s] is nearest to one."""
        return int(np.abs(self.times - time).argmin())


def _distinct(times: Array) -> Whole:
    """Numbers of the frames, of several at one time the last."""
    return np.flatnonzero(np.append(np.diff(times) > 0.0, True)) if times.size else np.zeros(0, dtype=np.int64)


def _frame(values: Any, offsets: Whole, number: int, nodes: int) -> Array:
    """Values of one frame, shape (nodes,)."""
    first = int(offsets[number])
    return _checked(values[first : first + nodes].astype(float), nodes, values.name)


def _checked(values: Array, nodes: int, name: str) -> Array:
    """The values, one for every node.

    Raises:
        ValueError: there are fewer.
    """
    if values.size != nodes:
        raise ValueError(f"{name} has {values.size} values for {nodes} nodes")
    return values


def _telling(fields: list[tuple[Any, Whole]], kept: Whole, nodes: int, most: int) -> Whole:
    """Which of the frames tell most of how the fields changed."""
    looked = np.unique(np.linspace(0, len(kept) - 1, min(len(kept), MOST_LOOKED_AT)).round().astype(int))
    at = np.unique(np.linspace(0, nodes - 1, min(nodes, LOOKED_AT_NODES)).round().astype(int))
    rows = [np.concatenate([_scaled_frame(*field, kept[number], nodes)[at] for field in fields]) for number in looked]
    return looked[chosen_rows(np.array(rows), looked.astype(float), most)]


def _scaled_frame(values: Any, offsets: Whole, number: int, nodes: int) -> Array:
    """Values of one frame, those that are none as zero."""
    return np.nan_to_num(_frame(values, offsets, number, nodes), posinf=0.0, neginf=0.0)


def chosen_rows(rows: Array, at: Array, most: int) -> Whole:
    """Numbers of the rows between which the others follow best by straight lines, first and last among them.

    Args:
        rows: values, shape (rows, places).
        at: where each row lies, rising, shape (rows,).
        most: rows to choose, two or more.
    """
    chosen = sorted({0, len(rows) - 1})
    enough = CLOSE_ENOUGH * np.ptp(rows)
    while len(chosen) < min(most, len(rows)):
        after = np.clip(np.searchsorted(chosen, np.arange(len(rows))), 1, len(chosen) - 1)
        left, right = np.array(chosen)[after - 1], np.array(chosen)[after]
        part = ((at - at[left]) / (at[right] - at[left]))[:, None]
        error = np.abs(rows - (1.0 - part) * rows[left] - part * rows[right]).max(axis=1)
        if error.max() <= enough:
            break
        chosen = sorted({*chosen, int(error.argmax())})
    return np.array(chosen)
