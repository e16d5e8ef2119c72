"""Edges are as long as asked: in regions, on surfaces, and growing with the distance from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from nanowarm.errors import MeshError
from nanowarm.mesh_section import MeshInput
from nanowarm.meshing.journal import UnusableError
from nanowarm.meshing.mesh_checks import RawMesh
from nanowarm.meshing.raw_mesh import make_mesh
from nanowarm.meshing.sizes import GROWTH, edge_length

Array = NDArray[np.float64]

# Two bricks of 12 mm side by side, the plane x = 0 between them.
BRICKS = """// unit: mm
SetFactory("OpenCASCADE");
Box(1) = {-12, 0, 0, 12, 12, 12};
Box(2) = {0, 0, 0, 12, 12, 12};
Coherence;
Physical Volume("left") = {1};
Physical Volume("right") = {2};
Physical Surface("end") = Surface In BoundingBox{11.9, -1, -1, 12.1, 13, 13};
"""


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NANOWARM_CACHE", str(tmp_path_factory.mktemp("cache")))


def made(folder: Path, recipe: str = BRICKS, **keys: Any) -> RawMesh:
    (folder / "recipe.geo").write_text(recipe)
    return make_mesh(MeshInput.model_validate({"file": "recipe.geo", **keys}, strict=False), folder).mesh


def edges(mesh: RawMesh, chosen: NDArray[np.bool_]) -> float:
    """Mean edge of chosen cells [mm]."""
    corners = mesh.points[mesh.cells[chosen]]
    ends = corners[:, [0, 0, 0, 1, 1, 2]] - corners[:, [1, 2, 3, 2, 3, 3]]
    return 1e3 * float(np.linalg.norm(ends, axis=-1).mean())


def centres(mesh: RawMesh) -> Array:
    """Centres of the cells [mm], shape (cells, 3)."""
    return 1e3 * mesh.points[mesh.cells].mean(axis=1)


def inside(mesh: RawMesh, region: str) -> NDArray[np.bool_]:
    return mesh.cell_region == mesh.region_names.index(region)


def request(size: float = 2.0, sizes: dict[str, float] | None = None, *graded: dict[str, Any]) -> dict[str, Any]:
    return {"size": size, "sizes": sizes or {}, "graded": list(graded)}


ALONG = np.column_stack([np.linspace(-10, 10, 41), np.zeros(41), np.zeros(41)])
PLACES = {"left": ALONG[ALONG[:, 0] <= 0], "right": ALONG[ALONG[:, 0] >= 0]}


def test_a_finer_region_has_its_own_size_and_edges_grow_away_from_it() -> None:
    found = edge_length(ALONG, request(2.0, {"left": 0.5}), PLACES)
    assert found == pytest.approx(np.clip(0.5 + GROWTH * ALONG[:, 0], 0.5, 2.0))


def test_a_coarser_region_has_its_own_size_away_from_the_finer_one_it_touches() -> None:
    found = edge_length(ALONG, request(0.5, {"left": 2.0}), PLACES)
    assert found == pytest.approx(np.where(ALONG[:, 0] < 0, 2.0, 0.5))


def test_a_graded_size_grows_linearly_to_the_size_elsewhere() -> None:
    near = {"near": "left", "point": None, "size": 0.4, "over": 5.0}
    assert edge_length(ALONG, request(2.0, {}, near), PLACES) == pytest.approx(np.interp(ALONG[:, 0], [0, 5], [0.4, 2.0]))
    point = {"near": None, "point": [2.0, 0.0, 0.0], "size": 0.4, "over": 5.0}
    expected = np.interp(np.abs(ALONG[:, 0] - 2.0), [0, 5], [0.4, 2.0])
    assert edge_length(ALONG, request(2.0, {}, point), PLACES) == pytest.approx(expected)


def test_a_surface_is_finer_than_the_region_it_bounds() -> None:
    found = edge_length(ALONG, request(2.0, {"end": 0.5}), PLACES, {"end": ALONG[-1:]})
    assert found == pytest.approx(np.minimum(2.0, 0.5 + GROWTH * (10.0 - ALONG[:, 0])))


def test_a_size_of_nothing_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(
        UnusableError, match=r'mesh.sizes.lefft: no region or surface "lefft"; did you mean left\? known: left, right'
    ):
        edge_length(ALONG, request(2.0, {"lefft": 1.0}), PLACES)


def test_a_region_is_meshed_with_edges_of_its_own_size(tmp_path: Path) -> None:
    mesh = made(tmp_path, size="2 mm", sizes={"left": "0.7 mm"})
    assert edges(mesh, inside(mesh, "left")) == pytest.approx(0.7, rel=0.2)
    reached = (2.0 - 0.7) / GROWTH  # where edges have grown to the size elsewhere
    assert edges(mesh, centres(mesh)[:, 0] > reached + 2.0) == pytest.approx(2.0, rel=0.2)


def test_edges_grow_smoothly_into_the_coarse_neighbour(tmp_path: Path) -> None:
    mesh = made(tmp_path, size="2 mm", sizes={"left": "0.5 mm"})
    x = centres(mesh)[:, 0]
    for low in (1.0, 2.0, 3.0):
        layer = (x > low) & (x < low + 1.0)
        assert edges(mesh, layer) == pytest.approx(0.5 + GROWTH * (low + 0.5), rel=0.35)


def test_a_coarse_region_beside_a_fine_one_is_not_made_fine_by_its_boundary(tmp_path: Path) -> None:
    mesh = made(tmp_path, size="0.8 mm", sizes={"left": "2.4 mm"})
    assert edges(mesh, inside(mesh, "right")) == pytest.approx(0.8, rel=0.2)
    assert edges(mesh, centres(mesh)[:, 0] < -6.0) == pytest.approx(2.4, rel=0.2)


def test_a_surface_is_meshed_with_edges_of_its_own_size(tmp_path: Path) -> None:
    mesh = made(tmp_path, size="2 mm", sizes={"end": "0.6 mm"})
    corners = mesh.points[mesh.facets[mesh.facet_surface == mesh.surface_names.index("end")]]
    assert 1e3 * np.linalg.norm(corners - corners[:, [1, 2, 0]], axis=-1).mean() == pytest.approx(0.6, rel=0.15)
    assert edges(mesh, centres(mesh)[:, 0] < 0.0) == pytest.approx(2.0, rel=0.25)


@pytest.mark.parametrize("near", ["end", "right"])
def test_edges_grow_linearly_with_the_distance_from_a_surface_or_region(tmp_path: Path, near: str) -> None:
    mesh = made(tmp_path, size="2 mm", graded=[{"near": near, "size": "0.6 mm", "over": "10 mm"}])
    distance = {"end": 12.0, "right": 0.0}[near] - centres(mesh)[:, 0]
    for low in (0.0, 2.0, 4.0, 6.0):
        layer = (distance > low) & (distance < low + 2.0)
        assert edges(mesh, layer) == pytest.approx(np.interp(low + 1.0, [0, 10], [0.6, 2.0]), rel=0.2)
    if near == "right":
        assert edges(mesh, inside(mesh, "right")) == pytest.approx(0.6, rel=0.2)


def test_edges_grow_linearly_with_the_distance_from_a_point(tmp_path: Path) -> None:
    mesh = made(tmp_path, size="2 mm", graded=[{"point": ["6 mm", "6 mm", "6 mm"], "size": "0.3 mm", "over": "10 mm"}])
    distance = np.linalg.norm(centres(mesh) - [6.0, 6.0, 6.0], axis=1)
    for low in (0.5, 1.5, 3.0):
        layer = (distance > low) & (distance < low + 1.0)
        expected = np.interp(distance[layer], [0, 10], [0.3, 2.0]).mean()
        assert edges(mesh, layer) == pytest.approx(expected, rel=0.2)


def test_an_edge_that_curvature_asks_for_stays_beside_sizes(tmp_path: Path) -> None:
    ball = """// unit: mm
