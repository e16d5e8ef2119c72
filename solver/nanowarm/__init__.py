"""Finite-element simulation of magnetic-nanoparticle heating of tissue.

The names below are imported when first used, so that the command line starts at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nanowarm.case import Case, load_case
    from nanowarm.pipeline import Listener, resume, run
    from nanowarm.results.run_folder import Run, open_run
    from nanowarm.screening import Screening, screen

__all__ = ["Case", "Listener", "Run", "Screening", "load_case", "open_run", "resume", "run", "screen"]

_HOMES = {
    "Case": "nanowarm.case",
    "load_case": "nanowarm.case",
    "Listener": "nanowarm.pipeline",
    "run": "nanowarm.pipeline",
    "resume": "nanowarm.pipeline",
    "Run": "nanowarm.results.run_folder",
    "open_run": "nanowarm.results.run_folder",
    "Screening": "nanowarm.screening",
    "screen": "nanowarm.screening",
}


def __getattr__(name: str) -> Any:
    """A public name, from the module that defines it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'nanowarm' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
