"""Heat from magnetic fields: of particles in a coil, of particles at resonance, and of eddy currents."""

from __future__ import annotations

import math

from scipy.constants import Boltzmann, mu_0

from nanowarm.verification.problem import Accuracy, Problem, at_end
from nanowarm.verification.writing import (
    BALL,
    BATH,
    CAPACITY,
    COLD,
    FIELD,
    FREQUENCY,
    INSULATED,
    IRON,
    MEAN,
    PARTICLES,
    POWER,
    RADIUS,
    case,
    medium,
    value,
    warmer,
)

SHUT = {"surface": INSULATED}
TEN_MINUTES, MINUTE, MOMENT = 600.0, 60.0, 5.0  # [s]
ELECTRIC = 0.5  # [S/m]
COIL_RADIUS, COIL_LENGTH, TURNS, CURRENT = 0.1, 0.2, 10, 500.0  # [m], [m], -, [A]
DIAMETER, SATURATION, ANISOTROPY = 14e-9, 446e3, 23e3  # [m], [A/m], [J/m3] of the resonant particles
CORE_DENSITY, IRON_SHARE, WEAK = 5000.0, 0.7, 2e3  # [kg/m3], -, [A/m]


def _eddy_rise() -> float:
    """Rise [K] of the conducting ball: the square of the distance from the axis is 2/5 of the radius squared on average."""
    heat = ELECTRIC * (math.pi * mu_0 * FIELD * FREQUENCY) ** 2 / 2 * 0.4 * RADIUS**2
    return float(heat * TEN_MINUTES / CAPACITY)


def solenoid_centre(radius: float, length: float, turns: float, current: float) -> float:
    """Field [A/m] in the middle of a current sheet: N I / sqrt(L^2 + 4 a^2).

    Args:
        radius, length: [m].
        turns: in all.
        current: [A] in each.

    Source: Jackson (1999), Classical Electrodynamics, problem 5.3.
    """
    return turns * current / math.hypot(length, 2.0 * radius)


def _solenoid_rise() -> float:
    """Rise [K] of the ball in the middle of the solenoid."""
    return POWER * (solenoid_centre(COIL_RADIUS, COIL_LENGTH, TURNS, CURRENT) / FIELD) ** 2 * MINUTE / CAPACITY


def _volume() -> float:
    """Volume [m3] of a resonant core."""
    return math.pi * DIAMETER**3 / 6.0


def _attempt_time() -> float:
    """The attempt time [s] with which omega tau is 1 at BATH: tau = sqrt(pi) / 2 tau0 exp(s) / sqrt(s), s = K V / kB T."""
    barrier = ANISOTROPY * _volume() / (Boltzmann * (BATH + 273.15))
    return math.sqrt(barrier) * 2.0 / math.sqrt(math.pi) / math.exp(barrier) / (2.0 * math.pi * FREQUENCY)


def _resonant_rise() -> float:
    """Rise [K] at resonance: pi mu0 f H^2 chi0 / 2, with the chord susceptibility chi0 = phi Ms (coth x - 1/x) / H."""
    x = mu_0 * SATURATION * _volume() * WEAK / (Boltzmann * (BATH + 273.15))
    share = IRON / (CORE_DENSITY * IRON_SHARE)
    chord = share * SATURATION * (1.0 / math.tanh(x) - 1.0 / x) / WEAK
    return float(math.pi * mu_0 * FREQUENCY * WEAK**2 * chord / 2.0 * MOMENT / CAPACITY)


EDDY = Problem(
    name="eddy",
    title="An insulated conducting ball in a uniform field: mean temperature after ten minutes",
    formula=r"\bar p=\frac{\sigma(\pi\mu_0fH)^2}{2}\,\frac{2R^2}{5},\quad T=T_0+\frac{\bar pt}{c}",
    source="landau1984",
    unit="degC",
    exact=COLD + _eddy_rise(),
    scale=_eddy_rise(),
    body=BALL,
    sections=case(COLD, SHUT, {"duration": f"{TEN_MINUTES} s"}, eddy=True),
    files=medium("jelly", electrical_conductivity=value(ELECTRIC, "S/m")),
    read=at_end(MEAN),
)

SOLENOID = Problem(
    name="solenoid",
    title="An insulated ball with particles in the middle of a solenoid: mean temperature after a minute",
    formula=r"H=\frac{NI}{\sqrt{L^2+4a^2}},\quad T=T_0+\frac{q_0t}{c}\,\frac{H^2}{H_0^2}",
    source="jackson1999",
    unit="degC",
    exact=COLD + _solenoid_rise(),
    scale=_solenoid_rise(),
    body=BALL,
    sections=case(COLD, SHUT, {"duration": f"{MINUTE} s"}, particles=PARTICLES)
    | {
        "field": {
            "kind": "solenoid",
            "radius": f"{COIL_RADIUS} m",
            "length": f"{COIL_LENGTH} m",
            "turns": TURNS,
            "current": f"{CURRENT} A",
            "frequency": f"{FREQUENCY!r} Hz",
        }
    },
    files=medium("jelly") | warmer(),
    read=at_end(MEAN),
    accuracy=Accuracy(
        0.0,
        1e-3,
        0.0,
        "the field's curvature, (R/a)^2 = 1 %, cancels over a ball; a mesh that is less round leaves a tenth of it",
    ),
    cells=(5,),
)

RESONANCE = Problem(
    name="resonance",
    title="An insulated ball with particles whose Néel relaxation is in resonance: mean temperature after 5 s",
    formula=r"\omega\tau_N=1,\quad \bar p=\frac{\pi\mu_0fH^2}{2}\,\frac{\varphi M_sL(\xi)}{H},"
    r"\quad \xi=\frac{\mu_0M_sVH}{k_BT},\quad T=T_0+\frac{\bar pt}{c}",
    source="rosensweig2002",
    unit="degC",
    exact=BATH + _resonant_rise(),
    scale=_resonant_rise(),
    body=BALL,
    sections=case(BATH, SHUT, {"duration": f"{MOMENT} s"}, particles={"name": "./resonant.toml", "iron": f"{IRON} mgFe/mL"})
    | {"field": {"kind": "uniform", "amplitude": f"{WEAK!r} A/m", "frequency": f"{FREQUENCY!r} Hz"}},
    files=medium("jelly")
    | {
        "resonant.toml": {
            "name": "resonant",
            "class": "particle",
            "specific_power": {
                "kind": "linear response",
                "brown": False,
                "diameter": f"{DIAMETER!r} m",
                "saturation_magnetization": f"{SATURATION!r} A/m",
                "anisotropy": f"{ANISOTROPY!r} J/m^3",
                "attempt_time": f"{_attempt_time()!r} s",
                "density": f"{CORE_DENSITY} kg/m^3",
                "iron_fraction": IRON_SHARE,
                "source": "invented for a verification",
                "quality": "estimate",
            },
        }
    },
    read=at_end(MEAN),
    accuracy=Accuracy(
        0.0, 1e-3, 0.0, "the temperature is even; its rise of 0.15 K lowers the susceptibility, as 1 / T, by 0.03 %"
    ),
    cells=(5,),
)

PROBLEMS = (EDDY, SOLENOID, RESONANCE)
