"""The model of `hpc/scaling.py` in its limits."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest


def loaded() -> ModuleType:
    """The module, which is no part of the package."""
    found = importlib.util.spec_from_file_location("scaling_model", Path(__file__).parents[1] / "hpc" / "scaling_model.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules["scaling_model"] = module  # where its dataclasses look for it
    found.loader.exec_module(module)
    return module


model = loaded()
MACHINE = model.Machine(1e-4, 3e-3, 2e-8, 5.5, 10.0, 1_000_000, 8.0, 14.0, 1.1)
NETWORK = model.Network(2e-6, 1e10, 50, 1.5)
FREE = model.Network(0.0, float("inf"), 50, 1.0)


def lattice(side: int) -> np.ndarray:
    """Six tetrahedra around the long diagonal of every cube of a lattice with `side` nodes along each axis."""
    corner = np.array(list(itertools.product(range(side - 1), repeat=3)))
    paths = [
        np.vstack((np.zeros(3, int), np.cumsum(np.eye(3, dtype=int)[list(way)], axis=0)))
        for way in itertools.permutations(range(3))
    ]
    nodes = corner[:, None, None, :] + np.array(paths)[None]
    return (nodes @ [side * side, side, 1]).reshape(-1, 4)


def test_one_rank_has_no_communication_and_waits_for_nobody() -> None:
    parts = model.parts_of_step(MACHINE, NETWORK, 1e6, 1)
    assert {name for name, value in parts.items() if value} == {"calls", "computing"}
    assert model.step(MACHINE, NETWORK, 1e6, 1) == pytest.approx(3e-3 + 10.0 * (1e-4 + 2e-8 * 1e6))


def test_work_alone_scales_without_end() -> None:
    machine = replace(MACHINE, calls=0.0, step_calls=0.0, imbalance=1.0)
    assert model.efficiency(machine, FREE, 1e9, 10**6, 50) == pytest.approx(1.0)


def test_calls_alone_stop_the_scaling_where_the_closed_form_says() -> None:
    # (calls full + work) / (calls ranks + work) = 1/2
    machine = replace(MACHINE, step_calls=0.0, imbalance=1.0)
    expected = (2.0 * (1e-4 * 50 + 2e-8 * 1e9) - 2e-8 * 1e9) / 1e-4
    assert model.stops_at(machine, FREE, 1e9, 50) == pytest.approx(expected, rel=2e-3)


def test_half_the_cell_size_needs_twice_the_stages_and_a_quarter_of_the_halo_a_node() -> None:
    assert MACHINE.stages_of(8e6) == pytest.approx(2.0 * MACHINE.stages_of(1e6))
    coarse, fine = (model.parts_of_step(MACHINE, NETWORK, cells, 100) for cells in (1e6, 8e6))
    assert fine["bandwidth"] == pytest.approx(2.0 * 4.0 * coarse["bandwidth"])
    assert fine["reduction"] == coarse["reduction"]


def test_a_rank_alone_on_its_machine_has_all_of_its_bandwidth() -> None:
    shared, alone = (
        model.parts_of_step(MACHINE, replace(NETWORK, ranks_per_node=count), 1e6, 100)["bandwidth"] for count in (50, 1)
    )
    assert shared == pytest.approx(50.0 * alone)


@pytest.mark.parametrize("side", [2, 3])
def test_the_halo_of_a_cube_is_the_layer_around_it(side: int) -> None:
    # a node of this lattice has the neighbours (0 or 1)^3 and (0 or -1)^3: two layers of (side + 1)^3 - side^3 nodes
    count = 3 * side
    place = np.array(list(itertools.product(range(count), repeat=3)))
    node = (place // side) @ [9, 3, 1]
    cells = lattice(count)
    halo = model.halo_of(cells, node, node[cells].min(axis=1), 27)
    assert halo.ghosts == 2 * (3 * side**2 + 3 * side + 1)
    assert halo.neighbours == 14
    assert halo.nodes == count**3


def test_the_power_of_large_cubes_is_two_thirds() -> None:
    cubes = [model.Halo(64, 64 * side**3, 2 * (3 * side**2 + 3 * side + 1), 14, 1.0, 1.0) for side in (100, 200, 400)]
    factor, power = model.fitted_factor(cubes)
    assert power == pytest.approx(2.0 / 3.0, abs=0.005)
    assert factor == pytest.approx(6.0, rel=0.01)


def test_a_stage_is_split_into_calls_and_cells() -> None:
    sizes = [1e4, 1e5, 1e6]
    assert model.fitted_times(sizes, [1e-4 + 2e-8 * size for size in sizes]) == pytest.approx((1e-4, 2e-8))


def test_times_that_grow_faster_than_the_cells_leave_nothing_for_calls() -> None:
    calls, cell = model.fitted_times([1e5, 1e6], [1e-3, 1.2e-2])
    assert calls == 0.0
    assert 1e-8 < cell < 1.2e-8
