"""Whatever a user gets wrong ends with lines that say where, what and what is allowed; and with nothing computed."""

from __future__ import annotations

import copy
import json
import math
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from nanowarm.case import load_case
from nanowarm.errors import CaseError

MESHES = Path(__file__).parents[1] / "meshes"
GONE = type("Gone", (), {"__repr__": lambda self: "gone"})()  # in place of a value: the key is left out
SOURCED = {"source": "invented for a test", "quality": "estimate"}
GEL: dict[str, Any] = {
    "name": "gel",
    "class": "other",
    "density": SOURCED | {"value": "1000 kg/m^3"},
    "specific_heat": SOURCED | {"value": "3000 J/kg/K"},
    "conductivity": SOURCED | {"value": "0.5 W/m/K"},
}
BRITTLE: dict[str, Any] = GEL | {
    "youngs_modulus": SOURCED | {"value": "1 GPa"},
    "poissons_ratio": SOURCED | {"value": 0.2},
    "expansion": SOURCED | {"value": "6.7e-5 1/K"},
}
SETTING: dict[str, Any] = BRITTLE | {"set_temperature": SOURCED | {"value": "-121 degC"}}
ICY: dict[str, Any] = GEL | {
    "glass_transition": SOURCED | {"value": "-123 degC"},
    "melting": SOURCED | {"value": "-38 degC"},
    "water_fraction": SOURCED | {"value": 0.48},
    "concentrated_fraction": SOURCED | {"value": 0.7},
    "ice": SOURCED
    | {
        "kind": "nucleation and growth",
        "nucleation_temperature": "-80 degC",
        "nucleation_width": "5 K",
        "activation_energy": "60 kJ/mol",
        "rate_product": 3.5e-19,
    },
    "viscosity": SOURCED
    | {"kind": "VFT", "log10_at_infinity": -5.0, "scale": "454 K", "vanishing": "123.3 K", "highest": "1e15 Pa*s"},
}
LOT: dict[str, Any] = {
    "name": "lot",
    "class": "particle",
    "specific_power": SOURCED | {"kind": "power law", "value": "220 W/gFe", "at_field": "20 kA/m", "at_frequency": "360 kHz"},
}
GOOD: dict[str, Any] = {
    "schema": 1,
    "title": "1 mL in a vial",
    "mesh": {"file": str(MESHES / "vial.geo"), "parameters": {"volume": "1 mL"}, "size": "4 mm"},
    "initial": {"temperature": "-150 degC"},
    "regions": {"cpa": {"material": "VS55", "particles": {"name": "sIONP", "iron": "10 mgFe/mL"}}},
    "boundaries": {
        name: {"kind": "convection", "coefficient": "10 W/m^2/K", "ambient": "20 degC"} for name in ("side", "top", "bottom")
    },
    "field": {"kind": "uniform", "amplitude": "20 kA/m", "frequency": "360 kHz"},
    "stages": [{"name": "rewarm", "duration": "2 s", "until": "coldest > -10 degC"}],
    "criteria": [{"kind": "warming rate", "region": "cpa", "window": ["-120 degC", "-20 degC"], "fraction": 0.9}],
    "output": {"every": "1 s", "probes": {"centre": ["0 mm", "0 mm", "0 mm"]}},
}


