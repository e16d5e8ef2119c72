"""The page of `nanowarm gui` on a scratch folder: a case with a fault, and a run that goes on."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nanowarm.shipped import copy_case
from screens.browser import Camera

LINES = 6  # that a run has said when it is shown
WAIT = 240_000.0  # [ms] for a mesh and the first curves of a run


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    """The address of a server on a folder, which ends with the context.

    Args:
        folder: with cases.

    Raises:
        RuntimeError: the server says no address.
    """
    command = [sys.executable, "-m", "nanowarm.cli", "gui", str(folder), "--no-browser"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        said = process.stdout.readline() if process.stdout else ""
        found = re.search(r"http://\S+", said)
        if found is None:
            raise RuntimeError(f"nanowarm gui says no address: {said!r}")
        yield found[0]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def _opened(camera: Camera, address: str, case: str) -> Any:
    """The page with a case.

    Args:
        camera: whose browser shows it.
        address: of the server.
        case: path of its file as the page shows it.
    """
    page = camera.open(address, 1000, 740)
    page.locator("#cases button").filter(has_text=case).first.click()
    page.wait_for_selector("#status.good")
    page.evaluate("document.getElementById('folder').textContent = 'my-cases'")  # not the scratch folder
    return page


def gui_pictures(camera: Camera, scratch: Path) -> None:
    """Write the pictures of the page.

    Args:
        camera: to be used.
        scratch: for a folder of cases.
    """
    folder = scratch / "my-cases"
    folder.mkdir()
    for name, case in (("my-kidney", "rat-kidney"), ("my-vial", "vial-crack")):
        file = copy_case(str(folder / name), case)
        file.write_text(file.read_text(encoding="utf-8").replace('size = "4 mm"', 'size = "2.5 mm"'), encoding="utf-8")  # slower
    with _server(folder) as address:
        page = _opened(camera, address, "my-kidney")
        page.click("#tab-text")
        text = page.input_value("#text")
        page.fill("#text", text.replace('"63 kA/m"', '"63"').replace('at_most = "38 degC"', 'at_most = "38 mm"'))
        page.wait_for_selector("#status.bad")
        page.locator("#faults button").first.click()  # leads to the line
        page.evaluate("scrollTo(0, 0)")
        camera.take("gui-fault", page)
        page.close(run_before_unload=False)
        page = _opened(camera, address, "my-vial")
        page.click("#run")
        page.locator("#watch .chart").wait_for(timeout=WAIT)
        page.locator(".lines span").nth(LINES).wait_for(timeout=WAIT)
        camera.take("gui-running", page)
        page.get_by_role("button", name="Stop and keep").click()
        page.get_by_text("What was computed is kept").wait_for(timeout=WAIT)
    shutil.rmtree(folder)
