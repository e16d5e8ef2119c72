"""A Slurm of one node, and a study of 48 runs that takes a minute."""

from __future__ import annotations

import csv
import importlib.util
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

HERE = Path(__file__).parent
KIT = HERE.parents[1] / "hpc"
COSTS = ("seconds",)  # columns that say what a run cost
PATIENCE = 400.0  # [s] for all jobs


def _module(path: Path) -> ModuleType:
    """A file beside the tests as a module."""
    specification = importlib.util.spec_from_file_location(f"{path.parent.name}_{path.stem}", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module  # where the module's own classes are looked up
    specification.loader.exec_module(module)
    return module


def table_of(folder: Path) -> list[dict[str, str]]:
    """The table of a study, without what its runs cost."""
    with (folder / "table.csv").open(newline="", encoding="utf-8") as file:
        return [{name: value for name, value in row.items() if name not in COSTS} for row in csv.DictReader(file)]


class Cluster:
    """Submits jobs, and waits for them.

    Args:
        folder: where the jobs are submitted from.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def call(self, *command: str | Path) -> str:
        """What a command prints."""
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def facts(self, job: str) -> dict[str, str]:
        """What Slurm knows of a job."""
        words = self.call("scontrol", "show", "job", "-o", job).split()
        return dict(word.split("=", 1) for word in words if "=" in word)

    def ended(self, job: str) -> dict[str, str]:
        """What Slurm knows of a job once it has ended."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            facts = self.facts(job)
            if facts["JobState"] in ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY"):
                return facts
            time.sleep(0.5)
        pytest.fail(f"job {job} did not end: {facts}")


@pytest.fixture(scope="session")
def slurm() -> Iterator[None]:
    module = _module(HERE / "one_node_slurm.py")
    try:
        module.install()
        with module.one_node_slurm():
            yield
    except module.ImpossibleError as reason:
        pytest.skip(f"no Slurm: {reason}")


@pytest.fixture
def cluster(slurm: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    monkeypatch.setenv("NANOWARM", f"{sys.executable} -m nanowarm.cli")
    return Cluster(tmp_path)


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, str]]]:
    """A study of 48 runs on four meshes, and the table that `nanowarm study` makes of it."""
    bench = _module(HERE.parent / "conftest.py").Bench(tmp_path_factory.mktemp("whole"))
    studies = _module(HERE.parent / "studies" / "conftest.py").StudyBench(bench)
    volumes, irons = [f"{volume} mL" for volume in (1, 2, 3, 4)], [f"{iron} mgFe/mL" for iron in range(5, 17)]
    path = studies.study(grid={"mesh.parameters.volume": volumes, "regions.cpa.particles.iron": irons})
    line = [sys.executable, "-m", "nanowarm.cli", "study", path, "-o", bench.folder / "whole"]
    subprocess.run(line, check=True, capture_output=True, timeout=PATIENCE)
    return path, table_of(bench.folder / "whole")


@pytest.fixture
def kit() -> Path:
    return KIT


@pytest.fixture(scope="session")
def table() -> Any:
    return table_of