SetFactory("OpenCASCADE");
Sphere(1) = {0, 0, 0, 2};
Box(2) = {-6, -6, -6, 12, 12, 12};
Coherence;
Physical Volume("ball") = {1};
Physical Volume("jelly") = {2};
Mesh.MeshSizeFromCurvature = 30;
"""
    mesh = made(tmp_path, ball, size="3 mm", sizes={"ball": "1.5 mm"})
    radius = np.linalg.norm(1e3 * mesh.points, axis=1)
    on_ball = (np.abs(radius - 2.0) < 1e-6)[mesh.cells]
    rim = np.flatnonzero(inside(mesh, "ball") & (on_ball.sum(axis=1) == 3))
    corners = np.array([1e3 * mesh.points[cell[row]] for cell, row in zip(mesh.cells[rim], on_ball[rim], strict=True)])
    around = 2.0 * np.pi * 2.0 / 30.0
    assert np.linalg.norm(corners - corners[:, [1, 2, 0]], axis=-1).mean() == pytest.approx(around, rel=0.2)


def test_sizes_without_a_size_leave_the_rest_to_gmsh(tmp_path: Path) -> None:
    mesh = made(tmp_path, sizes={"left": "0.8 mm"})
    assert edges(mesh, inside(mesh, "left")) == pytest.approx(0.8, rel=0.2)
    diagonal = 12.0 * 6.0**0.5  # its tenth is what Gmsh takes
    assert edges(mesh, centres(mesh)[:, 0] > 9.0) == pytest.approx(diagonal / 10.0, rel=0.25)


# 6 sqrt(2) regular tetrahedra of edge 1 fill a volume of 1: 29,325 million of 0.01 mm fill 2 x 12^3 mm3, and 11 of 0.139 mm.
@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"sizes": {"Left": "1 mm"}}, r'mesh\.sizes\.Left: no region or surface "Left"; did you mean left\?'),
        ({"graded": [{"near": "rihgt", "size": "1 mm", "over": "3 mm"}]}, r"mesh\.graded\.0\.near: .* did you mean right\?"),
        ({"size": "0.01 mm"}, r"mesh\.size = 0\.01 mm would make about 29,325 million cells, .*; give 0\.14 mm or more"),
        ({"sizes": {"left": "0.01 mm"}}, r"mesh\.sizes\.left = 0\.01 mm would make"),
        ({"sizes": {"end": "0.1 um"}}, r"mesh\.sizes\.end = 0\.0001 mm would make"),
        ({"graded": [{"near": "end", "size": "0.1 um", "over": "3 mm"}]}, r"mesh\.graded\.0\.size = 0\.0001 mm would make"),
    ],
)
def test_sizes_that_cannot_be_met_are_refused_in_one_line(tmp_path: Path, keys: dict[str, Any], message: str) -> None:
    with pytest.raises(MeshError, match=message) as error:
        made(tmp_path, **keys)
    assert "\n" not in str(error.value)
