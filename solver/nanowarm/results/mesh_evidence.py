"""What a run's mesh is worth, in plain words: how good its cells are, and what other meshes say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nanowarm.results.sentences import number_text

Row = Mapping[str, Any]

POOR, SLIVER = 0.1, 0.02  # quality (1: regular) below which cells are told
COSTLY = 3.0  # times that badly shaped cells may multiply the steps


def mesh_judgement(summary: Row, record: Row) -> str:
    """Whether the mesh is fine enough, and what that rests on."""
    compared = summary.get("convergence")
    if not compared:
        return (
            "Nothing is known of the discretisation error of this run: it was solved on one mesh. "
            "`nanowarm run --convergence` solves it on three and gives every number an uncertainty."
        )
    count, open_ones = len(compared["meshes"]), [row for row in compared["criteria"] if not row["holds"]]
    agree = len({mesh["verdict"] for mesh in compared["meshes"]}) == 1
    told = f"Solved on {count} meshes: " + (
        "the verdict is the same on all of them" if agree else "the verdict is not the same on all of them"
    )
    if not open_ones:
        return f"{told}, and every outcome holds within the uncertainty of its number. The mesh is fine enough for the question."
    names = ", ".join(f"{row['kind']} of {row['region']}" for row in open_ones)
    return f"{told}, but the limit lies within the uncertainty for: {names}. Take a finer mesh."


def cell_judgement(record: Row) -> str:
    """What the shapes of the cells mean for the run."""
    mesh = record.get("mesh", {})
    worst, cost = mesh.get("worst_quality"), mesh.get("step_cost")
    if worst is None:
        return "The quality of the cells was not recorded."
    grade = "good" if worst >= POOR else "poor, which costs accuracy beside it" if worst >= SLIVER else "a sliver"
    told = f"The worst cell has a quality of {number_text(worst, 2)} (1 is a regular tetrahedron): {grade}."
    if cost is not None:
        costs = "cost little" if cost < COSTLY else "are worth repairing"
        told += f" Badly shaped cells multiply the cost of a step by {number_text(cost, 2)}: they {costs}."
    return told


def discretisation(summary: Row, number: int) -> float | None:
    """Uncertainty (about 95 %) of the value of a criterion by its mesh, in its unit; None where not known."""
    found = (summary.get("convergence") or {}).get("numbers", {}).get(f"criteria.{number}.value")
    return None if found is None else float(found["uncertainty"])
