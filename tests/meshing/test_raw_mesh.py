"""Geometry files become checked meshes: right volumes, whole names, the same mesh every time."""

from __future__ import annotations

import subprocess
from pathlib import Path

import meshio
import numpy as np
import pytest

from nanowarm.errors import MeshError
from nanowarm.mesh_section import MeshInput
from nanowarm.meshing import raw_mesh
from nanowarm.meshing.mesh_checks import RawMesh, signed_volumes
from nanowarm.meshing.raw_mesh import MadeMesh, make_mesh

MESHES = Path(__file__).parents[2] / "meshes"
CUBE = "SetFactory('OpenCASCADE');\nBox(1) = {0, 0, 0, 1, 1, 1};\n"
NAMED_CUBE = CUBE + "Physical Volume('ice') = {1};\nPhysical Surface('shell') = {1:6};\n"


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("NANOWARM_CACHE", str(folder))
    return folder


def made(file: Path, size: float | None = None, unit: str | None = None, **parameters: str | float) -> MadeMesh:
    size_text = None if size is None else f"{size!r} m"
    return make_mesh(MeshInput(file=str(file), unit=unit, parameters=parameters, size=size_text), file.parent)


def written(folder: Path, text: str, name: str = "recipe.geo") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def volumes(mesh: RawMesh) -> dict[str, float]:
    """Volume of each region [mL]."""
    shares = signed_volumes(mesh)
    return {name: 1e6 * float(shares[mesh.cell_region == i].sum()) for i, name in enumerate(mesh.region_names)}


@pytest.mark.parametrize(
    ("recipe", "size", "parameters", "total"),
    [
        ("vial", 4e-3, {"volume": "80.425 mL"}, 80.425),
        ("vial", 1e-3, {"volume": "1 mL", "aspect": 3}, 1.0),
        ("sphere", 3e-3, {}, 1.0),
        ("slab", 1e-3, {}, 10 * 2 * 2 * 1e-3),
        ("kidney", 1e-3, {}, 1.3),
        ("kidney", 5e-3, {"volume": "150 mL"}, 150.0),
    ],
)
def test_the_volume_is_that_of_the_parameter(recipe: str, size: float, parameters: dict[str, str | float], total: float) -> None:
    mesh = made(MESHES / f"{recipe}.geo", size, **parameters).mesh
    assert sum(volumes(mesh).values()) == pytest.approx(total, rel=0.01)


@pytest.mark.parametrize(
    ("recipe", "parameters", "regions", "surfaces"),
    [
        ("vial", {}, {"cpa"}, {"side", "top", "bottom"}),
        ("vial", {"wall": "1 mm"}, {"cpa", "container"}, {"side", "top", "bottom"}),
        ("sphere", {}, {"body"}, {"surface"}),
        ("sphere", {"core": "2 mm"}, {"body", "core"}, {"surface"}),
        ("slab", {}, {"body"}, {"left", "right", "sides"}),
        ("slab", {"interface": "4 mm"}, {"body", "layer"}, {"left", "right", "sides"}),
        ("kidney", {}, {"cortex", "medulla", "pelvis"}, {"surface", "hilum"}),
    ],
)
def test_a_recipe_names_all_regions_and_outer_surfaces(
    recipe: str, parameters: dict[str, str | float], regions: set[str], surfaces: set[str]
) -> None:
    mesh = made(MESHES / f"{recipe}.geo", 4e-3, **parameters).mesh
    assert set(mesh.region_names) == regions
    assert set(mesh.surface_names) == surfaces


def test_the_walls_of_a_vial_with_container_are_outside() -> None:
    mesh = made(MESHES / "vial.geo", 4e-3, volume="10 mL", wall="1 mm").mesh
    radius = (10000 * 4 / (np.pi * 1.6)) ** (1 / 3) / 2e3
    side = mesh.points[mesh.facets[mesh.facet_surface == mesh.surface_names.index("side")]]
    assert np.hypot(side[..., 0], side[..., 1]) == pytest.approx(np.full(side.shape[:2], radius + 1e-3), rel=1e-6)
    assert volumes(mesh)["cpa"] == pytest.approx(10, rel=0.01)


@pytest.mark.parametrize("size", [0.7e-3, 0.5e-3])
def test_the_kidney_has_no_flat_cell_and_no_needless_ones(size: float) -> None:
    mesh = made(MESHES / "kidney.geo", size).mesh
    corners = mesh.points[mesh.cells]
    longest = np.max(np.linalg.norm(corners[:, [0, 0, 0, 1, 1, 2]] - corners[:, [1, 2, 3, 2, 3, 3]], axis=2), axis=1)
    regular = longest**3 / np.sqrt(72)
    assert (signed_volumes(mesh) / regular).min() > 0.05
    assert len(mesh.cells) < 2 * 1.3e-6 / (size**3 / np.sqrt(72)) + 10_000


