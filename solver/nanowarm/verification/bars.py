"""Bars with heat along them: the benchmarks T2 and T3 of NAFEMS, and a front of freezing."""

from __future__ import annotations

import math

import numpy as np
from scipy.constants import Stefan_Boltzmann
from scipy.optimize import brentq
from scipy.special import erf, erfc

from nanowarm.verification.problem import Accuracy, Problem, at_end
from nanowarm.verification.sources import STEADY
from nanowarm.verification.writing import DENSITY, INSULATED, SLENDERNESS, case, held, medium, output, slab, table, value

ZERO = 273.15  # [K]
LENGTH = 0.1  # [m] of the bars of NAFEMS
HOT, ROOM = 1000.0, 300.0  # [K]
DRIVEN_FOR, PERIOD = 32.0, 80.0  # [s]
POINT = 0.08  # [m]
HIGH = 100.0  # [K], amplitude of the drive

# A solution that freezes between two temperatures: conductivity [W/m/K] and capacity [J/m3/K], with the latent heat in it
LIQUIDUS, SOLIDUS, COOLED = -10.0, -20.0, -60.0  # [degC]
LATENT = 3e8  # [J/m3]
FROZEN, FREEZING = (2.2, 2e6), (0.55, 4e6 + LATENT / (LIQUIDUS - SOLIDUS))
STEP = 0.002  # [K], half the width of a step in a table
DEPTH = 24e-3  # [m] of the slab
FROZEN_FOR = 400.0  # [s]


def radiating_end(constant: float) -> float:
    """Temperature [K] of T2: the heat that a bar conducts from 1000 K is what its end radiates to 300 K.

    Args:
        constant: of Stefan and Boltzmann [W/m2/K4]; that of the benchmark's time is 5.67e-8, for 927.0 K.
    """
    return float(brentq(lambda t: 55.6 * (HOT - t) / LENGTH - 0.98 * constant * (t**4 - ROOM**4), ROOM, HOT, xtol=1e-12))


def driven_bar(x: float, time: float) -> float:
    """Temperature [degC] of T3 by its sine series: x = 0 at 0 degC, x = L at 100 sin(pi t / 40) degC.

    Args:
        x: [m].
        time: [s].
    """
    n = np.arange(1, 4001)
    decay, pace = 35.0 / (7200.0 * 440.5) * (n * np.pi / LENGTH) ** 2, 2.0 * np.pi / PERIOD
    lag = decay * np.cos(pace * time) + pace * np.sin(pace * time) - decay * np.exp(-decay * time)
    memory = pace * lag / (decay**2 + pace**2)
    series = 2 * (-1.0) ** n / (n * np.pi) * np.sin(n * np.pi * x / LENGTH) * memory
    return float(HIGH * (x / LENGTH * np.sin(pace * time) + series.sum()))


def drive() -> dict[str, list[str]]:
    """100 sin(pi t / 40) degC as a table; between its times a straight line is off by at most 0.003 K."""
    times = np.linspace(0.0, DRIVEN_FOR, 161)
    values = ZERO + HIGH * np.sin(2.0 * np.pi / PERIOD * times)
    return {"at": [f"{t:.10g} s" for t in times.tolist()], "values": [f"{v!r} K" for v in values.tolist()]}


def _front() -> float:
    """Lambda: the solidus is at 2 lambda sqrt(alpha t), with the diffusivity of what is frozen."""
    (k, c), (k_far, c_far) = FROZEN, FREEZING
    ratio = math.sqrt(k / c * c_far / k_far)

    def balance(x: float) -> float:
        """Heat conducted away from the solidus, less what arrives there."""
        away = k * (SOLIDUS - COOLED) * math.exp(-(x**2)) / erf(x)
        arriving = k_far * ratio * (LIQUIDUS - SOLIDUS) * math.exp(-((x * ratio) ** 2)) / erfc(x * ratio)
        return float(away - arriving)

    return float(brentq(balance, 1e-3, 2.0, xtol=1e-14))


def _heat_taken() -> float:
    """Heat [J] that has left through the cooled end: the flux k (T1 - T0) / (erf(lambda) sqrt(pi alpha t)), over time."""
    k, c = FROZEN
    flux = k * (SOLIDUS - COOLED) / float(erf(_front()))
    return (SLENDERNESS * DEPTH) ** 2 * 2.0 * flux * math.sqrt(FROZEN_FOR / (math.pi * k / c))


def _steps(far_below: float, below: float, above: float) -> dict[float, float]:
    """A property that steps at the solidus."""
    return {far_below: below, SOLIDUS - STEP: below, SOLIDUS + STEP: above}


