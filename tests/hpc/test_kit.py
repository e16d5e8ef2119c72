"""The files of the cluster kit, as far as they can be read without a cluster."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

KIT = Path(__file__).parents[2] / "hpc"
SCRIPTS = sorted(path for path in (KIT / "slurm").iterdir() if path.suffix in (".sh", ".sbatch"))
PAGE = (KIT / "README.md").read_text(encoding="utf-8")
NAME = re.compile(r"[A-Za-z0-9_-]+")
ELSEWHERE = {"dolfinx-solver-real", "mpich"}  # what conda and Spack are there to replace


def runtime_needs() -> set[str]:
    """Packages that nanowarm needs, as pyproject.toml names them."""
    project = tomllib.loads((KIT.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {names(line) for line in project["dependencies"]}


def names(line: str) -> str:
    """The package that a requirement is of, as all three ways of installing spell it."""
    match = NAME.match(line)
    assert match is not None, line
    return match[0].lower().replace("_", "-").removesuffix("-base")


def yaml_of(path: Path) -> Any:
    return pytest.importorskip("yaml").safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_bash_can_read_every_job_script(script: Path) -> None:
    done = subprocess.run(["bash", "-n", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["run.sbatch", "array.sbatch"])
def test_jobs_are_warned_in_their_shell_and_may_be_requeued(name: str) -> None:
    orders = re.findall(r"^#SBATCH (.*)$", (KIT / "slurm" / name).read_text(encoding="utf-8"), re.MULTILINE)
    assert "--requeue" in orders
    assert any(re.fullmatch(r"--signal=B:USR1@\d+", order) for order in orders)
    assert "--open-mode=append" in orders  # else the next turn overwrites the log


@pytest.mark.parametrize(
    "path", sorted(KIT.glob("*/*.y*ml")) + sorted(KIT.glob("snakemake/*/*.yaml")), ids=lambda p: p.parent.name
)
def test_every_yaml_file_is_a_mapping(path: Path) -> None:
    assert isinstance(yaml_of(path), dict)


def test_conda_brings_all_that_nanowarm_needs() -> None:
    lines = yaml_of(KIT / "conda" / "environment.yml")["dependencies"]
    (from_pip,) = (line["pip"] for line in lines if isinstance(line, dict))
    found = {names(line) for line in [*from_pip, *(line for line in lines if isinstance(line, str))]}
    assert runtime_needs() - ELSEWHERE - found == set()
    assert {"fenics-dolfinx", "mpich", "petsc4py"} <= found


def test_spack_and_its_requirements_bring_all_that_nanowarm_needs() -> None:
    specs = yaml_of(KIT / "spack" / "spack.yaml")["spack"]["specs"]
    found = {names(spec).removeprefix("py-") for spec in specs} | {"numpy"}  # which DOLFINx needs, too
    lines = (KIT / "spack" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    found |= {names(line) for line in lines if not line.startswith("#")}
    assert runtime_needs() - ELSEWHERE - found == set()


def test_the_image_is_made_of_files_that_there_are() -> None:
    text = (KIT / "apptainer" / "nanowarm.def").read_text(encoding="utf-8")
    section = text.split("%files\n")[1].split("\n%post")[0]
    sources = [line.split()[0] for line in section.splitlines() if line.strip()]
    assert {"pyproject.toml", "requirements.txt", "solver"} <= set(sources)
    assert [source for source in sources if not (KIT.parent / source).exists()] == []


def test_the_page_names_every_environment_variable_of_the_scripts() -> None:
    used = {name for script in SCRIPTS for name in re.findall(r"NANOWARM(?:_[A-Z]+)?", script.read_text(encoding="utf-8"))}
    assert {"NANOWARM", "NANOWARM_LAUNCHER"} <= used
    assert {name for name in used if f"`{name}`" not in PAGE} == set()


def test_the_page_names_only_files_that_there_are() -> None:
    named = set(re.findall(r"hpc/[\w./-]+\w", PAGE))
    assert len(named) > 5
    assert [name for name in named if not (KIT.parent / name).exists()] == []
