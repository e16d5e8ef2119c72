"""Concentration on a mesh: profiles, depth and images at the nodes of a region, the same on any number of ranks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as itk  # noqa: N813

from nanowarm.errors import CaseError
from nanowarm.meshing.mesh_checks import FACETS
from nanowarm.model import Model, frozen_copy
from nanowarm.numerics.concentration import ConcentrationField, concentration_field
from nanowarm.numerics.mesh import Mesh
from nanowarm.numerics.operators import Operators, assemble
from nanowarm.numerics.stack import MPI, dolfinx_mesh
from nanowarm.physics.equilibration import AnyConcentration

LOW, HIGH = np.array([10.0, 5.0, 0.0]), np.array([20.0, 13.0, 6.0])  # [mm]
SPLIT = 16.0  # [mm] along x, between the regions left and right


class Use(Model):
    concentration: AnyConcentration


def box(comm: Any, sign: float = 1.0, shear: float = 0.0) -> Operators:
    """Tetrahedra in two regions, bottom and side around them; mirrored in x and y by `sign` -1, the layers moved by a `shear`."""
    ends = [sign * LOW * [1, 1, sign], sign * HIGH * [1, 1, sign]]
    ends = [1e-3 * np.min(ends, axis=0), 1e-3 * np.max(ends, axis=0)]
    domain = dolfinx_mesh.create_box(comm, ends, np.rint(HIGH - LOW).astype(int), ghost_mode=dolfinx_mesh.GhostMode.none)
    own = domain.topology.index_map(3).size_local
    middles = dolfinx_mesh.compute_midpoints(domain, 3, np.arange(own, dtype=np.int32))
    corner = 1e3 * domain.geometry.x[domain.geometry.dofmaps[0][:own]][:, FACETS] * [sign, sign, 1.0]
    flat = np.abs(corner[..., None] - np.stack((LOW, HIGH), axis=-1)).max(axis=2) < 1e-6
    surface = np.where(flat.any(axis=(2, 3)), 1, -1)
    surface[flat[:, :, 2, 0]] = 0
    region = (sign * middles[:, 0] > 1e-3 * SPLIT).astype(np.int32)
    domain.geometry.x[:, :2] += shear * domain.geometry.x[:, 2:]
    return assemble(Mesh(domain, region, surface.astype(np.int32), ("left", "right"), ("bottom", "side")))


@pytest.fixture(scope="module")
def mesh() -> Operators:
    return box(MPI.COMM_SELF)


def read(raw: Any) -> Any:
    return Use.model_validate(frozen_copy({"concentration": raw})).concentration


def held(raw: Any, operators: Operators, region: str = "left", folder: Path = Path()) -> ConcentrationField:
    return concentration_field(read(raw), operators, region, folder)


def inside(operators: Operators, region: str = "left") -> Any:
    return operators.mass[region][: operators.layout.owned] > 0.0


def write(path: Path, values: Any, spacing: float, first: Any) -> Path:
    """An image with a spacing and the centre of its first voxel [mm]."""
    image = itk.GetImageFromArray(values)
    image.SetSpacing([spacing] * 3)
    image.SetOrigin([float(x) for x in first])
    itk.WriteImage(image, str(path))
    return path


def mapped(path: Path, operators: Operators, region: str = "left", **more: Any) -> ConcentrationField:
    return held({"kind": "image", "file": path.name, "coordinates": "LPS"} | more, operators, region, path.parent)


def places(shape: tuple[int, ...], spacing: float, first: Any) -> Any:
    """Centres [mm] of voxels, shape (nz, ny, nx, 3)."""
    z, y, x = np.meshgrid(*(np.arange(n) for n in shape), indexing="ij")
    return np.stack((x, y, z), axis=-1) * spacing + first


def slanted(at: Any) -> Any:
    """A concentration that is linear in space [mm], between 0.4 and 1 in the box, and that no flip leaves as it is."""
    return 0.4 + (np.asarray(at) - LOW) @ [0.02, 0.03, 0.025]


def phantom(folder: Path, spacing: float = 0.7, name: str = "ct.nrrd") -> Path:
    """An image of `slanted` that covers the box."""
    first = LOW - 1.0
    shape = tuple(int(n) for n in np.ceil((HIGH - LOW + 2.0) / spacing)[::-1] + 1)
    return write(folder / name, slanted(places(shape, spacing, first)), spacing, first)


def test_a_uniform_concentration_is_that_of_its_region_and_one_elsewhere(mesh: Operators) -> None:
    found = held("80 %", mesh)
    assert (found.values[inside(mesh)] == 0.8).all()
    assert (found.values[~inside(mesh)] == 1.0).all()
    assert (found.mean, found.least, found.most) == pytest.approx((0.8, 0.8, 0.8))
    assert found.line("left") == "concentration in left: 0.8 of full strength on average, 0.8 to 0.8"


def test_the_mean_of_an_axial_profile_is_over_the_volume(mesh: Operators) -> None:
    found = held({"kind": "axial", "axis": [1, 0, 0], "at": ["10 mm", "16 mm"], "values": [1.0, 0.4]}, mesh)
    assert (found.mean, found.least, found.most) == pytest.approx((0.7, 0.4, 1.0))


def depth(**more: Any) -> dict[str, Any]:
    return {"kind": "depth", "at": ["0 mm", "10 mm"], "values": [1.0, 0.5]} | more


def walls(operators: Operators) -> Any:
    """Distances [mm] of the left region's nodes from its six sides: the low ones along x, y and z, then the high ones."""
    at = 1e3 * operators.position[inside(operators)]
    return np.concatenate((at - LOW, [SPLIT, *HIGH[1:]] - at), axis=1)


