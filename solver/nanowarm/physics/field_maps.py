"""Fields between the points of a measured or simulated map."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationInfo, field_validator, model_validator

from nanowarm import quantity
from nanowarm.physics.alternating import AlternatingField, AmplitudeSchedule, DriveName, folder_of
from nanowarm.physics.coils import Point
from nanowarm.physics.conductors import ORIGIN
from nanowarm.physics.curves import Array
from nanowarm.physics.map_files import LengthUnit, MapFormat, MapTable, read_map_file
from nanowarm.physics.schedules import Schedule, schedule_of
from nanowarm.quantity import Frequency

Layout = Literal["grid", "cloud"]
Outside = Literal["refuse", "nearest"]
LevelSchedule = Annotated[Schedule, *schedule_of(quantity.LEVEL)]

_SAME = 1e-6  # of the extent: coordinates closer than this are one
_HOLED = 0.1  # filled part of the grid through all coordinates, above which points that lack some are a damaged grid


@dataclass(frozen=True, eq=False)
class FieldMap:
    """Values between points: trilinear on a grid, linear in the tetrahedra of a cloud.

    Args:
        table: what the file holds.
        lower: smallest coordinates [m], shape (3,).
        upper: largest coordinates [m], shape (3,).
        inside: interpolates columns at points; NaN outside.
        nearest: columns of the nearest point of the map.
    """

    table: MapTable
    lower: Array
    upper: Array
    inside: Callable[[Array], Array]
    nearest: Callable[[Array], Array]

    def __call__(self, points: Array, outside: Outside) -> Array:
        """Columns of the table at points [m], shape (n, columns).

        Raises:
            ValueError: points outside, unless they take the value of the nearest point.
        """
        values = self._inside(points)
        beyond = np.isnan(values).any(axis=1)
        if not beyond.any():
            return values
        if outside == "refuse":
            low, high, point = (_millimetres(place) for place in (self.lower, self.upper, points[np.argmax(beyond)]))
            raise ValueError(
                f"{beyond.sum()} of {len(points)} points lie outside the map, e.g. {point}; it covers {low} to {high}: "
                'extend the map, move it by `centre`, or set outside = "nearest"'
            )
        values[beyond] = self.nearest(points[beyond])
        return values

    def covers(self, points: Array) -> NDArray[np.bool_]:
        """Whether points [m] lie inside, shape (n,)."""
        return ~np.isnan(self._inside(points)).any(axis=1)

    def _inside(self, points: Array) -> Array:
        """Interpolated columns; a point that rounding put outside the bounding box counts as on it."""
        margin = _SAME * (self.upper - self.lower)
        held = np.clip(points, self.lower, self.upper)
        return self.inside(np.where(np.abs(points - held) <= margin, held, points))


def _millimetres(point: Array) -> str:
    return "[" + ", ".join(f"{1e3 * value:g}" for value in point) + "] mm"


def _grid(file: Path, table: MapTable, axes: list[Array], index: NDArray[np.int64]) -> FieldMap:
    """A map on a grid, its rows in any order.

    Args:
        axes: increasing coordinates [m] along x, y and z.
        index: place of each row along the three axes, shape (n, 3).
    """
    from scipy.interpolate import RegularGridInterpolator

    shape = tuple(axis.size for axis in axes)
    place = np.ravel_multi_index(tuple(index.T), shape)
    if len(place) != np.prod(shape):
        raise ValueError(
            f"{file.name}: an incomplete grid: {len(place)} of {' x '.join(map(str, shape))} = {np.prod(shape)} points: "
            'damaged or cut off? If it is meant so, set layout = "cloud"'
        )
    values = np.empty((len(place), table.columns.shape[1]))
    values[place] = table.columns
    inside = RegularGridInterpolator(axes, values.reshape(*shape, -1), bounds_error=False, fill_value=np.nan)
    lower, upper = np.array([axis[0] for axis in axes]), np.array([axis[-1] for axis in axes])
    return FieldMap(table, lower, upper, inside, lambda points: inside(np.clip(points, lower, upper)))


def _cloud(file: Path, table: MapTable) -> FieldMap:
    """A map at scattered points."""
    from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator
    from scipy.spatial import Delaunay, QhullError

    lower, upper = table.points.min(axis=0), table.points.max(axis=0)
    size = (upper - lower).max()
    try:
        inside = LinearNDInterpolator(Delaunay((table.points - lower) / size), table.columns)
    except QhullError:
        raise ValueError(f"{file.name}: {len(table.points)} points that span no volume") from None
    nearest = NearestNDInterpolator(table.points, table.columns)
    return FieldMap(table, lower, upper, lambda points: np.asarray(inside((points - lower) / size)), nearest)


@lru_cache(maxsize=4)
def _read_map(file: Path, modified: int, form: MapFormat, layout: Layout | None) -> FieldMap:
    table = read_map_file(file, form)
    extent = np.ptp(table.points, axis=0)
    for axis, size in zip("xyz", extent, strict=True):
        if size <= 0.0:
            raise ValueError(f"{file.name}: a map without volume: every point has the same {axis}")
    steps = np.round((table.points - table.points.min(axis=0)) / (_SAME * extent)).astype(np.int64)
    _, first, count = np.unique(steps, axis=0, return_index=True, return_counts=True)
    if (count > 1).any():
        twice = _millimetres(table.points[first[np.argmax(count > 1)]])
        raise ValueError(f"{file.name}: the point {twice} is there {count.max()} times")
    places = [np.unique(column, return_index=True, return_inverse=True) for column in steps.T]
    fill = len(steps) / np.prod([float(place[0].size) for place in places])
    if layout == "grid" or (layout is None and fill > _HOLED):
        axes = [column[place[1]] for column, place in zip(table.points.T, places, strict=True)]
        return _grid(file, table, axes, np.column_stack([place[2] for place in places]))
    return _cloud(file, table)


def read_map(file: Path, form: MapFormat, layout: Layout | None = None) -> FieldMap:
    """The map in a file; kept, so that the stages of a case read it once.

    Args:
        form: what a VTK file does not say itself.
        layout: whether its points are those of a grid; seen from the points where left out.

    Raises:
        ValueError: it can't be used.
    """
    return _read_map(file, file.stat().st_mtime_ns if file.is_file() else 0, form, layout)


class MapField(AlternatingField):
    """A measured or simulated field.

    Args:
        frequency: of the field [Hz].
        unit: length unit of a VTK file's coordinates.
        array: name of a VTK file's array.
        array_unit: unit of that array, where its name has none.
        layout: whether the points are those of a grid; seen from the points where left out.
        outside: what holds outside the map.
        file: CSV or VTK, relative to the case file.
        centre: where the origin of the map lies [m].
        amplitude: peak H [A/m] at the point `at`, may change in time; the map as it is where left out.
        at: where the amplitude counts [m]; the origin of the map where left out.
        level: of the map as it is, may change in time.
    """

    kind: Literal["map"]
    frequency: Frequency
    unit: LengthUnit | None = None
    array: str | None = None
    array_unit: str | None = None
    layout: Layout | None = None
    outside: Outside = "refuse"
    file: str
    centre: Point = ORIGIN
    amplitude: AmplitudeSchedule | None = None
    at: Point | None = None
    level: LevelSchedule | None = None

    @field_validator("file")
    @classmethod
    def _is_usable(cls, file: str, info: ValidationInfo) -> str:
        found = (folder_of(info) / file).resolve()
        known = info.data
        if {"unit", "array", "array_unit", "layout"} <= set(known):  # else their own faults are told
            read_map(found, MapFormat(known["unit"], known["array"], known["array_unit"]), known["layout"])
        return str(found)

    @model_validator(mode="after")
    def _is_driven_once(self) -> MapField:
        if self.amplitude is not None and self.level is not None:
            raise ValueError("give either `amplitude`, or the `level` of the map as it is; found both")
        _ = self._scale  # tells a point outside the map now
        return self

    @cached_property
    def _map(self) -> FieldMap:
        return read_map(Path(self.file), MapFormat(self.unit, self.array, self.array_unit), self.layout)

    @cached_property
    def _scale(self) -> float:
        """What the map is multiplied by to be that per unit drive; 0 where it is off and could not be on."""
        if self.amplitude is None:
            return 1.0
        try:
            return 1.0 / self._amplitude_of_map
        except ValueError:
            if self.largest() > 0.0:
                raise
            return 0.0  # a stage switches off a map that is used as it is

    @cached_property
    def _amplitude_of_map(self) -> float:
        """|H| [A/m] of the map as it is, where the amplitude counts."""
        at = np.array([self.centre if self.at is None else self.at])
        try:
            amplitude = float(self._amplitudes(at)[0])
        except ValueError as error:
            raise ValueError(f"`at`, where the amplitude counts: {error}") from None
        if not amplitude > 0.0:
            raise ValueError(
                f"the map has no field at {_millimetres(at[0])}, where the amplitude counts: give another point `at`"
            )
        return amplitude

    def driven_by(self) -> DriveName:
        """Amplitude, or else the level of the map as it is."""
        return "level" if self.amplitude is None else "amplitude"

    def drive(self) -> Schedule:
        """The amplitude, or the level of the map as it is."""
        return self.amplitude or self.level or Schedule(at=("0 s",), values=(1.0,))  # type: ignore[arg-type]

    def per_drive(self) -> float:
        """1 where driven by the amplitude; else the largest |H| of the map [A/m]."""
        return 1.0 if self.amplitude is not None else float(_norm(self._map.table).max())

    def shape(self, points: Array) -> Array:
        """Peak |H| [A/m per unit drive] at points [m] of shape (n, 3); shape (n,)."""
        return self._scale * self._amplitudes(points)

    def _amplitudes(self, points: Array) -> Array:
        values = self._map(points - np.array(self.centre), self.outside)
        return np.asarray(np.linalg.norm(values[:, : 3 if self._map.table.vector else 1], axis=1))

    def vector(self, points: Array) -> Array:
        """H, if the map holds its components."""
        if not self._map.table.vector:
            raise ValueError(f"{self.file}: the map holds amplitudes only, no direction: give Hx, Hy and Hz")
        return self._scale * self._map(points - np.array(self.centre), self.outside)[:, :3]

    def vector_potential(self, points: Array) -> Array:
        """A, if the map holds it in columns Ax, Ay, Az."""
        if not self._map.table.potential:
            raise ValueError(
                f"{self.file}: a map has no vector potential unless it is given (columns Ax, Ay, Az, e.g. in T*m), "
                "so that no eddy currents can be computed; describe the coil instead"
            )
        return self._scale * self._map(points - np.array(self.centre), self.outside)[:, -3:]

    def covers(self, points: Array) -> NDArray[np.bool_]:
        """Whether points lie inside the map, or take the value of its nearest point."""
        known = self._map.covers(points - np.array(self.centre))
        return np.asarray(known | (self.outside == "nearest"))

    def files(self) -> tuple[Path, ...]:
        """The map's file."""
        return (Path(self.file),)


def _norm(table: MapTable) -> Any:
    return np.linalg.norm(table.columns[:, : 3 if table.vector else 1], axis=1)
