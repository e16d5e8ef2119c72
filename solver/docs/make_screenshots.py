"""Take the screenshots of the documentation anew: `python solver/docs/make_screenshots.py`, or `make screenshots`.

Runs two cases and a study, opens what they leave and the page of `nanowarm gui` in Chromium, and writes `screenshots/*.png`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import chdir
from pathlib import Path

DOCS = Path(__file__).parent
CASES = DOCS.parents[1] / "cases"
sys.path.insert(0, str(DOCS))

from screens.browser import Camera, camera  # noqa: E402
from screens.gui import gui_pictures  # noqa: E402
from screens.terminal import recorded_run  # noqa: E402

import nanowarm  # noqa: E402
from nanowarm.studies.driver import run_study  # noqa: E402

WIDTH, WIDE = 920, 1100  # [px] of windows on a desk
PHONE = {"width": 390, "height": 844, "device_scale_factor": 2, "has_touch": True}


def report_pictures(taker: Camera, kidney: Path, tumour: Path) -> None:
    """Write the pictures of reports.

    Args:
        taker: of the pictures.
        kidney: run folder of a case of rewarming.
        tumour: run folder of a case with doses.
    """
    page = taker.open((kidney / "report.html").as_uri(), WIDTH, 900)
    taker.take("report", page, "body", "#answer .charts")
    taker.take("curves", page, "#curves .charts", "#curves figure:nth-child(3)")
    taker.take("credibility", page, "#credibility", "#credibility table")
    page.locator("#view-root").scroll_into_view_if_needed()
    page.wait_for_selector("#view-root[data-ready=yes]")
    page.wait_for_timeout(500.0)
    taker.take("view", page, "#view-root")
    page = taker.open((tumour / "report.html").as_uri(), WIDTH, 900)
    taker.take("doses", page, "#dose .charts", "#dose figure:nth-child(2)")
    page = taker.open((tumour / "report.html").as_uri(), **PHONE)
    taker.take("phone", page)


def make_runs(scratch: Path) -> None:
    """Compute what is to be shown, where it is not there yet; paths are relative, so that none of this machine is shown.

    Args:
        scratch: the working directory.
    """
    if not (scratch / "terminal.html").exists():
        content = recorded_run(CASES / "rat-kidney.toml", Path("runs/rat-kidney-1"))
        (scratch / "terminal.html").write_text(content, encoding="utf-8")
    if not (scratch / "runs/mouse-flank-150-1").exists():
        nanowarm.run(CASES / "mouse-flank-150.toml", "runs/mouse-flank-150-1")
    run_study(CASES / "studies" / "least-iron.toml", Path("runs/least-iron"))  # what has ended is not computed twice


def main() -> None:
    """Run, open, and write all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--keep", type=Path, help="folder in which runs are made and stay; those that are there are not run again"
    )
    kept = parser.parse_args().keep
    with tempfile.TemporaryDirectory() as name:
        scratch = (kept or Path(name)).resolve()
        scratch.mkdir(exist_ok=True)
        with chdir(scratch):
            make_runs(scratch)
        with camera(DOCS / "screenshots") as taker:
            taker.take("terminal", taker.open((scratch / "terminal.html").as_uri(), WIDTH, 600), "pre")
            report_pictures(taker, scratch / "runs" / "rat-kidney-1", scratch / "runs" / "mouse-flank-150-1")
            page = taker.open((scratch / "runs" / "least-iron" / "study.html").as_uri(), WIDE, 900)
            taker.take("study", page, "body", ".charts")
            gui_pictures(taker, scratch)


if __name__ == "__main__":
    main()
