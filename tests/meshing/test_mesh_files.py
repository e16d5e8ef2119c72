"""Volume meshes in every format keep their volumes, regions and surfaces; what can't be used is refused in one line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import meshio
import numpy as np
import pytest
import pyvista as pv
from scipy.io import netcdf_file

from nanowarm.errors import MeshError
from nanowarm.mesh_section import MeshInput
from nanowarm.meshing.mesh_checks import RawMesh, signed_volumes
from nanowarm.meshing.raw_mesh import MadeMesh, make_mesh

TAGS = {"cortex": 3, "medulla": 7, "bottom": 11, "half": 12}
VOLUMES = {"cortex": 0.5, "medulla": 1.5}  # of a block of 1 x 1 x 2, parted at a height of 0.5
AREAS = {"bottom": 1.0, "half": 0.5, "outer": 2 + 4 * 2 - 1 - 0.5}
CUBE = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1]])
# One tetrahedron for each order of the three axes in which a way goes from corner 0 to corner 6.
KUHN = [[0, 1, 2, 6], [0, 1, 5, 6], [0, 3, 2, 6], [0, 3, 7, 6], [0, 4, 5, 6], [0, 4, 7, 6]]
SOLIDS = {"tetra": KUHN, "wedge": [[0, 1, 2, 4, 5, 6], [0, 2, 3, 4, 6, 7]], "hexahedron": [list(range(8))]}


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NANOWARM_CACHE", str(tmp_path_factory.mktemp("cache")))


def lattice() -> tuple[Any, Any]:
    """Points and hexahedra of the block, in a shuffled order of nodes."""
    counts = np.array([2, 2, 4])
    grid = np.indices(counts + 1).reshape(3, -1).T
    low = np.indices(counts).reshape(3, -1).T
    number = np.random.default_rng(1).permutation(len(grid))
    corner = low[:, None] + CUBE[None]
    points = np.empty((len(grid), 3))
    points[number] = grid / 2
    return points, number[np.ravel_multi_index(np.moveaxis(corner, -1, 0), counts + 1)]


def block(solid: str = "tetra") -> meshio.Mesh:
    """The block of one kind of solid with the facets of two surfaces, one block of cells per region and surface."""
    points, cubes = lattice()
    cells = cubes[:, SOLIDS[solid]].reshape(-1, len(SOLIDS[solid][0]))
    low = points[cells][..., 2].max(axis=1) < 0.5 + 1e-9
    sides = {"bottom": facets_where(points, cubes, solid, lambda x: x[..., 2] == 0)}
    sides["half"] = facets_where(points, cubes, solid, lambda x: (x[..., 2] == 2) & (x[..., 0] <= 0.5))
    kind = "quad" if solid == "hexahedron" else "triangle"
    parts = [(solid, cells[low]), (solid, cells[~low]), *((kind, nodes) for nodes in sides.values())]
    return meshio.Mesh(points, parts)


def facets_where(points: Any, cubes: Any, solid: str, condition: Any) -> Any:
    """Quadrilaterals, or triangles, of the lower and upper faces of the cubes."""
    faces = np.concatenate([cubes[:, [0, 1, 2, 3]], cubes[:, [4, 5, 6, 7]]])
    faces = np.unique(faces[condition(points[faces]).all(axis=1)], axis=0)
    return faces if solid == "hexahedron" else faces[:, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3)


def tagged(array: str, solid: str = "tetra", **kinds: Any) -> meshio.Mesh:
    """The block with the tags of its parts in a cell array; `kinds` may say the type of the numbers."""
    mesh = block(solid)
    kind = kinds.get("dtype", np.int64)
    mesh.cell_data[array] = [np.full(len(part.data), tag, kind) for part, tag in zip(mesh.cells, TAGS.values(), strict=True)]
    return mesh


def joined(mesh: meshio.Mesh) -> meshio.Mesh:
    """The mesh with one block of cells per kind, as some formats need it."""
    kinds = list(dict.fromkeys(part.type for part in mesh.cells))
    rows = {kind: [i for i, part in enumerate(mesh.cells) if part.type == kind] for kind in kinds}
    cells = [(kind, np.concatenate([mesh.cells[i].data for i in rows[kind]])) for kind in kinds]
    data = {name: [np.concatenate([parts[i] for i in rows[kind]]) for kind in kinds] for name, parts in mesh.cell_data.items()}
    return meshio.Mesh(mesh.points, cells, cell_data=data)


def made(file: Path) -> MadeMesh:
    return make_mesh(MeshInput(file=str(file), unit="m"), file.parent)


def volumes(mesh: RawMesh) -> dict[str, float]:
    shares = signed_volumes(mesh)
    return {name: float(shares[mesh.cell_region == i].sum()) for i, name in enumerate(mesh.region_names)}


def areas(mesh: RawMesh) -> dict[str, float]:
    a, b, c = np.moveaxis(mesh.points[mesh.facets], 1, 0)
    shares = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    return {name: float(shares[mesh.facet_surface == i].sum()) for i, name in enumerate(mesh.surface_names)}


def by_tag(values: dict[str, float]) -> dict[str, float]:
    return {str(TAGS.get(name, name)): value for name, value in values.items()}


def named_gmsh(folder: Path, solid: str = "tetra") -> Path:
    """The block in Gmsh's own format, with names."""
    mesh = tagged("gmsh:physical", solid)
    mesh.cell_data["gmsh:geometrical"] = [part.copy() for part in mesh.cell_data["gmsh:physical"]]
    mesh.field_data = {name: np.array([tag, 3 if name in VOLUMES else 2]) for name, tag in TAGS.items()}
    file = folder / "named.msh"
    mesh.write(file, file_format="gmsh22", binary=False)
    return file


