"""The library as a table: values, units, quality, spread, source."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from nanowarm.errors import CaseError
from nanowarm.model import nearest
from nanowarm.physics.coils import coil_files
from nanowarm.physics.damage import damage_files
from nanowarm.provenance import value_as_text
from nanowarm.shelf import library_files, read_toml


def print_list() -> None:
    """Print the names of all materials, particles, coils and damage sets."""
    print(f"materials: {', '.join(sorted(library_files('material')))}")
    print(f"particles: {', '.join(sorted(library_files('particle')))}")
    print(f"coils: {', '.join(sorted(coil_files()))}")
    print(f"damage: {', '.join(sorted(damage_files()))}")


def print_record(name: str) -> None:
    """Print every value of a material, particle, coil or damage set, as its file gives it.

    Raises:
        CaseError: there is none of that name.
    """
    files = library_files("material") | library_files("particle") | coil_files() | damage_files()
    if name not in files:
        raise CaseError(f'no material, particle, coil or damage set "{name}"; {nearest(name, files)}')
    content = read_toml(files[name])  # in the file's own units
    table = Table("value", "", "quality", "spread", "source", title=name, title_justify="left")
    for key, value in content.items():
        if isinstance(value, dict) and "source" in value:
            cells = (key.replace("_", " "), value_as_text(value), value["quality"], value.get("spread", ""), value["source"])
            table.add_row(*map(Text, cells))  # not markup: brackets in a source are text
    Console().print(table)
    for key in ("note", "warning"):
        if key in content:
            print(content[key] if key == "note" else f"warning: {content[key]}")
