"""The sections of a case file, as records."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from nanowarm.mesh_section import MeshInput
from nanowarm.model import Model, shown
from nanowarm.physics.boundaries import AnyBoundary
from nanowarm.physics.damage import damage_set
from nanowarm.physics.distributions import AnyIron
from nanowarm.physics.equilibration import AnyConcentration
from nanowarm.physics.factors import AnyChange
from nanowarm.physics.fields import AnyField, NoField
from nanowarm.physics.mechanics import StressInput
from nanowarm.physics.perfusion import PerfusionUse
from nanowarm.physics.protocol import StageInput
from nanowarm.quantity import Coordinate, Duration, Temperature, Time, Tolerance, Volume, VolumetricPower
from nanowarm.results.criteria import AnyCriterion
from nanowarm.results.evidence import Quantity

VERSION = 1  # of the case file's format

FieldName = Literal[
    "temperature",
    "warming rate",
    "slowest warming rate",
    "warming rate margin",
    "iron concentration",
    "field amplitude",
    "region",
    "CEM43",
    "damage",
    "ice fraction",
    "tensile stress",
]


def _version(given: Any) -> Any:
    if type(given) is not int or given != VERSION:
        raise ValueError(f"this program reads schema {VERSION}; found {shown(given)}")
    return given


Version = Annotated[Literal[1], BeforeValidator(_version)]


class InitialInput(Model):
    """The state that the run starts from.

    Args:
        temperature: everywhere [K].
    """

    temperature: Temperature


class Mixture(Model):
    """Materials by volume fraction.

    Args:
        mix: share of the volume by material; the shares add up to 1.
    """

    mix: Mapping[str, Annotated[float, Field(gt=0.0, le=1.0)]]


class ParticleUse(Model):
    """A particle and its iron.

    Args:
        name: of the library, or path of a TOML file.
        iron: mass per volume of the region [kg/m3]: one everywhere, or how it is distributed.
    """

    name: str
    iron: AnyIron

    def files(self, folder: Path) -> tuple[Path, ...]:
        """The image of the iron, if there is one, by absolute path."""
        file = self.iron.model_dump().get("file")
        return () if file is None else ((folder / file).resolve(),)


class RegionInput(Model):
    """What fills a region.

    Args:
        material: name of the library, path of a TOML file, or a mixture.
        particles: the particles in it, and their iron.
        eddy: whether eddy currents heat it, by the electrical conductivity of its material.
        volume: as measured or wanted [m3]; the mesh is compared with it.
        perfusion: blood that flows in it; true for the material's own.
        metabolism: heat that it releases [W/m3]; true for the material's own.
        concentration: of its cryoprotectant, relative to full strength, where the organ is not fully equilibrated.
    """

    material: str | Mixture
    particles: ParticleUse | None = None
    eddy: bool = False
    volume: Volume | None = None
    perfusion: PerfusionUse = None
    metabolism: bool | VolumetricPower = False
    concentration: AnyConcentration | None = None

    def files(self, folder: Path) -> tuple[Path, ...]:
        """Images of its iron and of its concentration, by absolute path."""
        file = None if self.concentration is None else self.concentration.model_dump().get("file")
        own = () if file is None else ((folder / file).resolve(),)
        return (*(self.particles.files(folder) if self.particles else ()), *own)

    def image_axes(self) -> dict[str, str]:
        """Axes that images of its iron and of its concentration are turned to, "LPS" or "RAS", by their key."""
        parts = {"particles.iron": self.particles and self.particles.iron, "concentration": self.concentration}
        axes = {key: part.model_dump().get("coordinates") for key, part in parts.items() if part is not None}
        return {key: value for key, value in axes.items() if value is not None}


class SolverInput(Model):
    """How accurately the heat equation is integrated.

    Args:
        tolerance: largest estimated error of one step [K].
        step: fixed step [s] instead of one chosen by the tolerance.
        largest_step: upper bound on the step [s].
        ice: whether ice is followed where no criterion asks for it.
        stress: whether thermal stress is followed where no criterion asks for it, or the times [s] at which it is solved for.
    """

    tolerance: Tolerance = Field(default="0.01 K", validate_default=True)
    step: Duration | None = None
    largest_step: Duration | None = None
    ice: bool = False
    stress: bool | Annotated[tuple[Time, ...], Field(min_length=1)] = False

    def stress_times(self) -> tuple[float, ...] | None:
        """The times [s] at which stress is solved for; None where the changes of temperature choose them."""
        return None if isinstance(self.stress, bool) else self.stress


class DosesInput(Model):
    """Thermal dose and damage, followed at every node.

    Args:
        damage: library name or path of a set of Arrhenius parameters; no damage is followed where left out.
        cut_off: temperature [K] below which no damage is counted.
    """

    damage: str | None = None
    cut_off: Temperature | None = None

    @field_validator("damage")
    @classmethod
    def _is_known(cls, damage: str | None, info: ValidationInfo) -> str | None:
        if damage is not None:
            damage_set(damage, (info.context or {}).get("folder"))
        return damage

    @model_validator(mode="after")
    def _cuts_something_off(self) -> DosesInput:
        if self.damage is None and self.cut_off is not None:
            raise ValueError('cut_off belongs to a damage set: give damage as well, e.g. damage = "skin-Henriques"')
        return self


class CheckpointInput(Model):
    """How often a run keeps what it needs to go on.

    Args:
        every: wall time [s] between two checkpoints.
    """

    every: Duration = Field(default="60 s", validate_default=True)


class OutputInput(Model):
    """What is written, and how often.

    Args:
        every: interval [s] of the rows of `history.csv`.
        fields_every: interval [s] of the frames of the field file; that of the rows where left out.
        probes: named points [m].
        fields: what the field file holds.
        report: whether the report is made at once; `nanowarm report` makes it later as well.
    """

    every: Duration = Field(default="1 s", validate_default=True)
    fields_every: Duration | None = None
    probes: Mapping[str, tuple[Coordinate, Coordinate, Coordinate]] = {}
    fields: tuple[FieldName, ...] = ("temperature", "warming rate", "warming rate margin", "iron concentration", "region")
    report: bool = True


class CaseInput(Model):
    """A case file, section by section.

    Args:
        schema: version of the format.
        title: what the case is about, for its readers.
        mesh: where the mesh comes from, and how fine it is.
        initial: the state that the run starts from.
        regions: what fills each region of the mesh, by its name.
        boundaries: what happens at each outer surface, by its name.
        field: the alternating magnetic field.
        stages: the protocol, one stage after the other.
        doses: thermal dose and damage, followed at every node.
        criteria: what is asked of the run.
        solver: how accurately the heat equation is integrated.
        stress: how thermal stress is solved for.
        checkpoint: how often a run keeps what it needs to go on.
        output: what is written, and how often.
        factors: changes of values of its materials and particles, by the names that the case gives them.
    """

    version: Version = Field(alias="schema")
    title: str = ""
    mesh: MeshInput
    initial: InitialInput
    regions: Annotated[Mapping[str, RegionInput], Field(json_schema_extra={"minProperties": 1})]
    boundaries: Mapping[str, AnyBoundary] = {}
    field: AnyField = NoField()
    stages: Annotated[tuple[StageInput, ...], Field(json_schema_extra={"minItems": 1})]
    doses: DosesInput | None = None
    criteria: tuple[AnyCriterion, ...] = ()
    solver: SolverInput = SolverInput()
    stress: StressInput = StressInput()
    checkpoint: CheckpointInput = CheckpointInput()
    output: OutputInput = OutputInput()
    factors: Mapping[str, Mapping[str, AnyChange]] = {}

    def follows_ice(self) -> bool:
        """Whether ice is followed: a switch, a criterion or a field asks for it."""
        return self.solver.ice or self._asks("ice", "ice fraction")

    def follows_stress(self) -> bool:
        """Whether thermal stress is followed: a switch, a criterion or a field asks for it."""
        return self.solver.stress is not False or self._asks("stress", "tensile stress")

    def _asks(self, quantity: Quantity, field: FieldName) -> bool:
        """Whether a criterion looks at a quantity, or its field is written."""
        return field in self.output.fields or any(quantity in criterion.followed() for criterion in self.criteria)

    @field_validator("criteria")
    @classmethod
    def _damage_can_be_judged(cls, criteria: tuple[AnyCriterion, ...], info: ValidationInfo) -> tuple[AnyCriterion, ...]:
        if any("damage" in criterion.followed() for criterion in criteria):
            _check_damage_set(info)
        return criteria

    @field_validator("output")
    @classmethod
    def _damage_can_be_written(cls, output: OutputInput, info: ValidationInfo) -> OutputInput:
        if "damage" in output.fields:
            _check_damage_set(info)
        return output


def _check_damage_set(info: ValidationInfo) -> None:
    """Refuse what needs a damage set where there is none; a faulty section `doses` has a line of its own."""
    doses: DosesInput | None = info.data.get("doses")
    if "doses" in info.data and (doses is None or doses.damage is None):
        raise ValueError('damage is not followed: choose its parameters in [doses], e.g. damage = "skin-Henriques"')
