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
    from nanowarm.studies.study_results import Study, open_study, study

__all__ = [
    "Case",
    "Listener",
    "Run",
    "Screening",
    "Study",
    "load_case",
    "open_run",
    "open_study",
    "resume",
    "run",
    "screen",
    "study",
]

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
    "Study": "nanowarm.studies.study_results",
    "open_study": "nanowarm.studies.study_results",
    "study": "nanowarm.studies.study_results",
}


def __getattr__(name: str) -> Any:
    """A public name, from the module that defines it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'nanowarm' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
