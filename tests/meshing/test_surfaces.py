"""Closed surfaces become meshes: volumes and names whole, nests found, damage repaired or refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvista
from numpy.typing import NDArray

from nanowarm.errors import MeshError
from nanowarm.mesh_section import MeshInput
from nanowarm.meshing.mesh_checks import RawMesh, signed_volumes
from nanowarm.meshing.raw_mesh import MadeMesh, make_mesh
from nanowarm.meshing.surface_shells import signed_volume, spaces, windings

Points = NDArray[np.float64]
Indices = NDArray[np.int64]
Surface = tuple[Points, Indices]

CUBE = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], float)
CUBE_FACES = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]])


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NANOWARM_CACHE", str(tmp_path / "cache"))


def sphere(radius: float, centre: tuple[float, float, float] = (0.0, 0.0, 0.0), divisions: int = 4) -> Surface:
    found = pyvista.Icosphere(radius=radius, center=centre, nsub=divisions)
    return np.asarray(found.points, float), found.regular_faces.astype(np.int64)


def organ() -> Surface:
    """A sphere with bumps, 5120 triangles."""
    points, triangles = sphere(10.0)
    x, y, z = points.T / 10.0
    return points * (1.0 + 0.15 * np.sin(3 * x) * np.cos(4 * y) + 0.1 * np.sin(5 * z))[:, None], triangles


def cube(start: tuple[float, float, float] = (0.0, 0.0, 0.0), side: float = 1.0) -> Surface:
    return np.array(start) + side * CUBE, np.concatenate([CUBE_FACES[:, [0, 1, 2]], CUBE_FACES[:, [0, 2, 3]]])


def together(*surfaces: Surface) -> Surface:
    starts = np.cumsum([0] + [len(points) for points, _ in surfaces])
    triangles = [own + start for (_, own), start in zip(surfaces, starts, strict=False)]
    return np.concatenate([points for points, _ in surfaces]), np.concatenate(triangles)


def stl(path: Path, surface: Surface) -> Path:
    """A binary STL file with the triangles as they are."""
    points, triangles = surface
    facets = np.zeros(len(triangles), np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("unused", "<u2")]))
    facets["corners"] = points[triangles]
    path.write_bytes(bytes(80) + np.array(len(facets), "<u4").tobytes() + facets.tobytes())
    return path


def text_stl(path: Path, solids: dict[str, Surface]) -> Path:
    lines = []
    for name, (points, triangles) in solids.items():
        lines.append(f"solid {name}")
        for corners in points[triangles]:
            vertices = "\n".join(f"vertex {x} {y} {z}" for x, y, z in corners)
            lines.append(f"facet normal 0 0 0\nouter loop\n{vertices}\nendloop\nendfacet")
        lines.append(f"endsolid {name}")
    path.write_text("\n".join(lines) + "\n")
    return path


def made(path: Path | dict[str, Path], size: float | None = None, **more: Any) -> MadeMesh:
    """The mesh of a file, or of files by region; sizes in mm."""
    if isinstance(path, dict):
        more["files"] = {name: str(file) for name, file in path.items()}
        folder = next(iter(path.values())).parent
    else:
        more["file"], folder = str(path), path.parent
    return make_mesh(MeshInput(unit="mm", size=None if size is None else f"{size!r} mm", **more), folder)


def volumes(mesh: RawMesh) -> dict[str, float]:
    """Volume of each region [mm3]."""
    shares = signed_volumes(mesh)
    return {name: 1e9 * float(shares[mesh.cell_region == i].sum()) for i, name in enumerate(mesh.region_names)}


def edges(mesh: RawMesh, name: str) -> Points:
    """Length of the edges of a region's cells [mm]."""
    corners = 1e3 * mesh.points[mesh.cells[mesh.cell_region == mesh.region_names.index(name)]]
    return np.concatenate([np.linalg.norm(corners[:, i] - corners[:, j], axis=1) for i in range(4) for j in range(i)])


