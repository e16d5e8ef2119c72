"""Displacement of an elastic body under an initial stress, on tetrahedra of order 1 or 2.

    integral (C eps(u) + sigma) : eps(v) + a mu u . v = 0    for all v,    u given where it is held

The term a mu u.v, with a = 1e-9 over the square of the body's size, holds each body that nothing else holds, also where
there are several; it changes stresses by about 1e-9 of those that the strain makes.
Tensors are six numbers in the last place: xx, yy, zz, xy, xz, yz.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nanowarm.errors import SolveError
from nanowarm.numerics.mesh import Mesh
from nanowarm.numerics.stack import MPI, PETSc, basix, fem, la, ufl

Array = NDArray[np.float64]

_ANCHOR = 1e-9  # see above
_TOLERANCE = 1e-8  # in the norm of the energy's root, relative to the largest load so far
_MOST_ITERATIONS = 500
_SMOOTHER = {"ksp_type": "chebyshev", "ksp_max_it": 2, "pc_type": "jacobi"}
_number = itertools.count()


class _Level:
    """The displacements of one order: their space, how they are held, and the matrix.

    Args:
        mesh: the tetrahedra.
        order: of the displacement.
        held: directions (0, 1, 2) in which outer surfaces are held.
    """

    def __init__(self, mesh: Mesh, order: int, held: Mapping[str, tuple[int, ...]]) -> None:
        self.mesh, self.order = mesh, order
        self.space = fem.functionspace(mesh.domain, ("Lagrange", order, (3,)))
        self.position = self.space.tabulate_dof_coordinates()
        self._conditions, self.held = [], np.zeros((len(self.position), 3), dtype=bool)
        for name, parts in held.items():
            nodes = self._nodes_on(name)
            self.held[nodes[:, None], list(parts)] = True
            self._conditions += [fem.dirichletbc(0.0, 3 * nodes + part, self.space.sub(part)) for part in parts]
        ends = np.concatenate((self.position.max(axis=0, initial=-np.inf), -self.position.min(axis=0, initial=np.inf)))
        mesh.comm.Allreduce(MPI.IN_PLACE, ends, op=MPI.MAX)
        self.centre, self.size = 0.5 * (ends[:3] - ends[3:]), 0.5 * float((ends[:3] + ends[3:]).max())

    def _nodes_on(self, surface: str) -> NDArray[np.int32]:
        """This rank's nodes of an outer surface, copies too."""
        cells, opposite = np.nonzero(self.mesh.cell_surface == self.mesh.surface_names.index(surface))
        on_facet = np.array(self.space.element.basix_element.entity_closure_dofs[2])
        touched = la.vector(self.space.dofmap.index_map)
        touched.array[self.space.dofmap.list[cells[:, None], on_facet[opposite]]] = 1.0
        touched.scatter_reverse(la.InsertMode.add)
        touched.scatter_forward()
        return np.flatnonzero(touched.array).astype(np.int32)

    def take(self, first: fem.Function, shear: fem.Function, dx: ufl.Measure) -> None:
        """Make the form, with Lame's moduli, and a matrix that knows its rigid motions: what multigrid must keep."""
        from dolfinx.fem.petsc import create_matrix

        u, v = ufl.TrialFunction(self.space), ufl.TestFunction(self.space)
        anchor = fem.Constant(self.mesh.domain, _ANCHOR / self.size**2)
        stiff = first * ufl.div(u) * ufl.div(v) + 2.0 * shear * ufl.inner(_strain(u), _strain(v))
        self._form = fem.form((stiff + anchor * shear * ufl.inner(u, v)) * dx)
        # blocks of 3 make products several times faster; algebraic multigrid, on order 1, wants single entries
        self.matrix = create_matrix(self._form, "aij" if self.order == 1 else "baij")
        self.matrix.setOption(PETSc.Mat.Option.SPD, True)
        x, y, z = ((self.position[: self.space.dofmap.index_map.size_local] - self.centre) / self.size).T
        zero, one = np.zeros_like(x), np.ones_like(x)
        motions = [(one, zero, zero), (zero, one, zero), (zero, zero, one), (-y, x, zero), (z, zero, -x), (zero, -z, y)]
        vectors = [self.matrix.createVecRight() for _ in motions]
        for number, (vector, motion) in enumerate(zip(vectors, motions, strict=True)):
            vector.array[:] = np.column_stack(motion).ravel()
            for other in vectors[:number]:
                vector.axpy(-vector.dot(other), other)
            vector.normalize()
        self.matrix.setNearNullSpace(PETSc.NullSpace().create(vectors=vectors, comm=self.mesh.comm))

    def assemble(self) -> None:
        """Work out the matrix for the moduli as they are now."""
        from dolfinx.fem.petsc import assemble_matrix

        self.matrix.zeroEntries()
        assemble_matrix(self.matrix, self._form, bcs=self._conditions)
        self.matrix.assemble()


