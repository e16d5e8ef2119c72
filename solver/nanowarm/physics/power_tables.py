"""Specific power measured over field, frequency and temperature."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Discriminator, Tag, ValidationInfo, model_validator

from nanowarm.errors import CaseError
from nanowarm.physics.curves import Array, Curve
from nanowarm.physics.measured_power import ROUNDING, Measured, PowerLawFactor, carried_far, plain
from nanowarm.physics.single_particle import Domain
from nanowarm.physics.table_files import KEYS, read_table
from nanowarm.quantity import ZERO_CELSIUS, FieldAmplitude, Frequency, ReferenceField, SpecificPower, Temperature


def _depth(values: Any) -> str:
    """How many lists are inside each other, at most three."""
    depth = 1
    while depth < 3 and isinstance(values, tuple | list) and values and isinstance(values[0], tuple | list):
        values, depth = values[0], depth + 1
    return str(depth)


def _times(values: Any, factor: float) -> Any:
    """Lists inside each other with a factor times their numbers."""
    return tuple(_times(value, factor) for value in values) if isinstance(values, tuple) else values * factor


Row = tuple[SpecificPower, ...]
Powers = Annotated[
    Annotated[Row, Tag("1")] | Annotated[tuple[Row, ...], Tag("2")] | Annotated[tuple[tuple[Row, ...], ...], Tag("3")],
    Discriminator(_depth),
]


class Table(Measured):
    """Values measured over any of field, frequency and temperature.

    Between them they are linear, or power laws of field and frequency and exponentials of temperature (`log`). Over
    temperature alone they are constant outside. Elsewhere nothing is extrapolated unless asked: then by the exponents
    in field and frequency, and constant in temperature.

    Args:
        fields: peak amplitudes [A/m], increasing; else the one of the measurement is `at_field`.
        frequencies: [Hz], increasing; else the one of the measurement is `at_frequency`.
        at: temperatures [K], increasing; where not given, the power is the same at each.
        values: specific power [W per kg iron], lists inside each other in the order fields, frequencies, at.
        file: a CSV table of these, with a header such as "field [kA/m], temperature [degC], power [W/gFe]".
        interpolation: between values.
        extrapolate: whether to answer outside the table.
    """

    kind: Literal["table"]
    fields: tuple[FieldAmplitude, ...] = ()
    frequencies: tuple[Frequency, ...] = ()
    at: tuple[Temperature, ...] = ()
    values: Powers
    file: str | None = None
    at_field: ReferenceField | None = None
    at_frequency: Frequency | None = None
    interpolation: Literal["linear", "log"] = "linear"
    extrapolate: bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _filled_from_file(cls, raw: Any, info: ValidationInfo) -> Any:
        if not isinstance(raw, Mapping) or not isinstance(raw.get("file"), str) or "values" in raw:
            return raw
        twice = [key for key in KEYS.values() if key in raw]
        if twice:
            raise ValueError(f"`{twice[0]}` is given twice, here and by the file: leave out one")
        return dict(raw) | read_table(Path((info.context or {}).get("folder", "."), raw["file"]))

    @model_validator(mode="after")
    def _matches(self) -> Table:
        for key, single, many in (("fields", self.at_field, self.fields), ("frequencies", self.at_frequency, self.frequencies)):
            name = "at_field" if key == "fields" else "at_frequency"
            if (single is None) == (not many):
                raise ValueError(
                    f"give either `{name}` or `{key}`" if many else f"missing: give `{name}`, or a table over `{key}`"
                )
        for key, axis in (("fields", self.fields), ("frequencies", self.frequencies), ("at", self.at)):
            what = "temperatures" if key == "at" else "values"
            if any(high <= low for low, high in itertools.pairwise(axis)):
                raise ValueError(f"the {what} of `{key}` must increase strictly")
        if not self._names():
            raise ValueError("give at least one of `fields`, `frequencies` and `at`")
        self._check_shape()
        if self.interpolation == "log" and min(np.min(self._grid()), *self.fields, 1.0) <= 0.0:
            raise ValueError('`interpolation = "log"` needs fields and values above zero')
        return self

    def _names(self) -> list[str]:
        """Keys of the quantities that the table is over."""
        return [key for key in ("fields", "frequencies", "at") if getattr(self, key)]

    def _check_shape(self) -> None:
        level: Sequence[Any] = [self.values]
        for key in self._names():
            wanted = len(getattr(self, key))
            what = "temperatures" if key == "at" else key
            for part in level:
                if not isinstance(part, tuple) or len(part) != wanted:
                    found = f"{len(part)} values" if isinstance(part, tuple) else "no lists that deep"
                    raise ValueError(f"`{key}` has {wanted} {what} and `values` {found}: give as many")
            level = [child for part in level for child in part]
        if any(isinstance(part, tuple) for part in level):
            raise ValueError(f"`values` has more lists inside each other than the table has keys: {', '.join(self._names())}")

    @property
    def separable(self) -> bool:
        """Whether the power is a factor of the field times a function of temperature."""
        return self._names() == ["at"] and self.extrapolate is not False and self.saturation_magnetization is None

    def scaled(self, factor: float) -> Self:
        """The same with `factor` times the powers, under the same ceiling."""
        return self.model_copy(update={"values": _times(self.values, factor)})

    def field_factor(self, amplitude: ArrayLike, frequency: float) -> Any:
        """Power at fields [A/m], same shape, and a frequency [Hz] over that of the measurement; 0 without a field."""
        fields, frequencies, _ = self._axes()
        law = PowerLawFactor(fields[0], frequencies[0], self.field_exponent, self.frequency_exponent)
        return plain(law(amplitude, frequency))

    def reference_power(self) -> Curve:
        """Specific power [W per kg iron] over temperature [K] in the field of the measurement."""
        return Curve(np.array(self.at), self._grid().ravel())

    def domain(self) -> Domain:
        """Fields and temperatures at which the power may be asked for."""
        if self.extrapolate or self.separable:
            return Domain()
        fields = (self.fields[0], self.fields[-1]) if self.fields else (0.0, math.inf)
        return Domain(fields, (self.at[0], self.at[-1]) if self.at else (0.0, math.inf))

    def power(self, amplitude: ArrayLike, frequency: float, temperature: ArrayLike) -> Array:
        """Specific power [W per kg iron] at peak amplitudes [A/m], a frequency [Hz] and temperatures [K].

        Raises:
            CaseError: outside the table, which is not to be extrapolated.
        """
        outside = self._outside(amplitude, frequency, temperature)
        if outside and not (self.extrapolate or self.separable):
            raise CaseError(f"specific power: {'; '.join(outside)}: widen the table, or set extrapolate = true")
        return np.minimum(self._uncut(amplitude, frequency, temperature), self.ceiling(amplitude, frequency))

    def measurements(self) -> list[dict[str, float]]:
        """The measured points, if they are."""
        names = ["field", "frequency", *(["temperature"] if self.at else [])]
        places = itertools.product(*self._axes())
        points = [
            dict(zip(names, place, strict=False)) | {"power": p} for place, p in zip(places, self._grid().flat, strict=True)
        ]
        return [] if self.quality == "estimate" else points

    def notes(self, amplitude: ArrayLike, frequency: float, temperature: ArrayLike) -> tuple[str, ...]:
        """Where the table is extrapolated, a line each."""
        notes: list[str | None] = [f"{line}; extrapolated" for line in self._outside(amplitude, frequency, temperature)]
        if self.at_field and self.at_frequency:
            notes.append(carried_far(amplitude, frequency, (self.at_field, self.at_frequency)))
        notes.append(self.above_ceiling(self._uncut(amplitude, frequency, temperature), amplitude, frequency))
        return tuple(note for note in notes if note)

    def _uncut(self, amplitude: ArrayLike, frequency: float, temperature: ArrayLike) -> Array:
        amplitude, temperature = np.broadcast_arrays(np.asarray(amplitude, dtype=float), np.asarray(temperature, dtype=float))
        fields, frequencies, at = self._axes()
        inside = np.clip(amplitude, fields[0], fields[-1])
        near = float(np.clip(frequency, frequencies[0], frequencies[-1]))
        axes, values, points = [fields, frequencies, at], self._grid(), [inside, np.full(inside.shape, near), temperature]
        if self.interpolation == "log":
            axes, values = [np.log(fields), np.log(frequencies), at], np.log(values)
            points = [np.log(inside), np.full(inside.shape, math.log(near)), temperature]
        found = multilinear(axes, values, points)
        found = np.exp(found) if self.interpolation == "log" else found
        return found * PowerLawFactor(inside, near, self.field_exponent, self.frequency_exponent)(amplitude, frequency)

    def _axes(self) -> tuple[Array, Array, Array]:
        """Fields, frequencies and temperatures; the one of the measurement where the table is not over them."""
        fields, frequencies = self.fields or (self.at_field,), self.frequencies or (self.at_frequency,)
        return np.array(fields, dtype=float), np.array(frequencies, dtype=float), np.array(self.at or (ZERO_CELSIUS,))

    def _grid(self) -> Array:
        """The values, shape (fields, frequencies, temperatures)."""
        return np.array(self.values, dtype=float).reshape([axis.size for axis in self._axes()])

    def _outside(self, amplitude: ArrayLike, frequency: float, temperature: ArrayLike) -> list[str]:
        """What lies outside the table; no field at all never does."""
        asked = np.asarray(amplitude, dtype=float)
        fields = asked[asked > 0.0]
        lines = [_beyond("field", fields / 1e3, np.array(self.fields) / 1e3, "kA/m")]
        lines.append(_beyond("frequency", np.array([frequency]) / 1e3, np.array(self.frequencies) / 1e3, "kHz"))
        warmth = np.asarray(temperature, dtype=float).ravel() - ZERO_CELSIUS
        lines.append(_beyond("temperature", warmth, np.array(self.at) - ZERO_CELSIUS, "degC"))
        return [line for line in lines if line]


def _beyond(what: str, asked: Array, axis: Array, unit: str) -> str | None:
    """A line that says which value lies outside an axis, if any does; rounding of the units counts as inside."""
    if not axis.size or not asked.size:
        return None
    least, most = float(asked.min()), float(asked.max())
    rounding = ROUNDING * max(abs(axis[0]), abs(axis[-1]), 1.0)
    if axis[0] - rounding <= least and most <= axis[-1] + rounding:
        return None
    worst = least if least < axis[0] - rounding else most
    return f"{what} {worst:g} {unit} is outside the table's {axis[0]:g} to {axis[-1]:g} {unit}"


def multilinear(axes: Sequence[Array], values: Array, points: Sequence[Array]) -> Array:
    """Values of a grid at points inside, linear along each axis; held at the ends, and along an axis of one value.

    Args:
        axes: increasing, shape (n1,), (n2,), ...
        values: shape (n1, n2, ...).
        points: coordinates along each axis, all of one shape.
    """
    places = []
    for axis, point in zip(axes, points, strict=True):
        index = np.clip(np.searchsorted(axis, point, side="right") - 1, 0, max(axis.size - 2, 0))
        width = axis[np.minimum(index + 1, axis.size - 1)] - axis[index]
        share = np.clip((point - axis[index]) / np.where(width > 0.0, width, 1.0), 0.0, 1.0)
        places.append((index, np.where(width > 0.0, share, 0.0)))
    total = np.zeros(np.shape(points[0]))
    for corner in itertools.product((0, 1), repeat=len(axes)):
        weight, at = np.ones(total.shape), []
        for (index, share), upper, axis in zip(places, corner, axes, strict=True):
            weight = weight * (share if upper else 1.0 - share)
            at.append(np.minimum(index + upper, axis.size - 1))
        total += weight * values[tuple(at)]
    return total
