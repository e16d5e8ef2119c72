"""`nanowarm sar` and `nanowarm particle` as a user meets them."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from nanowarm import sar_commands
from nanowarm.errors import CaseError

POINT = ("--field", "20.7 kA/m", "--frequency", "325 kHz", "--temperature", "25 degC")
KEYS = ["specific_power_W_per_gFe", "neel_time_s", "brown_time_s", "valid", "notes"]
LINEAR = """
name = "mine"
class = "particle"
[specific_power]
kind = "linear response"
diameter = "14 nm"
diameter_spread = 0.0
coating = "2 nm"
saturation_magnetization = "446 kA/m"
anisotropy = "23 kJ/m^3"
attempt_time = "1e-9 s"
viscosity = "0.89 mPa*s"
source = "invented for a test"
quality = "estimate"
"""

app = typer.Typer()
app.command()(sar_commands.sar)
app.command()(sar_commands.particle)


def said(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    if result.exception is not None:
        raise result.exception
    return result.output


def answered(*arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(said(*arguments, "--json"))
    return found


@pytest.fixture
def mine(tmp_path: Path) -> str:
    (tmp_path / "mine.toml").write_text(LINEAR, encoding="utf-8")
    return str(tmp_path / "mine.toml")


def test_json_has_these_keys_alone(mine: str) -> None:
    found = answered("sar", mine, *POINT)
    assert list(found) == KEYS
    assert found["specific_power_W_per_gFe"] == pytest.approx(1146.6, rel=1e-4)  # physics.md, 4.1
    assert found["neel_time_s"] == pytest.approx(9.586e-7, rel=4e-4)
    assert found["brown_time_s"] == pytest.approx(1.981e-6, rel=4e-4)
    assert found["valid"] is False
    assert "xi" in found["notes"][0]


def test_another_diameter_may_be_asked_for(mine: str) -> None:
    assert answered("sar", mine, *POINT, "--diameter", "13 nm")["specific_power_W_per_gFe"] == pytest.approx(744.4, rel=1e-4)


def test_a_measured_particle_knows_no_times() -> None:
    found = answered("sar", "sIONP", "--field", "20 kA/m", "--frequency", "360 kHz", "--temperature", "25 degC")
    assert found == {
        "specific_power_W_per_gFe": pytest.approx(600.0),
        "neel_time_s": None,
        "brown_time_s": None,
        "valid": True,
        "notes": [],
    }


def test_a_frozen_moment_has_no_time_in_json_and_is_called_frozen(mine: str) -> None:
    arguments = ("sar", mine, "--temperature", "-190 degC", "--diameter", "60 nm")
    assert answered(*arguments)["neel_time_s"] is None
    assert "Néel time" in said(*arguments)
    assert "frozen" in said(*arguments)


def test_the_table_goes_over_size_field_frequency_and_temperature(mine: str) -> None:
    text = said("sar", mine, "sIONP", *POINT)
    for quantity in ("diameter [nm]", "field [kA/m]", "frequency [kHz]", "temperature [degC]"):
        assert quantity in text
    assert "1147 W/gFe" in text
    assert "note: xi" in text


def test_a_picture_compares_particles_with_measured_points(tmp_path: Path, mine: str) -> None:
    points = tmp_path / "points.csv"
    points.write_text("diameter [nm], field [kA/m], frequency [kHz], power [W/gFe]\n10, 20.7, 325, 50\n", encoding="utf-8")
    picture = tmp_path / "curves.png"
    text = said("sar", mine, "sIONP", "CoFe-nanowires", *POINT, "--plot", str(picture), "--measured", str(points))
    assert f"wrote {picture}" in text
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_several_particles_are_answered_by_name(mine: str) -> None:
    found = answered("sar", mine, "sIONP", *POINT)
    assert list(found) == [mine, "sIONP"]
    assert list(found["sIONP"]) == KEYS


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("sar", "sIOMP"), 'no particle "sIOMP"; did you mean sIONP?'),
        (("sar", "sIONP", "--field", "20"), "--field: write the unit"),
        (("sar", "sIONP", "--field", "20 kHz"), "--field: 'kHz' is not a unit of this quantity"),
        (("sar", "sIONP", "--frequency", "0 kHz"), "--frequency: '0 kHz' is out of range"),
        (("sar", "sIONP", "--temperature", "0 K"), "--temperature: must be above 0 K"),
        (("sar", "sIONP", "--diameter", "10 nm"), "sIONP: a measured specific power is that of its own size"),
        (("sar", "sIONP", "--measured", "none.csv"), "--measured: file: none.csv: can't be read"),
        (("sar", "sIONP", "--plot", "picture.doc"), "--plot: picture.doc"),
        (("sar", "none.toml"), "none.toml: no such file"),
        (("particle", "magnetite-10nm", "--conductance", "0 W/m^2/K"), "--conductance: must be above 0"),
        (("particle", "EMG308"), "EMG308: its file does not say its size"),
        (("particle", "EMG308", "--diameter", "10 nm", "--power", "3 W/g"), "--power: .* per mass of what"),
    ],
)
def test_what_cannot_be_answered_is_told_in_a_line(arguments: tuple[str, ...], told: str) -> None:
    with pytest.raises(CaseError, match=told) as error:
        said(*arguments)
    assert len(error.value.faults) == 1


def test_a_table_is_not_extrapolated(tmp_path: Path) -> None:
    lines = LINEAR.split("kind = ")[0] + 'kind = "table"\nfields = ["10 kA/m", "20 kA/m"]\nvalues = ["1 W/gFe", "4 W/gFe"]\n'
    file = tmp_path / "lot.toml"
    file.write_text(lines + 'at_frequency = "325 kHz"\nsource = "invented for a test"\nquality = "estimate"\n', encoding="utf-8")
    assert answered("sar", str(file), *POINT[2:], "--field", "15 kA/m")["specific_power_W_per_gFe"] == pytest.approx(2.5)
    assert "-" in said("sar", str(file), *POINT[2:], "--field", "15 kA/m")
    with pytest.raises(CaseError, match=r"field 20\.7 kA/m is outside the table's 10 to 20 kA/m"):
        said("sar", str(file), *POINT)


# physics.md, 4.6, and issue 3
@pytest.mark.parametrize(
    ("size", "power", "rise", "force"),
    [(10, 100, 5.2e-9, 2.3e-18), (20, 1000, 2.1e-7, 1.87e-17), (40, 2500, 2.1e-6, 1.49e-16), (100, 1, None, 2.3e-15)],
)
def test_a_particle_has_the_numbers_of_the_magnetogenetics_debate(
    size: int, power: int, rise: float | None, force: float
) -> None:
    found = answered(
        "particle", "magnetite-10nm", "--diameter", f"{size} nm", "--power", f"{power} W/gFe", "--gradient", "10 T/m"
    )
    assert found["force_N"] == pytest.approx(force, rel=0.02)
    if rise is not None:
        assert found["surface_rise_K"] == pytest.approx(rise, rel=0.01)


def test_a_particle_prints_moment_force_times_and_rises() -> None:
    text = said("particle", "magnetite-14nm", "--gradient", "10 T/m")
    for what in (
        "moment",
        "force at 10 T/m",
        "surface rise",
        "rise over its interface",
        "cluster of 100 nm",
        "Néel time",
        "Brown time",
    ):
        assert what in text
    assert "source: rosensweig2002" in text


def test_the_power_of_a_particle_is_that_of_its_model() -> None:
    found = answered("particle", "magnetite-14nm", *POINT)
    assert found["specific_power_W_per_gFe"] == pytest.approx(1146.6, rel=1e-4)
    volume = math.pi * 14e-9**3 / 6.0
    assert found["power_W"] == pytest.approx(1146.6e3 * 5180.0 * 0.7236 * volume, rel=1e-4)
