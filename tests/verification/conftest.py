"""Exact solutions that several verifications compare with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from nanowarm.verification.series import theta as series


@pytest.fixture(scope="session")
def theta() -> Callable[..., Any]:
    return series
