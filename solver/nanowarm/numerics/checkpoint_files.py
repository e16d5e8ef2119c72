"""Checkpoints on disk: written whole or not at all, read on any number of ranks.

A checkpoint is a folder: `part-N.npz` holds the rows of rank N with their places, `state.json` everything else, and
`SHA256SUMS` says whether all of it is as it was written.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanowarm.errors import CaseError
from nanowarm.numerics.disk import to_disk
from nanowarm.numerics.places import Places, matched
from nanowarm.numerics.ranks import on_first
from nanowarm.numerics.saved import Saved
from nanowarm.numerics.stack import MPI

Array = NDArray[np.float64]
Rows = tuple[NDArray[np.intp], NDArray[np.intp]]  # of a part, and of this rank

FOLDER = "checkpoint"  # of a run folder
KEPT = 2  # one more than is needed, should the newest be damaged
STATE, SUMS, UNFINISHED = "state.json", "SHA256SUMS", "unfinished"
KINDS = "nodes", "cells"


@dataclass(frozen=True)
class Found:
    """A checkpoint that is as it was written.

    Args:
        folder: in which it lies.
        state: content of `state.json`.
    """

    folder: Path
    state: dict[str, Any]


@dataclass(frozen=True)
class Choice:
    """What there is to go on from.

    Args:
        whole: checkpoints that are as they were written, the newest first.
        unfit: what is wrong with others, by their folders.
    """

    whole: tuple[Found, ...]
    unfit: Mapping[Path, str]


def write(folder: Path, saved: Saved, places: Places, about: Mapping[str, Any]) -> None:
    """Add a checkpoint, and forget all but the last two. Collective.

    Args:
        folder: of all checkpoints.
        saved: what to keep.
        places: of its rows.
        about: what `state.json` says besides.

    Raises:
        OSError: it can't be written; those that there were are untouched.
    """
    comm, new = places.comm, folder / UNFINISHED
    try:
        on_first(comm, lambda: _make_anew(new))
        arrays = dict(_arrays(saved))
        kinds = sorted({name.split("/", 1)[0] for name in arrays})
        file = new / f"part-{comm.rank}.npz"
        outcomes = comm.allgather(_outcome(file, {kind: places.of(kind) for kind in kinds} | arrays))
        for _, fault in outcomes:
            if fault is not None:
                raise fault
        state = {**about, "ranks": comm.size, "kinds": kinds, "arrays": list(arrays), "tree": _tree(saved)}
        sums = {f"part-{rank}.npz": digest for rank, (digest, _) in enumerate(outcomes)}
        on_first(comm, lambda: _conclude(new, state, sums))
    except OSError:
        on_first(comm, lambda: shutil.rmtree(new, ignore_errors=True))  # a full disk needs the room
        raise


def _make_anew(new: Path) -> None:
    """An empty folder."""
    if new.exists():
        shutil.rmtree(new)
    new.mkdir(parents=True)
    to_disk(new.parent.parent)  # the name of the folder of all checkpoints


def _outcome(file: Path, arrays: Mapping[str, NDArray[Any]]) -> tuple[str, OSError | None]:
    """Write arrays to a file; its SHA-256, and what went wrong."""
    try:
        with file.open("wb") as out:
            np.savez(out, **arrays)  # type: ignore[arg-type]
        to_disk(file)
        return _sum(file), None
    except OSError as error:
        return "", error


def _conclude(new: Path, state: Mapping[str, Any], sums: dict[str, str]) -> None:
    """Write what is not in the parts, and give the checkpoint its name, on one rank."""
    with (new / STATE).open("w", encoding="utf-8") as out:
        json.dump(state, out)
    sums[STATE] = _sum(new / STATE)
    with (new / SUMS).open("w", encoding="utf-8") as out:
        out.writelines(f"{digest}  {name}\n" for name, digest in sums.items())
    for path in (new / STATE, new / SUMS, new):
        to_disk(path)
    before = _numbered(new.parent)
    new.rename(new.with_name(f"{int(before[0].name) + 1 if before else 1:06d}"))
    to_disk(new.parent)
    for old in before[KEPT - 1 :]:
        shutil.rmtree(old, ignore_errors=True)


def _sum(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _numbered(folder: Path) -> list[Path]:
    """All checkpoints, the newest first."""
    return sorted((path for path in folder.glob("[0-9]*") if path.name.isdigit()), key=lambda path: -int(path.name))


def choice(run_folder: Path) -> Choice:
    """The checkpoints of a run folder, compared with their own sums.

    Raises:
        CaseError: there are some, but none is as it was written.
    """
    whole: list[Found] = []
    unfit: dict[Path, str] = {}
    for path in _numbered(run_folder / FOLDER):
        if _is_whole(path):
            whole.append(Found(path, json.loads((path / STATE).read_text(encoding="utf-8"))))
        else:
            unfit[path] = "it is damaged"
    if unfit and not whole:
        names = " and ".join(path.name for path in unfit)
        raise CaseError(f"{run_folder}: checkpoint {names} damaged: nothing to go on from; run the case again")
    return Choice(tuple(whole), unfit)


def _is_whole(path: Path) -> bool:
    """Whether all files of a checkpoint are as they were written."""
    try:
        lines = [line.split("  ", 1) for line in (path / SUMS).read_text(encoding="utf-8").splitlines()]
        return STATE in [name for _, name in lines] and all(_sum(path / name) == digest for digest, name in lines)
    except (OSError, ValueError):
        return False


def fitting(run_folder: Path, found: Choice, digest: Mapping[str, str]) -> tuple[Found | None, Mapping[Path, str]]:
    """The newest checkpoint that was written with the same input, None where there never was one; what is wrong with newer ones.

    Raises:
        CaseError: there are some, but all of other input; says what has changed since the newest.
    """
    foreign: dict[Path, str] = {}
    for each in found.whole:
        change = _change(each.state.get("digest", {}), digest)
        if not change:
            newer = {path: what for path, what in found.unfit.items() if int(path.name) > int(each.folder.name)}
            return each, newer | foreign
        foreign[each.folder] = change
    if foreign:
        raise CaseError(f"{run_folder}: can't go on: {next(iter(foreign.values()))}; run the case again")
    return None, {}


def _change(then: Mapping[str, str], now: Mapping[str, str]) -> str:
    """What differs in the input of a run, in words; empty where nothing does."""
    for what, digest in now.items():
        if then.get(what) != digest:
            change = f"was {then.get(what)}, is {digest}" if what == "version" else "is another one than when the run began"
            return f"{what} {change}"
    return ""


def set_aside(unfit: Iterable[Path]) -> None:
    """Give checkpoints that can't be used another name, so that they are not counted as those that are kept."""
    for path in unfit:
        aside = path.with_name(f"unfit-{path.name}")
        shutil.rmtree(aside, ignore_errors=True)
        path.rename(aside)


