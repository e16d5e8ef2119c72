"""Crossing times of a window of temperature, found in the dense output of steps that are made up here."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from nanowarm.numerics.rkc import Step
from nanowarm.numerics.thermodynamics import Thermodynamics
from nanowarm.numerics.windows import WindowRates
from nanowarm.physics.curves import constant
from nanowarm.physics.materials import Medium

CAPACITY = 2e6  # [J/m3/K]
WINDOW = (200.0, 250.0)  # [K]


class Body:
    """Nodes of one medium whose temperature is told."""

    def __init__(self, nodes: int) -> None:
        medium = Medium("jelly", constant(CAPACITY), constant(0.5))
        self.owned = nodes
        self.thermo = Thermodynamics([medium], np.ones((1, nodes)))

    def temperature(self, state: Any) -> Any:
        self.thermo.locate(state[: self.owned])
        return self.thermo.temperature()


def seen(curves: Any, slopes: Any, times: Any, direction: int = 1, window: tuple[float, float] = WINDOW) -> WindowRates:
    """A window that has watched temperatures [K] at times [s], shape (times, nodes), with their slopes [K/s]."""
    curves, slopes = (np.array(values, dtype=float).reshape(len(times), -1) for values in (curves, slopes))
    body: Any = Body(curves.shape[1])
    rates = WindowRates(body, window, direction)
    enthalpy = np.array([body.thermo.enthalpy(row) for row in curves])
    for n in range(len(times) - 1):
        values = np.stack((enthalpy[n], enthalpy[n + 1], CAPACITY * slopes[n], CAPACITY * slopes[n + 1]))
        rates.observe(Step(times[n], times[n + 1], times[n + 1] - times[n], values))
    return rates


def broken_line(temperatures: list[float], times: Any = None, direction: int = 1) -> WindowRates:
    """One node that goes straight from point to point, each step with the slope of its own chord."""
    times = np.arange(len(temperatures), dtype=float) if times is None else np.array(times)
    body: Any = Body(1)
    rates = WindowRates(body, WINDOW, direction)
    for n in range(len(times) - 1):
        size = times[n + 1] - times[n]
        ends = [float(body.thermo.enthalpy(temperatures[k])[0]) for k in (n, n + 1)]
        slope = (ends[1] - ends[0]) / size
        rates.observe(Step(times[n], times[n + 1], size, np.array([[ends[0]], [ends[1]], [slope], [slope]])))
    return rates


def test_the_crossings_of_an_exponential_are_found_to_a_millisecond() -> None:
    # T = 300 - 150 exp(-t / 20 s) passes a temperature at t = 20 s ln(150 / (300 - T))
    times = np.arange(0.0, 61.0, 2.0)
    decay = 150.0 * np.exp(-times / 20.0)
    rates = seen(300.0 - decay, decay / 20.0, times)
    exact = [20.0 * np.log(150.0 / (300.0 - limit)) for limit in WINDOW]
    assert rates.entered[0] == pytest.approx(exact[0], abs=1e-3)
    assert rates.left[0] == pytest.approx(exact[1], abs=1e-3)


def test_the_error_of_the_crossings_falls_at_least_with_the_cube_of_the_step(order: Any) -> None:
    errors = []
    for size in (4.0, 2.0, 1.0):
        times = np.arange(0.0, 61.0, size)
        decay = 150.0 * np.exp(-times / 20.0)
        rates = seen(300.0 - decay, decay / 20.0, times)
        errors.append(abs(rates.left[0] - 20.0 * np.log(3.0)) + abs(rates.entered[0] - 20.0 * np.log(1.5)))
    assert order(errors) >= 3.0


def test_a_steady_warming_has_its_own_rate() -> None:
    rate, finished = broken_line([190.0, 260.0], [0.0, 35.0]).rates()
    assert finished.all()
    assert rate[0] == pytest.approx(2.0, rel=1e-12)


def test_a_node_that_turns_back_below_the_window_counts_from_its_last_entry() -> None:
    rates = broken_line([190.0, 210.0, 190.0, 260.0])
    assert rates.entered[0] == pytest.approx(2.0 + 10.0 / 70.0)
    assert rates.left[0] == pytest.approx(2.0 + 60.0 / 70.0)


def test_what_happens_after_the_window_was_left_does_not_count() -> None:
    rates = broken_line([190.0, 260.0, 190.0, 191.0, 260.0])
    assert rates.left[0] == pytest.approx(60.0 / 70.0)
    assert rates.entered[0] == pytest.approx(10.0 / 70.0)


def test_a_node_that_never_enters_has_no_rate() -> None:
    rate, finished = broken_line([150.0, 199.0, 160.0]).rates()
    assert not finished.any()
    assert np.isinf(rate).all()


def test_a_node_that_starts_inside_the_window_is_never_finished() -> None:
    rate, finished = broken_line([220.0, 260.0]).rates()
    assert not finished.any()
    assert np.isinf(rate).all()


def test_a_node_that_starts_at_the_edge_of_the_window_enters_at_once() -> None:
    rates = broken_line([200.0, 260.0])
    assert rates.entered[0] == 0.0
    assert rates.left[0] == pytest.approx(50.0 / 60.0)


def test_a_node_that_ends_at_the_edge_of_the_window_has_left_it() -> None:
    assert broken_line([190.0, 250.0]).rates()[1].all()


def test_a_node_still_inside_has_a_bound_that_time_lowers() -> None:
    rate, finished = broken_line([200.0, 210.0, 220.0], [0.0, 10.0, 20.0]).rates()
    assert not finished.any()
    assert rate[0] == pytest.approx(50.0 / 20.0)


def test_cooling_is_looked_at_from_the_warm_side() -> None:
    rates = broken_line([260.0, 190.0], [0.0, 35.0], direction=-1)
    assert rates.entered[0] == pytest.approx(5.0)
    assert rates.rates()[0][0] == pytest.approx(2.0)


def test_warming_is_no_cooling() -> None:
    assert not broken_line([190.0, 260.0], direction=-1).rates()[1].any()


def test_a_whole_passage_within_one_step_is_seen() -> None:
    rates = broken_line([100.0, 300.0], [0.0, 2.0])
    assert (rates.entered[0], rates.left[0]) == (pytest.approx(1.0), pytest.approx(1.5))


def test_the_slowest_rate_is_at_most_the_mean_one() -> None:
    random = np.random.default_rng(1)
    for _ in range(50):
        points = np.concatenate(([190.0], np.sort(random.uniform(195.0, 255.0, 6)), [260.0]))
        rates = broken_line(list(points), np.cumsum(random.uniform(0.1, 5.0, 8)))
        assert rates.slowest[0] <= rates.rates()[0][0] * (1 + 1e-12)


def test_a_pause_inside_the_window_is_the_slowest_rate() -> None:
    rates = broken_line([190.0, 220.0, 220.5, 260.0], [0.0, 1.0, 2.0, 3.0])
    assert rates.slowest[0] == pytest.approx(0.5, rel=1e-9)


def test_a_pause_before_the_last_entry_is_forgotten() -> None:
    rates = broken_line([190.0, 210.0, 210.1, 199.0, 260.0])
    assert rates.slowest[0] == pytest.approx(61.0, rel=1e-9)


def test_a_pause_outside_the_window_does_not_count() -> None:
    rates = broken_line([190.0, 190.1, 260.0, 260.1])
    assert rates.slowest[0] == pytest.approx(69.9, rel=1e-9)


def test_each_node_has_its_own_times() -> None:
    times = np.array([0.0, 10.0])
    rates = seen([[190.0, 180.0], [260.0, 320.0]], [[7.0, 14.0], [7.0, 14.0]], times)
    assert rates.rates()[0] == pytest.approx([7.0, 14.0])


def test_a_step_that_ended_earlier_is_looked_at_only_so_far() -> None:
    body: Any = Body(1)
    rates = WindowRates(body, WINDOW, 1)
    ends = [float(body.thermo.enthalpy(t)[0]) for t in (190.0, 260.0)]
    slope = (ends[1] - ends[0]) / 10.0
    rates.observe(Step(0.0, 5.0, 10.0, np.array([[ends[0]], [ends[1]], [slope], [slope]])))
    assert rates.entered[0] == pytest.approx(10.0 / 7.0)
    assert np.isnan(rates.left[0])
    assert rates.rates()[0][0] == pytest.approx(50.0 / (5.0 - 10.0 / 7.0))


def test_evidence_has_the_nodes_of_the_region_only() -> None:
    body = Body(3)
    body.operators = SimpleNamespace(position=np.arange(9.0).reshape(3, 3))  # type: ignore[attr-defined]
    body.layout = SimpleNamespace(comm=SimpleNamespace(allgather=lambda part: [part]))  # type: ignore[attr-defined]
    rates: Any = WindowRates(body, WINDOW, 1)  # type: ignore[arg-type]
    evidence = rates.evidence(SimpleNamespace(index=np.array([0, 2]), volume=np.array([1.0, 2.0])))
    assert evidence.position.tolist() == [[0.0, 1.0, 2.0], [6.0, 7.0, 8.0]]
    assert evidence.volume.tolist() == [1.0, 2.0]
    assert not evidence.finished.any()
