"""Published facts of vitrification, ice and cracks: reference/physics.md, sections 1 to 3; coarse meshes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nanowarm.case import load_case
from nanowarm.results.evidence import Outcome

CASES = Path(__file__).parents[2] / "cases"
COLD, WARM = -150.0, -20.0  # [degC] of a sample that is warmed


def outcomes(trial: Any) -> dict[str, Outcome]:
    """The first outcome of each kind."""
    return {outcome.kind: outcome for outcome in reversed(trial.observers.judge())}


@pytest.fixture(scope="module")
def litres(module_bench: Any) -> dict[str, dict[str, Outcome]]:
    """The same bag in the same freezer, with two solutions."""
    bags = ("M22", "VS55")
    return {name: outcomes(module_bench.solved(CASES / f"bag-1L-{name}.toml", "mesh.size=10 mm")) for name in bags}


def test_the_two_litres_differ_in_their_solution_only() -> None:
    m22, vs55 = (load_case(CASES / f"bag-1L-{name}.toml").filled for name in ("M22", "VS55"))
    for asked in ("title", "criteria"):
        assert m22.pop(asked)
        assert vs55.pop(asked)
    assert (m22["regions"]["cpa"].pop("material"), vs55["regions"]["cpa"].pop("material")) == ("M22", "VS55")
    assert m22 == vs55


def test_a_litre_of_m22_becomes_a_glass_in_a_freezer(litres: dict[str, dict[str, Outcome]]) -> None:
    # Gangwar et al. 2025, Nat. Commun., doi:10.1038/s41467-025-63483-2: M22 vitrifies in bags of 0.5 to 3 L.
    assert {litres["M22"][kind].outcome for kind in ("cooling rate", "ice", "temperature difference")} == {"met"}


def test_a_litre_of_vs55_does_not_become_a_glass_in_the_same_freezer(litres: dict[str, dict[str, Outcome]]) -> None:
    # Gangwar et al. 2025: VS55 fails. Its middle cools below 2.5 degC/min (Manuchehrabadi et al. 2018), so it holds ice.
    assert litres["VS55"]["cooling rate"].outcome == "missed"
    assert litres["VS55"]["ice"].outcome == "missed"


def test_nanowarming_warms_a_litre_of_either_solution_faster_than_its_critical_rate(
    litres: dict[str, dict[str, Outcome]],
) -> None:
    # Gangwar et al. 2025: about 88 degC/min in 2 L, at 35 kA/m and another frequency and amount of iron.
    for name in ("M22", "VS55"):
        assert litres[name]["warming rate"].outcome == "met"
        assert 0.5 * 88.0 < (litres[name]["warming rate"].value or 0.0) < 2.0 * 88.0


@pytest.fixture(scope="module")
def vials(module_bench: Any) -> dict[str, dict[str, Outcome]]:
    """The same vial of 50 mL, dropped into nitrogen and held at the glass transition."""
    ways = ("crack", "anneal")
    return {way: outcomes(module_bench.solved(CASES / f"vial-{way}.toml", "mesh.coarsening=1.5")) for way in ways}


def test_a_vial_is_a_glass_without_ice_whether_plunged_or_annealed(vials: dict[str, dict[str, Outcome]]) -> None:
    for way in ("crack", "anneal"):
        assert (vials[way]["cooling rate"].outcome, vials[way]["ice"].outcome) == ("met", "met")


def test_a_plunge_cracks_a_vial_and_a_hold_at_the_glass_transition_does_not(vials: dict[str, dict[str, Outcome]]) -> None:
    # VS55 cracks at 38 degC of difference in its glass (Sharma et al. 2021, PMC8498880); a hold near the glass transition
    # lowers the stress (Eisenberg, Steif & Rabin 2014, PMC4360916). The two criteria don't know of each other.
    for kind in ("temperature difference", "stress"):
        assert (vials["crack"][kind].outcome, vials["anneal"][kind].outcome) == ("missed", "met")


def warmed(bench: Any, material: str, rate: float) -> Outcome:
    """Ice of a glass without nuclei in a sample of 10 uL, whose surface warms at a rate [degC/min] and whose middle follows."""
    path = bench.case(
        "vial",
        {"volume": "0.01 mL"},
        "1 mm",
        name=f"{material}-{rate:g}",
        initial={"temperature": f"{COLD} degC"},
        regions={"cpa": {"material": material}},
        boundaries={
            name: {"kind": "fixed temperature", "value": {"from": f"{COLD} degC", "program": [{"rate": f"{rate} degC/min",
            "to": f"{WARM} degC"}]}} for name in ("side", "top", "bottom")
        },
        stages=[{"name": "warm", "duration": f"{(WARM - COLD) / rate} min"}],
        criteria=[{"kind": "ice", "region": "cpa"}],
    )  # fmt: skip
    return outcomes(bench.solved(path))["ice"]


@pytest.mark.parametrize(
    ("material", "rate", "expected"),
    [("VS55", 45.0, "missed"), ("VS55", 60.0, "met"), ("DP6", 165.0, "missed"), ("DP6", 200.0, "met")],
)
def test_a_glass_devitrifies_below_its_published_critical_warming_rate(
    bench: Any, material: str, rate: float, expected: str
) -> None:
    # 50 (Shore et al. 2019) and 55 degC/min for VS55, 185 for DP6 (Manuchehrabadi et al. 2018): 10 % below and above.
    assert warmed(bench, material, rate).outcome == expected


def test_a_warm_bath_saves_an_artery_in_vs55_and_not_in_dp6(bench: Any) -> None:
    # Manuchehrabadi et al. 2018, doi:10.1007/s10439-018-2063-1: the wall of 1 mm warms at 70 degC/min in a bath.
    assert warmed(bench, "VS55", 70.0).outcome == "met"
    assert warmed(bench, "DP6", 70.0).outcome == "missed"


@pytest.mark.parametrize(("vial", "size", "expected"), [("1mL", "1.5 mm", "met"), ("50mL", "6 mm", "missed")])
def test_a_warm_bath_warms_one_millilitre_without_ice_and_fifty_not(bench: Any, vial: str, size: str, expected: str) -> None:
    # Manuchehrabadi et al. 2017, Sci. Transl. Med. 9:eaah4586: convection is enough for about 1 mL; by the review of
    # Yang et al. 2025, Chem. Commun. 61:3093, for 1 to 3 mL, and it fails at 50 mL.
    text = (CASES / f"vial-{vial}-bath.toml").read_text("utf-8").replace("../meshes", str(CASES.parent / "meshes"))
    path = bench.folder / f"vial-{vial}.toml"
    path.write_text(text + '\n[[criteria]]\nkind = "ice"\nregion = "cpa"\n', encoding="utf-8")
    assert outcomes(bench.solved(path, f"mesh.size={size}"))["ice"].outcome == expected
