"""Two-level hysteresis: Stoner and Wohlfarth when cold, linear response in weak fields, and the way between."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp
from scipy.optimize import minimize_scalar

from nanowarm.model import frozen_copy
from nanowarm.physics.particles import Particle
from nanowarm.physics.two_level import loop_area, wells

MU0, KB = 4e-7 * math.pi, 1.380649e-23
FILE = {
    "source": "invented for a test",
    "quality": "estimate",
    "kind": "hysteresis",
    "diameter": "20 nm",
    "saturation_magnetization": "446 kA/m",
    "anisotropy": "11 kJ/m^3",
    "attempt_time": "5e-11 s",
}
FIELD, FREQUENCY, ROOM = 20.7e3, 325e3, 298.15
COERCIVE = 2.0 * 11e3 / (MU0 * 446e3)  # HK [A/m]


def power(**more: Any) -> Any:
    given = {key: value for key, value in (FILE | more).items() if value is not None}
    record = {"name": "lot 7", "class": "particle", "specific_power": given}
    return Particle.model_validate(frozen_copy(record)).specific_power


def watts(model: Any, field: float = FIELD, frequency: float = FREQUENCY, temperature: float = ROOM) -> float:
    return float(model.power(field, frequency, temperature)) / 1e3


def energy_per_loop(model: Any, field: float, temperature: float) -> float:
    """Area of the loop in units of the anisotropy K."""
    return float(model.power(field, FREQUENCY, temperature)) * model.iron_density / FREQUENCY / model.anisotropy


def stoner_wohlfarth_loss(angle: float) -> float:
    """Energy [K] lost in both jumps of a loop whose easy axis is at an angle to the field, without temperature."""
    switching = (math.cos(angle) ** (2 / 3) + math.sin(angle) ** (2 / 3)) ** -1.5

    def energy(direction: float) -> float:
        return math.sin(direction - angle) ** 2 + 2.0 * switching * math.cos(direction)

    start = angle + math.atan(math.tan(angle) ** (1 / 3))
    end = minimize_scalar(energy, bounds=(0.5 * math.pi, 1.5 * math.pi), method="bounded", options={"xatol": 1e-10})
    return 2.0 * (energy(start) - float(end.fun))


def test_cold_and_random_the_loop_is_that_of_stoner_and_wohlfarth() -> None:
    exact = quad(lambda angle: stoner_wohlfarth_loss(angle) * math.sin(angle), 0.0, 0.5 * math.pi)[0]
    assert exact == pytest.approx(4.0 * 0.48 * 1.0, rel=0.04)  # Carrey 2011: about 2 mu0 Hc Ms with Hc = 0.48 HK
    cold = power(diameter="60 nm", attempt_frequency="1e12 Hz")
    assert energy_per_loop(cold, 1.3 * COERCIVE, 4.0) == pytest.approx(exact, rel=0.02)


def test_cold_and_aligned_the_loop_is_a_square_of_the_anisotropy_field() -> None:
    assert stoner_wohlfarth_loss(1e-9) == pytest.approx(8.0, rel=1e-3)  # 4 mu0 HK Ms = 8 K
    cold = power(diameter="60 nm", axes="aligned", attempt_frequency="1e12 Hz")
    assert energy_per_loop(cold, 1.3 * COERCIVE, 1.0) == pytest.approx(8.0, rel=0.02)
    assert energy_per_loop(cold, 0.9 * COERCIVE, 1.0) < 1e-6


def test_cold_and_below_half_the_anisotropy_field_nothing_jumps() -> None:
    assert energy_per_loop(power(diameter="60 nm"), 0.49 * COERCIVE, 4.0) < 1e-3


@pytest.mark.parametrize("size", [8, 12, 15, 18, 20])
@pytest.mark.parametrize("field", [50.0, 300.0])
def test_in_weak_fields_it_is_linear_response(size: int, field: float) -> None:
    still = power(kind="linear response", brown=False, diameter=f"{size} nm")
    assert watts(power(diameter=f"{size} nm"), field) == pytest.approx(watts(still, field), rel=0.03)


def test_both_models_have_one_neel_time() -> None:
    still = power(kind="linear response", brown=False)
    assert power().relaxation_times(ROOM) == still.relaxation_times(ROOM)
    own = power(attempt_frequency="1e10 Hz").relaxation_times(ROOM).neel
    barrier = 11e3 * math.pi * 20e-9**3 / 6.0 / (KB * ROOM)
    assert own == pytest.approx(5e-11 * math.exp(barrier))


def test_from_15_to_40_nanometres_it_rises_where_linear_response_falls() -> None:
    sizes = np.arange(15.0, 40.1, 5.0)
    rising = [watts(power().resized(size * 1e-9)) for size in sizes]
    assert np.all(np.diff(rising) > 0.0)
    assert rising[-1] > 1000.0  # tong2017: more than a kilowatt per gram
    linear = power(kind="linear response", anisotropy="23 kJ/m^3", attempt_time="1e-9 s", coating="2 nm", viscosity="0.89 mPa*s")
    assert watts(linear.resized(40e-9)) == pytest.approx(52.9, rel=1e-3)


# physics.md, 4.3: A = 2 mu0 Hc Ms with Hc = 0.48 HK (1 - kappa^0.8); K 11 kJ/m3, tau0 5e-11 s
@pytest.mark.parametrize(
    ("size", "kappa", "closed"), [(20, 0.64, 549.0), (25, 0.30, 1137.0), (30, 0.16, 1413.0), (40, 0.057, 1646.0)]
)
def test_kappa_is_the_tabulated_one_and_the_closed_form_is_near(size: int, kappa: float, closed: float) -> None:
    model = power(diameter=f"{size} nm", attempt_frequency="1e10 Hz")
    assert float(model.kappa(FIELD, FREQUENCY, ROOM)) == pytest.approx(kappa, rel=0.02)
    assert watts(model) == pytest.approx(closed, rel=0.3)


@pytest.mark.parametrize(
    ("field", "barrier", "attempts"), [(0.3, 8.0, 1e4), (0.6, 20.0, 1e4), (0.45, 40.0, 1e6), (1.5, 12.0, 1e3)]
)
def test_the_loop_is_that_of_the_rate_equation_solved_otherwise(field: float, barrier: float, attempts: float) -> None:
    # aligned axes: barriers (1 +- h)^2 while |h| < 1; a stiff solver over twelve periods instead of steps of exponentials
    def out(h: float) -> float:
        return attempts * math.exp(-barrier * max(1.0 + min(h, 1.0), 0.0) ** 2)

    def change(t: float, p: Any) -> Any:
        h = field * math.cos(2.0 * math.pi * t)
        return [(1.0 - p[0]) * out(-h) - p[0] * out(h)]

    time = np.linspace(11.0, 12.0, 4001)
    found = solve_ivp(change, (0.0, 12.0), [1.0], method="LSODA", t_eval=time, rtol=1e-8, atol=1e-10, max_step=1e-3)
    magnetisation = 2.0 * found.y[0] - 1.0
    area = -np.trapezoid(magnetisation, field * np.cos(2.0 * math.pi * time))
    computed = loop_area(wells("aligned"), np.array([field]), np.array([barrier]), np.array([attempts]), 512)[0]
    assert computed == pytest.approx(area, rel=0.01)


def test_the_table_is_near_the_loops_between_its_entries() -> None:
    rng = np.random.default_rng(3)
    for field, temperature in zip(rng.uniform(8e3, 60e3, 12), rng.uniform(120.0, 310.0, 12), strict=True):
        model = power(diameter="25 nm", attempt_frequency="1e10 Hz")
        barrier = model.barrier(25e-9, temperature)
        direct = loop_area(wells("random"), np.array([field / COERCIVE]), np.array([barrier]), np.array([1e10 / FREQUENCY]), 512)
        expected = 2.0 * 11e3 * FREQUENCY * float(direct[0]) / model.iron_density
        assert float(model.power(field, FREQUENCY, temperature)) == pytest.approx(expected, rel=0.05, abs=0.5e3)


def test_the_wells_are_stationary_and_the_barrier_is_the_closed_one_on_the_axis() -> None:
    aligned = wells("aligned")
    field = np.linspace(-1.0, 1.0, aligned.depth.shape[1])
    np.testing.assert_allclose(aligned.depth[0], (1.0 + field) ** 2, atol=1e-3)
    random = wells("random")
    assert random.weights.sum() == pytest.approx(1.0)
    middle = random.depth.shape[1] // 2
    np.testing.assert_allclose(random.depth[:, middle], 1.0, atol=1e-9)  # K V without a field, at every angle


def test_no_model_exceeds_the_square_loop_and_it_grows_with_the_field() -> None:
    field = np.linspace(0.0, 80e3, 41)
    for axes in ("random", "aligned"):
        for temperature in (100.0, 300.0):
            found = power(axes=axes, diameter="30 nm").power(field, FREQUENCY, temperature)
            assert np.all(found <= 4.0 * MU0 * 446e3 * field * FREQUENCY / (5180.0 * 0.7236) * (1.0 + 1e-9))
            assert found[0] == 0.0
            assert np.all(np.diff(found) > -0.02 * found.max())


def test_a_width_of_sizes_is_a_mean_weighted_by_mass() -> None:
    sizes = np.exp(np.linspace(-4.0, 4.0, 81) * 0.1)
    weights = np.exp(-0.5 * (np.log(sizes) / 0.1) ** 2) * sizes**3
    each = np.array([watts(power().resized(20e-9 * size)) for size in sizes])
    assert watts(power(diameter_spread=0.1)) == pytest.approx(float(np.sum(weights * each) / np.sum(weights)), rel=5e-3)


def test_it_warns_outside_the_range_of_kappa() -> None:
    assert power().notes(FIELD, FREQUENCY, ROOM) == ()
    assert "two-level hysteresis is meant for below" in power(diameter="15 nm").notes(FIELD, FREQUENCY, ROOM)[0]
    assert "faster than moments attempt" in power(attempt_time="1e-6 s").notes(FIELD, 1e6, ROOM)[0]
    assert power(diameter="15 nm").notes(0.0, FREQUENCY, ROOM) == ()


def test_it_warns_where_particles_would_turn() -> None:
    watery = power(diameter="22 nm", viscosity="0.01 mPa*s")
    assert any("lets particles turn" in note for note in watery.notes(40e3, FREQUENCY, ROOM))


def test_a_grid_of_fields_and_temperatures_is_answered_at_once() -> None:
    grid = power(diameter_spread=0.1).power(np.linspace(0.0, 40e3, 20)[:, None], FREQUENCY, np.linspace(120.0, 300.0, 15))
    assert grid.shape == (20, 15)
    assert grid[10, 7] == pytest.approx(float(power(diameter_spread=0.1).power(40e3 * 10 / 19, FREQUENCY, 210.0)))
