"""Fields to files: one VTKHDF time series that ParaView and pyvista open.

Format: https://docs.vtk.org/en/latest/vtk_file_formats/vtkhdf_file_format/ (version 2.2, unstructured grid).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nanowarm.numerics.disk import carry_out_journal, hdf5_file, to_disk
from nanowarm.numerics.operators import Operators
from nanowarm.numerics.places import matched
from nanowarm.numerics.ranks import on_first, rows_on_first
from nanowarm.numerics.saved import Saved
from nanowarm.numerics.stack import h5py

Array = NDArray[np.float64]

_TETRAHEDRON = 10  # VTK's number of the cell type
_OFFSETS = ("PartOffsets", "PointOffsets")  # one number a step, all zero: the mesh never changes
_CELL_OFFSETS = ("CellOffsets", "ConnectivityIdOffsets")


class FieldFile:
    """A time series of nodal fields on a fixed mesh, gathered to rank 0 and written there.

    Args:
        path: the file to make, or to go on in where a run was broken off.
        operators: mesh and nodes.
        cell_data: fields that never change, by name, one value per owned cell.
    """

    def __init__(self, path: Path, operators: Operators, cell_data: Mapping[str, NDArray[np.generic]]) -> None:
        self.comm = operators.layout.comm
        self.path = path
        dofmap = operators.space.dofmap
        cells = dofmap.list[: operators.mesh.domain.topology.index_map(3).size_local]
        numbers = dofmap.index_map.local_to_global(np.ascontiguousarray(cells).ravel().astype(np.int32)).reshape(-1, 4)
        connectivity, points = rows_on_first(numbers, self.comm), rows_on_first(operators.position, self.comm)
        gathered = {name: rows_on_first(values, self.comm) for name, values in cell_data.items()}
        self._order: NDArray[np.intp] | slice = slice(None)  # of gathered nodes in the file
        self._steps, self._last = 0, -np.inf  # frames, and the time [s] of the last one
        self.notes: list[str] = []  # on frames that are lost
        on_first(self.comm, lambda: self._open(points, connectivity, gathered))

    def _open(self, points: Array, connectivity: NDArray[np.int64], cell_data: Mapping[str, Array]) -> None:
        """Go on in the file where there is one of this mesh, else make it; one that can't be used is set aside."""
        if self.path.exists():
            carry_out_journal(self.path)
            if self._adopted(points, connectivity):
                return
            self.path.rename(_free(self.path.with_name(f"{self.path.stem}-damaged{self.path.suffix}")))
        self._create(points, connectivity, cell_data)

    def _adopted(self, points: Array, connectivity: NDArray[np.int64]) -> bool:
        """Whether the file is of this mesh; its order of the nodes is kept."""
        try:
            with h5py.File(self.path, "r") as file:
                known, cells = file["VTKHDF/Points"][:], file["VTKHDF/NumberOfCells"][0]
        except (OSError, KeyError, RuntimeError, ValueError):  # damaged, in whatever way HDF5 notices it
            return False
        if known.shape != points.shape or cells != len(connectivity):
            return False
        if np.array_equal(known, points):
            return True
        found, self._order = matched(known, points)
        return found.size == len(known)

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

    def _create(self, points: Array, connectivity: NDArray[np.int64], cell_data: Mapping[str, Array]) -> None:
        with hdf5_file(self.path, "w") as file:
            group = file.create_group("VTKHDF")
            group.attrs["Version"] = np.array([2, 2], dtype="i8")
            kind = b"UnstructuredGrid"
            group.attrs.create("Type", kind, dtype=h5py.string_dtype("ascii", len(kind)))
            cells = connectivity.shape[0]
            for name, count in (("Points", points.shape[0]), ("Cells", cells), ("ConnectivityIds", 4 * cells)):
                group[f"NumberOf{name}"] = np.array([count], dtype="i8")
            group["Points"] = points
            group["Connectivity"] = connectivity.ravel()
            group["Offsets"] = np.arange(cells + 1, dtype="i8") * 4
            group["Types"] = np.full(cells, _TETRAHEDRON, dtype="u1")
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
            for name, values in cell_data.items():
                group["CellData"].create_dataset(name, data=values, compression="gzip", compression_opts=1)
                _growing(steps["CellDataOffsets"], name, "i8")

    def append(self, time: float, fields: Mapping[str, Array]) -> None:
        """Add one step; every call gives the same names, each with a value per own node."""
        gathered = {name: rows_on_first(values.astype(np.float32), self.comm) for name, values in fields.items()}
        on_first(self.comm, lambda: self._append(time, gathered))
        self._steps, self._last = self._steps + 1, time

    def _append(self, time: float, fields: Mapping[str, NDArray[np.float32]]) -> None:
        with hdf5_file(self.path, "r+") as file:
            group = file["VTKHDF"]
            steps = group["Steps"]
            for name, gathered in fields.items():
                values = gathered[self._order]
                data = group["PointData"].get(name) or _first(group["PointData"], name, values)
                if name not in steps["PointDataOffsets"]:
                    _growing(steps["PointDataOffsets"], name, "i8")
                _add(steps["PointDataOffsets"][name], data.shape[0])
                data.resize(data.shape[0] + values.size, axis=0)
                data[-values.size :] = values
            for name in group["CellData"]:
                _add(steps["CellDataOffsets"][name], 0)
            for name in (*_OFFSETS, *_CELL_OFFSETS):
                _add(steps[name], 0)
            _add(steps["NumberOfParts"], 1)
            _add(steps["Values"], time)
            steps.attrs["NSteps"] = steps["Values"].shape[0]

    def finish(self, fields: Mapping[str, Array]) -> None:
        """Add nodal fields that are known only at the end and belong to every step."""
        gathered = {name: rows_on_first(values.astype(np.float32), self.comm) for name, values in fields.items()}
        on_first(self.comm, lambda: self._finish(gathered))

    def _finish(self, fields: Mapping[str, NDArray[np.float32]]) -> None:
        with hdf5_file(self.path, "r+") as file:
            group = file["VTKHDF"]
            count = group["Steps/Values"].shape[0]
            for name, values in fields.items():
                group["PointData"].create_dataset(name, data=values[self._order], compression="gzip", compression_opts=1)
                group["Steps/PointDataOffsets"].create_dataset(name, data=np.zeros(count, dtype="i8"))


def _free(path: Path) -> Path:
    """A path like this one that nothing has yet."""
    others = (path.with_stem(f"{path.stem}-{number}") for number in itertools.count(2))
    return next(each for each in itertools.chain([path], others) if not each.exists())


def _growing(group: h5py.Group, name: str, kind: str, width: tuple[int, ...] = ()) -> h5py.Dataset:
    return group.create_dataset(name, (0, *width), kind, maxshape=(None, *width), chunks=(64, *width))


def _first(group: h5py.Group, name: str, values: NDArray[np.float32]) -> h5py.Dataset:
    chunk = (min(max(values.size, 1), 65536),)
    return group.create_dataset(
        name, (0,), values.dtype, maxshape=(None,), chunks=chunk, compression="gzip", compression_opts=1, shuffle=True
    )


def _add(data: h5py.Dataset, value: float) -> None:
    data.resize(data.shape[0] + 1, axis=0)
    data[-1] = value
