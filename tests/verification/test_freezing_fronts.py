"""Fronts of freezing and melting, against the exact solutions of Stefan and Neumann (Carslaw & Jaeger, chapter 11)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import erf, erfc

from nanowarm.numerics.heat import HeatEquation
from nanowarm.physics.curves import Curve, constant
from nanowarm.physics.freezing import Freezing
from nanowarm.physics.materials import Medium

MELTING = 273.15  # [K]
RANGE = 0.05  # [K] over which it freezes; the exact front is sharp
WIDTH = 1e-3  # [m] of the slab
LATENT = 334e6  # [J/m3]
LIQUID, SOLID = (0.56, 4.2e6), (2.22, 2.1e6)  # conductivity [W/m/K] and capacity [J/m3/K] of water and of ice
ENTHALPY = LIQUID[1] * (MELTING - 273.15)  # the capacity's integral begins at 273.15 K


def _water() -> Medium:
    """Water that freezes in equilibrium, to ice of half its capacity and four times its conductivity."""
    freezing = Freezing(
        melting=MELTING,
        solid=MELTING - RANGE,
        solute=0.5,
        concentrated=0.5005,  # so little more that the ice grows straight with the temperature
        latent_at_melting=LATENT,
        enthalpy_at_melting=ENTHALPY,
        enthalpy_at_solid=-200.0 * LIQUID[1],  # far below: ice has one capacity
        capacity_loss=1.0 - SOLID[1] / LIQUID[1],
        frozen_conductivity=constant(SOLID[0]),
    )
    return Medium("water", constant(LIQUID[1]), Curve(np.array([100.0, 400.0]), np.full(2, LIQUID[0])), freezing=freezing)


class Water(HeatEquation):
    """The heat equation of a body of water, whatever the case says it is."""

    def __init__(self, regions: Mapping[str, Any], *others: Any) -> None:
        super().__init__({name: replace(region, medium=_water()) for name, region in regions.items()}, *others)


def _front(cold: float, warm: float) -> float:
    """Neumann's lambda: the front is at 2 lambda sqrt(alpha_solid t) where the surface is `cold` degrees below melting."""
    (k_liquid, c_liquid), (k_solid, c_solid) = LIQUID, SOLID
    ratio = math.sqrt(k_solid / c_solid * c_liquid / k_liquid)

    def balance(x: float) -> float:
        """Heat conducted away at the front, less what arrives from the liquid and what freezing releases."""
        away = math.exp(-(x**2)) / erf(x)
        arriving = k_liquid / k_solid * ratio * warm / cold * math.exp(-((x * ratio) ** 2)) / erfc(x * ratio)
        return float(away - arriving - x * LATENT * math.sqrt(math.pi) / (c_solid * cold))

    return float(brentq(balance, 1e-6, 5.0))


def _solved(bench: Any, size: str, start: float, surface: float, *overrides: str) -> Any:
    bench.material("any", 4.2e6, 0.56)
    path = bench.case(
        "slab",
        {"thickness": "40 mm", "width": f"{WIDTH} m"},
        size,
        initial={"temperature": f"{start} degC"},
        regions={"body": {"material": "any.toml"}},
        boundaries={
            "left": {"kind": "fixed temperature", "value": f"{surface} degC"},
            "right": {"kind": "insulated"},
            "sides": {"kind": "insulated"},
        },
        stages=[{"name": "freeze", "duration": "600 s"}],
        solver={"ice": True},
    )
    return bench.solved(path, *overrides, equation=Water)


def _place(trial: Any) -> float:
    """The front [m]: the volume that is frozen over the cross-section of the slab."""
    return float(trial.heat.ice.now[0] @ trial.volume / WIDTH**2)


def test_the_exact_front_of_water_is_that_of_the_reference() -> None:
    assert _front(20.0, 5.0) == pytest.approx(0.2348077429, rel=1e-6)


def test_the_front_of_freezing_water_is_within_a_percent_of_neumann(bench: Any) -> None:
    trial = _solved(bench, "0.8 mm", 5.0, -20.0)
    exact = 2.0 * _front(20.0, 5.0) * math.sqrt(SOLID[0] / SOLID[1] * 600.0)
    assert _place(trial) == pytest.approx(exact, rel=0.01)
    assert trial.solution.energy["imbalance_relative"] < 1e-9
