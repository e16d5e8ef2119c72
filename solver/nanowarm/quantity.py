"""Text with a unit to float in SI, and back: the only place that converts.

Units are pint's, with two bases of their own for iron: `gFe` (grams of iron) is a dimension that plain
grams do not match, because magnetite is only 72.36 % iron and a missing basis would be a factor 1.38.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

if TYPE_CHECKING:
    import pint

VACUUM_PERMEABILITY = 1.25663706127e-6  # [N/A2], CODATA 2022
ZERO_CELSIUS = 273.15  # [K], by definition

_TEXT = re.compile(r"\s*([-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)\s*(.*?)\s*")
_SPELLINGS = str.maketrans({"−": "-", "·": "*", "⋅": "*", "×": "*", "µ": "u", "μ": "u"})
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")


@cache
def _registry() -> pint.UnitRegistry[float]:
    import pint

    registry: pint.UnitRegistry[float] = pint.UnitRegistry(cache_folder=None)
    registry.define("gram_iron = [iron_mass] = gFe")
    return registry


def number_and_unit(text: str) -> tuple[float, str]:
    """The number and the unit of a text, as written."""
    plain = re.sub(f"[{'⁰¹²³⁴⁵⁶⁷⁸⁹⁻'}]+", lambda raised: f"^{raised[0].translate(_RAISED)}", text.translate(_SPELLINGS))
    match = _TEXT.fullmatch(plain)
    if match is None:
        raise ValueError(f"{text!r} is not a number with a unit")
    symbols = match[2].replace("°C", "degC").replace("℃", "degC")
    if re.match(r"(?!1/)[0-9]|[-+.,]", symbols):
        raise ValueError(f"{text!r} is not one number with a unit; decimals have a point, thousands nothing between")
    return float(match[1]), symbols


def _factor(symbols: str, unit: str) -> float:
    """Number of `unit` in one of the unit written as `symbols`; both without offset."""
    registry = _registry()
    written = symbols
    symbols = re.sub(r"\b(degC|celsius|degree_Celsius)\b", "kelvin", symbols)
    if re.search(r"[0-9.][\s)]*(?:\^|\*\*)", symbols):  # the power of a number could take for ever
        raise ValueError(f"unknown unit {written!r}")
    try:
        given = registry.Quantity(1.0, registry.Unit(symbols)).to_root_units()
    except Exception as error:  # pint raises a dozen kinds for one cause: a unit it can't read
        raise ValueError(f"unknown unit {written!r}") from error
    wanted = registry.Quantity(1.0, registry.Unit(unit)).to_root_units()
    if given.units != wanted.units:
        if "radian" in str(given.units) and "radian" not in str(wanted.units):
            raise ValueError(f"{written!r} is an angle per time, off by 2 pi: write it in {unit}")
        raise ValueError(f"{written!r} is not a unit of this quantity: allowed is what converts to {unit}")
    return float(given.magnitude / wanted.magnitude)


def convert(text: str, unit: str) -> float:
    """Value of a text such as "1.3 mL" in `unit`.

    A temperature in `degC` counts as a difference here; see `temperature` for absolute ones.

    Raises:
        ValueError: no number, no unit, an unknown unit, or one of another dimension.
    """
    number, symbols = number_and_unit(text)
    if not symbols:
        raise ValueError(f"write the unit: {text.strip()} could be anything")
    return number * _factor(symbols, unit)


def temperature(text: str) -> float:
    """Absolute temperature [K] of a text in `degC` or `K`.

    Raises:
        ValueError: another unit, none, or below absolute zero.
    """
    number, symbols = number_and_unit(text)
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
    number, symbols = number_and_unit(text)
    if re.search(r"rms|eff|peak|pk|pp\b", symbols, re.IGNORECASE):
        raise ValueError(f"{text.strip()!r}: amplitudes are always peak: write the unit alone, an RMS value times 1.4142")
    if re.fullmatch(r"[munkM]?T|tesla|millitesla", symbols):
        return convert(text, "T") / VACUUM_PERMEABILITY
    if symbols.lower() in ("oe", "oersted", "g", "gauss"):  # as many gauss of mu0 H as oersted of H
        return number * 1000.0 / (4.0 * math.pi)
    return convert(text, "A/m")


def current(text: str) -> float:
    """Peak amplitude [A] of an alternating current."""
    if re.search(r"rms|eff|peak|pk|pp\b", text, re.IGNORECASE):
        raise ValueError(f"{text.strip()!r}: currents are always peak: write the unit alone, an RMS value times 1.4142")
    return convert(text, "A")


def _iron(text: str, unit: str) -> float:
    _, symbols = number_and_unit(text)
    if symbols and "gFe" not in symbols:
        raise ValueError(
            f"{text.strip()!r} does not say per mass of what: iron is always given per mass of iron, in {unit} "
            "or its like (magnetite is 72.36 % iron by mass)"
        )
    return convert(text, unit)


def iron_concentration(text: str) -> float:
    """Iron concentration [kg iron / m3] of a text such as "10 mgFe/mL"."""
    return _iron(text, "mgFe/mL")


def iron_mass(text: str) -> float:
    """Mass of iron [kg iron] of a text such as "5 mgFe"."""
    return _iron(text, "mgFe") * 1e-6


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
        most: largest allowed value in SI: far beyond anything that can be built, so that nothing overflows.
        reader: turns a text into SI; by default any unit that converts to `unit`.
    """

    unit: str
    example: str
    least: float = -math.inf
    positive: bool = False
    most: float = math.inf
    reader: Callable[[str], float] | None = None

    def parse(self, text: Any) -> float:
        """Value [SI] of a user's text.

        Raises:
            ValueError: not a text with a fitting unit, or out of range.
        """
        if not isinstance(text, str):
            raise ValueError(self._no_text(text))
        try:
            value = self.reader(text) if self.reader else convert(text, self.unit)
        except ValueError as error:
            raise ValueError(f'{error}, e.g. "{self.example}"') from None
        if not math.isfinite(value):
            raise ValueError(f"{text!r} is not finite")
        if value < self.least or (self.positive and value <= self.least):
            bound = "above" if self.positive else "at least"
            raise ValueError(f"{text!r} is out of range: it must be {bound} {self.least:g} {self.unit}")
        if abs(value) > self.most * (1.0 + 1e-12):  # what the conversion may round
            raise ValueError(f"{text!r} is out of range: it must be at most {self.most:g} {self.unit}")
        return value

    def _no_text(self, found: Any) -> str:
        """What to say of something that is no text."""
        if isinstance(found, bool) or not isinstance(found, int | float):
            what = "a list" if isinstance(found, tuple | list) else "a section of keys" if isinstance(found, Mapping) else found
            return f'must be text with a unit, e.g. "{self.example}"; found {what}'
        like = f"{found} {self.example.split(' ', 1)[1]}" if math.isfinite(found) else self.example
        return f'write the unit: {found} could be anything, e.g. "{like}"'

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


