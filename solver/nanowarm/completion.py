"""What the shell offers for the values of arguments: cases, run folders, names of the library. Imports nothing heavy."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

DEEPEST = 2  # folders below the one that is typed
MOST = 200  # values offered
_LIBRARY = Path(__file__).parent / "library"
_RECORDS = ("materials", "particles", "coils", "damage")


def case_files(incomplete: str) -> list[str]:
    """Case and study files (*.toml) that begin with what is typed, those of run folders left out."""
    found = (path for path in _below(incomplete) if path.endswith(".toml") and not _is_run(os.path.dirname(path)))
    return _first(found)


def run_folders(incomplete: str) -> list[str]:
    """Run folders that begin with what is typed."""
    return _first(path for path in _below(incomplete) if _is_run(path))


def shipped_cases(incomplete: str) -> list[str]:
    """Names of shipped cases that begin with what is typed."""
    folders = (Path(__file__).parent / "shipped_files" / "cases", Path(__file__).parents[2] / "cases")
    return _first(file.stem for folder in folders for file in folder.glob("*.toml") if file.stem.startswith(incomplete))


def library_names(incomplete: str) -> list[str]:
    """Names of materials, particles, coils and damage sets that begin with what is typed."""
    files = (file for folder in _RECORDS for file in (_LIBRARY / folder).glob("*.toml"))
    return _first(file.stem for file in files if file.stem.startswith(incomplete))


def _first(found: Iterator[str]) -> list[str]:
    """Some of what was found, sorted."""
    kept = {value for value, _ in zip(found, range(MOST), strict=False)}
    return sorted(kept)


def _is_run(folder: str) -> bool:
    """Whether a folder is one of a run."""
    inside = (os.path.join(folder, name) for name in ("fields.vtkhdf", "log.txt", "summary.json"))
    return os.path.isfile(os.path.join(folder, "case.toml")) and any(map(os.path.exists, inside))


def _below(incomplete: str) -> Iterator[str]:
    """Paths that begin with what is typed, and what lies some folders below them; hidden ones left out."""
    folder, start = os.path.split(incomplete)
    yield from _walk(folder, start, DEEPEST)


def _walk(folder: str, start: str, deeper: int) -> Iterator[str]:
    """Paths in a folder whose names begin so, and what is in them."""
    try:
        names = sorted(os.listdir(folder or "."))
    except OSError:
        return
    for name in names:
        if not name.startswith(start) or (name.startswith(".") and not start.startswith(".")):
            continue
        path = os.path.join(folder, name)
        yield path
        if deeper and os.path.isdir(path):
            yield from _walk(path, "", deeper - 1)
