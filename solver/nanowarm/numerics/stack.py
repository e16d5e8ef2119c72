"""DOLFINx, PETSc and MPI, imported in the one order that works with the wheels as with conda or Spack.

h5py must come before anything that loads PETSc: the solver wheel's HDF5 would otherwise shadow h5py's own.
"""

import contextlib

import h5py  # isort: skip

from nanowarm.launching import refuse_foreign_ranks

with contextlib.suppress(ImportError):  # the wheel's libraries become findable; absent with conda or Spack
    refuse_foreign_ranks()  # before MPI is loaded, which would abort
    import dolfinx_solver  # noqa: F401

import basix.ufl
import dolfinx
import ufl
from dolfinx import fem, geometry, la
from dolfinx import io as dolfinx_io
from dolfinx import mesh as dolfinx_mesh
from mpi4py import MPI
from petsc4py import PETSc

__all__ = ["MPI", "PETSc", "basix", "dolfinx", "dolfinx_io", "dolfinx_mesh", "fem", "geometry", "h5py", "la", "ufl"]
