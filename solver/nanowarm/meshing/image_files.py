"""Image files as arrays of voxels with their places: NIfTI, NRRD and MetaImage by SimpleITK, VTK images by VTK."""

from __future__ import annotations

import gzip
import math
import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanowarm.errors import CaseError

Array = NDArray[np.float64]

_ENDINGS = (".nii", ".nii.gz", ".nrrd", ".mha", ".mhd", ".vti")
_CHUNK = 1 << 20  # bytes
_DAMAGED = "can't be read as an image: it is truncated, damaged, or not what its name says"
_NO_ORIENTATION = "its header does not say the orientation: the axes of the array were taken as LPS"


@dataclass(frozen=True, eq=False)
class Voxels:
    """An image as its file has it.

    Args:
        values: of the voxels, shape (nz, ny, nx).
        first: centre of the first voxel, in the coordinates of the file, shape (3,).
        steps: from a voxel to the next along x, y and z of the array, as columns, shape (3, 3).
        notes: what a user should know of the file.
    """

    values: NDArray[Any]
    first: Array
    steps: Array
    notes: tuple[str, ...] = ()


def read_voxels(path: Path, array: str | None) -> Voxels:
    """The voxels of a file, in its own coordinates: LPS in millimetres for all but VTK images.

    Args:
        array: which one of a VTK image; may be left out where it has one.

    Raises:
        CaseError: the file can't be read, wholly and truly.
    """
    if not path.name.lower().endswith(_ENDINGS):
        raise CaseError(f"{path}: no image of a kind that is read here; known: {', '.join(_ENDINGS)}")
    if not path.is_file():
        raise CaseError(f"{path}: no such file")
    if path.suffix.lower() == ".vti":
        return _read_vti(path, array)
    notes = _check_nifti(path) if path.name.lower().endswith((".nii", ".nii.gz")) else ()
    voxels = _read_itk(path)
    return replace(voxels, notes=(*voxels.notes, *notes))


def _read_itk(path: Path) -> Voxels:
    """An image that SimpleITK reads: its coordinates are LPS, in millimetres where the format says so."""
    import SimpleITK as itk  # noqa: N813

    try:
        with _silent():
            reader: Any = itk.ImageFileReader()
            reader.SetFileName(str(path))
            reader.ReadImageInformation()
            check_spacing(path, reader.GetSpacing())
            image: Any = reader.Execute()
    except RuntimeError as error:
        oblique = "orthonormal" in str(error)
        why = "can't be read as an image: its axes are not at right angles" if oblique else _DAMAGED
        raise CaseError(f"{path}: {why}") from None
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1 or "complex" in image.GetPixelIDTypeAsString():
        found = f"{image.GetPixelIDTypeAsString()}, {' x '.join(map(str, image.GetSize()))}"
        raise CaseError(f"{path}: must hold one real number per voxel of three axes; found {found}")
    steps = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    placeless = path.suffix.lower() == ".nrrd" and not image.HasMetaDataKey("NRRD_space")
    return Voxels(itk.GetArrayFromImage(image), np.array(image.GetOrigin()), steps, (_NO_ORIENTATION,) * placeless)


def check_spacing(path: Path, spacing: Iterable[float]) -> None:
    """Refuse voxels without size.

    Raises:
        CaseError: a spacing is zero, negative or not finite.
    """
    if not all(np.isfinite(length) and length > 0.0 for length in spacing):
        raise CaseError(f"{path}: voxels without size: the spacing in its header is {' x '.join(f'{s:g}' for s in spacing)}")


@dataclass(frozen=True)
class _Nifti:
    """Where a header of NIfTI holds what is checked: form and place of each entry.

    Args:
        size: length of the header, which is its first entry.
        kind: of the numbers in the voxels.
        bits: of a voxel.
        dims: number of axes, then the voxels along each.
        spacing: of the first three axes.
        start: first byte of the voxels.
        named: whether two ways to say the orientation are used.
    """

    size: int
    kind: tuple[str, int]
    bits: tuple[str, int]
    dims: tuple[str, int]
    spacing: tuple[str, int]
    start: tuple[str, int]
    named: tuple[str, int]


