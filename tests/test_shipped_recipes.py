"""Every shipped recipe, at two sizes and two volumes: right volumes, whole names, cells that cost nothing extra."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanowarm.mesh_section import MeshInput
from nanowarm.meshing.mesh_checks import RawMesh
from nanowarm.meshing.quality import mesh_quality
from nanowarm.meshing.raw_mesh import make_mesh

MESHES = Path(__file__).parents[1] / "meshes"

# Regions that add up to the parameter `volume`, other regions, surfaces; and two volumes [mL], such as of rat and human.
RECIPES = {
    "artery_ring": (("wall",), (), ("ends", "inner", "side"), (0.05, 2.0)),
    "balloon_cavity": (("filling", "fluid"), ("brain", "rim"), ("surface",), (4.2, 65.0)),
    "brain": (("grey_matter", "tumour", "white_matter"), ("csf", "skull"), ("neck", "surface"), (2.0, 1300.0)),
    "cryobag": (("cpa",), (), ("bottom", "rim", "top"), (20.0, 1000.0)),
    "cryovial": (("cpa",), ("air", "cap", "wall"), ("bottom", "cap", "side"), (1.0, 4.0)),
    "heart": (("myocardium",), ("left_cavity", "right_cavity"), ("base", "epicardium"), (0.8, 300.0)),
    "kidney": (("cortex", "medulla", "pelvis"), (), ("hilum", "surface"), (1.3, 150.0)),
    "limb": (("bone", "fat", "muscle", "tumour"), (), ("distal", "proximal", "skin"), (2.0, 4000.0)),
    "liver": (("left_lobe", "right_lobe"), (), ("surface",), (10.0, 1500.0)),
    "mouse_flank": (("body", "skin", "tumour"), (), ("ends", "skin"), (25.0, 250.0)),
    "organ_in_container": (("organ",), ("solution",), ("bottom", "side", "top"), (1.3, 150.0)),
    "prostate": (("prostate",), ("pelvis", "rectal_wall"), ("rectum", "surface", "urethra"), (20.0, 80.0)),
    "sphere": (("body",), (), ("surface",), (1.0, 1000.0)),
    "valve_leaflet": (("leaflet",), (), ("attached_edge", "free_edge", "inflow", "outflow"), (0.05, 0.4)),
    "vessel": (("tissue", "tumour"), (), ("surface", "vessel"), (2.0, 1000.0)),
    "vial": (("cpa",), (), ("bottom", "side", "top"), (1.0, 80.0)),
}
WITHOUT_VOLUME = {"slab"}  # its parameters are lengths
# Two volumes with two numbers of cells across; all but the small one with few are slow.
CASES = [
    pytest.param(name, volume, cells, marks=() if (volume, cells) == (row[3][0], 6.0) else pytest.mark.slow)
    for name, row in RECIPES.items()
    for volume in row[3]
    for cells in (6.0, 10.0)
]


def meshed(recipe: str, volume: float, cells: float) -> RawMesh:
    """A recipe of a volume [mL], with edges of that many to the edge of a cube of that volume."""
    edge = 10.0 * volume ** (1.0 / 3.0) / cells  # [mm]
    given = MeshInput(file=f"{recipe}.geo", parameters={"volume": f"{volume} mL"}, size=f"{edge} mm")
    return make_mesh(given, MESHES).mesh


@pytest.mark.parametrize(
    ("name", "parameters", "region"),
    [
        ("vial", {"wall": "1 mm"}, "container"),
        ("cryobag", {"film": "0.3 mm"}, "film"),
        ("organ_in_container", {"wall": "1 mm"}, "container"),
        ("sphere", {"core": "3 mm"}, "core"),
        ("artery_ring", {"fill": 1}, "lumen"),
    ],
)
def test_a_parameter_adds_a_region_without_slivers(name: str, parameters: dict[str, str | int], region: str) -> None:
    mesh = make_mesh(MeshInput(file=f"{name}.geo", parameters=parameters, size="2 mm"), MESHES).mesh
    found = mesh_quality(mesh)
    assert region in mesh.region_names
    assert found.worst > 0.1
    assert found.step_cost < 3.0


def test_every_shipped_recipe_is_tested() -> None:
    assert {path.stem for path in MESHES.glob("*.geo")} == set(RECIPES) | WITHOUT_VOLUME


def test_the_gallery_shows_every_recipe() -> None:
    gallery = (MESHES / "README.md").read_text(encoding="utf-8")
    for path in MESHES.glob("*.geo"):
        assert f"](pictures/{path.stem}.png)" in gallery
        assert (MESHES / "pictures" / f"{path.stem}.png").is_file()


@pytest.mark.parametrize("name", sorted(set(RECIPES) - {"sphere"}))  # whose volume a radius may override
def test_the_header_of_a_recipe_names_the_regions_of_its_volume(name: str) -> None:
    lines = (MESHES / f"{name}.geo").read_text().splitlines()
    assert lines[0] == "// unit: mm"
    declared = lines[1].removeprefix("// volume: ").split(" + ")
    assert set(RECIPES[name][0]) <= set(declared)


@pytest.mark.parametrize(("name", "volume", "cells"), CASES)
def test_a_recipe_has_its_volume_its_names_and_no_sliver(name: str, volume: float, cells: float) -> None:
    own, others, surfaces, _ = RECIPES[name]
    mesh = meshed(name, volume, cells)
    found = mesh_quality(mesh)
    assert sorted(mesh.region_names) == sorted((*own, *others))
    assert sorted(mesh.surface_names) == sorted(surfaces)
    assert 1e6 * sum(found.volumes[region] for region in own) == pytest.approx(volume, rel=0.01)
    assert found.worst > 0.1
    assert found.step_cost < 3.0
