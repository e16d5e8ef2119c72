"""The section of a body, drawn by VTK without a screen, seen straight on so that a scale bar holds in it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanowarm.results.field_series import FrameFile
from nanowarm.results.picture import outlines
from nanowarm.results.render_panel import Scale, picture_share
from nanowarm.results.view import COLOURS

Array = NDArray[np.float64]

MILLIMETRES = 1e3
MARGIN = 1.08  # of the picture over the body
INWARDS = 1e-4  # of the extent: a cut through a point of the surface is moved by it
UNSEEN = "#b0b0b0"  # colour of places without a value
BEHIND = "#e4e4e4"  # of the body behind the section
_TETRAHEDRON = 10  # VTK's number of the cell type
# axis of the cut: axes to the right and upwards in the picture; whence it is seen; whether what is kept lies below
_VIEWS = {"x": (1, 2, 1.0, True), "y": (0, 2, -1.0, False), "z": (0, 1, 1.0, True)}


class Scene:
    """A body cut open by a plane.

    Args:
        file: its fields.
        cut: axis, None for the one that shows most; and place along it [mm], None for the point or the middle.
        point: through which the plane goes [m], shape (3,); None where no point is known.
        size: width and height of a panel in pixels.

    Attributes:
        extent: left, right, bottom and top of the picture [mm].
        words: what the plane is.
    """

    def __init__(self, file: FrameFile, cut: tuple[str | None, float | None], point: Array | None, size: tuple[int, int]) -> None:
        import pyvista

        self._body = pyvista.UnstructuredGrid({_TETRAHEDRON: file.cells}, file.points)
        self._body.cell_data["region"] = file.region
        self._low, self._high = file.points.min(axis=0), file.points.max(axis=0)
        axis, place = cut
        through = (self._low + self._high) / 2.0 if point is None else point
        room = INWARDS * (self._high - self._low)
        self._origin = np.clip(through, self._low + room, self._high - room)
        self.axis = axis or max("yxz", key=self._shown)
        number = "xyz".index(self.axis)
        if place is not None:
            self._origin[number] = place / MILLIMETRES
        self.words = f"section at {self.axis} = {MILLIMETRES * self._origin[number]:.4g} mm"
        self.extent = self._frame(size)
        self._plotter = self._prepared(size)

    def _shown(self, axis: str) -> float:
        """Area [m2] of the section across an axis, to two digits so that equal ones stay equal."""
        area = self._body.slice(axis, origin=self._origin).area
        return float(f"{area:.2g}")

    def _frame(self, size: tuple[int, int]) -> tuple[float, float, float, float]:
        """Left, right, bottom and top of what is seen [mm]."""
        right, up, *_ = _VIEWS[self.axis]
        wide, tall = (np.array(size) * picture_share()).round()
        low, high = MILLIMETRES * self._low, MILLIMETRES * self._high
        half = MARGIN * max((high - low)[up], (high - low)[right] * tall / wide) / 2.0
        x, y = (low + high)[right] / 2.0, (low + high)[up] / 2.0
        return x - half * wide / tall, x + half * wide / tall, y - half, y + half

    def _prepared(self, size: tuple[int, int]) -> Any:
        """The plotter with all that does not change: body behind the section, and outlines of regions."""
        import pyvista

        right, up, side, below = _VIEWS[self.axis]
        pixels = (np.array(size) * picture_share()).round().astype(int)
        plotter: Any = pyvista.Plotter(off_screen=True, window_size=pixels.tolist())
        plotter.set_background("white")
        behind = self._body.clip(self.axis, origin=self._origin, invert=below).extract_surface(algorithm="dataset_surface")
        if behind.n_cells:
            plotter.add_mesh(behind, color=BEHIND, ambient=0.5, diffuse=0.5, specular=0.0)
        towards = np.zeros(3)
        towards["xyz".index(self.axis)] = side
        reach = float(np.linalg.norm(self._high - self._low))
        for line in outlines(self._body, self.axis, tuple(self._origin)):
            plotter.add_mesh(line.translate(towards * 2e-3 * reach, inplace=False), color="black", line_width=3, lighting=False)
        left, far, bottom, top = (edge / MILLIMETRES for edge in self.extent)
        centre = self._origin.copy()
        centre[right], centre[up] = (left + far) / 2.0, (bottom + top) / 2.0
        upwards = np.zeros(3)
        upwards[up] = 1.0
        plotter.camera_position = [tuple(centre + towards * 2.0 * reach), tuple(centre), tuple(upwards)]
        plotter.enable_parallel_projection()
        plotter.camera.parallel_scale = (top - bottom) / 2.0
        plotter.renderer.ResetCameraClippingRange()
        self._towards = towards * 5e-4 * reach  # in front of the body behind, and behind the outlines
        return plotter

    def holds(self, point: Array) -> bool:
        """Whether a point [m] lies in the plane, but for what the plane was moved inwards."""
        number = "xyz".index(self.axis)
        return bool(abs(point[number] - self._origin[number]) <= 2.0 * INWARDS * (self._high - self._low)[number])

    def on_page(self, point: Array) -> tuple[float, float]:
        """Where a point [m] is seen in the picture [mm]."""
        right, up, *_ = _VIEWS[self.axis]
        return MILLIMETRES * float(point[right]), MILLIMETRES * float(point[up])

    def seen(self, scale: Scale, values: Array, cellwise: bool) -> NDArray[np.uint8]:
        """The section coloured by values, as an image of shape (height, width, 3).

        Args:
            scale: range of colours and values to mark.
            values: as shown, one for each node or each cell.
            cellwise: whether they are of the cells.
        """
        (self._body.cell_data if cellwise else self._body.point_data)["shown"] = values
        section = self._body.slice(self.axis, origin=self._origin).translate(self._towards, inplace=False)
        colours = {"scalars": "shown", "cmap": COLOURS, "clim": (scale.low, scale.high), "nan_color": UNSEEN}
        look: dict[str, Any] = {"lighting": False, "show_scalar_bar": False, "reset_camera": False, "render": False}
        preference = "cell" if cellwise else "point"
        self._plotter.add_mesh(section, name="section", **colours, **look, preference=preference)
        self._plotter.remove_actor("marks", render=False)
        marks = [value for value, _ in scale.marks]
        lines = section.contour(marks, scalars="shown") if marks and not cellwise else None
        if lines is not None and lines.n_points:
            ahead = lines.translate(self._towards, inplace=False)
            self._plotter.add_mesh(ahead, name="marks", color="white", line_width=3, **look)
        self._plotter.render()  # a second screenshot would not draw anew
        image: NDArray[np.uint8] = self._plotter.screenshot(return_img=True)
        (self._body.cell_data if cellwise else self._body.point_data).remove("shown")
        return image[:, :, :3]
