"""Where materials and particles are found: the library, or a user's own file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from nanowarm.errors import CaseError
from nanowarm.model import Location, Model, faults, frozen_copy, joined_key, nearest, shown
from nanowarm.physics.curves import constant
from nanowarm.physics.distributions import AnyIron, Uniform
from nanowarm.physics.equilibration import AnyConcentration, equilibration_of
from nanowarm.physics.factors import Change, changed, sourced_keys
from nanowarm.physics.materials import Material, Medium, mixture
from nanowarm.physics.particles import Particle
from nanowarm.physics.perfusion import Perfusion
from nanowarm.sections import Mixture, RegionInput

_FOLDERS = {"material": ("materials", "tissues"), "particle": ("particles",)}
_LARGEST = 10_000_000  # bytes; a case or material is a page or two
_DEEPEST = 20  # sections inside each other
NO_IRON = Uniform(kind="uniform", value="0 mgFe/mL")  # type: ignore[arg-type]
_NOTHING = Medium("nothing", constant(1.0), constant(1.0))  # stands in for what was not found, until all faults are told


@dataclass(frozen=True, eq=False)
class Region:
    """What fills a region, ready for the heat equation.

    Args:
        medium: its thermal properties.
        particle: what heats it, if anything.
        iron: how its iron is distributed.
        electrical_conductivity: [S/m] for eddy currents; 0 where they are not asked for.
        perfusion: blood that flows in it, if any.
        metabolism: heat that it releases [W/m3].
        concentration: of its cryoprotectant relative to full strength, where that is not 1.
    """

    medium: Medium
    particle: Particle | None = None
    iron: AnyIron = NO_IRON
    electrical_conductivity: float = 0.0
    perfusion: Perfusion | None = None
    metabolism: float = 0.0
    concentration: AnyConcentration | None = None

    @property
    def found(self) -> bool:
        """Whether the material was found."""
        return self.medium is not _NOTHING


def read_toml(path: Path) -> dict[str, Any]:
    """Content of a TOML file.

    Raises:
        CaseError: it can't be read, or isn't TOML.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except FileNotFoundError:
        raise CaseError(f"{path}: no such file") from None
    except OSError as error:
        raise CaseError(f"{path}: can't be read: {error.strerror}") from None
    except ValueError as error:  # a zero byte in the name
        raise CaseError(f"{str(path)!r}: can't be read: {error}") from None
    return toml_of(path, content)


def toml_of(path: Path, content: bytes) -> dict[str, Any]:
    """TOML data of the content of a file.

    Args:
        path: the file, for the message.
        content: its bytes; whoever reads them may leave out what is beyond the largest size and a byte.

    Raises:
        CaseError: it isn't TOML.
    """
    if len(content) > _LARGEST:
        raise CaseError(f"{path}: not TOML: it is larger than {_LARGEST // 1_000_000} MB")
    try:
        raw = tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise CaseError(f"{path}: not TOML: it is not text in UTF-8 (byte {error.start})") from None
    except tomllib.TOMLDecodeError as error:
        raise CaseError(f"{path}: not TOML: {error}") from None
    except RecursionError:
        raise CaseError(f"{path}: nested too deeply: at most {_DEEPEST} levels") from None
    except ValueError as error:  # a whole number of thousands of digits
        raise CaseError(f"{path}: not TOML: {str(error).split(';')[0]}") from None
    if _too_deep(raw):
        raise CaseError(f"{path}: nested too deeply: at most {_DEEPEST} levels")
    return raw


def _too_deep(raw: Any) -> bool:
    """Whether sections and lists are inside each other more often than any record needs."""
    level: list[Any] = [raw]
    for _ in range(_DEEPEST):
        inside = [node.values() if isinstance(node, dict) else node for node in level if isinstance(node, dict | list)]
        level = [child for node in inside for child in node]
        if not level:
            return False
    return True


def is_path(name: str) -> bool:
    """Whether a material or particle is named by the path of its file."""
    return "/" in name or name.endswith(".toml")


def library_files(kind: Literal["material", "particle"]) -> dict[str, Path]:
    """Files of the library by name."""
    root = Path(str(resources.files("nanowarm"))) / "library"
    return {file.stem: file for folder in _FOLDERS[kind] for file in sorted((root / folder).glob("*.toml"))}


def load_record[Record: Model](path: Path, record: type[Record]) -> Record:
    """A material or particle from its file.

    Raises:
        CaseError: with every fault of the file.
    """
    raw = frozen_copy(read_toml(path))
    try:
        return record.model_validate(raw, context={"folder": path.parent})
    except ValidationError as error:
        raise CaseError(*faults(error, record, str(path), raw)) from None


