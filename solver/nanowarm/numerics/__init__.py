"""Mesh, operators and time integration: the only place that knows Gmsh, DOLFINx and MPI."""
