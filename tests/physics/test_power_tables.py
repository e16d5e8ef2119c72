"""Tables of specific power over any of field, frequency and temperature, in TOML or CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from nanowarm.errors import CaseError
from nanowarm.model import frozen_copy
from nanowarm.physics.particles import Particle
from nanowarm.shelf import load_record

SOURCED = {"source": "invented for a test", "quality": "measured", "kind": "table"}
FIELDS = {"fields": ["10 kA/m", "20 kA/m"], "frequencies": ["100 kHz", "300 kHz"], "at": ["-100 degC", "0 degC"]}
CUBE = [[["1 W/gFe", "2 W/gFe"], ["3 W/gFe", "6 W/gFe"]], [["4 W/gFe", "8 W/gFe"], ["12 W/gFe", "24 W/gFe"]]]
LINE = {"fields": ["10 kA/m", "20 kA/m"], "at_frequency": "100 kHz", "values": ["1 W/gFe", "4 W/gFe"]}
HEADER = "field [kA/m], frequency [kHz], temperature [degC], power [W/gFe]\n"


def table(**keys: Any) -> Any:
    given = {key: value for key, value in (SOURCED | keys).items() if value is not None}
    record = {"name": "lot 7", "class": "particle", "specific_power": given}
    return Particle.model_validate(frozen_copy(record)).specific_power


def watts(model: Any, field: float, frequency: float, celsius: float) -> float:
    return float(model.power(field, frequency, celsius + 273.15)) / 1e3


def cube(**more: Any) -> Any:
    return table(**(FIELDS | {"values": CUBE} | more))


def test_the_entries_come_back() -> None:
    for interpolation in ("linear", "log"):
        model = cube(interpolation=interpolation)
        found = [watts(model, h, f, t) for h in (10e3, 20e3) for f in (100e3, 300e3) for t in (-100.0, 0.0)]
        assert found == pytest.approx([1, 2, 3, 6, 4, 8, 12, 24])


def test_between_the_entries_it_is_linear() -> None:
    assert watts(cube(), 15e3, 100e3, -100.0) == pytest.approx(2.5)
    assert watts(cube(), 15e3, 200e3, -50.0) == pytest.approx(np.mean([1, 2, 3, 6, 4, 8, 12, 24]))


def test_or_a_power_law_of_field_and_frequency_and_an_exponential_of_temperature() -> None:
    model = cube(interpolation="log")
    assert watts(model, 10e3 * 2**0.5, 100e3, -100.0) == pytest.approx(2.0)  # H^2 between 1 and 4
    assert watts(model, 10e3, 100e3 * 3**0.5, -100.0) == pytest.approx(3**0.5)  # f^1 between 1 and 3
    assert watts(model, 10e3, 100e3, -50.0) == pytest.approx(2**0.5)


@pytest.mark.parametrize(
    ("point", "told"),
    [
        ((25e3, 200e3, -50.0), "field 25 kA/m is outside the table's 10 to 20 kA/m"),
        ((5e3, 200e3, -50.0), "field 5 kA/m"),
        ((15e3, 400e3, -50.0), "frequency 400 kHz is outside the table's 100 to 300 kHz"),
        ((15e3, 200e3, 20.0), "temperature 20 degC is outside the table's -100 to 0 degC"),
    ],
)
def test_nothing_is_extrapolated_unless_asked(point: tuple[float, float, float], told: str) -> None:
    with pytest.raises(CaseError, match=told):
        watts(cube(), *point)
    asked = cube(extrapolate=True)
    assert watts(asked, *point) > 0.0
    assert told in asked.notes(point[0], point[1], point[2] + 273.15)[0]
    assert cube().notes(15e3, 200e3, 223.15) == ()


def test_asked_it_is_carried_on_by_the_exponents() -> None:
    asked = cube(extrapolate=True, field_exponent=1.5)
    assert watts(asked, 40e3, 600e3, 50.0) == pytest.approx(24.0 * 2.0**1.5 * 2.0)
    assert watts(asked, 5e3, 50e3, -150.0) == pytest.approx(1.0 * 0.5**1.5 * 0.5)


def test_without_a_field_nothing_heats_and_nothing_is_outside() -> None:
    assert watts(cube(), 0.0, 200e3, -50.0) == 0.0
    found = cube().power(np.array([0.0, 15e3]), 200e3, np.array([200.0, 200.0]))
    assert found[0] == 0.0 < found[1]


def test_a_table_over_field_alone_takes_the_frequency_of_its_measurement() -> None:
    assert watts(table(**LINE), 15e3, 200e3, 20.0) == pytest.approx(2.5 * 2.0)
    assert not table(**LINE).separable


def test_one_frequency_in_a_table_is_the_only_one() -> None:
    only = table(fields=LINE["fields"], frequencies=["100 kHz"], values=[["1 W/gFe"], ["4 W/gFe"]])
    assert watts(only, 20e3, 100e3, 0.0) == pytest.approx(4.0)
    with pytest.raises(CaseError, match="frequency 101 kHz is outside the table's 100 to 100 kHz"):
        watts(only, 20e3, 101e3, 0.0)


def test_it_says_where_it_may_be_asked() -> None:
    assert cube().domain().fields == pytest.approx((10e3, 20e3))
    assert cube().domain().temperatures == pytest.approx((173.15, 273.15))
    assert cube(extrapolate=True).domain().temperatures == (0.0, np.inf)


def test_over_temperature_alone_it_is_constant_outside_unless_that_is_refused() -> None:
    line = {"at": FIELDS["at"], "values": ["1 W/gFe", "3 W/gFe"], "at_field": "20 kA/m", "at_frequency": "100 kHz"}
    assert watts(table(**line), 20e3, 100e3, -190.0) == pytest.approx(1.0)
    assert "extrapolated" in table(**line).notes(20e3, 100e3, 80.0)[0]
    assert not table(**line, extrapolate=False).separable
    with pytest.raises(CaseError, match="temperature -190 degC"):
        watts(table(**line, extrapolate=False), 20e3, 100e3, -190.0)


def test_it_is_cut_at_the_square_loop_where_its_magnetisation_is_known() -> None:
    high = table(**LINE | {"values": ["1 W/gFe", "90 kW/gFe"]}, saturation_magnetization="446 kA/m")
    ceiling = 4.0 * 4e-7 * np.pi * 446e3 * 20e3 * 100e3 / (5180.0 * 0.7236)
    assert watts(high, 20e3, 100e3, 0.0) == pytest.approx(ceiling / 1e3)
    assert "cut to that of a square loop" in high.notes(20e3, 100e3, 273.15)[0]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (LINE | {"fields": ["20 kA/m", "10 kA/m"]}, "values of `fields` must increase strictly"),
        (LINE | {"fields": ["10 kA/m", "10 kA/m"]}, "values of `fields` must increase strictly"),
        (LINE | {"values": ["1 W/gFe"]}, "`fields` has 2 fields and `values` 1 values: give as many"),
        (LINE | {"values": ["1 W/g", "2 W/g"]}, "per mass of iron"),
        (LINE | {"at_frequency": None}, "missing: give `at_frequency`"),
        (LINE | {"at_field": "10 kA/m"}, "give either `at_field` or `fields`"),
        (LINE | {"values": [["1 W/gFe"], ["2 W/gFe"]]}, "more lists inside each other"),
        (LINE | {"interpolation": "log", "values": ["0 W/gFe", "1 W/gFe"]}, "needs fields and values above zero"),
        (LINE | {"interpolation": "cubic"}, "'linear' or 'log'"),
        (FIELDS | {"values": CUBE[:1]}, "`fields` has 2 fields and `values` 1 values"),
        (FIELDS | {"values": [CUBE[0], CUBE[1][:1]]}, "`frequencies` has 2 frequencies and `values` 1 values"),
        (FIELDS | {"values": ["1 W/gFe", "2 W/gFe"]}, "no lists that deep"),
        ({"at_field": "1 A/m", "at_frequency": "1 Hz", "values": ["1 W/gFe"]}, "at least one of"),
    ],
)
def test_a_table_that_cannot_be_is_refused(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        table(**keys)


# -------------------------------------------------------------------------------------------------------- files


def written(folder: Path, csv: str, more: str = "") -> Path:
    (folder / "lot.csv").write_text(csv, encoding="utf-8")
    lines = [f'{key} = "{value}"' for key, value in SOURCED.items()]
    text = 'name = "lot"\nclass = "particle"\n[specific_power]\nfile = "lot.csv"\n' + "\n".join(lines) + f"\n{more}\n"
    (folder / "lot.toml").write_text(text, encoding="utf-8")
    return folder / "lot.toml"


def rows(order: str) -> str:
    """The rows of CUBE with the slowest quantity first."""
    found = []
    for i, h in enumerate((10, 20)):
        for j, f in enumerate((100, 300)):
            for k, t in enumerate((-100, 0)):
                key = {"h": h, "f": f, "t": t}
                found.append(([key[letter] for letter in order], f"{h}, {f}, {t}, {CUBE[i][j][k].split()[0]}"))
    return "\n".join(line for _, line in sorted(found)) + "\n"


@pytest.mark.parametrize("order", ["hft", "tfh", "fht"])
def test_a_file_beside_the_particles_is_the_same_table_in_any_order_of_sorting(tmp_path: Path, order: str) -> None:
    found = load_record(written(tmp_path, "# my lot\n" + HEADER + rows(order)), Particle).specific_power
    for point in ((10e3, 100e3, -100.0), (14e3, 250e3, -30.0), (20e3, 300e3, 0.0)):
        assert watts(found, *point) == pytest.approx(watts(cube(), *point))


@pytest.mark.parametrize(
    ("csv", "message"),
    [
        ("field [kA/m], power [W/gFe]\n20, 4\n10, 1\n", "the rows are not sorted: field must increase"),
        ("field [kA/m], power [W/gFe]\n10, 4\n10, 1\n", "line 3: the same field as in a line before"),
        ("field [kA/m], temperature [degC], power [W/gFe]\n1,0,1\n1,9,1\n2,0,1\n", "incomplete: no row for field 2000 A/m"),
        ("field [kA/m], power [W/g]\n10, 4\n", "line 2: power: .* does not say per mass of what"),
        ("field, power [W/gFe]\n10, 4\n", "no column 'field'; columns are any of field"),
        ("field [kA/m], SAR [W/gFe]\n10, 4\n", "no column 'SAR"),
        ("field [kA/m], temperature [degC]\n10, 4\n", "a column `power"),
        ("field [kA/m], power [W/gFe]\n10\n", "line 2: 1 cells under a header of 2"),
        ("field [kA/m], power [W/gFe]\nten, 4\n", "line 2: field: 'ten kA/m' is not a number"),
        ("field [kA/m], power [W/gFe]\n10, nan\n", "line 2: power"),
        ("field [kA/m], power [W/gFe]\n", "it has no rows"),
        ("", "it has no rows"),
    ],
)
def test_a_file_that_cannot_be_is_refused_in_a_line(tmp_path: Path, csv: str, message: str) -> None:
    path = written(tmp_path, csv, 'at_frequency = "100 kHz"')
    with pytest.raises(CaseError, match=message) as error:
        load_record(path, Particle)
    assert len(error.value.faults) == 1
    assert error.value.faults[0].startswith(str(path))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, "")
    (tmp_path / "lot.csv").unlink()
    with pytest.raises(CaseError, match=r"lot\.csv: can't be read"):
        load_record(path, Particle)


def test_what_is_given_twice_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER + rows("hft"), 'at = ["0 degC"]')
    with pytest.raises(CaseError, match="`at` is given twice"):
        load_record(path, Particle)


def test_a_table_from_a_file_is_written_out_and_read_back(tmp_path: Path) -> None:
    record = load_record(written(tmp_path, HEADER + rows("hft")), Particle)
    again = Particle.model_validate(frozen_copy(record.model_dump(mode="json", by_alias=True, exclude_none=True)))
    assert watts(again.specific_power, 14e3, 250e3, -30.0) == pytest.approx(watts(cube(), 14e3, 250e3, -30.0))
