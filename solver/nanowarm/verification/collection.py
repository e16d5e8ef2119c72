"""All problems with exact solutions."""

from __future__ import annotations

from nanowarm.verification import bars, baths, magnetic, solids, sources, tissue

PROBLEMS = (*baths.PROBLEMS, *sources.PROBLEMS, *tissue.PROBLEMS, *bars.PROBLEMS, *solids.PROBLEMS, *magnetic.PROBLEMS)
BY_NAME = {problem.name: problem for problem in PROBLEMS}
