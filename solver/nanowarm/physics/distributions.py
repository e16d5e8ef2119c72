"""Where the iron is: uniform, along a profile, in injected depots, or as an image shows it.

The key `iron` of a region's particles reads as one of `AnyIron`: a text is a uniform concentration, a list
are depots, a table says its `kind`.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    Discriminator,
    Field,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    Tag,
    model_serializer,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from nanowarm import quantity
from nanowarm.model import Model, check_table
from nanowarm.physics.iron_images import Direction, Image, Point, unit_vector
from nanowarm.quantity import Coordinate, IronConcentration, IronMass, Length

Array = NDArray[np.float64]

_GAUSSIAN_REACH = 6.0  # standard deviations beyond which 7e-9 of a depot lie


class Sampler[Placed](Protocol):
    """What brings a concentration onto a mesh that is known at every point."""

    def sampled(self, concentration: Callable[[Array], Array]) -> Placed:
        """A concentration of points [m], shape (n, 3), taken at the nodes; of iron [kg/m3]."""


class Projector[Placed](Sampler[Placed], Protocol):
    """What brings iron onto a mesh; a distribution calls the one method that fits it."""

    def injected(self, depots: Sequence[AnyDepot]) -> Placed:
        """Iron of depots, each with its whole dose in the mesh."""

    def imaged(self, image: Image) -> Placed:
        """Iron of an image."""


class Uniform(Model):
    """The same concentration [kg iron / m3] everywhere."""

    kind: Literal["uniform"] = "uniform"
    value: IronConcentration

    @model_validator(mode="before")
    @classmethod
    def _text(cls, raw: Any) -> Any:
        return raw if isinstance(raw, Mapping) else {"value": raw}

    @model_serializer(mode="wrap", when_used="json")
    def _as_text(self, whole: SerializerFunctionWrapHandler) -> Any:
        return whole(self)["value"]

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        text = quantity.IRON_CONCENTRATION.annotation()[2].json_schema
        return {"anyOf": [text, handler.resolve_ref_schema(handler(schema))]}

    def concentration(self, points: Array) -> Array:
        """Iron [kg/m3] at points [m] of shape (n, 3), shape (n,)."""
        return np.full(len(points), self.value)

    def placed[Placed](self, on: Sampler[Placed]) -> Placed:
        """This iron on a mesh."""
        return on.sampled(self.concentration)


class Profile(Model):
    """A concentration over a distance: linear between given ones, constant outside them.

    Args:
        at: distances [m], increasing.
        values: concentrations [kg iron / m3] at these distances.
    """

    at: Annotated[tuple[Coordinate, ...], Field(min_length=1)]
    values: tuple[IronConcentration, ...]

    @model_validator(mode="after")
    def _matches(self) -> Profile:
        check_table(self.at, self.values, "places", "concentrations")
        return self

    @abstractmethod
    def distance(self, points: Array) -> Array:
        """Distance [m] that the profile is over, shape (n,)."""

    def concentration(self, points: Array) -> Array:
        """Iron [kg/m3] at points [m] of shape (n, 3), shape (n,)."""
        return np.interp(self.distance(points), self.at, self.values)

    def placed[Placed](self, on: Sampler[Placed]) -> Placed:
        """This iron on a mesh."""
        return on.sampled(self.concentration)


class Radial(Profile):
    """A profile over the distance from a point, or from a line through it.

    Args:
        centre: the point [m].
        axis: direction of the line; without it distances are from the point.
    """

    kind: Literal["radial"]
    centre: Point
    axis: Direction | None = None

    @model_validator(mode="after")
    def _has_radii(self) -> Radial:
        if self.at[0] < 0.0:
            raise ValueError(f"`at` are radii, which are not negative; found {1e3 * self.at[0]:g} mm")
        if self.axis is not None:
            unit_vector(self.axis)
        return self

    def distance(self, points: Array) -> Array:
        """Distance [m] from the centre or the axis, shape (n,)."""
        away = points - np.array(self.centre)
        if self.axis is not None:
            along = unit_vector(self.axis)
            away = away - np.outer(away @ along, along)
        return np.sqrt(np.einsum("ij,ij->i", away, away))


class Axial(Profile):
    """A profile along a direction.

    Args:
        axis: the direction.
        origin: the point [m] from which `at` counts.
    """

    kind: Literal["axial"]
    axis: Direction
    origin: Point = (0.0, 0.0, 0.0)

    @model_validator(mode="after")
    def _has_direction(self) -> Axial:
        unit_vector(self.axis)
        return self

    def distance(self, points: Array) -> Array:
        """Distance [m] along the axis, negative behind the origin, shape (n,)."""
        return np.asarray((points - np.array(self.origin)) @ unit_vector(self.axis))


class Depot(Model):
    """Iron injected at one place.

    Args:
        centre: of the depot [m].
        radius: its size [m].
        dose: iron in it [kg].
    """

    centre: Point
    radius: Length
    dose: IronMass

    def placed[Placed](self, on: Projector[Placed]) -> Placed:
        """This iron on a mesh."""
        return on.injected((self,))  # type: ignore[arg-type]

    def _distance(self, points: Array) -> Array:
        """Distance from the centre over the radius, shape (n,)."""
        away = (points - np.array(self.centre)) / self.radius
        return np.sqrt(np.einsum("ij,ij->i", away, away))


class Gaussian(Depot):
    """A depot that has spread; its radius is the standard deviation along any direction."""

    kind: Literal["gaussian"]

    @property
    def reach(self) -> float:
        """Distance [m] from the centre beyond which there is no iron to speak of."""
        return _GAUSSIAN_REACH * self.radius

    def concentration(self, points: Array) -> Array:
        """Iron [kg/m3] at points [m] of shape (n, 3), shape (n,)."""
        peak = self.dose / ((2.0 * math.pi) ** 1.5 * self.radius**3)
        return peak * np.exp(-0.5 * self._distance(points) ** 2)


class Spherical(Depot):
    """A depot that fills a sphere evenly."""

    kind: Literal["spherical"]

    @property
    def reach(self) -> float:
        """Distance [m] from the centre beyond which there is no iron."""
        return self.radius

    def concentration(self, points: Array) -> Array:
        """Iron [kg/m3] at points [m] of shape (n, 3), shape (n,)."""
        return np.where(self._distance(points) <= 1.0, self.dose / (4.0 / 3.0 * math.pi * self.radius**3), 0.0)


AnyDepot = Annotated[Gaussian | Spherical, Field(discriminator="kind")]


class Depots(Model):
    """Several depots, whose iron adds up."""

    kind: Literal["depots"] = "depots"
    depots: Annotated[tuple[AnyDepot, ...], Field(min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _list(cls, raw: Any) -> Any:
        return raw if isinstance(raw, Mapping) else {"depots": raw}

    @model_serializer(mode="wrap", when_used="json")
    def _as_list(self, whole: SerializerFunctionWrapHandler) -> Any:
        return whole(self)["depots"]

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        table = handler.resolve_ref_schema(handler(schema))
        return {"anyOf": [table["properties"]["depots"], table]}

    def placed[Placed](self, on: Projector[Placed]) -> Placed:
        """This iron on a mesh."""
        return on.injected(self.depots)


def _tag(raw: Any) -> str | None:
    """Which kind of distribution a user wrote; "file" is that of images, as `image` is one of their keys."""
    if isinstance(raw, Mapping):
        kind = raw.get("kind", "image" if "image" in raw else None)
    else:
        kind = getattr(raw, "kind", "depots" if isinstance(raw, tuple | list) else "uniform")
    return "file" if kind == "image" else kind


_WANTED = (
    'write a concentration such as "10 mgFe/mL", a list of depots, { image = "iron.nii.gz", ... }, '
    "or a table whose `kind` is axial, gaussian, image, radial or spherical"
)

AnyIron = Annotated[
    Annotated[Uniform, Tag("uniform")]
    | Annotated[Radial, Tag("radial")]
    | Annotated[Axial, Tag("axial")]
    | Annotated[Gaussian, Tag("gaussian")]
    | Annotated[Spherical, Tag("spherical")]
    | Annotated[Depots, Tag("depots")]
    | Annotated[Image, Tag("file")],
    Discriminator(_tag, custom_error_type="value_error", custom_error_context={"error": _WANTED}),
]
