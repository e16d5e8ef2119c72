"""The section `[mesh]` of a case file: where the geometry comes from and how finely it is divided."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from nanowarm.model import Model, shown
from nanowarm.quantity import Coordinate, Length

Unit = Literal["m", "cm", "mm", "um", "inch"]
Convention = Literal["LPS", "RAS"]
LABEL_IMAGES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")


def _parameter(given: Any) -> Any:
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise ValueError(f'must be text with a unit such as "1 mL", or a plain number; found {shown(given)}')
    if isinstance(given, int | float) and not math.isfinite(given):
        raise ValueError(f"must be finite; found {given}")
    return given


def _label(given: str) -> str:
    if not given.isdigit() or str(int(given)) != given:
        raise ValueError(f"a label is a whole number from 0 on; found {shown(given)}")
    return given


Parameter = Annotated[str | int | float, BeforeValidator(_parameter)]
Label = Annotated[str, BeforeValidator(_label)]


class Graded(Model):
    """Cells that grow with the distance from something.

    Args:
        near: region or surface from which the distance counts; or
        point: the point [m] from which it counts.
        size: edge length there [m].
        over: distance [m] over which it grows linearly to the size that holds elsewhere.
    """

    near: str | None = None
    point: tuple[Coordinate, Coordinate, Coordinate] | None = None
    size: Length
    over: Length

    @model_validator(mode="after")
    def _from_one(self) -> Graded:
        if (self.near is None) == (self.point is None):
            raise ValueError("give near (a region or surface) or point, one of them")
        return self


class MeshInput(Model):
    """Where the geometry comes from and how finely it is divided.

    Args:
        file: Gmsh recipe, CAD file, closed surface, label image or mesh; relative to the case file.
        files: instead, the closed surface around each region, by the region's name.
        unit: length unit of the files; a recipe, a STEP file and an image say their own.
        parameters: declared numbers of a recipe.
        labels: name of the region of each label of an image.
        coordinates: axes of a mesh made from an image: to the left, posterior, superior as files are read, or
            right, anterior, superior.
        names: other names for the regions and surfaces of the file.
        size: target edge length [m].
        sizes: target edge length [m] in a region or on a surface.
        graded: places near which cells are smaller.
        coarsening: factor on all edge lengths, on those too that a recipe or a default sets.
        threads: of Gmsh and Mmg; with more than one, each mesh made anew is another.
        refine: uniform refinements after distribution, each with eight times the cells.
    """

    file: str = ""
    files: Mapping[str, str] = {}
    unit: Unit | None = None
    parameters: Mapping[str, Parameter] = {}
    labels: Mapping[Label, str] = {}
    coordinates: Convention = "LPS"
    names: Mapping[str, str] = {}
    size: Length | None = None
    sizes: Mapping[str, Length] = {}
    graded: tuple[Graded, ...] = ()
    coarsening: Annotated[float, Field(ge=0.1, le=10.0)] = 1.0
    threads: Annotated[int, Field(ge=1, le=256)] = 1
    refine: Annotated[int, Field(ge=0, le=6)] = 0

    @model_validator(mode="after")
    def _has_geometry(self) -> MeshInput:
        if bool(self.file) == bool(self.files):
            raise ValueError("give file, or files (the closed surface around each region by name), one of them")
        return self

    def is_from_image(self) -> bool:
        """Whether the geometry is a label image, so that `coordinates` says which axes the mesh has."""
        return self.file.lower().endswith(LABEL_IMAGES)

    def paths(self, folder: Path) -> dict[str, Path]:
        """Path of every file, from a folder, by its key in the section: "file", or "files.NAME"."""
        given = {f"files.{name}": file for name, file in self.files.items()} or {"file": self.file}
        return {key: folder / file for key, file in given.items()}
