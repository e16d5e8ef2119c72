"""`nanowarm library --calibrate`: the ice kinetics of files, computed again."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nanowarm.calibration import calibrations
from nanowarm.cli import app
from nanowarm.errors import CaseError
from nanowarm.physics.materials import Material
from nanowarm.shelf import library_files, load_record

VS55 = library_files("material")["VS55"]


def own(folder: Path, old: str, new: str) -> str:
    """Path of a copy of VS55 in which a pattern is replaced once."""
    text, count = re.subn(old, new, VS55.read_text(encoding="utf-8"), count=1, flags=re.DOTALL)
    assert count == 1
    file = folder / "mine.toml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def without(folder: Path, section: str) -> str:
    """Path of a copy of VS55 without a section."""
    return own(folder, rf"\[{section}\]\n.*?\n\n", "")


def printed(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["library", "--calibrate", *arguments])
    return done.exit_code, done.stdout


def test_the_library_reproduces_every_calibration_that_it_has() -> None:
    code, text = printed()
    assert code == 0
    assert {one.name for one in calibrations(None)} == {"DP6", "M22", "VMP", "VS55"}
    assert all(one.difference() < 1e-6 for one in calibrations(None))
    for name in ("DP6", "M22", "VMP", "VS55"):
        assert name in text


def test_both_critical_rates_crystallise_0_002_in_the_table() -> None:
    _, text = printed("VS55")
    assert text.count("0.00200000") == 2
    assert "-2.5" in text
    assert "55" in text


def test_a_file_that_does_not_reproduce_ends_with_1_and_gets_the_section_to_paste(tmp_path: Path) -> None:
    code, text = printed(own(tmp_path, r'nucleation_temperature = "-80\.\d+', 'nucleation_temperature = "-80.3'))
    assert code == 1
    assert "not reproduced within 1e-06: VS55" in text
    assert "[ice]" in text


def test_the_difference_shows_in_a_digit_that_the_file_has_too_few_of(tmp_path: Path) -> None:
    (one,) = calibrations(own(tmp_path, r"rate_product = 3\.5265", "rate_product = 3.5266"))
    assert one.difference() == pytest.approx(1e-4 / 3.52651, rel=0.01)
    assert not one.reproduced


def test_a_file_with_rates_but_without_ice_gets_a_section_that_works_when_pasted(tmp_path: Path) -> None:
    file = without(tmp_path, "ice")
    code, text = printed(file)
    assert code == 0
    section = text[text.index("[ice]") :]
    assert tomllib.loads(section)["ice"]["threshold"] == 0.002
    (tmp_path / "pasted.toml").write_text(f"{Path(file).read_text(encoding='utf-8')}\n{section}", encoding="utf-8")
    pasted = str(tmp_path / "pasted.toml")
    assert load_record(Path(pasted), Material).kinetics() is not None
    assert printed(pasted)[0] == 0


def test_other_rates_of_a_file_are_what_it_is_calibrated_to(tmp_path: Path) -> None:
    (one,) = calibrations(own(tmp_path, 'value = "55 degC/min"', 'value = "50 degC/min"'))
    assert one.computed.nucleation_temperature - 273.15 == pytest.approx(-79.40, abs=0.0051)  # reference/physics.md, 6.2
    assert not one.reproduced


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("VS56", 'no material "VS56"; did you mean VS55'),
        ("sIONP", 'no material "sIONP"'),
        ("EG40-sucrose", "EG40-sucrose: melting: missing: the ice kinetics follow from it"),
        ("VM3", "VM3: critical_cooling_rate, melting: missing"),
        ("polypropylene", "critical_cooling_rate, critical_warming_rate, melting, glass_transition: missing"),
        ("saline", 'saline: ice.kind: "equilibrium" has no kinetics to calibrate'),
        ("nowhere/mine.toml", "nowhere/mine.toml: no such file"),
    ],
)
def test_what_cannot_be_calibrated_is_told_in_one_line(name: str, message: str) -> None:
    with pytest.raises(CaseError, match=re.escape(message)) as caught:
        calibrations(name)
    assert len(caught.value.faults) == 1


def test_a_particle_is_told_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match=r'is of class "particle"; a material is needed here') as caught:
        calibrations(str(library_files("particle")["sIONP"]))
    assert len(caught.value.faults) == 1


def test_a_warming_rate_below_the_cooling_rate_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match=r"mine\.toml: ice: .* the one on warming must be the larger") as caught:
        calibrations(own(tmp_path, 'value = "55 degC/min"', 'value = "1 degC/min"'))
    assert len(caught.value.faults) == 1
