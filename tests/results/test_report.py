"""The report of a run, made from a small folder whose numbers are invented here."""

from __future__ import annotations

import csv
import html
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from nanowarm.errors import CaseError
from nanowarm.results.picture import make_picture
from nanowarm.results.report import write_report
from nanowarm.results.report_rows import citation_rows, flat
from nanowarm.results.sentences import number_text, percent_text, verdict_sentence

HOSTILE = "<script src='https://evil.example/x.js'>alert(1)</script> & $\\frac{kidney"
PIXEL = b"\x89PNG\r\n\x1a\n"
Folder = Callable[..., Path]

RATE = {
    "kind": "warming rate", "region": "kidney", "value": 71.2, "limit": 55.0, "unit": "degC/min", "fraction": 0.995,
    "outcome": "met", "where_mm": [0.0, 0.0, 6.5], "fraction_asked": 0.99, "measure": "mean", "lowest": 52.0,
    "slowest_instantaneous": 40.0, "upper_bound": False, "seen_fraction": 1.0,
}  # fmt: skip
DIFFERENCE = {
    "kind": "temperature difference", "region": "kidney", "value": 30.0, "limit": 38.0, "unit": "degC", "fraction": None,
    "outcome": "met", "where_mm": None, "below_degC": -123.0, "at_s": 4.0,
}  # fmt: skip
HEAT = {
    "kind": "temperature", "region": "kidney", "value": 42.5, "limit": 37.0, "unit": "degC", "fraction": None,
    "outcome": "missed", "where_mm": [1.0, 2.0, 3.0], "sense": "at_most", "when": "always", "at_s": 2.0,
}  # fmt: skip
SEEN = {"min": 52.0, "mean": 74.0, "max": 80.3, "slowest_instantaneous": 40.0, "seen_fraction": 1.0}
ASKED = {"kind": "warming rate", "region": "kidney", "at_least": "critical", "fraction": 0.99}


def summary(*criteria: dict[str, Any], verdict: str = "met", region: str = "kidney", **more: Any) -> dict[str, Any]:
    numbers = {
        "volume_mL": 1.3,
        "iron_mg": 13.0,
        "warming_rate_degC_per_min": SEEN,
        "temperature_degC": {"min": 1.0, "mean": 4.2, "max": 9.9},
    }
    return {
        "schema": 1, "title": "A kidney", "verdict": verdict, "criteria": list(criteria), "regions": {region: numbers},
        "energy_J": {"stored": 100.0, "supplied": 90.0, "inflow": 10.0, "imbalance_relative": 2e-16},
        "mesh": {"cells": 12345, "nodes": 2345}, "steps": {"accepted": 80, "rejected": 2}, "seconds": {"solve": 3.0},
    } | more  # fmt: skip