def converted(file: Path, to: str, **options: float) -> Path:
    """The mesh as Gmsh writes it in another format."""
    target = file.with_name(f"converted{to}")
    settings = "".join(f"gmsh.option.setNumber('{name.replace('_', '.')}', {value});" for name, value in options.items())
    script = (
        "import gmsh, sys; gmsh.initialize(['gmsh', '-v', '0'], readConfigFiles=False);"
        f"gmsh.open(sys.argv[1]); {settings} gmsh.write(sys.argv[2])"
    )
    subprocess.run([sys.executable, "-c", script, str(file), str(target)], check=True)
    return target


@pytest.mark.parametrize(
    ("array", "suffix", "options"),
    [
        ("region", ".vtu", {}),
        ("material", ".vtu", {"binary": False}),
        ("region", ".vtk", {}),
        ("region", ".vtk", {"binary": False, "file_format": "vtk42"}),
        ("region", ".xdmf", {}),
        ("region", ".xdmf", {"data_format": "XML"}),
        ("medit:ref", ".mesh", {}),
        ("medit:ref", ".meshb", {}),
        ("nastran:ref", ".nas", {}),
        ("cell_tags", ".med", {}),
        ("avsucd:material", ".avs", {}),
        ("avsucd:material", ".inp", {"file_format": "avsucd"}),
    ],
)
def test_a_mesh_keeps_its_tags(tmp_path: Path, array: str, suffix: str, options: dict[str, Any]) -> None:
    file = tmp_path / f"block{suffix}"
    joined(tagged(array)).write(file, **options)
    mesh = made(file).mesh
    assert volumes(mesh) == pytest.approx(by_tag(VOLUMES), rel=1e-12)
    assert areas(mesh) == pytest.approx(by_tag(AREAS), rel=1e-12)


@pytest.mark.parametrize(
    ("suffix", "array"), [(".mdpa", "gmsh:physical"), (".xml", ""), (".dat", ""), (".post", ""), (".hmf", "")]
)
def test_a_format_without_names_gives_one_region(tmp_path: Path, suffix: str, array: str) -> None:
    file = tmp_path / f"block{suffix}"
    mesh = joined(tagged(array))
    mesh.cell_data = mesh.cell_data if array else {}
    mesh.write(file)
    read = made(file)
    assert volumes(read.mesh) == pytest.approx({"body": 2.0}, rel=1e-12)
    assert areas(read.mesh) == pytest.approx({"outer": 10.0}, rel=1e-12)
    assert "the file names no regions: all cells are the region 'body'" in read.notes


