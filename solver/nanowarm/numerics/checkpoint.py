"""When a run writes checkpoints."""

from __future__ import annotations

import shutil
import time as clock
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nanowarm.errors import SolveError
from nanowarm.interruption import Interruption
from nanowarm.numerics.checkpoint_files import FOLDER, write
from nanowarm.numerics.places import Places
from nanowarm.numerics.saved import Saved
from nanowarm.numerics.stack import MPI


class Checkpoints:
    """Writes checkpoints of a run into its folder.

    Args:
        run_folder: of the run.
        places: of its nodes and cells.
        every: wall time [s] between two of them.
        interruption: what signals ask for.
        about: what else is to be kept, on the first rank.
    """

    def __init__(
        self,
        run_folder: Path,
        places: Places,
        every: float,
        interruption: Interruption,
        about: Callable[[], Mapping[str, Any]],
    ) -> None:
        self.run_folder, self.places, self.about = run_folder, places, about
        self.every, self.interruption = every, interruption
        self.seconds = 0.0  # spent on them
        self._last = clock.monotonic()

    def look(self, content: Callable[[], Saved], where: tuple[float, str], due: bool = False) -> None:
        """Write a checkpoint if it is time or somebody has asked for it. Collective.

        Args:
            content: what to keep.
            where: time of the run [s] and name of the stage.
            due: whether it is time in any case.

        Raises:
            SolveError: it can't be written, or a signal asks to stop.
        """
        start, comm = clock.monotonic(), self.places.comm
        due = due or (comm.rank == 0 and start - self._last > self.every)
        asked = np.array([due, self.interruption.save, self.interruption.stop], dtype=float)
        if comm.size > 1:
            comm.Allreduce(MPI.IN_PLACE, asked, op=MPI.MAX)
        if not asked.any():
            return
        self.interruption.save = False  # before it is written: a signal that comes meanwhile asks for the next one
        again = f"go on with: nanowarm resume {self.run_folder}"
        try:
            about = {**self.about(), "time": where[0], "stage": where[1]}
            write(self.run_folder / FOLDER, content(), self.places, about)
        except OSError as error:
            reason = error.strerror or error
            raise SolveError(f"{self.run_folder / FOLDER}: can't be written: {reason}; make room and {again}") from None
        self._last = clock.monotonic()
        self.seconds += self._last - start
        if asked[2]:
            raise SolveError(f"stopped by a signal at {where[0]:.6g} s of stage {where[1]}; {again}")

    def remove(self) -> None:
        """Forget all checkpoints of a finished run; for one rank."""
        shutil.rmtree(self.run_folder / FOLDER, ignore_errors=True)
