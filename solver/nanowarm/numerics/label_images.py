"""Label images to arrays: one region for each label."""

from __future__ import annotations

from nanowarm.numerics.journal import Arrays, Journal, Request, UnusableError


def arrays(request: Request, journal: Journal) -> Arrays:
    """Arrays of the labelled regions of an image."""
    raise UnusableError("label images are not read yet")
