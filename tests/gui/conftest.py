"""A server on a folder of its own, asked over real HTTP, and a browser that hears of nothing else."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from nanowarm.shipped import copy_case

CHROMIUM = Path("/usr/bin/chromium")


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def content(self) -> Any:
        return json.loads(self.text)

    @property
    def reason(self) -> str:
        return str(self.content["error"])


class Server:
    """`nanowarm gui` in a process of its own."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        command = [sys.executable, "-m", "nanowarm.cli", "gui", str(folder), "--no-browser", *options]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
        assert self.process.stdout is not None
        self.said = self.process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)/\?token=([\w-]+)", self.said)
        assert found, self.said
        self.url, self.port, self.token = found[0], int(found[1]), found[2]

    def ask(self, path: str, body: Any = None, **headers: str | None) -> Answer:
        """Ask as the page would, but for the headers given; those that are None are left out."""
        given: dict[str, str | None] = {"Host": f"127.0.0.1:{self.port}", "Authorization": f"Bearer {self.token}"}
        if body is not None:
            given |= {"Origin": f"http://127.0.0.1:{self.port}", "Content-Type": "application/json"}
        given |= {key.replace("_", "-"): value for key, value in headers.items()}
        sent = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        return self.send("GET" if body is None else "POST", path, sent, {k: v for k, v in given.items() if v is not None})

    def send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        """One request as it is."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.putrequest(method, path, skip_host=True)
            for key, value in headers.items():
                connection.putheader(key, value)
            if body is not None and "Content-Length" not in headers:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read().decode())
        finally:
            connection.close()

    def events(self, job: int) -> Generator[dict[str, Any]]:
        """What a program says, until it ends; its end comes last."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.request("GET", f"/api/jobs/{job}", headers={"Authorization": f"Bearer {self.token}"})
        with contextlib.closing(connection), connection.getresponse() as answer:
            for line in iter(answer.readline, b""):
                if line.startswith(b"data: "):
                    yield json.loads(line[6:])

    def end(self) -> tuple[int, str]:
        """Ctrl-C; the exit code, and what it said."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        assert self.process.stdout is not None
        said = self.process.stdout.read()
        self.process.stdout.close()
        return self.process.wait(120), said


def coarse(folder: Path, name: str = "vial", size: str = "3 mm") -> Path:
    """A copy of the small vial with a mesh that takes a second."""
    file = copy_case(str(folder / name), "vial-1mL")
    file.write_text(file.read_text(encoding="utf-8").replace('"0.8 mm"', f'"{size}"'), encoding="utf-8")
    return file


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("page")
    coarse(folder)
    started = Server(folder)
    yield started
    code, said = started.end()
    assert (code, said.splitlines()) == (0, ["Ctrl-C ends it"])


@pytest.fixture(scope="module")
def browser(playwright: Any) -> Iterator[Any]:
    """A real browser without a window."""
    if not CHROMIUM.exists():
        pytest.skip(f"the browser tests need {CHROMIUM}")
    started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
    yield started
    started.close()


@pytest.fixture
def page(server: Server, browser: Any) -> Iterator[Any]:
    """A page of its own; errors on its console and requests elsewhere fail the test."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    opened = context.new_page()
    wrong: list[str] = []

    def hear(message: Any) -> None:
        """Keep what is wrong; that the server refuses to overwrite a file is not."""
        if message.type in ("error", "warning") and "status of 409" not in message.text:
            wrong.append(message.text)

    context.on("console", hear)
    context.on("weberror", lambda error: wrong.append(str(error.error)))
    here = (f"http://127.0.0.1:{server.port}/", "data:")
    context.on("request", lambda request: None if request.url.startswith(here) else wrong.append(request.url))
    opened.goto(server.url)
    opened.wait_for_selector("#cases button")
    yield opened
    context.close()
    assert wrong == []


@pytest.fixture(scope="session")
def server_class() -> type[Server]:
    return Server


@pytest.fixture(scope="session")
def program() -> list[str]:
    return [sys.executable, "-m", "nanowarm.cli", "gui", "--no-browser"]
