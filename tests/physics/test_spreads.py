"""Spreads in words, read as distributions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nanowarm.physics.factors import sourced_keys
from nanowarm.physics.materials import Material
from nanowarm.physics.particles import Particle
from nanowarm.physics.spreads import Distribution, lognormal, normal, spread_of
from nanowarm.shelf import library_files, load_record, read_toml

LN4 = math.log(4.0)

# Whole texts of the library that are not one distribution of one number, and why.
UNREADABLE = {
    "10 % of the ice below -20 degC": "of several numbers",
    "3 % of the ice": "of several numbers",
    "20 K at either end": "of two ends",
    "20 K at the cold end": "of one of two ends",
    "20 % of the glass, 30 % of the liquid": "differs along a table",
    "a factor of 10 near the glass transition (1.5 K)": "differs along a curve",
    "10 %, 20 % below -100 degC": "differs along a table",
    "10 %, 30 % below -100 degC": "differs along a table",
    "1 % above melting, 10 % below": "differs along a table",
    "1.3 GPa at 20 degC to 5 GPa at -150 degC": "follows the temperature",
    "1610 +- 20 W per g of metal": "not per mass of iron",
    "0 to 6000 W/m^3": "no factor on a value of 0",
    "none": "no spread",
    "none: no vessels": "no spread",
    "none: no cells": "no spread",
    "a factor of 2 to 10: the power is exponential in anisotropy and size": "no one factor",
    "a factor of 2 to 3: cation distribution, anisotropy and sizes are assumed": "no one factor",
}


@pytest.mark.parametrize(
    ("text", "value", "by", "shape", "ends"),
    [
        ("5 %", "1058 kg/m^3", "factor", "uniform", (0.95, 1.05)),
        ("2.5%", None, "factor", "uniform", (0.975, 1.025)),
        ("a factor of 2", None, "factor", "log-uniform", (0.5, 2.0)),
        ("a factor of 4: sizes are assumed", None, "factor", "log-uniform", (0.25, 4.0)),
        ("0.5 to 0.57 W/m/K", "0.535 W/m/K", "factor", "uniform", (0.5 / 0.535, 0.57 / 0.535)),
        ("900 to 1100 mW/m/K", "1 W/m/K", "factor", "uniform", (0.9, 1.1)),
        ("0.65 to 0.75", 0.7, "factor", "uniform", (0.65 / 0.7, 0.75 / 0.7)),
        ("1044 to 1066 kg/m^3", "1066.25 kg/m^3", "factor", "uniform", (1044 / 1066.25, 1066 / 1066.25)),
        ("2607 to 5571 mL/min/kg", "3795 mL/min/kg", "factor", "uniform", (2607 / 3795, 5571 / 3795)),
        ("0 to 100 mL/min/kg", "50 mL/min/kg", "factor", "uniform", (0.0, 2.0)),
        ("10 kHz", "200 kHz", "factor", "uniform", (0.95, 1.05)),
        ("5 K", "-123 degC", "shift", "uniform", (-5.0, 5.0)),
        ("-122.5 to -118.8 degC (1000 s to 10 s)", "-120.8 degC", "shift", "uniform", (-1.7, 2.0)),
    ],
)
def test_a_spread_is_the_distribution_that_its_words_mean(text: str, value: str, by: str, shape: str, ends: tuple) -> None:
    found = spread_of(text, value, by == "shift")
    assert (found.by, found.distribution.shape) == (by, shape)
    assert (found.distribution.first, found.distribution.second) == pytest.approx(ends, rel=1e-9)


@pytest.mark.parametrize(
    ("text", "value", "told"),
    [
        ("100 %", "1 W/m/K", "such a part is above 0 and below 100 %"),
        ("a factor of 1", None, "such a factor is above 1"),
        ("0.5 to 0.57 W/m/K", None, "does not say what it means for every value of a table"),
        ("0.5 to 0.57 W/m/K", "0.7 W/m/K", "does not lie around"),
        ("-1 to 3 W/m/K", "1 W/m/K", "reaches below zero"),
        ("3 kg/m^3", "1 W/m/K", "is not a unit of this quantity"),
        ("not known", "1 W/m/K", "is not a number with a unit"),
        ("0 to 6000 W/m^3", "0 W/m^3", "can't be a factor on"),
    ],
)
def test_what_can_not_be_read_with_certainty_is_refused(text: str, value: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        spread_of(text, value, False)


def test_a_part_of_a_temperature_is_refused() -> None:
    with pytest.raises(ValueError, match='give a shift, such as "5 K"'):
        spread_of("5 %", "-123 degC", True)
    with pytest.raises(ValueError, match='give a standard deviation, such as "2 K"'):
        normal("5 %", True)


def test_every_spread_of_a_value_that_can_change_is_read_or_known_not_to_be() -> None:
    left = set()
    for kind, record in (("material", Material), ("particle", Particle)):
        for file in library_files(kind).values():
            raw, found = read_toml(file), load_record(file, record)
            for key in sourced_keys(raw):
                by, text = getattr(found, key).changed_by, raw[key].get("spread")
                if text is None:
                    continue
                try:
                    assert by != "nothing"
                    spread_of(text, raw[key].get("value"), by == "shift")
                except (ValueError, AssertionError):
                    left.add(text)
    assert {text for text in left if not text.startswith("nucleation temperature")} == set(UNREADABLE)


@pytest.mark.parametrize(
    ("distribution", "mean", "deviation"),
    [
        (Distribution("uniform", 0.9, 1.1), 1.0, 0.2 / math.sqrt(12.0)),
        (normal("10 %", False).distribution, 1.0, 0.1),
        (lognormal("30 %").distribution, math.sqrt(1.09), 0.3 * math.sqrt(1.09)),  # median 1: mean sqrt(1 + 0.3^2)
        (
            Distribution("log-uniform", 0.5, 2.0),
            1.5 / math.log(4.0),
            math.sqrt(3.75 / 2 / math.log(4) - (1.5 / math.log(4)) ** 2),
        ),
    ],
    ids=["uniform", "normal", "lognormal", "log-uniform"],
)
def test_draws_have_the_mean_and_the_deviation_of_their_distribution(
    distribution: Distribution, mean: float, deviation: float
) -> None:
    draws = distribution.quantile((np.arange(100_000) + 0.5) / 100_000)
    assert (draws.mean(), draws.std()) == pytest.approx((mean, deviation), rel=1e-3)
    assert np.isfinite(distribution.quantile([0.0, 1.0])).all()


def test_a_normal_distribution_that_reaches_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match=r"so wide reaches below zero; at most 20%, or lognormal"):
        normal("25 %", False)


def test_a_strength_goes_with_the_modulus_where_its_spread_says_so() -> None:
    found = spread_of("30 %, and as the modulus", "3.2 MPa", False)
    assert (found.along, found.distribution) == ("youngs_modulus", Distribution("uniform", 0.7, 1.3))
