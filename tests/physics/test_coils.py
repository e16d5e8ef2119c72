"""Conductors against textbook formulas, Maxwell's equations and symmetry; the windings and coils built of them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.integrate import quad
from scipy.spatial.transform import Rotation
from scipy.special import ellipe, ellipk

from nanowarm.physics.coils import (
    Coil,
    HelmholtzWinding,
    LoopsWinding,
    MaxwellWinding,
    SolenoidWinding,
    coil_file,
    coil_files,
    load_coil,
)
from nanowarm.physics.conductors import ORIGIN, Z_AXIS, Ring, Tube, placed
from nanowarm.quantity import VACUUM_PERMEABILITY

RADIUS, LENGTH = 0.05, 0.12
RING = Ring(RADIUS, ORIGIN, Z_AXIS, 3.0)
TUBE = Tube(RADIUS, LENGTH, ORIGIN, Z_AXIS, 7.0)
# away from axis, winding and symmetry planes; inside, outside, near the winding, far away
POINTS = RADIUS * np.array(
    [[0.3, 0.2, 0.1], [0.9, 0.1, 0.05], [-0.5, 0.6, 0.9], [1.3, -0.4, 0.2], [0.1, 0.05, 2.5], [4.0, 3.0, -5.0], [0.6, -0.65, 0.3]]
)
TINY = 1e-7  # of a rotation or a sum, in units of the result
DIRECTIONS = st.tuples(*[st.floats(-1.0, 1.0)] * 3).filter(lambda v: math.hypot(*v) > 0.1)


def ring_by_textbook(rho: float, z: float, turns: float = 3.0) -> tuple[float, float]:
    """Radial and axial H [A/m per A], Jackson (1999), problem 5.7, with K and E of the parameter m."""
    far, near = (RADIUS + rho) ** 2 + z**2, (RADIUS - rho) ** 2 + z**2
    m = 4.0 * RADIUS * rho / far
    k, e = ellipk(m), ellipe(m)
    radial = turns * z / (2 * math.pi * rho * math.sqrt(far)) * ((RADIUS**2 + rho**2 + z**2) / near * e - k)
    axial = turns / (2 * math.pi * math.sqrt(far)) * ((RADIUS**2 - rho**2 - z**2) / near * e + k)
    return radial, axial


def cylindrical(points: Any, field: Any) -> tuple[Any, Any]:
    rho = np.hypot(points[:, 0], points[:, 1])
    return (field[:, 0] * points[:, 0] + field[:, 1] * points[:, 1]) / rho, field[:, 2]


def derivatives(function: Any, points: Any, step: float = 2e-3 * RADIUS) -> Any:
    """d F_i / d x_j at points, by differences of sixth order; shape (n, i, j)."""
    weights = {1: 45.0 / 60.0, 2: -9.0 / 60.0, 3: 1.0 / 60.0}
    columns = []
    for axis in np.eye(3):
        columns.append(
            sum(w * (function(points + k * step * axis) - function(points - k * step * axis)) for k, w in weights.items()) / step
        )
    return np.stack(columns, axis=2)


def curl(gradient: Any) -> Any:
    return np.stack(
        [gradient[:, 2, 1] - gradient[:, 1, 2], gradient[:, 0, 2] - gradient[:, 2, 0], gradient[:, 1, 0] - gradient[:, 0, 1]],
        axis=1,
    )


def rows_equal(found: Any, expected: Any, relative: float) -> bool:
    """Whether vectors agree to a part of their length."""
    return bool((np.linalg.norm(found - expected, axis=1) <= relative * np.linalg.norm(expected, axis=1)).all())


@pytest.mark.parametrize("z", [0.0, 0.3, -1.0, 4.0])
def test_a_ring_has_its_closed_form_on_the_axis(z: float) -> None:
    found = RING.field(np.array([[0.0, 0.0, z * RADIUS]]))[0]
    assert found == pytest.approx([0.0, 0.0, 3.0 / (2.0 * RADIUS * (1.0 + z * z) ** 1.5)], rel=1e-12, abs=1e-12)


def test_a_ring_has_its_closed_form_off_the_axis() -> None:
    radial, axial = cylindrical(POINTS, RING.field(POINTS))
    expected = np.array([ring_by_textbook(math.hypot(x, y), z) for x, y, z in POINTS])
    assert np.column_stack((radial, axial)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("z", [0.0, 0.2, 0.5, 0.9, -2.0])
def test_a_solenoid_has_its_closed_form_on_the_axis(z: float) -> None:
    ends = [(z * LENGTH + side * LENGTH / 2) for side in (1.0, -1.0)]
    expected = 7.0 / (2.0 * LENGTH) * (ends[0] / math.hypot(ends[0], RADIUS) - ends[1] / math.hypot(ends[1], RADIUS))
    assert TUBE.field(np.array([[0.0, 0.0, z * LENGTH]]))[0] == pytest.approx([0.0, 0.0, expected], rel=1e-12, abs=1e-12)


def test_a_solenoid_is_the_sum_of_its_rings() -> None:
    heights, weights = np.polynomial.legendre.leggauss(400)
    rings = [Ring(RADIUS, (0.0, 0.0, LENGTH / 2 * h), Z_AXIS, 7.0 * w / 2) for h, w in zip(heights, weights, strict=True)]
    assert rows_equal(TUBE.field(POINTS), sum(ring.field(POINTS) for ring in rings), 1e-9)
    assert rows_equal(TUBE.vector_potential(POINTS), sum(ring.vector_potential(POINTS) for ring in rings), 1e-9)


def test_the_potential_of_a_ring_is_its_integral() -> None:
    for point in POINTS:
        rho, z = math.hypot(point[0], point[1]), point[2]
        integral, _ = quad(
            lambda p, r=rho, z=z: math.cos(p) / math.sqrt(RADIUS**2 + r * r + z * z - 2 * RADIUS * r * math.cos(p)),
            0,
            math.pi,
            epsabs=1e-14,
        )
        expected = VACUUM_PERMEABILITY * 3.0 * RADIUS / (2.0 * math.pi) * integral
        assert np.linalg.norm(RING.vector_potential(point[None])[0]) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("conductor", [RING, TUBE])
def test_the_curl_of_the_potential_is_the_flux_density(conductor: Any) -> None:
    found = curl(derivatives(conductor.vector_potential, POINTS))
    assert rows_equal(found, VACUUM_PERMEABILITY * conductor.field(POINTS), 1e-6)


@pytest.mark.parametrize("conductor", [RING, TUBE])
def test_the_flux_density_has_no_sources(conductor: Any) -> None:
    gradient = derivatives(conductor.field, POINTS)
    assert np.abs(np.trace(gradient, axis1=1, axis2=2)) == pytest.approx(0.0, abs=1e-6 * np.abs(gradient).max())


@pytest.mark.parametrize("conductor", [RING, TUBE])
def test_no_current_runs_away_from_the_conductor(conductor: Any) -> None:
    gradient = derivatives(conductor.field, POINTS)
    assert np.abs(curl(gradient)) == pytest.approx(0.0, abs=1e-6 * np.abs(gradient).max())


@pytest.mark.parametrize("conductor", [RING, TUBE])
def test_near_the_axis_the_potential_is_half_the_flux_density_times_the_distance(conductor: Any) -> None:
    rho = RADIUS * np.array([0.0, 1e-12, 1e-9, 1e-7, 1e-6, 1e-5])
    points = np.column_stack((rho, np.zeros_like(rho), np.full_like(rho, 0.3 * RADIUS)))
    expected = 0.5 * VACUUM_PERMEABILITY * conductor.field(points)[:, 2] * rho
    assert conductor.vector_potential(points)[:, 1] == pytest.approx(expected, rel=1e-8)


def test_the_potential_of_a_solenoid_is_smooth_where_series_and_integrals_meet() -> None:
    rho = RADIUS * np.linspace(2.4e-5, 2.6e-5, 41)  # 4 rho / a = 1e-4 in between
    points = np.column_stack((rho, np.zeros_like(rho), np.full_like(rho, 0.3 * RADIUS)))
    per_distance = TUBE.vector_potential(points)[:, 1] / rho
    assert per_distance == pytest.approx(per_distance[0], rel=1e-9)


@pytest.mark.parametrize("conductor", [RING, TUBE])
def test_it_is_finite_even_on_the_conductor(conductor: Any) -> None:
    edge = 0.0 if conductor is RING else LENGTH / 2
    points = np.array([[RADIUS, 0.0, edge], [0.0, -RADIUS, -edge], [RADIUS, 0.0, 0.0], [0.0, 0.0, 0.0]])
    assert np.isfinite(conductor.field(points)).all()
    assert np.isfinite(conductor.vector_potential(points)).all()
    assert conductor.distance(points[:3]) == pytest.approx(0.0, abs=1e-15)


@given(axis=DIRECTIONS, centre=st.tuples(*[st.floats(-1.0, 1.0)] * 3), kind=st.sampled_from([RING, TUBE]))
def test_a_turned_and_moved_coil_has_the_turned_and_moved_field(axis: Any, centre: Any, kind: Any) -> None:
    rough = np.round(np.array(axis) / np.linalg.norm(axis), 9)  # SciPy turns wrongly where a component is 1e-162
    unit = tuple((rough / np.linalg.norm(rough)).tolist())
    turn = Rotation.align_vectors([unit], [[0.0, 0.0, 1.0]])[0]
    moved = placed((kind,), centre, unit)[0]
    there = turn.apply(POINTS) + np.array(centre)
    assert rows_equal(moved.field(there), turn.apply(kind.field(POINTS)), TINY)
    assert rows_equal(moved.vector_potential(there), turn.apply(kind.vector_potential(POINTS)), TINY)
    assert moved.distance(there) == pytest.approx(kind.distance(POINTS), rel=TINY, abs=TINY * RADIUS)


def test_the_outline_lies_on_the_conductor() -> None:
    for conductor in placed((RING, TUBE), (0.1, 0.2, 0.3), (0.0, 0.6, 0.8)):
        assert conductor.distance(conductor.outline()) == pytest.approx(0.0, abs=1e-12)


def on_axis(winding: Any, z: float) -> float:
    return float(sum(current.field(np.array([[0.0, 0.0, z]]))[0, 2] for current in winding.currents()))


def test_a_helmholtz_pair_has_its_closed_form() -> None:
    pair = HelmholtzWinding.model_validate({"kind": "helmholtz", "radius": "50 mm", "turns": 10})
    assert on_axis(pair, 0.0) == pytest.approx(0.8**1.5 * 10 / RADIUS, rel=1e-12)
    for z in (0.1, 0.3, -0.7):
        expected = sum(10.0 / (2 * RADIUS * (1 + (z + side) ** 2) ** 1.5) for side in (0.5, -0.5))
        assert on_axis(pair, z * RADIUS) == pytest.approx(expected, rel=1e-12)


def test_a_helmholtz_pair_is_uniform_to_the_fourth_order() -> None:
    pair = HelmholtzWinding.model_validate({"kind": "helmholtz", "radius": "50 mm", "turns": 10})
    loss = [1.0 - on_axis(pair, z * RADIUS) / on_axis(pair, 0.0) for z in (0.02, 0.04)]
    assert loss[0] == pytest.approx(144.0 / 125.0 * 0.02**4, rel=5e-3)  # Taylor series of the closed form
    assert math.log2(loss[1] / loss[0]) == pytest.approx(4.0, abs=0.02)


def test_a_maxwell_coil_is_uniform_to_the_sixth_order() -> None:
    coil = MaxwellWinding.model_validate({"kind": "maxwell", "radius": "50 mm", "turns": 64})
    middle = 64.0 / (2 * RADIUS) + 2 * 49.0 * (4 / 7) / (2 * RADIUS)  # the outer rings lie one radius from the middle
    assert on_axis(coil, 0.0) == pytest.approx(middle, rel=1e-12)
    for z in (0.2, 0.5):
        outer = sum(49.0 * (4 / 7) / (2 * RADIUS * (4 / 7 + (z - side * math.sqrt(3 / 7)) ** 2) ** 1.5) for side in (1, -1))
        assert on_axis(coil, z * RADIUS) == pytest.approx(64.0 / (2 * RADIUS * (1 + z * z) ** 1.5) + outer, rel=1e-12)
    loss = [1.0 - on_axis(coil, z * RADIUS) / middle for z in (0.08, 0.16)]
    assert math.log2(loss[1] / loss[0]) == pytest.approx(6.0, abs=0.1)


def test_opposed_loops_cancel_in_between() -> None:
    loops = [{"radius": "50 mm", "centre": ("0 mm", "0 mm", z), "turns": turns} for z, turns in (("-30 mm", 2), ("30 mm", -2.0))]
    winding = LoopsWinding.model_validate({"kind": "loops", "loops": tuple(loops)})
    assert winding.middle() == ORIGIN
    assert on_axis(winding, 0.0) == pytest.approx(0.0, abs=1e-12)
    assert on_axis(winding, 0.03) < 0.0 < on_axis(winding, -0.03)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"radius": "0 mm"}, "out of range"),
        ({"length": "80"}, "write the unit"),
        ({"turns": 0}, "other than 0"),
        ({"turns": "8"}, "number of turns"),
        ({"turns": math.nan}, "number of turns"),
        ({"turns": True}, "number of turns"),
        ({"axis": (0, 0, 0)}, "no direction"),
        ({"axis": "w"}, "direction of three numbers"),
        ({"axis": (1, 0)}, "direction of three numbers"),
        ({"centre": ("0 mm", "0 mm")}, "centre"),
        ({"diameter": "80 mm"}, "diameter"),
    ],
)
def test_a_winding_that_cannot_be_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SolenoidWinding.model_validate({"kind": "solenoid", "radius": "40 mm", "length": "80 mm", "turns": 8} | change)


@pytest.mark.parametrize("axis", [(0, 0, 2), (0.0, 0.0, 1e-200), "z"])
def test_the_length_of_an_axis_does_not_matter(axis: Any) -> None:
    assert SolenoidWinding.model_validate({"kind": "solenoid", "radius": "4 mm", "length": "8 mm", "axis": axis}).axis == Z_AXIS


@pytest.mark.parametrize("name", coil_files())
def test_a_library_coil_fits_around_its_bore(name: str) -> None:
    coil = load_coil(coil_file(name, Path()))
    assert coil.name == name
    assert coil.winding.middle() == ORIGIN
    within = 0.499 * coil.bore.value
    angles = np.linspace(0.0, 2.0 * math.pi, 32)
    rim = within * np.column_stack((np.cos(angles), np.sin(angles), np.zeros_like(angles)))
    assert min(current.distance(rim).min() for current in coil.winding.currents()) > 0.0
    assert 1e3 < coil.amplitude.value < 1e5
    for entry in (coil.winding, coil.bore, coil.amplitude, coil.frequency):
        assert entry.spread, f"{name} lacks a spread"


def test_the_library_has_the_coils_of_the_field() -> None:
    assert {"coil-1kW", "coil-15kW", "coil-120kW", "clinical-applicator"} <= set(coil_files())


def test_the_maxwell_coil_is_as_uniform_as_published() -> None:
    """Attaluri (2020): within 10 % over about 3000 mL."""
    coil = load_coil(coil_file("coil-maxwell-120kW", Path()))
    directions = np.random.default_rng(0).normal(size=(500, 3))
    ball = (3 * 3e-3 / (4 * math.pi)) ** (1 / 3) * directions / np.linalg.norm(directions, axis=1)[:, None]
    amplitude = np.linalg.norm(sum(current.field(np.vstack((ball, np.zeros(3)))) for current in coil.winding.currents()), axis=1)
    assert np.abs(amplitude / amplitude[-1] - 1.0).max() < 0.10


def test_a_coil_file_tells_its_faults(tmp_path: Path) -> None:
    text = coil_file("coil-1kW", Path()).read_text(encoding="utf-8")
    file = tmp_path / "mine.toml"
    file.write_text(text.replace('radius = "14 mm"', 'radius = "14"'), encoding="utf-8")
    with pytest.raises(ValueError, match=r"mine.toml: winding.radius: .*write the unit"):
        load_coil(coil_file("mine.toml", tmp_path))
    file.write_text(text.replace('class = "coil"', 'class = "particle"'), encoding="utf-8")
    with pytest.raises(ValueError, match='is of class "particle"'):
        load_coil(file)
    file.write_text("name = ", encoding="utf-8")
    with pytest.raises(ValueError, match="can't be read"):
        load_coil(file)


def test_an_unknown_coil_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="did you mean coil-15kW"):
        coil_file("coil-15kw", Path())


def test_the_record_of_a_coil_is_closed() -> None:
    with pytest.raises(ValidationError, match="power"):
        Coil.model_validate({"name": "x", "class": "coil", "power": "1 kW"})
