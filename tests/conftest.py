"""Small cases written into a temporary folder, and carried through in this process."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

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
