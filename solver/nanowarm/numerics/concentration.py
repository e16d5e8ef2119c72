"""How strong the cryoprotectant is at the nodes of a region, by a profile, the depth below surfaces, or an image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nanowarm.errors import CaseError
from nanowarm.meshing.image_files import check_spacing, read_voxels
from nanowarm.meshing.mesh_checks import FACETS, facet_keys
from nanowarm.model import nearest
from nanowarm.numerics.images import IronImage, check_overlap
from nanowarm.numerics.iron import RegionNodes
from nanowarm.numerics.operators import Operators
from nanowarm.numerics.ranks import on_first
from nanowarm.numerics.stack import MPI
from nanowarm.numerics.surface_distance import SurfaceDistance
from nanowarm.physics.equilibration import MOST, AnyConcentration, ConcentrationImage, DepthConcentration

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

_SLACK = 1e-6  # voxels by which a node may lie beside an image
_WEIGHT = 1e-9  # of a voxel, below which a node does not see it
_ROUND_OFF = 1e-9  # of a relative concentration


@dataclass(frozen=True, eq=False)
class ConcentrationField:
    """Relative concentration at the nodes of a region.

    Args:
        values: at own nodes, 1 outside the region, shape (owned,).
        mean: over the volume of the region, on all ranks.
        least, most: likewise.
        notes: what a user should know.
    """

    values: Array
    mean: float
    least: float
    most: float
    notes: tuple[str, ...] = ()

    def line(self, region: str) -> str:
        """A region's concentration in a line."""
        return f"concentration in {region}: {self.mean:.4g} of full strength on average, {self.least:.4g} to {self.most:.4g}"


def concentration_field(distribution: AnyConcentration, operators: Operators, region: str, folder: Path) -> ConcentrationField:
    """Relative concentration at this rank's nodes of a region, and what to tell of it. Collective.

    Args:
        folder: from which the files of images count.

    Raises:
        CaseError: on every rank, where the concentration does not fit the region.
    """
    return distribution.placed(_Region(operators, region, folder))


class _Region(RegionNodes):
    """A region of the mesh, which a concentration is brought onto."""

    @property
    def points(self) -> Array:
        """Its own nodes [m], shape (nodes, 3)."""
        return self.operators.position[self.nodes]

    def sampled(self, concentration: Callable[[Array], Array]) -> ConcentrationField:
        """A concentration of points [m], taken at the nodes."""
        return self._field(concentration(self.points))

    def soaked(self, profile: DepthConcentration) -> ConcentrationField:
        """A concentration over the distance from surfaces."""
        triangles = _soaked_surface(self.operators, self.name, profile.through)
        return self._field(profile.concentration(SurfaceDistance(triangles)(self.points)))

    def shown(self, image: ConcentrationImage) -> ConcentrationField:
        """An image, which must cover the region."""
        path = self.folder / image.file
        low, high = self.points.min(axis=0, initial=np.inf), self.points.max(axis=0, initial=-np.inf)
        self.comm.Allreduce(MPI.IN_PLACE, low, op=MPI.MIN)
        self.comm.Allreduce(MPI.IN_PLACE, high, op=MPI.MAX)
        voxels = self._read(image, low, high)
        seen = _sampled(voxels, self.points, image)
        nodes, bare, invalid, wrong = self._sums(self.nodes.size, seen.bare.sum(), seen.invalid.sum(), seen.wrong.sum())
        if bare:
            where = "see `coordinates`, `translate`, `unit` and `background`"
            raise CaseError(f"{path}: shows nothing at {bare} of {nodes} nodes of region {self.name}, and must cover it: {where}")
        if invalid and image.calibration.outside == "error":
            ends = "{:g} to {:g}".format(*image.calibration.range())
            rule = f"{invalid} of {nodes} nodes of region {self.name} see voxels outside the range of `calibration`, {ends}"
            raise CaseError(f'{path}: {rule}: set `background`, or outside = "clip" in `calibration`')
        if wrong:
            ends = f"{self._least(seen.values):.4g} to {-self._least(-seen.values):.4g} in region {self.name}"
            rule = f"it must be above 0 and at most {MOST:g}, where 1 is full strength; {wrong} of {nodes} nodes are not"
            raise CaseError(f"{path}: shows a concentration of {ends}; {rule}: see `calibration` and `background`")
        clipped = (f"{invalid} nodes see voxels beyond the calibration, which were taken as its ends",) if invalid else ()
        return self._field(seen.values, tuple(f"{path}: {note}" for note in (*voxels.notes, *clipped)))

    def _field(self, values: Array, notes: tuple[str, ...] = ()) -> ConcentrationField:
        """The field of values at the region's own nodes."""
        field, mass = np.ones(self.mass.size), self.mass[self.nodes]
        field[self.nodes] = values
        held, volume = (self.comm.allreduce(float(part)) for part in (mass @ values, mass.sum()))
        return ConcentrationField(field, held / volume, self._least(values), -self._least(-values), notes)

    def _least(self, values: Array) -> float:
        """The least value on all ranks."""
        return float(self.comm.allreduce(float(values.min(initial=np.inf)), op=MPI.MIN))

    def _sums(self, *counts: int | np.integer) -> list[int]:
        """Sums of counts over all ranks."""
        return [int(self.comm.allreduce(int(count))) for count in counts]

    def _read(self, image: ConcentrationImage, low: Array, high: Array) -> IronImage:
        """The voxels around the region on every rank, as their file has them; read by the first."""
        kept: list[Array] = []

        def work() -> IronImage:
            """The part around the region into `kept`, and all else of it."""
            path = self.folder / image.file
            whole = _placed_voxels(image, path)
            check_overlap(whole, path, low, high)
            part = whole.cropped(low, high)
            kept.append(np.ascontiguousarray(part.concentration, dtype=float))
            return replace(part, concentration=np.empty((0, *part.concentration.shape)))

        frame = on_first(self.comm, work)
        voxels = kept[0] if kept else np.empty(frame.concentration.shape[1:])
        self.comm.Bcast(voxels)
        if not np.isfinite(voxels).all():
            raise CaseError(f"{self.folder / image.file}: voxels around region {self.name} are NaN or infinite")
        return replace(frame, concentration=voxels)


