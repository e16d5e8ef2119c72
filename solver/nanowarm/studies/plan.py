"""The runs of a study, each checked against the case before anything is computed."""

from __future__ import annotations

import datetime
import hashlib
import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from nanowarm.case import Case, load_case
from nanowarm.errors import CaseError, MeshError
from nanowarm.meshing.mesh_request import ask
from nanowarm.model import nearest, shown
from nanowarm.overrides import key_parts
from nanowarm.provenance import content_hash, files_of
from nanowarm.studies.sampling import drawn
from nanowarm.studies.study_file import StudyInput, read_study
from nanowarm.studies.uncertainty import Design, design_of

MOST_RUNS = 100_000  # more is a slip
MOST_FAULTS = 50  # that are told at once


@dataclass(frozen=True)
class PlannedRun:
    """One run of a study.

    Args:
        number: from 1 on, in the order of the study.
        inputs: the values that change from run to run, by key.
        overrides: all values that replace those of the case, as of `--set`.
        digest: SHA-256 of these, of every file that is read and of what the mesh is made from.
        mesh: the same for all runs that can share a mesh and its operators.
    """

    number: int
    inputs: Mapping[str, Any]
    overrides: tuple[str, ...]
    digest: str
    mesh: str


@dataclass(frozen=True)
class Plan:
    """A study, checked.

    Args:
        path: the study file.
        input: its content.
        case: path of the case file.
        runs: each different one once.
        design: what an uncertainty study draws; None for other studies.
    """

    path: Path
    input: StudyInput
    case: Path
    runs: tuple[PlannedRun, ...]
    design: Design | None = None


def load_plan(path: str | Path) -> Plan:
    """The runs that a study file asks for.

    Raises:
        CaseError: with every fault that can be found without a mesh, each by study file and key.
    """
    path = Path(path)
    study = read_study(path)
    case = path.parent / study.case
    original = load_case(case)  # its own faults are told as such
    design = None
    if study.uncertainty is not None:
        design = design_of(study.uncertainty, path, case, settings(study.base))
    rows = list(itertools.islice(design.rows() if design else combinations(study), MOST_RUNS + 1))
    if len(rows) > MOST_RUNS:
        raise CaseError(f"{path}: more than {MOST_RUNS} runs: give fewer values")
    found = _stray_names(path, study, original, rows)
    if found:
        raise CaseError(*found)
    return Plan(path, study, case, tuple(_checked(path, study, case, rows)), design)


def settings(values: Mapping[str, Any]) -> tuple[str, ...]:
    """Values by key as of `--set`."""
    return tuple(f"{key}={toml_text(value)}" for key, value in values.items())


def _checked(path: Path, study: StudyInput, case: Path, rows: Sequence[Mapping[str, Any]]) -> list[PlannedRun]:
    """A run for each different row of changing values.

    Raises:
        CaseError: with every fault.
    """
    found: list[str] = []
    runs: dict[str, PlannedRun] = {}
    hashed = cache(content_hash)
    for inputs in rows:
        values = {**study.base, **inputs}
        overrides = settings(values)
        try:
            loaded = load_case(case, overrides)
            digest, mesh = digests(loaded, overrides, hashed)
        except (CaseError, MeshError) as error:
            found += [_told(path, study, case, inputs, fault) for fault in error.faults]
            continue
        runs.setdefault(digest, PlannedRun(len(runs) + 1, inputs, overrides, digest, mesh))
    if found:
        lines = list(dict.fromkeys(found))
        more = [f"{path}: {len(lines) - MOST_FAULTS} more of the kind"] if len(lines) > MOST_FAULTS else []
        raise CaseError(*lines[:MOST_FAULTS], *more)
    return list(runs.values())


def combinations(study: StudyInput) -> Iterator[dict[str, Any]]:
    """The values of each run: all of a grid, its last key changing fastest; those of a list; or draws."""
    if study.grid is not None:
        for values in itertools.product(*study.grid.values()):
            yield dict(zip(study.grid, values, strict=True))
    elif study.sample is not None:
        sample = study.sample
        yield from drawn(sample.method, sample.count, sample.seed, sample.ranges)
    else:
        yield from (dict(row) for row in study.rows or ())


def toml_text(value: Any) -> str:
    """A value as TOML writes it behind an equals sign."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(key)} = {toml_text(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, tuple | list):
        return "[" + ", ".join(map(toml_text, value)) + "]"
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False)


def _stray_names(path: Path, study: StudyInput, case: Case, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Faults of keys in regions and boundaries that neither the case nor the study itself describes."""
    keys = {
        key: section for section, values in ((study.section(), rows), ("base", [study.base])) for row in values for key in row
    }
    known = {"regions": set(case.input.regions), "boundaries": set(case.input.boundaries)}
    parts = {key: key_parts(key) for key in keys}
    for section, name, *rest in (part for part in parts.values() if len(part) > 1 and part[0] in known):
        if rest in ([], ["material"], ["kind"]):
            known[section].add(name)
    found = []
    for key, part in parts.items():
        if len(part) > 1 and part[0] in known and part[1] not in known[part[0]]:
            what = part[0].removesuffix("s").replace("boundarie", "boundary")
            found.append(f'{path}: {keys[key]}.{key}: the case has no {what} "{part[1]}"; {nearest(part[1], known[part[0]])}')
    return found


def digests(case: Case, overrides: Sequence[str], hashed: Callable[[Path], str] = content_hash) -> tuple[str, str]:
    """What tells a run from others, by the content of all that it reads; and what runs on the same mesh have in common.

    Raises:
        MeshError: the recipe does not know a parameter, or the like.
    """
    mesh = case.input.mesh
    shared = _short([ask(mesh, case.folder).digest(), mesh.refine, dict(mesh.names)])
    return _short([list(overrides), shared, [hashed(file) for file in files_of(case)]]), shared


def _short(content: Any) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def _told(path: Path, study: StudyInput, case: Path, inputs: Mapping[str, Any], fault: str) -> str:
    """A fault of a run by the study file and the key that causes it."""
    places = [(study.section(), inputs), ("base", {k: v for k, v in study.base.items() if k not in inputs})]
    for section, values in places:
        for key, value in values.items():
            rest = _of_key(key, value, case, fault)
            if rest is not None:
                return f"{path}: {section}.{key} = {shown(value)}: {rest}"
    chosen = ", ".join(f"{key} = {shown(value)}" for key, value in inputs.items())
    return f"{path}: {study.section()} ({chosen}): {fault}"


def _of_key(key: str, value: Any, case: Path, fault: str) -> str | None:
    """What a fault says, if it is of a key."""
    setting = f"--set {key}={toml_text(value)}: "
    if fault.startswith(setting):
        return fault.removeprefix(setting)
    rest = fault.removeprefix(f"{case}: ")
    if rest.startswith((f"{key}: ", f"{key}.")):
        return rest.removeprefix(f"{key}: ")
    name = key_parts(key)[-1]
    if key.startswith("mesh.parameters.") and re.search(rf"parameter '?{re.escape(name)}\b", fault):
        return fault.split(": ", 1)[1]
    return None
