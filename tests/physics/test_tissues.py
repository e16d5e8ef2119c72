"""The tissues of the library against the table they were taken from, transcribed here once more."""

from __future__ import annotations

import itertools
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from nanowarm.model import frozen_copy
from nanowarm.physics import materials
from nanowarm.physics.materials import Material, Medium, mixture

TISSUES = Path(materials.__file__).parents[1] / "library" / "tissues"
BLOOD_DENSITY, BLOOD_CAPACITY = 1049.75, 1049.75 * 3617.0  # [kg/m3], [J/m3/K] of the table

# IT'IS database 3.0: density [kg/m3], specific heat [J/kg/K], conductivity [W/m/K], perfusion [mL/min/kg], the same
# per volume [1/s] and as heat [W/m3/K], metabolism [W/m3], electrical conductivity at 100 kHz (Gabriel) [S/m]
TABLE: dict[str, tuple[float, ...]] = {
    "grey-matter": (1044.5, 3695.8, 0.547, 763.7, 1.329e-2, 50477, 16230, 0.134),
    "white-matter": (1041, 3582.8, 0.481, 212.3, 3.684e-3, 13988, 4498, 0.0818),
    "brain": (1045.5, 3630, 0.513, 558.6, 9.734e-3, 36958, 11884, 0.154),
    "csf": (1007, 4095.5, 0.573, 0, 0, 0, 0, 2.0),
    "liver": (1078.75, 3540.2, 0.519, 860.5, 1.547e-2, 58740, 10713, 0.0846),
    "kidney": (1066.25, 3763, 0.535, 3795, 6.744e-2, 256069, 19248, 0.171),
    "renal-cortex": (1049, 3587, 0.528, 3874, 6.774e-2, 257188, 19332, 0.171),
    "renal-medulla": (1044, 3745, 0.540, 598.8, 1.042e-2, 39558, 2973, 0.171),
    "heart-muscle": (1080.8, 3686, 0.558, 1026, 1.848e-2, 70179, 42640, 0.215),
    "prostate": (1045, 3760, 0.512, 394.1, 6.864e-3, 26063, 6378, 0.439),
    "muscle": (1090.4, 3421.2, 0.495, 36.7, 6.677e-4, 2535, 988, 0.362),
    "fat": (911, 2348.3, 0.211, 32.7, 4.966e-4, 1886, 462, 0.0434),
    "skin": (1109, 3390.5, 0.372, 106.4, 1.966e-3, 7466, 1827, 0.0005),
    "cortical-bone": (1908, 1312.8, 0.320, 10, 3.180e-4, 1207, 296, 0.0208),
    "cancellous-bone": (1178, 2274, 0.3125, 30, 5.892e-4, 2237, 547, 0.0839),
    "pancreas": (1086.5, 3164, 0.512, 767.5, 1.390e-2, 52768, 12914, 0.537),
    "spleen": (1089, 3596, 0.534, 1557, 2.826e-2, 107299, 26259, 0.122),
    "lung": (394, 3886, 0.387, 401, 2.633e-3, 9996, 2446, 0.107),
    "breast-gland": (1040.5, 2960, 0.335, 150, 2.601e-3, 9877, 2417, 0.537),
}
# least and most perfusion [mL/min/kg] of the same table, where it has them
SPANS = {
    "grey-matter": (671, 840), "white-matter": (190, 237), "brain": (412, 976), "liver": (422, 1273), "kidney": (2607, 5571),
    "heart-muscle": (610, 1719), "muscle": (18.5, 94), "fat": (20, 63), "skin": (49, 175),
}  # fmt: skip
TUMOURS = ("glioblastoma", "necrotic-tumour-core", "prostate-tumour", "mouse-tumour")


def raw(name: str) -> dict[str, Any]:
    return tomllib.loads((TISSUES / f"{name}.toml").read_text(encoding="utf-8"))


def tissue(name: str) -> Material:
    return Material.model_validate(frozen_copy(raw(name)))


def blood_volume_rate(medium: Medium) -> float:
    rate = medium.blood_volume_rate(BLOOD_DENSITY)
    assert rate is not None
    return rate


def test_the_library_has_twenty_healthy_tissues_and_four_tumours() -> None:
    assert {path.stem for path in TISSUES.glob("*.toml")} == {*TABLE, "blood", *TUMOURS}


@pytest.mark.parametrize("name", TABLE)
def test_heat_capacity_and_conductivity_are_those_of_the_table(name: str) -> None:
    density, heat, conductivity, *_ = TABLE[name]
    medium = tissue(name).medium()
    assert medium.density == density
    assert float(medium.capacity(310.15)) == pytest.approx(density * heat, rel=1e-12)
    assert float(medium.conductivity(310.15)) == pytest.approx(conductivity, rel=1e-12)


@pytest.mark.parametrize("name", TABLE)
def test_perfusion_per_volume_is_that_of_the_table_within_its_digits(name: str) -> None:
    density, perfusion, per_volume, as_heat = (TABLE[name][column] for column in (0, 3, 4, 5))
    rate = blood_volume_rate(tissue(name).medium())
    assert rate == pytest.approx(perfusion * 1e-6 / 60.0 * density, rel=1e-12)
    rounded = rate * (0.05 if "." in str(perfusion) else 0.5) / max(perfusion, 1.0)  # half of the last digit printed
    assert rate == pytest.approx(per_volume, abs=rounded + 5e-4 * per_volume)  # printed with four digits
    assert rate * BLOOD_CAPACITY == pytest.approx(as_heat, abs=rounded * BLOOD_CAPACITY + 0.5)  # printed without decimals


