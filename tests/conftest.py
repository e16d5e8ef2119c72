"""Small cases written into a temporary folder, and carried through in this process."""

from __future__ import annotations

import base64
import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tomli_w
from hypothesis import settings
from numpy.typing import NDArray

from nanowarm import load_case
from nanowarm.numerics.heat import HeatEquation
from nanowarm.numerics.observers import Observers
from nanowarm.numerics.operators import assemble
from nanowarm.numerics.setup import equip
from nanowarm.numerics.solve import solve
from nanowarm.numerics.stack import MPI
from nanowarm.pipeline import build_mesh

Array = NDArray[np.float64]

os.environ.setdefault("OMP_NUM_THREADS", "1")
settings.register_profile("repeatable", derandomize=True, deadline=None)
if os.environ.get("CI"):
    settings.load_profile("repeatable")  # other draws are for a person to look at
MESHES = Path(__file__).parents[1] / "meshes"
SOURCED = {"source": "invented for a test", "quality": "estimate"}
DENSITY = 1000.0  # [kg/m3] of every material here, so that capacity = 1000 times specific heat
INSULATED = {"kind": "insulated"}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="


def _property(value: float | Mapping[float, float], unit: str, factor: float = 1.0) -> dict[str, Any]:
    """A constant, or a table over temperatures in kelvin, as the file of a material or particle has it."""
    if isinstance(value, Mapping):
        values = [f"{factor * v!r} {unit}" for v in value.values()]
        return SOURCED | {"at": [f"{float(at)!r} K" for at in value], "values": values}
    return SOURCED | {"value": f"{factor * value!r} {unit}"}


class Bench:
    """Writes materials, particles and cases into a folder, and runs them.

    Args:
        folder: where the files go.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def material(
        self,
        name: str,
        capacity: float | Mapping[float, float] = 2e6,
        conductivity: float | Mapping[float, float] = 0.5,
        **more: Any,
    ) -> str:
        """File of a material with a volumetric capacity [J/m3/K] and a conductivity [W/m/K], for a case's `material`."""
        content = {
            "name": name,
            "class": "other",
            "density": SOURCED | {"value": f"{DENSITY!r} kg/m^3"},
            "specific_heat": _property(capacity, "J/kg/K", 1.0 / DENSITY),
            "conductivity": _property(conductivity, "W/m/K"),
        }
        return self._write(f"{name}.toml", content | more)

    def particle(self, name: str, power: float | Mapping[float, float], **more: Any) -> str:
        """File of a particle with a specific power [W/kgFe] at 20 kA/m and 200 kHz."""
        kind = {"kind": "table" if isinstance(power, Mapping) else "power law", "at_field": "20 kA/m", "at_frequency": "200 kHz"}
        content = {"name": name, "class": "particle", "specific_power": kind | _property(power, "W/kgFe") | more}
        return self._write(f"{name}.toml", content)

    def case(self, recipe: str, parameters: Mapping[str, Any], size: str, **sections: Any) -> Path:
        """File of a case on a shipped recipe; `sections` are those of the case file."""
        mesh = {"file": str(MESHES / f"{recipe}.geo"), "parameters": dict(parameters), "size": size}
        sections.setdefault("output", {"every": "1 h"})
        mesh |= sections.pop("mesh", {})
        name = sections.pop("name", "case")
        self._write(f"{name}.toml", {"schema": 1, "mesh": mesh} | sections)
        return self.folder / f"{name}.toml"

    def _write(self, name: str, content: Mapping[str, Any]) -> str:
        (self.folder / name).write_text(tomli_w.dumps(dict(content)), encoding="utf-8")
        return name

    def trial(self, path: Path, *overrides: str, equation: type[HeatEquation] = HeatEquation) -> Trial:
        """A case, meshed and assembled on this process alone."""
        return Trial(path, overrides, equation)

    def solved(self, path: Path, *overrides: str, equation: type[HeatEquation] = HeatEquation) -> Trial:
        """A case, carried through all its stages on this process alone."""
        return Trial(path, overrides, equation).run()