TEMPERATURE = Dimension("K", "-150 degC", most=1e5, reader=temperature)
TEMPERATURE_DIFFERENCE = Dimension("K", "10 K", 0.0, most=1e5)
TOLERANCE = Dimension("K", "0.01 K", 0.0, positive=True, most=1e3)
TEMPERATURE_RATE = Dimension("K/s", "55 degC/min", 0.0, most=1e9)
VOLUME = Dimension("m^3", "1.3 mL", 0.0, positive=True, most=1e3)
LENGTH = Dimension("m", "1 mm", 0.0, positive=True, most=1e3)
COORDINATE = Dimension("m", "0 mm", most=1e3)
DURATION = Dimension("s", "60 s", 0.0, positive=True, most=1e10)
TIME = Dimension("s", "60 s", 0.0, most=1e10)
HEAT_TRANSFER_COEFFICIENT = Dimension("W/m^2/K", "15 W/m^2/K", 0.0, most=1e9)
HEAT_FLUX = Dimension("W/m^2", "1 kW/m^2", most=1e12)
DENSITY = Dimension("kg/m^3", "1100 kg/m^3", 0.0, positive=True, most=1e5)
SPECIFIC_HEAT = Dimension("J/kg/K", "3000 J/kg/K", 0.0, positive=True, most=1e7)
CONDUCTIVITY = Dimension("W/m/K", "0.3 W/m/K", 0.0, positive=True, most=1e6)
FIELD_AMPLITUDE = Dimension("A/m", "20 kA/m", 0.0, most=1e9, reader=field_amplitude)
REFERENCE_FIELD = Dimension("A/m", "20 kA/m", 0.0, positive=True, most=1e9, reader=field_amplitude)
CURRENT = Dimension("A", "300 A", 0.0, most=1e9, reader=current)
LEVEL = Dimension("dimensionless", "100 %", 0.0, most=1e9)
FIELD_PRODUCT = Dimension("A/m/s", "4.85e8 A/m/s", 0.0, positive=True, most=1e18)
ELECTRICAL_CONDUCTIVITY = Dimension("S/m", "0.2 S/m", 0.0, most=1e8)
FREQUENCY = Dimension("Hz", "180 kHz", 0.0, positive=True, most=1e12)
IRON_CONCENTRATION = Dimension("kgFe/m^3", "10 mgFe/mL", 0.0, most=7874.0, reader=iron_concentration)  # solid iron
SPECIFIC_POWER = Dimension("W/kgFe", "220 W/gFe", 0.0, most=1e12, reader=specific_power)
PARTICLE_DIAMETER = Dimension("m", "14 nm", 0.0, positive=True, most=1e-3)
COATING_THICKNESS = Dimension("m", "2 nm", 0.0, most=1e-3)
MAGNETIZATION = Dimension("A/m", "446 kA/m", 0.0, positive=True, most=1e7)
ANISOTROPY = Dimension("J/m^3", "23 kJ/m^3", 0.0, positive=True, most=1e9)
ATTEMPT_TIME = Dimension("s", "1e-9 s", 0.0, positive=True, most=1.0)
VISCOSITY = Dimension("Pa*s", "0.89 mPa*s", 0.0, positive=True, most=1e300)
BLOCH_COEFFICIENT = Dimension("1/K^1.5", "1.26e-5 1/K^1.5", 0.0, most=1.0)
FIELD_GRADIENT = Dimension("T/m", "10 T/m", 0.0, most=1e9)

