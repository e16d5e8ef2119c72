"""Thermo-mechanical stress against exact solutions: reference/physics.md, section 7.7."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from nanowarm.mesh_section import MeshInput
from nanowarm.meshing.raw_mesh import RawMesh, make_mesh
from nanowarm.numerics.mesh import distribute
from nanowarm.numerics.operators import Operators, assemble
from nanowarm.numerics.stack import MPI
from nanowarm.numerics.stress import StressState
from nanowarm.physics.curves import constant
from nanowarm.physics.mechanics import GlassViscosity, Mechanics, StressInput

Array = NDArray[np.float64]
MESHES = Path(__file__).parents[2] / "meshes"

YOUNG, POISSON, EXPANSION, RISE = 1e9, 0.2, 5e-5, 20.0  # [Pa], -, [1/K], [K]
LEVEL = EXPANSION * YOUNG * RISE / (1.0 - POISSON)  # [Pa]
START = 200.0  # [K] of the body without stress
RADIUS = 5e-3  # [m] of sphere and cylinder
THICK = 1e-2  # [m] of the slab
SOLID = Mechanics(YOUNG, POISSON, constant(EXPANSION))
ROLLERS = {"sides": (1, 2)}  # of a slab along x: its sides move only as far as the wall shrinks
SIX = np.array([1, 1, 1, 2, 2, 2])  # how often each of the six numbers is in the tensor


@cache
def raw(recipe: str, size: float, **parameters: str) -> RawMesh:
    return make_mesh(MeshInput(file=f"{recipe}.geo", parameters=parameters, size=f"{size!r} m"), MESHES).mesh


def assembled(mesh: RawMesh, refine: int = 0) -> Operators:
    return assemble(distribute(mesh, MPI.COMM_SELF, refine))


def slab(size: float = 2e-3, refine: int = 0, width: float = 2e-3) -> Operators:
    return assembled(raw("slab", size, thickness=f"{THICK!r} m", width=f"{width!r} m"), refine)


def corners(state: StressState) -> Array:
    domain = state.operators.mesh.domain
    found: Array = domain.geometry.x[domain.geometry.dofmaps[0]]
    return found


def points(state: StressState) -> Array:
    """Coordinates [m] of the points of all cells, shape (cells, points, 3)."""
    return np.einsum("pk,nki->npi", state.elasticity.corners, corners(state))


def error(state: StressState, exact: Array) -> float:
    """Root mean square over the volume of the stress minus the exact one, over that of the exact one."""
    corner = corners(state)
    weight = np.abs(np.linalg.det(corner[:, 1:] - corner[:, :1]))[:, None, None] * SIX
    return float(np.sqrt((weight * (state.stress - exact) ** 2).sum() / (weight * exact**2).sum()))


def warmed(
    operators: Operators,
    rise: Callable[[Array], Array],
    order: Any,
    held: dict[str, tuple[int, ...]],
    wall: float = 0.0,
) -> StressState:
    """A solid that was at one temperature, and is warmer by a rise [K] over position."""
    given = StressInput(order=order, container_expansion=f"{wall!r} 1/K")
    state = StressState(operators, dict.fromkeys(operators.mesh.region_names, SOLID), given, held)
    state.begin(0.0, np.full(operators.layout.owned, START))
    state.advance(1.0, START + rise(operators.position))
    return state


def around(direction: Array, along: Array, across: Array) -> Array:
    """Tensor with one eigenvalue along a unit vector and another across it, shape (..., 6)."""
    x, y, z = np.moveaxis(direction, -1, 0)
    more = along - across
    products = (x * x, y * y, z * z, x * y, x * z, y * z)
    return np.stack([across * (i < 3) + more * product for i, product in enumerate(products)], axis=-1)


def sphere_stress(state: StressState) -> Array:
    x = points(state)
    r = np.linalg.norm(x, axis=-1, keepdims=True)
    q = (r / RADIUS)[..., 0]
    return around(x / r, 0.4 * LEVEL * (q**2 - 1.0), LEVEL * (0.8 * q**2 - 0.4))


def test_a_sphere_with_a_parabolic_temperature_is_within_one_percent_at_twenty_cells_across() -> None:
    operators = assembled(raw("sphere", 2 * RADIUS / 20, radius=f"{RADIUS!r} m"))
    state = warmed(operators, lambda x: RISE * (1.0 - (x**2).sum(axis=1) / RADIUS**2), 2, {})
    assert error(state, sphere_stress(state)) < 0.01


def test_a_cylinder_that_keeps_its_length_is_within_one_percent_at_twenty_cells_across() -> None:
    length = 2e-3
    mesh = raw("vial", 2 * RADIUS / 20, volume=f"{math.pi * RADIUS**2 * length!r} m^3", aspect=f"{length / (2 * RADIUS)!r}")
    operators = assembled(mesh)
    ends = {"top": (2,), "bottom": (2,)}
    state = warmed(operators, lambda x: RISE * (1.0 - (x[:, 0] ** 2 + x[:, 1] ** 2) / RADIUS**2), 2, ends)
    x = points(state)
    r = np.linalg.norm(x[..., :2], axis=-1)
    q = r / RADIUS
    radial, hoop = 0.25 * LEVEL * (q**2 - 1.0), LEVEL * (0.75 * q**2 - 0.25)
    direction = np.stack((x[..., 0] / r, x[..., 1] / r, np.zeros_like(r)), axis=-1)
    exact = around(direction, radial, hoop)
    exact[..., 2] = POISSON * (radial + hoop) - YOUNG * EXPANSION * RISE * (1.0 - q**2)
    assert error(state, exact) < 0.01


def slab_error(order: int, refine: int) -> float:
    """Of a slab with a parabolic temperature, free to lengthen but not to bend."""
    half = 0.5 * THICK
    operators = slab(refine=refine)
    state = warmed(operators, lambda x: RISE * (1.0 - (x[:, 0] / half - 1.0) ** 2), order, ROLLERS, EXPANSION)
    q = points(state)[..., 0] / half - 1.0
    exact = np.zeros((*q.shape, 6))
    exact[..., 1] = exact[..., 2] = LEVEL * (q**2 - 1.0 / 3.0)
    return error(state, exact)


def test_a_slab_with_a_parabolic_temperature_is_within_one_percent_at_twenty_cells_across() -> None:
    assert slab_error(2, 2) < 0.01


@pytest.mark.parametrize(("order", "finest"), [(1, 3), (2, 2)])
def test_stress_converges_with_the_order_of_the_displacement(order: int, finest: int) -> None:
    coarse, fine = slab_error(order, finest - 1), slab_error(order, finest)
    assert math.log2(coarse / fine) > order - 0.15


@pytest.mark.parametrize(("order", "most"), [(1, 0.13), (2, 0.02)])
def test_a_core_that_expands_is_under_the_pressure_of_an_infinite_body(order: int, most: float) -> None:
    core = 0.5 * RADIUS
    operators = assembled(raw("sphere", 0.5e-3, radius=f"{RADIUS!r} m", core=f"{core!r} m"))
    # what an infinite body moves by at this radius is linear in position
    wall = (1.0 + POISSON) / (3.0 * (1.0 - POISSON)) * EXPANSION * (core / RADIUS) ** 3
    given = StressInput(order=order, bonded=("surface",), container_expansion=f"{wall!r} 1/K")
    media = {"core": SOLID, "body": Mechanics(YOUNG, POISSON, constant(0.0))}
    state = StressState(operators, media, given)
    state.begin(0.0, np.full(operators.layout.owned, START))
    state.advance(1.0, np.full(operators.layout.owned, START + RISE))
    x = points(state)
    r = np.linalg.norm(x, axis=-1)
    inside = np.zeros(r.shape, dtype=bool)
    inside[operators.mesh.cells("core")] = True
    pressure = 2.0 * LEVEL / 3.0
    fall = (core / r) ** 3
    exact = around(
        x / r[..., None], np.where(inside, -pressure, -pressure * fall), np.where(inside, -pressure, 0.5 * pressure * fall)
    )
    assert error(state, exact) < most
    core_cells = operators.mesh.cells("core")
    assert state.stress[core_cells][..., :3].mean() == pytest.approx(-pressure, rel=0.02)


def steady(viscosity: float) -> GlassViscosity:
    sourced: dict[str, Any] = {"source": "invented for a test", "quality": "estimate", "highest": "1e20 Pa*s"}
    return GlassViscosity(kind="VFT", log10_at_infinity=math.log10(viscosity), scale="0 K", vanishing="0 K", **sourced)


def test_a_restrained_bar_that_cools_relaxes_as_maxwell_says() -> None:
    viscosity, cooling, duration, parts = 1e11, 0.01, 600.0, 60
    operators = slab(width=4e-3)
    body = Mechanics(YOUNG, POISSON, constant(EXPANSION), viscosity=steady(viscosity))
    state = StressState(operators, {"body": body}, StressInput(order=1), {"left": (0,), "right": (0,)})
    even = np.ones(operators.layout.owned)
    state.begin(0.0, START * even)
    for part in range(1, parts + 1):
        time = duration * part / parts
        state.advance(time, (START - cooling * time) * even)
        if part % 20 == 0:
            passed = YOUNG * time / (3.0 * viscosity)
            exact = EXPANSION * cooling * 3.0 * viscosity * (1.0 - math.exp(-passed))
            assert state.stress[..., 0] == pytest.approx(exact, rel=1e-3)
            assert np.abs(state.stress[..., 1:]).max() < 1e-3 * exact
    assert passed > 1.5


def test_a_slab_that_sets_with_warm_middle_ends_with_tension_inside() -> None:
    """What sets layer by layer is without stress until the last one has; then the temperature becomes even."""
    half, setting = 0.5 * THICK, 190.0
    operators = slab(size=1e-3)
    body = Mechanics(YOUNG, POISSON, constant(EXPANSION), set_temperature=setting)
    given = StressInput(rheology="elastic", order=2, container_expansion=f"{EXPANSION!r} 1/K")
    state = StressState(operators, {"body": body}, given, ROLLERS)
    colder = RISE * (operators.position[:, 0] / half - 1.0) ** 2
    state.begin(0.0, 230.0 - colder)
    for step in range(1, 12):
        state.advance(float(step), 230.0 - 5.0 * step - colder)
    assert state.solid.all()
    assert np.abs(state.stress).max() < 0.01 * LEVEL
    state.advance(12.0, np.full(operators.layout.owned, 170.0))
    q = points(state)[..., 0] / half - 1.0
    exact = np.zeros((*q.shape, 6))
    exact[..., 1] = exact[..., 2] = LEVEL * (1.0 / 3.0 - q**2)
    assert error(state, exact) < 0.05
    assert state.stress[np.abs(q) < 0.3][:, 1:3].min() > 0.0
    assert state.stress[np.abs(q) > 0.8][:, 1:3].max() < 0.0


def test_viscosity_leaves_the_same_kind_of_stress() -> None:
    half = 0.5 * THICK
    operators = slab()
    sourced: dict[str, Any] = {"source": "physics.md, 2.2", "quality": "estimate", "highest": "1e16 Pa*s"}
    viscosity = GlassViscosity(kind="VFT", log10_at_infinity=-5.0, scale="454 K", vanishing="123.3 K", **sourced)
    body = Mechanics(YOUNG, POISSON, constant(EXPANSION), viscosity=viscosity)
    given = StressInput(order=2, container_expansion=f"{EXPANSION!r} 1/K")
    state = StressState(operators, {"body": body}, given, ROLLERS)
    colder = RISE * (operators.position[:, 0] / half - 1.0) ** 2
    state.begin(0.0, 185.0 - colder)
    for step in range(1, 25):
        state.advance(20.0 * step, 185.0 - 3.0 * step - colder)
    state.advance(500.0, np.full(operators.layout.owned, 100.0))
    q = points(state)[..., 0] / half - 1.0
    assert state.stress[np.abs(q) < 0.3][:, 1:3].min() > 0.1 * LEVEL
    assert state.stress[np.abs(q) > 0.8][:, 1:3].max() < -0.1 * LEVEL
