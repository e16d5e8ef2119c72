"""A serial mesh distributed over the ranks, with named regions and outer surfaces."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from nanowarm.meshing.mesh_checks import FACETS, RawMesh, facet_keys
from nanowarm.numerics.partition import Piece, divided, divided_by_cells, pieces, whole
from nanowarm.numerics.ranks import received_array, send_array
from nanowarm.numerics.refinement import Indices, domain_of, refined
from nanowarm.numerics.stack import MPI, dolfinx, dolfinx_mesh

_TAG = 1204  # of the messages between ranks that share nodes


@dataclass(frozen=True, eq=False)
class Mesh:
    """Linear tetrahedra on all ranks of a communicator.

    Args:
        domain: the DOLFINx mesh; coordinates in metres.
        cell_region: index into `region_names` of every own cell.
        cell_surface: index into `surface_names` of the facet opposite to each corner of every own cell, -1 where it
            lies inside, shape (cells, 4).
        region_names: the volumes.
        surface_names: the outer surfaces.
    """

    domain: dolfinx_mesh.Mesh
    cell_region: Indices
    cell_surface: Indices
    region_names: tuple[str, ...]
    surface_names: tuple[str, ...]

    @property
    def comm(self) -> MPI.Intracomm:
        """The communicator."""
        return self.domain.comm

    def cell_count(self) -> int:
        """Tetrahedra on all ranks."""
        return int(self.domain.topology.index_map(3).size_global)

    def cells(self, region: str) -> Indices:
        """Own cells of a region."""
        return np.flatnonzero(self.cell_region == self.region_names.index(region)).astype(np.int32)

    def facets(self, surface: str) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
        """Own cell of each facet of a surface, and the three corners of that cell on it, shapes (facets,) and (facets, 3)."""
        cells, opposite = np.nonzero(self.cell_surface == self.surface_names.index(surface))
        return cells, FACETS[opposite]


def distribute(raw: RawMesh | None, comm: MPI.Intracomm, refine: int = 0) -> Mesh:
    """A mesh spread over the ranks, then refined uniformly.

    Args:
        raw: the serial mesh on rank 0; not looked at on other ranks.
        comm: communicator.
        refine: how often each tetrahedron is divided into eight.
    """
    if comm.size == 1 and raw is not None:
        piece, names = whole(raw, _outer(raw)), (raw.region_names, raw.surface_names)
    elif comm.rank == 0 and raw is not None:
        names = comm.bcast((raw.region_names, raw.surface_names))
        piece = _given_out(raw, comm, refine)
    else:
        names, piece = comm.bcast(None), _received(comm)
    del raw  # its memory is of use from here on
    nodes = dolfinx.common.IndexMap(comm, piece.owned(), piece.ghosts, piece.owners, _TAG)
    domain, region, surface = domain_of(nodes, piece.cells, piece.points), piece.region, piece.surface
    for _ in range(refine):
        domain, region, surface = refined(domain, region, surface)
    return _with_outer_names(domain, region, surface, names)


def _given_out(raw: RawMesh, comm: MPI.Intracomm, refine: int) -> Piece:
    """The piece of the first rank, after those of the others are sent."""
    division = (divided_by_cells if refine else divided)(raw.points, raw.cells, comm.size)
    dealt = pieces(raw, _outer(raw), division, comm.size)
    for rank in range(comm.size - 1, 0, -1):
        piece = next(dealt)
        for part in fields(Piece):
            send_array(getattr(piece, part.name), comm, rank)
        del piece  # before the next one is made
    return next(dealt)


def _received(comm: MPI.Intracomm) -> Piece:
    """The piece of this rank."""
    return Piece(**{part.name: received_array(comm, 0) for part in fields(Piece)})


def _outer(raw: RawMesh) -> Indices:
    """Surface of the facet opposite to each corner of every cell, -1 where it has none or lies inside, shape (cells, 4)."""
    surface = np.full(raw.cells.shape, -1, np.int32)
    named = np.zeros(len(raw.points), bool)
    named[raw.facets] = True
    near = named[raw.cells]
    # A facet can be in a surface only where its three corners are on one.
    cells, opposite = np.nonzero((near.sum(axis=1)[:, None] - near) == 3)
    keys = facet_keys(raw.cells[cells[:, None], FACETS[opposite]], len(raw.points))
    _, run, times = np.unique(keys, return_inverse=True, return_counts=True)
    outside = times[run.ravel()] == 1
    known = facet_keys(raw.facets, len(raw.points))
    order = np.argsort(known)
    place = order[np.minimum(np.searchsorted(known, keys, sorter=order), max(len(known) - 1, 0))] if len(known) else order
    found = outside & (known[place] == keys) if len(known) else outside[:0]
    surface[cells[found], opposite[found]] = raw.facet_surface[place[found]]
    return surface


def _with_outer_names(
    domain: dolfinx_mesh.Mesh, region: Indices, surface: Indices, names: tuple[tuple[str, ...], tuple[str, ...]]
) -> Mesh:
    """The mesh with only those surfaces that lie outside somewhere, on any rank."""
    used = domain.comm.allreduce(np.bincount(surface[surface >= 0], minlength=len(names[1]))) > 0
    number = np.append(np.where(used, np.cumsum(used) - 1, -1), -1).astype(np.int32)  # the last entry is that of -1
    outer = tuple(name for name, some in zip(names[1], used, strict=True) if some)
    return Mesh(domain, np.ascontiguousarray(region), number[surface], names[0], outer)
