"""A study as a notebook shows it: the answer, the charts, and the first lines of the table."""

from __future__ import annotations

from nanowarm.results.notebook import image, panel, table, whole
from nanowarm.studies.study_charts import charts, pareto
from nanowarm.studies.study_report import NAME
from nanowarm.studies.study_results import Study
from nanowarm.studies.study_sentence import answer_sentence
from nanowarm.studies.study_table import columns

MOST_LINES = 12  # of the table


def study_html(study: Study) -> str:
    """A study as HTML that may stand in any page."""
    from markupsafe import Markup

    parts = [panel("", study.title, answer_sentence(study))]
    parts += [image(picture.image, picture.alt, picture.kind) for picture in (*charts(study), *pareto(study, most=1)[1])]
    shown = columns(study)
    lines = range(min(len(study.table), MOST_LINES))
    parts.append(table([column.label for column in shown], [[column.cells[line].text for column in shown] for line in lines]))
    rest = len(study.table) - len(lines)
    report = study.folder / NAME
    told = [f"{rest} more runs in the table."] if rest else []
    told += [f"The whole report: {report}"] if report.is_file() else []
    parts.append(Markup("<p>{}</p>").format(" ".join(told)))
    return whole(parts)
