"""Strong and weak scaling, measured on this machine and extrapolated to a cluster: table, numbers and plot.

    python hpc/scaling.py --cells 400000 --ranks 1 2 --repeat 3 -o hpc

The case is the 80 mL vial of `cases/`. Measured: the solve phase, memory, messages in isolation, and halos of a mesh divided
as nanowarm divides it. Modelled: what is said to be (see `scaling_model.py`). Of the network, latency and bandwidth are
assumptions: those of a 100 Gb/s InfiniBand or Slingshot port and a few switches, which `osu_latency` and `osu_bw`
(https://mvapich.cse.ohio-state.edu/benchmarks/) measure on a real one.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import scaling_model as model
import scaling_report

from nanowarm import load_case
from nanowarm.launching import on_ranks
from nanowarm.meshing.raw_mesh import make_mesh
from nanowarm.numerics.partition import divided

ROOT = Path(__file__).parents[1]
CASE = ROOT / "cases" / "vial-80mL.toml"
CELLS_AT = 440_000.0 * 1.1**3  # cells times the cube of their size [mm3]: where the search for the size begins
PARTS = (2, 4, 8, 16, 32, 64, 128, 256, 512)
FEWEST_NODES = 100  # of a part, for its halo
FEWEST_CELLS = 50_000  # of a mesh, to be divided into scaling_report.FEWEST_PARTS parts and more
SMALLER = 100  # times fewer cells, where the part of a stage that does not depend on them is nearly all of it

Run = dict[str, Any]


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=400_000, help="of the mesh (strong), or of each rank (weak); about")
    parser.add_argument("--ranks", type=int, nargs="+", default=[1, 2], help="rank counts, the first one is the reference")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each kind, in turn; the median counts")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "hpc", help="folder of scaling.md, .json and .png")
    parser.add_argument("--latency", type=float, default=2e-6, help="of a message between machines [s]")
    parser.add_argument("--bandwidth", type=float, default=12.5e9, help="of a machine into the network [B/s]")
    parser.add_argument("--ranks-per-node", type=int, default=64, help="ranks on a machine of the cluster")
    parser.add_argument("--crowding", type=float, help="slowdown where all cores compute; measured here if left out")
    parser.add_argument("--target-cells", type=float, default=1e9, help="cells to extrapolate to")
    parser.add_argument("--target-ranks", type=int, default=10_000, help="ranks to extrapolate to")
    return parser.parse_args()


def sized(cells: float) -> list[str]:
    """Values of the case for a mesh of about so many cells, and no files of fields."""
    size = (CELLS_AT / cells) ** (1.0 / 3.0)
    for _ in range(2):
        size *= (mesh_of(size).cells.shape[0] / cells) ** (1.0 / 3.0)
    return [f"mesh.size={size:.4g} mm", "output.fields=[]", "output.every=10 s"]


def mesh_of(size: float) -> Any:
    """The serial mesh with cells of a size [mm]."""
    case = load_case(CASE, [f"mesh.size={size:.4g} mm"])
    return make_mesh(case.input.mesh, case.folder).mesh


def measured(ranks: int, overrides: list[str]) -> Run:
    """The numbers of one run."""
    with tempfile.TemporaryDirectory(prefix="scaling-") as folder:
        worker = [sys.executable, str(Path(__file__).with_name("scaling_run.py")), str(CASE), f"{folder}/run"]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        command = [*on_ranks(ranks), *worker, *overrides]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        sys.exit(f"scaling.py: a run on {ranks} ranks failed: {(done.stderr or done.stdout).strip().splitlines()[-1]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def medians(kinds: dict[str, tuple[int, list[str]]], repeat: int) -> dict[str, Run]:
    """Each kind of run, several times in turn; times are medians, and those of all runs are kept."""
    runs: dict[str, list[Run]] = {name: [] for name in kinds}
    for number, (name, (ranks, overrides)) in itertools.product(range(repeat), kinds.items()):
        runs[name].append(measured(ranks, overrides))
        print(f"{number + 1}/{repeat} {name}: solve phase {runs[name][-1]['solve_s']:.2f} s", file=sys.stderr, flush=True)
    timed = ("solve_s", "mesh_s", "rate_s", "exchange_s", "reduction_s")
    found = {}
    for name, some in runs.items():
        middle = {key: statistics.median(run[key] for run in some) for key in timed}
        found[name] = some[-1] | middle | {"solve_s_of_all": [run["solve_s"] for run in some]}
    return found


def halos(cells: int) -> list[model.Halo]:
    """Halos of a mesh divided into more and more parts, as long as there is something in each."""
    mesh = mesh_of(float(sized(cells)[0].split("=")[1].removesuffix(" mm")))
    found = []
    for parts in PARTS:
        if len(mesh.points) >= FEWEST_NODES * parts:
            division = divided(mesh.points, mesh.cells, parts)
            found.append(model.halo_of(mesh.cells, division.node, division.cell, parts))
    return found


def machine_of(runs: dict[str, Run], found: list[model.Halo]) -> model.Machine:
    """What the model needs of the program, from runs on one rank and from halos."""
    alone = [run for run in runs.values() if run["ranks"] == 1]
    small, large = (choose(alone, key=lambda run: run["cells"]) for choose in (min, max))
    calls, _ = model.fitted_times([run["cells"] for run in alone], [run["rate_s"] for run in alone])
    # what a step of the small mesh takes besides its stages; of the large one, all else is counted to the cells of the stages
    step_calls = max(0.0, (small["solve_s"] - small["stages"] * small["rate_s"]) / small["steps"])
    cell = (large["solve_s"] - large["steps"] * step_calls - large["stages"] * calls) / large["stages"] / large["cells"]
    wide = [halo for halo in found if halo.ranks >= scaling_report.FEWEST_PARTS]
    return model.Machine(
        calls=calls,
        step_calls=step_calls,
        cell=cell,
        cells_per_node=large["cells"] / large["nodes"],
        stages=large["stages"] / large["steps"],
        at_cells=large["cells"],
        factor=model.fitted_factor(wide)[0],
        neighbours=max(halo.neighbours for halo in wide),
        imbalance=max(halo.imbalance for halo in wide),
    )


def main() -> None:
    """Measure, model, write."""
    options = arguments()
    if options.cells < FEWEST_CELLS:
        sys.exit(f"scaling.py: --cells {options.cells}: too few to learn of halos; give at least {FEWEST_CELLS}")
    ranks = list(dict.fromkeys(options.ranks))
    kinds = {"one rank, small": (1, sized(options.cells / SMALLER))}
    kinds |= {f"strong, {count}": (count, sized(options.cells)) for count in dict.fromkeys([1, *ranks])}
    kinds |= {f"weak, {count}": (count, sized(options.cells * count)) for count in ranks if count > 1}
    runs = medians(kinds, options.repeat)
    found = halos(options.cells)
    machine = machine_of(runs, found)
    crowding = options.crowding or crowding_of(runs, machine)
    network = model.Network(options.latency, options.bandwidth, options.ranks_per_node, crowding)
    content = {
        "machine": {"processor": processor(), "cores": os.cpu_count(), "load_at_end": os.getloadavg()[0]},
        "runs": runs,
        "halos": [asdict(halo) for halo in found],
        "model": asdict(machine),
        "assumed": asdict(network),
    }
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "scaling.json").write_text(json.dumps(content, indent=1) + "\n")
    target = scaling_report.Target(options.target_cells, options.target_ranks)
    text = scaling_report.page(runs, found, (machine, network), target)
    (options.output / "scaling.md").write_text(text)
    scaling_report.draw(options.output / "scaling.png", runs, found, (machine, network), target)
    print(text)


def crowding_of(runs: dict[str, Run], machine: model.Machine) -> float:
    """How many times slower a rank computes where the most ranks do, beyond what messages cost; at least 1."""
    most = max((run for name, run in runs.items() if name.startswith("weak") or run["ranks"] == 1), key=lambda run: run["ranks"])
    stage = most["solve_s"] / most["stages"] - machine.calls - machine.step_calls * most["steps"] / most["stages"]
    messages = (most["exchange_s"] if most["ranks"] > 1 else 0.0) + most["reduction_s"] * most["steps"] / most["stages"]
    return max(1.0, (stage - messages) / (machine.cell * most["cells"] / most["ranks"]))


def processor() -> str:
    """Name of the processor."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main()
