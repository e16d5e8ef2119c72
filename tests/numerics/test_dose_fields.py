"""Doses followed through a run: closed forms where the body is uniform, and the same numbers on any number of ranks."""

from __future__ import annotations

import csv
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nanowarm
from nanowarm.numerics.dose_fields import with_margin
from nanowarm.physics.damage import damage_set
from nanowarm.results.dose_histograms import read_histograms

MPIEXEC = Path(sys.executable).parent / "mpiexec"
RUN = "import sys, nanowarm; nanowarm.run(sys.argv[1], folder=sys.argv[2])"
FIELD = {"kind": "uniform", "amplitude": "20 kA/m", "frequency": "200 kHz"}
OFF = {"amplitude": "0 kA/m"}
CAPACITY = 2e6  # [J/m3/K]
GAS_CONSTANT = 8.31446261815324  # [J/mol/K], CODATA


def fixed(value: str) -> dict[str, str]:
    return {"kind": "fixed temperature", "value": value}


def uniform(bench: Any, start: str, per_minute: float, **sections: Any) -> Path:
    """An insulated sphere that the field heats everywhere alike, by so many kelvin a minute, for 10 minutes."""
    power = per_minute / 60.0 * CAPACITY / 10.0  # of 10 kg of iron in a cubic metre
    path: Path = bench.case(
        "sphere",
        {"volume": "1 mL"},
        "6 mm",
        initial={"temperature": start},
        regions={
            "body": {
                "material": bench.material("gel", CAPACITY),
                "particles": {"name": bench.particle("warmer", power), "iron": "10 mgFe/mL"},
            }
        },
        boundaries={"surface": {"kind": "insulated"}},
        field=FIELD,
        **{"stages": [{"name": "heat", "duration": "10 min"}], "output": {"every": "60 s", "fields": []}} | sections,
    )
    return path


def cored(bench: Any, **sections: Any) -> Path:
    """A sphere whose core holds particles, in a body whose surface stays at 37 degC."""
    path: Path = bench.case(
        "sphere",
        {"radius": "10 mm", "core": "5 mm"},
        "4 mm",
        initial={"temperature": "37 degC"},
        regions={
            "core": {
                "material": bench.material("gel", CAPACITY),
                "particles": {"name": bench.particle("warmer", 1e5), "iron": "6 mgFe/mL"},
            },
            "body": {"material": "gel.toml"},
        },
        boundaries={"surface": fixed("37 degC")},
        **{"field": FIELD, "output": {"every": "10 s", "fields": []}} | sections,
    )
    return path


def test_a_body_that_warms_evenly_gets_the_dose_of_the_closed_form(bench: Any) -> None:
    trial = bench.solved(uniform(bench, "37 degC", 0.8, doses={}))
    below = (1.0 - 4.0**-4) / math.log(4.0)  # integral of 4^(T - 43) from 39 to 43 degC [K]
    above = (2.0**2 - 1.0) / math.log(2.0)  # of 2^(T - 43) from 43 to 45 degC
    expected = (below + above) / 0.8
    told = trial.observers.doses.summary("body")
    assert [told["cem43_min"][key] for key in ("min", "mean", "max", "d90")] == pytest.approx([expected] * 4, rel=1e-6)
    assert told["cem43_t90_min"] == pytest.approx(expected, rel=1e-6)
    assert [told[key] for key in ("t90_degC", "t50_degC", "t10_degC")] == pytest.approx([45.0] * 3, abs=1e-6)
    assert (told["v43_fraction"], told["ablated_mL"], told["damage"], told["damaged_mL"]) == (1.0, 0.0, None, None)


@pytest.mark.parametrize(("cut_off", "counts"), [("49 degC", True), ("51 degC", False)])
def test_tissue_at_one_temperature_is_damaged_by_the_rate_of_arrhenius_unless_cut_off(
    bench: Any, cut_off: str, counts: bool
) -> None:
    path = uniform(bench, "50 degC", 0.0, doses={"damage": "skin-Henriques", "cut_off": cut_off})
    trial = bench.solved(path, "stages.0.duration=1 min")
    rates = damage_set("skin-Henriques").process
    omega = 60.0 * rates.frequency_factor * math.exp(-rates.activation_energy / GAS_CONSTANT / 323.15)
    told = trial.observers.doses.summary("body")
    assert told["cem43_min"]["mean"] == pytest.approx(2.0**7, rel=1e-6)
    assert told["damage"]["mean"] == pytest.approx(omega if counts else 0.0, rel=1e-6)
    assert trial.observers.damage_by_region()["body"].shape == (trial.heat.owned,)


def test_tissue_below_39_degrees_gets_no_dose_at_all(bench: Any) -> None:
    trial = bench.solved(uniform(bench, "37 degC", 0.19, doses={}))
    assert trial.temperature.max() > 273.15 + 38.8
    assert not trial.observers.doses.cem43.any()


def test_doses_are_followed_only_where_they_can_matter(bench: Any) -> None:
    path = uniform(bench, "-50 degC", 0.8)
    observers = bench.solved(path).observers
    assert observers.doses is None
    assert observers.columns() == observers.recorder.columns
    assert observers.damage_by_region() == {}
    criterion = "criteria=[{kind='dose', region='body', at_most='ISO 14708-3 brain'}]"
    assert bench.solved(path, criterion).observers.doses is not None


