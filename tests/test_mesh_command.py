"""`nanowarm mesh` and `nanowarm check`: what is declared, what is too coarse, and what helps."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import meshio
import numpy as np
import pytest

from nanowarm import load_case
from nanowarm.case import Case
from nanowarm.errors import MeshError
from nanowarm.inspection import forecast, serial_mesh
from nanowarm.mesh_needs import declared_volumes, demand, diffusivity
from nanowarm.mesh_report import mesh_report, mesh_warnings, report_json
from nanowarm.meshing.mesh_checks import RawMesh
from nanowarm.meshing.quality import mesh_quality
from nanowarm.meshing.raw_mesh import MadeMesh
from nanowarm.physics.curves import Curve, constant
from nanowarm.physics.materials import Medium
from nanowarm.results.mesh_picture import COLOURS

NANOWARM = Path(sys.executable).parent / "nanowarm"
PLATE = """\
// unit: mm
// volume: left + right
SetFactory("OpenCASCADE");
DefineConstant[
  volume = {20, Min 1e-6, Name "Parameters/1 volume [mL]"},
  drawn = {1, Name "Parameters/2 share of it that is drawn [-]"}
];
height = 1000 * volume * drawn / (40 * 10);
Box(1) = {0, 0, 0, 4, 10, height};
Box(2) = {4, 0, 0, 36, 10, height};
BooleanFragments{ Volume{1}; Delete; }{ Volume{2}; Delete; }
Physical Volume("left") = {1};
Physical Volume("right") = {2};
Physical Surface("skin") = Abs(CombinedBoundary{ Volume{:}; });
"""
JUDGED = [{"kind": "temperature", "region": "right", "at_most": "300 K"}]
LONG = [{"name": "wait", "duration": "10000 s"}]  # heat spreads sqrt(0.5 / 2e6 * 1e4) = 50 mm
RATE = {"kind": "warming rate", "region": "right", "at_least": "2 K/s", "window": ["200 K", "250 K"]}


@pytest.fixture
def plate(bench: Any) -> Any:
    """Writes a case on a box of 40 x 10 x 50 mm, the first 4 mm of it `left`, the rest `right`; both hold the same."""
    (bench.folder / "plate.geo").write_text(PLATE, encoding="utf-8")
    gel = bench.material("gel", capacity=2e6, conductivity=0.5)

    def written(size: str = "5 mm", regions: Mapping[str, Any] | None = None, **sections: Any) -> Path:
        filled = {name: {"material": gel} | (regions or {}).get(name, {}) for name in ("left", "right")}
        mesh = {"file": "plate.geo", "size": size} | sections.pop("mesh", {})
        whole = {
            "initial": {"temperature": "200 K"},
            "regions": filled,
            "boundaries": {"skin": {"kind": "insulated"}},
            "stages": [{"name": "wait", "duration": "100 s"}],
        }
        bench._write("plate.toml", {"schema": 1, "mesh": mesh} | whole | sections)
        return bench.folder / "plate.toml"

    return written


def warnings(case: Case) -> list[str]:
    return mesh_warnings(mesh_report(case, serial_mesh(case)))


def called(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [str(NANOWARM), *command], cwd=folder, capture_output=True, text=True, timeout=300, check=False, env=environment
    )


def test_a_recipe_declares_the_volume_of_its_regions_together(plate: Any) -> None:
    for given, volume in ({}, 20e-6), ({"volume": "8 mL"}, 8e-6), ({"volume": "0.012 L"}, 12e-6):
        case = load_case(plate(mesh={"parameters": given}))
        (declared,) = declared_volumes(case, mesh_quality(serial_mesh(case).mesh).volumes)
        assert declared.regions == ("left", "right")
        assert declared.volume == pytest.approx(volume)
        assert declared.excess == pytest.approx(0, abs=1e-9)


def test_a_region_under_a_new_name_is_still_declared(plate: Any) -> None:
    names = {"left": "lobe"}
    path = plate(mesh={"names": names})
    path.write_text(path.read_text(encoding="utf-8").replace("[regions.left]", "[regions.lobe]"), encoding="utf-8")
    case = load_case(path)
    (declared,) = declared_volumes(case, mesh_quality(serial_mesh(case).mesh).volumes)
    assert declared.regions == ("lobe", "right")


def test_a_volume_line_without_the_parameter_is_refused(plate: Any) -> None:
    path = plate()
    recipe = path.parent / "plate.geo"
    recipe.write_text(recipe.read_text(encoding="utf-8").replace("volume =", "content =").replace("* volume", "* content"))
    case = load_case(path)
    with pytest.raises(MeshError, match=r'"// volume: left [+] right" needs a parameter volume'):
        mesh_report(case, serial_mesh(case))


@pytest.mark.parametrize(("drawn", "told"), [(0.995, []), (1.05, ["+5.0 %"]), (0.95, ["-5.0 %"])])
def test_a_volume_off_by_more_than_one_per_cent_is_told(plate: Any, drawn: float, told: list[str]) -> None:
    found = [line for line in warnings(load_case(plate(mesh={"parameters": {"drawn": drawn}}))) if "declared" in line]
    assert [re.findall(r"[+-][\d.]+ %", line)[0] for line in found] == told
    assert all(line.startswith("mesh.parameters.volume: 20 mL is declared for left + right: ") for line in found)


def test_the_volume_of_a_region_is_compared_with_the_case(plate: Any) -> None:
    assert not [line for line in warnings(load_case(plate(regions={"left": {"volume": "2 mL"}}))) if "declared" in line]
    (line,) = [line for line in warnings(load_case(plate(regions={"left": {"volume": "3 mL"}}))) if "declared" in line]
    assert line.startswith("regions.left.volume: 3 mL is declared for left: 2 mL in the mesh, -33.3 %; correct")


def test_the_time_that_matters_is_that_to_pass_the_window_at_the_rate_asked(plate: Any) -> None:
    faster = RATE | {"region": "left", "at_least": "5 K/s"}
    assert demand(load_case(plate(criteria=[RATE])), ("left",)) == (25.0, (200.0, 250.0))
    case = load_case(plate(criteria=[RATE, faster]))
    assert demand(case, ("left",)) == (10.0, (200.0, 250.0))
    assert demand(case, ("right",)) == (25.0, (200.0, 250.0))
    assert demand(case, ("left", "right")) == (10.0, (200.0, 250.0))


def test_without_rates_the_time_that_matters_is_that_of_the_protocol(plate: Any) -> None:
    endless = [{"name": "warm", "until": "coldest > 250 K"}, {"name": "wait", "duration": "30 s"}]
    assert demand(load_case(plate(criteria=JUDGED, stages=endless)), ("left",)) == (630.0, (200.0, 300.0))


def test_the_diffusivity_of_a_melting_material_spreads_its_heat_over_the_range() -> None:
    plain = Medium("gel", constant(2e6), constant(0.5))
    assert diffusivity(plain, 250, 300) == pytest.approx(0.5 / 2e6)
    peak = Curve(np.array([272.0, 273.0, 274.0]), np.array([2e6, 302e6, 2e6]))  # a latent heat of 3e8 J/m3
    assert diffusivity(Medium("ice", peak, constant(0.5)), 250, 300) == pytest.approx(0.5 / (2e6 + 3e8 / 50))


def test_regions_that_hold_the_same_count_as_one(plate: Any, bench: Any) -> None:
    bench.material("wall", conductivity=2.0)
    alike, apart = load_case(plate()), load_case(plate(regions={"left": {"material": "wall.toml"}}))
    fillings = [[f.regions for f in mesh_report(case, serial_mesh(case)).fillings] for case in (alike, apart)]
    assert fillings == [[("left", "right")], [("left",), ("right",)]]


def test_the_length_that_heat_spreads_is_the_root_of_diffusivity_times_time(plate: Any) -> None:
    coarse, halved = (
        mesh_report(case, serial_mesh(case)).fillings[0]
        for case in (load_case(plate(criteria=[RATE], mesh={"refine": refine})) for refine in (0, 1))
    )
    assert coarse.length == pytest.approx(np.sqrt(0.5 / 2e6 * 25))
    assert halved.edge == pytest.approx(coarse.edge / 2)
    assert halved.thin.across == pytest.approx(2 * coarse.thin.across)
    assert halved.thin.length == pytest.approx(coarse.thin.length) == pytest.approx(10e-3)


@pytest.mark.parametrize(("criteria", "told"), [(JUDGED, "cells across left + right"), ([RATE], "mm that heat spreads in left")])
def test_the_size_that_a_warning_names_ends_the_warning(plate: Any, criteria: list[Any], told: str) -> None:
    stages = LONG if criteria is JUDGED else [{"name": "wait", "duration": "100 s"}]
    sections = {"criteria": criteria, "stages": stages, "mesh": {"parameters": {"volume": "6 mL"}}}
    (line,) = warnings(load_case(plate("8 mm", **sections)))
    assert told in line
    size = re.findall(r'; size = "([\d.]+ mm)" would help', line)[0]
    assert float(size.split()[0]) < 4
    assert warnings(load_case(plate(size, **sections))) == []


def test_a_thin_layer_matters_only_where_it_is_judged_or_heated(plate: Any, bench: Any) -> None:
    bench.material("wall", conductivity=2.0)
    sections: dict[str, Any] = {"regions": {"left": {"material": "wall.toml"}}, "stages": LONG, "size": "1.6 mm"}
    assert not [line for line in warnings(load_case(plate(criteria=JUDGED, **sections))) if "across left" in line]
    both = [*JUDGED, JUDGED[0] | {"region": "left"}]
    (line,) = [line for line in warnings(load_case(plate(criteria=both, **sections))) if "across left" in line]
    assert re.search(
        r'cells across left where it is thin \(4 mm\), fewer than 3: .*; sizes = \{ left = "[\d.]+ mm" } would', line
    )


def test_flat_cells_are_told_with_their_place_and_price(plate: Any) -> None:
    case = load_case(plate(stages=LONG))
    flat = np.array([[1, 0, 0.01], [0, 1, -0.01], [-1, 0, 0.01], [0, -1, -0.01]])  # as in test_quality
    regular = np.array([[1, 1, 1], [-1, 1, -1], [1, -1, -1], [-1, -1, 1]])
    points = 1e-3 * np.concatenate([flat + np.array([20, 0, 5]), regular])
    volume = np.linalg.det(points[[1, 2, 3]] - points[0])
    cells = np.array([[0, 1, 2, 3] if volume > 0 else [0, 1, 3, 2], [4, 5, 6, 7]])
    nothing = np.empty((0, 3), np.int64), np.empty(0, np.int32)
    mesh = RawMesh(points, cells, np.array([1, 0], np.int32), *nothing, ("left", "right"), ())
    found = mesh_warnings(mesh_report(case, MadeMesh(mesh, False, "", 1.0, 1.0, (), ())))
    price = (2 * 2 + 4 * np.sqrt(2 + 4 * 0.01**2)) / 6 / (np.sqrt(12) * 0.01)
    assert [line for line in found if "worst cell of right has" in line and "at (20, 0, 5) mm; another size" in line]
    assert not [line for line in found if "of left" in line]
    assert [line for line in found if line.startswith("mesh: flat cells of right") and f"step {price:.1f} times as dear" in line]


@pytest.fixture(scope="module")
def meshed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A folder with the case `mine` and what `nanowarm mesh` printed of it; its mesh is in `mesh`."""
    folder = tmp_path_factory.mktemp("user")
    assert called(folder, "new", "mine").returncode == 0
    done = called(folder, "mesh", "mine/mine.toml", "--set", "mesh.parameters.wall=1 mm", "--set", "mesh.size=2 mm", "-o", "mesh")
    return folder, done


