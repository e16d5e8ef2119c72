"""Control of the field, on plants that are solved exactly from sample to sample."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError
from scipy.linalg import expm

from nanowarm.errors import CaseError
from nanowarm.model import faults, frozen_copy
from nanowarm.physics.amplitude_search import largest_amplitude
from nanowarm.physics.control import AnyControl, Control, Pid, sensor
from nanowarm.physics.fields import BREZOVICH_LIMIT, HERGT_LIMIT

Array = NDArray[np.float64]

ANY: TypeAdapter[Any] = TypeAdapter(AnyControl)
STRONGEST, FREQUENCY = 20e3, 100e3  # [A/m], [Hz] of the stage's field
BODY = 310.15  # [K]
WITHIN = 0.2  # [K] of the set point


def control(kind: str, **keys: Any) -> Any:
    watched = {} if kind == "cycle" else {"sensor": "tumour.hottest", "set_point": "43 degC"}
    return ANY.validate_python(frozen_copy({"kind": kind} | watched | keys))


@dataclass(frozen=True)
class Plant:
    """Rises above the body: x' = matrix x + source p with a share p of the power; the sensor shows weights @ x."""

    matrix: Array
    source: Array
    weights: Array

    def steps(self, every: float) -> tuple[Array, Array]:
        size = len(self.source)
        both = expm(every * np.block([[self.matrix, self.source[:, None]], [np.zeros((1, size + 1))]]))
        return both[:size, :size], both[:size, size]

    def steady(self) -> float:
        """Rise [K] that the sensor shows at full power in the end."""
        return float(self.weights @ np.linalg.solve(-self.matrix, self.source))

    def samples_at_full_power(self, every: float, rise: float) -> int:
        """Samples until the sensor, at full power, is as near to a rise [K] as it should stay."""
        hold, push = self.steps(every)
        state, count = np.zeros_like(self.source), 0
        while self.weights @ state < rise - WITHIN:
            state, count = hold @ state + push, count + 1
        return count


def lumped(rate: float, loss_time: float) -> Plant:
    return Plant(np.array([[-1.0 / loss_time]]), np.array([rate]), np.array([1.0]))


def sphere(rate: float, radius: float, perfusion: float, what: str) -> Plant:
    """A heated ball in perfused tissue: finite volumes in shells out to five radii, where the body is unchanged."""
    shells, diffusivity = 40, 1.4e-7
    face = np.linspace(0.0, 5.0 * radius, shells + 1)
    volume, middle = np.diff(face**3) / 3.0, 0.5 * (face[1:] + face[:-1])
    flow = diffusivity * face[1:] ** 2 / np.append(np.diff(middle), 0.5 * (face[1] - face[0])) / volume
    back = flow[:-1] * volume[:-1] / volume[1:]
    matrix = np.diag(-flow - np.append(0.0, back) - perfusion) + np.diag(flow[:-1], 1) + np.diag(back, -1)
    heated = volume * (middle < radius)
    weights = heated / heated.sum() if what == "mean" else np.eye(shells)[0]
    return Plant(matrix, rate * (middle < radius), weights)


def temperatures(given: Control, plant: Plant, duration: float, noise: float = 0.0) -> tuple[Array, Array]:
    """What the sensor shows [K] and the amplitude [A/m] from then on, sample by sample."""
    machine = given.controller(0.0, STRONGEST, FREQUENCY)
    hold, push = plant.steps(given.every)
    random, state = np.random.default_rng(1), np.zeros_like(plant.source)
    shown, amplitudes = [], []
    for time in (0.0, *given.knots(0.0, duration)):
        shown.append(BODY + float(plant.weights @ state))
        amplitudes.append(machine.answer(time, shown[-1] + noise * random.standard_normal()))
        state = hold @ state + push * (amplitudes[-1] / STRONGEST) ** 2
    return np.array(shown), np.array(amplitudes)


def pid_for(plant: Plant, every: float, **keys: str) -> Pid:
    """A pid that tunes itself for a rise of 6 K, or for what 70 % of the power reaches."""
    rise = min(6.0, 0.7 * plant.steady())
    return control("pid", set_point=f"{BODY + rise} K", every=f"{every} s", **keys)


