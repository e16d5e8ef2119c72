"""What the local page can ask for, and the answers."""

from __future__ import annotations

import asyncio
import json
import os
import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from nanowarm.errors import NanowarmError
from nanowarm.gui.cases import Folder
from nanowarm.gui.checks import findings
from nanowarm.gui.edits import Action, edited
from nanowarm.gui.results import listed_run, result, run_folder, served_file
from nanowarm.gui.runs import Job, Jobs, Kind
from nanowarm.gui.security import REPORT_HEADERS, Address, Guard, RefusedError
from nanowarm.model import Model, faults
from nanowarm.physics.coils import coil_files
from nanowarm.physics.damage import damage_files
from nanowarm.sections import CaseInput
from nanowarm.shelf import library_files
from nanowarm.shipped import shipped_cases

PAGE = {
    "page.html": "text/html",
    "page.css": "text/css",
    "icon.svg": "image/svg+xml",
    **{f"{name}.js": "text/javascript" for name in ("page", "server", "editor", "form", "fields", "watch", "chart", "elements")},
}
LOOK_EVERY = 0.2  # [s] between looks at what a program has said
SIGN_OF_LIFE = 15.0  # [s] between signs that the connection stands

Answer = Callable[[Request], Awaitable[Response]]
Text = Annotated[str, Field(max_length=2_000_000)]
Name = Annotated[str, Field(max_length=1000)]


class CheckAsked(Model):
    """A text to be checked, and where it is or will be."""

    path: Name
    text: Text


class EditAsked(Model):
    """One value of a text to be changed."""

    text: Text
    path: tuple[Annotated[int, Field(ge=0)] | Name, ...]
    action: Action
    value: Any = None


class SaveAsked(Model):
    """A text to be saved; `seen` is empty for a file that does not exist yet."""

    path: Name
    text: Text
    seen: Name = ""


class NewAsked(Model):
    """A shipped case to be copied."""

    name: Name
    source: Name


class JobAsked(Model):
    """A program to be started."""

    kind: Kind
    target: Name
    ranks: Annotated[int, Field(ge=1, le=os.cpu_count() or 1)] = 1


class StopAsked(Model):
    """A program to be ended."""

    job: int


class Page:
    """The answers to what the page asks for.

    Args:
        root: the folder it works in.
    """

    def __init__(self, root: Path) -> None:
        self.folder = Folder(root)
        self.jobs = Jobs(self.folder.root)

    @cached_property
    def start(self) -> dict[str, Any]:
        """What does not change: the case schema, the names of the library, the shipped cases."""
        names = {kind: sorted(library_files(kind)) for kind in ("material", "particle")}
        shipped = [{"name": name, "title": _title(file)} for name, file in shipped_cases().items()]
        return {
            "folder": str(self.folder.root),
            "schema": CaseInput.model_json_schema(),
            "library": {**names, "coil": sorted(coil_files()), "damage": sorted(damage_files())},
            "shipped": shipped,
            "cores": os.cpu_count() or 1,
        }

    def listing(self) -> dict[str, Any]:
        """Cases and runs of the folder, and what has been started."""
        found = self.folder.found()
        cases = [{"path": case.path, "kind": case.kind, "title": case.title} for case in found.cases]
        runs = sorted((listed_run(self.folder, run) for run in found.runs), key=lambda run: -run["when"])
        return {"cases": cases, "runs": runs, "jobs": self.jobs.shown(), "whole": found.whole}

    def check(self, asked: CheckAsked) -> dict[str, Any]:
        """Faults of a text with their lines."""
        return findings(self.folder.inside(asked.path), asked.text)

    def edit(self, asked: EditAsked) -> dict[str, Any]:
        """The text with one value changed."""
        return {"text": edited(asked.text, asked.path, asked.action, asked.value)}

    def save(self, asked: SaveAsked) -> dict[str, Any]:
        """The file as saved."""
        return self.folder.saved(asked.path, asked.text, asked.seen)

    def new(self, asked: NewAsked) -> dict[str, Any]:
        """The file of a copied case."""
        return self.folder.new(asked.name, asked.source)

    def begin(self, asked: JobAsked) -> dict[str, Any]:
        """The program that was started."""
        if asked.kind == "resume":
            target = run_folder(self.folder, asked.target)
        else:
            opened = self.folder.opened(asked.target)
            if opened["kind"] != "case":
                raise RefusedError(422, "studies run on the command line: nanowarm study")
            target = self.folder.root / opened["path"]
        return self.jobs.start(asked.kind, self.folder.shown(target), asked.ranks).shown()

    def stop(self, asked: StopAsked) -> dict[str, Any]:
        """The program that was asked to stop."""
        job = self.jobs.job(asked.job)
        job.stop()
        return job.shown()

    def answers(self) -> list[Route]:
        """Every address that is answered."""
        return [
            Route("/", _file("page.html")),
            *(Route(f"/{name}", _file(name)) for name in PAGE if name != "page.html"),
            Route("/api/start", _given(lambda request: self.start)),
            Route("/api/folder", _given(lambda request: self.listing())),
            Route("/api/case", _given(lambda request: self.folder.opened(request.query_params.get("path", "")))),
            Route("/api/result", _given(lambda request: result(self.folder, request.query_params.get("run", "")))),
            Route("/api/jobs/{number:int}", self._events),
            Route("/runs/{path:path}", self._run_file),
            Route("/api/check", _asked(CheckAsked, self.check), methods=["POST"]),
            Route("/api/edit", _asked(EditAsked, self.edit), methods=["POST"]),
            Route("/api/save", _asked(SaveAsked, self.save), methods=["POST"]),
            Route("/api/new", _asked(NewAsked, self.new), methods=["POST"]),
            Route("/api/jobs", _asked(JobAsked, self.begin), methods=["POST"]),
            Route("/api/stop", _asked(StopAsked, self.stop), methods=["POST"]),
        ]

    async def _events(self, request: Request) -> Response:
        """What a program says, as server-sent events; a browser that was cut off says how far it had heard."""
        job = self.jobs.job(request.path_params["number"])
        heard = request.headers.get("last-event-id", "")
        return StreamingResponse(_told(job, int(heard) if heard.isdecimal() else 0), media_type="text/event-stream")

    async def _run_file(self, request: Request) -> Response:
        """The report or the picture of a run, shut off from this page."""
        file, kind = await run_in_threadpool(served_file, self.folder, request.path_params["path"])
        return FileResponse(file, media_type=kind, headers=REPORT_HEADERS)


