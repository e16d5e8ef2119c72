"""The report of a run: one page for people, made from the run folder's own files."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from nanowarm.results.bands import margin_sentence
from nanowarm.results.chart_bands import uncertainty
from nanowarm.results.credibility import applicability, experiments, model_limits, verification
from nanowarm.results.dose_section import dosed_regions, histogram_pictures, tissue_rows
from nanowarm.results.energy_section import energy_sentence, energy_svg
from nanowarm.results.ice_section import ice_and_stress
from nanowarm.results.limits import limited_by, limits
from nanowarm.results.markup import breakable, coded, css_string
from nanowarm.results.mesh_evidence import cell_judgement, mesh_judgement
from nanowarm.results.report_charts import charts, deciding_chart, inline, rate_chart
from nanowarm.results.report_files import RunFiles, read_files
from nanowarm.results.report_rows import citation_rows, criteria_rows, declared, flat
from nanowarm.results.run_facts import run_facts
from nanowarm.results.run_folder import open_run, write_whole
from nanowarm.results.section_picture import section_picture
from nanowarm.results.sentences import number_text, percent_text, readable, verdict_sentence
from nanowarm.results.timeline import events, timeline_svg
from nanowarm.results.view import script_policy, view_html

Row = Mapping[str, Any]


def write_report(folder: Path, summary: Mapping[str, Any] | None = None) -> Path:
    """Make `report.html` of a finished run from the other files in its folder, and return its path.

    Args:
        folder: of the run.
        summary: content of `summary.json` where that is not written yet.

    Raises:
        CaseError: a file of the folder is missing or can't be read.
    """
    files = read_files(folder, open_run(folder).summary if summary is None else summary)
    path = folder / "report.html"
    write_whole(path, _page(files, view_html(folder, files.summary)))
    return path


def _page(files: RunFiles, view: str | None) -> str:
    import jinja2

    page = jinja2.Environment(loader=jinja2.FunctionLoader(_template), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    page.filters |= {
        "number": number_text,
        "percent": percent_text,
        "readable": readable,
        "flat": flat,
        "sentence": _sentence,
        "coded": coded,
        "breakable": breakable,
        "css_string": css_string,
    }
    content = {**_answer(files), **_numbers(files), **_evidence(files), "view": view}
    policy = f"{_hash(_script())}{' ' + script_policy() if view else ''}"
    return page.get_template("page.j2").render(**content, style=_template("page.css"), script=_script(), script_policy=policy)


def _template(name: str) -> str:
    """Text of a part of the page."""
    return resources.files("nanowarm.results").joinpath("templates", name).read_text(encoding="utf-8")


@cache
def _script() -> str:
    """The page's own program, as it stands between the tags: it sorts tables and opens what is folded for printing."""
    return f"\n{_template('page.js')}"


def _hash(script: str) -> str:
    """What a content security policy must allow for a program."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode('utf-8')).digest()).decode('ascii')}'"


def _sentence(text: str) -> str:
    """A text that begins with a capital letter and ends with a full stop."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")


def _answer(files: RunFiles) -> Row:
    """What the head of the page shows: the verdict, what limits it, where, and how sure that is."""
    summary = files.summary
    limiting = limits(summary["criteria"])
    deciding = summary["criteria"][limiting[0]["criterion"]] if limiting else None
    return {
        "summary": summary,
        "record": files.record,
        "case": files.case,
        "sentence": verdict_sentence(summary, files.case),
        "limited_by": limited_by(limiting) if limiting else None,
        "deciding": deciding,
        "sure": _sure(files, deciding),
        "section": _section(files),
        "chart": deciding_chart(files, deciding),
        "criteria": criteria_rows(files, limiting),
    }


def _section(files: RunFiles) -> Row | None:
    """The cut through the worst place."""
    found = section_picture(files.folder, files.summary, files.record)
    return None if found is None else {"image": inline(found.image, "image/png"), "alt": found.alt, "caption": found.caption}


def _sure(files: RunFiles, row: Row | None) -> str:
    """How the margin of the deciding criterion compares with the spread of the inputs, or why that is not told."""
    if row is None or row["kind"] != "warming rate" or row["outcome"] == "unseen" or not row["value"]:
        return "The spreads of the inputs, listed below, are not carried into this verdict."
    found = uncertainty(files, row["region"])
    if found.reason:
        return f"The spreads of the inputs are not carried into this verdict: {found.reason}."
    number = list(files.summary["criteria"]).index(row)
    asked = files.case.get("criteria", [])
    critical = number < len(asked) and asked[number].get("at_least", "critical") == "critical"
    return margin_sentence(row, found, list(files.record["inputs"]), _cryoprotectant(files, row["region"]) if critical else None)


def _cryoprotectant(files: RunFiles, region: str) -> str | None:
    """The material in a region that has a critical warming rate."""
    material = files.case["regions"][region]["material"]
    parts = {Path(name).name for name in ([material] if isinstance(material, str) else material["mix"])}
    known = (row["of"] for row in files.record["inputs"] if row["what"] == "critical warming rate")
    return next((of for of in known if Path(of).name in parts), None)


def _numbers(files: RunFiles) -> Row:
    """What the sections with numbers show."""
    ended = {stage["name"]: stage for stage in files.record["stages"]}
    happened = events(files.case, files.summary, files.record["stages"])
    timeline = timeline_svg(files.case, files.history, files.record["stages"], happened) if ended else None
    energy = files.summary.get("energy_J") or {}
    return {
        "curves": charts(files),
        "rates": [rate_chart(one) for one in files.rates],
        "ice": ice_and_stress(files.summary),
        "doses": _doses(files),
        "picture": None if files.picture is None else inline(files.picture, "image/png"),
        "stages": [(stage, ended.get(stage["name"])) for stage in files.case.get("stages", [])],
        "events": happened,
        "timeline": None if timeline is None else inline(timeline, "image/svg+xml"),
        "energy": {"told": energy_sentence(energy), "image": inline(energy_svg(energy), "image/svg+xml")},
        "declared": declared(files.case),
        "citations": citation_rows(files.citations),
    }


def _doses(files: RunFiles) -> Row | None:
    """What the section on doses shows; None where none were followed."""
    regions = dosed_regions(files.summary)
    if not regions:
        return None
    pictures = histogram_pictures(files.histograms)
    charts = [{"title": title, "alt": alt, "image": inline(svg, "image/svg+xml"), "remark": ""} for title, alt, svg in pictures]
    return {"regions": regions, "limits": tissue_rows(list(regions), files.histograms), "charts": charts}


def _evidence(files: RunFiles) -> Row:
    """What the sections on mesh, credibility and models show."""
    facts = run_facts(files.case, files.summary, files.record, files.temperatures[0])
    compared = experiments(files.case, files.summary, files.temperatures)
    bands = {region: uncertainty(files, region) for region in files.summary["regions"]}
    return {
        "mesh_told": mesh_judgement(files.summary, files.record),
        "cells_told": cell_judgement(files.record),
        "verification": verification(facts),
        "experiments": compared,
        "applicability": applicability(compared),
        "limits_of_models": model_limits(facts),
        "bands": {region: found for region, found in bands.items() if not found.reason},
        "no_bands": {region: found.reason for region, found in bands.items() if found.reason},
    }
