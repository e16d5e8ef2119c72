"""A run as a notebook shows it: verdict, criteria, curves and the view of the body."""

from __future__ import annotations

import base64
import json
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanowarm.results.picture import figure_svg
from nanowarm.results.sentences import is_upper, number_text, readable, verdict_sentence
from nanowarm.results.view import script_policy, view_html

if TYPE_CHECKING:
    from markupsafe import Markup

    from nanowarm.results.run_folder import Run

MOST_LETTERS = 3_500_000  # of the view; a notebook file that is larger is a burden
HEIGHT = 780  # [px] of the view
COLOURS = {"met": ("#0072B2", "#e8f2f9"), "missed": ("#D55E00", "#fcefe4")}
OTHERS = ("#6b6b6b", "#f1f1f1")
MARKS = {"met": "✓", "missed": "✗", "unseen": "?", "failed": "!"}
_FRAME = (
    '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>View of the body</title>'
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    'script-src {policy}"><style>body {{ font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; margin: 0; }} '
    ".quiet {{ color: #555; }} figure {{ margin: 0; }}</style></head><body>{view}</body></html>"
)


def run_html(run: Run) -> str:
    """A run as HTML that may stand in any page; the view of the body is in a frame that can reach nothing."""
    summary = run.summary
    try:
        case = tomllib.loads((run.folder / "case.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        case = {}
    parts = [panel(summary["verdict"], summary["title"] or "Run without a title", verdict_sentence(summary, case))]
    figure = run.plot()
    figure.axes[0].set_title("")  # it stands above
    parts += [_criteria(summary["criteria"]), image(figure_svg(figure), _described(summary)), _view(run.folder)]
    return whole(parts)


def whole(parts: Iterable[Markup]) -> str:
    """Parts as one block, dark on light whatever the colours of the notebook are."""
    from markupsafe import Markup

    style = "color: #1a1a1a; background: #fff; padding: .6rem; font-family: system-ui, sans-serif; max-width: 60rem"
    return str(Markup('<div style="{}">{}</div>').format(style, Markup("\n").join(parts)))


def panel(verdict: str, title: str, sentence: str) -> Markup:
    """Title and answer.

    Args:
        verdict: that gives the colours; any other text gives neutral ones.
        title: of the run or study.
        sentence: the answer.
    """
    from markupsafe import Markup

    edge, ground = COLOURS.get(verdict, OTHERS)
    style = f"margin: 0; padding: .6rem .8rem; border-left: .5rem solid {edge}; background: {ground}; font-weight: 600"
    text = Markup('<p style="margin: 0 0 .4rem">{}</p><p style="{}"><span aria-hidden="true">{}</span>{}</p>')
    return text.format(title, style, f"{MARKS[verdict]} " if verdict in MARKS else "", sentence)


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> Markup:
    """A small table of texts."""
    from markupsafe import Markup

    cell = Markup('<td style="text-align: left; color: #1a1a1a; background: #fff">{}</td>')
    head = Markup("").join(
        Markup('<th scope="col" style="text-align: left; color: #1a1a1a">{}</th>').format(name) for name in heads
    )
    body = Markup("").join(Markup("<tr>{}</tr>").format(Markup("").join(map(cell.format, row))) for row in rows)
    frame = Markup(
        '<div style="overflow-x: auto"><table style="margin: .6rem 0"><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>'
    )
    return frame.format(head, body)


def image(content: bytes, alt: str, kind: str = "image/svg+xml") -> Markup:
    """A picture inside the page."""
    from markupsafe import Markup

    source = f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
    return Markup('<img style="max-width: min(100%, 42rem); height: auto" src="{}" alt="{}">').format(source, alt)


def _criteria(criteria: Sequence[Any]) -> Markup:
    """What was asked, and what came out."""
    from markupsafe import Markup

    rows = [
        (
            f"{MARKS.get(row['outcome'], '')} {row['outcome']}",
            f"{row['kind']} of {row['region']}",
            f"{number_text(row['value'], 4)} {readable(row['unit'])}",
            f"{'≤' if is_upper(row) else '≥'} {number_text(row['limit'], 4)} {readable(row['unit'])}",
        )
        for row in criteria
    ]
    return table(("Outcome", "Criterion", "Reached", "Limit"), rows) if rows else Markup("")


def _described(summary: Any) -> str:
    """What the curves show, for those who can't see them."""
    ends = [f"{name} ends at {number_text(row['temperature_degC']['mean'])} °C" for name, row in summary["regions"].items()]
    return f"Coldest, mean and hottest temperature of each region over time: {', '.join(ends)}"


def _view(folder: Path) -> Markup:
    """The view of the body in a frame of its own; its picture where the view would be too large; nothing without fields."""
    from markupsafe import Markup

    try:
        view = view_html(folder)
    except (OSError, ValueError, KeyError, json.JSONDecodeError):
        view = None
    if view is not None and len(view) <= MOST_LETTERS:
        page = _FRAME.format(policy=script_policy(), view=view)
        frame = Markup('<iframe sandbox="allow-scripts" title="View of the body" style="{}" srcdoc="{}"></iframe>')
        return frame.format(f"width: 100%; height: {HEIGHT}px; border: 1px solid #ddd; background: #fff", page)
    picture = folder / "picture.png"
    if picture.is_file():
        return image(picture.read_bytes(), "The body cut open, coloured by its temperature at the end of the run", "image/png")
    return Markup("")