def test_the_depth_of_a_node_is_its_distance_from_the_boundary_of_its_region(mesh: Operators) -> None:
    nearest = walls(mesh).min(axis=1)
    assert nearest.max() == pytest.approx(3.0)
    assert held(depth(), mesh).values[inside(mesh)] == pytest.approx(1.0 - 0.05 * nearest, abs=1e-9)


@pytest.mark.parametrize(
    ("through", "sides"), [(["bottom"], [2]), (["right"], [3]), (["right", "bottom"], [2, 3]), (["side"], [0, 1, 4, 5])]
)
def test_the_solution_soaks_in_through_the_neighbours_that_are_named(mesh: Operators, through: Any, sides: list[int]) -> None:
    nearest = walls(mesh)[:, sides].min(axis=1)
    assert held(depth(through=through), mesh).values[inside(mesh)] == pytest.approx(1.0 - 0.05 * nearest, abs=1e-9)


def test_the_depth_is_right_where_no_node_of_the_surface_lies_below() -> None:
    sheared = box(MPI.COMM_SELF, shear=0.31)
    at = 1e3 * sheared.position
    above = inside(sheared) & (at[:, 2] > 0.5) & (at[:, :2] < [SPLIT, HIGH[1]]).all(axis=1)  # their feet are on the bottom
    found = (1.0 - held(depth(through=["bottom"]), sheared).values[above]) / 0.05
    assert above.sum() > 100
    assert ((found >= at[above, 2] - 1e-9) & (found < at[above, 2] + 0.01 * 2**0.5)).all()  # edges are 1 to 2**0.5 mm long


@pytest.mark.parametrize(
    ("through", "line"),
    [
        (["bottum"], '`through`: the mesh has no other region or outer surface "bottum"; did you mean bottom\\?'),
        (["left"], '`through`: the mesh has no other region or outer surface "left"; .*known: bottom, right, side'),
    ],
)
def test_a_neighbour_that_is_none_is_refused(mesh: Operators, through: Any, line: str) -> None:
    with pytest.raises(CaseError, match=line):
        held(depth(through=through), mesh)


def test_a_surface_that_the_region_does_not_reach_is_refused() -> None:
    operators = box(MPI.COMM_SELF)
    operators.mesh.cell_surface[(operators.mesh.cell_region == 0)[:, None] & (operators.mesh.cell_surface == 0)] = 1
    with pytest.raises(CaseError, match="`through`: region left has no boundary with bottom"):
        held(depth(through=["bottom"]), operators)


