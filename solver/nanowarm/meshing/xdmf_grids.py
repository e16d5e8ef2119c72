"""XDMF files with several grids, as DOLFINx writes a mesh and the tags of its cells and facets, as meshes of meshio."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from nanowarm.meshing.journal import UnusableError
from nanowarm.meshing.mesh_checks import Indices
from nanowarm.meshing.mesh_readers import UnreadableError

# Shape and dimension by the first word of XDMF's name; Tetrahedron_10 has its corners first.
_SHAPES = {
    "tetrahedron": ("tetra", 3),
    "hexahedron": ("hexahedron", 3),
    "triangle": ("triangle", 2),
    "quadrilateral": ("quad", 2),
}


def read_grids(file: Path) -> Any:
    """Mesh of the first grid, with the numbers that later grids give to its cells and to facets; 0 where they give none.

    Raises:
        UnreadableError: the file is damaged, or another kind of XDMF file.
    """
    try:
        grids = ElementTree.parse(file).getroot().findall("./Domain/Grid")
        return _mesh([grid for grid in grids if grid.find("Topology") is not None], file.parent)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ElementTree.ParseError) as error:
        raise UnreadableError(
            f"it is no usable XDMF file ({str(error)[:100]}); export it again with the .h5 file beside it"
        ) from None


def _mesh(grids: list[ElementTree.Element], folder: Path) -> Any:
    import meshio

    blocks: list[tuple[str, Indices]] = []
    numbers: list[tuple[str, int, Indices]] = []  # name, block and values of each array
    for grid in grids:
        (shape, dimension), nodes = _topology(grid, folder)
        values = {str(at.get("Name")): _values(at, folder) for at in grid.findall("Attribute") if at.get("Center") == "Cell"}
        if dimension == 3 and blocks:
            place = _places(blocks[0][1], nodes)
            for name, given in values.items():
                spread = np.zeros(len(blocks[0][1]), np.int64)
                spread[place] = given.ravel()
                numbers.append((name, 0, spread))
            continue
        blocks.append((shape, nodes))
        numbers += [(name, len(blocks) - 1, given.ravel()) for name, given in values.items()]
    data = {name: [np.zeros(len(nodes), np.int64) for _, nodes in blocks] for name, _, _ in numbers}
    for name, block, given in numbers:
        data[name][block] = given
    geometry = next(found for grid in grids if (found := grid.find("Geometry")) is not None)
    return meshio.Mesh(_values(geometry, folder), blocks, cell_data=data)


def _topology(grid: ElementTree.Element, folder: Path) -> tuple[tuple[str, int], Indices]:
    """Shape, dimension and nodes of the cells of a grid."""
    topology = grid.find("Topology")
    kind = str(topology.get("TopologyType")) if topology is not None else ""
    shape = _SHAPES.get(kind.lower().partition("_")[0])
    if topology is None or shape is None:
        raise UnusableError(f"its grid {grid.get('Name')!r} has cells of type {kind}; mesh with tetrahedra or hexahedra")
    return shape, _values(topology, folder).astype(np.int64)


def _values(element: ElementTree.Element, folder: Path) -> Any:
    """Numbers of the data item in an element."""
    import h5py

    item = element.find("DataItem")
    if item is None:
        raise ValueError(f"{element.tag} without DataItem")
    text = str(item.text).strip()
    if item.get("Format") == "HDF":
        name, _, place = text.partition(":")
        with h5py.File(folder / name, "r") as stored:
            return stored[place][()]
    shape = [int(length) for length in str(item.get("Dimensions")).split()]
    kind = np.int64 if "Int" in item.get("NumberType", "Float") else np.float64
    return np.array(text.split(), kind).reshape(shape)


def _places(cells: Indices, some: Indices) -> Indices:
    """Number of each of some cells, whatever the order of its nodes."""
    rows = np.sort(np.concatenate([cells, some]), axis=1)
    _, row = np.unique(rows, axis=0, return_inverse=True)
    place = np.full(int(row.max()) + 1, -1)
    place[row.ravel()[: len(cells)]] = np.arange(len(cells))
    found: Indices = place[row.ravel()[len(cells) :]]
    if (found < 0).any():
        raise ValueError("numbers of cells that are not in the first grid")
    return found
