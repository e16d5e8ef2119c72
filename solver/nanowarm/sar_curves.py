"""Specific power of particles over size, field, frequency and temperature, for the command `sar`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nanowarm.errors import CaseError
from nanowarm.physics.particles import AnySpecificPower
from nanowarm.results.sar_page import ROWS, Panel, PowerCurve

Array = NDArray[np.float64]
Measurement = Mapping[str, float]  # SI by quantity

STEPS = 10 * ROWS  # of a curve in a picture; a multiple of those of a printed table
SAME = 0.01  # relative difference up to which a measured point counts as taken at the asked field or frequency
SAME_TEMPERATURE = 5.0  # [K], likewise


@dataclass(frozen=True)
class Point:
    """Where specific powers are compared: field [A/m], frequency [Hz], temperature [K]."""

    field: float
    frequency: float
    temperature: float

    def text(self) -> str:
        """The point for a reader."""
        return f"{self.field / 1e3:g} kA/m, {self.frequency / 1e3:g} kHz, {self.temperature - 273.15:g} degC"


@dataclass(frozen=True)
class Question:
    """What is compared.

    Args:
        powers: of the particles by name.
        point: value of each quantity where another is varied.
        measured: points to compare with.
        steps: of each curve, a multiple of `ROWS`.
    """

    powers: Mapping[str, AnySpecificPower]
    point: Point
    measured: Sequence[Measurement]
    steps: int = STEPS

    def panels(self) -> list[Panel]:
        """Specific power over size (where some model knows of it), field, frequency and temperature."""
        found = []
        part = np.linspace(0.0, 1.0, self.steps + 1)
        if any(power.median_diameter is not None for power in self.powers.values()):
            found.append(self._panel("diameter", 4e-9 + 40e-9 * part))
        if self.point.field > 0.0:
            found.append(self._panel("field", 2.0 * self.point.field * part))
            found.append(self._panel("frequency", 2.0 * self.point.frequency * np.maximum(part, 1e-3)))
        found.append(self._panel("temperature", 123.15 + 190.0 * part))
        return found

    def _panel(self, quantity: str, at: Array) -> Panel:
        unit, factor, zero = _UNITS[quantity]
        curves = [
            PowerCurve(name, number, _values(quantity, at, power, self.point))
            for number, (name, power) in enumerate(self.powers.items())
            if quantity != "diameter" or power.median_diameter is not None
        ]
        taken = [row for row in self.measured if quantity in row and _is_at(row, self.point, quantity)]
        points = np.array([(row[quantity] * factor + zero, row["power"] / 1e3) for row in taken]).reshape(-1, 2)
        now = None if quantity == "diameter" else getattr(self.point, quantity) * factor + zero
        rows = tuple(range(0, at.size, self.steps // ROWS))
        return Panel(f"{quantity} [{unit}]", at * factor + zero, tuple(curves), points, now, rows)


_UNITS = {
    "diameter": ("nm", 1e9, 0.0),
    "field": ("kA/m", 1e-3, 0.0),
    "frequency": ("kHz", 1e-3, 0.0),
    "temperature": ("degC", 1.0, -273.15),
}


def _is_at(row: Measurement, point: Point, quantity: str) -> bool:
    """Whether a measured point was taken where a panel over one quantity is."""
    for other in ("field", "frequency"):
        if other != quantity and other in row and abs(row[other] - getattr(point, other)) > SAME * row[other]:
            return False
    return quantity == "temperature" or abs(row.get("temperature", point.temperature) - point.temperature) <= SAME_TEMPERATURE


def _values(quantity: str, at: Array, power: AnySpecificPower, point: Point) -> Array:
    """Specific power [W/gFe] over a quantity [SI], same shape; NaN where it is not known."""
    if quantity in ("field", "temperature"):
        try:
            arrays = {"field": point.field, "temperature": point.temperature} | {quantity: at}
            return np.asarray(power.power(arrays["field"], point.frequency, arrays["temperature"])) / 1e3
        except CaseError:  # outside of a table somewhere
            pass
    return np.array([_value(quantity, float(value), power, point) for value in at])


def _value(quantity: str, value: float, power: AnySpecificPower, point: Point) -> float:
    try:
        if quantity == "diameter":
            power = power.resized(value)
        else:
            point = replace(point, **{quantity: value})
        return float(power.power(point.field, point.frequency, point.temperature)) / 1e3
    except CaseError:
        return math.nan
