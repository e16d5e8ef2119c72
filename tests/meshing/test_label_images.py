"""Label images become conforming meshes: right volumes, places and names, and one line for what is no label image."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as itk  # noqa: N813

from nanowarm.errors import MeshError
from nanowarm.mesh_section import MeshInput
from nanowarm.meshing import label_images
from nanowarm.meshing.journal import Journal, UnusableError
from nanowarm.meshing.label_lattice import Labelled, Resampling, without_loose_contacts, without_specks
from nanowarm.meshing.label_surfaces import smooth_surfaces
from nanowarm.meshing.mesh_checks import RawMesh, check_mesh, facet_table, signed_volumes
from nanowarm.meshing.mesh_request import ask
from nanowarm.meshing.raw_mesh import MadeMesh, make_mesh

CENTRE = (0.13, -0.21, 0.34)  # of balls [mm]: nowhere in step with the voxels
TURNED = (0.0, -1.0, 0.0, 0.8, 0.0, -0.6, 0.6, 0.0, 0.8)  # direction cosines of an oblique image
MIRRORED = (-1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)  # of a left-handed one


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NANOWARM_CACHE", str(tmp_path_factory.mktemp("cache")))


def write(path: Path, labels: Any, spacing: Any = (1.0, 1.0, 1.0), **more: Any) -> Path:
    """An image of labels, with `origin`, `direction` and `header`, or NumPy's type of the voxels."""
    image = itk.GetImageFromArray(labels.astype(more.get("dtype", np.uint8)))
    image.SetSpacing(spacing)
    image.SetOrigin(more.get("origin", (0.0,) * image.GetDimension()))
    if "direction" in more:
        image.SetDirection(more["direction"])
    for key, text in more.get("header", {}).items():
        image.SetMetaData(key, text)
    itk.WriteImage(image, str(path))
    return path


def read(path: Path, size: str = "1 mm", **section: Any) -> Any:
    """What the mesh process makes of an image, in this process."""
    return label_images.arrays(ask(MeshInput(file=path.name, size=size, **section), path.parent).request, Journal())


def mesh_of(path: Path, size: str = "1 mm", **section: Any) -> MadeMesh:
    return make_mesh(MeshInput(file=path.name, size=size, **section), path.parent)


def volumes(mesh: RawMesh) -> dict[str, float]:
    """Volume of each region [mm3]."""
    cells = np.bincount(mesh.cell_region, signed_volumes(mesh)) * 1e9
    return dict(zip(mesh.region_names, cells, strict=True))


def centres(mesh: RawMesh) -> dict[str, Any]:
    """Centre of mass of each region [mm]."""
    weights, middles = signed_volumes(mesh), mesh.points[mesh.cells].mean(axis=1)
    found = {}
    for i, name in enumerate(mesh.region_names):
        own = mesh.cell_region == i
        found[name] = 1e3 * np.average(middles[own], axis=0, weights=weights[own])
    return found


def ball(spacing: Any, radius: float, half: float) -> Any:
    """Voxels of a box of edges 2 half around 0, as 1, and in it a ball, as 2."""
    axes = [(np.arange(round(2 * half / step)) + 0.5) * step - half for step in spacing]
    x, y, z = (axis - aside for axis, aside in zip(axes, CENTRE, strict=True))
    distance = x[None, None, :] ** 2 + y[None, :, None] ** 2 + z[:, None, None] ** 2
    return 1 + (distance < radius**2)


def block(labels: Any, value: int, corner: tuple[int, int, int], shape: tuple[int, int, int]) -> None:
    """Set a block of voxels, by its corner and shape along x, y and z."""
    labels[tuple(slice(a, a + n) for a, n in zip(corner[::-1], shape[::-1], strict=True))] = value


def markers() -> Any:
    """Three blocks of different shapes that no turn or flip leaves in their places."""
    labels = np.zeros((18, 20, 24), np.uint8)
    block(labels, 1, (3, 3, 3), (8, 6, 5))
    block(labels, 2, (14, 3, 4), (6, 10, 6))
    block(labels, 3, (4, 12, 6), (5, 5, 9))
    return labels


NAMES = {"1": "low", "2": "long", "3": "tall"}


