"""Values of the cells that don't change in a run, for the field file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanowarm.case import Case
from nanowarm.numerics.iron import IronField, cell_iron
from nanowarm.numerics.operators import Operators
from nanowarm.numerics.places import Places
from nanowarm.physics.protocol import Stage


def cell_fields(case: Case, operators: Operators, iron: Mapping[str, IronField]) -> dict[str, NDArray[Any]]:
    """What the case asks for of its regions, its iron [mgFe/mL] and its field [kA/m], by name; of own cells."""
    asked = case.input.output.fields
    found: dict[str, NDArray[Any]] = {}
    if "region" in asked:
        own = operators.mesh.domain.topology.index_map(3).size_local
        found["region"] = operators.mesh.cell_region[:own].astype(np.int32)
    if "iron concentration" in asked:
        found["iron concentration"] = cell_iron(operators, iron)
    if "field amplitude" in asked:
        found["field amplitude"] = _amplitudes(operators, case.stages)
    return found


def _amplitudes(operators: Operators, stages: Sequence[Stage]) -> NDArray[np.float32]:
    """Peak |H| [kA/m] in the middle of own cells, the largest that the stages give there."""
    centres = Places(operators).cells
    largest = np.zeros(len(centres), dtype=np.float32)
    patterns = {stage.field.pattern(): stage.field for stage in sorted(stages, key=lambda stage: stage.field.largest())}
    for field in patterns.values():  # of equal patterns the strongest
        np.maximum(largest, 1e-3 * field.largest() * field.shape(centres), out=largest)
    return largest
