"""Pages in a real browser without a window, and small pictures of them."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DRAWN_BY_THE_PROCESSOR = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--no-sandbox"]
COLOURS = 256  # of a picture
MARGIN = 16  # [px] around an element
MOST_BYTES = 150_000  # of a picture


@dataclass(frozen=True, eq=False)
class Camera:
    """Takes pictures of pages.

    Args:
        browser: that shows them.
        folder: for the pictures.
    """

    browser: Any
    folder: Path

    def open(self, address: str, width: int, height: int, **context: Any) -> Any:
        """A page in a window of its own.

        Args:
            address: of the page.
            width: of the window [px].
            height: of the window [px].
            **context: what else the browser is told of the window.
        """
        page = self.browser.new_context(viewport={"width": width, "height": height}, **context).new_page()
        page.goto(address)
        return page

    def take(self, name: str, page: Any, place: str | None = None, until: str | None = None) -> None:
        """Write a picture of what a page shows.

        Args:
            name: of the picture.
            page: to be shown.
            place: the element that is shown with what it holds; the window where left out.
            until: the last element in it that is shown; all of it where left out.
        """
        if place is None:
            self.keep(name, page.screenshot())
            return
        shown = page.locator(place).first
        shown.evaluate("(element, margin) => { element.style.padding = `${margin}px`; }", MARGIN)
        height = None
        if until is not None:
            last = page.locator(until).first.bounding_box()
            height = round(last["y"] + last["height"] - shown.bounding_box()["y"] + MARGIN)
        self.keep(name, shown.screenshot(), height)

    def keep(self, name: str, picture: bytes, height: int | None = None) -> None:
        """Write a picture with few colours.

        Args:
            name: of the picture.
            picture: content of a PNG file.
            height: to which it is cut [px].

        Raises:
            ValueError: it is too large for the documentation.
        """
        from PIL import Image

        with Image.open(io.BytesIO(picture)) as image:
            whole = image.convert("RGB")
        cut = whole.crop((0, 0, whole.width, min(whole.height, height or whole.height)))
        path = self.folder / f"{name}.png"
        cut.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
        size = path.stat().st_size
        print(f"{path.name}: {cut.width} x {cut.height}, {size / 1000:.0f} kB", flush=True)
        if size > MOST_BYTES:
            raise ValueError(f"{path}: {size} bytes, at most {MOST_BYTES} are allowed")


@contextmanager
def camera(folder: Path) -> Iterator[Camera]:
    """A browser and where its pictures go.

    Args:
        folder: for the pictures; made where it is missing.

    Raises:
        FileNotFoundError: there is no Chromium.
    """
    from playwright.sync_api import sync_playwright

    program = os.environ.get("NANOWARM_BROWSER") or shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        raise FileNotFoundError("there is no Chromium on this machine; NANOWARM_BROWSER may name one")
    folder.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=DRAWN_BY_THE_PROCESSOR)
        yield Camera(browser, folder)
        browser.close()
