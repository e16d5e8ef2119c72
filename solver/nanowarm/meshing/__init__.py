"""Any geometry or mesh file to one checked serial mesh; knows Gmsh, nothing of DOLFINx."""
