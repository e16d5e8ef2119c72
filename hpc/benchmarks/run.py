"""Run nanowarm and its peers on the vial, alternating in one session, and compare the medians.

    python hpc/benchmarks/run.py                                   # 50k and 400k, both variants, everybody
    python hpc/benchmarks/run.py --cells 50k --variants B --programs nanowarm implicit --repeat 5

Each run is a process of its own with one thread. Peers that take minutes are stopped after --time-limit
seconds of solving and their solve time is extrapolated, marked ~. Meshes are made before and not timed.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measurement import DEFAULT_CACHE
from problem import DURATION, TARGETS, VARIANTS, vial_mesh

HERE = Path(__file__).parent
PROGRAMS = {
    "nanowarm": "nanowarm_vial.py",
    "nanowarm-loose": "nanowarm_vial.py",
    "implicit": "implicit_dolfinx.py",
    "implicit-tuned": "implicit_dolfinx.py",
    "scikit-fem": "scikit_fem.py",
    "ngsolve": "ngsolve_vial.py",
}
SETTINGS = {"implicit-tuned": {"TUNED_FLAGS": "1"}, "nanowarm-loose": {"TOLERANCE": "0.1 K"}}
BASE = "nanowarm"
PHASES = ("import", "mesh", "setup", "solve", "output", "whole")
WARM_UP = 1.0  # s of solving before anything is timed: compiles forms, fills caches
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
PACKAGES = ("nanowarm", "dolfinx-solver-real", "scikit-fem", "ngsolve", "numpy", "scipy", "gmsh")
COMPARED = {  # name in the JSON: heading of the difference from the reference
    "mean_degC": "mean [K]",
    "centre_degC": "centre [K]",
    "slowest_rate_K_per_s": "slowest rate [K/s]",
}
Runs = dict[tuple[str, str, str], list[dict]]  # by (cells, variant, program)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--cells", nargs="+", choices=list(TARGETS), default=["50k", "400k"])
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--programs", nargs="+", choices=list(PROGRAMS), default=list(PROGRAMS))
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--time-limit", type=float, default=60.0, help="of one solve [s]")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE, help="folder of the meshes")
    parser.add_argument("-o", "--output", type=Path, default=HERE / "results.md", help="and .json beside it")
    return parser.parse_args()


def run_once(program: str, cells: str, variant: str, cache: Path, time_limit: float) -> dict | None:
    """The JSON of one run with the time of the whole process; None when the program cannot run here."""
    script = HERE / PROGRAMS[program]
    if not script.exists():
        say(f"{program}: skipped, there is no {script.name} yet")
        return None
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "result.json"
        command = [sys.executable, str(script), "--cells", cells, "--variant", variant, "-o", str(output)]
        command += ["--cache", str(cache), "--time-limit", str(time_limit)]
        start = time.perf_counter()
        settings = dict.fromkeys(THREADS, "1") | SETTINGS.get(program, {})
        done = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, check=False)
        whole = time.perf_counter() - start
        if done.returncode:
            say(f"{program}: skipped, {reason(done.stderr)}")
            return None
        numbers = json.loads(output.read_text())
    if numbers["extrapolated"]:
        whole += numbers["seconds"]["solve"] * (1.0 - numbers["steps"] / DURATION)
    numbers["seconds"]["whole"] = whole
    return numbers


def reason(errors: str) -> str:
    """Why a program did not run, in one line."""
    if "ModuleNotFoundError" in errors or "ImportError" in errors:
        return "not installed: pip install -e '.[bench]'"
    return (errors.strip().splitlines() or ["no message"])[-1]


def say(line: str) -> None:
    """Print one line at once."""
    print(line, flush=True)


def run_all(options: argparse.Namespace) -> Runs:
    """Every run asked for, after a short one of each program that is not counted."""
    runs: Runs = {}
    absent: set[str] = set()
    for cells, variant in itertools.product(options.cells, options.variants):
        vial_mesh(cells, options.cache)
        for repetition in range(options.repeat + 1):
            limit = options.time_limit if repetition else WARM_UP
            for program in [program for program in options.programs if program not in absent]:
                numbers = run_once(program, cells, variant, options.cache, limit)
                if numbers is None:
                    absent.add(program)
                elif repetition:
                    runs.setdefault((cells, variant, program), []).append(numbers)
                    say(f"{cells} {variant} {program} {repetition}: solve {numbers['seconds']['solve']:.3g} s")
    return runs


def median(runs: list[dict]) -> dict:
    """The last of `runs` with the medians of times and memory."""
    times = {phase: statistics.median(run["seconds"].get(phase, 0.0) for run in runs) for phase in PHASES}
    return runs[-1] | {"seconds": times, "peak_MB": statistics.median(run["peak_MB"] for run in runs)}


def time_cell(numbers: dict, base: dict | None, phase: str) -> str:
    """A time [s] and its ratio to nanowarm's, as in `4.2 (105x)`."""
    seconds = numbers["seconds"][phase]
    mark = "~" if numbers["extrapolated"] and phase in ("solve", "whole") else ""
    if base is None or base is numbers or phase == "output":
        return f"{mark}{seconds:.3g}"
    return f"{mark}{seconds:.3g} ({seconds / base['seconds'][phase]:.2g}x)"


