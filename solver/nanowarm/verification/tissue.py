"""Balls of living tissue: blood and thermal dose."""

from __future__ import annotations

import math

from nanowarm.verification.problem import Problem, at_end
from nanowarm.verification.sources import STEADY, UNIFORM
from nanowarm.verification.writing import (
    BALL,
    CONDUCTIVITY,
    DENSITY,
    INSULATED,
    MEAN,
    PARTICLES,
    POWER,
    RADIUS,
    case,
    held,
    medium,
    value,
    warmer,
)

BLOOD_CAPACITY = 4e6  # [J/m3/K]
EXCHANGE = 2e4  # [W/m3/K] of blood
BODY = 37.0  # [degC]
FLUID = medium("fluid", specific_heat=value(BLOOD_CAPACITY / DENSITY, "J/kg/K"))
BLOOD = {"rate": f"{EXCHANGE / BLOOD_CAPACITY!r} 1/s", "blood": "./fluid.toml", "arterial": f"{BODY} degC"}


def _perfused() -> float:
    """Mean T - T_arterial [K] of the perfused ball: what its particles give, less what leaves through its surface."""
    reach = RADIUS * math.sqrt(EXCHANGE / CONDUCTIVITY)
    return POWER / EXCHANGE * (1.0 - 3.0 * (reach / math.tanh(reach) - 1.0) / reach**2)


PERFUSED_BALL = Problem(
    name="perfused",
    title="A perfused ball with particles, its surface held: its mean temperature",
    formula=r"\bar T=T_a+\frac{q}{W}\left(1-3\,\frac{\beta R\coth\beta R-1}{\beta^2R^2}\right),\quad \beta^2=W/k",
    source="pennes1948",
    unit="degC",
    exact=BODY + _perfused(),
    scale=_perfused(),
    body=BALL,
    sections=case(BODY, {"surface": held(BODY)}, STEADY, particles=PARTICLES, perfusion=BLOOD),
    files=medium("jelly") | FLUID | warmer(),
    read=at_end(MEAN),
)

DOSE = Problem(
    name="dose",
    title="Ten minutes at 44 degC: thermal dose exceeded in nine tenths of the ball",
    formula=r"\mathrm{CEM}_{43}=t\,0.5^{\,43-T}",
    source="sapareto1984",
    unit="min",
    exact=20.0,
    scale=20.0,
    body=BALL,
    sections=case(
        44.0,
        {"surface": INSULATED},
        {"duration": "600 s", "field": {"amplitude": "0 A/m"}},
        perfusion=BLOOD | {"arterial": "44 degC"},
    ),
    files=medium("jelly") | FLUID,
    read=at_end("body_cem43_t90_min"),
    accuracy=UNIFORM,
    cells=(5,),
)

PROBLEMS = (PERFUSED_BALL, DOSE)