def read(found: Found, places: Places) -> Saved:
    """What a checkpoint holds for the rows of this rank. Collective.

    Raises:
        CaseError: the mesh has other nodes.
    """
    comm, kinds, names = places.comm, found.state["kinds"], found.state["arrays"]
    arrays: dict[str, NDArray[Any]] = {}
    filled = {kind: np.zeros(len(places.of(kind)), dtype=int) for kind in kinds}
    for part, rows in _parts(found, places):
        for kind, (_, here) in rows.items():
            np.add.at(filled[kind], here, 1)
        for name in names:
            kind = name.split("/", 1)[0]
            there, here = rows[kind]
            values = part[name]
            into = arrays.setdefault(name, np.zeros((filled[kind].size, *values.shape[1:]), dtype=values.dtype))
            into[here] = values[there]
    if not comm.allreduce(all((times == 1).all() for times in filled.values()), op=MPI.LAND):
        raise CaseError(
            f"{found.folder}: its nodes are not those of the mesh, or several lie at one place: "
            f"go on with {found.state['ranks']} ranks, or run the case again"
        )
    return _grown(found.state["tree"], arrays)


def _parts(found: Found, places: Places) -> Iterator[tuple[Any, dict[str, Rows]]]:
    """The parts with rows for this rank, and which rows of theirs are which of its own; collective."""
    comm, kinds, ranks = places.comm, found.state["kinds"], found.state["ranks"]
    mine = found.folder / f"part-{comm.rank}.npz"
    same = False
    if ranks == comm.size:
        with np.load(mine, allow_pickle=False) as part:
            same = all(np.array_equal(part[kind], places.of(kind)) for kind in kinds)
    if comm.allreduce(same, op=MPI.LAND):
        with np.load(mine, allow_pickle=False) as part:
            yield part, {kind: (np.arange(len(places.of(kind))),) * 2 for kind in kinds}
        return
    for rank in range(ranks):
        with np.load(found.folder / f"part-{rank}.npz", allow_pickle=False) as part:
            yield part, {kind: matched(part[kind], places.of(kind)) for kind in kinds}


def _arrays(saved: Saved, where: str = "") -> Iterator[tuple[str, NDArray[Any]]]:
    """All arrays by kind and path."""
    for kind, arrays in zip(KINDS, (saved.nodes, saved.cells), strict=True):
        yield from ((f"{kind}/{where}{name}", values) for name, values in arrays.items())
    yield from itertools.chain.from_iterable(_arrays(part, f"{where}{name}/") for name, part in saved.parts.items())


def _tree(saved: Saved) -> dict[str, Any]:
    """What is not in arrays."""
    return {"plain": saved.plain, "parts": {name: _tree(part) for name, part in saved.parts.items()}}


def _grown(tree: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], where: str = "") -> Saved:
    """Plain content and arrays put together again."""
    own = {kind: {} for kind in KINDS}  # type: dict[str, dict[str, NDArray[Any]]]
    for kind in KINDS:
        start = f"{kind}/{where}"
        own[kind] = {n.removeprefix(start): a for n, a in arrays.items() if n.startswith(start) and "/" not in n[len(start) :]}
    parts = {name: _grown(part, arrays, f"{where}{name}/") for name, part in tree["parts"].items()}
    return Saved(tree["plain"], own["nodes"], own["cells"], parts)
