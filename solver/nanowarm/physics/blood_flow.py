"""How much blood flows through tissue, in the units people measure it in, and per volume of tissue."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from nanowarm.model import shown
from nanowarm.quantity import PERFUSION, flow_through_tissue

_EXAMPLES = '"558 mL/min/kg", "55.8 mL/min/100g", "0.0097 1/s" (volume per volume) or "10 kg/m^3/s" (mass of blood per volume)'
_MASS = r"(?<![A-Za-z])(?:kilo|milli|micro|[kmu])?g(?:rams?)?\b"
_TWO_MASSES = re.compile(f"{_MASS}.*{_MASS}")


@dataclass(frozen=True)
class BloodFlow:
    """Blood that flows through tissue, as it was measured.

    Args:
        value: in `unit`.
        unit: m^3/kg/s (volume of blood per mass of tissue), 1/s (volume per volume) or kg/m^3/s (mass of
            blood per volume of tissue).
    """

    value: float
    unit: str

    def __mul__(self, factor: float) -> BloodFlow:
        """A factor more blood."""
        return BloodFlow(self.value * factor, self.unit)

    def blood_volume_rate(self, tissue_density: float, blood_density: float) -> float:
        """Volume of blood per volume of tissue and time [1/s]; densities in kg/m3."""
        return self.value * {"m^3/kg/s": tissue_density, "1/s": 1.0, "kg/m^3/s": 1.0 / blood_density}[self.unit]


@dataclass(frozen=True)
class Supply:
    """The blood flow of one constituent of a medium.

    Args:
        share: of the constituent in the volume of the medium.
        density: of the constituent [kg/m3].
        flow: through the constituent.
    """

    share: float
    density: float
    flow: BloodFlow


def blood_flow(text: Any) -> BloodFlow:
    """Blood flow of a text such as "558 mL/min/kg", "55.8 mL/min/100g", "0.0097 1/s" or "10 kg/m^3/s".

    Raises:
        ValueError: no text, no unit, not per an amount of tissue, or out of range.
    """
    if not isinstance(text, str):
        raise ValueError(f"must be text with a unit, e.g. {_EXAMPLES}; found {shown(text)}")
    if _TWO_MASSES.search(text):
        raise ValueError(f"{text!r} is mass of blood per mass of tissue: give the volume of the blood, e.g. {_EXAMPLES}")
    for dimension in PERFUSION:
        if _misfit(text, dimension.unit) is None:
            return BloodFlow(dimension.parse(text), dimension.unit)
    if _misfit(text, "m^3/s") is None or _misfit(text, "kg/s") is None:
        raise ValueError(f"{text!r} does not say through how much tissue: write e.g. {_EXAMPLES}")
    fault = _misfit(text, PERFUSION[0].unit) or ""
    raise ValueError(f"{fault.split(': allowed')[0]}, e.g. {_EXAMPLES}")


def _misfit(text: str, unit: str) -> str | None:
    """Why a text can't be read in `unit`; None if it can."""
    try:
        flow_through_tissue(text, unit)
    except ValueError as error:
        return str(error)
    return None


def _text(flow: BloodFlow) -> str:
    return f"{flow.value!r} {flow.unit}"


PerfusionRate = Annotated[
    BloodFlow,
    BeforeValidator(blood_flow),
    PlainSerializer(_text, when_used="json"),
    WithJsonSchema(
        {"type": "string", "description": f"blood flow with its unit, e.g. {_EXAMPLES}", "examples": ["558 mL/min/kg"]}
    ),
]
