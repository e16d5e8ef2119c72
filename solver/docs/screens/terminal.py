"""A run as a terminal shows it, as a page."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.terminal_theme import MONOKAI

import nanowarm
from nanowarm.pipeline import Listener
from nanowarm.terminal_live import MOST_COLUMNS, Live

SHOWN_AT = 0.3  # part of the simulated time at which the picture is taken
PAGE = """<!DOCTYPE html><meta charset="utf-8"><style>{stylesheet}
body {{ margin: 0; background: {background}; color: {foreground}; }}
pre {{ margin: 0; padding: 16px 20px; width: max-content; font: 15px/1.25 "DejaVu Sans Mono", monospace; }}
i {{ display: inline-block; width: 1ch; overflow: hidden; font-style: normal; vertical-align: bottom; }}
</style><pre>{code}</pre>"""
DOTS = re.compile("[\u2800-\u28ff]")  # of the curve: few fonts have them as wide as letters


class Recorded(Live):
    """A live run whose picture is kept once, as it is at some part of its time.

    Args:
        console: that records.
    """

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._record = console
        self._shown = False

    def sample(self, progress: Any) -> None:
        """Every step, for the curve; at one of them the picture is kept."""
        super().sample(progress)
        if not self._shown and progress.time > SHOWN_AT * progress.end:
            self._shown = True
            self._record.print(self.picture(progress, math.inf), "")


def recorded_run(case: Path, folder: Path, overrides: Sequence[str] = ()) -> str:
    """A page with what `nanowarm run` shows of a case; the run is left in a folder.

    Args:
        case: its file.
        folder: for the run.
        overrides: as of `--set`.
    """
    console = Console(record=True, file=io.StringIO(), force_terminal=True, width=MOST_COLUMNS, height=40, highlight=False)
    live = Recorded(console)
    live.line(f"$ nanowarm run cases/{case.name}")
    live.verdict(nanowarm.run(case, folder, overrides, listener=Listener(live.line, live.sample)))
    return DOTS.sub(r"<i>\g<0></i>", console.export_html(theme=MONOKAI, code_format=PAGE))
