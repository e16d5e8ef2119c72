"""Section `[uncertainty]` of a study: which values scatter and how, and the runs that tell what follows from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, model_validator

from nanowarm.case import Case, load_case
from nanowarm.errors import CaseError
from nanowarm.model import Model, joined_key, nearest, shown
from nanowarm.overrides import apply_overrides, key_parts, value_at
from nanowarm.physics.spreads import Distribution, Spread, lognormal, normal, spread_of
from nanowarm.quantity import number_and_unit
from nanowarm.shelf import read_toml
from nanowarm.studies.sampling import Range, check_count, unit_points
from nanowarm.studies.used_values import used_values, values_of

SHAPES = ("normal", "lognormal", "between")  # keys that say how a value scatters
TEMPERATURES = ("degC", "K")


class Scatter(Model):
    """How a value of the case scatters: one of these.

    Args:
        spread: text as in the library: "5 %" (uniform), "a factor of 2", "8 to 12 mgFe/mL", "5 K".
        normal: standard deviation, relative ("10 %") or of a temperature ("2 K").
        lognormal: relative standard deviation; the value is the median.
        between: ends of a uniform distribution, wherever the value itself lies.
    """

    spread: str | None = None
    normal: str | None = None
    lognormal: str | None = None
    between: tuple[str | int | float, str | int | float] | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Scatter:
        if sum(part is not None for part in (self.spread, self.normal, self.lognormal, self.between)) != 1:
            raise ValueError('give a text such as "5 %", or one of `normal`, `lognormal` and `between`')
        if self.between is not None:
            Range(between=self.between)
        return self


def _as_scatter(given: Any) -> Any:
    """A text as the section with that spread."""
    return {"spread": given} if isinstance(given, str) else given


AnyScatter = Annotated[Scatter, BeforeValidator(_as_scatter)]


class UncertaintyInput(Model):
    """What scatters, and how often it is drawn.

    Args:
        count: draws of every value, a power of two (a Sobol sequence).
        indices: whether the share of every value in the variance is computed; that takes count (inputs + 2) runs.
        confidence: of all intervals.
        seed: the same seed draws the same values.
        library: "all" for the spreads of all values of the library that the case uses, or a list such as "VS55.density".
        inputs: how values of the case scatter, by key.
    """

    count: Annotated[int, Field(ge=2, le=65536)]
    indices: bool = True
    confidence: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.95
    seed: Annotated[int, Field(ge=0)] = 0
    library: Literal["all"] | tuple[str, ...] = "all"
    inputs: Mapping[str, AnyScatter] = {}

    @model_validator(mode="after")
    def _count_suits(self) -> UncertaintyInput:
        check_count("sobol", self.count)
        return self


@dataclass(frozen=True)
class Variable:
    """A value that is drawn.

    Args:
        key: of the case.
        name: that a reader knows it by.
        value: number and unit that the case has, or a factor of 1 or a shift of 0 K.
        spread: of the value around it.
    """

    key: str
    name: str
    value: tuple[float, str]
    spread: Spread

    def written(self, drawn: float) -> str | float:
        """The value of a case for a factor or shift that was drawn."""
        number, unit = self.value
        changed = {"factor": number * drawn, "shift": number + drawn, "value": drawn}[self.spread.by]
        rounded = float(f"{changed:.9g}")
        return f"{rounded!r} {unit}" if unit else rounded


@dataclass(frozen=True)
class Design:
    """The runs of an uncertainty study.

    Args:
        asked: the section.
        variables: what is drawn.
        not_varied: values without a spread that can be drawn from, with the reason.
    """

    asked: UncertaintyInput
    variables: tuple[Variable, ...]
    not_varied: tuple[tuple[str, str], ...]

    @property
    def block(self) -> int:
        """Runs that belong to one draw: A, one for each input with its value from B, and B; or A alone."""
        return len(self.variables) + 2 if self.asked.indices else 1

    def shares(self) -> NDArray[np.float64]:
        """Quantiles that are drawn, shape (count * block, variables), block after block.

        Source: Saltelli et al. (2010), Comput. Phys. Commun. 181:259.
        """
        asked, size = self.asked, len(self.variables)
        if not asked.indices:
            return unit_points("sobol", asked.count, asked.seed, size)
        from SALib.sample import sobol

        problem = {"num_vars": size, "names": [v.name for v in self.variables], "bounds": [[0.0, 1.0]] * size}
        return np.asarray(sobol.sample(problem, asked.count, calc_second_order=False, seed=asked.seed))

    def rows(self) -> Iterator[dict[str, Any]]:
        """The values of each run, by key of the case."""
        shares = self.shares()
        numbers = np.column_stack([v.spread.distribution.quantile(shares[:, i]) for i, v in enumerate(self.variables)])
        places = {variable.key: place for place, variable in enumerate(self.variables)}
        leaders = [places.get(_along(variable), -1) for variable in self.variables]
        for row in numbers:
            factors = (row[leader] if leader >= 0 else 1.0 for leader in leaders)
            drawn = zip(self.variables, row, factors, strict=True)
            yield {variable.key: variable.written(float(number * factor)) for variable, number, factor in drawn}


def _along(variable: Variable) -> str:
    """Key of the value that a library value is proportional to; empty where there is none."""
    return joined_key(*key_parts(variable.key)[:-1], variable.spread.along) if variable.spread.along else ""


def design_of(asked: UncertaintyInput, path: Path, case: Path, base: Sequence[str]) -> Design:
    """What an uncertainty study varies.

    Args:
        asked: the section.
        path: of the study file.
        case: path of the case file.
        base: values that replace the case's in every run, as of `--set`.

    Raises:
        CaseError: one line for each value that can't be varied as asked.
    """
    loaded = load_case(case, base)
    raw = read_toml(case)
    apply_overrides(raw, base)
    found, faults = [], []
    for key, scatter in asked.inputs.items():
        try:
            found.append(_of_case(joined_key(*key_parts(key)), scatter, raw, loaded))
        except ValueError as error:
            faults.append(f"{path}: uncertainty.inputs.{joined_key(key)}: {error}")
    taken = {variable.key for variable in found}
    library, not_varied, wrong = _of_library(asked, loaded, taken)
    faults += [f"{path}: uncertainty.library: {line}" for line in wrong]
    if not loaded.input.criteria:
        faults.append(f"{path}: uncertainty: the case has no criteria: ask for something that can be met or missed")
    if not faults and not found + library:
        faults.append(f"{path}: uncertainty: nothing varies: give inputs, or a library value with a spread")
    if faults:
        raise CaseError(*faults)
    return Design(asked, (*found, *library), tuple(not_varied))


def _of_case(key: str, scatter: Scatter, raw: dict[str, Any], case: Case) -> Variable:
    """A value of the case that is drawn; a factor that the case does not give yet is 1, a shift 0 K.

    Raises:
        ValueError: it is not there, is no number, or does not scatter like that.
    """
    parts = key_parts(key)
    own = _changed_by(case, parts[1], parts[2]) if parts[0] == "factors" and len(parts) == 3 else ""
    try:
        given = value_at(raw, key)
    except ValueError:
        if not own:
            raise
        given = "0 K" if own == "shift" else 1.0
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise ValueError(f"only a number, or text with a unit, is varied; the case has {shown(given)}")
    number, unit = number_and_unit(given) if isinstance(given, str) else (float(given), "")
    by_shift = unit in TEMPERATURES
    if scatter.between is not None:
        low, high = (number_and_unit(end) if isinstance(end, str) else (float(end), "") for end in scatter.between)
        return Variable(key, key, (number, low[1]), Spread("value", Distribution("uniform", low[0], high[0])))
    if scatter.normal is not None:
        return Variable(key, key, (number, unit), normal(scatter.normal, by_shift))
    if scatter.lognormal is not None:
        if by_shift:
            raise ValueError('a temperature is not lognormal: give `normal = "2 K"`, a text such as "5 K", or `between`')
        return Variable(key, key, (number, unit), lognormal(scatter.lognormal))
    return Variable(key, key, (number, unit), spread_of(scatter.spread or "", given, by_shift))


def _changed_by(case: Case, name: str, key: str) -> str:
    """Whether a case changes a value of a material or particle by a factor or by a shift.

    Raises:
        ValueError: there is no such value.
    """
    known = values_of(case)
    if name not in known:
        raise ValueError(f'the case uses no material or particle "{name}"; {nearest(name, known)}')
    if key not in known[name]:
        raise ValueError(f'{name} has no value "{key}"; {nearest(key, known[name])}')
    return getattr({**case.materials, **case.particles}[name], key).changed_by


def _of_library(asked: UncertaintyInput, case: Case, taken: set[str]) -> tuple[list[Variable], list[tuple[str, str]], list[str]]:
    """Library values that are drawn; those that can't be, with the reason; and faults of names asked for."""
    everything = asked.library == "all"
    pairs = used_values(case) if everything else [(name, key) for name, _, key in (x.rpartition(".") for x in asked.library)]
    variables, not_varied, faults = [], [], []
    for name, key in pairs:
        where = joined_key("factors", name, key)
        if where in taken:
            continue
        try:
            changed_by = _changed_by(case, name, key)
        except ValueError as error:
            faults.append(str(error))
            continue
        try:
            variables.append(_of_record(case, name, key, changed_by))
        except ValueError as error:
            if everything:
                not_varied.append((f"{name}.{key}", str(error)))
            else:
                faults.append(f'{name}.{key}: {error}; give its own, e.g. [uncertainty.inputs] "{where}" = "20 %"')
    return variables, not_varied, faults


def _of_record(case: Case, name: str, key: str, changed_by: str) -> Variable:
    """A value of a material's or particle's file that is drawn by its spread.

    Raises:
        ValueError: it has none, or none that can be read with certainty.
    """
    value = read_toml(case.files[name])[key]
    spread = value.get("spread")
    if spread is None:
        raise ValueError("its file gives no spread")
    if changed_by == "nothing":
        raise ValueError(f"the spread {shown(spread)} is of more than one number")
    try:
        found = spread_of(spread, value.get("value"), changed_by == "shift")
    except ValueError:
        raise ValueError(f"the spread {shown(spread)} can't be read as a distribution") from None
    present = case.input.factors.get(name, {}).get(key)
    number = present.number if present is not None else 0.0 if changed_by == "shift" else 1.0
    return Variable(joined_key("factors", name, key), f"{name}.{key}", (number, "K" if changed_by == "shift" else ""), found)
