"""Images of iron: read from every format in its place, calibrated, and refused where they can't be true."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvista
import SimpleITK as itk  # noqa: N813

from nanowarm.errors import CaseError
from nanowarm.model import frozen_copy
from nanowarm.numerics.images import check_overlap, read_iron_image
from nanowarm.physics.iron_images import Image

SPACING, FIRST = (1.0, 2.0, 3.0), (5.0, -6.0, 7.0)  # [mm]
FORMATS = ["nii", "nii.gz", "nrrd", "mha", "mhd"]
TURNED = (0.0, -1.0, 0.0, 0.8, 0.0, -0.6, 0.6, 0.0, 0.8)  # direction cosines of an oblique image


def phantom() -> Any:
    """Iron that no flip leaves as it is, shape (4, 5, 6)."""
    values = np.zeros((4, 5, 6), dtype=np.float32)
    values[1, 2, 3:], values[1:, 2, 3], values[1, 1, 3] = 1.0, 2.0, 4.0
    return values


def write(path: Path, values: Any, spacing: Any = SPACING, first: Any = FIRST, direction: Any = None) -> Path:
    image = itk.GetImageFromArray(values)
    image.SetSpacing(spacing)
    image.SetOrigin(first)
    if direction is not None:
        image.SetDirection(direction)
    itk.WriteImage(image, str(path))
    return path


def record(path: Path, calibration: Any = None, **more: Any) -> Image:
    calibration = {"slope": 1.0, "unit": "mgFe/mL"} | (calibration or {})
    return Image.model_validate(frozen_copy({"image": path.name, "coordinates": "LPS", "calibration": calibration} | more))


def read(path: Path, calibration: Any = None, **more: Any) -> Any:
    return read_iron_image(record(path, calibration, **more), path.parent)


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("direction", [None, TURNED])
def test_every_format_has_values_and_places(tmp_path: Path, ending: str, direction: Any) -> None:
    found = read(write(tmp_path / f"iron.{ending}", phantom(), direction=direction))
    axes = np.eye(3) if direction is None else np.array(direction).reshape(3, 3)
    assert (found.concentration == phantom()).all()
    assert found.first == pytest.approx(1e-3 * np.array(FIRST), abs=1e-9)
    assert found.steps == pytest.approx(1e-3 * axes * SPACING, abs=1e-9)
    assert found.total == pytest.approx(phantom().sum() * 6e-9, rel=1e-6)
    assert found.notes == ()


@pytest.mark.parametrize(("kind", "half"), [("point_data", 0.0), ("cell_data", 0.5)])
def test_a_vtk_image_has_values_at_points_or_in_cells(tmp_path: Path, kind: str, half: float) -> None:
    extra = 0 if kind == "point_data" else 1
    grid = pyvista.ImageData(dimensions=(6 + extra, 5 + extra, 4 + extra), spacing=SPACING, origin=FIRST)
    getattr(grid, kind)["iron"] = phantom().ravel()
    grid.save(tmp_path / "iron.vti")
    found = read(tmp_path / "iron.vti")
    assert (found.concentration == phantom()).all()
    assert found.first == pytest.approx(1e-3 * (np.array(FIRST) + half * np.array(SPACING)))


def test_an_array_of_a_vtk_image_must_be_named_where_it_has_several(tmp_path: Path) -> None:
    grid = pyvista.ImageData(dimensions=(6, 5, 4), spacing=SPACING, origin=FIRST)
    grid.point_data["iron"], grid.point_data["mask"] = phantom().ravel(), phantom().ravel()
    grid.save(tmp_path / "iron.vti")
    assert read(tmp_path / "iron.vti", array="iron").total > 0.0
    for wanted in ({}, {"array": "gold"}):
        with pytest.raises(CaseError, match="say which `array` holds the values; it has: iron, mask"):
            read(tmp_path / "iron.vti", **wanted)


def test_skewed_axes_are_kept(tmp_path: Path) -> None:
    path = replaced(write(tmp_path / "iron.nrrd", phantom()), b"(1,0,0)", b"(1,1,0)")
    assert read(path).steps == pytest.approx(1e-3 * np.array([[1, 0, 0], [1, 2, 0], [0, 0, 3]]))


def test_a_mesh_in_ras_finds_every_voxel_on_the_other_side(tmp_path: Path) -> None:
    path = write(tmp_path / "iron.nii", phantom())
    lps, ras = read(path), read(path, coordinates="RAS")
    assert ras.first == pytest.approx(lps.first * [-1, -1, 1])
    assert ras.steps == pytest.approx(np.diag([-1, -1, 1]) @ lps.steps)


def test_a_unit_scales_the_iron_with_the_volume(tmp_path: Path) -> None:
    path = write(tmp_path / "iron.nrrd", phantom())
    assert read(path, unit="um").total == pytest.approx(1e-9 * read(path).total)


def test_a_crop_keeps_the_voxels_of_a_box_in_their_place(tmp_path: Path) -> None:
    whole = read(write(tmp_path / "iron.nrrd", np.arange(7000.0).reshape(20, 14, 25), direction=TURNED))
    centre = whole.first + whole.steps @ [12, 8, 4]
    part = whole.cropped(centre - 1e-4, centre + 1e-4)
    at = np.rint(np.linalg.solve(part.steps, centre - part.first)).astype(int)
    assert part.concentration.size < 200
    assert part.concentration[tuple(at[::-1])] == whole.concentration[4, 8, 12]
    assert part.total == whole.total


def test_a_background_holds_no_iron_and_needs_no_calibration(tmp_path: Path) -> None:
    values = phantom() * 100
    values[0] = -1000.0
    path = write(tmp_path / "ct.nii", values)
    found = read(path, {"of": "HU", "slope": 0.1, "valid": [50.0, 500.0]}, background=50.0)
    assert found.total == pytest.approx(10 * phantom().sum() * 6e-9, rel=1e-6)


def test_values_beyond_a_calibration_are_refused_or_taken_as_its_ends(tmp_path: Path) -> None:
    path = write(tmp_path / "ct.nii", phantom())
    with pytest.raises(CaseError, match=r"1 of 120 voxels lie outside the R1 of its calibration, 0 to 3: set `background`, or"):
        read(path, {"of": "R1", "valid": [0.0, 3.0]})
    found = read(path, {"valid": [0.0, 3.0], "outside": "clip"})
    assert found.concentration.max() == 3.0
    assert found.notes == ("1 voxels beyond the calibration were taken as 0 or 3",)


def test_negative_iron_within_the_noise_counts_as_none(tmp_path: Path) -> None:
    values = phantom()
    values[0, 0, :2] = -0.05
    path = write(tmp_path / "mri.nii", values)
    with pytest.raises(CaseError, match=r"iron down to -0.05 mgFe/mL in 2 voxels"):
        read(path, noise="0.01 mgFe/mL")
    found = read(path, noise="0.06 mgFe/mL")
    assert found.concentration.min() == 0.0
    assert "2 voxels of negative iron were taken as none" in found.notes[0]


def test_a_header_without_orientation_is_noted(tmp_path: Path) -> None:
    path = changed(write(tmp_path / "iron.nii", phantom()), 252, struct.pack("2h", 0, 0))
    assert "does not say the orientation" in read(path).notes[0]


def changed(path: Path, at: int, content: bytes) -> Path:
    whole = bytearray(path.read_bytes())
    whole[at : at + len(content)] = content
    path.write_bytes(whole)
    return path


def shortened(path: Path, kept: float = 0.6) -> Path:
    data = path.with_suffix(".raw") if path.suffix == ".mhd" else path
    data.write_bytes(data.read_bytes()[: int(kept * data.stat().st_size)])
    return path


def with_value(path: Path, value: float) -> Path:
    values = phantom()
    values[2, 2, 2] = value
    return write(path, values)


def vtk_image(path: Path) -> Path:
    grid = pyvista.ImageData(dimensions=(6, 5, 4), spacing=SPACING)
    grid.point_data["iron"] = np.random.default_rng(1).random(120)
    grid.save(path)
    return path


def junk(path: Path) -> Path:
    path.write_bytes(b"no image " * 100)
    return path


def zipped(path: Path, source: Path) -> Path:
    path.write_bytes(gzip.compress(source.read_bytes()))
    return path


BAD: dict[str, tuple[Callable[[Path], Path], str]] = {
    **{f"truncated {end}": (lambda f, e=end: shortened(write(f / f"i.{e}", phantom())), "truncated") for end in FORMATS},
    "truncated vti": (lambda f: shortened(vtk_image(f / "i.vti")), "truncated"),
    "truncated vti, nearly whole": (lambda f: shortened(vtk_image(f / "i.vti"), 0.9), "truncated"),
    "truncated nii, nearly whole": (
        lambda f: shortened(write(f / "i.nii", phantom()), 0.99),
        r"truncated: it holds \d+ bytes of voxels of the 480",
    ),
    "truncated inside": (lambda f: zipped(f / "i.nii.gz", shortened(write(f / "j.nii", phantom()))), "truncated: "),
    "NaN": (lambda f: with_value(f / "i.nii", np.nan), "1 voxels are NaN or infinite"),  # zeros to SimpleITK
    "NaN, packed": (lambda f: with_value(f / "i.nii.gz", np.nan), "1 voxels are NaN or infinite"),
    "NaN, nrrd": (lambda f: with_value(f / "i.nrrd", np.nan), "1 of 120 voxels are NaN or infinite"),
    "infinite": (lambda f: with_value(f / "i.mha", -np.inf), "1 of 120 voxels are NaN or infinite"),
    "negative": (lambda f: with_value(f / "i.nrrd", -0.1), "iron down to -0.1 mgFe/mL"),
    "solid": (lambda f: with_value(f / "i.nrrd", 1e4), "more than in solid iron"),
    "empty": (lambda f: write(f / "i.nrrd", 0 * phantom()), "no voxel holds iron"),
    "no spacing, nii": (lambda f: changed(write(f / "i.nii", phantom()), 80, struct.pack("f", 0.0)), "voxels without size"),
    "no spacing, mha": (
        lambda f: replaced(write(f / "i.mha", phantom()), b"Spacing = 1 2 3", b"Spacing = 0 2 3"),
        "without size",
    ),
    "no spacing, nrrd": (lambda f: replaced(write(f / "i.nrrd", phantom()), b"(1,0,0)", b"(0,0,0)"), "without size"),
    "flat": (lambda f: write(f / "i.mha", phantom()[0], SPACING[:2], FIRST[:2]), "three axes; found 32-bit float, 6 x 5"),
    "coloured": (lambda f: coloured(f / "i.nrrd"), "one real number per voxel"),
    "complex": (lambda f: write(f / "i.mha", phantom() * 1j), "can't be read|one real number per voxel"),
    "junk nii": (lambda f: junk(f / "i.nii"), "not NIfTI"),
    "junk nrrd": (lambda f: junk(f / "i.nrrd"), "can't be read as an image"),
    "junk vti": (lambda f: junk(f / "i.vti"), "can't be read as an image"),
    "nothing": (lambda f: f / "i.nii", "no such file"),
    "a folder": (lambda f: folder(f / "i.nii"), "no such file"),
    "a picture": (lambda f: junk(f / "i.png"), r"known: \.nii, \.nii\.gz, \.nrrd, \.mha, \.mhd, \.vti"),
}


def replaced(path: Path, old: bytes, new: bytes) -> Path:
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new))
    return path


def coloured(path: Path) -> Path:
    itk.WriteImage(itk.GetImageFromArray(np.ones((4, 5, 6, 3), np.float32), isVector=True), str(path))
    return path


def folder(path: Path) -> Path:
    path.mkdir()
    return path


@pytest.mark.parametrize("name", BAD)
def test_a_bad_image_is_refused_in_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str) -> None:
    make, line = BAD[name]
    path = make(tmp_path)
    capfd.readouterr()
    with pytest.raises(CaseError, match=line) as caught:
        read(path)
    (fault,) = caught.value.faults
    assert fault.startswith(f"{path}: ")
    assert "\n" not in fault
    assert capfd.readouterr() == ("", "")  # what the libraries print stays theirs


@pytest.mark.parametrize(
    ("unit", "shift", "line"),
    [
        ("m", 0.0, r"wrong scale: the image is 2.42e\+03 times as large as the region"),
        ("um", 0.0, "wrong scale: the image is 0.00242 times as large as the region"),
        ("mm", 20.0, r"lies beside the region: .*the region 25\.\.29 x"),
    ],
)
def test_an_image_of_another_scale_or_place_is_refused(tmp_path: Path, unit: str, shift: float, line: str) -> None:
    path = write(tmp_path / "iron.nrrd", phantom())
    low = 1e-3 * (np.array(FIRST) + shift)
    with pytest.raises(CaseError, match=line):
        check_overlap(read(path, unit=unit), path, low, low + 4e-3)
    check_overlap(read(path), path, low - 1e-3 * shift, low - 1e-3 * shift + 4e-3)
