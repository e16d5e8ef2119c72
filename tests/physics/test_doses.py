"""Thermal dose, damage, and how they lie over a volume."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expn

from nanowarm.physics.damage import (
    ADVISED_CUT_OFF,
    BODY,
    DAY,
    GAS_CONSTANT,
    Arrhenius,
    RateRange,
    damage_files,
    damage_set,
    damage_sets,
    fraction,
)
from nanowarm.physics.doses import (
    ABLATION,
    TISSUE_LIMITS,
    cem43,
    exceeded,
    outside_validity,
    over_step,
    tissue_limit,
    volume_histogram,
)

MINUTE, HOUR = 60.0, 3600.0
SETS = damage_sets()


def kelvin(celsius: Any) -> Any:
    return np.asarray(celsius) + 273.15


def minutes_per_minute(celsius: float) -> float:
    """The definition: R^(43 - T), R = 0.5 from 43 degC, 0.25 from 39 to 43 degC, 0 below."""
    if celsius < 39.0:
        return 0.0
    return float(0.5 ** (43.0 - celsius) if celsius >= 43.0 else 0.25 ** (43.0 - celsius))


def integral(rate: Callable[[float], float], first: float, last: float, bends: tuple[float, ...]) -> float:
    """Mean of a rate of temperature between two temperatures, by adaptive quadrature between its bends."""
    knots = [first, *sorted((b for b in bends if min(first, last) < b < max(first, last)), reverse=last < first), last]
    parts = (quad(rate, a, b, epsabs=0.0, epsrel=1e-12)[0] for a, b in itertools.pairwise(knots))
    return math.fsum(parts) / (last - first)


# ------------------------------------------------------------------------------------------------- CEM43


@pytest.mark.parametrize(
    ("celsius", "seconds", "minutes"),
    [
        (42.0, 60 * MINUTE, 60 / 4),
        (41.0, 60 * MINUTE, 60 / 16),
        (43.0, 7 * MINUTE, 7.0),
        (45.0, 10 * MINUTE, 10 * 4),
        (50.0, MINUTE, 2**7),
        (57.0, 1.0, 2**14 / 60),
        (39.0, 256 * MINUTE, 1.0),  # 4^4 minutes for one
    ],
)
def test_constant_temperatures_give_the_doses_of_the_definition(celsius: float, seconds: float, minutes: float) -> None:
    assert cem43(kelvin([celsius]), kelvin([celsius]), seconds) == pytest.approx([minutes], rel=1e-12)


def test_below_39_degrees_nothing_counts() -> None:
    below = np.nextafter(kelvin(39.0), 0.0)
    assert cem43([below, 77.0], [below, kelvin(38.0)], 1e6).tolist() == [0.0, 0.0]


RAMPS = [(37, 39.5), (39, 43), (40, 42), (42, 46), (37, 50), (44, 57), (20, 60), (38.999, 39.001), (42.9999, 43.0001)]


@pytest.mark.parametrize("ends", [*RAMPS, *(ramp[::-1] for ramp in RAMPS)])
def test_ramps_give_the_integral_of_the_definition(ends: tuple[float, float]) -> None:
    seconds = 90.0
    expected = integral(minutes_per_minute, *ends, bends=(39.0, 43.0)) * seconds / MINUTE
    assert cem43(*kelvin(ends), seconds) == pytest.approx(expected, rel=1e-9)


def test_a_ramp_above_43_degrees_has_the_closed_form_of_an_exponential() -> None:
    expected = 10.0 * (2.0**5 - 2.0**1) / (4.0 * math.log(2.0))  # 10 min from 44 to 48 degC
    assert cem43(kelvin([44.0]), kelvin([48.0]), 10 * MINUTE) == pytest.approx([expected], rel=1e-12)


@pytest.mark.parametrize("width", [0.0, 1e-13, 1e-9, 1e-6, 1e-3])
@pytest.mark.parametrize("celsius", [40.0, 43.0, 47.3])
def test_ever_flatter_ramps_give_the_dose_of_their_middle(celsius: float, width: float) -> None:
    start, end = kelvin(celsius - 0.5 * width), kelvin(celsius + 0.5 * width)
    slopes = 1e-6 + 2.0 * width  # the bend at 43 degC and the rounding of kelvin
    assert cem43([start], [end], MINUTE) == pytest.approx([minutes_per_minute(celsius)], rel=slopes)


def test_a_ramp_cut_into_pieces_gives_the_same_dose() -> None:
    start, end = kelvin(np.linspace(20.0, 50.0, 31)), kelvin(np.linspace(60.0, 38.0, 31))
    cuts = np.array([0.0, 0.11, 0.5, 0.87, 1.0])
    pieces = over_step(cem43, start + cuts[:, None] * (end - start), cuts * 77.0)
    assert pieces == pytest.approx(cem43(start, end, 77.0), rel=1e-10)


def test_steps_of_temperature_add_their_constant_doses() -> None:
    history = [(37.0, 100.0), (42.0, 30 * MINUTE), (45.0, 5 * MINUTE), (38.0, HOUR)]
    total = sum(cem43(kelvin([t]), kelvin([t]), seconds)[0] for t, seconds in history)
    assert total == pytest.approx(30 / 4 + 5 * 4, rel=1e-9)  # 1e-6 was asked


def test_the_dose_of_a_curved_history_converges_with_the_square_of_the_sampling() -> None:
    def error(samples: int) -> float:
        times = np.linspace(0.0, 1.0, samples)
        states = kelvin(46.0 + 4.0 * times**2)[:, None] * np.ones(3)
        exact = quad(lambda t: 2.0 ** (3.0 + 4.0 * t * t), 0.0, 1.0, epsabs=0.0, epsrel=1e-12)[0] / MINUTE
        return float(np.abs(over_step(cem43, states, times) - exact).max())

    assert math.log2(error(9) / error(17)) == pytest.approx(2.0, abs=0.05)


def test_nodes_keep_their_places_in_large_arrays() -> None:
    celsius = np.where(np.arange(100_000) % 7 == 0, 45.0, 30.0)
    dose = cem43(kelvin(celsius), kelvin(celsius), MINUTE)
    assert dose == pytest.approx(np.where(celsius > 39.0, 4.0, 0.0))


def test_beyond_57_degrees_the_dose_is_flagged_and_counted_on() -> None:
    start, end = kelvin([57.0, 56.0, 58.0, 30.0]), kelvin([57.0, 57.1, 50.0, 31.0])
    assert outside_validity(start, end).tolist() == [False, True, True, False]
    assert cem43(kelvin([60.0]), kelvin([60.0]), MINUTE) == pytest.approx([2.0**17])


def test_hotter_than_143_degrees_counts_as_143_degrees() -> None:
    assert cem43(kelvin([120.0, 143.0]), kelvin([900.0, 200.0]), 1.0) == pytest.approx(
        cem43(kelvin([120.0, 143.0]), kelvin([143.0, 143.0]), 1.0), rel=1e-9
    )


def test_doses_of_burnt_tissue_still_fit_single_precision() -> None:
    assert cem43([3000.0], [3000.0], 1e6).astype(np.float32)[0] < np.inf
    assert SETS["skin-Henriques"].arrhenius().damage([3000.0], [3000.0], 1e6).astype(np.float32)[0] < np.inf


@pytest.mark.parametrize("dose", [cem43, SETS["skin-Takata"].arrhenius().damage], ids=["CEM43", "Arrhenius"])
def test_a_temperature_that_is_not_a_number_gives_no_number(dose: Callable[..., Any]) -> None:
    assert np.isnan(dose([np.nan, 320.0, np.nan], [320.0, np.nan, np.nan], 1.0)).all()


# --------------------------------------------------------------------------------------------- Arrhenius

FACTORS = [(7.39e39, 2.577e5), (3.1e98, 6.28e5), (9.389e104, 6.69e5), (1.8e36, 2.38e5)]
SEGMENTS = [(37, 37.01), (37, 38), (43, 41), (37, 45), (60, 45), (37, 67), (37, 97), (-190, 60), (80, -150)]


def natural_log_of_rate(factors: tuple[float, float], kelvins: float) -> float:
    return math.log(factors[0]) - factors[1] / (GAS_CONSTANT * kelvins)


def process(factors: tuple[float, float]) -> Arrhenius:
    return Arrhenius((RateRange(*factors),))


@pytest.mark.parametrize("factors", FACTORS)
@pytest.mark.parametrize("celsius", [37.0, 43.0, 60.0])
def test_constant_temperatures_give_rate_times_time(factors: tuple[float, float], celsius: float) -> None:
    expected = 77.0 * math.exp(natural_log_of_rate(factors, float(kelvin(celsius))))
    assert process(factors).damage(kelvin([celsius]), kelvin([celsius]), 77.0) == pytest.approx([expected], rel=1e-11)


@pytest.mark.parametrize("ends", SEGMENTS)
@pytest.mark.parametrize("factors", FACTORS)
def test_ramps_give_the_integral_of_the_rate(factors: tuple[float, float], ends: tuple[float, float]) -> None:
    first, last = (float(kelvin(t)) for t in ends)
    top = max(first, last)
    scale = natural_log_of_rate(factors, top)  # in logarithms, so that nothing overflows or vanishes
    near = tuple(top - step for step in (0.5, 2.0, 8.0, 20.0))
    mean = integral(lambda t: math.exp(natural_log_of_rate(factors, t) - scale), first, last, near)
    assert process(factors).damage([first], [last], 30.0) == pytest.approx([30.0 * mean * math.exp(scale)], rel=1e-8)


@pytest.mark.parametrize("ends", [(37, 45), (60, 45), (37, 67)])
def test_ramps_have_the_closed_form_of_exponential_integrals(ends: tuple[float, float]) -> None:
    factor, energy = FACTORS[0]
    first, last = (float(kelvin(t)) for t in ends)

    def antiderivative(t: float) -> float:  # of exp(-E / R T): T E2(E / R T)
        return t * float(expn(2, energy / (GAS_CONSTANT * t)))

    expected = 30.0 * factor * (antiderivative(last) - antiderivative(first)) / (last - first)
    assert process(FACTORS[0]).damage([first], [last], 30.0) == pytest.approx([expected], rel=1e-8)


@pytest.mark.parametrize("name", sorted(SETS))
def test_damage_does_not_depend_on_how_a_ramp_is_cut(name: str) -> None:
    start, end = kelvin(np.linspace(20.0, 70.0, 26)), kelvin(np.linspace(65.0, 36.0, 26))
    cuts = np.array([0.0, 0.001, 0.3, 0.35, 0.9, 1.0])
    rule = SETS[name].arrhenius(cut_off=float(kelvin(40.0)))
    pieces = over_step(rule.damage, start + cuts[:, None] * (end - start), 77.0 * cuts)
    assert pieces == pytest.approx(rule.damage(start, end, 77.0), rel=1e-8, abs=1e-18)


def test_nothing_is_counted_below_the_cut_off_and_everything_from_it_on() -> None:
    rule = SETS["liver-Jacques"]
    cut_off = float(kelvin(43.0))
    cold, hot = rule.arrhenius(cut_off), rule.arrhenius()
    below = np.nextafter(cut_off, 0.0)
    assert cold.damage([below, 310.15], [below, 315.0], HOUR).tolist() == [0.0, 0.0]
    assert cold.damage([cut_off, 325.0], [cut_off, 320.0], HOUR) == pytest.approx(
        hot.damage([cut_off, 325.0], [cut_off, 320.0], HOUR), rel=1e-9
    )
    half_above = 0.5 * hot.damage([cut_off], [cut_off + 4.0], HOUR)  # the second half of a ramp from 39 to 47 degC
    assert cold.damage([cut_off - 4.0], [cut_off + 4.0], HOUR) == pytest.approx(half_above, rel=1e-9)


def test_a_set_of_two_ranges_takes_each_rate_where_it_holds() -> None:
    rule = SETS["skin-Takata"].arrhenius()
    low, high = process((4.322e64, 4.18e5)), process((9.389e104, 6.69e5))
    fifty = float(kelvin(50.0))
    assert rule.rate([fifty]) == pytest.approx(low.rate([fifty]))
    assert rule.rate([np.nextafter(fifty, 400.0)]) == pytest.approx(high.rate([fifty]), rel=1e-9)
    expected = 0.5 * low.damage([fifty - 5.0], [fifty], 10.0) + 0.5 * high.damage([fifty], [fifty + 5.0], 10.0)
    assert rule.damage([fifty - 5.0], [fifty + 5.0], 10.0) == pytest.approx(expected, rel=1e-9)


def test_a_cut_off_in_the_second_range_leaves_only_that() -> None:
    rule = SETS["skin-Takata"].arrhenius(cut_off=float(kelvin(52.0)))
    assert rule.rate(kelvin([49.0, 51.0])).tolist() == [0.0, 0.0]
    assert rule.rate(kelvin([53.0])) == pytest.approx(process((9.389e104, 6.69e5)).rate(kelvin([53.0])))


def test_just_above_the_join_of_two_ranges_a_cut_off_leaves_the_second_rate() -> None:
    """There the first range is the faster one, so a duration exists that it alone would meet."""
    seconds = 1.0 / float(SETS["skin-Takata"].arrhenius().rate(kelvin(49.95)))
    rule = SETS["skin-Takata"].arrhenius(cut_off=float(kelvin(50.1)))
    at = rule.temperature_for(seconds)
    assert rule.damage([at], [at], seconds) == pytest.approx([1.0], rel=1e-9)


def test_a_damage_of_one_has_taken_63_percent() -> None:
    assert fraction([0.0, 1.0, 1e-20, 1e30]) == pytest.approx([0.0, 1.0 - math.exp(-1.0), 1e-20, 1.0], rel=1e-12)


# temperatures [degC] at which the damage reaches 1 in a minute and in an hour: reference/physics.md, section 5.3, computed
# there from the same parameters. Its 55.6 degC of Takata's set is that of the first range, which ends at 50 degC.
REFERENCE = {
    "skin-Henriques": (54.0, 48.3),
    "liver-Jacques": (50.1, 36.8),
    "Wright-Xu": (48.4, 41.6),
    "AT1": (52.6, 38.5),
    "PC3": (53.7, 39.1),
}


@pytest.mark.parametrize("name", sorted(REFERENCE))
def test_tissue_dies_in_a_minute_and_in_an_hour_at_the_temperatures_of_the_reference(name: str) -> None:
    rule = SETS[name].arrhenius()
    found = [rule.temperature_for(seconds) for seconds in (MINUTE, HOUR)]
    assert found == pytest.approx(kelvin(REFERENCE[name]), abs=0.0501)


def test_takatas_first_range_alone_gives_the_temperatures_of_the_reference() -> None:
    first = process((4.322e64, 4.18e5))
    assert [first.temperature_for(t) for t in (MINUTE, HOUR)] == pytest.approx(kelvin([55.6, 47.0]), abs=0.0501)


@pytest.mark.parametrize("name", sorted(SETS))
def test_at_the_temperature_for_a_duration_the_damage_is_one(name: str) -> None:
    rule = SETS[name].arrhenius()
    for seconds in (1.0, MINUTE, HOUR):
        at = rule.temperature_for(seconds)
        assert rule.damage([at], [at], seconds) == pytest.approx([1.0], rel=1e-9)
        assert rule.damage([at - 0.01], [at - 0.01], seconds)[0] < 1.0


def test_a_cut_off_is_the_lowest_temperature_that_can_kill() -> None:
    rule = SETS["liver-Jacques"].arrhenius(cut_off=float(kelvin(43.0)))
    assert rule.temperature_for(HOUR) == pytest.approx(kelvin(43.0))


def test_a_rate_that_halves_the_time_per_degree_at_43_has_the_energy_of_the_dose() -> None:
    at = float(kelvin(43.0))
    energy = math.log(2.0) * GAS_CONSTANT * at * (at + 1.0)  # reference/physics.md, section 5.3: 577.9 kJ/mol
    rule = process((math.exp(energy / (GAS_CONSTANT * at)) / HOUR, energy))
    assert energy == pytest.approx(577.9e3, rel=1e-3)
    assert rule.damage([at + 1.0], [at + 1.0], HOUR / 2.0) == pytest.approx([1.0], rel=1e-9)


# ----------------------------------------------------------------------------------------------- library


def test_every_set_that_kills_at_body_temperature_within_a_day_says_so_unless_it_is_cut_off() -> None:
    lethal = {name for name, found in SETS.items() if found.arrhenius().rate(BODY) * DAY > 1.0}
    assert {name for name, found in SETS.items() if found.caution()} == lethal
    assert "liver-Jacques" in lethal
    assert not any(found.caution(ADVISED_CUT_OFF) for found in SETS.values())


@pytest.mark.parametrize(("name", "hours"), [("liver-Jacques", 1.0), ("AT1", 2.0), ("PC3", 2.0), ("Wright-Xu", 24.0)])
def test_a_warning_tells_the_hours_that_body_temperature_takes(name: str, hours: float) -> None:
    assert {1.0: "within an hour", 2.0: "within two hours", 24.0: "within a day"}[hours] in (SETS[name].warning or "")
    assert SETS[name].arrhenius().temperature_for(hours * HOUR) < BODY


def test_the_notes_of_the_library_tell_the_temperatures_of_their_own_parameters() -> None:
    for name, found in SETS.items():
        told = re.search(r"a\s+minute at ([\d.]+) degC, in an hour at ([\d.]+) degC", found.note or "")
        assert told, name
        rule = found.arrhenius()
        computed = [rule.temperature_for(seconds) for seconds in (MINUTE, HOUR)]
        assert computed == pytest.approx(kelvin([float(told[1]), float(told[2])]), abs=0.0501), name


def test_liver_of_the_pig_follows_from_entropy_and_enthalpy() -> None:
    """k = (kB T / h) exp(dS / R - dH / R T), dS = 553.5 J/mol/K and dH = 2.768e5 J/mol: jacques1991."""
    at = float(kelvin(55.0))
    per_second = 1.380649e-23 * at / 6.62607015e-34 * math.exp((553.5 - 2.768e5 / at) / GAS_CONSTANT)
    assert SETS["liver-pig"].arrhenius().rate([at]) == pytest.approx([per_second], rel=0.02)


def test_every_set_says_where_it_comes_from() -> None:
    library = next(iter(damage_files().values())).parents[1]
    known = re.findall(r"@\w+\{(\w+),", (library / "citations.bib").read_text(encoding="utf-8"))
    for name, found in SETS.items():
        assert found.name == name
        assert found.process.source in known or len(found.process.source) >= 20, name
        assert found.process.spread, name
        assert found.process.quality == "derived" or "unsure" in found.process.source, name


def test_an_unknown_set_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValueError, match=r'no damage set "liver-jaques"; did you mean liver-Jacques\? known: AT1, .*own \.toml'):
        damage_set("liver-jaques")


def test_a_users_own_set_is_read_by_its_path_and_warned_of(tmp_path: Path) -> None:
    rates = (
        '[process]\nfrequency_factor = "7.39e39 1/s"\nactivation_energy = "257.7 kJ/mol"\nquality = "estimate"\nsource = "me"\n'
    )
    (tmp_path / "own.toml").write_text(f'name = "own"\nclass = "damage"\n{rates}', encoding="utf-8")
    own = damage_set("own.toml", tmp_path)
    assert own.arrhenius() == SETS["liver-Jacques"].arrhenius()
    assert own.caution() == "this set kills tissue at 37 degC within 0.94 h: give a cut-off of 42 to 43 degC"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('name = "x"\nclass = "coil"\n', r'own\.toml is of class "coil"; a damage set is needed here'),
        ('name = "x"\nclass = "damage"\n', r"own\.toml: process: missing: this key is required"),
        ('name = "x"\nclass = "damage"\n[process]\nfrequency_factor = 3.0\n', r"write the unit: 3\.0 could be anything"),
        ("name = ", r"own\.toml: can't be read"),
    ],
)
def test_a_file_that_is_no_damage_set_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "own.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        damage_set("own.toml", tmp_path)


def test_limits_of_tissues_are_those_of_the_standard() -> None:
    """ISO 14708-3:2017, table 101, as reference/physics.md, section 5.3, gives it."""
    table = {"muscle": 40, "fat": 40, "peripheral nerve": 40, "skin": 21, "bone": 16, "blood-brain barrier": 15, "brain": 2}
    assert {name: level.minutes for name, level in TISSUE_LIMITS.items()} == table
    assert all("14708-3" in level.source for level in TISSUE_LIMITS.values())
    assert (ABLATION.minutes, ABLATION.quality) == (240.0, "estimate")


def test_an_unknown_tissue_is_refused_with_the_nearest() -> None:
    assert tissue_limit("brain").minutes == 2.0
    with pytest.raises(ValueError, match=r'no dose limit of "brian"; did you mean brain\? known: .*skin'):
        tissue_limit("brian")


# ----------------------------------------------------------------------------------------------- volumes


def by_sorting(values: Any, volumes: Any, part: float) -> float:
    """The definition: the largest value such that at least this part of the volume has it or more."""
    total = sum(volumes)
    good = [v for v in values if sum(w for x, w in zip(values, volumes, strict=True) if x >= v) >= part * total * (1 - 1e-12)]
    return float(max(good))


@pytest.mark.parametrize(("part", "value"), [(1.0, 1.0), (0.9, 11.0), (0.5, 51.0), (0.1, 91.0), (0.095, 91.0), (0.01, 100.0)])
def test_equal_volumes_of_rising_values_have_the_quantiles_of_their_places(part: float, value: float) -> None:
    """Of 1, 2, ... 100 the ten values 91 to 100 are a tenth of the volume."""
    assert exceeded(np.arange(1.0, 101.0), np.full(100, 0.3), part) == value


def test_rounding_of_volumes_does_not_move_the_quantile() -> None:
    for nodes in range(2, 60):
        for hot in range(1, nodes + 1):
            found = exceeded(np.arange(float(nodes)), np.full(nodes, 0.1), hot / nodes)
            assert found == nodes - hot, (hot, nodes)


def test_large_nodes_count_for_more() -> None:
    assert [exceeded([40.0, 41.0, 44.0], [8.0, 1.0, 1.0], part) for part in (0.1, 0.2, 0.21)] == [44.0, 41.0, 40.0]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("part", [0.01, 0.1, 0.5, 0.9, 1.0])
def test_the_quantile_is_that_of_sorting_for_any_sign_and_size(seed: int, part: float) -> None:
    random = np.random.default_rng(seed)
    values = random.normal(size=60) * 10.0 ** random.integers(-30, 30, 60)
    values[:8] = [0.0, -0.0, 5e-324, -5e-324, 1e308, -1e308, values[9], values[10]]
    volumes = random.random(60) * 1e-9
    assert exceeded(values, volumes, part) == by_sorting(values, volumes, part)


def test_a_node_without_volume_is_no_answer() -> None:
    assert exceeded([50.0, 40.0, 45.0], [0.0, 1.0, 1.0], 0.01) == 45.0


def test_no_volume_has_no_quantile_and_no_histogram() -> None:
    assert math.isnan(exceeded([], [], 0.5))
    assert np.isnan(volume_histogram([], [], [1.0, 2.0])).all()


def among_ranks(ranks: int, ask: Callable[[int, Callable[[Any], Any]], Any]) -> list[Any]:
    """What each rank answers where all of them add up their arrays, in threads."""
    from concurrent.futures import ThreadPoolExecutor
    from threading import Barrier

    barrier, given = Barrier(ranks), [np.zeros(0)] * ranks

    def answer(rank: int) -> Any:
        def add(values: Any) -> Any:
            assert values.dtype == np.float64  # MPI adds bytes: all ranks must mean the same by them
            given[rank] = values
            barrier.wait(timeout=20.0)
            total = np.sum(given, axis=0)
            barrier.wait(timeout=20.0)
            return total

        return ask(rank, add)

    with ThreadPoolExecutor(ranks) as pool:
        return list(pool.map(answer, range(ranks)))


def test_values_spread_over_ranks_give_what_they_give_together() -> None:
    random = np.random.default_rng(7)
    values, volumes = kelvin(random.normal(43.0, 2.0, 999)), random.random(999)
    parts = [slice(0, 10), slice(10, 10), slice(10, 700), slice(700, 999)]  # one rank has nothing
    edges = kelvin(np.arange(38.0, 50.0))
    for part in (0.1, 0.5, 0.9, 1.0):
        found = among_ranks(4, lambda rank, add, part=part: exceeded(values[parts[rank]], volumes[parts[rank]], part, add))
        assert found == [exceeded(values, volumes, part)] * 4
    found = among_ranks(4, lambda rank, add: volume_histogram(values[parts[rank]], volumes[parts[rank]], edges, add))
    assert np.allclose(found, volume_histogram(values, volumes, edges), rtol=1e-12)


def test_the_histogram_is_the_volume_at_or_above_each_edge() -> None:
    found = volume_histogram([40.0, 43.0, 43.0, 50.0], [1.0, 2.0, 3.0, 4.0], [39.0, 40.0, 43.0, 43.1, 50.0, 51.0])
    assert found == pytest.approx([1.0, 1.0, 0.9, 0.4, 0.4, 0.0])


def test_the_histogram_of_a_linear_profile_falls_linearly_and_never_rises() -> None:
    values = kelvin(np.linspace(37.0, 47.0, 10_001))
    found = volume_histogram(values, np.ones(values.size), kelvin(np.linspace(36.0, 48.0, 121)))
    assert (np.diff(found) <= 0.0).all()
    assert found == pytest.approx(np.clip((47.0 - np.linspace(36.0, 48.0, 121)) / 10.0, 0.0, 1.0), abs=2e-4)


def test_quantile_and_histogram_are_each_others_inverse() -> None:
    random = np.random.default_rng(3)
    values, volumes = random.normal(size=500), random.random(500)
    for part in (0.1, 0.5, 0.9):
        at = exceeded(values, volumes, part)
        here, beyond = volume_histogram(values, volumes, [at, np.nextafter(at, np.inf)])
        assert beyond < part <= here


def test_the_two_readings_of_cem43_t90_agree_where_hotter_nodes_stay_the_hotter_ones() -> None:
    random = np.random.default_rng(5)
    heat, volumes, times = np.sort(random.random(50)), random.random(50), np.linspace(0.0, 600.0, 7)
    states = kelvin(37.0 + np.outer(np.sin(times / 200.0), 9.0 * heat))
    history = np.array([[exceeded(row, volumes, 0.9)] for row in states])
    reached = exceeded(over_step(cem43, states, times), volumes, 0.9)
    assert over_step(cem43, history, times) == pytest.approx([reached], rel=1e-12)
