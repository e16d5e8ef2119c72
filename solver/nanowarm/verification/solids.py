"""Thermal stress."""

from __future__ import annotations

from nanowarm.verification.problem import Accuracy, Problem, in_summary
from nanowarm.verification.sources import STEADY
from nanowarm.verification.writing import BALL, BATH, CONDUCTIVITY, PARTICLES, POWER, RADIUS, case, held, medium, value, warmer

YOUNG, POISSON, EXPANSION = 1e9, 0.2, 5e-5  # [Pa], -, [1/K]
MEGAPASCAL = 1e6  # [Pa]


def sphere_level(rise: float) -> float:
    """Tension [Pa] along the surface of a ball whose temperature is higher inside by rise (1 - r^2 / R^2) [K].

    sigma = a E / (1 - nu) (mean of T - T(R)), and the mean of 1 - r^2 / R^2 over a ball is 2/5.

    Source: Timoshenko & Goodier (1970), Theory of Elasticity, section 151.
    """
    return 0.4 * EXPANSION * YOUNG * rise / (1.0 - POISSON)


_TENSION = sphere_level(POWER * RADIUS**2 / (6.0 * CONDUCTIVITY)) / MEGAPASCAL

BALL_STRESS = Problem(
    name="stress",
    title="An elastic ball with particles, its surface held: largest tensile stress in the steady state",
    formula=r"\sigma_\theta(R)=\frac{2}{5}\,\frac{E\alpha}{1-\nu}\,\frac{qR^2}{6k}=\frac{E\alpha\,qR^2}{15\,k\,(1-\nu)}",
    source="timoshenko1970",
    unit="MPa",
    exact=_TENSION,
    scale=_TENSION,
    body=BALL,
    sections=case(BATH, {"surface": held(BATH)}, STEADY, particles=PARTICLES)
    | {"solver": {"tolerance": "0.0005 K", "stress": True}, "stress": {"order": 2}},
    files=medium(
        "jelly",
        youngs_modulus=value(YOUNG, "Pa"),
        poissons_ratio=value(POISSON, ""),
        expansion=value(EXPANSION, "1/K"),
    )
    | warmer(),
    read=in_summary("regions", "body", "largest_tensile_stress_MPa", "max"),
    accuracy=Accuracy(
        1.0,
        1.0,
        0.7,
        "seen at points inside the cells, about a quarter of an edge deep, where 4 depth / R of it is lost: first order",
    ),
    cells=(5, 10),
)

PROBLEMS = (BALL_STRESS,)
