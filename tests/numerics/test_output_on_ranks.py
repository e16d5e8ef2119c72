"""What a step and a file of fields cost several ranks: one reduction, and no gathering."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from nanowarm.case import load_case
from nanowarm.errors import MeshError
from nanowarm.mesh_needs import check_ranks

MPIEXEC = Path(sys.executable).parent / "mpiexec"
MESHES = Path(__file__).parents[2] / "meshes"
CASES = Path(__file__).parents[2] / "cases"
ALONE = os.environ | {"OMP_NUM_THREADS": "1"}
ONE_CELL = """$MeshFormat
2.2 0 8
$EndMeshFormat
$PhysicalNames
1
3 1 "cpa"
$EndPhysicalNames
$Nodes
4
1 0 0 0
2 1 0 0
3 0 1 0
4 0 0 1
$EndNodes
$Elements
1
1 4 2 1 1 1 2 3 4
$EndElements
"""


def on_ranks(ranks: int, *command: object) -> subprocess.CompletedProcess[str]:
    """A Python program carried out on some ranks."""
    words = [str(word) for word in (MPIEXEC, "-n", ranks, sys.executable, *command)]
    return subprocess.run(words, env=ALONE, capture_output=True, text=True, timeout=120, check=False)


COUNTING = """
import json, sys
import numpy as np
from nanowarm import load_case
from nanowarm.numerics.rkc import Integrator
from nanowarm.numerics.setup import equip
from nanowarm.numerics.stack import MPI
from nanowarm.pipeline import prepare

class Counting:
    def __init__(self, comm):
        self.comm, self.calls = comm, []
    def __getattr__(self, name):
        found = getattr(self.comm, name)
        if not callable(found):
            return found
        def counted(*given, **named):
            self.calls.append(name)
            return found(*given, **named)
        return counted

case = load_case(sys.argv[1], ["mesh.size=4 mm"])
operators = prepare(case, MPI.COMM_WORLD).operators
heat = equip(case, operators).heat
comm = operators.layout.comm = Counting(MPI.COMM_WORLD)
state = heat.initial_state(case.input.initial.temperature)
heat.begin(case.stages[0], 0.0, state)
integrator = Integrator(heat, state, None, 1e3)
integrator.start(0.0, 20.0)
comm.calls.clear()
while integrator.time < 20.0:
    integrator.step(20.0)
counts = integrator.counts
if comm.rank == 0:
    print(json.dumps({"calls": comm.calls, "trials": counts.accepted + counts.rejected, "stages": counts.stages}))
"""


def test_a_step_has_one_reduction_and_a_stage_none() -> None:
    done = on_ranks(2, "-c", COUNTING, CASES / "vial-1mL.toml")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["calls"] == ["Allreduce"] * found["trials"]
    assert found["stages"] >= 2 * found["trials"] > 10


FIELDS = """
import sys
from pathlib import Path
import numpy as np
from nanowarm.mesh_section import MeshInput
from nanowarm.meshing.raw_mesh import make_mesh
from nanowarm.numerics import file_order
from nanowarm.numerics.mesh import distribute
from nanowarm.numerics.operators import assemble
from nanowarm.numerics.stack import MPI
from nanowarm.numerics.writers import FieldFile

