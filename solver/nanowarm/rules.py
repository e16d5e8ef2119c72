"""Rules between the sections of a case file: stages over the case's values, and names that must be known."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from nanowarm.errors import CaseError
from nanowarm.model import Location, Model, faults, joined_key, nearest
from nanowarm.physics.boundaries import AnyBoundary
from nanowarm.physics.fields import AnyField, never_on
from nanowarm.physics.protocol import Stage, StageInput
from nanowarm.physics.schedules import since_stage
from nanowarm.sections import CaseInput
from nanowarm.shelf import Region

_DRIVES = ("amplitude", "current", "level")  # of a field; each takes the place of the others
MOST_ROWS = 1_000_000  # of history.csv; more is a slip of the unit


@dataclass(frozen=True, eq=False)
class Draft:
    """A case file of which some parts may be unusable.

    Args:
        where: the file.
        given: its TOML data.
        usable: the same without the parts that have faults of their own.
        input: the sections of `usable`.
        faults: one line each; those found later are added.
    """

    where: str
    given: Mapping[str, Any]
    usable: Mapping[str, Any]
    input: CaseInput
    faults: list[str]

    def names(self, *path: str) -> Collection[str]:
        """Names inside a section, such as those of all regions, faulty or not."""
        node: Any = self.given
        for key in path:
            node = node.get(key) if isinstance(node, Mapping) else None
        return tuple(node) if isinstance(node, Mapping) else ()

    def stage_names(self) -> tuple[str, ...]:
        """Names of the usable stages, in order."""
        return tuple(stage.name for stage in self.input.stages)

    def check_name(self, location: Location, what: str, name: str, *path: str) -> None:
        """Tell a name that is not in a section, unless the section itself is missing or none."""
        known = self.names(*path)
        if name not in known and (known or path[0] != "regions"):
            self.tell(location, f'no {what} "{name}"; {nearest(name, known)}')

    def tell(self, location: Location, line: str) -> None:
        """Add a fault."""
        self.faults.append(f"{self.where}: {joined_key(*location)}: {line}")


def protocol(draft: Draft) -> tuple[Stage, ...]:
    """Every stage with the case's field and boundaries where it overrides nothing."""
    case = draft.input
    stages = []
    for stage in case.stages:
        key = ("stages", stage.name)
        _check_kind(draft, stage)
        boundaries = dict(case.boundaries)
        for name, change in (stage.boundaries or {}).items():
            place = (*key, "boundaries", name)
            boundaries[name] = _changed_boundary(draft, boundaries.get(name), name, change, place)
        duration = math.inf if stage.duration is None else stage.duration
        duration = 0.0 if stage.steady else duration
        field = _changed_field(draft, stage)
        if stage.control is not None:
            try:
                stage.control.controller(0.0, field.largest() * field.per_drive(), field.frequency)
            except ValueError as error:
                draft.tell((*key, "control"), str(error))
        how = (stage.steady, stage.control, stage.search)
        stages.append(Stage(stage.name, duration, stage.until, field, boundaries, *how))
    return tuple(stages)


def _check_kind(draft: Draft, stage: StageInput) -> None:
    """Tell keys of a stage that don't go together."""
    key = ("stages", stage.name)
    if not stage.steady and stage.duration is None and stage.until is None:
        draft.tell(key, "give a duration, or until what it lasts, or steady = true")
    if stage.steady and (stage.duration is not None or stage.until is not None or stage.control is not None):
        draft.tell(key, "a steady state takes no time: leave out duration, until and control")
    if stage.search is not None and not stage.steady:
        draft.tell((*key, "search"), "is for steady states: give steady = true, or leave it out")
    for part in (stage.control, stage.search):
        watched = part.watched() if part is not None else None
        if watched is not None and watched.what == "probe":
            draft.check_name((*key, "sensor"), "probe", watched.name, "output", "probes")
        elif watched is not None and watched.name:
            draft.check_name((*key, "sensor"), "region", watched.name, "regions")


