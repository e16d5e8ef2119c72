"""Every block of TOML in the documentation, in its place: the program takes it as it stands."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from nanowarm.case import load_case
from nanowarm.sections import CaseInput
from nanowarm.shipped import copy_case
from nanowarm.studies.plan import load_plan
from nanowarm.studies.study_file import StudyInput

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "solver" / "docs").rglob("*.md"))]
BLOCKS = {
    str(page.relative_to(ROOT)): [
        tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    ]
    for page in PAGES
}
PLACES = [(page, number) for page, blocks in BLOCKS.items() for number in range(len(blocks))]
SECTIONS = {field.alias or name for name, field in CaseInput.model_fields.items()}
STUDY = {field.alias or name for name, field in StudyInput.model_fields.items()}
GEOMETRIES = ("organ.stl", "skull.stl", "brain.stl", "jar-with-organ.step", "segmentation.nii.gz", "iron.nii.gz")
MAP = "x [mm], y [mm], z [mm], Hx [kA/m], Hy [kA/m], Hz [kA/m]"


def _base() -> dict[str, Any]:
    """A case to put a block into; its first stage has the field off, as in most shipped ones."""
    still = {"kind": "convection", "coefficient": "10 W/m^2/K", "ambient": "20 degC"}
    return {
        "schema": 1,
        "mesh": {"file": str(ROOT / "meshes" / "vial.geo")},
        "initial": {"temperature": "-150 degC"},
        "regions": {"cpa": {"material": "VS55", "particles": {"name": "sIONP", "iron": "5 mgFe/mL"}}},
        "boundaries": {"side": still},
        "field": {"kind": "uniform", "amplitude": "20 kA/m", "frequency": "360 kHz"},
        "stages": [
            {"name": "off", "duration": "5 s", "field": {"amplitude": "0 kA/m"}},
            {"name": "on", "duration": "60 s"},
        ],
    }


def _put_in(block: Mapping[str, Any]) -> dict[str, Any]:
    """The base with the sections of a block in place of its own; every region of the block has a material."""
    case = _base() | block
    case["regions"] = {name: {"material": "VS55"} | region for name, region in case["regions"].items()}
    return case


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what blocks name; geometries are empty, for they are not read before the mesh is made."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in GEOMETRIES:
        (folder / name).touch()
    rows = [f"{x}, {y}, {z}, 0, 0, 20" for x in (-50, 50) for y in (-50, 50) for z in (-50, 50)]
    (folder / "field.csv").write_text("\n".join([MAP, *rows]), encoding="utf-8")
    (folder / "kidney.geo").symlink_to(ROOT / "meshes" / "kidney.geo")
    copy_case("my-kidney", "rat-kidney")
    vial = (ROOT / "cases" / "vial-80mL.toml").read_text(encoding="utf-8")
    (tmp_path / "vial-80mL.toml").write_text(vial.replace("../meshes", str(ROOT / "meshes")), encoding="utf-8")
    return folder


def _records(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Materials and particles of a page; blocks without a name that are no sections of a case or study add to the one before."""
    found: list[dict[str, Any]] = []
    for block in blocks:
        if "class" in block:
            found.append(dict(block))
        elif not set(block) <= SECTIONS | STUDY:
            found.append(found[-1] | block)
    return found


def _checked(folder: Path, content: Mapping[str, Any]) -> None:
    """Load a case."""
    (folder / "case.toml").write_text(tomli_w.dumps(content), encoding="utf-8")
    load_case(folder / "case.toml")


@pytest.mark.parametrize(("page", "number"), PLACES, ids=[f"{page} {number}" for page, number in PLACES])
def test_the_program_takes_a_block_in_its_place(workplace: Path, page: str, number: int) -> None:
    blocks = BLOCKS[page]
    block = blocks[number]
    records = _records(blocks[: number + 1]) or _records(blocks)[:1]  # a file may be named before it is shown
    for record in records:
        (workplace / f"{record['name']}.toml").write_text(tomli_w.dumps(record), encoding="utf-8")
    if set(block) <= SECTIONS:
        _checked(workplace, block if "schema" in block else _put_in(block))
    elif set(block) <= STUDY:
        head = next(one for one in blocks if "case" in one)
        study = block if "case" in block else {key: head[key] for key in ("schema", "title", "case", "base")} | block
        if "uncertainty" in study:
            study["uncertainty"]["count"] = 2  # rows to look at; more are of the same kind
        (workplace / "study.toml").write_text(tomli_w.dumps(study), encoding="utf-8")
        assert load_plan(workplace / "study.toml").runs
    elif records[-1]["class"] == "particle":
        _checked(workplace, _put_in({"regions": {"cpa": {"particles": {"name": "./my-particle.toml", "iron": "5 mgFe/mL"}}}}))
    else:
        _checked(workplace, _put_in({"regions": {"cpa": {"material": f"./{records[-1]['name']}.toml"}}}))


def test_the_guide_has_blocks_of_each_kind() -> None:
    every = [block for blocks in BLOCKS.values() for block in blocks]
    assert len(every) > 25
    assert {"mesh", "regions", "field", "stages", "criteria", "grid", "search", "uncertainty", "class"} <= set().union(*every)
