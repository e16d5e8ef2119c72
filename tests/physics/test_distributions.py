"""Where the iron is: values at points, and what a case may say."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from nanowarm.model import Model, faults, frozen_copy
from nanowarm.physics.distributions import AnyIron
from nanowarm.physics.iron_images import Image, Rotation

ORIGIN = ["0 mm", "0 mm", "0 mm"]
GAUSSIAN = {"kind": "gaussian", "centre": ["1 mm", "2 mm", "3 mm"], "radius": "2 mm", "dose": "5 mgFe"}
SPHERICAL = GAUSSIAN | {"kind": "spherical"}
PROFILE = {"at": ["0 mm", "2 mm", "5 mm"], "values": ["10 mgFe/mL", "4 mgFe/mL", "1 mgFe/mL"]}
IMAGE = {"image": "iron.nii.gz", "coordinates": "LPS", "calibration": {"slope": 0.1, "unit": "mgFe/mL"}}


class Use(Model):
    iron: AnyIron


def iron(raw: Any) -> Any:
    return Use.model_validate(frozen_copy({"iron": raw})).iron


def told(raw: Any) -> str:
    content = frozen_copy({"iron": raw})
    with pytest.raises(ValidationError) as caught:
        Use.model_validate(content)
    (line,) = faults(caught.value, Use, "case.toml", content)
    return line


def ball(radius: float, number: int) -> tuple[Any, float]:
    """Points of a cubic lattice of a half-width, and the volume of each."""
    along = (np.arange(number) + 0.5) / number * 2 * radius - radius
    return np.stack(np.meshgrid(along, along, along), axis=-1).reshape(-1, 3), (2 * radius / number) ** 3


def test_a_text_is_the_same_everywhere() -> None:
    assert iron("10 mgFe/mL").concentration(np.random.default_rng(1).normal(size=(5, 3))) == pytest.approx(np.full(5, 10.0))


@pytest.mark.parametrize(("distance", "value"), [(0.0, 10.0), (1.0, 7.0), (2.0, 4.0), (3.5, 2.5), (9.0, 1.0)])
def test_a_radial_profile_is_linear_between_its_radii_and_constant_beyond(distance: float, value: float) -> None:
    profile = iron({"kind": "radial", "centre": ["1 mm", "0 mm", "0 mm"]} | PROFILE)
    for direction in ((1.0, 0.0, 0.0), (0.0, -0.6, 0.8)):
        point = np.array([[1e-3, 0.0, 0.0]]) + 1e-3 * distance * np.array(direction)
        assert profile.concentration(point) == pytest.approx([value])


def test_a_radial_profile_with_an_axis_is_the_same_along_it() -> None:
    profile = iron({"kind": "radial", "centre": ORIGIN, "axis": [0, 0, 3]} | PROFILE)
    assert profile.concentration(1e-3 * np.array([[0.0, 1.0, -40.0], [1.0, 0.0, 7.0]])) == pytest.approx([7.0, 7.0])


def test_an_axial_profile_counts_from_its_origin_along_its_direction() -> None:
    profile = iron({"kind": "axial", "axis": [0, 3, 4], "origin": ["0 mm", "0 mm", "1 mm"]} | PROFILE)
    points = 1e-3 * np.array([[5.0, 0.0, 1.0], [0.0, 0.6, 1.8], [0.0, -3.0, -3.0]])
    assert profile.concentration(points) == pytest.approx([10.0, 7.0, 10.0])


@pytest.mark.parametrize(("depot", "reach", "error"), [(GAUSSIAN, 12e-3, 1e-7), (SPHERICAL, 2e-3, 3e-3)])
def test_a_depot_holds_its_dose(depot: dict[str, Any], reach: float, error: float) -> None:
    points, volume = ball(reach, 80)
    found = iron(depot)
    assert found.reach == pytest.approx(reach)
    assert found.concentration(points + np.array(found.centre)).sum() * volume == pytest.approx(5e-6, rel=error)


def test_a_gaussian_depot_falls_by_its_standard_deviation() -> None:
    depot = iron(GAUSSIAN)
    values = depot.concentration(1e-3 * np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 3.0], [1.0, 2.0, -1.0]]))
    assert values[1:] / values[0] == pytest.approx(np.exp([-0.5, -2.0]))


def test_a_list_is_of_depots() -> None:
    assert [depot.kind for depot in iron([GAUSSIAN, SPHERICAL]).depots] == ["gaussian", "spherical"]


def test_an_image_may_be_written_short_or_long() -> None:
    long = {"kind": "image", "file": IMAGE["image"]} | {key: value for key, value in IMAGE.items() if key != "image"}
    assert iron(IMAGE) == iron(long)


def test_a_linear_calibration_is_a_slope_and_an_offset_in_its_unit() -> None:
    calibration = iron(IMAGE | {"calibration": {"slope": 2.0, "offset": -3.0, "unit": "ugFe/mL"}}).calibration
    assert calibration.concentration(np.array([0.0, 2.0, 4.0])) == pytest.approx([-3e-3, 1e-3, 5e-3])


def test_a_table_of_a_calibration_is_linear_between_its_points_and_valid_within_them() -> None:
    table = {"of": "R2*", "at": [10, 20, 40], "values": ["0 mgFe/mL", "1 mgFe/mL", "2 mgFe/mL"]}
    calibration = iron(IMAGE | {"calibration": table}).calibration
    assert calibration.concentration(np.array([15.0, 30.0])) == pytest.approx([0.5, 1.5])
    assert calibration.range() == (10.0, 40.0)


def test_coordinates_are_turned_to_the_convention_and_the_unit_of_the_mesh() -> None:
    for convention, sign in (("LPS", 1.0), ("RAS", -1.0)):
        matrix, shift = iron(IMAGE | {"coordinates": convention, "unit": "um"}).placement()
        assert matrix @ [1.0, 2.0, 3.0] == pytest.approx(1e-6 * np.array([sign, 2 * sign, 3.0]))
        assert shift == pytest.approx([0.0, 0.0, 0.0])


def test_an_image_is_rotated_about_its_point_then_translated() -> None:
    rotation = {"axis": [0, 0, 2], "angle": "90 deg", "about": ["10 mm", "0 mm", "0 mm"]}
    matrix, shift = iron(IMAGE | {"rotate": rotation, "translate": ["0 mm", "0 mm", "5 mm"]}).placement()
    assert matrix @ [12.0, 0.0, 1.0] + shift == pytest.approx([10e-3, 2e-3, 6e-3])


def test_a_rotation_keeps_lengths_and_hands() -> None:
    matrix = TypeAdapter(Rotation).validate_python({"axis": (1.0, -2.0, 0.5), "angle": "33 deg"}).matrix()
    assert matrix @ matrix.T == pytest.approx(np.eye(3), abs=1e-14)
    assert np.linalg.det(matrix) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "raw", ["10 mgFe/mL", [GAUSSIAN, SPHERICAL], GAUSSIAN, {"kind": "axial", "axis": [0, 0, 1]} | PROFILE, IMAGE]
)
def test_what_is_written_into_a_run_folder_reads_back(raw: Any) -> None:
    written = Use.model_validate(frozen_copy({"iron": raw})).model_dump(mode="json", by_alias=True, exclude_none=True)
    again = Use.model_validate(frozen_copy(written))
    assert again.model_dump(mode="json", by_alias=True, exclude_none=True).keys() == written.keys()
    assert type(again.iron) is type(iron(raw))


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        ("10 mg/mL", "does not say per mass of what"),
        (GAUSSIAN | {"dose": "5 mg"}, "iron.dose: '5 mg' does not say per mass of what"),
        (GAUSSIAN | {"dose": "0 mgFe"}, "iron.dose: .*must be above 0"),
        (GAUSSIAN | {"radius": "0 mm"}, "iron.radius: .*must be above 0"),
        ({"kind": "cube"}, "a table whose `kind` is axial"),
        ({"value": "1 mgFe/mL"}, "a table whose `kind` is axial"),
        (5.0, "write the unit"),
        ([], "at least 1"),
        ({"kind": "axial", "axis": [0, 0, 0]} | PROFILE, "no direction"),
        ({"kind": "axial", "axis": [0, 0, 1]} | PROFILE | {"at": ["0 mm", "2 mm", "2 mm"]}, "increase strictly"),
        ({"kind": "axial", "axis": [0, 0, 1]} | PROFILE | {"at": ["0 mm"]}, "give as many"),
        ({"kind": "radial", "centre": ORIGIN} | PROFILE | {"at": ["-1 mm", "2 mm", "5 mm"]}, "radii, which are not negative"),
        ({key: value for key, value in IMAGE.items() if key != "coordinates"}, "iron.coordinates: missing"),
        (IMAGE | {"coordinates": "RPI"}, 'iron.coordinates: must be "LPS" or "RAS"'),
        (IMAGE | {"calibration": {"slope": 1.0, "unit": "mg/mL"}}, "iron.calibration: .*per mass of what"),
        (IMAGE | {"calibration": {"slope": 0.0, "unit": "mgFe/mL"}}, "iron.calibration: a slope of 0"),
        (IMAGE | {"calibration": {"slope": 1.0, "unit": "mgFe/mL", "valid": [3, 3]}}, "smallest, largest"),
        (IMAGE | {"calibration": {"at": [1, 1], "values": ["0 mgFe/mL", "1 mgFe/mL"]}}, "increase strictly"),
        (IMAGE | {"calibration": {"at": [1, 2], "values": ["0 mgFe/mL", "1 mgFe/mL"], "valid": [0, 2]}}, "must lie within"),
        (IMAGE | {"tolerance": 0.0}, "iron.tolerance: must be above 0"),
        (IMAGE | {"rotate": {"axis": [0, 0, 1], "angle": "90"}}, "iron.rotate.angle: write the unit"),
        (IMAGE | {"flip": "x"}, "iron.flip: unknown key"),
    ],
)
def test_what_can_not_be_is_told_in_one_line(raw: Any, line: str) -> None:
    assert re.search(line, told(raw)), told(raw)


def test_the_schema_knows_texts_lists_and_tables() -> None:
    definitions = Use.model_json_schema()["$defs"]
    assert [branch.get("type") for branch in definitions["Uniform"]["anyOf"]] == ["string", "object"]
    assert [branch.get("type") for branch in definitions["Depots"]["anyOf"]] == ["array", "object"]
    assert "image" in definitions[Image.__name__]["properties"]