RADIATING = Problem(
    name="nafems-t2",
    title="NAFEMS T2: a bar of steel held at 1000 K whose other end radiates to 300 K: temperature of that end, steady",
    formula=r"\frac{k\,(1000\,\mathrm K-T)}{L}=\varepsilon\sigma\,(T^4-(300\,\mathrm K)^4)",
    source="nafems1986",
    unit="degC",
    exact=radiating_end(Stefan_Boltzmann) - ZERO,
    scale=HOT - radiating_end(Stefan_Boltzmann),
    body=slab(LENGTH, "length"),
    sections=case(
        HOT - ZERO,
        {
            "left": held(HOT - ZERO),
            "right": {"kind": "radiation", "emissivity": 0.98, "ambient": f"{ROOM} K"},
            "sides": INSULATED,
        },
        STEADY,
    )
    | {"output": output(end=LENGTH)},
    files=medium("jelly", conductivity=value(55.6, "W/m/K")),
    read=at_end("probe_end_degC"),
    accuracy=Accuracy(0.0, 1e-5, 0.0, "the temperature is a straight line: linear elements hold it on every mesh"),
    cells=(5,),
)

DRIVEN = Problem(
    name="nafems-t3",
    title="NAFEMS T3: a bar of steel, one end at 0 degC, the other at 100 sin(πt/40) degC: 20 mm from that end after 32 s",
    formula=r"\frac{T}{100}=\frac xL\sin\omega t+\sum_n\frac{2(-1)^n}{n\pi}\sin\frac{n\pi x}{L}\;\omega\,"
    r"\frac{a_n\cos\omega t+\omega\sin\omega t-a_ne^{-a_nt}}{a_n^2+\omega^2},\quad a_n=\frac{k}{c}\left(\frac{n\pi}{L}\right)^2",
    source="nafems1986",
    unit="degC",
    exact=driven_bar(POINT, DRIVEN_FOR),
    scale=HIGH,
    body=slab(LENGTH, "length"),
    sections=case(
        0.0,
        {"left": held(0.0), "right": {"kind": "fixed temperature", "value": drive()}, "sides": INSULATED},
        {"duration": f"{DRIVEN_FOR} s"},
    )
    | {"output": output(point=POINT)},
    files=medium(
        "jelly",
        density=value(7200.0, "kg/m^3"),
        specific_heat=value(440.5, "J/kg/K"),
        conductivity=value(35.0, "W/m/K"),
    ),
    read=at_end("probe_point_degC"),
    accuracy=Accuracy(
        2.0, 2.0, 1.0, "second order; in one point it also matters where in its cell it lies, which no mesh repeats"
    ),
)

FREEZING_FRONT = Problem(
    name="freezing",
    title="A solution that freezes between -10 and -20 degC from one end, held at -60 degC: heat taken from it in 400 s",
    formula=r"Q=\frac{2Ak_s\,(T_1-T_0)}{\operatorname{erf}\lambda}\sqrt{\frac{t}{\pi\alpha_s}},\quad"
    r" \frac{k_s\,(T_1-T_0)\,e^{-\lambda^2}}{\operatorname{erf}\lambda}"
    r"=\frac{\gamma k_m\,(T_2-T_1)\,e^{-\gamma^2\lambda^2}}{\operatorname{erfc}\gamma\lambda},\quad"
    r" \gamma^2=\frac{\alpha_s}{\alpha_m},\quad c_m=c+\frac{L}{T_2-T_1}",
    source="carslaw1959",
    unit="J",
    exact=_heat_taken(),
    scale=_heat_taken(),
    body=slab(DEPTH, "length"),
    sections=case(LIQUIDUS, {"left": held(COOLED), "right": INSULATED, "sides": INSULATED}, {"duration": f"{FROZEN_FOR} s"}),
    files=medium(
        "jelly",
        specific_heat=table(_steps(COOLED, FROZEN[1] / DENSITY, FREEZING[1] / DENSITY), "J/kg/K"),
        conductivity=table(_steps(COOLED, FROZEN[0], FREEZING[0]), "W/m/K"),
    ),
    read=lambda run: -at_end("stored_J")(run),
    accuracy=Accuracy(
        1.0, 0.1, 0.7, "the gradient jumps at the front, inside cells: first order; 1 % of the front's way at ten cells"
    ),
    cells=(5, 10),
)

PROBLEMS = (RADIATING, DRIVEN, FREEZING_FRONT)
