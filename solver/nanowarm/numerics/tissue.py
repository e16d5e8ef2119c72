"""Living tissue: heat that blood carries and that metabolism releases, at every node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from nanowarm.numerics.heating import COLDEST, HOTTEST, Source
from nanowarm.numerics.ledger import BLOOD, METABOLISM
from nanowarm.numerics.operators import Integrals
from nanowarm.numerics.thermodynamics import Thermodynamics
from nanowarm.physics.fields import AnyField
from nanowarm.physics.perfusion import Perfusion
from nanowarm.shelf import Region

Array = NDArray[np.float64]


class Tissue(Source, Protocol):
    """A source of heat that damage may change."""

    def weaken(self, damage: Mapping[str, Array]) -> bool:
        """Take over the damage at own nodes, by region; regions left out have none. Returns whether that changes the heat."""


def living(regions: Mapping[str, Region], operators: Integrals, thermo: Thermodynamics, volume: Array) -> list[Tissue]:
    """The heat sources of the regions that are perfused or have a metabolism."""
    owned = volume.size
    share = {name: operators.mass[name][:owned] / volume for name in regions}
    found: list[Tissue] = []
    constant = {n: r.perfusion for n, r in regions.items() if r.perfusion and not r.perfusion.flow.bends}
    changing = {n: r.perfusion for n, r in regions.items() if r.perfusion and r.perfusion.flow.bends}
    if constant:
        found.append(ConstantPerfusion(constant, share, thermo, volume))
    found += [ChangingPerfusion(name, perfusion, share[name], thermo, volume) for name, perfusion in changing.items()]
    if any(region.metabolism for region in regions.values()):
        power = sum((region.metabolism * share[name] for name, region in regions.items()), np.zeros(owned))
        found.append(Metabolism(power, volume))
    return found


class ConstantPerfusion:
    """Pennes' term W (T_a - T) of all regions whose blood flow does not follow the temperature.

    Args:
        perfusions: by region.
        share: of each region in the volume of own nodes.
        thermo: temperatures.
        volume: [m3] of own nodes.
    """

    ledger = BLOOD

    def __init__(
        self, perfusions: Mapping[str, Perfusion], share: Mapping[str, Array], thermo: Thermodynamics, volume: Array
    ) -> None:
        self.thermo, self._volume, self._perfusions = thermo, volume, perfusions
        self._share = {name: share[name] for name in perfusions}
        self._work = np.empty(volume.size)
        self._mix({})

    def begin(self, field: AnyField, shape: Array, most: float, steered: bool) -> None:
        """It knows nothing of fields."""

    def weaken(self, damage: Mapping[str, Array]) -> bool:
        """Take over the damage at own nodes, by region; regions left out have none."""
        stopping = {n: damage[n] for n, perfusion in self._perfusions.items() if n in damage and perfusion.stops_with_damage}
        if stopping:
            self._mix(stopping)
        return bool(stopping)

    def _mix(self, damage: Mapping[str, Array]) -> None:
        """Put the blood flow of all regions together."""
        self._arriving, self._exchange = np.zeros(self._volume.size), np.zeros(self._volume.size)
        for name, perfusion in self._perfusions.items():
            exchange = self._share[name] * float(perfusion.coefficient(perfusion.arterial))
            if name in damage:
                exchange = exchange * perfusion.open_share(damage[name])
            self._exchange += exchange
            self._arriving += exchange * perfusion.arterial

    def add(self, drive: float, rates: Array) -> float:
        """Add the heating [W/m3]; its sum [W]."""
        temperature = self.thermo.temperature()[: self._work.size]
        np.multiply(self._exchange, temperature, out=self._work)
        np.subtract(self._arriving, self._work, out=self._work)
        np.add(rates, self._work, out=rates)
        return float(self._work @ self._volume)

    def slope(self) -> float:
        """Bound on the change of the heating with temperature [W/m3/K]."""
        return max(float(perfusion.coefficient(perfusion.arterial)) for perfusion in self._perfusions.values())


class ChangingPerfusion:
    """Pennes' term of one region whose blood flow follows the temperature.

    Args:
        region: its name.
        perfusion: its blood flow.
        share: of the region in the volume of own nodes.
        thermo: temperatures.
        volume: [m3] of own nodes.
    """

    ledger = BLOOD

    def __init__(self, region: str, perfusion: Perfusion, share: Array, thermo: Thermodynamics, volume: Array) -> None:
        self.region, self.perfusion, self._share, self._weight = region, perfusion, share, share
        self.thermo, self._volume = thermo, volume
        self._table = thermo.tabulated(perfusion.curve(COLDEST, HOTTEST))
        self._power, self._work = np.empty(thermo.size), np.empty(volume.size)

    def begin(self, field: AnyField, shape: Array, most: float, steered: bool) -> None:
        """It knows nothing of fields."""

    def weaken(self, damage: Mapping[str, Array]) -> bool:
        """Take over the damage at own nodes, by region; regions left out have none."""
        if self.region not in damage or not self.perfusion.stops_with_damage:
            return False
        self._weight = self._share * self.perfusion.open_share(damage[self.region])
        return True

    def add(self, drive: float, rates: Array) -> float:
        """Add the heating [W/m3]; its sum [W]."""
        self.thermo.look_up(self._table, self._power)
        np.multiply(self._weight, self._power[: self._work.size], out=self._work)
        np.add(rates, self._work, out=rates)
        return float(self._work @ self._volume)

    def slope(self) -> float:
        """Bound on the change of the heating with temperature [W/m3/K]."""
        return self.perfusion.slope_bound(COLDEST, HOTTEST)


class Metabolism:
    """Heat that tissue releases at any temperature.

    Args:
        power: [W/m3] at own nodes.
        volume: [m3] of own nodes.
    """

    ledger = METABOLISM

    def __init__(self, power: Array, volume: Array) -> None:
        self._power, self._total = power, float(power @ volume)

    def begin(self, field: AnyField, shape: Array, most: float, steered: bool) -> None:
        """It knows nothing of fields."""

    def weaken(self, damage: Mapping[str, Array]) -> bool:
        """It goes on in damaged tissue: what it does there is not known."""
        return False

    def add(self, drive: float, rates: Array) -> float:
        """Add the heating [W/m3]; its sum [W]."""
        np.add(rates, self._power, out=rates)
        return self._total

    def slope(self) -> float:
        """It does not depend on temperature."""
        return 0.0
