"""What a run's numbers say in words: the verdict in one sentence, and numbers as a reader expects them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

Row = Mapping[str, Any]

_LARGE = 1e7  # from here on as a power of ten: nobody counts more zeros
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LONG_NUMBER = re.compile(r"(?<![\w.])\d+\.\d{6,}(?![\w.])")  # more digits than anybody measured


def number_text(value: float | None, digits: int = 3) -> str:
    """A number to some significant digits, digits before the point kept while they can be read; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    text = f"{value:.{digits}g}"
    if 10**digits <= abs(float(text)) < _LARGE:
        text = f"{value:.0f}"
    text = "0" if text == "-0" else text
    mantissa, e, power = text.partition("e")
    return mantissa.replace("-", "−") + (f" × 10{str(int(power)).translate(_RAISED)}" if e else "")


def percent_text(part: float | None) -> str:
    """A part of a whole, never rounded up to all of it."""
    if part is None:
        return "–"
    return "less than 0.1 %" if 0.0 < part < 1e-3 else f"{math.floor(1e3 * part + 1e-9) / 10:g} %"


def readable(text: Any) -> str:
    """Any value as a reader expects it: signs and units as printed."""
    short: str = _LONG_NUMBER.sub(lambda found: f"{float(found[0]):.6g}", str("–" if text is None else text))
    return short.replace("degC", "°C").replace("^2", "²").replace("^3", "³")


def verdict_sentence(summary: Row, case: Row) -> str:
    """The verdict in one sentence, with the margin of the criterion that decides it."""
    criteria, verdict = summary["criteria"], summary["verdict"]
    if not criteria:
        return "Solved: the case asks for nothing, so there is nothing to judge."
    deciding = [number for number, row in enumerate(criteria) if row["outcome"] == verdict] or [0]
    number = min(deciding, key=lambda number: safety_factor(criteria[number]) or 0.0)
    row = criteria[number]
    count = f"all {len(criteria)} criteria; the tightest" if verdict == "met" else f"{len(deciding)} of {len(criteria)} criteria"
    head = verdict.capitalize() + (f" ({count})" if len(criteria) > 1 else "")
    return f"{head}: {_SENTENCES.get(row['kind'], _other_sentence)(row, asked_limit(number, case))}."


def asked_limit(number: int, case: Row) -> str:
    """What the limit of a criterion is called."""
    criteria = case.get("criteria", [])
    row = criteria[number] if number < len(criteria) else {}
    given = row.get("at_least", row.get("at_most", _DEFAULT_LIMITS.get(row.get("kind", ""))))
    return given if given in ("critical", "strength") else "asked"


_DEFAULT_LIMITS = {"warming rate": "critical", "cooling rate": "critical", "stress": "strength"}  # where the case gives none
_UPPER = ("temperature difference", "field limit")  # limits that say no sense: always the most that is allowed
_LEAST_SCALE = 10.0  # [degC]; a temperature's margin would have no scale at 0 degC
_TIMES_FROM, _TIMES_TO = -2.0, 9.0  # margins outside are told as multiples of the limit


def is_upper(row: Row) -> bool:
    """Whether the limit of a criterion is the most that is allowed."""
    return row["kind"] in _UPPER or row.get("sense") == "at_most"


def margin(row: Row) -> float | None:
    """How far a value is on the good side of its limit, relative to it; negative beyond it, None where nothing was seen."""
    if row["value"] is None or row["limit"] is None:
        return None
    room = row["limit"] - row["value"] if is_upper(row) else row["value"] - row["limit"]
    return float(room / max(abs(row["limit"]), _LEAST_SCALE if row["kind"] == "temperature" else 1e-9))


def safety_factor(row: Row) -> float | None:
    """How many times over a limit is kept, below 1 beyond it; 1 and the margin for a temperature, None where nothing was seen.

    It puts highest and lowest limits on one scale: the margin of a highest one is never above 1, that of a lowest one may be.
    """
    left = margin(row)
    if left is None or row["kind"] == "temperature" or not is_upper(row):
        return None if left is None else 1.0 + left
    return 1.0 / (1.0 - left) if left < 1.0 else math.inf


