"""The state in which nothing changes any more, by Newton's method on the same right-hand side that is integrated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanowarm.errors import SolveError
from nanowarm.numerics.heat import HeatEquation
from nanowarm.numerics.stack import MPI, PETSc

Array = NDArray[np.float64]

RESIDUAL = 1e-9  # of the heat that is turned over, at which a state counts as steady
ITERATIONS = 40
HALVINGS = 8  # of a step that would make the residual larger
NUDGE = 1e-3  # [K] for the slope of sources and surfaces
LINEAR = 1e-8  # relative tolerance of the linear solver
SCALE = 0.1  # [K]; what it takes to change every node by so much counts as turned over, as where all heat balances in place
FARTHEST = 1000.0  # [K] that a first step may go; beyond it there is no state to be found


@dataclass(frozen=True)
class Steadiness:
    """How steady a state is.

    Args:
        residual: largest sum of heat that does not balance, relative to the heat that is turned over.
        iterations: of Newton's method.
    """

    residual: float
    iterations: int


def settle_down(heat: HeatEquation, time: float, state: Array, stage: str) -> Steadiness:
    """Change a state into the steady one under the field and boundaries that hold now; the ledger stays. Collective.

    Raises:
        SolveError: there is none, or it was not found.
    """
    newton = _Newton(heat, time)
    temperature = heat.temperature(state).copy()
    for iteration in range(ITERATIONS):
        residual = newton.residual(temperature)
        if newton.relative(residual) <= RESIDUAL:
            state[: heat.owned] = newton.enthalpy(temperature)
            return Steadiness(newton.relative(residual), iteration)
        change = newton.change(temperature, residual)
        if change is None or heat.largest(float(np.abs(change).max(initial=0.0)))[0] > FARTHEST:
            raise SolveError(
                f"stage {stage}: there is no steady state: what takes the heat away does not keep up; "
                "give a boundary or perfusion, or heat less"
            )
        temperature = newton.damped(temperature, change, residual)
    reached = f"{newton.relative(newton.residual(temperature)):.2g} of the heat does not balance"
    raise SolveError(f"stage {stage}: no steady state found in {ITERATIONS} iterations, {reached}; let it run in time instead")


class _Newton:
    """Residual and Jacobian over the temperatures of own nodes [K].

    Args:
        heat: the equation, its stage begun.
        time: [s] at which schedules are read.
    """

    def __init__(self, heat: HeatEquation, time: float) -> None:
        self.heat, self.time = heat, time
        self._state, self._rate = np.zeros(heat.size), np.zeros(heat.size)
        self._free = np.ones(heat.owned)
        self._free[heat.held] = 0.0
        self._exchange = self._heat_per_kelvin()
        map_ = heat.layout.index_map
        self._global = map_.local_to_global(np.arange(heat.layout.total, dtype=np.int32)).astype(PETSc.IntType)
        self._sizes = ((heat.owned, map_.size_global), (heat.owned, map_.size_global))

    def _heat_per_kelvin(self) -> Array:
        """Heat [W/K] that own nodes exchange with their neighbours, at 300 K."""
        found = np.zeros(self.heat.owned)
        for medium, parts in self.heat.stiffness_by_medium():
            conductivity = float(medium.conductivity(np.array(300.0)))
            for part in parts:
                rows = np.repeat(np.arange(self.heat.owned), np.diff(part.starts))
                found += conductivity * np.bincount(rows, np.abs(part.entries), minlength=self.heat.owned)
        return found

    def enthalpy(self, temperature: Array) -> Array:
        """Enthalpy density [J/m3] of own nodes."""
        whole = np.full(self.heat.layout.total, 300.0)
        whole[: self.heat.owned] = temperature
        return self.heat.thermo.enthalpy(whole)[: self.heat.owned]

    def residual(self, temperature: Array) -> Array:
        """Heat [W] that own nodes gain."""
        self._state[: self.heat.owned] = self.enthalpy(temperature)
        self.heat.rate(self.time, self._state, self._rate)
        return self._rate[: self.heat.owned] * self.heat.volume * self._free

    def relative(self, residual: Array) -> float:
        """Root of the sum of squares of a residual over the heat that is turned over, on all ranks."""
        turned = self._local_heat() * self.heat.volume
        least = SCALE * self._exchange
        mine = np.array([residual @ residual, turned @ turned + least @ least])
        left, over = self.heat.layout.comm.allreduce(mine)
        return float(np.sqrt(left / over)) if over > 0.0 else float(left > 0.0)

    def _local_heat(self) -> Array:
        """Heat [W/m3] of sources and surfaces at the state of the last `rate`."""
        rates = np.zeros(self.heat.owned)
        self.heat.local(self.time, rates)
        return rates

    def change(self, temperature: Array, residual: Array) -> Array | None:
        """Newton's step [K] towards the steady state; None where the linear system can't be solved."""
        heat = self.heat
        self.residual(temperature + NUDGE)
        above = self._local_heat()
        self.residual(temperature)
        slope = (above - self._local_heat()) / NUDGE * heat.volume
        matrix = self._matrix(temperature, slope)
        right, found = matrix.createVecs()
        right.array[:] = residual
        solver = PETSc.KSP().create(heat.layout.comm)
        solver.setOperators(matrix)
        solver.setType("gmres")
        solver.getPC().setType("gamg")
        solver.setTolerances(rtol=LINEAR, max_it=500)
        solver.solve(right, found)
        solved = solver.getConvergedReason() > 0 and bool(np.isfinite(found.array).all())
        change = found.array.copy()
        for used in (solver, matrix, right, found):
            used.destroy()
        return change if heat.layout.comm.allreduce(solved, op=MPI.LAND) else None

    def _matrix(self, temperature: Array, slope: Array) -> PETSc.Mat:
        """Minus the Jacobian: sum_m K_m k_m(T) - diag(slope); identity at held nodes."""
        import scipy.sparse

        heat = self.heat
        everywhere = heat.layout.filled(temperature)
        rows = scipy.sparse.csr_array((heat.owned, heat.layout.total))
        for medium, parts in heat.stiffness_by_medium():
            weight = medium.conductivity(everywhere)
            for part in parts:
                entries = part.entries * weight[part.columns]
                rows = rows + scipy.sparse.csr_array((entries, part.columns, part.starts), shape=rows.shape)
        free = scipy.sparse.diags_array(self._free)
        own = scipy.sparse.diags_array(np.where(self._free > 0.0, -slope, 1.0), shape=rows.shape)
        rows = (free @ rows + own).tocsr()
        columns = self._global[rows.indices]
        matrix = PETSc.Mat().createAIJ(
            self._sizes, csr=(rows.indptr.astype(PETSc.IntType), columns, rows.data), comm=heat.layout.comm
        )
        matrix.assemble()
        return matrix

    def damped(self, temperature: Array, change: Array, residual: Array) -> Array:
        """The temperature after a step, halved as long as the residual grows."""
        before = self._norm(residual)
        for halving in range(HALVINGS):
            tried = temperature + change / 2.0**halving
            if self._norm(self.residual(tried)) <= before:
                break
        return tried

    def _norm(self, residual: Array) -> float:
        return float(self.heat.layout.comm.allreduce(float(residual @ residual)))
