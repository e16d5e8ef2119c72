"""The right-hand side: limits, signs, symmetry, and what a run observes of it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from nanowarm.errors import CaseError, SolveError
from nanowarm.numerics.ledger import INFLOW, SUPPLIED
from nanowarm.numerics.rkc import Step
from nanowarm.numerics.stage_run import _first_time

SHUT = {"kind": "insulated"}
FIELD = {"kind": "uniform", "amplitude": "20 kA/m", "frequency": "200 kHz"}


def convection(ambient: Any, coefficient: str = "100 W/m^2/K") -> dict[str, Any]:
    return {"kind": "convection", "coefficient": coefficient, "ambient": ambient}


def slab_case(bench: Any, **sections: Any) -> Path:
    """A slab 10 x 4 x 4 mm of 2 MJ/m3/K and 0.5 W/m/K, for 10 s."""
    everything: dict[str, Any] = {
        "initial": {"temperature": "200 K"},
        "regions": {"body": {"material": bench.material("jelly")}},
        "boundaries": {"left": SHUT, "right": SHUT, "sides": SHUT},
        "stages": [{"name": "only", "duration": "10 s"}],
    }
    path: Path = bench.case("slab", {"thickness": "10 mm", "width": "4 mm"}, "2 mm", **everything | sections)
    return path


def rate_of(trial: Any, time: float = 0.0) -> Any:
    """Right-hand side at the initial state of the first stage."""
    state = trial.heat.initial_state(trial.case.input.initial.temperature)
    trial.heat.begin(trial.case.stages[0], 0.0, state)
    out = np.empty(trial.heat.size)
    trial.heat.rate(time, state, out)
    return out


def test_nothing_happens_in_a_closed_uniform_body(bench: Any) -> None:
    assert np.abs(rate_of(bench.trial(slab_case(bench)))).max() < 1e-6  # of 2e6 J/m3/K


def test_every_part_heats_with_its_own_iron(bench: Any) -> None:
    jelly = bench.material("jelly")
    regions = {
        "body": {"material": jelly, "particles": {"name": bench.particle("a", 100e3), "iron": "10 mgFe/mL"}},
        "layer": {"material": jelly, "particles": {"name": bench.particle("b", 300e3), "iron": "5 mgFe/mL"}},
    }
    path = bench.case(
        "slab",
        {"thickness": "10 mm", "width": "4 mm", "interface": "4 mm"},
        "2 mm",
        initial={"temperature": "200 K"},
        regions=regions,
        boundaries={"left": SHUT, "right": SHUT, "sides": SHUT},
        field=FIELD,
        stages=[{"name": "only", "duration": "10 s"}],
    )
    trial = bench.trial(path)
    rate, x = rate_of(trial)[: trial.heat.owned], trial.position[:, 0]
    assert rate[x < 3e-3] == pytest.approx(10 * 100e3)
    assert rate[x > 5e-3] == pytest.approx(5 * 300e3)
    at_interface = rate[np.isclose(x, 4e-3)]
    assert (at_interface > 1.0e6).all()
    assert (at_interface < 1.5e6).all()


def test_the_supplied_power_is_that_of_all_iron(bench: Any) -> None:
    regions = {
        "body": {"material": bench.material("jelly"), "particles": {"name": bench.particle("a", 100e3), "iron": "10 mgFe/mL"}}
    }
    rate = rate_of(bench.trial(slab_case(bench, regions=regions, field=FIELD)))
    assert rate[SUPPLIED] == pytest.approx(10 * 100e3 * 160e-9)  # [W] of 10 x 4 x 4 mm


@pytest.mark.parametrize(("surface", "area"), [("left", 16e-6), ("right", 16e-6), ("sides", 160e-6)])
def test_the_inflow_of_a_surface_is_its_flux_times_its_area(bench: Any, surface: str, area: float) -> None:
    boundaries = {"left": SHUT, "right": SHUT, "sides": SHUT, surface: {"kind": "heat flux", "value": "1 kW/m^2"}}
    trial = bench.trial(slab_case(bench, boundaries=boundaries))
    rate = rate_of(trial)
    assert rate[INFLOW] == pytest.approx(1e3 * area)
    assert rate[: trial.heat.owned] @ trial.volume == pytest.approx(1e3 * area)


def test_a_warmer_ambient_warms_the_surface_only(bench: Any) -> None:
    trial = bench.trial(slab_case(bench, boundaries={"left": convection("300 K"), "right": SHUT, "sides": SHUT}))
    rate, x = rate_of(trial)[: trial.heat.owned], trial.position[:, 0]
    assert (rate[x < 1e-9] > 0).all()
    assert np.abs(rate[x > 1e-9]).max() < 1e-6


def test_a_table_that_counts_from_the_stage_starts_anew_with_it(bench: Any) -> None:
    ramp = {"at": ["0 s", "10 s"], "values": ["0 W/m^2", "1000 W/m^2"]}
    boundaries = {"left": {"kind": "heat flux", "value": "0 W/m^2"}, "right": SHUT, "sides": SHUT}
    stages = [{"name": name, "duration": "10 s", "boundaries": {"left": {"value": ramp}}} for name in ("one", "two")]
    trial = bench.solved(slab_case(bench, boundaries=boundaries, stages=stages))
    assert trial.solution.energy["inflow"] == pytest.approx(2 * 500.0 * 10.0 * 16e-6, rel=1e-9)


def test_a_table_of_the_case_counts_from_the_start_of_the_run(bench: Any) -> None:
    flux = {"kind": "heat flux", "value": {"at": ["0 s", "10 s", "20 s"], "values": ["0 W/m^2", "1000 W/m^2", "0 W/m^2"]}}
    stages = [{"name": name, "duration": "10 s"} for name in ("one", "two")]
    trial = bench.solved(slab_case(bench, boundaries={"left": flux, "right": SHUT, "sides": SHUT}, stages=stages))
    assert trial.solution.energy["inflow"] == pytest.approx(1000.0 * 10.0 * 16e-6, rel=1e-9)


def test_heat_flows_from_warm_to_cold_without_new_extremes(bench: Any) -> None:
    boundaries = {
        "left": {"kind": "fixed temperature", "value": "300 K"},
        "right": {"kind": "fixed temperature", "value": "150 K"},
        "sides": SHUT,
    }
    trial = bench.solved(slab_case(bench, boundaries=boundaries))
    # the tolerance of steps is 0.01 K; a mesh of tetrahedra with obtuse angles keeps no strict maximum principle
    assert trial.temperature.min() > 150.0 - 0.5
    assert trial.temperature.max() < 300.0 + 0.5


def test_held_nodes_have_exactly_their_temperature(bench: Any) -> None:
    ramp = {"at": ["0 s", "4 s", "8 s"], "values": ["210 K", "250 K", "190 K"]}
    held = {"kind": "fixed temperature", "value": ramp}
    trial = bench.solved(slab_case(bench, boundaries={"left": held, "right": SHUT, "sides": SHUT}))
    assert trial.temperature[trial.position[:, 0] < 1e-9] == pytest.approx(190.0, abs=1e-9)


def test_a_held_surface_follows_its_table_in_every_row(bench: Any) -> None:
    ramp = {"at": ["0 s", "4.05 s", "8 s"], "values": ["200 K", "281 K", "200 K"]}
    held = {"kind": "fixed temperature", "value": ramp}
    output = {"every": "0.1 s", "probes": {"face": ["0 mm", "0 mm", "0 mm"]}}
    trial = bench.solved(slab_case(bench, boundaries={"left": held, "right": SHUT, "sides": SHUT}, output=output))
    time = trial.column("time_s")
    prescribed = np.interp(time, [0.0, 4.05, 8.0], [200.0, 281.0, 200.0])
    assert np.abs(trial.column("probe_face_degC") + 273.15 - prescribed).max() < 1e-6


def test_a_mirrored_case_gives_a_mirrored_energy(bench: Any) -> None:
    flows = []
    for left, right in ((convection("300 K"), SHUT), (SHUT, convection("300 K"))):
        trial = bench.solved(slab_case(bench, boundaries={"left": left, "right": right, "sides": SHUT}))
        flows.append(trial.solution.energy["inflow"])
    assert flows[0] == pytest.approx(flows[1], rel=0.01)  # Gmsh's mesh is not quite the same from both sides


def test_two_regions_of_one_material_are_as_one_region(bench: Any) -> None:
    jelly = bench.material("jelly")
    found = []
    for name, regions in (("one", [jelly, jelly]), ("two", [jelly, bench.material("twin")])):
        path = bench.case(
            "slab",
            {"thickness": "10 mm", "width": "4 mm", "interface": "4 mm"},
            "2 mm",
            name=name,
            initial={"temperature": "200 K"},
            regions={"body": {"material": regions[0]}, "layer": {"material": regions[1]}},
            boundaries={"left": convection("300 K"), "right": SHUT, "sides": SHUT},
            stages=[{"name": "only", "duration": "100 s"}],
            solver={"step": "0.5 s"},
        )
        found.append(bench.solved(path).temperature)
    assert np.abs(found[0] - found[1]).max() < 1e-6


def test_materials_of_two_files_with_one_name_stay_two(bench: Any) -> None:
    (bench.folder / "other").mkdir()
    light, heavy = bench.material("jelly", 1e6), type(bench)(bench.folder / "other").material("jelly", 4e6)
    path = bench.case(
        "slab",
        {"thickness": "10 mm", "width": "4 mm", "interface": "5 mm"},
        "2 mm",
        initial={"temperature": "200 K"},
        regions={"body": {"material": light}, "layer": {"material": f"other/{heavy}"}},
        boundaries={"left": {"kind": "heat flux", "value": "1 kW/m^2"}, "right": SHUT, "sides": SHUT},
        stages=[{"name": "only", "duration": "10 s"}],
    )
    trial = bench.trial(path)
    rise = trial.heat.stored(trial.heat.initial_state(201.0)) - trial.heat.stored(trial.heat.initial_state(200.0))
    assert rise == pytest.approx(80e-9 * (1e6 + 4e6))


def test_particles_of_two_files_with_one_name_stay_two(bench: Any) -> None:
    (bench.folder / "other").mkdir()
    jelly = bench.material("jelly")
    weak, strong = bench.particle("warmer", 100e3), type(bench)(bench.folder / "other").particle("warmer", 300e3)
    path = bench.case(
        "slab",
        {"thickness": "10 mm", "width": "4 mm", "interface": "5 mm"},
        "2 mm",
        initial={"temperature": "200 K"},
        regions={
            "body": {"material": jelly, "particles": {"name": weak, "iron": "10 mgFe/mL"}},
            "layer": {"material": jelly, "particles": {"name": f"other/{strong}", "iron": "10 mgFe/mL"}},
        },
        boundaries={"left": SHUT, "right": SHUT, "sides": SHUT},
        field=FIELD,
        stages=[{"name": "only", "duration": "10 s"}],
    )
    assert rate_of(bench.trial(path))[SUPPLIED] == pytest.approx(80e-9 * 10 * (100e3 + 300e3))


@pytest.mark.parametrize("sensor", ["coldest", "hottest", "mean", "body.mean", "probe.centre"])
def test_a_stage_ends_to_a_millisecond_where_its_condition_is_met(bench: Any, sensor: str) -> None:
    # a uniform body warms by 1e6 W/m3 / 2e6 J/m3/K = 0.5 K/s: 15 K take 30 s
    particles = {"name": bench.particle("warmer", 100e3), "iron": "10 mgFe/mL"}
    path = slab_case(
        bench,
        regions={"body": {"material": bench.material("jelly"), "particles": particles}},
        field=FIELD,
        stages=[{"name": "only", "until": f"{sensor} > 215 K"}],
        output={"every": "7 s", "probes": {"centre": ["5 mm", "0 mm", "0 mm"]}},
    )
    trial = bench.solved(path)
    assert trial.solution.end == pytest.approx(30.0, abs=1e-3)
    assert trial.column("time_s") == pytest.approx([0, 7, 14, 21, 28, 30], abs=1e-3)


def test_a_condition_is_located_late_in_a_long_run_too() -> None:
    class Watched:
        calls = 0

        def sensor(self, condition: Any, state: Any) -> float:
            self.calls += 1
            if self.calls > 200:
                raise AssertionError("the bisection never ends: neighbouring numbers are 1.2e-10 s apart here")
            return float(state[0])

    start = 9e5
    step = Step(start, start + 1.0, 1.0, np.array([[-0.3], [0.7], [1.0], [1.0]]))
    stage: Any = SimpleNamespace(until="something")
    assert _first_time(step, stage, Watched()) == pytest.approx(start + 0.3, abs=1e-6)  # type: ignore[arg-type]


def test_a_condition_that_holds_at_once_takes_no_time(bench: Any) -> None:
    stages = [{"name": "none", "until": "coldest > 100 K"}, {"name": "some", "duration": "1 s"}]
    assert bench.solved(slab_case(bench, stages=stages)).solution.stage_ends == {"none": 0.0, "some": 1.0}


def test_a_run_whose_only_stage_is_over_at_once_ends_where_it_starts(bench: Any) -> None:
    trial = bench.solved(slab_case(bench, stages=[{"name": "none", "until": "coldest > 100 K"}]))
    assert trial.solution.end == 0.0
    assert trial.temperature == pytest.approx(200.0)


def test_a_condition_that_is_never_met_ends_the_run(bench: Any) -> None:
    path = slab_case(bench, stages=[{"name": "endless", "until": "coldest > 250 K"}])
    with pytest.raises(SolveError, match=r"stage endless: .*not met"):
        bench.solved(path)


def test_a_probe_reads_the_place_between_the_nodes(bench: Any) -> None:
    # held faces lead to a straight profile from 200 to 300 K
    boundaries = {
        "left": {"kind": "fixed temperature", "value": "200 K"},
        "right": {"kind": "fixed temperature", "value": "300 K"},
        "sides": SHUT,
    }
    places = {f"at{n}": [f"{n} mm", "0.3 mm", "-0.7 mm"] for n in (1, 4, 7)}
    path = slab_case(
        bench,
        boundaries=boundaries,
        stages=[{"name": "only", "duration": "2000 s"}],
        output={"every": "2000 s", "probes": places},
    )
    trial = bench.solved(path)
    found = [trial.column(f"probe_{name}_degC")[-1] + 273.15 for name in places]
    assert found == pytest.approx([210.0, 240.0, 270.0], abs=0.01)


def test_a_probe_outside_is_refused(bench: Any) -> None:
    path = slab_case(bench, output={"every": "1 s", "probes": {"far": ["11 mm", "0 mm", "0 mm"]}})
    with pytest.raises(CaseError, match=r"probes\.far: .*outside the mesh"):
        bench.solved(path)


def test_a_fixed_step_divides_the_run_into_equal_parts(bench: Any) -> None:
    trial = bench.solved(
        slab_case(bench, solver={"step": "2.5 s"}, boundaries={"left": convection("300 K"), "right": SHUT, "sides": SHUT})
    )
    assert trial.solution.counts.accepted == 4


def test_a_node_that_a_held_surface_lifts_through_the_window_at_once_counts_as_fast(bench: Any) -> None:
    held = {"kind": "fixed temperature", "value": "300 K"}
    criterion = {"kind": "warming rate", "region": "body", "at_least": "1 degC/min", "window": ["220 K", "280 K"]}
    path = slab_case(
        bench,
        boundaries={"left": held, "right": held, "sides": SHUT},
        stages=[{"name": "only", "until": "coldest > 290 K"}],
        criteria=[criterion],
    )
    (outcome,) = bench.solved(path).observers.judge()
    assert outcome.outcome == "met"
