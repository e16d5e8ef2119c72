"""Runs are started, watched, stopped and gone on with from the page's server."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nanowarm.gui.runs import progress_of


def test_a_line_of_progress_is_read_and_other_lines_are_not() -> None:
    line = "rewarm: 12.3 s, step 0.5 s, coldest -100.2 degC, hottest -90.0 degC, 12 s left"
    wanted = {"stage": "rewarm", "time": 12.3, "step": 0.5, "coldest": -100.2, "hottest": -90.0, "left": 12.0}
    assert progress_of(line) == wanted
    assert progress_of(line.removesuffix(", 12 s left")) == {key: wanted[key] for key in wanted if key != "left"}
    assert progress_of("note: coldest -100 degC") is None


def test_the_regular_lines_of_a_run_are_those_that_are_read() -> None:
    from types import SimpleNamespace

    from nanowarm.run_lines import progress_line

    progress: Any = SimpleNamespace(stage="a: b", time=1234.5, size=1e-3, coldest=123.15, mean=200.0, hottest=300.0, end=2000.0)
    read = progress_of(progress_line(progress, 12.0))
    assert read is not None
    assert (read["stage"], read["time"], read["coldest"]) == ("a: b", 1234.0, -150.0)


def test_a_run_ends_with_its_verdict_and_its_report_can_use_nothing_of_the_page(server: Any) -> None:
    job = server.ask("/api/jobs", {"kind": "run", "target": "vial/vial.toml", "ranks": 1}).content
    *lines, end = server.events(job["number"])
    assert [line["text"] for line in lines][-1] == "verdict: met"
    assert (end["code"], end["goes_on"]) == (0, False)
    result = server.ask(f"/api/result?run={end['folder']}").content
    assert (
        result["verdict"] == json.loads((server.folder / end["folder"] / "summary.json").read_text(encoding="utf-8"))["verdict"]
    )
    assert {one["outcome"] for one in result["criteria"]} == {"met"}
    curve = result["curves"]["regions"]["cpa"]
    assert len(curve["min"]) == len(result["curves"]["time"])
    assert all(low <= mean <= high for low, mean, high in zip(curve["min"], curve["mean"], curve["max"], strict=True))
    assert {run["path"]: run["verdict"] for run in server.ask("/api/folder").content["runs"]}[end["folder"]] == "met"
    report = server.ask(f"/runs/{end['folder']}/report.html")
    assert report.status == 200
    policy = report.headers["content-security-policy"]
    assert policy.startswith("sandbox ")
    assert "allow-same-origin" not in policy
    assert "connect-src" not in policy.replace("default-src 'none'", "")  # so nothing may be fetched
    assert server.ask(f"/runs/{end['folder']}/summary.json").status == 404


def test_a_report_that_is_a_link_out_of_the_folder_is_not_served(server: Any, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret", encoding="utf-8")
    run = server.folder / "runs" / "linked"
    run.mkdir(parents=True)
    (run / "case.toml").touch()
    (run / "log.txt").touch()
    (run / "report.html").symlink_to(tmp_path / "secret")
    assert server.ask("/runs/runs/linked/report.html").status == 403


@pytest.mark.slow
def test_the_check_with_the_mesh_says_what_the_command_says(server: Any) -> None:
    job = server.ask("/api/jobs", {"kind": "check", "target": "vial/vial.toml"}).content
    *lines, end = server.events(job["number"])
    assert end["code"] == 0
    assert lines[-1]["text"] == "vial/vial.toml: can be run"


def _slow(server: Any) -> str:
    """A case that takes minutes, in tiny steps, and saves twice a second."""
    made = server.ask("/api/new", {"name": f"slow-{time.monotonic_ns()}", "source": "vial-1mL"}).content["path"]
    file = server.folder / made
    text = file.read_text(encoding="utf-8").replace('"0.8 mm"', '"3 mm"')
    file.write_text(text + '\n[solver]\nstep = "0.2 ms"\n[checkpoint]\nevery = "0.5 s"\n', encoding="utf-8")
    return str(made)


def heard(events: Iterator[dict[str, Any]], start: str) -> str:
    """The first line still to come that starts so."""
    for event in events:
        text = str(event.get("text", ""))
        if text.startswith(start):
            return text
    pytest.fail(f"nothing that starts with {start!r} was said")


@pytest.mark.slow
def test_a_run_that_is_stopped_can_be_gone_on_with(server: Any) -> None:
    job = server.ask("/api/jobs", {"kind": "run", "target": _slow(server)}).content
    events = server.events(job["number"])
    heard(events, "run folder ")
    time.sleep(1.5)
    assert server.ask("/api/stop", {"job": job["number"]}).content["stopping"]
    *_, end = events
    assert end["code"] == 3
    folder = server.folder / end["folder"]
    assert any((folder / "checkpoint").iterdir())
    assert server.ask(f"/api/result?run={end['folder']}").content["verdict"] == ""
    again = server.ask("/api/jobs", {"kind": "resume", "target": end["folder"]}).content
    said = server.events(again["number"])
    heard(said, "going on from checkpoint")
    assert server.ask("/api/jobs", {"kind": "resume", "target": end["folder"]}).status == 409
    server.ask("/api/stop", {"job": again["number"]})
    assert [event["code"] for event in said if "code" in event] == [3]


@pytest.mark.slow
def test_the_end_of_the_server_stops_its_runs_with_a_checkpoint(server_class: Any, tmp_path: Path) -> None:
    own = server_class(tmp_path)
    job = own.ask("/api/jobs", {"kind": "run", "target": _slow(own)}).content
    events = own.events(job["number"])
    said_folder = heard(events, "run folder ")
    time.sleep(1)
    events.close()
    code, said = own.end()
    run = tmp_path / said_folder.removeprefix("run folder ")
    assert code == 0
    assert f"stopped; to go on: nanowarm resume {run}" in said
    assert any((run / "checkpoint").iterdir())


@pytest.mark.parametrize(
    "asked",
    [
        {"kind": "run", "target": "vial/vial.geo"},
        {"kind": "run", "target": "--help"},
        {"kind": "resume", "target": "vial"},
        {"kind": "study", "target": "vial/vial.toml"},
        {"kind": "run", "target": "vial/vial.toml", "ranks": 0},
        {"kind": "run", "target": "vial/vial.toml", "ranks": 100000},
        {"kind": "run", "target": "study.toml"},
    ],
    ids=["not-a-case", "option", "no-run", "other-command", "no-ranks", "too-many-ranks", "study"],
)
def test_nothing_else_is_started(server: Any, asked: dict[str, Any]) -> None:
    (server.folder / "study.toml").write_text('schema = 1\ncase = "vial/vial.toml"\n[grid]\n', encoding="utf-8")
    before = len(server.ask("/api/folder").content["jobs"])
    assert server.ask("/api/jobs", asked).status in (403, 404, 422)
    assert len(server.ask("/api/folder").content["jobs"]) == before


def test_a_port_that_is_taken_and_a_folder_that_is_not_there_are_told_in_one_line(server: Any, program: list[str]) -> None:
    for arguments, fault in (
        (["--port", str(server.port)], f"--port {server.port}: can't be listened at: "),
        (["nowhere"], "nowhere: no such folder"),
    ):
        done = subprocess.run([*program, *arguments], cwd=server.folder, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1
        assert done.stderr.startswith(fault)