def _title(file: Path) -> str:
    """Title of a shipped case."""
    return str(tomllib.loads(file.read_text(encoding="utf-8")).get("title", ""))


async def _told(job: Job, heard: int) -> AsyncIterator[str]:
    """A program's lines from some line on, as events, then its end."""
    quiet = 0.0
    while True:
        over = not job.goes_on  # looked at before the lines, so that none is lost
        for line in job.lines[heard:]:
            heard += 1
            quiet = 0.0
            yield f"id: {heard}\ndata: {json.dumps(line)}\n\n"
        if over:
            yield f"event: end\ndata: {json.dumps(job.shown())}\n\n"
            return
        await asyncio.sleep(LOOK_EVERY)
        quiet += LOOK_EVERY
        if quiet > SIGN_OF_LIFE:
            quiet = 0.0
            yield ": still here\n\n"


def _file(name: str) -> Answer:
    """Answer with a file of the page."""
    content = (resources.files("nanowarm.gui") / "page" / name).read_bytes()

    async def answer(request: Request) -> Response:
        """The file."""
        return Response(content, media_type=PAGE[name])

    return answer


def _given(content: Callable[[Request], dict[str, Any]]) -> Answer:
    """Answer with something that is only read."""

    async def answer(request: Request) -> Response:
        """The content as JSON."""
        return JSONResponse(await run_in_threadpool(content, request))

    return answer


def _asked[Asked: Model](record: type[Asked], work: Callable[[Asked], dict[str, Any]]) -> Answer:
    """Answer to what a body asks for."""

    async def answer(request: Request) -> Response:
        """What was done, as JSON."""
        try:
            body = await request.body()
            asked = record.model_validate_json(body)
            body.decode()
        except ValidationError as error:
            raise RefusedError(422, "; ".join(faults(error, record, "request", {}))) from None
        return JSONResponse(await run_in_threadpool(work, asked))

    return answer


async def _refused(request: Request, error: Exception) -> Response:
    """One line of JSON for whatever could not be done."""
    if isinstance(error, RefusedError):
        return error.response()
    if isinstance(error, NanowarmError):
        return JSONResponse({"error": "; ".join(error.faults)}, 422)
    return JSONResponse({"error": f"internal error: {type(error).__name__}: {error}"}, 500)


async def _unknown(request: Request, error: Exception) -> Response:
    """What an address without an answer gets."""
    return JSONResponse({"error": "nothing is answered here"}, 404)


def application(page: Page, address: Address) -> Guard:
    """The server's program: the page's answers behind its guard."""
    handlers = {RefusedError: _refused, NanowarmError: _refused, 404: _unknown, 405: _unknown, Exception: _refused}
    return Guard(Starlette(routes=page.answers(), exception_handlers=handlers), address)
