"""Is the machine ready: what a run needs, tried one by one."""

from __future__ import annotations

import ctypes.util
import importlib.metadata
import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

APT = "apt-get install -y --no-install-recommends"


@dataclass(frozen=True)
class Finding:
    """One thing that a run needs.

    Args:
        detail: what was found, or what to install.
    """

    what: str
    good: bool
    detail: str


def findings() -> list[Finding]:
    """Everything that was tried, in the order in which a run needs it."""
    return [_compiler(), _headers(), _solver(), _gmsh(), _mpi(), _pictures(), _threads()]


def _compiler() -> Finding:
    wanted = (sysconfig.get_config_var("CC") or "cc").split()[0]
    found = shutil.which(os.environ.get("CC", wanted)) or shutil.which("gcc") or shutil.which("cc")
    return Finding("C compiler", found is not None, found or f"{APT} gcc libc6-dev")


def _headers() -> Finding:
    header = Path(sysconfig.get_paths()["include"]) / "Python.h"
    return Finding("Python.h", header.is_file(), str(header) if header.is_file() else f"{APT} python3-dev")


def _solver() -> Finding:
    """A form compiled and assembled, in a process of its own."""
    program = (
        "from nanowarm.numerics.stack import MPI, dolfinx, dolfinx_mesh, fem, ufl, PETSc;"
        "m = dolfinx_mesh.create_unit_cube(MPI.COMM_WORLD, 1, 1, 1);"
        "v = fem.assemble_scalar(fem.form(fem.Constant(m, 1.0) * ufl.dx));"
        "assert abs(v - 1.0) < 1e-12;"
        "print('DOLFINx', dolfinx.__version__, 'PETSc', '.'.join(map(str, PETSc.Sys.getVersion())))"
    )
    return _tried("DOLFINx and PETSc", program, "see the first lines of this list; then: pip install dolfinx-solver-real")


def _gmsh() -> Finding:
    libraries = "libgl1 libglu1-mesa libxcursor1 libxft2 libxinerama1 libxext6 libgomp1"
    return _tried("Gmsh", "import gmsh; print('Gmsh', gmsh.__version__)", f"{APT} {libraries}")


def _mpi() -> Finding:
    beside = Path(sys.executable).parent / "mpiexec"
    found = str(beside) if beside.exists() else shutil.which("mpiexec")
    return Finding("mpiexec", found is not None, found or "pip install mpich")


def _pictures() -> Finding:
    found = ctypes.util.find_library("EGL")
    return Finding("EGL, for pictures", found is not None, found or f"{APT} libegl1")


def _threads() -> Finding:
    threads = os.environ.get("OMP_NUM_THREADS", "not set")
    return Finding("cores", True, f"{os.cpu_count()} cores; OMP_NUM_THREADS {threads}; pint {importlib.metadata.version('pint')}")


def _tried(what: str, program: str, cure: str) -> Finding:
    """Whether a program runs, in a process of its own."""
    try:
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=False)
    except (subprocess.TimeoutExpired, OSError) as error:
        return Finding(what, False, f"{error}; {cure}")
    if done.returncode == 0:
        return Finding(what, True, _last_line(done.stdout))
    return Finding(what, False, f"{_last_line(done.stderr)}; {cure}")


def _last_line(text: str) -> str:
    return text.strip().splitlines()[-1] if text.strip() else "no output"
