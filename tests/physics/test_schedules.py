"""Values over time."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from nanowarm.physics.boundaries import TemperatureSchedule

TEMPERATURE: TypeAdapter[Any] = TypeAdapter(TemperatureSchedule)
TABLE = {"at": ("10 s", "20 s", "40 s"), "values": ("100 K", "200 K", "150 K")}


def schedule(given: Any) -> Any:
    return TEMPERATURE.validate_python(given)


@pytest.mark.parametrize(("time", "value"), [(0, 100), (10, 100), (15, 150), (20, 200), (30, 175), (40, 150), (99, 150)])
def test_a_table_is_linear_between_its_times_and_constant_outside(time: float, value: float) -> None:
    assert schedule(TABLE).value(time, 5.0) == pytest.approx(value)


def test_a_text_is_a_constant() -> None:
    assert [schedule("-10 degC").value(time, 3.0) for time in (0.0, 1e6)] == [263.15, 263.15]
    assert schedule("-10 degC").knots(0.0) == ()
    assert schedule("-10 degC").slope(3.0, 0.0) == 0.0


def test_a_table_since_the_stage_moves_with_it() -> None:
    moving = schedule(TABLE | {"since": "stage"})
    assert moving.value(115.0, 100.0) == pytest.approx(150.0)
    assert moving.knots(100.0) == (110.0, 120.0, 140.0)
    assert moving.slope(115.0, 100.0) == pytest.approx(10.0)


def test_a_table_since_the_run_stays() -> None:
    assert schedule(TABLE).knots(100.0) == (10.0, 20.0, 40.0)


@pytest.mark.parametrize(("time", "slope"), [(0, 0), (10, 10), (15, 10), (20, -2.5), (39.9, -2.5), (40, 0), (50, 0)])
def test_the_slope_is_that_just_after_a_time(time: float, slope: float) -> None:
    assert schedule(TABLE).slope(time, 0.0) == pytest.approx(slope)


def test_the_largest_value_is_known() -> None:
    assert schedule(TABLE).largest() == 200.0


@pytest.mark.parametrize("given", ["-10 degC", TABLE, TABLE | {"since": "stage"}])
def test_a_schedule_reads_back_what_it_writes(given: Any) -> None:
    written = TEMPERATURE.dump_python(schedule(given), mode="json")
    frozen = {k: tuple(v) if isinstance(v, list) else v for k, v in written.items()} if isinstance(written, dict) else written
    assert schedule(frozen) == schedule(given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (TABLE | {"values": ("1 K",)}, "3 times and `values` 1 values"),
        (TABLE | {"at": ("10 s", "10 s", "20 s")}, "must increase strictly"),
        (TABLE | {"at": ("-1 s", "10 s", "20 s")}, "out of range"),
        ({"at": (), "values": ()}, "at least one"),
        ({"at": ("1 s",)}, "has the keys at, values"),
        (TABLE | {"from": "run"}, "has the keys at, values"),
        (TABLE | {"values": "1 K"}, "must be a list"),
        (TABLE | {"values": ("1", "2", "3")}, "write the unit"),
        (5.0, "write the unit"),
    ],
)
def test_a_table_that_fits_nothing_is_refused(given: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        schedule(given)
