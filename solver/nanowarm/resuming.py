"""What a run that was broken off goes on from, and whether it may."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nanowarm.case import Case
from nanowarm.interruption import Interruption
from nanowarm.provenance import Made, Origin, content_hash, files_of, origin_of

if TYPE_CHECKING:
    from nanowarm.numerics.checkpoint_files import Choice, Found
    from nanowarm.numerics.operators import Operators
    from nanowarm.numerics.solve import Resumption

FIELDS = "fields.vtkhdf"  # of a run folder
Unfit = Mapping[Path, str]


@dataclass(frozen=True)
class Beginning:
    """Where a run begins: at its start, or where it was broken off.

    Args:
        resumption: where it keeps its checkpoints, and what it goes on from.
        origin: how it came about.
        seconds: spent before, by phase.
        lines: what a user should know of this.
    """

    resumption: Resumption
    origin: Origin
    seconds: Mapping[str, float]
    lines: tuple[str, ...]


def digest(case: Case, made: Made, folder: Path) -> dict[str, str]:
    """What a run depends on, in hashes: if they are the same, it can go on where it was broken off.

    Args:
        case: the case.
        made: its mesh.
        folder: the run folder, with `case.toml`.
    """
    files = sorted({content_hash(file) for file in files_of(case) if file != case.path})  # wherever they lie
    return {
        "version": importlib.metadata.version("nanowarm"),
        "case.toml": content_hash(folder / "case.toml"),
        "mesh": made.digest,
        "a file that the case names": hashlib.sha256(" ".join(files).encode()).hexdigest(),
    }


def beginning(
    run_of: tuple[Path, Case, Made],
    choice: Choice | None,
    operators: Operators,
    interruption: Interruption,
    spent: Callable[[], Mapping[str, float]],
) -> Beginning:
    """Where a run begins; collective.

    Args:
        run_of: the run folder, the case and its mesh.
        choice: what there is to go on from, None for a new run.
        operators: of the mesh.
        interruption: what signals ask for.
        spent: seconds by phase up to now.

    Raises:
        CaseError: the checkpoints belong to other input.
    """
    from nanowarm.numerics.checkpoint import Checkpoints
    from nanowarm.numerics.checkpoint_files import fitting, read, set_aside
    from nanowarm.numerics.places import Places
    from nanowarm.numerics.ranks import on_first
    from nanowarm.numerics.solve import Resumption

    (folder, case, made), places = run_of, Places(operators)
    comm = places.comm
    now = on_first(comm, lambda: digest(case, made, folder))
    found, unfit = (None, {}) if choice is None else fitting(folder, choice, now)
    saved = None if found is None else read(found, places)
    if choice is not None:
        on_first(comm, lambda: (folder / FIELDS).unlink(missing_ok=True) if found is None else set_aside(unfit))
    origin = on_first(comm, lambda: _origin(case, found, comm.size))
    about = {"digest": now, "origin": asdict(origin)}
    keeps = Checkpoints(folder, places, case.input.checkpoint.every, interruption, lambda: {**about, "seconds": spent()})
    seconds = {} if found is None else found.state["seconds"]
    return Beginning(Resumption(keeps, saved), origin, seconds, () if choice is None else _lines(found, unfit))


def _origin(case: Case, found: Found | None, ranks: int) -> Origin:
    """How a run came about that begins or goes on now."""
    if found is None:
        return origin_of(case, ranks)
    before = Origin(**found.state["origin"])
    return replace(before, resumed=before.resumed + 1)


def _lines(found: Found | None, unfit: Unfit) -> tuple[str, ...]:
    """What a user should know of the checkpoint that a run goes on from."""
    if found is None:
        return ("no checkpoint was written yet: the run begins at its start",)
    notes = (f"note: checkpoint {path.name} is passed over: {what}" for path, what in unfit.items())
    return (*notes, f"going on from checkpoint {found.folder.name} at {found.state['time']:.6g} s")
