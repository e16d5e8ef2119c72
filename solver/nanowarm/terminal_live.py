"""A run on a terminal: a bar, temperatures and their curve while it goes on, a panel with the verdict at its end."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live as Region
from rich.panel import Panel
from rich.text import Text

from nanowarm.plain_text import one_line, visible
from nanowarm.progress import Progress, temperatures
from nanowarm.results.convergence import convergence_lines
from nanowarm.results.limits import limited_by, limits
from nanowarm.run_lines import criterion_lines
from nanowarm.terminal_curve import Samples, limits_of, plotted

if TYPE_CHECKING:
    from nanowarm.results.run_folder import Run

REFRESH = 0.25  # [s] between pictures
CURVE_LINES = 6
LEAST_ROWS = 14  # of a terminal on which there is room for the curve
MOST_COLUMNS = 90
LABEL = 8  # letters of a label of the curve
CURVES = ("blue", "green", "red")  # coldest, mean, hottest
VERDICTS = {"met": "green", "missed": "red", "unseen": "yellow"}


class Drawing:
    """The last lines of a terminal, drawn over.

    Args:
        console: to draw on.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._region: Region | None = None

    def draw(self, picture: Group) -> None:
        """A picture in place of the last one."""
        if self._region is None:
            self._region = Region(console=self._console, auto_refresh=False, transient=True)
            self._region.start()
        self._region.update(picture, refresh=True)

    def close(self) -> None:
        """What was drawn is wiped off."""
        if self._region is not None:
            self._region.stop()
            self._region = None


class Live:
    """Draws over the last lines of the terminal, four times a second at most.

    Args:
        console: to draw on; standard output where left out.
    """

    every = REFRESH

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._drawing = Drawing(self._console)
        self._samples = Samples()

    def line(self, line: str) -> None:
        """A line of text, above what is drawn."""
        self._console.print(Text(line), soft_wrap=True)

    def folder(self, folder: Path) -> None:
        """The run folder is told in a line."""

    def sample(self, progress: Progress) -> None:
        """Every step, for the curve."""
        if self._samples.rows and progress.time < self._samples.rows[-1][0]:
            self._samples = Samples()
        self._samples.add((progress.time, *temperatures(progress).values()))

    def progress(self, progress: Progress, left: float) -> None:
        """Where the run stands, drawn anew."""
        self._drawing.draw(self.picture(progress, left))

    def picture(self, progress: Progress, left: float) -> Group:
        """The lines that are drawn."""
        width = min(self._console.width, MOST_COLUMNS)
        lines = [_bar(progress, left, width), _now(progress)]
        if self._console.height >= LEAST_ROWS and width > 2 * LABEL:
            lines += _curve(self._samples, progress, width)
        return Group(*lines)

    def close(self) -> None:
        """What was drawn is wiped off."""
        self._drawing.close()

    def verdict(self, run: Run) -> None:
        """The panel with the verdict."""
        self.close()
        self._console.print(verdict_panel(run, min(self._console.width, MOST_COLUMNS)))


def _bar(progress: Progress, left: float, width: int) -> Text:
    """Stage, bar, simulated time and time left."""
    end = "" if progress.part is None else f" of {progress.end:.4g}"
    rest = f", {duration(left)} left" if math.isfinite(left) else ""
    words = f" {progress.time:.4g}{end} s, step {progress.size:.2g} s{rest}"
    return bar_line(f"{one_line(progress.stage, 16)} ", progress.part, words, width)


def bar_line(name: str, part: float | None, words: str, width: int) -> Text:
    """A name, a bar where there is room for one, and words.

    Args:
        name: in front.
        part: from 0 to 1, of the bar that is filled; None where it is not known.
        words: behind.
        width: letters across.
    """
    room = width - len(name) - len(words)
    line = Text(name, style="bold", no_wrap=True, overflow="crop", end="\n")
    if part is not None and room >= 5:
        filled = round(part * room)
        line.append("\u2501" * filled, style="not bold green").append("\u2501" * (room - filled), style="not bold bright_black")
    return line.append(words, style="not bold")


def duration(seconds: float) -> str:
    """A time for people."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def _now(progress: Progress) -> Text:
    """Coldest, mean and hottest temperature, in the colours of their curves."""
    line = Text(no_wrap=True, overflow="crop")
    for (what, value), colour in zip(temperatures(progress).items(), CURVES, strict=True):
        line.append(f"{what} {value:.1f} ", style=colour)
    return line.append("\u00b0C")


def _curve(samples: Samples, progress: Progress, width: int) -> list[Text]:
    """Temperatures over time with labels of the axes."""
    rows = samples.rows
    end = progress.end if math.isfinite(progress.end) else progress.time
    low, high = limits_of(rows)
    lines = []
    for number, letters in enumerate(plotted(rows, end, (width - LABEL - 1, CURVE_LINES))):
        label = f"{high:.1f}" if number == 0 else f"{low:.1f}" if number == CURVE_LINES - 1 else ""
        line = Text(no_wrap=True, overflow="crop").append(f"{label:>{LABEL}} ", style="bright_black")
        for curve, same in itertools.groupby(letters, key=lambda letter: letter[1]):
            line.append("".join(letter for letter, _ in same), style="" if curve < 0 else CURVES[curve])
        lines.append(line)
    begin, last = f"{rows[0][0]:.3g} s", f"{end:.4g} s"
    axis = f"{'':{LABEL}} {begin}{last:>{max(width - LABEL - 1 - len(begin), 0)}}"
    return [*lines, Text(axis, style="bright_black", no_wrap=True, overflow="crop")]


def verdict_panel(run: Run, width: int) -> Panel:
    """How a run ended: verdict, what limits it, criteria, seconds, report.

    Args:
        run: the run.
        width: letters across.
    """
    summary = run.summary
    colour = VERDICTS[run.verdict]
    head = Text(run.verdict.upper(), style=f"bold {colour}")
    lines = [Text(one_line(str(summary["title"] or "untitled"), 200), style="bold")]
    lines += [head + Text(f": {visible(limited_by(limits(summary['criteria'])))}")]
    for entry, told in zip(summary["criteria"], criterion_lines(run), strict=True):
        lines.append(Text("\u25cf ", style=VERDICTS[entry["outcome"]]) + Text(visible(told)))
    lines += [Text(visible(line)) for line in convergence_lines(summary)]
    seconds = ", ".join(f"{phase} {time:.1f} s" for phase, time in summary.get("seconds", {}).items() if time >= 0.05)
    lines += [Text(seconds, style="bright_black"), Text(f"report: {visible(str(run.folder / 'report.html'))}")]
    return Panel(Group(*lines), title=head.copy(), title_align="left", border_style=colour, width=width)
