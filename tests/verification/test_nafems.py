"""NAFEMS thermal benchmarks T2 and T3: reference/physics.md, section 7.8."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nanowarm.physics.boundaries import STEFAN_BOLTZMANN
from nanowarm.verification.bars import LENGTH, drive, driven_bar, radiating_end

SLAB = {"thickness": f"{LENGTH} m", "width": "0.02 m"}
SHUT = {"kind": "insulated"}


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


def test_the_driven_bar_of_t3_meets_its_target_at_second_order(bench: Any, order: Any) -> None:
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
                "right": {"kind": "fixed temperature", "value": drive()},
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
