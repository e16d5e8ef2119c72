"""Case files: loaded, completed, and checked against the rules between their sections."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nanowarm.errors import CaseError
from nanowarm.mesh_section import MeshInput
from nanowarm.model import Location, faults, frozen_copy, joined_key, nearest, shortened
from nanowarm.overrides import apply_overrides
from nanowarm.physics.damage import damage_file
from nanowarm.physics.materials import Material
from nanowarm.physics.particles import Particle
from nanowarm.physics.protocol import Stage
from nanowarm.rules import Draft, check_heating, check_rules, protocol
from nanowarm.sections import CaseInput
from nanowarm.shelf import Region, Shelf, is_path, read_toml

# What stands in for a section that can't be used, so that the faults of the others are told with its own.
_STAND_INS: dict[str, Any] = {
    "schema": 1,
    "mesh": {"file": "/"},
    "initial": {"temperature": "0 K"},
    "regions": {},
    "stages": (),
}


@dataclass(frozen=True, eq=False)
class Case:
    """A case that can be run: everything found, everything in SI.

    Args:
        path: the file.
        input: its sections.
        filled: the same as TOML data, with defaults filled in and files by absolute path.
        regions: what fills each region.
        stages: the protocol, each stage complete.
        materials: those used, by their name in the case.
        particles: likewise.
        files: the material, particle or damage file of each name.
        overrides: texts "key=value" that have replaced values of the file.
    """

    path: Path
    input: CaseInput
    filled: Mapping[str, Any]
    regions: Mapping[str, Region]
    stages: tuple[Stage, ...]
    materials: Mapping[str, Material]
    particles: Mapping[str, Particle]
    files: Mapping[str, Path]
    overrides: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """Folder of the case file, from which its relative paths count."""
        return self.path.parent

    @property
    def mesh_files(self) -> tuple[Path, ...]:
        """Absolute paths of the geometry."""
        return tuple(path.resolve() for path in self.input.mesh.paths(self.folder).values())

    def critical_rate(self, region: str, direction: int) -> float:
        """Critical warming (1) or cooling (-1) rate [K/s] of a region's material; infinite where not known."""
        critical = self.regions[region].medium.critical_rate(direction)
        return math.inf if critical is None else critical

    def window(self, region: str, asked: tuple[float, float] | None = None, direction: int = 1) -> tuple[float, float] | None:
        """Coldest and warmest temperature [K] between which warming (1) or cooling (-1) rates of a region are looked at."""
        window = asked or self.regions[region].medium.own_window(direction)
        return None if window is None else (min(window), max(window))


def load_case(path: str | Path, overrides: Sequence[str] = ()) -> Case:
    """The case that a file describes.

    Args:
        path: a TOML file.
        overrides: texts "key=value" that replace values of the file, e.g. "field.amplitude=20 kA/m".

    Raises:
        CaseError: with every fault that can be found without the mesh.
    """
    path = Path(path)
    raw = read_toml(path)
    apply_overrides(raw, overrides)
    return case_of(path, raw, overrides)


def case_of(path: Path, raw: dict[str, Any], overrides: Sequence[str] = ()) -> Case:
    """The case that TOML data describe.

    Args:
        path: the file that they are in, or will be in; relative paths count from its folder.
        raw: content of the file.
        overrides: what has replaced values of the file in it.

    Raises:
        CaseError: with every fault that can be found without the mesh.
    """
    draft = _draft(str(path), frozen_copy(raw))
    shelf = Shelf(path, draft.input.factors, draft.input.follows_ice())
    regions = {name: shelf.region(("regions", name), region) for name, region in draft.input.regions.items()}
    shelf.check_factors()
    draft.faults.extend(shelf.faults)
    stages = protocol(draft)
    check_rules(draft, regions)
    check_heating(draft, regions, stages)
    _check_mesh_file(draft, path.parent)
    if draft.faults:
        raise CaseError(*dict.fromkeys(draft.faults))
    filled = _filled(draft.input, raw, path.parent)
    files = dict(shelf.files)
    if draft.input.doses is not None and draft.input.doses.damage is not None:
        files[draft.input.doses.damage] = damage_file(draft.input.doses.damage, path.parent)
    return Case(path, draft.input, filled, regions, stages, shelf.materials, shelf.particles, files, tuple(overrides))


def with_mesh(case: Case, mesh: MeshInput) -> Case:
    """The same case with another coarsening or refinement of its mesh."""
    changed = {"coarsening": mesh.coarsening, "refine": mesh.refine}
    filled = {**case.filled, "mesh": {**case.filled["mesh"], **changed}}
    return replace(case, input=case.input.model_copy(update={"mesh": mesh}), filled=filled)


def _draft(where: str, given: Mapping[str, Any]) -> Draft:
    """The sections of a case file, with the faults that each has by itself."""
    context = {"folder": Path(where).parent}
    try:
        return Draft(where, given, given, CaseInput.model_validate(given, context=context), [])
    except ValidationError as error:
        found = faults(error, CaseInput, where, given)
        usable = _without(given, [item["loc"] for item in error.errors()])
        try:
            return Draft(where, given, usable, CaseInput.model_validate(_STAND_INS | usable, context=context), found)
        except ValidationError:  # the rest can't be looked at by itself
            raise CaseError(*found) from None


