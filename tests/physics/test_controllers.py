"""Thermostat and pid, on plants that are solved exactly from sample to sample."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import TypeAdapter
from scipy.linalg import expm

from nanowarm.model import frozen_copy
from nanowarm.physics.control import AnyControl, Control, Pid

Array = NDArray[np.float64]

ANY: TypeAdapter[Any] = TypeAdapter(AnyControl)
STRONGEST, FREQUENCY = 20e3, 100e3  # [A/m], [Hz] of the stage's field
BODY = 310.15  # [K]
WITHIN = 0.2  # [K] of the set point


def control(kind: str, **keys: Any) -> Any:
    watched = {"sensor": "tumour.hottest", "set_point": "43 degC"}
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
    seen = {"mean": heated / heated.sum(), "hottest": np.eye(shells)[0], "outside": np.eye(shells)[10]}
    return Plant(matrix, rate * (middle < radius), seen[what])


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
    plant = sphere(0.3, 0.02, 2e-3, "hottest")  # full amplitude takes 100 s, in which it could pass the set point
    given = pid_for(plant, 1.0, rate="200 A/m/s")
    seen, amplitudes = temperatures(given, plant, 1800.0)
    changes = np.abs(np.diff(amplitudes, prepend=0.0))
    assert changes.max() == pytest.approx(200.0)
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


@pytest.mark.parametrize("drift", [-0.02, 0.0, 0.02])
def test_a_pid_tells_the_heating_rate_that_it_found_whatever_the_drift(drift: float) -> None:
    machine = control("pid", every="1 s").controller(0.0, STRONGEST, FREQUENCY)
    temperature = BODY
    for second in range(30):
        temperature += drift + 0.05 * (machine.answer(float(second), temperature) / STRONGEST) ** 2  # adiabatic: 0.05 K/s
    lag = 0.5 + 3.0  # half a sample late, closed in three more: SIMC's gain 1/(rate lag) and time 4 lag
    expected = f"0.05 K/s at 20 kA/m, 0.0 s late: gain {1.0 / (0.05 * lag):.3g} 1/K, integral time {4.0 * lag:.3g} s"
    assert [expected in note for note in machine.notes] == [True]


def test_a_pid_tries_a_strong_coil_gently() -> None:
    """Full power for one sample would go 4 K beyond a set point 2 K away."""
    given = control("pid", set_point="39 degC", every="2 s")
    seen, _ = temperatures(given, lumped(3.0, 300.0), 600.0)
    assert seen.max() < given.set_point + WITHIN
    assert np.abs(seen[-100:] - given.set_point).max() < WITHIN


def test_a_pid_settles_on_a_probe_outside_the_heat() -> None:
    """A third of the radius outside: 3 mm of tissue answer after tens of seconds."""
    plant = sphere(0.3, 0.01, 5e-3, "outside")
    given = pid_for(plant, 1.0)
    seen, _ = temperatures(given, plant, 1800.0)
    assert seen.max() < given.set_point + WITHIN
    assert np.abs(seen[-600:] - given.set_point).max() < WITHIN


def test_a_pid_goes_on_where_a_drift_hid_its_heat() -> None:
    """Tissue warms by 0.05 K/s at first and then no more: what 0.03 K/s of power adds seems to be drift."""
    given = control("pid", set_point="38 degC", every="2 s")
    machine = given.controller(0.0, STRONGEST, FREQUENCY)
    temperature, seen = BODY, []
    for time in (0.0, *given.knots(0.0, 900.0)):
        seen.append(temperature)
        heat = 0.03 * (machine.answer(time, temperature) / STRONGEST) ** 2 - (temperature - BODY) / 300.0
        temperature += 2.0 * (0.05 if time == 0.0 else heat)
    assert max(seen) < given.set_point + WITHIN
    assert np.abs(np.array(seen[-100:]) - given.set_point).max() < WITHIN


def test_a_question_between_samples_changes_nothing_that_lasts() -> None:
    """A stage with tables over time asks at their knots as well: the integral goes by the clock, not by the count."""
    shares = []
    for times in ((0.0, 10.0), (0.0, 1.0, 1.5, 9.0, 10.0)):
        given = control("pid", gain="0.01 1/K", integral_time="20 s", every="10 s")
        machine = given.controller(0.0, STRONGEST, FREQUENCY)
        shares.append(([machine.answer(time, 312.15) for time in times][-1] / STRONGEST) ** 2)
    assert shares[1] == pytest.approx(shares[0])
    assert shares[0] == pytest.approx(0.01 * 4.0 * (0.5 + 10.0 / 20.0))


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
