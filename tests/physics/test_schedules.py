"""Values over time."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from nanowarm.model import frozen_copy
from nanowarm.physics.boundaries import CoefficientSchedule, TemperatureSchedule

TEMPERATURE: TypeAdapter[Any] = TypeAdapter(TemperatureSchedule)
COEFFICIENT: TypeAdapter[Any] = TypeAdapter(CoefficientSchedule)
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


# A freezer that starts at 280 K, cools at 6 K/min to 250 K in 5 min, holds for 10 min and cools at 60 K/min to 200 K in 50 s.
RAMP = {"rate": "-6 degC/min", "to": "250 K"}
FREEZER = {
    "from": "280 K",
    "program": (RAMP, {"hold": "10 min"}, {"rate": "-1 K/s", "to": "200 K"}),
}


@pytest.mark.parametrize(
    ("time", "value"), [(0, 280), (60, 274), (150, 265), (300, 250), (500, 250), (900, 250), (925, 225), (950, 200), (1e6, 200)]
)
def test_a_program_follows_its_ramps_and_holds_and_stays_at_the_end(time: float, value: float) -> None:
    assert schedule(FREEZER).value(time, 5.0) == pytest.approx(value)


@pytest.mark.parametrize(("time", "slope"), [(0, -0.1), (299, -0.1), (301, 0), (899, 0), (901, -1), (951, 0)])
def test_a_program_changes_at_the_rates_that_it_states(time: float, slope: float) -> None:
    assert schedule(FREEZER).slope(time, 0.0) == pytest.approx(slope)


def test_a_program_may_warm_again() -> None:
    assert schedule({"from": "200 K", "program": (RAMP | {"rate": "+30 degC/min"},)}).value(60.0, 0.0) == pytest.approx(230.0)


def test_a_program_since_the_stage_moves_with_it() -> None:
    assert schedule(FREEZER).knots(100.0) == pytest.approx((0.0, 300.0, 900.0, 950.0))
    assert schedule(FREEZER | {"since": "stage"}).knots(100.0) == pytest.approx((100.0, 400.0, 1000.0, 1050.0))


@pytest.mark.parametrize("more", [{}, {"since": "stage"}])
def test_a_program_reads_back_what_it_writes_under_the_same_keys(more: dict[str, str]) -> None:
    written = TEMPERATURE.dump_python(schedule(FREEZER | more), mode="json")
    assert set(written) == {"from", "program", "since"}
    assert [set(segment) for segment in written["program"]] == [{"rate", "to"}, {"hold"}, {"rate", "to"}]
    assert schedule(frozen_copy(written)) == schedule(FREEZER | more)


@given(
    start=st.floats(100.0, 300.0),
    legs=st.lists(st.tuples(st.floats(1e-3, 10.0), st.floats(100.0, 300.0), st.floats(1.0, 1e5)), min_size=1, max_size=5),
)
def test_a_program_passes_every_temperature_that_it_names(start: float, legs: list[tuple[float, float, float]]) -> None:
    here, time, program, knots = start, 0.0, [], [(0.0, start)]
    for rate, to, hold in legs:
        assume(abs(to - here) > 1e-3)
        signed = rate if to > here else -rate
        program += [{"rate": f"{signed!r} K/s", "to": f"{to!r} K"}, {"hold": f"{hold!r} s"}]
        knots += [(time + abs(to - here) / rate, to), (time + abs(to - here) / rate + hold, to)]
        here, time = to, knots[-1][0]
    made = schedule({"from": f"{start!r} K", "program": tuple(program)})
    assert [made.value(at, 0.0) for at, _ in knots] == pytest.approx([value for _, value in knots])


def test_the_schema_of_a_temperature_describes_a_program_and_that_of_a_coefficient_does_not() -> None:
    branches = TEMPERATURE.json_schema()["anyOf"]
    (program,) = [branch for branch in branches if "program" in branch.get("properties", {})]
    assert program["required"] == ["from", "program"]
    keys = [set(segment["properties"]) for segment in program["properties"]["program"]["items"]["anyOf"]]
    assert keys == [{"rate", "to"}, {"hold"}]
    assert "program" not in str(COEFFICIENT.json_schema())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            (RAMP | {"rate": "6 degC/min"},),
            "segment 1 of the program: 6 degC/min does not lead from 6.85 to -23.15 degC: give the",
        ),
        ((RAMP, RAMP | {"to": "260 K"}), "segment 2 of the program: -6 degC/min does not lead from -23.15 to -13.15 degC"),
        ((RAMP | {"rate": "0 degC/min"},), "segment 1 of the program: a rate of 0 degC/min never leads from 6.85 to -23.15 degC"),
        ((RAMP, RAMP), "segment 2 of the program: a ramp from -23.15 to -23.15 degC leads nowhere"),
        ((RAMP | {"rate": "-1e-20 degC/min"},), "segment 1 of the program: .* out of range: it must be at most 1e"),
        ((RAMP | {"hold": "1 min"},), "must be either a ramp or a hold"),
        (({},), "must be either a ramp or a hold"),
        (("-40 degC",), "must be either a ramp or a hold"),
        (({"rate": "-6 degC/min"},), "program.0.one ramp.to\n.*Field required"),
        (({"to": "250 K"},), "program.0.one ramp.rate\n.*Field required"),
        ((RAMP | {"for": "1 min"},), "program.0.one ramp.for\n.*not permitted"),
        (({"hold": "1 h", "for": "1 min"},), "program.0.one hold.for\n.*not permitted"),
        (({"hold": "0 s"},), "must be above 0 s"),
        (({"hold": 600},), 'write the unit: 600 could be anything, e.g. "600 s"'),
        ((RAMP | {"rate": "-6 degC"},), "is not a unit of this quantity"),
        ((), "its program is empty; a ramp is"),
        ("fast", "should be a valid tuple"),
    ],
)
def test_a_program_that_leads_nowhere_is_refused(given: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        schedule(FREEZER | {"program": given})


def test_a_program_says_where_it_starts() -> None:
    with pytest.raises(ValidationError, match=r"from\n.*Field required"):
        schedule({"program": (RAMP,)})
    with pytest.raises(ValidationError, match=r"program\n.*Field required"):
        schedule({"from": "280 K"})


def test_a_program_is_no_table() -> None:
    with pytest.raises(ValidationError, match="either a table, with at and values, or a program"):
        schedule(FREEZER | TABLE)


def test_only_temperatures_have_programs() -> None:
    with pytest.raises(ValidationError, match="ramps and holds are for temperatures"):
        COEFFICIENT.validate_python(FREEZER)
