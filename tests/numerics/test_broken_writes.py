"""Whatever write is broken off, at whatever point: what was whole before is whole afterwards, or what was to be."""

from __future__ import annotations

import errno
import io
import json
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from nanowarm.errors import CaseError
from nanowarm.numerics import checkpoint_files, disk
from nanowarm.numerics.checkpoint_files import FOLDER, choice, fitting, read, set_aside, write
from nanowarm.numerics.disk import carry_out_journal, hdf5_file
from nanowarm.numerics.saved import Saved
from nanowarm.numerics.stack import MPI
from nanowarm.results.run_folder import hold, write_whole

TOUCHES = ("open", "os.", "shutil.", "pathlib.")  # audit events of whatever changes a disk
KILLED, REACHED_THE_END = 9, 0
DIGEST = {"version": "1", "case.toml": "a"}


class Killed:
    """Carries out some work in a forked process that ends at once, as by kill -9, at a point of it.

    Args:
        work: what is broken off.
    """

    def __init__(self, work: Callable[[], object]) -> None:
        self.work = work

    def at(self, point: int) -> bool:
        """Whether the work was broken off before it touched the disk once more than `point` times."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # fork in a process with threads: the child is short-lived
            child = os.fork()
        if child == 0:
            seen: list[str] = []

            def count(event: str, _: object) -> None:
                """End this process at the point."""
                if event.startswith(TOUCHES):
                    seen.append(event)
                    if len(seen) > point:
                        os._exit(KILLED)

            sys.addaudithook(count)
            try:
                self.work()
                os._exit(REACHED_THE_END)
            finally:
                os._exit(1)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert code in (KILLED, REACHED_THE_END)
        return code == KILLED


class Line:
    """Nodes on a line, on one rank."""

    comm = MPI.COMM_SELF

    def of(self, kind: str) -> Any:
        assert kind == "nodes"
        return np.arange(30.0).reshape(10, 3)


def write_checkpoint(run_folder: Path, value: float, digest: dict[str, str] = DIGEST) -> None:
    saved = Saved({"value": value}, {"state": np.full(10, value)})
    write(run_folder / FOLDER, saved, Line(), {"digest": digest, "time": value})  # type: ignore[arg-type]


def values_of(run_folder: Path) -> list[float]:
    """What the whole checkpoints hold, the newest first; both kinds of content agree."""
    found = [read(each, Line()) for each in choice(run_folder).whole]  # type: ignore[arg-type]
    assert all((each.nodes["state"] == each.plain["value"]).all() for each in found)
    return [each.plain["value"] for each in found]


def test_a_kill_while_a_checkpoint_is_written_loses_at_most_that_checkpoint(tmp_path: Path) -> None:
    found = []
    for point in range(1000):
        run = tmp_path / str(point)
        for value in (1.0, 2.0):
            write_checkpoint(run, value)
        killed = Killed(lambda run=run: write_checkpoint(run, 3.0)).at(point)  # type: ignore[misc]
        found.append(values_of(run))
        write_checkpoint(run, 4.0)  # and the next one finds nothing in its way
        assert values_of(run) == [4.0, found[-1][0]]
        if not killed:
            break
    assert found[-1] == [3.0, 2.0]
    assert {tuple(each) for each in found} == {(2.0, 1.0), (3.0, 2.0, 1.0), (3.0, 2.0)}
    assert len(found) > 15


def test_a_disk_that_is_full_while_a_checkpoint_is_written_leaves_those_before_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for value in (1.0, 2.0):
        write_checkpoint(tmp_path, value)

    for place, name in ((np, "savez"), (checkpoint_files, "to_disk"), (json, "dump")):
        with monkeypatch.context() as patch:
            patch.setattr(place, name, full)
            with pytest.raises(OSError, match="No space left on device"):
                write_checkpoint(tmp_path, 3.0)
        assert values_of(tmp_path) == [2.0, 1.0]
        assert sorted(path.name for path in (tmp_path / FOLDER).iterdir()) == ["000001", "000002"]


def damage(path: Path, how: str) -> None:
    """Cut a file off, empty it, or turn one bit of it around."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 16
    path.write_bytes({"truncated": bytes(content[: len(content) // 2]), "empty": b"", "flipped": bytes(content)}[how])


@pytest.mark.parametrize("how", ["truncated", "empty", "flipped"])
@pytest.mark.parametrize("name", ["part-0.npz", "state.json", "SHA256SUMS"])
def test_a_damaged_checkpoint_is_passed_over_and_no_longer_counts_as_kept(tmp_path: Path, name: str, how: str) -> None:
    for value in (1.0, 2.0):
        write_checkpoint(tmp_path, value)
    damage(tmp_path / FOLDER / "000002" / name, how)
    found, unfit = fitting(tmp_path, choice(tmp_path), DIGEST)
    assert (found.folder.name, [path.name for path in unfit], *unfit.values()) == ("000001", ["000002"], "it is damaged")
    set_aside(unfit)
    write_checkpoint(tmp_path, 3.0)
    assert values_of(tmp_path) == [3.0, 1.0]


def test_the_checkpoint_of_another_case_is_passed_over_and_several_of_them_are_refused(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, 1.0)
    write_checkpoint(tmp_path, 2.0, DIGEST | {"case.toml": "b"})
    found, unfit = fitting(tmp_path, choice(tmp_path), DIGEST)
    assert (found.folder.name, *unfit.values()) == ("000001", "case.toml is another one than when the run began")
    with pytest.raises(CaseError, match=r"can't go on: version was 1, is 2; run the case again"):
        fitting(tmp_path, choice(tmp_path), DIGEST | {"version": "2"})
    assert values_of(tmp_path) == [2.0, 1.0]


ROWS = 5000  # more than a page of an HDF5 file


def append(path: Path, value: float) -> None:
    with hdf5_file(path, "r+") as file:
        data = file["rows"]
        data.resize(data.shape[0] + ROWS, axis=0)
        data[-ROWS:] = value
        file.attrs["last"] = value


def begin(path: Path) -> None:
    with hdf5_file(path, "w") as file:
        file.create_dataset("rows", (0,), "f4", maxshape=(None,), chunks=(1024,), compression="gzip")
        file.attrs["last"] = 0.0


def rows_of(path: Path) -> list[float]:
    """The value of each frame of a file that says everywhere the same."""
    carry_out_journal(path)
    with h5py.File(path, "r") as file:
        rows = file["rows"][:].reshape(-1, ROWS)
        assert (rows == rows[:, :1]).all()
        assert file.attrs["last"] == (rows[-1, 0] if len(rows) else 0.0)
        return rows[:, 0].tolist()


def killed_appends(tmp_path: Path) -> list[tuple[Path, list[float]]]:
    """Files of two frames to which a third was being added when the process was killed, at every point."""
    found = []
    for point in range(1000):
        path = tmp_path / f"{point}.h5"
        begin(path)
        for value in (1.0, 2.0):
            append(path, value)
        killed = Killed(lambda path=path: append(path, 3.0)).at(point)  # type: ignore[misc]
        found.append((path, rows_of(path)))
        if not killed:
            break
    return found


def test_a_kill_while_a_frame_is_written_leaves_the_frames_before_or_all(tmp_path: Path) -> None:
    found = killed_appends(tmp_path)
    assert {tuple(rows) for _, rows in found} == {(1.0, 2.0), (1.0, 2.0, 3.0)}
    assert found[-1][1] == [1.0, 2.0, 3.0]
    for path, rows in found:
        append(path, 4.0)
        assert rows_of(path) == [*rows, 4.0]


def test_changes_that_were_carried_out_in_part_are_carried_out_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "fields.h5"
    begin(path)
    append(path, 1.0)
    with monkeypatch.context() as patch:
        patch.setattr(disk, "carry_out_journal", lambda path: None)
        append(path, 2.0)
    with np.load(f"{path}.journal") as saved:
        numbers = saved["numbers"].tolist()
    assert numbers
    with path.open("r+b") as file:  # as if the process had ended in the middle of a page
        file.seek(numbers[0] * disk.PAGE)
        file.write(b"half a page" * 100)
    assert rows_of(path) == [1.0, 2.0]
    assert not Path(f"{path}.journal").exists()


def full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class FullFile(io.FileIO):
    """A file on a disk without any room."""

    write = full  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("place", "name", "instead"), [(disk.io, "FileIO", FullFile), (np, "savez", full)], ids=["frame", "journal"]
)
def test_a_full_disk_leaves_the_frames_before(
    tmp_path: Path, place: Any, name: str, instead: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "fields.h5"
    begin(path)
    append(path, 1.0)
    before = path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(place, name, instead)
        with pytest.raises(OSError, match="No space left on device"):
            append(path, 2.0)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["fields.h5"]
    append(path, 3.0)
    assert rows_of(path) == [1.0, 3.0]


def test_a_file_that_could_not_be_made_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "fields.h5"
    for point in range(1000):
        if not Killed(lambda: begin(path)).at(point):
            break
        assert not path.exists()
    assert rows_of(path) == []


def test_a_text_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    write_whole(path, "before")
    found = []
    for point in range(100):
        killed = Killed(lambda: write_whole(path, "behind" * 10000)).at(point)
        found.append(path.read_text(encoding="utf-8"))
        if not killed:
            break
        write_whole(path, "before")
    assert set(found) == {"before", "behind" * 10000}


def test_a_run_folder_that_a_run_works_in_is_refused(tmp_path: Path) -> None:
    number = hold(tmp_path)
    with pytest.raises(CaseError, match=f"{tmp_path}: this run is going on; wait for its end"):
        hold(tmp_path)
    os.close(number)
    os.close(hold(tmp_path))
