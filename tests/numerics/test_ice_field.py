"""Ice at the nodes over made-up steps, and the conduction that it adds cell by cell."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_array

from nanowarm.numerics.medium_ice import CHANGE, FULL_STRENGTH, MediumIce, ice_conditions
from nanowarm.numerics.operators import Stiffness
from nanowarm.numerics.weighted_stiffness import WeightedStiffness
from nanowarm.physics.equilibration import equilibration_of
from nanowarm.physics.ice import IceKinetics
from nanowarm.physics.materials import Material, Medium
from nanowarm.shelf import library_files, load_record

Array = NDArray[np.float64]
INSULATED = {"kind": "insulated"}
VS55: Medium = load_record(library_files("material")["VS55"], Material).medium()


def kinetics() -> IceKinetics:
    assert VS55.kinetics is not None
    return VS55.kinetics


def critical(direction: int) -> float:
    rate = VS55.critical_rate(direction)
    assert rate is not None
    return rate


def ice_of(*conditions: tuple[float, float, float]) -> MediumIce:
    """Nodes with a scale, an offset and a pace each."""
    return MediumIce(0, kinetics(), slice(0, len(conditions)), np.array(conditions).T)


def passed(ice: MediumIce, start: Array, end: Array, rate: float, parts: int) -> Array:
    """Ice fraction after a way from one temperature [K] to another at a rate [K/s], in equal parts."""
    duration = float(np.abs(end - start).max()) / rate / parts
    ice.begin(start)
    for number in range(parts):
        half, whole = (number + 0.5) / parts, (number + 1.0) / parts
        ice.pass_over(start + half * (end - start), start + whole * (end - start), duration)
    return ice.fraction()


@pytest.mark.parametrize("direction", [-1, 1], ids=["cooling", "warming"])
def test_parts_of_a_few_kelvin_give_the_ice_of_a_passage(direction: int) -> None:
    ends = np.array([kinetics().glass_transition]), np.array([kinetics().melting])
    start, end = ends if direction > 0 else ends[::-1]
    assert passed(ice_of(FULL_STRENGTH), start, end, critical(direction), math.ceil(85.0 / CHANGE)) == pytest.approx(
        0.002, rel=0.01
    )


def test_the_error_of_the_parts_falls_with_the_third_order_at_least() -> None:
    start, end = np.array([kinetics().melting]), np.array([kinetics().glass_transition])
    found = [passed(ice_of(FULL_STRENGTH), start, end, critical(-1), parts)[0] for parts in (17, 34, 272)]
    assert abs(found[1] - found[2]) < abs(found[0] - found[2]) / 8.0


def test_nodes_that_are_not_at_full_strength_freeze_as_much_at_their_own_rate() -> None:
    shift, part = equilibration_of(VS55), np.array(0.85)
    scale, offset = shift.reduced_temperature(part)
    weaker = ice_of((float(scale), float(offset), float(shift.time_scale(part))))
    ends = np.array([float(shift.glass_transition(part))]), np.array([float(shift.melting(part))])
    assert passed(weaker, *ends, float(shift.critical_rate(part, 1)), 60) == pytest.approx(0.002, rel=0.005)


@settings(max_examples=40)
@given(st.lists(st.floats(100.0, 300.0), min_size=2, max_size=12), st.floats(1e-3, 1e3))
def test_ice_only_grows_and_never_passes_one_whatever_the_temperature_does(temperatures: list[float], duration: float) -> None:
    ice, before = ice_of(FULL_STRENGTH), np.zeros(1)
    ice.begin(np.array(temperatures[:1]))
    for start, end in pairwise(temperatures):
        ice.pass_over(np.array([0.5 * (start + end)]), np.array([end]), duration)
        assert (ice.phi >= 0.0).all()
        assert before <= ice.fraction() <= 1.0
        before = ice.fraction()


def test_no_parts_are_needed_in_the_glass_above_melting_and_where_no_nuclei_are_or_form() -> None:
    glass, melting, nucleation = kinetics().glass_transition, kinetics().melting, kinetics().nucleation_temperature
    ice = ice_of(FULL_STRENGTH)
    for low, high in ((glass - 20.0, glass), (melting, melting + 20.0), (nucleation + 31.0, melting - 1.0)):
        assert ice.needed(np.array([low]), np.array([high]), 10.0) == 0.0
    assert ice.needed(np.array([nucleation]), np.array([nucleation]), 10.0) > 0.0
    assert ice.needed(np.array([nucleation - 10.0]), np.array([nucleation + 10.0]), 1e-6) == pytest.approx(20.0 / CHANGE)
    ice.phi[0] = 1e-12  # nuclei
    assert ice.needed(np.array([melting - 2.0]), np.array([melting - 1.0]), 10.0) > 0.0


def test_melting_takes_the_ice_that_cannot_be_and_above_melting_the_nuclei_too() -> None:
    ice = ice_of(FULL_STRENGTH, FULL_STRENGTH)
    ice.phi[:] = 1.0
    ice.melt(np.array([kinetics().melting - 1.0, kinetics().melting]), np.array([0.25, 0.0]))
    assert ice.fraction() == pytest.approx([0.25, 0.0])
    np.testing.assert_array_equal(ice.phi[:3], [[1.0, 0.0]] * 3)


# ---------------------------------------------------------------------------------- conduction, cell by cell


@pytest.fixture(scope="module")
def slab(module_bench: Any) -> Any:
    """A slab of two media, of elongated cells."""
    ice = {"material": "VS55", "concentration": 0.9}
    case = module_bench.case(
        "slab",
        {"thickness": "8 mm", "width": "1 mm", "interface": "5 mm"},
        "2 mm",
        initial={"temperature": "-60 degC"},
        regions={"body": ice, "layer": {"material": module_bench.material("wall", 2e6, 1.0)}},
        boundaries={name: INSULATED for name in ("left", "right", "sides")},
        stages=[{"name": "wait", "duration": "1 s"}],
        solver={"ice": True},
    )
    return module_bench.trial(case)


def dense(part: Stiffness) -> Array:
    size = part.starts.size - 1
    return np.asarray(csr_array((part.entries, part.columns, part.starts), shape=(size, size)).toarray())


@pytest.mark.parametrize("region", ["body", "layer"])
def test_the_weight_of_one_gives_the_stiffness_itself(slab: Any, region: str) -> None:
    weighted, part = WeightedStiffness(slab.operators, region), slab.operators.stiffness[region]
    found = weighted.times(np.ones(len(weighted.corners))).entries
    np.testing.assert_allclose(found, part.entries, atol=1e-14 * np.abs(part.entries).max())


def test_the_stiffness_is_the_sum_of_the_weights_times_that_of_each_cell(slab: Any) -> None:
    weighted = WeightedStiffness(slab.operators, "body")
    weight = np.random.default_rng(1).uniform(0.0, 1.0, len(weighted.corners))
    alone = sum(w * dense(weighted.times(row)) for w, row in zip(weight, np.eye(weight.size), strict=True))
    np.testing.assert_allclose(dense(weighted.times(weight)), alone, atol=1e-15)


def test_heat_never_flows_to_the_warmer_side_however_the_ice_lies(slab: Any) -> None:
    weighted = WeightedStiffness(slab.operators, "body")
    assert (slab.operators.stiffness["body"].entries > 0).sum() > slab.operators.layout.owned  # obtuse angles
    for seed in range(5):
        weight = np.random.default_rng(seed).integers(0, 2, len(weighted.corners)).astype(float)
        values = np.linalg.eigvalsh(dense(weighted.times(weight)))
        assert values[0] > -1e-12 * values[-1]


def test_regions_not_at_full_strength_have_their_own_conditions_and_others_none(slab: Any) -> None:
    names = dict(enumerate([["body"], ["layer"]]))
    owned = slab.operators.layout.owned
    diluted = {"body": np.array([[1.1], [-7.0], [3.0]]) * np.ones(owned)}
    found = ice_conditions(names, slab.operators, diluted)
    inside = slab.operators.mass["body"][:owned] > 0.0
    assert found[:, 0, inside] == pytest.approx(np.array([[1.1], [-7.0], [3.0]]) * np.ones(inside.sum()))
    expected = np.array(FULL_STRENGTH)[:, None]
    assert found[:, 1] == pytest.approx(expected * np.ones(owned))
    assert found[:, 0, ~inside] == pytest.approx(expected * np.ones((~inside).sum()))
