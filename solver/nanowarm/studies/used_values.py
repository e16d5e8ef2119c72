"""Values of materials and particles that the outcome of a case rests on."""

from __future__ import annotations

from nanowarm.case import Case
from nanowarm.physics.factors import sourced_keys
from nanowarm.sections import RegionInput
from nanowarm.shelf import read_toml

_THERMAL = {"density", "specific_heat", "conductivity"}
_ICE = {"ice", "glass_transition", "melting", "water_fraction", "concentrated_fraction", "critical_cooling_rate"}
_ICE |= {"critical_warming_rate"}  # the kinetics are fitted to both rates
_STRESS = {"youngs_modulus", "poissons_ratio", "expansion", "set_temperature"}
_WEAKER = {"glass_transition", "melting"}  # what a weaker solution shifts


def values_of(case: Case) -> dict[str, list[str]]:
    """Keys of all values of each material and particle of a case, by its name there."""
    names = (*case.materials, *case.particles)
    return {name: sourced_keys(read_toml(case.files[name])) for name in names}


def used_values(case: Case) -> list[tuple[str, str]]:
    """Names and keys of the values that heat, ice, stress or a criterion of a case asks for, each once."""
    asked: dict[str, set[str]] = {}
    for region, section in case.input.regions.items():
        names = [section.material] if isinstance(section.material, str) else list(section.material.mix)
        for name in names:
            asked.setdefault(name, set()).update(_material_keys(case, section), _criteria_keys(case, region))
        if section.particles is not None:
            asked.setdefault(section.particles.name, set()).add("specific_power")
        if section.perfusion is not None:
            asked.setdefault(section.perfusion.blood, set()).update({"density", "specific_heat"})
    known = values_of(case)
    return [(name, key) for name, keys in known.items() for key in keys if key in asked.get(name, ())]


def _material_keys(case: Case, section: RegionInput) -> set[str]:
    """What the equations of a region take from its materials."""
    keys = set(_THERMAL)
    if case.input.follows_ice():
        keys |= _ICE
    if case.input.follows_stress():
        keys |= _STRESS | ({"viscosity"} if case.input.stress.rheology == "Maxwell" else set())
    if section.concentration is not None:
        keys |= _WEAKER
    if section.eddy:
        keys.add("electrical_conductivity")
    if section.perfusion is not None and section.perfusion.rate is None:
        keys.add("perfusion")
    if section.metabolism is True:
        keys.add("metabolism")
    return keys


def _criteria_keys(case: Case, region: str) -> set[str]:
    """What the criteria of a region take from its materials."""
    keys: set[str] = set()
    for criterion in case.input.criteria:
        if criterion.region != region:
            continue
        word = "cooling" if criterion.needs_window < 0 else "warming"
        if criterion.asks_critical():
            keys.add(f"critical_{word}_rate")
        if criterion.needs_window and criterion.asked_window() is None:
            keys.add(f"{word}_window")
        if criterion.asks_strength():
            keys.add("tensile_strength")
        if criterion.asks_critical_difference():
            keys.add("glass_temperature_difference")
    return keys
