"""Pictures of a run: curves over time, and the body cut open.

As a program, `python -m nanowarm.results.picture FOLDER` draws the body: in a process of its own, because
VTK ends the process where the machine lacks what it draws with.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyvista
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
Stages = tuple[tuple[str, float, float], ...]
Axis = Literal["x", "y", "z"]

BLUE, ORANGE, GREEN, PINK, BLACK = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000"  # Okabe and Ito (2008)
WINDOW_COLOUR = "#F0E442"  # likewise
MINUTES_FROM = 600.0  # [s]; longer runs are drawn in minutes
LETTER = 0.016  # width of a letter of a stage's name, of the axes
TIME_LIMIT = 120.0  # [s] for the body
MOST_CELLS_WITH_EDGES = 60_000
INSTALL = "install libegl1 (Debian, Ubuntu: apt-get install libegl1), then run `nanowarm report`, `mesh` or `render` again"
_CUTS: tuple[tuple[Axis, tuple[float, ...], tuple[float, ...]], ...] = (  # across the shortest axis; seen from; upwards
    ("y", (0.4, -1.0, 0.35), (0.0, 0.0, 1.0)),
    ("x", (1.0, 0.4, 0.35), (0.0, 0.0, 1.0)),
    ("z", (0.2, -0.35, 1.0), (0.0, 1.0, 0.0)),
)


@dataclass(frozen=True, eq=False)
class Line:
    """A curve over the rows of the history."""

    label: str
    values: Array
    colour: str
    style: str = "-"


@dataclass(frozen=True, eq=False)
class Chart:
    """Curves over time in one frame.

    Args:
        unit: what the vertical axis shows.
        windows: bands to shade, in the unit of the vertical axis.
        jumps: whether it shows amplitudes: from zero up, and changed at once where a stage begins.
        bands: low end, high end and colour of each band to shade around a curve.
        remark: what a reader must know of it.
    """

    title: str
    unit: str
    lines: tuple[Line, ...]
    windows: tuple[tuple[float, float], ...] = ()
    jumps: bool = False
    bands: tuple[tuple[Array, Array, str], ...] = ()
    remark: str = ""


def chart_svg(chart: Chart, time: Array, stages: Stages) -> bytes:
    """A chart as SVG, the same bytes for the same numbers.

    Args:
        chart: what to draw.
        time: [s], shape (rows,).
        stages: name, start [s] and end [s] of each.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    per_unit, unit = (60.0, "min") if time[-1] >= MINUTES_FROM else (1.0, "s")
    with rc_context({"font.size": 9.0}):
        figure = Figure(figsize=(5.4, 3.2), layout="constrained")
        axes = figure.add_subplot(xlabel=f"time [{unit}]", ylabel=chart.unit)
        axes.set_xlim(time[0] / per_unit, max(time[-1], time[0] + 1e-9) / per_unit)
        for number, (low, high) in enumerate(chart.windows):
            axes.axhspan(low, high, color=WINDOW_COLOUR, alpha=0.35, linewidth=0, label=None if number else "window of the rate")
        for low_end, high_end, colour in chart.bands:
            axes.fill_between(time / per_unit, low_end, high_end, color=colour, alpha=0.13, linewidth=0)
        for line in chart.lines:
            x, y = _with_jumps(time, line.values, stages) if chart.jumps else (time, line.values)
            axes.plot(x / per_unit, y, color=line.colour, linestyle=line.style, label=f"\u200b{line.label}", linewidth=1.5)
        _mark_stages(axes, stages, per_unit)
        if chart.jumps:
            axes.set_ylim(bottom=0.0)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
        if len(chart.lines) > 1 or chart.windows:
            for text in axes.legend(frameon=False, fontsize=8.0).get_texts():
                text.set_parse_math(False)
        return figure_svg(figure)


