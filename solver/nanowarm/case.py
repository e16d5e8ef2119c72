"""Case files: loaded, completed, and checked against the rules between their sections."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from nanowarm.errors import CaseError
from nanowarm.model import Model, faults, frozen_copy, nearest
from nanowarm.physics.boundaries import AnyBoundary
from nanowarm.physics.fields import AnyField
from nanowarm.physics.materials import Material
from nanowarm.physics.particles import Particle
from nanowarm.physics.protocol import Stage
from nanowarm.sections import CaseInput
from nanowarm.shelf import Region, Shelf, read_toml


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
        files: the material and particle file of each name.
    """

    path: Path
    input: CaseInput
    filled: Mapping[str, Any]
    regions: Mapping[str, Region]
    stages: tuple[Stage, ...]
    materials: Mapping[str, Material]
    particles: Mapping[str, Particle]
    files: Mapping[str, Path]

    @property
    def mesh_file(self) -> Path:
        """Absolute path of the geometry."""
        return (self.path.parent / self.input.mesh.file).resolve()

    def critical_rate(self, region: str, direction: int) -> float:
        """Critical warming (1) or cooling (-1) rate [K/s] of a region's material; infinite where not known."""
        critical = self.regions[region].medium.critical_rate(direction)
        return math.inf if critical is None else critical

    def window(self, region: str, asked: tuple[float, float] | None = None) -> tuple[float, float] | None:
        """Coldest and warmest temperature [K] between which rates of a region are looked at, if any are."""
        window = asked or self.regions[region].medium.window
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
    for override in overrides:
        _override(raw, override)
    frozen = frozen_copy(raw)
    try:
        case = CaseInput.model_validate(frozen)
    except ValidationError as error:
        raise CaseError(*faults(error, CaseInput, str(path), frozen)) from None
    shelf = Shelf(path)
    regions = {name: shelf.region(f"regions.{name}", region) for name, region in case.regions.items()}
    found = shelf.faults
    stages = _stages(case, frozen, str(path), found)
    found += [] if found else [f"{path}: {line}" for line in _criteria_faults(case, regions)]
    found += [f"{path}: {line}" for line in _sensor_faults(case)]
    if found:
        raise CaseError(*dict.fromkeys(found))
    filled = _filled(case, raw, path.parent)
    return Case(path, case, filled, regions, stages, shelf.materials, shelf.particles, shelf.files)


def check_names(case: Case, regions: Iterable[str], surfaces: Iterable[str]) -> None:
    """Compare the names of a case with the regions and outer surfaces of its mesh.

    Raises:
        CaseError: a name of one that the other lacks.
    """
    found = _differences("regions", case.input.regions, set(regions))
    found += _differences("boundaries", case.input.boundaries, set(surfaces))
    for stage in case.input.stages:
        unknown = sorted(set(stage.boundaries or ()) - set(surfaces))
        found += [
            f"stages.{stage.name}.boundaries.{n}: the mesh has no such outer surface; {nearest(n, surfaces)}" for n in unknown
        ]
    if found:
        raise CaseError(*(f"{case.path}: {line}" for line in found))


def _differences(section: str, given: Iterable[str], in_mesh: set[str]) -> list[str]:
    what = "region" if section == "regions" else "outer surface"
    lines = [f"{section}.{name}: the mesh has no such {what}; {nearest(name, in_mesh)}" for name in given if name not in in_mesh]
    missing = sorted(in_mesh - set(given))
    return lines + [f'{section}: the mesh has the {what} "{name}": give it a section [{section}.{name}]' for name in missing]


def _override(raw: dict[str, Any], override: str) -> None:
    """Replace one value of TOML data in place; numbers in the key choose items of a list."""
    key, equals, text = override.partition("=")
    parts = [part.strip() for part in key.split(".")]
    if not equals or not all(parts):
        raise CaseError(f'--set {override}: write key=value, e.g. "field.amplitude=20 kA/m"')
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    node: Any = raw
    for part in parts[:-1]:
        node = _child(node, part, override)
    if isinstance(node, list):
        node[_index(node, parts[-1], override)] = value
    else:
        node[parts[-1]] = value


def _child(node: Any, part: str, override: str) -> Any:
    if isinstance(node, list):
        return node[_index(node, part, override)]
    child = node.setdefault(part, {})
    if not isinstance(child, dict | list):
        raise CaseError(f'--set {override}: "{part}" is a value, not a section')
    return child


def _index(items: list[Any], part: str, override: str) -> int:
    """Position of an item by number from 0, or by its name."""
    names = [item.get("name", "") if isinstance(item, dict) else "" for item in items]
    if part in names:
        return names.index(part)
    if part.isdecimal() and int(part) < len(items):
        return int(part)
    raise CaseError(f'--set {override}: no item "{part}"; there are {len(items)}, counted from 0 or called by name')


