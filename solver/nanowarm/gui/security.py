"""Who may ask the local page for what: only the browser of the person who started it."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 10_000_000  # bytes of a request
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# A report is another origin to the browser: it has no cookie, and nothing to talk to.
_REPORT_POLICY = (
    "sandbox allow-scripts allow-downloads; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
REPORT_HEADERS = {
    "content-security-policy": _REPORT_POLICY,
    "cross-origin-opener-policy": "unsafe-none",  # browsers show no sandboxed document that asks for more
}
_HEADERS = {
    "content-security-policy": PAGE_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class RefusedError(Exception):
    """A request that is not answered.

    Args:
        status: of HTTP.
        reason: one line for the person.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason

    def response(self) -> Response:
        """The refusal as one line of JSON."""
        return JSONResponse({"error": self.reason}, self.status)


@dataclass(frozen=True)
class Address:
    """Where the page is, and the secret that opens it.

    Args:
        port: on this machine.
        token: random text that each start makes anew.
    """

    port: int
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    @property
    def hosts(self) -> tuple[str, str]:
        """What a browser may call this server; any other name points here by a trick (DNS rebinding)."""
        return f"127.0.0.1:{self.port}", f"localhost:{self.port}"

    @property
    def cookie(self) -> str:
        """Name of the cookie; browsers share cookies between ports, so each server has its own."""
        return f"nanowarm-{self.port}"

    @property
    def url(self) -> str:
        """What the person opens."""
        return f"http://127.0.0.1:{self.port}/?token={self.token}"

    def opens(self, given: str) -> bool:
        """Whether a text is the token, compared in constant time."""
        return hmac.compare_digest(given.encode("utf-8", "replace"), self.token.encode())


class Guard:
    """Lets only requests through that the person's own page has sent.

    Args:
        app: what answers them.
        address: of the server.
    """

    def __init__(self, app: ASGIApp, address: Address) -> None:
        self._app = app
        self._address = address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":  # start and end of the server; there are no web sockets
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            """Pass an answer on with the headers that every answer has, unless it has its own."""
            if message["type"] == "http.response.start":
                own = {name.lower() for name, _ in message["headers"]}
                more = [(name.encode(), value.encode()) for name, value in _HEADERS.items() if name.encode() not in own]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            self._check_origin(scope["method"], headers)
            entered = self._entered(scope)
            if entered is not None:
                await entered(scope, receive, send_guarded)
                return
            self._check_secret(headers)
            if scope["method"] == "POST":
                self._check_body(headers)
            await self._app(scope, _bounded(receive), send_guarded)
        except RefusedError as refusal:
            await refusal.response()(scope, receive, send_guarded)

    def _check_origin(self, method: str, headers: Mapping[str, str]) -> None:
        """Refuse what other sites, or this one under another name, ask for."""
        host = headers.get("host", "")
        if host not in self._address.hosts:
            raise RefusedError(403, "this server answers to 127.0.0.1 and localhost only")
        if method not in ("GET", "POST"):
            raise RefusedError(405, "only GET and POST are answered")
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            raise RefusedError(403, "another site asked for this; paste the address into the browser's own line")
        origin = headers.get("origin")
        if origin != f"http://{host}" and (origin is not None or method == "POST"):
            raise RefusedError(403, "another origin asked for this")

    def _entered(self, scope: Scope) -> Response | None:
        """What the address with the token answers: a cookie for it, and the address without it."""
        if scope["path"] != "/" or scope["method"] != "GET" or not scope["query_string"]:
            return None
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if not self._address.opens(given):
            raise RefusedError(403, "wrong token: open the address that nanowarm gui printed last")
        response = RedirectResponse("/", 303)
        response.set_cookie(self._address.cookie, self._address.token, httponly=True, samesite="strict", path="/")
        return response

    def _check_secret(self, headers: Mapping[str, str]) -> None:
        """Refuse who does not know the token."""
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            given = _cookie(headers.get("cookie", ""), self._address.cookie)
        if not given:
            raise RefusedError(401, "no token: open the address that nanowarm gui printed")
        if not self._address.opens(given):
            raise RefusedError(403, "wrong token: open the address that nanowarm gui printed last")

    def _check_body(self, headers: Mapping[str, str]) -> None:
        """Refuse what a form of another site could send, and what is too large."""
        if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise RefusedError(415, "send JSON, as application/json")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or len(length) > 18 or int(length) > LARGEST_BODY:
            raise RefusedError(413, f"too large: at most {LARGEST_BODY // 1_000_000} MB")


def _cookie(header: str, name: str) -> str:
    """Value of a cookie; empty where it is not there."""
    try:
        morsel = SimpleCookie(header).get(name)
    except CookieError:
        return ""
    return "" if morsel is None else morsel.value


def _bounded(receive: Receive) -> Receive:
    """The same body, refused as soon as it is too large, whatever length it said."""
    seen = 0

    async def receive_bounded() -> Message:
        """The next part of the body."""
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > LARGEST_BODY:
            raise RefusedError(413, f"too large: at most {LARGEST_BODY // 1_000_000} MB")
        return message

    return receive_bounded