class Elasticity:
    """An elastic body; what it is made of can change, how it is held can't.

    Args:
        mesh: the tetrahedra.
        order: of the displacement; strains have one point in a cell for 1, and four for 2.
        held: directions (0, 1, 2) in which outer surfaces are held.
    """

    def __init__(self, mesh: Mesh, order: int, held: Mapping[str, tuple[int, ...]]) -> None:
        self.mesh = mesh
        self._levels = [_Level(mesh, n, held) for n in range(1, order + 1)]
        self._finest = self._levels[-1]
        self.space, self.position, self.held = self._finest.space, self._finest.position, self._finest.held
        self._is_held = any(held.values())
        self._cells = np.arange(mesh.domain.topology.index_map(3).size_local, dtype=np.int32)
        self._displacement = fem.Function(self.space)
        self._compile(order)
        self._change, self._force = self._finest.matrix.createVecs()
        self._change.set(0.0)
        self.load = 0.0  # root of the largest energy so far
        self.iterations = 0  # of the last solve

    def _compile(self, order: int) -> None:
        """Make the forms, with moduli and stress at the points of the cells."""
        element = basix.ufl.quadrature_element("tetrahedron", degree=order)
        points, _ = element.custom_quadrature()
        self.corners = np.column_stack((1.0 - points.sum(axis=1), points))
        six = basix.ufl.quadrature_element("tetrahedron", value_shape=(6,), degree=order)
        domain = self.mesh.domain
        scalars = fem.functionspace(domain, element)
        self._first, self._shear = fem.Function(scalars), fem.Function(scalars)
        self._stress = fem.Function(fem.functionspace(domain, six))
        self._points = scalars.dofmap.list
        self._tensors = self._stress.function_space.dofmap.list
        dx = ufl.Measure("dx", domain=domain, metadata={"quadrature_degree": order, "quadrature_scheme": "default"})
        for level in self._levels:
            level.take(self._first, self._shear, dx)
        xx, yy, zz, xy, xz, yz = (self._stress[i] for i in range(6))
        sigma = ufl.as_matrix([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
        self._load_form = fem.form(-ufl.inner(sigma, _strain(ufl.TestFunction(self.space))) * dx)
        e = _strain(self._displacement)
        six_strains = ufl.as_vector([e[0, 0], e[1, 1], e[2, 2], e[0, 1], e[0, 2], e[1, 2]])
        self._strains = fem.Expression(six_strains, points)

    @cached_property
    def _solver(self) -> PETSc.KSP:
        """Conjugate gradients with multigrid: algebraic for order 1, below one level of order 2; made when first used."""
        from dolfinx.fem.petsc import interpolation_matrix

        solver, options = PETSc.KSP().create(self.mesh.comm), PETSc.Options()
        prefix = f"nanowarm_elasticity_{next(_number)}_"
        algebraic = {"pc_type": "gamg", "pc_gamg_reuse_interpolation": True}
        algebraic |= {f"mg_levels_{key}": value for key, value in _SMOOTHER.items()}
        chosen = algebraic
        if len(self._levels) > 1:
            chosen = {"mg_coarse_ksp_type": "preonly"} | {f"mg_coarse_{key}": value for key, value in algebraic.items()}
            chosen |= {f"mg_levels_{key}": value for key, value in _SMOOTHER.items()}
        for key, value in chosen.items():
            options[prefix + key] = value
        solver.setOptionsPrefix(prefix)
        solver.setType(PETSc.KSP.Type.CG)
        solver.setNormType(PETSc.KSP.NormType.NATURAL)
        solver.setInitialGuessNonzero(True)
        solver.setOperators(self._finest.matrix)
        if len(self._levels) > 1:
            pc = solver.getPC()
            pc.setType(PETSc.PC.Type.MG)
            pc.setMGLevels(2)
            finer = interpolation_matrix(self._levels[0].space, self.space)
            finer.assemble()
            free, _ = finer.createVecs()
            free.array[:] = ~self._levels[0].held.ravel()[: free.array.size]
            finer.diagonalScale(None, free)  # nothing that is held moves
            pc.setMGInterpolation(1, finer)
            pc.getMGCoarseSolve().setOperators(self._levels[0].matrix)
        solver.setFromOptions()
        return solver

    def fill(self, first: Array, shear: Array) -> None:
        """Take over Lame's moduli [Pa] at the points of own cells, shape (cells, points); collective."""
        before = self._moduli()
        changed = not (np.array_equal(before[0], first) and np.array_equal(before[1], shear))
        if not self.mesh.comm.allreduce(changed, MPI.LOR):
            return
        self._first.x.array[self._points], self._shear.x.array[self._points] = first, shear
        for level in self._levels:
            level.assemble()

    def prepare(self) -> None:
        """Make the levels of the multigrid for the moduli as they are now; they serve for all others. Collective."""
        self._solver.setUp()

    @property
    def guess(self) -> Array:
        """The last displacement [m] at the nodes of each own cell, in an order that no rank decides, shape (cells, nodes, 3)."""
        moved = la.vector(self.space.dofmap.index_map, 3)
        moved.array[: self._change.array_r.size] = self._change.array_r
        moved.scatter_forward()
        return np.asarray(moved.array.reshape(-1, 3)[self._nodes()])

    @guess.setter
    def guess(self, given: Array) -> None:
        """Take over a displacement [m] in the same order and shape."""
        moved = np.zeros((len(self.position), 3))
        moved[self._nodes()] = given
        self._change.array[:] = moved.ravel()[: self._change.array_r.size]

    def _nodes(self) -> NDArray[np.int32]:
        """Nodes of each own cell, in the order of their places, shape (cells, nodes)."""
        nodes = self.space.dofmap.list[: len(self._cells)]
        order = np.lexsort(np.moveaxis(self.position[nodes], 2, 0)[::-1], axis=1)
        return np.asarray(np.take_along_axis(nodes, order, axis=1))

    def balanced(self, stress: Array, held: Array) -> Array:
        """Stress [Pa] in equilibrium, shape (cells, points, 6), once the body has deformed; collective.

        Args:
            stress: before it deforms, same shape.
            held: displacement [m] of this rank's nodes, looked at only where held, shape (nodes, 3).

        Raises:
            SolveError: the iteration did not converge.
        """
        given = np.where(self.held, held, 0.0)
        start = stress + self._elastic(self.strain(given)) if self._is_held else stress
        return start + self._elastic(self.strain(self._solved(start)))

    def strain(self, displacement: Array) -> Array:
        """Strain at the points of own cells, shape (cells, points, 6), of a displacement [m] of shape (nodes, 3)."""
        self._displacement.x.array[:] = displacement.ravel()
        return np.asarray(self._strains.eval(self.mesh.domain, self._cells)).reshape(*self._points.shape, 6)

    def _moduli(self) -> tuple[Array, Array]:
        """Lame's moduli at the points of own cells."""
        return self._first.x.array[self._points], self._shear.x.array[self._points]

    def _elastic(self, strain: Array) -> Array:
        """Stress of a strain."""
        first, shear = self._moduli()
        stress = 2.0 * shear[..., None] * strain
        stress[..., :3] += (first * strain[..., :3].sum(axis=-1))[..., None]
        return stress

    def _solved(self, stress: Array) -> Array:
        """Displacement [m] of this rank's nodes, zero where held, that balances a stress, shape (nodes, 3)."""
        self._stress.x.array.reshape(-1, 6)[self._tensors] = stress
        forces = fem.assemble_vector(self._load_form)
        forces.scatter_reverse(la.InsertMode.add)
        owned = self._force.array.size
        self._force.array[:] = np.where(self.held.ravel()[:owned], 0.0, forces.array[:owned])
        self._begin()
        self._solver.setTolerances(rtol=_TOLERANCE, atol=_TOLERANCE * self.load, max_it=_MOST_ITERATIONS)
        self._solver.solve(self._force, self._change)
        reason, self.iterations = self._solver.getConvergedReason(), self._solver.getIterationNumber()
        if reason <= 0:
            raise SolveError(f"stress: no equilibrium after {self.iterations} iterations (reason {reason}); check the mesh")
        self.load = max(self.load, math.sqrt(max(self._change.dot(self._force), 0.0)))
        moved = la.vector(self.space.dofmap.index_map, 3)
        moved.array[:owned] = self._change.array_r
        moved.scatter_forward()
        return moved.array.reshape(-1, 3)

    def _begin(self) -> None:
        """Scale the last solution so that its energy is least: where the iteration starts."""
        product = self._force.duplicate()
        self._finest.matrix.mult(self._change, product)
        energy = self._change.dot(product)
        self._change.scale(self._change.dot(self._force) / energy if energy > 0.0 else 0.0)


def _strain(u: ufl.core.expr.Expr) -> ufl.core.expr.Expr:
    """Symmetric gradient."""
    return ufl.sym(ufl.grad(u))
