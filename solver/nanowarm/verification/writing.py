"""The bodies, materials and sections of case files that the problems share."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from nanowarm.verification.problem import Body, Content

RADIUS = 10e-3  # [m] of balls and cylinders, and half the thickness of slabs
CAPACITY, CONDUCTIVITY, DENSITY = 2e6, 0.5, 1000.0  # [J/m3/K], [W/m/K], [kg/m3]
COLD, BATH = -150.0, 20.0  # [degC]
BIOT = 1.0
POWER = 1e5  # [W/m3] of the particles at FIELD and FREQUENCY
IRON = 10.0  # [kg/m3]
FIELD, FREQUENCY = 20e3, 100e3  # [A/m], [Hz]
SLENDERNESS = 0.4  # width of slabs over thickness: two cells across where there are five along
INSULATED = {"kind": "insulated"}
MEAN = "body_mean_degC"
PARTICLES = {"name": "./warmer.toml", "iron": f"{IRON} mgFe/mL"}

_INVENTED = {"source": "invented for a verification", "quality": "estimate"}

BALL = Body("sphere", RADIUS, "radius", lambda cells: {"radius": f"{RADIUS!r} m"})


def value(number: float, unit: str) -> dict[str, Any]:
    """A constant as the file of a material or particle has it; a number where it has no unit."""
    return _INVENTED | {"value": f"{number!r} {unit}" if unit else number}


def table(numbers: Mapping[float, float], unit: str) -> dict[str, Any]:
    """Numbers over temperatures [degC], straight between them and constant outside, as the file of a material has them."""
    return _INVENTED | {"at": [f"{at!r} degC" for at in numbers], "values": [f"{n!r} {unit}" for n in numbers.values()]}


def medium(name: str, **other: Content) -> dict[str, Content]:
    """File of a material by its name; `other` properties replace or join those of the usual one."""
    usual = {
        "name": name,
        "class": "other",
        "density": value(DENSITY, "kg/m^3"),
        "specific_heat": value(CAPACITY / DENSITY, "J/kg/K"),
        "conductivity": value(CONDUCTIVITY, "W/m/K"),
    }
    return {f"{name}.toml": usual | other}


def warmer(power: float = POWER) -> dict[str, Content]:
    """File of a particle whose IRON gives a power [W/m3] at FIELD and FREQUENCY, as the square of the field."""
    at = {"kind": "power law", "at_field": f"{FIELD!r} A/m", "at_frequency": f"{FREQUENCY!r} Hz"}
    heating = at | value(power / IRON / 1e3, "W/gFe") | {"field_exponent": 2.0, "frequency_exponent": 1.0}
    return {"warmer.toml": {"name": "warmer", "class": "particle", "specific_power": heating}}


def case(start: float, boundaries: Content, stage: Content, **body: Any) -> dict[str, Any]:
    """Sections of a case of one region `body` of jelly in the field that its heating is quoted at.

    Args:
        start: temperature [degC].
        boundaries: by surface.
        stage: keys of the only stage.
        body: keys of the region that replace or join its material.
    """
    return {
        "initial": {"temperature": f"{start!r} degC"},
        "regions": {"body": {"material": "./jelly.toml"} | body},
        "boundaries": dict(boundaries),
        "field": {"kind": "uniform", "amplitude": f"{FIELD!r} A/m", "frequency": f"{FREQUENCY!r} Hz"},
        "stages": [{"name": "only"} | dict(stage)],
        "output": output(centre=0.0),
    }


def output(**probes: float) -> dict[str, Any]:
    """The section `[output]`: the last row, no field file and no report, and probes at places along x [m]."""
    places = {name: [f"{place!r} m", "0 m", "0 m"] for name, place in probes.items()}
    return {"every": "1 h", "fields": [], "report": False, "probes": places}


def convection(ambient: float, biot: float = BIOT) -> dict[str, str]:
    """A surface in a bath [degC], at a Biot number of the usual material and RADIUS."""
    coefficient = f"{biot * CONDUCTIVITY / RADIUS!r} W/m^2/K"
    return {"kind": "convection", "coefficient": coefficient, "ambient": f"{ambient!r} degC"}


def held(temperature: float) -> dict[str, str]:
    """A surface that is kept at a temperature [degC]."""
    return {"kind": "fixed temperature", "value": f"{temperature!r} degC"}


def slab(thickness: float, across: str) -> Body:
    """A slab along x from 0 to its thickness [m], with a square cross-section that SLENDERNESS times that is wide."""
    parameters = {"thickness": f"{thickness!r} m", "width": f"{SLENDERNESS * thickness!r} m"}
    return Body("slab", thickness, across, lambda cells: parameters, nested=True)


def disc(radius: float) -> Body:
    """A slice of a cylinder [m], as high as two cells; with insulated ends it stands for an endless one."""

    def parameters(cells: int) -> dict[str, str]:
        """Of the recipe of an upright vial."""
        height = 2 * radius / cells
        return {"volume": f"{math.pi * radius**2 * height!r} m^3", "aspect": f"{height / (2 * radius)!r}"}

    return Body("vial", radius, "radius", parameters, dimension=2)
