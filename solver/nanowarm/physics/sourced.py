"""Values that say where they come from and how far they can be trusted: what the files of the library are made of."""

from __future__ import annotations

from typing import ClassVar, Literal, Self, TypeVar

import numpy as np
from pydantic import model_validator

from nanowarm.model import Model, check_table
from nanowarm.physics.curves import Curve, constant
from nanowarm.quantity import Temperature

Quality = Literal["measured", "derived", "estimate"]
Quantity = TypeVar("Quantity")
ChangedBy = Literal["factor", "shift", "nothing"]


class Sourced(Model):
    """A value that says where it comes from and how far it can be trusted.

    Args:
        source: citation key of `citations.bib`, or text.
        quality: measured, derived from measured values, or an estimate.
        spread: scatter of the value, as text ("5 %", "50 to 55 degC/min").
        note: what a user should know before trusting it.
    """

    changed_by: ClassVar[ChangedBy] = "nothing"  # what a case may change it by
    source: str
    quality: Quality
    spread: str | None = None
    note: str | None = None

    def scaled(self, factor: float) -> Self:
        """The same, a factor larger; only where it is changed by a factor."""
        raise TypeError("this value is not changed by a factor")

    def shifted(self, kelvin: float) -> Self:
        """The same, some kelvin warmer; only where it is changed by a shift."""
        raise TypeError("this value is not changed by a shift")


class Value[Quantity](Sourced):
    """One number."""

    changed_by: ClassVar[ChangedBy] = "factor"
    value: Quantity

    def scaled(self, factor: float) -> Self:
        """The same with `factor` times the number."""
        return self.model_copy(update={"value": self.value * factor})  # type: ignore[operator]


class Point(Value[Temperature]):
    """One temperature [K], such as that of melting."""

    changed_by: ClassVar[ChangedBy] = "shift"

    def shifted(self, kelvin: float) -> Self:
        """The same at a temperature some kelvin higher."""
        return self.model_copy(update={"value": self.value + kelvin})


class Property[Quantity](Sourced):
    """A constant, or a table over temperature: linear between its points, constant outside.

    Args:
        value: the constant.
        at: temperatures [K], increasing.
        values: values [SI] at these temperatures.
    """

    changed_by: ClassVar[ChangedBy] = "factor"
    value: Quantity | None = None
    at: tuple[Temperature, ...] = ()
    values: tuple[Quantity, ...] = ()

    @model_validator(mode="after")
    def _is_complete(self) -> Property[Quantity]:
        if (self.value is None) == (not self.at):
            raise ValueError("give either `value`, or `at` and `values`")
        check_table(self.at, self.values, "temperatures")
        return self

    def scaled(self, factor: float) -> Self:
        """The same with `factor` times the numbers, at the same temperatures."""
        value = None if self.value is None else self.value * factor  # type: ignore[operator]
        return self.model_copy(update={"value": value, "values": tuple(v * factor for v in self.values)})  # type: ignore[operator]

    def curve(self) -> Curve:
        """The property as a function of temperature [K]."""
        if self.value is not None:
            return constant(float(self.value))  # type: ignore[arg-type]
        return Curve(np.array(self.at), np.array(self.values, dtype=float))


class Window(Sourced):
    """The range of temperature in which a rate is judged.

    Args:
        values: its two ends [K].
    """

    values: tuple[Temperature, Temperature]

    @model_validator(mode="after")
    def _has_width(self) -> Window:
        if self.values[0] == self.values[1]:
            raise ValueError("the two temperatures of the window must differ")
        return self
