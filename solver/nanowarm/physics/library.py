"""Records of the library that physics itself looks up, by name or as a user's own file: coils and damage sets."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path

from pydantic import ValidationError

from nanowarm.model import Model, faults, frozen_copy, nearest


def record_files(folder: str) -> dict[str, Path]:
    """Files of a folder of the library by name."""
    place = Path(str(resources.files("nanowarm"))) / "library" / folder
    return {file.stem: file for file in sorted(place.glob("*.toml"))}


def record_file(what: str, library: dict[str, Path], name: str, folder: Path) -> Path:
    """File of a record, by library name or by a path that counts from a folder.

    Args:
        what: it is called in messages.
        library: files by name.
        name: of the record, or a path.
        folder: from which a relative path counts.

    Raises:
        ValueError: there is none.
    """
    file = (folder / name).resolve() if "/" in name or name.endswith(".toml") else library.get(name)
    if file is None or not file.is_file():
        raise ValueError(f'no {what} "{name}"; {nearest(name, library)}; or the path of your own .toml file')
    return file


def load_record[Record: Model](file: Path, record: type[Record], group: str, what: str) -> Record:
    """The record that a file describes.

    Args:
        file: a TOML file.
        record: what it must be.
        group: the `class` that the file must have, if it has one.
        what: it is called in messages.

    Raises:
        ValueError: with every fault of the file.
    """
    try:
        raw = frozen_copy(tomllib.loads(file.read_text(encoding="utf-8-sig")))
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{file}: can't be read: {error}") from None
    if raw.get("class", group) != group:
        raise ValueError(f'{file} is of class "{raw["class"]}"; a {what} is needed here')
    try:
        return record.model_validate(raw)
    except ValidationError as error:
        raise ValueError("; ".join(faults(error, record, str(file), raw))) from None