def changed(content: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """TOML data with the value at a path such as "stages|0|name" replaced, appended or left out."""
    content = copy.deepcopy(content)
    *parts, last = path.split("|")
    node: Any = content
    for part in parts:
        node = node[int(part)] if isinstance(node, list) else node.setdefault(part, {})
    if value is GONE:
        del node[last]
    elif isinstance(node, list):
        node[int(last) :] = [value]
    else:
        node[last] = value
    return content


def write(folder: Path, content: Mapping[str, Any], name: str = "case.toml") -> Path:
    (folder / name).write_text(tomli_w.dumps(content), encoding="utf-8")
    return folder / name


def lines_of(path: Path, *overrides: str) -> list[str]:
    """The faults of a case, without the folder it is in."""
    with pytest.raises(CaseError, match=r"\S") as caught:
        load_case(path, overrides)
    return [line.replace(f"{path.parent}/", "") for line in caught.value.faults]


def table(at: list[Any], values: list[Any], **more: Any) -> dict[str, Any]:
    return {"at": at, "values": values} | more


AMBIENT = "boundaries|side|ambient"
UNTIL = "stages|0|until"
OF_STAGE = "stages|0|boundaries"

ICE = {"kind": "ice", "region": "cpa"}
TENSION = {"kind": "stress", "region": "cpa"}
WARMTH = {"kind": "exposure", "region": "cpa", "above": "-40 degC", "at_most": "5 min"}
UNEVEN = {"kind": "temperature difference", "region": "cpa", "at_most": "critical", "below": "-123 degC"}

# What is changed in the good case, and the lines that tell of it.
FAULTS: list[tuple[str, Any, str]] = [
    # the mesh
    ("mesh", GONE, "mesh: missing: this key is required"),
    ("mesh", [], "mesh: must be a section of keys, [...] or { ... }; found a list"),
    ("mesh|file", GONE, "mesh: give file, or files (the closed surface around each region by name), one of them"),
    ("mesh|file", 5, 'mesh.file: must be text in quotes, "..."; found 5'),
    ("mesh|file", "gone.geo", "mesh.file: there is no such file: gone.geo"),
    ("mesh|file", ".", "mesh.file: there is no such file: "),
    ("mesh|file", "a\0b.geo", "mesh.file: there is no such file: a\0b.geo"),
    ("mesh|unit", "furlong", 'mesh.unit: must be "m", "cm", "mm", "um" or "inch"; found "furlong"'),
    ("mesh|size", "3", 'mesh.size: write the unit: 3 could be anything, e.g. "1 mm"'),
    ("mesh|size", 3, 'mesh.size: write the unit: 3 could be anything, e.g. "3 mm"'),
    ("mesh|size", "3 s", "mesh.size: 's' is not a unit of this quantity: allowed is what converts to m, e.g. \"1 mm\""),
    ("mesh|size", "0 mm", "mesh.size: '0 mm' is out of range: it must be above 0 m"),
    ("mesh|size", math.nan, 'mesh.size: write the unit: nan could be anything, e.g. "1 mm"'),
    ("mesh|size", "1e300 mm", "mesh.size: '1e300 mm' is out of range: it must be at most 1000 m"),
    ("mesh|size", True, 'mesh.size: must be text with a unit, e.g. "1 mm"; found True'),
    ("mesh|refine", -1, "mesh.refine: must be at least 0; found -1"),
    ("mesh|refine", 7, "mesh.refine: must be at most 6; found 7"),
    ("mesh|refine", 1.5, "mesh.refine: must be a whole number without quotes; found 1.5"),
    ("mesh|refine", True, "mesh.refine: must be a whole number without quotes; found true"),
    ("mesh|parametres", {}, "mesh.parametres: unknown key; did you mean parameters? known: coarsening, coordinates, file, "),
    ("mesh|parameters|volume", [1], 'must be text with a unit such as "1 mL", or a plain number; found a list'),
    ("mesh|parameters|volume", math.inf, "mesh.parameters.volume: must be finite; found inf"),
    # the file as a whole
    ("schema", GONE, "schema: missing: this key is required"),
    ("schema", 2, "schema: this program reads schema 1; found 2"),
    ("schema", "1", 'schema: this program reads schema 1; found "1"'),
    ("schema", True, "schema: this program reads schema 1; found true"),
    ("version", 1, "version: unknown key"),
    ("title", 5, 'title: must be text in quotes, "..."; found 5'),
    ("outptu", {}, "outptu: unknown key; did you mean output?"),
    ("initial", GONE, "initial: missing: this key is required"),
    ("initial|temperature", 20, 'initial.temperature: write the unit: 20 could be anything, e.g. "20 degC"'),
    ("initial|temperature", "-300 degC", "initial.temperature: -300 degC is below absolute zero"),
    ("initial|temperature", "1e308 degC", "initial.temperature: '1e308 degC' is out of range: it must be at most 100000 K"),
    # regions
    ("regions", GONE, "regions: missing: this key is required"),
    ("regions", {}, "regions: empty: give at least one"),
    ("regions", [], "regions: must be a section of keys, [...] or { ... }; found a list"),
    ("regions|cpa", "VS55", 'regions.cpa: must be a section of keys, [...] or { ... }; found "VS55"'),
    ("regions|cpa", {}, "regions.cpa.material: missing: this key is required"),
    ("regions|cpa|perfusion", 1, "regions.cpa.perfusion: must be true (the material's own), a rate such as"),
    ("regions|cpa|perfusion", True, "regions.cpa.perfusion: VS55 has no perfusion of its own: give a rate"),
    (
        "regions|cpa|perfusion",
        {"rate": "50 mL/min/kg", "shutdown": "damage"},
        "regions.cpa.perfusion.shutdown: damage is not followed: choose its parameters in [doses]",
    ),
    ("regions|cpa|metabolism", True, "regions.cpa.metabolism: VS55 has none of its own: give it"),
    ("regions|cpa|blood", 1, "regions.cpa.blood: unknown key; known: concentration, eddy, material, metabolism, particles, "),
    ("regions|<b>a.b</b> c", {}, 'regions."<b>a.b</b> c".material: missing: this key is required'),
    ("regions|str|material", 5, 'regions.str.material: must be text in quotes, "..." or a section of keys'),
    ("regions|cpa|material", "VS56", 'regions.cpa.material: no material "VS56"; did you mean VS55? known: '),
    ("regions|cpa|material", "", 'regions.cpa.material: no material ""; known: '),
    ("regions|cpa|material", ["VS55"], "regions.cpa.material: must be text in quotes"),
    ("regions|cpa|material", {"mx": {"VS55": 1}}, "regions.cpa.material.mx: unknown key; did you mean mix? known: mix"),
    ("regions|cpa|material", {"mix": {"VS55": 0.5, "kidney": 0.6}}, "regions.cpa.material.mix: the fractions add up to 1.1"),
    ("regions|cpa|material", {"mix": {}}, "regions.cpa.material.mix: the fractions add up to 0; they must add up to 1"),
    ("regions|cpa|material", {"mix": {"VS55": 1.5}}, "regions.cpa.material.mix.VS55: must be at most 1; found 1.5"),
    ("regions|cpa|material", {"mix": {"VS55": -0.5}}, "regions.cpa.material.mix.VS55: must be above 0; found -0.5"),
    ("regions|cpa|material", {"mix": {"VS55": math.nan}}, "regions.cpa.material.mix.VS55: must be a finite number; found nan"),
    ("regions|cpa|material", {"mix": {"VS55": 0.5, "kidny": 0.5}}, 'no material "kidny"; did you mean kidney?'),
    ("regions|cpa|material", "gone.toml", "regions.cpa.material: gone.toml: no such file"),
    ("regions|cpa|material", "./", "can't be read: Is a directory"),
    ("regions|cpa|material", "a\0b.toml", "can't be read: embedded null byte"),
    ("regions|cpa|material", "lot.toml", 'regions.cpa.material: lot.toml is of class "particle"; a material is needed here'),
    ("regions|cpa|particles", "sIONP", "regions.cpa.particles: must be a section of keys"),
    ("regions|cpa|particles|name", "gel.toml", 'regions.cpa.particles.name: gel.toml is of class "other"; a particle is needed'),
    ("regions|cpa|particles|name", "EMG", 'regions.cpa.particles.name: no particle "EMG"; did you mean EMG308?'),
    ("regions|cpa|particles|iron", GONE, "regions.cpa.particles.iron: missing: this key is required"),
    ("regions|cpa|particles|iron", "10 mg/mL", "iron is always given per mass of iron, in mgFe/mL"),
    ("regions|cpa|particles|iron", "-1 mgFe/mL", "regions.cpa.particles.iron: '-1 mgFe/mL' is out of range"),
    # boundaries
    ("boundaries", [], "boundaries: must be a section of keys, [...] or { ... }; found a list"),
    ("boundaries|side", "insulated", 'boundaries.side: must be a section of keys, [...] or { ... }; found "insulated"'),
    ("boundaries|side|kind", GONE, "boundaries.side.kind: missing: this key is required"),
    ("boundaries|side|kind", "convektion", 'boundaries.side.kind: no kind "convektion"; did you mean convection? known: '),
    ("boundaries|side|kind", 5, 'boundaries.side.kind: no kind "5"; known: convection, fixed temperature, heat flux'),
    ("boundaries|side|coefficient", GONE, "boundaries.side.coefficient: missing: this key is required"),
    ("boundaries|side|coefficient", "-1 W/m^2/K", "'-1 W/m^2/K' is out of range: it must be at least 0 W/m^2/K"),
    ("boundaries|side|coefficient", "1 W/m^2", "boundaries.side.coefficient: 'W/m^2' is not a unit of this quantity"),
    ("boundaries|side|coeficient", "1 W/m^2/K", "unknown key; did you mean coefficient? known: ambient, coefficient, kind"),
    ("boundaries|convection", {"kind": "convection"}, "boundaries.convection.ambient: missing: this key is required"),
    ("boundaries|heat flux", {"kind": "heat flux", "value": 5}, 'boundaries."heat flux".value: write the unit: 5'),
    ("boundaries|side", {"kind": "fixed temperature", "value": "-1 K"}, "boundaries.side.value: -1 K is below absolute zero"),
    (
        "boundaries|side",
        {"kind": "radiation", "emissivity": 1.5, "ambient": "0 degC"},
        "emissivity: must be at most 1; found 1.5",
    ),
    ("boundaries|side", {"kind": "heat flux", "value": "1 W"}, "boundaries.side.value: 'W' is not a unit of this quantity"),
    # tables over time
    (AMBIENT, ["20 degC"], 'boundaries.side.ambient: must be text with a unit, e.g. "-150 degC"; found a list'),
    (AMBIENT, {}, "boundaries.side.ambient: a table over time has the keys at, values and perhaps since"),
    (AMBIENT, table([], []), "boundaries.side.ambient: `at` has 0 times and `values` 0 values"),
    (AMBIENT, table(["0 s", "9 s"], ["1 degC"]), "boundaries.side.ambient: `at` has 2 times and `values` 1 values: give as many"),
    (AMBIENT, table(["9 s", "0 s"], ["1 degC", "2 degC"]), "boundaries.side.ambient: the times of `at` must increase strictly"),
    (AMBIENT, table(["0 s", "0 s"], ["1 degC", "2 degC"]), "boundaries.side.ambient: the times of `at` must increase strictly"),
    (AMBIENT, table(["-5 s"], ["1 degC"]), "boundaries.side.ambient.at.0: '-5 s' is out of range: it must be at least 0 s"),
    (AMBIENT, table([0], ["1 degC"]), "boundaries.side.ambient.at.0: write the unit: 0 could be anything"),
    (AMBIENT, table(["0 s"], [1]), "boundaries.side.ambient: write the unit: 1 could be anything"),
    (AMBIENT, table(["0 s"], ["-300 degC"]), "boundaries.side.ambient: -300 degC is below absolute zero"),
    (AMBIENT, table(["0 s"], ["1 degC"], since="now"), 'boundaries.side.ambient.since: must be "run" or "stage"; found "now"'),
    # the field
    ("field", "uniform", 'field: must be a section of keys, [...] or { ... }; found "uniform"'),
    ("field|kind", GONE, "field.kind: missing: this key is required"),
    ("field|kind", "solenoidal", 'field.kind: no kind "solenoidal"; did you mean solenoid?'),
    ("field|amplitude", "20 kA/m RMS", "field.amplitude: '20 kA/m RMS': amplitudes are always peak"),
    ("field|amplitude", "-20 kA/m", "field.amplitude: '-20 kA/m' is out of range: it must be at least 0 A/m"),
    ("field|amplitude_rms", "1 A/m", "field.amplitude_rms: unknown key; did you mean amplitude?"),
    ("field|frequency", "1e6 rad/s", "field.frequency: 'rad/s' is an angle per time, off by 2 pi: write it in Hz"),
    ("field|frequency", "0 Hz", "field.frequency: '0 Hz' is out of range: it must be above 0 Hz"),
    # stages
    ("stages", GONE, "stages: missing: this key is required"),
    ("stages", [], "stages: empty: give at least one"),
    ("stages", {}, "stages: must be a list, [ ... ]; found a section of keys"),
    ("stages|0", "x", 'stages.0: must be a section of keys, [...] or { ... }; found "x"'),
    ("stages|0", {"name": "hold"}, "stages.hold: give a duration, or until what it lasts"),
    ("stages|0|name", GONE, "stages.0.name: missing: this key is required"),
    ("stages|0|name", "", "stages.0.name: must not be empty"),
    ("stages|0|name", 5, 'stages.0.name: must be text in quotes, "..."; found 5'),
    ("stages|1", {"name": "rewarm", "duration": "1 s"}, 'stages: 2 are called "rewarm": give each its own name'),
    ("stages|0|duration", "0 s", "stages.rewarm.duration: '0 s' is out of range: it must be above 0 s"),
    ("stages|0|duration", "1e400 s", "stages.rewarm.duration: '1e400 s' is not finite"),
    (
        "stages|0|feild",
        {},
        "stages.rewarm.feild: unknown key; did you mean field? known: boundaries, control, duration, field, name",
    ),
    ("stages|0|name", "a\nb", r"stages: 'a\nb' can't head a column: give a name on one line"),
    ("output|probes|", ["0 mm", "0 mm", "0 mm"], "output.probes: '' can't head a column"),
    (UNTIL, 5, 'stages.rewarm.until: 5 is not a condition; write e.g. "coldest > -20 degC"'),
    (UNTIL, "coldest -10 degC", "stages.rewarm.until: 'coldest -10 degC' is not a condition"),
    (UNTIL, "coldest > -10", "stages.rewarm.until: write the unit: -10 could be anything"),
    (UNTIL, "warmest > -10 degC", "'warmest' is nothing to wait for; allowed are coldest, hottest, mean"),
    (UNTIL, "cp.coldest > 0 degC", 'stages.rewarm.until: no region "cp"; did you mean cpa? known: cpa'),
    (UNTIL, "probe.center > 0 degC", 'stages.rewarm.until: no probe "center"; did you mean centre? known: centre'),
    (OF_STAGE, ["side"], "stages.rewarm.boundaries: must be a section of keys, [...] or { ... }; found a list"),
    (OF_STAGE, {"sid": {"coefficient": "1 W/m^2/K"}}, "stages.rewarm.boundaries.sid: the case has no such boundary to change; "),
    (OF_STAGE, {"side": {"coeficient": "1"}}, "stages.rewarm.boundaries.side.coeficient: unknown key; did you mean coefficient?"),
    (OF_STAGE, {"side": {"coefficient": "1"}}, "stages.rewarm.boundaries.side.coefficient: write the unit: 1 could be"),
    (OF_STAGE, {"side": {"kind": "fixd"}}, 'stages.rewarm.boundaries.side.kind: no kind "fixd"; known: convection, '),
    (OF_STAGE, {"side": {"kind": "fixed temperature"}}, "stages.rewarm.boundaries.side.value: missing: this key is required"),
    ("stages|0|steady", True, "stages.rewarm: a steady state takes no time: leave out duration, until and control"),
    (
        "stages|0|search",
        {"sensor": "hottest", "at_most": "42 degC", "between": ["0 A/m", "5 kA/m"]},
        "stages.rewarm.search: is for steady states: give steady = true, or leave it out",
    ),
    (
        "stages|0|control",
        {"kind": "pid", "sensor": "cpx.hottest", "set_point": "43 degC"},
        'stages.rewarm.sensor: no region "cpx"; did you mean cpa?',
    ),
    ("stages|0|control", {"kind": "pid", "sensor": "warmest", "set_point": "43 degC"}, "stages.rewarm.control.sensor: "),
    (
        "stages|0|control",
        {"kind": "pid", "sensor": "hottest", "set_point": "43 degC", "least": "90 kA/m"},
        "stages.rewarm.control: the stage's field",
    ),
    ("stages|0|field", "off", 'stages.rewarm.field: must be a section of keys, [...] or { ... }; found "off"'),
    ("stages|0|field", {"amplitude": 0}, "stages.rewarm.field.amplitude: write the unit: 0 could be anything"),
    ("stages|0|field", {"kind": "x"}, 'stages.rewarm.field.kind: no kind "x"; known: coil, helmholtz, loops'),
    # criteria
    ("criteria", {}, "criteria: must be a list, [ ... ]; found a section of keys"),
    ("criteria|0|kind", GONE, "criteria.0.kind: missing: this key is required"),
    ("criteria|0|kind", "warming", 'criteria.0.kind: no kind "warming"; did you mean warming rate? known: cooling rate, '),
    ("criteria|0|region", "cp", 'criteria.0.region: no region "cp"; did you mean cpa? known: cpa'),
    ("criteria|0|at_least", 130, 'criteria.0.at_least: write the unit: 130 could be anything, e.g. "130 degC/min"'),
    ("criteria|0|at_least", "criticl", 'is not a number with a unit, e.g. "55 degC/min"; also allowed: "critical"'),
    ("criteria|0|window", ["-20 degC", "-20 degC"], "window: its two temperatures must differ"),
    ("criteria|0|window", ["-20 degC"], "criteria.0.window: too short: found a list of 1"),
    ("criteria|0|window", "-20 degC", 'criteria.0.window: must be a list, [ ... ]; found "-20 degC"'),
    ("criteria|0|fraction", 0, "criteria.0.fraction: must be above 0; found 0"),
    ("criteria|0|fraction", "90 %", 'criteria.0.fraction: must be a number without quotes; found "90 %"'),
    ("criteria|0", {"kind": "temperature", "region": "cpa"}, "criteria.0: give either `at_most` or `at_least`"),
    (
        "criteria|0",
        {"kind": "warming rate", "region": "gel"},
        'criteria.0.at_least: gel has no critical rate; give one, e.g. "55',
    ),
    ("criteria|0", {"kind": "warming rate", "region": "gel"}, 'criteria.0.window: gel has none; give one, e.g. ["-120 degC"'),
    # ice, glass and stress
    ("criteria|0", ICE | {"region": "cp"}, 'criteria.0.region: no region "cp"; did you mean cpa? known: cpa'),
    ("criteria|0", ICE | {"atmost": "1 %"}, "criteria.0.atmost: unknown key; did you mean at_most? known: at_most, fraction"),
    ("criteria|0", ICE | {"at_most": "0.2"}, 'criteria.0.at_most: write the unit: 0.2 could be anything, e.g. "0.2 %"'),
    ("criteria|0", ICE | {"at_most": "1 K"}, "criteria.0.at_most: 'K' is not a unit of this quantity"),
    ("criteria|0", ICE | {"at_most": "-1 %"}, "criteria.0.at_most: must be above 0; found -0.01"),
    ("criteria|0", ICE | {"at_most": "120 %"}, "criteria.0.at_most: must be at most 1; found 1.2"),
    ("criteria|0", ICE | {"at_most": 0}, "criteria.0.at_most: must be above 0; found 0"),
    ("criteria|0", ICE | {"at_most": math.nan}, "criteria.0.at_most: must be a finite number; found nan"),
    ("criteria|0", ICE | {"fraction": 1.2}, "criteria.0.fraction: must be at most 1; found 1.2"),
    ("criteria|0", WARMTH | {"above": -40}, 'criteria.0.above: write the unit: -40 could be anything, e.g. "-40 degC"'),
    ("criteria|0", WARMTH | {"above": "-300 degC"}, "criteria.0.above: -300 degC is below absolute zero"),
    (
        "criteria|0",
        WARMTH | {"at_most": "5 K"},
        "criteria.0.at_most: 'K' is not a unit of this quantity: allowed is what converts",
    ),
    ("criteria|0", WARMTH | {"at_most": "-5 min"}, "criteria.0.at_most: '-5 min' is out of range: it must be above 0 s"),
    ("criteria|0", TENSION | {"at_most": "3"}, 'criteria.0.at_most: write the unit: 3 could be anything, e.g. "3.2 MPa"; also'),
    ("criteria|0", TENSION | {"at_most": "3 K"}, "'K' is not a unit of this quantity: allowed is what converts to Pa"),
    ("criteria|0", TENSION | {"at_most": "-3 MPa"}, "criteria.0.at_most: '-3 MPa' is out of range: it must be above 0 Pa"),
    ("criteria|0", TENSION | {"at_most": "strenght"}, 'is not a number with a unit, e.g. "3.2 MPa"; also allowed: "strength"'),
    (
        "criteria|1",
        TENSION | {"at_most": "3 MPa"},
        "stress: the material of gel needs youngs_modulus, poissons_ratio and expansion",
    ),
    ("solver|stress", True, "case.toml: stress: the material of gel needs youngs_modulus, poissons_ratio and expansion"),
    ("criteria|0", UNEVEN | {"region": "gel"}, "criteria.0.at_most: gel has no glass_temperature_difference; give one, e.g. "),
    ("criteria|0", UNEVEN | {"at_most": "critcal"}, 'is not a number with a unit, e.g. "10 K"; also allowed: "critical"'),
    ("stress", ["side"], "stress: must be a section of keys, [...] or { ... }; found a list"),
    ("stress|bondd", ["side"], "stress.bondd: unknown key; did you mean bonded? known: bonded, container_expansion, order, "),
    ("stress|bonded", "side", 'stress.bonded: must be a list, [ ... ]; found "side"'),
    ("stress|resolution", "0 K", 'stress.resolution: must be above 0; found "0 K"'),
    ("stress|resolution", 6, 'stress.resolution: write the unit: 6 could be anything, e.g. "6 K"'),
    ("stress|order", 3, "stress.order: must be at most 2; found 3"),
    ("stress|order", True, "stress.order: must be a whole number without quotes; found true"),
    ("stress|rheology", "plastic", 'stress.rheology: must be "Maxwell" or "elastic"; found "plastic"'),
    ("stress|container_expansion", "1 1/K", "stress.container_expansion: '1 1/K' is out of range: it must be at most 0.1 1/K"),
    ("solver|ice", "yes", 'solver.ice: must be true or false; found "yes"'),
    ("solver|stress", "yes", 'solver.stress: must be true or false or a list, [ ... ]; found "yes"'),
    ("solver|stress", ["1 s", 2], 'solver.stress.1: write the unit: 2 could be anything, e.g. "2 s"'),
    ("solver|stress", ["-1 s"], "solver.stress.0: '-1 s' is out of range: it must be at least 0 s"),
    ("regions|cpa|concentration", 1.3, "regions.cpa.concentration: must be above 0 and at most 1.2, where 1 is full strength; "),
    ("regions|cpa|concentration", 0, "must be above 0 and at most 1.2, where 1 is full strength; found 0"),
    ("regions|cpa|concentration", 90, 'where 1 is full strength; found 90; for per cent write "90 %"'),
    ("regions|cpa|concentration", "90", "regions.cpa.concentration: write the unit: 90 could be anything"),
    ("regions|cpa|concentration", {"kind": "radius"}, "a table whose `kind` is axial, depth, image, radial or uniform"),
    ("regions|gel|concentration", 0.9, "regions.gel.concentration: gel has no glass_transition, melting, critical_cooling_rate"),
    # solver and output
    ("solver|tolerance", "0 K", "solver.tolerance: '0 K' is out of range: it must be above 0 K"),
    ("solver|tol", 1, "solver.tol: unknown key; known: "),
    ("output|every", "1e-9 s", "output.every: 2 s of protocol would give 2e+09 rows; at most 1000000 are allowed"),
    ("output|fields", ["pressure"], 'output.fields.0: must be "temperature", "warming rate"'),
    ("output|fields", "temperature", 'output.fields: must be a list, [ ... ]; found "temperature"'),
    ("output|probes|x", ["0 mm", "0 mm"], "output.probes.x: too short: found a list of 2"),
    ("output|probes|x", ["0 mm", "0 mm", 0], "output.probes.x.2: write the unit: 0 could be anything"),
]


@pytest.mark.parametrize(("path", "value", "line"), FAULTS, ids=lambda x: None if isinstance(x, dict | list) else str(x)[:40])
def test_a_wrong_value_in_a_case_is_told_with_its_key_and_what_is_allowed(
    tmp_path: Path, path: str, value: Any, line: str
) -> None:
    write(tmp_path, GEL, "gel.toml")
    write(tmp_path, LOT, "lot.toml")
    case = changed(GOOD, "regions|gel", {"material": "gel.toml"})
    told = lines_of(write(tmp_path, changed(case, path, value)))
    assert any(line in one for one in told), told
    assert all(one.startswith("case.toml: ") for one in told)
    assert len(told) <= 2, told


def cold_lines(folder: Path, material: dict[str, Any], *changes: tuple[str, Any]) -> list[str]:
    """The faults of the good case filled with a material of its own."""
    write(folder, material, "gel.toml")
    case = changed(changed(GOOD, "regions|cpa", {"material": "gel.toml"}), "criteria", [])
    for path, value in changes:
        case = changed(case, path, value)
    return lines_of(write(folder, case))


def test_a_stress_that_is_to_stay_below_a_strength_needs_one(tmp_path: Path) -> None:
    (told,) = cold_lines(tmp_path, BRITTLE, ("criteria", [TENSION]))
    assert told == 'case.toml: criteria.0.at_most: gel has no tensile_strength; give a stress, e.g. "3.2 MPa"'


@pytest.mark.parametrize("key", ["youngs_modulus", "poissons_ratio", "expansion"])
def test_stress_needs_all_that_it_follows_from(tmp_path: Path, key: str) -> None:
    (told,) = cold_lines(tmp_path, changed(BRITTLE, key, GONE), ("solver|stress", True))
    assert told == "case.toml: stress: the material of cpa needs youngs_modulus, poissons_ratio and expansion"


def test_what_only_sets_does_not_flow_as_maxwell_says(tmp_path: Path) -> None:
    (told,) = cold_lines(tmp_path, SETTING, ("solver|stress", True))
    assert told.startswith("case.toml: stress.rheology: the material of cpa sets at a temperature and has no viscosity: write")
    assert load_case(tmp_path / "case.toml", ["stress.rheology=elastic"]).input.follows_stress()


def test_ice_is_not_followed_through_a_steady_state(tmp_path: Path) -> None:
    (told,) = cold_lines(tmp_path, ICY, ("criteria", [ICE]), ("stages|0", {"name": "rest", "steady": True}))
    line = "takes no time, and what the case follows does (ice, exposure): give a duration, or don't ask for that"
    assert told == f"case.toml: stages.rest.steady: {line}"


def test_the_good_case_has_no_fault(tmp_path: Path) -> None:
    assert load_case(write(tmp_path, GOOD)).stages[0].name == "rewarm"


OF_MATERIALS: list[tuple[dict[str, Any], str, Any, str]] = [
    (GEL, "density", GONE, "gel.toml: density: missing: this key is required"),
    (GEL, "density|value", "0 kg/m^3", "gel.toml: density.value: '0 kg/m^3' is out of range: it must be above 0 kg/m^3"),
    (GEL, "density|source", GONE, "gel.toml: density.source: missing: this key is required"),
    (GEL, "density|quality", "good", 'gel.toml: density.quality: must be "measured", "derived" or "estimate"; found "good"'),
    (GEL, "densty", {}, "gel.toml: densty: unknown key; did you mean density?"),
    (GEL, "class", "metal", 'gel.toml: class: must be "cryoprotectant", "tissue"'),
    (GEL, "specific_heat", SOURCED, "gel.toml: specific_heat: give either `value`, or `at` and `values`"),
    (
        GEL,
        "specific_heat",
        SOURCED | table(["0 degC", "-9 degC"], ["1 J/kg/K", "1 J/kg/K"]),
        "gel.toml: specific_heat: the temperatures of `at` must increase strictly",
    ),
    (GEL, "specific_heat", SOURCED | table(["0 degC"], []), "gel.toml: specific_heat: `at` has 1 temperatures and `values` 0"),
    (GEL, "specific_heat", 3000, "gel.toml: specific_heat: must be a section of keys, [...] or { ... }; found 3000"),
    (ICY, "ice|kind", "quick", 'gel.toml: ice.kind: no kind "quick"; known: equilibrium, nucleation and growth'),
    (ICY, "ice|kind", GONE, "gel.toml: ice.kind: missing: this key is required"),
    (ICY, "ice|nucleation_temperature", GONE, "gel.toml: ice.nucleation_temperature: missing: this key is required"),
    (ICY, "ice|source", GONE, "gel.toml: ice.source: missing: this key is required"),
    (ICY, "ice|colour", 1, "gel.toml: ice.colour: unknown key; known: activation_energy, kind, note, nucleation_temperature, "),
    (ICY, "ice|threshold", 0, "gel.toml: ice.threshold: must be above 0; found 0"),
    (ICY, "ice|threshold", 0.5, "gel.toml: ice.threshold: must be below 0.1; found 0.5"),
    (ICY, "ice|nucleation_width", "0 K", "gel.toml: ice.nucleation_width: '0 K' is out of range: it must be above 0 K"),
    (ICY, "ice|activation_energy", "60 K", "gel.toml: ice.activation_energy: 'K' is not a unit of this quantity"),
    (ICY, "ice|rate_product", -1.0, "gel.toml: ice.rate_product: must be above 0; found -1"),
    (ICY, "glass_transition|value", "-30 degC", "gel.toml: `glass_transition` must lie below `melting`"),
    (
        ICY,
        "water_fraction|value",
        0.2,
        "gel.toml: its solute, 1 - water_fraction = 0.8, must be above 0 and below `concentrated_",
    ),
    (ICY, "concentrated_fraction|value", 0.4, "gel.toml: its solute, 1 - water_fraction = 0.52, must be above 0 and below"),
    (ICY, "water_fraction|value", "48 %", 'gel.toml: water_fraction.value: must be a number without quotes; found "48 %"'),
    (ICY, "viscosity|kind", "Arrhenius", 'gel.toml: viscosity.kind: must be "VFT"; found "Arrhenius"'),
    (ICY, "viscosity|highest", GONE, "gel.toml: viscosity.highest: missing: this key is required"),
    (ICY, "viscosity|scale", "-454 K", "gel.toml: viscosity.scale: '-454 K' is out of range: it must be at least 0 K"),
    (BRITTLE, "poissons_ratio|value", 0.5, "gel.toml: poissons_ratio.value: must be below 0.5; found 0.5"),
    (BRITTLE, "youngs_modulus|value", "0 Pa", "gel.toml: youngs_modulus.value: '0 Pa' is out of range: it must be above 0 Pa"),
    (BRITTLE, "expansion|value", "6e-5", "gel.toml: expansion.value: write the unit: 6e-5 could be anything, e.g. "),
    (BRITTLE, "tensile_strength", SOURCED | {"value": "0 MPa"}, "gel.toml: tensile_strength.value: '0 MPa' is out of range"),
    (LOT, "specific_power|kind", "guess", 'lot.toml: specific_power.kind: no kind "guess"; known: hysteresis, linear response'),
    (LOT, "specific_power|value", "220 W/g", "lot.toml: specific_power.value: '220 W/g' does not say per mass of what"),
    (LOT, "specific_power|at_field", "0 A/m", "lot.toml: specific_power.at_field: '0 A/m' is out of range: it must be above 0"),
    (LOT, "specific_power|field_exponent", -1, "lot.toml: specific_power.field_exponent: must be at least 0; found -1"),
]


@pytest.mark.parametrize(("content", "path", "value", "line"), OF_MATERIALS, ids=[f"{x[1]}-{x[3][:40]}" for x in OF_MATERIALS])
def test_a_wrong_value_in_a_material_or_particle_is_told_with_its_own_file(
    tmp_path: Path, content: dict[str, Any], path: str, value: Any, line: str
) -> None:
    write(tmp_path, GEL, "gel.toml")
    write(tmp_path, LOT, "lot.toml")
    write(tmp_path, changed(content, path, value), f"{content['name']}.toml")
    use = {"material": "gel.toml", "particles": {"name": "lot.toml", "iron": "1 mgFe/mL"}}
    case = changed(changed(GOOD, "regions|cpa", use), "criteria", [])
    (told,) = lines_of(write(tmp_path, case))
    assert told.startswith(line)


def test_the_faults_of_all_sections_are_told_at_once_and_each_once(tmp_path: Path) -> None:
    case = changed(GOOD, "mesh|size", "0 mm")
    case = changed(case, "mesh|file", "gone.geo")
    case = changed(case, "regions|cpa|material", "VS56")
    case = changed(case, "regions|shell", {"material": "VS57", "colour": "red"})
    case = changed(case, "boundaries|side|ambient", "20")
    case = changed(case, "stages|0|boundaries", {"side": {"coefficient": "8 W/m^2/K"}, "top": {"ambient": 5}})
    case = changed(case, "stages|1", {"name": "hold"})
    case = changed(case, "stages|2", {"name": "rest", "duration": "-1 s"})
    case = changed(case, "criteria|1", {"kind": "warming rate", "region": "nowhere"})
    case = changed(case, "criteria|2", {"kind": "warming rate", "region": "shell", "fraction": 2})
    told = [line.split(": ")[1] for line in lines_of(write(tmp_path, case))]
    assert sorted(told) == [
        "boundaries.side.ambient",
        "criteria.1.region",
        "criteria.2.fraction",
        "mesh.size",
        "regions.cpa.material",
        "regions.shell.colour",
        "stages.hold",
        "stages.rest.duration",
        "stages.rewarm.boundaries.top.ambient",
    ]


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("mesh.size", '--set mesh.size: write key=value, e.g. "field.amplitude=20 kA/m"'),
        ("=3", "--set =3: write key=value"),
        (".size=3 mm", "--set .size=3 mm: write key=value"),
        ("stages.foo.duration=1 s", 'no item "foo"; there are 1, counted from 0 or called by name: rewarm'),
        ("stages.1.duration=1 s", 'no item "1"; there are 1, counted from 0'),
        ("stages.-1.duration=1 s", 'no item "-1"; there are 1'),
        ("title.x=1", '--set title.x=1: "title" is a value, not a section'),
        ("mesh.colour=red", "case.toml: mesh.colour: unknown key"),
        ("stages=[1, 2", 'case.toml: stages: must be a list, [ ... ]; found "[1, 2"'),
        ("schema=1\nversion=1", 'case.toml: schema: this program reads schema 1; found "1'),
    ],
)
def test_a_bad_override_is_told_as_it_was_written(tmp_path: Path, override: str, line: str) -> None:
    (told,) = lines_of(write(tmp_path, GOOD), override)
    assert line in told