def assert_settles(plant: Plant, every: float, **keys: str) -> None:
    """It never overshoots by more than it may, and is there a hundred samples after full power would be."""
    given = pid_for(plant, every, **keys)
    allowed = plant.samples_at_full_power(every, given.set_point - BODY) + 100
    seen, _ = temperatures(given, plant, (allowed + 300) * every)
    assert seen.max() < given.set_point + WITHIN
    assert np.abs(seen[allowed:] - given.set_point).max() < WITHIN
    assert np.abs(seen[-1] - given.set_point) < 0.1 * WITHIN


@pytest.mark.parametrize("every", [1.0, 2.0, 5.0])
@pytest.mark.parametrize("loss_time", [30.0, 300.0, 3600.0])
@pytest.mark.parametrize("rate", [0.01, 0.1, 1.0])
def test_a_pid_without_gains_settles_on_a_first_order_lag(rate: float, loss_time: float, every: float) -> None:
    assert_settles(lumped(rate, loss_time), every)


@pytest.mark.parametrize("what", ["hottest", "mean"])
@pytest.mark.parametrize("every", [1.0, 5.0])
@pytest.mark.parametrize(("rate", "radius"), [(0.03, 2.5e-3), (1.0, 2.5e-3), (0.02, 20e-3), (0.3, 20e-3)])
def test_a_pid_without_gains_settles_on_a_perfused_sphere(rate: float, radius: float, every: float, what: str) -> None:
    assert_settles(sphere(rate, radius, 5e-3, what), every)


def test_a_pid_follows_a_rise_of_perfusion() -> None:
    calm, perfused = sphere(0.1, 0.01, 2e-3, "hottest"), sphere(0.1, 0.01, 1e-2, "hottest")
    given = control("pid", set_point="41 degC")
    machine = given.controller(0.0, STRONGEST, FREQUENCY)
    state, errors = np.zeros_like(calm.source), []
    for time in (0.0, *given.knots(0.0, 1500.0)):
        shown = BODY + state[0]
        errors.append(shown - given.set_point)
        hold, push = (calm if time < 800.0 else perfused).steps(given.every)
        state = hold @ state + push * (machine.answer(time, shown) / STRONGEST) ** 2
    errors = np.array(errors)
    assert errors[400:].min() < -1e-3  # it was disturbed
    assert np.abs(errors[350:400]).max() < WITHIN
    assert np.abs(errors[500:]).max() < WITHIN


def test_a_pid_bears_the_scatter_of_a_solver() -> None:
    plant = sphere(0.05, 5e-3, 5e-3, "hottest")
    given = pid_for(plant, 2.0)
    seen, _ = temperatures(given, plant, 1200.0, noise=0.01)
    assert np.abs(seen[300:] - given.set_point).max() < WITHIN


def test_the_rate_of_change_is_kept_without_overshoot() -> None:
    plant = sphere(0.1, 0.01, 5e-3, "hottest")
    given = pid_for(plant, 2.0, rate="200 A/m/s")
    seen, amplitudes = temperatures(given, plant, 1800.0)
    changes = np.abs(np.diff(amplitudes, prepend=0.0))
    assert changes.max() == pytest.approx(2.0 * 200.0)
    assert seen.max() < given.set_point + WITHIN
    assert np.abs(seen[-300:] - given.set_point).max() < WITHIN


def test_a_pid_that_could_not_reach_its_set_point_turns_down_at_once() -> None:
    """Saturated for 20 integral times; the plant then jumps above the set point: a wound-up integral would go on heating."""
    given = control("pid", gain="0.5 1/K", integral_time="30 s", every="1 s")
    machine = given.controller(0.0, STRONGEST, FREQUENCY)
    assert [machine.answer(float(second), BODY) for second in range(600)][-1] == STRONGEST
    after = [machine.answer(600.0 + second, 317.15) for second in range(3)]
    assert after[0] < STRONGEST
    assert after[-1] == 0.0


def test_a_pid_with_gains_answers_the_error_by_them() -> None:
    """At the first sample: half of gain times error, the other half coming with the integral; power goes with H^2."""
    given = control("pid", gain="0.1 1/K", integral_time="20 s", every="1 s")
    first, second = itertools.starmap(given.controller(0.0, STRONGEST, FREQUENCY).answer, [(0.0, 312.15), (1.0, 312.15)])
    assert (first / STRONGEST) ** 2 == pytest.approx(0.5 * 0.1 * 4.0)
    assert (second / STRONGEST) ** 2 == pytest.approx(0.5 * 0.1 * 4.0 + 0.1 * 4.0 / 20.0)


