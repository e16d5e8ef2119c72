"""Linear response: its formulas, its table, its limits, and what a file may say."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad

from nanowarm.model import frozen_copy
from nanowarm.physics.particles import Particle

MU0, KB = 4e-7 * math.pi, 1.380649e-23
FILE = {
    "source": "invented for a test",
    "quality": "estimate",
    "kind": "linear response",
    "diameter": "14 nm",
    "coating": "2 nm",
    "saturation_magnetization": "446 kA/m",
    "anisotropy": "23 kJ/m^3",
    "attempt_time": "1e-9 s",
    "viscosity": "0.89 mPa*s",
}
FIELD, FREQUENCY, ROOM = 20.7e3, 325e3, 298.15


def power(**more: Any) -> Any:
    given = {key: value for key, value in (FILE | more).items() if value is not None}
    record = {"name": "lot 7", "class": "particle", "specific_power": given}
    return Particle.model_validate(frozen_copy(record)).specific_power


def watts(model: Any, field: float = FIELD, frequency: float = FREQUENCY, temperature: float = ROOM) -> float:
    """Specific power [W/gFe]."""
    return float(model.power(field, frequency, temperature)) / 1e3


def by_susceptibility(size: float, field: float = FIELD, frequency: float = FREQUENCY, temperature: float = ROOM) -> float:
    """Specific power [W/gFe] by Rosensweig's own steps: initial, chord and imaginary susceptibility of a 1 % suspension."""
    share, saturation, volume = 0.01, 446e3, math.pi * size**3 / 6.0
    thermal = KB * temperature
    neel = math.sqrt(math.pi) / 2.0 * 1e-9 * math.exp(23e3 * volume / thermal) / math.sqrt(23e3 * volume / thermal)
    brown = 3.0 * 0.89e-3 * math.pi * (size + 4e-9) ** 3 / 6.0 / thermal
    tau = neel * brown / (neel + brown)
    initial = MU0 * share * saturation**2 * volume / (3.0 * thermal)
    xi = MU0 * saturation * field * volume / thermal
    chord = initial * 3.0 / xi * (1.0 / math.tanh(xi) - 1.0 / xi)
    turn = 2.0 * math.pi * frequency * tau
    return MU0 * math.pi * chord * turn / (1.0 + turn**2) * frequency * field**2 / (5180.0 * share * 0.7236) / 1e3


# reference/physics.md, 4.1: Md 446 kA/m, K 23 kJ/m3, tau0 1e-9 s, coating 2 nm, 0.89 mPa s, 298.15 K, 20.7 kA/m, 325 kHz
@pytest.mark.parametrize(
    ("size", "expected", "neel", "brown"),
    [
        (6, 1.420, 2.097e-9, 3.396e-7),
        (10, 26.69, 9.660e-9, 9.319e-7),
        (13, 744.4, 2.162e-7, 1.669e-6),
        (14, 1146.6, 9.586e-7, 1.981e-6),
        (40, 52.9, None, 2.893e-5),
    ],
)
def test_the_published_parameters_give_the_tabulated_power_and_times(size: int, expected: float, neel: Any, brown: float) -> None:
    model = power(diameter=f"{size} nm")
    times = model.relaxation_times(ROOM)
    assert watts(model) == pytest.approx(expected, rel=1e-3 if size == 40 else 4e-4)
    assert times.brown == pytest.approx(brown, rel=4e-4)
    assert times.neel == pytest.approx(neel, rel=4e-4) if neel else times.neel > 1e60


@pytest.mark.parametrize("size", [5.0, 7.3, 9.1, 11.7, 13.5, 14.6, 17.9, 22.2, 31.0])
def test_other_sizes_follow_rosensweigs_steps_to_four_digits(size: float) -> None:
    assert watts(power(diameter=f"{size} nm")) == pytest.approx(by_susceptibility(size * 1e-9), rel=1e-5)


@pytest.mark.parametrize(("field", "frequency", "temperature"), [(1e3, 50e3, 250.0), (40e3, 1e6, 330.0), (60e3, 180e3, 280.0)])
def test_other_fields_and_temperatures_do_too(field: float, frequency: float, temperature: float) -> None:
    expected = by_susceptibility(12e-9, field, frequency, temperature)
    assert watts(power(diameter="12 nm"), field, frequency, temperature) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("anisotropy", "best"), [("23 kJ/m^3", 13.82), ("11 kJ/m^3", 17.5), ("13.5 kJ/m^3", 16.4)])