def test_the_faults_of_all_overrides_are_told_at_once(tmp_path: Path) -> None:
    assert len(lines_of(write(tmp_path, GOOD), "mesh.size", "title.x=1", "stages.x=1")) == 3


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"a = \n", "not TOML: Invalid value (at line 1, column 5)"),
        (b"a = 1\na = 2\n", "not TOML: Cannot overwrite a value (at line 2"),
        (b"\xff\xfe\0a", "not TOML: it is not text in UTF-8 (byte 0)"),
        (b"a = " + b"[" * 100_000, "nested too deeply: at most 20 levels"),
        (b"a." + b"b." * 5000 + b"c = 1", "nested too deeply: at most 20 levels"),
        (b"title = 1" + b"0" * 10_000, "not TOML: Exceeds the limit (4300 digits)"),
        (b"#" * 10_000_001, "not TOML: it is larger than 10 MB"),
        (b"", "mesh: missing: this key is required"),
    ],
    ids=["syntax", "twice", "binary", "lists in lists", "keys in keys", "digits", "large", "empty"],
)
def test_a_file_that_is_no_case_is_refused(tmp_path: Path, content: bytes, line: str) -> None:
    (tmp_path / "case.toml").write_bytes(content)
    assert any(one.startswith(f"case.toml: {line}") for one in lines_of(tmp_path / "case.toml"))


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "case.toml").write_bytes(b"\xef\xbb\xbf" + tomli_w.dumps(GOOD).encode())
    assert load_case(tmp_path / "case.toml").input.version == 1


