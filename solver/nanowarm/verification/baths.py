"""Cold bodies that are put into a bath."""

from __future__ import annotations

from nanowarm.verification.problem import Problem, at_end
from nanowarm.verification.series import Shape, mean_theta
from nanowarm.verification.writing import (
    BALL,
    BATH,
    BIOT,
    CAPACITY,
    COLD,
    CONDUCTIVITY,
    INSULATED,
    MEAN,
    RADIUS,
    case,
    convection,
    disc,
    medium,
    slab,
)


def _mean(shape: Shape) -> float:
    """Mean temperature [degC] of a body at FOURIER."""
    return BATH + (COLD - BATH) * mean_theta(shape, BIOT, FOURIER)


FOURIER = 0.2
_STAGE = {"duration": f"{FOURIER * RADIUS**2 * CAPACITY / CONDUCTIVITY!r} s"}
_SURFACE = convection(BATH)
_ENDS = {"side": _SURFACE, "top": INSULATED, "bottom": INSULATED}
_CYLINDER = case(COLD, _ENDS, _STAGE)

BALL_IN_BATH = Problem(
    name="bath",
    title="A cold ball put into a bath: its mean temperature at a Fourier number of 0.2",
    formula=r"\frac{\bar T-T_b}{T_0-T_b}=\sum_n \frac{12(\sin z_n-z_n\cos z_n)^2}{z_n^3\,(2z_n-\sin 2z_n)}"
    r"\,e^{-z_n^2\,\mathrm{Fo}},\quad 1-z_n\cot z_n=\mathrm{Bi}",
    source="carslaw1959",
    unit="degC",
    exact=_mean("sphere"),
    scale=BATH - COLD,
    body=BALL,
    sections=case(COLD, {"surface": _SURFACE}, _STAGE),
    files=medium("jelly"),
    read=at_end(MEAN),
)

CYLINDER_IN_BATH = Problem(
    name="cylinder-bath",
    title="A cold long cylinder put into a bath: its mean temperature at a Fourier number of 0.2",
    formula=r"\frac{\bar T-T_b}{T_0-T_b}=\sum_n \frac{4}{z_n^2}\frac{J_1^2(z_n)}{J_0^2(z_n)+J_1^2(z_n)}"
    r"\,e^{-z_n^2\,\mathrm{Fo}},\quad z_nJ_1(z_n)=\mathrm{Bi}\,J_0(z_n)",
    source="carslaw1959",
    unit="degC",
    exact=_mean("cylinder"),
    scale=BATH - COLD,
    body=disc(RADIUS),
    sections=_CYLINDER | {"regions": {"cpa": _CYLINDER["regions"]["body"]}},
    files=medium("jelly"),
    read=at_end("cpa_mean_degC"),
)

SLAB_IN_BATH = Problem(
    name="slab-bath",
    title="A cold slab put into a bath: its mean temperature at a Fourier number of 0.2",
    formula=r"\frac{\bar T-T_b}{T_0-T_b}=\sum_n \frac{4\sin^2z_n}{z_n\,(2z_n+\sin 2z_n)}"
    r"\,e^{-z_n^2\,\mathrm{Fo}},\quad z_n\tan z_n=\mathrm{Bi}",
    source="carslaw1959",
    unit="degC",
    exact=_mean("slab"),
    scale=BATH - COLD,
    body=slab(RADIUS, "half thickness"),
    sections=case(COLD, {"left": INSULATED, "right": _SURFACE, "sides": INSULATED}, _STAGE),
    files=medium("jelly"),
    read=at_end(MEAN),
)

PROBLEMS = (BALL_IN_BATH, CYLINDER_IN_BATH, SLAB_IN_BATH)
