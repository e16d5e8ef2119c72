"""Outcomes of problems, as lines and as a table."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from nanowarm.verification.checking import Outcome
from nanowarm.verification.problem import Problem

COLUMNS = ("problem", "exact", "computed", "error", "% change", "order", "", "s")
VERDICT = 6  # its place among them


def described(problem: Problem) -> str:
    """A problem in a line."""
    return f"{problem.name}: {problem.title}"


def line(outcome: Outcome) -> str:
    """An outcome in a line."""
    problem, unit = outcome.problem, outcome.problem.unit
    on = ", ".join(str(row.cells) for row in outcome.rows)
    computed = ", ".join(f"{row.computed:.7g}" for row in outcome.rows)
    said = [
        f"exactly {problem.exact:.7g} {unit}",
        f"computed {computed} {unit} with {on} cells per {problem.body.across}",
        f"error {outcome.error:+.2g} {unit}, {100 * outcome.share:.2g} % of the change ({100 * outcome.allowed:.2g} % allowed)",
        *([f"order {_order(outcome)} (expected: {_expected(problem)})"] if _order(outcome) else []),
        f"{outcome.seconds:.1f} s",
    ]
    return f"{_verdict(outcome)}: {problem.name}: {'; '.join(said)}"


def last_line(found: Sequence[Outcome]) -> str:
    """How many passed."""
    good = sum(outcome.passed for outcome in found)
    failed = ", ".join(outcome.problem.name for outcome in found if not outcome.passed)
    seconds = sum(outcome.seconds for outcome in found)
    return f"{good} of {len(found)} problems passed in {seconds:.0f} s" + (f"; FAILED: {failed}" if failed else "")


def table(found: Sequence[Outcome]) -> Table:
    """Outcomes in the rows of a table, a line to each mesh."""
    drawn = Table(box=SIMPLE_HEAD, collapse_padding=True, pad_edge=False)
    for number, name in enumerate(COLUMNS):
        drawn.add_column(name, justify="left" if number in (0, VERDICT) else "right", no_wrap=True)
    for outcome in found:
        drawn.add_row(*_cells(outcome))
    return drawn


def print_table(found: Sequence[Outcome]) -> None:
    """Print the table of outcomes."""
    Console().print(table(found))


def _cells(outcome: Outcome) -> list[Text]:
    """An outcome in the cells of the table."""
    problem = outcome.problem
    texts = [
        problem.name,
        f"{problem.exact:.7g}\n{problem.unit}",
        "\n".join(f"{row.computed:.7g}" for row in outcome.rows),
        f"{outcome.error:+.2g}",
        f"{100 * outcome.share:.2g}\n\u2264 {100 * outcome.allowed:.2g}",
        f"{_order(outcome)}\n{problem.accuracy.order:g}, \u2265 {problem.accuracy.least:g}" if _order(outcome) else "",
    ]
    verdict = Text(_verdict(outcome), style="green" if outcome.passed else "bold red")
    return [*map(Text, texts), verdict, Text(f"{outcome.seconds:.1f}")]


def _verdict(outcome: Outcome) -> str:
    """Whether it is good."""
    return "passed" if outcome.passed else "FAILED"


def _order(outcome: Outcome) -> str:
    """The order that was seen, where one is asked for."""
    return f"{outcome.order:.2f}" if outcome.problem.accuracy.least and outcome.order is not None else ""


def _expected(problem: Problem) -> str:
    """The order from theory, with the least that passes."""
    accuracy = problem.accuracy
    return f"{accuracy.order:g}, at least {accuracy.least:g}" if accuracy.least else ""