def qualities(mesh: RawMesh) -> Points:
    """Volume over that of the regular tetrahedron with the same mean square edge, shape (cells,)."""
    corners = mesh.points[mesh.cells]
    squares = np.mean([((corners[:, i] - corners[:, j]) ** 2).sum(axis=1) for i in range(4) for j in range(i)], axis=0)
    return signed_volumes(mesh) * 6 * np.sqrt(2) / squares**1.5


@pytest.mark.parametrize("share", [10, 40])
def test_the_volume_is_that_of_the_surface_at_coarse_and_fine_sizes(tmp_path: Path, share: int) -> None:
    surface = organ()
    diagonal = float(np.linalg.norm(np.ptp(surface[0], axis=0)))
    mesh = made(stl(tmp_path / "organ.stl", surface), diagonal / share).mesh
    assert volumes(mesh) == {"body": pytest.approx(signed_volume(*surface), rel=0.01)}
    assert qualities(mesh).min() > 0.1
    assert mesh.surface_names == ("outer",)


def test_without_a_size_one_is_chosen_and_noted(tmp_path: Path) -> None:
    found = made(stl(tmp_path / "ball.stl", sphere(10.0, divisions=3)))
    assert [note for note in found.notes if "no size is given" in note and " mm are taken" in note]


@pytest.mark.parametrize("suffix", ["stl", "obj", "ply", "vtp"])
def test_every_format_of_a_body_gives_its_volume_and_name(tmp_path: Path, suffix: str) -> None:
    surface = organ()
    path = tmp_path / f"organ.{suffix}"
    pyvista.PolyData.from_regular_faces(*surface).save(path)
    assert volumes(made(path, 2.0).mesh) == {"body": pytest.approx(signed_volume(*surface), rel=0.01)}


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("suffix", ["stl", "ply", "vtp"])
def test_text_and_binary_files_give_the_same_volume(tmp_path: Path, suffix: str, binary: bool) -> None:
    path = tmp_path / f"cube.{suffix}"
    pyvista.PolyData.from_regular_faces(*cube(side=4.0)).save(path, binary=binary)
    assert volumes(made(path, 1.0).mesh) == {"body": pytest.approx(64.0, rel=1e-6)}


def test_a_flat_face_stays_flat(tmp_path: Path) -> None:
    mesh = made(stl(tmp_path / "cube.stl", cube(side=4.0)), 0.7).mesh
    outer = 1e3 * mesh.points[np.unique(mesh.facets)]
    assert np.minimum(np.abs(outer), np.abs(outer - 4.0)).min(axis=1).max() < 1e-6


def test_quadrilaterals_and_named_objects_of_an_obj_file_become_regions(tmp_path: Path) -> None:
    lines = []
    for i, (name, start) in enumerate((("left", (0, 0, 0)), ("right", (3, 0, 0)))):
        lines += [f"o {name}", *(f"v {x} {y} {z}" for x, y, z in start + CUBE)]
        lines += [f"f {' '.join(str(8 * i + corner + 1) for corner in face)}" for face in CUBE_FACES]
    (tmp_path / "pair.obj").write_text("\n".join(lines) + "\n")
    found = volumes(made(tmp_path / "pair.obj", 0.5).mesh)
    assert found == {"left": pytest.approx(1.0, rel=1e-6), "right": pytest.approx(1.0, rel=1e-6)}


def test_named_solids_of_a_text_stl_file_become_nested_regions(tmp_path: Path) -> None:
    path = text_stl(tmp_path / "nest.stl", {"shell": cube(side=4.0), "core": cube((1.0, 1.0, 1.0), side=2.0)})
    assert volumes(made(path, 1.0).mesh) == {"shell": pytest.approx(56.0, rel=1e-6), "core": pytest.approx(8.0, rel=1e-6)}


def test_nested_surfaces_of_one_file_are_numbered_from_the_outside_in_then_by_volume(tmp_path: Path) -> None:
    parts = cube((1.0, 1.0, 1.0), 1.0), cube(side=6.0), cube((3.0, 3.0, 3.0), 2.0), cube((10.0, 0.0, 0.0), 1.5)
    found = made(stl(tmp_path / "nest.stl", together(*parts)), 1.0)
    exact = {"body1": 216.0 - 1.0 - 8.0, "body2": 1.5**3, "body3": 8.0, "body4": 1.0}
    assert volumes(found.mesh) == {name: pytest.approx(value, rel=1e-6) for name, value in exact.items()}
    assert [note for note in found.notes if "body1 0.207 mL" in note and "body4 0.001 mL" in note]


