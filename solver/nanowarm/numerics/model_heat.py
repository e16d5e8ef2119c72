"""The heat equation over the radial or lumped model of a body, with the mean of what its regions hold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nanowarm.case import Case
from nanowarm.numerics.concentration import ConcentrationField
from nanowarm.numerics.heating import EddySolve
from nanowarm.numerics.iron import IronField
from nanowarm.numerics.lines import LineOperators
from nanowarm.numerics.model_bodies import Body, ModelledBody
from nanowarm.numerics.setup import Contents, Equipped, contents, put_together
from nanowarm.physics.fields import AnyField

Array = NDArray[np.float64]


def equip_model(case: Case, model: ModelledBody) -> Equipped:
    """The heat equation of a case over a model, with the mean of what its regions hold.

    Raises:
        CaseError: iron or coil do not fit the body.
    """
    body, line = model.body, model.line
    held = contents(case, body.operators)
    iron = {name: _mean_iron(field, body, name, line) for name, field in held.iron.items()}
    strength = {name: _mean_strength(field, name, line) for name, field in held.strength.items()}
    eddy = None if held.eddy is None else _MeanEddy(held.eddy, body, line)
    return put_together(case, line, Contents(iron, strength, eddy))


def _mean_iron(field: IronField, body: Body, region: str, line: LineOperators) -> IronField:
    """The iron of a region spread evenly over it."""
    mean, inside = body.mean(field.concentration, region), body.operators.mass[region] > 0.0
    even = np.ptp(field.concentration[inside]) <= 1e-9 * mean
    notes = () if even else (f"its iron is taken as even: {mean:.4g} mgFe/mL",)
    return IronField(np.where(line.mass[region] > 0.0, mean, 0.0), field.totals, (*field.notes, *notes))


def _mean_strength(field: ConcentrationField, region: str, line: LineOperators) -> ConcentrationField:
    """The concentration of a region, even over it."""
    even = field.most - field.least <= 1e-9 * field.mean
    notes = () if even else (f"its concentration is taken as even: {field.mean:.4g} of full strength",)
    values = np.where(line.mass[region] > 0.0, field.mean, 1.0)
    return ConcentrationField(values, field.mean, field.mean, field.mean, (*field.notes, *notes))


class _MeanEddy:
    """Solves for the eddy currents on the mesh; their heat spread evenly over each region.

    Args:
        solve: on the mesh.
        body: that it is of.
        line: that stands for it.
    """

    def __init__(self, solve: EddySolve, body: Body, line: LineOperators) -> None:
        self._solve, self._body, self._line = solve, body, line

    def __call__(self, field: AnyField) -> Array:
        """Heating [W/m3 per drive squared] at the nodes of the line."""
        found, mass = self._solve(field), self._line.mass
        power = sum(mass[name] * self._body.mean(found, name) for name in mass)
        return np.asarray(power / sum(mass.values()))
