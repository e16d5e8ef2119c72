"""A study of a small vial that loses no heat, so that every temperature is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tomli_w

IRON, SPECIFIC_POWER, CAPACITY = 10.0, 2e5, 2e6  # [kg/m3], [W per kg iron] at 20 kA/m and 200 kHz, [J/m3/K]
DURATION, LIMIT = 10.0, 15.0  # [s], [degC] that the coldest place has to reach


class StudyBench:
    """Writes studies beside a case, `case.toml`.

    Args:
        bench: writes the case.
    """

    def __init__(self, bench: Any) -> None:
        self.folder: Path = bench.folder
        shut = {"kind": "insulated"}
        particles = {"name": bench.particle("warmer", SPECIFIC_POWER), "iron": f"{IRON} mgFe/mL"}
        self.case: Path = bench.case(
            "vial",
            {"volume": "1 mL"},
            "4 mm",
            initial={"temperature": "0 degC"},
            regions={"cpa": {"material": bench.material("jelly", CAPACITY), "particles": particles}},
            boundaries={"side": shut, "top": shut, "bottom": shut},
            field={"kind": "uniform", "amplitude": "20 kA/m", "frequency": "200 kHz"},
            stages=[{"name": "warm", "duration": f"{DURATION} s"}],
            criteria=[{"kind": "temperature", "region": "cpa", "at_least": f"{LIMIT} degC", "when": "end"}],
            output={"every": "10 s", "fields": []},
        )

    def study(self, name: str = "study", **sections: Any) -> Path:
        """A study file of sections."""
        path = self.folder / f"{name}.toml"
        path.write_text(tomli_w.dumps({"schema": 1, "case": self.case.name} | sections), encoding="utf-8")
        return path


def warmed(iron: float = IRON, amplitude: float = 20.0) -> float:
    """Temperature [degC] at the end: heating goes with iron and the square of the field."""
    return DURATION * iron * SPECIFIC_POWER * (amplitude / 20.0) ** 2 / CAPACITY


@pytest.fixture
def studies(bench: Any) -> StudyBench:
    return StudyBench(bench)


@pytest.fixture(scope="module")
def module_studies(module_bench: Any) -> StudyBench:
    return StudyBench(module_bench)


@pytest.fixture(scope="session")
def end_temperature() -> Any:
    return warmed
