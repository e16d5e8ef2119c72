"""Run folders as the page shows them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nanowarm.gui.cases import Folder, is_run_folder
from nanowarm.gui.security import RefusedError
from nanowarm.results.run_folder import Run

SERVED = {"report.html": "text/html; charset=utf-8", "picture.png": "image/png"}
MOST_POINTS = 400  # of a curve, as many as a screen can show


def listed_run(folder: Folder, run: Path) -> dict[str, Any]:
    """A run folder in the list: title, verdict (empty where it is not finished), and when it was last written."""
    shown = {"path": folder.shown(run), "title": "", "verdict": "", "report": (run / "report.html").is_file()}
    try:
        summary = Run(run).summary
        shown |= {"title": str(summary["title"]), "verdict": str(summary["verdict"])}
    except (OSError, ValueError, KeyError, TypeError):
        shown["verdict"] = ""
    return shown | {"when": max((file.stat().st_mtime for file in (run, run / "case.toml") if file.exists()), default=0.0)}


def run_folder(folder: Folder, path: str) -> Path:
    """A run folder by its path.

    Raises:
        RefusedError: it is none, or not in the folder.
    """
    run = folder.inside(path)
    if run == folder.root or not is_run_folder(run):
        raise RefusedError(404, "there is no such run")
    return run


def result(folder: Folder, path: str) -> dict[str, Any]:
    """Verdict, criteria and curves of a run; without a verdict where it is not finished.

    Raises:
        RefusedError: it is no run folder of this folder, or what it holds can't be read.
    """
    found = run_folder(folder, path)
    run, shown = Run(found), listed_run(folder, found)
    if not shown["verdict"]:
        return {**shown, "criteria": [], "curves": None}
    try:
        return {**shown, "criteria": run.summary["criteria"], "curves": _curves(run)}
    except (OSError, ValueError, KeyError, json.JSONDecodeError):
        raise RefusedError(422, "the files of this run can't be read") from None


def _curves(run: Run) -> dict[str, Any]:
    """Coldest, mean and hottest temperature [degC] of each region over time [s], thinned out."""
    history = run.history
    keep = slice(None, None, max(1, -(-len(history["time_s"]) // MOST_POINTS)))
    regions = {
        name: {what: history[f"{name}_{what}_degC"][keep].tolist() for what in ("min", "mean", "max")}
        for name in run.summary["regions"]
    }
    return {"time": history["time_s"][keep].tolist(), "regions": regions}


def served_file(folder: Folder, path: str) -> tuple[Path, str]:
    """The report or the picture of a run, and its media type.

    Raises:
        RefusedError: it is another file, or there is none.
    """
    place, _, name = path.rpartition("/")
    if name not in SERVED:
        raise RefusedError(404, "only the report and the picture of a run are shown")
    file = (run_folder(folder, place) / name).resolve()
    if not file.is_relative_to(folder.root):
        raise RefusedError(403, "this path is outside the folder")
    if not file.is_file():
        raise RefusedError(404, "this run has no such file yet; nanowarm report makes it")
    return file, SERVED[name]
