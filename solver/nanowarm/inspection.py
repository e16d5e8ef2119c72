"""What can be found out about a case without solving it: its mesh, its limits, and what a run will cost."""

from __future__ import annotations

import math
import resource
import time as clock
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nanowarm.case import Case
from nanowarm.physics.fields import BREZOVICH_LIMIT, HERGT_LIMIT, AnyField
from nanowarm.physics.protocol import Stage
from nanowarm.pipeline import build_mesh
from nanowarm.quantity import ZERO_CELSIUS
from nanowarm.results.picture import draw_in_process

if TYPE_CHECKING:
    from nanowarm.numerics.operators import Operators
    from nanowarm.numerics.raw_mesh import RawMesh

Array = NDArray[np.float64]

TYPICAL_STEPS = 50  # per stage, at the default tolerance (hpc/benchmarks)
LONGEST_TYPICAL_STEP = 10.0  # [s]
FIELD_LIMITS = {"Atkinson-Brezovich (4.85e8)": BREZOVICH_LIMIT, "Hergt-Dutz (5e9)": HERGT_LIMIT}  # [A/m/s]
FEWEST_ACROSS = 5  # cells between the middle of a region and its surface, below which rates are off by per cents


@dataclass(frozen=True)
class MeshQuality:
    """Size and shape of the cells.

    Args:
        volumes: [m3] of each region.
        edges: shortest, mean and longest edge [m].
        worst, percentile: three times the inscribed over the circumscribed radius, 1 for a regular
            tetrahedron: the worst cell's and the lowest per cent's.
    """

    cells: int
    nodes: int
    volumes: Mapping[str, float]
    edges: tuple[float, float, float]
    worst: float
    percentile: float


def mesh_quality(mesh: RawMesh) -> MeshQuality:
    """Size and shape of a serial mesh."""
    corner = mesh.points[mesh.cells]
    pairs = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
    edge = np.stack([np.linalg.norm(corner[:, a] - corner[:, b], axis=1) for a, b in pairs], axis=1)
    u, v, w = (corner[:, i] - corner[:, 0] for i in (1, 2, 3))
    volume = np.abs(np.einsum("ij,ij->i", np.cross(u, v), w)) / 6.0
    opposite = ((1, 2, 3), (0, 2, 3), (0, 1, 3), (0, 1, 2))
    area = sum(
        0.5 * np.linalg.norm(np.cross(corner[:, b] - corner[:, a], corner[:, c] - corner[:, a]), axis=1) for a, b, c in opposite
    )
    a, b, c = edge[:, 0] * edge[:, 5], edge[:, 1] * edge[:, 4], edge[:, 2] * edge[:, 3]  # products of opposite edges
    product = (a + b + c) * (a + b - c) * (a - b + c) * (-a + b + c)
    circumscribed = np.sqrt(np.maximum(product, 0.0)) / (24.0 * volume)  # Crelle's formula
    quality = 3.0 * (3.0 * volume / area) / circumscribed
    names = enumerate(mesh.region_names)
    return MeshQuality(
        cells=len(mesh.cells),
        nodes=len(mesh.points),
        volumes={name: float(volume[mesh.cell_region == number].sum()) for number, name in names},
        edges=(float(edge.min()), float(edge.mean()), float(edge.max())),
        worst=float(quality.min()),
        percentile=float(np.percentile(quality, 1)),
    )


@dataclass(frozen=True)
class Forecast:
    """What a run of a case will be like.

    Args:
        stiffness: bound on the eigenvalues at the initial state [1/s].
        steps: time steps.
        seconds: wall time of the solve phase on one core [s].
        memory_mb: peak memory [MB].
        warnings: what may make the answer wrong.
    """

    cells: int
    nodes: int
    stiffness: float
    steps: int
    seconds: float
    memory_mb: float
    warnings: tuple[str, ...]


