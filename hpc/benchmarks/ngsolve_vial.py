"""The vial on NGSolve: linearised BDF2, nodal properties, CG + Jacobi.

Properties are evaluated at the nodes and interpolated (twice as fast as coefficient functions of the
temperature); the matrix is reassembled each step (variant B) or assembled once (variant A). The first step
is implicit Euler. The temperature extrapolated to the new time is where properties are taken and the
initial guess.
"""

# ruff: noqa: E402  the imports are timed
from __future__ import annotations

import time

STARTED = time.perf_counter()

import ngsolve as ng
import numpy as np
import problem
from measurement import Clock, Observations, arguments, report, result
from netgen.meshing import FaceDescriptor
from netgen.meshing import Mesh as NetgenMesh
from ngsolve.krylovspace import CGSolver
from problem import (
    AMBIENT,
    DENSITY,
    HEAT_TRANSFER_COEFFICIENT,
    INITIAL,
    PROPERTIES,
    RELATIVE_TOLERANCE,
    TIME_STEP,
)


def ngsolve_mesh(vial: problem.VialMesh) -> ng.Mesh:
    """The arrays as an NGSolve mesh."""
    mesh = NetgenMesh(dim=3)
    mesh.SetMaterial(1, "gel")
    mesh.Add(FaceDescriptor(surfnr=1, domin=1, domout=0, bc=1))
    mesh.AddPoints(vial.points)
    mesh.AddElements(dim=3, index=1, data=np.ascontiguousarray(vial.cells, dtype=np.int32), base=0)
    mesh.AddElements(dim=2, index=1, data=np.ascontiguousarray(vial.triangles, dtype=np.int32), base=0)
    return ng.Mesh(mesh)


class VialSteps:
    """One linearised BDF2 step of length TIME_STEP after another, the first one implicit Euler.

    Attributes:
        now: temperature at the current time [degC].
        before: one step earlier [degC], shape (nodes,); none before the first step.
        nodal_volumes: [m3].
    """

    def __init__(self, mesh: ng.Mesh, variant: str) -> None:
        """Define the forms."""
        self.properties = PROPERTIES[variant]
        space = ng.H1(mesh, order=1)
        self.now, self.guess, self.history = (ng.GridFunction(space) for _ in range(3))
        self.capacity, self.conductivity, self.heating = (ng.GridFunction(space) for _ in range(3))
        self.leading = ng.Parameter(1.0 / TIME_STEP)
        self.now.vec.FV().NumPy()[:] = INITIAL
        self.before: np.ndarray | None = None
        u, v = space.TnT()
        convection = HEAT_TRANSFER_COEFFICIENT * v * ng.ds
        self.form = ng.BilinearForm(space)
        self.form += self.leading * self.capacity * u * v * ng.dx
        self.form += self.conductivity * ng.grad(u) * ng.grad(v) * ng.dx
        self.form += HEAT_TRANSFER_COEFFICIENT * u * v * ng.ds
        self.supply = ng.LinearForm(space)
        self.supply += (self.heating - self.capacity * self.history) * v * ng.dx + AMBIENT * convection
        self.nodal_volumes = ng.LinearForm(v * ng.dx).Assemble().vec.FV().NumPy().copy()

    def system(self) -> ng.BaseVector:
        """Reassemble the matrix with properties at the guess; the right-hand side."""
        guess = self.guess.vec.FV().NumPy()
        self.capacity.vec.FV().NumPy()[:] = DENSITY * self.properties.heat_capacity(guess)
        self.conductivity.vec.FV().NumPy()[:] = self.properties.conductivity(guess)
        self.heating.vec.FV().NumPy()[:] = self.properties.heating(guess)
        self.assemble_matrix()
        return self.supply.Assemble().vec

    def assemble_matrix(self) -> None:
        """Assemble the matrix and its Jacobi preconditioner."""
        self.form.Assemble()
        self.jacobi = self.form.mat.CreateSmoother()

    def advance(self) -> np.ndarray:
        """Take one step; the new temperature [degC], shape (nodes,)."""
        now, history = self.now.vec.FV().NumPy(), self.history.vec.FV().NumPy()
        if self.before is None:
            self.leading.Set(1.0 / TIME_STEP)
            history[:] = -now / TIME_STEP
            self.guess.vec.data = self.now.vec
        else:
            self.leading.Set(1.5 / TIME_STEP)
            history[:] = (0.5 * self.before - 2.0 * now) / TIME_STEP
            self.guess.vec.FV().NumPy()[:] = 2.0 * now - self.before
        rhs = self.system()
        self.before = now.copy()
        size = rhs.InnerProduct((self.jacobi * rhs).Evaluate()) ** 0.5  # `tol` would refer to the guess
        solver = CGSolver(self.form.mat, pre=self.jacobi, tol=1e-16, atol=RELATIVE_TOLERANCE * size, maxiter=500)
        self.now.vec.data = solver.Solve(rhs=rhs, sol=self.guess.vec, initialize=False)
        return now


class ConstantVialSteps(VialSteps):
    """The same with constant properties: matrices assembled once, the vector by a product."""

    def __init__(self, mesh: ng.Mesh, variant: str) -> None:
        """Assemble the capacity matrix and the constant supply as well."""
        super().__init__(mesh, variant)
        self.constant = super().system().CreateVector(copy=True)
        space = self.now.space
        u, v = space.TnT()
        self.stored = ng.BilinearForm(self.capacity * u * v * ng.dx).Assemble().mat
        self.rhs = self.constant.CreateVector()
        self.assembled_for = None

    def system(self) -> ng.BaseVector:
        """Reassemble the matrix when the scheme has changed; the right-hand side."""
        if self.leading.Get() != self.assembled_for:
            self.assemble_matrix()
            self.assembled_for = self.leading.Get()
        self.rhs.data = self.constant - self.stored * self.history.vec
        return self.rhs


STEPS = {"A": ConstantVialSteps, "B": VialSteps}


def main() -> None:
    """Run the vial and report."""
    clock = Clock(STARTED)
    options = arguments(__doc__)
    ng.SetNumThreads(1)
    vial = problem.vial_mesh(options.cells, options.cache)
    with clock.phase("mesh"):
        mesh = ngsolve_mesh(vial)
    with clock.phase("setup"):
        steps = STEPS[options.variant](mesh, options.variant)
    with clock.phase("solve"):
        seen = Observations(steps.nodal_volumes, steps.now.vec.FV().NumPy(), options.time_limit)
        for _ in range(problem.DURATION):
            if seen.add(steps.advance()):
                break
    numbers = result("NGSolve", options.variant, clock, seen, vial)
    report(numbers, seen, vial.points, options)


if __name__ == "__main__":
    main()
