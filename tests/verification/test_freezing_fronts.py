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
DURATION = 600.0  # [s]
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


def _front(near: float, far: float) -> float:
    """Neumann's lambda: the front is at 2 lambda sqrt(alpha t), with the diffusivity of the phase between it and the surface.

    Args:
        near: temperature [degC] of the surface: water freezes from it below 0, ice melts above.
        far: temperature [degC] of the body at first, on the other side of 0.
    """
    (k, c), (k_far, c_far) = (SOLID, LIQUID) if near < 0.0 else (LIQUID, SOLID)
    ratio = math.sqrt(k / c * c_far / k_far)

    def balance(x: float) -> float:
        """Heat conducted to the surface at the front, less what comes from the other phase and what the front releases."""
        away = math.exp(-(x**2)) / erf(x)
        arriving = -k_far / k * ratio * far / near * math.exp(-((x * ratio) ** 2)) / erfc(x * ratio)
        return float(away - arriving - x * LATENT * math.sqrt(math.pi) / (c * abs(near)))

    return float(brentq(balance, 1e-6, 2.0))


def _exact(near: float, far: float) -> float:
    """Place of the front [m] at the end."""
    k, c = SOLID if near < 0.0 else LIQUID
    return 2.0 * _front(near, far) * math.sqrt(k / c * DURATION)


def _stefan(number: float) -> float:
    """Temperature [degC] of a surface from which water that is just not frozen freezes at this Stefan number."""
    return -number * LATENT / SOLID[1]


def _solved(bench: Any, size: str, surface: float, start: float, *overrides: str) -> Any:
    bench.material("any", 4.2e6, 0.56)
    path = bench.case(
        "slab",
        {"thickness": "40 mm" if surface < 0.0 else "120 mm", "width": f"{WIDTH} m"},  # ice lets heat get far
        size,
        initial={"temperature": f"{start} degC"},
        regions={"body": {"material": "any.toml"}},
        boundaries={
            "left": {"kind": "fixed temperature", "value": f"{surface} degC"},
            "right": {"kind": "insulated"},
            "sides": {"kind": "insulated"},
        },
        stages=[{"name": "freeze", "duration": f"{DURATION} s"}],
        solver={"ice": True, "tolerance": "0.1 K"},
    )
    return bench.solved(path, *overrides, equation=Water)


def _place(trial: Any, surface: float) -> float:
    """The front [m]: the volume that is frozen, or melted, over the cross-section of the slab."""
    ice = trial.heat.ice.now[0] @ trial.volume
    return float(ice if surface < 0.0 else trial.volume.sum() - ice) / WIDTH**2


# surface and start [degC] of water that freezes, water that is just not frozen, ice that melts, ice that is just frozen
FREEZES, STEFAN_HALF, STEFAN_ONE, MELTS, JUST_FROZEN = (
    (-20.0, 5.0),
    (_stefan(0.5), 0.0),
    (_stefan(1.0), 0.0),
    (20.0, -5.0),
    (40.0, -RANGE),
)


def test_the_exact_front_of_water_is_that_of_the_reference() -> None:
    assert _front(*FREEZES) == pytest.approx(0.2348077429, rel=1e-9)  # reference/physics.md, section 7.6
    assert 1e3 * _exact(*FREEZES) == pytest.approx(11.8273, abs=6e-5)


@pytest.mark.parametrize(("surface", "expected"), [(STEFAN_HALF, 0.4647859206), (STEFAN_ONE, 0.6200626333)])
def test_the_exact_front_without_superheat_is_stefans(surface: tuple[float, float], expected: float) -> None:
    assert _front(*surface) == pytest.approx(expected, rel=1e-9)  # reference/physics.md, section 7.6


@pytest.mark.parametrize(
    ("body", "within"),
    [
        pytest.param(FREEZES, 0.005, id="freezing"),
        pytest.param(STEFAN_HALF, 0.003, id="Stefan number 0.5"),
        pytest.param(STEFAN_ONE, 0.005, id="Stefan number 1", marks=pytest.mark.slow),
        pytest.param(MELTS, 0.01, id="melting"),
        pytest.param(JUST_FROZEN, 0.01, id="melting of ice at 0 degC"),
    ],
)
def test_a_front_is_where_the_exact_solution_has_it(bench: Any, body: tuple[float, float], within: float) -> None:
    trial = _solved(bench, "1.4 mm", *body)
    assert _place(trial, body[0]) == pytest.approx(_exact(*body), rel=within)
    assert trial.solution.energy["imbalance_relative"] < 1e-9


def test_no_ice_gets_colder_than_it_was_while_a_warm_surface_melts_it(bench: Any) -> None:
    # elongated cells: stiffness entries of both signs, through which ice on edges made heat flow to the warmer side
    trial = _solved(bench, "2 mm", *MELTS)
    assert trial.temperature.min() - 273.15 > MELTS[1] - 0.01
    assert _place(trial, MELTS[0]) == pytest.approx(_exact(*MELTS), rel=0.03)


@pytest.mark.slow
def test_the_front_of_freezing_water_stays_within_three_per_mille_on_a_finer_mesh(bench: Any) -> None:
    trial = _solved(bench, "0.7 mm", *FREEZES, "solver.tolerance=0.05 K")
    assert _place(trial, FREEZES[0]) == pytest.approx(_exact(*FREEZES), rel=0.003)


@pytest.mark.slow
@pytest.mark.parametrize("body", [STEFAN_ONE, MELTS], ids=["Stefan number 1", "melting"])
def test_the_error_of_a_front_falls_with_the_mesh(bench: Any, body: tuple[float, float]) -> None:
    coarse, fine = (
        abs(_place(_solved(bench, size, *body, "solver.tolerance=0.05 K"), body[0]) / _exact(*body) - 1.0)
        for size in ("2 mm", "0.7 mm")
    )
    assert fine < 0.01
    assert fine < coarse / 2.0
