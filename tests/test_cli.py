"""The command line as a user meets it, each command in a process of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tomllib
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from nanowarm.errors import CaseError
from nanowarm.results.run_folder import planned_folder

BIN = Path(sys.executable).parent
CASES = Path(__file__).parents[1] / "cases"
COARSE = ("--set", "mesh.size=3 mm")


def called(folder: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    program, *arguments = command
    whole = [str(BIN / program), *arguments]
    variables = os.environ | {"OMP_NUM_THREADS": "1"} | environment
    return subprocess.run(whole, cwd=folder, capture_output=True, text=True, timeout=300, check=False, env=variables)


def summary(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return content


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a case of one's own, `mine/mine.toml`, and its first run, `runs/mine-1`."""
    folder = tmp_path_factory.mktemp("user")
    assert called(folder, "nanowarm", "new", "mine").returncode == 0
    done = called(folder, "nanowarm", "run", "mine/mine.toml", *COARSE)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("command", [["--help"], ["run", "--help"]])
def test_help_is_answered_without_importing_anything_heavy(command: list[str]) -> None:
    program = (
        "import sys; from nanowarm.cli import app\n"
        f"app({command!r}, standalone_mode=False)\n"
        "print(*(name for name in ('numpy', 'dolfinx', 'matplotlib', 'pint', 'gmsh') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "Usage" in done.stdout
    assert done.stdout.splitlines()[-1] == ""


def test_a_command_alone_shows_what_there_is(tmp_path: Path) -> None:
    done = called(tmp_path, "nanowarm")
    assert done.returncode == 2
    for name in ("new", "check", "mesh", "run", "resume", "study", "report", "library", "schema", "doctor"):
        assert f" {name} " in done.stdout + done.stderr


def test_a_new_case_can_be_checked(finished: Path) -> None:
    done = called(finished, "nanowarm", "check", "mine/mine.toml", *COARSE)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "mine/mine.toml: can be run"
    assert "steps" in done.stdout


def test_a_new_case_brings_its_recipe_and_says_what_is_next(tmp_path: Path) -> None:
    done = called(tmp_path, "nanowarm", "new", "my kidney", "--from", "rat-kidney")
    assert done.stdout == "wrote my kidney/my kidney.toml; next: nanowarm check 'my kidney/my kidney.toml'\n"
    assert sorted(path.name for path in (tmp_path / "my kidney").iterdir()) == ["kidney.geo", "my kidney.toml"]


def test_a_run_says_its_verdict_last_and_leaves_the_promised_files(finished: Path) -> None:
    folder = finished / "runs" / "mine-1"
    promised = {"case.toml", "record.json", "summary.json", "history.csv", "report.html", "citations.bib", "log.txt"}
    assert promised <= {path.name for path in folder.iterdir()}
    assert summary(folder)["verdict"] == "met"
    assert (folder / "log.txt").read_text(encoding="utf-8").splitlines()[-1] == "verdict: met"


def test_a_run_that_saw_too_little_ends_with_exit_code_1(finished: Path) -> None:
    short = ("--set", "stages.rewarm.duration=1 s", "--quiet", "-o", "short")
    done = called(finished, "nanowarm", "run", "mine/mine.toml", *COARSE, *short)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "verdict: unseen"
    assert "run folder" not in done.stdout


def test_two_ranks_find_what_one_finds_however_they_are_started(finished: Path) -> None:
    arguments = ["run", "runs/mine-1/case.toml", "--quiet", "-o"]  # a run can be repeated from its own case
    ours = called(finished, "nanowarm", *arguments, "ours", "-n", "2")
    theirs = called(finished, "mpiexec", "-n", "2", str(BIN / "nanowarm"), *arguments, "theirs")
    assert (ours.returncode, theirs.returncode) == (0, 0), ours.stderr + theirs.stderr
    assert ours.stdout.count("verdict: met") == theirs.stdout.count("verdict: met") == 1
    one = summary(finished / "runs" / "mine-1")
    for folder in (finished / "ours", finished / "theirs"):
        two = summary(folder)
        assert two["mesh"] == one["mesh"]
        assert [c["outcome"] for c in two["criteria"]] == [c["outcome"] for c in one["criteria"]]
        for mine, other in zip(one["criteria"], two["criteria"], strict=True):
            assert other["value"] == pytest.approx(mine["value"], rel=1e-4)
        assert two["energy_J"]["stored"] == pytest.approx(one["energy_J"]["stored"], rel=1e-4)
        assert json.loads((folder / "record.json").read_text(encoding="utf-8"))["ranks"] == 2


def test_ranks_inside_ranks_are_refused(finished: Path) -> None:
    done = called(finished, "mpiexec", "-n", "2", str(BIN / "nanowarm"), "run", "mine/mine.toml", "-n", "2")
    assert done.returncode == 2
    assert done.stderr == "-n 2: mpiexec has started 2 ranks already; leave out one of the two\n"


def test_ranks_of_a_launcher_that_speaks_another_language_are_refused_in_one_line(finished: Path) -> None:
    done = called(finished, "nanowarm", "run", "mine/mine.toml", "-o", "foreign", PMIX_NAMESPACE="of-open-mpi")
    assert done.returncode == 2
    told = "ranks were started by another MPI than nanowarm's, MPICH; start them with `nanowarm run -n RANKS`, "
    assert done.stderr == f"{told}{BIN / 'mpiexec'} or `srun --mpi=pmi2`\n"
    assert not (finished / "foreign").exists()


def test_a_report_can_be_made_again(finished: Path) -> None:
    report = finished / "runs" / "mine-1" / "report.html"
    report.unlink()
    done = called(finished, "nanowarm", "report", "runs/mine-1")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "wrote runs/mine-1/report.html"
    assert report.stat().st_size > 1000


def test_mesh_prints_volumes_and_saves_the_mesh(finished: Path) -> None:
    done = called(finished, "nanowarm", "mesh", "mine/mine.toml", *COARSE, "-o", "meshed")
    assert done.returncode == 0, done.stderr
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("region cpa: "))
    assert float(line.split()[2]) == pytest.approx(1.0, rel=0.1)  # mL, but for the corners that a coarse mesh cuts
    assert (finished / "meshed" / "mesh.vtu").stat().st_size > 1000