def _changed_field(draft: Draft, stage: StageInput) -> Any:
    """The field of a stage."""
    key: Location = ("stages", stage.name, "field")
    if stage.field is None or ("field" in draft.given and "field" not in draft.usable):
        return draft.input.field
    if "field" not in draft.given and "kind" not in stage.field:
        draft.tell(key, "the case has no [field] to change; add one, or give the kind here")
        return draft.input.field
    base = draft.usable.get("field", {})
    if any(drive in stage.field for drive in _DRIVES):
        base = {name: value for name, value in base.items() if name not in _DRIVES}
    return _merged(draft, AnyField, base, stage.field, key) or draft.input.field


def _changed_boundary(draft: Draft, base: Any, name: str, change: Mapping[str, Any], key: Location) -> Any:
    """The boundary of a stage."""
    known = draft.names("boundaries")
    if name in known and base is None:
        return None  # its own fault is told already
    if base is None and "kind" not in change:
        draft.tell(key, f"the case has no such boundary to change; {nearest(name, known)}")
        return None
    return _merged(draft, AnyBoundary, draft.usable.get("boundaries", {}).get(name, {}), change, key) or base


def _merged(draft: Draft, union: Any, base: Mapping[str, Any], change: Mapping[str, Any], key: Location) -> Any:
    """A record of a closed union after a stage's change of some of its keys, or of its kind and so of all."""
    change = {name: since_stage(value) for name, value in change.items()}
    whole = change if change.get("kind", base.get("kind")) != base.get("kind") else {**base, **change}
    try:
        return TypeAdapter(union).validate_python(whole, context={"folder": Path(draft.where).parent})
    except ValidationError as error:
        draft.faults.extend(faults(error, _record(union, whole.get("kind")), draft.where, whole, key))
        return None


def _record(union: Any, kind: Any) -> type[Model]:
    """The member of a union that a kind chooses; the first one where none does."""
    members: tuple[type[Model], ...] = union.__origin__.__args__
    return next((m for m in members if kind in getattr(m.model_fields["kind"].annotation, "__args__", ())), members[0])


def check_rules(draft: Draft, regions: Mapping[str, Region]) -> None:
    """Tell every fault between sections.

    Args:
        regions: what fills each usable region.
    """
    for section in ("regions", "stages"):
        if section in draft.given and draft.given[section] in ({}, ()):
            draft.tell((section,), "empty: give at least one")
    _check_criteria(draft, regions)
    _check_axes(draft)
    _check_shutdown(draft)
    _check_cold(draft, regions)
    _check_stages(draft)
    _check_rows(draft)


def check_heating(draft: Draft, regions: Mapping[str, Region], stages: Sequence[Stage]) -> None:
    """Tell fields that never heat though they should, and those at which a particle's power is not known.

    Args:
        regions: what fills each usable region.
        stages: the protocol.
    """
    silent = never_on([stage.field for stage in stages])
    if silent:
        draft.tell(("field",), silent)
    start = draft.input.initial.temperature
    for name, region in regions.items():
        for stage in stages if region.particle else ():
            amplitude = stage.field.largest() * stage.field.per_drive()
            try:
                region.particle.specific_power.power(amplitude, stage.field.frequency, start)  # type: ignore[union-attr]
            except (CaseError, ValueError) as error:
                draft.tell(("regions", name, "particles"), f"in stage {stage.name}: {error}")


def _check_axes(draft: Draft) -> None:
    """Tell images that are to be turned to other axes than those that the case gives its mesh."""
    if "mesh" not in draft.usable or not draft.input.mesh.is_from_image():
        return
    axes = draft.input.mesh.coordinates
    for name, region in draft.input.regions.items():
        for key, other in region.image_axes().items():
            if other != axes:
                line = f'{other}, but the mesh is made in {axes}: give "{axes}" here, or mesh.coordinates = "{other}"'
                draft.tell(("regions", name, *key.split("."), "coordinates"), line)