@pytest.mark.parametrize("name", TABLE)
def test_metabolism_and_electrical_conductivity_are_those_of_the_table(name: str) -> None:
    medium = tissue(name).medium()
    assert medium.metabolism == TABLE[name][6]
    assert medium.electrical_conductivity == TABLE[name][7]


@pytest.mark.parametrize("name", SPANS)
def test_the_spread_of_a_perfusion_is_from_the_least_to_the_most_of_the_table(name: str) -> None:
    assert raw(name)["perfusion"]["spread"] == f"{SPANS[name][0]:g} to {SPANS[name][1]:g} mL/min/kg"


def test_blood_is_that_of_the_table_and_is_not_perfused_itself() -> None:
    blood = tissue("blood")
    medium = blood.medium()
    assert float(medium.capacity(310.15)) == pytest.approx(BLOOD_CAPACITY)
    assert (blood.density.value, float(medium.conductivity(310.15)), medium.electrical_conductivity) == (1049.75, 0.517, 0.703)
    assert medium.blood_volume_rate(BLOOD_DENSITY) is None
    assert medium.metabolism == 0.0


@pytest.mark.parametrize("name", [*TABLE, "blood"])
def test_values_that_were_read_are_measured_and_values_that_were_computed_are_derived(name: str) -> None:
    entries = {key: entry["quality"] for key, entry in raw(name).items() if isinstance(entry, dict)}
    derived = {"metabolism", "electrical_conductivity"}
    assert {key for key, quality in entries.items() if quality == "derived"} == derived
    assert all(quality == "measured" for key, quality in entries.items() if key not in derived)


@pytest.mark.parametrize("name", [*TABLE, "blood"])
def test_the_electrical_conductivity_says_its_frequency_and_that_the_model_is_too_low(name: str) -> None:
    note = raw(name)["electrical_conductivity"]["note"]
    assert "100 kHz" in note
    assert name in {"csf", "blood"} or "too low" in note  # those two are no soft tissues


# ----------------------------------------------------------------------------------------------- tumours


@pytest.mark.parametrize("name", TUMOURS)
def test_every_value_of_a_tumour_is_an_estimate_and_the_file_says_so(name: str) -> None:
    assert "ESTIMATES" in raw(name)["note"]
    assert {entry["quality"] for entry in raw(name).values() if isinstance(entry, dict)} == {"estimate"}


@pytest.mark.parametrize("name", TUMOURS)
def test_a_tumour_lies_within_its_own_spread(name: str) -> None:
    compared = 0
    for key, entry in raw(name).items():
        ends = re.fullmatch(r"(\S+) to (\S+) \S+", entry["spread"]) if isinstance(entry, dict) else None
        if ends is not None:
            assert float(ends[1]) <= float(entry["value"].split()[0]) <= float(ends[2]), key
            compared += 1
    assert compared >= 3


@pytest.mark.parametrize("name", TUMOURS)
def test_a_tumour_stays_within_what_is_said_of_tumours(name: str) -> None:
    medium = tissue(name).medium()
    # conductivity 0.5 to 0.57 W/m/K, density 1045 to 1060 kg/m3, specific heat 3600 to 3760 J/kg/K, blood flow up to
    # 900 mL/min/kg, metabolism up to 60 kW/m3
    assert 0.5 <= float(medium.conductivity(310.15)) <= 0.57
    assert 1045.0 <= medium.density <= 1060.0
    assert 3600.0 <= float(medium.capacity(310.15)) / medium.density <= 3760.0
    assert blood_volume_rate(medium) <= 900e-6 / 60.0 * medium.density
    assert medium.metabolism is not None
    assert medium.metabolism <= 60e3


def test_a_dead_core_has_at_most_half_the_least_blood_flow_of_a_viable_rim() -> None:
    assert blood_volume_rate(tissue("necrotic-tumour-core").medium()) <= 0.5 * 200e-6 / 60.0 * 1050.0
    assert blood_volume_rate(tissue("glioblastoma").medium()) >= 200e-6 / 60.0 * 1050.0


# ---------------------------------------------------------------------------------------------- mixtures


def test_a_mixture_has_the_blood_flow_metabolism_and_density_of_its_parts_by_volume() -> None:
    mixed = mixture({"brain": 0.25, "fat": 0.75}, {name: tissue(name) for name in ("brain", "fat")})
    assert mixed.density == pytest.approx(0.25 * 1045.5 + 0.75 * 911.0)
    assert mixed.metabolism == pytest.approx(0.25 * 11884 + 0.75 * 462)
    expected = (0.25 * 558.6 * 1045.5 + 0.75 * 32.7 * 911.0) * 1e-6 / 60.0
    assert mixed.blood_volume_rate(BLOOD_DENSITY) == pytest.approx(expected)


def test_a_mixture_with_a_part_of_unknown_blood_flow_has_none_of_its_own() -> None:
    protectant = TISSUES.parent / "materials" / "VS55.toml"
    vs55 = Material.model_validate(frozen_copy(tomllib.loads(protectant.read_text(encoding="utf-8"))))
    for parts in itertools.permutations({"kidney": tissue("kidney"), "VS55": vs55}.items()):
        mixed = mixture({"kidney": 0.4, "VS55": 0.6}, dict(parts))
        assert mixed.blood_volume_rate(BLOOD_DENSITY) is None
        assert mixed.metabolism is None
