"""Gmsh recipes before Gmsh runs: their parameters, their length unit, and what they must not do."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from nanowarm.errors import MeshError
from nanowarm.meshing.recipe_text import Script, Token, read_recipe, read_script
from nanowarm.quantity import convert

LENGTH_UNITS = ("m", "cm", "mm", "um", "inch")

_RUNS = "runs a program"
_WRITES = "writes files"
# Every statement of Gmsh 4.15's grammar that starts a program, writes a file, or hides either of them.
_REFUSED = {
    "System": _RUNS,
    "SystemCall": _RUNS,
    "NonBlockingSystemCall": _RUNS,
    "OnelabRun": _RUNS,
    "ExternalProcess": _RUNS,
    "CommandLine": _RUNS,
    "Plugin": "can write files",
    "Save": _WRITES,
    "CreateDir": _WRITES,
    "SendToServer": "sends data away",
    "StringToName": "computes the name of a command",
    "S2N": "computes the name of a command",
    "GmshOption": "sets options of Gmsh under another name",
    "ServerAction": "acts on Gmsh itself",
    "GetEnv": "depends on the machine's environment",
}
_REFUSED_OPTION = re.compile(r"Command|Executable|Recent|Session|Watch|Editor|Scripting|Interpreter|.+FileName|SaveOptions")
_UNIT_LINE = re.compile(r"^\s*//\s*unit\s*[:=]\s*(\S+)\s*$", re.MULTILINE | re.IGNORECASE)
_LABEL_UNIT = re.compile(r"\[([^\[\]]*)\]\s*$")


@dataclass(frozen=True)
class Parameter:
    """A number of a recipe that a case may set.

    Args:
        name: the variable's name.
        default: the recipe's own value, in `unit`; None where it is computed.
        unit: unit from the brackets of its label, "-" for a plain number; None where the recipe says none.
        least: smallest allowed value, in `unit`.
        most: largest allowed value, in `unit`.
    """

    name: str
    default: float | None
    unit: str | None
    least: float = -math.inf
    most: float = math.inf


def declared_parameters(path: Path) -> dict[str, Parameter]:
    """The numbers that a recipe and the files it includes declare with `DefineConstant`, by name."""
    declared: dict[str, Parameter] = {}
    for script in read_recipe(path).scripts:
        for statement in _constant_blocks(script.tokens):
            for declaration in _split(statement):
                parameter = _parameter(declaration)
                if parameter is not None:
                    declared.setdefault(parameter.name, parameter)
    return declared


def length_unit(path: Path) -> str | None:
    """Length unit from a recipe's comment line `// unit: mm`; None where there is none.

    Raises:
        MeshError: the line names no length unit known here.
    """
    match = _UNIT_LINE.search(read_script(path).text)
    if match is None:
        return None
    if match[1] not in LENGTH_UNITS:
        raise MeshError(f"{path}: unit {match[1]!r} is not known; allowed are {', '.join(LENGTH_UNITS)}")
    return match[1]


def refuse_commands(path: Path) -> None:
    """Refuse a recipe that runs programs or writes files, itself or in a file it reads.

    Raises:
        MeshError: one line per statement.
    """
    faults = [fault for script in read_recipe(path).scripts for fault in _forbidden(script)]
    if faults:
        raise MeshError(*faults)


def parameter_values(path: Path, given: Mapping[str, str | float]) -> dict[str, float]:
    """Values of a recipe's parameters, converted from what a case gives to the recipe's own units.

    Args:
        path: the recipe.
        given: by name, text with a unit ("1.3 mL") or a bare number.

    Raises:
        MeshError: one line per name that is not declared and per value that does not fit.
    """
    declared = declared_parameters(path)
    file_unit = length_unit(path)
    values: dict[str, float] = {}
    faults = []
    for name, value in given.items():
        if name not in declared:
            faults.append(f"{path}: no parameter {name!r}; {_known(name, declared)}")
            continue
        try:
            values[name] = _value(declared[name], value, file_unit)
        except ValueError as error:
            faults.append(f"{path}: parameter {name}: {error}")
    if faults:
        raise MeshError(*faults)
    return values


def _known(name: str, declared: Mapping[str, Parameter]) -> str:
    """What the recipe declares, with the nearest name first."""
    if not declared:
        return "the recipe declares none; declare it there with DefineConstant"
    near = difflib.get_close_matches(name, declared, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    listing = ", ".join(p.name if p.unit is None else f"{p.name} [{p.unit}]" for p in declared.values())
    return f"{hint}known: {listing}"


def _value(parameter: Parameter, value: str | float, file_unit: str | None) -> float:
    """Value in the parameter's unit; a ValueError says what does not fit."""
    number = _number(parameter, value, file_unit)
    if not math.isfinite(number):
        raise ValueError(f"{value!r} is not finite")
    if not parameter.least <= number <= parameter.most:
        unit = "" if parameter.unit in (None, "-") else f" {parameter.unit}"
        bounds = [f"at least {parameter.least:g}{unit}"] if parameter.least > -math.inf else []
        bounds += [f"at most {parameter.most:g}{unit}"] if parameter.most < math.inf else []
        raise ValueError(f"{value!r} is out of range: it must be {' and '.join(bounds)}")
    return number


