"""The processes that compute the runs of a study, and how many of them a machine bears."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from nanowarm.errors import CaseError
from nanowarm.launching import on_ranks

FIRST_GUESS = 600.0  # [MB] of a worker that nobody has measured yet: DOLFINx, a small mesh, plots
MEMORY_INFORMATION = Path("/proc/meminfo")
CORE_COUNTS = "NANOWARM_CORES", "SLURM_CPUS_ON_NODE"
GROUPS = Path("/sys/fs/cgroup")


class Worker:
    """A process (with ranks, several) that computes one run after the other.

    Args:
        ranks: MPI ranks of each run.
        log: file for what libraries print.
        lock: file that stays locked while the process lives.
    """

    def __init__(self, ranks: int, log: Path, lock: IO[bytes]) -> None:
        command = [sys.executable, "-m", "nanowarm.studies.work_process"]
        if ranks > 1:
            command = [*on_ranks(ranks), *command]
        pipe = subprocess.PIPE
        environment = {"OMP_NUM_THREADS": "1", **_without_launcher(os.environ)}
        with log.open("ab") as stream:
            self._process = subprocess.Popen(
                command,
                stdin=pipe,
                stdout=pipe,
                stderr=stream,
                text=True,
                env=environment,
                pass_fds=(lock.fileno(),),
                start_new_session=True,  # Ctrl-C is for the study, which ends its workers
            )

    def compute(self, job: Mapping[str, Any], tell: Callable[[Mapping[str, Any]], None] = lambda event: None) -> dict[str, Any]:
        """What the process answers after a run; the reason where it ended instead.

        Args:
            job: the run.
            tell: hears where it stands.
        """
        if self._process.stdin is None or self._process.stdout is None:
            raise ValueError("the process has no pipes")
        if self.alive():  # PETSc, if a program has loaded it, ends the program that writes to nobody
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(json.dumps(job) + "\n")
                self._process.stdin.flush()
        for line in self._process.stdout:
            answer: dict[str, Any] = json.loads(line)
            if "progress" not in answer:
                return answer
            tell(answer["progress"])
        fault = f"the process ended ({_ending(self._process.wait())}), perhaps for want of memory"
        return {"error": fault, "peak_MB": 0.0, "goes_on": False}

    def alive(self) -> bool:
        """Whether it can take another run."""
        return self._process.poll() is None

    def end(self) -> None:
        """Let it end by itself."""
        with contextlib.suppress(OSError, ValueError):
            self._process.communicate("null\n")

    def dismiss(self) -> None:
        """End it at once, and what connects it with this process."""
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    def kill(self) -> None:
        """End it at once, with its ranks and what they have started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def _ending(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _without_launcher(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what a batch system tells the ranks that it has started itself.

    A worker is none of them. Its own ranks are on this machine, so that Slurm need not be asked to start them.
    """
    kept = {name: value for name, value in environment.items() if not name.startswith(("PMI_", "PMI2_", "PMIX_"))}
    return kept | {"HYDRA_LAUNCHER": "fork"}


def cores() -> int:
    """Cores that this process may use: those that the machine lets it, and no more than a user or a Slurm job gives it.

    Raises:
        CaseError: what they give is no number.
    """
    free = len(os.sched_getaffinity(0))
    name = next((name for name in CORE_COUNTS if name in os.environ), "")
    given = os.environ.get(name, str(free))
    if not given.isdecimal() or int(given) < 1:
        raise CaseError(f'{name}="{given}": must be a number of cores, 1 or more')
    return min(free, int(given))


def free_memory() -> float:
    """Memory [MB] that new processes can have: of the machine, and of the control group, where that has a limit."""
    free = [_available(MEMORY_INFORMATION.read_text().splitlines())] if MEMORY_INFORMATION.is_file() else [float("inf")]
    with contextlib.suppress(OSError, ValueError):  # no limit is "max"
        limit, used = (int((GROUPS / name).read_text()) for name in ("memory.max", "memory.current"))
        kept = dict(line.split() for line in (GROUPS / "memory.stat").read_text().splitlines())
        free.append((limit - used + int(kept.get("file", 0))) / 2**20)  # cached files make room
    return min(free)


def _available(lines: Sequence[str]) -> float:
    """Available memory [MB] by the lines of /proc/meminfo."""
    (kilobytes,) = (line.split()[1] for line in lines if line.startswith("MemAvailable:"))
    return int(kilobytes) / 1024.0