def case(region: str = "kidney", *criteria: dict[str, Any]) -> dict[str, Any]:
    stages = [{"name": "transfer", "duration": "1 s", "field": {"amplitude": "0 kA/m"}}, {"name": "rewarm", "duration": "2 s"}]
    return {"schema": 1, "regions": {region: {"material": "VS55"}}, "stages": stages, "criteria": list(criteria)}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Makes a run folder from a summary; other files as given."""

    def make(content: dict[str, Any], case_of: dict[str, Any] | None = None, **record: Any) -> Path:
        region = next(iter(content["regions"]))
        header = ["time_s", "stage", *(f"{region}_{part}_degC" for part in ("min", "mean", "max")), "probe_top_degC"]
        header += ["field_kA_per_m", "stored_J", "supplied_J", "inflow_J"]
        rows = [
            [second, stage, -150 + 40 * second, -145 + 45 * second, -140 + 48 * second, -141, 20, second, second, 0]
            for second, stage in ((0, "transfer"), (1, "transfer"), (2, "rewarm"), (3, "rewarm"))
        ]
        with (tmp_path / "history.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *rows])
        (tmp_path / "summary.json").write_text(json.dumps(content), encoding="utf-8")
        (tmp_path / "record.json").write_text(json.dumps({"nanowarm": "0.1.0"} | record), encoding="utf-8")
        (tmp_path / "case.toml").write_text(tomli_w.dumps(case_of or case(region)), encoding="utf-8")
        return tmp_path

    return make


def page(folder: Path) -> str:
    return write_report(folder).read_text(encoding="utf-8")


def visible(text: str) -> str:
    """What a reader sees, on one line."""
    return " ".join(
        html.unescape(re.sub(r"<script>.*?</script>|<[^>]+>", " ", text.partition("<main>")[2], flags=re.DOTALL)).split()
    )


def test_a_met_verdict_names_the_margin_of_the_critical_rate() -> None:
    sentence = verdict_sentence(summary(RATE), case("kidney", ASKED))
    # 71.2 / 55 = 1.29
    assert sentence == "Met: 99 % of kidney warms at 71.2 °C/min or faster; critical is 55 °C/min (29 % to spare)."


def test_a_missed_verdict_tells_how_much_is_missing() -> None:
    row = RATE | {"value": 44.0, "outcome": "missed", "fraction": 0.62}
    sentence = verdict_sentence(summary(row, verdict="missed"), case("kidney", ASKED))
    assert sentence.startswith("Missed: the warming rate that 99 % of kidney reaches is only 44 °C/min; critical is 55 °C/min")
    assert "(20 % short); 62 % of kidney was seen to be fast enough" in sentence  # 44 / 55 = 0.80


def test_a_rate_that_is_only_bounded_is_called_a_bound() -> None:
    row = RATE | {"value": 44.0, "outcome": "missed", "fraction": 0.62, "upper_bound": True}
    assert "at most 44 °C/min" in verdict_sentence(summary(row, verdict="missed"), case("kidney", ASKED))


def test_an_unseen_verdict_claims_no_rate() -> None:
    row = RATE | {"value": None, "outcome": "unseen", "fraction": 0.0, "seen_fraction": 0.0, "lowest": None, "where_mm": None}
    sentence = verdict_sentence(summary(row, verdict="unseen"), case("kidney", ASKED))
    assert sentence.startswith("Unseen: kidney was not followed far enough, nothing of it passed the whole window")
    assert "let the run last longer" in sentence


def test_the_sentence_is_about_the_criterion_that_decides() -> None:
    sentence = verdict_sentence(summary(RATE, HEAT, verdict="missed"), case("kidney", ASKED))
    assert sentence.startswith("Missed (1 of 2 criteria): the hottest point of kidney is at 42.5 °C at 2 s; ")
    assert sentence.endswith("asked is at most 37 °C (5.5 °C beyond it).")


def test_of_met_criteria_the_tightest_is_told() -> None:
    # the difference has 8 of 38 K to spare (21 %), the rate 29 %
    sentence = verdict_sentence(summary(RATE, DIFFERENCE), case("kidney", ASKED))
    assert sentence.startswith("Met (all 2 criteria; the tightest): kidney differs by up to 30 °C while colder than −123 °C")


def test_a_run_that_was_asked_nothing_is_not_praised() -> None:
    assert verdict_sentence(summary(), case()) == "Solved: the case asks for nothing, so there is nothing to judge."


def test_a_value_just_short_of_its_limit_is_shown_with_the_digits_that_tell() -> None:
    row = RATE | {"value": 54.996, "outcome": "missed", "fraction": 0.98}
    assert "only 54.996 °C/min" in verdict_sentence(summary(row, verdict="missed"), case("kidney", ASKED))


def test_the_verdict_comes_before_everything_else(folder: Folder) -> None:
    text = visible(page(folder(summary(RATE), case("kidney", ASKED))))
    assert text.startswith("A kidney ✓ Met: 99 % of kidney warms at 71.2 °C/min or faster")


def test_hostile_names_are_shown_as_text(folder: Folder) -> None:
    run = folder(
        summary(RATE | {"region": HOSTILE}, region=HOSTILE, title=HOSTILE),
        case(HOSTILE, ASKED | {"region": HOSTILE}),
        notes=[HOSTILE],
        command=HOSTILE,
        files={HOSTILE: "0"},
        versions={HOSTILE: "1"},
        stages=[{"name": HOSTILE, "start_s": 0.0, "end_s": 3.0}],
        inputs=[dict.fromkeys(("of", "what", "value", "source", "quality", "spread", "note"), HOSTILE)],
    )
    text = page(run)
    assert HOSTILE not in text
    assert text.count("<script") == 1
    assert visible(text).count(HOSTILE) >= 15


def test_the_page_loads_nothing_from_elsewhere(folder: Folder) -> None:
    run = folder(summary(RATE), case("kidney", ASKED), notes=["see https://example.org"])
    (run / "picture.png").write_bytes(PIXEL)
    text = page(run)
    assert re.findall(r"<(?:link|iframe|object|embed|script [^>]*src)\b", text) == []
    sources = re.findall(r"\b(?:src|href|action)=\"([^\"]*)", text)
    assert {source[:5] for source in sources if not source.startswith("#")} == {"data:"}
    assert "@import" not in text
    assert "url(" not in text


def test_every_image_says_what_it_shows(folder: Folder) -> None:
    run = folder(summary(RATE), case("kidney", ASKED))
    (run / "picture.png").write_bytes(PIXEL)
    images = re.findall(r"<img[^>]*>", page(run))
    # temperature of the region, which decides, and of the probe; field, energy over time and its balance; the body
    assert len(images) == 6
    assert all(re.search(r'alt="[^"]{40,}"', image) for image in images)


def test_a_run_without_a_picture_is_reported(folder: Folder) -> None:
    text = visible(page(folder(summary(RATE), case("kidney", ASKED), notes=["no picture of the body: install libegl1"])))
    assert "There is no picture of this run" in text
    assert "install libegl1" in text


def test_a_picture_made_later_takes_back_the_note_that_there_is_none(folder: Folder) -> None:
    run = folder(summary(RATE), notes=["no picture of the body: install libegl1"])
    (run / "picture.png").write_bytes(PIXEL)
    assert "install libegl1" not in visible(page(run))


def test_numbers_that_were_not_seen_are_dashes(folder: Folder) -> None:
    row = RATE | dict.fromkeys(("value", "where_mm", "lowest", "slowest_instantaneous"), None)
    content = summary(row | {"outcome": "unseen", "fraction": 0.0, "seen_fraction": 0.0}, verdict="unseen")
    region = content["regions"]["kidney"]
    region["warming_rate_degC_per_min"] = dict.fromkeys(SEEN) | {"seen_fraction": 0.0}
    region["temperature_degC"] = {"min": None, "mean": None, "max": None}
    content["energy_J"]["imbalance_relative"] = None
    text = visible(page(folder(content, case("kidney", ASKED))))
    assert "not seen through the window" in text
    assert "None" not in text
    assert "nan" not in re.sub("nanowarm", "", text)


def test_a_material_without_a_window_has_no_rate(folder: Folder) -> None:
    content = summary()
    content["regions"]["kidney"]["warming_rate_degC_per_min"] = None
    assert "1.3 13 no window" in visible(page(folder(content)))


def test_rates_of_a_part_of_the_volume_are_marked_as_such(folder: Folder) -> None:
    content = summary(RATE)
    content["regions"]["kidney"]["warming_rate_degC_per_min"] = SEEN | {"seen_fraction": 0.4}
    assert "40 % of its volume passed the whole window; the rates are of that part" in visible(page(folder(content)))


def test_the_window_of_a_rate_is_that_of_the_material_unless_asked(folder: Folder) -> None:
    window = {"of": "VS55", "what": "warming window", "value": "153.14999999999998 K to -20 degC", "quality": "estimate"}
    own = visible(page(folder(summary(RATE), case("kidney", ASKED), inputs=[window])))
    assert "warming rate, from −120 to −20 °C" in own
    asked = ASKED | {"window": ["-100 degC", "-40 degC"]}
    assert "warming rate, from −100 to −40 °C" in visible(page(folder(summary(RATE), case("kidney", asked), inputs=[window])))


def test_inputs_are_listed_with_source_and_the_estimates_counted(folder: Folder) -> None:
    density = {"of": "VS55", "what": "density", "value": "1058 kg/m^3", "source": "assumed", "quality": "estimate"}
    density |= {"spread": "3 %"}
    measured = density | {"what": "conductivity", "quality": "measured", "note": "in the glass"}
    text = visible(page(folder(summary(RATE), inputs=[density, measured])))
    assert "2 library values, 1 of them estimates" in text
    assert "VS55 density 1058 kg/m³ estimate 3 % assumed" in text
    assert "in the glass" in text


def test_stages_are_listed_with_times_and_changes(folder: Folder) -> None:
    ended = [{"name": "transfer", "start_s": 0.0, "end_s": 1.0}, {"name": "rewarm", "start_s": 1.0, "end_s": 3.0}]
    text = visible(page(folder(summary(RATE), stages=ended)))
    assert "1 transfer 0 1 1 s field.amplitude = 0 kA/m 2 rewarm 1 3 2 s none" in text


def test_the_same_folder_gives_the_same_page(folder: Folder) -> None:
    run = folder(summary(RATE), case("kidney", ASKED))
    assert page(run) == page(run)


def test_an_incomplete_folder_is_named_in_one_line(folder: Folder) -> None:
    run = folder(summary(RATE))
    (run / "record.json").unlink()
    with pytest.raises(CaseError, match=r"no complete run: there is no record\.json in it"):
        write_report(run)


def test_a_damaged_file_is_told_in_one_line(folder: Folder) -> None:
    run = folder(summary(RATE))
    (run / "record.json").write_text("{", encoding="utf-8")
    with pytest.raises(CaseError, match="a file of the run can't be read"):
        write_report(run)


def test_no_fields_give_a_reason_instead_of_a_picture(tmp_path: Path) -> None:
    assert make_picture(tmp_path) == "no picture of the body: the run wrote no fields"


def test_broken_fields_give_a_reason_instead_of_a_picture(tmp_path: Path) -> None:
    (tmp_path / "fields.vtkhdf").write_bytes(b"not HDF5")
    reason = make_picture(tmp_path)
    assert reason is not None
    assert reason.startswith("no picture of the body: ")
    assert "\n" not in reason
    assert not (tmp_path / "picture.png").exists()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.0, "0"),
        (-0.0, "0"),
        (-7.25, "−7.25"),
        (12345.6, "12346"),
        (2e-16, "2 × 10⁻¹⁶"),
        (2.24e9, "2.24 × 10⁹"),
        (float("nan"), "–"),
    ],
)
def test_numbers_are_written_for_people(value: float | None, text: str) -> None:
    assert number_text(value) == text


@pytest.mark.parametrize(("part", "text"), [(1.0, "100 %"), (0.99999, "99.9 %"), (0.0002, "less than 0.1 %"), (0.0, "0 %")])
def test_a_part_is_never_rounded_to_all_or_nothing(part: float, text: str) -> None:
    assert percent_text(part) == text


def test_a_tree_of_tables_becomes_rows_with_dotted_keys() -> None:
    tree = {"field": {"kind": "uniform"}, "stages": [{"name": "hold"}], "window": ["-120 degC", "-20 degC"], "mix": {"a": 0.4}}
    expected = [("field.kind", "uniform"), ("stages[1].name", "hold"), ("window", "-120 °C, -20 °C"), ("mix.a", "0.4")]
    assert flat(tree) == expected


def test_a_source_keeps_the_words_of_its_title_and_the_accents_of_its_authors() -> None:
    text = """@article{key,
  author = {K{\\"o}ppl, B. and M{\\'e}ry, A. and others},
  title = {Vitrification and {N}anowarming},
  pages = {151--154}
}
"""
    (row,) = citation_rows(text)
    assert row["author"] == "Köppl, B.; Méry, A. et al."
    assert row["title"] == "Vitrification and Nanowarming"
    assert row["where"].endswith("151–154")