def test_very_long_titles_and_names_are_allowed(tmp_path: Path) -> None:
    case = changed(changed(GOOD, "title", "é" * 100_000), "stages|0|name", "x" * 10_000)
    assert load_case(write(tmp_path, case)).stages[0].name == "x" * 10_000


# From here on the real command, in a process of its own.


def nanowarm(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "nanowarm"), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


def assert_refused(folder: Path, line: str, *arguments: str, code: int = 2) -> list[str]:
    """The lines on standard error of a command that must leave no folder; one of them holds a text."""
    before = sorted(folder.rglob("*"))
    done = nanowarm(folder, *arguments)
    assert done.returncode == code, done
    told = done.stderr.splitlines()
    assert any(line in one for one in told), told
    assert "Traceback" not in done.stderr
    assert "─" not in done.stderr  # lines, not boxes
    assert sorted(folder.rglob("*")) == before
    return told


def test_a_faulty_case_ends_with_exit_code_2_and_one_line_per_fault(tmp_path: Path) -> None:
    write(tmp_path, changed(changed(GOOD, "mesh|size", "4"), "initial|temperature", 5))
    assert len(assert_refused(tmp_path, "case.toml: mesh.size: write the unit", "run", "case.toml")) == 2


def test_ranks_tell_each_fault_once(tmp_path: Path) -> None:
    write(tmp_path, changed(GOOD, "mesh|size", "4"))
    assert len(assert_refused(tmp_path, "case.toml: mesh.size", "run", "case.toml", "-n", "2")) == 1
    mpiexec = str(Path(sys.executable).parent / "mpiexec")
    command = [mpiexec, "-n", "2", str(Path(sys.executable).parent / "nanowarm"), "run", "case.toml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 2
    assert done.stderr.count("case.toml: mesh.size") == 1


@pytest.mark.parametrize(
    ("line", "arguments"),
    [
        ("No such command 'frobnicate'; see nanowarm --help", ["frobnicate"]),
        ("No such option: --frob; see nanowarm --help", ["run", "case.toml", "--frob"]),
        ("Missing argument 'CASE'; see nanowarm --help", ["run"]),
        ("Invalid value for '-n'", ["run", "case.toml", "-n", "0"]),
        ("Invalid value for '-n'", ["run", "case.toml", "-n", "two"]),
        ("gone.toml: no such file", ["check", "gone.toml"]),
        ("folder: can't be read: Is a directory", ["mesh", "folder"]),
        ("loop: can't be read: Too many levels of symbolic links", ["run", "loop"]),
        ("dangling: no such file", ["run", "dangling"]),
        ("folder: no finished run: there is no summary.json in it", ["report", "folder"]),
        ('no material, particle, coil or damage set "VS56"; did you mean VS55?', ["library", "VS56"]),
        ('no shipped case "vial"; did you mean', ["new", "mine", "--from", "vial"]),
        ("folder: exists already and is never overwritten", ["new", "folder"]),
    ],
    ids=lambda x: " ".join(x) if isinstance(x, list) else "",
)
def test_a_bad_command_line_ends_with_exit_code_2(tmp_path: Path, line: str, arguments: list[str]) -> None:
    write(tmp_path, GOOD)
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "dangling").symlink_to("nowhere")
    assert len(assert_refused(tmp_path, line, *arguments)) == 1


