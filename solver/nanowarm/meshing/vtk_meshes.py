"""Mesh files that VTK reads, as meshes of meshio."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from nanowarm.meshing.journal import UnusableError
from nanowarm.meshing.mesh_readers import UnreadableError

EXODUS_FILES = (".e", ".exo", ".ex2", ".exii")
# VTK's number of each shape in its linear, quadratic, full quadratic and Lagrange form.
_SHAPES = {
    "triangle": (5, 22, 34, 69),
    "quad": (9, 23, 28, 30, 70),
    "tetra": (10, 24, 71),
    "hexahedron": (12, 25, 29, 33, 72),
    "wedge": (13, 26, 31, 32, 73),
    "pyramid": (14, 27, 37, 74),
}
_NUMBERS = {number: shape for shape, numbers in _SHAPES.items() for number in numbers}
_PIXEL, _VOXEL = 8, 11  # as quad and hexahedron, with corners in the order of a lattice
_FLAT_OR_LESS = (0, 1, 2, 3, 4, 6, 7, 21, 35, 36, 68)  # points, lines, strips and polygons
_UNNAMED = re.compile(r"Unnamed \w+ ID: (\d+)")


def read_by_vtk(file: Path) -> Any:
    """Mesh of meshio from a file of VTK or an Exodus file.

    Raises:
        UnreadableError: VTK can't read it.
        UnusableError: it has cells of another shape.
    """
    if file.suffix.lower() in EXODUS_FILES:
        return _read_exodus(file)
    from vtkmodules.util.numpy_support import vtk_to_numpy

    grid = _as_unstructured(_updated(_reader(file), file).GetOutputDataObject(0))
    points, data = vtk_to_numpy(grid.GetPoints().GetData()), grid.GetCellData()
    arrays = {data.GetArrayName(i): data.GetArray(i) for i in range(data.GetNumberOfArrays()) if data.GetArray(i) is not None}
    blocks = _blocks(grid)
    columns = {str(name): vtk_to_numpy(array) for name, array in arrays.items()}
    real = (columns["vtkGhostType"] & 1) == 0 if "vtkGhostType" in columns else np.full(grid.GetNumberOfCells(), True)
    blocks = [(shape, nodes[real[members]], members[real[members]]) for shape, nodes, members in blocks]
    if file.suffix.lower() == ".pvtu":  # the pieces repeat the points that they share
        points, number = np.unique(points, axis=0, return_inverse=True)
        blocks = [(shape, number.ravel()[nodes], members) for shape, nodes, members in blocks]
    return _mesh(points, blocks, columns)


def _mesh(points: Any, blocks: list[tuple[str, Any, Any]], columns: dict[str, Any]) -> Any:
    import meshio

    data = {name: [values[members] for _, _, members in blocks] for name, values in columns.items()}
    return meshio.Mesh(points, [(shape, nodes) for shape, nodes, _ in blocks], cell_data=data)


def _reader(file: Path) -> Any:
    """VTK's reader of a file by what its first bytes are."""
    from vtkmodules.vtkIOHDF import vtkHDFReader
    from vtkmodules.vtkIOLegacy import vtkGenericDataObjectReader
    from vtkmodules.vtkIOXML import vtkXMLPUnstructuredGridReader, vtkXMLUnstructuredGridReader

    with file.open("rb") as stream:
        head = stream.read(2000)
    if b"PUnstructuredGrid" in head:
        return vtkXMLPUnstructuredGridReader()
    if b"<VTKFile" in head:
        return vtkXMLUnstructuredGridReader()
    return vtkHDFReader() if head.startswith(b"\x89HDF") else vtkGenericDataObjectReader()


def _updated(reader: Any, file: Path) -> Any:
    """The reader after it has read.

    Raises:
        UnreadableError: it complained.
    """
    faults: list[str] = []
    reader.AddObserver("ErrorEvent", lambda *_: faults.append("ErrorEvent"))
    reader.SetFileName(str(file))
    reader.Update()
    output = reader.GetOutputDataObject(0)
    if faults or output is None or not output.IsA("vtkDataSet") or output.GetNumberOfCells() == 0:
        raise UnreadableError("VTK can't read it; export it again")
    return reader


