"""Eddy currents against exact solutions: reference/physics.md, section 5.4, and the torsion of a square bar.

All fields are 1 T peak per unit of drive, at 300 kHz: the heat is quadratic in both.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.special import jv

from nanowarm.mesh_section import MeshInput
from nanowarm.meshing.raw_mesh import RawMesh, make_mesh
from nanowarm.numerics.eddy import SMALLEST_RATIO, EddyHeating, eddy_heating, skin_depth
from nanowarm.numerics.mesh import distribute
from nanowarm.numerics.operators import Operators, assemble
from nanowarm.numerics.stack import MPI, fem, ufl

Array = NDArray[np.float64]
MESHES = Path(__file__).parents[2] / "meshes"
MPIEXEC = Path(sys.executable).parent / "mpiexec"

RADIUS = 5e-3  # [m] of cylinder and sphere
SIGMA, FREQUENCY = 0.5, 3e5  # [S/m], [Hz]
OMEGA = 2 * np.pi * FREQUENCY
LEVEL = 0.5 * SIGMA * OMEGA**2  # [W/m3] of |A + grad phi| = 1 T m
PERMEABILITY = 4e-7 * np.pi  # [N/A2] to 1e-9


def uniform(field: tuple[float, float, float], centre: tuple[float, float, float] = (0, 0, 0)) -> Callable[[Array], Array]:
    """A = B x (x - centre) / 2 of a uniform field B [T]."""
    return lambda points: 0.5 * np.cross(np.array(field, dtype=float), points - np.array(centre))


AXIAL = uniform((0, 0, 1))


@cache
def raw(recipe: str, size: float, **parameters: str) -> RawMesh:
    return make_mesh(MeshInput(file=f"{recipe}.geo", parameters=parameters, size=f"{size!r} m"), MESHES).mesh


@cache
def cylinder(size: float = 0.5e-3, length: float = 2e-3) -> Operators:
    volume = np.pi * RADIUS**2 * length
    mesh = raw("vial", size, volume=f"{volume!r} m^3", aspect=f"{length / (2 * RADIUS)!r}")
    return assemble(distribute(mesh, MPI.COMM_SELF))


@cache
def sphere(core: float = 0.0) -> Operators:
    mesh = raw("sphere", 0.4e-3, radius=f"{RADIUS!r} m", core=f"{core!r} m")
    return assemble(distribute(mesh, MPI.COMM_SELF))


def volume(operators: Operators) -> Array:
    """Volume of the nodes [m3]."""
    return np.asarray(sum(operators.mass.values()))[: operators.layout.owned]


def shares(operators: Operators, density: Callable[[Array], Array]) -> Array:
    """What every node gets of a density given at points of shape (n, 3): its integral over the node's shape function."""
    quadratic = fem.Function(fem.functionspace(operators.mesh.domain, ("Lagrange", 2)))
    quadratic.interpolate(lambda x: density(x.T))
    return np.asarray(fem.assemble_vector(fem.form(quadratic * ufl.TestFunction(operators.space) * ufl.dx)).array)


def difference(operators: Operators, found: EddyHeating, density: Callable[[Array], Array]) -> float:
    """Root mean square over the volume of the heating minus the exact one, over that of the exact one."""
    weight = volume(operators)
    exact = shares(operators, density) / weight
    return float(np.sqrt(weight @ (found.heating - exact) ** 2 / (weight @ exact**2)))


def circling(points: Array) -> Array:
    """p [W/m3] where currents flow on circles around the axis of a uniform field: E = omega B rho / 2."""
    return LEVEL * (points[:, 0] ** 2 + points[:, 1] ** 2) / 4


def test_a_cylinder_in_an_axial_field_has_the_exact_profile_and_total() -> None:
    found = eddy_heating(cylinder(), {"cpa": SIGMA}, AXIAL, FREQUENCY)
    amplitude = 1 / PERMEABILITY  # [A/m] of 1 T
    at_wall = 0.5 * SIGMA * (np.pi * PERMEABILITY * FREQUENCY * amplitude * RADIUS) ** 2
    assert circling(np.array([[0.0, RADIUS, 0.0]]))[0] == pytest.approx(at_wall, rel=1e-9)
    assert found.total == pytest.approx(at_wall / 2 * np.pi * RADIUS**2 * 2e-3, rel=0.01)
    assert difference(cylinder(), found, circling) < 0.01
    exact = shares(cylinder(), circling) / volume(cylinder())
    away = np.hypot(*cylinder().position[:, :2].T) > 0.2 * RADIUS  # at every single node but those near the axis
    np.testing.assert_allclose(found.heating[away], exact[away], rtol=0.01)