def test_a_mesh_whose_names_the_case_lacks_is_shown_and_told(meshed: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, done = meshed
    assert done.returncode == 2
    assert done.stderr == 'mine/mine.toml: regions: the mesh has the region "container": give it a section [regions.container]\n'
    lines = done.stdout.splitlines()
    assert any(line.startswith("region container: ") for line in lines)
    (surfaces,) = (line for line in lines if line.startswith("surfaces: "))
    assert set(surfaces.removeprefix("surfaces: ").split(", ")) == {"side", "top", "bottom"}
    for name in ("mesh.vtu", "surfaces.vtu", "mesh.json", "quality.png"):
        assert f"wrote mesh/{name}" in lines
        assert (folder / "mesh" / name).stat().st_size > 1000


def test_the_numbers_of_a_mesh_are_saved_for_machines(meshed: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, done = meshed
    told = json.loads((folder / "mesh" / "mesh.json").read_text(encoding="utf-8"))
    body, skin = (meshio.read(folder / "mesh" / name) for name in ("mesh.vtu", "surfaces.vtu"))
    corner = body.points[body.cells_dict["tetra"]]
    volume = np.linalg.det(corner[:, 1:] - corner[:, :1]) / 6
    for about in told["regions"].values():
        mine = body.cell_data["region"][0] == about["number"]
        assert about["cells"] == mine.sum()
        assert about["volume_mL"] == pytest.approx(1e6 * volume[mine].sum())
        assert about["worst_quality"] == pytest.approx(body.cell_data["quality"][0][mine].min())
    assert {about["number"] for about in told["surfaces"].values()} == set(skin.cell_data["surface"][0])
    assert [step["name"] for step in told["steps"]] == re.findall(r"(?:it: |, )([a-z ]+) [\d.]+ s \(peak", done.stdout)


def test_the_picture_shows_every_region_in_its_colour(meshed: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    from matplotlib.colors import rgb_to_hsv, to_rgb
    from matplotlib.image import imread

    folder, done = meshed
    if "no picture" in done.stdout:
        pytest.skip("VTK can't draw on this machine")
    image = imread(folder / "mesh" / "picture.png")[..., :3]
    body = rgb_to_hsv(image[:, : int(0.75 * image.shape[1])])  # without the legend
    for colour in COLOURS[:2]:
        alike = np.abs(body[..., 0] - rgb_to_hsv(to_rgb(colour))[0]) < 0.02
        assert np.mean(alike & (body[..., 1] > 0.4)) > 0.01


def test_a_saved_mesh_can_be_used_again_and_is_refined_instead_of_sized(
    meshed: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, _ = meshed
    told = json.loads((folder / "mesh" / "mesh.json").read_text(encoding="utf-8"))
    names = {str(about["number"]): name for name, about in told["regions"].items()}
    text = (folder / "mine" / "mine.toml").read_text(encoding="utf-8")
    regions = '[regions.container]\nmaterial = "saline"\n[initial]'
    section = f'[mesh]\nfile = "../mesh/mesh.vtu"\nunit = "m"\nsize = "1 mm"\nnames = {json.dumps(names).replace(":", " =")}\n\n'
    text = re.sub(r"\[mesh\].*?(?=\[initial\])", section, text, flags=re.DOTALL).replace("[initial]", regions)
    for surface in ("side", "top"):
        text = re.sub(rf"\[boundaries.{surface}\].*?(?=\n\[)", "", text, flags=re.DOTALL)
    (folder / "mine" / "again.toml").write_text(text.replace("boundaries.bottom", "boundaries.outer"), encoding="utf-8")
    done = called(folder, "check", "mine/again.toml")
    assert done.returncode == 0, done.stderr
    assert any(line.startswith("note: mesh.vtu is a mesh and used as it is") for line in done.stdout.splitlines())
    assert re.search(r"warning: mesh: .* that heat spreads in cpa .*; refine = 1 would help", done.stdout)
    assert f"mesh: {told['cells']} tetrahedra" in done.stdout
    case = load_case(folder / "mine" / "again.toml")
    assert mesh_report(case, serial_mesh(case)).quality.volumes == pytest.approx(
        {name: 1e-6 * about["volume_mL"] for name, about in told["regions"].items()}
    )


def test_the_stages_of_a_step_are_what_its_eigenvalues_ask_for(plate: Any) -> None:
    case = load_case(plate("4 mm", solver={"step": "20 s"}))
    found = forecast(case, serial_mesh(case))
    assert (found.steps, found.step) == (5, 20.0)
    assert found.stages == max(2, np.ceil(np.sqrt(1 + 20 * found.stiffness / 0.653)))


def test_the_report_says_the_same_in_json_as_in_records(plate: Any) -> None:
    case = load_case(plate("8 mm", criteria=[RATE]))
    report = mesh_report(case, serial_mesh(case))
    told = json.loads(json.dumps(report_json(report), allow_nan=False))
    assert told["warnings"] == mesh_warnings(report) != []
    assert told["fillings"][0]["regions"] == ["left", "right"]
    assert told["fillings"][0]["diffusion_length_mm"] == pytest.approx(1e3 * np.sqrt(0.5 / 2e6 * 25))
    assert told["declared"][0]["volume_mL"] == pytest.approx(20)