def room_text(row: Row, limit: str = "it") -> str:
    """How far a value is from its limit, in words; `limit` is what that is called."""
    left = margin(row)
    if left is None:
        return "not seen"
    size = f"{number_text(100 * abs(left), 2 if abs(left) < 1.0 else 3)} %"
    if row["kind"] == "temperature":
        size = f"{number_text(abs(row['value'] - row['limit']), 2)} {readable(row['unit'])}"
    elif left < _TIMES_FROM:
        return f"{number_text(1.0 - left, 2)} times {limit}"
    if row["outcome"] == "met":
        return f"{number_text(1.0 + left, 2)} times {limit}" if left > _TIMES_TO else f"{size} to spare"
    return f"{size} beyond {limit}" if is_upper(row) else f"{size} short of {limit}"


def _rate_sentence(row: Row, asked: str) -> str:
    verb, region, unit = row["kind"].split()[0], row["region"], readable(row["unit"])
    verbs = {"warming": "warms", "cooling": "cools"}[verb]
    part = _part(row)
    value, limit = _told_apart(row["value"], row["limit"])
    if row["outcome"] == "unseen" or row["value"] is None:
        seen = f"{percent_text(row['seen_fraction'])} of it" if row.get("seen_fraction") else "nothing of it"
        why = f"{region} was not followed far enough, {seen} passed the whole window"
        return f"{why}, so its {verb} rate ({asked}: {limit} {unit}) can't be judged; let the run last longer"
    if row["outcome"] == "met":
        always = " at every moment" if row.get("measure") == "slowest" else ""
        return f"{part} {verbs} at {value} {unit} or faster{always}; {asked} is {limit} {unit} ({room_text(row)})"
    most = "at most" if row.get("upper_bound") else "only"
    short = room_text(row).removesuffix(" of it")
    fast_enough = f"{percent_text(row.get('fraction'))} of {region} was seen to be fast enough"
    return f"the {verb} rate that {part} reaches is {most} {value} {unit}; {asked} is {limit} {unit} ({short}); {fast_enough}"


def _difference_sentence(row: Row, asked: str) -> str:
    region, unit = row["region"], readable(row["unit"])
    below = f"while colder than {number_text(row.get('below_degC'))} °C"
    value, limit = _told_apart(row["value"], row["limit"])
    if row["value"] is None:
        return f"{region} was not seen {below}, so the differences in it can't be judged"
    bears = "its glass bears" if asked == "critical" else "allowed are"
    return f"{region} differs by up to {value} {unit} {below}; {bears} {limit} {unit} ({room_text(row)})"


def _temperature_sentence(row: Row, asked: str) -> str:
    upper, unit = row.get("sense") == "at_most", readable(row["unit"])
    value, limit = _told_apart(row["value"], row["limit"])
    if row.get("fraction_asked"):
        return _temperature_part_sentence(row, value, limit)
    when = "at the end" if row.get("when") == "end" else f"at {number_text(row.get('at_s'))} s"
    extreme, sense = ("hottest", "at most") if upper else ("coldest", "at least")
    told = f"the {extreme} point of {row['region']} is at {value} {unit} {when}"
    return f"{told}; asked is {sense} {limit} {unit} ({room_text(row)})"


def _temperature_part_sentence(row: Row, value: str, limit: str) -> str:
    """Of a temperature that a part of the volume must keep or reach."""
    upper, unit = row.get("sense") == "at_most", readable(row["unit"])
    when = {"end": "at the end", "ever": "at some time", "always": "at every time"}[row["when"]]
    part = "all" if row["fraction_asked"] == 1.0 else percent_text(row["fraction_asked"])
    bound = "or less" if upper else "or more"
    told = f"{part} of {row['region']} is at {value} {unit} {bound} {when}; asked is {limit} {unit}"
    return f"{told} ({room_text(row)}), and {percent_text(row['fraction'])} of the volume has that"