@pytest.mark.parametrize(("version", "binary"), [(2.2, 0), (2.2, 1), (4.0, 0), (4.1, 0), (4.1, 1)])
def test_a_mesh_of_gmsh_keeps_its_names(tmp_path: Path, version: float, binary: int) -> None:
    file = converted(named_gmsh(tmp_path), ".msh", Mesh_MshFileVersion=version, Mesh_Binary=binary)
    check_names(file)


@pytest.mark.parametrize("suffix", [".unv", ".med", ".cgns", ".inp"])
def test_a_mesh_that_gmsh_wrote_keeps_its_names(tmp_path: Path, suffix: str) -> None:
    check_names(converted(named_gmsh(tmp_path), suffix))


@pytest.mark.parametrize("suffix", [".bdf", ".mesh"])
def test_a_mesh_that_gmsh_wrote_keeps_its_numbers(tmp_path: Path, suffix: str) -> None:
    mesh = made(converted(named_gmsh(tmp_path), suffix)).mesh
    assert volumes(mesh) == pytest.approx(by_tag(VOLUMES), rel=1e-12)
    assert areas(mesh) == pytest.approx(by_tag(AREAS), rel=1e-12)


def check_names(file: Path) -> None:
    mesh = made(file).mesh
    assert volumes(mesh) == pytest.approx(VOLUMES, rel=1e-12)
    assert areas(mesh) == pytest.approx(AREAS, rel=1e-12)


def abaqus(mesh: meshio.Mesh, surfaces: str) -> str:
    """The block as an Abaqus file whose elements begin with triangles that are in no set."""
    nodes = "".join(f"{i}, {x}, {y}, {z}\n" for i, (x, y, z) in enumerate(mesh.points, 1))
    text = f"*HEADING\n block\n*NODE, NSET=ALL\n{nodes}*ELEMENT, TYPE=S3\n900, 1, 2, 3\n"
    start = 1
    for part, name, kind in ((0, "Cortex", "C3D4"), (1, "medulla", "DC3D4"), (1, "medulla", "C3D4")):
        cells = mesh.cells[part].data
        rows = cells if part == 0 else np.array_split(cells, 2)[kind == "C3D4"]
        lines = "".join(f"{start + i}, {', '.join(map(str, row + 1))}\n" for i, row in enumerate(rows))
        text += f"*ELEMENT, TYPE={kind},\nELSET={name}\n{lines}"
        start += len(rows)
    return f"{text}** a comment\n*ELSET, ELSET=EALL, GENERATE\n1, {start - 1}\n{surfaces}*STEP\n*NODE FILE\nU\n"


def sides_of(mesh: meshio.Mesh) -> dict[str, list[tuple[int, int]]]:
    """Number of the cell, and of the corner opposite to it, of each triangle of the two surfaces."""
    cells = np.concatenate([mesh.cells[0].data, mesh.cells[1].data])
    place = {frozenset(np.delete(cell, i)): (number, i) for number, cell in enumerate(cells) for i in range(4)}
    return {name: [place[frozenset(row)] for row in mesh.cells[i].data] for i, name in ((2, "bottom"), (3, "half"))}


def test_an_abaqus_file_names_surfaces_by_sides_of_elements(tmp_path: Path) -> None:
    mesh, text = block(), ""
    side = {3: 1, 2: 2, 0: 3, 1: 4}  # of C3D4, by the corner that it does not have
    for name, places in sides_of(mesh).items():
        sets = {number: [str(cell + 1) for cell, corner in places if side[corner] == number] for number in side.values()}
        sets = {number: cells for number, cells in sets.items() if cells}
        text += "".join(f"*ELSET, ELSET=_{name}_S{number}, INTERNAL\n{', '.join(cells)}\n" for number, cells in sets.items())
        text += f"*SURFACE, TYPE=ELEMENT, NAME={name}\n" + "".join(f"_{name}_S{number}, S{number}\n" for number in sets)
    file = tmp_path / "block.inp"
    file.write_text(abaqus(mesh, text))
    read = made(file)
    assert volumes(read.mesh) == pytest.approx({"Cortex": 0.5, "medulla": 1.5}, rel=1e-12)
    assert areas(read.mesh) == pytest.approx(AREAS, rel=1e-12)
    assert any("each belongs to the smallest region" in note for note in read.notes)


