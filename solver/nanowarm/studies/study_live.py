"""A study on a terminal: how many runs have ended how, where those stand that go on, and a panel with its answer."""

from __future__ import annotations

import math
import time as clock

from rich.console import Console, Group
from rich.panel import Panel
from rich.text import Text

from nanowarm.plain_text import one_line, visible
from nanowarm.progress import Progress
from nanowarm.studies.plan import PlannedRun, toml_text
from nanowarm.studies.study_report import NAME
from nanowarm.studies.study_results import Study
from nanowarm.studies.study_sentence import answer_sentence
from nanowarm.studies.table import Row, tally
from nanowarm.studies.watching import Standing, Watch
from nanowarm.terminal import RARER
from nanowarm.terminal_live import MOST_COLUMNS, REFRESH, VERDICTS, Drawing, bar_line, duration

COLOURS = {**VERDICTS, "failed": "red"}
OTHER_LINES = 5  # of a terminal that hold no run that goes on
LEAST_INPUTS, LEAST_BAR = 12, 12  # letters


class LiveStudy(Watch):
    """Draws over the last lines of the terminal, four times a second at most.

    Args:
        console: to draw on; standard output where left out.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._drawing = Drawing(self._console)
        self._standing = Standing()
        self._next = 0.0  # time [s] of the clock before which nothing is drawn

    def say(self, line: str) -> None:
        """A line of text, above what is drawn."""
        self._console.print(Text(visible(line)), soft_wrap=True)

    def expect(self, runs: int, before: int, certain: bool = True) -> None:
        """How much there is to do."""
        self._standing.expect(runs, before, certain)

    def began(self, run: PlannedRun) -> None:
        """A worker has taken a run."""
        self._standing.began(run)
        self._draw()

    def stands(self, run: PlannedRun, progress: Progress) -> None:
        """Where a run stands."""
        self._standing.stands(run, progress)
        self._draw()

    def ended(self, run: PlannedRun, row: Row) -> None:
        """How a run ended."""
        self._standing.ended(run, row)
        self._draw()

    def close(self) -> None:
        """What was drawn is wiped off, and nothing is drawn any more."""
        self._next = math.inf
        self._drawing.close()

    def conclude(self, study: Study) -> None:
        """The panel with the answer."""
        self.close()
        self._console.print(answer_panel(study, min(self._console.width, MOST_COLUMNS)))

    def _draw(self) -> None:
        """The picture, drawn anew where the last one is old enough."""
        now = clock.monotonic()
        if now < self._next:
            return
        size = min(self._console.width, MOST_COLUMNS), self._console.height
        self._drawing.draw(picture(self._standing, now, size))
        after = clock.monotonic()
        self._next = after + max(REFRESH, RARER * (after - now))


def picture(standing: Standing, now: float, size: tuple[int, int]) -> Group:
    """The lines that are drawn.

    Args:
        standing: where the study stands.
        now: time [s] of the clock.
        size: letters across, and lines of the terminal.
    """
    width, height = size
    left = standing.left(now)
    most = f"of {standing.runs}" if standing.certain else f"of at most {standing.runs}"
    words = f" {standing.finished} {most} runs{'' if left is None else f', {duration(left)} left'}"
    part = standing.finished / standing.runs if standing.certain and standing.runs else None
    lines = [bar_line("study ", part, words, width), _counted(standing.counts())]
    room = max(height - OTHER_LINES, 1)
    going = list(standing.going.values())
    lines += [_going(run, progress, width) for run, progress in going[:room]]
    if len(going) > room:
        lines.append(Text(f"and {len(going) - room} more", style="bright_black"))
    return Group(*lines)


def _counted(counts: dict[str, int]) -> Text:
    """How many runs ended how, in the colours of their verdicts."""
    line = Text(no_wrap=True, overflow="crop")
    for verdict, number in counts.items():
        line.append(f"{number} {verdict} ", style=COLOURS[verdict])
    return line if counts else Text("no run has ended", style="bright_black")


def _going(run: PlannedRun, progress: Progress | None, width: int) -> Text:
    """A run that goes on: its number, its values, and where it stands."""
    name = f"{run.search}.{run.number} " if run.search else f"{run.number} "
    chosen = ", ".join(f"{key.rsplit('.', 1)[-1]} = {toml_text(value)}" for key, value in run.inputs.items())
    where = " mesh, setup or report"
    if progress is not None:
        end = "" if progress.part is None else f" of {progress.end:.4g}"
        where = f" {one_line(progress.stage, 12)} {progress.time:.4g}{end} s"
    room = max(width - len(name) - len(where) - LEAST_BAR, LEAST_INPUTS)
    part = None if progress is None else progress.part
    return bar_line(f"{name}{one_line(chosen, room)} ", part, where, width)


def answer_panel(study: Study, width: int) -> Panel:
    """What a study has found.

    Args:
        study: in its folder.
        width: letters across.
    """
    lines = [Text(one_line(study.title, 200), style="bold")]
    lines += [Text(visible(answer_sentence(study))), _counted(tally(study.rows))]
    lines += [Text(f"{what}: {visible(str(study.folder / name))}") for what, name in (("table", "table.csv"), ("report", NAME))]
    return Panel(Group(*lines), title=Text("ANSWER", style="bold"), title_align="left", width=width)