def test_a_recipe_of_ones_own_with_other_names_runs(tmp_path: Path) -> None:
    recipe = (
        '// unit: cm\nSetFactory("OpenCASCADE");\nBox(1) = {0, 0, 0, 1, 1, 1};\n'
        'Physical Volume("left lobe") = {1};\nPhysical Surface("skin") = {1, 2, 3, 4, 5, 6};\n'
    )
    case = """
        schema = 1
        [mesh]
        file = "organ.geo"
        size = "4 mm"
        [initial]
        temperature = "0 degC"
        [regions."left lobe"]
        material = "saline"
        [boundaries.skin]
        kind = "insulated"
        [[stages]]
        name = "wait"
        duration = "1 s"
    """
    (tmp_path / "organ.geo").write_text(recipe, encoding="utf-8")
    (tmp_path / "çase 1.toml").write_text(case, encoding="utf-8")
    done = called(tmp_path, "nanowarm", "run", "çase 1.toml")
    assert done.returncode == 0, done.stderr
    region = summary(tmp_path / "runs" / "çase 1-1")["regions"]["left lobe"]
    assert region["volume_mL"] == pytest.approx(1.0)
    assert region["temperature_degC"]["max"] == pytest.approx(0.0, abs=1e-9)


def test_the_library_lists_and_shows_with_sources(tmp_path: Path) -> None:
    listed = called(tmp_path, "nanowarm", "library").stdout
    assert "materials: " in listed
    assert "VS55" in listed
    assert "particles: " in listed
    assert "sIONP" in listed
    assert "coils: " in listed
    shown = called(tmp_path, "nanowarm", "library", "VS55", COLUMNS="300").stdout
    for part in ("critical warming rate", "55 degC/min", "manuchehrabadi2018", "measured", "50 to 55 degC/min"):
        assert part in shown


def test_a_reader_that_stops_reading_is_no_fault(tmp_path: Path) -> None:
    line = f"{BIN / 'nanowarm'} schema | head -1"
    done = subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("{\n", "")


def test_the_schema_describes_every_shipped_case(tmp_path: Path) -> None:
    schema = json.loads(called(tmp_path, "nanowarm", "schema").stdout)
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    assert {"schema", "mesh", "initial", "regions", "stages"} == set(schema["required"])
    for file in CASES.glob("*.toml"):
        check_against(tomllib.loads(file.read_text(encoding="utf-8")), schema, schema)