def test_an_abaqus_file_names_surfaces_by_sets_of_nodes(tmp_path: Path) -> None:
    mesh = block()
    sets = {name: np.unique(mesh.cells[i].data) + 1 for i, name in ((2, "bottom"), (3, "half"))}
    file = tmp_path / "block.inp"
    file.write_text(abaqus(mesh, "".join(f"*NSET, NSET={name}\n{', '.join(map(str, nodes))}\n" for name, nodes in sets.items())))
    read = made(file).mesh
    assert volumes(read) == pytest.approx({"Cortex": 0.5, "medulla": 1.5}, rel=1e-12)
    assert areas(read) == pytest.approx(AREAS, rel=1e-12)


def test_sets_of_single_volumes_of_gmsh_do_not_hide_the_named_set_of_both(tmp_path: Path) -> None:
    text = abaqus(block(), "*ELSET, ELSET=body\nCortex, medulla\n").replace("Cortex", "Volume1").replace("medulla", "Volume2")
    file = tmp_path / "block.inp"
    file.write_text(text.replace("*ELSET, ELSET=EALL, GENERATE\n1, 96\n", ""))
    assert volumes(made(file).mesh) == pytest.approx({"body": 2.0}, rel=1e-12)


@pytest.mark.parametrize("named", [True, False])
def test_an_exodus_file_keeps_the_names_or_numbers_of_blocks_and_side_sets(tmp_path: Path, named: bool) -> None:
    file = tmp_path / "block.e"
    write_exodus(file, block(), named)
    mesh = made(file).mesh
    assert volumes(mesh) == pytest.approx(VOLUMES if named else by_tag(VOLUMES), rel=1e-12)
    assert areas(mesh) == pytest.approx(AREAS if named else by_tag(AREAS), rel=1e-12)


def write_exodus(file: Path, mesh: meshio.Mesh, named: bool) -> None:
    """Source: Exodus II: A Finite Element Data Model, SAND92-2137, appendix A; sides of a tetrahedron in its figure 6."""
    side = {2: 1, 0: 2, 1: 3, 3: 4}  # by the corner that it does not have
    kinds = {"eb": ["cortex", "medulla"], "ss": ["bottom", "half"]}
    dimensions = {"len_name": 33, "num_dim": 3, "num_nodes": len(mesh.points), "num_el_blk": 2, "num_side_sets": 2}
    dimensions |= {"num_elem": len(mesh.cells[0].data) + len(mesh.cells[1].data)}
    arrays: dict[str, tuple[tuple[str, ...], str, Any]] = {}
    for i, axis in enumerate("xyz"):
        arrays[f"coord{axis}"] = (("num_nodes",), "f8", mesh.points[:, i])
    for kind, count in (("eb", "num_el_blk"), ("ss", "num_side_sets")):
        names = [list((name if named else "").ljust(33, "\0")) for name in kinds[kind]]
        arrays |= {f"{kind}_status": ((count,), "i4", [1, 1]), f"{kind}_names": ((count, "len_name"), "S1", names)}
        arrays[f"{kind}_prop1"] = ((count,), "i4", [TAGS[name] for name in kinds[kind]])
    for i, places in enumerate(sides_of(mesh).values()):
        dimensions |= {f"num_side_ss{i + 1}": len(places), f"num_el_in_blk{i + 1}": len(mesh.cells[i].data)}
        dimensions[f"num_nod_per_el{i + 1}"] = 4
        cells, corners = zip(*places, strict=True)
        arrays[f"elem_ss{i + 1}"] = ((f"num_side_ss{i + 1}",), "i4", np.array(cells) + 1)
        arrays[f"side_ss{i + 1}"] = ((f"num_side_ss{i + 1}",), "i4", [side[corner] for corner in corners])
        shape = (f"num_el_in_blk{i + 1}", f"num_nod_per_el{i + 1}")
        arrays[f"connect{i + 1}"] = (shape, "i4", mesh.cells[i].data + 1)
    with netcdf_file(file, "w", version=2) as stream:
        stream.api_version, stream.version, stream.title = np.float32(5.1), np.float32(5.1), "block"
        stream.floating_point_word_size, stream.file_size = np.int32(8), np.int32(1)
        stream.createDimension("time_step", None)
        for name, length in dimensions.items():
            stream.createDimension(name, length)
        for name, (shape, kind, values) in arrays.items():
            variable = stream.createVariable(name, kind, shape)
            variable[:] = np.array(values, kind)
            if name.startswith("connect"):
                variable.elem_type = "TETRA"
            if name.endswith("prop1"):
                setattr(variable, "name", "ID")  # noqa: B010