def test_a_ball_of_10_mm_in_voxels_of_1_mm_has_its_volume_within_1_percent(tmp_path: Path) -> None:
    path = write(tmp_path / "ball.nii.gz", ball((1.0, 1.0, 1.0), 10.0, 12.0))
    found = volumes(mesh_of(path, "1.5 mm", labels={"1": "box", "2": "ball"}).mesh)
    assert found["ball"] == pytest.approx(4.0 / 3.0 * np.pi * 10.0**3, rel=0.01)
    assert sum(found.values()) == pytest.approx(24.0**3, rel=1e-3)


def surface_error(step: float) -> tuple[float, float]:
    """Root mean square distance [mm] from a sphere of 8 mm, and relative error of its volume, of surfaces before meshing."""
    half = 10.0
    voxels = Labelled(ball((step,) * 3, 8.0, half).astype(np.uint16), np.full(3, -half + step / 2), step * np.eye(3))
    patches = smooth_surfaces(voxels, Resampling(voxels, step), ("box", "ball"))
    corners = patches.points[patches.triangles[patches.patch == patches.sides.index((1, 0))]] - CENTRE
    volume = np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6.0
    distance = np.linalg.norm(corners, axis=2) - 8.0
    return float(np.sqrt(np.mean(distance**2))), abs(volume / (4.0 / 3.0 * np.pi * 8.0**3) - 1.0)


def test_the_surface_comes_closer_to_the_sphere_in_step_with_the_voxels() -> None:
    errors = [surface_error(step) for step in (1.0, 0.5, 0.25)]
    for (coarse, _), (fine, _) in pairwise(errors):
        assert fine < 0.7 * coarse  # 0.5, less what smoothing over a fixed number of voxels leaves
    assert errors[0][0] < 0.15  # a node may be half a voxel off
    assert errors[0][1] < 0.01
    assert errors[2][1] < 0.3 * errors[0][1]


def test_flat_voxels_make_a_ball_all_the_same(tmp_path: Path) -> None:
    spacing = (0.5, 0.5, 2.0)
    path = write(tmp_path / "ball.nrrd", ball(spacing, 8.0, 10.0), spacing)
    made = mesh_of(path, "2 mm", labels={"1": "box", "2": "ball"}).mesh
    assert volumes(made)["ball"] == pytest.approx(4.0 / 3.0 * np.pi * 8.0**3, rel=0.02)
    nodes = 1e3 * made.points[np.unique(made.cells[made.cell_region == 1])]
    assert np.ptp(nodes, axis=0) == pytest.approx([16.0] * 3, abs=1.0)


@pytest.mark.parametrize("convention", ["LPS", "RAS"])
@pytest.mark.parametrize("direction", [TURNED, MIRRORED])
def test_regions_lie_where_the_header_says(tmp_path: Path, direction: Any, convention: Any) -> None:
    spacing, origin, labels = np.array([1.0, 1.2, 0.9]), np.array([5.0, -6.0, 7.0]), markers()
    path = write(tmp_path / "markers.nii", labels, spacing.tolist(), origin=origin.tolist(), direction=direction)
    mesh = mesh_of(path, "2 mm", labels=NAMES, coordinates=convention).mesh
    for value, name in NAMES.items():
        index = np.argwhere(labels == int(value)).mean(axis=0)[::-1]
        place = origin + np.array(direction).reshape(3, 3) @ (spacing * index)
        wanted = place * (1.0 if convention == "LPS" else np.array([-1.0, -1.0, 1.0]))
        assert centres(mesh)[name] == pytest.approx(wanted, abs=0.1)
        # A corner cut off where the three faces of a voxel meet takes less than a tenth of such small blocks.
        assert volumes(mesh)[name] == pytest.approx((labels == int(value)).sum() * spacing.prod(), rel=0.1)


def test_neighbours_share_the_nodes_between_them(tmp_path: Path) -> None:
    labels = np.zeros((14, 14, 14), np.uint8)
    block(labels, 1, (2, 2, 2), (10, 10, 10))
    block(labels, 2, (7, 2, 2), (5, 10, 10))
    block(labels, 3, (7, 7, 2), (5, 5, 10))
    path = write(tmp_path / "three.mha", labels)
    mesh = mesh_of(path, "1.5 mm", labels={"1": "left", "2": "front", "3": "back"}).mesh
    check_mesh(mesh, path)
    left, front, back = (set(np.unique(mesh.cells[mesh.cell_region == i]).tolist()) for i in range(3))
    edge = np.array(sorted(left & front & back))
    assert len(edge) >= 5
    assert np.abs(1e3 * mesh.points[edge][:, :2] - 6.5).max() < 0.5
    assert mesh.surface_names == ("outer",)


