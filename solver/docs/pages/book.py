"""The book: tables of verification and validation, from the numbers that `make book` has computed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from pages.citations import DOCS
from pages.markup import plain, table

VERDICTS = {"met": "met", "missed": "**missed**", "unseen": "*unseen*"}


@cache
def _book() -> dict[str, Any]:
    """What was computed."""
    content: dict[str, Any] = json.loads((DOCS / "book" / "book.json").read_text(encoding="utf-8"))
    return content


def entries(part: str) -> Sequence[Mapping[str, Any]]:
    """The entries of a part of the book: problems, experiments or cases."""
    found: Sequence[Mapping[str, Any]] = _book()[part]
    return found


def made_with() -> str:
    """When and with what it was computed."""
    versions = ", ".join(f"{name} {number}" for name, number in _book()["versions"].items())
    return f"Computed on {_book()['date']} with {versions}; `make book` computes all of it anew.\n"


def verification() -> str:
    """Every problem with its exact solution and its numbers."""
    return "\n".join(map(_problem, entries("problems")))


def _problem(problem: Mapping[str, Any]) -> str:
    """A problem with its table."""
    rows = []
    for row in problem["rows"]:
        error = row["computed"] - problem["exact"]
        share = f"{100.0 * abs(error) / problem['scale']:.2g} %"
        rows.append([str(row["cells"]), str(row["tetrahedra"]), f"{row['computed']:.5f}", f"{error:+.2g}", share])
    judged = problem["order"] and problem["least_order"]
    order = f" Observed order: **{problem['order']:.2f}**, of {problem['expected_order']:g} expected." if judged else ""
    unit = problem["unit"]
    numbers = table(
        (f"cells per {problem['across']}", "tetrahedra", f"computed [{unit}]", f"error [{unit}]", "of the change"), rows
    )
    said = f"Exactly {problem['exact']:.5f} {unit}.{order} Source of the solution: {{cite}}`{problem['source']}`."
    allowed = f"`{problem['name']}`. Allowed: {100.0 * problem['allowed']:.2g} % of the change ({plain(problem['reason'])})."
    return f"### {plain(problem['title'])}\n\n$$\n{problem['formula']}\n$$\n\n{said}\n\n{numbers}\n{allowed}\n"


def validation() -> str:
    """Every published number beside the computed one."""
    rows = [_experiment(experiment) for experiment in entries("experiments")]
    return table(("what", "published", "computed", "agrees", "source", "what is predicted"), rows)


def _experiment(experiment: Mapping[str, Any]) -> list[str]:
    """A published number in the cells of the table."""
    low, high = experiment["between"]
    agrees = "yes" if low <= experiment["computed"] <= high else "**no**"
    cases = ", ".join(f"`{case}`" for case in experiment["cases"])
    computed = f"{experiment['computed']:.3g} {experiment['unit']}"
    what = f"{plain(experiment['title'])} ({cases})"
    return [
        what,
        plain(experiment["published"]),
        computed,
        agrees,
        f"{{cite}}`{experiment['source']}`",
        plain(experiment["independent"]),
    ]


def number(value: float | str | None, unit: str) -> str:
    """A number of a criterion with its unit, in Markdown."""
    return "–" if value is None else f"{value:.3g} {plain(unit)}" if isinstance(value, float | int) else plain(value)
