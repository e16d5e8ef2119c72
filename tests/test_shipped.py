"""Every shipped case ends with the verdict that its title promises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nanowarm.case import load_case
from nanowarm.results.criteria import verdict
from nanowarm.shipped import shipped_cases

# Verdict, and what makes the mesh so coarse that a case takes seconds. Of the two without particles the small one is within
# reach of the bath and the large one is not (Manuchehrabadi et al. 2017); particles warm any size alike.
RECORDED = {
    "bag-1L-M22": ("met", "size=10 mm"),
    "bag-1L-VS55": ("missed", "size=10 mm"),
    "balloon-cavity": ("met", "coarsening=1.5"),
    "glioblastoma-nanotherm": ("met", "coarsening=2"),
    "limb-eddy": ("met", "size=30 mm"),
    "mouse-flank-150": ("missed", "size=4 mm"),
    "mouse-flank-300": ("missed", "size=4 mm"),
    "prostate": ("missed", "size=8 mm"),
    "rabbit-kidney-full-protocol": ("met", "size=3.5 mm"),
    "rat-kidney": ("met", "size=2 mm"),
    "rat-kidney-map": ("met", "size=2 mm"),
    "vessel": ("missed", "coarsening=1.5"),
    "vial-1mL": ("met", "size=2.5 mm"),
    "vial-1mL-bath": ("met", "size=1.5 mm"),
    "vial-50mL-bath": ("missed", "size=6 mm"),
    "vial-80mL": ("met", "size=8 mm"),
    "vial-anneal": ("met", "coarsening=1.5"),
    "vial-crack": ("missed", "coarsening=1.5"),
    "vial-solenoid": ("met", "size=8 mm"),
}


def test_every_shipped_case_has_a_recorded_verdict() -> None:
    assert set(shipped_cases()) == set(RECORDED)


@pytest.mark.parametrize("name", RECORDED)
def test_a_shipped_case_ends_with_its_recorded_verdict_and_loses_no_energy(bench: Any, name: str) -> None:
    recorded, coarse = RECORDED[name]
    trial = bench.solved(shipped_cases()[name], f"mesh.{coarse}")
    assert verdict(trial.observers.judge()) == recorded
    assert trial.solution.energy["imbalance_relative"] <= 1e-9


@pytest.mark.parametrize("name", RECORDED)
def test_the_geometry_and_the_title_of_a_shipped_case_are_there(name: str) -> None:
    case = load_case(shipped_cases()[name])
    assert case.mesh_files[0].is_file()
    assert case.input.title
    assert Path(case.filled["mesh"]["file"]) == case.mesh_files[0]
