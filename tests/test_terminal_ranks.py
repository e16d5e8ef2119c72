"""A run on several ranks, as it shows on the terminal of the command that has started them."""

from __future__ import annotations

import fcntl
import json
import math
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nanowarm import launching
from nanowarm.launching import start_ranks
from nanowarm.progress import Progress, as_event, from_event
from nanowarm.results.run_folder import Run
from nanowarm.terminal import Machine, Silent
from nanowarm.terminal_ranks import Heard

STANDS = Progress("rewarm", 30.0, 0.5, 120.0, 173.15, 183.15, 193.15)
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
BRAILLE = re.compile("[\u2800-\u28ff]")


class Seen(Silent):
    """Keeps what it is given to show."""

    def __init__(self) -> None:
        self.shown: list[Any] = []

    def line(self, line: str) -> None:
        self.shown.append(line)

    def progress(self, progress: Progress, left: float) -> None:
        self.shown.append((progress, left))

    def verdict(self, run: Run) -> None:
        self.shown.append(run.folder)


@pytest.mark.parametrize("end", [120.0, math.inf])
@pytest.mark.parametrize("left", [12.0, math.inf])
def test_progress_told_as_an_event_is_read_as_it_was(end: float, left: float, capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress("a: b", 30.0, 0.5, end, 173.15, 183.15, 193.15)
    Machine().progress(progress, left)
    read, rest = from_event(json.loads(capsys.readouterr().out))
    assert (read.stage, read.time, read.size, read.end, rest) == ("a: b", 30.0, 0.5, end, left)
    assert (read.coldest, read.mean, read.hottest) == pytest.approx((173.15, 183.15, 193.15))


def test_lines_and_progress_of_ranks_are_shown_as_one_process_would(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for line in ("note: coarse", "warning: hot", "run folder here"):
        Machine().line(line)
    told = capsys.readouterr().out.splitlines()
    told.append(json.dumps({"event": "progress"} | as_event(STANDS, 12.0)))
    told.append(json.dumps({"event": "verdict", "summary": str(tmp_path / "summary.json")}))
    heard = Heard(seen := Seen())
    for line in told:
        heard.hear(f"{line}\n")
    assert seen.shown == ["note: coarse", "warning: hot", "run folder here", (STANDS, 12.0), tmp_path]


@pytest.mark.parametrize("line", ["a library says\x1b[2J", "17", '{"event": "cut o', "[1]"])
def test_what_a_library_prints_is_shown_as_text(line: str) -> None:
    heard = Heard(seen := Seen())
    heard.hear(f"{line}\n")
    heard.hear("\n")
    assert seen.shown == [line.replace("\x1b", "\\x1b")]


def test_faults_are_told_on_standard_error_once_the_picture_is_gone(capsys: pytest.CaptureFixture[str]) -> None:
    heard = Heard(Seen())
    heard.hear(json.dumps({"event": "error", "faults": ["one", "two"], "exit_code": 2}))
    assert capsys.readouterr() == ("", "")
    heard.close()
    assert capsys.readouterr() == ("", "one\ntwo\n")


@pytest.fixture
def handlers_kept() -> Iterator[None]:
    """Signals go to whom they went before."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers_kept")
@pytest.mark.parametrize("before", [(), ("--debug",)], ids=["plain", "debug"])
def test_ranks_that_are_listened_to_tell_events_and_end_with_their_code(
    before: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launching, "on_ranks", lambda ranks: [])
    monkeypatch.setattr(sys, "argv", ["nanowarm", *before, "check", "--", "none.toml"])
    told: list[str] = []
    assert start_ranks(2, told.append) == 2
    assert [json.loads(line)["event"] for line in told] == ["start", "error"]


def on_terminal(folder: Path, *words: str, size: tuple[int, int] = (24, 70)) -> tuple[int, str]:
    """Exit code of the program, and what it has written on a terminal of some lines and columns."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    environment = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS", "LINES")}
    command = [sys.executable, "-m", "nanowarm.cli", *words]
    process = subprocess.Popen(command, cwd=folder, stdout=slave, stderr=slave, env=environment | {"TERM": "xterm"})
    os.close(slave)
    written = b""
    try:
        while piece := os.read(master, 65536):
            written += piece
    except OSError:  # the other end is closed
        pass
    finally:
        os.close(master)
    return process.wait(timeout=60), written.decode()


@pytest.mark.slow
def test_a_run_on_two_ranks_is_drawn_within_the_width_of_the_terminal_and_ends_with_a_panel(tmp_path: Path) -> None:
    assert on_terminal(tmp_path, "new", "mine")[0] == 0
    code, written = on_terminal(tmp_path, "run", "mine/mine.toml", "-n", "2", "--set", "mesh.size=2 mm", "--quiet")
    assert code == 0
    text = ESCAPE.sub("", written).replace("\r", "")
    assert text.count(" MET ") == 1
    assert max(map(len, text.splitlines())) <= 70
    code, written = on_terminal(tmp_path, "run", "mine/mine.toml", "-n", "2", "--set", "mesh.size=2 mm")
    assert BRAILLE.search(written)
    text = ESCAPE.sub("", written).replace("\r", "")
    assert text.count("run folder runs/mine-2\n") == 1
    assert written.count("\x1b[?25l") == written.count("\x1b[?25h") == 1  # the cursor is hidden, and comes back
    log = (tmp_path / "runs" / "mine-2" / "log.txt").read_text(encoding="utf-8")
    assert "event" not in log
    assert log.endswith("verdict: met\n")


@pytest.mark.slow
def test_a_fault_that_ranks_find_is_one_line_on_a_terminal(tmp_path: Path) -> None:
    assert on_terminal(tmp_path, "new", "mine")[0] == 0
    code, written = on_terminal(tmp_path, "run", "mine/mine.toml", "-n", "2", "--set", 'regions.none.material="VS55"')
    assert code == 2
    (line,) = ESCAPE.sub("", written).replace("\r", "").splitlines()
    assert "regions.none" in line
