"""Pictures of the book: error over cells, and smaller copies of the pictures that runs leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

WIDTH = 640  # [px] of pictures in the gallery
COLOURS = 96  # of those pictures: enough for the map of colours, a third of the size


def draw_errors(problems: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw the error of every problem on several meshes over the cells per radius.

    Args:
        problems: entries of the book.
        path: PNG file to write.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, 4.5), layout="constrained")
    axes = figure.add_subplot()
    markers = iter("osD^v")
    for problem in (entry for entry in problems if len(entry["rows"]) > 1):
        cells = [row["cells"] for row in problem["rows"]]
        errors = [abs(row["computed"] - problem["exact"]) / problem["scale"] for row in problem["rows"]]
        axes.loglog(cells, errors, marker=next(markers), label=problem["name"])
    ends = [5, 20]
    axes.loglog(ends, [0.02 * (ends[0] / end) ** 2 for end in ends], "k--", linewidth=0.8, label="order 2")
    axes.set_xticks([5, 10, 20], ["5", "10", "20"], minor=False)
    axes.minorticks_off()
    axes.set_xlabel("cells per radius")
    axes.set_ylabel("error / change of temperature")
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
