"""A serial mesh divided between ranks: nothing lost, nobody with more than the others."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from nanowarm.mesh_section import MeshInput
from nanowarm.meshing.mesh_checks import RawMesh
from nanowarm.meshing.raw_mesh import make_mesh
from nanowarm.numerics.partition import boxes, divided, divided_by_cells, pieces

MESHES = Path(__file__).parents[2] / "meshes"


@pytest.fixture(scope="module")
def kidney() -> RawMesh:
    """A mesh of several regions."""
    return make_mesh(MeshInput(file="kidney.geo", size="2 mm"), MESHES).mesh


@pytest.mark.parametrize("count", [1, 2, 3, 7, 64])
def test_boxes_hold_the_same_number_of_points(kidney: RawMesh, count: int) -> None:
    held = np.bincount(boxes(kidney.points, count), minlength=count)
    assert held.sum() == len(kidney.points)
    assert np.ptp(held) <= 2


def test_more_boxes_than_points_leave_some_empty() -> None:
    assert sorted(boxes(np.eye(3), 5).tolist()) == sorted(set(boxes(np.eye(3), 5).tolist()))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_lattice_is_cut_along_a_plane(axis: int) -> None:
    # of 16 planes the cut must not leave one ragged: 8 and 8 whole ones
    place = np.array(list(itertools.product(range(8), repeat=3)), dtype=float)
    stretched = np.concatenate((place, place + 8.0 * np.eye(3)[axis]))
    box = boxes(stretched, 2)
    assert [set(box[stretched[:, axis] == plane].tolist()) for plane in range(16)] == [{0}] * 8 + [{1}] * 8


@pytest.mark.parametrize("how", [divided, divided_by_cells])
@pytest.mark.parametrize("count", [2, 5, 64])
def test_every_node_belongs_to_a_rank_with_a_cell_around_it(kidney: RawMesh, how: object, count: int) -> None:
    division = how(kidney.points, kidney.cells, count)  # type: ignore[operator]
    touched = np.zeros(len(kidney.points), bool)
    touched[kidney.cells[division.node[kidney.cells] == division.cell[:, None]]] = True
    assert touched.all()


def test_refined_meshes_are_balanced_by_cells(kidney: RawMesh) -> None:
    assert np.ptp(np.bincount(divided_by_cells(kidney.points, kidney.cells, 7).cell)) <= 2


@pytest.mark.parametrize("count", [1, 3, 8])
def test_the_pieces_are_the_mesh(kidney: RawMesh, count: int) -> None:
    surface = np.arange(4 * len(kidney.cells), dtype=np.int32).reshape(-1, 4)
    dealt = list(pieces(kidney, surface, divided(kidney.points, kidney.cells, count), count))[::-1]
    rows = np.concatenate([piece.surface[:, 0] // 4 for piece in dealt])
    assert sorted(rows.tolist()) == list(range(len(kidney.cells)))
    corners = np.concatenate([piece.points[piece.cells] for piece in dealt])
    np.testing.assert_array_equal(corners, kidney.points[kidney.cells[rows]])
    np.testing.assert_array_equal(np.concatenate([piece.region for piece in dealt]), kidney.cell_region[rows])
    assert sum(piece.owned() for piece in dealt) == len(kidney.points)


def test_copies_are_numbered_as_their_owners_number_them(kidney: RawMesh) -> None:
    surface = np.zeros((len(kidney.cells), 4), np.int32)
    dealt = list(pieces(kidney, surface, divided(kidney.points, kidney.cells, 6), 6))[::-1]
    own = np.concatenate([piece.points[: piece.owned()] for piece in dealt])
    rank = np.repeat(range(6), [piece.owned() for piece in dealt])
    for number, piece in enumerate(dealt):
        np.testing.assert_array_equal(own[piece.ghosts], piece.points[piece.owned() :])
        np.testing.assert_array_equal(rank[piece.ghosts], piece.owners)
        assert number not in piece.owners