@pytest.mark.parametrize(
    ("folder", "line"),
    [
        ("taken", "taken: exists already and is never overwritten; choose another folder with -o"),
        ("file", "file: exists already and is never overwritten"),
        ("file/inside", "file/inside: can't be made"),
        ("dangling", "dangling: exists already and is never overwritten"),
    ],
)
def test_a_run_folder_in_whose_place_something_is_changes_nothing(tmp_path: Path, folder: str, line: str) -> None:
    write(tmp_path, GOOD)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    (tmp_path / "dangling").symlink_to("nowhere")
    assert_refused(tmp_path, line, "run", "case.toml", "-o", folder)


OVERRIDES_OF_MESHES = [
    ("empty.msh", b"", "empty.msh: the file is empty"),
    ("noise.msh", bytes(range(256)) * 9, "noise.msh: "),
    ("flat.geo", b'// unit: mm\nSetFactory("OpenCASCADE"); Rectangle(1) = {0, 0, 0, 1, 1};\n', "has no volume"),
    ("wrong.geo", b"// unit: mm\nFoo(((;\n", "line 2: syntax error"),
    ("nounit.geo", b'SetFactory("OpenCASCADE"); Box(1) = {0, 0, 0, 9, 9, 9};', 'write the length unit: unit = "mm"'),
]


