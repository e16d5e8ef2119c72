"""How far the numbers of a run are from those of an infinitely fine mesh: grid convergence index.

Sources: Roache (1994), J. Fluids Eng. 116:405; Oberkampf & Roy (2010), Verification and Validation in Scientific
Computing, section 8.7, for the factors of safety; Eca & Hoekstra (2014), J. Comput. Phys. 262:104, where numbers oscillate.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

FORMAL_ORDER = 2.0  # of linear elements and of the time integration
LEAST_ORDER = 0.5  # assumed where a lower one is observed
NEAR = 0.1  # relative difference from the formal order up to which the numbers count as asymptotic
SAFETY, SAFETY_ELSEWHERE = 1.25, 3.0  # factors on the estimated error
SETTLED = 1e-9  # relative difference that is rounding
HIGHEST_ORDER = 20.0

Behaviour = Literal["monotone", "oscillating", "settled", "two meshes"]


@dataclass(frozen=True)
class Estimate:
    """A number on several meshes, and on none.

    Args:
        values: on each mesh, the finest first.
        order: observed order of convergence; None where none can be seen.
        extrapolated: to an infinitely fine mesh.
        uncertainty: of the number on the mesh of the case: about 95 % of such numbers are within it.
        behaviour: how the numbers follow the mesh.
    """

    values: tuple[float, ...]
    order: float | None
    extrapolated: float
    uncertainty: float
    behaviour: Behaviour


def estimate(sizes: Sequence[float], values: Sequence[float], own: int = 0) -> Estimate:
    """Extrapolated value and uncertainty of a number.

    Args:
        sizes: representative edge length of two or three meshes, the finest first.
        values: the number on each of them.
        own: which of them is the mesh of the case.
    """
    fine, coarse = values[0], values[1]
    spread = max(values) - min(values)
    apart = abs(values[own] - fine)
    if spread <= SETTLED * max(map(abs, values)):
        return Estimate(tuple(values), None, fine, apart, "settled")
    ratio = sizes[1] / sizes[0]
    order, used, safety = None, FORMAL_ORDER, SAFETY_ELSEWHERE
    behaviour: Behaviour = "two meshes"
    if len(values) == 3:
        order, behaviour = _observed(sizes, values), "monotone"
        if order is None:
            return Estimate(tuple(values), None, fine, SAFETY_ELSEWHERE * spread + apart, "oscillating")
        asymptotic = abs(order - FORMAL_ORDER) <= NEAR * FORMAL_ORDER
        used = FORMAL_ORDER if asymptotic else min(max(order, LEAST_ORDER), FORMAL_ORDER)
        safety = SAFETY if asymptotic else SAFETY_ELSEWHERE
    error = (fine - coarse) / (ratio**used - 1.0)
    return Estimate(tuple(values), order, fine + error, safety * abs(error) + apart, behaviour)


def _observed(sizes: Sequence[float], values: Sequence[float]) -> float | None:
    """Order p at which value = exact + C size^p passes through three points; None where none does."""
    from scipy.optimize import brentq

    if values[0] == values[1] or (values[1] - values[0]) * (values[2] - values[1]) <= 0.0:
        return None
    wanted = (values[2] - values[1]) / (values[1] - values[0])
    middle, coarse = sizes[1] / sizes[0], sizes[2] / sizes[0]

    def excess(p: float) -> float:
        """Ratio of the differences at an order, less the one that was seen."""
        return float((coarse**p - middle**p) / (middle**p - 1.0) - wanted)

    lowest = 1e-3
    if excess(lowest) > 0.0:
        return lowest  # differences that do not fall
    return float(brentq(excess, lowest, HIGHEST_ORDER)) if excess(HIGHEST_ORDER) > 0.0 else HIGHEST_ORDER


def numbers(summary: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of a `summary.json` that depend on the mesh, by the path of their keys."""
    found: dict[str, Any] = {f"criteria.{number}.value": row["value"] for number, row in enumerate(summary["criteria"])}
    for region, content in summary["regions"].items():
        for name, value in content.items():
            parts = value.items() if isinstance(value, Mapping) else [("", value)]
            found |= {f"regions.{region}.{name}.{part}".rstrip("."): number for part, number in parts}
    return {key: float(value) for key, value in found.items() if isinstance(value, int | float) and math.isfinite(value)}


def representative_size(summary: Mapping[str, Any]) -> float:
    """Edge length [mm] of a cube of the mean volume of a cell."""
    volume = sum(region["volume_mL"] for region in summary["regions"].values())
    return float((1e3 * volume / summary["mesh"]["cells"]) ** (1.0 / 3.0))


def compared(summaries: Sequence[Mapping[str, Any]], own: int = 0) -> dict[str, Any]:
    """What `summary.json` says under `convergence`.

    Args:
        summaries: those of the same case on two or three meshes, the finest first.
        own: which of them is the mesh of the case.
    """
    sizes = [representative_size(summary) for summary in summaries]
    every = [numbers(summary) for summary in summaries]
    shared = [key for key in every[0] if all(key in others for others in every)]
    estimates = {key: estimate(sizes, [found[key] for found in every], own) for key in shared}
    rows = summaries[own]["criteria"]
    meshes = [
        {"cells": summary["mesh"]["cells"], "size_mm": size, "verdict": summary["verdict"]}
        for summary, size in zip(summaries, sizes, strict=True)
    ]
    return {
        "meshes": meshes,
        "own": own,
        "criteria": [_criterion(row, estimates.get(f"criteria.{i}.value")) for i, row in enumerate(rows)],
        "numbers": {key: asdict(found) for key, found in estimates.items()},
    }


def _criterion(row: Mapping[str, Any], found: Estimate | None) -> dict[str, Any]:
    """Whether the outcome of a criterion holds within the uncertainty of its value."""
    holds = found is not None and abs(row["value"] - row["limit"]) > found.uncertainty
    return {"kind": row["kind"], "region": row["region"], "holds": holds}


def convergence_lines(summary: Mapping[str, Any]) -> list[str]:
    """What a run's comparison of meshes says, for people; nothing where there was none."""
    told = summary.get("convergence")
    if told is None:
        return []
    cells = ", ".join(str(mesh["cells"]) for mesh in told["meshes"])
    lines = [f"discretisation error from meshes of {cells} cells:"]
    for number, (row, judged) in enumerate(zip(summary["criteria"], told["criteria"], strict=True)):
        found = told["numbers"].get(f"criteria.{number}.value")
        what = f"{row['kind']} of {row['region']}"
        if found is None:
            lines.append(f"  {what}: nothing was seen on one of the meshes")
            continue
        order = "" if found["order"] is None else f", order {found['order']:.2g}"
        end = "the outcome holds" if judged["holds"] else "the limit lies within it: take a finer mesh"
        value = f"{row['value']:.4g} +- {found['uncertainty']:.2g} {row['unit']}"
        lines.append(f"  {what}: {value} ({found['behaviour']}{order}, extrapolated {found['extrapolated']:.4g}); {end}")
    return lines
