"""The balance of energy of a run as a picture: where the stored heat came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nanowarm.results.picture import BLUE, GREEN, ORANGE, figure_svg
from nanowarm.results.sentences import number_text

Row = Mapping[str, Any]

_PARTS = (("supplied", "from the field"), ("inflow", "through surfaces"), ("blood", "from blood"), ("metabolism", "metabolism"))
CLOSED = 1e-6  # relative imbalance up to which a balance counts as closed


def energy_parts(energy: Row) -> list[tuple[str, float]]:
    """What came in [J], by where it came from; negative where it went out. Stored heat comes last."""
    parts = [(label, float(energy[key])) for key, label in _PARTS if energy.get(key)]
    return [*parts, ("stored", float(energy.get("stored") or 0.0))]


def energy_sentence(energy: Row) -> str:
    """The balance in words."""
    gap = energy.get("imbalance_relative")
    parts = energy_parts(energy)
    told = ", ".join(f"{number_text(joules, 4)} J {label}" for label, joules in parts[:-1]) or "nothing came in or went out"
    closed = "could not be compared"
    if gap is not None:
        closed = f"differ by {number_text(gap, 2)} of it: " + (
            "the balance closes" if gap <= CLOSED else "the balance is not closed"
        )
    return f"{told[0].upper()}{told[1:]}; {number_text(parts[-1][1], 4)} J were stored. The two {closed}."


def energy_svg(energy: Row) -> bytes:
    """The balance as a waterfall in SVG, the same bytes for the same numbers."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    parts, level = energy_parts(energy), 0.0
    with rc_context({"font.size": 10.0}):
        figure = Figure(figsize=(5.4, 0.9 + 0.42 * len(parts)), layout="constrained")
        axes = figure.add_subplot(xlabel="energy [J]")
        for row, (_, joules) in enumerate(parts):
            last = row == len(parts) - 1
            begin = 0.0 if last else level
            colour = GREEN if last else (ORANGE if joules >= 0.0 else BLUE)
            axes.barh(row, joules, 0.62, left=begin, color=colour, hatch="" if joules >= 0.0 else "///", edgecolor="white")
            side = max(begin, begin + joules)
            axes.annotate(f" {number_text(joules, 4)} J", (side, row), va="center", ha="left")
            level = begin + joules
            if not last:
                axes.plot([level, level], [row - 0.31, row + 1.31], color="0.45", linewidth=0.8)
        axes.set_yticks(range(len(parts)), [label for label, _ in parts])
        axes.invert_yaxis()
        axes.margins(x=0.18)
        axes.axvline(0.0, color="0.3", linewidth=0.8)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(axis="y", length=0)
        return figure_svg(figure)
