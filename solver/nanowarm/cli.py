"""The command line: arguments, exit codes, and where lines go."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nanowarm.errors import CaseError, NanowarmError, SolveError

if TYPE_CHECKING:
    from nanowarm.physics.materials import Sourced

EXIT_CODES = {"met": 0, "missed": 1, "unseen": 1}

app = typer.Typer(
    help="Will this organ, with these particles in this coil, survive rewarming?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

CaseFile = Annotated[Path, typer.Argument(metavar="CASE", help="case file (TOML)")]
Overrides = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="replace a value of the case file")]


@app.callback()
def settings(debug: Annotated[bool, typer.Option("--debug", help="show tracebacks")] = False) -> None:
    """Finite-element simulation of nanoparticle heating."""
    if debug:
        os.environ["NANOWARM_DEBUG"] = "1"


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="name of the case and of the folder to make")],
    source: Annotated[str, typer.Option("--from", metavar="CASE", help="shipped case to start from")] = "vial-1mL",
) -> None:
    """Copy a shipped case with its mesh recipe as a starting point."""
    from nanowarm.shipped import copy_case

    print(f"wrote {copy_case(name, source)}; next: nanowarm check {name}/{Path(name).name}.toml")


@app.command()
def check(case: CaseFile, overrides: Overrides = None) -> None:
    """Find everything that can be found without solving."""
    from nanowarm.case import load_case
    from nanowarm.inspection import forecast

    found = forecast(load_case(case, overrides or ()))
    for warning in found.warnings:
        print(f"warning: {warning}")
    print(f"mesh: {found.cells} tetrahedra, {found.nodes} nodes")
    print(f"stiffness: eigenvalues up to {found.stiffness:.3g} 1/s")
    print(f"estimate: {found.steps} steps, {max(found.seconds, 0.1):.1f} s on one core, {found.memory_mb:.0f} MB")
    print(f"{case}: can be run")


@app.command()
def mesh(
    case: CaseFile,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="DIR", help="folder to make")] = None,
    overrides: Overrides = None,
) -> None:
    """Make the mesh, print volumes and quality, save a picture and a .vtu."""
    from nanowarm.case import load_case
    from nanowarm.inspection import save_mesh
    from nanowarm.results.run_folder import make_folder, planned_folder

    loaded = load_case(case, overrides or ())
    folder = planned_folder(Path(f"{case.stem}-mesh"), output)
    lines, raw = _mesh_lines(loaded)
    make_folder(folder)
    for line in lines:
        print(line)
    for line in save_mesh(raw, folder):
        print(line)


def _mesh_lines(case: Any) -> tuple[list[str], Any]:
    """What `mesh` prints of a case's geometry, and the mesh."""
    from nanowarm.inspection import mesh_quality, serial_mesh

    raw, cached = serial_mesh(case)
    quality = mesh_quality(raw)
    shortest, mean, longest = (1e3 * edge for edge in quality.edges)
    lines = [f"{quality.cells} tetrahedra, {quality.nodes} nodes, {'from the cache' if cached else 'made now'}"]
    lines += [f"region {name}: {1e6 * volume:.6g} mL" for name, volume in quality.volumes.items()]
    lines += [f"surfaces: {', '.join(raw.surface_names)}"]
    lines += [f"edges: {shortest:.3g} to {longest:.3g} mm, mean {mean:.3g} mm"]
    lines += [f"quality (1 is regular): worst {quality.worst:.3f}, lowest per cent {quality.percentile:.3f}"]
    return lines, raw


@app.command()
def run(
    case: CaseFile,
    ranks: Annotated[int, typer.Option("-n", min=1, metavar="RANKS", help="MPI ranks to start")] = 1,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="DIR", help="run folder to make")] = None,
    overrides: Overrides = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="print only the verdict")] = False,
) -> None:
    """Check, mesh, solve, judge, report."""
    if ranks > 1:
        raise typer.Exit(_start_ranks(ranks))
    from nanowarm.pipeline import Listener
    from nanowarm.pipeline import run as compute
    from nanowarm.terminal import Display, is_first_rank, verdict_lines

    with Display(quiet) as display:
        finished = compute(case, output, overrides or (), listener=Listener(display.say, display.progress))
    if is_first_rank():
        lines = verdict_lines(finished)
        print("\n".join(lines), flush=True)
        (finished.folder / "log.txt").write_text("\n".join(display.lines + lines) + "\n", encoding="utf-8")
    raise typer.Exit(EXIT_CODES[finished.verdict])