@pytest.mark.parametrize("spacing", [0.3, 0.7, 2.3])
def test_a_linear_image_is_exact_at_the_nodes(tmp_path: Path, mesh: Operators, spacing: float) -> None:
    found = mapped(phantom(tmp_path, spacing), mesh)
    assert found.values[inside(mesh)] == pytest.approx(slanted(1e3 * mesh.position[inside(mesh)]), abs=1e-9)
    assert (found.values[~inside(mesh)] == 1.0).all()
    assert found.mean == pytest.approx(0.4 + 0.02 * 3 + 0.03 * 4 + 0.025 * 3)  # in the middle of the region
    assert found.notes == ()


@pytest.mark.parametrize(("convention", "sign"), [("LPS", 1.0), ("RAS", -1.0)])
@pytest.mark.parametrize("name", ["ct.nrrd", "ct.nii.gz", "ct.mha"])
def test_an_image_is_placed_right_in_both_conventions(tmp_path: Path, convention: str, sign: float, name: str) -> None:
    there = box(MPI.COMM_SELF, sign)
    found = mapped(phantom(tmp_path, name=name), there, coordinates=convention)
    assert found.values[inside(there)] == pytest.approx(
        slanted(1e3 * there.position[inside(there)] * [sign, sign, 1.0]), abs=1e-6
    )


@pytest.mark.parametrize(("more", "line"), [({"coordinates": "RAS"}, "lies beside the region"), ({"unit": "m"}, "wrong scale")])
def test_an_image_in_another_convention_or_unit_is_refused(tmp_path: Path, mesh: Operators, more: Any, line: str) -> None:
    with pytest.raises(CaseError, match=line):
        mapped(phantom(tmp_path), mesh, **more)


def test_voxels_are_calibrated(tmp_path: Path, mesh: Operators) -> None:
    shape, first = (9, 12, 14), LOW - 1.0
    at = places(shape, 1.0, first)
    path = write(tmp_path / "ct.nii", (1000.0 * slanted(at) - 200.0).astype(np.float32), 1.0, first)
    found = mapped(path, mesh, calibration={"of": "HU", "slope": 0.001, "offset": 0.2})
    assert found.values[inside(mesh)] == pytest.approx(slanted(1e3 * mesh.position[inside(mesh)]), abs=1e-6)


def test_background_around_an_organ_does_not_thin_its_surface(tmp_path: Path, mesh: Operators) -> None:
    at = places((16, 20, 26), 0.5, LOW - 1.05)
    organ = ((at > LOW - 0.1) & (at < [SPLIT + 0.1, *(HIGH[1:] + 0.1)])).all(axis=-1)
    path = write(tmp_path / "ct.nrrd", np.where(organ, 0.8, -1000.0), 0.5, LOW - 1.05)
    found = mapped(path, mesh, background=0.0)
    assert found.values[inside(mesh)] == pytest.approx(0.8, abs=1e-12)
    with pytest.raises(CaseError, match=r"shows a concentration of -[0-9.]+ to 0.8 in region left; it must be above 0"):
        mapped(path, mesh)


def test_an_image_that_does_not_cover_its_region_is_refused(tmp_path: Path, mesh: Operators) -> None:
    path = write(tmp_path / "ct.nrrd", np.full((20, 20, 20), 0.9), 0.5, LOW - 1.0)  # ends at x = 18.75, y = 13.75, z = 8.75
    assert mapped(path, mesh).least == pytest.approx(0.9)
    nodes = int(inside(mesh, "right").sum())
    beyond = int((inside(mesh, "right") & (1e3 * mesh.position[:, 0] > 18.75)).sum())
    rule = f"ct.nrrd: shows nothing at {beyond} of {nodes} nodes of region right, and must cover it: see `coordinates`"
    with pytest.raises(CaseError, match=rule):
        mapped(path, mesh, "right")


def test_a_node_within_the_outermost_voxels_is_covered(tmp_path: Path, mesh: Operators) -> None:
    path = write(tmp_path / "ct.nrrd", np.full((6, 8, 6), 0.9), 1.0, LOW + 0.5)  # just fills the region
    assert mapped(path, mesh).most == pytest.approx(0.9)


