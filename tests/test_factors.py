"""Section `[factors]` of a case: library values changed, and what follows from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nanowarm
from nanowarm.case import load_case
from nanowarm.errors import CaseError
from nanowarm.physics.particles import Particle
from nanowarm.shelf import load_record

SHUT = {"kind": "insulated"}
VIAL = Path(__file__).parents[1] / "cases" / "vial-1mL.toml"
LIBRARY = Path(nanowarm.__file__).parent / "library" / "particles"


def warming(bench: Any, **sections: Any) -> Path:
    """A vial that loses no heat: 10 kg/m3 of iron at 200 kW/kg in 2 MJ/m3/K warm it by 10 K in 10 s."""
    particles = {"name": bench.particle("warmer", 2e5), "iron": "10 mgFe/mL"}
    return bench.case(
        "vial",
        {"volume": "1 mL"},
        "4 mm",
        initial={"temperature": "0 degC"},
        regions={"cpa": {"material": bench.material("jelly", 2e6), "particles": particles}},
        boundaries={"side": SHUT, "top": SHUT, "bottom": SHUT},
        field={"kind": "uniform", "amplitude": "20 kA/m", "frequency": "200 kHz"},
        stages=[{"name": "warm", "duration": "10 s"}],
        output={"every": "10 s", "fields": []},
        **sections,
    )


def test_twice_the_specific_heat_warms_half_as_fast_and_the_record_says_so(bench: Any) -> None:
    case = warming(bench, factors={"jelly.toml": {"specific_heat": 2}, "warmer.toml": {"specific_power": 1.5}})
    run = nanowarm.run(case, folder=bench.folder / "run")
    assert run.summary["regions"]["cpa"]["temperature_degC"]["mean"] == pytest.approx(10.0 * 1.5 / 2.0, rel=1e-6)
    record = json.loads((bench.folder / "run" / "record.json").read_text(encoding="utf-8"))
    notes = {(Path(row["of"]).name, row["what"]): row["note"] for row in record["inputs"]}
    assert notes["jelly.toml", "specific heat"] == "times 2 by the case"
    assert notes["warmer.toml", "specific power"] == "times 1.5 by the case"
    assert notes["jelly.toml", "density"] is None
    again = load_case(bench.folder / "run" / "case.toml").regions["cpa"].medium
    assert float(again.capacity(273.15)) == pytest.approx(4e6, rel=1e-12)


def test_a_factor_holds_at_all_temperatures_and_changes_nothing_else() -> None:
    at = np.linspace(80.0, 300.0, 23)
    before = load_case(VIAL).regions["cpa"].medium
    after = load_case(VIAL, ["factors.VS55.specific_heat=1.05"]).regions["cpa"].medium
    assert after.capacity(at) == pytest.approx(1.05 * before.capacity(at), rel=1e-12)
    assert after.conductivity(at) == pytest.approx(before.conductivity(at), rel=1e-12)
    assert (after.critical_warming_rate, after.melting) == (before.critical_warming_rate, before.melting)


def test_a_shift_moves_a_temperature() -> None:
    before, after = (load_case(VIAL, asked).materials["VS55"] for asked in ([], ["factors.VS55.melting=-2 K"]))
    assert after.melting.value == pytest.approx(before.melting.value - 2.0, rel=1e-12)
    assert after.glass_transition == before.glass_transition


@pytest.mark.parametrize("name", ["sIONP", "magnetite-14nm", "magnetite-20nm"])  # power law, linear response, hysteresis
def test_a_factor_on_a_specific_power_is_on_the_power(name: str) -> None:
    particle = load_record(LIBRARY / f"{name}.toml", Particle)
    one, other = particle.specific_power, particle.specific_power.scaled(0.5)
    assert float(other.power(15e3, 300e3, 310.0)) == pytest.approx(0.5 * float(one.power(15e3, 300e3, 310.0)), rel=1e-12)


def test_a_factor_on_a_table_of_specific_power_is_on_all_its_values(bench: Any) -> None:
    bench.particle("table", {200.0: 1e5, 300.0: 3e5})
    particle = load_record(bench.folder / "table.toml", Particle)
    assert particle.specific_power.scaled(2.0).values == (2e5, 6e5)


def test_ice_that_is_followed_gives_the_changed_critical_rates() -> None:
    asked = ["solver.ice=true", "factors.VS55.critical_warming_rate=0.8", "factors.VS55.critical_cooling_rate=1.2"]
    case = load_case(VIAL, asked)
    kinetics = case.regions["cpa"].medium.kinetics
    assert kinetics is not None
    assert kinetics.at_constant_rate(0.8 * 55.0 / 60.0) == pytest.approx(0.002, rel=1e-6)
    assert kinetics.at_constant_rate(-1.2 * 2.5 / 60.0) == pytest.approx(0.002, rel=1e-6)


def test_every_kind_of_run_can_follow_ten_times_the_viscosity() -> None:
    before, after = (load_case(VIAL, asked).materials["VS55"].viscosity for asked in ([], ["factors.VS55.viscosity=10"]))
    at = np.array([160.0, 200.0, 300.0])
    assert after.value(at) == pytest.approx(10.0 * before.value(at), rel=1e-9)


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("factors.VS56.density=1.1", r"factors\.VS56: the case uses no such material or particle; did you mean VS55\?"),
        ("factors.blood.density=1.1", r"factors\.blood: the case uses no such material or particle"),
        ("factors.VS55.densty=1.1", r"factors\.VS55\.densty: it has no such value; did you mean density\?"),
        ("factors.VS55.note=1.1", r"factors\.VS55\.note: it has no such value"),
        ("factors.VS55.density=0", r"factors\.VS55\.density: must be a factor above 0, .*; found 0"),
        ("factors.VS55.density=-1", r"factors\.VS55\.density: must be a factor above 0, .*; found -1"),
        ("factors.VS55.density=true", r"factors\.VS55\.density: must be a factor above 0, .*; found true"),
        ("factors.VS55.density=nan", r"factors\.VS55\.density: must be a factor above 0, .*; found nan"),
        ("factors.VS55.density=much", r"factors\.VS55\.density: 'much' is not a number with a unit"),
        ("factors.VS55.density=5 K", r"factors\.VS55\.density: must be a factor above 0, such as 1\.05; found"),
        ("factors.VS55.melting=1.1", r'factors\.VS55\.melting: must be a shift, such as "5 K"; found 1\.1'),
        ("factors.VS55.melting=5 mm", r"factors\.VS55\.melting: 'mm' is not a unit"),
        ("factors.VS55.ice=1.1", r"factors\.VS55\.ice: can't be changed by a factor"),
        ("factors.VS55.warming_window=5 K", r"factors\.VS55\.warming_window: can't be changed by a factor"),
        ("factors.VS55.poissons_ratio=3", r"factors\.VS55\.poissons_ratio\.value: must be below 0\.5; found 0\.6"),
        ("factors.VS55.glass_transition=90 K", r"factors\.VS55: `glass_transition` must lie below `melting`"),
        ("factors.VS55=2", r"factors\.VS55: must be a section of keys"),
    ],
)
def test_a_factor_that_can_not_be_used_is_one_line(setting: str, told: str) -> None:
    with pytest.raises(CaseError, match=told) as error:
        load_case(VIAL, [setting])
    assert len(error.value.faults) == 1


def test_critical_rates_that_no_ice_fits_are_one_line() -> None:
    with pytest.raises(CaseError, match=r"factors\.VS55: critical rates of .* can't be fitted: the one on warming must be the"):
        load_case(VIAL, ["solver.ice=true", "factors.VS55.critical_warming_rate=0.01"])
