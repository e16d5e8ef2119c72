"""The answer of a study in one sentence."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from nanowarm.results.sentences import number_text, readable
from nanowarm.studies.pictures import VOLUME, Axis, largest_volumes, numeric_axes
from nanowarm.studies.searches import kept
from nanowarm.studies.study_results import Study
from nanowarm.studies.table import Row

MOST_ANSWERS = 4  # of searches, and of groups, that a sentence bears
LARGEST = 2  # contributors that are told


def answer_sentence(study: Study) -> str:
    """What a study has found; it says so where runs are left or a model of the body was used."""
    model = study.asked.run.model
    head = "" if model == "mesh" else f"By estimates of a {model} model: "
    if study.left:
        head += f"So far ({len(study.table)} of {len(study.about['runs'])} runs): "
    told = _told(study)
    return head + (told if head else told[:1].upper() + told[1:]) + "."


def _told(study: Study) -> str:
    """The answer of the kind that a study gives."""
    if study.answers:
        return _search_told(study.answers)
    if study.uncertainty is not None:
        return _probability_told(study.uncertainty)
    return _volumes_told(study) or _counted(study)


def _search_told(answers: list[dict[str, Any]]) -> str:
    """What searches have found."""
    first = answers[0]
    head = f"the {first['find']} {', '.join(first['key'])} that meets all criteria"
    if len(answers) == 1:
        return f"{head} is {_value_told(first)}"
    parts = [f"{_value_told(answer)} with {_inputs_told(answer['inputs'])}" for answer in answers]
    if len(parts) > MOST_ANSWERS:
        found = sum(answer["outcome"] == "found" for answer in answers)
        return f"{head} was found by {found} of {len(answers)} searches, listed below"
    return f"{head}: {'; '.join(parts)}"


def _value_told(answer: dict[str, Any]) -> str:
    """The value that a search found, or that there is none."""
    outcome, value = answer["outcome"], readable(answer["value"])
    if outcome == "found":
        return f"{value} ({readable(answer['missed'])} misses)"
    if outcome == "all met":
        return f"{value}, the {answer['find']} that was looked at: even that meets them"
    return "none that was looked at" if outcome == "none met" else f"unclear{'' if answer['value'] is None else f', {value}'}"


def _inputs_told(inputs: dict[str, Any]) -> str:
    """Values of a case with their keys."""
    return ", ".join(f"{key} = {readable(value)}" for key, value in inputs.items())


def _probability_told(found: Any) -> str:
    """The probability with its interval, and what most of the variance of the least certain criterion is due to."""
    met = found["probability_met"]
    if met is None:
        return "the probability that all criteria are met is not known: every run failed"
    interval = f"{100.0 * found['confidence']:g} %: {met['low']:.2f} to {met['high']:.2f}; {met['runs']} runs"
    told = f"all criteria are met with a probability of {met['value']:.2f} ({interval})"
    shared = [judged for judged in found["criteria"] if judged["shares"] and judged["probability_met"]]
    if not shared:
        return told
    weakest = min(shared, key=lambda judged: judged["probability_met"]["value"])
    ranked = weakest["shares"][:LARGEST]
    parts = " and ".join(f"{readable(share['name'])} ({share['total']:.2f})" for share in ranked)
    return f"{told}; the {readable(weakest['of'])} varies most by {parts} (total Sobol indices)"


def _volumes_told(study: Study) -> str:
    """The largest volume that passes for each value of the one other key of a grid; nothing of another study."""
    axes = numeric_axes(study.asked.grid or {})
    volume = next((axis for axis in axes if axis.key == VOLUME), None)
    if volume is None or len(axes) != 2 or not any(row.verdict == "met" for row in study.rows):
        return ""
    (other,) = (axis for axis in axes if axis is not volume)
    found = largest_volumes(axes, volume, other, grid_rows(study, axes))
    groups = [(size, [at for at, *_ in group]) for size, group in groupby(found, key=lambda entry: entry[1])]
    unit = readable(other.unit)
    parts = [f"{_size(size, volume)} with {_range_told(at)} {unit}".rstrip() for size, at in groups]
    parts = parts if len(parts) <= MOST_ANSWERS + 1 else [*parts[: MOST_ANSWERS // 2], "…", *parts[-MOST_ANSWERS // 2 :]]
    gaps = "" if all(whole for *_, whole in found) else " (some smaller ones miss)"
    return f"the largest volume that meets all criteria{gaps}, by {other.key}: {'; '.join(parts)}"


def _size(size: float | None, volume: Axis) -> str:
    """A volume, or that there is none."""
    return "none" if size is None else f"{size:g} {readable(volume.unit)}"


def _range_told(numbers: list[float]) -> str:
    """Neighbouring values in a few words."""
    return f"{numbers[0]:g}" if len(numbers) == 1 else f"{numbers[0]:g} to {numbers[-1]:g}"


def grid_rows(study: Study, axes: Iterable[Axis]) -> dict[tuple[Any, ...], Row]:
    """How the runs of a grid ended, by the values of its axes as the study file has them."""
    axes = list(axes)
    as_written = [{str(value): value for value in axis.given} for axis in axes]
    cells = [[str(line[axis.key]) for axis in axes] for line in study.table]
    keys = [tuple(known.get(cell) for known, cell in zip(as_written, line, strict=True)) for line in cells]
    return dict(zip(keys, study.rows, strict=True))


def _counted(study: Study) -> str:
    """How many runs met all criteria, and the best of them."""
    rows = study.rows
    met = sum(row.verdict == "met" for row in rows)
    told = f"{met} of {len(rows)} runs met all criteria"
    known = [(factor, line) for line, row in zip(study.table, rows, strict=True) if (factor := kept(row)) is not None]
    if not known:
        return told
    factor, line = max(known, key=lambda pair: pair[0])
    chosen = _inputs_told({key: line[key] for key in study.inputs if line[key] is not None})
    most = f"in run {line['run']}{f' ({chosen})' if len(study.inputs) <= MOST_ANSWERS else ''}"
    return f"{told}; the tightest limit is kept best {most}: {number_text(factor)} times"
