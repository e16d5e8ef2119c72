"""Probability, quantiles and Sobol indices of samples whose exact values are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from nanowarm.physics.spreads import Distribution, Spread
from nanowarm.studies.sensitivity import is_constant, probability, shares
from nanowarm.studies.uncertainty import Design, UncertaintyInput, Variable

SIGMAS = (0.3, 0.2, 0.1)  # of the logarithms of three factors
LIMIT = 1.2
CONFIDENCE = 0.99


def design(count: int, seed: int = 0) -> Design:
    """Three lognormal factors."""
    asked = UncertaintyInput(count=count, seed=seed, confidence=CONFIDENCE)
    factors = (Spread("factor", Distribution("lognormal", 1.0, sigma)) for sigma in SIGMAS)
    return Design(asked, tuple(Variable(f"a.b{i}", f"b{i}", (1.0, ""), factor) for i, factor in enumerate(factors)), ())


def products(drawn: Design) -> np.ndarray:
    """The product of the factors of each run."""
    return np.array([math.prod(row.values()) for row in drawn.rows()])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_probability_of_a_lognormal_product_lies_in_its_interval(seed: int) -> None:
    # ln of the product is normal with variance sum(s_i^2), so P(product >= L) = Phi(-ln L / sqrt(sum s_i^2))
    exact = norm.cdf(-math.log(LIMIT) / math.hypot(*SIGMAS))
    drawn = design(256, seed)
    base = products(drawn).reshape(-1, drawn.block)[:, [0, -1]]
    found = probability(int((base >= LIMIT).sum()), base.size, CONFIDENCE)
    assert found is not None
    assert found.runs == 512
    assert found.low < exact < found.high
    assert found.high - found.low < 0.11  # 2 * 2.58 * sqrt(0.3 * 0.7 / 512) is 0.105


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_shares_of_a_lognormal_product_lie_in_their_intervals(seed: int) -> None:
    # Var of a product of independent factors with squared variation v_i = exp(s_i^2) - 1, over its mean squared, is
    # prod(1 + v_i) - 1; alone a factor makes v_i of it, with all others v_i prod_{j != i} (1 + v_j)
    variation = np.expm1(np.square(SIGMAS))
    whole = math.prod(1.0 + variation) - 1.0
    drawn = design(512, seed)
    found, blocks = shares(list(products(drawn)), len(SIGMAS), CONFIDENCE, seed)
    assert found is not None
    assert blocks == 512
    for share, v in zip(found, variation, strict=True):
        assert share.first == pytest.approx(v / whole, abs=share.first_width)
        assert share.total == pytest.approx(v * math.prod(1.0 + variation) / (1.0 + v) / whole, abs=share.total_width)
        assert share.total_width < 0.25


def test_the_same_seed_gives_the_same_intervals_and_another_one_others() -> None:
    values = list(products(design(64)))
    one, again, other = (shares(values, 3, 0.95, seed)[0] for seed in (0, 0, 1))
    assert one == again
    assert one != other


def test_a_block_with_a_run_that_failed_is_left_out_whole() -> None:
    values = products(design(64))
    lost = values.copy()
    lost[[2, 13]] = np.nan  # of the first and the third block of five
    found, blocks = shares(list(lost), 3, 0.95, 0)
    kept = np.delete(values.reshape(-1, 5), [0, 2], axis=0).ravel()
    assert (found, blocks) == (shares(list(kept), 3, 0.95, 0)[0], 62)


@pytest.mark.parametrize("value", [0.0, 7.25])
def test_what_does_not_vary_has_no_shares_and_raises_no_warning(value: float) -> None:
    assert is_constant(np.full(8, value))
    assert shares([value] * 40, 3, 0.95, 0) == (None, 8)


def test_too_few_whole_blocks_have_no_shares() -> None:
    assert shares([1.0, 2.0, 3.0, 4.0, 5.0] * 3, 3, 0.95, 0) == (None, 3)


def test_no_runs_have_no_probability_and_all_met_is_not_certainty() -> None:
    assert probability(0, 0, 0.95) is None
    sure = probability(20, 20, 0.95)
    assert sure is not None
    assert sure.low == pytest.approx(0.025 ** (1.0 / 20.0), rel=1e-9)  # p^20 = (1 - 0.95) / 2
    assert sure.high == 1.0
