"""The vial on DOLFINx as an experienced user writes it: implicit, linearised BDF2, CG + Jacobi.

Properties are UFL expressions of the temperature extrapolated to the new time, compiled into the forms and
integrated with the lowest sensible quadrature; matrix and vector are allocated once and reassembled each
step (variant B) or assembled once (variant A). The first step is implicit Euler. The extrapolated
temperature is also the initial guess.
"""

# ruff: noqa: E402  the imports are timed
from __future__ import annotations

import time

STARTED = time.perf_counter()

import dolfinx_solver  # noqa: F401, I001  before dolfinx and petsc4py: loads the wheel's libraries
import os

import basix.ufl
import numpy as np
import problem
import ufl
from dolfinx import fem, mesh
from dolfinx.fem import petsc as fem_petsc
from measurement import Clock, Observations, arguments, report, result
from mpi4py import MPI
from petsc4py import PETSc
from problem import (
    AMBIENT,
    DENSITY,
    HEAT_TRANSFER_COEFFICIENT,
    INITIAL,
    RELATIVE_TOLERANCE,
    TIME_STEP,
)

TUNED = "TUNED_FLAGS" in os.environ  # compiled for this very processor, which DOLFINx does not do by itself
JIT = {"cffi_extra_compile_args": ["-O3", "-march=native", "-ffast-math"]} if TUNED else {}


def dolfinx_mesh(vial: problem.VialMesh) -> mesh.Mesh:
    """The arrays as a DOLFINx mesh of linear tetrahedra."""
    element = basix.ufl.element("Lagrange", "tetrahedron", 1, shape=(3,))
    return mesh.create_mesh(MPI.COMM_WORLD, vial.cells, element, vial.points)


def properties(variant: str, temperature: ufl.core.expr.Expr) -> tuple:
    """Capacity rho cp [J/m3K], k [W/mK] and q [W/m3] as UFL expressions of `temperature` [degC]."""
    if variant == "A":
        return DENSITY * 2000.0, 0.3, 5e6

    def smooth_step(x: ufl.core.expr.Expr) -> ufl.core.expr.Expr:
        return 0.5 * (1.0 + ufl.tanh(x))

    heat_capacity = 1000.0 + 1500.0 * smooth_step((temperature + 123.0) / 4.0)
    conductivity = 0.25 + 0.10 * smooth_step((temperature + 123.0) / 8.0)
    heating = 5e6 * (0.7 + 0.3 * ufl.exp(-(((temperature + 60.0) / 60.0) ** 2)))
    return DENSITY * heat_capacity, conductivity, heating


