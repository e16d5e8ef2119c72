"""Hexahedra, prisms and pyramids become tetrahedra that fill the same space and share their faces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import meshio
import numpy as np
import pytest

from nanowarm.errors import MeshError
from nanowarm.mesh_section import MeshInput
from nanowarm.meshing.mesh_checks import RawMesh, signed_volumes
from nanowarm.meshing.raw_mesh import MadeMesh, make_mesh

COUNTS = np.array([2, 2, 4])  # cubes of half a unit, so that the block has a volume of 2 and a surface of 10
CUBE = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1]])
SIDES = [[0, 3, 2, 1], [4, 5, 6, 7], [0, 1, 5, 4], [1, 2, 6, 5], [2, 3, 7, 6], [3, 0, 4, 7]]
WEDGES = [[0, 1, 4, 3, 2, 7], [1, 5, 4, 2, 6, 7]]


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NANOWARM_CACHE", str(tmp_path_factory.mktemp("cache")))


def made(folder: Path, points: Any, cells: list[tuple[str, Any]], **more: Any) -> MadeMesh:
    meshio.Mesh(points, cells, **more).write(folder / "mesh.vtu")
    return make_mesh(MeshInput(file="mesh.vtu", unit="m"), folder)


def lattice(seed: int = 1, warp: float = 0.0) -> tuple[Any, Any]:
    """Nodes in a random order, with inner ones moved at random, and the cubes between them."""
    random = np.random.default_rng(seed)
    grid = np.indices(COUNTS + 1).reshape(3, -1).T
    low = np.indices(COUNTS).reshape(3, -1).T
    number = random.permutation(len(grid))
    inside = ((grid > 0) & (grid < COUNTS)).all(axis=1)
    points = np.empty((len(grid), 3))
    points[number] = (grid + warp * inside[:, None] * random.uniform(-1, 1, grid.shape)) / 2
    return points, number[np.ravel_multi_index(np.moveaxis(low[:, None] + CUBE[None], -1, 0), COUNTS + 1)]


def pyramids(points: Any, cubes: Any) -> tuple[Any, Any]:
    """Points with the middles of the cubes, and the six pyramids from each middle, shape (cubes, 6, 5)."""
    tops = np.broadcast_to(len(points) + np.arange(len(cubes))[:, None, None], (len(cubes), 6, 1))
    return np.concatenate([points, points[cubes].mean(axis=1)]), np.concatenate([cubes[:, SIDES], tops], axis=2)


def cells_of(shape: str, points: Any, cubes: Any) -> tuple[Any, list[tuple[str, Any]]]:
    if shape == "hexahedron":
        return points, [(shape, cubes)]
    if shape == "wedge":
        return points, [(shape, cubes[:, WEDGES].reshape(-1, 6))]
    points, solids = pyramids(points, cubes)
    return points, [(shape, solids.reshape(-1, 5))]


def total(mesh: RawMesh) -> float:
    return float(signed_volumes(mesh).sum())


def area(mesh: RawMesh, name: str) -> float:
    a, b, c = np.moveaxis(mesh.points[mesh.facets[mesh.facet_surface == mesh.surface_names.index(name)]], 1, 0)
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)


# The outer surface would be larger than that of the block if two solids cut their common face differently.
@pytest.mark.parametrize(("shape", "each"), [("hexahedron", 6), ("wedge", 3), ("pyramid", 2)])
@pytest.mark.parametrize("seed", [1, 2])
def test_solids_become_tetrahedra_that_fill_the_block_and_share_faces(tmp_path: Path, shape: str, each: int, seed: int) -> None:
    points, cells = cells_of(shape, *lattice(seed, warp=0.15))
    read = made(tmp_path, points, cells)
    assert total(read.mesh) == pytest.approx(2.0, rel=1e-12)
    assert area(read.mesh, "outer") == pytest.approx(10.0, rel=1e-12)
    count = len(cells[0][1])
    assert len(read.mesh.cells) == each * count
    assert f"cells are divided into tetrahedra ({count} of shape {shape}): {each * count} tetrahedra in all" in read.notes


def test_hexahedra_pyramids_and_tetrahedra_in_one_mesh_share_faces(tmp_path: Path) -> None:
    points, cubes = lattice()
    height = points[cubes][..., 2].min(axis=1)
    more, solids = pyramids(points, cubes)
    upper = solids[height >= 1].reshape(-1, 5)
    # The base of each pyramid is cut from its lowest node, as the faces of all other solids.
    turned = np.array([np.roll(base, -int(base.argmin())) for base in upper[:, :4]])
    tetrahedra = np.concatenate([np.column_stack([turned[:, side], upper[:, 4]]) for side in ([0, 1, 2], [0, 2, 3])])
    cells = [("hexahedron", cubes[height < 0.5]), ("pyramid", solids[height == 0.5].reshape(-1, 5)), ("tetra", tetrahedra)]
    read = made(tmp_path, more, cells).mesh
    assert total(read) == pytest.approx(2.0, rel=1e-12)
    assert area(read, "outer") == pytest.approx(10.0, rel=1e-12)


@pytest.mark.parametrize("shape", ["hexahedron", "wedge", "pyramid"])
def test_named_quadrilaterals_and_regions_of_solids_keep_their_names(tmp_path: Path, shape: str) -> None:
    points, cubes = lattice()
    top = cubes[:, SIDES[1]][(points[cubes][:, SIDES[1], 2] == 2).all(axis=1)]
    points, ((_, solids),) = cells_of(shape, points, cubes)
    low = np.where(points[solids][..., 2].max(axis=1) <= 0.5 + 1e-9, 3, 7)
    cells = [(shape, solids), ("quad", top)]
    read = made(tmp_path, points, cells, cell_data={"region": [low, np.full(len(top), 12)]}).mesh
    shares = signed_volumes(read)
    of_regions = {name: float(shares[read.cell_region == i].sum()) for i, name in enumerate(read.region_names)}
    assert of_regions == pytest.approx({"3": 0.5, "7": 1.5}, rel=1e-12)
    assert area(read, "12") == pytest.approx(1.0, rel=1e-12)


def test_collapsed_hexahedra_become_the_wedges_and_tetrahedra_that_they_are(tmp_path: Path) -> None:
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 1], [0, 1, 1], [0.3, 0.3, 2]], float)
    cells = np.array([[0, 1, 2, 2, 3, 4, 5, 5], [3, 4, 5, 5, 6, 6, 6, 6]])
    read = made(tmp_path, points, [("hexahedron", cells)]).mesh
    assert len(read.cells) == 3 + 1
    assert total(read) == pytest.approx(1 / 2 + 1 / 6, rel=1e-12)


def test_a_tetrahedron_of_second_order_is_used_as_a_straight_one(tmp_path: Path) -> None:
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], float)
    middles = np.array([(corners[i] + corners[j]) / 2 for i, j in ((0, 1), (1, 2), (0, 2), (0, 3), (1, 3), (2, 3))])
    read = made(tmp_path, np.concatenate([corners, middles + 0.01]), [("tetra10", np.arange(10)[None])])
    assert total(read.mesh) == pytest.approx(1 / 6, rel=1e-12)
    assert len(read.mesh.points) == 4
    assert "1 cells of higher order are used as straight ones between their corners" in read.notes


def test_tetrahedra_that_cut_a_quadrilateral_along_the_other_diagonal_are_refused(tmp_path: Path) -> None:
    points = np.concatenate([CUBE, [[0.5, 0.5, 2]]]).astype(float)
    on_top = np.array([[4, 5, 7, 8], [5, 6, 7, 8]])  # the hexahedron cuts its top from node 4
    with pytest.raises(MeshError, match="tetrahedra stand on 1 quadrilateral faces that they cut along the other diagonal"):
        made(tmp_path, points, [("hexahedron", np.arange(8)[None]), ("tetra", on_top)])
    along = np.array([[4, 5, 6, 8], [4, 6, 7, 8]])
    assert total(made(tmp_path, points, [("hexahedron", np.arange(8)[None]), ("tetra", along)]).mesh) == pytest.approx(4 / 3)


def test_polyhedra_are_refused(tmp_path: Path) -> None:
    ring = np.array([[np.cos(a), np.sin(a)] for a in np.arange(6) * np.pi / 3])
    points = np.concatenate([np.column_stack([ring, np.full(6, z)]) for z in (0.0, 1.0)])
    text = " ".join(str(x) for x in points.ravel())
    grid = (
        '<VTKFile type="UnstructuredGrid" version="0.1"><UnstructuredGrid><Piece NumberOfPoints="12" NumberOfCells="1"><Points>'
        f'<DataArray type="Float64" NumberOfComponents="3" format="ascii">{text}</DataArray></Points><Cells>'
        f'<DataArray type="Int64" Name="connectivity" format="ascii">{" ".join(map(str, range(12)))}</DataArray>'
        '<DataArray type="Int64" Name="offsets" format="ascii">12</DataArray>'
        '<DataArray type="UInt8" Name="types" format="ascii">16</DataArray></Cells></Piece></UnstructuredGrid></VTKFile>'
    )
    (tmp_path / "prism.vtu").write_text(grid)
    with pytest.raises(MeshError, match="can't be used; mesh with tetrahedra, hexahedra, prisms or pyramids"):
        make_mesh(MeshInput(file="prism.vtu", unit="m"), tmp_path)
