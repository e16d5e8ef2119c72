"""Pictures of a run drawn from its fields, and the script that opens it in ParaView."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nanowarm.errors import CaseError, SolveError
from nanowarm.render_command import wish_of
from nanowarm.results import paraview, picture
from nanowarm.results import render as render_module
from nanowarm.results.field_series import FrameFile
from nanowarm.results.render import Drawing, Wish, planned, render
from nanowarm.results.render_drawing import Story, pictures
from nanowarm.results.render_panel import FOOT, HEAD, ROOM, Scale
from nanowarm.results.render_scene import Scene

Runs = Callable[..., Path]
SMALL = (400, 300)


def has_egl() -> bool:
    try:
        picture.egl()
    except OSError:
        return False
    return True


@pytest.fixture(autouse=True)
def without_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")  # as of the process that draws


needs_egl = pytest.mark.skipif(not has_egl(), reason="this machine has no libEGL")


@pytest.fixture(scope="module")
def run(field_run: Runs) -> Path:
    return field_run(divided=3)


def drawn(run: Path, folder: Path, name: str, **wish: Any) -> Path:
    return render(run, folder / name, Wish(size=SMALL, **wish))


@needs_egl
def test_a_picture_has_the_size_that_was_asked_for_and_nothing_is_overwritten(run: Path, tmp_path: Path) -> None:
    made = drawn(run, tmp_path, "end.png", field="temperature")
    with Image.open(made) as image:
        assert image.size == SMALL
    assert sorted(path.name for path in tmp_path.iterdir()) == ["end.png"]
    before = made.read_bytes()
    with pytest.raises(CaseError, match=r"end\.png: exists already and is never overwritten"):
        drawn(run, tmp_path, "end.png")
    assert made.read_bytes() == before


@needs_egl
def test_an_animation_has_a_frame_for_each_moment_in_the_same_colours(run: Path, tmp_path: Path) -> None:
    bars, bodies = [], []
    with Image.open(drawn(run, tmp_path, "warming.gif", axis="z")) as film:
        assert (film.n_frames, film.size) == (3, SMALL)  # type: ignore[attr-defined]
        for number in range(3):
            film.seek(number)
            pixels = np.asarray(film.convert("RGB")).astype(int)
            bars.append(pixels[120:200, 310:325])
            bodies.append(pixels[120:180, 100:200])
    assert np.abs((bars[0] - bars[2]).mean(axis=(0, 1))).max() < 5.0  # the colour bar stays, but for the palette of a GIF
    assert np.abs(bodies[0] - bodies[2]).mean() > 30  # the body, 60 degC warmer of a range of 80, does not


@pytest.mark.slow
@needs_egl
def test_a_film_is_written_as_mp4(run: Path, tmp_path: Path) -> None:
    pytest.importorskip("imageio_ffmpeg")
    content = drawn(run, tmp_path, "warming.mp4").read_bytes()
    assert content[4:8] == b"ftyp"


@needs_egl
def test_a_section_shows_the_values_of_its_plane(run: Path) -> None:
    with FrameFile(run / "fields.vtkhdf") as file:
        scene = Scene(file, ("y", 5.0), None, SMALL)
        image = scene.seen(Scale("temperature", -10.0, 10.0), file.values("temperature", 0), False)
    middle = image[image.shape[0] // 2].astype(int)  # temperature = x [mm] at the first frame: viridis from left to right
    left, right, *_ = scene.extent
    places = [round((x - left) / (right - left) * image.shape[1]) for x in (-9.0, -2.0, 2.0, 9.0)]
    seen = [middle[place] for place in places]
    from matplotlib import colormaps

    wanted = [np.array(colormaps["viridis"]((x + 10.0) / 20.0, bytes=True)[:3]).astype(int) for x in (-9.0, -2.0, 2.0, 9.0)]
    for found, colour in zip(seen, wanted, strict=True):
        assert np.abs(found - colour).max() <= 8


@needs_egl
def test_a_place_in_the_picture_is_where_it_is_in_the_body(run: Path) -> None:
    with FrameFile(run / "fields.vtkhdf") as file:
        scene = Scene(file, ("z", 5.0), None, SMALL)
        image = scene.seen(Scale("temperature", 0.0, 1.0), file.values("temperature", 0), False)
    white = (image > 250).all(axis=2)
    left, right, bottom, top = scene.extent
    columns, rows = np.flatnonzero(~white.all(axis=0)), np.flatnonzero(~white.all(axis=1))
    per_pixel = (right - left) / image.shape[1]
    assert per_pixel == pytest.approx((top - bottom) / image.shape[0], rel=0.01)  # so that a scale bar holds both ways
    assert left + columns[0] * per_pixel == pytest.approx(-10.0, abs=3 * per_pixel)
    assert left + (columns[-1] + 1) * per_pixel == pytest.approx(10.0, abs=3 * per_pixel)
    assert top - rows[0] * per_pixel == pytest.approx(10.0, abs=3 * per_pixel)


@needs_egl
def test_hostile_and_unfinished_runs_are_drawn(field_run: Runs, tmp_path: Path) -> None:
    run = field_run(divided=2, title="$\\frac{ <b> [red] \x1b[31m \u202e \U0001f600" + "x" * 10_000, names=("a$b", "c_{"))
    assert drawn(run, tmp_path, "hostile.png").is_file()
    for name in ("summary.json", "record.json", "history.csv"):
        (run / name).unlink()
    assert drawn(run, tmp_path, "unfinished.png").is_file()


def test_what_limits_the_run_is_drawn_beside_the_temperature_at_the_end(run: Path) -> None:
    drawing = planned(run, None, Wish())
    assert (drawing.fields, drawing.frames) == (("temperature", "warming rate"), (2,))
    assert Path(drawing.output) == run / "temperature-1.png"


@needs_egl
def test_the_section_goes_through_the_worst_point_across_the_axis_that_shows_most(run: Path) -> None:
    with FrameFile(run / "fields.vtkhdf") as file:
        worst = Story(render_module.summary_of(run), render_module.record_of(run)).worst(file.names)
        assert worst is not None
        point = np.array([1e-3, 4e-3, 7e-3])
        scene = Scene(file, (None, None), point, SMALL)
        assert scene.axis in "yz"  # 20 x 10 mm2 each; across x it would be 10 x 10
        assert scene.holds(point)
        assert not Scene(file, ("x", 5.0), point, SMALL).holds(point)


def test_a_page_names_stage_time_and_marks(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nanowarm.results import render_drawing
    from nanowarm.results.render_panel import Page

    class Blank:
        """A scene without VTK."""

        extent, words, axis = (0.0, 10.0, 0.0, 10.0), "section at y = 1 mm", "y"

        def __init__(self, *_: Any) -> None:
            self.scales: list[Scale] = []

        def holds(self, point: Any) -> bool:
            return True

        def on_page(self, point: Any) -> tuple[float, float]:
            return 5.0, 5.0

        def seen(self, *_: Any) -> Any:
            return np.zeros((3, 3, 3), dtype=np.uint8)

    written: list[str] = []
    write = Page.write
    monkeypatch.setattr(
        Page, "write", lambda page, place, text, **how: (written.append(text), write(page, place, text, **how))[1]
    )
    monkeypatch.setattr(render_drawing, "Scene", Blank)
    with FrameFile(run / "fields.vtkhdf") as file:
        story = Story(render_module.summary_of(run), render_module.record_of(run))
        drawing = Drawing("x.png", ("temperature", "warming rate"), (1,), None, None, SMALL, 15.0)
        (page,) = pictures(file, drawing, story)
    text = "\n".join(written)
    assert page.shape == (300, 400, 3)
    for part in ("Two cubes: missed", "temperature [°C], 30 s, rewarm", "of the whole run", "limit of right 55", "°C/min"):
        assert part in text
    assert "worst: warming rate of right" in text
    assert 0.0 < ROOM + HEAD + FOOT < 1.0


@pytest.mark.parametrize(
    ("name", "wish", "fault"),
    [
        ("a.png", {"field": "heat"}, r'no field "heat"; this run has: temperature, CEM43, warming rate'),
        ("a.gif", {"field": "CEM43"}, r'"CEM43" does not change in this run; fields that do: temperature'),
        ("a.png", {"time": 61.0}, r"--at: 61 s is outside this run's 0 to 60 s"),
        ("a.png", {"field": "CEM43", "time": 6.0}, r"known of the whole run"),
        ("a.png", {"frame": 3}, r"--frame: 3 is none of this run's frames 0 to 2"),
        ("a.gif", {"frame": 1}, r"--frame: an animation shows the whole run"),
        ("a.png", {"axis": "x", "place": 11.0}, r"--cut: x = 11 mm is outside the body, -10 to 10 mm"),
        ("a.jpg", {}, r"\.jpg can't be made; known: \.png, \.gif, \.mp4"),
        ("none/a.png", {}, r"there is no folder"),
    ],
)
def test_what_can_not_be_drawn_is_told_in_a_line(run: Path, tmp_path: Path, name: str, wish: dict[str, Any], fault: str) -> None:
    with pytest.raises(CaseError, match=fault):
        planned(run, tmp_path / name, Wish(**wish))


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (((None, "6", None), None, "400x300", 15.0), r"--at: write the unit"),
        (((None, "6 mm", None), None, "400x300", 15.0), r"--at: "),
        (((None, None, None), "q", "400x300", 15.0), r'--cut: "q" is no cut'),
        (((None, None, None), "x=3 s", "400x300", 15.0), r"--cut: "),
        (((None, None, None), None, "400", 15.0), r'--size: "400"'),
        (((None, None, None), None, "4x4", 15.0), r"of 200 to 8000 pixels"),
        (((None, None, None), None, "400x300", 0.0), r"--fps: 0; allowed"),
    ],
    ids=["no unit", "no time", "axis", "place", "size", "small", "fps"],
)
def test_options_that_can_not_be_used_are_told_in_a_line(options: Any, fault: str) -> None:
    with pytest.raises(CaseError, match=fault):
        wish_of(*options)


def test_options_say_moment_cut_and_size() -> None:
    wish = wish_of(("temperature", "0.5 min", None), "y=2.5 mm", "800x600", 10.0)
    assert (wish.time, wish.axis, wish.place, wish.size) == (30.0, "y", 2.5, (800, 600))
    assert wish_of((None, None, 1), "z=-3", "800x600", 10.0).place == -3.0


def test_other_folders_and_damaged_files_are_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(CaseError, match=r"no run folder: there is no case\.toml"):
        render(tmp_path, None, Wish())
    (tmp_path / "case.toml").touch()
    with pytest.raises(CaseError, match=r"there is no fields\.vtkhdf"):
        render(tmp_path, None, Wish())
    (tmp_path / "fields.vtkhdf").write_bytes((run / "fields.vtkhdf").read_bytes()[:100])
    with pytest.raises(CaseError, match=r"fields\.vtkhdf: can't be read"):
        render(tmp_path, None, Wish())


def test_a_crash_while_drawing_is_one_line_and_leaves_no_file(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "crash.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(render_module, "PROGRAM", "crash")
    with pytest.raises(SolveError, match=r"a\.png: .*VTK can't draw without a screen on this machine: install libegl1"):
        render(run, tmp_path / "a.png", Wish())
    assert not list(tmp_path.glob("*.png"))


def test_the_command_says_what_it_wrote_and_numbers_what_it_is_not_told(run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(run, folder)
    command = [sys.executable, "-m", "nanowarm.cli", "render", "copy", "--paraview"]
    for name in ("open-in-paraview.py", "open-in-paraview-2.py"):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        assert done.stdout == f"wrote copy/{name}\n"


# of https://www.paraview.org/paraview-docs/v5.12.0/python/paraview.simple.html
DOCUMENTED = {
    *("AnnotateTimeFilter", "Clip", "ColorBy", "Contour", "GetActiveViewOrCreate", "GetAnimationScene", "OpenDataFile"),
    *("GetColorTransferFunction", "GetParaViewVersion", "GetScalarBar", "Render", "ResetCamera", "SetActiveSource", "Show"),
    "Text",
}


class Recorder:
    """Stands for anything of ParaView: takes every call and every property, and keeps them.

    Args:
        name: of it.
        calls: all calls, with their arguments.
    """

    def __init__(self, name: str, calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]]) -> None:
        object.__setattr__(self, "_name", name)
        object.__setattr__(self, "_calls", calls)

    def __call__(self, *positional: Any, **named: Any) -> Recorder:
        self._calls.append((self._name, positional, named))
        return Recorder(f"{self._name}()", self._calls)

    def __getattr__(self, name: str) -> Recorder:
        return Recorder(f"{self._name}.{name}", self._calls)

    def __setattr__(self, name: str, value: Any) -> None:
        self._calls.append((f"{self._name}.{name} =", (value,), {}))


def test_the_script_for_paraview_opens_the_run_with_its_range_and_limits(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = paraview.write_script(run)
    text = path.read_text(encoding="utf-8")
    imported = {name.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom) for name in node.names}
    assert imported <= DOCUMENTED
    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
    simple = ModuleType("paraview.simple")
    for name in DOCUMENTED:
        setattr(simple, name, Recorder(name, calls))
    monkeypatch.setitem(sys.modules, "paraview", ModuleType("paraview"))
    monkeypatch.setitem(sys.modules, "paraview.simple", simple)
    simple.GetParaViewVersion = lambda: (5, 11)  # type: ignore[attr-defined]
    with pytest.raises(RuntimeError, match=r"ParaView 5\.12 or later is needed .*; this is \(5, 11\)"):
        exec(compile(text, str(path), "exec"), {"__name__": "__main__", "__file__": str(path)})
    assert "OpenDataFile" not in {name for name, _, _ in calls}
    calls.clear()
    simple.GetParaViewVersion = lambda: (5, 12)  # type: ignore[attr-defined]
    exec(compile(text, str(path), "exec"), {"__name__": "__main__", "__file__": str(path)})  # as ParaView runs it
    found = {name: (positional, named) for name, positional, named in calls}
    assert found["OpenDataFile"][0] == (str(run / "fields.vtkhdf"),)
    assert found["GetColorTransferFunction().RescaleTransferFunction"][0] == (-10.0, 70.0)  # time + x over the run
    assert found["Clip().ClipType.Origin ="][0] == ([0.005, 0.005, 0.005],)  # the worst point [m]
    assert found["Clip().ClipType.Normal ="][0] == ([0.0, 1.0, 0.0],)
    assert "GetAnimationScene().GoToLast" in found
    assert found["AnnotateTimeFilter"][1]["Format"] == "{time:.6g} s"


def test_a_hostile_title_stays_text_in_the_script(field_run: Runs) -> None:
    title = '"""\n\'); import os; os.abort() #\\ \u202e'
    run = field_run(divided=1, title=title)
    tree = ast.parse(paraview.write_script(run).read_text(encoding="utf-8"))
    names = [
        target.id for node in tree.body if isinstance(node, ast.Assign) for target in node.targets if isinstance(target, ast.Name)
    ]
    assert names[:2] == ["FIELD_FILE", "FIELD"]
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "abort"]
    words = next(node for node in tree.body if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "WORDS")
    assert isinstance(words.value, ast.Constant)
    assert "import os; os.abort()" in str(words.value.value)


def test_a_frame_file_reads_what_a_run_wrote(run: Path) -> None:
    with FrameFile(run / "fields.vtkhdf") as file:
        assert file.names == ("temperature", "CEM43", "warming rate")
        assert (file.moving, list(file.times)) == (("temperature",), [0.0, 30.0, 60.0])
        assert (file.nearest(14.0), file.nearest(16.0)) == (0, 1)
        assert file.values("temperature", 1) == pytest.approx(30.0 + 1e3 * file.points[:, 0], abs=1e-4)
    assert json.loads(Drawing("a", ("b",), (1,), "x", 2.0, SMALL, 5.0).as_text())["axis"] == "x"
