"""The report of a study: one page for people, made from the files in its folder."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from nanowarm.errors import SolveError
from nanowarm.results.markup import breakable, css_string
from nanowarm.results.run_folder import write_whole
from nanowarm.results.sentences import readable
from nanowarm.results.view import policy_of
from nanowarm.studies.study_charts import Picture, charts, pareto
from nanowarm.studies.study_results import Study, open_study
from nanowarm.studies.study_sentence import answer_sentence
from nanowarm.studies.study_table import columns
from nanowarm.studies.table import FAILED, tally

NAME = "study.html"
FIRST_LINES = 100  # of the table that are shown at once


def write_study_report(folder: Path) -> Path:
    """Make `study.html` in the folder of a study from its other files, and return its path.

    Raises:
        CaseError: a file of the folder is missing or can't be read.
        SolveError: the disk is full.
    """
    path = folder / NAME
    page = study_page(open_study(folder))
    try:
        write_whole(path, page)
    except OSError as error:
        raise SolveError(f"{path}: can't be written: {error.strerror or error}") from None
    return path


def study_page(study: Study) -> str:
    """The report as HTML."""
    import jinja2

    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"readable": readable, "source": picture_source, "breakable": breakable, "css_string": css_string}
    labels, weighed = pareto(study)
    script = _file("study.js")
    return environment.from_string(_file("study.html.j2")).render(
        study=study,
        sentence=answer_sentence(study),
        counts=tally(study.rows),
        answers=[_answer(answer) for answer in study.answers],
        uncertainty=study.uncertainty,
        charts=charts(study),
        labels=labels,
        weighed=weighed,
        columns=columns(study),
        failures=failures(study),
        first_lines=FIRST_LINES,
        study_text=(study.folder / "study.toml").read_text(encoding="utf-8"),
        command=shlex.join(["nanowarm", "study", study.about["study"]]),
        style=_file("study.css"),
        script=script,
        script_policy=policy_of(script),
    )


def picture_source(picture: Picture) -> str:
    """A chart as a page holds it."""
    return f"data:{picture.kind};base64,{base64.b64encode(picture.image).decode('ascii')}"


def failures(study: Study) -> list[tuple[str, list[str]]]:
    """Reasons why runs failed, and the numbers of these; the most frequent first."""
    found: dict[str, list[str]] = {}
    for line, row in zip(study.table, study.rows, strict=True):
        if row.verdict == FAILED:
            search = line.get("search")
            found.setdefault(row.error or "not known", []).append(f"{search}.{line['run']}" if search else str(line["run"]))
    return sorted(found.items(), key=lambda item: -len(item[1]))


def _answer(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What a search has found, as the page shows it."""
    chosen = ", ".join(f"{key} = {readable(value)}" for key, value in answer["inputs"].items())
    why = "; ".join(filter(None, (answer["reason"], answer["limited"])))
    return {**answer, "chosen": chosen, "why": why}


@cache
def _file(name: str) -> str:
    """Text of a file of this package."""
    return resources.files("nanowarm.studies").joinpath(name).read_text(encoding="utf-8")
