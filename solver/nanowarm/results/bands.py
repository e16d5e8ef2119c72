"""How far the spreads of the library move the rate at which particles heat, and with it a margin, to first order.

Where particles heat and little is conducted, temperature rises as specific power times iron over heat capacity, so
relative spreads of these add up as squares. Source: JCGM 100:2008 (GUM), 4.3.7 (bounds as uniform distributions), 5.1.2.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanowarm.physics.spreads import spread_of
from nanowarm.quantity import number_and_unit

Row = Mapping[str, Any]
Array = NDArray[np.float64]

COVERAGE = 1.96  # standard deviations of a normal distribution that hold 95 %
LEAST_SHARE = 0.8  # of all heat, below which the particles don't rule the temperature
MOST_ICE = 0.01  # of what can freeze, on average, whose latent heat is under 1 % of the heat of a rewarming
_LEVELS = np.linspace(0.0, 1.0, 2001)[1:-1]
_ENDS = re.compile(r"(\S+ [^ ,]+)(?: to (\S+ [^ ,]+), \d+ points)?$")


@dataclass(frozen=True)
class Uncertainty:
    """Relative standard uncertainty of the rate at which particles heat a region, and what it comes from.

    Args:
        parts: of specific power, density and specific heat, and what else there is, by what they are of.
        unknown: values whose spread could not be read, and that are left out.
        reason: why none can be told, without a full stop; empty where one can.
    """

    parts: Mapping[str, float] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    reason: str = ""

    @property
    def relative(self) -> float:
        """All parts together, as the root of the sum of their squares."""
        return math.sqrt(sum(part**2 for part in self.parts.values()))

    @property
    def band(self) -> float:
        """Relative half-width that holds about 95 %."""
        return COVERAGE * self.relative


def region_uncertainty(region: str, case: Row, inputs: list[Row]) -> Uncertainty:
    """Of the rate at which particles heat a region, or why there is none.

    Args:
        region: its name.
        case: content of `case.toml`.
        inputs: of `record.json`.
    """
    content = case.get("regions", {}).get(region, {})
    particle = (content.get("particles") or {}).get("name")
    if not particle:
        return Uncertainty(reason=f"{region} holds no particles")
    power = _value(inputs, particle, "specific power")
    if power is None or "kind linear response" in str(power["value"]) or "kind hysteresis" in str(power["value"]):
        model = "a model of its size and barrier, whose spread is no part of the power"
        return Uncertainty(reason=f"the power of {particle} comes from {model}")
    parts, unknown = {}, []
    found = _standard(power)
    if found is None:
        return Uncertainty(reason=f"the spread of the specific power of {particle} can't be read")
    parts[f"specific power of {Path(particle).name}"] = found
    capacities = _capacities(content.get("material", ""), inputs)
    for material, (share, density, heat) in capacities.items():
        for row in (density, heat):
            one = _standard(row)
            if one is None:
                unknown.append(f"{row['what']} of {material}")
            else:
                parts[f"{row['what']} of {material}"] = share * one
    return Uncertainty(parts, tuple(unknown))


def _capacities(material: Any, inputs: list[Row]) -> dict[str, tuple[float, Row, Row]]:
    """Of each material in a region: its share of the heat capacity, density and specific heat."""
    mix = {material: 1.0} if isinstance(material, str) else dict(material.get("mix", {}))
    found, sizes = {}, {}
    for name, part in mix.items():
        density, heat = _value(inputs, name, "density"), _value(inputs, name, "specific heat")
        if density is not None and heat is not None:
            found[name] = density, heat
            sizes[name] = part * _middle(density["value"]) * _middle(heat["value"])
    whole = sum(sizes.values()) or 1.0
    return {Path(name).name: (sizes[name] / whole, *rows) for name, rows in found.items()}


def _value(inputs: list[Row], of: str, what: str) -> Row | None:
    """A value of the library as recorded."""
    return next((row for row in inputs if Path(row["of"]).name == Path(of).name and row["what"] == what), None)


def _middle(text: str) -> float:
    """A value, or the mean of the ends of its table, in the unit that the file gives; 1 where it can't be read."""
    found = _ENDS.match(text)
    if not found:
        return 1.0
    ends = [number_and_unit(end)[0] for end in found.groups() if end]
    return abs(sum(ends) / len(ends)) or 1.0


def relative_spread(inputs: list[Row], of: str, what: str) -> float | None:
    """Relative standard deviation of a recorded value; None where there is no such value or its spread can't be read."""
    row = _value(inputs, of, what)
    return None if row is None else _standard(row)


def _standard(row: Row) -> float | None:
    """Relative standard deviation of a value by its spread; None where that can't be read."""
    if not row.get("spread"):
        return None
    table = "points" in str(row["value"]) or str(row["value"]).startswith("kind")
    try:
        spread = spread_of(str(row["spread"]), None if table else row["value"], by_shift=False)
    except ValueError:
        return None
    return float(np.std(spread.distribution.quantile(_LEVELS)))


def heated_by_particles(energy: Row) -> bool:
    """Whether the field supplied nearly all heat that came in or went out."""
    flows = [abs(energy.get(part) or 0.0) for part in ("supplied", "inflow", "blood", "metabolism")]
    return sum(flows) > 0.0 and flows[0] >= LEAST_SHARE * sum(flows)


def held_back(case: Row, summary: Row) -> str | None:
    """Why temperatures of a run do not follow the power of its particles; None where they do."""
    stages = case.get("stages", [])
    if any(stage.get("control") or stage.get("search") for stage in stages):
        return "the amplitude was steered to reach a temperature, so a weaker particle would have got a stronger field"
    if any(stage.get("steady") for stage in stages):
        return "a steady state is no rise over time"
    if any(((region.get("ice_fraction") or {}).get("mean") or 0.0) > MOST_ICE for region in summary["regions"].values()):
        return "ice took up and gave off heat"
    if not heated_by_particles(summary.get("energy_J") or {}):
        return f"less than {100 * LEAST_SHARE:g} % of the heat came from particles: conduction rules"
    return None


def margin_sentence(row: Row, found: Uncertainty, inputs: list[Row], critical_of: str | None) -> str:
    """Whether the margin of a criterion on a warming rate is larger than what the spreads of its inputs do to it.

    Args:
        row: of the criteria in `summary.json`.
        found: uncertainty of the region's rate.
        inputs: of `record.json`.
        critical_of: material whose critical rate is the limit, None where the limit was given.
    """
    limit = _value(inputs, critical_of, "critical warming rate") if critical_of else None
    own = (_standard(limit) or 0.0) if limit else 0.0
    ratio = row["value"] / row["limit"]
    spread, margin = ratio * COVERAGE * math.hypot(found.relative, own), abs(ratio - 1.0)
    main = max(found.parts, key=lambda part: found.parts[part])
    low, high = max(0.0, row["value"] * (1.0 - found.band)), row["value"] * (1.0 + found.band)
    sizes = f"{100 * margin:.2g} %, is {{}} than the spread of the inputs, {100 * spread:.2g} % (95 %, first order)"
    if margin > spread:
        return f"The margin, {sizes.format('larger')}: the verdict does not hang on it."
    range_ = f"the rate may be {low:.3g} to {high:.3g} °C/min, mostly for the {main}"
    return f"The margin, {sizes.format('smaller')}: {range_}. The verdict may turn with better values."
