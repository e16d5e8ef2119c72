"""What can be found out about a case without solving it: its mesh, its limits, and what a run will cost."""

from __future__ import annotations

import math
import resource
import time as clock
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nanowarm.case import Case, check_names
from nanowarm.mesh_needs import ENDLESS, protocol_time
from nanowarm.mesh_report import MeshReport, report_json
from nanowarm.physics.fields import BREZOVICH_LIMIT, HERGT_LIMIT, AnyField
from nanowarm.physics.protocol import Stage
from nanowarm.quantity import ZERO_CELSIUS
from nanowarm.results.mesh_picture import PICTURES, draw_mesh
from nanowarm.results.run_folder import write_json

if TYPE_CHECKING:
    from nanowarm.meshing.raw_mesh import MadeMesh
    from nanowarm.numerics.heat import HeatEquation
    from nanowarm.numerics.operators import Operators

Array = NDArray[np.float64]

TYPICAL_STEPS = 50  # per stage, at the default tolerance (hpc/benchmarks)
LONGEST_TYPICAL_STEP = 10.0  # [s]
FIELD_LIMITS = {"Atkinson-Brezovich (4.85e8)": BREZOVICH_LIMIT, "Hergt-Dutz (5e9)": HERGT_LIMIT}  # [A/m/s]


@dataclass(frozen=True)
class Forecast:
    """What a run of a case will be like.

    Args:
        stiffness: bound on the eigenvalues at the initial state [1/s].
        steps: time steps.
        step: length of one [s].
        stages: evaluations of the right-hand side in each.
        seconds: wall time of the solve phase on one core [s].
        memory_mb: peak memory [MB].
        warnings: what may make the answer wrong, but for the mesh.
    """

    cells: int
    nodes: int
    stiffness: float
    steps: int
    step: float
    stages: float
    seconds: float
    memory_mb: float
    warnings: tuple[str, ...]

    def stiffness_line(self) -> str:
        """The bound on the eigenvalues and what it makes of a step: the root of 1 + step bound / 0.653 stages."""
        return f"eigenvalues up to {self.stiffness:.3g} 1/s: about {self.stages:.0f} stages to a step of {self.step:.2g} s"


def forecast(case: Case, made: MadeMesh) -> Forecast:
    """Set up a case without solving it and measure one evaluation of its right-hand side.

    Args:
        case: the case.
        made: its mesh.

    Raises:
        CaseError, MeshError: the case can't be run.
    """
    from nanowarm.numerics.mesh import distribute
    from nanowarm.numerics.observers import Observers
    from nanowarm.numerics.operators import assemble
    from nanowarm.numerics.setup import equip
    from nanowarm.numerics.stack import MPI

    mesh = distribute(made.mesh, MPI.COMM_SELF, case.input.mesh.refine)
    check_names(case, mesh.region_names, mesh.surface_names)
    operators = assemble(mesh)
    equipped = equip(case, operators)
    heat = equipped.heat
    Observers(case, equipped)  # finds probes outside the mesh
    each = _seconds_of_rate(case, heat)
    stiffness = heat.spectral_radius(0.0)
    steps, evaluations = _work(case, stiffness)
    return Forecast(
        cells=mesh.cell_count(),
        nodes=operators.layout.owned,
        stiffness=stiffness,
        steps=steps,
        step=protocol_time(case) / steps,
        stages=evaluations / steps,
        seconds=evaluations * each * 1.5,  # half as much again for the observers
        memory_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
        warnings=(*equipped.notes, *_warnings(case, operators)),
    )


def _seconds_of_rate(case: Case, heat: HeatEquation) -> float:
    """Wall time [s] of one evaluation of the right-hand side at the initial state, in which the equation stays."""
    state = heat.initial_state(case.input.initial.temperature)
    heat.begin(case.stages[0], 0.0, state)
    rate = np.empty_like(state)
    heat.rate(0.0, state, rate)
    start = clock.perf_counter()
    for _ in range(3):
        heat.rate(0.0, state, rate)
    return (clock.perf_counter() - start) / 3


def _work(case: Case, stiffness: float) -> tuple[int, int]:
    """Steps and evaluations of the right-hand side; a stage without duration counts as ten minutes."""
    steps = evaluations = 0
    for stage in case.stages:
        duration = ENDLESS if math.isinf(stage.duration) else stage.duration
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
        what = f"H f = {product:.3g} A/(m s) is above the {limits} limit for patients (no matter for a banked organ)"
        found.append(f"stages.{stage.name}.field: {what}")
    return found


def serial_mesh(case: Case) -> MadeMesh:
    """The mesh of a case, made or from the cache.

    Raises:
        MeshError: the geometry can't be used.
    """
    from nanowarm.meshing.raw_mesh import make_mesh

    return make_mesh(case.input.mesh, case.folder)


def save_mesh(report: MeshReport, folder: Path, cost: Forecast | None = None) -> list[str]:
    """Write a mesh, its numbers and pictures of it into a folder; what was done, in lines.

    Args:
        report: the mesh and how good it is; regions and surfaces are numbered from 1 in `mesh.json`.
        folder: that it goes into.
        cost: what a run on it will be like, where that is known.
    """
    import meshio

    mesh, shapes = report.mesh, report.shapes
    data = {"region": [mesh.cell_region.astype(np.int32) + 1], "quality": [shapes.quality]}
    meshio.Mesh(mesh.points, [("tetra", mesh.cells)], cell_data=data).write(folder / "mesh.vtu")
    surface = {"surface": [mesh.facet_surface.astype(np.int32) + 1]}
    meshio.Mesh(mesh.points, [("triangle", mesh.facets)], cell_data=surface).write(folder / "surfaces.vtu")
    known = {} if cost is None else {"spectral_radius_per_s": cost.stiffness, "stages_per_step": cost.stages, "step_s": cost.step}
    write_json(folder / "mesh.json", report_json(report) | known)
    reasons = draw_mesh(folder)
    drawn = [f"wrote {folder / name}" for name in PICTURES if (folder / name).is_file()]
    return [*(f"wrote {folder / name}" for name in ("mesh.vtu", "surfaces.vtu", "mesh.json")), *drawn, *reasons]
