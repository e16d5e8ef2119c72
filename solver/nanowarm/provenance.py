"""What `record.json` says: everything needed to repeat a run, and to believe it."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import importlib.metadata
import platform
import resource
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanowarm.case import Case
from nanowarm.physics.factors import CALIBRATED, sourced_keys
from nanowarm.shelf import read_toml

if TYPE_CHECKING:
    from nanowarm.numerics.observers import Observers
    from nanowarm.numerics.solve import Solution

_ABOUT = ("source", "quality", "spread", "note")
_PACKAGES = (
    "nanowarm", "dolfinx-solver-real", "fenics-dolfinx", "fenics-basix", "gmsh", "meshio", "mpich", "mpi4py",
    "numpy", "scipy", "h5py", "pydantic", "pint",
)  # fmt: skip


@dataclass(frozen=True)
class Made:
    """Where a mesh came from.

    Args:
        cached: whether it was taken from the cache.
        digest: SHA-256 of everything it was made from.
        worst_quality: of its cells.
        step_cost: how many times badly shaped cells multiply the cost of a step.
        notes: what was repaired, assumed or named, and what is wrong with its cells.
        steps: name, seconds and peak memory [MB] of each step of making it.
    """

    cached: bool
    digest: str
    worst_quality: float
    step_cost: float
    notes: tuple[str, ...]
    steps: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True)
class Origin:
    """How a run came about.

    Args:
        command: that repeats it.
        started: when it began, ISO 8601.
        resumed: how often it was broken off and gone on with.
    """

    command: str
    started: str
    resumed: int = 0


def origin_of(case: Case, ranks: int, words: Sequence[str] = ("run",)) -> Origin:
    """How the run of a case that begins now came about; `words` are the command where the program was not started by it."""
    arguments = [*words, str(case.path), *(["-n", str(ranks)] if ranks > 1 else [])]
    arguments += [part for override in case.overrides for part in ("--set", override)]
    if sys.argv[0].endswith(("nanowarm", "cli.py")):
        arguments = sys.argv[1:]
    return Origin(shlex.join(["nanowarm", *arguments]), datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"))


def record(
    case: Case, observers: Observers, solution: Solution, made: Made, notes: Sequence[str], origin: Origin
) -> dict[str, Any]:
    """Content of `record.json`: everything needed to repeat and to believe the run; `notes` are those of its set-up."""
    stages, begin = [], 0.0
    for name, end in solution.stage_ends.items():
        stages.append({"name": name, "start_s": begin, "end_s": end})
        begin = end
    counts = solution.counts
    return {
        "nanowarm": importlib.metadata.version("nanowarm"),
        **asdict(origin),
        "host": platform.node(),
        "platform": platform.platform(),
        "ranks": observers.heat.layout.comm.size,
        "versions": versions(),
        "files": {str(file): content_hash(file) for file in files_of(case)},
        "mesh": _mesh(observers, made) | {"spectral_radius_per_s": solution.stiffness},
        "peak_memory_MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,  # of the first rank
        "degrees_of_freedom": observers.heat.layout.index_map.size_global,
        "steps": {
            "accepted": counts.accepted,
            "rejected": counts.rejected,
            "stages": counts.stages,
            "most_stages": counts.largest_stages,
        },
        "stages": stages,
        **observers.cold.work(),
        "inputs": _inputs(case),
        "notes": [*made.notes, *notes, *observers.notes, *solution.notes, *_notes(case, counts.largest_error)],
    }


def files_of(case: Case) -> list[Path]:
    """Every file that the case reads, once."""
    files = [case.path, *case.mesh_files, *case.files.values()]
    for region in case.input.regions.values():
        files += region.files(case.path.parent)
    for stage in case.stages:
        files += stage.field.files()
    return list(dict.fromkeys(files))


def _mesh(observers: Observers, made: Made) -> dict[str, Any]:
    """The mesh: where it came from, how large and how good it is."""
    operators = observers.heat.operators
    return {
        "digest": made.digest,
        "from_cache": made.cached,
        "worst_quality": made.worst_quality,
        "step_cost": made.step_cost,
        "made_in": [{"step": step, "seconds": seconds, "peak_MB": peak} for step, seconds, peak in made.steps],
        "cells": operators.cell_count(),
        "nodes": observers.heat.layout.index_map.size_global,
        "region_numbers": {name: number for number, name in enumerate(operators.mass)},
    }


def _inputs(case: Case) -> list[dict[str, Any]]:
    """Every library value used, as its file gives it, with source, quality and spread."""
    rows = []
    for name, file in case.files.items():
        content = read_toml(file)
        changes = case.input.factors.get(name, {})
        for key in sourced_keys(content):
            value = content[key]
            row = {"of": name, "what": key.replace("_", " "), "value": value_as_text(value)}
            row |= {part: value.get(part) for part in ("source", "quality", "spread", "note")}
            if key in changes:
                row["note"] = "; ".join(filter(None, (changes[key].told, row["note"])))
            elif key == "ice" and case.input.follows_ice() and not CALIBRATED.isdisjoint(changes):
                row["note"] = "; ".join(filter(None, ("fitted again to the values changed by the case", row["note"])))
            rows.append(row)
    return rows


def value_as_text(value: Mapping[str, Any]) -> str:
    """A sourced value of the library in a line."""
    if "value" in value:
        return str(value["value"])
    if not isinstance(value.get("values"), list | tuple):
        entries = ((key.replace("_", " "), entry) for key, entry in value.items() if key not in _ABOUT)
        return ", ".join(f"{key} {value_as_text(e) if isinstance(e, Mapping) else e}" for key, e in entries)
    first, last = value["values"][0], value["values"][-1]
    return f"{first} to {last}, {len(value['values'])} points" if "at" in value else f"{first} to {last}"


def _notes(case: Case, largest_error: float) -> list[str]:
    """What a reader should know before believing the numbers."""
    notes = []
    if largest_error > 1.0:
        kelvin = largest_error * case.input.solver.tolerance
        notes.append(
            f"The fixed step of {case.input.solver.step:g} s is too long: the estimated error of one step reached {kelvin:.2g} K."
        )
    for name, region in case.regions.items():
        if len(region.medium.constituents) > 1:
            notes.append(f"{name}: a mixture; its critical rates are those of its cryoprotectant at full strength (estimate).")
    notes += dict.fromkeys(line for region in case.regions.values() if region.perfusion for line in region.perfusion.notes())
    remarks = {name: material.note for name, material in case.materials.items()}
    remarks |= {name: particle.note for name, particle in case.particles.items()}
    return notes + [f"{name}: {note}" for name, note in remarks.items() if note]


def versions() -> dict[str, str]:
    """Versions of what is installed of the packages that decide a result."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def content_hash(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
