"""Which run a worker gets next."""

from __future__ import annotations

import threading

from nanowarm.studies.plan import PlannedRun
from nanowarm.studies.schedule import Schedule


def runs(*meshes: str) -> list[PlannedRun]:
    return [PlannedRun(number, {}, (), f"{number}", mesh) for number, mesh in enumerate(meshes, 1)]


def taken(schedule: Schedule, mesh: str) -> int | None:
    run = schedule.take(mesh)
    return None if run is None else run.number


def waiting_worker(schedule: Schedule) -> tuple[threading.Thread, list[int | None]]:
    """An idle worker that gets nothing yet, and the run that it takes in the end."""
    helped: list[int | None] = []
    thread = threading.Thread(target=lambda: helped.append(taken(schedule, "")))
    thread.start()
    thread.join(0.2)
    assert helped == []
    return thread, helped


def test_a_worker_stays_with_its_mesh_and_another_takes_another_mesh() -> None:
    schedule = Schedule(runs("a", "b", "a", "b"))
    assert [taken(schedule, mesh) for mesh in ("", "", "a", "b", "a")] == [1, 2, 3, 4, None]


def test_an_idle_worker_helps_with_a_mesh_only_once_it_is_made() -> None:
    waiting = runs("a", "a", "a")
    schedule = Schedule(waiting)
    assert taken(schedule, "") == 1
    helper, helped = waiting_worker(schedule)
    schedule.finished(waiting[0])
    helper.join()
    assert helped == [2]


def test_nothing_is_handed_out_after_a_stop() -> None:
    schedule = Schedule(runs("a"))
    schedule.stop()
    assert schedule.take("") is None


def test_where_runs_may_follow_an_idle_worker_waits_for_them() -> None:
    first, second = runs("a", "b")
    schedule = Schedule([first], grows=True)
    assert taken(schedule, "") == 1
    helper, helped = waiting_worker(schedule)
    schedule.finished(first, [second])
    helper.join()
    assert helped == [2]
    schedule.finished(second)
    assert taken(schedule, "") is None
