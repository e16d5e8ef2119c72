"""Fields to files: one VTKHDF time series that ParaView and pyvista open.

Format: https://docs.vtk.org/en/latest/vtk_file_formats/vtkhdf_file_format/ (version 2.2, unstructured grid).
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanowarm.numerics.disk import carry_out_journal, hdf5_file, to_disk
from nanowarm.numerics.file_order import AT_ONCE, AsGiven, FileOrder, Slabs, blocks, order_in_file, write_on_first
from nanowarm.numerics.operators import Operators
from nanowarm.numerics.ranks import on_first
from nanowarm.numerics.saved import Saved
from nanowarm.numerics.stack import h5py

Array = NDArray[np.float64]

_TETRAHEDRON = 10  # VTK's number of the cell type
_OFFSETS = ("PartOffsets", "PointOffsets")  # one number a step, all zero: the mesh never changes
_CELL_OFFSETS = ("CellOffsets", "ConnectivityIdOffsets")


class FieldFile:
    """A time series of nodal fields on a fixed mesh, written by rank 0, which gets one rank's values at a time.

    Args:
        path: the file to make, or to go on in where a run was broken off.
        operators: mesh and nodes.
        cell_data: fields that never change, by name, one value per owned cell.
    """

    def __init__(self, path: Path, operators: Operators, cell_data: Mapping[str, NDArray[np.generic]]) -> None:
        self.comm = operators.layout.comm
        self.path = path
        self._order: FileOrder | AsGiven = AsGiven()
        self._nodes = self.comm.allreduce(operators.layout.owned)
        self._steps, self._last = 0, -np.inf  # frames, and the time [s] of the last one
        self.notes: list[str] = []  # on frames that are lost
        if not self._adopted(operators):
            self._create(operators, cell_data)

    def _adopted(self, operators: Operators) -> bool:
        """Whether there is a file of this mesh, whose order of the nodes is kept; one that can't be used is set aside."""
        if not on_first(self.comm, self._found):
            return False
        count, order = (self._nodes, operators.mesh.cell_count()), None
        with contextlib.suppress(OSError, KeyError, RuntimeError, ValueError):  # damaged, in whatever way HDF5 notices it
            if on_first(self.comm, self._counts) == count:
                order = order_in_file(self.comm, self._points, operators.position)
        self._order = order or AsGiven()
        if order is None:
            on_first(self.comm, self._set_aside)
        return order is not None

    def _found(self) -> bool:
        """Whether there is a file, complete if its writing was broken off."""
        if self.path.exists():
            carry_out_journal(self.path)
        return self.path.exists()

    def _set_aside(self) -> None:
        """Leave the file under another name."""
        self.path.rename(_free(self.path.with_name(f"{self.path.stem}-damaged{self.path.suffix}")))

    def _counts(self) -> tuple[int, int]:
        """Nodes and cells of the file."""
        with h5py.File(self.path, "r") as file:
            return file["VTKHDF/Points"].shape[0], int(file["VTKHDF/NumberOfCells"][0])

    def _points(self, rows: slice) -> Array:
        """Some points of the file."""
        with h5py.File(self.path, "r") as file:
            return np.asarray(file["VTKHDF/Points"][rows])

    def saved(self) -> Saved:
        """How many steps it holds, on the disk; collective."""
        on_first(self.comm, lambda: to_disk(self.path))
        return Saved({"steps": self._steps, "last": self._last if self._steps else None, "notes": self.notes})

    def restore(self, saved: Saved) -> None:
        """Cut off the steps that came after; collective."""
        steps, self.notes = saved.plain["steps"], saved.plain["notes"]
        self._last = saved.plain["last"] if steps else -np.inf
        self._steps = on_first(self.comm, lambda: self._cut(steps))
        if self._steps < steps:
            self.notes.append(f"{self.path.name} had been damaged: of its first {steps} frames it holds {self._steps}.")

    def _cut(self, count: int) -> int:
        """Keep as many steps up to the last time, and nothing that is known only at the end; how many there are."""
        with hdf5_file(self.path, "r+") as file:
            group = file["VTKHDF"]
            steps = group["Steps"]
            count = min(count, int(np.count_nonzero(steps["Values"][:] <= self._last)))
            for name in list(group["PointData"]):
                if group["PointData"][name].maxshape[0] is None:
                    group["PointData"][name].resize(count * group["NumberOfPoints"][0], axis=0)
                else:  # known only at the end
                    del group["PointData"][name], steps["PointDataOffsets"][name]
            for name in ("Values", "NumberOfParts", *_OFFSETS, *_CELL_OFFSETS):
                steps[name].resize(count, axis=0)
            for kind_of in ("Point", "Cell"):
                for offsets in steps[f"{kind_of}DataOffsets"].values():
                    offsets.resize(min(count, offsets.shape[0]), axis=0)
            steps.attrs["NSteps"] = count
            return count

    def _create(self, operators: Operators, cell_data: Mapping[str, NDArray[Any]]) -> None:
        """Make the file with the mesh and what never changes."""
        cells, names = operators.mesh.cell_count(), list(cell_data)
        mesh = [blocks(operators.position), _corners(operators)]

        def make(slabs: list[Slabs]) -> None:
            """Write all of it, on the first rank."""
            with hdf5_file(self.path, "w") as file:
                group = file.create_group("VTKHDF")
                self._describe(group, cells)
                _fill(group.create_dataset("Points", (self._nodes, 3), "f8"), slabs[0])
                _fill(group.create_dataset("Connectivity", (4 * cells,), "i8"), slabs[1])
                _count_up(group.create_dataset("Offsets", (cells + 1,), "i8"), 4)
                group.create_dataset("Types", (cells,), "u1", fillvalue=_TETRAHEDRON)
                for name, values in zip(names, slabs[2:], strict=True):
                    kind = cell_data[name].dtype
                    packed = group["CellData"].create_dataset(name, (cells,), kind, compression="gzip", compression_opts=1)
                    _fill(packed, values)
                    _growing(group["Steps/CellDataOffsets"], name, "i8")

        write_on_first(self.comm, [*mesh, *map(blocks, cell_data.values())], make)

    def _describe(self, group: h5py.Group, cells: int) -> None:
        """Write what is not an array of the mesh: version, sizes and the empty lists of steps."""
        group.attrs["Version"] = np.array([2, 2], dtype="i8")
        kind = b"UnstructuredGrid"
        group.attrs.create("Type", kind, dtype=h5py.string_dtype("ascii", len(kind)))
        for name, count in (("Points", self._nodes), ("Cells", cells), ("ConnectivityIds", 4 * cells)):
            group[f"NumberOf{name}"] = np.array([count], dtype="i8")
        steps = group.create_group("Steps")
        steps.attrs["NSteps"] = 0
        _growing(steps, "Values", "f8")
        _growing(steps, "NumberOfParts", "i8")
        for name in _OFFSETS:
            _growing(steps, name, "i8")
        for name in _CELL_OFFSETS:
            _growing(steps, name, "i8", (1,))
        for kind_of in ("Point", "Cell"):
            group.create_group(f"{kind_of}Data")
            steps.create_group(f"{kind_of}DataOffsets")

    def append(self, time: float, fields: Mapping[str, Array]) -> None:
        """Add one step; every call gives the same names, each with a value per own node."""
        names = list(fields)
        write_on_first(self.comm, self._single(fields), lambda slabs: self._append(time, dict(zip(names, slabs, strict=True))))
        self._steps, self._last = self._steps + 1, time

    def _single(self, fields: Mapping[str, Array]) -> list[Slabs]:
        """This rank's slab of each field in the file; collective."""
        return [blocks(self._order.slab(values.astype(np.float32))) for values in fields.values()]

    def _append(self, time: float, fields: Mapping[str, Slabs]) -> None:
        with hdf5_file(self.path, "r+") as file:
            group = file["VTKHDF"]
            steps = group["Steps"]
            for name, slabs in fields.items():
                data = group["PointData"].get(name) or _first(group["PointData"], name, self._nodes)
                if name not in steps["PointDataOffsets"]:
                    _growing(steps["PointDataOffsets"], name, "i8")
                start = data.shape[0]
                _add(steps["PointDataOffsets"][name], start)
                data.resize(start + self._nodes, axis=0)
                _fill(data, slabs, start)
            for name in group["CellData"]:
                _add(steps["CellDataOffsets"][name], 0)
            for name in (*_OFFSETS, *_CELL_OFFSETS):
                _add(steps[name], 0)
            _add(steps["NumberOfParts"], 1)
            _add(steps["Values"], time)
            steps.attrs["NSteps"] = steps["Values"].shape[0]

    def finish(self, fields: Mapping[str, Array]) -> None:
        """Add nodal fields that are known only at the end and belong to every step."""
        names = list(fields)
        write_on_first(self.comm, self._single(fields), lambda slabs: self._finish(dict(zip(names, slabs, strict=True))))

    def _finish(self, fields: Mapping[str, Slabs]) -> None:
        with hdf5_file(self.path, "r+") as file:
            group = file["VTKHDF"]
            count = group["Steps/Values"].shape[0]
            for name, slabs in fields.items():
                data = group["PointData"].create_dataset(name, (self._nodes,), "f4", compression="gzip", compression_opts=1)
                _fill(data, slabs)
                group["Steps/PointDataOffsets"].create_dataset(name, data=np.zeros(count, dtype="i8"))


