"""End conditions and stages."""

from __future__ import annotations

import pytest

from nanowarm.physics.boundaries import Convection
from nanowarm.physics.fields import UniformField
from nanowarm.physics.protocol import Stage, end_condition


@pytest.mark.parametrize(
    ("text", "sensor", "name", "rising", "threshold"),
    [
        ("coldest > -20 degC", "coldest", "", True, 253.15),
        ("hottest < 100 K", "hottest", "", False, 100.0),
        ("mean>0degC", "mean", "", True, 273.15),
        ("kidney.mean < -100 degC", "mean", "kidney", False, 173.15),
        ("  kidney.coldest >= -20 degC ", "coldest", "kidney", True, 253.15),
        ("left kidney.hottest > 1e2 K", "hottest", "left kidney", True, 100.0),
        ("probe.centre > -20 degC", "probe", "centre", True, 253.15),
    ],
)
def test_a_condition_is_read(text: str, sensor: str, name: str, rising: bool, threshold: float) -> None:
    found = end_condition(text)
    assert (found.sensor, found.name, found.rising) == (sensor, name, rising)
    assert found.threshold == pytest.approx(threshold)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a condition"),
        ("coldest", "not a condition"),
        ("coldest = -20 degC", "not a condition"),
        (5, "not a condition"),
        ("coldest > -20", "write the unit"),
        ("coldest > -20 kelvins per hour", "not a unit of temperature"),
        ("coldest > -300 degC", "below absolute zero"),
        ("warmest > -20 degC", "nothing to wait for"),
        ("kidney.warmest > -20 degC", "nothing to wait for"),
    ],
)
def test_a_condition_that_says_nothing_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        end_condition(text)


def test_the_excess_is_positive_beyond_the_threshold() -> None:
    assert end_condition("coldest > 250 K").excess(251.0) == pytest.approx(1.0)
    assert end_condition("coldest > 250 K").excess(249.0) == pytest.approx(-1.0)
    assert end_condition("hottest < 250 K").excess(249.0) == pytest.approx(1.0)


def test_the_knots_of_a_stage_are_those_of_all_its_tables_after_its_start() -> None:
    side = Convection.model_validate(
        {
            "kind": "convection",
            "coefficient": {"at": ("0 s", "30 s"), "values": ("1 W/m^2/K", "2 W/m^2/K"), "since": "stage"},
            "ambient": {"at": ("50 s", "110 s", "200 s"), "values": ("1 K", "2 K", "3 K")},
        }
    )
    field = UniformField.model_validate(
        {"kind": "uniform", "frequency": "1 kHz", "amplitude": {"at": ("105 s", "110 s"), "values": ("0 A/m", "1 A/m")}}
    )
    assert Stage("rewarm", 1e3, None, field, {"side": side}).knots(100.0) == (105.0, 110.0, 130.0, 200.0)


def test_a_stage_of_constants_has_no_knots() -> None:
    field = UniformField.model_validate({"kind": "uniform", "frequency": "1 kHz", "amplitude": "1 kA/m"})
    assert Stage("hold", 10.0, None, field, {}).knots(0.0) == ()
