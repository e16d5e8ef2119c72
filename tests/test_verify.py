"""`nanowarm verify`: what passes, what does not, and what is said of it."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nanowarm.verification.baths import BALL_IN_BATH
from nanowarm.verification.checking import Outcome, Row, chosen
from nanowarm.verification.collection import BY_NAME, PROBLEMS
from nanowarm.verification.problem import Body
from nanowarm.verification.telling import last_line, line, table

ALONE = os.environ | {"OMP_NUM_THREADS": "1"}
WRONG = """
import sys
from dataclasses import replace
from nanowarm.verification import checking, sources
checking.BY_NAME["adiabatic"] = replace(sources.INSULATED_BALL, exact=sources.INSULATED_BALL.exact + 0.01)
checking.PROBLEMS = (checking.BY_NAME["adiabatic"],)
sys.argv = ["nanowarm", "verify", "adiabatic"]
from nanowarm.cli import main
main()
"""


def verify(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "nanowarm.cli", "verify", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False, env=ALONE)


def bath(*errors: float, tetrahedra: tuple[int, ...] = (1000, 8000, 64000)) -> Outcome:
    """The ball in a bath with errors over the change on meshes whose edges are halved."""
    computed = [BALL_IN_BATH.exact + error * BALL_IN_BATH.scale for error in errors]
    return Outcome(BALL_IN_BATH, tuple(map(Row, (5, 10, 20), tetrahedra, computed, (1.0, 1.0, 1.0))))


def test_problems_that_pass_end_with_exit_code_0_and_a_protocol(tmp_path: Path) -> None:
    done = verify(tmp_path, "dose", "adiabatic", "--json", "-o", "kept")
    assert done.returncode == 0, done.stderr
    events = [json.loads(text) for text in done.stdout.splitlines()]
    assert (events[0]["event"], events[0]["command"]) == ("start", "verify")
    assert (events[-1]["event"], events[-1]["passed"], events[-1]["exit_code"]) == ("result", True, 0)
    found = {problem["name"]: problem for problem in events[-1]["problems"]}
    assert set(found) == {"adiabatic", "dose"}
    assert found["dose"]["exact"] == 20.0
    assert found["dose"]["rows"][0]["computed"] == pytest.approx(20.0, rel=1e-6)
    kept = json.loads((tmp_path / "kept" / "verification.json").read_text(encoding="utf-8"))
    assert kept["problems"] == events[-1]["problems"]
    assert {"date", "machine", "versions"} <= set(kept)
    assert (tmp_path / "kept" / "dose-5" / "run" / "summary.json").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_a_problem_whose_number_is_wrong_fails_with_exit_code_1(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", WRONG], cwd=tmp_path, capture_output=True, text=True, check=False, env=ALONE)
    assert done.returncode == 1, done.stderr
    first, last = done.stdout.splitlines()
    assert first.startswith("FAILED: adiabatic: exactly -146.99 degC; computed -147 degC")
    assert last.startswith("0 of 1 problems passed")
    assert last.endswith("; FAILED: adiabatic")
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_problem_is_one_line_with_those_that_there_are(tmp_path: Path) -> None:
    done = verify(tmp_path, "bathe")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith('verify: no problem "bathe"; did you mean bath? known: adiabatic, bath, ')
    assert done.stderr.count("\n") == 1


def test_a_folder_that_is_there_is_never_written_into(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    done = verify(tmp_path, "dose", "-o", "kept")
    assert done.returncode == 2
    assert done.stderr == "kept: exists already and is never overwritten; choose another folder with -o\n"
    assert list((tmp_path / "kept").iterdir()) == []


def test_problems_come_in_their_usual_order_however_they_are_asked_for() -> None:
    assert [problem.name for problem in chosen(["dose", "bath"])] == ["bath", "dose"]
    assert chosen([]) == PROBLEMS
    assert len(BY_NAME) == len(PROBLEMS)


@pytest.mark.parametrize(
    ("errors", "passes"),
    [
        pytest.param((0.004, 0.001, 0.00025), True, id="second order"),
        pytest.param((-0.004, -0.001, -0.00025), True, id="from the other side"),
        pytest.param((0.16, 0.04, 0.01), False, id="second order but twice what is allowed"),
        pytest.param((0.001, 0.0005, 0.00025), False, id="first order"),
        pytest.param((0.0001, 0.001, 0.004), False, id="an error that grows"),
        pytest.param((math.nan, math.nan, math.nan), False, id="no number"),
        pytest.param((0.001, 0.0001, 0.0), True, id="no error at all"),
    ],
)
def test_an_outcome_passes_if_its_error_is_small_and_falls_as_theory_says(errors: tuple[float, ...], passes: bool) -> None:
    assert bath(*errors).passed is passes


def test_the_order_of_halved_edges_is_the_power_of_two_of_their_errors() -> None:
    assert bath(0.004, 0.001, 0.00025).order == pytest.approx(2.0)
    assert bath(0.004, 0.002, 0.001).order == pytest.approx(1.0)
    assert bath(0.004).order is None
    flat = replace(BALL_IN_BATH, body=replace(BALL_IN_BATH.body, dimension=2))
    assert replace(bath(0.004, 0.001, 0.00025, tetrahedra=(1000, 4000, 16000)), problem=flat).order == pytest.approx(2.0)


def test_flat_bodies_are_refined_and_round_ones_meshed_anew() -> None:
    flat = Body("slab", 1.0, "length", lambda cells: {}, nested=True)
    asked = {cells: (flat.mesh(cells)["size"], flat.mesh(cells)["refine"]) for cells in (5, 7, 10, 12, 40)}
    assert asked == {5: ("0.2 m", 0), 7: (f"{1 / 7!r} m", 0), 10: ("0.2 m", 1), 12: (f"{1 / 6!r} m", 1), 40: ("0.2 m", 3)}
    round_ones = {
        cells: (BALL_IN_BATH.body.mesh(cells)["size"], BALL_IN_BATH.body.mesh(cells)["coarsening"]) for cells in (5, 20)
    }
    assert round_ones == {5: ("0.0005 m", 4.0), 20: ("0.0005 m", 1.0)}  # of a radius of 10 mm


def test_a_line_and_the_table_say_what_was_found() -> None:
    good, bad = bath(0.004, 0.001, 0.00025), bath(0.16, 0.04, 0.01)
    assert line(good).startswith("passed: bath: exactly -82.30771 degC")
    assert "0.025 % of the change (0.5 % allowed); order 2.00 (expected: 2, at least 1.7)" in line(good)
    assert line(bad).startswith("FAILED: bath")
    assert last_line([good, bad]) == "1 of 2 problems passed in 6 s; FAILED: bath"
    assert table([good, bad]).row_count == 2


def test_every_problem_says_for_readers_what_it_is_and_what_is_asked_of_it() -> None:
    for problem in PROBLEMS:
        assert problem.title
        assert problem.formula
        assert problem.accuracy.reason
        assert problem.accuracy.within > 0.0
        assert problem.accuracy.least <= problem.accuracy.order
        assert len(problem.cells) > 1 or problem.accuracy.order == 0.0


@pytest.mark.slow
def test_ctrl_c_is_answered_by_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "nanowarm.cli", "verify", "adiabatic", "eddy", "stress"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ALONE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith("passed: adiabatic")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 3
        assert process.stderr.read() == "stopped by a signal after 1 of 3 problems\n"


@pytest.mark.slow
def test_every_problem_passes_on_its_own_meshes(tmp_path: Path) -> None:
    done = verify(tmp_path, "--json")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert [problem["name"] for problem in result["problems"] if not problem["passed"]] == []
    assert done.returncode == 0, done.stderr
    assert [problem["name"] for problem in result["problems"]] == list(BY_NAME)
