"""How spreads of the library become bands: relative standard uncertainties add up as squares."""

from __future__ import annotations

import math
from typing import Any

import pytest

from nanowarm.results.bands import Uncertainty, held_back, margin_sentence, region_uncertainty

HALF = 1.0 / math.sqrt(3.0)  # standard deviation of a uniform distribution of half-width 1: JCGM 100:2008, 4.3.7


def value(of: str, what: str, text: str, spread: str) -> dict[str, Any]:
    return {"of": of, "what": what, "value": text, "spread": spread}


POWER = value("sIONP", "specific power", "600 W/gFe", "35 %")
INPUTS = [POWER, value("VS55", "density", "1000 kg/m^3", "3 %"), value("VS55", "specific heat", "2000 J/kg/K", "20 %")]
CASE = {"regions": {"cpa": {"material": "VS55", "particles": {"name": "sIONP"}}}}


def found(case: dict[str, Any] = CASE, inputs: list[dict[str, Any]] = INPUTS) -> Uncertainty:
    uncertainty = region_uncertainty("cpa", case, inputs)  # type: ignore[arg-type]
    assert uncertainty.reason == ""
    return uncertainty


def test_the_uncertainty_of_a_rate_is_the_root_of_the_squares_of_its_factors() -> None:
    assert found().relative == pytest.approx(HALF * math.sqrt(0.35**2 + 0.03**2 + 0.20**2), rel=1e-3)
    assert found().band == pytest.approx(1.96 * found().relative)


def test_a_mixture_weighs_its_parts_by_their_heat_capacity() -> None:
    tissue = [value("kidney", "density", "1000 kg/m^3", "3 %"), value("kidney", "specific heat", "4000 J/kg/K", "20 %")]
    mixed = {"regions": {"cpa": {"material": {"mix": {"kidney": 0.5, "VS55": 0.5}}, "particles": {"name": "sIONP"}}}}
    # shares of the capacity: 4000 and 2000 J/kg/K at equal volume and density
    squares = 0.35**2 + (2.0 / 3.0 * 0.03) ** 2 + (2.0 / 3.0 * 0.20) ** 2 + (1.0 / 3.0 * 0.03) ** 2 + (1.0 / 3.0 * 0.20) ** 2
    assert found(mixed, [*INPUTS, *tissue]).relative == pytest.approx(HALF * math.sqrt(squares), rel=1e-3)


def test_a_spread_that_cannot_be_read_is_named_and_left_out() -> None:
    odd = [POWER, value("VS55", "density", "1000 kg/m^3", "who knows"), INPUTS[2]]
    assert found(inputs=odd).unknown == ("density of VS55",)
    assert found(inputs=odd).relative == pytest.approx(HALF * math.sqrt(0.35**2 + 0.20**2), rel=1e-3)


@pytest.mark.parametrize(
    ("case", "inputs", "reason"),
    [
        ({"regions": {"cpa": {"material": "VS55"}}}, INPUTS, "cpa holds no particles"),
        (CASE, [POWER | {"value": "kind linear response, diameter 10 nm"}], "comes from a model"),
        (CASE, [POWER | {"spread": None}], "can't be read"),
    ],
    ids=["no particles", "a model of the particle", "no spread"],
)
def test_where_nothing_can_be_told_there_is_a_reason_and_no_band(case: Any, inputs: Any, reason: str) -> None:
    told = region_uncertainty("cpa", case, inputs)
    assert reason in told.reason
    assert not told.parts


@pytest.mark.parametrize(
    ("stages", "energy", "reason"),
    [
        ([{"control": {"kind": "pid"}}], {"supplied": 1.0}, "steered"),
        ([{"steady": True}], {"supplied": 1.0}, "steady"),
        ([], {"supplied": 70.0, "inflow": -30.0}, "conduction rules"),
        ([], {"supplied": 90.0, "inflow": 10.0}, None),
    ],
    ids=["steered", "steady", "conducted", "heated by particles"],
)
def test_bands_are_held_back_where_particles_do_not_rule_the_temperature(stages: Any, energy: Any, reason: str | None) -> None:
    told = held_back({"stages": stages}, {"energy_J": energy, "regions": {}})
    assert (told is None) if reason is None else reason in str(told)


@pytest.mark.parametrize(("frozen", "told"), [(0.005, None), (0.02, "ice took up")], ids=["hardly any", "much"])
def test_ice_holds_bands_back_once_its_latent_heat_counts(frozen: float, told: str | None) -> None:
    regions = {"cpa": {"ice_fraction": {"mean": frozen, "max": 0.5}}, "oil": {"ice_fraction": None}}
    reason = held_back({}, {"energy_J": {"supplied": 1.0}, "regions": regions})
    assert (reason is None) if told is None else told in str(reason)


@pytest.mark.parametrize(("limit", "word"), [(65.0, "smaller"), (20.0, "larger")])
def test_a_margin_is_compared_with_the_spread_of_the_ratio_to_its_limit(limit: float, word: str) -> None:
    # rate 71.5 with a standard uncertainty of 10 %: the ratio to 65 is 1.1, its margin 10 % and its spread 1.1 * 19.6 = 22 %
    told = margin_sentence({"value": 71.5, "limit": limit}, Uncertainty({"specific power": 0.10}), [], None)
    assert f"is {word} than the spread of the inputs" in told
    if word == "smaller":
        assert told.startswith("The margin, 10 %, is smaller than the spread of the inputs, 22 %")
        assert "57.5 to 85.5 °C/min" in told  # 71.5 (1 -+ 0.196)