def test_files_by_region_bound_each_its_own(tmp_path: Path) -> None:
    skull = sphere(10.0, divisions=3)
    brain = together(*(sphere(3.0, (x, 0.0, 0.0), divisions=3) for x in (-4.0, 4.0)))
    files = {"brain": stl(tmp_path / "b.stl", brain), "skull": stl(tmp_path / "s.stl", skull)}
    inner = signed_volume(*brain)
    exact = {"brain": inner, "skull": signed_volume(*skull) - inner}
    assert volumes(made(files, 2.0).mesh) == {name: pytest.approx(value, rel=0.01) for name, value in exact.items()}


def test_equal_triangles_of_two_files_are_shared(tmp_path: Path) -> None:
    points, triangles = cube((1.0, 0.0, 0.0))
    mirrored = points * [-1, 1, 1] + [2, 0, 0], triangles[:, ::-1]
    files = {"left": stl(tmp_path / "left.stl", mirrored), "right": stl(tmp_path / "right.stl", (points, triangles))}
    mesh = made(files, 0.3).mesh
    assert volumes(mesh) == {"left": pytest.approx(1.0, rel=1e-6), "right": pytest.approx(1.0, rel=1e-6)}
    at_wall = np.abs(1e3 * mesh.points[:, 0] - 1.0) < 1e-6
    left = np.unique(mesh.cells[mesh.cell_region == mesh.region_names.index("left")])
    right = np.unique(mesh.cells[mesh.cell_region == mesh.region_names.index("right")])
    assert set(left) & set(right) == set(np.flatnonzero(at_wall))


def test_surfaces_close_together_do_not_cross(tmp_path: Path) -> None:
    wall = 0.5
    outer, inner = cube(side=20.0), cube((wall,) * 3, side=20.0 - 2 * wall)
    mesh = made({"case": stl(tmp_path / "o.stl", outer), "inside": stl(tmp_path / "i.stl", inner)}, 5.0).mesh
    assert volumes(mesh) == {"case": pytest.approx(20.0**3 - 19.0**3, rel=1e-6), "inside": pytest.approx(19.0**3, rel=1e-6)}
    assert np.median(edges(mesh, "case")) < 4 * wall


def test_a_size_in_a_region_and_one_near_a_point_are_met(tmp_path: Path) -> None:
    files = {"rest": stl(tmp_path / "r.stl", cube(side=20.0)), "core": stl(tmp_path / "c.stl", cube((8.0, 8.0, 8.0), side=4.0))}
    spot = {"point": ("10 mm", "10 mm", "0 mm"), "size": "0.5 mm", "over": "6 mm"}
    mesh = made(files, 3.0, sizes={"core": "0.8 mm"}, graded=(spot,)).mesh
    assert edges(mesh, "core").mean() == pytest.approx(0.8, rel=0.2)
    points = 1e3 * mesh.points[mesh.cells]
    lengths = np.mean([np.linalg.norm(points[:, i] - points[:, j], axis=1) for i in range(4) for j in range(i)], axis=0)
    away = np.linalg.norm(points.mean(axis=1) - [10, 10, 0], axis=1)
    for near, far in ((0.0, 1.5), (1.5, 3.0)):
        within = (away >= near) & (away < far)
        assert lengths[within].mean() == pytest.approx(0.5 + (3.0 - 0.5) * away[within].mean() / 6.0, rel=0.25)
    assert lengths[away > 15.0].mean() == pytest.approx(3.0, rel=0.25)


def test_a_surface_that_is_not_there_can_have_no_size(tmp_path: Path) -> None:
    with pytest.raises(MeshError, match=r'mesh\.sizes\.core: no region or surface "core"; known: body, outer'):
        made(stl(tmp_path / "cube.stl", cube()), 0.5, sizes={"core": "0.1 mm"})


