"""An image of iron: how its voxels read, and where it lies in the mesh."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AliasChoices, Discriminator, Field, Tag, model_validator

from nanowarm import quantity
from nanowarm.model import Model, check_table
from nanowarm.quantity import Angle, Coordinate, IronConcentration, IronMass

if TYPE_CHECKING:
    from nanowarm.physics.distributions import Projector

Array = NDArray[np.float64]
Point = tuple[Coordinate, Coordinate, Coordinate]
Direction = tuple[float, float, float]

_METRES = {"m": 1.0, "cm": 1e-2, "mm": 1e-3, "um": 1e-6}
_RAS_OF_LPS = np.diag([-1.0, -1.0, 1.0])  # left to right, posterior to anterior, superior stays


def unit_vector(direction: Direction) -> Array:
    """A direction with length 1.

    Raises:
        ValueError: it has no length.
    """
    length = math.hypot(*direction)
    if length == 0.0:
        raise ValueError("[0, 0, 0] is no direction: give one such as [0, 0, 1]")
    return np.array(direction) / length


class Calibration(Model):
    """From the value of a voxel to its iron.

    Args:
        of: what the voxels hold: CT numbers, relaxation rates, or any scanner's own values.
        valid: smallest and largest value that was calibrated.
        outside: whether a value beyond them is refused, or taken as the nearest one.
    """

    of: Literal["HU", "R1", "R2*", "grey value", "concentration"] = "grey value"
    valid: tuple[float, float] | None = None
    outside: Literal["error", "clip"] = "error"

    @model_validator(mode="after")
    def _has_range(self) -> Calibration:
        if self.valid is not None and self.valid[0] >= self.valid[1]:
            raise ValueError(f"`valid` is [smallest, largest]; found [{self.valid[0]:g}, {self.valid[1]:g}]")
        return self

    def range(self) -> tuple[float, float]:
        """Smallest and largest value that the calibration holds for."""
        return self.valid or (-math.inf, math.inf)


class Linear(Calibration):
    """Iron = slope x value + offset.

    Args:
        slope: iron in `unit` per unit of the voxels.
        offset: iron in `unit` of a voxel of value 0.
        unit: a concentration of iron such as mgFe/mL.
    """

    kind: Literal["linear"] = "linear"
    slope: float
    offset: float = 0.0
    unit: str

    @model_validator(mode="after")
    def _has_unit(self) -> Linear:
        quantity.IRON_CONCENTRATION.parse(f"1 {self.unit}")
        if self.slope == 0.0:
            raise ValueError("a slope of 0 says nothing of the image")
        return self

    def concentration(self, values: Array) -> Array:
        """Iron [kg/m3] of voxels, same shape."""
        return quantity.iron_concentration(f"1 {self.unit}") * (self.slope * values + self.offset)


class Tabulated(Calibration):
    """Iron over the value of a voxel, linear between calibrated points.

    Args:
        at: values of voxels, increasing.
        values: iron [kg / m3] at these.
    """

    kind: Literal["table"] = "table"
    at: Annotated[tuple[float, ...], Field(min_length=2)]
    values: tuple[IronConcentration, ...]

    @model_validator(mode="after")
    def _matches(self) -> Tabulated:
        check_table(self.at, self.values, "points", "concentrations")
        if self.valid is not None and not self.at[0] <= self.valid[0] < self.valid[1] <= self.at[-1]:
            raise ValueError(f"`valid` must lie within the points of `at`, {self.at[0]:g} to {self.at[-1]:g}")
        return self

    def range(self) -> tuple[float, float]:
        """Smallest and largest value that the calibration holds for."""
        return self.valid or (self.at[0], self.at[-1])

    def concentration(self, values: Array) -> Array:
        """Iron [kg/m3] of voxels, same shape."""
        return np.interp(values, self.at, self.values)


def calibration_kind(raw: Any) -> str | None:
    """Which kind of calibration a user wrote."""
    if isinstance(raw, Mapping):
        return raw.get("kind", "table" if "at" in raw else "linear")
    return getattr(raw, "kind", "linear")


AnyCalibration = Annotated[Annotated[Linear, Tag("linear")] | Annotated[Tabulated, Tag("table")], Discriminator(calibration_kind)]


class Rotation(Model):
    """A turn by the right hand around an axis.

    Args:
        axis: its direction.
        angle: by which it is turned about the axis [rad].
        about: a point of the axis [m].
    """

    axis: Direction
    angle: Angle
    about: Point = (0.0, 0.0, 0.0)

    @model_validator(mode="after")
    def _has_direction(self) -> Rotation:
        unit_vector(self.axis)
        return self

    def matrix(self) -> Array:
        """The turn as a matrix, shape (3, 3).

        Source: Rodrigues' formula.
        """
        x, y, z = unit_vector(self.axis)
        cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
        return np.eye(3) + math.sin(self.angle) * cross + (1.0 - math.cos(self.angle)) * (cross @ cross)


class PlacedImage(Model):
    """Where an image lies in the mesh.

    A place in the file's coordinates is turned to the convention of the mesh, then rotated, then translated.

    Args:
        array: which array of a .vti.
        coordinates: the convention that the mesh is in; files are read as LPS.
        unit: of the coordinates in the file.
        rotate: how the image is turned in the mesh.
        translate: how it is moved in the mesh [m].
        background: voxels of a value below this show something else.
    """

    array: str | None = None
    coordinates: Literal["LPS", "RAS"]
    unit: Literal["m", "cm", "mm", "um"] = "mm"
    rotate: Rotation | None = None
    translate: Point = (0.0, 0.0, 0.0)
    background: float | None = None

    def placement(self) -> tuple[Array, Array]:
        """Matrix (3, 3) and shift (3,) from the coordinates of the file to those of the mesh [m]."""
        matrix = _METRES[self.unit] * (_RAS_OF_LPS if self.coordinates == "RAS" else np.eye(3))
        shift = np.array(self.translate)
        if self.rotate is None:
            return matrix, shift
        turn, about = self.rotate.matrix(), np.array(self.rotate.about)
        return turn @ matrix, shift + about - turn @ about


class Image(PlacedImage):
    """Iron that an image shows.

    Args:
        image: path of the file, relative to the case file.
        file: NIfTI, NRRD, MetaImage (.mha, .mhd) or VTK image (.vti); relative to the case file.
        calibration: iron over the values of the voxels.
        noise: negative iron down to minus this [kg/m3] counts as none.
        dose: iron that was given to the region [kg].
        tolerance: by which the iron in the image, in the mesh and the dose may differ, relative.
        elsewhere: whether the image may show iron outside the region.
    """

    kind: Literal["image"] = "image"
    file: Annotated[str, Field(min_length=1, validation_alias=AliasChoices("image", "file"), serialization_alias="image")]
    calibration: AnyCalibration
    noise: IronConcentration = 0.0
    dose: IronMass | None = None
    tolerance: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.05
    elsewhere: Literal["refused", "allowed"] = "refused"

    def placed[Placed](self, on: Projector[Placed]) -> Placed:
        """This iron on a mesh."""
        return on.imaged(self)
