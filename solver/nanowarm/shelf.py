"""Where materials and particles are found: the library, or a user's own file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import ValidationError

from nanowarm.errors import CaseError
from nanowarm.model import Model, faults, frozen_copy, nearest
from nanowarm.physics.curves import constant
from nanowarm.physics.materials import Material, Medium, mixture
from nanowarm.physics.particles import Particle
from nanowarm.sections import Mixture, RegionInput

Record = TypeVar("Record", bound=Model)
_FOLDERS = {"material": ("materials", "tissues"), "particle": ("particles",)}
_NOTHING = Medium("nothing", constant(1.0), constant(1.0))  # stands in for what was not found, until all faults are told


@dataclass(frozen=True, eq=False)
class Region:
    """What fills a region, ready for the heat equation.

    Args:
        medium: its thermal properties.
        particle: what heats it, if anything.
        iron: [kg iron / m3].
    """

    medium: Medium
    particle: Particle | None = None
    iron: float = 0.0


def read_toml(path: Path) -> dict[str, Any]:
    """Content of a TOML file.

    Raises:
        CaseError: it can't be read, or isn't TOML.
    """
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        raise CaseError(f"{path}: no such file") from None
    except OSError as error:
        raise CaseError(f"{path}: can't be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CaseError(f"{path}: not TOML: {error}") from None


def library_files(kind: Literal["material", "particle"]) -> dict[str, Path]:
    """Files of the library by name."""
    root = Path(str(resources.files("nanowarm"))) / "library"
    return {file.stem: file for folder in _FOLDERS[kind] for file in sorted((root / folder).glob("*.toml"))}


def load_record(path: Path, record: type[Record]) -> Record:
    """A material or particle from its file.

    Raises:
        CaseError: with every fault of the file.
    """
    raw = frozen_copy(read_toml(path))
    try:
        return record.model_validate(raw)
    except ValidationError as error:
        raise CaseError(*faults(error, record, str(path), raw)) from None


class Shelf:
    """Finds the materials and particles of a case, by library name or path, once each.

    Args:
        case: path of the case file, from which relative paths count.
    """

    def __init__(self, case: Path) -> None:
        self.case = case
        self.materials: dict[str, Material] = {}
        self.particles: dict[str, Particle] = {}
        self.files: dict[str, Path] = {}
        self.faults: list[str] = []

    def region(self, key: str, region: RegionInput) -> Region:
        """What fills a region; faults are kept under its key."""
        medium = self._medium(f"{key}.material", region.material)
        if region.particles is None:
            return Region(medium)
        particle = self._find(f"{key}.particles.name", region.particles.name, "particle", Particle, self.particles)
        return Region(medium, particle, region.particles.iron)

    def _medium(self, key: str, material: str | Mixture) -> Medium:
        fractions = {material: 1.0} if isinstance(material, str) else dict(material.mix)
        found = {name: self._find(key, name, "material", Material, self.materials) for name in fractions}
        if abs(sum(fractions.values()) - 1.0) > 1e-6:
            self.faults.append(f"{self.case}: {key}.mix: the fractions add up to {sum(fractions.values()):g}; they must to 1")
        parts = {name: part for name, part in found.items() if part is not None}
        if len(parts) < len(found) or not parts:
            return _NOTHING
        return next(iter(parts.values())).medium() if len(parts) == 1 else mixture(fractions, parts)

    def _find(
        self, key: str, name: str, kind: Literal["material", "particle"], record: type[Record], known: dict[str, Record]
    ) -> Record | None:
        library = library_files(kind)
        own = "/" in name or name.endswith(".toml")
        file = self.case.parent / name if own else library.get(name)
        if file is None:
            self.faults.append(f'{self.case}: {key}: no {kind} "{name}"; {nearest(name, library)}')
            return None
        try:
            known.setdefault(name, load_record(file, record))
        except CaseError as error:
            self.faults += error.faults
            return None
        self.files[name] = file.resolve()
        return known[name]
