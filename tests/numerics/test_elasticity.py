"""Elastic bodies: exact where the displacement is linear, free of stress where free, and the same on any number of ranks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from nanowarm.errors import SolveError
from nanowarm.mesh_section import MeshInput
from nanowarm.meshing.mesh_checks import RawMesh
from nanowarm.meshing.raw_mesh import make_mesh
from nanowarm.numerics import elasticity
from nanowarm.numerics.elasticity import Elasticity
from nanowarm.numerics.mesh import Mesh, distribute
from nanowarm.numerics.stack import MPI

Array = NDArray[np.float64]
MESHES = Path(__file__).parents[2] / "meshes"
MPIEXEC = Path(sys.executable).parent / "mpiexec"
ALONE = os.environ | {"OMP_NUM_THREADS": "1"}

FIRST, SHEAR = 0.3e9, 0.4e9  # Lame's moduli [Pa]
BULK = FIRST + 2.0 / 3.0 * SHEAR
FREE_STRAIN = 1e-3
SCALE = (9.0 * BULK * SHEAR) / (3.0 * BULK + SHEAR) * FREE_STRAIN  # E alpha dT [Pa]


def slab(size: str = "2.5 mm") -> RawMesh:
    return make_mesh(MeshInput(file="slab.geo", parameters={"width": "6 mm"}, size=size), MESHES).mesh


def filled(mesh: Mesh, order: int, held: dict[str, tuple[int, ...]], shear: float = SHEAR) -> tuple[Elasticity, Array]:
    """A body of one material, and one at each of its points."""
    body = Elasticity(mesh, order, held)
    ones = np.ones((len(mesh.cell_region), len(body.corners)))
    body.fill(FIRST * ones, shear * ones)
    return body, ones


def at_points(body: Elasticity) -> Array:
    """Coordinates of the points of all cells [m], shape (cells, points, 3)."""
    domain = body.mesh.domain
    return np.einsum("pk,nki->npi", body.corners, domain.geometry.x[domain.geometry.dofmaps[0]])


def thermal(free_strain: Array) -> Array:
    """Stress of a strain that is held back entirely, shape (cells, points, 6)."""
    stress = np.zeros((*free_strain.shape, 6))
    stress[..., :3] = -3.0 * BULK * free_strain[..., None]
    return stress


@pytest.mark.parametrize("order", [1, 2])
def test_a_linear_displacement_around_a_body_strains_it_evenly(order: int) -> None:
    everywhere = dict.fromkeys(("left", "right", "sides"), (0, 1, 2))
    body, ones = filled(distribute(slab(), MPI.COMM_SELF), order, everywhere)
    gradient = 1e-3 * np.array([[1.0, 2.0, -1.0], [0.5, -2.0, 3.0], [4.0, 0.0, 1.5]])
    found = body.balanced(0.0 * thermal(ones), body.position @ gradient.T)
    strain = 0.5 * (gradient + gradient.T)
    exact = FIRST * np.trace(strain) * np.eye(3) + 2.0 * SHEAR * strain
    six = exact[[0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]]
    assert np.abs(found - six).max() < 1e-6 * np.abs(six).max()


@pytest.mark.parametrize("order", [1, 2])
def test_a_free_body_that_cools_evenly_has_no_stress(order: int) -> None:
    body, ones = filled(distribute(slab(), MPI.COMM_SELF), order, {})
    assert np.abs(body.balanced(thermal(-FREE_STRAIN * ones), 0.0 * body.position)).max() < 1e-6 * SCALE


def two_slabs(gap: float) -> RawMesh:
    """The same slab twice, side by side."""
    one = slab()
    count = len(one.points)
    return RawMesh(
        np.concatenate((one.points, one.points + np.array([0.0, gap, 0.0]))), np.concatenate((one.cells, one.cells + count)),
        np.tile(one.cell_region, 2), np.concatenate((one.facets, one.facets + count)), np.tile(one.facet_surface, 2),
        one.region_names, one.surface_names,
    )  # fmt: skip


@pytest.mark.parametrize("order", [1, 2])
def test_of_two_free_bodies_neither_feels_the_other(order: int) -> None:
    body, ones = filled(distribute(two_slabs(0.05), MPI.COMM_SELF), order, {})
    assert np.abs(body.balanced(thermal(-FREE_STRAIN * ones), 0.0 * body.position)).max() < 1e-6 * SCALE
    uneven = thermal(FREE_STRAIN * np.cos(300.0 * at_points(body)[..., 0]))
    both = body.balanced(uneven, 0.0 * body.position)
    single, _ = filled(distribute(slab(), MPI.COMM_SELF), order, {})
    alone = single.balanced(thermal(FREE_STRAIN * np.cos(300.0 * at_points(single)[..., 0])), 0.0 * single.position)
    assert np.abs(alone).max() > 0.05 * SCALE
    assert np.abs(both).max() == pytest.approx(np.abs(alone).max(), rel=1e-5)


@pytest.mark.parametrize("order", [1, 2])
def test_a_body_that_changed_is_solved_like_a_new_one(order: int) -> None:
    mesh = distribute(slab(), MPI.COMM_SELF)
    changed, ones = filled(mesh, order, {"left": (0, 1, 2)})
    uneven = thermal(FREE_STRAIN * np.cos(300.0 * at_points(changed)[..., 0]))
    first = changed.balanced(uneven, 0.0 * changed.position)
    stiffness = np.where(at_points(changed)[..., 0] > 5e-3, 1.0, 0.05) * SHEAR
    changed.fill(FIRST * ones, stiffness)
    again = changed.balanced(uneven, 0.0 * changed.position)
    new = Elasticity(mesh, order, {"left": (0, 1, 2)})
    new.fill(FIRST * ones, stiffness)
    fresh = new.balanced(uneven, 0.0 * new.position)
    assert np.abs(fresh - first).max() > 0.1 * np.abs(first).max()
    assert np.abs(again - fresh).max() < 2e-6 * np.abs(fresh).max()


def test_what_was_solved_before_takes_no_iterations() -> None:
    body, _ = filled(distribute(slab(), MPI.COMM_SELF), 1, {})
    uneven = thermal(FREE_STRAIN * np.cos(300.0 * at_points(body)[..., 0]))
    body.balanced(uneven, 0.0 * body.position)
    assert body.iterations > 3
    body.balanced(0.5 * uneven, 0.0 * body.position)
    assert body.iterations <= 1


@pytest.mark.parametrize(("order", "refine"), [(1, 1), (2, 0)])
def test_a_mesh_twice_as_fine_takes_hardly_more_iterations(order: int, refine: int) -> None:
    taken = []
    for more in (0, 1):
        body, _ = filled(distribute(slab(), MPI.COMM_SELF, refine + more), order, {})
        body.balanced(thermal(FREE_STRAIN * np.cos(300.0 * at_points(body)[..., 0])), 0.0 * body.position)
        taken.append(body.iterations)
    assert taken[1] <= 1.3 * taken[0]


def test_what_does_not_converge_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    body, _ = filled(distribute(slab(), MPI.COMM_SELF), 1, {})
    monkeypatch.setattr(elasticity, "_MOST_ITERATIONS", 2)
    with pytest.raises(SolveError, match=r"^stress: no equilibrium after 2 iterations .* check the mesh$"):
        body.balanced(thermal(FREE_STRAIN * np.cos(300.0 * at_points(body)[..., 0])), 0.0 * body.position)


ON_RANKS = """
import json, sys
from pathlib import Path
import numpy as np
from nanowarm.mesh_section import MeshInput
from nanowarm.meshing.raw_mesh import make_mesh
from nanowarm.numerics.mesh import Mesh, distribute
from nanowarm.numerics.operators import assemble
from nanowarm.numerics.refinement import domain_of
from nanowarm.numerics.stack import MPI, dolfinx
from nanowarm.numerics.stress import StressState
from nanowarm.physics.curves import constant
from nanowarm.physics.mechanics import Mechanics, StressInput
order, bonded, alone = json.loads(sys.argv[1])
comm = MPI.COMM_WORLD
given = MeshInput(file="slab.geo", parameters={"width": "6 mm"}, size="2.5 mm")
raw = make_mesh(given, Path(sys.argv[2])).mesh if comm.rank == 0 else None
if alone:  # all cells stay on the first rank
    points, cells = (raw.points, raw.cells) if raw else (np.empty((0, 3)), np.empty((0, 4), np.int32))
    domain = domain_of(dolfinx.common.IndexMap(comm, len(points)), cells.astype(np.int32), points)
    mesh = Mesh(domain, np.zeros(len(cells), np.int32), np.full((len(cells), 4), -1, np.int32), ("body",), ())
