"""Fields as a case gives them: drives, scaling, libraries, and what is refused."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from nanowarm.model import frozen_copy
from nanowarm.physics.coils import coil_file, coil_files
from nanowarm.physics.fields import AnyField, NoField, never_on
from nanowarm.quantity import VACUUM_PERMEABILITY

FIELD: TypeAdapter[Any] = TypeAdapter(AnyField)
POINTS = np.array([[0.0, 0.0, 0.0], [0.004, -0.003, 0.008], [0.0, 0.012, -0.02]])
SOLENOID = {"kind": "solenoid", "radius": "30 mm", "length": "80 mm", "turns": 8, "frequency": "180 kHz"}
PAIR = {"kind": "helmholtz", "radius": "50 mm", "turns": 10, "frequency": "180 kHz"}
COIL = {"kind": "coil", "name": "coil-15kW"}


def field(given: Any, /, folder: Path | None = None, **more: Any) -> Any:
    return FIELD.validate_python(frozen_copy(given | more), context={"folder": folder} if folder else None)


def test_a_uniform_field_is_the_same_everywhere() -> None:
    found = field(
        {"kind": "uniform", "amplitude": "20 kA/m", "frequency": "180 kHz", "axis": [3, 0, 4], "centre": ["1 mm", "0 mm", "0 mm"]}
    )
    assert found.uniform
    assert found.shape(POINTS) == pytest.approx(1.0)
    assert found.vector(POINTS) == pytest.approx(np.tile([0.6, 0.0, 0.8], (3, 1)))
    assert found.drive() == found.amplitude
    assert found.largest() == found.per_drive() * 20e3
    assert found.vector_potential(np.array([[1e-3, 0.0, 0.0]])) == pytest.approx(0.0, abs=1e-20)
    expected = VACUUM_PERMEABILITY / 2.0 * np.cross([0.6, 0.0, 0.8], POINTS - [1e-3, 0.0, 0.0])
    assert found.vector_potential(POINTS) == pytest.approx(expected)


def test_no_field_is_none() -> None:
    off = NoField()
    assert off.largest() == 0.0
    assert not off.shape(POINTS).any()
    assert not off.vector_potential(POINTS).any()
    assert off.schedules() == ()


def test_a_current_times_the_turns_makes_the_field() -> None:
    found = field(SOLENOID, current="300 A")
    middle = 8 * 300.0 / math.hypot(80e-3, 60e-3)  # n I L / sqrt(L^2 + D^2)
    assert found.largest() * found.shape(POINTS[:1])[0] == pytest.approx(middle, rel=1e-12)
    assert found.largest() * found.per_drive() == pytest.approx(middle, rel=1e-12)
    assert found.driven_by() == "current"


@pytest.mark.parametrize("at", [None, ("5 mm", "-3 mm", "12 mm"), ("0 mm", "0 mm", "100 mm")])
def test_an_amplitude_is_met_exactly_at_its_point(at: Any) -> None:
    found = field(SOLENOID, amplitude="20 kA/m", **({"at": at} if at else {}))
    point = [float(text.split()[0]) * 1e-3 for text in at] if at else [0.0, 0.0, 0.0]
    assert found.largest() * found.shape(np.array([point]))[0] == pytest.approx(20e3, rel=1e-14)
    assert found.per_drive() == 1.0


def test_amplitude_and_current_give_the_same_pattern() -> None:
    by_current, by_amplitude = field(PAIR, current="10 A"), field(PAIR, amplitude="20 kA/m")
    scale = by_current.per_drive()
    assert by_current.vector(POINTS) == pytest.approx(scale * by_amplitude.vector(POINTS), rel=1e-12)
    assert by_current.vector_potential(POINTS) == pytest.approx(scale * by_amplitude.vector_potential(POINTS), rel=1e-12)


def test_the_turns_do_not_matter_to_an_amplitude() -> None:
    few, many = ({**SOLENOID, "turns": turns, "amplitude": "20 kA/m"} for turns in (1, 20))
    assert field(few).shape(POINTS) == pytest.approx(field(many).shape(POINTS), rel=1e-12)
    field({key: value for key, value in many.items() if key != "turns"})


def test_a_moved_and_turned_coil_has_its_amplitude_in_its_middle() -> None:
    found = field(PAIR, amplitude="20 kA/m", centre=["10 mm", "20 mm", "-30 mm"], axis=[1, 2, 2])
    middle = np.array([[0.01, 0.02, -0.03]])
    assert found.vector(middle)[0] == pytest.approx([1 / 3, 2 / 3, 2 / 3], rel=1e-12)


def test_two_loops_one_radius_apart_are_a_helmholtz_pair() -> None:
    loops = [{"radius": "50 mm", "centre": ["0 mm", "0 mm", z], "turns": 10} for z in ("-25 mm", "25 mm")]
    same = field({"kind": "loops", "loops": loops, "frequency": "180 kHz"}, current="7 A")
    assert same.vector(POINTS) == pytest.approx(field(PAIR, current="7 A").vector(POINTS), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(
    ("base", "off"), [({"amplitude": "20 kA/m"}, {"amplitude": "0 kA/m"}), ({"current": "3 A"}, {"current": "0 A"})]
)
@pytest.mark.parametrize("kind", [SOLENOID, PAIR, COIL])
def test_a_stage_switches_a_coil_off_without_changing_its_pattern(base: Any, off: Any, kind: Any) -> None:
    on, stage = field(kind | base), field(kind | base | off)
    assert stage.largest() == 0.0
    assert stage.pattern() == on.pattern()
    assert stage.shape(POINTS) == pytest.approx(on.shape(POINTS))
    assert never_on([on, stage]) is None


def test_another_frequency_leaves_the_pattern_and_another_radius_does_not() -> None:
    on = field(SOLENOID, current="3 A")
    assert field(SOLENOID, current="3 A", frequency="90 kHz").pattern() == on.pattern()
    assert field(SOLENOID, current="3 A", radius="31 mm").pattern() != on.pattern()
    assert field(SOLENOID, amplitude="3 A/m").pattern() != on.pattern()


def test_a_current_that_is_never_on_is_told() -> None:
    idle = field(SOLENOID, current="0 A")
    assert "0 A in every stage" in str(never_on([idle, idle]))
    assert never_on([field({"kind": "uniform", "amplitude": "0 kA/m", "frequency": "1 kHz"})]) is None


def test_a_drive_may_be_a_table_over_time() -> None:
    found = field(SOLENOID, current={"at": ["0 s", "10 s"], "values": ["0 A", "300 A"]})
    assert found.drive().value(5.0, 0.0) == pytest.approx(150.0)
    assert found.schedules() == (found.drive(),)
    assert found.largest() == 300.0


def test_a_coil_knows_where_its_conductors_are() -> None:
    found = field(PAIR, current="3 A", axis="x", wire_radius="4 mm")
    assert found.distance(np.zeros((1, 3)))[0] == pytest.approx(math.hypot(0.05, 0.025))
    assert found.distance(found.conductors()) == pytest.approx(0.0, abs=1e-12)
    assert np.abs(found.conductors()[:, 0]) == pytest.approx(0.025)
    assert found.wire() == 4e-3
    free = field({"kind": "uniform", "amplitude": "20 kA/m", "frequency": "180 kHz"})
    assert np.isinf(free.distance(POINTS)).all()
    assert free.conductors().shape == (0, 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, "found neither"),
        ({"current": "3 A", "amplitude": "20 kA/m"}, "found both"),
        ({"current": "3 A rms"}, "always peak"),
        ({"current": "3"}, "write the unit"),
        ({"current": "-3 A"}, "out of range"),
        ({"amplitude": "20 kA/m", "turns": 0}, "other than 0"),
        ({"amplitude": "20 kA/m", "radius": "0 mm"}, "out of range"),
        ({"amplitude": "20 kA/m", "length": "0 mm"}, "out of range"),
        ({"amplitude": "20 kA/m", "frequency": "0 Hz"}, "out of range"),
    ],
)
def test_a_coil_that_cannot_be_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        field(SOLENOID | change)


def test_a_current_in_an_unknown_number_of_turns_is_refused() -> None:
    with pytest.raises(ValidationError, match="number of `turns`"):
        field({key: value for key, value in SOLENOID.items() if key != "turns"} | {"current": "3 A"})


def test_an_amplitude_where_the_coil_makes_no_field_is_refused() -> None:
    loops = [{"radius": "50 mm", "centre": ["0 mm", "0 mm", z], "turns": n} for z, n in (("-30 mm", 1), ("30 mm", -1))]
    with pytest.raises(ValidationError, match="no field at"):
        field({"kind": "loops", "loops": loops, "amplitude": "20 kA/m", "frequency": "1 kHz"})
    with pytest.raises(ValidationError, match="at least 1 item"):
        field({"kind": "loops", "loops": [], "amplitude": "20 kA/m", "frequency": "1 kHz"})


@pytest.mark.parametrize("name", coil_files())
def test_a_library_coil_runs_as_usual_where_nothing_else_is_said(name: str) -> None:
    found = field({"kind": "coil", "name": name})
    assert found.largest() == pytest.approx(found.coil.amplitude.value)
    assert found.frequency == pytest.approx(found.coil.frequency.value)
    assert not any("usually" in line for line in found.warnings())
    assert found.files() == (coil_file(name, Path()),)


def test_a_library_coil_takes_amplitude_current_frequency_and_place() -> None:
    found = field(COIL, amplitude="30 kA/m", frequency="190 kHz", centre=["0 mm", "0 mm", "20 mm"], axis="x")
    assert found.frequency == 190e3
    assert found.vector(np.array([[0.0, 0.0, 0.02]]))[0] == pytest.approx([1.0, 0.0, 0.0], abs=1e-12)
    assert field(COIL, current="100 A").largest() == 100.0


def test_a_coil_beyond_its_usual_run_is_told() -> None:
    assert any("63 kA/m" in line for line in field(COIL, amplitude="80 kA/m").warnings())
    assert any("180 kHz" in line for line in field(COIL, frequency="400 kHz").warnings())
    assert any("estimate" in line for line in field(COIL).warnings())


def test_a_coil_file_counts_from_the_case_file(tmp_path: Path) -> None:
    text = coil_file("coil-15kW", Path()).read_text(encoding="utf-8")
    (tmp_path / "mine.toml").write_text(text.replace("turns = 7", "turns = 5"), encoding="utf-8")
    found = field({"kind": "coil", "name": "./mine.toml"}, tmp_path, current="3 A")
    assert found.name == str(tmp_path / "mine.toml")
    assert found.per_drive() == pytest.approx(field(COIL, current="3 A").per_drive() * 5 / 7)
    with pytest.raises(ValidationError, match="no coil"):
        field({"kind": "coil", "name": "other.toml"}, tmp_path)


def test_an_unknown_coil_is_told_once_and_under_its_name() -> None:
    with pytest.raises(ValidationError, match="did you mean coil-15kW") as caught:
        field({"kind": "coil", "name": "coil-15kw"})
    assert [error["loc"] for error in caught.value.errors()] == [("coil", "name")]


@pytest.mark.parametrize("given", [SOLENOID | {"current": "3 A"}, PAIR | {"amplitude": "2 kA/m", "axis": "y"}, COIL])
def test_a_field_is_read_back_from_its_own_text(given: Any) -> None:
    first = field(given)
    first.shape(POINTS)
    again = field(FIELD.dump_python(first, mode="json", exclude_none=True))
    assert again.pattern() == first.pattern()
    assert again.drive() == first.drive()


def test_the_schema_says_what_must_be_given() -> None:
    definitions = FIELD.json_schema()["$defs"]
    assert set(definitions["LibraryCoilField"]["required"]) == {"kind", "name"}
    assert set(definitions["SolenoidField"]["required"]) == {"kind", "frequency", "radius", "length"}
