"""Sizes, shapes and step cost of cells by closed forms, and the thickness of regions."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from nanowarm.mesh_section import MeshInput
from nanowarm.meshing.mesh_checks import RawMesh
from nanowarm.meshing.quality import cell_shapes, eigenvalue_bounds, mesh_quality
from nanowarm.meshing.raw_mesh import make_mesh
from nanowarm.meshing.thickness import thicknesses

MESHES = Path(__file__).parents[2] / "meshes"
KUHN_EDGE = (3 + 2 * np.sqrt(2) + np.sqrt(3)) / 6  # mean edge of the six tetrahedra around a unit cube's diagonal
NO_FACETS = (np.empty((0, 3), np.int64), np.empty(0, np.int32))


def single(*points: tuple[float, float, float]) -> RawMesh:
    """One tetrahedron, its corners numbered so that its volume is positive."""
    corner = np.array(points, float)
    cell = [0, 1, 2, 3] if np.linalg.det(corner[1:] - corner[0]) > 0 else [0, 1, 3, 2]
    return RawMesh(corner, np.array([cell]), np.zeros(1, np.int32), *NO_FACETS, ("body",), ())


def box(count: tuple[int, int, int], side: float, layers: tuple[int, ...] = ()) -> RawMesh:
    """A box of cubes, each of six tetrahedra; the planes x = layers divide it into regions."""
    shape = np.array(count) + 1
    points = side * np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1).reshape(-1, 3)
    corner = np.array(list(np.ndindex(*count)))
    cells, region = [], []
    for order in itertools.permutations(range(3)):
        steps = np.cumsum(np.vstack([np.zeros(3, int), np.eye(3, dtype=int)[list(order)]]), axis=0)
        nodes = np.ravel_multi_index(np.moveaxis(corner[:, None] + steps, 2, 0), shape)
        even = np.linalg.det(np.eye(3)[list(order)]) > 0
        cells.append(nodes if even else nodes[:, [0, 1, 3, 2]])
        region.append(np.searchsorted(layers, corner[:, 0], side="right"))
    names = tuple(f"layer {i}" for i in range(len(layers) + 1))
    return RawMesh(points, np.concatenate(cells), np.concatenate(region).astype(np.int32), *NO_FACETS, names, ())


REGULAR = single((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1))  # of edge sqrt(8)


def test_a_regular_tetrahedron_has_quality_and_step_cost_one() -> None:
    quality = mesh_quality(REGULAR)
    assert quality.worst == pytest.approx(1)
    assert quality.percentiles == pytest.approx((1, 1))
    assert quality.step_cost == pytest.approx(1)
    assert quality.edges == pytest.approx((np.sqrt(8),) * 3)


def test_the_eigenvalue_bound_of_a_regular_tetrahedron_is_twelve_over_its_edge_squared() -> None:
    assert eigenvalue_bounds(REGULAR, cell_shapes(REGULAR)) == pytest.approx(12 / 8)


def test_a_tetrahedron_cut_off_a_cube_has_the_quality_and_step_cost_of_its_formula() -> None:
    quality = mesh_quality(single((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)))
    inscribed, circumscribed = 3 * (1 / 6) / (3 / 2 + np.sqrt(3) / 2), np.sqrt(3) / 2
    assert quality.worst == pytest.approx(3 * inscribed / circumscribed)
    # gradients (-1,-1,-1), (1,0,0), ...: the row of the corner is V (3, -1, -1, -1) over V/4
    assert quality.step_cost == pytest.approx(np.sqrt(4 * 6 / (12 / ((3 + 3 * np.sqrt(2)) / 6) ** 2)))
    assert quality.regions[0].step_cost_at == (0, 0, 0)


@pytest.mark.parametrize("half_height", [0.1, 0.01])
def test_a_sliver_costs_its_edge_over_its_height(half_height: float) -> None:
    e = half_height
    quality = mesh_quality(single((1, 0, e), (0, 1, -e), (-1, 0, e), (0, -1, -e)))
    # gradient at (1,0,e): (1/2, 0, 1/(4e)), so that the row is 4 (4/(16 e^2)) for e < 1/2
    edge = (2 * 2 + 4 * np.sqrt(2 + 4 * e**2)) / 6
    assert quality.step_cost == pytest.approx(edge / (np.sqrt(12) * e))
    assert quality.worst < 9 * e  # falls with the height


def test_the_step_cost_is_that_of_the_assembled_matrix() -> None:
    mesh = box((2, 3, 2), 0.5)
    generator = np.random.default_rng(1)
    inside = np.all((mesh.points > 0) & (mesh.points < [1, 1.5, 1]), axis=1)
    mesh.points[inside] += generator.uniform(-0.15, 0.15, (inside.sum(), 3))
    stiffness, mass, edge, touching = np.zeros((len(mesh.points),) * 2), *np.zeros((3, len(mesh.points)))
    for cell in mesh.cells:
        corner = mesh.points[cell]
        gradient = np.linalg.inv(np.column_stack([np.ones(4), corner]))[1:]
        volume = np.linalg.det(corner[1:] - corner[0]) / 6
        stiffness[np.ix_(cell, cell)] += volume * gradient.T @ gradient
        mass[cell] += volume / 4
        edge[cell] += np.mean([np.linalg.norm(a - b) for a, b in itertools.combinations(corner, 2)])
        touching[cell] += 1
    bound = np.abs(stiffness).sum(axis=1) / mass
    assert eigenvalue_bounds(mesh, cell_shapes(mesh)) == pytest.approx(bound)
    assert mesh_quality(mesh).step_cost == pytest.approx(np.sqrt(bound.max() / (12 / (edge / touching) ** 2).max()))


def test_the_bound_holds_for_the_largest_eigenvalue() -> None:
    mesh = box((3, 3, 3), 1.0)
    shapes = cell_shapes(mesh)
    stiffness, mass = np.zeros((len(mesh.points),) * 2), np.zeros(len(mesh.points))
    for cell, volume in zip(mesh.cells, shapes.volume, strict=True):
        gradient = np.linalg.inv(np.column_stack([np.ones(4), mesh.points[cell]]))[1:]
        stiffness[np.ix_(cell, cell)] += volume * gradient.T @ gradient
        mass[cell] += volume / 4
    largest = np.linalg.eigvals(stiffness / mass[:, None]).real.max()
    bound = eigenvalue_bounds(mesh, shapes).max()
    assert 0.5 * bound < largest <= bound


def test_regions_have_their_own_volumes_cells_and_worst_places() -> None:
    mesh = box((4, 2, 2), 1e-3, layers=(1,))
    centre = np.flatnonzero(np.all(np.isclose(mesh.points, [3e-3, 1e-3, 1e-3]), axis=1))
    mesh.points[centre, 2] += 0.7e-3  # flattens the cells above it
    thin, thick = mesh_quality(mesh).regions
    assert (thin.cells, thick.cells) == (6 * 4, 6 * 12)
    assert (thin.volume, thick.volume) == pytest.approx((4e-9, 12e-9))
    assert thick.worst < thin.worst
    assert thick.step_cost > thin.step_cost
    assert np.linalg.norm(np.subtract(thick.worst_at, (3e-3, 1e-3, 1.7e-3))) < 1e-3


def test_the_numbers_do_not_depend_on_the_unit() -> None:
    small, large = mesh_quality(box((2, 2, 2), 1e-6)), mesh_quality(box((2, 2, 2), 1.0))
    assert small.worst == pytest.approx(large.worst)
    assert small.step_cost == pytest.approx(large.step_cost)
    assert small.regions[0].thin.across == pytest.approx(large.regions[0].thin.across)


def thin(mesh: RawMesh, parts: NDArray[np.int64] | None = None) -> list[tuple[float, float]]:
    found = thicknesses(mesh, cell_shapes(mesh).edge, parts)
    return [(thickness.length, thickness.across) for thickness in found]


def test_a_plate_is_as_thick_as_it_is_whatever_its_width() -> None:
    (plate,) = thin(box((2, 12, 9), 0.5))
    assert plate == pytest.approx((2 * 0.5, 2 / KUHN_EDGE))


def test_layers_are_measured_by_themselves_and_together() -> None:
    mesh = box((6, 12, 12), 1.0, layers=(1, 3))
    assert [length for length, _ in thin(mesh)] == pytest.approx([1, 2, 3])
    assert [length for length, _ in thin(mesh, np.array([0, 1, 1]))] == pytest.approx([1, 5])
    assert [length for length, _ in thin(mesh, np.array([-1, 0, -1]))] == pytest.approx([2])


def test_a_region_in_two_pieces_has_the_thickness_of_its_pieces() -> None:
    mesh = box((5, 20, 20), 1.0, layers=(1, 4))
    assert [length for length, _ in thin(mesh, np.array([0, 1, 0]))] == pytest.approx([1, 3])


def test_a_shell_is_as_thick_as_its_wall_and_a_ball_as_its_diameter() -> None:
    request = MeshInput(file=str(MESHES / "sphere.geo"), size="1 mm", parameters={"radius": "6 mm", "core": "4 mm"})
    mesh = make_mesh(request, MESHES).mesh
    found = {region.name: region.thin.length for region in mesh_quality(mesh).regions}
    assert found == pytest.approx({"body": 2e-3, "core": 8e-3}, rel=0.03)


def test_a_wedge_is_thinnest_at_its_edge() -> None:
    mesh = box((8, 8, 8), 1.0)
    mesh.points[:, 2] *= 0.1 + 0.9 * mesh.points[:, 0] / 8  # from 0.8 to 8 thick
    ((length, _),) = thin(mesh)
    assert 0.8 < length < 2


def test_every_cell_of_a_large_mesh_is_counted() -> None:
    mesh = box((30, 30, 30), 1.0)  # more than one block of cells
    quality = mesh_quality(mesh)
    assert quality.cells == 6 * 30**3
    assert quality.volumes == pytest.approx({"layer 0": 30**3})
    assert quality.edges == pytest.approx((1, KUHN_EDGE, np.sqrt(3)))
