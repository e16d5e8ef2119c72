"""Every command line of the guide, typed in the order of its pages, does what the page says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import pyvista as pv

pytestmark = pytest.mark.slow  # many runs and a film

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "solver" / "docs" / "guide"
ORDER = (
    "install",
    "first-case",
    "organ",
    "particles",
    "coil",
    "cryoprotectant",
    "tissue",
    "screening",
    "studies",
    "results",
    "cluster",
)
COARSE = ("--set", "mesh.coarsening=2", "--set", "output.every=20 s")  # a tenth of the time
OTHER_CODES = {"resume": 2, "--collect": 3}  # the run is finished; runs of the study are still missing
SERVES = "gui"  # until it is stopped


def _blocks(page: str) -> list[str]:
    return re.findall(r"```toml\n(.*?)```", (GUIDE / f"{page}.md").read_text(encoding="utf-8"), re.DOTALL)


def _typed(folder: Path, words: list[str]) -> subprocess.CompletedProcess[str]:
    """What a command line prints; runs and checks on a coarse mesh with few rows."""
    coarse = COARSE if words[0] in ("run", "check", "screen") else ()
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "nanowarm.cli", *words, *coarse]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with what a clone has."""
    for name in ("cases", "meshes"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


def _save_files(folder: Path) -> None:
    """What the guide says to save, beside the case my-kidney and into its folder."""
    first, second, third = _blocks("cryoprotectant")
    (folder / "my-kidney" / "gel.toml").write_text(first + second + third, encoding="utf-8")
    (folder / "my-kidney" / "my-particle.toml").write_text(_blocks("particles")[1], encoding="utf-8")
    (study,) = (block for block in _blocks("studies") if "my-kidney" in block)
    (folder / "my-iron.toml").write_text(study.replace("[base]", "[base]\nmesh.coarsening = 2"), encoding="utf-8")


def _write_in_values(case: Path) -> None:
    """Make the three changes of the first case with the values that its page shows."""
    page, text = (GUIDE / "first-case.md").read_text(encoding="utf-8"), case.read_text(encoding="utf-8")
    for key, most in (
        (r"parameters = \{[^}]*\}", 1),
        ('iron = "[^"]*"', 3),
        ('amplitude = "[^"]*"', 1),
        ('frequency = "[^"]*"', 1),
    ):
        shown = re.search(key, page)
        assert shown
        text, count = re.subn(key, shown[0], text, count=most)  # the amplitude of [field], not of the stage that has it off
        assert count == most
    case.write_text(text, encoding="utf-8")


def _save_organ(folder: Path) -> None:
    """The whole case around an STL, and an STL."""
    (case,) = (block for block in _blocks("organ") if "schema" in block)
    (folder / "own-kidney.toml").write_text(case, encoding="utf-8")
    pv.ParametricEllipsoid(6.0, 11.0, 5.5).triangulate().clean().save(folder / "organ.stl")


def test_the_guide_can_be_typed_from_its_first_page_to_its_last(folder: Path, command_lines: list[tuple[str, str]]) -> None:
    assert _typed(folder, ["run", "cases/rat-kidney.toml"]).returncode == 0  # as `make demo` does
    typed = []
    for page in ORDER:
        for words in (shlex.split(line)[1:] for place, line in command_lines if place.endswith(f"guide/{page}.md")):
            if words[0] == SERVES or words == ["study", "cases/studies/vial-scale-up.toml"]:  # 63 runs; --only does some of them
                continue
            found = _typed(folder, ["1-2" if word == "1-12" else word for word in words])
            expected = next((code for word, code in OTHER_CODES.items() if word in words), 0)
            assert found.returncode == expected, f"{page}: {shlex.join(words)}\n{found.stdout}{found.stderr}"
            typed.append(words[0])
            if words[0] == "new" and page == "first-case":
                _write_in_values(folder / "my-kidney" / "my-kidney.toml")
                _save_files(folder)
    assert {"new", "check", "run", "mesh", "sar", "library", "study", "render", "resume", "screen"} <= set(typed)
    assert (folder / "runs" / "my-kidney-1" / "report.html").is_file()
    for name in ("power.png", "warming.gif", "runs/rat-kidney-1/open-in-paraview.py", "runs/my-iron/answers.csv"):
        assert (folder / name).is_file()


def test_the_first_case_of_the_readme_ends_with_all_criteria_met(folder: Path, command_lines: list[tuple[str, str]]) -> None:
    lines = [shlex.split(line)[1:] for place, line in command_lines if place == "README.md"]
    assert [words[0] for words in lines] == ["new", "check", "run"]
    assert [_typed(folder, words).returncode for words in lines] == [0, 0, 0]


def test_the_whole_case_around_an_stl_runs_to_a_verdict(folder: Path) -> None:
    _save_organ(folder)
    found = _typed(folder, ["run", "own-kidney.toml"])
    assert found.returncode == 0, found.stdout + found.stderr
    assert "warming rate of kidney: met" in found.stdout


def test_the_glass_former_of_the_guide_follows_ice_and_stress_once_it_is_calibrated(folder: Path) -> None:
    assert _typed(folder, ["new", "my-kidney", "--from", "rat-kidney"]).returncode == 0
    _save_files(folder)
    printed = _typed(folder, ["library", "--calibrate", "my-kidney/gel.toml"]).stdout
    gel = folder / "my-kidney" / "gel.toml"
    gel.write_text(gel.read_text(encoding="utf-8") + printed[printed.index("[ice]") :], encoding="utf-8")
    text = (folder / "my-kidney" / "my-kidney.toml").read_text(encoding="utf-8")
    text = text.replace("VS55 = 0.6", '"./gel.toml" = 0.6').replace('material = "VS55"', 'material = "./gel.toml"')
    text += '\n[solver]\nice = true\nstress = true\n\n[stress]\nrheology = "elastic"\norder = 1\n'
    (folder / "my-kidney" / "gel-case.toml").write_text(text, encoding="utf-8")
    found = _typed(folder, ["run", "my-kidney/gel-case.toml"])
    assert found.returncode == 0, found.stdout + found.stderr