def test_the_total_of_a_cylinder_converges_with_its_roundness(order: Any) -> None:
    exact = LEVEL / 4 * np.pi / 2 * RADIUS**4 * 1e-3
    found = [eddy_heating(cylinder(size, 1e-3), {"cpa": SIGMA}, AXIAL, FREQUENCY).total for size in (0.5e-3, 0.25e-3)]
    errors = [1 - total / exact for total in found]
    assert errors[1] > 0  # inscribed polygons are smaller
    assert order(errors) == pytest.approx(2.0, abs=0.3)


@pytest.mark.parametrize("field", [(0, 0, 1), (0.48, 0.6, 0.64)])
def test_a_sphere_has_the_exact_total_and_profile_at_any_angle_of_the_field(field: tuple[float, float, float]) -> None:
    found = eddy_heating(sphere(), {"body": SIGMA}, uniform(field), FREQUENCY)
    # integral of rho^2 over a ball = 8 pi R^5 / 15
    assert found.total == pytest.approx(LEVEL / 4 * 8 * np.pi / 15 * RADIUS**5, rel=0.01)
    assert difference(sphere(), found, lambda points: LEVEL * (uniform(field)(points) ** 2).sum(axis=1)) < 0.01


def test_a_field_that_grows_along_the_axis_heats_a_sphere_exactly() -> None:
    # A = g z rho e_phi has no divergence and no part normal to the sphere, so that phi = 0
    found = eddy_heating(sphere(), {"body": SIGMA}, lambda points: 200.0 * points[:, 2:] * AXIAL(points), FREQUENCY)
    # integral of x^2 z^2 over a ball = 4 pi R^7 / 105
    assert found.total == pytest.approx(LEVEL * 100.0**2 * 8 * np.pi / 105 * RADIUS**7, rel=0.01)


def test_a_core_that_conducts_four_times_as_well_heats_four_times_as_much() -> None:
    # the currents circle within each region, so that neither disturbs the other
    core = 0.5 * RADIUS
    operators = sphere(core)
    both = eddy_heating(operators, {"body": SIGMA, "core": 4 * SIGMA}, AXIAL, FREQUENCY)
    ball = LEVEL / 4 * 8 * np.pi / 15
    assert both.total == pytest.approx(ball * (RADIUS**5 + 3 * core**5), rel=0.01)
    inner = eddy_heating(operators, {"body": 0.0, "core": 4 * SIGMA}, AXIAL, FREQUENCY)
    assert inner.total == pytest.approx(4 * ball * core**5, rel=0.02)  # all of it the core's own roundness
    outside = np.linalg.norm(operators.position, axis=1) > 1.001 * core
    assert (inner.heating[outside] == 0).all()
    assert (inner.heating[~outside] > 0).all()


def test_a_long_cylinder_across_the_field_heats_by_the_square_of_the_distance_from_its_plane() -> None:
    # B along x, far from the ends: E = omega B y along the axis
    operators = cylinder(0.6e-3, 8 * RADIUS)
    found = eddy_heating(operators, {"cpa": SIGMA}, uniform((1, 0, 0)), FREQUENCY).heating
    middle = np.abs(operators.position[:, 2]) < RADIUS
    exact = shares(operators, lambda points: LEVEL * points[:, 1] ** 2)[middle]
    power = (found * volume(operators))[middle]
    assert power.sum() == pytest.approx(exact.sum(), rel=0.01)
    # the ends' influence falls as exp(-1.84 z / R), 0.4 % at z = R
    assert np.sqrt(((power - exact) ** 2).sum() / (exact**2).sum()) < 0.02


def square_bar(side: float, length: float) -> float:
    """Power [W per T^2] of a square bar in a field along it.

    The stream function of the currents is Prandtl's of the bar's torsion, with the constant
    J = side^4 (1/3 - 64 / pi^5 sum over odd n of tanh(n pi / 2) / n^5), so that P = sigma omega^2 B^2 J length / 8.
    """
    n = np.arange(1, 200, 2)
    constant = side**4 * (1 / 3 - 64 / np.pi**5 * np.sum(np.tanh(n * np.pi / 2) / n**5))
    return float(LEVEL * constant * length / 4)


