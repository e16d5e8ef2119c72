"""The command line: arguments, exit codes, and where lines go."""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from nanowarm.errors import CaseError, NanowarmError, SolveError
from nanowarm.sar_commands import particle, sar

EXIT_CODES = {"met": 0, "missed": 1, "unseen": 1}
INTERRUPTED = 130  # what typer makes of Ctrl-C
STARTED = "NANOWARM_STARTED_RANKS"  # set for the ranks that `-n` starts
HEARD_LATER = 2.0  # [s] that other ranks give the first one to print a fault that all have heard of

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


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="name of the case and of the folder to make")],
    source: Annotated[str, typer.Option("--from", metavar="CASE", help="shipped case to start from")] = "vial-1mL",
) -> None:
    """Copy a shipped case with its mesh recipe as a starting point."""
    from nanowarm.shipped import copy_case

    file = copy_case(name, source)
    print(f"wrote {file}; next: nanowarm check {shlex.quote(str(file))}")


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
    from nanowarm.case import load_case

    loaded = load_case(case, overrides or ())  # before anything heavy is imported or started
    if ranks > 1 and STARTED not in os.environ:
        raise typer.Exit(_start_ranks(ranks))
    _hear_signals()
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # ranks are the parallelism
    from nanowarm.pipeline import Listener
    from nanowarm.pipeline import run as compute
    from nanowarm.terminal import Display, is_first_rank, verdict_lines

    with Display(quiet) as display:
        finished = compute(loaded, output, listener=Listener(display.say, display.progress, display.attach))
    if is_first_rank():
        display.conclude(verdict_lines(finished))
    raise typer.Exit(EXIT_CODES[finished.verdict])


def _hear_signals() -> None:
    """Let SIGTERM, as from a batch system, stop a run like Ctrl-C does; PETSc would crash on it."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    os.environ["PETSC_OPTIONS"] = f"{os.environ.get('PETSC_OPTIONS', '')} -no_signal_handler".strip()


def _start_ranks(ranks: int) -> int:
    """Run the same command on MPI ranks; its exit code."""
    already = os.environ.get("PMI_SIZE", os.environ.get("OMPI_COMM_WORLD_SIZE", "1"))
    if already != "1":
        raise CaseError(f"-n {ranks}: mpiexec has started {already} ranks already; leave out one of the two")
    beside = Path(sys.executable).parent / "mpiexec"
    starter = str(beside) if beside.exists() else "mpiexec"
    command = [starter, "-n", str(ranks), sys.executable, "-m", "nanowarm.cli", *sys.argv[1:]]
    try:
        ranks_process = subprocess.Popen(command, env={"OMP_NUM_THREADS": "1", **os.environ, STARTED: str(ranks)})
    except FileNotFoundError:
        raise CaseError("mpiexec: not found; install MPI (pip install mpich), or leave out -n") from None
    heard: list[int] = []

    def hear(number: int, _: object) -> None:
        heard.append(number)
        if number == signal.SIGTERM:  # of Ctrl-C, the terminal tells mpiexec itself
            ranks_process.terminate()

    signal.signal(signal.SIGINT, hear)
    signal.signal(signal.SIGTERM, hear)
    code = ranks_process.wait()
    if heard:
        raise KeyboardInterrupt
    if code not in (0, 1, 2, SolveError.exit_code):
        raise SolveError(f"-n {ranks}: a rank was ended from outside (mpiexec says {code}), perhaps for want of memory")
    return code


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
    from nanowarm.catalogue import print_list, print_record

    if name is None:
        print_list()
    else:
        print_record(name)


app.command()(sar)
app.command()(particle)


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
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # names of regions on a terminal without Unicode
    if "--debug" in sys.argv[1:]:  # allowed behind the command too
        sys.argv.remove("--debug")
        os.environ["NANOWARM_DEBUG"] = "1"
    try:
        code = app(standalone_mode=False)
        if code == INTERRUPTED:
            raise KeyboardInterrupt
        sys.stdout.flush()
    except Exception as error:
        if os.environ.get("NANOWARM_DEBUG"):
            import traceback

            traceback.print_exc()
        _leave(*_told(error), shared=isinstance(error, NanowarmError))
    except KeyboardInterrupt:
        told = () if STARTED in os.environ else ("stopped by a signal; the run folder keeps what had been written",)
        _leave(told, SolveError.exit_code, shared=True)
    sys.exit(code or 0)


def _told(error: Exception) -> tuple[tuple[str, ...], int]:
    """The lines and the exit code of an error."""
    if isinstance(error, NanowarmError):
        return error.faults, error.exit_code
    if hasattr(error, "format_message"):  # of the command line's parser
        said = error.format_message().rstrip(".")
        return ((f"{said}; see nanowarm --help",) if said else ()), CaseError.exit_code
    if isinstance(error, typer.Abort):
        return ("stopped by the user",), SolveError.exit_code
    if isinstance(error, MemoryError):
        return ("out of memory: use a coarser mesh, or more ranks on more machines",), SolveError.exit_code
    if isinstance(error, BrokenPipeError):  # as in `nanowarm library | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return (), SolveError.exit_code
    if isinstance(error, OSError):
        return (f"{error.filename or 'output'}: {error.strerror or error}",), SolveError.exit_code
    what = f"{type(error).__name__}: {error}"
    return (f"internal error: {what}; please report it with what --debug prints",), SolveError.exit_code


def _leave(faults: tuple[str, ...], code: int, shared: bool) -> None:
    """End the program, and the other ranks where they would wait for this one.

    Args:
        shared: whether all ranks have the same fault, so that one prints for all.
    """
    from nanowarm.terminal import is_first_rank, print_faults

    print_faults(faults, everywhere=not shared)
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    if code == SolveError.exit_code and "mpi4py.MPI" in sys.modules:
        world = sys.modules["mpi4py.MPI"].COMM_WORLD
        if world.size > 1:
            if shared and not is_first_rank():
                time.sleep(HEARD_LATER)
            world.Abort(code)
        os._exit(code)  # HDF5 would crash while it closes a file that a full disk has cut short
    sys.exit(code)


if __name__ == "__main__":
    main()