def check_against(value: Any, node: dict[str, Any], schema: dict[str, Any]) -> None:
    """Structural check of a value: types, keys, constants and the branches of unions."""
    if "$ref" in node:
        return check_against(value, schema["$defs"][node["$ref"].rsplit("/", 1)[1]], schema)
    branches = node.get("anyOf", node.get("oneOf"))
    if branches:
        return check_union(value, branches, schema)
    kinds = {"string": str, "boolean": bool, "integer": int, "number": (int, float)}
    kinds |= {"object": dict, "array": list, "null": type(None)}
    if "type" in node:
        assert isinstance(value, kinds[node["type"]]), (value, node)
    assert value == node.get("const", value)
    assert value in node.get("enum", [value])
    if isinstance(value, dict):
        assert set(node.get("required", ())) <= set(value), (value, node)
        for key, inner in value.items():
            more = node.get("additionalProperties", True)
            assert key in node.get("properties", {}) or more is not False, (key, node)
            inside = node.get("properties", {}).get(key, more)
            if isinstance(inside, dict):
                check_against(inner, inside, schema)
    for inner in value if isinstance(value, list) and "items" in node else ():
        check_against(inner, node["items"], schema)


def check_union(value: Any, branches: list[dict[str, Any]], schema: dict[str, Any]) -> None:
    faults = []
    for branch in branches:
        try:
            return check_against(value, branch, schema)
        except AssertionError as error:
            faults.append(error)
    raise AssertionError(faults)


def test_the_schema_check_itself_can_fail(tmp_path: Path) -> None:
    schema = json.loads(called(tmp_path, "nanowarm", "schema").stdout)
    with pytest.raises(AssertionError, match="colour"):
        check_against({"file": "x.geo", "colour": "red"}, schema["$defs"]["MeshInput"], schema)


def test_the_doctor_finds_this_machine_ready(tmp_path: Path) -> None:
    done = called(tmp_path, "nanowarm", "doctor")
    missing = [line for line in done.stdout.splitlines() if line.startswith("MISSING")]
    assert done.returncode == (2 if missing else 0)
    for what in ("C compiler", "Python.h", "DOLFINx and PETSc", "Gmsh", "mpiexec"):
        assert f"ok       {what}: " in done.stdout


def test_debug_adds_the_traceback_and_keeps_the_exit_code(tmp_path: Path) -> None:
    done = called(tmp_path, "nanowarm", "check", "gone.toml", "--debug")
    assert done.returncode == 2
    assert "Traceback" in done.stderr
    assert done.stderr.splitlines()[-1] == "gone.toml: no such file"


def test_a_terminal_without_unicode_is_no_fault(tmp_path: Path) -> None:
    done = called(tmp_path, "nanowarm", "check", "çase.toml", PYTHONIOENCODING="ascii")
    assert done.returncode == 2
    assert done.stderr == "\\xe7ase.toml: no such file\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_a_run_that_a_signal_stops_says_how_to_go_on_and_does(finished: Path, number: signal.Signals) -> None:
    slow = ("--set", "solver.tolerance=1e-5 K", "--set", "output.every=5 s", "-o", f"stopped-{number}")
    command = [str(BIN / "nanowarm"), "run", "mine/mine.toml", *COARSE, *slow]
    pipe = subprocess.PIPE
    # a shell in the background ignores Ctrl-C for its children
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(command, cwd=finished, stdout=pipe, stderr=pipe, text=True, preexec_fn=heard) as process:
        assert process.stdout is not None
        assert any(line.startswith("run folder") for line in process.stdout)
        process.send_signal(number)
        told = process.communicate(timeout=60)[1]
    assert process.returncode == 3
    assert re.fullmatch(rf"stopped by a signal at \S+ s of stage rewarm; go on with: nanowarm resume stopped-{number}\n", told)
    assert not (finished / f"stopped-{number}" / "summary.json").exists()
    done = called(finished, "nanowarm", "resume", f"stopped-{number}")
    assert done.returncode == 0, done.stderr
    log = (finished / f"stopped-{number}" / "log.txt").read_text(encoding="utf-8")
    assert log.count(f"run folder stopped-{number}\n") == 2  # the log goes on as well
    assert "going on from checkpoint 000001 at " in log
    again = called(finished, "nanowarm", "resume", f"stopped-{number}")
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)
    assert again.stderr.startswith(f"stopped-{number}: this run is finished")


def test_a_folder_without_permission_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # root, who runs the tests in a container, may write anywhere
    with pytest.raises(CaseError, match="no permission to write"):
        planned_folder(CASES / "vial-1mL.toml", tmp_path / "run")


def test_a_place_that_no_one_can_write_to_is_refused(tmp_path: Path) -> None:
    done = called(tmp_path, "nanowarm", "new", "/proc/nanowarm")
    assert done.returncode == 2
    assert done.stderr == "/proc/nanowarm: can't be made: No such file or directory\n"
