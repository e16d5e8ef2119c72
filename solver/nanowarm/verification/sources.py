"""Bodies that heat evenly."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import quad

from nanowarm.verification.problem import Accuracy, Body, Problem, at_end
from nanowarm.verification.writing import (
    BALL,
    BATH,
    BIOT,
    CAPACITY,
    COLD,
    CONDUCTIVITY,
    INSULATED,
    MEAN,
    PARTICLES,
    POWER,
    RADIUS,
    case,
    convection,
    held,
    medium,
    table,
    value,
    warmer,
)

UNIFORM = Accuracy(0.0, 1e-6, 0.0, "the temperature is even: linear elements hold it on every mesh, whatever its volume")
MINUTE = 60.0  # [s]
CORE, SHELL_CONDUCTIVITY = RADIUS / 2, CONDUCTIVITY / 2  # [m], [W/m/K]
STEEPNESS = 0.5  # [1/K], relative rise of the conductivity with temperature
STEADY = {"steady": True}
_PARABOLA = POWER * RADIUS**2 / (6 * CONDUCTIVITY)  # [K] between centre and surface of a ball


def layered_rise(r: ArrayLike, power: float = POWER) -> NDArray[np.float64]:
    """Steady T - T_surface [K] of a ball whose core alone heats, same shape as r.

    The heat of the core, 4 pi a^3 q / 3, crosses every sphere around it.

    Args:
        r: distances from the centre [m].
        power: q [W/m3] of the core.
    """
    r = np.asarray(r, dtype=float)
    outside = power * CORE**3 / (3 * SHELL_CONDUCTIVITY) * (1 / np.maximum(r, CORE) - 1 / RADIUS)
    return np.asarray(outside + power * np.maximum(CORE**2 - r**2, 0.0) / (6 * CONDUCTIVITY))


def _rising() -> float:
    """Mean T - T_surface [K] of a ball whose conductivity is k (1 + b (T - T_surface)), by Kirchhoff's transformation."""

    def shell(x: float) -> float:
        """3 x^2 times the rise at a distance x R from the centre."""
        return 3.0 * x**2 * (math.sqrt(1.0 + 2.0 * STEEPNESS * _PARABOLA * (1.0 - x**2)) - 1.0) / STEEPNESS

    return float(quad(shell, 0.0, 1.0, epsabs=1e-13)[0])


def _layered_mean() -> float:
    """Mean T - T_surface [K] of the core: 2/5 of its parabola above its surface."""
    edge, top = layered_rise([CORE, 0.0])
    return float(edge + 0.4 * (top - edge))


_LAYERED = case(BATH, {"surface": held(BATH)}, STEADY)

HEATED_IN_BATH = Problem(
    name="steady",
    title="A ball with particles in a bath: its mean temperature in the steady state",
    formula=r"\bar T=T_b+\frac{qR}{3h}+\frac{qR^2}{15k}",
    source="carslaw1959",
    unit="degC",
    exact=BATH + _PARABOLA * (0.4 + 2 / BIOT),
    scale=_PARABOLA * (0.4 + 2 / BIOT),
    body=BALL,
    sections=case(BATH, {"surface": convection(BATH)}, STEADY, particles=PARTICLES),
    files=medium("jelly") | warmer(),
    read=at_end(MEAN),
)

HEATED_CORE = Problem(
    name="layers",
    title="A ball whose core alone has particles, in a shell that conducts half as well, its surface held: mean of the core",
    formula=r"\bar T=T_s+\frac{qa^3}{3k_2}\left(\frac1a-\frac1R\right)+\frac{qa^2}{15k_1}",
    source="carslaw1959",
    unit="degC",
    exact=BATH + _layered_mean(),
    scale=_layered_mean(),
    body=Body("sphere", RADIUS, "radius", lambda cells: {"radius": f"{RADIUS!r} m", "core": f"{CORE!r} m"}),
    sections=_LAYERED
    | {"regions": {"core": {"material": "./jelly.toml", "particles": PARTICLES}, "body": {"material": "./fat.toml"}}},
    files=medium("jelly") | medium("fat", conductivity=value(SHELL_CONDUCTIVITY, "W/m/K")) | warmer(),
    read=at_end("core_mean_degC"),
    accuracy=Accuracy(2.0, 8.0, 1.7, "second order; four times the usual, as an edge is twice as large beside the core's radius"),
)

RISING_CONDUCTIVITY = Problem(
    name="conductivity",
    title="A ball with particles whose conductivity rises with temperature, its surface held: its mean",
    formula=r"k=k_0\,(1+b\,(T-T_s)),\quad \bar T=T_s+\frac3b\int_0^1\left(\sqrt{1+\frac{b\,qR^2}{3k_0}(1-x^2)}-1\right)x^2\,dx",
    source="carslaw1959",
    unit="degC",
    exact=BATH + _rising(),
    scale=_rising(),
    body=BALL,
    sections=case(BATH, {"surface": held(BATH)}, STEADY, particles=PARTICLES),
    files=medium("jelly", conductivity=table({BATH: CONDUCTIVITY, BATH + 10.0: CONDUCTIVITY * (1.0 + 10.0 * STEEPNESS)}, "W/m/K"))
    | warmer(),
    read=at_end(MEAN),
)

INSULATED_BALL = Problem(
    name="adiabatic",
    title="An insulated ball with particles: mean temperature after a minute",
    formula=r"T=T_0+\frac{qt}{c}",
    source="carslaw1959",
    unit="degC",
    exact=COLD + POWER * MINUTE / CAPACITY,
    scale=POWER * MINUTE / CAPACITY,
    body=BALL,
    sections=case(COLD, {"surface": INSULATED}, {"duration": f"{MINUTE} s"}, particles=PARTICLES),
    files=medium("jelly") | warmer(),
    read=at_end(MEAN),
    accuracy=UNIFORM,
    cells=(5,),
)

PROBLEMS = (HEATED_IN_BATH, HEATED_CORE, RISING_CONDUCTIVITY, INSULATED_BALL)
