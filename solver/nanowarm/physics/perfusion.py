"""Blood that cools or warms living tissue: Pennes' term, at a rate that is constant or follows the temperature."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from pydantic import BeforeValidator, Field, field_validator, model_validator

from nanowarm.model import Model, check_table, shown
from nanowarm.physics.blood_flow import PerfusionRate
from nanowarm.physics.curves import Array, Curve, constant
from nanowarm.physics.materials import Material, Medium
from nanowarm.quantity import ZERO_CELSIUS, Temperature

SPACING = 0.02  # [K] between the knots of the heat over temperature, where the rate changes
COLDEST_BLOOD = 223.15  # [K]; nothing flows below, and "37 K" is a slip

PENNES = (
    "Perfusion is Pennes' term: blood comes at the arterial temperature everywhere and leaves at that of the tissue. "
    "It overstates the cooling by capillaries (by about 0.75 K in the tumour of Wirthl 2025, arXiv 2502.01248) and knows "
    "nothing of large vessels, which cool what is beside them."
)
SHUTDOWN = "Perfusion falls with damage as exp(-damage): the same for every vessel, and it does not come back."


@dataclass(frozen=True, eq=False)
class VolumeRate:
    """Volume of blood per volume of tissue and time, over temperature.

    Args:
        rate: [1/s] at temperatures [K], same shape.
        bends: temperatures [K], increasing, between which it is smooth; it is constant outside them.
        remarks: what a reader should know of it.
    """

    rate: Callable[[Array], Array]
    bends: tuple[float, ...] = ()
    remarks: tuple[str, ...] = ()


class ConstantRate(Model):
    """The same blood flow at every temperature."""

    kind: Literal["constant"]
    value: PerfusionRate

    def over_temperature(self, tissue_density: float, blood_density: float) -> VolumeRate:
        """Volume of blood per volume of tissue and time; densities in kg/m3."""
        return VolumeRate(constant(self.value.blood_volume_rate(tissue_density, blood_density)))


class RateTable(Model):
    """Blood flow over temperature: linear between the points of a table, constant outside them.

    Args:
        at: temperatures [K], increasing.
        values: blood flow at these temperatures.
    """

    kind: Literal["table"] = "table"
    at: tuple[Temperature, ...]
    values: tuple[PerfusionRate, ...]

    @model_validator(mode="after")
    def _matches(self) -> RateTable:
        check_table(self.at, self.values, "temperatures", "rates")
        if not self.at:
            raise ValueError("`at` and `values` are empty: give at least one temperature and its rate")
        return self

    def over_temperature(self, tissue_density: float, blood_density: float) -> VolumeRate:
        """Volume of blood per volume of tissue and time; densities in kg/m3."""
        rates = [flow.blood_volume_rate(tissue_density, blood_density) for flow in self.values]
        return VolumeRate(Curve(np.array(self.at), np.array(rates)), self.at)


class LangRate(Model):
    """Blood flow as heated tissue has it: muscle and fat open their vessels, tumours lose theirs.

        muscle  0.45 + 3.55 exp(-(T - 45)^2 / 12) up to 45 degC, 4.00 above       [kg/m3/s]
        fat     0.36 + 0.36 exp(-(T - 45)^2 / 12) up to 45 degC, 0.72 above
        tumour  0.833 up to 37 degC, 0.833 - (T - 37)^4.8 / 5438 up to 42 degC, 0.416 above

    Source: Lang, Erdmann & Seebass (1999), IEEE Trans. Biomed. Eng. 46:1129; read second-hand.

    Args:
        of: the tissue whose blood flow it is.
    """

    kind: Literal["Lang"]
    of: Literal["muscle", "fat", "tumour"]

    def blood_mass_rate(self, temperature: ArrayLike) -> Array:
        """Mass of blood per volume of tissue and time [kg/m3/s] at temperatures [K], same shape."""
        celsius = np.asarray(temperature, dtype=float) - ZERO_CELSIUS
        if self.of == "tumour":
            falling = 0.833 - np.clip(celsius - 37.0, 0.0, 5.0) ** 4.8 / 5438.0
            return np.where(celsius > 42.0, 0.416, falling)
        base, rise = {"muscle": (0.45, 3.55), "fat": (0.36, 0.36)}[self.of]
        return np.asarray(base + rise * np.exp(-(np.minimum(celsius - 45.0, 0.0) ** 2) / 12.0))

    def over_temperature(self, tissue_density: float, blood_density: float) -> VolumeRate:
        """Volume of blood per volume of tissue and time; densities in kg/m3."""
        bends = (37.0, 42.0) if self.of == "tumour" else (25.0, 45.0)  # below 25 degC the rise is under 1e-14
        remarks = [f"The perfusion of {self.of} after Lang (1999) is the curve's own, not the material's."]
        if self.of == "tumour":
            above, below = 0.416, 0.833 - 5.0**4.8 / 5438.0
            remarks.append(f"Lang's curve for tumours jumps by {abs(above - below):.1g} kg/m3/s at 42 degC, as published.")
        return VolumeRate(
            lambda temperature: self.blood_mass_rate(temperature) / blood_density,
            tuple(bend + ZERO_CELSIUS for bend in bends),
            tuple(remarks),
        )


def _with_kind(raw: Any) -> Any:
    """A rate as a section with its `kind`: a text is a constant, a section without one a table."""
    if isinstance(raw, Mapping):
        return {"kind": "table"} | dict(raw)
    return {"kind": "constant", "value": raw} if isinstance(raw, str | int | float | tuple) else raw


AnyRate = Annotated[
    ConstantRate | LangRate | RateTable,
    Field(discriminator="kind"),
    BeforeValidator(_with_kind, json_schema_input_type=str | ConstantRate | LangRate | RateTable),
]


@dataclass(frozen=True, eq=False)
class Perfusion:
    """Blood that enters at its own temperature and leaves at that of the tissue.

    Source: Pennes (1948), J. Appl. Physiol. 1:93.

    Args:
        flow: volume of blood per volume of tissue and time.
        blood_capacity: volumetric heat capacity of the blood [J/m3/K].
        arterial: temperature [K] of the blood that comes.
        stops_with_damage: whether damaged tissue loses its blood flow.
    """

    flow: VolumeRate
    blood_capacity: float
    arterial: float
    stops_with_damage: bool = False

    def coefficient(self, temperature: ArrayLike) -> Array:
        """Heat exchanged per kelvin between blood and tissue [W/m3/K] at temperatures [K], same shape."""
        return np.asarray(self.blood_capacity * self.flow.rate(np.asarray(temperature, dtype=float)))

    def power(self, temperature: ArrayLike) -> Array:
        """Heat released [W/m3] in undamaged tissue, same shape; negative where it is hotter than the blood."""
        return np.asarray(self.coefficient(temperature) * (self.arterial - np.asarray(temperature, dtype=float)))

    def open_share(self, damage: ArrayLike) -> Array:
        """Share of the blood flow that is left at a damage (Arrhenius integral), same shape: exp(-damage), or 1."""
        damage = np.asarray(damage, dtype=float)
        return np.exp(-damage) if self.stops_with_damage else np.ones_like(damage)

    def curve(self, coldest: float, hottest: float) -> Curve:
        """`power` [W/m3] between two temperatures [K], exact at its knots and linear between them."""
        bends = np.unique(np.clip(self.flow.bends, coldest, hottest))
        pieces = [np.linspace(low, high, 1 + math.ceil((high - low) / SPACING)) for low, high in itertools.pairwise(bends)]
        beyond = bends[-1:] + SPACING  # a jump at the last bend is spread over one piece
        knots = np.unique(np.concatenate([[coldest], *pieces, beyond[beyond < hottest], [hottest]]))
        return Curve(knots, self.power(knots))

    def slope_bound(self, coldest: float, hottest: float) -> float:
        """Largest change of the `curve` with temperature, either way [W/m3/K]."""
        curve = self.curve(coldest, hottest)
        return float(np.abs(np.diff(curve.values) / np.diff(curve.at)).max())

    def notes(self) -> tuple[str, ...]:
        """What a reader should know before believing the cooling by blood."""
        return (PENNES, *self.flow.remarks, *((SHUTDOWN,) if self.stops_with_damage else ()))


class PerfusionInput(Model):
    """Blood flow in a region.

    Args:
        rate: a text, a table over temperature, or a published curve; the material's own where left out.
        arterial: temperature [K] of the blood that comes.
        blood: library name or path of the material that flows; a perfusate will do as well.
        shutdown: whether damaged tissue loses its blood flow.
    """

    rate: AnyRate | None = None
    arterial: Temperature = Field(default="37 degC", validate_default=True)
    blood: Annotated[str, Field(min_length=1)] = "blood"
    shutdown: Literal["none", "damage"] = "none"

    @field_validator("arterial")
    @classmethod
    def _flows(cls, arterial: float) -> float:
        if arterial < COLDEST_BLOOD:
            raise ValueError(f'nothing flows at {arterial:g} K: give the temperature of the blood, e.g. "37 degC"')
        return arterial

    def acting(self, tissue: Medium, blood: Material) -> Perfusion:
        """The heat that blood brings to a tissue.

        Raises:
            ValueError: neither this section nor the tissue has a rate.
        """
        density = blood.density.value
        if self.rate is not None:
            flow = self.rate.over_temperature(tissue.density, density)
        else:
            own = tissue.blood_volume_rate(density)
            if own is None:
                raise ValueError(f'{tissue.name} has no perfusion of its own: give a rate, e.g. "558 mL/min/kg"')
            flow = VolumeRate(constant(own))
        capacity = density * float(blood.specific_heat.curve()(self.arterial))
        return Perfusion(flow, capacity, self.arterial, self.shutdown == "damage")


def _in_full(raw: Any) -> Any:
    """A region's `perfusion` as a section: `true` is the material's own, a text its rate, `false` none."""
    if isinstance(raw, bool):
        return {} if raw else None
    if isinstance(raw, str):
        return {"rate": raw}
    if isinstance(raw, int | float | tuple):
        raise ValueError(f'must be true (the material\'s own), a rate such as "558 mL/min/kg", or a section; found {shown(raw)}')
    return raw


PerfusionUse = Annotated[
    PerfusionInput | None, BeforeValidator(_in_full, json_schema_input_type=bool | str | PerfusionInput | None)
]
