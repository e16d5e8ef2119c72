"""MPI ranks that a command starts by itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO

from nanowarm.errors import CaseError, SolveError
from nanowarm.events import OPTION

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


def start_ranks(ranks: int, listener: Callable[[str], None] | None = None) -> int:
    """Run the same command on MPI ranks; its exit code.

    Args:
        ranks: to start.
        listener: takes in each line that they say, events on standard output among them; they print where left out.

    Raises:
        CaseError: mpiexec has started ranks already, or is not there.
        SolveError: a rank was ended from outside.
    """
    already = _already()
    if already != "1":
        raise CaseError(f"-n {ranks}: mpiexec has started {already} ranks already; leave out one of the two")
    ranks_process = _started(ranks, listener is not None)
    heard: list[int] = []

    def hear(number: int, _: object) -> None:
        """Keep a signal until the ranks have ended, and pass it on to them."""
        if number != signal.SIGUSR1:
            heard.append(number)
        if number != signal.SIGINT:  # of Ctrl-C, the terminal tells mpiexec itself
            ranks_process.send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, hear)
    if listener is not None:
        _listen(ranks_process, listener)
    code = ranks_process.wait()
    if heard and code != SolveError.exit_code:  # else the ranks have said it
        raise KeyboardInterrupt
    if code not in (0, 1, 2, SolveError.exit_code):
        raise SolveError(f"-n {ranks}: a rank was ended from outside (mpiexec says {code}), perhaps for want of memory")
    return code


def _started(ranks: int, heard: bool) -> subprocess.Popen[str]:
    """The same command, begun on MPI ranks.

    Args:
        ranks: to start.
        heard: whether they tell events into a pipe, and what would go to a terminal as standard error into another.

    Raises:
        CaseError: mpiexec is not there.
    """
    words = sys.argv[1:]
    if heard:
        words.insert(1 + next(place for place, word in enumerate(words) if not word.startswith("-")), OPTION)  # of the command
    pipe = subprocess.PIPE if heard else None
    try:
        return subprocess.Popen(
            [*on_ranks(ranks), sys.executable, "-m", "nanowarm.cli", *words],
            env={"OMP_NUM_THREADS": "1", **os.environ, STARTED: str(ranks)},
            stdout=pipe,
            stderr=pipe if heard and sys.stderr.isatty() else None,
            text=True,
            encoding="utf-8",
            errors="backslashreplace",
        )
    except FileNotFoundError:
        raise CaseError("mpiexec: not found; install MPI (pip install mpich), or leave out -n") from None


def _listen(process: subprocess.Popen[str], listener: Callable[[str], None]) -> None:
    """Hand on every line of a process until it has closed its pipes."""

    def drain(stream: IO[str]) -> None:
        """All lines of a stream."""
        with stream:
            for line in stream:
                listener(line)

    streams = [stream for stream in (process.stdout, process.stderr) if stream is not None]
    aside = [threading.Thread(target=drain, args=(stream,), daemon=True) for stream in streams[1:]]
    for thread in aside:
        thread.start()
    drain(streams[0])
    for thread in aside:
        thread.join()