def test_the_derivative_time_brakes_a_climb() -> None:
    samples = [(0.0, 312.15), (1.0, 312.35)]
    shares = []
    for derivative in ("0 s", "3 s"):
        given = control("pid", gain="0.1 1/K", integral_time="20 s", every="1 s", derivative_time=derivative)
        answers = list(itertools.starmap(given.controller(0.0, STRONGEST, FREQUENCY).answer, samples))
        shares.append((answers[1] / STRONGEST) ** 2)
    assert shares[0] - shares[1] == pytest.approx(0.1 * 3.0 * 0.2)  # gain, derivative time, K/s


def test_a_pid_tells_the_heating_rate_that_it_found() -> None:
    machine = control("pid", every="1 s").controller(0.0, STRONGEST, FREQUENCY)
    temperature = BODY
    for second in range(30):
        temperature += 0.05 * (machine.answer(float(second), temperature) / STRONGEST) ** 2  # adiabatic: 0.05 K/s
    lag = 0.5 + 3.0  # half a sample late, closed in three more: SIMC's gain 1/(rate lag) and time 4 lag
    expected = f"0.05 K/s at 20 kA/m, 0 s late: gain {1.0 / (0.05 * lag):.3g} 1/K, integral time {4.0 * lag:.3g} s"
    assert [expected in note for note in machine.notes] == [True]


def test_a_pid_stays_off_while_it_is_hotter_than_the_set_point() -> None:
    machine = control("pid").controller(0.0, STRONGEST, FREQUENCY)
    assert [machine.answer(2.0 * sample, 316.15 + 1.0) for sample in range(50)] == [0.0] * 50


def test_a_thermostat_holds_a_slow_plant_within_its_band() -> None:
    plant = lumped(0.05, 600.0)  # 0.05 K/s at most: half a band in a sample of 2 s
    given = control("thermostat")
    seen, amplitudes = temperatures(given, plant, 1500.0)
    settled = int(np.argmax(seen > given.set_point))
    assert np.abs(seen[settled:] - given.set_point).max() < WITHIN
    assert set(amplitudes) == {0.0, STRONGEST}


def test_a_thermostat_switches_at_the_ends_of_its_band_only() -> None:
    machine = control("thermostat", band="1 K", least="1 kA/m").controller(0.0, STRONGEST, FREQUENCY)
    celsius = [43.0, 42.6, 42.4, 42.6, 43.4, 43.6, 43.4, 42.6, 42.4]
    answers = [machine.answer(2.0 * sample, 273.15 + shown) for sample, shown in enumerate(celsius)]
    off, on = 1e3, STRONGEST
    assert answers == [off, off, on, on, on, off, off, off, on]


def test_a_thermostat_stays_on_and_off_for_its_shortest_times() -> None:
    given = control("thermostat", band="0.2 K", shortest_on="6 s", shortest_off="4 s")
    machine = given.controller(0.0, STRONGEST, FREQUENCY)
    alternating = [315.15, 317.15] * 6  # asks for a switch at each sample
    answers = [machine.answer(2.0 * sample, shown) > 0.0 for sample, shown in enumerate(alternating)]
    assert answers == [True, True, True, False, False, False, True, True, True, False, False, False]


def test_a_thermostat_tells_of_samples_too_far_apart() -> None:
    machine = control("thermostat").controller(0.0, STRONGEST, FREQUENCY)
    for sample, shown in enumerate([310.15, 310.3, 311.3, 312.3]):
        machine.answer(2.0 * sample, shown)
    assert [note.startswith("the thermostat's temperature moved 1 K in one sample of 2 s") for note in machine.notes] == [True]


@pytest.mark.parametrize("kind", ["thermostat", "pid"])
def test_last_digits_that_differ_between_ranks_change_nothing_that_shows(kind: str) -> None:
    plant = sphere(0.05, 0.01, 5e-3, "hottest")
    given = control(kind, set_point="41 degC")
    alone, _ = temperatures(given, plant, 1500.0)
    of_three, _ = temperatures(given, plant, 1500.0, noise=1e-10)
    assert np.abs(alone - of_three).max() < 1e-6


@pytest.mark.parametrize("digits", [-1e-10, 0.0, 1e-10])
def test_a_start_at_the_end_of_the_band_is_no_matter_of_last_digits(digits: float) -> None:
    machine = control("thermostat", set_point="37.1 degC").controller(0.0, STRONGEST, FREQUENCY)
    assert machine.answer(0.0, BODY + digits) == 0.0


