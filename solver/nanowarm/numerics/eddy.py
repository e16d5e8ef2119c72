"""Heat of the currents that an alternating field drives in a conducting body, where the skin depth is much larger.

The field of the currents themselves is neglected, so that the vector potential A is that of the coil alone:

    E = -j omega (A + grad phi),    div(sigma (A + grad phi)) = 0,    sigma (A + grad phi) . n = 0 on the surface

with one real scalar phi; outside nothing conducts. The heat is p = sigma omega^2 |A + grad phi|^2 / 2 for peak values.

A is held by its integrals along the edges (Whitney's elements, the lowest order of Nedelec 1980, Numer. Math. 35:315).
What a gradient adds to A is then exactly the gradient of a linear potential, so that the result does not depend on the
gauge; and a uniform magnetic field, at any angle and about any centre, is held exactly.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanowarm.errors import SolveError
from nanowarm.numerics.operators import Operators
from nanowarm.numerics.refinement import Indices
from nanowarm.numerics.stack import MPI, PETSc, la

Array = NDArray[np.float64]
VectorPotential = Callable[[Array], Array]

MU_0 = 1.25663706127e-6  # [N/A2] CODATA 2022
SMALLEST_RATIO = 5.0  # of skin depth to radius; what is neglected then changes a cylinder's heat by 2e-4

_GAUSS = ((0.5 - math.sqrt(0.15), 5 / 18), (0.5, 8 / 18), (0.5 + math.sqrt(0.15), 5 / 18))  # exact to degree 5
_FIRST, _SECOND = np.triu_indices(4, 1)  # ends of a cell's edges
_TOLERANCE = 1e-12  # of the solve, in the norm of the power's root
# In each connected part of the body phi is free by a constant; this much more on the diagonal settles it, just above
# round-off. With n cells along the body it changes grad phi by n^2 times as much at most.
_ANCHOR = 1e-13


@dataclass(frozen=True, eq=False)
class EddyHeating:
    """Heat of induced currents per square of the drive.

    Args:
        heating: mean over a period around own nodes [W/m3 per drive^2], shape (owned,); its product with the nodes'
            volumes sums to `total`.
        total: power in the whole body [W per drive^2].
        skin_depth_ratio: smallest skin depth over the radius of the conducting body; infinite where nothing conducts.
        iterations: of the linear solve.
    """

    heating: Array
    total: float
    skin_depth_ratio: float
    iterations: int


@dataclass(frozen=True, eq=False)
class _Cells:
    """The conducting cells of this rank.

    Args:
        nodes: in the numbering of the space, shape (cells, 4).
        gradients: of the nodes' shape functions [1/m], shape (cells, 4, 3).
        weight: conductivity times volume [S m2], shape (cells,).
    """

    nodes: Indices
    gradients: Array
    weight: Array


def eddy_heating(
    operators: Operators, conductivity: Mapping[str, float], vector_potential: VectorPotential, frequency: float
) -> EddyHeating:
    """Heat of the currents induced in a body by a field in one phase.

    Of a field in several phases, the sine and the cosine parts heat independently: add the two results.

    Args:
        operators: the integrals of the mesh.
        conductivity: electrical conductivity [S/m] of every region; 0 for one that doesn't conduct.
        vector_potential: peak A [T m] per unit of drive at points [m], both of shape (n, 3), in any gauge. Called on
            every rank with points on its edges.
        frequency: of the field [Hz].

    Raises:
        ValueError: a conductivity, the frequency or A is out of range, or the skin depth is too small.
        SolveError: the linear solve failed.
    """
    _check(operators, conductivity, frequency)
    owned, comm = operators.layout.owned, operators.layout.comm
    if not any(conductivity.values()):
        return EddyHeating(np.zeros(owned), 0.0, math.inf, 0)
    radius = _radius(operators, conductivity)
    ratio = _skin_depth_ratio(conductivity, frequency, radius)
    cells = _conducting_cells(operators, conductivity)
    circulation = _circulation(operators, cells, vector_potential)
    potential, iterations = _scalar_potential(operators, _matrix(operators, conductivity, radius), cells, circulation)
    at_nodes = potential[cells.nodes]
    circulation += at_nodes[:, None, :] - at_nodes[:, :, None]
    power = 0.5 * (2 * math.pi * frequency) ** 2 * _summed(operators, cells, _squares(cells, circulation))[:owned]
    volume = sum(mass[:owned] for mass in operators.mass.values())
    return EddyHeating(power / volume, float(comm.allreduce(power.sum())), ratio, iterations)


def skin_depth(conductivity: float, frequency: float) -> float:
    """Depth [m] at which a field falls to 1/e in a non-magnetic conductor [S/m] at a frequency [Hz]."""
    return 1 / math.sqrt(math.pi * frequency * MU_0 * conductivity)


def _check(operators: Operators, conductivity: Mapping[str, float], frequency: float) -> None:
    """Refuse what can't be right, with the names of the regions."""
    regions = operators.mesh.region_names
    if set(conductivity) != set(regions):
        raise ValueError(f"conductivities are given for {', '.join(conductivity)}; the regions are {', '.join(regions)}")
    for name, value in conductivity.items():
        if not 0 <= value < math.inf:
            raise ValueError(f"the electrical conductivity of {name}, {value:g} S/m, must be 0 or above, and finite")
    if not 0 < frequency < math.inf:
        raise ValueError(f"the frequency {frequency:g} Hz must be above 0 and finite")


