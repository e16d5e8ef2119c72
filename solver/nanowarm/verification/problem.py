"""What a problem with an exact solution is, and how a run computes it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from nanowarm import pipeline
from nanowarm.results.run_folder import Run
from nanowarm.shipped import shipped_recipes

Content = Mapping[str, Any]  # of a TOML file, or of a section of it
COARSEST = 5  # cells along the length of a nested mesh
FINE = 20  # cells along a length at which the size asked for is below what recipes ask for on round surfaces


@dataclass(frozen=True)
class Body:
    """A body of a shipped recipe, cut into cells of any size.

    Args:
        recipe: its name.
        length: [m] that is cut into cells.
        across: what that length is, for readers.
        parameters: of the recipe, from the number of cells along that length.
        nested: whether finer meshes are coarser ones whose cells are halved, as only bodies with flat faces can be.
        dimension: power of the number of cells along the length that the number of tetrahedra grows with.
    """

    recipe: str
    length: float
    across: str
    parameters: Callable[[int], Mapping[str, str]]
    nested: bool = False
    dimension: int = 3

    def mesh(self, cells: int) -> dict[str, Any]:
        """The section `[mesh]` of a case with so many cells along the length."""
        file = str(shipped_recipes()[self.recipe])
        mesh = {"file": file, "parameters": dict(self.parameters(cells))}
        if self.nested:
            halvings = _halvings(cells)
            return mesh | {"size": f"{self.length * 2**halvings / cells!r} m", "refine": halvings}
        # a factor on all lengths makes meshes alike: it acts on the edges of a recipe's round surfaces too
        return mesh | {"size": f"{self.length / FINE!r} m", "coarsening": FINE / cells}


def _halvings(cells: int) -> int:
    """How often a number can be halved and stay a whole number of at least COARSEST."""
    return 0 if cells % 2 or cells < 2 * COARSEST else 1 + _halvings(cells // 2)


@dataclass(frozen=True)
class Accuracy:
    """How near a computed number has to be to the exact one, from theory.

    Of a parabola over a ball, the mean over linear elements is off by (edge / radius)^2. Over a regular tetrahedron
    straight lines between corners miss r^2 by 0.3 edge^2, and the mean of R^2 - r^2 is 0.4 R^2: 0.75. Flat facets lie
    0.125 edge^2 / R inside a round surface, and the parabola goes with R^2: 0.25. Real tetrahedra are not regular: twice that.

    Args:
        order: power of the edge length that the error falls with; 0 where linear elements hold the solution exactly.
        within: error over the scale of the problem that is allowed, in units of (edge / length) to that power.
        least: order that has to be seen; less than `order`, as the size of cells is known from their number only. 0 for none.
        reason: of all three, for readers.
    """

    order: float = 2.0
    within: float = 2.0
    least: float = 1.7
    reason: str = "second order: twice what linear elements on regular tetrahedra with flat facets cost, (edge / length)^2"

    def allowed(self, cells: int) -> float:
        """Largest error over the scale, with so many cells along the length."""
        return float(self.within * cells**-self.order)


@dataclass(frozen=True)
class Problem:
    """A problem with an exact solution.

    Args:
        name: for the command line and for files.
        title: for readers.
        formula: of the exact solution, in LaTeX.
        source: citation key.
        unit: of the numbers.
        exact: solution.
        scale: what an error is compared with: the change of temperature, the dose, ...
        body: what is meshed.
        sections: of the case file, but for the mesh.
        files: materials and particles beside the case file, by name.
        read: the number that is compared, from a run.
        accuracy: that is asked of it.
        cells: along the length of the body, coarse to fine.
    """

    name: str
    title: str
    formula: str
    source: str
    unit: str
    exact: float
    scale: float
    body: Body
    sections: Content
    files: Mapping[str, Content]
    read: Callable[[Run], float]
    accuracy: Accuracy = Accuracy()
    cells: tuple[int, ...] = (5, 10, 20)

    def computed(self, folder: Path, cells: int) -> tuple[float, int]:
        """The number that a run ends with, and its tetrahedra.

        Args:
            folder: an empty one, which gets all files.
            cells: along the length of the body.

        Raises:
            SolveError: the run failed.
        """
        for name, content in self.files.items():
            (folder / name).write_text(tomli_w.dumps(content), encoding="utf-8")
        case = folder / f"{self.name}.toml"
        content = {"schema": 1, "title": self.title, "mesh": self.body.mesh(cells), "solver": {"tolerance": "0.0005 K"}}
        case.write_text(tomli_w.dumps(content | dict(self.sections)), encoding="utf-8")
        run = pipeline.run(case, folder=folder / "run")
        return self.read(run), int(run.summary["mesh"]["cells"])


def at_end(column: str) -> Callable[[Run], float]:
    """Reads a column in the last row of `history.csv`."""

    def read(run: Run) -> float:
        """The number of a run."""
        with (run.folder / "history.csv").open(newline="", encoding="utf-8") as file:
            return float(list(csv.DictReader(file))[-1][column])

    return read


def in_summary(*keys: str) -> Callable[[Run], float]:
    """Reads a number of `summary.json` by the keys that lead to it."""

    def read(run: Run) -> float:
        """The number of a run."""
        number: Any = run.summary
        for key in keys:
            number = number[key]
        return float(number)

    return read
