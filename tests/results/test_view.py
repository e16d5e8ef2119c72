"""The bytes behind the view of the body: surfaces, grid and moments of a run of two cubes.

Each cube has edges of 10 mm; they lie beside each other along x, from -10 to 10 mm, and are regions 0 and 1.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from nanowarm.results.field_series import FieldSeries, chosen_rows, read_series
from nanowarm.results.report import write_report
from nanowarm.results.view import MOST_FRAMES, script_policy, view_content, view_html
from nanowarm.results.view_fields import levels
from nanowarm.results.view_grid import coded, differences, grid_around
from nanowarm.results.view_surface import OUTSIDE, Surfaces, simplified, surfaces

Run = Callable[..., Path]
CUBE = 1e-2  # [m]
HOSTILE = "</script><script>alert(1)</script> & <!--"


@pytest.fixture
def series(field_run: Run) -> FieldSeries:
    return read_series(field_run() / "fields.vtkhdf", MOST_FRAMES)


def enclosed(body: Surfaces, region: int) -> float:
    """Volume inside the surface of a region, by the divergence theorem; exact if it is closed and seen from outside."""
    first = np.repeat(body.patches[:, 0] == region, body.patches[:, 2])
    second = np.repeat(body.patches[:, 1] == region, body.patches[:, 2])
    a, b, c = np.moveaxis(body.points[body.triangles], 1, 0)
    each = np.einsum("ij,ij->i", a, np.cross(b, c)) / 6.0
    return float(each[first].sum() - each[second].sum())


@pytest.mark.parametrize("region", [0, 1])
def test_the_surface_of_each_region_encloses_its_volume(series: FieldSeries, region: int) -> None:
    body = surfaces(series.points, series.cells, series.region)
    assert enclosed(body, region) == pytest.approx(CUBE**3, rel=1e-12)


def test_there_are_as_many_triangles_as_faces_of_the_cubes(series: FieldSeries) -> None:
    # 6 x 6 squares of two triangles on each face: five faces of each cube outside, one between them
    counts = {(first, second): count for first, second, count in surfaces(series.points, series.cells, series.region).patches}
    assert counts == {(0, OUTSIDE): 5 * 72, (1, OUTSIDE): 5 * 72, (0, 1): 72}


def test_fewer_triangles_enclose_the_same_cubes(series: FieldSeries) -> None:
    body = simplified(surfaces(series.points, series.cells, series.region), 400)
    assert len(body.triangles) < 500
    assert [enclosed(body, region) for region in (0, 1)] == pytest.approx([CUBE**3] * 2, rel=1e-6)


def test_a_linear_field_is_exact_in_the_body(series: FieldSeries) -> None:
    grid = grid_around(series.points, series.cells, 3000)
    nx, ny, nz = grid.shape
    z, y, x = (grid.spacing * axis for axis in np.meshgrid(np.arange(nz), np.arange(ny), np.arange(nx), indexing="ij"))
    inside = ((x <= 2 * CUBE) & (y <= CUBE) & (z <= CUBE)).ravel()
    for field, exact in ((series.points[:, 0], x.ravel() - CUBE), (series.points[:, 1], y.ravel())):
        found = grid.weights @ field
        assert found[inside] == pytest.approx(exact[inside], abs=1e-9)
        assert field.min() - 1e-9 <= found.min() <= found.max() <= field.max() + 1e-9


def test_a_place_outside_has_a_value_of_the_nearest_cell() -> None:
    points = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    grid = grid_around(points, np.array([[0, 1, 2, 3]]), 8)
    corner = (grid.weights @ np.array([5.0, 1.0, 1.0, 1.0])).reshape(grid.shape[::-1])[-1, -1, -1]
    assert corner == 1.0  # (1, 1, 1) lies before the face of the three


def test_bytes_tell_values_to_half_a_step(series: FieldSeries) -> None:
    values = np.random.default_rng(1).uniform(-150.0, 20.0, 60)
    codes = coded(values, -150.0, 20.0, (3, 4, 5))
    assert codes.low + codes.values / 255.0 * (codes.high - codes.low) == pytest.approx(values, abs=0.5001 * 170 / 255)


def test_what_has_no_value_is_told_and_takes_the_nearest_one() -> None:
    codes = coded(np.array([1.0, np.nan, np.nan, 2.0]), 1.0, 2.0, (4, 1, 1))
    assert codes.known is not None
    assert codes.known.tolist() == [255, 0, 0, 255]
    assert codes.values.tolist() == [0, 0, 255, 255]


@given(st.lists(st.integers(0, 255), min_size=24, max_size=24))
def test_sums_along_the_axes_give_the_codes_again(codes: list[int]) -> None:
    shape = (2, 3, 4)
    left: NDArray[np.uint8] = np.frombuffer(differences(np.array(codes, dtype=np.uint8), shape), np.uint8).reshape(shape[::-1])
    for axis in range(3):
        left = np.cumsum(left, axis=axis, dtype=np.uint8)
    assert left.ravel().tolist() == codes


def test_a_kink_between_two_straight_lines_is_kept_and_nothing_else() -> None:
    time = np.arange(11.0)
    rows = np.maximum(0.0, time - 7.0)[:, None]
    assert chosen_rows(rows, time, 5).tolist() == [0, 7, 10]


def test_no_more_rows_are_chosen_than_asked() -> None:
    rows = np.random.default_rng(2).normal(size=(50, 3))
    chosen = chosen_rows(rows, np.arange(50.0), 12)
    assert len(chosen) == 12
    assert {0, 49} <= set(chosen.tolist())


def test_a_run_without_fields_has_no_view(field_run: Run) -> None:
    folder = field_run()
    (folder / "fields.vtkhdf").unlink()
    assert view_html(folder) is None
    assert script_policy() not in html.unescape(write_report(folder).read_text(encoding="utf-8"))


@pytest.mark.parametrize("cut_to", [0, 100, 3000], ids=["empty", "head", "part"])
def test_a_broken_field_file_leaves_the_picture_and_says_so(field_run: Run, cut_to: int) -> None:
    path = field_run() / "fields.vtkhdf"
    path.write_bytes(path.read_bytes()[:cut_to])
    text = view_html(path.parent)
    assert text is not None
    assert "fields.vtkhdf can&#39;t be read" in text
    assert "data:image/png" in text
    assert "<script" not in text


def test_the_policy_names_the_programs_of_the_page_and_no_others(field_run: Run) -> None:
    text = write_report(field_run()).read_text(encoding="utf-8")
    programs = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(program.encode("utf-8")).digest()).decode("ascii") for program in programs]
    (policy,) = re.findall(r"script-src ([^;\"]*)\"", html.unescape(text))
    assert set(policy.split()) == {f"'sha256-{digest}'" for digest in digests}
    assert script_policy() in policy.split()


def test_hostile_names_cannot_end_the_element_that_holds_them(field_run: Run) -> None:
    text = view_html(field_run((HOSTILE, "right")))
    assert text is not None
    held = re.findall(r'<script type="application/json" id="view-content">(.*?)</script>', text, re.DOTALL)
    assert len(held) == 1
    assert "<" not in held[0]
    assert json.loads(held[0])["regions"][0]["name"] == HOSTILE


def test_the_same_run_gives_the_same_bytes(field_run: Run) -> None:
    folder = field_run()
    assert view_html(folder) == view_html(folder)


def test_doses_are_coloured_by_their_logarithm(field_run: Run) -> None:
    content: Any = view_content(field_run())
    field = next(field for field in content["fields"] if field["name"] == "CEM43")
    assert field["scale"] == "logarithm"
    assert (field["frames"][0]["low"], field["frames"][0]["high"]) == pytest.approx((-2.0, 2.0))  # 10^(x / 5 mm)


def test_a_limit_is_a_level_of_its_own_field_only() -> None:
    rate = {"kind": "warming rate", "measure": "mean", "region": "kidney", "limit": 55.0, "where_mm": None}
    summary = {"criteria": [rate, rate | {"region": "pelvis"}]}
    assert levels("warming rate", summary, {}) == [{"value": 55.0, "label": "limit of kidney, pelvis 55"}]
    assert levels("temperature", summary, {}) == []
    assert levels("slowest warming rate", summary, {}) == []


def test_a_material_that_melts_gives_the_temperature_a_level() -> None:
    record = {"inputs": [{"of": "VS55", "what": "melting", "value": "-38 degC"}]}
    assert levels("temperature", {"criteria": []}, record) == [{"value": -38.0, "label": "melting −38"}]
