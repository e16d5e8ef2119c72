"""A script that opens a run in ParaView with good defaults.

It uses only functions of `paraview.simple` that ParaView documents for 5.12 and later
(https://www.paraview.org/paraview-docs/v5.12.0/python/paraview.simple.html). We have not run it in ParaView.
"""

from __future__ import annotations

import itertools
from importlib import resources
from pathlib import Path

import numpy as np

from nanowarm.errors import CaseError, SolveError
from nanowarm.plain_text import one_line
from nanowarm.results.field_series import FrameFile
from nanowarm.results.limits import limited_by, limits
from nanowarm.results.render import MILLIMETRES, check_run_folder, opened, record_of, summary_of
from nanowarm.results.view_fields import levels, look, worst_points

NAME = "open-in-paraview"
LONGEST = 120  # characters of a title


def write_script(folder: Path, output: Path | None = None) -> Path:
    """Write the script of a run; its path.

    Args:
        folder: of the run, finished or not.
        output: the file to make; `open-in-paraview.py` in the folder, or the first free number, where left out.

    Raises:
        CaseError: the run has no fields, or the file exists.
        SolveError: it can't be written.
    """
    check_run_folder(folder)
    target = output or _free(folder)
    with opened(folder) as file:
        text = script(folder, file)
    try:
        with target.open("x", encoding="utf-8") as written:
            written.write(text)
    except FileExistsError:
        raise CaseError(f"{target}: exists already and is never overwritten; choose another file with -o") from None
    except OSError as error:
        raise SolveError(f"{target}: can't be written: {error.strerror}") from None
    return target


def _free(folder: Path) -> Path:
    """The first free name of a script in a folder."""
    later = (folder / f"{NAME}-{number}.py" for number in itertools.count(2))
    return next(path for path in itertools.chain([folder / f"{NAME}.py"], later) if not path.exists())


def script(folder: Path, file: FrameFile) -> str:
    """The text of the script.

    Args:
        folder: of the run.
        file: its fields.
    """
    summary, record = summary_of(folder), record_of(folder)
    field = file.names[0]
    low, high = _range(file, field)
    where = next((point["where"] for point in worst_points(summary, file.names)), None)
    middle = (file.points.min(axis=0) + file.points.max(axis=0)) / 2.0
    limit = limited_by(limits(summary["criteria"])) if summary["criteria"] else "the run is not finished"
    verdict = f"{summary['verdict']}; " if summary["verdict"] else ""
    values = {
        "FIELD_FILE": str((folder / "fields.vtkhdf").absolute()),
        "FIELD": field,
        "ON": "CELLS" if field in file.cellwise else "POINTS",
        "UNIT": look(field).unit,
        "RANGE": (low, high),
        "MARKS": [mark["value"] for mark in levels(field, summary, record) if low < mark["value"] < high],
        "ORIGIN": tuple(float(x) for x in (middle if where is None else np.array(where) / MILLIMETRES)),
        "NORMAL": tuple(float(axis == int(np.ptp(file.points, axis=0).argmin())) for axis in range(3)),
        "WORDS": f"{one_line(str(summary['title'] or folder.name), LONGEST)}\n{one_line(verdict + limit, LONGEST)}",
    }
    head = "".join(f"{name} = {value!a}\n" for name, value in values.items())
    body = resources.files("nanowarm.results").joinpath("paraview_script.txt").read_text(encoding="utf-8")
    return body.replace("# VALUES\n", head, 1)


def _range(file: FrameFile, field: str) -> tuple[float, float]:
    """Least and largest value of a field over all frames, never the same."""
    low, high = np.inf, -np.inf
    for number in range(len(file.times)) if field in file.moving else (0,):
        values = file.values(field, number)
        values = values[np.isfinite(values)]
        low, high = min(low, values.min(initial=np.inf)), max(high, values.max(initial=-np.inf))
    if low > high:
        return 0.0, 1.0
    return float(low), float(high if high > low else low + 1e-6 * max(abs(low), 1.0))
