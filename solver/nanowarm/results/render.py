"""What to draw of a run: field, moments and section chosen from its files, before anything is drawn.

`nanowarm.results.render_drawing` draws it, in a process of its own.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nanowarm.errors import CaseError, SolveError
from nanowarm.results.field_series import FrameFile
from nanowarm.results.picture import TIME_LIMIT, draw_in_process
from nanowarm.results.view_fields import worst_points

KINDS = (".png", ".gif", ".mp4")
MOST_FRAMES = 150  # of an animation
FRAME_LIMIT = 10.0  # [s] more for each frame
MILLIMETRES = 1e3
PROGRAM = "nanowarm.results.render_drawing"


@dataclass(frozen=True)
class Wish:
    """What a user asks for; None where it is left to the program.

    Args:
        field: name.
        time: [s].
        frame: number, from 0; negative from the end.
        axis: of the cut: x, y or z.
        place: of the cut along its axis [mm].
        size: width and height in pixels.
        fps: frames of an animation per second.
    """

    field: str | None = None
    time: float | None = None
    frame: int | None = None
    axis: str | None = None
    place: float | None = None
    size: tuple[int, int] = (1600, 1200)
    fps: float = 15.0


@dataclass(frozen=True)
class Drawing:
    """What is drawn.

    Args:
        output: the file to make.
        fields: names, one panel for each.
        frames: numbers, one picture for each.
        axis: of the cut; None for the one that shows most.
        place: of the cut along its axis [mm]; None for the worst point, or the middle.
        size: width and height in pixels.
        fps: frames of an animation per second.
    """

    output: str
    fields: tuple[str, ...]
    frames: tuple[int, ...]
    axis: str | None
    place: float | None
    size: tuple[int, int]
    fps: float

    def as_text(self) -> str:
        """The drawing as an argument of the program that draws it."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_text(text: str) -> Drawing:
        """The drawing that such an argument says."""
        given = json.loads(text)
        given |= {key: tuple(given[key]) for key in ("fields", "frames", "size")}
        return Drawing(**given)


def render(folder: Path, output: Path | None, wish: Wish) -> Path:
    """Draw a run; the file that was made.

    Args:
        folder: of the run, finished or not.
        output: the file to make; the first free `<field>-<n>.png` in the folder where left out.
        wish: what to draw.

    Raises:
        CaseError: it can't be drawn as asked for.
        SolveError: the drawing failed.
    """
    drawing = planned(folder, output, wish)
    target = Path(drawing.output)
    part = target.with_name(f".{target.stem}.part{target.suffix}")
    text = Drawing(**{**asdict(drawing), "output": str(part.absolute())}).as_text()
    limit = TIME_LIMIT + FRAME_LIMIT * len(drawing.frames)
    try:
        reason = draw_in_process(folder, PROGRAM, [text], limit)
        if reason:
            raise SolveError(f"{target}: {reason}")
        _put(part, target)
    finally:
        part.unlink(missing_ok=True)
    return target


def _put(part: Path, target: Path) -> None:
    """Give a file its name, which nothing else may have got meanwhile."""
    try:
        target.hardlink_to(part)
    except FileExistsError:
        raise CaseError(f"{target}: exists already and is never overwritten; choose another file with -o") from None
    except OSError:  # a file system without links
        part.rename(target)


def planned(folder: Path, output: Path | None, wish: Wish) -> Drawing:
    """What to draw.

    Raises:
        CaseError: it can't be drawn as asked for.
    """
    check_run_folder(folder)
    moves = output is not None and _kind(output) != ".png"
    with opened(folder) as file:
        fields = _fields(folder, file, wish, moves)
        frames = _frames(file, wish, moves, fields[0])
        _check_place(file, wish)
    target = output or free_file(folder, fields[0].replace(" ", "-"), ".png")
    if not target.absolute().parent.is_dir():
        raise CaseError(f"{target}: there is no folder {target.parent}")
    return Drawing(str(target), fields, frames, wish.axis, wish.place, wish.size, wish.fps)


def check_run_folder(folder: Path) -> None:
    """Refuse what is no run folder, or holds no fields.

    Raises:
        CaseError: naming what is missing.
    """
    if not (folder / "case.toml").is_file():
        raise CaseError(f"{folder}: no run folder: there is no case.toml in it")
    if not (folder / "fields.vtkhdf").is_file():
        raise CaseError(f"{folder}: nothing to draw: there is no fields.vtkhdf in it; ask for fields under [output] of the case")


def free_file(folder: Path, stem: str, kind: str) -> Path:
    """The first free `<stem>-<n><kind>` of a folder."""
    numbered = (folder / f"{stem}-{number}{kind}" for number in itertools.count(1))
    return next(path for path in numbered if not path.exists())


