"""Iron at the nodes of a region, from any distribution, with the total that it must have.

Images and depots are sampled on a lattice: every sample in a cell of the region gives its iron to the cell's
corners by its barycentric coordinates. With iron M_i and volume W_i that node i has got this way, C_i = s M_i / W_i:
an even image stays even whichever samples fall into which cell, and s makes sum_i m_ir C_i all that was sampled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanowarm.errors import CaseError
from nanowarm.numerics.images import IronImage, check_overlap, read_iron_image
from nanowarm.numerics.lattice import Lattice, deposit
from nanowarm.numerics.operators import Operators
from nanowarm.numerics.ranks import on_first
from nanowarm.numerics.stack import MPI, la
from nanowarm.physics.distributions import AnyDepot, AnyIron
from nanowarm.physics.iron_images import Image

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

_PER_CELL = 8.0  # samples in a cell of the harmonic mean volume, at least
_MOST_PER_CELL = 64.0  # samples in a cell of the mean volume, where a coarse image is divided
_ACROSS = 128.0  # samples across a region, at least: its volume is counted in them, to their number at its surface
_PER_RADIUS = 12.0  # samples along the radius of a depot, at least
_LEAST_INSIDE = 0.5  # of a depot
_NOTED = 0.01  # relative change of iron that a user is told of
_MG = 1e6  # milligrams per kilogram


@dataclass(frozen=True)
class IronTotals:
    """Iron [kg] of one region.

    Args:
        mesh: at its nodes.
        image: in the whole image.
        declared: as the case says.
    """

    mesh: float
    image: float | None = None
    declared: float | None = None


@dataclass(frozen=True, eq=False)
class IronField:
    """Iron at the nodes of a region.

    Args:
        concentration: C_i [kg/m3] at own nodes, 0 outside the region, shape (owned,); sum_i m_ir C_i is the total.
        totals: that total, over all ranks, beside what it was compared with.
        notes: what a user should know.
    """

    concentration: Array
    totals: IronTotals
    notes: tuple[str, ...] = ()


def nodal_iron(distribution: AnyIron, operators: Operators, region: str, folder: Path) -> IronField:
    """Iron at this rank's nodes of a region. Collective.

    Args:
        folder: from which the files of images count.

    Raises:
        CaseError: on every rank, where the iron does not fit the region.
    """
    return distribution.placed(_Region(operators, region, folder))


class RegionNodes:
    """A region of the mesh, which something is brought onto.

    Args:
        operators: of the mesh.
        name: of the region.
        folder: from which the files of images count.
    """

    def __init__(self, operators: Operators, name: str, folder: Path) -> None:
        self.operators, self.name, self.folder = operators, name, folder
        self.comm = operators.layout.comm
        self.mass = operators.mass[name][: operators.layout.owned]
        self.nodes = np.flatnonzero(self.mass)


class _Region(RegionNodes):
    """A region of the mesh, which iron is brought onto."""

    @property
    def cells(self) -> NDArray[np.int32]:
        """Nodes of its own cells, shape (cells, 4)."""
        found: NDArray[np.int32] = self.operators.space.dofmap.list[self.operators.mesh.cells(self.name)]
        return found

    def sampled(self, concentration: Callable[[Array], Array]) -> IronField:
        """A concentration [kg/m3] of points [m], taken at the nodes."""
        found = np.zeros(self.mass.size)
        found[self.nodes] = concentration(self.operators.position[self.nodes])
        return IronField(found, IronTotals(self._sum(self.mass @ found)))

    def injected(self, depots: Sequence[AnyDepot]) -> IronField:
        """Depots, each scaled to its dose."""
        corners, step = self._corners()
        iron, notes = np.zeros(self.mass.size), []
        for depot in depots:
            found, inside, _ = self._deposit(_around(depot, step), corners)
            share = inside / depot.dose
            where = f"the depot of {depot.dose * _MG:g} mgFe at {_place(depot.centre)}"
            if share < _LEAST_INSIDE:
                rule = f"at least {100 * _LEAST_INSIDE:g} % must be: see `centre` and `radius`"
                raise CaseError(f"{where} lies outside region {self.name}: {100 * share:.2g} % of it is inside; {rule}")
            if share < 1.0 - _NOTED:
                notes.append(
                    f"{where}: {100 * share:.3g} % of it is in region {self.name}; scaled by {1 / share:.4g} to its dose"
                )
            iron += found / share
        declared = sum(depot.dose for depot in depots)
        return IronField(iron, IronTotals(self._sum(self.mass @ iron), declared=declared), tuple(notes))

    def imaged(self, image: Image) -> IronField:
        """An image, compared with the iron that it shows elsewhere and that was declared."""
        path = self.folder / image.file
        corners, step = self._corners()
        shown = self._read(image, corners)
        found, inside, scale = self._deposit(_divided(shown, step), corners)
        amounts = f"{shown.total * _MG:.6g} mgFe in the image, {inside * _MG:.6g} in region {self.name} of the mesh"
        strayed = image.elsewhere == "refused" and abs(inside - shown.total) > image.tolerance * shown.total
        if inside <= 0.0 or strayed:
            hint = self._other_convention(image, corners, step)
            raise CaseError(
                f"{path}: {amounts}, more than {image.tolerance:g} apart: {hint}see `translate`, `tolerance`, `elsewhere`"
            )
        if image.dose is not None and abs(inside - image.dose) > image.tolerance * image.dose:
            declared = f"{image.dose * _MG:.6g} declared, more than {image.tolerance:g} apart"
            raise CaseError(f"{path}: {amounts}, {declared}: see `calibration`, `dose`, `tolerance`")
        notes = [*shown.notes]
        if abs(inside - shown.total) > _NOTED * shown.total:
            notes.append(amounts)
        if abs(scale - 1.0) > _NOTED:
            notes.append(f"scaled by {scale:.4g} to keep all of it: the mesh is coarse for this image")
        return IronField(found, IronTotals(inside, shown.total, image.dose), tuple(f"{path}: {note}" for note in notes))

    def _corners(self) -> tuple[Array, float]:
        """Corners of this rank's cells [m], shape (cells, 4, 3), and the distance of samples [m] that suits all ranks' cells."""
        corners = self.operators.space.tabulate_dof_coordinates()[self.cells]
        volumes = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])) / 6.0
        cells, whole, inverse = (self._sum(value) for value in (volumes.size, volumes.sum(), (1.0 / volumes).sum()))
        fitting = max(cells / inverse / _PER_CELL, whole / cells / _MOST_PER_CELL)
        return corners, min(fitting ** (1.0 / 3.0), whole ** (1.0 / 3.0) / _ACROSS)

    def _read(self, image: Image, corners: Array) -> IronImage:
        """What an image shows around the region, on every rank; read by the first."""
        low, high = np.array(corners.min(axis=(0, 1), initial=np.inf)), np.array(corners.max(axis=(0, 1), initial=-np.inf))
        self.comm.Allreduce(MPI.IN_PLACE, low, op=MPI.MIN)
        self.comm.Allreduce(MPI.IN_PLACE, high, op=MPI.MAX)
        kept: list[Array] = []

        def work() -> IronImage:
            """The image's part around the region into `kept`, and all else of it."""
            whole = read_iron_image(image, self.folder)
            check_overlap(whole, self.folder / image.file, low, high)
            part = whole.cropped(low, high)
            kept.append(np.ascontiguousarray(part.concentration))
            return replace(part, concentration=np.empty((0, *part.concentration.shape)))

        frame = on_first(self.comm, work)
        voxels = kept[0] if kept else np.empty(frame.concentration.shape[1:])
        self.comm.Bcast(voxels)
        return replace(frame, concentration=voxels)

    def _other_convention(self, image: Image, corners: Array, step: float) -> str:
        """What to do about an image that would lie in the region in the other convention of coordinates."""
        other = image.model_copy(update={"coordinates": "RAS" if image.coordinates == "LPS" else "LPS"})
        try:
            shown = self._read(other, corners)
        except CaseError:
            return ""
        inside = self._sum(deposit(_divided(shown, step), corners)[0].sum())
        if abs(inside - shown.total) > image.tolerance * shown.total:
            return ""
        return f'with coordinates = "{other.coordinates}" {inside * _MG:.6g} mgFe would be in the region; otherwise '

    def _deposit(self, lattice: Lattice, corners: Array) -> tuple[Array, float, float]:
        """Concentration [kg/m3] at own nodes, all the iron [kg] that was sampled in the region, and the scale s."""
        iron, volume = deposit(lattice, corners)
        inside = self._sum(iron.sum())
        shared = la.vector(self.operators.space.dofmap.index_map, 2)
        for column, values in enumerate((iron, volume)):
            shared.array[column::2] = np.bincount(self.cells.ravel(), values.ravel(), minlength=shared.array.size // 2)
        shared.scatter_reverse(la.InsertMode.add)
        given, room = shared.array[: 2 * self.mass.size].reshape(-1, 2)[self.nodes].T
        seen = room > 0.0
        found = np.zeros(self.mass.size)
        found[self.nodes[seen]] = given[seen] / room[seen]
        found[self.nodes[~seen]] = lattice.at(self.operators.position[self.nodes[~seen]])
        held = self._sum(self.mass @ found)
        scale = inside / held if held > 0.0 else 1.0
        return found * scale, inside, scale

    def _sum(self, value: Any) -> float:
        """Sum of a value over all ranks."""
        return float(self.comm.allreduce(float(value)))


def _around(depot: AnyDepot, step: float) -> Lattice:
    """Samples of a depot, as close as its radius and the cells [m] want."""
    half = int(np.ceil(depot.reach / min(step, depot.radius / _PER_RADIUS)))
    distance = depot.reach / half
    first = np.array(depot.centre) - (half - 0.5) * distance

    def density(i: Indices, j: Indices, k: Indices) -> Array:
        """Iron [kg/m3] of the depot at points of the lattice."""
        return depot.concentration(first + distance * np.stack((i, j, k), axis=1))

    return Lattice(first, distance * np.eye(3), np.full(3, 2 * half), density)


def _divided(image: IronImage, step: float) -> Lattice:
    """Samples of an image: its voxels, divided where they are further apart than the cells want [m]."""
    lengths = np.linalg.norm(image.steps, axis=0)
    parts = np.maximum(1, np.ceil(lengths / step - 1e-6)).astype(np.int64)
    voxels = image.concentration.ravel()
    size = np.array(image.concentration.shape[::-1])

    def density(i: Indices, j: Indices, k: Indices) -> Array:
        """Iron [kg/m3] of the voxel around each point of the lattice."""
        x, y, z = (along if part == 1 else along // part for along, part in zip((i, j, k), parts, strict=True))
        return voxels[(z * size[1] + y) * size[0] + x]

    return Lattice(image.first + image.steps @ (0.5 / parts - 0.5), image.steps / parts, size * parts, density)


def _place(point: tuple[float, float, float]) -> str:
    return f"({', '.join(f'{1e3 * x:.4g}' for x in point)}) mm"


def cell_iron(operators: Operators, fields: Mapping[str, IronField]) -> NDArray[np.float32]:
    """Iron concentration [mgFe/mL] of own cells: the mean of their region's at their corners."""
    found = np.zeros(operators.mesh.domain.topology.index_map(3).size_local, dtype=np.float32)
    for name, iron in fields.items():
        own = operators.mesh.cells(name)
        nodal = operators.on_space(iron.concentration)
        corners = operators.space.dofmap.list[own]
        found[own] = 0.25 * sum(nodal[corners[:, corner]] for corner in range(4))  # all at once would take more than the mesh
    return found