def test_the_border_of_the_image_is_flat_and_a_surface_of_its_own(tmp_path: Path) -> None:
    labels = ball((1.0, 1.0, 1.0), 9.0, 11.0)[11:] - 1  # a little more than half a ball, on the lower border
    made = mesh_of(write(tmp_path / "half.nrrd", labels), "2 mm", labels={"1": "half"})
    mesh = made.mesh
    assert set(mesh.surface_names) == {"outer", "cut"}
    corners = 1e3 * mesh.points[mesh.facets[mesh.facet_surface == mesh.surface_names.index("cut")]]
    assert corners[..., 2] == pytest.approx(-0.5, abs=1e-6)
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1).sum() / 2
    assert area == pytest.approx(np.pi * (9.0**2 - 0.34**2), rel=0.03)
    assert any("border of the image" in note and "'cut'" in note for note in made.notes)


def test_a_body_that_fills_the_image_keeps_its_corners(tmp_path: Path) -> None:
    mesh = mesh_of(write(tmp_path / "full.nrrd", np.ones((8, 8, 8)), (1.0, 1.0, 2.0)), "2 mm", labels={"1": "all"}).mesh
    assert volumes(mesh)["all"] == pytest.approx(8 * 8 * 16, rel=1e-6)
    assert np.ptp(1e3 * mesh.points, axis=0) == pytest.approx([8.0, 8.0, 16.0], abs=1e-6)


def slicer_header(**more: str) -> dict[str, str]:
    own = {
        "Segment0_ID": "Segment_1",
        "Segment0_Name": "liver",
        "Segment0_LabelValue": "1",
        "Segment1_Name": "large tumour",
        "Segment1_LabelValue": "2",
        "Segment2_Name": "empty",
        "Segment2_LabelValue": "3",
    }
    return own | more


def two_boxes() -> Any:
    labels = np.zeros((10, 10, 10), np.uint8)
    block(labels, 1, (2, 2, 2), (6, 6, 6))
    block(labels, 2, (5, 2, 2), (3, 6, 6))
    return labels


def test_a_segmentation_of_slicer_brings_its_names_and_the_case_overrules_them(tmp_path: Path) -> None:
    path = write(tmp_path / "organs.seg.nrrd", two_boxes(), header=slicer_header())
    assert set(mesh_of(path, "2 mm").mesh.region_names) == {"liver", "large tumour"}
    assert set(mesh_of(path, "2 mm", labels={"2": "cyst"}).mesh.region_names) == {"liver", "cyst"}


def test_labels_of_one_name_are_one_region(tmp_path: Path) -> None:
    path = write(tmp_path / "twins.nrrd", two_boxes())
    mesh = mesh_of(path, "2 mm", labels={"1": "kidney", "2": "kidney"}).mesh
    assert mesh.region_names == ("kidney",)
    assert len(mesh.facets) == int(np.sum(facet_table(mesh).count == 1))


def test_a_label_named_background_is_left_out_and_zero_is_meshed_when_named(tmp_path: Path) -> None:
    path = write(tmp_path / "boxes.nrrd", two_boxes())
    made = mesh_of(path, "2 mm", labels={"0": "gel", "1": "liver", "2": "Background"})
    assert set(made.mesh.region_names) == {"gel", "liver"}
    assert sum(volumes(made.mesh).values()) == pytest.approx(1000.0 - 3 * 6 * 6, rel=0.03)
    assert any("left out" in note and "108 voxels" in note for note in made.notes)


def test_a_float_image_of_whole_numbers_is_a_label_image(tmp_path: Path) -> None:
    path = write(tmp_path / "boxes.nii.gz", two_boxes(), dtype=np.float32)
    assert set(mesh_of(path, "2 mm", labels={"1": "a", "2": "b"}).mesh.region_names) == {"a", "b"}


