"""Case files as the solver sees them: completed, in SI, with overrides and a user's own files."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import tomli_w

from nanowarm.case import Case, check_names, load_case
from nanowarm.errors import CaseError

MESHES = Path(__file__).parents[1] / "meshes"
TEXT = f"""
schema = 1
[mesh]
file = "{MESHES / "vial.geo"}"
[initial]
temperature = "-150 degC"
[regions.cpa]
material = "VS55"
[boundaries.side]
kind = "convection"
coefficient = "10 W/m^2/K"
ambient = "20 degC"
[boundaries.top]
kind = "insulated"
[field]
kind = "uniform"
amplitude = "20 kA/m"
frequency = "360 kHz"
[[stages]]
name = "first"
duration = "10 s"
[[stages]]
name = "second"
until = "cpa.coldest > -10 degC"
"""


def loaded(folder: Path, more: str = "", *overrides: str) -> Case:
    (folder / "case.toml").write_text(TEXT + more, encoding="utf-8")
    return load_case(folder / "case.toml", overrides)


def test_what_a_stage_leaves_out_is_that_of_the_case(tmp_path: Path) -> None:
    first, second = loaded(tmp_path).stages
    assert first.field == second.field
    assert first.boundaries["side"].kind == "convection"
    assert (first.duration, second.duration) == (10.0, math.inf)


def test_a_stage_changes_one_key_and_keeps_the_others(tmp_path: Path) -> None:
    case = loaded(tmp_path, 'field = { amplitude = "0 kA/m" }\nboundaries = { side = { coefficient = "8 W/m^2/K" } }\n')
    first, second = case.stages
    assert (first.field.amplitude.largest(), second.field.amplitude.largest()) == (20e3, 0.0)
    assert second.field.frequency == 360e3
    assert second.boundaries["side"].coefficient.largest() == 8.0
    assert second.boundaries["side"].ambient == first.boundaries["side"].ambient


@pytest.mark.parametrize(
    ("drive", "on"), [('current = "100 A"', "current"), ('amplitude = "20 kA/m"', "amplitude")], ids=["current", "amplitude"]
)
@pytest.mark.parametrize("off", ["amplitude", "current"])
def test_a_stage_drives_a_coil_by_its_amplitude_or_current_whichever_the_case_gives(
    tmp_path: Path, drive: str, on: str, off: str
) -> None:
    coil = f'kind = "helmholtz"\nradius = "50 mm"\nturns = 3\n{drive}'
    text = TEXT.replace('kind = "uniform"\namplitude = "20 kA/m"', coil)
    nothing = "0 A" if off == "current" else "0 A/m"
    (tmp_path / "case.toml").write_text(f'{text}field = {{ {off} = "{nothing}" }}\n', encoding="utf-8")
    first, second = load_case(tmp_path / "case.toml").stages
    assert (first.field.driven_by(), second.field.driven_by()) == (on, off)
    assert first.field.largest() > 0.0
    assert second.field.largest() == 0.0


IRON_IMAGE = 'particles = { name = "sIONP", iron = { IMAGE, calibration = { slope = 0.1, unit = "mgFe/mL" } } }'


@pytest.mark.parametrize(
    ("key", "section"),
    [("particles.iron", IRON_IMAGE), ("concentration", "concentration = { IMAGE }")],
    ids=["iron", "concentration"],
)
def test_an_image_in_other_axes_than_a_mesh_from_an_image_is_refused(tmp_path: Path, key: str, section: str) -> None:
    (tmp_path / "labels.nii.gz").touch()
    text = TEXT.replace(str(MESHES / "vial.geo"), "labels.nii.gz")
    image = 'kind = "image", file = "values.nii.gz", coordinates = "RAS"'
    text = text.replace('material = "VS55"', 'material = "VS55"\n' + section.replace("IMAGE", image))
    (tmp_path / "case.toml").write_text(text, encoding="utf-8")
    with pytest.raises(CaseError, match=rf"regions\.cpa\.{key}\.coordinates: RAS, but the mesh is made in LPS"):
        load_case(tmp_path / "case.toml")
    assert load_case(tmp_path / "case.toml", ["mesh.coordinates=RAS"]).input.mesh.coordinates == "RAS"


def test_a_stage_that_changes_the_kind_starts_from_nothing(tmp_path: Path) -> None:
    case = loaded(tmp_path, 'boundaries = { side = { kind = "fixed temperature", value = "0 degC" } }\n')
    assert [stage.boundaries["side"].kind for stage in case.stages] == ["convection", "fixed temperature"]


def test_a_table_that_a_stage_gives_counts_from_its_start_and_one_of_the_case_from_the_run(tmp_path: Path) -> None:
    table = '{ at = ["0 s", "5 s"], values = ["-150 degC", "20 degC"] }'
    case = loaded(tmp_path, f"boundaries = {{ side = {{ ambient = {table} }} }}\n")
    whole = loaded(tmp_path, "", f"boundaries.side.ambient={table}")
    assert case.stages[1].boundaries["side"].ambient.since == "stage"
    assert whole.stages[1].boundaries["side"].ambient.since == "run"


def test_a_stage_may_give_a_boundary_that_the_case_gives_only_there(tmp_path: Path) -> None:
    case = loaded(tmp_path, 'boundaries = { bottom = { kind = "insulated" } }\n')
    assert "bottom" not in case.stages[0].boundaries
    assert case.stages[1].boundaries["bottom"].kind == "insulated"


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("field.amplitude=5 kA/m", ("field", "amplitude"), "5 kA/m"),
        ('field.amplitude="5 kA/m"', ("field", "amplitude"), "5 kA/m"),
        (" mesh.refine = 1", ("mesh", "refine"), 1),
        ("stages.0.duration=5 s", ("stages", 0, "duration"), "5 s"),
        ("stages.second.duration=5 s", ("stages", 1, "duration"), "5 s"),
        ('title="a = b"', ("title",), "a = b"),
        ("title=a = b", ("title",), "a = b"),
        ("title=Füße × 2", ("title",), "Füße × 2"),
        ('boundaries."a.b c".kind=insulated', ("boundaries", "a.b c", "kind"), "insulated"),
        ("boundaries.a b.kind=insulated", ("boundaries", "a b", "kind"), "insulated"),
        ("output.fields=[]", ("output", "fields"), []),
    ],
)
def test_an_override_replaces_one_value(tmp_path: Path, override: str, path: tuple[str | int, ...], value: object) -> None:
    node = loaded(tmp_path, "", override).filled
    for key in path:
        node = node[key]
    assert node == value


def test_the_filled_case_says_every_default_and_can_be_loaded_again(tmp_path: Path) -> None:
    case = loaded(tmp_path)
    assert case.filled["solver"]["tolerance"] == "0.01 K"
    (tmp_path / "elsewhere").mkdir()
    again = tmp_path / "elsewhere" / "case.toml"
    again.write_text(tomli_w.dumps(dict(case.filled)), encoding="utf-8")
    assert load_case(again).filled == case.filled
    assert json.dumps(case.filled)


def test_a_material_and_a_particle_of_ones_own_are_found_beside_the_case(tmp_path: Path) -> None:
    sourced = {"source": "mine", "quality": "measured"}
    gel = {
        "name": "gel",
        "class": "other",
        "density": sourced | {"value": "1 g/cm^3"},
        "specific_heat": sourced | {"at": ["-150 degC", "20 degC"], "values": ["1 kJ/kg/K", "3 kJ/kg/K"]},
        "conductivity": sourced | {"value": "0.5 W/m/K"},
    }
    power = {"kind": "power law", "value": "220 W/gFe", "at_field": "20 kA/m", "at_frequency": "360 kHz"}
    lot = {"name": "lot", "class": "particle", "specific_power": sourced | power}
    (tmp_path / "my files").mkdir()
    (tmp_path / "gel.toml").write_text(tomli_w.dumps(gel), encoding="utf-8")
    (tmp_path / "my files" / "lot ü.toml").write_text(tomli_w.dumps(lot), encoding="utf-8")
    particles = 'regions.cpa.particles={ name = "my files/lot ü.toml", iron = "5 mgFe/mL" }'
    case = loaded(tmp_path, "", "regions.cpa.material=gel.toml", particles)
    region = case.regions["cpa"]
    assert region.medium.capacity(293.15) == pytest.approx(3e6)
    assert region.particle is not None
    assert region.particle.name == "lot"
    assert region.iron.concentration(np.zeros((2, 3))) == pytest.approx([5.0, 5.0])
    assert set(case.files.values()) == {tmp_path / "gel.toml", tmp_path / "my files" / "lot ü.toml"}
    assert case.filled["regions"]["cpa"]["material"] == str(tmp_path / "gel.toml")


def test_temperatures_beyond_the_tables_of_a_material_are_allowed(tmp_path: Path) -> None:
    assert loaded(tmp_path, "", "initial.temperature=10000 degC").input.initial.temperature == pytest.approx(10273.15)


def test_a_material_is_constant_outside_its_table(tmp_path: Path) -> None:
    medium = loaded(tmp_path).regions["cpa"].medium
    assert float(medium.capacity(1000.0)) == float(medium.capacity(medium.capacity.at[-1]))


def test_names_of_the_mesh_and_of_the_case_are_compared_both_ways(tmp_path: Path) -> None:
    case = loaded(tmp_path, 'boundaries = { lid = { kind = "insulated" } }\n')
    with pytest.raises(CaseError, match="no such region") as caught:
        check_names(case, ["core", "a shell"], ["side", "bottom"])
    where = str(case.path)
    assert caught.value.faults == (
        f"{where}: regions.cpa: the mesh has no such region; known: a shell, core",
        f'{where}: regions: the mesh has the region "a shell": give it a section [regions."a shell"]',
        f'{where}: regions: the mesh has the region "core": give it a section [regions.core]',
        f"{where}: boundaries.top: the mesh has no such outer surface; known: bottom, side",
        f'{where}: boundaries: the mesh has the outer surface "bottom": give it a section [boundaries.bottom]',
        f"{where}: stages.second.boundaries.lid: the mesh has no such outer surface; known: bottom, side",
    )


@pytest.mark.parametrize("key", ["image", "file"])
def test_a_filled_case_finds_its_image_of_iron_from_anywhere(tmp_path: Path, key: str) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "iron.nrrd").write_bytes(b"")
    iron = f'particles = {{ name = "sIONP", iron = {{ kind = "image", {key} = "iron.nrrd", coordinates = "LPS", '
    iron += 'calibration = { slope = 1.0, unit = "mgFe/mL" } } }'
    text = TEXT.replace('material = "VS55"\n', f'material = "VS55"\n{iron}\n')
    (tmp_path / "home" / "case.toml").write_text(text, encoding="utf-8")
    case = load_case(tmp_path / "home" / "case.toml")
    again = tmp_path / "again.toml"
    again.write_text(tomli_w.dumps(dict(case.filled)), encoding="utf-8")
    (file,) = load_case(again).input.regions["cpa"].files(tmp_path)
    assert file == tmp_path / "home" / "iron.nrrd"
