"""What a case needs of its mesh: volumes as declared, and cells small enough for the temperatures that it judges."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanowarm.case import Case
from nanowarm.errors import MeshError
from nanowarm.meshing.mesh_checks import RawMesh
from nanowarm.meshing.mesh_request import RECIPES
from nanowarm.meshing.quality import Shapes
from nanowarm.meshing.recipe_text import read_script
from nanowarm.meshing.recipes import declared_parameters, length_unit, parameter_values
from nanowarm.meshing.thickness import Thickness, thicknesses
from nanowarm.physics.materials import Medium
from nanowarm.quantity import convert
from nanowarm.sections import RegionInput

Array = NDArray[np.float64]
Range = tuple[float, float]

VOLUME_OFF = 0.01  # of a declared volume
ENDLESS = 600.0  # [s] that a stage without duration counts as
FEWEST_IN_BODY = 6.0  # cells across the body: linear ones are off by 1/6^2, 3 % of what temperature varies inside
FEWEST_IN_LAYER = 3.0  # cells across a filling that is a small part of it, which holds a small part of what varies
_VOLUME_LINE = re.compile(r"^\s*//\s*volume\s*[:=]\s*(.+?)\s*$", re.MULTILINE | re.IGNORECASE)


def millilitres(volume: float) -> str:
    """A volume [m3] as people read it."""
    return f"{1e6 * volume:.4g} mL"


@dataclass(frozen=True)
class Declared:
    """A volume that the case or its recipe promises.

    Args:
        key: of the case, where it is said.
        regions: whose volumes add up to it.
        volume: as declared [m3].
        found: in the mesh [m3].
    """

    key: str
    regions: tuple[str, ...]
    volume: float
    found: float

    @property
    def excess(self) -> float:
        """What the mesh has too much, over the declared volume."""
        return self.found / self.volume - 1.0

    def line(self) -> str:
        """What is declared, beside what there is."""
        off = f"{' + '.join(self.regions)}: {millilitres(self.found)} in the mesh, {100 * self.excess:+.1f} %"
        return f"{self.key}: {millilitres(self.volume)} is declared for {off}"


@dataclass(frozen=True)
class Filling:
    """Regions that are filled alike, so that temperature knows no border between them.

    Args:
        regions: their names.
        edge: mean edge length [m] of their cells in the run.
        thin: thickness of their thin parts, and the cells across in the run.
        fewest: cells that should lie across.
        active: whether particles or currents heat them or a criterion judges them: only there does temperature
            bend inside a thin layer, through any other heat passes evenly and one cell is enough.
        time: [s] in which their temperature changes, see `demand`.
        length: how far heat spreads in that time [m]: sqrt(a t), with the diffusivity a of the mean
            conductivity and the mean capacity over the temperatures that matter.
    """

    regions: tuple[str, ...]
    edge: float
    thin: Thickness
    fewest: float
    active: bool
    time: float
    length: float


def declared_volumes(case: Case, volumes: Mapping[str, float]) -> tuple[Declared, ...]:
    """Volumes that the recipe or the case declares, beside those of the mesh [m3] by region."""
    found = [*_of_recipe(case, volumes)]
    for name, region in case.input.regions.items():
        if region.volume is not None and name in volumes:
            found.append(Declared(f"regions.{name}.volume", (name,), region.volume, volumes[name]))
    return tuple(found)


def volume_notes(case: Case, volumes: Mapping[str, float]) -> list[str]:
    """Lines on regions whose volume [m3] in the mesh is not the declared one."""
    off = [declared for declared in declared_volumes(case, volumes) if abs(declared.excess) > VOLUME_OFF]
    return [declared.line() for declared in off]


def _of_recipe(case: Case, volumes: Mapping[str, float]) -> Iterator[Declared]:
    """What a recipe's comment line `// volume: cortex + medulla` says of its parameter `volume`."""
    file = next(iter(case.input.mesh.paths(case.folder).values()))
    if file.suffix.lower() not in RECIPES:
        return
    line = _VOLUME_LINE.search(read_script(file).text)
    if line is None:
        return
    if "volume" not in declared_parameters(file):
        raise MeshError(f'{file}: "// volume: {line[1]}" needs a parameter volume; declare it with DefineConstant')
    value = recipe_volume(case)
    names = [case.input.mesh.names.get(name.strip(), name.strip()) for name in line[1].split("+")]
    regions = tuple(name for name in dict.fromkeys(names) if name in volumes)
    if value and regions:
        yield Declared("mesh.parameters.volume", regions, value, sum(volumes[name] for name in regions))


def recipe_volume(case: Case) -> float | None:
    """The parameter `volume` of the case's recipe [m3]; None where it is computed."""
    file = next(iter(case.input.mesh.paths(case.folder).values()))
    parameter = declared_parameters(file)["volume"]
    value = parameter_values(file, case.input.mesh.parameters).get("volume", parameter.default)
    return None if value is None else value * convert(f"1 {parameter.unit or f'{length_unit(file)}^3'}", "m^3")


