"""A study on a terminal: what is told of its runs while they go on, and what is drawn of it."""

from __future__ import annotations

import io
import json
import math
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from nanowarm.progress import Progress, from_event
from nanowarm.studies.plan import PlannedRun
from nanowarm.studies.study_live import OTHER_LINES, LiveStudy, picture
from nanowarm.studies.table import Row
from nanowarm.studies.watching import Standing
from nanowarm.studies.work_process import Telling
from nanowarm.studies.workers import Worker

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
HALF = Progress("rewarm", 60.0, 0.5, 120.0, 173.15, 183.15, 193.15)


def run(number: int, search: int = 0) -> PlannedRun:
    return PlannedRun(number, {"regions.cpa.iron": f"{number} mgFe/mL"}, (), f"digest {search} {number}", "mesh", search)


@pytest.fixture
def standing() -> Standing:
    """Of ten runs two were finished before, two have ended, and three go on; it began at 0 s."""
    made = Standing(start=0.0)
    made.expect(10, 2)
    for number in (3, 4, 5, 6, 7):
        made.began(run(number))
    made.ended(run(3), Row({"verdict": "met"}))
    made.ended(run(4), Row(None, "no memory"))
    return made


def drawn(standing: Standing, width: int = 80, height: int = 24, now: float = 100.0) -> list[str]:
    console = Console(file=io.StringIO(), force_terminal=True, width=width, height=height)
    with console.capture() as got:
        console.print(picture(standing, now, (width, height)))
    return ESCAPE.sub("", got.get()).splitlines()


def test_the_rest_of_a_study_takes_as_long_for_each_run_as_what_has_been_done(standing: Standing) -> None:
    assert standing.left(100.0) == pytest.approx(100.0 * 6 / 2)  # two runs in 100 s, six to go
    standing.stands(run(5), HALF)  # two and a half in 100 s, five and a half to go
    assert standing.left(100.0) == pytest.approx(100.0 * 5.5 / 2.5)


def test_no_time_left_is_told_before_anything_is_done_or_where_the_number_of_runs_is_open(standing: Standing) -> None:
    fresh = Standing(start=0.0)
    fresh.expect(10, 9)
    assert fresh.left(100.0) is None
    standing.expect(10, 2, certain=False)
    assert standing.left(100.0) is None
    assert "4 of at most 10 runs" in drawn(standing)[0]
    assert "left" not in drawn(standing)[0]


def test_a_picture_shows_runs_done_how_they_ended_and_where_the_others_stand(standing: Standing) -> None:
    standing.stands(run(5), HALF)
    head, counts, *going = drawn(standing)
    assert "4 of 10 runs, 3 min 40 s left" in head
    assert counts.split() == ["1", "met", "1", "failed"]
    assert [line.split()[0] for line in going] == ["5", "6", "7"]
    assert going[0].startswith("5 iron = ")
    assert going[0].endswith("rewarm 60 of 120 s")
    assert going[1].endswith("mesh, setup or report")


@pytest.mark.parametrize("width", [20, 40, 80])
def test_no_line_of_a_study_is_wider_than_the_terminal(standing: Standing, width: int) -> None:
    standing.stands(run(5), HALF)
    assert max(map(len, drawn(standing, width))) <= width


def test_runs_that_have_no_room_are_counted(standing: Standing) -> None:
    lines = drawn(standing, height=OTHER_LINES + 2)
    assert len(lines) == 5
    assert lines[-1] == "and 1 more"


def test_nothing_is_drawn_once_a_study_has_ended(standing: Standing) -> None:
    out = io.StringIO()
    live = LiveStudy(Console(file=out, force_terminal=True, width=60))
    live.expect(2, 0)
    live.began(run(1))
    assert "0 of 2 runs" in out.getvalue()
    live.close()
    before = out.getvalue()
    live.stands(run(1), HALF)
    assert out.getvalue() == before


def test_a_worker_hands_on_where_a_run_stands_before_it_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []
    Telling(told.append).progress(Progress("hold", 1.0, 0.5, math.inf, 200.0, 210.0, 220.0), math.inf)
    answer = {"error": "", "peak_MB": 1.0, "goes_on": True}
    (tmp_path / "said").write_text("".join(f"{json.dumps(line)}\n" for line in ({"progress": told[0]}, answer)))
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\nread -r job\ncat '{tmp_path / 'said'}'\nread -r end\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    heard: list[Any] = []
    with (tmp_path / "lock").open("w+b") as lock:
        worker = Worker(1, tmp_path / "log", lock)
        assert worker.compute({}, heard.append) == answer
        worker.end()
    progress, left = from_event(heard[0])
    assert (progress.stage, progress.end, left) == ("hold", math.inf, math.inf)
    assert progress.part is None
