"""The example notebook, executed as Jupyter does, and what runs and studies show in one."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "cases" / "notebook" / "first-run.ipynb"


def executed(folder: Path) -> list[dict[str, Any]]:
    """The code cells of the notebook with their outputs, run in a copy of what it names."""
    for module in ("nbclient", "ipykernel"):
        pytest.importorskip(module, reason=f"{module} is not installed")
    for name in ("cases/vial-1mL.toml", "meshes/vial.geo", "cases/notebook/first-run.ipynb"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    command = [sys.executable, "-c", "from nbclient.cli import main; main()", "first-run.ipynb", "--inplace"]
    done = subprocess.run(command, cwd=folder / "cases/notebook", capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    cells = json.loads((folder / "cases/notebook/first-run.ipynb").read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


@pytest.mark.slow
def test_the_example_notebook_runs_from_top_to_bottom_and_shows_a_run_and_a_study(tmp_path: Path) -> None:
    outputs = [output for cell in executed(tmp_path) for output in cell["outputs"]]
    assert not [output for output in outputs if output["output_type"] in ("stream", "error")]  # warnings would be a stream
    pages = ["".join(output["data"]["text/html"]) for output in outputs if "text/html" in output["data"]]
    assert len(pages) == 2
    assert "Met" in pages[0]
    assert "<iframe sandbox=" in pages[0]
    assert "How much iron does a 1 mL vial need?" in pages[1]
    assert all(len(page) < 4_000_000 for page in pages)
    last = "".join(outputs[-1]["data"]["text/plain"])
    assert "('2 mgFe/mL', 'missed')" in last
    assert "('10 mgFe/mL', 'met')" in last
    assert (tmp_path / "cases/notebook/runs/iron/study.html").is_file()


def test_the_notebook_in_the_repository_holds_no_outputs() -> None:
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert code
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
