"""The control section of a stage: cycles, samples, limits, sensors and faults."""

from __future__ import annotations

import math
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from nanowarm.model import faults, frozen_copy
from nanowarm.physics.control import AnyControl, Pid, sensor
from nanowarm.physics.fields import BREZOVICH_LIMIT, HERGT_LIMIT

ANY: TypeAdapter[Any] = TypeAdapter(AnyControl)
STRONGEST, FREQUENCY = 20e3, 100e3  # [A/m], [Hz] of the stage's field


def control(kind: str, **keys: Any) -> Any:
    watched = {} if kind == "cycle" else {"sensor": "tumour.hottest", "set_point": "43 degC"}
    return ANY.validate_python(frozen_copy({"kind": kind} | watched | keys))


def test_a_cycle_switches_at_its_times_exactly() -> None:
    given = control("cycle", on="30 s", off="10 s")
    assert given.watched() is None
    assert given.knots(100.0, 220.0) == (130.0, 140.0, 170.0, 180.0, 210.0)
    machine = given.controller(100.0, STRONGEST, FREQUENCY)
    answers = [machine.answer(time, math.nan) for time in (100.0, *given.knots(100.0, 220.0))]
    assert answers == [STRONGEST, 0.0, STRONGEST, 0.0, STRONGEST, 0.0]


def test_a_cycle_of_times_that_binary_numbers_miss_keeps_its_order() -> None:
    given = control("cycle", on="0.1 s", off="0.2 s")
    machine = given.controller(0.7, STRONGEST, FREQUENCY)
    times = (0.7, *given.knots(0.7, 0.7 + 299.95))
    assert len(times) == 2000  # two in each of the 1000 periods that began
    assert [machine.answer(time, math.nan) > 0.0 for time in times] == [True, False] * 1000


def test_a_cycle_with_a_limited_rate_climbs_in_samples() -> None:
    given = control("cycle", on="10 s", off="10 s", rate="4 kA/m/s", every="2 s")
    machine = given.controller(0.0, STRONGEST, FREQUENCY)
    answers = [machine.answer(time, math.nan) for time in (0.0, *given.knots(0.0, 14.0))]
    assert answers == pytest.approx([8e3, 16e3, 20e3, 20e3, 20e3, 12e3, 4e3])


def test_samples_are_counted_from_the_start_of_the_stage() -> None:
    assert control("pid", every="2.5 s").knots(7.0, 15.0) == (9.5, 12.0, 14.5)


@pytest.mark.parametrize(
    ("limit", "most"),
    [("Atkinson-Brezovich", BREZOVICH_LIMIT / 100e3), ("Hergt-Dutz", STRONGEST), ("1e9 A/m/s", 1e9 / 100e3)],
)
def test_the_amplitude_keeps_the_field_limit_and_says_where_it_binds(limit: str, most: float) -> None:
    assert HERGT_LIMIT / FREQUENCY > STRONGEST
    machine = control("cycle", on="10 s", off="10 s", field_limit=limit).controller(0.0, STRONGEST, FREQUENCY)
    assert machine.answer(0.0, math.nan) == pytest.approx(most)
    assert [f"{most:.6g} A/m at 100000 Hz" in note for note in machine.notes] == [True] * (most < STRONGEST)


def test_a_field_limit_below_the_least_amplitude_is_refused() -> None:
    given = control("pid", least="8 kA/m", field_limit="Atkinson-Brezovich")
    with pytest.raises(ValueError, match=r"allow 4850 A/m, and `least` is 8000 A/m"):
        given.controller(0.0, STRONGEST, FREQUENCY)
    with pytest.raises(ValueError, match="allow 0 A/m"):
        control("pid").controller(0.0, 0.0, FREQUENCY)


@pytest.mark.parametrize(
    ("text", "what", "name"),
    [
        ("tumour.hottest", "hottest", "tumour"),
        (" left lobe.mean ", "mean", "left lobe"),
        ("coldest", "coldest", ""),
        ("probe.centre", "probe", "centre"),
    ],
)
def test_a_sensor_is_read(text: str, what: str, name: str) -> None:
    assert (sensor(text).what, sensor(text).name) == (what, name)


@pytest.mark.parametrize("text", ["", "tumour", "tumour.warmest", "probe.", "probe", ".hottest", "tumour.", 5])
def test_a_sensor_of_nothing_is_refused(text: Any) -> None:
    with pytest.raises(ValueError, match=r"nothing to measure|must be text"):
        sensor(text)


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ({"kind": "pid", "gain": "1 1/K"}, "give `gain` and `integral_time` (and perhaps `derivative_time`), or none"),
        ({"kind": "pid", "derivative_time": "1 s"}, "give `gain` and `integral_time`"),
        ({"kind": "pid", "most": "1 kA/m", "least": "2 kA/m"}, "`most` is 1000 A/m, below `least`, 2000 A/m"),
        ({"kind": "pid", "rate": "5 kA/m"}, "rate: 'kA/m' is not a unit of this quantity"),
        ({"kind": "pid", "field_limit": "Brezovich"}, 'also allowed: "Atkinson-Brezovich" or "Hergt-Dutz"'),
        ({"kind": "thermostat", "band": "0 K"}, "band: '0 K' is out of range: it must be above 0 K"),
        ({"kind": "thermostat", "every": "2"}, "every: write the unit"),
        ({"kind": "thermostat", "gain": "1 1/K"}, "gain: unknown key"),
        ({"kind": "bang-bang"}, 'kind: no kind "bang-bang"'),
    ],
)
def test_a_control_that_makes_no_sense_is_refused_in_one_line(keys: dict[str, str], line: str) -> None:
    raw = {"sensor": "tumour.hottest", "set_point": "43 degC"} | keys
    with pytest.raises(ValidationError) as error:
        ANY.validate_python(raw)
    told = faults(error.value, Pid, "case.toml", raw)
    assert len(told) == 1
    assert line in told[0]


@pytest.mark.parametrize(
    "given",
    [
        control("pid", every="5 s", gain="0.5 1/K", integral_time="1 min", field_limit="Hergt-Dutz", rate="1 kA/m/s"),
        control("thermostat", band="0.5 K", shortest_on="3 s", most="10 mT", field_limit="1e9 A/m/s"),
        control("cycle", on="1 min", off="30 s"),
    ],
    ids=["pid", "thermostat", "cycle"],
)
def test_a_control_reads_back_what_it_writes(given: Any) -> None:
    assert ANY.validate_python({key: v for key, v in given.model_dump(mode="json").items() if v is not None}) == given