@pytest.mark.parametrize(("name", "content", "line"), OVERRIDES_OF_MESHES, ids=[x[0] for x in OVERRIDES_OF_MESHES])
def test_a_geometry_that_is_no_volume_ends_with_exit_code_2(tmp_path: Path, name: str, content: bytes, line: str) -> None:
    mesh = {"file": name, "size": "3 mm"}
    write(tmp_path, changed(GOOD, "mesh", mesh))
    (tmp_path / name).write_bytes(content)
    assert_refused(tmp_path, line, "run", "case.toml")


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("output|probes|out", ["1 m", "0 mm", "0 mm"], "output.probes.out: (1000 mm, 0 mm, 0 mm) lies outside the mesh"),
        ("mesh|parameters|volum", "1 mL", "vial.geo: no parameter 'volum'; did you mean volume?"),
        ("mesh|parameters|volume", "1 mm", "vial.geo: parameter volume: 'mm' is not a unit of this quantity"),
        ("regions|kidney", {"material": "VS55"}, "regions.kidney: the mesh has no such region; known: cpa"),
        ("boundaries|side", GONE, 'the mesh has the outer surface "side": give it a section [boundaries.side]'),
        (
            "stress|bonded",
            ["sid"],
            'stress.bonded: the mesh has no outer surface "sid"; did you mean side? known: bottom, side, ',
        ),
    ],
    ids=["probe", "parameter", "dimension", "region", "surface", "bonded"],
)
def test_what_does_not_fit_the_mesh_ends_with_exit_code_2(tmp_path: Path, path: str, value: Any, line: str) -> None:
    write(tmp_path, changed(GOOD, path, value))
    assert_refused(tmp_path, line, "run", "case.toml")