def fillings(case: Case, mesh: RawMesh, shapes: Shapes) -> tuple[Filling, ...]:
    """The mesh divided by what the case fills it with; regions that the case does not name are left out."""
    kinds: list[RegionInput] = []
    number = np.full(len(mesh.region_names), -1)
    for place, name in enumerate(mesh.region_names):
        if name in case.input.regions:
            kind = case.input.regions[name].model_copy(update={"volume": None})
            kinds += [] if kind in kinds else [kind]
            number[place] = kinds.index(kind)
    thin = thicknesses(mesh, shapes.edge, number)
    body = thicknesses(mesh, shapes.edge, np.minimum(number, 0))
    found = []
    for i in range(len(kinds)):
        regions = tuple(name for name, of in zip(mesh.region_names, number, strict=True) if of == i)
        edge = float(shapes.edge[number[mesh.cell_region] == i].mean())
        found.append(_filling(case, regions, (edge, thin[i]), body[0].length))
    return tuple(found)


def _filling(case: Case, regions: tuple[str, ...], cells: tuple[float, Thickness], body: float) -> Filling:
    """Regions filled alike, from the mean edge of their cells before refinement, their and the body's thickness."""
    halved = 0.5**case.input.mesh.refine
    edge, thin = cells
    time, (low, high) = demand(case, regions)
    return Filling(
        regions=regions,
        edge=edge * halved,
        thin=Thickness(thin.length, thin.across / halved),
        fewest=max(FEWEST_IN_LAYER, FEWEST_IN_BODY * thin.length / body),
        active=_is_active(case, regions),
        time=time,
        length=math.sqrt(diffusivity(case.regions[regions[0]].medium, low, high) * time),
    )


def _is_active(case: Case, regions: tuple[str, ...]) -> bool:
    sections = [case.input.regions[name] for name in regions]
    judged = {criterion.region for criterion in case.input.criteria}
    return any(section.particles or section.eddy for section in sections) or not judged.isdisjoint(regions)


def diffusivity(medium: Medium, low: float, high: float) -> float:
    """Mean conductivity over mean capacity between two temperatures [m2/s].

    Means, because the smallest value would be that at the peak of a melting heat, however narrow.
    """
    conducted = medium.conductivity_potential(high) - medium.conductivity_potential(low)
    return float(conducted / (medium.enthalpy(high) - medium.enthalpy(low)))


def demand(case: Case, regions: tuple[str, ...]) -> tuple[float, Range]:
    """The shortest time [s] in which the temperatures change that a verdict hangs on, and between which [K].

    Where rates are judged: the width of the window over the rate asked, of the criteria on these regions or else
    on any. Otherwise the whole protocol, from the initial temperature to those of the criteria.
    """
    rates = list(_rates(case))
    mine = [(time, window) for region, time, window in rates if region in regions]
    if mine or rates:
        return min(mine or [(time, window) for _, time, window in rates])
    limits = [case.input.initial.temperature, *_limits(case)]
    low, high = min(limits), max(limits)
    return protocol_time(case), (low, high) if low < high else (low - 0.5, high + 0.5)


def protocol_time(case: Case) -> float:
    """Length [s] of all stages; one without duration, or a steady one, counts as ten minutes."""
    return sum(ENDLESS if stage.steady or math.isinf(stage.duration) else stage.duration for stage in case.stages)


def _rates(case: Case) -> Iterator[tuple[str, float, Range]]:
    """Region, time to pass the window at the rate asked, and the window of each criterion on a rate."""
    for criterion in case.input.criteria:
        if criterion.kind == "warming rate" or criterion.kind == "cooling rate":
            window = case.window(criterion.region, criterion.asked_window())
            asked = criterion.at_least
            rate = case.critical_rate(criterion.region, criterion.needs_window) if asked == "critical" else asked
            if window is not None and 0.0 < rate < math.inf:
                yield criterion.region, (window[1] - window[0]) / rate, window


def _limits(case: Case) -> Iterator[float]:
    """Temperatures [K] of the criteria on temperature."""
    for criterion in case.input.criteria:
        if criterion.kind == "temperature":
            yield from (limit for limit in (criterion.at_most, criterion.at_least) if limit is not None)


def check_ranks(case: Case, ranks: int, cells: int) -> None:
    """Refuse more ranks than there are cells to give out.

    Raises:
        MeshError: says how many would do.
    """
    if ranks > cells:
        before = " before it is refined" if case.input.mesh.refine else ""
        raise MeshError(f"{case.path}: mesh: it has {cells} cells{before}, too few for {ranks} ranks; give -n {cells} at most")
