"""Iron on a mesh: none lost or won, in its place, the same on any number of ranks."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as itk  # noqa: N813

from nanowarm.errors import CaseError
from nanowarm.model import Model, frozen_copy
from nanowarm.numerics.iron import IronField, nodal_iron
from nanowarm.numerics.lattice import Lattice, deposit
from nanowarm.numerics.mesh import Mesh
from nanowarm.numerics.operators import Operators, assemble
from nanowarm.numerics.stack import MPI, dolfinx_mesh
from nanowarm.physics.distributions import AnyIron

LOW, HIGH = np.array([10.0, 5.0, 0.0]), np.array([20.0, 13.0, 6.0])  # [mm]
SPLIT = 16.0  # [mm] along x, between the regions left and right


class Use(Model):
    iron: AnyIron


def box(comm: Any, size: float, sign: float = 1.0) -> Operators:
    """A box of tetrahedra in two regions; with `sign` -1 on the other side in x and y."""
    ends = [sign * LOW * [1, 1, sign], sign * HIGH * [1, 1, sign]]
    ends = [1e-3 * np.min(ends, axis=0), 1e-3 * np.max(ends, axis=0)]
    domain = dolfinx_mesh.create_box(comm, ends, np.rint((HIGH - LOW) / size).astype(int))
    own = domain.topology.index_map(3).size_local
    middles = dolfinx_mesh.compute_midpoints(domain, 3, np.arange(own, dtype=np.int32))
    region = (sign * middles[:, 0] > 1e-3 * SPLIT).astype(np.int32)
    return assemble(Mesh(domain, region, np.full((own, 4), -1, np.int32), ("left", "right"), ()))


@pytest.fixture(scope="module")
def mesh() -> Operators:
    return box(MPI.COMM_SELF, 1.0)


def iron(raw: Any) -> Any:
    return Use.model_validate(frozen_copy({"iron": raw})).iron


def held(field: IronField, operators: Operators, region: str = "left") -> float:
    return float(operators.mass[region][: operators.layout.owned] @ field.concentration)


def write(path: Path, values: Any, spacing: float, first: Any, direction: Any = None) -> Path:
    """An image with a spacing and the centre of its first voxel [mm]."""
    image = itk.GetImageFromArray(values)
    image.SetSpacing([spacing] * 3)
    image.SetOrigin([float(x) for x in first])
    if direction is not None:
        image.SetDirection(direction)
    itk.WriteImage(image, str(path))
    return path


def mapped(path: Path, operators: Operators, region: str = "left", **more: Any) -> IronField:
    raw = {"image": path.name, "coordinates": "LPS", "calibration": {"slope": 1.0, "unit": "mgFe/mL"}} | more
    return nodal_iron(iron(raw), operators, region, path.parent)


def centres(shape: tuple[int, ...], spacing: float, first: Any) -> Any:
    """Centres [mm] of voxels, shape (nz, ny, nx, 3)."""
    z, y, x = np.meshgrid(*(np.arange(n) for n in shape), indexing="ij")
    return np.stack((x, y, z), axis=-1) * spacing + first


@pytest.mark.parametrize("spacing", [0.13, 0.4, 1.7, 3.1])  # the mesh has 1 mm
def test_an_image_inside_a_region_keeps_all_its_iron(tmp_path: Path, mesh: Operators, spacing: float) -> None:
    first = np.array([10.8, 5.7, 0.6]) + spacing / 2
    shape = tuple(int(n) for n in np.floor(np.array([4.8, 6.8, 5.1]) / spacing))
    values = np.random.default_rng(3).random(shape)
    found = mapped(write(tmp_path / "i.nrrd", values, spacing, first), mesh)
    total = values.sum() * (1e-3 * spacing) ** 3
    assert found.totals.image == pytest.approx(total, rel=1e-12)
    assert found.totals.mesh == pytest.approx(total, rel=1e-6)
    assert held(found, mesh) == pytest.approx(total, rel=1e-6)


def test_an_oblique_image_inside_a_region_keeps_all_its_iron(tmp_path: Path, mesh: Operators) -> None:
    turned = (0.0, -1.0, 0.0, 0.8, 0.0, -0.6, 0.6, 0.0, 0.8)
    values = np.random.default_rng(3).random((9, 10, 11))
    first = np.array([13.0, 9.0, 3.0]) - np.array(turned).reshape(3, 3) @ [1.0, 0.9, 0.8]
    path = write(tmp_path / "i.nii", values, 0.2, first, turned)
    assert held(mapped(path, mesh), mesh) == pytest.approx(values.sum() * 8e-12, rel=1e-6)


@pytest.mark.parametrize(
    "spacing", [0.04, 0.05]
)  # finer than samples need be; the latter has voxel centres on nodes, edges and faces
def test_a_fine_image_beyond_a_region_gives_it_the_voxels_with_their_centre_inside(
    tmp_path: Path, mesh: Operators, spacing: float
) -> None:
    values = np.random.default_rng(4).random((60, 55, 70))
    first = np.array([15.0, 11.2, -1.0]) if spacing == 0.05 else np.array([14.51, 11.71, 4.83])
    at = centres(values.shape, spacing, first) + 1e-6  # one on the boundary belongs to its lower side
    inside = ((at > LOW) & (at < [SPLIT, *HIGH[1:]])).all(axis=-1)
    found = mapped(write(tmp_path / "i.nrrd", values, spacing, first), mesh, elsewhere="allowed")
    assert found.totals.mesh == pytest.approx(values[inside].sum() * (1e-3 * spacing) ** 3, rel=1e-6)
    assert held(found, mesh) == pytest.approx(found.totals.mesh, rel=1e-12)


def test_two_regions_share_an_image_between_them(tmp_path: Path, mesh: Operators) -> None:
    values = np.random.default_rng(5).random((9, 14, 18))
    path = write(tmp_path / "i.nrrd", values, 0.5, [10.75, 5.75, 0.75])
    parts = [held(mapped(path, mesh, name, elsewhere="allowed"), mesh, name) for name in ("left", "right")]
    assert sum(parts) == pytest.approx(values.sum() * 125e-12, rel=1e-9)


@pytest.mark.parametrize("spacing", [0.17, 0.5, 2.0, 9.0])
def test_an_even_image_stays_even(tmp_path: Path, mesh: Operators, spacing: float) -> None:
    shape = tuple(int(n) for n in np.ceil(np.array([9.0, 11.0, 13.0]) / spacing) + 1)
    path = write(tmp_path / "i.nrrd", np.full(shape, 7.0), spacing, LOW - 1.5)
    found = mapped(path, mesh, elsewhere="allowed").concentration[mesh.mass["left"][: mesh.layout.owned] > 0]
    assert np.ptp(found) < 1e-9
    assert found.mean() == pytest.approx(7.0, rel=0.015)  # by the number of samples whose centre is inside


def test_an_image_that_ends_within_a_region_gives_iron_to_its_part_only(tmp_path: Path, mesh: Operators) -> None:
    path = write(tmp_path / "i.nrrd", np.full((60, 80, 30), 7.0), 0.1, LOW + 0.05)
    found, x = mapped(path, mesh).concentration, 1e3 * mesh.position[:, 0]
    assert found[x < 11.5] == pytest.approx(7.0, rel=0.01)
    assert (found[x > 14.5] == 0.0).all()
    assert held(mapped(path, mesh), mesh) == pytest.approx(7.0 * 3 * 8 * 6 * 1e-9, rel=1e-9)


def test_a_map_converges_to_its_image_with_the_mesh(tmp_path: Path) -> None:
    at = centres((60, 80, 100), 0.1, LOW + 0.05)
    values = 5.0 + np.sin(at[..., 0] / 3) + np.cos(at[..., 1] / 2) * at[..., 2] / 6
    path, errors = write(tmp_path / "i.nrrd", values, 0.1, LOW + 0.05), []
    for size in (2.0, 1.0, 0.5):
        fine = box(MPI.COMM_SELF, size)
        inner = ((1e3 * fine.position > LOW + 1.9) & (1e3 * fine.position < [14.1, *(HIGH[1:] - 1.9)])).all(axis=1)
        x, y, z = 1e3 * fine.position[inner].T
        exact = 5.0 + np.sin(x / 3) + np.cos(y / 2) * z / 6
        found = mapped(path, fine, elsewhere="allowed").concentration[inner]
        errors.append(np.abs(found - exact).max())
    assert errors[-1] < 0.02
    assert np.log2(errors[0] / errors[-1]) / 2 > 1.5


def phantom() -> Any:
    """Iron that no flip or exchange of axes leaves as it is, 0.25 mm voxels over the box, shape (24, 32, 40)."""
    values = np.zeros((24, 32, 40), dtype=np.float32)
    values[2:6, 4:8, 3:11], values[2:6, 4:16, 3:7], values[2:20, 4:8, 3:7] = 10.0, 20.0, 40.0
    return values


def centroid(field: IronField, operators: Operators) -> Any:
    """Where the iron lies on average [mm]."""
    weight = operators.mass["left"][: operators.layout.owned] * field.concentration
    return 1e3 * weight @ operators.position / weight.sum()


def expected() -> Any:
    at = centres(phantom().shape, 0.25, LOW + 0.125)
    return (phantom()[..., None] * at).sum(axis=(0, 1, 2)) / phantom().sum()


@pytest.mark.parametrize("ending", ["nii", "nii.gz", "nrrd", "mha", "mhd"])
@pytest.mark.parametrize(("convention", "sign"), [("LPS", 1.0), ("RAS", -1.0)])
def test_an_asymmetric_phantom_is_placed_right_in_both_conventions(
    tmp_path: Path, ending: str, convention: str, sign: float
) -> None:
    path = write(tmp_path / f"i.{ending}", phantom(), 0.25, LOW + 0.125)
    there = box(MPI.COMM_SELF, 0.5, sign)
    region = mapped(path, there, "left", coordinates=convention)
    assert centroid(region, there) == pytest.approx(expected() * [sign, sign, 1.0], abs=0.05)
    hot = there.position[region.concentration > 25.0] * 1e3 * [sign, sign, 1.0] - LOW
    assert ((hot > [0.4, 0.6, 0.1]) & (hot < [2.1, 2.4, 5.4])).all()  # the long arm, along z
    assert len(hot) >= 8


@pytest.mark.parametrize(("convention", "other", "sign"), [("LPS", "RAS", -1.0), ("RAS", "LPS", 1.0)])
def test_the_wrong_convention_is_refused_where_it_lies_beside_the_region(
    tmp_path: Path, convention: str, other: str, sign: float
) -> None:
    path = write(tmp_path / "i.nii", phantom(), 0.25, LOW + 0.125)
    with pytest.raises(CaseError, match=r"lies beside the region: .*see `coordinates`"):
        mapped(path, box(MPI.COMM_SELF, 1.0, sign), coordinates=convention)


def test_a_flipped_axis_is_told_with_the_convention_that_fits(tmp_path: Path, mesh: Operators) -> None:
    wide = np.zeros((24, 120, 160), np.float32)  # around the origin too, as a scanner's whole field of view
    wide[:, -32:, -40:] = phantom()
    path = write(tmp_path / "i.nii", wide, 0.25, HIGH - 0.125 - 0.25 * np.array([159, 119, 23]))
    assert centroid(mapped(path, mesh), mesh) == pytest.approx(expected(), abs=0.05)
    with pytest.raises(CaseError, match=r'more than 0.05 apart: with coordinates = "LPS" .* mgFe would be in the region'):
        mapped(path, mesh, coordinates="RAS")


def test_an_array_stored_backwards_with_its_direction_is_the_same_image(tmp_path: Path, mesh: Operators) -> None:
    one = mapped(write(tmp_path / "i.nii", phantom(), 0.25, LOW + 0.125), mesh)
    last = LOW + 0.125 + [0.0, 0.25 * 31, 0.0]
    flipped = np.ascontiguousarray(phantom()[:, ::-1, :])
    two = mapped(write(tmp_path / "j.nii", flipped, 0.25, last, (1.0, 0, 0, 0, -1.0, 0, 0, 0, 1.0)), mesh)
    assert two.concentration == pytest.approx(one.concentration, abs=1e-4)
    wrong = mapped(write(tmp_path / "k.nii", flipped, 0.25, LOW + 0.125), mesh)
    assert np.abs(wrong.concentration - one.concentration).max() > 5.0


def test_a_rotated_and_moved_image_lands_where_it_is_said(tmp_path: Path, mesh: Operators) -> None:
    # an image at the origin, turned by a right angle about z: its x is the mesh's y, its y the mesh's -x
    turned = np.ascontiguousarray(phantom().transpose(0, 2, 1)[:, :, ::1][:, ::-1, :])
    first = np.array([0.125, -10.0 + 0.125, 0.125])
    more = {"rotate": {"axis": [0, 0, 1], "angle": "90 deg"}, "translate": ["10 mm", "5 mm", "0 mm"]}
    found = mapped(write(tmp_path / "i.nii", turned, 0.25, first), mesh, **more)
    assert centroid(found, mesh) == pytest.approx(expected(), abs=0.05)


@pytest.mark.parametrize(("dose", "fits"), [(1.0, True), (1.04, True), (0.97, True), (1.06, False), (0.9, False), (1.38, False)])
def test_the_declared_dose_must_agree_within_the_tolerance(tmp_path: Path, mesh: Operators, dose: float, fits: bool) -> None:
    path = write(tmp_path / "i.nii", phantom(), 0.25, LOW + 0.125)
    total = float(phantom().sum()) * (0.25e-3) ** 3
    declared = f"{1e6 * dose * total!r} mgFe"
    if fits:
        totals = mapped(path, mesh, dose=declared).totals
        assert (totals.mesh, totals.image, totals.declared) == pytest.approx((total, total, dose * total), rel=1e-6)
        return
    with pytest.raises(CaseError, match=r"mgFe in the image, .* in region left of the mesh, .* declared, more than 0.05 apart"):
        mapped(path, mesh, dose=declared)


def test_iron_elsewhere_is_refused_unless_allowed(tmp_path: Path, mesh: Operators) -> None:
    path = write(tmp_path / "i.nii", np.ones((24, 32, 40), np.float32), 0.25, LOW + 0.125)
    with pytest.raises(CaseError, match=r"0.48 mgFe in the image, 0.288 in region left of the mesh, more than 0.05 apart"):
        mapped(path, mesh)
    found = mapped(path, mesh, elsewhere="allowed")
    assert found.totals.mesh == pytest.approx(0.288e-6, rel=1e-9)
    assert "0.48 mgFe in the image, 0.288 in region left" in found.notes[0]


def test_no_iron_in_the_region_is_refused(tmp_path: Path, mesh: Operators) -> None:
    values = np.zeros((24, 32, 40), np.float32)
    values[:, :, -4:] = 1.0
    with pytest.raises(CaseError, match="0 in region left"):
        mapped(write(tmp_path / "i.nii", values, 0.25, LOW + 0.125), mesh, elsewhere="allowed")


def test_an_image_in_metres_taken_as_millimetres_is_refused(tmp_path: Path, mesh: Operators) -> None:
    path = write(tmp_path / "i.nrrd", phantom(), 0.25, LOW + 0.125)
    with pytest.raises(CaseError, match=r"wrong scale: the image is 1.21e\+03 times as large"):
        mapped(path, mesh, unit="m")


def depot(**more: Any) -> dict[str, Any]:
    return {"kind": "gaussian", "centre": ["13 mm", "9 mm", "3 mm"], "radius": "0.6 mm", "dose": "5 mgFe"} | more


@pytest.mark.parametrize("kind", ["gaussian", "spherical"])
@pytest.mark.parametrize("radius", ["0.02 mm", "0.3 mm", "0.9 mm"])  # the mesh has 1 mm
def test_a_depot_has_exactly_its_dose_however_small(mesh: Operators, kind: str, radius: str) -> None:
    found = nodal_iron(iron(depot(kind=kind, radius=radius)), mesh, "left", Path())
    assert found.totals.mesh == pytest.approx(5e-6, rel=1e-12)
    assert held(found, mesh) == pytest.approx(5e-6, rel=1e-12)
    assert centroid(found, mesh) == pytest.approx([13.0, 9.0, 3.0], abs=0.02)
    assert found.notes == ()


def test_depots_add_up(mesh: Operators) -> None:
    found = nodal_iron(
        iron([depot(), depot(kind="spherical", centre=["12 mm", "7 mm", "2 mm"], dose="2 mgFe")]), mesh, "left", Path()
    )
    assert held(found, mesh) == pytest.approx(7e-6, rel=1e-12)
    assert found.totals.declared == pytest.approx(7e-6)


def test_a_depot_that_leaves_a_region_is_noted_then_refused(mesh: Operators) -> None:
    found = nodal_iron(iron(depot(centre=["15.5 mm", "9 mm", "3 mm"])), mesh, "left", Path())
    assert held(found, mesh) == pytest.approx(5e-6, rel=1e-12)
    share = 0.5 * (1 + math.erf(0.5 / 0.6 / math.sqrt(2)))  # of a Gaussian below SPLIT
    told = re.search(r"([0-9.]+) % of it is in region left; scaled by ([0-9.]+) to its dose", found.notes[0])
    assert told
    assert [float(told[1]), float(told[2])] == pytest.approx([100 * share, 1 / share], rel=0.01)
    with pytest.raises(
        CaseError, match=r"5 mgFe at \(16.5, 9, 3\) mm lies outside region left: 20 % of it is inside; at least 50 %"
    ):
        nodal_iron(iron(depot(centre=["16.5 mm", "9 mm", "3 mm"])), mesh, "left", Path())
    with pytest.raises(CaseError, match="lies outside region left: 0 % of it"):
        nodal_iron(iron(depot(centre=["100 mm", "9 mm", "3 mm"])), mesh, "left", Path())


def test_a_depot_converges_to_its_gaussian_with_the_mesh() -> None:
    wide, errors = iron(depot(radius="1.2 mm", dose="1 mgFe")), []
    for size in (1.0, 0.5, 0.25):
        fine = box(MPI.COMM_SELF, size)
        found = nodal_iron(wide, fine, "left", Path())
        exact = wide.concentration(fine.position) * 1e-6 / held_of(wide, fine)
        inner = ((1e3 * fine.position > [11.5, 6.5, 1.5]) & (1e3 * fine.position < [14.5, 11.5, 4.5])).all(axis=1)
        errors.append(np.abs(found.concentration - exact)[inner].max() / exact.max())
    assert errors[-1] < 0.02
    assert np.log2(errors[0] / errors[-1]) / 2 > 1.6


def held_of(distribution: Any, operators: Operators) -> float:
    """Iron of a distribution taken at the nodes."""
    return float(operators.mass["left"][: operators.layout.owned] @ distribution.concentration(operators.position))


@pytest.mark.parametrize(
    "raw",
    [
        "10 mgFe/mL",
        {"kind": "radial", "centre": ["13 mm", "9 mm", "3 mm"], "at": ["0 mm", "3 mm"], "values": ["9 mgFe/mL", "1 mgFe/mL"]},
        {"kind": "axial", "axis": [1, 2, 0], "at": ["10 mm", "20 mm"], "values": ["0 mgFe/mL", "5 mgFe/mL"]},
    ],
)
def test_profiles_are_exact_at_the_nodes_of_their_region_and_none_elsewhere(mesh: Operators, raw: Any) -> None:
    found = nodal_iron(iron(raw), mesh, "left", Path())
    inside = mesh.mass["left"][: mesh.layout.owned] > 0
    assert found.concentration[inside] == pytest.approx(iron(raw).concentration(mesh.position[inside]), rel=1e-14)
    assert (found.concentration[~inside] == 0.0).all()
    assert held(found, mesh) == pytest.approx(found.totals.mesh)


def test_an_axial_profile_totals_its_integral(mesh: Operators) -> None:
    raw = {"kind": "axial", "axis": [1, 0, 0], "at": ["10 mm", "16 mm"], "values": ["0 mgFe/mL", "6 mgFe/mL"]}
    assert nodal_iron(iron(raw), mesh, "left", Path()).totals.mesh == pytest.approx(3.0 * 6 * 8 * 6 * 1e-9, rel=1e-9)


def test_samples_are_shared_among_cells_without_loss_or_gain() -> None:
    # a cube of six cells, whose faces pass through rows of samples
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], dtype=float)
    cells = np.array([[0, a, b, 7] for a, b in ((4, 6), (6, 2), (2, 3), (3, 1), (1, 5), (5, 4))])
    lattice = Lattice(np.full(3, 0.05), 0.1 * np.eye(3), np.full(3, 10), lambda i, j, k: 1.0 * i + 100.0 * j + 1e4 * k)
    iron, volume = deposit(lattice, corners[cells])
    assert iron.sum() == pytest.approx(4.5 * 10101, rel=1e-12)
    assert volume.sum() == pytest.approx(1.0, rel=1e-12)
    moment = np.einsum("ca,cax->x", volume, corners[cells])  # barycentric coordinates keep the middle
    assert moment == pytest.approx([0.5, 0.5, 0.5], abs=1e-7)


RANKS = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from pathlib import Path
from mpi4py import MPI
import test_iron as t
operators = t.box(MPI.COMM_WORLD, 1.0)
folder = Path(sys.argv[2])
fields = [t.mapped(folder / name, operators, elsewhere="allowed") for name in ("fine.nii.gz", "coarse.nrrd")]
fields.append(t.nodal_iron(t.iron([t.depot(), t.depot(kind="spherical")]), operators, "left", folder))
here = np.column_stack((operators.position, *(field.concentration for field in fields)))
rows = MPI.COMM_WORLD.gather(here)
try:
    t.mapped(folder / "missing.nii", operators)
except t.CaseError as error:
    print("told:", error, flush=True)
if MPI.COMM_WORLD.rank == 0:
    rows = np.concatenate(rows)
    order = np.lexsort(np.round(1e6 * rows[:, :3]).T)
    np.savez(sys.argv[3], rows=rows[order], totals=[field.totals.mesh for field in fields])
"""


@pytest.mark.slow
def test_one_two_and_three_ranks_give_the_same_iron(tmp_path: Path) -> None:
    values = np.random.default_rng(6)
    write(tmp_path / "fine.nii.gz", values.random((28, 40, 46)), 0.25, LOW - 0.5)  # centres on faces between cells and ranks
    write(tmp_path / "coarse.nrrd", values.random((4, 5, 6)), 2.3, LOW - 1.0)
    found = []
    for ranks in (1, 2, 3):
        out = tmp_path / f"{ranks}.npz"
        command = [str(Path(sys.executable).parent / "mpiexec"), "-n", str(ranks), sys.executable, "-c", RANKS]
        command += [str(Path(__file__).parent), str(tmp_path), str(out)]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.count("missing.nii: no such file") == ranks
        found.append(np.load(out))
    for other in found[1:]:
        assert other["totals"] == pytest.approx(found[0]["totals"], rel=1e-12)
        assert other["rows"] == pytest.approx(found[0]["rows"], rel=1e-12, abs=1e-12)
