"""An HDF5 file that a killed process or a full disk leaves as it was before, or as it is to be.

HDF5 writes in place, and ends the process when a write fails while it closes a file. Here what lies beyond the old end is
written at once, which the old content does not notice. Changes of the old content are kept in memory, written to a journal
beside the file, and only then carried out; a journal that is found is carried out first.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from nanowarm.numerics.stack import h5py

PAGE = 4096  # [byte] of the old content that are kept together


class PatientFile(io.RawIOBase):
    """A file whose old content stays until `commit`, and whose failed writes seem to succeed until then.

    Args:
        path: the file, which exists.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = io.FileIO(path, "r+")
        self._old = self._end = os.fstat(self._file.fileno()).st_size  # [byte]
        self._pages: dict[int, bytearray] = {}  # of the old content, changed
        self._at = 0
        self._path = path
        self._fault: OSError | None = None

    def readable(self) -> bool:
        """It can be read."""
        return True

    def writable(self) -> bool:
        """It can be written."""
        return True

    def seekable(self) -> bool:
        """It has a position."""
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to a position."""
        self._at = offset + (0, self._at, self._end)[whence]
        return self._at

    def tell(self) -> int:
        """The position."""
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Read what it is to be; what a failed write left out is zero."""
        view = memoryview(buffer).cast("B")
        count = max(0, min(len(view), self._end - self._at))
        self._file.seek(self._at)
        got = self._file.readinto(view[:count]) or 0
        view[got:count] = bytes(count - got)
        for number in self._touched(count):
            start = max(self._at, number * PAGE)
            end = min(self._at + count, self._old, (number + 1) * PAGE)
            if number in self._pages:
                view[start - self._at : end - self._at] = self._pages[number][start - number * PAGE : end - number * PAGE]
        self._at += count
        return count

    def write(self, data: Any) -> int:
        """Write all of it, or keep the failure."""
        view = memoryview(data).cast("B")
        for number in self._touched(len(view)):
            start = max(self._at, number * PAGE)
            end = min(self._at + len(view), self._old, (number + 1) * PAGE)
            self._page(number)[start - number * PAGE : end - number * PAGE] = view[start - self._at : end - self._at]
        beyond = view[max(0, min(len(view), self._old - self._at)) :]
        with self._kept():
            self._file.seek(self._at + len(view) - len(beyond))
            while beyond:
                beyond = beyond[self._file.write(beyond) :]
        self._at += len(view)
        self._end = max(self._end, self._at)
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        """Cut or extend the file, or keep the failure."""
        self._end = self._at if size is None else size
        with self._kept():
            self._file.truncate(max(self._end, self._old))
        return self._end

    def commit(self) -> None:
        """Let what was written be the content.

        Raises:
            OSError: something could not be written; the content is the old one.
        """
        with self._kept():
            if self._fault is None and (self._pages or self._end < self._old):
                _write_journal(self._path, self._old, self._end, self._pages)
        if self._fault is not None:
            with suppress(OSError):
                self._file.truncate(self._old)
            raise self._fault
        carry_out_journal(self._path)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()

    def _touched(self, count: int) -> range:
        """Pages of the old content in the next bytes."""
        end = min(self._at + count, self._old)
        return range(self._at // PAGE, -(-end // PAGE)) if end > self._at else range(0)

    def _page(self, number: int) -> bytearray:
        """A page of the old content, to be changed."""
        if number not in self._pages:
            self._file.seek(number * PAGE)
            self._pages[number] = bytearray(self._file.read(PAGE).ljust(PAGE, b"\0"))
        return self._pages[number]

    @contextmanager
    def _kept(self) -> Iterator[None]:
        """The first failure is kept."""
        try:
            yield
        except OSError as error:
            self._fault = self._fault or error


def _journal(path: Path) -> Path:
    """Where changes of a file are written down that are not carried out yet."""
    return path.with_name(f"{path.name}.journal")


def _write_journal(path: Path, old: int, end: int, pages: dict[int, bytearray]) -> None:
    """Write down changed pages of the old content, and where the file is to end [byte]."""
    journal, content = _journal(path), np.frombuffer(b"".join(pages.values()), dtype=np.uint8).reshape(-1, PAGE)
    unfinished = journal.with_name(f"{journal.name}.part")
    try:
        with unfinished.open("wb") as file:
            np.savez(file, numbers=np.array(list(pages), dtype=np.int64), pages=content, ends=np.array([old, end]))
        unfinished.replace(journal)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise


def carry_out_journal(path: Path) -> None:
    """Carry out what the journal of a file says, if it has one."""
    journal = _journal(path)
    if not journal.exists():
        return
    with np.load(journal, allow_pickle=False) as saved, path.open("r+b") as file:
        old, end = saved["ends"].tolist()
        for number, page in zip(saved["numbers"].tolist(), saved["pages"], strict=True):
            file.seek(number * PAGE)
            file.write(page.tobytes()[: old - number * PAGE])
        if end < old:
            file.truncate(end)
    journal.unlink()


@contextmanager
def hdf5_file(path: Path, mode: str) -> Iterator[h5py.File]:
    """An HDF5 file for writing: "w" for a new one, "r+" for one that exists; it changes at the end, all at once.

    Raises:
        OSError: something could not be written, told after the file is closed; it is as it was before.
    """
    target = path
    if mode == "w":
        target = path.with_name(f"{path.name}.part")
        target.write_bytes(b"")
        _journal(path).unlink(missing_ok=True)
    else:
        carry_out_journal(path)
    try:
        with PatientFile(target) as under:
            with h5py.File(under, mode) as file:
                yield file
            under.commit()
    except BaseException:
        if mode == "w":
            target.unlink(missing_ok=True)
        raise
    target.replace(path)


def to_disk(path: Path) -> None:
    """Wait until a file, or the names in a folder, outlive a loss of power."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