def _without(given: Mapping[str, Any], locations: Iterable[Location]) -> dict[str, Any]:
    """TOML data without the items (of a list, or by name) and the sections that some locations are in."""
    lost = set(locations)
    usable: dict[str, Any] = {}
    for name, section in given.items():
        places = {location[1:] for location in lost if location[0] == name}
        if () in places or (places and name not in ("regions", "boundaries", "stages", "criteria", "factors")):
            continue
        keys = {place[0] for place in places}
        if isinstance(section, Mapping):
            usable[name] = {key: value for key, value in section.items() if key not in keys}
        elif isinstance(section, tuple):
            usable[name] = tuple(value for number, value in enumerate(section) if number not in keys)
        else:
            usable[name] = section
    return usable


def _check_mesh_file(draft: Draft, folder: Path) -> None:
    """Tell whether the geometry is missing, with the other faults."""
    for key, file in draft.input.mesh.paths(folder).items() if "mesh" in draft.usable else ():
        if not os.path.isfile(file):
            draft.tell(("mesh", *key.split(".", 1)), f"there is no such file: {shortened(str(file))}")


def check_names(case: Case, regions: Iterable[str], surfaces: Iterable[str]) -> None:
    """Compare the names of a case with the regions and outer surfaces of its mesh.

    Raises:
        CaseError: a name of one that the other lacks.
    """
    surfaces = set(surfaces)
    found = _differences("regions", case.input.regions, set(regions))
    found += _differences("boundaries", case.input.boundaries, surfaces)
    for name in sorted(set(case.input.stress.bonded) - surfaces):
        found.append(f'stress.bonded: the mesh has no outer surface "{name}"; {nearest(name, surfaces)}')
    for stage in case.input.stages:
        for name in sorted(set(stage.boundaries or ()) - surfaces - set(case.input.boundaries)):
            key = joined_key("stages", stage.name, "boundaries", name)
            found.append(f"{key}: the mesh has no such outer surface; {nearest(name, surfaces)}")
    if found:
        raise CaseError(*(f"{case.path}: {line}" for line in found))


def _differences(section: str, given: Iterable[str], in_mesh: set[str]) -> list[str]:
    what = "region" if section == "regions" else "outer surface"
    unknown, missing = sorted(set(given) - in_mesh), sorted(in_mesh - set(given))
    lines = [f"{joined_key(section, name)}: the mesh has no such {what}; {nearest(name, in_mesh)}" for name in unknown]
    for name in missing:
        lines.append(f'{section}: the mesh has the {what} "{name}": give it a section [{joined_key(section, name)}]')
    return lines


def _filled(case: CaseInput, raw: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The case as TOML data: the user's texts where given, defaults elsewhere, files by absolute path."""
    filled: dict[str, Any] = _over(case.model_dump(mode="json", by_alias=True, exclude_none=True), raw)
    for key, file in case.mesh.paths(folder).items():
        place = filled["mesh"] if key == "file" else filled["mesh"]["files"]
        place[key.removeprefix("files.")] = str(file.resolve())
    for place in (filled.get("field", {}), *(stage.get("field", {}) for stage in filled["stages"])):
        _resolve(place, folder)
    if "damage" in filled.get("doses", {}):
        filled["doses"]["damage"] = _absolute(filled["doses"]["damage"], folder)
    for region in filled["regions"].values():
        material = region["material"]
        if isinstance(material, str):
            region["material"] = _absolute(material, folder)
        else:
            region["material"] = {"mix": {_absolute(name, folder): part for name, part in material["mix"].items()}}
        if "particles" in region:
            region["particles"]["name"] = _absolute(region["particles"]["name"], folder)
            _resolve(region["particles"]["iron"], folder)
        _resolve(region.get("concentration"), folder)
    filled["factors"] = {_absolute(name, folder): changes for name, changes in filled["factors"].items()}
    return filled


def _resolve(section: Any, folder: Path) -> None:
    """Make the file that a section names absolute; by name, only what is a path."""
    for key in ("file", "image"):
        if isinstance(section, dict) and isinstance(section.get(key), str):
            section[key] = str((folder / section[key]).resolve())
    if isinstance(section, dict) and "file" in section:
        section.pop("image", None)  # another spelling of the same
    if isinstance(section, dict) and isinstance(section.get("name"), str):
        section["name"] = _absolute(section["name"], folder)


def _over(base: Any, top: Any) -> Any:
    """`top` laid over `base`, key by key."""
    if isinstance(base, dict) and isinstance(top, Mapping):
        keys = (*base, *(key for key in top if key not in base))
        return {key: _over(base.get(key), top[key]) if key in top else base[key] for key in keys}
    return top if top is not None else base


def _absolute(name: str, folder: Path) -> str:
    return str((folder / name).resolve()) if is_path(name) else name
