"""Which region each label of an image belongs to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanowarm.meshing.journal import UnusableError

Labels = NDArray[np.int64]
BACKGROUND = "background"  # the name of what is left out
_MOST_LABELS = 500  # the largest atlases of brains have some 200
_MOST_LISTED = 12
_SEGMENT = re.compile(r"Segment(\d+)_(Name|LabelValue)")


def segment_names(path: Path) -> dict[int, str]:
    """Names of the labels in the header of a segmentation that 3D Slicer wrote; empty where it holds none.

    Raises:
        UnusableError: segments lie over each other, in layers.

    Source: 3D Slicer, https://slicer.readthedocs.io/en/latest/user_guide/modules/segmentations.html
    """
    import SimpleITK as itk  # noqa: N813

    reader = itk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError:  # reading the voxels says what is wrong
        return {}
    found: dict[str, dict[str, str]] = {}
    for key in reader.GetMetaDataKeys():
        match = _SEGMENT.fullmatch(key)
        if match:
            found.setdefault(match[1], {})[match[2]] = reader.GetMetaData(key).strip()
    if found and reader.GetNumberOfComponents() > 1:
        raise UnusableError(
            f"its segments lie over each other, in {reader.GetNumberOfComponents()} layers, so that a voxel can have two labels; "
            "export it from 3D Slicer as a labelmap (Segmentations, Export to new labelmap)"
        )
    whole = [segment for segment in found.values() if {"Name", "LabelValue"} <= segment.keys()]
    return {int(segment["LabelValue"]): segment["Name"] for segment in whole if segment["LabelValue"].isdecimal()}


def checked_labels(values: NDArray[Any]) -> tuple[Labels, NDArray[np.uint16], Labels]:
    """The distinct labels of voxels, the place of each voxel's label among them, and their voxel counts.

    Raises:
        UnusableError: the values are no labels.
    """
    if min(values.shape) < 2:
        sides = " x ".join(map(str, values.shape[::-1]))
        raise UnusableError(f"one slice of voxels ({sides}) is no body; give an image with at least two along every axis")
    if values.dtype.kind == "f":
        fractions = values[np.isfinite(values) & (values != np.round(values))]
        if len(fractions) or not np.isfinite(values).all():
            found = f"{len(fractions)} voxels hold fractions, e.g. {fractions[0]:g}" if len(fractions) else "voxels hold NaN"
            raise UnusableError(f"no label image: {found}; labels are whole numbers: segment the image first")
    distinct = np.unique(np.concatenate([np.unique(part) for part in values]))  # slice by slice: images fill the memory
    if distinct[0] < 0 or len(distinct) > _MOST_LABELS:
        raise UnusableError(
            f"no label image: {len(distinct)} different values from {distinct[0]:g} to {distinct[-1]:g}, as of a scan; "
            f"labels are at most {_MOST_LABELS} whole numbers from 0 on: segment the image first"
        )
    place = np.stack([np.searchsorted(distinct, part).astype(np.uint16) for part in values])
    counts = np.sum([np.bincount(part.ravel(), minlength=len(distinct)) for part in place], axis=0)
    return distinct.astype(np.int64), place, counts


def region_names(present: Sequence[int], named: Mapping[str, str], own: Mapping[int, str], sizes: Sequence[str]) -> list[str]:
    """Name of the region of each label of an image; "" for what is left out of the mesh.

    Args:
        present: labels of the image, ascending.
        named: names of labels in the case.
        own: names of labels in the image, which count where the case has none.
        sizes: of each label of the image, for the user.

    Raises:
        UnusableError: a label has no name, or a name has no label.
    """
    given = {int(label): name.strip() for label, name in named.items()}
    described = [f"{label} ({size})" for label, size in zip(present, sizes, strict=True)]
    for label, name in given.items():
        if label not in present:
            raise UnusableError(f"mesh.labels names the label {label} ({name}), but the image has only {_listing(described)}")
        if not name:
            raise UnusableError(f'mesh.labels.{label} is empty; write "{BACKGROUND}" to leave it out of the mesh')
    names = {0: BACKGROUND, **own, **given}
    nameless = [text for label, text in zip(present, described, strict=True) if not names.get(label)]
    if nameless:
        first = next(label for label in present if not names.get(label))
        raise UnusableError(
            f"{len(nameless)} labels of the image have no name: {_listing(nameless)}; name each in [mesh], "
            f'labels = {{ {first} = "liver" }}, or "{BACKGROUND}" to leave it out'
        )
    kept = ["" if names[label].lower() == BACKGROUND else names[label] for label in present]
    if not any(kept):
        raise UnusableError("every voxel is background; nothing is left to mesh: correct mesh.labels or the image")
    return kept


def _listing(described: Sequence[str]) -> str:
    more = len(described) - _MOST_LISTED
    return ", ".join(described[:_MOST_LISTED]) + (f" and {more} more" if more > 0 else "")
