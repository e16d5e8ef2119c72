"""What a run folder holds, read for its report."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanowarm.errors import CaseError
from nanowarm.results.dose_histograms import Histogram, read_histograms
from nanowarm.results.rate_histograms import RateHistogram, read_rates
from nanowarm.results.run_folder import Run

Row = Mapping[str, Any]

_EMPTY: Row = {"versions": {}, "files": {}, "mesh": {}, "steps": {}, "stages": [], "inputs": [], "notes": []}


@dataclass(frozen=True, eq=False)
class RunFiles:
    """What a run folder holds, read.

    Args:
        folder: of the run.
        summary: content of `summary.json`.
        record: content of `record.json`, empty where something is missing in it.
        case: content of `case.toml`.
        history: columns of `history.csv`.
        picture: content of `picture.png`; None where there is none.
        histograms: content of `histograms.csv`; none where doses were not followed.
        rates: content of `rates.csv`; none where no rate was.
        citations: content of `citations.bib`; empty where there is none.
    """

    folder: Path
    summary: Row
    record: Row
    case: Row
    history: Mapping[str, NDArray[Any]]
    picture: bytes | None
    histograms: tuple[Histogram, ...] = ()
    rates: tuple[RateHistogram, ...] = ()
    citations: str = ""

    @property
    def stages(self) -> tuple[tuple[str, float, float], ...]:
        """Name, start [s] and end [s] of each stage."""
        return tuple((stage["name"], stage["start_s"], stage["end_s"]) for stage in self.record["stages"])

    @property
    def temperatures(self) -> tuple[float, float]:
        """Lowest and highest temperature [degC] of the history; zero where nothing was seen."""
        parts = [f"{region}_{part}_degC" for region in self.summary["regions"] for part in ("min", "max")]
        seen = np.concatenate([np.zeros(0), *(self.history[name] for name in parts if name in self.history)])
        seen = seen[np.isfinite(seen)]
        return (float(seen.min()), float(seen.max())) if seen.size else (0.0, 0.0)


def read_files(folder: Path, summary: Mapping[str, Any]) -> RunFiles:
    """The files of a run.

    Raises:
        CaseError: one is missing or can't be read.
    """
    run, picture, citations = Run(folder), folder / "picture.png", folder / "citations.bib"
    try:
        record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
        case = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))
        image = picture.read_bytes() if picture.is_file() else None
        doses, rates = read_histograms(folder / "histograms.csv"), read_rates(folder / "rates.csv")
        cited = citations.read_text(encoding="utf-8") if citations.is_file() else ""
        return RunFiles(folder, summary, {**_EMPTY, **record}, case, run.history, image, doses, rates, cited)
    except FileNotFoundError as error:
        raise CaseError(f"{folder}: no complete run: there is no {Path(error.filename).name} in it") from None
    except ValueError as error:
        raise CaseError(f"{folder}: a file of the run can't be read: {error}") from None
