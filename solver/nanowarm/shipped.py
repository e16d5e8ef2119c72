"""The cases and mesh recipes that come with the program."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from nanowarm.errors import CaseError, SolveError
from nanowarm.model import nearest

_PACKAGE = Path(__file__).parent
_FOLDERS = (_PACKAGE / "shipped_files", _PACKAGE.parents[1])  # installed, or in a checkout
_FILE = re.compile(r'^(\s*file\s*=\s*)"([^"]+)"', re.MULTILINE)
_BESIDE = re.compile(r'"([\w.-]+\.(?:nrrd|nii|nii\.gz|mha|csv|vti))"')  # images and maps, beside the case


def shipped_cases() -> dict[str, Path]:
    """Case files by name."""
    return {file.stem: file for folder in _FOLDERS for file in sorted((folder / "cases").glob("*.toml"))}


def shipped_recipes() -> dict[str, Path]:
    """Mesh recipes by name."""
    return {file.stem: file for folder in _FOLDERS for file in sorted((folder / "meshes").glob("*.geo"))}


def copy_case(name: str, source: str) -> Path:
    """Copy a shipped case and its mesh recipe into a new folder; the path of the new case file.

    Raises:
        CaseError: no such case, or the folder exists or can't be made.
        SolveError: the disk is full.
    """
    cases = shipped_cases()
    if source not in cases:
        raise CaseError(f'new --from: no shipped case "{source}"; {nearest(source, cases)}')
    folder = Path(name)
    if os.path.lexists(folder):
        raise CaseError(f"{folder}: exists already and is never overwritten; choose another name")
    text = cases[source].read_text(encoding="utf-8")
    match = _FILE.search(text)
    if match is None:
        raise CaseError(f"{cases[source]}: names no mesh file")
    recipe = (cases[source].parent / match[2]).resolve()
    target = folder / f"{folder.name}.toml"
    try:
        folder.mkdir(parents=True)
    except (OSError, ValueError) as error:
        raise CaseError(f"{folder}: can't be made: {getattr(error, 'strerror', None) or error}") from None
    try:
        shutil.copy(recipe, folder / recipe.name)
        for beside in set(_BESIDE.findall(text)):
            shutil.copy(cases[source].parent / beside, folder / beside)
        target.write_text(_FILE.sub(rf'\1"{recipe.name}"', text, count=1), encoding="utf-8")
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)  # made just now, by this program
        raise SolveError(f"{folder}: can't be written: {error.strerror}") from None
    return target