class Trial:
    """One case in memory.

    Args:
        path: of the case file.
        overrides: as of `--set`.
        equation: what is integrated.
    """

    def __init__(self, path: Path, overrides: Sequence[str], equation: type[HeatEquation]) -> None:
        self.case = load_case(path, overrides)
        mesh, _ = build_mesh(self.case, MPI.COMM_SELF)
        self.operators = assemble(mesh)
        self.equipped = equip(self.case, self.operators, equation)
        self.heat = self.equipped.heat
        self.position = self.operators.position
        self.volume = self.heat.volume

    def run(self) -> Trial:
        """Carry the state through all stages; its last value stays in `state` and `temperature`."""
        states = []
        first = self.heat.initial_state
        self.heat.initial_state = lambda temperature: states.append(first(temperature)) or states[0]  # type: ignore
        self.observers = Observers(self.case, self.equipped)
        self.solution = solve(self.case, self.heat, self.observers, lambda progress: None)
        self.state = states[0]  # the integrator changes it in place
        self.temperature = self.heat.temperature(self.state).copy()
        return self

    def mean(self, values: Array) -> float:
        """Mean over the volume."""
        return float(values @ self.volume / self.volume.sum())

    def norm(self, values: Array) -> float:
        """Root of the mean square over the volume."""
        return self.mean(values**2) ** 0.5

    def column(self, name: str) -> Array:
        """A column of `history.csv`."""
        return np.array(self.observers.recorder.columns[name])


def _order(errors: Sequence[float], ratio: float = 2.0) -> float:
    """Order of convergence from the first to the last of errors on meshes or steps that shrink by a ratio."""
    return float(np.log(errors[0] / errors[-1]) / np.log(ratio) / (len(errors) - 1))


def _numbers(content: Any, where: str = "") -> dict[str, Any]:
    """Every leaf of JSON data by its path, but those of time spent."""
    if isinstance(content, dict):
        return {k: v for key, part in content.items() if key != "seconds" for k, v in _numbers(part, f"{where}.{key}").items()}
    if isinstance(content, list):
        return {k: v for number, part in enumerate(content) for k, v in _numbers(part, f"{where}.{number}").items()}
    return {where: content}


@pytest.fixture(scope="session")
def numbers() -> Callable[[Any], dict[str, Any]]:
    return _numbers


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture(scope="module")
def module_bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("bench"))


