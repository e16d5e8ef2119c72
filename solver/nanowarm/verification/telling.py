"""Outcomes of problems, as lines and as a table."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from nanowarm.verification.checking import Outcome
from nanowarm.verification.problem import Problem

COLUMNS = ("problem", "exact", "computed", "error", "% of change", "allowed %", "order", "expected", "", "s")


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
    drawn = Table()
    for number, name in enumerate(COLUMNS):
        drawn.add_column(name, justify="left" if number in (0, 8) else "right", no_wrap=number in (0, 8))
    for outcome in found:
        drawn.add_row(*_cells(outcome))
    return drawn


def _cells(outcome: Outcome) -> list[Text]:
    """An outcome in the cells of the table."""
    problem = outcome.problem
    texts = [
        problem.name,
        f"{problem.exact:.7g} {problem.unit}",
        "\n".join(f"{row.computed:.7g}" for row in outcome.rows),
        f"{outcome.error:+.2g}",
        f"{100 * outcome.share:.2g}",
        f"{100 * outcome.allowed:.2g}",
        _order(outcome),
        _expected(problem) if len(outcome.rows) > 1 else "",
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
