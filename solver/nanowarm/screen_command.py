"""The command `screen`: what lumped and radial models say of a case, before a mesh is run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from nanowarm.errors import NanowarmError

if TYPE_CHECKING:
    from nanowarm.screening import Screening

Asked = Literal["lumped", "radial", "both"]


def screen(
    case: Annotated[Path, typer.Argument(metavar="CASE", help="case file (TOML)")],
    model: Annotated[Asked, typer.Option("--model", help="of the body")] = "both",
    overrides: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="replace a value of the case")] = None,
) -> None:
    """Estimate the verdict with a lumped and a radial model of the body, without running the mesh; writes nothing."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from nanowarm.case import load_case
    from nanowarm.numerics.model_bodies import ModelName, body_of
    from nanowarm.screening import screen

    loaded = load_case(case, overrides or ())
    body = body_of(loaded)
    chosen: list[ModelName] = ["lumped", "radial"] if model == "both" else [model]
    found = []
    for name in chosen:
        try:
            found.append(screen(loaded, name, body))
        except NanowarmError as error:
            if name == chosen[-1]:
                raise
            for fault in error.faults:
                print(f"{name} model: {fault}")
            continue
        for line in lines_of(found[-1]):
            print(line)
    raise typer.Exit(0 if found[-1].verdict == "met" else 1)


def lines_of(screening: Screening) -> list[str]:
    """What a model says of a case: rates, criteria with their factors, verdict, wall time, what is left out."""
    summary = screening.summary
    lines = [line for name, region in summary["regions"].items() for line in _rate_lines(name, region)]
    lines += [_criterion_line(row, summary["limits"], number) for number, row in enumerate(summary["criteria"])]
    lines += [f"estimated verdict: {screening.verdict} ({screening.seconds:.2g} s)"]
    lines += [f"note: {note}" for note in summary["estimate"]]
    return [f"{screening.model} model: {line}" for line in lines]


def _rate_lines(name: str, region: dict[str, Any]) -> list[str]:
    """Coldest, mean and hottest place's warming rate of a region, where any was seen."""
    rates = region["warming_rate_degC_per_min"]
    if rates is None or rates["mean"] is None:
        return []
    told = ", ".join(f"{word} {rates[key]:.4g}" for word, key in (("slowest", "min"), ("mean", "mean"), ("fastest", "max")))
    return [f"{name} warms at {told} degC/min"]


def _criterion_line(row: dict[str, Any], limits: list[dict[str, Any]], number: int) -> str:
    """How a criterion ended, with its limit and how many times over it is kept."""
    factor = next(entry["factor"] for entry in limits if entry["criterion"] == number)
    value = row.get("reason", "nothing seen") if row["value"] is None else f"{row['value']:.4g} {row['unit']}"
    times = "" if factor is None else f", kept {factor:.3g} times over"
    return f"{row['kind']} of {row['region']}: {row['outcome']}: {value} (limit {row['limit']:.4g}{times})"