def test_a_cycle_switches_at_its_times_exactly() -> None:
    given = control("cycle", on="30 s", off="10 s")
    assert given.watched() is None
    assert given.knots(100.0, 220.0) == (130.0, 140.0, 170.0, 180.0, 210.0)
    machine = given.controller(100.0, STRONGEST, FREQUENCY)
    answers = [machine.answer(time, math.nan) for time in (100.0, *given.knots(100.0, 220.0))]
    assert answers == [STRONGEST, 0.0, STRONGEST, 0.0, STRONGEST, 0.0]


def test_a_cycle_of_times_that_binary_numbers_miss_keeps_its_order() -> None:
    given = control("cycle", on="0.1 s", off="0.2 s")
    machine = given.controller(0.7, STRONGEST, FREQUENCY)
    times = (0.7, *given.knots(0.7, 0.7 + 299.95))
    assert len(times) == 2000  # two in each of the 1000 periods that began
    assert [machine.answer(time, math.nan) > 0.0 for time in times] == [True, False] * 1000


def test_a_cycle_with_a_limited_rate_climbs_in_samples() -> None:
    given = control("cycle", on="10 s", off="10 s", rate="4 kA/m/s", every="2 s")
    machine = given.controller(0.0, STRONGEST, FREQUENCY)
    answers = [machine.answer(time, math.nan) for time in (0.0, *given.knots(0.0, 14.0))]
    assert answers == pytest.approx([8e3, 16e3, 20e3, 20e3, 20e3, 12e3, 4e3])


def test_samples_are_counted_from_the_start_of_the_stage() -> None:
    assert control("pid", every="2.5 s").knots(7.0, 15.0) == (9.5, 12.0, 14.5)


@pytest.mark.parametrize(
    ("limit", "most"),
    [("Atkinson-Brezovich", BREZOVICH_LIMIT / 100e3), ("Hergt-Dutz", STRONGEST), ("1e9 A/m/s", 1e9 / 100e3)],
)
def test_the_amplitude_keeps_the_field_limit_and_says_where_it_binds(limit: str, most: float) -> None:
    assert HERGT_LIMIT / FREQUENCY > STRONGEST
    machine = control("cycle", on="10 s", off="10 s", field_limit=limit).controller(0.0, STRONGEST, FREQUENCY)
    assert machine.answer(0.0, math.nan) == pytest.approx(most)
    assert [f"{most:.6g} A/m at 100000 Hz" in note for note in machine.notes] == [True] * (most < STRONGEST)


def test_a_field_limit_below_the_least_amplitude_is_refused() -> None:
    given = control("pid", least="8 kA/m", field_limit="Atkinson-Brezovich")
    with pytest.raises(ValueError, match=r"allow 4850 A/m, and `least` is 8000 A/m"):
        given.controller(0.0, STRONGEST, FREQUENCY)
    with pytest.raises(ValueError, match="allow 0 A/m"):
        control("pid").controller(0.0, 0.0, FREQUENCY)


@pytest.mark.parametrize(
    ("text", "what", "name"),
    [
        ("tumour.hottest", "hottest", "tumour"),
        (" left lobe.mean ", "mean", "left lobe"),
        ("coldest", "coldest", ""),
        ("probe.centre", "probe", "centre"),
    ],
)
def test_a_sensor_is_read(text: str, what: str, name: str) -> None:
    assert (sensor(text).what, sensor(text).name) == (what, name)


@pytest.mark.parametrize("text", ["", "tumour", "tumour.warmest", "probe.", "probe", ".hottest", "tumour.", 5])
def test_a_sensor_of_nothing_is_refused(text: Any) -> None:
    with pytest.raises(ValueError, match="nothing to measure|must be text"):
        sensor(text)


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ({"kind": "pid", "gain": "1 1/K"}, "give `gain` and `integral_time` (and perhaps `derivative_time`), or none"),
        ({"kind": "pid", "derivative_time": "1 s"}, "give `gain` and `integral_time`"),
        ({"kind": "pid", "most": "1 kA/m", "least": "2 kA/m"}, "`most` is 1000 A/m, below `least`, 2000 A/m"),
        ({"kind": "pid", "rate": "5 kA/m"}, "rate: 'kA/m' is not a unit of this quantity"),
        ({"kind": "pid", "field_limit": "Brezovich"}, 'also allowed: "Atkinson-Brezovich" or "Hergt-Dutz"'),
        ({"kind": "thermostat", "band": "0 K"}, "band: '0 K' is out of range: it must be above 0 K"),
        ({"kind": "thermostat", "every": "2"}, "every: write the unit"),
        ({"kind": "thermostat", "gain": "1 1/K"}, "gain: unknown key"),
        ({"kind": "bang-bang"}, 'kind: no kind "bang-bang"'),
    ],
)
def test_a_control_that_makes_no_sense_is_refused_in_one_line(keys: dict[str, str], line: str) -> None:
    raw = {"sensor": "tumour.hottest", "set_point": "43 degC"} | keys
    with pytest.raises(ValidationError) as error:
        ANY.validate_python(raw)
    told = faults(error.value, Pid, "case.toml", raw)
    assert len(told) == 1
    assert line in told[0]


