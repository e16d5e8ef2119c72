"""What a run makes use of, in single words that tables of texts refer to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Row = Mapping[str, Any]

ALWAYS = "always"
WORDS = frozenset(
    {
        ALWAYS, "heat", "particles", "linear response", "hysteresis", "uniform field", "coil", "field", "eddy", "no eddy",
        "surface", "mixture", "rate", "ice", "no ice", "stress", "no stress", "partly equilibrated", "blood", "dose", "control",
        "cold",
    }
)  # fmt: skip
_COLD = -40.0  # [degC]; what gets colder is cryopreservation
_EXCHANGING = ("convection", "radiation")


def run_facts(case: Row, summary: Row, record: Row, coldest: float) -> frozenset[str]:
    """The words of `WORDS` that are true of a run.

    Args:
        case: content of `case.toml`.
        summary: content of `summary.json`.
        record: content of `record.json`.
        coldest: lowest temperature [degC] of its history.
    """
    regions = list(case.get("regions", {}).values())
    kinds = {row["kind"] for row in summary["criteria"]}
    solver, cold = case.get("solver", {}), coldest < _COLD
    ice = bool(solver.get("ice")) or any(region.get("ice_fraction") for region in summary["regions"].values())
    stress = bool(solver.get("stress")) or any(region.get("stress") for region in summary["regions"].values())
    truths = {
        ALWAYS: True,
        "heat": True,
        "cold": cold,
        "rate": bool(kinds & {"warming rate", "cooling rate"}),
        "ice": ice,
        "no ice": cold and not ice,
        "stress": stress,
        "no stress": cold and not stress,
        "dose": any(region.get("cem43_min") for region in summary["regions"].values()),
        "control": any(stage.get("control") for stage in case.get("stages", [])),
        "surface": any(surface.get("kind") in _EXCHANGING for surface in case.get("boundaries", {}).values()),
        "mixture": any(isinstance(region.get("material"), Mapping) for region in regions),
        "partly equilibrated": any(region.get("concentration") for region in regions),
        "blood": any(region.get("perfusion") for region in regions),
        **_of_the_field(case, regions, record),
    }
    return frozenset(word for word, true in truths.items() if true)


def _of_the_field(case: Row, regions: list[Row], record: Row) -> dict[str, bool]:
    """Which words on field and particles are true."""
    kind, eddy = case.get("field", {}).get("kind", "none"), any(region.get("eddy") for region in regions)
    particles = any(region.get("particles") for region in regions)
    powers = [row for row in record.get("inputs", []) if row["what"] == "specific power"]
    models = {name: any(name in str(row["value"]) for row in powers) for name in ("linear response", "hysteresis")}
    return {
        "particles": particles,
        **{name: particles and used for name, used in models.items()},
        "uniform field": kind == "uniform" and (particles or eddy),
        "coil": kind not in ("none", "uniform", "map"),
        "field": kind != "none",
        "eddy": eddy,
        "no eddy": kind != "none" and not eddy,
    }