def test_the_power_of_a_square_bar_converges_at_second_order_from_above(order: Any) -> None:
    # flat faces are meshed exactly; grad phi is as large as A here, and the solve finds the least of all powers
    mesh = raw("slab", 1e-3, thickness="2 mm", width="4 mm")
    errors = []
    for times in range(3):
        operators = assemble(distribute(mesh, MPI.COMM_SELF, times))
        total = eddy_heating(operators, {"body": SIGMA}, uniform((1, 0, 0)), FREQUENCY).total
        errors.append(total / square_bar(4e-3, 2e-3) - 1)
    assert min(errors) > 0
    assert errors[-1] < 0.01
    assert order(errors[1:]) == pytest.approx(2.0, abs=0.2)


def test_the_gauge_does_not_matter() -> None:
    operators = cylinder()
    here = eddy_heating(operators, {"cpa": SIGMA}, uniform((0.3, 0.2, 1)), FREQUENCY)

    def elsewhere(points: Array) -> Array:
        x, y, z = (200.0 * points).T  # a gradient as large as A, of waves 30 mm long
        wave = np.stack([np.cos(x) * np.sin(y), np.sin(x) * np.cos(y), np.exp(z)], axis=1)
        return uniform((0.3, 0.2, 1))(points) + RADIUS * wave

    for other in (elsewhere, uniform((0.3, 0.2, 1), (10 * RADIUS, -3 * RADIUS, RADIUS))):
        there = eddy_heating(operators, {"cpa": SIGMA}, other, FREQUENCY)
        assert there.total == pytest.approx(here.total, rel=1e-9)
        np.testing.assert_allclose(there.heating, here.heating, atol=1e-8 * here.heating.max())


def test_the_nodes_shares_sum_to_the_total_and_none_is_negative() -> None:
    found = eddy_heating(cylinder(), {"cpa": SIGMA}, uniform((1, 2, 3)), FREQUENCY)
    assert found.heating @ volume(cylinder()) == pytest.approx(found.total, rel=1e-13)
    assert found.heating.min() > 0


def test_heat_goes_with_the_square_of_frequency_and_linearly_with_conductivity() -> None:
    one = eddy_heating(cylinder(), {"cpa": SIGMA}, AXIAL, FREQUENCY)
    other = eddy_heating(cylinder(), {"cpa": SIGMA / 5}, AXIAL, 3 * FREQUENCY)
    np.testing.assert_allclose(other.heating, 9 / 5 * one.heating, rtol=1e-6)
    assert one.skin_depth_ratio == pytest.approx(skin_depth(SIGMA, FREQUENCY) / RADIUS, rel=1e-6)


def test_parts_that_do_not_touch_heat_as_if_alone() -> None:
    mesh = raw("slab", 1e-3, thickness="6 mm", width="4 mm")
    x = mesh.points[mesh.cells].mean(axis=1)[:, 0]
    region = np.digitize(x, [2e-3, 4e-3]).astype(np.int32)
    operators = assemble(distribute(replace(mesh, cell_region=region, region_names=("a", "gap", "b")), MPI.COMM_SELF))

    def heating(a: float, b: float) -> Array:
        return eddy_heating(operators, {"a": a, "gap": 0.0, "b": b}, uniform((0.5, 0.2, 1)), FREQUENCY).heating

    first, second = heating(SIGMA, 0.0), heating(0.0, 1e-3 * SIGMA)
    together = heating(SIGMA, 1e-3 * SIGMA)
    for part in (first, second):  # each to its own scale
        touched = part > 0
        np.testing.assert_allclose(together[touched], part[touched], atol=1e-8 * part.max())


def test_a_body_that_does_not_conduct_stays_cold() -> None:
    found = eddy_heating(cylinder(), {"cpa": 0.0}, AXIAL, FREQUENCY)
    assert (found.total, found.skin_depth_ratio) == (0.0, np.inf)
    assert not found.heating.any()


