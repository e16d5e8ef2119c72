"""The section `[search]` of a study: the least or the largest value that meets all criteria of the case."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from nanowarm.model import Model, shown
from nanowarm.overrides import key_parts
from nanowarm.quantity import number_and_unit
from nanowarm.studies.sampling import Range

LEAST_WIDTH, MOST_WIDTH = 0.1, 50.0  # [%]
SPARE_WIDTH = 0.99  # of the width asked for: values are written with six digits


def _percentage(given: Any) -> float:
    """A part of the whole as a text with a per cent sign has it."""
    try:
        number, unit = number_and_unit(given) if isinstance(given, str) else (math.nan, "")
    except ValueError:
        unit = ""
    if unit != "%" or not LEAST_WIDTH <= number <= MOST_WIDTH:
        raise ValueError(f'must be a percentage from {LEAST_WIDTH:g} % to {MOST_WIDTH:g} %, e.g. "1 %"; found {shown(given)}')
    return number / 100.0


def _keys(given: Any) -> Any:
    """One key or several, as several."""
    return (given,) if isinstance(given, str) else given


def _range(given: Any) -> Any:
    """Two ends as a range whose parts are ratios."""
    return {"between": given, "scale": "log"}


class SearchInput(Model):
    """One value of the case that is looked for.

    Args:
        key: of the case; of several, all get the value.
        find: whether the least or the largest value is wanted that meets all criteria.
        between: the lowest and the highest value looked at, texts with the same unit or plain numbers.
        within: how far the answer may be from a value that misses, as a part of the answer.
    """

    key: Annotated[tuple[str, ...], BeforeValidator(_keys), Field(min_length=1)]
    find: Literal["least", "largest"]
    between: Annotated[Range, BeforeValidator(_range)]
    within: Annotated[float, BeforeValidator(_percentage)] = 0.01

    @model_validator(mode="after")
    def _names_each_key_once(self) -> SearchInput:
        parts = [key_parts(key) for key in self.key]
        twice = next((key for number, key in enumerate(self.key) if parts[number] in parts[:number]), None)
        if twice is not None:
            raise ValueError(f"key: {twice} is there twice")
        return self

    @property
    def good(self) -> float:
        """The end that is more likely to meet the criteria: 0 is the lower, 1 the higher."""
        return 1.0 if self.find == "least" else 0.0

    @property
    def width(self) -> float:
        """How near a met and a missed value have to be, as a part of the logarithm of the range."""
        low, high = (number_of(end) for end in self.between.between)
        return min(1.0, SPARE_WIDTH * math.log1p(self.within) / math.log(high / low))

    def value(self, place: float) -> str | int | float:
        """The value at a place: 0 is the lower end, 1 the higher, equal steps are equal ratios."""
        ends = {0.0: self.between.between[0], 1.0: self.between.between[1]}
        return ends[place] if place in ends else self.between.value(place)

    def inputs(self, place: float) -> dict[str, Any]:
        """The value at a place by every key that gets it."""
        return dict.fromkeys(self.key, self.value(place))


def number_of(value: str | int | float) -> float:
    """The number of a value, whatever its unit."""
    return number_and_unit(value)[0] if isinstance(value, str) else float(value)