def test_an_interface_cuts_the_slab_where_it_should() -> None:
    mesh = made(MESHES / "slab.geo", 1e-3, interface="4 mm").mesh
    assert volumes(mesh) == pytest.approx({"body": 0.016, "layer": 0.024})


@pytest.mark.parametrize("size", [1e-3, 0.5e-3])
def test_edges_are_about_as_long_as_asked(size: float) -> None:
    mesh = made(MESHES / "slab.geo", size).mesh
    edges = mesh.points[mesh.cells[:, [0, 0, 0, 1, 1, 2]]] - mesh.points[mesh.cells[:, [1, 2, 3, 2, 3, 3]]]
    assert np.linalg.norm(edges, axis=-1).mean() == pytest.approx(size, rel=0.25)


@pytest.mark.parametrize("recipe", ["vial", "kidney"])
def test_the_same_input_gives_the_same_mesh(recipe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = made(MESHES / f"{recipe}.geo", 1.5e-3)
    monkeypatch.setenv("NANOWARM_CACHE", str(tmp_path))
    second = made(MESHES / f"{recipe}.geo", 1.5e-3)
    assert not second.cached
    assert first.digest == second.digest
    assert np.array_equal(first.mesh.points, second.mesh.points)
    assert np.array_equal(first.mesh.cells, second.mesh.cells)


def test_a_mesh_from_the_cache_is_the_same_and_needs_no_gmsh(monkeypatch: pytest.MonkeyPatch) -> None:
    first = made(MESHES / "slab.geo", 1e-3)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("Gmsh ran again"))
    second = made(MESHES / "slab.geo", 1e-3)
    assert second.cached
    assert np.array_equal(first.mesh.facets, second.mesh.facets)
    assert np.array_equal(first.mesh.points, second.mesh.points)
    assert first.mesh.surface_names == second.mesh.surface_names


def test_a_changed_included_file_makes_the_mesh_anew(tmp_path: Path) -> None:
    recipe = written(tmp_path, "// unit: mm\nInclude 'size.geo';\n" + CUBE.replace("1, 1, 1", "L, 1, 1"))
    written(tmp_path, "L = 1;", "size.geo")
    assert volumes(made(recipe).mesh) == pytest.approx({"body": 1e-3})
    written(tmp_path, "L = 2;", "size.geo")
    assert volumes(made(recipe).mesh) == pytest.approx({"body": 2e-3})


def test_a_damaged_cache_file_is_made_again(cache: Path) -> None:
    made(MESHES / "slab.geo", 1e-3)
    (kept,) = cache.iterdir()
    kept.write_bytes(kept.read_bytes()[:1000])
    assert not made(MESHES / "slab.geo", 1e-3).cached
    assert made(MESHES / "slab.geo", 1e-3).cached


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NANOWARM_CACHE", str(written(tmp_path, "a file", "cache")))
    assert not made(MESHES / "slab.geo", 1e-3).cached


def test_a_users_recipe_with_names_of_its_own_works(tmp_path: Path) -> None:
    text = "// unit: cm\nDefineConstant[ L = 1 ];\n" + NAMED_CUBE.replace("1, 1, 1", "L, 1, 1")
    mesh = made(written(tmp_path, text), 5e-3, L="20 mm").mesh
    assert volumes(mesh) == pytest.approx({"ice": 2.0})
    assert mesh.surface_names == ("shell",)


def test_outer_facets_without_a_name_become_the_surface_outer(tmp_path: Path) -> None:
    mesh = made(written(tmp_path, "// unit: mm\n" + CUBE + "Physical Surface('left') = {1};")).mesh
    assert mesh.region_names == ("body",)
    assert mesh.surface_names == ("left", "outer")


