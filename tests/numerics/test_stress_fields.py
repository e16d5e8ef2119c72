"""The largest tensile stress of a sphere whose surface warms: physics.md, section 7.7, and when it is solved for."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from nanowarm.numerics.rkc import Step
from nanowarm.numerics.stress_fields import IN_GLASS, StressFields
from nanowarm.physics.curves import constant
from nanowarm.physics.mechanics import Mechanics, StressInput

YOUNG, POISSON, EXPANSION, RISE = 1e9, 0.2, 5e-5, 20.0  # [Pa], -, [1/K], [K]
LEVEL = EXPANSION * YOUNG * RISE / (1.0 - POISSON)  # [Pa]
START, RADIUS = 200.0, 5e-3  # [K] of the body without stress, [m]
SOLID = Mechanics(YOUNG, POISSON, constant(EXPANSION))


def glass_sphere(bench: Any) -> Any:
    """A small insulated sphere in the glass, whose temperature each test makes up."""
    path = bench.case(
        "sphere",
        {"radius": "5 mm"},
        "1.25 mm",
        initial={"temperature": f"{START!r} K"},
        regions={"body": {"material": bench.material("gel")}},
        boundaries={"surface": {"kind": "insulated"}},
        stages=[{"name": "wait", "duration": "1 s"}],
    )
    return bench.trial(path)


def ramp(trial: Any, seconds: float, rise: float) -> Step:
    """A step in which the middle stays and the surface warms by so many kelvin, evenly in time."""
    first = trial.heat.initial_state(START)
    q = (trial.position**2).sum(axis=1) / RADIUS**2
    last = first.copy()
    last[: trial.heat.owned] += 2e6 * rise * q  # 2 MJ/m3/K of the bench's gel
    slope = (last - first) / seconds
    return Step(0.0, seconds, seconds, np.array([first, last, slope, slope]))


def test_stress_is_solved_whenever_a_temperature_has_changed_enough(bench: Any) -> None:
    trial = glass_sphere(bench)
    fields = StressFields(trial.heat, {"body": SOLID}, StressInput(order=1, resolution=f"{5.0 / IN_GLASS} K"))
    step = ramp(trial, 10.0, RISE)
    fields.begin(0.0, step.state(0.0))
    fields.observe(step)
    assert fields.solves == 4
    fields.finish(10.0, step.state(10.0))
    assert fields.solves == 4
    fields.row(10.0)
    # the surface is in compression, the middle in tension of 2/5 of the level, from all sides
    peak = fields.peak("body")
    assert peak.time == 10.0
    assert np.linalg.norm(peak.position) < 0.3 * RADIUS
    assert peak.value == pytest.approx(0.4 * LEVEL, rel=0.1)
    assert fields.columns["body_stress_MPa"] == pytest.approx([peak.value * 1e-6], rel=1e-12)
    spread = fields.spread("body")
    assert spread is not None
    assert spread.extreme(1)[0] == peak.value


def test_stress_is_solved_at_the_times_that_are_given(bench: Any) -> None:
    trial = glass_sphere(bench)
    fields = StressFields(trial.heat, {"body": SOLID}, StressInput(order=1), times=(2.5, 4.0, 40.0))
    step = ramp(trial, 10.0, RISE)
    fields.begin(0.0, step.state(0.0))
    fields.observe(step)
    assert (fields.solves, fields.state.time) == (2, 4.0)
    fields.finish(10.0, step.state(10.0))
    assert (fields.solves, fields.state.time) == (3, 10.0)


def test_the_part_that_cracks_is_where_stress_reaches_the_strength(bench: Any) -> None:
    trial = glass_sphere(bench)
    fields = StressFields(trial.heat, {"body": SOLID}, StressInput(order=2, resolution=f"{10.0 / IN_GLASS} K"))
    step = ramp(trial, 10.0, RISE)
    fields.begin(0.0, step.state(0.0))
    fields.observe(step)
    # the largest principal stress is radial, 2/5 (1 - q^2) of the level, wherever it is tensile
    whole = 4.0 / 3.0 * math.pi * RADIUS**3
    # and a cell counts whole where one of its points cracks
    assert 0.5**1.5 * whole < fields.crack_volume("body", 0.2 * LEVEL) < 1.25 * 0.5**1.5 * whole
    assert fields.crack_volume("body", LEVEL) == 0.0
    nodal = fields.nodal()
    q = (trial.position**2).sum(axis=1) / RADIUS**2
    assert nodal[q < 0.1] == pytest.approx(0.4 * LEVEL, rel=0.15)
    assert nodal[q > 0.9].max() < 0.15 * LEVEL


def test_what_was_never_solid_has_no_stress_to_tell(bench: Any) -> None:
    trial = glass_sphere(bench)
    liquid = Mechanics(YOUNG, POISSON, constant(EXPANSION), set_temperature=START - 50.0)
    fields = StressFields(trial.heat, {"body": liquid}, StressInput(rheology="elastic", order=1))
    step = ramp(trial, 10.0, RISE)
    fields.begin(0.0, step.state(0.0))
    fields.observe(step)
    assert fields.solves == 0  # it is too warm to matter
    fields.finish(10.0, step.state(10.0))
    fields.row(10.0)
    assert fields.spread("body") is None
    assert fields.peak("body").value is None
    assert fields.crack_volume("body", 1.0) == 0.0
    assert fields.columns["body_stress_MPa"] == [0.0]
