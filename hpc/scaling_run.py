"""One run of `scaling.py`, on the ranks that it is started on: one line of JSON.

mpiexec -n 2 python hpc/scaling_run.py CASE FOLDER [key=value ...]
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from nanowarm import load_case
from nanowarm.case import Case
from nanowarm.numerics.operators import Operators
from nanowarm.numerics.ranks import sums_and_largest
from nanowarm.numerics.setup import equip
from nanowarm.numerics.stack import MPI
from nanowarm.pipeline import prepare, run

REPEATS = 100  # of what is timed in isolation


def seconds_each(comm: MPI.Intracomm, work: Callable[[], Any]) -> float:
    """Time of some collective work [s], the mean of many."""
    comm.Barrier()
    start = time.perf_counter()
    for _ in range(REPEATS):
        work()
    return float(comm.allreduce(time.perf_counter() - start, MPI.MAX)) / REPEATS


def stage(case: Case, operators: Operators) -> float:
    """Time of one evaluation of the heat equation [s], of which a stage has one."""
    heat = equip(case, operators).heat
    state, rates = heat.initial_state(case.input.initial.temperature), np.zeros(heat.size)
    heat.begin(case.stages[0], 0.0, state)
    return seconds_each(operators.layout.comm, lambda: heat.rate(0.0, state, rates))


def halo(operators: Operators) -> dict[str, int]:
    """Nodes that this rank has and needs of others, and of how many."""
    nodes = operators.layout.index_map
    return {"nodes": nodes.size_local, "ghosts": nodes.num_ghosts, "neighbours": int(np.unique(nodes.owners).size)}


def main(case_file: str, folder: str, overrides: list[str]) -> None:
    """Run and report."""
    comm = MPI.COMM_WORLD
    case = load_case(case_file, overrides)
    start = time.perf_counter()
    prepared = prepare(case, comm)
    mesh = time.perf_counter() - start
    layout, empty = prepared.operators.layout, np.zeros(2)
    exchange = seconds_each(comm, layout.exchange)
    reduction = seconds_each(comm, lambda: sums_and_largest(comm, empty, empty))
    rate = stage(case, prepared.operators)
    run(case, folder, comm=comm, prepared=prepared)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    parts = comm.gather({**halo(prepared.operators), "peak_MB": round(peak)})
    if comm.rank == 0:
        record = json.loads((Path(folder) / "record.json").read_text())
        summary = json.loads((Path(folder) / "summary.json").read_text())
        steps = record["steps"]
        found = {
            "ranks": comm.size,
            "cells": summary["mesh"]["cells"],
            "nodes": summary["mesh"]["nodes"],
            "solve_s": summary["seconds"]["solve"],
            "mesh_s": mesh,
            "steps": steps["accepted"],
            "stages": steps["stages"],
            "rate_s": rate,
            "exchange_s": exchange,
            "reduction_s": reduction,
            "parts": parts,
            "results": [value for region in summary["regions"].values() for value in region["temperature_degC"].values()],
        }
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
