"""The table of a study as Parquet: numbers stay numbers, texts stay texts, and what is missing is null."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nanowarm.errors import SolveError


def write_parquet(lines: Sequence[Mapping[str, Any]], columns: Sequence[str], path: Path) -> None:
    """Replace a Parquet file at once, so that a reader never sees half of it.

    Args:
        lines: values by column; what is left out, empty or None is missing.
        columns: in their order.
        path: of the file.

    Raises:
        SolveError: the disk is full.
    """
    import pyarrow
    from pyarrow import parquet

    content = {name: _column([line.get(name) for line in lines]) for name in columns}
    unfinished = path.with_name(f"{path.name}.part")
    try:
        parquet.write_table(pyarrow.table(content), unfinished)
        os.replace(unfinished, path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise SolveError(f"{path}: can't be written: {error.strerror or error}") from None


def _column(values: Sequence[Any]) -> Any:
    """Values as one array: of whole numbers, of numbers, of truth values, or of texts where any is a text."""
    import pyarrow

    present = [None if value is None or value == "" else value for value in values]
    kinds = {type(value) for value in present if value is not None}
    if kinds <= {int, float} and len(kinds) == 2:
        present = [None if value is None else float(value) for value in present]
    elif len(kinds) > 1:
        present = [None if value is None else str(value) for value in present]
    return pyarrow.array(present, type=None if kinds else pyarrow.string())


__all__ = ["write_parquet"]
