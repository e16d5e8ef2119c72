"""The vial on nanowarm, as its users run it: a case file in, a run folder out.

The mesh is the `.msh` of the arrays the peers read; once read, it comes from nanowarm's own cache. The time
of the run folder's files is the phase "output", which the peers do not have.
"""

# ruff: noqa: E402  the imports are timed
from __future__ import annotations

import time

STARTED = time.perf_counter()

import json
import os
import resource
import sys
import tempfile
from pathlib import Path

from measurement import arguments
from nanowarm_case import write_case

from nanowarm.pipeline import run

PER_MINUTE = 60.0
TOLERANCE = os.environ.get("TOLERANCE", "0.01 K")  # of one step; nanowarm's default unless told otherwise


def numbers_of(folder: Path, variant: str, imports: float) -> dict:
    """The benchmark's numbers from a run folder; `imports` [s] are those before the run."""
    summary = json.loads((folder / "summary.json").read_text())
    record = json.loads((folder / "record.json").read_text())
    header, *_, last = (folder / "history.csv").read_text().splitlines()
    final = dict(zip(header.split(","), last.split(","), strict=True))
    region = summary["regions"]["gel"]
    seconds = dict(summary["seconds"])
    seconds["import"] += imports
    return {
        "program": "nanowarm" + f", {TOLERANCE}" * ("TOLERANCE" in os.environ),
        "variant": variant,
        "cells": summary["mesh"]["cells"],
        "nodes": summary["mesh"]["nodes"],
        "seconds": {name: round(value, 4) for name, value in seconds.items()},
        "peak_MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "slowest_rate_K_per_s": region["warming_rate_degC_per_min"]["slowest_instantaneous"] / PER_MINUTE,
        "min_degC": region["temperature_degC"]["min"],
        "max_degC": region["temperature_degC"]["max"],
        "mean_degC": region["temperature_degC"]["mean"],
        "centre_degC": float(final["probe_centre_degC"]),
        "steps": record["steps"]["accepted"],
        "stages": record["steps"]["stages"],
        "extrapolated": False,
    }


def main() -> None:
    """Run the vial and report."""
    imports = time.perf_counter() - STARTED
    options = arguments(__doc__)
    os.environ["NANOWARM_CACHE"] = str((options.cache / "nanowarm").resolve())
    case = write_case(
        options.cells,
        options.variant,
        options.cache,
        options.cache / f"case-{options.cells}-{options.variant}",
    )
    with tempfile.TemporaryDirectory() as folder:
        finished = run(case, Path(folder) / "run", [f"solver.tolerance={TOLERANCE}"])
        line = json.dumps(numbers_of(finished.folder, options.variant, imports))
    sys.stdout.write(line + "\n")
    if options.output:
        options.output.write_text(line + "\n")


if __name__ == "__main__":
    main()
