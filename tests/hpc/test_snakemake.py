"""The Snakemake workflow, on this machine and through a Slurm of one node."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow
NANOWARM = f"{sys.executable} -m nanowarm.cli"


@pytest.fixture(scope="session")
def snakemake(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Snakemake of the environment $NANOWARM_SNAKEMAKE, or of one that is made for the tests."""
    given = os.environ.get("NANOWARM_SNAKEMAKE")
    folder = Path(given) if given else tmp_path_factory.mktemp("snakemake")
    if not given:
        venv.create(folder, with_pip=True)
        needs = Path(__file__).parents[2] / "hpc" / "requirements-cluster.txt"
        line = [folder / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "-r", needs]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"no Snakemake: pip: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}")
    return str(folder / "bin" / "snakemake")


def through_snakemake(snakemake: str, kit: Path, study: Path, profile: str, *more: str) -> subprocess.CompletedProcess[str]:
    """A finished call of the workflow, in the folder of the study."""
    order = [snakemake, "-s", kit / "snakemake" / "Snakefile", "--profile", kit / "snakemake" / profile, *more]
    values = [f"study={study}", "folder=snake", f"nanowarm={NANOWARM}", "runs_per_job=12"]
    line = [*order, "--config", *values]
    return subprocess.run(line, cwd=study.parent, capture_output=True, text=True, timeout=500, check=False)


def clean(study: Path) -> Path:
    """The folder of the study, without what an earlier test has left."""
    folder = study.parent / "snake"
    subprocess.run(["rm", "-rf", folder, study.parent / ".snakemake"], check=True)
    return folder


def test_snakemake_on_this_machine_gives_the_table_of_the_study(snakemake: str, kit: Path, whole: Any, table: Any) -> None:
    path, expected = whole
    folder = clean(path)
    done = through_snakemake(snakemake, kit, path, "local")
    assert done.returncode == 0, done.stderr
    assert table(folder) == expected
    again = through_snakemake(snakemake, kit, path, "local")
    assert "Nothing to be done" in again.stdout + again.stderr


def test_snakemake_through_slurm_gives_the_table_of_the_study(
    cluster: Any, snakemake: str, kit: Path, whole: Any, table: Any
) -> None:
    path, expected = whole
    folder = clean(path)
    often = ("--slurm-init-seconds-before-status-checks", "3", "--seconds-between-status-checks", "3", "--latency-wait", "5")
    small = ("--default-resources", "mem_mb_per_cpu=500", "runtime=20")
    done = through_snakemake(snakemake, kit, path, "slurm", "--slurm-status-command", "squeue", *often, *small)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("has been submitted with SLURM jobid") == 4  # 12 runs on each of four meshes
    assert table(folder) == expected


def test_a_bad_study_is_refused_with_the_line_of_nanowarm(snakemake: str, kit: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("schema = 1\n", encoding="utf-8")
    done = through_snakemake(snakemake, kit, tmp_path / "bad.toml", "local")
    assert done.returncode != 0
    assert "bad.toml: " in done.stderr
    assert not (tmp_path / "snake").exists()
