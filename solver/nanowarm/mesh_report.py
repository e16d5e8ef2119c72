"""What a user is told of a mesh: numbers, warnings with what to do, and the same for machines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nanowarm.case import Case
from nanowarm.mesh_needs import VOLUME_OFF, Declared, Filling, declared_volumes, fillings, millilitres
from nanowarm.meshing.mesh_checks import RawMesh
from nanowarm.meshing.mesh_request import kind_of
from nanowarm.meshing.quality import DEAREST_STEP, WORST_QUALITY, MeshQuality, RegionQuality, Shapes, cell_shapes, mesh_quality
from nanowarm.meshing.raw_mesh import MadeMesh
from nanowarm.model import joined_key

SCHEMA = 1  # of mesh.json
# Cells to a diffusion length. Of vial-50mL-bath the part above the critical rate is 29 % at 0.8 cells, 19 % at 1.3,
# 16 % at 1.8 and 14 % at 2.5; the lowest rate differs by 3 %.
FEWEST_SPREAD = 3.0
LONGER = 1.4  # mean edge over the size asked, of Gmsh's cells far from surfaces: 1.2 to 1.4 in the shipped cases
ANOTHER = 0.8  # of the present size, where only another one is wanted


@dataclass(frozen=True, eq=False)
class MeshReport:
    """A mesh and how good it is for a case.

    Args:
        case: that it is made for.
        made: the mesh.
        shapes: of its cells.
        quality: in numbers.
        declared: volumes promised.
        fillings: the mesh by what the case fills it with.
    """

    case: Case
    made: MadeMesh
    shapes: Shapes
    quality: MeshQuality
    declared: tuple[Declared, ...]
    fillings: tuple[Filling, ...]

    @property
    def mesh(self) -> RawMesh:
        """The serial mesh."""
        return self.made.mesh


def mesh_report(case: Case, made: MadeMesh) -> MeshReport:
    """How good a mesh is for a case; names of the case that the mesh lacks, and the other way round, are no matter.

    Raises:
        MeshError: the recipe's line on volumes can't be used.
    """
    shapes = cell_shapes(made.mesh)
    quality = mesh_quality(made.mesh, shapes)
    return MeshReport(case, made, shapes, quality, declared_volumes(case, quality.volumes), fillings(case, made.mesh, shapes))


def report_lines(report: MeshReport) -> list[str]:
    """What `nanowarm mesh` prints."""
    made, quality, refine = report.made, report.quality, report.case.input.mesh.refine
    lines = [f"{quality.cells} tetrahedra, {quality.nodes} nodes, {'from the cache' if made.cached else 'made now'}"]
    if refine:
        lines.append(f"refine = {refine}: a run divides each of them into {8**refine}, its edges into {2**refine}")
    steps = [f"{name} {seconds:.2f} s (peak {memory:.0f} MB)" for name, seconds, memory in made.steps]
    lines += [f"steps of making it: {', '.join(steps)}"] if steps else []
    lines += [f"note: {note}" for note in made.notes]
    lines += [_region_line(region) for region in quality.regions]
    lines += [
        f"{' + '.join(d.regions)}: {millilitres(d.found)}, declared {millilitres(d.volume)} ({100 * d.excess:+.2f} %)"
        for d in report.declared
    ]
    lines.append(f"surfaces: {', '.join(report.mesh.surface_names)}")
    shortest, mean, longest = (1e3 * edge for edge in quality.edges)
    lines.append(f"edges: {shortest:.3g} to {longest:.3g} mm, mean {mean:.3g} mm")
    worst = min(quality.regions, key=lambda region: region.worst)
    first, fifth = quality.percentiles
    lines.append(
        f"quality (1 is regular): worst {worst.worst:.3f} in {worst.name} at {_place(worst.worst_at)}; "
        f"1 % of the cells below {first:.2f}, 5 % below {fifth:.2f}"
    )
    dearest = max(quality.regions, key=lambda region: region.step_cost)
    lines.append(f"step cost: {dearest.step_cost:.2f} times that of regular cells, from {_place(dearest.step_cost_at)}")
    return lines + [_filling_line(filling) for filling in report.fillings]


def _region_line(region: RegionQuality) -> str:
    thin = (
        "" if math.isnan(region.thin.length) else f", {region.thin.across:.1f} across its thin {1e3 * region.thin.length:.3g} mm"
    )
    return (
        f"region {region.name}: {millilitres(region.volume)}, {region.cells} cells of mean edge {1e3 * region.edge:.3g} mm"
        f"{thin}, worst quality {region.worst:.3f}"
    )


def _filling_line(filling: Filling) -> str:
    return (
        f"diffusion in {' + '.join(filling.regions)}: {1e3 * filling.length:.3g} mm in {filling.time:.3g} s, "
        f"{filling.length / filling.edge:.1f} cells"
    )


def mesh_warnings(report: MeshReport) -> list[str]:
    """What may make the answer wrong or dear, with what to do about it."""
    return [
        *(_volume_warning(report, declared) for declared in report.declared if abs(declared.excess) > VOLUME_OFF),
        *_shape_warnings(report),
        *_coarse_warnings(report),
    ]


def _volume_warning(report: MeshReport, declared: Declared) -> str:
    line = declared.line()
    if -0.1 < declared.excess < 0.0 and _kind(report.case) == "geometry":  # as chords cut off from curved surfaces
        edge = max(region.edge for region in report.quality.regions if region.name in declared.regions)
        shrunk = math.sqrt(0.5 * VOLUME_OFF / -declared.excess)  # what chords cut off goes with the square of the edge
        return f"{line}; {_finer(report, declared.regions, edge * shrunk)} may follow its surface closer"
    return f"{line}; correct the volume that is declared, or the geometry and its unit"


def _shape_warnings(report: MeshReport) -> list[str]:
    found = []
    for region in report.quality.regions:
        another = "improve the cells there in the program that made the mesh"
        if _kind(report.case) != "mesh":
            finer = _finer(report, (region.name,), ANOTHER * region.edge)
            another = f"another size, such as {finer}, or a smoother geometry there may avoid it"
        if region.worst < WORST_QUALITY:
            found.append(
                f"mesh: the worst cell of {region.name} has a quality of {region.worst:.2g} (regular: 1) "
                f"at {_place(region.worst_at)}; {another}"
            )
        if region.step_cost > DEAREST_STEP:
            found.append(
                f"mesh: flat cells of {region.name} at {_place(region.step_cost_at)} "
                f"make each step {region.step_cost:.1f} times as dear; {another}"
            )
    return found


def _coarse_warnings(report: MeshReport) -> list[str]:
    """Fillings with too few cells across, or to a diffusion length: whichever asks for the smaller ones."""
    found = []
    for filling in report.fillings:
        where, thin, needs = " + ".join(filling.regions), filling.thin, []
        if filling.length < FEWEST_SPREAD * filling.edge:
            line = f"{filling.length / filling.edge:.1f} cells to the {1e3 * filling.length:.2g} mm that heat spreads in {where}"
            fewer = f"in {filling.time:.3g} s, fewer than {FEWEST_SPREAD:g}"
            needs.append((filling.length / FEWEST_SPREAD, f"{line} {fewer}"))
        if filling.active and thin.across < filling.fewest:
            line = f"{thin.across:.1f} cells across {where} where it is thin ({1e3 * thin.length:.2g} mm)"
            needs.append((filling.edge * thin.across / filling.fewest, f"{line}, fewer than {filling.fewest:.2g}"))
        if needs:
            wanted, line = min(needs)
            finer = _finer(report, filling.regions, wanted)
            found.append(f"mesh: {line}: rates may be off; {finer} would help")
    return found


def _finer(report: MeshReport, regions: Sequence[str], wanted: float) -> str:
    """The keys of the section [mesh] that would give regions cells of a wanted edge [m] in the run."""
    given, mesh = report.case.input.mesh, report.mesh
    chosen = [region for region in report.quality.regions if region.name in regions]
    edge = sum(region.edge * region.cells for region in chosen) / sum(region.cells for region in chosen)
    if _kind(report.case) == "mesh":
        return f"refine = {max(given.refine + 1, math.ceil(math.log2(edge / wanted)))}"
    wanted *= 2.0**given.refine
    old = [name for region in regions for name in [o for o, new in given.names.items() if new == region] or [region]]
    asked = min(given.sizes.get(name, given.size or math.inf) for name in old)
    size = f'"{1e3 * wanted / max(LONGER, edge / asked):.2g} mm"'
    if set(regions) == set(mesh.region_names):
        return f"size = {size}"
    return f"sizes = {{ {', '.join(f'{joined_key(name)} = {size}' for name in old)} }}"  # by the names of the file


def _kind(case: Case) -> str:
    """What the geometry is: "geometry", "surfaces", "labels" or "mesh"."""
    return kind_of(next(iter(case.input.mesh.paths(case.folder).values())))


def _place(point: Sequence[float]) -> str:
    return f"({', '.join(f'{1e3 * x:.3g}' for x in point)}) mm"


def report_json(report: MeshReport) -> dict[str, Any]:
    """Content of `mesh.json`."""
    made, quality = report.made, report.quality
    return {
        "schema": SCHEMA,
        "cells": quality.cells,
        "nodes": quality.nodes,
        "refine": report.case.input.mesh.refine,
        "digest": made.digest,
        "from_cache": made.cached,
        "edges_mm": dict(zip(("shortest", "mean", "longest"), (1e3 * edge for edge in quality.edges), strict=True)),
        "quality": {"worst": quality.worst, "percentile_1": quality.percentiles[0], "percentile_5": quality.percentiles[1]},
        "step_cost": quality.step_cost,
        "regions": {region.name: _region_json(number, region) for number, region in enumerate(quality.regions, 1)},
        "surfaces": {name: {"number": number} for number, name in enumerate(report.mesh.surface_names, 1)},
        "declared": [
            {"key": d.key, "regions": d.regions, "volume_mL": 1e6 * d.volume, "found_mL": 1e6 * d.found} for d in report.declared
        ],
        "fillings": [_filling_json(filling) for filling in report.fillings],
        "steps": [{"name": name, "seconds": seconds, "peak_MB": memory} for name, seconds, memory in made.steps],
        "notes": list(made.notes),
        "warnings": mesh_warnings(report),
    }


def _region_json(number: int, region: RegionQuality) -> dict[str, Any]:
    return {
        "number": number,
        "cells": region.cells,
        "volume_mL": 1e6 * region.volume,
        "mean_edge_mm": 1e3 * region.edge,
        "worst_quality": region.worst,
        "worst_at_mm": [1e3 * x for x in region.worst_at],
        "step_cost": region.step_cost,
        "step_cost_at_mm": [1e3 * x for x in region.step_cost_at],
        "thin_mm": _finite(1e3 * region.thin.length),
        "cells_across_thin": _finite(region.thin.across),
    }


def _filling_json(filling: Filling) -> dict[str, Any]:
    return {
        "regions": filling.regions,
        "time_s": filling.time,
        "diffusion_length_mm": 1e3 * filling.length,
        "cells_to_diffusion_length": filling.length / filling.edge,
        "thin_mm": _finite(1e3 * filling.thin.length),
        "cells_across_thin": _finite(filling.thin.across),
        "cells_across_wanted": _finite(filling.fewest),
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