def _stages(case: CaseInput, raw: Mapping[str, Any], where: str, found: list[str]) -> tuple[Stage, ...]:
    """Every stage with the case's field and boundaries where it overrides nothing; faults are added to `found`."""
    stages = []
    for stage in case.stages:
        key = f"stages.{stage.name}"
        if stage.duration is None and stage.until is None:
            found.append(f"{where}: {key}: give a duration, or until what it lasts")
        field = _merged(AnyField, case.field, raw.get("field", {}), stage.field, f"{where}: {key}.field", found)
        boundaries = dict(case.boundaries)
        for name, change in (stage.boundaries or {}).items():
            base = raw.get("boundaries", {}).get(name, {})
            boundaries[name] = _merged(
                AnyBoundary, boundaries.get(name), base, change, f"{where}: {key}.boundaries.{name}", found
            )
        duration = math.inf if stage.duration is None else stage.duration
        stages.append(Stage(stage.name, duration, stage.until, field, boundaries))
    return tuple(stages)


def _merged(union: Any, base: Any, raw: Mapping[str, Any], change: Mapping[str, Any] | None, where: str, found: list[str]) -> Any:
    """A record of a closed union after a stage's change of some of its keys, or of its kind and so of all."""
    if change is None:
        return base
    change = {key: _since_stage(value) for key, value in change.items()}
    whole = change if change.get("kind", raw.get("kind")) != raw.get("kind") else {**raw, **change}
    try:
        return TypeAdapter(union).validate_python(whole)
    except ValidationError as error:
        found += faults(error, _record(union, whole.get("kind")), where, whole)
        return base


def _record(union: Any, kind: Any) -> type[Model]:
    """The member of a union that a kind chooses; the first one where none does."""
    members: tuple[type[Model], ...] = union.__origin__.__args__
    return next((m for m in members if kind in getattr(m.model_fields["kind"].annotation, "__args__", ())), members[0])


def _since_stage(value: Any) -> Any:
    """A table over time that a stage gives counts from the stage's start."""
    return {"since": "stage", **value} if isinstance(value, Mapping) and "at" in value else value


def _criteria_faults(case: CaseInput, regions: Mapping[str, Region]) -> list[str]:
    found = []
    for number, criterion in enumerate(case.criteria):
        key = f"criteria.{number}"
        if criterion.region not in regions:
            found.append(f'{key}.region: no region "{criterion.region}"; {nearest(criterion.region, regions)}')
            continue
        medium, direction = regions[criterion.region].medium, criterion.needs_window
        if criterion.asks_critical() and medium.critical_rate(direction) is None:
            found.append(f'{key}.at_least: {medium.name} has no critical rate; give one, e.g. "55 degC/min"')
        if direction and criterion.asked_window() is None and medium.window is None:
            found.append(f'{key}.window: {medium.name} has none; give one, e.g. ["-120 degC", "-20 degC"]')
    return found


def _sensor_faults(case: CaseInput) -> list[str]:
    found = []
    for stage in case.stages:
        if stage.until is None:
            continue
        known = case.output.probes if stage.until.sensor == "probe" else case.regions
        if stage.until.name and stage.until.name not in known:
            what = "probe" if stage.until.sensor == "probe" else "region"
            found.append(f'stages.{stage.name}.until: no {what} "{stage.until.name}"; {nearest(stage.until.name, known)}')
    names = [stage.name for stage in case.stages]
    found += [f'stages: two are called "{name}": give each its own name' for name in sorted(set(names)) if names.count(name) > 1]
    return found


def _filled(case: CaseInput, raw: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The case as TOML data: the user's texts where given, defaults elsewhere, files by absolute path."""
    filled: dict[str, Any] = _over(case.model_dump(mode="json", by_alias=True, exclude_none=True), raw)
    filled["mesh"]["file"] = str((folder / case.mesh.file).resolve())
    for region in filled["regions"].values():
        material = region["material"]
        region["material"] = (
            _absolute(material, folder)
            if isinstance(material, str)
            else {"mix": {_absolute(name, folder): part for name, part in material["mix"].items()}}
        )
        if "particles" in region:
            region["particles"]["name"] = _absolute(region["particles"]["name"], folder)
    return filled


def _over(base: Any, top: Any) -> Any:
    """`top` laid over `base`, key by key."""
    if isinstance(base, dict) and isinstance(top, Mapping):
        return {
            key: _over(base.get(key), top[key]) if key in top else base[key]
            for key in (*base, *(k for k in top if k not in base))
        }
    return top if top is not None else base


def _absolute(name: str, folder: Path) -> str:
    return str((folder / name).resolve()) if "/" in name or name.endswith(".toml") else name
