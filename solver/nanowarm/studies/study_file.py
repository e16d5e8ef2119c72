"""The study file: which case, which of its values change, and how many runs at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from nanowarm.errors import CaseError
from nanowarm.model import Model, faults, frozen_copy, joined_key, shown
from nanowarm.overrides import key_parts
from nanowarm.sections import Version
from nanowarm.shelf import read_toml
from nanowarm.studies.sampling import Method, Range, check_count
from nanowarm.studies.search_section import SearchInput
from nanowarm.studies.uncertainty import SHAPES, UncertaintyInput


def flat_keys(table: Any, whole: Collection[str] = ()) -> Any:
    """Values by dotted key: the sections that dots without quotes have made are undone; behind "a.b" a value stays whole.

    Args:
        whole: keys that only values have, not sections.
    """
    if not isinstance(table, Mapping):
        return table
    flat: dict[str, Any] = {}
    for key, value in table.items():
        name = key if "." in key else joined_key(key)
        if isinstance(value, Mapping) and "." not in key and not any(part in value for part in whole):
            flat |= {f"{name}.{inner}": content for inner, content in flat_keys(value, whole).items()}
        else:
            flat[name] = value
    return flat


def _flattened(raw: dict[str, Any]) -> dict[str, Any]:
    """The content of a study file with its values by dotted key."""
    flat = raw | {section: flat_keys(raw[section]) for section in ("base", "grid") if section in raw}
    if isinstance(raw.get("list"), tuple):
        flat["list"] = tuple(map(flat_keys, raw["list"]))
    if isinstance(raw.get("sample"), Mapping) and isinstance(raw["sample"].get("ranges"), Mapping):
        ranges = flat_keys(raw["sample"]["ranges"], ("between",))
        ranges = {key: given if isinstance(given, Mapping) else {"between": given} for key, given in ranges.items()}
        flat["sample"] = raw["sample"] | {"ranges": ranges}
    if isinstance(raw.get("uncertainty"), Mapping) and "inputs" in raw["uncertainty"]:
        flat["uncertainty"] = raw["uncertainty"] | {"inputs": flat_keys(raw["uncertainty"]["inputs"], SHAPES)}
    return flat


def _value_list(given: Any) -> Any:
    """A list of values."""
    if not isinstance(given, tuple) or not given:
        raise ValueError(f"must be a list of values, [ ... ], that is not empty; found {shown(given)}")
    return given


class SampleInput(Model):
    """Values drawn at random that fill their ranges evenly.

    Args:
        method: "latin hypercube", or "sobol" (a sequence; its count is a power of two).
        count: runs.
        seed: the same seed draws the same values.
        ranges: what is drawn, by key of the case.
    """

    method: Method = "latin hypercube"
    count: Annotated[int, Field(ge=1, le=100_000)]
    seed: Annotated[int, Field(ge=0)] = 0
    ranges: Annotated[Mapping[str, Range], Field(min_length=1)]

    @model_validator(mode="after")
    def _count_suits(self) -> SampleInput:
        check_count(self.method, self.count)
        return self


class RunInput(Model):
    """How the runs are spread over the machine.

    Args:
        parallel: runs at a time; as many as the cores allow where left out.
        ranks: MPI ranks of each run.
        model: of the body: its mesh, or a lumped or a radial model for estimates, see `nanowarm screen`.
    """

    parallel: Annotated[int, Field(ge=1)] | None = None
    ranks: Annotated[int, Field(ge=1)] = 1
    model: Literal["mesh", "lumped", "radial"] = "mesh"

    @model_validator(mode="after")
    def _models_run_alone(self) -> RunInput:
        if self.model != "mesh" and self.ranks > 1:
            raise ValueError(f"a {self.model} model runs on one rank; leave ranks out")
        return self


class StudyInput(Model):
    """A study file.

    Args:
        schema: version of the format.
        title: what the study is about, for its readers.
        case: path of the case file, relative to the study file.
        base: values that replace the case's in every run.
        grid: lists of values; every combination is a run.
        list: one run for each table of values.
        sample: values drawn from ranges.
        search: a value to be found, alone or for each combination of a grid or a list.
        uncertainty: values drawn from how they scatter.
        run: how the runs are spread over the machine.
    """

    version: Version = Field(alias="schema")
    title: str = ""
    case: str
    base: Mapping[str, Any] = {}
    grid: Annotated[Mapping[str, Annotated[Any, BeforeValidator(_value_list)]], Field(min_length=1)] | None = None
    rows: Annotated[tuple[Mapping[str, Any], ...], Field(min_length=1)] | None = Field(default=None, alias="list")
    sample: SampleInput | None = None
    search: SearchInput | None = None
    uncertainty: UncertaintyInput | None = None
    run: RunInput = RunInput()

    @model_validator(mode="after")
    def _asks_one_thing(self) -> StudyInput:
        given = [part for part in (self.grid, self.rows, self.sample, self.uncertainty) if part is not None]
        if self.search is None and len(given) != 1:
            raise ValueError("give one of [grid], [[list]], [sample] and [uncertainty], or [search]")
        if self.search is not None and (len(given) > 1 or self.sample is not None or self.uncertainty is not None):
            raise ValueError("[search] stands alone, or with [grid] or [[list]]")
        return self

    @model_validator(mode="after")
    def _searches_what_nothing_else_sets(self) -> StudyInput:
        sections = [("base", self.base), ("grid", self.grid or {}), *(("list", row) for row in self.rows or ())]
        for key in self.search.key if self.search is not None else ():
            section = next((name for name, values in sections if key_parts(key) in map(key_parts, values)), None)
            if section is not None:
                raise ValueError(f"search.key: {key} is in [{section}] too: a value that is looked for stands nowhere else")
        return self

    def section(self) -> Literal["grid", "list", "sample.ranges", "uncertainty.inputs", "search"]:
        """Where the changing values stand in the file."""
        if self.grid is not None:
            return "grid"
        if self.rows is not None:
            return "list"
        if self.search is not None:
            return "search"
        return "uncertainty.inputs" if self.uncertainty is not None else "sample.ranges"

    def place(self, key: str) -> str:
        """Where a changing value stands in the file."""
        return f"search.key: {key}" if self.search is not None and key in self.search.key else f"{self.section()}.{key}"


def read_study(path: Path) -> StudyInput:
    """A study from its file.

    Raises:
        CaseError: with every fault of the file by itself.
    """
    return study_of(path, read_toml(path))


def study_of(path: Path, content: Mapping[str, Any]) -> StudyInput:
    """A study from TOML data.

    Args:
        path: the file that they are in, for the message.
        content: of the file.

    Raises:
        CaseError: with every fault of the file by itself.
    """
    raw = _flattened(frozen_copy(content))
    try:
        return StudyInput.model_validate(raw)
    except ValidationError as error:
        raise CaseError(*faults(error, StudyInput, str(path), raw)) from None
