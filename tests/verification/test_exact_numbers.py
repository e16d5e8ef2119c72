"""The exact numbers that `nanowarm verify` compares with, each found in another way."""

from __future__ import annotations

import math
from typing import Any

import pytest
from scipy.constants import Boltzmann
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import erf, erfc

from nanowarm.verification import bars, magnetic, sources, tissue
from nanowarm.verification.collection import BY_NAME
from nanowarm.verification.series import mean_theta
from nanowarm.verification.solids import sphere_level
from nanowarm.verification.writing import BATH, CONDUCTIVITY, POWER, RADIUS


def mean_over_ball(rise: Any) -> float:
    """Mean of a function of the distance from the centre, over the radius."""
    return float(quad(lambda x: 3.0 * x**2 * rise(x), 0.0, 1.0, epsabs=1e-12)[0])


@pytest.mark.parametrize(("body", "dimension"), [("slab", 1), ("cylinder", 2), ("sphere", 3)])
def test_the_mean_of_a_body_in_a_bath_is_the_integral_of_its_series(theta: Any, body: Any, dimension: int) -> None:
    integral = quad(lambda x: dimension * x ** (dimension - 1) * theta(body, 1.0, 0.2, x)[0], 0.0, 1.0, epsabs=1e-12)[0]
    assert mean_theta(body, 1.0, 0.2) == pytest.approx(integral, abs=1e-10)


def test_the_steady_means_are_the_integrals_of_their_profiles() -> None:
    parabola = POWER * RADIUS**2 / (6.0 * CONDUCTIVITY)
    surface = POWER * RADIUS / 3.0 / (CONDUCTIVITY / RADIUS)  # the coefficient of a Biot number of 1
    assert BY_NAME["steady"].exact == pytest.approx(BATH + surface + mean_over_ball(lambda x: parabola * (1.0 - x**2)))
    core = mean_over_ball(lambda x: sources.layered_rise(x * sources.CORE))
    assert BY_NAME["layers"].exact == pytest.approx(BATH + core)
    reach = RADIUS * math.sqrt(tissue.EXCHANGE / CONDUCTIVITY)
    perfused = mean_over_ball(lambda x: 1.0 - math.sinh(reach * x) / (x * math.sinh(reach)) if x else 1.0)
    assert BY_NAME["perfused"].exact == pytest.approx(tissue.BODY + POWER / tissue.EXCHANGE * perfused)


def test_the_rise_with_a_rising_conductivity_conducts_what_the_ball_gives() -> None:
    def rise(x: float) -> float:
        """u [K] whose integral of conductivity, u + b u^2 / 2, is the parabola of a constant one."""
        parabola = POWER * RADIUS**2 / (6.0 * CONDUCTIVITY) * (1.0 - x**2)
        return float(brentq(lambda u: u + 0.5 * sources.STEEPNESS * u**2 - parabola, 0.0, 10.0, xtol=1e-14))

    assert BY_NAME["conductivity"].exact == pytest.approx(BATH + mean_over_ball(rise))


def test_the_heat_taken_by_freezing_is_what_the_exact_profile_has_lost() -> None:
    (k, c), (k_far, c_far) = bars.FROZEN, bars.FREEZING
    spread, spread_far = (
        2.0 * math.sqrt(conductivity / capacity * bars.FROZEN_FOR) for conductivity, capacity in (bars.FROZEN, bars.FREEZING)
    )
    front = bars._front() * spread
    assert 0.2 * bars.DEPTH < front < 0.8 * bars.DEPTH

    def frozen(x: float) -> float:
        """Heat lost [J/m3] between the surface and the solidus."""
        temperature = bars.COOLED + (bars.SOLIDUS - bars.COOLED) * erf(x / spread) / erf(front / spread)
        return float(c_far * (bars.LIQUIDUS - bars.SOLIDUS) + c * (bars.SOLIDUS - temperature))

    def freezing(x: float) -> float:
        """Heat lost [J/m3] beyond the solidus."""
        return float(c_far * (bars.LIQUIDUS - bars.SOLIDUS) * erfc(x / spread_far) / erfc(front / spread_far))

    lost = quad(frozen, 0.0, front)[0] + quad(freezing, front, bars.DEPTH)[0]
    assert BY_NAME["freezing"].exact == pytest.approx(lost * (bars.SLENDERNESS * bars.DEPTH) ** 2, rel=1e-6)
    assert freezing(bars.DEPTH) < 1e-4 * freezing(front)  # the slab is as good as endless
    assert (k, k_far) == (2.2, 0.55)


def test_the_tension_of_a_ball_is_that_of_the_reference() -> None:
    assert sphere_level(20.0) == pytest.approx(0.5e6)  # reference/physics.md, section 7.7: E 1 GPa, nu 0.2, alpha 5e-5


def test_the_field_in_the_middle_of_a_solenoid_is_the_sum_of_its_rings() -> None:
    a, length, turns, current = magnetic.COIL_RADIUS, magnetic.COIL_LENGTH, magnetic.TURNS, magnetic.CURRENT
    density = turns * current / length
    rings = quad(lambda z: 0.5 * density * a**2 / (a**2 + z**2) ** 1.5, -length / 2, length / 2)[0]
    assert magnetic.solenoid_centre(a, length, turns, current) == pytest.approx(rings, rel=1e-10)


def test_the_resonant_particles_are_in_resonance_and_in_a_weak_field() -> None:
    volume = math.pi * magnetic.DIAMETER**3 / 6.0
    energy = Boltzmann * (BATH + 273.15)
    barrier = magnetic.ANISOTROPY * volume / energy
    neel = math.sqrt(math.pi) / 2.0 * magnetic._attempt_time() * math.exp(barrier) / math.sqrt(barrier)
    assert 2.0 * math.pi * magnetic.FREQUENCY * neel == pytest.approx(1.0)
    x = 4e-7 * math.pi * magnetic.SATURATION * volume * magnetic.WEAK / energy
    weak = magnetic.SATURATION * x / 3.0 / magnetic.WEAK  # initial susceptibility of the cores
    share = 10.0 / (magnetic.CORE_DENSITY * magnetic.IRON_SHARE)
    power = math.pi * 4e-7 * math.pi * share * weak / 2.0 * magnetic.FREQUENCY * magnetic.WEAK**2
    rise = power * magnetic.MOMENT / 2e6
    assert BY_NAME["resonance"].exact - BATH == pytest.approx(rise, rel=x**2 / 15.0 * 1.1)
    assert x < 1.0