else:
    mesh = distribute(raw, comm)
operators = assemble(mesh)
body = Mechanics(1e9, 0.2, constant(5e-5), set_temperature=250.0)
given = StressInput(rheology="elastic", order=order, bonded=tuple(bonded), container_expansion="1e-5 1/K")
state = StressState(operators, {"body": body}, given)
x = operators.position
state.begin(0.0, np.full(len(x), 260.0))
for step in (1, 2):
    state.advance(float(step), 260.0 - 10.0 * step - 2e5 * step * x[:, 0] ** 2 - 300.0 * x[:, 1])
largest = comm.allreduce(float(state.principal.max(initial=-np.inf)), MPI.MAX)
squares = comm.allreduce(float((state.stress**2).sum()))
solid, empty = comm.allreduce(int(state.solid.sum())), comm.allreduce(int(state.solid.size == 0))
if comm.rank == 0:
    print(json.dumps([largest, squares, solid, empty]))
"""


def on_ranks(ranks: int, *given: Any) -> list[float]:
    command = [str(MPIEXEC), "-n", str(ranks), sys.executable, "-c", ON_RANKS, json.dumps(given), str(MESHES)]
    done = subprocess.run(command, env=ALONE, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found: list[float] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize(("order", "bonded"), [pytest.param(1, ["left"], marks=pytest.mark.slow), (2, [])])
def test_one_two_and_three_ranks_find_the_same_stress(order: int, bonded: list[str]) -> None:
    largest, squares, solid, _ = on_ranks(1, order, bonded, False)
    assert largest > 1e4
    for ranks in (2, 3):
        other = on_ranks(ranks, order, bonded, False)
        assert other[:2] == pytest.approx([largest, squares], rel=2e-6)
        assert other[2] == solid


@pytest.mark.parametrize("order", [1, 2])
def test_a_rank_without_cells_does_no_harm(order: int) -> None:
    largest, squares, _, empty = on_ranks(2, order, [], True)
    assert empty == 1
    assert [largest, squares] == pytest.approx(on_ranks(1, order, [], False)[:2], rel=2e-6)
