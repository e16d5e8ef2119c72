"""A mesh in memory order and on several ranks: the same volumes and surfaces, nothing lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nanowarm.mesh_section import MeshInput
from nanowarm.meshing.mesh_checks import RawMesh, signed_volumes
from nanowarm.meshing.ordering import in_order
from nanowarm.meshing.raw_mesh import make_mesh
from nanowarm.numerics.mesh import distribute
from nanowarm.numerics.operators import assemble
from nanowarm.numerics.stack import MPI

MESHES = Path(__file__).parents[2] / "meshes"
BEHAVIOUR = """
import json
from pathlib import Path
from nanowarm.mesh_section import MeshInput
from nanowarm.numerics.mesh import distribute
from nanowarm.numerics.operators import assemble
from nanowarm.meshing.raw_mesh import make_mesh
from nanowarm.numerics.stack import MPI
comm = MPI.COMM_WORLD
given = MeshInput(file="kidney.geo", size="2 mm")
raw = make_mesh(given, Path({meshes!r})).mesh if comm.rank == 0 else None
operators = assemble(distribute(raw, comm, {refine}))
own = operators.layout.owned
mass = {{name: comm.allreduce(float(values[:own].sum())) for name, values in operators.mass.items()}}
area = {{name: comm.allreduce(float(values.sum())) for name, values in operators.surface_area.items()}}
if comm.rank == 0:
    print(json.dumps([operators.mesh.cell_count(), mass, area]))
"""


def kidney() -> RawMesh:
    return make_mesh(MeshInput(file="kidney.geo", size="2 mm"), MESHES).mesh


def test_a_mesh_in_order_has_the_cells_it_had() -> None:
    mesh = kidney()
    shuffled = np.random.default_rng(1).permutation(len(mesh.cells))
    mixed = RawMesh(
        mesh.points, mesh.cells[shuffled], mesh.cell_region[shuffled], mesh.facets, mesh.facet_surface,
        mesh.region_names, mesh.surface_names,
    )  # fmt: skip
    ordered = in_order(mixed)
    for number in range(len(mesh.region_names)):
        before, after = (np.sort(signed_volumes(m)[m.cell_region == number]) for m in (mixed, ordered))
        assert after == pytest.approx(before, rel=1e-12)


def test_neighbours_are_near_each_other_in_memory() -> None:
    mesh = kidney()
    shuffled = np.random.default_rng(1).permutation(len(mesh.points))
    mixed = RawMesh(
        mesh.points[np.argsort(shuffled)], shuffled[mesh.cells], mesh.cell_region, shuffled[mesh.facets], mesh.facet_surface,
        mesh.region_names, mesh.surface_names,
    )  # fmt: skip
    spread = [float(np.ptp(m.cells, axis=1).mean()) for m in (mixed, in_order(mixed))]
    assert spread[1] < 0.2 * spread[0]


def test_surfaces_have_the_area_of_their_triangles() -> None:
    mesh = kidney()
    operators = assemble(distribute(mesh, MPI.COMM_SELF))
    corner = mesh.points[mesh.facets]
    areas = np.linalg.norm(np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1) / 2
    for number, name in enumerate(mesh.surface_names):
        assert operators.surface_area[name].sum() == pytest.approx(areas[mesh.facet_surface == number].sum(), rel=1e-12)


@pytest.mark.parametrize("refine", [0, 1])
def test_volumes_and_areas_are_the_same_on_every_number_of_ranks(refine: int) -> None:
    import json

    mpiexec = Path(sys.executable).parent / "mpiexec"
    script = BEHAVIOUR.format(meshes=str(MESHES), refine=refine)
    found = []
    for ranks in (1, 2, 3):
        command = [str(mpiexec), "-n", str(ranks), sys.executable, "-c", script]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ, timeout=300)
        found.append(json.loads(done.stdout.splitlines()[-1]))
    for other in found[1:]:
        assert other[0] == found[0][0]
        assert other[1] == pytest.approx(found[0][1], rel=1e-12)
        assert other[2] == pytest.approx(found[0][2], rel=1e-12)
