"""Labelled voxels on a lattice as fine as the mesh will be, without specks and loose contacts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse

Array = NDArray[np.float64]
Regions = NDArray[np.uint16]
Indices = NDArray[np.int64]
Box = tuple[slice, ...]

_SWEEPS = 20  # of mending contacts; what is left then stays
_ROUNDING = 1e-6  # weights below are none
_FACES = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]])
_CORNERS = np.array([[z, y, x] for z in (0, 1) for y in (0, 1) for x in (0, 1)])  # of a block of 2 x 2 x 2


_NEAR = np.array([[z, y, x] for z in (-1, 0, 1) for y in (-1, 0, 1) for x in (-1, 0, 1)])  # blocks that share cells


@dataclass(frozen=True, eq=False)
class Labelled:
    """Regions at the points of a lattice, each of which stands for the cell around it.

    Args:
        region: 0 outside, else 1 + the index of the region, shape (nz, ny, nx).
        first: place of the first point, shape (3,).
        steps: from a point to the next along x, y and z of the array, as columns, shape (3, 3).
    """

    region: Regions
    first: Array
    steps: Array

    @property
    def spacing(self) -> Array:
        """Distance of neighbouring points along x, y and z of the array, shape (3,)."""
        return np.linalg.norm(self.steps, axis=0)


class Resampling:
    """From voxels to a lattice that fills the same box: linear between voxels, or means of several.

    Args:
        voxels: where the values are.
        spacing: wanted distance of the points of the lattice, in the unit of the voxels.
    """

    def __init__(self, voxels: Labelled, spacing: float) -> None:
        self.voxels = voxels
        counts = np.array(voxels.region.shape)
        self.shape = tuple(int(n) for n in np.maximum(np.round(counts * voxels.spacing[::-1] / spacing), 2))
        self._ratio = counts / self.shape  # voxels per cell of the lattice
        self._weights = [_weights(n, m) for n, m in zip(self.shape, counts, strict=True)]
        self._boxes = [tuple(slice(0, n) for n in counts), *ndimage.find_objects(voxels.region)]

    @property
    def regions(self) -> int:
        """Number of regions, outside included."""
        return len(self._boxes)

    def share(self, region: int) -> tuple[Box, NDArray[np.float32]]:
        """The share of a region around each point of a part of the lattice; it is zero in the rest."""
        inside = self._boxes[region]
        share: Any = (self.voxels.region[inside] == region).astype(np.float32)
        box = []
        for axis, (weights, part) in enumerate(zip(self._weights, inside, strict=True)):
            columns = weights[:, part]
            rows = np.flatnonzero(columns.getnnz(axis=1))
            box.append(slice(int(rows[0]), int(rows[-1]) + 1))
            turned = np.moveaxis(share, axis, 0)
            product = columns[box[-1]] @ turned.reshape(len(turned), -1)
            share = np.moveaxis(product.reshape(-1, *turned.shape[1:]), 0, axis)
        return tuple(box), share

    def lattice(self) -> Labelled:
        """The region of the largest share at each point."""
        region, largest = np.zeros(self.shape, np.uint16), np.zeros(self.shape, np.float32)
        for i in range(self.regions):
            box, share = self.share(i)
            wins = share > largest[box]
            region[box][wins] = i
            largest[box][wins] = share[wins]
        ratio = self._ratio[::-1]
        first = self.voxels.first + self.voxels.steps @ ((ratio - 1.0) / 2.0)
        return Labelled(region, first, self.voxels.steps * ratio)


def _weights(points: int, voxels: int) -> Any:
    """Weight of each voxel at each point along an axis, a sparse matrix of shape (points, voxels).

    Where points are closer than voxels, it is linear between voxels; else the part of the point's cell that a voxel fills.
    """
    ratio = voxels / points
    at = ((np.arange(points) + 0.5) * ratio - 0.5)[:, None]
    near = np.floor(at).astype(np.int64) + np.arange(-int(ratio), int(ratio) + 3)
    if ratio < 1.0:
        weight = np.maximum(1.0 - np.abs(near - at), 0.0)
    else:
        weight = np.maximum(np.minimum(at + ratio / 2, near + 0.5) - np.maximum(at - ratio / 2, near - 0.5), 0.0) / ratio
    row = np.broadcast_to(np.arange(points)[:, None], near.shape)
    matrix = sparse.csr_matrix((weight.ravel(), (row.ravel(), np.clip(near, 0, voxels - 1).ravel())), (points, voxels))
    matrix.data[matrix.data < _ROUNDING] = 0.0
    matrix.eliminate_zeros()
    return matrix.astype(np.float32)


def without_specks(lattice: Labelled, cells: int) -> tuple[Labelled, Indices]:
    """The lattice with pieces smaller than so many cells given to what is around them.

    Returns:
        The lattice, and the number of cells of each piece that was given away.
    """
    region = lattice.region.copy()
    sizes: list[int] = []
    for i, found in enumerate([tuple(slice(0, n) for n in region.shape), *ndimage.find_objects(lattice.region)]):
        if found is None:
            continue
        box = _widened(found)
        pieces, count = ndimage.label(lattice.region[box] == i)
        size = np.bincount(pieces.ravel(), minlength=count + 1)
        size[0] = cells
        places = ndimage.find_objects(pieces)
        for piece in np.flatnonzero(size < cells):
            _give_away(region[box], pieces, int(piece), _widened(places[piece - 1]))
        sizes += size[size < cells].tolist()
    return replace(lattice, region=region), np.array(sizes, np.int64)


def _widened(box: Box) -> Box:
    """A box with one more cell on each side."""
    return tuple(slice(max(side.start - 1, 0), side.stop + 1) for side in box)


def _give_away(region: Regions, pieces: Any, piece: int, around: Box) -> None:
    """Give a piece the region that most of its neighbours have."""
    own = pieces[around] == piece
    ring = ndimage.binary_dilation(own) & ~own
    if ring.any():
        region[around][own] = np.bincount(region[around][ring]).argmax()


def without_loose_contacts(lattice: Labelled) -> tuple[Labelled, int]:
    """The lattice where cells of a region meet by faces, not by edges or corners only.

    Surfaces between cells that meet by an edge touch themselves there, and are no surfaces of a solid.

    Returns:
        The lattice, and the number of cells that changed their region.
    """
    region = np.pad(lattice.region, 1, mode="edge")
    before = region.copy()
    blocks = _mixed_blocks(region)
    for _ in range(_SWEEPS):
        loose = blocks[_is_loose(region, blocks)]
        if len(loose) == 0:
            break
        for parity in _CORNERS:  # blocks of one parity share no cells, so that they can be mended together
            some = loose[(loose % 2 == parity).all(axis=1)]
            _mend(region, some[_is_loose(region, some)])
        blocks = np.unique((loose[:, None] + _NEAR).reshape(-1, 3), axis=0)
        blocks = blocks[((blocks >= 0) & (blocks < np.array(region.shape) - 1)).all(axis=1)]
    changed = int(np.sum(region != before))
    inner = (slice(1, -1),) * 3
    return replace(lattice, region=np.ascontiguousarray(region[inner])), changed


def _joined(cells: int) -> bool:
    """Whether the cells of a block, one bit each, hang together by faces."""
    block = np.array([cells >> i & 1 for i in range(8)]).reshape(2, 2, 2)
    return bool(ndimage.label(block)[1] <= 1)


_LOOSE = np.array([not (_joined(cells) and _joined(255 - cells)) for cells in range(256)])


def _mixed_blocks(region: Regions) -> Indices:
    """Lowest corner of each block of 2 x 2 x 2 cells that holds several regions, shape (blocks, 3)."""
    low, high = region, region
    for axis in range(3):
        ends = [[slice(None)] * 3, [slice(None)] * 3]
        ends[0][axis], ends[1][axis] = slice(None, -1), slice(1, None)
        low = np.minimum(low[tuple(ends[0])], low[tuple(ends[1])])
        high = np.maximum(high[tuple(ends[0])], high[tuple(ends[1])])
    return np.argwhere(low != high)


def _is_loose(region: Regions, blocks: Indices) -> NDArray[np.bool_]:
    """Whether a region of each block, or all others in it, meet by edges or corners only."""
    held = region[tuple(np.moveaxis(blocks[:, None] + _CORNERS, 2, 0))]
    same = held[:, :, None] == held[:, None, :]
    masks = (same * (1 << np.arange(8))).sum(axis=2)
    return _LOOSE[masks].any(axis=1)


def _mend(region: Regions, blocks: Indices) -> None:
    """In each block, give the cell with the fewest neighbours of its region to the region of most of them."""
    if len(blocks) == 0:
        return
    cells = blocks[:, None] + _CORNERS
    near = np.clip(cells[:, :, None] + _FACES, 0, np.array(region.shape) - 1)
    held = region[tuple(np.moveaxis(near, 3, 0))]
    own = region[tuple(np.moveaxis(cells, 2, 0))]
    weakest = (held == own[:, :, None]).sum(axis=2).argmin(axis=1)
    rows = np.arange(len(blocks))
    others, mine = held[rows, weakest], own[rows, weakest]
    votes = (others[:, :, None] == others[:, None, :]).sum(axis=2) * (others != mine[:, None])
    region[tuple(cells[rows, weakest].T)] = others[rows, votes.argmax(axis=1)]
