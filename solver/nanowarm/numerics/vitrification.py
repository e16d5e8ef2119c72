"""What is followed of ice, glass and stress: crossings, time above temperatures, ice fractions, stress in the glass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanowarm.case import Case
from nanowarm.numerics.concentration import ConcentrationField
from nanowarm.numerics.crossings import Crossings, Threshold
from nanowarm.numerics.dose_fields import spread_of
from nanowarm.numerics.exposure import TimeAbove
from nanowarm.numerics.heat import HeatEquation
from nanowarm.numerics.rkc import Step
from nanowarm.numerics.sampling import GlassDifference, Nodes
from nanowarm.numerics.saved import Follower, Saved, all_saved, restore_all
from nanowarm.numerics.stack import MPI
from nanowarm.numerics.stress_fields import StressFields
from nanowarm.physics.equilibration import equilibration_of
from nanowarm.physics.mechanics import Mechanics
from nanowarm.quantity import ZERO_CELSIUS
from nanowarm.results.evidence import PeakEvidence, Spread, millimetres

Array = NDArray[np.float64]

_MEGAPASCAL, _MILLILITRE, _GRAM = 1e6, 1e-6, 1e-3  # in SI
_TRANSITIONS = "glass transition", "melting"


class Vitrification:
    """What happens to the solution of each region on its way down and up.

    Args:
        case: the case.
        heat: the equation.
        regions: nodes by region.
        strength: concentration of the regions that are not at full strength.
    """

    def __init__(
        self, case: Case, heat: HeatEquation, regions: Mapping[str, Nodes], strength: Mapping[str, ConcentrationField]
    ) -> None:
        self.case, self.heat, self.regions, self._strength = case, heat, regions, strength
        self.crossings = Crossings(heat, self._thresholds())
        asked = {above for criterion in case.input.criteria if (above := criterion.asked_above()) is not None}
        self._exposures = {above: TimeAbove(heat, above) for above in sorted(asked)}
        self._medium = {name: number for number, (_, names) in enumerate(heat.members) for name in names}
        self._icy = [name for name, region in case.regions.items() if heat.ice is not None and region.medium.freezing]
        self.stress = self._stress_fields() if case.input.follows_stress() else None
        self.differences: dict[str, GlassDifference] = {}
        for name, region in case.regions.items():
            if (self.stress or self._icy) and region.medium.glass_transition is not None:
                self.differences[name] = GlassDifference(regions[name], region.medium.glass_transition)
        self._ice_columns: dict[str, list[float]] = {f"{name}_ice_{what}": [] for name in self._icy for what in ("max", "mean")}

    def _thresholds(self) -> list[Threshold]:
        """Glass transition and melting of every region whose material tells them, by node where it is not at full strength."""
        found = []
        for name, region in self.case.regions.items():
            known = region.medium.glass_transition, region.medium.melting
            for what, full in zip(_TRANSITIONS, known, strict=True):
                if full is None:
                    continue
                temperature: float | Array = full
                if name in self._strength:
                    shift, values = equilibration_of(region.medium), self._strength[name].values[self.regions[name].index]
                    temperature = shift.melting(values) if what == "melting" else shift.glass_transition(values)
                found.append(Threshold(name, what, self.regions[name], temperature))
        return found

    def _stress_fields(self) -> StressFields:
        """The stress of all regions; load_case has refused those of which too little is known."""
        mechanics: dict[str, Mechanics] = {}
        for name, region in self.case.regions.items():
            if region.medium.mechanics is not None:
                mechanics[name] = region.medium.mechanics
        return StressFields(self.heat, mechanics, self.case.input.stress, self.case.input.solver.stress_times())

    def begin(self, state: Array) -> None:
        """Look at the first state of a run; collective."""
        if self.stress is not None:
            self.stress.begin(0.0, state)

    def jumped(self, time: float, before: Array, after: Array) -> None:
        """Look at what held surfaces did to the state where a stage begins."""
        self.crossings.jumped(time, before, after)
        for exposure in self._exposures.values():
            exposure.look(self.heat.temperature(after))

    def observe(self, step: Step) -> None:
        """Look at an accepted step; collective."""
        end = self.heat.temperature(step.state(step.end)).copy()  # the followers overwrite the view
        self.crossings.observe(step, end)
        for exposure in self._exposures.values():
            exposure.observe(step, end)
        if self.stress is not None:
            self.stress.observe(step)

    def saved(self) -> Saved:
        """All that is followed, and the rows of the ice; collective."""
        return Saved({"columns": self._ice_columns}, parts=all_saved(self._followers()).parts)

    def restore(self, saved: Saved) -> None:
        """Go on from what was saved; collective."""
        self._ice_columns = saved.plain["columns"]
        restore_all(self._followers(), saved)

    def _followers(self) -> dict[str, Follower]:
        """What keeps something from step to step, by name."""
        found: dict[str, Follower] = {f"exposure {above}": exposure for above, exposure in self._exposures.items()}
        stress: dict[str, Follower] = {} if self.stress is None else {"stress": self.stress}
        return {"crossings": self.crossings} | found | stress

    def row(self, time: float) -> None:
        """Keep the ice and the stress of a row; collective."""
        if self.stress is not None:
            self.stress.row(time)
        if self.heat.ice is None:
            return
        for name in self._icy:
            nodes, now = self.regions[name], self.heat.ice.now[self._medium[name]]
            values = now[nodes.index]
            (most,) = self.heat.largest(float(values.max(initial=0.0)))
            inside = np.array([nodes.volume @ values, nodes.volume.sum()])
            if self.heat.layout.comm.size > 1:
                self.heat.layout.comm.Allreduce(MPI.IN_PLACE, inside)
            self._ice_columns[f"{name}_ice_max"].append(most)
            self._ice_columns[f"{name}_ice_mean"].append(float(inside[0] / inside[1]))

    def finish(self, time: float, state: Array) -> None:
        """Look at the last state of a run; collective."""
        if self.stress is not None:
            self.stress.finish(time, state)
            for column in self.stress.columns.values():  # the last row was kept before the last solve
                column.pop()
            self.stress.row(time)

    def columns(self) -> dict[str, list[float]]:
        """Columns of `history.csv`."""
        return self._ice_columns | (self.stress.columns if self.stress is not None else {})

    def ice(self, region: str) -> Spread | None:
        """Largest ice fraction of each node over the protocol; None where it is not known how ice forms."""
        if self.heat.ice is None or region not in self._icy:
            return None
        nodes = self.regions[region]
        return spread_of(self.heat, nodes, self.heat.ice.peak[self._medium[region]][nodes.index])

    def time_above(self, region: str, temperature: float) -> Spread:
        """Time [s] that each node of a region has spent above a temperature [K]."""
        return self._exposures[temperature].spread(self.regions[region])

    def faster(self, region: str, direction: int) -> Array | float:
        """Critical rate at each node of a region over that at full strength; 1 where it is at full strength."""
        if region not in self._strength:
            return 1.0
        shift, values = equilibration_of(self.case.regions[region].medium), self._strength[region].values
        full = float(shift.critical_rate(np.array(1.0), direction))
        return shift.critical_rate(values[self.regions[region].index], direction) / full

    def faster_on_all_ranks(self, region: str, direction: int) -> Array | float:
        """The same for the nodes of all ranks, one rank after the other; collective."""
        if region not in self._strength:
            return 1.0
        return np.concatenate(self.heat.layout.comm.allgather(self.faster(region, direction)))

    def notes(self) -> list[str]:
        """What a reader should know before believing ice and stress."""
        found = []
        for name, region in self.case.regions.items():
            if self.case.input.follows_ice() and name not in self._icy:
                found.append(f"{name}: ice is not calibrated for {region.medium.name}: none is computed in it")
        if self.stress is not None:
            found.append(
                "stress: the body is without stress at the start of the run, and liquid bears pressure and tension without "
                "flowing in or tearing"
            )
            if self.stress.state.order == 1:
                line = "peaks may be 10 to 25 % too high; give [stress] order = 2 or a finer mesh"
                found.append(f"stress: elements of order 1: {line}")
        return found

    def fields(self) -> dict[str, Array]:
        """Largest ice fraction and tensile stress [MPa] of own nodes, where they are followed; collective."""
        found: dict[str, Array] = {}
        if self.heat.ice is not None:
            found["ice fraction"] = np.full(self.heat.owned, np.nan)
            for name in self._icy:
                index = self.regions[name].index
                found["ice fraction"][index] = self.heat.ice.peak[self._medium[name]][index]
        if self.stress is not None:
            found["tensile stress"] = self.stress.nodal() / _MEGAPASCAL
        return found

    def summary(self, region: str) -> dict[str, Any]:
        """What `summary.json` says of a region; collective."""
        return self._ice_summary(region) | self._stress_summary(region) | self._difference_summary(region)

    def _ice_summary(self, region: str) -> dict[str, Any]:
        """Ice of a region, where it is followed."""
        if not self.case.input.follows_ice():
            return {}
        spread, freezing = self.ice(region), self.case.regions[region].medium.freezing
        if spread is None or freezing is None:
            name = self.case.regions[region].medium.name
            return {"ice_fraction": None, "ice_note": f"ice is not calibrated for {name}"}
        volume = float(self.heat.layout.comm.allreduce(float(spread.volume.sum())))
        return {"ice_fraction": spread.statistics(), "ice_g": spread.mean() * volume * freezing.most_ice / _GRAM}

    def _stress_summary(self, region: str) -> dict[str, Any]:
        """Stress of a region, where it is followed."""
        if self.stress is None:
            return {}
        spread, strength = self.stress.spread(region), self.strength(region)
        told: dict[str, Any] = {"tensile_strength_MPa": None if strength is None else strength / _MEGAPASCAL}
        if spread is None:
            return {"largest_tensile_stress_MPa": None, "stress": told | {"solid_fraction": 0.0}}
        peak, statistics = self.stress.peak(region), spread.statistics()
        solid, whole = self.heat.layout.comm.allreduce(np.array([spread.volume.sum(), self.regions[region].volume.sum()]))
        told |= {
            "peak_at_s": peak.time,
            "peak_where_mm": list(millimetres(peak.position)),
            "solid_fraction": min(1.0, solid / whole),
        }
        if strength is not None:
            told["crack_risk_mL"] = self.stress.crack_volume(region, strength) / _MILLILITRE
        return {"largest_tensile_stress_MPa": {k: (v or 0.0) / _MEGAPASCAL for k, v in statistics.items()}, "stress": told}

    def _difference_summary(self, region: str) -> dict[str, Any]:
        """Largest difference of temperature in the glass of a region, where it is followed, beside the empirical limit."""
        if region not in self.differences:
            return {}
        seen: PeakEvidence = self.differences[region].seen
        limit = self.case.regions[region].medium.glass_difference
        below = self.differences[region].below - ZERO_CELSIUS
        when = None if seen.value is None else seen.time
        return {"glass_difference_degC": {"largest": seen.value, "limit": limit, "at_s": when, "below_degC": below}}

    def work(self) -> dict[str, Any]:
        """What following the stress took, for `record.json`."""
        stress = self.stress
        if stress is None:
            return {}
        done = {"order": stress.state.order, "solves": stress.solves, "iterations": stress.iterations, "seconds": stress.seconds}
        return {"stress": done}

    def strength(self, region: str) -> float | None:
        """Tensile strength [Pa] of a region's material, None where not known."""
        mechanics = self.case.regions[region].medium.mechanics
        return None if mechanics is None else mechanics.strength