_HEADERS = (
    _Nifti(348, ("h", 70), ("h", 72), ("8h", 40), ("3f", 80), ("f", 108), ("2h", 252)),
    _Nifti(540, ("h", 12), ("h", 14), ("8q", 16), ("3d", 112), ("q", 168), ("2i", 344)),
)
_FLOATS = {16: "f4", 64: "f8"}  # kinds of numbers that may be NaN


def _check_nifti(path: Path) -> tuple[str, ...]:
    """Refuse what SimpleITK would take in silence: missing voxels and NaN as 0, a spacing of 0 as 1.

    Returns:
        Notes on the header.
    """
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
            return _checked_nifti(path, file)
    except (EOFError, OSError, ValueError, struct.error, zlib.error):
        raise CaseError(f"{path}: {_DAMAGED}") from None


def _checked_nifti(path: Path, file: Any) -> tuple[str, ...]:
    head = file.read(544)
    kinds = [(order, kind) for order in "<>" for kind in _HEADERS if head[:4] == struct.pack(order + "i", kind.size)]
    if not kinds:
        raise CaseError(f"{path}: can't be read as an image: it is not NIfTI, whatever its name says")
    order, layout = kinds[0]

    def entry(place: tuple[str, int]) -> Any:
        """A value of the header by its format and place."""
        return struct.unpack_from(order + place[0], head, place[1])

    check_spacing(path, entry(layout.spacing))
    dims, start = entry(layout.dims), int(entry(layout.start)[0])
    needed = math.prod(max(n, 1) for n in dims[1 : dims[0] + 1]) * entry(layout.bits)[0] // 8
    form = np.dtype(order + _FLOATS.get(entry(layout.kind)[0], "u1"))
    found, lost = 0, 0
    file.seek(start)
    while part := file.read(min(_CHUNK, needed - found)):
        found += len(part)
        lost += int((~np.isfinite(np.frombuffer(part, form, len(part) // form.itemsize))).sum())
    if found < needed:
        raise CaseError(f"{path}: truncated: it holds {found} bytes of voxels of the {needed} that its header announces")
    if lost:
        raise CaseError(f"{path}: {lost} voxels are NaN or infinite; every voxel must have a finite value")
    return () if any(entry(layout.named)) else (_NO_ORIENTATION,)


def _read_vti(path: Path, wanted: str | None) -> Voxels:
    """A VTK image; the values of cells count for the cells, those of points for boxes around them."""
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkIOXML import vtkXMLImageDataReader

    reader, faults = vtkXMLImageDataReader(), []
    reader.SetFileName(str(path))
    for source in (reader, reader.GetExecutive()):
        source.AddObserver("ErrorEvent", lambda *event: faults.append(event))
    with _silent():
        reader.Update()
    grid = reader.GetOutput()
    if faults or reader.GetErrorCode() or grid.GetNumberOfPoints() == 0:
        raise CaseError(f"{path}: {_DAMAGED}")
    kinds = (grid.GetPointData(), grid.GetCellData())
    found = {data.GetArrayName(n): data for data in kinds for n in range(data.GetNumberOfArrays())}
    name = wanted or next(iter(found), None)
    if name not in found or (wanted is None and len(found) > 1):
        raise CaseError(f"{path}: say which `array` holds the values; it has: {', '.join(map(str, found)) or 'none'}")
    values = vtk_to_numpy(found[name].GetArray(name))
    if values.ndim != 1:
        raise CaseError(f"{path}: the array {name} must hold one number per voxel; found {values.shape[1]}")
    spacing, extent = np.array(grid.GetSpacing()), np.array(grid.GetExtent()).reshape(3, 2)
    direction = np.array([[grid.GetDirectionMatrix().GetElement(i, j) for j in range(3)] for i in range(3)])
    in_cells = found[name] is grid.GetCellData()
    shape = np.diff(extent, axis=1)[:, 0] + (0 if in_cells else 1)
    steps = direction * spacing
    first = np.array(grid.GetOrigin()) + steps @ (extent[:, 0] + (0.5 if in_cells else 0.0))
    return Voxels(values.reshape(shape[::-1]), first, steps)


@contextmanager
def _silent() -> Iterator[None]:
    """Nothing that C++ libraries print reaches the user; what they find is told in our own words."""
    kept, nowhere = (os.dup(1), os.dup(2)), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept[0], 1)
        os.dup2(kept[1], 2)
        for handle in (*kept, nowhere):
            os.close(handle)
