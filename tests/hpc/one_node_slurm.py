"""A Slurm of one node, this machine, for as long as a block lasts.

As a program: `python one_node_slurm.py COMMAND [ARGUMENTS]` runs a command beside it.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

PROGRAMS = "munged", "slurmctld", "slurmd", "sbatch", "scontrol"
PACKAGES = "slurmctld", "slurmd", "slurm-client", "munge"
SYSTEM_FILE = Path("/etc/slurm/slurm.conf")  # where programs look that are started without SLURM_CONF
PATIENCE = 30.0  # [s]

CONFIGURATION = """\
ClusterName=one
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmdPort={next_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
MpiDefault=pmi2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=0,sched_interval=5,bf_interval=5
ReturnToService=2
FirstJobId={first_job}
InactiveLimit=0
KillWait=5
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory} State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


class ImpossibleError(Exception):
    """Slurm can't be had on this machine, and why."""


def install() -> None:
    """Have the programs on this machine, from the packages of Debian or Ubuntu where they are missing.

    Raises:
        ImpossibleError: in one line.
    """
    if os.geteuid() != 0:
        raise ImpossibleError("the daemons of Slurm need root")
    if SYSTEM_FILE.exists():
        raise ImpossibleError(f"this machine has a Slurm of its own: {SYSTEM_FILE}")
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if not missing:
        return
    if shutil.which("apt-get") is None:
        raise ImpossibleError(f"{', '.join(missing)} not found, and no apt-get to install {', '.join(PACKAGES)}")
    for line in (["update"], ["install", "--yes", "--no-install-recommends", *PACKAGES]):
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        done = subprocess.run(["apt-get", "-qq", *line], capture_output=True, text=True, env=environment, check=False)
        if done.returncode:
            raise ImpossibleError(f"apt-get {line[0]} failed: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}")


@contextmanager
def one_node_slurm() -> Iterator[None]:
    """Slurm, started; when the block ends, its jobs, daemons and files are gone.

    Raises:
        ImpossibleError: it did not start.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="slurm-", dir="/run", ignore_cleanup_errors=True)))
        folder.chmod(0o711)
        configuration = _configure(folder)
        stack.enter_context(_environment(configuration))
        stack.enter_context(_linked(configuration))
        key, quiet = folder / "munge.key", folder / "munge"
        munge = ["munged", "--foreground", "--force", f"--key-file={key}", f"--socket={folder}/munge.socket"]
        munge += [f"--{name}-file={quiet}.{name}" for name in ("pid", "seed", "log")]
        for command in (munge, ["slurmctld", "-D", "-i"], ["slurmd", "-D"]):
            stack.enter_context(_daemon(command, folder / f"{command[0]}.out"))
        _await_idle(folder)
        stack.callback(_end_jobs)
        yield


def _configure(folder: Path) -> Path:
    """The configuration file, with the key and the folders that it needs."""
    for name in ("state", "spool"):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.touch(mode=0o600)
    key.write_bytes(os.urandom(128))
    with socket.socket() as first, socket.socket() as second:
        for one in (first, second):
            one.bind(("127.0.0.1", 0))
        ports = first.getsockname()[1], second.getsockname()[1]
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20 // 2
    names = {"host": socket.gethostname().split(".")[0], "folder": folder, "port": ports[0], "next_port": ports[1]}
    names["first_job"] = 1 + time.time_ns() // 10**6 % 10**6  # MPI names shared memory by it, and a killed rank may leave some
    file = folder / "slurm.conf"
    file.write_text(CONFIGURATION.format(cpus=os.cpu_count(), memory=memory, **names), encoding="utf-8")
    return file


@contextmanager
def _environment(configuration: Path) -> Iterator[None]:
    """SLURM_CONF for what this process starts."""
    os.environ["SLURM_CONF"] = str(configuration)
    try:
        yield
    finally:
        del os.environ["SLURM_CONF"]


@contextmanager
def _linked(configuration: Path) -> Iterator[None]:
    """The configuration where programs find it that are started without SLURM_CONF."""
    made = not SYSTEM_FILE.parent.exists()
    SYSTEM_FILE.parent.mkdir(exist_ok=True)
    SYSTEM_FILE.symlink_to(configuration)
    try:
        yield
    finally:
        SYSTEM_FILE.unlink()
        if made:
            SYSTEM_FILE.parent.rmdir()


@contextmanager
def _daemon(command: list[str], log: Path) -> Iterator[None]:
    """A process that ends with the block."""
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_idle(folder: Path) -> None:
    """Wait until the node takes jobs.

    Raises:
        ImpossibleError: it does not.
    """
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        state = subprocess.run(["sinfo", "-h", "-o", "%t"], capture_output=True, text=True, check=False)
        if state.stdout.strip() == "idle":
            return
        time.sleep(0.2)
    lines = [line for file in sorted(folder.glob("*.out")) for line in file.read_text(errors="replace").splitlines()[-2:]]
    raise ImpossibleError(f"the node did not become idle: {' | '.join(lines)}")


def _end_jobs() -> None:
    """Cancel all jobs, and wait until their processes are gone."""
    subprocess.run(["scancel", "--user=root"], capture_output=True, check=False)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and subprocess.run(["squeue", "-h"], capture_output=True, text=True, check=False).stdout:
        time.sleep(0.2)


def main() -> int:
    """Run a command beside Slurm; its exit code."""
    install()
    with one_node_slurm():
        return subprocess.run(sys.argv[1:], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