@pytest.fixture(scope="session")
def session_bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("bench"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Mounts a disk of some kilobytes; skipped where that needs more rights."""
    place = tmp_path / "disk"
    place.mkdir()

    def mount(kilobytes: int) -> Path:
        mounting = shutil.which("mount")
        if os.geteuid() != 0 or mounting is None:
            pytest.skip("mounting a small disk needs root")
        command = [mounting, "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(place)]
        if subprocess.run(command, capture_output=True, check=False).returncode != 0:
            pytest.skip("this machine does not let root mount a small disk")
        return place

    yield mount
    if os.path.ismount(place):
        subprocess.run([str(shutil.which("umount")), str(place)], check=True)


@pytest.fixture(scope="session")
def order() -> Callable[..., float]:
    return _order


MINUTE = 60.0
CUBE = 10.0  # [mm], edge of each of two cubes beside each other along x
TETRAHEDRA = [(0, 1, 3, 7), (0, 1, 7, 5), (0, 5, 7, 4), (0, 3, 2, 7), (0, 6, 4, 7), (0, 2, 6, 7)]  # of the corners of a cube


def _cubes(divided: int) -> tuple[Array, NDArray[np.int64], NDArray[np.int64]]:
    """Points [m] and tetrahedra of two cubes, x from -10 to 10 mm, y and z from 0 to 10 mm; region 0 is at negative x."""
    x, y, z = (np.linspace(0.0, length, count + 1) for length, count in ((2.0, 2 * divided), (1.0, divided), (1.0, divided)))
    points = 1e-3 * CUBE * (np.stack(np.meshgrid(x, y, z, indexing="ij"), axis=-1).reshape(-1, 3) - [1.0, 0.0, 0.0])
    number = np.arange(len(points)).reshape(2 * divided + 1, divided + 1, divided + 1)
    i, j, k = (index.ravel() for index in np.indices((2 * divided, divided, divided)))
    corners = np.stack([number[i + a, j + b, k + c] for c in (0, 1) for b in (0, 1) for a in (0, 1)], axis=1)
    cells = np.concatenate([corners[:, list(four)] for four in TETRAHEDRA])
    return points, cells, (points[cells][:, :, 0].mean(axis=1) > 0.0).astype(np.int64)


@pytest.fixture(scope="session")
def field_run(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes the folder of a run of two cubes whose temperature is time [s] + x [mm] in degC, at 0, 30 and 60 s."""

    def make(names: Sequence[str] = ("left", "right"), divided: int = 6, title: str = "Two cubes", **more: Any) -> Path:
        points, cells, region = _cubes(divided)
        folder = tmp_path_factory.mktemp("cubes")
        x = 1e3 * points[:, 0]
        final = {"warming rate": np.where(x < -5.0, np.nan, 50.0 + x), "CEM43": 10.0 ** (x / 5.0)} | more
        _write_fields(folder / "fields.vtkhdf", (points, cells, region), [t + x for t in (0.0, 0.5 * MINUTE, MINUTE)], final)
        rate = {"kind": "warming rate", "region": names[1], "value": 50.0, "limit": 55.0, "unit": "degC/min", "fraction": 0.5}
        rate |= {"outcome": "missed", "where_mm": [5.0, 5.0, 5.0], "fraction_asked": 1.0, "measure": "mean"}
        numbers = {"volume_mL": 1.0, "iron_mg": 1.0, "warming_rate_degC_per_min": None}
        numbers |= {"temperature_degC": {"min": 0.0, "mean": 1.0, "max": 2.0}}
        summary = {"schema": 1, "title": title, "verdict": "missed", "criteria": [rate], "regions": dict.fromkeys(names, numbers)}
        record = {"mesh": {"region_numbers": {name: number for number, name in enumerate(names)}}}
        stages = (("soak", 0.0, 20.0), ("rewarm", 20.0, MINUTE))
        record |= {"stages": [{"name": name, "start_s": start, "end_s": end} for name, start, end in stages]}
        (folder / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
        (folder / "record.json").write_text(json.dumps(record), encoding="utf-8")
        regions = {name: {"material": "VS55"} for name in names}
        (folder / "case.toml").write_text(tomli_w.dumps({"schema": 1, "regions": regions}), encoding="utf-8")
        columns = [f"{name}_{part}_degC" for name in names for part in ("min", "mean", "max")]
        with (folder / "history.csv").open("w", newline="", encoding="utf-8") as file:
            rows = [[time, "rewarm", *[time] * len(columns), 0, 0, 0, 0] for time in (0, 30, 60)]
            header = ["time_s", "stage", *columns, "field_kA_per_m", "stored_J", "supplied_J", "inflow_J"]
            csv.writer(file).writerows([header, *rows])
        (folder / "picture.png").write_bytes(base64.b64decode(PIXEL))
        return folder

    return make


def _write_fields(path: Path, mesh: Sequence[NDArray[Any]], frames: Sequence[Array], final: Mapping[str, Array]) -> None:
    """Points, cells and regions, temperatures at 0, 30 and 60 s and fields known at the end, as a run writes them."""
    points, cells, region = mesh
    with h5py.File(path, "w") as file:
        group = file.create_group("VTKHDF")
        group["Points"], group["Connectivity"], group["CellData/region"] = points, cells.ravel(), region
        group["Steps/Values"] = np.linspace(0.0, MINUTE, len(frames))
        group["PointData/temperature"] = np.concatenate(frames).astype(np.float32)
        group["Steps/PointDataOffsets/temperature"] = np.arange(len(frames)) * len(points)
        for name, values in final.items():
            group[f"PointData/{name}"] = values
            group[f"Steps/PointDataOffsets/{name}"] = np.zeros(len(frames), dtype=int)


@pytest.fixture(scope="session")
def study_folder() -> Callable[..., Path]:
    """Makes the folder of a study as one leaves it, without its runs: lines of the table, and sections of the study file."""

    def make(folder: Path, lines: list[dict[str, Any]], **sections: Any) -> Path:
        """The folder of a study as one leaves it, without its runs."""
        folder.mkdir(parents=True)
        about = {"schema": 1, "study": "/somewhere/study.toml", "case": "/somewhere/case.toml", "versions": {"nanowarm": "0"}}
        (folder / "study.json").write_text(json.dumps(about | {"runs": ["x"] * len(lines)}), encoding="utf-8")
        content = {"schema": 1, "case": "case.toml"} | sections
        (folder / "study.toml").write_text(tomli_w.dumps(content), encoding="utf-8")
        with (folder / "table.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(lines[0]))
            writer.writeheader()
            writer.writerows(lines)
        return folder

    return make


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documentation, built once; a warning is an error."""
    pytest.importorskip("furo", reason="the tools of the documentation are not installed")
    built = tmp_path_factory.mktemp("site")
    docs = Path(__file__).parents[1] / "solver" / "docs"
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-n", "-q"]
    done = subprocess.run([*command, "-d", str(built / "trees"), str(docs), str(built / "html")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr
    return built / "html"


@pytest.fixture(scope="module")
def playwright() -> Iterator[Any]:
    """What steers browsers: one at a time, which all that need it share, and none in other tests."""
    tools = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright")
    with tools.sync_playwright() as running:
        yield running
