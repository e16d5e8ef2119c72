"""Signals that stop a run after a checkpoint, or ask for one."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator


class Interruption:
    """What signals ask of a run.

    Attributes:
        stop: whether the run shall write a checkpoint and stop.
        save: whether it shall write a checkpoint and go on.
    """

    def __init__(self) -> None:
        self.stop = self.save = False
        self._awaited = False

    def hear(self) -> None:
        """Hear SIGTERM, as from a batch system, and Ctrl-C as wishes to stop, and SIGUSR1 as one for a checkpoint."""
        signal.signal(signal.SIGINT, self._stop)
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGUSR1, self._save)

    @contextlib.contextmanager
    def awaited(self) -> Iterator[None]:
        """While a run looks at what is asked, the first signal does not break it off."""
        self._awaited = True
        try:
            yield
        finally:
            self._awaited = False

    def _stop(self, number: int, frame: object) -> None:
        if self.stop or not self._awaited:
            raise KeyboardInterrupt
        self.stop = True

    def _save(self, number: int, frame: object) -> None:
        self.save = True