def _skin_depth_ratio(conductivity: Mapping[str, float], frequency: float, radius: float) -> float:
    """Smallest skin depth over the radius of the body, where it is large enough."""
    depth = skin_depth(max(conductivity.values()), frequency)
    if depth < SMALLEST_RATIO * radius:
        raise ValueError(
            f"the skin depth of {depth:.3g} m is {depth / radius:.3g} times the conducting body's radius of {radius:.3g} m; "
            f"it must be at least {SMALLEST_RATIO:g} times as large for the field of the currents to be negligible"
        )
    return depth / radius


def _conducting_nodes(operators: Operators, conductivity: Mapping[str, float]) -> NDArray[np.bool_]:
    """Whether each own node touches a conducting cell, shape (owned,)."""
    owned = operators.layout.owned
    touched = np.zeros(owned, dtype=bool)
    for name, value in conductivity.items():
        if value:
            touched |= operators.mass[name][:owned] > 0
    return touched


def _radius(operators: Operators, conductivity: Mapping[str, float]) -> float:
    """Half of the conducting body's longest side along an axis [m]."""
    position = operators.position[_conducting_nodes(operators, conductivity)]
    ends = np.concatenate((position.max(axis=0, initial=-np.inf), -position.min(axis=0, initial=np.inf)))
    operators.layout.comm.Allreduce(MPI.IN_PLACE, ends, op=MPI.MAX)
    return float((ends[:3] + ends[3:]).max()) / 2


def _conducting_cells(operators: Operators, conductivity: Mapping[str, float]) -> _Cells:
    """The geometry of this rank's conducting cells."""
    mesh = operators.mesh
    sigma = np.array([conductivity[name] for name in mesh.region_names])
    nodes = operators.space.dofmap.list
    sigma = sigma[mesh.cell_region[: mesh.domain.topology.index_map(3).size_local]]
    kept = np.flatnonzero(sigma)
    nodes = nodes[kept]
    corner = operators.space.tabulate_dof_coordinates()[nodes]
    sides = corner[:, 1:] - corner[:, :1]
    gradients = np.empty((kept.size, 4, 3))
    gradients[:, 1:] = np.linalg.inv(sides).swapaxes(1, 2)
    gradients[:, 0] = -gradients[:, 1:].sum(axis=1)
    return _Cells(nodes, gradients, sigma[kept] * np.abs(np.linalg.det(sides)) / 6)


