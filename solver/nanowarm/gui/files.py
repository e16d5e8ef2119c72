"""Case files on disk: read, and written whole or not at all."""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from pathlib import Path

from nanowarm.gui.security import RefusedError

LARGEST = 1_000_000  # bytes of a case that is edited on a page
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def fingerprint(content: bytes) -> str:
    """What tells one content of a file from another."""
    return hashlib.sha256(content).hexdigest()


def read(file: Path) -> bytes:
    """Content of a case file, of bounded size.

    Raises:
        RefusedError: it is gone, too large or not to be read.
    """
    try:
        if not file.is_file():
            raise RefusedError(404 if not file.exists() else 403, "there is no such file any more")
        with file.open("rb") as opened:
            content = opened.read(LARGEST + 1)
    except OSError as error:
        raise RefusedError(403, f"can't be read: {error.strerror}") from None
    if len(content) > LARGEST:
        raise RefusedError(413, f"too large for the page: at most {LARGEST // 1_000_000} MB")
    return content


def text_of(content: bytes) -> str:
    """Text of a file with line ends as a page has them.

    Raises:
        RefusedError: it is not in UTF-8.
    """
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise RefusedError(422, f"not text in UTF-8 (byte {error.start}); convert the file first") from None


def encoded(text: str, before: bytes = b"") -> bytes:
    """A text as bytes, with the line ends and the byte order mark that the file had before.

    Raises:
        RefusedError: it is too large, or not text.
    """
    try:
        content = text.replace("\r\n", "\n").encode()
    except UnicodeEncodeError:
        raise RefusedError(422, "not saved: the text holds half a character (a lone surrogate)") from None
    if len(content) > LARGEST:
        raise RefusedError(413, f"not saved: too large: at most {LARGEST // 1_000_000} MB")
    content = content.replace(b"\n", b"\r\n") if b"\r\n" in before else content
    return _BYTE_ORDER_MARK + content if before.startswith(_BYTE_ORDER_MARK) else content


def _written_beside(file: Path, content: bytes) -> Path:
    """A new file in the same folder with the content on disk, to be moved into place whole."""
    beside = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    with beside.open("xb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    return beside


def replace(file: Path, content: bytes) -> None:
    """Put a new content in the place of the old one; a full disk leaves the old one.

    Raises:
        RefusedError: it can't be written.
    """
    beside = file
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
        if not os.access(file, os.W_OK):
            raise RefusedError(403, "not saved: the file is read-only")
        beside = _written_beside(file, content)
        beside.chmod(mode)
        beside.replace(file)
    except OSError as error:
        if beside != file:
            beside.unlink(missing_ok=True)
        raise RefusedError(507, f"not saved: {error.strerror}") from None


def create(file: Path, content: bytes) -> None:
    """Make a file that does not exist yet, whole or not at all.

    Raises:
        RefusedError: with 409 if there is one of that name.
    """
    if not file.parent.is_dir():
        raise RefusedError(422, "not saved: there is no such folder; make it first")
    try:
        file.touch(exist_ok=False)  # the name is ours from here on
    except FileExistsError:
        raise RefusedError(409, "not saved: there is a file of that name already") from None
    except OSError as error:
        raise RefusedError(507, f"not saved: {error.strerror}") from None
    try:
        replace(file, content)
    except RefusedError:
        file.unlink(missing_ok=True)
        raise
