"""A run drawn: its section, coloured by a field, with all that is needed to read it.

As a program, `python -m nanowarm.results.render_drawing FOLDER DRAWING` makes the file that a drawing (JSON) names.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanowarm.plain_text import one_line
from nanowarm.results.field_series import FrameFile
from nanowarm.results.limits import limited_by, limits
from nanowarm.results.picture import egl
from nanowarm.results.render import MILLIMETRES, Drawing, record_of, summary_of
from nanowarm.results.render_panel import Panel, Scale, canvas, draw_panel
from nanowarm.results.render_scene import Scene
from nanowarm.results.view_fields import levels, look, worst_points

Image = NDArray[np.uint8]
LONGEST_TITLE = 110  # characters
NARROW = 1e-6  # of the largest value: a range below it is widened


@dataclass(frozen=True, eq=False)
class Story:
    """What a run says about itself, as far as it is known.

    Args:
        summary: of the run, without criteria where it is not finished.
        record: of the run, empty where it is not finished.
    """

    summary: Mapping[str, Any]
    record: Mapping[str, Any]

    def title(self) -> str:
        """The run's title and verdict."""
        verdict = self.summary["verdict"] or "not finished"
        return f"{one_line(str(self.summary['title'] or 'untitled'), LONGEST_TITLE)}: {verdict}"

    def limit(self) -> str:
        """What limits the run, in a sentence."""
        return one_line(limited_by(limits(self.summary["criteria"])), LONGEST_TITLE) if self.summary["criteria"] else ""

    def stamp(self, time: float) -> str:
        """A time and its stage."""
        names = [row["name"] for row in self.record.get("stages", []) if row["start_s"] - 1e-9 <= time <= row["end_s"] + 1e-9]
        return f"{time:.6g} s{f', {one_line(names[0], 40)}' if names else ''}"

    def worst(self, fields: Sequence[str]) -> dict[str, Any] | None:
        """The point that decides the verdict, if one is known."""
        return next(iter(worst_points(self.summary, fields)), None)


def _scale(file: FrameFile, field: str, frames: Sequence[int], story: Story) -> Scale:
    """One range of colours for all frames, and the values to mark in it.

    Raises:
        ValueError: the field has no value anywhere.
    """
    low, high = np.inf, -np.inf
    for number in frames if field in file.moving else frames[:1]:
        values = look(field).shown(file.values(field, number))
        values = values[np.isfinite(values)]
        low, high = min(low, values.min(initial=np.inf)), max(high, values.max(initial=-np.inf))
    if low > high:
        raise ValueError(f'the field "{field}" has no value anywhere')
    room = max(0.0, NARROW * max(abs(low), abs(high), 1.0) - (high - low))
    low, high = float(low - room), float(high + room)
    marks = [(float(look(field).level(row["value"])), row["label"]) for row in levels(field, story.summary, story.record)]
    return Scale(field, low, high, tuple(mark for mark in marks if low < mark[0] < high))


def pictures(file: FrameFile, drawing: Drawing, story: Story) -> Iterator[Image]:
    """The pictures of a drawing, one for each frame, shape (height, width, 3)."""
    scales = [_scale(file, field, drawing.frames, story) for field in drawing.fields]
    worst = story.worst(file.names)
    point = None if worst is None else np.array(worst["where"]) / MILLIMETRES
    width, height = drawing.size
    scene = Scene(file, (drawing.axis, drawing.place), point, (width // len(scales), height))
    at_plane = point is not None and scene.holds(point)
    for number in drawing.frames:
        with canvas(drawing.size, story.title(), story.limit()) as page:
            for place, scale in enumerate(scales):
                moving = scale.field in file.moving
                stamp = story.stamp(float(file.times[number])) if moving else "of the whole run"
                seen = scene.seen(scale, look(scale.field).shown(file.values(scale.field, number)), scale.field in file.cellwise)
                marked = (scene.on_page(point), worst["label"]) if at_plane and point is not None and worst else None
                draw_panel(page, (place, len(scales)), Panel(seen, scene.extent, scale, stamp, scene.words, marked))
            yield page.image()


def write(path: Path, images: Iterator[Image], drawing: Drawing) -> None:
    """Write pictures into one file."""
    from PIL import Image as Picture

    if path.suffix.lower() == ".mp4":
        _write_film(path, images, drawing)
        return
    first, *others = (Picture.fromarray(image) for image in images)
    if path.suffix.lower() == ".gif":
        first.save(path, save_all=True, append_images=others, duration=1000.0 / drawing.fps, loop=0)
    else:
        first.save(path)


def _write_film(path: Path, images: Iterator[Image], drawing: Drawing) -> None:
    """Write pictures as MP4, in even numbers of pixels, which its coding asks for."""
    import imageio_ffmpeg

    width, height = (length - length % 2 for length in drawing.size)
    film = imageio_ffmpeg.write_frames(str(path), (width, height), fps=drawing.fps, macro_block_size=2, quality=7)
    film.send(None)
    for image in images:
        film.send(np.ascontiguousarray(image[:height, :width]))
    film.close()


def _main(arguments: Sequence[str]) -> int:
    folder, drawing = Path(arguments[0]), Drawing.from_text(arguments[1])
    try:
        egl()
        with FrameFile(folder / "fields.vtkhdf") as file:
            write(Path(drawing.output), pictures(file, drawing, Story(summary_of(folder), record_of(folder))), drawing)
    except (ImportError, OSError, ValueError, KeyError, MemoryError) as error:
        print(" ".join(str(error).split()) or type(error).__name__, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
