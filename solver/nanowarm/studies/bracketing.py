"""A place between two ends from which on a run meets its criteria, found in few runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

SPARE = 1  # looks that a search may take beyond those of halving
FIRST = 0.2  # from the middle, of the whole: two ends far apart say little of the curve between
AIM = 0.45  # widths beyond the root, so that two looks around it are closer than one width
ROUNDING = 1e-9  # of a width


@dataclass(frozen=True)
class Probe:
    """What a run has told.

    Args:
        place: where between the ends: 0 at the first, 1 at the second.
        met: whether it met all criteria.
        guide: zero or more where they are met, and growing with the room left; None where nothing continuous is known.
        limit: number of the criterion that is missed most, if known.
    """

    place: float
    met: bool
    guide: float | None = None
    limit: int | None = None


class Bracket:
    """Asks for one place after the other until a met and a missed one are as close as wanted.

    Verdicts alone decide which end of the bracket a new place replaces; the guide only says where to look. A look is aimed
    past the interpolated root, towards the farther end and by less than half of the wanted width: two good looks close the
    bracket. It stays so near the middle that never more than `SPARE` looks beyond those of halving are needed.

    Where both ends are missed, for different reasons, places between may meet: these are halved for one first.

    Args:
        good: the end that is more likely to be met, 0 or 1.
        width: of the bracket in the end, as a part of the whole.

    Source: the bound on looks, and with it the way back to the middle, is that of Oliveira and Takahashi (2020), ACM Trans.
        Math. Softw. 47:5.
    """

    def __init__(self, good: float, width: float) -> None:
        self.good = good
        self.width = width
        self.probes: list[Probe] = []

    def next_place(self) -> float | None:
        """Where to look next; None where the search has ended."""
        if len(self.probes) < 2:
            return abs(self.good - len(self.probes))
        ends = self.ends()
        if ends is None:
            return self._look_for_one()
        return None if _distance(*ends) <= self.width * (1.0 + ROUNDING) else self._look(*ends)

    def tell(self, probe: Probe) -> None:
        """Take in what a run has told."""
        self.probes.append(probe)

    def ends(self) -> tuple[Probe, Probe] | None:
        """A missed and a met place next to each other; None where no run met, all did, or it is the other way round."""
        met = [probe for probe in self.probes if probe.met]
        if not met:
            return None
        last = max(met, key=self._badness)
        behind = [probe for probe in self.probes if self._badness(probe) > self._badness(last)]
        return (min(behind, key=self._badness), last) if behind else None

    def beyond(self) -> list[Probe]:
        """Missed places nearer to the good end than a met one: what is met there is not met all the way."""
        met = max((self._badness(probe) for probe in self.probes if probe.met), default=0.0)
        return [probe for probe in self.probes if not probe.met and self._badness(probe) < met]

    def most_looks(self) -> int:
        """Runs that a search takes at most."""
        return 2 + max(0, math.ceil(math.log2(1.0 / self.width) - ROUNDING)) + SPARE

    def _badness(self, probe: Probe) -> float:
        """How far from the good end."""
        return abs(probe.place - self.good)

    def _look(self, missed: Probe, met: Probe) -> float:
        """A place in the bracket by interpolation, so near its middle that the looks that are left suffice."""
        length, middle = _distance(missed, met), (missed.place + met.place) / 2.0
        root = _root(self.probes, missed, met)
        if root is None:
            return middle
        left = self.most_looks() - len(self.probes) - 1  # looks after this one; each of them may do no better than halve
        farther = max((missed, met), key=lambda end: abs(end.place - root))
        aim = root + math.copysign(AIM * self.width, farther.place - root)
        radius = min(self.width * 2.0**left - length / 2.0, (length - AIM * self.width) / 2.0)
        radius = max(0.0, min(radius, FIRST) if len(self.probes) == 2 else radius)
        return min(max(aim, middle - radius), middle + radius)

    def _look_for_one(self) -> float | None:
        """The middle of what is missed for the reason of one end and of the other; None where that leaves nothing."""
        if any(probe.met for probe in self.probes):
            return None
        good, bad = self.probes[:2]
        known = {good.limit, bad.limit} - {None}
        if len(known) < 2 or any(probe.limit not in known for probe in self.probes):
            return None
        near = max((probe for probe in self.probes if probe.limit == good.limit), key=self._badness)
        far = min((probe for probe in self.probes if probe.limit == bad.limit), key=self._badness)
        return None if self._badness(far) - self._badness(near) <= self.width else (near.place + far.place) / 2.0


def _distance(one: Probe, other: Probe) -> float:
    """How far apart two places are."""
    return abs(one.place - other.place)


def _root(probes: Sequence[Probe], missed: Probe, met: Probe) -> float | None:
    """Where the guide is zero by the two places nearest to that, or else by the two ends; None without guides, or outside."""
    known = [(probe.guide, probe.place) for probe in probes if probe.guide is not None and (probe.guide >= 0.0) == probe.met]
    nearest = sorted(known, key=lambda pair: abs(pair[0]))[:2]
    ends = [pair for pair in known if pair[1] in (missed.place, met.place)]
    for pairs in (nearest, ends):
        if len(pairs) == 2 and pairs[0][0] != pairs[1][0]:
            (guide, place), (other, elsewhere) = pairs
            root = place - guide * (elsewhere - place) / (other - guide)
            if min(missed.place, met.place) < root < max(missed.place, met.place):
                return root
    return None