def _start_ranks(ranks: int) -> int:
    """Run the same command on MPI ranks; its exit code."""
    import subprocess

    arguments = list(sys.argv[1:])
    for place, word in enumerate(arguments):
        if word == "-n":
            del arguments[place : place + 2]
            break
        if word.startswith("-n") and word[2:].isdecimal():
            del arguments[place]
            break
    beside = Path(sys.executable).parent / "mpiexec"
    starter = str(beside) if beside.exists() else "mpiexec"
    command = [starter, "-n", str(ranks), sys.executable, "-m", "nanowarm.cli", *arguments]
    try:
        return subprocess.run(command, env={"OMP_NUM_THREADS": "1", **os.environ}, check=False).returncode
    except FileNotFoundError:
        raise CaseError("mpiexec: not found; install MPI (pip install mpich), or leave out -n") from None


@app.command()
def report(folder: Annotated[Path, typer.Argument(metavar="RUN", help="run folder")]) -> None:
    """Make the report of a run folder again."""
    from nanowarm.results.picture import make_picture
    from nanowarm.results.report import write_report
    from nanowarm.results.run_folder import open_run

    run_folder = open_run(folder).folder
    reason = make_picture(run_folder)
    if reason:
        print(reason)
    print(f"wrote {write_report(run_folder)}")


@app.command()
def library(name: Annotated[str | None, typer.Argument(help="material or particle to show")] = None) -> None:
    """List or show materials and particles: values, units, spread, source."""
    from nanowarm.shelf import library_files

    shelves = {"materials": library_files("material"), "particles": library_files("particle")}
    if name is None:
        for kind, files in shelves.items():
            print(f"{kind}: {', '.join(sorted(files))}")
        return
    _show(name, shelves["materials"], shelves["particles"])


def _show(name: str, materials: dict[str, Path], particles: dict[str, Path]) -> None:
    from rich.console import Console
    from rich.table import Table

    from nanowarm.model import nearest
    from nanowarm.physics.materials import Material
    from nanowarm.physics.particles import Particle
    from nanowarm.shelf import load_record

    if name not in materials and name not in particles:
        raise CaseError(f'no material or particle "{name}"; {nearest(name, [*materials, *particles])}')
    known: type[Material] | type[Particle] = Material if name in materials else Particle
    record = load_record((materials | particles)[name], known)
    table = Table(*(("value", "", "quality", "spread", "source")), title=name, caption=record.note, title_justify="left")
    for key in type(record).model_fields:
        value = getattr(record, key)
        if hasattr(value, "source"):
            table.add_row(key.replace("_", " "), value_text(value), value.quality, value.spread or "", value.source)
    Console().print(table)


def value_text(value: Sourced) -> str:
    """A sourced value as the library's file gives it."""
    from nanowarm.provenance import value_as_text

    return value_as_text(value.model_dump(mode="json", exclude_none=True))


@app.command()
def schema() -> None:
    """Print the JSON Schema of the case file."""
    import json

    from nanowarm.sections import CaseInput

    print(json.dumps(CaseInput.model_json_schema(), indent=2))


@app.command()
def doctor() -> None:
    """Is the machine ready, and what to install if not."""
    from nanowarm.doctor import findings

    results = findings()
    for finding in results:
        print(f"{'ok     ' if finding.good else 'MISSING'}  {finding.what}: {finding.detail}")
    raise typer.Exit(0 if all(finding.good for finding in results) else 2)


def main() -> None:
    """Run the command line; turn errors into one line per fault and an exit code."""
    if os.environ.get("NANOWARM_DEBUG") or "--debug" in sys.argv:
        app()
    try:
        app()
    except NanowarmError as error:
        _leave(error.faults, error.exit_code)
    except KeyboardInterrupt:
        _leave(("stopped by the user; the run folder keeps what had been written",), SolveError.exit_code)
    except MemoryError:
        _leave(("out of memory: use a coarser mesh, or more ranks on more machines",), SolveError.exit_code)
    except OSError as error:
        _leave((f"{error.filename or 'file'}: {error.strerror or error}",), SolveError.exit_code)
    except Exception as error:  # a fault of the program, not of its user
        _leave(
            (f"internal error: {type(error).__name__}: {error}; please report it with what --debug prints",), SolveError.exit_code
        )


def _leave(faults: tuple[str, ...], code: int) -> None:
    from nanowarm.terminal import print_faults

    print_faults(faults)
    sys.stdout.flush()
    if code == SolveError.exit_code and "mpi4py.MPI" in sys.modules:
        sys.modules["mpi4py.MPI"].COMM_WORLD.Abort(code)  # ranks that wait for this one would wait for ever
    sys.exit(code)


if __name__ == "__main__":
    main()
