"""Uniform refinement: eight cells for one, the same volumes, surfaces and names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from nanowarm.meshing.raw_mesh import RawMesh
from nanowarm.numerics.mesh import distribute
from nanowarm.numerics.operators import assemble
from nanowarm.numerics.stack import MPI

Array = NDArray[np.float64]

# A unit cube of six tetrahedra around its diagonal, the lower half of them called `low`.
CORNERS = np.array([[x, y, z] for z in (0, 1) for y in (0, 1) for x in (0, 1)], dtype=float)
CUBE = np.array([[0, 1, 3, 7], [0, 3, 2, 7], [0, 2, 6, 7], [0, 6, 4, 7], [0, 4, 5, 7], [0, 5, 1, 7]])
BOTTOM = np.array([[0, 1, 3], [0, 3, 2]])
TOP = np.array([[4, 6, 7], [4, 7, 5]])


def cube() -> RawMesh:
    return RawMesh(
        points=CORNERS,
        cells=CUBE,
        cell_region=np.array([0, 0, 0, 1, 1, 1], dtype=np.int32),
        facets=np.concatenate((BOTTOM, TOP)),
        facet_surface=np.array([0, 0, 1, 1], dtype=np.int32),
        region_names=("low", "high"),
        surface_names=("bottom", "top"),
    )


def volumes(mesh: Any) -> Array:
    corner = mesh.domain.geometry.x[mesh.domain.geometry.dofmaps[0]]
    return np.asarray(np.abs(np.linalg.det(corner[:, 1:] - corner[:, :1]))) / 6


def quality(mesh: Any) -> float:
    """Smallest volume over cube of the longest edge."""
    corner = mesh.domain.geometry.x[mesh.domain.geometry.dofmaps[0]]
    edges = np.linalg.norm(corner[:, [0, 0, 0, 1, 1, 2]] - corner[:, [1, 2, 3, 2, 3, 3]], axis=2)
    return float((volumes(mesh) / edges.max(axis=1) ** 3).min())


@pytest.mark.parametrize("times", [0, 1, 2])
def test_each_refinement_makes_eight_equal_cells_of_one(times: int) -> None:
    mesh = distribute(cube(), MPI.COMM_SELF, times)
    assert mesh.cell_count() == 6 * 8**times
    assert volumes(mesh) == pytest.approx(1 / 6 / 8**times)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_regions_and_surfaces_keep_their_size(times: int) -> None:
    operators = assemble(distribute(cube(), MPI.COMM_SELF, times))
    assert [operators.mass[name].sum() for name in ("low", "high")] == pytest.approx([0.5, 0.5])
    assert [operators.surface_area[name].sum() for name in ("bottom", "top")] == pytest.approx([1.0, 1.0])


def test_surfaces_stay_where_they_are() -> None:
    operators = assemble(distribute(cube(), MPI.COMM_SELF, 2))
    heights = {name: operators.position[nodes, 2] for name, nodes in operators.surface_nodes.items()}
    assert heights["bottom"] == pytest.approx(0.0, abs=1e-15)
    assert heights["top"] == pytest.approx(1.0, abs=1e-15)


def test_the_nodes_of_a_refined_cube_are_its_grid() -> None:
    operators = assemble(distribute(cube(), MPI.COMM_SELF, 2))
    found = np.unique(np.round(operators.position, 12), axis=0)
    assert len(operators.position) == len(found) == 5**3
    assert found.ravel().tolist() == np.unique(np.indices((5, 5, 5)).reshape(3, -1).T / 4, axis=0).ravel().tolist()


def test_cells_do_not_flatten_as_they_are_refined() -> None:
    qualities = [quality(distribute(cube(), MPI.COMM_SELF, times)) for times in range(4)]
    assert min(qualities) > 0.6 * qualities[0]
    assert qualities[3] > 0.95 * qualities[2]  # two or three shapes come again and again


def test_a_linear_temperature_drives_the_same_flow_on_every_refinement() -> None:
    for times in (0, 1, 2):
        operators = assemble(distribute(cube(), MPI.COMM_SELF, times))
        height, flow = operators.position[:, 2], 0.0
        for stiffness in operators.stiffness.values():
            columns = np.repeat(np.arange(len(height)), np.diff(stiffness.starts))
            product = np.zeros(len(height))
            np.add.at(product, columns, stiffness.entries * height[stiffness.columns])
            flow += product[height > 1 - 1e-12].sum()
        assert flow == pytest.approx(1.0)  # unit gradient through unit area
