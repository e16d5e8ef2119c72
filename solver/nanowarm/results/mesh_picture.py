"""Pictures of a mesh: the body cut open, coloured by region, and how good its cells are.

As a program, `python -m nanowarm.results.mesh_picture FOLDER` draws both from the folder's `mesh.vtu` and `mesh.json`;
with `--plain` the body alone, without words, as for a gallery; `--width 800` says how many pixels.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanowarm.results.picture import draw_in_process, egl, view_across

Array = NDArray[np.float64]

PICTURES = ("picture.png", "quality.png")
# Okabe and Ito (2008), told apart by the colour-blind; the rest for meshes of many regions (Tol 2021, "muted").
_OKABE_ITO = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7", "#999999")
COLOURS = (*_OKABE_ITO, "#332288", "#88CCEE", "#44AA99", "#117733", "#999933", "#DDCC77", "#882255", "#AA4499")
WIDTH = 1100  # pixels
ASPECT = 0.72  # height over width
LEGEND, HEADING = 0.22, 0.06  # shares of the width and of the height
MOST_CELLS_WITH_EDGES = 400_000
POOR = 0.1  # quality below which a cell is one to look at
_BINS = 50
_MARGIN = 1.12  # of the picture over the body
_ROUND = (1.0, 2.0, 5.0, 10.0)  # first digits of the length of a scale bar


@dataclass(frozen=True)
class _Region:
    """A region as it is drawn: its number in the file, its words and colour."""

    number: int
    name: str
    volume: float  # [mL]
    colour: str


def draw_mesh(folder: Path) -> list[str]:
    """Draw the pictures of a folder with `mesh.vtu` and `mesh.json`; lines that say why one is missing."""
    reason = draw_in_process(folder, "nanowarm.results.mesh_picture")
    return [reason] if reason else []


def _regions(folder: Path) -> list[_Region]:
    told = json.loads((folder / "mesh.json").read_text(encoding="utf-8"))["regions"]
    colours = [COLOURS[i % len(COLOURS)] for i in range(len(told))]
    pairs = zip(told.items(), colours, strict=True)
    return [_Region(about["number"], name, about["volume_mL"], colour) for (name, about), colour in pairs]


def _draw_quality(folder: Path, body: Any, regions: Sequence[_Region], width: int) -> None:
    """Histogram of the quality of each region's cells, on a logarithmic scale so that single bad ones show."""
    from matplotlib.figure import Figure

    quality, number = np.asarray(body.cell_data["quality"]), np.asarray(body.cell_data["region"])
    figure = Figure(figsize=(width / 100.0, 0.6 * width / 100.0), dpi=100, layout="constrained")
    axes = figure.add_subplot(xlabel="quality of a cell: 3 \u00d7 inscribed / circumscribed radius", ylabel="cells")
    bins = np.linspace(0.0, 1.0, _BINS + 1)
    axes.axvspan(0.0, POOR, color="0.9", linewidth=0)
    axes.text(POOR / 2.0, 0.98, "poor", transform=axes.get_xaxis_transform(), ha="center", va="top", color="0.35")
    for region in regions:
        mine = quality[number == region.number]
        label = f"\u200b{region.name}: {mine.size} cells, worst {mine.min():.3f}"
        counts, _ = np.histogram(mine, bins)
        axes.stairs(np.maximum(counts, 0.5), bins, baseline=0.5, color=region.colour, linewidth=2.0, label=label)
        axes.plot(mine.min(), 0.62, marker="v", markersize=11, color=region.colour, markeredgecolor="black", clip_on=False)
    axes.set(yscale="log", xlim=(0.0, 1.0), ylim=(0.5, None))
    axes.set_title("How well shaped the cells are (1: regular tetrahedra, 0: flat; triangles mark the worst cells)", fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    for text in axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(0.1, 1.0)).get_texts():
        text.set_parse_math(False)
    figure.savefig(folder / "quality.png")


def _rendered(body: Any, regions: Sequence[_Region], size: tuple[int, int], arrows: bool) -> tuple[Array, float]:
    """The body cut open as an image, and metres per pixel."""
    import pyvista

    normal, view, up, invert = view_across(body)
    half = body.clip(normal, origin=body.center, invert=invert, crinkle=True)
    plotter: Any = pyvista.Plotter(off_screen=True, window_size=list(size))
    plotter.set_background("white")
    for region in regions:
        part = half.extract_cells(np.asarray(half.cell_data["region"]) == region.number)
        if not part.n_cells:
            continue
        surface = part.extract_surface(algorithm="dataset_surface")
        drawn = plotter.add_mesh(surface, color=region.colour, ambient=0.45, diffuse=0.6, specular=0.0)
        drawn.prop.show_edges = body.n_cells < MOST_CELLS_WITH_EDGES
        drawn.prop.edge_opacity = 0.45
    if arrows:
        plotter.add_axes(color="black", line_width=3)
    scale = _look(plotter, half, (np.array(view), np.array(up)), size)
    return plotter.screenshot(return_img=True), 2.0 * scale / size[1]


