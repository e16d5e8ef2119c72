"""What is said of a run in plain lines: where it stands, and how it ended."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nanowarm.progress import Progress, temperatures
from nanowarm.results.convergence import convergence_lines

if TYPE_CHECKING:
    from nanowarm.results.run_folder import Run


def progress_line(progress: Progress, left: float) -> str:
    """Where a run stands, in a line that the local page reads as well."""
    told = ", ".join(f"{what} {value:.1f} degC" for what, value in temperatures(progress).items())
    rest = f", {left:.0f} s left" if math.isfinite(left) else ""
    return f"{progress.stage}: {progress.time:.4g} s, step {progress.size:.3g} s, {told}{rest}"


def verdict_lines(run: Run) -> list[str]:
    """The outcome of a run in words: one line per criterion, then the verdict."""
    return [*criterion_lines(run), *convergence_lines(run.summary), f"verdict: {run.verdict}"]


def criterion_lines(run: Run) -> list[str]:
    """A line for each criterion of a run."""
    lines = []
    for entry in run.summary["criteria"]:
        missing = entry.get("reason", "nothing seen")
        value = missing if entry["value"] is None else f"{entry['value']:.4g} {entry['unit']}"
        share = "" if entry["fraction"] is None else f", {100 * entry['fraction']:.4g} % of the volume"
        lines.append(f"{entry['kind']} of {entry['region']}: {entry['outcome']}: {value} (limit {entry['limit']:.4g}{share})")
    return lines
