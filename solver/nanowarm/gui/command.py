"""The command `nanowarm gui`."""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path
from typing import Annotated

import typer

from nanowarm.errors import CaseError

LAST_WORDS = 1  # [s] that open connections have at the end
CHECKPOINT_TIME = 60.0  # [s] that runs have at the end to write a checkpoint


def gui(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="folder with cases", show_default=False)] = Path(),
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="port on this machine; 0: any that is free")] = 0,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="only print the address")] = False,
) -> None:
    """Edit cases with live checks, run them and see their reports, on a page that only this machine can open."""
    if not folder.is_dir():
        raise CaseError(f"{folder}: no such folder; make it first")
    listening = _listening(port)
    import uvicorn

    from nanowarm.gui.security import Address
    from nanowarm.gui.server import Page, application

    address, page = Address(listening.getsockname()[1]), Page(folder)
    program = application(page, address)
    config = uvicorn.Config(
        program, log_level="error", access_log=False, server_header=False, timeout_graceful_shutdown=LAST_WORDS, ws="none"
    )
    print(f"open {address.url}\nCtrl-C ends it", flush=True)
    if not no_browser and _has_display():
        import webbrowser

        webbrowser.open(address.url)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        uvicorn.Server(config).run(sockets=[listening])
    except KeyboardInterrupt:
        pass
    finally:
        for run in page.jobs.stop(CHECKPOINT_TIME):
            print(f"stopped; to go on: nanowarm resume {folder / run}")


def _listening(port: int) -> socket.socket:
    """A socket that only this machine can reach.

    Raises:
        CaseError: somebody else listens there.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
        listening.listen()
    except OSError as error:
        listening.close()
        raise CaseError(f"--port {port}: can't be listened at: {error.strerror}; choose another, or leave it out") from None
    return listening


def _has_display() -> bool:
    """Whether there is a screen to open a browser on."""
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
