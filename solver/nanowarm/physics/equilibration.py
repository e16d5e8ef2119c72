"""Partly equilibrated organs: how strong the cryoprotectant is at each place, and what that does to glass and ice.

The key `concentration` of a region reads as one of `AnyConcentration`: relative to the solution at full strength, 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol

import numpy as np
from pydantic import BeforeValidator, Discriminator, Field, GetJsonSchemaHandler, Tag, WithJsonSchema, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from nanowarm import quantity
from nanowarm.model import Model, check_table, shown
from nanowarm.physics.distributions import Axial, Radial, Sampler, Uniform
from nanowarm.physics.iron_images import Array, Calibration, PlacedImage, Tabulated, calibration_kind
from nanowarm.physics.materials import Medium
from nanowarm.quantity import Coordinate

MOST = 1.2  # relative concentration: beyond, the laws below say nothing
WATER_GLASS_TRANSITION = 135.0  # [K] extrapolated to pure water: Inaba & Andersson (2007), Thermochim. Acta 461:44
WATER_MELTING = quantity.ZERO_CELSIUS
WATER_CRITICAL_COOLING_RATE = 2.5e6  # [K/s] geometric middle of the 1e6 to 6.4e6 that is reported for pure water

ASSUMPTIONS = (
    "critical rates fall exponentially with the relative concentration, from 2.5e6 K/s of pure water (geometric middle of 1e6 to "
    "6.4e6 K/s) to that of the solution at full strength; warming over cooling rate stays that of full strength (estimate; "
    "exponential dependence: Warkentin, Sethna & Thorne 2013, Phys. Rev. Lett. 110:015703)",
    "glass transition and melting change linearly with the relative concentration, from 135 K (Inaba & Andersson 2007, "
    "Thermochim. Acta 461:44) and 273.15 K of pure water to those of full strength (estimate; both really bend)",
    "ice forms as at full strength, over temperatures stretched between the shifted transitions and faster by as much as "
    "the critical rates ask for (estimate); heat capacity, conductivity and the most ice stay those of full strength",
)


def _relative(raw: Any) -> float:
    """A relative concentration, of a number or a text in per cent."""
    if isinstance(raw, str):
        value = quantity.convert(raw, "dimensionless")
    elif isinstance(raw, bool) or not isinstance(raw, int | float):
        raise ValueError(f'must be a number such as 0.9, or text such as "90 %"; found {shown(raw)}')
    else:
        value = float(raw)
    if not 0.0 < value <= MOST:
        per_cent = f'; for per cent write "{value:g} %"' if not isinstance(raw, str) and 10.0 <= value <= 100.0 * MOST else ""
        raise ValueError(f"must be above 0 and at most {MOST:g}, where 1 is full strength; found {shown(raw)}{per_cent}")
    return value


_SCHEMA: JsonSchemaValue = {
    "anyOf": [{"type": "number", "exclusiveMinimum": 0, "maximum": MOST}, {"type": "string", "examples": ["90 %"]}],
    "description": 'concentration relative to full strength, 1; e.g. 0.9 or "90 %"',
}
RelativeConcentration = Annotated[float, BeforeValidator(_relative), WithJsonSchema(_SCHEMA)]


class Equilibrator[Placed](Sampler[Placed], Protocol):
    """What brings a concentration onto a mesh; a record calls the one method that fits it."""

    def soaked(self, profile: DepthConcentration) -> Placed:
        """A concentration over the distance from surfaces."""

    def shown(self, image: ConcentrationImage) -> Placed:
        """A concentration that an image shows."""


class UniformConcentration(Uniform):
    """The same relative concentration everywhere."""

    value: RelativeConcentration

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [*_SCHEMA["anyOf"], handler.resolve_ref_schema(handler(schema))]}


class RadialConcentration(Radial):
    """A relative concentration over the distance from a point, or from a line through it.

    Args:
        values: relative concentrations at these distances.
    """

    values: tuple[RelativeConcentration, ...]


class AxialConcentration(Axial):
    """A relative concentration along a direction.

    Args:
        values: relative concentrations at these distances.
    """

    values: tuple[RelativeConcentration, ...]


class DepthConcentration(Model):
    """A relative concentration over the distance from where the solution soaks in.

    Linear between the given distances, constant beyond the last.

    Args:
        at: distances [m] from the surface, increasing.
        values: relative concentrations at these.
        through: outer surfaces and neighbouring regions that it soaks in from; the whole boundary where left out.
    """

    kind: Literal["depth"]
    at: Annotated[tuple[Coordinate, ...], Field(min_length=1)]
    values: tuple[RelativeConcentration, ...]
    through: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _matches(self) -> DepthConcentration:
        check_table(self.at, self.values, "depths", "concentrations")
        if self.at[0] < 0.0:
            raise ValueError(f"`at` are depths, which are not negative; found {1e3 * self.at[0]:g} mm")
        return self

    def concentration(self, depth: Array) -> Array:
        """Relative concentration at distances [m] from the surface, same shape."""
        return np.interp(depth, self.at, self.values)

    def placed[Placed](self, on: Equilibrator[Placed]) -> Placed:
        """This concentration on a mesh."""
        return on.soaked(self)


class LinearScale(Calibration):
    """Relative concentration = slope x value of the voxel + offset.

    Args:
        slope: per unit of the value of the voxel.
        offset: added to slope times the value.
    """

    kind: Literal["linear"] = "linear"
    slope: float = 1.0
    offset: float = 0.0

    @model_validator(mode="after")
    def _says_something(self) -> LinearScale:
        if self.slope == 0.0:
            raise ValueError("a slope of 0 says nothing of the image")
        return self

    def concentration(self, values: Array) -> Array:
        """Relative concentration of voxels, same shape."""
        return np.asarray(self.slope * values + self.offset)


class TabulatedScale(Tabulated):
    """Relative concentration over the value of a voxel, linear between calibrated points."""

    values: tuple[Annotated[float, Field(ge=0.0, le=MOST)], ...]


AnyScale = Annotated[
    Annotated[LinearScale, Tag("linear")] | Annotated[TabulatedScale, Tag("table")], Discriminator(calibration_kind)
]


class ConcentrationImage(PlacedImage):
    """A relative concentration that an image shows, linear between the centres of its voxels.

    Args:
        file: NIfTI, NRRD, MetaImage (.mha, .mhd) or VTK image (.vti); relative to the case file.
        calibration: relative concentration over the values of the voxels; the values themselves where left out.
    """

    kind: Literal["image"]
    file: Annotated[str, Field(min_length=1)]
    calibration: AnyScale = LinearScale()

    def placed[Placed](self, on: Equilibrator[Placed]) -> Placed:
        """This concentration on a mesh."""
        return on.shown(self)


def _tag(raw: Any) -> str | None:
    """Which kind of concentration a user wrote."""
    kind = raw.get("kind") if isinstance(raw, Mapping) else getattr(raw, "kind", "uniform")
    return "picture" if kind == "image" else kind


_WANTED = (
    'write a number such as 0.9, text such as "90 %", or a table whose `kind` is axial, depth, image, radial or uniform; '
    "1 is full strength"
)

AnyConcentration = Annotated[
    Annotated[UniformConcentration, Tag("uniform")]
    | Annotated[RadialConcentration, Tag("radial")]
    | Annotated[AxialConcentration, Tag("axial")]
    | Annotated[DepthConcentration, Tag("depth")]
    | Annotated[ConcentrationImage, Tag("picture")],
    Discriminator(_tag, custom_error_type="value_error", custom_error_context={"error": _WANTED}),
]


@dataclass(frozen=True)
class Equilibration:
    """What a relative concentration c does to transitions, critical rates and the formation of ice: `ASSUMPTIONS`.

    Args:
        full_glass_transition, full_melting: of the solution at full strength, c = 1 [K].
        full_cooling_rate, full_warming_rate: its critical rates [K/s].
    """

    full_glass_transition: float
    full_melting: float
    full_cooling_rate: float
    full_warming_rate: float

    def glass_transition(self, concentration: Array) -> Array:
        """Temperature [K] below which the solution is a glass, same shape."""
        return np.asarray(WATER_GLASS_TRANSITION + (self.full_glass_transition - WATER_GLASS_TRANSITION) * concentration)

    def melting(self, concentration: Array) -> Array:
        """Temperature [K] above which it holds no ice, same shape."""
        return np.asarray(WATER_MELTING + (self.full_melting - WATER_MELTING) * concentration)

    def critical_rate(self, concentration: Array, direction: int) -> Array:
        """Critical warming (1) or cooling (-1) rate [K/s], same shape."""
        full = self.full_warming_rate if direction > 0 else self.full_cooling_rate
        return np.asarray(full * self._times_faster(concentration))

    def reduced_temperature(self, concentration: Array) -> tuple[Array, Array]:
        """Scale and offset [K] of T' = scale T + offset, as far between the transitions of full strength as T between its own."""
        glass = self.glass_transition(concentration)
        scale = (self.full_melting - self.full_glass_transition) / (self.melting(concentration) - glass)
        return scale, self.full_glass_transition - scale * glass

    def time_scale(self, concentration: Array) -> Array:
        """How many times faster nuclei form and crystals grow than in the solution of full strength at T', same shape.

        At a rate v, T' changes by scale v. So with both rates s-fold, the ice is that of full strength at v scale / s,
        and s = scale CCR(c) / CCR(1) makes the ice at each critical rate the same.
        """
        scale, _ = self.reduced_temperature(concentration)
        return scale * self._times_faster(concentration)

    def _times_faster(self, concentration: Array) -> Array:
        """CCR(c) / CCR(1) of CCR(c) = CCR(0)^(1-c) CCR(1)^c."""
        return np.exp((1.0 - np.asarray(concentration)) * math.log(WATER_CRITICAL_COOLING_RATE / self.full_cooling_rate))


