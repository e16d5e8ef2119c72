"""The book of verification and validation says what the program computes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nanowarm.verification.checking import Outcome, Row
from nanowarm.verification.collection import BY_NAME, PROBLEMS


@pytest.fixture
def book(own_modules: Path) -> dict[str, Any]:
    """The numbers of the book."""
    content: dict[str, Any] = json.loads((own_modules / "book" / "book.json").read_text(encoding="utf-8"))
    return content


@pytest.mark.parametrize("name", ["steady", "adiabatic"])
def test_a_problem_computed_anew_gives_the_number_in_the_book(book: dict[str, Any], name: str, tmp_path: Path) -> None:
    problem = BY_NAME[name]
    entry = next(entry for entry in book["problems"] if entry["name"] == name)
    computed, tetrahedra = problem.computed(tmp_path, entry["rows"][0]["cells"])
    assert tetrahedra == entry["rows"][0]["tetrahedra"]
    assert computed == pytest.approx(entry["rows"][0]["computed"], abs=1e-6)
    assert entry["exact"] == pytest.approx(problem.exact, abs=1e-12)


def test_every_problem_of_the_program_is_in_the_book(book: dict[str, Any]) -> None:
    assert [problem.name for problem in PROBLEMS] == [entry["name"] for entry in book["problems"]]


def test_every_problem_of_the_book_is_as_near_as_theory_asks(book: dict[str, Any]) -> None:
    for entry in book["problems"]:
        rows = tuple(Row(**row, seconds=0.0) for row in entry["rows"])
        assert Outcome(BY_NAME[entry["name"]], rows).passed, entry["name"]


def test_every_shipped_case_and_published_experiment_is_in_the_book(book: dict[str, Any], own_modules: Path) -> None:
    from experiments.published import EXPERIMENTS

    shipped = {file.stem for file in (own_modules.parents[1] / "cases").glob("*.toml")}
    assert {case["name"] for case in book["cases"]} == shipped
    assert [experiment["title"] for experiment in book["experiments"]] == [experiment.title for experiment in EXPERIMENTS]


def test_every_published_experiment_agrees_with_what_was_computed(book: dict[str, Any]) -> None:
    for experiment in book["experiments"]:
        low, high = experiment["between"]
        assert low <= experiment["computed"] <= high, experiment["title"]
