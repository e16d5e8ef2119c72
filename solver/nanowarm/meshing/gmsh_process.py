"""Mesh programs in a process of their own: `python -m nanowarm.meshing.gmsh_process REQUEST.json OUT.npz`.

A crash, an exit or an endless loop of theirs ends this process only. The result is plain arrays in the
file's length unit; what was wrong goes to stderr as one line.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from nanowarm.meshing.journal import Arrays, Journal, Request, UnusableError

# Module of `meshing` that reads each kind of file (see mesh_request.py); each has a function `arrays`.
_READERS = {"geometry": "geometries", "mesh": "mesh_files", "surfaces": "surfaces", "labels": "label_images"}


def main() -> int:
    """Exit status: 0 when the arrays were written, 2 when the file can't be used."""
    request = json.loads(Path(sys.argv[1]).read_text())
    journal = Journal()
    os.chdir(Path(sys.argv[1]).parent)  # fTetWild leaves a file where it runs
    try:
        arrays = _reader(request["kind"])(request, journal)
    except UnusableError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 2
    arrays["journal"] = np.array(journal.text())
    np.savez(sys.argv[2], **arrays)
    return 0


def _reader(kind: str) -> Callable[[Request, Journal], Arrays]:
    reader: Callable[[Request, Journal], Arrays] = importlib.import_module(f"nanowarm.meshing.{_READERS[kind]}").arrays
    return reader


if __name__ == "__main__":
    sys.exit(main())