class VialSteps:
    """One linearised BDF2 step of length TIME_STEP after another, the first one implicit Euler.

    Attributes:
        temperature: at the current time [degC].
        extrapolated: the temperature expected at the next time [degC].
        history: the known part of the time derivative [K/s].
        leading: the coefficient of the unknown in the time derivative [1/s].
    """

    def __init__(self, domain: mesh.Mesh, variant: str) -> None:
        """Compile the forms and allocate matrix, vector and solver."""
        self.space = fem.functionspace(domain, ("Lagrange", 1))
        self.temperature, self.extrapolated, self.history = (fem.Function(self.space) for _ in range(3))
        self.leading = fem.Constant(domain, 0.0)
        self.temperature.x.array[:] = INITIAL
        self.before = self.temperature.x.array.copy()
        self._compile(variant)
        self.matrix = fem_petsc.create_matrix(self.bilinear)
        self.rhs, self.solution = self.matrix.createVecs()
        self.solver = PETSc.KSP().create(domain.comm)
        self.solver.setOperators(self.matrix)
        self.solver.setType("cg")
        self.solver.getPC().setType("jacobi")
        self.solver.setTolerances(rtol=RELATIVE_TOLERANCE)
        self.solver.setInitialGuessNonzero(True)
        volumes = fem.form(ufl.TestFunction(self.space) * ufl.dx, jit_options=JIT)
        self.nodal_volumes = fem.assemble_vector(volumes).array.copy()

    def _compile(self, variant: str) -> None:
        """Make the forms: mass terms integrated to degree 2, conduction to degree 1 (one point)."""
        u, v = ufl.TrialFunction(self.space), ufl.TestFunction(self.space)
        capacity, conductivity, heating = properties(variant, self.extrapolated)
        coefficient, dx, ds = HEAT_TRANSFER_COEFFICIENT, ufl.dx(degree=2), ufl.ds(degree=2)
        self.bilinear = fem.form(
            capacity * self.leading * u * v * dx
            + conductivity * ufl.inner(ufl.grad(u), ufl.grad(v)) * ufl.dx(degree=1)
            + coefficient * u * v * ds,
            jit_options=JIT,
        )
        self.linear = fem.form((heating - capacity * self.history) * v * dx + coefficient * AMBIENT * v * ds, jit_options=JIT)

    def advance(self, first: bool) -> np.ndarray:
        """Take one step, implicit Euler when `first`; the new temperature [degC], shape (nodes,)."""
        now = self.temperature.x.array
        if first:
            self.leading.value = 1.0 / TIME_STEP
            self.history.x.array[:] = -now / TIME_STEP
            self.extrapolated.x.array[:] = now
        else:
            self.leading.value = 1.5 / TIME_STEP
            self.history.x.array[:] = (0.5 * self.before - 2.0 * now) / TIME_STEP
            self.extrapolated.x.array[:] = 2.0 * now - self.before
        self.fill()
        self.solution.array_w[:] = self.extrapolated.x.array
        self.solver.solve(self.rhs, self.solution)
        if self.solver.getConvergedReason() <= 0:
            raise RuntimeError("CG did not converge")
        self.before[:] = now
        now[:] = self.solution.array_r
        return now

    def fill(self) -> None:
        """Reassemble matrix and vector with the properties of the extrapolated temperature."""
        self.fill_matrix()
        self.rhs.set(0.0)
        fem_petsc.assemble_vector(self.rhs, self.linear)

    def fill_matrix(self) -> None:
        """Reassemble the matrix."""
        self.matrix.zeroEntries()
        fem_petsc.assemble_matrix(self.matrix, self.bilinear)
        self.matrix.assemble()


class ConstantVialSteps(VialSteps):
    """The same with constant properties: matrices assembled once, the vector by a product."""

    def __init__(self, domain: mesh.Mesh, variant: str) -> None:
        """Assemble capacity, conduction with convection, and the constant supply."""
        super().__init__(domain, variant)
        u, v = ufl.TrialFunction(self.space), ufl.TestFunction(self.space)
        capacity, _, _ = properties(variant, self.extrapolated)
        self.capacity = fem_petsc.assemble_matrix(fem.form(capacity * u * v * ufl.dx, jit_options=JIT))
        self.capacity.assemble()
        self.supply = fem_petsc.assemble_vector(self.linear)
        self.fill_matrix()
        self.filled_for = 0.0

    def fill(self) -> None:
        """Change the matrix when the scheme has changed; the vector is supply - capacity history."""
        change = float(self.leading.value) - self.filled_for
        if change:
            self.matrix.axpy(change, self.capacity, PETSc.Mat.Structure.SAME_NONZERO_PATTERN)
            self.filled_for += change
        self.history.x.array[:] *= -1.0
        self.capacity.multAdd(self.history.x.petsc_vec, self.supply, self.rhs)


STEPS = {"A": ConstantVialSteps, "B": VialSteps}


def input_order(domain: mesh.Mesh, space: fem.FunctionSpace, nodes: int) -> np.ndarray:
    """Degree of freedom of each node of the input arrays."""
    dof = np.empty(nodes, dtype=np.int64)
    dof[domain.geometry.input_global_indices[domain.geometry.dofmaps[0]]] = space.dofmap.list
    return dof


def main() -> None:
    """Run the vial and report."""
    clock = Clock(STARTED)
    options = arguments(__doc__)
    vial = problem.vial_mesh(options.cells, options.cache)
    with clock.phase("mesh"):
        domain = dolfinx_mesh(vial)
    with clock.phase("setup"):
        steps = STEPS[options.variant](domain, options.variant)
    order = input_order(domain, steps.space, len(vial.points))
    with clock.phase("solve"):
        seen = Observations(steps.nodal_volumes, steps.temperature.x.array, options.time_limit)
        for second in range(problem.DURATION):
            if seen.add(steps.advance(first=second == 0)):
                break
    seen.reorder(order)
    numbers = result("implicit DOLFINx" + ", tuned flags" * TUNED, options.variant, clock, seen, vial)
    report(numbers, seen, vial.points, options)


if __name__ == "__main__":
    main()
