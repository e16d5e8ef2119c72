"""The search for the largest amplitude that healthy tissue bears, on responses in closed form."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from nanowarm.errors import CaseError
from nanowarm.physics.amplitude_search import largest_amplitude

STRONGEST = 20e3  # [A/m]
BODY = 310.15  # [K]


def quadratic(amplitude: float) -> float:
    """A linear tissue: 8 K above the body at 20 kA/m."""
    return BODY + 8.0 * (amplitude / STRONGEST) ** 2


def perfusion_that_opens(amplitude: float) -> float:
    return BODY + 8.0 * math.tanh((amplitude / STRONGEST) ** 2)


def runaway(amplitude: float) -> float:
    return BODY + 0.5 * math.expm1(5.0 * (amplitude / STRONGEST) ** 2)


def counted(respond: Callable[[float], float]) -> tuple[Callable[[float], float], list[float]]:
    tried: list[float] = []
    return lambda amplitude: (tried.append(amplitude), respond(amplitude))[1], tried


def test_a_linear_tissue_needs_three_trials() -> None:
    respond, tried = counted(quadratic)
    found = largest_amplitude(respond, BODY + 5.0, (0.0, STRONGEST), tolerance=0.02)
    assert found.bound == "limit"
    assert found.evaluations == len(tried) == 3
    assert found.amplitude == pytest.approx(STRONGEST * math.sqrt((5.0 - 0.01) / 8.0))  # the middle of the tolerance


@pytest.mark.parametrize("respond", [quadratic, perfusion_that_opens, runaway])
@pytest.mark.parametrize("rise", [0.3, 2.0, 5.0])
def test_the_largest_amplitude_ends_just_below_the_limit(respond: Callable[[float], float], rise: float) -> None:
    respond, tried = counted(respond)
    found = largest_amplitude(respond, BODY + rise, (0.0, STRONGEST), tolerance=0.05)
    assert -0.05 <= respond(found.amplitude) - BODY - rise <= 0.0
    assert len(tried) <= 10


def test_a_jump_past_the_limit_leaves_the_largest_amplitude_before_it() -> None:
    found = largest_amplitude(lambda h: 311.0 + (10.0 if h > 7e3 else 0.0), 315.0, (0.0, STRONGEST))
    assert 7e3 * (1.0 - 1e-3) < found.amplitude <= 7e3


def test_a_limit_that_is_never_reached_gives_the_largest_amplitude_and_says_so() -> None:
    found = largest_amplitude(quadratic, BODY + 9.0, (1e3, STRONGEST))
    assert (found.amplitude, found.temperature) == pytest.approx((STRONGEST, BODY + 8.0))
    assert found.bound == "most"
    assert found.sentence() == "healthy tissue reaches 45.00 degC at 20 kA/m, the largest amplitude tried: the limit lies beyond"


def test_a_search_that_can_find_nothing_says_why_in_one_line() -> None:
    with pytest.raises(CaseError, match=r"^healthy tissue reaches 37.32 degC at the least amplitude, 4000 A/m, above 37.00 degC"):
        largest_amplitude(quadratic, BODY, (4e3, STRONGEST))
    with pytest.raises(CaseError, match="at 0 A/m is nan"):
        largest_amplitude(lambda h: math.nan, BODY, (0.0, STRONGEST))
    with pytest.raises(CaseError, match="amplitudes from 5 to 2 A/m"):
        largest_amplitude(quadratic, BODY, (5.0, 2.0))
