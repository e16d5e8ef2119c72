"""An accurate solution of the vial, independent of every program of the benchmark: writes reference.json.

The vial is axisymmetric and symmetric about its middle plane, so radius and half height suffice. A
vertex-centred finite-volume scheme (second order; vertices on axis, middle plane, surface and edge; finer
towards the surface) is integrated in time by SciPy's variable-order BDF at a tight tolerance, on grids each
twice as fine as the one before, and extrapolated (Richardson). The change from the extrapolation of the
next coarser pair of grids is stored as the uncertainty.

    python hpc/benchmarks/reference.py            # about 5 minutes; --finest 160: half one
"""

from __future__ import annotations

import argparse
import json
import re
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from measurement import Observations, slowest_between
from problem import (
    AMBIENT,
    DENSITY,
    DURATION,
    HEAT_TRANSFER_COEFFICIENT,
    HEIGHT,
    INITIAL,
    PROPERTIES,
    RADIUS,
    VARIANTS,
    Array,
    Properties,
)
from scipy.integrate import BDF
from scipy.sparse import csc_array, csr_array, diags_array

RELATIVE_TOLERANCE = 1e-8
ABSOLUTE_TOLERANCE = 1e-6  # K
SUBSTEPS = 10  # per second, for the slowest rate as a derivative
GRIDS = (40, 80, 160, 320)  # intervals along the radius
OUTPUT = Path(__file__).parent / "reference.json"


@dataclass(frozen=True)
class HalfVial:
    """The finite-volume operators of radius x half height, nodes numbered radius fastest.

    Attributes:
        volumes: of the control volumes [m3], shape (nodes,).
        areas: of the vial's surface in each control volume [m2], shape (nodes,).
        low, high: the nodes on both sides of each face.
        conductances: area over distance of each face [m].
    """

    volumes: Array
    areas: Array
    low: np.ndarray
    high: np.ndarray
    conductances: Array


def graded(length: float, intervals: int) -> Array:
    """Vertices from 0 to `length`, smoothly finer towards `length` (4 times at the end)."""
    s = np.linspace(0.0, 1.0, intervals + 1)
    return length * (1.6 * s - 0.6 * s**2)