def _as_unstructured(grid: Any) -> Any:
    """Any data set of VTK as an unstructured grid."""
    from vtkmodules.vtkFiltersCore import vtkAppendFilter

    if grid.IsA("vtkUnstructuredGrid"):
        return grid
    change = vtkAppendFilter()
    change.AddInputData(grid)
    change.Update()
    return change.GetOutput()


def _blocks(grid: Any) -> list[tuple[str, Any, Any]]:
    """Shape, nodes and numbers of the cells of each kind of a grid.

    Raises:
        UnusableError: solids of another shape, such as polyhedra.
    """
    from vtkmodules.util.numpy_support import vtk_to_numpy

    kinds = vtk_to_numpy(grid.GetCellTypesArray()).astype(int)
    offsets = vtk_to_numpy(grid.GetCells().GetOffsetsArray()).astype(np.int64)
    nodes = vtk_to_numpy(grid.GetCells().GetConnectivityArray()).astype(np.int64)
    blocks = []
    for kind, count in np.unique(np.column_stack([kinds, np.diff(offsets)]), axis=0):
        members = np.flatnonzero((kinds == kind) & (np.diff(offsets) == count))
        of_cells = nodes[offsets[members][:, None] + np.arange(count)]
        if kind in (_PIXEL, _VOXEL):
            order = [0, 1, 3, 2] if kind == _PIXEL else [0, 1, 3, 2, 4, 5, 7, 6]
            blocks.append(("quad" if kind == _PIXEL else "hexahedron", of_cells[:, order], members))
        elif kind in _NUMBERS:
            blocks.append((_NUMBERS[kind], of_cells, members))
        elif kind not in _FLAT_OR_LESS:
            raise UnusableError(f"cells of VTK's type {kind} can't be used; mesh with tetrahedra, hexahedra, prisms or pyramids")
    return blocks


def _read_exodus(file: Path) -> Any:
    """An Exodus file: its element blocks, side sets and node sets as sets by their names, else their numbers."""
    import meshio
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkIOExodus import vtkExodusIIReader

    reader = vtkExodusIIReader()
    reader.SetFileName(str(file))
    if not reader.CanReadFile(str(file)):
        raise UnreadableError("VTK can't read it as an Exodus file; export it again")
    reader.UpdateInformation()
    reader.SetSqueezePoints(False)  # so that all parts share the points of the file
    kinds = (reader.ELEM_BLOCK, reader.SIDE_SET, reader.NODE_SET)
    for kind in kinds:
        for i in range(reader.GetNumberOfObjects(kind)):
            reader.SetObjectStatus(kind, i, 1)
    reader.Update()
    points: Any = np.empty((0, 3))
    cells: list[tuple[str, Any]] = []
    owners: list[str] = []
    point_sets = {}
    for name, grid, of_nodes in _exodus_parts(reader):
        points = vtk_to_numpy(grid.GetPoints().GetData())
        if of_nodes:
            point_sets[name] = vtk_to_numpy(grid.GetCells().GetConnectivityArray())
            continue
        for shape, nodes, _ in _blocks(grid):
            cells.append((shape, nodes))
            owners.append(name)
    none = np.empty(0, np.int64)
    sets = {
        name: [np.arange(len(nodes)) if owner == name else none for owner, (_, nodes) in zip(owners, cells, strict=True)]
        for name in dict.fromkeys(owners)
    }
    return meshio.Mesh(points, cells, cell_sets=sets, point_sets=point_sets)


def _exodus_parts(reader: Any) -> list[tuple[str, Any, bool]]:
    """Name, grid, and whether it is a set of nodes, of each part of an Exodus file."""
    parts = []
    output = reader.GetOutput()
    for i in range(output.GetNumberOfBlocks()):
        group = output.GetBlock(i)
        for j in range(0 if group is None else group.GetNumberOfBlocks()):
            grid = group.GetBlock(j)
            if grid is None or grid.GetNumberOfCells() == 0:
                continue
            name = str(group.GetMetaData(j).Get(group.NAME())).strip()
            unnamed = _UNNAMED.fullmatch(name)
            of_nodes = output.GetMetaData(i).Get(output.NAME()) == "Node Sets"
            parts.append((unnamed[1] if unnamed else name, grid, of_nodes))
    return parts
