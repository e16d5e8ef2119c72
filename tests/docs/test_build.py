"""The documentation is built without a warning, and what it links to is there."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

OWN_SCHEMES = ("http:", "https:", "mailto:", "data:")


class _Page(HTMLParser):
    """Anchors and links of a page.

    Args:
        text: of the page.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: set[str] = set()
        self.loaded: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self.anchors |= {given["id"] or ""} if "id" in given else set()
        if tag == "a" and given.get("href"):
            self.links.add(given["href"] or "")
        elif tag in ("script", "link", "img", "iframe"):
            self.loaded |= {value for key in ("src", "href") if (value := given.get(key))}


def pages_of(site: Path) -> dict[Path, _Page]:
    return {file.resolve(): _Page(file.read_text(encoding="utf-8")) for file in site.rglob("*.html")}


def test_every_internal_link_leads_to_a_page_and_an_anchor_that_exist(site: Path) -> None:
    pages = pages_of(site)
    assert len(pages) > 30
    for file, page in pages.items():
        for link in page.links:
            if link.startswith(OWN_SCHEMES):
                continue
            path, anchor = urldefrag(link)
            target = (file.parent / unquote(path)).resolve() if path else file
            assert target.exists(), f"{file.name}: {link}"
            if anchor and target in pages:
                assert unquote(anchor) in pages[target].anchors, f"{file.name}: {link}"


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for file, page in pages_of(site).items():
        assert not [place for place in page.loaded if place.startswith(("http:", "https:", "//"))], file.name
    for file in site.rglob("*.css"):
        assert not re.search(r"url\(\s*['\"]?(https?:)?//", file.read_text(encoding="utf-8")), file.name


def test_every_equation_is_drawn_by_the_browser_itself(site: Path) -> None:
    for file in (site / "theory").glob("*.html"):
        text = file.read_text(encoding="utf-8")
        assert "<math" in text or file.name == "index.html"
        assert "$$" not in text
        assert r"\frac" not in text


def test_no_mark_of_a_made_page_is_left(site: Path) -> None:
    for file in site.rglob("*.html"):
        assert "made:" not in file.read_text(encoding="utf-8"), file.name
