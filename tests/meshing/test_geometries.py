"""CAD files become checked meshes: solids and names kept, units right, damage told in one line."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gmsh
import numpy as np
import pytest

from nanowarm.errors import MeshError
from nanowarm.mesh_section import MeshInput
from nanowarm.meshing.mesh_checks import RawMesh, signed_volumes
from nanowarm.meshing.raw_mesh import MadeMesh, make_mesh

Drawing = Callable[[Any], Any]
OPENCASCADE = "// unit: mm\nSetFactory('OpenCASCADE');\n"


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NANOWARM_CACHE", str(tmp_path_factory.mktemp("cache")))


def drawn(file: Path, draw: Drawing, names: Sequence[str] = (), size: float | None = None) -> Path:
    """File that Gmsh writes of what is drawn with its OpenCASCADE kernel; with a size, of its mesh."""
    gmsh.initialize(readConfigFiles=False, interruptible=False)
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        draw(gmsh.model.occ)
        gmsh.model.occ.synchronize()
        if size is not None:
            gmsh.option.setNumber("Mesh.MeshSizeMax", size)
            gmsh.model.mesh.generate(2 if file.suffix == ".stl" else 3)
        gmsh.write(str(file))
    finally:
        gmsh.finalize()
    if names:
        # OpenCASCADE calls the parts of what it writes "... 1.1", "... 1.2": as a CAD program has names there.
        text = file.read_text()
        for i, name in enumerate(names):
            text = re.sub(rf"'Open CASCADE STEP translator [\d.]+ \d+\.{i + 1}'", f"'{name}'", text)
        file.write_text(text)
    return file


def made(file: Path, size: str | None = "3 mm", **keys: Any) -> MadeMesh:
    return make_mesh(MeshInput.model_validate({"file": str(file), "size": size, **keys}, strict=False), file.parent)


def volumes(mesh: RawMesh) -> dict[str, float]:
    """Volume of each region [mL]."""
    shares = signed_volumes(mesh)
    return {name: 1e6 * float(shares[mesh.cell_region == i].sum()) for i, name in enumerate(mesh.region_names)}


def box(occ: Any) -> None:
    occ.addBox(0, 0, 0, 10, 10, 10)


def touching(occ: Any) -> None:
    occ.addBox(0, 0, 0, 10, 10, 10)
    occ.addBox(10, 2, 2, 10, 6, 6)


def nested(occ: Any) -> None:
    occ.addBox(0, 0, 0, 10, 10, 10)
    occ.addBox(3, 3, 3, 4, 4, 4)


def shared_nodes(mesh: RawMesh) -> int:
    first, second = (set(mesh.cells[mesh.cell_region == i].ravel()) for i in (0, 1))
    return len(first & second)


@pytest.mark.parametrize("suffix", ["step", "brep", "xao", "igs"])
def test_a_single_solid_without_a_name_is_the_region_body(tmp_path: Path, suffix: str) -> None:
    found = made(drawn(tmp_path / f"box.{suffix}", box), unit="mm").mesh
    assert volumes(found) == pytest.approx({"body": 1.0})
    assert found.surface_names == ("outer",)


def test_solids_keep_the_names_of_the_file_and_exchange_heat_where_they_touch(tmp_path: Path) -> None:
    found = made(drawn(tmp_path / "two.step", touching, ["liver", "tumour"]))
    assert volumes(found.mesh) == pytest.approx({"liver": 1.0, "tumour": 0.36})
    assert shared_nodes(found.mesh) >= 4
    assert any("share their faces" in note for note in found.notes)


def test_solids_of_one_name_are_one_region(tmp_path: Path) -> None:
    assert volumes(made(drawn(tmp_path / "two.step", touching, ["liver", "liver"])).mesh) == pytest.approx({"liver": 1.36})


@pytest.mark.parametrize("suffix", ["step", "brep"])
def test_solids_without_names_are_numbered_and_described(tmp_path: Path, suffix: str) -> None:
    found = made(drawn(tmp_path / f"two.{suffix}", touching), unit="mm")
    assert volumes(found.mesh) == pytest.approx({"volume1": 1.0, "volume2": 0.36})
    described = "volume1 is 1 mL around (5, 5, 5) mm; volume2 is 0.36 mL around (15, 5, 5) mm"
    assert any(described in note for note in found.notes)


def test_numbered_solids_can_be_renamed(tmp_path: Path) -> None:
    file = drawn(tmp_path / "two.brep", touching)
    found = made(file, unit="mm", names={"volume1": "liver", "volume2": "tumour"}).mesh
    assert volumes(found) == pytest.approx({"liver": 1.0, "tumour": 0.36})


def test_what_lies_in_another_solid_keeps_its_place(tmp_path: Path) -> None:
    found = made(drawn(tmp_path / "nested.step", nested, ["jelly", "core"]))
    assert volumes(found.mesh) == pytest.approx({"jelly": 0.936, "core": 0.064})
    assert any("core lies in jelly with 0.064 mL" in note for note in found.notes)


def test_where_solids_overlap_the_smaller_keeps_the_place(tmp_path: Path) -> None:
    def overlapping(occ: Any) -> None:
        occ.addBox(0, 0, 0, 10, 10, 10)
        occ.addBox(8, 2, 2, 10, 6, 6)

    found = made(drawn(tmp_path / "two.step", overlapping, ["liver", "tumour"]))
    assert volumes(found.mesh) == pytest.approx({"liver": 1.0 - 0.072, "tumour": 0.36})
    assert any("tumour lies in liver with 0.072 mL" in note for note in found.notes)


def test_a_solid_that_is_there_twice_under_two_names_is_refused(tmp_path: Path) -> None:
    file = drawn(tmp_path / "same.step", lambda occ: (box(occ), box(occ)), ["liver", "copy"])
    with pytest.raises(MeshError, match='the solid "copy" lies where others are, and nothing of it is left'):
        made(file)


def test_solids_that_miss_each_other_by_less_than_cad_means_are_joined(tmp_path: Path) -> None:
    def apart(occ: Any) -> None:
        occ.addBox(0, 0, 0, 10, 10, 10)
        occ.addBox(10 + 1e-5, 0, 0, 10, 10, 10)

    assert shared_nodes(made(drawn(tmp_path / "two.step", apart, ["a", "b"])).mesh) >= 4


def test_a_small_gap_between_solids_is_told(tmp_path: Path) -> None:
    def apart(occ: Any) -> None:
        occ.addBox(0, 0, 0, 10, 10, 10)
        occ.addBox(10.01, 0, 0, 10, 10, 10)

    notes = made(drawn(tmp_path / "two.step", apart, ["a", "b"])).notes
    assert any("volumes are only 0.01 mm apart" in note for note in notes)


@pytest.mark.parametrize("unit", [None, "m", "inch"])
def test_a_step_file_in_metres_has_its_true_size_in_any_unit(tmp_path: Path, unit: str | None) -> None:
    file = drawn(tmp_path / "box.step", lambda occ: occ.addBox(0, 0, 0, 0.01, 0.01, 0.01))
    text = file.read_text()
    file.write_text(text.replace("SI_UNIT(.MILLI.,.METRE.)", "SI_UNIT($,.METRE.)"))
    assert file.read_text() != text
    assert volumes(made(file, unit=unit).mesh) == pytest.approx({"body": 1.0})


@pytest.mark.parametrize("unit", ["mm", "m"])
def test_an_iges_file_has_its_true_size_in_any_unit(tmp_path: Path, unit: str) -> None:
    assert volumes(made(drawn(tmp_path / "box.igs", box), unit=unit).mesh) == pytest.approx({"body": 1.0})


def test_faces_that_close_are_made_a_solid_with_a_note(tmp_path: Path) -> None:
    def cylinder(occ: Any) -> None:
        occ.remove([(3, occ.addCylinder(0, 0, 0, 0, 0, 10, 5))])

    found = made(drawn(tmp_path / "faces.step", cylinder), "0.8 mm")
    assert volumes(found.mesh) == pytest.approx({"body": np.pi * 0.25}, rel=0.01)
    assert any("no solid, only faces (3); they close" in note for note in found.notes)


def test_faces_with_a_gap_are_refused_with_its_place(tmp_path: Path) -> None:
    def lidless(occ: Any) -> None:
        box(occ)
        occ.remove([(3, 1), (2, 6)])

    with pytest.raises(MeshError, match=r"only faces, and they leave gaps, e\.g\. at the edge around \(\d+, \d+, 10\)"):
        made(drawn(tmp_path / "open.step", lidless))


def test_names_of_faces_in_a_xao_file_become_surfaces(tmp_path: Path) -> None:
    def named(occ: Any) -> None:
        touching(occ)
        occ.synchronize()
        for dimension, tag, name in ((3, 1, "liver"), (3, 2, "tumour"), (2, 1, "left"), (2, 8, "right")):
            gmsh.model.setEntityName(dimension, tag, name)

    found = made(drawn(tmp_path / "named.xao", named), unit="mm").mesh
    assert set(found.region_names) == {"liver", "tumour"}
    for name, x in (("left", 0.0), ("right", 20.0)):
        facets = found.facets[found.facet_surface == found.surface_names.index(name)]
        assert 1e3 * found.points[facets][..., 0] == pytest.approx(np.full(facets.shape, x), abs=1e-9)


def test_sizes_and_graded_sizes_work_on_solids_of_a_cad_file(tmp_path: Path) -> None:
    file = drawn(tmp_path / "two.step", touching, ["liver", "tumour"])
    found = made(file, sizes={"tumour": "0.8 mm"}, graded=[{"near": "tumour", "size": "0.8 mm", "over": "8 mm"}]).mesh
    own = found.cells[found.cell_region == found.region_names.index("tumour")]
    ends = found.points[own[:, [0, 0, 0, 1, 1, 2]]] - found.points[own[:, [1, 2, 3, 2, 3, 3]]]
    assert 1e3 * np.linalg.norm(ends, axis=-1).mean() == pytest.approx(0.8, rel=0.2)


@pytest.mark.parametrize("suffix", ["step", "brep", "igs", "xao"])
def test_a_cad_file_that_is_cut_short_is_refused(tmp_path: Path, suffix: str) -> None:
    file = drawn(tmp_path / f"box.{suffix}", box)
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(MeshError, match="file is cut short; copy or export it again"):
        made(file, unit="mm")


@pytest.mark.parametrize(("suffix", "form"), [("step", "STEP"), ("brep", "BREP"), ("igs", "IGES"), ("xao", "XAO")])
def test_a_web_page_called_a_cad_file_is_refused(tmp_path: Path, suffix: str, form: str) -> None:
    (tmp_path / f"page.{suffix}").write_text("<!DOCTYPE html>\n<html><body>404</body></html>\n")
    with pytest.raises(MeshError, match=f'this is no {form} file .it begins with "<!DOCTYPE html>'):
        made(tmp_path / f"page.{suffix}", unit="mm")


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda occ: occ.addLine(occ.addPoint(0, 0, 0), occ.addPoint(1, 1, 1)), "no solid and no faces"),
        (lambda occ: occ.addRectangle(0, 0, 0, 1, 1), "only faces, and they leave gaps"),
    ],
)
def test_a_cad_file_without_a_body_is_refused(tmp_path: Path, draw: Drawing, message: str) -> None:
    with pytest.raises(MeshError, match=message) as error:
        made(drawn(tmp_path / "none.step", draw))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Box(1) = {0, 0, 0, 9, 9, 9};\nBox(2) = {3, 3, 3, 2, 2, 2};\n", r"volumes overlap around .* BooleanFragments"),
        ("Box(1) = {0, 0, 0, 9, 9, 9};\nBox(2) = {5, 5, 5, 9, 9, 9};\n", r"volumes overlap around .* BooleanFragments"),
        (
            "Box(1) = {0, 0, 0, 9, 9, 9};\nBox(2) = {5, 5, 5, 9, 9, 9};\nDelete{ Volume{1, 2}; }\nSurface Loop(8) = {1:6};\n"
            "Surface Loop(9) = {7:12};\nVolume(1) = {8, 9};\n",
            "the inside of the faces can't be meshed: most often faces cross",
        ),
        ("Box(1) = {0, 0, 0, 1, 1, 1}; Box(2) = {1, 0, 0, 1, 1, 1};", "the last line has several statements and no line break"),
    ],
)
def test_a_recipe_with_bad_geometry_is_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "bad.geo").write_text(OPENCASCADE + text)
    with pytest.raises(MeshError, match=message) as error:
        made(tmp_path / "bad.geo", "2 mm")
    assert "\n" not in str(error.value)


def test_the_steps_of_meshing_are_told_apart(tmp_path: Path) -> None:
    steps = [name for name, _, _ in made(drawn(tmp_path / "box.step", box)).steps]
    assert steps == ["read", "curve mesh", "surface mesh", "volume mesh"]


@pytest.mark.parametrize("suffix", ["msh", "vtu", "stl"])
def test_the_same_body_warms_at_the_same_rate_from_any_kind_of_file(bench: Any, suffix: str) -> None:
    def ball(occ: Any) -> None:
        occ.addSphere(0, 0, 0, 5)

    size = 0.7  # [mm]
    drawn(bench.folder / "ball.step", ball)
    other = drawn(bench.folder / f"ball.{'stl' if suffix == 'stl' else 'msh'}", ball, size=size)
    if suffix == "vtu":
        import meshio

        other = bench.folder / "ball.vtu"
        cells = [block for block in meshio.read(bench.folder / "ball.msh").cells if block.type == "tetra"]
        meshio.Mesh(meshio.read(bench.folder / "ball.msh").points, cells).write(other)
    rates = [_warming(bench, file, size) for file in (bench.folder / "ball.step", other)]
    assert rates[1] == pytest.approx(rates[0], rel=0.005)


def _warming(bench: Any, file: Path, size: float) -> float:
    """Mean rate [K/s] at which a ball warms in a stirred bath."""
    mesh = {"file": str(file), "unit": "mm", "size": f"{size} mm"}
    case = bench.case(
        "unused",
        {},
        f"{size} mm",
        mesh=mesh | {"parameters": {}},
        initial={"temperature": "-20 degC"},
        regions={"body": {"material": bench.material("jelly")}},
        boundaries={"outer": {"kind": "convection", "coefficient": "200 W/m^2/K", "ambient": "20 degC"}},
        field={"kind": "none"},
        stages=[{"name": "warm", "duration": "20 s"}],
    )
    trial = bench.solved(case)
    return float(trial.mean(trial.temperature) - 253.15) / 20.0
