"""What limits a run: its criteria by what they guard against, the tightest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nanowarm.results.evidence import finite
from nanowarm.results.sentences import is_upper, margin, room_text, safety_factor

Row = Mapping[str, Any]

_GUARDED = {
    "warming rate": "rate",
    "cooling rate": "rate",
    "ice": "ice",
    "stress": "cracks",
    "temperature difference": "cracks",
    "field limit": "field",
}
_ORDER = ("missed", "met", "unseen")


def limits(criteria: Sequence[Row]) -> list[dict[str, Any]]:
    """What `summary.json` says under `limits`: every criterion with its margin, the worst first and the unseen last.

    Args:
        criteria: rows of `criteria` in the same file.

    Returns:
        Rows of `what` (rate, ice, cracks, overheating, too little heat or field), `criterion` (its number), `kind`, `region`,
        `outcome`, `margin` (relative to the limit, negative beyond it, None where unseen), `factor` (how many times over the
        limit is kept, None where that says nothing) and `room` (the margin in words).
    """
    ranked = sorted(range(len(criteria)), key=lambda number: _rank(criteria[number]))
    return [_row(number, criteria[number]) for number in ranked]


def _rank(row: Row) -> tuple[int, float]:
    """Missed before met before unseen, and then the least safe first."""
    return _ORDER.index(row["outcome"]), 0.0 if row["outcome"] == "unseen" else safety_factor(row) or 0.0


def _row(number: int, row: Row) -> dict[str, Any]:
    judged = row["outcome"] != "unseen" and row["value"] is not None
    ratio = row["kind"] != "temperature" and judged
    return {
        "what": _guarded(row),
        "criterion": number,
        "kind": row["kind"],
        "region": row["region"],
        "outcome": row["outcome"],
        "margin": margin(row) if judged else None,
        "factor": finite(safety_factor(row) or 0.0) if ratio else None,
        "room": room_text(row, "its limit") if judged else "not judged",
    }


def limited_by(rows: Sequence[Row]) -> str:
    """What limits a run in a sentence, from what `limits` returns; what was not judged is named."""
    judged = [row for row in rows if row["margin"] is not None]
    open_ones = _listed(row for row in rows if row["margin"] is None)
    if not judged:
        return f"nothing is known to limit it; not judged: {open_ones}" if open_ones else "nothing was asked that could limit it"
    first = judged[0]
    told = f"limited by {first['what']}: {first['kind']} of {first['region']}, {first['room']}"
    return f"{told}; not judged: {open_ones}" if open_ones else told


def _listed(rows: Iterable[Row]) -> str:
    return ", ".join(f"{row['kind']} of {row['region']}" for row in rows)


def _guarded(row: Row) -> str:
    """What a criterion guards against."""
    if row["kind"] in _GUARDED:
        return _GUARDED[row["kind"]]
    if row["kind"] == "temperature window":
        low, high = row["between_degC"]
        return "overheating" if row["hottest_degC"] - high >= low - row["coldest_degC"] else "too little heat"
    return "overheating" if is_upper(row) else "too little heat"
