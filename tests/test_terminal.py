"""What a run shows while it goes on: on a terminal, in a log, and for programs."""

from __future__ import annotations

import io
import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from nanowarm import events, terminal
from nanowarm.plain_text import one_line, visible
from nanowarm.progress import Progress
from nanowarm.results.run_folder import Run
from nanowarm.run_lines import progress_line
from nanowarm.terminal import Display
from nanowarm.terminal_curve import BLANK, MOST, Samples, plotted
from nanowarm.terminal_live import Live, verdict_panel

HOSTILE = "[red]bold[/red] [link=http://x]\x1b[31m \u202eabc <script> \U0001f600"
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def where(time: float = 30.0, **more: Any) -> Progress:
    values = {"stage": "rewarm", "size": 0.5, "end": 120.0, "coldest": 173.15, "mean": 183.15, "hottest": 193.15}
    return Progress(time=time, **(values | more))


@pytest.fixture
def ended(tmp_path: Path) -> Run:
    """A run whose title is hostile, with one criterion met."""
    row = {"kind": "temperature", "region": "a[b]", "value": 5.0, "limit": 0.0, "unit": "degC", "fraction": None}
    row |= {"outcome": "met", "sense": "at_least", "where_mm": None}
    summary = {"title": HOSTILE, "verdict": "met", "criteria": [row], "seconds": {"solve": 2.0, "import": math.pi}}
    (tmp_path / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    return Run(tmp_path)


def drawn(width: int, height: int = 30, times: Sequence[float] = (0.0, 30.0)) -> list[str]:
    console = Console(file=io.StringIO(), force_terminal=True, width=width, height=height)
    live = Live(console)
    for time in times:
        live.sample(where(time))
    with console.capture() as got:
        console.print(live.picture(where(times[-1]), 12.0))
    return ESCAPE.sub("", got.get()).splitlines()


@pytest.mark.parametrize("width", [20, 40, 80, 300])
def test_no_line_on_a_terminal_is_wider_than_it(width: int) -> None:
    lines = drawn(width)
    assert max(map(len, lines)) <= width
    assert len(lines) == 2 + 7  # bar, temperatures, six lines of the curve and its axis


def test_a_low_terminal_has_no_curve() -> None:
    assert len(drawn(80, height=10)) == 2


def test_a_terminal_shows_time_step_temperatures_and_time_left() -> None:
    text = "\n".join(drawn(80))
    for part in ("rewarm", "30 of 120 s", "step 0.5 s", "12 s left", "coldest -100.0", "mean -90.0", "hottest -80.0 °C"):
        assert part in text


def test_a_curve_rises_from_the_lower_left_to_the_upper_right() -> None:
    letters = plotted([(0.0, 0.0), (10.0, 1.0)], 10.0, (8, 4))
    filled = {(x, y) for y, line in enumerate(letters) for x, (letter, _) in enumerate(line) if ord(letter) != BLANK}
    assert (0, 3) in filled
    assert (7, 0) in filled
    assert not filled & {(0, 0), (7, 3)}
    assert ord(letters[3][0][0]) - BLANK & 0x40  # the dot at the very bottom left
    assert ord(letters[0][7][0]) - BLANK & 0x08  # and that at the very top right


def test_a_curve_of_one_constant_row_is_drawn() -> None:
    assert any(ord(letter) != BLANK for line in plotted([(0.0, 5.0, 5.0)], 0.0, (4, 2)) for letter, _ in line)


def test_samples_stay_few_and_reach_over_the_whole_run() -> None:
    samples = Samples()
    for number in range(20 * MOST):
        samples.add((float(number), 0.0))
    assert MOST / 4 <= len(samples.rows) <= MOST
    assert samples.rows[0][0] == 0.0
    assert samples.rows[-1][0] > 0.9 * 20 * MOST


def test_the_panel_says_the_verdict_in_a_word_and_hostile_text_as_text(ended: Run) -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    console.print(verdict_panel(ended, 100))
    raw = console.file.getvalue()  # type: ignore[attr-defined]
    text = ESCAPE.sub("", raw)
    for part in ("MET", "limited by too little heat", "temperature of a[b]: met: 5 degC (limit 0)", "solve 2.0 s", "report.html"):
        assert part in text
    assert "[red]bold[/red] [link=http://x]\\x1b[31m \\u202eabc <script> \U0001f600" in text
    assert "\x1b[31m" not in raw
    assert "\x1b]8;" not in raw  # no link


@pytest.mark.parametrize("width", [40, 20])
def test_the_panel_fits_a_narrow_terminal(ended: Run, width: int) -> None:
    console = Console(file=io.StringIO(), width=width)
    console.print(verdict_panel(ended, width))
    assert all(len(line) <= width for line in console.file.getvalue().splitlines())  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain [b] <i> é 漢 \U0001f600", "plain [b] <i> é 漢 \U0001f600"),
        ("\x1b[2J\x07", "\\x1b[2J\\x07"),
        ("a\u202eb\u2066c\ufeff", "a\\u202eb\\u2066c\\ufeff"),
        ("\x9b31m\r", "\\x9b31m\\r"),
        ("שלום", "שלום"),
        ("\U000e0041", "\\U000e0041"),
    ],
    ids=["harmless", "escape", "direction", "c1", "right to left", "tag"],
)
def test_what_would_steer_a_terminal_is_written_out(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_ten_thousand_letters_become_one_short_line() -> None:
    assert len(one_line("x\n" * 10_000, 80)) == 80


@pytest.mark.parametrize(
    ("environment", "encoding", "live"),
    [
        ({"TERM": "xterm"}, "utf-8", True),
        ({"TERM": "dumb"}, "utf-8", False),
        ({}, "utf-8", False),
        ({"TERM": "xterm", "NO_COLOR": "1"}, "utf-8", False),
        ({"TERM": "xterm"}, "ascii", False),
    ],
    ids=["able", "dumb", "unknown", "no colour", "no Unicode"],
)
def test_only_an_able_terminal_is_drawn_on(
    monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str], encoding: str, live: bool
) -> None:
    class Terminal(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    for name in ("TERM", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", Terminal(io.BytesIO(), encoding=encoding))
    assert terminal.is_live() is live


class Clock:
    """A clock that stands still between looks, and a display whose picture takes some time."""

    def __init__(self, cost: float) -> None:
        self.now, self.cost, self.shown = 0.0, cost, 0

    def monotonic(self) -> float:
        return self.now

    def progress(self, progress: Progress, left: float) -> None:
        self.shown, self.now = self.shown + 1, self.now + self.cost


@pytest.mark.parametrize("cost", [0.001, 0.05])
def test_less_than_a_fiftieth_of_the_time_goes_into_progress(monkeypatch: pytest.MonkeyPatch, cost: float) -> None:
    clock = Clock(cost)
    monkeypatch.setattr(terminal, "clock", clock)
    face = Live(Console(file=io.StringIO()))
    monkeypatch.setattr(face, "progress", clock.progress)
    monkeypatch.setattr(terminal, "_face", lambda machine: face)
    display = Display()
    for step in range(3000):
        clock.now += 0.01
        display.progress(where(step * 0.01))
    assert clock.shown > 3
    assert clock.shown * cost < 0.02 * clock.now


def test_time_left_counts_from_where_a_run_goes_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock(0.0)
    monkeypatch.setattr(terminal, "clock", clock)
    display = Display()
    display.progress(where(60.0))
    clock.now = 10.0  # 30 s of the simulation in 10 s, and 30 s to go
    display.progress(where(90.0))
    assert capsys.readouterr().out == f"{progress_line(where(90.0), 10.0)}\n"


def test_time_left_counts_anew_on_another_mesh_even_from_a_later_first_step(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Clock(0.0)
    monkeypatch.setattr(terminal, "clock", clock)
    display = Display()
    display.progress(where(0.1))
    clock.now = 100.0
    display.progress(where(60.0))
    clock.now = 200.0  # the other mesh
    display.progress(where(0.2))
    capsys.readouterr()
    clock.now = 210.0
    display.progress(where(60.2))  # 60 s of the simulation in 10 s, and 59.8 s to go
    assert capsys.readouterr().out == f"{progress_line(where(60.2), 10.0 * 59.8 / 60.0)}\n"


def test_a_log_holds_lines_without_what_steers_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    display = Display()
    display.say("region \x1b[31m")
    display.attach(tmp_path)
    display.say("later")
    assert (tmp_path / "log.txt").read_text(encoding="utf-8") == "region \\x1b[31m\nlater\n"
    assert capsys.readouterr().out == "region \\x1b[31m\nlater\n"


def test_events_are_json_without_numbers_that_json_lacks(ended: Run, capsys: pytest.CaptureFixture[str]) -> None:
    face = terminal.Machine()
    face.line("note: \x1b")
    face.line("warning: hot")
    face.progress(where(end=math.inf), math.inf)
    face.verdict(ended)
    note, warning, progress, verdict = map(json.loads, capsys.readouterr().out.splitlines())
    assert note == {"event": "note", "text": "\x1b", "line": "note: \x1b"}
    assert warning == {"event": "warning", "text": "hot", "line": "warning: hot"}
    assert (progress["end_s"], progress["left_s"], progress["coldest_degC"]) == (None, None, pytest.approx(-100.0))
    assert (verdict["event"], verdict["verdict"], verdict["exit_code"]) == ("verdict", "met", 0)
    assert Path(verdict["summary"]).is_file()


@pytest.mark.parametrize(
    ("words", "asked"),
    [(["run", "a.toml", "--json"], True), (["run", "--", "--json"], False), (["run"], False)],
    ids=["asked", "a name", "not asked"],
)
def test_whether_json_is_asked_for_is_known_before_the_options_are_read(
    monkeypatch: pytest.MonkeyPatch, words: list[str], asked: bool
) -> None:
    monkeypatch.setattr(sys, "argv", ["nanowarm", *words])
    assert events.is_asked() is asked


def said(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "nanowarm.cli", *words]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=120, check=False, env=os.environ | environment
    )


@pytest.mark.parametrize("words", [("check", "none.toml", "--json"), ("run", "--json", "--nope"), ("resume", ".", "--json")])
def test_a_fault_is_an_event_where_json_is_asked_for(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = said(tmp_path, *words)
    last = json.loads(done.stdout.splitlines()[-1])
    assert (last["event"], last["exit_code"], done.returncode, done.stderr) == ("error", 2, 2, "")
    assert len(last["faults"]) == 1


def test_a_run_as_events_ends_with_its_verdict(tmp_path: Path) -> None:
    assert said(tmp_path, "new", "mine").returncode == 0
    done = said(tmp_path, "run", "mine/mine.toml", "--json", "--set", "mesh.size=3 mm", "--set", "mesh.parameters.volume=0.5 mL")
    told = [json.loads(line) for line in done.stdout.splitlines()]
    kinds = [event["event"] for event in told]
    assert (kinds[0], kinds[-1], done.stderr) == ("start", "verdict", "")
    assert kinds.count("folder") == 1
    written = json.loads((tmp_path / told[-1]["summary"]).read_text(encoding="utf-8"))
    assert (told[-1]["verdict"], told[-1]["exit_code"]) == (written["verdict"], done.returncode)


def completed(folder: Path, words: str) -> list[str]:
    count = str(len(words.split()) - (not words.endswith(" ")))
    environment = {"_NANOWARM_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": count}
    command = [str(Path(sys.executable).parent / "nanowarm")]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=os.environ | environment)
    return done.stdout.split()


def test_a_shell_completes_cases_runs_and_names(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "mine.toml").touch()
    (tmp_path / "runs" / "mine-1").mkdir(parents=True)
    (tmp_path / "runs" / "mine-1" / "case.toml").touch()
    (tmp_path / "runs" / "mine-1" / "log.txt").touch()
    assert completed(tmp_path, "nanowarm run m") == ["mine/mine.toml"]
    assert completed(tmp_path, "nanowarm run r") == []
    assert completed(tmp_path, "nanowarm report r") == ["runs/mine-1"]
    assert "VS55" in completed(tmp_path, "nanowarm library VS")
    assert "vial-1mL" in completed(tmp_path, "nanowarm new x --from vial-1")


def test_completing_imports_nothing_heavy() -> None:
    program = (
        "import sys; from nanowarm import completion\n"
        "completion.case_files(''), completion.run_folders(''), completion.library_names(''), completion.shipped_cases('')\n"
        "print(*(name for name in ('numpy', 'pydantic', 'pint', 'dolfinx', 'rich') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
