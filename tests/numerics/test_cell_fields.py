"""Fields of the cells that stand in the field file: what the coil makes where."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nanowarm.numerics.cell_fields import cell_fields
from nanowarm.numerics.places import Places

OUTPUT = {"every": "1 h", "fields": ["field amplitude"]}


def _slope(bench: Any) -> str:
    """A map of H = 20 kA/m + z kA/m per mm, from -20 to 20 mm."""
    places = [(x, y, z) for x in (-20, 20) for y in (-20, 20) for z in (-20, 20)]
    rows = [f"{x},{y},{z},{20 + z}" for x, y, z in places]
    (bench.folder / "map.csv").write_text("\n".join(["x [mm],y [mm],z [mm],H [kA/m]", *rows]), encoding="utf-8")
    return "map.csv"


def test_the_field_of_a_cell_is_the_largest_of_the_protocol_in_its_middle(bench: Any) -> None:
    stages = [
        {"name": "map", "duration": "1 s"},
        {"name": "off", "duration": "1 s", "field": {"level": "0 %"}},
        {"name": "even", "duration": "1 s", "field": {"kind": "uniform", "amplitude": "19 kA/m", "frequency": "100 kHz"}},
    ]
    path = bench.case(
        "vial",
        {"volume": "1 mL"},
        "2 mm",
        initial={"temperature": "20 degC"},
        regions={"cpa": {"material": bench.material("stuff")}},
        boundaries={name: {"kind": "insulated"} for name in ("side", "top", "bottom")},
        field={"kind": "map", "file": _slope(bench), "frequency": "100 kHz"},
        stages=stages,
        output=OUTPUT,
    )
    trial = bench.trial(path)
    height = 1e3 * Places(trial.operators).cells[:, 2]  # [mm]
    (name, found), *others = cell_fields(trial.case, trial.operators, {}).items()
    assert (name, others) == ("field amplitude", [])
    expected = np.maximum(20.0 + height, 19.0)
    assert np.ptp(expected) > 1.0
    assert found == pytest.approx(expected, rel=1e-6)  # single precision
