"""The case files of a folder: listed, opened, saved; nothing outside it, nothing overwritten."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import threading
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from nanowarm.gui.files import LARGEST, create, encoded, fingerprint, read, replace, text_of
from nanowarm.gui.security import RefusedError
from nanowarm.shipped import copy_case

DEEPEST = 3  # levels of folders that are searched
MOST_FOLDERS = 2000  # that are searched, where somebody starts at the top of a disk
_SIGN = re.compile(r"^\s*(schema\s*=|\[+\s*(mesh|regions|boundaries|stages|criteria)\b)", re.MULTILINE)

Kind = Literal["case", "study"]


@dataclass(frozen=True)
class Listed:
    """A case or study file in the list.

    Args:
        path: from the folder.
        kind: of the file.
        title: its own, empty where it has none or can't be read.
    """

    path: str
    kind: Kind
    title: str


@dataclass(frozen=True)
class Found:
    """What a folder holds.

    Args:
        cases: case and study files.
        runs: run folders.
        whole: whether everything was searched.
    """

    cases: tuple[Listed, ...]
    runs: tuple[Path, ...]
    whole: bool


def kind_and_title(text: str) -> tuple[Kind | None, str]:
    """What a TOML text is, if it is a case or a study, even if it is broken; and its title."""
    try:
        content: dict[str, Any] = tomllib.loads(text)
    except (ValueError, RecursionError):
        return ("case" if _SIGN.search(text) else None), ""
    title = content.get("title")
    title = title if isinstance(title, str) else ""
    if "case" in content and any(key in content for key in ("grid", "list", "sample")):
        return "study", title
    sections = ("mesh", "regions", "boundaries", "stages", "criteria")
    return ("case" if any(key in content for key in sections) and "class" not in content else None), title


def is_run_folder(folder: Path) -> bool:
    """Whether a run has left something in a folder."""
    return (folder / "case.toml").is_file() and any((folder / n).exists() for n in ("log.txt", "summary.json", "checkpoint"))


class Folder:
    """The one folder that a page works in.

    Args:
        root: the folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._saving = threading.Lock()
        self._known: dict[Path, tuple[tuple[int, int], tuple[Kind | None, str]]] = {}

    def inside(self, path: str) -> Path:
        """A path of the folder, links followed.

        Raises:
            RefusedError: it leads out of the folder.
        """
        try:
            found = (self.root / path).resolve()
        except (OSError, ValueError, RuntimeError):
            raise RefusedError(403, "no such path in this folder") from None
        if not path or Path(path).is_absolute() or ".." in Path(path).parts or not found.is_relative_to(self.root):
            raise RefusedError(403, "this path is outside the folder")
        return found

    def shown(self, path: Path) -> str:
        """A path as the page names it: from the folder."""
        return path.relative_to(self.root).as_posix()

    def found(self) -> Found:
        """Cases, studies and runs of the folder, searched not deeper than three levels."""
        cases: list[Listed] = []
        runs: list[Path] = []
        searched = 0
        for place, folders, files in os.walk(self.root):
            here = Path(place)
            searched += 1
            if is_run_folder(here) and here != self.root:
                runs.append(here)
                folders.clear()
                continue
            deeper = len(here.relative_to(self.root).parts) < DEEPEST
            folders[:] = sorted(name for name in folders if deeper and name[0] not in "._")
            cases += [listed for name in sorted(files) if name.endswith(".toml") and (listed := self._listed(here / name))]
            if searched >= MOST_FOLDERS:
                break
        return Found(tuple(cases), tuple(runs), searched < MOST_FOLDERS)

    def _listed(self, file: Path) -> Listed | None:
        """The entry of a file, if it is a case or a study of this folder; kept until the file changes."""
        with contextlib.suppress(OSError, UnicodeDecodeError, RuntimeError):
            state = file.stat()
            if not file.resolve().is_relative_to(self.root) or not stat.S_ISREG(state.st_mode) or state.st_size > LARGEST:
                return None
            stamp = (state.st_mtime_ns, state.st_size)
            known = self._known.get(file)
            if known is None or known[0] != stamp:
                known = self._known[file] = stamp, kind_and_title(file.read_text(encoding="utf-8-sig"))
            kind, title = known[1]
            return None if kind is None else Listed(self.shown(file), kind, title)
        return None

    def _case_file(self, path: str) -> Path:
        """A path that a case may be read from and written to.

        Raises:
            RefusedError: it is not of this folder, not .toml, or part of a run.
        """
        file = self.inside(path)
        if file.suffix != ".toml" or Path(path).suffix != ".toml":
            raise RefusedError(403, "only case files, .toml, are opened and written")
        if any(is_run_folder(parent) for parent in file.parents if parent.is_relative_to(self.root) and parent != self.root):
            raise RefusedError(403, "this file belongs to a run and stays as it is")
        return file

    def opened(self, path: str) -> dict[str, Any]:
        """Text of a case with the fingerprint that saving asks for.

        Raises:
            RefusedError: it can't be opened.
        """
        file = self._case_file(path)
        content = read(file)
        text = text_of(content)
        kind, title = kind_and_title(text)
        if kind is None:
            raise RefusedError(403, "this is neither a case nor a study")
        return {"path": self.shown(file), "text": text, "seen": fingerprint(content), "kind": kind, "title": title}

    def saved(self, path: str, text: str, seen: str) -> dict[str, Any]:
        """Write a text into a case file; the fingerprint of the file now.

        Args:
            path: of the file.
            text: its new content.
            seen: fingerprint of what the text was made from; empty for a file that does not exist yet.

        Raises:
            RefusedError: with 409 if the file is another than was seen.
        """
        file = self._case_file(path)
        if kind_and_title(text)[0] is None:
            raise RefusedError(422, "not saved: this text is no case file; it has no sections such as [mesh] and [regions.NAME]")
        with self._saving:
            if not seen:
                content = encoded(text)
                create(file, content)
            else:
                now = read(file)
                if fingerprint(now) != seen:
                    raise RefusedError(409, "the file has changed on disk since it was opened")
                content = encoded(text, now)
                replace(file, content)
        return {"path": self.shown(file), "seen": fingerprint(content)}

    def new(self, name: str, source: str) -> dict[str, Any]:
        """Copy a shipped case into a new folder; the path of its case file.

        Raises:
            RefusedError: the name leads out of the folder.
            CaseError: there is no such case, or the folder exists.
        """
        target = self.inside(name)
        return {"path": self.shown(copy_case(str(target), source))}