@pytest.mark.parametrize(
    "given",
    [
        control("pid", every="5 s", gain="0.5 1/K", integral_time="1 min", field_limit="Hergt-Dutz", rate="1 kA/m/s"),
        control("thermostat", band="0.5 K", shortest_on="3 s", most="10 mT", field_limit="1e9 A/m/s"),
        control("cycle", on="1 min", off="30 s"),
    ],
    ids=["pid", "thermostat", "cycle"],
)
def test_a_control_reads_back_what_it_writes(given: Any) -> None:
    assert ANY.validate_python({key: v for key, v in given.model_dump(mode="json").items() if v is not None}) == given


def quadratic(amplitude: float) -> float:
    """A linear tissue: 8 K above the body at 20 kA/m."""
    return BODY + 8.0 * (amplitude / STRONGEST) ** 2


def perfusion_that_opens(amplitude: float) -> float:
    return BODY + 8.0 * math.tanh((amplitude / STRONGEST) ** 2)


def runaway(amplitude: float) -> float:
    return BODY + 0.5 * math.expm1(5.0 * (amplitude / STRONGEST) ** 2)


def counted(respond: Callable[[float], float]) -> tuple[Callable[[float], float], list[float]]:
    tried: list[float] = []
    return lambda amplitude: (tried.append(amplitude), respond(amplitude))[1], tried


def test_a_linear_tissue_needs_three_trials() -> None:
    respond, tried = counted(quadratic)
    found = largest_amplitude(respond, BODY + 5.0, (0.0, STRONGEST), tolerance=0.02)
    assert found.bound == "limit"
    assert found.evaluations == len(tried) == 3
    assert found.amplitude == pytest.approx(STRONGEST * math.sqrt((5.0 - 0.01) / 8.0))  # the middle of the tolerance


@pytest.mark.parametrize("respond", [quadratic, perfusion_that_opens, runaway])
@pytest.mark.parametrize("rise", [0.3, 2.0, 5.0])
def test_the_largest_amplitude_ends_just_below_the_limit(respond: Callable[[float], float], rise: float) -> None:
    respond, tried = counted(respond)
    found = largest_amplitude(respond, BODY + rise, (0.0, STRONGEST), tolerance=0.05)
    assert -0.05 <= respond(found.amplitude) - BODY - rise <= 0.0
    assert len(tried) <= 10


def test_a_jump_past_the_limit_leaves_the_largest_amplitude_before_it() -> None:
    found = largest_amplitude(lambda h: 311.0 + (10.0 if h > 7e3 else 0.0), 315.0, (0.0, STRONGEST))
    assert 7e3 * (1.0 - 1e-3) < found.amplitude <= 7e3


def test_a_limit_that_is_never_reached_gives_the_largest_amplitude_and_says_so() -> None:
    found = largest_amplitude(quadratic, BODY + 9.0, (1e3, STRONGEST))
    assert (found.amplitude, found.temperature, found.bound) == pytest.approx((STRONGEST, BODY + 8.0)) + ("most",)
    assert found.sentence() == "healthy tissue reaches 45.00 degC at 20 kA/m, the largest amplitude tried: the limit lies beyond"


def test_a_search_that_can_find_nothing_says_why_in_one_line() -> None:
    with pytest.raises(CaseError, match=r"^healthy tissue reaches 37.32 degC at the least amplitude, 4000 A/m, above 37.00 degC"):
        largest_amplitude(quadratic, BODY, (4e3, STRONGEST))
    with pytest.raises(CaseError, match="at 0 A/m is nan"):
        largest_amplitude(lambda h: math.nan, BODY, (0.0, STRONGEST))
    with pytest.raises(CaseError, match="amplitudes from 5 to 2 A/m"):
        largest_amplitude(quadratic, BODY, (5.0, 2.0))
