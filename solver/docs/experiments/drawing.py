"""Pictures of the book: errors over meshes, and smaller copies of the pictures that runs leave."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

WIDTH = 640  # [px] of pictures in the gallery
COLOURS = 96  # of those pictures: enough for the map of colours, a third of the size


def draw_errors(problems: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw the error of every problem on several meshes over how much finer they are than its first.

    Args:
        problems: entries of the book.
        path: PNG file to write.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 5.0), layout="constrained")
    axes = figure.add_subplot()
    markers = itertools.cycle("osD^vPX<>*h")
    lines = itertools.cycle(("-", ":", "--"))
    fills = itertools.cycle(("full", "none"))
    for problem in (entry for entry in problems if len(entry["rows"]) > 1):
        first, power = problem["rows"][0]["tetrahedra"], 1.0 / problem["dimension"]
        finer = [(row["tetrahedra"] / first) ** power for row in problem["rows"]]
        errors = [abs(row["computed"] - problem["exact"]) / problem["scale"] for row in problem["rows"]]
        (curve,) = axes.loglog(finer, errors, label=problem["name"])
        curve.set(marker=next(markers), linestyle=next(lines), fillstyle=next(fills))
    ends = (1, 4)
    for order, style in ((1, "--"), (2, "-.")):
        axes.loglog(ends, [0.05 / end**order for end in ends], f"k{style}", linewidth=0.8, label=f"order {order}")
    axes.minorticks_off()
    axes.set_xticks([1, 2, 3, 4], ["1", "2", "3", "4"])
    axes.set_xlabel("edges of the coarsest mesh / edges, from the number of tetrahedra")
    axes.set_ylabel("error / change")
    figure.legend(loc="outside right upper")
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
