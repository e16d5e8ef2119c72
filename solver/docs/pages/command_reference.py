"""The commands, as their own help tells them."""

from __future__ import annotations

import re

import typer
from typer.cli import get_docs_for_click

from nanowarm.cli import app


def page() -> str:
    """Every command with its arguments and options."""
    command = typer.main.get_command(app)
    text = get_docs_for_click(obj=command, ctx=typer.Context(command), name="nanowarm")
    body = text[text.index("## `nanowarm") :]
    return re.sub(r"^\* `--help`.*\n", "", body, flags=re.MULTILINE).replace("**Options**:\n\n\n", "")