def _dose_sentence(row: Row, asked: str) -> str:
    lower, unit = row.get("sense") == "at_least", readable(row["unit"])
    value, limit = _told_apart(row["value"], row["limit"])
    region = f"{row['region']} with {number_text(row['margin_mm'])} mm around it" if row.get("margin_mm") else row["region"]
    part = "all" if row.get("fraction_asked", 1.0) == 1.0 else percent_text(row["fraction_asked"])
    dose, sense = row["kind"] == "dose", "at least" if lower else "at most"
    got, wanted = (f"a CEM43 of {value} {unit}", f"{limit} {unit}") if dose else (f"Omega = {value}", limit)
    seen = f"{percent_text(row['fraction'])} of the volume keeps that"
    return f"{part} of {region} gets {sense} {got}; asked is {sense} {wanted} ({room_text(row)}), and {seen}"


def _window_sentence(row: Row, asked: str) -> str:
    low, high = (number_text(value, 4) for value in row["between_degC"])
    when = "at the end of the run" if row.get("when") == "end" else "at the end of heating"
    told = f"{percent_text(row['value'])} of {row['region']} is between {low} and {high} °C {when}"
    return f"{told}; asked are {percent_text(row['limit'])}; it reaches from {_range(row)} °C"


def _range(row: Row) -> str:
    return f"{number_text(row['coldest_degC'], 4)} to {number_text(row['hottest_degC'], 4)}"


def _ice_sentence(row: Row, asked: str) -> str:
    if row["value"] is None:
        return f"{row['reason']}, so its ice can't be judged"
    value, limit = _told_apart(100 * row["value"], 100 * row["limit"])
    told = f"in {_part(row)} at most {value} % of what can freeze crystallises; allowed are {limit} % ({room_text(row)})"
    return told if row["outcome"] == "met" else f"{told}, and {percent_text(row['fraction'])} of the volume keeps that"


def _stress_sentence(row: Row, asked: str) -> str:
    if row["value"] is None:
        return f"{row['reason']}, so its stress can't be judged"
    value, limit = _told_apart(row["value"], row["limit"])
    bears = "its strength is" if asked == "strength" else "allowed are"
    where, unit = _part(row).removeprefix("all of "), row["unit"]
    told = f"the tensile stress in {where} reaches {value} {unit}; {bears} {limit} {unit} ({room_text(row)})"
    when = f"; it is largest at {number_text(row['at_s'])} s"
    return told + when + (f", and {number_text(row['crack_risk_mL'])} mL may crack" if row["crack_risk_mL"] else "")


def _exposure_sentence(row: Row, asked: str) -> str:
    if row["value"] is None:
        return f"{row['reason']}, so its time in the warmth can't be judged"
    value, limit = _told_apart(row["value"], row["limit"])
    told = f"{_part(row)} is above {number_text(row['above_degC'], 4)} °C for {value} min or less"
    return f"{told}; allowed are {limit} min ({room_text(row)}), and {percent_text(row['fraction'])} of the volume keeps that"


def _part(row: Row) -> str:
    """The part of a region that a criterion asks something of."""
    share = row.get("fraction_asked") or 1.0
    return f"all of {row['region']}" if share == 1.0 else f"{100 * share:g} % of {row['region']}"


def _other_sentence(row: Row, asked: str) -> str:
    value, limit = _told_apart(row["value"], row["limit"])
    return f"{row['kind']} of {row['region']} is {value} {readable(row['unit'])}; {asked} is {limit}"


_SENTENCES: Mapping[str, Callable[[Row, str], str]] = {
    "warming rate": _rate_sentence,
    "cooling rate": _rate_sentence,
    "temperature difference": _difference_sentence,
    "temperature": _temperature_sentence,
    "temperature window": _window_sentence,
    "dose": _dose_sentence,
    "damage": _dose_sentence,
    "ice": _ice_sentence,
    "stress": _stress_sentence,
    "exposure": _exposure_sentence,
}


def _told_apart(value: float | None, limit: float | None) -> tuple[str, str]:
    """Value and limit with as many digits as it takes to see which is larger."""
    pairs = [(number_text(value, digits), number_text(limit, digits)) for digits in (3, 4, 5, 6)]
    return pairs[0] if value == limit else next((pair for pair in pairs if pair[0] != pair[1]), pairs[-1])
