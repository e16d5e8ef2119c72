"""The command line: arguments, exit codes, and where lines go."""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from nanowarm import events
from nanowarm.check_commands import CaseFile, Overrides, check, mesh
from nanowarm.completion import library_names, run_folders, shipped_cases
from nanowarm.errors import CaseError, NanowarmError, SolveError
from nanowarm.gui.command import gui
from nanowarm.interruption import Interruption
from nanowarm.launching import STARTED, start_ranks
from nanowarm.render_command import render
from nanowarm.sar_commands import particle, sar
from nanowarm.screen_command import screen
from nanowarm.studies.command import study
from nanowarm.verify_command import verify

EXIT_CODES = {"met": 0, "missed": 1, "unseen": 1}
INTERRUPTED = 130  # what typer makes of Ctrl-C
HEARD_LATER = 2.0  # [s] that other ranks give the first one to print a fault that all have heard of

app = typer.Typer(
    help="Will this organ, with these particles in this coil, survive rewarming?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="run folder", autocompletion=run_folders)]
Ranks = Annotated[int, typer.Option("-n", min=1, metavar="RANKS", help="MPI ranks to start")]
Quiet = Annotated[bool, typer.Option("--quiet", help="print only the verdict")]


@app.callback()
def settings(debug: Annotated[bool, typer.Option("--debug", help="show tracebacks")] = False) -> None:
    """Finite-element simulation of nanoparticle heating."""


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="name of the case and of the folder to make")],
    source: Annotated[
        str, typer.Option("--from", metavar="CASE", help="shipped case to start from", autocompletion=shipped_cases)
    ] = "vial-1mL",
) -> None:
    """Copy a shipped case with its mesh recipe as a starting point."""
    from nanowarm.shipped import copy_case

    file = copy_case(name, source)
    print(f"wrote {file}; next: nanowarm check {shlex.quote(str(file))}")


@app.command()
def run(  # noqa: PLR0913  (options of a command)
    case: CaseFile,
    ranks: Ranks = 1,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="DIR", help="run folder to make")] = None,
    overrides: Overrides = None,
    convergence: Annotated[bool, typer.Option("--convergence", help="on other meshes too: discretisation error")] = False,
    quiet: Quiet = False,
    machine: events.Machine = False,
) -> None:
    """Check, mesh, solve, judge, report."""
    from nanowarm.case import load_case

    _begin("run", case, ranks, machine)
    loaded = load_case(case, overrides or ())  # before anything heavy is imported or started

    def compute(listener: Any) -> Any:
        """The finished run."""
        from nanowarm.convergence import converged_run
        from nanowarm.pipeline import run

        return (converged_run if convergence else run)(loaded, output, listener=listener)

    _carry_out(compute, ranks, (quiet, machine))


@app.command()
def resume(folder: RunFolder, ranks: Ranks = 1, quiet: Quiet = False, machine: events.Machine = False) -> None:
    """Go on with a run that was broken off, from its last checkpoint."""
    from nanowarm.convergence import check_unfinished

    _begin("resume", folder, ranks, machine)
    check_unfinished(folder)  # before anything heavy is imported or started

    def compute(listener: Any) -> Any:
        """The finished run."""
        from nanowarm.convergence import resumed_run

        return resumed_run(folder, listener)

    _carry_out(compute, ranks, (quiet, machine))


def _begin(command: str, target: Path, ranks: int, machine: bool) -> None:
    """Say for programs which command begins, once for all ranks."""
    from nanowarm.terminal import is_first_rank

    if machine and STARTED not in os.environ and is_first_rank():
        events.start(command, target, ranks)


def _carry_out(compute: Callable[[Any], Any], ranks: int, heard: tuple[bool, bool]) -> None:
    """Compute on as many ranks as asked for, and say the verdict.

    Args:
        compute: the run, with a listener.
        ranks: to start.
        heard: whether only the verdict is to be told, and whether as JSON.
    """
    if ranks > 1 and STARTED not in os.environ:
        raise typer.Exit(_started_ranks(ranks, heard[1]))
    interruption = _hear_signals()
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # ranks are the parallelism
    from nanowarm.pipeline import Listener
    from nanowarm.terminal import Display, is_first_rank

    with Display(*heard) as display:
        finished = compute(Listener(display.say, display.progress, display.attach, interruption))
    if is_first_rank():
        display.conclude(finished)
    raise typer.Exit(EXIT_CODES[finished.verdict])


def _started_ranks(ranks: int, machine: bool) -> int:
    """The exit code of the same command on MPI ranks: a terminal shows them as it shows one process."""
    from nanowarm.terminal import is_live

    if machine or not is_live():
        return start_ranks(ranks)
    from nanowarm.terminal_ranks import show_ranks

    return show_ranks(ranks)


def _hear_signals() -> Interruption:
    """Let signals stop a run after a checkpoint; PETSc would crash on them."""
    interruption = Interruption()
    interruption.hear()
    os.environ["PETSC_OPTIONS"] = f"{os.environ.get('PETSC_OPTIONS', '')} -no_signal_handler".strip()
    return interruption


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="folder of a run or of a study", autocompletion=run_folders)],
) -> None:
    """Make the report of a run or of a study again."""
    if (folder / "study.json").is_file():
        from nanowarm.studies.study_report import write_study_report

        print(f"wrote {write_study_report(folder)}")
        return
    from nanowarm.results.picture import make_picture
    from nanowarm.results.report import write_report
    from nanowarm.results.run_folder import open_run

    run_folder = open_run(folder).folder
    reason = make_picture(run_folder)
    if reason:
        print(reason)
    print(f"wrote {write_report(run_folder)}")


@app.command()
def library(
    name: Annotated[
        str | None, typer.Argument(help="material, particle, coil or damage set to show", autocompletion=library_names)
    ] = None,
    calibrate: Annotated[bool, typer.Option("--calibrate", help="compute ice kinetics again, of all or of NAME or file")] = False,
) -> None:
    """List or show materials and particles: values, units, spread, source."""
    from nanowarm.catalogue import print_list, print_record

    if calibrate:
        from nanowarm.calibration import print_calibrations

        raise typer.Exit(0 if print_calibrations(name) else 1)
    print_list() if name is None else print_record(name)


for command in (check, mesh, study, screen, render, sar, particle, gui, verify):
    app.command()(command)


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
        _leave(("stopped by a signal; the run folder keeps what had been written",), SolveError.exit_code, shared=True)
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

    print_faults(faults, code, everywhere=not shared)
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    if code == SolveError.exit_code and "mpi4py.MPI" in sys.modules:
        world = sys.modules["mpi4py.MPI"].COMM_WORLD
        if world.size > 1:
            if shared and not is_first_rank():
                time.sleep(HEARD_LATER)
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())  # MPI would add lines of its own
            world.Abort(code)
        os._exit(code)  # HDF5 would crash while it closes a file that a full disk has cut short
    sys.exit(code)


if __name__ == "__main__":
    main()
