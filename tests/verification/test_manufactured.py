"""A manufactured solution with everything that depends on temperature, in two regions.

On a slab of two layers the second conducts twice as well as the first, at every temperature. With the coordinate
s that runs half as fast in the second layer, T(s, t) smooth in s has a kink in x and a continuous heat flux.
The source that makes T a solution is what the equation lacks; particles that heat by temperature are part of it.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from nanowarm.numerics.heat import HeatEquation
from nanowarm.numerics.ledger import SUPPLIED

Array = NDArray[np.float64]

THICKNESS, INTERFACE = 10e-3, 4e-3  # [m]
LENGTH = INTERFACE + (THICKNESS - INTERFACE) / 2  # of s [m]
START, DRIFT, SWING = 200.0, 0.5, 40.0  # [K], [K/s] of both faces, [K] of the middle
DURATION, PERIOD = 20.0, 50.0  # [s]
COLD, WARM = 150.0, 300.0  # [K], ends of all tables; the solution stays inside
CONDUCTIVITY = (0.3, 0.9)  # [W/m/K] of the body at COLD and WARM; the layer has twice as much
CAPACITY = {"body": (1.5e6, 3.0e6), "layer": (2.5e6, 1.0e6)}  # [J/m3/K] at COLD and WARM
POWER, IRON = (5e4, 2e4), 4.0  # [W/kgFe] at COLD and WARM, [kgFe/m3], in the layer


def line(ends: tuple[float, float], temperature: Array) -> Array:
    """Linear from COLD to WARM."""
    return ends[0] + (ends[1] - ends[0]) * (temperature - COLD) / (WARM - COLD)


def exact(x: Array, time: float) -> Array:
    """T [K] at x [m]."""
    s = np.minimum(x, INTERFACE) + np.maximum(x - INTERFACE, 0.0) / 2
    return START + DRIFT * time + SWING * np.sin(2 * np.pi * time / PERIOD) * np.sin(np.pi * s / LENGTH)


def source(region: str, x: Array, time: float) -> Array:
    """Power density [W/m3] without that of the particles: C dT/dt - d/dx(k dT/dx) - particles."""
    s = np.minimum(x, INTERFACE) + np.maximum(x - INTERFACE, 0.0) / 2
    wave, phase = np.pi / LENGTH, 2 * np.pi / PERIOD
    temperature = exact(x, time)
    change = DRIFT + SWING * phase * np.cos(phase * time) * np.sin(wave * s)
    slope = SWING * np.sin(phase * time) * wave * np.cos(wave * s)
    bend = -SWING * np.sin(phase * time) * wave**2 * np.sin(wave * s)
    conductivity_slope = (CONDUCTIVITY[1] - CONDUCTIVITY[0]) / (WARM - COLD)
    divergence = line(CONDUCTIVITY, temperature) * bend + conductivity_slope * slope**2
    halved = 1.0 if region == "body" else 0.5  # 2 k times (ds/dx)^2
    particles = 0.0 if region == "body" else IRON * line(POWER, temperature)
    return np.asarray(line(CAPACITY[region], temperature) * change - halved * divergence - particles)


class Manufactured(HeatEquation):
    """The heat equation with the source above, entered in the ledger."""

    def local(self, time: float, rates: Array) -> Array:
        powers = super().local(time, rates)
        for region, mass in self.operators.mass.items():
            power = source(region, self.operators.position[:, 0], time) * mass[: self.owned]
            rates += power / self.volume
            powers[SUPPLIED] += float(power.sum())
        return powers


@pytest.fixture
def case(bench: Any) -> Any:
    """Writes the case with a refinement and the solver's settings."""
    return partial(_case, bench)


def _case(bench: Any, refine: int, **solver: str) -> Path:
    ends = lambda values, factor=1.0: {COLD: factor * values[0], WARM: factor * values[1]}  # noqa: E731
    face = {
        "kind": "fixed temperature",
        "value": {"at": ["0 s", f"{2 * DURATION} s"], "values": [f"{START} K", f"{START + DRIFT * 2 * DURATION} K"]},
    }
    body = bench.material("slow", ends(CAPACITY["body"]), ends(CONDUCTIVITY))
    layer = bench.material("quick", ends(CAPACITY["layer"]), ends(CONDUCTIVITY, 2.0))
    particles = {"name": bench.particle("warmer", ends(POWER)), "iron": f"{IRON} mgFe/mL"}
    return bench.case(
        "slab",
        {"thickness": f"{THICKNESS} m", "width": f"{THICKNESS / 5} m", "interface": f"{INTERFACE} m"},
        f"{THICKNESS / 5} m",
        mesh={"refine": refine},
        initial={"temperature": f"{START} K"},
        regions={"body": {"material": body}, "layer": {"material": layer, "particles": particles}},
        boundaries={"left": face, "right": face, "sides": {"kind": "insulated"}},
        field={"kind": "uniform", "amplitude": "20 kA/m", "frequency": "200 kHz"},
        stages=[{"name": "only", "duration": f"{DURATION} s"}],
        solver={"tolerance": "0.0002 K"} | solver,
    )


def test_the_manufactured_solution_has_a_continuous_flux_at_a_kink() -> None:
    step = 1e-8
    flux = [
        factor * line(CONDUCTIVITY, exact(np.array(INTERFACE), 7.0)) * (exact(np.array(a), 7.0) - exact(np.array(b), 7.0)) / step
        for factor, a, b in ((1.0, INTERFACE, INTERFACE - step), (2.0, INTERFACE + step, INTERFACE))
    ]
    assert abs(flux[0]) > 100.0
    assert flux[0] == pytest.approx(flux[1], rel=1e-4)


def test_the_error_of_a_manufactured_solution_falls_with_the_square_of_the_cells(bench: Any, case: Any, order: Any) -> None:
    errors = []
    for refine in (0, 1, 2):
        trial = bench.solved(case(refine), equation=Manufactured)
        errors.append(trial.norm(trial.temperature - exact(trial.position[:, 0], DURATION)))
    assert order(errors[1:]) >= 1.9
    assert errors[-1] < 0.1


def test_the_error_of_a_manufactured_solution_falls_with_the_square_of_the_steps(bench: Any, case: Any, order: Any) -> None:
    finest = bench.solved(case(1, step=f"{DURATION / 2048} s"), equation=Manufactured)
    errors = []
    for steps in (8, 16, 32):
        trial = bench.solved(case(1, step=f"{DURATION / steps} s"), equation=Manufactured)
        errors.append(finest.norm(trial.temperature - finest.temperature))
    assert order(errors) >= 1.9


def test_the_ledger_of_a_manufactured_solution_is_closed(bench: Any, case: Any) -> None:
    trial = bench.solved(case(0), equation=Manufactured)
    assert trial.solution.energy["imbalance_relative"] < 1e-12