def _number(parameter: Parameter, value: str | float, file_unit: str | None) -> float:
    if isinstance(value, str) and _is_bare(value):
        value = float(value)
    if not isinstance(value, str):
        if parameter.unit not in (None, "-"):
            raise ValueError(f'write the unit: {value} could be anything, e.g. "{value} {parameter.unit}"')
        return float(value)
    if parameter.unit == "-":
        raise ValueError(f"{value!r} has a unit, but this is a plain number")
    if parameter.unit is not None:
        return convert(value, parameter.unit)
    if file_unit is None:
        raise ValueError(f'the recipe says no unit for {value!r}; write "// unit: mm" on its first line')
    for power in (1, 2, 3):
        try:
            return convert(value, f"{file_unit}^{power}")
        except ValueError as error:
            fault = error
    raise ValueError(f"{value!r} is no length, area or volume") from fault


def _is_bare(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _constant_blocks(tokens: tuple[Token, ...]) -> Iterator[tuple[Token, ...]]:
    """The tokens between the brackets of each `DefineConstant`."""
    for i, token in enumerate(tokens):
        if token.kind == "name" and token.text == "DefineConstant":
            yield tokens[i + 2 : _closing(tokens, i + 1)]


def _closing(tokens: tuple[Token, ...], opening: int) -> int:
    """Index of the sign that closes the bracket at index `opening`; the end where nothing does."""
    depth = 0
    for i in range(opening, len(tokens)):
        if tokens[i].kind == "sign":
            depth += (tokens[i].text in "([{") - (tokens[i].text in ")]}")
        if depth <= 0:
            return i
    return len(tokens)


def _split(tokens: tuple[Token, ...]) -> Iterator[tuple[Token, ...]]:
    """Parts between the commas outside all brackets."""
    start = i = 0
    while i < len(tokens):
        if tokens[i].kind == "sign" and tokens[i].text in "([{":
            i = _closing(tokens, i)
        elif tokens[i].kind == "sign" and tokens[i].text == ",":
            yield tokens[start:i]
            start = i + 1
        i += 1
    yield tokens[start:]


def _parameter(declaration: tuple[Token, ...]) -> Parameter | None:
    """The parameter of one `name = value` or `name = {value, Name "label [unit]", ...}`; None for a text."""
    texts = [token.text for token in declaration]
    if not texts or declaration[0].kind != "name" or texts[1:2] not in ([], ["="]):
        return None
    body = declaration[2:]
    if texts[2:3] == ["{"]:
        body = declaration[3 : _closing(declaration, 2)]
    value, *attributes = _split(body)
    if value and value[0].kind == "string":
        return None
    by_name = {part[0].text: part[1:] for part in attributes if part}
    label = by_name.get("Name", ())
    unit = _LABEL_UNIT.search(label[0].text) if label and label[0].kind == "string" else None
    return Parameter(
        texts[0],
        _literal(value),
        unit[1].strip() if unit else None,
        _bound(by_name.get("Min"), -math.inf),
        _bound(by_name.get("Max"), math.inf),
    )


def _bound(tokens: tuple[Token, ...] | None, otherwise: float) -> float:
    number = _literal(tokens) if tokens else None
    return otherwise if number is None else number


def _literal(tokens: tuple[Token, ...]) -> float | None:
    """The number that the tokens write out; None for a computed one."""
    text = "".join(token.text for token in tokens)
    return float(text) if _is_bare(text) and tokens[-1].kind == "number" else None


def _forbidden(script: Script) -> Iterator[str]:
    """One line for each statement that is refused."""
    tokens = script.tokens
    for i, token in enumerate(tokens):
        if token.kind != "name":
            continue
        before = tokens[i - 1].text if i else ""
        after = tokens[i + 1] if i + 1 < len(tokens) else Token("sign", "", 0)
        reason = _REFUSED.get(token.text)
        if token.text == "Print" and after.text != ".":
            reason = _WRITES
        elif token.text == "Solver" and after.text == ".":
            reason = _RUNS
        elif token.text in ("Printf", "Error", "Warning") and _redirected(tokens, i + 1):
            reason = _WRITES
        elif token.text in ("Macro", "Function") and after.kind != "name":
            reason = "computes the name of a command"
        elif before == "." and token.text != "FileName" and _REFUSED_OPTION.search(token.text):
            reason = "sets an option of Gmsh that runs programs or writes files"
        if reason:
            yield f"{script.path}:{token.line}: {token.text} {reason}, which a recipe must not; remove it"


def _redirected(tokens: tuple[Token, ...], opening: int) -> bool:
    """Whether what is printed by the call with this opening bracket goes to a file."""
    after = _closing(tokens, opening) + 1
    return after < len(tokens) and tokens[after].text in (">", ">>")
