"""Text with a unit to float in SI, and back: the only place that converts.

Units are pint's, with two bases of their own for iron: `gFe` (grams of iron) is a dimension that plain
grams do not match, because magnetite is only 72.36 % iron and a missing basis would be a factor 1.38.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

if TYPE_CHECKING:
    import pint

VACUUM_PERMEABILITY = 1.25663706127e-6  # [N/A2], CODATA 2022
ZERO_CELSIUS = 273.15  # [K], by definition

_TEXT = re.compile(r"^\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*?)\s*$")
_SPELLINGS = str.maketrans({"−": "-", "·": "*", "⋅": "*", "µ": "u", "μ": "u", "²": "^2", "³": "^3", "⁻": "-", "¹": "1"})


@cache
def _registry() -> pint.UnitRegistry[float]:
    import pint

    registry: pint.UnitRegistry[float] = pint.UnitRegistry(cache_folder=None)
    registry.define("gram_iron = [iron_mass] = gFe")
    return registry


def _split(text: str) -> tuple[float, str]:
    match = _TEXT.match(text.translate(_SPELLINGS))
    if match is None:
        raise ValueError(f"{text!r} is not a number with a unit")
    return float(match[1]), match[2].replace("°C", "degC").replace("℃", "degC")


def _factor(symbols: str, unit: str) -> float:
    """Number of `unit` in one of the unit written as `symbols`; both without offset."""
    registry = _registry()
    symbols = re.sub(r"\b(degC|celsius|degree_Celsius)\b", "kelvin", symbols)
    try:
        given = registry.Quantity(1.0, registry.Unit(symbols)).to_root_units()
    except Exception as error:  # pint raises a dozen kinds for one cause: a unit it can't read
        raise ValueError(f"unknown unit {symbols!r}") from error
    wanted = registry.Quantity(1.0, registry.Unit(unit)).to_root_units()
    if given.units != wanted.units:
        if "radian" in str(given.units) and "radian" not in str(wanted.units):
            raise ValueError(f"{symbols!r} is an angle per time, off by 2 pi: write it in {unit}")
        raise ValueError(f"{symbols!r} is not a unit of this quantity: allowed is what converts to {unit}")
    return float(given.magnitude / wanted.magnitude)


def convert(text: str, unit: str) -> float:
    """Value of a text such as "1.3 mL" in `unit`.

    A temperature in `degC` counts as a difference here; see `temperature` for absolute ones.

    Raises:
        ValueError: no number, no unit, an unknown unit, or one of another dimension.
    """
    number, symbols = _split(text)
    if not symbols:
        raise ValueError(f"write the unit: {text.strip()} could be anything")
    return number * _factor(symbols, unit)


def temperature(text: str) -> float:
    """Absolute temperature [K] of a text in `degC` or `K`.

    Raises:
        ValueError: another unit, none, or below absolute zero.
    """
    number, symbols = _split(text)
    if not symbols:
        raise ValueError(f"write the unit: {text.strip()} could be anything")
    if symbols not in ("degC", "K", "kelvin"):
        raise ValueError(f"{symbols!r} is not a unit of temperature here: allowed are degC and K")
    kelvin = number if symbols != "degC" else number + ZERO_CELSIUS
    if kelvin < 0:
        raise ValueError(f"{text.strip()} is below absolute zero")
    return kelvin


def field_amplitude(text: str) -> float:
    """Peak amplitude [A/m] of a magnetic field given as H (`kA/m`, `Oe`) or as mu0 H (`mT`)."""
    _, symbols = _split(text)
    if re.fullmatch(r"[munkM]?T|tesla|millitesla", symbols):
        return convert(text, "T") / VACUUM_PERMEABILITY
    if symbols.lower() in ("oe", "oersted"):
        return _split(text)[0] * 1000.0 / (4.0 * math.pi)
    return convert(text, "A/m")


def _iron(text: str, unit: str) -> float:
    _, symbols = _split(text)
    if symbols and "gFe" not in symbols:
        raise ValueError(
            f"{text.strip()!r} does not say per mass of what: iron is always given per mass of iron, in {unit} "
            "or its like (magnetite is 72.36 % iron by mass)"
        )
    return convert(text, unit)


def iron_concentration(text: str) -> float:
    """Iron concentration [kg iron / m3] of a text such as "10 mgFe/mL"."""
    return _iron(text, "mgFe/mL")


def specific_power(text: str) -> float:
    """Power per mass of iron [W / kg iron] of a text such as "220 W/gFe"."""
    return _iron(text, "W/gFe") * 1000.0


@dataclass(frozen=True)
class Dimension:
    """What a kind of quantity is measured in and where it may lie.

    Args:
        unit: SI unit of the float.
        example: a text that a user would write.
        least: smallest allowed value in SI.
        positive: whether `least` itself is refused too.
        reader: turns a text into SI; by default any unit that converts to `unit`.
    """

    unit: str
    example: str
    least: float = -math.inf
    positive: bool = False
    reader: Callable[[str], float] | None = None

    def parse(self, text: Any) -> float:
        """Value [SI] of a user's text.

        Raises:
            ValueError: not a text with a fitting unit, or out of range.
        """
        if not isinstance(text, str):
            raise ValueError(f'write the unit: {text!r} could be anything, e.g. "{self._like(text)}"')
        try:
            value = self.reader(text) if self.reader else convert(text, self.unit)
        except ValueError as error:
            raise ValueError(f'{error}, e.g. "{self.example}"') from None
        if not math.isfinite(value):
            raise ValueError(f"{text!r} is not finite")
        if value < self.least or (self.positive and value <= self.least):
            bound = "above" if self.positive else "at least"
            raise ValueError(f"{text!r} is out of range: it must be {bound} {self.least:g} {self.unit}")
        return value

    def _like(self, number: Any) -> str:
        """The number a user wrote, with the unit of the example."""
        return f"{number} {self.example.split(' ', 1)[1]}" if isinstance(number, int | float) else self.example

    def text(self, value: float) -> str:
        """What `parse` reads back to `value` [SI]."""
        return f"{value!r} {self.unit}"

    def annotation(self) -> tuple[Any, ...]:
        """Pydantic's validator, serialiser and JSON Schema of this quantity."""
        schema = {"type": "string", "description": f"a number with a unit, e.g. {self.example}", "examples": [self.example]}
        return (
            BeforeValidator(self.parse),
            PlainSerializer(self.text, when_used="json"),
            WithJsonSchema(schema),
        )