def no_number(text: str) -> None:
    raise AssertionError(f"{text} is no number that JSON knows")


def test_what_never_got_cold_is_unseen_and_has_no_number(tmp_path: Path) -> None:
    write(tmp_path, SETTING | {"tensile_strength": SOURCED | {"value": "3 MPa"}}, "gel.toml")
    rate = {"kind": "cooling rate", "region": "cpa", "at_least": "2 degC/min", "window": ["-38 degC", "-100 degC"]}
    case = changed(GOOD, "criteria", [ICE, TENSION, UNEVEN | {"at_most": "38 K"}, rate])
    for path, value in (
        ("regions|cpa", {"material": "gel.toml"}), ("initial|temperature", "0 degC"), ("stress|rheology", "elastic"),
        ("field", GONE), ("stages|0", {"name": "wait", "duration": "2 s"}),
    ):  # fmt: skip
        case = changed(case, path, value)
    write(tmp_path, case)
    done = nanowarm(tmp_path, "run", "case.toml", "-o", "out")
    assert (done.returncode, done.stderr) == (1, "")
    assert "ice of cpa: unseen: ice is not calibrated for what fills cpa" in done.stdout
    assert "stress of cpa: unseen: nothing of cpa became glass" in done.stdout
    for criterion in ("temperature difference", "cooling rate"):
        assert f"{criterion} of cpa: unseen: " in done.stdout
    found = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"), parse_constant=no_number)
    assert [row["value"] for row in found["criteria"]] == [None] * 4
    assert [row.get("reason") for row in found["criteria"][:2]] == [
        "ice is not calibrated for what fills cpa", "nothing of cpa became glass",
    ]  # fmt: skip
    region = found["regions"]["cpa"]
    assert (region["ice_fraction"], region["largest_tensile_stress_MPa"]) == (None, None)
    assert region["ice_note"] == "ice is not calibrated for gel"