@pytest.mark.parametrize("version", ["4.1", "2.2"])
def test_a_msh_file_keeps_its_names(tmp_path: Path, version: str) -> None:
    script = (
        "import gmsh, sys; gmsh.initialize(['gmsh', '-v', '0'], readConfigFiles=False);"
        "gmsh.open(sys.argv[1]);"
        "gmsh.option.setNumber('Mesh.ElementOrder', 2); gmsh.model.mesh.generate(3);"
        f"gmsh.option.setNumber('Mesh.MshFileVersion', {version}); gmsh.write(sys.argv[2])"
    )
    recipe, file = written(tmp_path, NAMED_CUBE), tmp_path / "cube.msh"
    subprocess.run([raw_mesh.sys.executable, "-c", script, str(recipe), str(file)], check=True)
    mesh = made(file, unit="inch").mesh
    assert volumes(mesh) == pytest.approx({"ice": 16.387064})
    assert mesh.surface_names == ("shell",)
    with pytest.raises(MeshError, match='write the length unit: unit = "mm"'):
        made(file)


@pytest.mark.parametrize("suffix", ["vtu", "vtk", "xdmf", "inp", "med"])
def test_meshes_of_other_programs_are_read(tmp_path: Path, suffix: str) -> None:
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, -1]], float)
    name = "cell_tags" if suffix == "med" else "region"
    regions = [np.array([1, 2]), np.array([0])] if suffix != "inp" else []
    cells = [("tetra", np.array([[0, 1, 2, 3], [0, 2, 1, 4]])), ("triangle", np.array([[0, 1, 3]]))]
    data = {name: regions} if regions else {}
    sets = {"p1": [np.array([0]), np.array([], int)], "p2": [np.array([1]), np.array([], int)]}
    source = meshio.Mesh(points, cells, cell_data=data, cell_sets=sets if suffix == "inp" else None)
    file = tmp_path / f"cells.{suffix}"
    source.write(file)
    read = made(file, unit="cm").mesh
    assert sorted(volumes(read).values()) == pytest.approx([1 / 6, 1 / 6])
    assert read.surface_names == ("outer",)


def test_a_closed_stl_surface_is_filled(tmp_path: Path) -> None:
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], float)
    sides = [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
    triangles = [triangle for a, b, c, d in sides for triangle in ([a, b, c], [a, c, d])]
    file = tmp_path / "cube.stl"
    meshio.Mesh(corners, [("triangle", np.array(triangles))]).write(file)
    assert volumes(made(file, 5e-3, "cm").mesh) == pytest.approx({"body": 1.0})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("// unit: mm\nPoint(1) = {0, 0, 0};\n", "no volume"),
        (CUBE, 'write the length unit: unit = "mm"'),
        ("// unit: mm\nBox(1) = {0, 0", "Gmsh: .*syntax error"),
        ("// unit: mm\nx = y;\n" + CUBE, "Gmsh: .*[Uu]nknown variable"),
        ("// unit: mm\nError('too thick');\n" + CUBE, "Gmsh: .*too thick"),
        ("// unit: mm\nExit;\n", "ended early"),
        ("// unit: mm\nSystemCall 'touch x';\n", "SystemCall runs a program"),
        (
            "// unit: mm\n" + NAMED_CUBE + "Box(2) = {2, 0, 0, 1, 1, 1};\n",
            "1 of 2 volumes have no physical name .volume 2.; name every volume",
        ),
        (
            "// unit: mm\n" + NAMED_CUBE + "Physical Volume('two') = {1};",
            "volume 1 is in the regions 'ice' and 'two'",
        ),
        (
            "// unit: mm\n" + NAMED_CUBE + "Physical Surface('two') = {1};",
            "in two surfaces, e.g. 'shell' and 'two'",
        ),
        ("// unit: mm\n" + CUBE + "Box(2) = {1, 0, 0, 1, 1, 1};", "would exchange no heat; merge them"),
        ("// unit: mm\n" + CUBE + "Recombine Surface{:};", "only supports triangles"),
    ],
)
def test_a_recipe_that_cannot_be_used_is_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(MeshError, match=message) as error:
        made(written(tmp_path, text))
    assert "\n" not in str(error.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MeshError, match="no such file"):
        made(tmp_path / "none.geo")


def test_parameters_of_a_file_that_is_no_recipe_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MeshError, match="only a Gmsh recipe"):
        made(written(tmp_path, "$MeshFormat", "a.msh"), unit="mm", volume="1 mL")


def test_an_unreadable_mesh_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MeshError, match=r"a\.vtu: meshio can't read it"):
        made(written(tmp_path, "no xml", "a.vtu"), unit="mm")


def test_a_recipe_that_never_ends_is_stopped(tmp_path: Path) -> None:
    file = written(tmp_path, "// unit: mm\nFor i In {0:1}\n i = 0;\n Sleep 1;\nEndFor\n" + CUBE)
    with pytest.raises(MeshError, match="no mesh after 2 s"):
        make_mesh(MeshInput(file=str(file)), file.parent, time_limit=2.0)