def _free(path: Path) -> Path:
    """A path like this one that nothing has yet."""
    others = (path.with_stem(f"{path.stem}-{number}") for number in itertools.count(2))
    return next(each for each in itertools.chain([path], others) if not each.exists())


def _corners(operators: Operators) -> Slabs:
    """Numbers in the file of the corners of own cells, one cell after the other, in parts."""
    dofmap = operators.space.dofmap
    cells = dofmap.list[: operators.mesh.domain.topology.index_map(3).size_local]
    for part in blocks(cells):
        yield dofmap.index_map.local_to_global(np.ascontiguousarray(part, np.int32).ravel())


def _fill(data: h5py.Dataset, slabs: Slabs, start: int = 0) -> None:
    """Write slabs one behind the other."""
    for slab in slabs:
        data[start : start + len(slab)] = slab
        start += len(slab)


def _count_up(data: h5py.Dataset, step: int) -> None:
    """Write 0, step, 2 step and so on."""
    for start in range(0, data.shape[0], AT_ONCE):
        stop = min(start + AT_ONCE, data.shape[0])
        data[start:stop] = np.arange(start, stop, dtype=data.dtype) * step


def _growing(group: h5py.Group, name: str, kind: str, width: tuple[int, ...] = ()) -> h5py.Dataset:
    return group.create_dataset(name, (0, *width), kind, maxshape=(None, *width), chunks=(64, *width))


def _first(group: h5py.Group, name: str, count: int) -> h5py.Dataset:
    chunk = (min(max(count, 1), 65536),)
    return group.create_dataset(
        name, (0,), "f4", maxshape=(None,), chunks=chunk, compression="gzip", compression_opts=1, shuffle=True
    )


def _add(data: h5py.Dataset, value: float) -> None:
    data.resize(data.shape[0] + 1, axis=0)
    data[-1] = value
