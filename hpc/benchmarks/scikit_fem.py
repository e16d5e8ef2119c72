"""The vial on scikit-fem: linearised BDF2, nodal properties, CG + Jacobi.

Properties are evaluated at the nodes and interpolated; the matrix is reassembled each step (variant B) or
assembled once (variant A). The first step is implicit Euler. The temperature extrapolated to the new time
is where properties are taken and the initial guess.
"""

# ruff: noqa: E402  the imports are timed
from __future__ import annotations

import time

STARTED = time.perf_counter()

import numpy as np
import problem
import skfem
from measurement import Clock, Observations, arguments, report, result
from problem import (
    AMBIENT,
    DENSITY,
    HEAT_TRANSFER_COEFFICIENT,
    INITIAL,
    PROPERTIES,
    RELATIVE_TOLERANCE,
    TIME_STEP,
)
from scipy.sparse.linalg import LinearOperator, cg
from skfem.helpers import dot, grad


@skfem.BilinearForm
def step_form(u, v, w):
    """Capacity by the coefficient of the unknown in the time derivative, and conduction."""
    return w["leading"] * w["capacity"] * u * v + w["conductivity"] * dot(grad(u), grad(v))


@skfem.LinearForm
def supply_form(v, w):
    """What the nanoparticles supply, less capacity by the known part of the time derivative."""
    return (w["heating"] - w["capacity"] * w["history"]) * v


@skfem.BilinearForm
def capacity_form(u, v, w):
    """Capacity."""
    return w["capacity"] * u * v


@skfem.BilinearForm
def surface_form(u, v, w):
    """Convection to the surroundings."""
    return HEAT_TRANSFER_COEFFICIENT * u * v


@skfem.LinearForm
def volume_form(v, w):
    """One."""
    return v


class VialSteps:
    """One linearised BDF2 step of length TIME_STEP after another, the first one implicit Euler.

    Attributes:
        temperature: at the current time [degC].
        before: one step earlier [degC]; none before the first step.
        nodal_volumes: [m3].
    """

    def __init__(self, mesh: skfem.MeshTet, variant: str) -> None:
        """Assemble what does not depend on temperature."""
        self.properties = PROPERTIES[variant]
        self.basis = skfem.Basis(mesh, skfem.ElementTetP1(), intorder=2)
        surface = skfem.FacetBasis(mesh, skfem.ElementTetP1(), intorder=2)
        self.convection = surface_form.assemble(surface)
        self.ambient = AMBIENT * (self.convection @ np.ones(mesh.nvertices))
        self.nodal_volumes = volume_form.assemble(self.basis)
        self.temperature = np.full(mesh.nvertices, INITIAL)
        self.before: np.ndarray | None = None

    def system(self, extrapolated: np.ndarray, leading: float, history: np.ndarray) -> tuple:
        """Matrix and vector with the properties at `extrapolated` [degC]."""
        fields = {
            "capacity": self.basis.interpolate(DENSITY * self.properties.heat_capacity(extrapolated)),
            "conductivity": self.basis.interpolate(self.properties.conductivity(extrapolated)),
            "heating": self.basis.interpolate(self.properties.heating(extrapolated)),
            "history": self.basis.interpolate(history),
        }
        matrix = step_form.assemble(self.basis, leading=leading, **fields) + self.convection
        return matrix, supply_form.assemble(self.basis, **fields) + self.ambient

    def advance(self) -> np.ndarray:
        """Take one step; the new temperature [degC], shape (nodes,)."""
        if self.before is None:
            leading, history = 1.0 / TIME_STEP, -self.temperature / TIME_STEP
            extrapolated = self.temperature
        else:
            leading, history = 1.5 / TIME_STEP, (0.5 * self.before - 2.0 * self.temperature) / TIME_STEP
            extrapolated = 2.0 * self.temperature - self.before
        matrix, rhs = self.system(extrapolated, leading, history)
        inverse = 1.0 / matrix.diagonal()
        jacobi = LinearOperator(matrix.shape, matvec=lambda residual: inverse * residual)
        new, failed = cg(matrix, rhs, x0=extrapolated, rtol=RELATIVE_TOLERANCE, M=jacobi)
        if failed:
            raise RuntimeError("CG did not converge")
        self.before, self.temperature = self.temperature, new
        return new


class ConstantVialSteps(VialSteps):
    """The same with constant properties: matrices assembled once, the vector by a product."""

    def __init__(self, mesh: skfem.MeshTet, variant: str) -> None:
        """Assemble both matrices and the constant supply."""
        super().__init__(mesh, variant)
        zero = np.zeros(mesh.nvertices)
        self.stiffness, self.supply = super().system(zero, 0.0, zero)
        capacity = self.basis.interpolate(DENSITY * self.properties.heat_capacity(zero))
        self.capacity = capacity_form.assemble(self.basis, capacity=capacity)
        self.matrices = {leading: leading / TIME_STEP * self.capacity + self.stiffness for leading in (1.0, 1.5)}

    def system(self, extrapolated: np.ndarray, leading: float, history: np.ndarray) -> tuple:
        """Matrix and vector; nothing depends on `extrapolated`."""
        return self.matrices[leading * TIME_STEP], self.supply - self.capacity @ history


STEPS = {"A": ConstantVialSteps, "B": VialSteps}


def main() -> None:
    """Run the vial and report."""
    clock = Clock(STARTED)
    options = arguments(__doc__)
    vial = problem.vial_mesh(options.cells, options.cache)
    with clock.phase("mesh"):
        mesh = skfem.MeshTet(np.ascontiguousarray(vial.points.T), np.ascontiguousarray(vial.cells.T))
    with clock.phase("setup"):
        steps = STEPS[options.variant](mesh, options.variant)
    with clock.phase("solve"):
        seen = Observations(steps.nodal_volumes, steps.temperature, options.time_limit)
        for _ in range(problem.DURATION):
            if seen.add(steps.advance()):
                break
    numbers = result("scikit-fem", options.variant, clock, seen, vial)
    report(numbers, seen, vial.points, options)


if __name__ == "__main__":
    main()