def assert_disk_full(folder: Path, run_folder: Path) -> None:
    done = nanowarm(folder, "run", "case.toml", "-o", str(run_folder))
    told = done.stderr.splitlines()
    assert done.returncode == 3, done
    assert len(told) == 1, told
    assert "No space left on device" in told[0]
    assert "can't be written" in told[0]


def test_a_disk_that_is_full_when_the_fields_are_opened_ends_with_exit_code_3(tmp_path: Path, small_disk: Any) -> None:
    write(tmp_path, GOOD)
    assert_disk_full(tmp_path, small_disk(16) / "run")


def test_a_disk_that_is_full_at_the_end_ends_with_exit_code_3(tmp_path: Path, small_disk: Any) -> None:
    write(tmp_path, changed(GOOD, "output|fields", []))
    assert_disk_full(tmp_path, small_disk(16) / "run")


def test_a_disk_that_fills_up_while_fields_are_written_ends_with_exit_code_3(tmp_path: Path, small_disk: Any) -> None:
    write(tmp_path, changed(changed(GOOD, "stages|0|duration", "50 s"), "mesh|size", "3 mm"))
    assert_disk_full(tmp_path, small_disk(300) / "run")


def test_a_new_case_on_a_full_disk_leaves_nothing(tmp_path: Path, small_disk: Any) -> None:
    disk = small_disk(4)
    done = nanowarm(tmp_path, "new", str(disk / "mine"))
    assert done.returncode in (2, 3)
    assert "No space left on device" in done.stderr
    assert not (disk / "mine").exists()