def figure_svg(figure: Any) -> bytes:
    """A figure of matplotlib as SVG, the same bytes for the same numbers."""
    import io
    import warnings

    from matplotlib import rc_context

    drawing = io.BytesIO()
    with rc_context({"svg.hashsalt": "nanowarm"}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # names may hold letters that the font lacks
        figure.savefig(drawing, format="svg", dpi=150, metadata={"Date": None})
    return drawing.getvalue()


def _with_jumps(time: Array, values: Array, stages: Stages) -> tuple[Array, Array]:
    """A curve whose value changes at once where a stage begins, not over the interval of the rows."""
    at = [int(np.searchsorted(time, start, side="right")) for _, start, _ in stages]
    at = [row for row in at if 0 < row < time.size]
    return np.insert(time, at, time[np.array(at, dtype=int) - 1]), np.insert(values, at, values[at])


def _mark_stages(axes: Axes, stages: Stages, per_unit: float) -> None:
    """Names (or numbers, where they don't fit) of the stages above the frame, and lines between them."""
    left, right = axes.get_xlim()
    for number, (name, start, end) in enumerate(stages, 1):
        width = (end - start) / per_unit / (right - left)
        label = next((text for text in (name, str(number)) if len(text) * LETTER < width), "")
        middle, above = (start + end) / 2.0 / per_unit, axes.get_xaxis_transform()
        axes.text(middle, 1.01, label, transform=above, ha="center", parse_math=False)
        if number > 1:
            axes.axvline(start / per_unit, color="0.4", linewidth=0.8, linestyle=(0, (4, 2)))


def make_picture(folder: Path) -> str | None:
    """Draw `picture.png` of a run folder from its `fields.vtkhdf`: the body cut open, at its last temperature.

    Returns:
        None, or one line that says why there is no picture and what to install.
    """
    if not (folder / "fields.vtkhdf").is_file():
        return "no picture of the body: the run wrote no fields"
    return draw_in_process(folder)


def draw_in_process(
    folder: Path, program: str = "nanowarm.results.picture", arguments: Sequence[str] = (), limit: float = TIME_LIMIT
) -> str | None:
    """Draw the pictures of a folder in a process of its own, because VTK may end it.

    Args:
        folder: of a run, or of a mesh.
        program: the module that draws.
        arguments: of that module, behind the folder.
        limit: time [s] that it has.

    Returns:
        None, or one line that says why there is no picture and what to install.
    """
    paths = os.pathsep.join(filter(None, (str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH"))))
    environment = os.environ | {"VTK_DEFAULT_OPENGL_WINDOW": "vtkEGLRenderWindow", "PYTHONPATH": paths}
    command = [sys.executable, "-m", program, str(folder.absolute()), *arguments]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return f"no picture of the body: drawing it took longer than {limit:g} s"
    if done.returncode < 0:
        return f"no picture of the body: VTK can't draw without a screen on this machine: {INSTALL}"
    if done.returncode > 0:
        last = (done.stderr.decode(errors="replace").strip().splitlines() or ["the drawing process failed"])[-1]
        return f"no picture of the body: {last}"
    return None


def _draw(folder: Path) -> None:
    """Draw the picture in this process.

    Raises:
        OSError: no EGL.
        ImportError: no pyvista.
        ValueError: the fields hold no temperature.
    """
    egl()
    import pyvista

    body, time = _last_frame(folder / "fields.vtkhdf")
    extent = np.ptp(body.points, axis=0)
    normal, view, up, invert = view_across(body)
    half = body.clip(normal, origin=body.center, invert=invert)
    plotter: Any = pyvista.Plotter(off_screen=True, window_size=[1100, 800])
    plotter.set_background("white")
    bar = {"title": "", "color": "black", "vertical": True, "n_labels": 5, "fmt": "%.4g", "position_x": 0.88, "position_y": 0.15}
    bar |= {"height": 0.7, "width": 0.05, "label_font_size": 20}
    mesh = plotter.add_mesh(half, scalars="temperature", cmap="cividis", scalar_bar_args=bar, lighting=False)
    mesh.prop.show_edges = body.n_cells < MOST_CELLS_WITH_EDGES
    mesh.prop.edge_opacity = 0.35
    for outline in outlines(body, normal, body.center):
        in_front = outline.translate(np.array(view) * 2e-3 * extent.max(), inplace=False)
        plotter.add_mesh(in_front, color="black", line_width=4, lighting=False)
    size = " \u00d7 ".join(f"{1e3 * length:.3g}" for length in extent)
    plotter.add_text(f"{size} mm, cut open at the middle", position="upper_left", color="black", font_size=11)
    plotter.add_text(f"temperature at {time:.6g} s [\u00b0C]", position="upper_right", color="black", font_size=11)
    plotter.add_axes(color="black", line_width=3)
    plotter.camera_position = [tuple(np.add(body.center, view)), body.center, up]
    plotter.enable_parallel_projection()
    plotter.reset_camera()
    plotter.screenshot(str(folder / "picture.png"))


def egl() -> None:
    """Make sure that VTK can draw without a screen.

    Raises:
        OSError: no EGL.
    """
    import ctypes

    try:
        ctypes.CDLL("libEGL.so.1")
    except OSError:
        raise OSError(f"libEGL.so.1 is missing: {INSTALL}") from None


def view_across(body: pyvista.UnstructuredGrid) -> tuple[Axis, tuple[float, ...], tuple[float, ...], bool]:
    """How to cut a body open across its shortest axis: that axis, whence to look, what is up, and which half to leave out."""
    extent = np.ptp(body.points, axis=0)
    normal, view, up = min(_CUTS, key=lambda cut: round(float(extent["xyz".index(cut[0])] / extent.max()), 2))
    return normal, view, up, normal != "y"


def _last_frame(path: Path) -> tuple[pyvista.UnstructuredGrid, float]:
    """The body at the last time of a field file, and that time [s]."""
    import pyvista
    from vtkmodules.vtkCommonExecutionModel import vtkStreamingDemandDrivenPipeline
    from vtkmodules.vtkIOHDF import vtkHDFReader

    reader = vtkHDFReader()
    reader.SetFileName(str(path))
    reader.UpdateInformation()
    steps = reader.GetOutputInformation(0).Get(vtkStreamingDemandDrivenPipeline.TIME_STEPS())
    if not steps:
        raise ValueError("the fields have no temperature")
    reader.UpdateTimeStep(steps[-1])
    body = pyvista.wrap(reader.GetOutputDataObject(0))
    if "temperature" not in body.point_data:
        raise ValueError("the fields have no temperature")
    return body, float(steps[-1])


def outlines(body: pyvista.UnstructuredGrid, normal: str, origin: Sequence[float]) -> list[pyvista.PolyData]:
    """Where the plane of a cut through a point [m] meets the edge of each region, if there is more than one."""
    regions = np.unique(body.cell_data["region"]) if "region" in body.cell_data else np.zeros(1)
    if regions.size < 2:
        return []
    parts = [body.extract_cells(body.cell_data["region"] == region) for region in regions]
    cuts = [part.slice(normal, origin=origin).clean() for part in parts]
    rims = [cut.extract_feature_edges(feature_edges=False, manifold_edges=False, non_manifold_edges=False) for cut in cuts]
    return [rim for rim in rims if rim.n_cells]


def _main(arguments: list[str]) -> int:
    try:
        _draw(Path(arguments[0]))
    except (ImportError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