def rows(table: Any, first: int = 0) -> str:
    return "".join(f"{i} {' '.join(map(str, row))}\n" for i, row in enumerate(table, first))


def test_an_su2_file_keeps_the_names_of_its_markers(tmp_path: Path) -> None:
    mesh = joined(tagged("tag"))
    text = f"NDIME= 3\nNELEM= {len(mesh.cells[0].data)}\n" + "".join(
        f"10 {' '.join(map(str, row))}\n" for row in mesh.cells[0].data
    )
    text += f"NPOIN= {len(mesh.points)}\n" + "".join(f"{x} {y} {z}\n" for x, y, z in mesh.points) + "NMARK= 2\n"
    for part, name in zip(block().cells[2:], ("bottom", "half"), strict=True):
        text += f"MARKER_TAG= {name}\nMARKER_ELEMS= {len(part.data)}\n"
        text += "".join(f"5 {' '.join(map(str, row))}\n" for row in part.data)
    file = tmp_path / "block.su2"
    file.write_text(text)
    read = made(file).mesh
    assert volumes(read) == pytest.approx({"body": 2.0}, rel=1e-12)
    assert areas(read) == pytest.approx(AREAS, rel=1e-12)


def test_a_ugrid_file_keeps_the_numbers_of_its_surfaces(tmp_path: Path) -> None:
    mesh = joined(tagged("tag"))
    (cells, facets), tags = (part.data + 1 for part in mesh.cells), mesh.cell_data["tag"][1]
    parts = [[[len(mesh.points), len(facets), 0, len(cells), 0, 0, 0]], mesh.points, facets, tags[:, None], cells]
    file = tmp_path / "block.ugrid"
    file.write_text("".join(f"{' '.join(map(str, row))}\n" for part in parts for row in part))
    read = made(file).mesh
    assert volumes(read) == pytest.approx({"body": 2.0}, rel=1e-12)
    assert areas(read) == pytest.approx(by_tag(AREAS), rel=1e-12)


def test_a_flac3d_file_keeps_the_names_of_its_groups(tmp_path: Path) -> None:
    mesh, text = block(), ""
    text += "".join(f"G {i} {x} {y} {z}\n" for i, (x, y, z) in enumerate(mesh.points, 1))
    number = 1
    groups = ""
    for part, name, kind in zip(mesh.cells, TAGS, ("Z T4", "Z T4", "F T3", "F T3"), strict=True):
        number = 1 if name == "bottom" else number
        numbers = range(number, number + len(part.data))
        text += "".join(f"{kind} {i} {' '.join(map(str, row + 1))}\n" for i, row in zip(numbers, part.data, strict=True))
        groups += f'{kind[0]}GROUP "{name}" SLOT 1\n{" ".join(map(str, numbers))}\n'
        number += len(part.data)
    file = tmp_path / "block.f3grid"
    file.write_text(text + groups)
    check_names(file)


@pytest.mark.parametrize("given", [".ele", ".node"])
@pytest.mark.parametrize("first", [0, 1])
def test_a_mesh_of_tetgen_keeps_its_numbers(tmp_path: Path, given: str, first: int) -> None:
    mesh = joined(tagged("tag"))
    tags = mesh.cell_data["tag"]
    cells, faces = (np.column_stack([part.data + first, tag]) for part, tag in zip(mesh.cells, tags, strict=True))
    (tmp_path / "block.node").write_text(f"# nodes\n{len(mesh.points)} 3 0 0\n" + rows(mesh.points, first))
    (tmp_path / "block.ele").write_text(f"{len(cells)} 4 1\n" + rows(cells, first))
    (tmp_path / "block.face").write_text(f"{len(faces)} 1\n" + rows(faces, first) + "# made by hand\n")
    read = made(tmp_path / f"block{given}").mesh
    assert volumes(read) == pytest.approx(by_tag(VOLUMES), rel=1e-12)
    assert areas(read) == pytest.approx(by_tag(AREAS), rel=1e-12)


