"""Pictures of the book: errors over meshes, and smaller copies of the pictures that runs leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

WIDTH = 640  # [px] of pictures in the gallery
COLOURS = 96  # of those pictures: enough for the map of colours, a third of the size


def draw_errors(problems: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw the error of every problem on several meshes over how fine they are.

    Args:
        problems: entries of the book.
        path: PNG file to write.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, 4.5), layout="constrained")
    axes = figure.add_subplot()
    markers = iter("osD^v")
    for problem in (entry for entry in problems if len(entry["rows"]) > 1):
        finer = [row["tetrahedra"] ** (1.0 / 3.0) for row in problem["rows"]]
        errors = [abs(row["computed"] - problem["exact"]) / problem["scale"] for row in problem["rows"]]
        axes.loglog(finer, errors, marker=next(markers), label=problem["name"])
    ends = axes.get_xlim()
    axes.loglog(ends, [0.01 * (ends[0] / end) ** 2 for end in ends], "k--", linewidth=0.8, label="order 2")
    axes.minorticks_off()
    axes.set_xticks([15, 20, 30, 40, 50], ["15", "20", "30", "40", "50"])
    axes.set_xlabel("cube root of the number of tetrahedra")
    axes.set_ylabel("error / change")
    axes.legend()
    figure.savefig(path, dpi=100)


def draw_small(picture: Path, path: Path) -> None:
    """Write a small copy of a picture.

    Args:
        picture: PNG file.
        path: PNG file to write.
    """
    from PIL import Image

    with Image.open(picture) as image:
        height = round(image.height * WIDTH / image.width)
        small = image.convert("RGB").resize((WIDTH, height), Image.Resampling.LANCZOS)
        small.quantize(COLOURS).save(path, optimize=True)
