"""Pages in a real browser, headless: a test fails where the page complains or asks for anything from outside."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

BROWSER = os.environ.get("NANOWARM_BROWSER") or shutil.which("chromium") or shutil.which("google-chrome")
DRAWN_BY_THE_PROCESSOR = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
OWN = ("file:", "data:", "blob:")
Open = Callable[..., Any]


@pytest.fixture(scope="module")
def launch(playwright: Any) -> Iterator[Callable[..., Any]]:
    """Starts the browser with some flags more, once for the same flags."""
    if BROWSER is None:
        pytest.skip("there is no Chromium on this machine; NANOWARM_BROWSER may name one")
    started: dict[tuple[str, ...], Any] = {}

    def start(*flags: str) -> Any:
        if flags not in started:
            every = [*DRAWN_BY_THE_PROCESSOR, "--no-sandbox", *flags]
            started[flags] = playwright.chromium.launch(executable_path=BROWSER, args=every)
        return started[flags]

    yield start
    for browser in started.values():
        browser.close()


@pytest.fixture(scope="session")
def faults() -> list[str]:
    """What pages have complained of, and what they have asked for from outside."""
    return []


@pytest.fixture(autouse=True)
def _quiet(faults: list[str]) -> Iterator[None]:
    """Fail the test in whose time a page complained."""
    yield
    found = list(faults)
    faults.clear()
    assert not found, found


@pytest.fixture(scope="module")
def open_page(launch: Callable[..., Any], faults: list[str]) -> Open:
    """Opens a file; `flags` are the browser's, `context` what playwright's new contexts take, as `viewport`."""

    def open_file(path: Path, *flags: str, **context: Any) -> Any:
        page = launch(*flags).new_context(**{"viewport": {"width": 900, "height": 700}} | context).new_page()
        page.on("console", lambda said: faults.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda asked: None if asked.url.startswith(OWN) else faults.append(f"asks for {asked.url}"))
        page.goto(path.absolute().as_uri())
        return page

    return open_file
