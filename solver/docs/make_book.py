"""Compute the book of verification and validation anew: `python solver/docs/make_book.py`, or `make book`.

Writes `book/book.json`, which `make docs` renders, and the pictures of the book and of the gallery.
"""

from __future__ import annotations

import argparse
import datetime
import json
import math
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
CASES = DOCS.parents[1] / "cases"
sys.path.insert(0, str(DOCS))

from experiments.drawing import draw_errors, draw_small  # noqa: E402
from experiments.exact import PROBLEMS, Problem  # noqa: E402
from experiments.published import EXPERIMENTS  # noqa: E402

import nanowarm  # noqa: E402
from nanowarm import Run  # noqa: E402

SHOWN = ("nanowarm", "dolfinx-solver-real", "gmsh", "numpy", "scipy")


def problem_entry(problem: Problem, folder: Path) -> dict[str, Any]:
    """A problem with its numbers on every mesh.

    Args:
        problem: to be computed.
        folder: for its files.
    """
    rows = []
    for cells in problem.cells:
        own = folder / f"{problem.name}-{cells}"
        own.mkdir(parents=True)
        computed, tetrahedra = problem.computed(own, cells)
        rows.append({"cells": cells, "tetrahedra": tetrahedra, "computed": computed})
        print(f"{problem.name}, {cells} cells: {computed:.6g} {problem.unit}, exactly {problem.exact:.6g}", flush=True)
    return {
        "name": problem.name,
        "title": problem.title,
        "formula": problem.formula,
        "source": problem.source,
        "unit": problem.unit,
        "exact": problem.exact,
        "scale": problem.scale,
        "order": order(rows, problem.exact),
        "rows": rows,
    }


def order(rows: Sequence[dict[str, Any]], exact: float) -> float | None:
    """Order of convergence from the coarsest to the finest mesh; None from one mesh, or without an error to speak of.

    Edges shrink with the cube root of the number of tetrahedra; the asked size is not kept everywhere on a round body.
    """
    errors = [abs(row["computed"] - exact) for row in rows]
    if len(rows) < 2 or not all(errors):
        return None
    return 3.0 * math.log(errors[0] / errors[-1]) / math.log(rows[-1]["tetrahedra"] / rows[0]["tetrahedra"])


def case_runs(folder: Path) -> Iterator[tuple[str, Run]]:
    """Every shipped case with its run; run where the folder has no run of that name yet."""
    for path in sorted(CASES.glob("*.toml")):
        place = folder / path.stem
        run = nanowarm.open_run(place) if place.exists() else nanowarm.run(path, folder=place)
        print(f"{path.stem}: {run.verdict}", flush=True)
        if (place / "picture.png").is_file():
            draw_small(place / "picture.png", DOCS / "gallery" / f"{path.stem}.png")
        yield path.stem, run


def _shown_case(name: str, run: Run) -> dict[str, Any]:
    """What the book keeps of a case."""
    summary = run.summary
    kept = ("kind", "region", "outcome", "value", "limit", "unit")
    criteria = [{key: criterion[key] for key in kept} for criterion in summary["criteria"]]
    return {"name": name, "title": summary["title"], "verdict": summary["verdict"], "criteria": criteria}


def _experiments(runs: Mapping[str, Run]) -> list[dict[str, Any]]:
    """Every published number beside the computed one."""
    found = []
    for experiment in EXPERIMENTS:
        computed = experiment.computed(*(runs[case] for case in experiment.cases))
        told = {key: getattr(experiment, key) for key in ("title", "published", "between", "unit", "source", "independent")}
        found.append(told | {"cases": experiment.cases, "computed": computed})
    return found


def main() -> None:
    """Compute everything and write the book."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, help="folder with runs of shipped cases; those that are there are not run again")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        problems = [problem_entry(problem, Path(scratch)) for problem in PROBLEMS]
        cases = dict(case_runs(asked.runs or Path(scratch) / "cases"))
        content = {
            "date": datetime.date.today().isoformat(),
            "versions": {"python": sys.version.split()[0]} | {name: version(name) for name in SHOWN},
            "problems": problems,
            "experiments": _experiments(cases),
            "cases": [_shown_case(name, run) for name, run in cases.items()],
        }
    (DOCS / "book" / "book.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    draw_errors(problems, DOCS / "book" / "errors.png")


if __name__ == "__main__":
    main()
