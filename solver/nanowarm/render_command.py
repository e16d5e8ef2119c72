"""The command `render`: pictures and animations of a run, and a script that opens it in ParaView."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nanowarm.completion import run_folders
from nanowarm.errors import CaseError

if TYPE_CHECKING:
    from nanowarm.results.render import Wish

LEAST_SIZE, MOST_SIZE = 200, 8000  # pixels
MOST_FPS = 60.0
_CUT = re.compile(r"([xyz])(?:=(.+))?")
_SIZE = re.compile(r"(\d{1,5})x(\d{1,5})")

Folder = Annotated[Path, typer.Argument(metavar="RUN", help="run folder", autocompletion=run_folders)]
Output = Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help=".png, .gif or .mp4 to make")]
Cut = Annotated[str | None, typer.Option("--cut", metavar="AXIS[=PLACE]", help='section, e.g. x or "y=3 mm"')]


def render(  # noqa: PLR0913  every option is one of the command
    folder: Folder,
    output: Output = None,
    field: Annotated[str | None, typer.Option("--field", metavar="NAME", help="field to show")] = None,
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help='moment to show, e.g. "60 s"')] = None,
    frame: Annotated[int | None, typer.Option("--frame", help="moment by number, -1 is the last")] = None,
    cut: Cut = None,
    size: Annotated[str, typer.Option("--size", metavar="WxH", help="pixels")] = "1600x1200",
    fps: Annotated[float, typer.Option("--fps", help="frames of an animation per second")] = 15.0,
    paraview: Annotated[bool, typer.Option("--paraview", help="write a script that opens the run in ParaView")] = False,
) -> None:
    """Draw a run: its section through the worst point at the end, or over time as .gif or .mp4."""
    if at is not None and frame is not None:
        raise CaseError("render: give one of --at and --frame")
    if paraview:
        if any(option is not None for option in (field, at, frame, cut)):
            raise CaseError("render: --paraview takes no option but -o; change the rest in ParaView")
        from nanowarm.results.paraview import write_script

        print(f"wrote {write_script(folder, output)}")
        return
    from nanowarm.results.render import render

    print(f"wrote {render(folder, output, wish_of((field, at, frame), cut, size, fps))}")


def wish_of(what: tuple[str | None, str | None, int | None], cut: str | None, size: str, fps: float) -> Wish:
    """What the options ask for.

    Args:
        what: field, time as text and frame.
        cut: axis and place.
        size: of the picture.
        fps: frames per second.

    Raises:
        CaseError: one of them can't be used.
    """
    from nanowarm.results.render import Wish

    field, at, frame = what
    if not 0.1 <= fps <= MOST_FPS:
        raise CaseError(f"--fps: {fps:g}; allowed are 0.1 to {MOST_FPS:g}")
    axis, place = _cut(cut)
    return Wish(field, None if at is None else _measured("--at", at, "s"), frame, axis, place, _size(size), fps)


def _measured(option: str, text: str, unit: str) -> float:
    """The value of an option in a unit.

    Raises:
        CaseError: it is none.
    """
    from nanowarm.quantity import convert

    try:
        return convert(text, unit)
    except ValueError as error:
        raise CaseError(f'{option}: {error}, e.g. "60 {unit}"') from None


def _cut(text: str | None) -> tuple[str | None, float | None]:
    """Axis and place [mm] of a cut; a bare number counts as mm.

    Raises:
        CaseError: it is none.
    """
    if text is None:
        return None, None
    match = _CUT.fullmatch(text.strip())
    if match is None:
        raise CaseError(f'--cut: "{text}" is no cut; write x, y or z, or a place too: "x=3 mm"')
    place = match[2]
    if place is None:
        return match[1], None
    try:
        return match[1], float(place)
    except ValueError:
        return match[1], _measured("--cut", place, "mm")


def _size(text: str) -> tuple[int, int]:
    """Width and height in pixels.

    Raises:
        CaseError: they are none, or too small or large.
    """
    match = _SIZE.fullmatch(text)
    if match is None or not all(LEAST_SIZE <= int(length) <= MOST_SIZE for length in match.groups()):
        raise CaseError(f'--size: "{text}"; write width x height of {LEAST_SIZE} to {MOST_SIZE} pixels each, e.g. 1600x1200')
    return int(match[1]), int(match[2])
