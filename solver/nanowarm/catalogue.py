"""The library as a table: values, units, quality, spread, source."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from nanowarm.errors import CaseError
from nanowarm.model import nearest
from nanowarm.physics.materials import Material, Sourced
from nanowarm.physics.particles import Particle
from nanowarm.provenance import value_as_text
from nanowarm.shelf import library_files, load_record


def print_list() -> None:
    """Print the names of all materials and particles."""
    print(f"materials: {', '.join(sorted(library_files('material')))}")
    print(f"particles: {', '.join(sorted(library_files('particle')))}")


def print_record(name: str) -> None:
    """Print every value of a material or particle.

    Raises:
        CaseError: there is none of that name.
    """
    materials, particles = library_files("material"), library_files("particle")
    if name not in materials and name not in particles:
        raise CaseError(f'no material or particle "{name}"; {nearest(name, [*materials, *particles])}')
    record: Material | Particle
    record = load_record(materials[name], Material) if name in materials else load_record(particles[name], Particle)
    table = Table("value", "", "quality", "spread", "source", title=name, title_justify="left")
    for key in type(record).model_fields:
        value = getattr(record, key)
        if isinstance(value, Sourced):
            text = value_as_text(value.model_dump(mode="json", exclude_none=True))
            cells = (key.replace("_", " "), text, value.quality, value.spread or "", value.source)
            table.add_row(*map(Text, cells))  # not markup: brackets in a source are text
    Console().print(table)
    if record.note:
        print(record.note)
