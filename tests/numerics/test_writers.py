"""The field file as ParaView's own reader sees it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

CASES = Path(__file__).parents[2] / "cases"
COARSE = ("--set", "mesh.size=3 mm", "--set", "output.every=20 s", "--set", "stages.rewarm.duration=40 s")


@pytest.fixture(scope="module", params=[1, 2])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A coarse kidney, run on one rank and on two."""
    target = tmp_path_factory.mktemp("fields") / "run"
    command = [sys.executable, "-m", "nanowarm.cli", "run", str(CASES / "rat-kidney.toml"), "-o", str(target)]
    done = subprocess.run(
        [*command, "-n", str(request.param), "--quiet", *COARSE],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return target


READ = """
import json, sys
import numpy as np
from vtkmodules.vtkIOHDF import vtkHDFReader
from vtkmodules.vtkCommonExecutionModel import vtkStreamingDemandDrivenPipeline
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkFiltersVerdict import vtkCellSizeFilter
reader = vtkHDFReader()
reader.SetFileName(sys.argv[1])
reader.UpdateInformation()
steps = reader.GetOutputInformation(0).Get(vtkStreamingDemandDrivenPipeline.TIME_STEPS())
found = {"steps": list(steps)}
for step in (steps[0], steps[-1]):
    reader.UpdateTimeStep(step)
    grid = reader.GetOutputDataObject(0)
    points, cells = grid.GetPointData(), grid.GetCellData()
    found[f"temperature {step:g}"] = [float(x) for x in points.GetArray("temperature").GetRange()]
sizes = vtkCellSizeFilter()
sizes.SetInputData(grid)
sizes.Update()
volume = vtk_to_numpy(sizes.GetOutput().GetCellData().GetArray("Volume"))
region, iron = (vtk_to_numpy(cells.GetArray(name)) for name in ("region", "iron concentration"))
found["volume_mL"] = [float(1e6 * volume[region == number].sum()) for number in range(3)]
found["iron_mg"] = float(1e6 * (iron * volume).sum())
found["rate"] = [float(np.nanmin(vtk_to_numpy(points.GetArray(n)))) for n in ("warming rate", "warming rate margin")]
print(json.dumps(found))
"""


@pytest.fixture
def read(folder: Path) -> dict[str, list[float]]:
    """What the reader finds, in a process of its own: VTK and PETSc each bring an HDF5."""
    done = subprocess.run(
        [sys.executable, "-c", READ, str(folder / "fields.vtkhdf")], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


def test_frames_stand_at_the_output_times_and_at_stage_ends(read: dict[str, list[float]]) -> None:
    assert read["steps"] == pytest.approx([0.0, 5.0, 20.0, 40.0, 45.0], abs=1e-9)


def test_the_last_frame_holds_the_final_temperatures_of_the_summary(folder: Path, read: dict[str, list[float]]) -> None:
    regions = json.loads((folder / "summary.json").read_text())["regions"].values()
    ends = [min(r["temperature_degC"]["min"] for r in regions), max(r["temperature_degC"]["max"] for r in regions)]
    assert read["temperature 45"] == pytest.approx(ends, abs=1e-4)  # 32-bit floats


def test_the_first_frame_is_uniform(read: dict[str, list[float]]) -> None:
    assert read["temperature 0"] == pytest.approx([-150.0, -150.0], abs=1e-4)


def test_volumes_and_iron_of_the_cells_are_those_of_the_summary(folder: Path, read: dict[str, list[float]]) -> None:
    regions = json.loads((folder / "summary.json").read_text())["regions"]
    numbers = json.loads((folder / "record.json").read_text())["mesh"]["region_numbers"]
    assert read["volume_mL"] == pytest.approx([regions[name]["volume_mL"] for name in numbers], rel=1e-6)
    assert read["iron_mg"] == pytest.approx(sum(r["iron_mg"] for r in regions.values()), rel=1e-6)


def test_rates_are_absent_where_no_node_has_left_the_window(read: dict[str, list[float]]) -> None:
    assert np.isnan(read["rate"]).all()
