"""Published experiments beside the shipped cases that are about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nanowarm import Run


@dataclass(frozen=True)
class Experiment:
    """One number that was published and is computed.

    Args:
        title: what was measured.
        cases: that compute it.
        computed: the number, from the runs of the cases.
        published: what the source says.
        between: lowest and highest number that agrees with it.
        unit: of the number.
        source: citation keys.
        independent: what of it is predicted, and what was chosen or fitted.
    """

    title: str
    cases: tuple[str, ...]
    computed: Callable[..., float]
    published: str
    between: tuple[float, float]
    unit: str
    source: str
    independent: str


def _criterion(kind: str, region: str) -> Callable[[Run], float]:
    """Reads the value of a criterion."""

    def value(run: Run) -> float:
        """Value of the criterion of a run."""
        return float(next(c["value"] for c in run.summary["criteria"] if (c["kind"], c["region"]) == (kind, region)))

    return value


def _region(region: str, key: str) -> Callable[[Run], float]:
    """Reads a number of a region."""

    def value(run: Run) -> float:
        """The number of a run."""
        return float(run.summary["regions"][region][key])

    return value


def _slowest(run: Run) -> float:
    """Slowest mean warming rate of all regions [degC/min]."""
    return min(float(c["value"]) for c in run.summary["criteria"] if c["kind"] == "warming rate")


def _hotter(small: Run, large: Run) -> float:
    """How much hotter the larger tumour gets than the smaller [K]."""
    return float(
        large.summary["regions"]["tumour"]["temperature_degC"]["max"]
        - small.summary["regions"]["tumour"]["temperature_degC"]["max"]
    )


def _amplitude(run: Run) -> float:
    """Amplitude of the field at the end [kA/m]."""
    return float(run.history["field_kA_per_m"][-1])


INFERRED = "the particle's power is inferred from this very rate: agreement shows that the parts fit together, no more"
EXPERIMENTS = (
    Experiment(
        "Warming rate of 1 mL of VS55 with particles",
        ("vial-1mL",),
        _slowest,
        "above 130 degC/min",
        (130.0, 260.0),
        "degC/min",
        "manuchehrabadi2017",
        INFERRED,
    ),
    Experiment(
        "Warming rate of 80 mL of VS55 with particles",
        ("vial-80mL",),
        _slowest,
        "above 130 degC/min",
        (130.0, 260.0),
        "degC/min",
        "manuchehrabadi2017",
        f"predicted is that it is as fast as in 1 mL; {INFERRED}",
    ),
    Experiment(
        "Warming rate of a rat kidney in VS55",
        ("rat-kidney",),
        _slowest,
        "about 64 degC/min (taken as ±25 %)",
        (48.0, 80.0),
        "degC/min",
        "sharma2021",
        "field and rate are remembered; the iron in the tissue is what the rate suggests",
    ),
    Experiment(
        "Cooling of a litre of M22 in a freezer: slowest rate",
        ("bag-1L-M22",),
        _criterion("cooling rate", "cpa"),
        "becomes a glass: above 0.1 degC/min",
        (0.1, 100.0),
        "degC/min",
        "gangwar2025",
        "predicted; the freezer is an estimate",
    ),
    Experiment(
        "Cooling of a litre of VS55 in the same freezer",
        ("bag-1L-VS55",),
        _criterion("cooling rate", "cpa"),
        "fails to become a glass: below 2.5 degC/min",
        (0.0, 2.5),
        "degC/min",
        "gangwar2025",
        "predicted; the freezer is an estimate",
    ),
    Experiment(
        "Difference of temperature in glass that was plunged",
        ("vial-crack",),
        _criterion("temperature difference", "cpa"),
        "glass cracks above 38 K",
        (38.0, 200.0),
        "K",
        "sharma2021",
        "predicted; the vial is ours, and whether such a one cracks was not read",
    ),
    Experiment(
        "Difference of temperature in glass that was annealed",
        ("vial-anneal",),
        _criterion("temperature difference", "cpa"),
        "glass stays whole below 38 K",
        (0.0, 38.0),
        "K",
        "sharma2021",
        "predicted; the vial is ours",
    ),
    Experiment(
        "Amplitude that holds a glioblastoma at 50 degC",
        ("glioblastoma-nanotherm",),
        _amplitude,
        "2 to 15 kA/m",
        (2.0, 15.0),
        "kA/m",
        "maierhauff2011",
        "predicted; field and temperature are remembered; the particle's power is known to a factor of 3",
    ),
    Experiment(
        "Mice: how much hotter 0.30 mL of tumour gets than 0.15 mL",
        ("mouse-flank-150", "mouse-flank-300"),
        _hotter,
        "the larger is hotter",
        (0.0, 20.0),
        "K",
        "attaluri2020b",
        "predicted; nothing is fitted to a temperature",
    ),
    Experiment(
        "Prostate at 5 kA/m: T90",
        ("prostate",),
        _region("prostate", "t90_degC"),
        "40.1 degC (median, remembered; taken as ±1 K)",
        (39.1, 41.1),
        "degC",
        "johannsen2007",
        "predicted; iron and power are estimates",
    ),
    Experiment(
        "Brain around a balloon: T90 of the rim of 5 mm",
        ("balloon-cavity",),
        _region("rim", "t90_degC"),
        "40 to 48 degC, itself computed",
        (40.0, 48.0),
        "degC",
        "stauffer2020",
        "predicted, with 48 degC chosen as the hottest place; its blood flow is an estimate",
    ),
)
