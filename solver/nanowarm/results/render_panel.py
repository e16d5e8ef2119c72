"""A page of drawn sections: image, colour bar with its marks, time, scale bar and worst point."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanowarm.plain_text import one_line
from nanowarm.results.mesh_picture import round_length
from nanowarm.results.view import COLOURS
from nanowarm.results.view_fields import look, title

Image = NDArray[np.uint8]

ROOM = 0.24  # share of a panel's width for the colour bar
HEAD, FOOT = 0.13, 0.06  # shares of the height
PER_LETTER = 62.0  # pixels of the page's smaller side for each point of a letter's size
LONGEST_MARK = 26  # characters


@dataclass(frozen=True)
class Scale:
    """Colours of a field.

    Args:
        field: name.
        low, high: values at the ends, as shown.
        marks: values to mark, as shown, and what they are.
    """

    field: str
    low: float
    high: float
    marks: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True, eq=False)
class Panel:
    """One section on the page.

    Args:
        image: shape (height, width, 3).
        extent: left, right, bottom and top of the image [mm].
        scale: its colours.
        stamp: time and stage.
        words: what the plane is.
        marked: a point [mm] and what it is; None where there is none.
    """

    image: Image
    extent: tuple[float, float, float, float]
    scale: Scale
    stamp: str
    words: str
    marked: tuple[tuple[float, float], str] | None


class Page:
    """A page that is drawn on.

    Args:
        size: width and height in pixels.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.figure = Figure(figsize=(size[0] / 100.0, size[1] / 100.0), dpi=100, facecolor="white")
        self._canvas: Any = FigureCanvasAgg(self.figure)
        self.letter = min(size) / PER_LETTER * 0.72

    def write(self, place: tuple[float, float], text: str, **how: Any) -> None:
        """Put a text, never taken for mathematics, at a place in shares of width and height."""
        how.setdefault("fontsize", self.letter)
        self.figure.text(*place, text, parse_math=False, **how)

    def image(self) -> Image:
        """What was drawn, shape (height, width, 3)."""
        self._canvas.draw()
        return np.asarray(self._canvas.buffer_rgba())[:, :, :3].copy()


def picture_share() -> NDArray[np.float64]:
    """Shares of a panel's width and height that its image has."""
    return np.array([1.0 - ROOM, 1.0 - HEAD - FOOT])


@contextlib.contextmanager
def canvas(size: tuple[int, int], head: str, below: str) -> Iterator[Page]:
    """A page with its title and a line below that."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # titles may hold letters that the font lacks
        page = Page(size)
        page.write((0.015, 0.985), head, va="top", fontsize=1.25 * page.letter)
        page.write((0.015, 0.945), below, va="top")
        yield page


def draw_panel(page: Page, place: tuple[int, int], panel: Panel) -> None:
    """Draw a panel on the page.

    Args:
        page: the page.
        place: number of the panel from the left, and of all panels.
        panel: what to draw.
    """
    number, count = place
    left, width = number / count, 1.0 / count
    wide, tall = picture_share()
    axes = page.figure.add_axes((left, FOOT, width * wide, tall))
    axes.imshow(panel.image, extent=panel.extent, aspect="auto", interpolation="none")
    axes.set(xlim=panel.extent[:2], ylim=panel.extent[2:])
    axes.set_axis_off()
    page.write((left + 0.015, 1.0 - HEAD + 0.012), f"{title(panel.scale.field)}, {panel.stamp}", va="bottom")
    page.write((left + 0.015, 0.5 * FOOT), panel.words, va="center", color="0.25")
    _scale_bar(page, axes, panel)
    if panel.marked is not None:
        where, what = panel.marked
        axes.plot(*where, marker="o", markersize=page.letter, color="none", markeredgecolor="white", markeredgewidth=4.0)
        axes.plot(*where, marker="o", markersize=page.letter, color="none", markeredgecolor="red", markeredgewidth=2.0)
        words = f"\u25cb worst: {one_line(what, 2 * LONGEST_MARK)}"
        page.write((left + width * wide, 0.5 * FOOT), words, va="center", ha="right", color="red")
    _colour_bar(page, (left + width * wide, width * ROOM), panel.scale)


def _scale_bar(page: Page, axes: Any, panel: Panel) -> None:
    """A bar of a round length in the lower left corner of the image."""
    left, right, bottom, top = panel.extent
    length = round_length(0.25 * (right - left))
    x, y = left + 0.03 * (right - left), bottom + 0.03 * (top - bottom)
    axes.plot([x, x + length], [y, y], color="black", linewidth=page.letter / 3.0, solid_capstyle="butt")
    text = f"{length:g} mm"
    axes.text(x + length / 2.0, y + 0.012 * (top - bottom), text, ha="center", va="bottom", fontsize=page.letter)


def _colour_bar(page: Page, across: tuple[float, float], scale: Scale) -> None:
    """The colours with numbers to their right, and the marks to the right of those.

    Args:
        page: the page.
        across: left edge and width of the room, in shares of the page.
        scale: what to show.
    """
    left, width = across
    bottom, height = FOOT + 0.08, 1.0 - HEAD - FOOT - 0.16
    bar = page.figure.add_axes((left + 0.08 * width, bottom, 0.14 * width, height))
    bar.imshow(
        np.linspace(0.0, 1.0, 256)[:, None], extent=(0.0, 1.0, scale.low, scale.high), origin="lower", aspect="auto", cmap=COLOURS
    )
    bar.set_xticks([])
    bar.yaxis.tick_right()
    bar.tick_params(labelsize=0.9 * page.letter)
    shown = look(scale.field)
    bar.yaxis.set_major_formatter(lambda value, _: f"{shown.number(value):.4g}".replace("-", "\u2212"))
    page.write((left + 0.08 * width, bottom + height + 0.02), shown.unit or "no unit", va="bottom")
    for value, what in scale.marks:
        bar.axhline(value, color="white", linewidth=4.0)
        bar.axhline(value, color="black", linewidth=1.5)
        place = bottom + height * (value - scale.low) / (scale.high - scale.low)
        words = one_line(what, LONGEST_MARK)
        page.write((left + 0.5 * width, place), words, va="center", fontsize=0.8 * page.letter, backgroundcolor="white")
