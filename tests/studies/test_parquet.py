"""The Parquet file of a study holds what its lines say, in the types that they have."""

from __future__ import annotations

from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from nanowarm.errors import SolveError
from nanowarm.studies.parquet import write_parquet

LINES = [
    {"run": 1, "iron": "5 mgFe/mL", "factor": 2, "rate": 71.25, "mixed": 3, "good": True, "error": ""},
    {"run": 2, "iron": "7 mgFe/mL", "factor": 0.5, "rate": None, "mixed": "9 s", "good": False, "error": ""},
    {"run": 3, "iron": "9 mgFe/mL", "factor": 1, "rate": "", "error": ""},
]
COLUMNS = ["run", "iron", "factor", "rate", "mixed", "good", "error"]


def test_numbers_stay_numbers_texts_stay_texts_and_what_is_missing_is_null(tmp_path: Path) -> None:
    write_parquet(LINES, COLUMNS, tmp_path / "table.parquet")
    table = parquet.read_table(tmp_path / "table.parquet")
    kinds = (
        pyarrow.int64(),
        pyarrow.string(),
        pyarrow.float64(),
        pyarrow.float64(),
        pyarrow.string(),
        pyarrow.bool_(),
        pyarrow.string(),
    )
    assert dict(zip(table.column_names, table.schema.types, strict=True)) == dict(zip(COLUMNS, kinds, strict=True))
    assert table.to_pydict() == {
        "run": [1, 2, 3],
        "iron": ["5 mgFe/mL", "7 mgFe/mL", "9 mgFe/mL"],
        "factor": [2.0, 0.5, 1.0],
        "rate": [71.25, None, None],
        "mixed": ["3", "9 s", None],
        "good": [True, False, None],
        "error": [None, None, None],
    }


def test_a_table_that_can_not_be_written_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "table.parquet"
    write_parquet(LINES, COLUMNS, path)
    before = path.read_bytes()

    def full(table: object, where: Path) -> None:
        """Write a part, until the disk is full."""
        where.write_bytes(b"PAR1")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(parquet, "write_table", full)
    with pytest.raises(SolveError, match=r"table\.parquet: can't be written: No space left on device"):
        write_parquet(LINES[:1], COLUMNS, path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["table.parquet"]
