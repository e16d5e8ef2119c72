"""Conduction: - sum_m K_m theta_m / M, by sparse products with the potentials of all media, and what ice adds to it.

Ice of a fraction X adds X (k_frozen - k) to the conductivity. Its potential can't be read from the temperature alone,
so it has a matrix of its own, with the X of every cell, made anew when the ice has changed. Weights on cells, and not on
edges, keep heat from flowing to the warmer side through edges opposite to obtuse angles, whose entries have the other sign.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanowarm.numerics.frozen import CONDUCTS, Frozen
from nanowarm.numerics.operators import Integrals, Stiffness, Weighted, row_product
from nanowarm.numerics.stack import MPI, PETSc
from nanowarm.numerics.thermodynamics import Thermodynamics

Array = NDArray[np.float64]


class Conduction:
    """Heat that flows between the nodes.

    Args:
        members: regions of each medium.
        operators: the integrals of the mesh.
        volume: [m3] of all nodes of this rank.
    """

    def __init__(self, members: Mapping[Any, list[str]], operators: Integrals, volume: Array) -> None:
        self._operators, self._layout, self._volume = operators, operators.layout, volume
        self._names = list(members.values())
        self._parts = [[operators.stiffness[name] for name in names] for names in members.values()]
        self._products = [self._product(parts) for parts in self._parts]
        self._sums = np.array([self._column_sums(parts) for parts in self._parts])
        self._weighted: dict[str, Weighted] = {}
        self._icy: dict[int, PETSc.Mat] = {}
        self._icy_sums: Array | None = None
        self._potential = np.empty(self._layout.total)
        self._vector = PETSc.Vec().createWithArray(self._potential, comm=MPI.COMM_SELF)

    def _product(self, parts: list[Stiffness]) -> PETSc.Mat:
        """The product -K_m / M_i of a medium."""
        return row_product(parts, -1.0 / self._volume[: self._layout.owned], self._layout.total)

    def _column_sums(self, parts: Sequence[Stiffness]) -> Array:
        """Sums of the columns of |K_m| / M at own nodes [1/m2], which bound its eigenvalues."""
        found = np.zeros(self._layout.owned)
        for part in parts:
            # K is symmetric: row j divided by the volumes of its columns is column j of K / M
            entries = np.abs(part.entries) / self._volume[part.columns]
            sums = np.add.reduceat(np.append(entries, 0.0), np.minimum(part.starts[:-1], entries.size))
            found += np.where(np.diff(part.starts) > 0, sums, 0.0)
        return found

    def take_ice(self, frozen: Frozen, temperature: Array) -> None:
        """Take over the ice of every medium at the temperature of all nodes [K], shape (nodes,). Collective."""
        for matrix in self._icy.values():
            matrix.destroy()
        self._icy, self._icy_sums = {}, None
        most = frozen.fraction.max(axis=1, initial=0.0)
        if self._layout.comm.size > 1:
            self._layout.comm.Allreduce(MPI.IN_PLACE, most, op=MPI.MAX)
        for number in np.flatnonzero(most > CONDUCTS).tolist():
            weighted = [self._with_ice(frozen, number, name, temperature) for name in self._names[number]]
            self._icy[number] = self._product(weighted)
            if self._icy_sums is None:
                self._icy_sums = np.zeros_like(self._sums)
            self._icy_sums[number] = self._column_sums(weighted)

    def _with_ice(self, frozen: Frozen, number: int, region: str, temperature: Array) -> Stiffness:
        """Stiffness of a region of a medium with the ice of its cells."""
        if region not in self._weighted:
            self._weighted[region] = self._operators.weighted(region)
        whole = self._weighted[region]
        ice = frozen.in_cells(number, whole.corners, temperature)
        return whole.times(np.where(ice > CONDUCTS, ice, 0.0))

    def write(self, thermo: Thermodynamics, rates: Array) -> None:
        """Write the heating by conduction at the located state [W/m3], shape (owned,), into `rates`."""
        target = PETSc.Vec().createWithArray(rates, comm=MPI.COMM_SELF)
        thermo.potential(self._potential)
        for number, product in enumerate(self._products):
            if thermo.shared.size:
                self._potential[thermo.shared] = thermo.shared_potential(number)
            self._vector.stateIncrease()
            if number == 0:
                product.mult(self._vector, target)
            else:
                product.multAdd(self._vector, target, target)
        for number, product in self._icy.items():
            thermo.frozen_potential(number, self._potential)
            self._vector.stateIncrease()
            product.multAdd(self._vector, target, target)
        target.destroy()

    def stiffest(self, thermo: Thermodynamics) -> float:
        """Bound on the eigenvalues of the Jacobian [1/s] at the located state, on this rank."""
        return thermo.stiffest(self._sums, self._icy_sums)
