"""A mesh on which heat would flow wrongly is refused; what is only untidy is put right."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nanowarm.errors import MeshError
from nanowarm.meshing.mesh_checks import RawMesh, check_mesh, checked, signed_volumes, tidy


def two_tetrahedra() -> RawMesh:
    """Two cells on a common facet, in one region with a surface on one facet."""
    return RawMesh(
        points=np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, -1]], float),
        cells=np.array([[0, 1, 2, 3], [0, 2, 1, 4]]),
        cell_region=np.zeros(2, np.int32),
        facets=np.array([[0, 1, 3]]),
        facet_surface=np.zeros(1, np.int32),
        region_names=("body",),
        surface_names=("side",),
    )


def test_a_good_mesh_passes() -> None:
    check_mesh(tidy(two_tetrahedra()), Path("a.msh"))


def test_cells_numbered_the_other_way_round_are_turned() -> None:
    mesh = two_tetrahedra()
    turned = checked(replace(mesh, cells=mesh.cells[:, [1, 0, 2, 3]]), Path("a.msh"))
    assert (signed_volumes(turned) > 0).all()


def test_nodes_of_no_cell_are_dropped() -> None:
    mesh = two_tetrahedra()
    more = replace(
        mesh,
        points=np.concatenate([[[9.0, 9, 9]], mesh.points]),
        cells=mesh.cells + 1,
        facets=mesh.facets + 1,
    )
    assert np.array_equal(checked(more, Path("a.msh")).cells, checked(mesh, Path("a.msh")).cells)


def test_a_tidied_mesh_has_every_outer_facet_in_a_surface() -> None:
    mesh = tidy(two_tetrahedra())
    assert np.bincount(mesh.facet_surface).tolist() == [1, 5]


def spoiled() -> dict[str, tuple[RawMesh, str]]:
    """Bad meshes, each with what is said of it."""
    mesh = two_tetrahedra()
    points, cells, facets = mesh.points, mesh.cells, mesh.facets
    split = np.concatenate([points, points[:3]])
    one, none = np.zeros(1, np.int32), np.empty(0, np.int32)
    return {
        "only triangles": (replace(mesh, cells=cells[:0], cell_region=none), "has only triangles"),
        "nothing": (replace(mesh, cells=cells[:0], cell_region=none, facets=facets[:0]), "has no cells"),
        "nan": (replace(mesh, points=np.where(points == -1, np.nan, points)), "1 nodes have no finite coord"),
        "node": (replace(mesh, cells=cells + 1), "nodes that the file does not hold"),
        "flat": (replace(mesh, points=points * [1, 1, 0]), "2 cells have no volume, the first at"),
        "folded": (
            replace(mesh, points=np.abs(points) + 0.1 * (points < 0)),
            "1 pairs of cells overlap",
        ),
        "thrice": (
            replace(mesh, cells=np.concatenate([cells, cells[:1]]), cell_region=np.zeros(3, np.int32)),
            "belong to more than two cells",
        ),
        "split": (
            replace(mesh, points=split, cells=np.array([[0, 1, 2, 3], [5, 7, 6, 4]])),
            "3 pairs of nodes lie on",
        ),
        "nameless": (replace(mesh, cell_region=np.array([0, -1], np.int32)), "1 cells are in no region"),
        "region on nothing": (
            replace(mesh, region_names=("body", "ghost")),
            "the region 'ghost' has no elements",
        ),
        "surface on nothing": (replace(mesh, surface_names=("side", "ghost")), "the surface 'ghost' has no"),
        "twice": (
            replace(mesh, region_names=("body", "body"), cell_region=np.array([0, 1], np.int32)),
            "region name 'body' is given twice",
        ),
        "stray": (replace(mesh, facets=np.array([[1, 3, 4]]), facet_surface=one), "'side' are on no cell"),
        "two surfaces": (
            replace(
                mesh,
                facets=np.concatenate([facets, facets[:, ::-1]]),
                facet_surface=np.array([0, 1], np.int32),
                surface_names=("side", "wall"),
            ),
            "in two surfaces, e.g. 'side' and 'wall'",
        ),
    }


@pytest.mark.parametrize("kind", spoiled())
def test_a_bad_mesh_is_refused(kind: str) -> None:
    mesh, message = spoiled()[kind]
    with pytest.raises(MeshError, match=rf"^a\.msh: .*{message}"):
        checked(mesh, Path("a.msh"))
