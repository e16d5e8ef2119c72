"""What heats the body from inside: particles and eddy currents, in any field, at every node.

A field is a pattern in space times a drive that changes in time. Models whose dependence on the field can be
split off need one table over temperature; all others are tabulated over field and temperature when a stage begins.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from nanowarm.numerics.ledger import SUPPLIED
from nanowarm.numerics.tables import Table
from nanowarm.numerics.thermodynamics import Thermodynamics
from nanowarm.physics.curves import Curve
from nanowarm.physics.fields import AnyField
from nanowarm.physics.particles import AnySpecificPower

Array = NDArray[np.float64]

COLDEST, HOTTEST = 73.15, 473.15  # [K] between which models are tabulated
TEMPERATURE_STEP = 0.5  # [K]
LEVELS = 64  # of the field, where it differs from node to node or in time


class Source(Protocol):
    """Something that heats: the terms q_r of the heat equation.

    Args:
        ledger: entry of the state that takes its heat.
    """

    ledger: int

    def begin(self, field: AnyField, shape: Array, most: float, steered: bool) -> None:
        """Take over the field of a stage: its pattern at own nodes, the largest amplitude that it will reach [A/m].

        Args:
            field: of the stage.
            shape: its pattern at own nodes.
            most: largest amplitude that it will reach [A/m].
            steered: whether a controller or a search sets its strength.
        """

    def add(self, drive: float, rates: Array) -> float:
        """Add the heating [W/m3] of the located state to `rates`; its sum over own nodes [W]."""

    def slope(self) -> float:
        """Bound on the change of the heating with temperature [W/m3/K], the same on every rank."""


class ParticleHeating:
    """The heat of one kind of particle, wherever it is.

    Args:
        model: its specific power.
        iron: [kg/m3] at own nodes.
        most_iron: its largest value on any rank.
        thermo: temperatures.
        volume: [m3] of own nodes.
    """

    ledger = SUPPLIED

    def __init__(self, model: AnySpecificPower, iron: Array, most_iron: float, thermo: Thermodynamics, volume: Array) -> None:
        self.model, self.iron, self._most_iron, self.thermo, self.volume = model, iron, most_iron, thermo, volume
        self._power, self._work = np.empty(thermo.size), np.empty(iron.size)
        self._temperature = np.arange(COLDEST, HOTTEST + TEMPERATURE_STEP, TEMPERATURE_STEP)
        self._slope = 0.0

    def begin(self, field: AnyField, shape: Array, most: float, steered: bool) -> None:
        """Take over the field of a stage."""
        self.field, self._shape, self._most = field, shape, most
        self._drive: float | None = None
        self._by_field: FieldTables | None = None
        steady = field.uniform and len(field.drive().values) == 1 and not steered
        if not self.model.separable and most > 0.0 and not steady:
            self._by_field = FieldTables(self.model, field.frequency, most, self._temperature, self.thermo)

    def add(self, drive: float, rates: Array) -> float:
        """Add the heating [W/m3]; its sum [W]."""
        if drive == 0.0 or self._most == 0.0:
            return 0.0
        if drive != self._drive:
            self._take(drive)
            self._drive = drive
        owned = self.iron.size
        if self._nodal is None:
            self.thermo.look_up(self._table, self._power)
        else:
            self._nodal.look_up(self._power)
        np.multiply(self._weight, self._power[:owned], out=self._work)
        np.add(rates, self._work, out=rates)
        return float(self._work @ self.volume)

    def _take(self, drive: float) -> None:
        """Prepare for another strength of the field."""
        self._nodal: NodalTables | None = None
        self._weight = self.iron
        if self.model.separable:
            amplitude = drive if self.field.uniform else drive * self._shape
            self._weight = self.iron * self.model.field_factor(amplitude, self.field.frequency)
            curve, factor = self.model.reference_power(), float(self.model.field_factor(self._most, self.field.frequency))
            self._keep(curve, factor)
        elif self._by_field is None:
            known = np.clip(self._temperature, *self.model.domain().temperatures)
            power = self.model.power(drive, self.field.frequency, known)
            self._keep(Curve(self._temperature, np.asarray(power)), 1.0)
        elif self.field.uniform:
            self._keep(self._by_field.curve(drive), 1.0)
        else:
            self._nodal = NodalTables(self._by_field, drive * self._shape)
            self._slope = self._by_field.slope * self._most_iron

    def _keep(self, curve: Curve, factor: float) -> None:
        self._table: Table = self.thermo.tabulated(curve)
        change = np.abs(np.diff(curve.values) / np.diff(curve.at)).max(initial=0.0)
        self._slope = float(change) * factor * self._most_iron

    def slope(self) -> float:
        """Bound on the change of the heating with temperature [W/m3/K]."""
        return self._slope


class FieldTables:
    """Specific power over field and temperature, as power per amplitude squared: smooth down to no field.

    Args:
        model: specific power.
        frequency: [Hz].
        most: largest amplitude [A/m].
        temperature: knots [K].
        thermo: the grids of the media.
    """

    def __init__(
        self, model: AnySpecificPower, frequency: float, most: float, temperature: Array, thermo: Thermodynamics
    ) -> None:
        self.temperature, self.thermo, self.spacing = temperature, thermo, most / LEVELS
        amplitude = self.spacing * np.arange(LEVELS + 1)
        amplitude[0] = 1e-3 * self.spacing
        domain = model.domain()
        amplitude = np.maximum(amplitude, domain.fields[0])  # below what is known, power goes as the square
        known = np.clip(temperature, *domain.temperatures)
        self.values = np.asarray(model.power(amplitude[:, None], frequency, known[None, :])) / amplitude[:, None] ** 2
        steepest = np.abs(np.diff(self.values, axis=1)).max() / TEMPERATURE_STEP
        self.slope = float(steepest * most**2)

    def curve(self, amplitude: float) -> Curve:
        """Specific power [W per kg iron] over temperature at an amplitude [A/m]."""
        level = min(int(amplitude / self.spacing), LEVELS - 1)
        part = amplitude / self.spacing - level
        values = (1.0 - part) * self.values[level] + part * self.values[level + 1]
        return Curve(self.temperature, amplitude**2 * values)

    def tables(self) -> tuple[Array, Array]:
        """Starts and slopes of every level on the grids of the media, level after level."""
        rows = [self.thermo.tabulated(Curve(self.temperature, row)) for row in self.values]
        return np.concatenate([row.starts for row in rows]), np.concatenate([row.slopes for row in rows])


class NodalTables:
    """Specific power where every node has its own amplitude.

    Args:
        by_field: power over field and temperature.
        amplitude: [A/m] at own nodes.
    """

    def __init__(self, by_field: FieldTables, amplitude: Array) -> None:
        self.by_field, thermo = by_field, by_field.thermo
        self._amplitude = np.zeros(thermo.size)
        self._amplitude[: amplitude.size] = amplitude  # copies of other ranks' nodes are not needed
        self._level = np.minimum((self._amplitude / by_field.spacing).astype(np.intp), LEVELS - 1)
        self._part = self._amplitude / by_field.spacing - self._level
        self._square = self._amplitude**2
        self._starts, self._slopes = by_field.tables()
        self._entries = self._starts.size // (LEVELS + 1)
        self._below, self._above = self._level * self._entries, np.empty(thermo.size)

    def look_up(self, out: Array) -> None:
        """Specific power [W per kg iron] of every node at its temperature and amplitude."""
        thermo = self.by_field.thermo
        thermo.interpolate_levels(self._starts, self._slopes, self._below, out)
        thermo.interpolate_levels(self._starts, self._slopes, self._below + self._entries, self._above)
        np.subtract(self._above, out, out=self._above)
        self._above *= self._part
        out += self._above
        if thermo.shared.size:
            out[thermo.shared] = self._at_shared()
        out *= self._square

    def _at_shared(self) -> Array:
        """Power per amplitude squared at the nodes that media share, from the temperatures themselves."""
        thermo, by_field = self.by_field.thermo, self.by_field
        level, part = self._level[thermo.shared], self._part[thermo.shared]
        place = (thermo.shared_temperature - by_field.temperature[0]) / TEMPERATURE_STEP
        place = np.clip(place, 0.0, by_field.temperature.size - 1.001)
        piece = place.astype(np.intp)
        rest = place - piece
        below, above = (
            (1.0 - rest) * by_field.values[row, piece] + rest * by_field.values[row, piece + 1] for row in (level, level + 1)
        )
        return np.asarray((1.0 - part) * below + part * above)


class EddyHeating:
    """The heat of eddy currents, the same at every temperature.

    Args:
        solve: heating [W/m3 per drive squared] at own nodes in a field.
        volume: [m3] of own nodes.
    """

    ledger = SUPPLIED

    def __init__(self, solve: EddySolve, volume: Array) -> None:
        self._solve, self._volume = solve, volume
        self._known: dict[str, Array] = {}

    def begin(self, field: AnyField, shape: Array, most: float, steered: bool) -> None:
        """Take over the field of a stage; a pattern that was there before is not solved again."""
        key = f"{field.pattern()} {field.frequency!r}"
        if most > 0.0 and key not in self._known:
            self._known[key] = self._solve(field)
        self._heating = self._known[key] if most > 0.0 else np.zeros_like(self._volume)
        self._total = float(self._heating @ self._volume)

    def add(self, drive: float, rates: Array) -> float:
        """Add the heating [W/m3]; its sum [W]."""
        if drive != 0.0:
            rates += drive**2 * self._heating
        return drive**2 * self._total

    def slope(self) -> float:
        """It does not depend on temperature."""
        return 0.0


class EddySolve(Protocol):
    """Solves for the eddy currents in a field."""

    def __call__(self, field: AnyField) -> Array:
        """Heating [W/m3 per drive squared] at own nodes."""