def test_what_is_neglected_at_the_smallest_skin_depth_is_below_a_thousandth() -> None:
    # Bessel's solution of a cylinder whose surface sees a given field, E ~ J1(k r) / J0(k R) with k = (1 - j) / delta
    k = (1 - 1j) / SMALLEST_RATIO
    exact = quad(lambda r: abs(k * jv(1, k * r) / jv(0, k)) ** 2 * r, 0, 1)[0]
    neglecting = quad(lambda r: abs(k * k * r / 2) ** 2 * r, 0, 1)[0]
    assert exact == pytest.approx(neglecting, rel=1e-3)


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"conductivity": {"cpa": -0.1}}, "conductivity of cpa, -0.1 S/m, must be 0 or above"),
        ({"conductivity": {"body": 0.5}}, "given for body; the regions are cpa"),
        ({"frequency": 0.0}, "frequency 0 Hz must be above 0"),
        ({"conductivity": {"cpa": 5.8e7}}, "at least 5 times as large"),
        ({"vector_potential": lambda points: points[:, 0]}, "it must have that of the points"),
        ({"vector_potential": lambda points: np.full_like(points, np.nan)}, "not finite at"),
    ],
)
def test_what_cannot_be_right_is_refused(changed: dict[str, Any], complaint: str) -> None:
    asked: dict[str, Any] = {"conductivity": {"cpa": SIGMA}, "vector_potential": AXIAL, "frequency": FREQUENCY}
    with pytest.raises(ValueError, match=complaint):
        eddy_heating(cylinder(), **(asked | changed))


def test_the_smallest_skin_depth_is_that_of_the_limit() -> None:
    limit = 1 / (np.pi * FREQUENCY * PERMEABILITY * (SMALLEST_RATIO * RADIUS) ** 2)
    eddy_heating(cylinder(), {"cpa": 0.99 * limit}, AXIAL, FREQUENCY)
    with pytest.raises(ValueError, match="skin depth"):
        eddy_heating(cylinder(), {"cpa": 1.01 * limit}, AXIAL, FREQUENCY)


ON_RANKS = """
import sys
from pathlib import Path
from nanowarm.mesh_section import MeshInput
from nanowarm.numerics.stack import MPI
import numpy as np
from nanowarm.numerics.eddy import eddy_heating
from nanowarm.numerics.mesh import distribute
from nanowarm.numerics.operators import assemble
from nanowarm.meshing.raw_mesh import make_mesh

comm = MPI.COMM_WORLD
recipe = Path(sys.argv[1])
given = MeshInput(file=str(recipe), parameters={"volume": "0.2 mL", "wall": "1 mm"}, size="1 mm")
raw = make_mesh(given, recipe.parent).mesh if comm.rank == 0 else None
operators = assemble(distribute(raw, comm))
field = lambda points: 0.5 * np.cross([0.3, 0.2, 1.0], points - [0.01, 0.0, 0.0])
found = eddy_heating(operators, {"cpa": 0.5, "container": 1e-4}, field, 3e5)
alone = eddy_heating(operators, {"cpa": 0.5, "container": 0.0}, field, 3e5)
rows = np.concatenate(comm.allgather(np.column_stack((operators.position, found.heating, alone.heating))))
fault = "none"
try:
    eddy_heating(operators, {"cpa": 0.5, "container": 0.0}, lambda x: field(x) if comm.rank else field(x) * np.nan, 3e5)
except ValueError as error:
    fault = str(error)
faults = comm.gather("not finite" in fault)
if comm.rank == 0:
    assert all(faults)
    np.savez(sys.argv[2], rows=rows[np.lexsort(np.round(rows[:, :3], 9).T)], totals=[found.total, alone.total])
"""


def test_any_number_of_ranks_gives_the_same_heat(tmp_path: Path) -> None:
    results = []
    for ranks in (1, 2, 3):
        kept = tmp_path / f"{ranks}.npz"
        command = [MPIEXEC, "-n", str(ranks), sys.executable, "-c", ON_RANKS, MESHES / "vial.geo", kept]
        subprocess.run(command, check=True, capture_output=True, env=os.environ | {"OMP_NUM_THREADS": "1"}, timeout=120)
        results.append(np.load(kept))
    for one, other in zip(results[:1] * 2, results[1:], strict=True):
        np.testing.assert_allclose(other["totals"], one["totals"], rtol=1e-10)
        np.testing.assert_allclose(other["rows"][:, :3], one["rows"][:, :3], atol=1e-12, rtol=0)
        for column in (3, 4):
            scale = one["rows"][:, column].max()
            np.testing.assert_allclose(other["rows"][:, column], one["rows"][:, column], atol=1e-8 * scale, rtol=0)
