"""Compute the book of verification and validation anew: `python solver/docs/make_book.py`, or `make book`.

Writes `book/book.json`, which `make docs` renders, and the pictures of the book and of the gallery.
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
CASES = DOCS.parents[1] / "cases"
BOOK = DOCS / "book" / "book.json"
sys.path.insert(0, str(DOCS))

from experiments.drawing import draw_errors, draw_small  # noqa: E402
from experiments.published import EXPERIMENTS  # noqa: E402

import nanowarm  # noqa: E402
from nanowarm import Run  # noqa: E402
from nanowarm.verification.checking import outcome, versions  # noqa: E402
from nanowarm.verification.collection import PROBLEMS  # noqa: E402
from nanowarm.verification.problem import Problem  # noqa: E402
from nanowarm.verification.telling import line  # noqa: E402


def problem_entry(problem: Problem, folder: Path) -> dict[str, Any]:
    """A problem with its numbers on every mesh; seconds are those of this machine and left out.

    Args:
        problem: to be computed.
        folder: for its files.
    """
    found = outcome(problem, folder)
    print(line(found), flush=True)
    entry = found.record()
    return entry | {"rows": [{key: row[key] for key in ("cells", "tetrahedra", "computed")} for row in entry["rows"]]}


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


def _validation(folder: Path) -> dict[str, Any]:
    """Every shipped case, and the published experiments beside them."""
    cases = dict(case_runs(folder))
    return {"experiments": _experiments(cases), "cases": [_shown_case(name, run) for name, run in cases.items()]}


def main() -> None:
    """Compute everything and write the book."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, help="folder with runs of shipped cases; those that are there are not run again")
    parser.add_argument("--problems-only", action="store_true", help="keep what the book has of experiments and cases")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        problems = [problem_entry(problem, Path(scratch)) for problem in PROBLEMS]
        computed = {"date": datetime.date.today().isoformat(), "versions": versions(), "problems": problems}
        if asked.problems_only:
            content = json.loads(BOOK.read_text(encoding="utf-8")) | computed
        else:
            content = computed | _validation(asked.runs or Path(scratch) / "cases")
    BOOK.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    draw_errors(problems, DOCS / "book" / "errors.png")


if __name__ == "__main__":
    main()
