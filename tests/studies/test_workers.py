"""How much memory there is, and how many workers a study hires with it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nanowarm.studies import crew as crews
from nanowarm.studies import workers
from nanowarm.studies.crew import Crew
from nanowarm.studies.workers import FIRST_GUESS, free_memory

MEGABYTE = 2**20


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A machine of which only files are known: available memory [MB], and what a control group allows."""
    monkeypatch.setattr(workers, "MEMORY_INFORMATION", tmp_path / "meminfo")
    monkeypatch.setattr(workers, "GROUPS", tmp_path)

    def describe(available: int | None, **group: str) -> None:
        if available is not None:
            (tmp_path / "meminfo").write_text(f"MemTotal: 64000000 kB\nMemAvailable: {available * 1024} kB\nBuffers: 1 kB\n")
        for name, content in group.items():
            (tmp_path / f"memory.{name}").write_text(content)

    return describe


def test_without_a_limit_all_that_the_machine_has_available_is_free(machine: Any) -> None:
    machine(3000)
    assert free_memory() == 3000.0
    machine(3000, max="max\n", current="5\n", stat="file 0\n")
    assert free_memory() == 3000.0


def test_a_control_group_frees_what_it_has_not_used_and_its_cached_files(machine: Any) -> None:
    machine(
        3000, max=f"{2000 * MEGABYTE}\n", current=f"{1500 * MEGABYTE}\n", stat=f"anon {1200 * MEGABYTE}\nfile {300 * MEGABYTE}\n"
    )
    assert free_memory() == 2000 - 1500 + 300
    machine(700)
    assert free_memory() == 700.0


def test_a_machine_that_says_nothing_of_its_memory_is_not_limited(machine: Any) -> None:
    machine(None)
    assert free_memory() == float("inf")


class Idle:
    """A worker that lives and does nothing."""

    def __init__(self, ranks: int, log: Path, lock: object) -> None:
        self.ranks = ranks

    def alive(self) -> bool:
        return True


@pytest.fixture
def crew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A crew of runs on two ranks, whose workers only stand there; it stops when it is made to wait."""
    monkeypatch.setattr(crews, "Worker", Idle)
    plan = SimpleNamespace(input=SimpleNamespace(run=SimpleNamespace(ranks=2)))
    folder: Any = SimpleNamespace(path=tmp_path, plan=plan)
    nobody: Any = None
    made = Crew(folder, nobody, nobody)
    monkeypatch.setattr(made._stopped, "wait", lambda seconds: made._stopped.set())
    return made


def test_the_first_worker_is_hired_whatever_the_memory(crew: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crews, "free_memory", lambda: 0.0)
    assert crew._hired().ranks == 2
    assert crew._hired() is None  # the second has to wait


@pytest.mark.parametrize(("free", "hired"), [(4 * FIRST_GUESS - 1.0, False), (4 * FIRST_GUESS, True)])
def test_the_need_of_workers_that_nobody_has_measured_is_guessed_for_each_rank(
    crew: Any, monkeypatch: pytest.MonkeyPatch, free: float, hired: bool
) -> None:
    monkeypatch.setattr(crews, "free_memory", lambda: free)
    crew._hired()  # two ranks whose need does not show yet, and two more
    assert (crew._hired() is not None) == hired


@pytest.mark.parametrize(("free", "hired"), [(999.0, False), (1000.0, True)])
def test_a_measured_need_counts_once_it_is_known_and_what_runs_already_shows(
    crew: Any, monkeypatch: pytest.MonkeyPatch, free: float, hired: bool
) -> None:
    monkeypatch.setattr(crews, "free_memory", lambda: free)
    crew._hired()
    crew._largest, crew._unmeasured = 1000.0, 0
    assert (crew._hired() is not None) == hired


def test_a_worker_that_has_ended_is_replaced_whatever_the_memory(crew: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crews, "free_memory", lambda: 0.0)
    first = crew._hired()
    monkeypatch.setattr(first, "alive", lambda: False)
    assert crew._hired() not in (None, first)
