"""Files that a mesh file needs beside it."""

from __future__ import annotations

import re
from pathlib import Path

_HDF5 = re.compile(rb">\s*([^<>:\"]+\.(?:h5|hdf5|hdf))\s*:")
_LISTED = {".xdmf": _HDF5, ".xmf": _HDF5, ".pvtu": re.compile(rb"<Piece\s+Source=\"([^\"]+)\"")}
_TETGEN = (".node", ".ele", ".face")


def companions(file: Path) -> tuple[Path, ...]:
    """The other files that are read with a mesh file, there or not, in alphabetical order."""
    suffix = file.suffix.lower()
    if suffix in _TETGEN:
        others = {file.with_suffix(other) for other in _TETGEN if other != suffix}
        found = {other for other in others if other.suffix != ".face" or other.is_file()}  # .face may be left out
    elif suffix in _LISTED:
        names = _LISTED[suffix].findall(file.read_bytes())
        found = {file.parent / name.decode(errors="replace").strip() for name in names}
    else:
        found = set()
    return tuple(sorted(found))
