"""What a study file asks for, and what is wrong with it, before anything is computed."""

from __future__ import annotations

import tomllib
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from nanowarm.errors import CaseError
from nanowarm.studies.plan import load_plan, toml_text

IRON = "regions.cpa.particles.iron"


def inputs(path: Any) -> list[dict[str, Any]]:
    return [dict(run.inputs) for run in load_plan(path).runs]


def test_a_grid_is_every_combination_and_its_last_key_changes_fastest(studies: Any) -> None:
    path = studies.study(grid={"field.amplitude": ["10 kA/m", "20 kA/m"], "mesh.coarsening": [1, 2, 3]})
    expected = [("10 kA/m", 1), ("10 kA/m", 2), ("10 kA/m", 3), ("20 kA/m", 1), ("20 kA/m", 2), ("20 kA/m", 3)]
    assert inputs(path) == [{"field.amplitude": amplitude, "mesh.coarsening": factor} for amplitude, factor in expected]


def test_a_list_is_a_run_for_each_table_and_its_values_go_over_those_of_the_base(studies: Any) -> None:
    rows = [{"field.amplitude": "10 kA/m"}, {IRON: "1 mgFe/mL"}]
    plan = load_plan(studies.study(base={IRON: "5 mgFe/mL"}, list=rows))
    assert [dict(run.inputs) for run in plan.runs] == rows
    assert plan.runs[0].overrides == (f'{IRON}="5 mgFe/mL"', 'field.amplitude="10 kA/m"')
    assert plan.runs[1].overrides == (f'{IRON}="1 mgFe/mL"',)


def test_keys_need_no_quotes_and_a_quoted_key_takes_a_whole_section(studies: Any) -> None:
    path = studies.study(
        grid={"field": {"amplitude": ["10 kA/m"]}, "regions.cpa.particles": [{"name": "warmer.toml", "iron": "1 mgFe/mL"}]}
    )
    (run,) = load_plan(path).runs
    particles = 'regions.cpa.particles={ "name" = "warmer.toml", "iron" = "1 mgFe/mL" }'
    assert set(run.overrides) == {'field.amplitude="10 kA/m"', particles}


@pytest.mark.parametrize("value", ['a "quoted" µ\\ \n', True, 3, 0.1, ["1 mm", 2], {"a b": {"c": [1.5]}}])
def test_a_value_is_written_as_toml_reads_it(value: Any) -> None:
    assert tomllib.loads(f"value = {toml_text(value)}") == {"value": value}


@pytest.mark.parametrize("method", ["latin hypercube", "sobol"])
def test_each_eighth_of_each_range_is_drawn_from_once_by_eight_runs(studies: Any, method: str) -> None:
    log = {"between": ["0.1 mgFe/mL", "10 mgFe/mL"], "scale": "log"}
    sample = {"method": method, "count": 8, "seed": 5, "ranges": {"field.amplitude": ["10 kA/m", "18 kA/m"], IRON: log}}
    rows = inputs(studies.study(sample=sample))
    amplitude = np.array([float(row["field.amplitude"].removesuffix(" kA/m")) for row in rows])
    iron = np.array([float(row[IRON].removesuffix(" mgFe/mL")) for row in rows])
    assert sorted(np.floor(amplitude - 10.0)) == list(range(8))
    assert sorted(np.floor(8.0 * (np.log10(iron) + 1.0) / 2.0)) == list(range(8))
    assert inputs(studies.study(sample=sample)) == rows
    assert inputs(studies.study(sample=sample | {"seed": 6})) != rows


def test_equal_runs_are_one(studies: Any) -> None:
    assert len(load_plan(studies.study(list=[{"mesh.coarsening": 2}, {"mesh.coarsening": 2}])).runs) == 1


def test_runs_share_a_mesh_if_nothing_of_it_differs(studies: Any) -> None:
    rows = [{"field.amplitude": "1 kA/m"}, {"field.amplitude": "2 kA/m"}, {"mesh.refine": 1}, {"mesh.parameters.volume": "2 mL"}]
    one, two, refined, larger = (run.mesh for run in load_plan(studies.study(list=rows)).runs)
    assert one == two
    assert len({one, refined, larger}) == 3


