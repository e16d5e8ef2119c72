"""The texts of the documentation and the commands of the program."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from nanowarm.cli import app

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "solver" / "docs"
_BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_TYPED = ("", "console", "sh", "bash")  # languages of blocks that hold what a reader types


@pytest.fixture
def own_modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Makes the modules of the documentation importable for the time of a test."""
    monkeypatch.syspath_prepend(str(DOCS))
    before = set(sys.modules)
    yield DOCS
    for name in set(sys.modules) - before:
        if name.split(".")[0] in ("pages", "experiments", "screens", "make_book", "make_screenshots"):
            del sys.modules[name]


@pytest.fixture(scope="session")
def texts() -> dict[str, str]:
    """Every page as written, and the README, by path."""
    files = [*DOCS.rglob("*.md"), ROOT / "README.md"]
    return {str(file.relative_to(ROOT)): file.read_text(encoding="utf-8") for file in files}


@pytest.fixture(scope="session")
def command_lines(texts: dict[str, str]) -> list[tuple[str, str]]:
    """Every line that a reader is told to type and that calls nanowarm, with its page."""
    found = []
    for page, text in texts.items():
        for block in (body for language, body in _BLOCK.findall(text) if language in _TYPED):
            lines = (line.removeprefix("$ ").split(" #")[0].strip() for line in block.replace("\\\n", " ").splitlines())
            found += [(page, line) for line in lines if line.startswith("nanowarm ")]
    return found


@pytest.fixture(scope="session")
def commands() -> dict[str, Any]:
    """The commands of the program by name."""
    command: Any = typer.main.get_command(app)
    return dict(command.commands)