def test_t90_is_that_of_the_last_row_with_the_field_on(bench: Any) -> None:
    stages = [{"name": "heat", "duration": "95 s"}, {"name": "cool", "duration": "60 s", "field": OFF}]
    observers = bench.solved(cored(bench, doses={}, stages=stages)).observers
    told, columns = observers.doses.summary("core"), observers.columns()
    row = columns["time_s"].index(95.0)
    for level in ("t90_degC", "t50_degC", "t10_degC"):
        assert told[level] == pytest.approx(columns[f"core_{level}"][row], abs=1e-9)
        assert told[level] > columns[f"core_{level}"][-1] + 1.0
    assert told["t90_at_s"] == 95.0
    assert told["t90_degC"] < told["t50_degC"] < told["t10_degC"]


def test_without_a_field_t90_is_that_of_the_row_with_the_highest_t50(bench: Any) -> None:
    stages = [
        {"name": "bath", "duration": "100 s", "boundaries": {"surface": fixed("50 degC")}},
        {"name": "cool", "duration": "200 s", "boundaries": {"surface": fixed("20 degC")}},
    ]
    observers = bench.solved(cored(bench, doses={}, stages=stages, field={"kind": "none"})).observers
    columns = observers.columns()
    hottest = int(np.argmax(columns["core_t50_degC"]))
    assert 0 < hottest < len(columns["time_s"]) - 1
    assert observers.doses.summary("core")["t90_at_s"] == columns["time_s"][hottest]


def test_what_was_hot_once_is_remembered_after_it_has_cooled(bench: Any) -> None:
    stages = [{"name": "heat", "duration": "95 s"}, {"name": "cool", "duration": "300 s", "field": OFF}]
    asked = {"kind": "temperature", "region": "core", "at_least": "41 degC", "fraction": 0.9}
    whens = [asked | {"when": "ever"}, asked | {"when": "end"}]
    trial = bench.solved(cored(bench, stages=stages, criteria=whens))
    ever, end = trial.observers.judge()
    assert (ever.outcome, end.outcome) == ("met", "missed")
    assert ever.value > 41.0 > end.value
    assert trial.observers.doses is None


@pytest.mark.parametrize("margin", [0.0015, 0.003, 0.1])
def test_a_margin_takes_in_the_nodes_of_other_regions_near_the_region_and_no_others(bench: Any, margin: float) -> None:
    trial = bench.solved(cored(bench, doses={}, stages=[{"name": "heat", "duration": "1 s"}]))
    core, radius = trial.observers.nodes["core"], np.linalg.norm(trial.position, axis=1)
    wider = with_margin(trial.heat, core, margin)
    edge = trial.position[np.abs(radius - 5e-3) < 1e-6]  # nodes on the core's surface
    distance = np.linalg.norm(trial.position[:, None] - edge[None], axis=2).min(axis=1)
    assert set(wider.index) == set(core.index) | set(np.flatnonzero(distance <= margin))
    assert wider.volume == pytest.approx(trial.volume[wider.index], rel=1e-9)


@pytest.mark.parametrize("ranks", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_more_ranks_give_the_same_doses_criteria_and_histograms(bench: Any, ranks: int) -> None:
    path = cored(
        bench,
        doses={"damage": "liver-Jacques", "cut_off": "42 degC"},
        stages=[{"name": "heat", "duration": "120 s"}, {"name": "cool", "duration": "30 s", "field": OFF}],
        criteria=[
            {"kind": "dose", "region": "core", "at_least": "60 min", "fraction": 0.9, "margin": "2 mm"},
            {"kind": "dose", "region": "body", "at_most": "ISO 14708-3 muscle", "fraction": 0.95},
            {"kind": "damage", "region": "core", "at_most": 1.0},
            {"kind": "temperature window", "region": "core", "between": ["41 degC", "45 degC"], "fraction": 0.5},
            {"kind": "temperature", "region": "core", "at_least": "45 degC", "when": "ever", "fraction": 0.8},
        ],
    )
    alone = everything(nanowarm.run(path, folder=path.parent / "alone").folder)
    command = [str(MPIEXEC), "-n", str(ranks), sys.executable, "-c", RUN, str(path), str(path.parent / "many")]
    done = subprocess.run(
        command, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    many = everything(path.parent / "many")
    assert alone["summary.regions.core.cem43_min.max"] > 1.0
    assert many.keys() == alone.keys()
    for key, value in alone.items():
        assert many[key] == (pytest.approx(value, rel=1e-7, abs=1e-9) if isinstance(value, float) else value), key


def everything(folder: Path) -> dict[str, Any]:
    """Every number of regions, criteria, history and histograms of a run, by name."""
    summary = json.loads((folder / "summary.json").read_text())
    found = leaves({"regions": summary["regions"], "criteria": summary["criteria"]}, "summary")
    with (folder / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    doses = ("degC", "t90_min")
    found |= {f"{n}.{key}": float(value) for n, row in enumerate(rows) for key, value in row.items() if key.endswith(doses)}
    for one in read_histograms(folder / "histograms.csv"):
        name = f"{one.region}.{one.quantity}"
        found |= {f"{name}.{edge:.6g}": float(part) for edge, part in zip(one.at_least, one.fraction, strict=True)}
    return found


def leaves(content: Any, where: str) -> dict[str, Any]:
    pairs = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else None
    if pairs is None:
        return {where: content}
    return {name: value for key, part in pairs for name, value in leaves(part, f"{where}.{key}").items()}
