"""What every program of the benchmark shares: its command line, its observations, its one line of JSON."""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from problem import DURATION, HEIGHT, SAMPLE_STEP, TARGETS, VARIANTS, WINDOW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from problem import Array, VialMesh

DEFAULT_CACHE = Path(__file__).parent / "cache"


def arguments(description: str) -> argparse.Namespace:
    """The command line of a program: variant, mesh, mesh folder, time limit and output files."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--variant", choices=VARIANTS, default="B")
    parser.add_argument("--cells", choices=list(TARGETS), default="50k")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE, help="folder of the meshes")
    parser.add_argument("--time-limit", type=float, default=float("inf"), metavar="SECONDS",
                        help="stop solving after this and extrapolate the solve time")  # fmt: skip
    parser.add_argument("-o", "--output", type=Path, help="write the JSON here as well")
    parser.add_argument("--fields", type=Path, help="write history and nodal fields to this .npz")
    return parser.parse_args()


def slowest_between(cold: Array, cold_rate: Array, warm: Array, warm_rate: Array) -> Array:
    """Slowest rate inside WINDOW of nodes that warm from `cold` to `warm`, linear in between."""
    start, end = np.maximum(cold, WINDOW[0]), np.minimum(warm, WINDOW[1])
    slope = (warm_rate - cold_rate) / np.where(warm == cold, np.inf, warm - cold)
    slowest = cold_rate + np.minimum(slope * (start - cold), slope * (end - cold))
    return np.where(start < end, slowest, np.inf)


class Clock:
    """Wall time of each phase [s]; the imports are those since `started`."""

    def __init__(self, started: float) -> None:
        """Close the phase of imports."""
        self.seconds = {"import": time.perf_counter() - started}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time the block as phase `name`."""
        start = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - start


class Observations:
    """Minimum, maximum, mean each second and, per node, the slowest warming rate in the window.

    Rates are differences of samples one second apart, each taken as the derivative at the mean of its two
    temperatures and linear in temperature between these; so the ends of the window are met exactly.
    """

    def __init__(self, nodal_volumes: Array, initial: Array, time_limit: float) -> None:
        """Start with the temperature `initial` [degC]; `nodal_volumes` [m3] weigh the mean."""
        self.weights = nodal_volumes / nodal_volumes.sum()
        self.previous = initial.copy()
        self.middle, self.rate = initial.copy(), np.zeros_like(initial)
        self.slowest = np.full(len(initial), np.inf)
        self.history = [self._sample(initial)]
        self.deadline = time.perf_counter() + time_limit

    def _sample(self, temperature: Array) -> tuple[float, float, float]:
        return float(temperature.min()), float(temperature.max()), float(self.weights @ temperature)

    def add(self, temperature: Array) -> bool:
        """Record the next second; True when the time limit asks to stop."""
        self.history.append(self._sample(temperature))
        before, now = self.history[-2:]
        middle, rate = 0.5 * (temperature + self.previous), (temperature - self.previous) / SAMPLE_STEP
        if now[1] > WINDOW[0] and before[0] < WINDOW[1] + 2.0 * rate.max() * SAMPLE_STEP:
            slowest = slowest_between(self.middle, self.rate, middle, rate)
            np.minimum(self.slowest, slowest, out=self.slowest)
        self.middle, self.rate = middle, rate
        self.previous[:] = temperature
        return time.perf_counter() > self.deadline

    def reorder(self, order: NDArray[np.int64]) -> None:
        """Put nodal results in the order of the mesh arrays: node i is the program's unknown `order[i]`."""
        self.previous = self.previous[order]
        self.slowest = self.slowest[order]


def result(program: str, variant: str, clock: Clock, seen: Observations, vial: VialMesh) -> dict:
    """The numbers of one run. A run cut short has its solve time extrapolated and no temperatures."""
    done = len(seen.history) - 1
    complete = done == DURATION
    seconds = dict(clock.seconds)
    if not complete:
        seconds["solve"] *= DURATION / done
    centre = np.argmin(np.linalg.norm(vial.points - [0.0, 0.0, HEIGHT / 2], axis=1))
    minimum, maximum, mean = seen.history[-1] if complete else (None, None, None)
    return {
        "program": program,
        "variant": variant,
        "cells": len(vial.cells),
        "nodes": len(vial.points),
        "seconds": {name: round(value, 4) for name, value in seconds.items()},
        "peak_MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "slowest_rate_K_per_s": float(seen.slowest.min()) if complete else None,
        "centre_slowest_rate_K_per_s": float(seen.slowest[centre]) if complete else None,
        "min_degC": minimum,
        "max_degC": maximum,
        "mean_degC": mean,
        "centre_degC": float(seen.previous[centre]) if complete else None,
        "steps": done,
        "extrapolated": not complete,
    }


def report(numbers: dict, seen: Observations, points: Array, options: argparse.Namespace) -> None:
    """Print `numbers` as one line of JSON; write the files that were asked for."""
    line = json.dumps(numbers)
    sys.stdout.write(line + "\n")
    if options.output:
        options.output.write_text(line + "\n")
    if options.fields:
        np.savez(options.fields, points=points, temperature=seen.previous, slowest_rate=seen.slowest,
                 history=np.array(seen.history))  # fmt: skip
