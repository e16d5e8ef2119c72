"""Temperatures that end conditions, controllers and searches look at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from nanowarm.numerics.heat import HeatEquation
    from nanowarm.numerics.probes import Probe
    from nanowarm.numerics.sampling import Nodes

Array = NDArray[np.float64]


def measured(
    heat: HeatEquation, regions: Mapping[str, Nodes], probes: Mapping[str, Probe], sensor: tuple[str, str], state: Array
) -> float:
    """The temperature [K] that a sensor shows; collective.

    Args:
        heat: the equation.
        regions: nodes of each region.
        probes: by name.
        sensor: `coldest`, `hottest`, `mean` or `probe`, and of which region (of all where empty) or probe.
        state: of the equation.
    """
    what, name = sensor
    temperature, comm = heat.temperature(state), heat.layout.comm
    if what == "probe":
        return float(comm.allreduce(probes[name].part(temperature)))
    nodes = [regions[name]] if name else list(regions.values())
    if what == "mean":
        sums = [np.array([part.volume @ temperature[part.index], part.volume.sum()]) for part in nodes]
        heat_content, volume = comm.allreduce(np.sum(sums, axis=0))
        return float(heat_content / volume)
    sign = 1.0 if what == "hottest" else -1.0
    (found,) = heat.largest(max(float((sign * temperature[part.index]).max(initial=-np.inf)) for part in nodes))
    return sign * found