def test_the_best_size_is_the_tabulated_one(anisotropy: str, best: float) -> None:
    model = power(anisotropy=anisotropy)
    sizes = np.arange(10.0, 20.0, 0.01)
    powers = [watts(model.resized(size * 1e-9)) for size in sizes]
    assert sizes[int(np.argmax(powers))] == pytest.approx(best, abs=0.06)


def test_the_largest_power_is_1173_watts_per_gram() -> None:
    assert max(watts(power().resized(size * 1e-9)) for size in np.arange(13.7, 13.9, 0.01)) == pytest.approx(1173.0, abs=0.5)


@pytest.mark.parametrize(("spread", "expected"), [(0.05, 944.0), (0.1, 737.0), (0.2, 515.0)])
def test_a_width_of_sizes_lowers_the_power_as_tabulated(spread: float, expected: float) -> None:
    assert watts(power(diameter_spread=spread)) == pytest.approx(expected, abs=0.6)


@pytest.mark.parametrize(("spread", "size"), [(0.03, 12.0), (0.15, 11.0), (0.4, 9.0), (0.7, 6.0)])
def test_a_width_of_sizes_is_the_mean_weighted_by_volume(spread: float, size: float) -> None:
    def weight(diameter: float) -> float:
        return math.exp(-(math.log(diameter / size) ** 2) / (2.0 * spread**2)) / diameter * diameter**3

    ends = size * math.exp(-8.0 * spread), size * math.exp(3.0 * spread**2 + 8.0 * spread)
    breaks = np.exp(np.linspace(math.log(ends[0]), math.log(ends[1]), 60))[1:-1]
    whole = sum(quad(weight, a, b)[0] for a, b in zip([ends[0], *breaks], [*breaks, ends[1]], strict=True))
    total = 0.0
    for a, b in zip([ends[0], *breaks], [*breaks, ends[1]], strict=True):
        total += quad(lambda d: weight(d) * min(watts(power().resized(d * 1e-9)), 1e9), a, b, epsrel=1e-5, limit=20)[0]
    assert watts(power(diameter=f"{size} nm", diameter_spread=spread)) == pytest.approx(total / whole, rel=2e-4)


# physics.md, 4.1: Brown frozen, 20 kA/m, 360 kHz
@pytest.mark.parametrize(
    ("size", "at_150", "at_250"), [(10, 572.0, 57.0), (12, 183.0, 684.0), (14, 0.69, 282.0), (16, 3e-4, 3.4)]
)
def test_in_the_glass_the_power_changes_by_orders_of_magnitude(size: int, at_150: float, at_250: float) -> None:
    model = power(diameter=f"{size} nm", brown=False, viscosity=None)
    assert watts(model, 20e3, 360e3, 150.0) == pytest.approx(at_150, rel=0.15 if size == 16 else 0.02)
    assert watts(model, 20e3, 360e3, 250.0) == pytest.approx(at_250, rel=0.02)


def test_no_field_heats_nothing_and_a_weak_one_with_its_square() -> None:
    none, weak, twice = power().power(np.array([0.0, 10.0, 20.0]), FREQUENCY, ROOM)
    assert none == 0.0
    assert twice / weak == pytest.approx(4.0, rel=1e-4)


def test_the_power_rises_with_the_field_and_falls_from_the_optimum_to_large_sizes() -> None:
    assert np.all(np.diff(power().power(np.linspace(0.0, 100e3, 50), FREQUENCY, ROOM)) > 0.0)
    sizes = [watts(power().resized(size * 1e-9)) for size in np.linspace(13.9, 60.0, 60)]
    assert np.all(np.diff(sizes) < 0.0)


def test_at_high_frequency_the_loss_per_time_levels_off() -> None:
    ratio = watts(power(), frequency=4e8) / watts(power(), frequency=2e8)
    assert ratio == pytest.approx(1.0, abs=1e-3)  # chi'' falls with 1 / f


def test_it_never_exceeds_the_square_loop() -> None:
    field = np.geomspace(10.0, 1e6, 40)[:, None]
    temperature = np.linspace(60.0, 330.0, 40)
    for size in (8e-9, 14e-9, 25e-9, 60e-9):
        ceiling = 4.0 * MU0 * 446e3 * field * FREQUENCY / (5180.0 * 0.7236)
        assert np.all(power().resized(size).power(field, FREQUENCY, temperature) <= ceiling)


def test_arrays_of_field_and_temperature_broadcast() -> None:
    grid = power().power(np.array([[1e3], [2e3]]), FREQUENCY, np.array([200.0, 250.0, 300.0]))
    assert grid.shape == (2, 3)
    assert grid[1, 2] == pytest.approx(float(power().power(2e3, FREQUENCY, 300.0)))


# ---------------------------------------------------------------------------------------------- the carrier


