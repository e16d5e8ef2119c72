"""How a quantity lies over a region: volumes and statistics of nodes that are made up here."""

from __future__ import annotations

import numpy as np
import pytest

from nanowarm.results.evidence import Spread

NOTHING = Spread(np.zeros(0), np.zeros(0), np.zeros((0, 3)))


def test_a_spread_over_nothing_has_no_numbers() -> None:
    assert NOTHING.statistics() == {"min": None, "mean": None, "max": None}
    assert (NOTHING.size(), NOTHING.part(np.zeros(0, dtype=bool))) == (0.0, 0.0)


def test_the_size_of_a_part_is_its_volume_over_all_ranks() -> None:
    doubled = Spread(np.array([1.0, 2.0]), np.array([3.0, 4.0]), np.zeros((2, 3)), add=lambda mine: 2.0 * np.asarray(mine))
    assert doubled.size(doubled.values > 1.5) == 8.0
    assert doubled.size() == 14.0


def test_statistics_weigh_by_volume() -> None:
    seen = Spread(np.array([1.0, 5.0]), np.array([3.0, 1.0]), np.zeros((2, 3)))
    assert seen.statistics() == {"min": 1.0, "mean": pytest.approx(2.0), "max": 5.0}