def test_the_notes_tell_spacing_convention_and_volumes(tmp_path: Path) -> None:
    path = write(tmp_path / "boxes.nrrd", two_boxes(), (1.0, 1.0, 2.0))
    told = "\n".join(mesh_of(path, "2 mm", labels={"1": "a", "2": "b"}, coordinates="RAS").notes)
    assert "10 x 10 x 10 voxels of 1 x 1 x 2 mm" in told
    assert "RAS" in told
    assert "a 0.216, 0.2" in told  # 3 x 6 x 6 voxels of 2 mm3, in mL


def test_a_size_is_chosen_and_told_where_none_is_given(tmp_path: Path) -> None:
    path = write(tmp_path / "boxes.nrrd", two_boxes())
    made = make_mesh(MeshInput(file=path.name, labels={"1": "a", "2": "b"}), tmp_path)
    assert any("no size is given: 1 mm" in note for note in made.notes)  # that of the voxels, in so small an image


def test_specks_go_to_the_region_around_them_and_are_counted(tmp_path: Path) -> None:
    labels = two_boxes()
    block(labels, 2, (3, 4, 4), (1, 2, 1))
    labels[0, 0, 0] = 1
    made = mesh_of(write(tmp_path / "specks.nrrd", labels), "2 mm", labels={"1": "a", "2": "b"})
    assert any("2 pieces below 8 mm3, together 3 mm3" in note for note in made.notes)


def test_a_speck_takes_the_region_of_most_neighbours() -> None:
    region = np.ones((6, 6, 6), np.uint16)
    region[:, :, 3:] = 2
    region[2, 2, 1] = 3
    cleaned, sizes = without_specks(Labelled(region, np.zeros(3), np.eye(3)), 8)
    assert cleaned.region[2, 2, 1] == 1
    assert sizes.tolist() == [1]