def _kind(output: Path) -> str:
    """The kind of a file to make.

    Raises:
        CaseError: it is not one that can be made, or exists.
    """
    kind = output.suffix.lower()
    if kind not in KINDS:
        raise CaseError(f"-o {output}: {kind or 'a name without an ending'} can't be made; known: {', '.join(KINDS)}")
    if output.exists():
        raise CaseError(f"{output}: exists already and is never overwritten; choose another file with -o")
    if kind == ".mp4" and importlib.util.find_spec("imageio_ffmpeg") is None:
        raise CaseError(f"-o {output}: MP4 needs imageio-ffmpeg: pip install imageio-ffmpeg; or choose a .gif")
    return kind


def opened(folder: Path) -> FrameFile:
    """The field file of a run.

    Raises:
        CaseError: it can't be read, or holds nothing yet.
    """
    path = folder / "fields.vtkhdf"
    try:
        file = FrameFile(path)
    except BlockingIOError:
        raise CaseError(f"{path}: the run is writing it just now; try again") from None
    except (OSError, KeyError, ValueError) as error:
        raise CaseError(f"{path}: can't be read: {' '.join(str(error).split())}") from None
    if not file.times.size or not file.names:
        raise CaseError(f"{path}: holds no frame yet")
    return file


def _fields(folder: Path, file: FrameFile, wish: Wish, moves: bool) -> tuple[str, ...]:
    """The fields to draw: the one asked for, or the temperature and that which limits the run.

    Raises:
        CaseError: there is no such field, or it does not change.
    """
    if wish.field is not None and wish.field not in file.names:
        raise CaseError(f'--field: no field "{wish.field}"; this run has: {", ".join(file.names)}')
    if moves:
        chosen = wish.field or next(iter(sorted(file.moving, key=lambda name: name != "temperature")), "")
        if chosen not in file.moving:
            known = ", ".join(file.moving) or "none"
            raise CaseError(
                f'--field: "{chosen or "any"}" does not change in this run; fields that do: {known}; or choose a .png'
            )
        return (chosen,)
    if wish.field is not None:
        return (wish.field,)
    worst = worst_points(summary_of(folder), file.names)
    limiting = [point["field"] for point in worst[:1] if point["field"]]
    return tuple(dict.fromkeys((file.names[0], *limiting)))


def summary_of(folder: Path) -> Mapping[str, Any]:
    """What `summary.json` of a run says; without criteria where the run is not finished."""
    return {"criteria": [], "verdict": "", "title": folder.name} | _content(folder / "summary.json")


def record_of(folder: Path) -> Mapping[str, Any]:
    """What `record.json` of a run says; nothing where the run is not finished."""
    return _content(folder / "record.json")


def _content(path: Path) -> dict[str, Any]:
    """Content of a JSON file; nothing where there is none.

    Raises:
        CaseError: it can't be read.
    """
    if not path.is_file():
        return {}
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CaseError(f"{path}: can't be read: {error}") from None
    return content


def _frames(file: FrameFile, wish: Wish, moves: bool, field: str) -> tuple[int, ...]:
    """The numbers of the frames to draw.

    Raises:
        CaseError: there are no such frames.
    """
    count, times = len(file.times), file.times
    asked = "--at" if wish.time is not None else "--frame"
    if wish.time is None and wish.frame is None:
        if not moves:
            return (count - 1,)
        even = np.linspace(times[0], times[-1], min(count, MOST_FRAMES))
        return tuple(dict.fromkeys(file.nearest(time) for time in even))
    if moves:
        raise CaseError(f"{asked}: an animation shows the whole run; choose a .png")
    if wish.time is not None:
        if field not in file.moving:
            raise CaseError(f'--at: "{field}" is known of the whole run, not of a moment; leave --at out')
        if not times[0] <= wish.time <= times[-1]:
            raise CaseError(f"--at: {wish.time:g} s is outside this run's {times[0]:g} to {times[-1]:g} s")
        return (file.nearest(wish.time),)
    number = wish.frame or 0
    if not -count <= number < count:
        raise CaseError(f"--frame: {number} is none of this run's frames 0 to {count - 1}")
    return (number % count,)


def _check_place(file: FrameFile, wish: Wish) -> None:
    """Refuse a cut outside the body.

    Raises:
        CaseError: saying where the body is.
    """
    if wish.axis is None or wish.place is None:
        return
    along = MILLIMETRES * file.points[:, "xyz".index(wish.axis)]
    low, high = float(along.min()), float(along.max())
    if not low < wish.place < high:
        raise CaseError(f"--cut: {wish.axis} = {wish.place:g} mm is outside the body, {low:.4g} to {high:.4g} mm")