class Shelf:
    """Finds the materials and particles of a case, by library name or path, once each.

    Args:
        case: path of the case file, from which relative paths count.
        factors: changes of values by key, for each name of a material or particle.
        recalibrate: whether ice kinetics are to follow changed critical rates.
    """

    def __init__(self, case: Path, factors: Mapping[str, Mapping[str, Change]] | None = None, recalibrate: bool = False) -> None:
        self.case = case
        self.factors = factors or {}
        self.recalibrate = recalibrate
        self.asked: set[str] = set()
        self.materials: dict[str, Material] = {}
        self.particles: dict[str, Particle] = {}
        self.files: dict[str, Path] = {}
        self.faults: list[str] = []
        self._media: dict[tuple[tuple[str, float], ...], Medium] = {}  # regions of one material share its medium

    def region(self, key: Location, region: RegionInput) -> Region:
        """What fills a region; faults are kept under its key."""
        medium = self._medium((*key, "material"), region.material)
        sigma = medium.electrical_conductivity or 0.0 if region.eddy else 0.0
        if region.eddy and medium is not _NOTHING and medium.electrical_conductivity is None:
            self._tell((*key, "eddy"), f"{medium.name} has no electrical_conductivity: give its file one, or leave eddy out")
        self._check_concentration(key, region, medium)
        living = (self._perfusion(key, region, medium), self._metabolism(key, region, medium), region.concentration)
        if region.particles is None:
            return Region(medium, None, NO_IRON, sigma, *living)
        particle = self._find((*key, "particles", "name"), region.particles.name, "particle", Particle, self.particles)
        return Region(medium, particle, region.particles.iron, sigma, *living)

    def check_factors(self) -> None:
        """Tell factors of what the regions don't use; to be asked after them all."""
        for name in self.factors:
            if name not in self.asked:
                self._tell(("factors", name), f"the case uses no such material or particle; {nearest(name, self.asked)}")

    def _check_concentration(self, key: Location, region: RegionInput, medium: Medium) -> None:
        """Tell a concentration of something that does not say what it changes."""
        if region.concentration is None or medium is _NOTHING:
            return
        try:
            equilibration_of(medium)
        except ValueError as error:
            self._tell((*key, "concentration"), str(error))

    def _perfusion(self, key: Location, region: RegionInput, medium: Medium) -> Perfusion | None:
        """The blood flow of a region."""
        if region.perfusion is None:
            return None
        blood = self._find((*key, "perfusion", "blood"), region.perfusion.blood, "material", Material, self.materials)
        if blood is None or medium is _NOTHING:
            return None
        try:
            return region.perfusion.acting(medium, blood)
        except ValueError as error:
            self._tell((*key, "perfusion"), str(error))
            return None

    def _metabolism(self, key: Location, region: RegionInput, medium: Medium) -> float:
        """The heat that a region releases [W/m3]."""
        if region.metabolism is True and medium is not _NOTHING and medium.metabolism is None:
            self._tell((*key, "metabolism"), f'{medium.name} has none of its own: give it, e.g. "11 kW/m^3"')
        if isinstance(region.metabolism, bool):
            return (medium.metabolism or 0.0) if region.metabolism else 0.0
        return region.metabolism

    def _medium(self, key: Location, material: str | Mixture) -> Medium:
        fractions = {material: 1.0} if isinstance(material, str) else dict(material.mix)
        found = {name: self._find(key, name, "material", Material, self.materials) for name in fractions}
        if abs(sum(fractions.values()) - 1.0) > 1e-6:
            self._tell((*key, "mix"), f"the fractions add up to {sum(fractions.values()):g}; they must add up to 1")
        parts = {name: part for name, part in found.items() if part is not None}
        if len(parts) < len(found) or not parts:
            return _NOTHING
        spec = tuple(sorted(fractions.items()))
        if spec not in self._media:
            self._media[spec] = next(iter(parts.values())).medium() if len(parts) == 1 else mixture(fractions, parts)
        return self._media[spec]

    def _find[Record: (Material, Particle)](
        self, key: Location, name: str, kind: Literal["material", "particle"], record: type[Record], known: dict[str, Record]
    ) -> Record | None:
        self.asked.add(name)
        library = library_files(kind)
        file = self.case.parent / name if is_path(name) else library.get(name)
        if file is None:
            self._tell(key, f'no {kind} "{name}"; {nearest(name, library)}; or the path of your own .toml file')
            return None
        if name in known:
            return known[name]
        try:
            raw = frozen_copy(read_toml(file))
        except CaseError as error:
            for fault in error.faults:
                self._tell(key, fault)
            return None
        if (raw.get("class") == "particle") != (kind == "particle") and "class" in raw:
            self._tell(key, f"{file} is of class {shown(raw['class'])}; a {kind} is needed here")
            return None
        try:
            found = record.model_validate(raw, context={"folder": file.parent})
            changes = self.factors.get(name, {})
            where = (str(self.case), name)
            known[name] = changed(found, sourced_keys(raw), changes, where, self.recalibrate) if changes else found
        except ValidationError as error:
            self.faults += faults(error, record, str(file), raw)
            return None
        except CaseError as error:
            self.faults += error.faults
            return None
        self.files[name] = file.resolve()
        return known[name]

    def _tell(self, key: Location, line: str) -> None:
        self.faults.append(f"{self.case}: {joined_key(*key)}: {line}")