TEMPERATURE = Dimension("K", "-150 degC", reader=temperature)
TEMPERATURE_DIFFERENCE = Dimension("K", "10 K", 0.0)
TOLERANCE = Dimension("K", "0.01 K", 0.0, positive=True)
TEMPERATURE_RATE = Dimension("K/s", "55 degC/min", 0.0)
LENGTH = Dimension("m", "1 mm", 0.0, positive=True)
COORDINATE = Dimension("m", "0 mm")
DURATION = Dimension("s", "60 s", 0.0, positive=True)
TIME = Dimension("s", "60 s", 0.0)
HEAT_TRANSFER_COEFFICIENT = Dimension("W/m^2/K", "15 W/m^2/K", 0.0)
HEAT_FLUX = Dimension("W/m^2", "1 kW/m^2")
DENSITY = Dimension("kg/m^3", "1100 kg/m^3", 0.0, positive=True)
SPECIFIC_HEAT = Dimension("J/kg/K", "3000 J/kg/K", 0.0, positive=True)
CONDUCTIVITY = Dimension("W/m/K", "0.3 W/m/K", 0.0, positive=True)
FIELD_AMPLITUDE = Dimension("A/m", "20 kA/m", 0.0, reader=field_amplitude)
REFERENCE_FIELD = Dimension("A/m", "20 kA/m", 0.0, positive=True, reader=field_amplitude)
FREQUENCY = Dimension("Hz", "180 kHz", 0.0, positive=True)
IRON_CONCENTRATION = Dimension("kgFe/m^3", "10 mgFe/mL", 0.0, reader=iron_concentration)
SPECIFIC_POWER = Dimension("W/kgFe", "220 W/gFe", 0.0, reader=specific_power)

Temperature = Annotated[float, *TEMPERATURE.annotation()]
TemperatureDifference = Annotated[float, *TEMPERATURE_DIFFERENCE.annotation()]
Tolerance = Annotated[float, *TOLERANCE.annotation()]
TemperatureRate = Annotated[float, *TEMPERATURE_RATE.annotation()]
Length = Annotated[float, *LENGTH.annotation()]
Coordinate = Annotated[float, *COORDINATE.annotation()]
Duration = Annotated[float, *DURATION.annotation()]
Time = Annotated[float, *TIME.annotation()]
Density = Annotated[float, *DENSITY.annotation()]
SpecificHeat = Annotated[float, *SPECIFIC_HEAT.annotation()]
Conductivity = Annotated[float, *CONDUCTIVITY.annotation()]
FieldAmplitude = Annotated[float, *FIELD_AMPLITUDE.annotation()]
ReferenceField = Annotated[float, *REFERENCE_FIELD.annotation()]
Frequency = Annotated[float, *FREQUENCY.annotation()]
IronConcentration = Annotated[float, *IRON_CONCENTRATION.annotation()]
SpecificPower = Annotated[float, *SPECIFIC_POWER.annotation()]
