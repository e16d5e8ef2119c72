"""A file that HDF5 can be trusted with on a full disk.

HDF5 ends the process when a write fails while it closes a file. Here failed writes are kept until the caller asks.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nanowarm.numerics.stack import h5py


class PatientFile(io.RawIOBase):
    """A file whose failed writes seem to succeed; the first failure is kept as `fault`.

    Args:
        path: the file.
        mode: "w+" for a new file, "r+" for one that exists.
    """

    def __init__(self, path: Path, mode: str) -> None:
        super().__init__()
        self._file = io.FileIO(path, mode)
        self.fault: OSError | None = None

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
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """The position."""
        return self._file.tell()

    def readinto(self, buffer: Any) -> int:
        """Read; what a failed write left out is zero."""
        count = self._file.readinto(buffer) or 0
        if self.fault is not None and count < len(buffer):
            buffer[count:] = bytes(len(buffer) - count)
            return len(buffer)
        return count

    def write(self, data: Any) -> int:
        """Write all of it, or keep the failure."""
        view, done = memoryview(data).cast("B"), 0
        try:
            while done < len(view):
                done += self._file.write(view[done:])
        except OSError as error:
            self.fault = self.fault or error
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        """Cut or extend the file, or keep the failure."""
        try:
            return self._file.truncate(size)
        except OSError as error:
            self.fault = self.fault or error
        return size or 0

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


@contextmanager
def hdf5_file(path: Path, mode: str) -> Iterator[h5py.File]:
    """An HDF5 file for writing: "w" for a new one, "r+" for one that exists.

    Raises:
        OSError: something could not be written, told after the file is closed.
    """
    with PatientFile(path, "w+" if mode == "w" else "r+") as under:
        with h5py.File(under, mode) as file:
            yield file
        if under.fault is not None:
            raise under.fault
