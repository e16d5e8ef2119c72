"""`nanowarm screen` as a user meets it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from nanowarm.errors import CaseError
from nanowarm.screen_command import screen

CASES = Path(__file__).parents[1] / "cases"

app = typer.Typer()
app.command()(screen)


def told(*arguments: str) -> tuple[int, str]:
    """Exit code and lines of the command."""
    result = CliRunner().invoke(app, list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def test_both_models_tell_rates_criteria_verdict_and_what_they_leave_out_and_write_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, lines = told(str(CASES / "vial-1mL.toml"))
    assert code == 0
    for model in ("lumped", "radial"):
        assert f"{model} model: cpa warms at slowest " in lines
        assert f"{model} model: warming rate of cpa: met: " in lines
        assert f"{model} model: note: a {model} model, an estimate to narrow a choice" in lines
    assert "radial model: estimated verdict: met" in lines
    assert not list(tmp_path.iterdir())


def test_a_field_that_is_too_weak_is_an_estimated_miss_with_exit_code_1() -> None:
    changes = "--set", "field.amplitude=1 kA/m", "--set", "stages.rewarm.duration=600 s"
    code, lines = told(str(CASES / "vial-1mL.toml"), "--model", "radial", *changes)
    assert code == 1
    assert "radial model: estimated verdict: missed" in lines
    assert "lumped" not in lines


def test_what_one_model_can_not_tell_does_not_keep_the_other_from_telling(bench: Any) -> None:
    wall = {"kind": "fixed temperature", "value": "5 degC"}
    path = bench.case(
        "vial",
        {"volume": "1 mL"},
        "4 mm",
        initial={"temperature": "0 degC"},
        regions={"cpa": {"material": bench.material("jelly")}},
        boundaries=dict.fromkeys(("side", "top", "bottom"), wall),
        stages=[{"name": "warm", "duration": "1 s"}],
    )
    code, lines = told(str(path))
    assert code == 0
    assert "lumped model: " + f"{path}: boundaries.side (stage warm): a lumped model can't have a fixed temperature" in lines
    assert "radial model: estimated verdict: met" in lines
    with pytest.raises(CaseError, match="a lumped model can't have a fixed temperature"):
        told(str(path), "--model", "lumped")