file_order.AT_ONCE = 500  # so that there are several parts
comm = MPI.COMM_WORLD
raw = make_mesh(MeshInput(file="kidney.geo", size="3 mm"), Path(sys.argv[1])).mesh if comm.rank == 0 else None
operators = assemble(distribute(raw, comm))
x, y, z = 1e3 * operators.position.T
file = FieldFile(Path(sys.argv[2]), operators, {"region": operators.mesh.cell_region})
file.append(1.0, {"temperature": x + 2.0 * y + 3.0 * z})
file.append(2.0, {"temperature": x * y})
file.finish({"rate": y - z})
"""


def written(file: Path) -> dict[str, Any]:
    """Content of a field file."""
    with h5py.File(file) as stored:
        group = stored["VTKHDF"]
        names = {"points": "Points", "corners": "Connectivity", "region": "CellData/region", "offsets": "Offsets"}
        fields = {"temperature": "PointData/temperature", "rate": "PointData/rate", "kinds": "Types", "times": "Steps/Values"}
        return {name: group[place][:] for name, place in (names | fields).items()}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """The same fields written on one, two and three ranks."""
    folder = tmp_path_factory.mktemp("fields")
    for ranks in (1, 2, 3):
        done = on_ranks(ranks, "-c", FIELDS, MESHES, folder / f"{ranks}.vtkhdf")
        assert done.returncode == 0, done.stderr
    return {ranks: folder / f"{ranks}.vtkhdf" for ranks in (1, 2, 3)}


@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_every_value_stands_where_its_node_does(files: dict[int, Path], ranks: int) -> None:
    found = written(files[ranks])
    x, y, z = 1e3 * found["points"].T
    np.testing.assert_array_equal(found["temperature"], np.concatenate((x + 2.0 * y + 3.0 * z, x * y)).astype(np.float32))
    np.testing.assert_array_equal(found["rate"], (y - z).astype(np.float32))
    np.testing.assert_array_equal(found["offsets"], 4 * np.arange(len(found["region"]) + 1))
    assert set(found["kinds"].tolist()) == {10}  # VTK's tetrahedron
    assert found["times"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize("ranks", [2, 3])
def test_the_cells_are_those_of_one_rank(files: dict[int, Path], ranks: int) -> None:
    def cells(file: Path) -> list[tuple[float, ...]]:
        found = written(file)
        centre = found["points"][found["corners"].reshape(-1, 4)].mean(axis=1)
        return sorted(map(tuple, np.column_stack((found["region"], np.round(centre, 9))).tolist()))

    assert cells(files[ranks]) == cells(files[1])


@pytest.mark.parametrize(("before", "after"), [(2, 3), (3, 1)])
def test_another_number_of_ranks_keeps_to_the_order_of_the_file(
    files: dict[int, Path], before: int, after: int, tmp_path: Path
) -> None:
    file = tmp_path / "fields.vtkhdf"
    file.write_bytes(files[before].read_bytes())
    with h5py.File(file, "r+") as stored:
        for name in ("VTKHDF/PointData/rate", "VTKHDF/Steps/PointDataOffsets/rate"):
            del stored[name]  # written again
    done = on_ranks(after, "-c", FIELDS, MESHES, file)
    assert done.returncode == 0, done.stderr
    once, twice = written(files[before]), written(file)
    np.testing.assert_array_equal(twice["points"], once["points"])
    np.testing.assert_allclose(twice["temperature"], np.tile(once["temperature"], 2), atol=1e-6)
    np.testing.assert_allclose(twice["rate"], once["rate"], atol=1e-6)


FAILING = """
from nanowarm.numerics.file_order import blocks, write_on_first
from nanowarm.numerics.stack import MPI
import numpy as np
def work(arrays):
    next(arrays[0])
    raise OSError("no space")
try:
    write_on_first(MPI.COMM_WORLD, [blocks(np.arange(3_000_000.0)), blocks(np.arange(5.0))], work)
except OSError as error:
    print(f"told: {error}\\n", end="", flush=True)
"""


def test_a_fault_of_the_writing_rank_is_told_by_all_and_blocks_none() -> None:
    done = on_ranks(3, "-c", FAILING)
    assert done.stdout.count("told: no space") == 3, done.stdout + done.stderr


EMPTY = """
import numpy as np
from nanowarm.meshing.mesh_checks import FACETS, RawMesh
from nanowarm.numerics.mesh import distribute
from nanowarm.numerics.operators import assemble
from nanowarm.numerics.stack import MPI
points, one = np.vstack((np.zeros(3), np.eye(3))), np.zeros(1, np.int32)
raw = RawMesh(points, np.arange(4)[None], one, FACETS, np.zeros(4, np.int32), ("cpa",), ("outer",))
comm = MPI.COMM_WORLD
operators = assemble(distribute(raw if comm.rank == 0 else None, comm))
own = operators.layout.owned
sums = comm.allreduce(np.array([operators.mass["cpa"][:own].sum(), operators.surface_area["outer"].sum(), own]))
if comm.rank == 0:
    print(*sums.tolist(), flush=True)
"""


def test_ranks_without_nodes_leave_the_integrals_as_they_are() -> None:
    done = on_ranks(3, "-c", EMPTY)
    assert done.returncode == 0, done.stderr
    volume, area, nodes = map(float, done.stdout.split())
    assert volume == pytest.approx(1.0 / 6.0)
    assert area == pytest.approx(1.5 + 0.5 * 3.0**0.5)
    assert nodes == 4


def test_more_ranks_than_cells_are_refused_in_a_line_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "one.msh").write_text(ONE_CELL)
    case = tmp_path / "one.toml"
    text = (CASES / "vial-1mL-bath.toml").read_text()
    start, rest = text.split("[mesh]", 1)
    mesh, boundaries = '[mesh]\nfile = "one.msh"\nunit = "mm"\n', '[boundaries.outer]\nkind = "insulated"\n'
    parts = ("\n[" + part for part in rest.split("\n[")[1:])
    kept = "".join(part for part in parts if not part.startswith(("\n[boundaries", "\n[output")))
    case.write_text(start + mesh + kept + "\n" + boundaries)
    done = on_ranks(2, "-m", "nanowarm.cli", "run", case, "-o", tmp_path / "run", "--quiet")
    assert done.returncode == 2, done.stdout + done.stderr
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert lines == [f"{case}: mesh: it has 1 cells, too few for 2 ranks; give -n 1 at most"]
    assert not (tmp_path / "run").exists()


def test_as_many_ranks_as_cells_are_allowed() -> None:
    case = load_case(CASES / "vial-1mL.toml", ["mesh.refine=1"])
    check_ranks(case, 12, 12)
    with pytest.raises(MeshError, match=r"it has 12 cells before it is refined, too few for 13 ranks; give -n 12 at most"):
        check_ranks(case, 13, 12)