@pytest.mark.parametrize(("value", "told"), [(1.3, "0.9 to 1.3"), (0.0, r"[-0-9.e]+ to 0.9"), (-0.2, "-0.2 to 0.9")])
def test_values_that_can_not_be_are_refused(tmp_path: Path, mesh: Operators, value: float, told: str) -> None:
    values = np.full((9, 12, 14), 0.9)
    values[4, 5, 5] = value  # at the node LOW + (4, 4, 3)
    path = write(tmp_path / "ct.nrrd", values, 1.0, LOW - 1.0)
    with pytest.raises(CaseError, match=f"concentration of {told} in region left; it must be above 0 and at most 1.2.* 1 of "):
        mapped(path, mesh)
    assert mapped(path, mesh, "right").least == pytest.approx(0.9)  # no node of it sees that voxel


def test_values_beyond_the_calibration_are_refused_or_taken_as_its_ends(tmp_path: Path, mesh: Operators) -> None:
    values = np.full((9, 12, 14), 90.0)
    values[4, 5, 5] = 140.0
    path = write(tmp_path / "ct.nrrd", values, 1.0, LOW - 1.0)
    table = {"at": [0, 100], "values": [0.0, 1.0]}
    with pytest.raises(CaseError, match=r"1 of 441 nodes of region left see voxels outside the range of `calibration`, 0 to 100"):
        mapped(path, mesh, calibration=table)  # 7 x 9 x 7 nodes
    found = mapped(path, mesh, calibration=table | {"outside": "clip"})
    assert found.most == pytest.approx(1.0)
    assert found.notes == (f"{path}: 1 nodes see voxels beyond the calibration, which were taken as its ends",)


def test_voxels_without_a_number_are_refused(tmp_path: Path, mesh: Operators) -> None:
    path = write(tmp_path / "ct.nrrd", np.full((9, 12, 14), np.nan), 1.0, LOW - 1.0)
    with pytest.raises(CaseError, match=r"ct.nrrd: voxels around region left are NaN or infinite"):
        mapped(path, mesh)


def test_a_file_that_is_no_image_is_refused_in_one_line(tmp_path: Path, mesh: Operators) -> None:
    (tmp_path / "ct.nrrd").write_text("no image", encoding="utf-8")
    for name, line in (("ct.nrrd", "can't be read as an image"), ("none.nii", "no such file")):
        with pytest.raises(CaseError, match=line) as caught:
            mapped(tmp_path / name, mesh)
        (fault,) = caught.value.faults
        assert fault.startswith(f"{tmp_path / name}: ")


RANKS = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from pathlib import Path
from mpi4py import MPI
import test_concentration as t
operators = t.box(MPI.COMM_WORLD)
folder = Path(sys.argv[2])
fields = [t.mapped(folder / "ct.nrrd", operators), t.held(t.depth(), operators), t.held(t.depth(through=["right"]), operators)]
fields.append(t.held(t.depth(through=["bottom"]), operators, "right"))
told = []
for name in ("none.nii", "short.nrrd"):
    try:
        t.mapped(folder / name, operators, "right")
    except t.CaseError as error:
        told.append(str(error))
told = MPI.COMM_WORLD.gather(told)
rows = MPI.COMM_WORLD.gather(np.column_stack((operators.position, *(field.values for field in fields))))
if MPI.COMM_WORLD.rank == 0:
    assert all(lines == told[0] and len(lines) == 2 for lines in told), told
    rows = np.concatenate(rows)
    order = np.lexsort(np.round(1e6 * rows[:, :3]).T)
    np.savez(sys.argv[3], rows=rows[order], ends=[(f.mean, f.least, f.most) for f in fields], told=told[0])
"""


def test_one_two_and_three_ranks_give_the_same_concentration(tmp_path: Path) -> None:
    phantom(tmp_path)
    write(tmp_path / "short.nrrd", np.full((20, 20, 20), 0.9), 0.5, LOW - 1.0)
    found = []
    for ranks in (1, 2, 3):
        out = tmp_path / f"{ranks}.npz"
        command = [str(Path(sys.executable).parent / "mpiexec"), "-n", str(ranks), sys.executable, "-c", RANKS]
        command += [str(Path(__file__).parent), str(tmp_path), str(out)]
        done = subprocess.run(
            command, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        found.append(np.load(out))
    for other in found[1:]:
        assert other["rows"] == pytest.approx(found[0]["rows"], rel=1e-9, abs=1e-12)
        assert other["ends"] == pytest.approx(found[0]["ends"], rel=1e-9)
        assert (other["told"] == found[0]["told"]).all()
