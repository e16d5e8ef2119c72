"""Balls whose temperature is known exactly: each computed by a run of the program, at cells of any size."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w
from scipy.optimize import brentq

import nanowarm
from nanowarm.quantity import VACUUM_PERMEABILITY

RADIUS = 10e-3  # [m]
CAPACITY, CONDUCTIVITY, DENSITY = 2e6, 0.5, 1000.0  # [J/m3/K], [W/m/K], [kg/m3]
BLOOD_CAPACITY = 4e6  # [J/m3/K]
INVENTED = {"source": "invented for the book", "quality": "estimate"}
COLD, BATH, BODY = -150.0, 20.0, 37.0  # [degC]
BIOT, FOURIER = 1.0, 0.2
POWER = 1e5  # [W/m3]
IRON = 10.0  # [kg/m3]
EXCHANGE = 2e4  # [W/m3/K] of blood
FIELD, FREQUENCY, ELECTRIC = 20e3, 100e3, 0.5  # [A/m], [Hz], [S/m]
TERMS = 60
INSULATED = {"surface": {"kind": "insulated"}}
CENTRE = "probe_centre_degC"


@dataclass(frozen=True)
class Problem:
    """A problem with an exact solution.

    Args:
        name: for files.
        title: for readers.
        formula: of the exact solution, in LaTeX.
        source: citation keys.
        column: of the last row of `history.csv` that is compared.
        unit: of the numbers.
        exact: solution.
        sections: of the case file, but for the mesh.
        scale: what an error is compared with: the change of temperature, or the dose.
        cells: per radius, coarse to fine.
    """

    name: str
    title: str
    formula: str
    source: str
    column: str
    unit: str
    exact: float
    sections: Callable[[], Mapping[str, Any]]
    scale: float
    cells: tuple[int, ...] = (5, 10, 20)

    def computed(self, folder: Path, cells: int) -> tuple[float, int]:
        """The number that a run on so many cells per radius ends with, and its tetrahedra.

        Args:
            folder: an empty one, which gets all files.
            cells: per radius.
        """
        _write_materials(folder)
        mesh = {"file": str(RECIPE), "parameters": {"radius": f"{RADIUS!r} m"}, "size": f"{RADIUS / cells!r} m"}
        output = {"every": "1 h", "fields": [], "probes": {"centre": ["0 mm", "0 mm", "0 mm"]}}
        content = {"schema": 1, "title": self.title, "mesh": mesh, "output": output, "solver": {"tolerance": "0.0005 K"}}
        case = folder / f"{self.name}.toml"
        case.write_text(tomli_w.dumps(content | dict(self.sections())), encoding="utf-8")
        run = nanowarm.run(case, folder=folder / "run")
        with (run.folder / "history.csv").open(newline="", encoding="utf-8") as file:
            last = list(csv.DictReader(file))[-1]
        return float(last[self.column]), int(run.summary["mesh"]["cells"])


RECIPE = Path(__file__).parents[3] / "meshes" / "sphere.geo"


def _property(value: float, unit: str) -> dict[str, Any]:
    """A constant as the file of a material has it."""
    return INVENTED | {"value": f"{value!r} {unit}"}


def _write_materials(folder: Path) -> None:
    """The medium of all balls, their blood and their particle, as files."""
    for name, capacity in (("jelly", CAPACITY), ("fluid", BLOOD_CAPACITY)):
        content = {
            "name": name,
            "class": "other",
            "density": _property(DENSITY, "kg/m^3"),
            "specific_heat": _property(capacity / DENSITY, "J/kg/K"),
            "conductivity": _property(CONDUCTIVITY, "W/m/K"),
            "electrical_conductivity": _property(ELECTRIC, "S/m"),
        }
        (folder / f"{name}.toml").write_text(tomli_w.dumps(content), encoding="utf-8")
    at = {"kind": "power law", "at_field": f"{FIELD!r} A/m", "at_frequency": f"{FREQUENCY!r} Hz"}
    power = at | _property(POWER / IRON / 1e3, "W/gFe") | {"field_exponent": 2.0, "frequency_exponent": 1.0}
    content = {"name": "warmer", "class": "particle", "specific_power": power}
    (folder / "warmer.toml").write_text(tomli_w.dumps(content), encoding="utf-8")


def _case(start: float, boundaries: Mapping[str, Any], stage: Mapping[str, Any], **body: Any) -> dict[str, Any]:
    """The sections of a ball in the field that its heating is quoted at."""
    field = {"kind": "uniform", "amplitude": f"{FIELD!r} A/m", "frequency": f"{FREQUENCY!r} Hz"}
    return {
        "initial": {"temperature": f"{start!r} degC"},
        "regions": {"body": {"material": "./jelly.toml"} | body},
        "boundaries": dict(boundaries),
        "field": field,
        "stages": [{"name": "only"} | dict(stage)],
    }


def _bath(ambient: float) -> dict[str, Any]:
    """The surface in a bath [degC] at the Biot number."""
    coefficient = f"{BIOT * CONDUCTIVITY / RADIUS!r} W/m^2/K"
    return {"surface": {"kind": "convection", "coefficient": coefficient, "ambient": f"{ambient!r} degC"}}


PARTICLES = {"name": "./warmer.toml", "iron": f"{IRON} mgFe/mL"}  # POWER at FIELD and FREQUENCY
BLOOD = {"rate": f"{EXCHANGE / BLOOD_CAPACITY!r} 1/s", "blood": "./fluid.toml", "arterial": f"{BODY} degC"}


def _cooled() -> dict[str, Any]:
    """A cold ball put into a bath."""
    duration = FOURIER * RADIUS**2 * CAPACITY / CONDUCTIVITY
    return _case(COLD, _bath(BATH), {"duration": f"{duration!r} s"})


def _cooled_exact() -> float:
    """Centre of the ball in the bath [degC], by the series of eigenfunctions."""
    total = 0.0
    for number in range(TERMS):
        root = brentq(
            lambda z: z * np.cos(z) - (1 - BIOT) * np.sin(z), max(number * np.pi, 1e-9), (number + 1) * np.pi, xtol=1e-14
        )
        total += 4 * (np.sin(root) - root * np.cos(root)) / (2 * root - np.sin(2 * root)) * np.exp(-(root**2) * FOURIER)
    return float(BATH + (COLD - BATH) * total)


def _adiabatic() -> dict[str, Any]:
    """An insulated ball with particles."""
    return _case(COLD, INSULATED, {"duration": "60 s"}, particles=PARTICLES)


def _steady() -> dict[str, Any]:
    """A ball with particles in a bath, steady."""
    return _case(BATH, _bath(BATH), {"steady": True}, particles=PARTICLES)


def _perfused() -> dict[str, Any]:
    """A perfused ball with particles, its surface held at the temperature of the body, steady."""
    held = {"surface": {"kind": "fixed temperature", "value": f"{BODY} degC"}}
    return _case(BODY, held, {"steady": True}, particles=PARTICLES, perfusion=BLOOD)


def _perfused_exact() -> float:
    """Centre of the perfused ball [degC]."""
    reach = RADIUS * math.sqrt(EXCHANGE / CONDUCTIVITY)
    return BODY + POWER / EXCHANGE * (1.0 - reach / math.sinh(reach))


def _eddy() -> dict[str, Any]:
    """An insulated conducting ball."""
    return _case(COLD, INSULATED, {"duration": "600 s"}, eddy=True)


def _eddy_exact() -> float:
    """Mean of the conducting ball [degC]: the square of the distance from the axis is 2/5 of the radius squared on average."""
    heat = ELECTRIC * (math.pi * VACUUM_PERMEABILITY * FIELD * FREQUENCY) ** 2 / 2 * 0.4 * RADIUS**2
    return COLD + heat * 600.0 / CAPACITY


def _warm() -> dict[str, Any]:
    """An insulated perfused ball, held at 44 degC for ten minutes, so that its dose is followed."""
    return _case(
        44.0, INSULATED, {"duration": "600 s", "field": {"amplitude": "0 A/m"}}, perfusion=BLOOD | {"arterial": "44 degC"}
    )


PROBLEMS = (
    Problem(
        "bath",
        "A cold ball put into a bath: temperature of its centre at a Fourier number of 0.2",
        r"\frac{T-T_b}{T_0-T_b}=\sum_n \frac{4(\sin z_n-z_n\cos z_n)}{2z_n-\sin 2z_n}\,e^{-z_n^2\,\mathrm{Fo}},\quad"
        r" 1-z_n\cot z_n=\mathrm{Bi}",
        "carslaw1959",
        CENTRE,
        "degC",
        _cooled_exact(),
        _cooled,
        BATH - COLD,
    ),
    Problem(
        "steady",
        "A ball with particles in a bath: temperature of its centre in the steady state",
        r"T(0)=T_b+\frac{qR}{3h}+\frac{qR^2}{6k}",
        "carslaw1959",
        CENTRE,
        "degC",
        BATH + POWER * RADIUS**2 / CONDUCTIVITY * (1 / (3 * BIOT) + 1 / 6),
        _steady,
        POWER * RADIUS**2 / CONDUCTIVITY / 2,
    ),
    Problem(
        "perfused",
        "A perfused ball with particles, its surface held: temperature of its centre",
        r"T(0)=T_a+\frac{q}{W}\left(1-\frac{\beta R}{\sinh\beta R}\right),\quad \beta^2=W/k",
        "pennes1948",
        CENTRE,
        "degC",
        _perfused_exact(),
        _perfused,
        _perfused_exact() - BODY,
    ),
    Problem(
        "adiabatic",
        "An insulated ball with particles: mean temperature after a minute",
        r"T=T_0+\frac{qt}{c}",
        "carslaw1959",
        "body_mean_degC",
        "degC",
        COLD + POWER * 60.0 / CAPACITY,
        _adiabatic,
        POWER * 60.0 / CAPACITY,
        (5,),
    ),
    Problem(
        "eddy",
        "An insulated conducting ball in a uniform field: mean temperature after ten minutes",
        r"\bar p=\frac{\sigma(\pi\mu_0fH)^2}{2}\,\frac{2R^2}{5}",
        "landau1984",
        "body_mean_degC",
        "degC",
        _eddy_exact(),
        _eddy,
        _eddy_exact() - COLD,
    ),
    Problem(
        "dose",
        "Ten minutes at 44 degC: thermal dose exceeded in nine tenths of the ball",
        r"\mathrm{CEM}_{43}=t\,0.5^{\,43-T}",
        "sapareto1984",
        "body_cem43_t90_min",
        "min",
        20.0,
        _warm,
        20.0,
        (5,),
    ),
)
