"""What a run that was broken off goes on from, and whether it may."""

from __future__ import annotations

import hashlib
import importlib.metadata
from pathlib import Path
from typing import TYPE_CHECKING

from nanowarm.case import Case
from nanowarm.interruption import Interruption
from nanowarm.provenance import Made, content_hash, files_of

if TYPE_CHECKING:
    from nanowarm.numerics.checkpoint_files import Found
    from nanowarm.numerics.operators import Operators
    from nanowarm.numerics.solve import Resumption


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


def resumption_of(
    run_of: tuple[Path, Case, Made], found: Found | None, operators: Operators, interruption: Interruption
) -> Resumption:
    """Where a run keeps its checkpoints, and what it goes on from; collective.

    Raises:
        CaseError: the checkpoint belongs to other input.
    """
    from nanowarm.numerics.checkpoint import Checkpoints
    from nanowarm.numerics.checkpoint_files import compare, read
    from nanowarm.numerics.places import Places
    from nanowarm.numerics.ranks import on_first
    from nanowarm.numerics.solve import Resumption

    (folder, case, made), places = run_of, Places(operators)
    now = on_first(places.comm, lambda: digest(case, made, folder))
    saved = None
    if found is not None:
        compare(folder, found, now)
        saved = read(found, places)
    return Resumption(Checkpoints(folder, places, now, case.input.checkpoint.every, interruption), saved)


def going_on(found: Found | None) -> list[str]:
    """What a user should know of the checkpoint that a run goes on from."""
    if found is None:
        return []
    damaged = [f"note: checkpoint {name} is damaged" for name in found.damaged]
    return [*damaged, f"going on from checkpoint {found.folder.name} at {found.state['time']:.6g} s"]