def _check_shutdown(draft: Draft) -> None:
    """Tell perfusion that is to stop with damage where no damage is followed."""
    if draft.input.doses is not None and draft.input.doses.damage is not None:
        return
    for name, region in draft.input.regions.items():
        if region.perfusion is not None and region.perfusion.shutdown == "damage":
            line = 'damage is not followed: choose its parameters in [doses], e.g. damage = "skin-Henriques"'
            draft.tell(("regions", name, "perfusion", "shutdown"), line)


def _check_cold(draft: Draft, regions: Mapping[str, Region]) -> None:
    """Tell what ice and stress can't be followed in, or with."""
    exposed = any(criterion.asked_above() is not None for criterion in draft.input.criteria)
    for stage in draft.input.stages if draft.input.follows_ice() or exposed else ():
        if stage.steady:
            line = "takes no time, and what the case follows does (ice, exposure): give a duration, or don't ask for that"
            draft.tell(("stages", stage.name, "steady"), line)
    times = draft.input.solver.stress_times()
    lasts = sum(0.0 if s.steady else math.inf if s.duration is None else s.duration for s in draft.input.stages)
    if times is not None and max(times) > lasts * (1.0 + 1e-9):
        draft.tell(("solver", "stress"), f"{max(times):g} s is after the end of the protocol, {lasts:g} s: leave it out")
    if draft.input.follows_stress():
        known = {name: region.medium.mechanics for name, region in regions.items() if region.found}
        draft.faults.extend(f"{draft.where}: {line}" for line in draft.input.stress.faults(known))


def _check_criteria(draft: Draft, regions: Mapping[str, Region]) -> None:
    given = draft.given.get("criteria", ())
    usable = draft.usable.get("criteria", ())
    numbers = [number for number, raw in enumerate(given) if any(raw is kept for kept in usable)] if usable else []
    for number, criterion in zip(numbers, draft.input.criteria, strict=True):
        key = ("criteria", number)
        draft.check_name((*key, "region"), "region", criterion.region, "regions")
        region = regions.get(criterion.region)
        if region is None or not region.found:
            continue
        medium, direction = region.medium, criterion.needs_window
        if criterion.asks_critical() and medium.critical_rate(direction) is None:
            draft.tell((*key, "at_least"), f'{medium.name} has no critical rate; give one, e.g. "55 degC/min"')
        if direction and criterion.asked_window() is None and medium.own_window(direction) is None:
            draft.tell((*key, "window"), f'{medium.name} has none; give one, e.g. ["-120 degC", "-20 degC"]')
        if criterion.asks_strength() and (medium.mechanics is None or medium.mechanics.strength is None):
            draft.tell((*key, "at_most"), f'{medium.name} has no tensile_strength; give a stress, e.g. "3.2 MPa"')
        if criterion.asks_critical_difference() and medium.glass_difference is None:
            draft.tell((*key, "at_most"), f'{medium.name} has no glass_temperature_difference; give one, e.g. "38 K"')


def _check_stages(draft: Draft) -> None:
    for stage in draft.input.stages:
        if stage.until is None:
            continue
        key = ("stages", stage.name, "until")
        if stage.until.sensor == "probe":
            draft.check_name(key, "probe", stage.until.name, "output", "probes")
        elif stage.until.name:
            draft.check_name(key, "region", stage.until.name, "regions")
    for what, names in (("stages", draft.stage_names()), ("output.probes", draft.names("output", "probes"))):
        for name in names:
            if not name.strip() or not name.isprintable():
                draft.faults.append(f"{draft.where}: {what}: {name!r} can't head a column: give a name on one line")
    names = draft.stage_names()
    for name in sorted({name for name in names if names.count(name) > 1}):
        draft.tell(("stages",), f'{names.count(name)} are called "{name}": give each its own name')


def _check_rows(draft: Draft) -> None:
    duration = sum(stage.duration or 0.0 for stage in draft.input.stages)
    output = draft.input.output
    for key, every in (("every", output.every), ("fields_every", output.fields_every)):
        if every is not None and duration / every > MOST_ROWS:
            line = f"{duration:g} s of protocol would give {duration / every:.1g} rows; at most {MOST_ROWS} are allowed"
            draft.tell(("output", key), line)
