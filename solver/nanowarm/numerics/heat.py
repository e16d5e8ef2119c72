"""The heat equation: dH/dt of every node, each term on this page.

    dH_i/dt = - sum_r (K_r theta_r(T))_i  +  sum_r m_ir q_r(T_i, t)  +  sum_s a_is j_s(T_i, t)

H_i = M_i u_i is the enthalpy of node i [J], u_i its enthalpy density [J/m3], M_i = sum_r m_ir its volume; the
state is u_i of this rank's nodes, followed by its ledger: the heat [J] of each entry of `LEDGER`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from nanowarm.numerics.conduction import Conduction
from nanowarm.numerics.heating import COLDEST, HOTTEST, EddyHeating, EddySolve, ParticleHeating, Source
from nanowarm.numerics.ice_field import IceField
from nanowarm.numerics.ledger import BLOOD, INFLOW, LEDGER, METABOLISM
from nanowarm.numerics.medium_ice import ice_conditions
from nanowarm.numerics.operators import Integrals, Stiffness
from nanowarm.numerics.ranks import sums_and_largest
from nanowarm.numerics.saved import Saved
from nanowarm.numerics.stack import MPI
from nanowarm.numerics.thermodynamics import Thermodynamics
from nanowarm.numerics.tissue import living
from nanowarm.physics.boundaries import AnyBoundary
from nanowarm.physics.materials import Medium
from nanowarm.physics.protocol import Stage
from nanowarm.physics.schedules import Schedule
from nanowarm.shelf import Region

Array = NDArray[np.float64]


class HeatEquation:
    """The right-hand side that is integrated, on this rank's nodes.

    Args:
        regions: what fills each region of the mesh.
        operators: the integrals over the body.
        tolerance: error of one step [K] that counts as 1.
        iron: [kg/m3] at own nodes, of each region with particles.
        eddy: solves for eddy currents, where they are asked for.
        diluted: what the ice of regions depends on that are not at full strength, as of `ice_conditions`; None where no ice
            is followed.
    """

    def __init__(
        self,
        regions: Mapping[str, Region],
        operators: Integrals,
        tolerance: float,
        iron: Mapping[str, Array],
        eddy: EddySolve | None = None,
        diluted: Mapping[str, Array] | None = None,
    ) -> None:
        layout = operators.layout
        self.operators = operators
        self.layout = layout
        self.tolerance = tolerance
        self.owned = layout.owned
        self.size = layout.owned + len(LEDGER)
        media = {id(region.medium): region.medium for region in regions.values()}  # regions of one material share it
        members = {key: [n for n, region in regions.items() if id(region.medium) == key] for key in media}
        self.members = [(media[key], names) for key, names in members.items()]
        masses = np.array([sum(operators.mass[name] for name in names) for names in members.values()])
        volume = masses.sum(axis=0)
        self.volume = volume[: self.owned]
        by_region = np.array([operators.mass[name][: self.owned] for name in regions])
        self._shares = by_region / self._sum_over_ranks(by_region.sum(axis=1))[:, None]
        self.conduction = Conduction(members, operators, volume)
        conditions = None if diluted is None else ice_conditions(members, operators, diluted)
        reduced = None if conditions is None else conditions[:2]
        self.thermo = Thermodynamics(list(media.values()), masses / volume, (COLDEST, HOTTEST), reduced)
        self.sources: list[Source] = self._particles(regions, iron)
        if eddy is not None:
            self.sources.append(EddyHeating(eddy, self.volume))
        self.tissue = living(regions, operators, self.thermo, self.volume)
        self.sources += self.tissue
        self._patterns: dict[str, Array] = {}
        self.driven: dict[str, float] = {}  # largest drive of each stage in which it was steered
        self._enthalpy = layout.values
        self._work = np.empty(self.owned)
        self.ice = None if conditions is None else IceField(self, conditions)

    def _particles(self, regions: Mapping[str, Region], iron: Mapping[str, Array]) -> list[Source]:
        """The heating of each kind of particle in all regions that hold it."""
        kinds = {id(region.particle): region.particle for region in regions.values() if region.particle}
        found: list[Source] = []
        for particle in kinds.values():
            nodal = np.zeros(self.owned)
            for name, region in regions.items():
                if region.particle is particle:
                    nodal += iron[name] * self.operators.mass[name][: self.owned] / self.volume
            (most,) = self.largest(float(nodal.max(initial=0.0)))
            found.append(ParticleHeating(particle.specific_power, nodal, most, self.thermo, self.volume))
        return found

    def begin(self, stage: Stage, time: float, state: Array) -> None:
        """Take over a stage's field and boundaries; held surfaces jump to their temperature."""
        self.stage, self.stage_start = stage, time
        self._steered: float | None = None
        self._take_field(stage)
        nodes, area = self.operators.surface_nodes, self.operators.surface_area
        self._flows: list[tuple[AnyBoundary, NDArray[np.int64], Array]] = []  # with area over volume [1/m]
        self._held: list[tuple[Schedule, NDArray[np.int64]]] = []
        taken = np.zeros(self.owned, dtype=bool)
        for name, boundary in stage.boundaries.items():
            held = boundary.held()
            if held is not None:
                free = nodes[name][~taken[nodes[name]]]
                taken[free] = True
                self._held.append((held, free))
            else:
                self._flows.append((boundary, nodes[name], area[name] / self.volume[nodes[name]]))
        self.held = np.flatnonzero(taken)
        self.pass_knot(time)
        self.settle(time, state)
        if self.ice is not None:
            self.ice.jumped()

    def prepare(self, stages: Sequence[Stage]) -> None:
        """Work out the fields of all stages, so that what is wrong with them is found before a run begins."""
        for stage in stages:
            self._take_field(stage)

    def _take_field(self, stage: Stage) -> None:
        """Evaluate the field's pattern at own nodes, once for all stages that share it, and tell the sources."""
        field = stage.field
        key = field.pattern()
        if key not in self._patterns:
            self._patterns[key] = self.operators.sampled(field.shape)
        shape = self._patterns[key]
        (self._strongest,) = self.largest(float(shape.max(initial=0.0)))
        largest = max(field.largest(), stage.steered_to() / field.per_drive())
        for source in self.sources:
            source.begin(field, shape, largest * self._strongest, stage.steered_to() > 0.0)

    def amplitude(self, time: float) -> float:
        """Largest amplitude [A/m] of the field in the body."""
        return self.drive(time) * self._strongest

    def drive(self, time: float) -> float:
        """How strongly the field is driven: by its schedule, or by what `steer` has set."""
        return self.stage.field.drive().value(time, self.stage_start) if self._steered is None else self._steered

    def weaken(self, damage: Mapping[str, Array]) -> bool:
        """Take over the damage at own nodes of each region; whether this changes the heat that blood carries."""
        return any([source.weaken(damage) for source in self.tissue])

    def steer(self, amplitude: float | None) -> None:
        """Drive the field so that it has an amplitude [A/m] where it quotes its own; None leaves it to its schedule."""
        self._steered = None if amplitude is None else amplitude / self.stage.field.per_drive()
        if self._steered is not None:
            self.driven[self.stage.name] = max(self._steered, self.driven.get(self.stage.name, 0.0))

    def pass_knot(self, time: float) -> None:
        """Take the slopes of held temperatures [K/s] from here on; they are constant up to the next knot."""
        self._knot = time
        self._held_slopes = [held.slope(time, self.stage_start) for held, _ in self._held]

    def rate(self, time: float, state: Array, out: Array) -> None:
        """Write du/dt [W/m3] and the powers of the ledger [W] into `out`."""
        thermo, owned = self.thermo, self.owned
        self._enthalpy[:owned] = state[:owned]
        self.layout.exchange()
        thermo.locate(self._enthalpy)
        rates = out[:owned]
        self.conduction.write(thermo, rates)
        out[owned:] = self.local(time, rates)
        out[INFLOW] += self._hold(rates)

    def local(self, time: float, rates: Array) -> Array:
        """Add what sources and surfaces bring at the state that is located [W/m3]; the powers of the ledger [W]."""
        powers = np.zeros(len(LEDGER))
        drive = self.drive(time)
        for source in self.sources:
            powers[source.ledger] += source.add(drive, rates)
        powers[INFLOW] = self._exchange(time, rates)
        return powers

    def _exchange(self, time: float, rates: Array) -> float:
        """Heat that flows in through the outer surfaces, added to `rates`; its sum [W]."""
        total = 0.0
        for boundary, nodes, share in self._flows:
            inflow = share * boundary.inflow(self.thermo.temperature_at(nodes), time, self.stage_start)
            rates[nodes] += inflow
            total += float(inflow @ self.volume[nodes])
        return total

    def _hold(self, rates: Array) -> float:
        """Replace the rates of held nodes by those prescribed; the heat [W] that this takes."""
        total = 0.0
        for slope, (_, nodes) in zip(self._held_slopes, self._held, strict=True):
            prescribed = slope / self.thermo.per_capacity_at(nodes)
            total += float((prescribed - rates[nodes]) @ self.volume[nodes])
            rates[nodes] = prescribed
        return total

    def settle(self, time: float, state: Array) -> None:
        """Set held nodes to their temperature exactly; the ledger takes the difference."""
        for held, nodes in self._held:
            target = self.thermo.enthalpy(held.value(time, self.stage_start))[nodes]
            state[INFLOW] += float((target - state[nodes]) @ self.volume[nodes])
            state[nodes] = target

    def spectral_radius(self, time: float) -> float:
        """Bound on the eigenvalues of the Jacobian [1/s] at the state of the last `rate`.

        Gershgorin's circles of the columns of M^-1 K k dT/du, plus what boundaries and sources add to its diagonal.
        """
        return self._radius(self.largest(*self._stiffest(time)))

    def _stiffest(self, time: float) -> tuple[float, float]:
        """Bounds of conduction and of boundaries on this rank [1/s], apart: they may sit on different ranks."""
        at_surface = np.zeros(self.owned)
        for boundary, nodes, share in self._flows:
            stiffness = boundary.stiffness(self.thermo.temperature_at(nodes), time, self.stage_start)
            at_surface[nodes] += share * stiffness * self.thermo.per_capacity_at(nodes)
        return self.conduction.stiffest(self.thermo), float(at_surface.max(initial=0.0))

    def _radius(self, parts: Sequence[float]) -> float:
        """The bound from those of all ranks."""
        return sum(parts) + sum(source.slope() for source in self.sources) * self.thermo.largest_per_capacity

    def error(self, estimate: Array) -> float:
        """Root mean square over the worst region [tolerances] of an estimate of u around the state of the last `rate`."""
        return self._norm(self._sum_over_ranks(self._squares(estimate)))

    def error_and_radius(self, estimate: Array, time: float) -> tuple[float, float]:
        """Both of `error` and `spectral_radius` with one reduction over the ranks."""
        stiffest = np.array([math.inf if math.isnan(value) else value for value in self._stiffest(time)])
        squares, parts = sums_and_largest(self.layout.comm, self._squares(estimate), stiffest)
        return self._norm(squares), self._radius(parts.tolist())

    def _squares(self, estimate: Array) -> Array:
        """This rank's part of the mean square [K2] over each region of an estimate of u."""
        in_kelvin = np.multiply(self.thermo.per_capacity()[: self.owned], estimate[: self.owned], out=self._work)
        in_kelvin[self.held] = 0.0
        np.multiply(in_kelvin, in_kelvin, out=in_kelvin)
        return np.asarray(self._shares @ in_kelvin)

    def _norm(self, squares: Array) -> float:
        return math.inf if not np.isfinite(squares).all() else math.sqrt(squares.max()) / self.tolerance

    def largest(self, *values: float) -> tuple[float, ...]:
        """Largest of each value over all ranks; NaN counts as infinite."""
        mine = np.array([math.inf if math.isnan(value) else value for value in values])
        if self.layout.comm.size > 1:
            self.layout.comm.Allreduce(MPI.IN_PLACE, mine, op=MPI.MAX)
        return tuple(mine.tolist())

    def _sum_over_ranks(self, values: Array) -> Array:
        if self.layout.comm.size > 1:
            self.layout.comm.Allreduce(MPI.IN_PLACE, values, op=MPI.SUM)
        return values

    def temperature(self, state: Array) -> Array:
        """Temperature [K] of this rank's nodes, shape (owned,); overwritten by the next call."""
        self._enthalpy[: self.owned] = state[: self.owned]
        self.thermo.locate(self._enthalpy)
        return self.thermo.temperature()[: self.owned]

    def initial_state(self, temperature: float) -> Array:
        """State of a uniform temperature [K], with an empty ledger."""
        if self.ice is not None:
            self.ice.look(temperature)
        state = np.zeros(self.size)
        state[: self.owned] = self.thermo.enthalpy(temperature)[: self.owned]
        return state

    def saved(self) -> Saved:
        """What it needs to go on within a stage: where its iterations start, how it is steered, its ice."""
        guess = np.zeros(self.layout.total)
        guess[self.thermo.shared] = self.thermo.shared_temperature
        parts = {} if self.ice is None else {"ice": self.ice.saved()}
        plain = {"driven": self.driven, "steered": self._steered, "knot": self._knot}
        return Saved(plain, {"shared temperature": guess[: self.owned]}, parts=parts)

    def restore(self, saved: Saved) -> None:
        """Go on within the stage that has been begun anew; collective."""
        self.driven, self._steered = dict(saved.plain["driven"]), saved.plain["steered"]
        self.pass_knot(saved.plain["knot"])
        self.thermo.shared_temperature = self.layout.filled(saved.nodes["shared temperature"])[self.thermo.shared]
        if self.ice is not None:
            self.ice.restore(saved.parts["ice"])

    def stiffness_by_medium(self) -> list[tuple[Medium, list[Stiffness]]]:
        """Each medium, and K_r of the regions that it fills."""
        return [(medium, [self.operators.stiffness[name] for name in names]) for medium, names in self.members]

    def ledger_names(self) -> tuple[str, ...]:
        """Entries of the ledger that say something: those of living tissue only where there is some."""
        return LEDGER if any(source.ledger in (BLOOD, METABOLISM) for source in self.sources) else LEDGER[:BLOOD]

    def stored(self, state: Array) -> float:
        """Enthalpy [J] of this rank's nodes."""
        return float(state[: self.owned] @ self.volume)
