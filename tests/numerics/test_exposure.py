"""Time above a temperature: closed forms on made-up steps and in small runs."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nanowarm.numerics.crossings import NOTICED
from nanowarm.numerics.exposure import TimeAbove
from nanowarm.numerics.rkc import Integrator, Step
from nanowarm.numerics.sampling import Nodes
from nanowarm.numerics.stack import MPI
from nanowarm.numerics.thermodynamics import Thermodynamics
from nanowarm.physics.curves import constant
from nanowarm.physics.materials import Medium

CAPACITY = 2e6  # [J/m3/K]
LIMIT = 250.0  # [K]


class Body:
    """Nodes of one medium, of a volume of 1 m3 each."""

    def __init__(self, nodes: int) -> None:
        self.owned = nodes
        self.thermo = Thermodynamics([Medium("jelly", constant(CAPACITY), constant(0.5))], np.ones((1, nodes)))
        self.layout = SimpleNamespace(comm=MPI.COMM_SELF)
        self.operators = SimpleNamespace(position=np.zeros((nodes, 3)))
        self.looks = 0

    def temperature(self, state: Any) -> Any:
        self.looks += 1
        self.thermo.locate(state)
        return self.thermo.temperature()


def followed(curves: Any, times: Any = None, slopes: Any = None) -> Any:
    """Time above the limit of temperatures [K] of shape (times, nodes), straight unless with slopes [K/s]; the body."""
    curves = np.array(curves, dtype=float)
    times = np.arange(len(curves), dtype=float) if times is None else times
    body: Any = Body(curves.shape[1])
    above = TimeAbove(body, LIMIT)
    enthalpy = np.array([body.thermo.enthalpy(row) for row in curves])
    above.look(curves[0])
    for n in range(len(times) - 1):
        size = times[n + 1] - times[n]
        chord = (enthalpy[n + 1] - enthalpy[n]) / size
        ends = (chord, chord) if slopes is None else (CAPACITY * slopes[n], CAPACITY * slopes[n + 1])
        step = Step(times[n], times[n + 1], size, np.stack((enthalpy[n], enthalpy[n + 1], *ends)))
        above.observe(step, body.temperature(step.values[1]))  # an array that the next look at the body overwrites
    body.looks -= len(times) - 1
    return above, body


def seconds(curves: Any, times: Any = None, slopes: Any = None) -> Any:
    return followed(curves, times, slopes)[0].seconds


def test_nodes_that_are_always_above_count_the_whole_time_and_those_below_none_without_being_looked_at() -> None:
    above, body = followed([[260.0], [261.0], [259.0]], np.array([0.0, 2.0, 5.0]))
    assert (above.seconds.tolist(), body.looks) == ([5.0], 0)
    above, body = followed([[240.0], [241.0]])
    assert (above.seconds.tolist(), body.looks) == ([0.0], 0)


def test_only_the_step_that_passes_the_temperature_takes_another_look() -> None:
    above, body = followed([[240.0], [260.0], [261.0], [262.0]])
    assert (above.seconds, body.looks) == (pytest.approx([2.5], abs=1e-3), 1)


def test_a_ramp_counts_from_where_it_passes_the_temperature() -> None:
    assert seconds([[240.0, 245.0, 260.0], [260.0, 255.0, 240.0]], np.array([0.0, 8.0])) == pytest.approx([4.0] * 3, abs=1e-3)
    assert seconds([[249.0], [253.0]]) == pytest.approx([0.75], abs=1e-3)
    assert seconds([[251.0], [247.0]]) == pytest.approx([0.25], abs=1e-3)


@given(st.lists(st.integers(230, 270), min_size=2, max_size=6))
def test_a_broken_line_counts_the_part_of_each_piece_that_is_above(corners: list[int]) -> None:
    expected = 0.0
    for one, other in pairwise(corners):
        low, high = sorted((one - LIMIT, other - LIMIT))
        expected += 1.0 if low >= 0.0 < high else 0.0 if high <= 0.0 else high / (high - low)
    assert seconds([[corner] for corner in corners]) == pytest.approx([expected], abs=1e-3)


def test_a_body_at_the_temperature_is_not_above_it() -> None:
    assert seconds([[LIMIT], [LIMIT], [LIMIT + 1e-9], [LIMIT]]).tolist() == [0.0]


@pytest.mark.parametrize(("sign", "part"), [(1, 0.5**0.5), (-1, 1.0 - 0.5**0.5)])
def test_an_excursion_within_one_step_counts(sign: int, part: float) -> None:
    # T = 250 + sign (1 - 8 (x - 1/2)^2): beyond the limit where |x - 1/2| < sqrt(1/8); both ends lie 1 K on the other side
    ends = [[LIMIT - sign], [LIMIT - sign]]
    slopes = np.array([[8.0 * sign], [-8.0 * sign]])
    assert seconds(ends, slopes=slopes) == pytest.approx([part], abs=1e-3)


def test_the_time_above_an_exponential_is_right_to_a_thousandth_of_a_step() -> None:
    # T = 300 - 150 exp(-t / 20 s) is above 250 K from t = 20 s ln 3; steps of 5 s
    times = np.arange(0.0, 61.0, 5.0)
    decay = 150.0 * np.exp(-times / 20.0)[:, None]
    found = seconds(300.0 - decay, times, decay / 20.0)
    assert found == pytest.approx([60.0 - 20.0 * np.log(3.0)], abs=5e-3)


def test_the_error_falls_at_least_with_the_cube_of_the_step(order: Any) -> None:
    exact = 64.0 - 20.0 * np.log(150.0 / (300.0 - LIMIT - NOTICED))
    errors = []
    for size in (8.0, 4.0, 2.0):
        times = np.arange(0.0, 65.0, size)
        decay = 150.0 * np.exp(-times / 20.0)[:, None]
        errors.append(abs(float(seconds(300.0 - decay, times, decay / 20.0)[0]) - exact))
    assert order(errors) >= 3.0


def test_a_step_that_ended_earlier_counts_only_so_far() -> None:
    body: Any = Body(1)
    above = TimeAbove(body, LIMIT)
    ends = body.thermo.enthalpy(240.0)[0], body.thermo.enthalpy(260.0)[0]
    slope = (ends[1] - ends[0]) / 10.0
    above.look(np.array([240.0]))
    above.observe(Step(0.0, 7.0, 10.0, np.array([[ends[0]], [ends[1]], [slope], [slope]])), np.array([254.0]))
    assert above.seconds == pytest.approx([2.0], abs=1e-3)


def test_a_jump_takes_no_time() -> None:
    body: Any = Body(1)
    above = TimeAbove(body, LIMIT)
    above.look(np.array([240.0]))
    above.look(np.array([260.0]))
    ends = np.full((2, 1), body.thermo.enthalpy(260.0)[0])
    above.observe(Step(3.0, 4.0, 1.0, np.concatenate((ends, np.zeros((2, 1))))), np.array([260.0]))
    assert above.seconds.tolist() == [1.0]


def test_the_spread_has_the_nodes_of_the_region_only() -> None:
    above, _ = followed([[240.0, 260.0, 260.0], [240.0, 260.0, 240.0]])
    spread = above.spread(Nodes(np.array([0, 1]), np.array([1.0, 3.0])))
    assert spread.statistics() == {"min": 0.0, "mean": 0.75, "max": 1.0}


def test_an_insulated_body_that_the_field_warms_evenly_is_above_for_the_time_of_the_closed_form(bench: Any) -> None:
    path = bench.case(
        "sphere",
        {"volume": "1 mL"},
        "6 mm",
        initial={"temperature": "0 degC"},
        regions={
            "body": {
                "material": bench.material("gel", CAPACITY),
                "particles": {"name": bench.particle("warmer", CAPACITY / 10.0 / 20.0), "iron": "10 mgFe/mL"},  # 1 K per 20 s
            }
        },
        boundaries={"surface": {"kind": "insulated"}},
        field={"kind": "uniform", "amplitude": "20 kA/m", "frequency": "200 kHz"},
        stages=[{"name": "warm", "duration": "500 s"}],
        output={"every": "70 s", "fields": []},
    )
    trial = bench.trial(path)
    above = TimeAbove(trial.heat, 273.15 + 13.0)
    heat, state = trial.heat, trial.heat.initial_state(273.15)
    heat.begin(trial.case.stages[0], 0.0, state)
    above.look(heat.temperature(state))
    integrator = Integrator(heat, state, None, 70.0)
    integrator.start(0.0, 500.0)
    time = 0.0
    while time < 500.0:
        step = integrator.step(500.0)
        above.observe(step, heat.temperature(step.state(step.end)).copy())
        time = step.end
    late = 20.0 * NOTICED  # [s]
    assert above.seconds == pytest.approx(np.full(heat.owned, 500.0 - 13.0 * 20.0 - late), abs=1e-6)
