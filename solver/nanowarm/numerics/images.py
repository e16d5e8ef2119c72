"""Images of iron: checked and calibrated, with the place of every voxel in the mesh."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanowarm.errors import CaseError
from nanowarm.meshing.image_files import Voxels, check_spacing, read_voxels
from nanowarm.physics.iron_images import Image
from nanowarm.quantity import IRON_CONCENTRATION

Array = NDArray[np.float64]

_LARGEST_RATIO = 200.0  # of an image's size to a region's: a whole body at most around a small organ
_ROUND_OFF = 1e-9  # of the largest concentration, below which a negative one is none


@dataclass(frozen=True, eq=False)
class IronImage:
    """Iron in voxels, placed in the mesh.

    Args:
        concentration: [kg/m3] of every voxel, shape (nz, ny, nx).
        first: centre of the first voxel [m], shape (3,).
        steps: from a voxel to the next along x, y and z of the array [m], as columns, shape (3, 3).
        total: iron in the whole image [kg].
        notes: what was counted on the way.
    """

    concentration: Array
    first: Array
    steps: Array
    total: float
    notes: tuple[str, ...]

    @property
    def voxel_volume(self) -> float:
        """Volume of a voxel [m3]."""
        return float(abs(np.linalg.det(self.steps)))

    def corners(self) -> Array:
        """The corners of the image [m], shape (8, 3)."""
        return self.first + (_cube() * self.concentration.shape[::-1] - 0.5) @ self.steps.T

    def cropped(self, low: Array, high: Array) -> IronImage:
        """The part of the image around a box [m]; its total stays that of the whole image."""
        box = (low + _cube() * (high - low) - self.first) @ np.linalg.inv(self.steps).T
        size = np.array(self.concentration.shape[::-1])
        start = np.clip(np.floor(box.min(axis=0)).astype(int) - 1, 0, size)
        stop = np.clip(np.ceil(box.max(axis=0)).astype(int) + 2, start, size)
        part = self.concentration[start[2] : stop[2], start[1] : stop[1], start[0] : stop[0]]
        return replace(self, concentration=part, first=self.first + self.steps @ start)


def read_iron_image(image: Image, folder: Path) -> IronImage:
    """An image of iron, placed and calibrated as its record says; knows nothing of a mesh.

    Args:
        folder: from which the file's path counts.

    Raises:
        CaseError: the file can't be read, or can't be a map of iron.
    """
    path = folder / image.file
    voxels = read_voxels(path, image.array)
    _check_geometry(path, voxels)
    concentration, notes = _calibrated(path, image, voxels.values)
    matrix, shift = image.placement()
    steps = matrix @ voxels.steps
    total = float(concentration.sum() * abs(np.linalg.det(steps)))
    if total <= 0.0:
        raise CaseError(f"{path}: no voxel holds iron: see `background` and `calibration`")
    return IronImage(concentration, matrix @ voxels.first + shift, steps, total, (*voxels.notes, *notes))


def check_overlap(image: IronImage, path: Path, low: Array, high: Array) -> None:
    """Refuse an image that can't be one of a region with this box [m].

    Raises:
        CaseError: another scale, or another place.
    """
    corners = image.corners()
    ratio = float(np.linalg.norm(np.ptp(corners, axis=0)) / np.linalg.norm(high - low))
    boxes = f"the image reaches {_box(corners.min(axis=0), corners.max(axis=0))}, the region {_box(low, high)}"
    if not 1.0 / _LARGEST_RATIO < ratio < _LARGEST_RATIO:
        raise CaseError(f"{path}: wrong scale: the image is {ratio:.3g} times as large as the region; {boxes}: see `unit`")
    apart = (corners.max(axis=0) < low).any() or (corners.min(axis=0) > high).any()
    if apart or image.cropped(low, high).concentration.size == 0:
        raise CaseError(f"{path}: lies beside the region: {boxes}: see `coordinates`, `translate` and `unit`")


def _check_geometry(path: Path, voxels: Voxels) -> None:
    lengths = np.linalg.norm(voxels.steps, axis=0)
    check_spacing(path, lengths)
    if not np.isfinite(voxels.first).all():
        raise CaseError(f"{path}: its header does not say where it lies")
    if abs(np.linalg.det(voxels.steps)) < 1e-3 * np.prod(lengths):
        raise CaseError(f"{path}: two of its axes are parallel")
    if voxels.values.size == 0:
        raise CaseError(f"{path}: has no voxels")


def _calibrated(path: Path, image: Image, values: NDArray[Any]) -> tuple[Array, tuple[str, ...]]:
    """Iron [kg/m3] of every voxel, shape (nz, ny, nx), and notes; layer by layer, to spare memory."""
    calibration, iron = image.calibration, np.empty(values.shape)
    low, high = calibration.range()
    lost, invalid, least, negative = 0, 0, 0.0, 0
    for layer, out in zip(values, iron, strict=True):
        grey = layer.astype(float)
        lost += int((~np.isfinite(grey)).sum())
        holds = np.ones(grey.shape, bool) if image.background is None else grey >= image.background
        invalid += int((holds & ((grey < low) | (grey > high))).sum())
        out[:] = np.where(holds, calibration.concentration(np.clip(grey, low, high)), 0.0)
        least, negative = min(least, float(out.min(initial=0.0))), negative + int((out < 0.0).sum())
    if lost:
        raise CaseError(f"{path}: {lost} of {values.size} voxels are NaN or infinite; every voxel must have a finite value")
    if invalid and calibration.outside == "error":
        rule = f"{invalid} of {values.size} voxels lie outside the {calibration.of} of its calibration, {low:g} to {high:g}"
        raise CaseError(f'{path}: {rule}: set `background`, or outside = "clip" in `calibration`')
    most = float(iron.max())
    if least < -image.noise - _ROUND_OFF * most:
        rule = f"iron down to {least:.3g} mgFe/mL in {negative} voxels; it must not be negative beyond `noise`"
        raise CaseError(f"{path}: {rule} = {image.noise:g} mgFe/mL: see `background`, `calibration` and `noise`")
    if most > IRON_CONCENTRATION.most:
        raise CaseError(f"{path}: iron up to {most:.3g} mgFe/mL, more than in solid iron: see `calibration`")
    notes = [f"{invalid} voxels beyond the calibration were taken as {low:g} or {high:g}"] if invalid else []
    if negative:
        removed = -float(iron[iron < 0.0].sum())
        np.maximum(iron, 0.0, out=iron)
        added = removed / (float(iron.sum()) or 1.0)
        notes.append(f"{negative} voxels of negative iron were taken as none, which adds {added:.2g} of the iron")
    return iron, tuple(notes)


def _cube() -> Array:
    """Corners of the unit cube, shape (8, 3)."""
    return np.array([[x, y, z] for x in (0.0, 1.0) for y in (0.0, 1.0) for z in (0.0, 1.0)])


def _box(low: Array, high: Array) -> str:
    return " x ".join(f"{1e3 * a:.4g}..{1e3 * b:.4g}" for a, b in zip(low, high, strict=True)) + " mm"
