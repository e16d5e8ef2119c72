"""What a sample of runs tells: a probability with its interval, quantiles, and what shares in the variance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LEAST_BLOCKS = 4  # of which shares in the variance are told
CONSTANT = 1e-9  # relative to the largest value, below which differences are rounding
RESAMPLES = 200  # of the bootstrap


@dataclass(frozen=True)
class Probability:
    """A probability that was counted.

    Args:
        value: share of the runs.
        low, high: of its confidence interval.
        runs: that were counted.
    """

    value: float
    low: float
    high: float
    runs: int


@dataclass(frozen=True)
class Share:
    """What one input shares in the variance of a result.

    Args:
        first: part that it has by itself (first-order Sobol index).
        first_width: half of that index's confidence interval.
        total: part that it has with all others together (total Sobol index).
        total_width: half of that index's confidence interval.
    """

    first: float
    first_width: float
    total: float
    total_width: float


def probability(met: int, runs: int, confidence: float) -> Probability | None:
    """The share of runs that met all criteria; None without runs.

    The interval is exact for independent draws. Those of a Sobol sequence fill the ranges more evenly, so that it is
    rather too wide.

    Source: Clopper & Pearson (1934), Biometrika 26:404.
    """
    from scipy.stats import binomtest

    if runs == 0:
        return None
    interval = binomtest(met, runs).proportion_ci(confidence, method="exact")
    return Probability(met / runs, float(interval.low), float(interval.high), runs)


def is_constant(values: Array) -> bool:
    """Whether values differ by rounding alone."""
    return bool(np.ptp(values) <= CONSTANT * np.abs(values).max(initial=0.0))


def shares(values: Sequence[float], inputs: int, confidence: float, seed: int) -> tuple[list[Share] | None, int]:
    """What each input shares in the variance of a result, and how many whole blocks of runs that rests on.

    Args:
        values: of the runs, block after block as `Design.shares` draws them; not a number where a run has none.
        inputs: number of inputs.
        confidence: of the intervals, by bootstrap.
        seed: of the bootstrap.

    Returns:
        No shares where too few blocks are whole, or nothing varies.

    Source: Saltelli et al. (2010), Comput. Phys. Commun. 181:259, as in SALib.
    """
    blocks = np.array(values, dtype=float).reshape(-1, inputs + 2)
    whole = blocks[np.isfinite(blocks).all(axis=1)]
    if len(whole) < LEAST_BLOCKS or is_constant(whole[:, [0, -1]]):
        return None, len(whole)
    from SALib.analyze import sobol

    problem = {"num_vars": inputs, "names": [str(i) for i in range(inputs)], "bounds": [[0.0, 1.0]] * inputs}
    found = sobol.analyze(
        problem, whole.ravel(), calc_second_order=False, num_resamples=RESAMPLES, conf_level=confidence, seed=1 + seed
    )  # a seed of 0 would be none
    columns = zip(*(map(float, found[key]) for key in ("S1", "S1_conf", "ST", "ST_conf")), strict=True)
    return [Share(*column) for column in columns], len(whole)
