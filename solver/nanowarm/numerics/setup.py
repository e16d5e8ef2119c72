"""A case and its assembled mesh put together: iron at the nodes, coils in their places, eddy currents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanowarm.case import Case
from nanowarm.errors import CaseError
from nanowarm.numerics.concentration import ConcentrationField, concentration_field
from nanowarm.numerics.eddy import eddy_heating
from nanowarm.numerics.heat import HeatEquation
from nanowarm.numerics.heating import EddySolve
from nanowarm.numerics.iron import IronField, nodal_iron
from nanowarm.numerics.operators import Integrals, Operators
from nanowarm.numerics.stack import MPI
from nanowarm.physics.equilibration import ASSUMPTIONS, equilibration_of
from nanowarm.physics.fields import AnyField

Array = NDArray[np.float64]

ROOM = 293.15  # [K]
REACH = 0.7  # of an edge: no point of a cell is farther from all its corners


@dataclass(frozen=True, eq=False)
class Equipped:
    """The heat equation of a case, and what went into it.

    Args:
        heat: the equation.
        iron: the iron of each region with particles.
        notes: what a user should know.
        strength: the concentration of each region that is not at full strength.
    """

    heat: HeatEquation
    iron: dict[str, IronField]
    notes: tuple[str, ...]
    strength: dict[str, ConcentrationField]

    def lines(self) -> list[str]:
        """Concentration and iron of each region in a line: iron in the mesh, in the image and as declared, if there are such."""
        lines = [field.line(name) for name, field in self.strength.items()]
        for name, field in self.iron.items():
            totals = field.totals
            others = (("image", totals.image), ("declared", totals.declared))
            known = "".join(f", {what} {1e6 * value:.6g} mg" for what, value in others if value is not None)
            lines.append(f"iron in {name}: {1e6 * totals.mesh:.6g} mg{known}")
        return lines


@dataclass(frozen=True, eq=False)
class Contents:
    """What is brought into the regions of a case.

    Args:
        iron: of each region with particles.
        strength: the concentration of each region that is not at full strength.
        eddy: solves for eddy currents, where they are asked for.
    """

    iron: dict[str, IronField]
    strength: dict[str, ConcentrationField]
    eddy: EddySolve | None


def equip(case: Case, operators: Operators, equation: type[HeatEquation] = HeatEquation) -> Equipped:
    """The heat equation of a case on its mesh. Collective.

    Raises:
        CaseError: iron or coil do not fit the mesh.
    """
    return put_together(case, operators, contents(case, operators), equation)


def contents(case: Case, operators: Operators) -> Contents:
    """What is brought into the regions of a case, on its mesh. Collective.

    Raises:
        CaseError: iron or coil do not fit the mesh.
    """
    check_coils(case, operators)
    iron = {name: _iron(case, operators, name) for name, region in case.regions.items() if region.particle is not None}
    strength = {n: _strength(case, operators, n) for n, region in case.regions.items() if region.concentration is not None}
    return Contents(iron, strength, _eddy(case, operators))


def put_together(case: Case, operators: Integrals, held: Contents, equation: type[HeatEquation] = HeatEquation) -> Equipped:
    """The heat equation of a case over any body, with what its regions hold. Collective."""
    iron, strength = held.iron, held.strength
    concentration = {name: field.concentration for name, field in iron.items()}
    diluted = _diluted(case, strength) if case.input.follows_ice() else None
    heat = equation(case.regions, operators, case.input.solver.tolerance, concentration, held.eddy, diluted)
    heat.prepare(case.stages)
    notes = [f"{name}: {note}" for found in (iron, strength) for name, field in found.items() for note in field.notes]
    notes += [*(field.line(name) for name, field in strength.items()), *(ASSUMPTIONS if strength else ())]
    notes += _validity(case, heat)
    return Equipped(heat, iron, tuple(notes), strength)


def _strength(case: Case, operators: Operators, region: str) -> ConcentrationField:
    """The concentration of a region that is not at full strength."""
    given = case.regions[region].concentration
    if given is None:
        raise ValueError(f"{region} is at full strength")
    try:
        return concentration_field(given, operators, region, case.folder)
    except CaseError as error:
        raise CaseError(*(f"{case.path}: regions.{region}.concentration: {fault}" for fault in error.faults)) from None


def _diluted(case: Case, strength: Mapping[str, ConcentrationField]) -> dict[str, Array]:
    """What the ice of regions depends on that are not at full strength, as of `ice_conditions`."""
    found = {}
    for name, field in strength.items():
        shift = equilibration_of(case.regions[name].medium)
        found[name] = np.array((*shift.reduced_temperature(field.values), shift.time_scale(field.values)))
    return found


def _validity(case: Case, heat: HeatEquation) -> list[str]:
    """Where fields and particle models are used outside what they are known for, between the start and room temperature."""
    temperature = np.linspace(case.input.initial.temperature, ROOM, 50)
    notes = []
    for stage in case.stages:
        field = stage.field
        notes += [f"field: {line}" for line in field.warnings()]
        (strongest,) = heat.largest(float(heat.operators.sampled(field.shape).max(initial=0.0)))
        amplitude = field.largest() * strongest
        for name, particle in case.particles.items() if amplitude > 0.0 else ():
            domain = particle.specific_power.domain().temperatures
            found = particle.specific_power.notes(amplitude, field.frequency, np.clip(temperature, *domain))
            notes += [f"particle {name} at {amplitude / 1e3:.4g} kA/m: {note}" for note in found]
    return list(dict.fromkeys(notes))


def _iron(case: Case, operators: Operators, region: str) -> IronField:
    try:
        return nodal_iron(case.regions[region].iron, operators, region, case.path.parent)
    except CaseError as error:
        raise CaseError(*(f"{case.path}: regions.{region}.particles.iron: {fault}" for fault in error.faults)) from None


def check_coils(case: Case, operators: Operators) -> None:
    """Refuse a coil that runs through the body, and a map that does not cover it. Collective.

    Raises:
        CaseError: naming the stage.
    """
    volume = operators.layout.comm.allreduce(sum(float(m[: operators.layout.owned].sum()) for m in operators.mass.values()))
    edge = (6.0 * 2.0**0.5 * volume / operators.mesh.cell_count()) ** (1.0 / 3.0)  # of a regular tetrahedron
    fields = {stage.field.pattern(): (stage.name, stage.field) for stage in case.stages}
    for stage, field in fields.values():
        nearest, covered = np.inf, True
        if operators.position.size:
            nearest = float(field.distance(operators.position).min())
            covered = bool(field.covers(operators.position).all())
        nearest = operators.layout.comm.allreduce(nearest, op=MPI.MIN)
        covered = operators.layout.comm.allreduce(covered, op=MPI.LAND)
        where = f"{case.path}: field (stage {stage})"
        if nearest <= max(field.wire(), REACH * edge):
            raise CaseError(f"{where}: the coil runs through the body: a conductor is {1e3 * nearest:.3g} mm from a node of it")
        if not covered:
            raise CaseError(f'{where}: the map does not cover the body; give a larger one, or outside = "nearest"')


def _eddy(case: Case, operators: Operators) -> EddySolve | None:
    """The solver of eddy currents in the regions that ask for them; None where none does."""
    sigma = {name: region.electrical_conductivity for name, region in case.regions.items()}
    if not any(sigma.values()):
        return None

    def solve(field: AnyField) -> Array:
        """Heating of own nodes by the eddy currents of a field."""
        try:
            return eddy_heating(operators, sigma, field.vector_potential, field.frequency).heating
        except ValueError as error:
            raise CaseError(f"{case.path}: eddy currents: {error}") from None

    return solve