def test_turned_triangles_are_turned_back_and_counted(tmp_path: Path) -> None:
    points, triangles = organ()
    turned = triangles.copy()
    turned[100:140] = triangles[100:140, ::-1]
    found = made(stl(tmp_path / "turned.stl", (points, turned)), 2.0)
    assert found.notes == ("turned.stl: 40 of 5120 triangles had their normals inwards and were turned",)
    whole = made(stl(tmp_path / "whole.stl", (points, triangles)), 2.0)
    assert volumes(found.mesh)["body"] == pytest.approx(volumes(whole.mesh)["body"], rel=1e-3)


def with_holes(surface: Surface) -> Surface:
    """Twelve triangles that do not touch missing, and forty turned."""
    points, triangles = surface
    turned = triangles.copy()
    turned[2000:2040] = triangles[2000:2040, ::-1]
    return points, np.delete(turned, np.arange(12) * 400 + 60, axis=0)


def with_dent(surface: Surface) -> Surface:
    """One corner pushed through the opposite side."""
    points = surface[0].copy()
    points[30] *= -1.6
    return points, surface[1]


def test_holes_are_closed_and_the_volume_kept(tmp_path: Path) -> None:
    whole = organ()
    found = made(stl(tmp_path / "open.stl", with_holes(whole)), 2.0)
    assert volumes(found.mesh) == {"body": pytest.approx(signed_volume(*whole), rel=0.01)}
    assert len(found.notes) == 1
    assert "12 holes closed, 40 triangles turned" in found.notes[0]


def test_a_dent_through_the_surface_is_taken_apart_and_the_volume_kept(tmp_path: Path) -> None:
    whole = organ()
    found = made(stl(tmp_path / "dent.stl", with_dent(with_holes(whole))), 2.0)
    assert volumes(found.mesh) == {"body": pytest.approx(signed_volume(*whole), rel=0.01)}
    assert "12 holes closed" in found.notes[0]
    assert "crossing triangles taken apart" in found.notes[0]


def test_the_same_damaged_file_gives_nearly_the_same_mesh_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    points, triangles = sphere(10.0, divisions=3)
    path = stl(tmp_path / "open.stl", (points, triangles[5:]))
    one = made(path, 3.0)
    monkeypatch.setenv("NANOWARM_CACHE", str(tmp_path / "other"))
    again = made(path, 3.0)
    assert not again.cached
    assert volumes(again.mesh) == pytest.approx(volumes(one.mesh), rel=0.005)  # fTetWild repeats itself nearly, not always
    assert len(again.mesh.cells) == pytest.approx(len(one.mesh.cells), rel=0.1)


def test_a_surface_through_itself_is_taken_apart(tmp_path: Path) -> None:
    points, triangles = together(sphere(10.0, divisions=3), sphere(4.0, (9.0, 0.0, 0.0), divisions=3))
    found = made(stl(tmp_path / "two.stl", (points, triangles)), 2.0)
    # Two spheres less their lens: Weisstein, Sphere-Sphere Intersection, eq. 16, with d = 9, R = 10, r = 4.
    lens = np.pi * (10 + 4 - 9) ** 2 * (81 + 2 * 9 * 4 - 3 * 16 + 2 * 9 * 10 + 6 * 4 * 10 - 3 * 100) / (12 * 9)
    whole = signed_volume(points, triangles) - lens
    assert volumes(found.mesh) == {"body": pytest.approx(whole, rel=0.02)}
    assert [note for note in found.notes if "crossing triangles taken apart, 2 surfaces joined to one body" in note]


def test_small_loose_pieces_are_left_out_and_noted(tmp_path: Path) -> None:
    scrap = np.array([[30.0, 0, 0], [31.0, 0, 0], [30.0, 1, 0]]), np.array([[0, 1, 2]])
    found = made(stl(tmp_path / "scrap.stl", together(sphere(10.0, divisions=3), scrap)), 3.0)
    assert found.mesh.points[:, 0].max() < 11e-3
    assert found.notes == ("scrap.stl: 1 triangles in 1 loose open pieces were left out",)