def test_a_run_is_another_when_the_case_or_its_material_changes(studies: Any) -> None:
    path = studies.study(list=[{"mesh.coarsening": 2}])
    digests = [load_plan(path).runs[0].digest]
    for file in (studies.case, studies.folder / "jelly.toml"):
        file.write_text(file.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
        digests.append(load_plan(path).runs[0].digest)
    assert all(before != after for before, after in pairwise(digests))


FAULTS = {
    "unknown key": (
        {"grid": {"field.amplitud": ["1 kA/m"]}},
        r'grid\.field\.amplitud = "1 kA/m": unknown key; did you mean amplitude',
    ),
    "no unit": ({"grid": {"field.amplitude": ["1 kA/m", "2"]}}, r'grid\.field\.amplitude = "2": write the unit'),
    "other unit": ({"list": [{"field.amplitude": "2 kg"}]}, r'list\.field\.amplitude = "2 kg": .*kg'),
    "base": ({"base": {"field.frequency": 7}, "list": [{}]}, r"base\.field\.frequency = 7: "),
    "recipe": (
        {"grid": {"mesh.parameters.vol": ["1 mL"]}},
        r"grid\.mesh\.parameters\.vol = .*: no parameter 'vol'; did you mean volume",
    ),
    "region": ({"grid": {"regions.cpb.material": ["VS55"], "regions.cpx.volume": ["1 mL"]}}, r'the case has no region "cpx"'),
    "boundary": ({"grid": {"boundaries.slide.coefficient": ["1 W/m^2/K"]}}, r'no boundary "slide"; did you mean side'),
    "item": ({"grid": {"stages.wait.duration": ["1 s"]}}, r'grid\.stages\.wait\.duration = "1 s": no item "wait"'),
    "no list": ({"grid": {"field.amplitude": "1 kA/m"}}, r'grid\."field\.amplitude": must be a list of values'),
    "two ways": (
        {"grid": {"mesh.coarsening": [1]}, "list": [{}]},
        r"give one of \[grid\], \[\[list\]\], \[sample\] and \[uncertainty\]",
    ),
    "no way": ({}, r"give one of \[grid\]"),
    "odd sobol": ({"sample": {"method": "sobol", "count": 5, "ranges": {"mesh.coarsening": [1, 2]}}}, r"found 5: take 4 or 8"),
    "log of zero": (
        {"sample": {"count": 5, "ranges": {"mesh.coarsening": {"between": [0, 2], "scale": "log"}}}},
        "above zero; found 0",
    ),
    "two units": (
        {"sample": {"count": 5, "ranges": {"field.amplitude": ["1 kA/m", "2 mT"]}}},
        'field.amplitude": write both ends in',
    ),
    "upside down": ({"sample": {"count": 5, "ranges": {"mesh.coarsening": [2, 1]}}}, "first end must be below the second"),
    "parallel": ({"list": [{}], "run": {"parallel": 0}}, r"run\.parallel: must be at least 1"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_in_one_line_by_study_file_and_key(studies: Any, fault: str) -> None:
    sections, told = FAULTS[fault]
    with pytest.raises(CaseError, match=told) as caught:
        load_plan(studies.study(**sections))
    (line,) = caught.value.faults
    assert line.startswith(str(studies.folder / "study.toml"))


def test_a_fault_of_one_value_is_told_once_however_many_runs_have_it(studies: Any) -> None:
    path = studies.study(grid={"field.amplitude": ["1 kA/m", "2"], "mesh.coarsening": [1, 2, 3]})
    with pytest.raises(CaseError, match="write the unit") as caught:
        load_plan(path)
    assert len(caught.value.faults) == 1


def test_the_faults_of_the_case_itself_are_told_as_such(studies: Any) -> None:
    studies.case.write_text("schema = 2", encoding="utf-8")
    with pytest.raises(CaseError, match=r"case\.toml: schema: this program reads schema 1"):
        load_plan(studies.study(list=[{}]))
