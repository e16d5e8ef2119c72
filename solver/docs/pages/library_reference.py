"""The library as tables: values, quality, spread, source."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nanowarm.physics.coils import coil_files
from nanowarm.physics.damage import damage_files
from nanowarm.provenance import value_as_text
from nanowarm.shelf import library_files, read_toml
from pages.citations import linked
from pages.markup import code, plain, table

_HEADS = ("value", "is", "quality", "spread", "source")


def materials() -> str:
    """Cryoprotectants, tissues and containers."""
    return _pages(library_files("material"))


def particles() -> str:
    """Particles with their specific power."""
    return _pages(library_files("particle"))


def coils() -> str:
    """Coils."""
    return _pages(coil_files())


def damage_sets() -> str:
    """Sets of Arrhenius parameters."""
    return _pages(damage_files())


def _pages(files: Mapping[str, Path]) -> str:
    """Every record under a heading of its own."""
    return "\n".join(_record(name, read_toml(files[name])) for name in sorted(files, key=str.lower))


def _record(name: str, content: Mapping[str, Any]) -> str:
    """A record: what it is, its values, and what is to be said of them."""
    values = {key: value for key, value in content.items() if isinstance(value, Mapping) and "source" in value}
    rows = [_row(key, value) for key, value in values.items()]
    told = [linked(content[key]) for key in ("note", "warning") if key in content]
    notes = [f"- *{plain(key.replace('_', ' '))}*: {linked(value['note'])}" for key, value in values.items() if "note" in value]
    folded = ["```{admonition} What is known of these values\n:collapsible: closed\n", *notes, "```"] if notes else []
    return "\n\n".join([f"## {plain(name)}", *told, table(_HEADS, rows)]) + "\n" + "\n".join(folded) + "\n"


def _row(key: str, value: Mapping[str, Any]) -> list[str]:
    """A value in the cells of its table."""
    said = [plain(value_as_text(value)), plain(value["quality"]), plain(str(value.get("spread", ""))), linked(value["source"])]
    return [code(key), *said]
