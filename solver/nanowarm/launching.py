"""MPI ranks that a command starts by itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from nanowarm.errors import CaseError, SolveError

STARTED = "NANOWARM_STARTED_RANKS"  # set for the ranks that `-n` starts


def on_ranks(ranks: int) -> list[str]:
    """The beginning of a command line that runs the rest of it on some ranks."""
    beside = Path(sys.executable).parent / "mpiexec"
    return [str(beside) if beside.exists() else "mpiexec", "-n", str(ranks)]


def refuse_foreign_ranks() -> None:
    """Refuse to be a rank of a launcher that the wheels' MPICH cannot talk to: it would abort with a riddle.

    Raises:
        CaseError: saying what starts ranks instead.
    """
    if "PMIX_NAMESPACE" in os.environ and _is_installed("mpich"):  # MPICH of conda or Spack may speak PMIx
        launchers = "`nanowarm run -n RANKS`, " + " ".join(on_ranks(1)[:-2]) + " or `srun --mpi=pmi2`"
        raise CaseError(f"ranks were started by another MPI than nanowarm's, MPICH; start them with {launchers}")


def _is_installed(wheel: str) -> bool:
    """Whether a wheel is installed."""
    try:
        return bool(version(wheel))
    except PackageNotFoundError:
        return False


def check_alone(command: str) -> None:
    """Refuse a command that works on one rank where mpiexec has started more.

    Raises:
        CaseError: it has.
    """
    if _already() != "1":
        raise CaseError(f"{command}: runs on one rank, and mpiexec has started {_already()}; leave out mpiexec")


def _already() -> str:
    """How many ranks mpiexec has started."""
    return os.environ.get("PMI_SIZE", os.environ.get("OMPI_COMM_WORLD_SIZE", "1"))


def start_ranks(ranks: int) -> int:
    """Run the same command on MPI ranks; its exit code.

    Raises:
        CaseError: mpiexec has started ranks already, or is not there.
        SolveError: a rank was ended from outside.
    """
    already = _already()
    if already != "1":
        raise CaseError(f"-n {ranks}: mpiexec has started {already} ranks already; leave out one of the two")
    command = [*on_ranks(ranks), sys.executable, "-m", "nanowarm.cli", *sys.argv[1:]]
    try:
        ranks_process = subprocess.Popen(command, env={"OMP_NUM_THREADS": "1", **os.environ, STARTED: str(ranks)})
    except FileNotFoundError:
        raise CaseError("mpiexec: not found; install MPI (pip install mpich), or leave out -n") from None
    heard: list[int] = []

    def hear(number: int, _: object) -> None:
        """Keep a signal until the ranks have ended, and pass it on to them."""
        if number != signal.SIGUSR1:
            heard.append(number)
        if number != signal.SIGINT:  # of Ctrl-C, the terminal tells mpiexec itself
            ranks_process.send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, hear)
    code = ranks_process.wait()
    if heard and code != SolveError.exit_code:  # else the ranks have said it
        raise KeyboardInterrupt
    if code not in (0, 1, 2, SolveError.exit_code):
        raise SolveError(f"-n {ranks}: a rank was ended from outside (mpiexec says {code}), perhaps for want of memory")
    return code