def _placed_voxels(image: ConcentrationImage, path: Path) -> IronImage:
    """An image's voxels in their place in the mesh; their values are not calibrated, and their total is of nothing."""
    voxels = read_voxels(path, image.array)
    lengths = np.linalg.norm(voxels.steps, axis=0)
    check_spacing(path, lengths)
    if voxels.values.size == 0 or not np.isfinite(voxels.first).all():
        raise CaseError(f"{path}: has no voxels, or its header does not say where it lies")
    if abs(np.linalg.det(voxels.steps)) < 1e-3 * np.prod(lengths):
        raise CaseError(f"{path}: two of its axes are parallel")
    matrix, shift = image.placement()
    return IronImage(voxels.values, matrix @ voxels.first + shift, matrix @ voxels.steps, 0.0, voxels.notes)


@dataclass(frozen=True, eq=False)
class _Seen:
    """What points see of an image.

    Args:
        values: relative concentration, 1 where they see nothing.
        bare: whether they see nothing.
        invalid: whether they see voxels outside the calibration.
        wrong: whether the concentration can't be.
    """

    values: Array
    bare: NDArray[np.bool_]
    invalid: NDArray[np.bool_]
    wrong: NDArray[np.bool_]


def _sampled(voxels: IronImage, points: Array, image: ConcentrationImage) -> _Seen:
    """An image at points [m]: linear between the voxels that are no background."""
    from scipy.ndimage import map_coordinates

    places = np.linalg.solve(voxels.steps, (points - voxels.first).T)
    grey, size = voxels.concentration, np.array(voxels.concentration.shape[::-1])[:, None]
    beside = ((places < -0.5 - _SLACK) | (places > size - 0.5 + _SLACK)).any(axis=0)

    def between(values: Array) -> Array:
        """Values of voxels at the points, those of the nearest one beyond the outermost centres."""
        return np.asarray(map_coordinates(values, places[::-1], order=1, mode="nearest"))

    low, high = image.calibration.range()
    held = np.ones(grey.shape) if image.background is None else (grey >= image.background).astype(float)
    weight = between(held)
    bare = beside | (weight < _WEIGHT)
    concentration = image.calibration.concentration(np.clip(grey, low, high))
    values = np.where(bare, 1.0, between(held * concentration) / np.where(bare, 1.0, weight))
    invalid = between(held * ((grey < low) | (grey > high))) > _WEIGHT
    return _Seen(values, bare, invalid & ~bare, (values <= _ROUND_OFF) | (values > MOST + _ROUND_OFF))


@dataclass(frozen=True, eq=False)
class _Facets:
    """Facets, on all ranks.

    Args:
        keys: one number per facet.
        corners: their corners [m], shape (n, 3, 3).
    """

    keys: Indices
    corners: Array


def _soaked_surface(operators: Operators, region: str, through: tuple[str, ...]) -> Array:
    """Triangles [m] of a region's boundary that a solution soaks in through, on every rank, shape (n, 3, 3)."""
    boundary = _boundary(operators, region)
    if not through:
        return boundary.corners
    mesh, chosen = operators.mesh, np.zeros(boundary.keys.size, bool)
    for name in through:
        if name == region or name not in (*mesh.surface_names, *mesh.region_names):
            known = {*mesh.surface_names, *mesh.region_names} - {region}
            raise CaseError(f'`through`: the mesh has no other region or outer surface "{name}"; {nearest(name, known)}')
        other = _outer(operators, name) if name in mesh.surface_names else _boundary(operators, name)
        shared = np.isin(boundary.keys, other.keys)
        if not shared.any():
            raise CaseError(f"`through`: region {region} has no boundary with {name}")
        chosen |= shared
    return boundary.corners[chosen]


def _boundary(operators: Operators, region: str) -> _Facets:
    """The facets of one cell of a region only."""
    cells = operators.mesh.cells(region)
    found = _gathered(operators, np.repeat(cells, 4), np.tile(FACETS, (cells.size, 1)))
    keys, first, times = np.unique(found.keys, return_index=True, return_counts=True)
    return _Facets(keys[times == 1], found.corners[first[times == 1]])


def _outer(operators: Operators, surface: str) -> _Facets:
    """The facets of an outer surface."""
    return _gathered(operators, *operators.mesh.facets(surface))


def _gathered(operators: Operators, cells: NDArray[np.integer], corners: Indices) -> _Facets:
    """Facets of all ranks, given by cell and corners of it; of those that two cells of a rank share both are left out."""
    space, count = operators.space, operators.layout.index_map.size_global
    nodes = space.dofmap.list[cells[:, None], corners]
    numbers = space.dofmap.index_map.local_to_global(nodes.ravel().astype(np.int32)).reshape(-1, 3)
    keys = facet_keys(numbers, count)
    _, first, times = np.unique(keys, return_index=True, return_counts=True)
    once = first[times == 1]
    rows = operators.layout.comm.allgather((keys[once], space.tabulate_dof_coordinates()[nodes[once]]))
    return _Facets(np.concatenate([keys for keys, _ in rows]), np.concatenate([places for _, places in rows]))
