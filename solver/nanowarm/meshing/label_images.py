"""Label images to arrays: one region for each name, with smooth surfaces that neighbours share."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from nanowarm.errors import CaseError
from nanowarm.meshing.image_files import Voxels, read_voxels
from nanowarm.meshing.journal import Arrays, Journal, Request, UnusableError
from nanowarm.meshing.label_lattice import Labelled, Resampling, without_loose_contacts, without_specks
from nanowarm.meshing.label_surfaces import CUT, smooth_surfaces
from nanowarm.meshing.label_tables import checked_labels, region_names, segment_names
from nanowarm.meshing.surface_fill import Patches, filled

_DEFAULT_CELLS = 150_000  # where no size is given
_CELL = 0.118  # volume of a regular tetrahedron over the cube of its edge
_LATTICE = 0.5  # spacing of the lattice over the smallest edge; it is never finer than the voxels
_SPECK = 8  # cells of the lattice; a smaller piece has no shape that a mesh could show
_CHANGE = 0.05  # of a region's volume, above which the user is warned
_MOST_POINTS = 50_000_000  # of the lattice; some 2 GB


def arrays(request: Request, journal: Journal) -> Arrays:
    """Arrays of the labelled regions of an image, in mm."""
    voxels, names = _read(request, journal)
    volumes = _volumes(voxels, len(names))
    size = request["size"] or request["coarsening"] * _default_size(voxels, volumes.sum(), journal)
    request = request | {"size": size}
    resampling = _resampling(voxels, request)
    lattice = _cleaned(resampling.lattice(), journal)
    _check_complete(lattice, names, volumes)
    journal.lap("lattice")
    patches = smooth_surfaces(lattice, resampling, names)
    _note_cut(patches, journal)
    journal.lap("smooth surfaces")
    fixed = tuple(number for number, name in enumerate(patches.surface_names) if name == CUT)
    made = filled(replace(patches, wanted=tuple(volumes.tolist()), fixed=fixed), request, journal)
    _note_volumes(made, names, volumes, journal)
    return made


def _read(request: Request, journal: Journal) -> tuple[Labelled, tuple[str, ...]]:
    """The voxels of an image as regions, and the names of the regions.

    Raises:
        UnusableError: the file is no label image, or labels and names don't match.
    """
    path = Path(request["file"])
    own = segment_names(path)
    try:
        image = read_voxels(path, None)
    except CaseError as error:
        raise UnusableError(str(error).removeprefix(f"{path}: ")) from None
    present, place, counts = checked_labels(image.values)
    millilitres = abs(np.linalg.det(image.steps)) / 1000.0
    sizes = [f"{count} voxels, {count * millilitres:.3g} mL" for count in counts]
    of_label = region_names(present.tolist(), request["labels"], own, sizes)
    names = tuple(dict.fromkeys(name for name in of_label if name))
    number = np.array([names.index(name) + 1 if name else 0 for name in of_label], np.uint16)
    _note_image(image, request["coordinates"], journal)
    left_out = [f"{label} ({size})" for label, size, name in zip(present, sizes, of_label, strict=True) if label and not name]
    if left_out:
        journal.note(f"left out of the mesh: label {', '.join(left_out)}")
    turn = np.array([-1.0, -1.0, 1.0] if request["coordinates"] == "RAS" else [1.0, 1.0, 1.0])
    voxels = Labelled(number[place], image.first * turn, image.steps * turn[:, None])
    journal.lap("read")
    return voxels, names


def _note_image(image: Voxels, convention: str, journal: Journal) -> None:
    counts = " x ".join(map(str, image.values.shape[::-1]))
    spacing = " x ".join(f"{length:.4g}" for length in np.linalg.norm(image.steps, axis=0))
    journal.note(f"the image has {counts} voxels of {spacing} mm; the mesh is in {convention} coordinates, in mm")
    for note in image.notes:
        journal.note(note)


def _volumes(voxels: Labelled, regions: int) -> NDArray[np.float64]:
    """Volume of the voxels of each region [mm3]."""
    counts = np.bincount(voxels.region.ravel(), minlength=regions + 1)[1:]
    return counts * abs(np.linalg.det(voxels.steps))


def _default_size(voxels: Labelled, volume: float, journal: Journal) -> float:
    """Edge length [mm] of a mesh of a bearable number of cells, not below the voxels."""
    size = max((volume / _DEFAULT_CELLS / _CELL) ** (1.0 / 3.0), float(np.prod(voxels.spacing) ** (1.0 / 3.0)))
    size = float(f"{size:.2g}")
    cells = float(f"{volume / (_CELL * size**3):.2g}")
    journal.note(f"no size is given: {size:g} mm was taken, for some {cells:,.0f} cells; write mesh.size for another")
    return size


def _resampling(voxels: Labelled, request: Request) -> Resampling:
    """The resampling to a lattice for the wanted sizes, of the part of the image that holds regions.

    Raises:
        UnusableError: the lattice would be too large.
    """
    smallest = min([request["size"], *request["sizes"].values(), *(place["size"] for place in request["graded"])])
    spacing = max(_LATTICE * smallest, float(voxels.spacing.min()))
    margin = np.ceil(2.0 * spacing / voxels.spacing[::-1]).astype(int) + 1
    part = ndimage.find_objects((voxels.region > 0).astype(np.uint8))[0]
    low = np.array([max(side.start - more, 0) for side, more in zip(part, margin, strict=True)])
    inside = tuple(slice(start, side.stop + more) for start, side, more in zip(low, part, margin, strict=True))
    held = Labelled(voxels.region[inside], voxels.first + voxels.steps @ low[::-1], voxels.steps)
    points = math.prod(held.region.shape) * float(np.prod(held.spacing)) / spacing**3
    if points > _MOST_POINTS:
        enough = spacing * (points / _MOST_POINTS) ** (1.0 / 3.0) / _LATTICE
        raise UnusableError(
            f"a lattice of {spacing:.3g} mm would have {points / 1e6:,.0f} million points, more than "
            f"{_MOST_POINTS // 1_000_000} million; give no size below {math.ceil(100 * enough) / 100:g} mm, or crop the image"
        )
    return Resampling(held, spacing)


def _cleaned(lattice: Labelled, journal: Journal) -> Labelled:
    """The lattice without specks and loose contacts."""
    lattice, specks = without_specks(lattice, _SPECK)
    lattice, changed = without_loose_contacts(lattice)
    cell = float(np.prod(lattice.spacing))
    if len(specks):
        journal.note(
            f"{len(specks)} pieces below {_SPECK * cell:.3g} mm3, together {specks.sum() * cell:.3g} mm3, "
            "were given to the region around them"
        )
    if changed:
        journal.note(f"{changed} cells of {cell:.3g} mm3 changed their region: there, regions met by edges or corners only")
    return lattice


def _check_complete(lattice: Labelled, names: tuple[str, ...], volumes: NDArray[np.float64]) -> None:
    left = np.bincount(lattice.region.ravel(), minlength=len(names) + 1)[1:]
    spacing = float(lattice.spacing.max())
    for name, cells, volume in zip(names, left, volumes, strict=True):
        if cells == 0:
            raise UnusableError(
                f"the region {name!r}, {volume / 1000.0:.3g} mL in the image, vanishes at a resolution of {spacing:.3g} mm; "
                'give a smaller size, or its labels the name of a neighbour or "background"'
            )


def _note_cut(patches: Patches, journal: Journal) -> None:
    cut = np.array([name == CUT for name in patches.surface_names])[patches.patch]
    if cut.any():
        a, b, c = np.moveaxis(patches.points[patches.triangles[cut]], 1, 0)
        area = float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum()) / 2.0
        journal.note(f"regions reach the border of the image: {area / 100.0:.3g} cm2 there are the surface {CUT!r}")


def _note_volumes(made: Arrays, names: tuple[str, ...], volumes: NDArray[np.float64], journal: Journal) -> None:
    """Tell what smoothing and meshing did to the volume of each region."""
    corners = made["points"][made["cells"]]
    a, b, c = (corners[:, i] - corners[:, 0] for i in (1, 2, 3))
    cells = np.abs(np.einsum("ij,ij->i", a, np.cross(b, c))) / 6.0
    region = np.array([names.index(name) for name in made["region_names"]])[made["cell_region"]]
    meshed = np.bincount(region, cells, len(names))
    thin = [name for name, change in zip(names, meshed / volumes - 1.0, strict=True) if abs(change) > _CHANGE]
    told = [
        f"{name} {image / 1000.0:.4g}, {mesh / 1000.0:.4g} ({mesh / image - 1.0:+.1%})"
        for name, image, mesh in zip(names, volumes, meshed, strict=True)
    ]
    journal.note(f"volume in the image and in the mesh [mL]: {'; '.join(told)}")
    if thin:
        journal.note(
            f"{', '.join(thin)}: more than {_CHANGE:.0%} of volume gained or lost at this size; a smaller one keeps thin parts"
        )
