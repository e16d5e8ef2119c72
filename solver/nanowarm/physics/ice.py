"""Ice that nucleates and grows in a supercooled solution: pointwise rate equations, calibrated to the two critical rates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from nanowarm.physics.sourced import Sourced
from nanowarm.quantity import MolarEnergy, Temperature, TemperatureDifference

CRITICAL_FRACTION = 0.002  # crystallised at a critical rate: the detection limit used by Fahy & Wowk


class NucleationAndGrowth(Sourced):
    """Nucleation around a temperature and thermally activated growth.

    Args:
        nucleation_temperature: at which nuclei form fastest [K].
        nucleation_width: standard deviation of the nucleation rate over temperature [K].
        activation_energy: of growth [J/mol].
        rate_product: nucleation rate times the cube of the growth rate, I0 U0^3 [1/s (K s)^-3].
        threshold: crystallised fraction at the critical rates.
    """

    kind: Literal["nucleation and growth"]
    nucleation_temperature: Temperature
    nucleation_width: TemperatureDifference
    activation_energy: MolarEnergy
    rate_product: Annotated[float, Field(gt=0.0)]
    threshold: Annotated[float, Field(gt=0.0, lt=0.1)] = CRITICAL_FRACTION

    def kinetics(self, melting: float, glass_transition: float) -> IceKinetics:
        """The rate equations between a glass transition and a melting temperature [K]."""
        return IceKinetics(
            melting, glass_transition, self.nucleation_temperature, self.nucleation_width, self.activation_energy,
            self.rate_product, self.threshold,
        )  # fmt: skip


class Equilibrium(Sourced):
    """Ice that is always as much as the liquidus allows: slow freezing, without supercooling."""

    kind: Literal["equilibrium"]

    def kinetics(self, melting: float, glass_transition: float) -> None:
        """It has none."""


AnyIce = Annotated[NucleationAndGrowth | Equilibrium, Field(discriminator="kind")]


@dataclass(frozen=True)
class IceKinetics:
    """Schneider's rate equations of one solution.

    Args:
        melting, glass_transition: [K]; ice neither nucleates nor grows outside them.
        nucleation_temperature, nucleation_width: [K].
        activation_energy: of growth [J/mol].
        rate_product: I0 U0^3 [1/s (K s)^-3].
        threshold: crystallised fraction at the critical rates.
    """

    melting: float
    glass_transition: float
    nucleation_temperature: float
    nucleation_width: float
    activation_energy: float
    rate_product: float
    threshold: float = CRITICAL_FRACTION
