"""Table and plot of `scaling.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scaling_model as model

Run = dict[str, Any]
Modelled = tuple[model.Machine, model.Network]
FEWEST_PARTS = 64  # for the fit of the halo: of four times four times four, eight have neighbours on all sides
REFINEMENTS = 3  # of a coarse mesh, for the target
MESHING = 13e-6  # s for each cell that Gmsh makes on one core: 25 s for 1 986 142 cells of hpc/benchmarks


@dataclass(frozen=True)
class Target:
    """What to extrapolate to."""

    cells: float
    ranks: int


def page(runs: dict[str, Run], halos: Sequence[model.Halo], modelled: Modelled, target: Target) -> str:
    """The page for readers."""
    parts = ["# Scaling", "Made by `python hpc/scaling.py`. The first two tables are measured, the third is modelled."]
    parts += ["## Measured: runs of the 80 mL vial", _table_of_runs(runs)]
    parts += ["## Measured: halos of the mesh, divided into boxes", _table_of_halos(halos), _fit(halos)]
    parts += [f"## Modelled: {target.cells:.3g} cells", _assumptions(*modelled), _table_of_model(modelled, target)]
    parts += [_where_it_stops(modelled, target)]
    return "\n\n".join(parts) + "\n"


def _header(columns: str) -> list[str]:
    """The first two lines of a table."""
    return [f"| {columns} |", "|" + "---|" * (columns.count("|") + 1)]


def _table_of_runs(runs: dict[str, Run]) -> str:
    """One row for each kind of run, compared with one rank on the mesh of the strong runs."""
    one = runs["strong, 1"]
    lines = _header("run | ranks | cells | solve [s] | stage [ms] | computing / messages | speed-up | efficiency | MB per rank")
    for name, run in runs.items():
        stage = run["solve_s"] / run["stages"]
        messages = run["exchange_s"] + run["reduction_s"] * run["steps"] / run["stages"] if run["ranks"] > 1 else 0.0
        faster = one["solve_s"] / one["stages"] / one["cells"] * run["cells"] / stage
        peaks = " ".join(str(part["peak_MB"]) for part in run["parts"])
        split = f"{1 - messages / stage:.1%} / {messages / stage:.1%}"
        lines += [
            f"| {name.split(',')[0]} | {run['ranks']} | {run['cells']} | {run['solve_s']:.2f} | {1e3 * stage:.2f} | {split} "
            f"| {faster:.2f} | {faster / run['ranks']:.0%} | {peaks} |"
        ]
    lines += ["", "Speed-up: cells per second of a stage, over those of one rank on the mesh of the strong runs. "]
    lines[-1] += "Messages: halo exchange and reduction in isolation; waiting for the slower rank counts as computing."
    return "\n".join(lines)


def _table_of_halos(halos: Sequence[model.Halo]) -> str:
    """One row for each division."""
    lines = _header("parts | nodes per part | most ghosts | most neighbours | imbalance of work | imbalance of cells")
    for halo in halos:
        size = halo.nodes / halo.ranks
        balance = f"{halo.imbalance:.3f} | {halo.cell_imbalance:.3f}"
        lines += [f"| {halo.ranks} | {size:.0f} | {halo.ghosts} | {halo.neighbours} | {balance} |"]
    return "\n".join(lines)


def _fit(halos: Sequence[model.Halo]) -> str:
    """The fitted halo in a sentence."""
    factor, power = model.fitted_factor([halo for halo in halos if halo.ranks >= FEWEST_PARTS])
    fit = f"Ghosts = {factor:.2f} (nodes per part)^(2/3) for {FEWEST_PARTS} parts and more."
    return f"{fit} The power that fits best is {power:.2f}. With fewer parts none has neighbours on all sides."


def _assumptions(machine: model.Machine, network: model.Network) -> str:
    """What is measured and what is assumed, in sentences."""
    calls = f"a stage takes {1e6 * machine.calls:.0f} µs and a step {1e3 * machine.step_calls:.1f} ms besides"
    return (
        f"Measured: whatever the mesh, {calls} (calls from Python), and a stage takes {1e9 * machine.cell:.1f} ns for each cell; "
        f"{machine.stages:.1f} stages a step on {machine.at_cells} cells, growing with the cube root of the cells. "
        f"Assumed: {1e6 * network.latency:g} µs a message, {network.bandwidth / 1e9:g} GB/s from a machine of "
        f"{network.ranks_per_node} ranks, {network.crowding:.2f} times slower computing where all its cores do."
    )


def _table_of_model(modelled: Modelled, target: Target) -> str:
    """One row for each number of ranks around the target."""
    machine, network = modelled
    full = network.ranks_per_node
    names = "computing", "calls", "imbalance", "latency", "bandwidth", "reduction"
    lines = _header(f"ranks | cells per rank | step [s] | efficiency | {' | '.join(names)}")
    for ranks in sorted({full, 1000, target.ranks, 100_000, 1_000_000}):
        parts = model.parts_of_step(machine, network, target.cells, ranks)
        whole = sum(parts.values())
        shares = " | ".join(f"{parts[name] / whole:.1%}" for name in names)
        good = model.efficiency(machine, network, target.cells, ranks, full)
        lines += [f"| {ranks} | {target.cells / ranks:.3g} | {whole:.3g} | {good:.0%} | {shares} |"]
    return "\n".join([*lines, "", f"Efficiency: speed per rank over that on one machine of {full} ranks."])


def _where_it_stops(modelled: Modelled, target: Target) -> str:
    """Where scaling ends, why, and what the model leaves out."""
    machine, network = modelled
    stops = model.stops_at(machine, network, target.cells, network.ranks_per_node)
    parts = model.parts_of_step(machine, network, target.cells, stops)
    why = max((name for name in parts if name != "computing"), key=lambda name: parts[name])
    coarse = target.cells / 8**REFINEMENTS
    return (
        f"**It stops scaling (efficiency under 50 %) at about {stops:.2g} ranks**, {target.cells / stops:.2g} cells a rank; "
        f"the largest loss there is {why}, {parts[why] / sum(parts.values()):.0%} of a step.\n\n"
        f"Before the first step comes the mesh, and it does not scale: Gmsh makes it on one core, in "
        f"{target.cells * MESHING / 3600:.1f} h at {1e6 * MESHING:.0f} µs a cell. With `refine = {REFINEMENTS}` it makes "
        f"{coarse:.2g} cells in {coarse * MESHING:.0f} s, rank 0 deals them out, {coarse / target.ranks:.0f} to each of "
        f"{target.ranks} ranks, and these divide them without further messages than the numbers of shared nodes. "
        "Not modelled: the rougher surface of pieces of so few coarse cells, noise of the operating system, contention in the "
        "network, the file of fields (rank 0 writes it, one rank's rows after the other's) and checkpoints."
    )


def draw(path: Path, runs: dict[str, Run], halos: Sequence[model.Halo], modelled: Modelled, target: Target) -> None:
    """Measured speed-up, measured halos, modelled efficiency."""
    from matplotlib.figure import Figure

    machine, network = modelled
    figure = Figure(figsize=(12.0, 3.8), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    one = runs["strong, 1"]
    speed = one["cells"] * one["stages"] / one["solve_s"]
    most = max(run["ranks"] for run in runs.values())
    left.plot([1, most], [1, most], color="0.7", label="ideal")
    for kind, marker in (("strong", "o"), ("weak", "s")):
        some = [run for name, run in runs.items() if name.startswith(kind)]
        faster = [run["cells"] * run["stages"] / run["solve_s"] / speed for run in some]
        left.plot([run["ranks"] for run in some], faster, marker, label=f"{kind}, measured")
    left.set(xlabel="ranks", ylabel="cells per second, over one rank", title="Solve phase")
    share = np.array([halo.nodes / halo.ranks for halo in halos])
    middle.loglog(share, [halo.ghosts for halo in halos], "o", label="measured")
    middle.loglog(share, machine.factor * share ** (2 / 3), label=f"{machine.factor:.2f} n$^{{2/3}}$")
    middle.set(xlabel="nodes of a rank, n", ylabel="nodes in its halo", title="Halo")
    counts = np.unique(np.geomspace(network.ranks_per_node, 1e7, 60).astype(int))
    for cells in (target.cells / 100, target.cells / 10, target.cells):
        good = [model.efficiency(machine, network, cells, int(count), network.ranks_per_node) for count in counts]
        right.semilogx(counts, good, label=f"{cells:.0e} cells")
    right.axhline(model.HALF, color="0.7")
    right.axvline(target.ranks, color="0.7", linestyle=":")
    right.set(xlabel="ranks", ylabel="efficiency", title="Modelled", ylim=(0.0, 1.05))
    for axes in (left, middle, right):
        axes.legend(frameon=False)
        axes.grid(alpha=0.25)
    figure.savefig(path, dpi=120, metadata={"Software": ""})