def test_a_mesh_of_netgen_keeps_its_names(tmp_path: Path) -> None:
    mesh = joined(tagged("netgen:index"))
    mesh.field_data = {name: [tag, 3 if name in VOLUMES else 2] for name, tag in TAGS.items()}
    file = tmp_path / "block.vol"
    mesh.write(file)
    check_names(file)


def test_hexahedra_in_a_mesh_of_gmsh_keep_their_names(tmp_path: Path) -> None:
    read = made(named_gmsh(tmp_path, "hexahedron"))
    assert volumes(read.mesh) == pytest.approx(VOLUMES, rel=1e-12)
    assert areas(read.mesh) == pytest.approx(AREAS, rel=1e-12)
    assert "cells are divided into tetrahedra (16 of shape hexahedron): 96 tetrahedra in all" in read.notes


@pytest.mark.parametrize(("compressor", "mode"), [("None", "Ascii"), ("LZMA", "Binary"), ("ZLib", "Appended"), ("LZ4", "Binary")])
def test_every_kind_of_vtu_is_read(tmp_path: Path, compressor: str, mode: str) -> None:
    from vtkmodules.vtkIOXML import vtkXMLUnstructuredGridWriter

    writer = vtkXMLUnstructuredGridWriter()
    writer.SetFileName(str(tmp_path / "block.vtu"))
    writer.SetInputData(pv.from_meshio(joined(tagged("region"))))
    getattr(writer, f"SetCompressorTypeTo{compressor}")()
    getattr(writer, f"SetDataModeTo{mode}")()
    writer.Write()
    check_tags(tmp_path / "block.vtu")


@pytest.mark.parametrize("name", ["block.vtkhdf", "block.vtk"])
def test_files_that_vtk_writes_are_read(tmp_path: Path, name: str) -> None:
    pv.from_meshio(joined(tagged("region"))).save(tmp_path / name)
    check_tags(tmp_path / name)


def test_the_pieces_of_a_parallel_vtu_are_joined(tmp_path: Path) -> None:
    mesh = tagged("region")
    for piece, parts in enumerate(((0, 2), (1, 3))):
        data = {"region": [mesh.cell_data["region"][i] for i in parts]}
        part = meshio.Mesh(mesh.points, [mesh.cells[i] for i in parts], cell_data=data)
        pv.from_meshio(part).save(tmp_path / f"piece{piece}.vtu")
    pieces = "".join(f'<Piece Source="piece{piece}.vtu"/>' for piece in range(2))
    grid = f"""<VTKFile type="PUnstructuredGrid" version="1.0"><PUnstructuredGrid GhostLevel="0"><PPoints>
        <PDataArray type="Float64" NumberOfComponents="3"/></PPoints><PCellData><PDataArray type="Int64" Name="region"/>
        </PCellData>{pieces}</PUnstructuredGrid></VTKFile>"""
    (tmp_path / "block.pvtu").write_text(grid)
    check_tags(tmp_path / "block.pvtu")