def half_vial(intervals: int) -> HalfVial:
    """The operators with `intervals` along the radius and 1.5 times as many along the half height."""
    r, z = graded(RADIUS, intervals), graded(HEIGHT / 2, 3 * intervals // 2)
    r_faces = np.concatenate([[0.0], (r[1:] + r[:-1]) / 2, [RADIUS]])
    z_faces = np.concatenate([[0.0], (z[1:] + z[:-1]) / 2, [HEIGHT / 2]])
    rings, heights = np.pi * np.diff(r_faces**2), np.diff(z_faces)
    areas = np.zeros((len(z), len(r)))
    areas[:, -1] += 2 * np.pi * RADIUS * heights
    areas[-1, :] += rings
    number = np.arange(areas.size).reshape(areas.shape)
    radial = heights[:, None] * (2 * np.pi * r_faces[1:-1] / np.diff(r))[None, :]
    axial = rings[None, :] / np.diff(z)[:, None]
    return HalfVial(
        volumes=np.outer(heights, rings).ravel(),
        areas=areas.ravel(),
        low=np.concatenate([number[:, :-1].ravel(), number[:-1].ravel()]),
        high=np.concatenate([number[:, 1:].ravel(), number[1:].ravel()]),
        conductances=np.concatenate([radial.ravel(), axial.ravel()]),
    )


class VialEquation:
    """dT/dt of every control volume [K/s] and its Jacobian."""

    def __init__(self, vial: HalfVial, properties: Properties) -> None:
        """Make the face differences of `vial` once."""
        self.vial, self.properties = vial, properties
        faces, nodes = len(vial.low), len(vial.volumes)
        signs = np.concatenate([-np.ones(faces), np.ones(faces)])
        rows = np.tile(np.arange(faces), 2)
        columns = np.concatenate([vial.low, vial.high])
        self.difference = csr_array((signs, (rows, columns)), shape=(faces, nodes))
        self.divergence = csr_array(self.difference.T)

    def face_conductances(self, temperature: Array) -> Array:
        """Conductivity at the mean temperature of both sides, times area over distance [W/K]."""
        mean = 0.5 * (temperature[self.vial.low] + temperature[self.vial.high])
        return self.vial.conductances * self.properties.conductivity(mean)

    def capacities(self, temperature: Array) -> Array:
        """Of every control volume [J/K]."""
        return self.vial.volumes * DENSITY * self.properties.heat_capacity(temperature)

    def rate(self, _time: float, temperature: Array) -> Array:
        """dT/dt [K/s]."""
        flows = self.face_conductances(temperature) * (self.difference @ temperature)
        power = (
            -(self.divergence @ flows)
            + self.vial.areas * HEAT_TRANSFER_COEFFICIENT * (AMBIENT - temperature)
            + self.vial.volumes * self.properties.heating(temperature)
        )
        return power / self.capacities(temperature)

    def jacobian(self, _time: float, temperature: Array) -> csc_array:
        """Of conduction and convection with properties held fixed: all that is stiff."""
        conduction = self.divergence @ diags_array(self.face_conductances(temperature)) @ self.difference
        convection = diags_array(self.vial.areas * HEAT_TRANSFER_COEFFICIENT)
        return csc_array(diags_array(-1.0 / self.capacities(temperature)) @ (conduction + convection))


def solve(variant: str, intervals: int) -> tuple[dict[str, float], Array]:
    """Final and slowest numbers, and minimum, maximum, mean, centre each second, shape (seconds + 1, 4)."""
    vial = half_vial(intervals)
    equation = VialEquation(vial, PROPERTIES[variant])
    initial = np.full(len(vial.volumes), INITIAL)
    seen = Observations(vial.volumes, initial, np.inf)
    centre, slowest = [INITIAL], np.full(len(initial), np.inf)
    before, before_rate = initial, equation.rate(0.0, initial)
    stepper = BDF(equation.rate, 0.0, initial, DURATION, rtol=RELATIVE_TOLERANCE, atol=ABSOLUTE_TOLERANCE,
                  jac=equation.jacobian)  # fmt: skip
    for sample in range(1, DURATION * SUBSTEPS + 1):
        now = sample / SUBSTEPS
        while stepper.t < now:
            stepper.step()
            dense = stepper.dense_output()
        temperature = dense(now)
        rate = equation.rate(now, temperature)
        slowest = np.minimum(slowest, slowest_between(before, before_rate, temperature, rate))
        before, before_rate = temperature, rate
        if sample % SUBSTEPS == 0:
            seen.add(temperature)
            centre.append(temperature[0])
    history = np.column_stack([np.array(seen.history), centre])
    minimum, maximum, mean, middle = history[-1].tolist()
    numbers = {
        "min_degC": minimum,
        "max_degC": maximum,
        "mean_degC": mean,
        "centre_degC": middle,
        "slowest_rate_K_per_s": float(slowest.min()),
        "centre_slowest_rate_K_per_s": float(slowest[0]),
    }
    return numbers, history


def reference(variant: str, grids: tuple[int, ...]) -> dict:
    """The numbers of `variant` on each grid, their extrapolation and its uncertainty."""
    runs, histories = [], []
    for intervals in grids:
        start = time.perf_counter()
        numbers, history = solve(variant, intervals)
        print(variant, intervals, f"{time.perf_counter() - start:.0f} s", numbers, flush=True)
        runs.append(numbers)
        histories.append(history)
    extrapolated = [{name: (4 * fine[name] - coarse[name]) / 3 for name in fine} for coarse, fine in pairwise(runs)]
    best, previous = extrapolated[-1], extrapolated[-2]
    history = (4 * histories[-1] - histories[-2]) / 3
    return {
        "values": best,
        "uncertainty": {name: abs(best[name] - previous[name]) for name in best},
        "grids": [{"intervals": n, **run} for n, run in zip(grids, runs, strict=True)],
        "history_columns": ["min_degC", "max_degC", "mean_degC", "centre_degC"],
        "history": np.round(history[::10], 5).tolist(),
        "history_step_s": 10,
    }


def main() -> None:
    """Write reference.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--finest", type=int, choices=GRIDS[2:], default=GRIDS[-1])
    parser.add_argument("-o", "--output", type=Path, default=OUTPUT)
    options = parser.parse_args()
    grids = tuple(n for n in GRIDS if n <= options.finest)
    content = {
        "made_by": "hpc/benchmarks/reference.py: axisymmetric finite volumes, SciPy BDF, Richardson",
        "relative_tolerance": RELATIVE_TOLERANCE,
        "absolute_tolerance_K": ABSOLUTE_TOLERANCE,
        "variants": {variant: reference(variant, grids) for variant in VARIANTS},
    }
    text = json.dumps(content, indent=1)
    rows = re.sub(r"\[\s+([-\d.,\s]+?)\s+\]", lambda row: "[" + " ".join(row[1].split()) + "]", text)
    options.output.write_text(rows + "\n")  # a row of numbers on one line


if __name__ == "__main__":
    main()
