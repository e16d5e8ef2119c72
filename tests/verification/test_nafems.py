"""NAFEMS thermal benchmarks T2 and T3: reference/physics.md, section 7.8."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq

from nanowarm.physics.boundaries import STEFAN_BOLTZMANN

LENGTH = 0.1  # [m]
SLAB = {"thickness": f"{LENGTH} m", "width": "0.02 m"}
SHUT = {"kind": "insulated"}


def radiating_end(constant: float) -> float:
    """Temperature [K] of T2: the heat that a bar conducts from 1000 K is what its end radiates to 300 K."""
    return float(brentq(lambda t: 55.6 * (1000 - t) / LENGTH - 0.98 * constant * (t**4 - 300.0**4), 300, 1000, xtol=1e-12))


def test_the_radiating_bar_of_t2_ends_at_its_target(bench: Any) -> None:
    path = bench.case(
        "slab",
        SLAB,
        "0.02 m",
        initial={"temperature": "1000 K"},
        regions={"body": {"material": bench.material("steel", 1e6, 55.6)}},
        boundaries={
            "left": {"kind": "fixed temperature", "value": "1000 K"},
            "right": {"kind": "radiation", "emissivity": 0.98, "ambient": "300 K"},
            "sides": SHUT,
        },
        # the slowest mode decays with k pi^2 / (4 C L^2), to exp(-27) here, and faster with what the end radiates
        stages=[{"name": "until steady", "duration": "2000 s"}],
        solver={"tolerance": "0.001 K"},
        output={"every": "1 h", "probes": {"end": ["0.1 m", "0 m", "0 m"]}},
    )
    end = bench.solved(path).column("probe_end_degC")[-1] + 273.15
    assert radiating_end(5.67e-8) == pytest.approx(927.0076, abs=1e-4)  # the target, with the constant of its time
    # the steady profile is linear, so that every mesh holds it exactly
    assert end == pytest.approx(radiating_end(STEFAN_BOLTZMANN), abs=1e-3)


def driven_bar(x: float, time: float) -> float:
    """Temperature [degC] of T3 by its sine series: x = 0 at 0 degC, x = L at 100 sin(pi t / 40) degC."""
    n = np.arange(1, 4001)
    decay, pace = 35.0 / (7200.0 * 440.5) * (n * np.pi / LENGTH) ** 2, np.pi / 40
    lag = decay * np.cos(pace * time) + pace * np.sin(pace * time) - decay * np.exp(-decay * time)
    memory = pace * lag / (decay**2 + pace**2)
    series = 2 * (-1.0) ** n / (n * np.pi) * np.sin(n * np.pi * x / LENGTH) * memory
    return float(100.0 * (x / LENGTH * np.sin(pace * time) + series.sum()))


def test_the_driven_bar_of_t3_meets_its_target_at_second_order(bench: Any, order: Any) -> None:
    times = np.linspace(0.0, 32.0, 161)  # between them a straight line is off by at most 100 (pi/40)^2 0.2^2 / 8 = 0.003 K
    values = 273.15 + 100 * np.sin(np.pi * times / 40)
    drive = {"at": [f"{t:.10g} s" for t in times], "values": [f"{v!r} K" for v in values.tolist()]}
    errors = []
    for refine in (0, 1, 2):
        path = bench.case(
            "slab",
            SLAB,
            "0.01 m",
            mesh={"refine": refine},
            initial={"temperature": "0 degC"},
            regions={"body": {"material": bench.material("steel", 7200.0 * 440.5, 35.0)}},
            boundaries={
                "left": {"kind": "fixed temperature", "value": "0 degC"},
                "right": {"kind": "fixed temperature", "value": drive},
                "sides": SHUT,
            },
            stages=[{"name": "drive", "duration": "32 s"}],
            solver={"tolerance": "0.001 K"},
            output={"every": "32 s", "probes": {"point": ["0.08 m", "0 m", "0 m"]}},
        )
        trial = bench.solved(path)
        exact = np.array([driven_bar(x, 32.0) for x in trial.position[:, 0]])
        errors.append(trial.norm(trial.temperature - 273.15 - exact))
    point = trial.column("probe_point_degC")[-1]
    assert driven_bar(0.08, 32.0) == pytest.approx(36.603116, abs=1e-5)
    assert point == pytest.approx(36.603116, abs=0.1)
    assert order(errors) >= 1.9