def test_triangles_that_are_there_twice_are_taken_once(tmp_path: Path) -> None:
    points, triangles = cube(side=4.0)
    found = made(stl(tmp_path / "twice.stl", (points, np.concatenate([triangles, triangles[:3]]))), 1.0)
    assert found.notes == ("twice.stl: 3 triangles that were there twice were left out",)
    assert volumes(found.mesh) == {"body": pytest.approx(64.0, rel=1e-6)}


def test_half_a_sphere_is_no_body(tmp_path: Path) -> None:
    points, triangles = sphere(10.0)
    upper = points[triangles].mean(axis=1)[:, 2] > 0
    with pytest.raises(MeshError, match=r"half.stl is not closed: .*5\d\.\d % of its area; up to 10 %"):
        made(stl(tmp_path / "half.stl", (points, triangles[upper])), 2.0)


def test_surfaces_of_two_regions_that_cross_are_refused_by_name(tmp_path: Path) -> None:
    files = {"skull": stl(tmp_path / "s.stl", sphere(10.0)), "brain": stl(tmp_path / "b.stl", sphere(4.0, (9.0, 0.0, 0.0)))}
    with pytest.raises(MeshError, match=r"s\.stl and b\.stl cross or touch each other"):
        made(files, 2.0)


def test_one_surface_for_two_regions_is_refused(tmp_path: Path) -> None:
    files = {"a": stl(tmp_path / "a.stl", cube()), "b": stl(tmp_path / "b.stl", cube())}
    with pytest.raises(MeshError, match=r"[ab]\.stl leaves no space of its own"):
        made(files, 0.5)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("page.stl", b"<!DOCTYPE html><html><body>404</body></html>", "page.stl is a web page"),
        ("page.obj", b"  <html><body>404</body></html>", "page.obj is a web page"),
        ("noise.stl", bytes(range(256)) * 4, "noise.stl is cut off"),
        ("noise.vtp", b"no xml at all", "noise.vtp is no intact VTP file"),
        ("noise.ply", b"no ply at all", "noise.ply is cut off"),
        ("cut.stl", b"solid a\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\n", '"endsolid" is missing'),
        ("lines.obj", b"v 0 0 0\nv 1 0 0\nl 1 2\n", "lines.obj holds points or lines but no triangles"),
        ("points.obj", b"v 0 0 0\nv 1 0 0\n", "points.obj holds"),
        ("words.obj", b"hello\n", "words.obj holds nothing"),
        ("nan.obj", b"v 0 0 0\nv 1 0 0\nv 0 nan 0\nv 0 0 1\nf 1 2 3\nf 1 2 4\nf 1 3 4\nf 2 3 4\n", "nan.obj"),
        ("flat.obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "flat.obj holds 1 triangles"),
    ],
)
def test_a_file_that_is_no_closed_surface_ends_with_one_line(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MeshError, match=message) as error:
        made(tmp_path / name, 0.5)
    assert len(error.value.faults) == 1
    assert "\n" not in error.value.faults[0]


@pytest.mark.parametrize("suffix", ["stl", "ply", "vtp"])
def test_a_file_that_ends_in_the_middle_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"half.{suffix}"
    pyvista.PolyData.from_regular_faces(*sphere(10.0)).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(MeshError, match=f"half.{suffix} is (cut off|no intact)"):
        made(path, 2.0)


def test_spaces_of_nested_and_touching_cubes_are_told_apart() -> None:
    points, triangles = together(cube(side=4.0), cube((1.0, 1.0, 1.0)), cube((2.0, 2.0, 1.0)))
    points, number = np.unique(points, axis=0, return_inverse=True)
    triangles = number[triangles]
    _, space = spaces(points, triangles)
    assert space.max() == 3
    outward = triangles[np.flatnonzero(space == 0) // 2]
    assert signed_volume(points, outward) == pytest.approx(64.0)


def test_the_winding_is_one_inside_and_zero_outside() -> None:
    points, triangles = cube()
    found = windings(np.array([[0.5, 0.5, 0.5], [0.9, 0.1, 0.2], [1.5, 0.5, 0.5]]), points, triangles)
    assert found == pytest.approx([1.0, 1.0, 0.0], abs=1e-12)
