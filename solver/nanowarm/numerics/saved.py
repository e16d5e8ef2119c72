"""What a part of a run keeps, so that a run that was broken off can go on, on any number of ranks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nanowarm.numerics.stack import MPI
from nanowarm.results.evidence import PeakEvidence


@dataclass(frozen=True, eq=False)
class Saved:
    """The state of one part of a run.

    Args:
        plain: what JSON can hold; the same on all ranks.
        nodes: arrays with a row for each own node.
        cells: arrays with a row for each own cell.
        parts: the states of what it consists of.
    """

    plain: dict[str, Any] = field(default_factory=dict)
    nodes: dict[str, NDArray[Any]] = field(default_factory=dict)
    cells: dict[str, NDArray[Any]] = field(default_factory=dict)
    parts: dict[str, Saved] = field(default_factory=dict)


class Follower(Protocol):
    """What keeps something from step to step."""

    def saved(self) -> Saved:
        """All that it needs to go on; collective."""

    def restore(self, saved: Saved) -> None:
        """Go on from what was saved, perhaps on other ranks; collective."""


def all_saved(followers: Mapping[str, Follower]) -> Saved:
    """The states of several followers; collective."""
    return Saved(parts={name: follower.saved() for name, follower in followers.items()})


def restore_all(followers: Mapping[str, Follower], saved: Saved) -> None:
    """Let several followers go on; collective."""
    for name, follower in followers.items():
        follower.restore(saved.parts[name])


def total(comm: MPI.Intracomm, mine: NDArray[np.float64]) -> list[float]:
    """Sums over all ranks of numbers that every rank counts for itself; collective."""
    return [float(value) for value in comm.allreduce(np.asarray(mine, dtype=float))]


def share(comm: MPI.Intracomm, everything: list[float]) -> NDArray[np.float64]:
    """The numbers from which this rank counts on: all on the first one, none elsewhere."""
    return np.array(everything) if comm.rank == 0 else np.zeros(len(everything))


def spread_out(rows: NDArray[Any], where: NDArray[Any] | slice, size: int) -> NDArray[Any]:
    """Rows of some of the own nodes among those of all, shape (size, ...); zero elsewhere."""
    found = np.zeros((size, *rows.shape[1:]), dtype=rows.dtype)
    found[where] = rows
    return found


def as_list(peak: PeakEvidence) -> list[Any]:
    """A peak as JSON can hold it."""
    return [None if peak.value is None else float(peak.value), float(peak.time), [float(x) for x in peak.position]]


def as_peak(given: list[Any]) -> PeakEvidence:
    """A peak from what `as_list` made of it."""
    value, time, position = given
    return PeakEvidence(value, time, tuple(position))
