"""Histograms of rates over volume: what they add up to, and that they say the same after a file."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from nanowarm.results.evidence import RateEvidence
from nanowarm.results.rate_histograms import RateHistogram, rate_histogram, rates_svg, read_rates, told, write_rates

HOSTILE = '<b>kidney</b>, "left" $\\frac{'


def evidence(rates: list[float], finished: list[bool] | None = None) -> RateEvidence:
    rate = np.array(rates) / 60.0
    done = np.ones(len(rates), dtype=bool) if finished is None else np.array(finished)
    return RateEvidence(np.full(len(rates), 2.0), np.zeros((len(rates), 3)), rate, rate, done)


def made(rates: list[float], limit: float | None = 55.0, finished: list[bool] | None = None) -> RateHistogram:
    found = rate_histogram("kidney", 1, (-120.0, -20.0), None if limit is None else limit / 60.0, evidence(rates, finished))
    assert found is not None
    return found


def test_the_part_below_the_limit_is_that_of_the_nodes_below_it() -> None:
    one = made([50.0, 54.99, 55.01, 60.0, 60.0])
    assert one.too_slow == pytest.approx(2.0 / 5.0)
    assert one.seen == pytest.approx(1.0)
    assert np.isclose(one.edges, 55.0).any()


def test_what_did_not_pass_the_window_is_in_no_bin() -> None:
    assert made([50.0, 60.0, 70.0, 80.0], finished=[True, True, True, False]).seen == pytest.approx(0.75)


def test_infinitely_fast_nodes_and_a_long_tail_are_in_the_last_bin() -> None:
    one = made([*np.linspace(60.0, 70.0, 999), 1e4, np.inf])
    assert one.edges[-1] == np.inf
    assert one.fraction.size < 100
    assert one.seen == pytest.approx(1.0)


@pytest.mark.parametrize("rates", [[60.0, 60.0], [60.0], [0.001, 0.002], [1e6, 2e6]])
@pytest.mark.parametrize("limit", [None, 55.0])
def test_no_volume_is_lost_whatever_the_rates(rates: list[float], limit: float | None) -> None:
    assert made(rates, limit).seen == pytest.approx(1.0)


def test_where_nothing_passed_there_is_no_histogram() -> None:
    assert rate_histogram("kidney", 1, (-120.0, -20.0), None, evidence([60.0], [False])) is None


def test_a_file_gives_back_what_was_written(tmp_path: Path) -> None:
    one = made([50.0, 60.0, np.inf])
    other = RateHistogram(HOSTILE, -1, (-100.0, -38.0), float("nan"), np.array([1.0, 2.0]), np.array([1.0]))
    write_rates(tmp_path / "rates.csv", [one, other])
    back, back_other = read_rates(tmp_path / "rates.csv")
    assert (back.region, back.direction, back.window, back.limit) == ("kidney", 1, (-120.0, -20.0), 55.0)
    assert back.edges == pytest.approx(one.edges)
    assert back.fraction == pytest.approx(one.fraction)
    assert (back_other.region, back_other.direction) == (HOSTILE, -1)
    assert np.isnan(back_other.limit)


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rates.csv").write_text("", encoding="utf-8")
    with pytest.raises(ValueError, match=r"rates\.csv has other columns"):
        read_rates(tmp_path / "rates.csv")


def test_the_picture_is_the_same_for_the_same_numbers_and_its_words_tell_them() -> None:
    one = made([50.0, 60.0, 60.0, 60.0, np.inf])
    assert rates_svg(one) == rates_svg(one)
    assert "20 % slower than the 55 asked" in told(one)


def _reach(picture: bytes) -> float:
    """Width of all blue bars [points of 1/72 inch]."""
    paths = re.findall(r'<path d="([^"]*)"[^>]*style="fill: #0072b2', picture.decode())
    across = [float(x) for path in paths for x in re.findall(r"[ML] ([\d.]+) ", path)]
    return max(across) - min(across)


@pytest.mark.parametrize("limit", [0.4, 55.0])
def test_bars_fill_a_good_part_of_the_picture_wherever_the_limit_is(limit: float) -> None:
    # the picture is 5.4 inches wide; the bars from 60 to 70 have two thirds of its axes beside a limit of 55, all else
    assert _reach(rates_svg(made(list(np.linspace(60.0, 70.0, 200)), limit))) > 0.4 * 5.4 * 72.0
