"""The vial as files that nanowarm reads: a case, its material and its particle.

    python hpc/benchmarks/nanowarm_case.py --cells 50k --variant B --folder cache/case-50k-B

Properties are tables every TABLE_STEP kelvin (linear between), so they follow the formulas of `problem.py`
to 0.1 % at worst (heat capacity, in the middle of its step). The heating is that of a particle measured at
the field of the case: specific power over temperature times the iron concentration.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from measurement import DEFAULT_CACHE
from problem import (
    AMBIENT,
    DENSITY,
    DURATION,
    HEAT_TRANSFER_COEFFICIENT,
    INITIAL,
    PROPERTIES,
    TARGETS,
    VARIANTS,
    WINDOW,
    Array,
    vial_mesh,
)

IRON = 10.0  # kg/m3, which is mgFe/mL
TABLE_STEP = 0.5  # K
TABLE = np.arange(INITIAL - 10.0, 160.0 + TABLE_STEP, TABLE_STEP)  # degC; A ends at 133 degC

CASE = """\
schema = 1
title = "Benchmark vial, variant {variant}"

[mesh]
file = "{mesh}"
unit = "m"

[initial]
temperature = "{initial} degC"

[regions.gel]
material = "./material.toml"
particles = {{ name = "./particle.toml", iron = "{iron} mgFe/mL" }}

[boundaries.surface]
kind = "convection"
coefficient = "{coefficient} W/m^2/K"
ambient = "{ambient} degC"

[field]
kind = "uniform"
amplitude = "20 kA/m"
frequency = "360 kHz"

[[stages]]
name = "warming"
duration = "{duration} s"

[[criteria]]
kind = "warming rate"
region = "gel"
window = ["{window[0]} degC", "{window[1]} degC"]
at_least = "60 degC/min"

[solver]
tolerance = "0.01 K"

[output]
every = "1 s"
fields_every = "{duration} s"
fields = ["temperature", "slowest warming rate"]
probes = {{ centre = ["0 mm", "0 mm", "32 mm"] }}
"""
MATERIAL = """\
name = "benchmark gel"
class = "other"

[density]
value = "{density} kg/m^3"
source = "hpc/benchmarks/problem.py"
quality = "estimate"

[warming_window]
values = ["{window[0]} degC", "{window[1]} degC"]
source = "hpc/benchmarks/problem.py"
quality = "estimate"
"""
PARTICLE = """\
name = "benchmark particle"
class = "particle"

[specific_power]
kind = "table"
at_field = "20 kA/m"
at_frequency = "360 kHz"
"""


def table(values: Array, unit: str) -> str:
    """A property over temperature as the lines of a TOML table."""
    at = ", ".join(f'"{temperature:.10g} degC"' for temperature in TABLE)
    entries = ", ".join(f'"{value:.10g} {unit}"' for value in values)
    return f'at = [{at}]\nvalues = [{entries}]\nsource = "hpc/benchmarks/problem.py"\nquality = "estimate"\n'


def write_case(cells: str, variant: str, cache: Path, folder: Path) -> Path:
    """Write the vial's files into `folder`; the path of the case file."""
    vial_mesh(cells, cache)
    folder.mkdir(parents=True, exist_ok=True)
    properties = PROPERTIES[variant]
    material = MATERIAL.format(density=DENSITY, window=WINDOW)
    material += "\n[specific_heat]\n" + table(properties.heat_capacity(TABLE), "J/kg/K")
    material += "\n[conductivity]\n" + table(properties.conductivity(TABLE), "W/m/K")
    (folder / "material.toml").write_text(material)
    power = properties.heating(TABLE) / IRON / 1000.0  # W/kgFe to W/gFe
    (folder / "particle.toml").write_text(PARTICLE + table(power, "W/gFe"))
    case = folder / "vial.toml"
    case.write_text(
        CASE.format(
            variant=variant,
            mesh=(cache / f"vial-{cells}.msh").resolve(),
            initial=INITIAL,
            iron=IRON,
            coefficient=HEAT_TRANSFER_COEFFICIENT,
            ambient=AMBIENT,
            duration=DURATION,
            window=WINDOW,
        )
    )
    return case


def main() -> None:
    """Write the files that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--cells", choices=list(TARGETS), default="50k")
    parser.add_argument("--variant", choices=VARIANTS, default="B")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE)
    parser.add_argument("--folder", type=Path, default=DEFAULT_CACHE / "case")
    options = parser.parse_args()
    print(write_case(options.cells, options.variant, options.cache, options.folder))


if __name__ == "__main__":
    main()