def test_tags_that_dolfinx_writes_into_xdmf_are_read(tmp_path: Path) -> None:
    mesh = joined(tagged("tag"))
    (cells, facets), (of_cells, of_facets) = (part.data for part in mesh.cells), mesh.cell_data["tag"]
    order = np.random.default_rng(2).permutation(len(cells))  # DOLFINx writes the tagged cells anew

    def item(values: Any) -> str:
        rows = " ".join(map(str, np.ravel(values)))
        kind = "Float" if np.asarray(values).dtype.kind == "f" else "Int"
        shape = " ".join(map(str, np.shape(values)))
        return f'<DataItem Dimensions="{shape}" NumberType="{kind}" Format="XML">{rows}</DataItem>'

    def grid(name: str, kind: str, nodes: Any, rest: str) -> str:
        return f'<Grid Name="{name}"><Topology TopologyType="{kind}">{item(nodes)}</Topology>{rest}</Grid>'

    def tags(name: str, values: Any) -> str:
        return f'<Attribute Name="{name}" AttributeType="Scalar" Center="Cell">{item(values[:, None])}</Attribute>'

    geometry = f'<Geometry GeometryType="XYZ">{item(mesh.points)}</Geometry>'
    grids = grid("mesh", "Tetrahedron", cells, geometry)
    grids += grid("cells", "Tetrahedron", np.roll(cells[order], 1, axis=1), tags("parts", of_cells[order]))
    grids += grid("facets", "Triangle", facets, tags("sides", of_facets))
    (tmp_path / "block.xdmf").write_text(f"<Xdmf Version='3.0'><Domain>{grids}</Domain></Xdmf>")
    check_tags(tmp_path / "block.xdmf")


@pytest.mark.parametrize("name", ["block.vtk", "block.msh", "block.inp", "block"])
def test_a_vtu_under_another_name_is_read_as_what_it_is(tmp_path: Path, name: str) -> None:
    joined(tagged("region")).write(tmp_path / "block.vtu")
    (tmp_path / "block.vtu").rename(tmp_path / name)
    check_tags(tmp_path / name)


def check_tags(file: Path) -> MadeMesh:
    read = made(file)
    assert volumes(read.mesh) == pytest.approx(by_tag(VOLUMES), rel=1e-12)
    assert areas(read.mesh) == pytest.approx(by_tag(AREAS), rel=1e-12)
    return read


def test_coordinates_of_single_precision_keep_the_volume_to_their_precision(tmp_path: Path) -> None:
    mesh = joined(tagged("region"))
    mesh.points = (mesh.points / 3).astype(np.float32)
    mesh.write(tmp_path / "block.vtu")
    expected = {tag: volume / 27 for tag, volume in by_tag(VOLUMES).items()}
    assert volumes(made(tmp_path / "block.vtu").mesh) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("arrays", "used"),
    [
        (["tissue"], "tissue"),
        (["anything"], "anything"),
        (["zzz", "MaterialIds"], "MaterialIds"),
        (["partition", "GlobalElementId", "zzz"], "zzz"),
    ],
)
def test_the_note_says_which_array_numbers_the_regions(tmp_path: Path, arrays: list[str], used: str) -> None:
    mesh = joined(tagged(used))
    for name in arrays:
        if name != used:
            mesh.cell_data[name] = [np.arange(len(part.data)) % 5 for part in mesh.cells]
    mesh.write(tmp_path / "block.vtu")
    read = check_tags(tmp_path / "block.vtu")
    assert any(note.startswith(f"regions are numbered by the cell array {used!r}") for note in read.notes)
    assert ("zzz" in " ".join(read.notes)) == ("zzz" in arrays)


def test_numbers_that_are_no_labels_name_nothing(tmp_path: Path) -> None:
    mesh = joined(block())
    mesh.cell_data["sigma"] = [np.linspace(0, 1, len(part.data)) for part in mesh.cells]
    mesh.cell_data["cell_id"] = [np.arange(len(part.data)) for part in mesh.cells]
    mesh.write(tmp_path / "block.vtu")
    assert made(tmp_path / "block.vtu").mesh.region_names == ("body",)


def test_the_number_0_is_a_region_but_no_surface(tmp_path: Path) -> None:
    mesh = joined(tagged("region"))
    mesh.cell_data["region"] = [
        np.where(mesh.cell_data["region"][0] == 3, 0, 7),
        np.where(mesh.cell_data["region"][1] == 11, 0, 12),
    ]
    mesh.write(tmp_path / "block.vtu")
    read = made(tmp_path / "block.vtu").mesh
    assert volumes(read) == pytest.approx({"0": 0.5, "7": 1.5}, rel=1e-12)
    assert areas(read) == pytest.approx({"12": 0.5, "outer": 9.5}, rel=1e-12)