def equilibration_of(medium: Medium) -> Equilibration:
    """What a concentration does to a medium.

    Raises:
        ValueError: it does not say all that this follows from, or what can't be.
    """
    known = {
        "glass_transition": medium.glass_transition,
        "melting": medium.melting,
        "critical_cooling_rate": medium.critical_cooling_rate,
        "critical_warming_rate": medium.critical_warming_rate,
    }
    missing = [name for name, value in known.items() if value is None]
    if missing:
        hint = "a `concentration` needs it: add it to the material, or leave `concentration` out"
        raise ValueError(f"{medium.name} has no {', '.join(missing)}; {hint}")
    glass, melting, cooling, warming = (value or 0.0 for value in known.values())
    if cooling <= 0.0 or warming <= 0.0:
        raise ValueError(f"{medium.name} has a critical rate of 0, which no concentration changes: leave `concentration` out")
    if cooling >= WATER_CRITICAL_COOLING_RATE:
        raise ValueError(f"{medium.name}: its critical_cooling_rate of {cooling:g} K/s is not below that of water")
    found = Equilibration(glass, melting, cooling, warming)
    if melting <= glass or found.melting(np.array(MOST)) <= found.glass_transition(np.array(MOST)):
        raise ValueError(f"{medium.name}: its melting at {melting:g} K is too close to its glass_transition at {glass:g} K")
    return found
