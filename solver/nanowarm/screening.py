"""Screening: a case judged by a lumped or a radial model of its body, in well under a second, to narrow a choice.

Everything but the body is that of a run: materials, particles, field, protocol, ice, criteria.
"""

from __future__ import annotations

import time as clock
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from nanowarm.case import Case, check_names, load_case
from nanowarm.errors import CaseError
from nanowarm.mesh_needs import volume_notes
from nanowarm.pipeline import Listener, Stopwatch
from nanowarm.provenance import Made, origin_of, record
from nanowarm.results.evidence import Outcome
from nanowarm.results.run_folder import Run, planned_folder
from nanowarm.run_files import begin_folder, conclude, write_files
from nanowarm.summary import summary_of

if TYPE_CHECKING:
    from nanowarm.numerics.model_bodies import Body, ModelName
    from nanowarm.numerics.observers import Observers
    from nanowarm.numerics.solve import Solution

SILENT = Listener()
_UNFOLLOWED = {"radial": ("stress",), "lumped": ("stress", "temperature difference")}  # kinds of criteria
_REASONS = {
    "stress": "a {model} model has no stress: it takes a run on the mesh",
    "temperature difference": "a {model} model is as warm everywhere: differences take a radial model or a run on the mesh",
}
_ESTIMATE = {
    "radial": "a radial model, an estimate to narrow a choice: heat flows by depth only, so corners, edges, what lies side by "
    "side and what the field and the iron do from place to place are left out",
    "lumped": "a lumped model, an estimate to narrow a choice: each moment the body is as warm everywhere, so cold and hot "
    "places are left out; rates are those of the whole",
}


@dataclass(frozen=True)
class Screening:
    """What a model says of a case.

    Args:
        model: "lumped" or "radial".
        summary: as `summary.json` of a run, with `model` and `estimate`: what is left out, in sentences.
        seconds: wall time.
    """

    model: str
    summary: dict[str, Any]
    seconds: float

    @property
    def verdict(self) -> str:
        """`met`, `missed` or `unseen`, as the model sees it."""
        return str(self.summary["verdict"])


@dataclass(frozen=True, eq=False)
class _Carried:
    """A model carried through all stages.

    Args:
        case: with what the model can follow.
        body: of the case.
        observers: what they saw.
        solution: what the integration left.
        summary: of the run.
        notes: what a user should know, what is left out first.
    """

    case: Case
    body: Body
    observers: Observers
    solution: Solution
    summary: dict[str, Any]
    notes: tuple[str, ...]


def screen(case: Case | str | Path, model: ModelName = "radial", body: Body | None = None) -> Screening:
    """What a model says of a case; nothing is written.

    Args:
        case: a loaded case, or the path of a case file.
        model: "lumped": as warm everywhere; "radial": warm by depth below its surface.
        body: what `numerics.model_bodies.body_of` made of a case with the same mesh; made anew where left out.

    Raises:
        CaseError, MeshError: the case can't be used.
        SolveError: the computation failed.
    """
    start = clock.perf_counter()
    found = _carried(case if isinstance(case, Case) else load_case(case), model, body, SILENT)
    return Screening(model, found.summary, clock.perf_counter() - start)


def run_model(case: Case, folder: Path, model: ModelName, listener: Listener = SILENT, body: Body | None = None) -> Run:
    """Compute a case by a model and leave its run folder, without fields and pictures.

    Args:
        case: what to compute.
        folder: run folder to make.
        model: as of `screen`.
        listener: hears of the progress.
        body: as of `screen`.

    Raises:
        CaseError, MeshError: the case can't be used; no folder was made.
        SolveError: the computation failed; the folder keeps what there is.
    """
    watch, target = Stopwatch(), planned_folder(case.path, Path(folder))
    found = _carried(case, model, body, listener, target)
    watch.lap("solve")
    origin = origin_of(case, 1, ("screen", "--model", model))
    about = record(found.case, found.observers, found.solution, _made(found.body), found.notes, origin) | {"model": model}
    write_files(target, found.observers, about)
    watch.lap("output")
    conclude(target, found.summary, about, watch.seconds, case.input.output.report)
    return Run(target)


def _carried(case: Case, model: ModelName, body: Body | None, listener: Listener, folder: Path | None = None) -> _Carried:
    """A case carried through by a model; with a folder, that is made once the case is known to be sound."""
    from nanowarm.numerics.model_bodies import body_of, modelled
    from nanowarm.numerics.model_heat import equip_model
    from nanowarm.numerics.observers import Observers
    from nanowarm.numerics.solve import solve

    _check(case, model)
    body = body or body_of(case)
    check_names(case, body.volumes, body.areas)
    followed = _followed(case)
    modelled_body = modelled(followed, body, model)
    equipped = equip_model(followed, modelled_body)
    observers = Observers(followed, equipped)
    if folder is not None:
        begin_folder(folder, case)
        listener.opened(folder)
    solution = solve(followed, equipped.heat, observers, listener.progress)
    observers.finish()
    mesh_notes = ["its numbers are those of a mesh with edges twice as long"] if body.coarser else []
    if any(region.electrical_conductivity for region in case.regions.values()):
        mesh_notes.append("the heat of eddy currents is taken as even over each region; it is largest far out, and hotter there")
    off = volume_notes(case, observers.recorder.region_volume)
    notes = (_ESTIMATE[model], *modelled_body.about, *mesh_notes, *off, *body.made.notes, *equipped.notes)
    outcomes = tuple(_judged(case, observers, model))
    summary = summary_of(case, observers, solution, outcomes) | {"model": model, "estimate": list(notes)}
    return _Carried(followed, body, observers, solution, summary, notes)


def _check(case: Case, model: str) -> None:
    """Refuse a model that there is not.

    Raises:
        CaseError: naming those that there are.
    """
    from nanowarm.numerics.model_bodies import ModelName

    if model not in get_args(ModelName):
        raise CaseError(f'{case.path}: no model "{model}"; known: {", ".join(get_args(ModelName))}')


def _followed(case: Case) -> Case:
    """The case with what a model can follow: no stress, no fields."""
    criteria = tuple(criterion for criterion in case.input.criteria if criterion.kind != "stress")
    changed = {
        "criteria": criteria,
        "solver": case.input.solver.model_copy(update={"stress": False}),
        "output": case.input.output.model_copy(update={"fields": ()}),
    }
    return replace(case, input=case.input.model_copy(update=changed))


def _judged(case: Case, observers: Observers, model: ModelName) -> list[Outcome]:
    """Outcome of every criterion; unseen, with the reason, where the model can't tell. A model knows no places."""
    outcomes = []
    for criterion in case.input.criteria:
        outcome = replace(criterion.judge(observers), where_mm=None)
        if criterion.kind in _UNFOLLOWED[model]:
            reason = _REASONS[criterion.kind].format(model=model)
            outcome = replace(outcome, outcome="unseen", value=None, details={**outcome.details, "reason": reason})
        outcomes.append(outcome)
    return outcomes


def _made(body: Body) -> Made:
    """Where the mesh came from that the numbers of a body were taken from."""
    made = body.made
    return Made(made.cached, made.digest, made.worst_quality, made.step_cost, (), made.steps)


__all__ = ["Screening", "run_model", "screen"]