def test_groups_of_a_med_file_that_share_cells_go_to_the_smallest(tmp_path: Path) -> None:
    mesh = joined(tagged("cell_tags"))
    mesh.cell_data["cell_tags"] = [-values for values in mesh.cell_data["cell_tags"]]
    mesh.cell_tags = {-tag: [name] + ["all"] * (name in VOLUMES) for name, tag in TAGS.items()}
    mesh.write(tmp_path / "block.med")
    check_names(tmp_path / "block.med")


FLUENT = '(0 "GAMBIT to Fluent File")\n(2 3)\n'


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.msh", FLUENT, "it is a mesh of Ansys Fluent, which nanowarm can't read; export it as CGNS"),
        ("a.msh", "<html>", "it is no mesh of Gmsh"),
        ("a.msh", "$MeshFormat\n4.1 0 8\n$EndMeshFormat\n", "Gmsh can't read it"),
        ("a.vtk", "\xff\x00garbage", "meshio can't read it"),
        ("a.vtu", '<VTKFile type="UnstructuredGrid"><Unstr', "meshio can't read it"),
        ("a.xdmf", "<Xdmf><Domain>", "meshio can't read it"),
        ("a.xdmf", "<Xdmf><DataItem>\n a.h5:/Mesh </DataItem></Xdmf>", r"it needs a\.h5 beside it"),
        ("a.pvtu", '<VTKFile type="PUnstructuredGrid">\n<Piece Source="b.vtu"/>', r"it needs b\.vtu beside it"),
        ("a.med", "no HDF5", "meshio can't read it"),
        ("a.e", "no netCDF", "VTK can't read it as an Exodus file"),
        ("a.cgns", "no CGNS", "Gmsh can't read it"),
        ("a.unv", "no UNV", "Gmsh can't read it"),
        ("a.bdf", "CEND\nBEGIN BULK\nGRID,1,,0.,0.,0.\n", "it is cut short .it does not end with ENDDATA."),
        ("a.inp", "*NODE\n1, 0, 0, 0\n*ELEMENT, TYPE=C3D4\n1, 1, 2, 3, 4\n", "no usable Abaqus input file .node 2 is not there"),
        ("a.inp", "*PART, NAME=a\n*END PART\n*PART, NAME=b\n*END PART\n", "it holds several parts"),
        ("a.inp", "*INCLUDE, INPUT=nodes.inp\n", "it includes the file 'nodes.inp'"),
        ("a.inp", "*NODE\n1, 0, 0, 0\n*ELEMENT, TYPE=C3D7\n1, 1\n", "elements of type C3D7 can't be used"),
        ("a.ele", "1 4 0\n", r"it needs a\.node beside it"),
        ("a.xyz", "1 2 3", "meshio can't read it .Could not deduce file format"),
    ],
)
def test_a_file_that_is_no_usable_mesh_is_refused_in_one_line(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_bytes(text.encode("latin-1"))
    with pytest.raises(MeshError, match=message) as error:
        made(tmp_path / name)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("suffix", [".vtu", ".vtk", ".mesh", ".meshb", ".bdf", ".vol", ".med"])
def test_half_a_file_is_refused(tmp_path: Path, suffix: str) -> None:
    array = {".mesh": "medit:ref", ".meshb": "medit:ref", ".bdf": "nastran:ref", ".vol": "netgen:index", ".med": "cell_tags"}
    file = tmp_path / f"block{suffix}"
    joined(tagged(array.get(suffix, "region"))).write(file)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(MeshError, match="export it"):
        made(file)


@pytest.mark.parametrize(
    ("height", "message"),
    [(0.0, "the mesh is two-dimensional"), (1.0, r"a surface without volumes; export it as \.stl, \.obj, \.ply or \.vtp")],
)
def test_a_mesh_without_volumes_is_refused_with_what_to_do(tmp_path: Path, height: float, message: str) -> None:
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, height]], float)
    meshio.Mesh(points, [("triangle", np.arange(3)[None])]).write(tmp_path / "flat.vtu")
    with pytest.raises(MeshError, match=message):
        made(tmp_path / "flat.vtu")


def test_coordinates_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    mesh = joined(block())
    mesh.points[3, 1] = np.nan
    mesh.write(tmp_path / "block.vtk", binary=False)
    with pytest.raises(MeshError, match="1 nodes have no finite coordinates"):
        made(tmp_path / "block.vtk")
