"""The runs of a study, each checked against the case before anything is computed."""

from __future__ import annotations

import datetime
import hashlib
import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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
from nanowarm.studies.search_section import SearchInput
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
        search: number of the search that asked for it, from 1 on; 0 where none did.
    """

    number: int
    inputs: Mapping[str, Any]
    overrides: tuple[str, ...]
    digest: str
    mesh: str
    search: int = 0


@dataclass(frozen=True)
class Plan:
    """A study, checked.

    Args:
        path: the study file.
        input: its content.
        case: path of the case file.
        runs: each different one once; of a search the two ends.
        hashed: hash of a file, as it was when the study was checked.
        design: what an uncertainty study draws; None for other studies.
    """

    path: Path
    input: StudyInput
    case: Path
    runs: tuple[PlannedRun, ...]
    hashed: Callable[[Path], str]
    design: Design | None = None

    @property
    def title(self) -> str:
        """As pictures have it: it says where they show a model's estimates."""
        title, model = self.input.title, self.input.run.model
        return title if model == "mesh" else f"{title} (estimates of a {model} model)".lstrip()

    def searched(self, search: int, number: int, inputs: Mapping[str, Any]) -> PlannedRun:
        """A run that a search asks for.

        Raises:
            CaseError, MeshError: the case can't be used with these values.
        """
        return replace(_planned(self.input, self.case, inputs, self.hashed), number=number, search=search)


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
    plan = Plan(path, study, case, (), cache(content_hash), design)
    return replace(plan, runs=tuple(_checked(plan, rows) if study.search is None else _ends(plan, study.search, rows)))


def _ends(plan: Plan, search: SearchInput, rows: Sequence[Mapping[str, Any]]) -> list[PlannedRun]:
    """The runs at the lower and the higher end of each search.

    Raises:
        CaseError: with every fault of the lower ends, or else of the higher ones, or of values between.
    """
    # a value between may be refused where both ends are not: a whole number, for one
    low, high, _ = (_checked(plan, [{**row, **search.inputs(place)} for row in rows]) for place in (0.0, 1.0, 0.5))
    if not all(load_case(plan.case, run.overrides).input.criteria for run in low):
        raise CaseError(f"{plan.path}: search: {plan.case} asks for nothing that could be met: give it [[criteria]]")
    return [run for pair in zip(low, high, strict=True) for run in pair]


def settings(values: Mapping[str, Any]) -> tuple[str, ...]:
    """Values by key as of `--set`."""
    return tuple(f"{key}={toml_text(value)}" for key, value in values.items())


def _checked(plan: Plan, rows: Sequence[Mapping[str, Any]]) -> list[PlannedRun]:
    """A run for each different row of changing values.

    Raises:
        CaseError: with every fault.
    """
    found: list[str] = []
    runs: dict[str, PlannedRun] = {}
    for inputs in rows:
        try:
            run = _planned(plan.input, plan.case, inputs, plan.hashed)
        except (CaseError, MeshError) as error:
            found += [_told(plan.path, plan.input, plan.case, inputs, fault) for fault in error.faults]
            continue
        runs.setdefault(run.digest, replace(run, number=len(runs) + 1))
    if found:
        lines = list(dict.fromkeys(found))
        more = [f"{plan.path}: {len(lines) - MOST_FAULTS} more of the kind"] if len(lines) > MOST_FAULTS else []
        raise CaseError(*lines[:MOST_FAULTS], *more)
    return list(runs.values())


def _planned(study: StudyInput, case: Path, inputs: Mapping[str, Any], hashed: Callable[[Path], str]) -> PlannedRun:
    """The run of a row of changing values, the first of its study.

    Raises:
        CaseError, MeshError: the case can't be used with these values.
    """
    overrides = settings({**study.base, **inputs})
    return PlannedRun(1, inputs, overrides, *digests(load_case(case, overrides), overrides, hashed, study.run.model))


def combinations(study: StudyInput) -> Iterator[dict[str, Any]]:
    """All of a grid, its last key changing fastest; those of a list; or draws. One without values for a search alone."""
    if study.grid is not None:
        for values in itertools.product(*study.grid.values()):
            yield dict(zip(study.grid, values, strict=True))
    elif study.sample is not None:
        sample = study.sample
        yield from drawn(sample.method, sample.count, sample.seed, sample.ranges)
    else:
        yield from (dict(row) for row in study.rows or ({},))


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
        **{key: study.place(key) for key in (study.search.key if study.search is not None else ())},
        **{key: study.place(key) for row in rows for key in row},
        **{key: f"base.{key}" for key in study.base},
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
            found.append(f'{path}: {keys[key]}: the case has no {what} "{part[1]}"; {nearest(part[1], known[part[0]])}')
    return found


def digests(
    case: Case, overrides: Sequence[str], hashed: Callable[[Path], str] = content_hash, model: str = "mesh"
) -> tuple[str, str]:
    """What tells a run from others, by the content of all that it reads; and what runs on the same mesh have in common.

    Raises:
        MeshError: the recipe does not know a parameter, or the like.
    """
    mesh = case.input.mesh
    shared = _short([ask(mesh, case.folder).digest(), mesh.refine, dict(mesh.names)])
    own = [] if model == "mesh" else [model]
    return _short([list(overrides), shared, [hashed(file) for file in files_of(case)], *own]), shared


def _short(content: Any) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def _told(path: Path, study: StudyInput, case: Path, inputs: Mapping[str, Any], fault: str) -> str:
    """A fault of a run by the study file and the key that causes it."""
    for key, value in {**inputs, **study.base, **inputs}.items():
        rest = _of_key(key, value, case, fault)
        if rest is not None:
            place = study.place(key) if key in inputs else f"base.{key}"
            return f"{path}: {place} = {shown(value)}: {rest}"
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
