"""The ice kinetics of materials, computed again from their two critical rates and compared with what their files say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from nanowarm.errors import CaseError
from nanowarm.model import nearest
from nanowarm.physics.ice import CriticalRates, IceKinetics, calibrated
from nanowarm.physics.materials import Material
from nanowarm.quantity import ZERO_CELSIUS
from nanowarm.shelf import is_path, library_files, load_record, read_toml

ACTIVATION_ENERGY = 60e3  # [J/mol] of growth where a file has none: estimate, of the order of that of viscous flow
WIDTH = 5.0  # [K] of nucleation where a file has none: estimate
REPRODUCED = 1e-6  # relative difference up to which a file agrees with the computation
MINUTE = 60.0  # [s]


@dataclass(frozen=True)
class Calibration:
    """Ice parameters of a material as computed now, and as filed.

    Args:
        name: of the material.
        rates: critical rates to which it is calibrated.
        computed: kinetics that give both.
        filed: kinetics of its file, None where it has none.
    """

    name: str
    rates: CriticalRates
    computed: IceKinetics
    filed: IceKinetics | None

    def ice(self) -> tuple[float, float]:
        """Ice fractions that the filed parameters (else those computed) give at the critical rates: cooling, warming."""
        kinetics = self.filed or self.computed
        return kinetics.at_constant_rate(-self.rates.cooling), kinetics.at_constant_rate(self.rates.warming)

    @property
    def reproduced(self) -> bool:
        """Whether file and computation agree; true where nothing is filed."""
        return self.difference() <= REPRODUCED

    def difference(self) -> float:
        """Largest relative difference between file and computation, in a parameter or in the ice at a critical rate."""
        if self.filed is None:
            return 0.0
        pairs = [(found, self.rates.threshold) for found in self.ice()]
        pairs.append((self.filed.nucleation_temperature, self.computed.nucleation_temperature))
        pairs.append((self.filed.rate_product, self.computed.rate_product))
        return max(abs(found / wanted - 1.0) for found, wanted in pairs)


def calibration(where: str, material: Material) -> Calibration:
    """A material's ice parameters computed again, with the width and activation energy of its file if it has an `[ice]`.

    Args:
        where: name or file of the material, for messages.
        material: with both critical rates, melting and glass transition.

    Raises:
        CaseError: something of that is missing, or no parameters fit.
    """
    if material.ice is not None and material.ice.kind == "equilibrium":
        raise CaseError(f'{where}: ice.kind: "equilibrium" has no kinetics to calibrate: leave [ice] out, or use another kind')
    needed = {
        "critical_cooling_rate": material.critical_cooling_rate,
        "critical_warming_rate": material.critical_warming_rate,
        "melting": material.melting,
        "glass_transition": material.glass_transition,
    }
    values = [value.value for value in needed.values() if value is not None]
    if len(values) < len(needed):
        missing = ", ".join(key for key, value in needed.items() if value is None)
        raise CaseError(f"{where}: {missing}: missing: the ice kinetics follow from it; give it, with its source")
    cooling, warming, melting, glass_transition = values
    filed = material.kinetics()
    rates = CriticalRates(cooling, warming, filed.threshold) if filed else CriticalRates(cooling, warming)
    energy, width = (filed.activation_energy, filed.nucleation_width) if filed else (ACTIVATION_ENERGY, WIDTH)
    try:
        computed = calibrated(rates, melting, glass_transition, energy, width)
    except ValueError as error:
        raise CaseError(f"{where}: ice: {error}") from None
    return Calibration(material.name, rates, computed, filed)


def calibrations(name: str | None) -> tuple[Calibration, ...]:
    """The calibration of one material, or of all of the library that have ice kinetics and two critical rates.

    Args:
        name: of the library, or path of a file.

    Raises:
        CaseError: the material is not found, can't be read, or can't be calibrated.
    """
    files = library_files("material")
    if name is None:
        materials = {stem: load_record(file, Material) for stem, file in sorted(files.items())}
        return tuple(
            calibration(stem, material)
            for stem, material in materials.items()
            if material.kinetics() and material.critical_cooling_rate and material.critical_warming_rate
        )
    if not is_path(name) and name not in files:
        raise CaseError(f'no material "{name}"; {nearest(name, files)}; or the path of your own .toml file')
    file = Path(name) if is_path(name) else files[name]
    if read_toml(file).get("class") == "particle":
        raise CaseError(f'{file} is of class "particle"; a material is needed here')
    return (calibration(name, load_record(file, Material)),)


def print_calibrations(name: str | None) -> bool:
    """Print the calibration of a material, or of all; whether every file reproduces.

    Args:
        name: as in `calibrations`.

    Raises:
        CaseError: as in `calibrations`.
    """
    found = calibrations(name)
    Console().print(_table(found))
    wrong = [one for one in found if not one.reproduced]
    for one in found:
        if one.filed is None or one in wrong:
            print(f"\n# for the file of {one.name}\n{_section(one.computed)}", end="")
    if wrong:
        print(f"\nnot reproduced within {REPRODUCED:g}: {', '.join(one.name for one in wrong)}; take the sections above")
    return not wrong


def _table(found: Sequence[Calibration]) -> Table:
    """Two lines for each material: cooling and warming, as filed and as computed now."""
    table = Table(box=box.SIMPLE, padding=(0, 1, 0, 0), show_edge=False)
    for head in ("material", "degC\n/min", "ice", "kJ/mol", "K", "", "nucleation\ndegC", "rate\nproduct", "differs"):
        table.add_column(head, no_wrap=head != "material")
    for one in found:
        table.add_row(*map(Text, _cells(one)), end_section=one is not found[-1])
    return table


def _cells(one: Calibration) -> tuple[str, ...]:
    """What the table says of a material."""
    rows = [kinetics for kinetics in (one.filed, one.computed) if kinetics is not None]
    return (
        one.name,
        f"{-MINUTE * one.rates.cooling:g}\n{MINUTE * one.rates.warming:g}",
        "\n".join(f"{value:.8f}" for value in one.ice()),
        f"{1e-3 * one.computed.activation_energy:g}",
        f"{one.computed.nucleation_width:g}",
        "\n".join(("filed", "now")[-len(rows) :]),
        "\n".join(f"{kinetics.nucleation_temperature - ZERO_CELSIUS:.5f}" for kinetics in rows),
        "\n".join(f"{kinetics.rate_product:.6e}" for kinetics in rows),
        f"{one.difference():.1e}" if one.filed else "",
    )


def _section(kinetics: IceKinetics) -> str:
    """The `[ice]` section of a material file."""
    return f"""\
[ice]
kind = "nucleation and growth"
nucleation_temperature = "{kinetics.nucleation_temperature - ZERO_CELSIUS:.7f} degC"
nucleation_width = "{kinetics.nucleation_width:g} K"
activation_energy = "{1e-3 * kinetics.activation_energy:g} kJ/mol"
rate_product = {kinetics.rate_product:.9e}
threshold = {kinetics.threshold:g}
source = "nanowarm library --calibrate, from the two critical rates of this file"
quality = "estimate"
note = "Width and activation energy are set, not measured."
"""
