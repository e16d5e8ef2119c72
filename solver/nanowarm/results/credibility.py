"""What speaks for a run: its question, how the program was verified, and which experiments it has been compared with.

Headings after FDA (November 2023), Assessing the Credibility of Computational Modeling and Simulation in Medical Device
Submissions, and ASME V&V 40-2018, Assessing Credibility of Computational Modeling through Verification and Validation.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]

RANGES = " of material, particle and volume"  # which are all that an experiment is compared by
COLD, WARM = -40.0, 30.0  # [degC]; a vitrified body is colder than the first, living tissue never gets below the second


@cache
def table(name: str) -> tuple[Row, ...]:
    """Rows of a table of texts in the library: `verification`, `validation` or `model_limits`."""
    text = (resources.files("nanowarm") / "library" / f"{name}.toml").read_text(encoding="utf-8")
    (rows,) = tomllib.loads(text).values()
    return tuple(rows)


@dataclass(frozen=True)
class Compared:
    """An experiment, and how near this run is to it.

    Args:
        experiment: row of `library/validation.toml`.
        inside: what of this run lies in its ranges.
        outside: what does not, with both values.
    """

    experiment: Row
    inside: tuple[str, ...]
    outside: tuple[str, ...]

    @property
    def covers(self) -> bool:
        """Whether this run lies in all of its ranges."""
        return not self.outside


def verification(facts: frozenset[str]) -> list[Row]:
    """The exact solutions that concern what a run uses."""
    return [row for row in table("verification") if row["covers"] in facts]


def model_limits(facts: frozenset[str]) -> list[Row]:
    """What the models that a run uses leave out."""
    return [row for row in table("model_limits") if row["when"] in facts]


def experiments(case: Row, summary: Row, temperatures: tuple[float, float]) -> list[Compared]:
    """The experiments of the same kind, those that cover the run first.

    Args:
        case: content of `case.toml`.
        summary: content of `summary.json`.
        temperatures: lowest and highest of the run [degC].
    """
    kinds = run_kinds(case, summary, temperatures)
    materials, particles = _used(case)
    volume = sum(float(region.get("volume_mL") or 0.0) for region in summary["regions"].values())
    rows = [row for row in table("validation") if row["kind"] in kinds]
    found = [_compared(row, materials, particles, _heated_volume(row, case, summary) or volume) for row in rows]
    return sorted(found, key=lambda one: (len(one.outside), -len(one.inside)))


def run_kinds(case: Row, summary: Row, temperatures: tuple[float, float]) -> set[str]:
    """What a run does, of the kinds of `library/validation.toml`."""
    particles = any(region.get("particles") for region in case.get("regions", {}).values())
    asked = {row["kind"] for row in summary["criteria"]}
    low, _ = temperatures
    kinds = {
        "warming by particles": low < COLD and particles,
        "warming by a bath": low < COLD and not particles,
        "cooling": low < COLD and "cooling rate" in asked,
        "cracks": low < COLD and bool(asked & {"stress", "temperature difference"}),
        "hyperthermia": low > WARM,
    }
    return {kind for kind, true in kinds.items() if true}


def _used(case: Row) -> tuple[set[str], set[str]]:
    """Names of the materials and of the particles of a case."""
    materials: set[str] = set()
    particles: set[str] = set()
    for region in case.get("regions", {}).values():
        material = region.get("material", "")
        materials |= {Path(name).name for name in ([material] if isinstance(material, str) else material.get("mix", {}))}
        particles |= {Path(region["particles"]["name"]).name} if region.get("particles") else set()
    return materials, particles


def _heated_volume(row: Row, case: Row, summary: Row) -> float:
    """For hyperthermia the volume [mL] of what holds particles, which is what such experiments tell; else 0."""
    if row["kind"] != "hyperthermia":
        return 0.0
    holding = [name for name, region in case.get("regions", {}).items() if region.get("particles")]
    return sum(float(summary["regions"].get(name, {}).get("volume_mL") or 0.0) for name in holding)


def _compared(row: Row, materials: set[str], particles: set[str], volume: float) -> Compared:
    """Which ranges of an experiment a run lies in."""
    inside, outside = [], []
    for what, asked, used in (("material", row["materials"], materials), ("particle", row.get("particles", ()), particles)):
        if not asked:
            continue
        common = sorted(set(asked) & used)
        if common:
            inside.append(f"{what} {', '.join(common)}")
        else:
            outside.append(f"{what}: {', '.join(asked)} there, {', '.join(sorted(used)) or 'none'} here")
    low, high = row["volume"]
    size = f"{low:g} mL" if low == high else f"{low:g} to {high:g} mL"
    if 0.9 * low <= volume <= 1.1 * high:
        inside.append(f"volume {volume:.3g} mL (there {size})")
    else:
        outside.append(f"volume: {size} there, {volume:.3g} mL here")
    return Compared(row, tuple(inside), tuple(outside))


def applicability(compared: Sequence[Compared]) -> str:
    """How far the experiments speak for this run, in a sentence."""
    near = [one for one in compared if one.covers]
    if not compared:
        return "No published experiment of this kind has been compared with: nothing but the verification speaks for this run."
    if not near:
        return "This run lies outside the ranges of every experiment that was compared with: it extrapolates."
    if not any(one.experiment["independent"] for one in near):
        return (
            f"This run lies in the ranges{RANGES} of an experiment that was compared with, but values of the library were "
            "inferred from that very experiment: it is no independent test."
        )
    return (
        f"This run lies in the ranges{RANGES} of an experiment that was compared with, and none of the values was taken from it. "
        "Field, frequency, iron and protocol may differ."
    )