def brown_rate(viscosity: Any, temperature: float) -> float:
    return float(power(viscosity=viscosity).brown_rate(14e-9, temperature))


def test_a_viscosity_may_be_a_table_linear_in_its_logarithm() -> None:
    table = {"at": ["0 degC", "20 degC"], "values": ["4 mPa*s", "1 mPa*s"]}
    assert brown_rate(table, 283.15) == pytest.approx(brown_rate("2 mPa*s", 283.15))


def test_a_viscosity_may_follow_vogel_fulcher_and_tammann() -> None:
    law = {"prefactor": "1e-5 Pa*s", "strength": "1045.4 K", "divergence": "123.3 K"}
    value = 1e-5 * math.exp(1045.4 / (298.15 - 123.3))  # 4 mPa s: physics.md, 2.2
    assert value == pytest.approx(4e-3, rel=0.03)
    assert brown_rate(law, 298.15) == pytest.approx(brown_rate(f"{value!r} Pa*s", 298.15))
    assert brown_rate(law, 123.0) == 0.0


def test_below_the_glass_transition_nothing_turns() -> None:
    frozen = power(diameter="20 nm", viscosity={"value": "1 mPa*s", "glass_transition": "-123 degC"})
    held = power(diameter="20 nm", viscosity=None, brown=False)
    assert watts(frozen, temperature=149.0) == watts(held, temperature=149.0)
    assert watts(frozen, temperature=151.0) > watts(held, temperature=151.0)
    assert math.isinf(frozen.relaxation_times(149.0).brown)


def test_the_moment_is_larger_in_the_cold_by_blochs_law() -> None:
    model = power(bloch_coefficient="1.26e-5 1/K^1.5", saturation_at="300 K")
    assert float(model.saturation(300.0)) == pytest.approx(446e3)
    assert float(model.saturation(1e-9)) / 446e3 == pytest.approx(1.07, abs=0.001)  # physics.md, 4.4


def test_a_moment_per_mass_is_taken_times_the_density() -> None:
    assert power(saturation_magnetization="80 emu/g", density="5 g/cm^3").saturation_magnetization == pytest.approx(400e3)


# -------------------------------------------------------------------------------------------------- validity


def test_it_warns_from_xi_of_one_and_of_low_barriers() -> None:
    large, small, good = power(diameter="14 nm"), power(diameter="6 nm"), power(diameter="10 nm")
    assert "linear response holds below 1" in large.notes(FIELD, FREQUENCY, ROOM)[0]
    assert "the Néel time holds from 2" in small.notes(FIELD, FREQUENCY, ROOM)[0]
    assert good.notes(10e3, FREQUENCY, ROOM) == ()
    # xi = 1 at 9 nm and 20.7 kA/m (physics.md, 4.1)
    at_one = (KB * ROOM / (MU0 * 446e3 * 20.7e3) * 6.0 / math.pi) ** (1.0 / 3.0)
    assert at_one == pytest.approx(9e-9, rel=0.03)
    assert not any("xi" in note for note in power().resized(0.99 * at_one).notes(FIELD, FREQUENCY, ROOM))
    assert any("xi" in note for note in power().resized(1.01 * at_one).notes(FIELD, FREQUENCY, ROOM))


def test_it_warns_where_the_viscosity_is_not_known() -> None:
    model = power(diameter="9 nm", viscosity={"at": ["0 degC", "30 degC"], "values": ["2 mPa*s", "1 mPa*s"]})
    assert "from 0 to 30 degC" in model.notes(1e3, FREQUENCY, np.array([260.0, 290.0]))[0]
    assert model.notes(1e3, FREQUENCY, 290.0) == ()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"viscosity": None}, "give the `viscosity`"),
        ({"diameter": "14"}, "write the unit"),
        ({"diameter": None}, "Field required"),
        ({"diameter_spread": -0.1}, "greater than or equal to 0"),
        ({"saturation_magnetization": "80 emu/g"}, "give the density too"),
        ({"viscosity": {"at": ["20 degC", "0 degC"], "values": ["1 mPa*s", "2 mPa*s"]}}, "must increase strictly"),
        ({"viscosity": {"value": "1 mPa*s", "prefactor": "1 mPa*s"}}, "give one of"),
        ({"viscosity": {"prefactor": "1 mPa*s"}}, "needs `prefactor`, `strength` and `divergence`"),
        ({"viscosity": "1 kg"}, "not a unit of this quantity"),
        ({"iron_fraction": 1.2}, "less than or equal to 1"),
        ({"bloch_coefficient": "1 1/K^1.5"}, "leaves no magnetisation"),
    ],
)
def test_a_file_that_cannot_be_is_refused(more: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        power(**more)
