"""Runs that are broken off in some way, and what they are compared with."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import nanowarm


def convection(ambient: Any) -> dict[str, Any]:
    return {"kind": "convection", "coefficient": "200 W/m^2/K", "ambient": ambient}


def plain_vial(bench: Any) -> Path:
    """A vial with a probe, rates and a difference to judge, and frames of temperature."""
    path: Path = bench.case(
        "vial",
        {"volume": "0.3 mL", "wall": "1 mm"},
        "2 mm",
        initial={"temperature": "-150 degC"},
        regions={
            "cpa": {
                "material": bench.material("jelly", {150.0: 1e6, 200.0: 2e6, 201.0: 3e6}, {150.0: 0.2, 300.0: 0.5}),
                "particles": {"name": bench.particle("warmer", {150.0: 300e3, 300.0: 500e3}), "iron": "10 mgFe/mL"},
            },
            "container": {"material": bench.material("wall", 2e6, 0.2)},
        },
        boundaries={"side": convection("20 degC"), "top": convection("20 degC"), "bottom": convection("20 degC")},
        field={"kind": "uniform", "amplitude": "20 kA/m", "frequency": "200 kHz"},
        stages=[{"name": "rewarm", "duration": "40 s"}],
        criteria=[
            {"kind": "warming rate", "region": "cpa", "window": ["-120 degC", "-80 degC"], "at_least": "5 degC/min"},
            {"kind": "temperature difference", "region": "cpa", "at_most": "30 K", "below": "-30 degC"},
            {"kind": "temperature", "region": "cpa", "at_most": "40 degC"},
            {"kind": "exposure", "region": "cpa", "above": "-90 degC", "at_most": "20 s"},
        ],
        output={"every": "1 s", "fields_every": "4 s", "probes": {"centre": ["0 mm", "0 mm", "0 mm"]}},
    )
    return path


def treated_vial(bench: Any) -> Path:
    """Living tissue in three stages: cooled until it is cold, held by a controller, then let alone; with damage."""
    living = {"material": bench.material("tissue", 3.5e6, 0.5), "metabolism": "500 W/m^3"}
    living["perfusion"] = {"rate": "20 mL/100mL/min", "arterial": "37 degC"}
    path: Path = bench.case(
        "vial",
        {"volume": "0.3 mL", "wall": "1 mm"},
        "2 mm",
        initial={"temperature": "37 degC"},
        regions={
            "cpa": living | {"particles": {"name": bench.particle("warmer", 500e3), "iron": "10 mgFe/mL"}},
            "container": {"material": bench.material("wall", 2e6, 0.2)},
        },
        boundaries={"side": convection("37 degC"), "top": convection("37 degC"), "bottom": convection("37 degC")},
        field={"kind": "uniform", "amplitude": "0 kA/m", "frequency": "200 kHz"},
        doses={"damage": "skin-Henriques"},
        stages=[
            {"name": "cool", "until": "cpa.mean < 36 degC", "duration": "300 s", "boundaries": {"side": convection("10 degC")}},
            {
                "name": "treat",
                "duration": "60 s",
                "field": {"amplitude": "20 kA/m"},
                "control": {"kind": "pid", "sensor": "cpa.mean", "set_point": "46 degC", "every": "1 s", "most": "20 kA/m"},
            },
            {"name": "rest", "duration": "10 s"},
        ],
        criteria=[
            {"kind": "dose", "region": "cpa", "at_least": "1 min"},
            {"kind": "damage", "region": "cpa", "at_least": 0.001},
            {"kind": "temperature", "region": "cpa", "at_most": "50 degC", "fraction": 0.9},
        ],
        output={"every": "5 s", "fields": ["temperature", "CEM43"]},
    )
    return path


def frozen_slab(bench: Any) -> Path:
    """A slab of weak VS55 that freezes for the most part, and is warmed again, with the stress in its glass."""
    path: Path = bench.case(
        "slab",
        {"thickness": "6 mm", "width": "6 mm"},
        "2 mm",
        initial={"temperature": "-20 degC"},
        regions={"body": {"material": "VS55", "concentration": "80 %"}},
        boundaries={name: convection("-150 degC") for name in ("left", "right", "sides")},
        stages=[
            {"name": "cool", "duration": "100 s"},
            {"name": "warm", "duration": "40 s", "boundaries": {"left": convection("20 degC")}},
        ],
        criteria=[{"kind": "ice", "region": "body"}, {"kind": "stress", "region": "body"}],
        solver={"ice": True, "stress": True, "tolerance": "0.1 K"},
        output={"every": "5 s", "fields": ["temperature", "ice fraction", "tensile stress"]},
    )
    return path


def steered_slab(bench: Any) -> Path:
    """A steady state whose amplitude is searched for, then a thermostat that kills tissue and with it the blood flow."""
    living = {"material": bench.material("tissue", 3.5e6, 0.5), "metabolism": "500 W/m^3"}
    living["perfusion"] = {"rate": "20 mL/100mL/min", "arterial": "37 degC", "shutdown": "damage"}
    search = {"sensor": "body.hottest", "at_most": "45 degC", "between": ["0 kA/m", "60 kA/m"]}
    control = {"kind": "thermostat", "sensor": "body.mean", "set_point": "50 degC", "every": "1 s", "most": "40 kA/m"}
    path: Path = bench.case(
        "slab",
        {"thickness": "6 mm", "width": "6 mm"},
        "2 mm",
        initial={"temperature": "37 degC"},
        regions={"body": living | {"particles": {"name": bench.particle("warmer", 500e3), "iron": "10 mgFe/mL"}}},
        boundaries={name: convection("37 degC") for name in ("left", "right", "sides")},
        field={"kind": "uniform", "amplitude": "20 kA/m", "frequency": "200 kHz"},
        doses={"damage": "skin-Henriques"},
        stages=[
            {"name": "settle", "steady": True, "search": search},
            {"name": "hold", "duration": "40 s", "control": control | {"band": "0.4 K", "shortest_off": "3 s"}},
            {"name": "pulse", "duration": "10 s", "control": {"kind": "cycle", "on": "3 s", "off": "2 s", "most": "20 kA/m"}},
        ],
        criteria=[
            {"kind": "damage", "region": "body", "at_least": 0.5},
            {"kind": "field limit", "region": "body", "at_most": "Hergt-Dutz"},
        ],
        output={"every": "2 s", "fields": ["temperature", "damage"]},
    )
    return path


CASES = {"plain": plain_vial, "treated": treated_vial, "frozen": frozen_slab, "steered": steered_slab}


def _differences(numbers: Any, one: nanowarm.Run, other: nanowarm.Run, relative: float) -> list[str]:
    """What differs in summary, history and frames by more than a part of itself (of the largest of a column)."""
    a, b = numbers(one.summary), numbers(other.summary)
    found = [f"{key}: only once" for key in set(a) ^ set(b)]
    for key in set(a) & set(b):
        close = a[key] == b[key]
        if isinstance(a[key], float) and isinstance(b[key], float):
            around = 1.0 if "imbalance" in key else max(abs(a[key]), 1e-6)
            close = abs(a[key] - b[key]) <= relative * around
        found += [] if close else [f"{key}: {a[key]} and {b[key]}"]
    if list(one.history) != list(other.history) or one.history["time_s"].size != other.history["time_s"].size:
        return [*found, f"history: {one.history['time_s'].size} and {other.history['time_s'].size} rows"]
    for name, column in one.history.items():
        if name == "stage":
            found += [] if (column == other.history[name]).all() else [name]
            continue
        most = np.abs(column - other.history[name]).max() / max(np.abs(column).max(), 1e-6)
        found += [] if most <= relative else [f"history {name}: {most}"]
    return sorted(found) + _frame_differences(one.folder, other.folder)


def _frame_differences(one: Path, other: Path) -> list[str]:
    """What differs between two field files, compared place by place."""
    with h5py.File(one / "fields.vtkhdf") as a, h5py.File(other / "fields.vtkhdf") as b:
        a, b = a["VTKHDF"], b["VTKHDF"]
        if a["Steps/Values"].shape != b["Steps/Values"].shape or set(a["PointData"]) != set(b["PointData"]):
            return [f"frames: {a['Steps/Values'].shape} and {b['Steps/Values'].shape}"]
        points = [group["Points"][:].round(9) for group in (a, b)]  # in nanometres: ranks may round otherwise
        orders = [np.lexsort(each.T) for each in points]
        found = [] if np.allclose(points[0][orders[0]], points[1][orders[1]], atol=2e-9, rtol=0.0) else ["Points"]
        for name in a["PointData"]:
            left, right = (g["PointData"][name][:].reshape(-1, len(o))[:, o] for g, o in zip((a, b), orders, strict=True))
            if left.shape != right.shape or not np.allclose(left, right, rtol=1e-6, atol=1e-5, equal_nan=True):
                found.append(f"frames of {name}")
            offsets = [group[f"Steps/PointDataOffsets/{name}"][:] for group in (a, b)]
            found += [] if np.array_equal(*offsets) else [f"offsets of {name}"]
    return found


@pytest.fixture(scope="session", autouse=True)
def _patient() -> Iterator[None]:
    """No test here cuts the power, so none waits for the disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda number: None)
        yield


@pytest.fixture(scope="session")
def differences(numbers: Any) -> Callable[..., list[str]]:
    """What differs between two runs by more than a part of itself."""
    return partial(_differences, numbers)


@pytest.fixture(scope="session")
def unbroken(session_bench: Any) -> Callable[[str], tuple[Path, nanowarm.Run]]:
    """Path and run of each of the cases, run once."""
    known: dict[str, tuple[Path, nanowarm.Run]] = {}

    def of(name: str) -> tuple[Path, nanowarm.Run]:
        if name not in known:
            session_bench.folder = session_bench.folder / name
            session_bench.folder.mkdir()
            path = CASES[name](session_bench)
            session_bench.folder = session_bench.folder.parent
            known[name] = path, nanowarm.run(path, folder=path.parent / "unbroken", overrides=('checkpoint.every="1 ns"',))
        return known[name]

    return of