@pytest.mark.parametrize("corner", [(1, 1, 0), (1, 1, 1)], ids=["edge", "corner"])
def test_blocks_that_touch_by_an_edge_or_a_corner_only_are_joined_or_parted(corner: tuple[int, int, int]) -> None:
    labels = np.zeros((14, 14, 14), np.uint16)
    block(labels, 1, (2, 2, 2), (5, 5, 5))
    block(labels, 1, tuple(2 + 5 * c for c in corner), (5, 5, 5))
    lattice, changed = without_loose_contacts(Labelled(labels, np.zeros(3), np.eye(3)))
    assert 0 < changed <= 10
    patches = smooth_surfaces(lattice, Resampling(lattice, 1.0), ("a",))
    edges = np.sort(patches.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()


def test_a_noisy_ball_ends_without_loose_contacts() -> None:
    labels = ball((1.0, 1.0, 1.0), 9.0, 12.0).astype(np.uint16)
    random = np.random.default_rng(7)
    noise = random.random(labels.shape) < 0.05
    labels[noise] = random.integers(0, 4, noise.sum())
    mended, changed = without_loose_contacts(Labelled(labels, np.zeros(3), np.eye(3)))
    assert changed > 0
    assert without_loose_contacts(mended)[1] == 0


@pytest.mark.parametrize("spacing", [0.4, 1.0, 1.3, 2.0, 2.7])
def test_shares_sum_to_one_and_keep_the_amounts(spacing: float) -> None:
    labels = np.random.default_rng(3).integers(0, 3, (13, 16, 20)).astype(np.uint16)
    resampling = Resampling(Labelled(labels, np.zeros(3), np.eye(3)), spacing)
    total = np.zeros(resampling.lattice().region.shape)
    for region in range(3):
        box, share = resampling.share(region)
        total[box] += share
    assert total == pytest.approx(1.0, abs=1e-5)


def test_a_lattice_fills_the_box_of_the_voxels() -> None:
    steps = np.array(TURNED).reshape(3, 3) * (1.0, 2.0, 3.0)
    voxels = Labelled(np.ones((4, 5, 6), np.uint16), np.array([7.0, 8.0, 9.0]), steps)
    lattice = Resampling(voxels, 0.7).lattice()
    for side in (-0.5, 0.5):
        wanted = voxels.first + voxels.steps @ (np.array([5, 4, 3]) * (side + 0.5) + side)
        last = np.array(lattice.region.shape[::-1]) - 1
        assert lattice.first + lattice.steps @ (last * (side + 0.5) + side) == pytest.approx(wanted)


def test_the_same_image_gives_the_same_mesh(tmp_path: Path) -> None:
    path = write(tmp_path / "boxes.nrrd", two_boxes())
    one, two = (read(path, "2 mm", labels={"1": "a", "2": "b"}) for _ in range(2))
    assert (one["points"] == two["points"]).all()
    assert (one["cells"] == two["cells"]).all()


def fractions() -> Any:
    labels = two_boxes().astype(np.float32)
    labels[4, 4, 4] = 0.37
    return labels


WHOLE: dict[str, Any] = {"labels": two_boxes}
BAD: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "no names": (WHOLE, {}, r"2 labels of the image have no name: 1 \(108 voxels, 0.108 mL\), 2 \(108 voxels, 0.108 mL\); name"),
    "half the names": (WHOLE, {"labels": {"1": "a"}}, r"1 labels of the image have no name: 2 \(108 voxels"),
    "a name too many": (WHOLE, {"labels": {"1": "a", "2": "b", "7": "c"}}, r"label 7 \(c\), but the image has only 0 \(784 vox"),
    "an empty name": (WHOLE, {"labels": {"1": "a", "2": " "}}, r'mesh.labels.2 is empty; write "background"'),
    "nothing left": (WHOLE, {"labels": {"1": "background", "2": "background"}}, "every voxel is background"),
    "only background": ({"labels": lambda: np.zeros((4, 4, 4))}, {}, "every voxel is background"),
    "fractions": ({"labels": fractions, "dtype": np.float32}, {}, r"1 voxels hold fractions, e.g. 0.37; labels are whole"),
    "a scan": (
        {"labels": lambda: np.arange(-500, 500).reshape(10, 10, 10), "dtype": np.int16},
        {},
        "1000 different values from -500 to 499, as of a scan",
    ),
    "one slice": ({"labels": lambda: np.ones((1, 8, 8))}, {"labels": {"1": "a"}}, r"one slice of voxels \(8 x 8 x 1\)"),
    "a region too small": (
        {"labels": lambda: np.pad(np.full((2, 2, 2), 2), 4, constant_values=1)},
        {"labels": {"1": "a", "2": "dot"}, "size": "8 mm"},
        "the region 'dot', 0.008 mL in the image, vanishes at a resolution of",
    ),
    "too fine": (
        {"labels": lambda: np.ones((4, 4, 4)), "spacing": (0.01, 0.01, 10000.0)},
        {"labels": {"1": "a"}, "size": "0.002 mm"},
        r"lattice of 0.01 mm would have .* give no size below [\d.]+ mm, or crop",
    ),
}


@pytest.mark.parametrize("fault", BAD)
def test_what_is_no_label_image_ends_with_one_line(tmp_path: Path, fault: str) -> None:
    image, section, message = BAD[fault]
    labels: Callable[[], Any] = image["labels"]
    path = write(tmp_path / "bad.nrrd", labels(), **{key: value for key, value in image.items() if key != "labels"})
    with pytest.raises(UnusableError, match=message) as caught:
        read(path, **({"size": "1 mm"} | section))
    assert "\n" not in str(caught.value)
    assert str(path) not in str(caught.value)  # it is put before all that the process says


def test_four_axes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "series.nii.gz"
    itk.WriteImage(itk.GetImageFromArray(np.ones((2, 5, 5, 5), np.uint8)), str(path))
    with pytest.raises(UnusableError, match=r"^must hold one real number per voxel of three axes"):
        read(path, labels={"1": "a"})


def test_overlapping_segments_are_refused(tmp_path: Path) -> None:
    layers = itk.GetImageFromArray(np.ones((5, 5, 5, 2), np.uint8), isVector=True)
    for key, text in slicer_header().items():
        layers.SetMetaData(key, text)
    itk.WriteImage(layers, str(tmp_path / "layers.seg.nrrd"))
    with pytest.raises(UnusableError, match=r"segments lie over each other, in 2 layers.*labelmap"):
        read(tmp_path / "layers.seg.nrrd")


def test_a_truncated_image_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "boxes.nii", two_boxes())
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(MeshError, match="truncated: it holds 900 bytes of voxels of the 1000"):
        mesh_of(path, labels={"1": "a", "2": "b"})