def _look(plotter: Any, half: Any, view: tuple[Array, Array], size: tuple[int, int]) -> float:
    """Turn the camera so that the half fills the picture; half the height [m] that it sees."""
    ahead = view[0] / np.linalg.norm(view[0])
    right = np.cross(view[1], ahead) / np.linalg.norm(np.cross(view[1], ahead))
    axes = np.array([right, np.cross(ahead, right), ahead])
    seen = half.points @ axes.T
    low, high = seen.min(axis=0), seen.max(axis=0)
    centre = (low + high) / 2.0 @ axes
    wide, tall = (high - low)[:2]
    scale = float(_MARGIN * max(tall, wide * size[1] / size[0]) / 2.0)
    plotter.camera_position = [tuple(centre + ahead * np.ptp(seen)), tuple(centre), tuple(axes[1])]
    plotter.enable_parallel_projection()
    plotter.camera.parallel_scale = scale
    plotter.renderer.ResetCameraClippingRange()
    return scale


def _draw_body(folder: Path, body: Any, regions: Sequence[_Region], width: int, plain: bool) -> None:
    """The body cut open with a legend of its regions, its extent and a scale bar; or without any of these."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    across, down = (1.0, 1.0) if plain else (1.0 - LEGEND, 1.0 - HEADING)
    size = round(across * width), round(down * ASPECT * width)
    image, metres = _rendered(body, regions, size, not plain)
    figure = Figure(figsize=(width / 100.0, ASPECT * width / 100.0), dpi=100)
    axes = figure.add_axes((0.0, 0.0, across, down))
    axes.imshow(image, aspect="auto", interpolation="none")
    axes.set_axis_off()
    if not plain:
        extent = " \u00d7 ".join(f"{1e3 * length:.3g}" for length in np.ptp(body.points, axis=0))
        words = f"{extent} mm, cut open at the middle; {body.n_cells:,} tetrahedra"
        figure.text(0.015, 0.985, words, va="top", fontsize=12)
        patches = [Patch(facecolor=r.colour, edgecolor="black", label=f"\u200b{r.name}: {r.volume:.3g} mL") for r in regions]
        square = {"handlelength": 1.2, "handleheight": 1.2}
        legend = figure.legend(handles=patches, loc="upper left", bbox_to_anchor=(across, 0.9), frameon=False, **square)
        for text in legend.get_texts():
            text.set(parse_math=False, fontsize=12)
        _scale_bar(figure, metres, width)
    figure.savefig(folder / "picture.png")


def _scale_bar(figure: Any, metres: float, width: int) -> None:
    """A bar of a round length in the lower right corner."""
    from matplotlib.lines import Line2D

    widest = 1e3 * metres * 0.9 * LEGEND * width  # [mm]
    length = round_length(widest)
    half, middle = length / (1e3 * metres * width) / 2.0, 1.0 - LEGEND / 2.0
    figure.add_artist(Line2D([middle - half, middle + half], [0.05, 0.05], color="black", linewidth=4, solid_capstyle="butt"))
    figure.text(middle, 0.06, f"{length:g} mm", ha="center", va="bottom", fontsize=12)


def round_length(widest: float) -> float:
    """The longest length with a round number that is not longer than one."""
    power = 10.0 ** np.floor(np.log10(widest))
    return float(max(first * power for first in _ROUND if first * power <= widest))


def _main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="nanowarm.results.mesh_picture")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--plain", action="store_true", help="the body alone, without words")
    parser.add_argument("--width", type=int, default=WIDTH, help="of the pictures, in pixels")
    given = parser.parse_args(arguments)
    try:
        import pyvista

        body, regions = pyvista.UnstructuredGrid(given.folder / "mesh.vtu"), _regions(given.folder)
        if not given.plain:
            _draw_quality(given.folder, body, regions, given.width)
        egl()
        _draw_body(given.folder, body, regions, given.width, given.plain)
    except (ImportError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
