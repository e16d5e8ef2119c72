"""Maps of a field: read from CSV and VTK, exact where they are linear, refused where they are damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from nanowarm.model import frozen_copy
from nanowarm.physics.fields import AnyField
from nanowarm.quantity import VACUUM_PERMEABILITY

FIELD: TypeAdapter[Any] = TypeAdapter(AnyField)
AXES = (np.linspace(-10.0, 10.0, 5), np.linspace(-6.0, 9.0, 4), np.array([-8.0, -1.0, 3.0, 12.0]))  # [mm]
GRID = np.stack(np.meshgrid(*AXES, indexing="ij"), axis=-1).reshape(-1, 3)
INSIDE = 1e-3 * np.array([[0.0, 0.0, 0.0], [3.3, -2.2, 7.1], [10.0, 9.0, 12.0], [-9.9, -5.9, -7.9]])
HEADER = "x [mm], y [mm], z [mm], Hx [kA/m], Hy [kA/m], Hz [kA/m]"


def linear(points: Any) -> Any:
    """An unsymmetric field [kA/m] over points [mm], linear in each coordinate."""
    x, y, z = np.asarray(points).T
    return np.column_stack((0.1 * x, 0.2 * y - 0.05 * z, 20.0 + 0.3 * x - 0.1 * y + 0.02 * z + 0.001 * x * y * z))


def write(file: Path, rows: Any, header: str = HEADER, mark: str = ",") -> None:
    lines = [header.replace(",", mark)] + [mark.join(f"{value!r}" for value in row) for row in np.asarray(rows).tolist()]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def field(folder: Path, name: str = "map.csv", **more: Any) -> Any:
    given = {"kind": "map", "file": name, "frequency": "150 kHz"} | more
    return FIELD.validate_python(frozen_copy(given), context={"folder": folder})


@pytest.fixture
def grid(tmp_path: Path) -> Path:
    write(tmp_path / "map.csv", np.column_stack((GRID, linear(GRID))))
    return tmp_path


def test_a_grid_is_trilinear_between_its_points(grid: Path) -> None:
    found = field(grid)
    assert found.vector(INSIDE) == pytest.approx(1e3 * linear(1e3 * INSIDE), rel=1e-12)
    assert found.shape(INSIDE) == pytest.approx(np.linalg.norm(found.vector(INSIDE), axis=1))
    assert found.largest() == 1.0
    assert found.per_drive() == pytest.approx(1e3 * np.linalg.norm(linear(GRID), axis=1).max())
    assert found.files() == (grid / "map.csv",)


def test_the_rows_of_a_grid_may_have_any_order(tmp_path: Path) -> None:
    rows = np.random.default_rng(1).permutation(np.column_stack((GRID, linear(GRID))))
    write(tmp_path / "map.csv", rows)
    assert field(tmp_path).vector(INSIDE) == pytest.approx(1e3 * linear(1e3 * INSIDE), rel=1e-12)


def test_a_map_scales_to_an_amplitude_at_a_point(grid: Path) -> None:
    found = field(grid, amplitude="35 kA/m", at=["3 mm", "-2 mm", "7 mm"])
    assert found.largest() * found.shape(np.array([[3e-3, -2e-3, 7e-3]]))[0] == pytest.approx(35e3, rel=1e-14)
    assert found.per_drive() == 1.0
    assert field(grid, amplitude="20 kA/m").shape(np.zeros((1, 3)))[0] == pytest.approx(1.0)  # its origin, unless told


def test_a_map_can_be_moved(grid: Path) -> None:
    shift = np.array([0.1, -0.2, 0.3])
    moved = field(grid, centre=["100 mm", "-200 mm", "300 mm"])
    assert moved.vector(INSIDE + shift) == pytest.approx(field(grid).vector(INSIDE), rel=1e-9)
    assert not moved.covers(INSIDE).any()


def test_a_level_switches_a_map_as_it_is(grid: Path) -> None:
    assert field(grid, level="50 %").largest() == pytest.approx(0.5)
    assert field(grid, level={"at": ["0 s", "10 s"], "values": ["0 %", "100 %"]}).drive().value(5.0, 0.0) == pytest.approx(0.5)
    assert field(grid, amplitude="0 kA/m").largest() == 0.0
    with pytest.raises(ValidationError, match="found both"):
        field(grid, level="50 %", amplitude="20 kA/m")


def test_an_off_stage_shares_the_pattern_of_the_on_stage(grid: Path) -> None:
    on, off = (field(grid, amplitude=amplitude) for amplitude in ("20 kA/m", "0 kA/m"))
    assert off.pattern() == on.pattern()
    assert off.shape(INSIDE) == pytest.approx(on.shape(INSIDE))


def test_a_map_as_it_is_can_be_switched_off_even_where_it_misses_its_origin(tmp_path: Path) -> None:
    write(tmp_path / "map.csv", np.column_stack((GRID + 100.0, linear(GRID))))
    assert field(tmp_path, amplitude="0 kA/m").largest() == 0.0
    with pytest.raises(ValidationError, match="`at`, where the amplitude counts"):
        field(tmp_path, amplitude="1 kA/m")


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_an_amplitude_alone_heats_but_has_no_direction(tmp_path: Path, mark: str) -> None:
    write(tmp_path / "map.csv", np.column_stack((GRID, GRID[:, 0] + 20.0)), "x [mm], y [mm], z [mm], H [kA/m]", mark)
    found = field(tmp_path)
    assert found.shape(INSIDE) == pytest.approx(1e3 * (1e3 * INSIDE[:, 0] + 20.0))
    with pytest.raises(ValueError, match="no direction"):
        found.vector(INSIDE)


def test_a_flux_density_and_other_units_are_converted(tmp_path: Path) -> None:
    values = linear(GRID) * 1e3 * VACUUM_PERMEABILITY * 1e3  # mT
    header = "% simulated\n% x (cm), y (cm), z (cm), Bx (mT), By (mT), Bz (mT), T (K)"
    write(tmp_path / "map.csv", np.column_stack((GRID / 10.0, values, np.full(len(GRID), 300.0))), header)
    assert field(tmp_path).vector(INSIDE) == pytest.approx(1e3 * linear(1e3 * INSIDE), rel=1e-9)


def test_a_map_has_no_vector_potential_unless_it_is_given(tmp_path: Path, grid: Path) -> None:
    with pytest.raises(ValueError, match="no vector potential unless it is given"):
        field(grid).vector_potential(INSIDE)
    potential = np.cross([0.0, 0.0, 1.0], GRID)
    header = HEADER + ", Ax [uT*m], Ay [uT*m], Az [uT*m]"
    write(tmp_path / "more.csv", np.column_stack((GRID, linear(GRID), potential)), header)
    found = field(tmp_path, "more.csv")
    assert found.vector_potential(INSIDE) == pytest.approx(1e-6 * np.cross([0, 0, 1], 1e3 * INSIDE), rel=1e-9, abs=1e-15)
    assert found.vector(INSIDE) == pytest.approx(1e3 * linear(1e3 * INSIDE), rel=1e-9)


def test_outside_a_map_is_refused_unless_the_nearest_point_counts(grid: Path) -> None:
    outside = np.array([[0.0, 0.0, 0.0], [0.02, 0.0, 0.0]])
    with pytest.raises(ValueError, match=r"1 of 2 points lie outside the map, e.g. \[20, 0, 0\] mm; it covers \[-10, -6, -8\]"):
        field(grid).shape(outside)
    assert field(grid).covers(outside).tolist() == [True, False]
    near = field(grid, outside="nearest")
    assert near.covers(outside).all()
    assert near.vector(outside)[1] == pytest.approx(1e3 * linear([[10.0, 0.0, 0.0]])[0])


def test_a_cloud_is_linear_between_its_points(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    corners = np.array([[x, y, z] for x in (-11.0, 11.0) for y in (-7.0, 10.0) for z in (-9.0, 13.0)])
    points = np.vstack((corners, random.uniform(-6.0, 9.0, size=(200, 3))))
    values = linear(points) - np.array([0.0, 0.0, 0.001]) * points.prod(axis=1)[:, None]  # the part that is linear altogether
    write(tmp_path / "map.csv", np.column_stack((points, values)))
    expected = linear(1e3 * INSIDE) - np.array([0.0, 0.0, 0.001]) * (1e3 * INSIDE).prod(axis=1)[:, None]
    assert field(tmp_path).vector(INSIDE) == pytest.approx(1e3 * expected, rel=1e-9, abs=1e-6)
    far = np.array([[0.1, 0.1, 0.1]])
    with pytest.raises(ValueError, match="outside the map"):
        field(tmp_path).shape(far)
    corner = values[np.argmin(np.linalg.norm(points - [100.0, 100.0, 100.0], axis=1))]
    assert field(tmp_path, outside="nearest").vector(far)[0] == pytest.approx(1e3 * corner)


@pytest.mark.parametrize("suffix", ["vti", "vtr", "vtu", "vtk"])
def test_vtk_files_hold_maps_too(tmp_path: Path, suffix: str) -> None:
    import pyvista

    axes = tuple(np.linspace(-10.0, 12.0, number) for number in (3, 4, 5))
    if suffix == "vti":
        made: Any = pyvista.ImageData(dimensions=(3, 4, 5), spacing=(11.0, 22.0 / 3, 5.5), origin=(-10.0, -10.0, -10.0))
    else:
        made = pyvista.RectilinearGrid(*axes)
    if suffix in ("vtu", "vtk"):
        made = made.cast_to_unstructured_grid()
    made.point_data["H [kA/m]"] = linear(np.asarray(made.points))
    made.point_data["other"] = np.zeros(made.n_points)
    made.save(tmp_path / f"map.{suffix}")
    points = INSIDE[:2]
    exact = field(tmp_path, f"map.{suffix}", unit="mm").vector(points)
    assert exact == pytest.approx(1e3 * linear(1e3 * points), rel=1e-6)
    again = field(tmp_path, f"map.{suffix}", unit="mm", array="H [kA/m]", array_unit="A/m")
    assert again.vector(points) == pytest.approx(exact / 1e3)
    with pytest.raises(ValidationError, match="give `unit`"):
        field(tmp_path, f"map.{suffix}")


def test_a_vtk_file_that_leaves_something_open_is_refused(tmp_path: Path) -> None:
    import pyvista

    made = pyvista.ImageData(dimensions=(3, 3, 3))
    made.point_data["H"] = np.ones(27)
    made.point_data["B"] = np.ones(27)
    made.save(tmp_path / "map.vti")
    with pytest.raises(ValidationError, match="which array is the field"):
        field(tmp_path, "map.vti", unit="mm")
    with pytest.raises(ValidationError, match="unit of the array"):
        field(tmp_path, "map.vti", unit="mm", array="H")
    assert field(tmp_path, "map.vti", unit="mm", array="H", array_unit="kA/m").largest() == 1.0
    content = (tmp_path / "map.vti").read_bytes()
    (tmp_path / "cut.vti").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValidationError, match=r"cut.vti: (no values|can't be read)"):
        field(tmp_path, "cut.vti", unit="mm", array="H", array_unit="kA/m")


def _rows() -> Any:
    return np.column_stack((GRID, linear(GRID)))


def _with_nan() -> Any:
    rows = _rows()
    rows[7, 4] = np.nan
    return rows


@pytest.mark.parametrize(
    ("rows", "header", "message"),
    [
        (_with_nan(), HEADER, r"1 of 80 points hold NaN or infinity, the first in row 8"),
        (_rows()[:-1], HEADER, r"incomplete grid: 79 of 5 x 4 x 4 = 80 points"),
        (np.delete(_rows(), 31, axis=0), HEADER, "incomplete grid"),
        (np.vstack((_rows(), _rows()[3:4])), HEADER, "is there 2 times"),
        (_rows()[:4], HEADER, "without volume"),
        (_rows()[:0], HEADER, "no rows"),
        (_rows(), HEADER.replace(" [kA/m]", "", 1), "write the unit of the column"),
        (_rows(), HEADER.replace("kA/m", "kg", 1), "not a unit"),
        (_rows(), HEADER.replace("kA/m", "kA/m rms", 1), "always peak"),
        (_rows(), HEADER.replace("Hz", "Hq"), "no column Hz"),
        (_rows(), HEADER.replace("y [mm]", "q [mm]"), "no column y"),
        (_rows(), HEADER.replace("Hz", "Hy"), "there twice"),
        (_rows()[:, :3], "x [mm], y [mm], z [mm]", "no field"),
        (_rows()[:, :5], HEADER, "6 columns in the header, 5 in the rows"),
    ],
)
def test_a_damaged_map_is_refused(tmp_path: Path, rows: Any, header: str, message: str) -> None:
    write(tmp_path / "map.csv", rows, header)
    with pytest.raises(ValidationError, match=message) as caught:
        field(tmp_path)
    assert [error["loc"] for error in caught.value.errors()] == [("map", "file")]


def test_a_map_that_is_cut_off_in_a_row_is_refused(grid: Path) -> None:
    text = (grid / "map.csv").read_text(encoding="utf-8")
    (grid / "map.csv").write_text(text[: len(text) // 2].rsplit(",", 2)[0], encoding="utf-8")
    with pytest.raises(ValidationError, match="damaged or cut off"):
        field(grid)


@pytest.mark.parametrize(
    ("name", "message"), [("none.csv", "no such file"), ("map.xyz", "unknown kind of file"), ("empty.csv", "no rows")]
)
def test_a_file_that_is_no_map_is_refused(grid: Path, name: str, message: str) -> None:
    (grid / "map.xyz").touch()
    (grid / "empty.csv").touch()
    with pytest.raises(ValidationError, match=message):
        field(grid, name)


def test_points_of_a_grid_with_holes_are_a_cloud_where_asked(tmp_path: Path) -> None:
    write(tmp_path / "map.csv", np.delete(np.column_stack((GRID, GRID)), 40, axis=0))
    assert field(tmp_path, layout="cloud").vector(INSIDE) == pytest.approx(1e6 * INSIDE, abs=1e-6)


def test_a_map_is_read_back_from_its_own_text(grid: Path) -> None:
    first = field(grid, amplitude="20 kA/m")
    again = FIELD.validate_python(frozen_copy(FIELD.dump_python(first, mode="json", exclude_none=True)))
    assert again.shape(INSIDE) == pytest.approx(first.shape(INSIDE))