def _circulation(operators: Operators, cells: _Cells, vector_potential: VectorPotential) -> Array:
    """Integrals of A [T m2] from each node of a cell to each other, shape (cells, 4, 4)."""
    position = operators.space.tabulate_dof_coordinates()
    one, other = cells.nodes[:, _FIRST].astype(np.int64), cells.nodes[:, _SECOND]
    edges, which = np.unique(np.minimum(one, other) * len(position) + np.maximum(one, other), return_inverse=True)
    start = position[edges // max(1, len(position))]
    along = position[edges % max(1, len(position))] - start
    value, fault = np.zeros(edges.size), None
    try:
        for place, weight in _GAUSS:
            value += weight * np.einsum("ni,ni->n", _evaluated(vector_potential, start + place * along), along)
    except Exception as error:
        fault = error
    for found in operators.layout.comm.allgather(fault):
        if found is not None:
            raise found
    circulation = np.zeros((cells.nodes.shape[0], 4, 4))
    circulation[:, _FIRST, _SECOND] = np.where(one < other, 1.0, -1.0) * value[which.reshape(one.shape)]
    circulation -= circulation.swapaxes(1, 2).copy()
    return circulation


def _evaluated(vector_potential: VectorPotential, points: Array) -> Array:
    """A at points, with its shape and values checked."""
    values = np.asarray(vector_potential(points), dtype=np.float64)
    if values.shape != points.shape:
        raise ValueError(f"the vector potential has shape {values.shape}; it must have that of the points, {points.shape}")
    unknown = np.flatnonzero(~np.isfinite(values).all(axis=1))
    if unknown.size:
        where = ", ".join(f"{x:.4g}" for x in points[unknown[0]])
        raise ValueError(f"the vector potential is not finite at ({where}) m: is a conductor of the coil inside the body?")
    return values


def _matrix(operators: Operators, conductivity: Mapping[str, float], radius: float) -> PETSc.Mat:
    """Stiffness of phi [S] over all ranks, with the term that settles its constants.

    Nodes that touch no conducting cell stay at 0.
    """
    import scipy.sparse

    layout = operators.layout
    owned, shape = layout.owned, (layout.owned, layout.total)
    summed = scipy.sparse.csr_array(shape)
    for name, sigma in conductivity.items():
        if sigma:
            k = operators.stiffness[name]
            summed = summed + sigma * scipy.sparse.csr_array((k.entries, k.columns, k.starts), shape=shape)
    conducting = _conducting_nodes(operators, conductivity)
    more = np.where(conducting, _ANCHOR * summed.diagonal(), max(conductivity.values()) * radius)
    summed = (summed + scipy.sparse.diags_array(more, shape=shape)).tocsr()
    columns = layout.index_map.local_to_global(summed.indices.astype(np.int32))
    parts = (summed.indptr.astype(PETSc.IntType), columns.astype(PETSc.IntType), summed.data)
    matrix = PETSc.Mat().createAIJ(size=((owned, None), (owned, None)), csr=parts, comm=layout.comm)
    matrix.setOption(PETSc.Mat.Option.SPD, True)
    matrix.assemble()
    return matrix


def _scalar_potential(operators: Operators, matrix: PETSc.Mat, cells: _Cells, circulation: Array) -> tuple[Array, int]:
    """Scalar potential [T m2] at the nodes of this rank's cells, and the iterations.

    Solves integral of sigma grad phi . grad v = - integral of sigma A . grad v, and destroys `matrix`.
    """
    owned, comm = operators.layout.owned, operators.layout.comm
    mean = np.einsum("nij,njk->nk", circulation, cells.gradients) / 4  # of A over the cell
    drive = -np.einsum("n,nk,nik->ni", cells.weight, mean, cells.gradients)
    solution, right = matrix.createVecs()
    right.array[:] = _summed(operators, cells, drive)[:owned]
    size = float(comm.allreduce(cells.weight @ np.einsum("nk,nk->n", mean, mean)))
    solver = PETSc.KSP().create(comm)
    solver.setOperators(matrix)
    solver.setType(PETSc.KSP.Type.CG)
    solver.setNormType(PETSc.KSP.NormType.NATURAL)
    solver.getPC().setType(PETSc.PC.Type.GAMG)
    solver.setTolerances(rtol=_TOLERANCE, atol=_TOLERANCE * math.sqrt(size), max_it=1000)
    solver.solve(right, solution)
    reason, iterations = solver.getConvergedReason(), solver.getIterationNumber()
    potential = la.vector(operators.space.dofmap.index_map)
    potential.array[:owned] = solution.array_r
    potential.scatter_forward()
    for made in (solver, solution, right, matrix):
        made.destroy()
    if reason <= 0:
        raise SolveError(f"the eddy currents did not converge in {iterations} iterations (reason {reason}); check the mesh")
    return potential.array.copy(), iterations


def _squares(cells: _Cells, circulation: Array) -> Array:
    """Integrals of sigma |A + grad phi|^2 times each node's shape function [W s2], shape (cells, 4).

    A + grad phi is linear in a cell, with values F_i = sum_j circulation_ij grad lambda_j at its nodes; the integral of
    lambda_k |F|^2 is V / 120 (|S + F_k|^2 + |F_k|^2 + sum_i |F_i|^2) with S = sum_i F_i.
    """
    field = np.matmul(circulation, cells.gradients)
    squares = np.einsum("nik,nik->ni", field, field)
    field += field.sum(axis=1, keepdims=True)
    with_sum = np.einsum("nik,nik->ni", field, field)
    return np.asarray(cells.weight[:, None] / 120 * (with_sum + squares + squares.sum(axis=1, keepdims=True)))


def _summed(operators: Operators, cells: _Cells, shares: Array) -> Array:
    """Sum over the cells of all ranks of what they give to their nodes; complete at own nodes only."""
    vector = la.vector(operators.space.dofmap.index_map)
    vector.array[:] = np.bincount(cells.nodes.ravel(), shares.ravel(), minlength=vector.array.size)
    vector.scatter_reverse(la.InsertMode.add)
    return np.asarray(vector.array)
