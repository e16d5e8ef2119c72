"""What several meshes say about the error of one: exact for numbers that follow a power of the size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from nanowarm.results.convergence import compared, convergence_lines, estimate

SIZES = (1.0, 1.4, 2.1)  # ratios differ, as those of real meshes do


def follows(order: float, exact: float = 7.0, factor: float = 0.3) -> tuple[float, ...]:
    return tuple(exact + factor * size**order for size in SIZES)


@pytest.mark.parametrize("order", [0.7, 1.0, 1.5, 1.9, 2.0, 2.1])
@pytest.mark.parametrize("factor", [0.3, -0.3])
def test_the_order_of_numbers_that_follow_a_power_of_the_size_is_found(order: float, factor: float) -> None:
    assert estimate(SIZES, follows(order, factor=factor)).order == pytest.approx(order, rel=1e-9)


def test_second_order_numbers_are_extrapolated_exactly_with_the_small_factor_of_safety() -> None:
    found = estimate(SIZES, follows(2.0))
    assert found.extrapolated == pytest.approx(7.0)
    assert found.uncertainty == pytest.approx(1.25 * 0.3)


def test_numbers_of_another_order_are_extrapolated_with_it_and_get_the_large_factor() -> None:
    found = estimate(SIZES, follows(1.5))
    assert found.extrapolated == pytest.approx(7.0)
    assert found.uncertainty == pytest.approx(3.0 * 0.3)


def test_an_order_above_the_formal_one_is_not_believed() -> None:
    found = estimate(SIZES, follows(3.5))
    fine, coarse = follows(3.5)[:2]
    assert found.order == pytest.approx(3.5)
    assert found.uncertainty == pytest.approx(3.0 * abs(fine - coarse) / (1.4**2 - 1.0))


def test_two_meshes_assume_the_formal_order_with_the_large_factor() -> None:
    found = estimate(SIZES[:2], follows(2.0)[:2])
    assert (found.behaviour, found.order) == ("two meshes", None)
    assert found.extrapolated == pytest.approx(7.0)
    assert found.uncertainty == pytest.approx(3.0 * 0.3)


@pytest.mark.parametrize("values", [(1.0, 1.2, 1.1), (1.0, 1.0, 1.1), (1.0, 0.9, 1.1)])
def test_oscillating_numbers_are_uncertain_by_three_times_their_range(values: tuple[float, ...]) -> None:
    found = estimate(SIZES, values)
    assert found.behaviour == "oscillating"
    assert found.extrapolated == values[0]
    assert found.uncertainty == pytest.approx(3.0 * (max(values) - min(values)))


def test_differences_that_do_not_fall_give_an_order_near_zero_and_a_wide_uncertainty() -> None:
    found = estimate((1.0, 1.5, 2.25), (1.0, 2.0, 2.5))
    assert found.order is not None
    assert found.order < 0.01
    assert found.uncertainty == pytest.approx(3.0 * 1.0 / (1.5**0.5 - 1.0))


def test_equal_numbers_have_no_uncertainty() -> None:
    assert estimate(SIZES, (3.0, 3.0, 3.0)).uncertainty == 0.0


def test_the_uncertainty_of_a_mesh_that_is_not_the_finest_reaches_to_the_finest_and_beyond() -> None:
    finest, own = estimate(SIZES, follows(2.0)), estimate(SIZES, follows(2.0), own=1)
    assert own.uncertainty == pytest.approx(finest.uncertainty + 0.3 * (1.4**2 - 1.0))
    assert own.uncertainty > abs(follows(2.0)[1] - 7.0)


def summary(rate: float, cells: int, limit: float = 55.0) -> dict[str, Any]:
    row = {"kind": "warming rate", "region": "cpa", "value": rate, "limit": limit, "unit": "degC/min", "outcome": "met"}
    rates = {"min": rate, "mean": rate + 1.0, "max": None}
    regions = {"cpa": {"volume_mL": 1.0, "iron_mg": 10.0, "warming_rate_degC_per_min": rates}}
    return {"verdict": "met", "criteria": [row], "regions": regions, "mesh": {"cells": cells}}


@pytest.mark.parametrize(("limit", "holds"), [(55.0, True), (79.5, True), (80.0, False), (80.1, False)])
def test_an_outcome_holds_if_its_limit_lies_outside_the_uncertainty(limit: float, holds: bool) -> None:
    # Cells in the ratio 8: sizes in the ratio 2; 80 + 0.1 size^2 is 80.1 on the finest mesh, uncertain by 1.25 x 0.1.
    runs = [summary(80.0 + 0.1 * 4.0**step, 64_000 // 8**step, limit) for step in range(3)]
    told = compared(runs)
    assert told["numbers"]["criteria.0.value"]["uncertainty"] == pytest.approx(0.125)
    assert told["criteria"][0]["holds"] is holds
    assert told["numbers"]["regions.cpa.warming_rate_degC_per_min.mean"]["extrapolated"] == pytest.approx(81.0)
    assert "regions.cpa.warming_rate_degC_per_min.max" not in told["numbers"]


def test_the_lines_tell_value_uncertainty_and_whether_the_outcome_holds() -> None:
    runs = [summary(80.0 + 0.1 * 4.0**step, 64_000 // 8**step) for step in range(3)]
    lines = convergence_lines(runs[0] | {"convergence": compared(runs)})
    assert lines[0] == "discretisation error from meshes of 64000, 8000, 1000 cells:"
    assert lines[1] == ("  warming rate of cpa: 80.1 +- 0.13 degC/min (monotone, order 2, extrapolated 80); the outcome holds")


def test_a_number_that_one_mesh_has_not_seen_is_told_so() -> None:
    runs = [summary(80.0, 8000), summary(80.0, 1000)]
    runs[1]["criteria"][0]["value"] = None
    lines = convergence_lines(runs[0] | {"convergence": compared(runs)})
    assert lines[1] == "  warming rate of cpa: nothing was seen on one of the meshes"


def sphere_case(bench: Any, size: str) -> Any:
    return bench.case(
        "sphere",
        {},
        size,
        regions={"body": {"material": bench.material("gel")}},
        boundaries={"surface": {"kind": "convection", "coefficient": "200 W/m^2/K", "ambient": "20 degC"}},
        initial={"temperature": "-100 degC"},
        stages=[{"name": "warm", "duration": "100 s"}],
        criteria=[{"kind": "temperature", "region": "body", "at_least": "-20 degC", "when": "end"}],
        output={"every": "50 s"},
    )


def test_a_case_on_three_meshes_ends_nearer_the_exact_temperature_when_extrapolated(
    bench: Any, tmp_path: Any, order: Callable[..., float]
) -> None:
    from nanowarm import load_case
    from nanowarm.convergence import converged_run

    case = load_case(sphere_case(bench, "0.9 mm"))
    run = converged_run(case, tmp_path / "run")
    told = run.summary["convergence"]
    cells = [mesh["cells"] for mesh in told["meshes"]]
    assert told["own"] == 0
    assert cells == sorted(cells, reverse=True)
    assert run.summary["mesh"]["cells"] == cells[0]
    assert (run.folder / told["meshes"][2]["folder"] / "summary.json").is_file()
    assert "Discretisation error" in (run.folder / "report.html").read_text(encoding="utf-8")
    value = told["numbers"]["criteria.0.value"]
    # The centre of the sphere, from 12 terms of the series for convection (Carslaw & Jaeger 1959, section 9.4).
    exact = _centre(radius=(3e-6 / (4 * 3.141592653589793)) ** (1 / 3))
    assert abs(value["values"][0] - exact) <= value["uncertainty"]


def _centre(radius: float) -> float:
    """Temperature [degC] at the centre after 100 s: k 0.5 W/m/K, capacity 2 MJ/m3/K, h 200 W/m2/K."""
    import numpy as np
    from scipy.optimize import brentq

    biot, fourier = 200.0 * radius / 0.5, 0.5 / 2e6 * 100.0 / radius**2
    total = 0.0
    for n in range(1, 13):
        root = brentq(lambda z: 1.0 - z / np.tan(z) - biot, (n - 1) * np.pi + 1e-9, n * np.pi - 1e-9)
        weight = 4.0 * (np.sin(root) - root * np.cos(root)) / (2.0 * root - np.sin(2.0 * root))
        total += weight * np.exp(-(root**2) * fourier)
    return float(20.0 - 120.0 * total)
