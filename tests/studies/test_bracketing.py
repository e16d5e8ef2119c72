"""How few runs it takes to bracket the place from which on criteria are met."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nanowarm.studies.bracketing import Bracket, Probe

PLACES = st.floats(0.001, 0.999)
WIDTHS = st.floats(1e-3, 0.5)


def closed_in(root: float, good: float, width: float, guide: Callable[[float], float | None]) -> Bracket:
    """A search for a root from which on, towards the good end, all is met; each look has to be inside of the bracket."""
    bracket = Bracket(good, width)
    while (place := bracket.next_place()) is not None:
        ends = bracket.ends()
        if ends is not None:
            low, high = sorted(end.place for end in ends)
            assert low < place < high
        met = place >= root if good == 1.0 else place <= root
        bracket.tell(Probe(place, met, guide(place)))
    return bracket


def check_closed(bracket: Bracket, root: float) -> None:
    ends = bracket.ends()
    assert ends is not None
    missed, met = ends
    assert min(missed.place, met.place) <= root <= max(missed.place, met.place)
    assert abs(missed.place - met.place) <= bracket.width * (1.0 + 1e-6)
    assert not missed.met
    assert met.met
    # two ends, as many halvings as the width asks for, and one more
    assert len(bracket.probes) <= 2 + math.ceil(math.log2(1.0 / bracket.width)) + 1


@given(root=PLACES, good=st.sampled_from([0.0, 1.0]), width=WIDTHS, power=st.floats(0.2, 5.0), steep=st.floats(0.01, 100.0))
def test_whatever_the_curve_the_bracket_closes_around_its_root_in_hardly_more_looks_than_halving(
    root: float, good: float, width: float, power: float, steep: float
) -> None:
    sign = 1.0 if good == 1.0 else -1.0

    def guide(place: float) -> float:
        beyond = sign * (place - root)
        return math.copysign(abs(beyond) ** power, beyond) * (steep if beyond > 0.0 else 1.0)

    check_closed(closed_in(root, good, width, guide), root)


@given(root=PLACES, good=st.sampled_from([0.0, 1.0]), width=WIDTHS, data=st.data())
def test_guides_that_are_wrong_or_missing_cost_looks_but_never_the_answer(
    root: float, good: float, width: float, data: st.DataObject
) -> None:
    lies = st.none() | st.floats(-1e3, 1e3, allow_nan=False)
    check_closed(closed_in(root, good, width, lambda place: data.draw(lies)), root)


@pytest.mark.parametrize("good", [0.0, 1.0])
@pytest.mark.parametrize("root", [0.35, 0.5, 0.65])
def test_a_straight_guide_takes_two_looks_beyond_the_ends_one_on_each_side(root: float, good: float) -> None:
    sign = 1.0 if good == 1.0 else -1.0
    bracket = closed_in(root, good, 0.01, lambda place: sign * (place - root))
    assert len(bracket.probes) == 4
    assert sorted(probe.place > root for probe in bracket.probes[2:]) == [False, True]


def test_places_between_two_ends_that_are_missed_for_different_reasons_are_tried_and_the_far_end_is_told() -> None:
    bracket = Bracket(1.0, 0.01)
    while (place := bracket.next_place()) is not None:  # too little up to 0.6, too much from 0.66 on
        bracket.tell(Probe(place, 0.6 <= place <= 0.66, None, 0 if place < 0.6 else 1 if place > 0.66 else None))
    ends = bracket.ends()
    assert ends is not None
    assert ends[0].place < 0.6 <= ends[1].place <= 0.61
    assert [probe.place for probe in bracket.beyond()][:1] == [1.0]
    assert len(bracket.probes) <= bracket.most_looks()


def test_two_ends_that_are_missed_for_different_reasons_with_nothing_between_end_the_search() -> None:
    bracket = Bracket(1.0, 0.01)
    while (place := bracket.next_place()) is not None:
        bracket.tell(Probe(place, False, None, int(place > 0.3)))
    assert bracket.ends() is None
    assert len(bracket.probes) <= bracket.most_looks()


@pytest.mark.parametrize(("first", "second"), [(True, True), (False, False), (False, True)])
def test_two_ends_that_bracket_nothing_end_the_search(first: bool, second: bool) -> None:
    bracket = Bracket(0.0, 0.01)
    for met in (first, second):
        place = bracket.next_place()
        assert place is not None
        bracket.tell(Probe(place, met, 1.0 if met else -1.0, None if met else 0))
    assert bracket.next_place() is None
    assert bracket.ends() is None