def forecast(case: Case) -> Forecast:
    """Set up a case without solving it and measure one evaluation of its right-hand side.

    Raises:
        CaseError, MeshError: the case can't be run.
    """
    from nanowarm.numerics.observers import Observers
    from nanowarm.numerics.operators import assemble
    from nanowarm.numerics.setup import equip
    from nanowarm.numerics.stack import MPI

    mesh, _ = build_mesh(case, MPI.COMM_SELF)
    operators = assemble(mesh)
    equipped = equip(case, operators)
    heat = equipped.heat
    Observers(case, heat, equipped.iron)  # finds probes outside the mesh
    state = heat.initial_state(case.input.initial.temperature)
    heat.begin(case.stages[0], 0.0, state)
    rate = np.empty_like(state)
    heat.rate(0.0, state, rate)
    start = clock.perf_counter()
    for _ in range(3):
        heat.rate(0.0, state, rate)
    each = (clock.perf_counter() - start) / 3
    stiffness = heat.spectral_radius(0.0)
    steps, evaluations = _work(case, stiffness)
    return Forecast(
        cells=mesh.cell_count(),
        nodes=operators.layout.owned,
        stiffness=stiffness,
        steps=steps,
        seconds=evaluations * each * 1.5,  # half as much again for the observers
        memory_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
        warnings=(*equipped.notes, *_warnings(case, operators)),
    )


def _work(case: Case, stiffness: float) -> tuple[int, int]:
    """Steps and evaluations of the right-hand side; a stage without duration counts as ten minutes."""
    steps = evaluations = 0
    for stage in case.stages:
        duration = 600.0 if math.isinf(stage.duration) else stage.duration
        fixed = case.input.solver.step
        longest = min(case.input.solver.largest_step or math.inf, LONGEST_TYPICAL_STEP)
        count = max(1, math.ceil(duration / fixed)) if fixed else max(TYPICAL_STEPS, math.ceil(duration / longest))
        steps += count
        evaluations += count * max(2, math.ceil(math.sqrt(1.0 + duration / count * stiffness / 0.653)))
    return steps, evaluations


def _warnings(case: Case, operators: Operators) -> list[str]:
    found = [line for stage in case.stages for line in _field_warnings(stage, operators.position)]
    temperatures = [case.input.initial.temperature]
    for name, region in case.regions.items():
        curve = region.medium.capacity
        outside = [t for t in temperatures if curve.at.size > 1 and not curve.at[0] <= t <= curve.at[-1]]
        if outside:
            low, high = curve.at[[0, -1]] - ZERO_CELSIUS
            found.append(f"regions.{name}: {region.medium.name} is known from {low:g} to {high:g} degC only, constant outside")
    total_area = sum(float(area.sum()) for area in operators.surface_area.values())
    volume = sum(float(mass.sum()) for mass in operators.mass.values())
    depth, edge = 3.0 * volume / total_area, (volume / operators.mesh.cell_count() * 6.0 * math.sqrt(2.0)) ** (1.0 / 3.0)
    if depth / edge < FEWEST_ACROSS:
        wanted = 1e3 * depth / FEWEST_ACROSS
        found.append(
            f"mesh: about {depth / edge:.1f} cells between surface and middle; "
            f'rates may be off by per cents, size = "{wanted:.2g} mm" or refine = 1 would help'
        )
    return found


def _strongest(field: AnyField, position: Array) -> float:
    """Largest amplitude [A/m] that a field ever has in the body."""
    return field.largest() * float(field.shape(position).max(initial=0.0))


def _field_warnings(stage: Stage, position: Array) -> list[str]:
    found = []
    product = _strongest(stage.field, position) * stage.field.frequency
    above = [name for name, limit in FIELD_LIMITS.items() if product > limit]
    if above:
        limits = " and the ".join(above)
        what = f"H f = {product:.3g} A/(m s) is above the {limits} limit for patients; no matter for a banked organ"
        found.append(f"stages.{stage.name}.field: {what}")
    return found


def serial_mesh(case: Case) -> tuple[RawMesh, bool]:
    """The mesh of a case as made, and whether it came from the cache.

    Raises:
        MeshError: the geometry can't be used.
    """
    from nanowarm.numerics.raw_mesh import make_mesh

    made = make_mesh(case.input.mesh, case.folder)
    return made.mesh, made.cached


def save_mesh(mesh: RawMesh, folder: Path) -> list[str]:
    """Write a serial mesh with its regions to `mesh.vtu` and a picture of it; what was done, in lines."""
    import meshio

    file = folder / "mesh.vtu"
    data = {"region": [mesh.cell_region.astype(np.int32)]}
    meshio.Mesh(mesh.points, [("tetra", mesh.cells)], cell_data=data).write(file)
    reason = draw_in_process(folder)
    return [f"wrote {file}", reason or f"wrote {folder / 'picture.png'}"]