def error_cell(numbers: dict, exact: dict, name: str) -> str:
    """The difference from the reference with its sign."""
    return "" if numbers[name] is None else f"{numbers[name] - exact[name]:+.4f}"


def table(cells: str, variant: str, medians: dict[str, dict], exact: dict) -> list[str]:
    """One table: the programs on one mesh and variant."""
    base = medians.get(BASE)
    some = next(iter(medians.values()))
    heads = ["program", *(f"{phase} [s]" for phase in PHASES), "peak [MB]", *COMPARED.values()]
    lines = [f"## {cells}, variant {variant}: {some['cells']} tetrahedra, {some['nodes']} nodes", ""]
    lines += ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for numbers in medians.values():
        row = [numbers["program"], *(time_cell(numbers, base, phase) for phase in PHASES)]
        row += [f"{numbers['peak_MB']:.0f}", *(error_cell(numbers, exact, name) for name in COMPARED)]
        lines.append("| " + " | ".join(row) + " |")
    return [*lines, ""]


def machine() -> str:
    """Processor and cores."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return f"{models[0] if models else platform.processor()}, {os.cpu_count()} cores, {platform.system()}"


def versions() -> dict[str, str]:
    """Of Python and of the packages that are installed."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def document(runs: Runs, options: argparse.Namespace) -> tuple[str, dict]:
    """The text of results.md and the content of results.json."""
    exact = json.loads((HERE / "reference.json").read_text())["variants"]
    medians: dict[tuple[str, str], dict[str, dict]] = {}
    for (cells, variant, program), several in runs.items():
        medians.setdefault((cells, variant), {})[program] = median(several)
    made = {"date": datetime.date.today().isoformat(), "machine": machine(), "versions": versions()}
    packages = ", ".join(f"{name} {version}" for name, version in made["versions"].items())
    lines = ["# Benchmark: the vial", ""]
    lines += [f"Made by `hpc/benchmarks/run.py` on {made['date']}: {made['machine']}; one thread; medians of"]
    lines += [f"{options.repeat} runs in alternation. {packages}.", ""]
    lines += [f"In brackets: times slower than {BASE}. ~: extrapolated from the steps done in"]
    lines += [f"{options.time_limit:g} s. Last columns: difference from `reference.json` at 120 s.", ""]
    for (cells, variant), programs in medians.items():
        lines += table(cells, variant, programs, exact[variant]["values"])
    flat = [{"target": cells, **one} for (cells, _), programs in medians.items() for one in programs.values()]
    return "\n".join(lines), made | {"repeat": options.repeat, "medians": flat}


def main() -> None:
    """Run, print and write."""
    options = arguments()
    runs = run_all(options)
    if not runs:
        sys.exit("nothing could be run")
    text, content = document(runs, options)
    say(text)
    options.output.write_text(text)
    options.output.with_suffix(".json").write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
