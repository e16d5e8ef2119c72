"""Which pictures a study allows, and what the one of volumes shows."""

from __future__ import annotations

from typing import Any

import pytest

from nanowarm.studies.pictures import VOLUME, largest_volumes, numeric_axes
from nanowarm.studies.table import Row

VOLUMES, IRON = ["10 mL", "1 mL", "2 mL"], ["2 mgFe/mL", "4 mgFe/mL", "3 mgFe/mL"]


def ended(verdict: str) -> Row:
    return Row({"verdict": verdict})


def test_values_are_ranked_as_numbers() -> None:
    axes = numeric_axes({VOLUME: VOLUMES, "iron": IRON, "alone": ["1 s"]})
    assert [axis.label for axis in axes] == [f"{VOLUME} [mL]", "iron [mgFe/mL]"]
    assert axes[0].numbers == (1.0, 2.0, 10.0)
    assert axes[0].given == ("1 mL", "2 mL", "10 mL")


@pytest.mark.parametrize("values", [["VS55", "M22"], ["1 mL", "2 L"], [True, False], [["1 mm"], ["2 mm"]]])
def test_what_is_not_numbers_in_one_unit_is_not_drawn(values: list[Any]) -> None:
    assert numeric_axes({"key": values, VOLUME: VOLUMES}) == []


def test_the_largest_volume_that_passes_is_that_of_each_iron_and_gaps_below_it_are_seen() -> None:
    axes = numeric_axes({VOLUME: VOLUMES, "iron": IRON})
    met = {("2 mL", "3 mgFe/mL"), *((volume, "4 mgFe/mL") for volume in VOLUMES)}
    rows = {(v, i): ended("met" if (v, i) in met else "missed") for v in VOLUMES for i in IRON}
    assert largest_volumes(axes, *axes, rows) == [(2.0, None, True), (3.0, 2.0, False), (4.0, 10.0, True)]
