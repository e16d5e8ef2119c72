"""What the view calls the fields of a run, in which units it shows them, and which values of them matter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanowarm.quantity import ZERO_CELSIUS, temperature
from nanowarm.results.sentences import number_text, readable, safety_factor

Array = NDArray[np.float64]
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Look:
    """How a field is shown.

    Args:
        unit: as printed behind its numbers.
        least: where it is shown by its logarithm, the least value told apart; None on a linear scale.
        factor: from the file's unit to this one.
    """

    unit: str
    least: float | None = None
    factor: float = 1.0

    def shown(self, values: Array) -> Array:
        """The values as they are coloured: in this unit, or the logarithm to base 10 of that."""
        scaled: Array = self.factor * values
        return scaled if self.least is None else np.log10(np.maximum(scaled, self.least))

    def level(self, value: float) -> float:
        """A value in this unit, as it is coloured."""
        return value if self.least is None else float(np.log10(max(value, self.least)))

    def number(self, coloured: float) -> float:
        """The value in this unit of one as it is coloured."""
        return coloured if self.least is None else float(10.0**coloured)


LOOKS: Mapping[str, Look] = {
    "temperature": Look("°C"),
    "warming rate": Look("°C/min"),
    "slowest warming rate": Look("°C/min"),
    "warming rate margin": Look("× critical rate"),
    "iron concentration": Look("mgFe/mL"),
    "field amplitude": Look("kA/m"),
    "CEM43": Look("min", least=0.01),
    "damage": Look("", least=1e-4),
    "ice fraction": Look("%", factor=100.0),
    "tensile stress": Look("MPa"),
}
_JUDGED = {  # which field a criterion looks at
    "warming rate": "warming rate",
    "ice": "ice fraction",
    "stress": "tensile stress",
    "dose": "CEM43",
    "damage": "damage",
}
_LIMITED = ("temperature", *_JUDGED)  # criteria whose limit is a value of their field


def look(name: str) -> Look:
    """How a field is shown; without a unit where it is not a known one."""
    return LOOKS.get(name, Look(""))


def judged_field(row: Row, fields: Iterable[str]) -> str | None:
    """The field that a criterion is about, of those that there are: the temperature, unless it has one of its own."""
    known = set(fields)
    return next((name for name in (_own_field(row), "temperature") if name in known), None)


def _own_field(row: Row) -> str:
    """The field whose values a criterion compares with its limit."""
    if row["kind"] == "warming rate" and row.get("measure") == "slowest":
        return "slowest warming rate"
    return _JUDGED.get(row["kind"], "temperature")


def worst_points(summary: Row, fields: Iterable[str]) -> list[dict[str, Any]]:
    """Where each criterion is worst, that which decides the verdict first: what to call it, where [mm], when [s], its field."""
    known = tuple(fields)
    rows = [row for row in summary["criteria"] if row.get("where_mm")]
    rows.sort(key=lambda row: (row["outcome"] != summary["verdict"], safety_factor(row) or 0.0))
    return [
        {
            "label": f"{row['kind']} of {row['region']}",
            "where": [float(x) for x in row["where_mm"]],
            "time": row.get("at_s"),
            "field": judged_field(row, known),
        }
        for row in rows
    ]


def levels(name: str, summary: Row, record: Row) -> list[dict[str, Any]]:
    """Values of a field that a reader looks for, each with what it is: limits, the glass transition, melting."""
    found = {"warming rate margin": [(1.0, "critical", "")], "damage": [(1.0, "63 % damaged", "")]}.get(name, [])
    if name == "temperature":
        rows = [row for row in record.get("inputs", []) if row["what"] in ("glass transition", "melting")]
        found = [(temperature(row["value"]) - ZERO_CELSIUS, row["what"], "") for row in rows]
    for row in summary["criteria"]:
        if name == _own_field(row):
            limits = [row["limit"]] if row["kind"] in _LIMITED and row.get("limit") is not None else row.get("between_degC", ())
            found = [*found, *((look(name).factor * limit, "limit of", row["region"]) for limit in limits)]
    whats: dict[float, dict[str, list[str]]] = {}
    for value, what, region in found:
        regions = whats.setdefault(round(float(value), 6), {}).setdefault(what, [])
        regions += [region] if region not in regions else []
    named = {value: [f"{what} {', '.join(regions)}".strip() for what, regions in of.items()] for value, of in whats.items()}
    return [{"value": value, "label": f"{', '.join(of)} {number_text(value)}"} for value, of in sorted(named.items())]


def title(name: str) -> str:
    """A field and its unit, for the choice of fields."""
    unit = look(name).unit
    return readable(f"{name} [{unit}]" if unit else name)
