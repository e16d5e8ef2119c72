"""Tables over enthalpy on uniform grids, one grid to a medium."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanowarm.physics.curves import Curve

Array = NDArray[np.float64]

ENTRIES = 8192  # of a table over enthalpy: 0.03 K apart over the usual 240 K


@dataclass(frozen=True, eq=False)
class Table:
    """A function of temperature on the grids of all media, as straight lines a + b x over the place x.

    Args:
        starts, slopes: a and b of every piece.
        curve: the function itself, for nodes that media share.
    """

    starts: Array
    slopes: Array
    curve: Curve


def pieces(columns: Sequence[Array]) -> tuple[Array, Array]:
    """Tables one after the other as straight lines a + b x over the place x in their own grid: all a, all b."""
    slopes = [np.append(np.diff(column), column[-1] - column[-2]) for column in columns]
    starts = [column - slope * np.arange(ENTRIES) for column, slope in zip(columns, slopes, strict=True)]
    return np.concatenate(starts), np.concatenate(slopes)
