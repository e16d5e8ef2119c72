"""Recipes are read as Gmsh reads them, and never run a program or write a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanowarm.errors import MeshError
from nanowarm.meshing.recipe_text import read_recipe
from nanowarm.meshing.recipes import declared_parameters, length_unit, parameter_values, refuse_commands

MESHES = Path(__file__).parents[2] / "meshes"
SHIPPED = sorted(MESHES.glob("*.geo"))


def written(folder: Path, text: str, name: str = "recipe.geo") -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_recipe_says_its_unit_and_the_unit_of_each_parameter(path: Path) -> None:
    assert length_unit(path) == "mm"
    assert declared_parameters(path)
    assert all(parameter.unit for parameter in declared_parameters(path).values())
    refuse_commands(path)


def test_a_declared_parameter_has_its_default_unit_and_range() -> None:
    volume = declared_parameters(MESHES / "kidney.geo")["volume"]
    assert (volume.default, volume.unit) == (1.3, "mL")
    assert volume.least > 0


def test_parameters_of_included_files_are_declared_too(tmp_path: Path) -> None:
    written(tmp_path, "DefineConstant[ R = {10, Name 'P/R [mm]'} ];", "sizes.geo")
    recipe = written(tmp_path, 'Include "sizes.geo";\nDefineConstant[ n = 3, text = "a", m = R / 2 ];')
    declared = declared_parameters(recipe)
    assert {name: p.default for name, p in declared.items()} == {"R": 10.0, "n": 3.0, "m": None}


def test_a_constant_in_a_comment_is_not_declared(tmp_path: Path) -> None:
    recipe = written(tmp_path, "// DefineConstant[ a = 1 ];\n/* DefineConstant[ b = 1 ]; */ DefineConstant[ c = 1 ];")
    assert list(declared_parameters(recipe)) == ["c"]


def test_a_volume_is_converted_to_the_unit_the_recipe_declares() -> None:
    assert parameter_values(MESHES / "vial.geo", {"volume": "2 uL", "aspect": 2}) == pytest.approx(
        {"volume": 2e-3, "aspect": 2.0}
    )


def test_a_parameter_without_unit_takes_the_units_of_the_file(tmp_path: Path) -> None:
    recipe = written(tmp_path, "// unit: mm\nDefineConstant[ R = 10, V = 1 ];")
    assert parameter_values(recipe, {"R": "1 cm", "V": "1 mL"}) == pytest.approx({"R": 10.0, "V": 1000.0})
    assert parameter_values(recipe, {"R": 7}) == {"R": 7.0}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"volme": "1 mL"}, r"no parameter 'volme'; did you mean volume\? known: volume \[mL\]"),
        ({"volume": 3}, 'write the unit: 3 could be anything, e.g. "3 mL"'),
        ({"volume": "3"}, "write the unit"),
        ({"volume": "3 mm"}, "not a unit of this quantity"),
        ({"volume": "-3 mL"}, "out of range: it must be at least"),
        ({"volume": "nan"}, "write the unit"),
        ({"aspect": "3 mm"}, "plain number"),
        ({"aspect": float("nan")}, "not finite"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(given: dict[str, str | float], message: str) -> None:
    with pytest.raises(MeshError, match=message):
        parameter_values(MESHES / "vial.geo", given)


def test_all_unfit_values_are_reported_at_once() -> None:
    with pytest.raises(MeshError, match=r"no parameter 'a'.*\n.*wall: write the unit"):
        parameter_values(MESHES / "vial.geo", {"a": 1, "wall": 1})


def test_an_unknown_length_unit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MeshError, match="unit 'furlong' is not known; allowed are m, cm, mm, um, inch"):
        length_unit(written(tmp_path, "// unit: furlong\n"))


@pytest.mark.parametrize(
    "statement",
    [
        'SystemCall "touch x";',
        'System "touch x";',
        'NonBlockingSystemCall"touch x";',
        'SystemCall\n\n  "touch x";',
        'a = 1;SystemCall Str("touch x");',
        '/* a */ SystemCall /* b */ "touch x";',
        'a = "/*"; SystemCall "touch x"; // */',
        "a = '//'; SystemCall 'touch x';",
        'a = "\\"; SystemCall "touch x"; b = "";',
        '//\r comment\nSystemCall "touch x";',
        'a = 12SystemCall "touch x";',
        'If (0)\nElse\n SystemCall "touch x";\nEndIf',
        'Macro Run\n SystemCall "touch x";\nReturn\nCall Run;',
        'StringToName["SystemCall"] "touch x";',
        'S2N["SystemCall"] "touch x";',
        'OnelabRun("x", "touch x");',
        'Solver.Executable0 = "touch";',
        'Solver . Executable0 = "touch";',
        'DefineConstant[ a = {"x", GmshOption "General.TmpFileName"} ];',
        'Field[1] = ExternalProcess; Field[1].CommandLine = "touch x";',
        'CreateDir "x";',
        'Save "x.msh";',
        'Save View[0] "x.pos";',
        'Print "x.png";',
        'Printf("%g", (1 + 2)) > "x.txt";',
        'Printf("a") >> "x.txt";',
        'Printf(Str("a")) > Str("x.txt");',
        "Plugin(BoundaryAngles).Run;",
        'General.TmpFileName = "x";',
        'General.LogFileName = "x";',
        'Geometry.DoubleClickedPointCommand = "x";',
    ],
)
def test_a_statement_that_runs_a_program_or_writes_a_file_is_refused(tmp_path: Path, statement: str) -> None:
    with pytest.raises(MeshError, match="which a recipe must not; remove it"):
        refuse_commands(written(tmp_path, f"Point(1) = {{0, 0, 0}};\n{statement}\n"))


@pytest.mark.parametrize(
    "text",
    [
        "// SystemCall is not used here\n",
        '/* SystemCall "x"; */',
        'Printf("SystemCall %g > file", 3);',
        "Mesh.SaveAll = 1; Print.Background = 1; General.Verbosity = 3;",
        "Save_radius = 3; a = (2 + 1) > 2;",
        'Physical Surface("Save") = {1};',
        "Macro Corner\nReturn\nCall Corner;",
    ],
)
def test_harmless_text_is_accepted(tmp_path: Path, text: str) -> None:
    refuse_commands(written(tmp_path, text))


@pytest.mark.parametrize("opener", ["Include", "Merge", "MergeWithBoundingBox"])
@pytest.mark.parametrize("name", ["part.geo", "part.pos", "part.msh", "part.Step", "part", "part.txt"])
def test_a_command_is_refused_through_other_files(tmp_path: Path, opener: str, name: str) -> None:
    written(tmp_path, 'SystemCall "touch x";', name)
    written(tmp_path, f'{opener} "{name}";', "middle.geo")
    with pytest.raises(MeshError, match=f"{name}:1: SystemCall runs a program"):
        refuse_commands(written(tmp_path, 'Include "middle.geo";'))


def test_a_command_in_the_options_file_that_gmsh_reads_along_is_refused(tmp_path: Path) -> None:
    written(tmp_path, 'SystemCall "touch x";', "recipe.geo.opt")
    with pytest.raises(MeshError, match=r"recipe\.geo\.opt:1: SystemCall"):
        refuse_commands(written(tmp_path, "Point(1) = {0, 0, 0};"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('Include StrCat("a", ".geo");', "Include must name its file in quotes"),
        ("Merge name;", "Merge must name its file in quotes"),
        ('v() = ShapeFromFile(StrCat("a", "b"));', "ShapeFromFile must name its file in quotes"),
        ('Include "missing.geo";', "recipe.geo:1: there is no file .*missing.geo; correct the name"),
        ('Merge "C:/x.geo";', "use / between folders"),
        ('a = "open;', "not closed"),
        ("/* open", "not closed"),
        (f'a = "{"x" * 1023}SystemCall";', "too long"),
        ("// \0\n", "zero bytes"),
    ],
)
def test_what_gmsh_would_read_otherwise_than_it_seems_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(MeshError, match=message):
        refuse_commands(written(tmp_path, text))


@pytest.mark.parametrize("suffix", [".gz", ".py", ".m", ".exe", ".pro", ".PY"])
def test_a_file_that_gmsh_hands_to_a_program_is_refused(tmp_path: Path, suffix: str) -> None:
    written(tmp_path, "x", f"part{suffix}")
    with pytest.raises(MeshError, match="would start a program"):
        refuse_commands(written(tmp_path, f'Merge "part{suffix}";'))


def test_files_that_include_each_other_are_read_once(tmp_path: Path) -> None:
    written(tmp_path, 'Include "recipe.geo";', "other.geo")
    recipe = read_recipe(written(tmp_path, 'Include "other.geo";\nMerge "other.geo";'))
    assert [script.path.name for script in recipe.scripts] == ["recipe.geo", "other.geo"]


def test_a_cad_file_that_a_recipe_reads_belongs_to_it(tmp_path: Path) -> None:
    written(tmp_path, "ISO-10303-21; it's data", "part.step")
    recipe = read_recipe(written(tmp_path, 'Merge "part.step";'))
    assert [file.name for file in recipe.files] == ["recipe.geo", "part.step"]
