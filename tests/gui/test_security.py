"""The page answers nobody but the browser of the person who started it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nanowarm.gui.security import Address

CASE = "/api/case?path=vial/vial.toml"
ANSWERED = ("/", "/page.js", "/api/start", "/api/folder", CASE, "/api/jobs/1", "/runs/x/report.html")


@pytest.mark.parametrize("path", ANSWERED)
def test_nothing_is_answered_without_the_token(server: Any, path: str) -> None:
    answer = server.ask(path, Authorization=None)
    assert (answer.status, answer.reason) == (401, "no token: open the address that nanowarm gui printed")


@pytest.mark.parametrize("given", ["Bearer wrong", "Bearer é", "Basic eDp5"])
def test_a_wrong_token_is_refused(server: Any, given: str) -> None:
    assert server.ask("/api/folder", Authorization=given).status in (401, 403)


def test_the_address_gives_the_browser_a_cookie_that_scripts_and_other_sites_do_not_get(server: Any) -> None:
    answer = server.ask(f"/?token={server.token}", Authorization=None)
    assert (answer.status, answer.headers["location"]) == (303, "/")
    name, *attributes = answer.headers["set-cookie"].split("; ")
    assert {"HttpOnly", "SameSite=strict"} <= set(attributes)
    assert server.ask("/api/folder", Authorization=None, Cookie=name).status == 200
    assert server.ask("/api/folder", Authorization=None, Cookie=name[:-1]).status == 403
    assert server.ask("/?token=other", Authorization=None).status == 403


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", "127.0.0.1:1", "[::1]:80", ""])
def test_another_name_for_this_machine_is_refused(server: Any, host: str) -> None:
    answer = server.ask("/api/folder", Host=host)
    assert (answer.status, answer.reason) == (403, "this server answers to 127.0.0.1 and localhost only")


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://127.0.0.1", None])
def test_a_wish_from_another_origin_is_refused_and_does_nothing(server: Any, origin: str | None) -> None:
    answer = server.ask("/api/new", {"name": "foreign", "source": "vial-1mL"}, Origin=origin)
    assert (answer.status, answer.reason) == (403, "another origin asked for this")
    assert not (server.folder / "foreign").exists()


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_another_site_makes_the_browser_ask_is_refused(server: Any, site: str) -> None:
    assert server.ask("/api/folder", Sec_Fetch_Site=site).status == 403


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_what_a_form_of_another_site_can_send_is_refused(server: Any, kind: str) -> None:
    assert server.ask("/api/new", {"name": "form", "source": "vial-1mL"}, Content_Type=kind).status == 415
    assert not (server.folder / "form").exists()


@pytest.mark.parametrize("path", ["/api/save", "/api/new", "/api/jobs", "/api/stop", "/api/edit", "/api/check"])
def test_looking_changes_nothing(server: Any, path: str) -> None:
    before = sorted(server.folder.rglob("*"))
    assert server.ask(f"{path}?name=seen&source=vial-1mL&path=seen.toml&text=").status in (404, 405)
    assert sorted(server.folder.rglob("*")) == before


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "HEAD", "TRACE"])
def test_other_methods_are_refused(server: Any, method: str) -> None:
    headers = {"Host": f"127.0.0.1:{server.port}", "Authorization": f"Bearer {server.token}"}
    assert server.send(method, "/api/folder", None, headers).status == 405


@pytest.mark.parametrize(
    "path", ["../out.toml", "/etc/passwd", "vial/../../out.toml", "link/out.toml", "link.toml", "", "a\0b.toml"]
)
def test_what_lies_outside_the_folder_is_neither_read_nor_written(server: Any, tmp_path: Path, path: str) -> None:
    outside = tmp_path / "out.toml"
    outside.write_text("schema = 1\n[mesh]\n", encoding="utf-8")
    links = {"link": tmp_path, "link.toml": outside}
    for name, target in links.items():
        (server.folder / name).unlink(missing_ok=True)
        (server.folder / name).symlink_to(target)
    for asked in (
        ("/api/save", {"path": path, "text": "schema = 1\n[regions]\n", "seen": ""}),
        ("/api/check", {"path": path, "text": ""}),
    ):
        assert server.ask(*asked).status == 403
    assert server.ask("/api/new", {"name": path.replace("out.toml", "out"), "source": "vial-1mL"}).status == 403
    quoted = path.replace("\0", "%00")
    assert server.ask(f"/api/case?path={quoted}").status == 403
    assert server.ask(f"/api/result?run={quoted}").status == 403
    assert outside.read_text(encoding="utf-8") == "schema = 1\n[mesh]\n"
    assert [one.name for one in tmp_path.iterdir()] == ["out.toml"]
    for name in links:
        (server.folder / name).unlink()


@pytest.mark.parametrize(
    "path", ["/runs/../vial/vial.toml", "/runs/%2e%2e/vial/vial.toml", "/runs/vial/vial.toml", "/runs//etc/passwd", "/runs/"]
)
def test_only_reports_and_pictures_of_runs_are_served(server: Any, path: str) -> None:
    assert server.ask(path).status in (403, 404)


@pytest.mark.parametrize("name", ["vial.geo", "notes.txt", "material.toml", "vial"])
def test_only_case_files_are_opened(server: Any, name: str) -> None:
    (server.folder / "notes.txt").write_text("schema = 1\n[mesh]\n", encoding="utf-8")
    (server.folder / "material.toml").write_text('name = "mine"\nclass = "tissue"\n', encoding="utf-8")
    place = f"vial/{name}" if name.startswith("vial") else name
    assert server.ask(f"/api/case?path={place}").status in (403, 404)


def test_a_body_that_is_too_large_is_refused_whatever_length_it_says(server: Any) -> None:
    assert server.ask("/api/check", b"[]", Content_Length="10000001").status == 413
    assert server.ask("/api/check", b"[]", Content_Length="1" * 30).status in (400, 413)
    chunk = b"%x\r\n%s\r\n" % (1_000_000, b" " * 1_000_000)
    answer = server.ask("/api/check", chunk * 11 + b"0\r\n\r\n", Transfer_Encoding="chunked", Content_Length=None)
    assert answer.status == 413


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"x"', b'{"path": 1}', b'{"path": "a.toml", "text": "", "more": 1}', b"\xff"]
)
def test_a_body_that_says_nothing_usable_is_refused_in_one_line(server: Any, body: bytes) -> None:
    answer = server.ask("/api/check", body)
    assert answer.status == 422
    assert "\n" not in answer.reason


def test_every_answer_forbids_the_browser_whatever_the_page_does_not_need(server: Any) -> None:
    for answer in (server.ask("/"), server.ask("/api/folder"), server.ask("/nothing"), server.ask("/", Authorization=None)):
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self';")
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in answer.headers


def test_each_start_has_another_token() -> None:
    first, second = Address(8000), Address(8000)
    assert first.token != second.token
    assert len(first.token) >= 32
    assert first.token not in repr(first)