Temperature = Annotated[float, *TEMPERATURE.annotation()]
TemperatureDifference = Annotated[float, *TEMPERATURE_DIFFERENCE.annotation()]
Tolerance = Annotated[float, *TOLERANCE.annotation()]
TemperatureRate = Annotated[float, *TEMPERATURE_RATE.annotation()]
Length = Annotated[float, *LENGTH.annotation()]
Volume = Annotated[float, *VOLUME.annotation()]
Coordinate = Annotated[float, *COORDINATE.annotation()]
Duration = Annotated[float, *DURATION.annotation()]
Time = Annotated[float, *TIME.annotation()]
Density = Annotated[float, *DENSITY.annotation()]
SpecificHeat = Annotated[float, *SPECIFIC_HEAT.annotation()]
Conductivity = Annotated[float, *CONDUCTIVITY.annotation()]
FieldAmplitude = Annotated[float, *FIELD_AMPLITUDE.annotation()]
ReferenceField = Annotated[float, *REFERENCE_FIELD.annotation()]
FieldProduct = Annotated[float, *FIELD_PRODUCT.annotation()]
ElectricalConductivity = Annotated[float, *ELECTRICAL_CONDUCTIVITY.annotation()]
Frequency = Annotated[float, *FREQUENCY.annotation()]
IronConcentration = Annotated[float, *IRON_CONCENTRATION.annotation()]
SpecificPower = Annotated[float, *SPECIFIC_POWER.annotation()]
ParticleDiameter = Annotated[float, *PARTICLE_DIAMETER.annotation()]
CoatingThickness = Annotated[float, *COATING_THICKNESS.annotation()]
Magnetization = Annotated[float, *MAGNETIZATION.annotation()]
Anisotropy = Annotated[float, *ANISOTROPY.annotation()]
AttemptTime = Annotated[float, *ATTEMPT_TIME.annotation()]
Viscosity = Annotated[float, *VISCOSITY.annotation()]
BlochCoefficient = Annotated[float, *BLOCH_COEFFICIENT.annotation()]

ANGLE = Dimension("rad", "90 deg", most=1e3)
IRON_MASS = Dimension("kgFe", "5 mgFe", 0.0, positive=True, most=1e3, reader=iron_mass)

Angle = Annotated[float, *ANGLE.annotation()]
IronMass = Annotated[float, *IRON_MASS.annotation()]


def flow_through_tissue(text: str, unit: str) -> float:
    """Value in `unit` of a text such as "56 mL/min/100g", which pint would refuse or take for times g."""
    number, symbols = number_and_unit(text)
    if not symbols:
        raise ValueError(f"write the unit: {text.strip()} could be anything")
    amount = re.search(r"(?<=/)\s*(\(?)\s*([1-9][0-9]*)\s*\*?\s*(?=[A-Za-z])", symbols)
    if amount is not None:
        number /= float(amount[2])
        symbols = symbols[: amount.start()] + amount[1] + symbols[amount.end() :]
    return number * _factor(symbols, unit)


# most: its own volume of blood in a second, ten times what a kidney takes
PERFUSION = tuple(
    Dimension(unit, example, 0.0, most=most, reader=partial(flow_through_tissue, unit=unit))
    for unit, example, most in (("m^3/kg/s", "558 mL/min/kg", 1e-3), ("1/s", "0.01 1/s", 1.0), ("kg/m^3/s", "10 kg/m^3/s", 1e3))
)
VOLUMETRIC_POWER = Dimension("W/m^3", "11 kW/m^3", 0.0, most=1e12)
VolumetricPower = Annotated[float, *VOLUMETRIC_POWER.annotation()]
PRESSURE = Dimension("Pa", "3.2 MPa", 0.0, positive=True, most=1e14)
EXPANSION = Dimension("1/K", "6.7e-5 1/K", -1e-2, most=1e-1)

Pressure = Annotated[float, *PRESSURE.annotation()]
Expansion = Annotated[float, *EXPANSION.annotation()]
